/*
 * arc_trust.h - does somebody we trust say that the author was proved?
 *
 * A chain that holds tells who handled a message, not that it was good: a
 * forwarder passes forged mail on, too, and seals that.  What counts is what
 * a trusted sealer found when the message came to him.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef POLICY_ARC_TRUST_H
#define POLICY_ARC_TRUST_H

#include "base/arena.h"
#include "base/option.h"
#include "policy/auth.h"

enum arc_trust {
	ARC_TRUST_NONE,   /* no chain that holds, or of nobody we trust */
	ARC_TRUST_SILENT, /* sealed by one we trust, who does not say so */
	ARC_TRUST_VOUCHES
};

/*
 * From the newest set down, as long as the sealers are trusted: one whose
 * results have dmarc=pass for this author's domain, or a DKIM signature or
 * MAIL FROM of it (or of one above or below it) that passed, vouches.
 */
enum arc_trust arc_trust(struct arena *arena, const struct auth_arc *arc,
    const struct option_list *trusted, const char *author_domain,
    const char **sealer);

#endif
