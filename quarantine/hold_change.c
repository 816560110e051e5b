/*
 * hold_change.c - remove, lease, settle, and what is due.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"
#include "quarantine/hold.h"

/* Between two tries of a to-deliver: this, doubled each time. */
#define RETRY_FIRST_MS 60000
#define RETRY_MAX_MS 1800000
#define RETRY_DOUBLINGS_MAX 5
/* A domain without anything due leaves the list after this. */
#define DUE_FORGET_MS 600000
#define DUE_DOMAINS_MAX 10000

/* ---- removing ---- */

static const char *const drop_status[] = {
	[DROP_REMOVED] = "removed",
	[DROP_EXPIRED] = "expired",
};

/* The event that says so; *text is "" when there is nothing to tell. */
static void
drop_event(struct arena *arena, struct bytes held_id, enum hold_drop why,
    const char *actor, const char **event_id, const char **text)
{
	struct ulid ulid;
	json_t *event;

	*event_id = *text = "";
	if (why == DROP_DEAD)
		return;
	ulid = ulid_new();
	event = json_pack("{s:s, s:s%, s:I, s:s}", "event", ulid.text, "id",
	    held_id.data, held_id.len, "time", (json_int_t)clock_wall_ms(),
	    "status", drop_status[why]);
	hold_json_text(event, "actor", actor);
	*event_id = arena_strdup(arena, ulid.text);
	*text = hold_json_dump(arena, event);
	json_decref(event);
}

int
hold_drop(struct quarantine *q, const char *domain,
    const struct hold_charge *charge, enum hold_drop why, const char *actor,
    struct err *err)
{
	struct arena *arena = arena_new(0);
	const char *id = arena_memdup(arena, charge->id.data, charge->id.len);
	const char *local =
	    arena_memdup(arena, charge->local.data, charge->local.len);
	const char *event_id, *text;
	struct store_reply *reply;
	struct hold_args args;
	int rc = -1;

	drop_event(arena, bytes_of(id), why, actor, &event_id, &text);
	hold_args_init(&args, arena);
	hold_key(&args, hold_domain_key2(arena, domain, "held", id));
	hold_key(&args, hold_domain_key(arena, domain, "index"));
	hold_key(&args, hold_domain_key2(arena, domain, "index", local));
	hold_key(&args, hold_domain_key(arena, domain, "expiry"));
	hold_key(&args, hold_domain_key(arena, domain, "due"));
	hold_key(&args, hold_domain_key(arena, domain, "bytes"));
	hold_key(&args, hold_domain_key(arena, domain, "outbox"));
	hold_arg_str(&args, id);
	hold_arg_str(&args,
	    hold_charge_format(arena, id, charge->bytes, local));
	hold_arg_int(&args, (int64_t)charge->bytes);
	hold_arg_int(&args, clock_wall_ms());
	hold_arg_str(&args, event_id);
	hold_arg_str(&args, text);
	if (hold_run(q, SCRIPT_DROP, true, &args, &reply, err) == 0) {
		rc = (int)(reply->integer & 3);
		store_reply_free(reply);
	}
	if (rc == 1) {
		struct err why_not;

		if (text[0] != '\0')
			outbox_add(q->outbox, domain, event_id, text);
		/* Else they live until their time is up. */
		if (hold_chunks_release(q, id, &why_not) < 0)
			log_info("%s: chunks stay: %s", id, why_not.text);
	}
	arena_free(arena);
	return rc;
}

/* The entry as it is, to know what its removal gives back. */
static int
read_status(struct quarantine *q, struct arena *arena, const char *domain,
    const char *held_id, struct store_reply **reply, struct hold_status *status,
    struct err *err)
{
	const char *key = hold_domain_key2(arena, domain, "held", held_id);
	struct hold_args args;
	int rc;

	hold_args_init(&args, arena);
	hold_status_command(&args, key, false);
	if (store_run(q->store, key, args.argc, args.argv, reply, err) < 0)
		return -1;
	rc = hold_status_read(*reply, key, clock_wall_ms(), status, err);
	if (rc <= 0) {
		store_reply_free(*reply);
		*reply = NULL;
	}
	return rc;
}

int
quarantine_remove(struct quarantine *q, const char *held_id, const char *domain,
    const char *actor, struct err *err)
{
	struct arena *arena;
	struct store_reply *reply = NULL;
	struct hold_status status;
	struct hold_charge charge;
	struct bytes mail_id;
	int rc;

	if (hold_id_parse(held_id, &mail_id, err) < 0)
		return -1;
	arena = arena_new(0);
	rc = read_status(q, arena, domain, held_id, &reply, &status, err);
	if (rc == 1) {
		charge = (struct hold_charge){ bytes_of(held_id), status.charge,
			status.local };
		rc = hold_drop(q, domain, &charge, DROP_REMOVED, actor, err);
		/* Over its time: for everybody it was gone already. */
		if (rc == 1 && status.expires_ms <= clock_wall_ms())
			rc = 0;
	}
	if (rc == 2)
		rc = err_set(err, ERR_TEMP, "%s is being released", held_id);
	store_reply_free(reply);
	arena_free(arena);
	return rc;
}

