/*
 * page_words.c - words of models, as people read them.
 *
 * A word that is not here is shown as it is; tests see to it that those of
 * classes, statuses, actions, roles, options and reasons are complete.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <string.h>

#include "base/i18n.h"
#include "webui/page_words.h"

static const struct page_word main_classes[] = {
	{ "not-spam", N_("Not spam"), "good" },
	{ "whitelisted", N_("Allow-listed"), "good" },
	{ "false-positive", N_("False positive"), "info" },
	{ "blacklisted", N_("Block-listed"), "bad" },
	{ "false-negative", N_("False negative"), "warn" },
	{ "phish", N_("Phishing"), "bad" },
	{ "virus", N_("Virus"), "bad" },
	{ "spam", N_("Spam"), "bad" },
	{ "locked", N_("Locked"), "warn" },
	{ "greylist", N_("Greylisted"), "info" },
	{ "unsure", N_("Unsure"), "warn" },
	{ "unknown", N_("Unknown"), NULL },
	{ "error", N_("Error"), "warn" },
	{ NULL, NULL, NULL },
};

static const struct page_word sub_classes[] = {
	{ "content", N_("Content"), NULL },
	{ "classifier", N_("Classifier"), NULL },
	{ "spf", N_("SPF"), NULL },
	{ "dkim", N_("DKIM"), NULL },
	{ "dmarc", N_("DMARC"), NULL },
	{ "arc", N_("ARC"), NULL },
	{ "sender-list", N_("Sender list"), NULL },
	{ "recipient-list", N_("Recipient list"), NULL },
	{ "client-list", N_("Client list"), NULL },
	{ "condition", N_("Condition"), NULL },
	{ "size", N_("Size"), NULL },
	{ "limits", N_("Limits"), NULL },
	{ "malformed", N_("Malformed"), NULL },
	{ "local-part", N_("Local part"), NULL },
	{ "attachment", N_("Attachment"), NULL },
	{ "archive", N_("Archive"), NULL },
	{ "link", N_("Link"), NULL },
	{ "rate", N_("Rate"), NULL },
	{ "unknown-user", N_("Unknown user"), NULL },
	{ "filter-off", N_("Filter off"), NULL },
	{ "partial", N_("Partial"), NULL },
	{ "internal", N_("Internal"), NULL },
	{ "client", N_("Sending server"), NULL },
	{ NULL, NULL, NULL },
};

static const struct page_word statuses[] = {
	{ "accepted", N_("Accepted"), "good" },
	{ "quarantined", N_("Quarantined"), "warn" },
	{ "rejected", N_("Rejected"), "bad" },
	{ "deferred", N_("Deferred"), "info" },
	{ "discarded", N_("Discarded"), "bad" },
	{ "released", N_("Released"), "good" },
	{ "auto-released", N_("Released automatically"), "good" },
	{ "removed", N_("Removed"), NULL },
	{ "expired", N_("Expired"), NULL },
	{ "delivered", N_("Delivered"), "good" },
	{ "delayed", N_("Delayed"), "warn" },
	{ "bounced", N_("Bounced"), "bad" },
	{ NULL, NULL, NULL },
};

/* Of held mail. */
static const struct page_word states[] = {
	{ "held", N_("Held"), "warn" },
	{ "to-deliver", N_("To be delivered"), "info" },
	{ "releasing", N_("Being released"), "info" },
	{ "released", N_("Released"), "good" },
	{ "refused", N_("Delivery refused"), "bad" },
	{ "unknown", N_("Outcome not known"), "bad" },
	{ "removed", N_("Removed"), NULL },
	{ NULL, NULL, NULL },
};

static const struct page_word actions[] = {
	{ "accept", N_("Accept"), "good" },
	{ "tag", N_("Mark the subject"), "info" },
	{ "quarantine", N_("Hold in quarantine"), "warn" },
	{ "quarantine-hidden", N_("Hold, only admins may release"), "warn" },
	{ "reject", N_("Reject"), "bad" },
	{ "defer", N_("Defer"), "info" },
	{ "discard", N_("Discard"), "bad" },
	{ NULL, NULL, NULL },
};

