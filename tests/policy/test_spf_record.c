/*
 * test_spf_record.c - tests of policy/spf_record.c.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <string.h>

#include "tests/unit.h"

#include "policy/spf_record.h"

#define CLIENT_V4 "192.0.2.3"
#define CLIENT_V6 "2001:db8::3"

static struct ip
ip_of(const char *text)
{
	struct ip ip;

	assert_int_equal(ip_parse(bytes_of(text), &ip), 0);
	return ip;
}

static void
test_is_record(void **state)
{
	static const struct {
		struct bytes text;
		bool want;
	} cases[] = {
		{ BYTES_LIT("v=spf1"), true },
		{ BYTES_LIT("v=spf1 "), true },
		{ BYTES_LIT("v=spf1 -all"), true },
		{ BYTES_LIT("V=SPF1 -all"), true },
		{ BYTES_LIT(""), false },
		{ BYTES_LIT("v=spf"), false },
		{ BYTES_LIT("v=spf10 +all"), false },
		{ BYTES_LIT("v=spf1-all"), false },
		{ BYTES_LIT("v=spf1\t+all"), false },
		{ BYTES_LIT("v=spf1\0+all"), false },
		{ BYTES_LIT(" v=spf1 +all"), false },
		{ BYTES_LIT("\"v=spf1 +all\""), false },
		{ BYTES_LIT("spf2.0/pra +all"), false },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(cases); i++)
		if (spf_record_is(cases[i].text) != cases[i].want)
			case_fail(cases[i].text.data, "wrong answer");
}

/* The plain form says what was understood; an error says why not. */
static void
test_read(void **state)
{
	static const struct {
		struct bytes text; /* behind "v=spf1" */
		const char *plain; /* behind "v=spf1 ", or NULL */
		const char *error; /* a part of it */
	} cases[] = {
#define GOOD(text, plain)                                                      \
	{                                                                      \
		BYTES_LIT("v=spf1" text), plain, NULL                          \
	}
#define BAD(text, error)                                                       \
	{                                                                      \
		BYTES_LIT("v=spf1" text), NULL, error                          \
	}
		/* terms and spaces */
		GOOD("", ""),
		GOOD("    ", ""),
		GOOD(" -all", " -all"),
		GOOD("   ?ALL   ", " ?all"),
		GOOD(" all", " +all"),
		GOOD(" ~all -all +all", " ~all"),
		BAD(" -all\n", "octet 0x0a"),
		BAD(" a\r-all", "octet 0x0d"),
		BAD(" +all\t", "octet 0x09"),
		BAD(" +all\0", "octet 0x00"),
		BAD(" \xc3\xa4ll", "octet 0xc3"),
		BAD(" +all\x7f", "octet 0x7f"),
		BAD(" al", "unknown mechanism"),
		BAD(" all.", "unknown mechanism"),
		BAD(" --all", "unknown mechanism"),
		BAD(" + all", "unknown mechanism"),
		BAD(" all:", "no argument"),
		BAD(" all/0", "no argument"),
		BAD(" all:example.com", "no argument"),
		BAD(" -all moo", "'moo': unknown mechanism"),
		BAD(" ip5:192.0.2.1", "unknown mechanism"),
		BAD(" redirect:example.com", "unknown mechanism"),
		BAD(" +redirect=example.com", "unknown mechanism"),
		BAD(" :example.com", "unknown mechanism"),
		/* networks */
		GOOD(" ip4:192.0.2.3", " +ip4:192.0.2.3"),
		GOOD(" -ip4:192.0.2.0/24 all", " -ip4:192.0.2.3"),
		GOOD(" ip4:192.0.2.255/24", " +ip4:192.0.2.3"),
		GOOD(" ip4:192.0.2.2/31", " +ip4:192.0.2.3"),
		GOOD(" ip4:192.0.2.2/32", ""),
		GOOD(" ip4:192.0.2.4/30", ""),
		GOOD(" ip4:0.0.0.0/0", " +ip4:192.0.2.3"),
		GOOD(" ip4:8.8.8.8/0 -all", " +ip4:192.0.2.3"),
		GOOD(" ip4:128.0.0.0/1", " +ip4:192.0.2.3"),
		GOOD(" ip4:0.0.0.0/1", ""),
		GOOD(" ip6:::/0", ""),
		GOOD(" ip6:::ffff:192.0.2.3", ""),
		GOOD(" ip6:::ffff:0:0/96", ""),
		GOOD(" ip6:2001:DB8::/32", ""),
		BAD(" ip4", "address is missing"),
		BAD(" ip4/8", "address is missing"),
		BAD(" ip4:", "no IPv4 address"),
		BAD(" ip4:192.0.2", "no IPv4 address"),
		BAD(" ip4:192.0.2.3.4", "no IPv4 address"),
		BAD(" ip4:192.0.2.03", "no IPv4 address"),
		BAD(" ip4:192.0.2.256", "no IPv4 address"),
		BAD(" ip4:0xc0000203", "no IPv4 address"),
		BAD(" ip4:3221225987", "no IPv4 address"),
		BAD(" ip4:192.0.2.3:25", "no IPv4 address"),
		BAD(" ip4:::ffff:192.0.2.3", "no IPv4 address"),
		BAD(" ip4:192.0.2.3/33", "0 to 32"),
		BAD(" ip4:192.0.2.3/024", "0 to 32"),
		BAD(" ip4:192.0.2.3/00", "0 to 32"),
		BAD(" ip4:192.0.2.3/", "no IPv4 address"),
		BAD(" ip4:192.0.2.3/-1", "no IPv4 address"),
		BAD(" ip4:192.0.2.3/99999999999999999999", "0 to 32"),
		BAD(" ip4:192.0.2.0//24", "no IPv4 address"),
		BAD(" ip4:192.0.2.0/24/24", "no IPv4 address"),
		BAD(" ip6:192.0.2.3", "no IPv6 address"),
		BAD(" ip6:2001:db8::/129", "0 to 128"),
		BAD(" ip6:2001:db8::1::2", "no IPv6 address"),
		BAD(" ip6:[2001:db8::1]", "no IPv6 address"),
		BAD(" ip6:fe80::1%eth0", "no IPv6 address"),
		/* domains and prefix lengths */
		GOOD(" a", " +exists:t0.r7.invalid"),
		GOOD(" -A:example.com ~mx -all",
		    " -exists:t0.r7.invalid ~exists:t1.r7.invalid -all"),
		GOOD(" a/24//64 mx//0 a:example.com./0",
		    " +exists:t0.r7.invalid +exists:t1.r7.invalid"
		    " +exists:t2.r7.invalid"),
		GOOD(" a:foo:bar/baz.example.com", " +exists:t0.r7.invalid"),
		GOOD(" a:a/b/24.example.com//64", " +exists:t0.r7.invalid"),
		GOOD(" ptr ptr:example.com",
		    " +exists:t0.r7.invalid +exists:t1.r7.invalid"),
		GOOD(" exists:%{ir}.%{v}.x.%{d2}", " +exists:t0.r7.invalid"),
		GOOD(" ?include:example.com", " ?include:t0.r7.invalid"),
		BAD(" a:", "domain is empty"),
		BAD(" a:example", "no top-level label"),
		BAD(" a:example.", "no top-level label"),
		BAD(" a:.", "no top-level label"),
		BAD(" a:example..", "no valid top-level label"),
		BAD(" a:example.123", "no valid top-level label"),
		BAD(" a:192.0.2.3", "no valid top-level label"),
		BAD(" a:example.-com", "no valid top-level label"),
		BAD(" a:example.com-", "no valid top-level label"),
		BAD(" a:example.c_m", "no valid top-level label"),
		BAD(" a:example.com:25", "no valid top-level label"),
		BAD(" a:example.com/", "no valid top-level label"),
		BAD(" a:example.com/x", "no valid top-level label"),
		BAD(" a/33", "0 to 32"),
		BAD(" a/24/64", "0 to 32"),
		BAD(" a//129", "0 to 128"),
		BAD(" a//064", "0 to 128"),
		BAD(" a/", "domain is missing"),
		BAD(" a//", "domain is missing"),
		BAD(" mx/24//", "domain is missing"),
		BAD(" ptr/24", "domain is missing"),
		BAD(" ptr:", "domain is empty"),
		BAD(" include", "domain is missing"),
		BAD(" include:", "domain is empty"),
		BAD(" include:example.com/24", "no valid top-level label"),
		BAD(" exists", "domain is missing"),
		BAD(" exists:example.com/24", "no valid top-level label"),
		BAD(" exists:%{c}.example.com", "no macro %{c} here"),
		BAD(" exists:%{d", "malformed macro"),
		BAD(" exists:%(d}.example.com", "'%' is not followed"),
		/* modifiers */
		GOOD(" redirect=example.com", " redirect=t0.r7.invalid"),
		GOOD(" redirect=example.com a",
		    " +exists:t0.r7.invalid redirect=t1.r7.invalid"),
		GOOD(" redirect=example.com -all", " -all"),
		GOOD(" exp=example.com", ""),
		GOOD(" foo=bar moo.cow-far_out=man:dog/cat x=", ""),
		GOOD(" foo=%{d}%%%_%- +all", " +all"),
		BAD(" redirect=", "domain is empty"),
		BAD(" redirect=-all", "no top-level label"),
		BAD(" redirect=example.com/24", "no valid top-level label"),
		BAD(" redirect=a.example redirect=b.example",
		    "second redirect"),
		BAD(" exp=", "domain is empty"),
		BAD(" exp=-all", "no top-level label"),
		BAD(" exp=%{r}.example", "no macro %{r} here"),
		BAD(" exp=a.example exp=a.example", "second exp"),
		BAD(" =all", "unknown mechanism"),
		BAD(" 1up=foo", "unknown mechanism"),
		BAD(" _x=foo", "unknown mechanism"),
		BAD(" fo/o=bar", "unknown mechanism"),
		BAD(" foo=%bar", "'%' is not followed"),
		BAD(" foo=%{x}", "no macro %{x} here"),
#undef GOOD
#undef BAD
	};
	struct ip client = ip_of(CLIENT_V4);
	struct spf_record record;
	struct arena *arena;
	struct err err;
	struct buf buf;
	size_t i;
	int rc;

	(void)state;
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		arena = arena_new(0);
		buf_init(&buf, 4096);
		rc = spf_record_read(arena, cases[i].text, &record, &err);
		if ((rc == 0) != (cases[i].plain != NULL))
			case_fail(cases[i].text.data, "read says %d %s", rc,
			    rc < 0 ? err.text : "");
		if (rc < 0 && strstr(err.text, cases[i].error) == NULL)
			case_fail(cases[i].text.data, "got '%s'", err.text);
		if (rc == 0) {
			spf_record_write(&record,
			    spf_record_reach(&record, &client), 7, &client,
			    &buf);
			if (strcmp(buf_str(&buf) + strlen("v=spf1 "),
				cases[i].plain) != 0)
				case_fail(cases[i].text.data, "got '%s'",
				    buf_str(&buf));
		}
		buf_free(&buf);
		arena_free(arena);
	}
}

