/*
 * store.c - commands and scripts: choose a server, send, follow.
 *
 * What was refused (MOVED, ASK, TRYAGAIN, READONLY, NOSCRIPT) was not
 * carried out and is sent again where it belongs; what got no answer is
 * not, as it may have been carried out.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/sha.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/store_impl.h"
#include "base/str.h"

#define TIMEOUT_MS_DEFAULT 2000
#define CONNECTIONS_MAX_DEFAULT 32
/* Redirections and second attempts of one call. */
#define HOPS_MAX 12
#define HOPS_AT_ONCE 3
#define TRYAGAIN_REST_MS 20
#define BATCH_BYTES_MAX ((size_t)256 * 1024 * 1024)
#define FORMAT_WORDS_MAX 64
#define SHA1_HEX_SIZE 41

/* What goes out at once, all to the slot of key. */
struct batch {
	struct bytes key; /* data NULL: any node */
	struct store_deadline deadline;
	bool durable; /* wait as the durability of the node demands */
	size_t n;
	const struct store_command *commands;
	struct store_reply **replies;
};

/* ---- errors of Redis ---- */

enum reaction {
	REACT_FAIL,
	REACT_MOVED,
	REACT_ASK,
	REACT_AGAIN,
	REACT_FORGET, /* this is not the server to ask */
	REACT_LOAD,   /* the script is not known there */
};

static const struct refusal {
	const char *code;
	enum err_kind kind;
	enum reaction reaction;
} refusals[] = {
	{ "MOVED", ERR_TEMP, REACT_MOVED },
	{ "ASK", ERR_TEMP, REACT_ASK },
	{ "TRYAGAIN", ERR_TEMP, REACT_AGAIN },
	{ "READONLY", ERR_TEMP, REACT_FORGET },
	{ "CLUSTERDOWN", ERR_TEMP, REACT_FAIL },
	{ "MASTERDOWN", ERR_TEMP, REACT_FAIL },
	{ "LOADING", ERR_TEMP, REACT_FAIL },
	{ "BUSY", ERR_TEMP, REACT_FAIL },
	{ "MISCONF", ERR_TEMP, REACT_FAIL },
	{ "NOREPLICAS", ERR_TEMP, REACT_FAIL },
	{ "NOAUTH", ERR_TEMP, REACT_FAIL },
	{ "NOPERM", ERR_TEMP, REACT_FAIL },
	{ "OOM", ERR_LIMIT, REACT_FAIL },
	{ "NOSCRIPT", ERR_INPUT, REACT_LOAD },
	{ "", ERR_INPUT, REACT_FAIL },
};

/* NULL when reply is no error. */
static const struct refusal *
refusal_of(const struct store_reply *reply)
{
	const struct refusal *r = refusals;

	if (reply->type != STORE_ERROR)
		return NULL;
	for (; r->code[0] != '\0'; r++) {
		size_t len = strlen(r->code);

		if (reply->text.len >= len &&
		    memcmp(reply->text.data, r->code, len) == 0 &&
		    (reply->text.len == len || reply->text.data[len] == ' '))
			break;
	}
	return r;
}

int
store_reply_error(const struct store_reply *reply, struct err *err)
{
	const struct refusal *refusal = refusal_of(reply);

	if (refusal == NULL)
		return 0;
	return err_set(err, refusal->kind, "redis refused: %.300s",
	    reply->text.data);
}

/* ---- opening ---- */

