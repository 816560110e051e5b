/*
 * spf_eval.c - what one SPF evaluation needs from the DNS.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <assert.h>
#include <string.h>

#include "base/str.h"
#include "mail/address.h"
#include "policy/spf_eval.h"

/* Records that are read before it is known whether they will be needed;
 * the rest of SPF_RECORDS_MAX stays for those that are. */
#define RECORDS_AHEAD_MAX (SPF_RECORDS_MAX - SPF_DNS_TERMS_MAX - 1)
/* Octets of an explanation: it has to fit into a line of SMTP. */
#define EXPLANATION_MAX 450
/* A plain record is at most a dozen terms of known size. */
#define PLAIN_MAX 2048

enum answer {
	ANSWER_NOT_YET,
	ANSWER_NO,
	ANSWER_MATCH,
};

/* A domain name in two spellings, most often the same string. */
struct name {
	const char *octets; /* what %{d} stands for; may be any */
	const char *text;   /* odd octets as \DDD: for dns_ask and people */
};

/* What is known of one term. */
struct term_state {
	enum answer answer;
	bool counted;           /* against SPF_DNS_TERMS_MAX */
	struct spf_node *child; /* of an include or redirect */
	bool named;
	struct name name;     /* expanded; "" when no such name can exist */
	bool matches_nothing; /* needs a local part that is not ASCII */
};

/* One record at one place of the evaluation. */
struct spf_node {
	unsigned number;
	struct name domain;
	bool loaded; /* or failed for good, see stop */
	enum spf_stop stop;
	const char *problem;
	struct spf_record record;
	size_t reach;
	struct term_state *states; /* of the first `reach` terms */
};

struct questions {
	size_t max;
	size_t count;
	uint64_t seen[SPF_QUESTIONS_MAX]; /* hashes of name and type */
};

struct spf_eval {
	struct arena *arena;
	struct dns_set *dns;
	struct questions questions;
	struct spf_macros who;
	bool local_is_ascii;
	enum spf_stop stop;
	const char *problem;
	unsigned terms; /* counted so far */
	unsigned voids;
	size_t node_count;
	struct spf_node *nodes[SPF_RECORDS_MAX];
	/* names of the client that lead back to it */
	bool validated;
	bool has_no_ptr;
	size_t validated_count;
	const char *validated_names[SPF_NAMES_MAX];
};

/* ---- stopping ---- */

static int
stop(struct spf_eval *eval, enum spf_stop why, const char *problem)
{
	eval->stop = why;
	eval->problem = problem;
	return -1;
}

static const char *
about(struct spf_eval *eval, const char *name, const char *what)
{
	return arena_printf(eval->arena, "%s: %s", name, what);
}

static int
spend_void(struct spf_eval *eval)
{
	if (++eval->voids <= SPF_VOID_MAX)
		return 0;
	return stop(eval, STOP_PERMERROR,
	    "more than 2 terms lead to nothing in the DNS");
}

/* ---- questions ---- */

/* What a question beyond the ceiling is answered with. */
static const struct dns_answer too_many = { .status = DNS_SERVFAIL };

/* FNV-1a; the names are at most 253 octets and the ceiling is small. */
static uint64_t
question_hash(const char *name, enum dns_type type)
{
	uint64_t hash = 0xcbf29ce484222325u ^ (uint64_t)type;

	for (; *name != '\0'; name++)
		hash = (hash ^ (unsigned char)*name) * 0x100000001b3u;
	return hash;
}

/* Is this question within the ceiling?  One asked before always is. */
static bool
spend_question(struct questions *questions, const char *name,
    enum dns_type type, size_t most)
{
	uint64_t hash = question_hash(name, type);
	size_t i;

	for (i = 0; i < questions->count; i++)
		if (questions->seen[i] == hash)
			return true;
	if (questions->count >= most)
		return false;
	questions->seen[questions->count++] = hash;
	return true;
}

