/*
 * http.c - the listener: sockets, threads and ceilings of HTTP.
 *
 * The way of a request: the library has read its header (access) and asks
 * what to do; the body is gathered; then the connection is suspended and the
 * exchange queued for a worker, who serves it and resumes the connection;
 * the library asks again and is given the answer.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <errno.h>
#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/crypto.h"
#include "base/endpoint.h"
#include "base/log.h"
#include "base/str.h"
#include "webui/http.h"
#include "webui/http_peers.h"
#include "webui/http_tls.h"

/* Reading and writing, for each address. */
#define IO_THREADS 2
/* Handlers at once, and exchanges that wait for one. */
#define WORKERS 16
#define QUEUE_MAX 256
/* Of a connection: the header of a request with all that the library makes
 * of it.  It is more than a header may have, so that a larger one is refused
 * by us, with a page; what is larger still the library refuses. */
#define CONNECTION_MEMORY (256u * 1024)
/* Of all bodies at once. */
#define BODIES_MAX ((size_t)256 << 20)
/* Of a body that is refused for its size, read all the same. */
#define DRAIN_MAX ((size_t)128 << 20)
/* Beyond its timeout a body or an answer may take as long as this needs. */
#define OCTETS_A_SECOND (64u * 1024)
/* Fields of a header that say something again. */
#define REPEATED_MAX 32
#define SOCKET_MODE 0660
/* ": " and the end of the line. */
#define FIELD_SIGNS 4

enum exchange_state {
	EXCHANGE_NEW,     /* the header is being read */
	EXCHANGE_BODY,    /* and now the body */
	EXCHANGE_REFUSED, /* of which the rest is thrown away */
	EXCHANGE_QUEUED,  /* suspended */
	EXCHANGE_SERVED,  /* resumed */
	EXCHANGE_SENT
};

struct exchange {
	struct http *http;
	struct exchange *next; /* in the queue */
	struct MHD_Connection *connection;
	struct http_peer *peer;
	enum exchange_state state;
	struct http_request request;
	struct buf body;
	size_t counted; /* of the body, in bodies */
	unsigned refusal;
	bool proxied; /* the peer counts for its client during this request */
	struct http_reply reply;
};

struct http {
	struct web *web;
	unsigned timeout_s;
	struct http_peers *peers;
	size_t daemon_count;
	struct MHD_Daemon **daemons;
	struct endpoint *endpoints;
	struct http_tls *tls; /* NULL: plain HTTP */
	_Atomic size_t bodies;
	pthread_mutex_t lock;
	pthread_cond_t queued;
	/* under lock */
	struct exchange *first, **last;
	unsigned waiting;
	bool stopping;
	size_t worker_count;
	pthread_t workers[WORKERS];
};

/* ---- workers ---- */

/* false: too many wait, or the end is near. */
static bool
enqueue(struct http *http, struct exchange *exchange)
{
	bool room;

	pthread_mutex_lock(&http->lock);
	room = !http->stopping && http->waiting < QUEUE_MAX;
	if (room) {
		MHD_suspend_connection(exchange->connection);
		exchange->state = EXCHANGE_QUEUED;
		exchange->next = NULL;
		*http->last = exchange;
		http->last = &exchange->next;
		http->waiting++;
		pthread_cond_signal(&http->queued);
	}
	pthread_mutex_unlock(&http->lock);
	return room;
}

/* NULL: the end, and nothing is left. */
static struct exchange *
dequeue(struct http *http)
{
	struct exchange *exchange;

	pthread_mutex_lock(&http->lock);
	while (http->first == NULL && !http->stopping)
		pthread_cond_wait(&http->queued, &http->lock);
	exchange = http->first;
	if (exchange != NULL) {
		http->first = exchange->next;
		if (http->first == NULL)
			http->last = &http->first;
		http->waiting--;
	}
	pthread_mutex_unlock(&http->lock);
	return exchange;
}

static void *
work(void *context)
{
	struct http *http = context;
	struct exchange *exchange;

	while ((exchange = dequeue(http)) != NULL) {
		web_serve(http->web, &exchange->request, &exchange->reply);
		pthread_mutex_lock(&http->lock);
		exchange->state = EXCHANGE_SERVED;
		pthread_mutex_unlock(&http->lock);
		MHD_resume_connection(exchange->connection);
	}
	return NULL;
}

/* ---- an exchange ---- */

static void *
exchange_begin(void *context, const char *uri,
    struct MHD_Connection *connection)
{
	struct exchange *exchange = xcalloc(1, sizeof(*exchange));

