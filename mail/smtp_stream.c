/*
 * smtp_stream.c - a TCP connection with deadlines, and TLS when wanted.
 *
 * OpenSSL works on two memory BIOs and never touches the socket: so every
 * wait has a deadline, no write raises SIGPIPE, and it is known whether the
 * kernel took a record to its last byte.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/netaddr.h"
#include "mail/smtp_stream.h"

#define READ_CHUNK 16384

struct smtp_stream {
	int fd;
	SSL_CTX *context;
	SSL *ssl;    /* NULL: in the clear */
	BIO *to_ssl; /* owned by ssl, as is from_ssl */
	BIO *from_ssl;
};

/* ---- the socket ---- */

/* 1 ready, 0 not before the monotonic time until_ms, -1. */
static int
wait_for(int fd, short events, int64_t until_ms)
{
	struct pollfd pfd = { .fd = fd, .events = events };
	int64_t left;
	int rc;

	do {
		left = until_ms - clock_mono_ms();
		left = left < 0 ? 0 : left > INT32_MAX ? INT32_MAX : left;
		rc = poll(&pfd, 1, (int)left);
	} while (rc < 0 && errno == EINTR);
	return rc;
}

static int
wait_or_fail(int fd, short events, int64_t until_ms, struct err *err)
{
	int rc = wait_for(fd, events, until_ms);

	if (rc < 0)
		return err_set(err, ERR_TEMP, "poll: %s", strerror(errno));
	if (rc == 0)
		return err_set(err, ERR_TEMP, "timeout");
	return 0;
}

static int
finish_connect(int fd, int64_t until_ms, struct err *err)
{
	int error = 0;
	socklen_t len = sizeof(error);

	if (wait_or_fail(fd, POLLOUT, until_ms, err) < 0)
		return -1;
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
		error = errno;
	if (error != 0)
		return err_set(err, ERR_TEMP, "%s", strerror(error));
	return 0;
}

static int
connect_to(const struct addrinfo *ai, int64_t until_ms, struct err *err)
{
	const int on = 1;
	int fd;

	fd = socket(ai->ai_family,
	    ai->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, ai->ai_protocol);
	if (fd < 0)
		return err_set(err, ERR_TEMP, "socket: %s", strerror(errno));
	/* Everything is written in as large pieces as there are; to wait for
	 * more (Nagle) only costs 40 ms.  Not to be had on a socket that is
	 * no TCP, which does no harm. */
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (connect(fd, ai->ai_addr, ai->ai_addrlen) < 0) {
		if (errno != EINPROGRESS && errno != EINTR)
			err_set(err, ERR_TEMP, "%s", strerror(errno));
		else if (finish_connect(fd, until_ms, err) == 0)
			return fd;
		close(fd);
		return -1;
	}
	return fd;
}

static int
connect_any(const char *host, const char *port, unsigned timeout_ms,
    struct err *err)
{
	const struct addrinfo hints = { .ai_family = AF_UNSPEC,
		.ai_socktype = SOCK_STREAM,
		.ai_flags = AI_NUMERICSERV };
	struct addrinfo *found, *ai;
	int rc, fd = -1;

	rc = getaddrinfo(host, port, &hints, &found);
	if (rc != 0)
		return err_set(err, rc == EAI_NONAME ? ERR_CONFIG : ERR_TEMP,
		    "%s", gai_strerror(rc));
	for (ai = found; ai != NULL && fd < 0; ai = ai->ai_next)
		fd = connect_to(ai, clock_mono_ms() + timeout_ms, err);
	freeaddrinfo(found);
	return fd;
}

struct smtp_stream *
smtp_stream_open(const char *host, const char *port, unsigned timeout_ms,
    struct err *err)
{
	struct smtp_stream *stream;
	int fd;

	fd = connect_any(host, port, timeout_ms, err);
	if (fd < 0) {
		err_prefix(err, "cannot connect to %s port %s", host, port);
		return NULL;
	}
	stream = xcalloc(1, sizeof(*stream));
	stream->fd = fd;
	return stream;
}

void
smtp_stream_close(struct smtp_stream *stream)
{
	if (stream == NULL)
		return;
	SSL_free(stream->ssl);
	SSL_CTX_free(stream->context);
	close(stream->fd);
	free(stream);
}

static int
send_all(struct smtp_stream *stream, struct bytes data, int64_t until_ms,
    struct err *err)
{
	ssize_t n;

