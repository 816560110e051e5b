/*
 * explain.c - why a mail was judged as it was, in sentences.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/str.h"
#include "webui/explain.h"
#include "webui/page_phrases.h"

#define TEXT_MAX 4000
#define NAME_SIZE 64

/* By the part of the record that says it: class.MAIN, sub.SUB, the names of
 * reasons, action.ACTION. */
static const struct {
	const char *name, *message;
} sentences[] = {
	/* the main class */
	{ "class.not-spam", N_("Nothing serious was found in this mail.") },
	{ "class.whitelisted",
	    N_("This mail comes from somebody whom a list "
	       "allows.") },
	{ "class.false-positive",
	    N_("A person said that this mail had been "
	       "held by mistake.") },
	{ "class.blacklisted", N_("Policy does not want this mail.") },
	{ "class.false-negative",
	    N_("A person said that this mail should "
	       "have been held.") },
	{ "class.phish",
	    N_("This mail may pretend to come from somebody who "
	       "did not send it.") },
	{ "class.virus", N_("This mail has malicious content.") },
	{ "class.spam", N_("This mail was taken for spam.") },
	{ "class.locked", N_("The mailbox does not accept mail.") },
	{ "class.greylist", N_("The sender was asked to try again later.") },
	{ "class.unsure", N_("This mail may be spam or not.") },
	{ "class.unknown", N_("This mail could not be judged.") },
	{ "class.error",
	    N_("Something went wrong here when this mail was "
	       "judged.") },
	/* the sub class, where no reason says more */
	{ "sub.content", N_("What it says spoke against it.") },
	{ "sub.classifier", N_("It is like other mail that was spam.") },
	{ "sub.spf", N_("The check of the sending server (SPF) decided.") },
	{ "sub.dkim", N_("The check of its signature (DKIM) decided.") },
	{ "sub.dmarc", N_("The check of its author (DMARC) decided.") },
	{ "sub.arc", N_("What forwarders say of it (ARC) decided.") },
	{ "sub.sender-list", N_("A row about its sender decided.") },
	{ "sub.recipient-list", N_("A row about its recipient decided.") },
	{ "sub.client-list", N_("A row about the sending server decided.") },
	{ "sub.condition", N_("A condition of the policy decided.") },
	{ "sub.size", N_("It is too large.") },
	{ "sub.limits", N_("It is over a ceiling of this system.") },
	{ "sub.malformed", N_("It is not built as mail has to be.") },
	{ "sub.local-part", N_("The name before the @ decided.") },
	{ "sub.attachment",
	    N_("It has an attachment that policy does not "
	       "want.") },
	{ "sub.archive",
	    N_("It has an archive that policy does not want, or "
	       "that cannot be looked into.") },
	{ "sub.link", N_("It has a link to a place known to be harmful.") },
	{ "sub.rate", N_("Too much mail came from there in a short time.") },
	{ "sub.unknown-user", N_("The domain has no such recipient.") },
	{ "sub.filter-off", N_("The filter is switched off.") },
	{ "sub.partial",
	    N_("It is a piece of a mail sent in pieces, which "
	       "cannot be checked.") },
	{ "sub.internal", N_("The fault is on our side.") },
	{ "sub.client", N_("The name of the sending server decided.") },
	/* reasons: limits */
	{ "limits.message",
	    N_("It is over a ceiling of this system: "
	       "{detail}.") },
	{ "limits.header-bytes",
	    N_("Its header is larger than this system "
	       "accepts.") },
	{ "limits.header-count",
	    N_("Its header has more fields than this "
	       "system accepts.") },
	{ "limits.malformed-header",
	    N_("Its header has a line that is no "
	       "header field.") },
	{ "limits.size",
	    N_("It is larger than this mailbox accepts: "
	       "{detail}.") },
	{ "limits.size-known",
	    N_("It has {size} bytes, and this mailbox "
	       "accepts {limit}.") },
	{ "filter.off", N_("The filter is switched off for this mailbox.") },
	/* reasons: From */
	{ "from.malformed",
	    N_("It does not say clearly who wrote it (From): "
	       "{detail}.") },
	{ "from.name-address",
	    N_("The name in From shows an address at "
	       "{detail}, which is not where the mail "
	       "says it comes from.") },
	{ "from.other-sender",
	    N_("The mail names a sender at {detail} beside its author, and "
	       "nothing proves that it comes from there.") },
	/* reasons: lists */
	{ "list.allow", N_("A row of an allow list fits: {detail}.") },
	{ "list.allow-sender",
	    N_("The sender is on an allow list: the row "
	       "{pattern}.") },
	{ "list.allow-recipient",
	    N_("The recipient is on an allow list: the "
	       "row {pattern}.") },
	{ "list.allow-client",
	    N_("The sending server is on an allow list: "
	       "the row {pattern}.") },
	{ "list.block", N_("A row of a block list fits: {detail}.") },
	{ "list.block-sender",
	    N_("The sender is on a block list: the row "
	       "{pattern}.") },
	{ "list.block-recipient",
	    N_("The recipient is on a block list: the "
	       "row {pattern}.") },
	{ "list.block-client",
	    N_("The sending server is on a block list: "
	       "the row {pattern}.") },
	{ "list.of-system", N_("That list is of the whole system.") },
	{ "list.of-domain", N_("That list is of the domain.") },
	{ "list.of-mailbox", N_("That list is of this mailbox.") },
	{ "list.allow-not-counted",
	    N_("An allow list has the sender, but "
	       "that did not count: nothing proves "
	       "that the mail is really from "
	       "there.") },
	/* reasons: DMARC */
	{ "dmarc.fail",
	    N_("The mail fails DMARC: nothing proves that it "
	       "comes from the domain in From.") },
	{ "dmarc.fail-none",
	    N_("The mail fails DMARC, but {domain} asks for "
	       "nothing to be done about that.") },
	{ "dmarc.fail-quarantine",
	    N_("The sender's domain {domain} asks "
	       "that mail which fails DMARC be held "
	       "back. This mail failed.") },
	{ "dmarc.fail-reject",
	    N_("The sender's domain {domain} asks that "
	       "mail which fails DMARC be rejected. This "
	       "mail failed.") },
	{ "dmarc.lifted-by-list",
	    N_("The mail fails DMARC, but an allow "
	       "list says that this does not "
	       "count.") },
	{ "dmarc.lifted-by-arc",
	    N_("The mail fails DMARC, but a forwarder "
	       "that is trusted here vouches for it "
	       "({sealer}).") },
	{ "arc.silent",
	    N_("A forwarder that is trusted here, {detail}, has sealed the "
	       "mail, but does not say that its author was authenticated.") },
	{ "dmarc.exempt",
	    N_("The mail fails DMARC, which does not count "
	       "here: an exception is made for {detail}.") },
	{ "dmarc.temperror",
	    N_("DMARC could not be checked: the DNS did not "
	       "answer.") },
	/* what DMARC stands on */
	{ "with.spf-pass",
	    N_("SPF: the server {ip} may send for {domain}, "
	       "but that is not the domain in From.") },
	{ "with.spf-fail",
	    N_("SPF failed: the server {ip} may not send for "
	       "{domain}.") },
	{ "with.spf-softfail",
	    N_("SPF: {domain} does not expect its mail to "
	       "come from the server {ip}.") },
	{ "with.spf-neutral",
	    N_("SPF: {domain} does not say whether the "
	       "server {ip} may send for it.") },
	{ "with.spf-none",
	    N_("SPF: {domain} does not say who may send for "
	       "it.") },
	{ "with.spf-policy", N_("SPF does not count here.") },
	{ "with.spf-temperror",
	    N_("SPF could not be checked: the DNS did "
	       "not answer.") },
	{ "with.spf-permerror",
	    N_("SPF: what {domain} publishes is "
	       "broken.") },
	{ "with.dkim-none", N_("DKIM: the mail is not signed.") },
	{ "with.dkim-pass",
	    N_("DKIM: the signature of {domain} is good, but "
	       "that is not the domain in From.") },
	{ "with.dkim-fail",
	    N_("DKIM: the signature of {domain} does not fit "
	       "the mail ({problem}).") },
	{ "with.dkim-neutral",
	    N_("DKIM: the signature of {domain} cannot be "
	       "read ({problem}).") },
	{ "with.dkim-policy",
	    N_("DKIM: the signature of {domain} does not "
	       "count here ({problem}).") },
	{ "with.dkim-temperror",
	    N_("DKIM: the key of {domain} could not be "
	       "fetched.") },
	{ "with.dkim-permerror",
	    N_("DKIM: the signature of {domain} cannot "
	       "be checked ({problem}).") },
	/* reasons: SPF, DKIM */
	{ "spf.fail",
	    N_("SPF failed: the server {ip} may not send for "
	       "{domain}.") },
	{ "spf.softfail",
	    N_("SPF: {domain} does not expect its mail to come "
	       "from the server {ip}.") },
	{ "spf.permerror", N_("SPF: what {domain} publishes is broken.") },
	{ "spf.temperror",
	    N_("SPF could not be checked: the DNS did not "
	       "answer.") },
	{ "spf.explanation",
	    N_("The domain {domain} itself says: “{explanation}”") },
	{ "helo.fail",
	    N_("The sending server {ip} calls itself {detail}, which says "
	       "that it is not.") },
	{ "iprev.fail",
	    N_("The address of the sending server, {ip}, has no name that "
	       "leads back to it.") },
	{ "client.exempt",
	    N_("What the sending server is called does not count here: an "
	       "exception is made for {detail}.") },
	{ "spf.exempt",
	    N_("SPF does not count here: an exception is made "
	       "for {detail}.") },
	{ "dkim.fail",
	    N_("DKIM: the mail is signed, but no signature holds "
	       "({detail}).") },
	{ "dkim.temperror",
	    N_("DKIM could not be checked: the DNS did not "
	       "answer.") },
	{ "dkim.exempt",
	    N_("DKIM does not count here: an exception is made "
	       "for {detail}.") },
	{ "dkim.replay",
	    N_("Very many mails have come under the same DKIM signature: it "
	       "may be one good mail, sent again and again.") },
	{ "other", N_("Also: {name} {detail}") },
	/* what follows */
	{ "score",
	    N_("Altogether it has {score} points. Here, mail is "
	       "unsure from {unsure} and spam from {spam}.") },
	{ "action.accept", N_("So it may pass.") },
	{ "action.tag", N_("So it may pass, with a mark in its subject.") },
	{ "action.quarantine", N_("So it is held until somebody decides.") },
	{ "action.quarantine-hidden",
	    N_("So it is held, and only an "
	       "administrator may release it.") },
	{ "action.reject", N_("So it is refused.") },
	{ "action.reject-held",
	    N_("It should be refused. As the same mail "
	       "also went to others, it is held "
	       "instead.") },
	{ "action.defer",
	    N_("So the sender was asked to try again "
	       "later.") },
	{ "action.discard", N_("So it is thrown away, as policy says.") },
};

