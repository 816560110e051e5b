/*
 * preview.c - a held mail as a page that can do nothing.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <string.h>

#include "base/clock.h"
#include "base/str.h"
#include "base/utf8.h"
#include "mail/charset.h"
#include "mail/link.h"
#include "mail/mime.h"
#include "mail/text.h"
#include "webui/preview.h"

/* Levels of quoting that have a colour. */
#define QUOTE_COLORS 4
#define WARNINGS_SHOWN 10

/*
 * Ours comes after the mail's and says !important where a mail might want to
 * hide what we say: the CSS of a mail has neither that word nor our classes.
 */
static const char sheet[] =
    "html{color-scheme:light dark}"
    "body{margin:0;font:15px/1.6 system-ui,sans-serif;overflow-wrap:anywhere}"
    ".sk-notes{margin:0;padding:.6em 1em .6em 2.2em;font-size:13px;"
    "background:#f1f3f5;color:#333;border-bottom:1px solid #ccd}"
    ".sk-notes .sk-bad{color:#a1140c;font-weight:600}"
    ".sk-notes code{font:12px ui-monospace,monospace}"
    ".mail{display:block!important;background-color:#fff;color:#111;"
    "padding:12px!important;margin:0!important;overflow:auto!important;"
    "contain:paint;color-scheme:light}"
    ".mail img{max-width:100%}"
    ".mail table{max-width:100%}"
    ".sk-link{text-decoration:underline!important}"
    ".sk-target,.sk-image{all:initial!important;"
    "font:12px ui-monospace,monospace!important;color:#35506b!important;"
    "background:#eef3f8!important;border-radius:3px!important;"
    "padding:0 4px!important;margin:0 4px!important;"
    "unicode-bidi:isolate!important;overflow-wrap:anywhere!important}"
    ".sk-deceptive{color:#fff!important;background:#a1140c!important;"
    "font-weight:600!important}"
    ".sk-field{border:1px solid #99a!important;border-radius:3px;"
    "padding:1px 6px;color:#555}"
    ".sk-text{padding:12px;white-space:pre-wrap;"
    "font:14px/1.6 ui-monospace,monospace}"
    ".sk-q{border-left:3px solid #89a;padding-left:10px}"
    ".sk-q1{color:#1f5f8b}.sk-q2{color:#2f6b3a}.sk-q3{color:#7a4b12}"
    ".sk-q4{color:#6a3a7c}"
    "@media(prefers-color-scheme:dark){"
    ".sk-notes{background:#23272c;color:#ddd;border-color:#445}"
    ".sk-notes .sk-bad{color:#ff9b90}"
    ".sk-text{background:#16191d;color:#e6e6e6}"
    ".sk-q1{color:#8cc4ee}.sk-q2{color:#93d29e}.sk-q3{color:#e0b277}"
    ".sk-q4{color:#d0a4e0}}";

enum message {
	SAY_TITLE,
	SAY_IMAGE_REMOTE,
	SAY_IMAGE_OTHER,
	SAY_DECEPTIVE,
	SAY_LINK,
	SAY_CUT,
	SAY_COMPLEX,
	SAY_PARTS,
	SAY_NOTHING,
	SAY_FROM_HTML,
};

static const char *const messages[] = {
	[SAY_TITLE] = N_("Preview"),
	[SAY_IMAGE_REMOTE] = N_("Picture not loaded"),
	[SAY_IMAGE_OTHER] = N_("Picture not shown"),
	[SAY_DECEPTIVE] = N_("leads elsewhere"),
	[SAY_LINK] =
	    N_("A link names one site and leads to another: {text} → {target}"),
	[SAY_CUT] = N_("The mail is too long for a preview: its end is "
		       "missing here."),
	[SAY_COMPLEX] = N_("The layout of the mail is too intricate: only its "
			   "text is shown."),
	[SAY_PARTS] = N_("The mail has more parts, or more deeply nested "
			 "ones, than are looked at."),
	[SAY_NOTHING] = N_("This mail has no text to show."),
	[SAY_FROM_HTML] = N_("The mail has no plain text: this is its HTML "
			     "as text."),
};

static const struct {
	const char *one, *many;
} counted[] = {
	{ N_("{n} picture was not loaded, as loading it would tell the sender "
	     "that the mail is being read."),
	    N_("{n} pictures were not loaded, as loading them would tell the "
	       "sender that the mail is being read.") },
	{ N_("{n} active element (script, form, frame or the like) was taken "
	     "out."),
	    N_("{n} active elements (scripts, forms, frames and the like) "
	       "were taken out.") },
	{ N_("{n} link names another site than it leads to."),
	    N_("{n} links name another site than they lead to.") },
};

