/*
 * waker.h - makes libmilter start a worker thread before one goes waiting.
 *
 * libmilter's controller gives an event to an idle worker if it counts one,
 * and counts a worker as idle until that has really woken up.  Events that
 * arrive together are so given to one worker, and all but the first stay
 * until it comes back, although nobody counts as idle any more [16 ends of
 * message of 3 s each took 18 s].  A further event, whichever session it is
 * of, finds no idle worker and starts one, which then also takes what was
 * left lying.  So whoever is going to wait calls waker_wake: it sends a
 * harmless event (a macro packet, to which nobody answers) on sessions that
 * the process keeps to its own milter socket.
 *
 * Each wake-up lets a few of those that were left lying go on; they wake
 * others before they wait in turn.  It is repeated for some seconds, at
 * growing intervals, as it may come too early on a busy machine.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef MILTER_WAKER_H
#define MILTER_WAKER_H

#include <stdbool.h>

#include "base/endpoint.h"
#include "base/err.h"

struct waker;

/* milter: where our own listener is.  Nothing is connected yet. */
struct waker *waker_start(const struct endpoint *milter, struct err *err);
void waker_stop(struct waker *waker);

/* Safe from any thread, never blocks. */
void waker_wake(struct waker *waker);

#endif
