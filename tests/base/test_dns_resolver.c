/*
 * test_dns_resolver.c - tests of base/dns_resolver.c: libunbound against a
 * server of our own that misbehaves, and against a real unbound.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/base/dns_server.h"
#include "tests/unit.h"

#include "base/clock.h"
#include "base/dns.h"

#define UNBOUND "/usr/sbin/unbound"
#define TIMEOUT_MS 1000 /* where it must strike */

static struct dns *
open_port(unsigned port, unsigned timeout_ms)
{
	char server[32];
	const char *const servers[] = { server };
	struct dns_options options = { .servers = servers,
		.server_count = 1,
		.timeout_ms = timeout_ms };
	struct err err;
	struct dns *dns;

	snprintf(server, sizeof(server), "127.0.0.1@%u", port);
	dns = dns_open(&options, &err);
	if (dns == NULL)
		case_fail("open", "%s", err.text);
	return dns;
}

/* Asks one question and waits for it. */
static enum dns_status
ask(struct dns *dns, const char *name, enum dns_type type)
{
	struct dns_set *set = dns_set_new(dns);
	const struct dns_answer *answer;
	enum dns_status status;

	while ((answer = dns_ask(set, name, type)) == NULL)
		assert_int_equal(dns_set_wait(set, clock_mono_ms() + 60000), 1);
	status = answer->status;
	if (status == DNS_OK && type == DNS_A)
		assert_true(
		    answer->count > 0 && answer->records[0].ip.family == IP_V4);
	dns_set_free(set);
	return status;
}

static void
test_answers_and_failures(void **state)
{
	static const struct {
		const char *name;
		enum dns_type type;
		enum dns_status want;
		bool slow; /* ends at the deadline */
	} cases[] = {
		{ "a.sekimori-test.net", DNS_A, DNS_OK, false },
		{ "a.sekimori-test.net", DNS_TXT, DNS_NODATA, false },
		{ "slow50.sekimori-test.net", DNS_A, DNS_OK, false },
		{ "none.sekimori-test.net", DNS_A, DNS_NXDOMAIN, false },
		{ "cut.sekimori-test.net", DNS_A, DNS_OK, false },
		{ "long.sekimori-test.net", DNS_A, DNS_OK, false },
		{ "fail.sekimori-test.net", DNS_A, DNS_SERVFAIL, false },
		{ "drop.sekimori-test.net", DNS_A, DNS_TIMEOUT, true },
		{ "junk.sekimori-test.net", DNS_A, DNS_TIMEOUT, true },
		{ "other.sekimori-test.net", DNS_A, DNS_SERVFAIL, false },
		/* names that libunbound would answer by itself */
		{ "a.test", DNS_A, DNS_OK, false },
		{ "1.0.0.10.in-addr.arpa", DNS_A, DNS_OK, false },
		{ "1.2.0.192.in-addr.arpa", DNS_A, DNS_OK, false },
		{ "odd\\032\\000name.sekimori-test.net", DNS_A, DNS_OK, false },
	};
	struct dns_server *server = dns_server_start(0);
	unsigned port = dns_server_port(server);
	struct dns *patient = open_port(port, PATIENCE_MS),
		   *hasty = open_port(port, TIMEOUT_MS);
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		enum dns_status got = ask(cases[i].slow ? hasty : patient,
		    cases[i].name, cases[i].type);

		if (got != cases[i].want)
			case_fail(cases[i].name, "got %s",
			    dns_status_name(got));
	}
	dns_close(patient);
	dns_close(hasty);
	dns_server_stop(server);
}

static void
test_same_question_goes_out_once(void **state)
{
	struct dns_server *server = dns_server_start(0);
	struct dns *dns = open_port(dns_server_port(server), PATIENCE_MS);
	struct dns_set *sets[50];
	const struct dns_answer *answer;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(sets); i++) {
		sets[i] = dns_set_new(dns);
		assert_null(
		    dns_ask(sets[i], "slow200.sekimori-test.net", DNS_A));
	}
	for (i = 0; i < ARRAY_LEN(sets); i++) {
		assert_int_equal(dns_set_wait(sets[i], clock_mono_ms() + 60000),
		    1);
		answer = dns_ask(sets[i], "slow200.sekimori-test.net", DNS_A);
		assert_non_null(answer);
		assert_int_equal(answer->status, DNS_OK);
		dns_set_free(sets[i]);
	}
	assert_int_equal(dns_server_questions(server), 1);
	dns_close(dns);
	dns_server_stop(server);
}

