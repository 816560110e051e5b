/*
 * auth_dmarc.c - DMARC (RFC 9989): is the author's domain proved?
 *
 * At the end of the header the authors are known, and nearly always every
 * name that can matter: the walk up from each author's domain, and those
 * from the domains of SPF and of the signatures that might be aligned.  All
 * are asked for then.  The evaluation runs when SPF and DKIM are done, and
 * from the start again when an answer was missing.
 *
 * More than one author: each domain is judged for itself and the worst
 * result counts (section 11.5), whether they stand in one From field or,
 * malformed, in several.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <string.h>

#include "mail/address.h"
#include "mail/message.h"
#include "policy/dmarc_authors.h"
#include "policy/dmarc_walk.h"
#include "policy/scan.h"
#include "policy/signature.h"

/* Signatures whose domains are walked from before they are verified. */
#define SIGNATURES_AHEAD_MAX 10

/* A domain and the walk from it. */
struct walk_entry {
	struct dmarc_walk *walk;
	struct walk_entry *next;
};

struct author {
	const char *domain;
	struct dmarc_walk *walk;
	struct auth_dmarc result;
};

struct state {
	struct walk_entry *walks; /* every one that was begun */
	struct dmarc_authors who;
	struct author authors[DMARC_AUTHORS_MAX]; /* who.count */
};

/* How far an evaluation came. */
enum outcome {
	OUTCOME_WAIT,
	OUTCOME_DONE
};

static struct dmarc_walk *
walk_from(struct scan *scan, struct state *state, const char *domain)
{
	struct walk_entry *entry;

	for (entry = state->walks; entry != NULL; entry = entry->next)
		if (strcmp(entry->walk->domain, domain) == 0)
			return entry->walk;
	entry = arena_alloc(scan->arena, sizeof(*entry));
	entry->walk = dmarc_walk_new(scan->arena, scan->dns, domain);
	entry->next = state->walks;
	state->walks = entry;
	return entry->walk;
}

/* ---- asking ---- */

/* An identifier that SPF or DKIM may yet prove.  Without a common label
 * beyond the top one it is hardly ever of one organization with an author. */
static void
ask_ahead(struct scan *scan, struct state *state, const char *domain)
{
	size_t i;

	for (i = 0; i < state->who.count; i++)
		if (domain_common_labels(domain, state->authors[i].domain) > 1)
			(void)walk_from(scan, state, domain);
}

static void
ask_signatures(struct scan *scan, struct state *state)
{
	const struct header *header = &scan->message->header;
	size_t i, n = header_count_named(header, "dkim-signature");
	const char *domain;

	for (i = 0; i < n && i < SIGNATURES_AHEAD_MAX; i++) {
		domain = signature_domain(scan->arena,
		    header_find(header, "dkim-signature", i));
		if (domain != NULL)
			ask_ahead(scan, state, domain);
	}
}

/* Does the domain exist at all (np=)?  Any type would do. */
static const struct dns_answer *
ask_existence(struct scan *scan, const char *domain)
{
	return dns_ask(scan->dns, domain, DNS_A);
}

static void
begin(struct scan *scan, struct state *state)
{
	size_t i;

	dmarc_authors_read(scan->arena, &scan->message->header, &state->who);
	for (i = 0; i < state->who.count; i++) {
		struct author *author = &state->authors[i];

		author->domain = state->who.domains[i];
		author->walk = walk_from(scan, state, author->domain);
		/* Below an organization, so that np= may apply. */
		if (author->walk->count > 2)
			(void)ask_existence(scan, author->domain);
	}
	if (scan->envelope->sender.domain != NULL &&
	    scan->envelope->sender.domain[0] != '\0')
		ask_ahead(scan, state, scan->envelope->sender.domain);
	ask_signatures(scan, state);
}

/* ---- alignment ---- */

enum alignment {
	ALIGNED,
	NOT_ALIGNED,
	ALIGNMENT_WAITS,
	ALIGNMENT_UNKNOWN /* DNS failed; the problem is in the result */
};

/*
 * Are they of one organization?  An identifier can only have the author's
 * organization when it lies within it, which spares most walks.
 */
