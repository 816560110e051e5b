/*
 * fake_quarantine.h - held entries in memory, in place of quarantine.c and
 * events.c, for tests of what stands above them.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef TESTS_QUARANTINE_FAKE_QUARANTINE_H
#define TESTS_QUARANTINE_FAKE_QUARANTINE_H

#include "quarantine/quarantine.h"

#define FAKE_ENTRIES_MAX 100

struct fake_entry {
	char id[40];
	const char *mailbox, *rcpt, *rcpt_params;
	const char *sender, *sender_params;
	const char *received, *results, *authserv_id;
	const char *subject_mark, *signatures;
	struct bytes bytes;
	/* what the code under test made of it */
	enum held_state state;
	char token[LEASE_TOKEN_SIZE];
	char reply[500];
	bool dot_marked;
	unsigned leases, settles;
	int64_t due_ms; /* monotonic */
};

/* How the store misbehaves. */
enum fake_fault {
	FAULT_NONE,
	FAULT_GET,
	FAULT_GET_ONCE,
	FAULT_SIGNATURES,
	FAULT_LEASE,
	FAULT_READ,       /* breaks off in the middle */
	FAULT_READ_TWICE, /* only the second time */
	FAULT_MARK,       /* the store is away */
	FAULT_LEASE_LOST, /* somebody else has the entry by then */
	FAULT_SETTLE_ONCE,
	FAULT_SETTLE,
};

struct quarantine *fake_quarantine_new(void);
void fake_quarantine_free(struct quarantine *quarantine);
struct fake_entry *fake_quarantine_add(struct quarantine *quarantine,
    const struct fake_entry *entry);
void fake_quarantine_fault(struct quarantine *quarantine,
    enum fake_fault fault);
/* After how many milliseconds a to-deliver entry is due again. */
void fake_quarantine_retry_ms(struct quarantine *quarantine, int64_t ms);
/* All safe against the thread under test. */
void fake_quarantine_set_state(struct quarantine *quarantine,
    struct fake_entry *entry, enum held_state state);
void fake_quarantine_set_due(struct quarantine *quarantine,
    struct fake_entry *entry, int64_t due_ms);
struct fake_entry fake_quarantine_look(struct quarantine *quarantine,
    const struct fake_entry *entry);

struct events;
struct events *fake_events_new(void);
void fake_events_free(struct events *events);
/* All events so far, an array; the caller's. */
json_t *fake_events_take(struct events *events);

#endif
