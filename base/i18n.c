/*
 * i18n.c - languages, and looking messages up.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <string.h>

#include "base/embedded.h"
#include "base/i18n.h"
#include "base/mo.h"
#include "base/str.h"

/* Of an Accept-Language field: more is not looked at. */
#define ACCEPT_RANGES_MAX 20
/* Weights are thousandths. */
#define WEIGHT_ONE 1000

static const struct {
	const char *tag;
	const char *name;
	const char *catalogue; /* NULL: the messages themselves */
} languages[LANGUAGE_COUNT] = {
	[LANGUAGE_EN] = { "en", "English", NULL },
	[LANGUAGE_JA] = { "ja", "日本語", "ja.mo" },
};

const char *
language_tag(enum language language)
{
	return languages[language].tag;
}

const char *
language_name(enum language language)
{
	return languages[language].name;
}

int
language_parse(const char *tag)
{
	int i;

	for (i = 0; i < LANGUAGE_COUNT; i++)
		if (str_equal_nocase(languages[i].tag, tag))
			return i;
	return -1;
}

/* ---- Accept-Language ---- */

/* "ja-JP" and "ja" are ja; "*" is the first language. */
static int
range_language(struct bytes range)
{
	struct cursor c = cursor_of(range);
	struct bytes primary = cursor_until(&c, "-");
	int i;

	if (bytes_equal(range, BYTES_LIT("*")))
		return LANGUAGE_EN;
	for (i = 0; i < LANGUAGE_COUNT; i++)
		if (bytes_equal_nocase(primary, bytes_of(languages[i].tag)))
			return i;
	return -1;
}

/* ";q=0.8" in thousandths; without one, or a broken one, 1. */
static int
range_weight(struct cursor *c)
{
	int weight = WEIGHT_ONE, unit = WEIGHT_ONE / 10;

	(void)cursor_space(c);
	if (!cursor_char(c, ';'))
		return weight;
	(void)cursor_space(c);
	if (!cursor_literal(c, "q="))
		return weight;
	if (cursor_char(c, '1'))
		return weight;
	if (!cursor_char(c, '0'))
		return weight;
	weight = 0;
	if (!cursor_char(c, '.'))
		return weight;
	for (; unit > 0 && ascii_is_digit((char)cursor_peek(c)); unit /= 10)
		weight += unit * (*c->p++ - '0');
	return weight;
}

enum language
language_accept(const char *field)
{
	enum language best = LANGUAGE_EN;
	int best_weight = 0, weight, language, n;
	struct cursor c, item;
	struct bytes range;

	if (field == NULL)
		return best;
	c = cursor_of(bytes_of(field));
	for (n = 0; n < ACCEPT_RANGES_MAX && !cursor_at_end(&c); n++) {
		item = cursor_of(cursor_until(&c, ","));
		(void)cursor_char(&c, ',');
		(void)cursor_space(&item);
		range = bytes_trim(cursor_until(&item, ";"));
		language = range_language(range);
		weight = range_weight(&item);
		/* Of equals the first counts. */
		if (language >= 0 && weight > best_weight) {
			best = (enum language)language;
			best_weight = weight;
		}
	}
	return best;
}

/* ---- messages ---- */

struct bytes
i18n_catalogue(enum language language)
{
	const struct embedded *file;

	for (file = i18n_catalogues; file->name != NULL; file++)
		if (languages[language].catalogue != NULL &&
		    strcmp(file->name, languages[language].catalogue) == 0)
			return (struct bytes){ (const char *)file->data,
				file->len };
	return (struct bytes){ NULL, 0 };
}

const char *
i18n_text(enum language language, const char *msgid)
{
	struct mo_message message;

	/* The empty message is the head of the catalogue. */
	if (msgid[0] == '\0' ||
	    !mo_find(i18n_catalogue(language), msgid, &message) ||
	    message.text.len == 0)
		return msgid;
	return message.text.data;
}

const char *
i18n_plural(enum language language, const char *msgid, const char *msgid_plural,
    unsigned long n)
{
	struct mo_message message;

	/* Our only catalogue is of a language without plurals: its first
	 * text serves all numbers. */
	if (mo_find(i18n_catalogue(language), msgid, &message) &&
	    message.text.len > 0)
		return message.text.data;
	return n == 1 ? msgid : msgid_plural;
}
