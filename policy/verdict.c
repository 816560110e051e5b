/*
 * verdict.c - from results to class, score and action, for one policy.
 *
 * The order of the steps is the precedence of the design page: limits
 * (later: virus before them), lists, authentication, score.  The first step
 * that decides ends the judging; what earlier steps noted stays as reasons.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "mail/address.h"
#include "mail/message.h"
#include "policy/arc_trust.h"
#include "policy/exempt.h"
#include "policy/verdict.h"

/* Everything a step reads, and the verdict it fills in. */
struct judge {
	struct arena *arena;
	const struct scan *scan;
	const struct settings *settings;
	const struct policy *policy;
	const char *mailbox;
	enum direction direction;
	uint64_t size;
	const struct list_row *allowed; /* the allow row that counts */
	enum sub_class allowed_by;
	struct verdict *verdict;
};

/* What is said when mail is refused; the first row that fits decides. */
static const struct {
	enum main_class main_class;
	enum sub_class sub; /* SUB_NONE: any */
	const char *reject_code, *enhanced, *reply;
} replies[] = {
	{ CLASS_UNKNOWN, SUB_UNKNOWN_USER, "550", "5.1.1",
	    "Recipient address does not exist" },
	{ CLASS_LOCKED, SUB_NONE, "550", "5.2.1",
	    "Recipient does not accept mail" },
	{ CLASS_BLACKLISTED, SUB_SIZE, "552", "5.3.4",
	    "Message exceeds the size limit of the recipient" },
	{ CLASS_BLACKLISTED, SUB_LIMITS, "550", "5.6.0",
	    "Message exceeds a limit of this system" },
	{ CLASS_BLACKLISTED, SUB_MALFORMED, "550", "5.6.0",
	    "Message is malformed" },
	{ CLASS_BLACKLISTED, SUB_RATE, "450", "4.7.1", "Too much mail" },
	{ CLASS_BLACKLISTED, SUB_NONE, "550", "5.7.1",
	    "Refused by the policy of the recipient" },
	{ CLASS_PHISH, SUB_DMARC, "550", "5.7.1",
	    "Refused: the DMARC policy of the From domain" },
	{ CLASS_PHISH, SUB_SPF, "550", "5.7.23",
	    "Refused: SPF validation failed" },
	{ CLASS_PHISH, SUB_DKIM, "550", "5.7.20",
	    "Refused: no DKIM signature passed" },
	{ CLASS_PHISH, SUB_NONE, "550", "5.7.1", "Refused as phishing" },
	{ CLASS_SPAM, SUB_NONE, "550", "5.7.1", "Refused as spam" },
	{ CLASS_VIRUS, SUB_NONE, "550", "5.7.1", "Refused: malicious content" },
	{ CLASS_ERROR, SUB_NONE, "550", "5.3.0", "Local error" },
};

/* What is said when mail is deferred, where there is more to say (RFC 7372,
 * RFC 6376 section 6.3). */
static const struct {
	enum sub_class sub;
	const char *enhanced, *reply;
} deferrals[] = {
	{ SUB_DMARC, "4.7.1",
	    "DMARC cannot be checked for the From domain now, please try again "
	    "later" },
	{ SUB_SPF, "4.7.24",
	    "SPF cannot be checked for the sender's domain now, please try "
	    "again later" },
	{ SUB_DKIM, "4.7.5",
	    "The key of a DKIM signature cannot be fetched now, please try "
	    "again later" },
};

/* Octets of a reply: RFC 5321 allows 512 in a line, code and all. */
#define REPLY_MAX 480

#define DEFER_CODE "451"
#define DEFER_ENHANCED "4.7.1"
#define DEFER_REPLY "Please try again later"

static void
set_deferral(struct verdict *verdict)
{
	size_t i;

	verdict->code = DEFER_CODE;
	verdict->enhanced = DEFER_ENHANCED;
	verdict->reply = DEFER_REPLY;
	if (verdict->main_class != CLASS_UNKNOWN)
		return;
	for (i = 0; i < sizeof(deferrals) / sizeof(deferrals[0]); i++)
		if (deferrals[i].sub == verdict->sub) {
			verdict->enhanced = deferrals[i].enhanced;
			verdict->reply = deferrals[i].reply;
		}
}

