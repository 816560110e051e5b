/*
 * edit_work.c - one change of the settings: read, decide, write at once.
 *
 * The script compares the generation, applies the operations, notes the new
 * generation at every object it touched, writes the audit entry and tells
 * everybody.  It computes its keys from object names; all lie in the slot of
 * the one key that it is given.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/store.h"
#include "base/strmap.h"
#include "policy/edit_work.h"
#include "policy/settings_build.h"
#include "policy/settings_keys.h"

/* Somebody else was first this often: the store is in a storm of edits. */
#define TRIES_MAX 50
/* Fields asked for in one command. */
#define READ_BATCH 1000
/* Changes written out in an audit entry; the others are counted. */
#define AUDIT_CHANGES_MAX 200

enum op_kind {
	OP_SET,
	OP_UNSET,
	OP_DROP
};

struct edit_op {
	enum op_kind kind;
	const char *object;
	const char *field;
	struct bytes value;
};

static const struct store_script apply_script = {
	"settings.apply",
	/* clang-format off */
	"local cfg = '" SETTINGS_KEY_PREFIX "'\n"
	"local gen = tonumber(redis.call('GET', KEYS[1]) or '0')\n"
	"if gen ~= tonumber(ARGV[1]) then return {0, gen} end\n"
	"gen = redis.call('INCR', KEYS[1])\n"
	"local touched = {}\n"
	"local i = 3\n"
	"while i <= #ARGV do\n"
	"  local name = ARGV[i + 1]\n"
	"  if ARGV[i] == 'set' then\n"
	"    redis.call('HSET', cfg .. name, ARGV[i + 2], ARGV[i + 3])\n"
	"    i = i + 4\n"
	"  elseif ARGV[i] == 'unset' then\n"
	"    redis.call('HDEL', cfg .. name, ARGV[i + 2])\n"
	"    i = i + 3\n"
	"  else\n"
	"    redis.call('DEL', cfg .. name)\n"
	"    i = i + 2\n"
	"  end\n"
	"  touched[name] = true\n"
	"end\n"
	"for name in pairs(touched) do\n"
	"  local there = redis.call('EXISTS', cfg .. name) == 1\n"
	"  redis.call('ZADD', cfg .. (there and 'changed' or 'gone'),"
	"    gen, name)\n"
	"  redis.call('ZREM', cfg .. (there and 'gone' or 'changed'), name)\n"
	"  local domain = string.match(name, '^mailbox:.*@([^@]*)$')\n"
	"  if domain then\n"
	"    redis.call(there and 'SADD' or 'SREM',"
	"      cfg .. 'mailboxes:' .. domain, name)\n"
	"  end\n"
	"  if string.match(name, '^user:') then\n"
	"    redis.call(there and 'SADD' or 'SREM', cfg .. 'users', name)\n"
	"  end\n"
	"end\n"
	/* What is gone is forgotten after a while, and where is noted. */
	"local over = redis.call('ZCARD', cfg .. 'gone') - 10000\n"
	"if over > 0 then\n"
	"  local last = redis.call('ZRANGE', cfg .. 'gone', over - 1, over - 1,"
	"    'WITHSCORES')\n"
	"  redis.call('SET', cfg .. 'floor', last[2])\n"
	"  redis.call('ZREMRANGEBYSCORE', cfg .. 'gone', '-inf', last[2])\n"
	"end\n"
	"redis.call('XADD', cfg .. 'audit', 'MAXLEN', '~', 100000, '*',"
	"  'generation', gen, 'entry', ARGV[2])\n"
	"redis.call('PUBLISH', '" SETTINGS_CHANNEL "', 'settings ' .. gen)\n"
	"return {1, gen}\n",
	/* clang-format on */
};

/* ---- refusing ---- */

int
edit_refuse(struct edit *edit, enum edit_problem problem, const char *field,
    struct err *err, const char *fmt, ...)
{
	char text[ERR_TEXT_MAX];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap); /* cut as err_set does */
	va_end(ap);
	err_set(err, ERR_INPUT, "%s", text);
	edit->problem = problem;
	edit->field = field;
	return -1;
}

