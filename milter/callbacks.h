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

/*
 * Serves in threads of libmilter, until the process ends: libmilter cannot
 * be stopped (see callbacks.c).  What it calls after daemon_close finds the
 * daemon closed.  When libmilter gives up, daemon->filter_ended says so.
 */
int callbacks_start(struct daemon *daemon, struct err *err);

#endif
