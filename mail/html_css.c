/*
 * html_css.c - the CSS of a mail, as much of it as a preview may carry.
 *
 * Not a CSS parser: what it reads otherwise than a browser would comes out
 * as other harmless CSS.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <string.h>

#include "base/str.h"
#include "base/utf8.h"
#include "mail/html_css.h"

#define NAME_MAX 60
#define VALUE_MAX 300
/* Larger lengths only serve to push things out of sight. */
#define NUMBER_DIGITS_MAX 4
#define FUNCTION_MAX 60

enum kind {
	KIND_PLAIN, /* names, numbers, colours */
	KIND_FONT,  /* also names of fonts */
	KIND_SHOW,  /* display */
};

/* Sorted by name. */
static const struct property {
	const char *name;
	enum kind kind;
} properties[] = {
	{ "background", KIND_PLAIN },
	{ "background-color", KIND_PLAIN },
	{ "border", KIND_PLAIN },
	{ "border-bottom", KIND_PLAIN },
	{ "border-bottom-color", KIND_PLAIN },
	{ "border-bottom-style", KIND_PLAIN },
	{ "border-bottom-width", KIND_PLAIN },
	{ "border-collapse", KIND_PLAIN },
	{ "border-color", KIND_PLAIN },
	{ "border-left", KIND_PLAIN },
	{ "border-left-color", KIND_PLAIN },
	{ "border-left-style", KIND_PLAIN },
	{ "border-left-width", KIND_PLAIN },
	{ "border-radius", KIND_PLAIN },
	{ "border-right", KIND_PLAIN },
	{ "border-right-color", KIND_PLAIN },
	{ "border-right-style", KIND_PLAIN },
	{ "border-right-width", KIND_PLAIN },
	{ "border-spacing", KIND_PLAIN },
	{ "border-style", KIND_PLAIN },
	{ "border-top", KIND_PLAIN },
	{ "border-top-color", KIND_PLAIN },
	{ "border-top-style", KIND_PLAIN },
	{ "border-top-width", KIND_PLAIN },
	{ "border-width", KIND_PLAIN },
	{ "box-sizing", KIND_PLAIN },
	{ "caption-side", KIND_PLAIN },
	{ "clear", KIND_PLAIN },
	{ "color", KIND_PLAIN },
	{ "direction", KIND_PLAIN },
	{ "display", KIND_SHOW },
	{ "empty-cells", KIND_PLAIN },
	{ "float", KIND_PLAIN },
	{ "font", KIND_FONT },
	{ "font-family", KIND_FONT },
	{ "font-size", KIND_PLAIN },
	{ "font-style", KIND_PLAIN },
	{ "font-variant", KIND_PLAIN },
	{ "font-weight", KIND_PLAIN },
	{ "height", KIND_PLAIN },
	{ "letter-spacing", KIND_PLAIN },
	{ "line-height", KIND_PLAIN },
	{ "list-style", KIND_PLAIN },
	{ "list-style-position", KIND_PLAIN },
	{ "list-style-type", KIND_PLAIN },
	{ "margin", KIND_PLAIN },
	{ "margin-bottom", KIND_PLAIN },
	{ "margin-left", KIND_PLAIN },
	{ "margin-right", KIND_PLAIN },
	{ "margin-top", KIND_PLAIN },
	{ "max-height", KIND_PLAIN },
	{ "max-width", KIND_PLAIN },
	{ "min-height", KIND_PLAIN },
	{ "min-width", KIND_PLAIN },
	{ "opacity", KIND_PLAIN },
	{ "overflow", KIND_PLAIN },
	{ "overflow-wrap", KIND_PLAIN },
	{ "padding", KIND_PLAIN },
	{ "padding-bottom", KIND_PLAIN },
	{ "padding-left", KIND_PLAIN },
	{ "padding-right", KIND_PLAIN },
	{ "padding-top", KIND_PLAIN },
	{ "table-layout", KIND_PLAIN },
	{ "text-align", KIND_PLAIN },
	{ "text-decoration", KIND_PLAIN },
	{ "text-indent", KIND_PLAIN },
	{ "text-transform", KIND_PLAIN },
	{ "vertical-align", KIND_PLAIN },
	{ "visibility", KIND_PLAIN },
	{ "white-space", KIND_PLAIN },
	{ "width", KIND_PLAIN },
	{ "word-break", KIND_PLAIN },
	{ "word-spacing", KIND_PLAIN },
	{ "word-wrap", KIND_PLAIN },
};

