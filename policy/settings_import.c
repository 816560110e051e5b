/*
 * settings_import.c - tables into settings: whole or not at all.
 *
 * The table becomes rows, the rows become puts (a field of an object and
 * what it shall be), sorted by object so that each is read once.  All that
 * is wrong is gathered with its line; only when nothing is, the one change
 * is written.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/csv.h"
#include "base/str.h"
#include "base/strmap.h"
#include "policy/edit_rows.h"
#include "policy/table_text.h"
#include "policy/tables.h"

struct put {
	size_t row; /* index */
	const char *object;
	const char *field;
	json_t *json;     /* owned; or NULL: */
	const char *text; /* an option; NULL: to be unset */
};

/* Of the row as a whole, from its puts. */
enum row_state {
	ROW_SAME,
	ROW_CHANGED,
	ROW_ADDED,
};

struct row {
	unsigned line;
	enum row_state state;
	const char **cells; /* by column, NULL: not in the table */
};

struct import {
	struct edit *edit;
	const struct table_form *form;
	const struct import_scope *scope;
	struct arena *arena; /* of the rows and problems */
	struct import_result *result;
	size_t row_count, row_size;
	struct row *rows;
	/* of one try */
	struct edit_work *work;
	size_t put_count, put_size;
	struct put *puts;
	struct strmap domains; /* known to be there */
	struct strmap routes;  /* object -> place of its put */
	struct err first;      /* the first problem */
};

/* ---- problems ---- */

static void
problem(struct import *import, unsigned line, const char *field,
    const char *text)
{
	struct import_result *result = import->result;
	struct import_problem *slot;

	if (import->first.kind == ERR_NONE) {
		if (line > 0)
			err_set(&import->first, ERR_INPUT, "line %u: %s", line,
			    text);
		else
			err_set(&import->first, ERR_INPUT, "%s", text);
	}
	if (result->problem_count == IMPORT_PROBLEMS_MAX)
		return;
	slot = &result->problems[result->problem_count++];
	slot->line = line;
	slot->field = field != NULL ? field : "";
	slot->text = arena_strdup(import->arena, text);
}

/* Was it the row's fault?  Then it is noted, and others are looked at. */
static int
row_failed(struct import *import, const struct row *row, const struct err *err)
{
	if (err->kind != ERR_INPUT || import->work->stale)
		return -1;
	problem(import, row->line, import->edit->field, err->text);
	return 0;
}

/* ---- reading the table ---- */

static int
column_of(const struct table_form *form, const char *name)
{
	size_t i;

	for (i = 0; form->columns[i] != NULL; i++)
		if (str_equal_nocase(form->columns[i], name))
			return (int)i;
	if (!form->with_options)
		return -1;
	for (; i < table_column_count(form); i++)
		if (str_equal_nocase(table_column(form, i), name))
			return (int)i;
	return -1;
}

/* Which column each field of the first row is. */
static int
read_head(struct import *import, struct csv_reader *reader,
    struct csv_row *fields, int columns[CSV_FIELDS_MAX])
{
	const struct table_form *form = import->form;
	struct bytes name;
	struct err err;
	bool seen[TABLE_COLUMNS_MAX] = { false };
	size_t i;
	int rc = csv_read(reader, fields, &err);

	if (rc < 0)
		problem(import, reader->line, NULL, err.text);
	else if (rc == 0)
		problem(import, 0, NULL, "the table is empty");
	if (rc <= 0)
		return -1;
	for (i = 0; i < fields->count; i++) {
		name = bytes_trim(bytes_of(fields->fields[i]));
		columns[i] = column_of(form,
		    arena_memdup(import->arena, name.data, name.len));
		if (columns[i] < 0 || seen[columns[i]])
			problem(import, reader->line, NULL,
			    arena_printf(import->arena,
				columns[i] < 0
				    ? "there is no column '%s'; the columns "
				      "are %s"
				    : "the column '%s' is there twice",
				fields->fields[i], form->help));
		else
			seen[columns[i]] = true;
	}
	for (i = 0; i < form->required; i++)
		if (!seen[i])
			problem(import, reader->line, form->columns[i],
			    arena_printf(import->arena,
				"the column '%s' is missing",
				form->columns[i]));
	return import->result->problem_count > 0 ? -1 : 0;
}

