/*
 * page_form.c - forms speak in flat fields; handlers read shapes.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/str.h"
#include "webui/page.h"

#define LIST_MAX 100
#define NUMBER_SIZE 32
#define YEAR_LEAST 1970
#define YEAR_MOST 9999

/* ---- times ---- */

static bool
digits(struct cursor *c, size_t n, int least, int most, int *out)
{
	struct bytes text = { c->p, n };
	uint64_t number;

	if ((size_t)(c->end - c->p) < n ||
	    parse_u64(text, (uint64_t)least, (uint64_t)most, &number) < 0)
		return false;
	c->p += n;
	*out = (int)number;
	return true;
}

/* "2026-11-22" or "2026-11-22T16:30[:00]" as a browser sends it. */
static bool
read_local_time(const char *text, struct tm *tm)
{
	struct cursor c = cursor_of(bytes_of(text));

	memset(tm, 0, sizeof(*tm));
	if (!digits(&c, 4, YEAR_LEAST, YEAR_MOST, &tm->tm_year) ||
	    !cursor_char(&c, '-') || !digits(&c, 2, 1, 12, &tm->tm_mon) ||
	    !cursor_char(&c, '-') || !digits(&c, 2, 1, 31, &tm->tm_mday))
		return false;
	if (cursor_char(&c, 'T') || cursor_char(&c, ' ')) {
		if (!digits(&c, 2, 0, 23, &tm->tm_hour) ||
		    !cursor_char(&c, ':') || !digits(&c, 2, 0, 59, &tm->tm_min))
			return false;
		if (cursor_char(&c, ':') && !digits(&c, 2, 0, 60, &tm->tm_sec))
			return false;
	} else {
		tm->tm_hour = -1;
	}
	tm->tm_year -= 1900;
	tm->tm_mon -= 1;
	tm->tm_isdst = -1;
	return cursor_at_end(&c);
}

/* What is no date stays as it is: the handler says what is wrong. */
static void
fold_time(json_t *fields, const char *name, bool end_of_day)
{
	const char *text = json_string_value(json_object_get(fields, name));
	char number[NUMBER_SIZE];
	struct tm tm;
	time_t t;

	if (text == NULL || !read_local_time(text, &tm))
		return;
	if (tm.tm_hour < 0) {
		tm.tm_hour = 0;
		tm.tm_mday += end_of_day;
	}
	t = mktime(&tm);
	if (t == (time_t)-1)
		return;
	snprintf(number, sizeof(number), "%lld",
	    (long long)t * 1000 - end_of_day);
	json_object_set_new(fields, name, json_string(number));
}

static void
fold_within(json_t *fields)
{
	const char *text = json_string_value(json_object_get(fields, "within"));
	char number[NUMBER_SIZE];
	uint64_t seconds;

	if (text == NULL || json_object_get(fields, "since") != NULL ||
	    parse_seconds(bytes_of(text), &seconds) < 0 || seconds > INT32_MAX)
		return;
	snprintf(number, sizeof(number), "%lld",
	    (long long)(clock_wall_ms() - (int64_t)seconds * 1000));
	json_object_set_new(fields, "since", json_string(number));
}

/* ---- shapes ---- */

/* Moves "PREFIX.NAME" into an object of its own; NULL when there is none. */
static json_t *
take_members(json_t *fields, const char *prefix)
{
	size_t len = strlen(prefix);
	json_t *members = NULL, *value;
	const char *name;
	void *next;

	json_object_foreach_safe(fields, next, name, value)
	{
		if (strncmp(name, prefix, len) != 0 || name[len] != '.')
			continue;
		if (members == NULL)
			members = json_object();
		json_object_set(members, name + len + 1, value);
		json_object_del(fields, name);
	}
	return members;
}

static void
fold_options(json_t *fields)
{
	json_t *options = take_members(fields, "options");
	json_t *inherit = take_members(fields, "inherit");
	json_t *shown = take_members(fields, "as_shown");
	const char *name;
	json_t *value;

	json_object_foreach(shown, name, value)
	{
		if (json_equal(value, json_object_get(options, name)))
			json_object_del(options, name);
	}
	if (options == NULL && inherit != NULL)
		options = json_object();
	json_object_foreach(inherit, name, value)
	    json_object_set_new(options, name, json_null());
	if (options != NULL)
		json_object_set_new(fields, "options", options);
	json_decref(inherit);
	json_decref(shown);
}

/* "N.host": the N-th row, made when it is not there. */
static void
set_in_row(json_t *rows[LIST_MAX], const char *name, json_t *value)
{
	struct cursor c = cursor_of(bytes_of(name));
	uint64_t n;

	if (!cursor_u64(&c, LIST_MAX - 1, &n) || !cursor_char(&c, '.') ||
	    cursor_at_end(&c))
		return;
	if (rows[n] == NULL)
		rows[n] = json_object();
	if (json_string_length(value) > 0)
		json_object_set(rows[n], c.p, value);
}

static void
fold_routes(json_t *fields)
{
	json_t *members = take_members(fields, "routes");
	json_t *rows[LIST_MAX] = { NULL }, *list, *value;
	const char *name;
	size_t i;

	if (members == NULL)
		return;
	json_object_foreach(members, name, value) set_in_row(rows, name, value);
	list = json_array();
	for (i = 0; i < LIST_MAX; i++) {
		if (json_object_get(rows[i], "host") != NULL)
			json_array_append(list, rows[i]);
		json_decref(rows[i]);
	}
	json_object_set_new(fields, "routes", list);
	json_decref(members);
}

static void
drop_empty(json_t *fields)
{
	const char *name;
	json_t *value;
	void *next;

	json_object_foreach_safe(fields, next, name, value)
	{
		if (json_is_string(value) && json_string_length(value) == 0)
			json_object_del(fields, name);
	}
}

void
page_form_fold(json_t *fields)
{
	fold_options(fields);
	fold_routes(fields);
	drop_empty(fields);
	fold_time(fields, "since", false);
	fold_time(fields, "until", true);
	fold_within(fields);
}
