/*
 * store_url.c - the url of a store into its addresses.
 *
 *	unix:/path
 *	HOST:PORT  [v6]:PORT
 *	redis://[[USER]:PASSWORD@]HOST[:PORT][/]    rediss:// with TLS
 *	sentinel:MASTER@HOST[:PORT],HOST[:PORT]...
 *	cluster:HOST[:PORT],HOST[:PORT]...
 *
 * USER and PASSWORD may hold %XX.  There is no database number: a Cluster
 * has only one, and two installations want two servers.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/crypto.h"
#include "base/store_impl.h"
#include "base/str.h"

#define URL_MAX 4096
#define ADDRESSES_MAX 64
#define HOST_MAX 255
#define PORT_REDIS 6379
#define PORT_SENTINEL 26379

static const struct scheme {
	const char *prefix;
	enum store_kind kind;
	bool tls;
	bool login; /* [[USER]:PASSWORD@] */
	bool many;  /* several addresses */
	unsigned port;
} schemes[] = {
	{ "redis://", STORE_ONE, false, true, false, PORT_REDIS },
	{ "rediss://", STORE_ONE, true, true, false, PORT_REDIS },
	{ "sentinel:", STORE_SENTINEL, false, false, true, PORT_SENTINEL },
	{ "cluster:", STORE_CLUSTER, false, false, true, PORT_REDIS },
	{ "", STORE_ONE, false, false, false, PORT_REDIS },
};

/* Up to stop, which is skipped too; false when it does not occur. */
static bool
take_until(struct cursor *c, char stop, struct bytes *out)
{
	const char *at = memchr(c->p, stop, (size_t)(c->end - c->p));

	if (at == NULL)
		return false;
	*out = (struct bytes){ c->p, (size_t)(at - c->p) };
	c->p = at + 1;
	return true;
}

static bool
host_is_valid(struct bytes host)
{
	size_t i;

	if (host.len == 0 || host.len > HOST_MAX)
		return false;
	for (i = 0; i < host.len; i++) {
		unsigned char c = (unsigned char)host.data[i];

		if (c <= 0x20 || c >= 0x7f || strchr("/@,[]", c) != NULL)
			return false;
	}
	return true;
}

int
store_address_parse(struct bytes text, unsigned port_default,
    struct store_address *address)
{
	struct cursor c = cursor_of(text);
	struct bytes host, port = { NULL, 0 };
	uint64_t number = port_default;

	if (cursor_char(&c, '[')) {
		if (!take_until(&c, ']', &host) ||
		    (!cursor_at_end(&c) && !cursor_char(&c, ':')))
			return -1;
		port = (struct bytes){ c.p, (size_t)(c.end - c.p) };
	} else {
		/* The last colon, as Redis writes IPv6 without brackets. */
		const char *colon = memrchr(text.data, ':', text.len);

		host = text;
		if (colon != NULL) {
			host.len = (size_t)(colon - text.data);
			port = (struct bytes){ colon + 1,
				(size_t)(c.end - colon) - 1 };
			if (port.len == 0)
				return -1;
		}
	}
	if (!host_is_valid(host) ||
	    (port.len > 0 && parse_u64(port, 1, 65535, &number) < 0) ||
	    number == 0)
		return -1;
	address->host = xmemdup(host.data, host.len);
	address->port = (unsigned)number;
	return 0;
}

static char *
percent_decode(struct bytes text)
{
	char *out = xmalloc(text.len + 1);
	size_t i, n = 0;

	for (i = 0; i < text.len; i++) {
		int high = -1, low = -1;

		if (text.data[i] == '%' && i + 2 < text.len) {
			high = ascii_hex_value(text.data[i + 1]);
			low = ascii_hex_value(text.data[i + 2]);
		}
		if (high >= 0 && low >= 0 && (high | low) != 0) {
			out[n++] = (char)(high << 4 | low);
			i += 2;
		} else {
			out[n++] = text.data[i];
		}
	}
	out[n] = '\0';
	return out;
}

