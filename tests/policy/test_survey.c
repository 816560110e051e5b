/*
 * test_survey.c - tests of policy/survey*.c and policy/report_uri.c.
 *
 * Each case is a zone and all that is found in it, by name and in order.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit.h"

#include "base/clock.h"
#include "policy/keyring.h"
#include "policy/report_uri.h"
#include "policy/survey.h"
#include "tests/policy/fake_dns.h"

#define LINES_MAX 24
#define FOUND_MAX 4096

#define ED_KEY                                                                 \
	"v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
#define ED_OTHER                                                               \
	"v=DKIM1; k=ed25519; p=O2onvM62pC1io6jQKm8Nc2UyFXcd4kOmOsBIoYtZ2ik="

/* What all cases below have in good order, so that a case shows its own
 * topic only. */
#define GOOD_SPF "a.test TXT v=spf1 ip4:198.51.100.0/24 -all"
#define GOOD_KEY "s1._domainkey.a.test TXT " ED_KEY
#define GOOD_DMARC "_dmarc.a.test TXT v=DMARC1; p=reject; rua=mailto:d@a.test"
#define GOOD_MX                                                                \
	"a.test MX 10 mx.a.test", "mx.a.test A 198.51.100.1",                  \
	    "1.100.51.198.in-addr.arpa PTR mx.a.test"
#define NOT_SPF GOOD_KEY, GOOD_DMARC, GOOD_MX
#define NOT_DKIM GOOD_SPF, GOOD_DMARC, GOOD_MX
#define NOT_DMARC GOOD_SPF, GOOD_KEY, GOOD_MX
#define NOT_MX GOOD_SPF, GOOD_KEY, GOOD_DMARC

struct survey_case {
	const char *label;
	const char *topic; /* findings of others are not looked at */
	const char *found; /* "spf.ok 1; ..." : names with what was filled in */
	const char *zone[LINES_MAX];
};

