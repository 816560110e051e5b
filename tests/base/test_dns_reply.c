/*
 * test_dns_reply.c - tests of base/dns_reply.c: DNS messages, good and bad.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit.h"

#include "base/dns_impl.h"

/* Pieces of messages.  The question is at 12: "mx.a" of type and class; the
 * name "a" in it is at 15. */
#define HEAD(flags, answers, authority)                                        \
	"\x12\x34" flags "\0\1\0" answers "\0" authority "\0\0"
#define QNAME "\2mx\1a\0"
#define QUESTION(type) QNAME "\0" type "\0\1"
#define OWNER "\xc0\x0c"
#define RR(owner, type, ttl, rdlen) owner "\0" type "\0\1" ttl "\0" rdlen
#define OK "\x81\x80"
#define NX "\x81\x83"
#define T_A "\1"
#define T_CNAME "\5"
#define T_SOA "\6"
#define T_PTR "\x0c"
#define T_MX "\x0f"
#define T_TXT "\x10"
#define T_AAAA "\x1c"
#define MINUTE "\0\0\0\x3c"
#define HOUR "\0\0\x0e\x10"
#define SOA_RDATA "\1a\0\0\0\0\0\1\0\0\0\2\0\0\0\3\0\0\0\4\0\0\0\x1e"

static void
describe(const struct dns_reply *reply, enum dns_type type, struct buf *out)
{
	char ip[IP_TEXT_SIZE];
	size_t i;

	buf_reset(out);
	buf_append_str(out, dns_status_name(reply->answer.status));
	for (i = 0; i < reply->answer.count; i++) {
		const struct dns_record *record = &reply->answer.records[i];

		ip_format(&record->ip, ip);
		if (type == DNS_MX)
			buf_printf(out, " %u", record->preference);
		buf_append_char(out, ' ');
		if (type == DNS_TXT)
			buf_append_bytes(out, record->text);
		else
			buf_append_str(out,
			    type == DNS_A || type == DNS_AAAA ? ip
							      : record->name);
	}
	buf_printf(out, " ttl=%u", reply->ttl_s);
}

