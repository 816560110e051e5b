/*
 * socketmap_server.c - answers netstrings with netstrings.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/endpoint.h"
#include "base/log.h"

#include "milter/netstring.h"
#include "milter/socketmap.h"
#include "milter/socketmap_server.h"

#define EVENTS_MAX 64
#define SWEEP_MS 5000
#define COMPLAIN_MS 60000
/* a request with its length, colon and comma */
#define IN_MAX (SOCKETMAP_REQUEST_MAX + 16)
#define OUT_MAX (SOCKETMAP_REPLY_MAX + 16)

struct client {
	size_t index; /* in the server's array */
	int fd;
	int64_t heard_ms;
	struct buf in;
	struct buf out;
};

struct socketmap_server {
	struct socketmap_server_options options;
	struct endpoint endpoint;
	pthread_t thread;
	int listen_fd, epoll_fd, stop_fd;
	struct client **clients; /* room for connections_max */
	size_t client_count;
	int64_t complained_ms;
	struct buf reply;
};

static void
client_close(struct socketmap_server *server, struct client *client)
{
	struct client *last = server->clients[--server->client_count];

	server->clients[client->index] = last;
	last->index = client->index;
	close(client->fd);
	buf_free(&client->in);
	buf_free(&client->out);
	free(client);
}

static int
watch(struct socketmap_server *server, int op, int fd, uint32_t events,
    void *what)
{
	struct epoll_event event = { .events = events, .data.ptr = what };

	return epoll_ctl(server->epoll_fd, op, fd, &event);
}

static void
client_new(struct socketmap_server *server, int fd)
{
	struct client *client = xcalloc(1, sizeof(*client));

	client->fd = fd;
	client->heard_ms = clock_mono_ms();
	buf_init(&client->in, IN_MAX);
	buf_init(&client->out, OUT_MAX);
	client->index = server->client_count;
	server->clients[server->client_count++] = client;
	if (watch(server, EPOLL_CTL_ADD, fd, EPOLLIN, client) != 0)
		client_close(server, client);
}

/* Said at most once a minute: under attack it is true all the time. */
static void
complain(struct socketmap_server *server, const char *what)
{
	int64_t now = clock_mono_ms();

	if (server->complained_ms != 0 &&
	    now - server->complained_ms < COMPLAIN_MS)
		return;
	server->complained_ms = now;
	log_warn("socketmap: %s", what);
}