static struct row *
add_row(struct import *import, unsigned line)
{
	struct row *row;

	if (import->row_count == import->row_size) {
		import->row_size =
		    import->row_size > 0 ? 2 * import->row_size : 64;
		import->rows = xrealloc(import->rows,
		    import->row_size * sizeof(*import->rows));
	}
	row = &import->rows[import->row_count++];
	row->line = line;
	row->cells = arena_calloc(import->arena,
	    table_column_count(import->form), sizeof(*row->cells));
	return row;
}

static void
take_fields(struct import *import, const struct csv_row *fields,
    const int *columns, struct row *row)
{
	struct bytes cell;
	size_t i;

	for (i = 0; i < fields->count; i++) {
		cell = bytes_trim(bytes_of(fields->fields[i]));
		row->cells[columns[i]] =
		    arena_memdup(import->arena, cell.data, cell.len);
	}
}

static void
read_rows(struct import *import, struct bytes text)
{
	struct csv_reader reader;
	struct csv_row head, fields;
	int columns[CSV_FIELDS_MAX], rc;
	struct err err;

	csv_begin(&reader, import->arena, text);
	if (read_head(import, &reader, &head, columns) < 0)
		return;
	while ((rc = csv_read(&reader, &fields, &err)) > 0) {
		if (fields.count > head.count) {
			problem(import, reader.line, NULL,
			    "more fields than columns");
			continue;
		}
		if (import->row_count == IMPORT_ROWS_MAX) {
			problem(import, reader.line, NULL,
			    "the table has too many rows");
			return;
		}
		take_fields(import, &fields, columns,
		    add_row(import, reader.line));
	}
	if (rc < 0)
		problem(import, reader.line, NULL, err.text);
}

/* ---- puts ---- */

static struct put *
add_put(struct import *import, const struct row *row, const char *object,
    const char *field)
{
	struct put *put;

	if (import->put_count == import->put_size) {
		import->put_size =
		    import->put_size > 0 ? 2 * import->put_size : 64;
		import->puts = xrealloc(import->puts,
		    import->put_size * sizeof(*import->puts));
	}
	put = &import->puts[import->put_count++];
	put->row = (size_t)(row - import->rows);
	put->object = object;
	put->field = field;
	put->json = NULL;
	put->text = NULL;
	return put;
}

static const char *
cell(const struct row *row, size_t column)
{
	return row->cells[column] != NULL ? row->cells[column] : "";
}

/* The apostrophe that keeps spreadsheets from taking it for a formula. */
static const char *
comment_cell(const struct row *row, size_t column)
{
	const char *text = cell(row, column);

	return text[0] == '\'' && table_is_formula(text + 1) ? text + 1 : text;
}

static int
require_domain(struct import *import, const char *field, const char *domain,
    struct err *err)
{
	if (strmap_get(&import->domains, bytes_of(domain)) != NULL)
		return 0;
	if (edit_require_domain(import->work, field, domain, err) < 0)
		return -1;
	*strmap_put(&import->domains, bytes_of(domain)) = import;
	return 0;
}

static int
out_of_scope(struct import *import, const char *field, const char *what,
    struct err *err)
{
	return edit_refuse(import->edit, EDIT_INVALID, field, err,
	    "%s: %s is outside of what this table is for", field, what);
}

static int
check_scope(struct import *import, const char *field, const char *domain,
    struct err *err)
{
	if (import->scope->domain != NULL &&
	    strcmp(import->scope->domain, domain) != 0)
		return out_of_scope(import, field, domain, err);
	return 0;
}

/* ---- lists ---- */

enum list_column {
	LIST_COL_SIDE,
	LIST_COL_KIND,
	LIST_COL_PATTERN,
	LIST_COL_DOMAIN,
	LIST_COL_MAILBOX,
	LIST_COL_ACTION,
	LIST_COL_UNAUTHENTICATED,
	LIST_COL_LIFTS_DMARC,
	LIST_COL_EXPIRES,
	LIST_COL_COMMENT,
};

