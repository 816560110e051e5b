/*
 * fake_quarantine.c - held entries in memory.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/crypto.h"
#include "base/ulid.h"
#include "base/utf8.h"
#include "quarantine/events.h"
#include "tests/quarantine/fake_quarantine.h"

struct quarantine {
	pthread_mutex_t lock;
	struct fake_entry entries[FAKE_ENTRIES_MAX];
	size_t count;
	enum fake_fault fault;
	unsigned reads;
	int64_t retry_ms;
};

struct events {
	pthread_mutex_t lock;
	json_t *list;
};

struct quarantine *
fake_quarantine_new(void)
{
	struct quarantine *quarantine = xcalloc(1, sizeof(*quarantine));

	pthread_mutex_init(&quarantine->lock, NULL);
	return quarantine;
}

void
fake_quarantine_free(struct quarantine *quarantine)
{
	pthread_mutex_destroy(&quarantine->lock);
	free(quarantine);
}

struct fake_entry *
fake_quarantine_add(struct quarantine *quarantine,
    const struct fake_entry *entry)
{
	struct fake_entry *added = &quarantine->entries[quarantine->count++];

	*added = *entry;
	return added;
}

void
fake_quarantine_fault(struct quarantine *quarantine, enum fake_fault fault)
{
	pthread_mutex_lock(&quarantine->lock);
	quarantine->fault = fault;
	quarantine->reads = 0;
	pthread_mutex_unlock(&quarantine->lock);
}

void
fake_quarantine_retry_ms(struct quarantine *quarantine, int64_t ms)
{
	quarantine->retry_ms = ms;
}

void
fake_quarantine_set_state(struct quarantine *quarantine,
    struct fake_entry *entry, enum held_state state)
{
	pthread_mutex_lock(&quarantine->lock);
	entry->state = state;
	pthread_mutex_unlock(&quarantine->lock);
}

void
fake_quarantine_set_due(struct quarantine *quarantine, struct fake_entry *entry,
    int64_t due_ms)
{
	pthread_mutex_lock(&quarantine->lock);
	entry->due_ms = due_ms;
	pthread_mutex_unlock(&quarantine->lock);
}

struct fake_entry
fake_quarantine_look(struct quarantine *quarantine,
    const struct fake_entry *entry)
{
	struct fake_entry copy;

	pthread_mutex_lock(&quarantine->lock);
	copy = *entry;
	pthread_mutex_unlock(&quarantine->lock);
	return copy;
}

/* With the lock held. */
static struct fake_entry *
find(struct quarantine *quarantine, const char *held_id)
{
	size_t i;

	for (i = 0; i < quarantine->count; i++)
		if (strcmp(quarantine->entries[i].id, held_id) == 0)
			return &quarantine->entries[i];
	return NULL;
}

static bool
has_fault(struct quarantine *quarantine, enum fake_fault fault, struct err *err)
{
	if (quarantine->fault != fault)
		return false;
	err_set(err, ERR_TEMP, "the store is away");
	return true;
}

static const char *const names[] = { "held", "to-deliver", "releasing",
	"released", "refused", "unknown", "removed" };

const char *
held_state_name(enum held_state state)
{
	return names[state];
}

int
held_state_parse(struct bytes word)
{
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (bytes_equal(word, bytes_of(names[i])))
			return (int)i;
	return -1;
}

static void
set(json_t *json, const char *key, const char *value)
{
	char *raw_key = xprintf("%s_raw", key);
	struct buf base64;

	buf_init(&base64, 10000);
	if (value != NULL && utf8_is_valid(bytes_of(value))) {
		json_object_set_new(json, key, json_string(value));
	} else if (value != NULL) {
		base64_encode(bytes_of(value), &base64);
		json_object_set_new(json, key, json_string("?"));
		json_object_set_new(json, raw_key,
		    json_string(buf_str(&base64)));
	}
	buf_free(&base64);
	free(raw_key);
}

int
quarantine_get(struct quarantine *quarantine, const char *held_id,
    const char *domain, json_t **out, struct err *err)
{
	struct fake_entry *entry;
	json_t *json;
	int rc = 0;

	(void)domain;
	pthread_mutex_lock(&quarantine->lock);
	entry = find(quarantine, held_id);
	if (has_fault(quarantine, FAULT_GET, err)) {
		rc = -1;
	} else if (has_fault(quarantine, FAULT_GET_ONCE, err)) {
		quarantine->fault = FAULT_NONE;
		rc = -1;
	} else if (entry != NULL) {
		json = json_object();
		set(json, "mailbox", entry->mailbox);
		set(json, "rcpt", entry->rcpt);
		set(json, "rcpt_params", entry->rcpt_params);
		set(json, "sender", entry->sender);
		set(json, "sender_params", entry->sender_params);
		set(json, "received", entry->received);
		set(json, "results", entry->results);
		set(json, "authserv_id", entry->authserv_id);
		set(json, "subject_mark", entry->subject_mark);
		set(json, "state", names[entry->state]);
		*out = json;
		rc = 1;
	}
	pthread_mutex_unlock(&quarantine->lock);
	return rc;
}

int
quarantine_signatures(struct quarantine *quarantine, const char *held_id,
    const char *domain, struct buf *out, struct err *err)
{
	struct fake_entry *entry;
	int rc = 0;

	(void)domain;
	pthread_mutex_lock(&quarantine->lock);
	entry = find(quarantine, held_id);
	if (has_fault(quarantine, FAULT_SIGNATURES, err))
		rc = -1;
	else if (entry->signatures != NULL)
		rc = buf_append_str(out, entry->signatures);
	pthread_mutex_unlock(&quarantine->lock);
	return rc;
}

