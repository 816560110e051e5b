/*
 * hold.h - what the files of the quarantine share; nobody else includes it.
 *
 *	quarantine.c     opening; words of states
 *	hold_put.c       writes a mail and its entries
 *	hold_chunks.c    the bytes of a mail: compressed pieces
 *	hold_entry.c     an entry: keys, JSON, reading it with suspicion
 *	hold_script.c    the scripts, and arguments for them
 *	hold_list.c      one entry, and pages of them
 *	hold_change.c    remove, lease, settle, due
 *	hold_mend.c      what a crash or time left behind
 *	outbox.c         events of holds on their way into the streams
 *
 * Names and contents of the keys: doc/redis-keys.md.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef QUARANTINE_HOLD_H
#define QUARANTINE_HOLD_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/crypto.h"
#include "base/store.h"
#include "base/strmap.h"
#include "base/ulid.h"
#include "quarantine/quarantine.h"

#define HOLD_CHUNK_SIZE (256 * 1024)
/* Larger than any hold_message_max. */
#define HOLD_MESSAGE_MAX ((uint64_t)2048 * 1024 * 1024)
#define HOLD_JSON_MAX (4 * 1024 * 1024)

#define MS_PER_DAY ((int64_t)86400 * 1000)
/* How long a mail is remembered, so that it is not held or sent twice. */
#define HOLD_DUP_MS (5 * MS_PER_DAY)
/* Chunks outlive the last entry by this. */
#define HOLD_CHUNK_EXTRA_MS MS_PER_DAY
/* Entries are removed when their time is up, by us, with their counters;
 * Redis does it only for domains that nobody looks at any more. */
#define HOLD_ENTRY_EXTRA_MS (3 * MS_PER_DAY)
/* To-deliver: not before the transaction has been answered. */
#define HOLD_DELIVER_AFTER_MS 5000

#define HELD_ID_SIZE sizeof(((struct hold_entry *)0)->id)

/* Domains that have held mail, or mail to deliver; by when they were noted. */
#define HOLD_DOMAINS_KEY "sk:{q}:domains"
#define HOLD_DUE_KEY "sk:{q}:due"

struct outbox;

struct hold_note {
	int64_t domains_ms; /* monotonic: when it was put into the list */
	int64_t due_ms;
	char name[];
};

struct quarantine {
	struct store *store;
	struct quarantine_options options;
	struct outbox *outbox;
	atomic_bool mending_ends; /* see quarantine_stop_mending */
	pthread_mutex_t lock;     /* of the fields below */
	bool has_secret;
	uint8_t secret[SHA256_LEN];
	/* Domains noted a moment ago, to save a write for each mail. */
	struct strmap noted; /* to struct hold_note, whose name is the key */
	size_t due_turn;     /* whose domain comes first */
};

/* Forgets which domains were noted; under the lock. */
void hold_notes_forget(struct quarantine *q);

/* ---- hold_script.c ---- */

/* Arguments of a script: keys first.  Text is copied to the arena. */
struct hold_args {
	struct arena *arena;
	struct bytes *argv;
	size_t argc, size, keys;
};

void hold_args_init(struct hold_args *args, struct arena *arena);
void hold_arg(struct hold_args *args, struct bytes borrowed);
void hold_arg_str(struct hold_args *args, const char *borrowed);
void hold_arg_int(struct hold_args *args, int64_t value);
/* The same, and it is a key. */
void hold_key(struct hold_args *args, const char *borrowed);

/* In the order of their names. */
enum hold_script_id {
	SCRIPT_CANCEL,
	SCRIPT_CHECK,
	SCRIPT_DOT,
	SCRIPT_DROP,
	SCRIPT_FORGET_DOMAIN,
	SCRIPT_HOLD,
	SCRIPT_LEASE,
	SCRIPT_SET_BYTES,
	SCRIPT_SETTLE,
	SCRIPT_COUNT
};
int hold_run(struct quarantine *q, enum hold_script_id id, bool durable,
    const struct hold_args *args, struct store_reply **reply, struct err *err);

/* The i-th item of an array reply as a number or text; 0, "" when it is
 * none. */
int64_t hold_reply_int(const struct store_reply *reply, size_t i);
struct bytes hold_reply_text(const struct store_reply *reply, size_t i);

/* ---- hold_entry.c ---- */

#define HOLD_DOMAIN_MAX 255
#define HOLD_LOCAL_MAX 320

/* The parts of a mailbox key: local@domain; both in the arena. */
int hold_split(struct arena *arena, const char *mailbox, const char **local,
    const char **domain, struct err *err);
