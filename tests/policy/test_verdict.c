/*
 * test_verdict.c - tests of policy/verdict.c, verdict_record.c and exempt.c:
 * what was found, and what is made of it, as rows.
 *
 * What the checks found is written in words:
 *
 *	spf=fail dkim=pass:bank.example dmarc=fail p=reject aligned
 *	arc=pass:list.example ip=192.0.2.9 sender=a@b from=a@b,c@d
 *	seen=9 malformed name=bank.example size=900 limit outbound unchecked
 *	helo=fail iprev=permerror:host.example unfetched explained=60
 *	other=bank.example silent
 *
 * A passing signature is trusted; "untrusted" says it is not.  What is
 * wanted is "class/sub action step [code enhanced]"; reasons are names with
 * their points, "spf.fail=3 dmarc.fail".
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit.h"

#include "base/str.h"
#include "mail/address.h"
#include "mail/message.h"
#include "policy/exempt.h"
#include "policy/settings_build.h"
#include "policy/verdict.h"

#define MAILBOX "me@our.example"
#define FROM_MAX 4

/* Single quotes for double ones, for reading. */
static struct settings *
settings_of(struct arena *arena, const char *text)
{
	char *copy = arena_strdup(arena, text), *p;
	struct settings *settings;
	json_error_t why;
	struct err err;
	json_t *json;

	for (p = copy; *p != '\0'; p++)
		if (*p == '\'')
			*p = '"';
	json = json_loads(copy, 0, &why);
	if (json == NULL)
		fail_msg("%s: %s", text, why.text);
	settings = settings_new_from_json(json, &err);
	json_decref(json);
	if (settings == NULL)
		fail_msg("%s", err.text);
	return settings;
}

/* ---- what was found ---- */

struct found {
	struct arena *arena;
	struct envelope envelope;
	struct message message;
	struct scan scan;
	struct address from[FROM_MAX];
	struct auth_dkim_signature signature;
	const char *other;
	struct auth_arc_set sealed;
	enum direction direction;
	uint64_t size;
};

static enum auth_result
result_of(const char *word)
{
	int i;

	for (i = 0; i < AUTH_RESULT_COUNT; i++)
		if (strcmp(auth_result_name((enum auth_result)i), word) == 0)
			return (enum auth_result)i;
	fail_msg("no result '%s'", word);
	return AUTH_NONE;
}

static struct address
address_of(struct found *found, const char *text)
{
	struct address address;
	struct err err;

	if (address_parse(found->arena, bytes_of(text), &address, &err) < 0)
		fail_msg("%s: %s", text, err.text);
	return address;
}

static void
say_spf(struct found *found, char *value)
{
	struct auth_spf_identity *spf = &found->scan.auth.spf.mailfrom;

	spf->checked = true;
	spf->result = result_of(value);
	spf->domain = found->envelope.sender.domain;
}

/* The part behind the colon, cut off; NULL when there is none. */
static char *
cut(char *value)
{
	char *colon = strchr(value, ':');

	if (colon != NULL)
		*colon++ = '\0';
	return colon;
}

static void
say_dkim(struct found *found, char *value)
{
	struct auth_dkim *dkim = &found->scan.auth.dkim;
	char *domain = cut(value);

	dkim->result = result_of(value);
	dkim->count = 1;
	dkim->signatures = &found->signature;
	found->signature.result = dkim->result;
	found->signature.trusted = dkim->result == AUTH_PASS;
	found->signature.domain = domain != NULL ? domain : "sig.example";
}

static void
say_untrusted(struct found *found, char *value)
{
	(void)value;
	found->signature.trusted = false;
}

static void
say_seen(struct found *found, char *value)
{
	assert_int_equal(parse_u64(bytes_of(value), 0, INT64_MAX,
			     &found->signature.seen),
	    0);
}

static void
say_arc(struct found *found, char *value)
{
	struct auth_arc *arc = &found->scan.auth.arc;

	arc->sealer = cut(value);
	arc->result = result_of(value);
	arc->trusted = arc->result == AUTH_PASS;
	arc->count = 1;
	found->sealed.sealer = arc->sealer;
	found->sealed.results =
	    bytes_of(" list.example; dmarc=pass header.from=author.example");
	if (arc->result == AUTH_PASS)
		arc->sets = &found->sealed;
}

/* The sealer says nothing of the author. */
static void
say_silent(struct found *found, char *value)
{
	(void)value;
	found->sealed.results = bytes_of(" list.example; none");
}

static void
say_dmarc(struct found *found, char *value)
{
	found->scan.auth.dmarc.result = result_of(value);
}

static void
say_policy(struct found *found, char *value)
{
	static const char *const words[] = { "none", "quarantine", "reject" };
	size_t i;

	for (i = 0; i < ARRAY_LEN(words); i++)
		if (strcmp(words[i], value) == 0)
			found->scan.auth.dmarc.policy = (enum dmarc_policy)i;
}

static void
say_aligned(struct found *found, char *value)
{
	(void)value;
	found->scan.auth.dmarc.dkim_aligned = true;
}

static void
say_malformed(struct found *found, char *value)
{
	(void)value;
	found->scan.auth.dmarc.malformed = true;
}

static void
say_name(struct found *found, char *value)
{
	found->scan.auth.dmarc.name_domain = value;
}

static void
say_from(struct found *found, char *value)
{
	struct auth_dmarc *dmarc = &found->scan.auth.dmarc;
	char *next;

	dmarc->from_count = 0;
	for (; value != NULL; value = next) {
		next = strchr(value, ',');
		if (next != NULL)
			*next++ = '\0';
		found->from[dmarc->from_count++] = address_of(found, value);
	}
	dmarc->from_domain = found->from[0].domain;
}

static void
say_sender(struct found *found, char *value)
{
	found->envelope.sender = address_of(found, value);
	found->scan.auth.spf.mailfrom.domain = found->envelope.sender.domain;
}

static void
say_helo(struct found *found, char *value)
{
	struct auth_spf_identity *helo = &found->scan.auth.spf.helo;

	helo->checked = true;
	helo->result = result_of(value);
	helo->domain = "helo.example";
}

static void
say_iprev(struct found *found, char *value)
{
	found->scan.auth.iprev.name = cut(value);
	found->scan.auth.iprev.result = result_of(value);
}

