/*
 * session.h - who is signed in: sessions in the store.
 *
 * A session is named by a token of 256 random bits, which only the browser
 * has: the store has its hash.  It ends when it was not used for 30
 * minutes, 12 hours after the sign-in, at the sign-out, and when the
 * password of its user is another one (the stamp differs).
 *
 * All calls are safe from any thread.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef WEBUI_SESSION_H
#define WEBUI_SESSION_H

#include "base/arena.h"
#include "base/err.h"

struct store;

#define SESSION_IDLE_S 1800
#define SESSION_LIFE_S 43200

struct session {
	const char *token; /* for the cookie */
	const char *csrf;  /* that each POST of the session brings */
	const char *user;
	const char *stamp; /* of the password it was made with */
};

/* A token such as sessions have, for other uses. */
const char *session_token(struct arena *arena);

/* A new one; its strings are in the arena. */
int session_create(struct store *store, struct arena *arena, const char *user,
    const char *stamp, struct session *session, struct err *err);
/* 1 found, and used now; 0; -1.  token: from outside. */
int session_find(struct store *store, struct arena *arena, const char *token,
    struct session *session, struct err *err);
int session_end(struct store *store, const char *token, struct err *err);

#endif
