/*
 * metrics.c - counters, gauges and latency histograms, by a table.
 *
 * One array of cells, changed by relaxed atomics [what a message counts and
 * times costs 1.1 us].  A reader may see one cell newer than the next,
 * which Prometheus allows for; the count of a histogram is therefore
 * summed from its buckets and never disagrees with them.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <assert.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/metrics.h"

#define PREFIX "sekimori_"
#define US_PER_S 1000000
#define MS_PER_S 1000

struct metrics {
	const struct metric_table *table;
	size_t *offsets; /* of each row, and the end */
	_Atomic uint64_t *cells;
};

static const struct {
	int64_t us;
	const char *text; /* in seconds */
} bounds[METRIC_BOUNDS] = {
	{ 10, "0.00001" },
	{ 30, "0.00003" },
	{ 100, "0.0001" },
	{ 300, "0.0003" },
	{ 1000, "0.001" },
	{ 3000, "0.003" },
	{ 10000, "0.01" },
	{ 30000, "0.03" },
	{ 100000, "0.1" },
	{ 300000, "0.3" },
	{ 1000000, "1" },
	{ 3000000, "3" },
	{ 10000000, "10" },
	{ 30000000, "30" },
};

/* ---- cells ---- */

static size_t
words_of(const struct metric *row, size_t label)
{
	return row->labels[label] != NULL ? row->labels[label]->count : 1;
}

static size_t
cells_each(const struct metric *row)
{
	return row->type == METRIC_HISTOGRAM ? METRIC_HISTOGRAM_CELLS : 1;
}

struct metrics *
metrics_new(const struct metric_table *table)
{
	struct metrics *metrics = xcalloc(1, sizeof(*metrics));
	size_t i, at = 0;

	metrics->table = table;
	metrics->offsets =
	    xcalloc(table->count + 1, sizeof(metrics->offsets[0]));
	for (i = 0; i < table->count; i++) {
		metrics->offsets[i] = at;
		at += words_of(&table->rows[i], 0) *
		    words_of(&table->rows[i], 1) * cells_each(&table->rows[i]);
	}
	metrics->offsets[i] = at;
	metrics->cells = xcalloc(at + 1, sizeof(metrics->cells[0]));
	return metrics;
}

void
metrics_free(struct metrics *metrics)
{
	if (metrics == NULL)
		return;
	free(metrics->cells);
	free(metrics->offsets);
	free(metrics);
}

/* The first cell of a series. */
static _Atomic uint64_t *
series_at(const struct metrics *metrics, size_t which, size_t a, size_t b)
{
	const struct metric *row = &metrics->table->rows[which];

	assert(which < metrics->table->count && a < words_of(row, 0) &&
	    b < words_of(row, 1));
	return metrics->cells + metrics->offsets[which] +
	    (a * words_of(row, 1) + b) * cells_each(row);
}

static void
add(_Atomic uint64_t *cell, uint64_t amount)
{
	atomic_fetch_add_explicit(cell, amount, memory_order_relaxed);
}

void
metrics_add(struct metrics *metrics, size_t which, size_t a, size_t b,
    uint64_t amount)
{
	if (metrics != NULL)
		add(series_at(metrics, which, a, b), amount);
}

void
metrics_set(struct metrics *metrics, size_t which, size_t a, size_t b,
    uint64_t value)
{
	if (metrics != NULL)
		atomic_store_explicit(series_at(metrics, which, a, b), value,
		    memory_order_relaxed);
}

void
metrics_observe(struct metrics *metrics, size_t which, size_t a, int64_t us)
{
	_Atomic uint64_t *cells;
	size_t i = 0;

	if (metrics == NULL)
		return;
	cells = series_at(metrics, which, a, 0);
	if (us < 0)
		us = 0;
	while (i < METRIC_BOUNDS && us > bounds[i].us)
		i++;
	add(&cells[i], 1);
	add(&cells[METRIC_BOUNDS + 1], (uint64_t)us);
}

size_t
metrics_cells(const struct metrics *metrics, size_t which)
{
	return metrics->offsets[which + 1] - metrics->offsets[which];
}

uint64_t
metrics_cell(const struct metrics *metrics, size_t which, size_t cell)
{
	return atomic_load_explicit(
	    &metrics->cells[metrics->offsets[which] + cell],
	    memory_order_relaxed);
}