static const char *const displays[] = { "none", "block", "inline",
	"inline-block", "list-item", "table", "inline-table", "table-row",
	"table-cell", "table-caption", "table-row-group", "table-header-group",
	"table-footer-group", "table-column", "table-column-group" };
static const char *const functions[] = { "rgb", "rgba", "hsl", "hsla" };
static const char *const units[] = { "", "%", "px", "pt", "pc", "em", "ex",
	"rem", "ch", "in", "cm", "mm", "deg" };

/* ---- words ---- */

static bool
is_name_start(char c)
{
	return ascii_is_alpha(c) || c == '-' || c == '_';
}

static bool
is_name_char(char c)
{
	return is_name_start(c) || ascii_is_digit(c);
}

static struct bytes
take_name(struct cursor *c)
{
	struct bytes name = { c->p, 0 };

	while (!cursor_at_end(c) && is_name_char(*c->p))
		c->p++;
	name.len = (size_t)(c->p - name.data);
	return name;
}

static bool
is_among(struct bytes word, const char *const *words, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (bytes_equal_nocase(word, bytes_of(words[i])))
			return true;
	return false;
}

static const struct property *
find_property(struct bytes name)
{
	size_t low = 0, high = sizeof(properties) / sizeof(*properties), mid;
	char lower[NAME_MAX + 1];
	int order;

	if (name.len == 0 || name.len > NAME_MAX)
		return NULL;
	memcpy(lower, name.data, name.len);
	lower[name.len] = '\0';
	ascii_lowercase(lower);
	while (low < high) {
		mid = (low + high) / 2;
		order = strcmp(lower, properties[mid].name);
		if (order == 0)
			return &properties[mid];
		if (order < 0)
			high = mid;
		else
			low = mid + 1;
	}
	return NULL;
}

int
html_css_append_name(struct bytes name, struct buf *out)
{
	size_t i;

	if (name.len == 0 || name.len > NAME_MAX)
		return -1;
	for (i = 0; i < name.len; i++)
		if (!is_name_char(name.data[i]))
			return -1;
	buf_append_str(out, HTML_CSS_PREFIX);
	return buf_append_bytes(out, name);
}

/* ---- values ---- */

/* Each takes one thing and appends it; false: the declaration goes. */

static bool
value_number(struct cursor *c, struct buf *out)
{
	const char *start = c->p;
	struct bytes unit;
	size_t digits = 0;

	while (!cursor_at_end(c) && ascii_is_digit(*c->p)) {
		c->p++;
		digits++;
	}
	if (digits > NUMBER_DIGITS_MAX)
		return false;
	if (cursor_char(c, '.'))
		while (!cursor_at_end(c) && ascii_is_digit(*c->p)) {
			c->p++;
			digits++;
		}
	if (digits == 0)
		return false;
	unit = (struct bytes){ c->p, 0 };
	if (cursor_char(c, '%'))
		unit.len = 1;
	else
		unit = take_name(c);
	if (!is_among(unit, units, sizeof(units) / sizeof(*units)))
		return false;
	buf_append(out, start, (size_t)(c->p - start));
	return true;
}

static bool
value_hash(struct cursor *c, struct buf *out)
{
	const char *start = c->p++;

	while (!cursor_at_end(c) && ascii_hex_value(*c->p) >= 0)
		c->p++;
	if (c->p - start < 4 || c->p - start > 9)
		return false;
	buf_append(out, start, (size_t)(c->p - start));
	return true;
}

