/*
 * report_thread.c - the threads that send DMARC reports.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "quarantine/failures.h"
#include "quarantine/reports.h"

#include "webui/api.h"
#include "webui/failure_sender.h"
#include "webui/report_mailbox.h"
#include "webui/report_sender.h"
#include "webui/report_thread.h"

#define DAY_S 86400
/* Behind the end of a day: events may be late. */
#define DELAY_S 3600
/* Days that are looked at. */
#define DAYS_BACK 2
#define LOOK_MS 60000
#define FAILURES_LOOK_MS 5000
/* After a run that left something to try, or that failed. */
#define RETRY_MS (900 * (int64_t)1000)
#define EXPIRE_MS (DAY_S * (int64_t)1000)

struct report_thread {
	struct api *api;
	const struct conf *conf; /* the api's */
	pthread_t thread, failures;
	bool with_failures; /* there is that thread */
	pthread_mutex_t lock;
	pthread_cond_t stopped; /* stopping was set */
	bool stopping;
	/* of the first thread */
	int64_t done_s[DAYS_BACK]; /* days known to be done */
	int64_t next_ms, expire_ms;
	bool failing, mail_failing; /* and it has been said */
	/* of the second */
	bool failures_failing;
};

static bool
is_stopping(void *context)
{
	struct report_thread *thread = context;
	bool stopping;

	pthread_mutex_lock(&thread->lock);
	stopping = thread->stopping;
	pthread_mutex_unlock(&thread->lock);
	return stopping;
}

/* Sleeps, but not longer than until the stop. */
static void
rest(void *context, int64_t ms)
{
	struct report_thread *thread = context;
	struct timespec until = clock_mono_timespec(clock_mono_ms() + ms);

	pthread_mutex_lock(&thread->lock);
	while (!thread->stopping &&
	    pthread_cond_timedwait(&thread->stopped, &thread->lock, &until) !=
		ETIMEDOUT)
		continue;
	pthread_mutex_unlock(&thread->lock);
}

static struct reports *
open_reports(const struct report_thread *thread, struct err *err)
{
	char *file = xprintf("%s/reports.db", thread->conf->state_dir);
	struct reports *reports = reports_open(file, err);

	free(file);
	return reports;
}

/* ---- a day ---- */

static void
log_step(void *context, const struct report_step *step)
{
	struct log_line line;

	(void)context;
	if (step->fate == FATE_ALREADY)
		return;
	log_line_init(&line, LOG_LEVEL_INFO, "dmarc-report");
	log_field(&line, "domain", step->domain);
	log_field(&line, "to", step->address);
	log_field(&line, "status", report_fate_name(step->fate));
	log_field_int(&line, "messages", (int64_t)step->messages);
	if (step->detail[0] != '\0')
		log_field(&line, "detail", step->detail);
	log_line_end(&line);
}

static bool
is_done(const struct report_thread *thread, int64_t day_s)
{
	size_t i;

	for (i = 0; i < DAYS_BACK; i++)
		if (thread->done_s[i] == day_s)
			return true;
	return false;
}

static void
set_done(struct report_thread *thread, int64_t day_s)
{
	size_t i, oldest = 0;

	for (i = 1; i < DAYS_BACK; i++)
		if (thread->done_s[i] < thread->done_s[oldest])
			oldest = i;
	thread->done_s[oldest] = day_s;
}

/* 0 done, 1 to be tried again. */
static int
send_day(struct report_thread *thread, int64_t day_s)
{
	const struct report_run run = { .day_s = day_s,
		.each = log_step,
		.context = thread,
		.stop = is_stopping,
		.rest = rest };
	struct report_sender *sender;
	struct err err;
	int left = -1;

	sender = report_sender_open(thread->conf, &err);
	if (sender != NULL)
		left = report_sender_run(sender, &run, &err);
	report_sender_close(sender);
	if (left < 0 && !thread->failing)
		log_warn("DMARC reports: waiting: %s", err.text);
	thread->failing = left < 0;
	if (left != 0)
		return 1;
	set_done(thread, day_s);
	return 0;
}

static void
send_days(struct report_thread *thread)
{
	int64_t today_s = report_day_of(clock_wall_s() - DELAY_S), day_s;
	int i;

	if (!thread->conf->dmarc_reports || clock_mono_ms() < thread->next_ms)
		return;
	for (i = DAYS_BACK; i >= 1; i--) {
		day_s = today_s - (int64_t)i * DAY_S;
		if (is_stopping(thread) || is_done(thread, day_s))
			continue;
		if (send_day(thread, day_s) > 0)
			thread->next_ms = clock_mono_ms() + RETRY_MS;
	}
}

/* ---- failures ---- */

