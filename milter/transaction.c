/*
 * transaction.c - one message: from MAIL to end of message, abort or close.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"
#include "base/utf8.h"
#include "mail/message.h"
#include "mail/received.h"

#include "milter/daemon.h"
#include "milter/record.h"
#include "milter/session.h"
#include "milter/signing.h"
#include "milter/transaction.h"

/* ESMTP parameters of MAIL or RCPT: RFC 3461 allows 500 octets for ORCPT
 * alone; Postfix's longest command line is 2,048. */
#define PARAMS_MAX 2048
#define FIRST_RECIPIENTS 4

/* ---- MAIL ---- */

/* Our own copy, or "": the envelope holds no control characters. */
static const char *
keep_text(struct arena *arena, const char *text)
{
	struct bytes bytes = bytes_of(text != NULL ? text : "");
	size_t i;

	for (i = 0; i < bytes.len; i++)
		if ((unsigned char)bytes.data[i] < 0x20 ||
		    bytes.data[i] == 0x7f)
			return "";
	return utf8_is_valid(bytes) ? arena_memdup(arena, bytes.data, bytes.len)
				    : "";
}

/* The parameters with single spaces between.  -1: too many, or rubbish. */
static int
join_params(struct arena *arena, char *const *params, const char **out)
{
	struct buf buf;
	size_t i;
	int rc = 0;

	buf_init(&buf, PARAMS_MAX);
	for (i = 0; params[i] != NULL; i++)
		if ((i > 0 && buf_append_char(&buf, ' ') < 0) ||
		    buf_append_str(&buf, params[i]) < 0)
			break;
	*out = keep_text(arena, buf_str(&buf));
	if (buf.overflow || (buf.len > 0 && (*out)[0] == '\0'))
		rc = -1;
	buf_free(&buf);
	return rc;
}

static void
read_sender_params(struct envelope *envelope, char *const *params)
{
	struct cursor c;
	uint64_t size;

	for (; *params != NULL; params++) {
		c = cursor_of(bytes_of(*params));
		if (cursor_literal(&c, "SIZE=")) {
			if (parse_u64((struct bytes){ c.p,
					  (size_t)(c.end - c.p) },
				0, INT64_MAX, &size) == 0)
				envelope->declared_size = size;
		} else if (str_equal_nocase(*params, "SMTPUTF8")) {
			envelope->smtputf8 = true;
		}
	}
}

static void
read_client(struct transaction *tx)
{
	const struct session *session = tx->session;
	struct envelope_client *client = &tx->envelope.client;
	const char *hostname = session_get(session, SESSION_HOSTNAME);

	client->ip = session->ip;
	/* What Postfix says when it could not verify the name. */
	if (strcmp(hostname, "unknown") == 0)
		hostname = "";
	client->hostname = arena_strdup(tx->arena, hostname);
	client->helo =
	    arena_strdup(tx->arena, session_get(session, SESSION_HELO));
	client->auth =
	    arena_strdup(tx->arena, session_get(session, SESSION_AUTH));
	client->tls =
	    arena_strdup(tx->arena, session_get(session, SESSION_TLS));
	client->daemon =
	    arena_strdup(tx->arena, session_get(session, SESSION_DAEMON));
}

static void
read_sender(struct transaction *tx, const char *sender, char *const *params)
{
	struct envelope *envelope = &tx->envelope;

	if (address_parse(tx->arena, bytes_of(sender), &envelope->sender,
		NULL) < 0) {
		envelope->sender =
		    (struct address){ keep_text(tx->arena, sender), "", "",
			    "" };
		tx->sender_malformed = true;
	}
	if (join_params(tx->arena, params, &envelope->sender_params) < 0)
		tx->sender_malformed = true;
	read_sender_params(envelope, params);
}

static bool
ip_is_loopback(const struct ip *ip)
{
	static const uint8_t v6[16] = { [15] = 1 };

	if (ip->family == IP_V4)
		return ip->bytes[0] == 127;
	return ip->family == IP_V6 && memcmp(ip->bytes, v6, 16) == 0;
}

/*
 * Postfix shows mail that did not come over SMTP (non_smtpd_milters) as a
 * session from the loopback address; unlike a real one it has its queue id
 * at MAIL already.  Sendmail always has one there, and submits by SMTP.
 */
