/*
 * release.c - gives held mail to the release listener, once.
 *
 * The order is what keeps the promise of the header: lease; everything up to
 * the last byte of the message; note that the dot comes next, which also
 * makes sure that the lease is still ours; dot; note the answer.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/crypto.h"
#include "base/log.h"
#include "base/netaddr.h"
#include "base/ulid.h"
#include "mail/address.h"
#include "mail/smtp.h"
#include "policy/class.h"
#include "quarantine/events.h"
#include "quarantine/release_impl.h"
#include "quarantine/release_message.h"

#define OWN_HEADER_MAX (256 * 1024)
#define REPLY_MAX 1000
/* The note of an answer is tried again for about 6 s. */
#define SETTLE_TRIES 7
#define SETTLE_FIRST_PAUSE_MS 100

struct release {
	struct quarantine *quarantine;
	struct events *events;
	char *host;
	char *port;
	char *helo;
	unsigned timeout_s;
};

/* What the entry says; strings live as long as the JSON and the arena. */
struct entry {
	const char *mailbox;
	const char *rcpt;
	const char *rcpt_params;
	const char *sender;
	const char *sender_params;
	const char *received;
	const char *results;
	const char *authserv_id;
	const char *subject_mark; /* or NULL */
	enum held_state state;
};

struct attempt {
	struct release *release;
	enum release_for whom;
	const char *held_id;
	const char *domain;
	const char *actor;
	struct arena *arena;
	char token[LEASE_TOKEN_SIZE];
	struct entry entry; /* its state: before the lease */
	struct release_header_rules rules;
	struct buf own_header; /* what stands before the stored bytes */
	uint64_t size;         /* of all that goes out */
};

/* ---- opening ---- */

struct release *
release_open(struct quarantine *quarantine, struct events *events,
    const struct release_options *options)
{
	struct release *release = xcalloc(1, sizeof(*release));
	const char *colon = strrchr(options->listener, ':');
	const char *host = options->listener;
	size_t len = colon != NULL ? (size_t)(colon - host) : strlen(host);

	if (len >= 2 && host[0] == '[' && host[len - 1] == ']') {
		host++;
		len -= 2;
	}
	release->quarantine = quarantine;
	release->events = events;
	release->host = xmemdup(host, len);
	release->port = xstrdup(colon != NULL ? colon + 1 : "");
	release->helo = options->helo != NULL ? xstrdup(options->helo) : NULL;
	release->timeout_s = options->timeout_s;
	return release;
}

void
release_close(struct release *release)
{
	if (release == NULL)
		return;
	free(release->host);
	free(release->port);
	free(release->helo);
	free(release);
}

int
release_due(struct release *release, struct arena *arena, size_t limit,
    struct held_ref *refs, size_t *n, struct err *err)
{
	return quarantine_due(release->quarantine, arena, limit, refs, n, err);
}

/* Longer than all the deadlines of a dialogue together, so that a lease
 * does not run out under a release that goes its slow way. */
static unsigned
lease_s(const struct release *release)
{
	return 20 * release->timeout_s + 60;
}

/* No certificate of a listener on this machine is worth the hand-shake. */
static bool
is_loopback(const char *host)
{
	struct network four, six;
	struct ip ip;

	if (strcmp(host, "localhost") == 0)
		return true;
	return ip_parse(bytes_of(host), &ip) == 0 &&
	    network_parse(BYTES_LIT("127.0.0.0/8"), &four, NULL) == 0 &&
	    network_parse(BYTES_LIT("::1"), &six, NULL) == 0 &&
	    (network_contains(&four, &ip) || network_contains(&six, &ip));
}

/* ---- the entry ---- */

/* JSON carries UTF-8 only: text that is none stands under NAME_raw, in
 * base64. */
static const char *
text_of(const json_t *entry, const char *name, struct arena *arena)
{
	const char *raw_name = arena_printf(arena, "%s_raw", name);
	const char *raw = json_string_value(json_object_get(entry, raw_name));
	const char *text = json_string_value(json_object_get(entry, name));
	struct buf octets;

	if (raw == NULL)
		return text != NULL ? text : "";
	buf_init(&octets, OWN_HEADER_MAX);
	if (base64_decode(bytes_of(raw), &octets) == 0)
		text = arena_memdup(arena, octets.data, octets.len);
	buf_free(&octets);
	return text != NULL ? text : "";
}

