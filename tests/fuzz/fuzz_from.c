/*
 * fuzz_from.c - the value of a From header, and whom DMARC takes for the
 * authors.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "mail/from.h"
#include "policy/dmarc_authors.h"

#define HEADER_MAX (1 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The value stands in From and in Sender. */
static void
read_authors(struct arena *arena, struct bytes value)
{
	struct dmarc_authors authors;
	struct header header;

	header_init(&header, arena, HEADER_MAX, 10);
	if (header_add(&header, BYTES_LIT("From"), value, NULL) < 0 ||
	    header_add(&header, BYTES_LIT("Sender"), value, NULL) < 0)
		return;
	dmarc_authors_read(arena, &header, &authors);
	if (authors.count > DMARC_AUTHORS_MAX ||
	    authors.other_count > DMARC_OTHERS_MAX ||
	    (authors.count == 0 && authors.problem == NULL) ||
	    (authors.malformed && authors.problem == NULL))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes value = { (const char *)data, size };
	struct arena *arena = arena_new(0);
	struct from_list list;
	struct err err = { ERR_NONE, "" };
	size_t i;
	int rc;

	rc = from_parse(arena, value, &list, &err);
	if ((rc == 0) != (err.kind == ERR_NONE) || (rc == 0 && list.count == 0))
		abort();
	for (i = 0; i < list.count; i++) {
		if (list.addresses[i].domain[0] == '\0' ||
		    strlen(list.addresses[i].key) > ADDRESS_MAX)
			abort();
		if (list.names[i].len > 0 &&
		    (list.names[i].data < value.data ||
			list.names[i].data + list.names[i].len >
			    value.data + value.len))
			abort();
	}
	read_authors(arena, value);
	arena_free(arena);
	return 0;
}
