/*
 * test_settings_edit.c - tests of edits, with a real Redis.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "tests/redis_server.h"
#include "tests/unit.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/store.h"
#include "mail/address.h"
#include "policy/edit_rows.h"
#include "policy/settings_edit.h"
#include "policy/settings_keys.h"

struct lab {
	struct redis_server redis;
	struct store *store;
	struct edit edit;
};

static struct store *
open_store(const struct redis_server *redis)
{
	const struct store_options options = { .url = redis->url,
		.timeout_ms = PATIENCE_MS };
	struct err err;
	struct store *store = store_open(&options, &err);

	assert_non_null(store);
	return store;
}

static int
setup(void **state)
{
	struct lab *lab = xcalloc(1, sizeof(*lab));

	redis_server_start(&lab->redis, false, NULL);
	lab->store = open_store(&lab->redis);
	lab->edit.store = lab->store;
	lab->edit.actor = "cli:test";
	lab->edit.delimiter = "+";
	*state = lab;
	return 0;
}

static int
teardown(void **state)
{
	struct lab *lab = *state;

	settings_unref(lab->edit.settings);
	store_close(lab->store);
	redis_server_stop(&lab->redis);
	free(lab);
	return 0;
}

/* JSON with single quotes, for reading; NULL stays NULL. */
static json_t *
quoted(const char *text)
{
	json_error_t why;
	json_t *json;
	char *copy, *p;

	if (text == NULL)
		return NULL;
	copy = xstrdup(text);
	for (p = copy; *p != '\0'; p++)
		if (*p == '\'')
			*p = '"';
	json = json_loads(copy, JSON_DECODE_ANY, &why);
	if (json == NULL)
		fail_msg("%s: %s", text, why.text);
	free(copy);
	return json;
}

enum verb {
	DOMAIN_ADD,
	DOMAIN_REMOVE,
	OPTIONS,
	LIST_ADD,
	LIST_REMOVE,
	ROUTES,
	RECIPIENT_ADD,
	RECIPIENT_REMOVE,
	ALIAS_ADD,
	ALIAS_REMOVE,
};

/* One edit: where is a domain, "system", or a mailbox for options and rows;
 * else what the verb is about. */
struct step {
	enum verb verb;
	const char *where;
	const char *what; /* JSON */
	bool replace;
	/* wanted */
	bool changed;
	enum edit_problem problem;
	const char *field;
	const char *text; /* a part of the message */
};

static struct edit_target
target_of(const char *where)
{
	struct edit_target target = { NULL, NULL };

	if (strchr(where, '@') != NULL)
		target.mailbox = where;
	else if (strcmp(where, "system") != 0)
		target.domain = where;
	return target;
}

static int
remove_row(struct edit *edit, const char *where, const json_t *row,
    bool *changed, struct err *err)
{
	const char *side = json_string_value(json_object_get(row, "side"));
	const char *kind = json_string_value(json_object_get(row, "kind"));

	return edit_list_remove(edit, target_of(where),
	    strcmp(side, "client") == 0       ? LIST_CLIENT
		: strcmp(side, "sender") == 0 ? LIST_SENDER
					      : LIST_RECIPIENT,
	    strcmp(kind, "allow") == 0 ? LIST_ALLOW : LIST_BLOCK,
	    json_string_value(json_object_get(row, "pattern")), changed, err);
}

static int
do_step(struct edit *edit, const struct step *step, json_t *what, bool *changed,
    struct err *err)
{
	switch (step->verb) {
	case DOMAIN_ADD:
		return edit_domain_add(edit, step->where, what, changed, err);
	case DOMAIN_REMOVE:
		return edit_domain_remove(edit, step->where, changed, err);
	case OPTIONS:
		return edit_options(edit, target_of(step->where), what, changed,
		    err);
	case LIST_ADD:
		return edit_list_add(edit, target_of(step->where), what,
		    changed, err);
	case LIST_REMOVE:
		return remove_row(edit, step->where, what, changed, err);
	case ROUTES:
		return edit_routes(edit, step->where, what, changed, err);
	case RECIPIENT_ADD:
		return edit_recipient_add(edit, step->where, what, NULL,
		    changed, err);
	case RECIPIENT_REMOVE:
		return edit_recipient_remove(edit, step->where, changed, err);
	case ALIAS_ADD:
		return edit_alias_add(edit, step->where, what, NULL, changed,
		    err);
	case ALIAS_REMOVE:
		return edit_alias_remove(edit, step->where, changed, err);
	}
	return -1;
}

static void
check_refusal(const char *label, const struct edit *edit,
    const struct step *step, const struct err *err)
{
	if (err->kind != ERR_INPUT || edit->problem != step->problem)
		case_fail(label, "kind %d problem %d: %s", (int)err->kind,
		    (int)edit->problem, err->text);
	if (step->field != NULL &&
	    (edit->field == NULL || strcmp(edit->field, step->field) != 0))
		case_fail(label, "field %s: %s",
		    edit->field != NULL ? edit->field : "(none)", err->text);
	if (step->text != NULL && strstr(err->text, step->text) == NULL)
		case_fail(label, "says: %s", err->text);
}

static uint64_t
generation(struct lab *lab)
{
	uint64_t value;

	assert_true(settings_stored_generation(lab->store, &value, NULL) >= 0);
	return value;
}

