/*
 * failure.c - tells the sidecar of a mail that failed DMARC.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <string.h>

#include "base/crypto.h"
#include "base/str.h"
#include "mail/message.h"
#include "policy/failure.h"
#include "policy/scan.h"
#include "policy/settings.h"
#include "quarantine/events.h"

#include "milter/daemon.h"
#include "milter/failure.h"
#include "milter/session.h"

/* What settings_secret has. */
#define SECRET_LEN 32

/* ---- which mail ---- */

/* Mail to the mailboxes that reports come from or are read in: who answers
 * it might be answered in turn, for ever. */
static bool
is_for_reports(const struct transaction *tx)
{
	const struct conf *conf = tx->setup->conf;
	const char *key;
	size_t i;

	for (i = 0; i < tx->mailbox_count; i++) {
		key = tx->mailboxes[i].mailbox;
		if (str_equal_nocase(key, conf->report_from) ||
		    str_equal_nocase(key, conf->reports_address))
			return true;
	}
	return false;
}

/* Like those that count for aggregate reports: inbound, judged, and not to
 * come again. */
static bool
may_be_told(const struct transaction *tx)
{
	if (tx->session->daemon->store == NULL || tx->scan == NULL ||
	    tx->failure != NULL || !tx->scan->inbound_checks ||
	    tx->scan->message == NULL ||
	    tx->envelope.client.ip.family == IP_NONE)
		return false;
	return settings_secret(tx->settings) != NULL;
}

/* ---- what was done ---- */

/* Delivery-Result (RFC 6591 section 3.2.2), in the order in which one
 * stands for a message whose mailboxes fared differently. */
enum delivery {
	DELIVERY_NONE, /* nobody of ours got it, or it comes again */
	DELIVERY_DELIVERED,
	DELIVERY_OTHER,
	DELIVERY_SPAM,
	DELIVERY_POLICY,
	DELIVERY_REJECT,
};

static const char *const delivery_words[] = {
	[DELIVERY_DELIVERED] = "delivered",
	[DELIVERY_OTHER] = "other",
	[DELIVERY_SPAM] = "spam",
	[DELIVERY_POLICY] = "policy",
	[DELIVERY_REJECT] = "reject",
};

static enum delivery
delivery_of_held(const struct verdict *verdict)
{
	static const char *const authentication[] = { "dmarc", "spf", "dkim" };
	size_t i;

	for (i = 0; i < sizeof(authentication) / sizeof(authentication[0]); i++)
		if (strcmp(verdict->decided_by, authentication[i]) == 0)
			return DELIVERY_POLICY;
	return verdict->main_class == CLASS_SPAM ||
		verdict->main_class == CLASS_PHISH
	    ? DELIVERY_SPAM
	    : DELIVERY_OTHER;
}

static enum delivery
delivery_of(const struct plan_mailbox *mailbox)
{
	if (!mailbox->ours || mailbox->direction != DIRECTION_INBOUND)
		return DELIVERY_NONE;
	switch (mailbox->status) {
	case STATUS_ACCEPTED:
		return DELIVERY_DELIVERED;
	case STATUS_QUARANTINED:
		return delivery_of_held(mailbox->verdict);
	case STATUS_REJECTED:
		return DELIVERY_REJECT;
	case STATUS_DEFERRED:
		return DELIVERY_NONE;
	default:
		return DELIVERY_OTHER;
	}
}

static enum delivery
worst_delivery(const struct transaction *tx)
{
	enum delivery worst = DELIVERY_NONE, one;
	size_t i;

	for (i = 0; i < tx->mailbox_count; i++) {
		one = delivery_of(&tx->mailboxes[i]);
		if (one > worst)
			worst = one;
	}
	return worst;
}

/* ---- telling ---- */

void
failure_tell(const struct transaction *tx)
{
	const struct conf *conf = tx->setup->conf;
	struct failure_context context;
	struct failure failure;
	enum delivery delivery;

	if (!conf->dmarc_failure_reports || conf->report_from[0] == '\0' ||
	    !may_be_told(tx))
		return;
	context.kind = failure_wanted(&tx->scan->auth);
	delivery = worst_delivery(tx);
	if (context.kind == FAILURE_NONE || delivery == DELIVERY_NONE ||
	    is_for_reports(tx) ||
	    failure_is_answer(&tx->envelope, &tx->message->header))
		return;
	context.delivery = delivery_words[delivery];
	context.with_header = conf->dmarc_failure_headers;
	context.key.data = (const char *)settings_secret(tx->settings);
	context.key.len = SECRET_LEN;
	failure_describe(tx->arena, tx->scan, &context, &failure);
	events_send_failure(tx->session->daemon->events,
	    failure_to_json(&failure));
}