static void
test_write_v6(void **state)
{
	static const struct {
		struct bytes text;
		const char *plain;
	} cases[] = {
		{ BYTES_LIT("v=spf1 ip4:0.0.0.0/0 -all"), " -all" },
		{ BYTES_LIT("v=spf1 ip6:::/0"), " +ip6:2001:db8::3" },
		{ BYTES_LIT("v=spf1 ip6:2001:db8::/127"), "" },
		{ BYTES_LIT("v=spf1 ip6:2001:db8::2/127"),
		    " +ip6:2001:db8::3" },
		{ BYTES_LIT("v=spf1 ip6:2001:db8::ffff/112"),
		    " +ip6:2001:db8::3" },
	};
	struct ip client = ip_of(CLIENT_V6);
	struct spf_record record;
	struct arena *arena;
	struct buf buf;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		arena = arena_new(0);
		buf_init(&buf, 4096);
		assert_int_equal(spf_record_read(arena, cases[i].text, &record,
				     NULL),
		    0);
		spf_record_write(&record, spf_record_reach(&record, &client), 0,
		    &client, &buf);
		if (strcmp(buf_str(&buf) + strlen("v=spf1 "), cases[i].plain) !=
		    0)
			case_fail(cases[i].text.data, "got '%s'",
			    buf_str(&buf));
		buf_free(&buf);
		arena_free(arena);
	}
}

