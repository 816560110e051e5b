/*
 * test_arc_trust.c - tests of policy/arc_trust.c.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <string.h>

#include "tests/unit.h"

#include "policy/arc_trust.h"

#define SETS_MAX 3

/* The author is at bank.example; one.example and two.example are trusted. */
static void
test_sets(void **state)
{
	static const struct {
		const char *label;
		struct auth_arc_set sets[SETS_MAX]; /* from the first */
		enum arc_trust want;
		const char *sealer;
	} cases[] = {
#define SET(sealer, text) { sealer, BYTES_LIT(text) }
		{ "dmarc=pass of the author",
		    { SET("one.example",
			" one.example; dmarc=pass (p=reject) "
			"header.from=Bank.Example") },
		    ARC_TRUST_VOUCHES, "one.example" },
		{ "nobody trusted",
		    { SET("evil.example",
			" one.example; dmarc=pass header.from=bank.example") },
		    ARC_TRUST_NONE, "evil.example" },
		{ "dmarc=fail: forged mail that was passed on",
		    { SET("one.example",
			" one.example; dkim=pass header.d=evil.example; "
			"dmarc=fail header.from=bank.example") },
		    ARC_TRUST_SILENT, "one.example" },
		{ "dmarc=fail before what passed",
		    { SET("one.example",
			" one.example; dmarc=fail header.from=bank.example; "
			"spf=pass smtp.mailfrom=x@bank.example") },
		    ARC_TRUST_SILENT, "one.example" },
		{ "dmarc=pass of somebody else",
		    { SET("one.example",
			" one.example; dmarc=pass header.from=evil.example") },
		    ARC_TRUST_SILENT, "one.example" },
		{ "dmarc=pass of a domain below",
		    { SET("one.example",
			" one.example; dmarc=pass "
			"header.from=x.bank.example") },
		    ARC_TRUST_SILENT, "one.example" },
		{ "dmarc=pass of nobody",
		    { SET("one.example", " one.example; dmarc=pass") },
		    ARC_TRUST_SILENT, "one.example" },
		{ "its signature",
		    { SET("one.example",
			" one.example; dkim=pass header.d=mail.bank.example") },
		    ARC_TRUST_VOUCHES, "one.example" },
		{ "its signature, by i=",
		    { SET("one.example",
			" one.example; dkim=pass header.i=@bank.example") },
		    ARC_TRUST_VOUCHES, "one.example" },
		{ "its signature, broken",
		    { SET("one.example",
			" one.example; dkim=fail header.d=bank.example") },
		    ARC_TRUST_SILENT, "one.example" },
		{ "the signature of a top level domain",
		    { SET("one.example",
			" one.example; dkim=pass header.d=example") },
		    ARC_TRUST_SILENT, "one.example" },
		{ "its sender",
		    { SET("one.example",
			" one.example; spf=pass "
			"smtp.mailfrom=bounce@bank.example") },
		    ARC_TRUST_VOUCHES, "one.example" },
		{ "its HELO does not do",
		    { SET("one.example",
			" one.example; spf=pass smtp.helo=bank.example") },
		    ARC_TRUST_SILENT, "one.example" },
		{ "quoted into a value",
		    { SET("one.example",
			" one.example; spf=pass smtp.mailfrom=\"x; dmarc=pass "
			"header.from=bank.example\"@evil.example") },
		    ARC_TRUST_SILENT, "one.example" },
		{ "what cannot be read",
		    { SET("one.example", " one.example; dmarc=") },
		    ARC_TRUST_SILENT, "one.example" },
		{ "nothing", { SET("one.example", " one.example; none") },
		    ARC_TRUST_SILENT, "one.example" },
		{ "the first of two who are trusted",
		    { SET("one.example",
			  " one.example; dmarc=pass "
			  "header.from=bank.example"),
			SET("two.example",
			    " two.example; arc=pass; dmarc=fail "
			    "header.from=bank.example") },
		    ARC_TRUST_VOUCHES, "one.example" },
		{ "not behind one who is not",
		    { SET("one.example",
			  " one.example; dmarc=pass "
			  "header.from=bank.example"),
			SET("evil.example", " evil.example; none"),
			SET("two.example", " two.example; none") },
		    ARC_TRUST_SILENT, "two.example" },
#undef SET
	};
	char *items[] = { (char *)"one.example", (char *)"two.example" };
	const struct option_list trusted = { 2, items };
	struct arena *arena = arena_new(0);
	enum arc_trust got;
	const char *sealer;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		struct auth_arc arc = { .result = AUTH_PASS,
			.trusted = true,
			.sets = cases[i].sets };

		while (arc.count < SETS_MAX &&
		    cases[i].sets[arc.count].sealer != NULL)
			arc.sealer = cases[i].sets[arc.count++].sealer;
		got = arc_trust(arena, &arc, &trusted, "bank.example", &sealer);
		if (got != cases[i].want)
			case_fail(cases[i].label, "%d", got);
		assert_string_equal(sealer, cases[i].sealer);
		/* A chain that does not hold says nothing; nor does one of
		 * mail without an author. */
		assert_int_not_equal(arc_trust(arena, &arc, &trusted, NULL,
					 &sealer),
		    ARC_TRUST_VOUCHES);
		arc.trusted = false;
		assert_int_equal(arc_trust(arena, &arc, &trusted,
				     "bank.example", &sealer),
		    ARC_TRUST_NONE);
	}
	arena_free(arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sets),
	};

	return cmocka_run_group_tests_name("arc_trust", tests, NULL, NULL);
}
