/*
 * option.c - settings as tables: a row holds all there is to know.
 *
 * Each type is a row of type_ops: how its field is read, written, freed and
 * copied, and how its bounds are put in words.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/crypto.h"
#include "base/option.h"
#include "base/str.h"
#include "base/utf8.h"

#define SHOWN_MAX 60       /* octets of a wrong value repeated in an error */
#define RANGE_MAX 512      /* of a range in words */
#define GUESS_NAME_MAX 48  /* octets of a name that is guessed at */
#define POINTS_UNIT 1000   /* thousandths */
#define POINTS_MAX 1000000 /* whole points, either sign */

struct type_ops {
	/* 0, or -1 when text is none of this type or out of range; err is
	 * set only when there is more to say than the range. */
	int (*set)(const struct option *option, void *field, struct bytes text,
	    struct err *err);
	int (*format)(const void *field, const struct option *option,
	    struct buf *out);
	void (*fini)(void *field);                /* NULL: nothing to free */
	void (*copy)(const void *from, void *to); /* NULL: size octets */
	size_t size;
	const char *what; /* "a size such as 64M", when there are no bounds */
};

static void *
field_of(const struct option *option, void *object)
{
	return (char *)object + option->offset;
}

static const void *
field_of_const(const struct option *option, const void *object)
{
	return (const char *)object + option->offset;
}

/* ---- numbers ---- */

static int
parse_number(struct bytes text, uint64_t *out)
{
	return parse_u64(text, 0, INT64_MAX, out);
}

static int
parse_mode(struct bytes text, uint64_t *out)
{
	uint64_t n = 0;
	size_t i;

	if (text.len == 0 || text.len > 4)
		return -1;
	for (i = 0; i < text.len; i++) {
		if (text.data[i] < '0' || text.data[i] > '7')
			return -1;
		n = n * 8 + (uint64_t)(text.data[i] - '0');
	}
	if (n > 0777)
		return -1;
	*out = n;
	return 0;
}

static int
parse_percent(struct bytes text, uint64_t *out)
{
	if (text.len > 0 && text.data[text.len - 1] == '%')
		text.len--;
	return parse_u64(text, 0, 100, out);
}

/* "-0.5" is -500. */
static int
parse_points(struct bytes text, int64_t *out)
{
	struct cursor c = cursor_of(text);
	uint64_t whole, part = 0;
	unsigned digits = 0;
	bool negative = cursor_char(&c, '-');

	if (!cursor_u64(&c, POINTS_MAX, &whole))
		return -1;
	if (cursor_char(&c, '.')) {
		for (; digits < 3 && ascii_is_digit((char)cursor_peek(&c));
		     digits++)
			part = part * 10 + (uint64_t)(*c.p++ - '0');
		if (digits == 0)
			return -1;
		for (; digits < 3; digits++)
			part *= 10;
	}
	if (!cursor_at_end(&c))
		return -1;
	*out = (int64_t)(whole * POINTS_UNIT + part) * (negative ? -1 : 1);
	return 0;
}

/* Reads an unsigned type within the bounds of the row. */
static int
set_unsigned(const struct option *option, void *field, struct bytes text,
    int (*parse)(struct bytes, uint64_t *))
{
	uint64_t n, bound;

	if (parse(text, &n) < 0 || n > INT64_MAX)
		return -1;
	if (option->least != NULL &&
	    (parse(bytes_of(option->least), &bound) < 0 || n < bound))
		return -1;
	if (option->most != NULL &&
	    (parse(bytes_of(option->most), &bound) < 0 || n > bound))
		return -1;
	memcpy(field, &n, sizeof(n));
	return 0;
}

static int
set_number(const struct option *option, void *field, struct bytes text,
    struct err *err)
{
	(void)err;
	return set_unsigned(option, field, text, parse_number);
}

static int
set_mode(const struct option *option, void *field, struct bytes text,
    struct err *err)
{
	(void)err;
	return set_unsigned(option, field, text, parse_mode);
}

static int
set_size(const struct option *option, void *field, struct bytes text,
    struct err *err)
{
	(void)err;
	return set_unsigned(option, field, text, parse_size);
}

static int
set_seconds(const struct option *option, void *field, struct bytes text,
    struct err *err)
{
	(void)err;
	return set_unsigned(option, field, text, parse_seconds);
}

