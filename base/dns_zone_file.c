/*
 * dns_zone_file.c - reads a zone file (doc/dns-zone.md).
 *
 * A file of the operator's or of a test, not of strangers; errors name the
 * line.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/dns_zone_impl.h"
#include "base/file.h"
#include "base/str.h"

#define FILE_MAX_BYTES (64UL * 1024 * 1024)
#define TOKENS_MAX 512 /* of an entry */
#define RDATA_MAX 65535
#define STRING_MAX 255
#define TTL_DEFAULT_S 3600
#define DELAY_MAX_MS 60000

/* ---- reading: lines and words ---- */

struct token {
	struct bytes text; /* escapes as written */
	bool quoted;
};

struct parser {
	const char *file;
	struct err *err;
	struct cursor in;
	unsigned line;       /* where the cursor is */
	unsigned start_line; /* of the entry */
	struct token tokens[TOKENS_MAX];
	size_t count, next;
	bool indented; /* the entry begins with space */
	struct dns_zone *zone;
	struct dns_wire origin, owner;
	bool has_owner;
	uint32_t ttl_s;
	struct buf rdata;
};

#define FAIL(parser, ...)                                                      \
	(err_set((parser)->err, ERR_CONFIG, __VA_ARGS__),                      \
	    err_prefix((parser)->err, "%s:%u", (parser)->file,                 \
		(parser)->start_line),                                         \
	    -1)

/* A token as far as an error message needs it. */
#define SHOWN(token)                                                           \
	(int)((token)->text.len < 60 ? (token)->text.len : 60),                \
	    (token)->text.data

static void
skip_comment(struct cursor *in)
{
	while (!cursor_at_end(in) && *in->p != '\n')
		in->p++;
}

/* To the closing quote; the cursor is behind the opening one. */
static int
read_quoted(struct parser *parser, struct token *token)
{
	struct cursor *in = &parser->in;
	const char *start = in->p;

	for (; !cursor_at_end(in) && *in->p != '\n'; in->p++) {
		if (*in->p == '"') {
			token->text =
			    (struct bytes){ start, (size_t)(in->p - start) };
			token->quoted = true;
			in->p++;
			return 0;
		}
		if (*in->p == '\\' && in->end - in->p > 1 && in->p[1] != '\n')
			in->p++;
	}
	return FAIL(parser, "the string has no end");
}

static void
read_word(struct cursor *in, struct token *token)
{
	const char *start = in->p;

	while (!cursor_at_end(in) && !ascii_is_space(*in->p) &&
	    strchr(";\"()", *in->p) == NULL) {
		if (*in->p == '\\' && in->end - in->p > 1 && in->p[1] != '\n')
			in->p++;
		in->p++;
	}
	token->text = (struct bytes){ start, (size_t)(in->p - start) };
	token->quoted = false;
}

/* The words of an entry; parentheses let it go over lines. */
static int
read_entry(struct parser *parser)
{
	struct cursor *in = &parser->in;
	unsigned depth = 0;

	parser->count = parser->next = 0;
	parser->start_line = parser->line;
	parser->indented = !cursor_at_end(in) && ascii_is_space(*in->p);
	for (; !cursor_at_end(in); in->p++) {
		if (*in->p == '\n') {
			parser->line++;
			if (depth > 0)
				continue;
			in->p++;
			return 0;
		}
		if (ascii_is_space(*in->p))
			continue;
		if (*in->p == '(') {
			depth++;
			continue;
		}
		if (*in->p == ')') {
			if (depth-- == 0)
				return FAIL(parser, "unexpected )");
			continue;
		}
		if (*in->p == ';') {
			skip_comment(in);
			in->p--; /* the loop moves on */
			continue;
		}
		if (parser->count == TOKENS_MAX)
			return FAIL(parser, "more than %d words", TOKENS_MAX);
		if (*in->p == '"') {
			in->p++;
			if (read_quoted(parser,
				&parser->tokens[parser->count++]) < 0)
				return -1;
		} else {
			read_word(in, &parser->tokens[parser->count++]);
		}
		in->p--;
	}
	return depth == 0 ? 0 : FAIL(parser, "a parenthesis has no end");
}

