/*
 * test_conf.c - tests of base/conf.c, its option table and its writers.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit.h"

#include "base/conf.h"
#include "base/log.h"

#define FILE_NAME "test.conf"

static void
write_file(const char *text, size_t len)
{
	FILE *file = fopen(FILE_NAME, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
}

static int
enter_directory(void **state)
{
	char path[] = "/tmp/sekimori-conf.XXXXXX";

	if (mkdtemp(path) == NULL || chdir(path) < 0)
		return -1;
	*state = strdup(path);
	return 0;
}

static int
leave_directory(void **state)
{
	unlink(FILE_NAME);
	if (chdir("/") < 0 || rmdir(*state) < 0)
		return -1;
	free(*state);
	return 0;
}

static void
test_errors(void **state)
{
	static const struct {
		const char *label, *text;
		const char *want; /* report of conf_check */
	} cases[] = {
		{ "empty", "", "" },
		{ "comments only", "# nothing\n// nor here\n/* nor\n here */",
		    "" },
		{ "good",
		    "mode = observe\nredis = none\n"
		    "dns_timeout = 10s # at most\n"
		    "networks = { \"10.0.0.0/8\", ::1 }\r\n"
		    "authserv_id = 'mx.example.net'\n",
		    "" },
		{ "out of range", "\n\ndns_timeout = 40s\n",
		    "test.conf:3: dns_timeout: must be 1s to 30s, not "
		    "\"40s\"\n" },
		{ "no newline at the end", "dns_timeout=40s",
		    "test.conf:1: dns_timeout: must be 1s to 30s, not "
		    "\"40s\"\n" },
		{ "all errors, in order",
		    "mode = obsrve\nfoo = 1\nconnection_max = { 5, 6 }\n"
		    "log_level = 7\nlog_levl = debug\n",
		    "test.conf:1: mode: must be enforce or observe, not "
		    "\"obsrve\"\n"
		    "test.conf:2: foo: no such option\n"
		    "test.conf:3: connection_max: no such option; did you "
		    "mean connections_max?\n"
		    "test.conf:4: log_level: must be error, warn, info or "
		    "debug, not \"7\"\n"
		    "test.conf:5: log_levl: no such option; did you mean "
		    "log_level?\n" },
		{ "list over lines",
		    "networks = {\n\t\"10.0.0.0/8\",\n\t\"10.0.0.1/8\",\n"
		    "\t\"here\"\n}\n",
		    "test.conf:3: networks: \"10.0.0.1/8\": bits are set "
		    "beyond the prefix length /8\n"
		    "test.conf:4: networks: \"here\": 'here' is no IP "
		    "address\n" },
		{ "twice", "user = a\nuser = b\n",
		    "test.conf:2: user: is already set in line 1\n" },
		{ "list twice", "networks = {::1}\nnetworks = {127.0.0.1}\n",
		    "test.conf:2: networks: is already set in line 1\n" },
		{ "unterminated string", "user = \"sekimori\nmode = observe\n",
		    "test.conf:3: premature end of file\n" },
		{ "unterminated comment", "/* user\n",
		    "test.conf:2: the file ends inside a comment\n" },
		{ "no value", "user =",
		    "test.conf:1: premature end of "
		    "file\n" },
		{ "a list for one value", "user = { a, b }\n",
		    "test.conf:1: unexpected token '{'\n" },
		{ "no equal sign", "user sekimori\n",
		    "test.conf:1: missing equal sign after option 'user'\n" },
		{ "options that exclude each other", "redis = none\n",
		    "test.conf:1: redis: none is possible only with mode = "
		    "observe\n" },
		{ "wrong password is not shown", "redis_password = \"a\tb\"",
		    "test.conf:1: redis_password: what was given: must not "
		    "hold control characters\n" },
	};
	struct buf report;
	size_t i, lines, j;

	(void)state;
	buf_init(&report, 10000);
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		write_file(cases[i].text, strlen(cases[i].text));
		buf_reset(&report);
		lines = conf_check(FILE_NAME, &report);
		if (strcmp(buf_str(&report), cases[i].want) != 0)
			case_fail(cases[i].label, "got:\n%s", buf_str(&report));
		for (j = 0; cases[i].want[j] != '\0'; j++)
			lines -= cases[i].want[j] == '\n';
		if (lines != 0)
			case_fail(cases[i].label, "wrong count");
	}
	buf_free(&report);
}

