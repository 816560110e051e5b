/*
 * keyring.h - the private keys of our domains, as files.
 *
 * dkim_dir has a directory for each domain that signs, and in it a file for
 * each key: SELECTOR.STATE in PEM.  A state is changed by renaming the file.
 *
 *	.new      made, its record is not in the DNS yet
 *	.pem      signs
 *	.retired  signs no more; its record stays in the DNS while mail that
 *	          it signed is under way
 *
 * A file that others than its owner and group can read or write signs
 * nothing.
 *
 * Limits: KEYRING_KEYS_MAX keys a domain, 16 kB a file.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef POLICY_KEYRING_H
#define POLICY_KEYRING_H

#include <time.h>

#include "policy/signing_key.h"

#define KEYRING_KEYS_MAX 8

enum key_state {
	KEY_NEW,
	KEY_SIGNS,
	KEY_RETIRED,
	KEY_STATE_COUNT
};

/* "new", "signs", "retired". */
const char *key_state_name(enum key_state state);

struct keyring_key {
	char *selector;
	enum key_state state;
	time_t since; /* when it came into this state */
	struct signing_key *key;
};

/* Keys of one domain, by selector.  Immutable and counted. */
struct keyring_set {
	size_t count;
	struct keyring_key keys[KEYRING_KEYS_MAX];
	/* private */
	_Atomic unsigned references;
};

void keyring_set_unref(struct keyring_set *set);

/* ---- for those who sign ---- */

/* What was read is kept, and read again when the directory of the domain
 * has changed.  Safe from any thread. */
struct keyring;

struct keyring *keyring_open(const char *dir);
void keyring_close(struct keyring *keyring);

/* The keys that sign for this domain (A-labels, lower case): a reference,
 * or NULL when there are none.  Files that cannot be used are logged when
 * the directory has changed, and tried again every few seconds. */
struct keyring_set *keyring_get(struct keyring *keyring, const char *domain);

/* Reads everything again when it is next asked for. */
void keyring_forget(struct keyring *keyring);

/* ---- for those who look after them ---- */

/* All keys of a domain, in whatever state.  1, 0 when it has none, -1. */
int keyring_read(const char *dir, const char *domain, struct keyring_set **set,
    struct err *err);

/* "s1", "2026-11.a": what may be a selector and a name of a file. */
int keyring_check_selector(const char *selector, struct err *err);

/* Writes a new key, readable by its owner and by group (-1: that of the
 * process).  -1 with ERR_INPUT when the selector is taken. */
int keyring_add(const char *dir, const char *domain, const char *selector,
    const struct signing_key *key, int group, struct err *err);
int keyring_set_state(const char *dir, const char *domain, const char *selector,
    enum key_state from, enum key_state to, struct err *err);
/* The directory of the domain goes with its last key. */
int keyring_remove(const char *dir, const char *domain, const char *selector,
    enum key_state state, struct err *err);

#endif
