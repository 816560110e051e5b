/*
 * hold_put.c - writes a mail and its entries.
 *
 * The order, and what a crash after each step leaves:
 *
 *	1. ask each domain (a script that only reads): the clock of its
 *	   server, the bytes in use, which entries exist already: nothing
 *	2. note the domain where the workers look: a note too many
 *	3. chunks and meta data: bytes that nobody sees, and that expire
 *	4. for each domain one script with all of its entries: entries that
 *	   the sender's next try will find (marked already)
 *
 * When a step fails, what was done is undone.  When step 4 got no answer,
 * its script may be carried out late: it looks at the clock of its server
 * first, and at a tomb that the undoing leaves, and then does nothing.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"
#include "mail/message.h"
#include "quarantine/hold.h"

#define TOMB_MS 600000
/* How often the same domain is noted anew. */
#define NOTE_MS 10000
#define NOTES_MAX 100000
#define DUP_HEX_SIZE (SHA256_LEN * 2 + 1)
/* What an entry costs besides its JSON: keys, indexes, the hash itself. */
#define ENTRY_OVERHEAD 1024
#define TRIM_AT_ONCE 200

/* What a put knows of one entry. */
struct slot {
	struct hold_entry *entry;
	const char *local;
	const char *domain;
	const char *row;    /* JSON */
	const char *record; /* JSON */
	const char *event;  /* JSON, or "" */
	const char *event_id;
	const char *signatures; /* or "" */
	char dup[DUP_HEX_SIZE];
	uint64_t charge;
	int64_t expires_ms;
	const char *member; /* of the expiry set */
	struct slot *next;  /* of the same domain */
};

/* The entries of one domain. */
struct group {
	const char *domain;
	size_t count;
	struct slot *slots;
	int64_t server_ms; /* its clock at asked_ms of ours (monotonic) */
	int64_t asked_ms;
	bool tried; /* the script was sent */
	struct group *next;
};

struct put {
	struct quarantine *q;
	struct arena *arena;
	const struct hold_mail *mail;
	size_t n;
	struct slot *slots;
	struct group *groups;
	struct hold_digest digest;
	int64_t now_ms;
	int64_t life_ms; /* of the longest entry */
	uint64_t stored;
	bool chunks; /* may be in the store */
	enum quarantine_full *full;
};

/* ---- what is written ---- */

/* "ULID.N" of the event when it has one, else by position: the history
 * knows the mail by it. */
static int
choose_id(struct put *put, size_t i, struct hold_entry *entry, struct err *err)
{
	const char *given =
	    json_string_value(json_object_get(entry->event, "id"));
	struct bytes id;
	size_t k;

	if (given == NULL || hold_id_parse(given, &id, NULL) < 0 ||
	    !bytes_equal(id, bytes_of(put->mail->id)))
		given = arena_printf(put->arena, "%s.%zu", put->mail->id, i);
	(void)snprintf(entry->id, sizeof(entry->id), "%s", given);
	for (k = 0; k < i; k++)
		if (strcmp(put->slots[k].entry->id, entry->id) == 0)
			return err_set(err, ERR_INPUT,
			    "two entries have the id %s", entry->id);
	return 0;
}

static const char *
make_row(struct put *put, const struct slot *slot)
{
	const struct hold_entry *entry = slot->entry;
	json_t *row = json_object();
	json_t *class = json_object_get(entry->record, "class");
	json_t *score = json_object_get(entry->record, "score");
	const char *text;

	hold_json_text(row, "mailbox", entry->mailbox);
	hold_json_text(row, "rcpt", entry->rcpt);
	hold_json_text(row, "rcpt_params", entry->rcpt_params);
	hold_json_text(row, "sender", put->mail->sender);
	hold_json_text(row, "from", put->mail->from);
	hold_json_text(row, "subject", put->mail->subject);
	if (entry->subject_mark != NULL)
		hold_json_text(row, "subject_mark", entry->subject_mark);
	if (entry->hidden)
		json_object_set_new(row, "hidden", json_true());
	if (class != NULL)
		json_object_set(row, "class", class);
	if (score != NULL)
		json_object_set(row, "score", score);
	json_object_set_new(row, "received_ms",
	    json_integer((json_int_t)put->mail->received_ms));
	json_object_set_new(row, "size",
	    json_integer((json_int_t)put->digest.size));
	text = hold_json_dump(put->arena, row);
	json_decref(row);
	return text;
}

