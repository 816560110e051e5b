/*
 * test_request.c - tests of the commands that are requests: which request a
 * command line becomes, and what is shown of the answer.
 *
 * A fake API notes the request and gives the answer that a case has.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tests/unit.h"

#include "base/file.h"

#include "cli/commands.h"
#include "cli/request.h"
#include "cli/when.h"

#define WORDS_MAX 14

/* ---- the fake ---- */

static struct buf requests; /* one a line */
static const char *answer_text;
static int answer_status;

struct api *
api_open(const struct conf *conf, struct err *err)
{
	(void)conf;
	(void)err;
	return calloc(1, sizeof(struct api));
}

void
api_close(struct api *api)
{
	free(api);
}

static void
note(const char *name, const json_t *object)
{
	char *text;

	if (json_object_size(object) == 0)
		return;
	text = json_dumps(object, JSON_COMPACT | JSON_SORT_KEYS);
	buf_printf(&requests, " %s%s", name, text);
	free(text);
}

void
api_dispatch(struct api *api, struct arena *arena,
    const struct principal *principal, enum method method, const char *path,
    json_t *query, json_t *body, struct response *response)
{
	(void)api;
	(void)arena;
	assert_int_equal(principal->role, ROLE_OPERATOR);
	assert_int_equal(strncmp(principal->actor, "cli:", 4), 0);
	buf_printf(&requests, "%s %s", method == METHOD_GET ? "GET" : "POST",
	    path);
	note("", query);
	note("", body);
	buf_append_char(&requests, '\n');
	response->status = answer_status;
	response->model = json_loads(answer_text, 0, NULL);
	if (response->model == NULL) {
		response->content = strdup(answer_text);
		response->content_len = strlen(answer_text);
	}
}

/* ---- running a command ---- */

static const struct cli_group *const list[] = { &group_alias, &group_domain,
	&group_list, &group_log, &group_quarantine, &group_recipient,
	&group_route, &group_system };
static const struct cli_groups groups = { ARRAY_LEN(list), list };

/* Its status; what it prints to stdout goes to the file "out". */
static int
run(const char *const *words)
{
	struct cli cli = { .program = "sekimori", .arena = arena_new(0) };
	const struct cli_group *group = NULL;
	char *argv[WORDS_MAX + 4] = { NULL };
	struct cli_args args;
	int argc = 0, rc = EXIT_WRONG_USE, saved;

	argv[argc++] = arena_strdup(cli.arena, "sekimori");
	argv[argc++] = arena_strdup(cli.arena, "-cconf");
	while (*words != NULL)
		argv[argc++] = arena_strdup(cli.arena, *words++);
	fflush(stdout);
	saved = dup(STDOUT_FILENO);
	assert_non_null(freopen("out", "w", stdout));
	if (args_parse(&cli, &groups, argc, argv, &args, &group) == ARGS_RUN)
		rc = args.command->run(&cli, &args);
	fflush(stdout);
	dup2(saved, STDOUT_FILENO);
	close(saved);
	arena_free(cli.arena);
	return rc;
}

static const char *
output(struct buf *out)
{
	buf_reset(out);
	assert_int_equal(file_read("out", out, NULL), 0);
	return buf_str(out);
}

static int
enter_directory(void **state)
{
	char path[] = "/tmp/sekimori-request.XXXXXX";
	FILE *conf;

	setenv("TZ", "UTC", 1);
	tzset();
	if (mkdtemp(path) == NULL || chdir(path) < 0)
		return -1;
	*state = strdup(path);
	buf_init(&requests, 100000);
	conf = fopen("conf", "w");
	return conf != NULL ? fclose(conf) : -1;
}

static int
leave_directory(void **state)
{
	unlink("conf");
	unlink("out");
	unlink("table");
	buf_free(&requests);
	if (chdir("/") < 0 || rmdir(*state) < 0)
		return -1;
	free(*state);
	return 0;
}

