/*
 * report_sender.c - sends the DMARC aggregate reports of a day.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "mail/smtp.h"
#include "policy/report_mail.h"
#include "quarantine/dmarc_tally.h"
#include "quarantine/history.h"
#include "webui/report_post.h"
#include "webui/report_sender.h"

#define DAY_S 86400
/* Tries of what was refused for the moment or not to be reached. */
#define TRIES_MAX 6
#define RETRY_MS (3600 * (int64_t)1000)
/* What a try whose end is not known may be followed by. */
#define UNKNOWN_TRIES_MAX 2
#define MAIL_MAX (2 * REPORT_XML_MAX)
#define DETAIL_MAX (SMTP_REPLY_TEXT_SIZE + ERR_TEXT_MAX)

struct report_sender {
	const struct conf *conf;
	struct report_post *post;
	struct history *history;
	struct reports *reports;
	int lock_fd;
};

/* An address that the policy names, and what becomes of it. */
struct addressee {
	struct report_uri uri;
	enum report_fate fate;
	bool goes;         /* it is among those to be sent to */
	struct buf detail; /* why, or the server's answer */
};

/* A policy domain, and what has been made for it so far. */
struct work {
	struct report_sender *sender;
	const struct report_run *run;
	const struct dmarc_tally_domain *domain;
	struct arena *arena;
	struct dmarc_report report;
	struct buf xml, packed;
	int64_t consent_until_ms;
	size_t count;
	struct addressee addressees[REPORT_URIS_MAX];
};

static const char *const fate_words[] = {
	[FATE_WOULD_SEND] = "would-send",
	[FATE_SENT] = "sent",
	[FATE_ALREADY] = "already-sent",
	[FATE_SKIPPED] = "skipped",
	[FATE_REFUSED] = "refused",
	[FATE_LATER] = "later",
};

const char *
report_fate_name(enum report_fate fate)
{
	return fate_words[fate];
}

int64_t
report_day_of(int64_t time_s)
{
	return time_s - time_s % DAY_S;
}

/* ---- opening ---- */

static int
open_files(struct report_sender *sender, struct err *err)
{
	const char *dir = sender->conf->state_dir;
	char *history = xprintf("%s/history.db", dir);
	char *reports = xprintf("%s/reports.db", dir);

	sender->history = history_open(history, false, err);
	if (sender->history != NULL)
		sender->reports = reports_open(reports, err);
	free(history);
	free(reports);
	return sender->reports != NULL ? 0 : -1;
}

struct report_sender *
report_sender_open(const struct conf *conf, struct err *err)
{
	struct report_sender *sender = xcalloc(1, sizeof(*sender));

	sender->conf = conf;
	sender->lock_fd = -1;
	sender->post = report_post_open(conf, err);
	if (sender->post != NULL && open_files(sender, err) == 0)
		return sender;
	report_sender_close(sender);
	return NULL;
}

void
report_sender_close(struct report_sender *sender)
{
	if (sender == NULL)
		return;
	report_post_close(sender->post);
	reports_close(sender->reports);
	history_close(sender->history);
	if (sender->lock_fd >= 0)
		close(sender->lock_fd);
	free(sender);
}

/* One process at a time, or two might send the same report. */
static int
lock(struct report_sender *sender, struct err *err)
{
	char *name = xprintf("%s/reports.lock", sender->conf->state_dir);
	int rc = 0;

	sender->lock_fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0660);
	if (sender->lock_fd < 0 || file_adopt(sender->lock_fd, name) < 0)
		rc = err_set(err, ERR_CONFIG, "%s: %s", name, strerror(errno));
	else if (flock(sender->lock_fd, LOCK_EX | LOCK_NB) < 0)
		rc = err_set(err, ERR_TEMP,
		    "another process is sending reports");
	free(name);
	return rc;
}

static void
unlock(struct report_sender *sender)
{
	if (sender->lock_fd >= 0)
		close(sender->lock_fd);
	sender->lock_fd = -1;
}

/* ---- pauses ---- */

static bool
is_stopped(const struct report_run *run)
{
	return run->stop != NULL && run->stop(run->context);
}

static void
rest(const struct report_run *run, int64_t ms)
{
	const struct timespec pause = { ms / 1000, (ms % 1000) * 1000000 };

	if (run->rest != NULL)
		run->rest(run->context, ms);
	else
		(void)nanosleep(&pause, NULL);
}

