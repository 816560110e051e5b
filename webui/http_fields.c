/*
 * http_fields.c - what stands in the fields of a request's header.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <string.h>

#include "base/str.h"
#include "base/utf8.h"
#include "webui/http_fields.h"

#define COOKIE_MAX 4096
/* Addresses of X-Forwarded-For that are looked at. */
#define FORWARDED_MAX 32
#define FILENAME_MAX_OCTETS 200

/* ---- cookies ---- */

/* RFC 6265 section 4.1.1 */
static bool
is_cookie_octet(char c)
{
	return c > 0x20 && c < 0x7f && c != '"' && c != ',' && c != ';' &&
	    c != '\\';
}

const char *
http_cookie(struct arena *arena, const char *field, const char *name)
{
	struct cursor c;
	struct bytes key, value;
	size_t i;

	if (field == NULL)
		return NULL;
	c = cursor_of(bytes_of(field));
	while (!cursor_at_end(&c)) {
		(void)cursor_space(&c);
		key = bytes_trim(cursor_until(&c, "=;"));
		value = (struct bytes){ NULL, 0 };
		if (cursor_char(&c, '='))
			value = bytes_trim(cursor_until(&c, ";"));
		(void)cursor_char(&c, ';');
		if (value.data == NULL || !bytes_equal(key, bytes_of(name)))
			continue;
		if (value.len > COOKIE_MAX)
			return NULL;
		for (i = 0; i < value.len; i++)
			if (!is_cookie_octet(value.data[i]))
				return NULL;
		return arena_memdup(arena, value.data, value.len);
	}
	return NULL;
}

/* ---- negotiation ---- */

bool
http_wants_json(const char *accept)
{
	return accept != NULL && str_has_nocase(accept, "application/json") &&
	    !str_has_nocase(accept, "text/html");
}

bool
http_etag_matches(const char *field, const char *etag)
{
	struct cursor c;
	struct bytes tag;

	if (field == NULL)
		return false;
	c = cursor_of(bytes_of(field));
	while (!cursor_at_end(&c)) {
		tag = bytes_trim(cursor_until(&c, ","));
		(void)cursor_char(&c, ',');
		if (tag.len > 2 && memcmp(tag.data, "W/", 2) == 0)
			tag = (struct bytes){ tag.data + 2, tag.len - 2 };
		if (bytes_equal(tag, bytes_of(etag)) ||
		    bytes_equal(tag, BYTES_LIT("*")))
			return true;
	}
	return false;
}

/* ---- URLs ---- */

/* Browsers drop tab, CR and LF, and take \ for /. */
bool
http_path_is_local(const char *path)
{
	const unsigned char *p;

	if (path == NULL || path[0] != '/' || path[1] == '/' || path[1] == '\\')
		return false;
	for (p = (const unsigned char *)path; *p != '\0'; p++)
		if (*p <= 0x20 || *p >= 0x7f || *p == '\\' || *p == '"' ||
		    *p == '<' || *p == '>')
			return false;
	return true;
}

const char *
http_origin_of(struct arena *arena, const char *url)
{
	struct cursor c;
	struct bytes authority;
	const char *scheme, *port;
	char *origin;

	if (url == NULL)
		return NULL;
	c = cursor_of(bytes_of(url));
	if (cursor_literal(&c, "https://")) {
		scheme = "https";
		port = ":443";
	} else if (cursor_literal(&c, "http://")) {
		scheme = "http";
		port = ":80";
	} else {
		return NULL;
	}
	authority = cursor_until(&c, "/?#");
	origin = arena_memdup(arena, authority.data, authority.len);
	if (!http_host_is_valid(origin))
		return NULL;
	ascii_lowercase(origin);
	if (str_ends_nocase(origin, port))
		origin[strlen(origin) - strlen(port)] = '\0';
	return arena_printf(arena, "%s://%s", scheme, origin);
}

const char *
http_path_of(struct arena *arena, const char *url, const char *origin)
{
	const char *of = http_origin_of(arena, url);
	const char *path, *hash;

	if (of == NULL || origin == NULL || strcmp(of, origin) != 0)
		return NULL;
	path = strstr(url, "://") + 3;
	path += strcspn(path, "/?#");
	hash = strchr(path, '#');
	if (hash != NULL)
		path = arena_memdup(arena, path, (size_t)(hash - path));
	return http_path_is_local(path) ? path : NULL;
}

static bool
is_name_char(char c)
{
	return ascii_is_alnum(c) || c == '-' || c == '.' || c == '_';
}