static void
log_failure(void *context, const struct failure_step *step)
{
	struct log_line line;

	(void)context;
	log_line_init(&line, LOG_LEVEL_INFO, step->message);
	log_field(&line, "failure-report", step->domain);
	log_field(&line, "to", step->address);
	log_field(&line, "status",
	    step->state == REPORT_NEW ? "not-sent"
				      : report_state_name(step->state));
	if (step->detail[0] != '\0')
		log_field(&line, "detail", step->detail);
	log_line_end(&line);
}

/* Opened when there is something to send, so that keys are those of now. */
static int
send_failures(struct report_thread *thread, struct err *err)
{
	const struct failure_run run = { .each = log_failure,
		.context = thread,
		.stop = is_stopping,
		.rest = rest };
	struct failure_sender *sender;
	int64_t n = failures_count(thread->api->store, err);
	int rc = -1;

	if (n <= 0)
		return n < 0 ? -1 : 0;
	sender = failure_sender_open(thread->conf, thread->api->store, err);
	if (sender != NULL)
		rc = failure_sender_run(sender, &run, err);
	failure_sender_close(sender);
	return rc < 0 ? -1 : 0;
}

static void *
run_failures(void *context)
{
	struct report_thread *thread = context;
	struct err err;
	int rc;

	while (!is_stopping(thread)) {
		rc = send_failures(thread, &err);
		if (rc < 0 && !thread->failures_failing)
			log_warn("failure reports: waiting: %s", err.text);
		thread->failures_failing = rc < 0;
		rest(thread, FAILURES_LOOK_MS);
	}
	return NULL;
}

/* ---- what comes by mail ---- */

static void
read_mail(struct report_thread *thread)
{
	struct reports *reports;
	struct err err;
	int n = -1;

	if (thread->conf->reports_address[0] == '\0')
		return;
	reports = open_reports(thread, &err);
	if (reports != NULL)
		n = report_mailbox_read(thread->api, reports, is_stopping,
		    thread, &err);
	reports_close(reports);
	if (n < 0 && !thread->mail_failing)
		log_warn("reports_address: waiting: %s", err.text);
	else if (n > 0)
		log_info("reports_address: read %d mails", n);
	thread->mail_failing = n < 0;
}

/* ---- expiry ---- */

static void
expire(struct report_thread *thread)
{
	struct reports *reports;
	int64_t removed = -1;
	struct err err;

	if (clock_mono_ms() < thread->expire_ms)
		return;
	thread->expire_ms = clock_mono_ms() + EXPIRE_MS;
	reports = open_reports(thread, &err);
	if (reports != NULL)
		removed = reports_expire(reports,
		    (unsigned)thread->conf->history_days, &err);
	reports_close(reports);
	if (removed < 0)
		log_error("old reports were not removed: %s", err.text);
	else if (removed > 0)
		log_info("removed %" PRId64 " old reports", removed);
}

/* ---- the thread ---- */

static void *
run_thread(void *context)
{
	struct report_thread *thread = context;

	thread->expire_ms = clock_mono_ms() + RETRY_MS;
	while (!is_stopping(thread)) {
		read_mail(thread);
		send_days(thread);
		expire(thread);
		rest(thread, LOOK_MS);
	}
	return NULL;
}

static void
thread_free(struct report_thread *thread)
{
	pthread_cond_destroy(&thread->stopped);
	pthread_mutex_destroy(&thread->lock);
	free(thread);
}

/* Tells the threads that run, and waits for their end. */
static void
end_threads(struct report_thread *thread, bool with_first)
{
	pthread_mutex_lock(&thread->lock);
	thread->stopping = true;
	pthread_cond_broadcast(&thread->stopped);
	pthread_mutex_unlock(&thread->lock);
	if (with_first)
		pthread_join(thread->thread, NULL);
	if (thread->with_failures)
		pthread_join(thread->failures, NULL);
	thread_free(thread);
}

static bool
wants_failures(const struct conf *conf)
{
	return conf->dmarc_failure_reports && conf->report_from[0] != '\0';
}

struct report_thread *
report_thread_start(struct api *api, struct err *err)
{
	const struct conf *conf = api->conf;
	struct report_thread *thread = xcalloc(1, sizeof(*thread));
	int rc = 0;

	thread->api = api;
	thread->conf = conf;
	pthread_mutex_init(&thread->lock, NULL);
	clock_cond_init(&thread->stopped);
	if ((conf->dmarc_reports || conf->dmarc_failure_reports) &&
	    conf->report_from[0] == '\0')
		log_error("DMARC reports are to be sent, but report_from is "
			  "not set: none are");
	if (wants_failures(conf))
		rc = pthread_create(&thread->failures, NULL, run_failures,
		    thread);
	thread->with_failures = wants_failures(conf) && rc == 0;
	if (rc == 0)
		rc = pthread_create(&thread->thread, NULL, run_thread, thread);
	if (rc == 0)
		return thread;
	err_set(err, ERR_TEMP, "thread: %s", strerror(rc));
	end_threads(thread, false);
	return NULL;
}

void
report_thread_stop(struct report_thread *thread)
{
	if (thread != NULL)
		end_threads(thread, true);
}
