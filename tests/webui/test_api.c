/*
 * test_api.c - tests of the API: paths, roles and scopes, models, with a
 * real Redis.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/crypto.h"
#include "base/log.h"
#include "base/str.h"
#include "policy/settings_edit.h"
#include "quarantine/history.h"
#include "tests/quarantine/hold_fixture.h"
#include "webui/api.h"
#include "webui/users.h"

struct lab {
	struct redis_server redis;
	struct conf *conf;
	struct api *api;
	struct arena *arena;
	unsigned seed;
	int64_t held_ms;          /* when the last mail was held */
	struct response response; /* of the last request */
};

static int
setup(void **state)
{
	struct lab *lab = xcalloc(1, sizeof(*lab));
	struct err err;

	redis_server_start(&lab->redis, false, NULL);
	lab->conf = conf_new();
	lab->conf->redis_timeout_ms = PATIENCE_MS;
	free(lab->conf->redis);
	lab->conf->redis = xstrdup(lab->redis.url);
	free(lab->conf->state_dir);
	lab->conf->state_dir = xstrdup(lab->redis.dir);
	free(lab->conf->recipient_delimiter);
	lab->conf->recipient_delimiter = xstrdup("+");
	/* Nothing is to be delivered from here: nobody listens. */
	free(lab->conf->release_listener);
	lab->conf->release_listener = xprintf("127.0.0.1:%u", free_port());
	lab->conf->durability_required = false;
	lab->api = api_open(lab->conf, &err);
	if (lab->api == NULL)
		fail_msg("%s", err.text);
	lab->arena = arena_new(0);
	*state = lab;
	return 0;
}

static void
forget_response(struct lab *lab)
{
	json_decref(lab->response.model);
	free(lab->response.content);
	memset(&lab->response, 0, sizeof(lab->response));
}

static int
teardown(void **state)
{
	struct lab *lab = *state;

	forget_response(lab);
	api_close(lab->api);
	conf_free(lab->conf);
	arena_free(lab->arena);
	redis_server_stop(&lab->redis);
	free(lab);
	return 0;
}

/* ---- requests ---- */

static const struct principal operator_principal = { .role = ROLE_OPERATOR,
	.actor = "cli:test" };

static json_t *
quoted(const char *text)
{
	json_error_t why;
	json_t *json;
	char *copy, *p;

	copy = xstrdup(text);
	for (p = copy; *p != '\0'; p++)
		if (*p == '\'')
			*p = '"';
	json = json_loads(copy, 0, &why);
	if (json == NULL)
		fail_msg("%s: %s", text, why.text);
	free(copy);
	return json;
}

/* The status; the response stays in the lab until the next request. */
static int
request_as(struct lab *lab, const struct principal *principal,
    enum method method, const char *path, const char *parameters)
{
	json_t *given = quoted(parameters), *none = json_object();

	forget_response(lab);
	api_dispatch(lab->api, lab->arena, principal, method, path,
	    method == METHOD_GET ? given : none,
	    method == METHOD_GET ? none : given, &lab->response);
	json_decref(given);
	json_decref(none);
	return lab->response.status;
}

static const char *
dump(const struct lab *lab)
{
	char *text = json_dumps(lab->response.model, JSON_SORT_KEYS);
	const char *copy = arena_strdup(lab->arena, text != NULL ? text : "-");

	free(text);
	return copy;
}

static void
want(struct lab *lab, int status, enum method method, const char *path,
    const char *parameters)
{
	int got =
	    request_as(lab, &operator_principal, method, path, parameters);

	if (got != status)
		case_fail(path, "%s: status %d: %s", parameters, got,
		    dump(lab));
}

/* "a.b.0.c" of the model. */
static json_t *
at(const struct lab *lab, const char *path)
{
	char *copy = xstrdup(path), *rest = copy, *word;
	json_t *json = lab->response.model;

	while (json != NULL && (word = strsep(&rest, ".")) != NULL)
		json = json_is_array(json)
		    ? json_array_get(json, (size_t)strtoul(word, NULL, 10))
		    : json_object_get(json, word);
	free(copy);
	return json;
}

static void
want_text(const struct lab *lab, const char *path, const char *text)
{
	const char *got = json_string_value(at(lab, path));

	if (got == NULL || strcmp(got, text) != 0)
		case_fail(path, "not '%s': %s", text, dump(lab));
}

/* A part of the text. */
static void
want_part(const struct lab *lab, const char *path, const char *part)
{
	const char *got = json_string_value(at(lab, path));

	if (got == NULL || strstr(got, part) == NULL)
		case_fail(path, "has no '%s': %s", part, dump(lab));
}

static void
want_number(const struct lab *lab, const char *path, json_int_t number)
{
	if (!json_is_integer(at(lab, path)) ||
	    json_integer_value(at(lab, path)) != number)
		case_fail(path, "not %d: %s", (int)number, dump(lab));
}

static void
want_count(const struct lab *lab, const char *path, size_t count)
{
	if (json_array_size(at(lab, path)) != count)
		case_fail(path, "not %zu: %s", count, dump(lab));
}

/* ---- what there is ---- */

static void
add_domains(struct lab *lab)
{
	want(lab, 200, METHOD_POST, "/domains",
	    "{'domain': 'a.example', 'replace': true}");
	want(lab, 200, METHOD_POST, "/domains",
	    "{'domain': 'b.example', 'replace': true}");
}

/* Holds a mail for a mailbox; the id, in the arena. */
static const char *
hold(struct lab *lab, const char *mailbox, bool hidden)
{
	const char *mailboxes[] = { mailbox, NULL };
	enum quarantine_full full;
	struct mail mail;
	struct err err;
	const char *id;

	/* Lists are in order of time: never two in one millisecond. */
	while (clock_wall_ms() <= lab->held_ms)
		usleep(1000);
	lab->held_ms = clock_wall_ms();
	mail_make(&mail, ++lab->seed, 100, mailboxes);
	mail.entries[0].hidden = hidden;
	if (quarantine_put(lab->api->quarantine, &mail.hold, mail.n,
		mail.entries, &full, &err) < 0)
		fail_msg("%s", err.text);
	id = arena_strdup(lab->arena, mail.entries[0].id);
	mail_free(&mail);
	return id;
}