/* Zone lines are joined of macros and over line ends, as they must be. */
/* NOLINTBEGIN(bugprone-suspicious-missing-comma) */
static const struct survey_case cases[] = {
	/* ---- SPF ---- */
	{ "good", "spf.", "spf.ok 0", { GOOD_SPF, NOT_SPF } },
	{ "none", "spf.", "spf.missing a.test", { NOT_SPF } },
	{ "two", "spf.", "spf.several a.test",
	    { "a.test TXT v=spf1 -all", "a.test TXT v=spf1 mx -all",
		NOT_SPF } },
	{ "no SPF record beside another", "spf.", "spf.missing a.test",
	    { "a.test TXT v=spf10 -all", NOT_SPF } },
	{ "syntax", "spf.", "spf.syntax a.test *",
	    { "a.test TXT v=spf1 ip4:198.51.100.0/33 -all", NOT_SPF } },
	{ "DNS", "spf.", "spf.dns a.test servfail",
	    { "a.test SERVFAIL", GOOD_KEY, GOOD_DMARC } },
	{ "includes are counted", "spf.", "spf.ok 4",
	    { "a.test TXT v=spf1 include:b.test a mx -all",
		"b.test TXT v=spf1 a:c.test -all", "c.test A 198.51.100.9",
		"a.test A 198.51.100.8", NOT_SPF } },
	{ "nine lookups", "spf.", "spf.lookups-near 9; spf.ok 9",
	    { "a.test TXT v=spf1 a a a a a a a a a -all",
		"a.test A 198.51.100.8", NOT_SPF } },
	{ "eleven lookups", "spf.", "spf.lookups 11",
	    { "a.test TXT v=spf1 a a a a a a a a a redirect=b.test",
		"b.test TXT v=spf1 a -all", "b.test A 198.51.100.8",
		"a.test A 198.51.100.8", NOT_SPF } },
	{ "terms that lead to nothing", "spf.",
	    "spf.void a:x.test x.test; spf.void mx:y.test y.test; "
	    "spf.void exists:z.test z.test; spf.voids 3",
	    { "a.test TXT v=spf1 a:x.test mx:y.test exists:z.test -all",
		NOT_SPF } },
	{ "many servers", "spf.", "spf.mx-names mx:m.test 11",
	    { "a.test TXT v=spf1 mx:m.test -all", "m.test MX 1 a1",
		"m.test MX 1 a2", "m.test MX 1 a3", "m.test MX 1 a4",
		"m.test MX 1 a5", "m.test MX 1 a6", "m.test MX 1 a7",
		"m.test MX 1 a8", "m.test MX 1 a9", "m.test MX 1 a10",
		"m.test MX 1 a11", NOT_SPF } },
	{ "include of nothing", "spf.", "spf.target-missing include:b.test",
	    { "a.test TXT v=spf1 include:b.test -all", NOT_SPF } },
	{ "a circle", "spf.", "spf.loop include:a.test",
	    { "a.test TXT v=spf1 include:b.test -all",
		"b.test TXT v=spf1 include:a.test -all", NOT_SPF } },
	{ "macros", "spf.", "spf.macro exists:%{i}.b.test; spf.ok 1",
	    { "a.test TXT v=spf1 exists:%{i}.b.test -all", NOT_SPF } },
	{ "ptr", "spf.", "spf.ptr a.test",
	    { "a.test TXT v=spf1 ptr -all", NOT_SPF } },
	{ "+all", "spf.", "spf.all-pass a.test",
	    { "a.test TXT v=spf1 +all", NOT_SPF } },
	{ "+all of an include", "spf.", "spf.all-pass b.test",
	    { "a.test TXT v=spf1 include:b.test -all", "b.test TXT v=spf1 all",
		NOT_SPF } },
	{ "?all", "spf.", "spf.all-neutral",
	    { "a.test TXT v=spf1 ?all", NOT_SPF } },
	{ "~all of a redirect", "spf.", "spf.all-softfail; spf.ok 1",
	    { "a.test TXT v=spf1 redirect=b.test", "b.test TXT v=spf1 ~all",
		NOT_SPF } },
	{ "no all", "spf.", "spf.no-all",
	    { "a.test TXT v=spf1 ip4:198.51.100.1", NOT_SPF } },
	{ "behind all", "spf.",
	    "spf.behind-all ip4:198.51.100.1; spf.behind-all redirect=b.test",
	    { "a.test TXT v=spf1 -all ip4:198.51.100.1 redirect=b.test",
		NOT_SPF } },
	{ "wide", "spf.", "spf.wide ip4:198.0.0.0/8; spf.wide a/3",
	    { "a.test TXT v=spf1 ip4:198.0.0.0/8 a/3 -all",
		"a.test A 198.51.100.8", NOT_SPF } },

	/* ---- DKIM ---- */
	{ "good key", "dkim.", "dkim.ok s1 Ed25519", { GOOD_KEY, NOT_DKIM } },
	{ "no key", "dkim.", "dkim.missing s1._domainkey.a.test",
	    { NOT_DKIM } },
	{ "key and DNS", "dkim.", "dkim.dns s1._domainkey.a.test timeout",
	    { "s1._domainkey.a.test TIMEOUT", NOT_DKIM } },
	{ "two keys", "dkim.", "dkim.several s1._domainkey.a.test",
	    { GOOD_KEY, "s1._domainkey.a.test TXT " ED_OTHER, NOT_DKIM } },
	{ "revoked", "dkim.", "dkim.broken s1._domainkey.a.test *",
	    { "s1._domainkey.a.test TXT v=DKIM1; p=", NOT_DKIM } },
	{ "testing", "dkim.", "dkim.testing s1",
	    { "s1._domainkey.a.test TXT " ED_KEY "; t=y", NOT_DKIM } },
	{ "sha1", "dkim.", "dkim.sha1 s1",
	    { "s1._domainkey.a.test TXT " ED_KEY "; h=sha1", NOT_DKIM } },
	{ "not ours", "dkim.", "dkim.other-key s1._domainkey.a.test",
	    { "s1._domainkey.a.test TXT " ED_OTHER, NOT_DKIM } },

	/* ---- DMARC ---- */
	{ "good policy", "dmarc.", "dmarc.ok reject",
	    { GOOD_DMARC, NOT_DMARC } },
	{ "no policy", "dmarc.", "dmarc.missing a.test", { NOT_DMARC } },
	{ "of the TLD", "dmarc.",
	    "dmarc.inherited a.test test; dmarc.ok reject",
	    { "_dmarc.test TXT v=DMARC1; p=none; sp=reject; np=reject; "
	      "psd=y; rua=mailto:d@test",
		NOT_DMARC } },
	{ "policy and DNS", "dmarc.", "dmarc.dns _dmarc.a.test*",
	    { "_dmarc.a.test SERVFAIL", NOT_DMARC } },
	{ "two policies", "dmarc.",
	    "dmarc.several _dmarc.a.test; dmarc.missing a.test",
	    { GOOD_DMARC, "_dmarc.a.test TXT v=DMARC1; p=none", NOT_DMARC } },
	{ "small letters", "dmarc.",
	    "dmarc.nearly _dmarc.a.test v=dmarc1; p=none; "
	    "dmarc.missing a.test",
	    { "_dmarc.a.test TXT v=dmarc1; p=none", NOT_DMARC } },
	{ "no policy in it", "dmarc.",
	    "dmarc.tag-broken p=rejct; dmarc.broken _dmarc.a.test",
	    { "_dmarc.a.test TXT v=DMARC1; p=rejct", NOT_DMARC } },
	{ "tags", "dmarc.",
	    "dmarc.tag-gone pct=50; dmarc.tag-unknown x=1; "
	    "dmarc.tag-repeated p=none; dmarc.tag-broken adkim",
	    { "_dmarc.a.test TXT v=DMARC1; p=reject; pct=50; x=1; p=none; "
	      "adkim; rua=mailto:d@a.test",
		NOT_DMARC } },
	{ "none, no reports", "dmarc.", "dmarc.no-reports; dmarc.only-watches",
	    { "_dmarc.a.test TXT v=DMARC1; p=none", NOT_DMARC } },
	{ "weaker below", "dmarc.", "dmarc.below-weaker none reject",
	    { "_dmarc.a.test TXT v=DMARC1; p=reject; sp=none; "
	      "rua=mailto:d@a.test",
		NOT_DMARC } },
	{ "t=y", "dmarc.", "dmarc.testing quarantine",
	    { "_dmarc.a.test TXT v=DMARC1; p=reject; t=y; "
	      "rua=mailto:d@a.test",
		NOT_DMARC } },
	{ "addresses", "dmarc.",
	    "dmarc.uri-broken https://x it is no mailto: address; "
	    "dmarc.uri-size mailto:d@a.test!10m; "
	    "dmarc.uri-refused mailto:d@b.test "
	    "a.test._report._dmarc.b.test; "
	    "dmarc.uri-consent mailto:d@c.test; "
	    "dmarc.uri-dns mailto:d@d.test the DNS did not answer",
	    { "_dmarc.a.test TXT v=DMARC1; p=reject; rua=https://x,"
	      "mailto:d@a.test!10m,mailto:d@b.test,mailto:d@c.test,"
	      "mailto:d@d.test",
		"*._report._dmarc.b.test TXT v=DMARC2",
		"a.test._report._dmarc.c.test TXT v=DMARC1",
		"a.test._report._dmarc.d.test SERVFAIL", NOT_DMARC } },
	{ "nothing can pass", "dmarc.", "dmarc.unprovable reject",
	    { GOOD_DMARC, GOOD_MX } },

	/* ---- MX ---- */
	{ "good servers", "mx.", "mx.ok 1", { GOOD_MX, NOT_MX } },
	{ "no servers", "mx.", "mx.missing a.test", { NOT_MX } },
	{ "its own address", "mx.", "mx.implicit a.test",
	    { "a.test A 198.51.100.1", NOT_MX } },
	{ "null MX", "mx.", "mx.null a.test", { "a.test MX 0 .", NOT_MX } },
	{ "null MX and another", "mx.", "mx.null-not-alone a.test",
	    { "a.test MX 0 .", GOOD_MX, NOT_MX } },
	{ "servers and DNS", "mx.", "mx.dns mx.a.test servfail",
	    { "a.test MX 10 mx.a.test", "mx.a.test SERVFAIL", NOT_MX } },
	{ "no address", "mx.", "mx.no-address mx.a.test",
	    { "a.test MX 10 mx.a.test", NOT_MX } },
	{ "an address", "mx.", "mx.is-address 198.51.100.1",
	    { "a.test MX 10 198.51.100.1", NOT_MX } },
	{ "private", "mx.",
	    "mx.private mx.a.test 10.1.2.3; mx.no-reverse mx.a.test 10.1.2.3",
	    { "a.test MX 10 mx.a.test", "mx.a.test A 10.1.2.3", NOT_MX } },
	{ "another name", "mx.",
	    "mx.other-reverse mx.a.test 198.51.100.2; mx.ok 1",
	    { "a.test MX 10 mx.a.test", "mx.a.test A 198.51.100.2",
		"2.100.51.198.in-addr.arpa PTR host.test",
		"host.test A 198.51.100.3", NOT_MX } },
};
/* NOLINTEND(bugprone-suspicious-missing-comma) */

