/*
 * test_dns_zone.c - tests of base/dns_zone.c and base/dns_zone_file.c.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit.h"

#include "base/dns_impl.h"
#include "base/file.h"
#include "base/str.h"

static const char zone_text[] =
    "; a comment\n"
    "$ORIGIN example.net.\n"
    "$TTL 1h\n"
    "@\t\tIN SOA ns hostmaster (\n"
    "\t\t1 ; serial\n"
    "\t\t2h 30m 2w 5m )\n"
    "\t\tNS ns\n"
    "\t\tMX 10 mx1\n"
    "\t\tMX 20 mx2.other.example.\n"
    "\t60\tIN MX 0 .\n"
    "\tTXT \"v=spf1 \" \"-all\"\n"
    "\tTXT \"a \\\"quoted\\\" \\\\ \\065\\000;\" ; behind\n"
    "\tTXT bare\\ word\n"
    "MX1\tIN 30 A 192.0.2.1\n"
    "mx1\t20 IN A 192.0.2.2\n"
    "mx1\tAAAA 2001:db8::1\n"
    "mapped AAAA ::ffff:192.0.2.1\n"
    "deep.down.there A 192.0.2.3\n"
    "*.wild A 192.0.2.4\n"
    "closed.wild TXT \"here\"\n"
    "alias CNAME mx1\n"
    "alias2 CNAME alias\n"
    "away CNAME nowhere.example.\n"
    "loop1 CNAME loop2\n"
    "loop2 CNAME loop1\n"
    "broken SERVFAIL\n"
    "half A 192.0.2.5\n"
    "half TIMEOUT TXT AAAA\n"
    "rest A 192.0.2.6\n"
    "rest TIMEOUT\n"
    "forged BOGUS\n"
    "slow A 192.0.2.7\n"
    "slow DELAY 30ms\n"
    "slower CNAME slow\n"
    "slower DELAY 2s\n"
    "a\\.b A 192.0.2.8\n"
    "\\100ot A 192.0.2.9\n"
    "$ORIGIN sub\n"
    "host A 192.0.2.10\n"
    "$ORIGIN 2.0.192.in-addr.arpa.\n"
    "1 PTR mx1.example.net.\n"
    "0/25 PTR odd\\032name.example.net.\n";

/* One line of text for a reply, records in order. */
static void
describe(const struct dns_reply *reply, enum dns_type type, unsigned delay_ms,
    struct buf *out)
{
	char ip[IP_TEXT_SIZE];
	size_t i;

	buf_reset(out);
	buf_append_str(out,
	    reply == NULL ? "never" : dns_status_name(reply->answer.status));
	for (i = 0; reply != NULL && i < reply->answer.count; i++) {
		const struct dns_record *record = &reply->answer.records[i];

		if (type == DNS_MX)
			buf_printf(out, " %u", record->preference);
		if (type == DNS_MX || type == DNS_PTR)
			buf_printf(out, " <%s>", record->name);
		if (type == DNS_TXT) {
			buf_append_str(out, " |");
			buf_append_bytes(out, record->text);
			buf_append_str(out, "|");
		}
		if (type == DNS_A || type == DNS_AAAA) {
			ip_format(&record->ip, ip);
			buf_printf(out, " %s", ip);
		}
	}
	if (reply != NULL)
		buf_printf(out, " ttl=%u", reply->ttl_s);
	if (delay_ms > 0)
		buf_printf(out, " delay=%u", delay_ms);
}

