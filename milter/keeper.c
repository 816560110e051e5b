/*
 * keeper.c - the thread that hears signals: reload, drain, end.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/process.h"

#include "milter/callbacks.h"
#include "milter/keeper.h"

#define DRAIN_STEP_MS 50
#define WAIT_STEP_MS 200

struct keeper {
	struct daemon *daemon;
	pthread_t thread;
	_Atomic bool done;
};

static void
our_signals(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGHUP);
	sigaddset(set, SIGTERM);
	sigaddset(set, SIGINT);
}

/*
 * libmilter starts a thread that sigwait()s for the same signals and, when
 * one comes, stops the filter at once, without an end for the mail under
 * way; there is no way to ask it not to.  That thread is the only caller of
 * sigwait in the process, and finds this one: it sleeps for ever.  We
 * ourselves use sigtimedwait.
 */
int
sigwait(const sigset_t *set, int *signal)
{
	(void)set;
	(void)signal;
	for (;;)
		pause();
}

void
keeper_block_signals(void)
{
	sigset_t set;

	our_signals(&set);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
}

static int
wait_signal(int64_t timeout_ms)
{
	struct timespec timeout = { .tv_sec = timeout_ms / 1000,
		.tv_nsec = (timeout_ms % 1000) * 1000000 };
	sigset_t set;

	our_signals(&set);
	return sigtimedwait(&set, NULL, &timeout);
}

static void
end_at_once(struct daemon *daemon)
{
	log_warn("told twice to stop: ending at once, %llu messages are "
		 "left unfinished",
	    (unsigned long long)daemon->accepted);
	endpoint_remove(&daemon->milter);
	_exit(1);
}

/* Until nothing that has an accepted recipient is left. */
static void
drain(struct daemon *daemon)
{
	struct setup *setup = daemon_setup(daemon);
	int64_t until_ms =
	    clock_mono_ms() + (int64_t)setup->conf->drain_timeout * 1000;
	int signal;

	setup_unref(setup);
	daemon->draining = true;
	process_notify("STOPPING=1");
	log_info("stopping: %llu messages to be finished",
	    (unsigned long long)daemon->accepted);
	while (daemon->accepted > 0 && clock_mono_ms() < until_ms) {
		signal = wait_signal(DRAIN_STEP_MS);
		if (signal == SIGTERM || signal == SIGINT)
			end_at_once(daemon);
	}
	if (daemon->accepted > 0)
		log_warn("stopping: %llu messages were not finished in time",
		    (unsigned long long)daemon->accepted);
}

static void *
keep(void *context)
{
	struct keeper *keeper = context;
	bool stopped = false;
	int signal;

	while (!keeper->done) {
		signal = wait_signal(WAIT_STEP_MS);
		if (signal == SIGHUP)
			daemon_reload(keeper->daemon);
		if (signal != SIGTERM && signal != SIGINT)
			continue;
		if (stopped)
			end_at_once(keeper->daemon);
		drain(keeper->daemon);
		callbacks_stop(keeper->daemon);
		stopped = true;
	}
	return NULL;
}

struct keeper *
keeper_start(struct daemon *daemon, struct err *err)
{
	struct keeper *keeper = xcalloc(1, sizeof(*keeper));
	int rc;

	keeper->daemon = daemon;
	rc = pthread_create(&keeper->thread, NULL, keep, keeper);
	if (rc == 0)
		return keeper;
	err_set(err, ERR_TEMP, "thread: %s", strerror(rc));
	free(keeper);
	return NULL;
}

void
keeper_stop(struct keeper *keeper)
{
	sigset_t set;

	keeper->done = true;
	pthread_join(keeper->thread, NULL);
	free(keeper);
	our_signals(&set);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}
