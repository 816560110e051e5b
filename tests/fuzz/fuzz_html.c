/*
 * fuzz_html.c - the HTML of a mail: what comes out is fit for a preview.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/utf8.h"
#include "mail/charset.h"
#include "mail/html.h"
#include "tests/mail/html_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool
find_image(void *context, struct bytes id, struct buf *out)
{
	(void)context;
	return buf_append_bytes(out, id) == 0;
}

static void
check(const char *wrong, const struct buf *text)
{
	if (wrong == NULL)
		return;
	fprintf(stderr, "%s: %s\n", wrong, buf_str(text));
	abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct html_words words = { "<a>", "\"b\"", "'c'" };
	static const struct html_source source = { &words, find_image, NULL };
	struct arena *arena = arena_new(0);
	struct buf text, plain;
	struct html html;

	buf_init(&text, HTML_INPUT_MAX + 100);
	(void)charset_to_utf8("utf-8",
	    (struct bytes){ (const char *)data, size }, &text);
	html_init(&html, arena);
	html_add(&html, buf_bytes(&text), &source);
	check(html_check_markup(buf_bytes(&html.markup)), &html.markup);
	check(html_check_sheet(buf_bytes(&html.sheet)), &html.sheet);
	buf_init(&plain, 1000000);
	(void)html_to_text(buf_bytes(&text), &plain);
	check(utf8_is_valid(buf_bytes(&plain)) ? NULL : "text", &plain);
	buf_free(&plain);
	html_fini(&html);
	buf_free(&text);
	arena_free(arena);
	return 0;
}
