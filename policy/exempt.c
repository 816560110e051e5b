/*
 * exempt.c - who a check does not count for: domains and networks.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <string.h>

#include "policy/domain_text.h"
#include "policy/exempt.h"

static bool
covers_domain(const char *entry, const char *domain)
{
	size_t len = strlen(entry), domain_len = strlen(domain);

	if (entry[0] != '.')
		return strcmp(entry, domain) == 0;
	if (strcmp(entry + 1, domain) == 0)
		return true;
	return domain_len > len &&
	    strcmp(domain + domain_len - len, entry) == 0;
}

const char *
exempt_find(const struct option_list *entries, const char *domain,
    const struct ip *client)
{
	struct network network;
	size_t i;

	for (i = 0; i < entries->count; i++) {
		if (domain != NULL && covers_domain(entries->items[i], domain))
			return entries->items[i];
		if (client->family != IP_NONE &&
		    network_parse(bytes_of(entries->items[i]), &network,
			NULL) == 0 &&
		    network_contains(&network, client))
			return entries->items[i];
	}
	return NULL;
}

int
exempt_check(const char *value, struct err *err)
{
	struct network network;

	if (network_parse(bytes_of(value), &network, NULL) == 0 ||
	    domain_text_check(value[0] == '.' ? value + 1 : value, NULL) == 0)
		return 0;
	return err_set(err, ERR_INPUT,
	    "must be a domain such as example.net or .example.net, an address "
	    "or a network");
}

int
exempt_check_client(const char *value, struct err *err)
{
	struct network network;

	return network_parse(bytes_of(value), &network, err);
}