/* In pieces of 7, so that every border is inside something. */
int
quarantine_read(struct quarantine *quarantine, const char *held_id,
    int (*each)(void *context, struct bytes piece, struct err *err),
    void *context, struct err *err)
{
	struct bytes rest, piece;
	bool breaks;
	int rc = 0;

	pthread_mutex_lock(&quarantine->lock);
	rest = find(quarantine, held_id)->bytes;
	quarantine->reads++;
	breaks = quarantine->fault == FAULT_READ ||
	    (quarantine->fault == FAULT_READ_TWICE && quarantine->reads == 2);
	pthread_mutex_unlock(&quarantine->lock);
	while (rc == 0 && rest.len > 0) {
		piece = rest;
		if (piece.len > 7)
			piece.len = 7;
		rc = each(context, piece, err);
		rest.data += piece.len;
		rest.len -= piece.len;
		if (breaks)
			return err_set(err, ERR_TEMP, "the store is away");
	}
	return rc;
}

int
quarantine_lease(struct quarantine *quarantine, const char *held_id,
    const char *domain, const char *actor, unsigned lease_s, bool retry_unknown,
    char token[LEASE_TOKEN_SIZE], enum held_state *state, struct err *err)
{
	struct fake_entry *entry;
	struct ulid ulid = ulid_new();
	int rc = 0;

	(void)domain;
	(void)actor;
	(void)lease_s;
	pthread_mutex_lock(&quarantine->lock);
	entry = find(quarantine, held_id);
	if (has_fault(quarantine, FAULT_LEASE, err)) {
		rc = -1;
	} else if (entry->state == HELD_HELD || entry->state == HELD_REFUSED ||
	    entry->state == HELD_TO_DELIVER ||
	    (entry->state == HELD_UNKNOWN && retry_unknown)) {
		*state = entry->state;
		entry->state = HELD_RELEASING;
		entry->dot_marked = false;
		entry->leases++;
		memcpy(entry->token, ulid.text, LEASE_TOKEN_SIZE);
		memcpy(token, ulid.text, LEASE_TOKEN_SIZE);
		rc = 1;
	} else {
		*state = entry->state;
	}
	pthread_mutex_unlock(&quarantine->lock);
	return rc;
}

int
quarantine_mark_dot(struct quarantine *quarantine, const char *held_id,
    const char *domain, const char *token, unsigned lease_s, struct err *err)
{
	struct fake_entry *entry;
	int rc = 0;

	(void)domain;
	(void)lease_s;
	pthread_mutex_lock(&quarantine->lock);
	entry = find(quarantine, held_id);
	if (has_fault(quarantine, FAULT_MARK, err)) {
		rc = -1;
	} else if (quarantine->fault == FAULT_LEASE_LOST) {
		entry->token[0] = '\0';
	} else if (strcmp(entry->token, token) == 0) {
		entry->dot_marked = true;
		rc = 1;
	}
	pthread_mutex_unlock(&quarantine->lock);
	return rc;
}

int
quarantine_settle(struct quarantine *quarantine, const char *held_id,
    const char *domain, const char *token, enum held_state state,
    const char *reply, struct err *err)
{
	struct fake_entry *entry;
	int rc = 0;

	(void)domain;
	pthread_mutex_lock(&quarantine->lock);
	entry = find(quarantine, held_id);
	if (has_fault(quarantine, FAULT_SETTLE, err) ||
	    has_fault(quarantine, FAULT_SETTLE_ONCE, err)) {
		if (quarantine->fault == FAULT_SETTLE_ONCE)
			quarantine->fault = FAULT_NONE;
		rc = -1;
	} else if (strcmp(entry->token, token) == 0) {
		entry->state = state;
		entry->token[0] = '\0';
		entry->settles++;
		entry->due_ms = clock_mono_ms() + quarantine->retry_ms;
		snprintf(entry->reply, sizeof(entry->reply), "%s", reply);
		rc = 1;
	}
	pthread_mutex_unlock(&quarantine->lock);
	return rc;
}

int
quarantine_due(struct quarantine *quarantine, struct arena *arena, size_t limit,
    struct held_ref *refs, size_t *n, struct err *err)
{
	struct fake_entry *entry;
	size_t i;

	(void)err;
	*n = 0;
	pthread_mutex_lock(&quarantine->lock);
	for (i = 0; i < quarantine->count && *n < limit; i++) {
		entry = &quarantine->entries[i];
		if (entry->state != HELD_TO_DELIVER ||
		    entry->due_ms > clock_mono_ms())
			continue;
		memcpy(refs[*n].id, entry->id, sizeof(entry->id));
		refs[*n].domain = arena_strdup(arena, "y.example");
		(*n)++;
	}
	pthread_mutex_unlock(&quarantine->lock);
	return 0;
}

/* ---- events ---- */

struct events *
fake_events_new(void)
{
	struct events *events = xcalloc(1, sizeof(*events));

	pthread_mutex_init(&events->lock, NULL);
	events->list = json_array();
	return events;
}

void
fake_events_free(struct events *events)
{
	json_decref(events->list);
	pthread_mutex_destroy(&events->lock);
	free(events);
}

void
events_send(struct events *events, json_t *take_event)
{
	pthread_mutex_lock(&events->lock);
	json_array_append_new(events->list, take_event);
	pthread_mutex_unlock(&events->lock);
}

json_t *
fake_events_take(struct events *events)
{
	json_t *list;

	pthread_mutex_lock(&events->lock);
	list = events->list;
	events->list = json_array();
	pthread_mutex_unlock(&events->lock);
	return list;
}