/* "spf.void a:x.test x.test; ..." of one topic. */
static void
write_found(const json_t *model, const char *topic, struct buf *out)
{
	const json_t *finding, *arg;
	size_t i, j;

	json_array_foreach(json_object_get(model, "findings"), i, finding)
	{
		const char *id =
		    json_string_value(json_object_get(finding, "id"));

		if (strncmp(id, topic, strlen(topic)) != 0)
			continue;
		buf_printf(out, "%s%s", out->len > 0 ? "; " : "", id);
		json_array_foreach(json_object_get(finding, "args"), j, arg)
		{
			buf_printf(out, " %s", json_string_value(arg));
		}
	}
}

static json_t *
survey_case(const struct survey_case *c, bool late)
{
	static const struct survey_selector selector = { "s1", ED_KEY };
	struct survey_request request = { .domain = "a.test",
		.selector_count = 1,
		.selectors = &selector,
		.until_ms = clock_mono_ms() + 60000 };
	struct dns *dns = fake_dns_new();
	json_t *model;
	size_t i;

	for (i = 0; i < LINES_MAX && c->zone[i] != NULL; i++)
		fake_dns_line(dns, c->zone[i]);
	if (late)
		fake_dns_delay(dns);
	model = survey_domain(dns, &request);
	dns_close(dns);
	return model;
}

