/*
 * test_http_walk.c - every route, with every role, about what is theirs and
 * what is a stranger's, through real HTTP.
 *
 * The listener, the session and the route table are those of the program;
 * a client of our own speaks to them.  A route that the table below does
 * not know fails the test.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit.h"

#include "base/arena.h"
#include "base/str.h"
#include "tests/quarantine/hold_fixture.h"
#include "webui/api.h"
#include "webui/http.h"
#include "webui/session.h"
#include "webui/users.h"

#define REPLY_MAX ((size_t)8 << 20)

/*
 * What a row may say of a role:
 *   y  it may: anything but the four below, also 303 and 400
 *   s  401, sign in first
 *   f  403, not for the role or not theirs
 *   n  404, as if it were not there
 * in the order of enum role: nobody, mail user, releaser, domain admin,
 * postmaster, operator.  other: about a stranger's; "" where nothing of
 * anybody's is asked for.
 */
static const struct walk {
	enum method method;
	const char *path;
	const char *parameters; /* D the domain, A the mailbox */
	const char *own, *other;
} walks[] = {
	/* clang-format off */
	{ METHOD_GET, "/sign-in", "", "yyyyyy", "" },
	{ METHOD_POST, "/sign-in", "", "yyyyyy", "" },
	{ METHOD_POST, "/sign-out", "", "yyyyyy", "" },
	{ METHOD_GET, "/password", "", "syyyyy", "" },
	{ METHOD_POST, "/password", "", "syyyyy", "" },
	{ METHOD_POST, "/preferences", "", "yyyyyy", "" },

	{ METHOD_GET, "/users", "", "sffyfy", "" },
	{ METHOD_POST, "/users", "", "sffyfy", "" },
	{ METHOD_GET, "/users/:name", "", "sffyfy", "sffnfy" },
	{ METHOD_POST, "/users/:name", "", "sffyfy", "sffnfy" },
	{ METHOD_POST, "/users/:name/remove", "", "sffyfy", "sffnfy" },

	{ METHOD_GET, "/quarantine", "domain=D", "sfyyfy", "sffffy" },
	{ METHOD_GET, "/quarantine", "mailbox=A", "syyyfy", "sffffy" },
	{ METHOD_POST, "/quarantine/act", "action=release", "syyyfy", "" },
	{ METHOD_GET, "/quarantine/:id", "", "syyyfy", "snnnfy" },
	{ METHOD_GET, "/quarantine/:id/raw", "", "syfyfy", "snfnfy" },
	{ METHOD_GET, "/quarantine/:id/preview", "", "syfyfy", "snfnfy" },
	{ METHOD_GET, "/quarantine/:id/text", "", "syfyfy", "snfnfy" },
	{ METHOD_GET, "/quarantine/:id/parts/:number", "", "syfyfy", "snfnfy" },
	{ METHOD_POST, "/quarantine/:id/release", "", "syyyfy", "snnnfy" },
	{ METHOD_POST, "/quarantine/:id/remove", "", "syfyfy", "snfnfy" },
	{ METHOD_POST, "/quarantine/:id/allow", "", "syfyfy", "snfnfy" },
	{ METHOD_POST, "/quarantine/:id/block", "", "syfyfy", "snfnfy" },

	{ METHOD_GET, "/domains", "", "sffyyy", "" },
	{ METHOD_POST, "/domains/import", "", "sfffyy", "" },
	{ METHOD_GET, "/domains/export", "", "sfffyy", "" },
	{ METHOD_GET, "/domains/:domain", "", "sffyyy", "sfffyy" },
	{ METHOD_POST, "/domains", "domain=D&replace=yes", "sfffyy",
	    "sfffyy" },
	{ METHOD_POST, "/domains/:domain", "", "sffyyy", "sfffyy" },
	{ METHOD_POST, "/domains/:domain/remove", "", "sfffyy", "sfffyy" },
	{ METHOD_GET, "/system", "", "sfffyy", "" },
	{ METHOD_POST, "/system", "", "sfffyy", "" },
	{ METHOD_GET, "/options", "", "syyyyy", "" },
	{ METHOD_GET, "/style", "", "syyyyy", "" },

	{ METHOD_GET, "/routes", "", "sffyyy", "" },
	{ METHOD_POST, "/routes/import", "domain=D", "sfffyy", "sfffyy" },
	{ METHOD_GET, "/routes/export", "domain=D", "sffyyy", "sfffyy" },
	{ METHOD_GET, "/routes/:domain", "", "sffyyy", "sfffyy" },
	{ METHOD_POST, "/routes/:domain/check", "", "sfffyy", "sfffyy" },
	{ METHOD_POST, "/routes/:domain", "", "sfffyy", "sfffyy" },

	{ METHOD_GET, "/recipients", "domain=D", "sffyyy", "sfffyy" },
	{ METHOD_POST, "/recipients", "address=A", "sffyyy", "sfffyy" },
	{ METHOD_GET, "/recipients/show", "address=A", "syfyyy", "sfffyy" },
	{ METHOD_POST, "/recipients/set", "address=A", "sffyyy", "sfffyy" },
	{ METHOD_POST, "/recipients/remove", "address=A", "sffyyy",
	    "sfffyy" },
	{ METHOD_POST, "/recipients/import", "domain=D", "sffyyy", "sfffyy" },
	{ METHOD_GET, "/recipients/export", "domain=D", "sffyyy", "sfffyy" },

	{ METHOD_GET, "/aliases", "domain=D", "sffyyy", "sfffyy" },
	{ METHOD_POST, "/aliases", "source=A", "sffyyy", "sfffyy" },
	{ METHOD_POST, "/aliases/remove", "source=A", "sffyyy", "sfffyy" },
	{ METHOD_POST, "/aliases/import", "domain=D", "sffyyy", "sfffyy" },
	{ METHOD_GET, "/aliases/export", "domain=D", "sffyyy", "sfffyy" },
	{ METHOD_GET, "/resolve", "address=A", "sffyyy", "sfffyy" },

	{ METHOD_GET, "/lists", "domain=D", "sffyyy", "sfffyy" },
	{ METHOD_GET, "/lists", "mailbox=A", "syfyyy", "sfffyy" },
	{ METHOD_POST, "/lists", "mailbox=A", "syfyyy", "sfffyy" },
	{ METHOD_POST, "/lists/remove", "mailbox=A", "syfyyy", "sfffyy" },
	{ METHOD_POST, "/lists/import", "mailbox=A", "syfyyy", "sfffyy" },
	{ METHOD_GET, "/lists/export", "mailbox=A", "syfyyy", "sfffyy" },

	{ METHOD_GET, "/log", "domain=D", "sffyyy", "sfffyy" },
	{ METHOD_GET, "/log", "mailbox=A", "syfyyy", "sfffyy" },
	{ METHOD_GET, "/reports", "domain=D", "sffyyy", "sfffyy" },
	{ METHOD_POST, "/reports/upload", "", "sffyyy", "" },
	{ METHOD_GET, "/reports/sent", "", "sfffyy", "" },
	{ METHOD_GET, "/auth", "domain=D", "sffyyy", "sfffyy" },
	{ METHOD_GET, "/audit", "domain=D", "sffyyy", "sfffyy" },
	{ METHOD_GET, "/overview", "mailbox=A", "syyyyy", "sfffyy" },
	{ METHOD_GET, "/overview", "domain=D", "sfyyyy", "sfffyy" },
	/* clang-format on */
};