static const struct page_word roles[] = {
	{ "operator", N_("Operator"), NULL },
	{ "postmaster", N_("Postmaster"), NULL },
	{ "domain-admin", N_("Domain admin"), NULL },
	{ "releaser", N_("Releaser"), NULL },
	{ "mail-user", N_("Mail user"), NULL },
	{ NULL, NULL, NULL },
};

static const struct page_word sides[] = {
	{ "sender", N_("Sender"), NULL },
	{ "recipient", N_("Recipient"), NULL },
	{ "client", N_("Client IP address"), NULL },
	{ NULL, NULL, NULL },
};

static const struct page_word kinds[] = {
	{ "allow", N_("Allow"), "good" },
	{ "block", N_("Block"), "bad" },
	{ NULL, NULL, NULL },
};

static const struct page_word levels[] = {
	{ "default", N_("Default"), NULL },
	{ "system", N_("System"), NULL },
	{ "domain", N_("Domain"), NULL },
	{ "mailbox", N_("Mailbox"), NULL },
	{ NULL, NULL, NULL },
};

static const struct page_word directions[] = {
	{ "inbound", N_("Inbound"), NULL },
	{ "outbound", N_("Outbound"), NULL },
	{ NULL, NULL, NULL },
};

/* Results of authentication, RFC 8601. */
static const struct page_word results[] = {
	{ "none", N_("none"), NULL },
	{ "pass", N_("pass"), "good" },
	{ "fail", N_("fail"), "bad" },
	{ "softfail", N_("softfail"), "warn" },
	{ "neutral", N_("neutral"), NULL },
	{ "policy", N_("not counted by policy"), "warn" },
	{ "temperror", N_("temporary error"), "info" },
	{ "permerror", N_("permanent error"), "warn" },
	{ NULL, NULL, NULL },
};

/* Why: each is a sentence; the detail stands behind it. */
static const struct page_word reasons[] = {
	{ "limits.message", N_("The message is over a ceiling of this system."),
	    "bad" },
	{ "limits.size", N_("The message is larger than the size limit."),
	    "bad" },
	{ "filter.off", N_("The filter is off for this mailbox."), "info" },
	{ "from.malformed",
	    N_("The message has no readable From header, or more than one."),
	    "bad" },
	{ "dkim.replay",
	    N_("Very many mails have come under the same DKIM signature: it "
	       "may be one good mail, sent again and again."),
	    "warn" },
	{ "from.name-address",
	    N_("The name in From shows an address of a domain that is not "
	       "the sender's."),
	    "warn" },
	{ "from.other-sender",
	    N_("The message names a sender beside its author, of a domain "
	       "that nothing proves."),
	    "warn" },
	{ "list.allow", N_("A row of an allow list matches."), "good" },
	{ "list.block", N_("A row of a block list matches."), "bad" },
	{ "list.allow-not-counted",
	    N_("A row of an allow list would match, but the sender is not "
	       "authenticated: anybody could have written this address."),
	    "info" },
	{ "dmarc.fail",
	    N_("DMARC failed: the domain in From does not confirm that it "
	       "sent this mail."),
	    "bad" },
	{ "dmarc.lifted-by-list",
	    N_("DMARC failed, but a row of an allow list says that this does "
	       "not count."),
	    "info" },
	{ "dmarc.lifted-by-arc",
	    N_("DMARC failed, but a forwarder that you trust vouches for the "
	       "mail (ARC)."),
	    "info" },
	{ "arc.silent",
	    N_("A forwarder that you trust sealed the mail, but does not say "
	       "that its author was authenticated (ARC)."),
	    "info" },
	{ "dmarc.temperror",
	    N_("DMARC could not be asked: the DNS did not answer."), "info" },
	{ "spf.temperror",
	    N_("SPF could not be asked: the DNS did not answer."), "info" },
	{ "dkim.temperror",
	    N_("DKIM keys could not be fetched: the DNS did not answer."),
	    "info" },
	{ "spf.fail",
	    N_("SPF failed: the sender's domain does not allow this client to "
	       "send for it."),
	    "bad" },
	{ "spf.softfail",
	    N_("SPF softfail: the client is probably not allowed to send for "
	       "this domain."),
	    "warn" },
	{ "spf.permerror", N_("The SPF record of the sender is broken."),
	    "warn" },
	{ "dkim.fail",
	    N_("The message is signed, but no DKIM signature is "
	       "valid."),
	    "warn" },
	{ "helo.fail",
	    N_("The client calls itself by a name whose SPF record excludes "
	       "it."),
	    "warn" },
	{ "iprev.fail",
	    N_("The client's address has no name that leads back to it."),
	    "warn" },
	{ "dmarc.exempt",
	    N_("DMARC failed, which does not count for this client or "
	       "domain."),
	    "info" },
	{ "spf.exempt",
	    N_("SPF failed, which does not count for this client or domain."),
	    "info" },
	{ "dkim.exempt",
	    N_("DKIM failed, which does not count for this client or domain."),
	    "info" },
	{ "client.exempt", N_("The client's names do not count: it is exempt."),
	    "info" },
	{ NULL, NULL, NULL },
};

