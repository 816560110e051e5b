/*
 * pulse.h - a thread that tells every few seconds how the milter fares.
 *
 * What is counted where it happens lies in daemon->metrics; what others
 * count (DNS, store, events, the kernel) is fetched just before it is told
 * (quarantine/heartbeat.h).  While Redis is away nothing is told, and
 * nobody waits for it.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef MILTER_PULSE_H
#define MILTER_PULSE_H

#include "base/err.h"

struct daemon;
struct pulse;

/* The daemon has a store. */
struct pulse *pulse_start(struct daemon *daemon, struct err *err);
/* Takes back what was told last.  NULL is fine. */
void pulse_stop(struct pulse *pulse);

#endif
