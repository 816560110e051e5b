/*
 * hold_fixture.c - mails and entries for tests of the quarantine.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/unit.h"

#include "base/clock.h"
#include "tests/quarantine/hold_fixture.h"

static const struct message_limits limits = { 100000, 1000, 1 << 20, "/tmp" };

void
place_open(struct place *place, const char *const *args)
{
	const struct quarantine_options options = { .message_max = (uint64_t)1
		    << 30,
		.domain_max = (uint64_t)1 << 40,
		.memory_percent = 60 };
	struct store_options store = { .timeout_ms = PATIENCE_MS };

	memset(place, 0, sizeof(*place));
	redis_server_start(&place->server, false, args);
	store.url = place->server.url;
	place->store = store_open(&store, NULL);
	assert_non_null(place->store);
	place->quarantine = quarantine_open(place->store, &options);
}

void
place_close(struct place *place)
{
	quarantine_close(place->quarantine);
	store_close(place->store);
	redis_server_stop(&place->server);
}

static void
make_raw(struct buf *raw, unsigned seed, size_t body_size)
{
	uint64_t x = seed * 2654435761u + 1;
	size_t i;

	buf_init(raw, (size_t)1 << 30);
	buf_printf(raw,
	    "From: a@example.net\r\nSubject: mail %u\r\n"
	    "Message-ID: <%u@example.net>\r\n",
	    seed, seed);
	if (body_size == 0)
		return;
	buf_append_str(raw, "\r\n");
	for (i = 0; i < body_size; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		/* Half of it is text that compresses. */
		buf_append_char(raw, i / 64 % 2 ? (char)x : "mail\r\n"[i % 6]);
	}
}

void
mail_make(struct mail *mail, unsigned seed, size_t body_size,
    const char *const *mailboxes)
{
	struct message *message;
	struct bytes raw;
	const char *head_end;
	struct err err;
	size_t i;

	memset(mail, 0, sizeof(*mail));
	mail->arena = arena_new(0);
	mail->id = ulid_new();
	make_raw(&mail->raw, seed, body_size);
	message = message_new(mail->arena, &limits);
	/* The header by message_read, the body as it is: any bytes. */
	raw = buf_bytes(&mail->raw);
	head_end = memmem(raw.data, raw.len, "\r\n\r\n", 4);
	if (head_end != NULL) {
		size_t head = (size_t)(head_end - raw.data) + 4;

		assert_int_equal(message_read(message,
				     (struct bytes){ raw.data, head }, &err),
		    0);
		assert_int_equal(spool_append(message->body, raw.data + head,
				     raw.len - head, &err),
		    0);
	} else {
		assert_int_equal(message_read(message, raw, &err), 0);
	}
	mail->hold = (struct hold_mail){ .id = mail->id.text,
		.sender = "sender@example.net",
		.sender_params = "BODY=8BITMIME",
		.client_ip = "198.18.0.1",
		.helo = "mx.example.net",
		.received = "Received: from x\r\n\tby y\r\n",
		.results = "Authentication-Results: y; none\r\n",
		.authserv_id = "y",
		.subject = arena_printf(mail->arena, "mail %u", seed),
		.from = "Somebody <a@example.net>",
		.message_id =
		    arena_printf(mail->arena, "<%u@example.net>", seed),
		.received_ms = clock_wall_ms(),
		.message = message };
	while (mailboxes[mail->n] != NULL)
		mail->n++;
	mail->entries =
	    arena_calloc(mail->arena, mail->n + 1, sizeof(*mail->entries));
	for (i = 0; i < mail->n; i++) {
		struct hold_entry *entry = &mail->entries[i];
		char *id =
		    arena_printf(mail->arena, "%s.%zu", mail->id.text, i + 1);

		entry->mailbox = mailboxes[i];
		entry->rcpt = mailboxes[i];
		entry->rcpt_params = "NOTIFY=NEVER";
		entry->retention_s = 30 * 86400;
		entry->record =
		    json_pack("{s:{s:s, s:s, s:s}, s:i}", "class", "main",
			"spam", "sub", "content", "extra", "R1", "score", 5000);
		entry->event = json_pack("{s:s, s:s, s:s}", "event", id, "id",
		    id, "status", "quarantined");
	}
}

