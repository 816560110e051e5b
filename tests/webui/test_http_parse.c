/*
 * test_http_parse.c - tests of webui/http_form.c and webui/http_fields.c.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit.h"

#include "base/arena.h"
#include "webui/http_fields.h"
#include "webui/http_form.h"

/* ---- forms ---- */

/* Compact JSON of a parse, or the kind of the error. */
static void
check_parse(const char *label, json_t *got, const struct err *err,
    const char *want)
{
	char *text = got != NULL
	    ? json_dumps(got, JSON_COMPACT | JSON_SORT_KEYS)
	    : xstrdup(err_kind_name(err->kind));

	if (strcmp(text, want) != 0)
		case_fail(label, "%s (%s)", text, got != NULL ? "" : err->text);
	free(text);
	json_decref(got);
}

static void
test_form(void **state)
{
	static const struct {
		const char *label, *text, *want;
	} cases[] = {
		{ "empty", "", "{}" },
		{ "one", "a=1", "{\"a\":\"1\"}" },
		{ "no value", "a&b=", "{\"a\":\"\",\"b\":\"\"}" },
		{ "empty pairs", "&&a=1&", "{\"a\":\"1\"}" },
		{ "plus and escapes", "a=x+y%20z%2B%E9%96%A2",
		    "{\"a\":\"x y z+\xe9\x96\xa2\"}" },
		{ "= in the value", "a=b=c", "{\"a\":\"b=c\"}" },
		{ "twice", "a=1&a=2&a=3", "{\"a\":[\"1\",\"2\",\"3\"]}" },
		{ "escaped name", "%61%2Eb=1", "{\"a.b\":\"1\"}" },
		{ "line ends stay", "a=x%0D%0Ay", "{\"a\":\"x\\r\\ny\"}" },
		{ "bad escape", "a=%4", "input" },
		{ "no hexadecimal", "a=%zz", "input" },
		{ "NUL", "a=x%00y", "input" },
		{ "NUL in the name", "a%00=1", "input" },
		{ "not UTF-8", "a=%ff", "input" },
		{ "overlong", "a=%c0%af", "input" },
		{ "surrogate", "a=%ed%a0%80", "input" },
		{ "no name", "=1", "input" },
	};
	struct err err;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(cases); i++)
		check_parse(cases[i].label,
		    http_form_parse(bytes_of(cases[i].text), &err), &err,
		    cases[i].want);
}

static void
test_form_limits(void **state)
{
	struct buf text;
	struct err err;
	json_t *form;
	int i;

	(void)state;
	buf_init(&text, 1 << 20);
	for (i = 0; i < HTTP_FORM_FIELDS_MAX; i++)
		assert_int_equal(buf_printf(&text, "f%d=x&", i), 0);
	form = http_form_parse(buf_bytes(&text), &err);
	assert_int_equal(json_object_size(form), HTTP_FORM_FIELDS_MAX);
	json_decref(form);
	assert_int_equal(buf_append_str(&text, "one=more"), 0);
	check_parse("too many", http_form_parse(buf_bytes(&text), &err), &err,
	    "limit");
	buf_reset(&text);
	for (i = 0; i <= HTTP_FORM_NAME_MAX; i++)
		assert_int_equal(buf_append_char(&text, 'n'), 0);
	check_parse("long name", http_form_parse(buf_bytes(&text), &err), &err,
	    "input");
	buf_free(&text);
}

#define PART(fields, body) "--B\r\n" fields "\r\n\r\n" body "\r\n"
#define NAMED(name) "Content-Disposition: form-data; name=\"" name "\""

