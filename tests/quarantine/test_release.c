/*
 * test_release.c - tests of quarantine/release*.c.
 *
 * The listener is a server that follows a script and dies where the script
 * says; the quarantine is one in memory.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/mail/fake_smtp.h"
#include "tests/quarantine/fake_quarantine.h"
#include "tests/unit.h"

#include "base/clock.h"
#include "base/crypto.h"
#include "base/log.h"
#include "base/ulid.h"
#include "policy/settings_build.h"
#include "quarantine/events.h"
#include "quarantine/release.h"
#include "quarantine/release_message.h"

#define V(s) BYTES_LIT(s)
#define OFFER "PIPELINING,SIZE,8BITMIME,SMTPUTF8,DSN"
#define DOMAIN "y.example"
#define RECEIVED "Received: from c (h [192.0.2.1])\r\n\tby us; now\r\n"
#define RESULTS                                                                \
	"Authentication-Results: mx.y.example;\r\n\tspf=pass\r\n"              \
	"X-Sekimori-Id: 01\r\n"
#define SIGNATURES "DKIM-Signature: v=1;\r\n b=abc\r\nARC-Seal: i=1\r\n"
#define STORED "From: s@x.example\r\nSubject: hi\r\n\r\n.body\r\n.\r\n"

/* Nothing here waits for one to strike. */
#define TIMEOUT_S (PATIENCE_MS / 1000)

static const uint8_t secret[32] = "0123456789abcdef0123456789abcde";

static struct settings *
new_settings(void)
{
	struct settings_build *build = settings_build_new(NULL);
	struct settings *settings;

	settings_build_secret(build, secret, sizeof(secret));
	settings = settings_build_finish(build, 1);
	settings_build_free(build);
	return settings;
}

static struct fake_entry
new_entry(enum held_state state)
{
	struct ulid ulid = ulid_new();
	struct fake_entry entry = { .mailbox = "a@y.example",
		.rcpt = "A@y.example",
		.rcpt_params = "NOTIFY=NEVER",
		.sender = "s@x.example",
		.sender_params = "SIZE=10 BODY=8BITMIME",
		.received = RECEIVED,
		.results = RESULTS,
		.authserv_id = "mx.y.example",
		.bytes = V(STORED),
		.state = state };

	snprintf(entry.id, sizeof(entry.id), "%s.1", ulid.text);
	return entry;
}

/* ---- the signed header ---- */

static void
test_header(void **state)
{
	static const uint8_t hash[32] = { 1, 2, 3 }, other[32] = { 1, 2, 4 };
	struct settings *settings = new_settings();
	struct settings *without = settings_new_empty();
	struct buf out, value;
	size_t i;

	(void)state;
	buf_init(&out, 1000);
	assert_int_equal(release_header_make(settings, "01.1", "a@y.example",
			     hash, &out),
	    0);
	assert_memory_equal(buf_str(&out),
	    RELEASE_FIELD ": v=1; i=01.1; x=", strlen(RELEASE_FIELD) + 14);
	assert_string_equal(buf_str(&out) + out.len - 2, "\r\n");
	/* unfolded, as the milter reads it */
	buf_init(&value, 1000);
	for (i = strlen(RELEASE_FIELD) + 1; i < out.len; i++)
		if (out.data[i] != '\r' && out.data[i] != '\n')
			buf_append_char(&value, out.data[i]);
	assert_true(release_header_check(settings, buf_bytes(&value),
	    "a@y.example", hash));
	assert_false(release_header_check(settings, buf_bytes(&value),
	    "b@y.example", hash));
	assert_false(release_header_check(settings, buf_bytes(&value),
	    "a@y.example", other));
	assert_false(release_header_check(without, buf_bytes(&value),
	    "a@y.example", hash));
	/* no character of it may be another */
	for (i = 0; i < value.len; i++) {
		char was = value.data[i];

		if (was == ' ' || was == '\t')
			continue;
		value.data[i] = was == 'A' || was == 'a' ? 'B' : 'A';
		if (release_header_check(settings, buf_bytes(&value),
			"a@y.example", hash))
			fail_msg("position %zu of '%s'", i, buf_str(&value));
		value.data[i] = was;
	}
	for (i = 0; i < value.len; i++)
		assert_false(release_header_check(settings,
		    (struct bytes){ value.data, i }, "a@y.example", hash));
	assert_int_equal(release_header_make(without, "01.1", "a@y.example",
			     hash, &out),
	    -1);
	buf_free(&out);
	buf_free(&value);
	settings_unref(settings);
	settings_unref(without);
}

/* An expiry beyond what we give, or passed, does not count even when the
 * HMAC is right. */
