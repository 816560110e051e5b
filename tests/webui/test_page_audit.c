/*
 * test_page_audit.c - changes of settings as people read them.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "tests/unit.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "webui/page_audit.h"

/* One change, and its "name|before|after|mark" as a page shows it. */
static const struct {
	const char *label, *change, *en, *ja;
} rows[] = {
	{ "an option that was set", "{'field':'option:size_max','after':'1M'}",
	    "Message size limit||1M|", "メールサイズの上限||1M|" },
	{ "an option that is inherited again",
	    "{'field':'option:size_max','before':'1M','after':null}",
	    "Message size limit|1M||", "メールサイズの上限|1M||" },
	{ "an option of a newer program", "{'field':'option:zz','after':'1'}",
	    "zz||1|", "zz||1|" },
	{ "servers of a route",
	    "{'field':'routes',"
	    "'before':[{'host':'192.0.2.1','port':25,'priority':10}],"
	    "'after':[{'host':'192.0.2.1','port':25,'priority':10},"
	    "{'host':'mx.example.jp','port':2525,'priority':20}]}",
	    "Routes|192.0.2.1:25 (10)|"
	    "192.0.2.1:25 (10), mx.example.jp:2525 (20)|",
	    "配送ルート|192.0.2.1:25 (10)|"
	    "192.0.2.1:25 (10), mx.example.jp:2525 (20)|" },
	{ "a row that came, with nothing to say",
	    "{'field':'list:sender:block:@spam.example',"
	    "'after':{'added_by':'cli:root','added_s':1}}",
	    "Sender, Block: @spam.example|||added", NULL },
	{ "a row for an IPv6 network keeps its colons",
	    "{'field':'list:client:allow:2001:db8::/32',"
	    "'after':{'added_by':'a','comment':'ours'}}",
	    "Client IP address, Allow: 2001:db8::/32||comment: ours|", NULL },
	{ "a recipient that went",
	    "{'field':'recipient:taro','before':{'added_s':1}}",
	    "Recipient taro|||removed", NULL },
	{ "targets of an alias",
	    "{'field':'alias:info','after':{'to':['a@b.jp','c@d.jp'],"
	    "'added_s':1}}",
	    "Alias info||to: a@b.jp, c@d.jp|", NULL },
	{ "numbers and truth", "{'field':'x','before':true,'after':[1,2.5]}",
	    "x|yes|1, 2.5|", NULL },
	{ "too deep", "{'field':'x','after':[[[[[1]]]]]}", "x||...|", NULL },
	{ "a list row without its parts", "{'field':'list:sender','after':'1'}",
	    "sender||1|", NULL },
	{ "no field at all", "{'after':'1'}", "||1|", NULL },
	{ "markup stays text, the template escapes it",
	    "{'field':'option:zz','after':'<b>'}", "zz||<b>|", NULL },
};

static const char *
text_of(const json_t *change, const char *name)
{
	const char *text = json_string_value(json_object_get(change, name));

	return text != NULL ? text : "";
}

static void
expect(const char *label, enum language language, const char *change,
    const char *expected)
{
	json_t *entries, *readable, *shown;
	char *json = xprintf("[{\"changes\":[%s]}]", change), *got, *p;

	for (p = json; *p != '\0'; p++)
		if (*p == '\'')
			*p = '"';
	entries = json_loads(json, 0, NULL);
	assert_non_null(entries);
	readable = page_audit_entries(language, entries);
	shown = json_array_get(json_object_get(json_array_get(readable, 0),
				   "changes"),
	    0);
	got = xprintf("%s|%s|%s|%s", text_of(shown, "name"),
	    text_of(shown, "mark")[0] != '\0' ? "" : text_of(shown, "before"),
	    text_of(shown, "mark")[0] != '\0' ? "" : text_of(shown, "after"),
	    text_of(shown, "mark"));
	if (strcmp(got, expected) != 0)
		fail_msg("%s: got '%s', not '%s'", label, got, expected);
	free(got);
	free(json);
	json_decref(readable);
	json_decref(entries);
}

static void
test_changes(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		expect(rows[i].label, LANGUAGE_EN, rows[i].change, rows[i].en);
		if (rows[i].ja != NULL)
			expect(rows[i].label, LANGUAGE_JA, rows[i].change,
			    rows[i].ja);
	}
}

/* What does not fit is left out, and that is shown. */
static void
test_long_value(void **state)
{
	json_t *entries, *readable;
	const char *after;
	char *json, *long_text = malloc(3 * 5000 + 1);
	size_t i;

	(void)state;
	assert_non_null(long_text);
	for (i = 0; i < 5000; i++)
		memcpy(long_text + 3 * i, "関", 3);
	long_text[3 * 5000] = '\0';
	json = xprintf("[{\"changes\":[{\"field\":\"x\",\"after\":[\"%s\","
		       "\"%s\"]}]}]",
	    "a", long_text);
	entries = json_loads(json, 0, NULL);
	readable = page_audit_entries(LANGUAGE_EN, entries);
	after =
	    text_of(json_array_get(json_object_get(json_array_get(readable, 0),
				       "changes"),
			0),
		"after");
	assert_string_equal(after, "a, ...");
	free(long_text);
	free(json);
	json_decref(readable);
	json_decref(entries);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_changes),
		cmocka_unit_test(test_long_value),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
