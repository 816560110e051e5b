/*
 * dns_server.c - a name server of a test's own.
 *
 * One thread, UDP and TCP; answers that wait stand in a list.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/base/dns_server.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"

#define MESSAGE_MAX 65535
#define QUESTION_MAX 512

struct delayed {
	TAILQ_ENTRY(delayed) entry;
	int64_t due_ms;
	struct sockaddr_in peer;
	struct buf message;
};

struct dns_server {
	int udp, tcp;
	unsigned port;
	pthread_t thread;
	atomic_bool stop;
	atomic_uint questions;
	TAILQ_HEAD(, delayed) delayed;
};

static void
must(int good)
{
	if (!good)
		abort();
}

static bool
label_is(const uint8_t *question, const char *word)
{
	return question[0] >= strlen(word) &&
	    memcmp(question + 1, word, strlen(word)) == 0;
}

static void
put_header(struct buf *out, const uint8_t *query, unsigned flags,
    unsigned answers)
{
	const uint8_t head[] = { query[0], query[1],
		(uint8_t)(0x81 | flags >> 8), (uint8_t)(0x80 | (flags & 15)), 0,
		1, (uint8_t)(answers >> 8), (uint8_t)answers, 0, 0, 0, 0 };

	buf_append(out, head, sizeof(head));
}

/* The answer to a query; empty: none. */
static void
make_answer(const uint8_t *query, size_t len, bool by_tcp, struct buf *out)
{
	const uint8_t *question = query + 12;
	size_t end = 12, i;
	unsigned answers = 1, flags = 0;

	while (end < len && query[end] != 0)
		end += query[end] + 1u;
	end += 5;
	must(end <= len);
	if (label_is(question, "drop"))
		return;
	if (label_is(question, "junk")) {
		buf_append(out, "\1\2\3\4\5\6\7", 7);
		return;
	}
	if (label_is(question, "fail"))
		flags = 2;
	if (label_is(question, "none"))
		flags = 3;
	if (label_is(question, "cut") && !by_tcp)
		flags = 0x200;
	if (label_is(question, "long"))
		answers = 900;
	/* A, and nothing of other types. */
	if (flags != 0 || query[end - 3] != 1)
		answers = 0;
	put_header(out, query, flags, answers);
	buf_append(out, question, end - 12);
	if (label_is(question, "other"))
		out->data[13] ^= 1;
	for (i = 0; i < answers; i++) {
		buf_append(out, "\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\xc0\0", 14);
		buf_append_char(out, (char)(2 + i / 256));
		buf_append_char(out, (char)(1 + i));
	}
	/* Too long for UDP. */
	if (!by_tcp && out->len > 1232) {
		buf_reset(out);
		put_header(out, query, 0x200, 0);
		buf_append(out, question, end - 12);
	}
}

static int
delay_of(const uint8_t *query)
{
	const uint8_t *question = query + 12;
	int ms = 0;
	uint8_t i;

	if (!label_is(question, "slow"))
		return 0;
	for (i = 5; i <= question[0]; i++)
		if (question[i] >= '0' && question[i] <= '9')
			ms = ms * 10 + (question[i] - '0');
	return ms;
}

static void
serve_udp(struct dns_server *server)
{
	uint8_t query[QUESTION_MAX];
	struct sockaddr_in peer;
	socklen_t peer_len = sizeof(peer);
	struct delayed *delayed;
	ssize_t len;

	len = recvfrom(server->udp, query, sizeof(query), 0,
	    (struct sockaddr *)&peer, &peer_len);
	if (len < 17)
		return;
	atomic_fetch_add(&server->questions, 1);
	delayed = xmalloc(sizeof(*delayed));
	delayed->due_ms = clock_mono_ms() + delay_of(query);
	delayed->peer = peer;
	buf_init(&delayed->message, MESSAGE_MAX);
	make_answer(query, (size_t)len, false, &delayed->message);
	TAILQ_INSERT_TAIL(&server->delayed, delayed, entry);
}

