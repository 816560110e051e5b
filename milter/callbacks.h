/*
 * callbacks.h - libmilter's side: what it calls, and how it is run.
 *
 * libmilter's types stay in callbacks.c.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef MILTER_CALLBACKS_H
#define MILTER_CALLBACKS_H

#include "milter/daemon.h"

/* Opens the socket and registers the filter.  Once a process. */
int callbacks_open(struct daemon *daemon, struct err *err);

/* Serves until callbacks_stop.  0, or -1 when libmilter failed. */
int callbacks_run(void);

/* Safe from any thread. */
void callbacks_stop(struct daemon *daemon);

#endif
