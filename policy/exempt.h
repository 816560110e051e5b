/*
 * exempt.h - who a check does not count for: domains and networks.
 *
 * An entry is a domain ("example.net"), a domain and all below it
 * (".example.net"), an address or a network of clients.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef POLICY_EXEMPT_H
#define POLICY_EXEMPT_H

#include "base/netaddr.h"
#include "base/option.h"

/* The first entry that fits the domain (may be NULL) or the client; NULL
 * when none does. */
const char *exempt_find(const struct option_list *entries, const char *domain,
    const struct ip *client);

/* Is this an entry, or one for clients alone?  For the option table. */
int exempt_check(const char *value, struct err *err);
int exempt_check_client(const char *value, struct err *err);

#endif
