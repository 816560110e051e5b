/*
 * outbox.c - events of holds on their way into the streams.
 *
 * The event of a held mail is written with the hold, into the outbox of
 * its domain, as the stream lies in another slot.  From there it is sent
 * on and struck out: at once and in batches by a thread of the process
 * that held the mail, or later by whoever sweeps what a crash left.  Sent
 * twice does no harm: the history takes an event once.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "quarantine/event_stream.h"
#include "quarantine/events.h"
#include "quarantine/hold.h"

#define BATCH_MAX 128
/* What waits in memory; what is more stays in the outbox for a sweep. */
#define QUEUE_MAX 10000
#define QUEUE_BYTES_MAX (64 * 1024 * 1024)
#define GATHER_MS 50
#define BACKOFF_FIRST_MS 200
#define BACKOFF_MAX_MS 10000
/* A sweep leaves alone what its owner is about to send. */
#define SWEEP_AGE_MS 60000
#define STREAM_MAX UINT64_MAX

struct letter {
	struct letter *next;
	char *domain;
	char *event_id;
	char *text;
	bool sent;   /* is in the stream */
	bool struck; /* and no longer in the outbox */
};

struct outbox {
	struct store *store;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	pthread_t thread;
	bool running; /* the thread was started */
	bool ending;
	size_t count, bytes;
	struct letter *first, **last;
};

static struct letter *
letter_new(struct bytes domain, struct bytes event_id, struct bytes text)
{
	struct letter *letter = xcalloc(1, sizeof(*letter));

	letter->domain = xmemdup(domain.data, domain.len);
	letter->event_id = xmemdup(event_id.data, event_id.len);
	letter->text = xmemdup(text.data, text.len);
	return letter;
}

static void
letter_free(struct letter *letter)
{
	free(letter->domain);
	free(letter->event_id);
	free(letter->text);
	free(letter);
}

/* ---- sending ---- */

/* All of one domain that are sent. */
static int
strike_out(struct store *store, size_t n, struct letter **letters,
    const char *domain, struct err *err)
{
	struct arena *arena = arena_new(0);
	const char *key = hold_domain_key(arena, domain, "outbox");
	struct hold_args args;
	size_t i;
	int rc;

	hold_args_init(&args, arena);
	hold_arg_str(&args, "HDEL");
	hold_arg_str(&args, key);
	for (i = 0; i < n; i++)
		if (letters[i]->sent && strcmp(letters[i]->domain, domain) == 0)
			hold_arg_str(&args, letters[i]->event_id);
	rc = store_run(store, key, args.argc, args.argv, NULL, err);
	for (i = 0; i < n && rc == 0; i++)
		if (letters[i]->sent && strcmp(letters[i]->domain, domain) == 0)
			letters[i]->struck = true;
	arena_free(arena);
	return rc;
}

/* 0 when all went out, -1 when some are still to do: *err. */
static int
send_letters(struct store *store, size_t n, struct letter **letters,
    struct err *err)
{
	struct event_item items[BATCH_MAX];
	size_t i;
	int rc = 0;

	for (i = 0; i < n; i++)
		items[i] = (struct event_item){ .shard = event_shard(
						    letters[i]->event_id),
			.text = bytes_of(letters[i]->text),
			.sent = letters[i]->sent };
	(void)event_stream_append(store, STREAM_MAX, n, items, err);
	for (i = 0; i < n; i++) {
		letters[i]->sent = items[i].sent;
		if (!items[i].sent)
			rc = -1;
	}
	for (i = 0; i < n; i++)
		if (letters[i]->sent && !letters[i]->struck &&
		    strike_out(store, n, letters, letters[i]->domain, err) < 0)
			rc = -1;
	return rc;
}

/* ---- the thread ---- */

