/*
 * test_quarantine.c - tests of the quarantine on a real Redis.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <zstd.h>

#include "tests/unit.h"

#include "base/clock.h"
#include "tests/quarantine/hold_fixture.h"

#define CHUNK ((size_t)256 * 1024)
#define DAY_S 86400

static const char *const one_mailbox[] = { "user@example.com", NULL };

static int
open_place(void **state)
{
	struct place *place = xcalloc(1, sizeof(*place));

	place_open(place, NULL);
	*state = place;
	return 0;
}

static int
close_place(void **state)
{
	place_close(*state);
	free(*state);
	return 0;
}

/* Each test begins with an empty store, and nothing remembered. */
static int
empty(void **state)
{
	struct place *place = *state;
	const struct quarantine_options options = { .message_max = (uint64_t)1
		    << 30,
		.domain_max = (uint64_t)1 << 40,
		.memory_percent = 60 };
	struct err err;

	clock_shift(0);
	quarantine_close(place->quarantine);
	place->quarantine = quarantine_open(place->store, &options);
	return store_runf(place->store, NULL, NULL, &err, "FLUSHALL");
}

static enum held_state
state_of(struct place *place, const char *held_id, const char *domain)
{
	json_t *entry;
	struct err err;
	int state;

	if (quarantine_get(place->quarantine, held_id, domain, &entry, &err) !=
	    1)
		return HELD_REMOVED;
	state = held_state_parse(
	    bytes_of(json_string_value(json_object_get(entry, "state"))));
	json_decref(entry);
	return (enum held_state)state;
}

static void
run(struct place *place, const char *key, const char *command)
{
	struct err err;

	if (store_runf(place->store, key, NULL, &err, command) < 0) {
		print_error("%s: %s\n", command, err.text);
		fail();
	}
}

/* ---- putting ---- */

static void
test_sizes(void **state)
{
	static const size_t sizes[] = { 0, 1, 1000, CHUNK - 200, CHUNK,
		CHUNK + 1, 5 * CHUNK + 77 };
	struct place *place = *state;
	size_t i;

	for (i = 0; i < ARRAY_LEN(sizes); i++) {
		struct mail mail;

		mail_make(&mail, (unsigned)i, sizes[i], one_mailbox);
		put_well(place, &mail);
		assert_false(mail.entries[0].already);
		check_bytes(place, &mail, mail.entries[0].id);
		mail_free(&mail);
	}
	assert_int_equal(count_listed(place, "example.com"), ARRAY_LEN(sizes));
	assert_true(outbox_empties(place, "example.com"));
	assert_int_equal(stream_length(place), ARRAY_LEN(sizes));
}

static const char *
text_of(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text != NULL ? text : "(none)";
}

static void
check_signatures(struct place *place, const char *held_id, const char *domain,
    const char *want)
{
	struct buf out;

	buf_init(&out, 1000);
	assert_int_equal(quarantine_signatures(place->quarantine, held_id,
			     domain, &out, NULL),
	    0);
	assert_string_equal(buf_str(&out), want);
	buf_free(&out);
}

static void
test_entry(void **state)
{
	static const char *const mailboxes[] = { "a@one.example",
		"b@two.example", "c@one.example", NULL };
	struct place *place = *state;
	struct mail mail;
	struct err err;
	json_t *entry;
	size_t i;

	mail_make(&mail, 1, 5000, mailboxes);
	mail.hold.subject = "\xe4\xbb\xb6\xe5\x90\x8d";
	mail.hold.sender = "bad\xff@example.net";
	mail.entries[2].hidden = true;
	mail.entries[2].subject_mark = "[SPAM]";
	mail.entries[2].signatures = "ARC-Seal: i=1\r\n";
	put_well(place, &mail);
	assert_int_equal(count_listed(place, "one.example"), 2);
	assert_int_equal(count_listed(place, "two.example"), 1);
	for (i = 0; i < 3; i++)
		check_bytes(place, &mail, mail.entries[i].id);
	assert_int_equal(quarantine_get(place->quarantine, mail.entries[2].id,
			     "one.example", &entry, &err),
	    1);
	assert_string_equal(text_of(entry, "id"), mail.entries[2].id);
	assert_string_equal(text_of(entry, "mail"), mail.id.text);
	assert_string_equal(text_of(entry, "domain"), "one.example");
	assert_string_equal(text_of(entry, "mailbox"), "c@one.example");
	assert_string_equal(text_of(entry, "rcpt_params"), "NOTIFY=NEVER");
	assert_string_equal(text_of(entry, "state"), "held");
	assert_string_equal(text_of(entry, "subject"), mail.hold.subject);
	assert_string_equal(text_of(entry, "subject_mark"), "[SPAM]");
	assert_string_equal(text_of(entry, "sender"),
	    "bad\xef\xbf\xbd@example.net");
	assert_string_equal(text_of(entry, "sender_raw"),
	    "YmFk/0BleGFtcGxlLm5ldA==");
	assert_string_equal(text_of(entry, "received"), mail.hold.received);
	assert_string_equal(text_of(entry, "results"), mail.hold.results);
	assert_string_equal(text_of(entry, "authserv_id"), "y");
	assert_true(json_is_true(json_object_get(entry, "hidden")));
	assert_null(json_object_get(entry, "signatures"));
	assert_int_equal(json_integer_value(json_object_get(entry, "size")),
	    mail.raw.len);
	assert_int_equal(strlen(text_of(entry, "sha256")), 64);
	assert_string_equal(
	    text_of(json_object_get(json_object_get(entry, "record"), "class"),
		"main"),
	    "spam");
	json_decref(entry);
	check_signatures(place, mail.entries[2].id, "one.example",
	    "ARC-Seal: i=1\r\n");
	check_signatures(place, mail.entries[0].id, "one.example", "");
	check_signatures(place, mail.entries[2].id, "two.example", "");
	/* Of another domain, it is not there. */
	assert_int_equal(quarantine_get(place->quarantine, mail.entries[2].id,
			     "two.example", &entry, &err),
	    0);
	assert_int_equal(quarantine_get(place->quarantine, "nonsense", "x",
			     &entry, &err),
	    -1);
	assert_int_equal(err.kind, ERR_INPUT);
	mail_free(&mail);
}