static void
test_multipart(void **state)
{
	static const char type[] = "multipart/form-data; boundary=B";
	static const struct {
		const char *label, *type, *text, *want;
	} cases[] = {
		{ "none", type, "--B--\r\n", "{}" },
		{ "text", type, PART(NAMED("a"), "1") "--B--",
		    "{\"a\":\"1\"}" },
		{ "two lines", type, PART(NAMED("a"), "1\r\n2") "--B--",
		    "{\"a\":\"1\\r\\n2\"}" },
		{ "quoted boundary", "multipart/form-data; boundary=\"B\"",
		    PART(NAMED("a"), "1") "--B--", "{\"a\":\"1\"}" },
		{ "other fields", type,
		    PART("X: y\r\n" NAMED("a") "\r\nZ: z", "1") "--B--",
		    "{\"a\":\"1\"}" },
		{ "without quotes", type,
		    PART("content-disposition:form-data;name=a", "1") "--B--",
		    "{\"a\":\"1\"}" },
		{ "file", type,
		    PART(NAMED("csv") "; filename=\"x.csv\"\r\n"
				      "Content-Type: text/csv",
			"a,b\xff") "--B--",
		    "{\"csv_base64\":\"YSxi/w==\","
		    "\"csv_filename\":\"x.csv\"}" },
		{ "no file chosen", type,
		    PART(NAMED("csv") "; filename=\"\"", "") "--B--", "{}" },
		{ "quote in a name", type,
		    PART(NAMED("a") "; filename=\"x\\\".csv\"", "1") "--B--",
		    "{\"a_base64\":\"MQ==\",\"a_filename\":\"x\\\".csv\"}" },
		{ "boundary inside", type, PART(NAMED("a"), "--B") "--B--",
		    "{\"a\":\"--B\"}" },
		{ "not UTF-8", type, PART(NAMED("a"), "\xff") "--B--",
		    "input" },
		{ "no end", type, PART(NAMED("a"), "1"), "input" },
		{ "no blank line", type, "--B\r\n" NAMED("a") "\r\n--B--",
		    "input" },
		{ "no name", type,
		    PART("Content-Disposition: form-data", "1") "--B--",
		    "input" },
		{ "open quote", type,
		    PART("Content-Disposition: form-data; name=\"a",
			"1") "--B--",
		    "input" },
		{ "something before", type, "x--B--", "input" },
		{ "empty", type, "", "input" },
		{ "no boundary", "multipart/form-data", "--B--", "input" },
		{ "long boundary",
		    "multipart/form-data; boundary="
		    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		    "aaaaaaaaaaaaaaaaaaaaaaaa",
		    "--B--", "input" },
	};
	struct err err;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(cases); i++)
		check_parse(cases[i].label,
		    http_multipart_parse(cases[i].type, bytes_of(cases[i].text),
			&err),
		    &err, cases[i].want);
}

static void
test_json(void **state)
{
	static const struct {
		const char *label, *text, *want;
	} cases[] = {
		{ "object", "{\"a\": [1, null]}", "{\"a\":[1,null]}" },
		{ "empty", "", "input" },
		{ "array", "[]", "input" },
		{ "text", "\"a\"", "input" },
		{ "behind it", "{} {}", "input" },
		{ "twice", "{\"a\":1,\"a\":2}", "input" },
		{ "NUL", "{\"a\":\"\\u0000\"}", "input" },
		{ "not UTF-8", "{\"a\":\"\xff\"}", "input" },
	};
	struct err err;
	struct buf deep;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(cases); i++)
		check_parse(cases[i].label,
		    http_json_parse(bytes_of(cases[i].text), &err), &err,
		    cases[i].want);
	buf_init(&deep, 200000);
	for (i = 0; i < 100000; i++)
		assert_int_equal(buf_append_char(&deep, '['), 0);
	check_parse("deep", http_json_parse(buf_bytes(&deep), &err), &err,
	    "input");
	buf_free(&deep);
}

/* {"a":[[],[],...]}; or, within: the same as text. */
static void
append_many(struct buf *text, int n, bool within)
{
	int i;

	buf_reset(text);
	(void)buf_append_str(text, within ? "{\"a\":\"\\\"" : "{\"a\":[");
	for (i = 0; i < n; i++)
		(void)buf_append_str(text, i > 0 ? ",[]" : "[]");
	(void)buf_append_str(text, within ? "\"}" : "]}");
	assert_false(text->overflow);
}

static void
test_json_limits(void **state)
{
	struct buf text;
	struct err err;
	json_t *json;

	(void)state;
	buf_init(&text, 1 << 20);
	/* Each but the first is two; the two around them. */
	append_many(&text, (HTTP_JSON_VALUES_MAX - 1) / 2, false);
	json = http_json_parse(buf_bytes(&text), &err);
	assert_int_equal(json_array_size(json_object_get(json, "a")),
	    (HTTP_JSON_VALUES_MAX - 1) / 2);
	json_decref(json);
	append_many(&text, HTTP_JSON_VALUES_MAX / 2 + 1, false);
	check_parse("too many", http_json_parse(buf_bytes(&text), &err), &err,
	    "limit");
	/* A table has as many commas as it likes. */
	append_many(&text, HTTP_JSON_VALUES_MAX, true);
	json = http_json_parse(buf_bytes(&text), &err);
	assert_true(json_is_string(json_object_get(json, "a")));
	json_decref(json);
	buf_free(&text);
}

static void
test_media(void **state)
{
	(void)state;
	assert_int_equal(http_media_of(NULL), MEDIA_NONE);
	assert_int_equal(http_media_of(""), MEDIA_NONE);
	assert_int_equal(http_media_of("Application/JSON; charset=utf-8"),
	    MEDIA_JSON);
	assert_int_equal(http_media_of("application/x-www-form-urlencoded"),
	    MEDIA_FORM);
	assert_int_equal(http_media_of("multipart/form-data;boundary=x"),
	    MEDIA_MULTIPART);
	assert_int_equal(http_media_of("text/plain"), MEDIA_OTHER);
	assert_int_equal(http_media_of("application/jsonx"), MEDIA_OTHER);
}

