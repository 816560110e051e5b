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
#include "base/dns_conf.h"
#include "base/file.h"
#include "mail/address.h"
#include "mail/smtp.h"
#include "policy/keyring.h"
#include "policy/report_mail.h"
#include "policy/report_uri.h"
#include "quarantine/dmarc_tally.h"
#include "quarantine/history.h"
#include "quarantine/reports.h"
#include "webui/report_sender.h"

#define DAY_S 86400
#define CONSENT_MS 20000
/* Tries of what was refused for the moment or not to be reached. */
#define TRIES_MAX 6
#define RETRY_MS (3600 * (int64_t)1000)
/* What a try whose end is not known may be followed by. */
#define UNKNOWN_TRIES_MAX 2
#define MAIL_MAX (2 * REPORT_XML_MAX)
#define MINUTE_MS 60000

struct report_sender {
	const struct conf *conf;
	char *from;
	const char *submitter; /* in the arena */
	char *host, *port;
	struct arena *arena;
	struct dns *dns;
	struct history *history;
	struct reports *reports;
	struct keyring_set *keys; /* NULL: not signed */
	size_t identity_count;
	struct auth_dkim_identity identities[KEYRING_KEYS_MAX];
	int lock_fd;
	struct smtp *smtp; /* kept over mails that went well */
	int64_t next_ms;   /* not before this time, by the rate */
};

/* A policy domain, and what has been made for it so far. */
struct work {
	struct report_sender *sender;
	const struct report_run *run;
	const struct dmarc_tally_domain *domain;
	struct arena *arena;
	struct dmarc_report report;
	struct buf xml, packed;
	int later; /* addresses to be tried again */
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
take_from(struct report_sender *sender, struct err *err)
{
	struct address address;

	if (sender->conf->report_from[0] == '\0')
		return err_set(err, ERR_CONFIG,
		    "report_from is not set: reports must come from "
		    "somebody");
	if (address_parse(sender->arena, bytes_of(sender->conf->report_from),
		&address, err) < 0)
		return err_prefix(err, "report_from");
	sender->from = xstrdup(address.raw);
	sender->submitter = address.domain;
	return 0;
}

/* Those that sign for the domain that reports come from.  Keys that cannot
 * be read are a reason not to send: unsigned, reports would be refused. */
static int
take_keys(struct report_sender *sender, struct err *err)
{
	const struct keyring_key *key;
	size_t i;

	if (keyring_read(sender->conf->dkim_dir, sender->submitter,
		&sender->keys, err) < 0)
		return -1;
	for (i = 0; sender->keys != NULL && i < sender->keys->count; i++) {
		key = &sender->keys->keys[i];
		if (key->state == KEY_SIGNS)
			sender->identities[sender->identity_count++] =
			    (struct auth_dkim_identity){ sender->submitter,
				    key->selector, key->key };
	}
	return 0;
}

/* HOST:PORT, [HOST]:PORT; checked when the config was read. */
static void
take_server(struct report_sender *sender)
{
	const struct conf *conf = sender->conf;
	const char *host = conf->report_relay[0] != '\0'
	    ? conf->report_relay
	    : conf->release_listener;
	const char *colon = strrchr(host, ':');
	size_t len = colon != NULL ? (size_t)(colon - host) : strlen(host);

	if (len >= 2 && host[0] == '[' && host[len - 1] == ']') {
		host++;
		len -= 2;
	}
	sender->host = xmemdup(host, len);
	sender->port = xstrdup(colon != NULL ? colon + 1 : "25");
}

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
	sender->arena = arena_new(0);
	take_server(sender);
	if (take_from(sender, err) == 0 && take_keys(sender, err) == 0 &&
	    open_files(sender, err) == 0)
		sender->dns = dns_conf_open(conf, NULL, err);
	if (sender->dns != NULL)
		return sender;
	report_sender_close(sender);
	return NULL;
}