static void
test_values(void **state)
{
	static const char text[] = "dns_servers = { 127.0.0.1@5353, ::1 }\n"
				   "dns_servers += { 192.0.2.1 }\n"
				   "release_networks = {}\n"
				   "networks = 10.0.0.0/8\n"
				   "log_level = debug\n"
				   "milter_socket_mode = 0600\n"
				   "durability_required = no\n"
				   "message_memory = \"${TEST_CONF_SIZE}\"\n";
	struct conf *conf;
	struct err err;

	(void)state;
	setenv("TEST_CONF_SIZE", "32k", 1);
	write_file(text, strlen(text));
	conf = conf_load(FILE_NAME, &err);
	if (conf == NULL)
		case_fail("load", "%s", err.text);
	assert_int_equal(conf->dns_servers.count, 3);
	assert_string_equal(conf->dns_servers.items[0], "127.0.0.1@5353");
	assert_string_equal(conf->dns_servers.items[2], "192.0.2.1");
	assert_int_equal(conf->release_networks.count, 0);
	assert_int_equal(conf->networks.count, 1);
	assert_int_equal(conf->log_level, LOG_LEVEL_DEBUG);
	assert_int_equal(conf->milter_socket_mode, 0600);
	assert_false(conf->durability_required);
	assert_int_equal(conf->message_memory, 32768);
	assert_int_equal(conf->waits_max, 500);
	conf_free(conf);
}

/* What a broken file leaves behind must not reach the next one. */
static void
test_good_file_after_broken_one(void **state)
{
	static const char *const broken[] = { "user = \"open", "user = 'open",
		"/* open", "user = {", "# open", "user = \"a\\", "nothing" };
	struct conf *conf;
	struct err err;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(broken); i++) {
		write_file(broken[i], strlen(broken[i]));
		conf_free(conf_load(FILE_NAME, &err));
		write_file("user = good\n", 12);
		conf = conf_load(FILE_NAME, &err);
		if (conf == NULL)
			case_fail(broken[i], "%s", err.text);
		assert_string_equal(conf->user, "good");
		conf_free(conf);
	}
}

static void
test_files_that_are_none(void **state)
{
	struct err err;

	(void)state;
	assert_null(conf_load("missing.conf", &err));
	assert_int_equal(err.kind, ERR_CONFIG);
	assert_string_equal(err.text,
	    "missing.conf: No such file or directory");
	assert_null(conf_load(".", &err));
	assert_string_equal(err.text, ".: Is a directory");
	write_file("user = a\0b\n", 11);
	assert_null(conf_load(FILE_NAME, &err));
	assert_string_equal(err.text, "test.conf: is no text: it holds a NUL");
}

static void
test_first_error_counts_the_rest(void **state)
{
	struct err err;

	(void)state;
	write_file("a = 1\nb = 2\nc = 3\n", 18);
	assert_null(conf_load(FILE_NAME, &err));
	assert_string_equal(err.text,
	    "test.conf:1: a: no such option (and 2 more)");
}

static void
test_too_many_errors(void **state)
{
	struct buf text, report;
	int i;

	(void)state;
	buf_init(&text, 100000);
	buf_init(&report, 100000);
	for (i = 0; i < 50; i++)
		buf_printf(&text, "unknown%d = 1\n", i);
	write_file(text.data, text.len);
	assert_int_equal(conf_check(FILE_NAME, &report), 20);
	buf_reset(&text);
	buf_append_str(&text, "networks = {");
	for (i = 0; i < 150; i++)
		buf_append_str(&text, "bad,\n");
	buf_append_str(&text, "bad}\n");
	write_file(text.data, text.len);
	assert_int_equal(conf_check(FILE_NAME, &report), 151);
	buf_free(&text);
	buf_free(&report);
}

/* The sample with its options switched on is the defaults. */
static void
test_sample_is_the_defaults(void **state)
{
	struct conf *conf, *preset = conf_new();
	struct buf sample, one, two;
	struct err err;
	size_t i;

	(void)state;
	buf_init(&sample, 100000);
	assert_int_equal(conf_write_sample(&sample), 0);
	for (i = 1; i < sample.len; i++)
		if (sample.data[i] == '#' && sample.data[i - 1] == '\n' &&
		    sample.data[i + 1] != ' ' && sample.data[i + 1] != '\n')
			sample.data[i] = ' ';
	write_file(sample.data, sample.len);
	conf = conf_load(FILE_NAME, &err);
	if (conf == NULL)
		case_fail("sample", "%s", err.text);
	buf_init(&one, 10000);
	buf_init(&two, 10000);
	for (i = 0; i < conf_option_count; i++) {
		buf_reset(&one);
		buf_reset(&two);
		option_format(&conf_options[i], conf, &one);
		option_format(&conf_options[i], preset, &two);
		if (strcmp(buf_str(&one), buf_str(&two)) != 0)
			case_fail(conf_options[i].name, "%s, not %s",
			    buf_str(&one), buf_str(&two));
		if (strstr(buf_str(&sample), conf_options[i].name) == NULL)
			case_fail(conf_options[i].name, "not in the sample");
	}
	buf_free(&sample);
	buf_free(&one);
	buf_free(&two);
	conf_free(conf);
	conf_free(preset);
}

