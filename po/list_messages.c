/*
 * list_messages.c - prints all messages of the programs as a catalogue
 * without translations (.pot), for `make update-po`.
 *
 * The tables and templates that show messages are asked for them, so what
 * is printed is what is used: nothing is left out, nothing is left over.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdio.h>

#include "base/arena.h"
#include "base/strmap.h"
#include "webui/page.h"

struct seen {
	struct arena *arena; /* of the keys */
	struct strmap map;
};

static void
print_quoted(const char *keyword, const char *text)
{
	printf("%s \"", keyword);
	for (; *text != '\0'; text++) {
		if (*text == '"' || *text == '\\')
			putchar('\\');
		putchar(*text);
	}
	printf("\"\n");
}

static void
print_message(void *context, const char *where, const char *msgid,
    const char *plural)
{
	struct seen *seen = context;

	if (msgid[0] == '\0' || strmap_get(&seen->map, bytes_of(msgid)) != NULL)
		return;
	*strmap_put(&seen->map, bytes_of(arena_strdup(seen->arena, msgid))) =
	    seen;
	printf("\n#: %s\n", where);
	print_quoted("msgid", msgid);
	if (plural == NULL) {
		print_quoted("msgstr", "");
		return;
	}
	print_quoted("msgid_plural", plural);
	print_quoted("msgstr[0]", "");
}

int
main(void)
{
	struct pages *pages;
	struct seen seen;
	struct err err;

	pages = pages_new(&err);
	if (pages == NULL) {
		fprintf(stderr, "%s\n", err.text);
		return 1;
	}
	printf("msgid \"\"\nmsgstr \"\"\n"
	       "\"Content-Type: text/plain; charset=UTF-8\\n\"\n"
	       "\"Content-Transfer-Encoding: 8bit\\n\"\n"
	       "\"Plural-Forms: nplurals=1; plural=0;\\n\"\n");
	seen.arena = arena_new(0);
	strmap_init(&seen.map);
	page_each_message(pages, print_message, &seen);
	strmap_free(&seen.map);
	arena_free(seen.arena);
	pages_free(pages);
	return 0;
}