/* A record of n times " TERM" behind its version. */
static struct buf
long_record(const char *term, size_t n)
{
	struct buf buf;

	buf_init(&buf, (size_t)1 << 20);
	buf_append_str(&buf, "v=spf1");
	while (n-- > 0)
		buf_append_str(&buf, term);
	return buf;
}

static void
test_ceilings(void **state)
{
	static const struct {
		const char *label, *term;
		size_t count;
		const char *error;
	} cases[] = {
		{ "as many terms as may be", " ip4:10.0.0.1", SPF_TERMS_MAX,
		    NULL },
		{ "one more", " ip4:10.0.0.1", SPF_TERMS_MAX + 1,
		    "more than 500 terms" },
		{ "too long", " x=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
		    200, "longer than 8192" },
	};
	struct spf_record record;
	struct arena *arena;
	struct err err;
	struct buf buf;
	size_t i;
	int rc;

	(void)state;
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		arena = arena_new(0);
		buf = long_record(cases[i].term, cases[i].count);
		rc = spf_record_read(arena, buf_bytes(&buf), &record, &err);
		if ((rc == 0) != (cases[i].error == NULL))
			case_fail(cases[i].label, "read says %d", rc);
		if (rc < 0 && strstr(err.text, cases[i].error) == NULL)
			case_fail(cases[i].label, "got '%s'", err.text);
		buf_free(&buf);
		arena_free(arena);
	}
}

