/*
 * store_conn.c - one connection to Redis, every wait under a deadline.
 *
 * The socket does not block; poll waits, until the deadline of the whole
 * call and not of each read, so a server that sends a byte a second holds
 * nobody up.  hiredis only parses (store_reply.c): its own connections know
 * no total deadline, and 0.14 knows no TLS.  TLS is OpenSSL on the socket.
 *
 * Names are resolved on a thread that is left behind when it is late, as
 * getaddrinfo knows no deadline.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/store_impl.h"

#define READ_SIZE 65536
#define ADDRESSES_TRIED 4
#define LENGTH_TEXT_MAX 24 /* mark, digits, CR, LF */
#define LOGIN_MAX 16384
#define LOGIN_COMMANDS_MAX 3

struct place {
	struct sockaddr_storage sa;
	socklen_t len;
};

/* ---- names ---- */

/* Shared by the caller and the thread; the last one frees it. */
struct lookup {
	pthread_mutex_t lock;
	pthread_cond_t done;
	unsigned users;
	bool finished;
	int rc; /* of getaddrinfo */
	size_t count;
	struct place places[ADDRESSES_TRIED];
	char *host;
	char port[8];
};

static void
lookup_unref(struct lookup *lookup)
{
	unsigned users;

	pthread_mutex_lock(&lookup->lock);
	users = --lookup->users;
	pthread_mutex_unlock(&lookup->lock);
	if (users > 0)
		return;
	pthread_cond_destroy(&lookup->done);
	pthread_mutex_destroy(&lookup->lock);
	free(lookup->host);
	free(lookup);
}

static int
lookup_run(const char *host, const char *port, int flags, struct place *places,
    size_t *count)
{
	struct addrinfo hints = { .ai_family = AF_UNSPEC,
		.ai_socktype = SOCK_STREAM,
		.ai_flags = flags };
	struct addrinfo *list, *ai;
	int rc = getaddrinfo(host, port, &hints, &list);

	*count = 0;
	if (rc != 0)
		return rc;
	for (ai = list; ai != NULL && *count < ADDRESSES_TRIED;
	     ai = ai->ai_next) {
		if (ai->ai_addrlen > sizeof(places->sa))
			continue;
		memcpy(&places[*count].sa, ai->ai_addr, ai->ai_addrlen);
		places[*count].len = ai->ai_addrlen;
		(*count)++;
	}
	freeaddrinfo(list);
	return 0;
}

static void *
lookup_thread(void *arg)
{
	struct lookup *lookup = arg;
	struct place places[ADDRESSES_TRIED];
	size_t count;
	int rc = lookup_run(lookup->host, lookup->port, 0, places, &count);

	pthread_mutex_lock(&lookup->lock);
	lookup->rc = rc;
	lookup->count = count;
	memcpy(lookup->places, places, count * sizeof(*places));
	lookup->finished = true;
	pthread_cond_signal(&lookup->done);
	pthread_mutex_unlock(&lookup->lock);
	lookup_unref(lookup);
	return NULL;
}

static struct lookup *
lookup_start(const char *host, const char *port)
{
	struct lookup *lookup = xcalloc(1, sizeof(*lookup));
	pthread_t thread;

	pthread_mutex_init(&lookup->lock, NULL);
	clock_cond_init(&lookup->done);
	lookup->host = xstrdup(host);
	snprintf(lookup->port, sizeof(lookup->port), "%s", port);
	lookup->users = 2;
	if (pthread_create(&thread, NULL, lookup_thread, lookup) != 0) {
		lookup->rc = EAI_AGAIN;
		lookup->finished = true;
		lookup->users = 1;
	} else {
		pthread_detach(thread);
	}
	return lookup;
}