static void
test_messages(void **state)
{
	static const struct {
		const char *label;
		enum dns_type type;
		struct bytes message;
		const char *want;
	} cases[] = {
		{ "A", DNS_A,
		    BYTES_LIT(HEAD(OK, "\2", "\0") QUESTION(T_A)
			    RR(OWNER, T_A, HOUR, "\4") "\xc0\0\2\1" RR(OWNER,
				T_A, MINUTE, "\4") "\xc0\0\2\2"),
		    "ok 192.0.2.1 192.0.2.2 ttl=60" },
		{ "AAAA that maps IPv4 stays IPv6", DNS_AAAA,
		    BYTES_LIT(HEAD(OK, "\1", "\0") QUESTION(T_AAAA) RR(OWNER,
			T_AAAA, MINUTE,
			"\x10") "\0\0\0\0\0\0\0\0\0\0\xff\xff\xc0\0\2\1"),
		    "ok ::ffff:192.0.2.1 ttl=60" },
		{ "MX, name compressed into the question", DNS_MX,
		    BYTES_LIT(HEAD(OK, "\1", "\0") QUESTION(T_MX)
			    RR(OWNER, T_MX, MINUTE, "\6") "\0\x0a\1B\xc0\x0f"),
		    "ok 10 b.a ttl=60" },
		{ "MX of the root", DNS_MX,
		    BYTES_LIT(HEAD(OK, "\1", "\0") QUESTION(T_MX)
			    RR(OWNER, T_MX, MINUTE, "\3") "\0\0\0"),
		    "ok 0  ttl=60" },
		{ "PTR with odd octets", DNS_PTR,
		    BYTES_LIT(HEAD(OK, "\1", "\0") QUESTION(T_PTR)
			    RR(OWNER, T_PTR, MINUTE, "\6") "\3x.\n\xc0\x0f"),
		    "ok x\\046\\010.a ttl=60" },
		{ "TXT joined", DNS_TXT,
		    BYTES_LIT(HEAD(OK, "\1", "\0") QUESTION(T_TXT)
			    RR(OWNER, T_TXT, MINUTE, "\6") "\2ab\0\1c"),
		    "ok abc ttl=60" },
		{ "alias", DNS_A,
		    BYTES_LIT(HEAD(OK, "\2", "\0") QUESTION(T_A) RR(OWNER,
			T_CNAME, MINUTE, "\4") "\1c\xc0\x0f" RR("\1C\1a\0", T_A,
			HOUR, "\4") "\xc0\0\2\1"),
		    "ok 192.0.2.1 ttl=60" },
		{ "alias to itself", DNS_A,
		    BYTES_LIT(HEAD(OK, "\1", "\0") QUESTION(T_A)
			    RR(OWNER, T_CNAME, MINUTE, "\2") "\xc0\x0c"),
		    "servfail ttl=5" },
		{ "alias to nothing", DNS_A,
		    BYTES_LIT(HEAD(NX, "\1", "\0") QUESTION(T_A)
			    RR(OWNER, T_CNAME, MINUTE, "\2") "\xc0\x0f"),
		    "nxdomain ttl=60" },
		{ "alias whose target has another type", DNS_A,
		    BYTES_LIT(HEAD(OK, "\1", "\0") QUESTION(T_A)
			    RR(OWNER, T_CNAME, MINUTE, "\2") "\xc0\x0f"),
		    "nodata ttl=60" },
		{ "records of others do not count", DNS_A,
		    BYTES_LIT(HEAD(OK, "\2", "\0") QUESTION(T_A)
			    RR("\1x\0", T_A, HOUR, "\4") "\xc0\0\2\1" RR(OWNER,
				T_TXT, MINUTE, "\1") "\0"),
		    "nodata ttl=60" },
		{ "class CH does not count", DNS_A,
		    BYTES_LIT(HEAD(OK, "\1", "\0") QUESTION(T_A) OWNER
			"\0\1\0\3\0\0\0\x3c\0\4\xc0\0\2\1"),
		    "nodata ttl=60" },
		{ "no such name, SOA minimum", DNS_A,
		    BYTES_LIT(HEAD(NX, "\0", "\1") QUESTION(T_A)
			    RR("\xc0\x0f", T_SOA, HOUR, "\x18") SOA_RDATA),
		    "nxdomain ttl=30" },
		{ "no data, SOA with a short TTL", DNS_A,
		    BYTES_LIT(HEAD(OK, "\0", "\1") QUESTION(T_A) RR("\xc0\x0f",
			T_SOA, "\0\0\0\7", "\x18") SOA_RDATA),
		    "nodata ttl=7" },
		{ "TTL with the highest bit is 0", DNS_A,
		    BYTES_LIT(HEAD(OK, "\1", "\0") QUESTION(T_A)
			    RR(OWNER, T_A, "\x80\0\0\1", "\4") "\xc0\0\2\1"),
		    "ok 192.0.2.1 ttl=0" },
		{ "TTL has a ceiling", DNS_A,
		    BYTES_LIT(HEAD(OK, "\1", "\0") QUESTION(T_A)
			    RR(OWNER, T_A, "\x7f\0\0\1", "\4") "\xc0\0\2\1"),
		    "ok 192.0.2.1 ttl=86400" },
		{ "refused", DNS_A,
		    BYTES_LIT(HEAD("\x81\x85", "\0", "\0") QUESTION(T_A)),
		    "servfail ttl=5" },
		{ "truncated", DNS_A,
		    BYTES_LIT(HEAD("\x83\x80", "\1", "\0") QUESTION(T_A)
			    RR(OWNER, T_A, HOUR, "\4") "\xc0\0\2\1"),
		    "servfail ttl=5" },
		{ "a question, no answer", DNS_A,
		    BYTES_LIT(HEAD("\1\0", "\0", "\0") QUESTION(T_A)),
		    "servfail ttl=5" },
		{ "another question: name", DNS_A,
		    BYTES_LIT(HEAD(OK, "\0", "\0") "\2my\1a\0\0\1\0\1"),
		    "servfail ttl=5" },
		{ "another question: type", DNS_A,
		    BYTES_LIT(HEAD(OK, "\0", "\0") QUESTION(T_TXT)),
		    "servfail ttl=5" },
		{ "a pointer forwards", DNS_A,
		    BYTES_LIT(HEAD(OK, "\1", "\0") QUESTION(T_A)
			    RR("\xc0\x20", T_A, HOUR, "\4") "\xc0\0\2\1"),
		    "servfail ttl=5" },
		{ "a pointer to itself", DNS_A,
		    BYTES_LIT(HEAD(OK, "\1", "\0") QUESTION(T_A)
			    RR("\xc0\x16", T_A, HOUR, "\4") "\xc0\0\2\1"),
		    "servfail ttl=5" },
		{ "a label of an unknown kind", DNS_A,
		    BYTES_LIT(HEAD(OK, "\1", "\0") QUESTION(T_A)
			    RR("\x41g\0", T_A, HOUR, "\4") "\xc0\0\2\1"),
		    "servfail ttl=5" },
		{ "an address too long", DNS_A,
		    BYTES_LIT(HEAD(OK, "\1", "\0") QUESTION(T_A)
			    RR(OWNER, T_A, HOUR, "\5") "\xc0\0\2\1\1"),
		    "servfail ttl=5" },
		{ "an address too short", DNS_AAAA,
		    BYTES_LIT(HEAD(OK, "\1", "\0") QUESTION(T_AAAA)
			    RR(OWNER, T_AAAA, HOUR, "\4") "\xc0\0\2\1"),
		    "servfail ttl=5" },
		{ "a string beyond its record", DNS_TXT,
		    BYTES_LIT(HEAD(OK, "\1", "\0") QUESTION(T_TXT)
			    RR(OWNER, T_TXT, MINUTE, "\3") "\3abc"),
		    "servfail ttl=5" },
		{ "TXT without a string", DNS_TXT,
		    BYTES_LIT(HEAD(OK, "\1", "\0") QUESTION(T_TXT)
			    RR(OWNER, T_TXT, MINUTE, "\0")),
		    "servfail ttl=5" },
		{ "a name beyond its record", DNS_PTR,
		    BYTES_LIT(HEAD(OK, "\1", "\0") QUESTION(T_PTR)
			    RR(OWNER, T_PTR, MINUTE, "\2") "\1b\0"),
		    "servfail ttl=5" },
		{ "octets behind a name", DNS_PTR,
		    BYTES_LIT(HEAD(OK, "\1", "\0") QUESTION(T_PTR)
			    RR(OWNER, T_PTR, MINUTE, "\4") "\1b\0x"),
		    "servfail ttl=5" },
		{ "MX without a name", DNS_MX,
		    BYTES_LIT(HEAD(OK, "\1", "\0") QUESTION(T_MX)
			    RR(OWNER, T_MX, MINUTE, "\2") "\0\1"),
		    "servfail ttl=5" },
		{ "fewer records than promised", DNS_A,
		    BYTES_LIT(HEAD(OK, "\2", "\0") QUESTION(T_A)
			    RR(OWNER, T_A, HOUR, "\4") "\xc0\0\2\1"),
		    "servfail ttl=5" },
		{ "nothing", DNS_A, BYTES_LIT(""), "servfail ttl=5" },
	};
	struct dns_draft draft;
	struct dns_reply *reply;
	struct dns_wire name;
	struct buf got;
	size_t i, len;

	(void)state;
	buf_init(&got, 1000);
	dns_draft_init(&draft);
	assert_int_equal(dns_wire_from_text("mx.a", &name), 0);
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		reply = dns_reply_parse(&draft, cases[i].message, &name,
		    cases[i].type, false);
		describe(reply, cases[i].type, &got);
		dns_reply_unref(reply);
		if (strcmp(buf_str(&got), cases[i].want) != 0)
			case_fail(cases[i].label, "got %s", buf_str(&got));
		/* Cut anywhere within header and records, it is refused. */
		for (len = 0; len < cases[i].message.len; len++) {
			char *cut = malloc(len + 1);

			assert_non_null(cut);
			memcpy(cut, cases[i].message.data, len);
			reply =
			    dns_reply_parse(&draft, (struct bytes){ cut, len },
				&name, cases[i].type, false);
			if (reply->answer.status == DNS_OK)
				case_fail(cases[i].label, "cut at %zu", len);
			dns_reply_unref(reply);
			free(cut);
		}
	}
	buf_free(&got);
	dns_draft_fini(&draft);
}

