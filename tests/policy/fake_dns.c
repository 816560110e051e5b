/*
 * fake_dns.c - base/dns replaced at its seam: a zone in memory.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/str.h"
#include "tests/policy/fake_dns.h"

#define ALIAS_MAX 8

struct zone_record {
	struct zone_record *next;
	char *name; /* as name_key makes it */
	int type;
	struct bytes data;
};

struct zone_failure {
	struct zone_failure *next;
	char *name;
	enum dns_status status;
};

struct dns {
	struct arena *arena;
	struct zone_record *first, **last;
	struct zone_failure *failures;
	bool delay;
	unsigned rounds, questions;
};

struct asked {
	struct asked *next;
	char *name;
	enum dns_type type;
	bool arrived;
	struct dns_answer answer;
};

struct dns_set {
	struct dns *dns;
	struct arena *arena;
	struct asked *asked;
	size_t pending;
	bool news;
};

/* Lower case, no final dot, octets as they are; NULL: not a name. */
static char *
name_key(struct arena *arena, const char *text)
{
	char *key = arena_alloc(arena, strlen(text) + 1), *out = key;
	size_t label = 0;

	while (*text != '\0') {
		if (*text == '.') {
			if (label == 0 || label > 63)
				return NULL;
			label = 0;
			if (text[1] == '\0')
				break;
			*out++ = *text++;
			continue;
		}
		label++;
		if (*text == '\\' && strlen(text) >= 4) {
			*out++ = (char)strtol((char[]){ text[1], text[2],
						  text[3], '\0' },
			    NULL, 10);
			text += 4;
		} else {
			*out++ = ascii_lower(*text++);
		}
	}
	*out = '\0';
	return label > 63 || out - key > DNS_NAME_MAX ? NULL : key;
}

/* As base/dns gives names in answers. */
static const char *
name_text(struct arena *arena, const char *key)
{
	char *text, *out;

	if (key == NULL)
		return "";
	text = out = arena_alloc(arena, 4 * strlen(key) + 1);
	for (; *key != '\0'; key++)
		if (ascii_is_alnum(*key) || strchr("-_./*+=", *key) != NULL)
			*out++ = *key;
		else
			out += snprintf(out, 5, "\\%03u", (unsigned char)*key);
	*out = '\0';
	return text;
}

struct dns *
fake_dns_new(void)
{
	struct dns *dns = xcalloc(1, sizeof(*dns));

	dns->arena = arena_new(0);
	dns->last = &dns->first;
	return dns;
}

void
dns_close(struct dns *dns)
{
	arena_free(dns->arena);
	free(dns);
}

void
fake_dns_add(struct dns *dns, const char *name, int type, struct bytes data)
{
	struct zone_record *record =
	    arena_calloc(dns->arena, 1, sizeof(*record));

	record->name = name_key(dns->arena, name);
	if (record->name == NULL)
		return; /* nobody can ask for it */
	record->type = type;
	record->data.data = arena_memdup(dns->arena, data.data, data.len);
	record->data.len = data.len;
	*dns->last = record;
	dns->last = &record->next;
}

void
fake_dns_fail(struct dns *dns, const char *name, enum dns_status status)
{
	struct zone_failure *failure =
	    arena_calloc(dns->arena, 1, sizeof(*failure));

	failure->name = name_key(dns->arena, name);
	if (failure->name == NULL)
		return;
	failure->status = status;
	failure->next = dns->failures;
	dns->failures = failure;
}

void
fake_dns_line(struct dns *dns, const char *line)
{
	static const struct {
		const char *word;
		int type;
		enum dns_status status;
	} words[] = {
		{ "A", DNS_A, DNS_OK },
		{ "AAAA", DNS_AAAA, DNS_OK },
		{ "MX", DNS_MX, DNS_OK },
		{ "PTR", DNS_PTR, DNS_OK },
		{ "TXT", DNS_TXT, DNS_OK },
		{ "CNAME", FAKE_DNS_CNAME, DNS_OK },
		{ "SERVFAIL", 0, DNS_SERVFAIL },
		{ "TIMEOUT", 0, DNS_TIMEOUT },
		{ "BOGUS", 0, DNS_BOGUS },
	};
	struct cursor c = cursor_of(bytes_of(line));
	struct bytes name = cursor_until(&c, " "), word;
	char *owner = arena_memdup(dns->arena, name.data, name.len);
	size_t i;

	cursor_space(&c);
	word = cursor_until(&c, " ");
	cursor_char(&c, ' ');
	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (!bytes_equal(word, bytes_of(words[i].word)))
			continue;
		if (words[i].type == 0)
			fake_dns_fail(dns, owner, words[i].status);
		else
			fake_dns_add(dns, owner, words[i].type,
			    (struct bytes){ c.p, (size_t)(c.end - c.p) });
		return;
	}
	fprintf(stderr, "fake_dns: cannot read '%s'\n", line);
	abort();
}

void
fake_dns_delay(struct dns *dns)
{
	dns->delay = true;
	dns->rounds = dns->questions = 0;
}