/* The domain of a Sender beside the author. */
static void
say_other(struct found *found, char *value)
{
	found->other = value;
	found->scan.auth.dmarc.other_count = 1;
	found->scan.auth.dmarc.others = &found->other;
}

/* No policy record could be had. */
static void
say_unfetched(struct found *found, char *value)
{
	(void)value;
	found->scan.auth.dmarc.policy_domain = NULL;
	found->scan.auth.dmarc.problem = "_dmarc: DNS says timeout";
}

/* An explanation of that many octets. */
static void
say_explained(struct found *found, char *value)
{
	uint64_t len;
	char *text;

	assert_int_equal(parse_u64(bytes_of(value), 1, 10000, &len), 0);
	text = arena_alloc(found->arena, len + 1);
	memset(text, 'x', len);
	text[len] = '\0';
	found->scan.auth.spf.mailfrom.explanation = text;
}

static void
say_ip(struct found *found, char *value)
{
	assert_int_equal(ip_parse(bytes_of(value), &found->envelope.client.ip),
	    0);
}

static void
say_size(struct found *found, char *value)
{
	assert_int_equal(parse_u64(bytes_of(value), 0, INT64_MAX, &found->size),
	    0);
}

static void
say_limit(struct found *found, char *value)
{
	(void)value;
	found->message.limit = "header-count";
}

static void
say_outbound(struct found *found, char *value)
{
	(void)value;
	found->direction = DIRECTION_OUTBOUND;
	found->scan.inbound_checks = false;
}

static void
say_unchecked(struct found *found, char *value)
{
	(void)value;
	found->scan.inbound_checks = false;
}

static const struct {
	const char *word;
	void (*say)(struct found *found, char *value);
} words[] = {
	{ "spf", say_spf },
	{ "dkim", say_dkim },
	{ "untrusted", say_untrusted },
	{ "seen", say_seen },
	{ "arc", say_arc },
	{ "silent", say_silent },
	{ "dmarc", say_dmarc },
	{ "p", say_policy },
	{ "aligned", say_aligned },
	{ "malformed", say_malformed },
	{ "name", say_name },
	{ "from", say_from },
	{ "sender", say_sender },
	{ "helo", say_helo },
	{ "iprev", say_iprev },
	{ "other", say_other },
	{ "unfetched", say_unfetched },
	{ "explained", say_explained },
	{ "ip", say_ip },
	{ "size", say_size },
	{ "limit", say_limit },
	{ "outbound", say_outbound },
	{ "unchecked", say_unchecked },
};

static void
say(struct found *found, char *word)
{
	char *value = strchr(word, '=');
	size_t i;

	if (value != NULL)
		*value++ = '\0';
	for (i = 0; i < ARRAY_LEN(words); i++)
		if (strcmp(words[i].word, word) == 0) {
			words[i].say(found, value);
			return;
		}
	fail_msg("no word '%s'", word);
}

static struct found *
found_new(struct arena *arena, const struct settings *settings,
    const char *text)
{
	struct found *found = arena_calloc(arena, 1, sizeof(*found));
	char *copy = arena_strdup(arena, text), *word, *rest = NULL;

	found->arena = arena;
	found->size = 1000;
	found->envelope.id = "01TESTTESTTESTTESTTESTTEST";
	found->envelope.sender = address_of(found, "a@sender.example");
	found->envelope.client =
	    (struct envelope_client){ { IP_NONE, { 0 } }, "", "", "", "", "" };
	found->scan.arena = arena;
	found->scan.envelope = &found->envelope;
	found->scan.message = &found->message;
	found->scan.settings = settings;
	found->scan.inbound_checks = true;
	found->scan.auth.dmarc.policy_domain = "author.example";
	found->scan.auth.dmarc.from = found->from;
	say_ip(found, arena_strdup(arena, "198.51.100.1"));
	say_from(found, arena_strdup(arena, "a@author.example"));
	for (word = strtok_r(copy, " ", &rest); word != NULL;
	     word = strtok_r(NULL, " ", &rest))
		say(found, word);
	return found;
}

/* ---- what is made of it ---- */

static const char *
verdict_text(struct arena *arena, const struct verdict *verdict)
{
	const char *text = arena_printf(arena, "%s%s%s %s %s",
	    main_class_name(verdict->main_class),
	    verdict->sub != SUB_NONE ? "/" : "", sub_class_name(verdict->sub),
	    action_name(verdict->action), verdict->decided_by);

	if (verdict->code == NULL)
		return text;
	return arena_printf(arena, "%s %s %s", text, verdict->code,
	    verdict->enhanced);
}

static const char *
reasons_text(struct arena *arena, const struct verdict *verdict)
{
	char points[SCORE_TEXT_SIZE];
	const char *text = "";
	size_t i;

	for (i = 0; i < verdict->reason_count; i++) {
		score_format(verdict->reasons[i].points, points);
		text = arena_printf(arena, "%s%s%s%s%s", text, i > 0 ? " " : "",
		    verdict->reasons[i].name,
		    verdict->reasons[i].points != 0 ? "=" : "",
		    verdict->reasons[i].points != 0 ? points : "");
	}
	return text;
}

struct verdict_case {
	const char *label;
	const char *settings; /* options of our.example, or a whole object
			       * of objects when it begins with a brace */
	const char *found;
	const char *want, *reasons;
};

static const char *
settings_text(struct arena *arena, const char *text)
{
	if (text[0] == '{')
		return text;
	return arena_printf(arena, "{'domain:our.example': {'made': {}%s%s}}",
	    text[0] != '\0' ? ", " : "", text);
}

static void
run(const struct verdict_case *cases, size_t n)
{
	const struct verdict *verdict;
	struct settings *settings;
	const struct found *found;
	struct arena *arena;
	size_t i;

	for (i = 0; i < n; i++) {
		arena = arena_new(0);
		settings =
		    settings_of(arena, settings_text(arena, cases[i].settings));
		found = found_new(arena, settings, cases[i].found);
		verdict = verdict_make(arena, &found->scan, MAILBOX,
		    found->direction, found->size);
		if (strcmp(verdict_text(arena, verdict), cases[i].want) != 0)
			case_fail(cases[i].label, "got '%s'\nwanted '%s'",
			    verdict_text(arena, verdict), cases[i].want);
		if (strcmp(reasons_text(arena, verdict), cases[i].reasons) != 0)
			case_fail(cases[i].label, "reasons '%s'\nwanted '%s'",
			    reasons_text(arena, verdict), cases[i].reasons);
		settings_unref(settings);
		arena_free(arena);
	}
}

