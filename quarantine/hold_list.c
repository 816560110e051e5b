/*
 * hold_list.c - one entry, and pages of them.
 *
 * An index holds ids by time; a page walks it from a cursor, reads the
 * entries in batches and keeps those that pass the filter.  Only the part
 * of an entry that lists need is read (its row), not the decision record.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"
#include "quarantine/hold.h"

#define BATCH_FIRST 64
#define BATCH_MAX 512
/* So many are read for one page; the next page goes on from there. */
#define READ_MAX 200000
#define TRIM_AT_ONCE 20
/* Entries found dead that one page removes. */
#define REPAIR_MAX 100

/* ---- an entry as JSON ---- */

static void
set_int(json_t *object, const char *name, int64_t value)
{
	json_object_set_new(object, name, json_integer((json_int_t)value));
}

/* A row that is damaged must neither hide its mail nor break a page. */
static json_t *
row_parse(struct bytes text, const char *key)
{
	static const char *const texts[] = { "mailbox", "rcpt", "rcpt_params",
		"sender", "from", "subject" };
	struct err err;
	json_t *row = hold_json_parse(text, key, &err);
	size_t i;

	if (row == NULL) {
		log_warn("%s", err.text);
		row = json_object();
		json_object_set_new(row, "damaged", json_true());
	}
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (!json_is_string(json_object_get(row, texts[i])))
			json_object_set_new(row, texts[i], json_string(""));
	if (!json_is_integer(json_object_get(row, "received_ms")))
		set_int(row, "received_ms", 0);
	if (!json_is_integer(json_object_get(row, "size")))
		set_int(row, "size", 0);
	if (!json_is_object(json_object_get(row, "class")))
		json_object_set_new(row, "class", json_object());
	return row;
}

static json_t *
entry_json(const char *held_id, const char *domain,
    const struct hold_status *status, const char *key)
{
	json_t *entry = row_parse(status->row, key);

	json_object_set_new(entry, "id", json_string(held_id));
	json_object_set_new(entry, "mail", json_stringn(held_id, ULID_LEN));
	json_object_set_new(entry, "domain", json_string(domain));
	json_object_set_new(entry, "state",
	    json_string(held_state_name(status->state)));
	if (json_object_get(entry, "hidden") == NULL)
		json_object_set_new(entry, "hidden", json_false());
	set_int(entry, "expires_ms", status->expires_ms);
	set_int(entry, "tries", status->tries);
	if (status->actor != NULL)
		hold_json_text(entry, "actor", status->actor);
	if (status->reply != NULL)
		hold_json_text(entry, "reply", status->reply);
	if (status->settled_ms != 0)
		set_int(entry, "settled_ms", status->settled_ms);
	if (status->state == HELD_RELEASING)
		set_int(entry, "lease_until_ms", status->lease_until_ms);
	return entry;
}

/* ---- one entry ---- */

/* What the message has in common for all: into the entry, where the entry
 * does not say it itself. */
static int
add_meta(struct quarantine *q, struct arena *arena, struct bytes mail_id,
    json_t *entry, struct err *err)
{
	const char *key = hold_mail_key(arena, mail_id, "meta");
	struct store_reply *reply;
	json_t *meta;

	if (store_runf(q->store, key, &reply, err, "GET %s", key) < 0)
		return -1;
	meta = hold_json_parse(reply->text, key, err);
	store_reply_free(reply);
	if (meta == NULL)
		return -1;
	json_object_update_missing(entry, meta);
	json_decref(meta);
	return 0;
}

static int
add_record(struct quarantine *q, const char *key, json_t *entry,
    struct err *err)
{
	struct store_reply *reply;
	json_t *record;
	struct err why;

	if (store_runf(q->store, key, &reply, err, "HGET %s record", key) < 0)
		return -1;
	record = hold_json_parse(reply->text, key, &why);
	if (record == NULL) {
		log_warn("%s", why.text);
		record = json_object();
	}
	json_object_set_new(entry, "record", record);
	store_reply_free(reply);
	return 0;
}

static int
get_entry(struct quarantine *q, struct arena *arena, const char *held_id,
    struct bytes mail_id, const char *domain, json_t **entry, struct err *err)
{
	const char *key = hold_domain_key2(arena, domain, "held", held_id);
	struct hold_status status;
	struct store_reply *reply;
	struct hold_args args;
	json_t *object = NULL;
	int rc;

