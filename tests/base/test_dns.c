/*
 * test_dns.c - tests of base/dns.c, dns_cache.c and dns_name.c, with a
 * zone file.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit.h"

#include "base/clock.h"
#include "base/dns_impl.h"

#define TIMEOUT_MS 400 /* where it must strike */

struct fixture {
	char file[64];
	struct dns *dns;
};

static void
open_dns_with(struct fixture *fixture, const char *zone, size_t cache_max,
    unsigned timeout_ms)
{
	struct dns_options options = { .zone_file = fixture->file,
		.timeout_ms = timeout_ms,
		.cache_max = cache_max };
	struct err err;
	FILE *file;
	int fd;

	snprintf(fixture->file, sizeof(fixture->file),
	    "/tmp/sekimori-zone.XXXXXX");
	fd = mkstemp(fixture->file);
	assert_true(fd >= 0);
	file = fdopen(fd, "w");
	assert_non_null(file);
	assert_true(fputs(zone, file) >= 0);
	assert_int_equal(fclose(file), 0);
	fixture->dns = dns_open(&options, &err);
	unlink(fixture->file);
	if (fixture->dns == NULL)
		case_fail("open", "%s", err.text);
}

static void
open_dns(struct fixture *fixture, const char *zone, size_t cache_max)
{
	open_dns_with(fixture, zone, cache_max, PATIENCE_MS);
}

static struct dns_stats
stats_of(struct dns *dns)
{
	struct dns_stats stats;

	dns_get_stats(dns, &stats);
	return stats;
}

static void
test_names(void **state)
{
	static const struct {
		const char *text;
		const char *want; /* NULL: refused */
	} cases[] = {
		{ "", "" },
		{ ".", "" },
		{ "a", "a" },
		{ "A.b.C.", "a.b.c" },
		{ "a..b", NULL },
		{ ".a", NULL },
		{ "..", NULL },
		{ "a\\.b.c", "a\\046b.c" },
		{ "\\065\\255", "a\\255" },
		{ "\\256", NULL },
		{ "\\25", NULL },
		{ "\\", NULL },
		{ "_dmarc.x-1", "_dmarc.x-1" },
		{ "a b", "a\\032b" },
		{ "\xe3\x81\x82", "\\227\\129\\130" },
		{ "123456789012345678901234567890123456789012345678901234567890"
		  "123.a",
		    "1234567890123456789012345678901234567890123456789012345678"
		    "90123.a" },
		{ "123456789012345678901234567890123456789012345678901234567890"
		  "1234.a",
		    NULL },
	};
	struct dns_wire wire;
	struct buf text;
	size_t i;

	(void)state;
	buf_init(&text, 2000);
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		bool good = dns_wire_from_text(cases[i].text, &wire) == 0;

		if (good != (cases[i].want != NULL))
			case_fail(cases[i].text, "was %s",
			    good ? "taken" : "refused");
		if (!good)
			continue;
		buf_reset(&text);
		assert_int_equal(dns_wire_to_text(wire.data, &text), 0);
		if (strcmp(buf_str(&text), cases[i].want) != 0)
			case_fail(cases[i].text, "got %s", buf_str(&text));
	}
	buf_free(&text);
}

/* 253 octets of text, 255 of wire, are the most. */
static void
test_longest_name(void **state)
{
	char text[300];
	struct dns_wire wire;
	size_t len;

	(void)state;
	for (len = 245; len < 260; len++) {
		size_t i;

		for (i = 0; i < len; i++)
			text[i] = i % 50 == 49 ? '.' : 'x';
		text[len] = '\0';
		if (text[len - 1] == '.')
			continue;
		if ((dns_wire_from_text(text, &wire) == 0) !=
		    (len <= DNS_NAME_MAX))
			case_fail(text, "length %zu", len);
		text[len] = '.';
		text[len + 1] = '\0';
		if ((dns_wire_from_text(text, &wire) == 0) !=
		    (len <= DNS_NAME_MAX))
			case_fail(text, "length %zu and a dot", len);
	}
}

static void
test_reverse_names(void **state)
{
	static const struct {
		const char *ip, *want;
	} cases[] = {
		{ "192.0.2.1", "1.2.0.192.in-addr.arpa" },
		{ "::ffff:192.0.2.1", "1.2.0.192.in-addr.arpa" },
		{ "2001:db8::f",
		    "f.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0."
		    "8.b.d.0.1.0.0.2.ip6.arpa" },
	};
	char name[DNS_REVERSE_SIZE];
	struct ip ip;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		assert_int_equal(ip_parse(bytes_of(cases[i].ip), &ip), 0);
		dns_reverse_name(&ip, name);
		assert_string_equal(name, cases[i].want);
	}
}