static void
test_header_expiry(void **state)
{
	static const uint8_t hash[32] = { 1 };
	static const struct {
		const char *label;
		int64_t ahead_s;
		bool want;
	} cases[] = {
		{ "now", 300, true },
		{ "just over, clocks differ", -30, true },
		{ "over", -120, false },
		{ "too far ahead", 3600, false },
	};
	struct settings *settings = new_settings();
	uint8_t mac[SHA256_LEN];
	struct bytes parts[5];
	char expiry[24];
	struct buf value;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		snprintf(expiry, sizeof(expiry), "%lld",
		    (long long)clock_wall_s() + (long long)cases[i].ahead_s);
		parts[0] = V("release");
		parts[1] = V("01.1");
		parts[2] = V("a@y.example");
		parts[3] = (struct bytes){ (const char *)hash, 32 };
		parts[4] = bytes_of(expiry);
		hmac_sha256((struct bytes){ (const char *)secret, 32 }, parts,
		    5, mac);
		buf_init(&value, 1000);
		buf_printf(&value, "v=1; i=01.1; x=%s; h=", expiry);
		base64url_encode((struct bytes){ (const char *)mac, 32 },
		    &value);
		if (release_header_check(settings, buf_bytes(&value),
			"a@y.example", hash) != cases[i].want)
			case_fail(cases[i].label, "counts?");
		buf_free(&value);
	}
	settings_unref(settings);
}

/* ---- the bytes ---- */

static int
append_piece(void *context, struct bytes piece, struct err *err)
{
	(void)err;
	return buf_append_bytes(context, piece);
}

static void
test_message(void **state)
{
	static const struct {
		const char *label;
		struct bytes stored;
		const char *mark, *id;
		struct bytes want;
		bool has_body, is_terminated;
	} cases[] = {
		{ "untouched", V(STORED), NULL, "mx", V(STORED), true, true },
		{ "odd bytes untouched",
		    V("A: \0\xff\rb\r\n\tc\r\nB :d\r\n\r\n\0\r\n.\r\n\n\r"),
		    NULL, "mx",
		    V("A: \0\xff\rb\r\n\tc\r\nB :d\r\n\r\n\0\r\n.\r\n\n\r"),
		    true, false },
		{ "no header", V("\r\nbody"), NULL, "mx", V("\r\nbody"), true,
		    false },
		{ "header only", V("A: b\r\n"), NULL, "mx", V("A: b\r\n"),
		    false, true },
		{ "empty", V(""), NULL, "mx", V(""), false, false },
		{ "our own words go",
		    V("A: b\r\nX-Sekimori-Release: v=1\r\n\tx\r\n"
		      "x-sekimori-class : y\r\nC: d\r\n\r\nX-Sekimori-Id: "
		      "1\r\n"),
		    NULL, "mx", V("A: b\r\nC: d\r\n\r\nX-Sekimori-Id: 1\r\n"),
		    true, true },
		{ "results in our name go, others stay",
		    V("Authentication-Results: (x) MX;\r\n dkim=pass\r\n"
		      "Authentication-Results: other; dkim=pass\r\n\r\n"),
		    NULL, "mx",
		    V("Authentication-Results: other; dkim=pass\r\n\r\n"), true,
		    true },
		{ "without results of ours all stay",
		    V("Authentication-Results: mx; dkim=pass\r\n\r\n"), NULL,
		    "", V("Authentication-Results: mx; dkim=pass\r\n\r\n"),
		    true, true },
		{ "marked",
		    V("A: b\r\nSubject: hello\r\n\tworld\r\nC: d\r\n\r\n"
		      "Subject: x\r\n"),
		    "[SPAM]", "mx",
		    V("A: b\r\nSubject: [SPAM] hello\r\n\tworld\r\nC: d\r\n\r\n"
		      "Subject: x\r\n"),
		    true, true },
		{ "marked twice", V("Subject:a\r\nSUBJECT : b\r\n\r\n"), "!",
		    "mx", V("Subject:! a\r\nSUBJECT : ! b\r\n\r\n"), true,
		    true },
		{ "marked already", V("Subject: ! b\r\n\r\n"), "!", "mx",
		    V("Subject: ! b\r\n\r\n"), true, true },
		{ "mark without Subject", V("A: b\r\n\r\n"), "!", "mx",
		    V("Subject: !\r\nA: b\r\n\r\n"), true, true },
		{ "mark without header", V("\r\nbody\r\n"), "!", "mx",
		    V("Subject: !\r\n\r\nbody\r\n"), true, true },
	};
	struct release_header_rules rules;
	struct release_message *message;
	struct buf out;
	struct bytes piece;
	size_t i, step, at;

	(void)state;
	for (i = 0; i < ARRAY_LEN(cases); i++)
		for (step = 1; step < 60; step++) {
			rules.subject_mark = cases[i].mark;
			rules.authserv_id = cases[i].id;
			buf_init(&out, 10000);
			message =
			    release_message_new(&rules, append_piece, &out);
			for (at = 0; at < cases[i].stored.len;
			     at += piece.len) {
				piece.data = cases[i].stored.data + at;
				piece.len = cases[i].stored.len - at;
				if (piece.len > step)
					piece.len = step;
				assert_int_equal(release_message_piece(message,
						     piece, NULL),
				    0);
			}
			assert_int_equal(release_message_end(message, NULL), 0);
			if (!bytes_equal(buf_bytes(&out), cases[i].want))
				case_fail(cases[i].label, "steps of %zu: '%s'",
				    step, buf_str(&out));
			if (release_message_has_body(message) !=
				cases[i].has_body ||
			    release_message_is_terminated(message) !=
				cases[i].is_terminated)
				case_fail(cases[i].label, "its ends");
			release_message_free(message);
			buf_free(&out);
		}
}

