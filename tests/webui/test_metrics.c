/*
 * test_metrics.c - tests of webui/metrics.c, over a real Redis.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit.h"

#include "base/arena.h"
#include "base/str.h"
#include "base/strmap.h"
#include "policy/class.h"
#include "quarantine/heartbeat.h"
#include "tests/quarantine/hold_fixture.h"
#include "webui/api.h"
#include "webui/metrics.h"

struct lab {
	struct redis_server redis;
	struct conf *conf;
	struct api *api;
	struct metrics *own;
	struct buf out;
};

static int
setup(void **state)
{
	static const char *const durable[] = { "--appendonly", "yes",
		"--appendfsync", "always", NULL };
	struct lab *lab = xcalloc(1, sizeof(*lab));
	struct err err;

	redis_server_start(&lab->redis, false, durable);
	lab->conf = conf_new();
	lab->conf->redis_timeout_ms = PATIENCE_MS;
	free(lab->conf->redis);
	lab->conf->redis = xstrdup(lab->redis.url);
	lab->api = api_open(lab->conf, &err);
	if (lab->api == NULL)
		fail_msg("%s", err.text);
	lab->own = web_metrics_new();
	buf_init(&lab->out, WEB_METRICS_MAX);
	*state = lab;
	return 0;
}

static int
teardown(void **state)
{
	struct lab *lab = *state;

	buf_free(&lab->out);
	metrics_free(lab->own);
	api_close(lab->api);
	conf_free(lab->conf);
	redis_server_stop(&lab->redis);
	free(lab);
	return 0;
}

static const struct heartbeat_self milters[] = {
	{ "mx1.example", 11, "0.1.0" },
	{ "mx2.example", 22, "0.1.1" },
};

/* As the i-th milter would. */
static void
beat(struct lab *lab, size_t i, bool draining)
{
	struct metrics *metrics = metrics_new(&milter_metrics);
	struct err err;

	metrics_add(metrics, MILTER_MESSAGES, 0, 0, 100 + i);
	metrics_add(metrics, MILTER_VERDICTS, CLASS_PHISH, STATUS_QUARANTINED,
	    4);
	metrics_observe(metrics, MILTER_END_OF_MESSAGE, 0, 2000);
	metrics_set(metrics, MILTER_DRAINING, 0, 0, draining);
	if (heartbeat_send(lab->api->store, &milters[i], metrics, &err) < 0)
		fail_msg("%s", err.text);
	metrics_free(metrics);
}

/* ---- the form ---- */

static bool
is_series(struct bytes line)
{
	struct cursor c = cursor_of(line);
	struct bytes name, word;

	if (!cursor_span(&c, "abcdefghijklmnopqrstuvwxyz_", &name))
		return false;
	if (cursor_char(&c, '{')) {
		do {
			if (!cursor_span(&c, "abcdefghijklmnopqrstuvwxyz_",
				&word) ||
			    !cursor_literal(&c, "=\""))
				return false;
			word = cursor_until(&c, "\"\\\n");
			if (!cursor_char(&c, '"'))
				return false;
		} while (cursor_char(&c, ','));
		if (!cursor_char(&c, '}'))
			return false;
	}
	return cursor_char(&c, ' ') && cursor_span(&c, "0123456789.", &word) &&
	    cursor_at_end(&c);
}

/* Each line is a comment or a sample, each sample belongs to the family
 * above it, and none is there twice. */
static void
check_form(struct lab *lab)
{
	struct arena *arena = arena_new(0);
	struct cursor c = cursor_of(buf_bytes(&lab->out));
	struct bytes family = { 0 }, line, name;
	struct strmap seen;
	const char *key;

	strmap_init(&seen);
	while (!cursor_at_end(&c)) {
		line = cursor_until(&c, "\n");
		key = arena_memdup(arena, line.data, line.len);
		if (!cursor_char(&c, '\n'))
			case_fail(key, "no line end");
		if (strncmp(key, "# HELP ", 7) == 0)
			continue;
		if (strncmp(key, "# TYPE ", 7) == 0) {
			family = bytes_of(key + 7);
			family.len =
			    (size_t)(strchr(family.data, ' ') - family.data);
			name = (struct bytes){ key, line.len };
		} else {
			if (!is_series(line))
				case_fail(key, "is not well formed");
			if (line.len < family.len ||
			    memcmp(line.data, family.data, family.len) != 0)
				case_fail(key, "stands in another family");
			name = bytes_of(key);
			name.len = (size_t)(strrchr(key, ' ') - key);
		}
		if (strmap_get(&seen, name) != NULL)
			case_fail(key, "is there twice");
		*strmap_put(&seen, name) = lab;
	}
	strmap_free(&seen);
	arena_free(arena);
}

static void
want(struct lab *lab, const char *text)
{
	if (strstr(buf_str(&lab->out), text) == NULL)
		case_fail(text, "is not in:\n%s", buf_str(&lab->out));
}

