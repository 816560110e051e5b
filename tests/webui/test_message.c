/*
 * test_message.c - tests of what is shown of a held mail: parts, previews,
 * downloads, why it was held.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit.h"

#include "base/arena.h"
#include "base/log.h"
#include "tests/mail/html_check.h"
#include "tests/quarantine/hold_fixture.h"
#include "webui/api.h"

struct lab {
	struct redis_server redis;
	struct conf *conf;
	struct api *api;
	struct arena *arena;
	unsigned seed;
	struct response response;
};

static const struct principal reader = { .role = ROLE_OPERATOR,
	.actor = "user:op" };

static int
setup(void **state)
{
	struct lab *lab = xcalloc(1, sizeof(*lab));
	struct err err;

	redis_server_start(&lab->redis, false, NULL);
	lab->conf = conf_new();
	free(lab->conf->redis);
	lab->conf->redis = xstrdup(lab->redis.url);
	free(lab->conf->state_dir);
	lab->conf->state_dir = xstrdup(lab->redis.dir);
	lab->conf->durability_required = false;
	lab->api = api_open(lab->conf, &err);
	if (lab->api == NULL)
		fail_msg("%s", err.text);
	lab->arena = arena_new(0);
	*state = lab;
	return 0;
}

static void
forget_response(struct lab *lab)
{
	json_decref(lab->response.model);
	free(lab->response.content);
	memset(&lab->response, 0, sizeof(lab->response));
}

static int
teardown(void **state)
{
	struct lab *lab = *state;

	forget_response(lab);
	api_close(lab->api);
	conf_free(lab->conf);
	arena_free(lab->arena);
	redis_server_stop(&lab->redis);
	free(lab);
	return 0;
}

/* Holds a raw mail; its id. */
static const char *
hold(struct lab *lab, struct bytes raw)
{
	static const struct message_limits limits = { 100000, 1000, 1000000,
		"/tmp" };
	const char *mailboxes[] = { "jo@a.example", NULL };
	enum quarantine_full full;
	struct message *message;
	struct mail mail;
	const char *id;
	struct err err;

	mail_make(&mail, ++lab->seed, 100, mailboxes);
	message = message_new(lab->arena, &limits);
	assert_int_equal(message_read(message, raw, &err), 0);
	message_fini(mail.hold.message);
	mail.hold.message = message;
	if (quarantine_put(lab->api->quarantine, &mail.hold, mail.n,
		mail.entries, &full, &err) < 0)
		fail_msg("%s", err.text);
	id = arena_strdup(lab->arena, mail.entries[0].id);
	mail_free(&mail);
	return id;
}

static int
get_as(struct lab *lab, const struct principal *principal, const char *id,
    const char *rest, const char *part)
{
	json_t *query = json_pack("{s:s}", "domain", "a.example");
	json_t *none = json_object();

	if (part != NULL)
		json_object_set_new(query, "part", json_string(part));
	forget_response(lab);
	api_dispatch(lab->api, lab->arena, principal, METHOD_GET,
	    arena_printf(lab->arena, "/quarantine/%s%s", id, rest), query, none,
	    &lab->response);
	json_decref(query);
	json_decref(none);
	return lab->response.status;
}

static void
get(struct lab *lab, int status, const char *id, const char *rest,
    const char *part)
{
	int got = get_as(lab, &reader, id, rest, part);

	if (got != status)
		case_fail(rest, "status %d", got);
}

static void
want(const struct lab *lab, const char *part)
{
	if (strstr(lab->response.content, part) == NULL)
		case_fail(part, "is not in: %s", lab->response.content);
}

static void
want_not(const struct lab *lab, const char *part)
{
	if (strstr(lab->response.content, part) != NULL)
		case_fail(part, "is in: %s", lab->response.content);
}

static const char *
model_text(const struct lab *lab, const char *name)
{
	return json_string_value(json_object_get(lab->response.model, name));
}

/* ---- mails of our own ---- */

#define HEAD                                                                   \
	"From: a@example.net\r\nTo: jo@a.example\r\nSubject: x\r\n"            \
	"MIME-Version: 1.0\r\n"

