/*
 * mdoc.c - our own words inside a manual page.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <string.h>

#include "base/mdoc.h"

void
mdoc_text(const char *text, struct buf *out)
{
	bool line_start = true;

	for (; *text != '\0'; text++) {
		if (line_start && (*text == '.' || *text == '\''))
			buf_append_str(out, "\\&");
		line_start = false;
		if (*text == '\\') {
			buf_append_str(out, "\\e");
		} else if (strncmp(text, ".  ", 3) == 0) {
			buf_append_str(out, ".\n");
			text += 2;
			line_start = true;
		} else {
			buf_append_char(out, *text);
		}
	}
	buf_append_char(out, '\n');
}

void
mdoc_argument(const char *text, struct buf *out)
{
	buf_append_char(out, '"');
	for (; *text != '\0'; text++)
		if (*text == '"')
			buf_append_str(out, "\\(dq");
		else if (*text == '\\')
			buf_append_str(out, "\\e");
		else
			buf_append_char(out, *text);
	buf_append_char(out, '"');
}
