/*
 * scan.c - one run of the checks over a transaction.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <assert.h>

#include "policy/scan.h"

/* Order is meaning: a check may read what those above it have found. */
static const struct check *const checks[] = {
	&check_body,
	&check_iprev,
	&check_spf,
	&check_dkim,
	&check_arc,
	&check_dmarc,
};

#define CHECKS (sizeof(checks) / sizeof(checks[0]))

struct scan *
scan_new(struct arena *arena, struct dns *dns, const struct envelope *envelope,
    const struct settings *settings, const char *authserv_id)
{
	struct scan *scan = arena_calloc(arena, 1, sizeof(*scan));

	scan->arena = arena;
	scan->dns = dns_set_new(dns);
	scan->envelope = envelope;
	scan->settings = settings;
	scan->authserv_id = authserv_id;
	scan->stage = SCAN_MAIL;
	scan->inbound_checks = true;
	return scan;
}

void
scan_fini(struct scan *scan)
{
	size_t i;

	if (scan == NULL)
		return;
	for (i = 0; i < CHECKS; i++)
		if (checks[i]->fini != NULL)
			checks[i]->fini(scan);
	dns_set_free(scan->dns);
	scan->dns = NULL;
}

/* One pass is enough: a check depends only on those above it. */
static void
scan_step(struct scan *scan)
{
	size_t i;

	if (!scan->inbound_checks)
		return;
	for (i = 0; i < CHECKS; i++)
		if (!scan->done[checks[i]->id] &&
		    checks[i]->step(scan) == CHECK_DONE)
			scan->done[checks[i]->id] = true;
}

void
scan_reach(struct scan *scan, enum scan_stage stage)
{
	scan->stage = stage;
	scan_step(scan);
}

void
scan_poll(struct scan *scan)
{
	if (dns_set_has_news(scan->dns))
		scan_step(scan);
}

void
scan_body(struct scan *scan, struct bytes piece)
{
	size_t i;

	if (!scan->inbound_checks)
		return;
	for (i = 0; i < CHECKS; i++)
		if (checks[i]->body != NULL)
			checks[i]->body(scan, piece);
}

bool
scan_is_waiting(const struct scan *scan)
{
	size_t i;

	if (!scan->inbound_checks)
		return false;
	for (i = 0; i < CHECKS; i++)
		if (!scan->done[checks[i]->id])
			return true;
	return false;
}

void
scan_finish(struct scan *scan, int64_t until_ms)
{
	int arrived;

	if (scan->stage != SCAN_END)
		scan_reach(scan, SCAN_END);
	while (scan_is_waiting(scan)) {
		arrived = dns_set_wait(scan->dns, until_ms);
		scan_step(scan);
		/* A check that waits for nothing would wait for ever. */
		assert(arrived > 0 || dns_set_pending(scan->dns) > 0 ||
		    !scan_is_waiting(scan));
	}
}