struct store *
store_open(const struct store_options *options, struct err *err)
{
	struct store *store = xcalloc(1, sizeof(*store));

	if (store_url_parse(options->url, &store->url, err) < 0) {
		free(store);
		return NULL;
	}
	if (store->url.tls &&
	    store_tls_context_new(options->ca_file, &store->tls_context, err) <
		0) {
		store_url_fini(&store->url);
		free(store);
		return NULL;
	}
	if (store->url.password == NULL && options->password != NULL &&
	    options->password[0] != '\0')
		store->url.password = xstrdup(options->password);
	store->timeout_ms =
	    options->timeout_ms > 0 ? options->timeout_ms : TIMEOUT_MS_DEFAULT;
	store->connections_max = options->connections_max > 0
	    ? options->connections_max
	    : CONNECTIONS_MAX_DEFAULT;
	pthread_mutex_init(&store->lock, NULL);
	clock_cond_init(&store->changed);
	if (store->url.kind == STORE_CLUSTER)
		store->topology.slots =
		    xcalloc(STORE_SLOTS, sizeof(struct store_node *));
	if (store->url.kind == STORE_ONE) {
		store->topology.master =
		    store_node_get(store, &store->url.addresses[0], err);
		store->topology.known = true;
	}
	return store;
}

void
store_close(struct store *store)
{
	size_t i;

	if (store == NULL)
		return;
	for (i = 0; i < store->node_count; i++)
		store_node_free(store->nodes[i]);
	free(store->topology.slots);
	store_tls_context_free(store->tls_context);
	store_url_fini(&store->url);
	pthread_cond_destroy(&store->changed);
	pthread_mutex_destroy(&store->lock);
	free(store);
}

unsigned
store_timeout_ms(const struct store *store)
{
	return store->timeout_ms;
}

bool
store_is_up(const struct store *store)
{
	return atomic_load(&store->up);
}

void
store_get_stats(struct store *store, struct store_stats *out)
{
	pthread_mutex_lock(&store->lock);
	*out = store->stats;
	pthread_mutex_unlock(&store->lock);
}

static struct store_deadline
full_deadline(const struct store *store)
{
	return (
	    struct store_deadline){ clock_mono_ms() + store->timeout_ms, true };
}

/* ---- one exchange with one node ---- */

static int
encode_batch(const struct batch *batch, bool asking, enum store_wait wait,
    struct buf *out, struct err *err)
{
	const struct bytes ask = BYTES_LIT("ASKING");
	int64_t left = batch->deadline.at_ms - clock_mono_ms();
	size_t i;

	if (asking)
		(void)store_encode(out, 1, &ask);
	for (i = 0; i < batch->n; i++)
		(void)store_encode(out, batch->commands[i].argc,
		    batch->commands[i].argv);
	/* A part of the time is for the answer's way back. */
	(void)store_wait_encode(wait,
	    left > 0 ? (unsigned)(left - left / 4) : 1, out);
	if (out->overflow)
		return err_set(err, ERR_LIMIT,
		    "more than %zu bytes for Redis at once", BATCH_BYTES_MAX);
	return 0;
}

/* Moves the replies of the commands to the batch; frees the others. */
static int
take_replies(const struct batch *batch, struct store_reply **all, bool asking,
    enum store_wait wait, struct err *err)
{
	struct store_reply **own = all + (asking ? 1 : 0);
	bool refused = batch->n == 1 && own[0]->type == STORE_ERROR;
	int rc = 0;
	size_t i;

	/* A single command that was refused wrote nothing to wait for. */
	if (wait != WAIT_NOTHING && !refused)
		rc = store_wait_check(wait, own[batch->n], err);
	if (asking)
		store_reply_free(all[0]);
	if (wait != WAIT_NOTHING)
		store_reply_free(own[batch->n]);
	for (i = 0; i < batch->n; i++) {
		if (rc < 0)
			store_reply_free(own[i]);
		else
			batch->replies[i] = own[i];
	}
	return rc;
}

static int
exchange(struct store_node *node, struct store_conn *conn,
    const struct batch *batch, bool asking, enum store_wait wait,
    struct err *err)
{
	size_t n = batch->n + (asking ? 1 : 0) + (wait != WAIT_NOTHING ? 1 : 0);
	struct store_reply **all;
	struct buf out;
	int rc;

