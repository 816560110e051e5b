/*
 * page_filters.c - how values are written: times, sizes, words, addresses.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>
#include <time.h>

#include "base/grapheme.h"
#include "base/str.h"
#include "webui/page_impl.h"
#include "webui/page_phrases.h"
#include "webui/page_words.h"

#define TIME_SIZE 64
#define NUMBER_SIZE 64
#define SECOND_MS 1000
#define MINUTE_S 60
#define HOUR_S 3600
#define DAY_S 86400

static void
put(struct template_writer *writer, const char *text)
{
	template_put_text(writer, bytes_of(text));
}

static const char *
text_of(const json_t *value)
{
	const char *text = json_string_value(value);

	return text != NULL ? text : "";
}

/* ---- addresses ---- */

static void
write_url(struct template_writer *writer, const json_t *value,
    const char *argument)
{
	static const char digits[] = "0123456789ABCDEF";
	const char *text = text_of(value);
	char escape[4] = "%";
	size_t i;

	(void)argument;
	if (!json_is_string(value)) {
		template_put_value(writer, value);
		return;
	}
	for (i = 0; i < json_string_length(value); i++) {
		if (ascii_is_alnum(text[i]) ||
		    (text[i] != '\0' && strchr("-._~", text[i]) != NULL)) {
			template_put_text(writer,
			    (struct bytes){ text + i, 1 });
			continue;
		}
		escape[1] = digits[(unsigned char)text[i] >> 4];
		escape[2] = digits[(unsigned char)text[i] & 15];
		put(writer, escape);
	}
}

/* "/x" is ours; "//host" and "/\host" are not, for a browser. */
static void
write_path(struct template_writer *writer, const json_t *value,
    const char *argument)
{
	const char *text = text_of(value);
	const char *p;

	(void)argument;
	if (text[0] != '/' || text[1] == '/' || text[1] == '\\')
		return;
	/* Browsers drop tabs and newlines before they read an address. */
	for (p = text; *p != '\0'; p++)
		if ((unsigned char)*p <= ' ' || *p == 0x7f)
			return;
	put(writer, text);
}

/* ---- lists ---- */

/* What a list shows of a text without a number of its own: 54 letters, or 27
 * kanji. */
#define CLIP_PRESET 54
/* Octets on a page that count for one. */
#define CLIP_WIDTH 2

/* As it is written into a page. */
static size_t
written_len(struct bytes text)
{
	size_t len = text.len, i;

	for (i = 0; i < text.len; i++)
		if (strchr("&<>\"'", text.data[i]) != NULL &&
		    text.data[i] != '\0')
			len += sizeof("&quot;") - 2;
	return len;
}

/* How many octets of text are within a number of letters; what is wide, or
 * long on the page (an emoji, a quote), counts for several. */
static size_t
clip_len(struct bytes text, size_t most)
{
	size_t len = 0, used = 0, next;
	struct bytes one;

	while (len < text.len) {
		next = grapheme_len(
		    (struct bytes){ text.data + len, text.len - len });
		one = (struct bytes){ text.data + len, next };
		used += (written_len(one) + CLIP_WIDTH - 1) / CLIP_WIDTH;
		if (used > most)
			break;
		len += next;
	}
	return len;
}

/* Somebody else's text in a list: its beginning, so that a page of many
 * rows stays a page.  It stands whole where the thing itself is shown. */
static void
write_clip(struct template_writer *writer, const json_t *value,
    const char *argument)
{
	struct bytes text;
	uint64_t most;
	size_t len;

	if (!json_is_string(value)) {
		template_put_value(writer, value);
		return;
	}
	if (parse_u64(bytes_of(argument), 1, INT16_MAX, &most) < 0)
		most = CLIP_PRESET;
	text = (struct bytes){ text_of(value), json_string_length(value) };
	len = clip_len(text, (size_t)most);
	template_put_text(writer, (struct bytes){ text.data, len });
	if (len < text.len)
		put(writer, "…");
}

/* ---- times ---- */

static bool
is_time(const json_t *value)
{
	return json_is_integer(value) && json_integer_value(value) > 0;
}

