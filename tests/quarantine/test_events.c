/*
 * test_events.c - tests of the events and their spool file.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/redis_server.h"
#include "tests/unit.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/store.h"
#include "base/ulid.h"
#include "quarantine/event_spool.h"
#include "quarantine/events.h"
#include "quarantine/failures.h"

#define TIMEOUT_MS 300 /* where it must strike */
#define SPOOL_MAX (8 * 1024 * 1024)

static void
nap_ms(unsigned ms)
{
	const struct timespec ts = { .tv_sec = ms / 1000,
		.tv_nsec = (long)(ms % 1000) * 1000000 };

	nanosleep(&ts, NULL);
}

/* ---- the file alone ---- */

struct box {
	char *dir, *file;
};

static void
box_open(struct box *box)
{
	box->dir = temp_dir();
	box->file = xprintf("%s/events.spool", box->dir);
}

static void
box_close(struct box *box)
{
	remove_dir(box->dir);
	free(box->dir);
	free(box->file);
}

static struct event_spool *
spool_open(const struct box *box, uint64_t max)
{
	struct err err;
	struct event_spool *spool = event_spool_open(box->file, max, &err);

	if (spool == NULL) {
		print_error("%s\n", err.text);
		fail();
	}
	return spool;
}

static int
append_number(struct event_spool *spool, unsigned number, size_t size,
    struct err *err)
{
	char *text = xcalloc(1, size + 16);
	struct bytes bytes = { text, size };
	int rc;

	memset(text, 'x', size);
	(void)snprintf(text, 16, "%08u", number);
	text[8] = 'x';
	rc = event_spool_append(spool, 1, &bytes, err);
	free(text);
	return rc;
}

/* Reads all; the numbers into a list, how many. */
static size_t
read_numbers(struct event_spool *spool, unsigned *numbers, size_t most)
{
	size_t total = 0, n, i;

	do {
		struct arena *arena = arena_new(0);
		struct bytes texts[7];
		uint64_t end;
		struct err err;

		assert_int_equal(event_spool_read(spool, arena, 7, texts, &n,
				     &end, &err),
		    0);
		for (i = 0; i < n && total < most; i++)
			numbers[total++] =
			    (unsigned)strtoul(texts[i].data, NULL, 10);
		assert_int_equal(event_spool_advance(spool, end, 0, NULL, &err),
		    0);
		arena_free(arena);
	} while (n > 0);
	return total;
}

static void
test_spool_order(void **state)
{
	struct event_spool *spool;
	unsigned numbers[200];
	struct box box;
	struct err err;
	unsigned i;

	(void)state;
	box_open(&box);
	spool = spool_open(&box, SPOOL_MAX);
	for (i = 0; i < 100; i++)
		assert_int_equal(append_number(spool, i, 9 + i * 7, &err), 0);
	/* Again in another process's place. */
	event_spool_close(spool);
	spool = spool_open(&box, SPOOL_MAX);
	for (i = 100; i < 150; i++)
		assert_int_equal(append_number(spool, i, 50, &err), 0);
	assert_int_equal(event_spool_sync(spool, &err), 0);
	assert_int_equal(read_numbers(spool, numbers, 200), 150);
	for (i = 0; i < 150; i++)
		assert_int_equal(numbers[i], i);
	assert_int_equal(event_spool_bytes(spool), 0);
	/* Read once. */
	event_spool_close(spool);
	spool = spool_open(&box, SPOOL_MAX);
	assert_int_equal(read_numbers(spool, numbers, 200), 0);
	/* Only one process has it. */
	assert_null(event_spool_open(box.file, SPOOL_MAX, &err));
	assert_int_equal(err.kind, ERR_CONFIG);
	event_spool_close(spool);
	box_close(&box);
}

