/*
 * test_settings.c - tests of the snapshot: policy, lists, sharing.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit.h"

#include "base/arena.h"
#include "base/clock.h"
#include "mail/address.h"
#include "policy/settings.h"
#include "policy/settings_build.h"

static struct settings *
from_text(const char *text)
{
	struct settings *settings;
	json_error_t why;
	json_t *json = json_loads(text, 0, &why);
	struct err err;

	if (json == NULL)
		fail_msg("%d: %s", why.line, why.text);
	settings = settings_new_from_json(json, &err);
	json_decref(json);
	if (settings == NULL)
		fail_msg("%s", err.text);
	return settings;
}

/* ---- policy ---- */

static const char policy_text[] =
    "{'system': {'option:spam_points': '6'},"
    " 'domain:a.example': {'made': {}, 'option:spam_action': 'reject'},"
    " 'domain:b.example': {'made': {}},"
    " 'domain:c.example': {'option:spam_action': 'reject'},"
    " 'mailbox:x@a.example': {'option:spam_points': '7'},"
    " 'mailbox:y@a.example': {'option:spam_points': '7'},"
    " 'mailbox:z@a.example': {'list:sender:block:@x.example': {}}}";

/* JSON with single quotes, for reading. */
static struct settings *
from_quoted(const char *text)
{
	char *copy = xstrdup(text), *p;
	struct settings *settings;

	for (p = copy; *p != '\0'; p++)
		if (*p == '\'')
			*p = '"';
	settings = from_text(copy);
	free(copy);
	return settings;
}

static void
test_levels_are_merged(void **state)
{
	static const struct {
		const char *label, *mailbox;
		int64_t spam_points;
		int spam_action;
		const char *points_level, *action_level;
	} cases[] = {
		{ "not ours", "a@other.example", 6000, ACTION_QUARANTINE,
		    "system", "default" },
		{ "no mailbox given", NULL, 6000, ACTION_QUARANTINE, "system",
		    "default" },
		{ "domain without options", "q@b.example", 6000,
		    ACTION_QUARANTINE, "system", "default" },
		{ "domain", "q@a.example", 6000, ACTION_REJECT, "system",
		    "domain" },
		{ "mailbox", "x@a.example", 7000, ACTION_REJECT, "mailbox",
		    "domain" },
		{ "mailbox with rows only", "z@a.example", 6000, ACTION_REJECT,
		    "system", "domain" },
	};
	struct settings *settings = from_quoted(policy_text);
	const struct policy *policy;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		policy = settings_policy(settings, cases[i].mailbox);
		if (policy->spam_points != cases[i].spam_points)
			case_fail(cases[i].label, "points %lld",
			    (long long)policy->spam_points);
		if (policy->spam_action != cases[i].spam_action)
			case_fail(cases[i].label, "action");
		if (strcmp(settings_option_level(settings, cases[i].mailbox,
			       "spam_points"),
			cases[i].points_level) != 0 ||
		    strcmp(settings_option_level(settings, cases[i].mailbox,
			       "spam_action"),
			cases[i].action_level) != 0)
			case_fail(cases[i].label, "level");
	}
	settings_unref(settings);
}

static void
test_equal_policies_are_one(void **state)
{
	struct settings *settings = from_quoted(policy_text);

	(void)state;
	assert_ptr_equal(settings_policy(settings, "x@a.example"),
	    settings_policy(settings, "y@a.example"));
	assert_ptr_equal(settings_policy(settings, "z@a.example"),
	    settings_domain_policy(settings, "a.example"));
	assert_ptr_equal(settings_domain_policy(settings, "a.example"),
	    settings_domain_policy(settings, "c.example"));
	assert_ptr_equal(settings_domain_policy(settings, "b.example"),
	    settings_domain_policy(settings, "nobody.example"));
	assert_ptr_not_equal(settings_policy(settings, "x@a.example"),
	    settings_policy(settings, "q@a.example"));
	settings_unref(settings);
}

static void
test_empty(void **state)
{
	struct settings *settings = settings_new_empty();
	struct ip ip;

	(void)state;
	assert_int_equal(ip_parse(BYTES_LIT("192.0.2.1"), &ip), 0);
	assert_int_equal(settings_generation(settings), 0);
	assert_int_equal(settings_domain_count(settings), 0);
	assert_null(settings_secret(settings));
	assert_int_equal(settings_policy(settings, "a@b.example")->spam_points,
	    5000);
	assert_null(
	    settings_list_client(settings, "a@b.example", &ip, LIST_MASK_ALL));
	settings_unref(settings);
	settings_unref(NULL);
}