enum precision {
	PRECISION_DAY,
	PRECISION_MINUTE
};

/* Local time, as the title and the text of most times have it; "" when it
 * is beyond what a calendar knows. */
static void
format_local(int64_t ms, enum precision precision, char out[TIME_SIZE])
{
	time_t s = (time_t)(ms / SECOND_MS);
	struct tm tm;
	size_t len = 0;

	if (localtime_r(&s, &tm) != NULL)
		len = precision == PRECISION_DAY
		    ? strftime(out, TIME_SIZE, "%Y-%m-%d", &tm)
		    : strftime(out, TIME_SIZE, "%Y-%m-%d %H:%M", &tm);
	out[len] = '\0';
}

/* <time> with the exact time for programs, and for who points at it. */
static void
write_time_element(struct template_writer *writer, int64_t ms, bool exactly,
    const char *shown)
{
	char utc[TIME_SIZE], exact[TIME_SIZE];
	time_t s = (time_t)(ms / SECOND_MS);
	struct tm tm;

	if (gmtime_r(&s, &tm) == NULL ||
	    strftime(utc, sizeof(utc), "%Y-%m-%dT%H:%M:%SZ", &tm) == 0 ||
	    localtime_r(&s, &tm) == NULL ||
	    strftime(exact, sizeof(exact), "%Y-%m-%d %H:%M:%S %z", &tm) == 0)
		return;
	template_put_markup(writer, "<time datetime=\"");
	put(writer, utc);
	if (exactly) {
		template_put_markup(writer, "\" title=\"");
		put(writer, exact);
	}
	template_put_markup(writer, "\">");
	put(writer, shown);
	template_put_markup(writer, "</time>");
}

static void
write_time(struct template_writer *writer, const json_t *value,
    const char *argument)
{
	char text[TIME_SIZE];

	if (!is_time(value))
		return;
	format_local(json_integer_value(value), PRECISION_MINUTE, text);
	write_time_element(writer, json_integer_value(value),
	    strcmp(argument, "exact") == 0, text);
}

static void
write_date(struct template_writer *writer, const json_t *value,
    const char *argument)
{
	char text[TIME_SIZE];

	(void)argument;
	if (!is_time(value))
		return;
	format_local(json_integer_value(value), PRECISION_DAY, text);
	write_time_element(writer, json_integer_value(value), true, text);
}

/* For the value of a date field: of a time, or of what such a field was
 * folded into (page_form_fold). */
static void
write_day(struct template_writer *writer, const json_t *value,
    const char *argument)
{
	char text[TIME_SIZE];
	uint64_t ms;

	(void)argument;
	if (is_time(value))
		ms = (uint64_t)json_integer_value(value);
	else if (!json_is_string(value) ||
	    parse_u64(bytes_of(text_of(value)), 1, INT64_MAX, &ms) < 0)
		return;
	format_local((int64_t)ms, PRECISION_DAY, text);
	put(writer, text);
}

/* The forms of "how long ago", and "in how long": by the unit. */
static const struct {
	int64_t seconds;
	const char *ago, *agos, *in, *ins;
} units[] = {
	{ DAY_S, N_("{n} day ago"), N_("{n} days ago"), N_("in {n} day"),
	    N_("in {n} days") },
	{ HOUR_S, N_("{n} hour ago"), N_("{n} hours ago"), N_("in {n} hour"),
	    N_("in {n} hours") },
	{ MINUTE_S, N_("{n} minute ago"), N_("{n} minutes ago"),
	    N_("in {n} minute"), N_("in {n} minutes") },
};

static const char now_message[] = N_("just now");

/* The message with {n} filled in. */
static void
format_count(struct buf *out, const char *message, int64_t n)
{
	const char *hole = strstr(message, "{n}");

	if (hole == NULL) {
		(void)buf_append_str(out, message);
		return;
	}
	(void)buf_append(out, message, (size_t)(hole - message));
	(void)buf_printf(out, "%" PRId64, n);
	(void)buf_append_str(out, hole + strlen("{n}"));
}

static void
format_distance(struct template_writer *writer, int64_t seconds,
    struct buf *out)
{
	enum language language = template_language(writer);
	int64_t length = seconds < 0 ? -seconds : seconds, n;
	size_t i;

