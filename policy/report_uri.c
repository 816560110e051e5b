/*
 * report_uri.c - where reports go, and whether they may.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <string.h>

#include "base/str.h"
#include "mail/address.h"
#include "policy/dmarc_walk.h"
#include "policy/report_uri.h"

/* ---- reading ---- */

/* "!10m" at the end; a size that makes no sense is not one. */
static void
take_size(struct bytes *text, struct report_uri *uri)
{
	static const char units[] = "kmgt";
	const char *mark = memrchr(text->data, '!', text->len), *unit;
	struct bytes digits;
	unsigned shift = 0;
	uint64_t size;

	if (mark == NULL)
		return;
	digits.data = mark + 1;
	digits.len = (size_t)(text->data + text->len - digits.data);
	text->len = (size_t)(mark - text->data);
	if (digits.len == 0)
		return;
	unit = strchr(units, ascii_lower(digits.data[digits.len - 1]));
	if (unit != NULL && *unit != '\0') {
		shift = 10 * (unsigned)(unit - units + 1);
		digits.len--;
	}
	if (parse_u64(digits, 1, UINT64_MAX >> 41, &size) == 0)
		uri->size_max = size << shift;
}

/* Percent-encoding undone (RFC 6068), in the arena; NULL: broken. */
static const char *
decode(struct arena *arena, struct bytes text, size_t *len)
{
	char *out = arena_alloc(arena, text.len + 1);
	int high, low;
	size_t i, n = 0;

	for (i = 0; i < text.len; i++) {
		out[n] = text.data[i];
		if (out[n] == '%') {
			if (text.len - i < 3)
				return NULL;
			high = ascii_hex_value(text.data[i + 1]);
			low = ascii_hex_value(text.data[i + 2]);
			if (high < 0 || low < 0)
				return NULL;
			out[n] = (char)(high << 4 | low);
			i += 2;
		}
		n++;
	}
	out[n] = '\0';
	*len = n;
	return out;
}

/* Nothing that could end a line or a command of SMTP. */
static bool
is_clean(const char *text, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		if ((unsigned char)text[i] <= 0x20 || text[i] == 0x7f)
			return false;
	return true;
}

static const char *
take_address(struct arena *arena, struct bytes text, struct report_uri *uri)
{
	struct address address;
	const char *decoded;
	struct err err;
	struct buf buf;
	size_t len = 0;

	decoded = decode(arena, text, &len);
	if (decoded == NULL)
		return "a percent sign without two hexadecimal digits";
	if (!is_clean(decoded, len))
		return "there is a space or a control character in it";
	if (address_parse(arena, (struct bytes){ decoded, len }, &address,
		&err) < 0)
		return arena_strdup(arena, err.text);
	if (address.local[0] == '\0' || address.domain[0] == '\0' ||
	    address.domain[0] == '[')
		return "it is no address of a domain";
	buf_init(&buf, 2 * ADDRESS_MAX);
	if (address_append_key(&buf, address.key) < 0) {
		buf_free(&buf);
		return "the address is too long";
	}
	uri->address = arena_strdup(arena, buf_str(&buf));
	uri->domain = address.domain;
	buf_free(&buf);
	return NULL;
}

static void
read_uri(struct arena *arena, struct bytes text, struct report_uri *uri)
{
	struct cursor c;
	struct bytes path;

	memset(uri, 0, sizeof(*uri));
	uri->text = arena_memdup(arena, text.data, text.len);
	take_size(&text, uri);
	c = cursor_of(text);
	if (!cursor_literal(&c, "mailto:")) {
		uri->problem = "it is no mailto: address";
		return;
	}
	path = cursor_until(&c, "?");
	uri->problem = take_address(arena, path, uri);
}

size_t
report_uris_read(struct arena *arena, const char *list,
    struct report_uri uris[REPORT_URIS_MAX])
{
	struct cursor c;
	struct bytes text;
	size_t n = 0;

	if (list == NULL)
		return 0;
	c = cursor_of(bytes_of(list));
	do {
		text = bytes_trim(cursor_until(&c, ","));
		if (text.len > 0)
			read_uri(arena, text, &uris[n++]);
	} while (n < REPORT_URIS_MAX && cursor_char(&c, ','));
	return n;
}

/* ---- consent ---- */

/* The organization of a domain; NULL with *consent when not known yet. */
static const char *
organization_of(struct arena *arena, struct dns_set *dns, const char *domain,
    enum report_consent *consent)
{
	struct dmarc_walk *walk = dmarc_walk_new(arena, dns, domain);

	switch (dmarc_walk_run(arena, dns, walk)) {
	case DMARC_WALK_WAIT:
		*consent = CONSENT_WAIT;
		return NULL;
	case DMARC_WALK_FAILED:
		*consent = CONSENT_UNKNOWN;
		return NULL;
	case DMARC_WALK_DONE:
		break;
	}
	return dmarc_walk_organization(walk);
}

/* The address that the consenting record wants instead, if any; false: it
 * is of another host, and nothing may be sent at all. */
static bool
take_override(struct arena *arena, const char *list, struct report_uri *uri)
{
	struct report_uri wanted[REPORT_URIS_MAX];
	size_t i, n = report_uris_read(arena, list, wanted);

	for (i = 0; i < n; i++) {
		if (wanted[i].address == NULL)
			continue;
		if (strcmp(wanted[i].domain, uri->domain) != 0)
			return false;
		uri->address = wanted[i].address;
		return true;
	}
	return true;
}

static enum report_consent
read_consent(struct arena *arena, const struct dns_answer *answer,
    enum report_tag tag, struct report_uri *uri)
{
	enum report_consent consent = CONSENT_NONE;
	struct dmarc_record record;
	size_t i;

	for (i = 0; i < answer->count; i++) {
		if (dmarc_record_read(arena, answer->records[i].text,
			&record) == 0)
			continue;
		if (!take_override(arena,
			tag == REPORT_TAG_RUF ? record.ruf : record.rua, uri))
			return CONSENT_NONE;
		consent = CONSENT_GIVEN;
	}
	return consent;
}

enum report_consent
report_uri_consent(struct arena *arena, struct dns_set *dns,
    const char *policy_domain, enum report_tag tag, struct report_uri *uri,
    const char **name)
{
	enum report_consent consent = CONSENT_NONE;
	const struct dns_answer *answer;
	const char *ours, *theirs;

	*name = arena_printf(arena, "%s._report._dmarc.%s", policy_domain,
	    uri->domain);
	if (strcmp(uri->domain, policy_domain) == 0)
		return CONSENT_OWN;
	/* All questions at once. */
	answer = dns_ask(dns, *name, DNS_TXT);
	ours = organization_of(arena, dns, policy_domain, &consent);
	theirs = organization_of(arena, dns, uri->domain, &consent);
	if (ours == NULL || theirs == NULL)
		return consent;
	if (strcmp(ours, theirs) == 0)
		return CONSENT_OWN;
	if (answer == NULL)
		return CONSENT_WAIT;
	if (dns_status_is_failure(answer->status))
		return CONSENT_UNKNOWN;
	return read_consent(arena, answer, tag, uri);
}