static bool
is_submitted(const struct transaction *tx, const char *queue_id)
{
	const struct ip *ip = &tx->session->ip;
	const char *version = session_get(tx->session, SESSION_VERSION);

	return queue_id != NULL && queue_id[0] != '\0' &&
	    !ascii_is_digit(version[0]) &&
	    (ip->family == IP_NONE || ip_is_loopback(ip));
}

static const char *
choose_authserv_id(const struct transaction *tx)
{
	const char *configured = tx->setup->conf->authserv_id;
	const char *mta = session_get(tx->session, SESSION_AUTHSERV);

	if (configured[0] != '\0')
		return configured;
	return arena_strdup(tx->arena,
	    mta[0] != '\0' ? mta : tx->session->daemon->hostname);
}

static void
message_begin(struct transaction *tx)
{
	const struct conf *conf = tx->setup->conf;
	struct message_limits limits = {
		.header_bytes = conf->header_max,
		.header_count = conf->header_count_max,
		.memory = conf->message_memory,
		.spool_dir = conf->state_dir,
	};

	tx->message = message_new(tx->arena, &limits);
}

struct transaction *
transaction_new(struct session *session, const char *sender,
    char *const *params, const char *queue_id)
{
	struct daemon *daemon = session->daemon;
	struct arena *arena = arena_new(0);
	struct transaction *tx = arena_calloc(arena, 1, sizeof(*tx));

	tx->session = session;
	tx->arena = arena;
	tx->id = ulid_new();
	tx->begun_ms = clock_mono_ms();
	daemon_add_transaction(daemon);
	tx->setup = daemon_setup(daemon);
	tx->observes =
	    session->observes || tx->setup->conf->mode == MODE_OBSERVE;
	tx->settings = daemon_settings(daemon);
	tx->authserv_id = choose_authserv_id(tx);
	tx->envelope.id = tx->id.text;
	tx->envelope.queue_id = "";
	tx->envelope.received_ms = clock_wall_ms();
	transaction_set_queue_id(tx, queue_id);
	read_client(tx);
	read_sender(tx, sender, params);
	tx->submitted = is_submitted(tx, queue_id);
	tx->client_is_ours = tx->submitted ||
	    tx->envelope.client.auth[0] != '\0' ||
	    network_list_contains(&tx->setup->networks, &session->ip);
	tx->peer = tx->envelope.client;
	tx->from_upstream = !tx->client_is_ours &&
	    network_list_contains(&tx->setup->upstream, &session->ip);
	tx->from_release_network =
	    network_list_contains(&tx->setup->release_networks, &session->ip);
	message_begin(tx);
	if (tx->settings == NULL)
		return tx;
	tx->scan = scan_new(arena, daemon->dns, &tx->envelope, tx->settings,
	    tx->authserv_id);
	tx->scan->keys = daemon->keys;
	tx->scan->inbound_checks = !tx->client_is_ours;
	if (tx->from_upstream &&
	    tx->setup->conf->upstream_trust == UPSTREAM_SKIP)
		tx->scan->inbound_checks = false;
	/* Else what SPF asks is not known yet. */
	if (!tx->from_upstream)
		scan_reach(tx->scan, SCAN_MAIL);
	return tx;
}

void
transaction_free(struct transaction *tx)
{
	struct daemon *daemon;

	if (tx == NULL)
		return;
	daemon = tx->session->daemon;
	if (tx->envelope.recipient_count > 0)
		daemon_remove_accepted(daemon);
	signing_fini(tx);
	scan_fini(tx->scan);
	message_fini(tx->message);
	settings_unref(tx->settings);
	setup_unref(tx->setup);
	arena_free(tx->arena); /* with tx in it */
	daemon_remove_transaction(daemon);
}

void
transaction_set_queue_id(struct transaction *tx, const char *queue_id)
{
	if (queue_id != NULL && queue_id[0] != '\0' &&
	    strcmp(queue_id, tx->envelope.queue_id) != 0)
		tx->envelope.queue_id = keep_text(tx->arena, queue_id);
}

/* ---- RCPT ---- */

/* Room for one more in an array of the arena that doubles. */
static void *
grow(struct arena *arena, void *array, size_t count, size_t *size, size_t item)
{
	void *grown;

	if (count < *size)
		return array;
	*size = *size > 0 ? *size * 2 : FIRST_RECIPIENTS;
	grown = arena_calloc(arena, *size, item);
	if (count > 0)
		memcpy(grown, array, count * item);
	return grown;
}