/* ---- one release ---- */

struct scene {
	const char *label;
	enum held_state state;
	bool retry_unknown;
	enum fake_fault fault;
	const char *offer;
	const char *script[40];
	int rc;
	enum held_state after;  /* as the caller hears it */
	enum held_state stored; /* as the quarantine has it */
	const char *text;       /* part of the error, or of the answer noted */
	const char *status; /* of the event, "" for one without, NULL none */
};

static void
check_event(const struct scene *scene, struct events *events, const char *id)
{
	json_t *list = fake_events_take(events), *event;
	const char *status;

	if (json_array_size(list) != (scene->status != NULL ? 1u : 0u))
		case_fail(scene->label, "%zu events", json_array_size(list));
	event = json_array_get(list, 0);
	if (event != NULL) {
		status = json_string_value(json_object_get(event, "status"));
		if (strcmp(status != NULL ? status : "", scene->status) != 0)
			case_fail(scene->label, "status %s", status);
		assert_string_equal(json_string_value(
					json_object_get(event, "id")),
		    id);
		assert_string_equal(json_string_value(
					json_object_get(event, "actor")),
		    "user:x");
		assert_non_null(json_object_get(event, "event"));
		assert_true(json_is_integer(json_object_get(event, "time")));
	}
	json_decref(list);
}

static void
play(const struct scene *scene)
{
	struct fake_smtp *fake = fake_smtp_start(scene->script, scene->offer);
	struct quarantine *quarantine = fake_quarantine_new();
	struct events *events = fake_events_new();
	struct settings *settings = new_settings();
	struct fake_entry entry = new_entry(scene->state);
	struct fake_entry *held = fake_quarantine_add(quarantine, &entry);
	struct release_options options = { .timeout_s = TIMEOUT_S,
		.helo = "us" };
	char listener[40];
	struct release *release;
	enum held_state after = HELD_HELD;
	struct err err = { ERR_NONE, "" };
	const char *wrong;
	int rc;

	snprintf(listener, sizeof(listener), "127.0.0.1:%s",
	    fake_smtp_port(fake));
	options.listener = listener;
	release = release_open(quarantine, events, &options);
	fake_quarantine_fault(quarantine, scene->fault);
	rc = release_one(release, settings, held->id, DOMAIN, "user:x",
	    scene->retry_unknown, &after, &err);
	wrong = fake_smtp_stop(fake);
	if (wrong[0] != '\0')
		case_fail(scene->label, "the listener wanted %s", wrong);
	if (rc != scene->rc || after != scene->after)
		case_fail(scene->label, "%d, %s: %s", rc,
		    held_state_name(after), err.text);
	if (held->state != scene->stored)
		case_fail(scene->label, "stored as %s",
		    held_state_name(held->state));
	if (strstr(rc == 1 ? held->reply : err.text, scene->text) == NULL)
		case_fail(scene->label, "'%s' '%s'", held->reply, err.text);
	check_event(scene, events, held->id);
	release_close(release);
	fake_smtp_free(fake);
	settings_unref(settings);
	fake_quarantine_free(quarantine);
	fake_events_free(events);
}

#define HELLO "> 220 fake", "ehlo"
#define MAIL_RCPT                                                              \
	"< MAIL FROM:<s@x.example> SIZE=", "< RCPT TO:<A@y.example>",          \
	    "> 250 ok", "> 250 ok"
#define DATA "< DATA", "> 354 go on"
#define QUIT "< QUIT", "> 221 bye"
#define NOBODY                                                                 \
	{                                                                      \
		NULL                                                           \
	}

