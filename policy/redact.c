/*
 * redact.c - what a stranger may see of a header.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <string.h>

#include "base/crypto.h"
#include "base/str.h"
#include "base/utf8.h"
#include "mail/charset.h"
#include "policy/redact.h"

/* 9 octets of the hash are 12 characters of base64url. */
#define HASH_OCTETS 9
#define PURPOSE "redaction"
#define CUT " [...]"
/* Cleaning makes three octets of one, hashing twelve of one. */
#define GROWTH 16

/* How the value of a field is treated. */
enum how {
	HOW_TEXT,      /* decoded, addresses redacted */
	HOW_TAGS,      /* as it is, "tag=value" */
	HOW_SIGNATURE, /* the same, without copies of the header */
	HOW_RECEIVED,  /* as it is, without who signed in there */
	HOW_ADDRESSES, /* nothing but addresses */
	HOW_TYPE,      /* up to the first parameter */
};

static const struct {
	const char *name;
	enum how how;
} kept_fields[] = {
	{ "ARC-Authentication-Results", HOW_TAGS },
	{ "ARC-Message-Signature", HOW_SIGNATURE },
	{ "ARC-Seal", HOW_TAGS },
	{ "Authentication-Results", HOW_TAGS },
	{ "Auto-Submitted", HOW_TEXT },
	{ "Cc", HOW_ADDRESSES },
	{ "Content-Transfer-Encoding", HOW_TYPE },
	{ "Content-Type", HOW_TYPE },
	{ "DKIM-Signature", HOW_SIGNATURE },
	{ "Date", HOW_TEXT },
	{ "Delivered-To", HOW_ADDRESSES },
	{ "From", HOW_TEXT },
	{ "In-Reply-To", HOW_TEXT },
	{ "List-Id", HOW_TEXT },
	{ "List-Post", HOW_TEXT },
	{ "MIME-Version", HOW_TEXT },
	{ "Message-ID", HOW_TEXT },
	{ "Precedence", HOW_TEXT },
	{ "Received", HOW_RECEIVED },
	{ "Received-SPF", HOW_TAGS },
	{ "References", HOW_TEXT },
	{ "Reply-To", HOW_ADDRESSES },
	{ "Resent-Cc", HOW_ADDRESSES },
	{ "Resent-Date", HOW_TEXT },
	{ "Resent-From", HOW_ADDRESSES },
	{ "Resent-Message-ID", HOW_TEXT },
	{ "Resent-Sender", HOW_ADDRESSES },
	{ "Resent-To", HOW_ADDRESSES },
	{ "Return-Path", HOW_TEXT },
	{ "Sender", HOW_ADDRESSES },
	{ "Subject", HOW_TEXT },
	{ "To", HOW_ADDRESSES },
	{ "User-Agent", HOW_TEXT },
	{ "X-Mailer", HOW_TEXT },
	{ "X-Original-To", HOW_ADDRESSES },
};

/* ---- local parts ---- */

static void
append_hash(const struct redaction *redaction, struct bytes local,
    struct buf *out)
{
	char *lower = arena_memdup(redaction->arena, local.data, local.len);
	const struct bytes parts[] = { BYTES_LIT(PURPOSE),
		{ lower, local.len } };
	uint8_t hash[SHA256_LEN];
	size_t i;

	for (i = 0; i < local.len; i++)
		lower[i] = ascii_lower(lower[i]);
	hmac_sha256(redaction->key, parts, 2, hash);
	(void)base64url_encode((struct bytes){ (const char *)hash,
				   HASH_OCTETS },
	    out);
}

/* What is not ASCII ends a word: Japanese has no spaces, and an honorific
 * follows a name at once. */

static bool
begins_nocase(struct bytes text, struct bytes with)
{
	return text.len >= with.len &&
	    bytes_equal_nocase((struct bytes){ text.data, with.len }, with);
}

/* The length of a recipient's local part at this place, as a word; 0. */
static size_t
local_at(const struct redaction *redaction, struct bytes text)
{
	struct bytes local;
	size_t i;

	for (i = 0; i < redaction->local_count; i++) {
		local = bytes_of(redaction->locals[i]);
		if (local.len >= REDACT_WORD_LEAST &&
		    begins_nocase(text, local) &&
		    (text.len == local.len ||
			!ascii_is_alnum(text.data[local.len])))
			return local.len;
	}
	return 0;
}

