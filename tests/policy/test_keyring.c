/*
 * test_keyring.c - tests of policy/keyring.c and key_check.c: keys as files,
 * and what the DNS says of them.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit.h"

#include "base/arena.h"
#include "base/clock.h"
#include "policy/key_check.h"
#include "policy/keyring.h"
#include "tests/policy/fake_dns.h"

#define DOMAIN "a.example"
#define SEEN_MAX 256

static char *dir;
static struct signing_key *rsa, *ed;

static int
setup(void **state)
{
	char template[] = "/tmp/sekimori-keyring-XXXXXX";
	struct err err;

	(void)state;
	if (mkdtemp(template) == NULL)
		return -1;
	/* Not there yet: the first key makes it. */
	dir = xprintf("%s/keys", template);
	rsa = signing_key_generate(1024, &err);
	ed = signing_key_generate(0, &err);
	return rsa != NULL && ed != NULL ? 0 : -1;
}

static char *
path_of(const char *name)
{
	return xprintf("%s/" DOMAIN "/%s", dir, name);
}

static int
teardown(void **state)
{
	static const char *const left[] = { "broken.pem", "README", "..new",
		"link.pem" };
	char *path;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(left); i++) {
		path = path_of(left[i]);
		unlink(path);
		free(path);
	}
	path = path_of("");
	rmdir(path);
	free(path);
	rmdir(dir);
	*strrchr(dir, '/') = '\0';
	rmdir(dir);
	free(dir);
	signing_key_free(rsa);
	signing_key_free(ed);
	return 0;
}

static void
add(const char *selector, const struct signing_key *key)
{
	struct err err;

	if (keyring_add(dir, DOMAIN, selector, key, -1, &err) < 0)
		fail_msg("%s: %s", selector, err.text);
}

static void
move(const char *selector, enum key_state from, enum key_state to)
{
	struct err err;

	if (keyring_set_state(dir, DOMAIN, selector, from, to, &err) < 0)
		fail_msg("%s: %s", selector, err.text);
}

static void
drop(const char *selector, enum key_state state)
{
	struct err err;

	if (keyring_remove(dir, DOMAIN, selector, state, &err) < 0)
		fail_msg("%s: %s", selector, err.text);
}

/* "s1 s2", what signs just now. */
static const char *
seen(struct keyring *keyring, char text[SEEN_MAX])
{
	struct keyring_set *set = keyring_get(keyring, DOMAIN);
	size_t i, len = 0;

	text[0] = '\0';
	for (i = 0; set != NULL && i < set->count; i++)
		len += (size_t)snprintf(text + len, SEEN_MAX - len, "%s%s",
		    i > 0 ? " " : "", set->keys[i].selector);
	keyring_set_unref(set);
	return text;
}

/* A ring that looks again and again sees each change at once. */
static void
test_states(void **state)
{
	struct keyring *keyring = keyring_open(dir);
	struct keyring_set *kept;
	char text[SEEN_MAX];

	(void)state;
	assert_string_equal(seen(keyring, text), "");
	add("s1", rsa);
	add("s2", ed);
	assert_string_equal(seen(keyring, text), "");
	move("s1", KEY_NEW, KEY_SIGNS);
	assert_string_equal(seen(keyring, text), "s1");
	kept = keyring_get(keyring, DOMAIN);
	move("s2", KEY_NEW, KEY_SIGNS);
	assert_string_equal(seen(keyring, text), "s1 s2");
	move("s1", KEY_SIGNS, KEY_RETIRED);
	assert_string_equal(seen(keyring, text), "s2");
	/* Who has a set keeps it. */
	assert_int_equal(kept->count, 1);
	assert_string_equal(kept->keys[0].selector, "s1");
	keyring_set_unref(kept);
	drop("s2", KEY_SIGNS);
	assert_string_equal(seen(keyring, text), "");
	drop("s1", KEY_RETIRED);
	assert_string_equal(seen(keyring, text), "");
	keyring_forget(keyring);
	keyring_close(keyring);
}