static int
set_percent(const struct option *option, void *field, struct bytes text,
    struct err *err)
{
	(void)err;
	return set_unsigned(option, field, text, parse_percent);
}

static int
set_points(const struct option *option, void *field, struct bytes text,
    struct err *err)
{
	int64_t n, bound;

	(void)err;
	if (parse_points(text, &n) < 0)
		return -1;
	if (option->least != NULL &&
	    (parse_points(bytes_of(option->least), &bound) < 0 || n < bound))
		return -1;
	if (option->most != NULL &&
	    (parse_points(bytes_of(option->most), &bound) < 0 || n > bound))
		return -1;
	memcpy(field, &n, sizeof(n));
	return 0;
}

static uint64_t
read_u64(const void *field)
{
	uint64_t n;

	memcpy(&n, field, sizeof(n));
	return n;
}

/* In the largest unit that leaves a whole number. */
static int
format_scaled(uint64_t n, const char *units, const uint64_t *factors,
    struct buf *out)
{
	size_t i;

	for (i = strlen(units); i-- > 0;)
		if (n > 0 && n % factors[i] == 0)
			return buf_printf(out, "%" PRIu64 "%c", n / factors[i],
			    units[i]);
	return buf_printf(out, "%" PRIu64, n);
}

static int
format_number(const void *field, const struct option *option, struct buf *out)
{
	(void)option;
	return buf_printf(out, "%" PRIu64, read_u64(field));
}

static int
format_mode(const void *field, const struct option *option, struct buf *out)
{
	(void)option;
	return buf_printf(out, "%04" PRIo64, read_u64(field));
}

static int
format_size(const void *field, const struct option *option, struct buf *out)
{
	static const uint64_t factors[] = { 1ULL << 10, 1ULL << 20,
		1ULL << 30 };

	(void)option;
	return format_scaled(read_u64(field), "kMG", factors, out);
}

static int
format_seconds(const void *field, const struct option *option, struct buf *out)
{
	static const uint64_t factors[] = { 1, 60, 3600, 86400 };

	(void)option;
	return format_scaled(read_u64(field), "smhd", factors, out);
}

static int
format_points(const void *field, const struct option *option, struct buf *out)
{
	int64_t n;
	uint64_t size, part;
	unsigned digits = 3;

	(void)option;
	memcpy(&n, field, sizeof(n));
	size = n < 0 ? (uint64_t)-n : (uint64_t)n;
	part = size % POINTS_UNIT;
	if (buf_printf(out, "%s%" PRIu64, n < 0 ? "-" : "",
		size / POINTS_UNIT) < 0)
		return -1;
	if (part == 0)
		return 0;
	for (; part % 10 == 0; digits--)
		part /= 10;
	return buf_printf(out, ".%0*" PRIu64, (int)digits, part);
}

/* ---- words ---- */

static int
set_bool(const struct option *option, void *field, struct bytes text,
    struct err *err)
{
	static const struct {
		const char *word;
		bool value;
	} words[] = { { "yes", true }, { "no", false }, { "true", true },
		{ "false", false }, { "on", true }, { "off", false } };
	size_t i;

	(void)option;
	(void)err;
	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (bytes_equal_nocase(text, bytes_of(words[i].word))) {
			memcpy(field, &words[i].value, sizeof(bool));
			return 0;
		}
	return -1;
}

static int
format_bool(const void *field, const struct option *option, struct buf *out)
{
	bool on;

	(void)option;
	memcpy(&on, field, sizeof(on));
	return buf_append_str(out, on ? "yes" : "no");
}

static int
set_word(const struct option *option, void *field, struct bytes text,
    struct err *err)
{
	int i;

	(void)err;
	for (i = 0; option->words[i] != NULL; i++)
		if (bytes_equal_nocase(text, bytes_of(option->words[i]))) {
			memcpy(field, &i, sizeof(i));
			return 0;
		}
	return -1;
}

static int
format_word(const void *field, const struct option *option, struct buf *out)
{
	int i;

	memcpy(&i, field, sizeof(i));
	return buf_append_str(out, option->words[i]);
}

/* A wrong value, as far as it may be shown. */
static void
append_shown(const struct option *option, struct bytes text, struct buf *out)
{
	bool cut = text.len > SHOWN_MAX;

	if (option->type == OPT_SECRET) {
		buf_append_str(out, "what was given");
		return;
	}
	if (cut)
		text.len = SHOWN_MAX;
	buf_append_char(out, '"');
	/* An ellipsis stands for what was cut, also by the ceiling. */
	(void)utf8_append_clean(out, text);
	buf_append_str(out, cut ? "...\"" : "\"");
}

