/*
 * fuzz_dns.c - a DNS message; the first octet chooses the type asked for.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/dns_impl.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is found must be readable to its end, and a name must be one. */
static void
check(const struct dns_answer *answer, enum dns_type type)
{
	const struct dns_record *record;
	struct dns_wire wire;
	volatile char last;
	size_t i;

	for (i = 0; i < answer->count; i++) {
		record = &answer->records[i];
		if ((type == DNS_MX || type == DNS_PTR) &&
		    dns_wire_from_text(record->name, &wire) < 0)
			abort();
		if (record->text.len > 0)
			last = record->text.data[record->text.len - 1];
	}
	(void)last;
	if ((answer->status == DNS_OK) != (answer->count > 0))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum dns_type types[] = { DNS_A, DNS_AAAA, DNS_MX, DNS_PTR,
		DNS_TXT };
	struct dns_draft draft;
	struct dns_reply *reply;
	struct dns_wire name;
	enum dns_type type;

	if (size < 1 || dns_wire_from_text("mx.a", &name) < 0)
		return 0;
	type = types[data[0] % (sizeof(types) / sizeof(types[0]))];
	dns_draft_init(&draft);
	reply = dns_reply_parse(&draft,
	    (struct bytes){ (const char *)data + 1, size - 1 }, &name, type,
	    false);
	check(&reply->answer, type);
	dns_reply_unref(reply);
	dns_draft_fini(&draft);
	return 0;
}
