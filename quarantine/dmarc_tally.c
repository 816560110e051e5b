/*
 * dmarc_tally.c - what a day's mail says to the owners of its domains.
 *
 * The history has a row for each mailbox; the ids of one message's rows
 * stand beside each other and begin with its time, so reading by id gives
 * whole messages of exactly one day.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "base/strmap.h"
#include "base/ulid.h"
#include "mail/address.h"
#include "policy/report_message.h"
#include "quarantine/dmarc_tally.h"
#include "quarantine/history_impl.h"

#define DAY_MS (86400 * (int64_t)1000)
#define ROW_KEY_MAX 65536

struct domain {
	struct dmarc_tally_domain public;
	struct strmap rows; /* key to struct report_record */
	struct report_record **end;
};

struct dmarc_tally {
	struct arena *arena;
	int64_t day_s;
	const char *only_domain;
	struct strmap domains;
	struct domain **sorted;
	size_t rows; /* of all domains */
	uint64_t left_out;
	struct buf key;
};

/* One message, as far as it has been read. */
struct message_rows {
	char id[ULID_LEN + 1];
	json_t *record; /* of the mailbox with the strictest disposition */
	enum report_disposition disposition;
	const char *status; /* in the arena of the message */
	bool counts;
};

/* ---- reading a decision record ---- */

static const char *
text_at(const json_t *object, const char *name)
{
	return json_string_value(json_object_get(object, name));
}

static bool
is_text(const json_t *object, const char *name, const char *want)
{
	const char *text = text_at(object, name);

	return text != NULL && strcmp(text, want) == 0;
}

static const json_t *
result_of(const json_t *record, const char *check)
{
	return json_object_get(json_object_get(record, "results"), check);
}

static bool
has_reason(const json_t *record, const char *name)
{
	const json_t *reason;
	size_t i;

	json_array_foreach(json_object_get(record, "reasons"), i, reason)
	{
		if (is_text(reason, "name", name))
			return true;
	}
	return false;
}

/* What was done, in the words of RFC 9990. */
static enum report_disposition
disposition_of(const json_t *record, const char *status)
{
	const json_t *dmarc = result_of(record, "dmarc");

	if (is_text(dmarc, "result", "pass"))
		return is_text(dmarc, "policy", "none") ? DISPOSITION_NONE
							: DISPOSITION_PASS;
	if (!is_text(record, "decided_by", "dmarc"))
		return DISPOSITION_NONE;
	if (strcmp(status, "rejected") == 0 || strcmp(status, "discarded") == 0)
		return DISPOSITION_REJECT;
	if (strcmp(status, "quarantined") == 0)
		return DISPOSITION_QUARANTINE;
	return DISPOSITION_NONE;
}

/* ---- why the policy was not followed ---- */

struct why {
	const char *type, *comment;
};

