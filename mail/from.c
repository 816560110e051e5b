/*
 * from.c - the addresses in a From header, as any mail reader may take it.
 *
 * An element of the list is first looked over up to what ends it, which
 * tells whether it is a mailbox with or without angle brackets, the name of
 * a group, or a piece of a name; then it is read as that.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <string.h>

#include "base/str.h"
#include "mail/from.h"

#define ESC '\x1b'
/* Octets of a local part or domain while it is put together. */
#define PART_MAX 2048

struct parser {
	struct arena *arena;
	struct cursor c;
	struct from_list *list;
	struct err *err;
	bool in_group;
	bool saw_nobody;      /* an element without domain */
	const char *name;     /* where the display name begins, or NULL */
	const char *spec_end; /* behind the last word of an address */
	/* Up to here no encoded word and no way back to ASCII was found:
	 * looking again at each place would be quadratic. */
	const char *no_encoded_word;
	const char *no_iso2022;
};

/* What the look over an element saw before its end. */
struct outline {
	bool has_words;
	bool has_at;     /* outside quotes and comments */
	bool has_hidden; /* "@" in quotes or comments, or an encoded word: a
			  * careless reader may find an address there */
};

static int
malformed(struct parser *p, const char *reason)
{
	return err_set(p->err, ERR_INPUT, "%s", reason);
}

static bool
is_atext(int ch)
{
	return ch >= 0x80 ||
	    (ch > 0 &&
		(ascii_is_alnum((char)ch) ||
		    strchr("!#$%&'*+-/=?^_`{|}~", ch) != NULL));
}

/* ---- comments and white space ---- */

/* At '('; nested.  A backslash takes the next character as it is. */
static int
skip_comment(struct parser *p)
{
	unsigned depth = 0;
	char ch;

	while (p->c.p < p->c.end) {
		ch = *p->c.p++;
		if (ch == '\\' && p->c.p < p->c.end)
			p->c.p++;
		else if (ch == ')' && --depth == 0)
			return 0;
		else if (ch == '(' && ++depth > FROM_COMMENT_DEPTH_MAX)
			return err_set(p->err, ERR_LIMIT,
			    "comments more than %d deep",
			    FROM_COMMENT_DEPTH_MAX);
	}
	return malformed(p, "comment is not closed");
}

/* CFWS of RFC 5322. */
static int
skip_cfws(struct parser *p)
{
	for (;;) {
		cursor_space(&p->c);
		if (cursor_peek(&p->c) != '(')
			return 0;
		if (skip_comment(p) < 0)
			return -1;
	}
}

/* At '"': to behind the closing one. */
static int
skip_quoted(struct parser *p)
{
	char ch;

	p->c.p++;
	while (p->c.p < p->c.end) {
		ch = *p->c.p++;
		if (ch == '"')
			return 0;
		if (ch == '\\' && p->c.p < p->c.end)
			p->c.p++;
	}
	return malformed(p, "quoted string is not closed");
}

/* ---- the look over an element ---- */

/* =?charset?B?...?= with anything but what ends a word inside. */
static bool
skip_encoded_word(struct parser *p)
{
	struct cursor at = p->c;

	if (p->c.p < p->no_encoded_word || !cursor_literal(&at, "=?"))
		return false;
	cursor_until(&at, "? \t\r\n<>\"");
	if (!cursor_literal(&at, "?b?") && !cursor_literal(&at, "?q?"))
		return false;
	do {
		cursor_until(&at, "? \t\r\n<>\"");
		if (cursor_literal(&at, "?=")) {
			p->c = at;
			return true;
		}
	} while (cursor_char(&at, '?'));
	p->no_encoded_word = at.p;
	return false;
}

/* Raw ISO-2022-JP: its double bytes hold quotes, brackets and commas that
 * mean nothing.  From the escape to the one that goes back to ASCII. */
static bool
skip_iso2022(struct parser *p)
{
	struct cursor at = p->c;

	if (p->c.p < p->no_iso2022 ||
	    (!cursor_literal(&at, "\x1b$") && !cursor_literal(&at, "\x1b(I")))
		return false;
	do {
		cursor_until(&at, "\x1b\r\n");
		if (cursor_literal(&at, "\x1b(B") ||
		    cursor_literal(&at, "\x1b(J")) {
			p->c = at;
			return true;
		}
	} while (cursor_char(&at, ESC));
	p->no_iso2022 = at.p;
	return false;
}