	exchange->http = context;
	exchange->connection = connection;
	exchange->request.arena = arena_new(0);
	exchange->request.uri = arena_strdup(exchange->request.arena, uri);
	buf_init(&exchange->body, 0);
	return exchange;
}

static void
exchange_free(struct exchange *exchange)
{
	atomic_fetch_sub(&exchange->http->bodies, exchange->counted);
	/* It may have held a password. */
	if (exchange->body.data != NULL)
		secret_wipe(exchange->body.data, exchange->body.size);
	buf_free(&exchange->body);
	if (!exchange->reply.constant)
		free(exchange->reply.body);
	arena_free(exchange->request.arena);
	free(exchange);
}

static void
exchange_end(void *context, struct MHD_Connection *connection, void **state,
    enum MHD_RequestTerminationCode why)
{
	struct http *http = context;
	struct exchange *exchange = *state;

	(void)connection;
	(void)why;
	if (exchange == NULL)
		return;
	if (exchange->peer != NULL) {
		if (exchange->proxied)
			http_peer_release(http->peers, exchange->peer);
		http_peer_expect(http->peers, exchange->peer, http->timeout_s);
	}
	exchange_free(exchange);
	*state = NULL;
}

/* ---- the header ---- */

static enum http_method
method_of(const char *name)
{
	static const char *const names[] = { [HTTP_GET] = "GET",
		[HTTP_HEAD] = "HEAD",
		[HTTP_POST] = "POST" };
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(names[i], name) == 0)
			return (enum http_method)i;
	return HTTP_OTHER;
}

/* What there was is copied each time: a header full of them would take many
 * times its size. */
static void
take_again(struct http_request *request, enum http_field field,
    const char *value)
{
	const char **known = &request->fields[field];

	bool joins = field == HTTP_FORWARDED_FOR || field == HTTP_COOKIE;

	if (++request->repeated > REPEATED_MAX ||
	    (!joins && strcmp(*known, value) != 0))
		request->ambiguous = true;
	else if (joins) /* each proxy adds one at the end */
		*known = arena_printf(request->arena, "%s%c %s", *known,
		    field == HTTP_COOKIE ? ';' : ',', value);
}

static enum MHD_Result
take_field(void *context, enum MHD_ValueKind kind, const char *name,
    const char *value)
{
	struct http_request *request = context;
	size_t i;

	(void)kind;
	if (value == NULL)
		value = "";
	request->header_len += strlen(name) + strlen(value) + FIELD_SIGNS;
	for (i = 0; i < HTTP_FIELD_COUNT; i++) {
		if (strcasecmp(name, http_field_names[i]) != 0)
			continue;
		if (request->fields[i] == NULL)
			request->fields[i] =
			    arena_strdup(request->arena, value);
		else
			take_again(request, (enum http_field)i, value);
	}
	return MHD_YES;
}

