/*
 * failure_sender.h - sends DMARC failure reports (RFC 9991).
 *
 * What milters described (quarantine/failures.h) is taken one by one; one
 * mail goes for each to all addresses of the policy that may have it.  It
 * is noted as begun before it goes, and goes at most once: what was taken
 * and then fails is not tried again.  While the server that takes our mail
 * is away nothing is taken.
 *
 * Ceilings (options dmarc_failure_...): mails within an hour, within a day,
 * and to one address within a day.  Of failures with the same condition one
 * an hour is reported, the others are counted and told of in the next one
 * (Incidents).  What is not sent is counted by its reason.
 *
 * A struct failure_sender belongs to one thread.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef WEBUI_FAILURE_SENDER_H
#define WEBUI_FAILURE_SENDER_H

#include "base/conf.h"
#include "base/err.h"
#include "quarantine/reports.h"

struct store;

/* Between two reports of the same condition. */
#define FAILURE_ALIKE_MS (3600 * (int64_t)1000)

struct failure_step {
	const char *message; /* our message id */
	const char *domain;  /* policy domain */
	const char *address; /* or "": all of them */
	/* REPORT_NEW: not sent, by us */
	enum report_state state;
	const char *detail; /* why, or the server's answer */
};

struct failure_run {
	void (*each)(void *context, const struct failure_step *step);
	void *context;
	/* asked before each; true ends the run.  NULL: never. */
	bool (*stop)(void *context);
	/* waits, not longer than until the stop; NULL: sleeps */
	void (*rest)(void *context, int64_t ms);
};

struct failure_sender;

/* ERR_CONFIG when report_from is not set.  Both borrowed. */
struct failure_sender *failure_sender_open(const struct conf *conf,
    struct store *store, struct err *err);
void failure_sender_close(struct failure_sender *sender);

/* Until there is nothing left: how many were taken, or -1: the store, the
 * file or the server is away. */
int failure_sender_run(struct failure_sender *sender,
    const struct failure_run *run, struct err *err);

#endif
