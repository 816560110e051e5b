/*
 * dmarc_authors.c - who wrote a message, as far as DMARC asks.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <string.h>

#include "base/str.h"
#include "mail/charset.h"
#include "mail/from.h"
#include "policy/dmarc_authors.h"

/* Octets of a display name that are looked at. */
#define NAME_LOOK_MAX 1024

static void
malformed(struct dmarc_authors *authors, const char *problem)
{
	authors->malformed = true;
	if (authors->problem == NULL)
		authors->problem = problem;
}

static bool
is_domain_name(const char *domain)
{
	return domain[0] != '\0' && domain[0] != '[';
}

static void
add_domain(struct dmarc_authors *authors, const char *domain)
{
	size_t i;

	for (i = 0; i < authors->count; i++)
		if (strcmp(authors->domains[i], domain) == 0)
			return;
	if (authors->count == DMARC_AUTHORS_MAX)
		malformed(authors, "too many author domains");
	else
		authors->domains[authors->count++] = domain;
}

static void
add_addresses(struct arena *arena, struct dmarc_authors *authors,
    const struct from_list *list)
{
	struct address *all = arena_calloc(arena,
	    authors->address_count + list->count, sizeof(*all));
	size_t i;

	for (i = 0; i < authors->address_count; i++)
		all[i] = authors->addresses[i];
	for (i = 0; i < list->count; i++) {
		all[authors->address_count++] = list->addresses[i];
		if (is_domain_name(list->addresses[i].domain))
			add_domain(authors, list->addresses[i].domain);
	}
	authors->addresses = all;
}

/* ---- addresses in display names ---- */

/* Length of a sign that reads as "@" at p: itself, the full-width one, the
 * small one; or 0. */
static size_t
at_sign(const char *p)
{
	if (*p == '@')
		return 1;
	if (strncmp(p, "\xef\xbc\xa0", 3) == 0 ||
	    strncmp(p, "\xef\xb9\xab", 3) == 0)
		return 3;
	return 0;
}

static bool
is_domain_octet(char c)
{
	return ascii_is_alnum(c) || c == '.' || c == '-' || c == '_' ||
	    (c & 0x80) != 0;
}

/* Belongs the domain to an author, or is one part of the other? */
static bool
is_of_author(const struct dmarc_authors *authors, const char *domain)
{
	size_t i;

	for (i = 0; i < authors->count; i++)
		if (domain_is_within(domain, authors->domains[i]) ||
		    domain_is_within(authors->domains[i], domain))
			return true;
	return false;
}

/* Looks for an address whose domain is not an author's. */
static const char *
foreign_domain(struct arena *arena, const struct dmarc_authors *authors,
    const char *name)
{
	const char *domain;
	size_t at, len;

	for (; *name != '\0'; name++) {
		at = at_sign(name);
		if (at == 0)
			continue;
		name += at;
		for (len = 0; is_domain_octet(name[len]); len++)
			;
		if (memchr(name, '.', len) != NULL &&
		    domain_normalize(arena, (struct bytes){ name, len },
			&domain, NULL) == 0 &&
		    strchr(domain, '.') != NULL &&
		    !is_of_author(authors, domain))
			return domain;
		if (*name == '\0')
			break;
	}
	return NULL;
}

/* May the name hold an address, plainly or encoded? */
static bool
is_suspicious(struct bytes name)
{
	size_t i;

	for (i = 0; i < name.len; i++)
		if (name.data[i] == '@' || name.data[i] == '=' ||
		    (name.data[i] & 0x80) != 0 || name.data[i] == '\x1b')
			return true;
	return false;
}

static void
look_at_names(struct arena *arena, struct dmarc_authors *authors,
    const struct from_list *list)
{
	size_t i;

	for (i = 0; i < list->count && authors->name_domain == NULL; i++)
		if (is_suspicious(list->names[i]))
			authors->name_domain = foreign_domain(arena, authors,
			    charset_phrase_text(arena, list->names[i],
				NAME_LOOK_MAX));
}

/* ---- the fields ---- */

static void
read_field(struct arena *arena, struct dmarc_authors *authors,
    const struct header_field *field)
{
	struct from_list *list = arena_calloc(arena, 1, sizeof(*list));
	struct err err;
	int rc = from_parse(arena, field->value, list, &err);

	add_addresses(arena, authors, list);
	look_at_names(arena, authors, list);
	/* "MAILER-DAEMON" and "<>" are how many MTAs sign their bounces:
	 * nobody's domain, so nobody's domain is forged. */
	if (rc < 0 && list->anonymous)
		authors->problem = "no author domain in From";
	else if (rc < 0)
		malformed(authors, arena_printf(arena, "From: %s", err.text));
}

void
dmarc_authors_read(struct arena *arena, const struct header *header,
    struct dmarc_authors *authors)
{
	size_t i, n = header_count_named(header, "from");

	memset(authors, 0, sizeof(*authors));
	if (n == 0)
		malformed(authors, "no From header");
	if (n > 1)
		malformed(authors, "more than one From header");
	for (i = 0; i < n && i < DMARC_FROM_FIELDS_MAX; i++)
		read_field(arena, authors, header_find(header, "from", i));
	if (authors->count == 0 && authors->problem == NULL)
		authors->problem = "no author domain in From";
}