static struct why
explain(const json_t *record, const char *status)
{
	static const struct {
		const char *reason;
		struct why why;
	} reasons[] = {
		{ "dmarc.lifted-by-list",
		    { "local_policy", "an allow list of the recipient" } },
		{ "dmarc.lifted-by-arc",
		    { "trusted_forwarder", "arc=pass of a trusted sealer" } },
		{ "dmarc.exempt", { "local_policy", "an exempt sender" } },
		{ "dmarc.temperror",
		    { "other", "a temporary error of the DNS" } },
	};
	static const char *const before[] = { "list", "limits", "locked",
		"system" };
	size_t i;

	for (i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		if (has_reason(record, reasons[i].reason))
			return reasons[i].why;
	if (is_text(record, "decided_by", "dmarc"))
		return strcmp(status, "accepted") == 0
		    ? (struct why){ "local_policy", "accepted" }
		    : (struct why){ "local_policy",
			      "another action than asked for" };
	/* Lists, limits and the like go before DMARC. */
	for (i = 0; i < sizeof(before) / sizeof(before[0]); i++)
		if (is_text(record, "decided_by", before[i]))
			return (struct why){ "local_policy",
				"decided before DMARC was applied" };
	return (struct why){ "local_policy",
		"DMARC is not applied for the recipient" };
}

/* The reason that a record must have (RFC 9990, "policy_evaluated"). */
static struct why
reason_of(const json_t *record, const char *status,
    enum report_disposition disposition)
{
	const json_t *dmarc = result_of(record, "dmarc");
	const char *published = text_at(dmarc, "published");
	const char *policy = text_at(dmarc, "policy");
	const char *done = report_disposition_name(disposition);

	if (is_text(dmarc, "result", "pass") || published == NULL ||
	    policy == NULL || strcmp(published, done) == 0)
		return (struct why){ NULL, NULL };
	/* t=y, and just that. */
	if (json_is_true(json_object_get(dmarc, "testing")) &&
	    strcmp(policy, done) == 0)
		return (struct why){ "policy_test_mode", NULL };
	return explain(record, status);
}

/* ---- rows ---- */

/* A name that may stand in a report: A-labels; NULL: none. */
static const char *
clean_domain(struct arena *arena, const char *text)
{
	const char *domain;

	if (text == NULL || text[0] == '\0' || text[0] == '[' ||
	    domain_normalize(arena, bytes_of(text), &domain, NULL) < 0)
		return NULL;
	return domain;
}

static const char *
copy(struct arena *arena, const char *text)
{
	return text != NULL ? arena_strdup(arena, text) : NULL;
}

/* RFC 9990, "DKIM Signatures in Aggregate Reports": which go first. */
static unsigned
signature_rank(const json_t *dmarc, const json_t *signature)
{
	const char *domain = text_at(signature, "domain");
	const char *from = text_at(dmarc, "from_domain");
	const char *organization = text_at(dmarc, "organizational_domain");

	if (!is_text(signature, "result", "pass"))
		return 3;
	if (from != NULL && strcmp(domain, from) == 0)
		return 0;
	return organization != NULL && domain_is_within(domain, organization)
	    ? 1
	    : 2;
}

static void
add_signature(struct arena *arena, struct report_record *row,
    const json_t *signature)
{
	struct report_signature **end = &row->signatures;

	while (*end != NULL)
		end = &(*end)->next;
	*end = arena_calloc(arena, 1, sizeof(**end));
	(*end)->domain = copy(arena, text_at(signature, "domain"));
	(*end)->selector = copy(arena, text_at(signature, "selector"));
	(*end)->result = copy(arena, text_at(signature, "result"));
	row->signature_count++;
}

static void
add_signatures(struct arena *arena, struct report_record *row,
    const json_t *record)
{
	const json_t *list =
	    json_object_get(result_of(record, "dkim"), "signatures");
	const json_t *dmarc = result_of(record, "dmarc"), *signature;
	unsigned rank;
	size_t i;

	for (rank = 0; rank <= 3; rank++)
		json_array_foreach(list, i, signature)
		{
			if (text_at(signature, "domain") != NULL &&
			    text_at(signature, "selector") != NULL &&
			    row->signature_count < REPORT_SIGNATURES_MAX &&
			    signature_rank(dmarc, signature) == rank)
				add_signature(arena, row, signature);
		}
}

/* The MAIL FROM domain; "" for the null sender. */
static const char *
envelope_domain(struct arena *arena, const json_t *record)
{
	const char *sender =
	    text_at(json_object_get(record, "envelope"), "sender");
	const char *at;

	if (sender == NULL)
		return NULL;
	if (sender[0] == '\0')
		return "";
	at = strrchr(sender, '@');
	return at != NULL ? clean_domain(arena, at + 1) : NULL;
}

static void
make_row(struct arena *arena, const struct message_rows *message,
    struct report_record *row)
{
	const json_t *record = message->record;
	const json_t *dmarc = result_of(record, "dmarc");
	const json_t *spf = result_of(record, "spf");
	const char *ip =
	    text_at(json_object_get(record, "envelope"), "client_ip");
	struct why why =
	    reason_of(record, message->status, message->disposition);

	memset(row, 0, sizeof(*row));
	row->count = 1;
	if (ip == NULL || ip_parse(bytes_of(ip), &row->source) < 0)
		row->source.family = IP_NONE;
	row->disposition = message->disposition;
	row->dkim_pass = json_is_true(json_object_get(dmarc, "dkim_aligned"));
	row->spf_pass = json_is_true(json_object_get(dmarc, "spf_aligned"));
	if (why.type != NULL) {
		row->reasons = arena_calloc(arena, 1, sizeof(*row->reasons));
		row->reasons->type = why.type;
		row->reasons->comment = why.comment;
		row->reason_count = 1;
	}
	row->header_from = clean_domain(arena, text_at(dmarc, "from_domain"));
	row->envelope_from = envelope_domain(arena, record);
	add_signatures(arena, row, record);
	row->spf_domain = clean_domain(arena, text_at(spf, "domain"));
	if (row->spf_domain != NULL) {
		row->spf_scope = "mfrom";
		row->spf_result = copy(arena, text_at(spf, "result"));
	}
}

/* All that tells rows apart. */
static struct bytes
row_key(struct dmarc_tally *tally, const struct report_record *row)
{
	const struct report_signature *s;
	struct buf *key = &tally->key;
	char ip[IP_TEXT_SIZE];

	buf_reset(key);
	ip_format(&row->source, ip);
	buf_printf(key, "%s %d%d%d %s %s %s|%s|%s|%s", ip,
	    (int)row->disposition, row->dkim_pass, row->spf_pass,
	    row->header_from, row->spf_domain != NULL ? row->spf_domain : "",
	    row->spf_result != NULL ? row->spf_result : "",
	    row->envelope_from != NULL ? row->envelope_from : "-",
	    row->reasons != NULL ? row->reasons->type : "",
	    row->reasons != NULL && row->reasons->comment != NULL
		? row->reasons->comment
		: "");
	for (s = row->signatures; s != NULL; s = s->next)
		buf_printf(key, "|%s %s %s", s->domain, s->selector, s->result);
	return buf_bytes(key);
}

/* ---- domains ---- */

static struct domain *
find_domain(struct dmarc_tally *tally, const char *name)
{
	void **place;
	struct domain *domain = strmap_get(&tally->domains, bytes_of(name));

	if (domain != NULL || tally->domains.count == TALLY_DOMAINS_MAX)
		return domain;
	domain = arena_calloc(tally->arena, 1, sizeof(*domain));
	domain->public.report.domain = arena_strdup(tally->arena, name);
	domain->public.report.begin_s = tally->day_s;
	domain->public.report.end_s = tally->day_s + 86399;
	domain->public.report.discovery = "treewalk";
	strmap_init(&domain->rows);
	domain->end = &domain->public.report.records;
	place =
	    strmap_put(&tally->domains, bytes_of(domain->public.report.domain));
	*place = domain;
	return domain;
}

/* Keeps a text that most often is the one that is kept already. */
static void
keep(struct dmarc_tally *tally, const char **kept, const char *text)
{
	if (text != NULL && (*kept == NULL || strcmp(*kept, text) != 0))
		*kept = arena_strdup(tally->arena, text);
}

/* Of several configurations in a day the last counts. */
static void
note_policy(struct dmarc_tally *tally, struct domain *domain,
    const json_t *dmarc)
{
	const json_t *record = json_object_get(dmarc, "record");
	struct dmarc_report *report = &domain->public.report;

	keep(tally, &domain->public.rua, text_at(record, "rua"));
	keep(tally, &report->p, text_at(record, "p"));
	keep(tally, &report->sp, text_at(record, "sp"));
	keep(tally, &report->np, text_at(record, "np"));
	keep(tally, &report->fo, text_at(record, "fo"));
	report->adkim =
	    json_is_true(json_object_get(record, "strict_dkim")) ? "s" : "r";
	report->aspf =
	    json_is_true(json_object_get(record, "strict_spf")) ? "s" : "r";
	report->testing =
	    json_is_true(json_object_get(dmarc, "testing")) ? "y" : "n";
}

static void
count_row(struct dmarc_tally *tally, struct domain *domain,
    const struct message_rows *message, const struct report_record *made)
{
	struct bytes key = row_key(tally, made);
	struct report_record *row = strmap_get(&domain->rows, key);

	domain->public.messages++;
	if (row != NULL) {
		row->count++;
		return;
	}
	if (domain->rows.count == TALLY_ROWS_MAX ||
	    tally->rows == TALLY_ROWS_ALL_MAX || tally->key.overflow) {
		domain->public.left_out++;
		return;
	}
	/* The one that was made goes with its message. */
	row = arena_alloc(tally->arena, sizeof(*row));
	make_row(tally->arena, message, row);
	*domain->end = row;
	domain->end = &row->next;
	domain->public.report.record_count++;
	tally->rows++;
	key.data = arena_memdup(tally->arena, key.data, key.len);
	*strmap_put(&domain->rows, key) = row;
}

/* ---- messages ---- */

static void
count_message(struct dmarc_tally *tally, const struct message_rows *message)
{
	const json_t *dmarc = result_of(message->record, "dmarc");
	const char *name = text_at(dmarc, "policy_domain");
	struct arena *scratch;
	struct report_record row;
	struct domain *domain;

	if (name == NULL ||
	    (tally->only_domain != NULL &&
		strcmp(tally->only_domain, name) != 0))
		return;
	domain = find_domain(tally, name);
	if (domain == NULL) {
		tally->left_out++;
		return;
	}
	scratch = arena_new(0);
	make_row(scratch, message, &row);
	if (row.source.family != IP_NONE && row.header_from != NULL) {
		note_policy(tally, domain, dmarc);
		count_row(tally, domain, message, &row);
	}
	arena_free(scratch);
}

static void
end_message(struct dmarc_tally *tally, struct message_rows *message)
{
	if (message->counts)
		count_message(tally, message);
	json_decref(message->record);
	memset(message, 0, sizeof(*message));
}

/* The statuses that there are, so that a message may keep one. */
static const char *
known_status(const char *status)
{
	static const char *const words[] = { "accepted", "quarantined",
		"rejected", "discarded", "deferred" };
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(words[i], status) == 0)
			return words[i];
	return "accepted";
}