static int
read_entry(const json_t *json, struct arena *arena, struct entry *entry,
    struct err *err)
{
	int state = held_state_parse(bytes_of(text_of(json, "state", arena)));

	if (state < 0)
		return err_set(err, ERR_TEMP, "the entry has no state");
	entry->state = (enum held_state)state;
	entry->mailbox = text_of(json, "mailbox", arena);
	entry->rcpt = text_of(json, "rcpt", arena);
	entry->rcpt_params = text_of(json, "rcpt_params", arena);
	entry->sender = text_of(json, "sender", arena);
	entry->sender_params = text_of(json, "sender_params", arena);
	entry->received = text_of(json, "received", arena);
	entry->results = text_of(json, "results", arena);
	entry->authserv_id = text_of(json, "authserv_id", arena);
	entry->subject_mark = text_of(json, "subject_mark", arena);
	if (entry->subject_mark[0] == '\0')
		entry->subject_mark = NULL;
	if (entry->mailbox[0] == '\0')
		return err_set(err, ERR_TEMP, "the entry has no mailbox");
	return 0;
}

/* ---- the message ---- */

struct measure {
	struct sha256 *hash;
	uint64_t size;
};

static int
measure_piece(void *context, struct bytes piece, struct err *err)
{
	struct measure *measure = context;

	(void)err;
	sha256_update(measure->hash, piece.data, piece.len);
	measure->size += piece.len;
	return 0;
}

/* The stored bytes, as they go out, into sink.  0, -1. */
static int
each_stored(struct attempt *attempt, release_sink *sink, void *context,
    bool *has_body, bool *is_terminated, struct err *err)
{
	struct release_message *message =
	    release_message_new(&attempt->rules, sink, context);
	int rc;

	rc = quarantine_read(attempt->release->quarantine, attempt->held_id,
	    release_message_piece, message, err);
	if (rc == 0)
		rc = release_message_end(message, err);
	*has_body = release_message_has_body(message);
	*is_terminated = release_message_is_terminated(message);
	release_message_free(message);
	return rc;
}

/* Size and hash of what goes out.  The hash is that of the message as the
 * other side will see it: with an empty line, and ended by CRLF. */
static int
measure(struct attempt *attempt, uint8_t hash[SHA256_LEN], struct err *err)
{
	struct measure measure = { sha256_new(), 0 };
	bool has_body, is_terminated;
	int rc;

	rc = each_stored(attempt, measure_piece, &measure, &has_body,
	    &is_terminated, err);
	if (!has_body || !is_terminated)
		sha256_update(measure.hash, "\r\n", 2);
	sha256_final(measure.hash, hash);
	sha256_free(measure.hash);
	attempt->size = measure.size;
	return rc;
}

/* Received:, signatures, results, and last the field that says it is ours,
 * over all that stands below. */
static int
make_own_header(struct attempt *attempt, const struct settings *settings,
    struct err *err)
{
	struct buf *out = &attempt->own_header;
	uint8_t hash[SHA256_LEN];

	if (measure(attempt, hash, err) < 0)
		return -1;
	buf_append_str(out, attempt->entry.received);
	if (quarantine_signatures(attempt->release->quarantine,
		attempt->held_id, attempt->domain, out, err) < 0)
		return -1;
	buf_append_str(out, attempt->entry.results);
	if (release_header_make(settings, attempt->held_id,
		attempt->entry.mailbox, hash, out) < 0)
		return err_set(err, ERR_TEMP,
		    "the key for the release header is not there yet");
	if (out->overflow)
		return err_set(err, ERR_TEMP, "the header to add is too large");
	attempt->size += out->len;
	return 0;
}

struct outlet {
	int (*send)(void *smtp, struct bytes piece, struct err *err);
	void *smtp;
};

