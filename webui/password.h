/*
 * password.h - hashes of passwords: argon2id, by libsodium.
 *
 * One hash takes 64 MB and some 100 ms: of one gate at most two are made at
 * once, few wait for their turn, and others are told to come again.  All
 * calls are safe from any thread.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef WEBUI_PASSWORD_H
#define WEBUI_PASSWORD_H

#include "base/arena.h"
#include "base/err.h"

struct password_gate;
struct password_gate *password_gate_new(void);
void password_gate_free(struct password_gate *gate);

/* A new hash, in the arena.  NULL: ERR_TEMP, too many at once. */
const char *password_hash(struct password_gate *gate, struct arena *arena,
    const char *password, struct err *err);
/*
 * 1 right, 0 wrong, -1 ERR_TEMP.  hash NULL: there is no such user, which
 * takes the same time and is wrong.
 */
int password_verify(struct password_gate *gate, const char *hash,
    const char *password, struct err *err);

#endif
