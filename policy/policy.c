/*
 * policy.c - the option table of policy: names, ranges, defaults and help.
 *
 * The order of the rows and their sections is that of pages and manual.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stddef.h>
#include <string.h>

#include "base/str.h"
#include "base/utf8.h"
#include "policy/class.h"
#include "policy/domain_text.h"
#include "policy/exempt.h"
#include "policy/policy.h"

#define SUBJECT_MARK_MAX 64 /* octets */

static const char *const on_fail_words[] = {
	[ON_FAIL_SCORE] = "score",
	[ON_FAIL_QUARANTINE] = "quarantine",
	[ON_FAIL_REJECT] = "reject",
	NULL,
};
static const char *const dmarc_reject_words[] = {
	[DMARC_REJECT_EVIDENCE] = "evidence",
	[DMARC_REJECT_ALWAYS] = "always",
	[DMARC_REJECT_NEVER] = "never",
	NULL,
};
static const char *const temperror_words[] = {
	[TEMPERROR_JUDGE] = "judge",
	[TEMPERROR_DEFER] = "defer",
	NULL,
};
static const char *const hold_answer_words[] = {
	[HOLD_ANSWER_250] = "250",
	[HOLD_ANSWER_550] = "550",
	NULL,
};
static const char *const full_words[] = {
	[FULL_DEFER] = "defer",
	[FULL_REJECT] = "reject",
	NULL,
};
static const char *const arc_seal_words[] = {
	[ARC_SEAL_NEVER] = "never",
	[ARC_SEAL_CHANGED] = "changed",
	[ARC_SEAL_ALWAYS] = "always",
	NULL,
};
static const char *const split_words[] = {
	[SPLIT_NEVER] = "never",
	[SPLIT_RCPT] = "rcpt",
	NULL,
};

static int
check_subject_mark(const char *value, struct err *err)
{
	if (strlen(value) > SUBJECT_MARK_MAX)
		return err_set(err, ERR_INPUT, "must have at most %d octets",
		    SUBJECT_MARK_MAX);
	if (value[0] == '\0' || bytes_trim(bytes_of(value)).len == 0)
		return err_set(err, ERR_INPUT, "must not be empty");
	return 0;
}

#define FIELD(name) offsetof(struct policy, name)
#define POINTS_LEAST "-100"
#define POINTS_MOST "100"

