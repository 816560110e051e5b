/*
 * test_crypto.c - tests of base/crypto.c.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <string.h>

#include "tests/unit.h"

#include "base/crypto.h"
#include "base/str.h"

static void
test_sha256(void **state)
{
	struct sha256 *hash = sha256_new();
	uint8_t out[SHA256_LEN];
	char hex[SHA256_LEN * 2 + 1];

	(void)state;
	sha256_update(hash, "a", 1);
	sha256_update(hash, "", 0);
	sha256_update(hash, "bc", 2);
	sha256_final(hash, out);
	sha256_free(hash);
	str_hex(out, sizeof(out), hex);
	/* FIPS 180-2, appendix B.1 */
	assert_string_equal(hex,
	    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61"
	    "f20015ad");
}

static void
test_hmac_parts(void **state)
{
	const struct bytes key = BYTES_LIT("key");
	const struct bytes abc[] = { BYTES_LIT("ab"), BYTES_LIT("c") };
	const struct bytes bc[] = { BYTES_LIT("a"), BYTES_LIT("bc") };
	const struct bytes none[] = { BYTES_LIT(""), { NULL, 0 } };
	uint8_t one[SHA256_LEN], two[SHA256_LEN];
	char hex[SHA256_LEN * 2 + 1];

	(void)state;
	hmac_sha256(key, abc, 2, one);
	hmac_sha256(key, bc, 2, two);
	assert_false(secret_equal(one, two, SHA256_LEN));
	hmac_sha256(key, abc, 2, two);
	assert_true(secret_equal(one, two, SHA256_LEN));
	/* python3: hmac.new(b'key', b'\0'*7+b'\2ab'+b'\0'*7+b'\1c', 'sha256') */
	str_hex(one, sizeof(one), hex);
	assert_string_equal(hex,
	    "6792a685701881d31208bf28ad5cbe35d0ea5cc4f15c4689af94fe16"
	    "02c421e3");
	hmac_sha256(key, none, 1, one);
	hmac_sha256(key, none, 2, two);
	assert_false(secret_equal(one, two, SHA256_LEN));
}

static void
test_base64_both_ways(void **state)
{
	/* RFC 4648 section 10, and the two characters that differ */
	static const struct {
		const char *label;
		struct bytes plain;
		const char *base64, *base64url;
	} cases[] = {
		{ "empty", BYTES_LIT(""), "", "" },
		{ "one", BYTES_LIT("f"), "Zg==", "Zg" },
		{ "two", BYTES_LIT("fo"), "Zm8=", "Zm8" },
		{ "three", BYTES_LIT("foo"), "Zm9v", "Zm9v" },
		{ "six", BYTES_LIT("foobar"), "Zm9vYmFy", "Zm9vYmFy" },
		{ "62 and 63", BYTES_LIT("\xfb\xff\xbf"), "+/+/", "-_-_" },
		{ "NUL", BYTES_LIT("\0\0"), "AAA=", "AAA" },
	};
	struct buf out;
	size_t i;

	(void)state;
	buf_init(&out, 100);
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		buf_reset(&out);
		assert_int_equal(base64_encode(cases[i].plain, &out), 0);
		if (strcmp(buf_str(&out), cases[i].base64) != 0)
			case_fail(cases[i].label, "got %s", buf_str(&out));
		buf_reset(&out);
		assert_int_equal(base64url_encode(cases[i].plain, &out), 0);
		if (strcmp(buf_str(&out), cases[i].base64url) != 0)
			case_fail(cases[i].label, "got %s", buf_str(&out));
		buf_reset(&out);
		if (base64_decode(bytes_of(cases[i].base64), &out) < 0 ||
		    !bytes_equal(buf_bytes(&out), cases[i].plain))
			case_fail(cases[i].label, "base64 does not decode");
		buf_reset(&out);
		if (base64url_decode(bytes_of(cases[i].base64url), &out) < 0 ||
		    !bytes_equal(buf_bytes(&out), cases[i].plain))
			case_fail(cases[i].label, "base64url does not decode");
	}
	buf_free(&out);
}

static void
test_base64_strictness(void **state)
{
	static const struct {
		const char *text;
		int plain, url; /* what the decoders say */
	} cases[] = {
		{ "Zm\r\n\t 9v", 0, -1 },
		{ "Zg", 0, 0 },
		{ "Zg=", -1, -1 },
		{ "Zg==", 0, -1 },
		{ "Zg===", -1, -1 },
		{ "Z", -1, -1 },
		{ "Z===", -1, -1 },
		{ "Zg==Zg==", -1, -1 },
		{ "=", -1, -1 },
		{ "Zm9v=", -1, -1 },
		{ "Zh", 0, -1 },
		{ "Zm9", 0, -1 },
		{ "Zm8", 0, 0 },
		{ "Zm9v!", -1, -1 },
		{ "Zm-_", -1, 0 },
		{ "Zm+/", 0, -1 },
		{ "Zm9v\x80", -1, -1 },
	};
	struct buf out;
	size_t i;

	(void)state;
	buf_init(&out, 100);
	buf_append_str(&out, "x");
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		if (base64_decode(bytes_of(cases[i].text), &out) !=
		    cases[i].plain)
			case_fail(cases[i].text, "base64");
		if (cases[i].plain < 0 && strcmp(buf_str(&out), "x") != 0)
			case_fail(cases[i].text, "something was left behind");
		out.len = 1;
		out.data[1] = '\0';
		if (base64url_decode(bytes_of(cases[i].text), &out) !=
		    cases[i].url)
			case_fail(cases[i].text, "base64url");
		if (cases[i].url < 0 && strcmp(buf_str(&out), "x") != 0)
			case_fail(cases[i].text, "something was left behind");
		out.len = 1;
		out.data[1] = '\0';
	}
	buf_free(&out);
}

static void
test_base64_ceiling(void **state)
{
	struct buf out;

	(void)state;
	buf_init(&out, 7);
	assert_int_equal(base64_encode(BYTES_LIT("foobar"), &out), -1);
	assert_string_equal(buf_str(&out), "");
	buf_free(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sha256),
		cmocka_unit_test(test_hmac_parts),
		cmocka_unit_test(test_base64_both_ways),
		cmocka_unit_test(test_base64_strictness),
		cmocka_unit_test(test_base64_ceiling),
	};

	return cmocka_run_group_tests_name("crypto", tests, NULL, NULL);
}
