/*
 * test_key_record.c - tests of policy/key_record.c: the ASN.1 of RSA keys.
 * What stands around it in a record is tested by test_auth_dkim.c.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <string.h>

#include "tests/unit.h"

#include "base/crypto.h"
#include "policy/key_record.h"
#include "policy/signing_key.h"

static struct arena *arena;

static int
setup(void **state)
{
	(void)state;
	arena = arena_new(0);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	arena_free(arena);
	return 0;
}

/* ---- ASN.1, written ---- */

static struct bytes
der(unsigned char tag, struct bytes content)
{
	char *out = arena_alloc(arena, content.len + 5);
	size_t n = 0;

	out[n++] = (char)tag;
	if (content.len >= 0x80) {
		out[n++] = (char)0x82;
		out[n++] = (char)(content.len >> 8);
	}
	out[n++] = (char)(content.len & 0xff);
	if (content.len > 0)
		memcpy(out + n, content.data, content.len);
	return (struct bytes){ out, n + content.len };
}

static struct bytes
join(struct bytes a, struct bytes b)
{
	char *out = arena_alloc(arena, a.len + b.len + 1);

	if (a.len > 0)
		memcpy(out, a.data, a.len);
	if (b.len > 0)
		memcpy(out + a.len, b.data, b.len);
	return (struct bytes){ out, a.len + b.len };
}

/* An odd number of so many octets, the first given. */
static struct bytes
number(size_t octets, unsigned char first)
{
	char *out = arena_alloc(arena, octets + 1);

	memset(out, 0x55, octets);
	out[0] = (char)first;
	return (struct bytes){ out, octets };
}

#define ZERO BYTES_LIT("\0")
#define F4 BYTES_LIT("\1\0\1")
#define OID_RSA BYTES_LIT("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01")
#define OID_PSS BYTES_LIT("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a")

static struct bytes
rsa(struct bytes modulus, struct bytes exponent)
{
	return der(0x30, join(der(2, modulus), der(2, exponent)));
}

static struct bytes
spki(struct bytes oid, struct bytes parameters, struct bytes key)
{
	return der(0x30,
	    join(der(0x30, join(der(6, oid), parameters)),
		der(3, join(ZERO, key))));
}

static int
read_key(struct bytes key, struct key_record *record)
{
	struct buf text;
	int rc;

	buf_init(&text, 100000);
	buf_append_str(&text, "v=DKIM1; p=");
	base64_encode(key, &text);
	rc = key_record_read(arena, buf_bytes(&text), record, NULL);
	buf_free(&text);
	return rc;
}

static void
test_rsa(void **state)
{
	struct bytes n = join(ZERO, number(128, 0x80));
	struct bytes null = der(5, (struct bytes){ NULL, 0 });
	struct bytes none = { NULL, 0 };
	struct bytes plain = rsa(n, F4);
	const struct {
		const char *label;
		struct bytes key;
		unsigned bits; /* 0: refused */
	} cases[] = {
		{ "SubjectPublicKeyInfo", spki(OID_RSA, null, plain), 1024 },
		{ "without parameters", spki(OID_RSA, none, plain), 1024 },
		{ "RSAPublicKey alone", plain, 1024 },
		{ "odd number of bits", rsa(number(127, 0x01), F4), 1009 },
		{ "largest", rsa(join(ZERO, number(1024, 0x80)), F4), 8192 },
		{ "exponent 3", rsa(n, BYTES_LIT("\3")), 1024 },
		{ "exponent of 64 bits", rsa(n, join(ZERO, number(8, 0xff))),
		    1024 },
		{ "larger than that", rsa(number(1025, 0x01), F4), 0 },
		{ "exponent of 65 bits", rsa(n, number(9, 0x01)), 0 },
		{ "exponent 1", rsa(n, BYTES_LIT("\1")), 0 },
		{ "exponent 0", rsa(n, ZERO), 0 },
		{ "even exponent", rsa(n, BYTES_LIT("\4")), 0 },
		{ "even modulus", rsa(BYTES_LIT("\x10\x00"), F4), 0 },
		{ "modulus 0", rsa(ZERO, F4), 0 },
		{ "negative modulus", rsa(number(128, 0x80), F4), 0 },
		{ "negative exponent", rsa(n, BYTES_LIT("\x81")), 0 },
		{ "empty modulus", rsa(none, F4), 0 },
		{ "other algorithm", spki(OID_PSS, null, plain), 0 },
		{ "parameters that are not NULL",
		    spki(OID_RSA, der(5, ZERO), plain), 0 },
		{ "two parameters", spki(OID_RSA, join(null, null), plain), 0 },
		{ "something behind it", join(spki(OID_RSA, null, plain), ZERO),
		    0 },
		{ "something behind the numbers",
		    der(0x30, join(join(der(2, n), der(2, F4)), der(2, F4))),
		    0 },
		{ "something behind the key",
		    spki(OID_RSA, null, join(plain, ZERO)), 0 },
		{ "unused bits",
		    der(0x30,
			join(der(0x30, join(der(6, OID_RSA), null)),
			    der(3, join(BYTES_LIT("\1"), plain)))),
		    0 },
		{ "no exponent", der(0x30, der(2, n)), 0 },
		{ "cut off", { plain.data, plain.len - 1 }, 0 },
		{ "indefinite length", BYTES_LIT("\x30\x80\0\0"), 0 },
		{ "length of three octets", BYTES_LIT("\x30\x83\0\0\3\2\1\1"),
		    0 },
		{ "length beyond the end", BYTES_LIT("\x30\x82\xff\xff"), 0 },
		{ "one octet", BYTES_LIT("\x30"), 0 },
	};
	struct key_record record;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		int rc = read_key(cases[i].key, &record);

		if (rc != (cases[i].bits > 0 ? 0 : -1))
			case_fail(cases[i].label, "wrong answer");
		if (rc == 0 && record.bits != cases[i].bits)
			case_fail(cases[i].label, "%u bits", record.bits);
	}
}

