/*
 * test_release_store.c - releases over a real store, by processes that are
 * killed in the middle of it.
 *
 * The promise of quarantine/release.h: never lost, and doubled only when we
 * die between the listener's answer to the dot and our note of it; nothing
 * is sent a second time without a person's word.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/mail/fake_smtp.h"
#include "tests/quarantine/hold_fixture.h"
#include "tests/unit.h"

#include "base/log.h"
#include "policy/settings_build.h"
#include "quarantine/events.h"
#include "quarantine/release.h"

#define DOMAIN "y.example"
#define OFFER "PIPELINING,SIZE,8BITMIME"
/* Nothing here waits for one to strike. */
#define TIMEOUT_S (PATIENCE_MS / 1000)
/* Longer than the lease of a release with that timeout. */
#define LEASE_OVER_S (100 * TIMEOUT_S)

#define HELLO "> 220 fake", "ehlo"
#define MAIL_RCPT "< MAIL", "< RCPT", "> 250 ok", "> 250 ok"
#define DATA "< DATA", "> 354 go on"
#define SESSION_OK                                                             \
	HELLO, MAIL_RCPT, DATA, "data", "> 250 ok", "< QUIT", "> 221 bye"

/* Releases are opened without events here. */
void
events_send(struct events *events, json_t *take_event)
{
	(void)events;
	json_decref(take_event);
}

static const char *const mailboxes[] = { "a@y.example", NULL };

static struct settings *
new_settings(void)
{
	struct settings_build *build = settings_build_new(NULL);
	struct settings *settings;

	settings_build_secret(build,
	    (const uint8_t *)"0123456789abcdef0123456789abcde", 32);
	settings = settings_build_finish(build, 1);
	settings_build_free(build);
	return settings;
}

static struct release *
new_release(struct quarantine *quarantine, const char *port)
{
	char listener[40];
	struct release_options options = { .listener = listener,
		.timeout_s = TIMEOUT_S,
		.helo = "us" };

	(void)snprintf(listener, sizeof(listener), "127.0.0.1:%s", port);
	return release_open(quarantine, NULL, &options);
}

/* ---- the process that is killed ---- */

/* argv: --release URL PORT ID */
static int
child_main(char **argv)
{
	const struct quarantine_options options = { .memory_percent = 60 };
	const struct store_options store_options = { .url = argv[2],
		.timeout_ms = PATIENCE_MS };
	struct store *store = store_open(&store_options, NULL);
	struct quarantine *quarantine = quarantine_open(store, &options);
	struct release *release = new_release(quarantine, argv[3]);
	struct settings *settings = new_settings();
	enum held_state state;
	int rc;

	rc = release_one(release, settings, argv[4], DOMAIN, "user:child",
	    false, &state, NULL);
	settings_unref(settings);
	release_close(release);
	quarantine_close(quarantine);
	store_close(store);
	return rc == 1 ? 0 : 1;
}

static pid_t
start_child(const struct place *place, const char *port, const char *held_id)
{
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	execl("/proc/self/exe", "test_release_store", "--release",
	    place->server.url, port, held_id, (char *)NULL);
	_exit(127);
}

static enum held_state
stored_state(const struct place *place, const char *held_id)
{
	json_t *entry;
	struct err err;
	int state;

	if (quarantine_get(place->quarantine, held_id, DOMAIN, &entry, &err) !=
	    1)
		fail_msg("get: %s", err.text);
	state = held_state_parse(
	    bytes_of(json_string_value(json_object_get(entry, "state"))));
	json_decref(entry);
	return (enum held_state)state;
}

/* One release by this process, to a listener that would take it. */
static void
release_here(const struct place *place, const char *held_id, bool retry_unknown,
    struct fake_smtp *fake, int want_rc, enum held_state want_state)
{
	/* without a listener: it must not even be asked */
	struct release *release = new_release(place->quarantine,
	    fake != NULL ? fake_smtp_port(fake) : "1");
	struct settings *settings = new_settings();
	enum held_state state;
	struct err err = { ERR_NONE, "" };
	int rc;

	rc = release_one(release, settings, held_id, DOMAIN, "user:x",
	    retry_unknown, &state, &err);
	if (rc != want_rc || state != want_state)
		fail_msg("%d, %s: %s", rc, held_state_name(state), err.text);
	release_close(release);
	settings_unref(settings);
}