static void
put_u16(struct buf *buf, unsigned n)
{
	buf_append_char(buf, (char)(n >> 8));
	buf_append_char(buf, (char)(n & 0xff));
}

/* A message of n addresses. */
static enum dns_status
status_of_addresses(unsigned n)
{
	struct dns_draft draft;
	struct dns_reply *reply;
	struct dns_wire name;
	enum dns_status status;
	struct buf message;
	unsigned i;

	buf_init(&message, 65535);
	buf_append(&message, "\0\0" OK "\0\1", 6);
	put_u16(&message, n);
	buf_append(&message, "\0\0\0\0" QUESTION(T_A), 14);
	for (i = 0; i < n; i++)
		buf_append(&message, RR(OWNER, T_A, HOUR, "\4") "\xc0\0\2\1",
		    16);
	assert_false(message.overflow);
	dns_draft_init(&draft);
	assert_int_equal(dns_wire_from_text("mx.a", &name), 0);
	reply =
	    dns_reply_parse(&draft, buf_bytes(&message), &name, DNS_A, false);
	status = reply->answer.status;
	dns_reply_unref(reply);
	dns_draft_fini(&draft);
	buf_free(&message);
	return status;
}

static void
test_record_ceiling(void **state)
{
	(void)state;
	assert_int_equal(status_of_addresses(1), DNS_OK);
	assert_int_equal(status_of_addresses(DNS_RECORD_MAX), DNS_OK);
	assert_int_equal(status_of_addresses(DNS_RECORD_MAX + 1), DNS_SERVFAIL);
	assert_int_equal(status_of_addresses(4000), DNS_SERVFAIL);
}

