/*
 * html.h - the HTML of a mail, as a preview may carry it, and as text.
 *
 * gumbo makes the tree that a browser would see; a writer of ours walks it
 * and writes anew what an allow-list of elements and attributes has.  There
 * are no scripts, forms, frames, foreign elements (SVG, MathML), comments or
 * links in what comes out, and nothing is loaded: pictures that came with
 * the mail are in it, others are named; links are text with their target
 * behind it.
 *
 * Bounded in all: bytes in and out, depth, memory and time of the parser.
 * Nothing fails; what was left out is counted.  Calls are safe from any
 * thread.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef MAIL_HTML_H
#define MAIL_HTML_H

#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"

#define HTML_INPUT_MAX ((size_t)1024 * 1024)
#define HTML_OUTPUT_MAX ((size_t)2 * 1024 * 1024)
#define HTML_SHEET_MAX ((size_t)256 * 1024)
/* Of all pictures together, as they are in the mail. */
#define HTML_IMAGES_MAX ((size_t)2 * 1024 * 1024)
/* Of processor time for finding them: each may be large, of no use, and asked
 * for as often as the mail likes [60,000 times 2 MB: 170 s]. */
#define HTML_IMAGES_CPU_MAX_MS 500
/* Elements deeper than this lose their tags, not their text. */
#define HTML_DEPTH_MAX 256
#define HTML_WARNINGS_MAX 20
/* The parser's memory, and its processor time. */
#define HTML_TREE_BYTES_MAX ((size_t)64 * 1024 * 1024)
#define HTML_TREE_CPU_MAX_MS 1000

/* Words of ours in the markup, in the reader's language; plain text. */
struct html_words {
	const char *remote_image; /* "Image not loaded" */
	const char *other_image;  /* "Image not shown" */
	const char *deceptive;    /* "leads elsewhere" */
};

struct html_source {
	const struct html_words *words;
	/* The picture with that Content-ID appended to out: true.  NULL when
	 * there are none. */
	bool (*image)(void *context, struct bytes content_id, struct buf *out);
	void *context;
};

/* A link whose text names another host than it leads to. */
struct html_warning {
	const char *text;   /* of the link */
	const char *target; /* as link_read shows it */
};

/* Init once, add one or more bodies, fini. */
struct html {
	struct buf markup; /* valid UTF-8; each body in a div.mail */
	struct buf sheet;  /* within .mail; safe in a style element */
	size_t remote_images;
	size_t images;       /* that are in the markup */
	size_t other_images; /* that are not, and not remote either */
	size_t active;       /* scripts, frames, plug-ins, forms and the like */
	size_t links;
	size_t styles;        /* declarations and selectors left out */
	size_t warning_count; /* all there are, also over the ceiling */
	struct html_warning warnings[HTML_WARNINGS_MAX];
	bool cut;     /* a ceiling on bytes was reached: the end is missing */
	bool complex; /* the parser gave up: the text without its form */
	/* private */
	struct arena *arena;
	size_t image_bytes;
	int64_t image_cpu_ms;
	size_t image_markup;
};

void html_init(struct html *html, struct arena *arena);
void html_fini(struct html *html);
void html_add(struct html *html, struct bytes utf8,
    const struct html_source *source);

/* As plain text, for terminals and for mails without text: paragraphs,
 * lists, targets of links in <>.  0, or -1 when something was cut. */
int html_to_text(struct bytes utf8, struct buf *out);

/* The charset that a document names for itself, in the arena; NULL when it
 * does not.  raw: its octets. */
const char *html_meta_charset(struct arena *arena, struct bytes raw);

/* Appends text with what HTML means something by escaped, for content and
 * for attributes in double quotes; control characters but tab and line ends
 * as U+FFFD. */
void html_escape(struct buf *out, struct bytes text);

#endif
