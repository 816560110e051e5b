/*
 * history_events.c - events for the tests of the history.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/quarantine/history_events.h"

static const char *
either(const char *given, const char *otherwise)
{
	return given != NULL ? given : otherwise;
}

char *
test_mail_event(const struct test_mail *mail)
{
	const char *mailbox = either(mail->mailbox, "user@example.com");
	json_t *event;
	char *text;

	event = json_pack(
	    "{s:s, s:s, s:I, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}",
	    "event", mail->id, "id", mail->id, "time", (json_int_t)mail->time,
	    "mailbox", mailbox, "domain", strchr(mailbox, '@') + 1, "rcpt",
	    mailbox, "sender", either(mail->sender, "sender@example.org"),
	    "from", either(mail->from, "Sender <sender@example.org>"),
	    "subject", either(mail->subject, "hello"), "message_id",
	    either(mail->message_id, "<1@example.org>"), "client_ip",
	    either(mail->client_ip, "192.0.2.1"), "queue_id",
	    either(mail->queue_id, "4Xabc"));
	json_object_update_new(event,
	    json_pack("{s:s, s:s, s:s, s:s, s:s, s:i, s:f, s:s, s:s}",
		"direction", "inbound", "client_name", "mail.example.org",
		"helo", "mail.example.org", "action", "accept", "status",
		either(mail->status, "accepted"), "size", 1234, "score", 3.25,
		"reply", "", "unknown", "field"));
	json_object_set_new(event, "class",
	    json_pack("{s:s, s:s, s:s}", "main",
		either(mail->main_class, "not-spam"), "sub",
		either(mail->sub_class, ""), "extra", "because"));
	json_object_set_new(event, "record",
	    json_pack("{s:i, s:{s:{s:s}, s:{s:s}, s:n, s:{s:s}}}", "version", 1,
		"results", "spf", "result", "pass", "dkim", "result", "fail",
		"arc", "dmarc", "result", "none"));
	text = json_dumps(event, JSON_COMPACT);
	json_decref(event);
	return text;
}

char *
test_later_event(const char *name, const char *id, int64_t time,
    const char *status, const char *actor)
{
	json_t *event =
	    json_pack("{s:s, s:s, s:I, s:s*, s:s}", "event", name, "id", id,
		"time", (json_int_t)time, "status", status, "actor", actor);
	char *text = json_dumps(event, JSON_COMPACT);

	json_decref(event);
	return text;
}

const char *
test_ulid(unsigned n, char out[27])
{
	(void)snprintf(out, 27, "01ARZ3NDEKTSV4RRFF%08u", n % 100000000);
	return out;
}