/* The sender tries again: nothing is held or sent twice. */
static void
test_again(void **state)
{
	static const char *const mailboxes[] = { "a@one.example",
		"b@two.example", NULL };
	static const char *const more[] = { "a@one.example", "b@two.example",
		"c@one.example", NULL };
	struct place *place = *state;
	struct mail mail, other;
	struct err err;
	char first[40];
	size_t keys;

	mail_make(&mail, 1, 5000, mailboxes);
	mail.entries[1].state = HELD_TO_DELIVER;
	put_well(place, &mail);
	assert_true(outbox_empties(place, "one.example"));
	assert_true(outbox_empties(place, "two.example"));
	keys = redis_keys(place, "*");
	memcpy(first, mail.entries[0].id, sizeof(first));
	mail_again(&mail);
	put_well(place, &mail);
	assert_true(mail.entries[0].already);
	assert_true(mail.entries[1].already);
	assert_string_equal(mail.entries[0].id, first);
	assert_int_equal(redis_keys(place, "*"), keys);
	assert_int_equal(stream_length(place), 2);

	/* Removed or delivered meanwhile: still the same mail. */
	assert_int_equal(quarantine_remove(place->quarantine, first,
			     "one.example", "t", &err),
	    1);
	mail_again(&mail);
	put_well(place, &mail);
	assert_true(mail.entries[0].already);
	assert_int_equal(count_listed(place, "one.example"), 0);

	/* One recipient more: only that one is written. */
	mail_make(&other, 1, 5000, more);
	put_well(place, &other);
	assert_true(other.entries[0].already);
	assert_true(other.entries[1].already);
	assert_false(other.entries[2].already);
	check_bytes(place, &other, other.entries[2].id);
	assert_int_equal(count_listed(place, "one.example"), 1);
	mail_free(&other);

	/* Another sender, or other bytes: another mail. */
	mail_make(&other, 1, 5000, mailboxes);
	other.hold.sender = "else@example.net";
	put_well(place, &other);
	assert_false(other.entries[0].already);
	mail_free(&other);
	mail_make(&other, 2, 5000, mailboxes);
	put_well(place, &other);
	assert_false(other.entries[0].already);
	mail_free(&other);

	mail_free(&mail);
}

/* The same mailbox twice in one mail. */
static void
test_twice_in_one(void **state)
{
	static const char *const mailboxes[] = { "a@one.example",
		"a@one.example", NULL };
	struct place *place = *state;
	struct mail mail;

	mail_make(&mail, 1, 5000, mailboxes);
	put_well(place, &mail);
	assert_int_equal(mail.entries[0].already + mail.entries[1].already, 1);
	assert_string_equal(mail.entries[0].id, mail.entries[1].id);
	assert_int_equal(count_listed(place, "one.example"), 1);
	mail_free(&mail);
}

static void
test_ceilings(void **state)
{
	/* The last domain is written first. */
	static const char *const mailboxes[] = { "b@two.example",
		"a@one.example", NULL };
	static const char *const two[] = { "b@two.example", NULL };
	struct place *place = *state;
	struct quarantine_options options = { .message_max = 20000,
		.domain_max = 60000,
		.memory_percent = 60 };
	struct quarantine *plenty = place->quarantine;
	enum quarantine_full full;
	struct mail mail;
	struct err err;
	size_t keys;
	unsigned i;

	place->quarantine = quarantine_open(place->store, &options);
	mail_make(&mail, 1, 30000, mailboxes);
	assert_int_equal(quarantine_put(place->quarantine, &mail.hold, mail.n,
			     mail.entries, &full, &err),
	    -1);
	assert_int_equal(err.kind, ERR_LIMIT);
	assert_int_equal(full, FULL_MESSAGE);
	mail_free(&mail);

	/* two.example fills up; what one.example got is undone. */
	for (i = 2; i < 100; i++) {
		mail_make(&mail, i, 10000, two);
		if (quarantine_put(place->quarantine, &mail.hold, mail.n,
			mail.entries, &full, &err) < 0)
			break;
		mail_free(&mail);
	}
	assert_int_equal(full, FULL_DOMAIN);
	assert_in_range(i, 6, 14);
	mail_free(&mail);
	assert_true(outbox_empties(place, "two.example"));
	keys = redis_keys(place, "sk:{d:*");
	mail_make(&mail, 1, 19000, mailboxes);
	assert_int_equal(quarantine_put(place->quarantine, &mail.hold, mail.n,
			     mail.entries, &full, &err),
	    -1);
	assert_int_equal(err.kind, ERR_LIMIT);
	assert_int_equal(full, FULL_DOMAIN);
	assert_int_equal(count_listed(place, "one.example"), 0);
	/* A tomb for each domain, and one count of bytes that is 0. */
	assert_int_equal(redis_keys(place, "sk:{d:*"), keys + 3);
	assert_int_equal(redis_int(place, "GET", "sk:{d:one.example}:bytes"),
	    0);
	assert_int_equal(redis_keys(place, "sk:{m:*:chunk:*"), i - 2);

	/* Removing makes room. */
	{
		const struct held_filter filter = { .domain = "two.example",
			.state = -1 };
		const char *next;
		json_t *entries;

		assert_int_equal(quarantine_list(place->quarantine, mail.arena,
				     &filter, NULL, 3, &entries, &next, &err),
		    0);
		for (i = 0; i < 3; i++)
			assert_int_equal(quarantine_remove(place->quarantine,
					     text_of(json_array_get(entries, i),
						 "id"),
					     "two.example", "t", &err),
			    1);
		json_decref(entries);
	}
	mail_again(&mail);
	put_well(place, &mail);
	mail_free(&mail);

	run(place, NULL, "CONFIG SET maxmemory 1500000");
	mail_make(&mail, 200, 10000, mailboxes);
	assert_int_equal(quarantine_put(place->quarantine, &mail.hold, mail.n,
			     mail.entries, &full, &err),
	    -1);
	assert_int_equal(err.kind, ERR_LIMIT);
	assert_int_equal(full, FULL_MEMORY);
	run(place, NULL, "CONFIG SET maxmemory 0");
	mail_free(&mail);
	quarantine_close(place->quarantine);
	place->quarantine = plenty;
}

