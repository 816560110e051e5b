/*
 * smtp_stream.h - a TCP connection with deadlines, and TLS when wanted.
 * For mail/smtp.c.
 *
 * Nothing here raises SIGPIPE.  Belongs to one thread.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef MAIL_SMTP_STREAM_H
#define MAIL_SMTP_STREAM_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"

struct smtp_stream;

/* Tries the host's addresses in turn.  NULL: ERR_TEMP, or ERR_CONFIG when
 * there is no such name. */
struct smtp_stream *smtp_stream_open(const char *host, const char *port,
    unsigned timeout_ms, struct err *err);
void smtp_stream_close(struct smtp_stream *stream);

/*
 * Hand-shake.  check: the certificate must be good for host, by the
 * authorities in ca_file or, when it is NULL, those of the system.
 * ERR_CONFIG when it is not, ERR_TEMP for all else.
 */
struct smtp_tls_options {
	const char *host;
	const char *ca_file;
	bool check;
};
int smtp_stream_start_tls(struct smtp_stream *stream,
    const struct smtp_tls_options *options, unsigned timeout_ms,
    struct err *err);
bool smtp_stream_has_tls(const struct smtp_stream *stream);

/*
 * Send all of it.  0: the kernel has every byte.  -1: ERR_TEMP; the last
 * byte has not been sent, nor can what was sent be read to its end.
 */
int smtp_stream_write(struct smtp_stream *stream, struct bytes data,
    unsigned timeout_ms, struct err *err);
/* Append what comes to in, which must have room.  1 something came, 0 the
 * other side closed, -1 ERR_TEMP. */
int smtp_stream_read(struct smtp_stream *stream, struct buf *in,
    unsigned timeout_ms, struct err *err);
/* Has something come, or the other side closed?  Never blocks. */
bool smtp_stream_has_input(struct smtp_stream *stream);

#endif
