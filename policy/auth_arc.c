/*
 * auth_arc.c - the Authenticated Received Chain, validated (RFC 8617).
 *
 * The keys of all seals and message signatures are asked for at the end of
 * the header.  The newest message signature and every seal must hold; older
 * message signatures only tell since when the message is as it is now.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <string.h>

#include "base/clock.h"
#include "mail/message.h"
#include "policy/arc_chain.h"
#include "policy/scan.h"

/* What a signature waits for. */
struct wanted {
	const char *key_name;
	const struct body_digest *body; /* NULL for a seal */
};

struct state {
	bool broken;
	const char *problem;
	struct arc_chain chain;
	struct wanted messages[ARC_SETS_MAX], seals[ARC_SETS_MAX];
};

static void
ask_key(struct scan *scan, const struct signature *sig, struct wanted *wanted)
{
	wanted->key_name = signature_key_name(scan->arena, sig);
	(void)dns_ask(scan->dns, wanted->key_name, DNS_TXT);
	if (sig->kind == SIG_ARC_MESSAGE)
		wanted->body = body_hash_want(body_hash_of(scan),
		    sig->body_canon, sig->digest, sig->length);
}

static struct state *
begin(struct scan *scan)
{
	struct state *state = arena_calloc(scan->arena, 1, sizeof(*state));
	struct err err;
	size_t i;

	if (arc_chain_read(scan->arena, &scan->message->header, &state->chain,
		&err) < 0) {
		state->broken = true;
		state->problem = arena_strdup(scan->arena, err.text);
		return state;
	}
	for (i = 0; i < state->chain.count; i++) {
		ask_key(scan, &state->chain.sets[i].message,
		    &state->messages[i]);
		ask_key(scan, &state->chain.sets[i].seal, &state->seals[i]);
	}
	return state;
}

static const struct dns_answer *
key_of(struct scan *scan, const struct wanted *wanted)
{
	return dns_ask(scan->dns, wanted->key_name, DNS_TXT);
}

static bool
keys_are_there(struct scan *scan, const struct state *state)
{
	size_t i;

	for (i = 0; i < state->chain.count; i++)
		if (key_of(scan, &state->messages[i]) == NULL ||
		    key_of(scan, &state->seals[i]) == NULL)
			return false;
	return true;
}

static struct signature_rules
rules_of(const struct scan *scan)
{
	struct signature_rules rules = signature_rules_default;

	rules.keys = scan->keys;
	return rules;
}

/* Why a message signature is void, whatever its key says, as for DKIM (RFC
 * 8617 section 4.1.2); or NULL.  Not for want of From in h=: the test suite
 * of ARC has it pass without any name. */
static const char *
objection_to(const struct signature *sig)
{
	if (sig->expires_s == 0)
		return NULL;
	if (sig->expires_s <= sig->signed_s)
		return "x= is not behind t=";
	return sig->expires_s < clock_wall_s() ? "signature has expired" : NULL;
}

/* Of set i (0 is the first). */
static void
prove_message(struct scan *scan, const struct state *state, size_t i,
    struct signature_proof *proof)
{
	const struct signature *sig = &state->chain.sets[i].message;
	const struct signature_rules rules = rules_of(scan);
	uint8_t digest[DIGEST_MAX];

	memset(proof, 0, sizeof(*proof));
	proof->result = AUTH_FAIL;
	proof->problem = objection_to(sig);
	if (proof->problem != NULL)
		return;
	signature_header_digest(scan->arena, sig, &scan->message->header,
	    digest);
	signature_prove(scan->arena, sig, &rules,
	    key_of(scan, &state->messages[i]), digest, state->messages[i].body,
	    proof);
}

/* Takes note of a signature that does not hold; a failure outweighs what
 * is only not known. */