/* clang-format off */
const struct option policy_options[] = {
	{ "filter", OPT_BOOL, FIELD(filter), "yes", NULL, NULL, NULL, NULL,
	    APPLY_AT_ONCE, "Filter",
	    "Judge mail.  With no, only the size limit and the ceilings of "
	    "this system hold; all other mail passes." },
	{ "locked", OPT_BOOL, FIELD(locked), "no", NULL, NULL, NULL, NULL,
	    APPLY_AT_ONCE, "Filter",
	    "Refuse all mail to this recipient with 550 5.2.1." },
	{ "restrict_recipients", OPT_BOOL, FIELD(restrict_recipients), "no",
	    NULL, NULL, NULL, NULL, APPLY_AT_ONCE, "Filter",
	    "Refuse addresses that are neither listed recipients nor aliases "
	    "with 550 5.1.1.  With no, any address of the domain is taken." },
	{ "split", OPT_WORD, FIELD(split), "never", NULL, NULL, split_words,
	    NULL, APPLY_AT_ONCE, "Filter",
	    "rcpt: recipients of other domains in the same transaction get "
	    "452 4.5.3 and are sent again on their own, so that every answer "
	    "is exact." },

	{ "spf", OPT_BOOL, FIELD(spf), "yes", NULL, NULL, NULL, NULL,
	    APPLY_AT_ONCE, "Authentication",
	    "Let SPF results count by themselves.  DMARC reads them all the "
	    "same." },
	{ "spf_fail", OPT_WORD, FIELD(spf_fail), "score", NULL, NULL,
	    on_fail_words, NULL, APPLY_AT_ONCE, "Authentication",
	    "What an SPF fail does, once DMARC was asked: add points, hold or "
	    "refuse." },
	{ "spf_fail_points", OPT_POINTS, FIELD(spf_fail_points), "3",
	    POINTS_LEAST, POINTS_MOST, NULL, NULL, APPLY_AT_ONCE,
	    "Authentication", "Points for an SPF fail." },
	{ "spf_softfail_points", OPT_POINTS, FIELD(spf_softfail_points), "1",
	    POINTS_LEAST, POINTS_MOST, NULL, NULL, APPLY_AT_ONCE,
	    "Authentication", "Points for an SPF softfail." },
	{ "spf_permerror_points", OPT_POINTS, FIELD(spf_permerror_points),
	    "0.5", POINTS_LEAST, POINTS_MOST, NULL, NULL, APPLY_AT_ONCE,
	    "Authentication", "Points for a broken SPF record." },
	{ "spf_temperror", OPT_WORD, FIELD(spf_temperror), "judge", NULL,
	    NULL, temperror_words, NULL, APPLY_AT_ONCE, "Authentication",
	    "When DNS fails for the SPF record of the envelope sender: judge "
	    "by what is known, or defer mail that does not pass DMARC." },
	{ "spf_exempt", OPT_LIST, FIELD(spf_exempt), "", NULL, NULL, NULL,
	    exempt_check, APPLY_AT_ONCE, "Authentication",
	    "Clients (addresses, networks) and domains of envelope senders "
	    "whose SPF failures do not count: example.net, .example.net (and "
	    "all below), 192.0.2.0/24.  Anybody may write such a domain." },
	{ "dkim", OPT_BOOL, FIELD(dkim), "yes", NULL, NULL, NULL, NULL,
	    APPLY_AT_ONCE, "Authentication",
	    "Let DKIM results count by themselves.  DMARC reads them all the "
	    "same." },
	{ "dkim_fail", OPT_WORD, FIELD(dkim_fail), "score", NULL, NULL,
	    on_fail_words, NULL, APPLY_AT_ONCE, "Authentication",
	    "What it does when a message is signed and no signature passes: "
	    "add points, hold or refuse." },
	{ "dkim_fail_points", OPT_POINTS, FIELD(dkim_fail_points), "0.5",
	    POINTS_LEAST, POINTS_MOST, NULL, NULL, APPLY_AT_ONCE,
	    "Authentication", "Points when no DKIM signature passes." },
	{ "dkim_temperror", OPT_WORD, FIELD(dkim_temperror), "judge", NULL,
	    NULL, temperror_words, NULL, APPLY_AT_ONCE, "Authentication",
	    "When no DKIM signature passes and DNS failed for the key of one: "
	    "judge by what is known, or defer mail that does not pass DMARC." },
	{ "replay_max", OPT_NUMBER, FIELD(replay_max), "100", "0", "1000000",
	    NULL, NULL, APPLY_AT_ONCE, "Authentication",
	    "From how many messages within an hour under one and the same "
	    "DKIM signature on it is taken for a replay, which the record "
	    "tells.  0: never; nothing is counted when no recipient wants it." },
	{ "replay_points", OPT_POINTS, FIELD(replay_points), "0",
	    POINTS_LEAST, POINTS_MOST, NULL, NULL, APPLY_AT_ONCE,
	    "Authentication",
	    "Points for a replay.  Mailing lists that sign once for all "
	    "subscribers look the same." },
	{ "dkim_exempt", OPT_LIST, FIELD(dkim_exempt), "", NULL, NULL, NULL,
	    exempt_check, APPLY_AT_ONCE, "Authentication",
	    "Clients and From domains whose DKIM failures do not count." },
	{ "dmarc", OPT_BOOL, FIELD(dmarc), "yes", NULL, NULL, NULL, NULL,
	    APPLY_AT_ONCE, "Authentication",
	    "Let DMARC results count." },
	{ "dmarc_none_points", OPT_POINTS, FIELD(dmarc_none_points), "1",
	    POINTS_LEAST, POINTS_MOST, NULL, NULL, APPLY_AT_ONCE,
	    "Authentication",
	    "Points for a DMARC failure when the sender's domain asks for no "
	    "action (p=none)." },
	{ "dmarc_quarantine", OPT_WORD, FIELD(dmarc_quarantine), "quarantine",
	    NULL, NULL, action_names, NULL, APPLY_AT_ONCE, "Authentication",
	    "What a DMARC failure does under p=quarantine, and under p=reject "
	    "when it is not refused." },
	{ "dmarc_reject", OPT_WORD, FIELD(dmarc_reject), "evidence", NULL,
	    NULL, dmarc_reject_words, NULL, APPLY_AT_ONCE, "Authentication",
	    "When a DMARC failure under p=reject is refused: when other "
	    "evidence agrees, always or never." },
	{ "dmarc_temperror", OPT_WORD, FIELD(dmarc_temperror), "judge", NULL,
	    NULL, temperror_words, NULL, APPLY_AT_ONCE, "Authentication",
	    "When DNS fails for an author under p=reject, or for the policy "
	    "itself, which may say that: judge by what is known, or defer "
	    "the mail, so that nobody gets past a policy by silencing a name "
	    "server." },
	{ "dmarc_exempt", OPT_LIST, FIELD(dmarc_exempt), "", NULL, NULL, NULL,
	    exempt_check, APPLY_AT_ONCE, "Authentication",
	    "Clients and From domains whose DMARC failures do not count.  "
	    "Prefer clients: anybody may write a domain." },
	{ "name_address_points", OPT_POINTS, FIELD(name_address_points), "3",
	    POINTS_LEAST, POINTS_MOST, NULL, NULL, APPLY_AT_ONCE,
	    "Authentication",
	    "Points when the name in From shows an address of a domain that "
	    "is not the author's: some readers show nothing else." },
	{ "other_sender_points", OPT_POINTS, FIELD(other_sender_points), "3",
	    POINTS_LEAST, POINTS_MOST, NULL, NULL, APPLY_AT_ONCE,
	    "Authentication",
	    "Points when Sender or Resent-From names a domain that is not the "
	    "author's, and neither SPF, DKIM nor the client's name proves it: "
	    "some readers show it instead of From." },
	{ "helo_fail_points", OPT_POINTS, FIELD(helo_fail_points), "0",
	    POINTS_LEAST, POINTS_MOST, NULL, NULL, APPLY_AT_ONCE,
	    "Authentication",
	    "Points when the name that the client gives at HELO has an SPF "
	    "record which excludes the client." },
	{ "iprev_fail_points", OPT_POINTS, FIELD(iprev_fail_points), "0",
	    POINTS_LEAST, POINTS_MOST, NULL, NULL, APPLY_AT_ONCE,
	    "Authentication",
	    "Points when the client's address has no name in the DNS, or none "
	    "that leads back to it." },
	{ "client_exempt", OPT_LIST, FIELD(client_exempt), "", NULL, NULL,
	    NULL, exempt_check_client, APPLY_AT_ONCE, "Authentication",
	    "Clients (addresses, networks) whose HELO and missing name do not "
	    "count." },
	{ "malformed_from", OPT_WORD, FIELD(malformed_from), "reject", NULL,
	    NULL, action_names, NULL, APPLY_AT_ONCE, "Authentication",
	    "What to do with a message that has no readable From header, or "
	    "more than one." },
	{ "arc_trusted", OPT_LIST, FIELD(arc_trusted), "", NULL, NULL, NULL,
	    domain_text_check, APPLY_AT_ONCE, "Authentication",
	    "Domains whose ARC seal may lift a DMARC failure: mailing lists "
	    "and forwarders that you trust.  It does where they say that the "
	    "author was authenticated when the mail came to them." },
	{ "arc_seal", OPT_WORD, FIELD(arc_seal), "changed", NULL, NULL,
	    arc_seal_words, NULL, APPLY_AT_ONCE, "Authentication",
	    "Which mail that passes is sealed (ARC), so that the next server "
	    "may believe our results: what we changed, all or none.  Only "
	    "where sekimori.conf has an arc_domain." },

	{ "unsure_points", OPT_POINTS, FIELD(unsure_points), "3", POINTS_LEAST,
	    POINTS_MOST, NULL, NULL, APPLY_AT_ONCE, "Score",
	    "From this score on, mail is unsure." },
	{ "unsure_action", OPT_WORD, FIELD(unsure_action), "tag", NULL, NULL,
	    action_names, NULL, APPLY_AT_ONCE, "Score",
	    "What to do with unsure mail." },
	{ "spam_points", OPT_POINTS, FIELD(spam_points), "5", POINTS_LEAST,
	    POINTS_MOST, NULL, NULL, APPLY_AT_ONCE, "Score",
	    "From this score on, mail is spam." },
	{ "spam_action", OPT_WORD, FIELD(spam_action), "quarantine", NULL,
	    NULL, action_names, NULL, APPLY_AT_ONCE, "Score",
	    "What to do with spam." },
	{ "block_action", OPT_WORD, FIELD(block_action), "quarantine", NULL,
	    NULL, action_names, NULL, APPLY_AT_ONCE, "Score",
	    "What block rows do that name no action." },

	{ "size_max", OPT_SIZE, FIELD(size_max), "2048M", "1k", "2048M", NULL,
	    NULL, APPLY_AT_ONCE, "Size",
	    "The largest message, headers and encoded attachments included.  "
	    "The mail server in front has a limit of its own." },
	{ "size_action", OPT_WORD, FIELD(size_action), "reject", NULL, NULL,
	    action_names, NULL, APPLY_AT_ONCE, "Size",
	    "What to do with a larger message." },

	{ "hold_answer", OPT_WORD, FIELD(hold_answer), "250", NULL, NULL,
	    hold_answer_words, NULL, APPLY_AT_ONCE, "Hold",
	    "What the sender's server is told of held mail: 250 accepted, or "
	    "550 refused (it is held all the same)." },
	{ "hold_full", OPT_WORD, FIELD(hold_full), "defer", NULL, NULL,
	    full_words, NULL, APPLY_AT_ONCE, "Hold",
	    "What to do with mail to be held when the quarantine is full." },
	{ "retention", OPT_SECONDS, FIELD(retention), "30d", "1h", "365d",
	    NULL, NULL, APPLY_AT_ONCE, "Hold",
	    "How long held mail is kept." },

	{ "subject_mark", OPT_STRING, FIELD(subject_mark), "[SPAM?]", NULL,
	    NULL, NULL, check_subject_mark, APPLY_AT_ONCE, "Marks",
	    "Put before the subject, followed by a space, by the action tag." },
	{ "result_headers", OPT_BOOL, FIELD(result_headers), "yes", NULL,
	    NULL, NULL, NULL, APPLY_AT_ONCE, "Marks",
	    "Add X-Sekimori-Class and X-Sekimori-Score to mail that passes." },
};
/* clang-format on */

const size_t policy_option_count =
    sizeof(policy_options) / sizeof(policy_options[0]);

/* Options that cannot be set at every level. */
static const struct {
	const char *name;
	unsigned levels;
} level_rules[] = {
	{ "restrict_recipients", POLICY_LEVEL_SYSTEM | POLICY_LEVEL_DOMAIN },
	{ "split", POLICY_LEVEL_SYSTEM | POLICY_LEVEL_DOMAIN },
	{ "hold_full", POLICY_LEVEL_SYSTEM | POLICY_LEVEL_DOMAIN },
	{ "locked", POLICY_LEVEL_DOMAIN | POLICY_LEVEL_MAILBOX },
};

unsigned
policy_option_levels(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(level_rules) / sizeof(level_rules[0]); i++)
		if (strcmp(level_rules[i].name, name) == 0)
			return level_rules[i].levels;
	return POLICY_LEVEL_SYSTEM | POLICY_LEVEL_DOMAIN | POLICY_LEVEL_MAILBOX;
}
