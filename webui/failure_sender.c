/*
 * failure_sender.c - sends DMARC failure reports.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "mail/smtp.h"
#include "policy/failure_mail.h"
#include "quarantine/failures.h"
#include "webui/failure_sender.h"
#include "webui/report_post.h"

#define HOUR_MS (3600 * (int64_t)1000)
#define DAY_MS (24 * HOUR_MS)
#define DETAIL_MAX (SMTP_REPLY_TEXT_SIZE + ERR_TEXT_MAX)

struct failure_sender {
	const struct conf *conf;
	struct store *store;
	struct report_post *post;
	struct reports *reports;
};

/* Why one is not sent: the word it is counted by, and what is told. */
enum left {
	LEFT_NOT,
	LEFT_DAMAGED,
	LEFT_OLD,
	LEFT_SKIPPED,
	LEFT_ALIKE,
	LEFT_CEILING,
	LEFT_ADDRESS,
	LEFT_CEILING_ONE,
	LEFT_CONSENT,
	LEFT_DNS,
	LEFT_SIZE,
	LEFT_AGAIN,
};

static const struct {
	const char *word, *text;
} left_words[] = {
	[LEFT_NOT] = { "", "" },
	[LEFT_DAMAGED] = { "damaged", "its description makes no sense" },
	[LEFT_OLD] = { "old", "it waited for more than a day" },
	[LEFT_SKIPPED] = { "skipped", "report_skip names the domain" },
	[LEFT_ALIKE] = { "alike", "one like it was reported within the hour" },
	[LEFT_CEILING] = { "ceiling", "the ceiling for all is reached" },
	[LEFT_ADDRESS] = { "address", "the address is none" },
	[LEFT_CEILING_ONE] = { "ceiling-address",
	    "the ceiling for the address is reached" },
	[LEFT_CONSENT] = { "consent",
	    "its domain does not say that it takes them" },
	[LEFT_DNS] = { "dns", "the DNS did not say whether it takes them" },
	[LEFT_SIZE] = { "size", "it is larger than the address takes" },
	[LEFT_AGAIN] = { "again", "it was begun before" },
};

/* One description, and what has been made of it so far. */
struct work {
	struct failure_sender *sender;
	const struct failure_run *run;
	struct arena *arena;
	struct failure failure;
	struct failure_note note;
	struct buf mail;
	int64_t consent_until_ms;
	size_t count; /* addresses that get it */
	struct report_delivery deliveries[REPORT_URIS_MAX];
};

/* ---- opening ---- */

struct failure_sender *
failure_sender_open(const struct conf *conf, struct store *store,
    struct err *err)
{
	struct failure_sender *sender = xcalloc(1, sizeof(*sender));
	char *file = xprintf("%s/reports.db", conf->state_dir);

	sender->conf = conf;
	sender->store = store;
	sender->post = report_post_open(conf, err);
	if (sender->post != NULL)
		sender->reports = reports_open(file, err);
	free(file);
	if (sender->reports != NULL)
		return sender;
	failure_sender_close(sender);
	return NULL;
}

void
failure_sender_close(struct failure_sender *sender)
{
	if (sender == NULL)
		return;
	report_post_close(sender->post);
	reports_close(sender->reports);
	free(sender);
}

/* ---- telling ---- */

static void
tell(const struct work *work, const char *address, enum report_state state,
    const char *detail)
{
	const struct failure_step step = { work->failure.id,
		work->failure.policy_domain, address, state, detail };

	if (work->run->each != NULL)
		work->run->each(work->run->context, &step);
}

static int
leave(const struct work *work, const char *address, enum left why,
    struct err *err)
{
	tell(work, address, REPORT_NEW, left_words[why].text);
	return reports_failure_leave(work->sender->reports,
	    left_words[why].word, err);
}

/* ---- ceilings ---- */

/* Is there room for one more since then?  1, 0, -1. */
static int
has_room(const struct work *work, const char *address, int64_t since_ms,
    uint64_t most, struct err *err)
{
	int64_t n = reports_failure_count(work->sender->reports, address,
	    clock_wall_ms() - since_ms, err);

	return n < 0 ? -1 : (uint64_t)n < most;
}