static void
add_mailbox(struct transaction *tx, const char *key,
    const struct address *address, enum direction direction, bool ours,
    const struct verdict *verdict)
{
	struct plan_mailbox *mailbox;

	tx->mailboxes = grow(tx->arena, tx->mailboxes, tx->mailbox_count,
	    &tx->mailbox_size, sizeof(*tx->mailboxes));
	mailbox = &tx->mailboxes[tx->mailbox_count++];
	mailbox->mailbox = key;
	mailbox->rcpt = tx->envelope.recipient_count;
	mailbox->rcpt_key = address->key;
	mailbox->direction = direction;
	mailbox->ours = ours;
	mailbox->verdict = verdict;
	tx->watched |= ours;
}

static void
add_recipient(struct transaction *tx, const struct envelope_recipient *rcpt)
{
	struct envelope *envelope = &tx->envelope;

	envelope->recipients =
	    grow(tx->arena, envelope->recipients, envelope->recipient_count,
		&tx->recipient_size, sizeof(*envelope->recipients));
	envelope->recipients[envelope->recipient_count++] = *rcpt;
	if (envelope->recipient_count == 1)
		daemon_add_accepted(tx->session->daemon);
	tx->session->daemon->counters.recipients++;
}

/* Whether recipients can be taken at all, whoever they are. */
static enum answer_id
may_receive(const struct transaction *tx)
{
	if (tx->session->turned_away)
		return ANSWER_BUSY;
	if (tx->session->daemon->draining)
		return ANSWER_DRAINING;
	if (tx->settings == NULL)
		return ANSWER_NO_SETTINGS;
	/* Refused here, it would lie in Postfix's maildrop for ever. */
	if (tx->submitted)
		return ANSWER_CONTINUE;
	if (tx->sender_malformed)
		return ANSWER_SENDER_MALFORMED;
	if (tx->mailbox_count >= tx->setup->conf->recipients_max)
		return ANSWER_TOO_MANY_RECIPIENTS;
	return ANSWER_CONTINUE;
}

/* `split = rcpt`: a domain that wants exact answers shares no transaction
 * with another one. */
static bool
must_split(const struct transaction *tx, const struct address *address)
{
	const struct address *first;

	if (tx->envelope.recipient_count == 0)
		return false;
	first = &tx->envelope.recipients[0].address;
	if (strcmp(first->domain, address->domain) == 0)
		return false;
	return settings_domain_policy(tx->settings, address->domain)->split ==
	    SPLIT_RCPT ||
	    settings_domain_policy(tx->settings, first->domain)->split ==
	    SPLIT_RCPT;
}

static const struct answer *
refuse_by_verdict(struct transaction *tx, const struct address *recipient,
    const char *mailbox, const struct verdict *verdict)
{
	struct answer *answer = arena_alloc(tx->arena, sizeof(*answer));

	answer->code = verdict->code;
	answer->enhanced = verdict->enhanced;
	answer->text = verdict->reply;
	tx->session->daemon->counters.refused++;
	record_refusal(tx, recipient->raw, verdict, answer);
	record_send_refusal(tx, recipient, mailbox, verdict, answer,
	    tx->refused++);
	return answer;
}

/* No event: nobody's policy, and often a flood. */
static const struct answer *
refuse_by_us(struct transaction *tx, const char *recipient, enum answer_id id)
{
	const struct answer *answer = answer_of(id);
	bool defer = answer->code[0] == '4';

	tx->session->daemon->counters.refused++;
	record_refusal(tx, recipient,
	    verdict_plain(tx->arena, defer ? CLASS_ERROR : CLASS_BLACKLISTED,
		defer ? SUB_INTERNAL : SUB_MALFORMED, answer->text,
		defer ? ACTION_DEFER : ACTION_REJECT),
	    answer);
	return answer;
}

/* Those whom RCPT cannot refuse, or must not: mail that was submitted
 * locally, what we release ourselves, everything while we only observe. */
static bool
is_exempt(const struct transaction *tx)
{
	return tx->submitted || tx->from_release_network || tx->observes;
}

