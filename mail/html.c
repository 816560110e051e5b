/*
 * html.c - the HTML of a mail, as a preview may carry it.
 *
 * What is written here is read by a browser again, by rules that may move
 * elements.  So that nothing of a mail gets out of its wrapper, the wrapper
 * is an element that a mail never gets ("main"): an end tag that is one too
 * many then ends nothing.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <string.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/str.h"
#include "base/utf8.h"
#include "mail/html.h"
#include "mail/html_css.h"
#include "mail/html_tree.h"
#include "mail/image.h"
#include "mail/link.h"

#define SCOPE ".mail"
#define WRAPPER "main"
/* Beyond HTML_OUTPUT_MAX: end tags, and what one element may have. */
#define OUTPUT_SLACK ((size_t)256 * 1024)
#define TEXT_PIECE 4096
#define STYLE_MAX ((size_t)16 * 1024)
#define CLASSES_MAX 20
#define LINK_WORDS_MAX 200
#define BASE_MAX 1000
/* Pictures of no more pixels a side show nothing; they count who reads. */
#define TRACKER_SIDE_MAX 2

/* ---- elements ---- */

enum kind {
	KIND_PASS,   /* its content only */
	KIND_KEEP,   /* with its tags */
	KIND_VOID,   /* a tag without an end */
	KIND_SKIP,   /* nothing of it */
	KIND_ACTIVE, /* nothing of it, and counted */
	KIND_BODY,
	KIND_STYLE,
	KIND_BASE,
	KIND_LINK,
	KIND_IMAGE,
	KIND_FORM,
	KIND_FIELD, /* its content in a box */
	KIND_INPUT,
};

