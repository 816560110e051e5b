/*
 * dmarc_report.h - an aggregate report (RFC 9990): what one receiver saw in
 * one period of mail under one policy domain.
 *
 * Written strictly; read with forgiveness for RFC 7489 and its drafts:
 * elements may stand in any order, unknown ones and those of extensions are
 * passed over, words may be in capitals.  What counts must be there and make
 * sense, or the report is refused with its line.
 *
 * Limits: REPORT_XML_MAX octets, REPORT_DEPTH_MAX elements in each other,
 * REPORT_RECORDS_MAX records, REPORT_TEXT_MAX octets of one text.  A document
 * type, and with it every entity of its own, is refused.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef POLICY_DMARC_REPORT_H
#define POLICY_DMARC_REPORT_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/netaddr.h"

#define REPORT_XML_MAX (64UL * 1024 * 1024)
#define REPORT_DEPTH_MAX 16
#define REPORT_RECORDS_MAX 200000
#define REPORT_TEXT_MAX 4096
/* Signatures that a record should have at most. */
#define REPORT_SIGNATURES_MAX 100
#define REPORT_REASONS_MAX 10
#define REPORT_COUNT_MAX 1000000000000ULL

enum report_disposition {
	DISPOSITION_NONE,
	DISPOSITION_PASS, /* RFC 9990 only */
	DISPOSITION_QUARANTINE,
	DISPOSITION_REJECT,
};
/* "none", ...; -1: no such word. */
const char *report_disposition_name(enum report_disposition disposition);
int report_disposition_parse(const char *word);

struct report_reason {
	const char *type; /* "local_policy", ... */
	const char *comment;
	struct report_reason *next;
};

struct report_signature {
	const char *domain, *selector, *result;
	const char *human_result;
	struct report_signature *next;
};

/* Strings are NULL when absent. */
struct report_record {
	struct ip source;
	uint64_t count; /* messages */
	enum report_disposition disposition;
	bool dkim_pass, spf_pass; /* and aligned */
	size_t reason_count, signature_count;
	struct report_reason *reasons;
	const char *header_from, *envelope_from, *envelope_to;
	struct report_signature *signatures;
	const char *spf_domain, *spf_scope, *spf_result, *spf_human;
	struct report_record *next;
};

struct dmarc_report {
	const char *organization;
	const char *email;
	const char *contact; /* extra_contact_info */
	const char *id;
	int64_t begin_s, end_s; /* both belong to the period */
	const char *error;
	const char *generator;
	/* as published; words in small letters */
	const char *domain; /* A-labels, lower case */
	const char *p, *sp, *np, *adkim, *aspf, *fo, *testing, *pct;
	const char *discovery;
	size_t record_count;
	struct report_record *records;
};

/* 0; or -1 with ERR_INPUT or ERR_LIMIT, "line N: reason".  All lives in the
 * arena. */
int dmarc_report_read(struct arena *arena, struct bytes xml,
    struct dmarc_report *report, struct err *err);

/* By the schema of RFC 9990.  -1: out is full. */
int dmarc_report_write(const struct dmarc_report *report, struct buf *out);

#endif