/* ---- paths ---- */

static void
test_paths(void **state)
{
	static const struct {
		const char *path;
		enum method method;
		int status;
	} cases[] = {
		{ "/domains", METHOD_GET, 200 },
		{ "/domains/", METHOD_GET, 200 },
		{ "//domains", METHOD_GET, 200 },
		{ "/", METHOD_GET, 404 },
		{ "", METHOD_GET, 404 },
		{ "/nothing", METHOD_GET, 404 },
		{ "/domains/a.example", METHOD_GET, 200 },
		{ "/domains/A%2Eexample", METHOD_GET, 200 },
		{ "/domains/%61.example.", METHOD_GET, 200 },
		{ "/domains/b%c3%bccher.example", METHOD_GET, 404 },
		{ "/domains/a.example/more", METHOD_GET, 404 },
		{ "/domains/a.example%00x", METHOD_GET, 404 },
		{ "/domains/a.example%2", METHOD_GET, 404 },
		{ "/domains/a.example%zz", METHOD_GET, 404 },
		{ "/domains/%ff", METHOD_GET, 404 },
		{ "/domains/a%2fb", METHOD_GET, 400 },
		{ "/domains/a b", METHOD_GET, 400 },
		{ "/system", METHOD_POST, 400 },
		{ "/resolve", METHOD_POST, 405 },
		{ "/domains/a.example/remove", METHOD_GET, 405 },
	};
	struct lab *lab = *state;
	size_t i;
	int status;

	add_domains(lab);
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		status = request_as(lab, &operator_principal, cases[i].method,
		    cases[i].path, "{}");
		if (status != cases[i].status)
			case_fail(cases[i].path, "status %d", status);
		if (status >= 400 &&
		    (at(lab, "error.kind") == NULL ||
			at(lab, "error.text") == NULL ||
			at(lab, "error.field") == NULL))
			case_fail(cases[i].path, "no error: %s", dump(lab));
	}
}

static void
test_long_path(void **state)
{
	struct lab *lab = *state;
	char path[3000] = "/domains/";

	memset(path + 9, 'a', sizeof(path) - 10);
	assert_int_equal(request_as(lab, &operator_principal, METHOD_GET, path,
			     "{}"),
	    404);
}

/* ---- every route, every role, the own and a stranger's ---- */

static const char *const two_domains[] = { "a.example", "b.example" };
static const char *const own_domains[] = { "a.example" };

static const struct principal principals[ROLE_COUNT] = {
	[ROLE_NONE] = { .role = ROLE_NONE, .actor = "nobody" },
	[ROLE_MAIL_USER] = { .role = ROLE_MAIL_USER,
	    .actor = "user:jo",
	    .mailbox = "jo@a.example" },
	[ROLE_RELEASER] = { .role = ROLE_RELEASER,
	    .actor = "user:rel",
	    .domains = own_domains,
	    .domain_count = 1 },
	[ROLE_DOMAIN_ADMIN] = { .role = ROLE_DOMAIN_ADMIN,
	    .actor = "user:adm",
	    .domains = own_domains,
	    .domain_count = 1 },
	[ROLE_POSTMASTER] = { .role = ROLE_POSTMASTER, .actor = "user:pm" },
	[ROLE_OPERATOR] = { .role = ROLE_OPERATOR, .actor = "user:op" },
};

/* One who may be managed by who has the domain. */
static void
add_releaser(struct lab *lab, const char *domain)
{
	struct edit edit = { .store = lab->api->store, .actor = "cli:test" };
	const char *const domains[] = { domain };
	struct account account = {
		.name = arena_printf(lab->arena, "releaser@%s", domain),
		.role = ROLE_RELEASER,
		.domains = domains,
		.domain_count = 1,
		.password = "none",
	};
	struct err err;

	if (users_put(&edit, &account, NULL, NULL, &err) < 0 &&
	    edit.problem != EDIT_EXISTS)
		fail_msg("%s", err.text);
	settings_unref(edit.settings);
}

/* The path with what its scope is about in it. */
static const char *
fill_path(struct lab *lab, const struct route *route, const char *domain,
    const char *id)
{
	const char *colon = strchr(route->path, ':');
	const char *value;

	if (colon == NULL)
		return route->path;
	if (strncmp(colon, ":id", 3) == 0)
		value = id;
	else if (strncmp(colon, ":name", 5) == 0)
		value = arena_printf(lab->arena, "releaser@%s", domain);
	else
		value = domain;
	if (strstr(colon, "/:number") != NULL)
		return arena_printf(lab->arena, "/quarantine/%s/parts/1", id);
	return arena_printf(lab->arena, "%.*s%s%s", (int)(colon - route->path),
	    route->path, value, colon + strcspn(colon, "/"));
}

static const char *
fill_parameters(struct lab *lab, const struct route *route, const char *mailbox,
    bool with_mailbox)
{
	const char *domain = strchr(mailbox, '@') + 1;

	switch (route->scope) {
	case SCOPE_DOMAIN:
		return arena_printf(lab->arena, "{'domain': '%s'}", domain);
	case SCOPE_TARGET:
	case SCOPE_HOLDER:
		return with_mailbox
		    ? arena_printf(lab->arena, "{'mailbox': '%s'}", mailbox)
		    : arena_printf(lab->arena, "{'domain': '%s'}", domain);
	case SCOPE_ADDRESS:
		return arena_printf(lab->arena, "{'address': '%s'}", mailbox);
	case SCOPE_SOURCE:
		return arena_printf(lab->arena, "{'source': '%s'}", mailbox);
	case SCOPE_ROLE:
	case SCOPE_HELD:
	case SCOPE_SELF:
	case SCOPE_USER:
		break;
	}
	return "{}";
}

static int
walk_one(struct lab *lab, const struct route *route, enum role role,
    const char *mailbox, const char *id, bool with_mailbox)
{
	return request_as(lab, &principals[role], route->method,
	    fill_path(lab, route, strchr(mailbox, '@') + 1, id),
	    fill_parameters(lab, route, mailbox, with_mailbox));
}

static bool
sees_all(enum role role)
{
	return role == ROLE_OPERATOR || role == ROLE_POSTMASTER;
}