/* What is not here passes its content on. */
static const struct element {
	enum kind kind;
	const char *name; /* as it is written; NULL: gumbo's */
} elements[GUMBO_TAG_LAST] = {
	[GUMBO_TAG_BODY] = { KIND_BODY, NULL },
	[GUMBO_TAG_STYLE] = { KIND_STYLE, NULL },
	[GUMBO_TAG_BASE] = { KIND_BASE, NULL },
	[GUMBO_TAG_A] = { KIND_LINK, NULL },
	[GUMBO_TAG_IMG] = { KIND_IMAGE, NULL },
	[GUMBO_TAG_IMAGE] = { KIND_IMAGE, NULL },

	[GUMBO_TAG_SCRIPT] = { KIND_ACTIVE, NULL },
	[GUMBO_TAG_NOSCRIPT] = { KIND_SKIP, NULL },
	[GUMBO_TAG_TEMPLATE] = { KIND_ACTIVE, NULL },
	[GUMBO_TAG_IFRAME] = { KIND_ACTIVE, NULL },
	[GUMBO_TAG_FRAME] = { KIND_ACTIVE, NULL },
	[GUMBO_TAG_FRAMESET] = { KIND_ACTIVE, NULL },
	[GUMBO_TAG_NOFRAMES] = { KIND_SKIP, NULL },
	[GUMBO_TAG_OBJECT] = { KIND_ACTIVE, NULL },
	[GUMBO_TAG_EMBED] = { KIND_ACTIVE, NULL },
	[GUMBO_TAG_APPLET] = { KIND_ACTIVE, NULL },
	[GUMBO_TAG_PARAM] = { KIND_SKIP, NULL },
	[GUMBO_TAG_AUDIO] = { KIND_ACTIVE, NULL },
	[GUMBO_TAG_VIDEO] = { KIND_ACTIVE, NULL },
	[GUMBO_TAG_SOURCE] = { KIND_SKIP, NULL },
	[GUMBO_TAG_TRACK] = { KIND_SKIP, NULL },
	[GUMBO_TAG_CANVAS] = { KIND_ACTIVE, NULL },
	[GUMBO_TAG_SVG] = { KIND_ACTIVE, NULL },
	[GUMBO_TAG_MATH] = { KIND_ACTIVE, NULL },
	[GUMBO_TAG_META] = { KIND_SKIP, NULL },
	[GUMBO_TAG_LINK] = { KIND_SKIP, NULL },
	[GUMBO_TAG_TITLE] = { KIND_SKIP, NULL },
	[GUMBO_TAG_MAP] = { KIND_SKIP, NULL },
	[GUMBO_TAG_AREA] = { KIND_SKIP, NULL },
	[GUMBO_TAG_NOEMBED] = { KIND_SKIP, NULL },
	[GUMBO_TAG_XMP] = { KIND_SKIP, NULL },
	[GUMBO_TAG_PLAINTEXT] = { KIND_SKIP, NULL },
	[GUMBO_TAG_DATALIST] = { KIND_SKIP, NULL },

	[GUMBO_TAG_FORM] = { KIND_FORM, "div" },
	[GUMBO_TAG_BUTTON] = { KIND_FIELD, "span" },
	[GUMBO_TAG_SELECT] = { KIND_FIELD, "span" },
	[GUMBO_TAG_TEXTAREA] = { KIND_FIELD, "span" },
	[GUMBO_TAG_INPUT] = { KIND_INPUT, NULL },
	[GUMBO_TAG_OPTION] = { KIND_KEEP, "span" },
	[GUMBO_TAG_LABEL] = { KIND_KEEP, "span" },
	[GUMBO_TAG_FIELDSET] = { KIND_KEEP, "div" },
	[GUMBO_TAG_LEGEND] = { KIND_KEEP, "div" },

	[GUMBO_TAG_BR] = { KIND_VOID, NULL },
	[GUMBO_TAG_HR] = { KIND_VOID, NULL },
	[GUMBO_TAG_WBR] = { KIND_VOID, NULL },
	[GUMBO_TAG_COL] = { KIND_VOID, NULL },

	[GUMBO_TAG_P] = { KIND_KEEP, NULL },
	[GUMBO_TAG_DIV] = { KIND_KEEP, NULL },
	[GUMBO_TAG_SPAN] = { KIND_KEEP, NULL },
	[GUMBO_TAG_B] = { KIND_KEEP, NULL },
	[GUMBO_TAG_I] = { KIND_KEEP, NULL },
	[GUMBO_TAG_U] = { KIND_KEEP, NULL },
	[GUMBO_TAG_S] = { KIND_KEEP, NULL },
	[GUMBO_TAG_STRIKE] = { KIND_KEEP, NULL },
	[GUMBO_TAG_DEL] = { KIND_KEEP, NULL },
	[GUMBO_TAG_INS] = { KIND_KEEP, NULL },
	[GUMBO_TAG_EM] = { KIND_KEEP, NULL },
	[GUMBO_TAG_STRONG] = { KIND_KEEP, NULL },
	[GUMBO_TAG_SMALL] = { KIND_KEEP, NULL },
	[GUMBO_TAG_BIG] = { KIND_KEEP, NULL },
	[GUMBO_TAG_SUB] = { KIND_KEEP, NULL },
	[GUMBO_TAG_SUP] = { KIND_KEEP, NULL },
	[GUMBO_TAG_MARK] = { KIND_KEEP, NULL },
	[GUMBO_TAG_CODE] = { KIND_KEEP, NULL },
	[GUMBO_TAG_KBD] = { KIND_KEEP, NULL },
	[GUMBO_TAG_SAMP] = { KIND_KEEP, NULL },
	[GUMBO_TAG_VAR] = { KIND_KEEP, NULL },
	[GUMBO_TAG_TT] = { KIND_KEEP, NULL },
	[GUMBO_TAG_PRE] = { KIND_KEEP, NULL },
	[GUMBO_TAG_LISTING] = { KIND_KEEP, "pre" },
	[GUMBO_TAG_BLOCKQUOTE] = { KIND_KEEP, NULL },
	[GUMBO_TAG_Q] = { KIND_KEEP, NULL },
	[GUMBO_TAG_CITE] = { KIND_KEEP, NULL },
	[GUMBO_TAG_ABBR] = { KIND_KEEP, NULL },
	[GUMBO_TAG_ACRONYM] = { KIND_KEEP, "abbr" },
	[GUMBO_TAG_DFN] = { KIND_KEEP, NULL },
	[GUMBO_TAG_ADDRESS] = { KIND_KEEP, NULL },
	[GUMBO_TAG_CENTER] = { KIND_KEEP, NULL },
	[GUMBO_TAG_FONT] = { KIND_KEEP, NULL },
	[GUMBO_TAG_NOBR] = { KIND_KEEP, "span" },
	[GUMBO_TAG_BDO] = { KIND_KEEP, NULL },
	[GUMBO_TAG_BDI] = { KIND_KEEP, NULL },
	[GUMBO_TAG_RUBY] = { KIND_KEEP, NULL },
	[GUMBO_TAG_RT] = { KIND_KEEP, NULL },
	[GUMBO_TAG_RP] = { KIND_KEEP, NULL },
	[GUMBO_TAG_TIME] = { KIND_KEEP, "span" },
	[GUMBO_TAG_UL] = { KIND_KEEP, NULL },
	[GUMBO_TAG_OL] = { KIND_KEEP, NULL },
	[GUMBO_TAG_DIR] = { KIND_KEEP, "ul" },
	[GUMBO_TAG_MENU] = { KIND_KEEP, "ul" },
	[GUMBO_TAG_LI] = { KIND_KEEP, NULL },
	[GUMBO_TAG_DL] = { KIND_KEEP, NULL },
	[GUMBO_TAG_DT] = { KIND_KEEP, NULL },
	[GUMBO_TAG_DD] = { KIND_KEEP, NULL },
	[GUMBO_TAG_H1] = { KIND_KEEP, NULL },
	[GUMBO_TAG_H2] = { KIND_KEEP, NULL },
	[GUMBO_TAG_H3] = { KIND_KEEP, NULL },
	[GUMBO_TAG_H4] = { KIND_KEEP, NULL },
	[GUMBO_TAG_H5] = { KIND_KEEP, NULL },
	[GUMBO_TAG_H6] = { KIND_KEEP, NULL },
	[GUMBO_TAG_TABLE] = { KIND_KEEP, NULL },
	[GUMBO_TAG_CAPTION] = { KIND_KEEP, NULL },
	[GUMBO_TAG_COLGROUP] = { KIND_KEEP, NULL },
	[GUMBO_TAG_THEAD] = { KIND_KEEP, NULL },
	[GUMBO_TAG_TBODY] = { KIND_KEEP, NULL },
	[GUMBO_TAG_TFOOT] = { KIND_KEEP, NULL },
	[GUMBO_TAG_TR] = { KIND_KEEP, NULL },
	[GUMBO_TAG_TD] = { KIND_KEEP, NULL },
	[GUMBO_TAG_TH] = { KIND_KEEP, NULL },
	[GUMBO_TAG_SECTION] = { KIND_KEEP, NULL },
	[GUMBO_TAG_ARTICLE] = { KIND_KEEP, NULL },
	[GUMBO_TAG_ASIDE] = { KIND_KEEP, NULL },
	[GUMBO_TAG_HEADER] = { KIND_KEEP, "section" },
	[GUMBO_TAG_FOOTER] = { KIND_KEEP, "section" },
	[GUMBO_TAG_NAV] = { KIND_KEEP, "section" },
	[GUMBO_TAG_MAIN] = { KIND_KEEP, "section" },
	[GUMBO_TAG_FIGURE] = { KIND_KEEP, NULL },
	[GUMBO_TAG_FIGCAPTION] = { KIND_KEEP, NULL },
	[GUMBO_TAG_MARQUEE] = { KIND_KEEP, "div" },
};