static void
test_not_durable(void **state)
{
	struct place *place = *state;
	struct quarantine_options options = { .message_max = 1 << 20,
		.domain_max = 1 << 20,
		.memory_percent = 60,
		.durability_required = true };
	struct quarantine *careless = place->quarantine;
	struct mail mail;
	struct err err;

	place->quarantine = quarantine_open(place->store, &options);
	mail_make(&mail, 1, 1000, one_mailbox);
	assert_int_equal(put(place, &mail, &err), -1);
	assert_int_equal(err.kind, ERR_TEMP);
	assert_int_equal(redis_keys(place, "*"), 0);
	mail_free(&mail);
	quarantine_close(place->quarantine);
	place->quarantine = careless;
}

/* ---- states ---- */

static void
test_release(void **state)
{
	struct place *place = *state;
	struct quarantine *q = place->quarantine;
	char token[LEASE_TOKEN_SIZE], other[LEASE_TOKEN_SIZE];
	enum held_state was;
	struct mail mail;
	struct err err;
	const char *id;

	mail_make(&mail, 1, 1000, one_mailbox);
	put_well(place, &mail);
	id = mail.entries[0].id;
	assert_int_equal(quarantine_lease(q, id, "example.com", "user:x", 60,
			     false, token, &was, &err),
	    1);
	assert_int_equal(was, HELD_HELD);
	assert_int_equal(state_of(place, id, "example.com"), HELD_RELEASING);
	/* The second one comes too late; nobody may remove it. */
	assert_int_equal(quarantine_lease(q, id, "example.com", "user:y", 60,
			     true, other, &was, &err),
	    0);
	assert_int_equal(was, HELD_RELEASING);
	assert_int_equal(quarantine_remove(q, id, "example.com", "user:y",
			     &err),
	    -1);
	assert_int_equal(err.kind, ERR_TEMP);
	/* Whoever has no lease changes nothing. */
	assert_int_equal(quarantine_settle(q, id, "example.com",
			     "01ARZ3NDEKTSV4RRFFQ69G5FAV", HELD_RELEASED, "",
			     &err),
	    0);
	assert_int_equal(quarantine_mark_dot(q, id, "example.com",
			     "01ARZ3NDEKTSV4RRFFQ69G5FAV", 60, &err),
	    0);
	assert_int_equal(quarantine_mark_dot(q, id, "example.com", token, 60,
			     &err),
	    1);
	assert_int_equal(quarantine_settle(q, id, "example.com", token,
			     HELD_RELEASED, "250 2.0.0 Ok", &err),
	    1);
	assert_int_equal(quarantine_settle(q, id, "example.com", token,
			     HELD_HELD, "", &err),
	    0);
	assert_int_equal(state_of(place, id, "example.com"), HELD_RELEASED);
	assert_int_equal(quarantine_lease(q, id, "example.com", "user:y", 60,
			     true, other, &was, &err),
	    0);
	assert_int_equal(was, HELD_RELEASED);
	/* It stays until somebody removes it. */
	check_bytes(place, &mail, id);
	assert_int_equal(quarantine_remove(q, id, "example.com", "user:y",
			     &err),
	    1);
	assert_int_equal(quarantine_remove(q, id, "example.com", "user:y",
			     &err),
	    0);
	assert_int_equal(quarantine_lease(q, id, "example.com", "user:y", 60,
			     true, other, &was, &err),
	    0);
	assert_int_equal(was, HELD_REMOVED);
	mail_free(&mail);
}

/* Leases that run out, with and without the final dot. */
static void
test_lease_runs_out(void **state)
{
	static const struct {
		const char *label;
		enum held_state first;
		bool dot;
		enum held_state becomes;
		bool retry_unknown;
		int rc;
	} cases[] = {
		{ "held", HELD_HELD, false, HELD_HELD, false, 1 },
		{ "to-deliver", HELD_TO_DELIVER, false, HELD_TO_DELIVER, false,
		    1 },
		{ "held, dot", HELD_HELD, true, HELD_UNKNOWN, false, 0 },
		{ "to-deliver, dot", HELD_TO_DELIVER, true, HELD_UNKNOWN, false,
		    0 },
		{ "held, dot, a person", HELD_HELD, true, HELD_UNKNOWN, true,
		    1 },
	};
	struct place *place = *state;
	struct quarantine *q = place->quarantine;
	size_t i;

	for (i = 0; i < ARRAY_LEN(cases); i++) {
		char token[LEASE_TOKEN_SIZE], other[LEASE_TOKEN_SIZE];
		enum held_state was;
		struct mail mail;
		struct err err;
		const char *id;
		int rc;

		clock_shift(0);
		mail_make(&mail, (unsigned)i, 1000, one_mailbox);
		mail.entries[0].state = cases[i].first;
		put_well(place, &mail);
		id = mail.entries[0].id;
		assert_int_equal(quarantine_lease(q, id, "example.com", "a", 60,
				     false, token, &was, &err),
		    1);
		if (cases[i].dot)
			assert_int_equal(quarantine_mark_dot(q, id,
					     "example.com", token, 60, &err),
			    1);
		if (!clock_shift(61))
			skip();
		if (state_of(place, id, "example.com") != cases[i].becomes)
			case_fail(cases[i].label, "is %s",
			    held_state_name(
				state_of(place, id, "example.com")));
		rc = quarantine_lease(q, id, "example.com", "b", 60,
		    cases[i].retry_unknown, other, &was, &err);
		if (rc != cases[i].rc || was != cases[i].becomes)
			case_fail(cases[i].label, "lease %d, %s", rc,
			    held_state_name(was));
		/* The first one comes back and knows: good unless the lease
		 * is another's now. */
		rc = quarantine_settle(q, id, "example.com", token,
		    HELD_RELEASED, "250", &err);
		if (rc != !cases[i].rc)
			case_fail(cases[i].label, "settle %d", rc);
		mail_free(&mail);
	}
}

