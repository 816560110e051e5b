/*
 * request.c - what handlers read from a request, and how they fail.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "policy/settings_show.h"
#include "webui/request.h"

#define LIMIT_MOST 1000

/* ---- failing ---- */

int
request_refuse(struct request *request, int status, const char *field,
    struct err *err, const char *fmt, ...)
{
	char text[ERR_TEXT_MAX];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap); /* cut as err_set does */
	va_end(ap);
	request->status = status;
	request->field = field;
	return err_set(err, ERR_INPUT, "%s", text);
}

/* ---- reading ---- */

json_t *
request_value(const struct request *request, const char *name)
{
	json_t *value = json_object_get(request->params, name);

	if (value == NULL)
		value = json_object_get(request->method == METHOD_GET
			? request->query
			: request->body,
		    name);
	return json_is_null(value) ? NULL : value;
}

int
request_text(struct request *request, const char *name, const char **text,
    struct err *err)
{
	const json_t *value = request_value(request, name);

	*text = NULL;
	if (value == NULL)
		return 0;
	/* A NUL in the middle is nobody's name. */
	if (!json_is_string(value) ||
	    strlen(json_string_value(value)) != json_string_length(value))
		return request_refuse(request, 400, name, err,
		    "%s: must be text", name);
	if (json_string_length(value) > 0)
		*text = json_string_value(value);
	return 0;
}

int
request_need_text(struct request *request, const char *name, const char **text,
    struct err *err)
{
	if (request_text(request, name, text, err) < 0)
		return -1;
	if (*text == NULL)
		return request_refuse(request, 400, name, err,
		    "%s: must be given", name);
	return 0;
}

int
request_flag(struct request *request, const char *name, bool *flag,
    struct err *err)
{
	static const char *const words[] = { "no", "yes", "false", "true",
		"off", "on", "0", "1" };
	const json_t *value = request_value(request, name);
	const char *text;
	size_t i;

	/* A form says no in a hidden field, and yes in the box behind it. */
	if (json_array_size(value) > 0)
		value = json_array_get(value, json_array_size(value) - 1);
	text = json_string_value(value);
	*flag = json_is_true(value);
	if (value == NULL || json_is_boolean(value) ||
	    (text != NULL && text[0] == '\0'))
		return 0;
	for (i = 0; text != NULL && i < sizeof(words) / sizeof(words[0]); i++)
		if (str_equal_nocase(text, words[i])) {
			*flag = i % 2 == 1;
			return 0;
		}
	return request_refuse(request, 400, name, err, "%s: must be yes or no",
	    name);
}

int
request_number(struct request *request, const char *name, int64_t least,
    int64_t most, int64_t preset, int64_t *number, struct err *err)
{
	const json_t *value = request_value(request, name);
	const char *text = json_string_value(value);
	uint64_t parsed;

	*number = preset;
	if (value == NULL || (text != NULL && text[0] == '\0'))
		return 0;
	if (json_is_integer(value) && json_integer_value(value) >= least &&
	    json_integer_value(value) <= most) {
		*number = json_integer_value(value);
		return 0;
	}
	if (text != NULL &&
	    parse_u64(bytes_of(text), (uint64_t)least, (uint64_t)most,
		&parsed) == 0) {
		*number = (int64_t)parsed;
		return 0;
	}
	return request_refuse(request, 400, name, err,
	    "%s: must be a number from %" PRId64 " to %" PRId64, name, least,
	    most);
}

int
request_word(struct request *request, const char *name,
    const char *const *words, size_t n, int preset, int *word, struct err *err)
{
	const char *text;
	size_t i;

	*word = preset;
	if (request_text(request, name, &text, err) < 0)
		return -1;
	if (text == NULL)
		return 0;
	for (i = 0; i < n; i++)
		if (str_equal_nocase(text, words[i])) {
			*word = (int)i;
			return 0;
		}
	return request_refuse(request, 400, name, err,
	    "%s: '%s' is none of the words it may be", name, text);
}

int
request_limit(struct request *request, int64_t preset, size_t *limit,
    struct err *err)
{
	int64_t number;

	if (request_number(request, "limit", 1, LIMIT_MOST, preset, &number,
		err) < 0)
		return -1;
	*limit = (size_t)number;
	return 0;
}

json_t *
request_list(struct request *request, const char *name, struct err *err)
{
	json_t *value = request_value(request, name);

	if (json_is_array(value))
		return json_incref(value);
	if (json_is_string(value))
		return edit_split_list(json_string_value(value));
	request_refuse(request, 400, name, err, "%s: must be a list", name);
	return NULL;
}

/* ---- settings ---- */

struct settings *
request_settings(struct request *request, struct err *err)
{
	struct api *api = request->api;
	struct settings *known, *fresh;

	pthread_mutex_lock(&api->lock);
	known = api->settings != NULL ? settings_ref(api->settings) : NULL;
	pthread_mutex_unlock(&api->lock);
	fresh = settings_load(api->store, known, err);
	settings_unref(known);
	if (fresh == NULL)
		return NULL;
	pthread_mutex_lock(&api->lock);
	known = api->settings;
	api->settings = settings_ref(fresh);
	pthread_mutex_unlock(&api->lock);
	settings_unref(known);
	return fresh;
}

void
request_edit(struct request *request, struct edit *edit)
{
	struct api *api = request->api;

	memset(edit, 0, sizeof(*edit));
	edit->store = api->store;
	edit->actor = request->principal->actor;
	edit->delimiter = api->conf->recipient_delimiter;
	pthread_mutex_lock(&api->lock);
	if (api->settings != NULL)
		edit->settings = settings_ref(api->settings);
	pthread_mutex_unlock(&api->lock);
}

int
request_edited(struct request *request, struct edit *edit, int rc)
{
	static const int statuses[] = {
		[EDIT_INVALID] = 400,
		[EDIT_NOT_FOUND] = 404,
		[EDIT_EXISTS] = 409,
		[EDIT_IN_USE] = 409,
	};
	struct api *api = request->api;
	struct settings *old = edit->settings;

	if (rc < 0 && edit->problem != EDIT_OK) {
		request->status = statuses[edit->problem];
		request->field = edit->field;
		request->row = edit->row;
	}
	pthread_mutex_lock(&api->lock);
	if (edit->settings != NULL &&
	    (api->settings == NULL ||
		settings_generation(edit->settings) >
		    settings_generation(api->settings))) {
		old = api->settings;
		api->settings = edit->settings;
	}
	pthread_mutex_unlock(&api->lock);
	settings_unref(old);
	edit->settings = NULL;
	return rc;
}

struct edit_target
request_target(const struct request *request)
{
	return (struct edit_target){ request->domain, request->mailbox };
}

const char *
request_address(const struct request *request)
{
	return show_address(request->arena, request->mailbox);
}
