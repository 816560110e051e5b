/*
 * netaddr.c - IPv4 and IPv6 addresses and networks.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/netaddr.h"
#include "base/str.h"

static const uint8_t mapped_prefix[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff,
	0xff };

static void
ip_set_v4(struct ip *ip, const void *four)
{
	memset(ip, 0, sizeof(*ip));
	ip->family = IP_V4;
	memcpy(ip->bytes, four, 4);
}

static void
ip_set_v6(struct ip *ip, const void *sixteen)
{
	if (memcmp(sixteen, mapped_prefix, sizeof(mapped_prefix)) == 0) {
		ip_set_v4(ip, (const char *)sixteen + 12);
		return;
	}
	ip->family = IP_V6;
	memcpy(ip->bytes, sixteen, 16);
}

int
ip_parse(struct bytes text, struct ip *ip)
{
	char s[INET6_ADDRSTRLEN];
	uint8_t raw[16];

	if (text.len == 0 || text.len >= sizeof(s) ||
	    memchr(text.data, '\0', text.len) != NULL)
		return -1;
	memcpy(s, text.data, text.len);
	s[text.len] = '\0';
	if (inet_pton(AF_INET, s, raw) == 1)
		ip_set_v4(ip, raw);
	else if (inet_pton(AF_INET6, s, raw) == 1)
		ip_set_v6(ip, raw);
	else
		return -1;
	return 0;
}

struct ip
ip_from_sockaddr(const struct sockaddr *sa)
{
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
	struct ip ip;

	memset(&ip, 0, sizeof(ip));
	if (sa == NULL)
		return ip;
	if (sa->sa_family == AF_INET) {
		memcpy(&in, sa, sizeof(in));
		ip_set_v4(&ip, &in.sin_addr);
	} else if (sa->sa_family == AF_INET6) {
		memcpy(&in6, sa, sizeof(in6));
		ip_set_v6(&ip, &in6.sin6_addr);
	}
	return ip;
}

/* inet_ntop takes ten times as long, and each message writes some. */
static void
format_v4(const uint8_t *octets, char *out)
{
	size_t i;

	for (i = 0; i < 4; i++) {
		if (octets[i] >= 100)
			*out++ = (char)('0' + octets[i] / 100);
		if (octets[i] >= 10)
			*out++ = (char)('0' + octets[i] / 10 % 10);
		*out++ = (char)('0' + octets[i] % 10);
		*out++ = i < 3 ? '.' : '\0';
	}
}

void
ip_format(const struct ip *ip, char out[IP_TEXT_SIZE])
{
	out[0] = '\0';
	if (ip->family == IP_V4)
		format_v4(ip->bytes, out);
	else if (ip->family == IP_V6)
		inet_ntop(AF_INET6, ip->bytes, out, IP_TEXT_SIZE);
}

bool
ip_equal(const struct ip *a, const struct ip *b)
{
	return a->family == b->family &&
	    memcmp(a->bytes, b->bytes, a->family == IP_V4 ? 4 : 16) == 0;
}

int
network_parse(struct bytes text, struct network *network, struct err *err)
{
	const char *slash =
	    text.len > 0 ? memchr(text.data, '/', text.len) : NULL;
	struct bytes host = text, prefix;
	struct network parsed;
	uint64_t bits, most;
	unsigned i;

	if (slash != NULL)
		host.len = (size_t)(slash - text.data);
	if (ip_parse(host, &parsed.ip) < 0)
		return err_set(err, ERR_INPUT, "'%.*s' is no IP address",
		    (int)(host.len < 64 ? host.len : 64),
		    host.data != NULL ? host.data : "");
	most = parsed.ip.family == IP_V4 ? 32 : 128;
	bits = most;
	if (slash != NULL) {
		prefix.data = slash + 1;
		prefix.len = text.len - host.len - 1;
		if (parse_u64(prefix, 0, most, &bits) < 0)
			return err_set(err, ERR_INPUT,
			    "the prefix length must be 0 to %u",
			    (unsigned)most);
	}
	parsed.bits = (unsigned)bits;
	for (i = parsed.bits; i < most; i++)
		if (parsed.ip.bytes[i / 8] & (0x80u >> (i % 8)))
			return err_set(err, ERR_INPUT,
			    "bits are set beyond the prefix length /%u",
			    parsed.bits);
	*network = parsed;
	return 0;
}

void
network_format(const struct network *network, char out[NETWORK_TEXT_SIZE])
{
	char ip[IP_TEXT_SIZE];
	unsigned most = network->ip.family == IP_V4 ? 32 : 128;

	ip_format(&network->ip, ip);
	if (network->bits == most)
		snprintf(out, NETWORK_TEXT_SIZE, "%s", ip);
	else
		snprintf(out, NETWORK_TEXT_SIZE, "%s/%u", ip, network->bits);
}

bool
network_contains(const struct network *network, const struct ip *ip)
{
	unsigned whole = network->bits / 8, rest = network->bits % 8;
	uint8_t mask;

	if (network->ip.family != ip->family)
		return false;
	if (memcmp(network->ip.bytes, ip->bytes, whole) != 0)
		return false;
	if (rest == 0)
		return true;
	mask = (uint8_t)(0xff << (8 - rest));
	return (network->ip.bytes[whole] & mask) == (ip->bytes[whole] & mask);
}