static void
test_scenes(void **state)
{
	static const struct scene scenes[] = {
		{ "released", HELD_HELD, false, FAULT_NONE, OFFER,
		    { HELLO, MAIL_RCPT, DATA, "data", "> 250 2.0.0 queued as 1",
			QUIT },
		    1, HELD_RELEASED, HELD_RELEASED, "250 2.0.0 queued as 1",
		    "released" },
		{ "refused before, released now", HELD_REFUSED, false,
		    FAULT_NONE, OFFER,
		    { HELLO, MAIL_RCPT, DATA, "data", "> 250 ok", QUIT }, 1,
		    HELD_RELEASED, HELD_RELEASED, "250 ok", "released" },
		{ "unknown, tried again by a person", HELD_UNKNOWN, true,
		    FAULT_NONE, OFFER,
		    { HELLO, MAIL_RCPT, DATA, "data", "> 250 ok", QUIT }, 1,
		    HELD_RELEASED, HELD_RELEASED, "250 ok", "released" },

		{ "closed at once", HELD_HELD, false, FAULT_NONE, OFFER,
		    { "close" }, -1, HELD_HELD, HELD_HELD, "closed", NULL },
		{ "busy", HELD_HELD, false, FAULT_NONE, OFFER,
		    { "> 421 busy", "close" }, -1, HELD_HELD, HELD_HELD,
		    "421 busy", NULL },
		{ "closed instead of EHLO", HELD_HELD, false, FAULT_NONE, OFFER,
		    { "> 220 fake", "< EHLO", "close" }, -1, HELD_HELD,
		    HELD_HELD, "closed", NULL },
		{ "closed instead of MAIL", HELD_HELD, false, FAULT_NONE, OFFER,
		    { HELLO, "< MAIL", "< RCPT", "close" }, -1, HELD_HELD,
		    HELD_HELD, "closed", NULL },
		{ "closed instead of RCPT", HELD_REFUSED, false, FAULT_NONE,
		    OFFER, { HELLO, "< MAIL", "< RCPT", "> 250 ok", "close" },
		    -1, HELD_REFUSED, HELD_REFUSED, "closed", NULL },
		{ "closed instead of DATA", HELD_HELD, false, FAULT_NONE, OFFER,
		    { HELLO, MAIL_RCPT, "< DATA", "close" }, -1, HELD_HELD,
		    HELD_HELD, "closed", NULL },
		{ "closed instead of the answer", HELD_HELD, false, FAULT_NONE,
		    OFFER, { HELLO, MAIL_RCPT, DATA, "data", "close" }, -1,
		    HELD_UNKNOWN, HELD_UNKNOWN, "closed", "" },
		{ "reset instead of the answer", HELD_HELD, false, FAULT_NONE,
		    OFFER, { HELLO, MAIL_RCPT, DATA, "data", "reset" }, -1,
		    HELD_UNKNOWN, HELD_UNKNOWN, "", "" },
		{ "unknown again", HELD_UNKNOWN, true, FAULT_NONE, OFFER,
		    { HELLO, MAIL_RCPT, DATA, "data", "close" }, -1,
		    HELD_UNKNOWN, HELD_UNKNOWN, "closed", NULL },
		{ "unknown, and not sent the next time", HELD_UNKNOWN, true,
		    FAULT_NONE, OFFER, { "close" }, -1, HELD_UNKNOWN,
		    HELD_UNKNOWN, "closed", NULL },

		{ "MAIL refused for now", HELD_HELD, false, FAULT_NONE, OFFER,
		    { HELLO, "< MAIL", "< RCPT", "> 451 later", "> 503 no",
			QUIT },
		    -1, HELD_HELD, HELD_HELD, "451 later", NULL },
		{ "RCPT refused for good", HELD_HELD, false, FAULT_NONE, OFFER,
		    { HELLO, "< MAIL", "< RCPT", "> 250 ok",
			"> 550 5.1.1 no such user", QUIT },
		    0, HELD_REFUSED, HELD_REFUSED, "550 5.1.1 no such user",
		    "" },
		{ "message refused for good", HELD_HELD, false, FAULT_NONE,
		    OFFER,
		    { HELLO, MAIL_RCPT, DATA, "data", "> 554 5.6.0 no", QUIT },
		    0, HELD_REFUSED, HELD_REFUSED, "554 5.6.0 no", "" },
		{ "message refused for now", HELD_HELD, false, FAULT_NONE,
		    OFFER,
		    { HELLO, MAIL_RCPT, DATA, "data", "> 452 full", QUIT }, -1,
		    HELD_HELD, HELD_HELD, "452 full", NULL },
		{ "too large for the listener", HELD_HELD, false, FAULT_NONE,
		    "SIZE 100", { HELLO, QUIT }, 0, HELD_REFUSED, HELD_REFUSED,
		    "5.3.4", "" },

		{ "store away in the middle of the message", HELD_HELD, false,
		    FAULT_READ_TWICE, OFFER, { HELLO, MAIL_RCPT, DATA, "eof" },
		    -1, HELD_HELD, HELD_HELD, "store is away", NULL },
		{ "store away before the dot", HELD_HELD, false, FAULT_MARK,
		    OFFER, { HELLO, MAIL_RCPT, DATA, "eof" }, -1, HELD_HELD,
		    HELD_HELD, "store is away", NULL },
		{ "lease lost before the dot", HELD_HELD, false,
		    FAULT_LEASE_LOST, OFFER, { HELLO, MAIL_RCPT, DATA, "eof" },
		    -1, HELD_HELD, HELD_RELEASING, "lease ran out", NULL },
		{ "store away for a moment behind the answer", HELD_HELD, false,
		    FAULT_SETTLE_ONCE, OFFER,
		    { HELLO, MAIL_RCPT, DATA, "data", "> 250 ok", QUIT }, 1,
		    HELD_RELEASED, HELD_RELEASED, "250 ok", "released" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(scenes); i++)
		play(&scenes[i]);
}

/* Where the listener must not even be asked; nobody listens there. */
static void
test_listener_is_not_asked(void **state)
{
	static const struct scene scenes[] = {
		{ "somebody else has it", HELD_RELEASING, false, FAULT_NONE,
		    NULL, NOBODY, 0, HELD_RELEASING, HELD_RELEASING,
		    "right now", NULL },
		{ "unknown is not tried by itself", HELD_UNKNOWN, false,
		    FAULT_NONE, NULL, NOBODY, 0, HELD_UNKNOWN, HELD_UNKNOWN,
		    "may have been delivered", NULL },
		{ "removed", HELD_REMOVED, true, FAULT_NONE, NULL, NOBODY, 0,
		    HELD_REMOVED, HELD_REMOVED, "has been removed", NULL },
		{ "released before", HELD_RELEASED, false, FAULT_NONE, NULL,
		    NOBODY, 1, HELD_RELEASED, HELD_RELEASED, "", NULL },
		{ "store away", HELD_HELD, false, FAULT_GET, NULL, NOBODY, -1,
		    HELD_REMOVED, HELD_HELD, "store is away", NULL },
		{ "store away at the lease", HELD_HELD, false, FAULT_LEASE,
		    NULL, NOBODY, -1, HELD_HELD, HELD_HELD, "store is away",
		    NULL },
		{ "store away at the first reading", HELD_HELD, false,
		    FAULT_READ, NULL, NOBODY, -1, HELD_HELD, HELD_HELD,
		    "store is away", NULL },
		{ "listener away", HELD_HELD, false, FAULT_NONE, NULL, NOBODY,
		    -1, HELD_HELD, HELD_HELD, "cannot connect", NULL },
	};
	struct release_options options = { .listener = "127.0.0.1:1",
		.timeout_s = TIMEOUT_S };
	struct settings *settings = new_settings();
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(scenes); i++) {
		const struct scene *scene = &scenes[i];
		struct quarantine *quarantine = fake_quarantine_new();
		struct fake_entry entry = new_entry(scene->state);
		struct fake_entry *held =
		    fake_quarantine_add(quarantine, &entry);
		struct release *release =
		    release_open(quarantine, NULL, &options);
		enum held_state after = HELD_HELD;
		struct err err = { ERR_NONE, "" };
		int rc;

		fake_quarantine_fault(quarantine, scene->fault);
		rc = release_one(release, settings, held->id, DOMAIN, "user:x",
		    scene->retry_unknown, &after, &err);
		if (rc != scene->rc || after != scene->after ||
		    held->state != scene->stored ||
		    strstr(err.text, scene->text) == NULL)
			case_fail(scene->label, "%d, %s: %s", rc,
			    held_state_name(after), err.text);
		if (rc < 0 && err.kind != ERR_TEMP)
			case_fail(scene->label, "kind");
		release_close(release);
		fake_quarantine_free(quarantine);
	}
	settings_unref(settings);
}