static void
test_requests(void **state)
{
	static const struct {
		const char *words[WORDS_MAX];
		const char *want;
		const char *answer; /* NULL: {} */
	} cases[] = {
		{ { "quarantine", "list", "example.jp" },
		    "GET /quarantine {\"domain\":\"example.jp\"}\n", NULL },
		{ { "quarantine", "list", "example.jp", "--mailbox",
		      "a@example.jp", "--since=2026-11-22", "--hidden" },
		    "GET /quarantine {\"domain\":\"example.jp\",\"hidden\":"
		    "true,\"mailbox\":\"a@example.jp\",\"since\":"
		    "1795305600000}\n",
		    NULL },
		{ { "quarantine", "show", "01ABC.0" },
		    "GET /quarantine/01ABC.0\n"
		    "GET /quarantine/01ABC.0/text\n",
		    NULL },
		{ { "quarantine", "show", "01ABC.0", "--raw" },
		    "GET /quarantine/01ABC.0/raw\n", "From: a\n" },
		{ { "quarantine", "release", "01A.0", "01B.0" },
		    "POST /quarantine/01A.0/release\n"
		    "POST /quarantine/01B.0/release\n",
		    NULL },
		{ { "quarantine", "release", "01A.0", "--retry-unknown" },
		    "POST /quarantine/01A.0/release "
		    "{\"retry_unknown\":true}\n",
		    NULL },
		{ { "quarantine", "remove", "01A.0" },
		    "POST /quarantine/01A.0/remove\n", NULL },
		{ { "quarantine", "allow", "01A.0", "--match", "domain" },
		    "POST /quarantine/01A.0/allow {\"match\":\"domain\"}\n",
		    NULL },
		{ { "quarantine", "block", "01A.0", "--comment=no" },
		    "POST /quarantine/01A.0/block {\"comment\":\"no\"}\n",
		    NULL },
		{ { "quarantine", "show", "../domains" }, "", NULL },
		{ { "quarantine", "show", "a?b" }, "", NULL },
		{ { "domain", "show" }, "GET /domains\n", NULL },
		{ { "domain", "show", "example.jp" },
		    "GET /domains/example.jp\n", NULL },
		{ { "domain", "add", "example.jp" },
		    "POST /domains {\"domain\":\"example.jp\",\"options\":"
		    "{}}\n",
		    NULL },
		{ { "domain", "set", "example.jp", "spam_points=6",
		      "subject_mark=[SPAM] ", "--unset", "size_max" },
		    "POST /domains/example.jp {\"options\":{\"size_max\":"
		    "null,\"spam_points\":\"6\",\"subject_mark\":\"[SPAM] "
		    "\"}}\n",
		    NULL },
		{ { "domain", "set", "example.jp", "spam_points" }, "", NULL },
		{ { "domain", "set", "example.jp", "=6" }, "", NULL },
		{ { "domain", "remove", "example.jp" },
		    "POST /domains/example.jp/remove\n", NULL },
		{ { "system", "set", "spam_points=6" },
		    "POST /system {\"options\":{\"spam_points\":\"6\"}}\n",
		    NULL },
		{ { "system", "show" }, "GET /system\n", NULL },
		{ { "route", "show" }, "GET /routes\n", NULL },
		{ { "route", "set", "example.jp", "[192.0.2.10]:25",
		      "mx.example.net@5", "[::1]" },
		    "POST /routes/example.jp {\"routes\":[{\"host\":"
		    "\"192.0.2.10\",\"lookup_mx\":false,\"port\":25,"
		    "\"priority\":10},{\"host\":\"mx.example.net\","
		    "\"lookup_mx\":true,\"port\":25,\"priority\":5},{"
		    "\"host\":\"::1\",\"lookup_mx\":false,\"port\":25,"
		    "\"priority\":30}]}\n",
		    NULL },
		{ { "route", "set", "example.jp", "[192.0.2.10]:0" }, "",
		    NULL },
		{ { "route", "set", "example.jp", "::1" }, "", NULL },
		{ { "route", "set", "example.jp", "[::1" }, "", NULL },
		{ { "route", "set", "example.jp", "[]:25" }, "", NULL },
		{ { "route", "set", "example.jp", "a:25x" }, "", NULL },
		{ { "route", "add", "example.jp", "[b]" },
		    "GET /routes/example.jp\n"
		    "POST /routes/example.jp {\"routes\":[{\"host\":\"a\","
		    "\"lookup_mx\":false,\"port\":25,\"priority\":40},{"
		    "\"host\":\"b\",\"lookup_mx\":false,\"port\":25,"
		    "\"priority\":50}]}\n",
		    "{\"domain\":\"example.jp\",\"routes\":[{\"host\":\"a\","
		    "\"lookup_mx\":false,\"port\":25,\"priority\":40}]}" },
		{ { "route", "remove", "example.jp", "[a]" },
		    "GET /routes/example.jp\n"
		    "POST /routes/example.jp {\"routes\":[{\"host\":\"a\","
		    "\"lookup_mx\":true,\"port\":25,\"priority\":50}]}\n",
		    "{\"domain\":\"example.jp\",\"routes\":[{\"host\":\"a\","
		    "\"lookup_mx\":false,\"port\":25,\"priority\":40},{"
		    "\"host\":\"a\",\"lookup_mx\":true,\"port\":25,"
		    "\"priority\":50}]}" },
		{ { "route", "remove", "example.jp" },
		    "GET /routes/example.jp\n"
		    "POST /routes/example.jp {\"routes\":[]}\n",
		    "{\"domain\":\"example.jp\",\"routes\":[{\"host\":\"a\","
		    "\"lookup_mx\":false,\"port\":25,\"priority\":40}]}" },
		{ { "recipient", "add", "a@example.jp" },
		    "POST /recipients {\"address\":\"a@example.jp\","
		    "\"options\":{}}\n",
		    NULL },
		{ { "recipient", "set", "a/b@example.jp", "locked=yes" },
		    "POST /recipients/set {\"address\":\"a/b@example.jp\","
		    "\"options\":{\"locked\":\"yes\"}}\n",
		    NULL },
		{ { "recipient", "remove", "a@example.jp" },
		    "POST /recipients/remove {\"address\":"
		    "\"a@example.jp\"}\n",
		    NULL },
		{ { "alias", "add", "info@a.jp", "x@a.jp", "y@b.jp" },
		    "POST /aliases {\"source\":\"info@a.jp\",\"targets\":["
		    "\"x@a.jp\",\"y@b.jp\"]}\n",
		    NULL },
		{ { "alias", "set", "@a.jp", "@b.jp" },
		    "POST /aliases {\"replace\":true,\"source\":\"@a.jp\","
		    "\"targets\":[\"@b.jp\"]}\n",
		    NULL },
		{ { "list", "add", "sender", "block", "@spam.example",
		      "--domain", "example.jp" },
		    "POST /lists {\"domain\":\"example.jp\",\"kind\":"
		    "\"block\",\"pattern\":\"@spam.example\",\"side\":"
		    "\"sender\"}\n",
		    NULL },
		{ { "list", "set", "client", "allow", "192.0.2.0/24",
		      "--lifts-dmarc", "--expires", "2026-12-31T00:00Z",
		      "--comment", "得意先" },
		    "POST /lists {\"comment\":\"得意先\",\"expires\":"
		    "1798675200000,\"kind\":\"allow\",\"lifts_dmarc\":true,"
		    "\"pattern\":\"192.0.2.0/24\",\"replace\":true,"
		    "\"side\":\"client\"}\n",
		    NULL },
		{ { "list", "add", "sender", "block", "\xff" }, "", NULL },
		{ { "list", "show", "--since", "x" }, "", NULL },
		{ { "log", "search", "--recipient", "taro", "--message-id",
		      "<1@x>" },
		    "GET /log {\"message_id\":\"<1@x>\",\"recipient\":"
		    "\"taro\"}\n",
		    NULL },
		{ { "log", "search", "--since", "yesterday" }, "", NULL },
		{ { "log", "show", "01ABC" }, "GET /log {\"id\":\"01ABC\"}\n",
		    NULL },
		{ { "alias", "export", "a.jp" },
		    "GET /aliases/export {\"domain\":\"a.jp\"}\n", "a,b\n" },
	};
	struct buf out;
	size_t i;
	int rc;

	(void)state;
	buf_init(&out, 100000);
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		buf_reset(&requests);
		answer_status = 200;
		answer_text = cases[i].answer != NULL ? cases[i].answer : "{}";
		rc = run(cases[i].words);
		if (strcmp(buf_str(&requests), cases[i].want) != 0)
			case_fail(cases[i].want, "got %s", buf_str(&requests));
		if (rc !=
		    (cases[i].want[0] != '\0' ? EXIT_DONE : EXIT_WRONG_USE))
			case_fail(cases[i].want, "status %d", rc);
	}
	buf_free(&out);
}

