/*
 * authres.c - the Authentication-Results header (RFC 8601): writer, parser.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <string.h>

#include "base/str.h"
#include "base/utf8.h"
#include "mail/address.h"
#include "mail/authres.h"

#define FOLD "\r\n\t"
#define LINE_WANTED 78
/* Octets before the first ";", and names with octets above 127 among them:
 * an authserv-id with comments has less. */
#define CLAIM_MAX 1024
#define CLAIM_NAMES_MAX 3

/* ---- writer ---- */

static bool
is_control(char c)
{
	return (unsigned char)c < ' ' || c == 0x7f;
}

/* RFC 2045 token; non-ASCII is not one. */
static bool
is_token_char(char c)
{
	return c != ' ' && !is_control(c) && (c & 0x80) == 0 &&
	    strchr("()<>@,;:\\\"/[]?=", c) == NULL;
}

static bool
is_token(struct bytes value)
{
	size_t i;

	for (i = 0; i < value.len; i++)
		if (!is_token_char(value.data[i]))
			return false;
	return value.len > 0;
}

/* Does "=pass" begin here, as a filter that searches for "dkim=pass" would
 * find it? */
static bool
is_verdict(struct bytes text)
{
	struct cursor c = cursor_of(text);

	if (!cursor_char(&c, '='))
		return false;
	cursor_space(&c);
	return cursor_literal(&c, "pass");
}

/* May it stand in a quoted string without a simple reader seeing an end of
 * the string, of a comment or of a result in it, or a result? */
static bool
is_plain_text(struct bytes value)
{
	size_t i;

	for (i = 0; i < value.len; i++)
		if (is_control(value.data[i]) ||
		    strchr("();\\\"", value.data[i]) != NULL ||
		    is_verdict((struct bytes){ value.data + i, value.len - i }))
			return false;
	return value.len <= AUTHRES_VALUE_MAX && utf8_is_valid(value);
}

/* [local-part] "@" domain, where no quotes are needed. */
static bool
is_plain_address(struct bytes value)
{
	struct cursor c = cursor_of(value);
	struct bytes local = cursor_until(&c, "@"), domain;

	if (!cursor_char(&c, '@'))
		return false;
	domain = (struct bytes){ c.p, (size_t)(c.end - c.p) };
	return (local.len == 0 || is_token(local)) && is_token(domain);
}

/*
 * "@domain" of "local part"@domain, or nothing.  RFC 8601 section 2.2 lets a
 * local part be left out, and readers take what stands in quotes for the
 * whole value: "ann@bank.example"@evil.example would be Ann to them.
 */
static struct bytes
behind_quoted_local(struct bytes value)
{
	const char *at =
	    value.len > 0 ? memrchr(value.data, '@', value.len) : NULL;
	struct bytes none = { NULL, 0 }, rest;

	if (at == NULL || at - value.data < 2 || *value.data != '"' ||
	    at[-1] != '"')
		return none;
	rest = (struct bytes){ at, (size_t)(value.data + value.len - at) };
	return rest.len <= AUTHRES_VALUE_MAX && is_plain_address(rest) ? rest
								       : none;
}

/* How value is put down: as it is, without its local part, in quotes, or not
 * at all. */
static void
append_value(struct buf *out, struct bytes value)
{
	struct bytes rest = behind_quoted_local(value);
	bool plain = is_plain_text(value);

	if (rest.len > 0) {
		buf_append_bytes(out, rest);
	} else if (plain && (is_token(value) || is_plain_address(value))) {
		buf_append_bytes(out, value);
	} else if (plain) {
		buf_append_char(out, '"');
		buf_append_bytes(out, value);
		buf_append_char(out, '"');
	} else {
		buf_append_str(out, "invalid");
	}
}

/* Words for people: nothing in them ends a comment or a quoted string, or
 * looks like a result. */
static void
append_text(struct buf *out, const char *text)
{
	static const char from[] = "()\\\";", to[] = "[]/',";
	const char *found;
	size_t i;

	for (i = 0; i < AUTHRES_TEXT_MAX && text[i] != '\0'; i++) {
		found = strchr(from, text[i]);
		if (found != NULL)
			buf_append_char(out, to[found - from]);
		else if (is_verdict(bytes_of(text + i)))
			buf_append_char(out, ':');
		else if (is_control(text[i]) || (text[i] & 0x80) != 0)
			buf_append_char(out, '?');
		else
			buf_append_char(out, text[i]);
	}
	if (text[i] != '\0')
		buf_append_str(out, "...");
}

