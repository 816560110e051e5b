/*
 * tls_report.h - a report about TLS between mail servers (RFC 8460), read.
 *
 * Limits: TLS_REPORT_MAX octets of JSON, TLS_POLICIES_MAX policies,
 * TLS_DETAILS_MAX kinds of failure in each.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef POLICY_TLS_REPORT_H
#define POLICY_TLS_REPORT_H

#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

#define TLS_REPORT_MAX (8UL * 1024 * 1024)
#define TLS_POLICIES_MAX 1000
#define TLS_DETAILS_MAX 10000

/* Strings are NULL when absent. */
struct tls_detail {
	const char *type; /* "certificate-expired", ... */
	const char *sending_ip, *receiving_ip;
	const char *receiving_host;
	const char *reason; /* failure-reason-code */
	uint64_t sessions;
};

struct tls_policy {
	const char *type;   /* "sts", "tlsa", "no-policy-found" */
	const char *domain; /* A-labels, lower case */
	uint64_t good, bad; /* sessions */
	size_t detail_count;
	struct tls_detail *details;
};

struct tls_report {
	const char *organization;
	const char *contact;
	const char *id;
	int64_t begin_s, end_s;
	size_t policy_count;
	struct tls_policy *policies;
};

/* 0; or -1 with ERR_INPUT or ERR_LIMIT: "line N: reason" where the JSON is
 * broken, else the path of what is wrong.  All lives in the arena. */
int tls_report_read(struct arena *arena, struct bytes json,
    struct tls_report *report, struct err *err);

/* "2026-11-22T00:00:00Z", with any offset (RFC 3339): seconds since 1970;
 * -1: none. */
int rfc3339_parse(struct bytes text, int64_t *seconds);

#endif