static void
make_dup(struct put *put, struct slot *slot)
{
	const struct bytes parts[] = {
		bytes_of(put->mail->sender), bytes_of(slot->entry->mailbox),
		{ (const char *)put->digest.sha256, sizeof(put->digest.sha256) }
	};
	const struct bytes key = { (const char *)put->q->secret,
		sizeof(put->q->secret) };
	uint8_t mac[SHA256_LEN];

	hmac_sha256(key, parts, 3, mac);
	str_hex(mac, sizeof(mac), slot->dup);
}

static struct group *
group_of(struct put *put, const char *domain)
{
	struct group *group = put->groups;

	while (group != NULL && strcmp(group->domain, domain) != 0)
		group = group->next;
	if (group != NULL)
		return group;
	group = arena_calloc(put->arena, 1, sizeof(*group));
	group->domain = domain;
	group->next = put->groups;
	put->groups = group;
	return group;
}

static int
prepare_slot(struct put *put, size_t i, struct hold_entry *entry,
    struct err *err)
{
	struct slot *slot = &put->slots[i];
	struct group *group;
	int64_t life_ms = (int64_t)entry->retention_s * 1000;

	slot->entry = entry;
	if (entry->retention_s > (uint64_t)INT64_MAX / 4000)
		return err_set(err, ERR_INPUT, "retention is too long");
	if (hold_split(put->arena, entry->mailbox, &slot->local, &slot->domain,
		err) < 0 ||
	    choose_id(put, i, entry, err) < 0)
		return -1;
	entry->already = false;
	slot->record = entry->record != NULL
	    ? hold_json_dump(put->arena, entry->record)
	    : "{}";
	slot->event = entry->event != NULL
	    ? hold_json_dump(put->arena, entry->event)
	    : "";
	slot->event_id =
	    json_string_value(json_object_get(entry->event, "event"));
	if (slot->event_id == NULL)
		slot->event_id = slot->event[0] != '\0' ? entry->id : "";
	slot->signatures = entry->signatures != NULL ? entry->signatures : "";
	slot->row = make_row(put, slot);
	slot->expires_ms = put->now_ms + life_ms;
	if (life_ms > put->life_ms)
		put->life_ms = life_ms;
	make_dup(put, slot);
	group = group_of(put, slot->domain);
	slot->next = group->slots;
	group->slots = slot;
	group->count++;
	return 0;
}

/* ---- the secret of the dup keys ---- */

/* Made by the first who needs it; the same for all programs. */
static int
know_secret(struct quarantine *q, struct err *err)
{
	static const char key[] = "sk:{q}:secret";
	uint8_t fresh[SHA256_LEN];
	const struct bytes ours = { (const char *)fresh, sizeof(fresh) };
	struct store_reply *reply;
	bool known;
	int rc = 0;

	pthread_mutex_lock(&q->lock);
	known = q->has_secret;
	pthread_mutex_unlock(&q->lock);
	if (known)
		return 0;
	random_bytes(fresh, sizeof(fresh));
	if (store_runf(q->store, key, NULL, err, "SET %s %b NX", key, &ours) <
		0 ||
	    store_runf(q->store, key, &reply, err, "GET %s", key) < 0)
		return -1;
	if (reply->type == STORE_STRING && reply->text.len == SHA256_LEN) {
		pthread_mutex_lock(&q->lock);
		memcpy(q->secret, reply->text.data, SHA256_LEN);
		q->has_secret = true;
		pthread_mutex_unlock(&q->lock);
	} else {
		rc = err_set(err, ERR_TEMP, "%s: damaged", key);
	}
	store_reply_free(reply);
	secret_wipe(fresh, sizeof(fresh));
	return rc;
}

