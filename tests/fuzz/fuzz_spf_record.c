/*
 * fuzz_spf_record.c - SPF records and explanations, as the DNS brings them.
 *
 * What the reader takes must be expandable and writable, and the plain form
 * must hold nothing but our own words.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "policy/spf_macro.h"
#include "policy/spf_record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct spf_macros macros = {
	.local = "strong-bad",
	.sender = "email.example.com",
	.domain = "example.com",
	.helo = "JUMPIN' %{d} \xc3\xa4",
	.validated = "unknown",
	.receiver = "",
	.ip = { IP_V6, { 0x20, 0x01, 0x0d, 0xb8, [15] = 3 } },
};

/* "v=spf1", then words out of letters, digits and few signs. */
static void
check_plain(const struct buf *plain)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789"
				      " .:=+-~?";

	if (plain->overflow || strspn(plain->data, allowed) != plain->len ||
	    strncmp(plain->data, "v=spf1 ", 7) != 0)
		abort();
}

static void
check_name(struct bytes spec)
{
	char name[SPF_NAME_SIZE], text[SPF_NAME_TEXT_SIZE];

	if (!spf_macro_name(&macros, spec, name))
		return;
	if (name[0] == '\0' || strlen(name) > DNS_NAME_MAX)
		abort();
	spf_name_text(name, text);
	if (strlen(text) >= SPF_NAME_TEXT_SIZE)
		abort();
}

static void
check_record(struct arena *arena, struct bytes text)
{
	struct spf_record record;
	struct buf plain;
	size_t i, reach;

	if (spf_record_read(arena, text, &record, NULL) < 0)
		return;
	for (i = 0; i < record.count; i++)
		if (record.terms[i].domain.len > 0)
			check_name(record.terms[i].domain);
	if (record.exp.data != NULL)
		check_name(record.exp);
	reach = spf_record_reach(&record, &macros.ip);
	if (reach > record.count)
		abort();
	buf_init(&plain, 2048);
	spf_record_write(&record, reach, 31, &macros.ip, &plain);
	check_plain(&plain);
	buf_free(&plain);
}

static void
check_explanation(struct bytes text)
{
	struct buf out;

	if (spf_macro_check(text, SPF_SYNTAX_EXPLAIN, NULL) < 0)
		return;
	buf_init(&out, SPF_EXPANSION_MAX);
	spf_macro_uses(text, "p");
	spf_macro_expand(&macros, text, &out);
	buf_free(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes text = { (const char *)data, size };
	struct arena *arena = arena_new(0);

	if (spf_record_is(text))
		check_record(arena, text);
	check_explanation(text);
	arena_free(arena);
	return 0;
}