void
report_sender_close(struct report_sender *sender)
{
	if (sender == NULL)
		return;
	smtp_close(sender->smtp);
	reports_close(sender->reports);
	history_close(sender->history);
	if (sender->dns != NULL)
		dns_close(sender->dns);
	if (sender->lock_fd >= 0)
		close(sender->lock_fd);
	if (sender->keys != NULL)
		keyring_set_unref(sender->keys);
	arena_free(sender->arena);
	free(sender->from);
	free(sender->host);
	free(sender->port);
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

/* ---- who gets none ---- */

/* By report_skip: the domain of a policy or of an address. */
static bool
is_skipped(const struct report_sender *sender, const char *domain)
{
	const struct option_list *skip = &sender->conf->report_skip;
	size_t i;

	for (i = 0; i < skip->count; i++)
		if (domain_is_within(domain, skip->items[i]))
			return true;
	return false;
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
	struct report_sender *sender = work->sender;
	int64_t now_ms = clock_mono_ms();

	if (now_ms < sender->next_ms) {
		rest(work->run, sender->next_ms - now_ms);
		now_ms = clock_mono_ms();
	}
	sender->next_ms =
	    now_ms + MINUTE_MS / (int64_t)sender->conf->report_rate;
}

/* ---- making the report ---- */

static int
make_report(struct work *work, struct err *err)
{
	const struct report_sender *sender = work->sender;
	const char *organization = sender->conf->report_organization;

	if (work->packed.len > 0)
		return 0;
	work->report = work->domain->report;
	work->report.organization =
	    organization[0] != '\0' ? organization : sender->submitter;
	work->report.email = sender->from;
	work->report.generator = "Sekimori " PACKAGE_VERSION;
	work->report.id = report_mail_id(work->arena, work->run->day_s,
	    work->report.domain, sender->submitter);
	if (dmarc_report_write(&work->report, &work->xml) < 0 ||
	    report_mail_pack(buf_bytes(&work->xml), &work->packed) < 0)
		return err_set(err, ERR_LIMIT, "the report is too large");
	return 0;
}

/* ---- sending ---- */

static bool
is_loopback(const char *host)
{
	return strcmp(host, "localhost") == 0 ||
	    strncmp(host, "127.", 4) == 0 || strcmp(host, "::1") == 0;
}

static struct smtp *
connection(struct report_sender *sender, struct err *err)
{
	const struct smtp_options options = {
		.host = sender->host,
		.port = sender->port,
		.timeout_ms = (unsigned)sender->conf->release_timeout * 1000,
		.tls =
		    is_loopback(sender->host) ? SMTP_TLS_NEVER : SMTP_TLS_MAY,
	};

	if (sender->smtp == NULL)
		sender->smtp = smtp_open(&options, err);
	return sender->smtp;
}

static int
give_mail(void *context,
    int (*send)(void *smtp, struct bytes piece, struct err *err), void *smtp,
    struct err *err)
{
	const struct buf *mail = context;

	return send(smtp, buf_bytes(mail), err);
}

static bool
is_ascii(const char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text >= 0x80)
			return false;
	return true;
}

/* detail: the answer, or why there is none. */
static enum smtp_outcome
send_mail(struct report_sender *sender, const char *to, struct buf *mail,
    int *code, struct buf *detail)
{
	struct smtp_recipient recipient = { .address = to,
		.params = "NOTIFY=NEVER" };
	struct smtp_mail smtp_mail = { .sender = sender->from,
		.params = is_ascii(to) ? NULL : "SMTPUTF8",
		.size = mail->len,
		.recipient_count = 1,
		.recipients = &recipient,
		.source = give_mail,
		.source_context = mail };
	enum smtp_outcome outcome = SMTP_NOT_SENT;
	struct smtp_reply reply = { .code = 0 };
	struct err err;

	err_clear(&err);
	if (connection(sender, &err) != NULL)
		outcome = smtp_send(sender->smtp, &smtp_mail, &reply, &err);
	if (outcome != SMTP_ACCEPTED && outcome != SMTP_REFUSED) {
		smtp_close(sender->smtp);
		sender->smtp = NULL;
	}
	*code = reply.code;
	if (reply.code != 0)
		buf_printf(detail, "%d %s", reply.code, reply.text);
	else
		buf_append_str(detail, err.text);
	return outcome;
}

