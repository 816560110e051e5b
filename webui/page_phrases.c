/*
 * page_phrases.c - errors in the language of the reader.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <string.h>

#include "base/template.h"
#include "webui/page_phrases.h"
#include "webui/page_words.h"

#define HOLES_MAX 4
#define NAME_MAX_OCTETS 64

/* {field} is the name of a parameter: one word, shown as forms call it. */
static const char *const phrases[] = {
	N_("{field}: must be given"),
	N_("{field}: must be text"),
	N_("{field}: must be a list"),
	N_("{field}: must be yes or no"),
	N_("{field}: must be UTF-8"),
	N_("{field}: must be one line, without control characters"),
	N_("{field}: must be a number from {least} to {most}"),
	N_("{field}: must have at most {n} octets"),
	N_("{field}: must have at least {n} characters"),
	N_("{field}: must not hold the name of the user"),
	N_("{field}: is the old one"),
	N_("{field}: is not the same"),
	/* NOLINTNEXTLINE(bugprone-suspicious-missing-comma) */
	N_("{field}: must be an address such as user@example.net, not "
	   "'{text}'"),
	N_("{field}: must be an address such as user@example.net"),
	N_("{field}: must be {wanted}, not {text}"),
	N_("{field}: '{text}' is none of the words it may be"),
	N_("{field}: '{text}' is no address: {why}"),
	N_("{field}: '{text}' is no domain: {why}"),
	N_("{field}: '{text}' is no address"),
	N_("{field}: {name} is not among what you may see"),
	N_("{field}: there is no domain {name}"),
	N_("{field}: there is no user {name}"),
	N_("{field}: there is a user {name} already"),
	N_("{field}: there is no state '{name}'"),
	N_("{field}: {name} is the last operator who can sign in"),
	N_("{field}: must be an address, @domain or .domain"),
	N_("{field}: {name} is listed already, with other settings"),
	N_("{field}: {name} is listed already, with other values"),
	N_("{field}: {name} is there already, with other settings"),
	N_("{field}: {name} is an alias already, with other targets"),
	N_("this form is too old, or is not from here: go back, load the page "
	   "again and try once more"),
	N_("there is no held mail {name}"),
	N_("there is no user {name}"),
	N_("there is nothing here"),
	N_("this can be read or changed, but not in this way"),
	N_("this is not for your role"),
	N_("please sign in"),
	N_("your password must be changed first"),
	N_("the name or the password is wrong"),
	N_("too many attempts: try again in {n} minutes"),
	N_("too many attempts: try again in {n} seconds"),
	N_("this mail has no sender that a row could be made for"),
	N_("the mail is larger than hold_message_max"),
	N_("{id} is not released, it is {state}: {why}"),
	N_("the settings were changed meanwhile"),
	N_("the settings are being changed by others all the time"),
	N_("the table is empty"),
	N_("the table is too large"),
	N_("the table has too many rows"),
	N_("the table has more than {n} octets"),
	N_("the text is neither UTF-8 nor CP932"),
	N_("the file is UTF-16; save it as CSV UTF-8"),
	N_("the column '{name}' is missing"),
	N_("there is no column '{name}'; the columns are {names}"),
	N_("says again what line {n} says"),
	N_("more fields than columns"),
	N_("line {n}: {text}"),
};

/* Names of parameters, as the labels of their fields say them. */
static const struct page_word fields[] = {
	{ "action", N_("Action"), NULL },
	{ "address", N_("Address"), NULL },
	{ "client", N_("Client IP address or network"), NULL },
	{ "comment", N_("Comment"), NULL },
	{ "csv", N_("File"), NULL },
	{ "csv_base64", N_("File"), NULL },
	{ "domain", N_("Domain"), NULL },
	{ "domains", N_("Domains"), NULL },
	{ "expires", N_("Expires"), NULL },
	{ "host", N_("Delivery server"), NULL },
	{ "kind", N_("Kind"), NULL },
	{ "language", N_("Language"), NULL },
	{ "mailbox", N_("Mailbox"), NULL },
	{ "name", N_("User name"), NULL },
	{ "new_password", N_("New password"), NULL },
	{ "password", N_("Password"), NULL },
	{ "pattern", N_("Pattern"), NULL },
	{ "port", N_("Port"), NULL },
	{ "priority", N_("Priority"), NULL },
	{ "repeat_password", N_("New password again"), NULL },
	{ "role", N_("Role"), NULL },
	{ "routes", N_("Routes"), NULL },
	{ "side", N_("About"), NULL },
	{ "since", N_("From day"), NULL },
	{ "source", N_("Alias"), NULL },
	{ "state", N_("State"), NULL },
	{ "status", N_("Status"), NULL },
	{ "targets", N_("Goes to"), NULL },
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

static void
append_hole(enum language language, const struct match *match,
    struct bytes name, struct buf *out)
{
	const char *label;
	size_t i;

	for (i = 0; i < match->count; i++) {
		if (!bytes_equal(match->holes[i].name, name))
			continue;
		label = bytes_equal(name, BYTES_LIT("field"))
		    ? field_label(match->holes[i].text)
		    : NULL;
		if (label != NULL)
			(void)buf_append_str(out, i18n_text(language, label));
		else
			(void)buf_append_bytes(out, match->holes[i].text);
		return;
	}
}

void
phrase_translate(enum language language, const char *text, struct buf *out)
{
	struct match match;
	const char *message;
	struct bytes name;
	size_t i, len;

	for (i = 0; i < sizeof(phrases) / sizeof(phrases[0]); i++)
		if (matches(phrases[i], text, &match))
			break;
	if (i == sizeof(phrases) / sizeof(phrases[0])) {
		(void)buf_append_str(out, text);
		return;
	}
	for (message = i18n_text(language, phrases[i]); *message != '\0';) {
		len = placeholder(message, &name);
		if (len == 0) {
			(void)buf_append_char(out, *message++);
			continue;
		}
		append_hole(language, &match, name, out);
		message += len;
	}
}

void
phrase_messages(void (*see)(void *context, const char *where, const char *msgid,
		    const char *plural),
    void *context)
{
	static const char where[] = "page_phrases.c";
	size_t i;

	for (i = 0; i < sizeof(phrases) / sizeof(phrases[0]); i++)
		see(context, where, phrases[i], NULL);
	for (i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		see(context, where, fields[i].label, NULL);
}
