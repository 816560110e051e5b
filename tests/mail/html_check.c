/*
 * html_check.c - is it HTML that a preview may carry?
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <string.h>

#include "base/str.h"
#include "base/utf8.h"
#include "mail/html.h"
#include "tests/mail/html_check.h"

static const char *const tags[] = { "main", "p", "div", "span", "b", "i", "u",
	"s", "strike", "del", "ins", "em", "strong", "small", "big", "sub",
	"sup", "mark", "code", "kbd", "samp", "var", "tt", "pre", "blockquote",
	"q", "cite", "abbr", "dfn", "address", "center", "font", "bdo", "bdi",
	"ruby", "rt", "rp", "ul", "ol", "li", "dl", "dt", "dd", "h1", "h2",
	"h3", "h4", "h5", "h6", "table", "caption", "colgroup", "thead",
	"tbody", "tfoot", "tr", "td", "th", "section", "article", "aside",
	"figure", "figcaption" };
static const char *const voids[] = { "br", "hr", "wbr", "col", "img" };
static const char *const plain[] = { "id", "title", "alt", "align", "bgcolor",
	"border", "bordercolor", "cellpadding", "cellspacing", "clear", "color",
	"colspan", "compact", "dir", "face", "height", "hspace", "lang",
	"noshade", "nowrap", "rowspan", "size", "span", "start", "type",
	"valign", "value", "vspace", "width" };
static const char *const ours[] = { "mail", "sk-link", "sk-target",
	"sk-deceptive", "sk-image", "sk-field" };
static const char *const sources[] = { "data:image/png;base64,",
	"data:image/jpeg;base64,", "data:image/gif;base64,",
	"data:image/webp;base64," };
static const char *const bad_css[] = { "&", "url(", "expression(", "var(",
	"calc(", ";position", "{position", ";behavior", "{behavior",
	"binding:", ";content", "{content", "\\", "@", "!", "<", "\"", ":-" };
static const char *const entities[] = { "&amp;", "&lt;", "&gt;", "&quot;",
	"&#39;", "&#96;", "&#160;" };

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define DEPTH_MAX (HTML_DEPTH_MAX + 2)

static bool
is_among(struct bytes word, const char *const *words, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (bytes_equal(word, bytes_of(words[i])))
			return true;
	return false;
}

static bool
has(struct bytes text, const char *part)
{
	struct cursor c = cursor_of(text);

	for (; !cursor_at_end(&c); c.p++)
		if (cursor_literal(&c, part))
			return true;
	return false;
}

static bool
has_any(struct bytes text, const char *set)
{
	struct cursor c = cursor_of(text);

	return cursor_until(&c, set).len < text.len;
}

static const char *
check_css(struct bytes css, bool escaped)
{
	size_t i;

	/* In an attribute, quotes of fonts are entities. */
	for (i = escaped ? 1 : 0; i < COUNT(bad_css); i++)
		if (has(css, bad_css[i]))
			return bad_css[i];
	return NULL;
}

/* No bare characters that HTML means something by. */
static bool
text_is_escaped(struct bytes text)
{
	struct cursor c = cursor_of(text);
	size_t i;

	while (!cursor_at_end(&c)) {
		if (*c.p == '&') {
			for (i = 0; i < COUNT(entities); i++)
				if (cursor_literal(&c, entities[i]))
					break;
			if (i == COUNT(entities))
				return false;
			continue;
		}
		if (strchr("<>\"'`", *c.p) != NULL || *c.p == 0x7f ||
		    ((unsigned char)*c.p < ' ' && !ascii_is_space(*c.p)))
			return false;
		c.p++;
	}
	return true;
}

static bool
classes_are_fine(struct bytes value)
{
	struct cursor c = cursor_of(value);
	struct bytes word;

	while (cursor_space(&c), !cursor_at_end(&c)) {
		word = cursor_until(&c, " ");
		if ((word.len < 3 || memcmp(word.data, "m-", 2) != 0) &&
		    !is_among(word, ours, COUNT(ours)))
			return false;
	}
	return true;
}

