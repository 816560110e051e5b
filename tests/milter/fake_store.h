/*
 * fake_store.h - the store, the quarantine, release and events, replaced
 * at their seams: what the milter asks of them is written down.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef TESTS_MILTER_FAKE_STORE_H
#define TESTS_MILTER_FAKE_STORE_H

#include <stdbool.h>

#include "base/buf.h"
#include "quarantine/quarantine.h"

struct fake_store {
	bool up;
	/* what quarantine_put answers: 0, or -1 with kind and full */
	int put_rc;
	enum err_kind put_kind;
	enum quarantine_full put_full;
	bool already;
	/* "held b@c [mark] ...": entries and events, a word each */
	struct buf trace;
	char *received, *results; /* of the last put */
	uint64_t retention_s;     /* of its last entry */
};

/* The one that all functions use; tests run one after the other. */
struct fake_store *fake_store(void);
void fake_store_reset(void);

#endif