	for (i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (length < units[i].seconds)
			continue;
		n = length / units[i].seconds;
		format_count(out,
		    seconds > 0 ? i18n_plural(language, units[i].ago,
				      units[i].agos, (unsigned long)n)
				: i18n_plural(language, units[i].in,
				      units[i].ins, (unsigned long)n),
		    n);
		return;
	}
	(void)buf_append_str(out, i18n_text(language, now_message));
}

static void
write_ago(struct template_writer *writer, const json_t *value,
    const char *argument)
{
	const struct page_context *context = template_context(writer);
	struct buf text;

	(void)argument;
	if (!is_time(value))
		return;
	buf_init(&text, TIME_SIZE * 4);
	format_distance(writer,
	    (context->now_ms - json_integer_value(value)) / SECOND_MS, &text);
	write_time_element(writer, json_integer_value(value), true,
	    buf_str(&text));
	buf_free(&text);
}

/* ---- numbers ---- */

static void
write_bytes(struct template_writer *writer, const json_t *value,
    const char *argument)
{
	static const char *const names[] = { "B", "kB", "MB", "GB", "TB" };
	double size = (double)json_integer_value(value);
	char text[NUMBER_SIZE];
	size_t i;

	(void)argument;
	if (!json_is_integer(value))
		return;
	for (i = 0; size >= 1024 && i + 1 < sizeof(names) / sizeof(names[0]);
	     i++)
		size /= 1024;
	snprintf(text, sizeof(text), i > 0 && size < 10 ? "%.1f %s" : "%.0f %s",
	    size, names[i]);
	put(writer, text);
}

/* 1234567 as 1,234,567. */
static void
write_number(struct template_writer *writer, const json_t *value,
    const char *argument)
{
	char digits[NUMBER_SIZE], text[NUMBER_SIZE];
	size_t len, i, n = 0;

	(void)argument;
	if (!json_is_integer(value)) {
		template_put_value(writer, value);
		return;
	}
	snprintf(digits, sizeof(digits), "%" JSON_INTEGER_FORMAT,
	    json_integer_value(value));
	len = strlen(digits);
	for (i = 0; i < len; i++) {
		text[n++] = digits[i];
		if (ascii_is_digit(digits[i]) && i + 1 < len &&
		    (len - i - 1) % 3 == 0)
			text[n++] = ',';
	}
	template_put_text(writer, (struct bytes){ text, n });
}

/* Points have three places at most: 5, 0.5, 3.25. */
static void
write_points(struct template_writer *writer, const json_t *value,
    const char *argument)
{
	double points = json_number_value(value);
	char text[NUMBER_SIZE];
	size_t len;

	if (!json_is_number(value) || fabs(points) > 1e9)
		return;
	snprintf(text, sizeof(text),
	    strcmp(argument, "signed") == 0 && points != 0 ? "%+.3f" : "%.3f",
	    points);
	/* Without the zeros, and the point, that say nothing. */
	for (len = strlen(text); text[len - 1] == '0'; len--)
		;
	if (text[len - 1] == '.')
		len--;
	template_put_text(writer, (struct bytes){ text, len });
}

/* ---- words ---- */

static void
put_label(struct template_writer *writer, const char *kind, const char *text)
{
	const struct page_word *word = page_word_find(kind, text);

	put(writer,
	    word != NULL ? i18n_text(template_language(writer), word->label)
			 : text);
}

static void
write_word(struct template_writer *writer, const json_t *value,
    const char *argument)
{
	if (json_is_string(value))
		put_label(writer, argument, text_of(value));
	else
		template_put_value(writer, value);
}

static void
write_badge(struct template_writer *writer, const json_t *value,
    const char *argument)
{
	const char *text = text_of(value);
	const struct page_word *word = page_word_find(argument, text);

	if (text[0] == '\0')
		return;
	template_put_markup(writer, "<span class=\"badge");
	if (word != NULL && word->tone != NULL) {
		template_put_markup(writer, " badge-");
		put(writer, word->tone);
	}
	template_put_markup(writer, "\">");
	put_label(writer, argument, text);
	template_put_markup(writer, "</span>");
}

