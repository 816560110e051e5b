/*
 * test_settings_import.c - tests of tables in and out, with a real Redis.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/redis_server.h"
#include "tests/unit.h"

#include "base/arena.h"
#include "base/log.h"
#include "base/store.h"
#include "policy/settings_edit.h"
#include "policy/table_text.h"

struct lab {
	struct redis_server redis;
	struct edit edit;
	struct arena *arena;
	struct import_result result;
	struct err err;
};

static int
setup(void **state)
{
	struct lab *lab = xcalloc(1, sizeof(*lab));
	struct store_options options = { .timeout_ms = PATIENCE_MS };

	redis_server_start(&lab->redis, false, NULL);
	options.url = lab->redis.url;
	lab->edit.store = store_open(&options, NULL);
	assert_non_null(lab->edit.store);
	lab->edit.actor = "cli:test";
	lab->edit.delimiter = "+";
	lab->arena = arena_new(0);
	edit_domain_add(&lab->edit, "a.example", NULL, NULL, NULL);
	edit_domain_add(&lab->edit, "b.example", NULL, NULL, NULL);
	*state = lab;
	return 0;
}

static int
teardown(void **state)
{
	struct lab *lab = *state;

	settings_unref(lab->edit.settings);
	store_close(lab->edit.store);
	redis_server_stop(&lab->redis);
	arena_free(lab->arena);
	free(lab);
	return 0;
}

static int
import(struct lab *lab, enum table table, const struct import_scope *scope,
    const char *csv)
{
	static const struct import_scope all = { .domain = NULL };

	return edit_import(&lab->edit, table, scope != NULL ? scope : &all,
	    bytes_of(csv), lab->arena, &lab->result, &lab->err);
}

static void
import_well(struct lab *lab, enum table table, const struct import_scope *scope,
    const char *csv, size_t added, size_t changed, size_t removed)
{
	if (import(lab, table, scope, csv) < 0)
		fail_msg("%s: %s", csv, lab->err.text);
	if (lab->result.added != added || lab->result.changed != changed ||
	    lab->result.removed != removed)
		fail_msg("%s: added %zu, changed %zu, removed %zu", csv,
		    lab->result.added, lab->result.changed,
		    lab->result.removed);
}

static uint64_t
generation(struct lab *lab)
{
	uint64_t value = 0;

	assert_true(
	    settings_stored_generation(lab->edit.store, &value, NULL) >= 0);
	return value;
}

static struct settings *
load(struct lab *lab)
{
	struct settings *settings =
	    settings_load(lab->edit.store, NULL, &lab->err);

	if (settings == NULL)
		fail_msg("%s", lab->err.text);
	return settings;
}

static void
want_export(struct lab *lab, enum table table, const struct import_scope *scope,
    const char *want)
{
	static const struct import_scope all = { .domain = NULL };
	struct settings *settings = load(lab);
	struct buf out;

	buf_init(&out, 1 << 20);
	if (edit_export(lab->edit.store, settings, table,
		scope != NULL ? scope : &all, &out, &lab->err) < 0)
		fail_msg("%s", lab->err.text);
	assert_string_equal(buf_str(&out), want);
	buf_free(&out);
	settings_unref(settings);
}

/* ---- what is refused ---- */