int64_t
hold_trim(struct quarantine *q, const char *domain, size_t limit,
    struct err *err)
{
	struct arena *arena = arena_new(0);
	const char *key = hold_domain_key(arena, domain, "expiry");
	struct store_reply *reply = NULL;
	int64_t trimmed = 0;
	size_t i;

	if (store_runf(q->store, key, &reply, err,
		"ZRANGE %s -inf %d BYSCORE LIMIT 0 %d", key, clock_wall_ms(),
		(int64_t)limit) < 0)
		trimmed = -1;
	for (i = 0; trimmed >= 0 && i < reply->count; i++) {
		struct bytes member = hold_reply_text(reply, i);
		struct hold_charge charge;
		int rc;

		if (hold_charge_parse(member, &charge) < 0) {
			log_warn("%s: damaged member removed", key);
			rc = store_runf(q->store, key, NULL, err, "ZREM %s %b",
			    key, &member);
		} else {
			rc = hold_drop(q, domain, &charge, DROP_EXPIRED,
			    "system", err);
		}
		trimmed = rc < 0 ? -1 : trimmed + (rc != 2);
	}
	store_reply_free(reply);
	arena_free(arena);
	return trimmed;
}

/* ---- release ---- */

static void
entry_and_due(struct hold_args *args, const char *domain, const char *held_id)
{
	hold_key(args, hold_domain_key2(args->arena, domain, "held", held_id));
	hold_key(args, hold_domain_key(args->arena, domain, "due"));
	hold_arg_str(args, held_id);
	hold_arg_int(args, clock_wall_ms());
}

int
quarantine_lease(struct quarantine *q, const char *held_id, const char *domain,
    const char *actor, unsigned lease_s, bool retry_unknown,
    char token[LEASE_TOKEN_SIZE], enum held_state *state, struct err *err)
{
	struct ulid ulid = ulid_new();
	struct store_reply *reply;
	struct hold_args args;
	struct arena *arena;
	struct bytes mail_id;
	int rc, word;

	if (hold_id_parse(held_id, &mail_id, err) < 0)
		return -1;
	arena = arena_new(0);
	hold_args_init(&args, arena);
	entry_and_due(&args, domain, held_id);
	hold_arg_str(&args, ulid.text);
	hold_arg_int(&args, clock_wall_ms() + (int64_t)lease_s * 1000);
	hold_arg_str(&args, actor);
	hold_arg_str(&args, retry_unknown ? "1" : "0");
	rc = hold_run(q, SCRIPT_LEASE, true, &args, &reply, err);
	arena_free(arena);
	if (rc < 0)
		return -1;
	word = held_state_parse(hold_reply_text(reply, 1));
	rc = (int)hold_reply_int(reply, 0);
	store_reply_free(reply);
	if (word < 0)
		return err_set(err, ERR_INPUT, "%s: damaged: state", held_id);
	*state = (enum held_state)word;
	if (rc == 1)
		memcpy(token, ulid.text, LEASE_TOKEN_SIZE);
	return rc;
}

/* When to try again to deliver what was tried so often. */
static int64_t
retry_at(int64_t tries)
{
	int64_t wait = RETRY_MAX_MS;

	if (tries >= 1 && tries <= RETRY_DOUBLINGS_MAX)
		wait = (int64_t)RETRY_FIRST_MS << (tries - 1);
	return clock_wall_ms() + wait;
}

static int64_t
tries_of(struct quarantine *q, struct arena *arena, const char *domain,
    const char *held_id)
{
	struct store_reply *reply;
	struct hold_status status;
	int64_t tries = 1;

	/* Not known: as after the first try. */
	if (read_status(q, arena, domain, held_id, &reply, &status, NULL) ==
	    1) {
		tries = status.tries;
		store_reply_free(reply);
	}
	return tries;
}

int
quarantine_settle(struct quarantine *q, const char *held_id, const char *domain,
    const char *token, enum held_state state, const char *reply_text,
    struct err *err)
{
	struct arena *arena = arena_new(0);
	struct store_reply *reply;
	struct hold_args args;
	int rc;