static void
test_no_entry_no_settings(void **state)
{
	struct release_options options = { .listener = "[::1]:1",
		.timeout_s = TIMEOUT_S };
	struct quarantine *quarantine = fake_quarantine_new();
	struct settings *without = settings_new_empty();
	struct fake_entry entry = new_entry(HELD_HELD);
	struct fake_entry *held = fake_quarantine_add(quarantine, &entry);
	struct release *release = release_open(quarantine, NULL, &options);
	enum held_state after;
	struct err err;

	(void)state;
	assert_int_equal(release_one(release, without, "nothing.1", DOMAIN,
			     "user:x", false, &after, &err),
	    0);
	assert_int_equal(after, HELD_REMOVED);
	assert_int_equal(release_one(release, without, held->id, DOMAIN,
			     "user:x", false, &after, &err),
	    -1);
	assert_non_null(strstr(err.text, "key"));
	assert_int_equal(held->state, HELD_HELD);
	release_close(release);
	release_close(NULL);
	settings_unref(without);
	fake_quarantine_free(quarantine);
}

/* What the listener got, to the last byte; and its signature. */
static void
test_bytes_of_a_release(void **state)
{
	static const char *const script[] = { HELLO,
		"< MAIL FROM:<> SIZE=", "< RCPT TO:<a@y.example>", "> 250 ok",
		"> 250 ok", DATA, "data", "> 250 ok", QUIT, NULL };
	struct fake_smtp *fake = fake_smtp_start(script, OFFER);
	struct quarantine *quarantine = fake_quarantine_new();
	struct settings *settings = new_settings();
	struct fake_entry entry = new_entry(HELD_TO_DELIVER), *held;
	struct release_options options = { .timeout_s = TIMEOUT_S };
	/* a host name that is no UTF-8 */
	const char *own =
	    "Received: from \xfc by us; now\r\n" SIGNATURES RESULTS;
	static const char stored[] = "X-Sekimori-Id: forged\r\n"
				     "Authentication-Results: mx.y.example;"
				     " dkim=pass\r\n"
				     "Subject: hi\r\n\r\n.a\0b\r\n.\r\nend";
	static const char sent[] = "Subject: [SPAM] hi\r\n\r\n"
				   ".a\0b\r\n.\r\nend\r\n";
	struct release *release;
	struct bytes got, field;
	enum held_state after;
	uint8_t hash[SHA256_LEN];
	struct sha256 *sha256;
	char listener[40], *value;
	size_t i, n;

	(void)state;
	entry.rcpt = "\"alias\"@z.example";
	entry.sender = "";
	entry.received = "Received: from \xfc by us; now\r\n";
	entry.subject_mark = "[SPAM]";
	entry.signatures = SIGNATURES;
	entry.bytes = (struct bytes){ stored, sizeof(stored) - 1 };
	held = fake_quarantine_add(quarantine, &entry);
	snprintf(listener, sizeof(listener), "127.0.0.1:%s",
	    fake_smtp_port(fake));
	options.listener = listener;
	release = release_open(quarantine, NULL, &options);
	assert_int_equal(release_one(release, settings, held->id, DOMAIN,
			     "user:x", false, &after, NULL),
	    1);
	assert_string_equal(fake_smtp_stop(fake), "");
	assert_true(held->dot_marked);
	got = fake_smtp_message(fake);
	assert_true(got.len > strlen(own));
	assert_memory_equal(got.data, own, strlen(own));
	field = (struct bytes){ got.data + strlen(own),
		got.len - strlen(own) - (sizeof(sent) - 1) };
	assert_memory_equal(field.data, RELEASE_FIELD ":",
	    strlen(RELEASE_FIELD) + 1);
	assert_memory_equal(field.data + field.len, sent, sizeof(sent) - 1);
	/* as the milter checks it */
	sha256 = sha256_new();
	sha256_update(sha256, sent, sizeof(sent) - 1);
	sha256_final(sha256, hash);
	sha256_free(sha256);
	value = calloc(1, field.len + 1);
	assert_non_null(value);
	for (i = strlen(RELEASE_FIELD) + 1, n = 0; i < field.len; i++)
		if (field.data[i] != '\r' && field.data[i] != '\n')
			value[n++] = field.data[i];
	assert_true(release_header_check(settings, bytes_of(value),
	    "a@y.example", hash));
	free(value);
	/* the size was told */
	snprintf(listener, sizeof(listener), "SIZE=%zu ", got.len - 2);
	assert_non_null(strstr(fake_smtp_lines(fake), listener));
	fake_smtp_free(fake);
	release_close(release);
	settings_unref(settings);
	fake_quarantine_free(quarantine);
}

