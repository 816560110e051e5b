/*
 * spf_record.h - one SPF record: strict reader, and writer of the plain
 * form that libspf2 gets to see.
 *
 * The reader takes the grammar of RFC 7208 section 12 by the letter: a
 * record is either understood as a whole or refused, before any of it is
 * evaluated.  The plain form holds nothing that came from the DNS: terms
 * that need the DNS become "exists" and "include" of names that we make up
 * and answer ourselves, networks are left out unless the client is in them.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef POLICY_SPF_RECORD_H
#define POLICY_SPF_RECORD_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/netaddr.h"

/* Ceilings; a record above them is an error of its publisher (permerror).
 * RFC 7208 section 3.4 wants answers of 512 octets. */
#define SPF_RECORD_MAX 8192 /* octets */
#define SPF_TERMS_MAX 500

/* Terms that need the DNS in one evaluation (section 4.6.4). */
#define SPF_DNS_TERMS_MAX 10

enum spf_kind {
	TERM_ALL,
	TERM_INCLUDE,
	TERM_A,
	TERM_MX,
	TERM_PTR,
	TERM_IP4,
	TERM_IP6,
	TERM_EXISTS,
	TERM_REDIRECT, /* a modifier; kept as the last term */
};

struct spf_term {
	enum spf_kind kind;
	char qualifier;      /* + - ~ ?; + for redirect */
	uint8_t bits4;       /* TERM_A, TERM_MX: prefix lengths */
	uint8_t bits6;       /* the same for IPv6 clients */
	struct bytes text;   /* as published: printable ASCII */
	struct bytes domain; /* checked domain-spec; empty: the domain itself */
	struct network network; /* TERM_IP4, TERM_IP6 */
};

struct spf_record {
	size_t count;
	struct spf_term *terms; /* in order; a redirect comes last */
	struct bytes exp;       /* checked domain-spec; data NULL: none */
};

/* Is this TXT record an SPF record (section 4.5), well-formed or not? */
bool spf_record_is(struct bytes text);

/*
 * Read a record for which spf_record_is holds.  0, or -1 with the first
 * error in words; *record points into text and the arena.
 */
int spf_record_read(struct arena *arena, struct bytes text,
    struct spf_record *record, struct err *err);

/*
 * The terms that can be reached by this client: all before, and with, the
 * first one that matches by itself ("all", or a network with the client).
 * Returns their number; a redirect is among them unless "all" is.
 */
size_t spf_record_reach(const struct spf_record *record,
    const struct ip *client);

/* Does evaluating this kind of term ask the DNS? */
bool spf_kind_asks(enum spf_kind kind);

/*
 * The plain form: "v=spf1 ", then of the first `reach` terms those that
 * can matter.  A term that asks the DNS is named by the number of the
 * record and its place, see spf_plain_name.
 */
int spf_record_write(const struct spf_record *record, size_t reach,
    unsigned number, const struct ip *client, struct buf *out);

#define SPF_PLAIN_NAME_SIZE 40
void spf_plain_name(char out[SPF_PLAIN_NAME_SIZE], unsigned number,
    size_t place);
/* 0, or -1: not a name made by spf_plain_name. */
int spf_plain_parse(const char *name, unsigned *number, size_t *place);

#endif
