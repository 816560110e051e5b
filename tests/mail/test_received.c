/*
 * test_received.c - tests of mail/received.c.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit.h"

#include "base/arena.h"
#include "mail/received.h"

static void
test_read(void **state)
{
	static const struct {
		const char *label, *value;
		const char *ip, *helo, *name; /* ip NULL: refused */
	} cases[] = {
		{ "Postfix",
		    " from mail.a.example (mail.a.example [192.0.2.1])\r\n"
		    "\t(using TLSv1.3 with cipher X (256/256 bits))\r\n"
		    "\t(No client certificate requested)\r\n"
		    "\tby gw.example (Postfix) with ESMTPS id 1\r\n"
		    "\tfor <b@c.example>; Mon, 1 Jan 2024 00:00:00 +0000",
		    "192.0.2.1", "mail.a.example", "mail.a.example" },
		{ "Postfix, no name", " from x (unknown [192.0.2.1]) by gw; d",
		    "192.0.2.1", "x", "" },
		{ "Postfix, IPv6",
		    " from x (a.example [IPv6:2001:db8::1]) by gw; d",
		    "2001:db8::1", "x", "a.example" },
		{ "Postfix, a literal as HELO",
		    " from [198.51.100.9] (a.example [192.0.2.1]) by gw; d",
		    "192.0.2.1", "[198.51.100.9]", "a.example" },
		{ "Sendmail",
		    " from x (a.example [192.0.2.1] (may be forged))\n"
		    "\tby gw (8.17.1/8.17.1) with ESMTP id 1; d",
		    "192.0.2.1", "x", "a.example" },
		{ "Sendmail, no name", " from x ([192.0.2.1]) by gw; d",
		    "192.0.2.1", "x", "" },
		{ "Sendmail, ident",
		    " from x (IDENT:me@a.example [192.0.2.1]) by gw; d",
		    "192.0.2.1", "x", "" },
		{ "Exim",
		    " from a.example ([192.0.2.1] helo=x)\n\tby gw with esmtp",
		    "192.0.2.1", "x", "" },
		{ "Exim, no name",
		    " from [192.0.2.1] (helo=x)\n\tby gw with esmtp",
		    "192.0.2.1", "x", "" },
		{ "Exim, port",
		    " from a.example ([192.0.2.1]:4711 helo=[198.51.100.9])\n"
		    "\tby gw with esmtp",
		    "192.0.2.1", "[198.51.100.9]", "" },
		{ "qmail",
		    " from a.example (HELO x) (192.0.2.1)\n  by gw with SMTP",
		    "192.0.2.1", "x", "" },
		{ "Exchange",
		    " from a.example (192.0.2.1) by\r\n gw.example "
		    "(10.1.2.3) with Microsoft SMTP Server",
		    "192.0.2.1", "a.example", "" },
		{ "Exchange, IPv6",
		    " from a.example (2001:db8::1) by gw (2001:db8::2) with x",
		    "2001:db8::1", "a.example", "" },
		{ "Google",
		    " from a.example (a.example. [192.0.2.1])\r\n        by "
		    "mx.google.example with ESMTPS id x",
		    "192.0.2.1", "a.example", "a.example" },
		{ "capitals", " FROM X (A.EXAMPLE [192.0.2.1]) BY GW",
		    "192.0.2.1", "X", "A.EXAMPLE" },
		{ "the same twice", " from x ([192.0.2.1]) (192.0.2.1) by gw",
		    "192.0.2.1", "x", "" },

		/* what a client would like us to believe */
		{ "HELO as an address, in a comment of its own",
		    " from u (HELO [198.51.100.9]) (192.0.2.1) by gw",
		    "192.0.2.1", "[198.51.100.9]", "" },
		{ "ident with an address",
		    " from x (a [198.51.100.9] b@c.example [192.0.2.1]) by gw",
		    NULL, NULL, NULL },
		{ "two comments with addresses",
		    " from x ([198.51.100.9]) ([192.0.2.1]) by gw", NULL, NULL,
		    NULL },
		{ "an address in a nested comment",
		    " from x (a.example ([198.51.100.9])) by gw", NULL, NULL,
		    NULL },
		{ "an address behind by", " from x by gw ([198.51.100.9])",
		    NULL, NULL, NULL },
		{ "a literal as HELO, and nothing else",
		    " from [198.51.100.9] by gw", NULL, NULL, NULL },
		{ "a literal as HELO, and a name",
		    " from [198.51.100.9] (a.example) by gw", NULL, NULL,
		    NULL },
		{ "quoted", " from x (\\[198.51.100.9] [192.0.2.1]) by gw",
		    "192.0.2.1", "x", "" },
		{ "HELO with odd characters",
		    " from x\";<y> (a.example [192.0.2.1]) by gw", "192.0.2.1",
		    "", "a.example" },

		/* no Received of a client */
		{ "local", " by gw (Postfix, from userid 0) id 1; d", NULL,
		    NULL, NULL },
		{ "no address", " from x (a.example) by gw", NULL, NULL, NULL },
		{ "no by", " from x (a.example [192.0.2.1]) via gw", NULL, NULL,
		    NULL },
		{ "ends in a comment", " from x (a.example [192.0.2.1]", NULL,
		    NULL, NULL },
		{ "too deep", " from x (((((((((a))))))))) by gw", NULL, NULL,
		    NULL },
		{ "port without number", " from x ([192.0.2.1]:) by gw", NULL,
		    NULL, NULL },
		{ "no literal", " from x ([unknown]) by gw", NULL, NULL, NULL },
		{ "empty", "", NULL, NULL, NULL },
		{ "from alone", " from", NULL, NULL, NULL },
	};
	struct received received;
	char text[IP_TEXT_SIZE];
	struct arena *arena;
	struct err err;
	size_t i;
	int rc;

	(void)state;
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		arena = arena_new(0);
		rc = received_read(arena, bytes_of(cases[i].value), &received,
		    &err);
		if ((rc == 0) != (cases[i].ip != NULL))
			case_fail(cases[i].label, "%s",
			    rc < 0 ? err.text : "taken");
		if (rc == 0) {
			ip_format(&received.ip, text);
			if (strcmp(text, cases[i].ip) != 0 ||
			    strcmp(received.helo, cases[i].helo) != 0 ||
			    strcmp(received.name, cases[i].name) != 0)
				case_fail(cases[i].label, "%s '%s' '%s'", text,
				    received.helo, received.name);
		}
		arena_free(arena);
	}
}