static void
test_answers(void **state)
{
	static const struct {
		const char *words[WORDS_MAX];
		int status;
		const char *answer;
		int rc;
		const char *want; /* on stdout */
	} cases[] = {
		{ { "quarantine", "list", "a.jp" }, 200,
		    "{\"entries\":[{\"id\":\"01A.0\",\"received\":"
		    "1795305600000,\"state\":\"held\",\"class\":{\"main\":"
		    "\"phish\",\"sub\":\"dmarc\"},\"mailbox\":\"taro@a.jp\","
		    "\"sender\":\"x@y.example\",\"size\":123456,\"subject\":"
		    "\"お知らせ\"}],\"next\":\"c1\"}",
		    EXIT_DONE,
		    "ID     RECEIVED             STATE  CLASS        MAILBOX  "
		    "  SENDER         SIZE  SUBJECT\n"
		    "01A.0  2026-11-22 00:00:00  held   phish/dmarc  taro@a.jp"
		    "  x@y.example  121 kB  お知らせ\n"
		    "\nThere is more: --before c1\n" },
		{ { "quarantine", "list", "a.jp" }, 200,
		    "{\"entries\":[],\"next\":null}", EXIT_DONE,
		    "Nothing is held.\n" },
		{ { "quarantine", "release", "01A.0" }, 200,
		    "{\"id\":\"01A.0\",\"state\":\"released\"}", EXIT_DONE,
		    "01A.0 is released.\n" },
		{ { "quarantine", "release", "01A.0" }, 409,
		    "{\"error\":{\"kind\":\"input\",\"text\":\"refused: 550 "
		    "no\",\"field\":null}}",
		    EXIT_NOT_DONE, "" },
		{ { "quarantine", "release", "01A.0", "--json" }, 409,
		    "{\"error\":{\"kind\":\"input\",\"text\":\"550 no\"}}",
		    EXIT_NOT_DONE,
		    "{\n  \"results\": [\n    {\n      \"id\": \"01A.0\",\n"
		    "      \"error\": \"550 no\"\n    }\n  ]\n}\n" },
		{ { "quarantine", "block", "01A.0" }, 200,
		    "{\"id\":\"01A.0\",\"changed\":true,\"row\":{"
		    "\"mailbox\":\"a@b.jp\",\"kind\":\"block\",\"side\":"
		    "\"sender\",\"pattern\":\"x@y.example\"}}",
		    EXIT_DONE,
		    "01A.0 is removed.\n"
		    "a@b.jp: block sender x@y.example.\n" },
		{ { "quarantine", "remove", "01A.0" }, 200,
		    "{\"id\":\"01A.0\",\"changed\":false}", EXIT_DONE,
		    "01A.0 was gone already.\n" },
		{ { "quarantine", "show", "01A.0", "--raw" }, 200,
		    "From: a\r\n\r\nbody", EXIT_DONE, "From: a\r\n\r\nbody" },
		{ { "domain", "show" }, 200,
		    "{\"domains\":[{\"domain\":\"a.jp\",\"options\":{"
		    "\"spam_points\":\"6\",\"spf\":\"no\"}},{\"domain\":"
		    "\"b.jp\",\"options\":{}}]}",
		    EXIT_DONE,
		    "DOMAIN  SETTINGS\n"
		    "a.jp    spam_points=6 spf=no\n"
		    "b.jp\n" },
		{ { "domain", "show", "a.jp" }, 200,
		    "{\"domain\":\"a.jp\",\"options\":{\"spf\":\"no\"},"
		    "\"effective\":{\"dkim\":\"yes\",\"spf\":\"no\"}}",
		    EXIT_DONE,
		    "a.jp\n\n"
		    "SETTING  VALUE\n"
		    "dkim     yes\n"
		    "spf      no     (set here)\n" },
		{ { "domain", "export", "--charset", "cp932" }, 200,
		    "domain,spf\r\n", EXIT_DONE, "domain,spf\r\n" },
		{ { "alias", "show", "a.jp" }, 200,
		    "{\"aliases\":[{\"source\":\"info@a.jp\",\"targets\":["
		    "\"x@a.jp\",\"y@a.jp\"]}]}",
		    EXIT_DONE,
		    "ALIAS      STANDS FOR\n"
		    "info@a.jp  x@a.jp, y@a.jp\n" },
		{ { "route", "show" }, 200,
		    "{\"routes\":[{\"domain\":\"a.jp\",\"routes\":[{\"host\":"
		    "\"192.0.2.1\",\"port\":25,\"priority\":10,\"lookup_mx\":"
		    "false},{\"host\":\"b.jp\",\"port\":26,\"priority\":20,"
		    "\"lookup_mx\":true}]}]}",
		    EXIT_DONE,
		    "DOMAIN  PRIORITY  SERVER\n"
		    "a.jp          10  [192.0.2.1]:25\n"
		    "a.jp          20  b.jp:26\n" },
		{ { "log", "search" }, 503,
		    "{\"error\":{\"kind\":\"temp\",\"text\":\"away\"}}",
		    EXIT_NOT_DONE, "" },
		{ { "system", "show", "--json" }, 200, "{\"options\":{}}",
		    EXIT_DONE, "{\n  \"options\": {}\n}\n" },
		{ { "list", "show" }, 200,
		    "{\"rows\":[{\"level\":\"domain\",\"domain\":\"a.jp\","
		    "\"mailbox\":null,\"side\":\"sender\",\"kind\":\"allow\","
		    "\"pattern\":\".b.jp\",\"action\":null,"
		    "\"unauthenticated\":true,\"lifts_dmarc\":true,"
		    "\"expires\":null,\"comment\":\"c\",\"added_by\":"
		    "\"cli:root\"}]}",
		    EXIT_DONE,
		    "OF    SIDE    KIND   PATTERN  ACTION  FLAGS             "
		    "            EXPIRES  ADDED BY  COMMENT\n"
		    "a.jp  sender  allow  .b.jp            unauthenticated, "
		    "lifts_dmarc           cli:root  c\n" },
		{ { "list", "add", "client", "block", "192.0.2.1" }, 200,
		    "{\"level\":\"system\",\"domain\":null,\"side\":"
		    "\"client\",\"kind\":\"block\",\"pattern\":"
		    "\"192.0.2.1\"}",
		    EXIT_DONE, "system: block client 192.0.2.1.\n" },
		{ { "domain", "add", "bücher.example" }, 200,
		    "{\"domain\":\"xn--bcher-kva.example\"}", EXIT_DONE,
		    "bücher.example is a domain of ours now.\n" },
	};
	struct buf out;
	size_t i;
	int rc;

	(void)state;
	buf_init(&out, 100000);
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		answer_status = cases[i].status;
		answer_text = cases[i].answer;
		rc = run(cases[i].words);
		if (rc != cases[i].rc)
			case_fail(cases[i].answer, "status %d", rc);
		if (strcmp(output(&out), cases[i].want) != 0)
			case_fail(cases[i].answer, "printed:\n%s",
			    buf_str(&out));
	}
	buf_free(&out);
}

