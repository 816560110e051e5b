/*
 * class.h - words for the outcome: class, action, status.
 *
 * The one table of each word; code, log, API and pages take it from here.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef POLICY_CLASS_H
#define POLICY_CLASS_H

#include <stdbool.h>

#include "base/buf.h"

enum main_class {
	CLASS_NOT_SPAM,
	CLASS_WHITELISTED,
	CLASS_FALSE_POSITIVE, /* given only by a person */
	CLASS_BLACKLISTED,
	CLASS_FALSE_NEGATIVE, /* given only by a person */
	CLASS_PHISH,
	CLASS_VIRUS,
	CLASS_SPAM,
	CLASS_LOCKED,
	CLASS_GREYLIST,
	CLASS_UNSURE,
	CLASS_UNKNOWN,
	CLASS_ERROR,
	CLASS_COUNT
};

enum sub_class {
	SUB_NONE,
	SUB_CONTENT,
	SUB_CLASSIFIER,
	SUB_SPF,
	SUB_DKIM,
	SUB_DMARC,
	SUB_ARC,
	SUB_SENDER_LIST,
	SUB_RECIPIENT_LIST,
	SUB_CLIENT_LIST,
	SUB_CONDITION,
	SUB_SIZE,
	SUB_LIMITS,
	SUB_MALFORMED,
	SUB_LOCAL_PART,
	SUB_ATTACHMENT,
	SUB_ARCHIVE,
	SUB_LINK,
	SUB_RATE,
	SUB_UNKNOWN_USER,
	SUB_FILTER_OFF,
	SUB_PARTIAL,
	SUB_INTERNAL,
	SUB_CLIENT,
	SUB_COUNT
};

enum action {
	ACTION_ACCEPT,
	ACTION_TAG,
	ACTION_QUARANTINE,
	ACTION_QUARANTINE_HIDDEN, /* only admins may release */
	ACTION_REJECT,
	ACTION_DEFER,
	ACTION_DISCARD,
	ACTION_COUNT
};

enum status {
	STATUS_ACCEPTED,
	STATUS_QUARANTINED,
	STATUS_REJECTED,
	STATUS_DEFERRED,
	STATUS_DISCARDED,
	STATUS_RELEASED,
	STATUS_AUTO_RELEASED,
	STATUS_REMOVED,
	STATUS_EXPIRED,
	STATUS_DELIVERED, /* the last three come from the MTA's log only */
	STATUS_DELAYED,
	STATUS_BOUNCED,
	STATUS_COUNT
};

const char *main_class_name(enum main_class main_class);
const char *sub_class_name(enum sub_class sub); /* SUB_NONE: "" */
const char *action_name(enum action action);
/* The same by number, for options that choose one; NULL at the end. */
extern const char *const action_names[ACTION_COUNT + 1];
const char *status_name(enum status status);
/* -1 when there is no such word. */
int main_class_parse(struct bytes word);
int sub_class_parse(struct bytes word);
int action_parse(struct bytes word);
int status_parse(struct bytes word);

bool action_is_hold(enum action action);

#endif