static int
outlet_piece(void *context, struct bytes piece, struct err *err)
{
	struct outlet *outlet = context;

	return outlet->send(outlet->smtp, piece, err);
}

/* The source of smtp_send.  When it returns 0 the dot follows. */
static int
give_message(void *context,
    int (*send)(void *smtp, struct bytes piece, struct err *err), void *smtp,
    struct err *err)
{
	struct attempt *attempt = context;
	struct outlet outlet = { send, smtp };
	bool has_body, is_terminated;
	int rc;

	if (send(smtp, buf_bytes(&attempt->own_header), err) < 0 ||
	    each_stored(attempt, outlet_piece, &outlet, &has_body,
		&is_terminated, err) != 0)
		return -1;
	rc = quarantine_mark_dot(attempt->release->quarantine, attempt->held_id,
	    attempt->domain, attempt->token, lease_s(attempt->release), err);
	if (rc == 0)
		return err_set(err, ERR_TEMP, "the lease ran out");
	return rc == 1 ? 0 : -1;
}

/* The address to release to: as it was given, when that is this mailbox;
 * else an alias led to it. */
static const char *
recipient_address(const struct entry *entry, struct arena *arena,
    struct buf *out)
{
	struct address address;

	if (address_parse(arena, bytes_of(entry->rcpt), &address, NULL) == 0 &&
	    strcmp(address.key, entry->mailbox) == 0)
		return address.raw;
	(void)address_append_key(out, entry->mailbox);
	return buf_str(out);
}

static const char *
sender_address(const struct entry *entry, struct arena *arena)
{
	struct address address;

	if (address_parse(arena, bytes_of(entry->sender), &address, NULL) == 0)
		return address.raw;
	return entry->sender;
}

/* What became of it, in the words of smtp.h.  *answer: the listener's, for
 * people. */
static enum smtp_outcome
deliver(struct attempt *attempt, int *code, struct buf *answer, struct err *err)
{
	const struct smtp_options options = {
		.host = attempt->release->host,
		.port = attempt->release->port,
		.helo = attempt->release->helo,
		.timeout_ms = attempt->release->timeout_s * 1000,
		.tls = is_loopback(attempt->release->host) ? SMTP_TLS_NEVER
							   : SMTP_TLS_MAY,
	};
	struct smtp_recipient recipient = { .params =
						attempt->entry.rcpt_params };
	struct smtp_mail mail = { .params = attempt->entry.sender_params,
		.size = attempt->size,
		.recipient_count = 1,
		.recipients = &recipient,
		.source = give_message,
		.source_context = attempt };
	enum smtp_outcome outcome;
	struct smtp_reply reply;
	struct smtp *smtp;
	struct buf address;

	smtp = smtp_open(&options, err);
	if (smtp == NULL)
		return SMTP_NOT_SENT;
	buf_init(&address, 4 * ADDRESS_MAX);
	recipient.address =
	    recipient_address(&attempt->entry, attempt->arena, &address);
	mail.sender = sender_address(&attempt->entry, attempt->arena);
	outcome = smtp_send(smtp, &mail, &reply, err);
	smtp_close(smtp);
	buf_free(&address);
	*code = reply.code;
	if (reply.code != 0)
		buf_printf(answer, "%d %s%s%s", reply.code, reply.enhanced,
		    reply.enhanced[0] != '\0' ? " " : "", reply.text);
	return outcome;
}

/* ---- what became of it ---- */

/* Rows by what is known in the end. */
enum ending {
	ENDING_RELEASED,
	ENDING_REFUSED,
	ENDING_LATER,
	ENDING_UNKNOWN,
};

static enum ending
ending_of(enum smtp_outcome outcome, int code)
{
	switch (outcome) {
	case SMTP_ACCEPTED:
		return ENDING_RELEASED;
	case SMTP_REFUSED:
		return code >= 500 ? ENDING_REFUSED : ENDING_LATER;
	case SMTP_NOT_SENT:
		return ENDING_LATER;
	case SMTP_UNKNOWN:
		break;
	}
	return ENDING_UNKNOWN;
}