/* ---- many that wait at once for a server that is dead ---- */

#define WAITERS 200

struct waiter {
	struct dns *dns;
	size_t number;
	int64_t took_ms;
	bool all_timed_out;
};

static void *
wait_for_nothing(void *context)
{
	struct waiter *waiter = context;
	struct dns_set *set = dns_set_new(waiter->dns);
	int64_t start = clock_mono_ms();
	char name[64];
	int i;

	for (i = 0; i < 5; i++) {
		snprintf(name, sizeof(name), "drop%d-%zu.sekimori-test.net", i,
		    waiter->number);
		(void)dns_ask(set, name, DNS_A);
	}
	while (dns_set_wait(set, start + 60000) > 0)
		;
	waiter->took_ms = clock_mono_ms() - start;
	waiter->all_timed_out = true;
	for (i = 0; i < 5; i++) {
		const struct dns_answer *answer;

		snprintf(name, sizeof(name), "drop%d-%zu.sekimori-test.net", i,
		    waiter->number);
		answer = dns_ask(set, name, DNS_A);
		if (answer == NULL || !dns_status_is_failure(answer->status))
			waiter->all_timed_out = false;
	}
	dns_set_free(set);
	return NULL;
}

static void
test_many_wait_for_a_dead_server(void **state)
{
	struct dns_server *server = dns_server_start(0);
	struct dns *dns = open_port(dns_server_port(server), TIMEOUT_MS);
	struct waiter waiters[WAITERS];
	pthread_t threads[WAITERS];
	struct dns_stats stats;
	size_t i;

	(void)state;
	for (i = 0; i < WAITERS; i++) {
		waiters[i] = (struct waiter){ .dns = dns, .number = i };
		assert_int_equal(pthread_create(&threads[i], NULL,
				     wait_for_nothing, &waiters[i]),
		    0);
	}
	for (i = 0; i < WAITERS; i++)
		pthread_join(threads[i], NULL);
	/* One after the other would take minutes. */
	for (i = 0; i < WAITERS; i++) {
		if (waiters[i].took_ms > PATIENCE_MS / 2)
			case_fail("waiter", "%zu waited %d ms", i,
			    (int)waiters[i].took_ms);
		assert_true(waiters[i].all_timed_out);
	}
	dns_get_stats(dns, &stats);
	assert_int_equal(stats.queries, WAITERS * 5);
	assert_int_equal(stats.failures, WAITERS * 5);
	/* Closed with a thousand questions still out. */
	dns_close(dns);
	dns_server_stop(server);
}

/* ---- a server that comes back ---- */

static void
test_server_comes_back(void **state)
{
	struct dns_server *server = dns_server_start(0);
	unsigned port = dns_server_port(server), i;
	struct dns *dns = open_port(port, TIMEOUT_MS);
	int64_t until = clock_mono_ms() + PATIENCE_MS;
	enum dns_status status = DNS_SERVFAIL;
	char name[64];

	(void)state;
	do
		status = ask(dns, "a.sekimori-test.net", DNS_A);
	while (status != DNS_OK && clock_mono_ms() < until);
	assert_int_equal(status, DNS_OK);
	dns_server_stop(server);
	for (i = 0; i < 3; i++) {
		snprintf(name, sizeof(name), "away%u.sekimori-test.net", i);
		assert_true(dns_status_is_failure(ask(dns, name, DNS_A)));
	}
	/* What is known stays known meanwhile. */
	assert_int_equal(ask(dns, "a.sekimori-test.net", DNS_A), DNS_OK);
	server = dns_server_start(port);
	status = DNS_SERVFAIL;
	for (i = 0; status != DNS_OK && clock_mono_ms() < until; i++) {
		snprintf(name, sizeof(name), "back%u.sekimori-test.net", i);
		status = ask(dns, name, DNS_A);
	}
	assert_int_equal(status, DNS_OK);
	dns_close(dns);
	dns_server_stop(server);
}

