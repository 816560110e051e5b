/*
 * spf_macro.c - the macro language of SPF (RFC 7208 section 7).
 *
 * The checker knows the grammar and the expander trusts it: what the one
 * lets through the other can walk without looking for errors again.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "policy/spf_macro.h"

#define LABEL_MAX 63
/* More right-hand parts than any value can have. */
#define PARTS_MAX 1000
/* Octets of one value: a sender, or a HELO of one SMTP command line. */
#define VALUE_MAX 1024

static const char macro_letters[] = "slodiphv";
static const char explain_letters[] = "slodiphvcrt";
static const char delimiters[] = ".-+,/_=";

/* One "%{...}", taken apart. */
struct macro {
	char letter;    /* lower case */
	bool escape;    /* it was upper case */
	unsigned parts; /* 0: all */
	bool reverse;
	struct bytes delimiters; /* empty: "." */
};

/* ---- checking ---- */

/* Reads what follows "%{", with the brace.  The cursor stays on failure. */
static bool
read_macro(struct cursor *c, struct macro *macro)
{
	struct cursor at = *c;
	int letter = cursor_peek(&at);
	uint64_t parts = 0;

	if (letter < 0 || !ascii_is_alpha((char)letter))
		return false;
	at.p++;
	macro->letter = ascii_lower((char)letter);
	macro->escape = macro->letter != (char)letter;
	macro->parts = 0;
	if (cursor_peek(&at) >= 0 && ascii_is_digit((char)cursor_peek(&at))) {
		while (cursor_peek(&at) >= 0 &&
		    ascii_is_digit((char)cursor_peek(&at))) {
			parts = parts * 10 + (uint64_t)(*at.p++ - '0');
			if (parts > PARTS_MAX)
				parts = PARTS_MAX;
		}
		if (parts == 0)
			return false;
		macro->parts = (unsigned)parts;
	}
	macro->reverse = cursor_literal(&at, "r");
	if (!cursor_span(&at, delimiters, &macro->delimiters))
		macro->delimiters = (struct bytes){ NULL, 0 };
	if (!cursor_char(&at, '}'))
		return false;
	*c = at;
	return true;
}

/* "%{...}", "%%", "%_" or "%-"; the percent sign has been read. */
static int
check_macro(struct cursor *c, const char *letters, struct err *err)
{
	struct macro macro;

	if (cursor_char(c, '%') || cursor_char(c, '_') || cursor_char(c, '-'))
		return 0;
	if (!cursor_char(c, '{'))
		return err_set(err, ERR_INPUT,
		    "'%%' is not followed by '{', '%%', '_' or '-'");
	if (!read_macro(c, &macro))
		return err_set(err, ERR_INPUT, "malformed macro");
	if (strchr(letters, macro.letter) == NULL)
		return err_set(err, ERR_INPUT, "no macro %%{%c} here",
		    macro.letter);
	return 0;
}

/* ( *alphanum ALPHA *alphanum ) / ( 1*alphanum "-" *( alphanum / "-" )
 * alphanum ) */
static bool
is_top_label(struct bytes label)
{
	bool digits_only = true;
	size_t i;

	if (label.len == 0 || label.data[0] == '-' ||
	    label.data[label.len - 1] == '-')
		return false;
	for (i = 0; i < label.len; i++) {
		if (!ascii_is_alnum(label.data[i]) && label.data[i] != '-')
			return false;
		if (!ascii_is_digit(label.data[i]))
			digits_only = false;
	}
	return !digits_only;
}

/* tail: the literal text behind the last macro, "." toplabel [ "." ] at
 * its end. */
static int
check_domain_end(struct bytes tail, struct err *err)
{
	const char *dot;
	size_t start;

	if (tail.len > 0 && tail.data[tail.len - 1] == '.')
		tail.len--;
	dot = tail.len > 0 ? memrchr(tail.data, '.', tail.len) : NULL;
	if (dot == NULL)
		return err_set(err, ERR_INPUT,
		    "the domain has no top-level label");
	start = (size_t)(dot - tail.data) + 1;
	if (!is_top_label((struct bytes){ dot + 1, tail.len - start }))
		return err_set(err, ERR_INPUT,
		    "the domain ends in no valid top-level label");
	return 0;
}