	buf_init(&out, BATCH_BYTES_MAX);
	rc = encode_batch(batch, asking, wait, &out, err);
	if (rc < 0) {
		buf_free(&out);
		return -1;
	}
	all = xcalloc(n, sizeof(*all));
	rc = store_conn_exchange(conn, buf_bytes(&out), n, all,
	    batch->deadline.at_ms, err);
	buf_free(&out);
	if (rc == 0)
		rc = take_replies(batch, all, asking, wait, err);
	free(all);
	if (rc < 0)
		err_prefix(err, "%s", node->name);
	return rc;
}

enum outcome {
	OUTCOME_DONE,
	OUTCOME_NOT_SENT,
	OUTCOME_UNKNOWN,
};

static enum outcome
send_to(struct store_node *node, const struct batch *batch, bool asking,
    struct err *err)
{
	enum store_wait wait = WAIT_NOTHING;
	struct store_conn *conn;
	int rc;

	/* Whether it must be durable at all is the caller's to ask. */
	if (batch->durable &&
	    store_node_durable(node, &batch->deadline, &wait, err) < 0)
		wait = WAIT_NOTHING;
	conn = store_node_take(node, &batch->deadline, err);
	if (conn == NULL)
		return OUTCOME_NOT_SENT;
	rc = exchange(node, conn, batch, asking, wait, err);
	store_node_give(node, conn, &batch->deadline, err);
	return rc == 0 ? OUTCOME_DONE : OUTCOME_UNKNOWN;
}

/* ---- following ---- */

/* "MOVED 3999 127.0.0.1:6381": the node it names, held, or NULL. */
static struct store_node *
redirect_node(struct store *store, const struct store_node *from,
    const struct store_reply *reply, unsigned *slot, struct err *err)
{
	struct cursor c = cursor_of(reply->text);
	struct store_address address = { NULL, 0 };
	struct store_node *node = NULL;
	struct bytes word;
	uint64_t number;

	(void)cursor_until(&c, " ");
	if (!cursor_char(&c, ' ') ||
	    !cursor_u64(&c, STORE_SLOTS - 1, &number) ||
	    !cursor_char(&c, ' ')) {
		err_set(err, ERR_TEMP, "redirection makes no sense");
		return NULL;
	}
	word = (struct bytes){ c.p, (size_t)(c.end - c.p) };
	*slot = (unsigned)number;
	if (word.len > 1 && word.data[0] == ':') {
		/* No host: the one that said so. */
		char *full = xprintf("[%s]%.*s", from->address.host,
		    (int)word.len, word.data);

		(void)store_address_parse(bytes_of(full), 0, &address);
		free(full);
	} else {
		(void)store_address_parse(word, 0, &address);
	}
	if (address.host == NULL) {
		err_set(err, ERR_TEMP, "redirection makes no sense");
		return NULL;
	}
	pthread_mutex_lock(&store->lock);
	node = store_node_get(store, &address, err);
	if (node != NULL)
		store_node_hold(node);
	pthread_mutex_unlock(&store->lock);
	free(address.host);
	return node;
}

/* Where a batch goes next. */
struct hop {
	struct store_node *node; /* held; NULL: as the topology says */
	bool asking;
};

static void
rest(const struct batch *batch, int64_t ms)
{
	int64_t left = batch->deadline.at_ms - clock_mono_ms();
	struct timespec ts = { 0 };

	ts.tv_nsec = (left < ms ? (left > 0 ? left : 0) : ms) * 1000000;
	nanosleep(&ts, NULL);
}