/* "[Bugs]" in a name, or a domain literal. */
static bool
skip_brackets(struct cursor *c)
{
	struct cursor at = *c;

	if (!cursor_char(&at, '['))
		return false;
	cursor_until(&at, "[]<>\",;\\\r\n");
	if (!cursor_char(&at, ']'))
		return false;
	*c = at;
	return true;
}

static bool
has_at_sign(const char *start, const char *end)
{
	return memchr(start, '@', (size_t)(end - start)) != NULL;
}

/* One piece of an element: a quoted string, a comment, a word, or a
 * character that has no meaning here. */
static int
look_over_piece(struct parser *p, struct outline *outline)
{
	const char *start = p->c.p;

	if (*start == '"' || *start == '(') {
		if ((*start == '"' ? skip_quoted(p) : skip_comment(p)) < 0)
			return -1;
		outline->has_words |= *start == '"';
		outline->has_hidden |= has_at_sign(start, p->c.p);
		return 0;
	}
	outline->has_words = true;
	if (skip_encoded_word(p))
		outline->has_hidden = true;
	else if (!skip_iso2022(p) && !skip_brackets(&p->c))
		p->c.p++;
	outline->has_at |= has_at_sign(start, p->c.p);
	return 0;
}

/* To what ends the element or its name, which is returned; 0 at the end of
 * the value; -1. */
static int
look_over(struct parser *p, struct outline *outline)
{
	*outline = (struct outline){ false, false, false };
	for (;;) {
		cursor_space(&p->c);
		if (cursor_at_end(&p->c))
			return 0;
		if (strchr("<,:;", *p->c.p) != NULL)
			return *p->c.p;
		if (look_over_piece(p, outline) < 0)
			return -1;
	}
}

/* ---- addresses ---- */

static int
add(struct parser *p, struct bytes local, struct bytes domain,
    struct bytes name)
{
	struct from_list *list = p->list;

	if (list->count == FROM_ADDRESS_MAX)
		return err_set(p->err, ERR_LIMIT, "more than %d addresses",
		    FROM_ADDRESS_MAX);
	if (address_make(p->arena, local, domain, &list->addresses[list->count],
		p->err) < 0)
		return -1;
	list->names[list->count++] = bytes_trim(name);
	return 0;
}

/* At '"': its text without quotes, folds and backslashes. */
static int
read_quoted(struct parser *p, struct buf *out)
{
	const char *at = p->c.p + 1, *end;

	if (skip_quoted(p) < 0)
		return -1;
	for (end = p->c.p - 1; at < end; at++) {
		if (*at == '\r' || *at == '\n')
			continue;
		if (*at == '\\')
			at++;
		buf_append_char(out, *at);
	}
	return 0;
}

static void
read_atom(struct parser *p, struct buf *out)
{
	const char *start = p->c.p;

	while (is_atext(cursor_peek(&p->c)))
		p->c.p++;
	buf_append(out, start, (size_t)(p->c.p - start));
}

/* Words and dots up to what is neither; two words need a dot between. */
static int
read_words(struct parser *p, bool quoted_too, struct buf *out)
{
	bool after_word = false;
	int ch;

	for (;;) {
		if (skip_cfws(p) < 0)
			return -1;
		ch = cursor_peek(&p->c);
		if (ch == '.') {
			p->c.p++;
			buf_append_char(out, '.');
			after_word = false;
			p->spec_end = p->c.p;
			continue;
		}
		if (after_word || !(is_atext(ch) || (ch == '"' && quoted_too)))
			return 0;
		if (ch != '"')
			read_atom(p, out);
		else if (read_quoted(p, out) < 0)
			return -1;
		after_word = true;
		p->spec_end = p->c.p;
	}
}

/* At '[': up to ']', without white space and backslashes. */
static int
read_literal(struct parser *p, struct buf *out)
{
	int ch;

	while ((ch = cursor_peek(&p->c)) >= 0) {
		p->c.p++;
		if (ch == '\\' && !cursor_at_end(&p->c))
			ch = (unsigned char)*p->c.p++;
		else if (ascii_is_space((char)ch))
			continue;
		buf_append_char(out, (char)ch);
		if (ch == ']') {
			p->spec_end = p->c.p;
			return skip_cfws(p);
		}
	}
	return malformed(p, "domain literal is not closed");
}