/* Full, then read in part: what was read makes room. */
static void
test_spool_full(void **state)
{
	const uint64_t max = 100000;
	struct event_spool *spool;
	struct arena *arena = arena_new(0);
	struct bytes texts[60];
	unsigned numbers[300], i, first, last;
	struct box box;
	struct err err;
	struct stat st;
	uint64_t end;
	size_t n;

	(void)state;
	box_open(&box);
	spool = spool_open(&box, max);
	for (i = 0; append_number(spool, i, 1000, &err) == 0; i++)
		;
	assert_int_equal(err.kind, ERR_LIMIT);
	assert_in_range(i, 90, 100);
	assert_int_equal(event_spool_read(spool, arena, 60, texts, &n, &end,
			     &err),
	    0);
	assert_int_equal(n, 60);
	assert_int_equal(event_spool_advance(spool, end - 0, 0, NULL, &err), 0);
	for (last = i; append_number(spool, last, 1000, &err) == 0; last++)
		;
	assert_in_range(last - i, 55, 65);
	stat(box.file, &st);
	assert_true((uint64_t)st.st_size <= max);
	first = 60;
	assert_int_equal(read_numbers(spool, numbers, 300), last - first);
	for (i = 0; i < last - first; i++)
		assert_int_equal(numbers[i], first + i);
	event_spool_close(spool);
	box_close(&box);
	arena_free(arena);
}

/* Compacted between reading and advancing. */
static void
test_spool_compacted_while_reading(void **state)
{
	struct event_spool *spool;
	struct arena *arena = arena_new(0);
	struct bytes texts[40];
	unsigned numbers[300] = { 0 }, i;
	struct box box;
	struct err err;
	uint64_t end;
	size_t n;

	(void)state;
	box_open(&box);
	spool = spool_open(&box, 100000);
	for (i = 0; append_number(spool, i, 1000, &err) == 0; i++)
		;
	event_spool_read(spool, arena, 40, texts, &n, &end, &err);
	event_spool_advance(spool, end, 0, NULL, &err);
	event_spool_read(spool, arena, 10, texts, &n, &end, &err);
	assert_int_equal(append_number(spool, i, 1000, &err), 0);
	/* The first of them is to be read again. */
	assert_int_equal(event_spool_advance(spool, end, 1, texts, &err), 0);
	n = read_numbers(spool, numbers, 300);
	assert_int_equal(n, i + 1 - 50 + 1);
	assert_int_equal(numbers[0], 50);
	assert_int_equal(numbers[n - 2], i);
	assert_int_equal(numbers[n - 1], 40);
	event_spool_close(spool);
	box_close(&box);
	arena_free(arena);
}

static void
poke(const struct box *box, uint64_t offset, const char *bytes, size_t len)
{
	int fd = open(box->file, O_WRONLY);

	assert_int_equal(pwrite(fd, bytes, len, (off_t)offset), (ssize_t)len);
	close(fd);
}