/* ---- attributes ---- */

/* What a value must be: sets of characters, and how many. */
static bool
is_word(const char *value)
{
	size_t n = strspn(value,
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-");

	return n > 0 && n <= 20 && value[n] == '\0';
}

static bool
is_color(const char *value)
{
	size_t n = strspn(value,
	    "#abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "0123456789");

	return n > 0 && n <= 24 && value[n] == '\0';
}

static bool
is_length(const char *value)
{
	size_t sign = strspn(value, "+-");
	size_t n = strspn(value + sign, "0123456789");

	value += sign + n;
	return sign < 2 && n > 0 && n <= 4 &&
	    (*value == '\0' || strcmp(value, "%") == 0 ||
		strcmp(value, "px") == 0);
}

/* Of columns and rows: a table of millions stops a browser. */
static bool
is_span(const char *value)
{
	size_t n = strspn(value, "0123456789");

	return n > 0 && n <= 3 && value[n] == '\0';
}

static bool
is_title(const char *value)
{
	return strlen(value) <= 500;
}

static const struct {
	const char *name;
	bool (*is_fine)(const char *value);
} attributes[] = {
	{ "align", is_word },
	{ "bgcolor", is_color },
	{ "border", is_length },
	{ "bordercolor", is_color },
	{ "cellpadding", is_length },
	{ "cellspacing", is_length },
	{ "clear", is_word },
	{ "color", is_color },
	{ "colspan", is_span },
	{ "compact", is_word },
	{ "dir", is_word },
	{ "face", is_title },
	{ "height", is_length },
	{ "hspace", is_length },
	{ "lang", is_word },
	{ "noshade", is_word },
	{ "nowrap", is_word },
	{ "rowspan", is_span },
	{ "size", is_length },
	{ "span", is_span },
	{ "start", is_length },
	{ "title", is_title },
	{ "type", is_word },
	{ "valign", is_word },
	{ "value", is_length },
	{ "vspace", is_length },
	{ "width", is_length },
};

/* ---- the writer ---- */

struct open_element {
	const GumboNode *node;
	const char *name;
};

struct writer {
	struct html *html;
	const struct html_source *source;
	struct html_walker walker;
	size_t image_markup; /* octets of it are not counted as output */
	size_t depth;
	struct open_element open[HTML_DEPTH_MAX];
	char *base; /* in the arena, or NULL */
	/* the link that is open, and the text in it */
	const GumboNode *link;
	struct buf words;
};

void
html_escape(struct buf *out, struct bytes text)
{
	static const char *const named[128] = {
		['&'] = "&amp;",
		['<'] = "&lt;",
		['>'] = "&gt;",
		['"'] = "&quot;",
		['\''] = "&#39;",
		['`'] = "&#96;",
	};
	size_t i, start = 0;

	for (i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.data[i];
		const char *instead = c < 128 ? named[c] : NULL;

		if ((c < ' ' && c != '\t' && c != '\n' && c != '\r') ||
		    c == 0x7f)
			instead = "\xef\xbf\xbd";
		if (instead == NULL)
			continue;
		buf_append(out, text.data + start, i - start);
		buf_append_str(out, instead);
		start = i + 1;
	}
	buf_append(out, text.data + start, text.len - start);
}

static void
put(struct writer *w, const char *text)
{
	buf_append_str(&w->html->markup, text);
}

static void
put_escaped(struct writer *w, struct bytes text)
{
	html_escape(&w->html->markup, text);
}

static bool
is_full(struct writer *w)
{
	if (w->html->markup.len - w->image_markup <= HTML_OUTPUT_MAX)
		return false;
	w->html->cut = true;
	w->walker.stop = true;
	return true;
}

static void
put_attribute(struct writer *w, const char *name, const char *value)
{
	put(w, " ");
	put(w, name);
	put(w, "=\"");
	put_escaped(w, bytes_of(value));
	put(w, "\"");
}

/* ours: a class of our own before those of the mail, or NULL. */
static void
put_classes(struct writer *w, const GumboNode *node, const char *ours)
{
	const char *value = html_attribute(node, "class");
	struct cursor c = cursor_of(bytes_of(value != NULL ? value : ""));
	struct buf classes;
	int n = 0;

	buf_init(&classes, STYLE_MAX);
	if (ours != NULL)
		buf_append_str(&classes, ours);
	while (cursor_space(&c), !cursor_at_end(&c) && n++ < CLASSES_MAX) {
		if (classes.len > 0)
			buf_append_char(&classes, ' ');
		(void)html_css_append_name(cursor_until(&c, " \t\r\n\f"),
		    &classes);
		cursor_char(&c, '\f');
	}
	if (bytes_trim(buf_bytes(&classes)).len > 0)
		put_attribute(w, "class", buf_str(&classes));
	buf_free(&classes);
}

static void
put_id(struct writer *w, const GumboNode *node)
{
	const char *value = html_attribute(node, "id");
	struct buf id;

	if (value == NULL)
		return;
	buf_init(&id, STYLE_MAX);
	if (html_css_append_name(bytes_of(value), &id) == 0)
		put_attribute(w, "id", buf_str(&id));
	buf_free(&id);
}

static void
note_css(struct writer *w, const struct html_css_count *count)
{
	w->html->styles += count->dropped;
	w->html->remote_images += count->urls;
}

/* before: declarations of ours, which the mail's may overrule. */
static void
put_style(struct writer *w, const GumboNode *node, const char *before)
{
	const char *value = html_attribute(node, "style");
	struct html_css_count count = { 0, 0 };
	struct buf style;

	buf_init(&style, STYLE_MAX);
	buf_append_str(&style, before);
	if (value != NULL)
		html_css_declarations(bytes_of(value), &style, &count);
	note_css(w, &count);
	if (style.len > 0)
		put_attribute(w, "style", buf_str(&style));
	buf_free(&style);
}

static bool
is_remote(const char *url)
{
	struct cursor c = cursor_of(bytes_trim(bytes_of(url)));

	return cursor_literal(&c, "http:") || cursor_literal(&c, "https:") ||
	    cursor_literal(&c, "//");
}

static void
put_attributes(struct writer *w, const GumboNode *node, const char *ours)
{
	const char *value;
	size_t i;

	put_classes(w, node, ours);
	put_id(w, node);
	put_style(w, node, "");
	for (i = 0; i < sizeof(attributes) / sizeof(attributes[0]); i++) {
		value = html_attribute(node, attributes[i].name);
		if (value != NULL && attributes[i].is_fine(value))
			put_attribute(w, attributes[i].name, value);
	}
	value = html_attribute(node, "background");
	if (value != NULL && is_remote(value))
		w->html->remote_images++;
}

/* Opens an element; false when there are too many open. */
static bool
open_element(struct writer *w, const GumboNode *node, const char *name,
    const char *ours)
{
	if (w->depth == HTML_DEPTH_MAX)
		return false;
	put(w, "<");
	put(w, name);
	put_attributes(w, node, ours);
	put(w, ">");
	w->open[w->depth++] = (struct open_element){ node, name };
	return true;
}

static void
close_element(struct writer *w)
{
	put(w, "</");
	put(w, w->open[--w->depth].name);
	put(w, ">");
}

/* ---- body, base, style ---- */

static void
open_body(struct writer *w, const GumboNode *node)
{
	static const struct {
		const char *attribute, *property;
	} colors[] = { { "bgcolor", "background-color" }, { "text", "color" } };
	const char *value;
	struct buf style;
	size_t i;

	buf_init(&style, STYLE_MAX);
	for (i = 0; i < sizeof(colors) / sizeof(colors[0]); i++) {
		value = html_attribute(node, colors[i].attribute);
		if (value != NULL && is_color(value))
			buf_printf(&style, "%s:%s;", colors[i].property, value);
	}
	value = html_attribute(node, "background");
	if (value != NULL && is_remote(value))
		w->html->remote_images++;
	put(w, "<" WRAPPER);
	put_classes(w, node, &SCOPE[1]);
	put_style(w, node, buf_str(&style));
	put(w, ">");
	buf_free(&style);
	w->open[w->depth++] = (struct open_element){ node, WRAPPER };
}

static void
take_base(struct writer *w, const GumboNode *node)
{
	const char *href = html_attribute(node, "href");

	if (w->base == NULL && href != NULL && strlen(href) <= BASE_MAX)
		w->base = arena_strdup(w->html->arena, href);
}

static void
take_style(struct writer *w, const GumboNode *node)
{
	const GumboVector *children = &node->v.element.children;
	struct html_css_count count = { 0, 0 };
	const char *text;
	unsigned i;

	for (i = 0; i < children->length; i++) {
		text = html_node_text(children->data[i]);
		if (text != NULL)
			html_css_sheet(bytes_of(text), SCOPE, &w->html->sheet,
			    &count);
	}
	note_css(w, &count);
}

/* ---- links ---- */

/* The words that people click, on one line. */
static const char *
link_words(struct writer *w)
{
	struct bytes words = bytes_trim(buf_bytes(&w->words));
	struct buf clean;
	const char *text;

	buf_init(&clean, (size_t)4 * LINK_WORDS_MAX);
	(void)utf8_append_clean(&clean, words);
	text = arena_strdup(w->html->arena, buf_str(&clean));
	buf_free(&clean);
	return text;
}

static void
collect_words(struct writer *w, struct bytes text)
{
	size_t i;
	char c;

	for (i = 0; i < text.len; i++) {
		c = ascii_is_space(text.data[i]) ? ' ' : text.data[i];
		if (c == ' ' &&
		    (w->words.len == 0 ||
			w->words.data[w->words.len - 1] == ' '))
			continue;
		if (buf_append_char(&w->words, c) < 0)
			return;
	}
}

static void
warn(struct writer *w, const char *words, const struct link *link)
{
	struct html *html = w->html;

	if (html->warning_count < HTML_WARNINGS_MAX)
		html->warnings[html->warning_count] =
		    (struct html_warning){ words, link->text };
	html->warning_count++;
}

/* Behind the text of a link: where it leads. */
static void
put_target(struct writer *w, const char *href)
{
	struct arena *arena = w->html->arena;
	const char *words = link_words(w);
	struct link link;
	bool deceives;

	link_read(arena, bytes_of(href), w->base, &link);
	deceives = link_deceives(arena, bytes_of(words), &link);
	w->html->links++;
	if (!deceives && !link.credentials && strcmp(words, link.text) == 0)
		return;
	put(w,
	    deceives ? "<span class=\"sk-target sk-deceptive\">"
		     : "<span class=\"sk-target\">");
	if (deceives) {
		warn(w, words, &link);
		put_escaped(w, bytes_of(w->source->words->deceptive));
		put(w, ": ");
	}
	put_escaped(w, bytes_of(link.text));
	if (strcmp(link.host, link.display) != 0) {
		put(w, " (");
		put_escaped(w, bytes_of(link.display));
		put(w, ")");
	}
	put(w, "</span>");
}

static bool
enter_link(struct writer *w, const GumboNode *node)
{
	const char *href = html_attribute(node, "href");

	if (href == NULL || href[0] == '#' || w->link != NULL)
		return open_element(w, node, "span", NULL);
	if (!open_element(w, node, "span", "sk-link"))
		return false;
	w->link = node;
	buf_reset(&w->words);
	return true;
}

static void
leave_link(struct writer *w)
{
	const char *href = html_attribute(w->link, "href");

	w->link = NULL;
	put_target(w, href);
}

/* ---- images ---- */

static bool
side_is_tiny(const GumboNode *node, const char *name)
{
	const char *value = html_attribute(node, name);

	return value != NULL && strlen(value) == strspn(value, "0123456789") &&
	    strlen(value) == 1 && value[0] - '0' <= TRACKER_SIDE_MAX;
}

static void
put_placeholder(struct writer *w, const GumboNode *node, const char *label,
    const char *host)
{
	const char *alt = html_attribute(node, "alt");

	put(w, "<span class=\"sk-image\">");
	put_escaped(w, bytes_of(label));
	if (host[0] != '\0') {
		put(w, ": ");
		put_escaped(w, bytes_of(host));
	}
	if (alt != NULL && alt[0] != '\0' && strlen(alt) <= LINK_WORDS_MAX) {
		put(w, " \xe2\x80\x93 ");
		put_escaped(w, bytes_of(alt));
	}
	put(w, "</span>");
}

/* The picture itself; false when it may not be shown. */
static bool
put_picture(struct writer *w, const GumboNode *node, struct bytes data)
{
	struct html *html = w->html;
	const char *type = image_type(data), *alt = html_attribute(node, "alt");
	size_t start;

	if (type == NULL || data.len > HTML_IMAGES_MAX - html->image_bytes)
		return false;
	html->image_bytes += data.len;
	html->images++;
	put(w, "<img");
	put_attributes(w, node, NULL);
	put_attribute(w, "alt",
	    alt != NULL && strlen(alt) <= LINK_WORDS_MAX ? alt : "");
	put(w, " src=\"data:");
	put(w, type);
	put(w, ";base64,");
	start = html->markup.len;
	(void)base64_encode(data, &html->markup); /* there is room, see init */
	w->image_markup += html->markup.len - start;
	put(w, "\">");
	return true;
}

/* data:image/TYPE;base64,... */
static bool
decode_data(struct bytes url, struct buf *out)
{
	struct cursor c = cursor_of(url);
	struct bytes head;
	struct buf text;
	bool done;

	if (!cursor_literal(&c, "data:"))
		return false;
	head = cursor_until(&c, ",");
	if (!cursor_char(&c, ',') || head.len < 7 ||
	    !bytes_equal_nocase((struct bytes){ head.data + head.len - 7, 7 },
		BYTES_LIT(";base64")))
		return false;
	buf_init(&text, (size_t)(c.end - c.p) + 1);
	for (; !cursor_at_end(&c); c.p++)
		if (!ascii_is_space(*c.p))
			buf_append_char(&text, *c.p);
	done = base64_decode(buf_bytes(&text), out) == 0;
	buf_free(&text);
	return done;
}

static bool
find_picture(struct writer *w, struct bytes url, struct buf *out)
{
	const int64_t start_ms = clock_thread_cpu_ms();
	struct cursor c = cursor_of(url);
	bool found;

	if (w->html->image_cpu_ms > HTML_IMAGES_CPU_MAX_MS)
		return false;
	if (!cursor_literal(&c, "cid:"))
		found = decode_data(url, out);
	else
		found = w->source->image != NULL &&
		    w->source->image(w->source->context,
			(struct bytes){ c.p, (size_t)(c.end - c.p) }, out);
	w->html->image_cpu_ms += clock_thread_cpu_ms() - start_ms;
	return found;
}

static void
put_image(struct writer *w, const GumboNode *node)
{
	const char *src = html_attribute(node, "src");
	struct bytes url = bytes_trim(bytes_of(src != NULL ? src : ""));
	struct link link;
	struct buf data;

	if (url.len == 0 && (src = html_attribute(node, "srcset")) != NULL)
		url = bytes_trim(bytes_of(src));
	if (src != NULL && is_remote(src)) {
		w->html->remote_images++;
		if (side_is_tiny(node, "width") || side_is_tiny(node, "height"))
			return;
		link_read(w->html->arena, url, w->base, &link);
		put_placeholder(w, node, w->source->words->remote_image,
		    link.display);
		return;
	}
	buf_init(&data, HTML_IMAGES_MAX);
	if (!find_picture(w, url, &data) ||
	    !put_picture(w, node, buf_bytes(&data))) {
		w->html->other_images++;
		put_placeholder(w, node, w->source->words->other_image, "");
	}
	buf_free(&data);
}

/* ---- forms ---- */

/* A box with what would stand in it; a tick box as a sign. */
static void
put_input(struct writer *w, const GumboNode *node)
{
	const char *type = html_attribute(node, "type");
	const char *value = html_attribute(node, "value");

	if (type == NULL)
		type = "text";
	if (str_equal_nocase(type, "hidden"))
		return;
	if (str_equal_nocase(type, "checkbox") ||
	    str_equal_nocase(type, "radio")) {
		put(w, "\xe2\x98\x90");
		return;
	}
	if (value == NULL || value[0] == '\0')
		value = html_attribute(node, "placeholder");
	put(w, "<span class=\"sk-field\">");
	if (value != NULL && strlen(value) <= LINK_WORDS_MAX &&
	    !str_equal_nocase(type, "password"))
		put_escaped(w, bytes_of(value));
	put(w, "&#160;</span>");
}

/* ---- the walk ---- */

static void
put_text(struct writer *w, struct bytes text)
{
	size_t n;

	if (w->depth == 0)
		return; /* white space around the body */
	if (w->link != NULL)
		collect_words(w, text);
	while (text.len > 0 && !is_full(w)) {
		n = text.len < TEXT_PIECE ? text.len : TEXT_PIECE;
		while (n < text.len && (text.data[n] & 0xc0) == 0x80)
			n++;
		put_escaped(w, (struct bytes){ text.data, n });
		text.data += n;
		text.len -= n;
	}
}

static bool
enter_element(struct writer *w, const GumboNode *node)
{
	GumboTag tag = html_tag(node);
	const struct element *element = &elements[tag];
	const char *name = element->name != NULL
	    ? element->name
	    : gumbo_normalized_tagname(tag);

	switch (element->kind) {
	case KIND_PASS:
		return true;
	case KIND_KEEP:
		(void)open_element(w, node, name, NULL);
		return true;
	case KIND_FORM:
		w->html->active++;
		(void)open_element(w, node, name, NULL);
		return true;
	case KIND_FIELD:
		(void)open_element(w, node, name, "sk-field");
		return true;
	case KIND_LINK:
		(void)enter_link(w, node);
		return true;
	case KIND_BODY:
		open_body(w, node);
		return true;
	case KIND_VOID:
		put(w, "<");
		put(w, name);
		put_attributes(w, node, NULL);
		put(w, ">");
		return false;
	case KIND_BASE:
		take_base(w, node);
		return false;
	case KIND_STYLE:
		take_style(w, node);
		return false;
	case KIND_IMAGE:
		put_image(w, node);
		return false;
	case KIND_INPUT:
		put_input(w, node);
		return false;
	case KIND_ACTIVE:
		w->html->active++;
		return false;
	case KIND_SKIP:
		return false;
	}
	return false;
}

static bool
enter(void *context, const GumboNode *node)
{
	struct writer *w = context;
	const char *text = html_node_text(node);

	if (is_full(w))
		return false;
	if (text != NULL) {
		put_text(w, bytes_of(text));
		return false;
	}
	if (node->type == GUMBO_NODE_TEMPLATE ||
	    (node->type == GUMBO_NODE_ELEMENT &&
		node->v.element.tag_namespace != GUMBO_NAMESPACE_HTML)) {
		w->html->active++;
		return false;
	}
	return node->type == GUMBO_NODE_ELEMENT && enter_element(w, node);
}

static void
leave(void *context, const GumboNode *node)
{
	struct writer *w = context;

	if (w->depth == 0 || w->open[w->depth - 1].node != node)
		return;
	close_element(w);
	if (w->link == node)
		leave_link(w);
}

/* ---- the whole ---- */

void
html_init(struct html *html, struct arena *arena)
{
	memset(html, 0, sizeof(*html));
	html->arena = arena;
	buf_init(&html->markup,
	    HTML_OUTPUT_MAX + OUTPUT_SLACK + HTML_IMAGES_MAX / 3 * 4 +
		OUTPUT_SLACK);
	buf_init(&html->sheet, HTML_SHEET_MAX);
}

void
html_fini(struct html *html)
{
	buf_free(&html->markup);
	buf_free(&html->sheet);
}

/* The text, and nothing of its form. */
static void
put_stripped(struct writer *w, struct bytes utf8)
{
	struct buf text;

	w->html->complex = true;
	buf_init(&text, HTML_INPUT_MAX);
	html_strip(utf8, &text);
	put(w, "<" WRAPPER " class=\"mail\">");
	w->open[w->depth++] = (struct open_element){ NULL, WRAPPER };
	put_text(w, buf_bytes(&text));
	buf_free(&text);
}

void
html_add(struct html *html, struct bytes utf8, const struct html_source *source)
{
	struct writer w = {
		.html = html,
		.source = source,
		.walker = { .enter = enter, .leave = leave },
	};
	const GumboNode *root;
	struct html_tree *tree;
	bool cut;

	w.walker.context = &w;
	w.image_markup = html->image_markup;
	if (is_full(&w))
		return;
	buf_init(&w.words, LINK_WORDS_MAX);
	tree = html_tree_new(utf8, &root, &cut);
	html->cut |= cut;
	if (root != NULL)
		html_tree_walk(root, &w.walker);
	else
		put_stripped(&w, utf8);
	w.link = NULL;
	while (w.depth > 0)
		close_element(&w);
	put(&w, "\n");
	html->image_markup = w.image_markup;
	html_tree_free(tree);
	buf_free(&w.words);
}
