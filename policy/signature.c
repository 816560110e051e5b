/*
 * signature.c - one signature field: DKIM-Signature, ARC-Message-Signature or
 * ARC-Seal.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <string.h>

#include "base/crypto.h"
#include "base/str.h"
#include "base/utf8.h"
#include "mail/address.h"
#include "policy/signature.h"
#include "policy/taglist.h"

const struct signature_rules signature_rules_default = {
	.sha1 = false,
	.rsa_bits_min = 1024,
};

/* ---- tags ---- */

struct reader {
	struct arena *arena;
	struct signature *sig;
	struct err *err;
};

static int
refuse(struct reader *r, const char *why)
{
	return err_set(r->err, ERR_INPUT, "%s", why);
}

static int
read_version(struct reader *r, const struct tag *tag)
{
	return bytes_equal(tag->value, BYTES_LIT("1"))
	    ? 0
	    : refuse(r, "unknown version in v=");
}

static int
read_domain(struct reader *r, const struct tag *tag)
{
	if (domain_normalize(r->arena, tag->value, &r->sig->domain, NULL) < 0)
		return refuse(r, "d= is no domain");
	return 0;
}

static int
read_selector(struct reader *r, const struct tag *tag)
{
	if (domain_normalize(r->arena, tag->value, &r->sig->selector, NULL) < 0)
		return refuse(r, "s= is no selector");
	return 0;
}

static int
read_algorithm(struct reader *r, const struct tag *tag)
{
	static const struct {
		const char *name;
		enum key_type key_type;
		enum digest_algorithm digest;
	} algorithms[] = {
		{ "rsa-sha256", KEY_RSA, DIGEST_SHA256 },
		{ "ed25519-sha256", KEY_ED25519, DIGEST_SHA256 },
		{ "rsa-sha1", KEY_RSA, DIGEST_SHA1 },
	};
	size_t i;

	for (i = 0; i < sizeof(algorithms) / sizeof(algorithms[0]); i++) {
		if (!bytes_equal(tag->value, bytes_of(algorithms[i].name)))
			continue;
		r->sig->algorithm = algorithms[i].name;
		r->sig->key_type = algorithms[i].key_type;
		r->sig->digest = algorithms[i].digest;
		return 0;
	}
	return refuse(r, "unknown algorithm in a=");
}

/* Base64 with folds in it; what is in the way is refused. */
static int
decode(struct reader *r, struct bytes value, struct bytes *out)
{
	struct buf buf;
	int rc;

	buf_init(&buf, value.len);
	rc = base64_decode(value, &buf);
	if (rc == 0 && buf.len > 0) {
		out->data = arena_memdup(r->arena, buf.data, buf.len);
		out->len = buf.len;
	}
	buf_free(&buf);
	return rc < 0 || out->len == 0 ? -1 : 0;
}

static int
read_signature(struct reader *r, const struct tag *tag)
{
	size_t i, n = 0;

	/* RFC 6008: at least eight characters tell signatures apart. */
	for (i = 0; i < tag->value.len && n < 8; i++)
		if (!ascii_is_space(tag->value.data[i]))
			r->sig->b_prefix[n++] = tag->value.data[i];
	r->sig->b_prefix[n] = '\0';
	r->sig->cut = tag->room;
	if (decode(r, tag->value, &r->sig->b) < 0) {
		r->sig->b_prefix[0] = '\0';
		return refuse(r, "b= is not base64");
	}
	return 0;
}

static int
read_body_hash(struct reader *r, const struct tag *tag)
{
	if (decode(r, tag->value, &r->sig->bh) < 0)
		return refuse(r, "bh= is not base64");
	return 0;
}

static int
read_names(struct reader *r, const struct tag *tag)
{
	struct taglist_items items = taglist_items_of(tag->value);
	struct bytes item;
	size_t n = 0;

	while (taglist_next_item(&items, &item))
		if (++n > SIGNATURE_NAMES_MAX)
			return refuse(r, "too many names in h=");
	if (r->sig->kind == SIG_DKIM && !taglist_has_item(tag->value, "from"))
		return refuse(r, "From is not in h=");
	if (r->sig->kind == SIG_ARC_MESSAGE &&
	    taglist_has_item(tag->value, "arc-seal"))
		return refuse(r, "ARC-Seal is in h=");
	r->sig->names = tag->value;
	return 0;
}

