/*
 * store_node.c - one server: its connections, and the breaker before them.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/store_impl.h"

#define BACKOFF_FIRST_MS 100
#define BACKOFF_MAX_MS 2000
#define IDLE_MAX_MS 60000

/* ---- breaker ---- */

bool
store_breaker_enter(struct store_breaker *breaker, struct err *err)
{
	int64_t left;

	if (breaker->open_until_ms == 0)
		return true;
	left = breaker->open_until_ms - clock_mono_ms();
	if (left <= 0 && !breaker->trying) {
		breaker->trying = true;
		breaker->trier = pthread_self();
		return true;
	}
	err_set(err, ERR_TEMP, "%s", breaker->why);
	return false;
}

static bool
is_trier(const struct store_breaker *breaker)
{
	return breaker->trying &&
	    pthread_equal(breaker->trier, pthread_self()) != 0;
}

void
store_breaker_ok(struct store_breaker *breaker)
{
	breaker->open_until_ms = 0;
	breaker->backoff_ms = 0;
	breaker->trying = false;
}

void
store_breaker_failed(struct store_breaker *breaker, const struct err *why)
{
	int64_t now = clock_mono_ms();

	/* Those who were under way when it opened do not make it longer. */
	if (breaker->open_until_ms != 0 && !is_trier(breaker))
		return;
	breaker->backoff_ms = breaker->backoff_ms == 0 ? BACKOFF_FIRST_MS
	    : breaker->backoff_ms * 2 > BACKOFF_MAX_MS
	    ? BACKOFF_MAX_MS
	    : breaker->backoff_ms * 2;
	breaker->open_until_ms = now + breaker->backoff_ms;
	breaker->trying = false;
	snprintf(breaker->why, sizeof(breaker->why), "%s", why->text);
}

void
store_breaker_leave(struct store_breaker *breaker)
{
	if (is_trier(breaker))
		breaker->trying = false;
}

/* ---- nodes ---- */

static bool
address_equal(const struct store_address *a, const struct store_address *b)
{
	return a->port == b->port && strcmp(a->host, b->host) == 0;
}

static bool
is_named(const struct store_topology *topology, const struct store_node *node)
{
	size_t i;

	if (topology->slots == NULL)
		return topology->master == node;
	for (i = 0; i < STORE_SLOTS; i++)
		if (topology->slots[i] == node)
			return true;
	return false;
}

/* Are all its connections in the pool? */
static bool
is_idle(const struct store_node *node)
{
	const struct store_conn *conn;
	unsigned n = 0;

	for (conn = node->idle; conn != NULL; conn = conn->next)
		n++;
	return n == node->open;
}

/* A place for one more, or NULL. */
static struct store_node **
free_place(struct store *store)
{
	struct store_node **place;

	if (store->node_count < STORE_NODES_MAX)
		return &store->nodes[store->node_count++];
	for (place = store->nodes; place < store->nodes + STORE_NODES_MAX;
	     place++)
		if ((*place)->users == 0 && is_idle(*place) &&
		    !is_named(&store->topology, *place)) {
			store_node_free(*place);
			return place;
		}
	return NULL;
}

struct store_node *
store_node_get(struct store *store, const struct store_address *address,
    struct err *err)
{
	struct store_node *node, **place;
	size_t i;

	for (i = 0; i < store->node_count; i++)
		if (address_equal(&store->nodes[i]->address, address))
			return store->nodes[i];
	place = free_place(store);
	if (place == NULL) {
		err_set(err, ERR_TEMP, "Redis named more than %d servers",
		    STORE_NODES_MAX);
		return NULL;
	}
	node = xcalloc(1, sizeof(*node));
	node->store = store;
	node->address.host = xstrdup(address->host);
	node->address.port = address->port;
	node->name = address->port == 0
	    ? xprintf("redis unix:%s", address->host)
	    : xprintf("redis %s:%u", address->host, address->port);
	*place = node;
	return node;
}

void
store_node_hold(struct store_node *node)
{
	node->users++;
}

void
store_node_release(struct store_node *node)
{
	if (node == NULL)
		return;
	pthread_mutex_lock(&node->store->lock);
	node->users--;
	pthread_mutex_unlock(&node->store->lock);
}

void
store_node_free(struct store_node *node)
{
	struct store_conn *conn;

	while ((conn = node->idle) != NULL) {
		node->idle = conn->next;
		store_conn_close(conn);
	}
	free(node->address.host);
	free(node->name);
	free(node);
}

struct store_target
store_node_target(const struct store_node *node)
{
	const struct store *store = node->store;

	return (struct store_target){ .address = &node->address,
		.tls_context = store->tls_context,
		.user = store->url.user,
		.password = store->url.password,
		.must_be_master = store->url.kind == STORE_SENTINEL };
}

/* ---- connections ---- */