/* The answer; NULL: it is on its way. */
static const struct dns_answer *
question(struct spf_eval *eval, const char *name, enum dns_type type)
{
	struct questions *questions = &eval->questions;

	if (!spend_question(questions, name, type, questions->max))
		return &too_many;
	return dns_ask(eval->dns, name, type);
}

/* Ahead of need: NULL, too, when it is better not asked now. */
static const struct dns_answer *
ask_ahead(struct spf_eval *eval, const char *name, enum dns_type type)
{
	struct questions *questions = &eval->questions;

	if (!spend_question(questions, name, type, questions->max / 2))
		return NULL;
	return dns_ask(eval->dns, name, type);
}

static const char *
failure_text(const struct dns_answer *answer)
{
	if (answer == &too_many)
		return "more DNS questions than we ask for one message";
	if (answer->status == DNS_TIMEOUT)
		return "no DNS answer in time";
	return answer->status == DNS_BOGUS ? "DNSSEC validation failed"
					   : "the DNS servers failed";
}

/* 1 records, 0 there are none, -1 stopped: it failed or is on its way. */
static int
ask(struct spf_eval *eval, const char *name, enum dns_type type,
    const struct dns_answer **answer)
{
	*answer = question(eval, name, type);
	if (*answer == NULL)
		return stop(eval, STOP_WAIT, NULL);
	if (dns_status_is_failure((*answer)->status))
		return stop(eval, STOP_TEMPERROR,
		    about(eval, name, failure_text(*answer)));
	return (*answer)->status == DNS_OK;
}

static enum dns_type
address_type(const struct spf_eval *eval)
{
	return eval->who.ip.family == IP_V4 ? DNS_A : DNS_AAAA;
}

/* Is the client among the addresses, give or take the prefix lengths? */
static bool
addresses_match(const struct spf_eval *eval, const struct dns_answer *answer,
    unsigned bits4, unsigned bits6)
{
	const struct ip *client = &eval->who.ip;
	struct network network = {
		.bits = client->family == IP_V4 ? bits4 : bits6,
	};
	size_t i;

	for (i = 0; i < answer->count; i++) {
		network.ip = answer->records[i].ip;
		if (network_contains(&network, client))
			return true;
	}
	return false;
}

/* ---- the client's names (section 5.5) ---- */

/* The name of a PTR record, if it is one that a host can have. */
static bool
usable_name(const char *name)
{
	return name[0] != '\0' && strchr(name, '\\') == NULL;
}

/* True when done; else an answer is on its way (all have been asked for).
 * asker: question or ask_ahead. */
static bool
validate_names(struct spf_eval *eval,
    const struct dns_answer *(
	*asker)(struct spf_eval *, const char *, enum dns_type))
{
	const struct dns_answer *names, *addresses;
	char reverse[DNS_REVERSE_SIZE];
	bool waiting = false;
	size_t i;

	if (eval->validated)
		return 1;
	dns_reverse_name(&eval->who.ip, reverse);
	names = asker(eval, reverse, DNS_PTR);
	if (names == NULL)
		return 0;
	eval->has_no_ptr =
	    names->status == DNS_NXDOMAIN || names->status == DNS_NODATA;
	eval->validated_count = 0;
	for (i = 0; i < names->count && i < SPF_NAMES_MAX; i++) {
		if (!usable_name(names->records[i].name))
			continue;
		addresses =
		    asker(eval, names->records[i].name, address_type(eval));
		if (addresses == NULL)
			waiting = true;
		else if (addresses_match(eval, addresses, 32, 128))
			eval->validated_names[eval->validated_count++] =
			    names->records[i].name;
	}
	eval->validated = !waiting;
	return eval->validated;
}

/* Section 7.3: the domain itself, else a name below it, else any. */
static const char *
best_name(const struct spf_eval *eval, const char *domain)
{
	const char *name, *below = NULL;
	size_t i;

	for (i = 0; i < eval->validated_count; i++) {
		name = eval->validated_names[i];
		if (str_equal_nocase(name, domain))
			return name;
		if (below == NULL && domain_is_within(name, domain))
			below = name;
	}
	if (below != NULL)
		return below;
	return eval->validated_count > 0 ? eval->validated_names[0] : "unknown";
}

