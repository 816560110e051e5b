/*
 * settings_export.c - settings as tables, as settings_import.c reads them.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/csv.h"
#include "policy/settings_show.h"
#include "policy/tables.h"

struct export
{
	struct store *store;
	const struct settings *settings;
	const struct table_form *form;
	const struct import_scope *scope;
	struct arena *arena; /* of one domain's rows */
	struct buf *out;
	/* the options that any row has: columns behind the others */
	bool has_option[TABLE_COLUMNS_MAX];
};

static const char *
text_of(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text != NULL ? text : "";
}

static const char *
comment_of(struct export *export, const json_t *object)
{
	const char *comment = text_of(object, "comment");

	if (table_is_formula(comment))
		return arena_printf(export->arena, "'%s", comment);
	return comment;
}

static int
write_row(struct export *export, size_t count, const char *const *cells,
    struct err *err)
{
	if (csv_write(export->out, count, cells) < 0)
		return err_set(err, ERR_LIMIT, "the table is too large");
	return 0;
}

/* ---- lists ---- */

static const char *
flag_of(const json_t *row, const char *name)
{
	return json_is_true(json_object_get(row, name)) ? "yes" : "";
}

static const char *
time_of(struct export *export, const json_t *row, const char *name)
{
	json_int_t ms = json_integer_value(json_object_get(row, name));
	char text[CLOCK_RFC3339_SIZE];

	if (ms == 0)
		return "";
	clock_rfc3339(ms, text);
	return arena_strdup(export->arena, text);
}

static int
export_rows(struct export *export, struct edit_target target, struct err *err)
{
	static const struct show_row_filter all = { .side = -1, .kind = -1 };
	json_t *model = show_rows(export->settings, target, &all), *row;
	json_t *rows = json_object_get(model, "rows");
	const char *cells[10];
	size_t i;
	int rc = 0;

	json_array_foreach(rows, i, row)
	{
		cells[0] = text_of(row, "side");
		cells[1] = text_of(row, "kind");
		cells[2] = text_of(row, "pattern");
		cells[3] = text_of(row, "domain");
		cells[4] = text_of(row, "mailbox");
		cells[5] = text_of(row, "action");
		cells[6] = flag_of(row, "unauthenticated");
		cells[7] = flag_of(row, "lifts_dmarc");
		cells[8] = time_of(export, row, "expires");
		cells[9] = comment_of(export, row);
		rc = write_row(export, 10, cells, err);
		if (rc < 0)
			break;
	}
	json_decref(model);
	return rc;
}

static int
export_domain_rows(struct export *export, const char *domain, struct err *err)
{
	json_t *mailboxes = show_mailboxes(export->settings, domain), *name;
	size_t i;
	int rc;

	rc = export_rows(export, (struct edit_target){ domain, NULL }, err);
	json_array_foreach(mailboxes, i, name) if (rc == 0) rc =
	    export_rows(export,
		(struct edit_target){ domain, json_string_value(name) }, err);
	json_decref(mailboxes);
	return rc;
}

/* ---- recipients, domains ---- */

static size_t
option_cells(const struct export *export, const json_t *options, size_t first,
    const char **cells)
{
	size_t n = first, i;

	for (i = 0; i < policy_option_count; i++)
		if (export->has_option[i])
			cells[n++] = text_of(options, policy_options[i].name);
	return n;
}

static void
note_options(struct export *export, const json_t *options)
{
	size_t i;

	for (i = 0; i < policy_option_count; i++)
		if (json_object_get(options, policy_options[i].name) != NULL)
			export->has_option[i] = true;
}

static int
export_recipients(struct export *export, const char *domain, struct err *err)
{
	json_t *model = show_recipients(export->store, export->settings, domain,
	    NULL, 0, err);
	json_t *recipients, *recipient;
	const char *cells[TABLE_COLUMNS_MAX];
	size_t i, n;
	int rc = 0;

	if (model == NULL)
		return -1;
	recipients = json_object_get(model, "recipients");
	json_array_foreach(recipients, i, recipient)
	{
		cells[0] = text_of(recipient, "address");
		cells[1] = comment_of(export, recipient);
		n = option_cells(export, json_object_get(recipient, "options"),
		    2, cells);
		rc = write_row(export, n, cells, err);
		if (rc < 0)
			break;
	}
	json_decref(model);
	return rc;
}

static int
export_domain(struct export *export, const char *domain, struct err *err)
{
	json_t *options = show_options(export->settings,
	    (struct edit_target){ domain, NULL });
	const char *cells[TABLE_COLUMNS_MAX] = { domain };
	size_t n =
	    option_cells(export, json_object_get(options, "options"), 1, cells);
	int rc = write_row(export, n, cells, err);

	json_decref(options);
	return rc;
}

/* ---- aliases ---- */