/* Under the lock, as are the others that touch the queue. */
static size_t
take_letters(struct outbox *outbox, struct letter *letters[BATCH_MAX])
{
	size_t n = 0;

	while (n < BATCH_MAX && outbox->first != NULL) {
		struct letter *letter = outbox->first;

		outbox->first = letter->next;
		if (outbox->first == NULL)
			outbox->last = &outbox->first;
		outbox->count--;
		outbox->bytes -= strlen(letter->text);
		letters[n++] = letter;
	}
	return n;
}

static void
put_letter(struct outbox *outbox, struct letter *letter)
{
	letter->next = NULL;
	*outbox->last = letter;
	outbox->last = &letter->next;
	outbox->count++;
	outbox->bytes += strlen(letter->text);
}

/* One batch; false when something is left to do. */
static bool
send_some(struct outbox *outbox, struct letter *letters[BATCH_MAX], size_t n,
    bool complain)
{
	struct err err = { 0 };
	size_t i;
	bool done = send_letters(outbox->store, n, letters, &err) == 0;

	if (!done && complain)
		log_warn("events of held mail wait: %s", err.text);
	pthread_mutex_lock(&outbox->lock);
	for (i = 0; i < n; i++) {
		if (letters[i]->struck)
			letter_free(letters[i]);
		else
			put_letter(outbox, letters[i]);
	}
	pthread_mutex_unlock(&outbox->lock);
	return done;
}

/* Under the lock: until `ms` are over, there is a batch, or the end. */
static void
rest(struct outbox *outbox, unsigned ms)
{
	struct timespec until = clock_mono_timespec(clock_mono_ms() + ms);
	int rc = 0;

	while (!outbox->ending && outbox->count < BATCH_MAX && rc == 0)
		rc = pthread_cond_timedwait(&outbox->changed, &outbox->lock,
		    &until);
}

/* How many letters there are to send; 0: the end. */
static size_t
await_letters(struct outbox *outbox, struct letter *letters[BATCH_MAX],
    unsigned rest_ms)
{
	size_t n;

	pthread_mutex_lock(&outbox->lock);
	if (rest_ms > 0)
		rest(outbox, rest_ms);
	while (outbox->count == 0 && !outbox->ending)
		pthread_cond_wait(&outbox->changed, &outbox->lock);
	/* More come soon, and each batch costs Redis two syncs. */
	rest(outbox, GATHER_MS);
	n = take_letters(outbox, letters);
	pthread_mutex_unlock(&outbox->lock);
	return n;
}

static bool
is_ending(struct outbox *outbox)
{
	bool ending;

	pthread_mutex_lock(&outbox->lock);
	ending = outbox->ending;
	pthread_mutex_unlock(&outbox->lock);
	return ending;
}

static void *
outbox_thread(void *arg)
{
	struct outbox *outbox = arg;
	struct letter *letters[BATCH_MAX];
	unsigned rest_ms = 0;
	size_t n;

	while ((n = await_letters(outbox, letters, rest_ms)) > 0) {
		if (send_some(outbox, letters, n, rest_ms == 0)) {
			rest_ms = 0;
			continue;
		}
		/* What is left stands in the store. */
		if (is_ending(outbox))
			break;
		rest_ms = rest_ms == 0 ? BACKOFF_FIRST_MS : rest_ms * 2;
		if (rest_ms > BACKOFF_MAX_MS)
			rest_ms = BACKOFF_MAX_MS;
	}
	return NULL;
}

/* ---- outside ---- */

struct outbox *
outbox_new(struct store *store)
{
	struct outbox *outbox = xcalloc(1, sizeof(*outbox));
	pthread_condattr_t attr;

	outbox->store = store;
	outbox->last = &outbox->first;
	pthread_mutex_init(&outbox->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&outbox->changed, &attr);
	pthread_condattr_destroy(&attr);
	return outbox;
}

void
outbox_free(struct outbox *outbox)
{
	struct letter *letter;

	if (outbox == NULL)
		return;
	pthread_mutex_lock(&outbox->lock);
	outbox->ending = true;
	pthread_cond_broadcast(&outbox->changed);
	pthread_mutex_unlock(&outbox->lock);
	if (outbox->running)
		pthread_join(outbox->thread, NULL);
	while ((letter = outbox->first) != NULL) {
		outbox->first = letter->next;
		letter_free(letter);
	}
	pthread_cond_destroy(&outbox->changed);
	pthread_mutex_destroy(&outbox->lock);
	free(outbox);
}

