/*
 * dmarc_authors.c - who wrote a message, as far as DMARC asks.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <string.h>

#include "base/str.h"
#include "base/utf8.h"
#include "mail/charset.h"
#include "mail/from.h"
#include "policy/dmarc_authors.h"

/* Octets of a display name that are looked at. */
#define NAME_LOOK_MAX 1024
/* Stands in decoded text for what must not be shown: among others for what
 * turns the direction of writing. */
#define REPLACEMENT "\xef\xbf\xbd"

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

/*
 * Does text read as a domain of the Internet?  With no other dots than full
 * width ones it must end in letters, as a sentence of Japanese may follow
 * an at sign, too.
 */
static bool
reads_as_domain(struct arena *arena, struct bytes text, const char **domain)
{
	const char *top;

	if (text.len == 0 || domain_normalize(arena, text, domain, NULL) < 0)
		return false;
	top = strrchr(*domain, '.');
	return top != NULL &&
	    (memchr(text.data, '.', text.len) != NULL ||
		strncmp(top, ".xn--", strlen(".xn--")) != 0);
}

/* Looks for an address whose domain is not an author's.  Blanks behind the
 * at sign deceive nobody but machines. */
static const char *
foreign_domain(struct arena *arena, const struct dmarc_authors *authors,
    const char *name)
{
	const char *domain;
	size_t at, len;

	while (*name != '\0') {
		at = at_sign(name);
		if (at == 0) {
			name++;
			continue;
		}
		name += at;
		while (*name == ' ')
			name++;
		for (len = 0;
		     is_domain_octet(name[len]) && at_sign(name + len) == 0;
		     len++)
			;
		if (reads_as_domain(arena,
			domain_at_start(arena, (struct bytes){ name, len }),
			&domain) &&
		    !is_of_author(authors, domain))
			return domain;
	}
	return NULL;
}

static const char *
without_replacements(struct arena *arena, const char *text)
{
	char *out = arena_alloc(arena, strlen(text) + 1), *p = out;

	while (*text != '\0')
		if (strncmp(text, REPLACEMENT, strlen(REPLACEMENT)) == 0)
			text += strlen(REPLACEMENT);
		else
			*p++ = *text++;
	*p = '\0';
	return out;
}

/* Character by character from the end. */
static const char *
backwards(struct arena *arena, const char *text)
{
	struct bytes rest = bytes_of(text);
	char *out = arena_alloc(arena, rest.len + 1), *p = out + rest.len;
	size_t n;

	*p = '\0';
	while (rest.len > 0) {
		n = utf8_char_len(rest);
		n = n > 0 ? n : 1;
		p -= n;
		memcpy(p, rest.data, n);
		rest.data += n;
		rest.len -= n;
	}
	return out;
}

/* The same in text for people, and as it would look if a character that is
 * not shown turned it round. */
static const char *
shown_domain(struct arena *arena, const struct dmarc_authors *authors,
    const char *text)
{
	const char *clean, *domain;

	if (strstr(text, REPLACEMENT) == NULL)
		return foreign_domain(arena, authors, text);
	clean = without_replacements(arena, text);
	domain = foreign_domain(arena, authors, clean);
	return domain != NULL
	    ? domain
	    : foreign_domain(arena, authors, backwards(arena, clean));
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
			authors->name_domain = shown_domain(arena, authors,
			    charset_phrase_text(arena, list->names[i],
				NAME_LOOK_MAX));
}

/*
 * "a@b"@c is an address at c.  Who does not know quotes or escapes well
 * takes it for one at b, and "x\" <a@b>"@c for a name and one at b: so
 * nobody writes but who means to deceive.
 */
static void
look_at_local_parts(struct arena *arena, struct dmarc_authors *authors,
    const struct from_list *list)
{
	const char *local, *domain;
	size_t i;

	for (i = 0; i < list->count; i++) {
		local = list->addresses[i].local;
		domain = foreign_domain(arena, authors, local);
		if (domain == NULL)
			continue;
		if (strpbrk(local, "<>") != NULL)
			malformed(authors, "From: an address in a local part");
		else if (authors->name_domain == NULL)
			authors->name_domain = domain;
	}
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
	look_at_local_parts(arena, authors, list);
	/* "MAILER-DAEMON" and "<>" are how many MTAs sign their bounces:
	 * nobody's domain, so nobody's domain is forged; but where the name
	 * shows one. */
	if (rc < 0 && list->anonymous &&
	    shown_domain(arena, authors,
		charset_phrase_text(arena, field->value, NAME_LOOK_MAX)) !=
		NULL)
		malformed(authors,
		    "From: an address in a name, and none behind it");
	else if (rc < 0 && list->anonymous)
		authors->problem = "no author domain in From";
	else if (rc < 0)
		malformed(authors, arena_printf(arena, "From: %s", err.text));
}

/* ---- Sender and the like ---- */

static void
add_other(struct dmarc_authors *authors, const char *domain)
{
	size_t i;

	if (!is_domain_name(domain) || is_of_author(authors, domain) ||
	    authors->other_count == DMARC_OTHERS_MAX)
		return;
	for (i = 0; i < authors->other_count; i++)
		if (strcmp(authors->others[i], domain) == 0)
			return;
	authors->others[authors->other_count++] = domain;
}

static void
read_others(struct arena *arena, struct dmarc_authors *authors,
    const struct header *header)
{
	static const char *const names[] = { "Sender", "Resent-From",
		"Resent-Sender" };
	const struct header_field *field;
	struct from_list *list = NULL;
	size_t i, j, k;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		for (j = 0; j < DMARC_OTHER_FIELDS_MAX; j++) {
			field = header_find(header, names[i], j);
			if (field == NULL)
				break;
			if (list == NULL)
				list = arena_calloc(arena, 1, sizeof(*list));
			/* Of a malformed one what was found will do. */
			(void)from_parse(arena, field->value, list, NULL);
			for (k = 0; k < list->count; k++)
				add_other(authors, list->addresses[k].domain);
		}
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
	read_others(arena, authors, header);
}
