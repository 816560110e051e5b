/*
 * survey_spf.c - the SPF record of a domain, and all that it leads to.
 *
 * Receivers stop at the first term that matches; here nothing matches, so
 * that what is counted is the most that any mail can cost (RFC 7208 section
 * 4.6.4).
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <string.h>

#include "base/str.h"
#include "policy/spf_eval.h"
#include "policy/survey_impl.h"

/* Above this the rest is not counted. */
#define RECORDS_MAX 40
#define DEPTH_MAX 12
/* Prefix lengths up to which a network is called very large. */
#define WIDE_BITS_4 8
#define WIDE_BITS_6 19
#define LONG_RECORD 450

/* A record that is being read, and the one that led to it. */
struct place {
	const char *domain;
	const struct place *above;
	unsigned depth;
	const char *term; /* that led here; NULL: the domain itself */
	bool is_include;
};

struct spf_survey {
	struct survey *survey;
	unsigned lookups, voids;
	size_t records;
	char all; /* qualifier of the "all" that ends it; 0: none */
	bool has_record, bad;
	json_t *list;
};

static void visit(struct spf_survey *spf, const struct place *place);

static const char *
term_text(struct spf_survey *spf, const struct spf_term *term)
{
	return arena_memdup(spf->survey->arena, term->text.data,
	    term->text.len);
}

static void
count_void(struct spf_survey *spf, const char *term, const char *name)
{
	spf->voids++;
	survey_found(spf->survey, FOUND_SPF_VOID, term, name);
}

/* 1 records, 0 none, -1 not known. */
static int
look_up(struct spf_survey *spf, const char *name, enum dns_type type,
    const struct dns_answer **answer)
{
	*answer = survey_ask(spf->survey, name, type);
	if (!dns_status_is_failure((*answer)->status))
		return (*answer)->count > 0;
	survey_found(spf->survey, FOUND_SPF_DNS, name,
	    dns_status_name((*answer)->status));
	return -1;
}

/* ---- terms ---- */

static void
follow_addresses(struct spf_survey *spf, const char *term, const char *name)
{
	const struct dns_answer *a, *aaaa;
	int four = look_up(spf, name, DNS_A, &a);
	int six = look_up(spf, name, DNS_AAAA, &aaaa);

	if (four == 0 && six == 0)
		count_void(spf, term, name);
}

static void
follow_mx(struct spf_survey *spf, const char *term, const char *name)
{
	const struct dns_answer *answer;
	int rc = look_up(spf, name, DNS_MX, &answer);

	if (rc == 0)
		count_void(spf, term, name);
	else if (rc > 0 && answer->count > SPF_NAMES_MAX)
		survey_found(spf->survey, FOUND_SPF_MX_NAMES, term,
		    arena_printf(spf->survey->arena, "%zu", answer->count));
}

static void
follow_exists(struct spf_survey *spf, const char *term, const char *name)
{
	const struct dns_answer *answer;

	if (look_up(spf, name, DNS_A, &answer) == 0)
		count_void(spf, term, name);
}

static bool
is_above(const struct place *place, const char *domain)
{
	for (; place != NULL; place = place->above)
		if (str_equal_nocase(place->domain, domain))
			return true;
	return false;
}

static void
follow_record(struct spf_survey *spf, const struct place *from,
    const char *term, const char *name, bool is_include)
{
	struct place place = { name, from, from->depth + 1, term, is_include };

	if (is_above(from, name)) {
		survey_found(spf->survey, FOUND_SPF_LOOP, term, NULL);
		spf->bad = true;
	} else if (place.depth < DEPTH_MAX && spf->records < RECORDS_MAX) {
		visit(spf, &place);
	}
}

static void
follow_term(struct spf_survey *spf, const struct place *place,
    const struct spf_term *term)
{
	const char *text = term_text(spf, term), *name = place->domain;

	if (!spf_kind_asks(term->kind))
		return;
	spf->lookups++;
	if (term->kind == TERM_PTR) {
		survey_found(spf->survey, FOUND_SPF_PTR, place->domain, NULL);
		return;
	}
	if (term->domain.len > 0)
		name = arena_memdup(spf->survey->arena, term->domain.data,
		    term->domain.len);
	if (strchr(name, '%') != NULL) {
		survey_found(spf->survey, FOUND_SPF_MACRO, text, NULL);
		return;
	}
	if (term->kind == TERM_A)
		follow_addresses(spf, text, name);
	else if (term->kind == TERM_MX)
		follow_mx(spf, text, name);
	else if (term->kind == TERM_EXISTS)
		follow_exists(spf, text, name);
	else
		follow_record(spf, place, text, name,
		    term->kind == TERM_INCLUDE);
}

static void
check_width(struct spf_survey *spf, const struct spf_term *term)
{
	bool wide = false;

	if (term->qualifier != '+')
		return;
	if (term->kind == TERM_IP4)
		wide = term->network.bits <= WIDE_BITS_4;
	else if (term->kind == TERM_IP6)
		wide = term->network.bits <= WIDE_BITS_6;
	else if (term->kind == TERM_A || term->kind == TERM_MX)
		wide = term->bits4 <= WIDE_BITS_4 || term->bits6 <= WIDE_BITS_6;
	if (wide)
		survey_found(spf->survey, FOUND_SPF_WIDE, term_text(spf, term),
		    NULL);
}