#define RUN(cases) run(cases, ARRAY_LEN(cases))

static void
test_score(void **state)
{
	static const struct verdict_case cases[] = {
		{ "nothing found", "", "", "not-spam accept score", "" },
		{ "all passed", "", "spf=pass dkim=pass dmarc=pass aligned",
		    "not-spam accept score", "" },
		{ "softfail", "", "spf=softfail", "not-spam accept score",
		    "spf.softfail=1" },
		{ "permerror", "", "spf=permerror", "not-spam accept score",
		    "spf.permerror=0.5" },
		{ "temperrors cost nothing", "",
		    "spf=temperror dkim=temperror dmarc=temperror p=none",
		    "not-spam accept score",
		    "dmarc.temperror spf.temperror dkim.temperror" },
		{ "neutral and none", "", "spf=neutral dkim=none dmarc=none",
		    "not-spam accept score", "" },
		{ "fail is unsure", "", "spf=fail", "unsure/spf tag score",
		    "spf.fail=3" },
		{ "most of the score names it",
		    "'option:dkim_fail_points': '9'", "spf=fail dkim=fail",
		    "spam/dkim quarantine score", "spf.fail=3 dkim.fail=9" },
		{ "spam from 5 on", "", "spf=fail dkim=fail dmarc=fail p=none",
		    "unsure/spf tag score",
		    "dmarc.fail=1 spf.fail=3 dkim.fail=0.5" },
		{ "just spam",
		    "'option:spam_points': '4.5', 'option:spam_action': "
		    "'reject'",
		    "spf=fail dkim=fail dmarc=fail p=none",
		    "spam/spf reject score 550 5.7.1",
		    "dmarc.fail=1 spf.fail=3 dkim.fail=0.5" },
		{ "just not spam", "'option:spam_points': '4.501'",
		    "spf=fail dkim=fail dmarc=fail p=none",
		    "unsure/spf tag score",
		    "dmarc.fail=1 spf.fail=3 dkim.fail=0.5" },
		{ "unsure may be deferred", "'option:unsure_action': 'defer'",
		    "spf=fail", "unsure/spf defer score 451 4.7.1",
		    "spf.fail=3" },
		{ "DMARC passed: the rest is forwarding", "",
		    "spf=fail dkim=pass dmarc=pass aligned",
		    "not-spam accept score", "spf.fail" },
		{ "DMARC off: its pass lifts nothing", "'option:dmarc': 'no'",
		    "spf=fail dkim=pass dmarc=pass", "unsure/spf tag score",
		    "spf.fail=3" },
	};

	(void)state;
	RUN(cases);
}

static void
test_checks(void **state)
{
	static const struct verdict_case cases[] = {
		{ "spf off", "'option:spf': 'no'", "spf=fail",
		    "not-spam accept score", "" },
		{ "spf fail held", "'option:spf_fail': 'quarantine'",
		    "spf=fail", "phish/spf quarantine spf", "spf.fail=3" },
		{ "spf fail refused", "'option:spf_fail': 'reject'", "spf=fail",
		    "phish/spf reject spf 550 5.7.23", "spf.fail=3" },
		{ "spf fail decides, softfail does not",
		    "'option:spf_fail': 'reject'", "spf=softfail",
		    "not-spam accept score", "spf.softfail=1" },
		{ "DMARC is asked before SPF", "'option:spf_fail': 'reject'",
		    "spf=fail dmarc=fail p=quarantine",
		    "phish/dmarc quarantine dmarc", "dmarc.fail" },
		{ "dkim off", "'option:dkim': 'no'", "dkim=fail",
		    "not-spam accept score", "" },
		{ "dkim fail held", "'option:dkim_fail': 'quarantine'",
		    "dkim=fail", "phish/dkim quarantine dkim",
		    "dkim.fail=0.5" },
		{ "dkim fail refused", "'option:dkim_fail': 'reject'",
		    "dkim=permerror", "phish/dkim reject dkim 550 5.7.20",
		    "dkim.fail=0.5" },
		{ "not signed is no failure", "'option:dkim_fail': 'reject'",
		    "dkim=none", "not-spam accept score", "" },
		{ "a signature that is not trusted",
		    "'option:dkim_fail': 'reject'", "dkim=pass untrusted",
		    "phish/dkim reject dkim 550 5.7.20", "dkim.fail=0.5" },
		{ "which a pass of DMARC makes good",
		    "'option:spf_temperror': 'defer', "
		    "'option:dkim_temperror': 'defer'",
		    "spf=temperror dkim=temperror dmarc=pass aligned",
		    "not-spam accept score", "spf.temperror dkim.temperror" },
		{ "spf temperror deferred", "'option:spf_temperror': 'defer'",
		    "spf=temperror", "unknown/spf defer spf 451 4.7.24",
		    "spf.temperror" },
		{ "dkim temperror deferred", "'option:dkim_temperror': 'defer'",
		    "dkim=temperror", "unknown/dkim defer dkim 451 4.7.5",
		    "dkim.temperror" },
		{ "not for who is exempt",
		    "'option:dkim_temperror': 'defer', "
		    "'option:dkim_exempt': '198.51.100.1'",
		    "dkim=temperror", "not-spam accept score", "dkim.exempt" },
		{ "HELO and name cost nothing by themselves", "",
		    "helo=fail iprev=fail", "not-spam accept score", "" },
		{ "HELO fail, with points", "'option:helo_fail_points': '3'",
		    "helo=fail dmarc=pass aligned", "unsure/client tag score",
		    "helo.fail=3" },
		{ "HELO softfail is none", "'option:helo_fail_points': '3'",
		    "helo=softfail", "not-spam accept score", "" },
		{ "no name", "'option:iprev_fail_points': '3'",
		    "iprev=permerror", "unsure/client tag score",
		    "iprev.fail=3" },
		{ "a name that leads elsewhere",
		    "'option:iprev_fail_points': '3'", "iprev=fail",
		    "unsure/client tag score", "iprev.fail=3" },
		{ "a name that cannot be asked",
		    "'option:iprev_fail_points': '3'", "iprev=temperror",
		    "not-spam accept score", "" },
		{ "a client that may",
		    "'option:iprev_fail_points': '3', "
		    "'option:helo_fail_points': '3', "
		    "'option:client_exempt': '198.51.100.0/24'",
		    "iprev=fail helo=fail", "not-spam accept score",
		    "client.exempt" },
		{ "seen often", "", "dkim=pass seen=100",
		    "not-spam accept score", "dkim.replay" },
		{ "not so often", "", "dkim=pass seen=99",
		    "not-spam accept score", "" },
		{ "seen often, with points",
		    "'option:replay_max': '10', 'option:replay_points': '6'",
		    "dkim=pass dmarc=pass seen=11",
		    "spam/dkim quarantine score", "dkim.replay=6" },
		{ "nobody asks how often", "'option:replay_max': '0'",
		    "dkim=pass seen=1000", "not-spam accept score", "" },
		{ "an address in the name", "",
		    "dmarc=pass aligned name=bank.example",
		    "unsure/content tag score", "from.name-address=3" },
		{ "which may be worth nothing",
		    "'option:name_address_points': '0'",
		    "dmarc=pass name=bank.example", "not-spam accept score",
		    "" },
		{ "another sender that nothing proves", "",
		    "spf=pass dkim=pass dmarc=pass aligned other=bank.example",
		    "unsure/content tag score", "from.other-sender=3" },
		{ "a mailing list, by its SPF", "",
		    "sender=bounces@list.example spf=pass other=list.example",
		    "not-spam accept score", "" },
		{ "which failed", "'option:spf_fail_points': '0'",
		    "sender=bounces@list.example spf=fail other=list.example",
		    "unsure/content tag score",
		    "spf.fail from.other-sender=3" },
		{ "a mailing list, by its signature", "",
		    "dkim=pass:mail.list.example other=list.example",
		    "not-spam accept score", "" },
		{ "which does not count", "",
		    "dkim=pass:list.example untrusted other=list.example",
		    "unsure/content tag score",
		    "dkim.fail=0.5 from.other-sender=3" },
		{ "a mailing list, by the name of its server", "",
		    "iprev=pass:mx.list.example other=list.example",
		    "not-spam accept score", "" },
		{ "which leads elsewhere", "",
		    "iprev=fail:mx.list.example other=list.example",
		    "unsure/content tag score", "from.other-sender=3" },
		{ "another sender may be worth nothing",
		    "'option:other_sender_points': '0'", "other=bank.example",
		    "not-spam accept score", "" },
		{ "filter off", "'option:filter': 'no'",
		    "spf=fail dmarc=fail p=reject",
		    "not-spam/filter-off accept filter-off", "filter.off" },
		{ "outbound", "", "outbound spf=fail dmarc=fail p=reject",
		    "not-spam accept outbound", "" },
		{ "no sender authentication asked for", "", "unchecked",
		    "not-spam accept score", "" },
	};

	(void)state;
	RUN(cases);
}

