/*
 * arc_chain.c - the ARC sets of a message, as they stand in its header.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <string.h>

#include "base/str.h"
#include "policy/arc_chain.h"

/* Comments may be nested that deep. */
#define COMMENT_DEPTH_MAX 16

/* ---- ARC-Authentication-Results ---- */

/* White space, folds and comments (RFC 5322 CFWS). */
static bool
skip_cfws(struct cursor *c)
{
	unsigned depth = 0;

	do {
		(void)cursor_space(c);
		if (cursor_char(c, '(')) {
			if (++depth > COMMENT_DEPTH_MAX)
				return false;
		} else if (depth == 0) {
			return true;
		} else if (cursor_char(c, ')')) {
			depth--;
		} else if (!cursor_at_end(c)) {
			/* A quoted pair hides a parenthesis. */
			if (*c->p == '\\' && c->end - c->p > 1)
				c->p++;
			c->p++;
		}
	} while (!cursor_at_end(c));
	return depth == 0;
}

/* "i=N;" before the results, which *rest becomes; 0: none. */
static unsigned
results_instance(struct bytes value, struct bytes *rest)
{
	struct cursor c = cursor_of(value);
	uint64_t n;

	if (!skip_cfws(&c) || !cursor_char(&c, 'i') || !skip_cfws(&c) ||
	    !cursor_char(&c, '=') || !skip_cfws(&c) ||
	    !cursor_u64(&c, ARC_SETS_MAX, &n) || !skip_cfws(&c) ||
	    !cursor_char(&c, ';'))
		return 0;
	*rest = (struct bytes){ c.p, (size_t)(c.end - c.p) };
	return (unsigned)n;
}

/* ---- sets ---- */

/* The set of this instance; NULL with *err when there can be none. */
static struct arc_set *
set_of(struct arc_chain *chain, unsigned instance, const char *name,
    struct err *err)
{
	if (instance < 1 || instance > ARC_SETS_MAX) {
		err_set(err, ERR_INPUT, "%s without an instance", name);
		return NULL;
	}
	if (instance > chain->count)
		chain->count = instance;
	return &chain->sets[instance - 1];
}

static int
repeated(const char *name, unsigned instance, struct err *err)
{
	return err_set(err, ERR_INPUT, "%s i=%u is repeated", name, instance);
}

static int
add_results(struct arc_chain *chain, const struct header_field *field,
    struct err *err)
{
	static const char name[] = "ARC-Authentication-Results";
	struct bytes said = { NULL, 0 };
	unsigned instance = results_instance(field->value, &said);
	struct arc_set *set = set_of(chain, instance, name, err);

	if (set == NULL)
		return -1;
	if (set->results != NULL)
		return repeated(name, instance, err);
	set->results = field;
	set->said = said;
	return 0;
}

static int
add_signature(struct arena *arena, struct arc_chain *chain,
    enum signature_kind kind, const struct header_field *field, struct err *err)
{
	const char *name =
	    kind == SIG_ARC_SEAL ? "ARC-Seal" : "ARC-Message-Signature";
	struct signature sig, *place;
	struct arc_set *set;

	if (signature_read(arena, kind, field, &sig, err) < 0)
		return err_prefix(err, "%s", name);
	set = set_of(chain, sig.instance, name, err);
	if (set == NULL)
		return -1;
	place = kind == SIG_ARC_SEAL ? &set->seal : &set->message;
	if (place->field != NULL)
		return repeated(name, sig.instance, err);
	*place = sig;
	return 0;
}

/* Every set whole, and each seal of the opinion it must have (section
 * 5.2). */
static int
check_sets(struct arc_chain *chain, struct err *err)
{
	size_t i;

	for (i = 0; i < chain->count; i++) {
		const struct arc_set *set = &chain->sets[i];
		struct bytes want =
		    i == 0 ? bytes_of("none") : bytes_of("pass");

		if (set->results == NULL || set->message.field == NULL ||
		    set->seal.field == NULL)
			return err_set(err, ERR_INPUT, "set %zu is not whole",
			    i + 1);
		if (i + 1 == chain->count &&
		    bytes_equal_nocase(set->seal.chain, BYTES_LIT("fail"))) {
			chain->closed = true;
			return err_set(err, ERR_INPUT, "seal %zu says cv=fail",
			    i + 1);
		}
		if (!bytes_equal_nocase(set->seal.chain, want))
			return err_set(err, ERR_INPUT,
			    "seal %zu has the wrong cv=", i + 1);
	}
	return 0;
}

static const struct {
	const char *name;
	bool is_signature;
	enum signature_kind kind;
} kinds[] = {
	{ "arc-authentication-results", false, SIG_ARC_SEAL },
	{ "arc-message-signature", true, SIG_ARC_MESSAGE },
	{ "arc-seal", true, SIG_ARC_SEAL },
};

#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

bool
arc_chain_is_there(const struct header *header)
{
	size_t i;

	for (i = 0; i < KINDS; i++)
		if (header_count_named(header, kinds[i].name) > 0)
			return true;
	return false;
}

int
arc_chain_read(struct arena *arena, const struct header *header,
    struct arc_chain *chain, struct err *err)
{
	const struct header_field *field;
	size_t i, j, n;
	int rc;

	memset(chain, 0, sizeof(*chain));
	for (i = 0; i < KINDS; i++) {
		n = header_count_named(header, kinds[i].name);
		if (n > ARC_SETS_MAX)
			return err_set(err, ERR_INPUT, "more than %d sets",
			    ARC_SETS_MAX);
		for (j = 0; j < n; j++) {
			field = header_find(header, kinds[i].name, j);
			if (kinds[i].is_signature)
				rc = add_signature(arena, chain, kinds[i].kind,
				    field, err);
			else
				rc = add_results(chain, field, err);
			if (rc < 0)
				return -1;
		}
	}
	return check_sets(chain, err);
}

/* ---- what a seal signs ---- */

void
arc_scope_init(struct arc_scope *scope, size_t header_bytes)
{
	scope->digest = digest_new(DIGEST_SHA256);
	buf_init(&scope->text, header_bytes);
}

void
arc_scope_fini(struct arc_scope *scope)
{
	digest_free(scope->digest);
	buf_free(&scope->text);
}

void
arc_scope_add(struct arc_scope *scope, const struct arc_set *set,
    uint8_t out[DIGEST_MAX])
{
	struct buf *text = &scope->text;

	/* Never full: no form is longer than what it is made from. */
	buf_reset(text);
	(void)canon_header(CANON_RELAXED, set->results, text);
	(void)canon_header(CANON_RELAXED, set->message.field, text);
	digest_add(scope->digest, buf_str(text), text->len);
	buf_reset(text);
	(void)canon_signature(CANON_RELAXED, set->seal.field, set->seal.cut,
	    text);
	digest_value_with(scope->digest, buf_str(text), text->len, out);
	buf_reset(text);
	(void)canon_header(CANON_RELAXED, set->seal.field, text);
	digest_add(scope->digest, buf_str(text), text->len);
}