static const char *
check_attribute(struct bytes name, struct bytes value)
{
	size_t i;

	if (!text_is_escaped(value))
		return "attribute that is not escaped";
	if (bytes_equal(name, BYTES_LIT("class")))
		return classes_are_fine(value) ? NULL : "class";
	if (bytes_equal(name, BYTES_LIT("style")))
		return check_css(value, true);
	if (bytes_equal(name, BYTES_LIT("id")))
		return value.len > 2 && memcmp(value.data, "m-", 2) == 0 ? NULL
									 : "id";
	if (bytes_equal(name, BYTES_LIT("src"))) {
		for (i = 0; i < COUNT(sources); i++)
			if (value.len > strlen(sources[i]) &&
			    memcmp(value.data, sources[i],
				strlen(sources[i])) == 0)
				return NULL;
		return "src";
	}
	return is_among(name, plain, COUNT(plain)) ? NULL : "attribute";
}

/* From behind "<" to behind ">". */
static const char *
check_tag(struct cursor *c, struct bytes *open, size_t *depth)
{
	bool end = cursor_char(c, '/');
	struct bytes name = cursor_until(c, " >"), attribute, value;
	const char *wrong;

	if (end) {
		if (*depth == 0 || !bytes_equal(open[*depth - 1], name))
			return "end tag of another element";
		(*depth)--;
		return cursor_char(c, '>') ? NULL : "end tag";
	}
	while (cursor_char(c, ' ')) {
		attribute = cursor_until(c, "= >");
		if (!cursor_literal(c, "=\""))
			return "attribute without quotes";
		value = cursor_until(c, "\"");
		if (!cursor_char(c, '"'))
			return "attribute without end";
		if ((wrong = check_attribute(attribute, value)) != NULL)
			return wrong;
	}
	if (!cursor_char(c, '>'))
		return "tag without end";
	if (is_among(name, voids, COUNT(voids)))
		return NULL;
	if (!is_among(name, tags, COUNT(tags)))
		return "element";
	if (*depth == DEPTH_MAX)
		return "too deep";
	open[(*depth)++] = name;
	return NULL;
}

const char *
html_check_markup(struct bytes markup)
{
	struct cursor c = cursor_of(markup);
	struct bytes open[DEPTH_MAX];
	const char *wrong;
	size_t depth = 0;

	if (!utf8_is_valid(markup))
		return "not UTF-8";
	while (!cursor_at_end(&c)) {
		if (!text_is_escaped(cursor_until(&c, "<")))
			return "text that is not escaped";
		if (cursor_char(&c, '<') &&
		    (wrong = check_tag(&c, open, &depth)) != NULL)
			return wrong;
	}
	return depth == 0 ? NULL : "element without end";
}

const char *
html_check_sheet(struct bytes sheet)
{
	struct cursor c = cursor_of(sheet), selector;
	struct bytes selectors, block;
	const char *wrong;

	if (!utf8_is_valid(sheet))
		return "not UTF-8";
	while (!cursor_at_end(&c)) {
		selectors = cursor_until(&c, "{");
		if (!cursor_char(&c, '{'))
			return "rule without block";
		block = cursor_until(&c, "}");
		if (!cursor_literal(&c, "}\n"))
			return "block without end";
		if (has_any(selectors, "&\\@!<\"()[]:;"))
			return "selector that is not plain";
		if ((wrong = check_css(block, false)) != NULL)
			return wrong;
		selector = cursor_of(selectors);
		while (!cursor_at_end(&selector)) {
			if (!cursor_literal(&selector, ".mail"))
				return "selector out of scope";
			if (!cursor_at_end(&selector) &&
			    strchr(" .#,", cursor_peek(&selector)) == NULL)
				return "selector";
			if (cursor_literal(&selector, " +") ||
			    cursor_literal(&selector, " ~"))
				return "selector beside its scope";
			(void)cursor_until(&selector, ",");
			cursor_char(&selector, ',');
		}
	}
	return NULL;
}