/* report_rate mails a minute, evenly. */
static void
keep_rate(struct work *work)
{
	int64_t ms = report_post_delay_ms(work->sender->post);

	if (ms > 0)
		rest(work->run, ms);
}

/* ---- making the report ---- */

static int
make_report(struct work *work, struct err *err)
{
	const struct report_post *post = work->sender->post;
	const char *organization = work->sender->conf->report_organization;

	if (work->packed.len > 0)
		return 0;
	work->report = work->domain->report;
	work->report.organization =
	    organization[0] != '\0' ? organization : post->submitter;
	work->report.email = post->from;
	work->report.generator = "Sekimori " PACKAGE_VERSION;
	work->report.id = report_mail_id(work->arena, work->run->day_s,
	    work->report.domain, post->submitter);
	if (dmarc_report_write(&work->report, &work->xml) < 0 ||
	    report_mail_pack(buf_bytes(&work->xml), &work->packed) < 0)
		return err_set(err, ERR_LIMIT, "the report is too large");
	return 0;
}

/* ---- sending ---- */

static enum report_fate
fate_of(enum report_state state)
{
	if (state == REPORT_SENT)
		return FATE_SENT;
	return state == REPORT_REFUSED ? FATE_REFUSED : FATE_LATER;
}

static int
note(struct work *work, const char *address, enum report_state state,
    const char *detail, struct err *err)
{
	const struct report_key key = { work->run->day_s,
		work->domain->report.domain, address };

	return reports_sent_set(work->sender->reports, &key, state, detail,
	    err);
}

/* Noted as begun, sent, and noted as what it came to. */
static int
post_mail(struct work *work, size_t n, struct report_delivery *deliveries,
    struct buf *text, struct err *err)
{
	size_t i;

	keep_rate(work);
	for (i = 0; i < n; i++)
		if (note(work, deliveries[i].address, REPORT_SENDING, "", err) <
		    0)
			return -1;
	report_post_send(work->sender->post, n, deliveries, text);
	/* When this fails, or nothing is known, "sending" stays. */
	for (i = 0; i < n; i++)
		if (deliveries[i].state != REPORT_SENDING &&
		    note(work, deliveries[i].address, deliveries[i].state,
			buf_str(&deliveries[i].detail), err) < 0)
			return -1;
	return 0;
}

static int
write_mail(struct work *work, size_t n, const struct report_delivery *to,
    struct buf *text, struct err *err)
{
	const struct report_post *post = work->sender->post;
	const char *addresses[REPORT_URIS_MAX];
	const struct report_mail mail = { .report = &work->report,
		.from = post->from,
		.submitter = post->submitter,
		.to_count = n,
		.to = addresses,
		.now_s = clock_wall_s(),
		.identity_count = post->identity_count,
		.identities = post->identities };
	size_t i;

	for (i = 0; i < n; i++)
		addresses[i] = to[i].address;
	return report_mail_write(&mail, buf_bytes(&work->packed), text, err);
}

/* One mail for all of the chosen. */
static int
deliver(struct work *work, size_t n, struct addressee *const *chosen,
    struct err *err)
{
	struct report_delivery deliveries[REPORT_URIS_MAX];
	struct buf text;
	struct err why;
	int rc = 0;
	size_t i;

	buf_init(&text, MAIL_MAX);
	for (i = 0; i < n; i++) {
		deliveries[i].address = chosen[i]->uri.address;
		deliveries[i].state = REPORT_FAILED;
		buf_init(&deliveries[i].detail, DETAIL_MAX);
	}
	if (write_mail(work, n, deliveries, &text, &why) == 0)
		rc = post_mail(work, n, deliveries, &text, err);
	else
		for (i = 0; i < n; i++)
			buf_append_str(&deliveries[i].detail, why.text);
	for (i = 0; i < n; i++) {
		chosen[i]->fate = fate_of(deliveries[i].state);
		buf_append_bytes(&chosen[i]->detail,
		    buf_bytes(&deliveries[i].detail));
		buf_free(&deliveries[i].detail);
	}
	buf_free(&text);
	return rc;
}

