/*
 * carry.c - writes what the plan does not leave to the transaction.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"
#include "mail/charset.h"
#include "mail/message.h"
#include "quarantine/quarantine.h"
#include "quarantine/release.h"

#include "milter/carry.h"
#include "milter/daemon.h"
#include "milter/record.h"
#include "milter/session.h"
#include "milter/signing.h"
#include "milter/waker.h"

/* The least life of what is to be delivered: the time for tries, and as long
 * for people, who find it held then.  It was accepted: a short retention must
 * not lose it while the listener is away. */
#define DELIVERY_LIFE_S ((uint64_t)2 * RELEASE_GIVE_UP_S)

/* ---- what is common to all entries ---- */

static const char *
fields_text(struct arena *arena, const struct own_field *fields, size_t n)
{
	const char *text = "";
	size_t i;

	for (i = 0; i < n; i++)
		text = arena_printf(arena, "%s%s: %s\r\n", text, fields[i].name,
		    fields[i].value);
	return text;
}

/* What a client says of itself, with nothing in it that has a meaning in a
 * header field. */
static const char *
harmless(struct arena *arena, const char *text)
{
	char *copy = arena_strdup(arena, text[0] != '\0' ? text : "unknown");
	char *p;

	for (p = copy; *p != '\0'; p++)
		if (!ascii_is_alnum(*p) && strchr(".-_:[]", *p) == NULL)
			*p = '?';
	return copy;
}

/* RFC 5321 section 4.4; the protocol by RFC 3848, as far as we know. */
static const char *
received_field(const struct transaction *tx)
{
	const struct envelope_client *client = &tx->peer;
	char ip[IP_TEXT_SIZE] = "unknown";
	char date[CLOCK_RFC5322_SIZE];

	if (client->ip.family != IP_NONE)
		ip_format(&client->ip, ip);
	clock_rfc5322((time_t)(tx->envelope.received_ms / 1000), date);
	return arena_printf(tx->arena,
	    "Received: from %s (%s [%s%s])\r\n"
	    "\tby %s (Sekimori) with ESMTP%s%s id %s;\r\n"
	    "\t%s\r\n",
	    harmless(tx->arena, client->helo),
	    harmless(tx->arena, client->hostname),
	    client->ip.family == IP_V6 ? "IPv6:" : "", ip, tx->authserv_id,
	    client->tls[0] != '\0' ? "S" : "",
	    client->auth[0] != '\0' ? "A" : "", tx->id.text, date);
}

static void
fill_mail(const struct transaction *tx, const struct own_field *fields,
    size_t n, struct hold_mail *mail)
{
	char ip[IP_TEXT_SIZE] = "";

	if (tx->envelope.client.ip.family != IP_NONE)
		ip_format(&tx->envelope.client.ip, ip);
	mail->id = tx->id.text;
	mail->sender = tx->envelope.sender.raw;
	mail->sender_params = tx->envelope.sender_params;
	mail->client_ip = arena_strdup(tx->arena, ip);
	mail->helo = tx->envelope.client.helo;
	mail->received = received_field(tx);
	mail->results = fields_text(tx->arena, fields, n);
	mail->authserv_id = tx->authserv_id;
	mail->subject = record_display(tx, "Subject", charset_header_text);
	mail->from = record_display(tx, "From", charset_phrase_text);
	mail->message_id =
	    record_display(tx, "Message-ID", charset_header_text);
	mail->received_ms = tx->envelope.received_ms;
	mail->message = tx->message;
}

/* ---- the entries ---- */

static bool
is_written(const struct plan_mailbox *m)
{
	return !m->duplicate &&
	    (m->fate == FATE_HOLD || m->fate == FATE_DELIVER ||
		m->fate == FATE_DELIVER_TAGGED);
}

static void
fill_entry(const struct transaction *tx, size_t i, const struct answer *answer,
    struct hold_entry *entry)
{
	const struct plan_mailbox *m = &tx->mailboxes[i];
	const struct envelope_recipient *rcpt =
	    &tx->envelope.recipients[m->rcpt];
	const struct policy *policy = m->verdict->policy;

	entry->mailbox = m->mailbox;
	entry->rcpt = rcpt->address.raw;
	entry->rcpt_params = rcpt->params;
	entry->state = m->fate == FATE_HOLD ? HELD_HELD : HELD_TO_DELIVER;
	entry->hidden = m->verdict->action == ACTION_QUARANTINE_HIDDEN;
	if (m->fate == FATE_DELIVER_TAGGED)
		entry->subject_mark = policy->subject_mark;
	entry->retention_s = policy->retention;
	if (entry->state == HELD_TO_DELIVER &&
	    entry->retention_s < DELIVERY_LIFE_S)
		entry->retention_s = DELIVERY_LIFE_S;
	entry->record =
	    verdict_record(tx->scan, m->mailbox, m->verdict, m->direction);
	entry->event = record_event(tx, m, i, answer);
}

