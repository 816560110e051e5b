/*
 * fuzz_authres.c - Authentication-Results: parser, claims, and the writer
 * given hostile values.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "mail/authres.h"

#define ID "mx.example.net"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What we write is ours, can be read, and says what we said, no more. */
static void
check_written(struct arena *arena, struct bytes value, struct bytes text)
{
	struct authres_parsed parsed;
	struct authres ar;
	struct buf out;

	buf_init(&out, 100000);
	authres_begin(&ar, &out, ID);
	authres_method(&ar, "spf", "fail");
	authres_property(&ar, "smtp", "mailfrom", value);
	authres_method(&ar, "dkim", "fail");
	authres_comment(&ar, arena_memdup(arena, text.data, text.len));
	authres_reason(&ar, arena_memdup(arena, text.data, text.len));
	authres_property(&ar, "header", "d", value);
	authres_end(&ar);
	if (strstr(buf_str(&out), "spf=pass") != NULL ||
	    strstr(buf_str(&out), "dkim=pass") != NULL ||
	    strlen(buf_str(&out)) != out.len)
		abort();
	if (!authres_claims(buf_bytes(&out), ID) ||
	    authres_claims(buf_bytes(&out), "other.example"))
		abort();
	if (authres_parse(arena, buf_bytes(&out), &parsed, NULL) < 0 ||
	    strcmp(parsed.authserv_id, ID) != 0 || parsed.count != 2 ||
	    parsed.results[0].property_count != 1 ||
	    parsed.results[1].property_count != 1 ||
	    parsed.results[1].reason == NULL)
		abort();
	buf_free(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes value = { (const char *)data, size };
	struct arena *arena = arena_new(0);
	struct authres_parsed parsed;

	/* Whatever the strict reader takes for ours must be found. */
	if (authres_parse(arena, value, &parsed, NULL) == 0 &&
	    strcmp(parsed.authserv_id, ID) == 0 && !authres_claims(value, ID))
		abort();
	check_written(arena, value, value);
	arena_free(arena);
	return 0;
}
