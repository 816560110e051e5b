/*
 * hold_mend.c - what a crash or time left behind.
 *
 * Every domain that ever held mail is looked at: what is over its time is
 * removed, entries that lost their mail too, the bytes are counted anew,
 * and events that were not sent are.  Leases that ran out need nothing:
 * they are counted whenever an entry is read.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"
#include "quarantine/hold.h"

#define PAGE 500
#define TRIM_PAGE 500
/* A domain without held mail leaves the list after this. */
#define DOMAIN_FORGET_MS (7 * MS_PER_DAY)

struct mend {
	struct quarantine *q;
	const char *domain;
	struct arena *arena; /* of the domain */
	uint64_t bytes;
	size_t entries, removed, events, expired;
};

static bool
ends(const struct quarantine *q)
{
	return atomic_load(&q->mending_ends);
}

void
quarantine_stop_mending(struct quarantine *q)
{
	atomic_store(&q->mending_ends, true);
}

/* Is the mail of an entry there?  1, 0, -1. */
static int
has_mail(struct mend *mend, const char *id, struct err *err)
{
	const char *key =
	    hold_mail_key(mend->arena, (struct bytes){ id, ULID_LEN }, "meta");
	struct store_reply *reply;
	int rc;

	if (store_runf(mend->q->store, key, &reply, err, "EXISTS %s", key) < 0)
		return -1;
	rc = reply->integer == 1;
	store_reply_free(reply);
	return rc;
}

static int
mend_entry(struct mend *mend, struct bytes member, struct err *err)
{
	struct hold_charge charge;
	struct bytes mail_id;
	const char *id;
	int rc;

	if (hold_charge_parse(member, &charge) < 0)
		return 0; /* the trimming sees to it */
	id = arena_memdup(mend->arena, charge.id.data, charge.id.len);
	if (hold_id_parse(id, &mail_id, NULL) < 0)
		return 0;
	rc = has_mail(mend, id, err);
	if (rc != 0) {
		mend->bytes += charge.bytes;
		mend->entries++;
		return rc < 0 ? -1 : 0;
	}
	log_error("%s: held mail of %s has lost its contents", id,
	    mend->domain);
	mend->removed++;
	return hold_drop(mend->q, mend->domain, &charge, DROP_DEAD, "", err) < 0
	    ? -1
	    : 0;
}

/* Every entry by its expiry: 0, or -1. */
static int
mend_entries(struct mend *mend, struct err *err)
{
	const char *key = hold_domain_key(mend->arena, mend->domain, "expiry");
	size_t at = 0, before, count, i;
	int rc = 0;

	do {
		struct store_reply *reply;

		if (store_runf(mend->q->store, key, &reply, err,
			"ZRANGE %s %d %d", key, (int64_t)at,
			(int64_t)(at + PAGE - 1)) < 0)
			return -1;
		count = reply->count;
		before = mend->removed;
		for (i = 0; i < count && rc == 0; i++)
			rc = mend_entry(mend, hold_reply_text(reply, i), err);
		store_reply_free(reply);
		at += count - (mend->removed - before);
	} while (count == PAGE && rc == 0 && !ends(mend->q));
	return rc;
}

static struct bytes
stored_bytes(struct mend *mend, const char *key, struct err *err)
{
	struct store_reply *reply;
	struct bytes text = { NULL, 0 };

	if (store_runf(mend->q->store, key, &reply, err, "GET %s", key) < 0)
		return text;
	text.data = arena_memdup(mend->arena,
	    reply->text.data != NULL ? reply->text.data : "", reply->text.len);
	text.len = reply->text.len;
	store_reply_free(reply);
	return text;
}

/* Only when nothing was held or removed while they were counted. */
static int
mend_bytes(struct mend *mend, const char *key, struct bytes was,
    struct err *err)
{
	struct hold_args args;
	uint64_t number;

	if (parse_u64(was, 0, INT64_MAX, &number) == 0 && number == mend->bytes)
		return 0;
	if (was.len == 0 && mend->bytes == 0)
		return 0;
	hold_args_init(&args, mend->arena);
	hold_key(&args, key);
	hold_arg(&args, was);
	hold_arg_int(&args, (int64_t)mend->bytes);
	return hold_run(mend->q, SCRIPT_SET_BYTES, true, &args, NULL, err);
}