static bool
value_function(struct cursor *c, struct bytes name, struct buf *out)
{
	struct bytes inner;

	if (!is_among(name, functions, sizeof(functions) / sizeof(*functions)))
		return false;
	if (!cursor_span(c, "0123456789.,%/ ", &inner) ||
	    inner.len > FUNCTION_MAX || !cursor_char(c, ')'))
		return false;
	buf_append_bytes(out, name);
	buf_append_char(out, '(');
	buf_append_bytes(out, inner);
	buf_append_char(out, ')');
	return true;
}

static bool
value_name(struct cursor *c, enum kind kind, struct buf *out)
{
	struct bytes name = take_name(c);

	if (cursor_char(c, '('))
		return value_function(c, name, out);
	if (name.data[0] == '-')
		return false; /* a negative number, or a vendor's own */
	if (kind == KIND_SHOW &&
	    !is_among(name, displays, sizeof(displays) / sizeof(*displays)))
		return false;
	buf_append_bytes(out, name);
	return true;
}

/* A font's name may be Japanese. */
static bool
is_font_char(char c)
{
	return is_name_char(c) || c == ' ' || c == '.' || (c & 0x80) != 0;
}

static bool
value_font_name(struct cursor *c, struct buf *out)
{
	char quote = *c->p == '"' || *c->p == '\'' ? *c->p : '\0';
	const char *start;

	if (quote != '\0')
		c->p++;
	start = c->p;
	while (!cursor_at_end(c) && is_font_char(*c->p))
		c->p++;
	buf_append_char(out, '\'');
	buf_append_bytes(out,
	    bytes_trim((struct bytes){ start, (size_t)(c->p - start) }));
	buf_append_char(out, '\'');
	return quote == '\0' || cursor_char(c, quote);
}

static bool
value_one(struct cursor *c, enum kind kind, struct buf *out)
{
	char first = *c->p;

	if (ascii_is_digit(first) || first == '.')
		return value_number(c, out);
	if (first == '#')
		return value_hash(c, out);
	if (first == ',' || first == '/') {
		c->p++;
		return buf_append_char(out, first) == 0;
	}
	if (kind == KIND_FONT &&
	    (first == '"' || first == '\'' || (first & 0x80) != 0))
		return value_font_name(c, out);
	if (is_name_start(first))
		return value_name(c, kind, out);
	return false;
}

static bool
append_value(struct bytes value, enum kind kind, struct buf *out)
{
	struct cursor c = cursor_of(bytes_trim(value));

	if (cursor_at_end(&c) || c.end - c.p > VALUE_MAX)
		return false;
	while (!cursor_at_end(&c) && *c.p != '!') {
		if (cursor_space(&c)) {
			if (cursor_peek(&c) != '!')
				buf_append_char(out, ' ');
			continue;
		}
		if (!value_one(&c, kind, out))
			return false;
	}
	return true;
}

/* ---- declarations ---- */

static bool
has_url(struct bytes text)
{
	struct cursor c = cursor_of(text);

	for (; !cursor_at_end(&c); c.p++)
		if (cursor_literal(&c, "url("))
			return true;
	return false;
}

static void
append_declaration(struct bytes name, struct bytes value, struct buf *out,
    struct html_css_count *count)
{
	const struct property *property = find_property(bytes_trim(name));
	struct buf text;

	buf_init(&text, 3 * VALUE_MAX);
	if (property != NULL && append_value(value, property->kind, &text) &&
	    !text.overflow) {
		buf_append_str(out, property->name);
		buf_append_char(out, ':');
		buf_append_bytes(out, buf_bytes(&text));
		buf_append_char(out, ';');
	} else {
		count->dropped++;
		count->urls += has_url(value);
	}
	buf_free(&text);
}

