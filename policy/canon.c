/*
 * canon.c - header and body in the forms that DKIM and ARC sign.
 *
 * The body is most of the work, and in most bodies the relaxed form differs
 * from what came in a few places only: at a tab, and at white space before
 * more of it or before a line end.  The runs between are passed on as they
 * lie.  They are found by a test of whole blocks that has no branches, which
 * the compiler turns into vector instructions.  The few octets from such a
 * place to the next text go through a state machine.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <string.h>

#include "base/str.h"
#include "policy/canon.h"

#define BLOCK 64

static bool
is_wsp(char c)
{
	return c == ' ' || c == '\t';
}

/* ---- header ---- */

/* Is this the CRLF of a fold, which unfolding takes away? */
static bool
is_fold(const char *p, const char *end)
{
	return end - p >= 2 && p[0] == '\r' && p[1] == '\n' &&
	    (end - p == 2 || is_wsp(p[2]));
}

/* Where value text goes on from p: white space and folds skipped. */
static const char *
skip_space(const char *p, const char *end)
{
	while (p < end) {
		if (is_wsp(*p))
			p++;
		else if (is_fold(p, end))
			p += 2;
		else
			break;
	}
	return p;
}

/* Appends part of a value; *any: text was written before it, so that white
 * space in between counts. */
static int
relaxed_value(struct bytes part, bool *any, bool *space, struct buf *out)
{
	const char *p = part.data, *end = p + part.len, *start;

	while (p < end) {
		start = p;
		p = skip_space(p, end);
		if (p > start)
			*space = *any;
		start = p;
		while (p < end && !is_wsp(*p) && !is_fold(p, end))
			p++;
		if (p == start)
			continue;
		if (*space && buf_append_char(out, ' ') < 0)
			return -1;
		if (buf_append(out, start, (size_t)(p - start)) < 0)
			return -1;
		*space = false;
		*any = true;
	}
	return 0;
}

static int
relaxed_name(struct bytes name, struct buf *out)
{
	size_t i, start = out->len;

	if (buf_append_bytes(out, name) < 0 || buf_append_char(out, ':') < 0)
		return -1;
	for (i = start; i < out->len; i++)
		out->data[i] = ascii_lower(out->data[i]);
	return 0;
}

int
canon_header(enum canon canon, const struct header_field *field,
    struct buf *out)
{
	bool any = false, space = false;

	if (canon == CANON_SIMPLE)
		return buf_append_bytes(out, field->raw);
	if (relaxed_name(field->name, out) < 0 ||
	    relaxed_value(field->value, &any, &space, out) < 0)
		return -1;
	return buf_append(out, "\r\n", 2);
}

int
canon_signature(enum canon canon, const struct header_field *field,
    struct bytes cut, struct buf *out)
{
	const char *rest = cut.data + cut.len;
	const char *end = field->value.data + field->value.len;
	struct bytes tail = { rest, (size_t)(end - rest) };
	struct bytes head;
	bool any = false, space = false;

	if (canon == CANON_SIMPLE) {
		head.data = field->raw.data;
		head.len = (size_t)(cut.data - head.data);
		return buf_append_bytes(out, head) < 0 ||
			buf_append_bytes(out, tail) < 0
		    ? -1
		    : 0;
	}
	head.data = field->value.data;
	head.len = (size_t)(cut.data - head.data);
	return relaxed_name(field->name, out) < 0 ||
		relaxed_value(head, &any, &space, out) < 0 ||
		relaxed_value(tail, &any, &space, out) < 0
	    ? -1
	    : 0;
}

/* ---- body ---- */

void
canon_body_init(struct canon_body *body, enum canon canon,
    void (*write)(void *context, const char *data, size_t len), void *context)
{
	memset(body, 0, sizeof(*body));
	body->canon = canon;
	body->write = write;
	body->context = context;
}

static void
pass_on(struct canon_body *body)
{
	if (body->len > 0)
		body->write(body->context, body->out, body->len);
	body->len = 0;
}

