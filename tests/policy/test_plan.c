/*
 * test_plan.c - tests of policy/plan.c: every mix of recipients as a row.
 *
 * A mailbox is written as its action, its RCPT and, where it is not its
 * own, its name: "A0 Q1" are two RCPTs, one accepted, one held; "A0 Q0=b"
 * one RCPT with two mailboxes.
 *
 *	A accept, T tag, U tag with another mark, Q hold (answer 250),
 *	q hold (answer 550), R reject, D defer, X discard, N not ours
 *
 * What is wanted is written as one letter each:
 *
 *	s stays, t stays tagged, h held, d delivered beside, e the same
 *	tagged, x discarded, r rejected, f deferred; - duplicate,
 *	! a tag that was dropped, ^ a reject that became a hold
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit.h"

#include "policy/plan.h"

#define MAILBOXES_MAX 8

static const struct policy policy_250 = { .hold_answer = HOLD_ANSWER_250,
	.subject_mark = (char *)"[SPAM]" };
static const struct policy policy_550 = { .hold_answer = HOLD_ANSWER_550,
	.subject_mark = (char *)"[SPAM]" };
static const struct policy policy_other_mark = { .subject_mark =
						     (char *)"[?]" };

static const struct {
	char letter;
	struct verdict verdict;
} verdicts[] = {
	{ 'A', { .action = ACTION_ACCEPT, .policy = &policy_250 } },
	{ 'T',
	    { .action = ACTION_TAG,
		.policy = &policy_250,
		.main_class = CLASS_UNSURE } },
	{ 'U',
	    { .action = ACTION_TAG,
		.policy = &policy_other_mark,
		.main_class = CLASS_UNSURE } },
	{ 'Q', { .action = ACTION_QUARANTINE, .policy = &policy_250 } },
	{ 'q', { .action = ACTION_QUARANTINE_HIDDEN, .policy = &policy_550 } },
	{ 'R',
	    { .action = ACTION_REJECT,
		.policy = &policy_250,
		.code = "550",
		.enhanced = "5.7.1",
		.reply = "refused" } },
	{ 'D',
	    { .action = ACTION_DEFER,
		.policy = &policy_250,
		.code = "451",
		.enhanced = "4.7.1",
		.reply = "later" } },
	{ 'X', { .action = ACTION_DISCARD, .policy = &policy_250 } },
	{ 'N', { .action = ACTION_REJECT, .policy = &policy_250 } },
};

static const struct verdict *
verdict_of(char letter)
{
	size_t i;

	for (i = 0; i < ARRAY_LEN(verdicts); i++)
		if (verdicts[i].letter == letter)
			return &verdicts[i].verdict;
	fail();
	return NULL;
}

/* "A0 Q1=b" into rows; returns how many. */
static size_t
read_rows(const char *text, struct plan_mailbox *rows, char names[][2])
{
	size_t n = 0;

	memset(rows, 0, MAILBOXES_MAX * sizeof(*rows));
	while (*text != '\0') {
		assert_in_range(n, 0, MAILBOXES_MAX - 1);
		rows[n].verdict = verdict_of(text[0]);
		rows[n].ours = text[0] != 'N';
		rows[n].rcpt = (size_t)(text[1] - '0');
		names[n][0] = (char)('a' + n);
		names[n][1] = '\0';
		text += 2;
		if (*text == '=') {
			names[n][0] = text[1];
			text += 2;
		}
		rows[n].mailbox = names[n];
		n++;
		while (*text == ' ')
			text++;
	}
	return n;
}

static void
write_fates(const struct plan_mailbox *rows, size_t n, char *out)
{
	static const char letters[] = "sthdexrf";
	size_t i;

	for (i = 0; i < n; i++) {
		*out++ = letters[rows[i].fate];
		if (rows[i].duplicate)
			*out++ = '-';
		if (rows[i].tag_dropped)
			*out++ = '!';
		if (rows[i].reject_as_hold)
			*out++ = '^';
	}
	*out = '\0';
}

struct plan_case {
	const char *label;
	const char *rows;
	struct plan_limits limits;
	const char *fates;
	enum plan_reply reply;
	const char *code;
	const char *deleted; /* RCPTs, as digits */
};

#define FINE                                                                   \
	{                                                                      \
		.can_hold = true                                               \
	}
#define NO_STORE                                                               \
	{                                                                      \
		.can_hold = false                                              \
	}
#define LARGE                                                                  \
	{                                                                      \
		.can_hold = true, .too_large = true                            \
	}

