/*
 * report_letter.c - a mail of our own that carries a report.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <assert.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "policy/report_letter.h"
#include "policy/signature_write.h"

#define HEADER_MAX 65536

void
letter_add(struct letter *letter, const char *name, const char *value)
{
	assert(letter->field_count < LETTER_FIELDS_MAX);
	letter->fields[letter->field_count++] =
	    (struct letter_field){ name, value };
}

const char *
letter_addresses(struct arena *arena, size_t n, const char *const *addresses)
{
	const char *list = n > 0 ? addresses[0] : "";
	size_t i;

	for (i = 1; i < n; i++)
		list = arena_printf(arena, "%s,\r\n %s", list, addresses[i]);
	return list;
}

const char *
letter_date(struct arena *arena, int64_t time_s)
{
	char date[CLOCK_RFC5322_SIZE];

	clock_rfc5322((time_t)time_s, date);
	return arena_strdup(arena, date);
}

/* A DKIM-Signature for each identity, on top of out. */
static int
write_signatures(struct arena *arena, const struct letter *letter,
    struct buf *out, struct err *err)
{
	struct body_hash *hash;
	const struct body_digest *digest;
	struct header header;
	const char *value;
	size_t i;
	int rc = 0;

	header_init(&header, arena, HEADER_MAX, LETTER_FIELDS_MAX);
	for (i = 0; i < letter->field_count; i++)
		if (header_add(&header, bytes_of(letter->fields[i].name),
			bytes_of(arena_printf(arena, " %s",
			    letter->fields[i].value)),
			err) < 0)
			return -1;
	hash = body_hash_new(arena);
	digest = signature_want_body(hash);
	body_hash_add(hash, letter->body);
	body_hash_end(hash);
	for (i = 0; rc == 0 && i < letter->identity_count; i++) {
		value = auth_dkim_sign(arena, &letter->identities[i], &header,
		    digest, letter->now_s, err);
		if (value == NULL)
			rc = -1;
		else
			buf_printf(out, "DKIM-Signature:%s\r\n", value);
	}
	body_hash_free(hash);
	return rc;
}

int
letter_write(const struct letter *letter, struct buf *out, struct err *err)
{
	struct arena *arena = arena_new(0);
	size_t i;
	int rc = 0;

	if (letter->identity_count > 0)
		rc = write_signatures(arena, letter, out, err);
	for (i = 0; i < letter->field_count; i++)
		buf_printf(out, "%s: %s\r\n", letter->fields[i].name,
		    letter->fields[i].value);
	buf_append_str(out, "\r\n");
	buf_append_bytes(out, letter->body);
	if (rc == 0 && out->overflow)
		rc = err_set(err, ERR_LIMIT, "the report is too large to mail");
	arena_free(arena);
	return rc;
}
