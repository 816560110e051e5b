/*
 * test_socketmap_server.c - tests of milter/socketmap_server.c over real
 * sockets.
 *
 * The server under test answers a request with its bytes in capitals;
 * "long" gets as much as a reply may have, "never" one that does not fit.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include "tests/unit.h"

#include "base/arena.h"
#include "base/endpoint.h"
#include "base/log.h"

#include "milter/socketmap.h"
#include "milter/socketmap_server.h"

#define CONNECTIONS_MAX 5
#define PATIENCE_S 20

struct rig {
	char dir[64];
	char *path;
	struct endpoint endpoint;
	struct socketmap_server *server;
};

static int
answer(void *context, struct bytes request, struct buf *reply)
{
	size_t i;

	(void)context;
	if (bytes_equal(request, BYTES_LIT("never")))
		return buf_append_str(reply, "OK partly"), -1;
	for (i = 0; i < request.len; i++)
		buf_append_char(reply,
		    (char)toupper((unsigned char)request.data[i]));
	if (bytes_equal(request, BYTES_LIT("long")))
		while (reply->len < reply->max)
			buf_append_char(reply, 'x');
	return 0;
}

static void
rig_start(struct rig *rig, unsigned idle_s)
{
	struct socketmap_server_options options = {
		.socket_mode = 0600,
		.connections_max = CONNECTIONS_MAX,
		.idle_s = idle_s,
		.answer = answer,
	};
	struct err err = { 0 };
	char *listen;

	log_set_level(LOG_LEVEL_ERROR);
	memcpy(rig->dir, "/tmp/test_socketmap.XXXXXX", 27);
	assert_non_null(mkdtemp(rig->dir));
	rig->path = xprintf("%s/s", rig->dir);
	listen = xprintf("unix:%s", rig->path);
	options.listen = listen;
	rig->server = socketmap_server_start(&options, &err);
	if (rig->server == NULL)
		fail_msg("%s", err.text);
	assert_int_equal(endpoint_parse(listen, &rig->endpoint, &err), 0);
	free(listen);
}

static void
rig_stop(struct rig *rig)
{
	socketmap_server_stop(rig->server);
	assert_int_equal(access(rig->path, F_OK), -1);
	assert_int_equal(rmdir(rig->dir), 0);
	free(rig->path);
}

static int
dial(struct rig *rig)
{
	struct timeval patience = { .tv_sec = PATIENCE_S };
	int fd = endpoint_connect(&rig->endpoint);

	assert_true(fd >= 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience,
			     sizeof(patience)),
	    0);
	return fd;
}

static void
say(int fd, const char *text)
{
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

/* Reads exactly as much as is wanted. */
static void
expect(int fd, const char *want)
{
	char *got = xcalloc(1, strlen(want) + 1);
	size_t len = 0;
	ssize_t n;

	while (len < strlen(want)) {
		n = read(fd, got + len, strlen(want) - len);
		if (n <= 0)
			break;
		len += (size_t)n;
	}
	assert_string_equal(got, want);
	free(got);
}

static void
expect_closed(int fd)
{
	char c;

	assert_true(read(fd, &c, 1) <= 0);
	close(fd);
}

static void
test_requests(void **state)
{
	struct rig rig;
	int fd, other;

	(void)state;
	rig_start(&rig, 100);
	fd = dial(&rig);
	other = dial(&rig);
	say(fd, "5:hello,");
	expect(fd, "5:HELLO,");
	say(fd,
	    "1:a,2:bc,"
	    "3:d");
	expect(fd, "1:A,2:BC,");
	say(other, "0:,");
	expect(other, "0:,");
	say(fd, "e");
	say(fd, "f,");
	expect(fd, "3:DEF,");
	say(fd, "5:never,");
	expect(fd, "27:TEMP the answer is too long,");
	close(fd);
	close(other);
	rig_stop(&rig);
}

static void
test_rubbish(void **state)
{
	static const char *const rubbish[] = { "hello", "x", "5:hello;",
		"99999:", ":", "-1:a,", "05:hello,", "5:hello,6" };
	struct rig rig;
	size_t i;
	int fd;

	(void)state;
	rig_start(&rig, 100);
	for (i = 0; i + 1 < ARRAY_LEN(rubbish); i++) {
		fd = dial(&rig);
		say(fd, rubbish[i]);
		expect_closed(fd);
	}
	fd = dial(&rig);
	say(fd, rubbish[i]);
	expect(fd, "5:HELLO,");
	close(fd);
	fd = dial(&rig);
	say(fd, "2:ok,");
	expect(fd, "2:OK,");
	close(fd);
	rig_stop(&rig);
}

/* One who asks and does not read is not served further, and hinders
 * nobody. */
static void
test_does_not_read(void **state)
{
	struct rig rig;
	size_t len = SOCKETMAP_REPLY_MAX + 8, i;
	char *want = xmalloc(len + 1);
	int fd, other, n;

	(void)state;
	rig_start(&rig, 100);
	fd = dial(&rig);
	for (i = 0; i < 20; i++)
		say(fd, "4:long,");
	other = dial(&rig);
	say(other, "2:ok,");
	expect(other, "2:OK,");
	close(other);
	n = snprintf(want, len, "%d:LONG", SOCKETMAP_REPLY_MAX);
	memset(want + n, 'x', SOCKETMAP_REPLY_MAX - 4);
	memcpy(want + n + SOCKETMAP_REPLY_MAX - 4, ",", 2);
	for (i = 0; i < 20; i++)
		expect(fd, want);
	close(fd);
	free(want);
	rig_stop(&rig);
}

static void
test_too_many(void **state)
{
	struct rig rig;
	int fds[CONNECTIONS_MAX], fd;
	size_t i;

	(void)state;
	rig_start(&rig, 100);
	for (i = 0; i < CONNECTIONS_MAX; i++) {
		fds[i] = dial(&rig);
		say(fds[i], "2:ok,");
		expect(fds[i], "2:OK,");
	}
	expect_closed(dial(&rig));
	/* one goes, there is room for another */
	say(fds[0], "rubbish");
	expect_closed(fds[0]);
	fd = dial(&rig);
	say(fd, "3:abc,");
	expect(fd, "3:ABC,");
	close(fd);
	for (i = 1; i < CONNECTIONS_MAX; i++)
		close(fds[i]);
	rig_stop(&rig);
}

static void
test_idle(void **state)
{
	struct rig rig;
	int fd;

	(void)state;
	rig_start(&rig, 1);
	fd = dial(&rig);
	say(fd, "5:hel");
	expect_closed(fd);
	rig_stop(&rig);
}

static void
test_socket_file(void **state)
{
	struct socketmap_server_options options = { .connections_max = 1,
		.answer = answer,
		.socket_mode = 0666 };
	struct err err = { 0 };
	struct stat st;
	struct rig rig;
	char *listen;

	(void)state;
	rig_start(&rig, 100);
	assert_int_equal(stat(rig.path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	/* a second one does not take it away */
	listen = xprintf("unix:%s", rig.path);
	options.listen = listen;
	assert_null(socketmap_server_start(&options, &err));
	assert_int_equal(err.kind, ERR_CONFIG);
	assert_non_null(strstr(err.text, "somebody listens"));
	assert_int_equal(access(rig.path, F_OK), 0);
	free(listen);
	rig_stop(&rig);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_requests),
		cmocka_unit_test(test_rubbish),
		cmocka_unit_test(test_does_not_read),
		cmocka_unit_test(test_too_many),
		cmocka_unit_test(test_idle),
		cmocka_unit_test(test_socket_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
