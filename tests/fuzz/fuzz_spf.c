/*
 * fuzz_spf.c - SPF from zone to result.
 *
 * The input is a zone in the lines of tests/policy/fake_dns.h, as far as
 * they can be read; "example.com" is evaluated.  Whether answers are there
 * at once or come later, and names are asked ahead of need, must not change
 * the result; and libspf2 must agree with our own walk.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/str.h"
#include "policy/scan.h"
#include "tests/policy/fake_dns.h"

#define LINES_MAX 100

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool
is_data_type(struct bytes word)
{
	static const char *const words[] = { "A", "AAAA", "MX", "PTR", "TXT",
		"CNAME", "SERVFAIL", "TIMEOUT", "BOGUS" };
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (bytes_equal(word, bytes_of(words[i])))
			return true;
	return false;
}

/* TXT goes in as it is, any octets; the rest by fake_dns_line. */
static void
add_line(struct dns *dns, struct bytes line)
{
	struct cursor c = cursor_of(line);
	struct bytes name = cursor_until(&c, " "), word;
	char *text;

	if (!cursor_char(&c, ' ') || name.len == 0 ||
	    memchr(name.data, '\0', name.len) != NULL)
		return;
	word = cursor_until(&c, " ");
	if (!is_data_type(word))
		return;
	if (bytes_equal(word, BYTES_LIT("TXT"))) {
		cursor_char(&c, ' ');
		text = xmemdup(name.data, name.len);
		fake_dns_add(dns, text, DNS_TXT,
		    (struct bytes){ c.p, (size_t)(c.end - c.p) });
	} else {
		text = xmemdup(line.data, line.len);
		fake_dns_line(dns, text);
	}
	free(text);
}

static struct dns *
zone_of(struct bytes text)
{
	struct dns *dns = fake_dns_new();
	struct cursor c = cursor_of(text);
	int lines = 0;

	while (!cursor_at_end(&c) && lines++ < LINES_MAX) {
		add_line(dns, cursor_until(&c, "\n"));
		cursor_char(&c, '\n');
	}
	return dns;
}

static void
evaluate(struct arena *arena, struct dns *dns, struct auth_spf *out)
{
	static const struct address sender = { "user@example.com", "user",
		"example.com", "user@example.com" };
	struct envelope envelope = { .id = "", .sender = sender };
	struct scan scan = { .arena = arena, .envelope = &envelope };

	ip_parse(BYTES_LIT("192.0.2.3"), &envelope.client.ip);
	envelope.client.helo = "helo.example.com";
	scan.dns = dns_set_new(dns);
	while (check_spf.step(&scan) == CHECK_WAIT)
		if (dns_set_wait(scan.dns, 0) == 0)
			abort();
	*out = scan.auth.spf;
	check_spf.fini(&scan);
	dns_set_free(scan.dns);
}

static void
compare(const struct auth_spf_identity *a, const struct auth_spf_identity *b)
{
	if (a->result != b->result ||
	    (a->explanation == NULL) != (b->explanation == NULL) ||
	    (a->mechanism == NULL) != (b->mechanism == NULL))
		abort();
	if (a->mechanism != NULL && strcmp(a->mechanism, b->mechanism) != 0)
		abort();
	if (a->problem != NULL &&
	    strcmp(a->problem, "the evaluation contradicts itself") == 0)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes text = { (const char *)data, size };
	struct arena *arena = arena_new(0);
	struct auth_spf at_once, late;
	struct dns *dns = zone_of(text);

	evaluate(arena, dns, &at_once);
	fake_dns_delay(dns);
	evaluate(arena, dns, &late);
	compare(&at_once.mailfrom, &late.mailfrom);
	compare(&at_once.helo, &late.helo);
	dns_close(dns);
	arena_free(arena);
	return 0;
}