static const struct plan_case cases[] = {
	{ "all accepted", "A0 A1", FINE, "ss", REPLY_ACCEPT, NULL, "" },
	{ "all tagged", "T0 T1", FINE, "tt", REPLY_ACCEPT, NULL, "" },
	{ "all held, 250", "Q0 Q1", FINE, "hh", REPLY_DISCARD, NULL, "01" },
	{ "all held, 550", "q0 q1", FINE, "hh", REPLY_REJECT, "550", "" },
	{ "held 550 and 250 get 250", "q0 Q1", FINE, "hh", REPLY_DISCARD, NULL,
	    "01" },
	{ "all rejected", "R0 R1", FINE, "rr", REPLY_REJECT, "550", "" },
	{ "rejected and held 550", "R0 q1", FINE, "rh", REPLY_REJECT, "550",
	    "" },
	{ "a reject that cannot be given is held", "A0 R1", FINE, "sh^",
	    REPLY_ACCEPT, NULL, "1" },
	{ "reject beside a hold with 250", "Q0 R1", FINE, "hh^", REPLY_DISCARD,
	    NULL, "01" },
	{ "three opposite policies", "A0 R1 Q2", FINE, "sh^h", REPLY_ACCEPT,
	    NULL, "12" },
	{ "one deferral defers all", "A0 Q1 D2", FINE, "fff", REPLY_DEFER,
	    "451", "" },
	{ "deferral before refusal", "R0 D1", FINE, "ff", REPLY_DEFER, "451",
	    "" },
	{ "discard for one", "A0 X1", FINE, "sx", REPLY_ACCEPT, NULL, "1" },
	{ "discard for all", "X0 X1", FINE, "xx", REPLY_DISCARD, NULL, "01" },
	{ "discard and reject", "X0 R1", FINE, "xh^", REPLY_DISCARD, NULL,
	    "01" },
	{ "the smaller group leaves: tagged", "A0 A1 T2", FINE, "sse",
	    REPLY_ACCEPT, NULL, "2" },
	{ "the smaller group leaves: untagged", "T0 A1 T2", FINE, "tdt",
	    REPLY_ACCEPT, NULL, "1" },
	{ "a tie: the tagged one leaves", "T0 A1", FINE, "es", REPLY_ACCEPT,
	    NULL, "0" },
	{ "two marks are two groups", "T0 T1 U2", FINE, "tte", REPLY_ACCEPT,
	    NULL, "2" },
	{ "one RCPT, mailboxes disagree", "A0 Q0", FINE, "dh", REPLY_DISCARD,
	    NULL, "0" },
	{ "one RCPT disagrees, another stays", "A0 Q0 A1", FINE, "dhs",
	    REPLY_ACCEPT, NULL, "0" },
	{ "a mailbox twice, both stay", "A0=z A1=z", FINE, "ss-", REPLY_ACCEPT,
	    NULL, "" },
	{ "a mailbox twice, both held", "Q0=z Q1=z", FINE, "hh-", REPLY_DISCARD,
	    NULL, "01" },
	{ "a mailbox twice, its first RCPT is deleted", "A0=z Q0 A1=z", FINE,
	    "d-hs", REPLY_ACCEPT, NULL, "0" },
	{ "not ours stays with the MTA", "N0 R1", FINE, "sh^", REPLY_ACCEPT,
	    NULL, "1" },
	{ "not ours is never sent beside", "T0 T1 N2", FINE, "ees",
	    REPLY_ACCEPT, NULL, "01" },
	{ "not ours, too large to send others beside", "T0 T1 N2", LARGE,
	    "s!s!s", REPLY_ACCEPT, NULL, "" },
	{ "not ours alone", "N0", FINE, "s", REPLY_ACCEPT, NULL, "" },
	{ "nobody", "", FINE, "", REPLY_DISCARD, NULL, "" },
	{ "store away: a hold defers all", "A0 Q1", NO_STORE, "ff", REPLY_DEFER,
	    "451", "" },
	{ "store away: a 550 hold defers too", "q0", NO_STORE, "f", REPLY_DEFER,
	    "451", "" },
	{ "store away: two marks defer", "A0 T1", NO_STORE, "ff", REPLY_DEFER,
	    "451", "" },
	{ "store away: a reject is given", "R0", NO_STORE, "r", REPLY_REJECT,
	    "550", "" },
	{ "store away: accepted mail passes", "A0 X1", NO_STORE, "sx",
	    REPLY_ACCEPT, NULL, "1" },
	{ "too large to hold", "Q0", LARGE, "r", REPLY_REJECT, "552", "" },
	{ "too large to hold, 550", "q0 R1", LARGE, "rr", REPLY_REJECT, "552",
	    "" },
	{ "too large for one of two", "A0 Q1", LARGE, "rr", REPLY_REJECT, "552",
	    "" },
	{ "too large to tag some", "A0 T1", LARGE, "ss!", REPLY_ACCEPT, NULL,
	    "" },
	{ "too large, all tagged alike", "T0 T1", LARGE, "tt", REPLY_ACCEPT,
	    NULL, "" },
	{ "too large, two marks", "T0 U1", LARGE, "ts!", REPLY_ACCEPT, NULL,
	    "" },
	{ "observed", "R0 Q1 D2", { .observe = true }, "sss", REPLY_ACCEPT,
	    NULL, "" },
};

