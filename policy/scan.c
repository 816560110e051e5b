/*
 * scan.c - one run of the checks over a transaction.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <assert.h>

#include "base/clock.h"
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

const char *
check_name(enum check_id id)
{
	size_t i;

	for (i = 0; i < CHECKS; i++)
		if (checks[i]->id == id)
			return checks[i]->name;
	return NULL;
}

/* Notes what the check took; returns the time it is now. */
static int64_t
spent(struct scan *scan, const struct check *check, int64_t since_us)
{
	int64_t now_us = clock_mono_us();

	scan->spent_us[check->id] += now_us - since_us;
	return now_us;
}

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

/* Of our own user's mail only the body is looked at, for who signs it. */
static bool
is_asked(const struct scan *scan, const struct check *check)
{
	return scan->inbound_checks || check->id == CHECK_BODY;
}

/* One pass is enough: a check depends only on those above it. */
static void
scan_step(struct scan *scan)
{
	int64_t now_us = clock_mono_us();
	size_t i;

	for (i = 0; i < CHECKS; i++) {
		if (!is_asked(scan, checks[i]) || scan->done[checks[i]->id])
			continue;
		scan->done[checks[i]->id] = checks[i]->step(scan) == CHECK_DONE;
		now_us = spent(scan, checks[i], now_us);
	}
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
	int64_t now_us = clock_mono_us();
	size_t i;

	for (i = 0; i < CHECKS; i++) {
		if (!is_asked(scan, checks[i]) || checks[i]->body == NULL)
			continue;
		checks[i]->body(scan, piece);
		now_us = spent(scan, checks[i], now_us);
	}
}

bool
scan_is_waiting(const struct scan *scan)
{
	size_t i;

	for (i = 0; i < CHECKS; i++)
		if (is_asked(scan, checks[i]) && !scan->done[checks[i]->id])
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