static int
read_canon_word(struct bytes word, enum canon *canon)
{
	if (bytes_equal(word, BYTES_LIT("relaxed")))
		*canon = CANON_RELAXED;
	else if (bytes_equal(word, BYTES_LIT("simple")))
		*canon = CANON_SIMPLE;
	else
		return -1;
	return 0;
}

static int
read_canon(struct reader *r, const struct tag *tag)
{
	struct cursor c = cursor_of(tag->value);
	struct bytes header = cursor_until(&c, "/");
	struct bytes body = BYTES_LIT("simple");

	if (cursor_char(&c, '/'))
		body = (struct bytes){ c.p, (size_t)(c.end - c.p) };
	if (read_canon_word(header, &r->sig->header_canon) < 0 ||
	    read_canon_word(body, &r->sig->body_canon) < 0)
		return refuse(r, "unknown canonicalization in c=");
	return 0;
}

static int
read_length(struct reader *r, const struct tag *tag)
{
	if (parse_u64(tag->value, 0, BODY_WHOLE - 1, &r->sig->length) < 0)
		return refuse(r, "l= is no number");
	return 0;
}

static int
read_query(struct reader *r, const struct tag *tag)
{
	return taglist_has_item(tag->value, "dns/txt")
	    ? 0
	    : refuse(r, "q= has no method that is known");
}

static int
read_time(struct bytes value, int64_t *out)
{
	uint64_t n;

	if (parse_u64(value, 0, INT64_MAX, &n) < 0)
		return -1;
	*out = (int64_t)n;
	return 0;
}

static int
read_signed(struct reader *r, const struct tag *tag)
{
	return read_time(tag->value, &r->sig->signed_s) < 0
	    ? refuse(r, "t= is no time")
	    : 0;
}

static int
read_expires(struct reader *r, const struct tag *tag)
{
	if (read_time(tag->value, &r->sig->expires_s) < 0)
		return refuse(r, "x= is no time");
	/* 0 means none in the struct; 1970 has expired all the same. */
	if (r->sig->expires_s == 0)
		r->sig->expires_s = 1;
	return 0;
}

/*
 * dkim-quoted-printable (RFC 6376 section 2.11): =XX is an octet, white
 * space is none.  NULL when it is malformed or hides what no address has.
 */
static const char *
decode_quoted(struct arena *arena, struct bytes value)
{
	char *text = arena_alloc(arena, value.len + 1);
	size_t i, len = 0;
	int high, low;

	for (i = 0; i < value.len; i++) {
		char c = value.data[i];

		if (ascii_is_space(c))
			continue;
		if (c == '=') {
			if (value.len - i < 3 ||
			    (high = ascii_hex_value(value.data[i + 1])) < 0 ||
			    (low = ascii_hex_value(value.data[i + 2])) < 0)
				return NULL;
			c = (char)(high << 4 | low);
			i += 2;
		}
		if ((unsigned char)c < 0x20 || c == 0x7f)
			return NULL;
		text[len++] = c;
	}
	text[len] = '\0';
	return utf8_is_valid((struct bytes){ text, len }) ? text : NULL;
}

static bool
is_ascii(const char *text)
{
	while (*text != '\0' && (*text & 0x80) == 0)
		text++;
	return *text == '\0';
}

static const char *
without_space(struct arena *arena, struct bytes value)
{
	char *text = arena_alloc(arena, value.len + 1);
	size_t i, len = 0;

	for (i = 0; i < value.len; i++)
		if (!ascii_is_space(value.data[i]))
			text[len++] = value.data[i];
	text[len] = '\0';
	return text;
}

/* Decoded, but not to UTF-8: it is repeated in our results, and the message
 * may be one that is ASCII all through. */
