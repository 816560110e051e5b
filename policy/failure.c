/*
 * failure.c - a DMARC failure report: when, and what it says.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stddef.h>
#include <string.h>

#include "base/str.h"
#include "base/ulid.h"
#include "base/utf8.h"
#include "mail/message.h"
#include "policy/auth.h"
#include "policy/failure.h"
#include "policy/key_record.h"
#include "policy/report_message.h"
#include "policy/scan.h"
#include "policy/signature.h"

#define RESULTS_MAX ((size_t)64 * 1024)
#define TEXT_MAX ((size_t)4096)

/* ---- fo= ---- */

struct options {
	bool all, any, dkim, spf; /* 0, 1, d, s */
};

/* Unknown words are left out; nothing that is known counts as "0". */
static struct options
read_options(const char *fo)
{
	struct options options = { false, false, false, false };
	const struct {
		const char *word;
		bool *option;
	} words[] = {
		{ "0", &options.all },
		{ "1", &options.any },
		{ "d", &options.dkim },
		{ "s", &options.spf },
	};
	struct cursor c = cursor_of(bytes_of(fo != NULL ? fo : ""));
	struct bytes word;
	bool known = false;
	size_t i;

	do {
		word = bytes_trim(cursor_until(&c, ":"));
		for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
			if (bytes_equal_nocase(word, bytes_of(words[i].word)))
				*words[i].option = known = true;
	} while (cursor_char(&c, ':'));
	if (!known || options.all) {
		options.all = true;
		options.any = false;
	}
	return options;
}

static bool
has_failed(const struct auth_dkim_signature *signature)
{
	switch (signature->result) {
	case AUTH_NONE:
	case AUTH_TEMPERROR:
		return false;
	case AUTH_PASS:
		return !signature->trusted;
	default:
		return true;
	}
}

static bool
spf_has_failed(const struct auth_spf_identity *spf)
{
	return spf->checked && spf->domain != NULL && spf->domain[0] != '\0' &&
	    (spf->result == AUTH_FAIL || spf->result == AUTH_SOFTFAIL ||
		spf->result == AUTH_PERMERROR);
}

/* The signature to speak of: one that could have been aligned; or, if any
 * will do, the first that failed.  NULL: none. */
static const struct auth_dkim_signature *
failed_signature(const struct auth *auth, bool any)
{
	const struct auth_dkim_signature *first = NULL, *s;
	const char *organization = auth->dmarc.organizational_domain;
	size_t i;

	for (i = 0; i < auth->dkim.count; i++) {
		s = &auth->dkim.signatures[i];
		if (!has_failed(s) || s->domain == NULL)
			continue;
		if (organization != NULL &&
		    domain_is_within(s->domain, organization))
			return s;
		if (first == NULL)
			first = s;
	}
	return any ? first : NULL;
}

enum failure_kind
failure_wanted(const struct auth *auth)
{
	const struct auth_dmarc *dmarc = &auth->dmarc;
	const struct options wants = read_options(dmarc->fo);

	if (dmarc->ruf == NULL || dmarc->policy_domain == NULL || dmarc->psd ||
	    (dmarc->result != AUTH_FAIL && dmarc->result != AUTH_PASS))
		return FAILURE_NONE;
	if (wants.all && dmarc->result == AUTH_FAIL)
		return FAILURE_DMARC;
	if (wants.any && (!dmarc->dkim_aligned || !dmarc->spf_aligned))
		return FAILURE_DMARC;
	if (wants.dkim && failed_signature(auth, true) != NULL)
		return FAILURE_DKIM;
	if (wants.spf && spf_has_failed(&auth->spf.mailfrom))
		return FAILURE_SPF;
	return FAILURE_NONE;
}

/* ---- answers ---- */

static bool
begins_with_word(struct bytes text, const char *word)
{
	struct cursor c = cursor_of(bytes_trim(text));

	return cursor_literal(&c, word) &&
	    (cursor_at_end(&c) || !ascii_is_alnum(*c.p));
}

