/*
 * store_topology.c - which server: one, the master that Sentinels name, or
 * the owner of a slot of a Cluster.
 *
 * What is known is used until it proves wrong (a connection that cannot be
 * made, READONLY, MOVED); then one caller asks and the others wait for its
 * answer, within their own deadlines.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/store_impl.h"
#include "base/str.h"

#define QUESTION_MAX 1024
/* A Sentinel or node that does not answer must leave time for the next. */
#define ASK_SHARE 3
/* Slots are not asked for more often than this, unless none are known. */
#define REFRESH_MIN_MS 1000

/* CRC-16/XMODEM, four bits at a time. */
static unsigned
crc16(struct bytes data)
{
	static const unsigned short table[16] = { 0x0000, 0x1021, 0x2042,
		0x3063, 0x4084, 0x50a5, 0x60c6, 0x70e7, 0x8108, 0x9129, 0xa14a,
		0xb16b, 0xc18c, 0xd1ad, 0xe1ce, 0xf1ef };
	unsigned crc = 0;
	size_t i;

	for (i = 0; i < data.len; i++) {
		unsigned char c = (unsigned char)data.data[i];

		crc = (crc << 4 ^ table[(crc >> 12 ^ c >> 4) & 15]) & 0xffff;
		crc = (crc << 4 ^ table[(crc >> 12 ^ c) & 15]) & 0xffff;
	}
	return crc;
}

unsigned
store_slot(struct bytes key)
{
	const char *open = memchr(key.data, '{', key.len);

	if (open != NULL) {
		size_t left = key.len - (size_t)(open + 1 - key.data);
		const char *close = memchr(open + 1, '}', left);

		if (close != NULL && close > open + 1)
			key = (struct bytes){ open + 1,
				(size_t)(close - open) - 1 };
	}
	return crc16(key) % STORE_SLOTS;
}

/* ---- one question to one server that is not in the pool ---- */

static struct store_reply *
ask(const struct store_target *target, size_t argc, const char *const *words,
    int64_t deadline_ms, struct err *err)
{
	struct store_conn *conn;
	struct store_reply *reply = NULL;
	struct bytes argv[4];
	struct buf out;
	size_t i;

	conn = store_conn_open(target, deadline_ms, err);
	if (conn == NULL)
		return NULL;
	buf_init(&out, QUESTION_MAX);
	for (i = 0; i < argc; i++)
		argv[i] = bytes_of(words[i]);
	if (store_encode(&out, argc, argv) < 0)
		err_set(err, ERR_CONFIG, "name is too long");
	else
		(void)store_conn_exchange(conn, buf_bytes(&out), 1, &reply,
		    deadline_ms, err);
	buf_free(&out);
	store_conn_close(conn);
	return reply;
}

static int64_t
share_of(int64_t deadline_ms)
{
	int64_t now = clock_mono_ms(), left = deadline_ms - now;

	return left > 0 ? now + left / ASK_SHARE + 1 : now;
}

/* ---- Sentinel ---- */

static int
master_from_reply(const struct store_reply *reply,
    struct store_address *address)
{
	uint64_t port;

	if (reply->type != STORE_ARRAY || reply->count != 2 ||
	    reply->items[0].type != STORE_STRING ||
	    memchr(reply->items[0].text.data, '\0', reply->items[0].text.len) !=
		NULL ||
	    reply->items[0].text.len == 0 ||
	    parse_u64(reply->items[1].text, 1, 65535, &port) < 0)
		return -1;
	address->host = (char *)reply->items[0].text.data;
	address->port = (unsigned)port;
	return 0;
}

/* Asks one Sentinel; NULL: it does not know or does not answer.  Held. */
static struct store_node *
ask_sentinel(struct store *store, const struct store_address *sentinel,
    int64_t deadline_ms, struct err *err)
{
	const char *words[] = { "SENTINEL", "get-master-addr-by-name",
		store->url.master };
	struct store_target target = { .address = sentinel,
		.user = store->url.user,
		.password = store->url.password,
		.is_sentinel = true };
	struct store_address address;
	struct store_node *node = NULL;
	struct store_reply *reply = ask(&target, 3, words, deadline_ms, err);

	if (reply == NULL) {
		err_prefix(err, "sentinel %s:%u", sentinel->host,
		    sentinel->port);
		return NULL;
	}
	if (master_from_reply(reply, &address) < 0) {
		err_set(err, ERR_TEMP, "sentinel %s:%u: knows no master '%s'",
		    sentinel->host, sentinel->port, store->url.master);
	} else {
		pthread_mutex_lock(&store->lock);
		node = store_node_get(store, &address, err);
		if (node != NULL)
			store_node_hold(node);
		pthread_mutex_unlock(&store->lock);
	}
	store_reply_free(reply);
	return node;
}

