/*
 * scan.h - one run of the checks over a transaction, usable without
 * libmilter.
 *
 * A check asks one question.  It is stepped when the transaction reaches a
 * stage and again whenever DNS answers have arrived, and says DONE once its
 * answer is final.  A step never blocks: what is missing has been asked for
 * by then, and the step starts over when it is there.  Checks do not
 * include each other; they read earlier results from the scan.
 *
 *	scan_new                        at MAIL
 *	scan_reach(SCAN_MAIL)           SPF, reverse name: started
 *	scan_reach(SCAN_HEADERS)        keys, DMARC: started
 *	scan_body...                    hashed as it comes
 *	scan_finish                     waits once for what is outstanding
 *
 * A scan belongs to one thread at a time.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef POLICY_SCAN_H
#define POLICY_SCAN_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/dns.h"
#include "mail/envelope.h"
#include "policy/auth.h"

struct key_cache;
struct message;
struct settings;

enum scan_stage {
	SCAN_MAIL,    /* client, helo and sender are known */
	SCAN_HEADERS, /* the header is complete */
	SCAN_END,     /* the body is complete */
};

enum check_state {
	CHECK_WAIT,
	CHECK_DONE
};

/* Every check has its place here: scan->state[CHECK_SPF]. */
enum check_id {
	CHECK_BODY,
	CHECK_IPREV,
	CHECK_SPF,
	CHECK_DKIM,
	CHECK_ARC,
	CHECK_DMARC,
	CHECK_COUNT
};

struct scan {
	struct arena *arena;
	struct dns_set *dns;
	const struct envelope *envelope;
	struct message *message; /* NULL before SCAN_HEADERS */
	const struct settings *settings;
	const char *authserv_id;
	struct key_cache *keys; /* shared by scans, or NULL */
	enum scan_stage stage;
	bool inbound_checks; /* false: our own user's mail, no sender
			      * authentication; only the body is hashed, if
			      * body_hash_of was asked for something */
	struct auth auth;
	bool done[CHECK_COUNT];
	int64_t spent_us[CHECK_COUNT]; /* in steps and with the body */
	void *state[CHECK_COUNT];      /* of each check, in the arena */
};

struct check {
	enum check_id id;
	const char *name;
	/* Sets results in scan->auth only when it returns CHECK_DONE. */
	enum check_state (*step)(struct scan *scan);
	/* Body as it comes; NULL: not interested. */
	void (*body)(struct scan *scan, struct bytes piece);
	/* Frees what does not live in the arena; may find state NULL. */
	void (*fini)(struct scan *scan);
};

extern const struct check check_body;
extern const struct check check_iprev;
extern const struct check check_spf;
extern const struct check check_dkim;
extern const struct check check_arc;
extern const struct check check_dmarc;

/* "spf", ...: of the check with this place. */
const char *check_name(enum check_id id);

/* All borrowed, to outlive the scan; lives in the arena but for
 * scan_fini. */
struct scan *scan_new(struct arena *arena, struct dns *dns,
    const struct envelope *envelope, const struct settings *settings,
    const char *authserv_id);
void scan_fini(struct scan *scan);

/* Enter a stage and step every check that is not done. */
void scan_reach(struct scan *scan, enum scan_stage stage);
/* Step again if answers have arrived; cheap when none have. */
void scan_poll(struct scan *scan);
void scan_body(struct scan *scan, struct bytes piece);
/* Is something still on its way?  After scan_reach(SCAN_END). */
bool scan_is_waiting(const struct scan *scan);
/* Wait for all checks, at the latest until the monotonic time until_ms;
 * then what is missing counts as not answered (temperror). */
void scan_finish(struct scan *scan, int64_t until_ms);

/* The Authentication-Results value of this scan. */
void scan_authres(const struct scan *scan, struct buf *out);

#endif