/* ---- step 1: ask ---- */

static int
ask_group(struct put *put, struct group *group, struct err *err)
{
	struct store_reply *reply;
	struct hold_args args;
	struct slot *slot;
	size_t i = 2;

	hold_args_init(&args, put->arena);
	hold_key(&args, hold_domain_key(put->arena, group->domain, "bytes"));
	for (slot = group->slots; slot != NULL; slot = slot->next)
		hold_key(&args,
		    hold_domain_key2(put->arena, group->domain, "dup",
			slot->dup));
	if (hold_run(put->q, SCRIPT_CHECK, false, &args, &reply, err) < 0)
		return -1;
	group->asked_ms = clock_mono_ms();
	group->server_ms = hold_reply_int(reply, 0);
	for (slot = group->slots; slot != NULL; slot = slot->next, i++) {
		struct bytes id = hold_reply_text(reply, i);
		struct hold_entry *entry = slot->entry;

		if (id.len == 0 || id.len >= sizeof(entry->id))
			continue;
		entry->already = true;
		memcpy(entry->id, id.data, id.len);
		entry->id[id.len] = '\0';
	}
	store_reply_free(reply);
	return 0;
}

/* Entries that are to be written. */
static size_t
fresh_count(const struct put *put)
{
	size_t i, count = 0;

	for (i = 0; i < put->n; i++)
		count += put->slots[i].entry->already ? 0 : 1;
	return count;
}

/* ---- ceilings ---- */

/* The number behind "\nname:" in the reply to INFO; 0 when it is not told. */
static uint64_t
info_number(struct bytes info, const char *name)
{
	size_t len = strlen(name);
	const char *at = memmem(info.data, info.len, name, len);
	struct cursor c;
	uint64_t value;

	if (at == NULL)
		return 0;
	c = cursor_of((struct bytes){ at + len,
	    info.len - (size_t)(at - info.data) - len });
	return cursor_u64(&c, INT64_MAX, &value) ? value : 0;
}

/* All that is in the store counts, held or not: what is left is for the
 * events, counters and settings, which must never be without room. */
static int
check_memory(struct put *put, struct err *err)
{
	struct store_reply *reply;
	uint64_t used, most;
	const char *key =
	    hold_mail_key(put->arena, bytes_of(put->mail->id), "meta");

	if (store_runf(put->q->store, key, &reply, err, "INFO memory") < 0)
		return -1;
	used = info_number(reply->text, "\nused_memory:");
	most = info_number(reply->text, "\nmaxmemory:");
	store_reply_free(reply);
	most = most / 100 * put->q->options.memory_percent;
	if (most == 0 || used + put->digest.size <= most)
		return 0;
	*put->full = FULL_MEMORY;
	return err_set(err, ERR_LIMIT,
	    "the store holds %llu bytes, and may hold %llu",
	    (unsigned long long)used, (unsigned long long)most);
}

/* ---- step 2: note the domains ---- */

static bool
group_delivers(const struct group *group)
{
	const struct slot *slot;

	for (slot = group->slots; slot != NULL; slot = slot->next)
		if (slot->entry->state == HELD_TO_DELIVER &&
		    !slot->entry->already)
			return true;
	return false;
}

void
hold_notes_forget(struct quarantine *q)
{
	const struct strmap_slot *slot;
	size_t pos = 0;

	while ((slot = strmap_next(&q->noted, &pos)) != NULL)
		free(slot->value);
	strmap_free(&q->noted);
	strmap_init(&q->noted);
}

/* Under the lock; valid as long as it is held. */
static struct hold_note *
note_of(struct quarantine *q, const char *domain)
{
	struct hold_note *note = strmap_get(&q->noted, bytes_of(domain));
	size_t size = strlen(domain) + 1;

	if (note != NULL)
		return note;
	if (q->noted.count >= NOTES_MAX)
		hold_notes_forget(q);
	note = xcalloc(1, sizeof(*note) + size);
	memcpy(note->name, domain, size);
	note->domains_ms = note->due_ms = INT64_MIN / 2;
	*strmap_put(&q->noted, bytes_of(note->name)) = note;
	return note;
}

