/*
 * dmarc_report_read.c - an aggregate report, read by libexpat.
 *
 * One table says which element may stand in which, and what becomes of its
 * text.  Elements that are not in it are passed over whole.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <inttypes.h>
#include <stddef.h>
#include <string.h>

#include <expat.h>

#include "base/str.h"
#include "base/utf8.h"
#include "mail/address.h"
#include "policy/dmarc_report.h"

/* Between a name and its namespace, as we ask libexpat for it. */
#define SEPARATOR '|'
#define WORD_MAX 64
/* libexpat is fed in pieces, as its lengths are ints. */
#define PIECE (1024UL * 1024)

enum element_id {
	NOWHERE, /* outside the root */
	FEEDBACK,
	METADATA,
	DATE_RANGE,
	POLICY,
	RECORD,
	ROW,
	EVALUATED,
	REASON,
	IDENTIFIERS,
	RESULTS,
	DKIM,
	SPF,
	TEXT /* only text in it, wherever it stands */
};

struct reader {
	XML_Parser parser;
	struct arena *arena;
	struct dmarc_report *report;
	struct report_record **end; /* of the list */
	struct report_record *record;
	struct report_reason *reason;
	struct report_signature *signature;
	const struct element *stack[REPORT_DEPTH_MAX];
	size_t depth;      /* elements that are open */
	size_t skipped;    /* of these the innermost, passed over */
	const char *space; /* the root's namespace; "" for none */
	struct buf text;
	bool has_policy, has_begin, has_end, has_id;
	bool has_source, has_count, has_dkim, has_spf;
	bool failed;
	struct err *err;
};

/* Text that fits no field: what is wrong with it, or NULL. */
typedef const char *take_text(struct reader *reader, const char *text);

struct element {
	enum element_id in;
	const char *name;
	enum element_id id;
	/* of TEXT: where it goes, or who takes it */
	enum {
		TO_REPORT,
		TO_RECORD,
		TO_REASON,
		TO_SIGNATURE,
		TO_FUNCTION
	} to;
	size_t offset;
	bool is_word; /* short, and brought into small letters */
	take_text *take;
};

/* ---- errors ---- */

static void fail(struct reader *reader, enum err_kind kind, const char *fmt,
    ...) __attribute__((format(printf, 3, 4)));

static void
fail(struct reader *reader, enum err_kind kind, const char *fmt, ...)
{
	unsigned long line = XML_GetCurrentLineNumber(reader->parser);
	const char *text;
	va_list ap;

	if (reader->failed)
		return;
	reader->failed = true;
	va_start(ap, fmt);
	text = arena_vprintf(reader->arena, fmt, ap);
	va_end(ap);
	err_set(reader->err, kind, "line %lu: %s", line, text);
	XML_StopParser(reader->parser, XML_FALSE);
}

/* ---- texts that are more than text ---- */

static const char *
take_begin(struct reader *reader, const char *text)
{
	uint64_t n;

	if (parse_u64(bytes_of(text), 0, INT64_MAX / 1000, &n) < 0)
		return "is no time";
	reader->report->begin_s = (int64_t)n;
	reader->has_begin = true;
	return NULL;
}

static const char *
take_end(struct reader *reader, const char *text)
{
	uint64_t n;

	if (parse_u64(bytes_of(text), 0, INT64_MAX / 1000, &n) < 0)
		return "is no time";
	reader->report->end_s = (int64_t)n;
	reader->has_end = true;
	return NULL;
}

static const char *
take_id(struct reader *reader, const char *text)
{
	if (*text == '\0')
		return "is empty";
	reader->report->id = arena_strdup(reader->arena, text);
	reader->has_id = true;
	return NULL;
}

static const char *
take_domain(struct reader *reader, const char *text)
{
	if (domain_normalize(reader->arena, bytes_of(text),
		&reader->report->domain, NULL) < 0)
		return "is no domain";
	reader->has_policy = true;
	return NULL;
}