static int
read_identity(struct reader *r, const struct tag *tag)
{
	const char *text = decode_quoted(r->arena, tag->value);
	const char *at = text != NULL ? strrchr(text, '@') : NULL;

	if (at == NULL)
		return refuse(r, "i= has no domain");
	if (domain_normalize(r->arena, bytes_of(at + 1),
		&r->sig->identity_domain, NULL) < 0 ||
	    !domain_is_within(r->sig->identity_domain, r->sig->domain))
		return refuse(r, "i= is not within d=");
	r->sig->identity =
	    is_ascii(text) ? text : without_space(r->arena, tag->value);
	return 0;
}

static int
read_instance(struct reader *r, const struct tag *tag)
{
	uint64_t n;

	if (parse_u64(tag->value, 1, UINT32_MAX, &n) < 0)
		return refuse(r, "i= is no instance");
	r->sig->instance = (unsigned)n;
	return 0;
}

static int
read_chain(struct reader *r, const struct tag *tag)
{
	r->sig->chain = tag->value;
	return 0;
}

static int
read_forbidden(struct reader *r, const struct tag *tag)
{
	(void)tag;
	return refuse(r, "h= has no place in a seal");
}

#define DKIM (1u << SIG_DKIM)
#define MESSAGE (1u << SIG_ARC_MESSAGE)
#define SEAL (1u << SIG_ARC_SEAL)

/* In the order of reading: d= and s= first, so that a report can name them
 * whatever else is wrong. */
static const struct {
	const char *name;
	unsigned known, required; /* kinds of signature */
	int (*read)(struct reader *, const struct tag *);
} readers[] = {
	{ "d", DKIM | MESSAGE | SEAL, DKIM | MESSAGE | SEAL, read_domain },
	{ "s", DKIM | MESSAGE | SEAL, DKIM | MESSAGE | SEAL, read_selector },
	{ "v", DKIM, DKIM, read_version },
	{ "a", DKIM | MESSAGE | SEAL, DKIM | MESSAGE | SEAL, read_algorithm },
	{ "b", DKIM | MESSAGE | SEAL, DKIM | MESSAGE | SEAL, read_signature },
	{ "bh", DKIM | MESSAGE, DKIM | MESSAGE, read_body_hash },
	{ "h", DKIM | MESSAGE, DKIM | MESSAGE, read_names },
	{ "h", SEAL, 0, read_forbidden },
	{ "c", DKIM | MESSAGE, 0, read_canon },
	{ "l", DKIM | MESSAGE, 0, read_length },
	{ "q", DKIM | MESSAGE, 0, read_query },
	{ "t", DKIM | MESSAGE | SEAL, 0, read_signed },
	{ "x", DKIM | MESSAGE, 0, read_expires },
	{ "i", DKIM, 0, read_identity },
	{ "i", MESSAGE | SEAL, MESSAGE | SEAL, read_instance },
	{ "cv", SEAL, SEAL, read_chain },
};

int
signature_read(struct arena *arena, enum signature_kind kind,
    const struct header_field *field, struct signature *sig, struct err *err)
{
	struct reader r = { arena, sig, err };
	const struct tag *tag;
	struct taglist list;
	size_t i;

	memset(sig, 0, sizeof(*sig));
	sig->kind = kind;
	sig->field = field;
	sig->length = BODY_WHOLE;
	/* Without c= ARC is taken as relaxed by its test suite and by other
	 * validators; RFC 8617 is silent. */
	if (kind == SIG_ARC_MESSAGE) {
		sig->header_canon = CANON_RELAXED;
		sig->body_canon = CANON_RELAXED;
	}
	if (taglist_parse(field->value, &list, err) < 0)
		return -1;
	for (i = 0; i < sizeof(readers) / sizeof(readers[0]); i++) {
		if ((readers[i].known & 1u << kind) == 0)
			continue;
		tag = taglist_find(&list, readers[i].name);
		if (tag != NULL && readers[i].read(&r, tag) < 0)
			return -1;
		if (tag == NULL && (readers[i].required & 1u << kind) != 0)
			return err_set(err, ERR_INPUT, "%s= is missing",
			    readers[i].name);
	}
	if (kind == SIG_DKIM && sig->expires_s != 0 &&
	    sig->expires_s <= sig->signed_s)
		return refuse(&r, "x= is not behind t=");
	return 0;
}

