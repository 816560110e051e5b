/*
 * heartbeat.c - what each milter tells of itself, through the store.
 *
 * A snapshot is JSON; "metrics" has one object for each row of the table
 * that is not at zero, by its name, and in it each series by the words of
 * its labels: a number, or the cells of a histogram.  Names and words, not
 * positions, so that milters of two versions can stand side by side.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/store.h"
#include "base/str.h"
#include "quarantine/heartbeat.h"

#define INDEX_KEY "sk:{ops}:milters"
#define KEY_PREFIX "sk:{ops}:milter:"
#define SNAPSHOT_MAX 65536
#define HOST_MAX 255
#define VERSION_MAX 32
#define SERIES_NAME_MAX 128
/* Names of milters that are long gone leave the index. */
#define FORGET_MS (24 * 3600 * (int64_t)1000)
/* A number of ours is never larger; JSON and Prometheus read it exactly. */
#define CELL_MAX (INT64_C(1) << 53)

/* ---- names ---- */

static bool
is_name_char(char c)
{
	return ascii_is_alnum(c) || c == '.' || c == '-' || c == '_';
}

/* HOST:PID, with nothing in HOST that means something elsewhere. */
static const char *
self_name(struct arena *arena, const struct heartbeat_self *self)
{
	char *name = arena_printf(arena, "%.*s:%" PRId64, HOST_MAX, self->host,
	    self->pid);
	char *last = strrchr(name, ':'), *p;

	for (p = name; p < last; p++)
		if (!is_name_char(*p))
			*p = '_';
	return name;
}

/* The two parts of HOST:PID into heartbeat; -1: it is none. */
static int
name_parse(struct arena *arena, struct bytes name, struct heartbeat *heartbeat)
{
	struct cursor c = cursor_of(name);
	struct bytes host = cursor_until(&c, ":");
	uint64_t pid;
	size_t i;

	if (host.len == 0 || host.len > HOST_MAX || !cursor_char(&c, ':') ||
	    !cursor_u64(&c, INT32_MAX, &pid) || !cursor_at_end(&c))
		return -1;
	for (i = 0; i < host.len; i++)
		if (!is_name_char(host.data[i]))
			return -1;
	heartbeat->host = arena_memdup(arena, host.data, host.len);
	heartbeat->pid = (int64_t)pid;
	return 0;
}

/* ---- the snapshot as text ---- */

static size_t
words_of(const struct metric *row, size_t label)
{
	return row->labels[label] != NULL ? row->labels[label]->count : 1;
}

static const char *
word_of(const struct metric *row, size_t label, size_t i)
{
	return row->labels[label] != NULL ? row->labels[label]->word(i) : "";
}

/* "class status", "part", "": NULL when there is no such series. */
static const char *
series_name(const struct metric *row, size_t series, char name[SERIES_NAME_MAX])
{
	size_t second = words_of(row, 1);
	const char *a = word_of(row, 0, series / second);
	const char *b = word_of(row, 1, series % second);

	if (a == NULL || b == NULL)
		return NULL;
	(void)snprintf(name, SERIES_NAME_MAX, "%s%s%s", a,
	    b[0] != '\0' ? " " : "", b);
	return name;
}

static size_t
cells_of(const struct metric *row)
{
	return row->type == METRIC_HISTOGRAM ? METRIC_HISTOGRAM_CELLS : 1;
}

/* NULL: all of it is zero. */
static json_t *
series_json(const struct metrics *metrics, size_t which, size_t first,
    size_t count)
{
	json_t *list = json_array();
	bool any = false;
	uint64_t cell;
	size_t i;

	for (i = 0; i < count; i++) {
		cell = metrics_cell(metrics, which, first + i);
		any = any || cell != 0;
		json_array_append_new(list, json_integer((json_int_t)cell));
	}
	if (any)
		return list;
	json_decref(list);
	return NULL;
}

static json_t *
row_json(const struct metrics *metrics, size_t which)
{
	const struct metric *row = &milter_metrics.rows[which];
	size_t each = cells_of(row);
	json_t *object = json_object(), *series;
	char name[SERIES_NAME_MAX];
	size_t i;

	for (i = 0; i < metrics_cells(metrics, which) / each; i++) {
		if (series_name(row, i, name) == NULL)
			continue;
		series = series_json(metrics, which, i * each, each);
		if (series != NULL)
			json_object_set_new(object, name, series);
	}
	return object;
}

