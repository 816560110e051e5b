/*
 * test_edits.c - tests of milter/edits.c.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit.h"

#include "base/arena.h"

#include "milter/edits.h"

#define ID "mx.example.net"

/* "Name: value" a line, into a header. */
static void
read_header(struct arena *arena, const char *text, struct header *header)
{
	const char *colon, *end;

	header_init(header, arena, 1 << 20, 1000);
	for (; *text != '\0'; text = end + 1) {
		colon = strchr(text, ':');
		end = strchr(text, '\n');
		assert_int_equal(
		    header_add(header,
			(struct bytes){ text, (size_t)(colon - text) },
			(struct bytes){ colon + 1, (size_t)(end - colon - 1) },
			NULL),
		    0);
	}
}

/* The edits as text, a line each, in the order they are sent. */
static void
write_edits(const struct edit_list *list, char *out, size_t size)
{
	static const char letters[] = { [EDIT_DELETE_HEADER] = '-',
		[EDIT_CHANGE_HEADER] = '=',
		[EDIT_INSERT_HEADER] = '+',
		[EDIT_DELETE_RECIPIENT] = 'R' };
	size_t i, len = 0;

	out[0] = '\0';
	for (i = 0; i < list->count; i++)
		len += (size_t)snprintf(out + len, size - len, "%c%s/%d:%s\n",
		    letters[list->edits[i].kind], list->edits[i].name,
		    list->edits[i].index,
		    list->edits[i].value != NULL ? list->edits[i].value : "");
}

static void
test_remove_foreign(void **state)
{
	static const struct {
		const char *label, *header;
		size_t from;
		const char *edits;
	} cases[] = {
		{ "nothing of ours",
		    "Authentication-Results: other.example; spf=pass\n"
		    "X-Sekimor: x\n"
		    "ARC-Authentication-Results: i=1; " ID "; spf=pass\n",
		    0, "" },
		{ "highest index first",
		    "Authentication-Results: " ID "; spf=pass\n"
		    "authentication-results: other.example; none\n"
		    "AUTHENTICATION-RESULTS: " ID " 1; dkim=pass\n",
		    0,
		    "-AUTHENTICATION-RESULTS/3:\n"
		    "-Authentication-Results/1:\n" },
		{ "ours alone may bear our prefix",
		    "X-Sekimori-Release: 1\nSubject: x\nx-sekimori-class: a\n"
		    "X-Sekimori-Release: 2\nX-SEKIMORI-: b\n",
		    0,
		    "-X-SEKIMORI-/1:\n-X-Sekimori-Release/2:\n"
		    "-x-sekimori-class/1:\n-X-Sekimori-Release/1:\n" },
		{ "only below",
		    "Authentication-Results: " ID "; spf=pass\n"
		    "X-Sekimori-Release: ours\n"
		    "Authentication-Results: " ID "; spf=fail\n"
		    "X-Sekimori-Release: theirs\n",
		    1,
		    "-X-Sekimori-Release/2:\n-Authentication-Results/2:\n"
		    "-X-Sekimori-Release/1:\n" },
	};
	struct edit_list list;
	struct header header;
	struct arena *arena;
	char text[1000];
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		arena = arena_new(0);
		read_header(arena, cases[i].header, &header);
		edits_init(&list, arena);
		edits_remove_foreign(&list, &header, ID, cases[i].from);
		write_edits(&list, text, sizeof(text));
		if (strcmp(text, cases[i].edits) != 0)
			case_fail(cases[i].label, "\n%s", text);
		arena_free(arena);
	}
}

static void
test_mark_subject(void **state)
{
	static const struct {
		const char *label, *header, *mark;
		bool space;
		const char *edits;
	} cases[] = {
		{ "plain", "Subject: hello\n", "[SPAM]", true,
		    "=Subject/1: [SPAM] hello\n" },
		{ "the MTA puts the space", "Subject: hello\n", "[SPAM]", false,
		    "=Subject/1:[SPAM] hello\n" },
		{ "no space before", "SUBJECT:hello\n", "[SPAM]", true,
		    "=SUBJECT/1: [SPAM] hello\n" },
		{ "marked already", "Subject: [SPAM] hello\n", "[SPAM]", true,
		    "" },
		{ "two of them", "Subject: a\nSubject: b\n", "!", true,
		    "=Subject/2: ! b\n=Subject/1: ! a\n" },
		{ "empty", "Subject:\n", "!", true, "=Subject/1: !\n" },
		{ "none", "To: x@y\n", "!", true, "+Subject/0: !\n" },
		{ "not ASCII", "Subject: a\n", "[迷惑]", true,
		    "=Subject/1: =?UTF-8?B?W+i/t+aDkV0=?= a\n" },
	};
	struct edit_list list;
	struct header header;
	struct arena *arena;
	char text[1000];
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		arena = arena_new(0);
		read_header(arena, cases[i].header, &header);
		edits_init(&list, arena);
		edits_mark_subject(&list, &header, cases[i].mark,
		    cases[i].space);
		write_edits(&list, text, sizeof(text));
		if (strcmp(text, cases[i].edits) != 0)
			case_fail(cases[i].label, "\n%s", text);
		arena_free(arena);
	}
}