	while (data.len > 0) {
		n = send(stream->fd, data.data, data.len, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
			if (wait_or_fail(stream->fd, POLLOUT, until_ms, err) <
			    0)
				return -1;
			continue;
		}
		if (n < 0)
			return err_set(err, ERR_TEMP, "%s", strerror(errno));
		data.data += n;
		data.len -= (size_t)n;
	}
	return 0;
}

/* Some bytes: how many, 0 the other side closed, -1. */
static ssize_t
receive(struct smtp_stream *stream, void *out, size_t len, int64_t until_ms,
    struct err *err)
{
	ssize_t n;

	for (;;) {
		n = recv(stream->fd, out, len, 0);
		if (n >= 0)
			return n;
		if (errno == EINTR)
			continue;
		if (errno != EAGAIN && errno != EWOULDBLOCK)
			return err_set(err, ERR_TEMP, "%s", strerror(errno));
		if (wait_or_fail(stream->fd, POLLIN, until_ms, err) < 0)
			return -1;
	}
}

/* ---- TLS ---- */

static int
tls_error(struct err *err, enum err_kind kind, const char *what)
{
	char reason[256];
	unsigned long code = ERR_get_error();

	if (code == 0)
		return err_set(err, kind, "%s", what);
	ERR_error_string_n(code, reason, sizeof(reason));
	ERR_clear_error();
	return err_set(err, kind, "%s: %s", what, reason);
}

/* What OpenSSL wants to send. */
static int
tls_flush(struct smtp_stream *stream, int64_t until_ms, struct err *err)
{
	char *data;
	long len = BIO_get_mem_data(stream->from_ssl, &data);
	int rc;

	if (len <= 0)
		return 0;
	rc = send_all(stream, (struct bytes){ data, (size_t)len }, until_ms,
	    err);
	(void)BIO_reset(stream->from_ssl);
	return rc;
}

/* What OpenSSL wants to read: 1, 0 closed, -1. */
static int
tls_fill(struct smtp_stream *stream, int64_t until_ms, struct err *err)
{
	char chunk[READ_CHUNK];
	ssize_t n;

	n = receive(stream, chunk, sizeof(chunk), until_ms, err);
	if (n <= 0)
		return (int)n;
	if (BIO_write(stream->to_ssl, chunk, (int)n) != (int)n)
		return tls_error(err, ERR_TEMP, "TLS");
	return 1;
}

/* The certificate must be good for this name or address. */
static int
tls_check_host(SSL *ssl, const char *host)
{
	struct ip ip;

	if (ip_parse(bytes_of(host), &ip) == 0)
		return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host);
	return SSL_set1_host(ssl, host);
}

static int
tls_new(struct smtp_stream *stream, const struct smtp_tls_options *options)
{
	struct ip ip;

	stream->context = SSL_CTX_new(TLS_client_method());
	if (stream->context == NULL ||
	    SSL_CTX_set_min_proto_version(stream->context, TLS1_2_VERSION) != 1)
		return -1;
	if (options->check) {
		SSL_CTX_set_verify(stream->context, SSL_VERIFY_PEER, NULL);
		if ((options->ca_file != NULL
			    ? SSL_CTX_load_verify_file(stream->context,
				  options->ca_file)
			    : SSL_CTX_set_default_verify_paths(
				  stream->context)) != 1)
			return -1;
	}
	stream->ssl = SSL_new(stream->context);
	stream->to_ssl = BIO_new(BIO_s_mem());
	stream->from_ssl = BIO_new(BIO_s_mem());
	if (stream->ssl == NULL || stream->to_ssl == NULL ||
	    stream->from_ssl == NULL) {
		BIO_free(stream->to_ssl);
		BIO_free(stream->from_ssl);
		return -1;
	}
	SSL_set_bio(stream->ssl, stream->to_ssl, stream->from_ssl);
	SSL_set_connect_state(stream->ssl);
	if (options->check && tls_check_host(stream->ssl, options->host) != 1)
		return -1;
	return ip_parse(bytes_of(options->host), &ip) == 0 ||
		SSL_set_tlsext_host_name(stream->ssl, options->host) == 1
	    ? 0
	    : -1;
}

