/*
 * spf_record.c - one SPF record: strict reader and plain writer.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <arpa/inet.h>
#include <assert.h>
#include <string.h>

#include "base/str.h"
#include "policy/spf_macro.h"
#include "policy/spf_record.h"

#define RECORD_VERSION "v=spf1"
/* Octets of a term that an error message shows. */
#define SHOWN_MAX 60
/* Domain of the names in the plain form: RFC 2606 says nobody has it. */
#define PLAIN_DOMAIN "invalid"

enum argument {
	ARGUMENT_NONE,
	ARGUMENT_OPTIONAL, /* [ ":" domain-spec ] */
	ARGUMENT_REQUIRED,
	ARGUMENT_NETWORK, /* ":" network */
};

static const struct mechanism {
	const char *name;
	enum argument argument;
	bool prefix_lengths; /* [ "/" n ] [ "//" n ] may follow */
	bool asks;
} mechanisms[] = {
	[TERM_ALL] = { "all", ARGUMENT_NONE, false, false },
	[TERM_INCLUDE] = { "include", ARGUMENT_REQUIRED, false, true },
	[TERM_A] = { "a", ARGUMENT_OPTIONAL, true, true },
	[TERM_MX] = { "mx", ARGUMENT_OPTIONAL, true, true },
	[TERM_PTR] = { "ptr", ARGUMENT_OPTIONAL, false, true },
	[TERM_IP4] = { "ip4", ARGUMENT_NETWORK, false, false },
	[TERM_IP6] = { "ip6", ARGUMENT_NETWORK, false, false },
	[TERM_EXISTS] = { "exists", ARGUMENT_REQUIRED, false, true },
	[TERM_REDIRECT] = { NULL, ARGUMENT_REQUIRED, false, true },
};

#define MECHANISMS TERM_REDIRECT

struct reader {
	struct arena *arena;
	struct spf_record *record;
	struct spf_term redirect;
	bool has_redirect;
};

bool
spf_kind_asks(enum spf_kind kind)
{
	return mechanisms[kind].asks;
}

bool
spf_record_is(struct bytes text)
{
	struct cursor c = cursor_of(text);

	return cursor_literal(&c, RECORD_VERSION) &&
	    (cursor_at_end(&c) || *c.p == ' ');
}

/* ---- the parts of a mechanism ---- */

/* "0", or digits that do not begin with 0, up to most. */
static int
read_prefix_length(struct bytes digits, uint64_t most, uint8_t *out,
    struct err *err)
{
	uint64_t n;

	if ((digits.len > 1 && digits.data[0] == '0') ||
	    parse_u64(digits, 0, most, &n) < 0)
		return err_set(err, ERR_INPUT,
		    "the prefix length is not 0 to %u", (unsigned)most);
	*out = (uint8_t)n;
	return 0;
}

/*
 * Takes slashes and the digits behind them off the end of text, into
 * *digits.  False if there are none: a domain-spec may hold slashes too.
 */
static bool
take_prefix_length(struct bytes *text, const char *slashes,
    struct bytes *digits)
{
	size_t n = text->len, width = strlen(slashes);

	while (n > 0 && ascii_is_digit(text->data[n - 1]))
		n--;
	if (n == text->len || n < width ||
	    memcmp(text->data + n - width, slashes, width) != 0)
		return false;
	*digits = (struct bytes){ text->data + n, text->len - n };
	text->len = n - width;
	return true;
}

static int
read_prefix_lengths(struct bytes *text, struct spf_term *term, struct err *err)
{
	struct bytes digits;

	term->bits4 = 32;
	term->bits6 = 128;
	if (take_prefix_length(text, "//", &digits) &&
	    read_prefix_length(digits, 128, &term->bits6, err) < 0)
		return -1;
	if (take_prefix_length(text, "/", &digits) &&
	    read_prefix_length(digits, 32, &term->bits4, err) < 0)
		return -1;
	return 0;
}