/* The step that decided. */
static const struct page_word deciders[] = {
	{ "limits", N_("Limits"), NULL },
	{ "filter-off", N_("Filter off"), NULL },
	{ "outbound", N_("Outbound mail"), NULL },
	{ "list", N_("Allow and block lists"), NULL },
	{ "dmarc", N_("DMARC"), NULL },
	{ "spf", N_("SPF"), NULL },
	{ "dkim", N_("DKIM"), NULL },
	{ "score", N_("Score"), NULL },
	{ "locked", N_("Locked mailbox"), NULL },
	{ "system", N_("System"), NULL },
	{ NULL, NULL, NULL },
};

static const struct page_word audit_actions[] = {
	{ "domain.add", N_("Domain added"), NULL },
	{ "domain.remove", N_("Domain removed"), NULL },
	{ "option.set", N_("Settings changed"), NULL },
	{ "list.add", N_("List row added"), NULL },
	{ "list.remove", N_("List row removed"), NULL },
	{ "routes.set", N_("Routes changed"), NULL },
	{ "recipient.add", N_("Recipient added"), NULL },
	{ "recipient.remove", N_("Recipient removed"), NULL },
	{ "alias.add", N_("Alias added"), NULL },
	{ "alias.remove", N_("Alias removed"), NULL },
	{ "lists.import", N_("Lists imported"), NULL },
	{ "recipients.import", N_("Recipients imported"), NULL },
	{ "aliases.import", N_("Aliases imported"), NULL },
	{ "routes.import", N_("Routes imported"), NULL },
	{ "domains.import", N_("Domains imported"), NULL },
	{ "user.add", N_("User added"), NULL },
	{ "user.set", N_("User changed"), NULL },
	{ "user.remove", N_("User removed"), NULL },
	{ "user.password", N_("Password changed"), NULL },
	{ NULL, NULL, NULL },
};

/* Fields of the audit, but for options and rows of lists. */
static const struct page_word fields[] = {
	{ "made", N_("Creation"), NULL },
	{ "routes", N_("Routes"), NULL },
	{ "recipient", N_("Recipient"), NULL },
	{ "alias", N_("Alias"), NULL },
	{ "alias_domain", N_("Alias of the whole domain"), NULL },
	{ "role", N_("Role"), NULL },
	{ "domains", N_("Domains"), NULL },
	{ "mailbox", N_("Mailbox"), NULL },
	{ "language", N_("Language"), NULL },
	{ "disabled", N_("Disabled"), NULL },
	{ "password", N_("Password"), NULL },
	{ "must_change", N_("Password must be changed"), NULL },
	{ NULL, NULL, NULL },
};