/* A message that took nearly all of the lease is still ours at its answer. */
static void
test_dot_begins_the_lease_anew(void **state)
{
	struct place *place = *state;
	struct quarantine *q = place->quarantine;
	char token[LEASE_TOKEN_SIZE];
	enum held_state was;
	struct mail mail;
	struct err err;
	const char *id;

	mail_make(&mail, 1, 1000, one_mailbox);
	put_well(place, &mail);
	id = mail.entries[0].id;
	assert_int_equal(quarantine_lease(q, id, "example.com", "a", 60, false,
			     token, &was, &err),
	    1);
	if (!clock_shift(59))
		skip();
	assert_int_equal(quarantine_mark_dot(q, id, "example.com", token, 60,
			     &err),
	    1);
	clock_shift(110);
	assert_int_equal(state_of(place, id, "example.com"), HELD_RELEASING);
	clock_shift(180);
	assert_int_equal(state_of(place, id, "example.com"), HELD_UNKNOWN);
	clock_shift(0);
	mail_free(&mail);
}

struct racer {
	struct quarantine *quarantine;
	const char *id;
	bool removes;
	int rc;
	pthread_t thread;
};

static void *
race(void *arg)
{
	struct racer *racer = arg;
	char token[LEASE_TOKEN_SIZE];
	enum held_state was;
	struct err err;

	racer->rc = racer->removes
	    ? quarantine_remove(racer->quarantine, racer->id, "example.com",
		  "r", &err)
	    : quarantine_lease(racer->quarantine, racer->id, "example.com", "r",
		  60, true, token, &was, &err);
	return NULL;
}

/* Some remove, some release: exactly one of all succeeds. */
static void
test_races(void **state)
{
	struct place *place = *state;
	struct racer racers[8];
	unsigned round;
	size_t i;

	for (round = 0; round < 30; round++) {
		struct mail mail;
		int won = 0;

		mail_make(&mail, round, 300, one_mailbox);
		put_well(place, &mail);
		for (i = 0; i < ARRAY_LEN(racers); i++) {
			racers[i] = (struct racer){ place->quarantine,
				mail.entries[0].id, (i + round) % 2 == 0, 0,
				0 };
			pthread_create(&racers[i].thread, NULL, race,
			    &racers[i]);
		}
		for (i = 0; i < ARRAY_LEN(racers); i++) {
			pthread_join(racers[i].thread, NULL);
			won += racers[i].rc == 1;
		}
		assert_int_equal(won, 1);
		mail_free(&mail);
	}
}

/* ---- what is due ---- */

static size_t
due(struct place *place, struct arena *arena, struct held_ref refs[10])
{
	struct err err;
	size_t n;

	assert_int_equal(quarantine_due(place->quarantine, arena, 10, refs, &n,
			     &err),
	    0);
	return n;
}

static void
test_due(void **state)
{
	static const char *const mailboxes[] = { "a@one.example",
		"b@two.example", "c@one.example", NULL };
	struct place *place = *state;
	struct quarantine *q = place->quarantine;
	char token[LEASE_TOKEN_SIZE];
	struct arena *arena = arena_new(0);
	struct held_ref refs[10];
	enum held_state was;
	struct mail mail;
	struct err err;

	mail_make(&mail, 1, 1000, mailboxes);
	mail.entries[0].state = mail.entries[1].state = HELD_TO_DELIVER;
	put_well(place, &mail);
	/* Not before the transaction was answered. */
	assert_int_equal(due(place, arena, refs), 0);
	if (!clock_shift(6))
		skip();
	assert_int_equal(due(place, arena, refs), 2);
	assert_int_equal(quarantine_lease(q, mail.entries[0].id, "one.example",
			     "system", 60, false, token, &was, &err),
	    1);
	assert_int_equal(was, HELD_TO_DELIVER);
	assert_int_equal(due(place, arena, refs), 1);
	assert_string_equal(refs[0].id, mail.entries[1].id);
	assert_string_equal(refs[0].domain, "two.example");
	/* Not delivered now: in a minute, then in two. */
	assert_int_equal(quarantine_settle(q, mail.entries[0].id, "one.example",
			     token, HELD_TO_DELIVER, "451", &err),
	    1);
	assert_int_equal(due(place, arena, refs), 1);
	clock_shift(68);
	assert_int_equal(due(place, arena, refs), 2);
	assert_int_equal(quarantine_lease(q, mail.entries[0].id, "one.example",
			     "system", 60, false, token, &was, &err),
	    1);
	/* The worker died: the lease runs out. */
	assert_int_equal(due(place, arena, refs), 1);
	clock_shift(130);
	assert_int_equal(due(place, arena, refs), 2);
	assert_int_equal(quarantine_lease(q, mail.entries[0].id, "one.example",
			     "system", 60, false, token, &was, &err),
	    1);
	assert_int_equal(quarantine_settle(q, mail.entries[0].id, "one.example",
			     token, HELD_TO_DELIVER, "451", &err),
	    1);
	clock_shift(130 + 200);
	assert_int_equal(due(place, arena, refs), 1);
	clock_shift(130 + 250);
	assert_int_equal(due(place, arena, refs), 2);
	assert_int_equal(quarantine_lease(q, mail.entries[0].id, "one.example",
			     "system", 60, false, token, &was, &err),
	    1);
	assert_int_equal(quarantine_settle(q, mail.entries[0].id, "one.example",
			     token, HELD_RELEASED, "250", &err),
	    1);
	clock_shift(DAY_S);
	assert_int_equal(due(place, arena, refs), 1);
	/* one.example has nothing more and is not looked at again. */
	assert_int_equal(redis_int(place, "ZCARD", "sk:{q}:due"), 1);
	mail_free(&mail);
	arena_free(arena);
}