/* Without comments: each as a space.  What is in quotes is none. */
static void
strip_comments(struct bytes css, struct buf *out)
{
	struct cursor c = cursor_of(css);
	char quote = '\0';

	while (!cursor_at_end(&c)) {
		if (quote == '\0' && cursor_literal(&c, "/*")) {
			while (!cursor_at_end(&c) && !cursor_literal(&c, "*/"))
				c.p++;
			buf_append_char(out, ' ');
			continue;
		}
		if (*c.p == quote || *c.p == '\n')
			quote = '\0';
		else if (quote == '\0' && (*c.p == '"' || *c.p == '\''))
			quote = *c.p;
		buf_append_char(out, *c.p++);
	}
}

/* Up to a semicolon that is neither in quotes nor in brackets, as
 * url(data:image/png;base64,...) has one. */
static struct bytes
take_value(struct cursor *c)
{
	struct bytes value = { c->p, 0 };
	unsigned depth = 0;
	char quote = '\0';

	for (; !cursor_at_end(c); c->p++) {
		if (quote != '\0' || *c->p == '"' || *c->p == '\'') {
			if (quote == '\0')
				quote = *c->p;
			else if (*c->p == quote)
				quote = '\0';
			continue;
		}
		if (*c->p == '(')
			depth++;
		else if (*c->p == ')' && depth > 0)
			depth--;
		else if (*c->p == ';' && depth == 0)
			break;
	}
	value.len = (size_t)(c->p - value.data);
	return value;
}

static void
each_declaration(struct bytes css, struct buf *out,
    struct html_css_count *count)
{
	struct cursor c = cursor_of(css);
	struct bytes name, value;

	while (!cursor_at_end(&c) && !out->overflow) {
		name = cursor_until(&c, ":;");
		if (cursor_char(&c, ':')) {
			value = take_value(&c);
			append_declaration(name, value, out, count);
		} else if (bytes_trim(name).len > 0) {
			count->dropped++;
		}
		cursor_char(&c, ';');
	}
}

void
html_css_declarations(struct bytes css, struct buf *out,
    struct html_css_count *count)
{
	struct buf plain;

	buf_init(&plain, css.len);
	strip_comments(css, &plain);
	each_declaration(buf_bytes(&plain), out, count);
	buf_free(&plain);
}

/* ---- selectors ---- */

/* Names of elements are letters and digits. */
static bool
take_element(struct cursor *c, struct bytes *name)
{
	*name = (struct bytes){ c->p, 0 };
	if (cursor_char(c, '*')) {
		name->len = 1;
		return true;
	}
	while (!cursor_at_end(c) && ascii_is_alnum(*c->p))
		c->p++;
	name->len = (size_t)(c->p - name->data);
	return name->len > 0;
}

/* html and body stand for the scope. */
static bool
is_scope(struct bytes element)
{
	return bytes_equal_nocase(element, BYTES_LIT("html")) ||
	    bytes_equal_nocase(element, BYTES_LIT("body"));
}

/* "td.x#y" appended; false when it has anything else. */
static bool
append_compound(struct cursor *c, bool first, bool *scope, struct buf *out)
{
	struct bytes element;
	bool any = take_element(c, &element);

	*scope = any && is_scope(element);
	if (*scope && !first)
		return false;
	if (!*scope) {
		buf_append_char(out, ' ');
		buf_append_bytes(out, element);
	}
	while (cursor_peek(c) == '.' || cursor_peek(c) == '#') {
		buf_append_char(out, *c->p++);
		if (html_css_append_name(take_name(c), out) < 0)
			return false;
		any = true;
	}
	return any;
}

/* What stands between two steps; what is beside the scope is not of the
 * mail. */
static bool
append_combinator(struct cursor *c, bool scope, struct buf *out)
{
	bool space = cursor_space(c);
	int next = cursor_peek(c);

	if (next != '>' && next != '+' && next != '~')
		return space;
	if (scope && next != '>')
		return false;
	buf_append_char(out, ' ');
	buf_append_char(out, (char)next);
	c->p++;
	cursor_space(c);
	return true;
}

