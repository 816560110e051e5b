/*
 * key_check.c - does the DNS publish the key that we sign with?
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include "policy/key_check.h"
#include "policy/key_record.h"

#define RECORD_MAX 4096

static const char *const names[] = {
	[KEY_CHECK_RIGHT] = "right",
	[KEY_CHECK_MISSING] = "missing",
	[KEY_CHECK_WRONG] = "wrong",
	[KEY_CHECK_UNKNOWN] = "unknown",
};

const char *
key_check_name(enum key_check check)
{
	return names[check];
}

const char *
key_check_owner(struct arena *arena, const char *domain, const char *selector)
{
	return arena_printf(arena, "%s._domainkey.%s", selector, domain);
}

static bool
is_same_key(const struct key_record *a, const struct key_record *b)
{
	return a->type == b->type && a->exponent == b->exponent &&
	    bytes_equal(a->modulus, b->modulus) &&
	    bytes_equal(a->ed_point, b->ed_point);
}

/* Ours, as a verifier reads it. */
static int
read_own(struct arena *arena, const struct signing_key *key,
    struct key_record *record, struct err *err)
{
	struct buf buf;
	int rc = -1;

	buf_init(&buf, RECORD_MAX);
	if (signing_key_record(key, &buf) < 0)
		err_set(err, ERR_TEMP, "the key cannot be written");
	else
		rc = key_record_read(arena, buf_bytes(&buf), record, err);
	buf_free(&buf);
	return rc;
}

static enum key_check
compare(struct arena *arena, struct bytes text, const struct signing_key *key,
    const char **problem)
{
	struct key_record own, published;
	struct err err;

	if (read_own(arena, key, &own, &err) < 0 ||
	    key_record_read(arena, text, &published, &err) < 0) {
		*problem = arena_strdup(arena, err.text);
		return KEY_CHECK_WRONG;
	}
	if (!is_same_key(&own, &published)) {
		*problem = "the record has another key";
		return KEY_CHECK_WRONG;
	}
	if (!published.sha256) {
		*problem = "the record forbids SHA-256 (h=)";
		return KEY_CHECK_WRONG;
	}
	return KEY_CHECK_RIGHT;
}

enum key_check
key_check_dns(struct arena *arena, struct dns_set *set, const char *owner,
    const struct signing_key *key, int64_t until_ms, const char **problem)
{
	const struct dns_answer *answer;

	*problem = NULL;
	while ((answer = dns_ask(set, owner, DNS_TXT)) == NULL)
		(void)dns_set_wait(set, until_ms);
	if (dns_status_is_failure(answer->status)) {
		*problem = arena_printf(arena, "the DNS did not answer (%s)",
		    dns_status_name(answer->status));
		return KEY_CHECK_UNKNOWN;
	}
	if (answer->status != DNS_OK) {
		*problem = "there is no TXT record";
		return KEY_CHECK_MISSING;
	}
	if (answer->count > 1) {
		*problem = "there are several TXT records";
		return KEY_CHECK_WRONG;
	}
	return compare(arena, answer->records[0].text, key, problem);
}