/* ZADD key now domain */
static struct store_command
note_command(struct put *put, const char *key, const char *domain)
{
	struct hold_args args;

	hold_args_init(&args, put->arena);
	hold_arg_str(&args, "ZADD");
	hold_arg_str(&args, key);
	hold_arg_int(&args, put->now_ms);
	hold_arg_str(&args, domain);
	return (struct store_command){ args.argc, args.argv };
}

static int
note_group(struct put *put, const struct group *group, struct err *err)
{
	struct quarantine *q = put->q;
	struct store_command commands[2];
	struct store_reply *replies[2];
	int64_t now = clock_mono_ms();
	struct hold_note *note;
	bool domains, due;
	size_t n = 0, i;
	int rc = 0;

	pthread_mutex_lock(&q->lock);
	note = note_of(q, group->domain);
	domains = now - note->domains_ms > NOTE_MS;
	due = group_delivers(group) && now - note->due_ms > NOTE_MS;
	pthread_mutex_unlock(&q->lock);
	if (domains)
		commands[n++] =
		    note_command(put, HOLD_DOMAINS_KEY, group->domain);
	if (due)
		commands[n++] = note_command(put, HOLD_DUE_KEY, group->domain);
	if (n == 0)
		return 0;
	if (store_pipeline_durable(q->store, HOLD_DUE_KEY, n, commands, replies,
		err) < 0)
		return -1;
	for (i = 0; i < n; i++) {
		if (rc == 0)
			rc = store_reply_error(replies[i], err);
		store_reply_free(replies[i]);
	}
	if (rc < 0)
		return -1;
	pthread_mutex_lock(&q->lock);
	note = note_of(q, group->domain);
	note->domains_ms = domains ? now : note->domains_ms;
	note->due_ms = due ? now : note->due_ms;
	pthread_mutex_unlock(&q->lock);
	return 0;
}

/* ---- step 4: the entries ---- */

/* Keys that hold and cancel have in common. */
static void
group_keys(struct put *put, const struct group *group, struct hold_args *args)
{
	static const char *const names[] = { "index", "expiry", "due", "bytes",
		"outbox" };
	struct arena *arena = put->arena;
	const struct slot *slot;
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		hold_key(args, hold_domain_key(arena, group->domain, names[i]));
	hold_key(args,
	    hold_domain_key2(arena, group->domain, "tomb", put->mail->id));
	for (slot = group->slots; slot != NULL; slot = slot->next) {
		if (slot->entry->already)
			continue;
		hold_key(args,
		    hold_domain_key2(arena, group->domain, "held",
			slot->entry->id));
		hold_key(args,
		    hold_domain_key2(arena, group->domain, "dup", slot->dup));
		hold_key(args,
		    hold_domain_key2(arena, group->domain, "index",
			slot->local));
	}
}

/* Each entry bears its share of the bytes that are stored once for all. */
static void
charge_slots(struct put *put)
{
	uint64_t share = put->stored / fresh_count(put) + 1;
	size_t i;

	for (i = 0; i < put->n; i++) {
		struct slot *slot = &put->slots[i];

		if (slot->entry->already)
			continue;
		slot->charge = share + strlen(slot->row) +
		    strlen(slot->record) + strlen(slot->signatures) +
		    ENTRY_OVERHEAD;
		slot->member = hold_charge_format(put->arena, slot->entry->id,
		    slot->charge, slot->local);
	}
}

static void
slot_args(struct put *put, const struct slot *slot, struct hold_args *args)
{
	const struct hold_entry *entry = slot->entry;

	hold_arg_str(args, entry->id);
	hold_arg_str(args, held_state_name(entry->state));
	hold_arg_str(args, slot->row);
	hold_arg_str(args, slot->record);
	hold_arg_int(args, (int64_t)slot->charge);
	hold_arg_str(args, slot->local);
	hold_arg_int(args, slot->expires_ms);
	hold_arg_int(args, put->mail->received_ms);
	hold_arg_int(args,
	    slot->expires_ms - put->now_ms + HOLD_ENTRY_EXTRA_MS);
	if (entry->state == HELD_TO_DELIVER)
		hold_arg_int(args, clock_wall_ms() + HOLD_DELIVER_AFTER_MS);
	else
		hold_arg_str(args, "");
	hold_arg_str(args, slot->event_id);
	hold_arg_str(args, slot->event);
	hold_arg_str(args, slot->member);
	hold_arg_str(args, slot->signatures);
}