/* ":" domain-spec, or nothing where that is allowed. */
static int
read_domain(struct bytes rest, enum argument argument, struct spf_term *term,
    struct err *err)
{
	if (rest.len == 0 && argument == ARGUMENT_OPTIONAL)
		return 0;
	if (rest.len == 0 || rest.data[0] != ':')
		return err_set(err, ERR_INPUT, "a domain is missing");
	term->domain = (struct bytes){ rest.data + 1, rest.len - 1 };
	return spf_macro_check(term->domain, SPF_SYNTAX_DOMAIN, err);
}

static void
clear_host_bits(struct network *network)
{
	unsigned i, size = network->ip.family == IP_V4 ? 4 : 16;

	for (i = 0; i < size; i++)
		if (8 * i >= network->bits)
			network->ip.bytes[i] = 0;
		else if (8 * i + 8 > network->bits)
			network->ip.bytes[i] &=
			    (uint8_t)(0xff << (8 - network->bits % 8));
}

/*
 * ":" address [ "/" n ].  Unlike ip_parse, an IPv4-mapped address stays an
 * IPv6 address here: it matches no client (section 5, last paragraph).
 */
static int
read_network(struct bytes rest, struct spf_term *term, struct err *err)
{
	bool v4 = term->kind == TERM_IP4;
	struct network *network = &term->network;
	char address[INET6_ADDRSTRLEN];
	struct bytes digits;
	uint8_t bits = v4 ? 32 : 128;

	if (rest.len == 0 || rest.data[0] != ':')
		return err_set(err, ERR_INPUT, "an address is missing");
	rest.data++;
	rest.len--;
	if (take_prefix_length(&rest, "/", &digits) &&
	    read_prefix_length(digits, bits, &bits, err) < 0)
		return -1;
	if (rest.len >= sizeof(address))
		return err_set(err, ERR_INPUT, "no IP address");
	memcpy(address, rest.data, rest.len);
	address[rest.len] = '\0';
	if (inet_pton(v4 ? AF_INET : AF_INET6, address, network->ip.bytes) != 1)
		return err_set(err, ERR_INPUT, "no IPv%c address",
		    v4 ? '4' : '6');
	network->ip.family = v4 ? IP_V4 : IP_V6;
	network->bits = bits;
	clear_host_bits(network);
	return 0;
}

/* ---- terms ---- */

static const struct mechanism *
find_mechanism(struct bytes name)
{
	size_t i;

	for (i = 0; i < MECHANISMS; i++)
		if (bytes_equal_nocase(name, bytes_of(mechanisms[i].name)))
			return &mechanisms[i];
	return NULL;
}

static int
read_argument(const struct mechanism *mechanism, struct bytes rest,
    struct spf_term *term, struct err *err)
{
	switch (mechanism->argument) {
	case ARGUMENT_NONE:
		if (rest.len > 0)
			return err_set(err, ERR_INPUT, "it takes no argument");
		return 0;
	case ARGUMENT_NETWORK:
		return read_network(rest, term, err);
	default:
		if (mechanism->prefix_lengths &&
		    read_prefix_lengths(&rest, term, err) < 0)
			return -1;
		return read_domain(rest, mechanism->argument, term, err);
	}
}

/* [ qualifier ] mechanism */
static int
read_directive(struct reader *r, struct bytes text, struct err *err)
{
	struct spf_term *term = &r->record->terms[r->record->count];
	const struct mechanism *mechanism;
	struct cursor c = cursor_of(text);
	struct bytes name;

	memset(term, 0, sizeof(*term));
	term->text = text;
	term->qualifier = '+';
	if (cursor_peek(&c) >= 0 && strchr("+-~?", *c.p) != NULL)
		term->qualifier = *c.p++;
	name = cursor_until(&c, ":/");
	mechanism = find_mechanism(name);
	if (mechanism == NULL)
		return err_set(err, ERR_INPUT, "unknown mechanism");
	term->kind = (enum spf_kind)(mechanism - mechanisms);
	if (read_argument(mechanism,
		(struct bytes){ c.p, (size_t)(c.end - c.p) }, term, err) < 0)
		return -1;
	r->record->count++;
	return 0;
}

