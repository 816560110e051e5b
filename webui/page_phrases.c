/*
 * page_phrases.c - errors in the language of the reader.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "webui/page_phrases.h"
#include "webui/page_words.h"

#define HOLES_MAX 4
/* Texts within texts. */
#define DEPTH_MAX 4

/* Names of parameters, as the labels of their fields say them. */
static const struct page_word fields[] = {
	{ "action", N_("Action"), NULL },
	{ "address", N_("Address"), NULL },
	{ "charset", N_("Character set"), NULL },
	{ "client", N_("Client IP address or network"), NULL },
	{ "comment", N_("Comment"), NULL },
	{ "csv", N_("File"), NULL },
	{ "csv_base64", N_("File"), NULL },
	{ "domain", N_("Domain"), NULL },
	{ "domains", N_("Domains"), NULL },
	{ "expires", N_("Expires"), NULL },
	{ "host", N_("Delivery server"), NULL },
	{ "ids", N_("Held mail"), NULL },
	{ "kind", N_("Kind"), NULL },
	{ "language", N_("Language"), NULL },
	{ "lifts_dmarc", N_("lifts DMARC failures"), NULL },
	{ "lookup_mx", N_("MX"), NULL },
	{ "mailbox", N_("Mailbox"), NULL },
	{ "mode", N_("What the table does not name"), NULL },
	{ "name", N_("User name"), NULL },
	{ "new_password", N_("New password"), NULL },
	{ "options", N_("Settings"), NULL },
	{ "password", N_("Password"), NULL },
	{ "pattern", N_("Pattern"), NULL },
	{ "port", N_("Port"), NULL },
	{ "priority", N_("Priority"), NULL },
	{ "repeat_password", N_("New password again"), NULL },
	{ "report_base64", N_("File"), NULL },
	{ "role", N_("Role"), NULL },
	{ "routes", N_("Routes"), NULL },
	{ "selector", N_("Selector"), NULL },
	{ "side", N_("About"), NULL },
	{ "since", N_("From day"), NULL },
	{ "source", N_("Alias"), NULL },
	{ "state", N_("State"), NULL },
	{ "status", N_("Status"), NULL },
	{ "targets", N_("Goes to"), NULL },
	{ "unauthenticated", N_("also without authentication"), NULL },
	{ "until", N_("To day"), NULL },
	{ "user", N_("User name"), NULL },
};

struct hole {
	struct bytes name, text;
};

struct match {
	size_t count;
	struct hole holes[HOLES_MAX];
};

/* The "{name}" at the start of a pattern: its length, or 0. */
static size_t
placeholder(const char *pattern, struct bytes *name)
{
	const char *end;

	if (*pattern != '{' || (end = strchr(pattern, '}')) == NULL)
		return 0;
	*name = (struct bytes){ pattern + 1, (size_t)(end - pattern - 1) };
	return (size_t)(end - pattern) + 1;
}

/* How much of text a hole takes that is followed by the rest of a pattern:
 * up to where its next literal part begins, or all. */
static size_t
hole_length(const char *rest, const char *text)
{
	size_t len = strcspn(rest, "{"), at;

	if (len == 0)
		return strlen(text);
	for (at = 0; text[at] != '\0'; at++)
		if (strncmp(text + at, rest, len) == 0)
			return at;
	return 0;
}

static bool
matches(const char *pattern, const char *text, struct match *match)
{
	struct hole *hole;
	struct bytes name;
	size_t len;

	match->count = 0;
	while (*pattern != '\0') {
		len = placeholder(pattern, &name);
		if (len == 0) {
			if (*pattern++ != *text++)
				return false;
			continue;
		}
		if (match->count == HOLES_MAX)
			return false;
		pattern += len;
		hole = &match->holes[match->count++];
		hole->name = name;
		hole->text = (struct bytes){ text, hole_length(pattern, text) };
		if (hole->text.len == 0 ||
		    (bytes_equal(name, BYTES_LIT("field")) &&
			memchr(text, ' ', hole->text.len) != NULL))
			return false;
		text += hole->text.len;
	}
	return *text == '\0';
}

