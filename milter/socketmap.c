/*
 * socketmap.c - what Postfix asks about the directory, and our answers.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <string.h>

#include "base/arena.h"
#include "base/str.h"
#include "mail/address.h"
#include "policy/settings.h"

#include "milter/socketmap.h"

#define NOT_FOUND "NOTFOUND "

/* One question, taken apart. */
struct question {
	struct arena *arena;
	const struct settings *settings;
	const char *delimiter;
	struct bytes key;
	struct address address; /* "" where the key has no such part */
	struct buf *out;
};

static int
reply(struct question *q, const char *text)
{
	return buf_append_str(q->out, text);
}

/* ---- relay_domains ---- */

static int
answer_relay_domains(struct question *q)
{
	if (q->address.domain[0] == '\0' || q->address.local[0] != '\0' ||
	    !settings_has_domain(q->settings, q->address.domain))
		return reply(q, NOT_FOUND);
	return buf_printf(q->out, "OK %s", q->address.domain);
}

/* ---- transport ---- */

/* "[host]:port" asks for the host itself, "host:port" for its MX. */
static int
append_route(struct buf *out, const struct directory_route *route)
{
	bool itself = !route->lookup_mx || strchr(route->host, ':') != NULL;

	return buf_printf(out, itself ? "[%s]:%u" : "%s:%u", route->host,
	    route->port);
}

/* Postfix (3.5 and later) tries the destinations in the order given. */
static int
answer_transport(struct question *q)
{
	const struct directory_route *routes;
	size_t n, i;

	if (q->address.domain[0] == '\0')
		return reply(q, NOT_FOUND);
	n = directory_routes(q->settings, q->address.domain, &routes);
	if (n == 0)
		return reply(q, NOT_FOUND);
	if (reply(q, "OK relay:") < 0)
		return -1;
	for (i = 0; i < n; i++)
		if ((i > 0 && reply(q, ", ") < 0) ||
		    append_route(q->out, &routes[i]) < 0)
			return -1;
	return 0;
}

/* ---- recipients, aliases ---- */

static int
answer_recipients(struct question *q)
{
	struct directory_result result;

	if (q->address.local[0] == '\0' || q->address.domain[0] == '\0')
		return reply(q, NOT_FOUND);
	switch (directory_resolve(q->settings, q->arena, &q->address,
	    q->delimiter, &result)) {
	case DIRECTORY_FOUND:
		return buf_printf(q->out, "OK %s", q->address.key);
	case DIRECTORY_BROKEN:
		return reply(q, "TEMP alias circle, or too many steps");
	default:
		return reply(q, NOT_FOUND);
	}
}

/* Is mailbox the address itself, but for an extension ("user+tag")? */
static bool
is_same_user(const struct question *q, const char *mailbox)
{
	size_t len = strcspn(mailbox, "@");
	const char *key = q->address.key;

	if (strcmp(mailbox, key) == 0)
		return true;
	return strcmp(mailbox + len + (mailbox[len] == '@'),
		   q->address.domain) == 0 &&
	    strncmp(mailbox, key, len) == 0 && key[len] != '\0' &&
	    strchr(q->delimiter, key[len]) != NULL;
}

static int
answer_aliases(struct question *q)
{
	struct directory_result result;
	size_t i;

	if (q->address.local[0] == '\0' || q->address.domain[0] == '\0')
		return reply(q, NOT_FOUND);
	switch (directory_resolve(q->settings, q->arena, &q->address,
	    q->delimiter, &result)) {
	case DIRECTORY_FOUND:
		break;
	case DIRECTORY_BROKEN:
		return reply(q, "TEMP alias circle, or too many steps");
	default:
		return reply(q, NOT_FOUND);
	}
	/* An extension is left to the server behind us. */
	if (result.count == 0 ||
	    (result.count == 1 && is_same_user(q, result.mailboxes[0])))
		return reply(q, NOT_FOUND);
	if (reply(q, "OK ") < 0)
		return -1;
	for (i = 0; i < result.count; i++)
		if ((i > 0 && reply(q, ", ") < 0) ||
		    address_append_key(q->out, result.mailboxes[i]) < 0)
			return -1;
	return 0;
}

static const struct {
	struct bytes name;
	int (*answer)(struct question *);
} maps[] = {
	{ BYTES_LIT("aliases"), answer_aliases },
	{ BYTES_LIT("recipients"), answer_recipients },
	{ BYTES_LIT("relay_domains"), answer_relay_domains },
	{ BYTES_LIT("transport"), answer_transport },
};

/* ---- the request ---- */

/*
 * "user@domain" or "domain".  What cannot be an address or a domain of
 * ours (`*`, `<>`, ".domain", "@domain", "name" for a map of addresses)
 * leaves both parts empty: nothing is found then.
 */
static void
split_key(struct question *q)
{
	const struct address nothing = { "", "", "", "" };
	struct bytes key = q->key, local, domain;
	const char *at = memrchr(key.data, '@', key.len);

	q->address = nothing;
	if (key.len == 0 || memchr(key.data, '\0', key.len) != NULL)
		return;
	if (at == NULL) {
		if (domain_normalize(q->arena, key, &q->address.domain, NULL) <
		    0)
			q->address = nothing;
		return;
	}
	/* Postfix asks for `a b@domain` and for `"a b"@domain`. */
	if (address_parse(q->arena, key, &q->address, NULL) == 0)
		return;
	local = (struct bytes){ key.data, (size_t)(at - key.data) };
	domain =
	    (struct bytes){ at + 1, (size_t)(key.data + key.len - at - 1) };
	if (local.len == 0 ||
	    address_make(q->arena, local, domain, &q->address, NULL) < 0)
		q->address = nothing;
}

static int
answer_map(struct question *q, struct bytes map)
{
	size_t i;

	for (i = 0; i < sizeof(maps) / sizeof(maps[0]); i++)
		if (bytes_equal(maps[i].name, map))
			break;
	if (i == sizeof(maps) / sizeof(maps[0]))
		return reply(q, "PERM no such map");
	if (q->settings == NULL)
		return reply(q, "TEMP the directory is not loaded yet");
	split_key(q);
	return maps[i].answer(q);
}

int
socketmap_answer(const struct settings *settings, const char *delimiter,
    struct bytes request, struct buf *out)
{
	struct question q = { .settings = settings,
		.delimiter = delimiter,
		.out = out };
	const char *space = memchr(request.data, ' ', request.len);
	struct bytes map;
	int rc;

	if (space == NULL)
		return buf_append_str(out, "PERM the request has no key");
	map = (struct bytes){ request.data, (size_t)(space - request.data) };
	q.key = (struct bytes){ space + 1, request.len - map.len - 1 };
	q.arena = arena_new(0);
	rc = answer_map(&q, map);
	arena_free(q.arena);
	return rc;
}
