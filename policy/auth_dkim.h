/*
 * auth_dkim.h - what the check `dkim` may be told before it begins.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef POLICY_AUTH_DKIM_H
#define POLICY_AUTH_DKIM_H

#include "policy/signature.h"

struct scan;

/* Signatures of a message that are read, and of these verified. */
#define AUTH_DKIM_READ_MAX 100
#define AUTH_DKIM_TRIES_MAX 10

struct auth_dkim_options {
	struct signature_rules rules;
	size_t tries_max;
};

/* Before SCAN_HEADERS; for mail of the past and for tests.  Without it: RFC
 * 8301 and AUTH_DKIM_TRIES_MAX. */
void auth_dkim_set(struct scan *scan, const struct auth_dkim_options *options);

#endif