/* A release that must deliver it. */
static void
deliver_here(const struct place *place, const char *held_id, bool retry_unknown)
{
	static const char *const script[] = { SESSION_OK, NULL };
	struct fake_smtp *fake = fake_smtp_start(script, OFFER);

	release_here(place, held_id, retry_unknown, fake, 1, HELD_RELEASED);
	assert_string_equal(fake_smtp_stop(fake), "");
	assert_true(fake_smtp_message(fake).len > 0);
	fake_smtp_free(fake);
}

struct death {
	const char *label;
	const char *script[20];
	bool dot_was_sent; /* then nobody knows, and a person must say */
};

static void
die_once(struct place *place, const struct death *death, unsigned seed)
{
	struct fake_smtp *fake = fake_smtp_start(death->script, OFFER);
	struct mail mail;
	const char *id;
	pid_t pid;
	int status;

	mail_make(&mail, seed, 200000, mailboxes);
	put_well(place, &mail);
	id = mail.entries[0].id;
	pid = start_child(place, fake_smtp_port(fake), id);
	if (!fake_smtp_wait_here(fake))
		case_fail(death->label, "the child did not come so far");
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	fake_smtp_stop(fake);
	fake_smtp_free(fake);

	/* while the lease holds nobody else sends it */
	assert_int_equal(stored_state(place, id), HELD_RELEASING);
	release_here(place, id, true, NULL, 0, HELD_RELEASING);
	assert_true(clock_shift(LEASE_OVER_S));
	if (stored_state(place, id) !=
	    (death->dot_was_sent ? HELD_UNKNOWN : HELD_HELD))
		case_fail(death->label, "became %s",
		    held_state_name(stored_state(place, id)));
	if (death->dot_was_sent)
		release_here(place, id, false, NULL, 0, HELD_UNKNOWN);
	deliver_here(place, id, death->dot_was_sent);
	release_here(place, id, true, NULL, 1, HELD_RELEASED);
	assert_true(clock_shift(0));
	mail_free(&mail);
}

static void
test_killed_at_every_point(void **state)
{
	static const struct death deaths[] = {
		{ "before the greeting", { "here", "eof" }, false },
		{ "before MAIL is answered", { HELLO, "< MAIL", "here", "eof" },
		    false },
		{ "before RCPT is answered",
		    { HELLO, "< MAIL", "> 250 ok", "here", "eof" }, false },
		{ "before DATA is answered",
		    { HELLO, MAIL_RCPT, "< DATA", "here", "eof" }, false },
		{ "when the dot has been sent",
		    { HELLO, MAIL_RCPT, DATA, "data", "here", "eof" }, true },
	};
	struct place *place = *state;
	size_t i;

	for (i = 0; i < ARRAY_LEN(deaths); i++)
		die_once(place, &deaths[i], (unsigned)i + 1);
}

/* ---- several at once ---- */

#define THREADS 8

struct racer {
	pthread_t thread;
	struct release *release;
	struct settings *settings;
	const char *held_id;
	int rc;
};

static void *
race(void *context)
{
	struct racer *racer = context;
	enum held_state state;

	racer->rc = release_one(racer->release, racer->settings, racer->held_id,
	    DOMAIN, "user:x", true, &state, NULL);
	return NULL;
}

static void
test_many_at_once(void **state)
{
	static const char *const script[] = { HELLO, MAIL_RCPT, "pause 50",
		DATA, "data", "pause 50", "> 250 ok", "< QUIT", "> 221 bye",
		NULL };
	struct fake_smtp *fake = fake_smtp_start(script, OFFER);
	struct place *place = *state;
	struct racer racers[THREADS];
	struct settings *settings = new_settings();
	struct release *release =
	    new_release(place->quarantine, fake_smtp_port(fake));
	struct mail mail;
	size_t i, released = 0;

	mail_make(&mail, 100, 1000, mailboxes);
	put_well(place, &mail);
	for (i = 0; i < THREADS; i++) {
		racers[i] = (struct racer){ .release = release,
			.settings = settings,
			.held_id = mail.entries[0].id };
		assert_int_equal(pthread_create(&racers[i].thread, NULL, race,
				     &racers[i]),
		    0);
	}
	for (i = 0; i < THREADS; i++) {
		pthread_join(racers[i].thread, NULL);
		assert_in_range(racers[i].rc, 0, 1);
		released += racers[i].rc == 1 ? 1 : 0;
	}
	assert_true(released >= 1);
	assert_string_equal(fake_smtp_stop(fake), "");
	assert_int_equal(stored_state(place, mail.entries[0].id),
	    HELD_RELEASED);
	fake_smtp_free(fake);
	release_close(release);
	settings_unref(settings);
	mail_free(&mail);
}

