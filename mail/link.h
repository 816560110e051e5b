/*
 * link.h - where a link leads, in words that cannot deceive.
 *
 * The target of a link is read as browsers read it: white space and control
 * characters in it dropped, backslashes as slashes, the host behind any
 * "user@".  Text for people is ASCII, but for the host in its own script
 * where that is safe.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef MAIL_LINK_H
#define MAIL_LINK_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/buf.h"

/* Of what stands behind the host, as it is shown; a longer one ends with
 * "...".  The host is whole. */
#define LINK_PATH_MAX 100
/* Of a target as it is read. */
#define LINK_BYTES_MAX 8192

struct link {
	const char *scheme;  /* lower case; "" for a relative one */
	const char *host;    /* A-labels in lower case, no port; or "" */
	const char *display; /* host as people write it; as host when the
			      * same, or when that is not safe */
	const char *text;    /* the target, for people */
	bool web;            /* http or https with a host */
	bool credentials;    /* something stands before an "@" */
};

/* What href says, relative to base (or NULL).  Everything in the arena. */
void link_read(struct arena *arena, struct bytes href, const char *base,
    struct link *link);

/*
 * Does the text that people click name another host than the link leads to?
 * Text that names none deceives nobody.  Hosts are the same, too, when one
 * is below the other.
 */
bool link_deceives(struct arena *arena, struct bytes text,
    const struct link *link);

#endif