static int
tls_handshake(struct smtp_stream *stream, int64_t until_ms, struct err *err)
{
	bool checks = SSL_get_verify_mode(stream->ssl) != SSL_VERIFY_NONE;
	long verified;
	int rc, filled;

	for (;;) {
		ERR_clear_error();
		rc = SSL_do_handshake(stream->ssl);
		if (tls_flush(stream, until_ms, err) < 0)
			return -1;
		if (rc == 1)
			return 0;
		verified = SSL_get_verify_result(stream->ssl);
		if (SSL_get_error(stream->ssl, rc) != SSL_ERROR_WANT_READ)
			return checks && verified != X509_V_OK
			    ? err_set(err, ERR_CONFIG, "certificate: %s",
				  X509_verify_cert_error_string(verified))
			    : tls_error(err, ERR_TEMP, "TLS hand-shake");
		filled = tls_fill(stream, until_ms, err);
		if (filled < 0)
			return -1;
		if (filled == 0)
			return err_set(err, ERR_TEMP,
			    "closed during the TLS hand-shake");
	}
}

int
smtp_stream_start_tls(struct smtp_stream *stream,
    const struct smtp_tls_options *options, unsigned timeout_ms,
    struct err *err)
{
	ERR_clear_error();
	if (tls_new(stream, options) < 0)
		return tls_error(err, ERR_CONFIG, "cannot set up TLS");
	return tls_handshake(stream, clock_mono_ms() + timeout_ms, err);
}

bool
smtp_stream_has_tls(const struct smtp_stream *stream)
{
	return stream->ssl != NULL;
}

static int
tls_write(struct smtp_stream *stream, struct bytes data, int64_t until_ms,
    struct err *err)
{
	size_t n;

	while (data.len > 0) {
		ERR_clear_error();
		if (SSL_write_ex(stream->ssl, data.data, data.len, &n) != 1)
			return tls_error(err, ERR_TEMP, "TLS");
		data.data += n;
		data.len -= n;
		if (tls_flush(stream, until_ms, err) < 0)
			return -1;
	}
	return 0;
}

/* As smtp_stream_read. */
static int
tls_read(struct smtp_stream *stream, struct buf *in, int64_t until_ms,
    struct err *err)
{
	char chunk[READ_CHUNK];
	size_t n;
	int rc, why;

	for (;;) {
		ERR_clear_error();
		if (SSL_read_ex(stream->ssl, chunk, sizeof(chunk), &n) == 1)
			break;
		why = SSL_get_error(stream->ssl, 0);
		if (why == SSL_ERROR_ZERO_RETURN)
			return 0;
		if (why != SSL_ERROR_WANT_READ)
			return tls_error(err, ERR_TEMP, "TLS");
		if (tls_flush(stream, until_ms, err) < 0)
			return -1;
		rc = tls_fill(stream, until_ms, err);
		if (rc <= 0)
			return rc;
	}
	if (buf_append(in, chunk, n) < 0)
		return err_set(err, ERR_TEMP, "too much input");
	return 1;
}

/* Session tickets come unasked and mean nothing: only data counts. */
static bool
tls_has_input(struct smtp_stream *stream)
{
	size_t n;
	char c;

	for (;;) {
		ERR_clear_error();
		if (SSL_peek_ex(stream->ssl, &c, 1, &n) == 1 ||
		    SSL_get_error(stream->ssl, 0) != SSL_ERROR_WANT_READ)
			return true;
		if (wait_for(stream->fd, POLLIN, 0) == 0)
			return false;
		if (tls_fill(stream, 0, NULL) <= 0)
			return true;
	}
}

/* ---- both ---- */

int
smtp_stream_write(struct smtp_stream *stream, struct bytes data,
    unsigned timeout_ms, struct err *err)
{
	int64_t until_ms = clock_mono_ms() + timeout_ms;

	return stream->ssl != NULL ? tls_write(stream, data, until_ms, err)
				   : send_all(stream, data, until_ms, err);
}

int
smtp_stream_read(struct smtp_stream *stream, struct buf *in,
    unsigned timeout_ms, struct err *err)
{
	int64_t until_ms = clock_mono_ms() + timeout_ms;
	char chunk[READ_CHUNK];
	ssize_t n;

	if (stream->ssl != NULL)
		return tls_read(stream, in, until_ms, err);
	n = receive(stream, chunk, sizeof(chunk), until_ms, err);
	if (n <= 0)
		return (int)n;
	if (buf_append(in, chunk, (size_t)n) < 0)
		return err_set(err, ERR_TEMP, "too much input");
	return 1;
}

bool
smtp_stream_has_input(struct smtp_stream *stream)
{
	return stream->ssl != NULL ? tls_has_input(stream)
				   : wait_for(stream->fd, POLLIN, 0) != 0;
}