	hold_args_init(&args, arena);
	entry_and_due(&args, domain, held_id);
	hold_arg_str(&args, token);
	hold_arg_str(&args, held_state_name(state));
	hold_arg_str(&args, reply_text != NULL ? reply_text : "");
	if (state == HELD_TO_DELIVER)
		hold_arg_int(&args,
		    retry_at(tries_of(q, arena, domain, held_id)));
	else
		hold_arg_str(&args, "");
	rc = hold_run(q, SCRIPT_SETTLE, true, &args, &reply, err);
	arena_free(arena);
	if (rc < 0)
		return -1;
	rc = reply->integer == 1;
	store_reply_free(reply);
	return rc;
}

int
quarantine_mark_dot(struct quarantine *q, const char *held_id,
    const char *domain, const char *token, unsigned lease_s, struct err *err)
{
	struct arena *arena = arena_new(0);
	struct store_reply *reply;
	struct hold_args args;
	int rc;

	hold_args_init(&args, arena);
	hold_key(&args, hold_domain_key2(arena, domain, "held", held_id));
	hold_arg_str(&args, token);
	hold_arg_int(&args, clock_wall_ms() + (int64_t)lease_s * 1000);
	rc = hold_run(q, SCRIPT_DOT, true, &args, &reply, err);
	arena_free(arena);
	if (rc < 0)
		return -1;
	rc = reply->integer == 1;
	store_reply_free(reply);
	return rc;
}

/* ---- due ---- */

struct due {
	struct quarantine *q;
	struct arena *arena;
	size_t limit;
	struct held_ref *refs;
	size_t n;
	int64_t now_ms;
};

static void
add_ref(struct due *due, const char *domain, struct bytes id)
{
	struct held_ref *ref = &due->refs[due->n];

	if (due->n == due->limit || id.len == 0 || id.len >= sizeof(ref->id))
		return;
	memcpy(ref->id, id.data, id.len);
	ref->id[id.len] = '\0';
	if (hold_id_parse(ref->id, &id, NULL) < 0)
		return;
	ref->domain = domain;
	due->n++;
}

/* Nothing there, and nobody was for long: it need not be looked at. */
static int
forget_domain(struct due *due, const char *domain, struct bytes score,
    struct err *err)
{
	struct store_reply *reply;
	struct hold_args args;
	const char *key = hold_domain_key(due->arena, domain, "due");
	bool empty;

	if (store_runf(due->q->store, key, &reply, err, "ZCARD %s", key) < 0)
		return -1;
	empty = reply->type == STORE_INTEGER && reply->integer == 0;
	store_reply_free(reply);
	if (!empty)
		return 0;
	hold_args_init(&args, due->arena);
	hold_key(&args, HOLD_DUE_KEY);
	hold_arg_str(&args, domain);
	hold_arg(&args, score);
	return hold_run(due->q, SCRIPT_FORGET_DOMAIN, false, &args, NULL, err);
}

static int
due_of_domain(struct due *due, struct bytes name, struct bytes score,
    struct err *err)
{
	const char *domain = arena_memdup(due->arena, name.data, name.len);
	const char *key = hold_domain_key(due->arena, domain, "due");
	struct store_reply *reply;
	uint64_t noted;
	size_t i, count;

	if (store_runf(due->q->store, key, &reply, err,
		"ZRANGE %s -inf %d BYSCORE LIMIT 0 %d", key, due->now_ms,
		(int64_t)(due->limit - due->n)) < 0)
		return -1;
	count = reply->count;
	for (i = 0; i < count; i++)
		add_ref(due, domain, hold_reply_text(reply, i));
	store_reply_free(reply);
	if (count > 0 || parse_u64(score, 0, INT64_MAX, &noted) < 0 ||
	    due->now_ms - (int64_t)noted < DUE_FORGET_MS)
		return 0;
	return forget_domain(due, domain, score, err);
}

int
quarantine_due(struct quarantine *q, struct arena *arena, size_t limit,
    struct held_ref *refs, size_t *n, struct err *err)
{
	struct due due = { q, arena, limit, refs, 0, clock_wall_ms() };
	struct store_reply *reply;
	size_t domains, turn, i;
	int rc = 0;

	*n = 0;
	if (store_runf(q->store, HOLD_DUE_KEY, &reply, err,
		"ZRANGE %s 0 %d WITHSCORES", HOLD_DUE_KEY,
		(int64_t)DUE_DOMAINS_MAX - 1) < 0)
		return -1;
	domains = reply->count / 2;
	pthread_mutex_lock(&q->lock);
	turn = q->due_turn++;
	pthread_mutex_unlock(&q->lock);
	/* Another domain first each time, so that none starves. */
	for (i = 0; i < domains && due.n < limit && rc == 0; i++) {
		size_t k = (turn + i) % domains * 2;

		rc = due_of_domain(&due, hold_reply_text(reply, k),
		    hold_reply_text(reply, k + 1), err);
	}
	store_reply_free(reply);
	*n = due.n;
	return rc < 0 ? -1 : 0;
}