static void
set_refusal(struct verdict *verdict)
{
	size_t i;

	verdict->code = "550";
	verdict->enhanced = "5.7.1";
	verdict->reply = "Refused by policy";
	for (i = 0; i < sizeof(replies) / sizeof(replies[0]); i++) {
		if (replies[i].main_class != verdict->main_class ||
		    (replies[i].sub != SUB_NONE &&
			replies[i].sub != verdict->sub))
			continue;
		verdict->code = replies[i].reject_code;
		verdict->enhanced = replies[i].enhanced;
		verdict->reply = replies[i].reply;
		return;
	}
}

static void
decide(struct judge *judge, const char *decided_by, enum main_class main_class,
    enum sub_class sub, const char *extra, enum action action)
{
	struct verdict *verdict = judge->verdict;

	verdict->decided_by = decided_by;
	verdict->main_class = main_class;
	verdict->sub = sub;
	verdict->extra = extra;
	verdict->action = action;
	if (action == ACTION_DEFER)
		set_deferral(verdict);
	else if (action == ACTION_REJECT)
		set_refusal(verdict);
}

static void
note(struct judge *judge, const char *name, int64_t points, const char *detail)
{
	struct verdict *verdict = judge->verdict;
	struct verdict_reason *reason;

	verdict->score += points;
	if (verdict->reason_count == VERDICT_REASON_MAX)
		return;
	reason = &verdict->reasons[verdict->reason_count++];
	reason->name = name;
	reason->points = points;
	reason->detail = detail != NULL ? detail : "";
}

/* ---- limits ---- */

static bool
judge_limits(struct judge *judge)
{
	const struct message *message = judge->scan->message;
	const struct policy *policy = judge->policy;
	const char *extra;

	if (message != NULL && message->limit != NULL) {
		note(judge, "limits.message", 0, message->limit);
		decide(judge, "limits", CLASS_BLACKLISTED, SUB_LIMITS,
		    message->limit, ACTION_REJECT);
		return true;
	}
	if (judge->size > policy->size_max) {
		extra = arena_printf(judge->arena,
		    "%" PRIu64 " bytes, limit %" PRIu64, judge->size,
		    policy->size_max);
		note(judge, "limits.size", 0, extra);
		decide(judge, "limits", CLASS_BLACKLISTED, SUB_SIZE, extra,
		    (enum action)policy->size_action);
		return true;
	}
	return false;
}

static bool
judge_filter_off(struct judge *judge)
{
	if (judge->policy->filter)
		return false;
	note(judge, "filter.off", 0, "the filter is off for this mailbox");
	decide(judge, "filter-off", CLASS_NOT_SPAM, SUB_FILTER_OFF, "",
	    ACTION_ACCEPT);
	return true;
}

/* Our own users' mail is not held against the lists and sender checks of
 * those who receive it. */
static bool
judge_outbound(struct judge *judge)
{
	if (judge->direction != DIRECTION_OUTBOUND)
		return false;
	decide(judge, "outbound", CLASS_NOT_SPAM, SUB_NONE, "", ACTION_ACCEPT);
	return true;
}

static bool
judge_malformed_from(struct judge *judge)
{
	const struct auth_dmarc *dmarc = &judge->scan->auth.dmarc;
	const char *extra;

	if (!judge->scan->inbound_checks || !dmarc->malformed ||
	    judge->policy->malformed_from == ACTION_ACCEPT)
		return false;
	extra = dmarc->problem != NULL ? dmarc->problem : "From header";
	note(judge, "from.malformed", 0, extra);
	decide(judge, "limits", CLASS_BLACKLISTED, SUB_MALFORMED, extra,
	    (enum action)judge->policy->malformed_from);
	return true;
}

/* ---- lists ---- */

/* A row that could decide, with how near it is to the mailbox. */
struct candidate {
	const struct list_row *row;
	enum sub_class sub;
};

/* Is the envelope sender who it says it is?  SPF, or DKIM in its name. */
static bool
envelope_is_authenticated(const struct scan *scan)
{
	const struct auth *auth = &scan->auth;
	const char *domain = scan->envelope->sender.domain;
	size_t i;

	if (address_is_null(&scan->envelope->sender))
		return false;
	if (auth->spf.mailfrom.checked &&
	    auth->spf.mailfrom.result == AUTH_PASS)
		return true;
	for (i = 0; i < auth->dkim.count; i++)
		if (auth->dkim.signatures[i].trusted &&
		    strcmp(auth->dkim.signatures[i].domain, domain) == 0)
			return true;
	return false;
}

