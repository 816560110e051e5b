/*
 * test_socketmap.c - tests of milter/socketmap.c.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit.h"

#include "base/arena.h"
#include "policy/settings_build.h"

#include "milter/socketmap.h"

static const char directory[] =
    "{'domain:open.example': {'made': {},"
    "  'alias:team': {'to': ['jo@open.example', 'ann@listed.example']},"
    "  'alias:odd': {'to': ['a b@open.example']},"
    "  'alias:one': {'to': ['jo@open.example']},"
    "  'routes': [{'host': 'second.example', 'port': 2525,"
    "    'priority': 20},"
    "   {'host': 'first.example', 'port': 25, 'priority': 10,"
    "    'lookup_mx': true},"
    "   {'host': '2001:db8::1', 'port': 25, 'priority': 30}]},"
    " 'domain:listed.example': {'option:restrict_recipients': 'yes',"
    "  'recipient:ann': {}},"
    " 'domain:alias.example': {'alias_domain': {'to': 'listed.example'}},"
    " 'domain:xn--bcher-kva.example': {'made': {}},"
    " 'domain:loop1.example': {'alias_domain': {'to': 'loop2.example'}},"
    " 'domain:loop2.example': {'alias_domain': {'to': 'loop1.example'}}}";

static struct settings *
load(const char *quoted)
{
	char *copy = xstrdup(quoted), *p;
	struct settings *settings;
	struct err err = { 0 };
	json_error_t why;
	json_t *json;

	for (p = copy; *p != '\0'; p++)
		if (*p == '\'')
			*p = '"';
	json = json_loads(copy, 0, &why);
	if (json == NULL)
		fail_msg("%s", why.text);
	settings = settings_new_from_json(json, &err);
	if (settings == NULL)
		fail_msg("%s", err.text);
	json_decref(json);
	free(copy);
	return settings;
}

static void
test_answers(void **state)
{
	static const struct {
		const char *label, *request, *reply;
	} cases[] = {
		{ "our domain", "relay_domains open.example",
		    "OK open.example" },
		{ "in capitals", "relay_domains OPEN.Example",
		    "OK open.example" },
		{ "an IDN", "relay_domains bücher.example",
		    "OK xn--bcher-kva.example" },
		{ "not ours", "relay_domains other.example", "NOTFOUND " },
		{ "below ours", "relay_domains sub.open.example", "NOTFOUND " },
		{ "parent pattern", "relay_domains .open.example",
		    "NOTFOUND " },
		{ "an address is no domain", "relay_domains a@open.example",
		    "NOTFOUND " },
		{ "empty key", "relay_domains ", "NOTFOUND " },

		{ "routes by priority", "transport jo@open.example",
		    "OK relay:first.example:25, [second.example]:2525, "
		    "[2001:db8::1]:25" },
		{ "a bare domain", "transport open.example",
		    "OK relay:first.example:25, [second.example]:2525, "
		    "[2001:db8::1]:25" },
		{ "no routes: Postfix's default",
		    "transport ann@listed.example", "NOTFOUND " },
		{ "everything", "transport *", "NOTFOUND " },
		{ "null sender", "transport <>", "NOTFOUND " },
		{ "no domain", "transport postmaster", "NOTFOUND " },
		{ "foreign", "transport a@other.example", "NOTFOUND " },

		{ "listed", "recipients ann@listed.example",
		    "OK ann@listed.example" },
		{ "with extension", "recipients ann+tag@listed.example",
		    "OK ann+tag@listed.example" },
		{ "not listed", "recipients bob@listed.example", "NOTFOUND " },
		{ "open domain", "recipients whoever@open.example",
		    "OK whoever@open.example" },
		{ "quoted", "recipients \"a b\"@open.example",
		    "OK a b@open.example" },
		{ "as Postfix unquotes it", "recipients a b@open.example",
		    "OK a b@open.example" },
		{ "by domain alias", "recipients ann@alias.example",
		    "OK ann@alias.example" },
		{ "by domain alias, not listed", "recipients x@alias.example",
		    "NOTFOUND " },
		{ "circle", "recipients ann@loop1.example",
		    "TEMP alias circle, or too many steps" },
		{ "foreign recipient", "recipients a@other.example",
		    "NOTFOUND " },
		{ "null recipient", "recipients <>", "NOTFOUND " },
		{ "no @", "recipients open.example", "NOTFOUND " },
		{ "catch-all pattern", "recipients @open.example",
		    "NOTFOUND " },

		{ "many", "aliases team@open.example",
		    "OK jo@open.example, ann@listed.example" },
		{ "one", "aliases one@open.example", "OK jo@open.example" },
		{ "extension of an alias", "aliases team+x@open.example",
		    "OK jo@open.example, ann@listed.example" },
		{ "a name in need of quotes", "aliases odd@open.example",
		    "OK \"a b\"@open.example" },
		{ "no alias", "aliases jo@open.example", "NOTFOUND " },
		{ "extension of a mailbox", "aliases jo+x@open.example",
		    "NOTFOUND " },
		{ "domain alias", "aliases ann@alias.example",
		    "OK ann@listed.example" },
		{ "alias circle", "aliases ann@loop1.example",
		    "TEMP alias circle, or too many steps" },
		{ "unknown user", "aliases bob@listed.example", "NOTFOUND " },
		{ "wildcard domain", "aliases @open.example", "NOTFOUND " },

		{ "no such map", "sendmail a@b", "PERM no such map" },
		{ "no key", "transport", "PERM the request has no key" },
		{ "nothing", "", "PERM the request has no key" },
	};
	struct settings *settings = load(directory);
	struct buf out;
	size_t i;

	(void)state;
	buf_init(&out, SOCKETMAP_REPLY_MAX);
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		buf_reset(&out);
		if (socketmap_answer(settings, "+", bytes_of(cases[i].request),
			&out) < 0)
			case_fail(cases[i].label, "did not fit");
		if (strcmp(buf_str(&out), cases[i].reply) != 0)
			case_fail(cases[i].label, "'%s'", buf_str(&out));
	}
	buf_free(&out);
	settings_unref(settings);
}

/* Not loaded is never "not found": that would bounce mail. */
static void
test_not_loaded(void **state)
{
	static const char *const requests[] = { "relay_domains open.example",
		"transport jo@open.example", "recipients jo@open.example",
		"aliases jo@open.example" };
	struct buf out;
	size_t i;

	(void)state;
	buf_init(&out, SOCKETMAP_REPLY_MAX);
	for (i = 0; i < ARRAY_LEN(requests); i++) {
		buf_reset(&out);
		assert_int_equal(socketmap_answer(NULL, "+",
				     bytes_of(requests[i]), &out),
		    0);
		assert_memory_equal(buf_str(&out), "TEMP ", 5);
	}
	buf_free(&out);
}

static void
test_does_not_fit(void **state)
{
	struct settings *settings = load(directory);
	struct buf out;

	(void)state;
	buf_init(&out, 10);
	assert_int_equal(socketmap_answer(settings, "+",
			     BYTES_LIT("aliases team@open.example"), &out),
	    -1);
	buf_free(&out);
	settings_unref(settings);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_not_loaded),
		cmocka_unit_test(test_does_not_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
