/*
 * hold_fixture.h - mails and entries for tests of the quarantine.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef TESTS_QUARANTINE_HOLD_FIXTURE_H
#define TESTS_QUARANTINE_HOLD_FIXTURE_H

#include "base/arena.h"
#include "base/store.h"
#include "base/ulid.h"
#include "mail/message.h"
#include "quarantine/quarantine.h"
#include "tests/redis_server.h"

struct place {
	struct redis_server server;
	struct store *store;
	struct quarantine *quarantine;
};

/* A server, a store and a quarantine without ceilings. */
void place_open(struct place *place, const char *const *args);
void place_close(struct place *place);

/* A mail with one entry for each mailbox (NULL-terminated list). */
struct mail {
	struct arena *arena;
	struct ulid id;
	struct hold_mail hold;
	struct hold_entry *entries;
	size_t n;
	struct buf raw;
};

/* body_size octets that do not compress to nothing, other for each seed. */
void mail_make(struct mail *mail, unsigned seed, size_t body_size,
    const char *const *mailboxes);
void mail_free(struct mail *mail);
/* The same bytes and sender in another transaction. */
void mail_again(struct mail *mail);

int put(struct place *place, struct mail *mail, struct err *err);
/* ... that must work. */
void put_well(struct place *place, struct mail *mail);

/* The bytes that come out are those that went in. */
void check_bytes(struct place *place, const struct mail *mail,
    const char *held_id);
/* How many entries a domain has. */
size_t count_listed(struct place *place, const char *domain);
/* The integer that a command of words answers. */
int64_t redis_int(struct place *place, const char *command, const char *key);
/* Keys by a pattern. */
size_t redis_keys(struct place *place, const char *pattern);
/* Until there are no events on the way; false after 5 s. */
bool outbox_empties(struct place *place, const char *domain);
/* Events in all streams. */
int64_t stream_length(struct place *place);

/* Moves the clock for what comes; false when this build cannot. */
bool clock_shift(int64_t seconds);
void nap_ms(unsigned ms);

#endif