static void
check_own(struct lab *lab, const struct route *route, enum role role,
    const char *label)
{
	const char *id =
	    route->scope == SCOPE_HELD ? hold(lab, "jo@a.example", false) : "";
	int status = walk_one(lab, route, role, "jo@a.example", id,
	    role == ROLE_MAIL_USER);

	if (!(route->roles & ROLE_BIT(role))) {
		if (status != (role == ROLE_NONE ? 401 : 403))
			case_fail(label, "own, not for the role: %d", status);
	} else if (role == ROLE_NONE ? status == 403
				     : status == 401 || status == 403 ||
		    status == 404 || status == 405) {
		case_fail(label, "own: %d %s", status, dump(lab));
	}
}

static void
check_foreign(struct lab *lab, const struct route *route, enum role role,
    const char *label)
{
	static const char *const strangers[] = { "jo@b.example",
		"ann@a.example" };
	const char *id;
	size_t i;
	int status;

	/* A mailbox beside the own one is foreign to a mail user only. */
	for (i = 0; i < (role == ROLE_MAIL_USER ? 2 : 1); i++) {
		id = route->scope == SCOPE_HELD ? hold(lab, strangers[i], false)
						: "";
		status = walk_one(lab, route, role, strangers[i], id,
		    role == ROLE_MAIL_USER);
		if (sees_all(role)) {
			if (status == 403)
				case_fail(label, "for all, yet %d", status);
		} else if (status !=
		    (route->scope == SCOPE_HELD || route->scope == SCOPE_USER
			    ? 404
			    : 403)) {
			case_fail(label, "a stranger's: %d %s", status,
			    dump(lab));
		}
	}
}

static void
test_role_walk(void **state)
{
	struct lab *lab = *state;
	size_t i;
	char label[100];
	int role;

	for (i = 0; i < api_route_count; i++)
		for (role = 0; role < ROLE_COUNT; role++) {
			snprintf(label, sizeof(label), "%s %s as %s",
			    api_routes[i].method == METHOD_GET ? "GET" : "POST",
			    api_routes[i].path, role_name((enum role)role));
			add_domains(lab);
			add_releaser(lab, "a.example");
			add_releaser(lab, "b.example");
			check_own(lab, &api_routes[i], (enum role)role, label);
			if (!(api_routes[i].roles & ROLE_BIT(role)) ||
			    api_routes[i].scope == SCOPE_ROLE ||
			    api_routes[i].scope == SCOPE_SELF)
				continue;
			add_domains(lab);
			check_foreign(lab, &api_routes[i], (enum role)role,
			    label);
		}
}

/* What needs no parameter must not show a stranger's either. */
static void
test_implied_scope(void **state)
{
	static const struct principal two = { .role = ROLE_DOMAIN_ADMIN,
		.actor = "user:two",
		.domains = two_domains,
		.domain_count = 2 };
	static const struct principal nothing = { .role = ROLE_DOMAIN_ADMIN,
		.actor = "user:none" };
	const struct principal *admin = &principals[ROLE_DOMAIN_ADMIN];
	const struct principal *user = &principals[ROLE_MAIL_USER];
	struct lab *lab = *state;

	add_domains(lab);
	want(lab, 200, METHOD_POST, "/lists",
	    "{'side': 'sender', 'kind': 'block', 'pattern': '@sys.example'}");
	/* A domain admin with one domain means that one. */
	assert_int_equal(request_as(lab, admin, METHOD_POST, "/lists",
			     "{'side': 'sender', 'kind': 'block',"
			     " 'pattern': '@x.example'}"),
	    200);
	want_text(lab, "level", "domain");
	want_text(lab, "domain", "a.example");
	assert_int_equal(request_as(lab, admin, METHOD_GET, "/lists", "{}"),
	    200);
	want_count(lab, "rows", 1);
	/* A mail user means the own mailbox. */
	assert_int_equal(request_as(lab, user, METHOD_POST, "/lists",
			     "{'side': 'sender', 'kind': 'block',"
			     " 'pattern': '@y.example'}"),
	    200);
	want_text(lab, "mailbox", "jo@a.example");
	assert_int_equal(request_as(lab, user, METHOD_GET, "/quarantine", "{}"),
	    200);
	want_text(lab, "mailbox", "jo@a.example");
	/* With two it must be said; with none there is nothing. */
	assert_int_equal(request_as(lab, &two, METHOD_GET, "/lists", "{}"),
	    400);
	assert_int_equal(request_as(lab, &nothing, METHOD_GET, "/lists", "{}"),
	    400);
	assert_int_equal(request_as(lab, admin, METHOD_GET, "/domains", "{}"),
	    200);
	want_count(lab, "domains", 1);
	assert_int_equal(request_as(lab, &nothing, METHOD_GET, "/domains",
			     "{}"),
	    200);
	want_count(lab, "domains", 0);
	assert_int_equal(request_as(lab, admin, METHOD_GET, "/routes", "{}"),
	    200);
	want_count(lab, "routes", 1);
	assert_int_equal(request_as(lab, admin, METHOD_GET, "/audit", "{}"),
	    200);
	want_count(lab, "entries", 3); /* domain, row, mailbox row */
	assert_int_equal(request_as(lab, admin, METHOD_GET, "/lists",
			     "{'domain': 'a.example',"
			     " 'mailbox': 'jo@b.example'}"),
	    403);
	assert_int_equal(request_as(lab, &two, METHOD_GET, "/lists",
			     "{'domain': 'a.example',"
			     " 'mailbox': 'jo@b.example'}"),
	    400);
}

static void
test_hidden(void **state)
{
	struct lab *lab = *state;
	static const enum role blind[] = { ROLE_MAIL_USER, ROLE_RELEASER };
	const char *id, *path, *release;
	size_t i;

	add_domains(lab);
	id = hold(lab, "jo@a.example", true);
	path = arena_printf(lab->arena, "/quarantine/%s", id);
	release = arena_printf(lab->arena, "/quarantine/%s/release", id);
	for (i = 0; i < ARRAY_LEN(blind); i++) {
		assert_int_equal(request_as(lab, &principals[blind[i]],
				     METHOD_GET, path, "{}"),
		    404);
		assert_int_equal(request_as(lab, &principals[blind[i]],
				     METHOD_POST, release, "{}"),
		    404);
		assert_int_equal(request_as(lab, &principals[blind[i]],
				     METHOD_GET, "/quarantine",
				     "{'hidden': 'yes'}"),
		    200);
		want_count(lab, "entries", 0);
	}
	assert_int_equal(request_as(lab, &principals[ROLE_DOMAIN_ADMIN],
			     METHOD_GET, path, "{}"),
	    200);
	assert_int_equal(request_as(lab, &principals[ROLE_DOMAIN_ADMIN],
			     METHOD_GET, "/quarantine", "{'hidden': true}"),
	    200);
	want_count(lab, "entries", 1);
}

