/*
 * finish.c - the end of a message: judge, plan, write, answer, record.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/store.h"
#include "mail/message.h"
#include "policy/replay.h"
#include "quarantine/heartbeat.h"
#include "quarantine/quarantine.h"
#include "quarantine/release.h"

#include "milter/carry.h"
#include "milter/daemon.h"
#include "milter/failure.h"
#include "milter/finish.h"
#include "milter/record.h"
#include "milter/released.h"
#include "milter/session.h"
#include "milter/signing.h"

#define RESULTS "Authentication-Results"
#define RESULTS_MAX (64 * 1024)
#define OWN_FIELDS_MAX (4 + SIGNING_FIELDS_MAX)
/* A copy that goes beside is sent when our reply must be out.  Should it
 * overtake a reply that is late, no harm is done: the copy is promised when
 * it stands in the store, and a sender who tries again does not double it. */
#define COPY_AFTER_MS 1000
/* The MTA hears from us when the checks took longer than that. */
#define PROGRESS_US 3000000

static const struct conf *
conf_of(const struct transaction *tx)
{
	return tx->setup->conf;
}

static struct counters *
counters_of(const struct transaction *tx)
{
	return &tx->session->daemon->counters;
}

static struct metrics *
metrics_of(const struct transaction *tx)
{
	return tx->session->daemon->metrics;
}

/* Notes what a part took since *us, which becomes now. */
static void
note_part(const struct transaction *tx, enum milter_part part, int64_t *us)
{
	int64_t now_us = clock_mono_us();

	metrics_observe(metrics_of(tx), MILTER_PART, part, now_us - *us);
	*us = now_us;
}

static void
note_checks(const struct transaction *tx)
{
	size_t i;

	if (!tx->scan->inbound_checks)
		return;
	for (i = 0; i < CHECK_COUNT; i++)
		metrics_observe(metrics_of(tx), MILTER_PART, PART_CHECKS + i,
		    tx->scan->spent_us[i]);
}

/* ---- judging ---- */

/* The one wait of a message. */
static void
await_checks(struct transaction *tx)
{
	struct daemon *daemon = tx->session->daemon;
	int64_t until = clock_mono_ms(), us;
	bool waits;

	scan_reach(tx->scan, SCAN_END);
	if (!scan_is_waiting(tx->scan))
		return;
	us = clock_mono_us();
	waits = daemon_begin_wait(daemon, conf_of(tx));
	if (waits)
		until += (int64_t)conf_of(tx)->dns_timeout * 1000;
	scan_finish(tx->scan, until);
	if (waits)
		daemon_end_wait(daemon);
	note_part(tx, PART_DNS_WAIT, &us);
}

/* Where somebody wants to know; Redis away, nobody does. */
static void
count_replays(struct transaction *tx)
{
	struct store *store = tx->session->daemon->store;
	size_t i;

	if (store == NULL || !store_is_up(store) || !tx->scan->inbound_checks)
		return;
	for (i = 0; i < tx->mailbox_count; i++)
		if (tx->mailboxes[i].ours &&
		    settings_policy(tx->settings, tx->mailboxes[i].mailbox)
			    ->replay_max > 0) {
			replay_count(store, tx->scan, REPLAY_BUDGET_MS);
			return;
		}
}

static void
judge_all(struct transaction *tx)
{
	uint64_t size = message_size(tx->message);
	struct plan_mailbox *m;
	size_t i;

	for (i = 0; i < tx->mailbox_count; i++) {
		m = &tx->mailboxes[i];
		if (m->ours && m->verdict == NULL)
			m->verdict = verdict_make(tx->arena, tx->scan,
			    m->mailbox, m->direction, size);
	}
}

/* All mailboxes get the same, whatever they want: for our own failures. */
static void
settle_all(struct transaction *tx, struct finish *finish, enum plan_fate fate,
    enum status status)
{
	size_t i;

	for (i = 0; i < tx->mailbox_count; i++) {
		tx->mailboxes[i].fate = fate;
		tx->mailboxes[i].status = status;
	}
	memset(finish->plan.delete_rcpt, 0,
	    tx->envelope.recipient_count * sizeof(bool));
	finish->plan.tag = false;
	finish->discard = false;
	finish->edits.count = 0;
}

static void
give_up(struct transaction *tx, struct finish *finish,
    const struct answer *answer)
{
	finish->answer = answer;
	if (answer->code[0] == '4')
		settle_all(tx, finish, FATE_DEFER, STATUS_DEFERRED);
	else
		settle_all(tx, finish, FATE_REJECT, STATUS_REJECTED);
}