struct visitor {
	const char *session, *csrf;
};

struct lab {
	struct redis_server redis;
	struct conf *conf;
	struct api *api;
	struct pages *pages;
	struct web *web;
	struct http *http;
	struct arena *arena;
	unsigned port, seed;
	struct buf reply;
};

/* ---- the client ---- */

/* -1: nobody listens. */
static int
connect_to(const struct lab *lab)
{
	struct sockaddr_in sin = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)lab->port) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&sin, sizeof(sin)) == 0)
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

/* The status; the whole answer is in lab->reply. */
static int
exchange(struct lab *lab, const char *text)
{
	char data[65536];
	size_t len = strlen(text), at = 0;
	int fd = connect_to(lab);
	struct bytes code;
	uint64_t status;
	ssize_t n;

	if (fd < 0)
		fail_msg("connect");
	while (at < len) {
		n = write(fd, text + at, len - at);
		if (n <= 0)
			fail_msg("write");
		at += (size_t)n;
	}
	buf_reset(&lab->reply);
	while ((n = read(fd, data, sizeof(data))) > 0)
		assert_int_equal(buf_append(&lab->reply, data, (size_t)n), 0);
	close(fd);
	if (lab->reply.len < 12)
		fail_msg("no answer to %s", text);
	code = (struct bytes){ lab->reply.data + 9, 3 };
	assert_int_equal(parse_u64(code, 100, 599, &status), 0);
	return (int)status;
}