/* ---- models ---- */

static void
test_domains(void **state)
{
	struct lab *lab = *state;

	want(lab, 200, METHOD_POST, "/domains",
	    "{'domain': 'Bücher.example', 'options': {'spam_points': 4}}");
	want_text(lab, "domain", "xn--bcher-kva.example");
	want_text(lab, "display", "bücher.example");
	want_text(lab, "options.spam_points", "4");
	want_text(lab, "effective.unsure_points", "3");
	want_text(lab, "levels.spam_points", "domain");
	want_text(lab, "levels.unsure_points", "default");
	want_number(lab, "generation", 1);
	want(lab, 200, METHOD_POST, "/domains/bücher.example",
	    "{'options': {'spam_points': null, 'filter': 'no'}}");
	want_text(lab, "effective.spam_points", "5");
	want(lab, 400, METHOD_POST, "/domains/xn--bcher-kva.example",
	    "{'options': {'spam_point': '1'}}");
	want_text(lab, "error.kind", "input");
	want_text(lab, "error.field", "options");
	want_part(lab, "error.text", "did you mean spam_points");
	want(lab, 409, METHOD_POST, "/domains",
	    "{'domain': 'bücher.example', 'options': {'spam_points': '7'}}");
	want_text(lab, "error.kind", "conflict");
	want(lab, 404, METHOD_GET, "/domains/no.example", "{}");
	want_text(lab, "error.kind", "not-found");
	want(lab, 404, METHOD_POST, "/domains/no.example",
	    "{'options': {'filter': 'no'}}");
	want(lab, 400, METHOD_POST, "/domains", "{}");
	want_text(lab, "error.field", "domain");
	want(lab, 200, METHOD_GET, "/domains", "{}");
	want_text(lab, "domains.0.options.filter", "no");
	want(lab, 200, METHOD_POST, "/domains/bücher.example/remove", "{}");
	assert_true(json_is_true(at(lab, "changed")));
	want(lab, 200, METHOD_POST, "/domains/bücher.example/remove", "{}");
	assert_true(json_is_false(at(lab, "changed")));
	want(lab, 200, METHOD_POST, "/system",
	    "{'options': {'spam_points': '6'}}");
	want_text(lab, "levels.spam_points", "system");
	want(lab, 200, METHOD_GET, "/options", "{}");
	want_text(lab, "options.0.name", "filter");
	want_text(lab, "options.0.range", "yes or no");
}

static void
test_directory(void **state)
{
	static const char *const others[] = { "b.example" };
	static const struct principal admin = { .role = ROLE_DOMAIN_ADMIN,
		.actor = "user:b",
		.domains = others,
		.domain_count = 1 };
	struct lab *lab = *state;

	add_domains(lab);
	want(lab, 200, METHOD_POST, "/routes/a.example",
	    "{'routes': [{'host': 'mx2.a.example', 'priority': '20'},"
	    " {'host': '192.0.2.1', 'port': 2525}]}");
	want_text(lab, "routes.0.host", "192.0.2.1");
	want_number(lab, "routes.0.port", 2525);
	want_number(lab, "routes.1.priority", 20);
	want(lab, 400, METHOD_POST, "/routes/a.example",
	    "{'routes': [{'host': ''}]}");
	want_text(lab, "error.field", "host");
	want(lab, 400, METHOD_POST, "/routes/a.example", "{}");

	want(lab, 200, METHOD_POST, "/recipients",
	    "{'address': 'Jo@A.example', 'options': {'locked': true},"
	    " 'comment': '総務'}");
	want_text(lab, "address", "jo@a.example");
	want_text(lab, "options.locked", "yes");
	want(lab, 200, METHOD_POST, "/recipients/set",
	    "{'address': 'jo@a.example', 'options': {'locked': null}}");
	want_text(lab, "effective.locked", "no");
	want(lab, 200, METHOD_POST, "/recipients",
	    "{'address': 'ann@a.example'}");
	want(lab, 200, METHOD_GET, "/recipients",
	    "{'domain': 'a.example', 'limit': '1'}");
	want_text(lab, "recipients.0.address", "ann@a.example");
	want_text(lab, "next", "ann");
	want(lab, 200, METHOD_GET, "/recipients",
	    "{'domain': 'a.example', 'after': 'ann'}");
	want_text(lab, "recipients.0.comment", "総務");
	want_text(lab, "recipients.0.added_by", "cli:test");
	assert_true(json_is_null(at(lab, "next")));

	want(lab, 200, METHOD_POST, "/aliases",
	    "{'source': 'info@a.example',"
	    " 'targets': 'jo@a.example, x@else.example'}");
	want(lab, 200, METHOD_POST, "/aliases",
	    "{'source': '@b.example', 'targets': ['@a.example']}");
	want_text(lab, "source", "@b.example");
	want(lab, 409, METHOD_POST, "/domains/a.example/remove", "{}");
	want_part(lab, "error.text", "@b.example");
	want(lab, 200, METHOD_GET, "/aliases", "{'domain': 'a.example'}");
	want_text(lab, "aliases.0.source", "info@a.example");
	want_text(lab, "aliases.0.targets.1", "x@else.example");
	want(lab, 200, METHOD_GET, "/aliases", "{'domain': 'b.example'}");
	want_text(lab, "aliases.0.source", "@b.example");
	want_text(lab, "aliases.0.targets.0", "@a.example");
	want(lab, 200, METHOD_GET, "/resolve",
	    "{'address': 'info+x@b.example'}");
	want_text(lab, "answer", "found");
	want_text(lab, "mailboxes.0.mailbox", "jo@a.example");
	want_text(lab, "mailboxes.0.routes.0.host", "192.0.2.1");
	assert_true(json_is_false(at(lab, "mailboxes.1.ours")));
	/* Servers are shown to those whose they are. */
	assert_int_equal(request_as(lab, &admin, METHOD_GET, "/resolve",
			     "{'address': 'info@b.example'}"),
	    200);
	want_text(lab, "mailboxes.0.mailbox", "jo@a.example");
	assert_int_equal(json_array_size(at(lab, "mailboxes.0.routes")), 0);
	want(lab, 200, METHOD_GET, "/resolve", "{'address': 'x@no.example'}");
	want_text(lab, "answer", "not-ours");
	want(lab, 200, METHOD_POST, "/recipients/remove",
	    "{'address': 'ann@a.example'}");
	assert_true(json_is_true(at(lab, "changed")));
	want(lab, 404, METHOD_GET, "/recipients", "{'domain': 'no.example'}");
	want(lab, 404, METHOD_GET, "/aliases", "{'domain': 'no.example'}");
	want(lab, 404, METHOD_GET, "/routes/no.example", "{}");
	want(lab, 404, METHOD_POST, "/recipients",
	    "{'address': 'x@no.example'}");
}