/* What forms call this parameter: NULL when it is none that we know. */
static const char *
field_label(struct bytes field)
{
	const struct page_word *words;
	size_t i;

	for (i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		if (bytes_equal(bytes_of(fields[i].word), field))
			return fields[i].label;
	for (words = page_words_of("option"); words->word != NULL; words++)
		if (bytes_equal(bytes_of(words->word), field))
			return words->label;
	return NULL;
}

/* ---- one text ---- */

static bool translate(enum language language, struct bytes text, unsigned depth,
    struct buf *out);

/* What an option wants: "a number", "1 to 5". */
static bool translate_wanted(enum language language, struct bytes text,
    unsigned depth, struct buf *out);

/* A word that pages know under this kind, or NULL. */
static const char *
word_label(const char *kind, struct bytes word)
{
	const struct page_word *words;

	for (words = page_words_of(kind); words != NULL && words->word != NULL;
	     words++)
		if (bytes_equal(bytes_of(words->word), word))
			return words->label;
	return NULL;
}

static const char *
hole_label(const struct hole *hole)
{
	static const struct {
		const char *hole, *kind;
	} kinds[] = {
		{ "level", "level" },
		{ "role", "role" },
		{ "state", "state" },
	};
	size_t i;

	if (bytes_equal(hole->name, BYTES_LIT("field")))
		return field_label(hole->text);
	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (bytes_equal(hole->name, bytes_of(kinds[i].hole)))
			return word_label(kinds[i].kind, hole->text);
	return NULL;
}

/* false: there is a text within that is not known; it stands as it is. */
static bool
append_hole(enum language language, const struct hole *hole, unsigned depth,
    struct buf *out)
{
	const char *label = hole_label(hole);

	if (label != NULL)
		(void)buf_append_str(out, i18n_text(language, label));
	else if (bytes_equal(hole->name, BYTES_LIT("why")))
		return translate(language, hole->text, depth + 1, out);
	else if (bytes_equal(hole->name, BYTES_LIT("wanted")))
		return translate_wanted(language, hole->text, depth + 1, out);
	else
		(void)buf_append_bytes(out, hole->text);
	return true;
}

static const struct hole *
find_hole(const struct match *match, struct bytes name)
{
	size_t i;

	for (i = 0; i < match->count; i++)
		if (bytes_equal(match->holes[i].name, name))
			return &match->holes[i];
	return NULL;
}

/* The message with its holes filled; false as append_hole. */
static bool
fill(enum language language, const char *message, const struct match *match,
    unsigned depth, struct buf *out)
{
	const struct hole *hole;
	struct bytes name;
	bool known = true;
	size_t len;

	while (*message != '\0') {
		len = placeholder(message, &name);
		if (len == 0) {
			(void)buf_append_char(out, *message++);
			continue;
		}
		hole = find_hole(match, name);
		if (hole != NULL)
			known &= append_hole(language, hole, depth, out);
		message += len;
	}
	return known;
}

/* By the first pattern of the list that fits; whole: and whose texts within
 * are known, too. */
static bool
translate_by(enum language language, const char *const *patterns,
    const char *text, bool whole, unsigned depth, struct buf *out)
{
	struct match match;
	struct buf filled;
	bool found = false;

	buf_init(&filled, PHRASE_SIZE_MAX);
	for (; *patterns != NULL && !found; patterns++) {
		if (!matches(*patterns, text, &match))
			continue;
		buf_reset(&filled);
		found = fill(language, i18n_text(language, *patterns), &match,
			    depth, &filled) ||
		    !whole;
	}
	if (found)
		(void)buf_append_bytes(out, buf_bytes(&filled));
	buf_free(&filled);
	return found;
}

static bool
translate_wanted(enum language language, struct bytes text, unsigned depth,
    struct buf *out)
{
	char *copy = xmemdup(text.data, text.len);
	bool known =
	    translate_by(language, page_phrase_wanted, copy, false, depth, out);

	if (!known)
		(void)buf_append_bytes(out, text);
	free(copy);
	return known;
}

static bool
translate(enum language language, struct bytes text, unsigned depth,
    struct buf *out)
{
	char *copy = xmemdup(text.data, text.len);
	bool known = depth < DEPTH_MAX &&
	    (translate_by(language, page_phrases, copy, false, depth, out) ||
		translate_by(language, page_phrase_contexts, copy, true, depth,
		    out));

	if (!known)
		(void)buf_append_bytes(out, text);
	free(copy);
	return known;
}

/* ---- the whole ---- */

bool
phrase_translate(enum language language, const char *text, struct buf *out)
{
	return translate(language, bytes_of(text), 0, out);
}

bool
phrase_wanted(enum language language, const char *text, struct buf *out)
{
	return translate_wanted(language, bytes_of(text), 0, out);
}

static void
see_list(const char *const *list,
    void (*see)(void *context, const char *where, const char *msgid,
	const char *plural),
    void *context)
{
	for (; *list != NULL; list++)
		see(context, "page_phrase_list.c", *list, NULL);
}

void
phrase_messages(void (*see)(void *context, const char *where, const char *msgid,
		    const char *plural),
    void *context)
{
	size_t i;

	see_list(page_phrases, see, context);
	see_list(page_phrase_contexts, see, context);
	see_list(page_phrase_wanted, see, context);
	for (i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		see(context, "page_phrases.c", fields[i].label, NULL);
}