/* A piece of a line has been put together behind a space: onto a line of
 * its own if this one would be too long. */
static void
append_piece(struct authres *ar, const struct buf *piece)
{
	size_t column = ar->out->len - ar->line;

	if (column + 1 + piece->len > LINE_WANTED) {
		buf_append_str(ar->out, FOLD);
		ar->line = ar->out->len - 1;
	} else {
		buf_append_char(ar->out, ' ');
	}
	if (buf_append_bytes(ar->out, buf_bytes(piece)) < 0 || piece->overflow)
		ar->out->overflow = true;
}

void
authres_begin(struct authres *ar, struct buf *out, const char *authserv_id)
{
	ar->out = out;
	ar->any = false;
	ar->line = out->len;
	append_value(out, bytes_of(authserv_id));
}

void
authres_method(struct authres *ar, const char *method, const char *result)
{
	buf_append_str(ar->out, ";" FOLD);
	ar->line = ar->out->len - 1;
	buf_append_str(ar->out, method);
	buf_append_char(ar->out, '=');
	buf_append_str(ar->out, result);
	ar->any = true;
}

void
authres_comment(struct authres *ar, const char *text)
{
	struct buf piece;

	buf_init(&piece, 2 * AUTHRES_TEXT_MAX);
	buf_append_char(&piece, '(');
	append_text(&piece, text);
	buf_append_char(&piece, ')');
	append_piece(ar, &piece);
	buf_free(&piece);
}

void
authres_reason(struct authres *ar, const char *text)
{
	struct buf piece;

	buf_init(&piece, 2 * AUTHRES_TEXT_MAX);
	buf_append_str(&piece, "reason=\"");
	append_text(&piece, text);
	buf_append_char(&piece, '"');
	append_piece(ar, &piece);
	buf_free(&piece);
}

void
authres_property(struct authres *ar, const char *ptype, const char *property,
    struct bytes value)
{
	struct buf piece;

	buf_init(&piece, 2 * AUTHRES_VALUE_MAX);
	buf_append_str(&piece, ptype);
	buf_append_char(&piece, '.');
	buf_append_str(&piece, property);
	buf_append_char(&piece, '=');
	append_value(&piece, value);
	append_piece(ar, &piece);
	buf_free(&piece);
}

void
authres_end(struct authres *ar)
{
	if (!ar->any)
		buf_append_str(ar->out, "; none");
}

/* ---- whose is it? ---- */

/* What a careless reader may drop before it compares. */
enum {
	DROP_COMMENTS = 1,
	DROP_QUOTES = 2, /* and backslashes */
	DROP_SPACE = 4,  /* and control characters */
	DROP_OCTETS = 8, /* above 127 */
	DROP_PAIRS = 16, /* a backslash in a comment takes the next with it */
	DROP_ALL = 31,
};

static unsigned
kind_of(char c)
{
	if (c == '(')
		return DROP_COMMENTS;
	if (c == '"')
		return DROP_QUOTES;
	if (c == '\\')
		return DROP_QUOTES | DROP_PAIRS;
	if (c == ' ' || is_control(c))
		return DROP_SPACE;
	return (c & 0x80) != 0 ? DROP_OCTETS : 0;
}

/* Where the first ";" stands that neither quotes nor a comment hide. */
static size_t
id_end(struct bytes value, bool with_quoted_pairs)
{
	bool quoted = false;
	unsigned depth = 0;
	size_t i;

	for (i = 0; i < value.len; i++) {
		switch (value.data[i]) {
		case '\\':
			if (with_quoted_pairs && (quoted || depth > 0))
				i++;
			break;
		case '"':
			quoted = depth == 0 && !quoted;
			break;
		case '(':
			depth += quoted ? 0 : 1;
			break;
		case ')':
			depth -= !quoted && depth > 0 ? 1 : 0;
			break;
		case ';':
			if (!quoted && depth == 0)
				return i;
			break;
		default:
			break;
		}
	}
	return value.len;
}

