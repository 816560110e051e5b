/*
 * key_check.h - does the DNS publish the key that we sign with?
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef POLICY_KEY_CHECK_H
#define POLICY_KEY_CHECK_H

#include "base/arena.h"
#include "base/dns.h"
#include "policy/signing_key.h"

enum key_check {
	KEY_CHECK_RIGHT,
	KEY_CHECK_MISSING, /* no record */
	KEY_CHECK_WRONG,   /* another key, several, or none that is usable */
	KEY_CHECK_UNKNOWN, /* the DNS failed */
};

/* "right", "missing", "wrong", "unknown". */
const char *key_check_name(enum key_check check);

/* "s1._domainkey.example.net", in the arena. */
const char *key_check_owner(struct arena *arena, const char *domain,
    const char *selector);

/* Asks, and waits until then; *problem says in words what is not right. */
enum key_check key_check_dns(struct arena *arena, struct dns_set *set,
    const char *owner, const struct signing_key *key, int64_t until_ms,
    const char **problem);

#endif