const char *
heartbeat_format(struct arena *arena, const struct heartbeat_self *self,
    const struct metrics *metrics)
{
	json_t *all = json_object(), *row, *json;
	const char *copy;
	char *text;
	size_t i;

	for (i = 0; i < milter_metrics.count; i++) {
		row = row_json(metrics, i);
		if (json_object_size(row) > 0)
			json_object_set(all, milter_metrics.rows[i].name, row);
		json_decref(row);
	}
	json = json_pack("{s:s, s:I, s:o}", "version", self->version, "sent_ms",
	    (json_int_t)clock_wall_ms(), "metrics", all);
	text = json_dumps(json, JSON_COMPACT);
	copy = arena_strdup(arena, text != NULL ? text : "{}");
	free(text);
	json_decref(json);
	return copy;
}

static void
series_read(struct metrics *metrics, size_t which, size_t first, size_t count,
    const json_t *list)
{
	json_int_t value;
	size_t i;

	if (json_array_size(list) != count)
		return;
	for (i = 0; i < count; i++) {
		value = json_integer_value(json_array_get(list, i));
		if (value > 0 && value <= CELL_MAX)
			metrics_set_cell(metrics, which, first + i,
			    (uint64_t)value);
	}
}

/* What the table names is looked for; what else is there is passed over. */
static void
row_read(struct metrics *metrics, size_t which, const json_t *object)
{
	const struct metric *row = &milter_metrics.rows[which];
	size_t each = cells_of(row);
	char name[SERIES_NAME_MAX];
	size_t i;

	for (i = 0; i < metrics_cells(metrics, which) / each; i++)
		if (series_name(row, i, name) != NULL)
			series_read(metrics, which, i * each, each,
			    json_object_get(object, name));
}

/* What may stand in a page or a label. */
static const char *
version_of(struct arena *arena, const json_t *json)
{
	const char *text = json_string_value(json_object_get(json, "version"));
	const char *p;

	if (text == NULL || strlen(text) > VERSION_MAX)
		return "";
	for (p = text; *p != '\0'; p++)
		if (!is_name_char(*p) && *p != '+' && *p != '~')
			return "";
	return arena_strdup(arena, text);
}

int
heartbeat_parse(struct arena *arena, struct bytes text,
    struct heartbeat *heartbeat, struct err *err)
{
	json_t *json, *all;
	size_t i;

	if (text.len > SNAPSHOT_MAX)
		return err_set(err, ERR_LIMIT,
		    "a heartbeat of more than %d octets", SNAPSHOT_MAX);
	json = json_loadb(text.data, text.len, 0, NULL);
	all = json_object_get(json, "metrics");
	if (!json_is_object(all)) {
		json_decref(json);
		return err_set(err, ERR_INPUT, "this is no heartbeat");
	}
	heartbeat->version = version_of(arena, json);
	heartbeat->sent_ms =
	    json_integer_value(json_object_get(json, "sent_ms"));
	heartbeat->metrics = metrics_new(&milter_metrics);
	for (i = 0; i < milter_metrics.count; i++)
		row_read(heartbeat->metrics, i,
		    json_object_get(all, milter_metrics.rows[i].name));
	json_decref(json);
	return 0;
}

/* ---- telling ---- */

#define COMMANDS_MAX 4

static int
run_all(struct store *store, size_t n, const struct store_command *commands,
    struct err *err)
{
	struct store_reply *replies[COMMANDS_MAX] = { NULL };
	int rc;
	size_t i;

	rc = store_pipeline(store, INDEX_KEY, n, commands, replies, err);
	for (i = 0; rc == 0 && i < n; i++)
		rc = store_reply_error(replies[i], err);
	for (i = 0; i < n; i++)
		store_reply_free(replies[i]);
	return rc;
}

