/*
 * verdict_record.c - the decision record: all that led to a verdict.
 *
 * Fields are described in doc/decision-record.md; they are a contract with
 * the pages, the command line and whoever reads the events.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include "base/utf8.h"
#include "policy/verdict.h"

#define TEXT_MAX 4096

/* A JSON string from bytes of any kind; null for NULL. */
static json_t *
text(const char *s)
{
	struct buf buf;
	json_t *json;

	if (s == NULL)
		return json_null();
	json = json_string(s);
	if (json != NULL)
		return json;
	buf_init(&buf, TEXT_MAX);
	/* What does not fit is the tail of something hostile. */
	(void)utf8_append_clean(&buf, bytes_of(s));
	json = json_string(buf_str(&buf));
	buf_free(&buf);
	return json;
}

static json_t *
points(int64_t thousandths)
{
	return json_real((double)thousandths / 1000);
}

static json_t *
record_spf_identity(const struct auth_spf_identity *identity)
{
	if (!identity->checked)
		return json_null();
	return json_pack("{s:s, s:o, s:o, s:o, s:o}", "result",
	    auth_result_name(identity->result), "domain",
	    text(identity->domain), "mechanism", text(identity->mechanism),
	    "problem", text(identity->problem), "explanation",
	    text(identity->explanation));
}

static json_t *
record_dkim(const struct auth_dkim *dkim)
{
	json_t *signatures = json_array();
	size_t i;

	for (i = 0; i < dkim->count; i++) {
		const struct auth_dkim_signature *s = &dkim->signatures[i];

		json_array_append_new(signatures,
		    json_pack("{s:s, s:o, s:o, s:o, s:o, s:i, s:b, s:b, s:I,"
			      " s:o}",
			"result", auth_result_name(s->result), "domain",
			text(s->domain), "selector", text(s->selector),
			"identity", text(s->identity), "algorithm",
			text(s->algorithm), "key_bits", (int)s->key_bits,
			"trusted", s->trusted, "testing", s->testing, "seen",
			(json_int_t)s->seen, "problem", text(s->problem)));
	}
	return json_pack("{s:s, s:i, s:o}", "result",
	    auth_result_name(dkim->result), "ignored", (int)dkim->ignored,
	    "signatures", signatures);
}

/* The record that applied, for who reports to its owner; null: none. */
static json_t *
record_dmarc_published(const struct auth_dmarc *dmarc)
{
	if (dmarc->policy_domain == NULL || dmarc->rua == NULL)
		return json_null();
	return json_pack("{s:s, s:s, s:s, s:b, s:b, s:o, s:o}", "p",
	    dmarc_policy_name(dmarc->p), "sp", dmarc_policy_name(dmarc->sp),
	    "np", dmarc_policy_name(dmarc->np), "strict_dkim",
	    dmarc->strict_dkim, "strict_spf", dmarc->strict_spf, "fo",
	    text(dmarc->fo), "rua", text(dmarc->rua));
}

static json_t *
record_dmarc(const struct auth_dmarc *dmarc)
{
	return json_pack(
	    "{s:s, s:o, s:o, s:o, s:s, s:s, s:b, s:b, s:b, s:b, s:o, s:o, s:o}",
	    "result", auth_result_name(dmarc->result), "from_domain",
	    text(dmarc->from_domain), "policy_domain",
	    text(dmarc->policy_domain), "organizational_domain",
	    text(dmarc->organizational_domain), "policy",
	    dmarc_policy_name(dmarc->policy), "published",
	    dmarc_policy_name(dmarc->published), "testing", dmarc->testing,
	    "dkim_aligned", dmarc->dkim_aligned, "spf_aligned",
	    dmarc->spf_aligned, "malformed", dmarc->malformed, "name_domain",
	    text(dmarc->name_domain), "problem", text(dmarc->problem), "record",
	    record_dmarc_published(dmarc));
}

static json_t *
record_results(const struct scan *scan)
{
	const struct auth *auth = &scan->auth;
	json_t *arc;

	if (!scan->inbound_checks)
		return json_null();
	arc = json_pack("{s:s, s:i, s:o, s:o}", "result",
	    auth_result_name(auth->arc.result), "sets", (int)auth->arc.count,
	    "sealer", text(auth->arc.sealer), "problem",
	    text(auth->arc.problem));
	return json_pack("{s:{s:s, s:o}, s:o, s:o, s:o, s:o, s:o}", "iprev",
	    "result", auth_result_name(auth->iprev.result), "name",
	    text(auth->iprev.name), "spf",
	    record_spf_identity(&auth->spf.mailfrom), "spf_helo",
	    record_spf_identity(&auth->spf.helo), "dkim",
	    record_dkim(&auth->dkim), "arc", arc, "dmarc",
	    record_dmarc(&auth->dmarc));
}

static json_t *
record_envelope(const struct envelope *envelope)
{
	char client[IP_TEXT_SIZE], upstream[IP_TEXT_SIZE];

	ip_format(&envelope->client.ip, client);
	ip_format(&envelope->upstream, upstream);
	return json_pack("{s:s, s:s, s:o, s:o, s:o, s:o}", "client_ip", client,
	    "upstream", upstream, "client_name",
	    text(envelope->client.hostname), "helo",
	    text(envelope->client.helo), "auth", text(envelope->client.auth),
	    "sender", text(envelope->sender.raw));
}

json_t *
verdict_record(const struct scan *scan, const char *mailbox_key,
    const struct verdict *verdict, enum direction direction)
{
	json_t *reasons = json_array(), *thresholds = json_null();
	size_t i;

	for (i = 0; i < verdict->reason_count; i++)
		json_array_append_new(reasons,
		    json_pack("{s:s, s:o, s:o}", "name",
			verdict->reasons[i].name, "points",
			points(verdict->reasons[i].points), "detail",
			text(verdict->reasons[i].detail)));
	if (verdict->policy != NULL)
		thresholds = json_pack("{s:o, s:o}", "unsure",
		    points(verdict->policy->unsure_points), "spam",
		    points(verdict->policy->spam_points));
	return json_pack("{s:i, s:s, s:o, s:s, s:I,"
			 " s:{s:s, s:s, s:o}, s:o, s:o, s:s, s:s, s:o, s:o,"
			 " s:o, s:o}",
	    "version", 1, "id", scan->envelope->id, "mailbox",
	    text(mailbox_key), "direction",
	    direction == DIRECTION_INBOUND ? "inbound" : "outbound",
	    "generation", (json_int_t)settings_generation(scan->settings),
	    "class", "main", main_class_name(verdict->main_class), "sub",
	    sub_class_name(verdict->sub), "extra", text(verdict->extra),
	    "score", points(verdict->score), "thresholds", thresholds, "action",
	    action_name(verdict->action), "decided_by", verdict->decided_by,
	    "reply", text(verdict->reply), "reasons", reasons, "envelope",
	    record_envelope(scan->envelope), "results", record_results(scan));
}