/* ---- lists ---- */

static const char lists_text[] =
    "{'system': {"
    "  'list:sender:block:@sys.example': {},"
    "  'list:sender:allow:boss@all.example': {},"
    "  'list:sender:block:<>': {'action': 'defer'},"
    "  'list:sender:block:.dot@x.example': {},"
    "  'list:client:block:192.0.2.0/24': {'action': 'reject'},"
    "  'list:client:allow:192.0.2.128/25': {},"
    "  'list:client:block:2001:db8::/32': {},"
    "  'list:client:allow:2001:db8::1': {}},"
    " 'domain:our.example': {'made': {},"
    "  'list:sender:allow:@sys.example': {},"
    "  'list:sender:block:bad@sys.example': {},"
    "  'list:sender:block:.fam.example': {},"
    "  'list:sender:allow:.good.fam.example': {'unauthenticated': true},"
    "  'list:sender:allow:@fam.example': {},"
    "  'list:sender:allow:@tie.example': {},"
    "  'list:sender:block:@tie.example': {},"
    "  'list:sender:block:@old.example': {'expires_s': 1000},"
    "  'list:sender:allow:@old.example': {},"
    "  'list:sender:block:@soon.example': {'expires_s': 9999999999},"
    "  'list:recipient:allow:info@our.example': {},"
    "  'list:recipient:block:@our.example': {},"
    "  'list:client:block:192.0.2.200': {}},"
    " 'mailbox:me@our.example': {"
    "  'list:sender:allow:.fam.example': {},"
    "  'list:sender:block:boss@all.example': {}}}";

struct list_case {
	const char *label, *mailbox, *value;
	unsigned kinds;
	const char *want; /* "domain block @x", NULL: none */
};

static void
check_row(const struct list_case *c, const struct list_row *row)
{
	char text[200];

	if (row == NULL) {
		if (c->want != NULL)
			case_fail(c->label, "no row, wanted %s", c->want);
		return;
	}
	snprintf(text, sizeof(text), "%s %s %s", list_level_words[row->level],
	    list_kind_words[row->kind], row->pattern);
	if (c->want == NULL || strcmp(text, c->want) != 0)
		case_fail(c->label, "got %s, wanted %s", text,
		    c->want != NULL ? c->want : "none");
}