/* ---- expanding ---- */

/* All that is needed to expand text in the record of node: 0, or -1. */
static int
prepare_macros(struct spf_eval *eval, const struct spf_node *node,
    struct bytes text, struct spf_macros *macros)
{
	*macros = eval->who;
	macros->domain = node->domain.octets;
	if (memchr(text.data, '%', text.len) == NULL ||
	    !spf_macro_uses(text, "p"))
		return 0;
	if (!validate_names(eval, question))
		return stop(eval, STOP_WAIT, NULL);
	macros->validated = best_name(eval, node->domain.octets);
	return 0;
}

static struct name
name_new(struct arena *arena, const char *octets)
{
	char text[SPF_NAME_TEXT_SIZE];
	struct name name;

	name.octets = name.text = arena_strdup(arena, octets);
	spf_name_text(octets, text);
	if (strcmp(octets, text) != 0)
		name.text = arena_strdup(arena, text);
	return name;
}

/* A domain-spec: 1 with *name, 0 no such name can exist, -1 stopped. */
static int
expand_name(struct spf_eval *eval, const struct spf_node *node,
    struct bytes spec, struct name *name)
{
	char expanded[SPF_NAME_SIZE];
	struct spf_macros macros;

	if (prepare_macros(eval, node, spec, &macros) < 0)
		return -1;
	if (!spf_macro_name(&macros, spec, expanded))
		return 0;
	*name = name_new(eval->arena, expanded);
	return 1;
}

/*
 * The name a term speaks of, expanded once; returns as expand_name.  A
 * local part that is not ASCII cannot stand in a name: a term that needs
 * it matches nothing (RFC 8616 section 4).
 */
static int
term_name(struct spf_eval *eval, const struct spf_node *node, size_t place,
    const char **text)
{
	struct term_state *state = &node->states[place];
	struct bytes spec = node->record.terms[place].domain;

	if (!state->named) {
		state->name = (struct name){ "", "" };
		if (spec.len == 0)
			state->name = node->domain;
		else if (!eval->local_is_ascii && spf_macro_uses(spec, "sl"))
			state->matches_nothing = true;
		else if (expand_name(eval, node, spec, &state->name) < 0)
			return -1;
		state->named = true;
	}
	*text = state->name.text;
	return state->name.text[0] != '\0';
}

/* ---- records ---- */

static struct spf_node *
node_new(struct spf_eval *eval, struct name domain)
{
	struct spf_node *node = arena_calloc(eval->arena, 1, sizeof(*node));

	node->number = (unsigned)eval->node_count;
	node->domain = domain;
	eval->nodes[eval->node_count++] = node;
	return node;
}

/* A record without terms: neutral, so an include of it does not match. */
static struct spf_node *
node_empty(struct spf_eval *eval)
{
	struct spf_node *node = node_new(eval, (struct name){ "", "" });

	node->loaded = true;
	return node;
}

static void
node_fail(struct spf_eval *eval, struct spf_node *node, enum spf_stop why,
    const char *what)
{
	node->loaded = true;
	node->stop = why;
	node->problem = about(eval, node->domain.text, what);
}

/* The one SPF record among the TXT records (section 4.5). */
static void
node_read(struct spf_eval *eval, struct spf_node *node,
    const struct dns_answer *answer)
{
	const struct dns_record *found = NULL;
	struct err err;
	size_t i;

	for (i = 0; i < answer->count; i++) {
		if (!spf_record_is(answer->records[i].text))
			continue;
		if (found != NULL) {
			node_fail(eval, node, STOP_PERMERROR,
			    "several SPF records");
			return;
		}
		found = &answer->records[i];
	}
	if (found == NULL) {
		node_fail(eval, node, STOP_NONE, "no SPF record");
		return;
	}
	if (spf_record_read(eval->arena, found->text, &node->record, &err) <
	    0) {
		node_fail(eval, node, STOP_PERMERROR, err.text);
		return;
	}
	node->reach = spf_record_reach(&node->record, &eval->who.ip);
	node->states = arena_calloc(eval->arena,
	    node->reach > 0 ? node->reach : 1, sizeof(*node->states));
	node->loaded = true;
}

