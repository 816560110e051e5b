/*
 * route.c - sekimori route: to which servers the mail of a domain goes.
 *
 * On the command line a server is [HOST]:PORT for the host itself, as
 * Postfix writes it, or HOST:PORT for the servers that its MX records name;
 * @N behind it is its priority.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"

#include "cli/commands.h"
#include "cli/request.h"
#include "cli/route.h"
#include "cli/show.h"
#include "cli/table_file.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define OPERANDS_MAX 100
#define PORT_DEFAULT 25
#define PRIORITY_STEP 10
#define PRIORITY_MAX 65535

/* ---- servers as text ---- */

static json_t *
server(struct bytes host, uint64_t port, uint64_t priority, bool lookup_mx)
{
	return json_pack("{s:o, s:I, s:I, s:b}", "host",
	    json_stringn(host.data, host.len), "port", (json_int_t)port,
	    "priority", (json_int_t)priority, "lookup_mx", lookup_mx);
}

/* NULL when text is no server. */
static json_t *
parse_server(const char *text, uint64_t priority)
{
	struct cursor c = cursor_of(bytes_of(text));
	bool lookup_mx = !cursor_char(&c, '[');
	struct bytes host = cursor_until(&c, lookup_mx ? ":@[] " : "]");
	uint64_t port = PORT_DEFAULT;

	if (host.len == 0 || (!lookup_mx && !cursor_char(&c, ']')))
		return NULL;
	if (cursor_char(&c, ':') &&
	    (!cursor_u64(&c, 65535, &port) || port == 0))
		return NULL;
	if (cursor_char(&c, '@') && !cursor_u64(&c, PRIORITY_MAX, &priority))
		return NULL;
	return cursor_at_end(&c) ? server(host, port, priority, lookup_mx)
				 : NULL;
}

const char *
route_server_text(struct cli *cli, const json_t *route)
{
	const char *host = json_string_value(json_object_get(route, "host"));
	bool mx = json_is_true(json_object_get(route, "lookup_mx"));
	int port = (int)json_integer_value(json_object_get(route, "port"));

	return arena_printf(cli->arena, mx ? "%s:%d" : "[%s]:%d",
	    host != NULL ? host : "", port);
}

/* Operands from the first on; those without a priority come in order, from
 * the one given.  NULL with the misuse reported. */
static json_t *
parse_servers(struct cli *cli, const struct cli_args *args, size_t first,
    uint64_t priority)
{
	json_t *routes = json_array(), *route;
	size_t i;

	for (i = first; i < args->operand_count; i++) {
		route = parse_server(args->operands[i], priority);
		if (route == NULL) {
			cli_misuse(cli, args->command,
			    "'%s' is no server: give [192.0.2.10]:25, "
			    "[mail.example.net], or example.net for its MX",
			    args->operands[i]);
			json_decref(routes);
			return NULL;
		}
		json_array_append_new(routes, route);
		priority += PRIORITY_STEP;
	}
	return routes;
}

/* ---- showing ---- */

/* One row for each server of each domain. */
static json_t *
flatten(struct cli *cli, const json_t *model)
{
	json_t *all = json_object_get(model, "routes"), *rows = json_array();
	const json_t *domain, *route;
	size_t i, k;

	json_array_foreach(all, i, domain)
	    json_array_foreach(json_object_get(domain, "routes"), k, route)
	{
		json_t *row = json_copy((json_t *)(uintptr_t)route);

		json_object_set(row, "domain",
		    json_object_get(domain, "domain"));
		json_object_set_new(row, "server",
		    json_string(route_server_text(cli, route)));
		json_array_append_new(rows, row);
	}
	return rows;
}

/* The answer of one domain in the form of the answer of all. */
static json_t *
as_all(const json_t *model)
{
	return json_pack("{s:[O]}", "routes", model);
}

static void
show_all(struct cli *cli, json_t *model)
{
	static const struct show_column columns[] = {
		{ "DOMAIN", "domain", SHOW_DOMAIN, false },
		{ "PRIORITY", "priority", SHOW_NUMBER, false },
		{ "SERVER", "server", SHOW_TEXT, false },
	};
	json_t *rows = flatten(cli, model);

	show_table(cli, rows, COUNT(columns), columns, "There are no routes.");
	json_decref(rows);
}

static void
show_one(struct cli *cli, json_t *model)
{
	json_t *all = as_all(model);

	show_all(cli, all);
	json_decref(all);
}

static int
print(struct cli *cli, json_t *model, void (*show)(struct cli *, json_t *),
    const struct err *err)
{
	if (model == NULL)
		return cli_fail(cli, err);
	if (cli->json)
		cli_print_json(json_incref(model));
	else
		show(cli, model);
	json_decref(model);
	return EXIT_DONE;
}

/* ---- commands ---- */

static const char *
path_of(struct cli *cli, const char *domain)
{
	return request_path(cli, "/routes/:domain", domain);
}

static int
route_show(struct cli *cli, const struct cli_args *args)
{
	bool all = args->operand_count == 0;
	struct cli_session session;
	struct err err;
	json_t *model;

	if (session_open(cli, &session, &err) < 0)
		return cli_fail(cli, &err);
	model = session_get(&session,
	    all ? "/routes" : path_of(cli, args->operands[0]), json_object(),
	    &err);
	session_close(&session);
	return print(cli, model, all ? show_all : show_one, &err);
}

static json_t *
post_routes(struct cli_session *session, const char *domain,
    json_t *take_routes, struct err *err)
{
	return session_post(session, path_of(session->cli, domain),
	    json_pack("{s:o}", "routes", take_routes), err);
}