static void
run_steps(struct lab *lab, const struct step *steps, size_t n)
{
	char label[200];
	uint64_t before;
	struct err err;
	json_t *what;
	bool changed;
	size_t i;
	int rc;

	for (i = 0; i < n; i++) {
		snprintf(label, sizeof(label), "step %zu: %s %.100s", i,
		    steps[i].where, steps[i].what ? steps[i].what : "");
		what = quoted(steps[i].what);
		lab->edit.replace = steps[i].replace;
		before = generation(lab);
		changed = false;
		rc = do_step(&lab->edit, &steps[i], what, &changed, &err);
		if (rc < 0 && steps[i].problem == EDIT_OK)
			case_fail(label, "refused: %s", err.text);
		if (rc == 0 && steps[i].problem != EDIT_OK)
			case_fail(label, "not refused");
		if (rc < 0)
			check_refusal(label, &lab->edit, &steps[i], &err);
		else if (changed != steps[i].changed)
			case_fail(label, "changed %d", changed);
		if (generation(lab) != before + (rc == 0 && changed))
			case_fail(label, "generation %" PRIu64,
			    generation(lab));
		json_decref(what);
	}
}

static struct settings *
load(struct lab *lab)
{
	struct err err;
	struct settings *settings = settings_load(lab->store, NULL, &err);

	if (settings == NULL)
		fail_msg("%s", err.text);
	return settings;
}

/* ---- domains and options ---- */

static void
test_domains(void **state)
{
	static const struct step steps[] = {
		{ .verb = DOMAIN_ADD, "Example.NET.", NULL, false, true },
		{ .verb = DOMAIN_ADD, "example.net", NULL, false, false },
		{ .verb = DOMAIN_ADD,
		    "bücher.example",
		    "{'spam_points': '4'}",
		    false,
		    true },
		{ .verb = DOMAIN_ADD,
		    "xn--bcher-kva.example",
		    "{'spam_points': 4}",
		    false,
		    false },
		{ .verb = DOMAIN_ADD,
		    "bücher.example",
		    "{'spam_points': '5'}",
		    false,
		    false,
		    EDIT_EXISTS,
		    "domain" },
		{ .verb = DOMAIN_ADD,
		    "bücher.example",
		    "{'spam_points': '5'}",
		    true,
		    true },
		{ .verb = DOMAIN_ADD,
		    "a b",
		    NULL,
		    false,
		    false,
		    EDIT_INVALID,
		    "domain",
		    "'a b' is no domain" },
		{ .verb = DOMAIN_ADD,
		    "",
		    NULL,
		    false,
		    false,
		    EDIT_INVALID,
		    "domain",
		    "must be given" },
		{ .verb = DOMAIN_ADD,
		    "x.example",
		    "{'spam_point': '5'}",
		    false,
		    false,
		    EDIT_INVALID,
		    "options",
		    "did you mean spam_points?" },
		{ .verb = OPTIONS,
		    "example.net",
		    "{'spam_action': 'reject', 'filter': false}",
		    false,
		    true },
		{ .verb = OPTIONS,
		    "example.net",
		    "{'spam_action': 'Reject', 'filter': 'off'}",
		    false,
		    false },
		{ .verb = OPTIONS,
		    "example.net",
		    "{'filter': null}",
		    false,
		    true },
		{ .verb = OPTIONS,
		    "example.net",
		    "{'filter': null}",
		    false,
		    false },
		{ .verb = OPTIONS,
		    "example.net",
		    "{'size_max': '4G'}",
		    false,
		    false,
		    EDIT_INVALID,
		    "size_max",
		    "size_max: must be 1k to 2048M" },
		{ .verb = OPTIONS,
		    "example.net",
		    "{'spam_action': {}}",
		    false,
		    false,
		    EDIT_INVALID,
		    "spam_action" },
		{ .verb = OPTIONS,
		    "example.net",
		    "{'arc_trusted': ['a.example', 'b.example']}",
		    false,
		    true },
		{ .verb = OPTIONS,
		    "example.net",
		    "[]",
		    false,
		    false,
		    EDIT_INVALID,
		    "options" },
		{ .verb = OPTIONS,
		    "no.example",
		    "{'filter': 'no'}",
		    false,
		    false,
		    EDIT_NOT_FOUND,
		    "domain",
		    "there is no domain no.example" },
		{ .verb = OPTIONS,
		    "x@no.example",
		    "{'filter': 'no'}",
		    false,
		    false,
		    EDIT_NOT_FOUND,
		    "mailbox" },
		{ .verb = OPTIONS,
		    "x@example.net",
		    "{'split': 'rcpt'}",
		    false,
		    false,
		    EDIT_INVALID,
		    "split",
		    "cannot be set for a mailbox" },
		{ .verb = OPTIONS,
		    "system",
		    "{'locked': 'yes'}",
		    false,
		    false,
		    EDIT_INVALID,
		    "locked",
		    "cannot be set for a system" },
		{ .verb = OPTIONS,
		    "x@example.net",
		    "{'locked': 'yes'}",
		    false,
		    true },
		{ .verb = OPTIONS,
		    "system",
		    "{'spam_points': '6.5'}",
		    false,
		    true },
		{ .verb = DOMAIN_REMOVE, "no.example", NULL, false, false },
	};
	struct lab *lab = *state;
	struct settings *settings;

	run_steps(lab, steps, ARRAY_LEN(steps));
	settings = load(lab);
	assert_int_equal(settings_domain_count(settings), 2);
	assert_int_equal(
	    settings_domain_policy(settings, "example.net")->spam_points, 6500);
	assert_int_equal(
	    settings_domain_policy(settings, "example.net")->arc_trusted.count,
	    2);
	assert_true(settings_domain_policy(settings, "example.net")->filter);
	assert_true(settings_policy(settings, "x@example.net")->locked);
	assert_int_equal(settings_domain_policy(settings,
			     "xn--bcher-kva.example")
			     ->spam_points,
	    5000);
	settings_unref(settings);
}