/* Appends in lower case what is not dropped.  Readers disagree where a
 * comment with an escaped parenthesis ends; one that is left over behind
 * the end goes too. */
static void
drop(struct bytes in, unsigned what, struct buf *out)
{
	unsigned depth = 0;
	size_t i;
	char c;

	for (i = 0; i < in.len; i++) {
		c = in.data[i];
		if ((what & DROP_COMMENTS) != 0 && (c == '(' || c == ')'))
			depth += c == '(' ? 1u : depth > 0 ? -1u : 0;
		else if (depth > 0)
			i += c == '\\' && (what & DROP_PAIRS) != 0 ? 1 : 0;
		else if ((kind_of(c) & what) == 0)
			buf_append_char(out, ascii_lower(c));
	}
}

static bool
is_id_char(char c)
{
	return ascii_is_alnum(c) || (c != '\0' && strchr(".-_", c) != NULL);
}

/* Is id in text, with nothing beside it that would make it another name?
 * Octets above 127 do not: there are blanks among them. */
static bool
holds_id(struct bytes text, struct bytes id)
{
	const char *p = text.data, *end = text.data + text.len, *behind;

	for (; id.len > 0 && (size_t)(end - p) >= id.len; p++) {
		if (memcmp(p, id.data, id.len) != 0 ||
		    (p > text.data && is_id_char(p[-1])))
			continue;
		behind = p + id.len;
		while (behind < end && *behind == '.')
			behind++;
		if (behind == end || !is_id_char(*behind))
			return true;
	}
	return false;
}

/* The same where the bytes differ but the domain does not: U-labels, full
 * width letters, capitals.  Too many of them are a claim, as they cost. */
static bool
holds_domain(struct bytes text, const char *id, struct arena *arena)
{
	struct cursor c = cursor_of(text);
	unsigned octets, asked = 0;
	const char *start, *domain;

	while (!cursor_at_end(&c)) {
		octets = 0;
		for (start = c.p; !cursor_at_end(&c) &&
		     (is_id_char(*c.p) || (*c.p & 0x80) != 0);
		     c.p++)
			octets |= (unsigned char)*c.p;
		if (octets >= 0x80 && ++asked > CLAIM_NAMES_MAX)
			return true;
		if (octets >= 0x80 &&
		    domain_normalize(arena,
			(struct bytes){ start, (size_t)(c.p - start) }, &domain,
			NULL) == 0 &&
		    strcmp(domain, id) == 0)
			return true;
		if (c.p == start)
			c.p++;
	}
	return false;
}

static bool
claims_when_dropped(struct bytes text, struct bytes authserv_id,
    const char *domain, unsigned what, struct arena *arena)
{
	struct buf seen, id;
	bool found;

	buf_init(&seen, CLAIM_MAX);
	buf_init(&id, CLAIM_MAX);
	drop(text, what, &seen);
	drop(authserv_id, what & ~(unsigned)DROP_COMMENTS, &id);
	found = holds_id(buf_bytes(&seen), buf_bytes(&id)) ||
	    holds_id(buf_bytes(&seen), bytes_of(domain)) ||
	    holds_domain(buf_bytes(&seen), domain, arena);
	buf_free(&seen);
	buf_free(&id);
	return found;
}

static bool
claims_somehow(struct bytes text, struct bytes authserv_id)
{
	struct arena *arena = arena_new(0);
	const char *domain = "";
	unsigned what, present = 0;
	bool found = false;
	size_t i;

	for (i = 0; i < text.len; i++)
		present |= kind_of(text.data[i]);
	/* Not every authserv-id is a domain: then there is none to equal. */
	(void)domain_normalize(arena, authserv_id, &domain, NULL);
	for (what = 0; what <= DROP_ALL && !found; what++)
		if ((what & ~present) == 0)
			found = claims_when_dropped(text, authserv_id, domain,
			    what, arena);
	arena_free(arena);
	return found;
}

/* No authserv-id at all: blank, a result where it should be (as Microsoft
 * writes), or an encoded word, which no authserv-id is. */