static int
resolve(const struct store_address *address, struct place *places,
    size_t *count, int64_t deadline_ms, struct err *err)
{
	struct timespec until = clock_mono_timespec(deadline_ms);
	struct lookup *lookup;
	char port[8];
	int rc;

	snprintf(port, sizeof(port), "%u", address->port);
	if (lookup_run(address->host, port, AI_NUMERICHOST, places, count) == 0)
		return 0;
	lookup = lookup_start(address->host, port);
	pthread_mutex_lock(&lookup->lock);
	rc = 0;
	while (!lookup->finished && rc == 0)
		rc = pthread_cond_timedwait(&lookup->done, &lookup->lock,
		    &until);
	rc = lookup->finished ? lookup->rc : EAI_AGAIN;
	*count = lookup->finished ? lookup->count : 0;
	memcpy(places, lookup->places, *count * sizeof(*places));
	pthread_mutex_unlock(&lookup->lock);
	lookup_unref(lookup);
	if (rc != 0)
		return err_set(err, ERR_TEMP, "cannot resolve %s: %s",
		    address->host, gai_strerror(rc));
	return 0;
}

/* ---- waiting ---- */

static int
wait_ms(int64_t deadline_ms)
{
	int64_t left = deadline_ms - clock_mono_ms();

	return left < 0 ? 0 : left > 3600000 ? 3600000 : (int)left;
}

/* 1 ready, 0 the deadline passed or wake_fd is readable, -1. */
static int
wait_for(int fd, short events, int wake_fd, int64_t deadline_ms)
{
	struct pollfd p[2] = { { .fd = fd, .events = events },
		{ .fd = wake_fd, .events = POLLIN } };
	int rc;

	do {
		rc = poll(p, 2, wait_ms(deadline_ms));
	} while (rc < 0 && errno == EINTR);
	if (rc <= 0)
		return rc;
	return p[1].revents != 0 ? 0 : 1;
}

/* ---- connecting ---- */

/* How the attempt to reach one place ends: a socket, or -1 with errno. */
static int
connect_place(const struct place *place, int64_t deadline_ms)
{
	int one = 1, error = 0, fd, rc;
	socklen_t len = sizeof(error);

	fd = socket(place->sa.ss_family,
	    SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	if (place->sa.ss_family != AF_UNIX) {
		/* Both are wishes: without them it is only slower. */
		(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one,
		    sizeof(one));
		(void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one,
		    sizeof(one));
	}
	rc = connect(fd, (const struct sockaddr *)&place->sa, place->len);
	if (rc == 0)
		return fd;
	error = errno;
	if (error == EINPROGRESS) {
		rc = wait_for(fd, POLLOUT, -1, deadline_ms);
		error = rc == 0 ? ETIMEDOUT : errno;
		if (rc > 0 &&
		    getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) == 0 &&
		    error == 0)
			return fd;
	}
	close(fd);
	errno = error;
	return -1;
}

static int
unix_place(const struct store_address *address, struct place *place)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };

	memcpy(sun.sun_path, address->host, strlen(address->host));
	memset(&place->sa, 0, sizeof(place->sa));
	memcpy(&place->sa, &sun, sizeof(sun));
	place->len = sizeof(sun);
	return 0;
}

static int
connect_address(const struct store_address *address, int64_t deadline_ms,
    struct err *err)
{
	struct place places[ADDRESSES_TRIED];
	size_t count = 1, i;
	int fd = -1;

	if (address->port == 0)
		unix_place(address, places);
	else if (resolve(address, places, &count, deadline_ms, err) < 0)
		return -1;
	for (i = 0; i < count && fd < 0; i++) {
		/* Each place its share of the time that is left. */
		int64_t now = clock_mono_ms();
		int64_t share = (deadline_ms - now) / (int64_t)(count - i);

		fd = connect_place(&places[i], now + (share > 0 ? share : 0));
	}
	if (fd < 0)
		return err_set(err, ERR_TEMP, "cannot connect: %s",
		    strerror(errno));
	return fd;
}

/* ---- TLS ---- */

int
store_tls_context_new(const char *ca_file, void **context, struct err *err)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

	if (ctx == NULL)
		return err_set(err, ERR_CONFIG, "OpenSSL cannot start TLS");
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_mode(ctx,
	    SSL_MODE_ENABLE_PARTIAL_WRITE |
		SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	if (SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) != 1 ||
	    (ca_file != NULL ? SSL_CTX_load_verify_locations(ctx, ca_file, NULL)
			     : SSL_CTX_set_default_verify_paths(ctx)) != 1) {
		SSL_CTX_free(ctx);
		ERR_clear_error();
		return err_set(err, ERR_CONFIG,
		    "cannot read certificates of %s",
		    ca_file != NULL ? ca_file : "the system");
	}
	*context = ctx;
	return 0;
}