static const struct bytes japanese_html =
    BYTES_LIT(HEAD "Content-Type: text/html; charset=ISO-2022-JP\r\n\r\n"
		   "<html><body bgcolor=\"#ffffee\"><p onclick=\"x()\">"
		   "\x1b$BF|K\\8l\x1b(B</p><script>alert(1)</script>"
		   "<a href=\"https://evil.example/\">https://bank.example/</a>"
		   "<img src=\"https://a.example/p.png\"></body></html>\r\n");

static const struct bytes sjis_text =
    BYTES_LIT(HEAD "Content-Type: text/plain; charset=Shift_JIS\r\n\r\n"
		   "> \x93\xfa\x96\x7b <b>\r\n"
		   "\x87\x40 http://xn--r8jz45g.example/ "
		   "https://bank.example@evil.example/\r\n");

static const struct bytes raw_8bit =
    BYTES_LIT("From: \x93\xfa\x96\x7b <a@example.net>\r\n\r\n"
	      "\x93\xfa\x96\x7b\x8c\xea\x82\xc5\x82\xb7\r\n");

static const struct bytes with_parts = BYTES_LIT(
    HEAD "Content-Type: multipart/mixed; boundary=b\r\n\r\n"
	 "--b\r\nContent-Type: multipart/related; boundary=r\r\n\r\n"
	 "--r\r\nContent-Type: text/html\r\n\r\n"
	 "<img src=\"cid:pic@x\"><img src=\"cid:evil@x\">\r\n"
	 "--r\r\nContent-Type: image/gif\r\nContent-ID: <pic@x>\r\n"
	 "Content-Transfer-Encoding: base64\r\n\r\nR0lGODlhAQABAAAAACw=\r\n"
	 "--r\r\nContent-Type: image/png\r\nContent-ID: <evil@x>\r\n\r\n"
	 "<svg onload=alert(1)>\r\n--r--\r\n"
	 "--b\r\nContent-Type: text/html;"
	 " name=\"=?ISO-2022-JP?B?GyRCRnxLXBsoQg==?=.html\"\r\n"
	 "Content-Disposition: attachment\r\n\r\n<script>alert(1)</script>\r\n"
	 "--b\r\nContent-Type: application/x-y; name=\"../../etc/passwd\"\r\n"
	 "\r\nx\r\n--b--\r\n");

static void
test_html_preview(void **state)
{
	static const struct principal japanese = { .role = ROLE_OPERATOR,
		.actor = "user:op",
		.language = LANGUAGE_JA };
	struct lab *lab = *state;
	const char *id = hold(lab, japanese_html);
	const char *main_start, *main_end;

	get(lab, 200, id, "/preview", NULL);
	assert_true(lab->response.sandboxed);
	assert_null(lab->response.filename);
	assert_string_equal(lab->response.content_type,
	    "text/html; charset=utf-8");
	want(lab, "<html lang=\"en\">");
	want(lab, "<p>日本語</p>");
	want(lab, "style=\"background-color:#ffffee;\"");
	want(lab, "1 picture was not loaded");
	want(lab, "1 active element ");
	want(lab,
	    "A link names one site and leads to another: "
	    "<code>https://bank.example/</code>");
	want_not(lab, "onclick");
	want_not(lab, "<script");
	want_not(lab, "alert");
	want_not(lab, "href");
	main_start = strstr(lab->response.content, "<main");
	main_end = strstr(lab->response.content, "</body>");
	assert_null(html_check_markup(
	    (struct bytes){ main_start, (size_t)(main_end - main_start) }));
	assert_int_equal(get_as(lab, &japanese, id, "/preview", NULL), 200);
	want(lab, "<html lang=\"ja\">");
	/* As text: the mail has none of its own. */
	get(lab, 200, id, "/preview", "text");
	want(lab, "this is its HTML as text");
	want(lab, "日本語");
	want(lab,
	    "&lt;<span class=\"sk-link\">https://evil.example/</span>&gt;");
	get(lab, 400, id, "/preview", "pdf");
}

