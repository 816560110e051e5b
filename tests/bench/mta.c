/*
 * mta.c - the MTA's side of the milter protocol, as Postfix plays it.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <libmilter/mfapi.h>
#include <libmilter/mfdef.h>

#include "base/arena.h"
#include "base/buf.h"

#include "tests/bench/mails.h"
#include "tests/bench/mta.h"

#define MILTER_VERSION 6
/* What Postfix 3.7 offers. */
#define OFFERED_ACTIONS 0x1ffU
#define OFFERED_STEPS 0x1fffffU
#define FLUSH_SIZE 65536
#define PACKET_MAX (1024UL * 1024)
#define INPUT_SIZE 8192
#define TIMEOUT_S 120
#define CLIENT_PORT 50000
#define QUEUE_ID "4QZ1bench"
#define MTA_NAME "mx.bench.sekimori-test.net"
#define NO_ANSWER '\0'

struct mta {
	int fd;
	uint32_t steps; /* SMFIP_* that were agreed on */
	struct buf out;
	struct buf packet; /* the last one that was read */
	size_t in_len, in_pos;
	char in[INPUT_SIZE];
};

/* What to leave out, and what needs no answer. */
static const struct {
	char command;
	uint32_t no_step, no_reply;
} steps[] = {
	{ SMFIC_CONNECT, SMFIP_NOCONNECT, SMFIP_NR_CONN },
	{ SMFIC_HELO, SMFIP_NOHELO, SMFIP_NR_HELO },
	{ SMFIC_MAIL, SMFIP_NOMAIL, SMFIP_NR_MAIL },
	{ SMFIC_RCPT, SMFIP_NORCPT, SMFIP_NR_RCPT },
	{ SMFIC_DATA, SMFIP_NODATA, SMFIP_NR_DATA },
	{ SMFIC_HEADER, SMFIP_NOHDRS, SMFIP_NR_HDR },
	{ SMFIC_EOH, SMFIP_NOEOH, SMFIP_NR_EOH },
	{ SMFIC_BODY, SMFIP_NOBODY, SMFIP_NR_BODY },
};

const char *
verdict_name(enum verdict verdict)
{
	static const char *const names[VERDICT_COUNT] = { "accept", "reject",
		"defer", "discard" };

	return names[verdict];
}

/* ---- added fields ---- */

void
added_clear(struct added *added)
{
	size_t i;

	for (i = 0; i < added->count; i++) {
		free(added->fields[i].name);
		free(added->fields[i].value);
	}
	free(added->fields);
	memset(added, 0, sizeof(*added));
}

/* data: name, NUL, value, NUL. */
static void
added_add(struct added *added, bool on_top, struct bytes data)
{
	const char *nul = memchr(data.data, '\0', data.len);
	struct added_field *field;

	if (nul == NULL)
		return;
	added->fields = xrealloc(added->fields,
	    (added->count + 1) * sizeof(*added->fields));
	field = &added->fields[added->count++];
	field->on_top = on_top;
	field->name = xstrdup(data.data);
	nul++;
	field->value = xmemdup(nul, data.len - (size_t)(nul - data.data));
}

/* ---- the wire ---- */

static int
lost(struct err *err, const char *what)
{
	return err_set(err, ERR_TEMP, "%s: %s", what,
	    errno != 0 ? strerror(errno) : "the filter closed the connection");
}

