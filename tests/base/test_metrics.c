/*
 * test_metrics.c - tests of base/metrics.c.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <pthread.h>
#include <string.h>

#include "tests/unit.h"

#include "base/metrics.h"

static const char *
colour(size_t i)
{
	static const char *const words[] = { "red", NULL, "blue" };

	return words[i];
}

static const char *
side(size_t i)
{
	return i == 0 ? "left" : "right";
}

static const struct metric_label by_colour = { "colour", 3, colour };
static const struct metric_label by_side = { "side", 2, side };

enum {
	PLAIN,
	TIME,
	ONE,
	BOTH,
	LATENCY,
	ROWS
};

static const struct metric rows[ROWS] = {
	[PLAIN] = { "plain", METRIC_GAUGE, METRIC_NUMBER, "A number.", { 0 } },
	[TIME] = { "time_seconds", METRIC_COUNTER, METRIC_MS, "A time.",
	    { 0 } },
	[ONE] = { "one_total", METRIC_COUNTER, METRIC_NUMBER, "One label.",
	    { &by_colour } },
	[BOTH] = { "both_total", METRIC_COUNTER, METRIC_NUMBER, "Two labels.",
	    { &by_colour, &by_side } },
	[LATENCY] = { "latency_seconds", METRIC_HISTOGRAM, METRIC_NUMBER,
	    "How long.", { &by_side } },
};
static const struct metric_table table = { rows, ROWS };

static void
assert_has(const struct buf *out, const char *line)
{
	if (strstr(buf_str(out), line) == NULL)
		case_fail(line, "is not in:\n%s", buf_str(out));
}

static void
test_write(void **state)
{
	struct metrics *a = metrics_new(&table), *b = metrics_new(&table);
	struct metrics_instance instances[] = { { a, "host=\"a\"" },
		{ b, "" } };
	struct buf out;
	size_t i;
	static const char *const lines[] = {
		"# HELP sekimori_plain A number.\n"
		"# TYPE sekimori_plain gauge\n"
		"sekimori_plain{host=\"a\"} 7\n"
		"sekimori_plain 0\n",
		"sekimori_time_seconds{host=\"a\"} 12.034\n",
		"sekimori_one_total{host=\"a\",colour=\"red\"} 0\n"
		"sekimori_one_total{host=\"a\",colour=\"blue\"} 3\n",
		"# TYPE sekimori_both_total counter\n"
		"sekimori_both_total{host=\"a\",colour=\"blue\","
		"side=\"right\"} 5\n"
		"# HELP sekimori_latency_seconds How long.\n"
		"# TYPE sekimori_latency_seconds histogram\n",
		"sekimori_latency_seconds_bucket{host=\"a\",side=\"left\","
		"le=\"0.00001\"} 2\n",
		"side=\"left\",le=\"0.003\"} 3\n",
		"side=\"left\",le=\"30\"} 3\n",
		"side=\"left\",le=\"+Inf\"} 4\n",
		"sekimori_latency_seconds_sum{host=\"a\",side=\"left\"} "
		"31.002510\n",
		"sekimori_latency_seconds_count{host=\"a\",side=\"left\"} 4\n",
		"sekimori_latency_seconds_count{side=\"right\"} 0\n",
	};

	(void)state;
	metrics_set(a, PLAIN, 0, 0, 7);
	metrics_add(a, TIME, 0, 0, 12034);
	metrics_add(a, ONE, 2, 0, 1);
	metrics_add(a, ONE, 2, 0, 2);
	metrics_add(a, BOTH, 2, 1, 5);
	/* on a bound, below zero, between, above all */
	metrics_observe(a, LATENCY, 0, 10);
	metrics_observe(a, LATENCY, 0, -5);
	metrics_observe(a, LATENCY, 0, 2500);
	metrics_observe(a, LATENCY, 0, 31000000);
	buf_init(&out, 65536);
	assert_int_equal(metrics_write(&table, 2, instances, &out), 0);
	for (i = 0; i < ARRAY_LEN(lines); i++)
		assert_has(&out, lines[i]);
	/* a word that does not exist, and zero with two labels */
	assert_null(strstr(buf_str(&out), "(null)"));
	assert_null(strstr(buf_str(&out), "both_total{colour"));
	buf_free(&out);
	metrics_free(a);
	metrics_free(b);
}

static void
test_full(void **state)
{
	struct metrics *a = metrics_new(&table);
	struct metrics_instance instance = { a, "" };
	struct buf out;

	(void)state;
	buf_init(&out, 100);
	assert_int_equal(metrics_write(&table, 1, &instance, &out), -1);
	buf_free(&out);
	metrics_free(a);
}

/* Nobody counts: nothing happens. */
static void
test_none(void **state)
{
	(void)state;
	metrics_add(NULL, ONE, 0, 0, 1);
	metrics_set(NULL, ONE, 0, 0, 1);
	metrics_observe(NULL, LATENCY, 0, 1);
	metrics_free(NULL);
}

static void
test_cells(void **state)
{
	struct metrics *a = metrics_new(&table);

	(void)state;
	assert_int_equal(metrics_cells(a, PLAIN), 1);
	assert_int_equal(metrics_cells(a, BOTH), 6);
	assert_int_equal(metrics_cells(a, LATENCY), 2 * METRIC_HISTOGRAM_CELLS);
	metrics_add(a, BOTH, 2, 1, 9);
	assert_int_equal(metrics_cell(a, BOTH, 5), 9);
	metrics_set_cell(a, BOTH, 0, 4);
	metrics_add(a, BOTH, 0, 0, 1);
	assert_int_equal(metrics_cell(a, BOTH, 0), 5);
	metrics_free(a);
}

#define THREADS 4
#define TIMES 20000

static void *
count_much(void *context)
{
	int i;

	for (i = 0; i < TIMES; i++) {
		metrics_add(context, PLAIN, 0, 0, 1);
		metrics_observe(context, LATENCY, 1, 100);
	}
	return NULL;
}

static void
test_threads(void **state)
{
	struct metrics *a = metrics_new(&table);
	pthread_t threads[THREADS];
	size_t i;

	(void)state;
	for (i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, count_much,
				     a),
		    0);
	for (i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(metrics_cell(a, PLAIN, 0), THREADS * TIMES);
	assert_int_equal(metrics_cell(a, LATENCY, METRIC_HISTOGRAM_CELLS + 2),
	    THREADS * TIMES);
	metrics_free(a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_write),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_none),
		cmocka_unit_test(test_cells),
		cmocka_unit_test(test_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