static int
request_as(struct lab *lab, const struct visitor *visitor, enum method method,
    const char *path, const char *parameters)
{
	struct arena *arena = lab->arena;
	const char *who = "", *body;

	if (visitor->session != NULL)
		who = arena_printf(arena, "Cookie: sekimori-session=%s\r\n",
		    visitor->session);
	if (method == METHOD_GET)
		return exchange(lab,
		    arena_printf(arena,
			"GET %s?%s HTTP/1.1\r\nHost: 127.0.0.1\r\n%s"
			"Accept: application/json\r\n"
			"Connection: close\r\n\r\n",
			path, parameters, who));
	/* JSON, as nobody has no token for a form. */
	if (visitor->session == NULL)
		return exchange(lab,
		    arena_printf(arena,
			"POST %s HTTP/1.1\r\nHost: 127.0.0.1\r\n"
			"Content-Type: application/json\r\n"
			"Content-Length: 2\r\nConnection: close\r\n\r\n{}",
			path));
	body = arena_printf(arena, "%s&csrf=%s", parameters, visitor->csrf);
	return exchange(lab,
	    arena_printf(arena,
		"POST %s HTTP/1.1\r\nHost: 127.0.0.1\r\n%s"
		"Accept: application/json\r\n"
		"Content-Type: application/x-www-form-urlencoded\r\n"
		"Content-Length: %zu\r\nConnection: close\r\n\r\n%s",
		path, who, strlen(body), body));
}

/* ---- the server ---- */

static void
set_text(char **field, char *take_text)
{
	free(*field);
	*field = take_text;
}

static int
setup(void **state)
{
	struct lab *lab = xcalloc(1, sizeof(*lab));
	struct err err;

	redis_server_start(&lab->redis, false, NULL);
	lab->arena = arena_new(0);
	lab->port = free_port();
	lab->conf = conf_new();
	lab->conf->redis_timeout_ms = PATIENCE_MS;
	set_text(&lab->conf->redis, xstrdup(lab->redis.url));
	set_text(&lab->conf->state_dir, xstrdup(lab->redis.dir));
	set_text(&lab->conf->dns_zone,
	    xprintf("%s/tests/webui/empty.zone", SRCDIR));
	set_text(&lab->conf->release_listener,
	    xprintf("127.0.0.1:%u", free_port()));
	set_text(&lab->conf->web_listen.items[0],
	    xprintf("127.0.0.1:%u", lab->port));
	lab->conf->durability_required = false;
	lab->api = api_open(lab->conf, &err);
	if (lab->api == NULL)
		fail_msg("%s", err.text);
	lab->pages = pages_new(&err);
	if (lab->pages == NULL)
		fail_msg("%s", err.text);
	lab->web = web_new(lab->conf, lab->api, lab->pages, &err);
	if (lab->web == NULL)
		fail_msg("%s", err.text);
	lab->http = http_start(lab->conf, lab->web, &err);
	if (lab->http == NULL)
		fail_msg("%s", err.text);
	buf_init(&lab->reply, REPLY_MAX);
	*state = lab;
	return 0;
}

static int
teardown(void **state)
{
	struct lab *lab = *state;

	http_stop(lab->http);
	web_free(lab->web);
	pages_free(lab->pages);
	api_close(lab->api);
	conf_free(lab->conf);
	arena_free(lab->arena);
	buf_free(&lab->reply);
	redis_server_stop(&lab->redis);
	free(lab);
	return 0;
}

/* ---- who and what there is ---- */

