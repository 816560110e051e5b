/*
 * http_peers.c - connections to the web program.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/arena.h"
#include "base/clock.h"
#include "webui/http_peers.h"

#define LOOK_EVERY_MS 500

struct http_peer {
	struct http_peers *peers;
	struct http_peer *next, *previous;
	int fd;
	struct ip client;    /* as counted; IP_NONE: nobody's */
	int64_t deadline_ms; /* 0: none */
};

struct http_peers {
	void *owner;
	unsigned per_client_max;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	/* under lock */
	struct http_peer *first;
	bool stopping;
	pthread_t thread;
};

/* A home has a /64: addresses within it are free. */
static struct ip
counted(const struct ip *ip)
{
	struct ip client = *ip;

	if (client.family == IP_V6)
		memset(client.bytes + 8, 0, 8);
	return client;
}

/* Under lock. */
static bool
has_room(const struct http_peers *peers, const struct ip *client)
{
	const struct http_peer *peer;
	unsigned n = 0;

	if (client->family == IP_NONE)
		return true;
	for (peer = peers->first; peer != NULL; peer = peer->next)
		n += ip_equal(&peer->client, client);
	return n < peers->per_client_max;
}

/* Under lock, as a peer is removed before its socket is closed: no other
 * file can have the number by now. */
static void
shut_slow(struct http_peers *peers)
{
	const int64_t now = clock_mono_ms();
	struct http_peer *peer;

	for (peer = peers->first; peer != NULL; peer = peer->next)
		if (peer->deadline_ms != 0 && peer->deadline_ms < now) {
			(void)shutdown(peer->fd, SHUT_RDWR);
			peer->deadline_ms = 0;
		}
}

static void *
watch(void *context)
{
	struct http_peers *peers = context;
	struct timespec until;

	pthread_mutex_lock(&peers->lock);
	while (!peers->stopping) {
		shut_slow(peers);
		until = clock_mono_timespec(clock_mono_ms() + LOOK_EVERY_MS);
		(void)pthread_cond_timedwait(&peers->wake, &peers->lock,
		    &until);
	}
	pthread_mutex_unlock(&peers->lock);
	return NULL;
}

struct http_peers *
http_peers_new(unsigned per_client_max, void *owner, struct err *err)
{
	struct http_peers *peers = xcalloc(1, sizeof(*peers));
	int rc;

	peers->owner = owner;
	peers->per_client_max = per_client_max;
	pthread_mutex_init(&peers->lock, NULL);
	clock_cond_init(&peers->wake);
	rc = pthread_create(&peers->thread, NULL, watch, peers);
	if (rc == 0)
		return peers;
	err_set(err, ERR_TEMP, "thread: %s", strerror(rc));
	pthread_cond_destroy(&peers->wake);
	pthread_mutex_destroy(&peers->lock);
	free(peers);
	return NULL;
}

void
http_peers_free(struct http_peers *peers)
{
	if (peers == NULL)
		return;
	pthread_mutex_lock(&peers->lock);
	peers->stopping = true;
	pthread_cond_signal(&peers->wake);
	pthread_mutex_unlock(&peers->lock);
	pthread_join(peers->thread, NULL);
	assert(peers->first == NULL);
	pthread_cond_destroy(&peers->wake);
	pthread_mutex_destroy(&peers->lock);
	free(peers);
}

bool
http_peers_have_room(struct http_peers *peers, const struct ip *client)
{
	const struct ip key = counted(client);
	bool room;

	pthread_mutex_lock(&peers->lock);
	room = has_room(peers, &key);
	pthread_mutex_unlock(&peers->lock);
	return room;
}

static int64_t
deadline_of(unsigned seconds)
{
	return seconds > 0 ? clock_mono_ms() + (int64_t)seconds * 1000 : 0;
}

struct http_peer *
http_peers_add(struct http_peers *peers, int fd, const struct ip *client,
    unsigned timeout_s)
{
	struct http_peer *peer = xcalloc(1, sizeof(*peer));

	peer->peers = peers;
	peer->fd = fd;
	peer->client = counted(client);
	peer->deadline_ms = deadline_of(timeout_s);
	pthread_mutex_lock(&peers->lock);
	peer->next = peers->first;
	if (peer->next != NULL)
		peer->next->previous = peer;
	peers->first = peer;
	pthread_mutex_unlock(&peers->lock);
	return peer;
}

void *
http_peer_owner(const struct http_peer *peer)
{
	return peer->peers->owner;
}

void
http_peers_remove(struct http_peers *peers, struct http_peer *peer)
{
	if (peer == NULL)
		return;
	pthread_mutex_lock(&peers->lock);
	if (peer->next != NULL)
		peer->next->previous = peer->previous;
	if (peer->previous != NULL)
		peer->previous->next = peer->next;
	else
		peers->first = peer->next;
	pthread_mutex_unlock(&peers->lock);
	free(peer);
}

bool
http_peer_claim(struct http_peers *peers, struct http_peer *peer,
    const struct ip *client)
{
	const struct ip key = counted(client);
	bool room;

	pthread_mutex_lock(&peers->lock);
	memset(&peer->client, 0, sizeof(peer->client));
	room = has_room(peers, &key);
	if (room)
		peer->client = key;
	pthread_mutex_unlock(&peers->lock);
	return room;
}

void
http_peer_release(struct http_peers *peers, struct http_peer *peer)
{
	pthread_mutex_lock(&peers->lock);
	memset(&peer->client, 0, sizeof(peer->client));
	pthread_mutex_unlock(&peers->lock);
}

void
http_peer_expect(struct http_peers *peers, struct http_peer *peer,
    unsigned seconds)
{
	pthread_mutex_lock(&peers->lock);
	peer->deadline_ms = deadline_of(seconds);
	pthread_mutex_unlock(&peers->lock);
}