/* ---- a real server ---- */

struct unbound {
	char directory[64];
	unsigned port;
	pid_t pid;
};

/* A port that is free for UDP and TCP just now. */
static unsigned
free_port(void)
{
	struct dns_server *server = dns_server_start(0);
	unsigned port = dns_server_port(server);

	dns_server_stop(server);
	return port;
}

static const char unbound_conf[] =
    "server:\n"
    "  directory: \"%s\"\n"
    "  chroot: \"\"\n"
    "  username: \"\"\n"
    "  pidfile: \"\"\n"
    "  use-syslog: no\n"
    "  logfile: \"%s/log\"\n"
    "  do-daemonize: no\n"
    "  interface: 127.0.0.1@%u\n"
    "  module-config: \"iterator\"\n"
    "  local-zone: \"sekimori-test.net.\" static\n"
    "  local-data: \"sekimori-test.net. 60 IN SOA a. b. 1 2 3 4 5\"\n"
    "  local-data: \"a.sekimori-test.net. 60 IN A 192.0.2.1\"\n"
    "  local-data: \"a.sekimori-test.net. 60 IN MX 10 A.sekimori-test.net.\"\n"
    "  local-data: 'a.sekimori-test.net. 60 IN TXT \"v=spf1 \" \"-all\"'\n"
    "  local-data-ptr: \"198.18.0.1 60 a.sekimori-test.net\"\n"
    "  local-zone: \"drop.net.\" deny\n"
    "  local-zone: \"refuse.net.\" refuse\n"
    "remote-control:\n"
    "  control-enable: no\n";

static void
unbound_start(struct unbound *unbound)
{
	char path[80];
	FILE *file;

	snprintf(unbound->directory, sizeof(unbound->directory),
	    "/tmp/sekimori-unbound.XXXXXX");
	assert_non_null(mkdtemp(unbound->directory));
	unbound->port = free_port();
	snprintf(path, sizeof(path), "%s/conf", unbound->directory);
	file = fopen(path, "w");
	assert_non_null(file);
	assert_true(fprintf(file, unbound_conf, unbound->directory,
			unbound->directory, unbound->port) > 0);
	assert_int_equal(fclose(file), 0);
	unbound->pid = fork();
	assert_true(unbound->pid >= 0);
	if (unbound->pid == 0) {
		execl(UNBOUND, "unbound", "-c", path, (char *)NULL);
		_exit(127);
	}
}

static void
unbound_stop(struct unbound *unbound)
{
	char path[80];

	kill(unbound->pid, SIGTERM);
	waitpid(unbound->pid, NULL, 0);
	snprintf(path, sizeof(path), "%s/conf", unbound->directory);
	unlink(path);
	snprintf(path, sizeof(path), "%s/log", unbound->directory);
	unlink(path);
	rmdir(unbound->directory);
}

/* Does it take connections? */
static bool
is_listening(unsigned port)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr = { htonl(INADDR_LOOPBACK) } };
	int fd = socket(AF_INET, SOCK_STREAM, 0), rc;

	rc = connect(fd, (struct sockaddr *)&address, sizeof(address));
	close(fd);
	return rc == 0;
}