static void
test_lists(void **state)
{
	struct lab *lab = *state;

	add_domains(lab);
	want(lab, 200, METHOD_POST, "/lists",
	    "{'domain': 'a.example', 'side': 'sender', 'kind': 'block',"
	    " 'pattern': '@Spam.example', 'action': 'reject',"
	    " 'comment': 'x', 'expires': '30d'}");
	want_text(lab, "pattern", "@spam.example");
	want_text(lab, "action", "reject");
	want_text(lab, "level", "domain");
	want_text(lab, "added_by", "cli:test");
	assert_true(json_is_integer(at(lab, "expires")));
	assert_true(json_is_integer(at(lab, "added")));
	want(lab, 409, METHOD_POST, "/lists",
	    "{'domain': 'a.example', 'side': 'sender', 'kind': 'block',"
	    " 'pattern': '@spam.example', 'expires': '30d'}");
	want_text(lab, "error.field", "pattern");
	want(lab, 200, METHOD_POST, "/lists",
	    "{'domain': 'a.example', 'side': 'sender', 'kind': 'block',"
	    " 'pattern': '@spam.example', 'replace': 'on'}");
	assert_true(json_is_null(at(lab, "expires")));
	assert_true(json_is_null(at(lab, "action")));
	want(lab, 200, METHOD_POST, "/lists",
	    "{'domain': 'a.example', 'side': 'client', 'kind': 'allow',"
	    " 'pattern': '192.0.2.0/24', 'comment': 'Partner'}");
	want(lab, 400, METHOD_POST, "/lists",
	    "{'domain': 'a.example', 'side': 'sender', 'kind': 'block'}");
	want_text(lab, "error.field", "pattern");
	want(lab, 400, METHOD_POST, "/lists",
	    "{'domain': 'a.example', 'kind': 'block', 'pattern': '@x.y'}");
	want_text(lab, "error.field", "side");
	want(lab, 200, METHOD_GET, "/lists", "{'domain': 'a.example'}");
	want_number(lab, "count", 2);
	want_text(lab, "rows.0.side", "client");
	want(lab, 200, METHOD_GET, "/lists",
	    "{'domain': 'a.example', 'search': 'PART'}");
	want_count(lab, "rows", 1);
	want(lab, 200, METHOD_GET, "/lists",
	    "{'domain': 'a.example', 'limit': 1}");
	want_count(lab, "rows", 1);
	want_text(lab, "next", "client 192.0.2.0/24 allow");
	want(lab, 200, METHOD_GET, "/lists",
	    "{'domain': 'a.example', 'after': 'client 192.0.2.0/24 allow'}");
	want_text(lab, "rows.0.pattern", "@spam.example");
	want(lab, 200, METHOD_GET, "/lists",
	    "{'domain': 'a.example', 'side': 'sender', 'kind': 'allow'}");
	want_count(lab, "rows", 0);
	want(lab, 200, METHOD_POST, "/lists/remove",
	    "{'domain': 'a.example', 'side': 'sender', 'kind': 'block',"
	    " 'pattern': '@SPAM.example'}");
	assert_true(json_is_true(at(lab, "changed")));
	want(lab, 404, METHOD_GET, "/lists", "{'domain': 'no.example'}");
	want(lab, 404, METHOD_POST, "/lists",
	    "{'domain': 'no.example', 'side': 'sender', 'kind': 'block',"
	    " 'pattern': '@x.y'}");
}

static void
test_quarantine(void **state)
{
	struct lab *lab = *state;
	const char *id, *other, *path;

	add_domains(lab);
	id = hold(lab, "jo@a.example", false);
	other = hold(lab, "ann@a.example", false);
	want(lab, 400, METHOD_GET, "/quarantine", "{}");
	want_text(lab, "error.field", "domain");
	want(lab, 200, METHOD_GET, "/quarantine", "{'domain': 'a.example'}");
	want_count(lab, "entries", 2);
	want_text(lab, "entries.0.id", other);
	want_text(lab, "entries.1.state", "held");
	want_text(lab, "entries.1.class.main", "spam");
	want_number(lab, "entries.1.score", 5000);
	assert_true(json_is_integer(at(lab, "entries.1.received")));
	assert_true(json_is_integer(at(lab, "entries.1.expires")));
	want(lab, 200, METHOD_GET, "/quarantine",
	    "{'domain': 'a.example', 'limit': '1'}");
	want_count(lab, "entries", 1);
	assert_true(json_is_string(at(lab, "next")));
	want(lab, 200, METHOD_GET, "/quarantine",
	    "{'mailbox': 'Jo@a.example'}");
	want_count(lab, "entries", 1);
	want(lab, 400, METHOD_GET, "/quarantine",
	    "{'domain': 'a.example', 'state': 'lost'}");
	want_text(lab, "error.field", "state");
	want(lab, 400, METHOD_GET, "/quarantine",
	    "{'domain': 'a.example', 'limit': '0'}");
	want_text(lab, "error.field", "limit");

	path = arena_printf(lab->arena, "/quarantine/%s", id);
	want(lab, 200, METHOD_GET, path, "{}");
	want_text(lab, "subject", "mail 1");
	want_text(lab, "headers.0.name", "From");
	want_text(lab, "headers.0.value", "a@example.net");
	want_text(lab, "record.class.main", "spam");
	assert_true(json_is_array(at(lab, "timeline")));
	want(lab, 200, METHOD_GET, path, "{'domain': 'a.example'}");
	want(lab, 404, METHOD_GET, path, "{'domain': 'b.example'}");
	assert_int_equal(request_as(lab, &principals[ROLE_RELEASER], METHOD_GET,
			     path, "{}"),
	    200);
	assert_true(json_is_null(at(lab, "headers")));
	want(lab, 200, METHOD_GET, arena_printf(lab->arena, "%s/raw", path),
	    "{}");
	assert_string_equal(lab->response.content_type, "message/rfc822");
	assert_memory_equal(lab->response.content, "From: a@example.net\r\n",
	    21);
	/* Nobody listens. */
	want(lab, 503, METHOD_POST,
	    arena_printf(lab->arena, "%s/release", path), "{}");
	want_text(lab, "error.kind", "temp");
	want(lab, 200, METHOD_POST, arena_printf(lab->arena, "%s/remove", path),
	    "{}");
	assert_true(json_is_true(at(lab, "changed")));
	want(lab, 400, METHOD_GET, "/quarantine/nothing", "{}");
	want(lab, 404, METHOD_GET, "/quarantine/01ARZ3NDEKTSV4RRFFQ69G5FAV.1",
	    "{}");
}