static void
test_domain_goes_with_all(void **state)
{
	static const struct step steps[] = {
		{ .verb = DOMAIN_ADD, "a.example", NULL, false, true },
		{ .verb = DOMAIN_ADD, "b.example", NULL, false, true },
		{ .verb = OPTIONS,
		    "x@a.example",
		    "{'locked': 'yes'}",
		    false,
		    true },
		{ .verb = LIST_ADD,
		    "y@a.example",
		    "{'side': 'sender', 'kind': 'block', 'pattern': '@z.tld'}",
		    false,
		    true },
		{ .verb = ALIAS_ADD,
		    "in@a.example",
		    "['x@a.example']",
		    false,
		    true },
		{ .verb = ALIAS_ADD,
		    "out@b.example",
		    "['x@a.example']",
		    false,
		    true },
		{ .verb = DOMAIN_REMOVE,
		    "a.example",
		    NULL,
		    false,
		    false,
		    EDIT_IN_USE,
		    "domain",
		    "out@b.example points to a.example" },
		{ .verb = ALIAS_REMOVE, "OUT@b.example", NULL, false, true },
		{ .verb = ALIAS_ADD,
		    "@b.example",
		    "['@a.example']",
		    false,
		    true },
		{ .verb = DOMAIN_REMOVE,
		    "a.example",
		    NULL,
		    false,
		    false,
		    EDIT_IN_USE,
		    "domain",
		    "@b.example" },
		{ .verb = ALIAS_REMOVE, "@b.example", NULL, false, true },
		{ .verb = ALIAS_REMOVE, "@b.example", NULL, false, false },
		{ .verb = DOMAIN_REMOVE, "a.example", NULL, false, true },
		{ .verb = DOMAIN_REMOVE, "a.example", NULL, false, false },
		{ .verb = DOMAIN_ADD, "a.example", NULL, false, true },
	};
	struct lab *lab = *state;
	struct settings *old, *settings;

	run_steps(lab, steps, ARRAY_LEN(steps) - 1);
	old = load(lab);
	assert_false(settings_has_domain(old, "a.example"));
	run_steps(lab, &steps[ARRAY_LEN(steps) - 1], 1);
	settings = settings_load(lab->store, old, NULL);
	assert_true(settings_has_domain(settings, "a.example"));
	assert_false(settings_policy(settings, "x@a.example")->locked);
	settings_unref(old);
	settings_unref(settings);
	settings = load(lab);
	assert_false(settings_policy(settings, "x@a.example")->locked);
	settings_unref(settings);
}

/* ---- lists ---- */

#define ROW(side, kind, pattern, rest)                                         \
	"{'side': '" side "', 'kind': '" kind "', 'pattern': '" pattern        \
	"'" rest "}"

