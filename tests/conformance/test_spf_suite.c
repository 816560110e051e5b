/*
 * test_spf_suite.c - the openspf test suites for RFC 7208 and RFC 4408.
 *
 * The suites are foreign data, read in place through CORPORA; without them
 * the test says what it skipped.  spf_suite.py turns them into lines.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit.h"

#include "base/str.h"
#include "policy/scan.h"
#include "tests/policy/fake_dns.h"

#define LINE_FIELDS_MAX 8

struct suite {
	const char *label;
	struct dns *dns;
	size_t cases, wrong;
	size_t preferred; /* the first of the results that are allowed */
};

/* ---- reading ---- */

/* "x" and hexadecimal digits, in place. */
static struct bytes
unhex(char *field)
{
	size_t i, len = (strlen(field) - 1) / 2;

	for (i = 0; i < len; i++)
		field[i] = (char)(ascii_hex_value(field[2 * i + 1]) * 16 +
		    ascii_hex_value(field[2 * i + 2]));
	field[len] = '\0';
	return (struct bytes){ field, len };
}

static size_t
split_line(char *line, char *fields[LINE_FIELDS_MAX])
{
	char *save = NULL, *field;
	size_t n = 0;

	for (field = strtok_r(line, " \n", &save);
	     field != NULL && n < LINE_FIELDS_MAX;
	     field = strtok_r(NULL, " \n", &save))
		fields[n++] = field;
	return n;
}

static void
add_record(struct dns *dns, char *fields[])
{
	struct bytes name = unhex(fields[1]);
	struct buf line;

	if (strcmp(fields[2], "TIMEOUT") == 0) {
		fake_dns_fail(dns, name.data, DNS_TIMEOUT);
		return;
	}
	if (strcmp(fields[2], "TXT") == 0) {
		fake_dns_add(dns, name.data, DNS_TXT, unhex(fields[3]));
		return;
	}
	/* Names of the suite may hold spaces, so no fake_dns_line. */
	buf_init(&line, 1000);
	buf_printf(&line, "x %s %s", fields[2], unhex(fields[3]).data);
	if (strcmp(fields[2], "A") == 0)
		fake_dns_add(dns, name.data, DNS_A, bytes_of(line.data + 4));
	else if (strcmp(fields[2], "AAAA") == 0)
		fake_dns_add(dns, name.data, DNS_AAAA, bytes_of(line.data + 7));
	else if (strcmp(fields[2], "MX") == 0)
		fake_dns_add(dns, name.data, DNS_MX, bytes_of(line.data + 5));
	else if (strcmp(fields[2], "PTR") == 0)
		fake_dns_add(dns, name.data, DNS_PTR, bytes_of(line.data + 6));
	else
		fake_dns_add(dns, name.data, FAKE_DNS_CNAME,
		    bytes_of(line.data + 8));
	buf_free(&line);
}

/* ---- one case ---- */

/* As the milter would have it, but for sender addresses that no listener
 * accepts: those go in as they are. */
static struct address
sender_of(struct arena *arena, const char *mailfrom)
{
	struct address address = { .raw = mailfrom };
	const char *at = strrchr(mailfrom, '@');

	address.local = address.domain = address.key = "";
	if (at == NULL)
		return address;
	address.local = arena_memdup(arena, mailfrom, (size_t)(at - mailfrom));
	address.domain = at + 1;
	address.key = mailfrom;
	return address;
}

static bool
explained(const struct auth_spf_identity *got, const char *wanted)
{
	if (strcmp(wanted, "DEFAULT") == 0)
		return got->explanation == NULL;
	return got->explanation != NULL &&
	    strcmp(got->explanation, wanted) == 0;
}

/* wanted: results with commas between them, the preferred one first. */
static bool
is_wanted(struct suite *suite, const char *wanted, const char *result)
{
	struct cursor c = cursor_of(bytes_of(wanted));
	bool first = true;

	do {
		if (bytes_equal(cursor_until(&c, ","), bytes_of(result))) {
			suite->preferred += first;
			return true;
		}
		first = false;
	} while (cursor_char(&c, ','));
	return false;
}

