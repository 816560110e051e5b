/*
 * survey_impl.h - what the files of the survey share.
 *
 *	survey.c        running, findings
 *	survey_words.c  all findings in words
 *	survey_spf.c    \
 *	survey_dkim.c    one topic each
 *	survey_dmarc.c   |
 *	survey_mx.c     /
 *
 * The topics are run from the start whenever answers have arrived, until
 * none is missing; only the findings of the last run count.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef POLICY_SURVEY_IMPL_H
#define POLICY_SURVEY_IMPL_H

#include "policy/survey.h"

enum survey_level {
	LEVEL_OK,
	LEVEL_NOTE,
	LEVEL_WARNING,
	LEVEL_ERROR
};

enum survey_id {
	FOUND_SPF_OK,
	FOUND_SPF_MISSING,
	FOUND_SPF_DNS,
	FOUND_SPF_SEVERAL,
	FOUND_SPF_SYNTAX,
	FOUND_SPF_LOOKUPS,
	FOUND_SPF_LOOKUPS_NEAR,
	FOUND_SPF_VOID,
	FOUND_SPF_VOIDS,
	FOUND_SPF_MX_NAMES,
	FOUND_SPF_TARGET_MISSING,
	FOUND_SPF_LOOP,
	FOUND_SPF_MACRO,
	FOUND_SPF_PTR,
	FOUND_SPF_ALL_PASS,
	FOUND_SPF_ALL_NEUTRAL,
	FOUND_SPF_ALL_SOFTFAIL,
	FOUND_SPF_NO_ALL,
	FOUND_SPF_BEHIND_ALL,
	FOUND_SPF_WIDE,
	FOUND_SPF_LONG,
	FOUND_DKIM_OK,
	FOUND_DKIM_NO_SELECTOR,
	FOUND_DKIM_DNS,
	FOUND_DKIM_MISSING,
	FOUND_DKIM_SEVERAL,
	FOUND_DKIM_BROKEN,
	FOUND_DKIM_SHORT,
	FOUND_DKIM_WEAK,
	FOUND_DKIM_TESTING,
	FOUND_DKIM_SHA1,
	FOUND_DKIM_OTHER_KEY,
	FOUND_DMARC_OK,
	FOUND_DMARC_MISSING,
	FOUND_DMARC_DNS,
	FOUND_DMARC_SEVERAL,
	FOUND_DMARC_NEARLY,
	FOUND_DMARC_BROKEN,
	FOUND_DMARC_INHERITED,
	FOUND_DMARC_TAG_UNKNOWN,
	FOUND_DMARC_TAG_GONE,
	FOUND_DMARC_TAG_BROKEN,
	FOUND_DMARC_TAG_REPEATED,
	FOUND_DMARC_ONLY_WATCHES,
	FOUND_DMARC_BELOW_WEAKER,
	FOUND_DMARC_TESTING,
	FOUND_DMARC_NO_REPORTS,
	FOUND_DMARC_URI_BROKEN,
	FOUND_DMARC_URI_SIZE,
	FOUND_DMARC_URI_REFUSED,
	FOUND_DMARC_URI_DNS,
	FOUND_DMARC_URI_CONSENT,
	FOUND_DMARC_UNPROVABLE,
	FOUND_MX_OK,
	FOUND_MX_MISSING,
	FOUND_MX_IMPLICIT,
	FOUND_MX_NULL,
	FOUND_MX_NULL_NOT_ALONE,
	FOUND_MX_DNS,
	FOUND_MX_NO_ADDRESS,
	FOUND_MX_IS_ADDRESS,
	FOUND_MX_PRIVATE,
	FOUND_MX_NO_REVERSE,
	FOUND_MX_OTHER_REVERSE,
	SURVEY_ID_COUNT
};

struct survey_word {
	const char *id; /* "spf.lookups": the topic before the dot */
	enum survey_level level;
	const char *text, *advice; /* %1 and %2 stand for what was found */
};
extern const struct survey_word survey_word_table[SURVEY_ID_COUNT];

struct survey {
	struct arena *arena;
	struct dns_set *dns;
	const struct survey_request *request;
	const char *domain;
	bool waits; /* an answer is missing: this run is not the last */
	json_t *findings;
	json_t *model;
};

/* Never NULL: what is on its way is a timeout for the time being. */
const struct dns_answer *survey_ask(struct survey *survey, const char *name,
    enum dns_type type);
/* one, two: for %1 and %2, any octets; NULL: not needed. */
void survey_found(struct survey *survey, enum survey_id id, const char *one,
    const char *two);
/* Of this topic ("spf."), is something found that is not in order? */
bool survey_has_complaint(const struct survey *survey, const char *topic);
/* A JSON string of any octets; null for NULL. */
json_t *survey_json_text(const char *text);

void survey_spf(struct survey *survey);
void survey_dkim(struct survey *survey);
void survey_dmarc(struct survey *survey);
void survey_mx(struct survey *survey);

#endif
