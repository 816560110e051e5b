/*
 * release_message.h - the stored bytes of a held message on their way out.
 * For quarantine/release.c.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef QUARANTINE_RELEASE_MESSAGE_H
#define QUARANTINE_RELEASE_MESSAGE_H

#include "base/buf.h"
#include "base/err.h"

/* What is done to the header. */
struct release_header_rules {
	const char *subject_mark; /* or NULL */
	/* Authentication-Results in this name go; "" none */
	const char *authserv_id;
};

/* As of quarantine_read and message_each. */
typedef int release_sink(void *context, struct bytes piece, struct err *err);

struct release_message;

/* rules borrowed. */
struct release_message *
release_message_new(const struct release_header_rules *rules,
    release_sink *sink, void *context);
void release_message_free(struct release_message *message);

/* Give the stored bytes, in any pieces (context: the struct
 * release_message), then tell that these were all; the sink gets what goes
 * out.  0, what the sink returned, or -1 with *err. */
int release_message_piece(void *context, struct bytes piece, struct err *err);
int release_message_end(struct release_message *message, struct err *err);

/* Was there an empty line, and did the bytes end with CRLF?  What SMTP
 * would add otherwise. */
bool release_message_has_body(const struct release_message *message);
bool release_message_is_terminated(const struct release_message *message);

#endif