/* ---- text ---- */

/* UTF-8 of bounded length without control characters, hence without NUL. */
static int
check_text(struct bytes text, struct err *err)
{
	size_t i;

	if (text.len > OPTION_TEXT_MAX)
		return err_set(err, ERR_INPUT,
		    "must have at most %d octets, not %zu", OPTION_TEXT_MAX,
		    text.len);
	for (i = 0; i < text.len; i++)
		if ((unsigned char)text.data[i] < 0x20 || text.data[i] == 0x7f)
			return err_set(err, ERR_INPUT,
			    "must not hold control characters");
	if (!utf8_is_valid(text))
		return err_set(err, ERR_INPUT, "must be UTF-8");
	return 0;
}

static char *
copy_text(struct bytes text)
{
	return xmemdup(text.len > 0 ? text.data : "", text.len);
}

/* A checked copy of text, or NULL. */
static char *
take_text(const struct option *option, struct bytes text, struct err *err)
{
	char *copy;

	if (check_text(text, err) < 0)
		return NULL;
	copy = copy_text(text);
	if (option->check != NULL && option->check(copy, err) < 0) {
		free(copy);
		return NULL;
	}
	return copy;
}

static char *
read_text(const void *field)
{
	char *text;

	memcpy(&text, field, sizeof(text));
	return text;
}

static void
fini_string(void *field)
{
	free(read_text(field));
}

static void
fini_secret(void *field)
{
	char *text = read_text(field);

	if (text != NULL)
		secret_wipe(text, strlen(text));
	free(text);
}

static int
set_string(const struct option *option, void *field, struct bytes text,
    struct err *err)
{
	char *copy = take_text(option, text, err);

	if (copy == NULL)
		return -1;
	if (option->type == OPT_SECRET)
		fini_secret(field);
	else
		fini_string(field);
	memcpy(field, &copy, sizeof(copy));
	return 0;
}

static int
format_string(const void *field, const struct option *option, struct buf *out)
{
	const char *text = read_text(field);

	(void)option;
	return buf_append_str(out, text != NULL ? text : "");
}

static int
format_secret(const void *field, const struct option *option, struct buf *out)
{
	const char *text = read_text(field);

	(void)option;
	return text != NULL && *text != '\0' ? buf_append_str(out, "***") : 0;
}

static void
copy_string(const void *from, void *to)
{
	const char *text = read_text(from);
	char *copy = xstrdup(text != NULL ? text : "");

	memcpy(to, &copy, sizeof(copy));
}

/* ---- lists ---- */

static void
list_free(struct option_list *list)
{
	size_t i;

	for (i = 0; i < list->count; i++)
		free(list->items[i]);
	free(list->items);
	list->items = NULL;
	list->count = 0;
}

static void
list_push(struct option_list *list, char *take_item)
{
	list->items =
	    xrealloc(list->items, (list->count + 1) * sizeof(list->items[0]));
	list->items[list->count++] = take_item;
}

static bool
is_separator(char c)
{
	return c == ',' || ascii_is_space(c);
}

static int
check_item(const struct option *option, struct bytes item, struct err *why)
{
	size_t i;
	char *copy;

	for (i = 0; i < item.len; i++)
		if (is_separator(item.data[i]))
			return err_set(why, ERR_INPUT,
			    "must be one value, without comma and space");
	if (item.len == 0)
		return err_set(why, ERR_INPUT, "must not be empty");
	copy = take_text(option, item, why);
	free(copy);
	return copy != NULL ? 0 : -1;
}

/* Names the item in the error, as the list may be long. */
static int
list_add(const struct option *option, struct option_list *list,
    struct bytes item, struct err *err)
{
	struct buf shown;

	if (list->count >= OPTION_LIST_MAX)
		return err_set(err, ERR_INPUT, "must have at most %d values",
		    OPTION_LIST_MAX);
	if (check_item(option, item, err) < 0) {
		buf_init(&shown, SHOWN_MAX * 4);
		append_shown(option, item, &shown);
		err_prefix(err, "%s", buf_str(&shown));
		buf_free(&shown);
		return -1;
	}
	list_push(list, copy_text(item));
	return 0;
}