static int
find_master(struct store *store, int64_t deadline_ms, struct err *err)
{
	struct store_node *node = NULL;
	size_t i;

	for (i = 0; i < store->url.count && node == NULL; i++)
		node = ask_sentinel(store, &store->url.addresses[i],
		    share_of(deadline_ms), err);
	if (node == NULL)
		return -1;
	pthread_mutex_lock(&store->lock);
	if (store->topology.master != node)
		log_info("%s: is the master of %s", node->name,
		    store->url.master);
	store->topology.master = node;
	pthread_mutex_unlock(&store->lock);
	store_node_release(node);
	return 0;
}

/* ---- Cluster ---- */

struct slot_range {
	unsigned first, last;
	struct store_address address;
};

/* One item of CLUSTER SLOTS: first, last, [master host, port, ...], ... */
static int
range_from_reply(const struct store_reply *item,
    const struct store_address *asked, struct slot_range *range)
{
	const struct store_reply *master;

	if (item->type != STORE_ARRAY || item->count < 3 ||
	    item->items[0].type != STORE_INTEGER ||
	    item->items[1].type != STORE_INTEGER ||
	    item->items[0].integer < 0 ||
	    item->items[1].integer >= STORE_SLOTS ||
	    item->items[0].integer > item->items[1].integer)
		return -1;
	master = &item->items[2];
	if (master->type != STORE_ARRAY || master->count < 2 ||
	    master->items[1].type != STORE_INTEGER ||
	    master->items[1].integer < 1 || master->items[1].integer > 65535)
		return -1;
	range->first = (unsigned)item->items[0].integer;
	range->last = (unsigned)item->items[1].integer;
	range->address.port = (unsigned)master->items[1].integer;
	/* No host: the one that was asked (it does not know its own). */
	if (master->items[0].type == STORE_NIL ||
	    master->items[0].text.len == 0)
		range->address.host = asked->host;
	else if (master->items[0].type == STORE_STRING &&
	    strlen(master->items[0].text.data) == master->items[0].text.len)
		range->address.host = (char *)master->items[0].text.data;
	else
		return -1;
	return 0;
}

/* The reply checked whole before anything of it is used. */
static int
take_slots(struct store *store, const struct store_reply *reply,
    const struct store_address *asked, struct err *err)
{
	struct slot_range range;
	size_t i;
	int rc = 0;

	if (reply->type == STORE_ERROR)
		return err_set(err, ERR_TEMP, "is no Cluster: %.200s",
		    reply->text.data);
	if (reply->type != STORE_ARRAY || reply->count == 0)
		return err_set(err, ERR_TEMP, "the Cluster has no slots");
	for (i = 0; i < reply->count; i++)
		if (range_from_reply(&reply->items[i], asked, &range) < 0)
			return err_set(err, ERR_TEMP,
			    "CLUSTER SLOTS makes no sense");
	pthread_mutex_lock(&store->lock);
	memset(store->topology.slots, 0,
	    STORE_SLOTS * sizeof(struct store_node *));
	for (i = 0; i < reply->count && rc == 0; i++) {
		struct store_node *node;
		unsigned slot;

		(void)range_from_reply(&reply->items[i], asked, &range);
		node = store_node_get(store, &range.address, err);
		if (node == NULL)
			rc = -1;
		for (slot = range.first; slot <= range.last; slot++)
			store->topology.slots[slot] = node;
	}
	pthread_mutex_unlock(&store->lock);
	return rc;
}

static int
ask_slots(struct store *store, const struct store_address *address,
    int64_t deadline_ms, struct err *err)
{
	const char *words[] = { "CLUSTER", "SLOTS" };
	struct store_target target = { .address = address,
		.tls_context = store->tls_context,
		.user = store->url.user,
		.password = store->url.password };
	struct store_reply *reply = ask(&target, 2, words, deadline_ms, err);
	int rc = -1;

	if (reply != NULL)
		rc = take_slots(store, reply, address, err);
	store_reply_free(reply);
	if (rc < 0)
		err_prefix(err, "redis %s:%u", address->host, address->port);
	return rc;
}

/* One after the other, until one of them knows. */
static int
ask_all(struct store *store, size_t count, struct store_node *const *known,
    int64_t deadline_ms, struct err *err)
{
	size_t i;

	for (i = 0; i < store->url.count + count; i++) {
		const struct store_address *address = i < store->url.count
		    ? &store->url.addresses[i]
		    : &known[i - store->url.count]->address;

		if (clock_mono_ms() > deadline_ms)
			return err_set(err, ERR_TEMP,
			    "no node of the Cluster answered in time");
		if (ask_slots(store, address, share_of(deadline_ms), err) == 0)
			return 0;
	}
	return -1;
}

/* From the seeds, then from whoever was ever named. */
static int
find_slots(struct store *store, int64_t deadline_ms, struct err *err)
{
	struct store_node *known[STORE_NODES_MAX];
	size_t count, i;
	int rc;

	pthread_mutex_lock(&store->lock);
	count = store->node_count;
	for (i = 0; i < count; i++) {
		known[i] = store->nodes[i];
		store_node_hold(known[i]);
	}
	pthread_mutex_unlock(&store->lock);
	rc = ask_all(store, count, known, deadline_ms, err);
	for (i = 0; i < count; i++)
		store_node_release(known[i]);
	return rc;
}