static const char *
join_targets(struct export *export, const json_t *targets)
{
	const char *joined = "";
	size_t i;

	for (i = 0; i < json_array_size(targets); i++)
		joined = arena_printf(export->arena, "%s%s%s", joined,
		    i > 0 ? " " : "",
		    json_string_value(json_array_get(targets, i)));
	return joined;
}

static int
export_aliases(struct export *export, const char *domain, struct err *err)
{
	json_t *model = show_aliases(export->store, domain, NULL, 0, err);
	json_t *aliases, *alias;
	const char *cells[3];
	size_t i;
	int rc = 0;

	if (model == NULL)
		return -1;
	aliases = json_object_get(model, "aliases");
	json_array_foreach(aliases, i, alias)
	{
		cells[0] = text_of(alias, "source");
		cells[1] =
		    join_targets(export, json_object_get(alias, "targets"));
		cells[2] = comment_of(export, alias);
		rc = write_row(export, 3, cells, err);
		if (rc < 0)
			break;
	}
	json_decref(model);
	return rc;
}

/* ---- routes ---- */

static int
export_routes(struct export *export, const char *domain, struct err *err)
{
	const struct directory_route *routes = NULL;
	size_t n = directory_routes(export->settings, domain, &routes), i;
	const char *cells[5];

	for (i = 0; i < n; i++) {
		cells[0] = domain;
		cells[1] = routes[i].host;
		cells[2] = arena_printf(export->arena, "%u", routes[i].port);
		cells[3] =
		    arena_printf(export->arena, "%u", routes[i].priority);
		cells[4] = routes[i].lookup_mx ? "yes" : "";
		if (write_row(export, 5, cells, err) < 0)
			return -1;
	}
	return 0;
}

/* ---- the table ---- */

static int (*const exporters[TABLE_COUNT])(struct export *export,
    const char *domain, struct err *err) = {
	[TABLE_LISTS] = export_domain_rows,
	[TABLE_RECIPIENTS] = export_recipients,
	[TABLE_ALIASES] = export_aliases,
	[TABLE_ROUTES] = export_routes,
	[TABLE_DOMAINS] = export_domain,
};

static bool
in_scope(const struct export *export, const char *domain)
{
	return export->scope->domain == NULL ||
	    strcmp(export->scope->domain, domain) == 0;
}

/* Options of what will be written: they are columns. */
static void
find_options(struct export *export)
{
	const struct settings *settings = export->settings;
	bool recipients = export->form == &table_forms[TABLE_RECIPIENTS];
	json_t *names, *name, *shown;
	size_t i, k;

	for (i = 0; i < settings_domain_count(settings); i++) {
		const char *domain = settings_domain_at(settings, i);

		if (!in_scope(export, domain))
			continue;
		names = recipients ? show_mailboxes(settings, domain)
				   : json_pack("[s]", domain);
		json_array_foreach(names, k, name)
		{
			shown = show_options(settings,
			    (struct edit_target){ domain,
				recipients ? json_string_value(name) : NULL });
			note_options(export, json_object_get(shown, "options"));
			json_decref(shown);
		}
		json_decref(names);
	}
}

static int
write_head(struct export *export, struct err *err)
{
	const char *cells[TABLE_COLUMNS_MAX];
	size_t n = 0, i;

	for (; export->form->columns[n] != NULL; n++)
		cells[n] = export->form->columns[n];
	if (export->form->with_options) {
		find_options(export);
		for (i = 0; i < policy_option_count; i++)
			if (export->has_option[i])
				cells[n++] = policy_options[i].name;
	}
	return write_row(export, n, cells, err);
}

static int
write_domains(struct export *export, struct err *err)
{
	const struct settings *settings = export->settings;
	enum table table = (enum table)(export->form - table_forms);
	const char *domain;
	size_t i;
	int rc = 0;

	for (i = 0; i < settings_domain_count(settings) && rc == 0; i++) {
		domain = settings_domain_at(settings, i);
		if (!in_scope(export, domain))
			continue;
		export->arena = arena_new(0);
		rc = exporters[table](export, domain, err);
		arena_free(export->arena);
	}
	return rc;
}

/* Rows of the system, or of one mailbox alone. */
static int
write_level_rows(struct export *export, struct err *err)
{
	const struct import_scope *scope = export->scope;
	int rc;

	export->arena = arena_new(0);
	rc = export_rows(export,
	    (struct edit_target){ scope->domain, scope->mailbox }, err);
	arena_free(export->arena);
	return rc;
}

int
edit_export(struct store *store, const struct settings *settings,
    enum table table, const struct import_scope *scope, struct buf *out,
    struct err *err)
{
	struct export export = {
		.store = store,
		.settings = settings,
		.form = &table_forms[table],
		.scope = scope,
		.out = out,
	};

	if (write_head(&export, err) < 0)
		return -1;
	if (table == TABLE_LISTS && scope->mailbox != NULL)
		return write_level_rows(&export, err);
	if (table == TABLE_LISTS && scope->domain == NULL &&
	    write_level_rows(&export, err) < 0)
		return -1;
	return write_domains(&export, err);
}