/* Links become such that nothing opens them (RFC 9991 section 7.3). */
static bool
is_link(struct bytes text)
{
	return begins_nocase(text, BYTES_LIT("http://")) ||
	    begins_nocase(text, BYTES_LIT("https://"));
}

/* Text that is no address: recipients named in it, and links. */
static void
append_plain(const struct redaction *redaction, struct bytes text,
    struct buf *out)
{
	size_t i = 0, len;
	bool inside = false; /* a word */

	while (i < text.len) {
		struct bytes rest = { text.data + i, text.len - i };

		len = inside ? 0 : local_at(redaction, rest);
		if (len > 0) {
			append_hash(redaction, (struct bytes){ rest.data, len },
			    out);
			i += len;
			continue;
		}
		if (!inside && is_link(rest)) {
			buf_append_str(out, "hxxp");
			i += strlen("http");
		} else {
			buf_append_char(out, text.data[i++]);
		}
		inside = ascii_is_alnum(text.data[i - 1]);
	}
}

/* ---- addresses in a text ---- */

struct place {
	struct bytes before; /* between the last address and this one */
	struct bytes local;  /* with its quotes; may be empty */
	struct bytes domain; /* may be empty */
};

static bool
is_word_octet(char c)
{
	return ascii_is_alnum(c) || (unsigned char)c >= 0x80;
}

