/*
 * store_impl.h - what the files of the store share; nobody else includes it.
 *
 *	store_url.c        a url into addresses
 *	store_reply.c      bytes into replies, under ceilings
 *	store_conn.c       one connection, every wait under a deadline
 *	store_node.c       one server: its connections and its breaker
 *	store_topology.c   which server: Sentinel and Cluster
 *	store_durable.c    does what is acknowledged survive a crash?
 *	store_subscribe.c  a channel on a thread of its own
 *	store.c            commands and scripts: choose, send, follow
 *
 * One mutex per store guards nodes and topology; it is never held over
 * anything that blocks.  A connection belongs to the thread that took it.
 * Deadlines are points of the monotonic clock in milliseconds.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BASE_STORE_IMPL_H
#define BASE_STORE_IMPL_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/store.h"

#define STORE_NODES_MAX 256
#define STORE_SLOTS 16384

/* ---- store_url.c ---- */

enum store_kind {
	STORE_ONE,
	STORE_SENTINEL,
	STORE_CLUSTER
};

struct store_address {
	char *host;    /* or the path of a unix socket */
	unsigned port; /* 0: unix socket */
};

struct store_url {
	enum store_kind kind;
	bool tls;
	char *user, *password; /* or NULL */
	char *master;          /* of STORE_SENTINEL */
	size_t count;
	struct store_address *addresses;
};

/* -1: nothing to free. */
int store_url_parse(const char *text, struct store_url *url, struct err *err);
void store_url_fini(struct store_url *url);
/* "HOST:PORT" or "[HOST]:PORT" into *address. */
int store_address_parse(struct bytes text, unsigned port_default,
    struct store_address *address);

/* ---- store_reply.c ---- */

/* A reply over these ends its connection: no command of ours has one. */
#define STORE_REPLY_ITEMS_MAX (1024 * 1024)
#define STORE_REPLY_BYTES_MAX ((size_t)96 * 1024 * 1024)

struct store_reader;

struct store_reader *store_reader_new(void);
void store_reader_free(struct store_reader *reader);
/* -1: ERR_TEMP, the stream makes no sense or passes a ceiling. */
int store_reader_feed(struct store_reader *reader, const char *data, size_t len,
    struct err *err);
/* 1 and the next reply, 0 when more bytes are needed, -1. */
int store_reader_get(struct store_reader *reader, struct store_reply **reply,
    struct err *err);
/* Nothing was fed that did not belong to a reply already taken. */
bool store_reader_is_empty(const struct store_reader *reader);

/* ---- store_conn.c ---- */

/* Why a connection is of no more use. */
enum conn_fault {
	CONN_GOOD,
	CONN_TIMEOUT,
	CONN_CLOSED,   /* the other side went away */
	CONN_PROTOCOL, /* nonsense came */
};

struct store_conn {
	struct store_conn *next; /* idle list of its node */
	int fd;
	void *tls; /* SSL * or NULL */
	struct store_reader *reader;
	enum conn_fault fault;
	int64_t idle_since_ms;
};

struct store_target {
	const struct store_address *address;
	void *tls_context; /* SSL_CTX * or NULL */
	const char *user, *password;
	bool is_sentinel;
	bool must_be_master;
};

int store_tls_context_new(const char *ca_file, void **context, struct err *err);
void store_tls_context_free(void *context);

/* Connects, authenticates and has one answer. */
struct store_conn *store_conn_open(const struct store_target *target,
    int64_t deadline_ms, struct err *err);
void store_conn_close(struct store_conn *conn);
/* Nothing to read and not closed: can be used again. */
bool store_conn_is_fresh(const struct store_conn *conn);
/* Writes out, reads n replies; all or -1 with conn->fault. */
int store_conn_exchange(struct store_conn *conn, struct bytes out, size_t n,
    struct store_reply **replies, int64_t deadline_ms, struct err *err);
/* Writes out; answers are for store_conn_listen. */
int store_conn_send(struct store_conn *conn, struct bytes out,
    int64_t deadline_ms, struct err *err);
/* Waits for one reply that nobody asked for: 1, 0 at the deadline or when
 * wake_fd is readable, -1. */
int store_conn_listen(struct store_conn *conn, int wake_fd, int64_t deadline_ms,
    struct store_reply **reply, struct err *err);

/* Appends a command as Redis reads it; -1 when out is full. */
int store_encode(struct buf *out, size_t argc, const struct bytes *argv);

/* ---- store_node.c ---- */

/*
 * A breaker keeps callers from waiting for what just failed.  While it is
 * open they are turned away at once; when its time is up one of them
 * tries, and the others wait for nothing.
 */