int
spf_macro_check(struct bytes text, enum spf_syntax syntax, struct err *err)
{
	bool explain = syntax == SPF_SYNTAX_EXPLAIN;
	struct cursor c = cursor_of(text);
	const char *tail = c.p; /* behind the last macro */

	while (!cursor_at_end(&c)) {
		if (cursor_char(&c, '%')) {
			if (check_macro(&c,
				explain ? explain_letters : macro_letters,
				err) < 0)
				return -1;
			tail = c.p;
			continue;
		}
		if ((*c.p < '!' || *c.p > '~') && !(explain && *c.p == ' '))
			return err_set(err, ERR_INPUT,
			    "octet 0x%02x is not allowed", (unsigned char)*c.p);
		c.p++;
	}
	if (syntax != SPF_SYNTAX_DOMAIN)
		return 0;
	if (text.len == 0)
		return err_set(err, ERR_INPUT, "the domain is empty");
	if (tail == c.end)
		return 0;
	return check_domain_end((struct bytes){ tail, (size_t)(c.end - tail) },
	    err);
}

bool
spf_macro_uses(struct bytes text, const char *letters)
{
	struct cursor c = cursor_of(text);
	struct macro macro;

	while (!cursor_at_end(&c)) {
		if (*c.p++ != '%')
			continue;
		if (!cursor_char(&c, '{'))
			c.p++;
		else if (read_macro(&c, &macro) &&
		    strchr(letters, macro.letter) != NULL)
			return true;
	}
	return false;
}

/* ---- expanding ---- */

/* IPv4: as usual.  IPv6: 32 digits with dots between them. */
static int
append_dotted_ip(const struct ip *ip, struct buf *out)
{
	static const char digits[] = "0123456789ABCDEF";
	char text[IP_TEXT_SIZE];
	int i;

	if (ip->family != IP_V6) {
		ip_format(ip, text);
		return buf_append_str(out, text);
	}
	for (i = 0; i < 16; i++)
		buf_printf(out, "%s%c.%c", i > 0 ? "." : "",
		    digits[ip->bytes[i] >> 4], digits[ip->bytes[i] & 15]);
	return out->overflow ? -1 : 0;
}

static int
append_readable_ip(const struct ip *ip, struct buf *out)
{
	char text[IP_TEXT_SIZE];

	ip_format(ip, text);
	return buf_append_str(out, text);
}

/* The value of a letter before it is transformed. */
static int
append_value(const struct spf_macros *m, char letter, struct buf *out)
{
	switch (letter) {
	case 's':
		return buf_printf(out, "%s@%s", m->local, m->sender);
	case 'l':
		return buf_append_str(out, m->local);
	case 'o':
		return buf_append_str(out, m->sender);
	case 'd':
		return buf_append_str(out, m->domain);
	case 'i':
		return append_dotted_ip(&m->ip, out);
	case 'p':
		return buf_append_str(out, m->validated);
	case 'v':
		return buf_append_str(out,
		    m->ip.family == IP_V6 ? "ip6" : "in-addr");
	case 'h':
		return buf_append_str(out, m->helo);
	case 'c':
		return append_readable_ip(&m->ip, out);
	case 'r':
		return buf_append_str(out,
		    m->receiver[0] != '\0' ? m->receiver : "unknown");
	default:
		return buf_printf(out, "%" PRId64, m->now_s);
	}
}

/* All but "unreserved" of RFC 3986 as %XX. */
static int
append_escaped(struct bytes value, struct buf *out)
{
	size_t i;

	for (i = 0; i < value.len; i++) {
		if (ascii_is_alnum(value.data[i]) ||
		    (value.data[i] != '\0' &&
			strchr("-._~", value.data[i]) != NULL))
			buf_append_char(out, value.data[i]);
		else
			buf_printf(out, "%%%02X", (unsigned char)value.data[i]);
	}
	return out->overflow ? -1 : 0;
}

/* Where the parts of a value begin and end. */
struct parts {
	size_t count;
	struct bytes part[VALUE_MAX + 1];
};

static void
split(struct bytes value, const char *stops, struct parts *parts)
{
	struct cursor c = cursor_of(value);

	for (parts->count = 0;; c.p++) {
		parts->part[parts->count++] = cursor_until(&c, stops);
		if (cursor_at_end(&c))
			break;
	}
}

/* Split at the delimiters, reverse, keep the right-hand parts, join with
 * dots (section 7.3). */
static int
append_transformed(const struct macro *macro, struct bytes value,
    struct buf *out)
{
	char stops[sizeof(delimiters)];
	struct parts parts;
	size_t i, n, first;

