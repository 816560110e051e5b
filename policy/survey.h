/*
 * survey.h - what a domain publishes for its mail, and what is wrong with it.
 *
 * SPF, DKIM keys, DMARC and MX are looked up as receivers do it, by the same
 * strict readers that judge mail.  What is found is said in words, each with
 * a name that stays ("spf.lookups") and a level, and with what to do.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef POLICY_SURVEY_H
#define POLICY_SURVEY_H

#include <jansson.h>

#include "base/arena.h"
#include "base/dns.h"

#define SURVEY_SELECTORS_MAX 32

struct survey_selector {
	const char *name;
	/* the key record that belongs to our private key; NULL: not ours */
	const char *record;
};

struct survey_request {
	const char *domain; /* A-labels, lower case */
	size_t selector_count;
	const struct survey_selector *selectors;
	int64_t until_ms; /* monotonic: answers after that do not count */
};

/* Waits for the DNS.  The model is described in doc/api.md; a new
 * reference. */
json_t *survey_domain(struct dns *dns, const struct survey_request *request);

/*
 * Adds the keys that we sign with for the domain (policy/keyring.h) to
 * *count selectors, of which there is room for SURVEY_SELECTORS_MAX; one that
 * is there already is taken as ours.  A directory that cannot be read has
 * none.
 */
void survey_add_own_keys(struct arena *arena, const char *dkim_dir,
    const char *domain, struct survey_selector *selectors, size_t *count);

/* Each finding there is: "id", "level", "text" and "advice" as they stand
 * before %1 and %2 are filled in.  For the catalogues of translations. */
json_t *survey_words(void);

#endif
