/*
 * link.c - where a link leads, in words that cannot deceive.
 *
 * Reads about as the URL Standard has it for the schemes of the web.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <string.h>

#include "base/str.h"
#include "mail/address.h"
#include "mail/link.h"

#define SCHEME_MAX 20
#define HOST_MAX 255
/* Words of a text that are looked at for a host. */
#define WORDS_MAX 50

/* ---- reading ---- */

/* As browsers do: no control characters anywhere, no space around. */
static struct bytes
tidy(struct arena *arena, struct bytes href)
{
	char *text;
	size_t i, n = 0;

	if (href.len > LINK_BYTES_MAX)
		href.len = LINK_BYTES_MAX;
	text = arena_memdup(arena, href.data, href.len);
	for (i = 0; i < href.len; i++)
		if ((unsigned char)href.data[i] >= ' ' && href.data[i] != 0x7f)
			text[n++] = href.data[i];
	text[n] = '\0';
	return bytes_trim((struct bytes){ text, n });
}

/* "https:" off the front; "" when there is none. */
static const char *
take_scheme(struct arena *arena, struct cursor *c)
{
	const char *p = c->p;
	char *scheme;

	while (p < c->end &&
	    (ascii_is_alnum(*p) || *p == '+' || *p == '-' || *p == '.'))
		p++;
	if (p == c->end || *p != ':' || p == c->p || !ascii_is_alpha(*c->p) ||
	    p - c->p > SCHEME_MAX)
		return "";
	scheme = arena_memdup(arena, c->p, (size_t)(p - c->p));
	ascii_lowercase(scheme);
	c->p = p + 1;
	return scheme;
}

static bool
is_web(const char *scheme)
{
	return strcmp(scheme, "http") == 0 || strcmp(scheme, "https") == 0;
}

static bool
is_slash(int c)
{
	return c == '/' || c == '\\';
}

/* "user:word@host:port" up to the path; the port with its colon, or "". */
static const char *
take_authority(struct arena *arena, struct cursor *c, struct link *link)
{
	struct bytes authority = cursor_until(c, "/\\?#");
	const char *start = authority.data, *end = start + authority.len;
	const char *at = memrchr(start, '@', authority.len), *port, *domain;
	char *host;

	if (at != NULL) {
		link->credentials = true;
		start = at + 1;
	}
	for (port = end; port > start && ascii_is_digit(port[-1]); port--)
		;
	if (port > start && port[-1] == ':')
		port--;
	else
		port = end;
	host = arena_memdup(arena, start, (size_t)(port - start));
	ascii_lowercase(host);
	link->host = host;
	if (domain_normalize(arena, bytes_of(host), &domain, NULL) == 0)
		link->host = domain;
	link->display = domain_for_display(arena, link->host);
	return arena_memdup(arena, port, (size_t)(end - port));
}

/* ---- for people ---- */

/* ASCII, all else as percent escapes; at most about max octets. */
static void
append_escaped(struct buf *out, struct bytes text, size_t max)
{
	size_t end = out->len + max, i;

	for (i = 0; i < text.len && out->len < end; i++)
		if (text.data[i] > ' ' && text.data[i] < 0x7f)
			buf_append_char(out, text.data[i]);
		else
			buf_printf(out, "%%%02X", (unsigned char)text.data[i]);
	if (i < text.len)
		buf_append_str(out, "...");
}

/* Whole: what decides stands at its end.  What is longer than any host loses
 * its start. */
static void
append_host(struct buf *out, struct bytes host)
{
	if (host.len > HOST_MAX) {
		buf_append_str(out, "...");
		host.data += host.len - HOST_MAX;
		host.len = HOST_MAX;
	}
	append_escaped(out, host, 3 * HOST_MAX);
}

static const char *
show(struct arena *arena, const struct link *link, const char *port,
    struct bytes rest)
{
	struct buf text;
	const char *copy;

	buf_init(&text, LINK_BYTES_MAX);
	if (link->scheme[0] != '\0')
		buf_printf(&text, "%s:", link->scheme);
	if (link->host[0] != '\0') {
		buf_append_str(&text, "//");
		append_host(&text, bytes_of(link->host));
		append_escaped(&text, bytes_of(port), LINK_PATH_MAX);
	}
	append_escaped(&text, rest, LINK_PATH_MAX);
	copy = arena_strdup(arena, buf_str(&text));
	buf_free(&text);
	return copy;
}

/* ---- the whole ---- */

static void
read_absolute(struct arena *arena, struct bytes href, struct link *link)
{
	struct cursor c = cursor_of(href);
	const char *port = "";

	link->scheme = take_scheme(arena, &c);
	if (is_web(link->scheme)) {
		while (is_slash(cursor_peek(&c)))
			c.p++;
		port = take_authority(arena, &c, link);
		link->web = link->host[0] != '\0';
	}
	link->text = show(arena, link, port,
	    (struct bytes){ c.p, (size_t)(c.end - c.p) });
}

