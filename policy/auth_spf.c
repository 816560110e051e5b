/*
 * auth_spf.c - SPF (RFC 7208): the check, and the only user of libspf2.
 *
 * libspf2 evaluates: it decides which term comes next and what a match
 * means.  But nothing from outside reaches it.  It gets plain records
 * (policy/spf_record.h) that hold qualifiers, "all", the client's own
 * address and names that we made up; when it asks for one of those names,
 * policy/spf_eval.c answers under its own limits.  When an answer has to
 * be waited for, the run is given up and repeated later.
 *
 * A second walk over the same answers finds the term that decided.  If it
 * does not come to what libspf2 says the result is temperror: a pass needs
 * both.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <netinet/in.h>
#include <arpa/nameser.h>

#include <spf2/spf.h>

#include "base/clock.h"
#include "base/log.h"
#include "mail/address.h"
#include "policy/scan.h"
#include "policy/spf_eval.h"

/* The limits are ours; libspf2 shall not come to its own. */
#define LIBRARY_TERMS_MAX 1000
/* Questions for the HELO name, which matters less. */
#define HELO_QUESTIONS_MAX 30
/* Its explanation is never used, but without one it expands macros. */
#define LIBRARY_EXPLANATION "none"
/* The domain of record 0; no term has this name. */
#define LIBRARY_ROOT "root.invalid"

struct identity {
	struct spf_eval *eval; /* NULL: nothing to evaluate */
	bool done;
	struct auth_spf_identity result;
};

struct library {
	SPF_server_t *server; /* NULL until needed */
	struct SPF_dns_server_struct dns;
};

struct spf_state {
	struct library library;
	struct identity mailfrom, helo;
};

/* ---- what libspf2 calls ---- */

/* A DNS answer for libspf2; it frees it. */
static SPF_dns_rr_t *
library_answer(SPF_dns_server_t *dns, const char *name, ns_type type,
    SPF_dns_stat_t status)
{
	SPF_dns_rr_t *rr = SPF_dns_rr_new_init(dns, name, type, 0, status);

	if (rr == NULL)
		abort();
	if (status != NETDB_SUCCESS)
		return rr;
	if (SPF_dns_rr_buf_realloc(rr, 0, sizeof(rr->rr[0]->a)) !=
	    SPF_E_SUCCESS)
		abort();
	rr->rr[0]->a.s_addr = htonl(INADDR_LOOPBACK);
	rr->num_rr = 1;
	return rr;
}

/* An "exists" of the plain record: does the term it stands for match? */
static SPF_dns_rr_t *
library_lookup(SPF_dns_server_t *dns, const char *name, ns_type type,
    int should_cache)
{
	struct spf_eval *eval = dns->hook;
	unsigned number;
	size_t place;
	int match;

	(void)should_cache;
	if (type != ns_t_a || spf_plain_parse(name, &number, &place) < 0)
		return library_answer(dns, name, type, TRY_AGAIN);
	match = spf_eval_match(eval, number, place);
	if (match < 0)
		return library_answer(dns, name, type, TRY_AGAIN);
	return library_answer(dns, name, type,
	    match ? NETDB_SUCCESS : HOST_NOT_FOUND);
}

static SPF_errcode_t
library_compile(SPF_server_t *server, SPF_response_t *response,
    SPF_record_t **record, unsigned number)
{
	struct spf_eval *eval = server->resolver->hook;
	SPF_errcode_t code;

	code = SPF_record_compile(server, response, record,
	    spf_eval_plain(eval, number));
	if (code != SPF_E_SUCCESS && *record != NULL) {
		SPF_record_free(*record);
		*record = NULL;
	}
	return code;
}

/* An "include" or "redirect" of the plain record. */
static SPF_errcode_t
library_get_record(SPF_server_t *server, SPF_request_t *request,
    SPF_response_t *response, SPF_record_t **record)
{
	struct spf_eval *eval = server->resolver->hook;
	unsigned number;
	size_t place;
	int entered;

	if (spf_plain_parse(request->cur_dom, &number, &place) < 0)
		return SPF_E_DNS_ERROR;
	entered = spf_eval_enter(eval, number, place);
	if (entered < 0)
		return SPF_E_DNS_ERROR;
	return library_compile(server, response, record, (unsigned)entered);
}