/* sk:{d:DOMAIN}:NAME */
const char *hold_domain_key(struct arena *arena, const char *domain,
    const char *name);
/* sk:{d:DOMAIN}:NAME:REST */
const char *hold_domain_key2(struct arena *arena, const char *domain,
    const char *name, const char *rest);
/* sk:{m:ID}:NAME */
const char *hold_mail_key(struct arena *arena, struct bytes id,
    const char *name);
/* "ULID.N": the ULID; ERR_INPUT when it is none. */
int hold_id_parse(const char *held_id, struct bytes *mail_id, struct err *err);

/* What stands in sk:{d:D}:expiry: "ID BYTES LOCAL". */
struct hold_charge {
	struct bytes id;
	uint64_t bytes;
	struct bytes local;
};
const char *hold_charge_format(struct arena *arena, const char *id,
    uint64_t bytes, const char *local);
int hold_charge_parse(struct bytes text, struct hold_charge *charge);

/* Text that need not be UTF-8: name, and name_raw in base64 when it is
 * not. */
void hold_json_text(json_t *object, const char *name, const char *text);
/* A JSON object out of the store, or NULL with *err naming the key. */
json_t *hold_json_parse(struct bytes text, const char *key, struct err *err);
/* Compact text in the arena. */
const char *hold_json_dump(struct arena *arena, const json_t *object);

/* What is known of an entry, as hold_status_command asked for it. */
struct hold_status {
	enum held_state state; /* a lease that ran out is counted */
	bool is_whole;         /* false: only what follows up to row */
	int64_t expires_ms;
	struct bytes row;
	const char *actor;  /* or NULL: who has or had the lease */
	const char *reply;  /* or NULL: what the listener said */
	int64_t settled_ms; /* 0: never */
	int64_t lease_until_ms;
	int64_t tries;
	uint64_t charge;
	struct bytes local;
};
/*
 * The command that reads an entry; a short one, for lists, is answered in a
 * third of the time and tells all there is to tell of an entry that is
 * held.  Of another state it says no more than that (HELD_RELEASING may be
 * a lease that ran out).
 */
void hold_status_command(struct hold_args *args, const char *key,
    bool is_short);
/* From its reply; text is borrowed from it.  1, 0 there is no entry, -1
 * damaged: *err. */
int hold_status_read(const struct store_reply *reply, const char *key,
    int64_t now_ms, struct hold_status *status, struct err *err);

/* ---- hold_chunks.c ---- */

struct hold_writer;

/* What is known of a mail's bytes before they are stored. */
struct hold_digest {
	uint64_t size;
	uint8_t sha256[SHA256_LEN];
};
int hold_digest_make(struct message *message, struct hold_digest *digest,
    struct err *err);

/*
 * Stores the bytes, the meta data and who needs them (n entries), to live
 * for life_ms.  *stored: how many bytes in the store.
 */
int hold_chunks_write(struct quarantine *q, const struct hold_mail *mail,
    const struct hold_digest *digest, size_t n,
    const struct hold_entry *entries, int64_t life_ms, uint64_t *stored,
    struct err *err);
/* At once, for a put that failed; what cannot be removed expires. */
void hold_chunks_undo(struct quarantine *q, const struct hold_mail *mail,
    uint64_t size);
/* One entry less needs them. */
int hold_chunks_release(struct quarantine *q, const char *held_id,
    struct err *err);

/* ---- hold_change.c ---- */

enum hold_drop {
	DROP_REMOVED, /* by somebody */
	DROP_EXPIRED,
	DROP_DEAD, /* has no mail */
};
/* 1, 0 was gone (indexes are clean now), 2 somebody releases it, -1. */
int hold_drop(struct quarantine *q, const char *domain,
    const struct hold_charge *charge, enum hold_drop why, const char *actor,
    struct err *err);
/* Removes up to limit entries whose time is up; how many, or -1. */
int64_t hold_trim(struct quarantine *q, const char *domain, size_t limit,
    struct err *err);

/* ---- outbox.c ---- */

struct outbox *outbox_new(struct store *store);
/* Sends what it can without waiting long, then stops. */
void outbox_free(struct outbox *outbox);
/* An event stands in the outbox of domain: send it, then strike it out. */
void outbox_add(struct outbox *outbox, const char *domain, const char *event_id,
    const char *text);
/* What others left in the outbox of a domain; how many, or -1. */
int64_t outbox_sweep(struct outbox *outbox, const char *domain,
    struct err *err);

#endif