void
mail_again(struct mail *mail)
{
	size_t i;

	mail->id = ulid_new();
	mail->hold.id = mail->id.text;
	for (i = 0; i < mail->n; i++) {
		struct hold_entry *entry = &mail->entries[i];
		char *id =
		    arena_printf(mail->arena, "%s.%zu", mail->id.text, i + 1);

		json_decref(entry->event);
		entry->event = json_pack("{s:s, s:s, s:s}", "event", id, "id",
		    id, "status", "quarantined");
	}
}

void
mail_free(struct mail *mail)
{
	size_t i;

	for (i = 0; i < mail->n; i++) {
		json_decref(mail->entries[i].record);
		json_decref(mail->entries[i].event);
	}
	message_fini(mail->hold.message);
	buf_free(&mail->raw);
	arena_free(mail->arena);
}

int
put(struct place *place, struct mail *mail, struct err *err)
{
	enum quarantine_full full;

	return quarantine_put(place->quarantine, &mail->hold, mail->n,
	    mail->entries, &full, err);
}

void
put_well(struct place *place, struct mail *mail)
{
	struct err err;

	if (put(place, mail, &err) < 0) {
		print_error("put: %s\n", err.text);
		fail();
	}
}

static int
collect(void *context, struct bytes piece, struct err *err)
{
	(void)err;
	return buf_append_bytes(context, piece);
}

void
check_bytes(struct place *place, const struct mail *mail, const char *held_id)
{
	struct buf out;
	struct err err;

	buf_init(&out, (size_t)1 << 30);
	if (quarantine_read(place->quarantine, held_id, collect, &out, &err) <
	    0) {
		print_error("read: %s\n", err.text);
		fail();
	}
	assert_true(bytes_equal(buf_bytes(&out), buf_bytes(&mail->raw)));
	buf_free(&out);
}

size_t
count_listed(struct place *place, const char *domain)
{
	const struct held_filter filter = { .domain = domain,
		.state = -1,
		.with_hidden = true };
	struct arena *arena = arena_new(0);
	const char *cursor = NULL;
	size_t count = 0;

	do {
		json_t *entries;
		struct err err;

		if (quarantine_list(place->quarantine, arena, &filter, cursor,
			100, &entries, &cursor, &err) < 0) {
			print_error("list: %s\n", err.text);
			fail();
		}
		count += json_array_size(entries);
		json_decref(entries);
	} while (cursor != NULL);
	arena_free(arena);
	return count;
}

int64_t
redis_int(struct place *place, const char *command, const char *key)
{
	const struct bytes argv[] = { bytes_of(command), bytes_of(key) };
	struct store_reply *reply;
	struct err err;
	int64_t value;

	assert_int_equal(store_run(place->store, key, 2, argv, &reply, &err),
	    0);
	value = reply->type == STORE_STRING
	    ? strtoll(reply->text.data, NULL, 10)
	    : reply->integer;
	store_reply_free(reply);
	return value;
}

size_t
redis_keys(struct place *place, const char *pattern)
{
	struct store_reply *reply;
	struct err err;
	size_t count;

	assert_int_equal(store_runf(place->store, NULL, &reply, &err, "KEYS %s",
			     pattern),
	    0);
	count = reply->count;
	store_reply_free(reply);
	return count;
}

bool
outbox_empties(struct place *place, const char *domain)
{
	char *key = xprintf("sk:{d:%s}:outbox", domain);
	int tries = PATIENCE_MS / 10;

	while (tries-- > 0 && redis_int(place, "HLEN", key) > 0)
		nap_ms(10);
	free(key);
	return tries > 0;
}

int64_t
stream_length(struct place *place)
{
	int64_t sum = 0;
	int i;

	for (i = 0; i < 16; i++) {
		char *key = xprintf("sk:{ev:%d}:events", i);

		sum += redis_int(place, "XLEN", key);
		free(key);
	}
	return sum;
}

bool
clock_shift(int64_t seconds)
{
	char text[24];
	int64_t before = clock_wall_ms();

	(void)snprintf(text, sizeof(text), "%lld", (long long)seconds);
	setenv("SEKIMORI_CLOCK_SHIFT_S", text, 1);
	return seconds == 0 || clock_wall_ms() - before > seconds * 500;
}

void
nap_ms(unsigned ms)
{
	const struct timespec ts = { .tv_sec = ms / 1000,
		.tv_nsec = (long)(ms % 1000) * 1000000 };

	nanosleep(&ts, NULL);
}