/* ---- one run of libspf2 ---- */

static void
library_open(struct library *library)
{
	SPF_response_t *response = NULL;

	library->dns.lookup = library_lookup;
	library->dns.get_spf = library_get_record;
	library->dns.name = "sekimori";
	library->server = SPF_server_new_dns(&library->dns, 0);
	if (library->server == NULL ||
	    SPF_server_set_explanation(library->server, LIBRARY_EXPLANATION,
		&response) != SPF_E_SUCCESS)
		abort();
	SPF_response_free(response);
	SPF_server_set_max_dns_mech(library->server, LIBRARY_TERMS_MAX);
}

static SPF_request_t *
library_request(SPF_server_t *server, const struct ip *client)
{
	SPF_request_t *request = SPF_request_new(server);
	struct in_addr v4;
	struct in6_addr v6;

	if (request == NULL)
		abort();
	request->use_local_policy = 0;
	if (client->family == IP_V4) {
		memcpy(&v4, client->bytes, sizeof(v4));
		SPF_request_set_ipv4(request, v4);
	} else {
		memcpy(&v6, client->bytes, sizeof(v6));
		SPF_request_set_ipv6(request, v6);
	}
	return request;
}

static enum auth_result
library_result(SPF_result_t result)
{
	switch (result) {
	case SPF_RESULT_PASS:
		return AUTH_PASS;
	case SPF_RESULT_FAIL:
		return AUTH_FAIL;
	case SPF_RESULT_SOFTFAIL:
		return AUTH_SOFTFAIL;
	case SPF_RESULT_NEUTRAL:
		return AUTH_NEUTRAL;
	default:
		return AUTH_TEMPERROR;
	}
}

/*
 * Evaluate record 0.  Not by SPF_request_query_mailfrom: that lets
 * loopback addresses pass unasked.
 */
static enum auth_result
library_run(struct library *library, struct spf_eval *eval,
    const struct ip *client)
{
	enum auth_result result = AUTH_TEMPERROR;
	SPF_record_t *record = NULL;
	SPF_response_t *response;
	SPF_request_t *request;

	if (library->server == NULL)
		library_open(library);
	library->dns.hook = eval;
	request = library_request(library->server, client);
	response = SPF_response_new(request);
	if (response == NULL)
		abort();
	request->cur_dom = LIBRARY_ROOT;
	if (library_compile(library->server, response, &record, 0) ==
	    SPF_E_SUCCESS) {
		response->spf_record_exp = record;
		SPF_record_interpret(record, request, response, 0);
		result = library_result(SPF_response_result(response));
		SPF_record_free(record);
	}
	SPF_response_free(response);
	SPF_request_free(request);
	return result;
}

/* ---- one identity ---- */

static void
settle(struct identity *identity, enum auth_result result, const char *problem)
{
	identity->done = true;
	identity->result.result = result;
	identity->result.problem = problem;
}

/* libspf2 stopped because we made it.  True: for good. */
static bool
settle_stopped(struct identity *identity)
{
	const char *problem = spf_eval_problem(identity->eval);

	switch (spf_eval_stopped(identity->eval)) {
	case STOP_NONE:
		settle(identity, AUTH_NONE, NULL);
		return true;
	case STOP_PERMERROR:
		settle(identity, AUTH_PERMERROR, problem);
		return true;
	case STOP_TEMPERROR:
		settle(identity, AUTH_TEMPERROR, problem);
		return true;
	default:
		spf_eval_ahead(identity->eval);
		return false;
	}
}

static void
settle_disagreement(struct identity *identity, enum auth_result library)
{
	log_error("spf: libspf2 says %s for the record of %s, but the answers "
		  "it asked for do not lead there",
	    auth_result_name(library), identity->result.domain);
	settle(identity, AUTH_TEMPERROR, "the evaluation contradicts itself");
}

