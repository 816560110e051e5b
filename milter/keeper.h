/*
 * keeper.h - the thread that hears signals: reload, drain, end.
 *
 *	HUP         read the config again
 *	TERM, INT   take no new recipients, finish what has one (at most
 *	            drain_timeout), then stop; a second one ends at once
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef MILTER_KEEPER_H
#define MILTER_KEEPER_H

#include "milter/daemon.h"

/* Blocks the signals in this thread and all it makes: before any thread. */
void keeper_block_signals(void);

struct keeper;

struct keeper *keeper_start(struct daemon *daemon, struct err *err);
/* From here on the signals have their default effect: they kill. */
void keeper_stop(struct keeper *keeper);

#endif
