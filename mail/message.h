/*
 * message.h - what DATA carried: header and body, byte for byte.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef MAIL_MESSAGE_H
#define MAIL_MESSAGE_H

#include "mail/header.h"
#include "mail/spool.h"

struct message {
	struct header header;
	struct spool *body;
	bool has_body; /* the empty line was there */
	/* A limit of ours was passed while it was received: "header-bytes",
	 * "header-count", "malformed-header"; the rest of the header was
	 * dropped and the message may only be refused or deferred. */
	const char *limit;
};

struct message_limits {
	size_t header_bytes;
	size_t header_count;
	size_t memory; /* of the body */
	const char *spool_dir;
};

/* Lives in the arena, but for the spool: message_fini. */
struct message *message_new(struct arena *arena,
    const struct message_limits *limits);
void message_fini(struct message *message);

/* One field of the header as it comes.  What a limit forbids, or has no
 * field name (printable ASCII but the colon), sets message->limit; from
 * then on fields are dropped. */
void message_add_field(struct message *message, struct bytes name,
    struct bytes value);

/* Size as sent: header, empty line, body. */
uint64_t message_size(const struct message *message);

/* The message as it came, in pieces; as spool_each. */
int message_each(struct message *message,
    int (*each)(void *context, struct bytes piece, struct err *err),
    void *context, struct err *err);

/*
 * Read a raw message (a file of `sekimori scan`, a released one): LF line
 * ends become CRLF, an mbox "From " line at the start is skipped.  A line
 * of the header that is no field ends the header and begins the body, as
 * Postfix has it.  ERR_INPUT with the line number when not even the first
 * line is one, ERR_TEMP when the body cannot be kept.
 */
int message_read(struct message *message, struct bytes raw, struct err *err);

#endif