/* What the script says of each entry. */
static int
take_answers(struct group *group, const struct store_reply *reply,
    struct err *err)
{
	struct slot *slot;
	size_t i = 0;

	if (reply->type != STORE_ARRAY)
		return err_set(err, ERR_TEMP, "hold: came too late");
	for (slot = group->slots; slot != NULL; slot = slot->next) {
		struct hold_entry *entry = slot->entry;
		struct bytes id;

		if (entry->already)
			continue;
		id = hold_reply_text(reply, i++);
		if (id.len == 0 || id.len >= sizeof(entry->id))
			continue;
		/* Somebody was faster with the same mail. */
		entry->already = true;
		memcpy(entry->id, id.data, id.len);
		entry->id[id.len] = '\0';
	}
	return 0;
}

/* 1 held, 0 the domain is full, -1. */
static int
hold_group_once(struct put *put, struct group *group, struct err *err)
{
	struct store_reply *reply;
	struct hold_args args;
	const struct slot *slot;
	int64_t since_ms = clock_mono_ms() - group->asked_ms;
	int rc;

	hold_args_init(&args, put->arena);
	group_keys(put, group, &args);
	hold_arg_int(&args,
	    group->server_ms + since_ms + store_timeout_ms(put->q->store));
	hold_arg_int(&args, (int64_t)put->q->options.domain_max);
	hold_arg_int(&args, HOLD_DUP_MS);
	for (slot = group->slots; slot != NULL; slot = slot->next)
		if (!slot->entry->already)
			slot_args(put, slot, &args);
	group->tried = true;
	if (hold_run(put->q, SCRIPT_HOLD, true, &args, &reply, err) < 0)
		return -1;
	if (reply->type == STORE_STATUS &&
	    bytes_equal(reply->text, BYTES_LIT("full")))
		rc = 0;
	else
		rc = take_answers(group, reply, err) == 0 ? 1 : -1;
	store_reply_free(reply);
	return rc;
}

static int
hold_group(struct put *put, struct group *group, struct err *err)
{
	int rc = hold_group_once(put, group, err);

	/* Perhaps with what is over its time. */
	if (rc == 0 && hold_trim(put->q, group->domain, TRIM_AT_ONCE, err) > 0)
		rc = hold_group_once(put, group, err);
	if (rc != 0)
		return rc < 0 ? -1 : 0;
	*put->full = FULL_DOMAIN;
	return err_set(err, ERR_LIMIT, "held mail of %s is at its ceiling",
	    group->domain);
}

/* ---- undoing ---- */

static void
cancel_group(struct put *put, const struct group *group)
{
	struct store_reply *reply;
	struct hold_args args;
	const struct slot *slot;
	struct err err;

	hold_args_init(&args, put->arena);
	group_keys(put, group, &args);
	hold_arg_int(&args, TOMB_MS);
	for (slot = group->slots; slot != NULL; slot = slot->next) {
		if (slot->entry->already)
			continue;
		hold_arg_str(&args, slot->entry->id);
		hold_arg_str(&args, slot->member);
		hold_arg_int(&args, (int64_t)slot->charge);
		hold_arg_str(&args, slot->event_id);
	}
	if (hold_run(put->q, SCRIPT_CANCEL, true, &args, &reply, &err) < 0) {
		log_warn("%s: entries of %s could not be taken back; the "
			 "sender's next try finds them: %s",
		    put->mail->id, group->domain, err.text);
		put->chunks = false; /* they may be needed */
		return;
	}
	if (reply->type == STORE_INTEGER && reply->integer > 0)
		put->chunks = false;
	store_reply_free(reply);
}

