/*
 * netaddr.h - IPv4 and IPv6 addresses and networks.
 *
 * An IPv4-mapped IPv6 address (::ffff:a.b.c.d) is taken as the IPv4
 * address it stands for, so one client has one form.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BASE_NETADDR_H
#define BASE_NETADDR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

struct sockaddr;

enum ip_family {
	IP_NONE = 0,
	IP_V4 = 4,
	IP_V6 = 6
};

struct ip {
	enum ip_family family; /* IP_NONE: not known */
	uint8_t bytes[16];     /* network order; 4 used for IP_V4 */
};

struct network {
	struct ip ip;  /* bits beyond the prefix are zero */
	unsigned bits; /* 0..32 or 0..128 */
};

#define IP_TEXT_SIZE 46
#define NETWORK_TEXT_SIZE 50

/* 0, or -1 when text is no address. */
int ip_parse(struct bytes text, struct ip *ip);
/* IP_NONE for other families. */
struct ip ip_from_sockaddr(const struct sockaddr *sa);
void ip_format(const struct ip *ip, char out[IP_TEXT_SIZE]);
bool ip_equal(const struct ip *a, const struct ip *b);

/* "192.0.2.0/24", "2001:db8::/32" or a lone address.  Host bits that are
 * set are an error, as they are most often a typing error. */
int network_parse(struct bytes text, struct network *network, struct err *err);
void network_format(const struct network *network, char out[NETWORK_TEXT_SIZE]);
bool network_contains(const struct network *network, const struct ip *ip);

#endif
