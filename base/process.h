/*
 * process.h - what a daemon does to its own process when it starts.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BASE_PROCESS_H
#define BASE_PROCESS_H

#include <stdint.h>

#include "base/err.h"

/*
 * As root: become user, with the groups of that user.  As anybody else:
 * nothing, as nothing else is possible.  An empty name keeps root.
 * Called before threads start.
 */
int process_become(const char *user, struct err *err);

/* Raises the limit of open files as far as the system lets us, so that
 * accept does not spin at EMFILE. */
int process_raise_files(struct err *err);

/* What the process has used, and uses now. */
struct process_usage {
	uint64_t cpu_ms; /* by user and system */
	uint64_t resident_bytes;
	uint64_t open_files;
};
/* What cannot be known is 0. */
void process_get_usage(struct process_usage *usage);

/*
 * Tells systemd (NOTIFY_SOCKET) a state: "READY=1", "STOPPING=1",
 * "RELOADING=1".  Does nothing when nobody listens.
 */
void process_notify(const char *state);

#endif