static struct ip
peer_of(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info =
	    MHD_get_connection_info(connection,
		MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	struct ip none = { .family = IP_NONE };

	return info != NULL && info->client_addr != NULL
	    ? ip_from_sockaddr(info->client_addr)
	    : none;
}

static struct http_peer *
peer_entry_of(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info =
	    MHD_get_connection_info(connection,
		MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	return info != NULL ? info->socket_context : NULL;
}

/* Behind a proxy the request counts for its client. */
static bool
claim(struct exchange *exchange)
{
	struct http *http = exchange->http;
	struct ip client = web_client(http->web, &exchange->request);

	if (exchange->peer == NULL ||
	    !web_is_proxy(http->web, &exchange->request.peer))
		return true;
	exchange->proxied = true;
	return http_peer_claim(http->peers, exchange->peer, &client);
}

static unsigned
seconds_for(const struct http *http, size_t octets)
{
	return http->timeout_s + (unsigned)(octets / OCTETS_A_SECOND);
}

static const char *
refusal_text(unsigned status)
{
	static const struct {
		unsigned status;
		const char *text;
	} texts[] = {
		{ 400, "this is no request that can be understood" },
		{ 405, "only GET and POST are known here" },
		{ 413, "this is larger than what is taken" },
		{ 414, "the address is too long" },
		{ 415, "this type of content is not taken" },
		{ 421, "this server is not known under this name" },
		{ 429, "too many requests at once from your address" },
		{ 431, "the header of the request is too large" },
		{ 503, "too much to do at the moment; try again" },
	};
	size_t i;

	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (texts[i].status == status)
			return texts[i].text;
	return "refused";
}

/* ---- answering ---- */

static enum MHD_Result
send_reply(struct exchange *exchange)
{
	struct http *http = exchange->http;
	struct http_reply *reply = &exchange->reply;
	struct MHD_Response *response;
	enum MHD_Result rc;
	size_t i;

	response = MHD_create_response_from_buffer(reply->len,
	    reply->body != NULL ? reply->body : (void *)(uintptr_t) "",
	    reply->constant || reply->body == NULL ? MHD_RESPMEM_PERSISTENT
						   : MHD_RESPMEM_MUST_FREE);
	if (response == NULL)
		return MHD_NO;
	if (!reply->constant)
		reply->body = NULL; /* the library's now */
	for (i = 0; i < reply->field_count; i++)
		if (MHD_add_response_header(response, reply->fields[i].name,
			reply->fields[i].value) != MHD_YES)
			log_warn("http: a field of %s was left out",
			    reply->fields[i].name);
	if (exchange->peer != NULL)
		http_peer_expect(http->peers, exchange->peer,
		    seconds_for(http, reply->len));
	exchange->state = EXCHANGE_SENT;
	rc = MHD_queue_response(exchange->connection, reply->status, response);
	MHD_destroy_response(response);
	return rc;
}

static enum MHD_Result
refuse(struct exchange *exchange, unsigned status)
{
	web_refuse(exchange->http->web, &exchange->request, status,
	    refusal_text(status), &exchange->reply);
	return send_reply(exchange);
}

/* ---- the steps ---- */

/* As announced; most when it is not. */
static size_t
body_length(const struct exchange *exchange, size_t most)
{
	const char *length = exchange->request.fields[HTTP_CONTENT_LENGTH];
	uint64_t announced;

	if (length == NULL ||
	    parse_u64(bytes_of(length), 0, SIZE_MAX, &announced) < 0)
		return most;
	return (size_t)announced;
}

/* A browser that is answered while it sends shows no answer: what is not
 * much too large is read and thrown away first. */
static bool
will_drain(struct exchange *exchange)
{
	size_t announced = body_length(exchange, SIZE_MAX);

	if (announced > DRAIN_MAX)
		return false;
	if (exchange->peer != NULL)
		http_peer_expect(exchange->http->peers, exchange->peer,
		    seconds_for(exchange->http, announced));
	return true;
}

static enum MHD_Result
take_header(struct exchange *exchange, const char *method)
{
	struct http_request *request = &exchange->request;
	size_t body_max;
	unsigned status;

	request->method = method_of(method);
	request->peer = peer_of(exchange->connection);
	(void)MHD_get_connection_values(exchange->connection, MHD_HEADER_KIND,
	    take_field, request);
	exchange->peer = peer_entry_of(exchange->connection);
	status = web_check(exchange->http->web, request, &body_max);
	if (status == 0 && !claim(exchange))
		status = 429;
	if (status == 413 && will_drain(exchange)) {
		exchange->refusal = status;
		exchange->state = EXCHANGE_REFUSED;
		return MHD_YES;
	}
	if (status != 0)
		return refuse(exchange, status);
	buf_init(&exchange->body, body_max);
	if (exchange->peer != NULL)
		http_peer_expect(exchange->http->peers, exchange->peer,
		    seconds_for(exchange->http,
			body_length(exchange, body_max)));
	exchange->state = EXCHANGE_BODY;
	return MHD_YES;
}

/* The library lets nobody answer in the middle of a body: what is too much
 * is thrown away until its end, or until the deadline. */
static void
take_body(struct exchange *exchange, const char *data, size_t len)
{
	struct http *http = exchange->http;

	if (exchange->state != EXCHANGE_BODY)
		return;
	exchange->counted += len;
	if (atomic_fetch_add(&http->bodies, len) + len > BODIES_MAX)
		exchange->refusal = 503;
	else if (buf_append(&exchange->body, data, len) < 0)
		exchange->refusal = 413;
	if (exchange->refusal != 0)
		exchange->state = EXCHANGE_REFUSED;
}

static enum MHD_Result
take_end(struct exchange *exchange)
{
	if (exchange->state == EXCHANGE_REFUSED)
		return refuse(exchange, exchange->refusal);
	exchange->request.body = buf_bytes(&exchange->body);
	if (exchange->peer != NULL)
		http_peer_expect(exchange->http->peers, exchange->peer, 0);
	return enqueue(exchange->http, exchange) ? MHD_YES
						 : refuse(exchange, 503);
}

static bool
is_served(struct exchange *exchange)
{
	bool served;

	pthread_mutex_lock(&exchange->http->lock);
	served = exchange->state == EXCHANGE_SERVED;
	pthread_mutex_unlock(&exchange->http->lock);
	return served;
}

static enum MHD_Result
access_handler(void *context, struct MHD_Connection *connection,
    const char *url, const char *method, const char *version, const char *data,
    size_t *len, void **state)
{
	struct exchange *exchange = *state;

	(void)context;
	(void)connection;
	(void)url;
	(void)version;
	if (exchange == NULL)
		return MHD_NO;
	if (exchange->state == EXCHANGE_NEW)
		return take_header(exchange, method);
	if (*len > 0) {
		take_body(exchange, data, *len);
		*len = 0;
		return MHD_YES;
	}
	if (exchange->state == EXCHANGE_BODY ||
	    exchange->state == EXCHANGE_REFUSED)
		return take_end(exchange);
	return is_served(exchange) ? send_reply(exchange) : MHD_YES;
}

/* ---- connections ---- */

static enum MHD_Result
accept_policy(void *context, const struct sockaddr *address, socklen_t len)
{
	struct http *http = context;
	struct ip ip = ip_from_sockaddr(address);

	(void)len;
	return web_is_proxy(http->web, &ip) ||
		http_peers_have_room(http->peers, &ip)
	    ? MHD_YES
	    : MHD_NO;
}

static void
connection_notice(void *context, struct MHD_Connection *connection,
    void **entry, enum MHD_ConnectionNotificationCode what)
{
	struct http *http = context;
	const union MHD_ConnectionInfo *info;
	struct ip ip = peer_of(connection);

	if (what == MHD_CONNECTION_NOTIFY_CLOSED) {
		http_peers_remove(http->peers, *entry);
		*entry = NULL;
		return;
	}
	if (web_is_proxy(http->web, &ip))
		memset(&ip, 0, sizeof(ip));
	info = MHD_get_connection_info(connection,
	    MHD_CONNECTION_INFO_CONNECTION_FD);
	*entry = info != NULL ? http_peers_add(http->peers, info->connect_fd,
				    &ip, http->timeout_s)
			      : NULL;
}

/* Paths and queries are read by us. */
static size_t
keep_escapes(void *context, struct MHD_Connection *connection, char *text)
{
	(void)context;
	(void)connection;
	return strlen(text);
}

static void log_library(void *context, const char *format, va_list ap)
    __attribute__((format(printf, 2, 0)));

/*
 * What is no HTTP at all (a broken line or chunk, a version or header that
 * the library does not take) it answers itself, with pages of its own, and
 * tells of it here and nowhere else: "... (HTTP response code is 400 ...".
 */
static void
count_refused(struct http *http, const char *text)
{
	static const char sign[] = "(HTTP response code is ";
	const char *found = strstr(text, sign);
	struct cursor c;
	uint64_t status;

	if (found == NULL)
		return;
	c = cursor_of(bytes_of(found + sizeof(sign) - 1));
	if (cursor_u64(&c, 599, &status))
		web_count_refused(http->web, (unsigned)status);
}

static void
log_library(void *context, const char *format, va_list ap)
{
	char text[512];

	(void)vsnprintf(text, sizeof(text), format, ap);
	text[strcspn(text, "\n")] = '\0';
	count_refused(context, text);
	log_debug("http: %s", text);
}

/* ---- start ---- */

static struct MHD_Daemon *
start_daemon(struct http *http, const struct conf *conf, int fd)
{
	unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD |
	    MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG;
	struct MHD_OptionItem tls[] = {
		{ MHD_OPTION_HTTPS_CERT_CALLBACK, 0, http_tls_callback() },
		{ MHD_OPTION_HTTPS_PRIORITIES, 0,
		    (void *)(uintptr_t) "NORMAL:-VERS-TLS1.0:-VERS-TLS1.1" },
		{ MHD_OPTION_END, 0, NULL },
	};

	if (http->tls != NULL)
		flags |= MHD_USE_TLS;
	else
		tls[0].option = MHD_OPTION_END;
	return MHD_start_daemon(flags, 0, accept_policy, http, access_handler,
	    http, MHD_OPTION_EXTERNAL_LOGGER, log_library, http,
	    MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_THREAD_POOL_SIZE,
	    IO_THREADS, MHD_OPTION_CONNECTION_LIMIT,
	    (unsigned)conf->web_connections_max,
	    MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY,
	    MHD_OPTION_CONNECTION_TIMEOUT, http->timeout_s,
	    MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_NOTIFY_COMPLETED,
	    exchange_end, http, MHD_OPTION_NOTIFY_CONNECTION, connection_notice,
	    http, MHD_OPTION_URI_LOG_CALLBACK, exchange_begin, http,
	    MHD_OPTION_UNESCAPE_CALLBACK, keep_escapes, NULL, MHD_OPTION_ARRAY,
	    tls, MHD_OPTION_END);
}

static int
listen_on(struct http *http, const struct conf *conf, const char *text,
    struct err *err)
{
	struct endpoint *endpoint = &http->endpoints[http->daemon_count];
	struct MHD_Daemon *daemon;
	int fd;

	if (endpoint_parse(text, endpoint, err) < 0)
		return err_prefix(err, "web_listen");
	fd = endpoint_listen(endpoint, SOCKET_MODE, err);
	if (fd < 0)
		return err_prefix(err, "web_listen");
	daemon = start_daemon(http, conf, fd);
	if (daemon == NULL) {
		close(fd);
		endpoint_remove(endpoint);
		return err_set(err, ERR_CONFIG,
		    "web_listen: %s: the listener does not start", text);
	}
	http->daemons[http->daemon_count++] = daemon;
	return 0;
}

static int
open_tls(struct http *http, const struct conf *conf, struct err *err)
{
	if (conf->web_tls_cert[0] == '\0')
		return 0;
	if (MHD_is_feature_supported(MHD_FEATURE_TLS) != MHD_YES)
		return err_set(err, ERR_CONFIG,
		    "web_tls_cert: this libmicrohttpd was built without TLS");
	if (conf->web_tls_key[0] == '\0')
		return err_set(err, ERR_CONFIG,
		    "web_tls_key: must be given with web_tls_cert");
	http->tls = http_tls_open(conf->web_tls_cert, conf->web_tls_key, err);
	return http->tls != NULL ? 0 : -1;
}

struct http_tls *
http_tls_of(void *connection)
{
	const struct http_peer *peer = peer_entry_of(connection);
	const struct http *http = peer != NULL ? http_peer_owner(peer) : NULL;

	return http != NULL ? http->tls : NULL;
}

int
http_reload(struct http *http, struct err *err)
{
	return http->tls != NULL ? http_tls_reload(http->tls, err) : 0;
}

static int
start_workers(struct http *http, struct err *err)
{
	int rc;

	for (; http->worker_count < WORKERS; http->worker_count++) {
		rc = pthread_create(&http->workers[http->worker_count], NULL,
		    work, http);
		if (rc != 0)
			return err_set(err, ERR_TEMP, "thread: %s",
			    strerror(rc));
	}
	return 0;
}

struct http *
http_start(const struct conf *conf, struct web *web, struct err *err)
{
	struct http *http = xcalloc(1, sizeof(*http));
	size_t n = conf->web_listen.count, i;
	int rc;

	http->web = web;
	http->timeout_s = (unsigned)conf->web_timeout;
	http->daemons = xcalloc(n + 1, sizeof(struct MHD_Daemon *));
	http->endpoints = xcalloc(n + 1, sizeof(*http->endpoints));
	http->last = &http->first;
	pthread_mutex_init(&http->lock, NULL);
	pthread_cond_init(&http->queued, NULL);
	http->peers = http_peers_new((unsigned)conf->web_connections_per_client,
	    http, err);
	rc = http->peers != NULL ? open_tls(http, conf, err) : -1;
	if (rc == 0)
		rc = start_workers(http, err);
	for (i = 0; i < n && rc == 0; i++)
		rc = listen_on(http, conf, conf->web_listen.items[i], err);
	if (rc == 0)
		return http;
	http_stop(http);
	return NULL;
}

/* ---- end ---- */

/* No connection is suspended when they are gone: none is queued any more,
 * and those that were have been served. */
static void
stop_workers(struct http *http)
{
	size_t i;

	pthread_mutex_lock(&http->lock);
	http->stopping = true;
	pthread_cond_broadcast(&http->queued);
	pthread_mutex_unlock(&http->lock);
	for (i = 0; i < http->worker_count; i++)
		pthread_join(http->workers[i], NULL);
}

void
http_stop(struct http *http)
{
	MHD_socket fd;
	size_t i;

	if (http == NULL)
		return;
	for (i = 0; i < http->daemon_count; i++) {
		fd = MHD_quiesce_daemon(http->daemons[i]);
		if (fd != MHD_INVALID_SOCKET)
			close(fd);
		endpoint_remove(&http->endpoints[i]);
	}
	stop_workers(http);
	for (i = 0; i < http->daemon_count; i++)
		MHD_stop_daemon(http->daemons[i]);
	http_peers_free(http->peers);
	pthread_cond_destroy(&http->queued);
	pthread_mutex_destroy(&http->lock);
	http_tls_close(http->tls);
	free(http->daemons);
	free(http->endpoints);
	free(http);
}