static void
put(struct canon_body *body, char c)
{
	if (body->len == sizeof(body->out))
		pass_on(body);
	body->out[body->len++] = c;
}

static void
put_crlf(struct canon_body *body)
{
	put(body, '\r');
	put(body, '\n');
}

/* Text follows: what was held back before it counts. */
static void
put_held(struct canon_body *body)
{
	for (; body->crlfs > 0; body->crlfs--)
		put_crlf(body);
	if (body->space)
		put(body, ' ');
	body->space = false;
	body->any = true;
}

static void
add_octet(struct canon_body *body, char c)
{
	if (body->cr) {
		body->cr = false;
		if (c == '\n') {
			body->space = false;
			body->crlfs++;
			return;
		}
		put_held(body);
		put(body, '\r');
	}
	if (c == '\r') {
		body->cr = true;
	} else if (body->canon == CANON_RELAXED && is_wsp(c)) {
		body->space = true;
	} else {
		put_held(body);
		put(body, c);
	}
}

static bool
holds_back(const struct canon_body *body)
{
	return body->crlfs > 0 || body->space || body->cr;
}

/* Does relaxing change something from this octet on? */
static inline bool
differs(const unsigned char *p)
{
	return (p[0] == '\t') | ((p[0] == ' ') & (p[1] <= ' '));
}

/* Does it not within a block?  The octet behind the block is looked at. */
static bool
is_plain(const unsigned char *p)
{
	unsigned char found = 0;
	size_t i;

	for (i = 0; i < BLOCK; i++)
		found |= (unsigned char)differs(p + i);
	return found == 0;
}

/* The end of the longest run from text that is its own canonical form,
 * whatever stands before it and whatever follows but the end of a line.
 * The last octet is never of it, as what follows is not known. */
static const char *
plain_end(const struct canon_body *body, const char *text, const char *end)
{
	const unsigned char *p = (const unsigned char *)text;
	size_t left = (size_t)(end - text);

	if (body->canon == CANON_SIMPLE)
		return end;
	for (; left > BLOCK && is_plain(p); p += BLOCK)
		left -= BLOCK;
	for (; left > 1 && !differs(p); p++)
		left--;
	return (const char *)p;
}

static void
put_text(struct canon_body *body, const char *text, size_t len)
{
	if (len > sizeof(body->out) - body->len)
		pass_on(body);
	if (len > sizeof(body->out) / 2) {
		pass_on(body);
		body->write(body->context, text, len);
	} else {
		memcpy(body->out + body->len, text, len);
		body->len += len;
	}
	body->any = true;
}

/* A plain run with nothing held back before it; its end is held back, as
 * it may be that of the body. */
static void
add_run(struct canon_body *body, const char *text, size_t len)
{
	if (len > 0 && text[len - 1] == '\r') {
		body->cr = true;
		len--;
	}
	for (; len > 1 && text[len - 2] == '\r' && text[len - 1] == '\n';
	     len -= 2)
		body->crlfs++;
	if (len > 0)
		put_text(body, text, len);
}

void
canon_body_add(struct canon_body *body, struct bytes piece)
{
	const char *p = piece.data, *end = p + piece.len, *run;

	while (p < end) {
		while (p < end && holds_back(body))
			add_octet(body, *p++);
		run = plain_end(body, p, end);
		add_run(body, p, (size_t)(run - p));
		if (run < end)
			add_octet(body, *run++);
		p = run;
	}
}

void
canon_body_end(struct canon_body *body)
{
	if (body->cr) {
		body->cr = false;
		put_held(body);
		put(body, '\r');
	}
	/* RFC 6376 sections 3.4.3 and 3.4.4: empty lines at the end do not
	 * count, a last line without CRLF gets one; a body without any line
	 * is CRLF in simple form and nothing in relaxed form. */
	if (body->any || body->canon == CANON_SIMPLE)
		put_crlf(body);
	pass_on(body);
	body->crlfs = 0;
	body->space = false;
}
