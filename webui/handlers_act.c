/*
 * handlers_act.c - one action on several held mails.
 *
 * Each is a request of its own to the route of that action, so that role and
 * scope are checked for each where they always are.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/str.h"
#include "webui/handlers.h"
#include "webui/request.h"

#define IDS_MAX 200
#define ID_MAX 64

/* ULID.N and nothing that could be another path. */
static bool
is_id(const char *text)
{
	size_t i;

	for (i = 0; text[i] != '\0'; i++)
		if (!ascii_is_alnum(text[i]) && text[i] != '.')
			return false;
	return i > 0 && i <= ID_MAX;
}

/* A listener that hangs would hang for each of them, and this for hours. */
static bool
is_hopeless(const struct request *request, const json_t *last, int64_t start_ms)
{
	const int64_t most_ms =
	    (int64_t)request->api->conf->release_timeout * 1000;

	return json_integer_value(json_object_get(last, "status")) == 503 &&
	    clock_mono_ms() - start_ms >= most_ms;
}

static json_t *
not_tried(const char *id)
{
	return json_pack("{s:s, s:i, s:s, s:s}", "id", id, "status", 503,
	    "error", "temp", "text",
	    "not tried, as others took too long; try again");
}

/* {"id", "status", "error": null or its kind, "text"} */
static json_t *
act_on(struct request *request, const char *action, const char *id)
{
	json_t *none = json_object(), *result;
	const json_t *error;
	struct response response;
	const char *path;

	path = arena_printf(request->arena, "/quarantine/%s/%s", id, action);
	api_dispatch(request->api, request->arena, request->principal,
	    METHOD_POST, path, none, none, &response);
	error = json_object_get(response.model, "error");
	result = json_pack("{s:s, s:i, s:s?, s:s?}", "id", id, "status",
	    response.status, "error",
	    json_string_value(json_object_get(error, "kind")), "text",
	    json_string_value(json_object_get(error, "text")));
	json_decref(response.model);
	free(response.content);
	json_decref(none);
	return result;
}

/* Texts, from a form with one or several, or JSON; NULL. */
static json_t *
take_ids(struct request *request, struct err *err)
{
	json_t *ids = request_list(request, "ids", err), *id;
	size_t i;

	if (ids == NULL)
		return NULL;
	json_array_foreach(ids, i, id)
	{
		if (json_is_string(id) && is_id(json_string_value(id)))
			continue;
		json_decref(ids);
		request_refuse(request, 400, "ids", err,
		    "ids: must be ids of held mail");
		return NULL;
	}
	if (i > 0 && i <= IDS_MAX)
		return ids;
	json_decref(ids);
	request_refuse(request, 400, "ids", err, "ids: must be 1 to %d of them",
	    IDS_MAX);
	return NULL;
}

int
handle_quarantine_act(struct request *request, struct response *response,
    struct err *err)
{
	static const char *const actions[] = { "release", "allow", "remove",
		"block" };
	const int64_t start_ms = clock_mono_ms();
	json_t *ids, *id, *results, *result;
	json_int_t done = 0;
	bool hopeless = false;
	size_t i;
	int action;

	if (request_word(request, "action", actions, 4, -1, &action, err) < 0)
		return -1;
	if (action < 0)
		return request_refuse(request, 400, "action", err,
		    "action: must be release, allow, remove or block");
	ids = take_ids(request, err);
	if (ids == NULL)
		return -1;
	results = json_array();
	json_array_foreach(ids, i, id)
	{
		result = hopeless
		    ? not_tried(json_string_value(id))
		    : act_on(request, actions[action], json_string_value(id));
		hopeless = hopeless || is_hopeless(request, result, start_ms);
		done += json_is_null(json_object_get(result, "error"));
		json_array_append_new(results, result);
	}
	json_decref(ids);
	response->model = json_pack("{s:s, s:I, s:I, s:o}", "action",
	    actions[action], "done", done, "failed",
	    (json_int_t)json_array_size(results) - done, "results", results);
	/* What failed is to be read; else one line will do. */
	response->show = done < (json_int_t)json_array_size(results);
	return 0;
}