/* The words of the sender's domain, in a line that SMTP can carry. */
static void
test_explanation(void **state)
{
	static const struct {
		const char *label, *found, *want;
	} cases[] = {
		{ "none", "spf=fail", "Refused: SPF validation failed" },
		{ "short", "spf=fail explained=3",
		    "Refused: SPF validation failed; sender.example says: "
		    "xxx" },
		{ "long", "spf=fail explained=10000", "xxx..." },
		{ "of a name that leaves no room",
		    "sender=a@aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa."
		    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa."
		    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa."
		    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.example "
		    "spf=fail explained=10000",
		    "xxx..." },
	};
	struct arena *arena = arena_new(0);
	struct settings *settings = settings_of(arena,
	    "{'domain:our.example': {'made': {}, 'option:spf_fail': "
	    "'reject'}}");
	const struct verdict *verdict;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		verdict = verdict_make(arena,
		    &found_new(arena, settings, cases[i].found)->scan, MAILBOX,
		    DIRECTION_INBOUND, 9);
		if (strlen(verdict->reply) > 480 ||
		    strlen(verdict->reply) < strlen(cases[i].want) ||
		    strcmp(verdict->reply + strlen(verdict->reply) -
			    strlen(cases[i].want),
			cases[i].want) != 0)
			case_fail(cases[i].label, "'%s'", verdict->reply);
	}
	settings_unref(settings);
	arena_free(arena);
}

