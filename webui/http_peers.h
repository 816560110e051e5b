/*
 * http_peers.h - connections to the web program: how many a client has, and
 * which of them are too slow.
 *
 * A client is an IP address, with IPv6 a /64.  What a trusted proxy
 * connects counts for the client of the request that is under way on it.
 * A connection that is over its deadline is shut down by a thread of ours:
 * the library of HTTP only knows how long nothing came, and a slow client
 * sends an octet now and then.
 *
 * All calls are safe from any thread.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef WEBUI_HTTP_PEERS_H
#define WEBUI_HTTP_PEERS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/netaddr.h"

struct http_peers;
struct http_peer;

/* owner: borrowed, for http_peer_owner. */
struct http_peers *http_peers_new(unsigned per_client_max, void *owner,
    struct err *err);
/* When there are no peers any more. */
void http_peers_free(struct http_peers *peers);

/* May this client have one more?  IP_NONE: always. */
bool http_peers_have_room(struct http_peers *peers, const struct ip *client);

/* The socket stays the caller's, who removes the peer before it is closed.
 * client IP_NONE: nobody's yet. */
struct http_peer *http_peers_add(struct http_peers *peers, int fd,
    const struct ip *client, unsigned timeout_s);
void *http_peer_owner(const struct http_peer *peer);
void http_peers_remove(struct http_peers *peers, struct http_peer *peer);

/* Whose it is from now on; false, and nobody's, when he has enough. */
bool http_peer_claim(struct http_peers *peers, struct http_peer *peer,
    const struct ip *client);
void http_peer_release(struct http_peers *peers, struct http_peer *peer);
/* It is to come on within so many seconds from now; 0: no matter when. */
void http_peer_expect(struct http_peers *peers, struct http_peer *peer,
    unsigned seconds);

#endif