static void
test_problems(void **state)
{
	static const struct {
		const char *label;
		enum table table;
		const char *csv;
		unsigned line;
		const char *field, *text;
	} cases[] = {
		{ "empty", TABLE_LISTS, "", 0, "", "the table is empty" },
		{ "no such column", TABLE_ALIASES, "source,targets,note\n", 1,
		    "", "no column 'note'; the columns are source, targets" },
		{ "a column twice", TABLE_ALIASES, "source,targets,Source\n", 1,
		    "", "is there twice" },
		{ "a column missing", TABLE_LISTS, "side,pattern\n", 1, "kind",
		    "the column 'kind' is missing" },
		{ "too many fields", TABLE_RECIPIENTS,
		    "address\na@a.example,x\n", 2, "", "more fields" },
		{ "a quote without end", TABLE_RECIPIENTS,
		    "address\n\"a@a.example\n", 2, "", "quote" },
		{ "not UTF-8, not CP932", TABLE_RECIPIENTS,
		    "address,comment\na@a.example,x\nb@a.example,\x85\xff\n", 3,
		    "", "neither UTF-8 nor CP932" },
		{ "UTF-16", TABLE_RECIPIENTS,
		    "\xff\xfe"
		    "a",
		    0, "", "UTF-16" },
		{ "address", TABLE_RECIPIENTS, "address\n\nno address\n", 3,
		    "address", "is no address" },
		{ "no domain", TABLE_RECIPIENTS, "address\nx@no.example\n", 2,
		    "address", "there is no domain no.example" },
		{ "option", TABLE_RECIPIENTS,
		    "address,spam_points\nx@a.example,much\n", 2, "spam_points",
		    "spam_points: must be -100 to 100" },
		{ "option of another level", TABLE_RECIPIENTS,
		    "address,split\nx@a.example,rcpt\n", 2, "split",
		    "cannot be set for a mailbox" },
		{ "doubles", TABLE_RECIPIENTS,
		    "address\nx@a.example\ny@a.example\nX@A.example\n", 4, "",
		    "says again what line 2 says" },
		{ "side", TABLE_LISTS,
		    "side,kind,pattern,domain\nfrom,block,@x.y,a.example\n", 2,
		    "side", "side: must be" },
		{ "mailbox not in the domain", TABLE_LISTS,
		    "side,kind,pattern,domain,mailbox\n"
		    "sender,block,@x.y,a.example,x@b.example\n",
		    2, "mailbox", "outside" },
		{ "route", TABLE_ROUTES,
		    "domain,host,port\na.example,mx.a.example,70000\n", 2,
		    "port", "1 to 65535" },
		{ "a server twice", TABLE_ROUTES,
		    "domain,host\na.example,mx\na.example,MX\n", 3, "host",
		    "twice" },
		{ "alias without targets", TABLE_ALIASES,
		    "source,targets\nx@a.example,\n", 2, "targets",
		    "1 to 200" },
		{ "circle within the table", TABLE_ALIASES,
		    "source,targets\nx@a.example,y@a.example\n"
		    "y@a.example,x@a.example\n",
		    0, "targets", "leads back to itself" },
		{ "domain", TABLE_DOMAINS, "domain\na b\n", 2, "domain",
		    "is no domain" },
	};
	struct lab *lab = *state;
	uint64_t before = generation(lab);
	const struct import_problem *problem;
	size_t i;

	for (i = 0; i < ARRAY_LEN(cases); i++) {
		if (import(lab, cases[i].table, NULL, cases[i].csv) == 0)
			case_fail(cases[i].label, "taken");
		if (lab->err.kind != ERR_INPUT ||
		    lab->edit.problem != EDIT_INVALID)
			case_fail(cases[i].label, "%s", lab->err.text);
		problem = &lab->result.problems[0];
		if (lab->result.problem_count == 0 ||
		    problem->line != cases[i].line ||
		    strcmp(problem->field, cases[i].field) != 0)
			case_fail(cases[i].label, "line %u field '%s': %s",
			    problem->line, problem->field, lab->err.text);
		if (strstr(problem->text, cases[i].text) == NULL ||
		    strstr(lab->err.text, cases[i].text) == NULL)
			case_fail(cases[i].label, "says: %s", lab->err.text);
		if (generation(lab) != before)
			case_fail(cases[i].label, "something was written");
	}
}

static void
test_all_problems_are_told(void **state)
{
	struct lab *lab = *state;
	struct buf csv;
	unsigned i;

	assert_int_equal(import(lab, TABLE_RECIPIENTS, NULL,
			     "address,locked\nx@a.example,perhaps\n"
			     "good@a.example,yes\nbad\nz@no.example,\n"),
	    -1);
	assert_int_equal(lab->result.problem_count, 3);
	assert_int_equal(lab->result.problems[1].line, 4);
	assert_int_equal(lab->result.problems[2].line, 5);
	buf_init(&csv, 1 << 20);
	buf_append_str(&csv, "address\n");
	for (i = 0; i < 100; i++)
		buf_printf(&csv, "bad%u\n", i);
	assert_int_equal(import(lab, TABLE_RECIPIENTS, NULL, buf_str(&csv)),
	    -1);
	assert_int_equal(lab->result.problem_count, IMPORT_PROBLEMS_MAX);
	buf_free(&csv);
}

