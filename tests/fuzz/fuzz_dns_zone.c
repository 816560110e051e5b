/*
 * fuzz_dns_zone.c - a zone file, and every kind of question to it.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>

#include "base/dns_impl.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
ask(const struct dns_zone *zone, const char *text)
{
	static const enum dns_type types[] = { DNS_A, DNS_AAAA, DNS_MX, DNS_PTR,
		DNS_TXT };
	struct dns_reply *reply;
	struct dns_wire name;
	unsigned delay_ms;
	size_t i;

	if (dns_wire_from_text(text, &name) < 0)
		abort();
	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		reply = dns_zone_find(zone, &name, types[i], &delay_ms);
		dns_reply_unref(reply);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct dns_zone *zone;
	struct err err;

	err_clear(&err);
	zone = dns_zone_parse("zone",
	    (struct bytes){ (const char *)data, size }, &err);
	if ((zone == NULL) != (err.kind == ERR_CONFIG))
		abort();
	if (zone == NULL)
		return 0;
	ask(zone, "a");
	ask(zone, "a.example.net");
	ask(zone, "any.wild.example.net");
	dns_zone_free(zone);
	return 0;
}
