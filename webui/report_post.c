/*
 * report_post.c - how reports leave.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/dns_conf.h"
#include "mail/address.h"
#include "mail/smtp.h"
#include "webui/report_post.h"

#define MINUTE_MS 60000

/* ---- opening ---- */

static int
take_from(struct report_post *post, struct err *err)
{
	struct address address;

	if (post->conf->report_from[0] == '\0')
		return err_set(err, ERR_CONFIG,
		    "report_from is not set: reports must come from "
		    "somebody");
	if (address_parse(post->arena, bytes_of(post->conf->report_from),
		&address, err) < 0)
		return err_prefix(err, "report_from");
	post->from = address.raw;
	post->submitter = address.domain;
	return 0;
}

/* Those that sign for the domain that reports come from.  Keys that cannot
 * be read are a reason not to send: unsigned, reports would be refused. */
static int
take_keys(struct report_post *post, struct err *err)
{
	const struct keyring_key *key;
	size_t i;

	if (keyring_read(post->conf->dkim_dir, post->submitter, &post->keys,
		err) < 0)
		return -1;
	for (i = 0; post->keys != NULL && i < post->keys->count; i++) {
		key = &post->keys->keys[i];
		if (key->state == KEY_SIGNS)
			post->identities[post->identity_count++] =
			    (struct auth_dkim_identity){ post->submitter,
				    key->selector, key->key };
	}
	return 0;
}

/* HOST:PORT, [HOST]:PORT; checked when the config was read. */
static void
take_server(struct report_post *post)
{
	const struct conf *conf = post->conf;
	const char *host = conf->report_relay[0] != '\0'
	    ? conf->report_relay
	    : conf->release_listener;
	const char *colon = strrchr(host, ':');
	size_t len = colon != NULL ? (size_t)(colon - host) : strlen(host);

	if (len >= 2 && host[0] == '[' && host[len - 1] == ']') {
		host++;
		len -= 2;
	}
	post->host = xmemdup(host, len);
	post->port = xstrdup(colon != NULL ? colon + 1 : "25");
}

struct report_post *
report_post_open(const struct conf *conf, struct err *err)
{
	struct report_post *post = xcalloc(1, sizeof(*post));

	post->conf = conf;
	post->arena = arena_new(0);
	take_server(post);
	if (take_from(post, err) == 0 && take_keys(post, err) == 0)
		post->dns = dns_conf_open(conf, NULL, err);
	if (post->dns != NULL)
		return post;
	report_post_close(post);
	return NULL;
}

void
report_post_close(struct report_post *post)
{
	if (post == NULL)
		return;
	report_post_hang_up(post);
	if (post->dns != NULL)
		dns_close(post->dns);
	if (post->keys != NULL)
		keyring_set_unref(post->keys);
	arena_free(post->arena);
	free(post->host);
	free(post->port);
	free(post);
}

/* ---- who gets one ---- */

bool
report_post_skips(const struct report_post *post, const char *domain)
{
	const struct option_list *skip = &post->conf->report_skip;
	size_t i;

	for (i = 0; i < skip->count; i++)
		if (domain_is_within(domain, skip->items[i]))
			return true;
	return false;
}

enum report_consent
report_post_consent(struct report_post *post, struct arena *arena,
    const char *policy_domain, enum report_tag tag, int64_t until_ms,
    struct report_uri *uri)
{
	struct dns_set *set = dns_set_new(post->dns);
	enum report_consent consent;
	const char *name;

	do
		consent = report_uri_consent(arena, set, policy_domain, tag,
		    uri, &name);
	while (consent == CONSENT_WAIT && dns_set_wait(set, until_ms) > 0);
	dns_set_free(set);
	return consent == CONSENT_WAIT ? CONSENT_UNKNOWN : consent;
}

int64_t
report_post_delay_ms(const struct report_post *post)
{
	const int64_t now_ms = clock_mono_ms();

	return post->next_ms > now_ms ? post->next_ms - now_ms : 0;
}