/*
 * Is this author?  Aligned DKIM or SPF, or a signature of the very domain.
 * Of several authors DMARC reports the worst: aligned means all of them, but
 * a signature of the one that is reported says nothing of another.
 */
static bool
author_is_authenticated(const struct scan *scan, const struct address *author)
{
	const struct auth *auth = &scan->auth;
	size_t i;

	if (auth->dmarc.from_domain == NULL || auth->dmarc.malformed)
		return false;
	if (auth->dmarc.dkim_aligned || auth->dmarc.spf_aligned)
		return true;
	if (strcmp(author->domain, auth->dmarc.from_domain) != 0)
		return false;
	for (i = 0; i < auth->dkim.count; i++)
		if (auth->dkim.signatures[i].trusted &&
		    strcmp(auth->dkim.signatures[i].domain, author->domain) ==
			0)
			return true;
	return false;
}

/*
 * The domain of the author; NULL when there are authors of several.  DMARC
 * reports one of them then, and what excuses that one must not excuse the
 * others, whom a sender may have added it to.
 */
static const char *
sole_author_domain(const struct scan *scan)
{
	const struct auth_dmarc *dmarc = &scan->auth.dmarc;
	size_t i;

	if (dmarc->from_domain == NULL)
		return NULL;
	for (i = 0; i < dmarc->from_count; i++)
		if (strcmp(dmarc->from[i].domain, dmarc->from_domain) != 0)
			return NULL;
	return dmarc->from_domain;
}

/* Nearer level wins; on the same level block wins over allow. */
static void
consider(struct candidate *best, const struct list_row *row, enum sub_class sub)
{
	if (row == NULL)
		return;
	if (best->row == NULL || row->level > best->row->level ||
	    (row->level == best->row->level && row->kind == LIST_BLOCK &&
		best->row->kind == LIST_ALLOW)) {
		best->row = row;
		best->sub = sub;
	}
}

static const char *
row_text(struct arena *arena, const struct list_row *row)
{
	static const char *const levels[] = { "system", "domain", "mailbox" };
	static const char *const sides[] = { "sender", "recipient", "client" };

	return arena_printf(arena, "%s %s %s %s", levels[row->level],
	    sides[row->side], row->kind == LIST_ALLOW ? "allow" : "block",
	    row->pattern);
}

static void
consider_sender(struct judge *judge, struct candidate *best,
    const struct address *sender, bool authenticated)
{
	const struct list_row *row, *forged;
	unsigned kinds = LIST_MASK_ALL;

	if (!authenticated)
		kinds &= ~LIST_MASK_ALLOW;
	row = settings_list_sender(judge->settings, judge->mailbox, sender,
	    kinds);
	consider(best, row, SUB_SENDER_LIST);
	if (authenticated)
		return;
	forged = settings_list_sender(judge->settings, judge->mailbox, sender,
	    LIST_MASK_ALLOW);
	if (forged != NULL)
		note(judge, "list.allow-not-counted", 0,
		    arena_printf(judge->arena,
			"%s: the sender is not authenticated",
			row_text(judge->arena, forged)));
}

static bool
judge_lists(struct judge *judge)
{
	const struct scan *scan = judge->scan;
	struct candidate best = { NULL, SUB_NONE };
	const char *extra;
	size_t i;

	consider(&best,
	    settings_list_client(judge->settings, judge->mailbox,
		&scan->envelope->client.ip, LIST_MASK_ALL),
	    SUB_CLIENT_LIST);
	consider(&best,
	    settings_list_recipient(judge->settings, judge->mailbox,
		LIST_MASK_ALL),
	    SUB_RECIPIENT_LIST);
	if (!address_is_null(&scan->envelope->sender))
		consider_sender(judge, &best, &scan->envelope->sender,
		    envelope_is_authenticated(scan));
	for (i = 0; i < scan->auth.dmarc.from_count; i++)
		if (strcmp(scan->auth.dmarc.from[i].key,
			scan->envelope->sender.key) != 0 ||
		    !envelope_is_authenticated(scan))
			consider_sender(judge, &best, &scan->auth.dmarc.from[i],
			    author_is_authenticated(scan,
				&scan->auth.dmarc.from[i]));
	if (best.row == NULL)
		return false;
	extra = row_text(judge->arena, best.row);
	if (best.row->kind == LIST_ALLOW) {
		note(judge, "list.allow", 0, extra);
		judge->allowed = best.row;
		judge->allowed_by = best.sub;
		return false;
	}
	note(judge, "list.block", 0, extra);
	decide(judge, "list", CLASS_BLACKLISTED, best.sub, extra,
	    best.row->action >= 0 ? (enum action)best.row->action
				  : (enum action)judge->policy->block_action);
	return true;
}