static void
test_findings(void **state)
{
	struct buf found;
	size_t i;
	json_t *model, *again;

	(void)state;
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		buf_init(&found, FOUND_MAX);
		model = survey_case(&cases[i], false);
		write_found(model, cases[i].topic, &found);
		/* "*" stands for the words of other modules. */
		if (fnmatch(cases[i].found, buf_str(&found), 0) != 0)
			case_fail(cases[i].label, "%s", buf_str(&found));
		/* Answers that come late change nothing. */
		again = survey_case(&cases[i], true);
		if (!json_equal(model, again))
			case_fail(cases[i].label, "late answers differ");
		json_decref(again);
		json_decref(model);
		buf_free(&found);
	}
}

/* Names are told apart by pages: each once, and a case for nearly each. */
static void
test_words(void **state)
{
	json_t *words = survey_words();
	const json_t *word, *other;
	size_t i, j;

	(void)state;
	json_array_foreach(words, i, word)
	{
		const char *id = json_string_value(json_object_get(word, "id"));
		const char *level =
		    json_string_value(json_object_get(word, "level"));

		for (j = 0; j < i; j++) {
			other = json_array_get(words, j);
			assert_string_not_equal(id,
			    json_string_value(json_object_get(other, "id")));
		}
		if (strcmp(level, "ok") != 0 && strcmp(level, "note") != 0 &&
		    json_string_length(json_object_get(word, "advice")) == 0)
			case_fail(id, "no advice");
	}
	json_decref(words);
}