static void
test_parameters_are_given_again(void **state)
{
	static const char *const script[] = { HELLO,
		"< MAIL FROM:<j\xc3\xb6@x.example> SIZE=",
		("< RCPT TO:<a@y.example> "
		 "NOTIFY=SUCCESS ORCPT=rfc822;b@z.example\r\n"),
		"> 250 ok", "> 250 ok", DATA, "data", "> 250 ok", QUIT, NULL };
	struct fake_smtp *fake = fake_smtp_start(script, OFFER);
	struct quarantine *quarantine = fake_quarantine_new();
	struct settings *settings = new_settings();
	struct fake_entry entry = new_entry(HELD_HELD), *held;
	struct release_options options = { .timeout_s = TIMEOUT_S };
	struct release *release;
	enum held_state after;
	char listener[40];

	(void)state;
	entry.rcpt = "b@z.example";
	entry.rcpt_params = "NOTIFY=SUCCESS ORCPT=rfc822;b@z.example";
	entry.sender = "<j\xc3\xb6@x.example>";
	entry.sender_params = "SIZE=1 BODY=8BITMIME SMTPUTF8 RET=HDRS ENVID=q";
	held = fake_quarantine_add(quarantine, &entry);
	snprintf(listener, sizeof(listener), "127.0.0.1:%s",
	    fake_smtp_port(fake));
	options.listener = listener;
	release = release_open(quarantine, NULL, &options);
	assert_int_equal(release_one(release, settings, held->id, DOMAIN,
			     "user:x", false, &after, NULL),
	    1);
	assert_string_equal(fake_smtp_stop(fake), "");
	assert_non_null(strstr(fake_smtp_lines(fake),
	    " BODY=8BITMIME SMTPUTF8 RET=HDRS ENVID=q\r\n"));
	fake_smtp_free(fake);
	release_close(release);
	settings_unref(settings);
	fake_quarantine_free(quarantine);
}

/* ---- the worker ---- */

static struct settings *
give_settings(void *context)
{
	return settings_ref(context);
}

static enum held_state
wait_for_end(struct quarantine *quarantine, const struct fake_entry *held,
    unsigned settles)
{
	int64_t until = clock_mono_ms() + PATIENCE_MS;
	struct fake_entry now;

	do {
		usleep(2000);
		now = fake_quarantine_look(quarantine, held);
	} while (now.settles < settles && clock_mono_ms() < until);
	assert_true(now.settles >= settles);
	return now.state;
}

#define SESSION_OK                                                             \
	HELLO, MAIL_RCPT, DATA, "data", "> 250 ok", "< QUIT", "> 221 bye"

struct stage {
	struct fake_smtp *fake;
	struct quarantine *quarantine;
	struct events *events;
	struct settings *settings;
	struct release *release;
	struct release_worker *worker;
};

static void
set_stage(struct stage *stage, const char *const *script)
{
	struct release_options options = { .timeout_s = TIMEOUT_S };
	char listener[40];

	stage->fake = fake_smtp_start(script, OFFER);
	stage->quarantine = fake_quarantine_new();
	stage->events = fake_events_new();
	stage->settings = new_settings();
	snprintf(listener, sizeof(listener), "127.0.0.1:%s",
	    fake_smtp_port(stage->fake));
	options.listener = listener;
	stage->release =
	    release_open(stage->quarantine, stage->events, &options);
}

