/*
 * table_file.c - tables of the API as files: import and export.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/crypto.h"
#include "base/file.h"

#include "cli/table_file.h"

#define FILE_MAX_BYTES (64UL * 1024 * 1024)

/* The file as the API takes it: bytes of any charset. */
static int
add_file(json_t *body, const char *file, struct err *err)
{
	struct buf content, text;
	int rc;

	buf_init(&content, FILE_MAX_BYTES);
	buf_init(&text, FILE_MAX_BYTES * 2);
	rc = file_read(file, &content, err);
	if (rc == 0 && base64_encode(buf_bytes(&content), &text) == 0)
		json_object_set_new(body, "csv_base64",
		    json_stringn(buf_str(&text), text.len));
	buf_free(&content);
	buf_free(&text);
	return rc;
}

/* Each error of the table, at its line of the file. */
static void
print_errors(const char *file, const json_t *errors)
{
	const json_t *error;
	const char *field, *text;
	size_t i;

	json_array_foreach(errors, i, error)
	{
		field = json_string_value(json_object_get(error, "field"));
		text = json_string_value(json_object_get(error, "text"));
		fprintf(stderr, "%s:%d: %s%s%s\n", file,
		    (int)json_integer_value(json_object_get(error, "line")),
		    field != NULL ? field : "", field != NULL ? ": " : "",
		    text != NULL ? text : "");
	}
}

static void
print_summary(const json_t *model)
{
	static const char *const counts[] = { "added", "changed", "removed",
		"unchanged" };
	size_t i;

	if (json_is_true(json_object_get(model, "dry_run")))
		fputs("It would be: ", stdout);
	for (i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
		printf("%s%" JSON_INTEGER_FORMAT " %s", i > 0 ? ", " : "",
		    json_integer_value(json_object_get(model, counts[i])),
		    counts[i]);
	puts(".");
}

static int
import_into(struct cli_session *session, const struct cli_args *args,
    const char *path, json_t *take_body)
{
	struct cli *cli = session->cli;
	struct response response;
	struct err err;
	int rc = session_request(session, METHOD_POST, path, take_body,
	    &response, &err);

	if (cli->json && response.model != NULL)
		cli_print_json(json_incref(response.model));
	else if (rc < 0)
		print_errors(args->operands[0],
		    json_object_get(response.model, "errors"));
	else
		print_summary(response.model);
	json_decref(response.model);
	free(response.content);
	return rc < 0 ? cli_fail(cli, &err) : EXIT_DONE;
}

int
table_file_import(struct cli *cli, const struct cli_args *args)
{
	const struct cli_request *request = args->command->context;
	struct cli_session session;
	const char *segment;
	struct err err;
	json_t *body = request_parameters(cli, args, request, &segment);
	int rc;

	if (body == NULL)
		return EXIT_WRONG_USE;
	json_object_set_new(body, "mode",
	    json_string(cli_flag(args, "replace-all") ? "replace" : "merge"));
	if (add_file(body, args->operands[0], &err) < 0 ||
	    session_open(cli, &session, &err) < 0) {
		json_decref(body);
		return cli_fail(cli, &err);
	}
	rc = import_into(&session, args,
	    request_path(cli, request->path, segment), body);
	session_close(&session);
	return rc;
}

int
table_file_export(struct cli *cli, const struct cli_args *args)
{
	const struct cli_request *request = args->command->context;
	struct cli_session session;
	struct response response;
	const char *segment;
	struct err err;
	json_t *query = request_parameters(cli, args, request, &segment);
	int rc;

	if (query == NULL)
		return EXIT_WRONG_USE;
	if (session_open(cli, &session, &err) < 0) {
		json_decref(query);
		return cli_fail(cli, &err);
	}
	rc = session_request(&session, METHOD_GET,
	    request_path(cli, request->path, segment), query, &response, &err);
	session_close(&session);
	json_decref(response.model);
	if (rc == 0)
		fwrite(response.content, 1, response.content_len, stdout);
	free(response.content);
	return rc == 0 ? EXIT_DONE : cli_fail(cli, &err);
}
