/*
 * record.c - what is told of a message: a log line and an event for each
 * final mailbox.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/utf8.h"
#include "mail/charset.h"
#include "mail/message.h"
#include "quarantine/events.h"
#include "quarantine/heartbeat.h"
#include "quarantine/quarantine.h"

#include "milter/daemon.h"
#include "milter/record.h"
#include "milter/session.h"

#define DISPLAY_MAX 1000 /* octets of a header kept for lists */

const char *
class_text(struct arena *arena, const struct verdict *verdict)
{
	const char *main_class = main_class_name(verdict->main_class);

	if (verdict->sub == SUB_NONE)
		return main_class;
	return arena_printf(arena, "%s/%s", main_class,
	    sub_class_name(verdict->sub));
}

/* ---- log lines ---- */

static void
log_envelope(struct log_line *line, const struct transaction *tx)
{
	const struct envelope *envelope = &tx->envelope;
	char ip[IP_TEXT_SIZE] = "";

	if (envelope->client.ip.family != IP_NONE)
		ip_format(&envelope->client.ip, ip);
	if (envelope->queue_id[0] != '\0')
		log_field(line, "qid", envelope->queue_id);
	log_field(line, "client", ip);
	if (envelope->upstream.family != IP_NONE) {
		ip_format(&envelope->upstream, ip);
		log_field(line, "upstream", ip);
	}
	log_field(line, "helo", envelope->client.helo);
	if (envelope->client.auth[0] != '\0')
		log_field(line, "auth", envelope->client.auth);
	log_field(line, "from", envelope->sender.raw);
}

static void
log_results(struct log_line *line, const struct transaction *tx)
{
	const struct auth *auth = &tx->scan->auth;

	if (!tx->scan->inbound_checks)
		return;
	log_field(line, "spf", auth_result_name(auth->spf.mailfrom.result));
	log_field(line, "dkim", auth_result_name(auth->dkim.result));
	log_field(line, "dmarc", auth_result_name(auth->dmarc.result));
}

static void
log_verdict(struct log_line *line, struct arena *arena,
    const struct verdict *verdict)
{
	char score[SCORE_TEXT_SIZE];

	score_format(verdict->score, score);
	log_field(line, "class", class_text(arena, verdict));
	log_field(line, "why", verdict->extra);
	log_field(line, "score", score);
	log_field(line, "action", action_name(verdict->action));
}

static void
log_answer(struct log_line *line, const struct answer *answer)
{
	if (answer->code == NULL)
		return;
	log_field(line, "code", answer->code);
	log_field(line, "dsn", answer->enhanced);
}

static void
log_message_id(struct log_line *line, const struct transaction *tx)
{
	const struct header_field *field =
	    header_find(&tx->message->header, "Message-ID", 0);

	if (field != NULL)
		log_field_bytes(line, "msgid",
		    header_field_text(tx->arena, field));
}

void
record_log(const struct transaction *tx, const struct plan_mailbox *mailbox,
    const struct answer *answer, const struct hold_entry *entry)
{
	struct log_line line;

	if (!log_is_on(LOG_LEVEL_INFO))
		return;
	log_line_init(&line, LOG_LEVEL_INFO, tx->id.text);
	log_envelope(&line, tx);
	log_field(&line, "to", mailbox->mailbox);
	if (strcmp(mailbox->rcpt_key, mailbox->mailbox) != 0)
		log_field(&line, "rcpt", mailbox->rcpt_key);
	log_field(&line, "status", status_name(mailbox->status));
	log_verdict(&line, tx->arena, mailbox->verdict);
	log_results(&line, tx);
	if (entry != NULL)
		log_field(&line, "held", entry->id);
	if (entry != NULL && entry->already)
		log_field_int(&line, "already", 1);
	log_answer(&line, answer);
	log_field_int(&line, "size", (int64_t)message_size(tx->message));
	log_message_id(&line, tx);
	log_field_int(&line, "ms", clock_mono_ms() - tx->begun_ms);
	log_line_end(&line);
}

void
record_released(const struct transaction *tx)
{
	struct log_line line;

	log_line_init(&line, LOG_LEVEL_INFO, tx->id.text);
	log_envelope(&line, tx);
	log_field(&line, "to", tx->mailboxes[0].mailbox);
	log_field(&line, "status", status_name(STATUS_ACCEPTED));
	log_field_int(&line, "released", 1);
	log_message_id(&line, tx);
	log_line_end(&line);
}

/* ---- events ---- */

/* Numbers of refused recipients begin behind those of any mailbox. */
#define REFUSED_NUMBER 1000000

/* jansson takes valid UTF-8 only; ours nearly always is. */
static json_t *
json_text(const char *text)
{
	json_t *json = json_string(text);
	struct buf buf;

	if (json != NULL)
		return json;
	buf_init(&buf, 3 * strlen(text));
	(void)utf8_append_clean(&buf, bytes_of(text));
	json = json_string(buf_str(&buf));
	buf_free(&buf);
	return json;
}

