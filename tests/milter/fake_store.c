/*
 * fake_store.c - the store, the quarantine, release and events, replaced
 * at their seams.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/store.h"
#include "policy/settings.h"
#include "quarantine/events.h"
#include "quarantine/heartbeat.h"
#include "quarantine/release.h"

#include "tests/milter/fake_store.h"

#define TRACE_MAX 65536

/* libmilter's daemon is one a process, and so is this. */
static struct fake_store the_store;

struct fake_store *
fake_store(void)
{
	return &the_store;
}

void
fake_store_reset(void)
{
	buf_free(&the_store.trace);
	free(the_store.received);
	free(the_store.results);
	memset(&the_store, 0, sizeof(the_store));
	the_store.up = true;
	buf_init(&the_store.trace, TRACE_MAX);
}

/* ---- base/store.h ---- */

struct store *
store_open(const struct store_options *options, struct err *err)
{
	(void)options;
	(void)err;
	return xmalloc(1);
}

void
store_close(struct store *store)
{
	free(store);
}

bool
store_is_up(const struct store *store)
{
	(void)store;
	return the_store.up;
}

/* Nobody counts anything. */
int
store_eval_within(struct store *store, unsigned timeout_ms,
    const struct store_script *script, size_t keys, size_t argc,
    const struct bytes *argv, struct store_reply **reply, struct err *err)
{
	(void)store;
	(void)timeout_ms;
	(void)script;
	(void)keys;
	(void)argc;
	(void)argv;
	(void)reply;
	return err_set(err, ERR_TEMP, "not in this test");
}

void
store_reply_free(struct store_reply *reply)
{
	(void)reply;
}

/* ---- policy/settings.h ---- */

struct settings_watch *
settings_watch_start(struct store *store, struct err *err)
{
	(void)store;
	err_set(err, ERR_TEMP, "not in this test");
	return NULL;
}

struct settings *
settings_watch_get(struct settings_watch *watch)
{
	(void)watch;
	return NULL;
}

void
settings_watch_stop(struct settings_watch *watch)
{
	(void)watch;
}

/* ---- quarantine/quarantine.h ---- */

struct quarantine *
quarantine_open(struct store *store, const struct quarantine_options *options)
{
	(void)store;
	(void)options;
	return xmalloc(1);
}

void
quarantine_close(struct quarantine *quarantine)
{
	free(quarantine);
}

void
quarantine_stop_mending(struct quarantine *quarantine)
{
	(void)quarantine;
}

int
quarantine_mend(struct quarantine *quarantine, struct err *err)
{
	(void)quarantine;
	(void)err;
	return 0;
}

static void
trace_entry(const struct hold_entry *entry)
{
	struct buf *trace = &the_store.trace;

	buf_printf(trace, " %s:%s",
	    entry->state == HELD_HELD ? "held" : "beside", entry->mailbox);
	if (entry->hidden)
		buf_append_str(trace, "(hidden)");
	if (entry->subject_mark != NULL)
		buf_printf(trace, "(%s)", entry->subject_mark);
}

int
quarantine_put(struct quarantine *quarantine, const struct hold_mail *mail,
    size_t n, struct hold_entry *entries, enum quarantine_full *full,
    struct err *err)
{
	size_t i;

	(void)quarantine;
	if (the_store.put_rc < 0) {
		*full = the_store.put_full;
		return err_set(err, the_store.put_kind, "as the test wants");
	}
	for (i = 0; i < n; i++) {
		trace_entry(&entries[i]);
		snprintf(entries[i].id, sizeof(entries[i].id), "%s.%zu",
		    mail->id, i);
		entries[i].already = the_store.already;
		the_store.retention_s = entries[i].retention_s;
		if (entries[i].record == NULL || entries[i].event == NULL)
			abort();
	}
	free(the_store.received);
	free(the_store.results);
	the_store.received = xstrdup(mail->received);
	the_store.results = xstrdup(mail->results);
	return 0;
}

/* ---- quarantine/events.h ---- */

struct events *
events_open(struct store *store, const struct events_options *options,
    struct err *err)
{
	(void)store;
	(void)options;
	(void)err;
	return xmalloc(1);
}

void
events_close(struct events *events)
{
	free(events);
}

void
events_send(struct events *events, json_t *take_event)
{
	(void)events;
	buf_printf(&the_store.trace, " event:%s:%s",
	    json_string_value(json_object_get(take_event, "status")),
	    json_string_value(json_object_get(take_event, "mailbox")));
	json_decref(take_event);
}

void
events_send_failure(struct events *events, json_t *take_failure)
{
	(void)events;
	buf_printf(&the_store.trace, " failure:%s:%s",
	    json_string_value(json_object_get(take_failure, "what")),
	    json_string_value(json_object_get(take_failure, "delivery")));
	json_decref(take_failure);
}

/* ---- quarantine/release.h ---- */

struct release *
release_open(struct quarantine *quarantine, struct events *events,
    const struct release_options *options)
{
	(void)quarantine;
	(void)events;
	(void)options;
	return xmalloc(1);
}

void
release_close(struct release *release)
{
	free(release);
}

/* "valid" is a good header. */
bool
release_header_check(const struct settings *settings, struct bytes value,
    const char *recipient, const uint8_t hash[32])
{
	(void)settings;
	(void)recipient;
	(void)hash;
	return bytes_equal(value, BYTES_LIT("valid"));
}

struct release_worker *
release_worker_start(struct release *release,
    struct settings *(*settings)(void *context), void *context)
{
	(void)release;
	(void)settings;
	(void)context;
	return xmalloc(1);
}

void
release_worker_tell(struct release_worker *worker, const char *held_id,
    const char *domain, unsigned after_ms)
{
	(void)worker;
	(void)after_ms;
	buf_printf(&the_store.trace, " sent:%s:%s",
	    held_id + strcspn(held_id, "."), domain);
}

void
release_worker_stop(struct release_worker *worker)
{
	free(worker);
}

/* ---- what the pulse needs ---- */

void
store_get_stats(struct store *store, struct store_stats *out)
{
	(void)store;
	memset(out, 0, sizeof(*out));
}

void
events_get_stats(struct events *events, struct events_stats *out)
{
	(void)events;
	memset(out, 0, sizeof(*out));
}

int
heartbeat_send(struct store *store, const struct heartbeat_self *self,
    const struct metrics *metrics, struct err *err)
{
	(void)store;
	(void)self;
	(void)metrics;
	(void)err;
	return 0;
}

void
heartbeat_stop(struct store *store, const struct heartbeat_self *self)
{
	(void)store;
	(void)self;
}
