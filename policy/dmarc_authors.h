/*
 * dmarc_authors.h - who wrote a message, as far as DMARC asks.
 *
 * All From fields are read, as a mail reader may show any of them.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef POLICY_DMARC_AUTHORS_H
#define POLICY_DMARC_AUTHORS_H

#include "mail/address.h"
#include "mail/header.h"

/* Domains that are judged; a message with more is malformed. */
#define DMARC_AUTHORS_MAX 4
/* From fields that are read; of Sender and the like, of each name. */
#define DMARC_FROM_FIELDS_MAX 4
#define DMARC_OTHER_FIELDS_MAX 2
#define DMARC_OTHERS_MAX 4

struct dmarc_authors {
	size_t count;
	const char *domains[DMARC_AUTHORS_MAX]; /* each once */
	size_t address_count;
	struct address *addresses; /* of all fields, in order */
	/* of an address in a display name or a local part that is none of
	 * the authors', or NULL */
	const char *name_domain;
	/* of Sender, Resent-From and Resent-Sender, which some readers show
	 * instead of From; none of the authors', each once */
	size_t other_count;
	const char *others[DMARC_OTHERS_MAX];
	bool malformed;
	const char *problem; /* why malformed, or why nobody is an author */
};

void dmarc_authors_read(struct arena *arena, const struct header *header,
    struct dmarc_authors *authors);

#endif