static void
test_dmarc(void **state)
{
	static const struct verdict_case cases[] = {
		{ "p=none", "", "dmarc=fail p=none", "not-spam accept score",
		    "dmarc.fail=1" },
		{ "p=quarantine", "", "dmarc=fail p=quarantine",
		    "phish/dmarc quarantine dmarc", "dmarc.fail" },
		{ "p=quarantine, tag", "'option:dmarc_quarantine': 'tag'",
		    "dmarc=fail p=quarantine", "phish/dmarc tag dmarc",
		    "dmarc.fail" },
		{ "p=reject alone is held", "", "dmarc=fail p=reject",
		    "phish/dmarc quarantine dmarc", "dmarc.fail" },
		{ "p=reject, SPF agrees", "", "spf=fail dmarc=fail p=reject",
		    "phish/dmarc reject dmarc 550 5.7.1", "dmarc.fail" },
		{ "p=reject, SPF softfail does not", "",
		    "spf=softfail dmarc=fail p=reject",
		    "phish/dmarc quarantine dmarc", "dmarc.fail" },
		{ "p=reject, SPF agrees, a list signed", "",
		    "spf=fail dkim=pass:list.example dmarc=fail p=reject",
		    "phish/dmarc quarantine dmarc", "dmarc.fail" },
		{ "p=reject, SPF agrees, ARC passed", "",
		    "spf=fail arc=pass:list.example dmarc=fail p=reject",
		    "phish/dmarc quarantine dmarc", "dmarc.fail" },
		{ "always", "'option:dmarc_reject': 'always'",
		    "dmarc=fail p=reject", "phish/dmarc reject dmarc 550 5.7.1",
		    "dmarc.fail" },
		{ "always is of p=reject only",
		    "'option:dmarc_reject': 'always'",
		    "dmarc=fail p=quarantine", "phish/dmarc quarantine dmarc",
		    "dmarc.fail" },
		{ "never", "'option:dmarc_reject': 'never'",
		    "spf=fail dmarc=fail p=reject",
		    "phish/dmarc quarantine dmarc", "dmarc.fail" },
		{ "off", "'option:dmarc': 'no'", "dmarc=fail p=reject",
		    "not-spam accept score", "" },
		{ "temperror under p=reject is judged", "",
		    "dmarc=temperror p=reject", "not-spam accept score",
		    "dmarc.temperror" },
		{ "or deferred", "'option:dmarc_temperror': 'defer'",
		    "dmarc=temperror p=reject",
		    "unknown/dmarc defer dmarc 451 4.7.1", "dmarc.temperror" },
		{ "not under p=quarantine", "'option:dmarc_temperror': 'defer'",
		    "dmarc=temperror p=quarantine", "not-spam accept score",
		    "dmarc.temperror" },
		{ "a policy that cannot be fetched is judged, too", "",
		    "dmarc=temperror unfetched", "not-spam accept score",
		    "dmarc.temperror" },
		{ "or deferred, as it may be p=reject",
		    "'option:dmarc_temperror': 'defer'",
		    "dmarc=temperror unfetched",
		    "unknown/dmarc defer dmarc 451 4.7.1", "dmarc.temperror" },
		{ "not when the author is proved, whatever it is",
		    "'option:dmarc_temperror': 'defer'",
		    "dkim=pass:author.example dmarc=temperror unfetched",
		    "not-spam accept score", "dmarc.temperror" },
		{ "or by SPF", "'option:dmarc_temperror': 'defer'",
		    "sender=x@author.example spf=pass dmarc=temperror "
		    "unfetched",
		    "not-spam accept score", "dmarc.temperror" },
		{ "but not by a signature that is not trusted",
		    "'option:dmarc_temperror': 'defer'",
		    "dkim=pass:author.example untrusted dmarc=temperror "
		    "unfetched",
		    "unknown/dmarc defer dmarc 451 4.7.1", "dmarc.temperror" },
		{ "never refused",
		    "'option:dmarc_temperror': 'defer', "
		    "'option:dmarc_reject': 'always', "
		    "'option:spf_fail': 'reject'",
		    "spf=temperror dkim=temperror dmarc=temperror unfetched",
		    "unknown/dmarc defer dmarc 451 4.7.1", "dmarc.temperror" },
		{ "permerror is no failure", "'option:dmarc_reject': 'always'",
		    "dmarc=permerror p=reject", "not-spam accept score", "" },
		{ "ARC, trusted", "'option:arc_trusted': 'list.example'",
		    "arc=pass:list.example dmarc=fail p=reject",
		    "not-spam accept score", "dmarc.lifted-by-arc" },
		{ "ARC, trusted, who proved one author of two",
		    "'option:arc_trusted': 'list.example'",
		    "from=a@author.example,b@bank.example "
		    "arc=pass:list.example dmarc=fail p=reject",
		    "phish/dmarc quarantine dmarc", "arc.silent dmarc.fail" },
		{ "ARC, trusted, who found nothing",
		    "'option:arc_trusted': 'list.example'",
		    "arc=pass:list.example silent dmarc=fail p=reject",
		    "phish/dmarc quarantine dmarc", "arc.silent dmarc.fail" },
		{ "ARC, another one trusted",
		    "'option:arc_trusted': 'other.example'",
		    "arc=pass:list.example dmarc=fail p=reject",
		    "phish/dmarc quarantine dmarc", "dmarc.fail" },
		{ "ARC, trusted and broken",
		    "'option:arc_trusted': 'list.example'",
		    "arc=fail:list.example dmarc=fail p=reject",
		    "phish/dmarc quarantine dmarc", "dmarc.fail" },
		{ "no readable From", "", "malformed",
		    "blacklisted/malformed reject limits 550 5.6.0",
		    "from.malformed" },
		{ "held, if wanted", "'option:malformed_from': 'quarantine'",
		    "malformed", "blacklisted/malformed quarantine limits",
		    "from.malformed" },
		{ "let pass, if wanted", "'option:malformed_from': 'accept'",
		    "malformed dmarc=none", "not-spam accept score", "" },
		{ "not when nothing was checked", "", "malformed unchecked",
		    "not-spam accept score", "" },
	};

	(void)state;
	RUN(cases);
}

static void
test_exempt(void **state)
{
	static const struct verdict_case cases[] = {
		{ "dmarc, the author's domain",
		    "'option:dmarc_exempt': 'author.example'",
		    "dmarc=fail p=reject", "not-spam accept score",
		    "dmarc.exempt" },
		{ "dmarc, one author of two",
		    "'option:dmarc_exempt': 'author.example'",
		    "from=a@author.example,b@bank.example dmarc=fail p=reject",
		    "phish/dmarc quarantine dmarc", "dmarc.fail" },
		{ "dmarc, two authors of one domain",
		    "'option:dmarc_exempt': 'author.example'",
		    "from=a@author.example,b@author.example dmarc=fail "
		    "p=reject",
		    "not-spam accept score", "dmarc.exempt" },
		{ "dmarc, a client",
		    "'option:dmarc_exempt': 'x.example 198.51.100.0/24'",
		    "spf=fail dmarc=fail p=reject", "unsure/spf tag score",
		    "dmarc.exempt spf.fail=3" },
		{ "dmarc, somebody else",
		    "'option:dmarc_exempt': 'x.example 198.51.101.0/24'",
		    "dmarc=fail p=reject", "phish/dmarc quarantine dmarc",
		    "dmarc.fail" },
		{ "dmarc, no longer deferred",
		    "'option:dmarc_temperror': 'defer', "
		    "'option:dmarc_exempt': '198.51.100.1'",
		    "dmarc=temperror p=reject", "not-spam accept score",
		    "dmarc.exempt" },
		{ "nothing failed, nothing is told",
		    "'option:dmarc_exempt': 'author.example'", "dmarc=pass",
		    "not-spam accept score", "" },
		{ "spf, the sender's domain",
		    "'option:spf_exempt': '.sender.example'", "spf=fail",
		    "not-spam accept score", "spf.exempt" },
		{ "spf, not the author's",
		    "'option:spf_exempt': 'author.example'", "spf=softfail",
		    "not-spam accept score", "spf.softfail=1" },
		{ "dkim, a client", "'option:dkim_exempt': '198.51.100.1'",
		    "dkim=fail", "not-spam accept score", "dkim.exempt" },
	};

	(void)state;
	RUN(cases);
}

