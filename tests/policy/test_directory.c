/*
 * test_directory.c - tests of policy/directory.c.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit.h"

#include "base/arena.h"
#include "mail/address.h"
#include "policy/settings_build.h"

static const char text[] =
    "{'domain:open.example': {'made': {},"
    "  'alias:info': {'to': ['jo@open.example', 'ann@listed.example']},"
    "  'alias:keep': {'to': ['keep@open.example', 'jo@open.example']},"
    "  'alias:out': {'to': ['x@elsewhere.example']},"
    "  'alias:twice': {'to': ['info@open.example', 'jo@open.example']},"
    "  'alias:half': {'to': ['ghost@listed.example', 'jo@open.example']},"
    "  'alias:dead': {'to': ['ghost@listed.example']},"
    "  'alias:tag+me': {'to': ['ann@listed.example']},"
    "  'alias:c1': {'to': ['c2@open.example']},"
    "  'alias:c2': {'to': ['c3+x@open.example']},"
    "  'alias:c3': {'to': ['jo@open.example', 'c1@open.example']},"
    "  'recipient:a+b': {}},"
    " 'domain:listed.example': {'option:restrict_recipients': 'yes',"
    "  'recipient:ann': {}, 'recipient:bob': {},"
    "  'alias:office': {'to': ['ann@listed.example',"
    "   'bob@listed.example']}},"
    " 'domain:alias.example': {'made': {},"
    "  'alias:own': {'to': ['bob@listed.example']},"
    "  'alias_domain': {'to': 'listed.example'}},"
    " 'domain:loop1.example': {'alias_domain': {'to': 'loop2.example'}},"
    " 'domain:loop2.example': {'alias_domain': {'to': 'loop1.example'}},"
    " 'domain:routes.example': {'routes': ["
    "  {'host': 'second.example', 'port': 2525, 'priority': 20},"
    "  {'host': 'first.example', 'port': 25, 'priority': 10,"
    "   'lookup_mx': true}]}}";

static struct settings *
load(const char *quoted)
{
	char *copy = xstrdup(quoted), *p;
	struct settings *settings;
	json_error_t why;
	json_t *json;

	for (p = copy; *p != '\0'; p++)
		if (*p == '\'')
			*p = '"';
	json = json_loads(copy, 0, &why);
	if (json == NULL)
		fail_msg("%s", why.text);
	settings = settings_new_from_json(json, NULL);
	assert_non_null(settings);
	json_decref(json);
	free(copy);
	return settings;
}

static void
join_mailboxes(const struct directory_result *result, char *out, size_t size)
{
	size_t i, len = 0;

	out[0] = '\0';
	for (i = 0; i < result->count; i++)
		len += (size_t)snprintf(out + len, size - len, "%s%s",
		    i > 0 ? " " : "", result->mailboxes[i]);
}

static void
test_resolve(void **state)
{
	static const struct {
		const char *label, *address, *delimiter;
		enum directory_answer answer;
		const char *mailboxes;
		bool aliased;
	} cases[] = {
		{ "not ours", "x@elsewhere.example", "+", DIRECTORY_NOT_OURS,
		    "", false },
		{ "open domain", "Any@Open.Example", "+", DIRECTORY_FOUND,
		    "any@open.example", false },
		{ "open domain, tag", "any+x@open.example", "+",
		    DIRECTORY_FOUND, "any@open.example", false },
		{ "no delimiter", "any+x@open.example", "", DIRECTORY_FOUND,
		    "any+x@open.example", false },
		{ "one of two delimiters", "any-x@open.example", "+-",
		    DIRECTORY_FOUND, "any@open.example", false },
		{ "starts with the delimiter", "+x@open.example", "+",
		    DIRECTORY_FOUND, "+x@open.example", false },
		{ "listed with its tag", "a+b@open.example", "+",
		    DIRECTORY_FOUND, "a+b@open.example", false },
		{ "listed", "ann@listed.example", "+", DIRECTORY_FOUND,
		    "ann@listed.example", false },
		{ "listed, tag", "ann+x@listed.example", "+", DIRECTORY_FOUND,
		    "ann@listed.example", false },
		{ "not listed", "nobody@listed.example", "+", DIRECTORY_UNKNOWN,
		    "", false },
		{ "not listed, tag", "nobody+ann@listed.example", "+",
		    DIRECTORY_UNKNOWN, "", false },
		{ "alias to two", "info@open.example", "+", DIRECTORY_FOUND,
		    "jo@open.example ann@listed.example", true },
		{ "alias with tag", "info+x@open.example", "+", DIRECTORY_FOUND,
		    "jo@open.example ann@listed.example", true },
		{ "alias of the tagged name", "tag+me@open.example", "+",
		    DIRECTORY_FOUND, "ann@listed.example", true },
		{ "alias that keeps a copy", "keep@open.example", "+",
		    DIRECTORY_FOUND, "keep@open.example jo@open.example",
		    true },
		{ "the same with a tag", "keep+x@open.example", "+",
		    DIRECTORY_FOUND, "keep@open.example jo@open.example",
		    true },
		{ "alias to elsewhere", "out@open.example", "+",
		    DIRECTORY_FOUND, "x@elsewhere.example", true },
		{ "each mailbox once", "twice@open.example", "+",
		    DIRECTORY_FOUND, "jo@open.example ann@listed.example",
		    true },
		{ "a target that is gone", "half@open.example", "+",
		    DIRECTORY_FOUND, "jo@open.example", true },
		{ "all targets gone", "dead@open.example", "+",
		    DIRECTORY_UNKNOWN, "", false },
		{ "alias in a listed domain", "office@listed.example", "+",
		    DIRECTORY_FOUND, "ann@listed.example bob@listed.example",
		    true },
		{ "domain alias", "ann@alias.example", "+", DIRECTORY_FOUND,
		    "ann@listed.example", true },
		{ "domain alias, tag", "ann+x@alias.example", "+",
		    DIRECTORY_FOUND, "ann@listed.example", true },
		{ "domain alias, then mailbox alias", "office@alias.example",
		    "+", DIRECTORY_FOUND,
		    "ann@listed.example bob@listed.example", true },
		{ "mailbox alias before domain alias", "own@alias.example", "+",
		    DIRECTORY_FOUND, "bob@listed.example", true },
		{ "domain alias, unknown there", "nobody@alias.example", "+",
		    DIRECTORY_UNKNOWN, "", false },
		{ "circle", "c1@open.example", "+", DIRECTORY_BROKEN, "",
		    false },
		{ "circle through a tag", "c3@open.example", "+",
		    DIRECTORY_BROKEN, "", false },
		{ "circle of domains", "x@loop1.example", "+", DIRECTORY_BROKEN,
		    "", false },
	};
	struct settings *settings = load(text);
	struct arena *arena = arena_new(0);
	struct directory_result result;
	enum directory_answer answer;
	struct address address;
	char got[400];
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		memset(&result, 0, sizeof(result));
		if (address_parse(arena, bytes_of(cases[i].address), &address,
			NULL) < 0)
			case_fail(cases[i].label, "bad address in the case");
		answer = directory_resolve(settings, arena, &address,
		    cases[i].delimiter, &result);
		join_mailboxes(&result, got, sizeof(got));
		if (answer != cases[i].answer)
			case_fail(cases[i].label, "answer %d", (int)answer);
		if (strcmp(got, cases[i].mailboxes) != 0)
			case_fail(cases[i].label, "got %s", got);
		if (result.aliased != cases[i].aliased)
			case_fail(cases[i].label, "aliased");
	}
	arena_free(arena);
	settings_unref(settings);
}

/* A chain of n aliases: a0 -> a1 -> ... -> an. */
static enum directory_answer
resolve_chain(size_t n)
{
	struct settings_build *build = settings_build_new(NULL);
	struct arena *arena = arena_new(0);
	struct bytes *fields = arena_calloc(arena, 2 * n, sizeof(*fields));
	struct directory_result result;
	enum directory_answer answer;
	struct settings *settings;
	struct address address;
	size_t i;

	for (i = 0; i < n; i++) {
		fields[2 * i] = bytes_of(arena_printf(arena, "alias:a%zu", i));
		fields[2 * i + 1] = bytes_of(arena_printf(arena,
		    "{\"to\":[\"a%zu@d.example\"]}", i + 1));
	}
	settings_build_put(build, "domain:d.example", n, fields, NULL);
	settings = settings_build_finish(build, 1);
	settings_build_free(build);
	address_parse(arena, BYTES_LIT("a0@d.example"), &address, NULL);
	answer = directory_resolve(settings, arena, &address, "", &result);
	settings_unref(settings);
	arena_free(arena);
	return answer;
}

