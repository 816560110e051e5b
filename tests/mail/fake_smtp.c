/*
 * fake_smtp.c - an SMTP server on a thread that plays a script.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "base/arena.h"
#include "base/str.h"
#include "tests/mail/fake_smtp.h"

#define PATIENCE_MS 60000

struct fake_smtp {
	const char *const *script;
	const char *offer;
	int listener;
	int fd; /* -1: no connection */
	char port[8];
	pthread_t thread;
	SSL_CTX *context;
	SSL *ssl;
	char certificate[64];
	atomic_bool is_here;
	struct buf in, lines, message, failure;
};

static void
fail(struct fake_smtp *fake, const char *what, struct bytes got)
{
	if (fake->failure.len == 0)
		buf_printf(&fake->failure, "%s, got '%.*s'", what, (int)got.len,
		    got.data != NULL ? got.data : "");
}

/* ---- bytes ---- */

static void
put(struct fake_smtp *fake, const char *data, size_t len)
{
	ssize_t n;

	while (len > 0) {
		n = fake->ssl != NULL ? SSL_write(fake->ssl, data, (int)len)
				      : send(fake->fd, data, len, MSG_NOSIGNAL);
		if (n <= 0)
			return;
		data += n;
		len -= (size_t)n;
	}
}

/* More input: 1, 0 closed. */
static int
fill(struct fake_smtp *fake)
{
	struct pollfd pfd = { .fd = fake->fd, .events = POLLIN };
	char chunk[65536];
	ssize_t n;

	if ((fake->ssl == NULL || SSL_pending(fake->ssl) == 0) &&
	    poll(&pfd, 1, PATIENCE_MS) <= 0)
		return 0;
	n = fake->ssl != NULL ? SSL_read(fake->ssl, chunk, sizeof(chunk))
			      : recv(fake->fd, chunk, sizeof(chunk), 0);
	if (n <= 0)
		return 0;
	buf_append(&fake->in, chunk, (size_t)n);
	return 1;
}

static void
drop_connection(struct fake_smtp *fake)
{
	SSL_free(fake->ssl);
	fake->ssl = NULL;
	if (fake->fd >= 0)
		close(fake->fd);
	fake->fd = -1;
	buf_reset(&fake->in);
}