static void
undo(struct put *put)
{
	struct group *group;

	for (group = put->groups; group != NULL; group = group->next)
		if (group->tried)
			cancel_group(put, group);
	if (put->chunks)
		hold_chunks_undo(put->q, put->mail, put->digest.size);
}

/* ---- all of it ---- */

static int
check_durable(struct put *put, struct err *err)
{
	if (!put->q->options.durability_required ||
	    store_is_durable(put->q->store, err) == 1)
		return 0;
	err->kind = ERR_TEMP;
	return err_prefix(err, "what is held would not survive a crash");
}

static int
prepare(struct put *put, struct hold_entry *entries, struct err *err)
{
	size_t i;

	if (check_durable(put, err) < 0 || know_secret(put->q, err) < 0 ||
	    hold_digest_make(put->mail->message, &put->digest, err) < 0)
		return -1;
	for (i = 0; i < put->n; i++)
		if (prepare_slot(put, i, &entries[i], err) < 0)
			return -1;
	return 0;
}

/* Without waiting for it: what is in the outbox is not lost. */
static void
announce(struct put *put)
{
	size_t i;

	for (i = 0; i < put->n; i++) {
		const struct slot *slot = &put->slots[i];

		if (!slot->entry->already && slot->event[0] != '\0')
			outbox_add(put->q->outbox, slot->domain, slot->event_id,
			    slot->event);
	}
}

static bool
group_is_fresh(const struct group *group)
{
	const struct slot *slot;

	for (slot = group->slots; slot != NULL; slot = slot->next)
		if (!slot->entry->already)
			return true;
	return false;
}

static int
write_all(struct put *put, struct hold_entry *entries, struct err *err)
{
	struct group *group;

	for (group = put->groups; group != NULL; group = group->next)
		if (ask_group(put, group, err) < 0)
			return -1;
	if (fresh_count(put) == 0)
		return 0;
	if (check_memory(put, err) < 0)
		return -1;
	for (group = put->groups; group != NULL; group = group->next)
		if (group_is_fresh(group) && note_group(put, group, err) < 0)
			return -1;
	put->chunks = true;
	if (hold_chunks_write(put->q, put->mail, &put->digest, put->n, entries,
		put->life_ms + HOLD_CHUNK_EXTRA_MS, &put->stored, err) < 0)
		return -1;
	charge_slots(put);
	for (group = put->groups; group != NULL; group = group->next)
		if (group_is_fresh(group) && hold_group(put, group, err) < 0)
			return -1;
	/* Redis may have been started anew, with other settings, between. */
	if (check_durable(put, err) < 0)
		return -1;
	if (fresh_count(put) == 0)
		hold_chunks_undo(put->q, put->mail, put->digest.size);
	announce(put);
	return 0;
}

int
quarantine_put(struct quarantine *q, const struct hold_mail *mail, size_t n,
    struct hold_entry *entries, enum quarantine_full *full, struct err *err)
{
	struct put put = { .q = q,
		.mail = mail,
		.n = n,
		.now_ms = clock_wall_ms(),
		.full = full };
	struct err own;
	int rc;

	if (err == NULL)
		err = &own;
	*full = FULL_NOT;
	if (q->store == NULL)
		return err_set(err, ERR_TEMP, "there is no store");
	if (message_size(mail->message) > q->options.message_max) {
		*full = FULL_MESSAGE;
		return err_set(err, ERR_LIMIT,
		    "larger than hold_message_max (%llu bytes)",
		    (unsigned long long)q->options.message_max);
	}
	put.arena = arena_new(16384);
	put.slots = arena_calloc(put.arena, n + 1, sizeof(*put.slots));
	rc = prepare(&put, entries, err);
	if (rc == 0) {
		rc = write_all(&put, entries, err);
		if (rc < 0)
			undo(&put);
	}
	if (rc < 0 && err->kind == ERR_LIMIT && *full == FULL_NOT)
		*full = FULL_MEMORY; /* Redis itself said so */
	arena_free(put.arena);
	return rc;
}
