/*
 * store.h - commands and scripts to Redis: one, under Sentinel, or a
 * Cluster.
 *
 * Connections are pooled and made when needed; a command is given to the
 * node that owns the slot of its key (MOVED and ASK are followed).  All
 * calls are safe from any thread and block for at most timeout_ms.  A
 * command that may have been carried out though its answer was lost is
 * never sent again by the store: the caller gets ERR_TEMP and knows
 * whether its command is idempotent.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BASE_STORE_H
#define BASE_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

struct store;

struct store_options {
	const char *url; /* unix:/path, HOST:PORT, redis://[:PASS@]HOST:PORT/,
			  * rediss://..., sentinel:NAME@HOST:PORT,...,
			  * cluster:HOST:PORT,... */
	const char *password;     /* or NULL; one in the url goes before */
	const char *ca_file;      /* for rediss; NULL: the system's */
	unsigned timeout_ms;      /* connect and each command; 0: 2,000 */
	unsigned connections_max; /* pool a node; 0: 32 */
};

enum store_type {
	STORE_NIL,
	STORE_STATUS, /* text */
	STORE_STRING, /* text: any bytes */
	STORE_INTEGER,
	STORE_ARRAY,
	STORE_ERROR, /* only inside an array or a pipeline: text */
};

/* A tree; freed whole by store_reply_free of its root. */
struct store_reply {
	enum store_type type;
	int64_t integer;
	struct bytes text; /* a NUL stands behind it, not counted */
	size_t count;
	struct store_reply *items;
};

/* Opens nothing yet: the first command connects.  NULL: bad url. */
struct store *store_open(const struct store_options *options, struct err *err);
void store_close(struct store *store);
/* How long a call may take. */
unsigned store_timeout_ms(const struct store *store);

/*
 * Run one command; key names the slot (NULL: any node).  Returns 0 and the
 * reply, to be freed by store_reply_free, or -1: ERR_TEMP when Redis is
 * away or slow or read-only, ERR_LIMIT on OOM, ERR_INPUT when Redis
 * refused the command.
 */
int store_run(struct store *store, const char *key, size_t argc,
    const struct bytes *argv, struct store_reply **reply, struct err *err);

/*
 * The same from a format: %s a string, %b a struct bytes * (pointer), %d an
 * int64_t, alone or as a part of a word; words are split at single spaces
 * of the format, never at those of a value.
 */
int store_runf(struct store *store, const char *key, struct store_reply **reply,
    struct err *err, const char *fmt, ...);

/*
 * Several commands to the slot of key, sent at once, answered in order:
 * replies[i] belongs to command i and is STORE_ERROR when Redis refused
 * it.  -1: nothing is known of any of them.
 */
struct store_command {
	size_t argc;
	const struct bytes *argv;
};
int store_pipeline(struct store *store, const char *key, size_t n,
    const struct store_command *commands, struct store_reply **replies,
    struct err *err);

/* -1 with *err (as store_run would have) when reply is STORE_ERROR. */
int store_reply_error(const struct store_reply *reply, struct err *err);

/*
 * The same, and then waits on the same connection for what the durability
 * of the store demands beyond the settings (a replica, an fsync).  -1 with
 * ERR_TEMP also when that did not come in time; the commands may then have
 * been carried out.
 */
int store_pipeline_durable(struct store *store, const char *key, size_t n,
    const struct store_command *commands, struct store_reply **replies,
    struct err *err);

/* A Lua script, loaded when a node does not know it.  The first `keys` of
 * argv are its KEYS; all lie in the slot of argv[0]. */
struct store_script {
	const char *name; /* for logs */
	const char *text;
};
int store_eval(struct store *store, const struct store_script *script,
    size_t keys, size_t argc, const struct bytes *argv,
    struct store_reply **reply, struct err *err);
/* As store_pipeline_durable. */
int store_eval_durable(struct store *store, const struct store_script *script,
    size_t keys, size_t argc, const struct bytes *argv,
    struct store_reply **reply, struct err *err);
/* The same as store_eval, but gives up after timeout_ms. */
int store_eval_within(struct store *store, unsigned timeout_ms,
    const struct store_script *script, size_t keys, size_t argc,
    const struct bytes *argv, struct store_reply **reply, struct err *err);

void store_reply_free(struct store_reply *reply); /* NULL is fine */

/*
 * Does what is acknowledged survive a crash?  Checks the settings named in
 * the design (appendonly, appendfsync, noeviction, replicas) of every
 * server that takes writes.  Remembered for 10 s, and not over the loss of
 * a connection: who asks before and after a write knows that no restart
 * with other settings came between.  1 yes; 0 no, *err says which setting;
 * -1 not reachable or not readable (counts as no).
 */
int store_is_durable(struct store *store, struct err *err);

/* Did the last call work?  One that gave Redis less than timeout_ms and was
 * too late says nothing.  Never blocks. */
bool store_is_up(const struct store *store);

/* Since the store was opened. */
struct store_stats {
	uint64_t calls;       /* exchanges that were answered */
	uint64_t failures;    /* connections and exchanges that failed */
	uint64_t turned_away; /* by a breaker, without asking */
};
void store_get_stats(struct store *store, struct store_stats *out);

/*
 * Messages of a channel, on a thread of the store's own; heard is called
 * on that thread, also (with message NULL) each time the subscription is
 * made, the first time too, as messages may have been missed before.
 */
struct store_subscription;
struct store_subscription *store_subscribe(struct store *store,
    const char *channel, void (*heard)(void *context, struct bytes *message),
    void *context);
void store_unsubscribe(struct store_subscription *subscription);

#endif
