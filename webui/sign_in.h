/*
 * sign_in.h - attempts to sign in are counted, and too many must wait.
 *
 * Counted in the store, before the password is looked at, so that many at
 * once count as many.  Three ceilings:
 * - a name, from one network (an address, a /64 with IPv6): after five wrong
 *   passwords the next may be tried after 30 seconds, then 1, 2, 4, 8 and 15
 *   minutes.  Who knows a name can so lock it for the own network only;
 * - a name, from everywhere: the same after thirty, against guessing from
 *   many networks.  It does not hold for the networks (20 at most) from
 *   which this user has signed in within 90 days: they are known, and whose
 *   name it is gets in from there [OWASP Authentication Cheat Sheet, and
 *   Slow Down Online Guessing Attacks with Device Cookies];
 * - a network, whatever the name: thirty within 15 minutes close it for that
 *   long.
 * A name counts whether there is such a user or not.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef WEBUI_SIGN_IN_H
#define WEBUI_SIGN_IN_H

#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"

struct store;

/* An attempt: 0 go on, or in how many seconds it may be tried; -1.  client:
 * an IP address, or NULL. */
int64_t sign_in_attempt(struct store *store, struct arena *arena,
    const char *user, const char *client, struct err *err);
/* The password was right: what was counted for the name from this network
 * counts no more, and this attempt nowhere; the network is known. */
int sign_in_success(struct store *store, struct arena *arena, const char *user,
    const char *client, struct err *err);
/* By an operator: the name may be tried at once, from everywhere. */
int sign_in_unlock(struct store *store, struct arena *arena, const char *user,
    struct err *err);
/* Seconds for which the name must wait, where it must wait longest; 0; -1. */
int64_t sign_in_locked(struct store *store, struct arena *arena,
    const char *user, struct err *err);

#endif