static void
test_senders(void **state)
{
	static const struct list_case cases[] = {
		{ "none", "a@our.example", "x@y.example", LIST_MASK_ALL, NULL },
		{ "domain before system", "a@our.example", "x@sys.example",
		    LIST_MASK_ALL, "domain allow @sys.example" },
		{ "system for others", "a@else.example", "x@sys.example",
		    LIST_MASK_ALL, "system block @sys.example" },
		{ "no mailbox", NULL, "x@sys.example", LIST_MASK_ALL,
		    "system block @sys.example" },
		{ "exact before @domain", "a@our.example", "BAD@Sys.Example",
		    LIST_MASK_ALL, "domain block bad@sys.example" },
		{ "kinds that count fall through to the wider", "a@our.example",
		    "bad@sys.example", LIST_MASK_ALL & ~LIST_MASK_BLOCK,
		    "domain allow @sys.example" },
		{ "@domain is not for subdomains", "a@our.example",
		    "x@sub.sys.example", LIST_MASK_ALL, NULL },
		{ ".domain for a subdomain", "a@our.example",
		    "x@deep.sub.fam.example", LIST_MASK_ALL,
		    "domain block .fam.example" },
		{ "@domain before .domain", "a@our.example", "x@fam.example",
		    LIST_MASK_ALL, "domain allow @fam.example" },
		{ ".domain for the domain itself", "a@our.example",
		    "x@fam.example", LIST_MASK_BLOCK,
		    "domain block .fam.example" },
		{ "the longest .domain", "a@our.example",
		    "x@b.good.fam.example", LIST_MASK_ALL,
		    "domain allow .good.fam.example" },
		{ "that row needs no authentication", "a@our.example",
		    "x@b.good.fam.example",
		    LIST_MASK_ALLOW_UNAUTHENTICATED | LIST_MASK_BLOCK,
		    "domain allow .good.fam.example" },
		{ "and is not among those that do", "a@our.example",
		    "x@b.good.fam.example", LIST_MASK_ALLOW, NULL },
		{ "only whole labels", "a@our.example", "x@notfam.example",
		    LIST_MASK_ALL, NULL },
		{ "tie: block", "a@our.example", "x@tie.example", LIST_MASK_ALL,
		    "domain block @tie.example" },
		{ "tie: allow alone when asked", "a@our.example",
		    "x@tie.example", LIST_MASK_ALLOW,
		    "domain allow @tie.example" },
		{ "expired does not count", "a@our.example", "x@old.example",
		    LIST_MASK_ALL, "domain allow @old.example" },
		{ "not yet expired", "a@our.example", "x@soon.example",
		    LIST_MASK_ALL, "domain block @soon.example" },
		{ "mailbox before domain", "me@our.example", "x@a.fam.example",
		    LIST_MASK_ALL, "mailbox allow .fam.example" },
		{ "mailbox, wider, still before domain", "me@our.example",
		    "x@good.fam.example", LIST_MASK_BLOCK,
		    "domain block .fam.example" },
		{ "mailbox before system", "me@our.example", "boss@all.example",
		    LIST_MASK_ALL, "mailbox block boss@all.example" },
		{ "null sender", "a@our.example", "<>", LIST_MASK_ALL,
		    "system block <>" },
		{ "a local part with a dot ahead", "a@our.example",
		    "\".dot\"@x.example", LIST_MASK_ALL,
		    "system block .dot@x.example" },
		{ "is no .domain", "a@our.example", "dot@x.example",
		    LIST_MASK_ALL, NULL },
	};
	struct settings *settings = from_quoted(lists_text);
	struct arena *arena = arena_new(0);
	struct address address;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		if (address_parse(arena, bytes_of(cases[i].value), &address,
			NULL) < 0)
			case_fail(cases[i].label, "bad address in the case");
		check_row(&cases[i],
		    settings_list_sender(settings, cases[i].mailbox, &address,
			cases[i].kinds));
	}
	arena_free(arena);
	settings_unref(settings);
}

static void
test_recipients(void **state)
{
	static const struct list_case cases[] = {
		{ "exact", "info@our.example", "", LIST_MASK_ALL,
		    "domain allow info@our.example" },
		{ "whole domain", "x@our.example", "", LIST_MASK_ALL,
		    "domain block @our.example" },
		{ "another domain", "x@else.example", "", LIST_MASK_ALL, NULL },
		{ "no mailbox", NULL, "", LIST_MASK_ALL, NULL },
	};
	struct settings *settings = from_quoted(lists_text);
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(cases); i++)
		check_row(&cases[i],
		    settings_list_recipient(settings, cases[i].mailbox,
			cases[i].kinds));
	settings_unref(settings);
}

static void
test_clients(void **state)
{
	static const struct list_case cases[] = {
		{ "network", "a@else.example", "192.0.2.1", LIST_MASK_ALL,
		    "system block 192.0.2.0/24" },
		{ "longest prefix", "a@else.example", "192.0.2.200",
		    LIST_MASK_ALL, "system allow 192.0.2.128/25" },
		{ "domain before system", "a@our.example", "192.0.2.200",
		    LIST_MASK_ALL, "domain block 192.0.2.200" },
		{ "kinds", "a@else.example", "192.0.2.200", LIST_MASK_BLOCK,
		    "system block 192.0.2.0/24" },
		{ "outside", "a@else.example", "192.0.3.0", LIST_MASK_ALL,
		    NULL },
		{ "IPv6", "a@else.example", "2001:db8:1::5", LIST_MASK_ALL,
		    "system block 2001:db8::/32" },
		{ "IPv6 lone", "a@else.example", "2001:db8::1", LIST_MASK_ALL,
		    "system allow 2001:db8::1" },
		{ "mapped IPv4", "a@else.example", "::ffff:192.0.2.1",
		    LIST_MASK_ALL, "system block 192.0.2.0/24" },
		{ "IPv6 with the octets of IPv4", "a@else.example",
		    "c000:201::", LIST_MASK_ALL, NULL },
	};
	struct settings *settings = from_quoted(lists_text);
	struct ip ip;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		if (ip_parse(bytes_of(cases[i].value), &ip) < 0)
			case_fail(cases[i].label, "bad address in the case");
		check_row(&cases[i],
		    settings_list_client(settings, cases[i].mailbox, &ip,
			cases[i].kinds));
	}
	memset(&ip, 0, sizeof(ip));
	assert_null(settings_list_client(settings, "a@our.example", &ip,
	    LIST_MASK_ALL));
	settings_unref(settings);
}