static void
list_replace(void *field, struct option_list *take_list)
{
	struct option_list old;

	memcpy(&old, field, sizeof(old));
	list_free(&old);
	memcpy(field, take_list, sizeof(*take_list));
}

static int
set_list(const struct option *option, void *field, struct bytes text,
    struct err *err)
{
	struct option_list list = { 0, NULL };
	size_t i = 0, start;

	while (i < text.len) {
		if (is_separator(text.data[i])) {
			i++;
			continue;
		}
		start = i;
		while (i < text.len && !is_separator(text.data[i]))
			i++;
		if (list_add(option, &list,
			(struct bytes){ text.data + start, i - start },
			err) < 0) {
			list_free(&list);
			return -1;
		}
	}
	list_replace(field, &list);
	return 0;
}

static int
format_list(const void *field, const struct option *option, struct buf *out)
{
	struct option_list list;
	size_t i;

	(void)option;
	memcpy(&list, field, sizeof(list));
	for (i = 0; i < list.count; i++)
		if (buf_printf(out, "%s%s", i > 0 ? ", " : "", list.items[i]) <
		    0)
			return -1;
	return 0;
}

static void
fini_list(void *field)
{
	struct option_list list;

	memcpy(&list, field, sizeof(list));
	list_free(&list);
}

static void
copy_list(const void *from, void *to)
{
	struct option_list old, copy = { 0, NULL };
	size_t i;

	memcpy(&old, from, sizeof(old));
	for (i = 0; i < old.count; i++)
		list_push(&copy, xstrdup(old.items[i]));
	memcpy(to, &copy, sizeof(copy));
}

/* clang-format off */
static const struct type_ops type_ops[] = {
	[OPT_BOOL] = { set_bool, format_bool, NULL, NULL, sizeof(bool),
	    "yes or no" },
	[OPT_NUMBER] = { set_number, format_number, NULL, NULL,
	    sizeof(uint64_t), "a number" },
	[OPT_MODE] = { set_mode, format_mode, NULL, NULL, sizeof(uint64_t),
	    "permissions such as 0660" },
	[OPT_SIZE] = { set_size, format_size, NULL, NULL, sizeof(uint64_t),
	    "a size such as 64M" },
	[OPT_SECONDS] = { set_seconds, format_seconds, NULL, NULL,
	    sizeof(uint64_t), "a time such as 30s, 15m, 12h or 30d" },
	[OPT_PERCENT] = { set_percent, format_number, NULL, NULL,
	    sizeof(uint64_t), "0 to 100" },
	[OPT_POINTS] = { set_points, format_points, NULL, NULL,
	    sizeof(int64_t), "points such as 3 or -0.5" },
	[OPT_STRING] = { set_string, format_string, fini_string, copy_string,
	    sizeof(char *), "" },
	[OPT_WORD] = { set_word, format_word, NULL, NULL, sizeof(int), "" },
	[OPT_LIST] = { set_list, format_list, fini_list, copy_list,
	    sizeof(struct option_list), "" },
	[OPT_SECRET] = { set_string, format_secret, fini_secret, copy_string,
	    sizeof(char *), "" },
};
/* clang-format on */

/* ---- messages ---- */

/* The reason of a check, else what the range is. */
static int
refuse(const struct option *option, struct bytes text, const struct err *why,
    struct err *err)
{
	struct buf range, shown;

	if (option->type == OPT_LIST)
		return err_set(err, ERR_INPUT, "%s: %s", option->name,
		    why->text);
	buf_init(&range, RANGE_MAX);
	buf_init(&shown, SHOWN_MAX * 4);
	append_shown(option, text, &shown);
	if (why->kind != ERR_NONE) {
		err_set(err, ERR_INPUT, "%s: %s: %s", option->name,
		    buf_str(&shown), why->text);
	} else {
		option_range(option, &range);
		err_set(err, ERR_INPUT, "%s: must be %s, not %s", option->name,
		    buf_str(&range), buf_str(&shown));
	}
	buf_free(&range);
	buf_free(&shown);
	return -1;
}

int
option_set(const struct option *option, void *object, struct bytes text,
    struct err *err)
{
	struct err why;

	err_clear(&why);
	if (option->type != OPT_STRING && option->type != OPT_SECRET)
		text = bytes_trim(text);
	if (type_ops[option->type].set(option, field_of(option, object), text,
		&why) < 0)
		return refuse(option, text, &why, err);
	return 0;
}