static int
route_set(struct cli *cli, const struct cli_args *args)
{
	json_t *routes = parse_servers(cli, args, 1, PRIORITY_STEP), *model;
	struct cli_session session;
	struct err err;

	if (routes == NULL)
		return EXIT_WRONG_USE;
	if (session_open(cli, &session, &err) < 0) {
		json_decref(routes);
		return cli_fail(cli, &err);
	}
	model = post_routes(&session, args->operands[0], routes, &err);
	session_close(&session);
	return print(cli, model, show_one, &err);
}

static bool
same_server(const json_t *a, const json_t *b)
{
	static const char *const fields[] = { "host", "port", "lookup_mx" };
	size_t i;

	for (i = 0; i < COUNT(fields); i++)
		if (!json_equal(json_object_get(a, fields[i]),
			json_object_get(b, fields[i])))
			return false;
	return true;
}

static bool
has_server(const json_t *routes, const json_t *route)
{
	const json_t *other;
	size_t i;

	json_array_foreach(routes, i,
	    other) if (same_server(other, route)) return true;
	return false;
}

static uint64_t
last_priority(const json_t *routes)
{
	const json_t *route;
	json_int_t last = 0, priority;
	size_t i;

	json_array_foreach(routes, i, route)
	{
		priority =
		    json_integer_value(json_object_get(route, "priority"));
		if (priority > last)
			last = priority;
	}
	return (uint64_t)last;
}

/* What is there, changed and given back. */
static int
route_change(struct cli *cli, const struct cli_args *args,
    json_t *(*change)(struct cli *, const struct cli_args *, const json_t *))
{
	struct cli_session session;
	json_t *model, *routes;
	struct err err;

	if (session_open(cli, &session, &err) < 0)
		return cli_fail(cli, &err);
	model = session_get(&session, path_of(cli, args->operands[0]),
	    json_object(), &err);
	if (model != NULL) {
		routes = change(cli, args, json_object_get(model, "routes"));
		json_decref(model);
		if (routes == NULL) {
			session_close(&session);
			return EXIT_WRONG_USE;
		}
		model = post_routes(&session, args->operands[0], routes, &err);
	}
	session_close(&session);
	return print(cli, model, show_one, &err);
}

static json_t *
with_more(struct cli *cli, const struct cli_args *args, const json_t *routes)
{
	json_t *more =
	    parse_servers(cli, args, 1, last_priority(routes) + PRIORITY_STEP);
	json_t *all;

	if (more == NULL)
		return NULL;
	all = json_copy((json_t *)(uintptr_t)routes);
	json_array_extend(all, more);
	json_decref(more);
	return all;
}

static json_t *
with_less(struct cli *cli, const struct cli_args *args, const json_t *routes)
{
	json_t *less = parse_servers(cli, args, 1, 0), *rest;
	const json_t *route;
	size_t i;

	if (less == NULL)
		return NULL;
	rest = json_array();
	/* Without servers: all of them. */
	json_array_foreach(routes, i,
	    route) if (args->operand_count > 1 && !has_server(less, route))
	    json_array_append(rest, (json_t *)(uintptr_t)route);
	json_decref(less);
	return rest;
}

static int
route_add(struct cli *cli, const struct cli_args *args)
{
	return route_change(cli, args, with_more);
}

static int
route_remove(struct cli *cli, const struct cli_args *args)
{
	return route_change(cli, args, with_less);
}

static const struct cli_request import_request = { METHOD_POST,
	"/routes/import",
	{ { "domain", FIELD_OPTION, 0, NULL }, TABLE_IMPORT_FIELDS }, NULL };
static const struct cli_request export_request = { METHOD_GET, "/routes/export",
	{ { "domain", FIELD_OPTION, 0, NULL }, TABLE_EXPORT_FIELDS }, NULL };

static const struct cli_command commands[] = {
	{ .group = "route",
	    .name = "show",
	    .operands = "[DOMAIN]",
	    .most = 1,
	    .help = "Shows to which servers the mail of a domain goes, or of "
		    "all domains.",
	    .run = route_show },
	{ .group = "route",
	    .name = "add",
	    .operands = "DOMAIN SERVER...",
	    .least = 2,
	    .most = OPERANDS_MAX,
	    .help = "Adds servers behind those that are there.",
	    .run = route_add },
	{ .group = "route",
	    .name = "set",
	    .operands = "DOMAIN SERVER...",
	    .least = 2,
	    .most = OPERANDS_MAX,
	    .help = "Sets the servers of a domain, the first one first.  A "
		    "server is [HOST]:PORT, or HOST:PORT for what its MX "
		    "records name; the port is 25 when none is given, and @N "
		    "behind it is its priority.",
	    .run = route_set },
	{ .group = "route",
	    .name = "remove",
	    .operands = "DOMAIN [SERVER...]",
	    .least = 1,
	    .most = OPERANDS_MAX,
	    .help = "Takes servers away; without any named, all.",
	    .run = route_remove },
	{ .group = "route",
	    .name = "export",
	    .operands = "",
	    .help = "Writes all routes as CSV, a row for each server.",
	    .options = { { "domain", "DOMAIN", "Of this domain.", false },
		TABLE_EXPORT_OPTIONS },
	    .run = table_file_export,
	    .context = &export_request },
	{ .group = "route",
	    .name = "import",
	    .operands = "FILE",
	    .least = 1,
	    .most = 1,
	    .help = "Reads CSV as export writes it, all of it or nothing; the "
		    "rows of a domain replace its servers.",
	    .options = { { "domain", "DOMAIN", "All of this domain.", false },
		TABLE_IMPORT_OPTIONS },
	    .run = table_file_import,
	    .context = &import_request },
};

const struct cli_group group_route = {
	.name = "route",
	.help = "to which servers mail goes",
	.commands = commands,
	.count = COUNT(commands),
};