/* What base makes of a relative target: its scheme, its host, its folder. */
static struct bytes
join(struct arena *arena, const char *base, struct bytes href)
{
	struct cursor c = cursor_of(bytes_of(base));
	const char *scheme = take_scheme(arena, &c), *start, *slash;
	size_t origin, len;

	if (!is_web(scheme))
		return href;
	if (href.len > 1 && is_slash(href.data[0]) && is_slash(href.data[1]))
		return bytes_of(arena_printf(arena, "%s:%.*s", scheme,
		    (int)href.len, href.data));
	start = c.p;
	while (is_slash(cursor_peek(&c)))
		c.p++;
	(void)cursor_until(&c, "/\\?#");
	origin = (size_t)(c.p - start);
	len = origin;
	if (href.len == 0 || !is_slash(href.data[0])) {
		slash = memrchr(c.p, '/', (size_t)(c.end - c.p));
		len = slash != NULL ? (size_t)(slash - start) : origin;
	}
	return bytes_of(arena_printf(arena, "%s:%.*s%s%.*s", scheme, (int)len,
	    start, href.len > 0 && is_slash(href.data[0]) ? "" : "/",
	    (int)href.len, href.data));
}

void
link_read(struct arena *arena, struct bytes href, const char *base,
    struct link *link)
{
	struct bytes text = tidy(arena, href);
	struct cursor c = cursor_of(text);

	memset(link, 0, sizeof(*link));
	link->host = link->display = "";
	if (base != NULL && take_scheme(arena, &c)[0] == '\0')
		text = join(arena, base, text);
	else if (text.len > 1 && is_slash(text.data[0]) &&
	    is_slash(text.data[1]))
		text = bytes_of(arena_printf(arena, "https:%.*s", (int)text.len,
		    text.data));
	read_absolute(arena, text, link);
}

/* ---- deceit ---- */

/* What files end with that is also written like the end of a host. */
static const char *const file_ends[] = { "asp", "bmp", "csv", "doc", "docx",
	"eml", "exe", "gif", "htm", "html", "ics", "jpeg", "jpg", "js", "json",
	"jsp", "msg", "odt", "ods", "pdf", "php", "png", "ppt", "pptx", "rar",
	"rtf", "tar", "txt", "webp", "xls", "xlsx", "xml" };

/* A top label of two letters or more, without digits: "a.b", not "3.5". */
static bool
looks_like_host(const char *host)
{
	const char *dot = strrchr(host, '.'), *p;
	size_t i;

	if (dot == NULL || dot == host || strlen(dot + 1) < 2)
		return false;
	if (strncmp(dot + 1, "xn--", 4) == 0)
		return true;
	for (p = dot + 1; *p != '\0'; p++)
		if (!ascii_is_alpha(*p))
			return false;
	for (i = 0; i < sizeof(file_ends) / sizeof(file_ends[0]); i++)
		if (strcmp(dot + 1, file_ends[i]) == 0)
			return false;
	return true;
}

/* The host that a word names, or NULL: "https://a.example/x", "a.example". */
static const char *
host_of_word(struct arena *arena, struct bytes word)
{
	struct cursor c = cursor_of(word);
	const char *scheme, *domain;
	struct bytes host;
	struct link link;

	while (word.len > 0 && strchr(".,;:!?)>]\"'", word.data[word.len - 1]))
		word.len--;
	while (word.len > 0 && strchr("(<[\"'", word.data[0])) {
		word.data++;
		word.len--;
	}
	c = cursor_of(word);
	scheme = take_scheme(arena, &c);
	if (is_web(scheme) && is_slash(cursor_peek(&c))) {
		link_read(arena, word, NULL, &link);
		return link.host[0] != '\0' ? link.host : NULL;
	}
	c = cursor_of(word);
	host = cursor_until(&c, "/\\?#:");
	if (host.len == 0 || memchr(host.data, '@', host.len) != NULL ||
	    domain_normalize(arena, host, &domain, NULL) < 0 ||
	    !looks_like_host(domain))
		return NULL;
	return domain;
}

static bool
is_same_site(const char *a, const char *b)
{
	if (strncmp(a, "www.", 4) == 0)
		a += 4;
	if (strncmp(b, "www.", 4) == 0)
		b += 4;
	return domain_is_within(a, b) || domain_is_within(b, a);
}

bool
link_deceives(struct arena *arena, struct bytes text, const struct link *link)
{
	struct cursor c = cursor_of(text);
	unsigned words = 0;
	const char *host;

	if (!link->web)
		return false;
	while (!cursor_at_end(&c) && words++ < WORDS_MAX) {
		cursor_space(&c);
		host = host_of_word(arena, cursor_until(&c, " \t\r\n"));
		if (host != NULL && !is_same_site(host, link->host))
			return true;
	}
	return false;
}