/* ---- reading ---- */

static const char *
key_of(struct edit_work *work, const char *object)
{
	return arena_printf(work->arena, SETTINGS_KEY_PREFIX "%s", object);
}

static struct bytes
keep(struct edit_work *work, const struct store_reply *reply)
{
	if (reply->type != STORE_STRING && reply->type != STORE_STATUS)
		return (struct bytes){ NULL, 0 };
	return (struct bytes){ arena_memdup(work->arena, reply->text.data,
				   reply->text.len),
		reply->text.len };
}

static int
unexpected(struct err *err, const char *key)
{
	return err_set(err, ERR_INPUT, "%s: not what it should be", key);
}

int
edit_read_many(struct edit_work *work, const char *object, size_t n,
    const char *const *fields, struct bytes *values, struct err *err)
{
	const char *key = key_of(work, object);
	struct bytes *argv = arena_calloc(work->arena,
	    2 + (n < READ_BATCH ? n : READ_BATCH), sizeof(*argv));
	struct store_reply *reply;
	size_t at, count, i;

	argv[0] = BYTES_LIT("HMGET");
	argv[1] = bytes_of(key);
	for (at = 0; at < n; at += count) {
		count = n - at < READ_BATCH ? n - at : READ_BATCH;
		for (i = 0; i < count; i++)
			argv[2 + i] = bytes_of(fields[at + i]);
		if (store_run(work->edit->store, key, 2 + count, argv, &reply,
			err) < 0)
			return -1;
		if (reply->type != STORE_ARRAY || reply->count != count) {
			store_reply_free(reply);
			return unexpected(err, key);
		}
		for (i = 0; i < count; i++)
			values[at + i] = keep(work, &reply->items[i]);
		store_reply_free(reply);
	}
	return 0;
}

int
edit_read(struct edit_work *work, const char *object, const char *field,
    struct bytes *value, struct err *err)
{
	if (edit_read_many(work, object, 1, &field, value, err) < 0)
		return -1;
	return value->data != NULL ? 1 : 0;
}

int
edit_read_all(struct edit_work *work, const char *object,
    struct edit_fields *fields, struct err *err)
{
	const char *key = key_of(work, object);
	struct store_reply *reply;
	size_t i;

	if (store_runf(work->edit->store, key, &reply, err, "HGETALL %s", key) <
	    0)
		return -1;
	if (reply->type != STORE_ARRAY || reply->count % 2 != 0) {
		store_reply_free(reply);
		return unexpected(err, key);
	}
	fields->count = reply->count / 2;
	fields->names =
	    arena_calloc(work->arena, fields->count, sizeof(struct bytes));
	fields->values =
	    arena_calloc(work->arena, fields->count, sizeof(struct bytes));
	for (i = 0; i < fields->count; i++) {
		fields->names[i] = keep(work, &reply->items[2 * i]);
		fields->values[i] = keep(work, &reply->items[2 * i + 1]);
	}
	store_reply_free(reply);
	return 0;
}

int
edit_count(struct edit_work *work, const char *object, size_t *count,
    struct err *err)
{
	const char *key = key_of(work, object);
	struct store_reply *reply;

	if (store_runf(work->edit->store, key, &reply, err, "HLEN %s", key) < 0)
		return -1;
	*count = reply->integer > 0 ? (size_t)reply->integer : 0;
	store_reply_free(reply);
	return 0;
}

static int
read_names(struct edit_work *work, const char *key, struct edit_fields *names,
    struct err *err)
{
	struct store_reply *reply;
	size_t i;

	if (store_runf(work->edit->store, key, &reply, err, "SMEMBERS %s",
		key) < 0)
		return -1;
	names->count = reply->type == STORE_ARRAY ? reply->count : 0;
	names->names =
	    arena_calloc(work->arena, names->count, sizeof(struct bytes));
	names->values = NULL;
	for (i = 0; i < names->count; i++)
		names->names[i] = keep(work, &reply->items[i]);
	store_reply_free(reply);
	return 0;
}

