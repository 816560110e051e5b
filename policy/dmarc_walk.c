/*
 * dmarc_walk.c - the DNS tree walk (RFC 9989 section 4.10).
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <string.h>

#include "policy/dmarc_walk.h"

/* Labels that are left when a long name is shortened. */
#define SHORT_LABELS 7

static size_t
label_count(const char *domain)
{
	size_t n = 1;

	for (; *domain != '\0'; domain++)
		if (*domain == '.')
			n++;
	return n;
}

/* The domain without its first label; NULL when that was the last one. */
static const char *
parent_of(const char *domain)
{
	const char *dot = strchr(domain, '.');

	return dot != NULL ? dot + 1 : NULL;
}

static const char *
next_domain(const char *domain)
{
	size_t labels = label_count(domain);

	do
		domain = parent_of(domain);
	while (domain != NULL && --labels > SHORT_LABELS);
	return domain;
}

struct dmarc_walk *
dmarc_walk_new(struct arena *arena, struct dns_set *dns, const char *domain)
{
	struct dmarc_walk *walk = arena_calloc(arena, 1, sizeof(*walk));

	walk->domain = domain;
	for (; domain != NULL && walk->count < DMARC_WALK_MAX;
	     domain = next_domain(domain)) {
		struct dmarc_step *step = &walk->steps[walk->count++];

		step->domain = domain;
		step->name = arena_printf(arena, "_dmarc.%s", domain);
		(void)dns_ask(dns, step->name, DNS_TXT);
	}
	return walk;
}

/* One policy record under a name; several are none (step 2). */
static void
read_step(struct arena *arena, const struct dns_answer *answer,
    struct dmarc_step *step)
{
	struct dmarc_record record;
	size_t i, n = 0;

	for (i = 0; i < answer->count; i++) {
		if (dmarc_record_read(arena, answer->records[i].text,
			&record) == 0)
			continue;
		step->record = record;
		n++;
	}
	step->found = n == 1;
}

static bool
is_stop(const struct dmarc_step *step)
{
	return step->found && step->record.psd != DMARC_PSD_UNKNOWN;
}

/*
 * A failure at the last step, a top-level domain, does not undo what was
 * found below it: such a domain has a record to say psd=y, if any, and the
 * policies of all domains in it must not hang on its servers.
 */
static bool
may_be_missed(const struct dmarc_walk *walk)
{
	size_t i;

	if (strchr(walk->steps[walk->taken].domain, '.') != NULL)
		return false;
	for (i = 0; i < walk->taken; i++)
		if (walk->steps[i].found)
			return true;
	return false;
}

enum dmarc_walk_state
dmarc_walk_run(struct arena *arena, struct dns_set *dns,
    struct dmarc_walk *walk)
{
	const struct dns_answer *answer;

	while (walk->state == DMARC_WALK_WAIT) {
		struct dmarc_step *step = &walk->steps[walk->taken];

		answer = dns_ask(dns, step->name, DNS_TXT);
		if (answer == NULL)
			break;
		if (dns_status_is_failure(answer->status) &&
		    !may_be_missed(walk)) {
			walk->problem = arena_printf(arena, "%s: DNS says %s",
			    step->name, dns_status_name(answer->status));
			walk->state = DMARC_WALK_FAILED;
			break;
		}
		read_step(arena, answer, step);
		if (is_stop(step) || ++walk->taken == walk->count)
			walk->state = DMARC_WALK_DONE;
	}
	return walk->state;
}

/* Section 4.10.2: where the records that were found place the organization.
 * psd=y at the start itself says nothing of where it starts. */
const char *
dmarc_walk_organization(const struct dmarc_walk *walk)
{
	const struct dmarc_step *highest = NULL, *step;
	const char *domain;
	size_t i;

	for (i = 0; i < walk->count; i++) {
		step = &walk->steps[i];
		if (!step->found)
			continue;
		if (step->record.psd == DMARC_PSD_NO)
			return step->domain;
		if (step->record.psd == DMARC_PSD_YES && i > 0) {
			/* One label more of the domain we began with. */
			for (domain = walk->domain; parent_of(domain) != NULL &&
			     strcmp(parent_of(domain), step->domain) != 0;)
				domain = parent_of(domain);
			return domain;
		}
		highest = step;
	}
	return highest != NULL ? highest->domain : walk->domain;
}

static const struct dmarc_step *
step_of(const struct dmarc_walk *walk, const char *domain)
{
	size_t i;

	for (i = 0; i < walk->count; i++)
		if (walk->steps[i].found &&
		    strcmp(walk->steps[i].domain, domain) == 0)
			return &walk->steps[i];
	return NULL;
}

const struct dmarc_step *
dmarc_walk_policy(const struct dmarc_walk *walk)
{
	const struct dmarc_step *step;
	size_t i;

	if (walk->steps[0].found)
		return &walk->steps[0];
	step = step_of(walk, dmarc_walk_organization(walk));
	if (step != NULL)
		return step;
	for (i = 0; i < walk->count; i++)
		if (walk->steps[i].found &&
		    walk->steps[i].record.psd == DMARC_PSD_YES)
			return &walk->steps[i];
	return NULL;
}
