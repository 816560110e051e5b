/*
 * doctor.c - what is amiss in a Postfix that asks Sekimori.
 *
 * The rules are those of "Living with libmilter" in doc/DESIGN.md.  Rules
 * that look at one parameter are rows; those that look at milters, at
 * services of master.cf and at sockets are functions.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <inttypes.h>
#include <string.h>

#include "base/str.h"

#include "cli/doctor_impl.h"

/* ---- findings ---- */

void
doctor_found(struct doctor *doctor, enum finding_level level, const char *what,
    const char *why, const char *file, const char *mend)
{
	struct finding *finding;

	/* Services share what main.cf says: once is enough. */
	for (finding = doctor->first; finding != NULL; finding = finding->next)
		if (strcmp(finding->found, what) == 0 &&
		    strcmp(finding->mend, mend) == 0)
			return;
	finding = arena_calloc(doctor->arena, 1, sizeof(*finding));
	finding->level = level;
	finding->found = what;
	finding->why = why;
	finding->file = file;
	finding->mend = mend;
	*doctor->end = finding;
	doctor->end = &finding->next;
	if (level == FINDING_WRONG)
		doctor->wrong++;
	else
		doctor->advice++;
}

const char *
doctor_assignment(struct doctor *doctor, const char *name, const char *value)
{
	if (value == NULL)
		return arena_printf(doctor->arena,
		    "%s is not known to this Postfix", name);
	return arena_printf(doctor->arena, "%s =%s%s", name,
	    *value != '\0' ? " " : "", value);
}

const char *
doctor_in_service(struct doctor *doctor, const struct postfix_service *service,
    const char *name, const char *value)
{
	return arena_printf(doctor->arena, "%s/%s: %s", service->name,
	    service->type, doctor_assignment(doctor, name, value));
}

const char *
doctor_below_service(struct doctor *doctor,
    const struct postfix_service *service)
{
	return arena_printf(doctor->arena, "master.cf, below %s %s",
	    service->name, service->type);
}

/* ---- single parameters ---- */

static bool
is_one_of(const char *value, const char *words)
{
	return value != NULL && postfix_has_word(words, value);
}

/* Other octets beside it are fine. */
static bool
rejects_nul(const char *value, const char *words)
{
	return value != NULL && strstr(value, words) != NULL;
}

static const struct parameter_rule {
	const char *name;
	bool (*is_good)(const char *value, const char *words);
	const char *words;
	enum finding_level level;
	const char *mend;
	const char *why;
} parameter_rules[] = {
	{ "milter_default_action", is_one_of, "tempfail", FINDING_WRONG,
	    "milter_default_action = tempfail",
	    "While Sekimori cannot be reached, mail would pass unjudged or be "
	    "refused for good, instead of being tried again later." },
	{ "milter_protocol", is_one_of, "6", FINDING_WRONG,
	    "milter_protocol = 6",
	    "Sekimori needs the milter protocol in this version to keep "
	    "leading space in headers, without which signatures break." },
	{ "message_reject_characters", rejects_nul, "\\0", FINDING_WRONG,
	    "message_reject_characters = \\0",
	    "A NUL ends a header on its way to a milter: what stands behind it "
	    "would be seen by mail readers, but not by Sekimori." },
	{ "smtpd_forbid_bare_newline", is_one_of, "yes normalize reject",
	    FINDING_WRONG, "smtpd_forbid_bare_newline = yes",
	    "Lone line feeds let a sender smuggle a second mail past all "
	    "checks (SMTP smuggling)." },
	{ "enable_original_recipient", is_one_of, "yes", FINDING_WRONG,
	    "enable_original_recipient = yes",
	    "Recipients whom Sekimori serves apart are taken out of a mail by "
	    "the address that RCPT gave, which Postfix forgets otherwise." },
	{ "disable_mime_output_conversion", is_one_of, "yes", FINDING_WRONG,
	    "disable_mime_output_conversion = yes",
	    "Postfix would convert 8-bit mail for servers that do not announce "
	    "8BITMIME, and so break its signatures after they were checked." },
};