/* <option> of each word of a list; the value is selected. */
static void
write_options(struct template_writer *writer, const json_t *value,
    const char *argument)
{
	const struct page_word *word = page_words_of(argument);

	for (; word != NULL && word->word != NULL; word++) {
		template_put_markup(writer, "<option value=\"");
		put(writer, word->word);
		template_put_markup(writer, "\"");
		if (strcmp(word->word, text_of(value)) == 0)
			template_put_markup(writer, " selected");
		template_put_markup(writer, ">");
		put(writer, i18n_text(template_language(writer), word->label));
		template_put_markup(writer, "</option>");
	}
}

/* A message of a table of ours, such as the help of an option. */
static void
write_tr(struct template_writer *writer, const json_t *value,
    const char *argument)
{
	(void)argument;
	put(writer, i18n_text(template_language(writer), text_of(value)));
}

/* "cli:root", "user:taro", "system". */
static const struct {
	const char *prefix, *message;
} actors[] = {
	{ "user:", N_("{name}") },
	{ "cli:", N_("{name} (command line)") },
	{ "link:", N_("{name} (link in a mail)") },
};
static const char system_message[] = N_("the system");

static void
write_actor(struct template_writer *writer, const json_t *value,
    const char *argument)
{
	const char *text = text_of(value), *message, *hole;
	size_t i, len;

	(void)argument;
	if (strcmp(text, "system") == 0) {
		put(writer,
		    i18n_text(template_language(writer), system_message));
		return;
	}
	for (i = 0; i < sizeof(actors) / sizeof(actors[0]); i++) {
		len = strlen(actors[i].prefix);
		if (strncmp(text, actors[i].prefix, len) != 0)
			continue;
		message =
		    i18n_text(template_language(writer), actors[i].message);
		hole = strstr(message, "{name}");
		if (hole == NULL)
			break;
		template_put_text(writer,
		    (struct bytes){ message, (size_t)(hole - message) });
		put(writer, text + len);
		put(writer, hole + strlen("{name}"));
		return;
	}
	put(writer, text);
}

/* An error, in words that the reader knows. */
static void
write_said(struct template_writer *writer, const json_t *value,
    const char *argument)
{
	struct buf text;

	(void)argument;
	buf_init(&text, PHRASE_SIZE_MAX);
	(void)phrase_translate(template_language(writer), text_of(value),
	    &text);
	template_put_text(writer, buf_bytes(&text));
	buf_free(&text);
}

/* What an option wants: "1h to 365d". */
static void
write_wanted(struct template_writer *writer, const json_t *value,
    const char *argument)
{
	struct buf text;

	(void)argument;
	buf_init(&text, PHRASE_SIZE_MAX);
	(void)phrase_wanted(template_language(writer), text_of(value), &text);
	template_put_text(writer, buf_bytes(&text));
	buf_free(&text);
}

const struct template_filter page_filters[] = {
	{ "actor", false, write_actor },
	{ "ago", true, write_ago },
	{ "badge", true, write_badge },
	{ "bytes", false, write_bytes },
	{ "clip", false, write_clip },
	{ "date", true, write_date },
	{ "day", false, write_day },
	{ "number", false, write_number },
	{ "options", true, write_options },
	{ "path", false, write_path },
	{ "points", false, write_points },
	{ "said", false, write_said },
	{ "time", true, write_time },
	{ "tr", false, write_tr },
	{ "url", false, write_url },
	{ "wanted", false, write_wanted },
	{ "word", false, write_word },
	{ NULL, false, NULL },
};

void
page_filter_messages(void (*see)(void *context, const char *where,
			 const char *msgid, const char *plural),
    void *context)
{
	static const char where[] = "page_filters.c";
	size_t i;

	for (i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		see(context, where, units[i].ago, units[i].agos);
		see(context, where, units[i].in, units[i].ins);
	}
	for (i = 0; i < sizeof(actors) / sizeof(actors[0]); i++)
		see(context, where, actors[i].message, NULL);
	phrase_messages(see, context);
	see(context, where, now_message, NULL);
	see(context, where, system_message, NULL);
}