enum count {
	COUNT_REMOTE,
	COUNT_ACTIVE,
	COUNT_DECEPTIVE,
};

struct page {
	struct arena *arena;
	struct buf *out;
	enum language language;
};

void
preview_each_message(void (*see)(void *context, const char *where,
			 const char *msgid, const char *plural),
    void *context)
{
	size_t i;

	for (i = 0; i < sizeof(messages) / sizeof(messages[0]); i++)
		see(context, "preview", messages[i], NULL);
	for (i = 0; i < sizeof(counted) / sizeof(counted[0]); i++)
		see(context, "preview", counted[i].one, counted[i].many);
}

static const char *
say(const struct page *page, enum message message)
{
	return i18n_text(page->language, messages[message]);
}

static void
put(struct page *page, const char *markup)
{
	buf_append_str(page->out, markup);
}

static void
put_text(struct page *page, const char *text)
{
	html_escape(page->out, bytes_of(text));
}

/* ---- the notes above the mail ---- */

static void
put_note(struct page *page, const char *class, const char *text)
{
	put(page, "<li");
	put(page, class);
	put(page, ">");
	put_text(page, text);
	put(page, "</li>");
}

static void
put_count(struct page *page, enum count which, size_t n, const char *class)
{
	const char *text, *hole;

	if (n == 0)
		return;
	text = i18n_plural(page->language, counted[which].one,
	    counted[which].many, n);
	hole = strstr(text, "{n}");
	if (hole != NULL)
		text = arena_printf(page->arena, "%.*s%zu%s",
		    (int)(hole - text), text, n, hole + 3);
	put_note(page, class, text);
}

/* "... {text} ... {target}": both in code elements. */
static void
put_warning(struct page *page, const struct html_warning *warning)
{
	struct cursor c = cursor_of(bytes_of(say(page, SAY_LINK)));

	put(page, "<li class=\"sk-bad\">");
	while (!cursor_at_end(&c)) {
		html_escape(page->out, cursor_until(&c, "{"));
		if (cursor_literal(&c, "{text}")) {
			put(page, "<code>");
			put_text(page, warning->text);
			put(page, "</code>");
		} else if (cursor_literal(&c, "{target}")) {
			put(page, "<code>");
			put_text(page, warning->target);
			put(page, "</code>");
		} else if (cursor_char(&c, '{')) {
			put(page, "{");
		}
	}
	put(page, "</li>");
}

static void
put_html_notes(struct page *page, const struct html *html)
{
	static const char bad[] = " class=\"sk-bad\"";
	size_t i;

	for (i = 0; i < html->warning_count && i < WARNINGS_SHOWN; i++)
		put_warning(page, &html->warnings[i]);
	if (html->warning_count > WARNINGS_SHOWN)
		put_count(page, COUNT_DECEPTIVE, html->warning_count, bad);
	put_count(page, COUNT_REMOTE, html->remote_images, "");
	put_count(page, COUNT_ACTIVE, html->active, "");
	if (html->cut)
		put_note(page, bad, say(page, SAY_CUT));
	if (html->complex)
		put_note(page, bad, say(page, SAY_COMPLEX));
}

/* An empty list is left out by its length. */
static void
put_notes(struct page *page, const struct mime *mime, const struct html *html,
    const char *more)
{
	static const char start[] = "<ul class=\"sk-notes\">";
	size_t before = page->out->len;

	put(page, start);
	if (html != NULL)
		put_html_notes(page, html);
	if (more != NULL)
		put_note(page, "", more);
	if (mime->cut != 0)
		put_note(page, " class=\"sk-bad\"", say(page, SAY_PARTS));
	if (!page->out->overflow &&
	    page->out->len == before + sizeof(start) - 1)
		page->out->len = before;
	else
		put(page, "</ul>\n");
}

/* ---- the page around it ---- */

static void
put_head(struct page *page, struct bytes mail_sheet)
{
	put(page, "<!DOCTYPE html>\n<html lang=\"");
	put(page, language_tag(page->language));
	put(page,
	    "\"><head><meta charset=\"utf-8\">"
	    "<meta name=\"referrer\" content=\"no-referrer\">"
	    "<meta name=\"viewport\" content=\"width=device-width\">"
	    "<title>");
	put_text(page, say(page, SAY_TITLE));
	put(page, "</title>");
	if (mail_sheet.len > 0) {
		put(page, "<style>");
		buf_append_bytes(page->out, mail_sheet);
		put(page, "</style>");
	}
	put(page, "<style>");
	put(page, sheet);
	put(page, "</style></head><body>\n");
}