static void
check_parameters(struct doctor *doctor)
{
	const struct parameter_rule *rule;
	size_t i;

	for (i = 0; i < sizeof(parameter_rules) / sizeof(parameter_rules[0]);
	     i++) {
		const char *value;

		rule = &parameter_rules[i];
		value = postfix_value(doctor->postfix, rule->name);
		doctor->checked++;
		if (!rule->is_good(value, rule->words))
			doctor_found(doctor, rule->level,
			    doctor_assignment(doctor, rule->name, value),
			    rule->why, "main.cf", rule->mend);
	}
}

static void
check_size_limit(struct doctor *doctor)
{
	const char *value =
	    postfix_value(doctor->postfix, "message_size_limit");
	uint64_t most = doctor->conf->hold_message_max, limit;
	const char *mend =
	    arena_printf(doctor->arena, "message_size_limit = %" PRIu64, most);

	doctor->checked++;
	if (value == NULL ||
	    parse_u64(bytes_of(value), 0, UINT64_MAX, &limit) < 0)
		return;
	if (limit == 0)
		doctor_found(doctor, FINDING_WRONG,
		    doctor_assignment(doctor, "message_size_limit", value),
		    "There is no limit: one mail can fill the disk of Postfix "
		    "and of Sekimori.",
		    "main.cf", mend);
	else if (limit > most)
		doctor_found(doctor, FINDING_ADVICE,
		    doctor_assignment(doctor, "message_size_limit", value),
		    arena_printf(doctor->arena,
			"Mail of more than %" PRIu64
			" bytes (hold_message_max) cannot be held: what would "
			"be is refused with 552.",
			most),
		    "main.cf", mend);
}

static void
check_delimiter(struct doctor *doctor)
{
	const char *value =
	    postfix_value(doctor->postfix, "recipient_delimiter");
	const char *p;

	doctor->checked++;
	for (p = value != NULL ? value : ""; *p != '\0'; p++)
		if (strchr(doctor->conf->recipient_delimiter, *p) == NULL)
			break;
	if (value != NULL && *p != '\0')
		doctor_found(doctor, FINDING_ADVICE,
		    doctor_assignment(doctor, "recipient_delimiter", value),
		    arena_printf(doctor->arena,
			"Sekimori does not separate extensions at all of "
			"these, so user%ctag is an unknown user to it.",
			*p),
		    "sekimori.conf",
		    arena_printf(doctor->arena, "recipient_delimiter = \"%s\"",
			value));
}

/* ---- patience ---- */

static bool
read_time(const char *value, uint64_t *seconds)
{
	return value != NULL && parse_seconds(bytes_of(value), seconds) == 0;
}

static void
check_patience(struct doctor *doctor)
{
	const char *value =
	    postfix_value(doctor->postfix, "milter_content_timeout");
	uint64_t seconds, least = doctor->conf->dns_timeout + 30;

	doctor->checked++;
	if (read_time(value, &seconds) && seconds < least)
		doctor_found(doctor, FINDING_WRONG,
		    doctor_assignment(doctor, "milter_content_timeout", value),
		    arena_printf(doctor->arena,
			"Postfix gives up before Sekimori has its DNS answers "
			"(dns_timeout is %" PRIu64 " s).",
			doctor->conf->dns_timeout),
		    "main.cf", "milter_content_timeout = 300s");
}

void
doctor_postfix(struct doctor *doctor, struct arena *arena,
    const struct conf *conf, const struct postfix *postfix)
{
	memset(doctor, 0, sizeof(*doctor));
	doctor->arena = arena;
	doctor->conf = conf;
	doctor->postfix = postfix;
	doctor->end = &doctor->first;
	doctor_check_services(doctor);
	check_parameters(doctor);
	check_patience(doctor);
	check_size_limit(doctor);
	doctor_check_release(doctor);
	check_delimiter(doctor);
	doctor_check_maps(doctor);
}