/* "all" ends a record; a redirect beside it does not count. */
static void
read_all(struct spf_survey *spf, const struct place *place,
    const struct spf_record *record, size_t all)
{
	char qualifier = record->terms[all].qualifier;
	size_t i;

	for (i = all + 1; i < record->count; i++)
		survey_found(spf->survey, FOUND_SPF_BEHIND_ALL,
		    term_text(spf, &record->terms[i]), NULL);
	if (qualifier == '+') {
		survey_found(spf->survey, FOUND_SPF_ALL_PASS, place->domain,
		    NULL);
		spf->bad = true;
	}
	if (!place->is_include)
		spf->all = qualifier;
}

static void
read_terms(struct spf_survey *spf, const struct place *place,
    const struct spf_record *record)
{
	size_t i;

	for (i = 0; i < record->count; i++) {
		if (record->terms[i].kind == TERM_ALL) {
			read_all(spf, place, record, i);
			return;
		}
		check_width(spf, &record->terms[i]);
		follow_term(spf, place, &record->terms[i]);
	}
}

/* ---- records ---- */

/* The SPF record among the TXT records; NULL with what is wrong found. */
static const struct dns_record *
choose(struct spf_survey *spf, const struct place *place,
    const struct dns_answer *answer)
{
	const struct dns_record *found = NULL;
	size_t i, n = 0;

	for (i = 0; i < answer->count; i++)
		if (spf_record_is(answer->records[i].text)) {
			found = &answer->records[i];
			n++;
		}
	if (n == 1)
		return found;
	spf->bad = true;
	if (n > 1)
		survey_found(spf->survey, FOUND_SPF_SEVERAL, place->domain,
		    NULL);
	else if (place->term != NULL)
		survey_found(spf->survey, FOUND_SPF_TARGET_MISSING, place->term,
		    NULL);
	else
		survey_found(spf->survey, FOUND_SPF_MISSING, place->domain,
		    NULL);
	spf->has_record |= n > 1;
	return NULL;
}

static void
visit(struct spf_survey *spf, const struct place *place)
{
	struct survey *survey = spf->survey;
	const struct dns_answer *answer;
	const struct dns_record *text;
	struct spf_record record;
	struct err err;

	if (look_up(spf, place->domain, DNS_TXT, &answer) < 0) {
		spf->bad = true;
		return;
	}
	text = choose(spf, place, answer);
	if (text == NULL)
		return;
	spf->has_record = true;
	spf->records++;
	json_array_append_new(spf->list,
	    json_pack("{s:o, s:o}", "domain", survey_json_text(place->domain),
		"record",
		survey_json_text(arena_memdup(survey->arena, text->text.data,
		    text->text.len))));
	if (text->text.len > LONG_RECORD)
		survey_found(survey, FOUND_SPF_LONG,
		    arena_printf(survey->arena, "%zu", text->text.len), NULL);
	if (spf_record_read(survey->arena, text->text, &record, &err) < 0) {
		survey_found(survey, FOUND_SPF_SYNTAX, place->domain, err.text);
		spf->bad = true;
		return;
	}
	read_terms(spf, place, &record);
}

static void
judge_all(struct spf_survey *spf)
{
	if (spf->all == '?')
		survey_found(spf->survey, FOUND_SPF_ALL_NEUTRAL, NULL, NULL);
	else if (spf->all == '~')
		survey_found(spf->survey, FOUND_SPF_ALL_SOFTFAIL, NULL, NULL);
	else if (spf->all == '\0' && !spf->bad)
		survey_found(spf->survey, FOUND_SPF_NO_ALL, NULL, NULL);
}

static void
judge_counts(struct spf_survey *spf)
{
	struct survey *survey = spf->survey;
	const char *lookups = arena_printf(survey->arena, "%u", spf->lookups);

	if (spf->lookups > SPF_DNS_TERMS_MAX)
		survey_found(survey, FOUND_SPF_LOOKUPS, lookups, NULL);
	else if (spf->lookups + 1 >= SPF_DNS_TERMS_MAX)
		survey_found(survey, FOUND_SPF_LOOKUPS_NEAR, lookups, NULL);
	if (spf->voids > SPF_VOID_MAX)
		survey_found(survey, FOUND_SPF_VOIDS,
		    arena_printf(survey->arena, "%u", spf->voids), NULL);
	if (!survey_has_complaint(survey, "spf."))
		survey_found(survey, FOUND_SPF_OK, lookups, NULL);
}

void
survey_spf(struct survey *survey)
{
	struct spf_survey spf = { .survey = survey, .list = json_array() };
	struct place place = { .domain = survey->domain };

	visit(&spf, &place);
	if (spf.has_record) {
		judge_all(&spf);
		judge_counts(&spf);
	}
	json_object_set_new(survey->model, "spf",
	    json_pack("{s:b, s:i, s:i, s:b, s:o}", "found", spf.has_record,
		"lookups", (int)spf.lookups, "voids", (int)spf.voids, "usable",
		spf.has_record && !spf.bad, "records", spf.list));
}