bool
failure_is_answer(const struct envelope *envelope, const struct header *header)
{
	static const char *const types[] = { "multipart/report",
		"message/feedback-report", "message/delivery-status" };
	const struct header_field *field;
	struct arena *arena;
	bool is;
	size_t i;

	if (address_is_null(&envelope->sender))
		return true;
	arena = arena_new(0);
	field = header_find(header, "Auto-Submitted", 0);
	is = field != NULL && !begins_with_word(field->value, "no");
	field = header_find(header, "Content-Type", 0);
	for (i = 0; field != NULL && i < sizeof(types) / sizeof(types[0]); i++)
		is |= begins_with_word(field->value, types[i]);
	field = header_find(header, "Subject", 0);
	if (field != NULL)
		is |= report_subject_is(header_field_text(arena, field).data);
	arena_free(arena);
	return is;
}

/* ---- what it says ---- */

/* Auth-Failure (RFC 6591 section 3.3, RFC 9991 section 4). */
static const char *
what_failed(enum failure_kind kind, const struct auth_dkim_signature *s)
{
	if (kind == FAILURE_SPF)
		return "spf";
	if (kind != FAILURE_DKIM || s == NULL)
		return "dmarc";
	if (s->problem != NULL && strcmp(s->problem, BODY_HASH_PROBLEM) == 0)
		return "bodyhash";
	if (s->problem != NULL && strcmp(s->problem, KEY_REVOKED_PROBLEM) == 0)
		return "revoked";
	return "signature";
}

/* Identity-Alignment: those that failed (RFC 9991 section 4). */
static const char *
alignment_of(const struct auth_dmarc *dmarc)
{
	if (!dmarc->dkim_aligned && !dmarc->spf_aligned)
		return "dkim, spf";
	if (!dmarc->dkim_aligned)
		return "dkim";
	return dmarc->spf_aligned ? "none" : "spf";
}

static const char *
or_nothing(const char *text)
{
	return text != NULL ? text : "";
}

static const char *
results_of(const struct redaction *redaction, const struct scan *scan)
{
	struct header_field field = { .name = BYTES_LIT("") };
	const char *text;
	struct buf buf;

	buf_init(&buf, RESULTS_MAX);
	scan_authres(scan, &buf);
	field.value = buf_bytes(&buf);
	text =
	    redact_tags(redaction, header_field_text(redaction->arena, &field));
	buf_free(&buf);
	return text;
}

static void
describe_signature(const struct redaction *redaction,
    const struct auth_dkim_signature *s, struct failure *failure)
{
	const char *identity = s->identity;

	if (identity == NULL)
		identity = arena_printf(redaction->arena, "@%s", s->domain);
	failure->dkim_domain = s->domain;
	failure->dkim_selector = or_nothing(s->selector);
	failure->dkim_identity = redact_text(redaction, bytes_of(identity));
}

/* SPF has asked for the record: the answer is there. */
static void
describe_spf(struct arena *arena, const struct scan *scan,
    struct failure *failure)
{
	const char *domain = scan->auth.spf.mailfrom.domain;
	const struct dns_answer *answer;
	struct cursor c;
	size_t i;

	if (domain == NULL || domain[0] == '\0')
		return;
	failure->spf_domain = domain;
	answer = dns_ask(scan->dns, domain, DNS_TXT);
	for (i = 0; answer != NULL && i < answer->count; i++) {
		c = cursor_of(answer->records[i].text);
		if (!cursor_literal(&c, "v=spf1") ||
		    (!cursor_at_end(&c) && *c.p != ' '))
			continue;
		failure->spf_record = arena_memdup(arena,
		    answer->records[i].text.data, answer->records[i].text.len);
		return;
	}
}

static size_t
recipient_locals(struct arena *arena, const struct envelope *envelope,
    const char ***locals)
{
	size_t i;

	*locals = arena_calloc(arena, envelope->recipient_count + 1,
	    sizeof(**locals));
	for (i = 0; i < envelope->recipient_count; i++)
		(*locals)[i] = envelope->recipients[i].address.local;
	return envelope->recipient_count;
}