/* ---- tables go round ---- */

static void
test_lists(void **state)
{
	static const struct import_scope a = { .domain = "a.example" };
	static const struct import_scope jo = { .domain = "a.example",
		.mailbox = "jo@a.example" };
	static const struct import_scope whole = { .domain = "a.example",
		.replace_all = true };
	static const char table[] =
	    "side,kind,pattern,domain,mailbox,action,unauthenticated,"
	    "lifts_dmarc,expires,comment\r\n"
	    "client,block,192.0.2.0/24,a.example,,reject,,,,\r\n"
	    "sender,allow,.good.example,a.example,,,yes,yes,"
	    "2035-01-31T15:00:00.000Z,\"Müller, \"\"Co\"\"\"\r\n"
	    "sender,allow,x@y.example,a.example,jo@a.example,,,,,'=1+1\r\n";
	struct lab *lab = *state;

	import_well(lab, TABLE_LISTS, NULL,
	    "\xef\xbb\xbfPattern, Kind ,side,unauthenticated,lifts_dmarc,"
	    "expires,comment,domain,mailbox,action\n"
	    "192.0.2.0/24,BLOCK,client,,,,,a.example,,reject\n"
	    ".Good.example,allow,sender,on,1,2035-02-01T00:00:00+09:00,"
	    "\"Müller, \"\"Co\"\"\",a.example,,\n"
	    "x@y.example,allow,sender,,,,'=1+1,,jo@a.example,\n"
	    "@all.example,block,sender,,,,,,,\n",
	    4, 0, 0);
	want_export(lab, TABLE_LISTS, &a, table);
	import_well(lab, TABLE_LISTS, NULL, table, 0, 0, 0);
	want_export(lab, TABLE_LISTS, &jo,
	    "side,kind,pattern,domain,mailbox,action,unauthenticated,"
	    "lifts_dmarc,expires,comment\r\n"
	    "sender,allow,x@y.example,a.example,jo@a.example,,,,,'=1+1\r\n");
	/* What the scope says need not be said. */
	import_well(lab, TABLE_LISTS, &jo,
	    "side,kind,pattern\nsender,block,@z.example\n", 1, 0, 0);
	import_well(lab, TABLE_LISTS, &whole,
	    "side,kind,pattern,action\nclient,block,192.0.2.0/24,defer\n", 0, 1,
	    3);
	want_export(lab, TABLE_LISTS, NULL,
	    "side,kind,pattern,domain,mailbox,action,unauthenticated,"
	    "lifts_dmarc,expires,comment\r\n"
	    "sender,block,@all.example,,,,,,,\r\n"
	    "client,block,192.0.2.0/24,a.example,,defer,,,,\r\n");
	/* Rows for others are not this table's business. */
	assert_int_equal(import(lab, TABLE_LISTS, &a,
			     "side,kind,pattern,domain\n"
			     "sender,block,@x.y,b.example\n"),
	    -1);
	assert_int_equal(import(lab, TABLE_LISTS, &jo,
			     "side,kind,pattern,mailbox\n"
			     "sender,block,@x.y,ann@a.example\n"),
	    -1);
}

static void
test_recipients(void **state)
{
	static const struct import_scope whole = { .domain = "a.example",
		.replace_all = true };
	struct lab *lab = *state;
	struct settings *settings;

	import_well(lab, TABLE_RECIPIENTS, NULL,
	    "address,comment,spam_points,locked\n"
	    "Jo@a.example,boss,4,\nann@a.example,,,yes\nx@b.example\n",
	    3, 0, 0);
	want_export(lab, TABLE_RECIPIENTS, NULL,
	    "address,comment,locked,spam_points\r\n"
	    "ann@a.example,,yes,\r\njo@a.example,boss,,4\r\n"
	    "x@b.example,,,\r\n");
	/* An empty cell leaves the setting as it is... */
	import_well(lab, TABLE_RECIPIENTS, NULL,
	    "address,comment,spam_points,locked\njo@a.example,boss,,no\n", 0, 1,
	    0);
	/* ... but for a table that is the whole. */
	import_well(lab, TABLE_RECIPIENTS, &whole,
	    "address,comment,spam_points,locked\njo@a.example,boss,,no\n", 0, 1,
	    1);
	want_export(lab, TABLE_RECIPIENTS, NULL,
	    "address,comment,locked\r\njo@a.example,boss,no\r\n"
	    "x@b.example,,\r\n");
	settings = load(lab);
	assert_false(settings_policy(settings, "ann@a.example")->locked);
	settings_unref(settings);
}

