/*
 * test_log.c - tests of base/log.c: what is written stays one line of text.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit.h"

#include "base/log.h"

#define WRITTEN_MAX 20000

/* What goes to stderr meanwhile. */
struct trap {
	FILE *file;
	int real;
	char written[WRITTEN_MAX];
};

static void
trap_begin(struct trap *trap)
{
	trap->file = tmpfile();
	trap->real = dup(STDERR_FILENO);
	assert_non_null(trap->file);
	assert_true(trap->real >= 0);
	assert_true(dup2(fileno(trap->file), STDERR_FILENO) >= 0);
}

/* The text behind "TIME NAME[PID] ". */
static const char *
trap_end(struct trap *trap)
{
	const char *text;
	size_t n;

	assert_true(dup2(trap->real, STDERR_FILENO) >= 0);
	close(trap->real);
	rewind(trap->file);
	n = fread(trap->written, 1, WRITTEN_MAX - 1, trap->file);
	trap->written[n] = '\0';
	fclose(trap->file);
	text = strstr(trap->written, "] ");
	return text != NULL ? text + 2 : trap->written;
}

static void
test_fields(void **state)
{
	static const struct {
		const char *label;
		struct bytes value;
		const char *want;
	} cases[] = {
		{ "plain", BYTES_LIT("a@b.example"), "v=a@b.example" },
		{ "empty", BYTES_LIT(""), "v=\"\"" },
		{ "space", BYTES_LIT("a b"), "v=\"a b\"" },
		{ "quote and backslash", BYTES_LIT("a\"\\"),
		    "v=\"a\\\"\\\\\"" },
		{ "line end", BYTES_LIT("a\r\nid: status=sent"),
		    "v=\"a\\x0d\\x0aid: status=sent\"" },
		{ "NUL, ESC, DEL", BYTES_LIT("\0\033[2J\177"),
		    "v=\"\\x00\\x1b[2J\\x7f\"" },
		{ "Japanese", BYTES_LIT("関所"), "v=\"関所\"" },
		{ "cut short", BYTES_LIT("\351\226"), "v=\"\\xe9\\x96\"" },
		{ "C1: a command to the terminal", BYTES_LIT("\302\2332J"),
		    "v=\"\\xc2\\x9b2J\"" },
		{ "C1: next line", BYTES_LIT("a\302\205b"),
		    "v=\"a\\xc2\\x85b\"" },
		{ "behind C1", BYTES_LIT("\302\240"), "v=\"\302\240\"" },
		{ "line separator", BYTES_LIT("\342\200\250"),
		    "v=\"\\xe2\\x80\\xa8\"" },
		/* NOLINTBEGIN(misc-misleading-bidirectional): the subject */
		{ "from right to left", BYTES_LIT("\342\200\256exe"),
		    "v=\"\\xe2\\x80\\xaeexe\"" },
		{ "isolate", BYTES_LIT("\342\201\246"),
		    "v=\"\\xe2\\x81\\xa6\"" },
		/* NOLINTEND(misc-misleading-bidirectional) */
	};
	struct log_line line;
	struct trap trap;
	char want[200];
	const char *got;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		trap_begin(&trap);
		log_line_init(&line, LOG_LEVEL_WARN, "id");
		log_field_bytes(&line, "v", cases[i].value);
		log_field_int(&line, "n", -1);
		log_line_end(&line);
		got = trap_end(&trap);
		snprintf(want, sizeof(want), "warn: id %s n=-1\n",
		    cases[i].want);
		if (strcmp(got, want) != 0)
			case_fail(cases[i].label, "%s", got);
	}
}

static void
test_text(void **state)
{
	struct trap trap;

	(void)state;
	trap_begin(&trap);
	log_error("%s: %d", "a \"b\"\n\302\233", 1);
	log_debug("not told");
	assert_string_equal(trap_end(&trap),
	    "error: a \"b\"\\x0a\\xc2\\x9b: 1\n");
}

/* A field that does not fit is left out, and the line says so. */
static void
test_long_fields(void **state)
{
	struct log_line line;
	struct trap trap;
	char *value = malloc(5001);

	(void)state;
	assert_non_null(value);
	memset(value, 'x', 5000);
	value[5000] = '\0';
	trap_begin(&trap);
	log_line_init(&line, LOG_LEVEL_INFO, "");
	log_field(&line, "a", "1");
	log_field(&line, "b", value);
	log_field(&line, "c", value);
	log_field(&line, "d", "2");
	log_line_end(&line);
	trap_end(&trap);
	assert_null(strstr(trap.written, " c="));
	assert_non_null(strstr(trap.written, "x d=2 cut=1\n"));
	free(value);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_long_fields),
	};

	log_open("test_log", LOG_TARGET_STDERR, LOG_LEVEL_INFO);
	return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
