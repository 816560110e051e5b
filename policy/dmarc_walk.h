/*
 * dmarc_walk.h - the DNS tree walk (RFC 9989 section 4.10).
 *
 * From a domain up to the top: at most eight names, however many labels.
 * All of them are asked for at once when the walk is made; it is then run
 * as often as answers arrive.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef POLICY_DMARC_WALK_H
#define POLICY_DMARC_WALK_H

#include "base/dns.h"
#include "policy/dmarc_record.h"

#define DMARC_WALK_MAX 8

enum dmarc_walk_state {
	DMARC_WALK_WAIT,   /* answers are missing */
	DMARC_WALK_FAILED, /* one will not come: problem says which */
	DMARC_WALK_DONE
};

struct dmarc_step {
	const char *domain;
	const char *name; /* _dmarc.domain */
	bool found;
	struct dmarc_record record;
};

struct dmarc_walk {
	const char *domain;
	size_t count;
	struct dmarc_step steps[DMARC_WALK_MAX]; /* from the domain upwards */
	enum dmarc_walk_state state;
	size_t taken; /* steps known before the walk stopped or waits */
	const char *problem;
};

struct dmarc_walk *dmarc_walk_new(struct arena *arena, struct dns_set *dns,
    const char *domain);
enum dmarc_walk_state dmarc_walk_run(struct arena *arena, struct dns_set *dns,
    struct dmarc_walk *walk);

/* Of a walk that is done.  The domain itself when there is no record. */
const char *dmarc_walk_organization(const struct dmarc_walk *walk);
/* The step whose record applies to mail from the domain: its own, its
 * organization's, that of the public suffix above; NULL when none. */
const struct dmarc_step *dmarc_walk_policy(const struct dmarc_walk *walk);

#endif
