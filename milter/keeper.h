/*
 * keeper.h - hears signals: reload, drain, end.
 *
 *	HUP         read the config again
 *	TERM, INT   take no new recipients, finish what has one (at most
 *	            drain_timeout), then stop; a second one ends at once
 *
 * From the first TERM on the process ends within drain_timeout and ten
 * seconds more, whatever hangs: a thread watches over it.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef MILTER_KEEPER_H
#define MILTER_KEEPER_H

#include "milter/daemon.h"

/* Blocks the signals in this thread and all it makes: before any thread. */
void keeper_block_signals(void);

/* Serves signals until the daemon is to be closed: 0 when we were told to
 * and have drained, -1 when libmilter has given up. */
int keeper_run(struct daemon *daemon);

#endif
