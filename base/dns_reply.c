/*
 * dns_reply.c - answers: built, and read from a DNS message.
 *
 * The message comes from libunbound, which has taken it apart and written
 * it anew; it is still the text of strangers, and read as such (RFC 1035
 * section 4): every length is checked, a compressed name may only point
 * backwards, and anything out of order fails the answer as a whole.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/dns_impl.h"

#define HEADER_LEN 12
#define CLASS_IN 1
#define RR_MAX 2048          /* of a message, sections together */
#define TEXT_MAX (4 * 65536) /* of an answer: 64 kB, names escaped */

/* ---- replies ---- */

struct dns_reply *
dns_reply_ref(struct dns_reply *reply)
{
	atomic_fetch_add_explicit(&reply->refs, 1, memory_order_relaxed);
	return reply;
}

void
dns_reply_unref(struct dns_reply *reply)
{
	if (reply != NULL &&
	    atomic_fetch_sub_explicit(&reply->refs, 1, memory_order_acq_rel) ==
		1)
		free(reply);
}

static struct dns_reply *
reply_new(enum dns_status status, uint32_t ttl_s, size_t size)
{
	struct dns_reply *reply = xcalloc(1, size);

	reply->answer.status = status;
	atomic_init(&reply->refs, 1);
	reply->ttl_s = ttl_s;
	reply->size = size;
	return reply;
}

struct dns_reply *
dns_reply_new_failure(enum dns_status status)
{
	return reply_new(status, DNS_TTL_FAILURE_S, sizeof(struct dns_reply));
}

struct dns_reply *
dns_reply_new_negative(enum dns_status status, uint32_t ttl_s)
{
	return reply_new(status,
	    ttl_s < DNS_TTL_NEGATIVE_MAX_S ? ttl_s : DNS_TTL_NEGATIVE_MAX_S,
	    sizeof(struct dns_reply));
}

/* ---- names within a message ---- */

/*
 * The name at *at, in lower case; *at moves behind it.  A pointer must
 * point before everything read so far, hence the walk ends.
 */
static int
read_name(struct bytes message, size_t *at, struct dns_wire *out)
{
	const uint8_t *p = (const uint8_t *)message.data;
	size_t i = *at, floor = *at, target, len = 0, label, k;
	bool jumped = false;

	for (;;) {
		if (i >= message.len)
			return -1;
		label = p[i];
		if ((label & 0xc0) == 0xc0) {
			if (i + 1 >= message.len)
				return -1;
			target = (label & 0x3f) << 8 | p[i + 1];
			if (!jumped)
				*at = i + 2;
			jumped = true;
			if (target >= floor)
				return -1;
			i = floor = target;
			continue;
		}
		if ((label & 0xc0) != 0 || label >= message.len - i ||
		    len + label + 1 > DNS_WIRE_MAX)
			return -1;
		out->data[len++] = (uint8_t)label;
		for (k = 1; k <= label; k++) {
			uint8_t c = p[i + k];

			out->data[len++] =
			    c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c;
		}
		i += label + 1;
		if (label == 0)
			break;
	}
	out->len = (uint8_t)len;
	if (!jumped)
		*at = i;
	return 0;
}

/* ---- drafts ---- */

void
dns_draft_init(struct dns_draft *draft)
{
	memset(draft, 0, sizeof(*draft));
	buf_init(&draft->text, TEXT_MAX);
}

void
dns_draft_fini(struct dns_draft *draft)
{
	free(draft->records);
	buf_free(&draft->text);
}

void
dns_draft_reset(struct dns_draft *draft, enum dns_type type)
{
	draft->type = type;
	draft->count = 0;
	buf_reset(&draft->text);
}

static struct dns_draft_record *
draft_record(struct dns_draft *draft)
{
	struct dns_draft_record *record;

	if (draft->count == DNS_RECORD_MAX)
		return NULL;
	if (draft->count == draft->size) {
		draft->size = draft->size > 0 ? draft->size * 2 : 16;
		draft->records = xrealloc(draft->records,
		    draft->size * sizeof(draft->records[0]));
	}
	record = &draft->records[draft->count];
	memset(record, 0, sizeof(*record));
	record->offset = draft->text.len;
	return record;
}

static int
take_address(struct dns_draft_record *record, enum ip_family family,
    struct bytes rdata)
{
	if (rdata.len != (family == IP_V4 ? 4 : 16))
		return -1;
	/* An IPv4-mapped address in an AAAA stays what it is: no client
	 * that comes by IPv4 is found under AAAA. */
	record->ip.family = family;
	memcpy(record->ip.bytes, rdata.data, rdata.len);
	return 0;
}

