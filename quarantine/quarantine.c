/*
 * quarantine.c - opening, and the words of states.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "quarantine/hold.h"

static const char *const state_names[] = {
	[HELD_HELD] = "held",
	[HELD_TO_DELIVER] = "to-deliver",
	[HELD_RELEASING] = "releasing",
	[HELD_RELEASED] = "released",
	[HELD_REFUSED] = "refused",
	[HELD_UNKNOWN] = "unknown",
	[HELD_REMOVED] = "removed",
};
#define STATE_COUNT (sizeof(state_names) / sizeof(state_names[0]))

const char *
held_state_name(enum held_state state)
{
	return state_names[state];
}

int
held_state_parse(struct bytes word)
{
	size_t i;

	for (i = 0; i < STATE_COUNT; i++)
		if (bytes_equal(word, bytes_of(state_names[i])))
			return (int)i;
	return -1;
}

struct quarantine *
quarantine_open(struct store *store, const struct quarantine_options *options)
{
	struct quarantine *q = xcalloc(1, sizeof(*q));

	q->store = store;
	q->options = *options;
	if (q->options.message_max > HOLD_MESSAGE_MAX)
		q->options.message_max = HOLD_MESSAGE_MAX;
	pthread_mutex_init(&q->lock, NULL);
	strmap_init(&q->noted);
	if (store != NULL)
		q->outbox = outbox_new(store);
	return q;
}

void
quarantine_close(struct quarantine *q)
{
	if (q == NULL)
		return;
	outbox_free(q->outbox);
	hold_notes_forget(q);
	pthread_mutex_destroy(&q->lock);
	secret_wipe(q->secret, sizeof(q->secret));
	free(q);
}