static int
read_redirect(struct reader *r, struct bytes text, struct bytes value,
    struct err *err)
{
	if (r->has_redirect)
		return err_set(err, ERR_INPUT, "a second redirect");
	r->has_redirect = true;
	r->redirect.kind = TERM_REDIRECT;
	r->redirect.qualifier = '+';
	r->redirect.text = text;
	r->redirect.domain = value;
	return spf_macro_check(value, SPF_SYNTAX_DOMAIN, err);
}

static int
read_exp(struct reader *r, struct bytes value, struct err *err)
{
	if (r->record->exp.data != NULL)
		return err_set(err, ERR_INPUT, "a second exp");
	r->record->exp = value;
	return spf_macro_check(value, SPF_SYNTAX_DOMAIN, err);
}

/* name "=", as far as text is a modifier: name = ALPHA *( ALPHA / DIGIT /
 * "-" / "_" / "." ) */
static bool
split_modifier(struct bytes text, struct bytes *name, struct bytes *value)
{
	size_t i;

	for (i = 0; i < text.len && text.data[i] != '='; i++)
		if (!ascii_is_alpha(text.data[i]) &&
		    (i == 0 ||
			(!ascii_is_digit(text.data[i]) &&
			    strchr("-_.", text.data[i]) == NULL)))
			return false;
	if (i == 0 || i == text.len)
		return false;
	*name = (struct bytes){ text.data, i };
	*value = (struct bytes){ text.data + i + 1, text.len - i - 1 };
	return true;
}

static int
read_term(struct reader *r, struct bytes text, struct err *err)
{
	struct bytes name, value;

	if (!split_modifier(text, &name, &value))
		return read_directive(r, text, err);
	if (bytes_equal_nocase(name, BYTES_LIT("redirect")))
		return read_redirect(r, text, value, err);
	if (bytes_equal_nocase(name, BYTES_LIT("exp")))
		return read_exp(r, value, err);
	return spf_macro_check(value, SPF_SYNTAX_STRING, err);
}

/* ---- the record ---- */

/*
 * Printable ASCII and space only: from here on all text may be shown.
 * *terms: how many there are, for the allocation.
 */
static int
check_octets(struct bytes text, size_t *terms, struct err *err)
{
	char before = '\0', c;
	size_t i;

	*terms = 0;
	for (i = 0; i < text.len; i++, before = c) {
		c = text.data[i];
		if (c < ' ' || c > '~')
			return err_set(err, ERR_INPUT,
			    "octet 0x%02x in the record", (unsigned char)c);
		*terms += before == ' ' && c != ' ';
	}
	return 0;
}

static int
read_terms(struct reader *r, struct bytes text, struct err *err)
{
	const char *end = text.data + text.len, *p, *space;
	struct bytes term;

	for (p = text.data + strlen(RECORD_VERSION); p < end; p = space) {
		space = memchr(p, ' ', (size_t)(end - p));
		if (space == p) {
			space++;
			continue;
		}
		if (space == NULL)
			space = end;
		term = (struct bytes){ p, (size_t)(space - p) };
		if (read_term(r, term, err) < 0)
			return err_prefix(err, "'%.*s%s'",
			    (int)(term.len < SHOWN_MAX ? term.len : SHOWN_MAX),
			    term.data, term.len > SHOWN_MAX ? "..." : "");
	}
	if (r->has_redirect)
		r->record->terms[r->record->count++] = r->redirect;
	return 0;
}

int
spf_record_read(struct arena *arena, struct bytes text,
    struct spf_record *record, struct err *err)
{
	struct reader r = { .arena = arena, .record = record };
	size_t n;

	memset(record, 0, sizeof(*record));
	if (text.len > SPF_RECORD_MAX)
		return err_set(err, ERR_INPUT,
		    "the record is longer than %d octets", SPF_RECORD_MAX);
	if (check_octets(text, &n, err) < 0)
		return -1;
	if (n > SPF_TERMS_MAX)
		return err_set(err, ERR_INPUT,
		    "the record has more than %d terms", SPF_TERMS_MAX);
	record->terms = arena_alloc(arena, (n + 1) * sizeof(*record->terms));
	return read_terms(&r, text, err);
}

