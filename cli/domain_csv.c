/*
 * domain_csv.c - sekimori domain import, export: domains and their settings
 * as CSV.
 *
 * The first column is the domain, each other one a setting by its name.  An
 * empty cell leaves the setting as it is.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "base/csv.h"
#include "base/file.h"
#include "base/str.h"

#include "cli/domain_csv.h"

#define FILE_MAX_BYTES (64UL * 1024 * 1024)

/* ---- export ---- */

static void
add_name(const char **names, size_t *count, const char *name)
{
	size_t i;

	for (i = 0; i < *count; i++)
		if (strcmp(names[i], name) == 0)
			return;
	if (*count < CSV_FIELDS_MAX)
		names[(*count)++] = name;
}

/* Every setting that any domain has, behind "domain". */
static size_t
column_names(const json_t *domains, const char **names)
{
	json_t *options, *value;
	const json_t *domain;
	const char *name;
	size_t count = 0, i;

	add_name(names, &count, "domain");
	json_array_foreach(domains, i, domain)
	{
		options = json_object_get(domain, "options");
		json_object_foreach(options, name, value)
		    add_name(names, &count, name);
	}
	return count;
}

static const char *
text_of(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text != NULL ? text : "";
}

void
domain_csv_write(const json_t *domains, struct buf *out)
{
	const char *names[CSV_FIELDS_MAX], *cells[CSV_FIELDS_MAX];
	size_t count = column_names(domains, names), i, k;
	const json_t *domain;

	(void)csv_write(out, count, names);
	json_array_foreach(domains, i, domain)
	{
		cells[0] = text_of(domain, "domain");
		for (k = 1; k < count; k++)
			cells[k] = text_of(json_object_get(domain, "options"),
			    names[k]);
		(void)csv_write(out, count, cells);
	}
}

int
domain_csv_export(struct cli *cli, const struct cli_args *args)
{
	struct cli_session session;
	json_t *model;
	struct buf out;
	struct err err;

	(void)args;
	if (session_open(cli, &session, &err) < 0)
		return cli_fail(cli, &err);
	model = session_get(&session, "/domains", json_object(), &err);
	session_close(&session);
	if (model == NULL)
		return cli_fail(cli, &err);
	if (cli->json) {
		cli_print_json(model);
		return EXIT_DONE;
	}
	buf_init(&out, FILE_MAX_BYTES);
	domain_csv_write(json_object_get(model, "domains"), &out);
	fwrite(buf_str(&out), 1, out.len, stdout);
	buf_free(&out);
	json_decref(model);
	return EXIT_DONE;
}

/* ---- import ---- */

/* NULL with *err. */
static json_t *
row_to_body(const struct csv_row *header, const struct csv_row *row,
    struct err *err)
{
	json_t *options, *body;
	size_t i;

	if (row->count > header->count) {
		err_set(err, ERR_INPUT, "more cells than columns");
		return NULL;
	}
	if (row->fields[0][0] == '\0') {
		err_set(err, ERR_INPUT, "domain: must not be empty");
		return NULL;
	}
	options = json_object();
	for (i = 1; i < row->count; i++)
		if (row->fields[i][0] != '\0')
			json_object_set_new(options, header->fields[i],
			    json_string(row->fields[i]));
	body = json_pack("{s:s, s:o, s:b}", "domain", row->fields[0], "options",
	    options, "replace", true);
	return body;
}

static int
read_rows(struct csv_reader *csv, json_t *items, struct err *err)
{
	struct csv_row header, row;
	json_t *body;
	int rc = csv_read(csv, &header, err);

	if (rc < 0)
		return -1;
	if (rc == 0 || !str_equal_nocase(header.fields[0], "domain"))
		return err_set(err, ERR_INPUT,
		    "the first row must name the columns: domain, and "
		    "settings");
	while ((rc = csv_read(csv, &row, err)) > 0) {
		body = row_to_body(&header, &row, err);
		if (body == NULL)
			return -1;
		json_array_append_new(items,
		    json_pack("{s:i, s:o}", "line", (int)csv->line, "body",
			body));
	}
	return rc;
}

json_t *
domain_csv_read(struct arena *arena, const char *file, struct err *err)
{
	struct csv_reader csv;
	json_t *items = NULL;
	struct buf text;

	buf_init(&text, FILE_MAX_BYTES);
	if (file_read(file, &text, err) == 0) {
		items = json_array();
		csv_begin(&csv, arena, buf_bytes(&text));
		if (read_rows(&csv, items, err) < 0) {
			err_prefix(err, "%s:%u", file,
			    csv.line > 0 ? csv.line : 1);
			json_decref(items);
			items = NULL;
		}
	}
	buf_free(&text);
	return items;
}

static void
report(struct cli *cli, size_t done, json_t *take_errors)
{
	const json_t *error;
	size_t i;

	if (cli->json) {
		cli_print_json(json_pack("{s:I, s:o}", "imported",
		    (json_int_t)done, "errors", take_errors));
		return;
	}
	json_array_foreach(take_errors, i, error)
	    fprintf(stderr, "%s\n", json_string_value(error));
	printf("%zu imported, %zu failed.\n", done,
	    json_array_size(take_errors));
	json_decref(take_errors);
}

/* Goes on after an error: each domain stands for itself. */
static int
post_all(struct cli_session *session, const char *file, const json_t *items)
{
	json_t *errors = json_array(), *model;
	const json_t *item;
	struct err err;
	size_t i, done = 0;
	int line;
	bool failed;

	json_array_foreach(items, i, item)
	{
		line = (int)json_integer_value(json_object_get(item, "line"));
		model = session_post(session, "/domains",
		    json_incref(json_object_get(item, "body")), &err);
		if (model == NULL)
			json_array_append_new(errors,
			    json_sprintf("%s:%d: %s", file, line, err.text));
		else
			done++;
		json_decref(model);
	}
	failed = json_array_size(errors) > 0;
	report(session->cli, done, errors);
	return failed ? EXIT_NOT_DONE : EXIT_DONE;
}

int
domain_csv_import(struct cli *cli, const struct cli_args *args)
{
	const char *file = args->operands[0];
	struct cli_session session;
	struct err err;
	json_t *items = domain_csv_read(cli->arena, file, &err);
	int rc;

	if (items == NULL)
		return cli_fail(cli, &err);
	if (session_open(cli, &session, &err) < 0) {
		json_decref(items);
		return cli_fail(cli, &err);
	}
	rc = post_all(&session, file, items);
	session_close(&session);
	json_decref(items);
	return rc;
}