	hold_args_init(&args, arena);
	hold_status_command(&args, key, false);
	if (store_run(q->store, key, args.argc, args.argv, &reply, err) < 0)
		return -1;
	rc = hold_status_read(reply, key, clock_wall_ms(), &status, err);
	if (rc == 1 && status.expires_ms <= clock_wall_ms())
		rc = 0;
	if (rc == 1)
		object = entry_json(held_id, domain, &status, key);
	store_reply_free(reply);
	if (rc <= 0)
		return rc;
	if (add_meta(q, arena, mail_id, object, err) < 0 ||
	    add_record(q, key, object, err) < 0) {
		json_decref(object);
		return -1;
	}
	*entry = object;
	return 1;
}

int
quarantine_get(struct quarantine *q, const char *held_id, const char *domain,
    json_t **entry, struct err *err)
{
	struct arena *arena;
	struct bytes mail_id;
	int rc;

	if (hold_id_parse(held_id, &mail_id, err) < 0)
		return -1;
	arena = arena_new(0);
	rc = get_entry(q, arena, held_id, mail_id, domain, entry, err);
	arena_free(arena);
	return rc;
}

int
quarantine_signatures(struct quarantine *q, const char *held_id,
    const char *domain, struct buf *out, struct err *err)
{
	struct arena *arena = arena_new(0);
	const char *key = hold_domain_key2(arena, domain, "held", held_id);
	struct store_reply *reply;
	int rc;

	rc = store_runf(q->store, key, &reply, err, "HGET %s signatures", key);
	if (rc == 0) {
		/* A full buf says so to those who use it. */
		if (reply->type == STORE_STRING)
			(void)buf_append_bytes(out, reply->text);
		store_reply_free(reply);
	}
	arena_free(arena);
	return rc;
}

/* ---- filter ---- */

/* ASCII letters without case; other bytes as they are. */
static bool
has_part(const char *text, const char *part)
{
	size_t len = strlen(part), i;

	for (; *text != '\0'; text++) {
		for (i = 0; i < len; i++)
			if (ascii_lower(text[i]) != ascii_lower(part[i]))
				break;
		if (i == len)
			return true;
	}
	return len == 0;
}

static bool
field_has(const json_t *entry, const char *name, const char *part)
{
	return has_part(json_string_value(json_object_get(entry, name)), part);
}

/* "main" or "main/sub" */
static bool
class_is(const json_t *entry, const char *want)
{
	const json_t *class = json_object_get(entry, "class");
	const char *main_class =
	    json_string_value(json_object_get(class, "main"));
	const char *sub = json_string_value(json_object_get(class, "sub"));
	const char *slash = strchr(want, '/');
	size_t len = slash != NULL ? (size_t)(slash - want) : strlen(want);

	if (main_class == NULL || strlen(main_class) != len ||
	    memcmp(main_class, want, len) != 0)
		return false;
	return slash == NULL || (sub != NULL && strcmp(sub, slash + 1) == 0);
}

static bool
passes(const struct held_filter *filter, const json_t *entry)
{
	if (!filter->with_hidden &&
	    json_is_true(json_object_get(entry, "hidden")))
		return false;
	if (filter->sender != NULL &&
	    !field_has(entry, "sender", filter->sender) &&
	    !field_has(entry, "from", filter->sender))
		return false;
	if (filter->recipient != NULL &&
	    !field_has(entry, "mailbox", filter->recipient) &&
	    !field_has(entry, "rcpt", filter->recipient))
		return false;
	if (filter->subject != NULL &&
	    !field_has(entry, "subject", filter->subject))
		return false;
	return filter->class == NULL || class_is(entry, filter->class);
}

/* ---- pages ---- */

/* A place in an index: everything behind it is later in the list. */
struct place {
	bool set;
	int64_t score;
	char id[HELD_ID_SIZE];
};

struct page {
	struct quarantine *q;
	struct arena *arena; /* of a batch */
	const struct held_filter *filter;
	const char *index;
	size_t limit;
	struct place place; /* of the last that was looked at */
	json_t *entries;
	int64_t now_ms;
	size_t read;
	size_t repaired;
	bool more;
};

/* id was checked: it fits. */
static void
place_set(struct place *place, int64_t score, const char *id)
{
	place->set = true;
	place->score = score;
	(void)snprintf(place->id, sizeof(place->id), "%s", id);
}

static int
place_parse(struct page *page, const char *cursor, struct err *err)
{
	struct cursor c = cursor_of(bytes_of(cursor));
	struct bytes mail_id;
	uint64_t score;

	if (!cursor_u64(&c, INT64_MAX, &score) || !cursor_char(&c, '-') ||
	    hold_id_parse(c.p, &mail_id, NULL) < 0)
		return err_set(err, ERR_INPUT, "not a cursor");
	place_set(&page->place, (int64_t)score, c.p);
	return 0;
}

