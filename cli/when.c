/*
 * when.c - times as people write and read them.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/str.h"

#include "cli/when.h"

#define WRONG                                                                  \
	"'%s' is no time: give 90m, 12h, 3d or 2w, or a date such as "         \
	"2026-11-22 or \"2026-11-22 09:00\""
#define SPAN_MAX_S (100ULL * 365 * 86400)

/* Exactly n digits. */
static bool
number(struct cursor *c, size_t n, int *out)
{
	uint64_t value;

	if ((size_t)(c->end - c->p) < n ||
	    parse_u64((struct bytes){ c->p, n }, 0, 9999, &value) < 0)
		return false;
	c->p += n;
	*out = (int)value;
	return true;
}

/* "09:00", "09:00:30" */
static bool
read_clock(struct cursor *c, struct tm *tm)
{
	if (!number(c, 2, &tm->tm_hour) || !cursor_char(c, ':') ||
	    !number(c, 2, &tm->tm_min))
		return false;
	return !cursor_char(c, ':') || number(c, 2, &tm->tm_sec);
}

static bool
is_valid(const struct tm *tm)
{
	return tm->tm_year >= 70 && tm->tm_mon >= 0 && tm->tm_mon < 12 &&
	    tm->tm_mday >= 1 && tm->tm_mday <= 31 && tm->tm_hour < 24 &&
	    tm->tm_min < 60 && tm->tm_sec < 60;
}

static bool
read_date(const char *text, int64_t *ms)
{
	struct cursor c = cursor_of(bytes_of(text));
	struct tm tm = { .tm_isdst = -1 }, again;
	time_t t;

	if (!number(&c, 4, &tm.tm_year) || !cursor_char(&c, '-') ||
	    !number(&c, 2, &tm.tm_mon) || !cursor_char(&c, '-') ||
	    !number(&c, 2, &tm.tm_mday))
		return false;
	tm.tm_year -= 1900;
	tm.tm_mon--;
	if ((cursor_char(&c, ' ') || cursor_char(&c, 'T')) &&
	    !read_clock(&c, &tm))
		return false;
	if (!is_valid(&tm))
		return false;
	again = tm;
	t = cursor_char(&c, 'Z') ? timegm(&again) : mktime(&again);
	/* 31 April has become 1 May. */
	if (!cursor_at_end(&c) || again.tm_mday != tm.tm_mday)
		return false;
	*ms = (int64_t)t * 1000;
	return true;
}

static int
parse(const char *text, int direction, int64_t *ms, struct err *err)
{
	uint64_t seconds;

	if (read_date(text, ms))
		return 0;
	/* A bare number could be anything. */
	if (text[strspn(text, "0123456789")] == '\0' ||
	    parse_seconds(bytes_of(text), &seconds) < 0 || seconds > SPAN_MAX_S)
		return err_set(err, ERR_INPUT, WRONG, text);
	*ms = clock_wall_ms() + direction * (int64_t)seconds * 1000;
	return 0;
}

int
when_parse_past(const char *text, int64_t *ms, struct err *err)
{
	return parse(text, -1, ms, err);
}

int
when_parse_future(const char *text, int64_t *ms, struct err *err)
{
	return parse(text, 1, ms, err);
}

const char *
when_format(struct arena *arena, int64_t ms)
{
	time_t t = (time_t)(ms / 1000);
	char text[64];
	struct tm tm;

	if (ms == 0 || localtime_r(&t, &tm) == NULL ||
	    strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &tm) == 0)
		return "";
	return arena_strdup(arena, text);
}
