/*
 * test_spool.c - tests of mail/spool.c.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "tests/unit.h"

#include "base/arena.h"
#include "mail/spool.h"

static int
set_up(void **state)
{
	char *directory = xstrdup("/tmp/test_spool.XXXXXX");

	*state = directory;
	return mkdtemp(directory) != NULL ? 0 : -1;
}

static int
tear_down(void **state)
{
	int rc = rmdir(*state);

	free(*state);
	return rc;
}

/* Byte i of what the tests write. */
static char
pattern(uint64_t i)
{
	return (char)(i * 31 + i / 251);
}

struct check {
	uint64_t seen;
	size_t largest;
	uint64_t stop_at; /* 0: never */
};

static int
check_piece(void *context, struct bytes piece, struct err *err)
{
	struct check *check = context;
	size_t i;

	(void)err;
	assert_true(piece.len > 0);
	for (i = 0; i < piece.len; i++)
		if (piece.data[i] != pattern(check->seen + i))
			fail_msg("byte %llu differs",
			    (unsigned long long)(check->seen + i));
	check->seen += piece.len;
	if (piece.len > check->largest)
		check->largest = piece.len;
	return check->stop_at > 0 && check->seen >= check->stop_at ? 7 : 0;
}

static struct spool *
filled(const char *directory, size_t memory, uint64_t total, size_t step)
{
	struct spool *spool = spool_new(directory, memory);
	char *piece = xmalloc(step);
	uint64_t done = 0;
	size_t i, n;

	while (done < total) {
		n = total - done < step ? (size_t)(total - done) : step;
		for (i = 0; i < n; i++)
			piece[i] = pattern(done + i);
		assert_int_equal(spool_append(spool, piece, n, NULL), 0);
		done += n;
		assert_int_equal(spool_size(spool), done);
	}
	free(piece);
	return spool;
}

static void
test_bytes_come_back(void **state)
{
	static const struct {
		const char *label;
		size_t memory, total, step;
	} cases[] = {
		{ "empty", 1000, 0, 1 },
		{ "in memory", 100000, 90000, 999 },
		{ "just in memory", 100000, 100000, 1000 },
		{ "one byte over", 100000, 100001, 1000 },
		{ "single bytes", 100, 20000, 1 },
		{ "no memory at all", 0, 70000, 77 },
		{ "large pieces", 256 * 1024, 3000000, 65535 },
		{ "one piece over all", 256 * 1024, 3000000, 3000000 },
		{ "memory beyond a piece", 300000, 299999, 65536 },
	};
	struct spool *spool;
	struct check check;
	size_t i;

	for (i = 0; i < ARRAY_LEN(cases); i++) {
		spool = filled(*state, cases[i].memory, cases[i].total,
		    cases[i].step);
		check = (struct check){ 0 };
		assert_int_equal(spool_each(spool, check_piece, &check, NULL),
		    0);
		if (check.seen != cases[i].total)
			case_fail(cases[i].label, "%llu bytes",
			    (unsigned long long)check.seen);
		if (check.largest > 64 * 1024)
			case_fail(cases[i].label, "piece of %zu",
			    check.largest);
		/* and again, and with more behind it */
		check = (struct check){ 0 };
		assert_int_equal(spool_append(spool,
				     &(char){ pattern(cases[i].total) }, 1,
				     NULL),
		    0);
		assert_int_equal(spool_each(spool, check_piece, &check, NULL),
		    0);
		assert_int_equal(check.seen, cases[i].total + 1);
		spool_free(spool);
	}
}

static void
test_each_stops(void **state)
{
	static const size_t memories[] = { 1000, 1000000 };
	struct spool *spool;
	struct check check;
	size_t i;

	for (i = 0; i < ARRAY_LEN(memories); i++) {
		spool = filled(*state, memories[i], 300000, 10000);
		check = (struct check){ .stop_at = 100000 };
		assert_int_equal(spool_each(spool, check_piece, &check, NULL),
		    7);
		assert_true(check.seen < 300000);
		spool_free(spool);
	}
}

static void
test_read_at_offset(void **state)
{
	struct spool *spool = filled(*state, 1000, 100123, 700);
	static const struct {
		uint64_t offset;
		size_t len;
		int64_t want;
	} cases[] = {
		{ 0, 10, 10 },
		{ 0, 200000, 100123 },
		{ 100000, 500, 123 },
		{ 100123, 1, 0 },
		{ 999999, 1, 0 },
		{ 99000, 1123, 1123 },
		{ 5, 0, 0 },
	};
	char *out = xmalloc(200000);
	size_t i;
	int64_t j;

	for (i = 0; i < ARRAY_LEN(cases); i++) {
		assert_int_equal(spool_read(spool, cases[i].offset, out,
				     cases[i].len, NULL),
		    cases[i].want);
		for (j = 0; j < cases[i].want; j++)
			assert_int_equal(out[j],
			    pattern(cases[i].offset + (uint64_t)j));
	}
	free(out);
	spool_free(spool);
}

static void
test_file_is_unlinked(void **state)
{
	struct spool *spool = filled(*state, 100, 1000000, 10000);
	DIR *dir = opendir(*state);
	struct dirent *entry;

	assert_non_null(dir);
	while ((entry = readdir(dir)) != NULL)
		assert_int_equal(entry->d_name[0], '.');
	closedir(dir);
	spool_free(spool);
}

static void
test_no_directory(void **state)
{
	struct spool *spool = spool_new("/nonexistent/directory", 4);
	struct check check = { 0 };
	struct err err;
	char c;

	(void)state;
	assert_int_equal(spool_append(spool, "1234", 4, &err), 0);
	assert_int_equal(spool_append(spool, "5", 1, &err), -1);
	assert_int_equal(err.kind, ERR_TEMP);
	/* what is not complete is not given out, nor is more taken */
	assert_int_equal(spool_append(spool, "6", 1, &err), -1);
	assert_int_equal(spool_each(spool, check_piece, &check, &err), -1);
	assert_int_equal(err.kind, ERR_TEMP);
	assert_int_equal(spool_read(spool, 0, &c, 1, &err), -1);
	assert_int_equal(check.seen, 0);
	spool_free(spool);
}

/* A full disk, played by a limit on the size of files. */
static void
test_write_error(void **state)
{
	struct rlimit old, small;
	struct spool *spool;
	struct err err = { ERR_NONE, "" };
	char piece[1000] = { 0 };
	int i, rc = 0;

	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	small = old;
	small.rlim_cur = 150000;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	spool = spool_new(*state, 10000);
	for (i = 0; i < 1000 && rc == 0; i++)
		rc = spool_append(spool, piece, sizeof(piece), &err);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_int_equal(rc, -1);
	assert_int_equal(err.kind, ERR_TEMP);
	assert_int_equal(spool_append(spool, piece, 1, &err), -1);
	spool_free(spool);
}

static void
test_free_null(void **state)
{
	(void)state;
	spool_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bytes_come_back),
		cmocka_unit_test(test_each_stops),
		cmocka_unit_test(test_read_at_offset),
		cmocka_unit_test(test_file_is_unlinked),
		cmocka_unit_test(test_no_directory),
		cmocka_unit_test(test_write_error),
		cmocka_unit_test(test_free_null),
	};

	return cmocka_run_group_tests_name("spool", tests, set_up, tear_down);
}