static void
take_connection(struct fake_smtp *fake)
{
	struct pollfd pfd = { .fd = fake->listener, .events = POLLIN };
	const int on = 1;

	drop_connection(fake);
	if (poll(&pfd, 1, PATIENCE_MS) > 0)
		fake->fd = accept(fake->listener, NULL, NULL);
	if (fake->fd < 0)
		fail(fake, "nobody came", BYTES_LIT(""));
	setsockopt(fake->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

/* ---- the steps ---- */

static void
step_line(struct fake_smtp *fake, const char *want)
{
	struct bytes line;
	const char *lf;

	while ((lf = memchr(buf_str(&fake->in), '\n', fake->in.len)) == NULL)
		if (fill(fake) == 0) {
			fail(fake, want, BYTES_LIT("end of connection"));
			return;
		}
	line =
	    (struct bytes){ fake->in.data, (size_t)(lf + 1 - fake->in.data) };
	buf_append_bytes(&fake->lines, line);
	if (line.len < strlen(want) ||
	    memcmp(line.data, want, strlen(want)) != 0)
		fail(fake, want, line);
	buf_consume(&fake->in, line.len);
}

static void
step_ehlo(struct fake_smtp *fake, const char *argument)
{
	struct cursor c = cursor_of(bytes_of(fake->offer));
	struct bytes word;

	(void)argument;
	step_line(fake, "EHLO ");
	put(fake, "250-fake.example\r\n", 18);
	while (!cursor_at_end(&c)) {
		word = cursor_until(&c, ",");
		cursor_char(&c, ',');
		put(fake, "250-", 4);
		put(fake, word.data, word.len);
		put(fake, "\r\n", 2);
	}
	put(fake, "250 HELP\r\n", 10);
}

/* One line of the message, from start to end with its CRLF; true when it is
 * the dot alone. */
static bool
take_data_line(struct fake_smtp *fake, size_t start, size_t end)
{
	if (fake->in.data[start] == '.') {
		start++;
		if (end - start == 2)
			return true;
	}
	buf_append(&fake->message, fake->in.data + start, end - start);
	return false;
}

/* As the strictest server would: only CRLF ends a line. */
static void
step_data(struct fake_smtp *fake, const char *argument)
{
	size_t i = 0, start = 0;
	bool done = false;

	(void)argument;
	while (!done) {
		if (i + 1 >= fake->in.len) {
			buf_consume(&fake->in, start);
			i -= start;
			start = 0;
			if (fill(fake) == 0) {
				fail(fake, "a message with its dot",
				    BYTES_LIT("end of connection"));
				return;
			}
		} else if (memcmp(fake->in.data + i, "\r\n", 2) == 0) {
			i += 2;
			done = take_data_line(fake, start, i);
			start = i;
		} else {
			i++;
		}
	}
	buf_consume(&fake->in, start);
}

static void
step_bytes(struct fake_smtp *fake, const char *argument)
{
	uint64_t n = 0;

	parse_u64(bytes_of(argument), 0, UINT32_MAX, &n);
	while (fake->in.len < n && fill(fake) == 1)
		continue;
	buf_consume(&fake->in, fake->in.len < n ? fake->in.len : (size_t)n);
}

static void
step_send_line(struct fake_smtp *fake, const char *argument)
{
	char *line = xprintf("%s\r\n", argument);

	put(fake, line, strlen(line));
	free(line);
}

static void
step_send(struct fake_smtp *fake, const char *argument)
{
	put(fake, argument, strlen(argument));
}

static void
step_flood(struct fake_smtp *fake, const char *argument)
{
	static const char much[65536] = { 'x', 'y' };
	int i;

	(void)argument;
	for (i = 0; i < 16384; i++)
		if (send(fake->fd, much, sizeof(much), MSG_NOSIGNAL) <= 0)
			return;
	fail(fake, "the client takes a line of 1 GB", BYTES_LIT(""));
}

static void
step_nul(struct fake_smtp *fake, const char *argument)
{
	(void)argument;
	put(fake, "", 1);
}

static void
step_tls(struct fake_smtp *fake, const char *argument)
{
	(void)argument;
	fake->ssl = SSL_new(fake->context);
	SSL_set_fd(fake->ssl, fake->fd);
	if (SSL_accept(fake->ssl) != 1) {
		SSL_free(fake->ssl);
		fake->ssl = NULL;
		fail(fake, "no TLS hand-shake", BYTES_LIT(""));
	}
}

static void
step_pause(struct fake_smtp *fake, const char *argument)
{
	uint64_t ms = 0;

	(void)fake;
	parse_u64(bytes_of(argument), 0, 60000, &ms);
	usleep((useconds_t)ms * 1000);
}

static void
step_here(struct fake_smtp *fake, const char *argument)
{
	(void)argument;
	atomic_store(&fake->is_here, true);
}

static void
step_eof(struct fake_smtp *fake, const char *argument)
{
	(void)argument;
	while (fill(fake) == 1)
		buf_reset(&fake->in);
}

static void
step_close(struct fake_smtp *fake, const char *argument)
{
	(void)argument;
	drop_connection(fake);
}

static void
step_reset(struct fake_smtp *fake, const char *argument)
{
	struct linger linger = { 1, 0 };

	(void)argument;
	setsockopt(fake->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	drop_connection(fake);
}

static void
step_next(struct fake_smtp *fake, const char *argument)
{
	(void)argument;
	take_connection(fake);
}

static const struct {
	const char *name;
	void (*run)(struct fake_smtp *fake, const char *argument);
} steps[] = {
	{ ">", step_send_line },
	{ "+", step_send },
	{ "<", step_line },
	{ "ehlo", step_ehlo },
	{ "data", step_data },
	{ "bytes", step_bytes },
	{ "flood", step_flood },
	{ "nul", step_nul },
	{ "tls", step_tls },
	{ "pause", step_pause },
	{ "here", step_here },
	{ "eof", step_eof },
	{ "close", step_close },
	{ "reset", step_reset },
	{ "next", step_next },
};

static void
run_step(struct fake_smtp *fake, const char *step)
{
	size_t i, len = strcspn(step, " ");

	for (i = 0; i < sizeof(steps) / sizeof(*steps); i++)
		if (strlen(steps[i].name) == len &&
		    memcmp(steps[i].name, step, len) == 0) {
			steps[i].run(fake, step + len + (step[len] == ' '));
			return;
		}
	fail(fake, "no such step", bytes_of(step));
}

static void *
play(void *context)
{
	struct fake_smtp *fake = context;
	size_t i;

	take_connection(fake);
	for (i = 0; fake->script[i] != NULL && fake->failure.len == 0; i++)
		run_step(fake, fake->script[i]);
	drop_connection(fake);
	return NULL;
}

/* ---- set-up ---- */

static void
make_certificate(struct fake_smtp *fake)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *x509 = X509_new();
	X509_NAME *name = X509_get_subject_name(x509);
	X509_EXTENSION *san;
	FILE *file;
	int fd;

	ASN1_INTEGER_set(X509_get_serialNumber(x509), 1);
	X509_gmtime_adj(X509_getm_notBefore(x509), -3600);
	X509_gmtime_adj(X509_getm_notAfter(x509), 86400);
	X509_set_version(x509, 2);
	X509_set_pubkey(x509, key);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
	    (const unsigned char *)"fake", -1, -1, 0);
	X509_set_issuer_name(x509, name);
	san = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name,
	    "IP:127.0.0.1");
	X509_add_ext(x509, san, -1);
	X509_EXTENSION_free(san);
	X509_sign(x509, key, EVP_sha256());
	fake->context = SSL_CTX_new(TLS_server_method());
	SSL_CTX_use_certificate(fake->context, x509);
	SSL_CTX_use_PrivateKey(fake->context, key);
	snprintf(fake->certificate, sizeof(fake->certificate),
	    "/tmp/fake_smtp.XXXXXX");
	fd = mkstemp(fake->certificate);
	file = fd >= 0 ? fdopen(fd, "w") : NULL;
	if (file == NULL)
		abort();
	PEM_write_X509(file, x509);
	fclose(file);
	X509_free(x509);
	EVP_PKEY_free(key);
}