#define SENTENCE_COUNT (sizeof(sentences) / sizeof(sentences[0]))

/* ---- sentences ---- */

static const char *
find_message(const char *name)
{
	size_t i;

	for (i = 0; i < SENTENCE_COUNT; i++)
		if (strcmp(sentences[i].name, name) == 0)
			return sentences[i].message;
	return NULL;
}

bool
explain_has(const char *name)
{
	return find_message(name) != NULL;
}

void
explain_each_message(void (*see)(void *context, const char *where,
			 const char *msgid, const char *plural),
    void *context)
{
	size_t i;

	for (i = 0; i < SENTENCE_COUNT; i++)
		see(context, sentences[i].name, sentences[i].message, NULL);
}

static void
append_value(struct buf *out, const json_t *value)
{
	if (json_is_string(value))
		buf_append(out, json_string_value(value),
		    json_string_length(value));
	else if (json_is_integer(value))
		buf_printf(out, "%lld", (long long)json_integer_value(value));
	else if (json_is_real(value))
		buf_printf(out, "%.6g", json_real_value(value));
}

/* What went wrong is said by checks, in English. */
static bool
is_error(const char *name)
{
	return strcmp(name, "problem") == 0 || strcmp(name, "detail") == 0;
}

/* The message with its holes filled; what has no value is left out. */
static void
fill(enum language language, const char *message, const json_t *values,
    struct buf *out)
{
	const json_t *value;
	struct cursor c = cursor_of(bytes_of(message)), at;
	char name[NAME_SIZE];
	struct bytes hole;

