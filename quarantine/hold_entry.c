/*
 * hold_entry.c - an entry: its keys, its JSON, and reading it with
 * suspicion.  What comes out of the store may be damaged or forged.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <string.h>

#include "base/str.h"
#include "base/utf8.h"
#include "quarantine/hold.h"

#define ID_NUMBER_MAX 999999
#define RAW_TEXT_MAX ((size_t)1024 * 1024)

/* Fields of an entry; those of a short answer first. */
enum field {
	FIELD_STATE,
	FIELD_EXPIRES,
	FIELD_ROW,
	FIELD_SHORT_COUNT,
	FIELD_PREV = FIELD_SHORT_COUNT,
	FIELD_LEASE_UNTIL,
	FIELD_DOT,
	FIELD_CHARGE,
	FIELD_LOCAL,
	FIELD_ACTOR,
	FIELD_REPLY,
	FIELD_SETTLED,
	FIELD_TRIES,
	FIELD_COUNT
};

static const char *const field_names[FIELD_COUNT] = {
	[FIELD_STATE] = "state",
	[FIELD_EXPIRES] = "expires",
	[FIELD_ROW] = "row",
	[FIELD_PREV] = "prev",
	[FIELD_LEASE_UNTIL] = "lease_until",
	[FIELD_DOT] = "dot",
	[FIELD_CHARGE] = "charge",
	[FIELD_LOCAL] = "local",
	[FIELD_ACTOR] = "actor",
	[FIELD_REPLY] = "reply",
	[FIELD_SETTLED] = "settled",
	[FIELD_TRIES] = "tries",
};

/* ---- keys ---- */

int
hold_split(struct arena *arena, const char *mailbox, const char **local,
    const char **domain, struct err *err)
{
	const char *at = strrchr(mailbox, '@');
	size_t len = at != NULL ? (size_t)(at - mailbox) : strlen(mailbox);

	*domain = at != NULL ? at + 1 : "";
	if (len > HOLD_LOCAL_MAX || strlen(*domain) > HOLD_DOMAIN_MAX)
		return err_set(err, ERR_INPUT, "mailbox is too long");
	*local = arena_memdup(arena, mailbox, len);
	*domain = arena_strdup(arena, *domain);
	return 0;
}

const char *
hold_domain_key(struct arena *arena, const char *domain, const char *name)
{
	return arena_printf(arena, "sk:{d:%s}:%s", domain, name);
}

const char *
hold_domain_key2(struct arena *arena, const char *domain, const char *name,
    const char *rest)
{
	return arena_printf(arena, "sk:{d:%s}:%s:%s", domain, name, rest);
}

const char *
hold_mail_key(struct arena *arena, struct bytes id, const char *name)
{
	return arena_printf(arena, "sk:{m:%.*s}:%s", (int)id.len, id.data,
	    name);
}

int
hold_id_parse(const char *held_id, struct bytes *mail_id, struct err *err)
{
	size_t len = strlen(held_id);
	uint64_t number;

	*mail_id = (struct bytes){ held_id, ULID_LEN };
	if (len > ULID_LEN + 1 && len < HELD_ID_SIZE &&
	    held_id[ULID_LEN] == '.' && ulid_is_valid(*mail_id) &&
	    parse_u64(bytes_of(held_id + ULID_LEN + 1), 0, ID_NUMBER_MAX,
		&number) == 0)
		return 0;
	return err_set(err, ERR_INPUT, "not the id of a held mail");
}

const char *
hold_charge_format(struct arena *arena, const char *id, uint64_t bytes,
    const char *local)
{
	return arena_printf(arena, "%s %llu %s", id, (unsigned long long)bytes,
	    local);
}

int
hold_charge_parse(struct bytes text, struct hold_charge *charge)
{
	struct cursor c = cursor_of(text);

	charge->id = cursor_until(&c, " ");
	if (!cursor_char(&c, ' ') ||
	    !cursor_u64(&c, INT64_MAX, &charge->bytes) || !cursor_char(&c, ' '))
		return -1;
	charge->local = (struct bytes){ c.p, (size_t)(c.end - c.p) };
	return 0;
}

/* ---- JSON ---- */

void
hold_json_text(json_t *object, const char *name, const char *text)
{
	struct bytes bytes = bytes_of(text != NULL ? text : "");
	struct buf clean, raw;
	char *raw_name;

	if (utf8_is_valid(bytes)) {
		json_object_set_new(object, name,
		    json_stringn(bytes.data, bytes.len));
		return;
	}
	buf_init(&clean, RAW_TEXT_MAX * 3);
	buf_init(&raw, RAW_TEXT_MAX * 2);
	raw_name = xprintf("%s_raw", name);
	/* What does not fit either way is no address and no header of ours:
	 * it is cut for show, and left out as bytes. */
	(void)utf8_append_clean(&clean, bytes);
	json_object_set_new(object, name,
	    json_stringn(buf_str(&clean), clean.len));
	if (base64_encode(bytes, &raw) == 0)
		json_object_set_new(object, raw_name,
		    json_stringn(buf_str(&raw), raw.len));
	free(raw_name);
	buf_free(&clean);
	buf_free(&raw);
}