struct store_breaker {
	int64_t open_until_ms; /* 0: closed */
	unsigned backoff_ms;
	bool trying;
	pthread_t trier;
	char why[ERR_TEXT_MAX];
};

/* What must follow a write so that it survives. */
enum store_wait {
	WAIT_NOTHING,
	WAIT_REPLICA,       /* WAIT 1 */
	WAIT_FSYNC,         /* WAITAOF 1 0 */
	WAIT_FSYNC_REPLICA, /* WAITAOF 1 1 */
};

struct store_durability {
	int answer; /* as store_is_durable */
	enum store_wait wait;
	struct err err;
	unsigned epoch; /* of the node when it was asked */
	int64_t until_ms;
};

struct store_node {
	struct store *store;
	struct store_address address;
	char *name; /* for messages */
	/* under the lock of the store: */
	struct store_conn *idle;
	unsigned open;  /* connections, idle or taken */
	unsigned users; /* who have it in hand: see store_node_hold */
	struct store_breaker breaker;
	unsigned epoch; /* grows when a connection is lost */
	struct store_durability durability;
};

/* A point in time, and whether it gives Redis all the time it may take. */
struct store_deadline {
	int64_t at_ms;
	bool is_full;
};

/* All under the lock.  true: go on, and report with _ok, _failed, _leave. */
bool store_breaker_enter(struct store_breaker *breaker, struct err *err);
void store_breaker_ok(struct store_breaker *breaker);
void store_breaker_failed(struct store_breaker *breaker, const struct err *why);
/* Neither good nor bad: the next caller tries. */
void store_breaker_leave(struct store_breaker *breaker);

/*
 * The node of this address, made when new; NULL: too many.  Servers come and
 * go under new addresses for months: in the end a new one takes the place of
 * one that the topology does not name and nobody has in hand.  Under the lock.
 */
struct store_node *store_node_get(struct store *store,
    const struct store_address *address, struct err *err);
/* Under the lock: it stays until store_node_release. */
void store_node_hold(struct store_node *node);
/* Not under the lock.  NULL is fine. */
void store_node_release(struct store_node *node);
void store_node_free(struct store_node *node);

/* A connection to use, from the pool or new. */
struct store_conn *store_node_take(struct store_node *node,
    const struct store_deadline *deadline, struct err *err);
/* Gives it back; a faulty one (err says why) is closed and counted. */
void store_node_give(struct store_node *node, struct store_conn *conn,
    const struct store_deadline *deadline, const struct err *err);
struct store_target store_node_target(const struct store_node *node);

/* ---- store.c ---- */

struct store_topology {
	bool known;  /* master or slots below are to be used */
	bool asking; /* somebody is finding out */
	int64_t asked_ms;
	struct store_breaker breaker;
	struct store_node *master; /* STORE_ONE, STORE_SENTINEL */
	struct store_node **slots; /* STORE_CLUSTER */
};

struct store {
	struct store_url url;
	void *tls_context;
	unsigned timeout_ms;
	unsigned connections_max;
	atomic_bool up;
	pthread_mutex_t lock;
	pthread_cond_t
	    changed; /* a connection was given back, or asking ended */
	size_t node_count;
	struct store_node *nodes[STORE_NODES_MAX];
	struct store_topology topology;
	struct store_stats stats;
};

/* ---- store_topology.c ---- */

/* 0..16383, by the part in braces when there is one. */
unsigned store_slot(struct bytes key);
/* The node for a key (data NULL: any), finding out when not known; held. */
struct store_node *store_route(struct store *store, struct bytes key,
    const struct store_deadline *deadline, struct err *err);
/* What is known may be wrong: find out at the next call.  False when that
 * would not help: there is one server, or it was asked a moment ago. */
bool store_topology_forget(struct store *store);
/* MOVED: the slot of key belongs to the node at address. */
void store_topology_moved(struct store *store, unsigned slot,
    struct store_node *node);
/* Every node that takes writes, each held; returns how many. */
size_t store_topology_masters(struct store *store,
    struct store_node *nodes[STORE_NODES_MAX],
    const struct store_deadline *deadline, struct err *err);

/* ---- store_durable.c ---- */

/* As store_is_durable, for one node; *wait is what its writes need. */
int store_node_durable(struct store_node *node,
    const struct store_deadline *deadline, enum store_wait *wait,
    struct err *err);
/* Did the answer to the command of store_wait say so? */
int store_wait_check(enum store_wait wait, const struct store_reply *reply,
    struct err *err);
int store_wait_encode(enum store_wait wait, unsigned timeout_ms,
    struct buf *out);

#endif
