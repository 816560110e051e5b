/*
 * tls_report.c - a report about TLS between mail servers, read.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <jansson.h>
#include <string.h>

#include "base/str.h"
#include "mail/address.h"
#include "policy/tls_report.h"

#define TEXT_MAX 4096
#define SESSIONS_MAX 1000000000000LL

struct reader {
	struct arena *arena;
	struct err *err;
};

/* ---- time ---- */

/* Exactly n digits. */
static bool
take_digits(struct cursor *c, unsigned n, unsigned most, unsigned *out)
{
	for (*out = 0; n > 0; n--) {
		if (cursor_at_end(c) || !ascii_is_digit(*c->p))
			return false;
		*out = *out * 10 + (unsigned)(*c->p++ - '0');
	}
	return *out <= most;
}

static bool
take_date(struct cursor *c, unsigned *year, unsigned *month, unsigned *day)
{
	static const unsigned char lengths[] = { 31, 29, 31, 30, 31, 30, 31, 31,
		30, 31, 30, 31 };

	return take_digits(c, 4, 9999, year) && cursor_char(c, '-') &&
	    take_digits(c, 2, 12, month) && *month > 0 && cursor_char(c, '-') &&
	    take_digits(c, 2, lengths[*month - 1], day) && *day > 0;
}

/* Days since 1970 of a date of the Gregorian calendar. */
static int64_t
days_of(unsigned year, unsigned month, unsigned day)
{
	int64_t y = (int64_t)year - (month <= 2),
		era = (y >= 0 ? y : y - 399) / 400;
	int64_t of_era = y - era * 400;
	int64_t of_year =
	    (153 * ((int64_t)month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 +
	    of_year - 719468;
}

static bool
take_offset(struct cursor *c, int64_t *seconds)
{
	unsigned hours, minutes;
	bool west;

	*seconds = 0;
	if (cursor_literal(c, "Z"))
		return true;
	west = cursor_char(c, '-');
	if ((!west && !cursor_char(c, '+')) || !take_digits(c, 2, 23, &hours) ||
	    !cursor_char(c, ':') || !take_digits(c, 2, 59, &minutes))
		return false;
	*seconds = (int64_t)hours * 3600 + (int64_t)minutes * 60;
	if (west)
		*seconds = -*seconds;
	return true;
}

int
rfc3339_parse(struct bytes text, int64_t *seconds)
{
	struct cursor c = cursor_of(text);
	unsigned year, month, day, hour, minute, second;
	struct bytes fraction;
	int64_t offset;

	if (!take_date(&c, &year, &month, &day) ||
	    !(cursor_literal(&c, "T") || cursor_char(&c, ' ')) ||
	    !take_digits(&c, 2, 23, &hour) || !cursor_char(&c, ':') ||
	    !take_digits(&c, 2, 59, &minute) || !cursor_char(&c, ':') ||
	    !take_digits(&c, 2, 60, &second))
		return -1;
	if (cursor_char(&c, '.') && !cursor_span(&c, "0123456789", &fraction))
		return -1;
	if (!take_offset(&c, &offset) || !cursor_at_end(&c))
		return -1;
	*seconds = days_of(year, month, day) * 86400 + (int64_t)hour * 3600 +
	    (int64_t)minute * 60 + second - offset;
	return 0;
}

/* ---- values ---- */

static int
wrong(struct reader *reader, const char *where, const char *name,
    const char *problem)
{
	return err_set(reader->err, ERR_INPUT, "%s%s: %s", where, name,
	    problem);
}

/* Absent: NULL. */
static int
take_text(struct reader *reader, const json_t *object, const char *where,
    const char *name, const char **text)
{
	const json_t *value = json_object_get(object, name);

	*text = NULL;
	if (value == NULL || json_is_null(value))
		return 0;
	if (!json_is_string(value))
		return wrong(reader, where, name, "is no text");
	if (json_string_length(value) > TEXT_MAX)
		return err_set(reader->err, ERR_LIMIT,
		    "%s%s: is longer than %d octets", where, name, TEXT_MAX);
	/* A NUL in it ends it for us. */
	*text = arena_strdup(reader->arena, json_string_value(value));
	return 0;
}

static int
need_text(struct reader *reader, const json_t *object, const char *where,
    const char *name, const char **text)
{
	if (take_text(reader, object, where, name, text) < 0)
		return -1;
	if (*text == NULL || **text == '\0')
		return wrong(reader, where, name, "is missing");
	return 0;
}

static int
need_time(struct reader *reader, const json_t *object, const char *where,
    const char *name, int64_t *seconds)
{
	const char *text;

	if (need_text(reader, object, where, name, &text) < 0)
		return -1;
	if (rfc3339_parse(bytes_of(text), seconds) < 0)
		return wrong(reader, where, name, "is no time");
	return 0;
}

static int
need_sessions(struct reader *reader, const json_t *object, const char *where,
    const char *name, uint64_t *sessions)
{
	const json_t *value = json_object_get(object, name);

	if (!json_is_integer(value) || json_integer_value(value) < 0 ||
	    json_integer_value(value) > SESSIONS_MAX)
		return wrong(reader, where, name, "is no number of sessions");
	*sessions = (uint64_t)json_integer_value(value);
	return 0;
}

/* ---- parts ---- */

static int
read_detail(struct reader *reader, const json_t *json, const char *where,
    struct tls_detail *detail)
{
	if (!json_is_object(json))
		return wrong(reader, where, "", "is no object");
	if (need_text(reader, json, where, "result-type", &detail->type) < 0 ||
	    take_text(reader, json, where, "sending-mta-ip",
		&detail->sending_ip) < 0 ||
	    take_text(reader, json, where, "receiving-ip",
		&detail->receiving_ip) < 0 ||
	    take_text(reader, json, where, "receiving-mx-hostname",
		&detail->receiving_host) < 0 ||
	    take_text(reader, json, where, "failure-reason-code",
		&detail->reason) < 0)
		return -1;
	return need_sessions(reader, json, where, "failed-session-count",
	    &detail->sessions);
}

static int
read_details(struct reader *reader, const json_t *list, const char *where,
    struct tls_policy *policy)
{
	size_t i, n = json_array_size(list);

	if (list == NULL || json_is_null(list))
		return 0;
	if (!json_is_array(list))
		return wrong(reader, where, "failure-details", "is no list");
	if (n > TLS_DETAILS_MAX)
		return err_set(reader->err, ERR_LIMIT,
		    "%sfailure-details: more than %d", where, TLS_DETAILS_MAX);
	policy->details =
	    arena_calloc(reader->arena, n + 1, sizeof(policy->details[0]));
	for (i = 0; i < n; i++)
		if (read_detail(reader, json_array_get(list, i),
			arena_printf(reader->arena, "%sfailure-details[%zu].",
			    where, i),
			&policy->details[i]) < 0)
			return -1;
	policy->detail_count = n;
	return 0;
}

static int
read_policy(struct reader *reader, const json_t *json, const char *where,
    struct tls_policy *policy)
{
	const json_t *about = json_object_get(json, "policy");
	const json_t *summary = json_object_get(json, "summary");
	const char *domain;

	if (need_text(reader, about, where, "policy-type", &policy->type) < 0 ||
	    need_text(reader, about, where, "policy-domain", &domain) < 0)
		return -1;
	if (domain_normalize(reader->arena, bytes_of(domain), &policy->domain,
		NULL) < 0)
		return wrong(reader, where, "policy-domain", "is no domain");
	if (need_sessions(reader, summary, where,
		"total-successful-session-count", &policy->good) < 0 ||
	    need_sessions(reader, summary, where, "total-failure-session-count",
		&policy->bad) < 0)
		return -1;
	return read_details(reader, json_object_get(json, "failure-details"),
	    where, policy);
}

static int
read_report(struct reader *reader, const json_t *json,
    struct tls_report *report)
{
	const json_t *range = json_object_get(json, "date-range");
	const json_t *policies = json_object_get(json, "policies");
	size_t i, n = json_array_size(policies);

	if (!json_is_object(json) || !json_is_array(policies))
		return err_set(reader->err, ERR_INPUT,
		    "this is no TLS report: it has no policies");
	if (take_text(reader, json, "", "organization-name",
		&report->organization) < 0 ||
	    take_text(reader, json, "", "contact-info", &report->contact) < 0 ||
	    need_text(reader, json, "", "report-id", &report->id) < 0 ||
	    need_time(reader, range, "date-range.", "start-datetime",
		&report->begin_s) < 0 ||
	    need_time(reader, range, "date-range.", "end-datetime",
		&report->end_s) < 0)
		return -1;
	if (report->begin_s > report->end_s)
		return wrong(reader, "", "date-range", "ends before it begins");
	if (n == 0 || n > TLS_POLICIES_MAX)
		return err_set(reader->err, n == 0 ? ERR_INPUT : ERR_LIMIT,
		    "policies: there must be 1 to %d", TLS_POLICIES_MAX);
	report->policies =
	    arena_calloc(reader->arena, n, sizeof(report->policies[0]));
	for (i = 0; i < n; i++)
		if (read_policy(reader, json_array_get(policies, i),
			arena_printf(reader->arena, "policies[%zu].", i),
			&report->policies[i]) < 0)
			return -1;
	report->policy_count = n;
	return 0;
}

int
tls_report_read(struct arena *arena, struct bytes json,
    struct tls_report *report, struct err *err)
{
	struct reader reader = { arena, err };
	json_error_t why;
	json_t *root;
	int rc;

	if (json.len > TLS_REPORT_MAX)
		return err_set(err, ERR_LIMIT, "more than %lu MB of JSON",
		    TLS_REPORT_MAX / (1024 * 1024));
	memset(report, 0, sizeof(*report));
	root = json_loadb(json.data, json.len, 0, &why);
	if (root == NULL)
		return err_set(err, ERR_INPUT, "line %d: %s", why.line,
		    why.text);
	rc = read_report(&reader, root, report);
	json_decref(root);
	return rc;
}
