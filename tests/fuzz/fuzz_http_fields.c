/*
 * fuzz_http_fields.c - fields of a request's header.
 *
 * The same text is given to all readers of fields; what they let through
 * must be harmless.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/i18n.h"
#include "webui/http_fields.h"
#include "webui/http_form.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_printable(const char *text)
{
	for (; text != NULL && *text != '\0'; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			abort();
}

static void
check_path(const char *path)
{
	if (path != NULL &&
	    (path[0] != '/' || path[1] == '/' || path[1] == '\\'))
		abort();
	check_printable(path);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct network trusted = { .ip = { .family = IP_V4 }, .bits = 0 };
	struct arena *arena = arena_new(0);
	char *text = arena_memdup(arena, data, size);
	struct ip peer = { .family = IP_V4 };

	check_printable(http_cookie(arena, text, "s"));
	check_printable(http_disposition(arena, text));
	check_printable(http_origin_of(arena, text));
	check_path(http_path_of(arena, text, "http://a"));
	if (http_path_is_local(text))
		check_path(text);
	if (http_host_is_valid(text)) {
		check_printable(text);
		(void)http_host_is_address(text);
	}
	(void)http_client(&peer, text, &trusted, 1);
	(void)http_wants_json(text);
	(void)http_etag_matches(text, "\"a\"");
	(void)http_media_of(text);
	(void)language_accept(text);
	arena_free(arena);
	return 0;
}