static void
judge_case(struct suite *suite, const char *name, const char *wanted,
    const char *explanation, const struct auth_spf_identity *got)
{
	const char *result = auth_result_name(got->result);

	suite->cases++;
	if (!is_wanted(suite, wanted, result)) {
		suite->wrong++;
		print_error("%s: %s: %s (%s), wanted %s\n", suite->label, name,
		    result, got->problem != NULL ? got->problem : "-", wanted);
	} else if (explanation != NULL && !explained(got, explanation)) {
		suite->wrong++;
		print_error("%s: %s: explanation '%s', wanted '%s'\n",
		    suite->label, name,
		    got->explanation != NULL ? got->explanation : "DEFAULT",
		    explanation);
	}
}

static void
run_case(struct suite *suite, char *fields[])
{
	struct arena *arena = arena_new(0);
	struct envelope envelope = { .id = "", .received_ms = 1000 };
	struct scan scan = { .arena = arena,
		.envelope = &envelope,
		.authserv_id = "receiver.example",
		.inbound_checks = true };

	if (ip_parse(unhex(fields[2]), &envelope.client.ip) < 0)
		fail_msg("no address: %s", fields[2]);
	envelope.client.helo = unhex(fields[3]).data;
	envelope.sender = sender_of(arena, unhex(fields[4]).data);
	scan.dns = dns_set_new(suite->dns);
	while (check_spf.step(&scan) == CHECK_WAIT)
		if (dns_set_wait(scan.dns, 0) == 0)
			fail_msg("waits for nothing");
	judge_case(suite, unhex(fields[1]).data, fields[5],
	    strcmp(fields[6], "-") == 0 ? NULL : unhex(fields[6]).data,
	    &scan.auth.spf.mailfrom);
	check_spf.fini(&scan);
	dns_set_free(scan.dns);
	arena_free(arena);
}

/* ---- one suite ---- */

static void
run_line(struct suite *suite, char *line)
{
	char *fields[LINE_FIELDS_MAX] = { line };
	size_t n = split_line(line, fields);

	if (n == 2 && strcmp(fields[0], "scenario") == 0) {
		if (suite->dns != NULL)
			dns_close(suite->dns);
		suite->dns = fake_dns_new();
		fake_dns_delay(suite->dns);
	} else if (n == 4 && strcmp(fields[0], "zone") == 0) {
		add_record(suite->dns, fields);
	} else if (n == 7 && strcmp(fields[0], "case") == 0) {
		run_case(suite, fields);
	} else {
		fail_msg("cannot read the line of '%s'", fields[0]);
	}
}

static char *
suite_file(const char *name)
{
	const char *corpora = getenv("CORPORA");

	return corpora != NULL
	    ? xprintf("%s/spf/%s", corpora, name)
	    : xprintf(SRCDIR "/../shared/corpora/spf/%s", name);
}

static void
run_suite(struct suite *suite, const char *name, size_t cases)
{
	char *file = suite_file(name), *command, *line = NULL;
	size_t size = 0;
	FILE *lines;

	if (access(file, R_OK) != 0) {
		print_message("skipped: %s, %zu cases: no %s\n", suite->label,
		    cases, file);
		free(file);
		skip();
		return;
	}
	command =
	    xprintf("python3 " SRCDIR "/tests/conformance/spf_suite.py '%s'",
		file);
	lines = popen(command, "r"); /* NOLINT(cert-env33-c): our script */
	assert_non_null(lines);
	while (getline(&line, &size, lines) >= 0)
		run_line(suite, line);
	assert_int_equal(pclose(lines), 0);
	if (suite->dns != NULL)
		dns_close(suite->dns);
	print_message("%s: %zu cases, %zu with the preferred result, %zu "
		      "wrong\n",
	    suite->label, suite->cases, suite->preferred, suite->wrong);
	free(line);
	free(command);
	free(file);
	assert_int_equal(suite->cases, cases);
	assert_int_equal(suite->wrong, 0);
}

static void
test_rfc7208(void **state)
{
	struct suite suite = { .label = "RFC 7208" };

	(void)state;
	run_suite(&suite, "rfc7208-tests.yml", 203);
}

static void
test_rfc4408(void **state)
{
	struct suite suite = { .label = "RFC 4408" };

	(void)state;
	run_suite(&suite, "rfc4408-tests.yml", 191);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rfc7208),
		cmocka_unit_test(test_rfc4408),
	};

	return cmocka_run_group_tests_name("spf_suite", tests, NULL, NULL);
}