static void
test_lists(void **state)
{
	static const struct step steps[] = {
		{ .verb = DOMAIN_ADD, "our.example", NULL, false, true },
		{ .verb = LIST_ADD,
		    "our.example",
		    ROW("sender", "block", "Bad@Spam.Example", ""),
		    false,
		    true },
		{ .verb = LIST_ADD,
		    "our.example",
		    ROW("SENDER", "Block", "bad@spam.example", ""),
		    false,
		    false },
		{ .verb = LIST_ADD,
		    "our.example",
		    ROW("sender", "block", "bad@spam.example",
			", 'action': 'reject'"),
		    false,
		    false,
		    EDIT_EXISTS,
		    "pattern" },
		{ .verb = LIST_ADD,
		    "our.example",
		    ROW("sender", "block", "bad@spam.example",
			", 'action': 'reject', 'comment': 'なぜ'"),
		    true,
		    true },
		{ .verb = LIST_ADD,
		    "our.example",
		    ROW("sender", "allow", "@bücher.example",
			", 'lifts_dmarc': 'yes', 'expires': '30d'"),
		    false,
		    true },
		{ .verb = LIST_ADD,
		    "our.example",
		    ROW("sender", "block", "<>", ""),
		    false,
		    true },
		{ .verb = LIST_ADD,
		    "our.example",
		    ROW("recipient", "block", "<>", ""),
		    false,
		    false,
		    EDIT_INVALID,
		    "pattern" },
		{ .verb = LIST_ADD,
		    "our.example",
		    ROW("sender", "block", "spam.example", ""),
		    false,
		    false,
		    EDIT_INVALID,
		    "pattern",
		    "@example.net for a domain" },
		{ .verb = LIST_ADD,
		    "our.example",
		    ROW("sender", "block", "*@spam.example", ""),
		    false,
		    false,
		    EDIT_INVALID,
		    "pattern",
		    "@example.net for a domain" },
		{ .verb = LIST_ADD,
		    "our.example",
		    ROW("sender", "block", "", ""),
		    false,
		    false,
		    EDIT_INVALID,
		    "pattern",
		    "must be given" },
		{ .verb = LIST_ADD,
		    "our.example",
		    ROW("from", "block", "@a.b", ""),
		    false,
		    false,
		    EDIT_INVALID,
		    "side",
		    "must be sender, recipient or client" },
		{ .verb = LIST_ADD,
		    "our.example",
		    ROW("sender", "", "@a.b", ""),
		    false,
		    false,
		    EDIT_INVALID,
		    "kind",
		    "must be allow or block" },
		{ .verb = LIST_ADD,
		    "our.example",
		    ROW("sender", "allow", "@a.b", ", 'action': 'reject'"),
		    false,
		    false,
		    EDIT_INVALID,
		    "action",
		    "only block rows" },
		{ .verb = LIST_ADD,
		    "our.example",
		    ROW("sender", "block", "@a.b", ", 'action': 'accept'"),
		    false,
		    false,
		    EDIT_INVALID,
		    "action",
		    "must be tag" },
		{ .verb = LIST_ADD,
		    "our.example",
		    ROW("sender", "block", "@a.b", ", 'unauthenticated': true"),
		    false,
		    false,
		    EDIT_INVALID,
		    "unauthenticated" },
		{ .verb = LIST_ADD,
		    "our.example",
		    ROW("client", "allow", "192.0.2.1",
			", 'unauthenticated': true"),
		    false,
		    false,
		    EDIT_INVALID,
		    "unauthenticated" },
		{ .verb = LIST_ADD,
		    "our.example",
		    ROW("sender", "block", "@a.b", ", 'lifts_dmarc': true"),
		    false,
		    false,
		    EDIT_INVALID,
		    "lifts_dmarc" },
		{ .verb = LIST_ADD,
		    "our.example",
		    ROW("sender", "block", "@a.b", ", 'lifts_dmarc': 'maybe'"),
		    false,
		    false,
		    EDIT_INVALID,
		    "lifts_dmarc",
		    "yes or no" },
		{ .verb = LIST_ADD,
		    "our.example",
		    ROW("sender", "block", "@a.b", ", 'expires': '2020-01-01'"),
		    false,
		    false,
		    EDIT_INVALID,
		    "expires",
		    "past" },
		{ .verb = LIST_ADD,
		    "our.example",
		    ROW("sender", "block", "@a.b", ", 'expires': 'soon'"),
		    false,
		    false,
		    EDIT_INVALID,
		    "expires",
		    "a time to come" },
		{ .verb = LIST_ADD,
		    "our.example",
		    ROW("sender", "block", "@a.b", ", 'comment': 'a\\nb'"),
		    false,
		    false,
		    EDIT_INVALID,
		    "comment",
		    "one line" },
		{ .verb = LIST_ADD,
		    "our.example",
		    ROW("client", "block", "192.0.2.1/24", ""),
		    false,
		    false,
		    EDIT_INVALID,
		    "pattern",
		    "beyond the prefix" },
		{ .verb = LIST_ADD,
		    "our.example",
		    ROW("client", "block", "2001:DB8::/32", ""),
		    false,
		    true },
		{ .verb = LIST_ADD,
		    "our.example",
		    ROW("client", "block", "example.net", ""),
		    false,
		    false,
		    EDIT_INVALID,
		    "pattern",
		    "no IP address" },
		{ .verb = LIST_ADD,
		    "our.example",
		    ROW("recipient", "allow", "info@our.example", ""),
		    false,
		    true },
		{ .verb = LIST_ADD,
		    "our.example",
		    ROW("recipient", "allow", "info@other.example", ""),
		    false,
		    false,
		    EDIT_INVALID,
		    "pattern",
		    "must be about an address of it" },
		{ .verb = LIST_ADD,
		    "me@our.example",
		    ROW("recipient", "allow", "me@our.example", ""),
		    false,
		    false,
		    EDIT_INVALID,
		    "side" },
		{ .verb = LIST_ADD,
		    "system",
		    ROW("recipient", "block", "@x.example", ""),
		    false,
		    true },
		{ .verb = LIST_ADD,
		    "me@our.example",
		    ROW("sender", "allow", ".x.example",
			", 'unauthenticated': 'on', 'added_from': '01ABC'"),
		    false,
		    true },
		{ .verb = LIST_ADD,
		    "me@no.example",
		    ROW("sender", "allow", ".x.example", ""),
		    false,
		    false,
		    EDIT_NOT_FOUND,
		    "mailbox" },
		{ .verb = LIST_REMOVE,
		    "our.example",
		    ROW("sender", "block", " BAD@spam.example ", ""),
		    false,
		    true },
		{ .verb = LIST_REMOVE,
		    "our.example",
		    ROW("sender", "block", "bad@spam.example", ""),
		    false,
		    false },
		{ .verb = LIST_REMOVE,
		    "our.example",
		    ROW("sender", "block", "bad", ""),
		    false,
		    false,
		    EDIT_INVALID,
		    "pattern" },
	};
	struct lab *lab = *state;
	struct settings *settings;
	const struct list_row *row;
	struct arena *arena = arena_new(0);
	struct address address;

	run_steps(lab, steps, ARRAY_LEN(steps));
	settings = load(lab);
	address_parse(arena, BYTES_LIT("x@xn--bcher-kva.example"), &address,
	    NULL);
	row = settings_list_sender(settings, "q@our.example", &address,
	    LIST_MASK_ALL);
	assert_non_null(row);
	assert_true(row->lifts_dmarc);
	assert_true(row->expires_s > clock_wall_s() + 29 * 86400);
	assert_string_equal(row->added_by, "cli:test");
	assert_true(row->added_s > clock_wall_s() - 60);
	address_parse(arena, BYTES_LIT("x@y.x.example"), &address, NULL);
	row = settings_list_sender(settings, "me@our.example", &address,
	    LIST_MASK_ALLOW_UNAUTHENTICATED);
	assert_non_null(row);
	assert_string_equal(row->added_from, "01ABC");
	settings_unref(settings);
	arena_free(arena);
}

