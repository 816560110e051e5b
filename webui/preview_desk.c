/*
 * preview_desk.c - who makes a preview now, and those that took long.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "webui/preview_desk.h"

/* Somebody who makes one, or waits. */
struct seat {
	const char *key;
	char *person;
	bool making;
	pthread_t thread;
	int64_t begun_cpu_ms;
};

struct kept {
	char *key;
	char *data; /* NULL: it failed */
	size_t len;
	struct err why;
	int64_t until_ms;
	uint64_t used; /* the larger, the later */
};

struct preview_desk {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	/* under lock */
	struct seat seats[PREVIEW_AT_ONCE_MAX + PREVIEW_WAITING_MAX];
	unsigned making, waiting;
	struct kept kept[PREVIEW_KEPT_MAX];
	size_t kept_bytes;
	uint64_t uses;
};

#define SEAT_COUNT (PREVIEW_AT_ONCE_MAX + PREVIEW_WAITING_MAX)

struct preview_desk *
preview_desk_new(void)
{
	struct preview_desk *desk = xcalloc(1, sizeof(*desk));

	pthread_mutex_init(&desk->lock, NULL);
	pthread_cond_init(&desk->changed, NULL);
	return desk;
}

/* ---- what is kept ---- */

static void
drop(struct preview_desk *desk, struct kept *kept)
{
	desk->kept_bytes -= kept->len;
	free(kept->key);
	free(kept->data);
	memset(kept, 0, sizeof(*kept));
}

static struct kept *
find_kept(struct preview_desk *desk, const char *key)
{
	const int64_t now_ms = clock_mono_ms();
	struct kept *kept, *found = NULL;
	size_t i;

	for (i = 0; i < PREVIEW_KEPT_MAX; i++) {
		kept = &desk->kept[i];
		if (kept->key != NULL && now_ms > kept->until_ms)
			drop(desk, kept);
		if (kept->key != NULL && strcmp(kept->key, key) == 0)
			found = kept;
	}
	return found;
}

/* A place for one more of len octets: the one used longest ago goes. */
static struct kept *
make_room(struct preview_desk *desk, size_t len)
{
	struct kept *oldest, *empty;
	size_t i;

	for (;;) {
		oldest = empty = NULL;
		for (i = 0; i < PREVIEW_KEPT_MAX; i++) {
			if (desk->kept[i].key == NULL)
				empty = &desk->kept[i];
			else if (oldest == NULL ||
			    desk->kept[i].used < oldest->used)
				oldest = &desk->kept[i];
		}
		if (empty != NULL &&
		    desk->kept_bytes + len <= PREVIEW_KEPT_BYTES_MAX)
			return empty;
		drop(desk, oldest);
	}
}

static void
keep(struct preview_desk *desk, const char *key, const struct buf *made,
    const struct err *why)
{
	const size_t len = made != NULL ? made->len : 0;
	struct kept *kept = find_kept(desk, key);

	if (len > PREVIEW_KEPT_BYTES_MAX)
		return;
	if (kept != NULL)
		drop(desk, kept);
	kept = make_room(desk, len);
	kept->key = xstrdup(key);
	if (made != NULL)
		kept->data = xmemdup(buf_str(made), len);
	else
		kept->why = *why;
	kept->len = len;
	kept->until_ms = clock_mono_ms() + PREVIEW_KEPT_MS;
	kept->used = ++desk->uses;
	desk->kept_bytes += len;
}

void
preview_desk_free(struct preview_desk *desk)
{
	size_t i;

	if (desk == NULL)
		return;
	for (i = 0; i < PREVIEW_KEPT_MAX; i++)
		drop(desk, &desk->kept[i]);
	pthread_cond_destroy(&desk->changed);
	pthread_mutex_destroy(&desk->lock);
	free(desk);
}

/* ---- seats ---- */

/* NULL: the desk is full, or this person has enough of it. */
static struct seat *
sit_down(struct preview_desk *desk, const char *key, const char *person)
{
	struct seat *seat = NULL;
	unsigned mine = 0;
	size_t i;

	if (person == NULL)
		person = "";
	for (i = 0; i < SEAT_COUNT; i++) {
		if (desk->seats[i].key == NULL)
			seat = &desk->seats[i];
		else
			mine += strcmp(desk->seats[i].person, person) == 0;
	}
	if (seat == NULL || mine >= PREVIEW_PERSON_MAX ||
	    (desk->making >= PREVIEW_AT_ONCE_MAX &&
		desk->waiting >= PREVIEW_WAITING_MAX))
		return NULL;
	seat->key = key;
	seat->person = xstrdup(person);
	return seat;
}

static void
stand_up(struct preview_desk *desk, struct seat *seat)
{
	free(seat->person);
	memset(seat, 0, sizeof(*seat));
	pthread_cond_broadcast(&desk->changed);
}

static bool
is_being_made(const struct preview_desk *desk, const char *key)
{
	size_t i;

	for (i = 0; i < SEAT_COUNT; i++)
		if (desk->seats[i].making &&
		    strcmp(desk->seats[i].key, key) == 0)
			return true;
	return false;
}

/* 1, -1: as it was made before; 0: it was not. */
static int
take_kept(struct preview_desk *desk, const char *key, struct buf *out,
    struct err *err)
{
	struct kept *kept = find_kept(desk, key);

	if (kept == NULL)
		return 0;
	kept->used = ++desk->uses;
	if (kept->data == NULL)
		return err_set(err, kept->why.kind, "%s", kept->why.text);
	return buf_append(out, kept->data, kept->len) == 0 ? 1 : 0;
}

static void
begin(struct preview_desk *desk, struct seat *seat)
{
	seat->making = true;
	seat->thread = pthread_self();
	seat->begun_cpu_ms = clock_thread_cpu_ms();
	desk->making++;
}

/* ---- the whole ---- */

int
preview_desk_take(struct preview_desk *desk, const char *key,
    const char *person, struct buf *out, struct err *err)
{
	struct seat *seat;
	int rc;

	pthread_mutex_lock(&desk->lock);
	rc = take_kept(desk, key, out, err);
	seat = rc == 0 ? sit_down(desk, key, person) : NULL;
	if (rc == 0 && seat == NULL)
		rc = err_set(err, ERR_TEMP,
		    "too many previews are being made at once; try again");
	if (seat == NULL) {
		pthread_mutex_unlock(&desk->lock);
		return rc;
	}
	desk->waiting++;
	while (rc == 0 &&
	    (desk->making >= PREVIEW_AT_ONCE_MAX || is_being_made(desk, key))) {
		pthread_cond_wait(&desk->changed, &desk->lock);
		rc = take_kept(desk, key, out, err);
	}
	desk->waiting--;
	if (rc == 0)
		begin(desk, seat);
	else
		stand_up(desk, seat);
	pthread_mutex_unlock(&desk->lock);
	return rc;
}

void
preview_desk_done(struct preview_desk *desk, const char *key,
    const struct buf *made, const struct err *why)
{
	struct seat *seat;
	size_t i;

	pthread_mutex_lock(&desk->lock);
	for (i = 0; i < SEAT_COUNT; i++) {
		seat = &desk->seats[i];
		if (!seat->making || strcmp(seat->key, key) != 0 ||
		    !pthread_equal(seat->thread, pthread_self()))
			continue;
		if (clock_thread_cpu_ms() - seat->begun_cpu_ms >=
			PREVIEW_SLOW_MS &&
		    (made != NULL || why->kind == ERR_LIMIT))
			keep(desk, key, made, why);
		desk->making--;
		stand_up(desk, seat);
		break;
	}
	pthread_mutex_unlock(&desk->lock);
}
