/*
 * spf_eval.h - what one SPF evaluation (check_host() of RFC 7208) needs
 * from the DNS, under the limits of section 4.6.4.
 *
 * The order of terms is the business of libspf2 (auth_spf.c), which asks
 * here for one thing at a time: enter the record of an include or redirect,
 * or say whether a term matches.  Answers are remembered, so a run that had
 * to stop for a missing DNS answer is cheap to repeat.
 *
 * Everything lives in the arena; nothing has to be freed.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef POLICY_SPF_EVAL_H
#define POLICY_SPF_EVAL_H

#include "base/arena.h"
#include "base/dns.h"
#include "policy/auth.h"
#include "policy/spf_macro.h"
#include "policy/spf_record.h"

/* Terms for which the DNS had nothing, and names looked at for one mx or
 * ptr (section 4.6.4). */
#define SPF_VOID_MAX 2
#define SPF_NAMES_MAX 10

/*
 * Questions of one evaluation, so that an evil record cannot use up those
 * that DKIM and DMARC need (DNS_SET_MAX).  The largest record that keeps to
 * the limits above takes 112.  At most half are asked ahead of need.
 */
#define SPF_QUESTIONS_MAX 120

/* Records of one evaluation, those read ahead of need included. */
#define SPF_RECORDS_MAX 32

enum spf_stop {
	STOP_NOT,
	STOP_WAIT, /* an answer is missing; it has been asked for */
	STOP_NONE, /* the domain publishes no record */
	STOP_TEMPERROR,
	STOP_PERMERROR,
};

struct spf_eval;

/* who: its domain is the one to evaluate; strings are borrowed.
 * questions_max: SPF_QUESTIONS_MAX or less; beyond it: temperror. */
struct spf_eval *spf_eval_new(struct arena *arena, struct dns_set *dns,
    const struct spf_macros *who, size_t questions_max);

/* Why the last call returned -1; STOP_NOT before a new run. */
enum spf_stop spf_eval_stopped(const struct spf_eval *eval);
/* In words, or NULL. */
const char *spf_eval_problem(const struct spf_eval *eval);
void spf_eval_restart(struct spf_eval *eval);

/* The record of the domain itself: its number (0), or -1. */
int spf_eval_root(struct spf_eval *eval);
/* The include or redirect at this place: the number of its record, or -1. */
int spf_eval_enter(struct spf_eval *eval, unsigned number, size_t place);
/* Does the a, mx, ptr or exists at this place match?  1, 0, or -1. */
int spf_eval_match(struct spf_eval *eval, unsigned number, size_t place);
/* The plain form of a record that was entered, in the arena. */
const char *spf_eval_plain(struct spf_eval *eval, unsigned number);

/* Stopped with STOP_WAIT: ask whatever else can be known to be needed. */
void spf_eval_ahead(struct spf_eval *eval);

/* Which term decided, from the answers that were given. */
struct spf_decision {
	enum auth_result result; /* pass, fail, softfail, neutral */
	const char *mechanism;   /* as published; NULL: none matched */
	unsigned number;         /* of the record with the term */
};
/* False: an answer on the way was never asked for. */
bool spf_eval_decide(const struct spf_eval *eval, struct spf_decision *out);

/* The explanation of a fail: 1 with *text, 0 there is none, -1 wait. */
int spf_eval_explain(struct spf_eval *eval, const struct spf_decision *decision,
    const char **text);

#endif
