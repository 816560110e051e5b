/*
 * release.h - gives held mail to the release listener, once.
 *
 * held -> releasing (owner, lease) -> released | refused | unknown.  The
 * bytes that go out are the stored bytes, preceded by our Received: and
 * results, and by X-Sekimori-Release (HMAC over held id, recipient, hash,
 * expiry), which the milter honours from release_networks and removes.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef QUARANTINE_RELEASE_H
#define QUARANTINE_RELEASE_H

#include <stdbool.h>

#include "quarantine/quarantine.h"

struct events;
struct release;
struct settings;

struct release_options {
	const char *listener; /* HOST:PORT */
	unsigned timeout_s;
	const char *helo;
};

struct release *release_open(struct quarantine *quarantine,
    struct events *events, const struct release_options *options);
void release_close(struct release *release);

/*
 * Release one entry to its mailbox.  *state: what became of it.  1 released
 * now or before; 0 not released (*state, *err say why); -1 could not tell
 * or try (ERR_TEMP).
 */
int release_one(struct release *release, const struct settings *settings,
    const char *held_id, const char *domain, const char *actor,
    bool retry_unknown, enum held_state *state, struct err *err);

/* The signed header: made for what we inject, checked by the milter. */
int release_header_make(const struct settings *settings, const char *held_id,
    const char *recipient, const uint8_t hash[32], struct buf *out);
bool release_header_check(const struct settings *settings, struct bytes value,
    const char *recipient, const uint8_t hash[32]);

/* A thread that sends what is to be delivered; release_wake: look now. */
struct release_worker;
struct release_worker *release_worker_start(struct release *release,
    struct settings *(*settings)(void *context), void *context);
void release_worker_wake(struct release_worker *worker);
void release_worker_stop(struct release_worker *worker);

#endif