static void
parse_login(struct bytes login, struct store_url *url)
{
	struct cursor c = cursor_of(login);
	struct bytes user;

	if (!take_until(&c, ':', &user))
		user = (struct bytes){ NULL, 0 };
	if (user.len > 0)
		url->user = percent_decode(user);
	url->password =
	    percent_decode((struct bytes){ c.p, (size_t)(c.end - c.p) });
}

static int
parse_addresses(struct bytes text, const struct scheme *scheme,
    struct store_url *url)
{
	struct cursor c = cursor_of(text);

	do {
		struct bytes item;

		if (url->count == (scheme->many ? ADDRESSES_MAX : 1))
			return -1;
		if (!scheme->many || !take_until(&c, ',', &item)) {
			item = (struct bytes){ c.p, (size_t)(c.end - c.p) };
			c.p = c.end;
		} else if (cursor_at_end(&c)) {
			return -1; /* a comma at the end */
		}
		if (store_address_parse(item, scheme->port,
			&url->addresses[url->count]) < 0)
			return -1;
		url->count++;
	} while (!cursor_at_end(&c));
	return 0;
}

static int
parse_unix(const char *path, struct store_url *url)
{
	/* sun_path is 108 octets with its NUL. */
	if (path[0] != '/' || strlen(path) > 107)
		return -1;
	url->addresses[0].host = xstrdup(path);
	url->addresses[0].port = 0;
	url->count = 1;
	return 0;
}

static int
parse_scheme(const char *text, struct store_url *url)
{
	const struct scheme *scheme = schemes;
	struct bytes rest, part;
	struct cursor c;

	if (strncmp(text, "unix:", 5) == 0)
		return parse_unix(text + 5, url);
	while (strncmp(text, scheme->prefix, strlen(scheme->prefix)) != 0)
		scheme++;
	url->kind = scheme->kind;
	url->tls = scheme->tls;
	rest = bytes_of(text + strlen(scheme->prefix));
	if (scheme->login && rest.len > 0 && rest.data[rest.len - 1] == '/')
		rest.len--;
	if (scheme->login) {
		/* The last @, as a password may hold one. */
		const char *at = memrchr(rest.data, '@', rest.len);

		if (at != NULL) {
			part = (struct bytes){ rest.data,
				(size_t)(at - rest.data) };
			parse_login(part, url);
			rest.len -= part.len + 1;
			rest.data = at + 1;
		}
	}
	if (scheme->kind == STORE_SENTINEL) {
		c = cursor_of(rest);
		if (!take_until(&c, '@', &part) || part.len == 0)
			return -1;
		url->master = xmemdup(part.data, part.len);
		rest = (struct bytes){ c.p, (size_t)(c.end - c.p) };
	}
	return parse_addresses(rest, scheme, url);
}

int
store_url_parse(const char *text, struct store_url *url, struct err *err)
{
	memset(url, 0, sizeof(*url));
	url->addresses = xcalloc(ADDRESSES_MAX, sizeof(*url->addresses));
	if (strlen(text) <= URL_MAX && parse_scheme(text, url) == 0)
		return 0;
	store_url_fini(url);
	/* Without the url itself: it may hold a password. */
	return err_set(err, ERR_CONFIG,
	    "redis: not unix:/PATH, HOST:PORT, redis://[[USER]:PASSWORD@]HOST"
	    "[:PORT], rediss://..., sentinel:MASTER@HOST:PORT,... or "
	    "cluster:HOST:PORT,...");
}

void
store_url_fini(struct store_url *url)
{
	size_t i;

	for (i = 0; i < ADDRESSES_MAX && url->addresses != NULL; i++)
		free(url->addresses[i].host);
	free(url->addresses);
	free(url->user);
	if (url->password != NULL)
		secret_wipe(url->password, strlen(url->password));
	free(url->password);
	free(url->master);
	memset(url, 0, sizeof(*url));
}
