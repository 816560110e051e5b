/*
 * metrics.h - counters, gauges and latency histograms, by a table.
 *
 * A table of struct metric says what is counted: name, meaning, labels and
 * the words that a label can have.  A struct metrics holds the numbers:
 * cells that any thread changes without a lock.  Written out, several sets
 * of one table (of several processes) become the text that Prometheus
 * reads: each family once, one series for each set.
 *
 * Labels have words of our own tables only; nothing from outside becomes a
 * series.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BASE_METRICS_H
#define BASE_METRICS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

#define METRIC_LABELS_MAX 2
/* Upper bounds of a histogram: 10 us to 30 s, two a decade; and above. */
#define METRIC_BOUNDS 14
/* Cells of one histogram: each bucket, what is above all, the sum in us. */
#define METRIC_HISTOGRAM_CELLS (METRIC_BOUNDS + 2)

enum metric_type {
	METRIC_COUNTER,
	METRIC_GAUGE,
	METRIC_HISTOGRAM, /* of microseconds */
};

/* What a cell counts in; Prometheus is told seconds. */
enum metric_unit {
	METRIC_NUMBER,
	METRIC_MS,
};

struct metric_label {
	const char *name;
	size_t count;
	/* The i-th word; NULL: nothing is ever counted for it. */
	const char *(*word)(size_t i);
};

struct metric {
	const char *name; /* without the prefix "sekimori_" */
	enum metric_type type;
	enum metric_unit unit;
	const char *help;
	/* NULL: fewer labels.  With two, series at zero are left out. */
	const struct metric_label *labels[METRIC_LABELS_MAX];
};

/* The rows of a table. */
struct metric_table {
	const struct metric *rows;
	size_t count;
};

struct metrics;

/* The table is borrowed. */
struct metrics *metrics_new(const struct metric_table *table);
void metrics_free(struct metrics *metrics);

/*
 * which: a row; a, b: words of its labels (0 where it has none).  Safe from
 * any thread, and never waiting for another one.  metrics NULL: nobody
 * counts.
 */
void metrics_add(struct metrics *metrics, size_t which, size_t a, size_t b,
    uint64_t amount);
void metrics_set(struct metrics *metrics, size_t which, size_t a, size_t b,
    uint64_t value);
void metrics_observe(struct metrics *metrics, size_t which, size_t a,
    int64_t us);

/* The cells of a row as they lie: label a, then b, then those of the
 * histogram.  For sending them elsewhere. */
size_t metrics_cells(const struct metrics *metrics, size_t which);
uint64_t metrics_cell(const struct metrics *metrics, size_t which, size_t cell);
void metrics_set_cell(struct metrics *metrics, size_t which, size_t cell,
    uint64_t value);

/* One set, and the labels that tell it from the others: "host=\"a\"", ready
 * to be written between braces; "" for none. */
struct metrics_instance {
	const struct metrics *metrics;
	const char *labels;
};
/* All sets are of the table.  -1: out is full. */
int metrics_write(const struct metric_table *table, size_t n,
    const struct metrics_instance *instances, struct buf *out);

#endif
