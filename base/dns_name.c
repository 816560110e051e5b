/*
 * dns_name.c - names of the DNS: text to wire and back.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "base/dns_impl.h"
#include "base/str.h"

#define LABEL_MAX 63

void
dns_wire_copy(struct dns_wire *to, const struct dns_wire *from)
{
	to->len = from->len;
	memcpy(to->data, from->data, from->len);
}

bool
dns_wire_equal(const struct dns_wire *a, const struct dns_wire *b)
{
	return a->len == b->len && memcmp(a->data, b->data, a->len) == 0;
}

/* One octet of a label, escapes undone; moves *p behind it.  -1: a bad
 * escape. */
static int
read_octet(const char **p)
{
	const char *s = *p;
	int value;

	if (*s != '\\') {
		*p = s + 1;
		return (unsigned char)*s;
	}
	s++;
	if (!ascii_is_digit(*s)) {
		if (*s == '\0')
			return -1;
		*p = s + 1;
		return (unsigned char)*s;
	}
	if (!ascii_is_digit(s[1]) || !ascii_is_digit(s[2]))
		return -1;
	value = (s[0] - '0') * 100 + (s[1] - '0') * 10 + (s[2] - '0');
	*p = s + 3;
	return value <= 255 ? value : -1;
}

int
dns_wire_from_text(const char *text, struct dns_wire *out)
{
	size_t len = 1, label = 0; /* label: where its length octet stands */
	int octet;

	if (text[0] == '.' && text[1] == '\0')
		text++;
	while (*text != '\0') {
		if (*text == '.') {
			if (len == label + 1)
				return -1;
			out->data[label] = (uint8_t)(len - label - 1);
			label = len++;
			text++;
		} else {
			octet = read_octet(&text);
			if (octet < 0 || len - label > LABEL_MAX)
				return -1;
			/* Room for this octet and the root's is needed. */
			if (len > DNS_WIRE_MAX - 2)
				return -1;
			out->data[len++] = (uint8_t)ascii_lower((char)octet);
		}
	}
	out->data[label] = (uint8_t)(len - label - 1);
	if (len > label + 1)
		out->data[len++] = 0;
	out->len = (uint8_t)len;
	return 0;
}

static bool
is_plain(uint8_t c)
{
	return ascii_is_alnum((char)c) || c == '-' || c == '_' || c == '/' ||
	    c == '*' || c == '+' || c == '=';
}

int
dns_wire_to_text(const uint8_t *wire, struct buf *out)
{
	/* Every octet of the longest name as \DDD. */
	char text[DNS_WIRE_MAX * 4 + 1];
	size_t len = 0;
	uint8_t left;

	for (; *wire != 0; wire++) {
		if (len > 0)
			text[len++] = '.';
		for (left = *wire; left > 0; left--) {
			wire++;
			if (is_plain(*wire))
				text[len++] = (char)*wire;
			else
				len += (size_t)snprintf(text + len, 5, "\\%03u",
				    *wire);
		}
	}
	return buf_append(out, text, len);
}

/* FNV-1a in words would need alignment; by octets it is short enough for
 * names, and mixed at the end, as the low bits choose the shard. */
uint64_t
dns_wire_hash(const struct dns_wire *name, unsigned type)
{
	uint64_t h = 0xcbf29ce484222325ULL ^ type;
	size_t i;

	for (i = 0; i < name->len; i++)
		h = (h ^ name->data[i]) * 0x100000001b3ULL;
	h ^= h >> 32;
	h *= 0xd6e8feb86659fd93ULL;
	return h ^ (h >> 32);
}

static void
reverse_v6(const struct ip *ip, char *out)
{
	static const char digits[] = "0123456789abcdef";
	size_t i;

	for (i = 16; i-- > 0;) {
		*out++ = digits[ip->bytes[i] & 15];
		*out++ = '.';
		*out++ = digits[ip->bytes[i] >> 4];
		*out++ = '.';
	}
	memcpy(out, "ip6.arpa", sizeof("ip6.arpa"));
}

void
dns_reverse_name(const struct ip *ip, char out[DNS_REVERSE_SIZE])
{
	out[0] = '\0';
	if (ip->family == IP_V4)
		snprintf(out, DNS_REVERSE_SIZE, "%u.%u.%u.%u.in-addr.arpa",
		    ip->bytes[3], ip->bytes[2], ip->bytes[1], ip->bytes[0]);
	else if (ip->family == IP_V6)
		reverse_v6(ip, out);
}