static void
test_limits(void **state)
{
	static const struct verdict_case cases[] = {
		{ "as large as allowed", "'option:size_max': '1k'", "size=1024",
		    "not-spam accept score", "" },
		{ "larger", "'option:size_max': '1k'", "size=1025",
		    "blacklisted/size reject limits 552 5.3.4", "limits.size" },
		{ "larger, held",
		    "'option:size_max': '1k', 'option:size_action': "
		    "'quarantine'",
		    "size=1025", "blacklisted/size quarantine limits",
		    "limits.size" },
		{ "the size holds without filter, too",
		    "'option:size_max': '1k', 'option:filter': 'no'",
		    "size=1025", "blacklisted/size reject limits 552 5.3.4",
		    "limits.size" },
		{ "a limit of the parser", "", "limit",
		    "blacklisted/limits reject limits 550 5.6.0",
		    "limits.message" },
		{ "an allow row lifts no limit",
		    "'option:size_max': '1k', "
		    "'list:sender:allow:@sender.example': {}",
		    "size=1025 spf=pass",
		    "blacklisted/size reject limits 552 5.3.4", "limits.size" },
	};

	(void)state;
	RUN(cases);
}

static void
test_lists(void **state)
{
	static const struct verdict_case cases[] = {
		{ "blocked", "'list:sender:block:@sender.example': {}",
		    "spf=pass dmarc=pass",
		    "blacklisted/sender-list quarantine list", "list.block" },
		{ "blocked, with its own action",
		    "'list:sender:block:@sender.example': {'action': "
		    "'reject'}",
		    "", "blacklisted/sender-list reject list 550 5.7.1",
		    "list.block" },
		{ "the From address is blocked",
		    "'list:sender:block:@author.example': {}", "",
		    "blacklisted/sender-list quarantine list", "list.block" },
		{ "any of several authors",
		    "'list:sender:block:@evil.example': {}",
		    "from=a@author.example,b@evil.example",
		    "blacklisted/sender-list quarantine list", "list.block" },
		{ "the client", "'list:client:block:198.51.100.0/24': {}", "",
		    "blacklisted/client-list quarantine list", "list.block" },
		{ "the recipient", "'list:recipient:block:" MAILBOX "': {}", "",
		    "blacklisted/recipient-list quarantine list",
		    "list.block" },
		{ "lists go before authentication",
		    "'list:sender:block:@sender.example': {'action': 'tag'}",
		    "dmarc=fail p=reject spf=fail",
		    "blacklisted/sender-list tag list", "list.block" },
		{ "allowed by SPF", "'list:sender:allow:@sender.example': {}",
		    "spf=pass dkim=fail", "whitelisted/sender-list accept list",
		    "list.allow" },
		{ "allowed by a signature in its name",
		    "'list:sender:allow:@sender.example': {}",
		    "spf=fail dkim=pass:sender.example",
		    "whitelisted/sender-list accept list", "list.allow" },
		{ "not by somebody's signature",
		    "'list:sender:allow:@sender.example': {}",
		    "spf=fail dkim=pass:sig.example", "unsure/spf tag score",
		    "list.allow-not-counted spf.fail=3" },
		{ "forged", "'list:sender:allow:@sender.example': {}",
		    "spf=none", "not-spam accept score",
		    "list.allow-not-counted" },
		{ "the author, aligned",
		    "'list:sender:allow:@author.example': {}",
		    "spf=fail dmarc=pass aligned",
		    "whitelisted/sender-list accept list", "list.allow" },
		{ "the author, forged",
		    "'list:sender:allow:@author.example': {}",
		    "dmarc=fail p=none", "not-spam accept score",
		    "list.allow-not-counted dmarc.fail=1" },
		{ "the author, by a signature of his domain",
		    "'list:sender:allow:@author.example': {}",
		    "dkim=pass:author.example dmarc=none",
		    "whitelisted/sender-list accept list", "list.allow" },
		{ "an author beside the one who signed",
		    "'list:sender:allow:@author.example': {}",
		    "from=x@evil.example,a@author.example "
		    "dkim=pass:evil.example dmarc=none",
		    "not-spam accept score", "list.allow-not-counted" },
		{ "several authors, all aligned",
		    "'list:sender:allow:@author.example': {}",
		    "from=x@other.example,a@author.example "
		    "dkim=pass:other.example dmarc=pass aligned",
		    "whitelisted/sender-list accept list", "list.allow" },
		{ "the author of a malformed From",
		    "'list:sender:allow:@author.example': {}, "
		    "'option:malformed_from': 'accept'",
		    "malformed aligned", "not-spam accept score",
		    "list.allow-not-counted" },
		{ "forged, but so it was wanted",
		    "'list:sender:allow:@sender.example': "
		    "{'unauthenticated': true}",
		    "spf=fail", "whitelisted/sender-list accept list",
		    "list.allow" },
		{ "the client is allowed",
		    "'list:client:allow:198.51.100.1': {}", "spf=fail",
		    "whitelisted/client-list accept list", "list.allow" },
		{ "an allow row does not lift DMARC",
		    "'list:client:allow:198.51.100.1': {}",
		    "dmarc=fail p=reject spf=fail",
		    "phish/dmarc reject dmarc 550 5.7.1",
		    "list.allow dmarc.fail" },
		{ "but where it says so",
		    "'list:client:allow:198.51.100.1': {'lifts_dmarc': true}",
		    "dmarc=fail p=reject spf=fail",
		    "whitelisted/client-list accept list",
		    "list.allow dmarc.lifted-by-list" },
		{ "nor a broken DNS under defer",
		    "'list:client:allow:198.51.100.1': {}, "
		    "'option:dmarc_temperror': 'defer'",
		    "dmarc=temperror p=reject",
		    "whitelisted/client-list accept list",
		    "list.allow dmarc.temperror" },
		{ "mailbox before domain",
		    "{'domain:our.example': {'made': {}, "
		    "'list:sender:block:a@sender.example': {}}, "
		    "'mailbox:" MAILBOX "': "
		    "{'list:sender:allow:.sender.example': {}}}",
		    "spf=pass", "whitelisted/sender-list accept list",
		    "list.allow" },
		{ "domain before system",
		    "{'system': {'list:sender:allow:a@sender.example': {}}, "
		    "'domain:our.example': {'made': {}, "
		    "'list:sender:block:.example': {}}}",
		    "spf=pass", "blacklisted/sender-list quarantine list",
		    "list.block" },
		{ "on one level block wins, whatever side",
		    "'list:client:allow:198.51.100.1': {}, "
		    "'list:sender:block:.example': {}",
		    "", "blacklisted/sender-list quarantine list",
		    "list.block" },
		{ "a forged allow of the mailbox lifts no block of the domain",
		    "{'domain:our.example': {'made': {}, "
		    "'list:sender:block:@sender.example': {}}, "
		    "'mailbox:" MAILBOX "': "
		    "{'list:sender:allow:a@sender.example': {}}}",
		    "spf=fail", "blacklisted/sender-list quarantine list",
		    "list.allow-not-counted list.block" },
		{ "the null sender has no row of a domain",
		    "'list:sender:block:.example': {}",
		    "sender=<> from=a@author.test", "not-spam accept score",
		    "" },
	};

	(void)state;
	RUN(cases);
}