json_t *
hold_json_parse(struct bytes text, const char *key, struct err *err)
{
	json_error_t why;
	json_t *object;

	if (text.len > HOLD_JSON_MAX) {
		err_set(err, ERR_INPUT, "%s: too large", key);
		return NULL;
	}
	object = json_loadb(text.data != NULL ? text.data : "", text.len,
	    JSON_REJECT_DUPLICATES, &why);
	if (!json_is_object(object)) {
		err_set(err, ERR_INPUT, "%s: damaged: %s", key,
		    object == NULL ? why.text : "no object");
		json_decref(object);
		return NULL;
	}
	return object;
}

const char *
hold_json_dump(struct arena *arena, const json_t *object)
{
	size_t len = json_dumpb(object, NULL, 0, JSON_COMPACT);
	char *text = arena_alloc(arena, len + 1);

	len = json_dumpb(object, text, len, JSON_COMPACT);
	text[len] = '\0';
	return text;
}

/* ---- reading ---- */

/* 0 when there is none; -1 when it is no number. */
static int
number_of(const struct store_reply *item, int64_t *out)
{
	uint64_t value = 0;

	if (item->type != STORE_NIL &&
	    parse_u64(item->text, 0, INT64_MAX, &value) < 0)
		return -1;
	*out = (int64_t)value;
	return 0;
}

static const char *
text_of(const struct store_reply *item)
{
	return item->type == STORE_STRING ? item->text.data : NULL;
}

/* A lease that ran out counts as what it leaves behind. */
static enum held_state
state_behind(const struct store_reply *f, enum held_state state,
    int64_t lease_until_ms, int64_t now_ms)
{
	int prev;

	if (state != HELD_RELEASING || lease_until_ms > now_ms)
		return state;
	if (f[FIELD_DOT].type != STORE_NIL)
		return HELD_UNKNOWN;
	prev = held_state_parse(f[FIELD_PREV].text);
	return prev >= 0 ? (enum held_state)prev : HELD_HELD;
}

static int
read_rest(const struct store_reply *f, int64_t now_ms,
    struct hold_status *status)
{
	int64_t charge;

	if (number_of(&f[FIELD_LEASE_UNTIL], &status->lease_until_ms) < 0 ||
	    number_of(&f[FIELD_SETTLED], &status->settled_ms) < 0 ||
	    number_of(&f[FIELD_TRIES], &status->tries) < 0 ||
	    number_of(&f[FIELD_CHARGE], &charge) < 0)
		return -1;
	status->is_whole = true;
	status->state =
	    state_behind(f, status->state, status->lease_until_ms, now_ms);
	status->charge = (uint64_t)charge;
	status->local = f[FIELD_LOCAL].text;
	status->actor = text_of(&f[FIELD_ACTOR]);
	status->reply = text_of(&f[FIELD_REPLY]);
	return 0;
}

int
hold_status_read(const struct store_reply *reply, const char *key,
    int64_t now_ms, struct hold_status *status, struct err *err)
{
	const struct store_reply *f = reply->items;
	int state;

	memset(status, 0, sizeof(*status));
	if (store_reply_error(reply, err) < 0)
		return err_prefix(err, "%s", key);
	if (reply->type != STORE_ARRAY ||
	    (reply->count != FIELD_COUNT && reply->count != FIELD_SHORT_COUNT))
		return err_set(err, ERR_INPUT, "%s: damaged", key);
	if (f[FIELD_STATE].type == STORE_NIL)
		return 0;
	state = held_state_parse(f[FIELD_STATE].text);
	if (state < 0)
		return err_set(err, ERR_INPUT, "%s: damaged: state", key);
	status->state = (enum held_state)state;
	status->row = f[FIELD_ROW].text;
	if (number_of(&f[FIELD_EXPIRES], &status->expires_ms) < 0 ||
	    (reply->count == FIELD_COUNT && read_rest(f, now_ms, status) < 0))
		return err_set(err, ERR_INPUT, "%s: damaged: no number", key);
	return 1;
}

void
hold_status_command(struct hold_args *args, const char *key, bool is_short)
{
	size_t count = is_short ? FIELD_SHORT_COUNT : FIELD_COUNT, i;

	hold_arg_str(args, "HMGET");
	hold_arg_str(args, key);
	for (i = 0; i < count; i++)
		hold_arg_str(args, field_names[i]);
}