/* ---- lists ---- */

static size_t
list(struct place *place, const struct held_filter *filter, size_t limit,
    json_t **entries)
{
	struct arena *arena = arena_new(0);
	const char *cursor = NULL;
	json_t *all = json_array();
	size_t pages = 0;

	do {
		json_t *page;
		struct err err;

		if (quarantine_list(place->quarantine, arena, filter, cursor,
			limit, &page, &cursor, &err) < 0) {
			print_error("list: %s\n", err.text);
			fail();
		}
		assert_true(json_array_size(page) <= limit);
		json_array_extend(all, page);
		json_decref(page);
		pages++;
	} while (cursor != NULL);
	*entries = all;
	arena_free(arena);
	return pages;
}

#define MANY 700

/* Many entries of one millisecond, and of others: each once, in order. */
static void
test_paging(void **state)
{
	static const size_t limits[] = { 1, 7, 64, 1000 };
	struct place *place = *state;
	struct mail mail;
	const char **mailboxes = xcalloc(MANY + 1, sizeof(*mailboxes));
	struct held_filter filter = { .domain = "example.com", .state = -1 };
	struct held_filter of_u5 = { .domain = "example.com",
		.mailbox = "u5@example.com",
		.state = -1 };
	json_t *entries;
	unsigned i;
	size_t k, n;

	for (i = 0; i < MANY; i++)
		mailboxes[i] = xprintf("u%u@example.com", i);
	for (i = 0; i < 3; i++) {
		mail_make(&mail, i, 300, mailboxes);
		put_well(place, &mail);
		mail_free(&mail);
		nap_ms(2);
	}
	for (i = 0; i < ARRAY_LEN(limits); i++) {
		int64_t last = INT64_MAX;
		json_t *seen = json_object();

		list(place, &filter, limits[i], &entries);
		n = json_array_size(entries);
		assert_int_equal(n, 3 * MANY);
		for (k = 0; k < n; k++) {
			json_t *entry = json_array_get(entries, k);
			int64_t when = json_integer_value(
			    json_object_get(entry, "received_ms"));

			assert_true(when <= last);
			last = when;
			json_object_set_new(seen, text_of(entry, "id"),
			    json_true());
		}
		assert_int_equal(json_object_size(seen), n);
		json_decref(seen);
		json_decref(entries);
	}
	assert_int_equal(list(place, &of_u5, 2, &entries), 2);
	assert_int_equal(json_array_size(entries), 3);
	json_decref(entries);
	for (i = 0; i < MANY; i++)
		free((char *)mailboxes[i]);
	free(mailboxes);
}

static void
test_filters(void **state)
{
	static const struct {
		const char *label;
		struct held_filter filter;
		size_t want;
	} cases[] = {
		{ "all", { .state = -1, .with_hidden = true }, 4 },
		{ "not hidden", { .state = -1 }, 3 },
		{ "mailbox", { .state = -1, .mailbox = "b@example.com" }, 1 },
		{ "nobody", { .state = -1, .mailbox = "x@example.com" }, 0 },
		{ "held", { .state = HELD_HELD, .with_hidden = true }, 3 },
		{ "to-deliver", { .state = HELD_TO_DELIVER }, 1 },
		{ "sender", { .state = -1, .sender = "SENDER@" }, 3 },
		{ "from", { .state = -1, .sender = "somebody" }, 3 },
		{ "no sender", { .state = -1, .sender = "nobody" }, 0 },
		{ "recipient", { .state = -1, .recipient = "b@" }, 1 },
		{ "subject", { .state = -1, .subject = "Mail 1" }, 3 },
		{ "subject in Japanese",
		    { .state = -1, .subject = "\xe4\xbb\xb6" }, 0 },
		{ "class", { .state = -1, .class = "spam" }, 3 },
		{ "class and sub", { .state = -1, .class = "spam/content" },
		    3 },
		{ "other sub", { .state = -1, .class = "spam/spf" }, 0 },
		{ "part of a class", { .state = -1, .class = "spa" }, 0 },
		{ "since later", { .state = -1, .since_ms = INT64_MAX / 2048 },
		    0 },
		{ "until earlier", { .state = -1, .until_ms = 1000 }, 0 },
		{ "both",
		    { .state = -1,
			.since_ms = 1,
			.until_ms = INT64_MAX / 2048 },
		    3 },
		{ "two that exclude each other",
		    { .state = HELD_TO_DELIVER, .recipient = "a@" }, 0 },
	};
	static const char *const mailboxes[] = { "a@example.com",
		"b@example.com", "c@example.com", "d@example.com", NULL };
	struct place *place = *state;
	struct mail mail;
	size_t i;

	mail_make(&mail, 1, 1000, mailboxes);
	mail.entries[2].state = HELD_TO_DELIVER;
	mail.entries[3].hidden = true;
	put_well(place, &mail);
	mail_free(&mail);
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		struct held_filter filter = cases[i].filter;
		json_t *entries;

		filter.domain = "example.com";
		list(place, &filter, 2, &entries);
		if (json_array_size(entries) != cases[i].want)
			case_fail(cases[i].label, "found %zu",
			    json_array_size(entries));
		json_decref(entries);
	}
}