const char *
signature_domain(struct arena *arena, const struct header_field *field)
{
	struct cursor list = cursor_of(field->value), tag;
	const char *domain = NULL;

	do {
		tag = cursor_of(cursor_until(&list, ";"));
		(void)cursor_space(&tag);
		if (!cursor_char(&tag, 'd'))
			continue;
		(void)cursor_space(&tag);
		if (!cursor_char(&tag, '='))
			continue;
		(void)domain_normalize(arena,
		    bytes_trim(
			(struct bytes){ tag.p, (size_t)(tag.end - tag.p) }),
		    &domain, NULL);
		return domain;
	} while (cursor_char(&list, ';'));
	return NULL;
}

const char *
signature_key_name(struct arena *arena, const struct signature *sig)
{
	return arena_printf(arena, "%s._domainkey.%s", sig->selector,
	    sig->domain);
}

/* ---- digest of the header ---- */

/*
 * Takes the next field of that name, from the bottom up (RFC 6376 section
 * 5.4.2).  taken[] counts for each name at the place of its first field.
 * The signature never signs its own field by name.
 */
static const struct header_field *
take_field(const struct header *header, const struct signature *sig,
    const char *name, uint32_t *taken)
{
	const struct header_field *first = header_find(header, name, 0), *field;
	size_t count, place;

	if (first == NULL)
		return NULL;
	count = header_count_named(header, name);
	place = (size_t)(first - header->fields);
	do {
		if (taken[place] == count)
			return NULL;
		field = header_find(header, name, count - 1 - taken[place]++);
	} while (field == sig->field);
	return field;
}

void
signature_header_digest(struct arena *arena, const struct signature *sig,
    const struct header *header, uint8_t out[DIGEST_MAX])
{
	uint32_t *taken = arena_calloc(arena, header->count, sizeof(*taken));
	struct taglist_items items = taglist_items_of(sig->names);
	struct digest *digest = digest_new(sig->digest);
	const struct header_field *field;
	struct bytes name;
	struct buf text;

	/* No form is longer than what came, and no field is taken twice, so
	 * that the buffer cannot be full. */
	buf_init(&text, header->bytes + sig->field->raw.len);
	while (taglist_next_item(&items, &name)) {
		field = take_field(header, sig,
		    arena_memdup(arena, name.data, name.len), taken);
		if (field != NULL)
			(void)canon_header(sig->header_canon, field, &text);
	}
	(void)canon_signature(sig->header_canon, sig->field, sig->cut, &text);
	digest_add(digest, buf_str(&text), text.len);
	digest_value(digest, out);
	digest_free(digest);
	buf_free(&text);
}

/* The name of a field that a message has once, and that was added. */
static const char *
added_field(const struct signature *sig, const struct header *header)
{
	static const char *const single[] = {
		"From",
		"Sender",
		"Reply-To",
		"To",
		"Cc",
		"Subject",
		"Date",
		"Message-ID",
		"Content-Type",
		"Content-Transfer-Encoding",
	};
	struct taglist_items items;
	struct bytes name;
	size_t i, there, signed_too;

	for (i = 0; i < sizeof(single) / sizeof(single[0]); i++) {
		there = header_count_named(header, single[i]);
		if (there < 2)
			continue;
		signed_too = 0;
		items = taglist_items_of(sig->names);
		while (taglist_next_item(&items, &name))
			if (bytes_equal_nocase(name, bytes_of(single[i])))
				signed_too++;
		if (signed_too > 0 && signed_too < there)
			return single[i];
	}
	return NULL;
}

const char *
signature_distrust(struct arena *arena, const struct signature *sig,
    const struct header *header, const struct body_digest *body)
{
	const char *added = added_field(sig, header);

	if (!taglist_has_item(sig->names, "from"))
		return "From is not signed";
	if (added != NULL)
		return arena_printf(arena, "more %s fields than were signed",
		    added);
	if (sig->length != BODY_WHOLE && body->total > sig->length)
		return arena_printf(arena,
		    "%llu octets of the body behind l= are not signed",
		    (unsigned long long)(body->total - sig->length));
	return NULL;
}