int
heartbeat_send(struct store *store, const struct heartbeat_self *self,
    const struct metrics *metrics, struct err *err)
{
	struct arena *arena = arena_new(0);
	const char *name = self_name(arena, self);
	int64_t now_ms = clock_wall_ms();
	const struct bytes index = BYTES_LIT(INDEX_KEY);
	const struct bytes set[] = { BYTES_LIT("SET"),
		bytes_of(arena_printf(arena, KEY_PREFIX "%s", name)),
		bytes_of(heartbeat_format(arena, self, metrics)),
		BYTES_LIT("PX"),
		bytes_of(arena_printf(arena, "%d", HEARTBEAT_LIFE_MS)) };
	const struct bytes add[] = { BYTES_LIT("ZADD"), index,
		bytes_of(arena_printf(arena, "%" PRId64, now_ms)),
		bytes_of(name) };
	const struct bytes trim[] = { BYTES_LIT("ZREMRANGEBYSCORE"), index,
		BYTES_LIT("-inf"),
		bytes_of(arena_printf(arena, "%" PRId64, now_ms - FORGET_MS)) };
	const struct store_command commands[] = { { 5, set }, { 4, add },
		{ 4, trim } };
	int rc = run_all(store, 3, commands, err);

	arena_free(arena);
	return rc;
}

void
heartbeat_stop(struct store *store, const struct heartbeat_self *self)
{
	struct arena *arena = arena_new(0);
	const char *name = self_name(arena, self);
	const struct bytes del[] = { BYTES_LIT("DEL"),
		bytes_of(arena_printf(arena, KEY_PREFIX "%s", name)) };
	const struct bytes rem[] = { BYTES_LIT("ZREM"), BYTES_LIT(INDEX_KEY),
		bytes_of(name) };
	const struct store_command commands[] = { { 2, del }, { 3, rem } };
	struct err err;

	/* If it cannot be told, it expires. */
	(void)run_all(store, 2, commands, &err);
	arena_free(arena);
}

/* ---- hearing ---- */

/* The snapshots of the names, as far as they are there. */
static int
read_all(struct store *store, struct arena *arena,
    const struct store_reply *names, struct heartbeat *list, size_t *n,
    struct err *err)
{
	struct store_command commands[HEARTBEAT_MAX];
	struct store_reply *replies[HEARTBEAT_MAX] = { NULL };
	struct bytes argv[HEARTBEAT_MAX][4];
	struct err ignored;
	size_t i, count = 0;

	for (i = 0; i < names->count && count < HEARTBEAT_MAX; i++) {
		if (names->items[i].type != STORE_STRING ||
		    name_parse(arena, names->items[i].text, &list[count]) < 0)
			continue;
		argv[count][0] = BYTES_LIT("GETRANGE");
		argv[count][1] =
		    bytes_of(arena_printf(arena, KEY_PREFIX "%s:%" PRId64,
			list[count].host, list[count].pid));
		argv[count][2] = BYTES_LIT("0");
		argv[count][3] =
		    bytes_of(arena_printf(arena, "%d", SNAPSHOT_MAX));
		commands[count] = (struct store_command){ 4, argv[count] };
		count++;
	}
	*n = 0;
	if (count == 0)
		return 0;
	if (store_pipeline(store, INDEX_KEY, count, commands, replies, err) < 0)
		return -1;
	for (i = 0; i < count; i++) {
		list[*n] = list[i];
		if (replies[i]->type == STORE_STRING &&
		    replies[i]->text.len > 0 &&
		    heartbeat_parse(arena, replies[i]->text, &list[*n],
			&ignored) == 0)
			(*n)++;
		store_reply_free(replies[i]);
	}
	return 0;
}

int
heartbeat_list(struct store *store, struct arena *arena,
    struct heartbeat **list, size_t *n, struct err *err)
{
	struct store_reply *names;
	int rc;

	if (store_runf(store, INDEX_KEY, &names, err,
		"ZREVRANGE " INDEX_KEY " 0 %d",
		(int64_t)(HEARTBEAT_MAX - 1)) < 0)
		return -1;
	*list = arena_calloc(arena, HEARTBEAT_MAX, sizeof(**list));
	rc = read_all(store, arena, names, *list, n, err);
	store_reply_free(names);
	return rc;
}

void
heartbeat_free(struct heartbeat *list, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		metrics_free(list[i].metrics);
}