static void
send_due(struct dns_server *server, bool all)
{
	struct delayed *delayed, *next;

	for (delayed = TAILQ_FIRST(&server->delayed); delayed != NULL;
	     delayed = next) {
		next = TAILQ_NEXT(delayed, entry);
		if (!all && delayed->due_ms > clock_mono_ms())
			continue;
		if (delayed->message.len > 0 && !all)
			(void)!sendto(server->udp, delayed->message.data,
			    delayed->message.len, 0,
			    (struct sockaddr *)&delayed->peer,
			    sizeof(delayed->peer));
		TAILQ_REMOVE(&server->delayed, delayed, entry);
		buf_free(&delayed->message);
		free(delayed);
	}
}

/* One question a connection is what libunbound needs here. */
static void
serve_tcp(struct dns_server *server)
{
	uint8_t query[QUESTION_MAX], prefix[2];
	struct buf message;
	ssize_t len;
	int fd = accept(server->tcp, NULL, NULL);

	if (fd < 0)
		return;
	if (recv(fd, prefix, 2, MSG_WAITALL) == 2) {
		len = recv(fd, query,
		    ((size_t)prefix[0] << 8 | prefix[1]) % sizeof(query),
		    MSG_WAITALL);
		buf_init(&message, MESSAGE_MAX);
		if (len >= 17) {
			atomic_fetch_add(&server->questions, 1);
			make_answer(query, (size_t)len, true, &message);
			prefix[0] = (uint8_t)(message.len >> 8);
			prefix[1] = (uint8_t)message.len;
			(void)!send(fd, prefix, 2, MSG_NOSIGNAL);
			(void)!send(fd, buf_str(&message), message.len,
			    MSG_NOSIGNAL);
		}
		buf_free(&message);
	}
	close(fd);
}

static void *
run(void *context)
{
	struct dns_server *server = context;
	struct pollfd fds[] = { { server->udp, POLLIN, 0 },
		{ server->tcp, POLLIN, 0 } };

	while (!atomic_load(&server->stop)) {
		if (poll(fds, 2, 5) > 0) {
			if (fds[0].revents & POLLIN)
				serve_udp(server);
			if (fds[1].revents & POLLIN)
				serve_tcp(server);
		}
		send_due(server, false);
	}
	return NULL;
}

/* Both sockets on one port; false when one of them is taken. */
static bool
take_port(struct dns_server *server, unsigned port)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr = { htonl(INADDR_LOOPBACK) } };
	const int on = 1;

	server->port = port;
	server->udp = socket(AF_INET, SOCK_DGRAM, 0);
	server->tcp = socket(AF_INET, SOCK_STREAM, 0);
	must(setsockopt(server->tcp, SOL_SOCKET, SO_REUSEADDR, &on,
		 sizeof(on)) == 0);
	if (bind(server->udp, (struct sockaddr *)&address, sizeof(address)) ==
		0 &&
	    bind(server->tcp, (struct sockaddr *)&address, sizeof(address)) ==
		0)
		return true;
	close(server->udp);
	close(server->tcp);
	return false;
}

struct dns_server *
dns_server_start(unsigned port)
{
	struct dns_server *server = xcalloc(1, sizeof(*server));
	uint16_t number;
	int tries = 0;

	TAILQ_INIT(&server->delayed);
	must(getrandom(&number, sizeof(number), 0) == sizeof(number));
	/* Below the ports that the kernel hands out by itself: one that is
	 * free for UDP may be in use for TCP, and be taken meanwhile. */
	while (!take_port(server, port > 0 ? port : 20000u + number % 12000)) {
		must(tries++ < 1000);
		if (port > 0)
			usleep(20000);
		must(getrandom(&number, sizeof(number), 0) == sizeof(number));
	}
	must(listen(server->tcp, 64) == 0);
	must(pthread_create(&server->thread, NULL, run, server) == 0);
	return server;
}

void
dns_server_stop(struct dns_server *server)
{
	atomic_store(&server->stop, true);
	pthread_join(server->thread, NULL);
	send_due(server, true);
	close(server->udp);
	close(server->tcp);
	free(server);
}

unsigned
dns_server_port(const struct dns_server *server)
{
	return server->port;
}

unsigned
dns_server_questions(struct dns_server *server)
{
	return atomic_load(&server->questions);
}