static void
test_bad_cursors(void **state)
{
	static const char *const cursors[] = { "", "x", "1", "1-", "-1-2",
		"1-nonsense",
		"99999999999999999999-01ARZ3NDEKTSV4RRFFQ69G5FAV.1",
		"1-01ARZ3NDEKTSV4RRFFQ69G5FAV.1 " };
	const struct held_filter filter = { .domain = "d", .state = -1 };
	struct place *place = *state;
	struct arena *arena = arena_new(0);
	const char *next;
	json_t *entries;
	struct err err;
	size_t i;

	for (i = 0; i < ARRAY_LEN(cursors); i++)
		if (quarantine_list(place->quarantine, arena, &filter,
			cursors[i], 5, &entries, &next, &err) != -1 ||
		    err.kind != ERR_INPUT)
			case_fail(cursors[i], "was taken");
	arena_free(arena);
}

/* ---- time ---- */

static void
test_expiry(void **state)
{
	static const char *const mailboxes[] = { "a@example.com",
		"b@example.com", NULL };
	struct place *place = *state;
	struct mail mail;
	json_t *entry;
	struct err err;

	mail_make(&mail, 1, 1000, mailboxes);
	mail.entries[0].retention_s = DAY_S;
	mail.entries[1].retention_s = 2 * DAY_S;
	put_well(place, &mail);
	if (!clock_shift(DAY_S + 1))
		skip();
	assert_int_equal(quarantine_get(place->quarantine, mail.entries[0].id,
			     "example.com", &entry, &err),
	    0);
	assert_int_equal(quarantine_get(place->quarantine, mail.entries[1].id,
			     "example.com", &entry, &err),
	    1);
	json_decref(entry);
	assert_int_equal(count_listed(place, "example.com"), 1);
	/* The list has tidied up, and told of it. */
	assert_int_equal(redis_keys(place, "sk:{d:example.com}:held:*"), 1);
	assert_int_equal(redis_keys(place, "sk:{d:example.com}:index:*"), 1);
	assert_true(outbox_empties(place, "example.com"));
	assert_int_equal(stream_length(place), 3);
	check_bytes(place, &mail, mail.entries[1].id);
	clock_shift(2 * DAY_S + 1);
	assert_int_equal(count_listed(place, "example.com"), 0);
	assert_int_equal(redis_int(place, "GET", "sk:{d:example.com}:bytes"),
	    0);
	/* The chunks go a day later. */
	{
		char *key = xprintf("sk:{m:%s}:chunk:0", mail.id.text);

		assert_in_range(redis_int(place, "PTTL", key), 1000,
		    (int64_t)DAY_S * 1000);
		free(key);
	}
	mail_free(&mail);
}

/* ---- contents that nobody of us wrote ---- */

static void
set_bytes(struct place *place, const char *key, struct bytes value)
{
	struct err err;

	assert_int_equal(store_runf(place->store, key, NULL, &err, "SET %s %b",
			     key, &value),
	    0);
}

static int
ignore(void *context, struct bytes piece, struct err *err)
{
	(void)context;
	(void)piece;
	(void)err;
	return 0;
}

/* A mail whose chunk and meta data are what a case says. */
static void
test_damaged_chunks(void **state)
{
	static const struct {
		const char *label;
		const char *meta; /* %s: the right hash; NULL: as it was */
		size_t raw;       /* zeros compressed into the chunk */
		bool garbage, missing;
	} cases[] = {
		{ "garbage", NULL, 0, true, false },
		{ "missing", NULL, 0, false, true },
		{ "too short", NULL, 10, false, false },
		{ "a bomb", NULL, 100 << 20, false, false },
		{ "meta is no JSON", "x", 0, false, false },
		{ "meta is an array", "[]", 0, false, false },
		{ "no numbers", "{}", 0, false, false },
		{ "negative size", "{\"size\":-1,\"chunks\":0,\"sha256\":\"\"}",
		    0, false, false },
		{ "chunks that do not fit the size",
		    "{\"size\":1000,\"chunks\":1000000,\"sha256\":\"\"}", 0,
		    false, false },
		{ "huge size",
		    "{\"size\":9000000000000000000,\"chunks\":1,"
		    "\"sha256\":\"\"}",
		    0, false, false },
		{ "hash of wrong length",
		    "{\"size\":10,\"chunks\":1,\"sha256\":\"00\"}", 0, false,
		    false },
	};
	struct place *place = *state;
	size_t i;

	for (i = 0; i < ARRAY_LEN(cases); i++) {
		struct mail mail;
		struct err err;
		char *chunk, *meta;

		mail_make(&mail, (unsigned)i, 1000, one_mailbox);
		put_well(place, &mail);
		chunk = xprintf("sk:{m:%s}:chunk:0", mail.id.text);
		meta = xprintf("sk:{m:%s}:meta", mail.id.text);
		if (cases[i].meta != NULL)
			set_bytes(place, meta, bytes_of(cases[i].meta));
		if (cases[i].garbage)
			set_bytes(place, chunk, BYTES_LIT("garbage"));
		if (cases[i].missing)
			assert_int_equal(redis_int(place, "DEL", chunk), 1);
		if (cases[i].raw > 0) {
			size_t size = ZSTD_compressBound(cases[i].raw);
			char *zeros = xcalloc(1, cases[i].raw),
			     *frame = xmalloc(size);

			size =
			    ZSTD_compress(frame, size, zeros, cases[i].raw, 1);
			set_bytes(place, chunk, (struct bytes){ frame, size });
			free(zeros);
			free(frame);
		}
		if (quarantine_read(place->quarantine, mail.entries[0].id,
			ignore, NULL, &err) != -1)
			case_fail(cases[i].label, "was read");
		if (err.kind != ERR_INPUT ||
		    strstr(err.text, mail.id.text) == NULL)
			case_fail(cases[i].label, "says %s", err.text);
		free(chunk);
		free(meta);
		mail_free(&mail);
	}
}

