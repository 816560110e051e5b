/*
 * survey.c - running a survey, and keeping what it finds.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <string.h>

#include "base/utf8.h"
#include "policy/survey_impl.h"

/* Octets of a finding's text; records of 8 kB may be shown in it. */
#define TEXT_MAX 32768

static const char *const level_words[] = {
	[LEVEL_OK] = "ok",
	[LEVEL_NOTE] = "note",
	[LEVEL_WARNING] = "warning",
	[LEVEL_ERROR] = "error",
};

const struct dns_answer *
survey_ask(struct survey *survey, const char *name, enum dns_type type)
{
	static const struct dns_answer not_yet = { .status = DNS_TIMEOUT };
	const struct dns_answer *answer = dns_ask(survey->dns, name, type);

	if (answer != NULL)
		return answer;
	survey->waits = true;
	return &not_yet;
}

json_t *
survey_json_text(const char *text)
{
	struct buf buf;
	json_t *json;

	if (text == NULL)
		return json_null();
	buf_init(&buf, TEXT_MAX);
	/* What does not fit is the tail of something hostile. */
	(void)utf8_append_clean(&buf, bytes_of(text));
	json = json_stringn(buf_str(&buf), buf.len);
	buf_free(&buf);
	return json;
}

/* ---- findings ---- */

/* The template with %1 and %2 filled in. */
static json_t *
fill_in(const char *template, const char *one, const char *two)
{
	struct buf raw;
	json_t *json;

	buf_init(&raw, TEXT_MAX);
	for (; *template != '\0'; template ++) {
		if (template[0] != '%' ||
		    (template[1] != '1' && template[1] != '2')) {
			(void)buf_append_char(&raw, *template);
			continue;
		}
		template ++;
		(void)buf_append_str(&raw, *template == '1' ? one : two);
	}
	json = survey_json_text(buf_str(&raw));
	buf_free(&raw);
	return json;
}

static bool
is_known(const json_t *findings, const json_t *finding)
{
	const json_t *known;
	size_t i;

	json_array_foreach(findings, i, known)
	{
		if (json_equal(known, finding))
			return true;
	}
	return false;
}

void
survey_found(struct survey *survey, enum survey_id id, const char *one,
    const char *two)
{
	const struct survey_word *word = &survey_word_table[id];
	json_t *args = json_array(), *finding;

	if (one != NULL)
		json_array_append_new(args, survey_json_text(one));
	if (two != NULL)
		json_array_append_new(args, survey_json_text(two));
	finding = json_pack("{s:s, s:s, s:o, s:s, s:s, s:o}", "id", word->id,
	    "level", level_words[word->level], "text",
	    fill_in(word->text, one != NULL ? one : "", two != NULL ? two : ""),
	    "advice", word->advice, "template", word->text, "args", args);
	/* The same may be seen on several ways. */
	if (!is_known(survey->findings, finding))
		json_array_append(survey->findings, finding);
	json_decref(finding);
}

static size_t
level_of(const json_t *finding)
{
	const char *word = json_string_value(json_object_get(finding, "level"));
	size_t level = LEVEL_ERROR;

	while (level > LEVEL_OK && strcmp(level_words[level], word) != 0)
		level--;
	return level;
}

bool
survey_has_complaint(const struct survey *survey, const char *topic)
{
	const json_t *finding;
	size_t i;

	json_array_foreach(survey->findings, i, finding)
	{
		const char *id =
		    json_string_value(json_object_get(finding, "id"));

		if (level_of(finding) > LEVEL_NOTE &&
		    strncmp(id, topic, strlen(topic)) == 0)
			return true;
	}
	return false;
}

/* ---- running ---- */

static void
run_once(struct survey *survey)
{
	survey->waits = false;
	json_decref(survey->findings);
	json_decref(survey->model);
	survey->findings = json_array();
	survey->model = json_object();
	json_object_set_new(survey->model, "domain",
	    json_string(survey->domain));
	survey_spf(survey);
	survey_dkim(survey);
	survey_mx(survey);
	/* Reads what the others have found. */
	survey_dmarc(survey);
}

static void
run(struct survey *survey)
{
	do
		run_once(survey);
	while (survey->waits &&
	    dns_set_wait(survey->dns, survey->request->until_ms) > 0);
}

static const char *
worst_level(const json_t *findings)
{
	const json_t *finding;
	size_t i, worst = LEVEL_OK;

	json_array_foreach(findings, i, finding)
	{
		if (level_of(finding) > worst)
			worst = level_of(finding);
	}
	return level_words[worst];
}

json_t *
survey_domain(struct dns *dns, const struct survey_request *request)
{
	struct survey survey = {
		.arena = arena_new(0),
		.dns = dns_set_new(dns),
		.request = request,
		.domain = request->domain,
	};

	run(&survey);
	json_object_set_new(survey.model, "level",
	    json_string(worst_level(survey.findings)));
	json_object_set_new(survey.model, "findings", survey.findings);
	dns_set_free(survey.dns);
	arena_free(survey.arena);
	return survey.model;
}

json_t *
survey_words(void)
{
	json_t *words = json_array();
	size_t i;

	for (i = 0; i < SURVEY_ID_COUNT; i++) {
		const struct survey_word *word = &survey_word_table[i];

		json_array_append_new(words,
		    json_pack("{s:s, s:s, s:s, s:s}", "id", word->id, "level",
			level_words[word->level], "text", word->text, "advice",
			word->advice));
	}
	return words;
}