static void
test_times(void **state)
{
	static const struct {
		const char *text;
		int rc;
		int64_t want; /* 0: from now */
	} cases[] = {
		{ "2030-01-31T18:00:00Z", 0, 1896112800 },
		{ "2030-01-31T18:00:00+09:00", 0, 1896080400 },
		{ "2030-01-31 18:00:00.5-01:30", 0, 1896118200 },
		{ "2030-02-30", -1, 0 },
		{ "2030-02-28T24:00:00Z", -1, 0 },
		{ "2030-02-28T10:00:00", -1, 0 },
		{ "2030-1-1", -1, 0 },
		{ "2030-01-01x", -1, 0 },
		{ "0d", -1, 0 },
		{ "200000d", -1, 0 },
		{ "tomorrow", -1, 0 },
	};
	int64_t got, day;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		got = 0;
		if (edit_parse_time(cases[i].text, &got) != cases[i].rc)
			case_fail(cases[i].text, "wrong answer");
		if (got != cases[i].want)
			case_fail(cases[i].text, "%" PRId64, got);
	}
	assert_int_equal(edit_parse_time(" 2h ", &got), 0);
	assert_true(llabs(got - (clock_wall_s() + 7200)) <= 2);
	/* A day alone lasts to its end. */
	assert_int_equal(edit_parse_time("2030-01-31", &got), 0);
	assert_int_equal(edit_parse_time("2030-02-01", &day), 0);
	assert_int_equal(day - got, 86400);
	assert_true(got > 1896080400 && got <= 1896220800);
}

/* ---- routes ---- */

static void
test_routes(void **state)
{
	static const struct step steps[] = {
		{ .verb = DOMAIN_ADD, "our.example", NULL, false, true },
		{ .verb = ROUTES,
		    "our.example",
		    "[{'host': 'MX.our.example', 'port': '2525'},"
		    " {'host': '[192.0.2.1]', 'priority': 5},"
		    " {'host': 'mx.our.example', 'lookup_mx': true}]",
		    false,
		    true },
		{ .verb = ROUTES,
		    "our.example",
		    "[{'host': 'mx.our.example', 'port': 2525},"
		    " {'host': '192.0.2.1', 'port': 25, 'priority': 5},"
		    " {'host': 'mx.our.example', 'lookup_mx': true}]",
		    false,
		    false },
		{ .verb = ROUTES,
		    "our.example",
		    "[{'port': 25}]",
		    false,
		    false,
		    EDIT_INVALID,
		    "host",
		    "must be given" },
		{ .verb = ROUTES,
		    "our.example",
		    "[{'host': 'a b'}]",
		    false,
		    false,
		    EDIT_INVALID,
		    "host" },
		{ .verb = ROUTES,
		    "our.example",
		    "[{'host': 'a', 'port': 0}]",
		    false,
		    false,
		    EDIT_INVALID,
		    "port",
		    "must be 1 to 65535" },
		{ .verb = ROUTES,
		    "our.example",
		    "[{'host': 'a', 'port': '25x'}]",
		    false,
		    false,
		    EDIT_INVALID,
		    "port" },
		{ .verb = ROUTES,
		    "our.example",
		    "[{'host': 'a', 'priority': 65536}]",
		    false,
		    false,
		    EDIT_INVALID,
		    "priority" },
		{ .verb = ROUTES,
		    "our.example",
		    "[{'host': '::1', 'lookup_mx': true}]",
		    false,
		    false,
		    EDIT_INVALID,
		    "lookup_mx" },
		{ .verb = ROUTES,
		    "our.example",
		    "[{'host': 'a'}, {'host': 'A', 'port': 25}]",
		    false,
		    false,
		    EDIT_INVALID,
		    "host",
		    "twice" },
		{ .verb = ROUTES,
		    "our.example",
		    "{}",
		    false,
		    false,
		    EDIT_INVALID,
		    "routes" },
		{ .verb = ROUTES,
		    "our.example",
		    "['a']",
		    false,
		    false,
		    EDIT_INVALID,
		    "routes" },
		{ .verb = ROUTES,
		    "no.example",
		    "[{'host': 'a'}]",
		    false,
		    false,
		    EDIT_NOT_FOUND,
		    "domain" },
	};
	static const struct step none = { .verb = ROUTES,
		"our.example",
		"[]",
		false,
		true };
	struct lab *lab = *state;
	const struct directory_route *routes;
	struct settings *settings;

	run_steps(lab, steps, ARRAY_LEN(steps));
	settings = load(lab);
	assert_int_equal(directory_routes(settings, "our.example", &routes), 3);
	assert_string_equal(routes[0].host, "192.0.2.1");
	assert_int_equal(routes[0].priority, 5);
	settings_unref(settings);
	run_steps(lab, &none, 1);
	settings = load(lab);
	assert_int_equal(directory_routes(settings, "our.example", &routes), 0);
	settings_unref(settings);
}

/* ---- recipients and aliases ---- */