static void
put_foot(struct page *page)
{
	put(page, "</body></html>\n");
}

/* ---- time ---- */

/* One body has a ceiling of its own (html.h); a mail can have many. */
static bool
is_out_of_time(int64_t until_ms)
{
	return clock_thread_cpu_ms() > until_ms;
}

/* ---- HTML ---- */

static bool
find_picture(void *context, struct bytes content_id, struct buf *out)
{
	const struct mime_part *part = mime_find_id(context, content_id);

	return part != NULL && !part->container &&
	    mime_part_content(part, out) == 0;
}

/* HTML may name its charset itself, which no header then does. */
static bool
html_source_text(struct arena *arena, const struct mime_part *part,
    struct buf *out)
{
	const char *charset = part->charset;
	struct buf raw;
	bool whole;

	if (charset != NULL && charset[0] != '\0')
		return mime_part_text(part, out) == 0;
	buf_init(&raw, HTML_INPUT_MAX);
	whole = mime_part_content(part, &raw) == 0;
	charset = html_meta_charset(arena, buf_bytes(&raw));
	whole &= charset_to_utf8(charset, buf_bytes(&raw), out) == 0;
	buf_free(&raw);
	return whole;
}

void
preview_html(struct arena *arena, const struct mime *mime,
    enum language language, struct html *html)
{
	const struct html_words words = {
		.remote_image = i18n_text(language, messages[SAY_IMAGE_REMOTE]),
		.other_image = i18n_text(language, messages[SAY_IMAGE_OTHER]),
		.deceptive = i18n_text(language, messages[SAY_DECEPTIVE]),
	};
	const struct html_source source = { &words, find_picture,
		(void *)(uintptr_t)mime };
	const int64_t until_ms = clock_thread_cpu_ms() + PREVIEW_CPU_MAX_MS;
	struct buf text;
	size_t i;

	html_init(html, arena);
	buf_init(&text, HTML_INPUT_MAX);
	for (i = 0; i < mime->html_count; i++) {
		if (is_out_of_time(until_ms)) {
			html->cut = true;
			break;
		}
		buf_reset(&text);
		if (!html_source_text(arena, mime->html[i], &text))
			html->cut = true;
		html_add(html, buf_bytes(&text), &source);
	}
	buf_free(&text);
}

static void
write_html(struct page *page, const struct mime *mime)
{
	struct html html;

	preview_html(page->arena, mime, page->language, &html);
	put_head(page, buf_bytes(&html.sheet));
	put_notes(page, mime, &html, NULL);
	buf_append_bytes(page->out, buf_bytes(&html.markup));
	html_fini(&html);
}

/* ---- text ---- */

struct text_page {
	struct page *page;
	unsigned quotes; /* divisions that are open */
};

/* An address in the text: shown as it is, and where it leads when that is
 * not what it seems. */
static void
put_url(struct page *page, struct bytes url)
{
	struct link link;
	char *shown = arena_memdup(page->arena, url.data, url.len);

	link_read(page->arena, url, NULL, &link);
	put(page, "<span class=\"sk-link\">");
	html_escape(page->out, url);
	put(page, "</span>");
	ascii_lowercase(shown);
	if (!link.web ||
	    (strstr(shown, link.host) != NULL && !link.credentials))
		return;
	put(page, "<span class=\"sk-target\">");
	put_text(page, link.text);
	put(page, "</span>");
}

static void
put_line(struct page *page, struct bytes text)
{
	struct cursor c = cursor_of(text), at;
	const char *start = c.p;

	while (!cursor_at_end(&c)) {
		at = c;
		if (!cursor_literal(&at, "http://") &&
		    !cursor_literal(&at, "https://")) {
			c.p++;
			continue;
		}
		html_escape(page->out,
		    (struct bytes){ start, (size_t)(c.p - start) });
		put_url(page, cursor_until(&c, " \t<>\"'"));
		start = c.p;
	}
	html_escape(page->out,
	    (struct bytes){ start, (size_t)(c.end - start) });
	put(page, "\n");
}