static void
put_user(struct lab *lab, const struct account *account)
{
	struct edit edit = { .store = lab->api->store, .actor = "cli:test" };
	struct err err;

	if (users_put(&edit, account, NULL, NULL, &err) < 0 &&
	    edit.problem != EDIT_EXISTS)
		fail_msg("%s", err.text);
	settings_unref(edit.settings);
}

static const char *const own_domain[] = { "a.example" };
static const char *const other_domain[] = { "b.example" };

/* Of each role one, and their sessions: no password is needed for this. */
static void
make_visitors(struct lab *lab, struct visitor *visitors)
{
	struct account account = { .password = "none" };
	struct session session;
	struct err err;
	int role;

	for (role = ROLE_MAIL_USER; role < ROLE_COUNT; role++) {
		account.name = role_name((enum role)role);
		account.role = (enum role)role;
		account.domains = own_domain;
		account.domain_count =
		    role == ROLE_RELEASER || role == ROLE_DOMAIN_ADMIN;
		account.mailbox =
		    role == ROLE_MAIL_USER ? "jo@a.example" : NULL;
		put_user(lab, &account);
		assert_int_equal(users_get(lab->api->store, lab->arena,
				     account.name, &account, &err),
		    1);
		assert_int_equal(session_create(lab->api->store, lab->arena,
				     account.name, account.stamp, &session,
				     &err),
		    0);
		visitors[role].session = session.token;
		visitors[role].csrf = session.csrf;
	}
}

static void
dispatch(struct lab *lab, enum method method, const char *path,
    json_t *take_body)
{
	const struct principal operator_ = { .role = ROLE_OPERATOR,
		.actor = "cli:test" };
	json_t *none = json_object();
	struct response response;

	api_dispatch(lab->api, lab->arena, &operator_, method, path, none,
	    take_body, &response);
	if (response.status != 200)
		case_fail(path, "%d", response.status);
	json_decref(response.model);
	json_decref(take_body);
	json_decref(none);
}

/* Some requests remove what they are about. */
static void
make_things(struct lab *lab)
{
	struct account releaser = { .password = "none",
		.role = ROLE_RELEASER,
		.domain_count = 1 };

	dispatch(lab, METHOD_POST, "/domains",
	    json_pack("{s:s, s:b}", "domain", "a.example", "replace", 1));
	dispatch(lab, METHOD_POST, "/domains",
	    json_pack("{s:s, s:b}", "domain", "b.example", "replace", 1));
	releaser.name = "own";
	releaser.domains = own_domain;
	put_user(lab, &releaser);
	releaser.name = "other";
	releaser.domains = other_domain;
	put_user(lab, &releaser);
}

static const char *
hold(struct lab *lab, const char *mailbox)
{
	const char *mailboxes[] = { mailbox, NULL };
	enum quarantine_full full;
	struct mail mail;
	struct err err;
	const char *id;

	mail_make(&mail, ++lab->seed, 100, mailboxes);
	if (quarantine_put(lab->api->quarantine, &mail.hold, mail.n,
		mail.entries, &full, &err) < 0)
		fail_msg("%s", err.text);
	id = arena_strdup(lab->arena, mail.entries[0].id);
	mail_free(&mail);
	return id;
}

/* ---- the walk ---- */

struct target {
	const char *domain, *mailbox, *user;
};

static const struct target own = { "a.example", "jo@a.example", "own" };
static const struct target other = { "b.example", "jo@b.example", "other" };
/* Beside the mail user, in the same domain. */
static const struct target beside = { "a.example", "ann@a.example", "own" };

static const char *
path_of(struct lab *lab, const char *pattern, const struct target *target)
{
	const char *colon = strchr(pattern, ':'), *value, *rest;

	if (colon == NULL)
		return pattern;
	if (strncmp(colon, ":id", 3) == 0)
		value = hold(lab, target->mailbox);
	else if (strncmp(colon, ":name", 5) == 0)
		value = target->user;
	else if (strncmp(colon, ":domain", 7) == 0)
		value = target->domain;
	else
		value = "1"; /* a part of a mail */
	rest = path_of(lab, colon + strcspn(colon, "/"), target);
	return arena_printf(lab->arena, "%.*s%s%s", (int)(colon - pattern),
	    pattern, value, rest);
}

