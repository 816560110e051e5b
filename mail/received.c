/*
 * received.c - who handed a message over, as Received fields tell it.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <string.h>

#include "base/str.h"
#include "mail/received.h"

#define VALUE_MAX 4096
#define COMMENTS_MAX 8
#define DEPTH_MAX 8
#define NAME_MAX_LEN 255

/* What a field is read into. */
struct reading {
	struct arena *arena;
	struct bytes token;   /* behind "from" */
	struct ip ip;         /* of a comment; IP_NONE: none yet */
	bool ambiguous;       /* two addresses that differ */
	struct bytes helo;    /* that a comment names */
	struct bytes name;    /* the first word of a comment with an address */
	bool helo_in_comment; /* so the token is no HELO */
};

static struct bytes
rest_of(const struct cursor *c)
{
	return (struct bytes){ c->p, (size_t)(c->end - c->p) };
}

static void
skip_space(struct cursor *c)
{
	while (c->p < c->end && ascii_is_space(*c->p))
		c->p++;
}

/* A word ends at white space or a parenthesis. */
static struct bytes
take_word(struct cursor *c)
{
	const char *start = c->p;

	while (c->p < c->end && !ascii_is_space(*c->p) && *c->p != '(' &&
	    *c->p != ')')
		c->p++;
	return (struct bytes){ start, (size_t)(c->p - start) };
}

static bool
is_word(struct bytes word, const char *text)
{
	return bytes_equal_nocase(word, bytes_of(text));
}

/* The value of "key=value", of that key. */
static bool
is_pair(struct bytes word, const char *key, struct bytes *value)
{
	size_t len = strlen(key);

	if (word.len <= len || word.data[len] != '=' ||
	    !bytes_equal_nocase((struct bytes){ word.data, len },
		bytes_of(key)))
		return false;
	*value = (struct bytes){ word.data + len + 1, word.len - len - 1 };
	return true;
}

static int
parse_ip(struct bytes text, struct ip *ip)
{
	static const char tag[] = "IPv6:";
	const size_t len = sizeof(tag) - 1;

	if (text.len > len &&
	    bytes_equal_nocase((struct bytes){ text.data, len }, bytes_of(tag)))
		text = (struct bytes){ text.data + len, text.len - len };
	return ip_parse(text, ip);
}

/* "[192.0.2.1]", "[192.0.2.1]:25". */
static bool
is_literal(struct bytes word, struct ip *ip)
{
	const char *close = word.len > 0 && word.data[0] == '['
	    ? memchr(word.data, ']', word.len)
	    : NULL;
	const char *end = word.data + word.len;

	if (close == NULL ||
	    parse_ip((struct bytes){ word.data + 1,
			 (size_t)(close - word.data) - 1 },
		ip) < 0)
		return false;
	if (++close == end)
		return true;
	if (*close++ != ':' || close == end)
		return false;
	while (close < end && ascii_is_digit(*close))
		close++;
	return close == end;
}

static void
take_ip(struct reading *r, const struct ip *ip)
{
	if (r->ip.family == IP_NONE)
		r->ip = *ip;
	else if (!ip_equal(&r->ip, ip))
		r->ambiguous = true;
}

/* ---- comments ---- */

/* The comment that begins here, without its parentheses; what is nested in
 * it becomes spaces. */
static bool
take_comment(struct reading *r, struct cursor *c, struct bytes *text)
{
	char *out = arena_alloc(r->arena, rest_of(c).len + 1);
	size_t len = 0;
	int depth = 0;
	char octet;

	for (; c->p < c->end; c->p++) {
		octet = *c->p;
		if (octet == '\\' && c->p + 1 < c->end) {
			c->p++;
			octet = '?';
		} else if (octet == '(') {
			if (++depth > DEPTH_MAX)
				return false;
			octet = ' ';
		} else if (octet == ')') {
			octet = ' ';
			if (--depth == 0) {
				c->p++;
				*text = (struct bytes){ out, len };
				return true;
			}
		}
		out[len++] = depth == 1 ? octet : ' ';
	}
	return false;
}

/* qmail: "(HELO name)", in a comment of its own, is what the client says. */
static bool
is_helo_comment(struct reading *r, struct cursor *c)
{
	struct cursor at = *c;
	struct bytes word = take_word(&at);

	if (!is_word(word, "HELO") && !is_word(word, "EHLO"))
		return false;
	skip_space(&at);
	r->helo = take_word(&at);
	r->helo_in_comment = true;
	return true;
}

