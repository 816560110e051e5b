/*
 * daemon.h - the process: what all sessions share.
 *
 * Opened before threads start, closed when no call of libmilter is under
 * way any more; never freed.  All functions are safe from any thread.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef MILTER_DAEMON_H
#define MILTER_DAEMON_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/endpoint.h"
#include "base/err.h"

#include "milter/setup.h"

struct dns;
struct events;
struct key_cache;
struct keyring;
struct mender;
struct metrics;
struct pulse;
struct quarantine;
struct release;
struct release_worker;
struct settings;
struct settings_watch;
struct socketmap_server;
struct store;
struct waker;

/* What was counted since the start. */
struct counters {
	_Atomic uint64_t sessions;
	_Atomic uint64_t turned_away;   /* over connections_max */
	_Atomic uint64_t messages;      /* that reached their end */
	_Atomic uint64_t recipients;    /* accepted at RCPT */
	_Atomic uint64_t refused;       /* recipients, at RCPT */
	_Atomic uint64_t unlisted;      /* recipients left to the MTA */
	_Atomic uint64_t released;      /* our own, seen again */
	_Atomic uint64_t waits;         /* ends of message that waited */
	_Atomic uint64_t waits_refused; /* over waits_max */
	_Atomic uint64_t holds;         /* entries written */
	_Atomic uint64_t hold_failures; /* mail deferred for it */
};

struct daemon {
	const char *conf_file; /* NULL: the default one */
	char *hostname;
	struct endpoint milter;
	struct dns *dns;
	struct key_cache *keys;
	struct events *events;
	struct keyring *keyring;
	/* NULL without a store */
	struct store *store;
	struct quarantine *quarantine;
	struct release *release;
	struct release_worker *release_worker;
	struct mender *mender;
	struct pulse *pulse;
	struct socketmap_server *socketmap;
	struct waker *waker;
	struct counters counters;
	struct metrics *metrics;   /* quarantine/heartbeat.h has the table */
	_Atomic bool draining;     /* no new recipients */
	_Atomic bool filter_ended; /* libmilter gave up */
	/* private */
	pthread_mutex_t lock;
	struct setup *setup;
	struct settings_watch *watch;
	struct settings *fixed_settings; /* without a store */
	_Atomic uint64_t sessions_open;
	_Atomic uint64_t transactions;
	_Atomic uint64_t accepted; /* transactions with a recipient */
	_Atomic uint64_t waiting;
	_Atomic uint64_t calls; /* of libmilter, under way */
	_Atomic bool closing;
};

/* Takes the reference to setup, also when it fails. */
struct daemon *daemon_open(const char *conf_file, struct setup *take_setup,
    struct err *err);
/*
 * Waits a little for calls under way; then everything is closed, what is
 * queued is written.  The daemon itself stays: libmilter's threads live as
 * long as the process and go on asking daemon_enter.  false: a thread of ours
 * goes on, as calls are still under way (nothing is closed then) or a mail
 * was not finished; the process is to end by _exit, since at exit libraries
 * take away what that thread uses.
 */
bool daemon_close(struct daemon *daemon);

/* One line of what was counted since the start. */
void daemon_log_counters(const struct daemon *daemon);

/* Reads the config again; a bad one changes nothing and is logged. */
void daemon_reload(struct daemon *daemon);

/* A reference to what is in force. */
struct setup *daemon_setup(struct daemon *daemon);
/* The same; NULL when none could be loaded yet. */
struct settings *daemon_settings(struct daemon *daemon);

/* Every call of libmilter is between these two.  false: the daemon is being
 * closed, and must not be touched. */
bool daemon_enter(struct daemon *daemon);
void daemon_leave(struct daemon *daemon);

/* false: more than connections_max (it is counted all the same). */
bool daemon_add_session(struct daemon *daemon);
void daemon_remove_session(struct daemon *daemon);

void daemon_add_transaction(struct daemon *daemon);
void daemon_remove_transaction(struct daemon *daemon);

/* A transaction with an accepted recipient is finished before we stop. */
void daemon_add_accepted(struct daemon *daemon);
void daemon_remove_accepted(struct daemon *daemon);

/* A place among those that wait, and a worker for the others; false: there
 * are waits_max already. */
bool daemon_begin_wait(struct daemon *daemon, const struct conf *conf);
void daemon_end_wait(struct daemon *daemon);

#endif