/* ---- fields ---- */

static int
open_arena(void **state)
{
	*state = arena_new(0);
	return 0;
}

static int
close_arena(void **state)
{
	arena_free(*state);
	return 0;
}

/* NULL is shown as "-". */
static void
check_text(const char *label, const char *got, const char *want)
{
	if (strcmp(got != NULL ? got : "-", want) != 0)
		case_fail(label, "%s", got != NULL ? got : "-");
}

static void
test_cookie(void **state)
{
	static const struct {
		const char *field, *want;
	} cases[] = {
		{ "s=abc", "abc" },
		{ "a=1; s=abc; b=2", "abc" },
		{ "a=1;s=abc", "abc" },
		{ "s=first; s=second", "first" },
		{ "ss=abc", "-" },
		{ "s", "-" },
		{ "", "-" },
		{ "; ;; s=x", "x" },
		{ "s=a b", "-" },
		{ "s=a\"b", "-" },
		{ "s=\xff", "-" },
		{ "s=", "" },
		{ "S=abc", "-" },
	};
	size_t i;

	for (i = 0; i < ARRAY_LEN(cases); i++)
		check_text(cases[i].field,
		    http_cookie(*state, cases[i].field, "s"), cases[i].want);
	check_text("none", http_cookie(*state, NULL, "s"), "-");
}

/* Where a browser may be sent after a form. */
static void
test_local_path(void **state)
{
	static const struct {
		const char *path;
		bool local;
	} cases[] = {
		{ "/", true },
		{ "/overview", true },
		{ "/quarantine?domain=a.example&x=%2F%2Fevil", true },
		{ "/a//b", true },
		{ "//evil.example", false },
		{ "///evil.example", false },
		{ "/\\evil.example", false },
		{ "/a\\..\\b", false },
		{ "https://evil.example/", false },
		{ "javascript:alert(1)", false },
		{ "overview", false },
		{ "", false },
		{ "/\t/evil.example", false },
		{ "/a\r\nSet-Cookie: x=y", false },
		{ "/a b", false },
		{ "/\xe9\x96\xa2", false },
		{ "/<script>", false },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(cases); i++)
		if (http_path_is_local(cases[i].path) != cases[i].local)
			case_fail(cases[i].path, "%d", !cases[i].local);
	assert_false(http_path_is_local(NULL));
}

static void
test_origin(void **state)
{
	static const struct {
		const char *url, *want;
	} cases[] = {
		{ "https://Mail.example", "https://mail.example" },
		{ "https://mail.example:443/x", "https://mail.example" },
		{ "http://mail.example:80", "http://mail.example" },
		{ "http://mail.example:443", "http://mail.example:443" },
		{ "http://127.0.0.1:8897/a?b#c", "http://127.0.0.1:8897" },
		{ "http://[::1]:8897", "http://[::1]:8897" },
		{ "http://a@b/", "-" },
		{ "http://", "-" },
		{ "http://a:b", "-" },
		{ "http://[::1", "-" },
		{ "http://a b/", "-" },
		{ "null", "-" },
		{ "ftp://a", "-" },
		{ "http://a:99999", "-" },
	};
	size_t i;

	for (i = 0; i < ARRAY_LEN(cases); i++)
		check_text(cases[i].url, http_origin_of(*state, cases[i].url),
		    cases[i].want);
}

static void
test_path_of(void **state)
{
	static const struct {
		const char *url, *want;
	} cases[] = {
		{ "https://m.example/a?b=c#d", "/a?b=c" },
		{ "https://m.example:443/a", "/a" },
		{ "https://m.example", "-" },
		{ "https://m.example//evil", "-" },
		{ "https://evil.example/a", "-" },
		{ "http://m.example/a", "-" },
		{ "https://m.example@evil.example/a", "-" },
	};
	size_t i;

	for (i = 0; i < ARRAY_LEN(cases); i++)
		check_text(cases[i].url,
		    http_path_of(*state, cases[i].url, "https://m.example"),
		    cases[i].want);
}

static void
test_host(void **state)
{
	static const struct {
		const char *host;
		bool valid, address;
	} cases[] = {
		{ "mail.example", true, false },
		{ "mail.example:8897", true, false },
		{ "127.0.0.1:8897", true, true },
		{ "localhost", true, true },
		{ "[::1]:1", true, true },
		{ "[::1]", true, true },
		{ "[mail]", false, false },
		{ "", false, false },
		{ ":80", false, false },
		{ "a:", false, false },
		{ "a:x", false, false },
		{ "a/b", false, false },
		{ "a b", false, false },
		{ "a\"", false, false },
		{ "127.0.0.1.evil.example", true, false },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		if (http_host_is_valid(cases[i].host) != cases[i].valid)
			case_fail(cases[i].host, "valid");
		if (http_host_is_valid(cases[i].host) &&
		    http_host_is_address(cases[i].host) != cases[i].address)
			case_fail(cases[i].host, "address");
	}
	assert_false(http_host_is_valid(NULL));
}