static void
test_sender_rows(void **state)
{
	struct lab *lab = *state;
	const char *path;

	add_domains(lab);
	path = arena_printf(lab->arena, "/quarantine/%s/block",
	    hold(lab, "jo@a.example", false));
	assert_int_equal(request_as(lab, &principals[ROLE_MAIL_USER],
			     METHOD_POST, path,
			     "{'match': 'domain', 'comment': 'enough'}"),
	    200);
	want_text(lab, "row.pattern", "@example.net");
	assert_true(json_is_true(at(lab, "changed")));
	want(lab, 200, METHOD_GET, "/lists", "{'mailbox': 'jo@a.example'}");
	want_text(lab, "rows.0.kind", "block");
	want_text(lab, "rows.0.added_by", "user:jo");
	want_text(lab, "rows.0.comment", "enough");
	assert_true(json_string_length(at(lab, "rows.0.added_from")) > 26);
	/* The row stands even when the release must be tried again. */
	path = arena_printf(lab->arena, "/quarantine/%s/allow",
	    hold(lab, "ann@a.example", false));
	want(lab, 503, METHOD_POST, path, "{}");
	want(lab, 200, METHOD_GET, "/lists", "{'mailbox': 'ann@a.example'}");
	want_text(lab, "rows.0.kind", "allow");
	want_text(lab, "rows.0.pattern", "a@example.net");
	assert_true(json_is_false(at(lab, "rows.0.unauthenticated")));
	want(lab, 400, METHOD_POST, path, "{'match': 'everything'}");
}

static void
test_tables(void **state)
{
	struct lab *lab = *state;

	add_domains(lab);
	want(lab, 200, METHOD_POST, "/recipients/import",
	    "{'csv': 'address,comment\\njo@a.example,総務\\n'}");
	want_number(lab, "added", 1);
	/* 総務 in CP932. */
	want(lab, 200, METHOD_POST, "/recipients/import",
	    "{'csv_base64':"
	    " 'YWRkcmVzcyxjb21tZW50Cmpvc0BhLmV4YW1wbGUskY2WsQo='}");
	want(lab, 200, METHOD_GET, "/recipients", "{'domain': 'a.example'}");
	want_text(lab, "recipients.1.address", "jos@a.example");
	want_text(lab, "recipients.1.comment", "総務");
	want(lab, 400, METHOD_POST, "/recipients/import",
	    "{'csv': 'address\\nx@a.example\\n\\ny\\nz@no.example\\n'}");
	want_part(lab, "error.text", "line 4: ");
	want_count(lab, "errors", 2);
	want_number(lab, "errors.1.line", 5);
	want_text(lab, "errors.1.field", "address");
	want(lab, 200, METHOD_GET, "/recipients/export",
	    "{'domain': 'a.example', 'charset': 'utf-8-bom'}");
	assert_string_equal(lab->response.content,
	    "\xef\xbb\xbf"
	    "address,comment\r\njo@a.example,総務\r\n"
	    "jos@a.example,総務\r\n");
	assert_string_equal(lab->response.filename, "recipients.csv");
	want(lab, 400, METHOD_POST, "/recipients/import", "{}");
	want(lab, 400, METHOD_POST, "/recipients/import",
	    "{'csv_base64': '!'}");
	assert_int_equal(request_as(lab, &principals[ROLE_DOMAIN_ADMIN],
			     METHOD_POST, "/recipients/import",
			     "{'csv': 'address\\nx@b.example\\n'}"),
	    400);
	want_part(lab, "error.text", "outside of what this table is for");
	want(lab, 400, METHOD_POST, "/domains/import",
	    "{'csv': 'domain\\nq.example\\n', 'mode': 'replace'}");
	want(lab, 200, METHOD_POST, "/domains/import",
	    "{'csv': 'domain,spam_points\\nq.example,4\\na.example,\\n'}");
	want_number(lab, "added", 1);
	want_number(lab, "unchanged", 1);
	want(lab, 200, METHOD_GET, "/domains/export", "{}");
	assert_string_equal(lab->response.content,
	    "domain,spam_points\r\na.example,\r\nb.example,\r\n"
	    "q.example,4\r\n");
}

static void
test_audit_and_log(void **state)
{
	struct lab *lab = *state;
	const char *before;

	add_domains(lab);
	want(lab, 200, METHOD_GET, "/audit", "{'limit': 1}");
	want_text(lab, "entries.0.action", "domain.add");
	want_text(lab, "entries.0.domain", "b.example");
	want_number(lab, "entries.0.generation", 2);
	before = json_string_value(at(lab, "next"));
	assert_non_null(before);
	want(lab, 200, METHOD_GET, "/audit",
	    arena_printf(lab->arena, "{'before': '%s'}", before));
	want_count(lab, "entries", 1);
	assert_true(json_is_null(at(lab, "next")));
	want(lab, 200, METHOD_GET, "/audit", "{'domain': 'a.example'}");
	want_count(lab, "entries", 1);
	want(lab, 400, METHOD_GET, "/audit", "{'before': '+'}");
	want(lab, 503, METHOD_GET, "/log", "{}"); /* no history here */
	want(lab, 200, METHOD_GET, "/overview", "{}");
	want_number(lab, "domains", 2);
	assert_true(json_is_true(at(lab, "store.up")));
	assert_true(json_is_null(at(lab, "mail")));
}

