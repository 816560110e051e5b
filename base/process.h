/*
 * process.h - what a daemon does to its own process when it starts, and says
 * of it.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BASE_PROCESS_H
#define BASE_PROCESS_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct conf;

/*
 * Reads "[-c FILE]" and "-V", which all daemons take: the config file, NULL
 * for the usual one.  Prints and ends the process on -V, -h and mistakes.
 */
const char *process_read_options(const char *name, int argc, char **argv);

/* The log as the config wants it. */
void process_open_log(const char *name, const struct conf *conf);

/* Ends the process for a reason: status 78 when the config is at fault, else
 * 75 (sysexits.h). */
_Noreturn void process_die(const struct err *err);

/*
 * As root: become user, with the groups of that user.  As anybody else:
 * nothing, as nothing else is possible.  An empty name keeps root.
 * Called before threads start.
 */
int process_become(const char *user, struct err *err);

/* Raises the limit of open files as far as the system lets us, so that
 * accept does not spin at EMFILE. */
int process_raise_files(struct err *err);

/*
 * For a program whose threads come and go, before the first one: stacks of
 * this size instead of 8 MB, of which the C library keeps but five for the
 * next threads; and a heap for each core that we may use instead of eight.
 */
int process_prepare_threads(size_t stack_size, struct err *err);

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