static void
write_table(const char *text)
{
	FILE *file = fopen("table", "w");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static void
test_imports(void **state)
{
	static const struct {
		const char *words[WORDS_MAX];
		const char *table;
		int status;
		const char *answer;
		int rc;
		const char *want; /* requests */
	} cases[] = {
		{ { "domain", "import", "table" }, "foo", 200, "{}", EXIT_DONE,
		    "POST /domains/import {\"csv_base64\":\"Zm9v\",\"mode\":"
		    "\"merge\"}\n" },
		{ { "domain", "import", "missing" }, "", 200, "{}",
		    EXIT_NOT_DONE, "" },
		{ { "list", "import", "table", "--domain", "a.jp",
		      "--dry-run" },
		    "foo", 200, "{\"added\":1}", EXIT_DONE,
		    "POST /lists/import {\"csv_base64\":\"Zm9v\",\"domain\":"
		    "\"a.jp\",\"dry_run\":true,\"mode\":\"merge\"}\n" },
		{ { "alias", "import", "table", "--replace-all" }, "foo", 200,
		    "{}", EXIT_DONE,
		    "POST /aliases/import {\"csv_base64\":\"Zm9v\",\"mode\":"
		    "\"replace\"}\n" },
		{ { "route", "import", "table" }, "foo", 400,
		    "{\"error\":{\"text\":\"bad\"},\"errors\":[{\"line\":2,"
		    "\"field\":\"host\",\"text\":\"empty\"}]}",
		    EXIT_NOT_DONE,
		    "POST /routes/import {\"csv_base64\":\"Zm9v\",\"mode\":"
		    "\"merge\"}\n" },
	};
	size_t i;
	int rc;

	(void)state;
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		buf_reset(&requests);
		write_table(cases[i].table);
		answer_status = cases[i].status;
		answer_text = cases[i].answer;
		rc = run(cases[i].words);
		if (strcmp(buf_str(&requests), cases[i].want) != 0)
			case_fail(cases[i].table, "got %s", buf_str(&requests));
		if (rc != cases[i].rc)
			case_fail(cases[i].table, "status %d", rc);
	}
}