/* The DNS alone is asked. */
static void
test_auth(void **state)
{
	struct lab *lab = *state;
	char *zone = xprintf("%s/zone", lab->redis.dir);
	FILE *file = fopen(zone, "w");

	assert_non_null(file);
	fputs("a.example. TXT \"v=spf1 -all\"\n"
	      "_dmarc.a.example. TXT \"v=DMARC1; p=reject\"\n",
	    file);
	fclose(file);
	free(lab->conf->dns_zone);
	lab->conf->dns_zone = zone;
	want(lab, 200, METHOD_GET, "/auth",
	    "{'domain': 'A.example', 'selector': 's1 s2'}");
	want_text(lab, "domain", "a.example");
	want_text(lab, "level", "error");
	want_text(lab, "findings.0.id", "spf.ok");
	want_text(lab, "dkim.keys.1.name", "s2._domainkey.a.example");
	want_text(lab, "dmarc.policy", "reject");
	want(lab, 400, METHOD_GET, "/auth", "{}");
	want(lab, 400, METHOD_GET, "/auth",
	    "{'domain': 'a.example', 'selector': 'a b/c'}");
	want_text(lab, "error.field", "selector");
}

#define AGGREGATE                                                              \
	"<feedback><report_metadata><report_id>1</report_id><date_range>"      \
	"<begin>1</begin><end>2</end></date_range></report_metadata>"          \
	"<policy_published><domain>a.example</domain></policy_published>"      \
	"<record><row><source_ip>192.0.2.1</source_ip><count>4</count>"        \
	"<policy_evaluated><dkim>pass</dkim><spf>fail</spf>"                   \
	"</policy_evaluated></row><identifiers><header_from>a.example"         \
	"</header_from></identifiers></record></feedback>"

static const char *
upload_of(struct lab *lab, const char *report, const char *rest)
{
	const char *body;
	struct buf coded;

	buf_init(&coded, 65536);
	assert_int_equal(base64_encode(bytes_of(report), &coded), 0);
	body = arena_printf(lab->arena, "{'report_base64': '%s'%s}",
	    buf_str(&coded), rest);
	buf_free(&coded);
	return body;
}

static void
test_reports(void **state)
{
	static const char *const own[] = { "a.example" };
	static const char *const others[] = { "b.example" };
	const struct principal admin = { .role = ROLE_DOMAIN_ADMIN,
		.actor = "user:a",
		.domains = own,
		.domain_count = 1 };
	struct principal other = admin;
	struct lab *lab = *state;

	other.domains = others;
	assert_int_equal(request_as(lab, &other, METHOD_POST, "/reports/upload",
			     upload_of(lab, AGGREGATE, "")),
	    403);
	assert_int_equal(request_as(lab, &admin, METHOD_POST, "/reports/upload",
			     upload_of(lab, AGGREGATE, ", 'dry_run': true")),
	    200);
	assert_true(json_is_false(at(lab, "reports.0.new")));
	assert_int_equal(request_as(lab, &admin, METHOD_POST, "/reports/upload",
			     upload_of(lab, AGGREGATE, "")),
	    200);
	assert_true(json_is_true(at(lab, "reports.0.new")));
	want_text(lab, "reports.0.records.0.source", "192.0.2.1");
	assert_int_equal(request_as(lab, &admin, METHOD_GET, "/reports", "{}"),
	    200);
	want_text(lab, "domain", "a.example");
	assert_int_equal(json_integer_value(at(lab, "dmarc.messages")), 4);
	want_text(lab, "reports.0.actor", "user:a");
	assert_int_equal(request_as(lab, &other, METHOD_GET, "/reports", "{}"),
	    200);
	assert_int_equal(json_integer_value(at(lab, "dmarc.messages")), 0);
	want(lab, 400, METHOD_POST, "/reports/upload",
	    "{'report_base64': 'PGE+'}");
	want_text(lab, "error.text",
	    "line 1: this is no aggregate report: it begins with <a>");
	want_text(lab, "error.field", "report_base64");
	want(lab, 400, METHOD_POST, "/reports/upload",
	    "{'report_base64': '?'}");
	want(lab, 400, METHOD_POST, "/reports/upload", "{}");
}

/* One handler reads an account and takes its time over a hash; meanwhile
 * another takes something away.  It must stay away. */
static void
test_user_changed_meanwhile(void **state)
{
	static const struct {
		const char *label, *parameters;
	} changes[] = {
		{ "role", "{'role': 'mail-user', 'mailbox': 'x@a.example'}" },
		{ "mailbox", "{'mailbox': 'y@a.example'}" },
		{ "disabled", "{'disabled': true}" },
		{ "password", "{'password': 'another long one'}" },
		{ "language", "{'language': 'ja'}" },
		{ "domains", "{'role': 'releaser', 'domains': 'a.example'}" },
		{ "a domain more", "{'domains': 'a.example b.example'}" },
		{ "another domain", "{'domains': 'a.example c.example'}" },
	};
	struct lab *lab = *state;
	struct store *store = lab->api->store;
	struct edit edit = { .store = store, .actor = "user:u" };
	struct account before, mine;
	struct err err;
	size_t i;

	want(lab, 200, METHOD_POST, "/users",
	    "{'name': 'u', 'role': 'postmaster'}");
	for (i = 0; i < ARRAY_LEN(changes); i++) {
		assert_int_equal(users_get(store, lab->arena, "u", &before,
				     &err),
		    1);
		mine = before;
		mine.language = "en";
		mine.password = NULL;
		want(lab, 200, METHOD_POST, "/users/u", changes[i].parameters);
		if (users_put(&edit, &mine, &before, NULL, &err) == 0)
			fail_msg("%s was written back", changes[i].label);
		assert_int_equal(edit.problem, EDIT_IN_USE);
		settings_unref(edit.settings);
		edit.settings = NULL;
	}
	/* Read again, it can be written. */
	assert_int_equal(users_get(store, lab->arena, "u", &before, &err), 1);
	mine = before;
	mine.language = "en";
	mine.password = NULL;
	assert_int_equal(users_put(&edit, &mine, &before, NULL, &err), 0);
	settings_unref(edit.settings);
	edit.settings = NULL;
	want(lab, 200, METHOD_GET, "/users/u", "{}");
	want_text(lab, "language", "en");
	want_text(lab, "role", "releaser");
	assert_true(json_is_true(at(lab, "disabled")));
}