static void
note(struct scan *scan, struct auth_arc *arc, const char *what, size_t i,
    const struct signature_proof *proof)
{
	enum auth_result result =
	    proof->result == AUTH_TEMPERROR ? AUTH_TEMPERROR : AUTH_FAIL;

	if (proof->result == AUTH_PASS || arc->result == AUTH_FAIL ||
	    arc->result == result)
		return;
	arc->result = result;
	arc->problem = arena_printf(scan->arena, "%s %zu: %s", what, i + 1,
	    proof->problem);
}

static void
prove_seals(struct scan *scan, const struct state *state, struct auth_arc *arc)
{
	const struct signature_rules rules = rules_of(scan);
	struct signature_proof proof;
	struct arc_scope scope;
	uint8_t digest[DIGEST_MAX];
	size_t i;

	arc_scope_init(&scope, scan->message->header.bytes);
	for (i = 0; i < state->chain.count && arc->result != AUTH_FAIL; i++) {
		arc_scope_add(&scope, &state->chain.sets[i], digest);
		signature_prove(scan->arena, &state->chain.sets[i].seal, &rules,
		    key_of(scan, &state->seals[i]), digest, NULL, &proof);
		note(scan, arc, "seal", i, &proof);
	}
	arc_scope_fini(&scope);
}

/* The oldest instance from which on every message signature holds; 0 when
 * that is the first one (section 5.2). */
static unsigned
oldest_pass(struct scan *scan, const struct state *state)
{
	struct signature_proof proof;
	size_t i;

	for (i = state->chain.count - 1; i > 0; i--) {
		prove_message(scan, state, i - 1, &proof);
		if (proof.result != AUTH_PASS)
			return (unsigned)i + 1;
	}
	return 0;
}

static const struct auth_arc_set *
sets_of(struct arena *arena, const struct arc_chain *chain)
{
	struct auth_arc_set *sets =
	    arena_calloc(arena, chain->count, sizeof(*sets));
	size_t i;

	for (i = 0; i < chain->count; i++) {
		sets[i].sealer = chain->sets[i].seal.domain;
		sets[i].results = chain->sets[i].said;
	}
	return sets;
}

static void
validate(struct scan *scan, const struct state *state, struct auth_arc *arc)
{
	size_t newest = state->chain.count - 1;
	struct signature_proof proof;

	arc->result = AUTH_PASS;
	prove_message(scan, state, newest, &proof);
	note(scan, arc, "message signature", newest, &proof);
	if (arc->result != AUTH_FAIL)
		prove_seals(scan, state, arc);
	if (arc->result != AUTH_PASS)
		return;
	arc->oldest_pass = oldest_pass(scan, state);
	arc->problem =
	    signature_distrust(scan->arena, &state->chain.sets[newest].message,
		&scan->message->header, state->messages[newest].body);
	arc->trusted = arc->problem == NULL;
	arc->sets = sets_of(scan->arena, &state->chain);
}

static enum check_state
report(struct scan *scan, const struct state *state)
{
	const struct arc_chain *chain = &state->chain;
	struct auth_arc *arc = &scan->auth.arc;

	arc->count = chain->count;
	if (chain->count > 0) {
		arc->sealer = chain->sets[chain->count - 1].seal.domain;
		arc->selector = chain->sets[chain->count - 1].seal.selector;
	}
	if (state->broken) {
		arc->result = AUTH_FAIL;
		arc->problem = state->problem;
	} else {
		validate(scan, state, arc);
	}
	return CHECK_DONE;
}

static enum check_state
arc_step(struct scan *scan)
{
	struct state *state = scan->state[CHECK_ARC];

	if (scan->stage == SCAN_MAIL)
		return CHECK_WAIT;
	if (scan->message == NULL ||
	    !arc_chain_is_there(&scan->message->header))
		return CHECK_DONE;
	if (state == NULL)
		state = scan->state[CHECK_ARC] = begin(scan);
	if (state->broken)
		return report(scan, state);
	if (scan->stage != SCAN_END || !keys_are_there(scan, state))
		return CHECK_WAIT;
	return report(scan, state);
}

const struct check check_arc = {
	.id = CHECK_ARC,
	.name = "arc",
	.step = arc_step,
};