static int
read_domain(struct parser *p, struct buf *out)
{
	if (skip_cfws(p) < 0)
		return -1;
	if (cursor_peek(&p->c) == '[')
		return read_literal(p, out);
	return read_words(p, false, out);
}

/* *nobody: there is no domain, and only "@" is missing. */
static int
read_parts(struct parser *p, struct buf *local, struct buf *domain,
    bool *nobody)
{
	if (read_words(p, true, local) < 0)
		return -1;
	*nobody = cursor_peek(&p->c) == '>';
	if (*nobody)
		return 0;
	if (!cursor_char(&p->c, '@'))
		return malformed(p, "no address");
	if (read_domain(p, domain) < 0)
		return -1;
	if (local->overflow || domain->overflow)
		return malformed(p, "address too long");
	return 0;
}

/* addr-spec and the CFWS behind it; must end at one of ends (0: the end of
 * the value). */
static int
read_addr_spec(struct parser *p, const char *ends, struct bytes name)
{
	struct buf local, domain;
	bool nobody = false;
	int rc, ch;

	buf_init(&local, PART_MAX);
	buf_init(&domain, PART_MAX);
	rc = read_parts(p, &local, &domain, &nobody);
	ch = cursor_peek(&p->c);
	if (rc == 0 && (ch == 0 || strchr(ends, ch < 0 ? 0 : ch) == NULL))
		rc = malformed(p, "something stands behind an address");
	if (rc == 0 && nobody)
		p->saw_nobody = true;
	else if (rc == 0)
		rc = add(p, buf_bytes(&local), buf_bytes(&domain), name);
	buf_free(&local);
	buf_free(&domain);
	return rc;
}

/* obs-route: "@one,@two:" */
static int
skip_route(struct parser *p)
{
	struct buf hop;
	int rc = 0;

	buf_init(&hop, PART_MAX);
	while (rc == 0 && !cursor_char(&p->c, ':')) {
		if (cursor_char(&p->c, '@'))
			rc = read_domain(p, &hop);
		else if (cursor_char(&p->c, ','))
			rc = skip_cfws(p);
		else
			rc = malformed(p, "bad source route");
		buf_reset(&hop);
	}
	buf_free(&hop);
	return rc;
}

/* At '<'. */
static int
read_angle(struct parser *p, struct bytes name)
{
	p->c.p++;
	if (skip_cfws(p) < 0)
		return -1;
	if ((cursor_peek(&p->c) == '@' || cursor_peek(&p->c) == ',') &&
	    skip_route(p) < 0)
		return -1;
	if (read_addr_spec(p, ">", name) < 0)
		return -1;
	if (!cursor_char(&p->c, '>'))
		return malformed(p, "angle bracket is not closed");
	if (skip_cfws(p) < 0)
		return -1;
	if (!cursor_at_end(&p->c) && strchr(",;", *p->c.p) == NULL)
		return malformed(p, "something stands behind an address");
	return 0;
}

/* ---- what stands unquoted in a display name ---- */

static bool
is_domain_char(int ch)
{
	return ch >= 0x80 ||
	    (ch > 0 && (ascii_is_alnum((char)ch) || strchr("-._", ch) != NULL));
}

/* An "@" inside name that reads as an address with a dotted domain. */
static int
add_around_at(struct parser *p, struct bytes name, const char *at)
{
	const char *start = at, *end = at + 1, *name_end = name.data + name.len;
	struct address address;
	struct bytes local, domain;

	while (start > name.data &&
	    (is_atext((unsigned char)start[-1]) || start[-1] == '.'))
		start--;
	while (end < name_end && is_domain_char((unsigned char)*end))
		end++;
	local = (struct bytes){ start, (size_t)(at - start) };
	domain = domain_at_start(p->arena,
	    (struct bytes){ at + 1, (size_t)(end - at - 1) });
	if (domain.len == 0 || memchr(domain.data, '.', domain.len) == NULL ||
	    address_make(p->arena, local, domain, &address, NULL) < 0)
		return 0;
	return add(p, local, domain, (struct bytes){ NULL, 0 });
}