/* Where the row hangs: what it says, else the scope. */
static int
list_target(struct import *import, const struct row *row,
    struct edit_target *target, struct err *err)
{
	const char *domain = cell(row, LIST_COL_DOMAIN);
	const char *mailbox = cell(row, LIST_COL_MAILBOX);
	const char *field = "domain";

	target->domain = import->scope->domain;
	target->mailbox = import->scope->mailbox;
	if (domain[0] != '\0' &&
	    (edit_take_domain(import->edit, import->arena, "domain", domain,
		 &target->domain, err) < 0 ||
		check_scope(import, "domain", target->domain, err) < 0))
		return -1;
	if (mailbox[0] != '\0' &&
	    edit_take_address(import->edit, import->arena, "mailbox", mailbox,
		&target->mailbox, err) < 0)
		return -1;
	if (target->mailbox != NULL) {
		field = "mailbox";
		mailbox = strrchr(target->mailbox, '@') + 1;
		if ((target->domain != NULL &&
			strcmp(target->domain, mailbox) != 0) ||
		    (import->scope->mailbox != NULL &&
			strcmp(import->scope->mailbox, target->mailbox) != 0))
			return out_of_scope(import, "mailbox", target->mailbox,
			    err);
		target->domain = mailbox;
	}
	return target->domain != NULL
	    ? require_domain(import, field, target->domain, err)
	    : 0;
}

static int
list_puts(struct import *import, const struct row *row, struct err *err)
{
	struct edit_target target;
	struct list_row list_row;
	json_t *json;
	int rc;

	if (list_target(import, row, &target, err) < 0)
		return -1;
	json = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "side",
	    cell(row, LIST_COL_SIDE), "kind", cell(row, LIST_COL_KIND),
	    "pattern", cell(row, LIST_COL_PATTERN), "action",
	    cell(row, LIST_COL_ACTION), "unauthenticated",
	    cell(row, LIST_COL_UNAUTHENTICATED), "lifts_dmarc",
	    cell(row, LIST_COL_LIFTS_DMARC), "expires",
	    cell(row, LIST_COL_EXPIRES), "comment",
	    comment_cell(row, LIST_COL_COMMENT));
	rc = edit_check_row(import->edit, import->arena, target, json,
	    &list_row, err);
	json_decref(json);
	if (rc < 0)
		return -1;
	add_put(import, row, edit_object_of(import->arena, target),
	    edit_row_field(import->arena, list_row.side, list_row.kind,
		list_row.pattern))
	    ->json = edit_row_json(&list_row);
	return 0;
}

/* ---- recipients, domains: with options ---- */

static int
option_puts(struct import *import, const struct row *row,
    struct edit_target target, struct err *err)
{
	const struct table_form *form = import->form;
	const char *object = edit_object_of(import->arena, target), *text;
	const struct option *option;
	struct put *put;
	json_t *value;
	size_t i;
	int rc;

	for (i = table_column_count(form) - policy_option_count;
	     i < table_column_count(form); i++) {
		/* Empty: as it is; of a whole table: inherited. */
		if (row->cells[i] == NULL ||
		    (row->cells[i][0] == '\0' && !import->scope->replace_all))
			continue;
		value = row->cells[i][0] != '\0' ? json_string(row->cells[i])
						 : json_null();
		rc = edit_check_option(import->edit, import->arena, target,
		    table_column(form, i), value, &option, &text, err);
		/* Many options cannot be set everywhere; empty is no wish. */
		if (rc < 0 && json_is_null(value))
			rc = 1;
		json_decref(value);
		if (rc < 0)
			return -1;
		if (rc > 0)
			continue;
		put = add_put(import, row, object,
		    arena_printf(import->arena, "option:%s", option->name));
		put->text = text;
	}
	return 0;
}