static void
raise_curtain(struct stage *stage)
{
	stage->worker = release_worker_start(stage->release, give_settings,
	    stage->settings);
	assert_non_null(stage->worker);
}

static void
clear_stage(struct stage *stage)
{
	release_worker_stop(stage->worker);
	assert_string_equal(fake_smtp_stop(stage->fake), "");
	fake_smtp_free(stage->fake);
	release_close(stage->release);
	settings_unref(stage->settings);
	fake_events_free(stage->events);
	fake_quarantine_free(stage->quarantine);
}

static void
test_worker_delivers(void **state)
{
	static const char *const script[] = { SESSION_OK, "next", SESSION_OK,
		"next", SESSION_OK, NULL };
	struct fake_entry entry = new_entry(HELD_TO_DELIVER);
	struct fake_entry *before, *not_ours, *later;
	struct stage stage;
	json_t *events;

	(void)state;
	set_stage(&stage, script);
	before = fake_quarantine_add(stage.quarantine, &entry);
	entry = new_entry(HELD_HELD);
	not_ours = fake_quarantine_add(stage.quarantine, &entry);
	entry = new_entry(HELD_RELEASED);
	later = fake_quarantine_add(stage.quarantine, &entry);
	entry = new_entry(HELD_TO_DELIVER);
	fake_quarantine_add(stage.quarantine, &entry);
	raise_curtain(&stage);
	assert_int_equal(wait_for_end(stage.quarantine, before, 1),
	    HELD_RELEASED);
	assert_int_equal(fake_quarantine_look(stage.quarantine, not_ours).state,
	    HELD_HELD);
	wait_for_end(stage.quarantine, before + 3, 1);
	/* one that comes while it sleeps */
	usleep(50000);
	fake_quarantine_set_state(stage.quarantine, later, HELD_TO_DELIVER);
	release_worker_tell(stage.worker, later->id, DOMAIN, 0);
	assert_int_equal(wait_for_end(stage.quarantine, later, 1),
	    HELD_RELEASED);
	events = fake_events_take(stage.events);
	assert_in_range(json_array_size(events), 2, 3);
	assert_null(json_object_get(json_array_get(events, 0), "status"));
	assert_string_equal(json_string_value(
				json_object_get(json_array_get(events, 0),
				    "actor")),
	    "system");
	json_decref(events);
	clear_stage(&stage);
}

/* Long before they are due, in the order in which they were told of. */
static void
test_worker_is_told(void **state)
{
	static const char *const script[] = { SESSION_OK, "next", SESSION_OK,
		NULL };
	struct fake_entry entry = new_entry(HELD_TO_DELIVER), *first, *second;
	struct stage stage;

	(void)state;
	set_stage(&stage, script);
	entry.due_ms = INT64_MAX;
	second = fake_quarantine_add(stage.quarantine, &entry);
	entry = new_entry(HELD_TO_DELIVER);
	entry.due_ms = INT64_MAX;
	first = fake_quarantine_add(stage.quarantine, &entry);
	raise_curtain(&stage);
	release_worker_tell(stage.worker, first->id, DOMAIN, 0);
	assert_int_equal(wait_for_end(stage.quarantine, first, 1),
	    HELD_RELEASED);
	assert_int_equal(fake_quarantine_look(stage.quarantine, second).state,
	    HELD_TO_DELIVER);
	release_worker_tell(stage.worker, second->id, DOMAIN, 0);
	assert_int_equal(wait_for_end(stage.quarantine, second, 1),
	    HELD_RELEASED);
	clear_stage(&stage);
}

/* The store was away when it was told: found when it is due. */
static void
test_worker_is_told_in_vain(void **state)
{
	static const char *const script[] = { SESSION_OK, "next", SESSION_OK,
		NULL };
	struct fake_entry entry = new_entry(HELD_TO_DELIVER), *held, *other;
	struct stage stage;

	(void)state;
	set_stage(&stage, script);
	entry.due_ms = INT64_MAX;
	held = fake_quarantine_add(stage.quarantine, &entry);
	entry = new_entry(HELD_TO_DELIVER);
	entry.due_ms = INT64_MAX;
	other = fake_quarantine_add(stage.quarantine, &entry);
	fake_quarantine_fault(stage.quarantine, FAULT_GET_ONCE);
	raise_curtain(&stage);
	release_worker_tell(stage.worker, held->id, DOMAIN, 0);
	release_worker_tell(stage.worker, other->id, DOMAIN, 0);
	assert_int_equal(wait_for_end(stage.quarantine, other, 1),
	    HELD_RELEASED);
	assert_int_equal(fake_quarantine_look(stage.quarantine, held).state,
	    HELD_TO_DELIVER);
	fake_quarantine_set_due(stage.quarantine, held, 0);
	release_worker_tell(stage.worker, other->id, DOMAIN, 0);
	assert_int_equal(wait_for_end(stage.quarantine, held, 1),
	    HELD_RELEASED);
	clear_stage(&stage);
}