/* Kinds of errors: the heading of their page. */
static const struct page_word errors[] = {
	{ "input", N_("Something in this is not right"), "warn" },
	{ "sign-in", N_("Please sign in"), "info" },
	{ "forbidden", N_("This is not for you"), "warn" },
	{ "not-found", N_("There is nothing here"), "info" },
	{ "method", N_("Not in this way"), "warn" },
	{ "conflict", N_("This cannot be done as things are"), "warn" },
	{ "limit", N_("This is too much"), "warn" },
	{ "config", N_("An operator must act"), "bad" },
	{ "temp", N_("Please try again"), "warn" },
	{ "csrf", N_("This form is too old"), "warn" },
	{ NULL, NULL, NULL },
};

static const struct page_word error_helps[] = {
	{ "sign-in", N_("Sign in, and you come back to this page."), NULL },
	{ "forbidden",
	    N_("Your role may not do this, or it belongs to somebody else."),
	    NULL },
	{ "not-found",
	    N_("The address is wrong, or what was here has been removed or "
	       "has expired."),
	    NULL },
	{ "conflict",
	    N_("Somebody else may have been quicker.  Look at the page again "
	       "and repeat what is still wanted."),
	    NULL },
	{ "config", N_("The operator finds more in the log."), NULL },
	{ "temp",
	    N_("A part of the system does not answer just now.  Nothing was "
	       "lost."),
	    NULL },
	{ "csrf", N_("Go back, load the page again and repeat."), NULL },
	{ NULL, NULL, NULL },
};

/* After something was done. */
static const struct page_word notices[] = {
	{ "released", N_("The mail was released."), "good" },
	{ "removed", N_("Removed."), "good" },
	{ "acted", N_("Done: {done}.  Not done: {failed}."), "info" },
	{ "domain", N_("The domain was saved."), "good" },
	{ "system", N_("The settings were saved."), "good" },
	{ "route", N_("The routes were saved."), "good" },
	{ "recipient", N_("The recipient was saved."), "good" },
	{ "alias", N_("The alias was saved."), "good" },
	{ "list-row", N_("The row was saved."), "good" },
	{ "imported",
	    N_("Imported: {added} added, {changed} changed, {removed} "
	       "removed."),
	    "good" },
	{ "checked",
	    N_("Nothing is wrong: {added} would be added, {changed} changed, "
	       "{removed} removed."),
	    "info" },
	{ "user", N_("The user was saved."), "good" },
	{ "password", N_("The password was changed."), "good" },
	{ "signed-in", N_("Welcome."), "good" },
	{ "signed-out", N_("You are signed out."), "info" },
	{ "preferences", N_("Saved."), "good" },
	{ NULL, NULL, NULL },
};

static const struct page_word themes[] = {
	{ "auto", N_("As the system"), NULL },
	{ "light", N_("Light"), NULL },
	{ "dark", N_("Dark"), NULL },
	{ NULL, NULL, NULL },
};

static const struct page_word periods[] = {
	{ "1h", N_("Last hour"), NULL },
	{ "24h", N_("Last 24 hours"), NULL },
	{ "7d", N_("Last 7 days"), NULL },
	{ "30d", N_("Last 30 days"), NULL },
	{ NULL, NULL, NULL },
};

static const struct page_word charsets[] = {
	{ "utf-8", N_("UTF-8"), NULL },
	{ "utf-8-bom", N_("UTF-8 for spreadsheets"), NULL },
	{ "cp932", N_("Shift_JIS (CP932)"), NULL },
	{ NULL, NULL, NULL },
};

static const struct page_word severities[] = {
	{ "ok", N_("In order"), "good" },
	{ "note", N_("Note"), "info" },
	{ "warning", N_("Warning"), "warn" },
	{ "error", N_("Error"), "bad" },
	{ NULL, NULL, NULL },
};