/* However long the record: libspf2 counts terms in an unsigned char. */
static void
test_plain_is_short(void **state)
{
	static const char *const terms[] = { " a", " ip4:10.0.0.1",
		" include:example.com", " exists:%{i}.example.com", " x=y" };
	struct ip client = ip_of(CLIENT_V4);
	struct buf record_text, plain;
	struct spf_record record;
	struct arena *arena;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(terms); i++) {
		arena = arena_new(0);
		record_text = long_record(terms[i], 300);
		buf_init(&plain, 1000);
		assert_int_equal(spf_record_read(arena, buf_bytes(&record_text),
				     &record, NULL),
		    0);
		assert_int_equal(spf_record_write(&record,
				     spf_record_reach(&record, &client), 30,
				     &client, &plain),
		    0);
		buf_free(&plain);
		buf_free(&record_text);
		arena_free(arena);
	}
}

static void
test_plain_names(void **state)
{
	static const char *const bad[] = { "", "t", "t1", "t1.r", "t1.r1",
		"t1.r1.invalid.", "t1.r1.invalid.x", "x1.r1.invalid",
		"t-1.r1.invalid", "t1.r99999999999.invalid",
		"t99999999999.r1.invalid", " t1.r1.invalid", "t1 .r1.invalid",
		"t.r1.invalid", "example.com" };
	char name[SPF_PLAIN_NAME_SIZE];
	unsigned number;
	size_t place, i;

	(void)state;
	spf_plain_name(name, 31, SPF_TERMS_MAX);
	assert_string_equal(name, "t500.r31.invalid");
	assert_int_equal(spf_plain_parse(name, &number, &place), 0);
	assert_int_equal(number, 31);
	assert_int_equal(place, SPF_TERMS_MAX);
	for (i = 0; i < ARRAY_LEN(bad); i++)
		if (spf_plain_parse(bad[i], &number, &place) == 0)
			case_fail(bad[i], "taken as a name of ours");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_is_record),
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_write_v6),
		cmocka_unit_test(test_ceilings),
		cmocka_unit_test(test_plain_is_short),
		cmocka_unit_test(test_plain_names),
	};

	return cmocka_run_group_tests_name("spf_record", tests, NULL, NULL);
}