static int
has_room_for_all(const struct work *work, struct err *err)
{
	const struct conf *conf = work->sender->conf;
	int rc =
	    has_room(work, NULL, HOUR_MS, conf->dmarc_failure_per_hour, err);

	return rc <= 0
	    ? rc
	    : has_room(work, NULL, DAY_MS, conf->dmarc_failure_per_day, err);
}

/* ---- what is reported at all ---- */

static int
judge(struct work *work, enum left *why, struct err *err)
{
	const struct failure *failure = &work->failure;
	struct reports *reports = work->sender->reports;
	int rc;

	work->note.message = failure->id;
	work->note.domain = failure->policy_domain;
	work->note.condition = failure_condition(work->arena, failure);
	*why = LEFT_NOT;
	if (clock_wall_ms() - failure->arrival_ms > DAY_MS) {
		*why = LEFT_OLD;
		return 0;
	}
	if (report_post_skips(work->sender->post, failure->policy_domain)) {
		*why = LEFT_SKIPPED;
		return 0;
	}
	rc = reports_failure_alike(reports, work->note.condition,
	    clock_wall_ms() - FAILURE_ALIKE_MS, &work->note.incidents, err);
	if (rc != 0) {
		*why = LEFT_ALIKE;
		return rc < 0 ? -1 : 0;
	}
	rc = has_room_for_all(work, err);
	if (rc == 0)
		*why = LEFT_CEILING;
	return rc < 0 ? -1 : 0;
}

/* ---- one address ---- */

static bool
is_twice(const struct work *work, const char *address)
{
	size_t i;

	for (i = 0; i < work->count; i++)
		if (strcmp(work->deliveries[i].address, address) == 0)
			return true;
	return false;
}

static enum left
ask_consent(struct work *work, struct report_uri *uri)
{
	if (uri->problem != NULL)
		return LEFT_ADDRESS;
	switch (report_post_consent(work->sender->post, work->arena,
	    work->failure.policy_domain, REPORT_TAG_RUF, work->consent_until_ms,
	    uri)) {
	case CONSENT_OWN:
	case CONSENT_GIVEN:
		return LEFT_NOT;
	case CONSENT_NONE:
		return LEFT_CONSENT;
	case CONSENT_WAIT:
	case CONSENT_UNKNOWN:
		break;
	}
	return LEFT_DNS;
}

/* The address may have another name behind it. */
static int
judge_uri(struct work *work, struct report_uri *uri, enum left *why,
    struct err *err)
{
	const uint64_t most = work->sender->conf->dmarc_failure_to_one;
	int rc;

	*why = ask_consent(work, uri);
	if (*why != LEFT_NOT)
		return 0;
	if (report_post_skips(work->sender->post, uri->domain)) {
		*why = LEFT_SKIPPED;
		return 0;
	}
	if (uri->size_max > 0 && work->mail.len > uri->size_max) {
		*why = LEFT_SIZE;
		return 0;
	}
	rc = has_room(work, uri->address, DAY_MS, most, err);
	if (rc == 0)
		*why = LEFT_CEILING_ONE;
	return rc < 0 ? -1 : 0;
}

/* ---- the mail ---- */

static int
write_mail(struct work *work, size_t n, const char *const *to, struct err *err)
{
	const struct report_post *post = work->sender->post;
	const struct failure_mail mail = { .failure = &work->failure,
		.incidents = work->note.incidents,
		.from = post->from,
		.submitter = post->submitter,
		.to_count = n,
		.to = to,
		.now_s = clock_wall_s(),
		.identity_count = post->identity_count,
		.identities = post->identities };

	buf_reset(&work->mail);
	return failure_mail_write(&mail, &work->mail, err);
}

/* Those that are in ASCII, or those that are not, in one mail.  What cannot
 * be noted is not sent. */
