/*
 * test_policy.c - tests of policy/policy.c and policy/policy_pool.c.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <string.h>

#include "tests/unit.h"

#include "policy/class.h"
#include "policy/policy_pool.h"

static const struct option *
row(const char *name)
{
	const struct option *option =
	    option_find(policy_options, policy_option_count, name);

	assert_non_null(option);
	return option;
}

/* The words of action options are those of class.c, in their order. */
static void
test_action_words(void **state)
{
	static const char *const names[] = { "spam_action", "size_action",
		"dmarc_quarantine", "malformed_from", "block_action" };
	size_t i;
	int a;

	(void)state;
	for (i = 0; i < ARRAY_LEN(names); i++) {
		for (a = 0; a < ACTION_COUNT; a++)
			assert_string_equal(row(names[i])->words[a],
			    action_name((enum action)a));
		assert_null(row(names[i])->words[ACTION_COUNT]);
	}
}

/* What the design page promises. */
static void
test_defaults(void **state)
{
	struct policy_pool *pool = policy_pool_new();
	const struct policy *policy = policy_pool_defaults(pool);

	(void)state;
	assert_true(policy->filter);
	assert_false(policy->locked);
	assert_false(policy->restrict_recipients);
	assert_true(policy->spf && policy->dkim && policy->dmarc);
	assert_int_equal(policy->unsure_points, 3000);
	assert_int_equal(policy->spam_points, 5000);
	assert_int_equal(policy->spf_fail_points, 3000);
	assert_int_equal(policy->spf_softfail_points, 1000);
	assert_int_equal(policy->spf_permerror_points, 500);
	assert_int_equal(policy->dkim_fail_points, 500);
	assert_int_equal(policy->dmarc_none_points, 1000);
	assert_int_equal(policy->dmarc_quarantine, ACTION_QUARANTINE);
	assert_int_equal(policy->dmarc_reject, DMARC_REJECT_EVIDENCE);
	assert_int_equal(policy->dmarc_temperror, TEMPERROR_JUDGE);
	assert_int_equal(policy->malformed_from, ACTION_REJECT);
	assert_int_equal(policy->spam_action, ACTION_QUARANTINE);
	assert_int_equal(policy->hold_answer, HOLD_ANSWER_250);
	assert_int_equal(policy->hold_full, FULL_DEFER);
	assert_int_equal(policy->retention, 30 * 86400);
	assert_int_equal(policy->size_max, 2048ULL << 20);
	assert_int_equal(policy->arc_trusted.count, 0);
	policy_pool_free(pool);
}

static void
test_values(void **state)
{
	static const struct {
		const char *label, *name, *value;
		int rc;
	} cases[] = {
		{ "size too large", "size_max", "3G", -1 },
		{ "size", "size_max", "2048M", 0 },
		{ "no such action", "spam_action", "bounce", -1 },
		{ "points", "spam_points", "4.25", 0 },
		{ "points beyond", "spam_points", "101", -1 },
		{ "mark", "subject_mark", "[迷惑メール?]", 0 },
		{ "mark empty", "subject_mark", "", -1 },
		{ "mark blank", "subject_mark", "  ", -1 },
		{ "mark with a line break", "subject_mark", "a\r\nX: y", -1 },
		{ "mark too long", "subject_mark",
		    "0123456789012345678901234567890123456789"
		    "01234567890123456789012345",
		    -1 },
		{ "sealer", "arc_trusted", "lists.example.net example.org", 0 },
		{ "sealer in capitals", "arc_trusted", "Example.org", -1 },
		{ "sealer with no dot", "arc_trusted", "localhost", -1 },
		{ "retention", "retention", "14d", 0 },
		{ "retention too short", "retention", "59m", -1 },
	};
	struct policy policy;
	struct err err;
	size_t i;

	(void)state;
	memset(&policy, 0, sizeof(policy));
	for (i = 0; i < ARRAY_LEN(cases); i++)
		if (option_set(row(cases[i].name), &policy,
			bytes_of(cases[i].value), &err) != cases[i].rc)
			case_fail(cases[i].label, "wrong answer: %s", err.text);
	option_free_all(policy_options, policy_option_count, &policy);
}

static void
test_every_row_has_help(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < policy_option_count; i++)
		if (policy_options[i].help == NULL ||
		    policy_options[i].section == NULL)
			case_fail(policy_options[i].name, "no help");
}

static void
test_levels(void **state)
{
	(void)state;
	assert_int_equal(policy_option_levels("spam_points"), 7);
	assert_int_equal(policy_option_levels("restrict_recipients"),
	    POLICY_LEVEL_SYSTEM | POLICY_LEVEL_DOMAIN);
	assert_int_equal(policy_option_levels("locked"),
	    POLICY_LEVEL_DOMAIN | POLICY_LEVEL_MAILBOX);
}

static void
test_pool_shares_equals(void **state)
{
	struct policy_pool *pool = policy_pool_new();
	const struct policy *root = policy_pool_defaults(pool);
	const struct policy_setting four = { row("spam_points"), "4" };
	const struct policy_setting two[] = { { row("spam_points"), "4" },
		{ row("spam_action"), "reject" } };
	const struct policy *a, *b, *c, *d, *none;

	(void)state;
	none = policy_pool_get(pool, root, 0, NULL);
	assert_ptr_equal(none, root);
	a = policy_pool_get(pool, root, 1, &four);
	b = policy_pool_get(pool, root, 1, &four);
	c = policy_pool_get(pool, root, 2, two);
	d = policy_pool_get(pool, a, 1, &two[1]);
	assert_ptr_equal(a, b);
	assert_ptr_not_equal(a, c);
	assert_ptr_not_equal(c, d); /* another way, another object */
	assert_int_equal(d->spam_points, 4000);
	assert_int_equal(d->spam_action, ACTION_REJECT);
	assert_int_equal(a->spam_action, ACTION_QUARANTINE);
	policy_pool_put(pool, a);
	policy_pool_put(pool, b); /* d keeps it */
	a = policy_pool_get(pool, root, 1, &four);
	assert_ptr_equal(a, b);
	policy_pool_put(pool, a);
	policy_pool_put(pool, c);
	policy_pool_put(pool, d);
	policy_pool_put(pool, none);
	policy_pool_free(pool); /* asserts that nothing is left */
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_action_words),
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_every_row_has_help),
		cmocka_unit_test(test_levels),
		cmocka_unit_test(test_pool_shares_equals),
	};

	return cmocka_run_group_tests_name("policy", tests, NULL, NULL);
}