/* True when the node is loaded, well or not; false: on its way. */
static bool
node_load(struct spf_eval *eval, struct spf_node *node,
    const struct dns_answer *answer)
{
	if (node->loaded)
		return true;
	if (answer == NULL)
		return false;
	if (dns_status_is_failure(answer->status))
		node_fail(eval, node, STOP_TEMPERROR, failure_text(answer));
	else
		node_read(eval, node, answer);
	return true;
}

/* Load and look what came: 0, or -1 stopped. */
static int
node_need(struct spf_eval *eval, struct spf_node *node)
{
	if (!node->loaded &&
	    !node_load(eval, node, question(eval, node->domain.text, DNS_TXT)))
		return stop(eval, STOP_WAIT, NULL);
	if (node->stop != STOP_NOT)
		return stop(eval, node->stop, node->problem);
	return 0;
}

/* ---- terms ---- */

static int
match_a(struct spf_eval *eval, struct spf_node *node, size_t place)
{
	const struct spf_term *term = &node->record.terms[place];
	const struct dns_answer *answer;
	const char *name;
	int rc;

	rc = term_name(eval, node, place, &name);
	if (rc <= 0)
		return rc;
	rc = ask(eval, name, address_type(eval), &answer);
	if (rc == 0)
		return spend_void(eval);
	return rc < 0 ? -1
		      : addresses_match(eval, answer, term->bits4, term->bits6);
}

static int
match_exists(struct spf_eval *eval, struct spf_node *node, size_t place)
{
	const struct dns_answer *answer;
	const char *name;
	int rc;

	rc = term_name(eval, node, place, &name);
	if (rc <= 0)
		return rc;
	rc = ask(eval, name, DNS_A, &answer);
	return rc == 0 ? spend_void(eval) : rc;
}

/*
 * The addresses of the exchanges, all asked at once.  No order is given
 * for them, so one that matches wins over one that fails.
 */
static int
match_exchanges(struct spf_eval *eval, const struct spf_term *term,
    const struct dns_answer *exchanges)
{
	const struct dns_answer *addresses;
	const char *failed = NULL, *what = NULL, *name;
	bool waiting = false, any = false;
	size_t i;

	for (i = 0; i < exchanges->count; i++) {
		name = exchanges->records[i].name;
		if (name[0] == '\0') /* null MX, RFC 7505 */
			continue;
		addresses = question(eval, name, address_type(eval));
		if (addresses == NULL) {
			waiting = true;
		} else if (dns_status_is_failure(addresses->status)) {
			failed = name;
			what = failure_text(addresses);
		} else {
			any = any || addresses->count > 0;
			if (addresses_match(eval, addresses, term->bits4,
				term->bits6))
				return 1;
		}
	}
	if (waiting)
		return stop(eval, STOP_WAIT, NULL);
	if (failed != NULL)
		return stop(eval, STOP_TEMPERROR, about(eval, failed, what));
	return any ? 0 : spend_void(eval);
}

static int
match_mx(struct spf_eval *eval, struct spf_node *node, size_t place)
{
	const struct dns_answer *exchanges;
	const char *name;
	int rc;

	rc = term_name(eval, node, place, &name);
	if (rc <= 0)
		return rc;
	rc = ask(eval, name, DNS_MX, &exchanges);
	if (rc == 0)
		return spend_void(eval);
	if (rc < 0)
		return -1;
	if (exchanges->count > SPF_NAMES_MAX)
		return stop(eval, STOP_PERMERROR,
		    about(eval, name, "more than 10 MX records"));
	return match_exchanges(eval, &node->record.terms[place], exchanges);
}

