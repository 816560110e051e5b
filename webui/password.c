/*
 * password.c - hashes of passwords: argon2id, by libsodium.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "webui/password.h"

#define OPERATIONS 3u
#define MEMORY ((size_t)64 * 1024 * 1024)
#define AT_ONCE_MAX 2u
/* Fewer than there are workers (webui/http.c), or who signs in, with
 * whatever password, leaves none to those who have. */
#define WAITING_MAX 10u

struct password_gate {
	pthread_mutex_t lock;
	pthread_cond_t room;
	unsigned running, waiting;
};

struct password_gate *
password_gate_new(void)
{
	struct password_gate *gate = xcalloc(1, sizeof(*gate));

	if (sodium_init() < 0) /* no random numbers: as with OpenSSL */
		abort();
	pthread_mutex_init(&gate->lock, NULL);
	pthread_cond_init(&gate->room, NULL);
	return gate;
}

void
password_gate_free(struct password_gate *gate)
{
	if (gate == NULL)
		return;
	pthread_cond_destroy(&gate->room);
	pthread_mutex_destroy(&gate->lock);
	free(gate);
}

static int
enter(struct password_gate *gate, struct err *err)
{
	int rc = 0;

	pthread_mutex_lock(&gate->lock);
	if (gate->running >= AT_ONCE_MAX && gate->waiting >= WAITING_MAX) {
		rc = err_set(err, ERR_TEMP,
		    "too many are signing in at once; try again");
	} else {
		gate->waiting++;
		while (gate->running >= AT_ONCE_MAX)
			pthread_cond_wait(&gate->room, &gate->lock);
		gate->waiting--;
		gate->running++;
	}
	pthread_mutex_unlock(&gate->lock);
	return rc;
}

static void
leave(struct password_gate *gate)
{
	pthread_mutex_lock(&gate->lock);
	gate->running--;
	pthread_cond_signal(&gate->room);
	pthread_mutex_unlock(&gate->lock);
}

const char *
password_hash(struct password_gate *gate, struct arena *arena,
    const char *password, struct err *err)
{
	char hash[crypto_pwhash_STRBYTES];
	int rc;

	if (enter(gate, err) < 0)
		return NULL;
	rc = crypto_pwhash_str_alg(hash, password, strlen(password), OPERATIONS,
	    MEMORY, crypto_pwhash_ALG_ARGON2ID13);
	leave(gate);
	if (rc != 0) {
		err_set(err, ERR_TEMP, "no memory for the hash of a password");
		return NULL;
	}
	return arena_strdup(arena, hash);
}

int
password_verify(struct password_gate *gate, const char *hash,
    const char *password, struct err *err)
{
	/* Of no password: 64 MB and 3 passes, as ours are. */
	static const char nobody[] =
	    "$argon2id$v=19$m=65536,t=3,p=1$AAAAAAAAAAAAAAAAAAAAAA$"
	    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
	int rc;

	if (enter(gate, err) < 0)
		return -1;
	rc = crypto_pwhash_str_verify(hash != NULL ? hash : nobody, password,
	    strlen(password));
	leave(gate);
	return rc == 0 && hash != NULL ? 1 : 0;
}