/* ---- the worker ---- */

static struct settings *
give_settings(void *context)
{
	return settings_ref(context);
}

static bool
is_line_end(struct bytes raw, size_t i)
{
	return i < raw.len && (raw.data[i] == '\r' || raw.data[i] == '\n');
}

/* What a server sees that knows only CRLF: the bytes, CRLF at the end, and a
 * second dot where another server could see the end (mail/smtp.h). */
static void
as_received(struct bytes raw, struct buf *out)
{
	bool after_crlf, after_lf, after_cr;
	size_t i;

	buf_init(out, SIZE_MAX);
	for (i = 0; i < raw.len; i++) {
		after_lf = i > 0 && raw.data[i - 1] == '\n';
		after_crlf = after_lf && i > 1 && raw.data[i - 2] == '\r';
		after_cr = i > 0 && raw.data[i - 1] == '\r';
		if (raw.data[i] == '.' &&
		    ((after_lf && !after_crlf) ||
			(after_cr && is_line_end(raw, i + 1))))
			buf_append_char(out, '.');
		buf_append_char(out, raw.data[i]);
	}
	if (raw.len < 2 || memcmp(raw.data + raw.len - 2, "\r\n", 2) != 0)
		buf_append_str(out, "\r\n");
}

/* All bytes come out, for one recipient at a time; what is refused is held
 * and says why. */
static void
test_worker(void **state)
{
	static const char *const two[] = { "a@y.example", "b@y.example", NULL };
	static const char *const script[] = { HELLO, "< MAIL", "< RCPT",
		"> 250 ok", "> 550 5.1.1 nobody", "< QUIT", "> 221 bye", "next",
		SESSION_OK, NULL };
	struct fake_smtp *fake = fake_smtp_start(script, OFFER);
	struct place *place = *state;
	struct settings *settings = new_settings();
	struct release *release =
	    new_release(place->quarantine, fake_smtp_port(fake));
	struct release_worker *worker;
	struct mail mail;
	struct bytes got;
	struct buf want;
	json_t *entry;
	unsigned held = 0;
	size_t i;

	mail_make(&mail, 200, 700000, two);
	mail.entries[0].state = mail.entries[1].state = HELD_TO_DELIVER;
	put_well(place, &mail);
	assert_true(clock_shift(60));
	worker = release_worker_start(release, give_settings, settings);
	assert_string_equal(fake_smtp_stop(fake), "");
	release_worker_stop(worker);
	for (i = 0; i < 2; i++) {
		assert_int_equal(quarantine_get(place->quarantine,
				     mail.entries[i].id, DOMAIN, &entry, NULL),
		    1);
		if (strcmp(json_string_value(json_object_get(entry, "state")),
			"held") == 0) {
			held++;
			assert_non_null(
			    strstr(json_string_value(
				       json_object_get(entry, "reply")),
				"550 5.1.1 nobody"));
		}
		json_decref(entry);
	}
	assert_int_equal(held, 1);
	as_received(buf_bytes(&mail.raw), &want);
	got = fake_smtp_message(fake);
	assert_true(got.len > want.len);
	assert_memory_equal(got.data + got.len - want.len, want.data, want.len);
	buf_free(&want);
	assert_true(clock_shift(0));
	fake_smtp_free(fake);
	release_close(release);
	settings_unref(settings);
	mail_free(&mail);
}

static int
set_up(void **state)
{
	struct place *place;

	log_open("test_release_store", LOG_TARGET_STDERR, LOG_LEVEL_ERROR);
	if (!redis_server_is_installed())
		return 0;
	place = xmalloc(sizeof(*place));
	place_open(place, NULL);
	*state = place;
	return 0;
}

static int
tear_down(void **state)
{
	if (*state == NULL)
		return 0;
	place_close(*state);
	free(*state);
	return 0;
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_killed_at_every_point),
		cmocka_unit_test(test_many_at_once),
		cmocka_unit_test(test_worker),
	};

	if (argc == 5 && strcmp(argv[1], "--release") == 0)
		return child_main(argv);
	if (!redis_server_is_installed() || !clock_shift(1)) {
		printf("skipped: no redis-server, or no --enable-test-hooks\n");
		return 77;
	}
	clock_shift(0);
	return cmocka_run_group_tests_name("release over a store", tests,
	    set_up, tear_down);
}
