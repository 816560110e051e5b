/*
 * test_dmarc_record.c - tests of policy/dmarc_record.c.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <string.h>

#include "tests/unit.h"

#include "policy/dmarc_record.h"

#define NONE DMARC_NONE
#define QUAR DMARC_QUARANTINE
#define REJ DMARC_REJECT

static struct arena *arena;

static int
setup(void **state)
{
	(void)state;
	arena = arena_new(0);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	arena_free(arena);
	return 0;
}

static void
test_is_one(void **state)
{
	static const struct {
		const char *label;
		struct bytes text;
		int want;
	} cases[] = {
		{ "ordinary", BYTES_LIT("v=DMARC1; p=none"), 1 },
		{ "version alone", BYTES_LIT("v=DMARC1"), 1 },
		{ "version and semicolon", BYTES_LIT("v=DMARC1;"), 1 },
		{ "white space in it", BYTES_LIT("v \t= DMARC1 \t; p=none"),
		    1 },
		{ "V in capitals", BYTES_LIT("V=DMARC1; p=none"), 1 },
		{ "nothing", BYTES_LIT(""), 0 },
		{ "value in small letters", BYTES_LIT("v=dmarc1; p=none"), 0 },
		{ "next version", BYTES_LIT("v=DMARC2; p=none"), 0 },
		{ "longer version", BYTES_LIT("v=DMARC10; p=none"), 0 },
		{ "no semicolon", BYTES_LIT("v=DMARC1 p=none"), 0 },
		{ "comma", BYTES_LIT("v=DMARC1, p=none"), 0 },
		{ "not first", BYTES_LIT("p=none; v=DMARC1"), 0 },
		{ "white space first", BYTES_LIT(" v=DMARC1; p=none"), 0 },
		{ "empty version", BYTES_LIT("v=; p=none"), 0 },
		{ "NUL in it", BYTES_LIT("v=DMARC1\0; p=none"), 0 },
		{ "SPF", BYTES_LIT("v=spf1 -all"), 0 },
		{ "DKIM", BYTES_LIT("v=DKIM1; p=none"), 0 },
		{ "quoted", BYTES_LIT("\"v=DMARC1; p=none\""), 0 },
	};
	struct dmarc_record record;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(cases); i++)
		if (dmarc_record_read(arena, cases[i].text, &record) !=
		    cases[i].want)
			case_fail(cases[i].label, "wrong answer");
}

static void
test_policies(void **state)
{
	static const struct {
		const char *label, *tags;
		bool applies;
		enum dmarc_policy p, sp, np;
	} cases[] = {
		{ "none", "p=none", true, NONE, NONE, NONE },
		{ "quarantine", "p=quarantine", true, QUAR, QUAR, QUAR },
		{ "reject", "p=reject", true, REJ, REJ, REJ },
		{ "capitals", "P=Reject", true, REJ, REJ, REJ },
		{ "spaces", "\tp  =  reject  ", true, REJ, REJ, REJ },
		{ "sp", "p=none; sp=reject", true, NONE, REJ, REJ },
		{ "np", "p=none; np=reject", true, NONE, NONE, REJ },
		{ "all three", "p=none; sp=quarantine; np=reject", true, NONE,
		    QUAR, REJ },
		{ "np less than sp", "p=reject; sp=reject; np=none", true, REJ,
		    REJ, NONE },
		{ "p last", "rua=mailto:a@b; np=none; p=reject", true, REJ, REJ,
		    NONE },
		{ "first counts", "p=reject; p=none", true, REJ, REJ, REJ },
		{ "unknown tags", "x=y; p=reject; pct=0; rf=x; ri=-1", true,
		    REJ, REJ, REJ },
		{ "broken tags", "=; nonsense; 7=x; p=reject; adkim=\x01", true,
		    REJ, REJ, REJ },
		{ "many semicolons", ";; p=reject ;;;", true, REJ, REJ, REJ },
		{ "no p", "", false, NONE, NONE, NONE },
		{ "broken p", "p=maybe", false, NONE, NONE, NONE },
		{ "empty p", "p=", false, NONE, NONE, NONE },
		{ "words behind p", "p=reject now", false, NONE, NONE, NONE },
		{ "comma for semicolon", "p=reject, sp=none", false, NONE, NONE,
		    NONE },
		{ "broken first p counts", "p=x; p=reject", false, NONE, NONE,
		    NONE },
		{ "broken sp", "p=reject; sp=x", false, NONE, NONE, NONE },
		{ "broken np", "p=reject; np=x", false, NONE, NONE, NONE },
		{ "no p but rua", "rua=mailto:a@b.example", true, NONE, NONE,
		    NONE },
		{ "broken p but rua", "p=x; rua=mailto:a@b.example", true, NONE,
		    NONE, NONE },
		{ "broken sp but rua", "p=reject; sp=x; rua=mailto:a@b.example",
		    true, NONE, NONE, NONE },
		{ "rua with a size", "p=x; rua=mailto:a@b.example!10m", true,
		    NONE, NONE, NONE },
		{ "second rua is one", "p=x; rua=nonsense , mailto:a@b", true,
		    NONE, NONE, NONE },
		{ "rua is no URI", "p=x; rua=a@b.example", false, NONE, NONE,
		    NONE },
		{ "rua without what", "p=x; rua=mailto:", false, NONE, NONE,
		    NONE },
		{ "rua empty", "p=x; rua=", false, NONE, NONE, NONE },
		{ "ruf does not count", "p=x; ruf=mailto:a@b.example", false,
		    NONE, NONE, NONE },
	};
	struct dmarc_record record;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		const char *text =
		    arena_printf(arena, "v=DMARC1; %s", cases[i].tags);

		assert_int_equal(dmarc_record_read(arena, bytes_of(text),
				     &record),
		    1);
		if (record.applies != cases[i].applies ||
		    record.p != cases[i].p || record.sp != cases[i].sp ||
		    record.np != cases[i].np)
			case_fail(cases[i].label, "%s p=%s sp=%s np=%s",
			    record.applies ? "applies" : "does not apply",
			    dmarc_policy_name(record.p),
			    dmarc_policy_name(record.sp),
			    dmarc_policy_name(record.np));
	}
}

static void
test_other_tags(void **state)
{
	struct dmarc_record record;

	(void)state;
	dmarc_record_read(arena, BYTES_LIT("v=DMARC1; p=none"), &record);
	assert_false(record.testing);
	assert_false(record.strict_dkim);
	assert_false(record.strict_spf);
	assert_int_equal(record.psd, DMARC_PSD_UNKNOWN);
	assert_null(record.rua);
	assert_null(record.ruf);
	assert_null(record.fo);
	dmarc_record_read(arena,
	    BYTES_LIT("v=DMARC1; p=none; t=Y; adkim=s; aspf=S; psd=y; "
		      "rua=mailto:a@b, mailto:c@d ;ruf=mailto:e@f; fo=1:d"),
	    &record);
	assert_true(record.testing);
	assert_true(record.strict_dkim);
	assert_true(record.strict_spf);
	assert_int_equal(record.psd, DMARC_PSD_YES);
	assert_string_equal(record.rua, "mailto:a@b, mailto:c@d");
	assert_string_equal(record.ruf, "mailto:e@f");
	assert_string_equal(record.fo, "1:d");
	dmarc_record_read(arena,
	    BYTES_LIT("v=DMARC1; p=none; t=yes; adkim=strict; aspf=x; psd=n"),
	    &record);
	assert_false(record.testing);
	assert_false(record.strict_dkim);
	assert_false(record.strict_spf);
	assert_int_equal(record.psd, DMARC_PSD_NO);
	dmarc_record_read(arena,
	    BYTES_LIT("v=DMARC1; p=none; rua=mailto:\xc3\xbc@b; psd=u"),
	    &record);
	assert_null(record.rua);
	assert_int_equal(record.psd, DMARC_PSD_UNKNOWN);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_is_one),
		cmocka_unit_test(test_policies),
		cmocka_unit_test(test_other_tags),
	};

	return cmocka_run_group_tests_name("dmarc_record", tests, setup,
	    teardown);
}