static void
test_texts(void **state)
{
	const struct survey_case c = { .zone = { "a.test TXT v=spf1 +all" } };
	json_t *model = survey_case(&c, false);
	const json_t *first =
	    json_array_get(json_object_get(model, "findings"), 0);

	(void)state;
	assert_string_equal(json_string_value(json_object_get(model, "level")),
	    "error");
	assert_string_equal(json_string_value(json_object_get(first, "text")),
	    "The SPF record of a.test ends in +all: every server in the world "
	    "may send as this domain.");
	json_decref(model);
}

/* Only keys that sign are looked for, each once. */
static void
test_own_keys(void **state)
{
	struct survey_selector selectors[SURVEY_SELECTORS_MAX] = {
		{ "s1", NULL },
	};
	char directory[] = "/tmp/sekimori-survey.XXXXXX";
	struct signing_key *key = signing_key_generate(0, NULL);
	struct arena *arena = arena_new(0);
	size_t count = 1;

	(void)state;
	assert_non_null(key);
	assert_non_null(mkdtemp(directory));
	assert_int_equal(keyring_add(directory, "a.test", "s1", key, -1, NULL),
	    0);
	assert_int_equal(keyring_add(directory, "a.test", "s2", key, -1, NULL),
	    0);
	assert_int_equal(keyring_set_state(directory, "a.test", "s1", KEY_NEW,
			     KEY_SIGNS, NULL),
	    0);
	survey_add_own_keys(arena, directory, "a.test", selectors, &count);
	assert_int_equal(count, 1);
	assert_string_equal(selectors[0].name, "s1");
	assert_memory_equal(selectors[0].record, "v=DKIM1; k=ed25519", 18);
	survey_add_own_keys(arena, "/nonexistent", "a.test", selectors, &count);
	assert_int_equal(count, 1);
	assert_int_equal(keyring_remove(directory, "a.test", "s1", KEY_SIGNS,
			     NULL),
	    0);
	assert_int_equal(keyring_remove(directory, "a.test", "s2", KEY_NEW,
			     NULL),
	    0);
	rmdir(directory);
	signing_key_free(key);
	arena_free(arena);
}

/* ---- report_uri ---- */

static void
test_uris(void **state)
{
	static const struct {
		const char *text;
		const char *address; /* NULL: broken */
		uint64_t size;
	} uris[] = {
		{ "mailto:a@b.test", "a@b.test", 0 },
		{ "MAILTO:a@B.test!10m", "a@b.test", 10485760 },
		{ "mailto:a%2Bb@b.test!5", "a+b@b.test", 5 },
		{ "mailto:a@b.test!2G", "a@b.test", 2147483648 },
		{ "mailto:a@b.test?subject=x", "a@b.test", 0 },
		{ "mailto:a@b.test!99999999999999g", "a@b.test", 0 },
		{ "mailto:a@b\xc3\xbc.test", "a@xn--b-eha.test", 0 },
		{ "http://b.test", NULL, 0 },
		{ "mailto:", NULL, 0 },
		{ "mailto:a@[192.0.2.1]", NULL, 0 },
		{ "mailto:a%0d%0aRCPT@b.test", NULL, 0 },
		{ "mailto:a%2@b.test", NULL, 0 },
		{ "mailto:a%", NULL, 0 },
		{ "!", NULL, 0 },
	};
	struct arena *arena = arena_new(0);
	struct report_uri read[REPORT_URIS_MAX];
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(uris); i++) {
		if (report_uris_read(arena, uris[i].text, read) != 1)
			case_fail(uris[i].text, "not one");
		if ((read[0].address == NULL) != (uris[i].address == NULL) ||
		    (read[0].address == NULL) != (read[0].problem != NULL))
			case_fail(uris[i].text, "%s", read[0].problem);
		if (read[0].address == NULL)
			continue;
		if (strcmp(read[0].address, uris[i].address) != 0 ||
		    read[0].size_max != uris[i].size)
			case_fail(uris[i].text, "%s", read[0].address);
	}
	assert_int_equal(report_uris_read(arena, NULL, read), 0);
	assert_int_equal(report_uris_read(arena, " , ,", read), 0);
	assert_int_equal(report_uris_read(arena, "a,b,c,d,e,f,g,h,i,j,k", read),
	    REPORT_URIS_MAX);
	arena_free(arena);
}