/* What is noted, and what is told. */
static enum report_state
state_after(enum smtp_outcome outcome, int code)
{
	switch (outcome) {
	case SMTP_ACCEPTED:
		return REPORT_SENT;
	case SMTP_REFUSED:
		return code >= 500 ? REPORT_REFUSED : REPORT_FAILED;
	case SMTP_NOT_SENT:
		return REPORT_FAILED;
	case SMTP_UNKNOWN:
		break;
	}
	return REPORT_SENDING;
}

static enum report_fate
fate_of(enum report_state state)
{
	if (state == REPORT_SENT)
		return FATE_SENT;
	return state == REPORT_REFUSED ? FATE_REFUSED : FATE_LATER;
}

static int
deliver(struct work *work, const struct report_key *key, const char *to,
    enum report_fate *fate, struct buf *detail, struct err *err)
{
	struct report_sender *sender = work->sender;
	const struct report_mail mail = { .report = &work->report,
		.from = sender->from,
		.submitter = sender->submitter,
		.to = to,
		.now_s = clock_wall_s(),
		.identity_count = sender->identity_count,
		.identities = sender->identities };
	enum smtp_outcome outcome;
	enum report_state state;
	struct buf text;
	struct err why;
	int rc, code = 0;

	buf_init(&text, MAIL_MAX);
	if (report_mail_write(&mail, buf_bytes(&work->packed), &text, &why) <
	    0) {
		*fate = FATE_LATER;
		buf_append_str(detail, why.text);
		buf_free(&text);
		return 0;
	}
	keep_rate(work);
	rc = reports_sent_set(sender->reports, key, REPORT_SENDING, "", err);
	if (rc == 0) {
		outcome = send_mail(sender, to, &text, &code, detail);
		state = state_after(outcome, code);
		*fate = fate_of(state);
		/* When this fails, or nothing is known, "sending" stays. */
		if (state != REPORT_SENDING)
			rc = reports_sent_set(sender->reports, key, state,
			    buf_str(detail), err);
	}
	buf_free(&text);
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

static enum report_consent
wait_consent(struct work *work, struct report_uri *uri)
{
	struct dns_set *set = dns_set_new(work->sender->dns);
	const int64_t until_ms = clock_mono_ms() + CONSENT_MS;
	enum report_consent consent;
	const char *name;

	do
		consent = report_uri_consent(work->arena, set,
		    work->domain->report.domain, uri, &name);
	while (consent == CONSENT_WAIT && dns_set_wait(set, until_ms) > 0);
	/* What was found lives in the arena. */
	dns_set_free(set);
	return consent;
}

/* Is there a reason of ours not to send?  Else NULL. */
static const char *
reason_to_skip(struct work *work, const struct report_uri *uri, struct err *why)
{
	if (make_report(work, why) < 0)
		return why->text;
	if (is_skipped(work->sender, uri->domain))
		return "report_skip names the domain of the address";
	if (uri->size_max > 0 && work->packed.len > uri->size_max)
		return "it is larger than the address takes";
	return NULL;
}

static int
treat_address(struct work *work, const struct report_uri *uri,
    enum report_fate *fate, struct buf *detail, struct err *err)
{
	struct report_sender *sender = work->sender;
	const struct report_key key = { work->run->day_s,
		work->domain->report.domain, uri->address };
	struct report_sent sent = { .state = REPORT_NEW };
	const char *skip;
	struct err why;