static bool
is_local_octet(char c)
{
	return is_word_octet(c) ||
	    (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~.", c) != NULL);
}

static bool
is_domain_octet(char c)
{
	return is_word_octet(c) || c == '-' || c == '.' || c == '_';
}

/* Of "smtp.mailfrom=", but not of VERP: "bounce+taro=our.test@...". */
static bool
is_tag_octet(char c)
{
	return ascii_is_alnum(c) || c == '.' || c == '-' || c == '_';
}

/* Where a quoted string begins that ends before `end`. */
static size_t
quoted_begin(struct bytes text, size_t least, size_t end)
{
	size_t i = end - 1;

	while (i > least) {
		i--;
		if (text.data[i] == '"' &&
		    (i == least || text.data[i - 1] != '\\'))
			return i;
	}
	return least;
}

static size_t
local_begin(struct bytes text, size_t least, size_t at, bool tags)
{
	size_t i = at, equals;

	if (i > least && text.data[i - 1] == '"')
		return quoted_begin(text, least, i);
	while (i > least && is_local_octet(text.data[i - 1]))
		i--;
	for (equals = i; tags && equals < at; equals++) {
		if (text.data[equals] == '=')
			return equals + 1;
		if (!is_tag_octet(text.data[equals]))
			break;
	}
	return i;
}

static size_t
domain_end(struct bytes text, size_t begin)
{
	size_t i = begin;

	if (i < text.len && text.data[i] == '[') {
		/* "[ipv6:...]": nothing that could be an address of mail. */
		for (i++; i < text.len &&
		     (is_domain_octet(text.data[i]) || text.data[i] == ':');
		     i++)
			continue;
		return i < text.len && text.data[i] == ']' ? i + 1 : begin;
	}
	while (i < text.len && is_domain_octet(text.data[i]))
		i++;
	while (i > begin && text.data[i - 1] == '.')
		i--;
	return i;
}

/* The next at-sign from *pos on; *pos moves behind its domain. */
static bool
next_place(struct bytes text, size_t *pos, bool tags, struct place *place)
{
	const char *sign = memchr(text.data + *pos, '@', text.len - *pos);
	size_t at, begin, end;

	if (sign == NULL)
		return false;
	at = (size_t)(sign - text.data);
	begin = local_begin(text, *pos, at, tags);
	end = domain_end(text, at + 1);
	/* "a@b@c": what looks like a domain is the next local part. */
	if (end < text.len && text.data[end] == '@')
		end = at + 1;
	place->before = (struct bytes){ text.data + *pos, begin - *pos };
	place->local = (struct bytes){ text.data + begin, at - begin };
	place->domain = (struct bytes){ text.data + at + 1, end - at - 1 };
	*pos = end;
	return true;
}

static bool
is_kept(const struct redaction *redaction, struct bytes domain)
{
	const char *name;

	return redaction->keep != NULL && domain.len > 0 &&
	    domain_normalize(redaction->arena, domain, &name, NULL) == 0 &&
	    domain_is_within(name, redaction->keep);
}

static struct bytes
without_quotes(const struct redaction *redaction, struct bytes local)
{
	char *plain;
	size_t i, n = 0;

	if (local.len < 2 || local.data[0] != '"')
		return local;
	plain = arena_alloc(redaction->arena, local.len);
	for (i = 1; i + 1 < local.len; i++) {
		if (local.data[i] == '\\' && i + 2 < local.len)
			i++;
		plain[n++] = local.data[i];
	}
	return (struct bytes){ plain, n };
}

/* Behind a domain in ASCII a text in Japanese may go on. */
static void
append_domain(const struct redaction *redaction, struct bytes domain,
    struct buf *out)
{
	size_t n = 0;

	while (n < domain.len && (unsigned char)domain.data[n] < 0x80)
		n++;
	buf_append(out, domain.data, n);
	append_plain(redaction,
	    (struct bytes){ domain.data + n, domain.len - n }, out);
}

static void
append_address(const struct redaction *redaction, const struct place *place,
    struct buf *out)
{
	if (is_kept(redaction, place->domain))
		append_plain(redaction, place->local, out);
	else if (place->local.len > 0)
		append_hash(redaction, without_quotes(redaction, place->local),
		    out);
	buf_append_char(out, '@');
	append_domain(redaction, place->domain, out);
}

static void
append_redacted(const struct redaction *redaction, struct bytes text, bool tags,
    struct buf *out)
{
	struct place place;
	size_t pos = 0;

	while (next_place(text, &pos, tags, &place)) {
		append_plain(redaction, place.before, out);
		append_address(redaction, &place, out);
	}
	append_plain(redaction,
	    (struct bytes){ text.data + pos, text.len - pos }, out);
}

/* Nothing but the addresses, with commas. */
static void
append_addresses(const struct redaction *redaction, struct bytes text,
    struct buf *out)
{
	const size_t begin = out->len;
	struct place place;
	size_t pos = 0;

	while (next_place(text, &pos, false, &place)) {
		if (place.local.len == 0 || place.domain.len == 0)
			continue;
		if (out->len > begin)
			buf_append_str(out, ", ");
		append_address(redaction, &place, out);
	}
	if (out->len == begin)
		buf_append_str(out, "[redacted]");
}

/* ---- values ---- */

/* Valid UTF-8 without control characters, at most so many octets: cut
 * between words, so that no part of an address is left without its sign. */
static struct bytes
clean(struct arena *arena, struct bytes text, bool *cut)
{
	struct buf buf;
	size_t len = text.len;
	struct bytes result;

	*cut = len > REDACT_VALUE_MAX;
	if (*cut) {
		len = REDACT_VALUE_MAX;
		while (len > 0 && !ascii_is_space(text.data[len - 1]))
			len--;
	}
	buf_init(&buf, 3 * REDACT_VALUE_MAX);
	(void)utf8_append_clean(&buf, (struct bytes){ text.data, len });
	result.data = arena_memdup(arena, buf_str(&buf), buf.len);
	result.len = buf.len;
	buf_free(&buf);
	return bytes_trim(result);
}

static const char *
steal(struct arena *arena, struct buf *buf)
{
	/* The ceiling is beyond what any value can grow to. */
	const char *text = arena_strdup(arena, buf_str(buf));

	buf_free(buf);
	return text;
}

static const char *
redact_some(const struct redaction *redaction, struct bytes text, bool tags)
{
	struct buf out;
	bool cut;
	struct bytes value = clean(redaction->arena, text, &cut);

	buf_init(&out, 3 * GROWTH * REDACT_VALUE_MAX);
	append_redacted(redaction, value, tags, &out);
	if (cut)
		buf_append_str(&out, CUT);
	return steal(redaction->arena, &out);
}

const char *
redact_text(const struct redaction *redaction, struct bytes text)
{
	return redact_some(redaction, text, false);
}

const char *
redact_tags(const struct redaction *redaction, struct bytes text)
{
	return redact_some(redaction, text, true);
}

const char *
redact_address(const struct redaction *redaction, const struct address *address)
{
	const struct place place = { .local = bytes_of(address->local),
		.domain = bytes_of(address->domain) };
	struct buf out;

	if (address->local[0] == '\0' && address->domain[0] == '\0')
		return "";
	buf_init(&out, 3 * GROWTH * REDACT_VALUE_MAX);
	append_address(redaction, &place, &out);
	return steal(redaction->arena, &out);
}

/* "(Authenticated sender: taro)", "(AUTH: CRAM-MD5 ...)", "(user=taro)": who
 * signed in at the sender's is nobody's business. */
static bool
names_user(const char *comment)
{
	return str_has_nocase(comment, "auth") ||
	    str_has_nocase(comment, "user");
}

static struct bytes
without_sign_in(struct arena *arena, struct bytes text)
{
	struct buf out;
	size_t i, begin = 0, depth = 0;
	const char *part;

	buf_init(&out, 2 * text.len + 32);
	for (i = 0; i < text.len; i++) {
		if (text.data[i] == '\\' && depth > 0) {
			i++; /* what is quoted ends no comment */
			continue;
		}
		if (text.data[i] == '(' && depth++ == 0) {
			buf_append(&out, text.data + begin, i - begin);
			begin = i;
		}
		if (text.data[i] != ')' || depth == 0 || --depth > 0)
			continue;
		part = arena_memdup(arena, text.data + begin, i + 1 - begin);
		buf_append_str(&out, names_user(part) ? "(redacted)" : part);
		begin = i + 1;
	}
	/* A comment that is not closed may hold anything. */
	if (depth == 0)
		buf_append(&out, text.data + begin, text.len - begin);
	return bytes_of(steal(arena, &out));
}

/* Without z= (RFC 6376 section 3.5): fields that are left out here, names
 * beside addresses, at-signs as "=40". */
static struct bytes
without_copies(struct arena *arena, struct bytes text)
{
	struct cursor all = cursor_of(text), tag;
	struct bytes one;
	struct buf out;

	buf_init(&out, text.len + 1);
	do {
		one = cursor_until(&all, ";");
		tag = cursor_of(bytes_trim(one));
		if (cursor_char(&tag, 'z')) {
			(void)cursor_space(&tag);
			if (cursor_char(&tag, '='))
				continue;
		}
		if (out.len > 0)
			buf_append_char(&out, ';');
		buf_append_bytes(&out, one);
	} while (cursor_char(&all, ';'));
	return bytes_of(steal(arena, &out));
}

static const char *
redact_value(const struct redaction *redaction,
    const struct header_field *field, enum how how)
{
	struct arena *arena = redaction->arena;
	struct bytes text = header_field_text(arena, field), value;
	struct buf out;
	bool cut;

	switch (how) {
	case HOW_TAGS:
		return redact_tags(redaction, text);
	case HOW_SIGNATURE:
		return redact_tags(redaction, without_copies(arena, text));
	case HOW_RECEIVED:
		value = clean(arena, text, &cut);
		return redact_text(redaction, without_sign_in(arena, value));
	case HOW_TYPE:
		value.data = text.data;
		value.len = strcspn(text.data, ";");
		return redact_text(redaction, value);
	case HOW_TEXT:
	case HOW_ADDRESSES:
		break;
	}
	value = bytes_of(
	    charset_header_text(arena, field->value, REDACT_VALUE_MAX + 8));
	if (how == HOW_TEXT)
		return redact_text(redaction, value);
	value = clean(arena, value, &cut);
	buf_init(&out, 3 * GROWTH * REDACT_VALUE_MAX);
	append_addresses(redaction, value, &out);
	if (cut)
		buf_append_str(&out, CUT);
	return steal(arena, &out);
}

/* ---- the header ---- */

void
redact_header(const struct redaction *redaction, const struct header *header,
    size_t octets_max, struct redacted_header *out)
{
	const size_t known = sizeof(kept_fields) / sizeof(kept_fields[0]);
	const struct header_field *field;
	const char *value;
	size_t i, k, octets = 0, read = 0, n;

	out->count = 0;
	for (i = 0; i < header->count && out->count < REDACT_FIELDS_MAX; i++) {
		field = &header->fields[i];
		for (k = 0; k < known; k++)
			if (bytes_equal_nocase(field->name,
				bytes_of(kept_fields[k].name)))
				break;
		/* Each address costs a hash: what is read is bounded, too. */
		if (k < known)
			read += field->value.len;
		if (k == known || read > octets_max)
			continue;
		value = redact_value(redaction, field, kept_fields[k].how);
		n = strlen(kept_fields[k].name) + strlen(value);
		if (n > octets_max - octets)
			continue;
		octets += n;
		out->fields[out->count++] =
		    (struct redacted_field){ kept_fields[k].name, value };
	}
	out->left_out = header->count - out->count;
}