/* Of the reports that we send. */
static const struct page_word sendings[] = {
	{ "sending", N_("Being sent"), "info" },
	{ "sent", N_("Sent"), "good" },
	{ "failed", N_("Not sent yet"), "warn" },
	{ "refused", N_("Refused"), "bad" },
	{ NULL, NULL, NULL },
};

static const struct page_word report_kinds[] = {
	{ "aggregate", N_("Aggregate"), NULL },
	{ "failure", N_("Failure"), NULL },
	{ NULL, NULL, NULL },
};

/* Why a failure report was not sent. */
static const struct page_word report_lefts[] = {
	{ "damaged", N_("Its description made no sense"), NULL },
	{ "old", N_("It waited for more than a day"), NULL },
	{ "skipped", N_("The domain is one that gets no reports"), NULL },
	{ "alike", N_("One like it was reported within the hour"), NULL },
	{ "ceiling", N_("The ceiling for all reports was reached"), NULL },
	{ "address", N_("The address that is published is none"), NULL },
	{ "ceiling-address", N_("The ceiling for the address was reached"),
	    NULL },
	{ "consent", N_("The domain of the address has not agreed"), NULL },
	{ "dns", N_("The DNS did not answer"), NULL },
	{ "size", N_("It was larger than the address takes"), NULL },
	{ "again", N_("It was begun before"), NULL },
	{ NULL, NULL, NULL },
};

static const struct page_word answers[] = {
	{ "found", N_("Mail goes here"), "good" },
	{ "unknown", N_("There is no such recipient"), "bad" },
	{ "not-ours", N_("Not a domain of ours"), "info" },
	{ "broken", N_("The directory is broken here"), "bad" },
	{ NULL, NULL, NULL },
};

/* ---- options ---- */

static const struct page_word sections[] = {
	{ "Filter", N_("Filter"), NULL },
	{ "Authentication", N_("Sender authentication"), NULL },
	{ "Score", N_("Score"), NULL },
	{ "Size", N_("Size"), NULL },
	{ "Hold", N_("Quarantine"), NULL },
	{ "Marks", N_("Marks"), NULL },
	{ NULL, NULL, NULL },
};

static const struct page_word options[] = {
	{ "filter", N_("Judge mail"), NULL },
	{ "locked", N_("Locked"), NULL },
	{ "restrict_recipients", N_("Only listed recipients"), NULL },
	{ "split", N_("Recipients of other domains"), NULL },
	{ "spf", N_("SPF counts"), NULL },
	{ "spf_fail", N_("On SPF fail"), NULL },
	{ "spf_fail_points", N_("Points for SPF fail"), NULL },
	{ "spf_softfail_points", N_("Points for SPF softfail"), NULL },
	{ "spf_permerror_points", N_("Points for a broken SPF record"), NULL },
	{ "spf_temperror", N_("When SPF cannot be asked"), NULL },
	{ "spf_exempt", N_("Exempt from SPF"), NULL },
	{ "dkim", N_("DKIM counts"), NULL },
	{ "dkim_fail", N_("On DKIM fail"), NULL },
	{ "dkim_fail_points", N_("Points for DKIM fail"), NULL },
	{ "dkim_temperror", N_("When DKIM keys cannot be fetched"), NULL },
	{ "dkim_exempt", N_("Exempt from DKIM"), NULL },
	{ "replay_max", N_("Replays from"), NULL },
	{ "replay_points", N_("Points for a replay"), NULL },
	{ "dmarc", N_("DMARC counts"), NULL },
	{ "dmarc_none_points", N_("Points for DMARC fail under p=none"), NULL },
	{ "dmarc_quarantine", N_("On DMARC fail under p=quarantine"), NULL },
	{ "dmarc_reject", N_("Refuse DMARC fails under p=reject"), NULL },
	{ "dmarc_temperror", N_("When DMARC cannot be asked"), NULL },
	{ "dmarc_exempt", N_("Exempt from DMARC"), NULL },
	{ "name_address_points", N_("Points for an address in the name"),
	    NULL },
	{ "other_sender_points", N_("Points for a sender beside the author"),
	    NULL },
	{ "helo_fail_points", N_("Points for SPF fail of the HELO name"),
	    NULL },
	{ "iprev_fail_points", N_("Points for a client without a name"), NULL },
	{ "client_exempt", N_("Clients whose names do not count"), NULL },
	{ "malformed_from", N_("On a malformed From header"), NULL },
	{ "arc_trusted", N_("Trusted ARC sealers"), NULL },
	{ "arc_seal", N_("Seal mail that passes (ARC)"), NULL },
	{ "unsure_points", N_("Unsure from"), NULL },
	{ "unsure_action", N_("On unsure mail"), NULL },
	{ "spam_points", N_("Spam from"), NULL },
	{ "spam_action", N_("On spam"), NULL },
	{ "block_action", N_("On a block row without an action"), NULL },
	{ "size_max", N_("Message size limit"), NULL },
	{ "size_action", N_("On larger messages"), NULL },
	{ "hold_answer", N_("Answer for held mail"), NULL },
	{ "hold_full", N_("When the quarantine is full"), NULL },
	{ "retention", N_("Keep held mail for"), NULL },
	{ "subject_mark", N_("Subject mark"), NULL },
	{ "result_headers", N_("Result headers"), NULL },
	{ NULL, NULL, NULL },
};

