/*
 * authres.h - the Authentication-Results header (RFC 8601): writer, parser.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef MAIL_AUTHRES_H
#define MAIL_AUTHRES_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

/*
 * Writer: authres_begin, then for each result authres_method and any
 * authres_property and one authres_comment behind it; authres_end.  The
 * value is folded between results; values that are no token (RFC 2045) or
 * address are quoted; bytes that cannot stand in a header are left out by
 * refusing the property (it is then reported as "invalid").
 */
struct authres {
	struct buf *out;
	bool any;
};

void authres_begin(struct authres *ar, struct buf *out,
    const char *authserv_id);
void authres_method(struct authres *ar, const char *method, const char *result);
/* (words in parentheses), behind the result; escaped. */
void authres_comment(struct authres *ar, const char *text);
/* reason="..." */
void authres_reason(struct authres *ar, const char *text);
void authres_property(struct authres *ar, const char *ptype,
    const char *property, struct bytes value);
void authres_end(struct authres *ar); /* writes "none" when nothing was */

/*
 * Does this header value bear our authserv-id, as any lenient reader might
 * see it (comments, quotes, case, folds, a missing or odd version, IDN)?
 * In doubt true: the header is then removed (RFC 8601 section 5).
 */
bool authres_claims(struct bytes value, const char *authserv_id);

/* Parser, for the fuzz entry, tests and ARC-Authentication-Results. */
struct authres_result {
	const char *method;
	const char *result;
	size_t property_count;
	struct authres_property_value {
		const char *ptype, *property, *value;
	} * properties;
};
struct authres_parsed {
	const char *authserv_id;
	size_t count;
	struct authres_result *results;
};
int authres_parse(struct arena *arena, struct bytes value,
    struct authres_parsed *out, struct err *err);

#endif