/* Ten records of 16 + 100 octets behind a head of 32. */
static void
test_spool_damaged(void **state)
{
	enum {
		RECORD = 116,
		FIRST = 32
	};
	static const struct {
		const char *label;
		uint64_t at; /* what is overwritten */
		const char *with;
		size_t len;
		uint64_t cut;   /* length of the file; 0: whole */
		unsigned first; /* numbers from.. */
		size_t want;    /* so many good ones */
	} cases[] = {
		{ "nothing", 0, "S", 1, 0, 0, 10 },
		{ "torn tail", 0, "S", 1, FIRST + 9 * RECORD + 50, 0, 9 },
		{ "torn head of a record", 0, "S", 1, FIRST + 9 * RECORD + 7, 0,
		    9 },
		{ "text of one", FIRST + 3 * RECORD + 40, "y", 1, 0, 0, 9 },
		{ "check of one", FIRST + 3 * RECORD + 9, "yy", 2, 0, 0, 9 },
		{ "magic of the first", FIRST, "y", 1, 0, 1, 9 },
		{ "length grows", FIRST + 2 * RECORD + 4, "\xff\xff", 2, 0, 0,
		    9 },
		{ "length over the limit", FIRST + 2 * RECORD + 4,
		    "\xff\xff\xff\xff", 4, 0, 0, 9 },
		{ "length shrinks", FIRST + 2 * RECORD + 4, "\x01\x00", 2, 0, 0,
		    9 },
		{ "a forged magic in a text", FIRST + 5 * RECORD + 30, "SKEV",
		    4, 0, 0, 9 },
		{ "head behind the end", 16, "\xff\xff\xff", 3, 0, 0, 10 },
		{ "check of the head", 24, "zz", 2, 0, 0, 10 },
		{ "head cut off", 0, "S", 1, 20, 0, 0 },
		{ "magic cut off", 0, "S", 1, 5, 0, 0 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		struct event_spool *spool;
		unsigned numbers[20], k;
		struct box box;
		struct err err;
		size_t n;

		box_open(&box);
		spool = spool_open(&box, SPOOL_MAX);
		for (k = 0; k < 10; k++)
			append_number(spool, k, 100, &err);
		event_spool_close(spool);
		poke(&box, cases[i].at, cases[i].with, cases[i].len);
		if (cases[i].cut > 0)
			assert_int_equal(truncate(box.file,
					     (off_t)cases[i].cut),
			    0);
		spool = spool_open(&box, SPOOL_MAX);
		/* What comes behind the damage is read, too. */
		append_number(spool, 77, 100, &err);
		n = read_numbers(spool, numbers, 20);
		if (n != cases[i].want + 1 || numbers[n - 1] != 77 ||
		    numbers[0] != (n > 1 ? cases[i].first : 77))
			case_fail(cases[i].label, "%zu records", n);
		if (event_spool_bytes(spool) != 0)
			case_fail(cases[i].label, "not empty");
		event_spool_close(spool);
		box_close(&box);
	}
}

static void
test_spool_not_ours(void **state)
{
	struct box box;
	struct err err;

	(void)state;
	box_open(&box);
	close(open(box.file, O_WRONLY | O_CREAT, 0600));
	poke(&box, 0, "something else of somebody", 26);
	assert_null(event_spool_open(box.file, SPOOL_MAX, &err));
	assert_int_equal(err.kind, ERR_CONFIG);
	assert_null(event_spool_open(box.dir, SPOOL_MAX, &err));
	assert_int_equal(err.kind, ERR_CONFIG);
	box_close(&box);
}

/* ---- with a server ---- */

struct place {
	struct redis_server server;
	struct store *store, *hasty;
	struct box box;
	struct events *events;
};

static int
open_place(void **state)
{
	static const char *const args[] = { "--appendonly", "yes",
		"--appendfsync", "always", NULL };
	struct place *place = xcalloc(1, sizeof(*place));
	struct store_options options = { .timeout_ms = PATIENCE_MS };

	redis_server_start(&place->server, false, args);
	options.url = place->server.url;
	place->store = store_open(&options, NULL);
	options.timeout_ms = TIMEOUT_MS;
	place->hasty = store_open(&options, NULL);
	*state = place;
	return 0;
}

static int
close_place(void **state)
{
	struct place *place = *state;

	if (place->box.dir != NULL)
		box_close(&place->box);
	store_close(place->hasty);
	store_close(place->store);
	redis_server_stop(&place->server);
	free(place);
	return 0;
}

static void
events_begin_with(struct place *place, struct store *store, uint64_t spool_max,
    uint64_t stream_max)
{
	struct events_options options = { .spool_max = spool_max,
		.stream_max = stream_max };
	struct err err;

	if (place->box.dir == NULL)
		box_open(&place->box);
	options.spool_file = spool_max > 0 ? place->box.file : NULL;
	place->events = events_open(store, &options, &err);
	if (place->events == NULL) {
		print_error("%s\n", err.text);
		fail();
	}
}

static void
events_begin(struct place *place, uint64_t spool_max, uint64_t stream_max)
{
	events_begin_with(place, place->store, spool_max, stream_max);
}

static void
events_end(struct place *place)
{
	events_close(place->events);
	place->events = NULL;
}

static int
fresh(void **state)
{
	struct place *place = *state;
	int tries;

	if (place->box.dir != NULL)
		box_close(&place->box);
	place->box.dir = NULL;
	for (tries = 0; tries < PATIENCE_MS / 10; tries++) {
		if (store_runf(place->store, NULL, NULL, NULL, "FLUSHALL") == 0)
			return 0;
		nap_ms(10);
	}
	return -1;
}

static void
send_event(struct events *events, unsigned number)
{
	struct ulid ulid = ulid_new();
	char *id = xprintf("%s.1", ulid.text);

	events_send(events,
	    json_pack("{s:s, s:s, s:i, s:s}", "event", id, "id", id, "number",
		(int)number, "subject",
		"a subject of the usual length, to make it as long as they "
		"are"));
	free(id);
}

/* Which numbers below `most` are in the streams; how many are missing. */
static size_t
count_missing(struct place *place, size_t most)
{
	char *seen = xcalloc(1, most + 1);
	size_t missing = 0, i, k;

	for (i = 0; i < EVENT_SHARDS; i++) {
		struct store_reply *reply;
		char *key = xprintf("sk:{ev:%zu}:events", i);
		struct err err;

		assert_int_equal(store_runf(place->store, key, &reply, &err,
				     "XRANGE %s - +", key),
		    0);
		for (k = 0; k < reply->count; k++) {
			struct bytes text =
			    reply->items[k].items[1].items[1].text;
			json_t *event =
			    json_loadb(text.data, text.len, 0, NULL);
			json_int_t number = json_integer_value(
			    json_object_get(event, "number"));

			assert_non_null(event);
			if ((size_t)number < most)
				seen[number] = 1;
			json_decref(event);
		}
		store_reply_free(reply);
		free(key);
	}
	for (i = 0; i < most; i++)
		missing += !seen[i];
	free(seen);
	return missing;
}

static bool
all_sent(struct events *events)
{
	struct events_stats stats;
	int tries;

	for (tries = 0; tries < PATIENCE_MS / 10; tries++) {
		events_get_stats(events, &stats);
		if (stats.queued == 0 && stats.spool_bytes == 0)
			return true;
		nap_ms(10);
	}
	return false;
}

static void
test_send(void **state)
{
	struct place *place = *state;
	struct events_stats stats;
	unsigned i;

	events_begin(place, SPOOL_MAX, 0);
	for (i = 0; i < 5000; i++)
		send_event(place->events, i);
	events_end(place);
	assert_int_equal(count_missing(place, 5000), 0);
	/* Without a store they are counted. */
	{
		const struct events_options options = { .spool_file = NULL };
		struct events *none = events_open(NULL, &options, NULL);

		send_event(none, 1);
		events_get_stats(none, &stats);
		assert_int_equal(stats.dropped, 1);
		events_close(none);
	}
}

/* Away all the time: spooled, and sent by the next process. */
static void
test_away(void **state)
{
	struct place *place = *state;
	struct events_stats stats;
	int64_t began;
	unsigned i;

	redis_server_kill(&place->server);
	events_begin(place, SPOOL_MAX, 0);
	began = clock_mono_ms();
	for (i = 0; i < 3000; i++)
		send_event(place->events, i);
	/* Nobody waited for anything. */
	assert_true(clock_mono_ms() - began < PATIENCE_MS / 2);
	events_end(place);
	redis_server_restart(&place->server);
	events_begin(place, SPOOL_MAX, 0);
	for (; i < 3100; i++)
		send_event(place->events, i);
	assert_true(all_sent(place->events));
	events_get_stats(place->events, &stats);
	assert_int_equal(stats.dropped, 0);
	events_end(place);
	assert_int_equal(count_missing(place, 3100), 0);
}

/* ---- descriptions of failures ---- */

static void
send_failure(struct events *events, unsigned number)
{
	events_send_failure(events, json_pack("{s:i}", "n", (int)number));
}

static void
want_taken(struct place *place, const char *want)
{
	struct err err;
	char *text;
	size_t len;

	assert_int_equal(failures_take(place->store, &text, &len, &err), 1);
	assert_int_equal(len, strlen(want));
	assert_memory_equal(text, want, len);
	free(text);
}

/* In order, each once, and beside the events. */
static void
test_failures(void **state)
{
	struct place *place = *state;
	struct events_stats stats;
	struct err err;
	size_t len;
	char *text;

	events_begin(place, SPOOL_MAX, 0);
	send_failure(place->events, 1);
	send_event(place->events, 0);
	send_failure(place->events, 2);
	events_end(place);
	assert_int_equal(count_missing(place, 1), 0);
	assert_int_equal(failures_count(place->store, &err), 2);
	want_taken(place, "{\"n\":1}");
	want_taken(place, "{\"n\":2}");
	assert_int_equal(failures_take(place->store, &text, &len, &err), 0);
	assert_int_equal(failures_count(place->store, &err), 0);
	/* Nobody reads them: the rest is lost and counted. */
	events_begin(place, SPOOL_MAX, 0);
	for (len = 0; len < FAILURES_MAX + 7; len++)
		send_failure(place->events, (unsigned)len);
	events_get_stats(place->events, &stats);
	for (len = 0; len < PATIENCE_MS / 10 &&
	     stats.failures + stats.failures_lost < FAILURES_MAX + 7;
	     len++) {
		nap_ms(10);
		events_get_stats(place->events, &stats);
	}
	assert_int_equal(stats.failures, FAILURES_MAX);
	assert_int_equal(stats.failures_lost, 7);
	assert_int_equal(stats.spooled, 0);
	events_end(place);
	want_taken(place, "{\"n\":0}");
}

/* Redis away: they are lost, and never on the disk. */
static void
test_failures_away(void **state)
{
	struct place *place = *state;
	struct events_stats stats;
	unsigned tries;

	redis_server_kill(&place->server);
	events_begin(place, SPOOL_MAX, 0);
	send_failure(place->events, 1);
	send_failure(place->events, 2);
	events_get_stats(place->events, &stats);
	for (tries = 0; tries < PATIENCE_MS / 10 && stats.failures_lost < 2;
	     tries++) {
		nap_ms(10);
		events_get_stats(place->events, &stats);
	}
	assert_int_equal(stats.failures_lost, 2);
	assert_int_equal(stats.spooled + stats.dropped, 0);
	assert_int_equal(stats.spool_bytes, 0);
	events_end(place);
	redis_server_restart(&place->server);
}

/* Hanging, killed and back, while events come all the time. */
static void
test_comes_and_goes(void **state)
{
	struct place *place = *state;
	struct events_stats stats;
	unsigned i = 0, round;

	events_begin_with(place, place->hasty, SPOOL_MAX, 0);
	for (round = 0; round < 3; round++) {
		unsigned until = i + 1500;

		for (; i < until; i++) {
			send_event(place->events, i);
			if (i % 500 == 100)
				kill(place->server.pid, SIGSTOP);
			if (i % 500 == 400)
				kill(place->server.pid, SIGCONT);
			if (i % 100 == 0)
				nap_ms(5);
		}
		redis_server_kill(&place->server);
		for (until = i + 200; i < until; i++)
			send_event(place->events, i);
		while (events_get_stats(place->events, &stats),
		    stats.queued > 0)
			nap_ms(5);
		redis_server_restart(&place->server);
	}
	assert_true(all_sent(place->events));
	events_get_stats(place->events, &stats);
	assert_int_equal(stats.dropped, 0);
	assert_true(stats.spooled > 0);
	events_end(place);
	assert_int_equal(count_missing(place, i), 0);
}

/* Both are full: what is lost is counted, nothing else happens. */
static void
test_full(void **state)
{
	struct place *place = *state;
	struct events_stats stats;
	unsigned i;

	redis_server_kill(&place->server);
	events_begin(place, 50000, 0);
	for (i = 0; i < 2000; i++)
		send_event(place->events, i);
	events_end(place);
	redis_server_restart(&place->server);
	events_begin(place, 50000, 0);
	assert_true(all_sent(place->events));
	events_get_stats(place->events, &stats);
	assert_true(stats.sent > 20);
	events_end(place);
	/* No spool at all. */
	redis_server_kill(&place->server);
	events_begin(place, 0, 0);
	for (i = 0; i < 100; i++)
		send_event(place->events, i);
	for (i = 0; i < PATIENCE_MS / 10; i++) {
		events_get_stats(place->events, &stats);
		if (stats.queued == 0 && stats.dropped >= 100)
			break;
		nap_ms(10);
	}
	assert_int_equal(stats.dropped, 100);
	events_end(place);
	redis_server_restart(&place->server);
}

/* A stream that nobody reads is at its ceiling; later somebody trims it. */
static void
test_stream_ceiling(void **state)
{
	struct place *place = *state;
	struct events_stats stats;
	unsigned i, shard;

	events_begin(place, SPOOL_MAX, 50);
	for (i = 0; i < 6000; i++)
		send_event(place->events, i);
	do {
		nap_ms(10);
		events_get_stats(place->events, &stats);
	} while (stats.queued > 0 || stats.sent + stats.spooled < 6000);
	assert_int_equal(stats.dropped, 0);
	assert_true(stats.spool_bytes > 0);
	for (shard = 0; shard < EVENT_SHARDS; shard++) {
		struct store_reply *reply;
		char *key = xprintf("sk:{ev:%u}:events", shard);
		struct err err;

		assert_int_equal(store_runf(place->store, key, &reply, &err,
				     "XLEN %s", key),
		    0);
		/* One batch over the ceiling at most. */
		assert_true(reply->integer < 50 + 256);
		store_reply_free(reply);
		free(key);
	}
	events_end(place);
	events_begin(place, SPOOL_MAX, 100000);
	assert_true(all_sent(place->events));
	events_end(place);
	assert_int_equal(count_missing(place, 6000), 0);
}

/* Killed while it spools: what it said was spooled is there. */
static void
test_killed_while_spooling(void **state)
{
	struct place *place = *state;
	unsigned round;

	for (round = 0; round < 6; round++) {
		uint64_t spooled = 0, told;
		struct events_stats stats;
		int fds[2];
		pid_t pid;

		(void)fresh(state);
		box_open(&place->box);
		redis_server_kill(&place->server);
		assert_int_equal(pipe(fds), 0);
		pid = fork();
		if (pid == 0) {
			unsigned i;

			close(fds[0]);
			events_begin(place, SPOOL_MAX, 0);
			for (i = 0;; i++) {
				send_event(place->events, i);
				events_get_stats(place->events, &stats);
				if (write(fds[1], &stats.spooled,
					sizeof(stats.spooled)) < 0)
					_exit(1);
			}
		}
		close(fds[1]);
		nap_ms(20 + round * 15);
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		while (read(fds[0], &told, sizeof(told)) == sizeof(told))
			spooled = told;
		close(fds[0]);
		redis_server_restart(&place->server);
		events_begin(place, SPOOL_MAX, 0);
		assert_true(all_sent(place->events));
		events_end(place);
		assert_int_equal(count_missing(place, spooled), 0);
	}
}

int
main(void)
{
	const struct CMUnitTest plain[] = {
		cmocka_unit_test(test_spool_order),
		cmocka_unit_test(test_spool_full),
		cmocka_unit_test(test_spool_compacted_while_reading),
		cmocka_unit_test(test_spool_damaged),
		cmocka_unit_test(test_spool_not_ours),
	};
	const struct CMUnitTest with_server[] = {
		cmocka_unit_test_setup(test_send, fresh),
		cmocka_unit_test_setup(test_away, fresh),
		cmocka_unit_test_setup(test_failures, fresh),
		cmocka_unit_test_setup(test_failures_away, fresh),
		cmocka_unit_test_setup(test_comes_and_goes, fresh),
		cmocka_unit_test_setup(test_full, fresh),
		cmocka_unit_test_setup(test_stream_ceiling, fresh),
		cmocka_unit_test_setup(test_killed_while_spooling, fresh),
	};
	int failed = cmocka_run_group_tests_name("spool", plain, NULL, NULL);

	if (!redis_server_is_installed()) {
		printf("skipped: %zu tests that need redis-server\n",
		    ARRAY_LEN(with_server));
		return failed != 0 ? 1 : 77;
	}
	failed += cmocka_run_group_tests_name("events", with_server, open_place,
	    close_place);
	return failed != 0;
}