void
store_tls_context_free(void *context)
{
	SSL_CTX_free(context);
}

/* What OpenSSL waits for after rc: events for poll, or 0 when it failed. */
static short
tls_wants(SSL *tls, int rc)
{
	int error = SSL_get_error(tls, rc);

	ERR_clear_error();
	return error == SSL_ERROR_WANT_READ ? POLLIN
	    : error == SSL_ERROR_WANT_WRITE ? POLLOUT
					    : 0;
}

static int
tls_start(struct store_conn *conn, const struct store_target *target,
    int64_t deadline_ms, struct err *err)
{
	const char *host = target->address->host;
	SSL *tls = SSL_new(target->tls_context);
	X509_VERIFY_PARAM *param;
	int rc;

	conn->tls = tls;
	if (tls == NULL || SSL_set_fd(tls, conn->fd) != 1)
		return err_set(err, ERR_TEMP, "OpenSSL cannot start TLS");
	param = SSL_get0_param(tls);
	/* The certificate names the host, or its address. */
	if (X509_VERIFY_PARAM_set1_ip_asc(param, host) != 1 &&
	    (X509_VERIFY_PARAM_set1_host(param, host, 0) != 1 ||
		SSL_set_tlsext_host_name(tls, host) != 1))
		return err_set(err, ERR_TEMP, "%s is no name for TLS", host);
	for (;;) {
		short events;

		ERR_clear_error();
		rc = SSL_connect(tls);
		if (rc == 1)
			return 0;
		events = tls_wants(tls, rc);
		if (events == 0 && SSL_get_verify_result(tls) != X509_V_OK)
			return err_set(err, ERR_TEMP, "certificate: %s",
			    X509_verify_cert_error_string(
				SSL_get_verify_result(tls)));
		if (events == 0)
			return err_set(err, ERR_TEMP, "no TLS here");
		if (wait_for(conn->fd, events, -1, deadline_ms) <= 0)
			return err_set(err, ERR_TEMP, "TLS took too long");
	}
}

/* ---- bytes ---- */

/* How many bytes were moved; 0: not now, wait for *events; -1: closed. */
static ssize_t
conn_write(struct store_conn *conn, struct bytes data, short *events)
{
	ssize_t n;

	*events = POLLOUT;
	if (conn->tls != NULL) {
		int len = data.len > READ_SIZE ? READ_SIZE : (int)data.len;
		int rc;

		ERR_clear_error();
		rc = SSL_write(conn->tls, data.data, len);
		if (rc > 0)
			return rc;
		*events = tls_wants(conn->tls, rc);
		return *events != 0 ? 0 : -1;
	}
	n = send(conn->fd, data.data, data.len, MSG_NOSIGNAL);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	return n;
}

static ssize_t
conn_read(struct store_conn *conn, char *out, size_t size, short *events)
{
	ssize_t n;

	*events = POLLIN;
	if (conn->tls != NULL) {
		int rc;

		ERR_clear_error();
		rc = SSL_read(conn->tls, out, (int)size);
		if (rc > 0)
			return rc;
		*events = tls_wants(conn->tls, rc);
		return *events != 0 ? 0 : -1;
	}
	n = recv(conn->fd, out, size, 0);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	return n > 0 ? n : -1;
}

static int
conn_fail(struct store_conn *conn, enum conn_fault fault, struct err *err,
    const char *text)
{
	conn->fault = fault;
	if (text != NULL)
		err_set(err, ERR_TEMP, "%s", text);
	return -1;
}

/* Takes what has arrived: 1, 0 nothing yet (*events to wait for), -1. */
static int
conn_fill(struct store_conn *conn, short *events, struct err *err)
{
	char data[READ_SIZE];
	ssize_t n = conn_read(conn, data, sizeof(data), events);

	if (n < 0)
		return conn_fail(conn, CONN_CLOSED, err,
		    "Redis closed the connection");
	if (n == 0)
		return 0;
	if (store_reader_feed(conn->reader, data, (size_t)n, err) < 0)
		return conn_fail(conn, CONN_PROTOCOL, NULL, NULL);
	return 1;
}

