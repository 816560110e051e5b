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
#include "base/log.h"

#include "milter/waker.h"

/* Workers that one wake-up can start. */
#define SESSIONS 4
/* A worker leaves a session after 1 ms of silence; only then it looks for
 * other work.  Waking faster than that would keep it there. */
#define PAUSE_US 2000

struct waker {
	struct endpoint milter;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool wanted;
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
	int tries;

	/* A session that was silent for two hours is closed by libmilter:
	 * then a second try, on a new one. */
	for (tries = 0; tries < 2; tries++) {
		if (*fd < 0)
			*fd = endpoint_connect(&waker->milter);
		if (*fd < 0)
			return;
		if (send(*fd, event, EVENT_LEN, MSG_NOSIGNAL | MSG_DONTWAIT) ==
			(ssize_t)EVENT_LEN ||
		    errno == EAGAIN)
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

static void *
run(void *context)
{
	struct waker *waker = context;

	pthread_mutex_lock(&waker->lock);
	while (!waker->stopping) {
		if (!waker->wanted) {
			pthread_cond_wait(&waker->changed, &waker->lock);
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
	pthread_cond_init(&waker->changed, NULL);
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
	pthread_cond_signal(&waker->changed);
	pthread_mutex_unlock(&waker->lock);
}