/* The name or address of HOST[:PORT], without brackets; false: neither. */
static bool
split_host(const char *host, struct bytes *name)
{
	struct cursor c = cursor_of(bytes_of(host));
	uint64_t port;

	if (cursor_char(&c, '[')) {
		*name = cursor_until(&c, "]");
		if (!cursor_char(&c, ']'))
			return false;
	} else {
		*name = cursor_until(&c, ":");
	}
	if (cursor_char(&c, ':') && !cursor_u64(&c, 65535, &port))
		return false;
	return cursor_at_end(&c) && name->len > 0;
}

bool
http_host_is_valid(const char *host)
{
	struct bytes name;
	struct ip ip;
	size_t i;

	if (host == NULL || strlen(host) > 300 || !split_host(host, &name))
		return false;
	if (host[0] == '[')
		return ip_parse(name, &ip) == 0;
	for (i = 0; i < name.len; i++)
		if (!is_name_char(name.data[i]))
			return false;
	return true;
}

bool
http_host_is_address(const char *host)
{
	struct bytes name;
	struct ip ip;

	return split_host(host, &name) &&
	    (ip_parse(name, &ip) == 0 ||
		bytes_equal_nocase(name, BYTES_LIT("localhost")));
}

/* ---- who asks ---- */

bool
http_is_trusted(const struct ip *peer, const struct network *trusted, size_t n)
{
	size_t i;

	if (peer->family == IP_NONE)
		return true;
	for (i = 0; i < n; i++)
		if (network_contains(&trusted[i], peer))
			return true;
	return false;
}

/* ADDRESS, ADDRESS:PORT, [ADDRESS], [ADDRESS]:PORT */
static int
parse_hop(struct bytes hop, struct ip *ip)
{
	const char *colon, *close;

	if (ip_parse(hop, ip) == 0)
		return 0;
	if (hop.len > 2 && hop.data[0] == '[') {
		close = memchr(hop.data, ']', hop.len);
		if (close == NULL)
			return -1;
		hop.len = (size_t)(close - hop.data - 1);
		hop.data++;
		return ip_parse(hop, ip);
	}
	colon = memchr(hop.data != NULL ? hop.data : "", ':', hop.len);
	if (colon == NULL)
		return -1;
	hop.len = (size_t)(colon - hop.data);
	return ip_parse(hop, ip);
}

struct ip
http_client(const struct ip *peer, const char *forwarded,
    const struct network *trusted, size_t n)
{
	struct ip client = *peer, hop;
	const char *end, *start;
	unsigned hops;

	if (forwarded == NULL)
		return client;
	end = forwarded + strlen(forwarded);
	for (hops = 0; hops < FORWARDED_MAX; hops++) {
		if (!http_is_trusted(&client, trusted, n))
			return client;
		for (start = end; start > forwarded && start[-1] != ',';
		     start--)
			continue;
		if (parse_hop(bytes_trim((struct bytes){ start,
				  (size_t)(end - start) }),
			&hop) < 0)
			return client;
		client = hop;
		if (start == forwarded)
			return client;
		end = start - 1;
	}
	return client;
}

/* ---- downloads ---- */

static bool
is_attr_char(unsigned char c)
{
	return ascii_is_alnum((char)c) || c == '-' || c == '.' || c == '_' ||
	    c == '~';
}

/* For old clients as it is when it is harmless, for all others in UTF-8. */
const char *
http_disposition(struct arena *arena, const char *filename)
{
	size_t len = strlen(filename), i;
	struct buf plain, coded;
	const char *value;
	unsigned char c;

	if (len > FILENAME_MAX_OCTETS)
		len = FILENAME_MAX_OCTETS;
	while (len > 0 && !utf8_is_valid((struct bytes){ filename, len }))
		len--;
	buf_init(&plain, len);
	buf_init(&coded, 3 * len);
	for (i = 0; i < len; i++) {
		c = (unsigned char)filename[i];
		(void)buf_append_char(&plain,
		    is_attr_char(c) || c == ' ' ? (char)c : '_');
		if (is_attr_char(c))
			(void)buf_append_char(&coded, (char)c);
		else
			(void)buf_printf(&coded, "%%%02X", (unsigned)c);
	}
	value = arena_printf(arena,
	    "attachment; filename=\"%s\"; filename*=UTF-8''%s", buf_str(&plain),
	    buf_str(&coded));
	buf_free(&plain);
	buf_free(&coded);
	return value;
}