static const struct token *
token_next(struct parser *parser)
{
	return parser->next < parser->count ? &parser->tokens[parser->next++]
					    : NULL;
}

static bool
token_is(const struct token *token, const char *word)
{
	return !token->quoted &&
	    bytes_equal_nocase(token->text, bytes_of(word));
}

static bool
token_is_ttl(const struct token *token, uint32_t *ttl_s)
{
	uint64_t seconds;

	if (token->quoted || parse_seconds(token->text, &seconds) < 0 ||
	    seconds > INT32_MAX)
		return false;
	*ttl_s = (uint32_t)seconds;
	return true;
}

/* "30", "30ms", "2s" */
static bool
token_is_delay(const struct token *token, unsigned *delay_ms)
{
	struct cursor c = cursor_of(token->text);
	uint64_t n, factor = 1;

	if (token->quoted || !cursor_u64(&c, DELAY_MAX_MS, &n))
		return false;
	if (!cursor_literal(&c, "ms") && cursor_literal(&c, "s"))
		factor = 1000;
	if (!cursor_at_end(&c) || n * factor > DELAY_MAX_MS)
		return false;
	*delay_ms = (unsigned)(n * factor);
	return true;
}

/* ---- reading: names and strings ---- */

static bool
ends_with_dot(struct bytes text)
{
	size_t i = text.len, backslashes = 0;

	if (i == 0 || text.data[--i] != '.')
		return false;
	while (i > 0 && text.data[--i] == '\\')
		backslashes++;
	return backslashes % 2 == 0;
}

/* A name, which is below the origin unless it ends with a dot. */
static int
take_name(struct parser *parser, const struct token *token,
    struct dns_wire *out)
{
	char text[DNS_WIRE_MAX * 4 + 1];
	size_t len;

	if (token_is(token, "@")) {
		dns_wire_copy(out, &parser->origin);
		return 0;
	}
	if (token->text.len == 0 || token->text.len >= sizeof(text) ||
	    memchr(token->text.data, '\0', token->text.len) != NULL)
		return FAIL(parser, "this is no name");
	memcpy(text, token->text.data, token->text.len);
	text[token->text.len] = '\0';
	if (dns_wire_from_text(text, out) < 0)
		return FAIL(parser, "'%.*s' is no name", SHOWN(token));
	if (ends_with_dot(token->text))
		return 0;
	/* Without its root label, before the origin. */
	len = (size_t)out->len - 1;
	if (len + parser->origin.len > DNS_WIRE_MAX)
		return FAIL(parser, "'%.*s' is too long", SHOWN(token));
	memcpy(out->data + len, parser->origin.data, parser->origin.len);
	out->len = (uint8_t)(len + parser->origin.len);
	return 0;
}

/* Appends the name that comes next. */
static int
rdata_name(struct parser *parser)
{
	const struct token *token = token_next(parser);
	struct dns_wire name;

	if (token == NULL)
		return FAIL(parser, "a name is missing");
	if (take_name(parser, token, &name) < 0)
		return -1;
	return buf_append(&parser->rdata, name.data, name.len);
}

static int
rdata_number(struct parser *parser, uint64_t most, size_t octets)
{
	const struct token *token = token_next(parser);
	uint64_t n;

	if (token == NULL)
		return FAIL(parser, "a number is missing");
	if (parse_u64(token->text, 0, most, &n) < 0 &&
	    (octets == 2 || parse_seconds(token->text, &n) < 0 || n > most))
		return FAIL(parser, "'%.*s' is no number", SHOWN(token));
	while (octets-- > 0)
		if (buf_append_char(&parser->rdata,
			(char)((n >> (octets * 8)) & 0xff)) < 0)
			return -1;
	return 0;
}

