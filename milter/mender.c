/*
 * mender.c - a thread that mends the quarantine at start and every hour.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "quarantine/quarantine.h"

#include "milter/mender.h"

#define PERIOD_MS (3600 * 1000)
#define AGAIN_MS (60 * 1000) /* when the store was away */

struct mender {
	struct quarantine *quarantine;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool stopping;
};

static int64_t
mend(struct mender *mender)
{
	struct err err;

	if (quarantine_mend(mender->quarantine, &err) == 0)
		return PERIOD_MS;
	log_warn("the quarantine could not be mended: %s", err.text);
	return AGAIN_MS;
}

static void *
run(void *context)
{
	struct mender *mender = context;
	struct timespec until;
	int64_t pause_ms;

	pthread_mutex_lock(&mender->lock);
	while (!mender->stopping) {
		pthread_mutex_unlock(&mender->lock);
		pause_ms = mend(mender);
		until = clock_mono_timespec(clock_mono_ms() + pause_ms);
		pthread_mutex_lock(&mender->lock);
		while (!mender->stopping &&
		    pthread_cond_timedwait(&mender->changed, &mender->lock,
			&until) == 0)
			continue;
	}
	pthread_mutex_unlock(&mender->lock);
	return NULL;
}

static void
mender_free(struct mender *mender)
{
	pthread_cond_destroy(&mender->changed);
	pthread_mutex_destroy(&mender->lock);
	free(mender);
}

struct mender *
mender_start(struct quarantine *quarantine, struct err *err)
{
	struct mender *mender = xcalloc(1, sizeof(*mender));
	int rc;

	mender->quarantine = quarantine;
	pthread_mutex_init(&mender->lock, NULL);
	clock_cond_init(&mender->changed);
	rc = pthread_create(&mender->thread, NULL, run, mender);
	if (rc == 0)
		return mender;
	err_set(err, ERR_TEMP, "thread: %s", strerror(rc));
	mender_free(mender);
	return NULL;
}

void
mender_stop(struct mender *mender)
{
	if (mender == NULL)
		return;
	pthread_mutex_lock(&mender->lock);
	mender->stopping = true;
	pthread_cond_signal(&mender->changed);
	pthread_mutex_unlock(&mender->lock);
	quarantine_stop_mending(mender->quarantine);
	pthread_join(mender->thread, NULL);
	mender_free(mender);
}
