/*
 * said_spf.c - SPF that says what the test tells it to, and no iprev.
 *
 * Linked in, it takes the place of the checks in the library.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include "tests/policy/mail_lab.h"

static enum check_state
spf_step(struct scan *scan)
{
	const struct lab *lab =
	    (const struct lab *)((const char *)scan->envelope -
		offsetof(struct lab, envelope));

	scan->auth.spf = lab->spf;
	return CHECK_DONE;
}

static enum check_state
iprev_step(struct scan *scan)
{
	(void)scan;
	return CHECK_DONE;
}

const struct check check_spf = {
	.id = CHECK_SPF,
	.name = "spf",
	.step = spf_step,
};
const struct check check_iprev = {
	.id = CHECK_IPREV,
	.name = "iprev",
	.step = iprev_step,
};
