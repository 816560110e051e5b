/*
 * mime.h - the parts of a message: what they are called, hold, and show.
 *
 * GMime finds the parts and undoes their transfer encodings, behind this
 * module alone; what is text is decoded by mail/charset.  The raw message is
 * hostile: what passes a ceiling is left out and marked, nothing fails.
 *
 * Parts are numbered as in IMAP (RFC 3501 section 6.4.5): the parts of a
 * multipart message are "1", "2", the parts of a multipart in it "1.1"; a
 * message without multiparts is "1"; the parts of an embedded message "2"
 * are "2.1" and so on.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef MAIL_MIME_H
#define MAIL_MIME_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"

#define MIME_PARTS_MAX 1000
#define MIME_DEPTH_MAX 32
/* Lines that begin with two hyphens and so may begin a part.  The message
 * behind the last of them is not looked at. */
#define MIME_DELIMITERS_MAX 10000
#define MIME_NAME_MAX 255
/* Parts that are shown as the body, one below the other. */
#define MIME_BODIES_MAX 32

/* What was left out. */
enum {
	MIME_CUT_PARTS = 1 << 0, /* too many parts, or what may be some */
	MIME_CUT_DEPTH = 1 << 1, /* parts too deep in others */
};

enum mime_disposition {
	MIME_UNSAID,
	MIME_INLINE,
	MIME_ATTACHMENT
};

struct mime_part {
	const char *number;     /* "1.2" */
	const char *type;       /* "text/plain", in lower case */
	const char *name;       /* as declared, decoded, one line; or NULL */
	const char *charset;    /* as declared, or NULL */
	const char *content_id; /* without <>; or NULL */
	enum mime_disposition disposition;
	uint64_t size; /* octets, decoded; of a container 0 */
	unsigned depth;
	bool container;     /* the parts in it follow */
	bool flowed, delsp; /* text/plain: RFC 3676 */
	/* private */
	void *object;
	bool prologue; /* text where a multipart has no parts */
};

struct mime {
	size_t count;
	const struct mime_part *parts;
	const char *type; /* of the whole message */
	unsigned cut;
	/* What a reader shows of it: the text, and the HTML. */
	size_t text_count, html_count;
	const struct mime_part *text[MIME_BODIES_MAX];
	const struct mime_part *html[MIME_BODIES_MAX];
	/* private */
	void *root;
	void *array;
	bool owns_array;
};

/* Before the first message, from one thread; may be called again.  There is
 * no way back: what GMime keeps lives as long as the process. */
void mime_open(void);

/* Takes a raw message apart; raw must outlive it, the rest is in the arena.
 * Never NULL.  Different messages may be read by different threads. */
struct mime *mime_parse(struct arena *arena, struct bytes raw);
void mime_free(struct mime *mime); /* NULL is fine */

/* NULL when there is none. */
const struct mime_part *mime_find(const struct mime *mime, const char *number);
const struct mime_part *mime_find_id(const struct mime *mime,
    struct bytes content_id);

/* The octets of a part, decoded; an embedded message as it stands.
 * Returns 0, or -1 when out is full: what fits is there. */
int mime_part_content(const struct mime_part *part, struct buf *out);
/* The text of a part as UTF-8; the same. */
int mime_part_text(const struct mime_part *part, struct buf *out);

#endif