static bool
has_waited_long(const char *held_id)
{
	return clock_wall_ms() - ulid_wall_ms(held_id) >
	    (int64_t)RELEASE_GIVE_UP_S * 1000;
}

/* The state the entry gets.  What nobody watches and cannot be delivered
 * is held, where people look. */
static enum held_state
state_after(const struct attempt *attempt, enum ending ending)
{
	switch (ending) {
	case ENDING_RELEASED:
		return HELD_RELEASED;
	case ENDING_REFUSED:
		return attempt->whom == RELEASE_FOR_WORKER ? HELD_HELD
							   : HELD_REFUSED;
	case ENDING_LATER:
		return attempt->whom == RELEASE_FOR_WORKER &&
			has_waited_long(attempt->held_id)
		    ? HELD_HELD
		    : attempt->entry.state;
	case ENDING_UNKNOWN:
		break;
	}
	return HELD_UNKNOWN;
}

static void
pause_ms(unsigned ms)
{
	const struct timespec pause = { ms / 1000, (ms % 1000) * 1000000L };

	(void)nanosleep(&pause, NULL);
}

/* The store may be away for a moment: what is known now would else be
 * "unknown" for ever. */
static void
settle(const struct attempt *attempt, enum held_state state, const char *answer)
{
	unsigned pause = SETTLE_FIRST_PAUSE_MS;
	struct log_line line;
	struct err err;
	int i, rc = -1;

	for (i = 0; i < SETTLE_TRIES && rc < 0; i++) {
		if (i > 0)
			pause_ms(pause);
		pause *= i > 0 ? 2 : 1;
		rc = quarantine_settle(attempt->release->quarantine,
		    attempt->held_id, attempt->domain, attempt->token, state,
		    answer, &err);
	}
	if (rc == 1)
		return;
	log_line_init(&line, LOG_LEVEL_ERROR, attempt->held_id);
	log_field(&line, "error", "the end of a release could not be noted");
	log_field(&line, "state", held_state_name(state));
	log_field(&line, "reason", rc == 0 ? "the lease ran out" : err.text);
	log_line_end(&line);
}

/* A word of status when the mail's fate changed by this, else NULL. */
static const char *
status_after(const struct attempt *attempt, enum held_state state)
{
	if (state == HELD_RELEASED && attempt->whom == RELEASE_FOR_PERSON)
		return status_name(STATUS_RELEASED);
	if (state == HELD_HELD && attempt->entry.state == HELD_TO_DELIVER)
		return status_name(STATUS_QUARANTINED);
	return NULL;
}

static void
tell(const struct attempt *attempt, enum held_state state, const char *detail)
{
	const char *status = status_after(attempt, state);
	struct ulid id = ulid_new();
	json_t *event;

	if (attempt->release->events == NULL)
		return;
	event = json_pack("{s:s, s:s, s:I, s:s, s:s}", "event", id.text, "id",
	    attempt->held_id, "time", (json_int_t)clock_wall_ms(), "actor",
	    attempt->actor, "detail", detail);
	if (event == NULL)
		return;
	if (status != NULL)
		json_object_set_new(event, "status", json_string(status));
	events_send(attempt->release->events, event);
}

static void
log_end(const struct attempt *attempt, enum held_state state,
    const char *detail)
{
	struct log_line line;

	log_line_init(&line, LOG_LEVEL_INFO, attempt->held_id);
	log_field(&line, "release", held_state_name(state));
	log_field(&line, "mailbox", attempt->entry.mailbox);
	log_field(&line, "actor", attempt->actor);
	log_field(&line, "answer", detail);
	log_line_end(&line);
}

static int
result_of(enum ending ending, struct err *err)
{
	if (ending == ENDING_RELEASED)
		return 1;
	if (ending == ENDING_REFUSED)
		return 0;
	if (err != NULL && err->kind != ERR_CONFIG)
		err->kind = ERR_TEMP;
	return -1;
}

/* ---- one attempt ---- */