static int
recipient_puts(struct import *import, const struct row *row, struct err *err)
{
	const char *key, *local, *domain, *comment = comment_cell(row, 1);

	if (edit_take_address(import->edit, import->arena, "address",
		cell(row, 0), &key, err) < 0 ||
	    edit_check_text(import->edit, "comment", comment, err) < 0)
		return -1;
	edit_split(import->arena, key, &local, &domain);
	if (check_scope(import, "address", domain, err) < 0 ||
	    require_domain(import, "address", domain, err) < 0)
		return -1;
	add_put(import, row, arena_printf(import->arena, "domain:%s", domain),
	    arena_printf(import->arena, "recipient:%s", local))
	    ->json = edit_comment_json(comment);
	return option_puts(import, row, (struct edit_target){ domain, key },
	    err);
}

static int
domain_puts(struct import *import, const struct row *row, struct err *err)
{
	const char *domain;

	if (edit_take_domain(import->edit, import->arena, "domain",
		cell(row, 0), &domain, err) < 0 ||
	    check_scope(import, "domain", domain, err) < 0)
		return -1;
	add_put(import, row, arena_printf(import->arena, "domain:%s", domain),
	    "made")
	    ->json = json_object();
	return option_puts(import, row, (struct edit_target){ domain, NULL },
	    err);
}

/* ---- aliases ---- */

static int
alias_puts(struct import *import, const struct row *row, struct err *err)
{
	const char *key, *domain, *field, *comment = comment_cell(row, 2);
	json_t *given = edit_split_list(cell(row, 1)), *targets;

	targets = edit_check_alias(import->edit, import->arena, cell(row, 0),
	    given, &key, err);
	json_decref(given);
	if (targets == NULL)
		return -1;
	field = edit_alias_field(import->arena, key, &domain);
	if (edit_check_text(import->edit, "comment", comment, err) < 0 ||
	    check_scope(import, "source", domain, err) < 0 ||
	    require_domain(import, "source", domain, err) < 0) {
		json_decref(targets);
		return -1;
	}
	add_put(import, row, arena_printf(import->arena, "domain:%s", domain),
	    field)
	    ->json = edit_alias_json(key, targets, comment);
	json_decref(targets);
	return 0;
}

/* "@d" or "l@d" of a put of this table. */
static const char *
alias_source(struct import *import, const struct put *put)
{
	const char *domain = put->object + strlen("domain:");
	const char *local =
	    strncmp(put->field, "alias:", 6) == 0 ? put->field + 6 : "";

	return arena_printf(import->arena, "%s@%s", local, domain);
}

static json_t *
alias_targets(struct import *import, const struct put *put)
{
	json_t *to = json_object_get(put->json, "to");

	if (json_is_array(to))
		return json_incref(to);
	return json_pack("[s]",
	    arena_printf(import->arena, "@%s", json_string_value(to)));
}

/* In what the settings would be. */
static int
check_aliases(struct import *import, struct err *err)
{
	struct settings *future;
	const struct put *put;
	json_t *targets;
	size_t i;
	int rc = 0;

	if (import->work->op_count == 0)
		return 0;
	future = edit_would_be(import->work, err);
	if (future == NULL)
		return -1;
	for (i = 0; i < import->put_count && rc == 0; i++) {
		put = &import->puts[i];
		targets = alias_targets(import, put);
		rc = edit_check_targets(import->work, future,
		    alias_source(import, put), targets, err);
		json_decref(targets);
		if (rc < 0)
			rc = row_failed(import, &import->rows[put->row], err);
	}
	if (rc == 0 &&
	    edit_check_aliases(import->work, future, NULL, err) < 0) {
		if (err->kind == ERR_INPUT)
			problem(import, 0, "targets", err->text);
		else
			rc = -1;
	}
	settings_unref(future);
	return rc;
}

/* ---- routes: all rows of a domain are its routes ---- */

enum route_column {
	ROUTE_COL_DOMAIN,
	ROUTE_COL_HOST,
	ROUTE_COL_PORT,
	ROUTE_COL_PRIORITY,
	ROUTE_COL_LOOKUP_MX,
};