static int
add_from_name(struct parser *p, struct bytes name)
{
	struct parser inside = *p;
	struct outline outline;
	const char *piece, *at;

	inside.c = cursor_of(name);
	inside.no_encoded_word = inside.no_iso2022 = name.data;
	while (!cursor_at_end(&inside.c)) {
		piece = inside.c.p;
		outline = (struct outline){ false, false, false };
		if (look_over_piece(&inside, &outline) < 0)
			return -1;
		if (!outline.has_at || outline.has_hidden)
			continue;
		for (at = piece; at < inside.c.p; at++)
			if (*at == '@' && add_around_at(p, name, at) < 0)
				return -1;
	}
	return 0;
}

/* ---- the list ---- */

/* [display-name] angle-addr; c stands at '<'. */
static int
read_name_addr(struct parser *p, const struct outline *outline)
{
	struct bytes name = { p->name, (size_t)(p->c.p - p->name) };

	if (outline->has_at && add_from_name(p, name) < 0)
		return -1;
	return read_angle(p, name);
}

/* An addr-spec that begins at start, and the old way to give a
 * name: a@b (John Doe). */
static int
read_bare(struct parser *p, const char *start)
{
	struct from_list *list = p->list;

	p->c.p = start;
	if (read_addr_spec(p, ",;", (struct bytes){ NULL, 0 }) < 0)
		return -1;
	list->names[list->count - 1] = bytes_trim(
	    (struct bytes){ p->spec_end, (size_t)(p->c.p - p->spec_end) });
	return 0;
}

static int
read_element(struct parser *p)
{
	const char *start = p->c.p;
	struct outline outline;
	int stop;

	if (p->name == NULL)
		p->name = start;
	stop = look_over(p, &outline);
	if (stop < 0)
		return -1;
	if (stop == ':') {
		if (p->in_group || outline.has_at || !outline.has_words)
			return malformed(p, "bad group");
		p->c.p++;
		p->in_group = true;
		p->name = NULL;
		return 0;
	}
	if (stop != '<' && !outline.has_at) {
		/* "Doe" of "Doe, John <j@d>": the name goes on */
		if (outline.has_hidden)
			return malformed(p, "a name without an address");
		if (p->name == start && !outline.has_words)
			p->name = NULL;
		return 0;
	}
	if ((stop == '<' ? read_name_addr(p, &outline) : read_bare(p, start)) <
	    0)
		return -1;
	p->name = NULL;
	return 0;
}

static int
read_list(struct parser *p)
{
	for (;;) {
		cursor_space(&p->c);
		if (cursor_at_end(&p->c))
			return 0;
		if (cursor_char(&p->c, ','))
			continue;
		if (cursor_char(&p->c, ';')) {
			if (!p->in_group)
				return malformed(p, "no group to close");
			p->in_group = false;
			if (skip_cfws(p) < 0)
				return -1;
			if (!cursor_at_end(&p->c) && cursor_peek(&p->c) != ',')
				return malformed(p,
				    "something stands behind a group");
			continue;
		}
		if (read_element(p) < 0)
			return -1;
	}
}

/* NUL ends the text for some readers, and a lone CR or LF the line. */
static bool
has_line_break_or_nul(struct bytes value)
{
	size_t i;

	for (i = 0; i < value.len; i++) {
		if (value.data[i] == '\0')
			return true;
		if (value.data[i] != '\r' && value.data[i] != '\n')
			continue;
		if (value.len - i < 2 ||
		    (value.data[i] == '\r' && value.data[i + 1] != '\n') ||
		    (value.data[i] == '\n' && value.data[i + 1] != ' ' &&
			value.data[i + 1] != '\t'))
			return true;
	}
	return false;
}

int
from_parse(struct arena *arena, struct bytes value, struct from_list *list,
    struct err *err)
{
	struct parser p = { .arena = arena,
		.c = cursor_of(value),
		.list = list,
		.err = err };

	p.no_encoded_word = p.no_iso2022 = p.c.p;
	list->count = 0;
	list->anonymous = false;
	if (value.len > FROM_VALUE_MAX)
		return err_set(err, ERR_LIMIT, "longer than %d bytes",
		    FROM_VALUE_MAX);
	if (has_line_break_or_nul(value))
		return malformed(&p, "NUL or lone CR or LF");
	if (read_list(&p) < 0)
		return -1;
	list->anonymous = list->count == 0 && (p.saw_nobody || p.name != NULL);
	if (list->count == 0 || p.saw_nobody)
		return malformed(&p, "an address without domain, or none");
	return 0;
}