/*
 * Final mailboxes of a recipient of ours.  A RCPT is refused when all its
 * mailboxes refuse, deferred when one of them wants that; what only some
 * refuse is decided at the end of the message.
 */
static const struct answer *
take_ours(struct transaction *tx, const struct envelope_recipient *rcpt,
    const struct directory_result *found)
{
	const struct verdict *verdict, *refusal = NULL;
	size_t i, before = tx->mailbox_count, refused = 0;
	bool watched = tx->watched;

	/* An alias may stand for many; the first one always has room. */
	if (before > 0 && !tx->submitted &&
	    before + found->count > tx->setup->conf->recipients_max) {
		if (tx->observes)
			return answer_of(ANSWER_CONTINUE);
		return refuse_by_us(tx, rcpt->address.raw,
		    ANSWER_TOO_MANY_RECIPIENTS);
	}
	for (i = 0; i < found->count; i++) {
		verdict = verdict_at_rcpt(tx->arena, &tx->envelope,
		    tx->settings, found->mailboxes[i]);
		if (verdict->action == ACTION_ACCEPT || tx->submitted ||
		    tx->from_release_network)
			verdict = NULL;
		add_mailbox(tx, found->mailboxes[i], &rcpt->address,
		    DIRECTION_INBOUND, true, verdict);
		if (verdict == NULL)
			continue;
		refused++;
		if (refusal == NULL || verdict->action == ACTION_DEFER)
			refusal = verdict;
	}
	if (refusal == NULL || tx->observes ||
	    (refused < found->count && refusal->action != ACTION_DEFER))
		return answer_of(ANSWER_CONTINUE);
	tx->mailbox_count = before;
	tx->watched = watched;
	return refuse_by_verdict(tx, &rcpt->address,
	    found->count == 1 ? found->mailboxes[0] : rcpt->address.key,
	    refusal);
}

/* The address itself is the final mailbox. */
static const struct answer *
take_itself(struct transaction *tx, const struct envelope_recipient *rcpt,
    enum direction direction, bool ours)
{
	add_mailbox(tx, rcpt->address.key, &rcpt->address, direction, ours,
	    NULL);
	return answer_of(ANSWER_CONTINUE);
}

static const struct answer *
take_foreign(struct transaction *tx, const struct envelope_recipient *rcpt)
{
	if (tx->client_is_ours)
		return take_itself(tx, rcpt, DIRECTION_OUTBOUND, true);
	if (tx->setup->conf->unlisted_domains == UNLISTED_CHECK)
		return take_itself(tx, rcpt, DIRECTION_INBOUND, true);
	tx->session->daemon->counters.unlisted++;
	return take_itself(tx, rcpt, DIRECTION_INBOUND, false);
}

static const struct answer *
take(struct transaction *tx, const struct envelope_recipient *rcpt)
{
	struct directory_result found;

	switch (directory_resolve(tx->settings, tx->arena, &rcpt->address,
	    tx->setup->conf->recipient_delimiter, &found)) {
	case DIRECTORY_FOUND:
		return take_ours(tx, rcpt, &found);
	case DIRECTORY_NOT_OURS:
		return take_foreign(tx, rcpt);
	case DIRECTORY_UNKNOWN:
		if (is_exempt(tx))
			break;
		return refuse_by_verdict(tx, &rcpt->address, rcpt->address.key,
		    verdict_plain(tx->arena, CLASS_UNKNOWN, SUB_UNKNOWN_USER,
			rcpt->address.key, ACTION_REJECT));
	case DIRECTORY_BROKEN:
		if (is_exempt(tx))
			break;
		return refuse_by_us(tx, rcpt->address.raw, ANSWER_ALIAS_BROKEN);
	}
	return take_itself(tx, rcpt, DIRECTION_INBOUND, true);
}

/* It must be taken, and we cannot read it: left to the MTA. */
static const struct answer *
take_unread(struct transaction *tx, struct envelope_recipient *rcpt,
    const char *text)
{
	rcpt->address = (struct address){ text, "", "", text };
	rcpt->params = "";
	return take_itself(tx, rcpt, DIRECTION_OUTBOUND, false);
}

/* Not taken.  Observing, what we cannot judge is not our business. */
static const struct answer *
turn_away(struct transaction *tx, const char *rcpt, enum answer_id id)
{
	if (tx->observes)
		return answer_of(ANSWER_CONTINUE);
	return refuse_by_us(tx, keep_text(tx->arena, rcpt), id);
}