/* \DDD and \X undone; -1: a bad escape. */
static int
append_unescaped(struct buf *out, struct bytes text)
{
	struct bytes digits;
	uint64_t value;
	size_t i;

	for (i = 0; i < text.len; i++) {
		if (text.data[i] != '\\') {
			buf_append_char(out, text.data[i]);
			continue;
		}
		if (++i == text.len)
			return -1;
		if (!ascii_is_digit(text.data[i])) {
			buf_append_char(out, text.data[i]);
			continue;
		}
		digits = (struct bytes){ text.data + i, 3 };
		if (text.len - i < 3 || parse_u64(digits, 0, 255, &value) < 0)
			return -1;
		buf_append_char(out, (char)value);
		i += 2;
	}
	return 0;
}

/* ---- reading: types ---- */

static int
rdata_a(struct parser *parser)
{
	const struct token *token = token_next(parser);
	struct ip ip;

	if (token == NULL || ip_parse(token->text, &ip) < 0 ||
	    ip.family != IP_V4)
		return FAIL(parser, "A wants an IPv4 address");
	return buf_append(&parser->rdata, ip.bytes, 4);
}

static int
rdata_aaaa(struct parser *parser)
{
	static const uint8_t mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff,
		0xff };
	const struct token *token = token_next(parser);
	struct ip ip;

	if (token == NULL ||
	    memchr(token->text.data, ':', token->text.len) == NULL ||
	    ip_parse(token->text, &ip) < 0)
		return FAIL(parser, "AAAA wants an IPv6 address");
	if (ip.family == IP_V6)
		return buf_append(&parser->rdata, ip.bytes, 16);
	if (buf_append(&parser->rdata, mapped, sizeof(mapped)) < 0)
		return -1;
	return buf_append(&parser->rdata, ip.bytes, 4);
}

static int
rdata_mx(struct parser *parser)
{
	return rdata_number(parser, 65535, 2) < 0 ? -1 : rdata_name(parser);
}

static int
rdata_txt(struct parser *parser)
{
	const struct token *token;
	struct buf string;

	if (parser->next == parser->count)
		return FAIL(parser, "TXT wants a string");
	buf_init(&string, RDATA_MAX);
	while ((token = token_next(parser)) != NULL) {
		buf_reset(&string);
		if (append_unescaped(&string, token->text) < 0) {
			buf_free(&string);
			return FAIL(parser, "a string has a bad escape");
		}
		if (string.len > STRING_MAX) {
			buf_free(&string);
			return FAIL(parser,
			    "a string has more than %d octets: split it",
			    STRING_MAX);
		}
		buf_append_char(&parser->rdata, (char)string.len);
		buf_append_bytes(&parser->rdata, buf_bytes(&string));
	}
	buf_free(&string);
	return parser->rdata.overflow ? FAIL(parser, "the record is too long")
				      : 0;
}

static int
rdata_soa(struct parser *parser)
{
	int i;

	for (i = 0; i < 2; i++)
		if (rdata_name(parser) < 0)
			return -1;
	for (i = 0; i < 5; i++)
		if (rdata_number(parser, UINT32_MAX, 4) < 0)
			return -1;
	return 0;
}

/* TIMEOUT [type...]: of these types, or of those without records. */
static int read_pretence(struct parser *parser, struct zone_node *node,
    enum zone_pretence pretence);

static int
read_delay(struct parser *parser, struct zone_node *node)
{
	const struct token *token = token_next(parser);

	if (token == NULL || !token_is_delay(token, &node->delay_ms))
		return FAIL(parser,
		    "DELAY wants a time such as 30ms or 2s, "
		    "at most %d s",
		    DELAY_MAX_MS / 1000);
	return 0;
}

static int
read_alias(struct parser *parser, struct zone_node *node)
{
	const struct token *token = token_next(parser);
	struct dns_wire target;

	if (token == NULL)
		return FAIL(parser, "a name is missing");
	if (take_name(parser, token, &target) < 0)
		return -1;
	if (node->alias != NULL)
		return FAIL(parser, "the name has a CNAME already");
	node->alias = xmalloc(sizeof(target));
	dns_wire_copy(node->alias, &target);
	return 0;
}

