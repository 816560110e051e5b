/*
 * edit_input.c - checks of what people give, and of what must hold.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/str.h"
#include "base/utf8.h"
#include "mail/address.h"
#include "policy/edit_rows.h"

/* ---- values ---- */

int
edit_take_bool(struct edit *edit, const json_t *object, const char *field,
    bool *out, struct err *err)
{
	static const struct {
		const char *word;
		bool value;
	} words[] = { { "yes", true }, { "no", false }, { "true", true },
		{ "false", false }, { "on", true }, { "off", false },
		{ "1", true }, { "0", false }, { "", false } };
	const json_t *value = json_object_get(object, field);
	const char *text = json_string_value(value);
	size_t i;

	*out = json_is_true(value);
	if (value == NULL || json_is_null(value) || json_is_boolean(value))
		return 0;
	for (i = 0; text != NULL && i < sizeof(words) / sizeof(words[0]); i++)
		if (str_equal_nocase(text, words[i].word)) {
			*out = words[i].value;
			return 0;
		}
	return edit_refuse(edit, EDIT_INVALID, field, err,
	    "%s: must be yes or no", field);
}

int
edit_check_text(struct edit *edit, const char *field, const char *text,
    struct err *err)
{
	const char *p;

	if (strlen(text) > EDIT_COMMENT_MAX)
		return edit_refuse(edit, EDIT_INVALID, field, err,
		    "%s: must have at most %d octets", field, EDIT_COMMENT_MAX);
	for (p = text; *p != '\0'; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			return edit_refuse(edit, EDIT_INVALID, field, err,
			    "%s: must be one line, without control characters",
			    field);
	if (!utf8_is_valid(bytes_of(text)))
		return edit_refuse(edit, EDIT_INVALID, field, err,
		    "%s: must be UTF-8", field);
	return 0;
}

int
edit_take_text(struct edit *edit, const json_t *object, const char *field,
    struct arena *arena, const char **out, struct err *err)
{
	const json_t *value = json_object_get(object, field);
	const char *text = json_string_value(value);

