/*
 * dmarc_report_write.c - an aggregate report as XML (RFC 9990).
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <inttypes.h>
#include <string.h>

#include "base/utf8.h"
#include "policy/dmarc_report.h"

#define NAMESPACE "urn:ietf:params:xml:ns:dmarc-2.0"

static const char *const dispositions[] = {
	[DISPOSITION_NONE] = "none",
	[DISPOSITION_PASS] = "pass",
	[DISPOSITION_QUARANTINE] = "quarantine",
	[DISPOSITION_REJECT] = "reject",
};

const char *
report_disposition_name(enum report_disposition disposition)
{
	return dispositions[disposition];
}

int
report_disposition_parse(const char *word)
{
	int i;

	for (i = DISPOSITION_NONE; i <= DISPOSITION_REJECT; i++)
		if (strcmp(dispositions[i], word) == 0)
			return i;
	return -1;
}

/* What XML 1.0 cannot carry even escaped: U+FFFE, U+FFFF. */
static bool
is_no_character(struct bytes text)
{
	return text.len >= 3 && memcmp(text.data, "\xef\xbf", 2) == 0 &&
	    (unsigned char)text.data[2] >= 0xbe;
}

static const char *
entity_of(char c)
{
	switch (c) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	default:
		return NULL;
	}
}

static void
put_text(struct buf *out, const char *text)
{
	struct buf clean;
	size_t i;

	buf_init(&clean, REPORT_XML_MAX);
	(void)utf8_append_clean(&clean, bytes_of(text));
	for (i = 0; i < clean.len; i++) {
		const char *entity = entity_of(clean.data[i]);

		if (entity != NULL) {
			buf_append_str(out, entity);
		} else if (is_no_character((struct bytes){ clean.data + i,
			       clean.len - i })) {
			buf_append_char(out, '?');
			i += 2;
		} else {
			buf_append_char(out, clean.data[i]);
		}
	}
	buf_free(&clean);
}

/* NULL: left out. */
static void
put(struct buf *out, int depth, const char *name, const char *text)
{
	if (text == NULL)
		return;
	buf_printf(out, "%*s<%s>", 2 * depth, "", name);
	put_text(out, text);
	buf_printf(out, "</%s>\n", name);
}

static void
open_element(struct buf *out, int depth, const char *name)
{
	buf_printf(out, "%*s<%s>\n", 2 * depth, "", name);
}

static void
close_element(struct buf *out, int depth, const char *name)
{
	buf_printf(out, "%*s</%s>\n", 2 * depth, "", name);
}

static const char *
or_nothing(const char *text)
{
	return text != NULL ? text : "";
}

static void
write_metadata(const struct dmarc_report *report, struct buf *out)
{
	open_element(out, 1, "report_metadata");
	put(out, 2, "org_name", or_nothing(report->organization));
	put(out, 2, "email", or_nothing(report->email));
	put(out, 2, "extra_contact_info", report->contact);
	put(out, 2, "report_id", report->id);
	open_element(out, 2, "date_range");
	buf_printf(out, "      <begin>%" PRId64 "</begin>\n", report->begin_s);
	buf_printf(out, "      <end>%" PRId64 "</end>\n", report->end_s);
	close_element(out, 2, "date_range");
	put(out, 2, "error", report->error);
	put(out, 2, "generator", report->generator);
	close_element(out, 1, "report_metadata");
}

static void
write_policy(const struct dmarc_report *report, struct buf *out)
{
	open_element(out, 1, "policy_published");
	put(out, 2, "domain", report->domain);
	put(out, 2, "discovery_method", report->discovery);
	put(out, 2, "p", report->p);
	put(out, 2, "sp", report->sp);
	put(out, 2, "np", report->np);
	put(out, 2, "fo", report->fo);
	put(out, 2, "adkim", report->adkim);
	put(out, 2, "aspf", report->aspf);
	put(out, 2, "testing", report->testing);
	close_element(out, 1, "policy_published");
}

static void
write_row(const struct report_record *record, struct buf *out)
{
	const struct report_reason *reason;
	char ip[IP_TEXT_SIZE];

	ip_format(&record->source, ip);
	open_element(out, 2, "row");
	put(out, 3, "source_ip", ip);
	buf_printf(out, "      <count>%" PRIu64 "</count>\n", record->count);
	open_element(out, 3, "policy_evaluated");
	put(out, 4, "disposition",
	    report_disposition_name(record->disposition));
	put(out, 4, "dkim", record->dkim_pass ? "pass" : "fail");
	put(out, 4, "spf", record->spf_pass ? "pass" : "fail");
	for (reason = record->reasons; reason != NULL; reason = reason->next) {
		open_element(out, 4, "reason");
		put(out, 5, "type", reason->type);
		put(out, 5, "comment", reason->comment);
		close_element(out, 4, "reason");
	}
	close_element(out, 3, "policy_evaluated");
	close_element(out, 2, "row");
}

static void
write_results(const struct report_record *record, struct buf *out)
{
	const struct report_signature *signature;

	open_element(out, 2, "auth_results");
	for (signature = record->signatures; signature != NULL;
	     signature = signature->next) {
		open_element(out, 3, "dkim");
		put(out, 4, "domain", or_nothing(signature->domain));
		put(out, 4, "selector", or_nothing(signature->selector));
		put(out, 4, "result", signature->result);
		put(out, 4, "human_result", signature->human_result);
		close_element(out, 3, "dkim");
	}
	if (record->spf_result != NULL) {
		open_element(out, 3, "spf");
		put(out, 4, "domain", or_nothing(record->spf_domain));
		put(out, 4, "scope", record->spf_scope);
		put(out, 4, "result", record->spf_result);
		put(out, 4, "human_result", record->spf_human);
		close_element(out, 3, "spf");
	}
	close_element(out, 2, "auth_results");
}

static void
write_record(const struct report_record *record, struct buf *out)
{
	open_element(out, 1, "record");
	write_row(record, out);
	open_element(out, 2, "identifiers");
	put(out, 3, "header_from", or_nothing(record->header_from));
	put(out, 3, "envelope_from", record->envelope_from);
	put(out, 3, "envelope_to", record->envelope_to);
	close_element(out, 2, "identifiers");
	write_results(record, out);
	close_element(out, 1, "record");
}

int
dmarc_report_write(const struct dmarc_report *report, struct buf *out)
{
	const struct report_record *record;

	buf_append_str(out,
	    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
	    "<feedback xmlns=\"" NAMESPACE "\">\n"
	    "  <version>1.0</version>\n");
	write_metadata(report, out);
	write_policy(report, out);
	for (record = report->records; record != NULL; record = record->next)
		write_record(record, out);
	close_element(out, 0, "feedback");
	return out->overflow ? -1 : 0;
}