struct fake_smtp *
fake_smtp_start(const char *const *script, const char *offer)
{
	struct fake_smtp *fake = xcalloc(1, sizeof(*fake));
	struct sockaddr_in sin = { .sin_family = AF_INET };
	socklen_t len = sizeof(sin);

	fake->script = script;
	fake->offer = offer;
	fake->fd = -1;
	buf_init(&fake->in, SIZE_MAX);
	buf_init(&fake->lines, SIZE_MAX);
	buf_init(&fake->message, SIZE_MAX);
	buf_init(&fake->failure, SIZE_MAX);
	make_certificate(fake);
	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	fake->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(fake->listener, (struct sockaddr *)&sin, sizeof(sin)) != 0 ||
	    listen(fake->listener, 10) != 0 ||
	    getsockname(fake->listener, (struct sockaddr *)&sin, &len) != 0)
		abort();
	snprintf(fake->port, sizeof(fake->port), "%u", ntohs(sin.sin_port));
	if (pthread_create(&fake->thread, NULL, play, fake) != 0)
		abort();
	return fake;
}

const char *
fake_smtp_port(const struct fake_smtp *fake)
{
	return fake->port;
}

bool
fake_smtp_wait_here(struct fake_smtp *fake)
{
	int tries = PATIENCE_MS;

	while (!atomic_load(&fake->is_here) && tries-- > 0)
		usleep(1000);
	return tries > 0;
}

const char *
fake_smtp_stop(struct fake_smtp *fake)
{
	pthread_join(fake->thread, NULL);
	close(fake->listener);
	unlink(fake->certificate);
	return buf_str(&fake->failure);
}

void
fake_smtp_free(struct fake_smtp *fake)
{
	SSL_CTX_free(fake->context);
	buf_free(&fake->in);
	buf_free(&fake->lines);
	buf_free(&fake->message);
	buf_free(&fake->failure);
	free(fake);
}

struct bytes
fake_smtp_message(const struct fake_smtp *fake)
{
	return buf_bytes(&fake->message);
}

const char *
fake_smtp_lines(const struct fake_smtp *fake)
{
	return buf_str(&fake->lines);
}

const char *
fake_smtp_certificate(const struct fake_smtp *fake)
{
	return fake->certificate;
}