static int
write_all(struct mta *mta, struct bytes data, struct err *err)
{
	ssize_t n;

	while (data.len > 0) {
		n = send(mta->fd, data.data, data.len, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return lost(err, "write");
		data.data += n;
		data.len -= (size_t)n;
	}
	return 0;
}

static int
flush(struct mta *mta, struct err *err)
{
	int rc = write_all(mta, buf_bytes(&mta->out), err);

	buf_reset(&mta->out);
	return rc;
}

static int
read_octets(struct mta *mta, char *out, size_t len, struct err *err)
{
	size_t part;
	ssize_t n;

	while (len > 0) {
		if (mta->in_pos == mta->in_len) {
			errno = 0;
			n = recv(mta->fd, mta->in, sizeof(mta->in), 0);
			if (n < 0 && errno == EINTR)
				continue;
			if (n <= 0)
				return lost(err, "read");
			mta->in_len = (size_t)n;
			mta->in_pos = 0;
		}
		part = mta->in_len - mta->in_pos;
		if (part > len)
			part = len;
		memcpy(out, mta->in + mta->in_pos, part);
		mta->in_pos += part;
		out += part;
		len -= part;
	}
	return 0;
}

/* The next packet: its command, its data in mta->packet.  -1 with *err. */
static int
read_packet(struct mta *mta, struct err *err)
{
	char head[5] = { 0 }, piece[1024];
	uint32_t len;
	size_t part;

	if (read_octets(mta, head, sizeof(head), err) < 0)
		return -1;
	memcpy(&len, head, sizeof(len));
	len = ntohl(len);
	if (len == 0 || len > PACKET_MAX)
		return err_set(err, ERR_INPUT, "a packet of %u octets", len);
	buf_reset(&mta->packet);
	for (len--; len > 0; len -= (uint32_t)part) {
		part = len < sizeof(piece) ? len : sizeof(piece);
		if (read_octets(mta, piece, part, err) < 0)
			return -1;
		(void)buf_append(&mta->packet, piece, part);
	}
	return (unsigned char)head[4];
}

/* Is this the answer that a step waits for?  Else it is an edit. */
static bool
take_edit(struct mta *mta, int command, struct added *added)
{
	struct bytes data = buf_bytes(&mta->packet);

	switch (command) {
	case SMFIR_ADDHEADER:
		added_add(added, false, data);
		return true;
	case SMFIR_INSHEADER:
		if (data.len > 4)
			added_add(added, true,
			    (struct bytes){ data.data + 4, data.len - 4 });
		return true;
	case SMFIR_CHGHEADER:
	case SMFIR_REPLBODY:
	case SMFIR_ADDRCPT:
	case SMFIR_ADDRCPT_PAR:
	case SMFIR_DELRCPT:
	case SMFIR_CHGFROM:
	case SMFIR_QUARANTINE:
	case SMFIR_PROGRESS:
		return true;
	default:
		return false;
	}
}

/* The answer to a step.  -1 with *err. */
static int
read_answer(struct mta *mta, struct added *added, struct err *err)
{
	int command;

	if (flush(mta, err) < 0)
		return -1;
	do
		command = read_packet(mta, err);
	while (command >= 0 && take_edit(mta, command, added));
	return command;
}

/* ---- steps ---- */

static bool
is_sent(const struct mta *mta, char command)
{
	size_t i;

	for (i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
		if (steps[i].command == command)
			return (mta->steps & steps[i].no_step) == 0;
	return true;
}

static bool
is_answered(const struct mta *mta, char command)
{
	size_t i;

	for (i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
		if (steps[i].command == command)
			return (mta->steps & steps[i].no_reply) == 0;
	return true;
}

/* names and values by turns, NULL at the end */
static void
put_macros(struct mta *mta, char command, const char *const *macros)
{
	struct buf data;

	if (!is_sent(mta, command))
		return;
	buf_init(&data, PACKET_MAX);
	(void)buf_append_char(&data, command);
	for (; *macros != NULL; macros++)
		(void)buf_append(&data, *macros, strlen(*macros) + 1);
	packet_append(&mta->out, SMFIC_MACRO, buf_bytes(&data));
	buf_free(&data);
}

/* Sends a step; the answer, or NO_ANSWER when none is due.  -1 with *err. */
static int
step(struct mta *mta, char command, struct bytes data, struct added *added,
    struct err *err)
{
	if (!is_sent(mta, command))
		return NO_ANSWER;
	packet_append(&mta->out, command, data);
	if (is_answered(mta, command))
		return read_answer(mta, added, err);
	return mta->out.len < FLUSH_SIZE || flush(mta, err) == 0 ? NO_ANSWER
								 : -1;
}

/* Prepared packets of one kind, as step. */
static int
step_all(struct mta *mta, char command, const struct packets *packets,
    struct added *added, struct err *err)
{
	struct bytes rest = buf_bytes(&packets->data);
	size_t i, done = 0;
	int answer;

	if (!is_sent(mta, command) || packets->count == 0)
		return NO_ANSWER;
	if (!is_answered(mta, command)) {
		if (mta->out.len + rest.len <= FLUSH_SIZE)
			return buf_append_bytes(&mta->out, rest) < 0
			    ? -1
			    : NO_ANSWER;
		return flush(mta, err) < 0 || write_all(mta, rest, err) < 0
		    ? -1
		    : NO_ANSWER;
	}
	for (i = 0; i < packets->count; i++) {
		rest = (struct bytes){ packets->data.data + done,
			packets->ends[i] - done };
		done = packets->ends[i];
		if (buf_append_bytes(&mta->out, rest) < 0)
			return err_set(err, ERR_LIMIT, "a packet too large");
		answer = read_answer(mta, added, err);
		if (answer != SMFIR_CONTINUE)
			return answer;
	}
	return SMFIR_CONTINUE;
}

/* Did the step end the message?  What it became then. */
static bool
ends(const struct mta *mta, int answer, enum verdict *verdict)
{
	switch (answer) {
	case SMFIR_ACCEPT:
		*verdict = VERDICT_ACCEPT;
		return true;
	case SMFIR_DISCARD:
		*verdict = VERDICT_DISCARD;
		return true;
	case SMFIR_REJECT:
		*verdict = VERDICT_REJECT;
		return true;
	case SMFIR_TEMPFAIL:
	case SMFIR_SHUTDOWN:
		*verdict = VERDICT_DEFER;
		return true;
	case SMFIR_REPLYCODE:
		*verdict = mta->packet.len > 0 && mta->packet.data[0] == '5'
		    ? VERDICT_REJECT
		    : VERDICT_DEFER;
		return true;
	default:
		return false;
	}
}

/* ---- a mail ---- */

static int
send_connect(struct mta *mta, const struct mail *mail, struct added *added,
    struct err *err)
{
	const char *const macros[] = { "j", MTA_NAME, "{daemon_name}", "bench",
		"v", "Postfix 3.7.11", "{client_addr}", mail->ip, NULL };
	uint16_t port = htons(CLIENT_PORT);
	struct buf data;
	int answer;

	buf_init(&data, PACKET_MAX);
	(void)buf_append(&data, mail->hostname, strlen(mail->hostname) + 1);
	(void)buf_append_char(&data, strchr(mail->ip, ':') != NULL ? '6' : '4');
	(void)buf_append(&data, &port, sizeof(port));
	(void)buf_append(&data, mail->ip, strlen(mail->ip) + 1);
	put_macros(mta, SMFIC_CONNECT, macros);
	answer = step(mta, SMFIC_CONNECT, buf_bytes(&data), added, err);
	buf_free(&data);
	return answer;
}

static int
send_text(struct mta *mta, char command, const char *format, const char *text,
    struct added *added, struct err *err)
{
	static const char *const no_macros[] = { NULL };
	struct buf data;
	int answer;

	buf_init(&data, PACKET_MAX);
	(void)buf_append_bytes(&data, bytes_of(format));
	(void)buf_append_str(&data, text);
	if (format[0] == '<')
		(void)buf_append_char(&data, '>');
	(void)buf_append_char(&data, '\0');
	put_macros(mta, command, no_macros);
	answer = step(mta, command, buf_bytes(&data), added, err);
	buf_free(&data);
	return answer;
}

/* 1: the message is at its end; 0: go on; -1 with *err. */
static int
settle(const struct mta *mta, int answer, enum verdict *verdict)
{
	if (answer < 0)
		return -1;
	return ends(mta, answer, verdict) ? 1 : 0;
}

static int
send_envelope(struct mta *mta, const struct mail *mail, struct added *added,
    enum verdict *verdict, struct err *err)
{
	size_t i, accepted = 0;
	int rc, answer;

	answer = send_connect(mta, mail, added, err);
	rc = settle(mta, answer, verdict);
	if (rc == 0) {
		answer = send_text(mta, SMFIC_HELO, "", mail->helo, added, err);
		rc = settle(mta, answer, verdict);
	}
	if (rc == 0) {
		answer =
		    send_text(mta, SMFIC_MAIL, "<", mail->sender, added, err);
		rc = settle(mta, answer, verdict);
	}
	for (i = 0; rc == 0 && i < mail->recipient_count; i++) {
		answer = send_text(mta, SMFIC_RCPT, "<", mail->recipients[i],
		    added, err);
		if (answer < 0 || answer == SMFIR_ACCEPT ||
		    answer == SMFIR_DISCARD)
			return settle(mta, answer, verdict);
		if (settle(mta, answer, verdict) == 0)
			accepted++;
	}
	/* Refused recipients end only a message that has no other. */
	return rc != 0 ? rc : accepted == 0;
}

static int
send_added(struct mta *mta, struct added *added, size_t count, bool on_top,
    struct err *err)
{
	struct buf data;
	size_t n;
	int answer = NO_ANSWER;

	for (n = 0; answer >= 0 && n < count; n++) {
		const struct added_field *field =
		    &added->fields[on_top ? count - 1 - n : n];

		if (field->on_top != on_top)
			continue;
		buf_init(&data, PACKET_MAX);
		(void)buf_append(&data, field->name, strlen(field->name) + 1);
		if ((mta->steps & SMFIP_HDR_LEADSPC) != 0 &&
		    field->value[0] != ' ')
			(void)buf_append_char(&data, ' ');
		(void)buf_append(&data, field->value, strlen(field->value) + 1);
		answer = step(mta, SMFIC_HEADER, buf_bytes(&data), added, err);
		buf_free(&data);
	}
	return answer;
}

static int
send_header(struct mta *mta, const struct mail *mail, struct added *added,
    enum verdict *verdict, struct err *err)
{
	const struct packets *header = (mta->steps & SMFIP_HDR_LEADSPC) != 0
	    ? &mail->header
	    : &mail->header_stripped;
	size_t before = added->count;
	int rc;

	rc = settle(mta, send_added(mta, added, before, true, err), verdict);
	if (rc == 0)
		rc = settle(mta,
		    step_all(mta, SMFIC_HEADER, header, added, err), verdict);
	if (rc == 0)
		rc = settle(mta, send_added(mta, added, before, false, err),
		    verdict);
	return rc;
}

static int
send_message(struct mta *mta, const struct mail *mail, struct added *added,
    enum verdict *verdict, struct err *err)
{
	static const char *const macros[] = { "i", QUEUE_ID, NULL };
	const struct bytes none = { NULL, 0 };
	int rc;

	put_macros(mta, SMFIC_DATA, macros);
	rc = settle(mta, step(mta, SMFIC_DATA, none, added, err), verdict);
	if (rc == 0)
		rc = send_header(mta, mail, added, verdict, err);
	if (rc == 0) {
		put_macros(mta, SMFIC_EOH, macros);
		rc = settle(mta, step(mta, SMFIC_EOH, none, added, err),
		    verdict);
	}
	if (rc == 0)
		rc = settle(mta,
		    step_all(mta, SMFIC_BODY, &mail->body, added, err),
		    verdict);
	if (rc != 0)
		return rc;
	put_macros(mta, SMFIC_BODYEOB, macros);
	*verdict = VERDICT_ACCEPT;
	return settle(mta, step(mta, SMFIC_BODYEOB, none, added, err), verdict);
}

int
mta_send(struct mta *mta, const struct mail *mail, struct added *added,
    enum verdict *verdict, struct err *err)
{
	int rc = send_envelope(mta, mail, added, verdict, err);

	if (rc == 0)
		rc = send_message(mta, mail, added, verdict, err);
	return rc < 0 ? -1 : 0;
}

/* ---- the connection ---- */

static int
negotiate(struct mta *mta, struct err *err)
{
	uint32_t offer[3] = { htonl(MILTER_VERSION), htonl(OFFERED_ACTIONS),
		htonl(OFFERED_STEPS) };
	uint32_t agreed[3];
	int command;

	packet_append(&mta->out, SMFIC_OPTNEG,
	    (struct bytes){ (const char *)offer, sizeof(offer) });
	if (flush(mta, err) < 0)
		return -1;
	command = read_packet(mta, err);
	if (command < 0)
		return -1;
	if (command != SMFIC_OPTNEG || mta->packet.len < sizeof(agreed))
		return err_set(err, ERR_INPUT, "no answer to the offer");
	memcpy(agreed, mta->packet.data, sizeof(agreed));
	mta->steps = ntohl(agreed[2]);
	if ((mta->steps & ~OFFERED_STEPS) != 0)
		return err_set(err, ERR_INPUT, "wants what was not offered");
	return 0;
}

struct mta *
mta_open(const struct endpoint *filter, struct err *err)
{
	const struct timeval timeout = { .tv_sec = TIMEOUT_S };
	struct mta *mta;
	int fd = endpoint_connect(filter);

	if (fd < 0) {
		lost(err, "connect");
		return NULL;
	}
	mta = xcalloc(1, sizeof(*mta));
	mta->fd = fd;
	buf_init(&mta->out, SIZE_MAX / 2);
	buf_init(&mta->packet, PACKET_MAX);
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout,
		sizeof(timeout)) != 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout,
		sizeof(timeout)) != 0)
		lost(err, "timeouts");
	else if (negotiate(mta, err) == 0)
		return mta;
	mta_close(mta);
	return NULL;
}

void
mta_close(struct mta *mta)
{
	struct err err;

	packet_append(&mta->out, SMFIC_QUIT, (struct bytes){ NULL, 0 });
	(void)flush(mta, &err);
	close(mta->fd);
	buf_free(&mta->out);
	buf_free(&mta->packet);
	free(mta);
}