/* The name fills the rdata from offset on. */
static int
take_name(struct dns_draft *draft, struct bytes message, struct bytes rdata,
    size_t offset)
{
	struct dns_wire name;
	size_t at = offset;

	if (message.data == NULL)
		message = rdata;
	else
		at += (size_t)(rdata.data - message.data);
	/* What follows the rdata is not part of the name. */
	message.len = (size_t)(rdata.data - message.data) + rdata.len;
	if (read_name(message, &at, &name) < 0 || at != message.len)
		return -1;
	if (dns_wire_to_text(name.data, &draft->text) < 0)
		return -1;
	/* A NUL, so that it is a C string; not counted. */
	return buf_append_char(&draft->text, '\0');
}

static int
take_strings(struct dns_draft *draft, struct bytes rdata)
{
	size_t i = 0, len;

	if (rdata.len == 0)
		return -1;
	while (i < rdata.len) {
		len = (uint8_t)rdata.data[i++];
		if (len > rdata.len - i ||
		    buf_append(&draft->text, rdata.data + i, len) < 0)
			return -1;
		i += len;
	}
	return buf_append_char(&draft->text, '\0');
}

int
dns_draft_add(struct dns_draft *draft, struct bytes message, struct bytes rdata)
{
	struct dns_draft_record *record = draft_record(draft);
	int rc = -1;

	if (record == NULL)
		return -1;
	switch (draft->type) {
	case DNS_A:
		rc = take_address(record, IP_V4, rdata);
		break;
	case DNS_AAAA:
		rc = take_address(record, IP_V6, rdata);
		break;
	case DNS_MX:
		if (rdata.len < 3)
			return -1;
		record->preference = (uint16_t)((uint8_t)rdata.data[0] << 8 |
		    (uint8_t)rdata.data[1]);
		rc = take_name(draft, message, rdata, 2);
		break;
	case DNS_PTR:
		rc = take_name(draft, message, rdata, 0);
		break;
	case DNS_TXT:
		rc = take_strings(draft, rdata);
		break;
	}
	if (rc < 0)
		return -1;
	/* Without the NUL. */
	if (draft->text.len > record->offset)
		record->len = draft->text.len - record->offset - 1;
	draft->count++;
	return 0;
}

struct dns_reply *
dns_draft_reply(const struct dns_draft *draft, uint32_t ttl_s, bool secure)
{
	struct dns_record *records;
	struct dns_reply *reply;
	char *text;
	size_t i;

	if (ttl_s > DNS_TTL_MAX_S)
		ttl_s = DNS_TTL_MAX_S;
	reply = reply_new(DNS_OK, ttl_s,
	    sizeof(*reply) + draft->count * sizeof(*records) + draft->text.len);
	records = (struct dns_record *)(reply + 1);
	text = (char *)(records + draft->count);
	if (draft->text.len > 0)
		memcpy(text, draft->text.data, draft->text.len);
	for (i = 0; i < draft->count; i++) {
		const struct dns_draft_record *from = &draft->records[i];

		records[i].preference = from->preference;
		records[i].ip = from->ip;
		if (draft->type == DNS_TXT)
			records[i].text =
			    (struct bytes){ text + from->offset, from->len };
		else if (draft->type == DNS_MX || draft->type == DNS_PTR)
			records[i].name = text + from->offset;
	}
	reply->answer.secure = secure;
	reply->answer.count = draft->count;
	reply->answer.records = records;
	return reply;
}

/* ---- messages ---- */

struct record {
	struct dns_wire owner;
	unsigned type, class;
	uint32_t ttl_s;
	struct bytes rdata;
};

struct reader {
	struct bytes message;
	size_t at;
	size_t answers; /* where the answer section begins */
	unsigned answer_count, authority_count;
	unsigned rcode;
};

static int
read_u16(struct reader *reader, unsigned *out)
{
	const uint8_t *p = (const uint8_t *)reader->message.data + reader->at;

	if (reader->message.len - reader->at < 2)
		return -1;
	*out = (unsigned)p[0] << 8 | p[1];
	reader->at += 2;
	return 0;
}

/* RFC 2181 section 8: a TTL with its highest bit set is 0. */
static int
read_ttl(struct reader *reader, uint32_t *out)
{
	unsigned high, low;

	if (read_u16(reader, &high) < 0 || read_u16(reader, &low) < 0)
		return -1;
	*out = high & 0x8000 ? 0 : (uint32_t)high << 16 | low;
	return 0;
}

static int
read_record(struct reader *reader, struct record *out)
{
	unsigned len;

	if (read_name(reader->message, &reader->at, &out->owner) < 0 ||
	    read_u16(reader, &out->type) < 0 ||
	    read_u16(reader, &out->class) < 0 ||
	    read_ttl(reader, &out->ttl_s) < 0 || read_u16(reader, &len) < 0 ||
	    reader->message.len - reader->at < len)
		return -1;
	out->rdata.data = reader->message.data + reader->at;
	out->rdata.len = len;
	reader->at += len;
	return 0;
}

