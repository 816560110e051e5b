/*
 * dns_conf.c - the DNS as the config says.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include "base/dns_conf.h"

struct dns *
dns_conf_open(const struct conf *conf, const char *zone_file, struct err *err)
{
	struct dns_options options = {
		.servers = (const char *const *)conf->dns_servers.items,
		.server_count = conf->dns_servers.count,
		.timeout_ms = (unsigned)conf->dns_timeout * 1000,
		.cache_max = conf->dns_cache_max,
		.zone_file = zone_file,
	};

	if (zone_file == NULL && conf->dns_zone[0] != '\0')
		options.zone_file = conf->dns_zone;
	if (conf->dns_trust_anchor[0] != '\0')
		options.trust_anchor = conf->dns_trust_anchor;
	return dns_open(&options, err);
}