/* ---- authentication ---- */

static bool
any_trusted_signature(const struct auth *auth)
{
	size_t i;

	for (i = 0; i < auth->dkim.count; i++)
		if (auth->dkim.signatures[i].trusted)
			return true;
	return false;
}

/*
 * RFC 9989 section 5.1.3 warns that p=reject alone is no ground to reject,
 * as mailing lists break what it stands on.  Evidence that agrees: the
 * client is one that the sender's SPF record excludes, and nobody else
 * vouches for the message by a signature or an ARC chain.
 */
static bool
evidence_agrees(const struct auth *auth)
{
	return auth->spf.mailfrom.checked &&
	    auth->spf.mailfrom.result == AUTH_FAIL &&
	    !any_trusted_signature(auth) && auth->arc.result != AUTH_PASS;
}

/* Does a forwarder that we trust say that he found the author proved? */
static bool
is_lifted_by_arc(struct judge *judge, const char *failure)
{
	const struct auth *auth = &judge->scan->auth;
	const char *sealer;

	switch (arc_trust(judge->arena, &auth->arc, &judge->policy->arc_trusted,
	    auth->dmarc.malformed ? NULL : sole_author_domain(judge->scan),
	    &sealer)) {
	case ARC_TRUST_NONE:
		return false;
	case ARC_TRUST_SILENT:
		note(judge, "arc.silent", 0, sealer);
		return false;
	case ARC_TRUST_VOUCHES:
		break;
	}
	note(judge, "dmarc.lifted-by-arc", 0,
	    arena_printf(judge->arena, "%s; sealed by %s", failure, sealer));
	return true;
}

/* What a DMARC failure under quarantine or reject leads to. */
static enum action
dmarc_action(const struct judge *judge)
{
	const struct policy *policy = judge->policy;

	if (judge->scan->auth.dmarc.policy != DMARC_REJECT)
		return (enum action)policy->dmarc_quarantine;
	if (policy->dmarc_reject == DMARC_REJECT_ALWAYS)
		return ACTION_REJECT;
	if (policy->dmarc_reject == DMARC_REJECT_EVIDENCE &&
	    evidence_agrees(&judge->scan->auth))
		return ACTION_REJECT;
	return (enum action)policy->dmarc_quarantine;
}

/* Notes that this result does not count, where an entry says so. */
static bool
is_exempt(struct judge *judge, const char *name,
    const struct option_list *entries, const char *domain)
{
	const char *entry =
	    exempt_find(entries, domain, &judge->scan->envelope->client.ip);

	if (entry == NULL)
		return false;
	note(judge, name, 0, entry);
	return true;
}

/* Is something proved of the very domain of the author?  Then DMARC passes,
 * whatever the policy is. */
static bool
passes_any_policy(const struct auth *auth)
{
	const struct auth_spf_identity *spf = &auth->spf.mailfrom;
	const char *author = auth->dmarc.from_domain;
	size_t i;

	if (spf->checked && spf->result == AUTH_PASS &&
	    strcmp(spf->domain, author) == 0)
		return true;
	for (i = 0; i < auth->dkim.count; i++)
		if (auth->dkim.signatures[i].trusted &&
		    strcmp(auth->dkim.signatures[i].domain, author) == 0)
			return true;
	return false;
}

/*
 * What is to be done is ours to say (RFC 9989 section 5.3.6).  A policy that
 * could not be fetched may be p=reject: who wants such mail deferred wants
 * that to hold, too.
 */
static bool
judge_dmarc_temperror(struct judge *judge)
{
	const struct auth_dmarc *dmarc = &judge->scan->auth.dmarc;
	const char *extra = "temperror under p=reject";

	note(judge, "dmarc.temperror", 0, dmarc->problem);
	if (judge->policy->dmarc_temperror != TEMPERROR_DEFER ||
	    judge->allowed != NULL)
		return false;
	if (dmarc->policy_domain != NULL) {
		if (dmarc->policy != DMARC_REJECT)
			return false;
	} else if (passes_any_policy(&judge->scan->auth)) {
		return false;
	} else {
		extra = "temperror, the policy is not known";
	}
	decide(judge, "dmarc", CLASS_UNKNOWN, SUB_DMARC, extra, ACTION_DEFER);
	return true;
}

