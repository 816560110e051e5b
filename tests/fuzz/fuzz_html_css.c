/*
 * fuzz_html_css.c - the CSS of a mail: what comes out loads nothing.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/utf8.h"
#include "mail/html_css.h"
#include "tests/mail/html_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct bytes css = { (const char *)data, size };
	struct html_css_count count = { 0, 0 };
	const char *wrong;
	struct buf out;

	if (!utf8_is_valid(css))
		return 0;
	buf_init(&out, 100000);
	html_css_sheet(css, ".mail", &out, &count);
	wrong = html_check_sheet(buf_bytes(&out));
	if (wrong == NULL) {
		/* As a block of a rule, which the check can read. */
		buf_reset(&out);
		buf_append_str(&out, ".mail{");
		html_css_declarations(css, &out, &count);
		buf_append_str(&out, "}\n");
		wrong = out.overflow ? NULL : html_check_sheet(buf_bytes(&out));
	}
	if (wrong != NULL) {
		fprintf(stderr, "%s: %s\n", wrong, buf_str(&out));
		abort();
	}
	buf_free(&out);
	return 0;
}