static void
test_names_that_cannot_exist(void **state)
{
	struct fixture fixture;
	struct dns_set *set;

	(void)state;
	open_dns(&fixture, "a A 192.0.2.1\n", 0);
	set = dns_set_new(fixture.dns);
	assert_int_equal(dns_ask(set, "a..b", DNS_A)->status, DNS_NXDOMAIN);
	assert_int_equal(dns_ask(set, "a\\999", DNS_A)->status, DNS_NXDOMAIN);
	assert_int_equal(dns_ask(set, "", DNS_MX)->status, DNS_NODATA);
	assert_int_equal(dns_ask(set, ".", DNS_MX)->status, DNS_NODATA);
	assert_int_equal(stats_of(fixture.dns).asked, 0);
	dns_set_free(set);
	dns_close(fixture.dns);
}

static void
test_same_answer_within_a_set(void **state)
{
	struct fixture fixture;
	struct dns_set *one, *two;
	const struct dns_answer *answer;

	(void)state;
	open_dns(&fixture, "a 0 A 192.0.2.1\nb A 192.0.2.2\n", 0);
	one = dns_set_new(fixture.dns);
	two = dns_set_new(fixture.dns);
	answer = dns_ask(one, "a", DNS_A);
	assert_non_null(answer);
	assert_int_equal(answer->status, DNS_OK);
	assert_ptr_equal(dns_ask(one, "A.", DNS_A), answer);
	/* TTL 0: another set asks anew */
	assert_non_null(dns_ask(two, "a", DNS_A));
	assert_int_equal(stats_of(fixture.dns).queries, 2);
	/* but others are */
	answer = dns_ask(one, "b", DNS_A);
	assert_ptr_equal(dns_ask(two, "b", DNS_A), answer);
	assert_int_equal(stats_of(fixture.dns).queries, 3);
	assert_int_equal(stats_of(fixture.dns).cache_hits, 1);
	assert_int_equal(stats_of(fixture.dns).cached, 1);
	assert_int_equal(dns_set_pending(one), 0);
	dns_set_free(one);
	dns_set_free(two);
	dns_close(fixture.dns);
}

/* Two sets ask the same; it goes out once, and both are told. */
static void
test_asked_at_once_goes_out_once(void **state)
{
	struct fixture fixture;
	struct dns_set *one, *two;
	int64_t until = clock_mono_ms() + 10000;

	(void)state;
	open_dns(&fixture, "slow A 192.0.2.1\nslow DELAY 50ms\n", 0);
	one = dns_set_new(fixture.dns);
	two = dns_set_new(fixture.dns);
	assert_null(dns_ask(one, "slow", DNS_A));
	assert_null(dns_ask(one, "slow", DNS_A));
	assert_null(dns_ask(two, "SLOW", DNS_A));
	assert_int_equal(dns_set_pending(one), 1);
	assert_false(dns_set_has_news(two));
	assert_int_equal(dns_set_wait(one, until), 1);
	assert_int_equal(dns_set_wait(one, until), 0);
	assert_int_equal(dns_set_wait(two, until), 1);
	assert_ptr_equal(dns_ask(one, "slow", DNS_A),
	    dns_ask(two, "slow", DNS_A));
	assert_int_equal(dns_ask(one, "slow", DNS_A)->status, DNS_OK);
	assert_int_equal(stats_of(fixture.dns).queries, 1);
	dns_set_free(one);
	dns_set_free(two);
	dns_close(fixture.dns);
}

static void
test_question_without_answer_ends(void **state)
{
	struct fixture fixture;
	struct dns_set *set;
	int64_t start = clock_mono_ms(), took;

	(void)state;
	open_dns_with(&fixture, "dead TIMEOUT\n", 0, TIMEOUT_MS);
	set = dns_set_new(fixture.dns);
	assert_null(dns_ask(set, "dead", DNS_A));
	assert_int_equal(dns_set_wait(set, start + PATIENCE_MS), 1);
	took = clock_mono_ms() - start;
	assert_in_range(took, TIMEOUT_MS, PATIENCE_MS / 2);
	assert_int_equal(dns_ask(set, "dead", DNS_A)->status, DNS_TIMEOUT);
	assert_int_equal(stats_of(fixture.dns).timeouts, 1);
	dns_set_free(set);
	/* The failure is remembered, so the next set need not wait. */
	set = dns_set_new(fixture.dns);
	assert_non_null(dns_ask(set, "dead", DNS_A));
	dns_set_free(set);
	dns_close(fixture.dns);
}