const char *
record_display(const struct transaction *tx, const char *name,
    const char *(*decode)(struct arena *, struct bytes, size_t))
{
	const struct header_field *field =
	    header_find(&tx->message->header, name, 0);

	return field != NULL ? decode(tx->arena, field->value, DISPLAY_MAX)
			     : "";
}

/* Whose mail this is. */
static const char *
domain_of(const struct transaction *tx, const struct plan_mailbox *mailbox)
{
	const char *at;

	if (mailbox->direction == DIRECTION_OUTBOUND)
		return tx->envelope.sender.domain;
	at = strrchr(mailbox->mailbox, '@');
	return at != NULL ? at + 1 : "";
}

static const char *
answer_text(struct arena *arena, const struct answer *answer)
{
	if (answer->code == NULL)
		return "";
	return arena_printf(arena, "%s %s %s", answer->code, answer->enhanced,
	    answer->text);
}

/* What is known of every mail, accepted or refused at RCPT. */
static json_t *
base_event(const struct transaction *tx, const struct plan_mailbox *mailbox,
    size_t n, const struct answer *answer)
{
	const struct envelope *envelope = &tx->envelope;
	const struct verdict *verdict = mailbox->verdict;
	const char *id = arena_printf(tx->arena, "%s.%zu", tx->id.text, n);
	char ip[IP_TEXT_SIZE] = "";

	if (envelope->client.ip.family != IP_NONE)
		ip_format(&envelope->client.ip, ip);
	return json_pack("{s:s, s:s, s:I, s:s, s:o, s:s, s:o, s:o, s:o, s:o,"
			 " s:s, s:o, s:o, s:{s:s, s:s, s:o}, s:f, s:s, s:s}",
	    "event", id, "id", id, "time", (json_int_t)clock_wall_ms(),
	    "status", status_name(mailbox->status), "queue_id",
	    json_text(envelope->queue_id), "direction",
	    mailbox->direction == DIRECTION_OUTBOUND ? "outbound" : "inbound",
	    "mailbox", json_text(mailbox->mailbox), "domain",
	    json_text(domain_of(tx, mailbox)), "rcpt",
	    json_text(mailbox->rcpt_key), "sender",
	    json_text(envelope->sender.raw), "client_ip", ip, "client_name",
	    json_text(envelope->client.hostname), "helo",
	    json_text(envelope->client.helo), "class", "main",
	    main_class_name(verdict->main_class), "sub",
	    sub_class_name(verdict->sub), "extra", json_text(verdict->extra),
	    "score", (double)verdict->score / 1000, "action",
	    action_name(verdict->action), "reply",
	    answer_text(tx->arena, answer));
}

json_t *
record_event(const struct transaction *tx, const struct plan_mailbox *mailbox,
    size_t n, const struct answer *answer)
{
	json_t *event = base_event(tx, mailbox, n, answer);
	json_t *message = json_pack("{s:o, s:o, s:o, s:I, s:o}", "from",
	    json_text(record_display(tx, "From", charset_phrase_text)),
	    "subject",
	    json_text(record_display(tx, "Subject", charset_header_text)),
	    "message_id",
	    json_text(record_display(tx, "Message-ID", charset_header_text)),
	    "size", (json_int_t)message_size(tx->message), "record",
	    verdict_record(tx->scan, mailbox->mailbox, mailbox->verdict,
		mailbox->direction));

	json_object_update(event, message);
	json_decref(message);
	return event;
}

static bool
events_are_read(const struct transaction *tx)
{
	return tx->session->daemon->store != NULL;
}

void
record_send(const struct transaction *tx, const struct plan_mailbox *mailbox,
    size_t n, const struct answer *answer)
{
	if (events_are_read(tx))
		events_send(tx->session->daemon->events,
		    record_event(tx, mailbox, n, answer));
}

/* ---- refusals at RCPT ---- */

void
record_refusal(const struct transaction *tx, const char *recipient,
    const struct verdict *verdict, const struct answer *answer)
{
	enum status status =
	    answer->code[0] == '4' ? STATUS_DEFERRED : STATUS_REJECTED;
	struct log_line line;

	metrics_add(tx->session->daemon->metrics, MILTER_VERDICTS,
	    verdict->main_class, status, 1);
	if (!log_is_on(LOG_LEVEL_INFO))
		return;
	log_line_init(&line, LOG_LEVEL_INFO, tx->id.text);
	log_envelope(&line, tx);
	log_field(&line, "to", recipient);
	log_field(&line, "status", status_name(status));
	log_verdict(&line, tx->arena, verdict);
	log_answer(&line, answer);
	log_line_end(&line);
}

void
record_send_refusal(const struct transaction *tx,
    const struct address *recipient, const char *mailbox,
    const struct verdict *verdict, const struct answer *answer, size_t n)
{
	struct plan_mailbox refused = {
		.mailbox = mailbox,
		.rcpt_key = recipient->key,
		.verdict = verdict,
		.direction = DIRECTION_INBOUND,
		.status =
		    answer->code[0] == '4' ? STATUS_DEFERRED : STATUS_REJECTED,
	};

	if (events_are_read(tx))
		events_send(tx->session->daemon->events,
		    base_event(tx, &refused, REFUSED_NUMBER + n, answer));
}