static void
test_answers(void **state)
{
	static const struct {
		const char *name;
		enum dns_type type;
		struct bytes want;
	} cases[] = {
		{ "example.net", DNS_MX,
		    BYTES_LIT("ok 10 <mx1.example.net> 20 "
			      "<mx2.other.example> 0 <> ttl=60") },
		{ "EXAMPLE.net.", DNS_TXT,
		    BYTES_LIT("ok |v=spf1 -all| |a \"quoted\" \\ A\0;| "
			      "|bare word| ttl=3600") },
		{ "example.net", DNS_A, BYTES_LIT("nodata ttl=300") },
		{ "mx1.example.net", DNS_A,
		    BYTES_LIT("ok 192.0.2.1 192.0.2.2 ttl=20") },
		{ "mx1.example.net", DNS_AAAA,
		    BYTES_LIT("ok 2001:db8::1 ttl=3600") },
		{ "mapped.example.net", DNS_AAAA,
		    BYTES_LIT("ok ::ffff:192.0.2.1 ttl=3600") },
		{ "there.example.net", DNS_A, BYTES_LIT("nodata ttl=300") },
		{ "down.there.example.net", DNS_TXT,
		    BYTES_LIT("nodata ttl=300") },
		{ "up.there.example.net", DNS_A,
		    BYTES_LIT("nxdomain ttl=300") },
		{ "net", DNS_A, BYTES_LIT("nodata ttl=300") },
		{ "com", DNS_A, BYTES_LIT("nxdomain ttl=300") },
		{ "any.wild.example.net", DNS_A,
		    BYTES_LIT("ok 192.0.2.4 ttl=3600") },
		{ "any.of.wild.example.net", DNS_A,
		    BYTES_LIT("ok 192.0.2.4 ttl=3600") },
		{ "any.wild.example.net", DNS_TXT,
		    BYTES_LIT("nodata ttl=300") },
		{ "closed.wild.example.net", DNS_A,
		    BYTES_LIT("nodata ttl=300") },
		{ "x.closed.wild.example.net", DNS_A,
		    BYTES_LIT("nxdomain ttl=300") },
		{ "wild.example.net", DNS_A, BYTES_LIT("nodata ttl=300") },
		{ "alias2.example.net", DNS_A,
		    BYTES_LIT("ok 192.0.2.1 192.0.2.2 ttl=20") },
		{ "alias.example.net", DNS_TXT, BYTES_LIT("nodata ttl=300") },
		{ "away.example.net", DNS_A, BYTES_LIT("nxdomain ttl=300") },
		{ "loop1.example.net", DNS_A, BYTES_LIT("servfail ttl=5") },
		{ "broken.example.net", DNS_A, BYTES_LIT("servfail ttl=5") },
		{ "half.example.net", DNS_A,
		    BYTES_LIT("ok 192.0.2.5 ttl=3600") },
		{ "half.example.net", DNS_AAAA, BYTES_LIT("never") },
		{ "half.example.net", DNS_MX, BYTES_LIT("nodata ttl=300") },
		{ "rest.example.net", DNS_A,
		    BYTES_LIT("ok 192.0.2.6 ttl=3600") },
		{ "rest.example.net", DNS_MX, BYTES_LIT("never") },
		{ "forged.example.net", DNS_TXT, BYTES_LIT("bogus ttl=5") },
		{ "slow.example.net", DNS_A,
		    BYTES_LIT("ok 192.0.2.7 ttl=3600 delay=30") },
		{ "slower.example.net", DNS_A,
		    BYTES_LIT("ok 192.0.2.7 ttl=3600 delay=2030") },
		{ "a\\.b.example.net", DNS_A,
		    BYTES_LIT("ok 192.0.2.8 ttl=3600") },
		{ "a.b.example.net", DNS_A, BYTES_LIT("nxdomain ttl=300") },
		{ "Dot.example.net", DNS_A,
		    BYTES_LIT("ok 192.0.2.9 ttl=3600") },
		{ "host.sub.example.net", DNS_A,
		    BYTES_LIT("ok 192.0.2.10 ttl=3600") },
		{ "1.2.0.192.in-addr.arpa", DNS_PTR,
		    BYTES_LIT("ok <mx1.example.net> ttl=3600") },
		{ "0/25.2.0.192.in-addr.arpa", DNS_PTR,
		    BYTES_LIT("ok <odd\\032name.example.net> ttl=3600") },
	};
	struct dns_zone *zone;
	struct dns_reply *reply;
	struct dns_wire name;
	struct buf got;
	struct err err;
	unsigned delay_ms;
	size_t i;

	(void)state;
	zone = dns_zone_parse("zone", bytes_of(zone_text), &err);
	if (zone == NULL)
		case_fail("zone", "%s", err.text);
	buf_init(&got, 1000);
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		assert_int_equal(dns_wire_from_text(cases[i].name, &name), 0);
		reply = dns_zone_find(zone, &name, cases[i].type, &delay_ms);
		describe(reply, cases[i].type, delay_ms, &got);
		if (!bytes_equal(buf_bytes(&got), cases[i].want))
			case_fail(cases[i].name, "got %s", buf_str(&got));
		dns_reply_unref(reply);
	}
	buf_free(&got);
	dns_zone_free(zone);
}