static void
check_key(const struct key_record *key, struct key_cache *cache,
    struct buf *signature)
{
	const uint8_t digest[DIGEST_MAX] = { 1, 2, 3 };
	const uint8_t other[DIGEST_MAX] = { 4 };

	assert_true(key_record_verifies(key, cache, DIGEST_SHA256, digest,
	    buf_bytes(signature)));
	assert_false(key_record_verifies(key, cache, DIGEST_SHA256, other,
	    buf_bytes(signature)));
	assert_false(key_record_verifies(key, cache, DIGEST_SHA1, digest,
	    buf_bytes(signature)));
	assert_false(key_record_verifies(key, cache, DIGEST_SHA256, digest,
	    BYTES_LIT("")));
	signature->data[signature->len - 1] ^= 1;
	assert_false(key_record_verifies(key, cache, DIGEST_SHA256, digest,
	    buf_bytes(signature)));
	signature->data[signature->len - 1] ^= 1;
}

/* A key that has its place in the cache where this one has, and is another:
 * the low octets are the same. */
static void
check_rival(const struct key_record *key, struct key_cache *cache,
    const struct buf *signature)
{
	const uint8_t digest[DIGEST_MAX] = { 1, 2, 3 };
	struct key_record rival = *key;
	char *modulus;

	if (key->type != KEY_RSA)
		return;
	modulus = arena_memdup(arena, key->modulus.data, key->modulus.len);
	modulus[1] ^= 1;
	rival.modulus.data = modulus;
	assert_false(key_record_verifies(&rival, cache, DIGEST_SHA256, digest,
	    buf_bytes(signature)));
}

static void
test_verification(void **state)
{
	static const unsigned sizes[] = { 0, 1024, 2048, 4096 };
	const uint8_t digest[DIGEST_MAX] = { 1, 2, 3 };
	struct key_cache *cache = key_cache_new();
	struct buf text, base64, signature;
	struct key_record record;
	struct signing_key *key;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(sizes); i++) {
		key = signing_key_generate(sizes[i], NULL);
		assert_non_null(key);
		buf_init(&text, 10000);
		buf_init(&base64, 10000);
		buf_init(&signature, 10000);
		assert_int_equal(signing_key_record(key, &text), 0);
		assert_int_equal(signing_key_sign(key, digest, &base64, NULL),
		    0);
		assert_int_equal(base64_decode(buf_bytes(&base64), &signature),
		    0);
		assert_int_equal(key_record_read(arena, buf_bytes(&text),
				     &record, NULL),
		    0);
		assert_int_equal(record.bits, sizes[i] > 0 ? sizes[i] : 256);
		check_key(&record, NULL, &signature);
		check_key(&record, cache, &signature);
		check_rival(&record, cache, &signature);
		check_key(&record, cache, &signature);
		buf_free(&text);
		buf_free(&base64);
		buf_free(&signature);
		signing_key_free(key);
	}
	key_cache_free(cache);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rsa),
		cmocka_unit_test(test_verification),
	};

	return cmocka_run_group_tests_name("key_record", tests, setup,
	    teardown);
}