/* Puts move as they grow in number: their place is kept, plus one. */
static struct put *
find_put(struct import *import, const char *object)
{
	uintptr_t place =
	    (uintptr_t)strmap_get(&import->routes, bytes_of(object));

	return place > 0 ? &import->puts[place - 1] : NULL;
}

static struct put *
add_routes_put(struct import *import, const struct row *row, const char *object)
{
	struct put *put = add_put(import, row, object, "routes");

	*strmap_put(&import->routes, bytes_of(object)) =
	    (void *)import->put_count; /* NOLINT(performance-no-int-to-ptr) */
	return put;
}

static int
route_puts(struct import *import, const struct row *row, struct err *err)
{
	const char *domain, *object;
	json_t *route, *routes, *checked;
	struct put *put;

	if (edit_take_domain(import->edit, import->arena, "domain",
		cell(row, ROUTE_COL_DOMAIN), &domain, err) < 0 ||
	    check_scope(import, "domain", domain, err) < 0 ||
	    require_domain(import, "domain", domain, err) < 0)
		return -1;
	route = json_pack("{s:s, s:s, s:s, s:s}", "host",
	    cell(row, ROUTE_COL_HOST), "port", cell(row, ROUTE_COL_PORT),
	    "priority", cell(row, ROUTE_COL_PRIORITY), "lookup_mx",
	    cell(row, ROUTE_COL_LOOKUP_MX));
	object = arena_printf(import->arena, "domain:%s", domain);
	put = find_put(import, object);
	routes = put != NULL ? json_copy(put->json) : json_array();
	json_array_append_new(routes, route);
	checked = edit_check_routes(import->edit, import->arena, routes, err);
	json_decref(routes);
	if (checked == NULL)
		return -1;
	if (put == NULL)
		put = add_routes_put(import, row, object);
	json_decref(put->json);
	put->json = checked;
	return 0;
}

/* ---- forms ---- */

static const char *const list_columns[] = { "side", "kind", "pattern", "domain",
	"mailbox", "action", "unauthenticated", "lifts_dmarc", "expires",
	"comment", NULL };
static const char *const recipient_columns[] = { "address", "comment", NULL };
static const char *const alias_columns[] = { "source", "targets", "comment",
	NULL };
static const char *const route_columns[] = { "domain", "host", "port",
	"priority", "lookup_mx", NULL };
static const char *const domain_columns[] = { "domain", NULL };

const struct table_form table_forms[TABLE_COUNT] = {
	[TABLE_LISTS] = { "lists", "list:", list_columns, 3, false,
	    "side, kind, pattern, domain, mailbox, action, unauthenticated, "
	    "lifts_dmarc, expires and comment" },
	[TABLE_RECIPIENTS] = { "recipients", "recipient:", recipient_columns, 1,
	    true, "address, comment and options by their names" },
	[TABLE_ALIASES] = { "aliases", "alias", alias_columns, 2, false,
	    "source, targets and comment" },
	[TABLE_ROUTES] = { "routes", "routes", route_columns, 2, false,
	    "domain, host, port, priority and lookup_mx" },
	[TABLE_DOMAINS] = { "domains", "made", domain_columns, 1, true,
	    "domain and options by their names" },
};

static int (*const make_puts[TABLE_COUNT])(struct import *import,
    const struct row *row, struct err *err) = {
	[TABLE_LISTS] = list_puts,
	[TABLE_RECIPIENTS] = recipient_puts,
	[TABLE_ALIASES] = alias_puts,
	[TABLE_ROUTES] = route_puts,
	[TABLE_DOMAINS] = domain_puts,
};

size_t
table_column_count(const struct table_form *form)
{
	size_t n = 0;

	while (form->columns[n] != NULL)
		n++;
	return form->with_options ? n + policy_option_count : n;
}

const char *
table_column(const struct table_form *form, size_t i)
{
	size_t n = 0;

	while (form->columns[n] != NULL)
		n++;
	return i < n ? form->columns[i] : policy_options[i - n].name;
}

