/*
 * handlers_lists.c - rows of allow and block lists.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include "policy/settings_show.h"
#include "webui/handlers.h"
#include "webui/request.h"

static int
check_target(struct request *request, const struct settings *settings,
    struct err *err)
{
	if (request->domain != NULL &&
	    !settings_has_domain(settings, request->domain))
		return request_refuse(request, 404, "domain", err,
		    "domain: there is no domain %s", request->domain);
	return 0;
}

int
handle_lists(struct request *request, struct response *response,
    struct err *err)
{
	struct show_row_filter filter;
	struct settings *settings;
	int64_t limit;
	int rc;

	if (request_word(request, "side", list_side_words, LIST_SIDE_COUNT, -1,
		&filter.side, err) < 0 ||
	    request_word(request, "kind", list_kind_words, LIST_KIND_COUNT, -1,
		&filter.kind, err) < 0 ||
	    request_text(request, "search", &filter.part, err) < 0 ||
	    request_text(request, "after", &filter.after, err) < 0 ||
	    request_number(request, "limit", 1, INT32_MAX, 0, &limit, err) < 0)
		return -1;
	filter.limit = (size_t)limit;
	settings = request_settings(request, err);
	if (settings == NULL)
		return -1;
	rc = check_target(request, settings, err);
	if (rc == 0)
		response->model =
		    show_rows(settings, request_target(request), &filter);
	settings_unref(settings);
	return rc;
}

/* side, kind and pattern in their one form. */
static int
take_row_name(struct request *request, enum list_side *side,
    enum list_kind *kind, const char **pattern, struct err *err)
{
	const char *text;
	int side_word, kind_word;
	struct err why;

	if (request_word(request, "side", list_side_words, LIST_SIDE_COUNT, -1,
		&side_word, err) < 0 ||
	    request_word(request, "kind", list_kind_words, LIST_KIND_COUNT, -1,
		&kind_word, err) < 0 ||
	    request_need_text(request, "pattern", &text, err) < 0)
		return -1;
	if (side_word < 0)
		return request_refuse(request, 400, "side", err,
		    "side: must be sender, recipient or client");
	if (kind_word < 0)
		return request_refuse(request, 400, "kind", err,
		    "kind: must be allow or block");
	*side = (enum list_side)side_word;
	*kind = (enum list_kind)kind_word;
	if (list_pattern_normalize(request->arena, *side, text, pattern, &why) <
	    0)
		return request_refuse(request, 400, "pattern", err, "%s",
		    why.text);
	return 0;
}

/* The row as it is now. */
static int
answer_row(struct request *request, enum list_side side, enum list_kind kind,
    const char *pattern, struct response *response, struct err *err)
{
	struct edit_target target = request_target(request);
	struct settings *settings = request_settings(request, err);
	const struct list_row *row;

	if (settings == NULL)
		return -1;
	row = show_find_row(settings, target, side, kind, pattern);
	if (row != NULL)
		response->model = show_row(row, target);
	settings_unref(settings);
	if (row == NULL)
		return err_set(err, ERR_TEMP,
		    "the row was removed by somebody else at once");
	return 0;
}

int
handle_list_add(struct request *request, struct response *response,
    struct err *err)
{
	enum list_side side = LIST_SENDER;
	enum list_kind kind = LIST_ALLOW;
	const char *pattern = "";
	struct edit edit;
	bool replace;
	int rc;

	if (take_row_name(request, &side, &kind, &pattern, err) < 0 ||
	    request_flag(request, "replace", &replace, err) < 0)
		return -1;
	request_edit(request, &edit);
	edit.replace = replace;
	rc = edit_list_add(&edit, request_target(request), request->body, NULL,
	    err);
	if (request_edited(request, &edit, rc) < 0)
		return -1;
	return answer_row(request, side, kind, pattern, response, err);
}

int
handle_list_remove(struct request *request, struct response *response,
    struct err *err)
{
	enum list_side side = LIST_SENDER;
	enum list_kind kind = LIST_ALLOW;
	const char *pattern = "";
	struct edit edit;
	bool changed;
	int rc;

	if (take_row_name(request, &side, &kind, &pattern, err) < 0)
		return -1;
	request_edit(request, &edit);
	rc = edit_list_remove(&edit, request_target(request), side, kind,
	    pattern, &changed, err);
	if (request_edited(request, &edit, rc) < 0)
		return -1;
	response->model =
	    json_pack("{s:s, s:b}", "pattern", pattern, "changed", changed);
	return 0;
}