static enum alignment
align(struct scan *scan, struct state *state, struct author *author,
    const char *identifier, bool strict)
{
	const char *organization;
	struct dmarc_walk *walk;

	if (strcmp(identifier, author->domain) == 0)
		return ALIGNED;
	if (strict)
		return NOT_ALIGNED;
	switch (dmarc_walk_run(scan->arena, scan->dns, author->walk)) {
	case DMARC_WALK_WAIT:
		return ALIGNMENT_WAITS;
	case DMARC_WALK_FAILED:
		/* Wherever it had come to, not out of the last label. */
		if (domain_common_labels(identifier, author->domain) == 0)
			return NOT_ALIGNED;
		author->result.problem = author->walk->problem;
		return ALIGNMENT_UNKNOWN;
	case DMARC_WALK_DONE:
		break;
	}
	organization = dmarc_walk_organization(author->walk);
	if (!domain_is_within(identifier, organization))
		return NOT_ALIGNED;
	walk = walk_from(scan, state, identifier);
	switch (dmarc_walk_run(scan->arena, scan->dns, walk)) {
	case DMARC_WALK_WAIT:
		return ALIGNMENT_WAITS;
	case DMARC_WALK_FAILED:
		author->result.problem = walk->problem;
		return ALIGNMENT_UNKNOWN;
	case DMARC_WALK_DONE:
		break;
	}
	return strcmp(dmarc_walk_organization(walk), organization) == 0
	    ? ALIGNED
	    : NOT_ALIGNED;
}

/* What the identifiers of one mechanism come to. */
struct tally {
	bool aligned; /* one is proved and aligned */
	bool waits;
	bool unknown; /* one might be, but DNS failed on the way */
};

static void
count_identifier(struct scan *scan, struct state *state, struct author *author,
    const char *identifier, bool strict, enum auth_result result,
    struct tally *tally)
{
	if (tally->aligned || (result != AUTH_PASS && result != AUTH_TEMPERROR))
		return;
	switch (align(scan, state, author, identifier, strict)) {
	case ALIGNED:
		tally->aligned = result == AUTH_PASS;
		tally->unknown |= result == AUTH_TEMPERROR;
		break;
	case NOT_ALIGNED:
		break;
	case ALIGNMENT_WAITS:
		tally->waits = true;
		break;
	case ALIGNMENT_UNKNOWN:
		tally->unknown = true;
		break;
	}
}

static struct tally
tally_dkim(struct scan *scan, struct state *state, struct author *author)
{
	const struct auth_dkim *dkim = &scan->auth.dkim;
	struct tally tally = { false, false, false };
	size_t i;

	for (i = 0; i < dkim->count; i++) {
		const struct auth_dkim_signature *signature =
		    &dkim->signatures[i];

		if (signature->domain != NULL &&
		    (signature->trusted || signature->result != AUTH_PASS))
			count_identifier(scan, state, author, signature->domain,
			    author->result.strict_dkim, signature->result,
			    &tally);
	}
	return tally;
}

static struct tally
tally_spf(struct scan *scan, struct state *state, struct author *author)
{
	const struct auth_spf_identity *spf = &scan->auth.spf.mailfrom;
	struct tally tally = { false, false, false };

	if (spf->checked && spf->domain != NULL && spf->domain[0] != '\0')
		count_identifier(scan, state, author, spf->domain,
		    author->result.strict_spf, spf->result, &tally);
	return tally;
}

/* ---- one author ---- */

static enum dmarc_policy
one_level_below(enum dmarc_policy policy)
{
	return policy == DMARC_REJECT ? DMARC_QUARANTINE : DMARC_NONE;
}

static enum outcome
conclude(struct auth_dmarc *result, enum auth_result what, const char *problem)
{
	result->result = what;
	if (problem != NULL)
		result->problem = problem;
	return OUTCOME_DONE;
}

/*
 * The policy for an author below the domain whose record applies: np= when
 * the author's domain does not exist, sp= when it does; the milder one when
 * that cannot be found out.
 */
static enum outcome
choose_policy(struct scan *scan, const struct author *author,
    const struct dmarc_record *record, struct auth_dmarc *result)
{
	const struct dns_answer *answer;

	result->published = record->sp;
	if (record->np == record->sp)
		return OUTCOME_DONE;
	answer = ask_existence(scan, author->domain);
	if (answer == NULL)
		return OUTCOME_WAIT;
	if (answer->status == DNS_NXDOMAIN ||
	    (dns_status_is_failure(answer->status) && record->np < record->sp))
		result->published = record->np;
	return OUTCOME_DONE;
}