#define ROW(l, s, k, p)                                                        \
	{                                                                      \
		.level = (l), .side = (s), .kind = (k), .pattern = (p)         \
	}

static void
test_rank(void **state)
{
	/* each goes before the next */
	static const struct list_row rows[] = {
		ROW(LIST_MAILBOX, LIST_SENDER, LIST_BLOCK, "a@b.example"),
		ROW(LIST_MAILBOX, LIST_SENDER, LIST_ALLOW, "a@b.example"),
		ROW(LIST_MAILBOX, LIST_SENDER, LIST_BLOCK, ".example"),
		ROW(LIST_DOMAIN, LIST_SENDER, LIST_ALLOW, "a@b.example"),
		ROW(LIST_DOMAIN, LIST_SENDER, LIST_BLOCK, "@b.example"),
		ROW(LIST_DOMAIN, LIST_SENDER, LIST_BLOCK, ".b.example"),
		ROW(LIST_DOMAIN, LIST_SENDER, LIST_ALLOW, ".b.example"),
		ROW(LIST_DOMAIN, LIST_SENDER, LIST_BLOCK, ".example"),
		ROW(LIST_SYSTEM, LIST_CLIENT, LIST_BLOCK, "192.0.2.1"),
		ROW(LIST_SYSTEM, LIST_CLIENT, LIST_BLOCK, "192.0.2.0/24"),
		ROW(LIST_SYSTEM, LIST_CLIENT, LIST_BLOCK, "2001:db8::/32"),
	};
	size_t i;

	(void)state;
	for (i = 1; i < ARRAY_LEN(rows); i++)
		if (list_row_rank(&rows[i - 1]) >= list_row_rank(&rows[i]))
			case_fail(rows[i].pattern, "not behind the one ahead");
}

static void
test_row_fields(void **state)
{
	struct settings *settings = from_quoted(
	    "{'domain:our.example': {"
	    " 'list:sender:block:@x.example': {'action': 'reject',"
	    "  'comment': 'なぜ', 'added_by': 'user:jo', 'added_from': 'ID',"
	    "  'added_s': 12, 'expires_s': 0},"
	    " 'list:sender:allow:@x.example': {'lifts_dmarc': true}}}");
	struct arena *arena = arena_new(0);
	struct address address;
	const struct list_row *row;

	(void)state;
	address_parse(arena, BYTES_LIT("a@x.example"), &address, NULL);
	row = settings_list_sender(settings, "a@our.example", &address,
	    LIST_MASK_BLOCK);
	assert_non_null(row);
	assert_int_equal(row->action, ACTION_REJECT);
	assert_string_equal(row->comment, "なぜ");
	assert_string_equal(row->added_by, "user:jo");
	assert_string_equal(row->added_from, "ID");
	assert_int_equal(row->added_s, 12);
	row = settings_list_sender(settings, "a@our.example", &address,
	    LIST_MASK_ALLOW);
	assert_non_null(row);
	assert_int_equal(row->action, -1);
	assert_true(row->lifts_dmarc);
	assert_false(row->unauthenticated);
	assert_string_equal(row->comment, "");
	arena_free(arena);
	settings_unref(settings);
}

/* ---- damaged objects ---- */