	*out = "";
	if (value == NULL || json_is_null(value))
		return 0;
	if (text == NULL || strlen(text) != json_string_length(value))
		return edit_refuse(edit, EDIT_INVALID, field, err,
		    "%s: must be text", field);
	if (edit_check_text(edit, field, text, err) < 0)
		return -1;
	*out = arena_strdup(arena, text);
	return 0;
}

/* ---- times ---- */

/* Exactly n digits within least..most. */
static bool
take_digits(struct cursor *c, unsigned n, int least, int most, int *out)
{
	int value = 0;
	unsigned i;

	if ((size_t)(c->end - c->p) < n)
		return false;
	for (i = 0; i < n; i++) {
		if (!ascii_is_digit(c->p[i]))
			return false;
		value = value * 10 + (c->p[i] - '0');
	}
	if (value < least || value > most)
		return false;
	c->p += n;
	*out = value;
	return true;
}

static bool
take_date(struct cursor *c, struct tm *tm)
{
	int year, month;

	if (!take_digits(c, 4, 1970, 9999, &year) || !cursor_char(c, '-') ||
	    !take_digits(c, 2, 1, 12, &month) || !cursor_char(c, '-') ||
	    !take_digits(c, 2, 1, 31, &tm->tm_mday))
		return false;
	tm->tm_year = year - 1900;
	tm->tm_mon = month - 1;
	return true;
}

static bool
take_time(struct cursor *c, struct tm *tm)
{
	int fraction;

	if (!take_digits(c, 2, 0, 23, &tm->tm_hour) || !cursor_char(c, ':') ||
	    !take_digits(c, 2, 0, 59, &tm->tm_min) || !cursor_char(c, ':') ||
	    !take_digits(c, 2, 0, 60, &tm->tm_sec))
		return false;
	if (cursor_char(c, '.')) {
		if (!take_digits(c, 1, 0, 9, &fraction))
			return false;
		while (take_digits(c, 1, 0, 9, &fraction))
			;
	}
	return true;
}

/* "Z", "+09:00": seconds east of UTC. */
static bool
take_zone(struct cursor *c, long *east_s)
{
	int hours, minutes;
	bool west;

	*east_s = 0;
	if (cursor_literal(c, "Z"))
		return true;
	west = cursor_peek(c) == '-';
	if (!west && cursor_peek(c) != '+')
		return false;
	c->p++;
	if (!take_digits(c, 2, 0, 23, &hours) || !cursor_char(c, ':') ||
	    !take_digits(c, 2, 0, 59, &minutes))
		return false;
	*east_s = (hours * 3600L + minutes * 60L) * (west ? -1 : 1);
	return true;
}

/* timegm and mktime turn the 31st of June into the 1st of July. */
static bool
day_exists(const struct tm *tm)
{
	struct tm copy = *tm;

	copy.tm_hour = 12;
	copy.tm_isdst = 0;
	return timegm(&copy) != -1 && copy.tm_mday == tm->tm_mday;
}

int
edit_parse_time(const char *text, int64_t *wall_s)
{
	struct bytes bytes = bytes_trim(bytes_of(text));
	struct cursor c = cursor_of(bytes);
	struct tm tm;
	uint64_t seconds;
	time_t t;
	long east_s;

	if (bytes.len == 0) {
		*wall_s = 0;
		return 0;
	}
	if (parse_seconds(bytes, &seconds) == 0) {
		if (seconds == 0 || seconds > 100ULL * 365 * 86400)
			return -1;
		*wall_s = clock_wall_s() + (int64_t)seconds;
		return 0;
	}
	memset(&tm, 0, sizeof(tm));
	if (!take_date(&c, &tm) || !day_exists(&tm))
		return -1;
	if (cursor_at_end(&c)) {
		tm.tm_mday++;
		tm.tm_isdst = -1;
		t = mktime(&tm);
	} else {
		if ((!cursor_literal(&c, "T") && !cursor_char(&c, ' ')) ||
		    !take_time(&c, &tm) || !take_zone(&c, &east_s) ||
		    !cursor_at_end(&c))
			return -1;
		t = timegm(&tm);
		if (t != -1)
			t -= east_s;
	}
	if (t == -1)
		return -1;
	*wall_s = t;
	return 0;
}

/* ---- names ---- */

int
edit_take_domain(struct edit *edit, struct arena *arena, const char *field,
    const char *text, const char **domain, struct err *err)
{
	struct err why;

	if (text == NULL || text[0] == '\0')
		return edit_refuse(edit, EDIT_INVALID, field, err,
		    "%s: must be given", field);
	if (domain_normalize(arena, bytes_trim(bytes_of(text)), domain, &why) <
	    0)
		return edit_refuse(edit, EDIT_INVALID, field, err,
		    "%s: '%s' is no domain: %s", field, text, why.text);
	return 0;
}

int
edit_take_address(struct edit *edit, struct arena *arena, const char *field,
    const char *text, const char **key, struct err *err)
{
	struct address address;
	struct err why;

	if (text == NULL || text[0] == '\0')
		return edit_refuse(edit, EDIT_INVALID, field, err,
		    "%s: must be given", field);
	if (address_parse(arena, bytes_trim(bytes_of(text)), &address, &why) <
	    0)
		return edit_refuse(edit, EDIT_INVALID, field, err,
		    "%s: '%s' is no address: %s", field, text, why.text);
	if (address.local[0] == '\0' || address.domain[0] == '\0' ||
	    address.domain[0] == '[')
		return edit_refuse(edit, EDIT_INVALID, field, err,
		    "%s: must be an address such as user@example.net, "
		    "not '%s'",
		    field, text);
	*key = address.key;
	return 0;
}

void
edit_split(struct arena *arena, const char *key, const char **local,
    const char **domain)
{
	const char *at = strrchr(key, '@');

	*local = arena_memdup(arena, key, (size_t)(at - key));
	*domain = at + 1;
}

static bool
is_separator(char c)
{
	return c == ',' || ascii_is_space(c);
}

json_t *
edit_split_list(const char *text)
{
	json_t *list = json_array();
	const char *start;
	bool quoted;

	while (*text != '\0') {
		if (is_separator(*text)) {
			text++;
			continue;
		}
		quoted = false;
		for (start = text;
		     *text != '\0' && (quoted || !is_separator(*text));
		     text++) {
			if (*text == '"')
				quoted = !quoted;
			else if (quoted && *text == '\\' && text[1] != '\0')
				text++;
		}
		json_array_append_new(list,
		    json_stringn(start, (size_t)(text - start)));
	}
	return list;
}

/* ---- what must hold ---- */

int
edit_require_domain(struct edit_work *work, const char *field,
    const char *domain, struct err *err)
{
	const char *object = arena_printf(work->arena, "domain:%s", domain);
	size_t count;

	if (edit_count(work, object, &count, err) < 0)
		return -1;
	if (count == 0)
		return edit_refuse(work->edit, EDIT_NOT_FOUND, field, err,
		    "%s: there is no domain %s", field, domain);
	return 0;
}

int
edit_require_target(struct edit_work *work, struct edit_target target,
    struct err *err)
{
	const char *domain = target.domain;

	if (target.mailbox != NULL)
		domain = strrchr(target.mailbox, '@') + 1;
	if (domain == NULL)
		return 0;
	return edit_require_domain(work,
	    target.mailbox != NULL ? "mailbox" : "domain", domain, err);
}

int
edit_require_room(struct edit_work *work, const char *object, struct err *err)
{
	size_t most = strncmp(object, "mailbox:", 8) == 0
	    ? EDIT_MAILBOX_FIELDS_MAX
	    : EDIT_FIELDS_MAX;
	size_t count;

	if (edit_count(work, object, &count, err) < 0)
		return -1;
	if (count >= most)
		return err_set(err, ERR_LIMIT,
		    "%s has %zu rows already, the "
		    "most there may be",
		    object, count);
	return 0;
}

/* ---- storing ---- */

static const char added_by[] = "added_by", added_s[] = "added_s";

enum edit_outcome
edit_put_json(struct edit_work *work, const char *object, const char *field,
    json_t *json, struct bytes before)
{
	enum edit_outcome outcome = EDIT_ADDED;
	json_t *by = NULL, *when = NULL, *old = NULL;

	if (before.data != NULL)
		old = json_loadb(before.data, before.len, 0, NULL);
	if (old != NULL) {
		by = json_incref(json_object_get(old, added_by));
		when = json_incref(json_object_get(old, added_s));
		json_object_del(old, added_by);
		json_object_del(old, added_s);
		outcome = json_equal(old, json) ? EDIT_SAME
		    : work->edit->replace       ? EDIT_CHANGED
						: EDIT_DIFFERS;
		json_decref(old);
	}
	json_object_set_new(json, added_by,
	    by != NULL ? by : json_string(work->edit->actor));
	json_object_set_new(json, added_s,
	    when != NULL ? when : json_integer(clock_wall_s()));
	if (outcome == EDIT_ADDED || outcome == EDIT_CHANGED)
		edit_set(work, object, field, before,
		    edit_json_bytes(work->arena, json));
	return outcome;
}