/* One run, from the start.  True when the result is final. */
static bool
evaluate(struct library *library, struct identity *identity,
    const struct ip *client)
{
	struct spf_decision decision;
	enum auth_result result;

	spf_eval_restart(identity->eval);
	if (spf_eval_root(identity->eval) < 0)
		return settle_stopped(identity);
	result = library_run(library, identity->eval, client);
	if (spf_eval_stopped(identity->eval) != STOP_NOT)
		return settle_stopped(identity);
	if (!spf_eval_decide(identity->eval, &decision) ||
	    decision.result != result) {
		settle_disagreement(identity, result);
		return true;
	}
	if (result == AUTH_FAIL &&
	    spf_eval_explain(identity->eval, &decision,
		&identity->result.explanation) < 0)
		return settle_stopped(identity);
	identity->result.mechanism = decision.mechanism;
	settle(identity, result, NULL);
	return true;
}

/* Section 4.3: two labels at least, each of 1 to 63 octets, no address. */
static bool
can_publish(const char *domain, char name[SPF_NAME_SIZE])
{
	struct ip ip;

	return domain[0] != '[' && spf_name_clean(bytes_of(domain), name) &&
	    strchr(name, '.') != NULL && ip_parse(bytes_of(name), &ip) < 0;
}

static void
identity_start(struct scan *scan, struct identity *identity, const char *domain,
    const char *local, size_t questions_max)
{
	const struct envelope *envelope = scan->envelope;
	char name[SPF_NAME_SIZE];
	struct spf_macros who;

	identity->result.checked = true;
	identity->result.domain = domain;
	if (!can_publish(domain, name)) {
		settle(identity, AUTH_NONE, NULL);
		return;
	}
	who.local = local[0] != '\0' ? local : "postmaster";
	who.domain = arena_strdup(scan->arena, name);
	who.sender = who.domain;
	who.helo = envelope->client.helo;
	who.validated = "unknown";
	who.receiver = scan->authserv_id != NULL ? scan->authserv_id : "";
	who.ip = envelope->client.ip;
	who.now_s = envelope->received_ms / 1000;
	identity->eval =
	    spf_eval_new(scan->arena, scan->dns, &who, questions_max);
}

/* ---- the check ---- */

/* The HELO name as a domain; "" when it is none. */
static const char *
helo_domain(struct scan *scan)
{
	const char *domain;

	if (domain_normalize(scan->arena, bytes_of(scan->envelope->client.helo),
		&domain, NULL) < 0)
		return "";
	return domain;
}

static struct spf_state *
spf_start(struct scan *scan)
{
	const struct envelope *envelope = scan->envelope;
	struct spf_state *state = arena_calloc(scan->arena, 1, sizeof(*state));

	scan->state[CHECK_SPF] = state;
	if (address_is_null(&envelope->sender)) {
		identity_start(scan, &state->mailfrom, helo_domain(scan), "",
		    SPF_QUESTIONS_MAX);
		return state;
	}
	identity_start(scan, &state->mailfrom, envelope->sender.domain,
	    envelope->sender.local, SPF_QUESTIONS_MAX);
	identity_start(scan, &state->helo, helo_domain(scan), "",
	    HELO_QUESTIONS_MAX);
	return state;
}

static enum check_state
spf_step(struct scan *scan)
{
	struct spf_state *state = scan->state[CHECK_SPF];
	const struct ip *client = &scan->envelope->client.ip;
	bool null_sender = address_is_null(&scan->envelope->sender);

	scan->auth.spf.sender_is_null = null_sender;
	if (client->family == IP_NONE)
		return CHECK_DONE;
	if (state == NULL)
		state = spf_start(scan);
	if (!state->mailfrom.done)
		evaluate(&state->library, &state->mailfrom, client);
	if (null_sender)
		state->helo = state->mailfrom;
	else if (!state->helo.done)
		evaluate(&state->library, &state->helo, client);
	if (!state->mailfrom.done || !state->helo.done)
		return CHECK_WAIT;
	scan->auth.spf.mailfrom = state->mailfrom.result;
	scan->auth.spf.helo = state->helo.result;
	return CHECK_DONE;
}

static void
spf_fini(struct scan *scan)
{
	struct spf_state *state = scan->state[CHECK_SPF];

	if (state != NULL && state->library.server != NULL)
		SPF_server_free(state->library.server);
	scan->state[CHECK_SPF] = NULL;
}

const struct check check_spf = {
	.id = CHECK_SPF,
	.name = "spf",
	.step = spf_step,
	.fini = spf_fini,
};