static bool
judge_dmarc(struct judge *judge)
{
	const struct auth_dmarc *dmarc = &judge->scan->auth.dmarc;
	const char *extra;

	if (!judge->policy->dmarc ||
	    (dmarc->result != AUTH_FAIL && dmarc->result != AUTH_TEMPERROR) ||
	    is_exempt(judge, "dmarc.exempt", &judge->policy->dmarc_exempt,
		sole_author_domain(judge->scan)))
		return false;
	if (dmarc->result == AUTH_TEMPERROR)
		return judge_dmarc_temperror(judge);
	if (dmarc->policy == DMARC_NONE) {
		note(judge, "dmarc.fail", judge->policy->dmarc_none_points,
		    "the From domain asks for no action");
		return false;
	}
	extra = arena_printf(judge->arena, "p=%s of %s",
	    dmarc_policy_name(dmarc->policy), dmarc->policy_domain);
	if (judge->allowed != NULL && judge->allowed->lifts_dmarc) {
		note(judge, "dmarc.lifted-by-list", 0, extra);
		return false;
	}
	if (is_lifted_by_arc(judge, extra))
		return false;
	note(judge, "dmarc.fail", 0, extra);
	decide(judge, "dmarc", CLASS_PHISH, SUB_DMARC, extra,
	    dmarc_action(judge));
	return true;
}

/* An allow row that counts: nothing behind it is asked. */
static bool
judge_allowed(struct judge *judge)
{
	if (judge->allowed == NULL)
		return false;
	decide(judge, "list", CLASS_WHITELISTED, judge->allowed_by,
	    row_text(judge->arena, judge->allowed), ACTION_ACCEPT);
	return true;
}

static const enum action on_fail_actions[] = {
	[ON_FAIL_SCORE] = ACTION_ACCEPT,
	[ON_FAIL_QUARANTINE] = ACTION_QUARANTINE,
	[ON_FAIL_REJECT] = ACTION_REJECT,
};

/* When DMARC passed, the author is known: a forwarded mail whose SPF broke
 * must not suffer for it. */
static int64_t
unless_dmarc_passed(const struct judge *judge, int64_t points)
{
	if (judge->policy->dmarc && judge->scan->auth.dmarc.result == AUTH_PASS)
		return 0;
	return points;
}

static bool
is_bad(enum auth_result result)
{
	return result == AUTH_FAIL || result == AUTH_SOFTFAIL ||
	    result == AUTH_PERMERROR || result == AUTH_TEMPERROR;
}

/* Defers for a check whose names the DNS did not tell, where that is wanted
 * and nothing else proves the author. */
static bool
defer_temperror(struct judge *judge, const char *step, enum sub_class sub,
    int wish)
{
	if (wish != TEMPERROR_DEFER ||
	    (judge->policy->dmarc &&
		judge->scan->auth.dmarc.result == AUTH_PASS))
		return false;
	decide(judge, step, CLASS_UNKNOWN, sub, "temperror", ACTION_DEFER);
	return true;
}

/*
 * What the sender's domain says of a refusal (exp=, RFC 7208 section 6.2)
 * goes to the sender, marked as the words of that domain.  It is printable
 * ASCII; what does not fit is cut.
 */
static const char *
reply_with_explanation(struct arena *arena, const char *reply,
    const struct auth_spf_identity *spf)
{
	const char *text =
	    arena_printf(arena, "%s; %s says: ", reply, spf->domain);
	size_t len = strlen(text), room = len < REPLY_MAX ? REPLY_MAX - len : 0;

	if (strlen(spf->explanation) <= room)
		return arena_printf(arena, "%s%s", text, spf->explanation);
	if (room < sizeof("..."))
		return reply;
	return arena_printf(arena, "%s%.*s...", text, (int)room - 3,
	    spf->explanation);
}

static bool
refuse_by_spf(struct judge *judge, const char *extra)
{
	const struct auth_spf_identity *spf = &judge->scan->auth.spf.mailfrom;
	enum action action = on_fail_actions[judge->policy->spf_fail];

	if (judge->policy->spf_fail == ON_FAIL_SCORE)
		return false;
	decide(judge, "spf", CLASS_PHISH, SUB_SPF, extra, action);
	if (action == ACTION_REJECT && spf->explanation != NULL)
		judge->verdict->reply = reply_with_explanation(judge->arena,
		    judge->verdict->reply, spf);
	return true;
}

