/*
 * auth_dkim_witness.h - a second opinion on DKIM signatures, by libopendkim.
 *
 * Our own verifier decides (see auth_dkim.c why).  Where an operator or a
 * test asks why a signature fails, it helps to know what the verifier says
 * that stands before much of the world's mail: `sekimori scan --witness`.
 * It looks at a message that was scanned, with the same DNS answers, and
 * waits for keys that the scan had no need of; it is slow and never in the
 * way of a message.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef POLICY_AUTH_DKIM_WITNESS_H
#define POLICY_AUTH_DKIM_WITNESS_H

#include "base/err.h"
#include "policy/scan.h"

struct auth_dkim_opinion {
	const char *domain, *selector; /* d=, s=; "" where it read none */
	bool pass;
	const char *problem; /* in the library's words, or NULL */
};

struct auth_dkim_opinions {
	size_t count; /* as there are DKIM-Signature fields, from the top */
	struct auth_dkim_opinion *opinions;
};

/* Of a scan that is done and its message, with no more signatures than
 * AUTH_DKIM_READ_MAX.  -1: ERR_CONFIG, ERR_INPUT for what the library
 * cannot read, ERR_TEMP. */
int auth_dkim_witness(struct scan *scan, struct auth_dkim_opinions *out,
    struct err *err);

#endif
