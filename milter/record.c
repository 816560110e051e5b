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
#include "mail/charset.h"
#include "mail/message.h"
#include "quarantine/events.h"
#include "quarantine/quarantine.h"

#include "milter/daemon.h"
#include "milter/record.h"
#include "milter/session.h"

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

void
record_refusal(const struct transaction *tx, const char *recipient,
    const struct verdict *verdict, const struct answer *answer, size_t n)
{
	struct log_line line;

	(void)n;
	if (!log_is_on(LOG_LEVEL_INFO))
		return;
	log_line_init(&line, LOG_LEVEL_INFO, tx->id.text);
	log_envelope(&line, tx);
	log_field(&line, "to", recipient);
	log_field(&line, "status",
	    status_name(
		answer->code[0] == '4' ? STATUS_DEFERRED : STATUS_REJECTED));
	log_verdict(&line, tx->arena, verdict);
	log_answer(&line, answer);
	log_line_end(&line);
}

json_t *
record_event(const struct transaction *tx, const struct plan_mailbox *mailbox,
    size_t n)
{
	(void)tx;
	(void)mailbox;
	(void)n;
	return json_object();
}

void
record_send(const struct transaction *tx, const struct plan_mailbox *mailbox,
    size_t n)
{
	(void)tx;
	(void)mailbox;
	(void)n;
}