/* Without the header that the mail had: which of theirs it was. */
static void
keep_least(struct redacted_header *header)
{
	static const char *const names[] = { "Date", "From", "Message-ID" };
	size_t i, k, n = 0;

	for (i = 0; i < header->count; i++)
		for (k = 0; k < sizeof(names) / sizeof(names[0]); k++)
			if (strcmp(header->fields[i].name, names[k]) == 0)
				header->fields[n++] = header->fields[i];
	header->left_out += header->count - n;
	header->count = n;
}

static void
describe_mail(const struct redaction *redaction, const struct scan *scan,
    const struct failure_context *context, struct failure *failure)
{
	const struct envelope *envelope = scan->envelope;
	char ip[IP_TEXT_SIZE] = "";
	size_t i;

	if (envelope->client.ip.family != IP_NONE)
		ip_format(&envelope->client.ip, ip);
	failure->source_ip = arena_strdup(redaction->arena, ip);
	failure->mail_from = redact_address(redaction, &envelope->sender);
	for (i = 0; i < envelope->recipient_count &&
	     failure->recipient_count < FAILURE_RECIPIENTS_MAX;
	     i++)
		failure->recipients[failure->recipient_count++] =
		    redact_address(redaction, &envelope->recipients[i].address);
	redact_header(redaction, &scan->message->header, FAILURE_HEADER_MAX,
	    &failure->header);
	if (!context->with_header ||
	    envelope->recipient_count > FAILURE_LOCALS_MAX)
		keep_least(&failure->header);
}

void
failure_describe(struct arena *arena, const struct scan *scan,
    const struct failure_context *context, struct failure *failure)
{
	const struct auth_dmarc *dmarc = &scan->auth.dmarc;
	const struct auth_dkim_signature *s =
	    failed_signature(&scan->auth, context->kind == FAILURE_DKIM);
	struct redaction redaction = { .arena = arena,
		.key = context->key,
		.keep = dmarc->organizational_domain };
	const char **locals;

	memset(failure, 0, sizeof(*failure));
	redaction.local_count =
	    recipient_locals(arena, scan->envelope, &locals);
	redaction.locals = locals;
	if (redaction.local_count > FAILURE_LOCALS_MAX)
		redaction.local_count = FAILURE_LOCALS_MAX;
	failure->id = scan->envelope->id;
	failure->arrival_ms = scan->envelope->received_ms;
	failure->what = what_failed(context->kind, s);
	failure->policy_domain = dmarc->policy_domain;
	failure->from_domain = or_nothing(dmarc->from_domain);
	failure->ruf = dmarc->ruf;
	failure->authserv_id = scan->authserv_id;
	failure->results = results_of(&redaction, scan);
	failure->alignment = alignment_of(dmarc);
	failure->delivery = context->delivery;
	failure->dkim_domain = failure->dkim_identity = failure->dkim_selector =
	    failure->spf_domain = failure->spf_record = "";
	if (s != NULL)
		describe_signature(&redaction, s, failure);
	if (spf_has_failed(&scan->auth.spf.mailfrom) ||
	    scan->auth.spf.mailfrom.result == AUTH_NEUTRAL)
		describe_spf(arena, scan, failure);
	describe_mail(&redaction, scan, context, failure);
}

/* ---- JSON ---- */

#define TEXT(name_)                                                            \
	{                                                                      \
#name_, offsetof(struct failure, name_)                        \
	}

static const struct {
	const char *name;
	size_t offset;
} texts[] = {
	TEXT(id),
	TEXT(what),
	TEXT(policy_domain),
	TEXT(from_domain),
	TEXT(ruf),
	TEXT(authserv_id),
	TEXT(results),
	TEXT(alignment),
	TEXT(delivery),
	TEXT(source_ip),
	TEXT(mail_from),
	TEXT(dkim_domain),
	TEXT(dkim_identity),
	TEXT(dkim_selector),
	TEXT(spf_domain),
	TEXT(spf_record),
};