static void
make_plan(struct transaction *tx, struct finish *finish)
{
	const struct daemon *daemon = tx->session->daemon;
	struct plan *plan = &finish->plan;
	struct plan_limits limits = {
		.can_hold =
		    daemon->quarantine != NULL && store_is_up(daemon->store),
		.too_large =
		    message_size(tx->message) > conf_of(tx)->hold_message_max,
		.observe = tx->observes,
	};
	struct answer *answer = arena_alloc(tx->arena, sizeof(*answer));

	plan_make(tx->arena, tx->mailbox_count, tx->mailboxes,
	    tx->envelope.recipient_count, &limits, plan);
	finish->discard = plan->reply == REPLY_DISCARD;
	answer->code = plan->code;
	answer->enhanced = plan->enhanced;
	answer->text = plan->text;
	finish->answer = answer;
}

/* ---- our own fields ---- */

static const char *
results_value(struct transaction *tx)
{
	const char *value;
	struct buf buf;

	buf_init(&buf, RESULTS_MAX);
	scan_authres(tx->scan, &buf);
	value = arena_strdup(tx->arena, buf_str(&buf));
	buf_free(&buf);
	return value;
}

static bool
any_inbound(const struct transaction *tx)
{
	size_t i;

	for (i = 0; i < tx->mailbox_count; i++)
		if (tx->mailboxes[i].ours &&
		    tx->mailboxes[i].direction == DIRECTION_INBOUND)
			return true;
	return false;
}

/* Those that do not depend on who receives the message; top first. */
static size_t
common_fields(struct transaction *tx, struct finish *finish,
    struct own_field *fields)
{
	size_t n = 0;

	if (!any_inbound(tx))
		return 0;
	if (tx->scan->inbound_checks) {
		finish->results = results_value(tx);
		fields[n++] = (struct own_field){ RESULTS, finish->results };
	}
	fields[n++] = (struct own_field){ "X-Sekimori-Id", tx->id.text };
	return n;
}

static size_t
verdict_fields(struct transaction *tx, const struct verdict *verdict,
    struct own_field *fields)
{
	char score[SCORE_TEXT_SIZE];

	if (verdict == NULL || verdict->policy == NULL ||
	    !verdict->policy->result_headers)
		return 0;
	score_format(verdict->score, score);
	fields[0] = (struct own_field){ "X-Sekimori-Class",
		class_text(tx->arena, verdict) };
	fields[1] = (struct own_field){ "X-Sekimori-Score",
		arena_strdup(tx->arena, score) };
	return 2;
}

/* The mark that those who stay want, or NULL. */
static const char *
stayers_mark(const struct transaction *tx)
{
	size_t i;

	for (i = 0; i < tx->mailbox_count; i++)
		if (tx->mailboxes[i].fate == FATE_STAY_TAGGED)
			return tx->mailboxes[i].verdict->policy->subject_mark;
	return NULL;
}

/* Does anybody who stays want what leaves to be signed or sealed? */
static bool
stayers_are_signed(const struct transaction *tx, bool tagged)
{
	const struct plan_mailbox *m;
	size_t i;

	for (i = 0; i < tx->mailbox_count; i++) {
		m = &tx->mailboxes[i];
		if ((m->fate == FATE_STAY || m->fate == FATE_STAY_TAGGED) &&
		    signing_is_due(tx, m, tagged))
			return true;
	}
	return false;
}

static void
make_edits(struct transaction *tx, struct finish *finish,
    const struct own_field *common, size_t common_count)
{
	struct own_field fields[OWN_FIELDS_MAX];
	const struct header *header = &tx->message->header;
	bool space = tx->session->leading_space;
	const char *mark = stayers_mark(tx);
	size_t i, n = 0;

	edits_remove_foreign(&finish->edits, header, tx->authserv_id, 0);
	if (finish->plan.tag && mark != NULL)
		edits_mark_subject(&finish->edits, header, mark, space);
	if (stayers_are_signed(tx, finish->plan.tag))
		n = signing_fields(tx, &finish->edits, finish->results, fields);
	memcpy(fields + n, common, common_count * sizeof(*common));
	n += common_count;
	if (common_count > 0 && finish->plan.class_agreed)
		n += verdict_fields(tx, finish->plan.agreed, fields + n);
	edits_insert(&finish->edits, fields, n, space);
	for (i = 0; i < tx->envelope.recipient_count; i++)
		if (finish->plan.delete_rcpt[i])
			edits_delete_recipient(&finish->edits,
			    tx->envelope.recipients[i].rcpt);
}

/* ---- the end of a message ---- */