static const char *
take_source(struct reader *reader, const char *text)
{
	if (ip_parse(bytes_of(text), &reader->record->source) < 0)
		return "is no IP address";
	reader->has_source = true;
	return NULL;
}

static const char *
take_count(struct reader *reader, const char *text)
{
	if (parse_u64(bytes_of(text), 0, REPORT_COUNT_MAX,
		&reader->record->count) < 0)
		return "is no number of messages";
	reader->has_count = true;
	return NULL;
}

static const char *
take_disposition(struct reader *reader, const char *text)
{
	int disposition = report_disposition_parse(text);

	/* Of RFC 7489's drafts; they meant that nothing was done. */
	if (*text == '\0')
		disposition = DISPOSITION_NONE;
	if (disposition < 0)
		return "is none of none, pass, quarantine, reject";
	reader->record->disposition = (enum report_disposition)disposition;
	return NULL;
}

static const char *
read_verdict(const char *text, bool *pass)
{
	*pass = strcmp(text, "pass") == 0;
	return *pass || strcmp(text, "fail") == 0 ? NULL
						  : "is neither pass nor fail";
}

static const char *
take_dkim(struct reader *reader, const char *text)
{
	reader->has_dkim = true;
	return read_verdict(text, &reader->record->dkim_pass);
}

static const char *
take_spf(struct reader *reader, const char *text)
{
	reader->has_spf = true;
	return read_verdict(text, &reader->record->spf_pass);
}

/* ---- the table ---- */

#define IN_REPORT(field) TO_REPORT, offsetof(struct dmarc_report, field)
#define IN_RECORD(field) TO_RECORD, offsetof(struct report_record, field)
#define IN_REASON(field) TO_REASON, offsetof(struct report_reason, field)
#define IN_SIGNATURE(field)                                                    \
	TO_SIGNATURE, offsetof(struct report_signature, field)
#define BY(function) TO_FUNCTION, 0, true, function
#define BY_TEXT(function) TO_FUNCTION, 0, false, function