/* A JSON string from bytes of any kind. */
static json_t *
json_text(const char *text)
{
	json_t *json = json_string(text);
	struct buf buf;

	if (json != NULL)
		return json;
	buf_init(&buf, 3 * strlen(text) + 1);
	(void)utf8_append_clean(&buf, bytes_of(text));
	json = json_string(buf_str(&buf));
	buf_free(&buf);
	return json;
}

json_t *
failure_to_json(const struct failure *failure)
{
	json_t *json = json_object(), *list = json_array();
	const char *text;
	size_t i;

	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		memcpy(&text, (const char *)failure + texts[i].offset,
		    sizeof(text));
		json_object_set_new(json, texts[i].name, json_text(text));
	}
	json_object_set_new(json, "arrival", json_integer(failure->arrival_ms));
	for (i = 0; i < failure->recipient_count; i++)
		json_array_append_new(list, json_text(failure->recipients[i]));
	json_object_set_new(json, "rcpt_to", list);
	list = json_array();
	for (i = 0; i < failure->header.count; i++)
		json_array_append_new(list,
		    json_pack("[s, o]", failure->header.fields[i].name,
			json_text(failure->header.fields[i].value)));
	json_object_set_new(json, "header", list);
	json_object_set_new(json, "left_out",
	    json_integer((json_int_t)failure->header.left_out));
	return json;
}

static const char *
text_at(struct arena *arena, const json_t *json)
{
	const char *text = json_string_value(json);

	return arena_strdup(arena, text != NULL ? text : "");
}

static void
read_lists(struct arena *arena, const json_t *json, struct failure *failure)
{
	const json_t *item;
	size_t i;

	json_array_foreach(json_object_get(json, "rcpt_to"), i, item)
	{
		if (failure->recipient_count < FAILURE_RECIPIENTS_MAX)
			failure->recipients[failure->recipient_count++] =
			    text_at(arena, item);
	}
	json_array_foreach(json_object_get(json, "header"), i, item)
	{
		if (failure->header.count < REDACT_FIELDS_MAX)
			failure->header.fields[failure->header.count++] =
			    (struct redacted_field){
				    text_at(arena, json_array_get(item, 0)),
				    text_at(arena, json_array_get(item, 1))
			    };
	}
}

/* Does what is read name a mail, domains and a client? */
static bool
makes_sense(struct arena *arena, struct failure *failure)
{
	struct ip ip;

	return ulid_is_valid(bytes_of(failure->id)) &&
	    domain_normalize(arena, bytes_of(failure->policy_domain),
		&failure->policy_domain, NULL) == 0 &&
	    domain_normalize(arena, bytes_of(failure->from_domain),
		&failure->from_domain, NULL) == 0 &&
	    ip_parse(bytes_of(failure->source_ip), &ip) == 0;
}

int
failure_from_json(struct arena *arena, struct bytes text,
    struct failure *failure, struct err *err)
{
	json_t *json = text.len <= FAILURE_TEXT_MAX
	    ? json_loadb(text.data, text.len, 0, NULL)
	    : NULL;
	struct failure read = { .recipient_count = 0 };
	json_int_t left_out;
	const char *value;
	size_t i;

	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		value = text_at(arena, json_object_get(json, texts[i].name));
		memcpy((char *)&read + texts[i].offset, &value, sizeof(value));
	}
	read.arrival_ms = json_integer_value(json_object_get(json, "arrival"));
	left_out = json_integer_value(json_object_get(json, "left_out"));
	read.header.left_out = left_out > 0 ? (size_t)left_out : 0;
	read_lists(arena, json, &read);
	json_decref(json);
	if (!makes_sense(arena, &read))
		return err_set(err, ERR_INPUT,
		    "a description of a failure that makes no sense");
	*failure = read;
	return 0;
}

const char *
failure_condition(struct arena *arena, const struct failure *failure)
{
	return arena_printf(arena, "%s %s %s %s %s %s %s %s",
	    failure->policy_domain, failure->from_domain, failure->source_ip,
	    failure->what, failure->alignment, failure->dkim_domain,
	    failure->dkim_selector, failure->spf_domain);
}
