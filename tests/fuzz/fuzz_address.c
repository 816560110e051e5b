/*
 * fuzz_address.c - what MAIL FROM and RCPT TO may carry.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "mail/address.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A key, written as SMTP wants it, is read as the same key. */
static void
check_round_trip(struct arena *arena, const struct address *address)
{
	struct address again;
	struct buf buf;

	buf_init(&buf, 4096);
	if (address_append_key(&buf, address->key) < 0 ||
	    address_parse(arena, buf_bytes(&buf), &again, NULL) < 0 ||
	    strcmp(again.key, address->key) != 0)
		abort();
	buf_free(&buf);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new(0);
	struct address address;
	struct bytes text = { (const char *)data, size };
	const char *domain, *again;

	if (address_parse(arena, text, &address, NULL) == 0) {
		if (strlen(address.key) > ADDRESS_MAX)
			abort();
		check_round_trip(arena, &address);
	}
	if (domain_normalize(arena, text, &domain, NULL) == 0) {
		if (domain_normalize(arena, bytes_of(domain), &again, NULL) <
			0 ||
		    strcmp(domain, again) != 0)
			abort();
		domain_for_display(arena, domain);
	}
	arena_free(arena);
	return 0;
}