/* ---- proof ---- */

static void
conclude(struct signature_proof *proof, enum auth_result result,
    const char *problem)
{
	proof->result = result;
	proof->problem = problem;
}

/* May this key sign like this?  NULL, or why not. */
static const char *
key_objection(const struct signature *sig, const struct key_record *key)
{
	if (key->type != sig->key_type)
		return "the key is of another type than a= says";
	if (!(sig->digest == DIGEST_SHA1 ? key->sha1 : key->sha256))
		return "the key does not allow the hash of a=";
	if (key->strict && sig->identity_domain != NULL &&
	    strcmp(sig->identity_domain, sig->domain) != 0)
		return "the key does not allow a subdomain in i=";
	return NULL;
}

/* Is the body what was signed?  Says so when it is not. */
static bool
body_holds(const struct signature *sig, const struct body_digest *body,
    struct signature_proof *proof)
{
	if (body == NULL)
		return true;
	if (!body->reached) {
		conclude(proof, AUTH_PERMERROR,
		    "l= is larger than the body is");
		return false;
	}
	if (sig->bh.len != digest_len(sig->digest) ||
	    memcmp(sig->bh.data, body->value, sig->bh.len) != 0) {
		conclude(proof, AUTH_FAIL, BODY_HASH_PROBLEM);
		return false;
	}
	return true;
}

static void
prove_by_key(const struct signature *sig, const struct signature_rules *rules,
    const struct key_record *key, const uint8_t *header,
    const struct body_digest *body, struct signature_proof *proof)
{
	proof->key_bits = key->bits;
	proof->testing = key->testing;
	if (key->type == KEY_RSA && key->bits < rules->rsa_bits_min)
		conclude(proof, AUTH_FAIL, "RSA key is too short (RFC 8301)");
	else if (!body_holds(sig, body, proof))
		return;
	else if (!key_record_verifies(key, rules->keys, sig->digest, header,
		     sig->b))
		conclude(proof, AUTH_FAIL, "signature did not verify");
	else
		conclude(proof, AUTH_PASS, NULL);
}

/* Several records under one name: any may be the one (RFC 6376 section
 * 3.6.2.2 leaves it open).  The first that proves it decides; else the
 * first that could have. */
static void
prove_by_records(struct arena *arena, const struct signature *sig,
    const struct signature_rules *rules, const struct dns_answer *answer,
    const uint8_t *header, const struct body_digest *body,
    struct signature_proof *proof)
{
	const char *objection = NULL;
	struct key_record key;
	struct err err;
	size_t i, tried = 0;

	for (i = 0; i < answer->count && i < SIGNATURE_KEYS_MAX; i++) {
		const char *why = NULL;
		struct signature_proof one;

		if (key_record_read(arena, answer->records[i].text, &key,
			&err) < 0)
			why = arena_strdup(arena, err.text);
		else
			why = key_objection(sig, &key);
		if (why != NULL) {
			objection = objection != NULL ? objection : why;
			continue;
		}
		prove_by_key(sig, rules, &key, header, body, &one);
		if (tried++ == 0 || one.result == AUTH_PASS)
			*proof = one;
		if (one.result == AUTH_PASS)
			return;
	}
	if (tried == 0)
		conclude(proof, AUTH_PERMERROR, objection);
}

void
signature_prove(struct arena *arena, const struct signature *sig,
    const struct signature_rules *rules, const struct dns_answer *answer,
    const uint8_t *header, const struct body_digest *body,
    struct signature_proof *proof)
{
	memset(proof, 0, sizeof(*proof));
	if (sig->digest == DIGEST_SHA1 && !rules->sha1)
		conclude(proof, AUTH_FAIL, "rsa-sha1 is historic (RFC 8301)");
	else if (dns_status_is_failure(answer->status))
		conclude(proof, AUTH_TEMPERROR,
		    arena_printf(arena, "key: DNS says %s",
			dns_status_name(answer->status)));
	else if (answer->status != DNS_OK)
		conclude(proof, AUTH_PERMERROR, "no key in the DNS");
	else
		prove_by_records(arena, sig, rules, answer, header, body,
		    proof);
}