static void
test_text_preview(void **state)
{
	struct lab *lab = *state;
	const char *id = hold(lab, sjis_text);

	get(lab, 200, id, "/preview", NULL);
	assert_true(lab->response.sandboxed);
	want(lab, "<div class=\"sk-q sk-q1\">日本 &lt;b&gt;\n</div>");
	want(lab, "①");
	want(lab, "<span class=\"sk-target\">https://evil.example/</span>");
	want_not(lab, "<b>");
	get(lab, 404, id, "/preview", "html");
	get(lab, 200, id, "/text", NULL);
	assert_string_equal(model_text(lab, "text"),
	    "> 日本 <b>\n① http://xn--r8jz45g.example/ "
	    "https://bank.example@evil.example/\n");
	get(lab, 200, hold(lab, raw_8bit), "/text", NULL);
	assert_string_equal(model_text(lab, "text"), "日本語です\n");
	get(lab, 200,
	    hold(lab, BYTES_LIT(HEAD "Content-Type: image/png\r\n\r\nx\r\n")),
	    "/preview", NULL);
	want(lab, "This mail has no text to show.");
	get(lab, 200,
	    hold(lab,
		BYTES_LIT(HEAD "\r\n\x1b[31mred\x1b[0m\x9b"
			       "31m\x07\r\n")),
	    "/text", NULL);
	assert_null(strchr(model_text(lab, "text"), '\x1b'));
	assert_null(strchr(model_text(lab, "text"), '\a'));
}

static void
test_parts(void **state)
{
	struct lab *lab = *state;
	const char *id = hold(lab, with_parts);
	const json_t *parts;

	get(lab, 200, id, "", NULL);
	parts = json_object_get(lab->response.model, "parts");
	assert_int_equal(json_array_size(parts), 6);
	assert_string_equal(json_string_value(
				json_object_get(json_array_get(parts, 4),
				    "name")),
	    "日本.html");
	assert_true(
	    json_is_true(json_object_get(lab->response.model, "has_html")));
	assert_true(
	    json_is_false(json_object_get(lab->response.model, "has_text")));
	get(lab, 200, id, "/preview", NULL);
	want(lab, "data:image/gif;base64,R0lGODlhAQABAAAAACw=");
	want(lab, "Picture not shown");
	want_not(lab, "svg");
	/* What a browser could run is not shown by one. */
	get(lab, 200, id, "/parts/2", NULL);
	assert_false(lab->response.sandboxed);
	assert_string_equal(lab->response.content_type,
	    "application/octet-stream");
	assert_string_equal(lab->response.filename, "日本.html");
	assert_string_equal(lab->response.content, "<script>alert(1)</script>");
	get(lab, 200, id, "/parts/3", NULL);
	assert_string_equal(lab->response.filename, "passwd");
	get(lab, 200, id, "/parts/1.2", NULL);
	assert_memory_equal(lab->response.content, "GIF89a", 6);
	get(lab, 404, id, "/parts/4", NULL);
	get(lab, 404, id, "/parts/1.2.3", NULL);
	get(lab, 404, id, "/parts/..%2f1", NULL);
}

static void
test_releaser(void **state)
{
	static const char *const own[] = { "a.example" };
	static const struct principal releaser = { .role = ROLE_RELEASER,
		.actor = "user:rel",
		.domains = own,
		.domain_count = 1 };
	static const char *const closed[] = { "/preview", "/text", "/parts/1",
		"/raw" };
	struct lab *lab = *state;
	const char *id = hold(lab, with_parts);
	size_t i;

	assert_int_equal(get_as(lab, &releaser, id, "", NULL), 200);
	assert_true(
	    json_is_null(json_object_get(lab->response.model, "parts")));
	assert_true(json_is_null(
	    json_object_get(lab->response.model, "deceptive_links")));
	for (i = 0; i < ARRAY_LEN(closed); i++)
		if (get_as(lab, &releaser, id, closed[i], NULL) != 403)
			case_fail(closed[i], "status %d", lab->response.status);
}

#define LAB_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		LAB_TEST(test_html_preview),
		LAB_TEST(test_text_preview),
		LAB_TEST(test_parts),
		LAB_TEST(test_releaser),
	};

	if (!redis_server_is_installed()) {
		print_message("skipped: test_message (no redis-server), %zu "
			      "cases\n",
		    ARRAY_LEN(tests));
		return 77;
	}
	log_open("test_message", LOG_TARGET_STDERR, LOG_LEVEL_ERROR);
	return cmocka_run_group_tests_name("message", tests, NULL, NULL);
}