/* The thread is started by the first letter: most programs have none. */
static void
start_thread(struct outbox *outbox)
{
	if (outbox->running)
		return;
	if (pthread_create(&outbox->thread, NULL, outbox_thread, outbox) == 0)
		outbox->running = true;
	else
		log_warn("events of held mail wait for a sweep: no thread");
}

void
outbox_add(struct outbox *outbox, const char *domain, const char *event_id,
    const char *text)
{
	size_t len = strlen(text);

	pthread_mutex_lock(&outbox->lock);
	start_thread(outbox);
	if (outbox->running && outbox->count < QUEUE_MAX &&
	    outbox->bytes + len <= QUEUE_BYTES_MAX) {
		put_letter(outbox,
		    letter_new(bytes_of(domain), bytes_of(event_id),
			bytes_of(text)));
		pthread_cond_signal(&outbox->changed);
	}
	pthread_mutex_unlock(&outbox->lock);
}

/* ---- sweeping ---- */

/* Is it so old that its owner does not send it any more? */
static bool
is_left_behind(struct bytes event_id, int64_t now_ms)
{
	struct bytes ulid = { event_id.data, ULID_LEN };

	return event_id.len < ULID_LEN || !ulid_is_valid(ulid) ||
	    now_ms - ulid_wall_ms(event_id.data) > SWEEP_AGE_MS;
}

/* Sends what one page of HSCAN holds; how many, or -1. */
static int64_t
sweep_page(struct outbox *outbox, const char *domain,
    const struct store_reply *page, struct err *err)
{
	struct letter *letters[BATCH_MAX];
	int64_t now_ms = clock_wall_ms();
	size_t n = 0, i;
	int64_t sent;

	for (i = 0; i + 1 < page->count && n < BATCH_MAX; i += 2) {
		struct bytes event_id = page->items[i].text;

		if (event_id.len == 0 || memchr(event_id.data, 0, event_id.len))
			continue;
		if (is_left_behind(event_id, now_ms))
			letters[n++] = letter_new(bytes_of(domain), event_id,
			    page->items[i + 1].text);
	}
	sent =
	    send_letters(outbox->store, n, letters, err) == 0 ? (int64_t)n : -1;
	for (i = 0; i < n; i++)
		letter_free(letters[i]);
	return sent;
}

int64_t
outbox_sweep(struct outbox *outbox, const char *domain, struct err *err)
{
	struct arena *arena = arena_new(0);
	const char *key = hold_domain_key(arena, domain, "outbox");
	struct bytes cursor = BYTES_LIT("0");
	int64_t total = 0;

	do {
		struct store_reply *reply;
		int64_t sent = -1;

		if (store_runf(outbox->store, key, &reply, err,
			"HSCAN %s %b COUNT %d", key, &cursor,
			(int64_t)BATCH_MAX / 2) < 0) {
			total = -1;
			break;
		}
		if (reply->type == STORE_ARRAY && reply->count == 2 &&
		    reply->items[1].type == STORE_ARRAY)
			sent =
			    sweep_page(outbox, domain, &reply->items[1], err);
		else
			err_set(err, ERR_INPUT, "%s: damaged", key);
		cursor.len = 0;
		if (sent >= 0 && reply->items[0].text.len < 32)
			cursor = (struct bytes){ arena_memdup(arena,
						     reply->items[0].text.data,
						     reply->items[0].text.len),
				reply->items[0].text.len };
		total = sent < 0 ? -1 : total + sent;
		store_reply_free(reply);
	} while (total >= 0 && cursor.len > 0 &&
	    !bytes_equal(cursor, BYTES_LIT("0")));
	arena_free(arena);
	return total;
}