	if (reports_sent_get(sender->reports, &key, &sent, err) < 0)
		return -1;
	if (!may_try(&sent, fate, detail))
		return 0;
	skip = reason_to_skip(work, uri, &why);
	*fate = skip != NULL ? FATE_SKIPPED : FATE_WOULD_SEND;
	if (skip != NULL)
		buf_append_str(detail, skip);
	if (skip != NULL || work->run->dry_run)
		return 0;
	return deliver(work, &key, uri->address, fate, detail, err);
}

static int
treat_uri(struct work *work, struct report_uri *uri, struct err *err)
{
	struct report_step step = {
		.domain = work->domain->report.domain,
		.fate = FATE_SKIPPED,
		.messages = work->domain->messages,
		.records = work->domain->report.record_count,
	};
	struct buf detail;
	int rc = 0;

	buf_init(&detail, SMTP_REPLY_TEXT_SIZE + ERR_TEXT_MAX);
	if (uri->problem != NULL) {
		buf_append_str(&detail, uri->problem);
	} else {
		switch (wait_consent(work, uri)) {
		case CONSENT_OWN:
		case CONSENT_GIVEN:
			rc = treat_address(work, uri, &step.fate, &detail, err);
			break;
		case CONSENT_NONE:
			buf_append_str(&detail,
			    "its domain does not say that it takes them");
			break;
		case CONSENT_WAIT:
		case CONSENT_UNKNOWN:
			step.fate = FATE_LATER;
			buf_append_str(&detail,
			    "the DNS did not say whether it takes them");
			break;
		}
	}
	work->later += step.fate == FATE_LATER;
	step.address = uri->address != NULL ? uri->address : uri->text;
	step.detail = buf_str(&detail);
	if (work->run->dry_run)
		step.xml = buf_bytes(&work->xml);
	if (rc == 0 && work->run->each != NULL)
		work->run->each(work->run->context, &step);
	buf_free(&detail);
	return rc;
}

/* ---- one domain ---- */

static void
tell_skipped(struct work *work, const char *why)
{
	const struct report_step step = {
		.domain = work->domain->report.domain,
		.address = "",
		.fate = FATE_SKIPPED,
		.detail = why,
		.messages = work->domain->messages,
		.records = work->domain->report.record_count,
	};

	if (work->run->each != NULL)
		work->run->each(work->run->context, &step);
}

static int
treat_uris(struct work *work, struct err *err)
{
	struct report_uri uris[REPORT_URIS_MAX];
	size_t i, j, n;

	n = report_uris_read(work->arena, work->domain->rua, uris);
	if (n == 0)
		tell_skipped(work, "no address is published");
	for (i = 0; i < n && !is_stopped(work->run); i++) {
		/* The same address twice is one. */
		for (j = 0; j < i && uris[i].address != NULL; j++)
			if (uris[j].address != NULL &&
			    strcmp(uris[i].address, uris[j].address) == 0)
				break;
		if ((j == i || uris[i].address == NULL) &&
		    treat_uri(work, &uris[i], err) < 0)
			return -1;
	}
	return 0;
}

/* How many addresses are left to try, or -1. */
static int
treat_domain(struct report_sender *sender, const struct report_run *run,
    const struct dmarc_tally_domain *domain, struct err *err)
{
	struct work work = { .sender = sender,
		.run = run,
		.domain = domain,
		.arena = arena_new(0) };
	int rc = 0;

	buf_init(&work.xml, REPORT_XML_MAX);
	buf_init(&work.packed, REPORT_XML_MAX);
	if (is_skipped(sender, domain->report.domain))
		tell_skipped(&work, "report_skip names the domain");
	else if (domain->report.record_count > 0)
		rc = treat_uris(&work, err);
	buf_free(&work.xml);
	buf_free(&work.packed);
	arena_free(work.arena);
	return rc < 0 ? -1 : work.later;
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
	smtp_close(sender->smtp);
	sender->smtp = NULL;
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