static void
read_word(struct reading *r, struct bytes word, bool first)
{
	struct bytes value;
	struct ip ip;

	if (is_literal(word, &ip)) {
		take_ip(r, &ip);
	} else if (is_pair(word, "helo", &value) ||
	    is_pair(word, "ehlo", &value)) {
		r->helo = value;
		r->helo_in_comment = true;
	} else if (first && r->name.len == 0 &&
	    memchr(word.data, '=', word.len) == NULL) {
		r->name = word;
	}
}

static void
read_comment(struct reading *r, struct bytes text)
{
	struct cursor c = cursor_of(text);
	bool first = true;
	struct ip ip;

	skip_space(&c);
	/* Nothing but an address. */
	if (parse_ip(bytes_trim(text), &ip) == 0) {
		take_ip(r, &ip);
		return;
	}
	if (is_helo_comment(r, &c))
		return;
	for (; c.p < c.end; first = false) {
		read_word(r, take_word(&c), first);
		skip_space(&c);
	}
}

/* ---- a field ---- */

static int
read_from(struct reading *r, struct cursor *c, struct err *err)
{
	struct bytes text;
	unsigned comments = 0;

	skip_space(c);
	if (!is_word(take_word(c), "from"))
		return err_set(err, ERR_INPUT, "it does not begin with from");
	skip_space(c);
	r->token = take_word(c);
	for (skip_space(c); c->p < c->end && *c->p == '('; skip_space(c)) {
		if (++comments > COMMENTS_MAX || !take_comment(r, c, &text))
			return err_set(err, ERR_INPUT,
			    "comments without an end");
		read_comment(r, text);
	}
	if (!is_word(take_word(c), "by"))
		return err_set(err, ERR_INPUT, "what follows from is not by");
	return 0;
}

/* A name for an envelope, or "" when it is none. */
static const char *
name_text(struct arena *arena, struct bytes word)
{
	size_t i;

	if (word.len > 0 && word.data[word.len - 1] == '.')
		word.len--;
	if (word.len > NAME_MAX_LEN || is_word(word, "unknown"))
		return "";
	for (i = 0; i < word.len; i++)
		if (!ascii_is_alnum(word.data[i]) &&
		    strchr("-_.:[]", word.data[i]) == NULL)
			return "";
	return arena_memdup(arena, word.data, word.len);
}

int
received_read(struct arena *arena, struct bytes value,
    struct received *received, struct err *err)
{
	struct reading r = { .arena = arena };
	struct cursor c = cursor_of(value);
	struct ip ip;

	if (value.len > VALUE_MAX)
		return err_set(err, ERR_INPUT, "longer than %d octets",
		    VALUE_MAX);
	if (read_from(&r, &c, err) < 0)
		return -1;
	/* Exim, where the client has no name: the address is the token, and
	 * its HELO the comment. */
	if (r.ip.family == IP_NONE && r.helo_in_comment &&
	    is_literal(r.token, &ip))
		take_ip(&r, &ip);
	if (r.ip.family == IP_NONE)
		return err_set(err, ERR_INPUT, "it tells no address");
	if (r.ambiguous)
		return err_set(err, ERR_INPUT, "it tells two addresses");
	received->ip = r.ip;
	received->helo = name_text(arena, r.helo_in_comment ? r.helo : r.token);
	received->name = name_text(arena, r.name);
	return 0;
}

/* ---- the way ---- */

/* Nobody's client on the Internet. */
static bool
is_private(const struct ip *ip)
{
	static const char *const texts[] = { "10.0.0.0/8", "127.0.0.0/8",
		"100.64.0.0/10", "169.254.0.0/16", "172.16.0.0/12",
		"192.168.0.0/16", "::1", "fc00::/7", "fe80::/10" };
	struct network network;
	size_t i;

	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (network_parse(bytes_of(texts[i]), &network, NULL) == 0 &&
		    network_contains(&network, ip))
			return true;
	return false;
}

int
received_find_client(struct arena *arena, const struct header *header,
    bool (*is_inside)(void *context, const struct ip *ip), void *context,
    struct received *received, struct err *err)
{
	const struct header_field *field;
	char text[IP_TEXT_SIZE];
	size_t i;

	for (i = 0; i < RECEIVED_HOPS_MAX; i++) {
		field = header_find(header, "Received", i);
		if (field == NULL)
			return err_set(err, ERR_INPUT,
			    "%zu Received, and none is of a client outside", i);
		if (received_read(arena, field->value, received, err) < 0)
			return err_prefix(err, "Received %zu", i + 1);
		if (is_inside(context, &received->ip))
			continue;
		if (!is_private(&received->ip))
			return 0;
		ip_format(&received->ip, text);
		return err_set(err, ERR_INPUT,
		    "Received %zu: %s is a private address that is not listed",
		    i + 1, text);
	}
	return err_set(err, ERR_INPUT, "more than %d hops inside",
	    RECEIVED_HOPS_MAX);
}