static int
match_ptr(struct spf_eval *eval, struct spf_node *node, size_t place)
{
	const char *name;
	size_t i;
	int rc;

	rc = term_name(eval, node, place, &name);
	if (rc <= 0)
		return rc;
	if (!validate_names(eval, question))
		return stop(eval, STOP_WAIT, NULL);
	for (i = 0; i < eval->validated_count; i++)
		if (domain_is_within(eval->validated_names[i], name))
			return 1;
	return eval->has_no_ptr ? spend_void(eval) : 0;
}

static int
count_term(struct spf_eval *eval, struct term_state *state)
{
	if (state->counted)
		return 0;
	state->counted = true;
	if (++eval->terms <= SPF_DNS_TERMS_MAX)
		return 0;
	return stop(eval, STOP_PERMERROR,
	    "more than 10 terms that need the DNS");
}

/* The term that a call from outside means, or NULL. */
static struct term_state *
find_term(struct spf_eval *eval, unsigned number, size_t place)
{
	struct spf_node *node;

	if (number >= eval->node_count)
		return NULL;
	node = eval->nodes[number];
	if (!node->loaded || place >= node->reach)
		return NULL;
	return &node->states[place];
}

/* ---- ahead of need ---- */

static unsigned ahead_record(struct spf_eval *eval, struct spf_node *node,
    unsigned terms);

static void
ahead_mx(struct spf_eval *eval, const char *name)
{
	const struct dns_answer *exchanges = ask_ahead(eval, name, DNS_MX);
	size_t i;

	if (exchanges == NULL || exchanges->count > SPF_NAMES_MAX)
		return;
	for (i = 0; i < exchanges->count; i++)
		if (exchanges->records[i].name[0] != '\0')
			ask_ahead(eval, exchanges->records[i].name,
			    address_type(eval));
}

static struct spf_node *
ahead_child(struct spf_eval *eval, struct term_state *state)
{
	if (state->child == NULL && eval->node_count < RECORDS_AHEAD_MAX)
		state->child = node_new(eval, state->name);
	if (state->child != NULL &&
	    !node_load(eval, state->child,
		ask_ahead(eval, state->name.text, DNS_TXT)))
		return NULL;
	return state->child;
}

/* Returns how many terms have been gone through by now. */
static unsigned
ahead_term(struct spf_eval *eval, struct spf_node *node, size_t place,
    unsigned terms)
{
	enum spf_kind kind = node->record.terms[place].kind;
	struct spf_node *child;
	const char *name;

	if (kind == TERM_PTR)
		validate_names(eval, ask_ahead);
	if (term_name(eval, node, place, &name) <= 0)
		return terms;
	if (kind == TERM_A)
		ask_ahead(eval, name, address_type(eval));
	else if (kind == TERM_EXISTS)
		ask_ahead(eval, name, DNS_A);
	else if (kind == TERM_MX)
		ahead_mx(eval, name);
	if (kind != TERM_INCLUDE && kind != TERM_REDIRECT)
		return terms;
	child = ahead_child(eval, &node->states[place]);
	return child != NULL && child->stop == STOP_NOT
	    ? ahead_record(eval, child, terms)
	    : terms;
}

/* Goes through the terms in the order of evaluation, no further than that
 * may go; each level of includes is a term, so it is no deeper either. */
static unsigned
ahead_record(struct spf_eval *eval, struct spf_node *node, unsigned terms)
{
	size_t i;

	for (i = 0; i < node->reach && terms < SPF_DNS_TERMS_MAX; i++)
		if (spf_kind_asks(node->record.terms[i].kind))
			terms = ahead_term(eval, node, i, terms + 1);
	return terms;
}

void
spf_eval_ahead(struct spf_eval *eval)
{
	enum spf_stop why = eval->stop;
	const char *problem = eval->problem;

	if (eval->nodes[0]->loaded && eval->nodes[0]->stop == STOP_NOT)
		ahead_record(eval, eval->nodes[0], 0);
	eval->stop = why;
	eval->problem = problem;
}

/* ---- the decision ---- */

static enum auth_result
qualifier_result(char qualifier)
{
	switch (qualifier) {
	case '+':
		return AUTH_PASS;
	case '-':
		return AUTH_FAIL;
	case '~':
		return AUTH_SOFTFAIL;
	default:
		return AUTH_NEUTRAL;
	}
}

