/*
 * survey_dmarc.c - the DMARC record that applies to a domain.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <string.h>

#include "base/str.h"
#include "policy/dmarc_walk.h"
#include "policy/report_uri.h"
#include "policy/survey_impl.h"

/* ---- tags ---- */

static void
found_tag(void *context, struct bytes tag, enum dmarc_tag what)
{
	static const enum survey_id ids[] = {
		[DMARC_TAG_NOT_KNOWN] = FOUND_DMARC_TAG_UNKNOWN,
		[DMARC_TAG_OBSOLETE] = FOUND_DMARC_TAG_GONE,
		[DMARC_TAG_INVALID] = FOUND_DMARC_TAG_BROKEN,
		[DMARC_TAG_TWICE] = FOUND_DMARC_TAG_REPEATED,
	};
	struct survey *survey = context;

	if (what != DMARC_TAG_GOOD)
		survey_found(survey, ids[what],
		    arena_memdup(survey->arena, tag.data, tag.len), NULL);
}

/* ---- addresses for reports ---- */

static void
survey_uri(struct survey *survey, const struct dmarc_step *step,
    struct report_uri *uri)
{
	const char *name, *published = uri->text;

	if (uri->problem != NULL) {
		survey_found(survey, FOUND_DMARC_URI_BROKEN, uri->text,
		    uri->problem);
		return;
	}
	if (strchr(uri->text, '!') != NULL)
		survey_found(survey, FOUND_DMARC_URI_SIZE, uri->text, NULL);
	switch (report_uri_consent(survey->arena, survey->dns, step->domain,
	    REPORT_TAG_RUA, uri, &name)) {
	case CONSENT_WAIT:
		survey->waits = true;
		break;
	case CONSENT_OWN:
		break;
	case CONSENT_GIVEN:
		survey_found(survey, FOUND_DMARC_URI_CONSENT, published, NULL);
		break;
	case CONSENT_NONE:
		survey_found(survey, FOUND_DMARC_URI_REFUSED, published, name);
		break;
	case CONSENT_UNKNOWN:
		survey_found(survey, FOUND_DMARC_URI_DNS, published,
		    "the DNS did not answer");
		break;
	}
}

static void
survey_rua(struct survey *survey, const struct dmarc_step *step)
{
	struct report_uri uris[REPORT_URIS_MAX];
	size_t i, n = report_uris_read(survey->arena, step->record.rua, uris);

	if (n == 0)
		survey_found(survey, FOUND_DMARC_NO_REPORTS, NULL, NULL);
	for (i = 0; i < n; i++)
		survey_uri(survey, step, &uris[i]);
}

/* ---- policy ---- */

static enum dmarc_policy
policy_of(const struct survey *survey, const struct dmarc_step *step)
{
	return strcmp(step->domain, survey->domain) == 0 ? step->record.p
							 : step->record.sp;
}

static bool
model_is_usable(const struct survey *survey, const char *topic)
{
	return json_is_true(
	    json_object_get(json_object_get(survey->model, topic), "usable"));
}

static void
judge_policy(struct survey *survey, const struct dmarc_step *step)
{
	const struct dmarc_record *record = &step->record;
	enum dmarc_policy policy = policy_of(survey, step);
	enum dmarc_policy milder =
	    policy == DMARC_REJECT ? DMARC_QUARANTINE : DMARC_NONE;

	if (policy == DMARC_NONE)
		survey_found(survey, FOUND_DMARC_ONLY_WATCHES, NULL, NULL);
	if (record->sp < record->p || record->np < record->p)
		survey_found(survey, FOUND_DMARC_BELOW_WEAKER,
		    dmarc_policy_name(
			record->sp < record->np ? record->sp : record->np),
		    dmarc_policy_name(record->p));
	if (record->testing && policy != DMARC_NONE)
		survey_found(survey, FOUND_DMARC_TESTING,
		    dmarc_policy_name(milder), NULL);
	/* Keys may exist that we do not know of. */
	if (policy != DMARC_NONE && survey->request->selector_count > 0 &&
	    !model_is_usable(survey, "spf") && !model_is_usable(survey, "dkim"))
		survey_found(survey, FOUND_DMARC_UNPROVABLE,
		    dmarc_policy_name(policy), NULL);
	if (!survey_has_complaint(survey, "dmarc."))
		survey_found(survey, FOUND_DMARC_OK, dmarc_policy_name(policy),
		    NULL);
}