/* ---- the plain form ---- */

static bool
matches_by_itself(const struct spf_term *term, const struct ip *client)
{
	if (term->kind == TERM_IP4 || term->kind == TERM_IP6)
		return network_contains(&term->network, client);
	return term->kind == TERM_ALL;
}

size_t
spf_record_reach(const struct spf_record *record, const struct ip *client)
{
	size_t i;

	for (i = 0; i < record->count; i++)
		if (matches_by_itself(&record->terms[i], client))
			return i + 1;
	return record->count;
}

static void
write_term(const struct spf_term *term, unsigned number, size_t place,
    const struct ip *client, struct buf *out)
{
	const char *word = mechanisms[term->kind].name;
	char argument[SPF_PLAIN_NAME_SIZE > IP_TEXT_SIZE ? SPF_PLAIN_NAME_SIZE
							 : IP_TEXT_SIZE];

	if (term->kind == TERM_REDIRECT) {
		spf_plain_name(argument, number, place);
		buf_append_str(out, " redirect=");
		buf_append_str(out, argument);
		return;
	}
	buf_append_char(out, ' ');
	buf_append_char(out, term->qualifier);
	if (term->kind != TERM_INCLUDE && spf_kind_asks(term->kind))
		word = mechanisms[TERM_EXISTS].name;
	buf_append_str(out, word);
	if (term->kind == TERM_ALL)
		return;
	if (spf_kind_asks(term->kind))
		spf_plain_name(argument, number, place);
	else
		ip_format(client, argument);
	buf_append_char(out, ':');
	buf_append_str(out, argument);
}

int
spf_record_write(const struct spf_record *record, size_t reach, unsigned number,
    const struct ip *client, struct buf *out)
{
	const struct spf_term *term;
	unsigned asking = 0;
	size_t i;

	buf_append_str(out, RECORD_VERSION " ");
	for (i = 0; i < reach; i++) {
		term = &record->terms[i];
		if (!spf_kind_asks(term->kind) &&
		    !matches_by_itself(term, client))
			continue;
		write_term(term, number, i, client, out);
		/* Evaluating one more than may be ends the evaluation:
		 * what follows cannot be reached. */
		if (spf_kind_asks(term->kind) && ++asking > SPF_DNS_TERMS_MAX)
			break;
	}
	return out->overflow ? -1 : 0;
}

/* Decimal digits at *out, which moves behind them. */
static void
put_number(char **out, size_t n)
{
	char digits[3 * sizeof(n)];
	size_t i = 0;

	do
		digits[i++] = (char)('0' + n % 10);
	while ((n /= 10) > 0);
	while (i > 0)
		*(*out)++ = digits[--i];
}

/* Not by snprintf: this is the warmest place of an evaluation. */
void
spf_plain_name(char out[SPF_PLAIN_NAME_SIZE], unsigned number, size_t place)
{
	assert(number <= UINT16_MAX && place <= SPF_TERMS_MAX);
	*out++ = 't';
	put_number(&out, place);
	*out++ = '.';
	*out++ = 'r';
	put_number(&out, number);
	memcpy(out, "." PLAIN_DOMAIN, sizeof("." PLAIN_DOMAIN));
}

int
spf_plain_parse(const char *name, unsigned *number, size_t *place)
{
	struct cursor c = cursor_of(bytes_of(name));
	uint64_t n, p;

	if (!cursor_char(&c, 't') || !cursor_u64(&c, SPF_TERMS_MAX, &p) ||
	    !cursor_literal(&c, ".r") || !cursor_u64(&c, UINT16_MAX, &n) ||
	    !cursor_literal(&c, "." PLAIN_DOMAIN) || !cursor_at_end(&c))
		return -1;
	*number = (unsigned)n;
	*place = (size_t)p;
	return 0;
}