/* ---- at RCPT ---- */

static void
test_at_rcpt(void **state)
{
	static const struct {
		const char *label, *settings, *found, *want;
		uint64_t declared;
	} cases[] = {
		{ "nothing", "", "", "not-spam accept ", 0 },
		{ "locked", "'option:locked': 'yes'", "",
		    "locked reject locked 550 5.2.1", 0 },
		{ "declared too large", "'option:size_max': '1k'", "",
		    "blacklisted/size reject limits 552 5.3.4", 1025 },
		{ "to be held: not here",
		    "'option:size_max': '1k', 'option:size_action': "
		    "'quarantine'",
		    "", "not-spam accept ", 1025 },
		{ "blocked, held: not here",
		    "'list:client:block:198.51.100.1': {}", "",
		    "not-spam accept ", 0 },
		{ "blocked, refused",
		    "'list:client:block:198.51.100.1': {'action': 'reject'}",
		    "", "blacklisted/client-list reject list 550 5.7.1", 0 },
		{ "blocked, deferred",
		    "'list:sender:block:@sender.example': {'action': "
		    "'defer'}",
		    "", "blacklisted/sender-list defer list 451 4.7.1", 0 },
		{ "blocked by the domain's action",
		    "'option:block_action': 'reject', "
		    "'list:sender:block:@sender.example': {}",
		    "", "blacklisted/sender-list reject list 550 5.7.1", 0 },
		{ "a nearer allow row may count at the end",
		    "{'domain:our.example': {'made': {}, "
		    "'list:sender:block:.example': {'action': 'reject'}}, "
		    "'mailbox:" MAILBOX "': "
		    "{'list:sender:allow:a@sender.example': {}}}",
		    "", "not-spam accept ", 0 },
		{ "no filter, no lists",
		    "'option:filter': 'no', "
		    "'list:client:block:198.51.100.1': {'action': 'reject'}",
		    "", "not-spam accept ", 0 },
	};
	const struct verdict *verdict;
	struct settings *settings;
	struct found *found;
	struct arena *arena;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		arena = arena_new(0);
		settings =
		    settings_of(arena, settings_text(arena, cases[i].settings));
		found = found_new(arena, settings, cases[i].found);
		found->envelope.declared_size = cases[i].declared;
		verdict =
		    verdict_at_rcpt(arena, &found->envelope, settings, MAILBOX);
		if (strcmp(verdict_text(arena, verdict), cases[i].want) != 0)
			case_fail(cases[i].label, "got '%s'",
			    verdict_text(arena, verdict));
		settings_unref(settings);
		arena_free(arena);
	}
}

/* ---- without a scan ---- */

static void
test_plain(void **state)
{
	struct arena *arena = arena_new(0);
	const struct verdict *verdict;

	(void)state;
	verdict = verdict_plain(arena, CLASS_UNKNOWN, SUB_UNKNOWN_USER, "x@y",
	    ACTION_REJECT);
	assert_string_equal(verdict_text(arena, verdict),
	    "unknown/unknown-user reject system 550 5.1.1");
	assert_string_equal(verdict->extra, "x@y");
	verdict =
	    verdict_plain(arena, CLASS_ERROR, SUB_INTERNAL, "", ACTION_DEFER);
	assert_string_equal(verdict_text(arena, verdict),
	    "error/internal defer system 451 4.7.1");
	arena_free(arena);
}

static void
test_score_format(void **state)
{
	static const struct {
		int64_t points;
		const char *text;
	} cases[] = {
		{ 0, "0" },
		{ 1000, "1" },
		{ 3250, "3.25" },
		{ 500, "0.5" },
		{ 1, "0.001" },
		{ -500, "-0.5" },
		{ -12000, "-12" },
		{ INT64_MIN, "-9223372036854775.808" },
	};
	char text[SCORE_TEXT_SIZE];
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		score_format(cases[i].points, text);
		assert_string_equal(text, cases[i].text);
	}
}

/* ---- the record ---- */

static const json_t *
at(const json_t *json, const char *path)
{
	char name[64];
	size_t len;

	for (; json != NULL && *path != '\0';
	     path += len + (path[len] == '.')) {
		len = strcspn(path, ".");
		snprintf(name, sizeof(name), "%.*s", (int)len, path);
		json = json_is_array(json)
		    ? json_array_get(json, (size_t)strtoul(name, NULL, 10))
		    : json_object_get(json, name);
	}
	return json;
}