static void
accept_clients(struct socketmap_server *server)
{
	int fd;

	while ((fd = accept4(server->listen_fd, NULL, NULL,
		    SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0) {
		if (server->client_count < server->options.connections_max) {
			client_new(server, fd);
			continue;
		}
		close(fd);
		complain(server, "too many connections, new ones are closed");
	}
	if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS ||
	    errno == ENOMEM) {
		complain(server, strerror(errno));
		usleep(10000); /* the listener stays readable: do not spin */
	}
}

/* 1: everything is written; 0: the client does not read; -1: it is gone. */
static int
client_flush(struct client *client)
{
	ssize_t n;

	while (client->out.len > 0) {
		n = send(client->fd, client->out.data, client->out.len,
		    MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN ? 0 : -1;
		buf_consume(&client->out, (size_t)n);
	}
	return 1;
}

static void
client_answer(struct socketmap_server *server, struct client *client,
    struct bytes request)
{
	struct buf *reply = &server->reply;

	buf_reset(reply);
	if (server->options.answer(server->options.context, request, reply) <
	    0) {
		buf_reset(reply);
		(void)buf_append_str(reply, "TEMP the answer is too long");
	}
	/* Cannot fail: out is empty and has room for the longest reply. */
	(void)netstring_append(&client->out, buf_bytes(reply));
}

/* Answers what is complete, one after the other; nothing more is answered
 * to a client that does not read.  -1: drop it. */
static int
client_serve(struct socketmap_server *server, struct client *client)
{
	struct bytes request;
	size_t used;
	int rc;

	while ((rc = client_flush(client)) > 0) {
		rc = netstring_parse(buf_bytes(&client->in),
		    SOCKETMAP_REQUEST_MAX, &request, &used);
		if (rc <= 0)
			break;
		client_answer(server, client, request);
		buf_consume(&client->in, used);
	}
	return rc;
}

static int
client_read(struct client *client)
{
	char piece[4096];
	size_t room = IN_MAX - client->in.len;
	ssize_t n;

	n = read(client->fd, piece,
	    room < sizeof(piece) ? room : sizeof(piece));
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -1;
	if (n == 0)
		return -1;
	client->heard_ms = clock_mono_ms();
	return buf_append(&client->in, piece, (size_t)n);
}

static void
client_ready(struct socketmap_server *server, struct client *client)
{
	bool waited_for_room = client->out.len > 0;

	if ((!waited_for_room && client_read(client) < 0) ||
	    client_serve(server, client) < 0) {
		client_close(server, client);
		return;
	}
	if (waited_for_room != (client->out.len > 0) &&
	    watch(server, EPOLL_CTL_MOD, client->fd,
		client->out.len > 0 ? EPOLLOUT : EPOLLIN, client) != 0)
		client_close(server, client);
}

static void
drop_idle(struct socketmap_server *server)
{
	int64_t since = clock_mono_ms() - server->options.idle_s * 1000LL;
	size_t i;

	/* From the end: who goes is replaced by the last one. */
	for (i = server->client_count; i-- > 0;)
		if (server->clients[i]->heard_ms < since)
			client_close(server, server->clients[i]);
}

static void *
serve(void *context)
{
	struct socketmap_server *server = context;
	struct epoll_event events[EVENTS_MAX];
	int64_t swept_ms = clock_mono_ms();
	int n, i;

	for (;;) {
		n = epoll_wait(server->epoll_fd, events, EVENTS_MAX, SWEEP_MS);
		for (i = 0; i < n; i++) {
			if (events[i].data.ptr == &server->stop_fd)
				return NULL;
			if (events[i].data.ptr == &server->listen_fd)
				accept_clients(server);
			else
				client_ready(server, events[i].data.ptr);
		}
		if (clock_mono_ms() - swept_ms < SWEEP_MS)
			continue;
		drop_idle(server);
		swept_ms = clock_mono_ms();
	}
}

static void
server_free(struct socketmap_server *server)
{
	while (server->client_count > 0)
		client_close(server, server->clients[0]);
	free(server->clients);
	if (server->listen_fd >= 0) {
		close(server->listen_fd);
		endpoint_remove(&server->endpoint);
	}
	if (server->epoll_fd >= 0)
		close(server->epoll_fd);
	if (server->stop_fd >= 0)
		close(server->stop_fd);
	buf_free(&server->reply);
	free(server);
}

struct socketmap_server *
socketmap_server_start(const struct socketmap_server_options *options,
    struct err *err)
{
	struct socketmap_server *server = xcalloc(1, sizeof(*server));
	int rc;

	server->options = *options;
	server->listen_fd = server->epoll_fd = server->stop_fd = -1;
	server->clients =
	    xcalloc(options->connections_max, sizeof(struct client *));
	buf_init(&server->reply, SOCKETMAP_REPLY_MAX);
	if (endpoint_parse(options->listen, &server->endpoint, err) < 0)
		goto fail;
	server->listen_fd =
	    endpoint_listen(&server->endpoint, options->socket_mode, err);
	if (server->listen_fd < 0)
		goto fail;
	server->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	server->stop_fd = eventfd(0, EFD_CLOEXEC);
	if (server->epoll_fd < 0 || server->stop_fd < 0 ||
	    watch(server, EPOLL_CTL_ADD, server->listen_fd, EPOLLIN,
		&server->listen_fd) != 0 ||
	    watch(server, EPOLL_CTL_ADD, server->stop_fd, EPOLLIN,
		&server->stop_fd) != 0) {
		err_set(err, ERR_TEMP, "%s", strerror(errno));
		goto fail;
	}
	rc = pthread_create(&server->thread, NULL, serve, server);
	if (rc == 0)
		return server;
	err_set(err, ERR_TEMP, "thread: %s", strerror(rc));
fail:
	err_prefix(err, "socketmap at %s", options->listen);
	server_free(server);
	return NULL;
}

void
socketmap_server_stop(struct socketmap_server *server)
{
	uint64_t one = 1;

	if (server == NULL)
		return;
	/* An eventfd takes a number that small at any time. */
	(void)!write(server->stop_fd, &one, sizeof(one));
	pthread_join(server->thread, NULL);
	server_free(server);
}