int
edit_read_mailboxes(struct edit_work *work, const char *domain,
    struct edit_fields *names, struct err *err)
{
	return read_names(work,
	    arena_printf(work->arena, SETTINGS_KEY_MAILBOXES "%s", domain),
	    names, err);
}

int
edit_read_users(struct edit_work *work, struct edit_fields *names,
    struct err *err)
{
	return read_names(work, SETTINGS_KEY_USERS, names, err);
}

struct settings *
edit_snapshot(struct edit_work *work, struct err *err)
{
	struct edit *edit = work->edit;
	struct settings *fresh =
	    settings_load(edit->store, edit->settings, err);

	if (fresh == NULL)
		return NULL;
	settings_unref(edit->settings);
	edit->settings = fresh;
	if (settings_generation(fresh) != work->generation) {
		work->stale = true;
		err_set(err, ERR_TEMP, "the settings were changed meanwhile");
		return NULL;
	}
	return fresh;
}

/* ---- writing ---- */

static struct edit_op *
add_op(struct edit_work *work, enum op_kind kind, const char *object)
{
	struct edit_op *op;

	if (work->op_count == work->op_size) {
		work->op_size = work->op_size > 0 ? 2 * work->op_size : 16;
		work->ops =
		    xrealloc(work->ops, work->op_size * sizeof(*work->ops));
	}
	op = &work->ops[work->op_count++];
	memset(op, 0, sizeof(*op));
	op->kind = kind;
	op->object = arena_strdup(work->arena, object);
	return op;
}

/* Stored JSON as JSON, other text as text. */
static json_t *
audit_value(struct bytes value)
{
	json_t *json;

	if (value.data == NULL)
		return json_null();
	if (value.len > 0 && (value.data[0] == '{' || value.data[0] == '[')) {
		json = json_loadb(value.data, value.len, 0, NULL);
		if (json != NULL)
			return json;
	}
	json = json_stringn(value.data, value.len);
	return json != NULL ? json : json_string("(not UTF-8)");
}

static void
note_change(struct edit_work *work, const char *object, struct bytes field,
    struct bytes before, struct bytes after)
{
	json_t *name;

	work->change_count++;
	if (json_array_size(work->changes) >= AUDIT_CHANGES_MAX)
		return;
	name = json_stringn(field.data, field.len);
	json_array_append_new(work->changes,
	    json_pack("{s:s, s:o?, s:o, s:o}", "object", object, "field", name,
		"before", audit_value(before), "after", audit_value(after)));
}

void
edit_set(struct edit_work *work, const char *object, const char *field,
    struct bytes before, struct bytes value)
{
	struct edit_op *op;

	if (before.data != NULL && bytes_equal(before, value))
		return;
	op = add_op(work, OP_SET, object);
	op->field = arena_strdup(work->arena, field);
	op->value = value;
	note_change(work, op->object, bytes_of(op->field), before, value);
}

void
edit_set_secret(struct edit_work *work, const char *object, const char *field,
    struct bytes before, struct bytes value)
{
	const struct bytes hidden = BYTES_LIT("***");
	struct edit_op *op = add_op(work, OP_SET, object);

	op->field = arena_strdup(work->arena, field);
	op->value = value;
	if (before.data != NULL)
		before = hidden;
	note_change(work, op->object, bytes_of(op->field), before, hidden);
}

void
edit_unset(struct edit_work *work, const char *object, const char *field,
    struct bytes before)
{
	struct edit_op *op;

	if (before.data == NULL)
		return;
	op = add_op(work, OP_UNSET, object);
	op->field = arena_strdup(work->arena, field);
	note_change(work, op->object, bytes_of(op->field), before,
	    (struct bytes){ NULL, 0 });
}

void
edit_drop(struct edit_work *work, const char *object,
    const struct edit_fields *before)
{
	struct edit_op *op;
	size_t i;

	if (before != NULL && before->count == 0)
		return;
	op = add_op(work, OP_DROP, object);
	if (before == NULL) {
		note_change(work, op->object, (struct bytes){ NULL, 0 },
		    (struct bytes){ NULL, 0 }, (struct bytes){ NULL, 0 });
		return;
	}
	for (i = 0; i < before->count; i++)
		note_change(work, op->object, before->names[i],
		    before->values[i], (struct bytes){ NULL, 0 });
}