/* Names c, cc, ccc, ...: each an alias of the next. */
static enum dns_status
status_of_aliases(unsigned n)
{
	static const char c[] = "cccccccccccccccccccccccccccc";
	struct dns_draft draft;
	struct dns_reply *reply;
	struct dns_wire name;
	enum dns_status status;
	struct buf message;
	unsigned i;

	buf_init(&message, 65535);
	buf_append(&message, "\0\0" OK "\0\1", 6);
	put_u16(&message, n + 1);
	buf_append(&message, "\0\0\0\0\1c\0\0\1\0\1", 11);
	for (i = 1; i <= n + 1; i++) {
		buf_append_char(&message, (char)i);
		buf_append(&message, c, i);
		buf_append(&message, i <= n ? "\0\0\5\0\1" : "\0\0\1\0\1", 5);
		buf_append(&message, HOUR, 4);
		put_u16(&message, i <= n ? i + 3 : 4);
		if (i <= n) {
			buf_append_char(&message, (char)(i + 1));
			buf_append(&message, c, i + 1);
			buf_append_char(&message, '\0');
		} else {
			buf_append(&message, "\xc0\0\2\1", 4);
		}
	}
	dns_draft_init(&draft);
	assert_int_equal(dns_wire_from_text("c", &name), 0);
	reply =
	    dns_reply_parse(&draft, buf_bytes(&message), &name, DNS_A, false);
	status = reply->answer.status;
	dns_reply_unref(reply);
	dns_draft_fini(&draft);
	buf_free(&message);
	return status;
}

static void
test_alias_ceiling(void **state)
{
	(void)state;
	assert_int_equal(status_of_aliases(1), DNS_OK);
	assert_int_equal(status_of_aliases(DNS_ALIAS_MAX), DNS_OK);
	assert_int_equal(status_of_aliases(DNS_ALIAS_MAX + 1), DNS_SERVFAIL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_messages),
		cmocka_unit_test(test_record_ceiling),
		cmocka_unit_test(test_alias_ceiling),
	};

	return cmocka_run_group_tests_name("dns_reply", tests, NULL, NULL);
}