/* The record that applies; its results stay AUTH_NONE while all is well. */
static enum outcome
discover(struct scan *scan, struct author *author)
{
	struct auth_dmarc *result = &author->result;
	struct dmarc_walk *walk = author->walk;
	const struct dmarc_step *step;
	enum outcome outcome = OUTCOME_DONE;

	dmarc_walk_run(scan->arena, scan->dns, walk);
	/* The author's own record decides without the rest of the walk. */
	if (!walk->steps[0].found) {
		if (walk->state == DMARC_WALK_WAIT)
			return OUTCOME_WAIT;
		if (walk->state == DMARC_WALK_FAILED)
			return conclude(result, AUTH_TEMPERROR, walk->problem);
	}
	step = walk->steps[0].found ? &walk->steps[0] : dmarc_walk_policy(walk);
	if (step == NULL)
		return OUTCOME_DONE;
	result->policy_domain = step->domain;
	if (!step->record.applies)
		return conclude(result, AUTH_PERMERROR,
		    "record without a valid policy");
	if (step == &walk->steps[0])
		result->published = step->record.p;
	else
		outcome = choose_policy(scan, author, &step->record, result);
	result->testing = step->record.testing;
	result->policy = result->testing ? one_level_below(result->published)
					 : result->published;
	result->psd = step->record.psd == DMARC_PSD_YES;
	result->strict_dkim = step->record.strict_dkim;
	result->strict_spf = step->record.strict_spf;
	result->p = step->record.p;
	result->sp = step->record.sp;
	result->np = step->record.np;
	result->fo = step->record.fo;
	result->rua = step->record.rua;
	result->ruf = step->record.ruf;
	return outcome;
}

static enum outcome
evaluate(struct scan *scan, struct state *state, struct author *author)
{
	struct auth_dmarc *result = &author->result;
	struct tally dkim, spf;

	memset(result, 0, sizeof(*result));
	result->from_domain = author->domain;
	if (discover(scan, author) == OUTCOME_WAIT)
		return OUTCOME_WAIT;
	if (result->policy_domain == NULL || result->result == AUTH_PERMERROR)
		return OUTCOME_DONE;
	dkim = tally_dkim(scan, state, author);
	spf = tally_spf(scan, state, author);
	if (dkim.waits || spf.waits)
		return OUTCOME_WAIT;
	result->dkim_aligned = dkim.aligned;
	result->spf_aligned = spf.aligned;
	/* Where the walk did not come to its end, nothing needed it. */
	result->organizational_domain = author->walk->state == DMARC_WALK_DONE
	    ? dmarc_walk_organization(author->walk)
	    : author->domain;
	if (dkim.aligned || spf.aligned) {
		result->problem = NULL;
		return conclude(result, AUTH_PASS, NULL);
	}
	if (dkim.unknown || spf.unknown)
		return conclude(result, AUTH_TEMPERROR,
		    result->problem == NULL
			? "an aligned identifier could not be checked"
			: NULL);
	return conclude(result, AUTH_FAIL, NULL);
}

/* ---- the message ---- */

/* The worst first; a pass counts only when there is nothing else. */
static unsigned
badness(const struct auth_dmarc *result)
{
	static const unsigned of_result[AUTH_RESULT_COUNT] = {
		[AUTH_FAIL] = 4,
		[AUTH_TEMPERROR] = 3,
		[AUTH_PERMERROR] = 2,
		[AUTH_NONE] = 1,
	};

	return of_result[result->result] * 4 + (unsigned)result->policy;
}

static enum check_state
report(struct scan *scan, const struct state *state)
{
	const struct dmarc_authors *who = &state->who;
	struct auth_dmarc *out = &scan->auth.dmarc;
	const struct author *worst = NULL;
	size_t i;

	for (i = 0; i < state->who.count; i++)
		if (worst == NULL ||
		    badness(&state->authors[i].result) >
			badness(&worst->result))
			worst = &state->authors[i];
	if (worst != NULL)
		*out = worst->result;
	else
		out->result = who->malformed ? AUTH_PERMERROR : AUTH_NONE;
	out->from_count = who->address_count;
	out->from = who->addresses;
	out->name_domain = who->name_domain;
	out->other_count = who->other_count;
	out->others = who->others;
	out->malformed = who->malformed;
	/* Whom a reader shows is not known, so nobody is proved. */
	if (out->malformed && out->result == AUTH_PASS)
		out->result = AUTH_PERMERROR;
	if (who->problem != NULL)
		out->problem = who->problem;
	return CHECK_DONE;
}

static enum check_state
dmarc_step(struct scan *scan)
{
	struct state *state = scan->state[CHECK_DMARC];
	bool waits = false;
	size_t i;

	if (scan->stage == SCAN_MAIL)
		return CHECK_WAIT;
	if (scan->message == NULL)
		return CHECK_DONE;
	if (state == NULL) {
		state = arena_calloc(scan->arena, 1, sizeof(*state));
		scan->state[CHECK_DMARC] = state;
		begin(scan, state);
	}
	if (!scan->done[CHECK_SPF] || !scan->done[CHECK_DKIM])
		return CHECK_WAIT;
	for (i = 0; i < state->who.count; i++)
		if (evaluate(scan, state, &state->authors[i]) == OUTCOME_WAIT)
			waits = true;
	return waits ? CHECK_WAIT : report(scan, state);
}

const struct check check_dmarc = {
	.id = CHECK_DMARC,
	.name = "dmarc",
	.step = dmarc_step,
};