const char *
edit_unset_field(const struct edit_work *work, size_t i, const char **object)
{
	if (work->ops[i].kind != OP_UNSET)
		return NULL;
	*object = work->ops[i].object;
	return work->ops[i].field;
}

/* ---- names ---- */

const char *
edit_object_of(struct arena *arena, struct edit_target target)
{
	if (target.mailbox != NULL)
		return arena_printf(arena, "mailbox:%s", target.mailbox);
	if (target.domain != NULL)
		return arena_printf(arena, "domain:%s", target.domain);
	return "system";
}

struct bytes
edit_json_bytes(struct arena *arena, const json_t *json)
{
	char *text = json_dumps(json, JSON_COMPACT | JSON_SORT_KEYS);
	struct bytes bytes;

	if (text == NULL) /* out of memory: our values are valid */
		abort();
	bytes.len = strlen(text);
	bytes.data = arena_memdup(arena, text, bytes.len);
	free(text);
	return bytes;
}

/* ---- the would-be snapshot ---- */

/* A domain's fields as they will be: name -> struct bytes, the value. */
static struct strmap *
future_of(struct edit_work *work, struct strmap *objects, const char *object,
    struct err *err)
{
	struct strmap *fields = strmap_get(objects, bytes_of(object));
	struct edit_fields now = { .count = 0 };
	size_t i;

	if (fields != NULL)
		return fields;
	if (edit_read_all(work, object, &now, err) < 0)
		return NULL;
	fields = arena_alloc(work->arena, sizeof(*fields));
	strmap_init(fields);
	for (i = 0; i < now.count; i++)
		*strmap_put(fields, now.names[i]) = &now.values[i];
	*strmap_put(objects, bytes_of(object)) = fields;
	return fields;
}

static void
apply_op(struct strmap *fields, struct edit_op *op)
{
	switch (op->kind) {
	case OP_SET:
		*strmap_put(fields, bytes_of(op->field)) = &op->value;
		return;
	case OP_UNSET:
		strmap_remove(fields, bytes_of(op->field));
		return;
	case OP_DROP:
		strmap_free(fields);
		return;
	}
}

static int
put_future(struct edit_work *work, struct settings_build *build,
    const char *object, const struct strmap *fields, struct err *err)
{
	struct bytes *pairs =
	    arena_calloc(work->arena, 2 * fields->count, sizeof(*pairs));
	const struct strmap_slot *slot;
	size_t pos = 0, n = 0;

	while ((slot = strmap_next(fields, &pos)) != NULL) {
		pairs[n++] = (struct bytes){ slot->key, slot->len };
		pairs[n++] = *(struct bytes *)slot->value;
	}
	return settings_build_put(build, object, n / 2, pairs, err);
}

/* Domains only: what hangs on mailboxes has no part in such checks. */
struct settings *
edit_would_be(struct edit_work *work, struct err *err)
{
	struct settings *now = edit_snapshot(work, err), *future = NULL;
	struct settings_build *build;
	const struct strmap_slot *slot;
	struct strmap objects, *fields;
	size_t i, pos = 0;

	if (now == NULL)
		return NULL;
	strmap_init(&objects);
	build = settings_build_new(now);
	for (i = 0; i < work->op_count; i++) {
		if (strncmp(work->ops[i].object, "domain:", 7) != 0)
			continue;
		fields = future_of(work, &objects, work->ops[i].object, err);
		if (fields == NULL)
			goto out;
		apply_op(fields, &work->ops[i]);
	}
	while ((slot = strmap_next(&objects, &pos)) != NULL)
		if (put_future(work, build, slot->key, slot->value, err) < 0)
			goto out;
	future = settings_build_finish(build, settings_generation(now));
out:
	pos = 0;
	while ((slot = strmap_next(&objects, &pos)) != NULL)
		strmap_free(slot->value);
	strmap_free(&objects);
	settings_build_free(build);
	return future;
}