/* Unlinks what nobody has needed for long, to be closed without the lock. */
static struct store_conn *
unlink_old(struct store_node *node)
{
	struct store_conn **link = &node->idle, *old, *conn;
	int64_t before = clock_mono_ms() - IDLE_MAX_MS;

	/* Given back in front: the first old one has only older behind it. */
	while (*link != NULL && (*link)->idle_since_ms > before)
		link = &(*link)->next;
	old = *link;
	*link = NULL;
	for (conn = old; conn != NULL; conn = conn->next)
		node->open--;
	return old;
}

static void
close_list(struct store_conn *conn)
{
	while (conn != NULL) {
		struct store_conn *next = conn->next;

		store_conn_close(conn);
		conn = next;
	}
}

/*
 * Under the lock.  1: *conn is an idle one; 0: the caller may open one,
 * counted already; -1.
 */
static int
take_or_reserve(struct store_node *node, int64_t deadline_ms,
    struct store_conn **conn, struct err *err)
{
	struct store *store = node->store;
	struct timespec until = clock_mono_timespec(deadline_ms);

	for (;;) {
		if (!store_breaker_enter(&node->breaker, err)) {
			store->stats.turned_away++;
			return -1;
		}
		if (node->idle != NULL) {
			*conn = node->idle;
			node->idle = (*conn)->next;
			return 1;
		}
		if (node->open < store->connections_max) {
			node->open++;
			return 0;
		}
		store_breaker_leave(&node->breaker);
		if (pthread_cond_timedwait(&store->changed, &store->lock,
			&until) != 0)
			return err_set(err, ERR_TEMP,
			    "%s: all %u connections are busy", node->name,
			    store->connections_max);
	}
}

/* Counts a connection out; under the lock. */
static void
conn_lost(struct store_node *node)
{
	node->open--;
	node->epoch++;
	pthread_cond_broadcast(&node->store->changed);
}

static struct store_conn *
open_reserved(struct store_node *node, const struct store_deadline *deadline,
    struct err *err)
{
	struct store *store = node->store;
	struct store_target target = store_node_target(node);
	struct store_conn *conn;
	struct err why;
	bool proven;

	err_clear(&why);
	conn = store_conn_open(&target, deadline->at_ms, &why);
	if (conn != NULL)
		return conn;
	err_prefix(&why, "%s", node->name);
	/* Who gives Redis only a moment proves nothing by running late. */
	proven = deadline->is_full || clock_mono_ms() < deadline->at_ms;
	pthread_mutex_lock(&store->lock);
	store->stats.failures++;
	conn_lost(node);
	if (proven)
		store_breaker_failed(&node->breaker, &why);
	else
		store_breaker_leave(&node->breaker);
	pthread_mutex_unlock(&store->lock);
	if (proven && atomic_exchange(&store->up, false))
		log_warn("%s", why.text);
	err_set(err, why.kind, "%s", why.text);
	return NULL;
}

struct store_conn *
store_node_take(struct store_node *node, const struct store_deadline *deadline,
    struct err *err)
{
	struct store *store = node->store;
	struct store_conn *conn = NULL, *old;
	int rc;

	for (;;) {
		pthread_mutex_lock(&store->lock);
		rc = take_or_reserve(node, deadline->at_ms, &conn, err);
		old = unlink_old(node);
		pthread_mutex_unlock(&store->lock);
		close_list(old);
		if (rc < 0)
			return NULL;
		if (rc == 0)
			return open_reserved(node, deadline, err);
		if (store_conn_is_fresh(conn))
			return conn;
		/* Redis went away since; it may be back. */
		store_conn_close(conn);
		pthread_mutex_lock(&store->lock);
		conn_lost(node);
		store_breaker_leave(&node->breaker);
		pthread_mutex_unlock(&store->lock);
	}
}

void
store_node_give(struct store_node *node, struct store_conn *conn,
    const struct store_deadline *deadline, const struct err *err)
{
	struct store *store = node->store;
	enum conn_fault fault = conn->fault;
	/* Late for somebody in a hurry is not late. */
	bool hurried = fault == CONN_TIMEOUT && !deadline->is_full;

	if (fault != CONN_GOOD)
		store_conn_close(conn);
	pthread_mutex_lock(&store->lock);
	if (fault == CONN_GOOD) {
		store->stats.calls++;
		conn->idle_since_ms = clock_mono_ms();
		conn->next = node->idle;
		node->idle = conn;
		store_breaker_ok(&node->breaker);
		pthread_cond_broadcast(&store->changed);
	} else {
		store->stats.failures++;
		conn_lost(node);
		/* One closed connection is not a dead server: the next call
		 * connects, and knows. */
		if (fault == CONN_TIMEOUT && !hurried)
			store_breaker_failed(&node->breaker, err);
		else
			store_breaker_leave(&node->breaker);
	}
	pthread_mutex_unlock(&store->lock);
	if (fault == CONN_GOOD) {
		if (!atomic_exchange(&store->up, true))
			log_info("%s: connected", node->name);
	} else if (!hurried && atomic_exchange(&store->up, false)) {
		log_warn("%s", err->text);
	}
}