static void
test_read(void **state)
{
	struct keyring_set *set = NULL;
	struct err err;

	(void)state;
	assert_int_equal(keyring_read(dir, DOMAIN, &set, &err), 0);
	add("b", ed);
	add("a", rsa);
	move("a", KEY_NEW, KEY_RETIRED);
	assert_int_equal(keyring_read(dir, DOMAIN, &set, &err), 1);
	assert_int_equal(set->count, 2);
	assert_string_equal(set->keys[0].selector, "a");
	assert_int_equal(set->keys[0].state, KEY_RETIRED);
	assert_string_equal(signing_key_algorithm(set->keys[0].key),
	    "rsa-sha256");
	assert_string_equal(set->keys[1].selector, "b");
	assert_int_equal(set->keys[1].state, KEY_NEW);
	assert_string_equal(signing_key_algorithm(set->keys[1].key),
	    "ed25519-sha256");
	keyring_set_unref(set);
	drop("a", KEY_RETIRED);
	drop("b", KEY_NEW);
}

static void
test_what_is_refused(void **state)
{
	static const char *const selectors[] = { "", ".", "..", "a/b", "../x",
		"a..b", "a.", ".a", "a b", "a\nb", "\xc3\xa9",
		("1234567890123456789012345678901234567890123456789012345678901"
		 "234") };
	static const char *const domains[] = { "", "..", "../a.example",
		"a/b.example", "localhost", "A.example" };
	struct keyring *keyring = keyring_open(dir);
	struct err err;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(selectors); i++)
		if (keyring_check_selector(selectors[i], &err) == 0 ||
		    keyring_add(dir, DOMAIN, selectors[i], ed, -1, &err) == 0)
			case_fail(selectors[i], "taken for a selector");
	for (i = 0; i < ARRAY_LEN(domains); i++)
		if (keyring_add(dir, domains[i], "s", ed, -1, &err) == 0 ||
		    keyring_get(keyring, domains[i]) != NULL)
			case_fail(domains[i], "taken for a domain");
	keyring_close(keyring);
	add("s1", ed);
	move("s1", KEY_NEW, KEY_SIGNS);
	assert_int_equal(keyring_add(dir, DOMAIN, "s1", ed, -1, &err), -1);
	assert_int_equal(err.kind, ERR_INPUT);
	assert_int_equal(keyring_set_state(dir, DOMAIN, "s1", KEY_NEW,
			     KEY_SIGNS, &err),
	    -1);
	assert_int_equal(keyring_remove(dir, DOMAIN, "s1", KEY_NEW, &err), -1);
	drop("s1", KEY_SIGNS);
}

static void
write_file(const char *name, const char *text)
{
	char *path = path_of(name);
	FILE *out = fopen(path, "w");

	assert_non_null(out);
	fputs(text, out);
	assert_int_equal(fclose(out), 0);
	assert_int_equal(chmod(path, 0600), 0);
	free(path);
}

/* What cannot be used leaves the others alone, and is told to those who
 * look after them. */
static void
test_odd_files(void **state)
{
	struct keyring *keyring = keyring_open(dir);
	struct keyring_set *set = NULL;
	char text[SEEN_MAX], *path, *link;
	struct err err;

	(void)state;
	add("good", ed);
	move("good", KEY_NEW, KEY_SIGNS);
	write_file("README", "not a key\n");
	write_file("..new", "no selector\n");
	assert_string_equal(seen(keyring, text), "good");
	assert_int_equal(keyring_read(dir, DOMAIN, &set, &err), 1);
	keyring_set_unref(set);
	write_file("broken.pem", "-----BEGIN PRIVATE KEY-----\n");
	assert_string_equal(seen(keyring, text), "good");
	assert_int_equal(keyring_read(dir, DOMAIN, &set, &err), -1);
	assert_non_null(strstr(err.text, "broken.pem"));
	path = path_of("broken.pem");
	unlink(path);
	free(path);
	/* no way out of the directory */
	path = path_of("good.pem");
	link = path_of("link.pem");
	assert_int_equal(symlink(path, link), 0);
	assert_string_equal(seen(keyring, text), "good");
	unlink(link);
	/* nobody else may read it */
	assert_int_equal(chmod(path, 0644), 0);
	keyring_forget(keyring);
	assert_string_equal(seen(keyring, text), "");
	assert_int_equal(chmod(path, 0640), 0);
	keyring_forget(keyring);
	assert_string_equal(seen(keyring, text), "good");
	free(link);
	free(path);
	keyring_close(keyring);
	drop("good", KEY_SIGNS);
}