unsigned
fake_dns_rounds(const struct dns *dns)
{
	return dns->rounds;
}

unsigned
fake_dns_questions(const struct dns *dns)
{
	return dns->questions;
}

bool
dns_status_is_failure(enum dns_status status)
{
	return status == DNS_SERVFAIL || status == DNS_TIMEOUT ||
	    status == DNS_BOGUS;
}

const char *
dns_status_name(enum dns_status status)
{
	static const char *const names[] = { "ok", "nodata", "nxdomain",
		"servfail", "timeout", "bogus" };

	return names[status];
}

void
dns_reverse_name(const struct ip *ip, char out[DNS_REVERSE_SIZE])
{
	int i;

	if (ip->family == IP_V4) {
		snprintf(out, DNS_REVERSE_SIZE, "%u.%u.%u.%u.in-addr.arpa",
		    ip->bytes[3], ip->bytes[2], ip->bytes[1], ip->bytes[0]);
		return;
	}
	for (i = 15; i >= 0; i--)
		out += snprintf(out, 5, "%x.%x.", ip->bytes[i] & 15u,
		    ip->bytes[i] >> 4);
	memcpy(out, "ip6.arpa", sizeof("ip6.arpa"));
}

struct dns_set *
dns_set_new(struct dns *dns)
{
	struct dns_set *set = xcalloc(1, sizeof(*set));

	set->dns = dns;
	set->arena = arena_new(0);
	return set;
}

void
dns_set_free(struct dns_set *set)
{
	if (set == NULL)
		return;
	arena_free(set->arena);
	free(set);
}

/* ---- answers ---- */

static struct dns_record
record_of(struct dns_set *set, const struct zone_record *from)
{
	struct dns_record record = { .text = from->data };
	char *text = arena_memdup(set->arena, from->data.data, from->data.len);
	char *space;

	record.ip.family = from->type == DNS_A ? IP_V4 : IP_V6;
	if (from->type == DNS_A)
		inet_pton(AF_INET, text, record.ip.bytes);
	else if (from->type == DNS_AAAA)
		inet_pton(AF_INET6, text, record.ip.bytes);
	if (from->type == DNS_MX) {
		record.preference = (uint16_t)strtol(text, &space, 10);
		text = space + strspn(space, " ");
	}
	if (from->type == DNS_MX || from->type == DNS_PTR)
		record.name = name_text(set->arena, name_key(set->arena, text));
	return record;
}

static void
resolve(struct dns_set *set, const char *name, enum dns_type type,
    unsigned aliases, struct dns_answer *answer)
{
	const struct zone_failure *failure;
	const struct zone_record *record;
	struct dns_record *records;
	bool exists = false;

	*answer = (struct dns_answer){ .status = DNS_NXDOMAIN };
	if (name == NULL)
		return;
	records = arena_calloc(set->arena, 100, sizeof(*records));
	for (record = set->dns->first; record != NULL; record = record->next) {
		if (strcmp(record->name, name) != 0)
			continue;
		exists = true;
		if (record->type == FAKE_DNS_CNAME) {
			if (aliases == ALIAS_MAX)
				answer->status = DNS_SERVFAIL;
			else
				resolve(set,
				    name_key(set->arena, record->data.data),
				    type, aliases + 1, answer);
			return;
		}
		if (record->type == (int)type)
			records[answer->count++] = record_of(set, record);
	}
	answer->records = records;
	if (answer->count > 0) {
		answer->status = DNS_OK;
		return;
	}
	if (exists)
		answer->status = DNS_NODATA;
	for (failure = set->dns->failures; failure != NULL;
	     failure = failure->next)
		if (strcmp(failure->name, name) == 0)
			answer->status = failure->status;
}

const struct dns_answer *
dns_ask(struct dns_set *set, const char *name, enum dns_type type)
{
	char *key = name_key(set->arena, name);
	struct asked *asked;

	for (asked = set->asked; asked != NULL; asked = asked->next)
		if (key != NULL && asked->type == type &&
		    strcmp(asked->name, key) == 0)
			return asked->arrived ? &asked->answer : NULL;
	asked = arena_calloc(set->arena, 1, sizeof(*asked));
	asked->name = key != NULL ? key : arena_strdup(set->arena, "");
	asked->type = type;
	asked->arrived = !set->dns->delay || key == NULL;
	asked->next = set->asked;
	set->asked = asked;
	resolve(set, key, type, 0, &asked->answer);
	set->dns->questions++;
	if (asked->arrived)
		return &asked->answer;
	set->pending++;
	return NULL;
}

bool
dns_set_has_news(struct dns_set *set)
{
	bool news = set->news;

	set->news = false;
	return news;
}

size_t
dns_set_pending(const struct dns_set *set)
{
	return set->pending;
}

int
dns_set_wait(struct dns_set *set, int64_t until_ms)
{
	struct asked *asked;

	(void)until_ms;
	if (set->pending == 0)
		return 0;
	for (asked = set->asked; asked != NULL; asked = asked->next)
		asked->arrived = true;
	set->pending = 0;
	set->dns->rounds++;
	return 1;
}