static bool
append_selector(struct bytes selector, const char *scope, struct buf *out)
{
	struct cursor c = cursor_of(bytes_trim(selector));
	unsigned steps;
	bool is_scoped;

	buf_append_str(out, scope);
	for (steps = 0; steps < HTML_CSS_STEPS_MAX; steps++) {
		if (!append_compound(&c, steps == 0, &is_scoped, out))
			return false;
		if (cursor_at_end(&c))
			return true;
		if (!append_combinator(&c, is_scoped, out))
			return false;
	}
	return false;
}

/* Those of a list that may stay; false when none may. */
static bool
append_selectors(struct bytes list, const char *scope, struct buf *out,
    struct html_css_count *count)
{
	struct cursor c = cursor_of(list);
	size_t kept = 0, seen = 0;
	struct bytes selector;
	struct buf text;

	buf_init(&text, 2 * VALUE_MAX);
	while (!cursor_at_end(&c) && seen++ < HTML_CSS_SELECTORS_MAX) {
		selector = cursor_until(&c, ",");
		cursor_char(&c, ',');
		buf_reset(&text);
		if (!append_selector(selector, scope, &text) || text.overflow) {
			count->dropped++;
			continue;
		}
		if (kept++ > 0)
			buf_append_char(out, ',');
		buf_append_bytes(out, buf_bytes(&text));
	}
	buf_free(&text);
	return kept > 0;
}

/* ---- sheets ---- */

/* From behind a "{" to behind its "}". */
static struct bytes
take_block(struct cursor *c)
{
	struct bytes block = { c->p, 0 };
	unsigned depth = 1;

	for (; !cursor_at_end(c); c->p++) {
		if (*c->p == '{')
			depth++;
		else if (*c->p == '}' && --depth == 0)
			break;
	}
	block.len = (size_t)(c->p - block.data);
	cursor_char(c, '}');
	return block;
}

static void
append_rule(struct bytes selectors, struct bytes block, const char *scope,
    struct buf *out, struct html_css_count *count)
{
	struct buf rule;
	size_t start;

	buf_init(&rule, out->max);
	/* A rule in a rule is newer CSS than mails need. */
	if (memchr(block.data, '{', block.len) == NULL &&
	    append_selectors(selectors, scope, &rule, count)) {
		buf_append_char(&rule, '{');
		start = rule.len;
		each_declaration(block, &rule, count);
		buf_append_str(&rule, "}\n");
		if (rule.len > start + 2 && !rule.overflow)
			buf_append_bytes(out, buf_bytes(&rule));
	} else {
		count->dropped++;
		count->urls += has_url(block);
	}
	buf_free(&rule);
}

void
html_css_sheet(struct bytes css, const char *scope, struct buf *out,
    struct html_css_count *count)
{
	struct bytes prelude, block;
	struct buf plain;
	struct cursor c;
	size_t rules = 0;

	buf_init(&plain, css.len);
	strip_comments(css, &plain);
	c = cursor_of(buf_bytes(&plain));
	while (!cursor_at_end(&c) && rules < HTML_CSS_RULES_MAX) {
		if (cursor_space(&c) || cursor_literal(&c, "<!--") ||
		    cursor_literal(&c, "-->") || cursor_char(&c, '}'))
			continue;
		rules++;
		prelude = cursor_until(&c, cursor_peek(&c) == '@' ? "{;" : "{");
		if (!cursor_char(&c, '{')) { /* @import ...; or the end */
			count->dropped++;
			count->urls += has_url(prelude);
			cursor_char(&c, ';');
			continue;
		}
		block = take_block(&c);
		if (prelude.data[0] == '@')
			count->dropped++;
		else
			append_rule(prelude, block, scope, out, count);
	}
	count->dropped += !cursor_at_end(&c);
	buf_free(&plain);
}