/* ---- signatures ---- */

/*
 * Over what a release will make of the stored bytes (see
 * quarantine/release_message.c): the fields that only we may write are left
 * out, the Subject has this mark, or NULL.
 */
static const char *
make_signatures(struct transaction *tx, const char *mark, const char *results)
{
	const struct header *header = &tx->message->header;
	struct own_field fields[SIGNING_FIELDS_MAX];
	struct edit_list edits;
	size_t n;

	edits_init(&edits, tx->arena);
	edits_remove_foreign(&edits, header, tx->authserv_id, 0);
	if (mark != NULL)
		edits_mark_subject(&edits, header, mark,
		    tx->session->leading_space);
	n = signing_fields(tx, &edits, results, fields);
	return fields_text(tx->arena, fields, n);
}

static bool
same_mark(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

/* Those of the n entries before that leave as the same bytes, or new ones. */
static const char *
signatures_of(struct transaction *tx, const struct finish *finish,
    const char *mark, const struct hold_entry *entries, size_t n)
{
	while (n-- > 0)
		if (entries[n].signatures != NULL &&
		    same_mark(entries[n].subject_mark, mark))
			return entries[n].signatures;
	return make_signatures(tx, mark, finish->results);
}

/* ---- what to say when it did not work ---- */

static bool
all_held(const struct transaction *tx, int full)
{
	size_t i;

	for (i = 0; i < tx->mailbox_count; i++)
		if (tx->mailboxes[i].fate != FATE_HOLD ||
		    tx->mailboxes[i].verdict->policy->hold_full != full)
			return false;
	return true;
}

static const struct answer *
answer_full(const struct transaction *tx, enum quarantine_full full,
    const struct err *err)
{
	switch (full) {
	case FULL_MESSAGE:
		return answer_of(ANSWER_HOLD_TOO_LARGE);
	case FULL_DOMAIN:
		/* A rejection goes to all: only if all are held. */
		return answer_of(all_held(tx, FULL_REJECT)
			? ANSWER_DOMAIN_FULL_REJECT
			: ANSWER_DOMAIN_FULL);
	case FULL_MEMORY:
		return answer_of(ANSWER_MEMORY_FULL);
	case FULL_NOT:
		break;
	}
	return answer_of_err(err->kind);
}

static void
log_failure(const struct transaction *tx, const struct err *err)
{
	struct log_line line;

	log_line_init(&line, LOG_LEVEL_ERROR, tx->id.text);
	log_field(&line, "error", "the message could not be held");
	log_field(&line, "kind", err_kind_name(err->kind));
	log_field(&line, "reason", err->text);
	log_line_end(&line);
}

const struct answer *
carry_holds(struct transaction *tx, struct finish *finish,
    const struct own_field *fields, size_t n)
{
	struct daemon *daemon = tx->session->daemon;
	struct hold_entry *entries =
	    arena_calloc(tx->arena, tx->mailbox_count + 1, sizeof(*entries));
	enum quarantine_full full = FULL_NOT;
	struct hold_mail mail = { 0 };
	struct hold_entry *entry;
	struct err err = { 0 };
	size_t i, count = 0;
	int rc;

	fill_mail(tx, fields, n, &mail);
	for (i = 0; i < tx->mailbox_count; i++) {
		if (!is_written(&tx->mailboxes[i]))
			continue;
		entry = &entries[count];
		fill_entry(tx, i, finish->answer, entry);
		if (signing_is_due(tx, &tx->mailboxes[i],
			entry->subject_mark != NULL))
			entry->signatures = signatures_of(tx, finish,
			    entry->subject_mark, entries, count);
		finish->entries[i] = entry;
		count++;
	}
	waker_wake(daemon->waker); /* the store may keep us waiting */
	rc = quarantine_put(daemon->quarantine, &mail, count, entries, &full,
	    &err);
	for (i = 0; i < count; i++) {
		json_decref(entries[i].record);
		json_decref(entries[i].event);
	}
	if (rc == 0) {
		daemon->counters.holds += count;
		return NULL;
	}
	daemon->counters.hold_failures++;
	memset(finish->entries, 0, tx->mailbox_count * sizeof(entries));
	log_failure(tx, &err);
	return answer_full(tx, full, &err);
}