/* What helps does not always change the time of the directory. */
static void
test_tried_again(void **state)
{
	static const struct timespec long_ago[2] = { { 1000000000, 0 },
		{ 1000000000, 0 } };
	struct keyring *keyring = keyring_open(dir);
	char text[SEEN_MAX], *path, *domain_dir;
	int64_t start = clock_mono_ms();

	(void)state;
	add("s", ed);
	move("s", KEY_NEW, KEY_SIGNS);
	domain_dir = path_of("");
	path = path_of("s.pem");
	assert_int_equal(chmod(path, 0644), 0);
	assert_int_equal(utimensat(AT_FDCWD, domain_dir, long_ago, 0), 0);
	assert_string_equal(seen(keyring, text), "");
	assert_int_equal(chmod(path, 0640), 0);
	while (seen(keyring, text)[0] == '\0' &&
	    clock_mono_ms() < start + PATIENCE_MS)
		usleep(50000);
	assert_string_equal(text, "s");
	free(path);
	free(domain_dir);
	keyring_close(keyring);
	drop("s", KEY_SIGNS);
}

static void
test_file_mode(void **state)
{
	struct stat st;
	char *path;

	(void)state;
	add("s", rsa);
	path = path_of("s.new");
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0640);
	free(path);
	drop("s", KEY_NEW);
}

/* ---- key_check.h ---- */

static const char *
record_of(struct arena *arena, const struct signing_key *key)
{
	const char *text;
	struct buf buf;

	buf_init(&buf, 4096);
	assert_int_equal(signing_key_record(key, &buf), 0);
	text = arena_strdup(arena, buf_str(&buf));
	buf_free(&buf);
	return text;
}

static void
test_dns(void **state)
{
	struct arena *arena = arena_new(0);
	const char *own = record_of(arena, rsa), *p = strstr(own, "p=");
	const struct {
		const char *label, *record; /* NULL: none; "!": no answer */
		const char *second;
		enum key_check want;
	} cases[] = {
		{ "as we wrote it", own, NULL, KEY_CHECK_RIGHT },
		{ "with less in it", p, NULL, KEY_CHECK_RIGHT },
		{ "testing", arena_printf(arena, "t=y; %s", p), NULL,
		    KEY_CHECK_RIGHT },
		{ "no record", NULL, NULL, KEY_CHECK_MISSING },
		{ "the DNS fails", "!", NULL, KEY_CHECK_UNKNOWN },
		{ "another key", record_of(arena, ed), NULL, KEY_CHECK_WRONG },
		{ "revoked", "v=DKIM1; p=", NULL, KEY_CHECK_WRONG },
		{ "cut off", arena_printf(arena, "%.100s", own), NULL,
		    KEY_CHECK_WRONG },
		{ "SHA-1 only", arena_printf(arena, "h=sha1; %s", p), NULL,
		    KEY_CHECK_WRONG },
		{ "two records", own, "v=DKIM1; p=", KEY_CHECK_WRONG },
	};
	const char *owner = key_check_owner(arena, DOMAIN, "s"), *problem;
	enum key_check got;
	struct dns_set *set;
	struct dns *dns;
	size_t i;

	(void)state;
	assert_string_equal(owner, "s._domainkey.a.example");
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		dns = fake_dns_new();
		if (cases[i].record != NULL && cases[i].record[0] == '!')
			fake_dns_fail(dns, owner, DNS_SERVFAIL);
		else if (cases[i].record != NULL)
			fake_dns_add(dns, owner, DNS_TXT,
			    bytes_of(cases[i].record));
		if (cases[i].second != NULL)
			fake_dns_add(dns, owner, DNS_TXT,
			    bytes_of(cases[i].second));
		fake_dns_delay(dns);
		set = dns_set_new(dns);
		got = key_check_dns(arena, set, owner, rsa,
		    clock_mono_ms() + 1000, &problem);
		if (got != cases[i].want ||
		    (problem == NULL) != (got == KEY_CHECK_RIGHT))
			case_fail(cases[i].label, "%s (%s)",
			    key_check_name(got), problem);
		dns_set_free(set);
		dns_close(dns);
	}
	arena_free(arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_states),
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_what_is_refused),
		cmocka_unit_test(test_odd_files),
		cmocka_unit_test(test_tried_again),
		cmocka_unit_test(test_file_mode),
		cmocka_unit_test(test_dns),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