static int
read_servfail(struct parser *parser, struct zone_node *node)
{
	return read_pretence(parser, node, ZONE_PRETEND_SERVFAIL);
}

static int
read_timeout(struct parser *parser, struct zone_node *node)
{
	return read_pretence(parser, node, ZONE_PRETEND_TIMEOUT);
}

static int
read_bogus(struct parser *parser, struct zone_node *node)
{
	return read_pretence(parser, node, ZONE_PRETEND_BOGUS);
}

static const struct type {
	const char *name;
	enum zone_place place;
	/* Makes the rdata, or does what else the entry is for. */
	int (*rdata)(struct parser *parser);
	int (*read)(struct parser *parser, struct zone_node *node);
} types[] = {
	{ "A", ZONE_A, rdata_a, NULL },
	{ "AAAA", ZONE_AAAA, rdata_aaaa, NULL },
	{ "MX", ZONE_MX, rdata_mx, NULL },
	{ "TXT", ZONE_TXT, rdata_txt, NULL },
	{ "PTR", ZONE_PTR, rdata_name, NULL },
	{ "NS", ZONE_NONE, rdata_name, NULL },
	{ "SOA", ZONE_NONE, rdata_soa, NULL },
	{ "CNAME", ZONE_NONE, NULL, read_alias },
	{ "SERVFAIL", ZONE_NONE, NULL, read_servfail },
	{ "TIMEOUT", ZONE_NONE, NULL, read_timeout },
	{ "BOGUS", ZONE_NONE, NULL, read_bogus },
	{ "DELAY", ZONE_NONE, NULL, read_delay },
};

static const struct type *
type_find(const struct token *token)
{
	size_t i;

	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (token_is(token, types[i].name))
			return &types[i];
	return NULL;
}

static int
read_pretence(struct parser *parser, struct zone_node *node,
    enum zone_pretence pretence)
{
	const struct token *token;
	const struct type *type;

	if (parser->next == parser->count)
		node->otherwise = pretence;
	while ((token = token_next(parser)) != NULL) {
		type = type_find(token);
		if (type == NULL || type->place == ZONE_NONE)
			return FAIL(parser,
			    "'%.*s' is none of A, AAAA, MX, "
			    "PTR, TXT",
			    SHOWN(token));
		node->pretence[type->place] = pretence;
	}
	return 0;
}

static int
add_record(struct parser *parser, struct zone_node *node, enum zone_place place,
    uint32_t ttl_s)
{
	node->has_records = true;
	if (place == ZONE_NONE)
		return 0;
	if (node->drafts[place] == NULL) {
		node->drafts[place] = xmalloc(sizeof(struct dns_draft));
		dns_draft_init(node->drafts[place]);
		dns_draft_reset(node->drafts[place], zone_types[place]);
		node->ttl_s[place] = ttl_s;
	}
	if (ttl_s < node->ttl_s[place])
		node->ttl_s[place] = ttl_s;
	if (dns_draft_add(node->drafts[place], (struct bytes){ NULL, 0 },
		buf_bytes(&parser->rdata)) < 0)
		return FAIL(parser, "too many records, or too long");
	return 0;
}

/* ---- reading: entries ---- */

static int
read_directive(struct parser *parser)
{
	const struct token *token = token_next(parser);
	const struct token *value = token_next(parser);
	struct dns_wire origin;

	if (value == NULL || token_next(parser) != NULL)
		return FAIL(parser, "%.*s wants one value", SHOWN(token));
	if (token_is(token, "$ORIGIN")) {
		/* The new one may be below the old one. */
		if (take_name(parser, value, &origin) < 0)
			return -1;
		dns_wire_copy(&parser->origin, &origin);
		return 0;
	}
	if (!token_is(token, "$TTL"))
		return FAIL(parser, "%.*s is not known here", SHOWN(token));
	if (!token_is_ttl(value, &parser->ttl_s))
		return FAIL(parser, "$TTL wants a time such as 3600 or 1h");
	return 0;
}

