/*
 * address.c - one mailbox: local part and domain, as SMTP knows them.
 *
 * Nearly all domains are plain ASCII and never see libidn2.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <string.h>

#include <idn2.h>

#include "base/netaddr.h"
#include "base/str.h"
#include "base/utf8.h"
#include "mail/address.h"

#define LABEL_MAX 63
/* Octets of a domain in UTF-8 that libidn2 is asked about. */
#define DOMAIN_UTF8_MAX 1024
/* Octets of a path with its source route. */
#define PATH_LEN_MAX 2048

/* RFC 5322 atext; octets above 127 are checked as UTF-8 before. */
static bool
is_atext(char c)
{
	return ascii_is_alnum(c) || (c & 0x80) != 0 ||
	    (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", c) != NULL);
}

static bool
is_ascii(struct bytes text)
{
	size_t i;

	for (i = 0; i < text.len; i++)
		if ((text.data[i] & 0x80) != 0)
			return false;
	return true;
}

/* Lower-cases in and checks labels; out has room for DOMAIN_MAX + 1.
 * Returns the reason why this is no domain, or NULL. */
static const char *
ascii_domain(struct bytes in, char *out)
{
	size_t i, label = 0;
	char c;

	if (in.len > 0 && in.data[in.len - 1] == '.')
		in.len--;
	if (in.len == 0)
		return "empty domain";
	if (in.len > DOMAIN_MAX)
		return "domain too long";
	for (i = 0; i < in.len; i++) {
		c = in.data[i];
		if (c == '.') {
			if (label == 0)
				return "domain has an empty label";
			label = 0;
		} else if (!ascii_is_alnum(c) && c != '-' && c != '_') {
			return "domain has a forbidden character";
		} else if (++label > LABEL_MAX) {
			return "label of the domain too long";
		}
		out[i] = ascii_lower(c);
	}
	out[in.len] = '\0';
	return label == 0 ? "domain has an empty label" : NULL;
}

/* UTS 46 processing and IDNA2008, then the same rules as for ASCII: the
 * mapping may bring forth dots and characters that no domain has. */
static const char *
utf8_domain(struct arena *arena, struct bytes in, char *out)
{
	uint8_t *found = NULL;
	const char *reason;

	if (in.len > DOMAIN_UTF8_MAX)
		return "domain too long";
	if (!utf8_is_valid(in) || memchr(in.data, '\0', in.len) != NULL)
		return "domain is not UTF-8";
	if (idn2_lookup_u8((uint8_t *)arena_memdup(arena, in.data, in.len),
		&found, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL) != IDN2_OK)
		return "not an internationalized domain";
	reason = ascii_domain(bytes_of((const char *)found), out);
	idn2_free(found);
	return reason;
}

static const char *
normalize(struct arena *arena, struct bytes text, char *out)
{
	return is_ascii(text) ? ascii_domain(text, out)
			      : utf8_domain(arena, text, out);
}

int
domain_normalize(struct arena *arena, struct bytes text, const char **domain,
    struct err *err)
{
	char out[DOMAIN_MAX + 1];
	const char *reason;

	reason = normalize(arena, text, out);
	if (reason != NULL)
		return err_set(err, ERR_INPUT, "%s", reason);
	*domain = arena_strdup(arena, out);
	return 0;
}

static struct bytes
without_punctuation(struct bytes text)
{
	while (text.len > 0 && strchr(".-_", text.data[text.len - 1]) != NULL)
		text.len--;
	return text;
}

/* Up to the first octet above 127, or two dots. */
static struct bytes
ascii_start(struct bytes text)
{
	size_t i;

	for (i = 0; i < text.len && (text.data[i] & 0x80) == 0; i++)
		if (text.data[i] == '.' && i + 1 < text.len &&
		    text.data[i + 1] == '.')
			break;
	return without_punctuation((struct bytes){ text.data, i });
}

/* Does the last label begin in ASCII and go on in something else?  No top
 * level domain does. */
static bool
ends_mixed(struct bytes text)
{
	const char *dot =
	    text.len > 0 ? memrchr(text.data, '.', text.len) : NULL;
	const char *label = dot != NULL ? dot + 1 : text.data;
	struct bytes last = { label, (size_t)(text.data + text.len - label) };

	return last.len > 0 && (*last.data & 0x80) == 0 && !is_ascii(last);
}

struct bytes
domain_at_start(struct arena *arena, struct bytes text)
{
	struct bytes whole = without_punctuation(text);
	struct bytes start = ascii_start(whole);
	char out[DOMAIN_MAX + 1];
	bool whole_is_one = normalize(arena, whole, out) == NULL;

	if (whole_is_one && !ends_mixed(whole))
		return whole;
	if (memchr(start.data, '.', start.len) != NULL &&
	    normalize(arena, start, out) == NULL)
		return start;
	return whole_is_one ? whole : (struct bytes){ text.data, 0 };
}

/* "[192.0.2.1]" or "[IPv6:2001:db8::1]" in one spelling. */
static const char *
literal_domain(struct bytes in, char *out)
{
	struct cursor c = cursor_of(in);
	struct bytes text;
	struct ip ip;
	bool tagged;
	size_t len;

	if (!cursor_char(&c, '[') || in.data[in.len - 1] != ']')
		return "address literal is not closed";
	c.end--;
	tagged = cursor_literal(&c, "IPv6:");
	text = (struct bytes){ c.p, (size_t)(c.end - c.p) };
	if (ip_parse(text, &ip) < 0 ||
	    (memchr(text.data, ':', text.len) != NULL) != tagged)
		return "no IP address in the address literal";
	len = ip.family == IP_V6 ? sizeof("[ipv6:") - 1 : 1;
	memcpy(out, "[ipv6:", len);
	ip_format(&ip, out + len);
	len += strlen(out + len);
	memcpy(out + len, "]", sizeof("]"));
	return NULL;
}

bool
address_is_null(const struct address *address)
{
	return address->key[0] == '\0';
}

/* ---- parsing ---- */

/* What a path came apart into. */
struct path {
	char *local; /* without quotes; room for all of the path */
	size_t local_len;
	bool has_domain;
	struct bytes domain; /* as it stood */
};

/* Checks what may not stand anywhere in an address: octets that are no
 * UTF-8, NUL and control characters. */
static const char *
check_characters(struct bytes text)
{
	uint32_t code;
	size_t n;

	while (text.len > 0) {
		if (text.data[0] >= ' ' && text.data[0] < 0x7f) {
			text.data++;
			text.len--;
			continue;
		}
		n = utf8_decode(text, &code);
		if (n == 0)
			return "address is not UTF-8";
		if (code < 0x20 || (code >= 0x7f && code < 0xa0))
			return "control character in the address";
		text.data += n;
		text.len -= n;
	}
	return NULL;
}

/* "@one,@two:" before the mailbox (RFC 5321 appendix C): dropped. */
static const char *
skip_route(struct cursor *c)
{
	struct bytes hop;

	while (cursor_char(c, '@')) {
		if (cursor_peek(c) == '[') {
			cursor_until(c, "]");
			if (!cursor_char(c, ']'))
				return "bad source route";
		} else {
			hop = cursor_until(c, ",:@<>\"\\ ");
			if (hop.len == 0)
				return "bad source route";
		}
		if (cursor_char(c, ':'))
			return NULL;
		if (!cursor_char(c, ','))
			return "bad source route";
	}
	return "bad source route";
}

static const char *
parse_quoted(struct cursor *c, struct path *path)
{
	char ch;

	c->p++;
	while (c->p < c->end) {
		ch = *c->p++;
		if (ch == '"')
			return NULL;
		if (ch == '\\') {
			if (c->p == c->end)
				break;
			ch = *c->p++;
		}
		path->local[path->local_len++] = ch;
	}
	return "quoted local part is not closed";
}

/* Words joined by dots (RFC 5322 obs-local-part), with any number of dots
 * anywhere outside quotes.  A backslash outside quotes takes the next
 * character as it is, as RFC 821 had it. */
static const char *
parse_local(struct cursor *c, struct path *path)
{
	enum {
		AFTER_DOT,
		AFTER_ATOM,
		AFTER_QUOTED
	} state = AFTER_DOT;
	const char *reason;
	int ch;

	while ((ch = cursor_peek(c)) >= 0 && ch != '@') {
		if (ch == '"') {
			if (state != AFTER_DOT)
				return "quotes inside a word";
			reason = parse_quoted(c, path);
			if (reason != NULL)
				return reason;
			state = AFTER_QUOTED;
			continue;
		}
		if (ch != '.' && state == AFTER_QUOTED)
			return "no dot behind a quoted word";
		state = ch == '.' ? AFTER_DOT : AFTER_ATOM;
		if (ch == '\\' && c->end - c->p > 1)
			c->p++;
		else if (ch != '.' && !is_atext((char)ch))
			return "forbidden character in the local part";
		path->local[path->local_len++] = *c->p++;
	}
	return NULL;
}

static const char *
parse_path(struct cursor *c, struct path *path)
{
	const char *reason = NULL;

	if (cursor_peek(c) == '@')
		reason = skip_route(c);
	if (reason == NULL)
		reason = parse_local(c, path);
	if (reason != NULL)
		return reason;
	path->has_domain = cursor_char(c, '@');
	path->domain = (struct bytes){ c->p, (size_t)(c->end - c->p) };
	return NULL;
}

/* Fills in address but for raw. */
static const char *
address_set(struct arena *arena, const struct path *path,
    struct address *address)
{
	char domain[DOMAIN_MAX + 1] = "";
	const char *reason = NULL;
	size_t i, domain_len;
	char *local, *key;

	if (path->local_len == 0)
		return "empty local part";
	if (path->local_len > ADDRESS_LOCAL_MAX)
		return "local part too long";
	if (path->has_domain && path->domain.len > 0 &&
	    path->domain.data[0] == '[')
		reason = literal_domain(path->domain, domain);
	else if (path->has_domain)
		reason = normalize(arena, path->domain, domain);
	if (reason != NULL)
		return reason;
	domain_len = strlen(domain);
	local = arena_memdup(arena, path->local, path->local_len);
	key = arena_alloc(arena, path->local_len + 1 + domain_len + 1);
	for (i = 0; i < path->local_len; i++)
		key[i] = ascii_lower(local[i]);
	key[i++] = '@';
	memcpy(key + i, domain, domain_len + 1);
	address->local = local;
	address->domain = key + i;
	address->key = key;
	return NULL;
}

int
address_parse(struct arena *arena, struct bytes text, struct address *address,
    struct err *err)
{
	struct address found = { "", "", "", "" };
	struct path path = { 0 };
	struct cursor c;
	const char *reason;

	if (text.len > 0 && text.data[0] == '<') {
		if (text.len < 2 || text.data[text.len - 1] != '>')
			return err_set(err, ERR_INPUT,
			    "angle bracket is not closed");
		text.data++;
		text.len -= 2;
	}
	if (text.len > PATH_LEN_MAX)
		return err_set(err, ERR_INPUT, "address too long");
	if (text.len > 0) {
		c = cursor_of(text);
		path.local = arena_alloc(arena, text.len);
		reason = check_characters(text);
		if (reason == NULL)
			reason = parse_path(&c, &path);
		if (reason == NULL)
			reason = address_set(arena, &path, &found);
		if (reason != NULL)
			return err_set(err, ERR_INPUT, "%s", reason);
		found.raw = arena_memdup(arena, text.data, text.len);
	}
	*address = found;
	return 0;
}

/* ---- writing ---- */

/* RFC 5321 Dot-string: atoms with single dots between them. */
static bool
is_dot_string(struct bytes local)
{
	char before = '.';
	size_t i;

	for (i = 0; i < local.len; i++) {
		if (local.data[i] == '.' ? before == '.'
					 : !is_atext(local.data[i]))
			return false;
		before = local.data[i];
	}
	return before != '.';
}

static int
append_local(struct buf *out, struct bytes local)
{
	int rc = 0;
	size_t i;

	if (is_dot_string(local))
		return buf_append_bytes(out, local);
	rc |= buf_append_char(out, '"');
	for (i = 0; i < local.len; i++) {
		if (local.data[i] == '"' || local.data[i] == '\\')
			rc |= buf_append_char(out, '\\');
		rc |= buf_append_char(out, local.data[i]);
	}
	return rc | buf_append_char(out, '"');
}

int
address_append_key(struct buf *out, const char *key)
{
	const char *at = strrchr(key, '@');

	if (at == NULL)
		return buf_append_str(out, key);
	if (append_local(out, (struct bytes){ key, (size_t)(at - key) }) < 0)
		return -1;
	return at[1] == '\0' ? 0 : buf_append_str(out, at);
}

int
address_make(struct arena *arena, struct bytes local, struct bytes domain,
    struct address *address, struct err *err)
{
	struct address found = { "", "", "", "" };
	struct path path = { arena_memdup(arena, local.data, local.len),
		local.len, true, domain };
	struct buf raw;
	const char *reason;

	reason = check_characters(local);
	if (reason == NULL)
		reason = address_set(arena, &path, &found);
	if (reason != NULL)
		return err_set(err, ERR_INPUT, "%s", reason);
	buf_init(&raw, 2 * PATH_LEN_MAX);
	if (append_local(&raw, local) < 0 || buf_append_char(&raw, '@') < 0 ||
	    buf_append_bytes(&raw, domain) < 0) {
		buf_free(&raw);
		return err_set(err, ERR_INPUT, "address too long");
	}
	found.raw = arena_memdup(arena, raw.data, raw.len);
	buf_free(&raw);
	*address = found;
	return 0;
}

bool
domain_is_within(const char *domain, const char *parent)
{
	size_t len = strlen(domain), want = strlen(parent);

	if (len < want || memcmp(domain + (len - want), parent, want) != 0)
		return false;
	return len == want || (want > 0 && domain[len - want - 1] == '.');
}

unsigned
domain_common_labels(const char *a, const char *b)
{
	const char *p = a + strlen(a), *q = b + strlen(b);
	unsigned n = 0;

	while (p > a && q > b && p[-1] == q[-1]) {
		p--;
		q--;
		if (*p == '.')
			n++;
	}
	/* The last label counts where it is whole on both sides. */
	if (p < a + strlen(a) && (p == a || p[-1] == '.') &&
	    (q == b || q[-1] == '.'))
		n++;
	return n;
}

/* ---- for people ---- */

/* Letters that cannot be taken for another letter of a domain name, nor
 * for a sign of its syntax. */
static const struct {
	uint32_t first, last;
} display_ranges[] = {
	{ 0x00df, 0x00f6 }, /* Latin small letters, without the dotless i */
	{ 0x00f8, 0x00ff }, { 0x0101, 0x0130 }, { 0x0133, 0x017e },
	{ 0x3005, 0x3006 },                     /* iteration mark, shime */
	{ 0x3041, 0x3096 },                     /* Hiragana */
	{ 0x309d, 0x309e }, { 0x30a1, 0x30fa }, /* Katakana */
	{ 0x30fc, 0x30fe }, { 0x3400, 0x4dbf }, /* Han */
	{ 0x4e00, 0x9fff }, { 0xac00, 0xd7a3 }, /* Hangul */
};

/* Those of the above that pass for a slash or a hyphen among Latin letters:
 * shime, no, so, zo, n and the long vowel. */
static const uint32_t lookalikes[] = { 0x3006, 0x30ce, 0x30bd, 0x30be, 0x30f3,
	0x30fc };

static bool
is_display_letter(uint32_t code)
{
	size_t i;

	for (i = 0; i < sizeof(display_ranges) / sizeof(*display_ranges); i++)
		if (code >= display_ranges[i].first &&
		    code <= display_ranges[i].last)
			return true;
	return false;
}

static bool
is_lookalike(uint32_t code)
{
	size_t i;

	for (i = 0; i < sizeof(lookalikes) / sizeof(*lookalikes); i++)
		if (code == lookalikes[i])
			return true;
	return false;
}

static bool
label_is_safe(struct bytes label)
{
	bool has_ascii_letter = false, has_lookalike = false;
	const char *start = label.data;
	uint32_t code;
	size_t n;

	while (label.len > 0) {
		n = utf8_decode(label, &code);
		if (n == 0)
			return false;
		if (code < 0x80)
			has_ascii_letter |= ascii_is_alpha((char)code);
		else if (!is_display_letter(code))
			return false;
		if (is_lookalike(code)) {
			if (label.data == start)
				return false;
			has_lookalike = true;
		}
		label.data += n;
		label.len -= n;
	}
	return !(has_ascii_letter && has_lookalike);
}

static bool
display_is_safe(const char *text)
{
	struct cursor c = cursor_of(bytes_of(text));

	do {
		if (!label_is_safe(cursor_until(&c, ".")))
			return false;
	} while (cursor_char(&c, '.'));
	return true;
}

const char *
domain_for_display(struct arena *arena, const char *domain)
{
	const char *again = "", *text = domain;
	char *unicode = NULL;

	if (strstr(domain, "xn--") == NULL ||
	    idn2_to_unicode_8z8z(domain, &unicode, 0) != IDN2_OK)
		return domain;
	if (display_is_safe(unicode) &&
	    domain_normalize(arena, bytes_of(unicode), &again, NULL) == 0 &&
	    strcmp(again, domain) == 0)
		text = arena_strdup(arena, unicode);
	idn2_free(unicode);
	return text;
}