static void
test_worker_tries_again(void **state)
{
	static const char *const script[] = { "> 421 busy", "close", "next",
		HELLO, "< MAIL", "< RCPT", "> 250 ok", "> 450 later", "< QUIT",
		"> 221 bye", "next", SESSION_OK, NULL };
	struct fake_entry entry = new_entry(HELD_TO_DELIVER), *held;
	struct stage stage;
	int i;

	(void)state;
	set_stage(&stage, script);
	fake_quarantine_retry_ms(stage.quarantine, INT32_MAX);
	held = fake_quarantine_add(stage.quarantine, &entry);
	raise_curtain(&stage);
	for (i = 1; i < 3; i++) {
		assert_int_equal(wait_for_end(stage.quarantine, held,
				     (unsigned)i),
		    HELD_TO_DELIVER);
		release_worker_tell(stage.worker, held->id, DOMAIN, 0);
	}
	assert_int_equal(wait_for_end(stage.quarantine, held, 3),
	    HELD_RELEASED);
	clear_stage(&stage);
}

/* Neither lost nor bounced: held, with the reason. */
static void
test_worker_holds_what_is_refused(void **state)
{
	static const char *const script[] = { HELLO, "< MAIL", "< RCPT",
		"> 250 ok", "> 550 5.1.1 no such user", "< QUIT", "> 221 bye",
		NULL };
	struct fake_entry entry = new_entry(HELD_TO_DELIVER), *held;
	struct stage stage;
	json_t *events;

	(void)state;
	set_stage(&stage, script);
	held = fake_quarantine_add(stage.quarantine, &entry);
	raise_curtain(&stage);
	assert_int_equal(wait_for_end(stage.quarantine, held, 1), HELD_HELD);
	release_worker_stop(stage.worker);
	stage.worker = NULL;
	assert_non_null(strstr(held->reply, "550 5.1.1 no such user"));
	assert_non_null(strstr(held->reply, "could not be delivered"));
	events = fake_events_take(stage.events);
	assert_int_equal(json_array_size(events), 1);
	assert_string_equal(json_string_value(
				json_object_get(json_array_get(events, 0),
				    "status")),
	    "quarantined");
	json_decref(events);
	clear_stage(&stage);
}

static void
test_worker_gives_up(void **state)
{
	static const char *const script[] = { "> 421 busy", "close", NULL };
	struct fake_entry entry = new_entry(HELD_TO_DELIVER), *held;
	struct stage stage;

	(void)state;
	/* an id from 2020 */
	memcpy(entry.id, "01DXF6DT00", 10);
	set_stage(&stage, script);
	held = fake_quarantine_add(stage.quarantine, &entry);
	raise_curtain(&stage);
	assert_int_equal(wait_for_end(stage.quarantine, held, 1), HELD_HELD);
	assert_non_null(strstr(held->reply, "421 busy"));
	clear_stage(&stage);
}

/* What a person would be asked about is not tried again by the worker. */
static void
test_worker_leaves_unknown(void **state)
{
	static const char *const script[] = { HELLO, MAIL_RCPT, DATA, "data",
		"close", NULL };
	struct fake_entry entry = new_entry(HELD_TO_DELIVER), *held;
	struct stage stage;

	(void)state;
	set_stage(&stage, script);
	held = fake_quarantine_add(stage.quarantine, &entry);
	raise_curtain(&stage);
	assert_int_equal(wait_for_end(stage.quarantine, held, 1), HELD_UNKNOWN);
	release_worker_tell(stage.worker, held->id, DOMAIN, 0);
	usleep(100000);
	assert_int_equal(fake_quarantine_look(stage.quarantine, held).leases,
	    1);
	clear_stage(&stage);
}

static struct settings *
no_settings(void *context)
{
	(void)context;
	return NULL;
}

static void
test_worker_without_settings(void **state)
{
	struct release_worker *worker;

	(void)state;
	worker = release_worker_start(NULL, no_settings, NULL);
	usleep(20000);
	release_worker_tell(worker, "01.1", DOMAIN, 0);
	release_worker_stop(worker);
	release_worker_stop(NULL);
}

static int
be_quiet(void **state)
{
	(void)state;
	log_open("test_release", LOG_TARGET_STDERR, LOG_LEVEL_WARN);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_header),
		cmocka_unit_test(test_header_expiry),
		cmocka_unit_test(test_message),
		cmocka_unit_test(test_scenes),
		cmocka_unit_test(test_listener_is_not_asked),
		cmocka_unit_test(test_no_entry_no_settings),
		cmocka_unit_test(test_bytes_of_a_release),
		cmocka_unit_test(test_parameters_are_given_again),
		cmocka_unit_test(test_worker_delivers),
		cmocka_unit_test(test_worker_is_told),
		cmocka_unit_test(test_worker_is_told_in_vain),
		cmocka_unit_test(test_worker_tries_again),
		cmocka_unit_test(test_worker_holds_what_is_refused),
		cmocka_unit_test(test_worker_gives_up),
		cmocka_unit_test(test_worker_leaves_unknown),
		cmocka_unit_test(test_worker_without_settings),
	};

	return cmocka_run_group_tests_name("release", tests, be_quiet, NULL);
}