static int
deliver(struct work *work, bool ascii, struct err *err)
{
	struct report_delivery chosen[REPORT_URIS_MAX], *d;
	const char *to[REPORT_URIS_MAX];
	struct reports *reports = work->sender->reports;
	size_t i, n = 0;
	int rc;

	for (i = 0; i < work->count; i++) {
		d = &work->deliveries[i];
		if (report_post_is_ascii(d->address) != ascii)
			continue;
		rc = reports_failure_begin(reports, &work->note, d->address,
		    err);
		if (rc < 0)
			return -1;
		if (rc == 0 && leave(work, d->address, LEFT_AGAIN, err) < 0)
			return -1;
		if (rc > 0) {
			to[n] = d->address;
			chosen[n++] = *d;
		}
	}
	if (n == 0)
		return 0;
	if (write_mail(work, n, to, err) < 0)
		return -1;
	report_post_send(work->sender->post, n, chosen, &work->mail);
	for (rc = 0, i = 0; i < n; i++) {
		d = &chosen[i];
		tell(work, d->address, d->state, buf_str(&d->detail));
		if (d->state != REPORT_SENDING)
			rc |= reports_failure_end(reports, work->note.message,
			    d->address, d->state, buf_str(&d->detail), err);
		buf_free(&d->detail);
	}
	return rc;
}

static void
choose(struct work *work, const char *address)
{
	struct report_delivery *d = &work->deliveries[work->count++];

	d->address = address;
	d->state = REPORT_FAILED;
	buf_init(&d->detail, DETAIL_MAX);
}

static int
treat_uris(struct work *work, struct err *err)
{
	struct report_uri uris[REPORT_URIS_MAX];
	const char *address = "";
	enum left why;
	size_t i, n;

	n = report_uris_read(work->arena, work->failure.ruf, uris);
	if (n == 0)
		return leave(work, "", LEFT_ADDRESS, err);
	/* For its size; the addresses make little of it. */
	if (write_mail(work, 1, &address, err) < 0)
		return -1;
	for (i = 0; i < n; i++) {
		if (judge_uri(work, &uris[i], &why, err) < 0)
			return -1;
		address =
		    uris[i].address != NULL ? uris[i].address : uris[i].text;
		if (why != LEFT_NOT) {
			if (leave(work, address, why, err) < 0)
				return -1;
		} else if (!is_twice(work, address)) {
			choose(work, address);
		}
	}
	if (deliver(work, true, err) < 0)
		return -1;
	return deliver(work, false, err);
}

static int
treat(struct failure_sender *sender, const struct failure_run *run,
    struct bytes text, struct err *err)
{
	struct work work = { .sender = sender,
		.run = run,
		.arena = arena_new(0),
		.consent_until_ms = clock_mono_ms() + REPORT_CONSENT_MS,
		.failure = { .id = "", .policy_domain = "" } };
	enum left why = LEFT_DAMAGED;
	int rc = 0;

	buf_init(&work.mail, FAILURE_MAIL_MAX);
	if (failure_from_json(work.arena, text, &work.failure, NULL) == 0)
		rc = judge(&work, &why, err);
	if (rc == 0 && why == LEFT_NOT)
		rc = treat_uris(&work, err);
	else if (rc == 0)
		rc = leave(&work, "", why, err);
	buf_free(&work.mail);
	arena_free(work.arena);
	return rc;
}

/* ---- all of them ---- */

static void
rest(const struct failure_run *run, int64_t ms)
{
	const struct timespec pause = { ms / 1000, (ms % 1000) * 1000000 };

	if (ms <= 0)
		return;
	if (run->rest != NULL)
		run->rest(run->context, ms);
	else
		(void)nanosleep(&pause, NULL);
}

/* 1 one was taken, 0 there is none, -1.  Nothing is taken that could not be
 * sent now. */
static int
take_one(struct failure_sender *sender, const struct failure_run *run,
    struct err *err)
{
	int64_t n = failures_count(sender->store, err);
	char *text;
	size_t len;
	int rc;

	if (n <= 0)
		return n < 0 ? -1 : 0;
	rest(run, report_post_delay_ms(sender->post));
	if (run->stop != NULL && run->stop(run->context))
		return 0;
	if (report_post_connect(sender->post, err) < 0)
		return -1;
	rc = failures_take(sender->store, &text, &len, err);
	if (rc <= 0)
		return rc;
	rc = treat(sender, run, (struct bytes){ text, len }, err);
	free(text);
	return rc < 0 ? -1 : 1;
}

int
failure_sender_run(struct failure_sender *sender, const struct failure_run *run,
    struct err *err)
{
	int rc = 1, taken = 0;

	while (rc > 0 && (run->stop == NULL || !run->stop(run->context))) {
		rc = take_one(sender, run, err);
		taken += rc > 0;
	}
	report_post_hang_up(sender->post);
	return rc < 0 ? -1 : taken;
}
