/*
 * plan.c - one answer, many recipients: who is served how.
 *
 * SMTP gives one answer to the end of message, whatever its recipients
 * want.  The order here is that of the design page, "Carrying out".
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <string.h>

#include "base/strmap.h"
#include "policy/plan.h"

#define HELD_CODE "550"
#define HELD_ENHANCED "5.7.1"
#define HELD_REPLY "Message held for review by the recipient"
#define TOO_LARGE_CODE "552"
#define TOO_LARGE_ENHANCED "5.3.4"
#define TOO_LARGE_REPLY "Message is to be held, but too large for that"
#define CANNOT_HOLD_CODE "451"
#define CANNOT_HOLD_ENHANCED "4.3.0"
#define CANNOT_HOLD_REPLY "Storage is not available, please try again later"

struct planner {
	struct arena *arena;
	size_t count;
	struct plan_mailbox *mailboxes;
	size_t rcpt_count;
	const struct plan_limits *limits;
	struct plan *plan;
};

static enum action
action_of(const struct plan_mailbox *m)
{
	return m->ours ? m->verdict->action : ACTION_ACCEPT;
}

static void
settle(struct plan_mailbox *m, enum plan_fate fate, enum status status)
{
	m->fate = fate;
	m->status = status;
}

static void
settle_all(struct planner *p, enum plan_fate fate, enum status status)
{
	size_t i;

	for (i = 0; i < p->count; i++)
		settle(&p->mailboxes[i], fate, status);
}

static void
answer(struct plan *plan, enum plan_reply reply, const char *code,
    const char *enhanced, const char *text)
{
	plan->reply = reply;
	plan->code = code;
	plan->enhanced = enhanced;
	plan->text = text;
}

static void
defer_all(struct planner *p, const char *code, const char *enhanced,
    const char *text)
{
	answer(p->plan, REPLY_DEFER, code, enhanced, text);
	settle_all(p, FATE_DEFER, STATUS_DEFERRED);
	p->plan->hold_count = p->plan->deliver_count = 0;
	p->plan->tag = false;
	memset(p->plan->delete_rcpt, 0,
	    p->rcpt_count * sizeof(*p->plan->delete_rcpt));
}

static void
reject_too_large(struct planner *p)
{
	answer(p->plan, REPLY_REJECT, TOO_LARGE_CODE, TOO_LARGE_ENHANCED,
	    TOO_LARGE_REPLY);
	settle_all(p, FATE_REJECT, STATUS_REJECTED);
}

/* Observing: everything stays as if we were not there. */
static bool
plan_observe(struct planner *p)
{
	if (!p->limits->observe)
		return false;
	answer(p->plan, REPLY_ACCEPT, NULL, NULL, NULL);
	settle_all(p, FATE_STAY, STATUS_ACCEPTED);
	return true;
}

/* Anyone to be deferred defers all, and nothing is written. */
static bool
plan_defer(struct planner *p)
{
	const struct verdict *verdict;
	size_t i;

	for (i = 0; i < p->count; i++) {
		if (action_of(&p->mailboxes[i]) != ACTION_DEFER)
			continue;
		verdict = p->mailboxes[i].verdict;
		defer_all(p, verdict->code, verdict->enhanced, verdict->reply);
		return true;
	}
	return false;
}

static bool
may_be_refused(const struct plan_mailbox *m)
{
	enum action action = action_of(m);

	return action == ACTION_REJECT ||
	    (action_is_hold(action) &&
		m->verdict->policy->hold_answer == HOLD_ANSWER_550);
}

/* All refused, or held with a refusal: one 5xx says it to all. */
static bool
plan_reject(struct planner *p)
{
	const struct verdict *verdict = NULL;
	struct plan_mailbox *m;
	bool held = false;
	size_t i;

	for (i = 0; i < p->count; i++) {
		if (!may_be_refused(&p->mailboxes[i]))
			return false;
		if (verdict == NULL &&
		    action_of(&p->mailboxes[i]) == ACTION_REJECT)
			verdict = p->mailboxes[i].verdict;
	}
	if (p->count == 0)
		return false;
	if (verdict != NULL)
		answer(p->plan, REPLY_REJECT, verdict->code, verdict->enhanced,
		    verdict->reply);
	else
		answer(p->plan, REPLY_REJECT, HELD_CODE, HELD_ENHANCED,
		    HELD_REPLY);
	for (i = 0; i < p->count; i++) {
		m = &p->mailboxes[i];
		if (action_of(m) == ACTION_REJECT) {
			settle(m, FATE_REJECT, STATUS_REJECTED);
			continue;
		}
		settle(m, FATE_HOLD, STATUS_QUARANTINED);
		held = true;
	}
	if (held && p->limits->too_large)
		reject_too_large(p);
	return true;
}