/* Header and question; the latter must be the one that was asked. */
static int
read_start(struct reader *reader, const struct dns_wire *name,
    enum dns_type type)
{
	unsigned id, flags, questions, additional, asked_type, asked_class;
	struct dns_wire asked;

	if (read_u16(reader, &id) < 0 || read_u16(reader, &flags) < 0 ||
	    read_u16(reader, &questions) < 0 ||
	    read_u16(reader, &reader->answer_count) < 0 ||
	    read_u16(reader, &reader->authority_count) < 0 ||
	    read_u16(reader, &additional) < 0)
		return -1;
	/* QR is set, TC is not. */
	if ((flags & 0x8000) == 0 || (flags & 0x0200) != 0 || questions != 1)
		return -1;
	if (reader->answer_count + reader->authority_count > RR_MAX)
		return -1;
	reader->rcode = flags & 15;
	if (read_name(reader->message, &reader->at, &asked) < 0 ||
	    read_u16(reader, &asked_type) < 0 ||
	    read_u16(reader, &asked_class) < 0)
		return -1;
	reader->answers = reader->at;
	return dns_wire_equal(&asked, name) && asked_type == (unsigned)type &&
		asked_class == CLASS_IN
	    ? 0
	    : -1;
}

/*
 * One walk over the answer section: 1 and *alias is where name leads, 0
 * when it is no alias; records of the type at name go to the draft.
 */
static int
walk_answers(struct reader *reader, struct dns_draft *draft,
    const struct dns_wire *name, struct dns_wire *alias, uint32_t *ttl_s)
{
	struct record record;
	unsigned i;
	int found = 0;

	reader->at = reader->answers;
	for (i = 0; i < reader->answer_count; i++) {
		size_t at;

		if (read_record(reader, &record) < 0)
			return -1;
		if (record.class != CLASS_IN ||
		    !dns_wire_equal(&record.owner, name))
			continue;
		if (record.type == DNS_CNAME) {
			at = (size_t)(record.rdata.data - reader->message.data);
			if (read_name(reader->message, &at, alias) < 0 ||
			    at != reader->at)
				return -1;
			found = 1;
		} else if (record.type == (unsigned)draft->type) {
			if (dns_draft_add(draft, reader->message,
				record.rdata) < 0)
				return -1;
		} else {
			continue;
		}
		if (record.ttl_s < *ttl_s)
			*ttl_s = record.ttl_s;
	}
	return draft->count > 0 ? 0 : found;
}

/* RFC 2308 section 5; behind the answer section. */
static uint32_t
negative_ttl(struct reader *reader)
{
	struct record record;
	uint32_t minimum;
	unsigned i;

	for (i = 0; i < reader->authority_count; i++) {
		if (read_record(reader, &record) < 0)
			break;
		if (record.type != DNS_SOA || record.rdata.len < 22)
			continue;
		reader->at -= 4;
		if (read_ttl(reader, &minimum) < 0)
			break;
		return minimum < record.ttl_s ? minimum : record.ttl_s;
	}
	return DNS_TTL_NEGATIVE_S;
}

/* NULL: malformed, or no answer to rely on. */
static struct dns_reply *
parse(struct dns_draft *draft, struct reader *reader,
    const struct dns_wire *name, enum dns_type type, bool secure)
{
	struct dns_wire current, next;
	struct dns_reply *reply;
	uint32_t ttl_s = DNS_TTL_MAX_S, negative_s;
	unsigned aliases;
	int rc;

	if (read_start(reader, name, type) < 0 ||
	    (reader->rcode != 0 && reader->rcode != 3))
		return NULL;
	dns_wire_copy(&current, name);
	for (aliases = 0;; aliases++) {
		rc = walk_answers(reader, draft, &current, &next, &ttl_s);
		if (rc < 0 || aliases > DNS_ALIAS_MAX)
			return NULL;
		if (rc == 0)
			break;
		dns_wire_copy(&current, &next);
	}
	if (draft->count > 0)
		return dns_draft_reply(draft, ttl_s, secure);
	/* RFC 6604: with aliases, the code is that of the last name. */
	negative_s = negative_ttl(reader);
	reply = dns_reply_new_negative(reader->rcode == 3 ? DNS_NXDOMAIN
							  : DNS_NODATA,
	    negative_s < ttl_s ? negative_s : ttl_s);
	reply->answer.secure = secure;
	return reply;
}

struct dns_reply *
dns_reply_parse(struct dns_draft *draft, struct bytes message,
    const struct dns_wire *name, enum dns_type type, bool secure)
{
	struct reader reader = { .message = message };
	struct dns_reply *reply;

	dns_draft_reset(draft, type);
	reply = parse(draft, &reader, name, type, secure);
	return reply != NULL ? reply : dns_reply_new_failure(DNS_SERVFAIL);
}
