/*
 * auth.h - what the authentication checks found, in the words of RFC 8601.
 *
 * Filled in by policy/auth_*.c during a scan, read by everything behind
 * them.  All of it lives in the scan's arena.  Strings from outside are
 * validated before they get here (domain names: A-labels in lower case).
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef POLICY_AUTH_H
#define POLICY_AUTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

struct address;

enum auth_result {
	AUTH_NONE,
	AUTH_PASS,
	AUTH_FAIL,
	AUTH_SOFTFAIL, /* spf only */
	AUTH_NEUTRAL,
	AUTH_POLICY,
	AUTH_TEMPERROR,
	AUTH_PERMERROR,
};
#define AUTH_RESULT_COUNT (AUTH_PERMERROR + 1)

/* "none", "pass", ...: never NULL. */
const char *auth_result_name(enum auth_result result);

/* RFC 7208, for one identity. */
struct auth_spf_identity {
	bool checked;
	enum auth_result result;
	const char *domain;      /* the domain evaluated */
	const char *explanation; /* of a fail, ASCII, or NULL */
	const char *problem;     /* of an error, in words, or NULL */
	const char *mechanism;   /* that matched, "ip4:192.0.2.0/24", or NULL */
};

struct auth_spf {
	struct auth_spf_identity mailfrom; /* postmaster@HELO for <> */
	struct auth_spf_identity helo;
	bool sender_is_null;
	/* what DMARC reads: mailfrom */
};

/* RFC 6376, one signature. */
struct auth_dkim_signature {
	enum auth_result result;
	const char *domain;      /* d= */
	const char *selector;    /* s= */
	const char *identity;    /* i=, decoded when ASCII, or NULL */
	const char *algorithm;   /* "rsa-sha256", "ed25519-sha256", ... */
	const char *problem;     /* in words, or NULL */
	char b_prefix[16];       /* first characters of b=, for header.b */
	unsigned key_bits;       /* 0: unknown */
	bool testing;            /* t=y in the key */
	bool has_length;         /* l= */
	uint64_t length;         /* octets of the body that were signed */
	uint64_t unsigned_bytes; /* canonical body octets behind l= */
	/* may count for alignment: pass, and nothing was added that a reader
	 * sees, behind l= or as a second From or Subject; else problem says
	 * what */
	bool trusted;
	uint64_t seen;     /* messages under it within the hour, this one
			    * included (policy/replay.h); 0: not counted */
	int64_t expires_s; /* x=, 0: none */
	int64_t signed_s;  /* t=, 0: none */
};

struct auth_dkim {
	enum auth_result result; /* the best of them */
	size_t count;            /* looked at */
	size_t ignored;          /* beyond the ceiling */
	struct auth_dkim_signature *signatures;
};

/* What the sealer of one set says he found. */
struct auth_arc_set {
	const char *sealer;   /* d= of the seal */
	struct bytes results; /* of ARC-Authentication-Results, behind i= */
};

/* RFC 8617. */
struct auth_arc {
	enum auth_result result; /* none, pass or fail; temperror */
	size_t count;            /* sets */
	const char *sealer;      /* d= of the newest set */
	const char *selector;    /* s= of the newest seal */
	const char *problem;     /* or NULL */
	/* may lift a DMARC failure, when the sealer is trusted: pass, and the
	 * newest signature speaks for all a reader sees, as for DKIM; else
	 * problem says why not */
	bool trusted;
	unsigned oldest_pass; /* 0: the first signature still verifies */
	const struct auth_arc_set *sets; /* of a pass, else NULL; count */
};

/* RFC 9989. */
enum dmarc_policy {
	DMARC_NONE,
	DMARC_QUARANTINE,
	DMARC_REJECT
};

struct auth_dmarc {
	enum auth_result result;
	const char *from_domain;    /* author domain, or NULL */
	size_t from_count;          /* addresses in all From headers */
	const struct address *from; /* they, in order */
	const char *policy_domain;  /* where the record was, or NULL */
	const char *organizational_domain;
	enum dmarc_policy policy; /* in force: p, sp or np, after t=y */
	enum dmarc_policy published;
	bool testing; /* t=y */
	bool psd;
	/* the record of policy_domain, for reports; absent tags by their
	 * defaults */
	enum dmarc_policy p, sp, np;
	const char *fo; /* as published, or NULL */
	bool strict_dkim, strict_spf;
	bool dkim_aligned, spf_aligned;
	/* no From, several From headers or no readable author: the message
	 * is malformed as DMARC sees it (default: reject) */
	bool malformed;
	/* domain of an address that a display name shows, when it belongs to
	 * none of the authors; or NULL.  It changes no result; the verdict
	 * gives points for it (name_address_points) */
	const char *name_domain;
	/* domains of Sender, Resent-From and Resent-Sender that are none of
	 * the authors' (other_sender_points) */
	size_t other_count;
	const char *const *others;
	const char *problem;   /* in words, or NULL */
	const char *rua, *ruf; /* as published, or NULL */
};

/* RFC 8601 section 3: the client's name. */
struct auth_iprev {
	enum auth_result result; /* pass: forward-confirmed */
	const char *name;        /* the confirmed one, or the first, or NULL */
	bool dnsless;            /* no PTR at all */
};

struct auth {
	struct auth_spf spf;
	struct auth_dkim dkim;
	struct auth_arc arc;
	struct auth_dmarc dmarc;
	struct auth_iprev iprev;
};

const char *dmarc_policy_name(enum dmarc_policy policy);

#endif
