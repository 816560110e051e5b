/*
 * socketmap.h - what Postfix asks about the directory, and our answers.
 *
 *	relay_domains   DOMAIN            a domain of ours
 *	transport       USER@DOMAIN       where its mail goes
 *	recipients      USER@DOMAIN       does it exist?
 *	aliases         USER@DOMAIN       what it stands for
 *
 * Postfix takes a socketmap for a table of patterns: it asks for full
 * addresses (and `*`) only and never for their parts, so splitting is done
 * here.  Keys are in Postfix's internal form: local parts are not quoted.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef MILTER_SOCKETMAP_H
#define MILTER_SOCKETMAP_H

#include "base/buf.h"

struct settings;

#define SOCKETMAP_REQUEST_MAX 4096
#define SOCKETMAP_REPLY_MAX 100000 /* Postfix takes no more */

/*
 * Appends the reply to "MAP KEY": "OK text", "NOTFOUND ", "TEMP reason",
 * "PERM reason".  settings NULL: nothing was loaded yet; the answer is
 * TEMP, never NOTFOUND.  -1 when out is full.
 */
int socketmap_answer(const struct settings *settings, const char *delimiter,
    struct bytes request, struct buf *out);

#endif
