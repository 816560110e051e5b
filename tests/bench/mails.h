/*
 * mails.h - the mails of the load client, as packets of the milter protocol.
 *
 * All are read and cut up before anything is measured.  The index is a line
 * a mail, fields separated by tabs: file, client address, client name, HELO,
 * sender, recipients separated by commas; what follows is for others.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef TESTS_BENCH_MAILS_H
#define TESTS_BENCH_MAILS_H

#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

/* Packets one after the other; each ends where ends[] says. */
struct packets {
	struct buf data;
	size_t *ends;
	size_t count;
};

struct mail {
	char *file;
	char *ip;
	char *hostname;
	char *helo;
	char *sender; /* without <> */
	char **recipients;
	size_t recipient_count;
	size_t size;
	/* for filters that want a value as it stands, and for those to whom
	 * the MTA gives it without its first space */
	struct packets header, header_stripped;
	struct packets body;
};

struct mails {
	struct mail *mails;
	size_t count;
};

/* The mails of the index that have at most size_max octets. */
int mails_read(struct mails *mails, const char *index, size_t size_max,
    struct err *err);
void mails_free(struct mails *mails);

/* Appends a packet: its length, the command, the data. */
void packet_append(struct buf *out, char command, struct bytes data);

#endif
