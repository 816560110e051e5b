/*
 * spf_macro.h - the macro language of SPF (RFC 7208 section 7): checker and
 * expander.
 *
 * Text is checked once, when its record is read, and may be expanded many
 * times; only checked text may be expanded.  Nothing here asks the DNS: the
 * validated name of the client (%{p}) is given by the caller.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef POLICY_SPF_MACRO_H
#define POLICY_SPF_MACRO_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/dns.h"
#include "base/err.h"
#include "base/netaddr.h"

/* Octets that an expansion may grow to before it is cut to a name. */
#define SPF_EXPANSION_MAX 16384

enum spf_syntax {
	SPF_SYNTAX_DOMAIN,  /* domain-spec: ends in a macro or a top label */
	SPF_SYNTAX_STRING,  /* macro-string: of an unknown modifier */
	SPF_SYNTAX_EXPLAIN, /* explain-string: spaces; also %{c}, {r}, {t} */
};

/* 0, or -1 with ERR_INPUT: text is not of this syntax. */
int spf_macro_check(struct bytes text, enum spf_syntax syntax, struct err *err);

/* What macros stand for; strings are "" when there is none. */
struct spf_macros {
	const char *local;     /* %{l}: never empty, "postmaster" if need be */
	const char *sender;    /* %{o}: domain of the sender */
	const char *domain;    /* %{d}: the domain being evaluated */
	const char *helo;      /* %{h}: as the client said it */
	const char *validated; /* %{p}: a name of the client, or "unknown" */
	const char *receiver;  /* %{r}: our own name */
	struct ip ip;          /* %{i}, %{c}, %{v} */
	int64_t now_s;         /* %{t} */
};

/* Does checked text hold one of these macro letters (lower case)? */
bool spf_macro_uses(struct bytes text, const char *letters);

/* Appends the expansion of checked text; -1 when out is full. */
int spf_macro_expand(const struct spf_macros *macros, struct bytes text,
    struct buf *out);

/*
 * Expands a checked domain-spec to a domain name in lower case without
 * final dot, cut from the left to 253 octets (section 7.3).  1, or 0 when
 * no such name can exist (an empty or too long label).
 */
#define SPF_NAME_SIZE (DNS_NAME_MAX + 1)
int spf_macro_name(const struct spf_macros *macros, struct bytes spec,
    char out[SPF_NAME_SIZE]);

/* Any octets as labels of a domain name: 1, or 0 as above.  Lower case,
 * without final dot. */
int spf_name_clean(struct bytes name, char out[SPF_NAME_SIZE]);

/* The same name as dns_ask and people want it: odd octets as \DDD. */
#define SPF_NAME_TEXT_SIZE (4 * DNS_NAME_MAX + 1)
void spf_name_text(const char *name, char out[SPF_NAME_TEXT_SIZE]);

#endif