bool
table_is_formula(const char *text)
{
	return text[0] != '\0' && strchr("=+-@\t\r'", text[0]) != NULL;
}

/* ---- writing, object by object ---- */

static int
compare_puts(const void *a, const void *b)
{
	const struct put *x = a, *y = b;
	int order = strcmp(x->object, y->object);

	if (order == 0)
		order = strcmp(x->field, y->field);
	if (order == 0)
		order = x->row < y->row ? -1 : x->row > y->row;
	return order;
}

static void
find_doubles(struct import *import)
{
	const struct put *a, *b;
	size_t i;

	for (i = 1; i < import->put_count; i++) {
		a = &import->puts[i - 1];
		b = &import->puts[i];
		if (a->row != b->row && strcmp(a->object, b->object) == 0 &&
		    strcmp(a->field, b->field) == 0)
			problem(import, import->rows[b->row].line, NULL,
			    arena_printf(import->arena,
				"says again what line %u says",
				import->rows[a->row].line));
	}
}

static void
note_state(struct import *import, size_t row, enum row_state state)
{
	if (state > import->rows[row].state)
		import->rows[row].state = state;
}

static void
write_put(struct import *import, const struct put *put, struct bytes before)
{
	size_t ops = import->work->op_count;
	enum edit_outcome outcome;

	if (json_is_object(put->json)) {
		outcome = edit_put_json(import->work, put->object, put->field,
		    put->json, before);
		note_state(import, put->row,
		    outcome == EDIT_ADDED      ? ROW_ADDED
			: outcome == EDIT_SAME ? ROW_SAME
					       : ROW_CHANGED);
		return;
	}
	if (put->json != NULL)
		edit_set(import->work, put->object, put->field, before,
		    edit_json_bytes(import->work->arena, put->json));
	else if (put->text != NULL)
		edit_set(import->work, put->object, put->field, before,
		    bytes_of(put->text));
	else
		edit_unset(import->work, put->object, put->field, before);
	if (import->work->op_count > ops)
		note_state(import, put->row,
		    put->json != NULL && before.data == NULL ? ROW_ADDED
							     : ROW_CHANGED);
}

static int
check_room(struct import *import, const char *object, size_t added,
    struct err *err)
{
	size_t most = strncmp(object, "mailbox:", 8) == 0
	    ? EDIT_MAILBOX_FIELDS_MAX
	    : EDIT_FIELDS_MAX;
	size_t count;

	if (edit_count(import->work, object, &count, err) < 0)
		return -1;
	if (count + added > most)
		return err_set(err, ERR_LIMIT,
		    "%s would have %zu rows, the most is %zu", object,
		    count + added, most);
	return 0;
}

/* n puts of one object. */
static int
write_object(struct import *import, const struct put *puts, size_t n,
    struct err *err)
{
	const char **fields =
	    arena_calloc(import->work->arena, n, sizeof(*fields));
	struct bytes *before =
	    arena_calloc(import->work->arena, n, sizeof(*before));
	size_t i, added = 0;

	for (i = 0; i < n; i++)
		fields[i] = puts[i].field;
	if (edit_read_many(import->work, puts[0].object, n, fields, before,
		err) < 0)
		return -1;
	for (i = 0; i < n; i++)
		added += before[i].data == NULL;
	if (added > 0 && check_room(import, puts[0].object, added, err) < 0)
		return -1;
	for (i = 0; i < n; i++)
		write_put(import, &puts[i], before[i]);
	return 0;
}

static int
write_objects(struct import *import, struct err *err)
{
	size_t i, n;

	for (i = 0; i < import->put_count; i += n) {
		for (n = 1; i + n < import->put_count &&
		     strcmp(import->puts[i].object,
			 import->puts[i + n].object) == 0;
		     n++)
			;
		if (write_object(import, &import->puts[i], n, err) < 0)
			return -1;
	}
	return 0;
}

/* ---- what the table does not name, when it is the whole ---- */

static bool
is_named(const struct strmap *named, struct arena *arena, const char *object,
    struct bytes field)
{
	const char *key =
	    arena_printf(arena, "%s %.*s", object, (int)field.len, field.data);

