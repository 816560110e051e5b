/*
 * store_subscribe.c - a channel on a thread of its own.
 *
 * The connection is the thread's and not of the pool.  A silent one is
 * asked for a sign of life, so that a server that vanished without a word
 * is noticed.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/store_impl.h"

#define SILENCE_MS 15000
#define BACKOFF_FIRST_MS 100
#define BACKOFF_MAX_MS 2000
#define COMMAND_MAX 4096

struct store_subscription {
	struct store *store;
	char *channel;
	void (*heard)(void *context, struct bytes *message);
	void *context;
	pthread_t thread;
	int wake_fd; /* readable: end */
	atomic_bool ending;
};

static void
deliver(struct store_subscription *sub, const struct store_reply *reply)
{
	struct bytes message;

	/* "message", channel, text; pongs and the like are no messages. */
	if (reply->type != STORE_ARRAY || reply->count != 3 ||
	    !bytes_equal(reply->items[0].text, BYTES_LIT("message")))
		return;
	message = reply->items[2].text;
	sub->heard(sub->context, &message);
}

static int
send_command(struct store_subscription *sub, struct store_conn *conn,
    size_t argc, const struct bytes *argv, struct err *err)
{
	struct buf out;
	int rc = -1;

	buf_init(&out, COMMAND_MAX);
	if (store_encode(&out, argc, argv) < 0)
		err_set(err, ERR_INPUT, "channel name is too long");
	else
		rc = store_conn_send(conn, buf_bytes(&out),
		    clock_mono_ms() + sub->store->timeout_ms, err);
	buf_free(&out);
	return rc;
}

static int
subscribe(struct store_subscription *sub, struct store_conn *conn,
    struct err *err)
{
	const struct bytes argv[] = { BYTES_LIT("SUBSCRIBE"),
		bytes_of(sub->channel) };
	struct store_reply *reply = NULL;
	int rc;

	if (send_command(sub, conn, 2, argv, err) < 0)
		return -1;
	rc = store_conn_listen(conn, sub->wake_fd,
	    clock_mono_ms() + sub->store->timeout_ms, &reply, err);
	if (rc <= 0)
		return rc < 0 ? -1 : err_set(err, ERR_TEMP, "no answer");
	rc = store_reply_error(reply, err);
	store_reply_free(reply);
	return rc;
}

/* Until the connection is lost (*err says how) or the end is wanted. */
static void
listen_on(struct store_subscription *sub, struct store_conn *conn,
    struct err *err)
{
	const struct bytes ping = BYTES_LIT("PING");
	bool asked = false; /* for a sign of life */

	while (!atomic_load(&sub->ending)) {
		struct store_reply *reply = NULL;
		int rc = store_conn_listen(conn, sub->wake_fd,
		    clock_mono_ms() + SILENCE_MS, &reply, err);

		if (rc < 0)
			return;
		if (rc > 0) {
			asked = false;
			deliver(sub, reply);
			store_reply_free(reply);
		} else if (asked && !atomic_load(&sub->ending)) {
			err_set(err, ERR_TEMP, "no sign of life");
			return;
		} else if (send_command(sub, conn, 1, &ping, err) < 0) {
			return;
		} else {
			asked = true;
		}
	}
}

/* One subscription from its begin to its end; true if it came about. */
static bool
run_once(struct store_subscription *sub, struct err *err)
{
	struct store_deadline deadline = {
		clock_mono_ms() + sub->store->timeout_ms, true
	};
	const struct bytes any = { NULL, 0 };
	struct store_node *node;
	struct store_target target;
	struct store_conn *conn;
	bool good;

	node = store_route(sub->store, any, &deadline, err);
	if (node == NULL)
		return false;
	target = store_node_target(node);
	conn = store_conn_open(&target, deadline.at_ms, err);
	if (conn == NULL)
		err_prefix(err, "%s", node->name);
	store_node_release(node);
	if (conn == NULL) {
		(void)store_topology_forget(sub->store);
		return false;
	}
	good = subscribe(sub, conn, err) == 0;
	if (good) {
		sub->heard(sub->context, NULL);
		listen_on(sub, conn, err);
	}
	store_conn_close(conn);
	return good;
}

static void
rest(struct store_subscription *sub, unsigned ms)
{
	struct pollfd p = { .fd = sub->wake_fd, .events = POLLIN };

	/* Interrupted: then it rests less. */
	(void)poll(&p, 1, (int)ms);
}

static void *
subscription_thread(void *arg)
{
	struct store_subscription *sub = arg;
	unsigned backoff_ms = BACKOFF_FIRST_MS;

	while (!atomic_load(&sub->ending)) {
		struct err err;

		err_clear(&err);
		if (run_once(sub, &err))
			backoff_ms = BACKOFF_FIRST_MS;
		if (atomic_load(&sub->ending))
			break;
		log_debug("subscription to %s: %s", sub->channel, err.text);
		rest(sub, backoff_ms);
		backoff_ms = backoff_ms * 2 > BACKOFF_MAX_MS ? BACKOFF_MAX_MS
							     : backoff_ms * 2;
	}
	return NULL;
}

struct store_subscription *
store_subscribe(struct store *store, const char *channel,
    void (*heard)(void *context, struct bytes *message), void *context)
{
	struct store_subscription *sub = xcalloc(1, sizeof(*sub));

	sub->store = store;
	sub->channel = xstrdup(channel);
	sub->heard = heard;
	sub->context = context;
	sub->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	/* As with memory: a process that cannot start a thread is at its
	 * end, and its MTA defers. */
	if (sub->wake_fd < 0 ||
	    pthread_create(&sub->thread, NULL, subscription_thread, sub) != 0)
		abort();
	return sub;
}

void
store_unsubscribe(struct store_subscription *sub)
{
	if (sub == NULL)
		return;
	atomic_store(&sub->ending, true);
	(void)eventfd_write(sub->wake_fd, 1);
	pthread_join(sub->thread, NULL);
	close(sub->wake_fd);
	free(sub->channel);
	free(sub);
}