static bool
speaks_for_nobody(struct bytes text)
{
	struct buf seen;
	bool nobody;

	buf_init(&seen, CLAIM_MAX);
	drop(text, DROP_COMMENTS | DROP_SPACE, &seen);
	nobody = seen.len == 0 || memchr(seen.data, '=', seen.len) != NULL;
	buf_free(&seen);
	return nobody;
}

/* NUL, or a line end that is no fold: behind it some readers may see
 * another header field. */
static bool
is_broken(struct bytes value)
{
	size_t i;
	char next;

	for (i = 0; i < value.len; i++) {
		next = i + 1 < value.len ? value.data[i + 1] : '\0';
		if (value.data[i] == '\0' ||
		    (value.data[i] == '\r' && next != '\n') ||
		    (value.data[i] == '\n' && next != ' ' && next != '\t'))
			return true;
	}
	return false;
}

bool
authres_claims(struct bytes value, const char *authserv_id)
{
	size_t end, other_end;

	if (is_broken(value))
		return true;
	end = id_end(value, true);
	other_end = id_end(value, false);
	value.len = end > other_end ? end : other_end;
	return value.len >= CLAIM_MAX || speaks_for_nobody(value) ||
	    claims_somehow(value, bytes_of(authserv_id));
}

/* ---- parser ---- */

struct parser {
	struct arena *arena;
	struct cursor c;
	struct err *err;
};

static int
malformed(struct parser *p, const char *reason)
{
	return err_set(p->err, ERR_INPUT, "%s", reason);
}

static int
skip_cfws(struct parser *p)
{
	unsigned depth = 0;
	char ch;

	while (!cursor_at_end(&p->c)) {
		ch = *p->c.p;
		if (depth == 0 && ch != '(' && !ascii_is_space(ch))
			return 0;
		p->c.p++;
		if (ch == '\\' && !cursor_at_end(&p->c))
			p->c.p++;
		else if (ch == '(' && ++depth > AUTHRES_COMMENT_DEPTH_MAX)
			return err_set(p->err, ERR_LIMIT,
			    "comments more than %d deep",
			    AUTHRES_COMMENT_DEPTH_MAX);
		else if (ch == ')')
			depth--;
	}
	return depth == 0 ? 0 : malformed(p, "comment is not closed");
}

/* Skips CFWS on both sides of one character. */
static int
expect(struct parser *p, char want)
{
	if (skip_cfws(p) < 0)
		return -1;
	if (!cursor_char(&p->c, want))
		return want == '=' ? malformed(p, "no '='")
				   : malformed(p, "no ';'");
	return skip_cfws(p);
}

/* Letters, digits, "-" and "_"; in lower case. */
static int
read_keyword(struct parser *p, const char **out)
{
	const char *start = p->c.p;
	char *word;

	while (!cursor_at_end(&p->c) &&
	    (ascii_is_alnum(*p->c.p) || *p->c.p == '-' || *p->c.p == '_'))
		p->c.p++;
	if (p->c.p == start)
		return malformed(p, "no word where one is needed");
	word = arena_memdup(p->arena, start, (size_t)(p->c.p - start));
	ascii_lowercase(word);
	*out = word;
	return 0;
}

/* At '"'. */
static int
read_quoted(struct parser *p, struct buf *out)
{
	char ch;

	p->c.p++;
	while (!cursor_at_end(&p->c)) {
		ch = *p->c.p++;
		if (ch == '"')
			return 0;
		if (ch == '\\' && !cursor_at_end(&p->c))
			ch = *p->c.p++;
		else if (ch == '\r' || ch == '\n')
			continue;
		if (ch == '\0')
			return malformed(p, "NUL");
		buf_append_char(out, ch);
	}
	return malformed(p, "quoted string is not closed");
}

/* A value: any run without white space, of plain and quoted pieces. */
static int
read_value(struct parser *p, const char **out)
{
	struct buf buf;
	int rc = 0;
	char ch;

	buf_init(&buf, SIZE_MAX);
	while (rc == 0 && !cursor_at_end(&p->c)) {
		ch = *p->c.p;
		if (ascii_is_space(ch) || ch == ';' || ch == '(')
			break;
		if (ch == '"') {
			rc = read_quoted(p, &buf);
		} else if (ch == '\0') {
			rc = malformed(p, "NUL");
		} else {
			buf_append_char(&buf, ch);
			p->c.p++;
		}
	}
	if (rc == 0)
		*out = arena_memdup(p->arena, buf_str(&buf), buf.len);
	buf_free(&buf);
	return rc;
}