	while (!cursor_at_end(&c)) {
		buf_append_bytes(out, cursor_until(&c, "{"));
		at = c;
		if (!cursor_char(&at, '{'))
			continue;
		hole = cursor_until(&at, "}");
		if (!cursor_char(&at, '}') || hole.len >= sizeof(name)) {
			buf_append_char(out, *c.p++);
			continue;
		}
		memcpy(name, hole.data, hole.len);
		name[hole.len] = '\0';
		value = json_object_get(values, name);
		if (language != LANGUAGE_EN && is_error(name) &&
		    json_is_string(value))
			(void)phrase_translate(language,
			    json_string_value(value), out);
		else
			append_value(out, value);
		c = at;
	}
}

int
explain_text(enum language language, const json_t *sentence, struct buf *out)
{
	const char *message =
	    json_string_value(json_object_get(sentence, "template"));

	if (message != NULL)
		fill(language, i18n_text(language, message),
		    json_object_get(sentence, "values"), out);
	return out->overflow ? -1 : 0;
}

/* points: borrowed, or NULL. */
static bool
add(json_t *list, const char *name, json_t *take_values, json_t *points)
{
	const char *message = find_message(name);
	struct buf text;
	json_t *english;

	if (message == NULL) {
		json_decref(take_values);
		return false;
	}
	buf_init(&text, TEXT_MAX);
	fill(LANGUAGE_EN, message, take_values, &text);
	english = json_stringn(buf_str(&text), text.len);
	buf_free(&text);
	json_array_append_new(list,
	    json_pack("{s:s, s:s, s:o, s:o, s:o}", "name", name, "template",
		message, "values",
		take_values != NULL ? take_values : json_object(), "points",
		json_is_number(points) && json_number_value(points) != 0
		    ? json_incref(points)
		    : json_null(),
		"text", english != NULL ? english : json_string(message)));
	return true;
}