static bool
judge_spf(struct judge *judge)
{
	const struct auth_spf_identity *spf = &judge->scan->auth.spf.mailfrom;
	const struct policy *policy = judge->policy;
	const char *extra;

	if (!policy->spf || !spf->checked || !is_bad(spf->result) ||
	    is_exempt(judge, "spf.exempt", &policy->spf_exempt, spf->domain))
		return false;
	extra = arena_printf(judge->arena, "%s for %s",
	    auth_result_name(spf->result),
	    spf->domain != NULL ? spf->domain : "");
	switch (spf->result) {
	case AUTH_FAIL:
		note(judge, "spf.fail",
		    unless_dmarc_passed(judge, policy->spf_fail_points), extra);
		return refuse_by_spf(judge, extra);
	case AUTH_SOFTFAIL:
		note(judge, "spf.softfail",
		    unless_dmarc_passed(judge, policy->spf_softfail_points),
		    extra);
		return false;
	case AUTH_PERMERROR:
		note(judge, "spf.permerror",
		    unless_dmarc_passed(judge, policy->spf_permerror_points),
		    spf->problem != NULL ? spf->problem : extra);
		return false;
	case AUTH_TEMPERROR:
		note(judge, "spf.temperror", 0,
		    spf->problem != NULL ? spf->problem : extra);
		return defer_temperror(judge, "spf", SUB_SPF,
		    policy->spf_temperror);
	default:
		return false;
	}
}

static bool
judge_dkim(struct judge *judge)
{
	const struct auth_dkim *dkim = &judge->scan->auth.dkim;
	const struct policy *policy = judge->policy;
	const char *extra;

	if (!policy->dkim)
		return false;
	/* A pass that is not trusted is none: see distrust in auth_dkim.c. */
	if (dkim->count == 0 || any_trusted_signature(&judge->scan->auth) ||
	    dkim->result == AUTH_NONE || dkim->result == AUTH_NEUTRAL ||
	    is_exempt(judge, "dkim.exempt", &policy->dkim_exempt,
		judge->scan->auth.dmarc.from_domain))
		return false;
	if (dkim->result == AUTH_TEMPERROR) {
		note(judge, "dkim.temperror", 0, "");
		return defer_temperror(judge, "dkim", SUB_DKIM,
		    policy->dkim_temperror);
	}
	extra = dkim->signatures[0].problem != NULL
	    ? dkim->signatures[0].problem
	    : "no signature passed";
	note(judge, "dkim.fail",
	    unless_dmarc_passed(judge, policy->dkim_fail_points), extra);
	if (policy->dkim_fail == ON_FAIL_SCORE)
		return false;
	decide(judge, "dkim", CLASS_PHISH, SUB_DKIM, extra,
	    on_fail_actions[policy->dkim_fail]);
	return true;
}

/* Who the client says it is, and who the DNS says it is.  Neither breaks on
 * the way, so that a pass of DMARC lifts nothing. */
static bool
judge_client(struct judge *judge)
{
	const struct auth *auth = &judge->scan->auth;
	const struct policy *policy = judge->policy;
	bool helo = policy->helo_fail_points != 0 && auth->spf.helo.checked &&
	    !auth->spf.sender_is_null && auth->spf.helo.result == AUTH_FAIL;
	bool iprev = policy->iprev_fail_points != 0 &&
	    (auth->iprev.result == AUTH_FAIL ||
		auth->iprev.result == AUTH_PERMERROR);

	if ((!helo && !iprev) ||
	    is_exempt(judge, "client.exempt", &policy->client_exempt, NULL))
		return false;
	if (helo)
		note(judge, "helo.fail", policy->helo_fail_points,
		    auth->spf.helo.domain);
	if (iprev)
		note(judge, "iprev.fail", policy->iprev_fail_points,
		    auth->iprev.name);
	return false;
}