static void
check_real_server(struct dns *dns)
{
	struct dns_set *set = dns_set_new(dns);
	int64_t until = clock_mono_ms() + 60000;
	const struct dns_answer *mx, *txt, *ptr;

	(void)dns_ask(set, "a.sekimori-test.net", DNS_MX);
	(void)dns_ask(set, "a.sekimori-test.net", DNS_TXT);
	(void)dns_ask(set, "1.0.18.198.in-addr.arpa", DNS_PTR);
	while (dns_set_wait(set, until) > 0)
		;
	mx = dns_ask(set, "a.sekimori-test.net", DNS_MX);
	txt = dns_ask(set, "a.sekimori-test.net", DNS_TXT);
	ptr = dns_ask(set, "1.0.18.198.in-addr.arpa", DNS_PTR);
	assert_int_equal(mx->status, DNS_OK);
	assert_int_equal(mx->records[0].preference, 10);
	assert_string_equal(mx->records[0].name, "a.sekimori-test.net");
	assert_int_equal(txt->status, DNS_OK);
	assert_true(
	    bytes_equal(txt->records[0].text, BYTES_LIT("v=spf1 -all")));
	assert_int_equal(ptr->status, DNS_OK);
	assert_string_equal(ptr->records[0].name, "a.sekimori-test.net");
	dns_set_free(set);
	assert_int_equal(ask(dns, "a.sekimori-test.net", DNS_A), DNS_OK);
	assert_int_equal(ask(dns, "a.sekimori-test.net", DNS_AAAA), DNS_NODATA);
	assert_int_equal(ask(dns, "b.sekimori-test.net", DNS_A), DNS_NXDOMAIN);
	assert_int_equal(ask(dns, "a.refuse.net", DNS_A), DNS_SERVFAIL);
}

static void
test_real_server(void **state)
{
	struct unbound unbound;
	struct dns *dns;
	int i;

	(void)state;
	if (access(UNBOUND, X_OK) < 0) {
		print_message("skipped: 1 test, %s is not installed\n",
		    UNBOUND);
		skip();
	}
	unbound_start(&unbound);
	for (i = 0; i < PATIENCE_MS / 50 && !is_listening(unbound.port); i++)
		usleep(50000);
	dns = open_port(unbound.port, PATIENCE_MS);
	check_real_server(dns);
	dns_close(dns);
	dns = open_port(unbound.port, TIMEOUT_MS);
	assert_int_equal(ask(dns, "a.drop.net", DNS_A), DNS_TIMEOUT);
	dns_close(dns);
	unbound_stop(&unbound);
}

/* With a trust anchor, answers that nobody has signed are worthless. */
static void
test_unsigned_answers_are_bogus(void **state)
{
	static const char anchor[] =
	    ". IN DS 20326 8 2 E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC6834"
	    "57104237C7F8EC8D\n";
	struct dns_server *server = dns_server_start(0);
	char file[] = "/tmp/sekimori-anchor.XXXXXX", address[32];
	const char *const servers[] = { address };
	struct dns_options options = { .servers = servers,
		.server_count = 1,
		.timeout_ms = PATIENCE_MS,
		.trust_anchor = file };
	struct err err;
	struct dns *dns;
	int fd = mkstemp(file);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(write(fd, anchor, sizeof(anchor) - 1),
	    sizeof(anchor) - 1);
	snprintf(address, sizeof(address), "127.0.0.1@%u",
	    dns_server_port(server));
	dns = dns_open(&options, &err);
	if (dns == NULL)
		case_fail("open", "%s", err.text);
	assert_int_equal(ask(dns, "a.sekimori-test.net", DNS_A), DNS_BOGUS);
	dns_close(dns);
	assert_int_equal(ftruncate(fd, 0), 0);
	assert_int_equal(pwrite(fd, "rubbish\n", 8, 0), 8);
	assert_null(dns_open(&options, &err));
	assert_non_null(strstr(err.text, file));
	close(fd);
	unlink(file);
	dns_server_stop(server);
}

static void
test_bad_options(void **state)
{
	const char *const servers[] = { "127.0.0.1@port" };
	struct dns_options options = { .servers = servers, .server_count = 1 };
	struct err err;

	(void)state;
	assert_null(dns_open(&options, &err));
	assert_int_equal(err.kind, ERR_CONFIG);
	options.server_count = 0;
	options.trust_anchor = "/nonexistent/root.key";
	assert_null(dns_open(&options, &err));
	assert_string_equal(err.text,
	    "/nonexistent/root.key: No such file or directory");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answers_and_failures),
		cmocka_unit_test(test_same_question_goes_out_once),
		cmocka_unit_test(test_many_wait_for_a_dead_server),
		cmocka_unit_test(test_server_comes_back),
		cmocka_unit_test(test_real_server),
		cmocka_unit_test(test_unsigned_answers_are_bogus),
		cmocka_unit_test(test_bad_options),
	};

	return cmocka_run_group_tests_name("dns_resolver", tests, NULL, NULL);
}