/* The set's own deadline is nearer than the question's. */
static void
test_set_gives_up(void **state)
{
	struct fixture fixture;
	struct dns_set *set, *other;
	int64_t start;

	(void)state;
	open_dns(&fixture,
	    "late A 192.0.2.1\nlate DELAY 3s\nhere A 192.0.2.2\n", 0);
	set = dns_set_new(fixture.dns);
	other = dns_set_new(fixture.dns);
	assert_null(dns_ask(set, "late", DNS_A));
	assert_null(dns_ask(other, "late", DNS_A));
	start = clock_mono_ms();
	assert_int_equal(dns_set_wait(set, start + 50), 1);
	assert_true(clock_mono_ms() - start >= 50);
	assert_int_equal(dns_ask(set, "late", DNS_A)->status, DNS_TIMEOUT);
	assert_int_equal(dns_set_wait(set, start + 50), 0);
	/* Others go on waiting, and a set keeps what it was told. */
	assert_int_equal(dns_set_wait(other, start + PATIENCE_MS), 1);
	assert_int_equal(dns_ask(other, "late", DNS_A)->status, DNS_OK);
	assert_int_equal(dns_ask(set, "late", DNS_A)->status, DNS_TIMEOUT);
	assert_int_equal(dns_ask(set, "here", DNS_A)->status, DNS_OK);
	dns_set_free(set);
	dns_set_free(other);
	dns_close(fixture.dns);
}

/* An answer after the deadline is good for those who ask next. */
static void
test_late_answer_is_kept(void **state)
{
	struct fixture fixture;
	struct dns_set *set;
	int64_t start = clock_mono_ms();
	const struct dns_answer *answer = NULL;

	(void)state;
	open_dns_with(&fixture, "late A 192.0.2.1\nlate DELAY 600ms\n", 0,
	    TIMEOUT_MS);
	set = dns_set_new(fixture.dns);
	assert_null(dns_ask(set, "late", DNS_A));
	assert_int_equal(dns_set_wait(set, start + PATIENCE_MS), 1);
	assert_int_equal(dns_ask(set, "late", DNS_A)->status, DNS_TIMEOUT);
	dns_set_free(set);
	while (clock_mono_ms() < start + PATIENCE_MS) {
		usleep(20000);
		set = dns_set_new(fixture.dns);
		answer = dns_ask(set, "late", DNS_A);
		assert_non_null(answer);
		if (answer->status == DNS_OK)
			break;
		dns_set_free(set);
		set = NULL;
	}
	assert_non_null(set);
	dns_set_free(set);
	dns_close(fixture.dns);
}

/* With a TTL of 0 it is good for nobody, and not kept. */
static void
test_late_answer_without_ttl(void **state)
{
	struct fixture fixture;
	struct dns_set *set;
	int64_t start = clock_mono_ms();

	(void)state;
	open_dns_with(&fixture, "late 0 A 192.0.2.1\nlate DELAY 600ms\n", 0,
	    TIMEOUT_MS);
	set = dns_set_new(fixture.dns);
	assert_null(dns_ask(set, "late", DNS_A));
	assert_int_equal(dns_set_wait(set, start + PATIENCE_MS), 1);
	assert_int_equal(dns_ask(set, "late", DNS_A)->status, DNS_TIMEOUT);
	dns_set_free(set);
	/* It takes the place of the failure that is remembered. */
	while (stats_of(fixture.dns).cached > 0 &&
	    clock_mono_ms() < start + PATIENCE_MS)
		usleep(20000);
	assert_int_equal(stats_of(fixture.dns).cached, 0);
	dns_close(fixture.dns);
}

static void
test_set_is_freed_while_it_waits(void **state)
{
	struct fixture fixture;
	struct dns_set *set;

	(void)state;
	open_dns(&fixture, "slow A 192.0.2.1\nslow DELAY 50ms\n", 0);
	set = dns_set_new(fixture.dns);
	assert_null(dns_ask(set, "slow", DNS_A));
	dns_set_free(set);
	set = dns_set_new(fixture.dns);
	(void)dns_ask(set, "slow", DNS_A);
	(void)dns_set_wait(set, clock_mono_ms() + PATIENCE_MS);
	assert_int_equal(dns_ask(set, "slow", DNS_A)->status, DNS_OK);
	dns_set_free(set);
	dns_close(fixture.dns);
}