static void
test_depth(void **state)
{
	(void)state;
	assert_int_equal(resolve_chain(DIRECTORY_DEPTH_MAX), DIRECTORY_FOUND);
	assert_int_equal(resolve_chain(DIRECTORY_DEPTH_MAX + 1),
	    DIRECTORY_BROKEN);
}

/* An alias to `wide` aliases, each to the same `wide` mailboxes plus one of
 * its own. */
static enum directory_answer
resolve_wide(size_t wide, size_t *count)
{
	struct settings_build *build = settings_build_new(NULL);
	struct arena *arena = arena_new(0);
	struct bytes *fields =
	    arena_calloc(arena, 2 * (wide + 1), sizeof(*fields));
	struct directory_result result = { .count = 0 };
	enum directory_answer answer;
	struct settings *settings;
	struct address address;
	struct buf all;
	size_t i;

	buf_init(&all, 1 << 20);
	for (i = 0; i < wide; i++) {
		buf_printf(&all, "%s\"m%zu@d.example\"", i > 0 ? "," : "", i);
		fields[2 * i] = bytes_of(arena_printf(arena, "alias:m%zu", i));
		fields[2 * i + 1] = bytes_of(arena_printf(arena,
		    "{\"to\":[\"same@d.example\",\"own%zu@d.example\"]}", i));
	}
	fields[2 * wide] = BYTES_LIT("alias:all");
	fields[2 * wide + 1] =
	    bytes_of(arena_printf(arena, "{\"to\":[%s]}", buf_str(&all)));
	assert_int_equal(settings_build_put(build, "domain:d.example", wide + 1,
			     fields, NULL),
	    0);
	settings = settings_build_finish(build, 1);
	settings_build_free(build);
	address_parse(arena, BYTES_LIT("all@d.example"), &address, NULL);
	answer = directory_resolve(settings, arena, &address, "", &result);
	*count = result.count;
	settings_unref(settings);
	arena_free(arena);
	buf_free(&all);
	return answer;
}

