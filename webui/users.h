/*
 * users.h - who may sign in: accounts in the store.
 *
 * An account is an object "user:NAME" of the settings (doc/redis-keys.md):
 * a change is one script with its audit entry, as all changes of settings
 * are; the hash of the password never gets into the audit.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef WEBUI_USERS_H
#define WEBUI_USERS_H

#include "policy/settings_edit.h"
#include "webui/api.h"

#define USER_NAME_MAX 128
#define USER_DOMAINS_MAX 1000
/* In characters; what is generated has more. */
#define USER_PASSWORD_MIN 10
/* In octets. */
#define USER_PASSWORD_MAX 1024

#define USER_STAMP_SIZE 33

struct account {
	const char *name;
	enum role role; /* ROLE_NONE: the store has no word we know */
	size_t domain_count;
	const char *const *domains; /* of domain admins and releasers */
	const char *mailbox;        /* of a mail user: key, or NULL */
	const char *language;       /* tag, or NULL: as the browser says */
	bool disabled;
	bool must_change; /* the password, before anything else */
	const char *added_by;
	int64_t added_s;
	const char *password;        /* argon2id, as libsodium writes it */
	char stamp[USER_STAMP_SIZE]; /* another one for each password */
};

/* The one form of a name, in the arena; -1 with ERR_INPUT. */
int user_name_normalize(struct arena *arena, const char *text,
    const char **name, struct err *err);
/* 0, or -1 with ERR_INPUT that says what a password must be. */
int user_password_check(const char *name, const char *password,
    struct err *err);
/* A new one that can be read out, in the arena. */
const char *user_password_generate(struct arena *arena);

/* 1 found, 0, -1; name in its one form. */
int users_get(struct store *store, struct arena *arena, const char *name,
    struct account *account, struct err *err);
/* All of them by name, in the arena. */
int users_list(struct store *store, struct arena *arena,
    struct account **accounts, size_t *n, struct err *err);

/* May the principal make, see and change such an account? */
bool users_may_manage(const struct principal *principal,
    const struct account *account);

/*
 * Writes what differs from what is stored.  before: the account as it was
 * read; NULL: there must be none yet (EDIT_EXISTS).  EDIT_NOT_FOUND: it is
 * gone; EDIT_IN_USE: somebody else changed it since then, so that nobody
 * writes back what was taken from him meanwhile, or no operator would be
 * left who can sign in.  account->password NULL: it stays as it is.
 */
int users_put(struct edit *edit, const struct account *account,
    const struct account *before, bool *changed, struct err *err);
int users_remove(struct edit *edit, const char *name, bool *changed,
    struct err *err);

/*
 * When there is no account at all: makes `operator` with a new password,
 * which must be changed.  1 made, *password in the arena; 0 there are
 * accounts; -1.
 */
int users_bootstrap(struct store *store, struct arena *arena,
    const char **password, struct err *err);

#endif