int
option_check_item(const struct option *option, struct bytes item,
    struct err *err)
{
	struct option_list list = { 0, NULL };
	struct err why;
	int rc;

	rc = list_add(option, &list, item, &why);
	list_free(&list);
	return rc == 0 ? 0 : refuse(option, item, &why, err);
}

int
option_set_list(const struct option *option, void *object, size_t n,
    const char *const *values, struct err *err)
{
	struct option_list list = { 0, NULL };
	struct err why;
	size_t i;

	assert(option->type == OPT_LIST);
	for (i = 0; i < n; i++)
		if (list_add(option, &list, bytes_of(values[i]), &why) < 0) {
			list_free(&list);
			return refuse(option, bytes_of(values[i]), &why, err);
		}
	list_replace(field_of(option, object), &list);
	return 0;
}

int
option_format(const struct option *option, const void *object, struct buf *out)
{
	return type_ops[option->type].format(field_of_const(option, object),
	    option, out);
}

/* ---- tables ---- */

void
option_defaults(const struct option *options, size_t n, void *object)
{
	struct err err;
	size_t i;
	int rc;

	for (i = 0; i < n; i++) {
		rc = option_set(&options[i], object,
		    bytes_of(options[i].preset), &err);
		assert(rc == 0);
		(void)rc;
	}
}

void
option_free_all(const struct option *options, size_t n, void *object)
{
	size_t i;

	for (i = 0; i < n; i++) {
		const struct type_ops *ops = &type_ops[options[i].type];
		void *field = field_of(&options[i], object);

		if (ops->fini != NULL)
			ops->fini(field);
		memset(field, 0, ops->size);
	}
}

void
option_copy_all(const struct option *options, size_t n, const void *from,
    void *to)
{
	size_t i;

	for (i = 0; i < n; i++) {
		const struct type_ops *ops = &type_ops[options[i].type];

		if (ops->copy != NULL)
			ops->copy(field_of_const(&options[i], from),
			    field_of(&options[i], to));
		else
			memcpy(field_of(&options[i], to),
			    field_of_const(&options[i], from), ops->size);
	}
}

const struct option *
option_find(const struct option *options, size_t n, const char *name)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (strcmp(options[i].name, name) == 0)
			return &options[i];
	return NULL;
}

static size_t
least_of(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Letters to insert, delete or change to make b of a (Levenshtein). */
static size_t
edit_distance(const char *a, const char *b)
{
	size_t row[GUESS_NAME_MAX + 1], len = strlen(b), i, j, diagonal, above;

	for (j = 0; j <= len; j++)
		row[j] = j;
	for (i = 1; a[i - 1] != '\0'; i++) {
		diagonal = row[0];
		row[0] = i;
		for (j = 1; j <= len; j++) {
			above = row[j];
			row[j] = least_of(least_of(above, row[j - 1]) + 1,
			    diagonal + (a[i - 1] != b[j - 1]));
			diagonal = above;
		}
	}
	return row[len];
}

const struct option *
option_guess(const struct option *options, size_t n, const char *name)
{
	const struct option *best = NULL;
	size_t best_distance = strlen(name) / 3 + 1, distance, i;

	if (strlen(name) > GUESS_NAME_MAX)
		return NULL;
	for (i = 0; i < n; i++) {
		assert(strlen(options[i].name) <= GUESS_NAME_MAX);
		distance = edit_distance(name, options[i].name);
		if (distance < best_distance) {
			best_distance = distance;
			best = &options[i];
		}
	}
	return best;
}

static void
append_words(const char *const *words, struct buf *out)
{
	size_t i;

	for (i = 0; words[i] != NULL; i++)
		buf_printf(out, "%s%s",
		    i == 0                     ? ""
			: words[i + 1] == NULL ? " or "
					       : ", ",
		    words[i]);
}

void
option_range(const struct option *option, struct buf *out)
{
	if (option->type == OPT_WORD)
		append_words(option->words, out);
	else if (option->least != NULL && option->most != NULL)
		buf_printf(out, "%s to %s", option->least, option->most);
	else if (option->least != NULL)
		buf_printf(out, "at least %s", option->least);
	else if (option->most != NULL)
		buf_printf(out, "at most %s", option->most);
	else
		buf_append_str(out, type_ops[option->type].what);
}
