/*
 * bench_hold.c - how fast mail is held, listed and read; how much memory a
 * held mail takes.  Not a test: make tests/quarantine/bench_hold, and run
 * it with the number of mails (default 5,000) and of threads (8).
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit.h"

#include "base/clock.h"
#include "base/log.h"
#include "tests/quarantine/hold_fixture.h"

#define BODY_SIZE 20000
#define LISTED 100000
#define PAGE 50

static const char *const mailbox[] = { "user@example.com", NULL };

struct worker {
	struct place *place;
	atomic_uint *next;
	unsigned count;
	pthread_t thread;
};

static void *
put_mails(void *arg)
{
	struct worker *worker = arg;
	unsigned i;

	while ((i = atomic_fetch_add(worker->next, 1)) < worker->count) {
		struct mail mail;

		mail_make(&mail, i, BODY_SIZE, mailbox);
		put_well(worker->place, &mail);
		mail_free(&mail);
	}
	return NULL;
}

static void
bench_put(const char *fsync, unsigned count, unsigned threads)
{
	const char *args[] = { "--appendonly", "yes", "--appendfsync", fsync,
		NULL };
	struct worker *workers = xcalloc(threads, sizeof(*workers));
	atomic_uint next = 0;
	struct place place;
	int64_t began;
	unsigned i;
	double seconds;

	place_open(&place, args);
	began = clock_mono_us();
	for (i = 0; i < threads; i++) {
		workers[i] =
		    (struct worker){ &place, &next, count, workers[i].thread };
		pthread_create(&workers[i].thread, NULL, put_mails,
		    &workers[i]);
	}
	for (i = 0; i < threads; i++)
		pthread_join(workers[i].thread, NULL);
	seconds = (double)(clock_mono_us() - began) / 1e6;
	printf("put, appendfsync %-8s %2u threads: %7.0f mails/s\n", fsync,
	    threads, count / seconds);
	place_close(&place);
	free(workers);
}

/* What making a mail costs the bench itself. */
static void
bench_making(unsigned count)
{
	int64_t began = clock_mono_us();
	unsigned i;

	for (i = 0; i < count; i++) {
		struct mail mail;

		mail_make(&mail, i, BODY_SIZE, mailbox);
		mail_free(&mail);
	}
	printf("making a mail for it: %.0f us\n",
	    (double)(clock_mono_us() - began) / count);
}

static int64_t
used_memory(struct place *place)
{
	struct store_reply *reply;
	const char *at;
	int64_t used;

	store_runf(place->store, NULL, &reply, NULL, "INFO memory");
	at = strstr(reply->text.data, "used_memory:");
	used = strtoll(at + 12, NULL, 10);
	store_reply_free(reply);
	return used;
}

static void
bench_list_once(struct place *place, const char *label,
    struct held_filter filter)
{
	struct arena *arena = arena_new(0);
	int64_t began = clock_mono_us();
	const char *next;
	json_t *entries;
	struct err err;

	filter.domain = "example.com";
	filter.state = -1;
	if (quarantine_list(place->quarantine, arena, &filter, NULL, PAGE,
		&entries, &next, &err) < 0) {
		printf("%s\n", err.text);
		exit(1);
	}
	printf("list of %d, %s: %zu entries in %.1f ms\n", LISTED, label,
	    json_array_size(entries), (double)(clock_mono_us() - began) / 1000);
	json_decref(entries);
	arena_free(arena);
}

static void
bench_list(void)
{
	const char **mailboxes = xcalloc(1001, sizeof(*mailboxes));
	struct place place;
	int64_t began, before;
	const char *next = NULL;
	struct arena *arena = arena_new(0);
	const struct held_filter all = { .domain = "example.com", .state = -1 };
	size_t pages = 0;
	json_t *entries;
	struct err err;
	unsigned i;

	place_open(&place, NULL);
	before = used_memory(&place);
	for (i = 0; i < 2000; i++) {
		struct mail mail;

		mail_make(&mail, i, BODY_SIZE, mailbox);
		put_well(&place, &mail);
		mail_free(&mail);
	}
	(void)outbox_empties(&place, "example.com");
	printf("memory of a held mail of %d bytes: %lld bytes (with its event "
	       "in the stream)\n",
	    BODY_SIZE, (long long)(used_memory(&place) - before) / 2000);
	for (i = 0; i < 1000; i++)
		mailboxes[i] = xprintf("user%u@example.com", i);
	before = used_memory(&place);
	for (i = 0; i < (LISTED - 2000) / 1000; i++) {
		struct mail mail;

		mail_make(&mail, 10000 + i, BODY_SIZE, mailboxes);
		put_well(&place, &mail);
		mail_free(&mail);
	}
	(void)outbox_empties(&place, "example.com");
	printf("memory of one entry more: %lld bytes (the same)\n",
	    (long long)(used_memory(&place) - before) / (LISTED - 2000));
	bench_list_once(&place, "first page", (struct held_filter){ 0 });
	bench_list_once(&place, "of a mailbox",
	    (struct held_filter){ .mailbox = "user7@example.com" });
	bench_list_once(&place, "a subject that nothing has",
	    (struct held_filter){ .subject = "no such subject" });
	bench_list_once(&place, "a state that nothing has",
	    (struct held_filter){ .class = "virus" });
	began = clock_mono_us();
	do {
		if (quarantine_list(place.quarantine, arena, &all, next, PAGE,
			&entries, &next, &err) < 0)
			exit(1);
		json_decref(entries);
		pages++;
	} while (next != NULL);
	printf("all %zu pages: %.2f s\n", pages,
	    (double)(clock_mono_us() - began) / 1e6);
	began = clock_mono_us();
	if (quarantine_mend(place.quarantine, &err) < 0)
		exit(1);
	printf("mend: %.2f s\n", (double)(clock_mono_us() - began) / 1e6);
	place_close(&place);
	arena_free(arena);
	for (i = 0; i < 1000; i++)
		free((char *)mailboxes[i]);
	free(mailboxes);
}

int
main(int argc, char **argv)
{
	unsigned count = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 5000;
	unsigned threads = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 8;

	log_open("bench", LOG_TARGET_STDERR, LOG_LEVEL_ERROR);
	if (argc <= 3) {
		bench_making(1000);
		bench_put("always", count, 1);
		bench_put("always", count, threads);
		bench_put("everysec", count, 1);
		bench_put("everysec", count, threads);
	}
	bench_list();
	return 0;
}