const struct answer *
transaction_recipient(struct transaction *tx, const char *rcpt,
    char *const *params)
{
	struct envelope_recipient recipient = { .params = "" };
	enum answer_id id = may_receive(tx);
	const struct answer *answer;
	bool readable;

	/* Whoever tries on and on gets no memory and no log line for it. */
	if (++tx->attempts > tx->setup->conf->recipients_max * 2 &&
	    !tx->submitted)
		return answer_of(tx->observes ? ANSWER_CONTINUE
					      : ANSWER_TOO_MANY_RECIPIENTS);
	if (id != ANSWER_CONTINUE)
		return turn_away(tx, rcpt, id);
	readable = address_parse(tx->arena, bytes_of(rcpt), &recipient.address,
		       NULL) == 0 &&
	    join_params(tx->arena, params, &recipient.params) == 0;
	if (!readable && !tx->submitted)
		return turn_away(tx, rcpt, ANSWER_RECIPIENT_MALFORMED);
	if (!is_exempt(tx) && must_split(tx, &recipient.address))
		return turn_away(tx, rcpt, ANSWER_OTHER_DOMAIN);
	recipient.rcpt = arena_strdup(tx->arena, rcpt);
	answer = readable
	    ? take(tx, &recipient)
	    : take_unread(tx, &recipient, keep_text(tx->arena, rcpt));
	if (answer->code == NULL)
		add_recipient(tx, &recipient);
	if (tx->scan != NULL)
		scan_poll(tx->scan);
	return answer;
}

/* ---- DATA ---- */

void
transaction_header(struct transaction *tx, const char *name, const char *value)
{
	struct bytes bytes = bytes_of(value);

	if (tx->message->limit != NULL)
		return;
	/* An MTA that does not know SMFIP_HDR_LEADSPC has taken one space
	 * away, which nearly always was there. */
	if (!tx->session->leading_space)
		bytes = (struct bytes){ arena_printf(tx->arena, " %s", value),
			bytes.len + 1 };
	message_add_field(tx->message, bytes_of(name), bytes);
}

static bool
is_upstream(void *context, const struct ip *ip)
{
	return network_list_contains(context, ip);
}

/* Behind a gateway the client is who its Received names.  Where that cannot
 * be read nobody is, rather than somebody of the sender's choice. */
static void
find_true_client(struct transaction *tx)
{
	struct envelope_client *client = &tx->envelope.client;
	struct received received = { .helo = "", .name = "" };
	struct log_line line;
	struct err err;

	if (!tx->from_upstream)
		return;
	if (received_find_client(tx->arena, &tx->message->header, is_upstream,
		&tx->setup->upstream, &received, &err) < 0) {
		received = (struct received){ { IP_NONE, { 0 } }, "", "" };
		log_line_init(&line, LOG_LEVEL_WARN, tx->id.text);
		log_field(&line, "error", "upstream tells no client");
		log_field(&line, "reason", err.text);
		log_line_end(&line);
	}
	tx->envelope.upstream = client->ip;
	client->ip = received.ip;
	client->helo = received.helo;
	client->hostname = received.name;
}

void
transaction_header_end(struct transaction *tx)
{
	if (tx->header_ended)
		return;
	tx->header_ended = true;
	tx->message->has_body = true;
	if (!tx->watched)
		return;
	tx->scan->message = tx->message;
	find_true_client(tx);
	signing_begin(tx);
	scan_reach(tx->scan, SCAN_HEADERS);
}

/* Only what holds a message reads its body again, and what looks whether we
 * have released it; checks see it as it comes. */
static bool
is_body_kept(const struct transaction *tx)
{
	return !tx->observes || tx->from_release_network;
}

void
transaction_body(struct transaction *tx, struct bytes piece)
{
	struct err err;

	transaction_header_end(tx);
	if (!tx->watched || tx->failure != NULL)
		return;
	if (!is_body_kept(tx))
		spool_skip(tx->message->body, piece.len);
	else if (spool_append(tx->message->body, piece.data, piece.len, &err) <
	    0)
		tx->failure = arena_strdup(tx->arena, err.text);
	scan_body(tx->scan, piece);
	scan_poll(tx->scan);
}
