/*
 * authres.h - the Authentication-Results header (RFC 8601): writer, parser.
 *
 * Readers downstream are often simpler than the RFC: they split at ";",
 * know no quoted pair, cut out whatever stands in parentheses.  What we
 * write means the same to them.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef MAIL_AUTHRES_H
#define MAIL_AUTHRES_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

/*
 * Writer: authres_begin, then for each result authres_method and any
 * authres_property, authres_reason and authres_comment behind it;
 * authres_end.  The value begins with the authserv-id (no space before it)
 * and is folded ("\r\n\t") before each result and where a line grows long.
 * Values that are no token (RFC 2045) or plain address are quoted; of an
 * address with a quoted local part "@domain" is written.  A value
 * is not shown but reported as "invalid" when it holds control characters,
 * octets that are no UTF-8, or what a simple reader may take for syntax or a
 * result even inside quotes (semicolon, parenthesis, backslash, a quote,
 * "=pass"), or when it is longer than AUTHRES_VALUE_MAX.  Check out->overflow at the end.
 */
#define AUTHRES_VALUE_MAX 600
#define AUTHRES_TEXT_MAX 400

struct authres {
	struct buf *out;
	bool any;
	/* private */
	size_t line; /* where in out the last line begins */
};

void authres_begin(struct authres *ar, struct buf *out,
    const char *authserv_id);
void authres_method(struct authres *ar, const char *method, const char *result);
/* (words in parentheses), behind the result.  ASCII; what has a meaning in
 * the syntax is replaced by what looks like it; at most AUTHRES_TEXT_MAX
 * octets, then "...". */
void authres_comment(struct authres *ar, const char *text);
/* reason="...", the same. */
void authres_reason(struct authres *ar, const char *text);
void authres_property(struct authres *ar, const char *ptype,
    const char *property, struct bytes value);
void authres_end(struct authres *ar); /* writes "none" when nothing was */

/*
 * Does this header value bear our authserv-id, as any lenient reader might
 * see it (comments, quotes, case, folds, a missing or odd version, IDN), or
 * none at all?  In doubt true: the header is then removed (RFC 8601 section
 * 5).  Who speaks for another host is left alone.
 */
bool authres_claims(struct bytes value, const char *authserv_id);

/* Parser, for the fuzz entry, tests and ARC-Authentication-Results.  Takes
 * what is commonly written beside what RFC 8601 allows: unquoted values
 * with any character but white space, ";" and "(". */
#define AUTHRES_RESULT_MAX 64
#define AUTHRES_PROPERTY_MAX 64
#define AUTHRES_COMMENT_DEPTH_MAX 32

struct authres_property_value {
	const char *ptype; /* "" when there was no "ptype." */
	const char *property;
	const char *value;
};

struct authres_result {
	const char *method; /* lower case, as are result and property names */
	const char *result;
	const char *reason; /* or NULL */
	size_t property_count;
	struct authres_property_value *properties;
};

struct authres_parsed {
	const char *authserv_id;
	size_t count; /* 0: "none" */
	struct authres_result *results;
};

/* Lives in the arena.  0, or -1 with ERR_INPUT or ERR_LIMIT. */
int authres_parse(struct arena *arena, struct bytes value,
    struct authres_parsed *out, struct err *err);

#endif
