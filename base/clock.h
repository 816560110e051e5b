/*
 * clock.h - the one place where time comes from.
 *
 * Wall clock for what people and other programs see (events, expiry),
 * monotonic for deadlines.  A build with --enable-test-hooks adds
 * SEKIMORI_CLOCK_SHIFT_S seconds to the wall clock.  Safe from any thread.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

int64_t clock_wall_ms(void); /* since 1970-01-01 UTC */
time_t clock_wall_s(void);
int64_t clock_mono_ms(void);
int64_t clock_mono_us(void);
/* Processor time of this thread. */
int64_t clock_thread_cpu_ms(void);

/* A condition whose timed waits go by the monotonic clock. */
void clock_cond_init(pthread_cond_t *cond);
/* For pthread_cond_timedwait on such a condition. */
struct timespec clock_mono_timespec(int64_t mono_ms);

/* "Sun, 22 Nov 2026 09:00:00 +0900": RFC 5322 date-time, local zone. */
#define CLOCK_RFC5322_SIZE 64
void clock_rfc5322(time_t t, char out[CLOCK_RFC5322_SIZE]);
/* "2026-11-22T00:00:00.123Z": RFC 3339 in UTC. */
#define CLOCK_RFC3339_SIZE 80
void clock_rfc3339(int64_t wall_ms, char out[CLOCK_RFC3339_SIZE]);

#endif