static const char *
parameters_of(struct lab *lab, const char *pattern, const struct target *target)
{
	size_t len = strcspn(pattern, "DA");
	const char *value =
	    pattern[len] == 'D' ? target->domain : target->mailbox;

	return pattern[len] == '\0'
	    ? pattern
	    : arena_printf(lab->arena, "%.*s%s%s", (int)len, pattern, value,
		  pattern + len + 1);
}

static bool
fits(char want, int status)
{
	switch (want) {
	case 's':
		return status == 401;
	case 'f':
		return status == 403;
	case 'n':
		return status == 404;
	default:
		return status != 403 && status != 404 && status != 405 &&
		    status != 500;
	}
}

static void
walk_one(struct lab *lab, const struct walk *walk, const char *want,
    const struct target *target, const char *label)
{
	struct visitor visitors[ROLE_COUNT] = { { NULL, NULL } };
	int role, status;

	for (role = ROLE_NONE; role < ROLE_COUNT; role++) {
		/* Each time anew: the last one may have signed out. */
		make_things(lab);
		make_visitors(lab, visitors);
		status = request_as(lab, &visitors[role], walk->method,
		    path_of(lab, walk->path, target),
		    parameters_of(lab, walk->parameters, target));
		if (!fits(want[role], status) ||
		    (want[role] == 'y' && role != ROLE_NONE && status == 401))
			case_fail(walk->path, "%s %s as %s, %s: %d, not %c: %s",
			    walk->method == METHOD_GET ? "GET" : "POST", label,
			    role_name((enum role)role), walk->parameters,
			    status, want[role], buf_str(&lab->reply));
	}
}

static bool
is_route(const struct walk *walk)
{
	size_t i;

	for (i = 0; i < api_route_count; i++)
		if (api_routes[i].method == walk->method &&
		    strcmp(api_routes[i].path, walk->path) == 0)
			return true;
	return false;
}

static void
test_walk(void **state)
{
	struct lab *lab = *state;
	char nearby[ROLE_COUNT + 1];
	const struct walk *walk;
	size_t i;

	for (i = 0; i < ARRAY_LEN(walks); i++) {
		walk = &walks[i];
		if (!is_route(walk))
			continue;
		walk_one(lab, walk, walk->own, &own, "own");
		if (walk->other[0] == '\0')
			continue;
		walk_one(lab, walk, walk->other, &other, "a stranger's");
		/* For a mail user the neighbour is a stranger; not where a
		 * domain is asked for, which none of them may. */
		memcpy(nearby, walk->own, sizeof(nearby));
		nearby[ROLE_MAIL_USER] = walk->other[ROLE_MAIL_USER];
		walk_one(lab, walk, nearby, &beside, "the neighbour's");
	}
}

/* Of several at once each is asked for: what is not theirs is left alone. */
static void
test_act(void **state)
{
	static const struct {
		enum role role;
		const char *action;
		const char *counts; /* own, neighbour's, stranger's */
	} cases[] = {
		{ ROLE_DOMAIN_ADMIN, "remove", "\"done\":2,\"failed\":1" },
		{ ROLE_MAIL_USER, "remove", "\"done\":1,\"failed\":2" },
		{ ROLE_MAIL_USER, "block", "\"done\":1,\"failed\":2" },
		{ ROLE_OPERATOR, "remove", "\"done\":3,\"failed\":0" },
		/* It lets go, but does not throw away. */
		{ ROLE_RELEASER, "remove", "\"done\":0,\"failed\":3" },
	};
	struct visitor visitors[ROLE_COUNT] = { { NULL, NULL } };
	struct lab *lab = *state;
	size_t i;
	int status;

	make_things(lab);
	make_visitors(lab, visitors);
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		status = request_as(lab, &visitors[cases[i].role], METHOD_POST,
		    "/quarantine/act",
		    arena_printf(lab->arena, "action=%s&ids=%s&ids=%s&ids=%s",
			cases[i].action, hold(lab, own.mailbox),
			hold(lab, beside.mailbox), hold(lab, other.mailbox)));
		if (status != 200 ||
		    strstr(buf_str(&lab->reply), cases[i].counts) == NULL)
			case_fail(cases[i].action, "as %s: %d %s",
			    role_name(cases[i].role), status,
			    buf_str(&lab->reply));
	}
	/* Nothing but ids becomes a path. */
	status = request_as(lab, &visitors[ROLE_OPERATOR], METHOD_POST,
	    "/quarantine/act", "action=remove&ids=../domains/a.example");
	assert_int_equal(status, 400);
	status = request_as(lab, &visitors[ROLE_OPERATOR], METHOD_POST,
	    "/quarantine/act", "action=remove");
	assert_int_equal(status, 400);
}