/* [ttl] [class] type, ttl and class in any order. */
static int
read_type(struct parser *parser, const struct type **type, uint32_t *ttl_s)
{
	const struct token *token;

	*ttl_s = parser->ttl_s;
	while ((token = token_next(parser)) != NULL) {
		if (token_is_ttl(token, ttl_s) || token_is(token, "IN"))
			continue;
		*type = type_find(token);
		if (*type != NULL)
			return 0;
		return FAIL(parser, "'%.*s' is no type that is known here",
		    SHOWN(token));
	}
	return FAIL(parser, "the type is missing");
}

static int
read_record(struct parser *parser)
{
	const struct type *type;
	struct zone_node *node;
	uint32_t ttl_s;

	if (!parser->indented) {
		if (take_name(parser, token_next(parser), &parser->owner) < 0)
			return -1;
		parser->has_owner = true;
	} else if (!parser->has_owner) {
		return FAIL(parser, "the first record has no name");
	}
	if (read_type(parser, &type, &ttl_s) < 0)
		return -1;
	node = zone_node_get(parser->zone, &parser->owner);
	buf_reset(&parser->rdata);
	if ((type->read != NULL ? type->read(parser, node)
				: type->rdata(parser)) < 0)
		return -1;
	if (parser->next < parser->count)
		return FAIL(parser, "'%.*s' is too much",
		    SHOWN(&parser->tokens[parser->next]));
	if (type->rdata != NULL &&
	    add_record(parser, node, type->place, ttl_s) < 0)
		return -1;
	if (node->alias != NULL && node->has_records)
		return FAIL(parser, "a name with CNAME has nothing else");
	return 0;
}

static int
read_zone(struct parser *parser)
{
	while (!cursor_at_end(&parser->in)) {
		if (read_entry(parser) < 0)
			return -1;
		if (parser->count == 0)
			continue;
		if (!parser->indented && !parser->tokens[0].quoted &&
		    parser->tokens[0].text.data[0] == '$') {
			if (read_directive(parser) < 0)
				return -1;
		} else if (read_record(parser) < 0) {
			return -1;
		}
	}
	return 0;
}

/* Drafts become answers. */
static void
zone_settle(struct dns_zone *zone)
{
	struct zone_node *node;
	size_t i, place;

	for (i = 0; i < ZONE_CHAINS; i++)
		LIST_FOREACH(node, &zone->chains[i], chain)
	for (place = 0; place < ZONE_COUNT; place++) {
		struct dns_draft *draft = node->drafts[place];

		if (draft == NULL)
			continue;
		node->replies[place] =
		    dns_draft_reply(draft, node->ttl_s[place], false);
		dns_draft_fini(draft);
		free(draft);
		node->drafts[place] = NULL;
	}
}

struct dns_zone *
dns_zone_parse(const char *file, struct bytes text, struct err *err)
{
	struct dns_zone *zone;
	struct parser *parser;
	int rc;

	if (text.len > 0 && memchr(text.data, '\0', text.len) != NULL) {
		err_set(err, ERR_CONFIG, "%s: is no text: it holds a NUL",
		    file);
		return NULL;
	}
	zone = xcalloc(1, sizeof(*zone));
	parser = xcalloc(1, sizeof(*parser));
	parser->file = file;
	parser->err = err;
	parser->in = cursor_of(text);
	parser->line = 1;
	parser->zone = zone;
	parser->ttl_s = TTL_DEFAULT_S;
	(void)dns_wire_from_text(".", &parser->origin);
	buf_init(&parser->rdata, RDATA_MAX);
	rc = read_zone(parser);
	buf_free(&parser->rdata);
	free(parser);
	if (rc < 0) {
		dns_zone_free(zone);
		return NULL;
	}
	zone_settle(zone);
	return zone;
}

struct dns_zone *
dns_zone_load(const char *file, struct err *err)
{
	struct dns_zone *zone = NULL;
	struct buf text;

	buf_init(&text, FILE_MAX_BYTES);
	if (file_read(file, &text, err) == 0)
		zone = dns_zone_parse(file, buf_bytes(&text), err);
	buf_free(&text);
	return zone;
}