	return strmap_get(named, bytes_of(key)) != NULL;
}

static int
remove_unnamed(struct import *import, const struct strmap *named,
    const char *object, struct err *err)
{
	const char *prefix = import->form->prefix;
	size_t len = strlen(prefix), i;
	struct edit_fields fields;
	struct bytes name;
	char *field;

	if (edit_read_all(import->work, object, &fields, err) < 0)
		return -1;
	for (i = 0; i < fields.count; i++) {
		name = fields.names[i];
		if (name.len < len || memcmp(name.data, prefix, len) != 0 ||
		    is_named(named, import->work->arena, object, name))
			continue;
		field = arena_memdup(import->work->arena, name.data, name.len);
		edit_unset(import->work, object, field, fields.values[i]);
		import->result->removed++;
	}
	return 0;
}

/* A recipient that goes takes its options and rows along. */
static int
drop_mailboxes(struct import *import, struct err *err)
{
	struct edit_fields fields;
	const char *local, *domain, *mailbox;
	size_t i, n = import->work->op_count;

	for (i = 0; i < n; i++) {
		local = edit_unset_field(import->work, i, &domain);
		if (local == NULL || strncmp(local, "recipient:", 10) != 0)
			continue;
		mailbox = arena_printf(import->work->arena, "mailbox:%s@%s",
		    local + 10, domain + strlen("domain:"));
		if (edit_read_all(import->work, mailbox, &fields, err) < 0)
			return -1;
		edit_drop(import->work, mailbox, &fields);
	}
	return 0;
}

/* A domain, and for lists its mailboxes. */
static int
remove_of_domain(struct import *import, const struct strmap *named,
    const char *domain, struct err *err)
{
	struct edit_fields mailboxes;
	size_t i;

	if (remove_unnamed(import, named,
		arena_printf(import->work->arena, "domain:%s", domain),
		err) < 0)
		return -1;
	if (import->form != &table_forms[TABLE_LISTS])
		return 0;
	if (edit_read_mailboxes(import->work, domain, &mailboxes, err) < 0)
		return -1;
	for (i = 0; i < mailboxes.count; i++)
		if (remove_unnamed(import, named, mailboxes.names[i].data,
			err) < 0)
			return -1;
	return 0;
}

/* The table is that of the installation. */
static int
remove_of_all(struct import *import, const struct strmap *named,
    struct err *err)
{
	struct settings *settings = edit_snapshot(import->work, err);
	size_t i;

	if (settings == NULL ||
	    remove_unnamed(import, named, "system", err) < 0)
		return -1;
	for (i = 0; i < settings_domain_count(settings); i++)
		if (remove_of_domain(import, named,
			settings_domain_at(settings, i), err) < 0)
			return -1;
	return 0;
}

static int
remove_rest(struct import *import, const struct strmap *named, struct err *err)
{
	const struct import_scope *scope = import->scope;
	int rc;

	if (scope->mailbox != NULL)
		rc = remove_unnamed(import, named,
		    arena_printf(import->work->arena, "mailbox:%s",
			scope->mailbox),
		    err);
	else if (scope->domain != NULL)
		rc = remove_of_domain(import, named, scope->domain, err);
	else
		rc = remove_of_all(import, named, err);
	if (rc == 0 && import->form == &table_forms[TABLE_RECIPIENTS])
		rc = drop_mailboxes(import, err);
	return rc;
}

static int
remove_others(struct import *import, struct err *err)
{
	struct strmap named;
	const char *key;
	size_t i;
	int rc;

	strmap_init(&named);
	strmap_reserve(&named, import->put_count);
	for (i = 0; i < import->put_count; i++) {
		key = arena_printf(import->work->arena, "%s %s",
		    import->puts[i].object, import->puts[i].field);
		*strmap_put(&named, bytes_of(key)) = import;
	}
	rc = remove_rest(import, &named, err);
	strmap_free(&named);
	return rc;
}

/* ---- one try ---- */