/* 1: go on with *hop, 0: the reply is for the caller, -1. */
static int
follow(struct store *store, const struct batch *batch,
    const struct store_node *from, struct hop *hop, struct err *err)
{
	const struct refusal *refusal = refusal_of(batch->replies[0]);
	unsigned slot;

	*hop = (struct hop){ NULL, false };
	if (refusal == NULL)
		return 0;
	switch (refusal->reaction) {
	case REACT_MOVED:
	case REACT_ASK:
		if (store->url.kind != STORE_CLUSTER)
			return 0;
		hop->asking = refusal->reaction == REACT_ASK;
		hop->node =
		    redirect_node(store, from, batch->replies[0], &slot, err);
		if (hop->node == NULL)
			return -1;
		if (!hop->asking)
			store_topology_moved(store, slot, hop->node);
		return 1;
	case REACT_AGAIN:
		rest(batch, TRYAGAIN_REST_MS);
		return 1;
	case REACT_FORGET:
		return store_topology_forget(store) ? 1 : 0;
	case REACT_FAIL:
	case REACT_LOAD:
		break;
	}
	return 0;
}

/* Sends to one node: 1: go on with *hop, 0: the reply is for the caller, -1. */
static int
try_node(struct store *store, const struct batch *batch,
    struct store_node *node, struct hop *hop, struct err *err)
{
	int rc;

	switch (send_to(node, batch, hop->asking, err)) {
	case OUTCOME_DONE:
		break;
	case OUTCOME_UNKNOWN:
		(void)store_topology_forget(store);
		return -1;
	case OUTCOME_NOT_SENT:
		*hop = (struct hop){ NULL, false };
		return store_topology_forget(store) ? 1 : -1;
	}
	rc = follow(store, batch, node, hop, err);
	if (rc != 0) {
		store_reply_free(batch->replies[0]);
		batch->replies[0] = NULL;
	}
	return rc;
}

/* A single command, until somebody answers it.  Releases the node of hop. */
static int
run_one(struct store *store, const struct batch *batch, struct hop hop,
    struct err *err)
{
	struct store_node *node;
	unsigned hops;
	int rc;

	for (hops = 0; hops < HOPS_MAX; hops++) {
		/* Nodes that do not agree yet soon will. */
		if (hops >= HOPS_AT_ONCE)
			rest(batch, TRYAGAIN_REST_MS);
		node = hop.node;
		if (node == NULL)
			node = store_route(store, batch->key, &batch->deadline,
			    err);
		if (node == NULL)
			return -1;
		rc = try_node(store, batch, node, &hop, err);
		store_node_release(node);
		if (rc <= 0)
			return rc;
	}
	store_node_release(hop.node);
	return err_set(err, ERR_TEMP, "redis sent us around %d times",
	    HOPS_MAX);
}

static void
drop_replies(const struct batch *batch)
{
	size_t i;

	for (i = 0; i < batch->n; i++) {
		store_reply_free(batch->replies[i]);
		batch->replies[i] = NULL;
	}
}

/* Those of a batch that were redirected go their way one by one. */
static int
run_redirected(struct store *store, const struct batch *batch,
    const struct store_node *from, struct err *err)
{
	size_t i;

	for (i = 0; i < batch->n; i++) {
		struct batch one = *batch;
		struct hop hop;
		int rc;

		one.n = 1;
		one.commands = &batch->commands[i];
		one.replies = &batch->replies[i];
		rc = follow(store, &one, from, &hop, err);
		if (rc == 0)
			continue;
		store_reply_free(one.replies[0]);
		one.replies[0] = NULL;
		if (rc < 0 || run_one(store, &one, hop, err) < 0)
			return -1;
	}
	return 0;
}

static int
run_many(struct store *store, const struct batch *batch, struct err *err)
{
	enum outcome outcome;
	unsigned tries;
	int rc = -1;

	for (tries = 0; tries < HOPS_MAX; tries++) {
		struct store_node *node =
		    store_route(store, batch->key, &batch->deadline, err);

		if (node == NULL)
			return -1;
		outcome = send_to(node, batch, false, err);
		if (outcome == OUTCOME_DONE)
			rc = run_redirected(store, batch, node, err);
		store_node_release(node);
		if (outcome == OUTCOME_DONE) {
			if (rc < 0)
				drop_replies(batch);
			return rc;
		}
		if (!store_topology_forget(store) || outcome == OUTCOME_UNKNOWN)
			return -1;
	}
	return -1;
}