static const char *
column_text(sqlite3_stmt *stmt, int i)
{
	const char *text = (const char *)sqlite3_column_text(stmt, i);

	return text != NULL ? text : "";
}

static void
take_row(struct dmarc_tally *tally, struct history *history, sqlite3_stmt *stmt,
    struct message_rows *message)
{
	const char *id = column_text(stmt, 0);
	const char *status = known_status(column_text(stmt, 2));
	struct bytes packed;
	enum report_disposition disposition;
	json_t *record;

	if (strlen(id) < ULID_LEN)
		return;
	if (memcmp(message->id, id, ULID_LEN) != 0) {
		end_message(tally, message);
		memcpy(message->id, id, ULID_LEN);
	}
	if (report_subject_is(column_text(stmt, 1)) ||
	    strcmp(status, "deferred") == 0)
		return;
	packed.data = sqlite3_column_blob(stmt, 3);
	packed.len = (size_t)sqlite3_column_bytes(stmt, 3);
	record = history_unpack_record(history->packer, packed);
	if (!json_is_object(
		json_object_get(result_of(record, "dmarc"), "record"))) {
		json_decref(record);
		return;
	}
	disposition = disposition_of(record, status);
	if (message->counts && disposition <= message->disposition) {
		json_decref(record);
		return;
	}
	json_decref(message->record);
	message->record = record;
	message->disposition = disposition;
	message->status = status;
	message->counts = true;
}