/* Takes up to *left replies that are whole. */
static int
conn_collect(struct store_conn *conn, struct store_reply ***replies,
    size_t *left, struct err *err)
{
	while (*left > 0) {
		int rc = store_reader_get(conn->reader, *replies, err);

		if (rc < 0)
			return conn_fail(conn, CONN_PROTOCOL, NULL, NULL);
		if (rc == 0)
			return 0;
		(*replies)++;
		(*left)--;
	}
	return 0;
}

/* All that has arrived, into *left replies; *events to wait for. */
static int
conn_receive(struct store_conn *conn, struct store_reply ***replies,
    size_t *left, short *events, struct err *err)
{
	int rc;

	do {
		rc = conn_fill(conn, events, err);
		if (rc < 0 || conn_collect(conn, replies, left, err) < 0)
			return -1;
	} while (rc > 0 && *left > 0);
	return 0;
}

/*
 * Reading goes on while writing: a server that answers a long pipeline
 * early must not fill up both directions.
 */
static int
conn_talk(struct store_conn *conn, struct bytes out,
    struct store_reply **replies, size_t left, int64_t deadline_ms,
    struct err *err)
{
	short read_events = POLLIN, write_events = 0;
	int rc;

	while (left > 0 || out.len > 0) {
		if (out.len > 0) {
			ssize_t n = conn_write(conn, out, &write_events);

			if (n < 0)
				return conn_fail(conn, CONN_CLOSED, err,
				    "Redis closed the connection");
			out.data += n;
			out.len -= (size_t)n;
			if (n > 0 && out.len > 0)
				continue;
		}
		if (out.len == 0 && left == 0)
			break;
		rc = wait_for(conn->fd,
		    (short)(read_events | (out.len > 0 ? write_events : 0)), -1,
		    deadline_ms);
		if (rc <= 0)
			return conn_fail(conn, CONN_TIMEOUT, err,
			    "Redis did not answer in time");
		if (conn_receive(conn, &replies, &left, &read_events, err) < 0)
			return -1;
	}
	return 0;
}

int
store_conn_exchange(struct store_conn *conn, struct bytes out, size_t n,
    struct store_reply **replies, int64_t deadline_ms, struct err *err)
{
	size_t i;

	memset(replies, 0, n * sizeof(*replies));
	if (conn_talk(conn, out, replies, n, deadline_ms, err) == 0) {
		if (store_reader_is_empty(conn->reader))
			return 0;
		/* Which of the answers belongs to what is anybody's guess. */
		(void)conn_fail(conn, CONN_PROTOCOL, err,
		    "Redis sent more than was asked for");
	}
	for (i = 0; i < n; i++) {
		store_reply_free(replies[i]);
		replies[i] = NULL;
	}
	return -1;
}

int
store_conn_send(struct store_conn *conn, struct bytes out, int64_t deadline_ms,
    struct err *err)
{
	return conn_talk(conn, out, NULL, 0, deadline_ms, err);
}

int
store_conn_listen(struct store_conn *conn, int wake_fd, int64_t deadline_ms,
    struct store_reply **reply, struct err *err)
{
	for (;;) {
		short events;
		int rc = store_reader_get(conn->reader, reply, err);

		if (rc < 0)
			return conn_fail(conn, CONN_PROTOCOL, NULL, NULL);
		if (rc > 0)
			return 1;
		rc = conn_fill(conn, &events, err);
		if (rc < 0)
			return -1;
		if (rc > 0)
			continue;
		rc = wait_for(conn->fd, events, wake_fd, deadline_ms);
		if (rc < 0)
			return conn_fail(conn, CONN_CLOSED, err, "cannot wait");
		if (rc == 0)
			return 0;
	}
}

bool
store_conn_is_fresh(const struct store_conn *conn)
{
	struct pollfd p = { .fd = conn->fd, .events = POLLIN };

	/* Nobody asked anything: whatever can be read is the end, or wrong.
	 * (A TLS session ticket too: then one connection is made anew.) */
	return conn->fault == CONN_GOOD && poll(&p, 1, 0) == 0;
}

/* ---- commands ---- */

/* "*3\r\n", "$20\r\n": by hand, as lists send some thousand of them. */
static void
encode_length(struct buf *out, char mark, size_t length)
{
	char text[LENGTH_TEXT_MAX];
	char *p = text + sizeof(text);

	*--p = '\n';
	*--p = '\r';
	do {
		*--p = (char)('0' + length % 10);
		length /= 10;
	} while (length > 0);
	*--p = mark;
	buf_append(out, p, (size_t)(text + sizeof(text) - p));
}