/* The signature that was seen most. */
static bool
judge_replay(struct judge *judge)
{
	const struct auth_dkim *dkim = &judge->scan->auth.dkim;
	const struct auth_dkim_signature *most = NULL;
	const struct policy *policy = judge->policy;
	size_t i;

	for (i = 0; i < dkim->count; i++)
		if (most == NULL || dkim->signatures[i].seen > most->seen)
			most = &dkim->signatures[i];
	if (policy->replay_max > 0 && most != NULL &&
	    most->seen >= policy->replay_max)
		note(judge, "dkim.replay", policy->replay_points,
		    arena_printf(judge->arena,
			"%" PRIu64 " messages in an hour under this signature "
			"of %s",
			most->seen, most->domain));
	return false;
}

/* DMARC says nothing about names, and many readers show only them. */
static bool
judge_name(struct judge *judge)
{
	const char *domain = judge->scan->auth.dmarc.name_domain;

	if (domain != NULL && judge->policy->name_address_points != 0)
		note(judge, "from.name-address",
		    judge->policy->name_address_points, domain);
	return false;
}

static bool
is_related(const char *a, const char *b)
{
	return domain_is_within(a, b) || domain_is_within(b, a);
}

/* Is anything proved of that domain?  Mailing lists and those who resend
 * have their own servers or signatures. */
static bool
domain_is_proved(const struct auth *auth, const char *domain)
{
	const struct auth_spf_identity *spf = &auth->spf.mailfrom;
	size_t i;

	if (spf->checked && spf->result == AUTH_PASS &&
	    is_related(spf->domain, domain))
		return true;
	for (i = 0; i < auth->dkim.count; i++)
		if (auth->dkim.signatures[i].trusted &&
		    is_related(auth->dkim.signatures[i].domain, domain))
			return true;
	return auth->iprev.result == AUTH_PASS &&
	    domain_is_within(auth->iprev.name, domain);
}

static bool
judge_other_senders(struct judge *judge)
{
	const struct auth *auth = &judge->scan->auth;
	size_t i;

	for (i = 0; i < auth->dmarc.other_count; i++)
		if (judge->policy->other_sender_points != 0 &&
		    !domain_is_proved(auth, auth->dmarc.others[i])) {
			note(judge, "from.other-sender",
			    judge->policy->other_sender_points,
			    auth->dmarc.others[i]);
			break;
		}
	return false;
}

/* ---- score ---- */

/* The sub class of a score is what gave most of it. */
static enum sub_class
score_sub_class(const struct verdict *verdict)
{
	static const struct {
		const char *prefix;
		enum sub_class sub;
	} prefixes[] = {
		{ "spf.", SUB_SPF },
		{ "dkim.", SUB_DKIM },
		{ "dmarc.", SUB_DMARC },
		{ "helo.", SUB_CLIENT },
		{ "iprev.", SUB_CLIENT },
	};
	const struct verdict_reason *most = NULL;
	size_t i;

	for (i = 0; i < verdict->reason_count; i++)
		if (most == NULL || verdict->reasons[i].points > most->points)
			most = &verdict->reasons[i];
	for (i = 0; most != NULL && i < sizeof(prefixes) / sizeof(prefixes[0]);
	     i++)
		if (strncmp(most->name, prefixes[i].prefix,
			strlen(prefixes[i].prefix)) == 0)
			return prefixes[i].sub;
	return SUB_CONTENT;
}

static bool
judge_score(struct judge *judge)
{
	const struct policy *policy = judge->policy;
	struct verdict *verdict = judge->verdict;
	char score[SCORE_TEXT_SIZE];
	const char *extra;

	score_format(verdict->score, score);
	extra = arena_printf(judge->arena, "score %s", score);
	if (verdict->score >= policy->spam_points)
		decide(judge, "score", CLASS_SPAM, score_sub_class(verdict),
		    extra, (enum action)policy->spam_action);
	else if (verdict->score >= policy->unsure_points)
		decide(judge, "score", CLASS_UNSURE, score_sub_class(verdict),
		    extra, (enum action)policy->unsure_action);
	else
		decide(judge, "score", CLASS_NOT_SPAM, SUB_NONE, extra,
		    ACTION_ACCEPT);
	return true;
}

/* Order is meaning: the precedence of the design page. */
static bool (*const steps[])(struct judge *) = {
	judge_limits,
	judge_filter_off,
	judge_outbound,
	judge_malformed_from,
	judge_lists,
	judge_dmarc,
	judge_allowed,
	judge_spf,
	judge_dkim,
	judge_client,
	judge_replay,
	judge_name,
	judge_other_senders,
	judge_score,
};