static void
test_metrics(void **state)
{
	struct lab *lab = *state;

	beat(lab, 0, false);
	beat(lab, 1, false);
	web_metrics_request(lab->own, 200, 1500);
	web_metrics_request(lab->own, 404, 10);
	web_metrics_request(lab->own, 99, 10);
	assert_int_equal(web_metrics_write(lab->api, lab->own, &lab->out), 0);
	check_form(lab);
	want(lab, "\nsekimori_milters 2\n");
	want(lab, "\nsekimori_web_redis_up 1\n");
	want(lab, "\nsekimori_web_requests_total{code=\"2xx\"} 1\n");
	want(lab, "\nsekimori_web_request_seconds_count 3\n");
	want(lab,
	    "\nsekimori_milter_info{host=\"mx2.example\",pid=\"22\","
	    "version=\"0.1.1\"} 1\n");
	want(lab,
	    "\nsekimori_milter_messages_total{host=\"mx1.example\","
	    "pid=\"11\"} 100\n");
	want(lab,
	    "\nsekimori_milter_messages_total{host=\"mx2.example\","
	    "pid=\"22\"} 101\n");
	want(lab,
	    "\nsekimori_milter_verdicts_total{host=\"mx1.example\","
	    "pid=\"11\",class=\"phish\",status=\"quarantined\"} 4\n");
	want(lab,
	    "\nsekimori_milter_end_of_message_seconds_bucket{"
	    "host=\"mx1.example\",pid=\"11\",le=\"0.003\"} 1\n");
	want(lab, "part=\"spf\",le=\"+Inf\"} 0\n");
	want(lab, "part=\"write_back\",le=\"+Inf\"} 0\n");
}

/* Held mail is counted by domain and summed. */
static void
test_quarantine(void **state)
{
	static const char *const mailboxes[] = { "a@one.example",
		"b@two.example", "c@two.example", NULL };
	struct lab *lab = *state;
	struct place place = { 0 };
	struct mail mail;

	place.store = lab->api->store;
	place.quarantine = lab->api->quarantine;
	mail_make(&mail, 1, 1000, mailboxes);
	put_well(&place, &mail);
	mail_free(&mail);
	buf_reset(&lab->out);
	assert_int_equal(web_metrics_write(lab->api, lab->own, &lab->out), 0);
	want(lab, "\nsekimori_quarantine_domains 2\n");
	want(lab, "\nsekimori_quarantine_entries 3\n");
	want(lab, "\nsekimori_quarantine_to_deliver 0\n");
	assert_null(
	    strstr(buf_str(&lab->out), "\nsekimori_quarantine_bytes 0\n"));
}

static void
test_ready(void **state)
{
	struct lab *lab = *state;

	buf_reset(&lab->out);
	assert_true(web_ready(lab->api, &lab->out));
	assert_string_equal(buf_str(&lab->out), "ok\n");
	/* all stop */
	beat(lab, 0, true);
	beat(lab, 1, true);
	buf_reset(&lab->out);
	assert_false(web_ready(lab->api, &lab->out));
	want(lab, "milter: all of them are stopping\n");
	/* none is left */
	heartbeat_stop(lab->api->store, &milters[0]);
	heartbeat_stop(lab->api->store, &milters[1]);
	buf_reset(&lab->out);
	assert_false(web_ready(lab->api, &lab->out));
	want(lab, "milter: none has a heartbeat\n");
}

static void
test_model(void **state)
{
	struct lab *lab = *state;
	struct err err;
	json_t *model;

	beat(lab, 0, false);
	model = web_milters_model(lab->api, &err);
	assert_int_equal(json_array_size(model), 1);
	assert_string_equal(json_string_value(
				json_object_get(json_array_get(model, 0),
				    "host")),
	    "mx1.example");
	assert_int_equal(json_integer_value(
			     json_object_get(json_array_get(model, 0),
				 "messages")),
	    100);
	json_decref(model);
}

/* The last: Redis is gone afterwards. */
static void
test_away(void **state)
{
	struct lab *lab = *state;
	struct err err;

	redis_server_kill(&lab->redis);
	buf_reset(&lab->out);
	assert_int_equal(web_metrics_write(lab->api, lab->own, &lab->out), 0);
	check_form(lab);
	want(lab, "\nsekimori_web_redis_up 0\n");
	want(lab, "\nsekimori_milters 0\n");
	buf_reset(&lab->out);
	assert_false(web_ready(lab->api, &lab->out));
	want(lab, "redis: ");
	assert_null(web_milters_model(lab->api, &err));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_metrics),
		cmocka_unit_test(test_quarantine),
		cmocka_unit_test(test_ready),
		cmocka_unit_test(test_model),
		cmocka_unit_test(test_away),
	};

	if (!redis_server_is_installed())
		return 77;
	return cmocka_run_group_tests(tests, setup, teardown);
}