int
store_encode(struct buf *out, size_t argc, const struct bytes *argv)
{
	size_t i;

	encode_length(out, '*', argc);
	for (i = 0; i < argc; i++) {
		encode_length(out, '$', argv[i].len);
		buf_append_bytes(out, argv[i]);
		buf_append(out, "\r\n", 2);
	}
	return out->overflow ? -1 : 0;
}

static void
encode_words(struct buf *out, size_t *commands, size_t n,
    const char *const *words)
{
	struct bytes argv[4];
	size_t i;

	for (i = 0; i < n; i++)
		argv[i] = bytes_of(words[i]);
	(void)store_encode(out, n, argv); /* the caller looks at overflow */
	(*commands)++;
}

/* Is the answer to the last command of the login what it must be? */
static int
login_check(const struct store_target *target, const struct store_reply *reply,
    struct err *err)
{
	if (target->must_be_master) {
		if (reply->type == STORE_ARRAY && reply->count > 0 &&
		    bytes_equal(reply->items[0].text, BYTES_LIT("master")))
			return 0;
		if (reply->type == STORE_ARRAY)
			return err_set(err, ERR_TEMP, "is not the master");
	} else if (reply->type == STORE_STATUS) {
		return 0;
	}
	if (reply->type == STORE_ERROR)
		return err_set(err, ERR_TEMP, "refused us: %.200s",
		    reply->text.data);
	return err_set(err, ERR_TEMP, "is no Redis");
}

/*
 * AUTH, a name for CLIENT LIST, and one question whose answer shows that
 * the server is loaded and, under Sentinel, still the master.
 */
static int
login(struct store_conn *conn, const struct store_target *target,
    int64_t deadline_ms, struct err *err)
{
	struct store_reply *replies[LOGIN_COMMANDS_MAX];
	struct buf out;
	size_t n = 0, i;
	int rc = -1;

	buf_init(&out, LOGIN_MAX);
	if (target->user != NULL)
		encode_words(&out, &n, 3,
		    (const char *[]){ "AUTH", target->user, target->password });
	else if (target->password != NULL)
		encode_words(&out, &n, 2,
		    (const char *[]){ "AUTH", target->password });
	encode_words(&out, &n, 3,
	    (const char *[]){ "CLIENT", "SETNAME", "sekimori" });
	encode_words(&out, &n, 1,
	    (const char *[]){ target->must_be_master ? "ROLE" : "PING" });
	if (out.overflow)
		err_set(err, ERR_CONFIG, "user or password is too long");
	else
		rc = store_conn_exchange(conn, buf_bytes(&out), n, replies,
		    deadline_ms, err);
	if (out.data != NULL)
		explicit_bzero(out.data, out.len);
	buf_free(&out);
	if (rc < 0)
		return -1;
	/* A Sentinel without a password refuses AUTH, and does no harm. */
	if (replies[0]->type == STORE_ERROR && n == 3 && !target->is_sentinel)
		rc = err_set(err, ERR_TEMP, "refused our password: %.200s",
		    replies[0]->text.data);
	else
		rc = login_check(target, replies[n - 1], err);
	for (i = 0; i < n; i++)
		store_reply_free(replies[i]);
	return rc;
}

struct store_conn *
store_conn_open(const struct store_target *target, int64_t deadline_ms,
    struct err *err)
{
	struct store_conn *conn;
	int fd = connect_address(target->address, deadline_ms, err);

	if (fd < 0)
		return NULL;
	conn = xcalloc(1, sizeof(*conn));
	conn->fd = fd;
	conn->reader = store_reader_new();
	if ((target->tls_context == NULL ||
		tls_start(conn, target, deadline_ms, err) == 0) &&
	    login(conn, target, deadline_ms, err) == 0)
		return conn;
	store_conn_close(conn);
	return NULL;
}

void
store_conn_close(struct store_conn *conn)
{
	if (conn == NULL)
		return;
	/* Without a farewell: there is nothing to wait for. */
	SSL_free(conn->tls);
	close(conn->fd);
	store_reader_free(conn->reader);
	free(conn);
}