/* ---- sending ---- */

static bool
is_loopback(const char *host)
{
	return strcmp(host, "localhost") == 0 ||
	    strncmp(host, "127.", 4) == 0 || strcmp(host, "::1") == 0;
}

int
report_post_connect(struct report_post *post, struct err *err)
{
	const struct smtp_options options = {
		.host = post->host,
		.port = post->port,
		.timeout_ms = (unsigned)post->conf->release_timeout * 1000,
		.tls = is_loopback(post->host) ? SMTP_TLS_NEVER : SMTP_TLS_MAY,
	};

	/* Pauses and the DNS may have lasted longer than its patience. */
	if (post->smtp != NULL && !smtp_is_alive(post->smtp))
		report_post_hang_up(post);
	if (post->smtp == NULL)
		post->smtp = smtp_open(&options, err);
	return post->smtp != NULL ? 0 : -1;
}

void
report_post_hang_up(struct report_post *post)
{
	smtp_close(post->smtp);
	post->smtp = NULL;
}

bool
report_post_is_ascii(const char *address)
{
	for (; *address != '\0'; address++)
		if ((unsigned char)*address >= 0x80)
			return false;
	return true;
}

static int
give_mail(void *context,
    int (*send)(void *smtp, struct bytes piece, struct err *err), void *smtp,
    struct err *err)
{
	const struct buf *mail = context;

	return send(smtp, buf_bytes(mail), err);
}

static enum report_state
state_after(enum smtp_outcome outcome, const struct smtp_reply *reply)
{
	switch (outcome) {
	case SMTP_ACCEPTED:
		return REPORT_SENT;
	case SMTP_REFUSED:
		return reply->code >= 500 ? REPORT_REFUSED : REPORT_FAILED;
	case SMTP_NOT_SENT:
		return REPORT_FAILED;
	case SMTP_UNKNOWN:
		break;
	}
	return REPORT_SENDING;
}

/* Who was refused at RCPT has an answer of its own, whatever became of the
 * others. */
static void
conclude(struct report_delivery *delivery, enum smtp_outcome outcome,
    const struct smtp_reply *to_rcpt, const struct smtp_reply *to_all,
    const struct err *err)
{
	const struct smtp_reply *reply = to_all;

	if (to_rcpt->code >= 400) {
		reply = to_rcpt;
		outcome = SMTP_REFUSED;
	}
	delivery->state = state_after(outcome, reply);
	if (reply->code != 0)
		buf_printf(&delivery->detail, "%d %s", reply->code,
		    reply->text);
	else
		buf_append_str(&delivery->detail, err->text);
}

void
report_post_send(struct report_post *post, size_t n,
    struct report_delivery *deliveries, struct buf *mail)
{
	struct smtp_recipient recipients[REPORT_URIS_MAX];
	struct smtp_mail smtp_mail = { .sender = post->from,
		.size = mail->len,
		.recipient_count = n,
		.recipients = recipients,
		.source = give_mail,
		.source_context = mail };
	enum smtp_outcome outcome = SMTP_NOT_SENT;
	struct smtp_reply reply = { .code = 0 };
	struct err err;
	size_t i;

	memset(recipients, 0, sizeof(recipients));
	for (i = 0; i < n; i++) {
		recipients[i].address = deliveries[i].address;
		recipients[i].params = "NOTIFY=NEVER";
		if (!report_post_is_ascii(deliveries[i].address))
			smtp_mail.params = "SMTPUTF8";
	}
	post->next_ms =
	    clock_mono_ms() + MINUTE_MS / (int64_t)post->conf->report_rate;
	err_clear(&err);
	if (report_post_connect(post, &err) == 0)
		outcome = smtp_send(post->smtp, &smtp_mail, &reply, &err);
	if (outcome != SMTP_ACCEPTED && outcome != SMTP_REFUSED)
		report_post_hang_up(post);
	for (i = 0; i < n; i++)
		conclude(&deliveries[i], outcome, &recipients[i].reply, &reply,
		    &err);
}