static void
test_set_has_a_ceiling(void **state)
{
	struct fixture fixture;
	struct dns_set *set;
	char name[32];
	int i;

	(void)state;
	open_dns(&fixture, "*.a A 192.0.2.1\n", 0);
	set = dns_set_new(fixture.dns);
	for (i = 0; i < DNS_SET_MAX + 5; i++) {
		snprintf(name, sizeof(name), "n%d.a", i);
		assert_int_equal(dns_ask(set, name, DNS_A)->status,
		    i < DNS_SET_MAX ? DNS_OK : DNS_SERVFAIL);
	}
	for (i = 0; i < DNS_SET_MAX; i++) {
		snprintf(name, sizeof(name), "n%d.a", i);
		assert_int_equal(dns_ask(set, name, DNS_A)->status, DNS_OK);
	}
	assert_int_equal(stats_of(fixture.dns).asked, DNS_SET_MAX);
	dns_set_free(set);
	dns_close(fixture.dns);
}

static void
test_cache_has_a_ceiling(void **state)
{
	struct fixture fixture;
	struct dns_set *set;
	char name[32];
	int i;

	(void)state;
	open_dns(&fixture, "*.a A 192.0.2.1\n", 1000);
	for (i = 0; i < 5000; i++) {
		set = dns_set_new(fixture.dns);
		snprintf(name, sizeof(name), "n%d.a", i);
		assert_int_equal(dns_ask(set, name, DNS_A)->status, DNS_OK);
		/* Used again and again, this one stays. */
		assert_int_equal(dns_ask(set, "often.a", DNS_A)->status,
		    DNS_OK);
		dns_set_free(set);
	}
	/* Rounded up by at most one a shard. */
	assert_in_range(stats_of(fixture.dns).cached, 800, 1000 + 64);
	assert_int_equal(stats_of(fixture.dns).queries, 5001);
	dns_close(fixture.dns);
}

struct storm {
	struct dns *dns;
	unsigned seed;
};

/* Asks, waits, gives up and goes away, beside others who do the same. */
static void *
storm_run(void *context)
{
	struct storm *storm = context;
	unsigned seed = storm->seed;
	char name[32];
	int i, k;

	for (i = 0; i < 150; i++) {
		struct dns_set *set = dns_set_new(storm->dns);

		for (k = 0; k < 6; k++) {
			snprintf(name, sizeof(name), "n%d.%s",
			    rand_r(&seed) % 40,
			    rand_r(&seed) % 3 == 0 ? "slow" : "fast");
			(void)dns_ask(set, name, DNS_A);
		}
		if (rand_r(&seed) % 3 > 0)
			while (dns_set_wait(set,
				   clock_mono_ms() + rand_r(&seed) % 8) > 0)
				;
		dns_set_free(set);
	}
	return NULL;
}

static void
test_many_threads(void **state)
{
	struct fixture fixture;
	struct storm storms[16];
	pthread_t threads[16];
	size_t i;

	(void)state;
	open_dns(&fixture,
	    "*.fast 0 A 192.0.2.1\n*.slow 0 A 192.0.2.1\n*.slow DELAY 3ms\n",
	    1000);
	for (i = 0; i < ARRAY_LEN(threads); i++) {
		storms[i] = (struct storm){ fixture.dns, (unsigned)i + 1 };
		assert_int_equal(pthread_create(&threads[i], NULL, storm_run,
				     &storms[i]),
		    0);
	}
	for (i = 0; i < ARRAY_LEN(threads); i++)
		pthread_join(threads[i], NULL);
	dns_close(fixture.dns);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_longest_name),
		cmocka_unit_test(test_reverse_names),
		cmocka_unit_test(test_names_that_cannot_exist),
		cmocka_unit_test(test_same_answer_within_a_set),
		cmocka_unit_test(test_asked_at_once_goes_out_once),
		cmocka_unit_test(test_question_without_answer_ends),
		cmocka_unit_test(test_set_gives_up),
		cmocka_unit_test(test_late_answer_is_kept),
		cmocka_unit_test(test_late_answer_without_ttl),
		cmocka_unit_test(test_set_is_freed_while_it_waits),
		cmocka_unit_test(test_set_has_a_ceiling),
		cmocka_unit_test(test_cache_has_a_ceiling),
		cmocka_unit_test(test_many_threads),
	};

	return cmocka_run_group_tests_name("dns", tests, NULL, NULL);
}