/* clang-format off */
static const struct element elements[] = {
	{ NOWHERE, "feedback", FEEDBACK, 0, 0, false, NULL },
	{ FEEDBACK, "report_metadata", METADATA, 0, 0, false, NULL },
	{ METADATA, "org_name", TEXT, IN_REPORT(organization), false, NULL },
	{ METADATA, "email", TEXT, IN_REPORT(email), false, NULL },
	{ METADATA, "extra_contact_info", TEXT, IN_REPORT(contact),
	    false, NULL },
	{ METADATA, "report_id", TEXT, BY_TEXT(take_id) },
	{ METADATA, "error", TEXT, IN_REPORT(error), false, NULL },
	{ METADATA, "generator", TEXT, IN_REPORT(generator), false, NULL },
	{ METADATA, "date_range", DATE_RANGE, 0, 0, false, NULL },
	{ DATE_RANGE, "begin", TEXT, BY(take_begin) },
	{ DATE_RANGE, "end", TEXT, BY(take_end) },
	{ FEEDBACK, "policy_published", POLICY, 0, 0, false, NULL },
	{ POLICY, "domain", TEXT, BY(take_domain) },
	{ POLICY, "p", TEXT, IN_REPORT(p), true, NULL },
	{ POLICY, "sp", TEXT, IN_REPORT(sp), true, NULL },
	{ POLICY, "np", TEXT, IN_REPORT(np), true, NULL },
	{ POLICY, "adkim", TEXT, IN_REPORT(adkim), true, NULL },
	{ POLICY, "aspf", TEXT, IN_REPORT(aspf), true, NULL },
	{ POLICY, "fo", TEXT, IN_REPORT(fo), true, NULL },
	{ POLICY, "pct", TEXT, IN_REPORT(pct), true, NULL },
	{ POLICY, "testing", TEXT, IN_REPORT(testing), true, NULL },
	{ POLICY, "discovery_method", TEXT, IN_REPORT(discovery), true, NULL },
	{ FEEDBACK, "record", RECORD, 0, 0, false, NULL },
	{ RECORD, "row", ROW, 0, 0, false, NULL },
	{ ROW, "source_ip", TEXT, BY(take_source) },
	{ ROW, "count", TEXT, BY(take_count) },
	{ ROW, "policy_evaluated", EVALUATED, 0, 0, false, NULL },
	{ EVALUATED, "disposition", TEXT, BY(take_disposition) },
	{ EVALUATED, "dkim", TEXT, BY(take_dkim) },
	{ EVALUATED, "spf", TEXT, BY(take_spf) },
	{ EVALUATED, "reason", REASON, 0, 0, false, NULL },
	{ REASON, "type", TEXT, IN_REASON(type), true, NULL },
	{ REASON, "comment", TEXT, IN_REASON(comment), false, NULL },
	{ RECORD, "identifiers", IDENTIFIERS, 0, 0, false, NULL },
	/* of a draft */
	{ RECORD, "identities", IDENTIFIERS, 0, 0, false, NULL },
	{ IDENTIFIERS, "header_from", TEXT, IN_RECORD(header_from),
	    false, NULL },
	{ IDENTIFIERS, "envelope_from", TEXT, IN_RECORD(envelope_from),
	    false, NULL },
	{ IDENTIFIERS, "envelope_to", TEXT, IN_RECORD(envelope_to),
	    false, NULL },
	{ RECORD, "auth_results", RESULTS, 0, 0, false, NULL },
	{ RESULTS, "dkim", DKIM, 0, 0, false, NULL },
	{ DKIM, "domain", TEXT, IN_SIGNATURE(domain), false, NULL },
	{ DKIM, "selector", TEXT, IN_SIGNATURE(selector), false, NULL },
	{ DKIM, "result", TEXT, IN_SIGNATURE(result), true, NULL },
	{ DKIM, "human_result", TEXT, IN_SIGNATURE(human_result),
	    false, NULL },
	{ RESULTS, "spf", SPF, 0, 0, false, NULL },
	{ SPF, "domain", TEXT, IN_RECORD(spf_domain), false, NULL },
	{ SPF, "scope", TEXT, IN_RECORD(spf_scope), true, NULL },
	{ SPF, "result", TEXT, IN_RECORD(spf_result), true, NULL },
	{ SPF, "human_result", TEXT, IN_RECORD(spf_human), false, NULL },
};
/* clang-format on */

static const struct element *
find_element(enum element_id in, const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(elements) / sizeof(elements[0]); i++)
		if (elements[i].in == in && strcmp(elements[i].name, name) == 0)
			return &elements[i];
	return NULL;
}

/* ---- elements that are more than a name ---- */

static void
begin_record(struct reader *reader)
{
	if (reader->report->record_count == REPORT_RECORDS_MAX) {
		fail(reader, ERR_LIMIT, "more than %d records",
		    REPORT_RECORDS_MAX);
		return;
	}
	reader->report->record_count++;
	reader->record =
	    arena_calloc(reader->arena, 1, sizeof(*reader->record));
	*reader->end = reader->record;
	reader->end = &reader->record->next;
	reader->has_source = reader->has_count = false;
	reader->has_dkim = reader->has_spf = false;
}

/* Beyond the ceiling they are read and forgotten. */
static void
begin_reason(struct reader *reader)
{
	struct report_record *record = reader->record;
	struct report_reason **end = &record->reasons;

	reader->reason =
	    arena_calloc(reader->arena, 1, sizeof(*reader->reason));
	if (record->reason_count == REPORT_REASONS_MAX)
		return;
	record->reason_count++;
	while (*end != NULL)
		end = &(*end)->next;
	*end = reader->reason;
}

static void
begin_signature(struct reader *reader)
{
	struct report_record *record = reader->record;
	struct report_signature **end = &record->signatures;

	reader->signature =
	    arena_calloc(reader->arena, 1, sizeof(*reader->signature));
	if (record->signature_count == REPORT_SIGNATURES_MAX)
		return;
	record->signature_count++;
	while (*end != NULL)
		end = &(*end)->next;
	*end = reader->signature;
}