/* As deep as the evaluation went: SPF_DNS_TERMS_MAX levels at most. */
static bool decide_record(const struct spf_eval *eval,
    const struct spf_node *node, struct spf_decision *out);

/* 1 the term at this place matches, 0 it does not, -1 nobody knows. */
static int
decide_term(const struct spf_eval *eval, const struct spf_node *node,
    size_t place)
{
	const struct spf_term *term = &node->record.terms[place];
	const struct term_state *state = &node->states[place];
	struct spf_decision inner;

	switch (term->kind) {
	case TERM_ALL:
		return 1;
	case TERM_IP4:
	case TERM_IP6:
		return network_contains(&term->network, &eval->who.ip);
	case TERM_INCLUDE:
		if (state->child == NULL ||
		    !decide_record(eval, state->child, &inner))
			return -1;
		return inner.result == AUTH_PASS;
	default:
		if (state->answer == ANSWER_NOT_YET)
			return -1;
		return state->answer == ANSWER_MATCH;
	}
}

static bool
decide_record(const struct spf_eval *eval, const struct spf_node *node,
    struct spf_decision *out)
{
	const struct spf_term *term;
	size_t i;
	int rc;

	for (i = 0; i < node->reach; i++) {
		term = &node->record.terms[i];
		if (term->kind == TERM_REDIRECT)
			return node->states[i].child != NULL &&
			    decide_record(eval, node->states[i].child, out);
		rc = decide_term(eval, node, i);
		if (rc < 0)
			return false;
		if (rc == 0)
			continue;
		out->result = qualifier_result(term->qualifier);
		out->mechanism =
		    arena_memdup(eval->arena, term->text.data, term->text.len);
		out->number = node->number;
		return true;
	}
	out->result = AUTH_NEUTRAL;
	out->mechanism = NULL;
	out->number = node->number;
	return node->loaded && node->stop == STOP_NOT;
}

bool
spf_eval_decide(const struct spf_eval *eval, struct spf_decision *out)
{
	return decide_record(eval, eval->nodes[0], out);
}

/* ---- the explanation (section 6.2) ---- */

/* Printable ASCII; what macros brought in besides is shown as "?". */
static const char *
printable(struct arena *arena, struct bytes text)
{
	char *copy = arena_memdup(arena, text.data, text.len), *p;

	for (p = copy; p < copy + text.len; p++)
		if (*p < ' ' || *p > '~')
			*p = '?';
	return copy;
}

static int
expand_explanation(struct spf_eval *eval, const struct spf_node *node,
    struct bytes text, const char **out)
{
	struct spf_macros macros;
	struct buf buf;
	int rc;

	if (spf_macro_check(text, SPF_SYNTAX_EXPLAIN, NULL) < 0)
		return 0;
	if (prepare_macros(eval, node, text, &macros) < 0)
		return -1;
	/* A local part that is not ASCII shows as question marks. */
	buf_init(&buf, EXPLANATION_MAX);
	rc = spf_macro_expand(&macros, text, &buf) == 0 && buf.len > 0;
	if (rc == 1)
		*out = printable(eval->arena, buf_bytes(&buf));
	buf_free(&buf);
	return rc;
}

int
spf_eval_explain(struct spf_eval *eval, const struct spf_decision *decision,
    const char **text)
{
	const struct spf_node *node = eval->nodes[decision->number];
	const struct dns_answer *answer;
	struct name name;
	int rc;

	if (node->record.exp.data == NULL)
		return 0;
	rc = expand_name(eval, node, node->record.exp, &name);
	if (rc <= 0)
		return rc;
	answer = question(eval, name.text, DNS_TXT);
	if (answer == NULL)
		return stop(eval, STOP_WAIT, NULL);
	if (answer->status != DNS_OK || answer->count != 1)
		return 0;
	return expand_explanation(eval, node, answer->records[0].text, text);
}

/* ---- from outside ---- */