static void
test_aliases(void **state)
{
	static const struct import_scope whole = { .domain = "a.example",
		.replace_all = true };
	struct lab *lab = *state;

	/* The second needs the first, the third the fourth. */
	import_well(lab, TABLE_ALIASES, NULL,
	    "source,targets,comment\n"
	    "info@a.example,\"jo@a.example, ann@b.example\",Büro\n"
	    "sales@b.example,info@a.example\n"
	    "one@a.example,two@a.example\ntwo@a.example,jo@a.example\n"
	    "@b.example,@a.example\n",
	    5, 0, 0);
	want_export(lab, TABLE_ALIASES, NULL,
	    "source,targets,comment\r\n"
	    "info@a.example,jo@a.example ann@b.example,Büro\r\n"
	    "one@a.example,two@a.example,\r\n"
	    "two@a.example,jo@a.example,\r\n"
	    "@b.example,@a.example,\r\n"
	    "sales@b.example,info@a.example,\r\n");
	/* What goes with the same table makes room. */
	import_well(lab, TABLE_ALIASES, &whole,
	    "source,targets\ntwo@a.example,one@a.example\n"
	    "info@a.example,jo@a.example\n",
	    0, 2, 1);
	/* Into what is there. */
	assert_int_equal(import(lab, TABLE_ALIASES, NULL,
			     "source,targets\none@a.example,two@b.example\n"),
	    -1);
	assert_non_null(strstr(lab->err.text, "leads back to itself"));
}

static void
test_routes(void **state)
{
	static const struct import_scope whole = { .replace_all = true };
	struct lab *lab = *state;

	import_well(lab, TABLE_ROUTES, NULL,
	    "domain,host,port,priority,lookup_mx\n"
	    "a.example,mx.a.example,,20,\n"
	    "b.example,mx.b.example,25,,yes\n"
	    "a.example,[192.0.2.1],2525,10,\n",
	    2, 0, 0);
	want_export(lab, TABLE_ROUTES, NULL,
	    "domain,host,port,priority,lookup_mx\r\n"
	    "a.example,192.0.2.1,2525,10,\r\n"
	    "a.example,mx.a.example,25,20,\r\n"
	    "b.example,mx.b.example,25,10,yes\r\n");
	/* The rows of a domain are its routes. */
	import_well(lab, TABLE_ROUTES, NULL,
	    "domain,host\na.example,new.a.example\n", 0, 1, 0);
	import_well(lab, TABLE_ROUTES, &whole,
	    "domain,host\na.example,new.a.example\n", 0, 0, 1);
	want_export(lab, TABLE_ROUTES, NULL,
	    "domain,host,port,priority,lookup_mx\r\n"
	    "a.example,new.a.example,25,10,\r\n");
}

static void
test_domains(void **state)
{
	static const struct import_scope whole = { .replace_all = true };
	struct lab *lab = *state;

	import_well(lab, TABLE_DOMAINS, NULL,
	    "domain,arc_trusted,subject_mark\n"
	    "a.example,\"x.example, y.example\",[迷惑]\nbücher.example\n",
	    1, 1, 0);
	want_export(lab, TABLE_DOMAINS, NULL,
	    "domain,arc_trusted,subject_mark\r\n"
	    "a.example,\"x.example, y.example\",[迷惑]\r\n"
	    "b.example,,\r\nxn--bcher-kva.example,,\r\n");
	assert_int_equal(import(lab, TABLE_DOMAINS, &whole, "domain\n"), -1);
}

/* ---- the whole of it ---- */

static void
test_one_change(void **state)
{
	struct lab *lab = *state;
	uint64_t before = generation(lab);

	lab->edit.dry_run = true;
	import_well(lab, TABLE_RECIPIENTS, NULL,
	    "address\nx@a.example\ny@b.example\n", 2, 0, 0);
	assert_int_equal(generation(lab), before);
	lab->edit.dry_run = false;
	import_well(lab, TABLE_RECIPIENTS, NULL,
	    "address\nx@a.example\ny@b.example\n", 2, 0, 0);
	assert_int_equal(generation(lab), before + 1);
	import_well(lab, TABLE_RECIPIENTS, NULL,
	    "address\nx@a.example\ny@b.example\n", 0, 0, 0);
	assert_int_equal(lab->result.unchanged, 2);
	assert_int_equal(generation(lab), before + 1);
}