/* ---- one run ---- */

static struct bytes
audit_entry(struct edit_work *work, const struct edit_subject *subject)
{
	struct bytes bytes;
	json_t *entry;

	entry = json_pack("{s:s, s:s, s:I, s:s?, s:s?, s:I, s:O}", "action",
	    subject->action, "actor", work->edit->actor, "time",
	    (json_int_t)clock_wall_ms(), "domain", subject->domain, "mailbox",
	    subject->mailbox, "count", (json_int_t)work->change_count,
	    "changes", work->changes);
	bytes = edit_json_bytes(work->arena, entry);
	json_decref(entry);
	return bytes;
}

static size_t
op_argv(const struct edit_op *op, struct bytes *argv)
{
	static const char *const words[] = { "set", "unset", "drop" };

	argv[0] = bytes_of(words[op->kind]);
	argv[1] = bytes_of(op->object);
	if (op->kind == OP_DROP)
		return 2;
	argv[2] = bytes_of(op->field);
	if (op->kind == OP_UNSET)
		return 3;
	argv[3] = op->value;
	return 4;
}

/* 1 written, 0 somebody was first, -1. */
static int
write_work(struct edit_work *work, const struct edit_subject *subject,
    struct err *err)
{
	struct bytes *argv = xcalloc(3 + 4 * work->op_count, sizeof(*argv));
	struct store_reply *reply;
	size_t argc = 0, i;
	int rc;

	argv[argc++] = BYTES_LIT(SETTINGS_KEY_GENERATION);
	argv[argc++] =
	    bytes_of(arena_printf(work->arena, "%" PRIu64, work->generation));
	argv[argc++] = audit_entry(work, subject);
	for (i = 0; i < work->op_count; i++)
		argc += op_argv(&work->ops[i], argv + argc);
	rc = store_eval_durable(work->edit->store, &apply_script, 1, argc, argv,
	    &reply, err);
	free(argv);
	if (rc < 0)
		return -1;
	if (reply->type != STORE_ARRAY || reply->count != 2)
		rc = unexpected(err, SETTINGS_KEY_GENERATION);
	else
		rc = reply->items[0].integer == 1;
	store_reply_free(reply);
	return rc;
}

/* 1 done, 0 to be done again, -1. */
static int
try_once(struct edit *edit, const struct edit_subject *subject,
    int (*prepare)(struct edit_work *work, void *context, struct err *err),
    void *context, bool *changed, struct err *err)
{
	struct edit_work work = { .edit = edit };
	int rc;

	work.arena = arena_new(0);
	work.changes = json_array();
	edit->problem = EDIT_OK;
	edit->field = NULL;
	edit->row = 0;
	rc = settings_stored_generation(edit->store, &work.generation, err);
	if (rc >= 0)
		rc = prepare(&work, context, err);
	*changed = work.op_count > 0 && !edit->dry_run;
	if (rc < 0)
		rc = work.stale ? 0 : -1;
	else
		rc = *changed ? write_work(&work, subject, err) : 1;
	free(work.ops);
	json_decref(work.changes);
	arena_free(work.arena);
	return rc;
}

/* Others were first: let them finish, each a different time. */
static void
back_off(unsigned tries)
{
	struct timespec nap = { 0, 0 };
	uint16_t random;

	if (tries < 3)
		return;
	random_bytes(&random, sizeof(random));
	nap.tv_nsec = 1000000L * (1 + random % 20);
	nanosleep(&nap, NULL);
}

int
edit_run(struct edit *edit, const struct edit_subject *subject,
    int (*prepare)(struct edit_work *work, void *context, struct err *err),
    void *context, bool *changed, struct err *err)
{
	bool written;
	unsigned tries;
	int rc;

	for (tries = 0; tries < TRIES_MAX; tries++) {
		rc = try_once(edit, subject, prepare, context, &written, err);
		if (rc < 0)
			return -1;
		if (rc > 0) {
			if (changed != NULL)
				*changed = written;
			return 0;
		}
		back_off(tries);
	}
	return err_set(err, ERR_TEMP,
	    "the settings are being changed by others all the time");
}