static bool
put_quoted_line(void *context, unsigned quotes, struct bytes text)
{
	struct text_page *text_page = context;
	struct page *page = text_page->page;

	while (text_page->quotes > quotes) {
		put(page, "</div>");
		text_page->quotes--;
	}
	while (text_page->quotes < quotes)
		buf_printf(page->out, "<div class=\"sk-q sk-q%u\">",
		    text_page->quotes++ % QUOTE_COLORS + 1);
	put_line(page, text);
	/* Room for what closes the page. */
	return page->out->len < HTML_OUTPUT_MAX;
}

/* The text of the mail, or of its HTML; false when its end is missing. */
static bool
body_text(struct arena *arena, const struct mime *mime, size_t i,
    struct text_form *form, struct buf *out)
{
	const struct mime_part *part;
	struct buf html;
	bool whole;

	memset(form, 0, sizeof(*form));
	if (mime->text_count > 0) {
		part = mime->text[i];
		form->flowed = part->flowed;
		form->delsp = part->delsp;
		return mime_part_text(part, out) == 0;
	}
	buf_init(&html, HTML_INPUT_MAX);
	whole = html_source_text(arena, mime->html[i], &html);
	whole &= html_to_text(buf_bytes(&html), out) == 0;
	buf_free(&html);
	return whole;
}

static size_t
body_count(const struct mime *mime)
{
	return mime->text_count > 0 ? mime->text_count : mime->html_count;
}

static void
write_text(struct page *page, const struct mime *mime)
{
	struct text_page text_page = { page, 0 };
	const int64_t until_ms = clock_thread_cpu_ms() + PREVIEW_CPU_MAX_MS;
	bool whole = true;
	struct text_form form;
	struct buf text;
	size_t i;

	put_head(page, bytes_of(""));
	put_notes(page, mime, NULL,
	    body_count(mime) == 0       ? say(page, SAY_NOTHING)
		: mime->text_count == 0 ? say(page, SAY_FROM_HTML)
					: NULL);
	put(page, "<main class=\"sk-text\">");
	buf_init(&text, PREVIEW_TEXT_MAX);
	for (i = 0; i < body_count(mime); i++) {
		if (is_out_of_time(until_ms)) {
			whole = false;
			break;
		}
		buf_reset(&text);
		if (i > 0)
			put(page, "<hr>");
		whole &= body_text(page->arena, mime, i, &form, &text);
		text_each_line(buf_bytes(&text), &form, put_quoted_line,
		    &text_page);
		while (text_page.quotes > 0) {
			put(page, "</div>");
			text_page.quotes--;
		}
	}
	buf_free(&text);
	put(page, "</main>\n");
	if (!whole || page->out->len >= HTML_OUTPUT_MAX) {
		put(page, "<ul class=\"sk-notes\">");
		put_note(page, " class=\"sk-bad\"", say(page, SAY_CUT));
		put(page, "</ul>\n");
	}
}

/* ---- the whole ---- */

bool
preview_has(const struct mime *mime, enum preview_part part)
{
	return part == PREVIEW_HTML ? mime->html_count > 0
				    : body_count(mime) > 0;
}

int
preview_write(struct arena *arena, const struct mime *mime,
    enum preview_part part, enum language language, struct buf *out)
{
	struct page page = { arena, out, language };

	if (part == PREVIEW_HTML)
		write_html(&page, mime);
	else
		write_text(&page, mime);
	put_foot(&page);
	return out->overflow ? -1 : 0;
}

static bool
put_plain_line(void *context, unsigned quotes, struct bytes text)
{
	struct buf *out = context;

	while (quotes-- > 0)
		buf_append_str(out, "> ");
	(void)utf8_append_clean(out, text);
	return buf_append_char(out, '\n') == 0;
}

int
preview_plain(struct arena *arena, const struct mime *mime, struct buf *out)
{
	const int64_t until_ms = clock_thread_cpu_ms() + PREVIEW_CPU_MAX_MS;
	struct text_form form;
	bool whole = true;
	struct buf text;
	size_t i;

	buf_init(&text, PREVIEW_TEXT_MAX);
	for (i = 0; i < body_count(mime); i++) {
		if (is_out_of_time(until_ms)) {
			whole = false;
			break;
		}
		buf_reset(&text);
		whole &= body_text(arena, mime, i, &form, &text);
		text_each_line(buf_bytes(&text), &form, put_plain_line, out);
	}
	buf_free(&text);
	return whole && !out->overflow ? 0 : -1;
}