static void
test_consent(void **state)
{
	static const struct {
		const char *label, *uri, *record, *address;
		enum report_consent want;
		enum report_tag tag;
	} consents[] = {
		{ "own", "mailto:a@p.test", NULL, "a@p.test", CONSENT_OWN,
		    REPORT_TAG_RUA },
		{ "below", "mailto:a@x.p.test", NULL, "a@x.p.test", CONSENT_OWN,
		    REPORT_TAG_RUA },
		{ "none", "mailto:a@r.test", NULL, "a@r.test", CONSENT_NONE,
		    REPORT_TAG_RUA },
		{ "given", "mailto:a@r.test", "v=DMARC1", "a@r.test",
		    CONSENT_GIVEN, REPORT_TAG_RUA },
		{ "not quite", "mailto:a@r.test", "v=DMARC1x", "a@r.test",
		    CONSENT_NONE, REPORT_TAG_RUA },
		{ "to another", "mailto:a@r.test",
		    "v=DMARC1; rua=mailto:b@r.test", "b@r.test", CONSENT_GIVEN,
		    REPORT_TAG_RUA },
		{ "to a stranger", "mailto:a@r.test",
		    "v=DMARC1; rua=mailto:b@victim.test", "a@r.test",
		    CONSENT_NONE, REPORT_TAG_RUA },
		{ "failures, another", "mailto:a@r.test",
		    "v=DMARC1; rua=mailto:b@r.test; ruf=mailto:f@r.test",
		    "f@r.test", CONSENT_GIVEN, REPORT_TAG_RUF },
		{ "failures, to a stranger", "mailto:a@r.test",
		    "v=DMARC1; ruf=mailto:f@victim.test", "a@r.test",
		    CONSENT_NONE, REPORT_TAG_RUF },
		{ "failures, nothing said of them", "mailto:a@r.test",
		    "v=DMARC1; rua=mailto:b@victim.test", "a@r.test",
		    CONSENT_GIVEN, REPORT_TAG_RUF },
	};
	struct report_uri uris[REPORT_URIS_MAX];
	struct arena *arena = arena_new(0);
	enum report_consent got;
	const char *name;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(consents); i++) {
		struct dns *dns = fake_dns_new();
		struct dns_set *set;

		fake_dns_line(dns, "_dmarc.p.test TXT v=DMARC1; p=none");
		if (consents[i].record != NULL)
			fake_dns_add(dns, "p.test._report._dmarc.r.test",
			    DNS_TXT, bytes_of(consents[i].record));
		fake_dns_delay(dns);
		set = dns_set_new(dns);
		report_uris_read(arena, consents[i].uri, uris);
		do
			got = report_uri_consent(arena, set, "p.test",
			    consents[i].tag, &uris[0], &name);
		while (got == CONSENT_WAIT &&
		    dns_set_wait(set, clock_mono_ms() + 60000) > 0);
		if (got != consents[i].want ||
		    strcmp(uris[0].address, consents[i].address) != 0)
			case_fail(consents[i].label, "%d %s", got,
			    uris[0].address);
		dns_set_free(set);
		dns_close(dns);
	}
	arena_free(arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_findings),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_own_keys),
		cmocka_unit_test(test_uris),
		cmocka_unit_test(test_consent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