/* Deliveries must be found whatever became of the note of them. */
static int
mend_due(struct mend *mend, struct err *err)
{
	const char *key = hold_domain_key(mend->arena, mend->domain, "due");
	struct store_reply *reply;
	bool any;

	if (store_runf(mend->q->store, key, &reply, err, "ZCARD %s", key) < 0)
		return -1;
	any = reply->type == STORE_INTEGER && reply->integer > 0;
	store_reply_free(reply);
	if (!any)
		return 0;
	return store_runf(mend->q->store, HOLD_DUE_KEY, NULL, err,
	    "ZADD " HOLD_DUE_KEY " %d %s", clock_wall_ms(), mend->domain);
}

static int
mend_domain(struct mend *mend, struct err *err)
{
	const char *key = hold_domain_key(mend->arena, mend->domain, "bytes");
	struct bytes was;
	int64_t n;

	do {
		n = hold_trim(mend->q, mend->domain, TRIM_PAGE, err);
		mend->expired += n > 0 ? (size_t)n : 0;
	} while (n == TRIM_PAGE && !ends(mend->q));
	if (n < 0)
		return -1;
	was = stored_bytes(mend, key, err);
	if (was.data == NULL || mend_entries(mend, err) < 0)
		return -1;
	/* Not all were counted. */
	if (ends(mend->q))
		return 0;
	/* What was removed has changed the count: next time. */
	if (mend->removed == 0 && mend_bytes(mend, key, was, err) < 0)
		return -1;
	if (mend_due(mend, err) < 0)
		return -1;
	n = outbox_sweep(mend->q->outbox, mend->domain, err);
	mend->events += n > 0 ? (size_t)n : 0;
	return n < 0 ? -1 : 0;
}

static int
forget(struct mend *mend, struct bytes score, struct err *err)
{
	struct hold_args args;
	uint64_t noted;

	if (parse_u64(score, 0, INT64_MAX, &noted) < 0 ||
	    clock_wall_ms() - (int64_t)noted < DOMAIN_FORGET_MS)
		return 0;
	hold_args_init(&args, mend->arena);
	hold_key(&args, HOLD_DOMAINS_KEY);
	hold_arg_str(&args, mend->domain);
	hold_arg(&args, score);
	return hold_run(mend->q, SCRIPT_FORGET_DOMAIN, false, &args, NULL, err);
}

static int
mend_one(struct quarantine *q, struct bytes name, struct bytes score,
    struct err *err)
{
	struct mend mend = { .q = q, .arena = arena_new(65536) };
	int rc;

	mend.domain = arena_memdup(mend.arena, name.data, name.len);
	rc = mend_domain(&mend, err);
	if (rc == 0 && mend.entries == 0 && mend.removed == 0 && !ends(q))
		rc = forget(&mend, score, err);
	if (mend.removed + mend.events + mend.expired > 0)
		log_info("quarantine of %s: %zu expired, %zu without their "
			 "mail, %zu events sent",
		    mend.domain, mend.expired, mend.removed, mend.events);
	if (rc < 0)
		err_prefix(err, "quarantine of %s", mend.domain);
	arena_free(mend.arena);
	return rc < 0 ? -1 : 0;
}

int
quarantine_mend(struct quarantine *q, struct err *err)
{
	struct store_reply *reply;
	struct err why;
	size_t i;
	int rc = 0;

	if (q->store == NULL)
		return 0;
	if (store_runf(q->store, HOLD_DOMAINS_KEY, &reply, err,
		"ZRANGE " HOLD_DOMAINS_KEY " 0 -1 WITHSCORES") < 0)
		return -1;
	for (i = 0; i + 1 < reply->count && rc == 0 && !ends(q); i += 2) {
		rc = mend_one(q, hold_reply_text(reply, i),
		    hold_reply_text(reply, i + 1), &why);
		/* What is beyond mending here must not keep the others. */
		if (rc < 0 && why.kind == ERR_INPUT) {
			log_error("%s", why.text);
			rc = 0;
		}
	}
	store_reply_free(reply);
	if (rc < 0 && err != NULL)
		*err = why;
	return rc;
}
