/*
 * dns_conf.h - the DNS as the config says.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BASE_DNS_CONF_H
#define BASE_DNS_CONF_H

#include "base/conf.h"
#include "base/dns.h"

/* zone_file NULL: that of the config, if any. */
struct dns *dns_conf_open(const struct conf *conf, const char *zone_file,
    struct err *err);

#endif