static int
run_batch(struct store *store, const struct batch *batch, struct err *err)
{
	memset(batch->replies, 0, batch->n * sizeof(*batch->replies));
	if (batch->n == 0)
		return 0;
	if (batch->n == 1)
		return run_one(store, batch, (struct hop){ NULL, false }, err);
	return run_many(store, batch, err);
}

/* ---- commands ---- */

static struct bytes
key_bytes(const char *key)
{
	return key == NULL ? (struct bytes){ NULL, 0 } : bytes_of(key);
}

/* A single reply: an error of Redis becomes one of ours. */
static int
finish(struct store_reply *got, struct store_reply **reply, struct err *err)
{
	if (store_reply_error(got, err) < 0) {
		store_reply_free(got);
		return -1;
	}
	if (reply != NULL)
		*reply = got;
	else
		store_reply_free(got);
	return 0;
}

int
store_run(struct store *store, const char *key, size_t argc,
    const struct bytes *argv, struct store_reply **reply, struct err *err)
{
	const struct store_command command = { argc, argv };
	struct store_reply *got = NULL;
	const struct batch batch = { .key = key_bytes(key),
		.deadline = full_deadline(store),
		.n = 1,
		.commands = &command,
		.replies = &got };

	if (run_batch(store, &batch, err) < 0)
		return -1;
	return finish(got, reply, err);
}

/* One word of a format: text with %s, %b, %d in it. */
static const char *
format_word(struct buf *out, const char *p, va_list *ap)
{
	const struct bytes *bytes;

	for (; *p != '\0' && *p != ' '; p++) {
		if (*p != '%') {
			buf_append_char(out, *p);
			continue;
		}
		switch (*++p) {
		case 's':
			buf_append_str(out, va_arg(*ap, const char *));
			break;
		case 'b':
			bytes = va_arg(*ap, const struct bytes *);
			buf_append_bytes(out, *bytes);
			break;
		case 'd':
			buf_printf(out, "%lld",
			    (long long)va_arg(*ap, int64_t));
			break;
		case '%':
			buf_append_char(out, '%');
			break;
		default:
			assert(!"store_runf knows %s, %b, %d and %%");
		}
	}
	return p;
}

int
store_runf(struct store *store, const char *key, struct store_reply **reply,
    struct err *err, const char *fmt, ...)
{
	struct bytes argv[FORMAT_WORDS_MAX];
	struct buf words[FORMAT_WORDS_MAX];
	size_t argc = 0, i;
	bool overflow = false;
	va_list ap;
	int rc;

	va_start(ap, fmt);
	while (*fmt != '\0') {
		assert(argc < FORMAT_WORDS_MAX);
		buf_init(&words[argc], BATCH_BYTES_MAX);
		fmt = format_word(&words[argc], fmt, &ap);
		overflow = overflow || words[argc].overflow;
		argv[argc] = buf_bytes(&words[argc]);
		argc++;
		if (*fmt == ' ')
			fmt++;
	}
	va_end(ap);
	if (overflow)
		rc = err_set(err, ERR_LIMIT,
		    "more than %zu bytes for Redis at once", BATCH_BYTES_MAX);
	else
		rc = store_run(store, key, argc, argv, reply, err);
	for (i = 0; i < argc; i++)
		buf_free(&words[i]);
	return rc;
}

int
store_pipeline(struct store *store, const char *key, size_t n,
    const struct store_command *commands, struct store_reply **replies,
    struct err *err)
{
	const struct batch batch = { .key = key_bytes(key),
		.deadline = full_deadline(store),
		.n = n,
		.commands = commands,
		.replies = replies };

	return run_batch(store, &batch, err);
}