static void
test_recipients(void **state)
{
	static const struct step steps[] = {
		{ .verb = DOMAIN_ADD,
		    "our.example",
		    "{'restrict_recipients': true}",
		    false,
		    true },
		{ .verb = RECIPIENT_ADD, "Jo@Our.Example", NULL, false, true },
		{ .verb = RECIPIENT_ADD, "jo@our.example", NULL, false, false },
		{ .verb = RECIPIENT_ADD,
		    "jo@our.example",
		    "{'locked': 'yes'}",
		    false,
		    false,
		    EDIT_EXISTS,
		    "address" },
		{ .verb = RECIPIENT_ADD,
		    "jo@our.example",
		    "{'locked': 'yes'}",
		    true,
		    true },
		{ .verb = RECIPIENT_ADD,
		    "ann@our.example",
		    "{'spam_points': 1}",
		    false,
		    true },
		{ .verb = RECIPIENT_ADD,
		    "x@no.example",
		    NULL,
		    false,
		    false,
		    EDIT_NOT_FOUND,
		    "address" },
		{ .verb = RECIPIENT_ADD,
		    "our.example",
		    NULL,
		    false,
		    false,
		    EDIT_INVALID,
		    "address" },
		{ .verb = RECIPIENT_ADD,
		    "",
		    NULL,
		    false,
		    false,
		    EDIT_INVALID,
		    "address" },
		{ .verb = RECIPIENT_ADD,
		    "b@our.example",
		    "{'split': 'rcpt'}",
		    false,
		    false,
		    EDIT_INVALID,
		    "split" },
		{ .verb = RECIPIENT_REMOVE,
		    "JO@our.example",
		    NULL,
		    false,
		    true },
		{ .verb = RECIPIENT_REMOVE,
		    "jo@our.example",
		    NULL,
		    false,
		    false },
	};
	struct lab *lab = *state;
	struct directory_result result;
	struct arena *arena = arena_new(0);
	struct settings *settings;
	struct address address;

	run_steps(lab, steps, ARRAY_LEN(steps));
	settings = load(lab);
	address_parse(arena, BYTES_LIT("jo@our.example"), &address, NULL);
	assert_int_equal(directory_resolve(settings, arena, &address, "",
			     &result),
	    DIRECTORY_UNKNOWN);
	assert_false(settings_policy(settings, "jo@our.example")->locked);
	address_parse(arena, BYTES_LIT("ann+x@our.example"), &address, NULL);
	assert_int_equal(directory_resolve(settings, arena, &address, "+",
			     &result),
	    DIRECTORY_FOUND);
	assert_int_equal(
	    settings_policy(settings, "ann@our.example")->spam_points, 1000);
	settings_unref(settings);
	arena_free(arena);
}