static void
test_damage_is_named(void **state)
{
	static const struct {
		const char *label, *object, *field, *value, *want;
	} cases[] = {
		{ "option", "domain:a.example", "option:spam_points", "many",
		    "domain:a.example: field option:spam_points: " },
		{ "row is no JSON", "system", "list:sender:block:@x", "{",
		    "system: field list:sender:block:@x: not JSON" },
		{ "row is no object", "system", "list:sender:block:@x", "[]",
		    "right JSON type" },
		{ "side", "system", "list:senders:block:@x", "{}",
		    "SIDE:KIND" },
		{ "no pattern", "system", "list:sender:block:", "{}",
		    "SIDE:KIND" },
		{ "pattern", "system", "list:sender:block:x", "{}",
		    "must be an address" },
		{ "network", "mailbox:x@a.example", "list:client:block:1.2.3",
		    "{}", "no IP address" },
		{ "action", "system", "list:sender:block:@x",
		    "{\"action\":\"eat\"}", "no action 'eat'" },
		{ "alias to nothing", "domain:a.example", "alias:x",
		    "{\"to\":[]}", "1 to 200" },
		{ "alias to no address", "domain:a.example", "alias:x",
		    "{\"to\":[\"y\"]}", "not an address" },
		{ "alias domain", "domain:a.example", "alias_domain", "{}",
		    "not a domain" },
		{ "route port", "domain:a.example", "routes",
		    "[{\"host\":\"a\",\"port\":0}]", "port: " },
		{ "route host", "domain:a.example", "routes", "[{\"port\":25}]",
		    "host: " },
	};
	struct settings_build *build;
	struct bytes fields[2];
	struct err err;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		build = settings_build_new(NULL);
		fields[0] = bytes_of(cases[i].field);
		fields[1] = bytes_of(cases[i].value);
		if (settings_build_put(build, cases[i].object, 1, fields,
			&err) == 0)
			case_fail(cases[i].label, "taken");
		if (err.kind != ERR_INPUT ||
		    strstr(err.text, cases[i].want) == NULL)
			case_fail(cases[i].label, "says: %s", err.text);
		settings_build_free(build);
	}
}

static void
test_unknown_is_passed_over(void **state)
{
	struct settings *settings = from_quoted(
	    "{'domain:a.example': {'option:of_tomorrow': 'x', 'new:x': '?'},"
	    " 'group:x': {'a': 'b'},"
	    " 'mailbox:x@nodomain.example': {'option:locked': 'yes'}}");

	(void)state;
	assert_true(settings_has_domain(settings, "a.example"));
	assert_int_equal(settings_domain_count(settings), 1);
	settings_unref(settings);
}

/* ---- sharing between snapshots ---- */

static void
put_field(struct settings_build *build, const char *object, const char *field,
    const char *value)
{
	struct bytes fields[2] = { bytes_of(field), bytes_of(value) };

	assert_int_equal(settings_build_put(build, object, 1, fields, NULL), 0);
}

static void
test_unchanged_is_shared(void **state)
{
	static const uint8_t secret[32] = { 1, 2, 3 };
	struct settings *first = from_quoted(policy_text), *second, *third;
	struct settings_build *build = settings_build_new(first);

	(void)state;
	put_field(build, "domain:b.example", "option:spam_points", "1");
	put_field(build, "domain:new.example", "made", "{}");
	put_field(build, "mailbox:x@a.example", "option:spam_points", "8");
	assert_int_equal(settings_build_put(build, "domain:c.example", 0, NULL,
			     NULL),
	    0);
	assert_int_equal(settings_build_put(build, "mailbox:y@a.example", 0,
			     NULL, NULL),
	    0);
	settings_build_secret(build, secret, sizeof(secret));
	second = settings_build_finish(build, 2);
	settings_build_free(build);
	settings_unref(first);

	assert_int_equal(settings_generation(second), 2);
	assert_memory_equal(settings_secret(second), secret, 32);
	assert_int_equal(settings_domain_count(second), 3);
	assert_string_equal(settings_domain_at(second, 0), "a.example");
	assert_string_equal(settings_domain_at(second, 2), "new.example");
	assert_int_equal(
	    settings_domain_policy(second, "b.example")->spam_points, 1000);
	assert_int_equal(settings_policy(second, "x@a.example")->spam_points,
	    8000);
	assert_int_equal(settings_policy(second, "y@a.example")->spam_points,
	    6000);
	assert_int_equal(settings_policy(second, "z@a.example")->spam_action,
	    ACTION_REJECT);

	/* The system's options reach every domain. */
	build = settings_build_new(second);
	put_field(build, "system", "option:spam_points", "9");
	third = settings_build_finish(build, 3);
	settings_build_free(build);
	assert_int_equal(
	    settings_domain_policy(third, "a.example")->spam_points, 9000);
	assert_int_equal(settings_policy(third, "x@a.example")->spam_points,
	    8000);
	assert_int_equal(
	    settings_domain_policy(second, "a.example")->spam_points, 6000);
	settings_unref(second);
	settings_unref(third);
}

