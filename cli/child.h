/*
 * child.h - a program that we start, watch, start again and stop.
 *
 * For `sekimori up`, in its one thread.  A child runs in a process group of
 * its own, so that Ctrl-C at a terminal reaches us only and they are stopped
 * in order; and it is killed by the kernel when we die, so that nothing is
 * left running whatever happens to us.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef CLI_CHILD_H
#define CLI_CHILD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

struct child {
	const char *name;        /* for the log */
	const char *const *argv; /* ends with NULL; argv[0] is a path, or is
				  * found by PATH */
	const char *notify;      /* NOTIFY_SOCKET for it, or NULL */
	/* private */
	pid_t pid;  /* 0: not running */
	bool ready; /* it said so, or was seen to be */
	bool was_ready;
	int64_t started_ms;  /* monotonic */
	int64_t start_at_ms; /* not before */
	unsigned backoff_ms;
};

bool child_is_running(const struct child *child);
/* Not running, and its pause is over. */
bool child_is_due(const struct child *child);
/* Until then, at least; -1: it is running. */
int64_t child_due_ms(const struct child *child);

int child_start(struct child *child, struct err *err);
void child_set_ready(struct child *child);

/*
 * It has ended with this status of waitpid: says so in the log, and sets
 * when it is to be started again, later and later when it dies young.
 * False: it has never been ready, so starting it again would not help.
 */
bool child_ended(struct child *child, int status);

/* Nothing when it is not running. */
void child_signal(const struct child *child, int signal);

#endif