static void
test_aliases(void **state)
{
	static const struct step steps[] = {
		{ .verb = DOMAIN_ADD, "a.example", NULL, false, true },
		{ .verb = DOMAIN_ADD,
		    "b.example",
		    "{'restrict_recipients': true}",
		    false,
		    true },
		{ .verb = DOMAIN_ADD, "c.example", NULL, false, true },
		{ .verb = RECIPIENT_ADD, "ann@b.example", NULL, false, true },
		{ .verb = ALIAS_ADD,
		    "info@a.example",
		    "['Ann@b.example']",
		    false,
		    true },
		{ .verb = ALIAS_ADD,
		    "info@a.example",
		    "['ann@b.example', 'ANN@b.example']",
		    false,
		    false },
		{ .verb = ALIAS_ADD,
		    "info@a.example",
		    "['jo@a.example']",
		    false,
		    false,
		    EDIT_EXISTS,
		    "source" },
		{ .verb = ALIAS_ADD,
		    "info@a.example",
		    "['jo@a.example', 'x@else.example']",
		    true,
		    true },
		{ .verb = ALIAS_ADD,
		    "x@a.example",
		    "['ghost@b.example']",
		    false,
		    false,
		    EDIT_NOT_FOUND,
		    "targets",
		    "no recipient ghost@b.example" },
		{ .verb = ALIAS_ADD,
		    "x@a.example",
		    "[]",
		    false,
		    false,
		    EDIT_INVALID,
		    "targets",
		    "1 to 200" },
		{ .verb = ALIAS_ADD,
		    "x@a.example",
		    "['y']",
		    false,
		    false,
		    EDIT_INVALID,
		    "targets" },
		{ .verb = ALIAS_ADD,
		    "x@a.example",
		    "[7]",
		    false,
		    false,
		    EDIT_INVALID,
		    "targets" },
		{ .verb = ALIAS_ADD,
		    "x@no.example",
		    "['y@a.example']",
		    false,
		    false,
		    EDIT_NOT_FOUND,
		    "source" },
		{ .verb = ALIAS_ADD,
		    "x",
		    "['y@a.example']",
		    false,
		    false,
		    EDIT_INVALID,
		    "source" },
		{ .verb = ALIAS_ADD,
		    "keep@a.example",
		    "['keep@a.example', 'jo@a.example']",
		    false,
		    true },
		/* circles */
		{ .verb = ALIAS_ADD,
		    "one@a.example",
		    "['two@a.example']",
		    false,
		    true },
		{ .verb = ALIAS_ADD,
		    "two@a.example",
		    "['one@a.example']",
		    false,
		    false,
		    EDIT_INVALID,
		    "targets",
		    "leads back to itself" },
		{ .verb = ALIAS_ADD,
		    "two@a.example",
		    "['one+tag@a.example']",
		    false,
		    false,
		    EDIT_INVALID,
		    "targets",
		    "leads back to itself" },
		{ .verb = ALIAS_ADD,
		    "two@a.example",
		    "['one@c.example']",
		    false,
		    true },
		{ .verb = ALIAS_ADD,
		    "@c.example",
		    "['@a.example']",
		    false,
		    false,
		    EDIT_INVALID,
		    "targets",
		    "leads back to itself" },
		{ .verb = ALIAS_REMOVE, "two@a.example", NULL, false, true },
		{ .verb = ALIAS_ADD,
		    "@c.example",
		    "['@a.example']",
		    false,
		    true },
		{ .verb = ALIAS_ADD,
		    "@a.example",
		    "['@c.example']",
		    false,
		    false,
		    EDIT_INVALID,
		    "targets" },
		{ .verb = ALIAS_ADD,
		    "@a.example",
		    "['@a.example']",
		    false,
		    false,
		    EDIT_INVALID,
		    "targets",
		    "lead to itself" },
		{ .verb = ALIAS_ADD,
		    "@a.example",
		    "['x@b.example']",
		    false,
		    false,
		    EDIT_INVALID,
		    "targets",
		    "written @example.net" },
		{ .verb = ALIAS_ADD,
		    "@a.example",
		    "['@no.example']",
		    false,
		    false,
		    EDIT_NOT_FOUND,
		    "targets" },
		/* depth: one -> ... -> ten is 10 steps with @c.example */
		{ .verb = ALIAS_ADD,
		    "two@a.example",
		    "['t3@a.example']",
		    false,
		    true },
		{ .verb = ALIAS_ADD,
		    "t3@a.example",
		    "['t4@a.example']",
		    false,
		    true },
		{ .verb = ALIAS_ADD,
		    "t4@a.example",
		    "['t5@a.example']",
		    false,
		    true },
		{ .verb = ALIAS_ADD,
		    "t5@a.example",
		    "['t6@a.example']",
		    false,
		    true },
		{ .verb = ALIAS_ADD,
		    "t6@a.example",
		    "['t7@a.example']",
		    false,
		    true },
		{ .verb = ALIAS_ADD,
		    "t7@a.example",
		    "['t8@a.example']",
		    false,
		    true },
		{ .verb = ALIAS_ADD,
		    "t8@a.example",
		    "['t9@a.example']",
		    false,
		    true },
		{ .verb = ALIAS_ADD,
		    "t9@a.example",
		    "['t10@a.example']",
		    false,
		    true },
		{ .verb = ALIAS_ADD,
		    "t10@a.example",
		    "['end@a.example']",
		    false,
		    false,
		    EDIT_INVALID,
		    "targets",
		    "more than 10 aliases in a row" },
		{ .verb = ALIAS_REMOVE, "@c.example", NULL, false, true },
		{ .verb = ALIAS_ADD,
		    "t10@a.example",
		    "['end@a.example']",
		    false,
		    true },
		{ .verb = ALIAS_ADD,
		    "zero@a.example",
		    "['one@a.example']",
		    false,
		    false,
		    EDIT_INVALID,
		    "targets",
		    "more than 10 aliases in a row" },
		{ .verb = ALIAS_ADD,
		    "end@a.example",
		    "['x@else.example']",
		    false,
		    false,
		    EDIT_INVALID,
		    "targets",
		    "mail for one@a.example would not arrive" },
		{ .verb = ALIAS_ADD,
		    "@c.example",
		    "['@a.example']",
		    false,
		    false,
		    EDIT_INVALID,
		    "targets",
		    "mail for one@c.example" },
	};
	struct lab *lab = *state;

	run_steps(lab, steps, ARRAY_LEN(steps));
}

/* ---- the rest of a change: audit, dry run, races ---- */

static json_t *
last_audit(struct lab *lab)
{
	struct store_reply *reply;
	const struct store_reply *fields;
	json_t *entry;
	size_t i;

	assert_int_equal(store_runf(lab->store, SETTINGS_KEY_AUDIT, &reply,
			     NULL, "XREVRANGE %s + - COUNT 1",
			     SETTINGS_KEY_AUDIT),
	    0);
	assert_int_equal(reply->count, 1);
	fields = &reply->items[0].items[1];
	entry = NULL;
	for (i = 0; i + 1 < fields->count; i += 2)
		if (bytes_equal(fields->items[i].text, BYTES_LIT("entry")))
			entry = json_loadb(fields->items[i + 1].text.data,
			    fields->items[i + 1].text.len, 0, NULL);
	assert_non_null(entry);
	store_reply_free(reply);
	return entry;
}

static void
test_audit(void **state)
{
	static const struct step steps[] = {
		{ .verb = DOMAIN_ADD,
		    "a.example",
		    "{'spam_points': 4}",
		    false,
		    true },
		{ .verb = OPTIONS,
		    "a.example",
		    "{'spam_points': '3'}",
		    false,
		    true },
	};
	struct lab *lab = *state;
	json_t *entry, *change, *want;

	run_steps(lab, steps, ARRAY_LEN(steps));
	entry = last_audit(lab);
	assert_string_equal(json_string_value(json_object_get(entry, "actor")),
	    "cli:test");
	assert_string_equal(json_string_value(json_object_get(entry, "action")),
	    "option.set");
	assert_string_equal(json_string_value(json_object_get(entry, "domain")),
	    "a.example");
	assert_true(llabs(json_integer_value(json_object_get(entry, "time")) -
			clock_wall_ms()) < 60000);
	change = json_array_get(json_object_get(entry, "changes"), 0);
	want = quoted("{'object': 'domain:a.example',"
		      " 'field': 'option:spam_points',"
		      " 'before': '4', 'after': '3'}");
	assert_true(json_equal(change, want));
	json_decref(want);
	json_decref(entry);
}