/* A name from a word for the part and what the record says there. */
static bool
add_named(json_t *list, const char *part, const char *word, json_t *take_values,
    json_t *points)
{
	char *name = xprintf("%s%s", part, word);
	bool added = add(list, name, take_values, points);

	free(name);
	return added;
}

/* ---- reading the record ---- */

static const json_t *
at(const json_t *record, const char *first, const char *second)
{
	return json_object_get(json_object_get(record, first), second);
}

static const char *
text_of(const json_t *value)
{
	const char *text = json_string_value(value);

	return text != NULL ? text : "";
}

static json_t *
copy_text(const json_t *value)
{
	return json_string(text_of(value));
}

/* ---- DMARC, and what it stands on ---- */

static json_t *
spf_values(const json_t *record)
{
	const json_t *spf = at(record, "results", "spf");

	return json_pack("{s:o, s:o}", "ip",
	    copy_text(at(record, "envelope", "client_ip")), "domain",
	    copy_text(json_object_get(spf, "domain")));
}

static bool
has_sentence(const json_t *list, const char *name)
{
	size_t i;

	for (i = 0; i < json_array_size(list); i++)
		if (strcmp(text_of(json_object_get(json_array_get(list, i),
			       "name")),
			name) == 0)
			return true;
	return false;
}