static void
end_record(struct reader *reader)
{
	if (!reader->has_source)
		fail(reader, ERR_INPUT, "a record without source_ip");
	else if (!reader->has_count)
		fail(reader, ERR_INPUT, "a record without count");
	else if (!reader->has_dkim || !reader->has_spf)
		fail(reader, ERR_INPUT,
		    "a record without policy_evaluated dkim and spf");
	else if (reader->record->header_from == NULL)
		fail(reader, ERR_INPUT, "a record without header_from");
}

static const char **
field_of(struct reader *reader, const struct element *element)
{
	char *object = NULL;

	switch (element->to) {
	case TO_REPORT:
		object = (char *)reader->report;
		break;
	case TO_RECORD:
		object = (char *)reader->record;
		break;
	case TO_REASON:
		object = (char *)reader->reason;
		break;
	case TO_SIGNATURE:
		object = (char *)reader->signature;
		break;
	case TO_FUNCTION:
		return NULL;
	}
	return (const char **)(void *)(object + element->offset);
}

/* One line without control characters, as pages and logs want it. */
static char *
clean_text(struct reader *reader)
{
	struct buf clean;
	char *copy;
	size_t i;

	for (i = 0; i < reader->text.len; i++)
		if (ascii_is_space(reader->text.data[i]))
			reader->text.data[i] = ' ';
	buf_init(&clean, 3 * REPORT_TEXT_MAX);
	(void)utf8_append_clean(&clean, bytes_trim(buf_bytes(&reader->text)));
	copy = arena_memdup(reader->arena, buf_str(&clean), clean.len);
	buf_free(&clean);
	return copy;
}

static void
end_text(struct reader *reader, const struct element *element)
{
	char *copy = clean_text(reader);
	const char **field, *problem = NULL;

	if (element->is_word && strlen(copy) > WORD_MAX + DOMAIN_MAX) {
		fail(reader, ERR_INPUT, "%s is too long", element->name);
		return;
	}
	if (element->is_word)
		ascii_lowercase(copy);
	field = field_of(reader, element);
	if (field == NULL)
		problem = element->take(reader, copy);
	else if (*field == NULL)
		*field = copy; /* of several the first counts */
	if (problem != NULL)
		fail(reader, ERR_INPUT, "%s: '%.*s' %s", element->name,
		    WORD_MAX, copy, problem);
}

/* ---- libexpat's callbacks ---- */

/* The name without its namespace; NULL: of another one than the root's. */
static const char *
local_name(struct reader *reader, const char *name)
{
	const char *mark = strrchr(name, SEPARATOR);
	size_t len = mark != NULL ? (size_t)(mark - name) : 0;

	if (reader->space == NULL)
		reader->space = arena_memdup(reader->arena, name, len);
	/* Many forget the namespace, or put it at some elements only. */
	if (len > 0 &&
	    (strlen(reader->space) != len ||
		strncmp(reader->space, name, len) != 0))
		return NULL;
	return mark != NULL ? mark + 1 : name;
}

static void
on_begin(void *context, const char *name, const char **attributes)
{
	struct reader *reader = context;
	enum element_id in =
	    reader->depth == 0 ? NOWHERE : reader->stack[reader->depth - 1]->id;
	const struct element *element = NULL;
	const char *local;

	(void)attributes;
	if (reader->failed)
		return;
	if (reader->depth + reader->skipped == REPORT_DEPTH_MAX) {
		fail(reader, ERR_LIMIT, "elements are nested too deep");
		return;
	}
	local = local_name(reader, name);
	if (reader->skipped == 0 && local != NULL)
		element = find_element(in, local);
	if (element == NULL && in == NOWHERE && reader->skipped == 0) {
		fail(reader, ERR_INPUT,
		    "this is no aggregate report: it begins with <%.*s>",
		    WORD_MAX, local != NULL ? local : name);
		return;
	}
	if (element == NULL) {
		reader->skipped++;
		return;
	}
	reader->stack[reader->depth++] = element;
	buf_reset(&reader->text);
	if (element->id == RECORD)
		begin_record(reader);
	else if (element->id == REASON)
		begin_reason(reader);
	else if (element->id == DKIM)
		begin_signature(reader);
}