int
store_pipeline_durable(struct store *store, const char *key, size_t n,
    const struct store_command *commands, struct store_reply **replies,
    struct err *err)
{
	const struct batch batch = { .key = key_bytes(key),
		.deadline = full_deadline(store),
		.durable = true,
		.n = n,
		.commands = commands,
		.replies = replies };

	return run_batch(store, &batch, err);
}

/* ---- scripts ---- */

static int
eval(struct store *store, const struct store_deadline *deadline, bool durable,
    const struct store_script *script, size_t keys, size_t argc,
    const struct bytes *argv, struct store_reply **reply, struct err *err)
{
	struct bytes *args = xcalloc(argc + 3, sizeof(*args));
	const struct store_command command = { argc + 3, args };
	struct store_reply *got[1] = { NULL };
	const struct batch batch = { .key = keys > 0
		    ? argv[0]
		    : (struct bytes){ NULL, 0 },
		.deadline = *deadline,
		.durable = durable,
		.n = 1,
		.commands = &command,
		.replies = got };
	unsigned char digest[SHA_DIGEST_LENGTH];
	char hex[SHA1_HEX_SIZE], number[24];
	int rc;

	SHA1((const unsigned char *)script->text, strlen(script->text), digest);
	str_hex(digest, sizeof(digest), hex);
	snprintf(number, sizeof(number), "%zu", keys);
	args[0] = BYTES_LIT("EVALSHA");
	args[1] = (struct bytes){ hex, SHA1_HEX_SIZE - 1 };
	args[2] = bytes_of(number);
	if (argc > 0)
		memcpy(args + 3, argv, argc * sizeof(*argv));
	rc = run_batch(store, &batch, err);
	if (rc == 0 && got[0]->type == STORE_ERROR &&
	    refusal_of(got[0])->reaction == REACT_LOAD) {
		store_reply_free(got[0]);
		args[0] = BYTES_LIT("EVAL");
		args[1] = bytes_of(script->text);
		rc = run_batch(store, &batch, err);
	}
	free(args);
	if (rc == 0)
		rc = finish(got[0], reply, err);
	return rc < 0 ? err_prefix(err, "%s", script->name) : 0;
}

int
store_eval(struct store *store, const struct store_script *script, size_t keys,
    size_t argc, const struct bytes *argv, struct store_reply **reply,
    struct err *err)
{
	const struct store_deadline deadline = full_deadline(store);

	return eval(store, &deadline, false, script, keys, argc, argv, reply,
	    err);
}

int
store_eval_durable(struct store *store, const struct store_script *script,
    size_t keys, size_t argc, const struct bytes *argv,
    struct store_reply **reply, struct err *err)
{
	const struct store_deadline deadline = full_deadline(store);

	return eval(store, &deadline, true, script, keys, argc, argv, reply,
	    err);
}

int
store_eval_within(struct store *store, unsigned timeout_ms,
    const struct store_script *script, size_t keys, size_t argc,
    const struct bytes *argv, struct store_reply **reply, struct err *err)
{
	const struct store_deadline deadline = { clock_mono_ms() + timeout_ms,
		timeout_ms >= store->timeout_ms };

	return eval(store, &deadline, false, script, keys, argc, argv, reply,
	    err);
}

/* ---- durability ---- */

int
store_is_durable(struct store *store, struct err *err)
{
	const struct store_deadline deadline = full_deadline(store);
	struct store_node *nodes[STORE_NODES_MAX];
	enum store_wait wait;
	size_t count, i;
	int rc = 1;

	count = store_topology_masters(store, nodes, &deadline, err);
	if (count == 0)
		return -1;
	for (i = 0; i < count && rc == 1; i++)
		rc = store_node_durable(nodes[i], &deadline, &wait, err);
	if (rc < 0)
		(void)store_topology_forget(store);
	for (i = 0; i < count; i++)
		store_node_release(nodes[i]);
	return rc;
}