/* Nobody here is ours to judge; or it is our own mail, seen again. */
static void
pass_on(struct transaction *tx, struct finish *finish)
{
	settle_all(tx, finish, FATE_STAY, STATUS_ACCEPTED);
	finish->answer = answer_of(ANSWER_CONTINUE);
	if (finish->released)
		released_edits(tx, &finish->edits);
	else
		edits_remove_foreign(&finish->edits, &tx->message->header,
		    tx->authserv_id, 0);
}

static void
could_not_keep(struct transaction *tx, struct finish *finish)
{
	struct log_line line;
	size_t i;

	log_line_init(&line, LOG_LEVEL_ERROR, tx->id.text);
	log_field(&line, "error", "the message could not be kept");
	log_field(&line, "reason", tx->failure);
	log_line_end(&line);
	for (i = 0; i < tx->mailbox_count; i++)
		tx->mailboxes[i].verdict = verdict_plain(tx->arena, CLASS_ERROR,
		    SUB_INTERNAL, tx->failure, ACTION_DEFER);
	if (tx->observes)
		pass_on(tx, finish);
	else
		give_up(tx, finish, answer_of(ANSWER_TRY_LATER));
}

static void
judge_and_carry(struct transaction *tx, struct finish *finish,
    void (*progress)(void *context), void *context)
{
	struct own_field common[OWN_FIELDS_MAX];
	const struct answer *refusal;
	int64_t us;
	size_t n;

	await_checks(tx);
	note_checks(tx);
	count_replays(tx);
	us = clock_mono_us();
	if (us - finish->begun_us > PROGRESS_US)
		progress(context);
	judge_all(tx);
	make_plan(tx, finish);
	n = common_fields(tx, finish, common);
	note_part(tx, PART_JUDGE, &us);
	if (finish->plan.hold_count + finish->plan.deliver_count > 0) {
		refusal = carry_holds(tx, finish, common, n);
		note_part(tx, PART_HOLD, &us);
		if (refusal != NULL) {
			give_up(tx, finish, refusal);
			return;
		}
	}
	if (finish->answer->code == NULL && !finish->discard)
		make_edits(tx, finish, common, n);
}

void
finish_message(struct transaction *tx, struct finish *finish,
    void (*progress)(void *context), void *context)
{
	memset(finish, 0, sizeof(*finish));
	finish->begun_us = clock_mono_us();
	finish->answer = answer_of(ANSWER_CONTINUE);
	finish->entries = arena_calloc(tx->arena, tx->mailbox_count + 1,
	    sizeof(struct hold_entry *));
	finish->plan.delete_rcpt = arena_calloc(tx->arena,
	    tx->envelope.recipient_count + 1, sizeof(bool));
	edits_init(&finish->edits, tx->arena);
	transaction_header_end(tx);
	counters_of(tx)->messages++;
	finish->released = tx->failure == NULL && released_is_ours(tx);
	if (finish->released)
		counters_of(tx)->released++;
	if (tx->failure != NULL)
		could_not_keep(tx, finish);
	else if (finish->released || !tx->watched)
		pass_on(tx, finish);
	else
		judge_and_carry(tx, finish, progress, context);
	finish->planned_us = clock_mono_us();
}

void
finish_failed(struct transaction *tx, struct finish *finish)
{
	give_up(tx, finish, answer_of(ANSWER_TRY_LATER));
}

/* Of a key, behind the last '@'. */
static const char *
domain_of(const char *mailbox)
{
	const char *at = strrchr(mailbox, '@');

	return at != NULL ? at + 1 : "";
}

void
finish_record(struct transaction *tx, struct finish *finish)
{
	const struct plan_mailbox *m;
	const struct hold_entry *entry;
	int64_t us = finish->planned_us;
	size_t i;

	note_part(tx, PART_WRITE_BACK, &us);
	metrics_observe(metrics_of(tx), MILTER_END_OF_MESSAGE, 0,
	    us - finish->begun_us);
	for (i = 0; i < tx->mailbox_count; i++) {
		m = &tx->mailboxes[i];
		entry = finish->entries[i];
		if (!m->ours || finish->released)
			continue;
		metrics_add(metrics_of(tx), MILTER_VERDICTS,
		    m->verdict->main_class, m->status, 1);
		record_log(tx, m, finish->answer, entry);
		/* The event of what was put lies beside it in the store. */
		if (entry == NULL)
			record_send(tx, m, i, finish->answer);
		else if (entry->state == HELD_TO_DELIVER && !entry->already)
			release_worker_tell(tx->session->daemon->release_worker,
			    entry->id, domain_of(m->mailbox), COPY_AFTER_MS);
	}
	if (finish->released)
		record_released(tx);
	else
		failure_tell(tx);
}