static void
on_end(void *context, const char *name)
{
	struct reader *reader = context;
	const struct element *element;

	(void)name;
	if (reader->failed)
		return;
	if (reader->skipped > 0) {
		reader->skipped--;
		return;
	}
	element = reader->stack[--reader->depth];
	if (element->id == TEXT)
		end_text(reader, element);
	else if (element->id == RECORD)
		end_record(reader);
}

static void
on_text(void *context, const char *text, int len)
{
	struct reader *reader = context;

	if (reader->failed || reader->skipped > 0 || reader->depth == 0 ||
	    reader->stack[reader->depth - 1]->id != TEXT)
		return;
	if (buf_append(&reader->text, text, (size_t)len) < 0)
		fail(reader, ERR_LIMIT, "%s is longer than %d octets",
		    reader->stack[reader->depth - 1]->name, REPORT_TEXT_MAX);
}

/* Before anything in it is looked at: no entity is ever declared. */
static void
on_doctype(void *context, const char *name, const char *system,
    const char *public, int has_subset)
{
	(void)name;
	(void)system;
	(void)public;
	(void)has_subset;
	fail(context, ERR_INPUT, "a document type is not allowed");
}

/* ---- all of it ---- */

static int
parse(struct reader *reader, struct bytes xml)
{
	size_t piece;

	do {
		piece = xml.len < PIECE ? xml.len : PIECE;
		if (XML_Parse(reader->parser, xml.data, (int)piece,
			piece == xml.len) == XML_STATUS_ERROR) {
			fail(reader, ERR_INPUT, "%s",
			    XML_ErrorString(XML_GetErrorCode(reader->parser)));
			return -1;
		}
		xml.data += piece;
		xml.len -= piece;
	} while (xml.len > 0);
	return reader->failed ? -1 : 0;
}

static int
check_whole(const struct reader *reader, struct err *err)
{
	const struct dmarc_report *report = reader->report;

	if (!reader->has_policy)
		return err_set(err, ERR_INPUT, "there is no policy domain");
	if (!reader->has_id)
		return err_set(err, ERR_INPUT, "there is no report_id");
	if (!reader->has_begin || !reader->has_end)
		return err_set(err, ERR_INPUT, "there is no date_range");
	if (report->begin_s > report->end_s)
		return err_set(err, ERR_INPUT,
		    "the period ends before it "
		    "begins");
	if (report->record_count == 0)
		return err_set(err, ERR_INPUT, "there is no record");
	return 0;
}

int
dmarc_report_read(struct arena *arena, struct bytes xml,
    struct dmarc_report *report, struct err *err)
{
	struct reader reader = { .arena = arena, .report = report, .err = err };
	int rc;

	if (xml.len > REPORT_XML_MAX)
		return err_set(err, ERR_LIMIT, "more than %lu octets of XML",
		    REPORT_XML_MAX);
	if (xml.len == 0)
		return err_set(err, ERR_INPUT, "it is empty");
	memset(report, 0, sizeof(*report));
	reader.end = &report->records;
	reader.parser = XML_ParserCreateNS(NULL, SEPARATOR);
	if (reader.parser == NULL)
		return err_set(err, ERR_TEMP, "memory ran out");
	buf_init(&reader.text, REPORT_TEXT_MAX);
	XML_SetUserData(reader.parser, &reader);
	XML_SetElementHandler(reader.parser, on_begin, on_end);
	XML_SetCharacterDataHandler(reader.parser, on_text);
	XML_SetStartDoctypeDeclHandler(reader.parser, on_doctype);
	rc = parse(&reader, xml);
	if (rc == 0)
		rc = check_whole(&reader, err);
	XML_ParserFree(reader.parser);
	buf_free(&reader.text);
	return rc;
}