static void
test_record(void **state)
{
	static const struct {
		const char *path, *want; /* JSON text */
	} fields[] = {
		{ "version", "1" },
		{ "id", "\"01TESTTESTTESTTESTTESTTEST\"" },
		{ "mailbox", "\"" MAILBOX "\"" },
		{ "direction", "\"inbound\"" },
		{ "class.main", "\"phish\"" },
		{ "class.sub", "\"dmarc\"" },
		{ "class.extra", "\"p=reject of author.example\"" },
		{ "score", "0.0" },
		{ "thresholds.unsure", "3.0" },
		{ "thresholds.spam", "5.0" },
		{ "action", "\"reject\"" },
		{ "decided_by", "\"dmarc\"" },
		{ "reply", "\"Refused: the DMARC policy of the From domain\"" },
		{ "reasons.0.name", "\"dmarc.fail\"" },
		{ "reasons.0.points", "0.0" },
		{ "reasons.0.detail", "\"p=reject of author.example\"" },
		{ "envelope.client_ip", "\"198.51.100.1\"" },
		{ "envelope.sender", "\"a@sender.example\"" },
		{ "results.spf.result", "\"fail\"" },
		{ "results.spf.domain", "\"sender.example\"" },
		{ "results.spf_helo", "null" },
		{ "results.dkim.result", "\"none\"" },
		{ "results.arc.result", "\"none\"" },
		{ "results.dmarc.result", "\"fail\"" },
		{ "results.dmarc.policy", "\"reject\"" },
		{ "results.dmarc.name_domain", "\"bank.example\"" },
		{ "results.dmarc.problem", "null" },
	};
	struct arena *arena = arena_new(0);
	struct settings *settings = settings_of(arena, "{}");
	const struct found *found = found_new(arena, settings,
	    "spf=fail dmarc=fail p=reject name=bank.example");
	json_t *record;
	char *text;
	size_t i;

	(void)state;
	record = verdict_record(&found->scan, MAILBOX,
	    verdict_make(arena, &found->scan, MAILBOX, DIRECTION_INBOUND, 9),
	    DIRECTION_INBOUND);
	assert_non_null(record);
	for (i = 0; i < ARRAY_LEN(fields); i++) {
		text = json_dumps(at(record, fields[i].path), JSON_ENCODE_ANY);
		if (text == NULL || strcmp(text, fields[i].want) != 0)
			case_fail(fields[i].path, "%s",
			    text != NULL ? text : "missing");
		free(text);
	}
	json_decref(record);
	settings_unref(settings);
	arena_free(arena);
}

/* Of our own users' mail there are no results, and no text is refused. */
static void
test_record_without_results(void **state)
{
	struct arena *arena = arena_new(0);
	struct settings *settings = settings_of(arena, "{}");
	struct found *found = found_new(arena, settings, "outbound");
	json_t *record;

	(void)state;
	found->envelope.client.helo = "\xff\xfe";
	record = verdict_record(&found->scan, MAILBOX,
	    verdict_plain(arena, CLASS_ERROR, SUB_INTERNAL, "", ACTION_DEFER),
	    DIRECTION_OUTBOUND);
	assert_non_null(record);
	assert_true(json_is_null(json_object_get(record, "results")));
	assert_true(json_is_null(json_object_get(record, "thresholds")));
	assert_string_equal(json_string_value(
				json_object_get(record, "direction")),
	    "outbound");
	json_decref(record);
	settings_unref(settings);
	arena_free(arena);
}

/* ---- exempt.h ---- */

static void
test_exempt_find(void **state)
{
	static const struct {
		const char *label, *entry, *domain, *ip;
		bool found;
	} cases[] = {
		{ "domain", "a.example", "a.example", "192.0.2.1", true },
		{ "not below", "a.example", "b.a.example", "192.0.2.1", false },
		{ "below", ".a.example", "b.a.example", "192.0.2.1", true },
		{ "the domain itself", ".a.example", "a.example", "192.0.2.1",
		    true },
		{ "only the tail is the same", ".a.example", "xa.example",
		    "192.0.2.1", false },
		{ "shorter", ".a.example", "example", "192.0.2.1", false },
		{ "no domain", "a.example", NULL, "192.0.2.1", false },
		{ "address", "192.0.2.1", "a.example", "192.0.2.1", true },
		{ "other address", "192.0.2.1", "a.example", "192.0.2.2",
		    false },
		{ "network", "192.0.2.0/24", NULL, "192.0.2.200", true },
		{ "v6", "2001:db8::/32", NULL, "2001:db8::1", true },
		{ "v6, not", "2001:db8::/32", NULL, "192.0.2.1", false },
		{ "client not known", "0.0.0.0/0", NULL, NULL, false },
	};
	struct option_list entries = { .count = 1 };
	struct ip ip;
	char *entry;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		entry = xstrdup(cases[i].entry);
		entries.items = &entry;
		ip = (struct ip){ IP_NONE, { 0 } };
		if (cases[i].ip != NULL)
			assert_int_equal(ip_parse(bytes_of(cases[i].ip), &ip),
			    0);
		if ((exempt_find(&entries, cases[i].domain, &ip) != NULL) !=
		    cases[i].found)
			case_fail(cases[i].label, "%s", cases[i].entry);
		free(entry);
	}
}

static void
test_exempt_check(void **state)
{
	static const struct {
		const char *value;
		int rc;
	} cases[] = {
		{ "a.example", 0 },
		{ ".a.example", 0 },
		{ "192.0.2.0/24", 0 },
		{ "192.0.2.1", 0 },
		{ "2001:db8::/32", 0 },
		{ "A.example", -1 },
		{ "..example", -1 },
		{ "@a.example", -1 },
		{ "localhost", -1 },
		{ "", -1 },
	};
	struct err err;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(cases); i++)
		if (exempt_check(cases[i].value, &err) != cases[i].rc)
			case_fail(cases[i].value, "wanted %d", cases[i].rc);
	assert_int_equal(exempt_check_client("192.0.2.0/24", &err), 0);
	assert_int_equal(exempt_check_client("a.example", &err), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_score),
		cmocka_unit_test(test_checks),
		cmocka_unit_test(test_explanation),
		cmocka_unit_test(test_dmarc),
		cmocka_unit_test(test_exempt),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_at_rcpt),
		cmocka_unit_test(test_plain),
		cmocka_unit_test(test_score_format),
		cmocka_unit_test(test_record),
		cmocka_unit_test(test_record_without_results),
		cmocka_unit_test(test_exempt_find),
		cmocka_unit_test(test_exempt_check),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
