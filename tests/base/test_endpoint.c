/*
 * test_endpoint.c - tests of base/endpoint.c.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit.h"

#include "base/arena.h"
#include "base/endpoint.h"
#include "base/netaddr.h"

/* "192.0.2.1 25", "/path", with " *" behind for all addresses. */
static void
format(const struct endpoint *endpoint, char *out, size_t size)
{
	const struct sockaddr *sa = &endpoint->addr.sa;
	char text[IP_TEXT_SIZE];
	struct ip ip;

	if (sa->sa_family == AF_UNIX) {
		snprintf(out, size, "%s", endpoint->addr.sun.sun_path);
		return;
	}
	ip = ip_from_sockaddr(sa);
	ip_format(&ip, text);
	snprintf(out, size, "%s %u%s", text,
	    ntohs(((const struct sockaddr_in *)&endpoint->addr.storage)
		      ->sin_port),
	    endpoint->wildcard ? " *" : "");
}

static void
test_parse(void **state)
{
	static const struct {
		const char *label, *text, *want; /* NULL: an error */
	} cases[] = {
		{ "libmilter's order", "inet:8895@127.0.0.1",
		    "127.0.0.1 8895" },
		{ "libmilter's order, IPv6", "inet6:8895@::1", "::1 8895" },
		{ "host first", "inet:127.0.0.1:8896", "127.0.0.1 8896" },
		{ "without inet", "192.0.2.1:25", "192.0.2.1 25" },
		{ "IPv6 in brackets", "[2001:db8::1]:25", "2001:db8::1 25" },
		{ "localhost", "localhost:8897", "127.0.0.1 8897" },
		{ "localhost, IPv6", "inet6:25@localhost", "::1 25" },
		{ "all addresses", "*:25", "0.0.0.0 25 *" },
		{ "all IPv6 addresses", "inet6:25@*", ":: 25 *" },
		{ "unix", "unix:/run/s", "/run/s" },
		{ "local", "local:/run/s", "/run/s" },
		{ "relative path", "unix:run/s", NULL },
		{ "no path", "unix:", NULL },
		{ "path too long",
		    "unix:/0123456789012345678901234567890123456789012345678901"
		    "23456789012345678901234567890123456789012345678901234567"
		    "89",
		    NULL },
		{ "a name", "inet:25@mail.example", NULL },
		{ "IPv6 where IPv4 is wanted", "inet6:25@127.0.0.1", NULL },
		{ "no port", "127.0.0.1", NULL },
		{ "port 0", "127.0.0.1:0", NULL },
		{ "port too large", "127.0.0.1:65536", NULL },
		{ "port is a word", "inet:smtp@127.0.0.1", NULL },
		{ "nothing", "", NULL },
		{ "inet alone", "inet:", NULL },
	};
	struct endpoint endpoint;
	struct err err;
	char text[200];
	size_t i;
	int rc;

	(void)state;
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		err_clear(&err);
		rc = endpoint_parse(cases[i].text, &endpoint, &err);
		if (rc == 0 && cases[i].want == NULL)
			case_fail(cases[i].label, "was taken");
		if (rc < 0 && (cases[i].want != NULL || err.kind != ERR_CONFIG))
			case_fail(cases[i].label, "%s", err.text);
		if (rc < 0)
			continue;
		format(&endpoint, text, sizeof(text));
		if (strcmp(text, cases[i].want) != 0)
			case_fail(cases[i].label, "'%s'", text);
	}
}

static void
test_unix_socket(void **state)
{
	char dir[] = "/tmp/test_endpoint.XXXXXX";
	struct endpoint endpoint;
	struct stat st;
	char *path, *text;
	int fd, client;

	(void)state;
	assert_non_null(mkdtemp(dir));
	path = xprintf("%s/s", dir);
	text = xprintf("unix:%s", path);
	assert_int_equal(endpoint_parse(text, &endpoint, NULL), 0);
	assert_int_equal(endpoint_find_listener(&endpoint), -1);
	fd = endpoint_listen(&endpoint, 0640, NULL);
	assert_true(fd >= 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0640);
	assert_int_equal(endpoint_find_listener(&endpoint), fd);
	client = endpoint_connect(&endpoint);
	assert_true(client >= 0);
	close(client);
	/* somebody lives there */
	assert_int_equal(endpoint_listen(&endpoint, 0640, NULL), -1);
	close(fd);
	/* nobody any more, but the file is still there */
	assert_int_equal(access(path, F_OK), 0);
	assert_int_equal(endpoint_connect(&endpoint), -1);
	fd = endpoint_listen(&endpoint, 0600, NULL);
	assert_true(fd >= 0);
	close(fd);
	endpoint_remove(&endpoint);
	assert_int_equal(rmdir(dir), 0);
	free(path);
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_unix_socket),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