struct spf_eval *
spf_eval_new(struct arena *arena, struct dns_set *dns,
    const struct spf_macros *who, size_t questions_max)
{
	struct spf_eval *eval = arena_calloc(arena, 1, sizeof(*eval));
	const char *p;

	eval->arena = arena;
	eval->dns = dns;
	eval->questions.max = questions_max;
	eval->who = *who;
	eval->local_is_ascii = true;
	for (p = who->local; *p != '\0'; p++)
		if ((*p & 0x80) != 0)
			eval->local_is_ascii = false;
	node_new(eval, name_new(arena, who->domain));
	return eval;
}

enum spf_stop
spf_eval_stopped(const struct spf_eval *eval)
{
	return eval->stop;
}

const char *
spf_eval_problem(const struct spf_eval *eval)
{
	return eval->problem;
}

void
spf_eval_restart(struct spf_eval *eval)
{
	eval->stop = STOP_NOT;
	eval->problem = NULL;
}

int
spf_eval_root(struct spf_eval *eval)
{
	return node_need(eval, eval->nodes[0]);
}

/* The record that an include or redirect means, perhaps not loaded yet. */
static struct spf_node *
child_of(struct spf_eval *eval, struct spf_node *node, size_t place)
{
	struct term_state *state = &node->states[place];
	const char *name;
	int rc;

	if (state->child != NULL)
		return state->child;
	rc = term_name(eval, node, place, &name);
	if (rc < 0)
		return NULL;
	if (rc > 0) {
		state->child = node_new(eval, state->name);
	} else if (state->matches_nothing &&
	    node->record.terms[place].kind == TERM_INCLUDE) {
		state->child = node_empty(eval);
	} else {
		stop(eval, STOP_PERMERROR,
		    "an include or redirect of a name that cannot exist");
	}
	return state->child;
}

int
spf_eval_enter(struct spf_eval *eval, unsigned number, size_t place)
{
	struct term_state *state = find_term(eval, number, place);
	struct spf_node *child;

	if (state == NULL)
		return stop(eval, STOP_TEMPERROR,
		    "asked for what is not there");
	if (count_term(eval, state) < 0)
		return -1;
	child = child_of(eval, eval->nodes[number], place);
	if (child == NULL)
		return -1;
	if (node_need(eval, child) < 0) {
		if (eval->stop == STOP_NONE)
			eval->stop = STOP_PERMERROR;
		return -1;
	}
	return (int)child->number;
}

int
spf_eval_match(struct spf_eval *eval, unsigned number, size_t place)
{
	static int (*const matchers[])(struct spf_eval *, struct spf_node *,
	    size_t) = {
		[TERM_A] = match_a,
		[TERM_MX] = match_mx,
		[TERM_PTR] = match_ptr,
		[TERM_EXISTS] = match_exists,
		[TERM_REDIRECT] = NULL,
	};
	struct term_state *state = find_term(eval, number, place);
	enum spf_kind kind;
	int rc;

	if (state == NULL)
		return stop(eval, STOP_TEMPERROR,
		    "asked for what is not there");
	kind = eval->nodes[number]->record.terms[place].kind;
	if (matchers[kind] == NULL)
		return stop(eval, STOP_TEMPERROR,
		    "asked for what is not there");
	if (state->answer != ANSWER_NOT_YET)
		return state->answer == ANSWER_MATCH;
	if (count_term(eval, state) < 0)
		return -1;
	rc = matchers[kind](eval, eval->nodes[number], place);
	if (rc >= 0)
		state->answer = rc > 0 ? ANSWER_MATCH : ANSWER_NO;
	return rc;
}

const char *
spf_eval_plain(struct spf_eval *eval, unsigned number)
{
	struct spf_node *node = eval->nodes[number];
	const char *text;
	struct buf buf;

	buf_init(&buf, PLAIN_MAX);
	spf_record_write(&node->record, node->reach, number, &eval->who.ip,
	    &buf);
	assert(!buf.overflow);
	text = arena_memdup(eval->arena, buf.data, buf.len);
	buf_free(&buf);
	return text;
}