static void
test_errors(void **state)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "a A 192.0.2.1\n\nb A 192.0.2\n",
		    "zone:3: A wants an IPv4 address" },
		{ "a AAAA 192.0.2.1\n", "zone:1: AAAA wants an IPv6 address" },
		{ "a A 192.0.2.1 192.0.2.2\n",
		    "zone:1: '192.0.2.2' is too much" },
		{ "a A\n", "zone:1: A wants an IPv4 address" },
		{ "a\n", "zone:1: the type is missing" },
		{ "a 60 IN\n", "zone:1: the type is missing" },
		{ "a CH TXT x\n",
		    "zone:1: 'CH' is no type that is known here" },
		{ "a MX mx\n", "zone:1: 'mx' is no number" },
		{ "a MX 70000 mx\n", "zone:1: '70000' is no number" },
		{ "a MX 10\n", "zone:1: a name is missing" },
		{ "a TXT\n", "zone:1: TXT wants a string" },
		{ "a TXT \"open\nb A 192.0.2.1\n",
		    "zone:1: the string has no end" },
		{ "a TXT \"\\999\"\n", "zone:1: a string has a bad escape" },
		{ "a TXT \"\\1\"\n", "zone:1: a string has a bad escape" },
		{ "\tA 192.0.2.1\n", "zone:1: the first record has no name" },
		{ "a..b A 192.0.2.1\n", "zone:1: 'a..b' is no name" },
		{ "a TXT (\n\"x\"\n", "zone:1: a parenthesis has no end" },
		{ "a TXT )\n", "zone:1: unexpected )" },
		{ "a CNAME b\na A 192.0.2.1\n",
		    "zone:2: a name with CNAME has nothing else" },
		{ "a TXT x\na CNAME b\n",
		    "zone:2: a name with CNAME has nothing else" },
		{ "a CNAME b\na CNAME c\n",
		    "zone:2: the name has a CNAME already" },
		{ "$INCLUDE other\n", "zone:1: $INCLUDE is not known here" },
		{ "$TTL\n", "zone:1: $TTL wants one value" },
		{ "$TTL soon\n",
		    "zone:1: $TTL wants a time such as 3600 or 1h" },
		{ "a DELAY 2h\n",
		    "zone:1: DELAY wants a time such as 30ms or 2s, at most "
		    "60 s" },
		{ "a TIMEOUT NS\n",
		    "zone:1: 'NS' is none of A, AAAA, MX, PTR, TXT" },
	};
	struct err err;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		if (dns_zone_parse("zone", bytes_of(cases[i].text), &err) !=
		    NULL)
			case_fail(cases[i].text, "was taken");
		if (strcmp(err.text, cases[i].want) != 0)
			case_fail(cases[i].text, "got '%s'", err.text);
	}
	assert_null(dns_zone_parse("zone", BYTES_LIT("a\0"), &err));
	assert_null(dns_zone_load("/nonexistent/zone", &err));
	assert_string_equal(err.text,
	    "/nonexistent/zone: No such file or directory");
}

static void
test_limits(void **state)
{
	struct buf text;
	struct err err;
	struct dns_zone *zone;
	int i;

	(void)state;
	buf_init(&text, 1000000);
	buf_append_str(&text, "a TXT \"");
	for (i = 0; i < 255; i++)
		buf_append_char(&text, 'x');
	buf_append_str(&text, "\"\n");
	zone = dns_zone_parse("zone", buf_bytes(&text), &err);
	assert_non_null(zone);
	dns_zone_free(zone);
	buf_reset(&text);
	buf_append_str(&text, "a TXT \"");
	for (i = 0; i < 256; i++)
		buf_append_char(&text, 'x');
	buf_append_str(&text, "\"\n");
	assert_null(dns_zone_parse("zone", buf_bytes(&text), &err));
	assert_string_equal(err.text,
	    "zone:1: a string has more than 255 octets: split it");
	buf_reset(&text);
	for (i = 0; i < DNS_RECORD_MAX; i++)
		buf_printf(&text, "a A 10.0.%d.%d\n", i / 256, i % 256);
	zone = dns_zone_parse("zone", buf_bytes(&text), &err);
	assert_non_null(zone);
	dns_zone_free(zone);
	buf_append_str(&text, "a A 10.1.0.0\n");
	assert_null(dns_zone_parse("zone", buf_bytes(&text), &err));
	assert_string_equal(err.text,
	    "zone:1001: too many records, or too long");
	buf_free(&text);
}

/* The example in doc/dns-zone.md is what it says. */
static void
test_documented_example(void **state)
{
	struct buf doc, zone_file;
	struct dns_zone *zone;
	struct dns_reply *reply;
	struct dns_wire name;
	struct cursor in;
	struct bytes line;
	struct err err;
	unsigned delay_ms;

	(void)state;
	buf_init(&doc, 100000);
	buf_init(&zone_file, 100000);
	if (file_read(SRCDIR "/doc/dns-zone.md", &doc, &err) < 0)
		case_fail("doc", "%s", err.text);
	in = cursor_of(buf_bytes(&doc));
	while (!cursor_at_end(&in)) {
		line = cursor_until(&in, "\n");
		(void)cursor_char(&in, '\n');
		if (line.len > 4 && memcmp(line.data, "    ", 4) == 0) {
			buf_append(&zone_file, line.data + 4, line.len - 4);
			buf_append_char(&zone_file, '\n');
		}
	}
	zone = dns_zone_parse("example", buf_bytes(&zone_file), &err);
	if (zone == NULL)
		case_fail("example", "%s", err.text);
	assert_int_equal(dns_wire_from_text("a.shop.example.net", &name), 0);
	reply = dns_zone_find(zone, &name, DNS_A, &delay_ms);
	assert_int_equal(reply->answer.status, DNS_OK);
	dns_reply_unref(reply);
	dns_zone_free(zone);
	buf_free(&doc);
	buf_free(&zone_file);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_documented_example),
	};

	return cmocka_run_group_tests_name("dns_zone", tests, NULL, NULL);
}
