/*
 * keeper.c - hears signals: reload, drain, end.
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

#include "milter/keeper.h"

#define DRAIN_STEP_MS 50
#define WAIT_STEP_MS 200
/* For closing, when draining took all its time: what the release worker and
 * the mender have begun, events on their way. */
#define CLOSE_MS 10000

/* The end, once it has begun. */
struct ending {
	struct daemon *daemon;
	int64_t until_ms; /* monotonic; then nothing is waited for */
};

static void
stop_signals(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGTERM);
	sigaddset(set, SIGINT);
}

static void
our_signals(sigset_t *set)
{
	stop_signals(set);
	sigaddset(set, SIGHUP);
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
wait_signal(const sigset_t *set, int64_t timeout_ms)
{
	struct timespec timeout = { .tv_sec = timeout_ms / 1000,
		.tv_nsec = (timeout_ms % 1000) * 1000000 };

	return sigtimedwait(set, NULL, &timeout);
}

static _Noreturn void
end_at_once(struct daemon *daemon, const char *why)
{
	log_warn("%s: ending at once, %llu messages are left unfinished", why,
	    (unsigned long long)daemon->accepted);
	endpoint_remove(&daemon->milter);
	_exit(1);
}

/* A second signal, or the end of all patience. */
static void *
watch_ending(void *context)
{
	const struct ending *ending = context;
	int64_t left_ms;
	sigset_t set;
	int signal;

	stop_signals(&set);
	while ((left_ms = ending->until_ms - clock_mono_ms()) > 0) {
		signal = wait_signal(&set, left_ms);
		if (signal == SIGTERM || signal == SIGINT)
			end_at_once(ending->daemon, "told twice to stop");
	}
	end_at_once(ending->daemon, "stopping took too long");
}

/* Without a thread the kernel does it, and says nothing. */
static void
kernel_watches(int64_t ms)
{
	sigset_t set;

	stop_signals(&set);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	alarm((unsigned)(ms / 1000));
}

/* Never freed: the thread ends with the process. */
static void
begin_ending(struct daemon *daemon, int64_t ms)
{
	struct ending *ending = xmalloc(sizeof(*ending));
	pthread_t thread;

	ending->daemon = daemon;
	ending->until_ms = clock_mono_ms() + ms;
	if (pthread_create(&thread, NULL, watch_ending, ending) == 0) {
		(void)pthread_detach(thread);
		return;
	}
	free(ending);
	kernel_watches(ms);
}

/* Until nothing that has an accepted recipient is left. */
static void
drain(struct daemon *daemon)
{
	struct setup *setup = daemon_setup(daemon);
	int64_t drain_ms = (int64_t)setup->conf->drain_timeout * 1000;
	int64_t until_ms = clock_mono_ms() + drain_ms;

	setup_unref(setup);
	begin_ending(daemon, drain_ms + CLOSE_MS);
	daemon->draining = true;
	process_notify("STOPPING=1");
	log_info("stopping: %llu messages to be finished",
	    (unsigned long long)daemon->accepted);
	while (daemon->accepted > 0 && clock_mono_ms() < until_ms)
		usleep(DRAIN_STEP_MS * 1000);
	if (daemon->accepted > 0)
		log_warn("stopping: %llu messages were not finished in time",
		    (unsigned long long)daemon->accepted);
}

int
keeper_run(struct daemon *daemon)
{
	sigset_t set;
	int signal;

	our_signals(&set);
	while (!daemon->filter_ended) {
		signal = wait_signal(&set, WAIT_STEP_MS);
		if (signal == SIGHUP)
			daemon_reload(daemon);
		if (signal != SIGTERM && signal != SIGINT)
			continue;
		drain(daemon);
		return 0;
	}
	log_error("libmilter has given up");
	begin_ending(daemon, CLOSE_MS);
	return -1;
}
