/*
 * release.h - gives held mail to the release listener, once.
 *
 * held -> releasing (owner, lease) -> released | refused | unknown.  What
 * goes out are the stored bytes, preceded by our Received:, signatures and
 * results and by X-Sekimori-Release (HMAC over held id, recipient, hash,
 * expiry), which the milter honours from release_networks and removes.  Of
 * the stored header those fields are left out that only we may write
 * (X-Sekimori-*, Authentication-Results in our name), as from mail that
 * passes; and the Subject is marked where policy wanted it.  The signatures
 * (DKIM, ARC) were made by the milter, which alone has the keys, over just
 * that header.
 *
 * Never lost: an entry leaves the store only by its retention.  Never
 * twice, but in one case: that we die, or the store stays away, between the
 * listener's answer to the final dot and our note of it.  The entry is then
 * `unknown`, and only a person releases it again.
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
	const char *listener; /* HOST:PORT, [IPv6]:PORT */
	unsigned timeout_s;
	const char *helo;
};

/* All borrowed but the options; events may be NULL. */
struct release *release_open(struct quarantine *quarantine,
    struct events *events, const struct release_options *options);
void release_close(struct release *release);

/*
 * Release one entry to its mailbox.  *state: what became of it.  1 released
 * now or before; 0 not released, and trying again as it is will not help
 * (*state, *err say why: refused, removed, being released by somebody);
 * -1 not released, or not known (*state HELD_UNKNOWN): ERR_TEMP, or
 * ERR_CONFIG when an operator must act.  Safe from any thread.
 */
int release_one(struct release *release, const struct settings *settings,
    const char *held_id, const char *domain, const char *actor,
    bool retry_unknown, enum held_state *state, struct err *err);

/* ---- the signed header (release_header.c) ---- */

#define RELEASE_FIELD "X-Sekimori-Release"
/* For how long it counts. */
#define RELEASE_LIFE_S 600

/*
 * Made for what we inject, checked by the milter.  recipient: key of the
 * mailbox; hash: SHA-256 of all below the field, with CRLF at the end.
 * _make appends the whole field with its line end; -1 when the settings
 * have no secret yet, or out is full.
 */
int release_header_make(const struct settings *settings, const char *held_id,
    const char *recipient, const uint8_t hash[32], struct buf *out);
/* value: the field's, unfolded. */
bool release_header_check(const struct settings *settings, struct bytes value,
    const char *recipient, const uint8_t hash[32]);

/* ---- the worker (release_worker.c) ---- */

/*
 * A thread that sends what is to be delivered: when it was told to, else
 * when it is due (quarantine_due, looked at every 5 s), again and again with
 * longer and longer pauses.  What the listener refuses for good, or has
 * not taken within RELEASE_GIVE_UP_S, becomes a held entry that says so:
 * never lost, never a bounce.
 */
#define RELEASE_GIVE_UP_S (5 * 86400)

struct release_worker;
/* settings: a new reference to the current snapshot, or NULL while there is
 * none.  NULL when there is no thread to be had. */
struct release_worker *release_worker_start(struct release *release,
    struct settings *(*settings)(void *context), void *context);
/* An entry to-deliver that may be sent after so many milliseconds, before it
 * is due.  Should that not be possible then, it is found when it is due. */
void release_worker_tell(struct release_worker *worker, const char *held_id,
    const char *domain, unsigned after_ms);
/* Waits for the delivery that is going on.  NULL is fine. */
void release_worker_stop(struct release_worker *worker);

#endif