static void
check_counts(const struct plan_case *c, const struct plan *plan,
    const char *fates)
{
	size_t holds = 0, delivers = 0;

	for (; *fates != '\0'; fates++) {
		bool once = fates[1] != '-';

		holds += *fates == 'h' && once;
		delivers += (*fates == 'd' || *fates == 'e') && once;
	}
	if (plan->hold_count != holds || plan->deliver_count != delivers)
		case_fail(c->label, "counts %zu %zu", plan->hold_count,
		    plan->deliver_count);
}

static void
test_plan(void **state)
{
	struct plan_mailbox rows[MAILBOXES_MAX];
	char names[MAILBOXES_MAX][2], fates[MAILBOXES_MAX * 4 + 1];
	struct plan plan;
	struct arena *arena;
	size_t i, j, n;

	(void)state;
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		const struct plan_case *c = &cases[i];
		char deleted[MAILBOXES_MAX + 1] = "";
		size_t len = 0;

		arena = arena_new(0);
		n = read_rows(c->rows, rows, names);
		plan_make(arena, n, rows, MAILBOXES_MAX, &c->limits, &plan);
		write_fates(rows, n, fates);
		for (j = 0; j < MAILBOXES_MAX; j++)
			if (plan.delete_rcpt[j])
				deleted[len++] = (char)('0' + j);
		deleted[len] = '\0';
		if (strcmp(fates, c->fates) != 0)
			case_fail(c->label, "fates %s, want %s", fates,
			    c->fates);
		if (plan.reply != c->reply)
			case_fail(c->label, "reply %d", (int)plan.reply);
		if ((plan.code == NULL) != (c->code == NULL) ||
		    (plan.code != NULL && strcmp(plan.code, c->code) != 0))
			case_fail(c->label, "code %s",
			    plan.code != NULL ? plan.code : "none");
		if (strcmp(deleted, c->deleted) != 0)
			case_fail(c->label, "deleted %s, want %s", deleted,
			    c->deleted);
		check_counts(c, &plan, fates);
		arena_free(arena);
	}
}

static void
test_agreement(void **state)
{
	static const struct {
		const char *label, *rows;
		bool agreed;
	} agreements[] = {
		{ "alike", "A0 A1", true },
		{ "the held one has no say", "A0 Q1", true },
		{ "one RCPT, two needs: nobody stays", "A0 T0", false },
		{ "nobody of ours", "N0", false },
		{ "two classes, same bytes", "T0 U1", true },
	};
	struct plan_mailbox rows[MAILBOXES_MAX];
	char names[MAILBOXES_MAX][2];
	struct plan_limits limits = FINE;
	struct plan plan;
	struct arena *arena;
	size_t i, n;

	(void)state;
	for (i = 0; i < ARRAY_LEN(agreements); i++) {
		arena = arena_new(0);
		n = read_rows(agreements[i].rows, rows, names);
		plan_make(arena, n, rows, MAILBOXES_MAX, &limits, &plan);
		if (plan.class_agreed != agreements[i].agreed ||
		    (plan.agreed != NULL) != agreements[i].agreed)
			case_fail(agreements[i].label, "agreement");
		arena_free(arena);
	}
}

static void
test_disagreement_on_score(void **state)
{
	struct verdict low = { .action = ACTION_ACCEPT,
		.policy = &policy_250,
		.score = 1 };
	struct verdict high = low;
	struct plan_mailbox rows[2] = {
		{ .mailbox = "a", .rcpt = 0, .ours = true, .verdict = &low },
		{ .mailbox = "b", .rcpt = 1, .ours = true, .verdict = &high },
	};
	struct plan_limits limits = FINE;
	struct arena *arena = arena_new(0);
	struct plan plan;

	(void)state;
	high.score = 2;
	plan_make(arena, 2, rows, 2, &limits, &plan);
	assert_false(plan.class_agreed);
	assert_null(plan.agreed);
	arena_free(arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plan),
		cmocka_unit_test(test_agreement),
		cmocka_unit_test(test_disagreement_on_score),
	};

	return cmocka_run_group_tests_name("plan", tests, NULL, NULL);
}
