/*
 * scan_authres.c - the results of a scan as Authentication-Results.
 *
 * RFC 8601 with the properties of its section 2.7 and of RFC 6008
 * (header.b), RFC 8617 (arc).
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include "mail/authres.h"
#include "policy/scan.h"

static void
write_iprev(const struct scan *scan, struct authres *ar)
{
	const struct auth_iprev *iprev = &scan->auth.iprev;
	char ip[IP_TEXT_SIZE];

	if (iprev->result == AUTH_NONE)
		return;
	ip_format(&scan->envelope->client.ip, ip);
	authres_method(ar, "iprev", auth_result_name(iprev->result));
	if (iprev->name != NULL)
		authres_comment(ar, iprev->name);
	authres_property(ar, "policy", "iprev", bytes_of(ip));
}

static void
write_spf_identity(const struct auth_spf_identity *identity,
    const char *property, const char *value, struct authres *ar)
{
	authres_method(ar, "spf", auth_result_name(identity->result));
	if (identity->problem != NULL)
		authres_reason(ar, identity->problem);
	authres_property(ar, "smtp", property, bytes_of(value));
}

/* Some look for "spf=" with no regard to properties: the HELO name stands
 * behind the sender, and where its domain says something other than pass,
 * which says nothing of the sender. */
static void
write_spf(const struct scan *scan, struct authres *ar)
{
	const struct auth_spf *spf = &scan->auth.spf;
	const char *helo = scan->envelope->client.helo;

	if (!spf->mailfrom.checked)
		return;
	if (spf->sender_is_null) {
		write_spf_identity(&spf->mailfrom, "helo", helo, ar);
		return;
	}
	write_spf_identity(&spf->mailfrom, "mailfrom",
	    scan->envelope->sender.raw, ar);
	if (spf->helo.checked && spf->helo.result != AUTH_NONE &&
	    spf->helo.result != AUTH_PASS)
		write_spf_identity(&spf->helo, "helo", helo, ar);
}

/* RFC 8601 section 2.7.1: "policy" is a signature that holds, but not for
 * what a reader sees.  Who reads only the result must not take it for pass. */
static enum auth_result
result_of(const struct auth_dkim_signature *signature)
{
	return signature->result == AUTH_PASS && !signature->trusted
	    ? AUTH_POLICY
	    : signature->result;
}

static void
write_signature(const struct auth_dkim_signature *signature, struct authres *ar)
{
	authres_method(ar, "dkim", auth_result_name(result_of(signature)));
	if (signature->key_bits > 0) {
		struct buf buf;

		buf_init(&buf, 32);
		buf_printf(&buf, "%u-bit key", signature->key_bits);
		authres_comment(ar, buf_str(&buf));
		buf_free(&buf);
	}
	if (signature->problem != NULL)
		authres_reason(ar, signature->problem);
	if (signature->domain != NULL)
		authres_property(ar, "header", "d",
		    bytes_of(signature->domain));
	if (signature->identity != NULL)
		authres_property(ar, "header", "i",
		    bytes_of(signature->identity));
	if (signature->selector != NULL)
		authres_property(ar, "header", "s",
		    bytes_of(signature->selector));
	if (signature->algorithm != NULL)
		authres_property(ar, "header", "a",
		    bytes_of(signature->algorithm));
	if (signature->b_prefix[0] != '\0')
		authres_property(ar, "header", "b",
		    bytes_of(signature->b_prefix));
}

static void
write_dkim(const struct scan *scan, struct authres *ar)
{
	const struct auth_dkim *dkim = &scan->auth.dkim;
	size_t i;

	if (dkim->count == 0)
		authres_method(ar, "dkim", auth_result_name(dkim->result));
	for (i = 0; i < dkim->count; i++)
		write_signature(&dkim->signatures[i], ar);
}

static void
write_arc(const struct scan *scan, struct authres *ar)
{
	const struct auth_arc *arc = &scan->auth.arc;
	char ip[IP_TEXT_SIZE];

	if (arc->result == AUTH_NONE)
		return;
	authres_method(ar, "arc", auth_result_name(arc->result));
	if (arc->problem != NULL)
		authres_reason(ar, arc->problem);
	ip_format(&scan->envelope->client.ip, ip);
	authres_property(ar, "smtp", "remote-ip", bytes_of(ip));
}

/* Without policy.dmarc (RFC 9989 section 9.1): "policy.dmarc=none" is the
 * result to whoever looks for "dmarc=".  The decision record has it. */
static void
write_dmarc(const struct scan *scan, struct authres *ar)
{
	const struct auth_dmarc *dmarc = &scan->auth.dmarc;
	struct buf buf;

	authres_method(ar, "dmarc", auth_result_name(dmarc->result));
	if (dmarc->policy_domain != NULL) {
		buf_init(&buf, 64);
		buf_printf(&buf, "p=%s%s", dmarc_policy_name(dmarc->published),
		    dmarc->testing ? " t=y" : "");
		authres_comment(ar, buf_str(&buf));
		buf_free(&buf);
	}
	if (dmarc->problem != NULL)
		authres_reason(ar, dmarc->problem);
	if (dmarc->from_domain != NULL)
		authres_property(ar, "header", "from",
		    bytes_of(dmarc->from_domain));
}

void
scan_authres(const struct scan *scan, struct buf *out)
{
	struct authres ar;

	authres_begin(&ar, out, scan->authserv_id);
	if (scan->inbound_checks) {
		write_iprev(scan, &ar);
		write_spf(scan, &ar);
		write_dkim(scan, &ar);
		write_arc(scan, &ar);
		write_dmarc(scan, &ar);
	}
	authres_end(&ar);
}
