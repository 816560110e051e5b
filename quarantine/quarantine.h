/*
 * quarantine.h - holds messages back until somebody decides about them.
 *
 * A held message is its chunks (bytes, compressed, once for all its
 * recipients) and one entry for each final mailbox.  Chunks are written
 * first and removed last, so an entry never points at nothing.  Entries
 * also stand for mail "to-deliver": recipients whom a transaction could not
 * serve and whom the release machinery serves beside it.
 *
 * Every call is idempotent and safe when two people act at once: changes
 * are scripts in the store that check the state they start from.  All
 * calls are safe from any thread and block on the store only.
 *
 * Keys, types and lives: doc/redis-keys.md.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef QUARANTINE_QUARANTINE_H
#define QUARANTINE_QUARANTINE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

struct message;
struct quarantine;
struct store;

struct quarantine_options {
	uint64_t message_max;     /* bytes; larger: ERR_LIMIT */
	uint64_t domain_max;      /* bytes of entries a domain */
	unsigned memory_percent;  /* of maxmemory that holds may use */
	bool durability_required; /* not durable: ERR_TEMP, nothing held */
};

struct quarantine *quarantine_open(struct store *store,
    const struct quarantine_options *options);
void quarantine_close(struct quarantine *quarantine);

enum held_state {
	HELD_HELD,
	HELD_TO_DELIVER, /* waits for the release machinery, nobody's choice */
	HELD_RELEASING,  /* somebody has the lease */
	HELD_RELEASED,
	HELD_REFUSED, /* the listener said no for good */
	HELD_UNKNOWN, /* died after the final dot: only a person retries */
	HELD_REMOVED,
};
const char *held_state_name(enum held_state state);
int held_state_parse(struct bytes word);

/* What is written for one final mailbox. */
struct hold_entry {
	/* in */
	const char *mailbox; /* key */
	const char *rcpt;    /* the RCPT address it came by, raw */
	const char *rcpt_params;
	enum held_state state;    /* HELD_HELD or HELD_TO_DELIVER */
	bool hidden;              /* only admins may release */
	const char *subject_mark; /* to be put before the Subject on delivery,
				   * or NULL */
	const char *signatures;   /* header fields with their line ends, over
				   * the mail as it is delivered: DKIM, ARC;
				   * or NULL */
	uint64_t retention_s;
	json_t *record; /* decision record, borrowed */
	json_t *event;  /* the event of this mailbox, borrowed: written in the
			 * same step, into the outbox of the domain */
	/* out */
	char id[40];  /* "ULID.N": the "id" of the event, else by position;
		       * when already: of the entry that was there */
	bool already; /* the same mail was held before: nothing was written */
};

/* What is common to all entries of a message. */
struct hold_mail {
	const char *id; /* message id (ULID) */
	const char *sender;
	const char *sender_params;
	const char *client_ip;
	const char *helo;
	const char *received; /* our Received: field for release */
	const char *results;  /* header fields of ours, put before it */
	/* whose Authentication-Results only we write: others that claim to be
	 * ours are left out on release */
	const char *authserv_id;
	const char *subject;    /* decoded, for lists */
	const char *from;       /* decoded From header */
	const char *message_id; /* Message-ID */
	int64_t received_ms;
	struct message *message;
};

/*
 * Write chunks and all entries.  Returns 0 when everything is stored as
 * durably as the store promises; else -1 and nothing of it can be seen:
 * ERR_TEMP (defer), ERR_LIMIT (*full says which ceiling).  A mail that was
 * put before (same sender, mailbox and bytes within 5 days) is marked
 * already, not put twice, whatever became of it meanwhile.
 *
 * One exception: Redis is lost in the last step and cannot be reached to
 * take back what it carried out.  Then -1 is returned and entries may be
 * there when Redis is back; the sender's next try finds them (already),
 * and a log line tells of it.  Nothing is taken back later, as that try
 * may have been answered by then.
 */
enum quarantine_full {
	FULL_NOT,
	FULL_MESSAGE,
	FULL_DOMAIN,
	FULL_MEMORY
};
int quarantine_put(struct quarantine *quarantine, const struct hold_mail *mail,
    size_t n, struct hold_entry *entries, enum quarantine_full *full,
    struct err *err);