static struct verdict *
verdict_new(struct arena *arena, const struct policy *policy)
{
	struct verdict *verdict = arena_calloc(arena, 1, sizeof(*verdict));

	verdict->policy = policy;
	verdict->extra = "";
	verdict->decided_by = "";
	return verdict;
}

const struct verdict *
verdict_make(struct arena *arena, const struct scan *scan,
    const char *mailbox_key, enum direction direction, uint64_t message_size)
{
	struct judge judge = {
		.arena = arena,
		.scan = scan,
		.settings = scan->settings,
		.mailbox = mailbox_key,
		.direction = direction,
		.size = message_size,
	};
	size_t i;

	/* What leaves is under the policy of the domain it leaves from. */
	if (direction == DIRECTION_OUTBOUND)
		judge.policy = settings_domain_policy(scan->settings,
		    scan->envelope->sender.domain);
	else
		judge.policy = settings_policy(scan->settings, mailbox_key);
	judge.verdict = verdict_new(arena, judge.policy);
	for (i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
		if (steps[i](&judge))
			break;
	return judge.verdict;
}

/* Does a row decide at RCPT?  Only one that refuses at once. */
static bool
row_refuses(const struct policy *policy, const struct list_row *row)
{
	int action;

	if (row == NULL || row->kind != LIST_BLOCK)
		return false;
	action = row->action >= 0 ? row->action : policy->block_action;
	return action == ACTION_REJECT || action == ACTION_DEFER;
}

const struct verdict *
verdict_at_rcpt(struct arena *arena, const struct envelope *envelope,
    const struct settings *settings, const char *mailbox_key)
{
	struct judge judge = {
		.arena = arena,
		.settings = settings,
		.policy = settings_policy(settings, mailbox_key),
		.mailbox = mailbox_key,
	};
	const struct policy *policy = judge.policy;
	struct candidate best = { NULL, SUB_NONE };

	judge.verdict = verdict_new(arena, policy);
	if (policy->locked) {
		decide(&judge, "locked", CLASS_LOCKED, SUB_NONE, mailbox_key,
		    ACTION_REJECT);
		return judge.verdict;
	}
	if (envelope->declared_size > policy->size_max &&
	    policy->size_action == ACTION_REJECT) {
		decide(&judge, "limits", CLASS_BLACKLISTED, SUB_SIZE,
		    arena_printf(arena, "declared %" PRIu64 " bytes",
			envelope->declared_size),
		    ACTION_REJECT);
		return judge.verdict;
	}
	if (!policy->filter)
		return judge.verdict;
	/*
	 * Whether an allow row counts is known at end of message only, so
	 * one that is nearer keeps a block row from refusing here.
	 */
	consider(&best,
	    settings_list_client(settings, mailbox_key, &envelope->client.ip,
		LIST_MASK_ALL),
	    SUB_CLIENT_LIST);
	consider(&best,
	    settings_list_recipient(settings, mailbox_key, LIST_MASK_ALL),
	    SUB_RECIPIENT_LIST);
	if (!address_is_null(&envelope->sender))
		consider(&best,
		    settings_list_sender(settings, mailbox_key,
			&envelope->sender, LIST_MASK_ALL),
		    SUB_SENDER_LIST);
	if (row_refuses(policy, best.row))
		decide(&judge, "list", CLASS_BLACKLISTED, best.sub,
		    row_text(arena, best.row),
		    best.row->action >= 0 ? (enum action)best.row->action
					  : (enum action)policy->block_action);
	return judge.verdict;
}

const struct verdict *
verdict_plain(struct arena *arena, enum main_class main_class,
    enum sub_class sub, const char *extra, enum action action)
{
	struct judge judge = { .verdict = verdict_new(arena, NULL) };

	decide(&judge, "system", main_class, sub, extra, action);
	return judge.verdict;
}

void
score_format(int64_t points, char out[SCORE_TEXT_SIZE])
{
	uint64_t whole = points < 0 ? -(uint64_t)points : (uint64_t)points;
	unsigned rest = (unsigned)(whole % 1000);
	const char *sign = points < 0 ? "-" : "";
	size_t len;

	whole /= 1000;
	if (rest == 0) {
		snprintf(out, SCORE_TEXT_SIZE, "%s%" PRIu64, sign, whole);
		return;
	}
	snprintf(out, SCORE_TEXT_SIZE, "%s%" PRIu64 ".%03u", sign, whole, rest);
	for (len = strlen(out); out[len - 1] == '0'; len--)
		out[len - 1] = '\0';
}