static void
test_times(void **state)
{
	static const struct {
		const char *text;
		int64_t want; /* -1: refused */
	} cases[] = {
		{ "2026-11-22", 1795305600000 },
		{ "2026-11-22 09:00", 1795338000000 },
		{ "2026-11-22T09:00:30", 1795338030000 },
		{ "2026-11-22T09:00Z", 1795338000000 },
		{ "1970-01-01", 0 },
		{ "2026-02-29", -1 },
		{ "2024-02-29", 1709164800000 },
		{ "2026-13-01", -1 },
		{ "2026-11-22 24:00", -1 },
		{ "2026-11-22 9:00", -1 },
		{ "2026-11-22x", -1 },
		{ "1969-12-31", -1 },
		{ "5", -1 },
		{ "", -1 },
		{ "3 d", -1 },
		{ "9999999w", -1 },
	};
	struct arena *arena = arena_new(0);
	struct err err;
	size_t i;
	int64_t ms, later, now;

	(void)state;
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		if (when_parse_past(cases[i].text, &ms, &err) < 0)
			ms = -1;
		if (ms != cases[i].want)
			case_fail(cases[i].text, "got %lld", (long long)ms);
	}
	assert_int_equal(when_parse_past("2h", &ms, &err), 0);
	assert_int_equal(when_parse_future("2h", &later, &err), 0);
	assert_in_range(later - ms, 4 * 3600000 - 1000, 4 * 3600000 + 10000);
	now = (int64_t)time(NULL) * 1000;
	assert_in_range(now - ms, 7200000 - 5000, 7200000 + 5000);
	assert_string_equal(when_format(arena, 1795338030000),
	    "2026-11-22 09:00:30");
	assert_string_equal(when_format(arena, 0), "");
	arena_free(arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_requests),
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_imports),
		cmocka_unit_test(test_times),
	};

	return cmocka_run_group_tests_name("request", tests, enter_directory,
	    leave_directory);
}