/* One entry with its message's meta data.  1, 0 not there (or expired), -1.
 * Keys of the object: doc/redis-keys.md. */
int quarantine_get(struct quarantine *quarantine, const char *held_id,
    const char *domain, json_t **entry, struct err *err);

/*
 * The signatures of an entry (see hold_entry), appended to out; nothing when
 * it has none.  0, -1.  Nothing else tells them: a signature of ours under
 * mail that nobody has released yet is not for pages.
 */
int quarantine_signatures(struct quarantine *quarantine, const char *held_id,
    const char *domain, struct buf *out, struct err *err);

/* The stored bytes, in pieces, exactly as received.  0, -1. */
int quarantine_read(struct quarantine *quarantine, const char *held_id,
    int (*each)(void *context, struct bytes piece, struct err *err),
    void *context, struct err *err);

/* Newest first.  Filters are conjunctive, NULL or 0 means any. */
struct held_filter {
	const char *domain;    /* required */
	const char *mailbox;   /* key */
	const char *sender;    /* part of envelope sender or From */
	const char *recipient; /* part */
	const char *subject;   /* part */
	const char *class;     /* main class, or main/sub */
	int state;             /* enum held_state, -1 any */
	int64_t since_ms, until_ms;
	bool with_hidden;
};
/* before: *next of the page ahead, or NULL.  *next: in the arena, NULL at
 * the end.  *entries is a new array; it may have fewer than limit, even
 * none, while there is a *next: so many did not pass the filter that the
 * rest is left to the next call. */
int quarantine_list(struct quarantine *quarantine, struct arena *arena,
    const struct held_filter *filter, const char *before, size_t limit,
    json_t **entries, const char **next, struct err *err);

/*
 * Removed for its recipient: 1, 0 when it was gone already, -1; ERR_TEMP
 * also while somebody releases it.  The event ("removed") is written in
 * the same step.
 */
int quarantine_remove(struct quarantine *quarantine, const char *held_id,
    const char *domain, const char *actor, struct err *err);

/* ---- for release.c ---- */

/* held, to-deliver, refused, unknown (if retry_unknown) -> releasing.  1 the
 * lease is ours (token written, *state is the one before), 0 not in a state
 * to be released (*state; HELD_REMOVED when it is not there). */
#define LEASE_TOKEN_SIZE 27
int quarantine_lease(struct quarantine *quarantine, const char *held_id,
    const char *domain, const char *actor, unsigned lease_s, bool retry_unknown,
    char token[LEASE_TOKEN_SIZE], enum held_state *state, struct err *err);
/* releasing -> state, if the lease is still ours: also when it has run out
 * and nobody else has taken it since.  HELD_HELD and HELD_TO_DELIVER give it
 * back; the latter is due again after a while, longer each time.  1, 0, -1. */
int quarantine_settle(struct quarantine *quarantine, const char *held_id,
    const char *domain, const char *token, enum held_state state,
    const char *reply, struct err *err);
/* Note, before the final dot, that from here on the outcome is not known
 * without us (a lease that runs out then means HELD_UNKNOWN).  The lease
 * begins anew, so that it lasts for the answer however long the message
 * took.  1, 0, -1 */
int quarantine_mark_dot(struct quarantine *quarantine, const char *held_id,
    const char *domain, const char *token, unsigned lease_s, struct err *err);

/* to-deliver entries whose time has come (first a few seconds after they
 * were put, so that the transaction has been answered; then backing off),
 * of all domains: up to limit ids with their domains. */
struct held_ref {
	char id[40];
	const char *domain; /* in the arena */
};
int quarantine_due(struct quarantine *quarantine, struct arena *arena,
    size_t limit, struct held_ref *refs, size_t *n, struct err *err);

/* At start, and now and then: what is over its time, entries without chunks,
 * indexes, counts, and events that a crash left in an outbox. */
int quarantine_mend(struct quarantine *quarantine, struct err *err);
/* From another thread: a mending that goes on ends soon, with what it has
 * done; there will be no more. */
void quarantine_stop_mending(struct quarantine *quarantine);

#endif
