/*
 * domain_text.h - domain names as settings have them.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef POLICY_DOMAIN_TEXT_H
#define POLICY_DOMAIN_TEXT_H

#include "base/err.h"

/* Lower case, A-labels, a dot inside: names are compared as they stand, so
 * only their one form is taken.  0, or -1 with ERR_INPUT "must be ...". */
int domain_text_check(const char *value, struct err *err);

#endif