static void
test_ceilings(void **state)
{
	static const struct import_scope jo = { .domain = "a.example",
		.mailbox = "jo@a.example" };
	struct lab *lab = *state;
	struct buf csv;
	unsigned i;

	buf_init(&csv, 64 << 20);
	buf_append_str(&csv, "side,kind,pattern\n");
	for (i = 0; i <= 5000; i++)
		buf_printf(&csv, "sender,block,@d%u.example\n", i);
	assert_int_equal(import(lab, TABLE_LISTS, &jo, buf_str(&csv)), -1);
	assert_int_equal(lab->err.kind, ERR_LIMIT);
	buf_reset(&csv);
	buf_append_str(&csv, "address\n");
	for (i = 0; i <= IMPORT_ROWS_MAX; i++)
		buf_printf(&csv, "u%u@a.example\n", i);
	assert_int_equal(import(lab, TABLE_RECIPIENTS, NULL, buf_str(&csv)),
	    -1);
	assert_non_null(strstr(lab->err.text, "too many rows"));
	buf_reset(&csv);
	for (i = 0; csv.len <= IMPORT_SIZE_MAX; i++)
		buf_append_str(&csv,
		    "0123456789012345678901234567890123456789"
		    "012345678901234567890123456789\n");
	assert_int_equal(import(lab, TABLE_RECIPIENTS, NULL, buf_str(&csv)),
	    -1);
	assert_int_equal(lab->err.kind, ERR_LIMIT);
	buf_free(&csv);
}

static void
test_charsets(void **state)
{
	static const struct {
		const char *label;
		enum table_charset charset;
		const char *text, *want;
	} cases[] = {
		{ "as it is", TABLE_UTF8, "総務①髙\n", "総務①髙\n" },
		{ "with a mark", TABLE_UTF8_BOM, "a",
		    "\xef\xbb\xbf"
		    "a" },
		{ "CP932 with NEC and IBM letters", TABLE_CP932, "総務①髙\n",
		    "\x91\x8d\x96\xb1\x87\x40\xfb\xfc\n" },
		{ "lacking", TABLE_CP932, "a\nü\n", NULL },
	};
	struct buf out, back;
	struct err err;
	unsigned line;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		buf_init(&out, 1000);
		buf_init(&back, 1000);
		if (table_encode(cases[i].charset, bytes_of(cases[i].text),
			&out, &err) < 0) {
			if (cases[i].want != NULL ||
			    strstr(err.text, "line 2") == NULL)
				case_fail(cases[i].label, "%s", err.text);
			buf_free(&out);
			continue;
		}
		if (cases[i].want == NULL ||
		    strcmp(buf_str(&out), cases[i].want) != 0)
			case_fail(cases[i].label, "got %s", buf_str(&out));
		if (table_decode(buf_bytes(&out), &back, &line, &err) < 0 ||
		    strcmp(buf_str(&back), cases[i].text) != 0)
			case_fail(cases[i].label, "back: %s", buf_str(&back));
		buf_free(&out);
		buf_free(&back);
	}
}

#define LAB_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		LAB_TEST(test_problems),
		LAB_TEST(test_all_problems_are_told),
		LAB_TEST(test_lists),
		LAB_TEST(test_recipients),
		LAB_TEST(test_aliases),
		LAB_TEST(test_routes),
		LAB_TEST(test_domains),
		LAB_TEST(test_one_change),
		LAB_TEST(test_ceilings),
		cmocka_unit_test(test_charsets),
	};

	if (!redis_server_is_installed()) {
		print_message("skipped: test_settings_import (no redis-server),"
			      " %zu cases\n",
		    ARRAY_LEN(tests));
		return 77;
	}
	log_open("test_settings_import", LOG_TARGET_STDERR, LOG_LEVEL_ERROR);
	return cmocka_run_group_tests_name("settings_import", tests, NULL,
	    NULL);
}