/* A listener that takes connections and says nothing. */
static int
hang(struct lab *lab)
{
	const char *port = strchr(lab->conf->release_listener, ':') + 1;
	struct sockaddr_in address = { .sin_family = AF_INET };
	uint64_t number = 0;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(parse_u64(bytes_of(port), 1, 65535, &number), 0);
	address.sin_port = htons((uint16_t)number);
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 ||
	    bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    listen(fd, 16) < 0)
		fail_msg("no listener on port %s", port);
	return fd;
}

/* Many are not hung up one after the other. */
static void
test_act_and_listener_hangs(void **state)
{
	struct lab *lab = *state;
	const char *ids[3];
	struct err err;
	size_t i;
	int fd;

	add_domains(lab);
	for (i = 0; i < ARRAY_LEN(ids); i++)
		ids[i] = hold(lab, "jo@a.example", false);
	fd = hang(lab);
	api_close(lab->api);
	lab->conf->release_timeout = 1;
	lab->api = api_open(lab->conf, &err);
	assert_non_null(lab->api);
	want(lab, 200, METHOD_POST, "/quarantine/act",
	    arena_printf(lab->arena,
		"{'action': 'release', 'ids': ['%s', '%s', '%s']}", ids[0],
		ids[1], ids[2]));
	want_number(lab, "failed", 3);
	want_text(lab, "results.0.error", "temp");
	want_part(lab, "results.0.text", "timeout");
	want_text(lab, "results.1.error", "temp");
	want_part(lab, "results.1.text", "not tried");
	want_text(lab, "results.2.id", ids[2]);
	want_part(lab, "results.2.text", "not tried");
	close(fd);
}

struct reading {
	pthread_t thread;
	struct lab *lab;
	bool by_id;
	unsigned answers[2]; /* 200, and 503 */
};

static void *
read_log(void *context)
{
	struct reading *reading = context;
	struct arena *arena = arena_new(0);
	json_t *none = json_object();
	struct response response;
	json_t *query;
	int i;

	for (i = 0; i < 50; i++) {
		query = reading->by_id ? json_pack("{s:s}", "id", "4XABC")
				       : json_pack("{s:s}", "subject", "x");
		api_dispatch(reading->lab->api, arena, &operator_principal,
		    METHOD_GET, "/log", query, none, &response);
		reading->answers[0] += response.status == 200;
		reading->answers[1] += response.status == 503;
		json_decref(response.model);
		json_decref(query);
	}
	json_decref(none);
	arena_free(arena);
	return NULL;
}

/* Searches are turned away when too many wait; questions for one mail are
 * not. */
static void
test_log_at_once(void **state)
{
	struct lab *lab = *state;
	struct reading readings[16];
	unsigned searched = 0;
	struct history *history;
	char *file = xprintf("%s/history.db", lab->conf->state_dir);
	struct err err;
	size_t i;

	history = history_open(file, true, &err);
	free(file);
	assert_non_null(history);
	for (i = 0; i < ARRAY_LEN(readings); i++) {
		readings[i] =
		    (struct reading){ .lab = lab, .by_id = i % 4 == 0 };
		assert_int_equal(pthread_create(&readings[i].thread, NULL,
				     read_log, &readings[i]),
		    0);
	}
	for (i = 0; i < ARRAY_LEN(readings); i++) {
		pthread_join(readings[i].thread, NULL);
		assert_int_equal(readings[i].answers[0] +
			readings[i].answers[1],
		    50);
		if (readings[i].by_id)
			assert_int_equal(readings[i].answers[0], 50);
		else
			searched += readings[i].answers[0];
	}
	assert_true(searched > 0);
	history_close(history);
}

static void
test_store_away(void **state)
{
	struct lab *lab = *state;

	redis_server_kill(&lab->redis);
	want(lab, 503, METHOD_GET, "/domains", "{}");
	want_text(lab, "error.kind", "temp");
	want(lab, 503, METHOD_POST, "/domains", "{'domain': 'x.example'}");
	want(lab, 503, METHOD_GET, "/quarantine", "{'domain': 'x.example'}");
}

static void
test_redis_none(void **state)
{
	struct conf *conf = conf_new();
	struct err err;

	(void)state;
	free(conf->redis);
	conf->redis = xstrdup("none");
	assert_null(api_open(conf, &err));
	assert_int_equal(err.kind, ERR_CONFIG);
	conf_free(conf);
}

#define LAB_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		LAB_TEST(test_paths),
		LAB_TEST(test_long_path),
		LAB_TEST(test_role_walk),
		LAB_TEST(test_implied_scope),
		LAB_TEST(test_hidden),
		LAB_TEST(test_domains),
		LAB_TEST(test_directory),
		LAB_TEST(test_lists),
		LAB_TEST(test_quarantine),
		LAB_TEST(test_sender_rows),
		LAB_TEST(test_tables),
		LAB_TEST(test_audit_and_log),
		LAB_TEST(test_auth),
		LAB_TEST(test_reports),
		LAB_TEST(test_act_and_listener_hangs),
		LAB_TEST(test_user_changed_meanwhile),
		LAB_TEST(test_log_at_once),
		LAB_TEST(test_store_away),
		cmocka_unit_test(test_redis_none),
	};

	if (!redis_server_is_installed()) {
		print_message("skipped: test_api (no redis-server), %zu "
			      "cases\n",
		    ARRAY_LEN(tests));
		return 77;
	}
	log_open("test_api", LOG_TARGET_STDERR, LOG_LEVEL_ERROR);
	return cmocka_run_group_tests_name("api", tests, NULL, NULL);
}