/* Within one millisecond ids go from high to low, as Redis has them. */
static bool
is_behind(const struct place *place, int64_t score, const char *id)
{
	return !place->set || score < place->score ||
	    (score == place->score && strcmp(id, place->id) < 0);
}

/* Ids and scores, newest first, from the place on. */
static struct store_reply *
read_index(struct page *page, size_t skip, size_t count, struct err *err)
{
	const struct held_filter *filter = page->filter;
	int64_t most =
	    filter->until_ms > 0 ? filter->until_ms - 1 : INT64_MAX / 1024;
	struct store_reply *reply;

	if (page->place.set && page->place.score < most)
		most = page->place.score;
	if (store_runf(page->q->store, page->index, &reply, err,
		"ZRANGE %s %d %d BYSCORE REV LIMIT %d %d WITHSCORES",
		page->index, most, filter->since_ms, (int64_t)skip,
		(int64_t)count) < 0)
		return NULL;
	if (reply->type == STORE_ARRAY && reply->count % 2 == 0)
		return reply;
	store_reply_free(reply);
	err_set(err, ERR_INPUT, "%s: damaged", page->index);
	return NULL;
}

/* An id in the index without an entry: Redis let it go. */
static void
repair(struct page *page, const char *id)
{
	const char *local = page->filter->mailbox;
	const char *unused;
	struct hold_charge charge = { bytes_of(id), 0, BYTES_LIT("") };
	struct err err;

	if (page->repaired++ >= REPAIR_MAX)
		return;
	if (local != NULL &&
	    hold_split(page->arena, local, &local, &unused, NULL) == 0)
		charge.local = bytes_of(local);
	if (hold_drop(page->q, page->filter->domain, &charge, DROP_DEAD, "",
		&err) < 0)
		log_info("%s: %s", page->index, err.text);
}

/* One id with what HMGET says of it: into the page if it belongs there. */
static void
take_entry(struct page *page, const char *id, const struct store_reply *reply)
{
	const char *key =
	    hold_domain_key2(page->arena, page->filter->domain, "held", id);
	struct hold_status status;
	struct err err;
	json_t *entry;
	int rc = hold_status_read(reply, key, page->now_ms, &status, &err);

	if (rc < 0)
		log_warn("%s", err.text);
	if (rc == 0)
		repair(page, id);
	if (rc <= 0 || status.expires_ms <= page->now_ms ||
	    (page->filter->state >= 0 &&
		(int)status.state != page->filter->state))
		return;
	entry = entry_json(id, page->filter->domain, &status, key);
	if (passes(page->filter, entry))
		json_array_append_new(page->entries, entry);
	else
		json_decref(entry);
}

/* What stands in the index becomes a batch of ids behind the place. */
static size_t
batch_ids(struct page *page, const struct store_reply *index,
    struct place *batch)
{
	size_t n = 0, i;

	for (i = 0; i + 1 < index->count; i += 2) {
		struct bytes id = hold_reply_text(index, i);
		struct bytes mail_id;
		uint64_t score;
		char *copy = arena_memdup(page->arena, id.data, id.len);

		if (hold_id_parse(copy, &mail_id, NULL) < 0 ||
		    parse_u64(hold_reply_text(index, i + 1), 0, INT64_MAX,
			&score) < 0) {
			log_warn("%s: damaged member passed over", page->index);
			continue;
		}
		if (is_behind(&page->place, (int64_t)score, copy))
			place_set(&batch[n++], (int64_t)score, copy);
	}
	return n;
}

/* Entries of a batch by one pipeline; replies[i] is for which[i]. */
static int
read_entries(struct page *page, size_t n, const struct place *const *which,
    bool is_short, struct store_reply **replies, struct err *err)
{
	struct store_command *commands =
	    arena_calloc(page->arena, n + 1, sizeof(*commands));
	size_t i;

	for (i = 0; i < n; i++) {
		struct hold_args args;

		hold_args_init(&args, page->arena);
		hold_status_command(&args,
		    hold_domain_key2(page->arena, page->filter->domain, "held",
			which[i]->id),
		    is_short);
		commands[i] = (struct store_command){ args.argc, args.argv };
	}
	return store_pipeline(page->q->store, page->index, n, commands, replies,
	    err);
}

/* Is a short answer not all that there is to say of it? */
static bool
has_more(const struct store_reply *reply)
{
	return reply->type == STORE_ARRAY && reply->count > 0 &&
	    reply->items[0].type == STORE_STRING &&
	    !bytes_equal(reply->items[0].text,
		bytes_of(held_state_name(HELD_HELD)));
}

