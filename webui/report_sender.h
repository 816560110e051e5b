/*
 * report_sender.h - sends the DMARC aggregate reports of a day.
 *
 * One mail for each policy domain, to all addresses of it that may have one
 * (those that take no such size and those tried again apart), by the release
 * listener or report_relay.  For each address it is noted as begun before it
 * goes and as sent behind it (quarantine/reports.h): who dies in between
 * sends it once more, under the same names, and never a third time.  One
 * process sends at a time.
 *
 * A struct report_sender belongs to one thread.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef WEBUI_REPORT_SENDER_H
#define WEBUI_REPORT_SENDER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/conf.h"
#include "base/err.h"

/* What became of a report to one address. */
enum report_fate {
	FATE_WOULD_SEND, /* a dry run */
	FATE_SENT,
	FATE_ALREADY, /* sent before */
	FATE_SKIPPED, /* by us: report_skip, no consent, too large */
	FATE_REFUSED, /* by them, for good */
	FATE_LATER,   /* may be tried again */
};
const char *report_fate_name(enum report_fate fate);

struct report_step {
	const char *domain;  /* policy domain */
	const char *address; /* as published, or as consented to; "" */
	enum report_fate fate;
	const char *detail; /* why, or the server's answer; "" */
	uint64_t messages;
	size_t records;
	struct bytes xml; /* the report; only in a dry run */
};

struct report_run {
	int64_t day_s;
	const char *domain; /* NULL: all */
	bool dry_run;
	void (*each)(void *context, const struct report_step *step);
	void *context;
	/* asked often; true ends the run.  NULL: never. */
	bool (*stop)(void *context);
	/* waits, not longer than until the stop; NULL: sleeps */
	void (*rest)(void *context, int64_t ms);
};

struct report_sender;

/* ERR_CONFIG when report_from is not set.  conf: borrowed. */
struct report_sender *report_sender_open(const struct conf *conf,
    struct err *err);
void report_sender_close(struct report_sender *sender);

/*
 * Goes through a day.  Returns how many reports wait for another try, or
 * -1: ERR_TEMP also when another process is at it.  A whole day that is
 * over and leaves nothing to try is noted as done; then nothing is looked
 * at again.
 */
int report_sender_run(struct report_sender *sender,
    const struct report_run *run, struct err *err);

/* The beginning of the day (UTC) that a time lies in. */
int64_t report_day_of(int64_t time_s);

#endif
