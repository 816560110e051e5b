/*
 * http_fields.h - what stands in the fields of a request's header.
 *
 * Pure functions over hostile text; what they give is in the arena.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef WEBUI_HTTP_FIELDS_H
#define WEBUI_HTTP_FIELDS_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/netaddr.h"

/* The value of a cookie in a Cookie field (RFC 6265), the first one of the
 * name; NULL: not there, or not made of the octets a cookie may have. */
const char *http_cookie(struct arena *arena, const char *field,
    const char *name);

/* Does the client want the model rather than a page?  Only who names
 * application/json and not text/html does. */
bool http_wants_json(const char *accept);

/* Is a tag of If-None-Match (RFC 9110 section 13.1.2) this one? */
bool http_etag_matches(const char *field, const char *etag);

/*
 * May a browser be sent there?  A path of this server, with or without a
 * query: one slash at its start, nothing that a browser would take for
 * another host, no controls.
 */
bool http_path_is_local(const char *path);

/* The origin "scheme://host[:port]" of a URL, in lower case, without the
 * port that the scheme implies; NULL: not http or https, or malformed. */
const char *http_origin_of(struct arena *arena, const char *url);

/* The path and query of a URL of this origin (as http_origin_of gives it);
 * NULL: of another one, or no path that is local. */
const char *http_path_of(struct arena *arena, const char *url,
    const char *origin);

/* HOST or HOST:PORT as a Host field may have it. */
bool http_host_is_valid(const char *host);
/* Is it an IP address or localhost?  DNS cannot lead a browser there under
 * a name of an attacker's. */
bool http_host_is_address(const char *host);

/*
 * Who asks: peer, or if that is a trusted proxy the last address of
 * X-Forwarded-For that is none; peer itself when the field is malformed.
 * peer IP_NONE (a unix socket) is trusted.
 */
struct ip http_client(const struct ip *peer, const char *forwarded,
    const struct network *trusted, size_t n);
bool http_is_trusted(const struct ip *peer, const struct network *trusted,
    size_t n);

/* The value of Content-Disposition (RFC 6266, 8187) for a download. */
const char *http_disposition(struct arena *arena, const char *filename);

#endif