	if (value.len > VALUE_MAX)
		return -1;
	n = 0;
	for (i = 0; delimiters[i] != '\0'; i++)
		if (macro->delimiters.len > 0 &&
		    memchr(macro->delimiters.data, delimiters[i],
			macro->delimiters.len) != NULL)
			stops[n++] = delimiters[i];
	if (n == 0)
		stops[n++] = '.';
	stops[n] = '\0';

	split(value, stops, &parts);
	first = macro->parts > 0 && macro->parts < parts.count
	    ? parts.count - macro->parts
	    : 0;
	for (i = first; i < parts.count; i++) {
		if (i > first)
			buf_append_char(out, '.');
		buf_append_bytes(out,
		    parts.part[macro->reverse ? parts.count - 1 - i : i]);
	}
	return out->overflow ? -1 : 0;
}

static int
expand_macro(const struct spf_macros *macros, const struct macro *macro,
    struct buf *out)
{
	struct buf value, done;
	int rc = -1;

	buf_init(&value, VALUE_MAX);
	buf_init(&done, VALUE_MAX);
	if (append_value(macros, macro->letter, &value) == 0 &&
	    append_transformed(macro, buf_bytes(&value), &done) == 0)
		rc = macro->escape ? append_escaped(buf_bytes(&done), out)
				   : buf_append_bytes(out, buf_bytes(&done));
	buf_free(&value);
	buf_free(&done);
	return rc;
}

int
spf_macro_expand(const struct spf_macros *macros, struct bytes text,
    struct buf *out)
{
	struct cursor c = cursor_of(text);
	struct macro macro;

	while (!cursor_at_end(&c)) {
		buf_append_bytes(out, cursor_until(&c, "%"));
		if (!cursor_char(&c, '%'))
			continue;
		if (cursor_char(&c, '%'))
			buf_append_char(out, '%');
		else if (cursor_char(&c, '_'))
			buf_append_char(out, ' ');
		else if (cursor_char(&c, '-'))
			buf_append_str(out, "%20");
		else if (!cursor_char(&c, '{') || !read_macro(&c, &macro) ||
		    expand_macro(macros, &macro, out) < 0)
			return -1;
	}
	return out->overflow ? -1 : 0;
}

/* ---- names ---- */

/* Drop labels at the left until the rest is short enough. */
static struct bytes
cut_left(struct bytes name)
{
	const char *dot;

	while (name.len > DNS_NAME_MAX) {
		dot = memchr(name.data, '.', name.len);
		if (dot == NULL)
			break;
		name.len -= (size_t)(dot - name.data) + 1;
		name.data = dot + 1;
	}
	return name;
}

static struct bytes
without_final_dot(struct bytes name)
{
	if (name.len > 0 && name.data[name.len - 1] == '.')
		name.len--;
	return name;
}

/* Checks the labels and writes the name in lower case. */
static int
write_name(struct bytes name, char *out)
{
	size_t i, label = 0;

	if (name.len > DNS_NAME_MAX)
		return 0;
	for (i = 0; i < name.len; i++) {
		if (name.data[i] == '.') {
			if (label == 0)
				return 0;
			label = 0;
		} else if (name.data[i] == '\0' || ++label > LABEL_MAX) {
			return 0;
		}
		out[i] = ascii_lower(name.data[i]);
	}
	out[name.len] = '\0';
	return label > 0;
}

int
spf_name_clean(struct bytes name, char out[SPF_NAME_SIZE])
{
	return write_name(without_final_dot(name), out);
}

int
spf_macro_name(const struct spf_macros *macros, struct bytes spec,
    char out[SPF_NAME_SIZE])
{
	struct bytes name = spec;
	struct buf expanded;
	int rc = 0;

	buf_init(&expanded, SPF_EXPANSION_MAX);
	if (memchr(spec.data, '%', spec.len) != NULL) {
		if (spf_macro_expand(macros, spec, &expanded) < 0)
			goto out;
		name = buf_bytes(&expanded);
	}
	rc = write_name(cut_left(without_final_dot(name)), out);
out:
	buf_free(&expanded);
	return rc;
}

void
spf_name_text(const char *name, char out[SPF_NAME_TEXT_SIZE])
{
	unsigned char c;

	for (; *name != '\0'; name++) {
		if (*name > ' ' && *name <= '~' && *name != '\\' &&
		    *name != '"') {
			*out++ = *name;
			continue;
		}
		c = (unsigned char)*name;
		*out++ = '\\';
		*out++ = (char)('0' + c / 100);
		*out++ = (char)('0' + c / 10 % 10);
		*out++ = (char)('0' + c % 10);
	}
	*out = '\0';
}
