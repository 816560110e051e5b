/*
 * fuzz_failure.c - descriptions of failures, as they come out of Redis, and
 * the mails that are made of them.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "policy/failure_mail.h"

#define LINE_MAX_OCTETS 998
#define BOUNDARY "--=_sekimori_failure"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Lines that end as they should and are no longer than they may be, of
 * printable ASCII, and no more parts than are ours. */
static void
check_mail(const struct buf *mail)
{
	const char *line = buf_str(mail), *end;
	size_t parts = 0, i;

	if (strlen(line) != mail->len)
		abort();
	for (; *line != '\0'; line = end + 2) {
		end = strstr(line, "\r\n");
		if (end == NULL || end - line > LINE_MAX_OCTETS)
			abort();
		for (i = 0; line + i < end; i++)
			if (line[i] < 0x20 || line[i] > 0x7e)
				abort();
		parts += strncmp(line, BOUNDARY, strlen(BOUNDARY)) == 0;
	}
	if (parts != 4)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const to[] = { "a@d.test" };
	struct arena *arena = arena_new(0);
	struct failure failure;
	struct failure_mail mail = { .failure = &failure,
		.incidents = 2,
		.from = "dmarc@our.test",
		.submitter = "our.test",
		.to_count = 1,
		.to = to };
	struct err err;
	struct buf out;

	buf_init(&out, FAILURE_MAIL_MAX);
	if (failure_from_json(arena, (struct bytes){ (const char *)data, size },
		&failure, &err) == 0) {
		(void)failure_condition(arena, &failure);
		if (failure_mail_write(&mail, &out, &err) == 0)
			check_mail(&out);
	}
	buf_free(&out);
	arena_free(arena);
	return 0;
}