static void
test_fanout(void **state)
{
	size_t count;

	(void)state;
	assert_int_equal(resolve_wide(DIRECTORY_FANOUT_MAX - 1, &count),
	    DIRECTORY_FOUND);
	assert_int_equal(count, DIRECTORY_FANOUT_MAX);
	assert_int_equal(resolve_wide(DIRECTORY_FANOUT_MAX, &count),
	    DIRECTORY_BROKEN);
}

static void
test_routes(void **state)
{
	struct settings *settings = load(text);
	const struct directory_route *routes;

	(void)state;
	assert_int_equal(directory_routes(settings, "routes.example", &routes),
	    2);
	assert_string_equal(routes[0].host, "first.example");
	assert_int_equal(routes[0].port, 25);
	assert_true(routes[0].lookup_mx);
	assert_string_equal(routes[1].host, "second.example");
	assert_int_equal(routes[1].port, 2525);
	assert_false(routes[1].lookup_mx);
	assert_int_equal(directory_routes(settings, "open.example", &routes),
	    0);
	assert_int_equal(directory_routes(settings, "no.example", &routes), 0);
	settings_unref(settings);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_resolve),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_fanout),
		cmocka_unit_test(test_routes),
	};

	return cmocka_run_group_tests_name("directory", tests, NULL, NULL);
}