static int
read_day(struct dmarc_tally *tally, struct history *history, struct err *err)
{
	const struct ulid from = ulid_first(tally->day_s * 1000);
	const struct ulid to = ulid_first(tally->day_s * 1000 + DAY_MS);
	struct message_rows message = { .id = "" };
	sqlite3_stmt *stmt;
	int rc;

	stmt = history_prepare(history,
	    "SELECT mail.id, mail.subject, mail.first_status, record.record "
	    "FROM mail JOIN record ON record.key = mail.key "
	    "WHERE mail.id >= :from AND mail.id < :to "
	    "AND mail.direction = 'inbound' ORDER BY mail.id",
	    err);
	if (stmt == NULL)
		return -1;
	history_bind_text(stmt, ":from", from.text);
	history_bind_text(stmt, ":to", to.text);
	while ((rc = history_step(history, stmt, err)) > 0)
		take_row(tally, history, stmt, &message);
	end_message(tally, &message);
	sqlite3_finalize(stmt);
	return rc;
}

/* ---- the result ---- */

static int
compare_domains(const void *a, const void *b)
{
	const struct domain *const *one = a, *const *two = b;

	return strcmp((*one)->public.report.domain,
	    (*two)->public.report.domain);
}

static void
finish(struct dmarc_tally *tally)
{
	const struct strmap_slot *slot;
	struct domain *domain;
	size_t pos = 0, n = 0;

	tally->sorted = arena_calloc(tally->arena, tally->domains.count + 1,
	    sizeof(tally->sorted[0]));
	while ((slot = strmap_next(&tally->domains, &pos)) != NULL) {
		domain = slot->value;
		tally->sorted[n++] = domain;
		if (domain->public.left_out > 0)
			domain->public.report.error = arena_printf(tally->arena,
			    "%" PRIu64 " of %" PRIu64
			    " messages are not listed, there were too many "
			    "different ones",
			    domain->public.left_out, domain->public.messages);
	}
	qsort(tally->sorted, n, sizeof(tally->sorted[0]), compare_domains);
}

struct dmarc_tally *
dmarc_tally_read(struct history *history, int64_t day_s,
    const char *only_domain, struct err *err)
{
	struct dmarc_tally *tally = xcalloc(1, sizeof(*tally));

	tally->arena = arena_new(0);
	tally->day_s = day_s;
	tally->only_domain = only_domain;
	strmap_init(&tally->domains);
	buf_init(&tally->key, ROW_KEY_MAX);
	if (read_day(tally, history, err) < 0) {
		dmarc_tally_free(tally);
		return NULL;
	}
	finish(tally);
	return tally;
}

void
dmarc_tally_free(struct dmarc_tally *tally)
{
	const struct strmap_slot *slot;
	size_t pos = 0;

	if (tally == NULL)
		return;
	while ((slot = strmap_next(&tally->domains, &pos)) != NULL)
		strmap_free(&((struct domain *)slot->value)->rows);
	strmap_free(&tally->domains);
	buf_free(&tally->key);
	arena_free(tally->arena);
	free(tally);
}

size_t
dmarc_tally_count(const struct dmarc_tally *tally)
{
	return tally->domains.count;
}

const struct dmarc_tally_domain *
dmarc_tally_at(const struct dmarc_tally *tally, size_t i)
{
	return &tally->sorted[i]->public;
}

uint64_t
dmarc_tally_left_out(const struct dmarc_tally *tally)
{
	return tally->left_out;
}