/* A mail for those in ASCII, and one for those that are not. */
static int
deliver_all(struct work *work, struct err *err)
{
	struct addressee *chosen[REPORT_URIS_MAX], *a;
	int ascii, rc = 0;
	size_t i, n;

	for (ascii = 1; rc == 0 && ascii >= 0; ascii--) {
		for (i = n = 0; i < work->count; i++) {
			a = &work->addressees[i];
			if (a->goes &&
			    report_post_is_ascii(a->uri.address) == ascii)
				chosen[n++] = a;
		}
		if (n > 0 && !is_stopped(work->run))
			rc = deliver(work, n, chosen, err);
	}
	return rc;
}

/* ---- one address ---- */

/* May it be tried now?  If not, *fate and the reason. */
static bool
may_try(const struct report_sent *sent, enum report_fate *fate,
    struct buf *detail)
{
	switch (sent->state) {
	case REPORT_NEW:
		return true;
	case REPORT_SENT:
		*fate = FATE_ALREADY;
		return false;
	case REPORT_REFUSED:
		*fate = FATE_REFUSED;
		buf_append_str(detail, "refused before");
		return false;
	case REPORT_SENDING:
		if (sent->tries < UNKNOWN_TRIES_MAX)
			return true;
		*fate = FATE_REFUSED;
		buf_append_str(detail,
		    "whether it arrived is not known, and it was sent twice");
		return false;
	case REPORT_FAILED:
		break;
	}
	if (sent->tries >= TRIES_MAX) {
		*fate = FATE_REFUSED;
		buf_printf(detail, "tried %u times", sent->tries);
		return false;
	}
	if (clock_wall_ms() - sent->time_ms >= RETRY_MS)
		return true;
	*fate = FATE_LATER;
	buf_append_str(detail, "it waits for its next try");
	return false;
}

/* Is there a reason of ours not to send?  Else NULL. */
static const char *
reason_to_skip(struct work *work, const struct report_uri *uri, struct err *why)
{
	if (make_report(work, why) < 0)
		return why->text;
	if (report_post_skips(work->sender->post, uri->domain))
		return "report_skip names the domain of the address";
	if (uri->size_max > 0 && work->packed.len > uri->size_max)
		return "it is larger than the address takes";
	return NULL;
}

/* Those that may have one are marked to be sent to. */
static int
judge_address(struct work *work, struct addressee *addressee, struct err *err)
{
	const struct report_uri *uri = &addressee->uri;
	const struct report_key key = { work->run->day_s,
		work->domain->report.domain, uri->address };
	struct report_sent sent = { .state = REPORT_NEW };
	const char *skip;
	struct err why;

	if (reports_sent_get(work->sender->reports, &key, &sent, err) < 0)
		return -1;
	if (!may_try(&sent, &addressee->fate, &addressee->detail))
		return 0;
	skip = reason_to_skip(work, uri, &why);
	if (skip != NULL) {
		buf_append_str(&addressee->detail, skip);
		return 0;
	}
	addressee->fate = work->run->dry_run ? FATE_WOULD_SEND : FATE_LATER;
	addressee->goes = !work->run->dry_run;
	return 0;
}

static int
judge_uri(struct work *work, struct addressee *addressee, struct err *err)
{
	if (addressee->uri.problem != NULL) {
		buf_append_str(&addressee->detail, addressee->uri.problem);
		return 0;
	}
	switch (report_post_consent(work->sender->post, work->arena,
	    work->domain->report.domain, REPORT_TAG_RUA, work->consent_until_ms,
	    &addressee->uri)) {
	case CONSENT_OWN:
	case CONSENT_GIVEN:
		return judge_address(work, addressee, err);
	case CONSENT_NONE:
		buf_append_str(&addressee->detail,
		    "its domain does not say that it takes them");
		break;
	case CONSENT_WAIT:
	case CONSENT_UNKNOWN:
		addressee->fate = FATE_LATER;
		buf_append_str(&addressee->detail,
		    "the DNS did not say whether it takes them");
		break;
	}
	return 0;
}

/* ---- one domain ---- */

static void
tell(const struct work *work, const char *address, enum report_fate fate,
    const char *detail)
{
	struct report_step step = {
		.domain = work->domain->report.domain,
		.address = address,
		.fate = fate,
		.detail = detail,
		.messages = work->domain->messages,
		.records = work->domain->report.record_count,
	};

	if (work->run->dry_run)
		step.xml = buf_bytes(&work->xml);
	if (work->run->each != NULL)
		work->run->each(work->run->context, &step);
}

static void
tell_skipped(const struct work *work, const char *why)
{
	tell(work, "", FATE_SKIPPED, why);
}

