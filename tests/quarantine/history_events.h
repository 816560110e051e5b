/*
 * history_events.h - events for the tests of the history.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef TESTS_QUARANTINE_HISTORY_EVENTS_H
#define TESTS_QUARANTINE_HISTORY_EVENTS_H

#include <jansson.h>
#include <stdint.h>

/* The first event of a mail, JSON text on the heap: what a test does not
 * say (NULL, 0) is filled in. */
struct test_mail {
	const char *id; /* with its number */
	int64_t time;
	const char *mailbox, *sender, *from, *subject, *message_id;
	const char *client_ip, *queue_id;
	const char *main_class, *sub_class, *status;
};
char *test_mail_event(const struct test_mail *mail);

/* A later one. */
char *test_later_event(const char *name, const char *id, int64_t time,
    const char *status, const char *actor);

/* A message id (ULID) out of a number. */
const char *test_ulid(unsigned n, char out[27]);

#endif