/* The fate each mailbox would have if it were alone with a 250. */
static void
plan_each(struct planner *p)
{
	struct plan_mailbox *m;
	size_t i;

	for (i = 0; i < p->count; i++) {
		m = &p->mailboxes[i];
		switch (action_of(m)) {
		case ACTION_TAG:
			settle(m, FATE_STAY_TAGGED, STATUS_ACCEPTED);
			break;
		case ACTION_QUARANTINE:
		case ACTION_QUARANTINE_HIDDEN:
			settle(m, FATE_HOLD, STATUS_QUARANTINED);
			break;
		case ACTION_REJECT:
			settle(m, FATE_HOLD, STATUS_QUARANTINED);
			m->reject_as_hold = true;
			break;
		case ACTION_DISCARD:
			settle(m, FATE_DISCARD, STATUS_DISCARDED);
			break;
		default:
			settle(m, FATE_STAY, STATUS_ACCEPTED);
			break;
		}
	}
}

static bool
stays(const struct plan_mailbox *m)
{
	return m->fate == FATE_STAY || m->fate == FATE_STAY_TAGGED;
}

/* The mark of a tagged mailbox: two marks are as different as tag and no
 * tag.  NULL: none. */
static const char *
mark_of(const struct plan_mailbox *m)
{
	return m->fate == FATE_STAY_TAGGED ? m->verdict->policy->subject_mark
					   : NULL;
}