/* The same address twice is one, also when a consent made it so. */
static bool
is_twice(const struct work *work, const struct addressee *addressee)
{
	const struct addressee *a;

	for (a = work->addressees; a < addressee; a++)
		if (a->uri.address != NULL && addressee->uri.address != NULL &&
		    strcmp(a->uri.address, addressee->uri.address) == 0)
			return true;
	return false;
}

static int
judge_uris(struct work *work, size_t n, const struct report_uri *uris,
    struct err *err)
{
	struct addressee *addressee;
	size_t i;

	for (i = 0; i < n && !is_stopped(work->run); i++) {
		addressee = &work->addressees[work->count];
		*addressee =
		    (struct addressee){ .uri = uris[i], .fate = FATE_SKIPPED };
		buf_init(&addressee->detail, 2 * DETAIL_MAX);
		if (is_twice(work, addressee))
			continue;
		if (judge_uri(work, addressee, err) < 0) {
			buf_free(&addressee->detail);
			return -1;
		}
		if (is_twice(work, addressee))
			buf_free(&addressee->detail);
		else
			work->count++;
	}
	return 0;
}

/* How many are left to try, or -1. */
static int
treat_uris(struct work *work, struct err *err)
{
	struct report_uri uris[REPORT_URIS_MAX];
	const struct addressee *a;
	size_t i, n = report_uris_read(work->arena, work->domain->rua, uris);
	int rc, later = 0;

	if (n == 0)
		tell_skipped(work, "no address is published");
	rc = judge_uris(work, n, uris, err);
	if (rc == 0)
		rc = deliver_all(work, err);
	for (i = 0; i < work->count; i++) {
		a = &work->addressees[i];
		later += a->fate == FATE_LATER;
		if (rc == 0)
			tell(work,
			    a->uri.address != NULL ? a->uri.address
						   : a->uri.text,
			    a->fate, buf_str(&a->detail));
		buf_free(&work->addressees[i].detail);
	}
	return rc < 0 ? -1 : later;
}

/* How many addresses are left to try, or -1. */
static int
treat_domain(struct report_sender *sender, const struct report_run *run,
    const struct dmarc_tally_domain *domain, struct err *err)
{
	struct work work = { .sender = sender,
		.run = run,
		.domain = domain,
		.arena = arena_new(0),
		.consent_until_ms = clock_mono_ms() + REPORT_CONSENT_MS };
	int rc = 0;

	buf_init(&work.xml, REPORT_XML_MAX);
	buf_init(&work.packed, REPORT_XML_MAX);
	if (report_post_skips(sender->post, domain->report.domain))
		tell_skipped(&work, "report_skip names the domain");
	else if (domain->report.record_count > 0)
		rc = treat_uris(&work, err);
	buf_free(&work.xml);
	buf_free(&work.packed);
	arena_free(work.arena);
	return rc;
}

/* ---- a day ---- */

static int
treat_day(struct report_sender *sender, const struct report_run *run,
    struct err *err)
{
	struct dmarc_tally *tally =
	    dmarc_tally_read(sender->history, run->day_s, run->domain, err);
	int rc = 0, later = 0;
	size_t i;

	if (tally == NULL)
		return -1;
	for (i = 0; rc >= 0 && i < dmarc_tally_count(tally); i++) {
		if (is_stopped(run)) {
			later++;
			break;
		}
		rc = treat_domain(sender, run, dmarc_tally_at(tally, i), err);
		later += rc > 0 ? rc : 0;
	}
	dmarc_tally_free(tally);
	report_post_hang_up(sender->post);
	return rc < 0 ? -1 : later;
}

int
report_sender_run(struct report_sender *sender, const struct report_run *run,
    struct err *err)
{
	int rc = 0;

	if (run->dry_run)
		return treat_day(sender, run, err);
	if (run->day_s + DAY_S > clock_wall_s())
		return err_set(err, ERR_INPUT, "the day is not over yet");
	if (lock(sender, err) == 0) {
		rc = reports_day_done(sender->reports, run->day_s, err);
		if (rc == 0 || (rc > 0 && run->domain != NULL)) {
			rc = treat_day(sender, run, err);
			if (rc == 0 && run->domain == NULL && !is_stopped(run))
				rc = reports_day_set_done(sender->reports,
				    run->day_s, err);
		} else if (rc > 0) {
			rc = 0;
		}
	} else {
		rc = -1;
	}
	unlock(sender);
	return rc;
}