/* ---- the way ---- */

static bool
is_inside(void *context, const struct ip *ip)
{
	const char *const *texts = context;
	struct network network;

	for (; *texts != NULL; texts++)
		if (network_parse(bytes_of(*texts), &network, NULL) == 0 &&
		    network_contains(&network, ip))
			return true;
	return false;
}

static void
test_find_client(void **state)
{
	/* Each is the address in a Received, from the top; "?" cannot be
	 * read, "-" is another field. */
	static const struct {
		const char *label, *way, *want;
	} cases[] = {
		{ "the first one", "198.51.100.1", "198.51.100.1" },
		{ "forged ones below", "198.51.100.1 192.0.2.1 203.0.113.1",
		    "198.51.100.1" },
		{ "hops inside", "192.0.2.1 192.0.2.77 198.51.100.1",
		    "198.51.100.1" },
		{ "other fields between", "- 192.0.2.1 - 198.51.100.1",
		    "198.51.100.1" },
		{ "a private hop that is listed", "10.1.2.3 198.51.100.1",
		    "198.51.100.1" },
		{ "a private one that is not", "192.168.1.1 198.51.100.1",
		    NULL },
		{ "loopback", "127.0.0.1 198.51.100.1", NULL },
		{ "never left", "192.0.2.1 192.0.2.2", NULL },
		{ "cannot be read", "? 198.51.100.1", NULL },
		{ "cannot be read, further down", "192.0.2.1 ? 198.51.100.1",
		    NULL },
		{ "nothing", "-", NULL },
		{ "9 hops inside",
		    "10.0.0.1 10.0.0.1 10.0.0.1 10.0.0.1 10.0.0.1 10.0.0.1 "
		    "10.0.0.1 10.0.0.1 10.0.0.1 198.51.100.1",
		    "198.51.100.1" },
		{ "10 hops inside",
		    "10.0.0.1 10.0.0.1 10.0.0.1 10.0.0.1 10.0.0.1 10.0.0.1 "
		    "10.0.0.1 10.0.0.1 10.0.0.1 10.0.0.1 198.51.100.1",
		    NULL },
	};
	static const char *inside[] = { "192.0.2.0/24", "10.0.0.0/8", NULL };
	char *copy, *word, *rest, text[IP_TEXT_SIZE];
	struct received received;
	struct header header;
	struct arena *arena;
	struct err err;
	size_t i;
	int rc;

	(void)state;
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		arena = arena_new(0);
		header_init(&header, arena, 100000, 100);
		copy = arena_strdup(arena, cases[i].way);
		for (rest = NULL, word = strtok_r(copy, " ", &rest);
		     word != NULL; word = strtok_r(NULL, " ", &rest))
			assert_int_equal(
			    header_add(&header,
				bytes_of(*word == '-' ? "Subject" : "Received"),
				bytes_of(arena_printf(arena,
				    " from x (y [%s]) by z; d", word)),
				NULL),
			    0);
		rc = received_find_client(arena, &header, is_inside, inside,
		    &received, &err);
		text[0] = '\0';
		if (rc == 0)
			ip_format(&received.ip, text);
		if (strcmp(text, cases[i].want != NULL ? cases[i].want : "") !=
		    0)
			case_fail(cases[i].label, "%s",
			    rc < 0 ? err.text : text);
		arena_free(arena);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_find_client),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