/* Nothing is on offer that nobody thought of. */
static void
test_complete(void **state)
{
	size_t i, n;

	(void)state;
	for (i = 0; i < api_route_count; i++) {
		for (n = 0; n < ARRAY_LEN(walks); n++)
			if (walks[n].method == api_routes[i].method &&
			    strcmp(walks[n].path, api_routes[i].path) == 0)
				break;
		if (n == ARRAY_LEN(walks))
			case_fail(api_routes[i].path,
			    "%s: add what each role may expect to this test",
			    api_routes[i].method == METHOD_GET ? "GET"
							       : "POST");
	}
}

/* ---- many at once ---- */

#define CLIENTS 8
#define REQUESTS 25

struct client {
	struct lab *lab;
	struct visitor visitor;
	unsigned answered;
	pthread_t thread;
};

/* Until the server stops, or all are answered. */
static void *
ask_much(void *context)
{
	static const char *const paths[] = { "/overview", "/domains",
		"/assets/page.css", "/healthz", "/metrics", "/users" };
	struct client *client = context;
	char text[1024], data[4096];
	unsigned i;
	int fd;

	for (i = 0; i < REQUESTS; i++) {
		fd = connect_to(client->lab);
		if (fd < 0)
			break;
		snprintf(text, sizeof(text),
		    "GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\n"
		    "Cookie: sekimori-session=%s\r\n"
		    "Connection: close\r\n\r\n",
		    paths[i % ARRAY_LEN(paths)], client->visitor.session);
		if (write(fd, text, strlen(text)) > 0 &&
		    read(fd, data, sizeof(data)) > 12 &&
		    memcmp(data, "HTTP/1.1 200", 12) == 0)
			client->answered++;
		while (read(fd, data, sizeof(data)) > 0)
			continue;
		close(fd);
	}
	return NULL;
}

static void
start_clients(struct lab *lab, struct client *clients)
{
	struct visitor visitors[ROLE_COUNT] = { { NULL, NULL } };
	size_t i;

	make_things(lab);
	make_visitors(lab, visitors);
	for (i = 0; i < CLIENTS; i++) {
		clients[i].lab = lab;
		clients[i].visitor = visitors[ROLE_OPERATOR];
		clients[i].answered = 0;
		assert_int_equal(pthread_create(&clients[i].thread, NULL,
				     ask_much, &clients[i]),
		    0);
	}
}

static void
test_many_at_once(void **state)
{
	struct lab *lab = *state;
	struct client clients[CLIENTS];
	size_t i;

	start_clients(lab, clients);
	for (i = 0; i < CLIENTS; i++) {
		pthread_join(clients[i].thread, NULL);
		assert_int_equal(clients[i].answered, REQUESTS);
	}
}

/* The end comes while requests are under way. */
static void
test_stop_under_load(void **state)
{
	struct lab *lab = *state;
	struct client clients[CLIENTS];
	size_t i;

	start_clients(lab, clients);
	usleep(30 * 1000);
	http_stop(lab->http);
	lab->http = NULL;
	for (i = 0; i < CLIENTS; i++)
		pthread_join(clients[i].thread, NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_complete),
		cmocka_unit_test_setup_teardown(test_many_at_once, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(test_stop_under_load, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(test_walk, setup, teardown),
		cmocka_unit_test_setup_teardown(test_act, setup, teardown),
	};

	if (!redis_server_is_installed()) {
		print_message("skipped: there is no redis-server\n");
		return 77;
	}
	(void)signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests_name("http_walk", tests, NULL, NULL);
}