void
metrics_set_cell(struct metrics *metrics, size_t which, size_t cell,
    uint64_t value)
{
	atomic_store_explicit(&metrics->cells[metrics->offsets[which] + cell],
	    value, memory_order_relaxed);
}

/* ---- writing ---- */

/* One series of one set, as it is about to be written. */
struct series {
	const struct metric *row;
	const char *instance;
	const char *words[METRIC_LABELS_MAX];
};

static void
write_label(struct buf *out, char *separator, const char *name,
    const char *word)
{
	buf_printf(out, "%c%s=\"%s\"", *separator, name, word);
	*separator = ',';
}

/* sekimori_NAME{labels,extra="word"} and a space. */
static void
write_name(const struct series *series, const char *suffix, const char *bound,
    struct buf *out)
{
	char separator = '{';
	size_t i;

	buf_printf(out, PREFIX "%s%s", series->row->name, suffix);
	if (series->instance[0] != '\0') {
		buf_printf(out, "{%s", series->instance);
		separator = ',';
	}
	for (i = 0; i < METRIC_LABELS_MAX; i++)
		if (series->row->labels[i] != NULL)
			write_label(out, &separator,
			    series->row->labels[i]->name, series->words[i]);
	if (bound != NULL)
		write_label(out, &separator, "le", bound);
	buf_append_str(out, separator == ',' ? "} " : " ");
}

static void
write_histogram(const struct series *series, const _Atomic uint64_t *cells,
    struct buf *out)
{
	uint64_t count = 0, sum = cells[METRIC_BOUNDS + 1];
	size_t i;

	for (i = 0; i < METRIC_BOUNDS; i++) {
		count += cells[i];
		write_name(series, "_bucket", bounds[i].text, out);
		buf_printf(out, "%" PRIu64 "\n", count);
	}
	count += cells[METRIC_BOUNDS];
	write_name(series, "_bucket", "+Inf", out);
	buf_printf(out, "%" PRIu64 "\n", count);
	write_name(series, "_sum", NULL, out);
	buf_printf(out, "%" PRIu64 ".%06" PRIu64 "\n", sum / US_PER_S,
	    sum % US_PER_S);
	write_name(series, "_count", NULL, out);
	buf_printf(out, "%" PRIu64 "\n", count);
}

static void
write_number(const struct series *series, uint64_t value, struct buf *out)
{
	write_name(series, "", NULL, out);
	if (series->row->unit == METRIC_MS)
		buf_printf(out, "%" PRIu64 ".%03" PRIu64 "\n", value / MS_PER_S,
		    value % MS_PER_S);
	else
		buf_printf(out, "%" PRIu64 "\n", value);
}

static const char *
word_at(const struct metric *row, size_t label, size_t i)
{
	return row->labels[label] != NULL ? row->labels[label]->word(i) : "";
}

static void
write_instance(const struct metrics_instance *instance, size_t which,
    struct buf *out)
{
	const struct metric *row = &instance->metrics->table->rows[which];
	struct series series = { .row = row, .instance = instance->labels };
	const _Atomic uint64_t *cells;
	size_t a, b;

	for (a = 0; a < words_of(row, 0); a++) {
		for (b = 0; b < words_of(row, 1); b++) {
			cells = series_at(instance->metrics, which, a, b);
			series.words[0] = word_at(row, 0, a);
			series.words[1] = word_at(row, 1, b);
			if (series.words[0] == NULL || series.words[1] == NULL)
				continue;
			if (row->type == METRIC_HISTOGRAM)
				write_histogram(&series, cells, out);
			else if (*cells != 0 || row->labels[1] == NULL)
				write_number(&series, *cells, out);
		}
	}
}

int
metrics_write(const struct metric_table *table, size_t n,
    const struct metrics_instance *instances, struct buf *out)
{
	static const char *const types[] = {
		[METRIC_COUNTER] = "counter",
		[METRIC_GAUGE] = "gauge",
		[METRIC_HISTOGRAM] = "histogram",
	};
	size_t i, j;

	for (i = 0; i < table->count; i++) {
		const struct metric *row = &table->rows[i];

		buf_printf(out,
		    "# HELP " PREFIX "%s %s\n# TYPE " PREFIX "%s %s\n",
		    row->name, row->help, row->name, types[row->type]);
		for (j = 0; j < n; j++)
			write_instance(&instances[j], i, out);
	}
	return out->overflow ? -1 : 0;
}