/* ---- both ---- */

static struct store_node *
look_up(const struct store *store, struct bytes key)
{
	const struct store_topology *topology = &store->topology;

	if (store->url.kind != STORE_CLUSTER)
		return topology->master;
	if (key.data != NULL)
		return topology->slots[store_slot(key)];
	for (unsigned slot = 0; slot < STORE_SLOTS; slot++)
		if (topology->slots[slot] != NULL)
			return topology->slots[slot];
	return NULL;
}

/* Asks, as the one who does so; under the lock before and after. */
static int
find_out(struct store *store, const struct store_deadline *deadline,
    struct err *err)
{
	struct store_topology *topology = &store->topology;
	struct err why;
	bool proven;
	int rc;

	if (!store_breaker_enter(&topology->breaker, err))
		return -1;
	topology->asking = true;
	pthread_mutex_unlock(&store->lock);
	err_clear(&why);
	rc = store->url.kind == STORE_SENTINEL
	    ? find_master(store, deadline->at_ms, &why)
	    : find_slots(store, deadline->at_ms, &why);
	pthread_mutex_lock(&store->lock);
	topology->asking = false;
	topology->asked_ms = clock_mono_ms();
	proven = deadline->is_full || topology->asked_ms < deadline->at_ms;
	if (rc == 0) {
		topology->known = true;
		store_breaker_ok(&topology->breaker);
	} else if (proven) {
		store_breaker_failed(&topology->breaker, &why);
	} else {
		store_breaker_leave(&topology->breaker);
	}
	pthread_cond_broadcast(&store->changed);
	if (rc < 0) {
		if (proven && atomic_exchange(&store->up, false))
			log_warn("%s", why.text);
		err_set(err, why.kind, "%s", why.text);
	}
	return rc;
}

/* Under the lock: makes sure that the topology is known. */
static int
be_known(struct store *store, const struct store_deadline *deadline,
    struct err *err)
{
	struct timespec until = clock_mono_timespec(deadline->at_ms);

	while (!store->topology.known) {
		if (!store->topology.asking) {
			if (find_out(store, deadline, err) < 0)
				return -1;
		} else if (pthread_cond_timedwait(&store->changed, &store->lock,
			       &until) != 0) {
			return err_set(err, ERR_TEMP,
			    "still looking for the Redis to use");
		}
	}
	return 0;
}

struct store_node *
store_route(struct store *store, struct bytes key,
    const struct store_deadline *deadline, struct err *err)
{
	struct store_node *node = NULL;

	pthread_mutex_lock(&store->lock);
	if (be_known(store, deadline, err) == 0) {
		node = look_up(store, key);
		if (node != NULL)
			store_node_hold(node);
		else
			err_set(err, ERR_TEMP,
			    "no node of the Cluster owns the slot");
	}
	if (node == NULL && store->url.kind == STORE_CLUSTER &&
	    clock_mono_ms() - store->topology.asked_ms > REFRESH_MIN_MS)
		store->topology.known = false;
	pthread_mutex_unlock(&store->lock);
	return node;
}

bool
store_topology_forget(struct store *store)
{
	struct store_topology *topology = &store->topology;
	bool forgotten;

	if (store->url.kind == STORE_ONE)
		return false;
	pthread_mutex_lock(&store->lock);
	if (clock_mono_ms() - topology->asked_ms > REFRESH_MIN_MS)
		topology->known = false;
	forgotten = !topology->known;
	pthread_mutex_unlock(&store->lock);
	return forgotten;
}

void
store_topology_moved(struct store *store, unsigned slot,
    struct store_node *node)
{
	pthread_mutex_lock(&store->lock);
	store->topology.slots[slot] = node;
	/* Where one slot went, more have gone. */
	if (clock_mono_ms() - store->topology.asked_ms > REFRESH_MIN_MS)
		store->topology.known = false;
	pthread_mutex_unlock(&store->lock);
}

size_t
store_topology_masters(struct store *store,
    struct store_node *nodes[STORE_NODES_MAX],
    const struct store_deadline *deadline, struct err *err)
{
	size_t count = 0, i;

	pthread_mutex_lock(&store->lock);
	if (be_known(store, deadline, err) < 0) {
		pthread_mutex_unlock(&store->lock);
		return 0;
	}
	if (store->url.kind != STORE_CLUSTER)
		nodes[count++] = store->topology.master;
	for (i = 0; i < STORE_SLOTS && store->url.kind == STORE_CLUSTER; i++) {
		struct store_node *node = store->topology.slots[i];
		size_t k;

		/* Slots come in long runs of one owner. */
		if (node == NULL || (count > 0 && node == nodes[count - 1]))
			continue;
		for (k = 0; k < count && nodes[k] != node; k++)
			;
		if (k == count)
			nodes[count++] = node;
	}
	for (i = 0; i < count; i++)
		store_node_hold(nodes[i]);
	pthread_mutex_unlock(&store->lock);
	if (count == 0)
		err_set(err, ERR_TEMP, "the Cluster has no slots");
	return count;
}
