/*
 * bench_settings.c - how long settings take: `make tests/policy/bench_settings`.
 *
 * Imports DOMAINS domains of RECIPIENTS recipients each and a list of ROWS
 * rows, loads them, and waits for single changes to be seen by a watch.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "tests/redis_server.h"
#include "tests/unit.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/store.h"
#include "policy/settings_edit.h"

#define DOMAINS 10000
#define RECIPIENTS 20
#define ROWS 100000
#define CHANGES 20

static long
memory_mb(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return usage.ru_maxrss / 1024;
}

static void
import(struct edit *edit, enum table table, const struct import_scope *scope,
    struct buf *csv, const char *what)
{
	struct import_result *result = xmalloc(sizeof(*result));
	struct arena *arena = arena_new(0);
	int64_t start = clock_mono_ms();
	struct err err;

	if (edit_import(edit, table, scope, buf_bytes(csv), arena, result,
		&err) < 0) {
		printf("%s: %s\n", what, err.text);
		exit(1);
	}
	printf("import of %zu %s: %" PRId64 " ms\n", result->rows, what,
	    clock_mono_ms() - start);
	arena_free(arena);
	free(result);
	buf_reset(csv);
}

static void
fill(struct edit *edit)
{
	static const struct import_scope all = { .domain = NULL };
	struct import_scope one = { .domain = "d1.example" };
	struct buf csv;
	unsigned i, k;

	buf_init(&csv, IMPORT_SIZE_MAX);
	buf_append_str(&csv, "domain,spam_points\n");
	for (i = 0; i < DOMAINS; i++)
		buf_printf(&csv, "d%u.example,%s\n", i, i % 4 ? "" : "4.5");
	import(edit, TABLE_DOMAINS, &all, &csv, "domains");
	for (i = 0; i < DOMAINS; i++) {
		if (csv.len == 0)
			buf_append_str(&csv, "address,spam_action\n");
		for (k = 0; k < RECIPIENTS; k++)
			buf_printf(&csv, "user%u@d%u.example,%s\n", k, i,
			    k % 5 ? "" : "tag");
		if ((i + 1) % (IMPORT_ROWS_MAX / RECIPIENTS) == 0)
			import(edit, TABLE_RECIPIENTS, &all, &csv,
			    "recipients");
	}
	buf_append_str(&csv, "side,kind,pattern,comment\n");
	for (i = 0; i < ROWS; i++)
		buf_printf(&csv, "sender,block,s%u@spam.example,why not\n", i);
	import(edit, TABLE_LISTS, &one, &csv, "rows");
	buf_free(&csv);
}

static int
compare_times(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* From the answer to the edit until the watch has it, with the edit. */
static void
change(struct edit *edit, struct settings_watch *watch, const char *domain,
    const char *what)
{
	const struct timespec nap = { 0, 200000 };
	const size_t middle = CHANGES / 2;
	int64_t edits[CHANGES], seen[CHANGES], start, done;
	struct settings *settings;
	uint64_t generation, have;
	json_t *row;
	unsigned i;

	for (i = 0; i < CHANGES; i++) {
		row = json_pack("{s:s, s:s, s:o}", "side", "sender", "kind",
		    "allow", "pattern", json_sprintf("@new%u.example", i));
		start = clock_mono_us();
		edit_list_add(edit, (struct edit_target){ domain, NULL }, row,
		    NULL, NULL);
		done = clock_mono_us();
		settings_stored_generation(edit->store, &generation, NULL);
		do {
			nanosleep(&nap, NULL);
			settings = settings_watch_get(watch);
			have = settings_generation(settings);
			settings_unref(settings);
		} while (have < generation);
		edits[i] = done - start;
		seen[i] = clock_mono_us() - done;
		json_decref(row);
	}
	qsort(edits, CHANGES, sizeof(*edits), compare_times);
	qsort(seen, CHANGES, sizeof(*seen), compare_times);
	printf("%s: edit %.1f ms, seen after %.1f ms (median; worst %.1f)\n",
	    what, (double)edits[middle] / 1000, (double)seen[middle] / 1000,
	    (double)seen[CHANGES - 1] / 1000);
}

int
main(void)
{
	struct store_options options = { .timeout_ms = 10000 };
	struct redis_server redis;
	struct settings_watch *watch;
	struct settings *settings;
	struct edit edit = { .actor = "bench", .delimiter = "+" };
	int64_t start;

	log_open("bench_settings", LOG_TARGET_STDERR, LOG_LEVEL_ERROR);
	redis_server_start(&redis, false, NULL);
	options.url = redis.url;
	edit.store = store_open(&options, NULL);
	fill(&edit);
	start = clock_mono_ms();
	settings = settings_load(edit.store, NULL, NULL);
	if (settings == NULL)
		return 1;
	printf("load of %zu domains: %" PRId64 " ms, %ld MB at most\n",
	    settings_domain_count(settings), clock_mono_ms() - start,
	    memory_mb());
	start = clock_mono_ms();
	settings_unref(settings);
	printf("freeing it: %" PRId64 " ms\n", clock_mono_ms() - start);
	watch = settings_watch_start(edit.store, NULL);
	change(&edit, watch, "d2.example", "a row more in a small domain");
	change(&edit, watch, "d1.example", "a row more among 100,000");
	settings_watch_stop(watch);
	settings_unref(edit.settings);
	store_close(edit.store);
	redis_server_stop(&redis);
	return 0;
}