/* Values of options that are words, besides actions. */
static const struct page_word values[] = {
	{ "yes", N_("Yes"), NULL },
	{ "no", N_("No"), NULL },
	{ "score", N_("Add points"), NULL },
	{ "accept", N_("Accept"), NULL },
	{ "tag", N_("Mark the subject"), NULL },
	{ "quarantine", N_("Hold in quarantine"), NULL },
	{ "quarantine-hidden", N_("Hold, only admins may release"), NULL },
	{ "reject", N_("Reject"), NULL },
	{ "defer", N_("Defer"), NULL },
	{ "discard", N_("Discard"), NULL },
	{ "evidence", N_("When other evidence agrees"), NULL },
	{ "changed", N_("When we changed it"), NULL },
	{ "always", N_("Always"), NULL },
	{ "never", N_("Never"), NULL },
	{ "judge", N_("Judge by what is known"), NULL },
	{ "250", N_("250 accepted"), NULL },
	{ "550", N_("550 refused"), NULL },
	{ "rcpt", N_("Answer them on their own (rcpt)"), NULL },
	{ NULL, NULL, NULL },
};

const struct page_word_list page_word_lists[] = {
	{ "class", main_classes },
	{ "sub", sub_classes },
	{ "status", statuses },
	{ "state", states },
	{ "action", actions },
	{ "role", roles },
	{ "side", sides },
	{ "kind", kinds },
	{ "level", levels },
	{ "direction", directions },
	{ "result", results },
	{ "reason", reasons },
	{ "decider", deciders },
	{ "audit", audit_actions },
	{ "field", fields },
	{ "error", errors },
	{ "error-help", error_helps },
	{ "notice", notices },
	{ "theme", themes },
	{ "period", periods },
	{ "charset", charsets },
	{ "sent", sendings },
	{ "report-kind", report_kinds },
	{ "report-left", report_lefts },
	{ "severity", severities },
	{ "answer", answers },
	{ "section", sections },
	{ "option", options },
	{ "value", values },
	{ NULL, NULL },
};

const struct page_word *
page_words_of(const char *kind)
{
	const struct page_word_list *list;

	for (list = page_word_lists; list->kind != NULL; list++)
		if (strcmp(list->kind, kind) == 0)
			return list->words;
	return NULL;
}

const struct page_word *
page_word_find(const char *kind, const char *word)
{
	const struct page_word *words = page_words_of(kind);

	for (; words != NULL && words->word != NULL; words++)
		if (strcmp(words->word, word) == 0)
			return words;
	return NULL;
}
