/*
 * arc_trust.c - does somebody we trust say that the author was proved?
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <string.h>

#include "mail/address.h"
#include "mail/authres.h"
#include "policy/arc_trust.h"

static bool
is_listed(const struct option_list *trusted, const char *sealer)
{
	size_t i;

	for (i = 0; i < trusted->count; i++)
		if (strcmp(trusted->items[i], sealer) == 0)
			return true;
	return false;
}

/* The domain in a value such as "a@b.example", "@b.example", "b.example". */
static const char *
domain_in(struct arena *arena, const char *value)
{
	const char *at = strrchr(value, '@'), *domain;

	return domain_normalize(arena, bytes_of(at != NULL ? at + 1 : value),
		   &domain, NULL) == 0
	    ? domain
	    : "";
}

/* Results that prove an author, where the property says of whom. */
static const struct {
	const char *method, *ptype, *property;
	bool exact; /* else the domain may be above or below */
} proofs[] = {
	{ "dmarc", "header", "from", true },
	{ "dkim", "header", "d", false },
	{ "dkim", "header", "i", false },
	{ "spf", "smtp", "mailfrom", false },
};

static bool
proves(struct arena *arena, const struct authres_result *result, size_t proof,
    const char *author)
{
	const struct authres_property_value *p;
	const char *domain;
	size_t i;

	if (strcmp(result->method, proofs[proof].method) != 0 ||
	    strcmp(result->result, "pass") != 0)
		return false;
	for (i = 0; i < result->property_count; i++) {
		p = &result->properties[i];
		if (strcmp(p->ptype, proofs[proof].ptype) != 0 ||
		    strcmp(p->property, proofs[proof].property) != 0)
			continue;
		domain = domain_in(arena, p->value);
		if (strcmp(domain, author) == 0)
			return true;
		if (!proofs[proof].exact && strchr(domain, '.') != NULL &&
		    (domain_is_within(domain, author) ||
			domain_is_within(author, domain)))
			return true;
	}
	return false;
}

/* A sealer who failed DMARC has the last word, whatever else passed. */
static bool
fails_dmarc(const struct authres_parsed *results)
{
	size_t i;

	for (i = 0; i < results->count; i++)
		if (strcmp(results->results[i].method, "dmarc") == 0 &&
		    strcmp(results->results[i].result, "fail") == 0)
			return true;
	return false;
}

static bool
vouches(struct arena *arena, const struct auth_arc_set *set, const char *author)
{
	struct authres_parsed results;
	size_t i, j;

	if (authres_parse(arena, set->results, &results, NULL) < 0 ||
	    fails_dmarc(&results))
		return false;
	for (i = 0; i < results.count; i++)
		for (j = 0; j < sizeof(proofs) / sizeof(proofs[0]); j++)
			if (proves(arena, &results.results[i], j, author))
				return true;
	return false;
}

enum arc_trust
arc_trust(struct arena *arena, const struct auth_arc *arc,
    const struct option_list *trusted, const char *author_domain,
    const char **sealer)
{
	size_t i = arc->count;

	*sealer = arc->sealer;
	if (!arc->trusted || arc->sets == NULL ||
	    !is_listed(trusted, arc->sealer))
		return ARC_TRUST_NONE;
	while (author_domain != NULL && i-- > 0 &&
	    is_listed(trusted, arc->sets[i].sealer))
		if (vouches(arena, &arc->sets[i], author_domain)) {
			*sealer = arc->sets[i].sealer;
			return ARC_TRUST_VOUCHES;
		}
	return ARC_TRUST_SILENT;
}
