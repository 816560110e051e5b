/*
 * class.c - words for the outcome: class, action, status.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include "policy/auth.h"
#include "policy/class.h"

static const char *const main_class_names[CLASS_COUNT] = {
	[CLASS_NOT_SPAM] = "not-spam",
	[CLASS_WHITELISTED] = "whitelisted",
	[CLASS_FALSE_POSITIVE] = "false-positive",
	[CLASS_BLACKLISTED] = "blacklisted",
	[CLASS_FALSE_NEGATIVE] = "false-negative",
	[CLASS_PHISH] = "phish",
	[CLASS_VIRUS] = "virus",
	[CLASS_SPAM] = "spam",
	[CLASS_LOCKED] = "locked",
	[CLASS_GREYLIST] = "greylist",
	[CLASS_UNSURE] = "unsure",
	[CLASS_UNKNOWN] = "unknown",
	[CLASS_ERROR] = "error",
};

static const char *const sub_class_names[SUB_COUNT] = {
	[SUB_NONE] = "",
	[SUB_CONTENT] = "content",
	[SUB_CLASSIFIER] = "classifier",
	[SUB_SPF] = "spf",
	[SUB_DKIM] = "dkim",
	[SUB_DMARC] = "dmarc",
	[SUB_ARC] = "arc",
	[SUB_SENDER_LIST] = "sender-list",
	[SUB_RECIPIENT_LIST] = "recipient-list",
	[SUB_CLIENT_LIST] = "client-list",
	[SUB_CONDITION] = "condition",
	[SUB_SIZE] = "size",
	[SUB_LIMITS] = "limits",
	[SUB_MALFORMED] = "malformed",
	[SUB_LOCAL_PART] = "local-part",
	[SUB_ATTACHMENT] = "attachment",
	[SUB_ARCHIVE] = "archive",
	[SUB_LINK] = "link",
	[SUB_RATE] = "rate",
	[SUB_UNKNOWN_USER] = "unknown-user",
	[SUB_FILTER_OFF] = "filter-off",
	[SUB_PARTIAL] = "partial",
	[SUB_INTERNAL] = "internal",
	[SUB_CLIENT] = "client",
};

const char *const action_names[ACTION_COUNT + 1] = {
	[ACTION_ACCEPT] = "accept",
	[ACTION_TAG] = "tag",
	[ACTION_QUARANTINE] = "quarantine",
	[ACTION_QUARANTINE_HIDDEN] = "quarantine-hidden",
	[ACTION_REJECT] = "reject",
	[ACTION_DEFER] = "defer",
	[ACTION_DISCARD] = "discard",
	[ACTION_COUNT] = NULL,
};

static const char *const status_names[STATUS_COUNT] = {
	[STATUS_ACCEPTED] = "accepted",
	[STATUS_QUARANTINED] = "quarantined",
	[STATUS_REJECTED] = "rejected",
	[STATUS_DEFERRED] = "deferred",
	[STATUS_DISCARDED] = "discarded",
	[STATUS_RELEASED] = "released",
	[STATUS_AUTO_RELEASED] = "auto-released",
	[STATUS_REMOVED] = "removed",
	[STATUS_EXPIRED] = "expired",
	[STATUS_DELIVERED] = "delivered",
	[STATUS_DELAYED] = "delayed",
	[STATUS_BOUNCED] = "bounced",
};

/* RFC 8601 section 2.7 */
static const char *const auth_result_names[AUTH_RESULT_COUNT] = {
	[AUTH_NONE] = "none",
	[AUTH_PASS] = "pass",
	[AUTH_FAIL] = "fail",
	[AUTH_SOFTFAIL] = "softfail",
	[AUTH_NEUTRAL] = "neutral",
	[AUTH_POLICY] = "policy",
	[AUTH_TEMPERROR] = "temperror",
	[AUTH_PERMERROR] = "permerror",
};

static const char *const dmarc_policy_names[] = {
	[DMARC_NONE] = "none",
	[DMARC_QUARANTINE] = "quarantine",
	[DMARC_REJECT] = "reject",
};

static int
word_index(const char *const *names, size_t n, struct bytes word)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (names[i][0] != '\0' &&
		    bytes_equal(bytes_of(names[i]), word))
			return (int)i;
	return -1;
}

const char *
main_class_name(enum main_class main_class)
{
	return main_class_names[main_class];
}

const char *
sub_class_name(enum sub_class sub)
{
	return sub_class_names[sub];
}

const char *
action_name(enum action action)
{
	return action_names[action];
}

const char *
status_name(enum status status)
{
	return status_names[status];
}

const char *
auth_result_name(enum auth_result result)
{
	return auth_result_names[result];
}

const char *
dmarc_policy_name(enum dmarc_policy policy)
{
	return dmarc_policy_names[policy];
}

int
main_class_parse(struct bytes word)
{
	return word_index(main_class_names, CLASS_COUNT, word);
}

int
sub_class_parse(struct bytes word)
{
	return word_index(sub_class_names, SUB_COUNT, word);
}

int
action_parse(struct bytes word)
{
	return word_index(action_names, ACTION_COUNT, word);
}

int
status_parse(struct bytes word)
{
	return word_index(status_names, STATUS_COUNT, word);
}

bool
action_is_hold(enum action action)
{
	return action == ACTION_QUARANTINE ||
	    action == ACTION_QUARANTINE_HIDDEN;
}
