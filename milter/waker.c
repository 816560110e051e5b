/*
 * waker.c - makes libmilter start a worker thread before one goes waiting.
 *
 * A thread of its own sends, so that calls in the meantime become one event
 * and the caller never blocks.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/clock.h"

#include "milter/waker.h"

/* Workers that one wake-up can start. */
#define SESSIONS 4
/* A worker leaves a session after 1 ms of silence; only then it looks for
 * other work.  Waking faster than that would keep it there. */
#define PAUSE_US 2000
/* On a busy machine the event can come before those that it is to rouse: it
 * is sent again after these pauses, each twice the one before, which is
 * longer than anybody waits for the DNS. */
#define AGAIN_FIRST_MS 64
#define AGAIN_LAST_MS 8192

struct waker {
	struct endpoint milter;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool wanted;
	unsigned again_ms; /* the next pause; 0: no more */
	bool stopping;
	int fds[SESSIONS]; /* of the thread alone */
};

/*
 * SMFIC_MACRO for the connect stage, one macro {w}=1: length, command,
 * stage, name, value.  Allowed in every state of a session, also before
 * anything was negotiated, and never answered.
 */
static const char event[] = "\0\0\0\010D"
			    "C{w}\0"
			    "1";
#define EVENT_LEN sizeof(event) /* the NUL of the literal ends the value */

static void
session_send(struct waker *waker, int *fd)
{
	ssize_t n;
	int tries;

	/* A session that was silent for two hours is closed by libmilter:
	 * then a second try, on a new one. */
	for (tries = 0; tries < 2; tries++) {
		if (*fd < 0)
			*fd = endpoint_connect(&waker->milter);
		if (*fd < 0)
			return;
		n = send(*fd, event, EVENT_LEN, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n == (ssize_t)EVENT_LEN || (n < 0 && errno == EAGAIN))
			return;
		close(*fd);
		*fd = -1;
	}
}

static void
wake(struct waker *waker)
{
	size_t i;

	for (i = 0; i < SESSIONS; i++)
		session_send(waker, &waker->fds[i]);
}

/* Until there may be something to do; with the lock. */
static void
wait_for_work(struct waker *waker)
{
	struct timespec until;

	if (waker->again_ms == 0) {
		pthread_cond_wait(&waker->changed, &waker->lock);
		return;
	}
	until = clock_mono_timespec(clock_mono_ms() + waker->again_ms);
	if (pthread_cond_timedwait(&waker->changed, &waker->lock, &until) !=
	    ETIMEDOUT)
		return;
	waker->wanted = true;
	waker->again_ms *= 2;
	if (waker->again_ms > AGAIN_LAST_MS)
		waker->again_ms = 0;
}

static void *
run(void *context)
{
	struct waker *waker = context;

	pthread_mutex_lock(&waker->lock);
	while (!waker->stopping) {
		if (!waker->wanted) {
			wait_for_work(waker);
			continue;
		}
		waker->wanted = false;
		pthread_mutex_unlock(&waker->lock);
		wake(waker);
		usleep(PAUSE_US);
		pthread_mutex_lock(&waker->lock);
	}
	pthread_mutex_unlock(&waker->lock);
	return NULL;
}

struct waker *
waker_start(const struct endpoint *milter, struct err *err)
{
	struct waker *waker = xcalloc(1, sizeof(*waker));
	size_t i;
	int rc;

	waker->milter = *milter;
	for (i = 0; i < SESSIONS; i++)
		waker->fds[i] = -1;
	pthread_mutex_init(&waker->lock, NULL);
	clock_cond_init(&waker->changed);
	rc = pthread_create(&waker->thread, NULL, run, waker);
	if (rc == 0)
		return waker;
	err_set(err, ERR_TEMP, "thread: %s", strerror(rc));
	pthread_cond_destroy(&waker->changed);
	pthread_mutex_destroy(&waker->lock);
	free(waker);
	return NULL;
}

void
waker_stop(struct waker *waker)
{
	size_t i;

	if (waker == NULL)
		return;
	pthread_mutex_lock(&waker->lock);
	waker->stopping = true;
	pthread_cond_signal(&waker->changed);
	pthread_mutex_unlock(&waker->lock);
	pthread_join(waker->thread, NULL);
	for (i = 0; i < SESSIONS; i++)
		if (waker->fds[i] >= 0)
			close(waker->fds[i]);
	pthread_cond_destroy(&waker->changed);
	pthread_mutex_destroy(&waker->lock);
	free(waker);
}

void
waker_wake(struct waker *waker)
{
	pthread_mutex_lock(&waker->lock);
	waker->wanted = true;
	waker->again_ms = AGAIN_FIRST_MS;
	pthread_cond_signal(&waker->changed);
	pthread_mutex_unlock(&waker->lock);
}
