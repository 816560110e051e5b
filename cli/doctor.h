/*
 * doctor.h - what is amiss around Sekimori, why it matters, what mends it.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef CLI_DOCTOR_H
#define CLI_DOCTOR_H

#include "base/arena.h"
#include "base/conf.h"

#include "cli/postfix.h"

enum finding_level {
	FINDING_WRONG,  /* mail is lost, let through or broken */
	FINDING_ADVICE, /* it works, but not as well as it could */
};

struct finding {
	struct finding *next;
	enum finding_level level;
	const char *found; /* "milter_default_action = accept" */
	const char *why;
	const char *file; /* "main.cf": where the lines below go */
	const char *mend; /* the exact lines */
};

struct doctor {
	struct arena *arena;
	const struct conf *conf;
	const struct postfix *postfix;
	size_t checked; /* questions asked */
	size_t wrong, advice;
	struct finding *first, **end;
};

/* Asks everything; findings in the order of the rules. */
void doctor_postfix(struct doctor *doctor, struct arena *arena,
    const struct conf *conf, const struct postfix *postfix);

#endif