static void
free_puts(struct import *import)
{
	size_t i;

	for (i = 0; i < import->put_count; i++)
		json_decref(import->puts[i].json);
	import->put_count = 0;
	strmap_free(&import->domains);
	strmap_free(&import->routes);
}

static void
forget_try(struct import *import)
{
	size_t i;

	free_puts(import);
	for (i = 0; i < import->row_count; i++)
		import->rows[i].state = ROW_SAME;
	import->result->removed = 0;
}

static int
try_import(struct import *import, struct err *err)
{
	const struct table_form *form = import->form;
	enum table table = (enum table)(form - table_forms);
	size_t i;

	for (i = 0; i < import->row_count; i++)
		if (make_puts[table](import, &import->rows[i], err) < 0 &&
		    row_failed(import, &import->rows[i], err) < 0)
			return -1;
	if (import->put_count > 0)
		qsort(import->puts, import->put_count, sizeof(*import->puts),
		    compare_puts);
	find_doubles(import);
	if (import->first.kind == ERR_NONE &&
	    (write_objects(import, err) < 0 ||
		(import->scope->replace_all && remove_others(import, err) < 0)))
		return -1;
	if (import->first.kind == ERR_NONE && table == TABLE_ALIASES &&
	    check_aliases(import, err) < 0)
		return -1;
	if (import->first.kind == ERR_NONE)
		return 0;
	import->edit->problem = EDIT_INVALID;
	import->edit->field = NULL;
	*err = import->first;
	return -1;
}

static int
prepare_import(struct edit_work *work, void *context, struct err *err)
{
	struct import *import = context;

	forget_try(import);
	import->work = work;
	return try_import(import, err);
}

static void
count_rows(struct import *import)
{
	struct import_result *result = import->result;
	size_t i;

	result->rows = import->row_count;
	for (i = 0; i < import->row_count; i++)
		switch (import->rows[i].state) {
		case ROW_ADDED:
			result->added++;
			break;
		case ROW_CHANGED:
			result->changed++;
			break;
		case ROW_SAME:
			result->unchanged++;
			break;
		}
}

static int
run_import(struct import *import, struct bytes csv, struct err *err)
{
	const struct edit_subject subject = {
		arena_printf(import->arena, "%s.import", import->form->name),
		import->scope->domain, import->scope->mailbox
	};
	struct buf text;
	unsigned line;
	int rc;

	buf_init(&text, 2 * (size_t)IMPORT_SIZE_MAX);
	rc = table_decode(csv, &text, &line, err);
	if (rc == 0)
		read_rows(import, buf_bytes(&text));
	else if (err->kind == ERR_INPUT)
		problem(import, line, NULL, err->text);
	buf_free(&text);
	if (import->first.kind != ERR_NONE) {
		import->edit->problem = EDIT_INVALID;
		import->edit->field = "csv";
		*err = import->first;
		return -1;
	}
	if (rc < 0)
		return -1;
	return edit_run(import->edit, &subject, prepare_import, import, NULL,
	    err);
}

int
edit_import(struct edit *edit, enum table table,
    const struct import_scope *scope, struct bytes csv, struct arena *arena,
    struct import_result *result, struct err *err)
{
	struct import import = {
		.edit = edit,
		.form = &table_forms[table],
		.scope = scope,
		.arena = arena,
		.result = result,
	};
	bool replace = edit->replace;
	int rc;

	memset(result, 0, sizeof(*result));
	if (table == TABLE_DOMAINS && scope->replace_all)
		return edit_refuse(edit, EDIT_INVALID, "mode", err,
		    "mode: a table does not remove domains");
	if (csv.len > IMPORT_SIZE_MAX)
		return err_set(err, ERR_LIMIT,
		    "the table has more than %u octets", IMPORT_SIZE_MAX);
	strmap_init(&import.domains);
	strmap_init(&import.routes);
	edit->replace = true;
	rc = run_import(&import, csv, err);
	edit->replace = replace;
	if (rc == 0)
		count_rows(&import);
	free_puts(&import);
	free(import.puts);
	free(import.rows);
	return rc;
}