/* One more item of size behind count of them. */
static void *
grow(struct arena *arena, void *items, size_t count, size_t size)
{
	void *grown = arena_calloc(arena, count + 1, size);

	if (count > 0)
		memcpy(grown, items, count * size);
	return grown;
}

/* ptype.property=value, or reason=value, or word=value as some write. */
static int
read_property(struct parser *p, struct authres_result *result)
{
	struct authres_property_value found = { "", "", "" };

	if (read_keyword(p, &found.property) < 0 || skip_cfws(p) < 0)
		return -1;
	if (cursor_char(&p->c, '.')) {
		found.ptype = found.property;
		if (skip_cfws(p) < 0 || read_keyword(p, &found.property) < 0)
			return -1;
	}
	if (expect(p, '=') < 0 || read_value(p, &found.value) < 0 ||
	    skip_cfws(p) < 0)
		return -1;
	if (found.ptype[0] == '\0' && strcmp(found.property, "reason") == 0) {
		result->reason = found.value;
		return 0;
	}
	if (result->property_count == AUTHRES_PROPERTY_MAX)
		return err_set(p->err, ERR_LIMIT,
		    "more than %d properties of a result",
		    AUTHRES_PROPERTY_MAX);
	result->properties = grow(p->arena, result->properties,
	    result->property_count, sizeof(found));
	result->properties[result->property_count++] = found;
	return 0;
}

/* method [/version] = result, and what stands behind it up to ";". */
static int
read_result(struct parser *p, struct authres_result *result)
{
	const char *version;

	if (read_keyword(p, &result->method) < 0 || skip_cfws(p) < 0)
		return -1;
	if (cursor_char(&p->c, '/') &&
	    (skip_cfws(p) < 0 || read_keyword(p, &version) < 0))
		return -1;
	if (expect(p, '=') < 0 || read_keyword(p, &result->result) < 0 ||
	    skip_cfws(p) < 0)
		return -1;
	while (!cursor_at_end(&p->c) && cursor_peek(&p->c) != ';')
		if (read_property(p, result) < 0)
			return -1;
	return 0;
}

static bool
is_none(struct parser *p)
{
	struct parser at = *p;

	at.err = NULL;
	return cursor_literal(&at.c, "none") && skip_cfws(&at) == 0 &&
	    cursor_at_end(&at.c);
}

static int
read_results(struct parser *p, struct authres_parsed *out)
{
	struct authres_result result;

	do {
		if (expect(p, ';') < 0)
			return -1;
		if (cursor_at_end(&p->c) && out->count > 0)
			return 0; /* a ";" too much at the end */
		if (out->count == 0 && is_none(p))
			return 0;
		memset(&result, 0, sizeof(result));
		if (read_result(p, &result) < 0)
			return -1;
		if (out->count == AUTHRES_RESULT_MAX)
			return err_set(p->err, ERR_LIMIT,
			    "more than %d results", AUTHRES_RESULT_MAX);
		out->results =
		    grow(p->arena, out->results, out->count, sizeof(result));
		out->results[out->count++] = result;
	} while (!cursor_at_end(&p->c));
	return 0;
}

int
authres_parse(struct arena *arena, struct bytes value,
    struct authres_parsed *out, struct err *err)
{
	struct parser p = { arena, cursor_of(value), err };
	struct authres_parsed parsed = { "", 0, NULL };
	const char *version;

	if (skip_cfws(&p) < 0 || read_value(&p, &parsed.authserv_id) < 0 ||
	    skip_cfws(&p) < 0)
		return -1;
	if (parsed.authserv_id[0] == '\0')
		return malformed(&p, "no authserv-id");
	if (!cursor_at_end(&p.c) && cursor_peek(&p.c) != ';' &&
	    read_keyword(&p, &version) < 0)
		return -1;
	if (read_results(&p, &parsed) < 0)
		return -1;
	*out = parsed;
	return 0;
}