static void
test_dry_run(void **state)
{
	struct lab *lab = *state;
	bool changed = true;

	lab->edit.dry_run = true;
	assert_int_equal(edit_domain_add(&lab->edit, "a.example", NULL,
			     &changed, NULL),
	    0);
	assert_false(changed);
	assert_int_equal(generation(lab), 0);
}

#define THREADS 4
#define EDITS 25

struct editor {
	struct lab *lab;
	unsigned number;
	unsigned failed;
};

static void *
edit_many(void *context)
{
	struct editor *editor = context;
	struct edit edit = editor->lab->edit;
	struct edit_target target = { "a.example", NULL };
	struct err err;
	json_t *row;
	unsigned i;

	edit.settings = NULL;
	for (i = 0; i < EDITS; i++) {
		row = json_pack("{s:s, s:s, s:o}", "side", "sender", "kind",
		    "block", "pattern",
		    json_sprintf("@s%u-%u.example", editor->number, i));
		if (edit_list_add(&edit, target, row, NULL, &err) < 0)
			editor->failed++;
		json_decref(row);
	}
	return NULL;
}

/* Everybody gets through, nothing is lost, each change is one generation. */
static void
test_many_editors(void **state)
{
	static const struct step add = { .verb = DOMAIN_ADD,
		"a.example",
		NULL,
		false,
		true };
	struct lab *lab = *state;
	struct editor editors[THREADS];
	pthread_t threads[THREADS];
	struct store_reply *reply;
	unsigned i;

	run_steps(lab, &add, 1);
	for (i = 0; i < THREADS; i++) {
		editors[i] = (struct editor){ lab, i, 0 };
		assert_int_equal(pthread_create(&threads[i], NULL, edit_many,
				     &editors[i]),
		    0);
	}
	for (i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
		assert_int_equal(editors[i].failed, 0);
	}
	assert_int_equal(generation(lab), 1 + THREADS * EDITS);
	store_runf(lab->store, "sk:{cfg}:x", &reply, NULL,
	    "HLEN sk:{cfg}:domain:a.example");
	assert_int_equal(reply->integer, 1 + THREADS * EDITS);
	store_reply_free(reply);
	store_runf(lab->store, SETTINGS_KEY_AUDIT, &reply, NULL, "XLEN %s",
	    SETTINGS_KEY_AUDIT);
	assert_int_equal(reply->integer, 1 + THREADS * EDITS);
	store_reply_free(reply);
}

struct closer {
	struct lab *lab;
	const char *source, *target;
};

static void *
close_circle(void *context)
{
	const struct closer *closer = context;
	struct edit edit = closer->lab->edit;
	json_t *targets = json_pack("[s]", closer->target);
	int rc;

	edit.settings = NULL;
	rc = edit_alias_add(&edit, closer->source, targets, NULL, NULL, NULL);
	settings_unref(edit.settings);
	json_decref(targets);
	return rc == 0 ? context : NULL;
}

/* Two add one half of a circle each, at once: only one may succeed. */
static void
test_circle_race(void **state)
{
	static const struct step add = { .verb = DOMAIN_ADD,
		"a.example",
		NULL,
		false,
		true };
	static const struct step undo[] = {
		{ .verb = ALIAS_REMOVE, "x@a.example", NULL, false, true },
		{ .verb = ALIAS_REMOVE, "y@a.example", NULL, false, true },
	};
	struct lab *lab = *state;
	struct closer closers[2] = { { lab, "x@a.example", "y@a.example" },
		{ lab, "y@a.example", "x@a.example" } };
	pthread_t threads[2];
	void *first, *second;
	unsigned round;

	run_steps(lab, &add, 1);
	for (round = 0; round < 10; round++) {
		pthread_create(&threads[0], NULL, close_circle, &closers[0]);
		pthread_create(&threads[1], NULL, close_circle, &closers[1]);
		pthread_join(threads[0], &first);
		pthread_join(threads[1], &second);
		assert_true((first != NULL) != (second != NULL));
		run_steps(lab, first != NULL ? &undo[0] : &undo[1], 1);
	}
}

static void
test_store_away(void **state)
{
	struct lab *lab = *state;
	struct err err;

	redis_server_kill(&lab->redis);
	assert_int_equal(edit_domain_add(&lab->edit, "a.example", NULL, NULL,
			     &err),
	    -1);
	assert_int_equal(err.kind, ERR_TEMP);
}

#define LAB_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		LAB_TEST(test_domains),
		LAB_TEST(test_domain_goes_with_all),
		LAB_TEST(test_lists),
		cmocka_unit_test(test_times),
		LAB_TEST(test_routes),
		LAB_TEST(test_recipients),
		LAB_TEST(test_aliases),
		LAB_TEST(test_audit),
		LAB_TEST(test_dry_run),
		LAB_TEST(test_many_editors),
		LAB_TEST(test_circle_race),
		LAB_TEST(test_store_away),
	};

	if (!redis_server_is_installed()) {
		print_message("skipped: test_settings_edit (no redis-server), "
			      "%zu cases\n",
		    ARRAY_LEN(tests));
		return 77;
	}
	log_open("test_settings_edit", LOG_TARGET_STDERR, LOG_LEVEL_ERROR);
	return cmocka_run_group_tests_name("settings_edit", tests, NULL, NULL);
}