/* Bytes of the right length that are not those that were stored. */
static void
test_forged_chunk(void **state)
{
	struct place *place = *state;
	char frame[4096], raw[2048];
	struct mail mail;
	struct err err;
	char *chunk;
	size_t len;

	mail_make(&mail, 1, 1000, one_mailbox);
	put_well(place, &mail);
	memset(raw, 'x', sizeof(raw));
	len = ZSTD_compress(frame, sizeof(frame), raw, mail.raw.len, 1);
	chunk = xprintf("sk:{m:%s}:chunk:0", mail.id.text);
	set_bytes(place, chunk, (struct bytes){ frame, len });
	assert_int_equal(quarantine_read(place->quarantine, mail.entries[0].id,
			     ignore, NULL, &err),
	    -1);
	assert_int_equal(err.kind, ERR_INPUT);
	free(chunk);
	mail_free(&mail);
}

static void
test_damaged_entries(void **state)
{
	static const struct {
		const char *label;
		const char *field, *value;
		int get; /* quarantine_get */
		size_t listed;
	} cases[] = {
		{ "row is no JSON", "row", "{", 1, 1 },
		{ "row is a number", "row", "7", 1, 1 },
		{ "row of other types", "row",
		    "{\"mailbox\":1,\"subject\":[],\"class\":\"x\","
		    "\"received_ms\":\"y\"}",
		    1, 1 },
		{ "record is no JSON", "record", "\xff", 1, 1 },
		{ "unknown state", "state", "melted", -1, 0 },
		{ "expiry is no number", "expires", "soon", -1, 0 },
		{ "charge is negative", "charge", "-5", -1, 1 },
	};
	struct place *place = *state;
	const struct held_filter filter = { .domain = "example.com",
		.state = -1,
		.subject = "",
		.sender = "" };
	size_t i;

	for (i = 0; i < ARRAY_LEN(cases); i++) {
		struct mail mail;
		struct err err;
		json_t *entry, *entries;
		char *key;
		int rc;

		run(place, NULL, "FLUSHALL");
		mail_make(&mail, (unsigned)i, 1000, one_mailbox);
		put_well(place, &mail);
		key = xprintf("sk:{d:example.com}:held:%s", mail.entries[0].id);
		assert_int_equal(store_runf(place->store, key, NULL, &err,
				     "HSET %s %s %s", key, cases[i].field,
				     cases[i].value),
		    0);
		rc = quarantine_get(place->quarantine, mail.entries[0].id,
		    "example.com", &entry, &err);
		if (rc != cases[i].get)
			case_fail(cases[i].label, "get %d", rc);
		if (rc < 0 && strstr(err.text, key) == NULL)
			case_fail(cases[i].label, "says %s", err.text);
		if (rc == 1)
			json_decref(entry);
		list(place, &filter, 10, &entries);
		if (json_array_size(entries) != cases[i].listed)
			case_fail(cases[i].label, "listed %zu",
			    json_array_size(entries));
		json_decref(entries);
		free(key);
		mail_free(&mail);
	}
}

/* More members that are no ids than are read at once stand before the one
 * that is. */
static void
test_damaged_index(void **state)
{
	static const struct held_filter filter = { .domain = "example.com",
		.state = -1 };
	static const char key[] = "sk:{d:example.com}:index";
	struct place *place = *state;
	json_t *entries;
	struct mail mail;
	struct err err;
	int i;

	run(place, NULL, "FLUSHALL");
	mail_make(&mail, 1, 1000, one_mailbox);
	put_well(place, &mail);
	for (i = 0; i < 200; i++)
		assert_int_equal(store_runf(place->store, key, NULL, &err,
				     "ZADD %s 9000000000000 x%d", key,
				     (int64_t)i),
		    0);
	list(place, &filter, 10, &entries);
	assert_int_equal(json_array_size(entries), 1);
	json_decref(entries);
	mail_free(&mail);
}

static void
test_wrong_types(void **state)
{
	static const char *const keys[] = { "sk:{d:example.com}:index",
		"sk:{d:example.com}:expiry", "sk:{d:example.com}:outbox",
		"sk:{d:example.com}:bytes", "sk:{q}:domains", "sk:{q}:secret" };
	struct place *place = *state;
	size_t i;

	for (i = 0; i < ARRAY_LEN(keys); i++) {
		const struct quarantine_options options = { .message_max = 1
			    << 20,
			.domain_max = 1 << 20,
			.memory_percent = 60 };
		/* Without what the other one remembers. */
		struct place fresh = *place;
		struct mail mail;
		struct err err;

		fresh.quarantine = quarantine_open(place->store, &options);
		run(place, NULL, "FLUSHALL");
		assert_int_equal(store_runf(place->store, keys[i], NULL, &err,
				     "LPUSH %s x", keys[i]),
		    0);
		mail_make(&mail, (unsigned)i, 1000, one_mailbox);
		if (put(&fresh, &mail, &err) != -1)
			case_fail(keys[i], "was not noticed");
		assert_int_equal(redis_keys(place, "sk:{d:example.com}:held:*"),
		    0);
		assert_int_equal(redis_keys(place, "sk:{m:*"), 0);
		quarantine_close(fresh.quarantine);
		mail_free(&mail);
	}
}

/* ---- mending ---- */

/* A domain that cannot be mended, on both sides of one that can. */
static void
test_mend_beside_damage(void **state)
{
	static const char *const mailboxes[] = { "a@example.com",
		"a@example.net", "a@example.org", NULL };
	static const char *const wrong[] = { "sk:{d:example.com}:due",
		"sk:{d:example.org}:due" };
	struct place *place = *state;
	struct mail mail;
	struct err err;
	int64_t bytes;
	size_t i;

	run(place, NULL, "FLUSHALL");
	mail_make(&mail, 1, 1000, mailboxes);
	put_well(place, &mail);
	bytes = redis_int(place, "GET", "sk:{d:example.net}:bytes");
	for (i = 0; i < ARRAY_LEN(wrong); i++)
		assert_int_equal(store_runf(place->store, wrong[i], NULL, &err,
				     "SET %s x", wrong[i]),
		    0);
	run(place, "sk:{d:example.net}:bytes",
	    "SET sk:{d:example.net}:bytes 5");
	assert_int_equal(quarantine_mend(place->quarantine, &err), 0);
	assert_int_equal(redis_int(place, "GET", "sk:{d:example.net}:bytes"),
	    bytes);
	mail_free(&mail);
}