/* Whole answers in the place of those short ones that do not suffice. */
static int
read_more(struct page *page, size_t n, const struct place *batch,
    struct store_reply **replies, struct err *err)
{
	const struct place *which[BATCH_MAX];
	struct store_reply *whole[BATCH_MAX];
	size_t count = 0, i;

	for (i = 0; i < n; i++)
		if (has_more(replies[i]))
			which[count++] = &batch[i];
	if (read_entries(page, count, which, false, whole, err) < 0)
		return -1;
	for (i = count = 0; i < n; i++) {
		if (!has_more(replies[i]))
			continue;
		store_reply_free(replies[i]);
		replies[i] = whole[count++];
	}
	return 0;
}

static int
read_batch(struct page *page, size_t n, const struct place *batch,
    struct err *err)
{
	const struct place *which[BATCH_MAX];
	struct store_reply *replies[BATCH_MAX];
	size_t i;
	int rc;

	for (i = 0; i < n; i++)
		which[i] = &batch[i];
	if (read_entries(page, n, which, true, replies, err) < 0)
		return -1;
	rc = read_more(page, n, batch, replies, err);
	for (i = 0; i < n; i++) {
		/* Beyond the page: stays for the next one. */
		if (rc == 0 && json_array_size(page->entries) < page->limit) {
			take_entry(page, batch[i].id, replies[i]);
			page->place = batch[i];
			page->read++;
		} else {
			page->more = true;
		}
		store_reply_free(replies[i]);
	}
	return rc;
}

static size_t
batch_size(const struct page *page)
{
	size_t size = page->read == 0 ? page->limit + 1 : BATCH_MAX;

	return size < BATCH_FIRST ? BATCH_FIRST
	    : size > BATCH_MAX    ? BATCH_MAX
				  : size;
}

/* 1 there may be more behind, 0 the index is at its end, -1. */
static int
next_batch(struct page *page, size_t *skip, struct err *err)
{
	struct place batch[BATCH_MAX];
	size_t size = batch_size(page), n, found;
	size_t repaired = page->repaired;
	struct place before = page->place;
	struct store_reply *index;

	index = read_index(page, *skip, size, err);
	if (index == NULL)
		return -1;
	found = index->count / 2;
	n = batch_ids(page, index, batch);
	store_reply_free(index);
	if (n > 0 && read_batch(page, n, batch, err) < 0)
		return -1;
	/* The next range begins with the score of the place: within it,
	 * those seen already are passed over.  So are those that are no ids:
	 * the place stays where it was. */
	if (n == 0 ||
	    (before.set && page->place.score == before.score &&
		repaired == page->repaired))
		*skip += found;
	else
		*skip = 0;
	return found == size ? 1 : 0;
}

static int
fill_page(struct page *page, struct err *err)
{
	size_t skip = 0;
	int rc = 1;

	while (rc == 1 && json_array_size(page->entries) < page->limit) {
		if (page->read >= READ_MAX) {
			page->more = true;
			return 0;
		}
		page->arena = arena_new(65536);
		rc = next_batch(page, &skip, err);
		arena_free(page->arena);
		if (rc == 1 && json_array_size(page->entries) == page->limit)
			page->more = true;
	}
	return rc < 0 ? -1 : 0;
}

/* The index of the domain, or of one mailbox of it. */
static int
choose_index(struct page *page, struct arena *arena, struct err *err)
{
	const struct held_filter *filter = page->filter;
	const char *local, *domain;

	page->index = hold_domain_key(arena, filter->domain, "index");
	if (filter->mailbox == NULL)
		return 0;
	if (hold_split(arena, filter->mailbox, &local, &domain, err) < 0)
		return -1;
	page->index = hold_domain_key2(arena, filter->domain, "index", local);
	return 0;
}

int
quarantine_list(struct quarantine *q, struct arena *arena,
    const struct held_filter *filter, const char *before, size_t limit,
    json_t **entries, const char **next, struct err *err)
{
	struct page page = { .q = q,
		.filter = filter,
		.limit = limit > 0 ? limit : 1,
		.now_ms = clock_wall_ms() };

	if (choose_index(&page, arena, err) < 0 ||
	    (before != NULL && place_parse(&page, before, err) < 0) ||
	    hold_trim(q, filter->domain, TRIM_AT_ONCE, err) < 0)
		return -1;
	page.entries = json_array();
	if (fill_page(&page, err) < 0) {
		json_decref(page.entries);
		return -1;
	}
	*entries = page.entries;
	*next = !page.more ? NULL
			   : arena_printf(arena, "%lld-%s",
				 (long long)page.place.score, page.place.id);
	return 0;
}