static void
test_client(void **state)
{
	static const struct {
		const char *peer, *field, *want;
	} cases[] = {
		{ "192.0.2.1", NULL, "192.0.2.1" },
		{ "192.0.2.1", "203.0.113.9", "192.0.2.1" },
		{ "10.0.0.1", NULL, "10.0.0.1" },
		{ "10.0.0.1", "203.0.113.9", "203.0.113.9" },
		/* What the client wrote itself stands before it. */
		{ "10.0.0.1", "1.1.1.1, 203.0.113.9", "203.0.113.9" },
		{ "10.0.0.1", "203.0.113.9, 10.0.0.2", "203.0.113.9" },
		{ "10.0.0.1", "203.0.113.9,10.0.0.2,10.0.0.3", "203.0.113.9" },
		{ "10.0.0.1", "10.0.0.3", "10.0.0.3" },
		{ "10.0.0.1", "nonsense", "10.0.0.1" },
		{ "10.0.0.1", "1.1.1.1, nonsense", "10.0.0.1" },
		{ "10.0.0.1", "", "10.0.0.1" },
		{ "10.0.0.1", ",,,", "10.0.0.1" },
		{ "10.0.0.1", "203.0.113.9:4711", "203.0.113.9" },
		{ "10.0.0.1", "[2001:db8::1]:4711", "2001:db8::1" },
		{ "10.0.0.1", "2001:db8::1", "2001:db8::1" },
	};
	struct network trusted;
	char text[IP_TEXT_SIZE];
	struct ip peer, client;
	size_t i;

	(void)state;
	assert_int_equal(network_parse(bytes_of("10.0.0.0/8"), &trusted, NULL),
	    0);
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		assert_int_equal(ip_parse(bytes_of(cases[i].peer), &peer), 0);
		client = http_client(&peer, cases[i].field, &trusted, 1);
		ip_format(&client, text);
		if (strcmp(text, cases[i].want) != 0)
			case_fail(cases[i].field != NULL ? cases[i].field
							 : "none",
			    "%s", text);
	}
}

static void
test_disposition(void **state)
{
	static const struct {
		const char *name, *want;
	} cases[] = {
		{ "a.csv",
		    "attachment; filename=\"a.csv\"; filename*=UTF-8''a.csv" },
		{ "a\"; x=\"\r\nSet-Cookie: y",
		    "attachment; filename=\"a__ x____Set-Cookie_ y\"; "
		    "filename*=UTF-8''"
		    "a%22%3B%20x%3D%22%0D%0ASet-Cookie%3A%20y" },
		{ "\xe9\x96\xa2.eml",
		    "attachment; filename=\"___.eml\"; "
		    "filename*=UTF-8''%E9%96%A2.eml" },
	};
	size_t i;

	for (i = 0; i < ARRAY_LEN(cases); i++)
		check_text(cases[i].name,
		    http_disposition(*state, cases[i].name), cases[i].want);
}

static void
test_negotiation(void **state)
{
	(void)state;
	assert_true(http_wants_json("application/json"));
	assert_true(http_wants_json("application/json, text/plain, */*"));
	assert_false(http_wants_json("text/html,application/json"));
	assert_false(http_wants_json("*/*"));
	assert_false(http_wants_json(NULL));
	assert_true(http_etag_matches("\"a\", W/\"b\"", "\"b\""));
	assert_true(http_etag_matches("*", "\"b\""));
	assert_false(http_etag_matches("\"a\"", "\"b\""));
	assert_false(http_etag_matches(NULL, "\"b\""));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_form),
		cmocka_unit_test(test_form_limits),
		cmocka_unit_test(test_multipart),
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_json_limits),
		cmocka_unit_test(test_media),
		cmocka_unit_test_setup_teardown(test_cookie, open_arena,
		    close_arena),
		cmocka_unit_test(test_local_path),
		cmocka_unit_test_setup_teardown(test_origin, open_arena,
		    close_arena),
		cmocka_unit_test_setup_teardown(test_path_of, open_arena,
		    close_arena),
		cmocka_unit_test(test_host),
		cmocka_unit_test(test_client),
		cmocka_unit_test_setup_teardown(test_disposition, open_arena,
		    close_arena),
		cmocka_unit_test(test_negotiation),
	};

	return cmocka_run_group_tests_name("http_parse", tests, NULL, NULL);
}