static void
test_domain_gone_with_its_mailboxes(void **state)
{
	struct settings *first = from_quoted(policy_text), *second, *third;
	struct settings_build *build = settings_build_new(first);

	(void)state;
	settings_build_put(build, "domain:a.example", 0, NULL, NULL);
	second = settings_build_finish(build, 2);
	settings_build_free(build);
	assert_false(settings_has_domain(second, "a.example"));
	build = settings_build_new(second);
	put_field(build, "domain:a.example", "made", "{}");
	third = settings_build_finish(build, 3);
	settings_build_free(build);
	assert_int_equal(settings_policy(third, "x@a.example")->spam_points,
	    6000);
	settings_unref(first);
	settings_unref(second);
	settings_unref(third);
}

/* ---- many rows, many threads ---- */

#define MANY_ROWS 100000
#define THREADS 4
#define ROUNDS 20000

static struct settings *
many_rows(void)
{
	struct settings_build *build = settings_build_new(NULL);
	struct bytes *fields = xcalloc(2 * MANY_ROWS, sizeof(*fields));
	struct settings *settings;
	size_t i;

	for (i = 0; i < MANY_ROWS; i++) {
		fields[2 * i] = bytes_of(
		    xprintf(i % 2 ? "list:sender:block:s%zu@spam.example"
				  : "list:sender:block:.d%zu.example",
			i));
		fields[2 * i + 1] = BYTES_LIT("{\"comment\":\"x\"}");
	}
	assert_int_equal(settings_build_put(build, "domain:our.example",
			     MANY_ROWS, fields, NULL),
	    0);
	for (i = 0; i < MANY_ROWS; i++)
		free((char *)(uintptr_t)fields[2 * i].data);
	free(fields);
	settings = settings_build_finish(build, 1);
	settings_build_free(build);
	return settings;
}

static void *
look_up_many(void *context)
{
	struct settings *settings = settings_ref(context);
	struct arena *arena = arena_new(0);
	struct address hit, below, miss;
	size_t i, wrong = 0;

	address_parse(arena, BYTES_LIT("s4321@spam.example"), &hit, NULL);
	address_parse(arena, BYTES_LIT("x@y.d4320.example"), &below, NULL);
	address_parse(arena, BYTES_LIT("s4320@spam.example"), &miss, NULL);
	for (i = 0; i < ROUNDS; i++) {
		wrong += settings_list_sender(settings, "a@our.example", &hit,
			     LIST_MASK_ALL) == NULL;
		wrong += settings_list_sender(settings, "a@our.example", &below,
			     LIST_MASK_ALL) == NULL;
		wrong += settings_list_sender(settings, "a@our.example", &miss,
			     LIST_MASK_ALL) != NULL;
	}
	arena_free(arena);
	settings_unref(settings);
	return (void *)(uintptr_t)wrong;
}

static void
test_many_rows_many_threads(void **state)
{
	int64_t start = clock_mono_us(), built, done;
	struct settings *settings = many_rows();
	pthread_t threads[THREADS];
	void *wrong;
	size_t i;

	(void)state;
	built = clock_mono_us();
	for (i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, look_up_many,
				     settings),
		    0);
	for (i = 0; i < THREADS; i++) {
		pthread_join(threads[i], &wrong);
		assert_null(wrong);
	}
	done = clock_mono_us();
	print_message("%d rows built in %lld ms; %lld ns a look-up\n",
	    MANY_ROWS, (long long)(built - start) / 1000,
	    (long long)(done - built) * 1000 / (3LL * THREADS * ROUNDS));
	settings_unref(settings);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_levels_are_merged),
		cmocka_unit_test(test_equal_policies_are_one),
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_senders),
		cmocka_unit_test(test_recipients),
		cmocka_unit_test(test_clients),
		cmocka_unit_test(test_rank),
		cmocka_unit_test(test_row_fields),
		cmocka_unit_test(test_damage_is_named),
		cmocka_unit_test(test_unknown_is_passed_over),
		cmocka_unit_test(test_unchanged_is_shared),
		cmocka_unit_test(test_domain_gone_with_its_mailboxes),
		cmocka_unit_test(test_many_rows_many_threads),
	};

	return cmocka_run_group_tests_name("settings", tests, NULL, NULL);
}