/* What the domain says of its own fail (exp=), once and as its words. */
static void
add_spf_explanation(json_t *list, const json_t *record)
{
	const json_t *spf = at(record, "results", "spf");
	const json_t *explanation = json_object_get(spf, "explanation");

	if (json_is_string(explanation) &&
	    !has_sentence(list, "spf.explanation"))
		add(list, "spf.explanation",
		    json_pack("{s:o, s:o}", "domain",
			copy_text(json_object_get(spf, "domain")),
			"explanation", copy_text(explanation)),
		    NULL);
}

static void
add_spf(json_t *list, const json_t *record)
{
	const json_t *spf = at(record, "results", "spf");

	if (json_is_object(spf))
		add_named(list, "with.spf-",
		    text_of(json_object_get(spf, "result")), spf_values(record),
		    NULL);
	add_spf_explanation(list, record);
}

/* A pass for something else than what a reader sees counts for nothing. */
static const char *
dkim_result(const json_t *signature)
{
	const char *result = text_of(json_object_get(signature, "result"));

	return strcmp(result, "pass") == 0 &&
		json_is_false(json_object_get(signature, "trusted"))
	    ? "policy"
	    : result;
}

/* The first signatures; a mail can have many. */
static void
add_dkim(json_t *list, const json_t *record)
{
	const json_t *signatures =
	    json_object_get(at(record, "results", "dkim"), "signatures");
	const json_t *signature;
	size_t i;

	if (json_array_size(signatures) == 0 &&
	    json_is_object(at(record, "results", "dkim")))
		add(list, "with.dkim-none", NULL, NULL);
	json_array_foreach(signatures, i, signature)
	{
		if (i == 3)
			break;
		add_named(list, "with.dkim-", dkim_result(signature),
		    json_pack("{s:o, s:o}", "domain",
			copy_text(json_object_get(signature, "domain")),
			"problem",
			copy_text(json_object_get(signature, "problem"))),
		    NULL);
	}
}

static void
add_dmarc_fail(json_t *list, const json_t *record, json_t *points)
{
	const json_t *dmarc = at(record, "results", "dmarc");
	const char *policy = text_of(json_object_get(dmarc, "policy"));
	const json_t *domain = json_object_get(dmarc, "policy_domain");

	if (!json_is_string(domain))
		domain = json_object_get(dmarc, "from_domain");
	if (!add_named(list, "dmarc.fail-", policy,
		json_pack("{s:o}", "domain", copy_text(domain)), points))
		add(list, "dmarc.fail", NULL, points);
	add_spf(list, record);
	add_dkim(list, record);
}

/* ---- reasons that say more ---- */

/* "mailbox sender block @x.example": level, side, kind, pattern. */
static void
add_row(json_t *list, const char *name, const char *detail, json_t *points)
{
	struct cursor c = cursor_of(bytes_of(detail));
	struct bytes level, side, pattern;
	char *which, *of;

	level = cursor_until(&c, " ");
	cursor_space(&c);
	side = cursor_until(&c, " ");
	cursor_space(&c);
	(void)cursor_until(&c, " ");
	cursor_space(&c);
	pattern = (struct bytes){ c.p, (size_t)(c.end - c.p) };
	which = xprintf("%s-%.*s", name, (int)side.len, side.data);
	of = xprintf("list.of-%.*s", (int)level.len, level.data);
	if (add(list, which,
		json_pack("{s:o}", "pattern",
		    json_stringn(pattern.data, pattern.len)),
		points))
		add(list, of, NULL, NULL);
	else
		add(list, name, json_pack("{s:s}", "detail", detail), points);
	free(which);
	free(of);
}

