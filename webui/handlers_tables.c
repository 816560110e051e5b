/*
 * handlers_tables.c - tables in and out.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <string.h>

#include "base/arena.h"
#include "base/crypto.h"
#include "policy/settings_edit.h"
#include "policy/table_text.h"
#include "webui/handlers.h"
#include "webui/request.h"

#define EXPORT_MAX (256u << 20)

/* ---- in ---- */

/* The file, in out or borrowed from the request. */
static int
take_file(struct request *request, struct buf *out, struct bytes *file,
    struct err *err)
{
	const json_t *text = request_value(request, "csv");
	const json_t *coded = request_value(request, "csv_base64");

	if (json_is_string(text)) {
		file->data = json_string_value(text);
		file->len = json_string_length(text);
		return 0;
	}
	if (!json_is_string(coded))
		return request_refuse(request, 400, "csv", err,
		    "csv: must be given, or csv_base64");
	if (base64_decode((struct bytes){ json_string_value(coded),
			      json_string_length(coded) },
		out) < 0) {
		if (out->overflow)
			return err_set(err, ERR_LIMIT,
			    "the table has more than %u octets",
			    IMPORT_SIZE_MAX);
		return request_refuse(request, 400, "csv_base64", err,
		    "csv_base64: is not base64");
	}
	*file = buf_bytes(out);
	return 0;
}

static json_t *
problems_model(const struct import_result *result)
{
	json_t *errors = json_array();
	const struct import_problem *problem;
	size_t i;

	for (i = 0; i < result->problem_count; i++) {
		problem = &result->problems[i];
		json_array_append_new(errors,
		    json_pack("{s:I, s:s?, s:s}", "line",
			(json_int_t)problem->line, "field",
			problem->field[0] != '\0' ? problem->field : NULL,
			"text", problem->text));
	}
	return errors;
}

static int
run_import(struct request *request, enum table table, struct bytes file,
    struct response *response, struct err *err)
{
	static const char *const modes[] = { "merge", "replace" };
	struct import_scope scope = { .domain = request->domain,
		.mailbox = request->mailbox };
	struct import_result *result =
	    arena_alloc(request->arena, sizeof(*result));
	struct edit edit;
	bool dry_run;
	int mode, rc;

	if (request_word(request, "mode", modes, 2, 0, &mode, err) < 0 ||
	    request_flag(request, "dry_run", &dry_run, err) < 0)
		return -1;
	scope.replace_all = mode == 1;
	request_edit(request, &edit);
	edit.dry_run = dry_run;
	rc = edit_import(&edit, table, &scope, file, request->arena, result,
	    err);
	if (request_edited(request, &edit, rc) < 0) {
		request->errors = problems_model(result);
		return -1;
	}
	/* What would be done is looked at; what was done is said. */
	response->show = dry_run;
	response->model = json_pack("{s:I, s:I, s:I, s:I, s:I, s:b}", "rows",
	    (json_int_t)result->rows, "added", (json_int_t)result->added,
	    "changed", (json_int_t)result->changed, "removed",
	    (json_int_t)result->removed, "unchanged",
	    (json_int_t)result->unchanged, "dry_run", dry_run);
	return 0;
}

static int
import_table(struct request *request, enum table table,
    struct response *response, struct err *err)
{
	struct bytes file = { NULL, 0 };
	struct buf out;
	int rc;

	buf_init(&out, IMPORT_SIZE_MAX);
	rc = take_file(request, &out, &file, err);
	if (rc == 0)
		rc = run_import(request, table, file, response, err);
	buf_free(&out);
	return rc;
}

/* ---- out ---- */

static const char *const content_types[TABLE_CHARSET_COUNT] = {
	[TABLE_UTF8] = "text/csv; charset=utf-8",
	[TABLE_UTF8_BOM] = "text/csv; charset=utf-8",
	[TABLE_CP932] = "text/csv; charset=windows-31j",
};

static int
write_table(struct request *request, enum table table, struct buf *out,
    struct err *err)
{
	const struct import_scope scope = { .domain = request->domain,
		.mailbox = request->mailbox };
	struct settings *settings = request_settings(request, err);
	int rc;

	if (settings == NULL)
		return -1;
	if (request->domain != NULL &&
	    !settings_has_domain(settings, request->domain))
		rc = request_refuse(request, 404, "domain", err,
		    "domain: there is no domain %s", request->domain);
	else
		rc = edit_export(request->api->store, settings, table, &scope,
		    out, err);
	settings_unref(settings);
	return rc;
}

static int
export_table(struct request *request, enum table table, const char *filename,
    struct response *response, struct err *err)
{
	struct buf text, coded;
	int charset, rc;

	if (request_word(request, "charset", table_charset_words,
		TABLE_CHARSET_COUNT, TABLE_UTF8, &charset, err) < 0)
		return -1;
	buf_init(&text, EXPORT_MAX);
	buf_init(&coded, EXPORT_MAX);
	rc = write_table(request, table, &text, err);
	if (rc == 0)
		rc = table_encode((enum table_charset)charset, buf_bytes(&text),
		    &coded, err);
	buf_free(&text);
	if (rc < 0) {
		buf_free(&coded);
		return -1;
	}
	response->content_len = coded.len;
	response->content = buf_steal(&coded);
	response->content_type = content_types[charset];
	response->filename = filename;
	return 0;
}

/* ---- by table ---- */

int
handle_lists_import(struct request *request, struct response *response,
    struct err *err)
{
	return import_table(request, TABLE_LISTS, response, err);
}

int
handle_lists_export(struct request *request, struct response *response,
    struct err *err)
{
	return export_table(request, TABLE_LISTS, "lists.csv", response, err);
}

int
handle_recipients_import(struct request *request, struct response *response,
    struct err *err)
{
	return import_table(request, TABLE_RECIPIENTS, response, err);
}

int
handle_recipients_export(struct request *request, struct response *response,
    struct err *err)
{
	return export_table(request, TABLE_RECIPIENTS, "recipients.csv",
	    response, err);
}

int
handle_aliases_import(struct request *request, struct response *response,
    struct err *err)
{
	return import_table(request, TABLE_ALIASES, response, err);
}

int
handle_aliases_export(struct request *request, struct response *response,
    struct err *err)
{
	return export_table(request, TABLE_ALIASES, "aliases.csv", response,
	    err);
}

int
handle_routes_import(struct request *request, struct response *response,
    struct err *err)
{
	return import_table(request, TABLE_ROUTES, response, err);
}

int
handle_routes_export(struct request *request, struct response *response,
    struct err *err)
{
	return export_table(request, TABLE_ROUTES, "routes.csv", response, err);
}

int
handle_domains_import(struct request *request, struct response *response,
    struct err *err)
{
	return import_table(request, TABLE_DOMAINS, response, err);
}

int
handle_domains_export(struct request *request, struct response *response,
    struct err *err)
{
	return export_table(request, TABLE_DOMAINS, "domains.csv", response,
	    err);
}
