/*
 * say_errors.c - each line of standard input in Japanese, as pages say
 * errors; behind "! " when its form is not known (tests/webui/test_phrases.py).
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "webui/page_phrases.h"

int
main(void)
{
	char *line = NULL;
	size_t size = 0;
	struct buf out;
	bool known;

	buf_init(&out, PHRASE_SIZE_MAX);
	while (getline(&line, &size, stdin) > 0) {
		line[strcspn(line, "\n")] = '\0';
		buf_reset(&out);
		known = phrase_translate(LANGUAGE_JA, line, &out);
		printf("%s%s\n", known ? "" : "! ", buf_str(&out));
	}
	buf_free(&out);
	free(line);
	return 0;
}