static void
test_every_row_is_complete(void **state)
{
	struct buf manual;
	size_t i;

	(void)state;
	buf_init(&manual, 100000);
	assert_int_equal(conf_write_manual(&manual), 0);
	for (i = 0; i < conf_option_count; i++) {
		const struct option *option = &conf_options[i];
		size_t len = option->help != NULL ? strlen(option->help) : 0;

		if (len < 20 || option->help[len - 1] != '.')
			case_fail(option->name, "no good help");
		if (option->section == NULL || option->preset == NULL)
			case_fail(option->name, "incomplete");
		if (option_find(conf_options, conf_option_count,
			option->name) != option)
			case_fail(option->name, "named twice");
		if (strstr(buf_str(&manual), option->name) == NULL)
			case_fail(option->name, "not in the manual");
	}
	buf_free(&manual);
}

static void
test_checks(void **state)
{
	static const struct {
		const char *name, *value;
		bool good;
	} cases[] = {
		{ "milter_listen", "inet:8895@127.0.0.1", true },
		{ "milter_listen", "inet6:8895@[::1]", true },
		{ "milter_listen", "unix:/run/a", true },
		{ "milter_listen", "unix:run/a", false },
		{ "milter_listen", "inet:127.0.0.1:8895", false },
		{ "milter_listen", "inet:0@127.0.0.1", false },
		{ "milter_listen", "inet:8895@", false },
		{ "milter_listen", "", false },
		{ "socketmap_listen", "inet:127.0.0.1:8896", true },
		{ "socketmap_listen", "inet:[::1]:8896", true },
		{ "socketmap_listen", "inet:8896@127.0.0.1", false },
		{ "socketmap_listen", "inet:::1:8896", false },
		{ "dns_servers", "127.0.0.1", true },
		{ "dns_servers", "::1@53", true },
		{ "dns_servers", "127.0.0.1:53", false },
		{ "dns_servers", "ns.example.net", false },
		{ "dns_servers", "127.0.0.1@65536", false },
		{ "redis", "unix:/run/redis.sock", true },
		{ "redis", "127.0.0.1:6379", true },
		{ "redis", "sentinel:", false },
		{ "redis", "localhost", false },
		{ "web_url", "https://mail.example.net/", true },
		{ "web_url", "https://", false },
		{ "web_url", "mail.example.net", false },
		{ "time_zone", "", true },
		{ "time_zone", "JST-9", true },
		{ "time_zone", "CET-1CEST,M3.5.0,M10.5.0/3", true },
		{ "time_zone", "No/Such_Zone", false },
		{ "time_zone", "/etc/passwd", false },
		{ "time_zone", "../etc/passwd", false },
		{ "time_zone", "a b", false },
		{ "authserv_id", "mx.example.net", true },
		{ "authserv_id", "mx; spf=pass", false },
		{ "recipient_delimiter", "+-", true },
		{ "recipient_delimiter", "a", false },
		{ "user", "sekimori", true },
		{ "user", "-x", false },
		{ "user", "", false },
		{ "state_dir", "var", false },
		{ "dns_zone", "", true },
		{ "dns_zone", "zone", false },
	};
	struct conf *conf = conf_new();
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(cases); i++)
		if ((option_set(option_find(conf_options, conf_option_count,
				    cases[i].name),
			 conf, bytes_of(cases[i].value), NULL) == 0) !=
		    cases[i].good)
			case_fail(cases[i].value, "%s",
			    cases[i].good ? "was refused" : "was taken");
	conf_free(conf);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_good_file_after_broken_one),
		cmocka_unit_test(test_files_that_are_none),
		cmocka_unit_test(test_first_error_counts_the_rest),
		cmocka_unit_test(test_too_many_errors),
		cmocka_unit_test(test_sample_is_the_defaults),
		cmocka_unit_test(test_every_row_is_complete),
		cmocka_unit_test(test_checks),
	};

	return cmocka_run_group_tests_name("conf", tests, enter_directory,
	    leave_directory);
}