/* A fold stays a fold, and is LF on the wire. */
static void
test_folds(void **state)
{
	static const struct own_field fields[] = {
		{ "Authentication-Results", ID ";\r\n\tspf=pass" },
		{ "X-Sekimori-Id", "01" },
	};
	struct edit_list list;
	struct header header;
	struct arena *arena = arena_new(0);
	char text[1000];

	(void)state;
	header_init(&header, arena, 1000, 10);
	assert_int_equal(header_add(&header, BYTES_LIT("Subject"),
			     BYTES_LIT(" long\r\n line"), NULL),
	    0);
	edits_init(&list, arena);
	edits_mark_subject(&list, &header, "!", true);
	edits_insert(&list, fields, 2, true);
	edits_delete_recipient(&list, "<a@b.example>");
	write_edits(&list, text, sizeof(text));
	assert_string_equal(text,
	    "=Subject/1: ! long\n line\n"
	    "+X-Sekimori-Id/0: 01\n"
	    "+Authentication-Results/0: " ID ";\n\tspf=pass\n"
	    "R<a@b.example>/0:\n");
	arena_free(arena);
}

/* What the MTA makes of the edits, for an MTA that leaves the space alone
 * and for one that puts its own. */
static void
test_apply(void **state)
{
	static const struct {
		const char *label, *header, *mark;
		const char *want; /* raw */
	} cases[] = {
		{ "nothing to do", "From: a\nSubject: b\n", NULL,
		    "From: a\r\nSubject: b\r\n" },
		{ "deleted, whatever the case of its name",
		    "X-Sekimori-Id: 1\nFrom: a\nx-sekimori-ID: 2\n"
		    "Subject: b\n",
		    NULL, "From: a\r\nSubject: b\r\n" },
		{ "only those of the same index",
		    "Authentication-Results: other.example; none\n"
		    "Authentication-Results: " ID "; none\n"
		    "Authentication-Results: third.example; none\n",
		    NULL,
		    "Authentication-Results: other.example; none\r\n"
		    "Authentication-Results: third.example; none\r\n" },
		{ "marked", "From: a\nSubject: b\nTo: c\n", "[X]",
		    "From: a\r\nSubject: [X] b\r\nTo: c\r\n" },
		{ "a Subject is made", "From: a\n", "[X]",
		    "Subject: [X]\r\nFrom: a\r\n" },
	};
	const struct header *after;
	struct edit_list list;
	struct header header;
	struct arena *arena;
	char text[1000];
	size_t i, j, len;
	int space;

	(void)state;
	for (i = 0; i < ARRAY_LEN(cases) * 2; i++) {
		space = (int)(i % 2);
		arena = arena_new(0);
		read_header(arena, cases[i / 2].header, &header);
		edits_init(&list, arena);
		edits_remove_foreign(&list, &header, ID, 0);
		if (cases[i / 2].mark != NULL)
			edits_mark_subject(&list, &header, cases[i / 2].mark,
			    space != 0);
		edits_delete_recipient(&list, "<a@b>");
		after = edits_apply(&list, &header, space != 0);
		for (j = 0, len = 0; j < after->count; j++)
			len += (size_t)snprintf(text + len, sizeof(text) - len,
			    "%.*s", (int)after->fields[j].raw.len,
			    after->fields[j].raw.data);
		if (strcmp(text, cases[i / 2].want) != 0)
			case_fail(cases[i / 2].label, "space %d\n%s", space,
			    text);
		arena_free(arena);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_remove_foreign),
		cmocka_unit_test(test_mark_subject),
		cmocka_unit_test(test_folds),
		cmocka_unit_test(test_apply),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