static void
judge_record(struct survey *survey, const struct dmarc_step *step,
    struct bytes text)
{
	if (strcmp(step->domain, survey->domain) != 0)
		survey_found(survey, FOUND_DMARC_INHERITED, survey->domain,
		    step->domain);
	dmarc_record_tags(text, found_tag, survey);
	if (!step->record.applies) {
		survey_found(survey, FOUND_DMARC_BROKEN, step->name, NULL);
		return;
	}
	survey_rua(survey, step);
	judge_policy(survey, step);
}

/* ---- the record ---- */

/* "v = dmarc1" and the like. */
static bool
looks_like_one(struct bytes text)
{
	struct cursor c = cursor_of(bytes_trim(text));

	if (!cursor_literal(&c, "v"))
		return false;
	(void)cursor_space(&c);
	if (!cursor_char(&c, '='))
		return false;
	(void)cursor_space(&c);
	return cursor_literal(&c, "dmarc");
}

/* The text of the record of a step; none when there is not exactly one. */
static struct bytes
text_of(struct survey *survey, const struct dmarc_step *step)
{
	const struct dns_answer *answer =
	    survey_ask(survey, step->name, DNS_TXT);
	struct dmarc_record record;
	size_t i;

	for (i = 0; i < answer->count; i++)
		if (dmarc_record_read(survey->arena, answer->records[i].text,
			&record) == 1)
			return answer->records[i].text;
	return (struct bytes){ NULL, 0 };
}

/* Why the domain's own place has no record that counts. */
static void
explain_own(struct survey *survey, const struct dmarc_step *own)
{
	const struct dns_answer *answer =
	    survey_ask(survey, own->name, DNS_TXT);
	struct dmarc_record record;
	size_t i, n = 0;

	for (i = 0; i < answer->count; i++) {
		struct bytes text = answer->records[i].text;

		if (dmarc_record_read(survey->arena, text, &record) == 1)
			n++;
		else if (looks_like_one(text))
			survey_found(survey, FOUND_DMARC_NEARLY, own->name,
			    arena_memdup(survey->arena, text.data, text.len));
	}
	if (n > 1)
		survey_found(survey, FOUND_DMARC_SEVERAL, own->name, NULL);
}

static json_t *
model_of(struct survey *survey, const struct dmarc_walk *walk,
    const struct dmarc_step *step, struct bytes text)
{
	const struct dmarc_record *record = &step->record;

	return json_pack(
	    "{s:b, s:s, s:s, s:o, s:s, s:s, s:s, s:s, s:b, s:b, s:b, s:o}",
	    "found", true, "policy_domain", step->domain,
	    "organizational_domain", dmarc_walk_organization(walk), "record",
	    survey_json_text(arena_memdup(survey->arena, text.data, text.len)),
	    "policy", dmarc_policy_name(policy_of(survey, step)), "p",
	    dmarc_policy_name(record->p), "sp", dmarc_policy_name(record->sp),
	    "np", dmarc_policy_name(record->np), "testing", record->testing,
	    "strict_dkim", record->strict_dkim, "strict_spf",
	    record->strict_spf, "rua", survey_json_text(record->rua));
}

void
survey_dmarc(struct survey *survey)
{
	struct dmarc_walk *walk =
	    dmarc_walk_new(survey->arena, survey->dns, survey->domain);
	json_t *model = NULL;
	const struct dmarc_step *step;
	struct bytes text;

	switch (dmarc_walk_run(survey->arena, survey->dns, walk)) {
	case DMARC_WALK_WAIT:
		survey->waits = true;
		break;
	case DMARC_WALK_FAILED:
		survey_found(survey, FOUND_DMARC_DNS, walk->problem, NULL);
		break;
	case DMARC_WALK_DONE:
		if (!walk->steps[0].found)
			explain_own(survey, &walk->steps[0]);
		step = dmarc_walk_policy(walk);
		if (step == NULL) {
			survey_found(survey, FOUND_DMARC_MISSING,
			    survey->domain, NULL);
			break;
		}
		text = text_of(survey, step);
		judge_record(survey, step, text);
		model = model_of(survey, walk, step, text);
		break;
	}
	if (model == NULL)
		model = json_pack("{s:b}", "found", false);
	json_object_set_new(survey->model, "dmarc", model);
}