static bool
same_mark(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

/* Its place among the votes; no mark is empty. */
static struct bytes
mark_key(const char *mark)
{
	return bytes_of(mark != NULL ? mark : "");
}

/* How many stayers want each mark; false: one of them is not ours. */
static bool
count_votes(const struct planner *p, struct strmap *votes)
{
	size_t i, *count;
	void **slot;

	for (i = 0; i < p->count; i++) {
		if (!stays(&p->mailboxes[i]))
			continue;
		if (!p->mailboxes[i].ours)
			return false;
		slot = strmap_put(votes, mark_key(mark_of(&p->mailboxes[i])));
		if (*slot == NULL)
			*slot = arena_calloc(p->arena, 1, sizeof(*count));
		count = *slot;
		(*count)++;
	}
	return true;
}

/*
 * The bytes that the transaction's own message will have: those that most
 * of the stayers want; on a tie the untagged ones.  Who is not ours has no
 * policy under which a copy could be kept and sent beside: one of them, and
 * the message stays untagged.
 */
static const char *
choose_mark(const struct planner *p)
{
	const char *best = NULL, *mark;
	const size_t *count;
	size_t i, most = 0;
	struct strmap votes;
	bool all_ours;

	strmap_init(&votes);
	all_ours = count_votes(p, &votes);
	for (i = 0; all_ours && i < p->count; i++) {
		if (!stays(&p->mailboxes[i]))
			continue;
		mark = mark_of(&p->mailboxes[i]);
		count = strmap_get(&votes, mark_key(mark));
		if (*count > most || (*count == most && mark == NULL)) {
			best = mark;
			most = *count;
		}
	}
	strmap_free(&votes);
	return best;
}

static void
deliver_beside(struct plan_mailbox *m)
{
	m->fate =
	    m->fate == FATE_STAY_TAGGED ? FATE_DELIVER_TAGGED : FATE_DELIVER;
}

/* Those who need other bytes than the transaction's leave it. */
static void
plan_marks(struct planner *p)
{
	const char *mark = choose_mark(p);
	struct plan_mailbox *m;
	size_t i;

	for (i = 0; i < p->count; i++) {
		m = &p->mailboxes[i];
		if (!stays(m) || same_mark(mark, mark_of(m)))
			continue;
		if (p->limits->too_large) {
			/* Too large to be sent beside: without a mark. */
			m->tag_dropped = m->fate == FATE_STAY_TAGGED;
			m->fate = FATE_STAY;
			continue;
		}
		deliver_beside(m);
	}
}

/* Too large for the store and not all want the same mark: no mark at all
 * is the one thing that can be given to everybody. */
static void
drop_marks(struct planner *p)
{
	struct plan_mailbox *m;
	bool plain = false;
	size_t i;

	for (i = 0; i < p->count; i++)
		plain |= p->mailboxes[i].fate == FATE_STAY;
	for (i = 0; plain && i < p->count; i++) {
		m = &p->mailboxes[i];
		if (m->fate != FATE_STAY_TAGGED)
			continue;
		m->fate = FATE_STAY;
		m->tag_dropped = true;
	}
}

/*
 * A RCPT stays when all its mailboxes do.  Else it is deleted, and those of
 * its mailboxes that would have stayed are served by their own address.
 */
static void
plan_rcpts(struct planner *p)
{
	struct plan_mailbox *m;
	size_t i;

	for (i = 0; i < p->count; i++)
		if (!stays(&p->mailboxes[i]))
			p->plan->delete_rcpt[p->mailboxes[i].rcpt] = true;
	for (i = 0; i < p->count; i++) {
		m = &p->mailboxes[i];
		if (stays(m) && p->plan->delete_rcpt[m->rcpt])
			deliver_beside(m);
	}
}

/* Notes who of those that stay, or of those that do not, is first to serve
 * its mailbox. */
static void
note_served(struct planner *p, struct strmap *served, bool staying)
{
	struct plan_mailbox *m;
	void **slot;
	size_t i;

	for (i = 0; i < p->count; i++) {
		m = &p->mailboxes[i];
		if (stays(m) != staying)
			continue;
		slot = strmap_put(served, bytes_of(m->mailbox));
		m->duplicate = *slot != NULL;
		*slot = m;
	}
}

/* A mailbox reached by two ways is served once: by a RCPT that stays before
 * an entry of its own, by an earlier row before a later one. */
static void
plan_duplicates(struct planner *p)
{
	struct strmap served;

	strmap_init(&served);
	note_served(p, &served, true);
	note_served(p, &served, false);
	strmap_free(&served);
}

static void
plan_count(struct planner *p)
{
	const struct plan_mailbox *m;
	size_t i;

	p->plan->hold_count = p->plan->deliver_count = 0;
	for (i = 0; i < p->count; i++) {
		m = &p->mailboxes[i];
		if (m->duplicate)
			continue;
		if (m->fate == FATE_HOLD)
			p->plan->hold_count++;
		if (m->fate == FATE_DELIVER || m->fate == FATE_DELIVER_TAGGED)
			p->plan->deliver_count++;
	}
}

/* Do those who stay agree on class and score? */
static void
plan_agreement(struct planner *p)
{
	const struct verdict *verdict, *first = NULL;
	size_t i;

	p->plan->class_agreed = true;
	for (i = 0; i < p->count; i++) {
		if (!stays(&p->mailboxes[i]) || !p->mailboxes[i].ours)
			continue;
		verdict = p->mailboxes[i].verdict;
		if (first == NULL)
			first = verdict;
		else if (verdict->main_class != first->main_class ||
		    verdict->sub != first->sub ||
		    verdict->score != first->score)
			p->plan->class_agreed = false;
	}
	p->plan->agreed = p->plan->class_agreed ? first : NULL;
	if (first == NULL)
		p->plan->class_agreed = false;
}

static void
plan_accept(struct planner *p)
{
	bool anyone_stays = false;
	size_t i;

	plan_each(p);
	if (p->limits->too_large) {
		for (i = 0; i < p->count; i++)
			if (p->mailboxes[i].fate == FATE_HOLD) {
				reject_too_large(p);
				return;
			}
		drop_marks(p);
	}
	plan_marks(p);
	plan_rcpts(p);
	for (i = 0; i < p->count; i++) {
		anyone_stays |= stays(&p->mailboxes[i]);
		p->plan->tag |= p->mailboxes[i].fate == FATE_STAY_TAGGED;
	}
	answer(p->plan, anyone_stays ? REPLY_ACCEPT : REPLY_DISCARD, NULL, NULL,
	    NULL);
}

void
plan_make(struct arena *arena, size_t count, struct plan_mailbox *mailboxes,
    size_t rcpt_count, const struct plan_limits *limits, struct plan *plan)
{
	struct planner p = { arena, count, mailboxes, rcpt_count, limits,
		plan };

	memset(plan, 0, sizeof(*plan));
	plan->delete_rcpt =
	    arena_calloc(arena, rcpt_count + 1, sizeof(*plan->delete_rcpt));
	if (!plan_observe(&p) && !plan_defer(&p) && !plan_reject(&p))
		plan_accept(&p);
	plan_duplicates(&p);
	plan_count(&p);
	if (plan->hold_count + plan->deliver_count > 0 && !limits->can_hold)
		defer_all(&p, CANNOT_HOLD_CODE, CANNOT_HOLD_ENHANCED,
		    CANNOT_HOLD_REPLY);
	plan_agreement(&p);
}