/* Everything behind the lease; the lease is given back in all cases. */
static int
release_leased(struct attempt *attempt, const struct settings *settings,
    enum held_state *state, struct err *err)
{
	enum ending ending = ENDING_LATER;
	enum smtp_outcome outcome;
	struct buf answer;
	const char *detail;
	int code = 0;

	buf_init(&answer, REPLY_MAX);
	if (make_own_header(attempt, settings, err) == 0) {
		outcome = deliver(attempt, &code, &answer, err);
		ending = ending_of(outcome, code);
	}
	*state = state_after(attempt, ending);
	if (*state == HELD_HELD && attempt->entry.state == HELD_TO_DELIVER)
		err_prefix(err, "held, as it could not be delivered");
	detail = ending == ENDING_RELEASED ? buf_str(&answer) : err->text;
	settle(attempt, *state, detail);
	/* An attempt that changed nothing is told to the log only. */
	if (*state != attempt->entry.state)
		tell(attempt, *state, detail);
	log_end(attempt, *state, detail);
	buf_free(&answer);
	return result_of(ending, err);
}

/* No lease to be had in this state. */
static int
not_leased(enum held_state state, struct err *err)
{
	switch (state) {
	case HELD_RELEASED:
		return 1;
	case HELD_RELEASING:
		err_set(err, ERR_INPUT, "it is being released right now");
		return 0;
	case HELD_UNKNOWN:
		err_set(err, ERR_INPUT,
		    "an earlier release broke off when the message had been "
		    "sent: it may have been delivered");
		return 0;
	case HELD_REMOVED:
		err_set(err, ERR_INPUT, "it has been removed");
		return 0;
	case HELD_HELD:
	case HELD_TO_DELIVER:
	case HELD_REFUSED:
		break;
	}
	err_set(err, ERR_INPUT, "it cannot be released while it is %s",
	    held_state_name(state));
	return 0;
}

static int
attempt_release(struct attempt *attempt, const struct settings *settings,
    bool retry_unknown, enum held_state *state, struct err *err)
{
	int rc;

	*state = attempt->entry.state;
	if (*state == HELD_RELEASED)
		return 1;
	rc = quarantine_lease(attempt->release->quarantine, attempt->held_id,
	    attempt->domain, attempt->actor, lease_s(attempt->release),
	    retry_unknown, attempt->token, state, err);
	if (rc < 0)
		return -1;
	if (rc == 0)
		return not_leased(*state, err);
	attempt->entry.state = *state;
	attempt->rules.subject_mark = attempt->entry.subject_mark;
	attempt->rules.authserv_id = attempt->entry.authserv_id;
	return release_leased(attempt, settings, state, err);
}

int
release_entry(struct release *release, const struct settings *settings,
    enum release_for whom, const char *held_id, const char *domain,
    const char *actor, bool retry_unknown, enum held_state *state,
    struct err *err)
{
	struct attempt attempt = { .release = release,
		.whom = whom,
		.held_id = held_id,
		.domain = domain,
		.actor = actor };
	struct err own_err = { ERR_NONE, "" };
	json_t *json = NULL;
	int rc;

	if (err == NULL)
		err = &own_err; /* its text goes into the entry */
	*state = HELD_REMOVED;
	rc = quarantine_get(release->quarantine, held_id, domain, &json, err);
	if (rc == 0)
		err_set(err, ERR_INPUT, "there is no such entry");
	if (rc <= 0)
		return rc;
	buf_init(&attempt.own_header, OWN_HEADER_MAX);
	attempt.arena = arena_new(0);
	rc = read_entry(json, attempt.arena, &attempt.entry, err);
	if (rc == 0)
		rc = attempt_release(&attempt, settings, retry_unknown, state,
		    err);
	buf_free(&attempt.own_header);
	arena_free(attempt.arena);
	json_decref(json);
	return rc;
}

int
release_one(struct release *release, const struct settings *settings,
    const char *held_id, const char *domain, const char *actor,
    bool retry_unknown, enum held_state *state, struct err *err)
{
	return release_entry(release, settings, RELEASE_FOR_PERSON, held_id,
	    domain, actor, retry_unknown, state, err);
}