static void
test_mend(void **state)
{
	static const char *const mailboxes[] = { "a@example.com",
		"b@example.com", NULL };
	struct place *place = *state;
	struct mail mail, lost;
	struct err err;
	int64_t bytes;
	char *key;

	mail_make(&mail, 1, 1000, mailboxes);
	put_well(place, &mail);
	assert_true(outbox_empties(place, "example.com"));
	bytes = redis_int(place, "GET", "sk:{d:example.com}:bytes");
	assert_int_equal(quarantine_mend(place->quarantine, &err), 0);
	assert_int_equal(redis_int(place, "GET", "sk:{d:example.com}:bytes"),
	    bytes);

	/* A count gone wrong, an event that was never sent, a delivery that
	 * nobody noted, and an entry whose mail is lost. */
	run(place, "sk:{d:example.com}:bytes",
	    "SET sk:{d:example.com}:bytes 5");
	run(place, "sk:{d:example.com}:outbox",
	    "HSET sk:{d:example.com}:outbox 01ARZ3NDEKTSV4RRFFQ69G5FAV.1 {}");
	run(place, "sk:{d:example.com}:due",
	    "ZADD sk:{d:example.com}:due 5 01ARZ3NDEKTSV4RRFFQ69G5FAV.1");
	assert_int_equal(quarantine_mend(place->quarantine, &err), 0);
	assert_int_equal(redis_int(place, "GET", "sk:{d:example.com}:bytes"),
	    bytes);
	assert_int_equal(redis_int(place, "HLEN", "sk:{d:example.com}:outbox"),
	    0);
	assert_int_equal(stream_length(place), 3);
	assert_int_equal(redis_int(place, "ZCARD", "sk:{q}:due"), 1);

	mail_make(&lost, 2, 1000, mailboxes);
	put_well(place, &lost);
	key = xprintf("sk:{m:%s}:meta", lost.id.text);
	assert_int_equal(redis_int(place, "DEL", key), 1);
	free(key);
	assert_int_equal(quarantine_mend(place->quarantine, &err), 0);
	assert_int_equal(count_listed(place, "example.com"), 2);
	assert_int_equal(redis_int(place, "GET", "sk:{d:example.com}:bytes"),
	    bytes);
	/* An entry that Redis let go leaves the lists. */
	key = xprintf("sk:{d:example.com}:held:%s", mail.entries[0].id);
	assert_int_equal(redis_int(place, "DEL", key), 1);
	free(key);
	assert_int_equal(count_listed(place, "example.com"), 1);
	assert_int_equal(redis_int(place, "ZCARD", "sk:{d:example.com}:index"),
	    1);
	mail_free(&mail);
	mail_free(&lost);
}

/* Told to stop, nothing is mended any more. */
static void
test_mending_ends(void **state)
{
	const struct quarantine_options options = { 0 };
	struct place *place = *state;
	struct quarantine *stopped;
	struct err err;

	run(place, "sk:{q}:domains", "ZADD sk:{q}:domains 1 example.com");
	run(place, "sk:{d:example.com}:bytes",
	    "SET sk:{d:example.com}:bytes 5");
	stopped = quarantine_open(place->store, &options);
	quarantine_stop_mending(stopped);
	assert_int_equal(quarantine_mend(stopped, &err), 0);
	quarantine_close(stopped);
	assert_int_equal(redis_int(place, "GET", "sk:{d:example.com}:bytes"),
	    5);
	assert_int_equal(quarantine_mend(place->quarantine, &err), 0);
	assert_int_equal(redis_int(place, "GET", "sk:{d:example.com}:bytes"),
	    0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_sizes, empty),
		cmocka_unit_test_setup(test_entry, empty),
		cmocka_unit_test_setup(test_again, empty),
		cmocka_unit_test_setup(test_twice_in_one, empty),
		cmocka_unit_test_setup(test_ceilings, empty),
		cmocka_unit_test_setup(test_not_durable, empty),
		cmocka_unit_test_setup(test_release, empty),
		cmocka_unit_test_setup(test_lease_runs_out, empty),
		cmocka_unit_test_setup(test_dot_begins_the_lease_anew, empty),
		cmocka_unit_test_setup(test_races, empty),
		cmocka_unit_test_setup(test_due, empty),
		cmocka_unit_test_setup(test_paging, empty),
		cmocka_unit_test_setup(test_filters, empty),
		cmocka_unit_test_setup(test_bad_cursors, empty),
		cmocka_unit_test_setup(test_expiry, empty),
		cmocka_unit_test_setup(test_damaged_chunks, empty),
		cmocka_unit_test_setup(test_forged_chunk, empty),
		cmocka_unit_test_setup(test_damaged_entries, empty),
		cmocka_unit_test_setup(test_damaged_index, empty),
		cmocka_unit_test_setup(test_wrong_types, empty),
		cmocka_unit_test_setup(test_mend, empty),
		cmocka_unit_test_setup(test_mend_beside_damage, empty),
		cmocka_unit_test_setup(test_mending_ends, empty),
	};

	if (!redis_server_is_installed()) {
		printf("skipped: %zu tests that need redis-server\n",
		    ARRAY_LEN(tests));
		return 77;
	}
	return cmocka_run_group_tests_name("quarantine", tests, open_place,
	    close_place);
}