/* "123 bytes, limit 100" */
static void
add_size(json_t *list, const char *detail, json_t *points)
{
	struct cursor c = cursor_of(bytes_of(detail));
	uint64_t size, limit;

	if (cursor_u64(&c, INT64_MAX, &size) &&
	    cursor_literal(&c, " bytes, limit ") &&
	    cursor_u64(&c, INT64_MAX, &limit))
		add(list, "limits.size-known",
		    json_pack("{s:I, s:I}", "size", (json_int_t)size, "limit",
			(json_int_t)limit),
		    points);
	else
		add(list, "limits.size", json_pack("{s:s}", "detail", detail),
		    points);
}

static json_t *
reason_values(const json_t *record, const char *name, const char *detail)
{
	if (strncmp(name, "spf.", 4) == 0 && strcmp(name, "spf.exempt") != 0)
		return spf_values(record);
	if (strcmp(name, "helo.fail") == 0 || strcmp(name, "iprev.fail") == 0)
		return json_pack("{s:o, s:s}", "ip",
		    copy_text(at(record, "envelope", "client_ip")), "detail",
		    detail);
	if (strcmp(name, "dmarc.lifted-by-arc") == 0)
		return json_pack("{s:o}", "sealer",
		    copy_text(json_object_get(at(record, "results", "arc"),
			"sealer")));
	return json_pack("{s:s}", "detail", detail);
}

static void
add_reason(json_t *list, const json_t *record, const json_t *reason)
{
	const char *name = text_of(json_object_get(reason, "name"));
	const char *detail = text_of(json_object_get(reason, "detail"));
	json_t *points = json_object_get(reason, "points");

	if (strcmp(name, "dmarc.fail") == 0)
		add_dmarc_fail(list, record, points);
	else if (strcmp(name, "limits.size") == 0)
		add_size(list, detail, points);
	else if (strcmp(name, "list.allow") == 0 ||
	    strcmp(name, "list.block") == 0)
		add_row(list, name, detail, points);
	else if (strcmp(name, "limits.message") == 0 &&
	    add_named(list, "limits.", detail, NULL, points))
		return;
	else if (!add(list, name, reason_values(record, name, detail), points))
		add(list, "other",
		    json_pack("{s:s, s:s}", "name", name, "detail", detail),
		    points);
	if (strcmp(name, "spf.fail") == 0)
		add_spf_explanation(list, record);
}

/* ---- the whole ---- */

static void
add_outcome(json_t *list, const json_t *record, bool held)
{
	const json_t *thresholds = json_object_get(record, "thresholds");
	const char *action = text_of(json_object_get(record, "action"));

	if (json_is_object(thresholds) &&
	    strcmp(text_of(json_object_get(record, "decided_by")), "score") ==
		0)
		add(list, "score",
		    json_pack("{s:O?, s:O?, s:O?}", "score",
			json_object_get(record, "score"), "unsure",
			json_object_get(thresholds, "unsure"), "spam",
			json_object_get(thresholds, "spam")),
		    NULL);
	if (held && strcmp(action, "reject") == 0)
		add(list, "action.reject-held", NULL, NULL);
	else
		add_named(list, "action.", action, NULL, NULL);
}

json_t *
explain_record(const json_t *record, bool held)
{
	json_t *list = json_array();
	const json_t *reasons, *reason;
	size_t i;

	if (!json_is_object(record))
		return list;
	reasons = json_object_get(record, "reasons");
	add_named(list, "class.", text_of(at(record, "class", "main")), NULL,
	    NULL);
	json_array_foreach(reasons, i, reason) add_reason(list, record, reason);
	if (json_array_size(reasons) == 0)
		add_named(list, "sub.", text_of(at(record, "class", "sub")),
		    NULL, NULL);
	add_outcome(list, record, held);
	return list;
}
