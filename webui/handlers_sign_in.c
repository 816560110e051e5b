/*
 * handlers_sign_in.c - what people do about themselves: sign in and out,
 * their password, their language.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <inttypes.h>
#include <string.h>

#include "base/i18n.h"
#include "base/log.h"
#include "base/str.h"
#include "webui/handlers.h"
#include "webui/http_fields.h"
#include "webui/password.h"
#include "webui/request.h"
#include "webui/session.h"
#include "webui/sign_in.h"
#include "webui/users.h"

/* ---- sign in ---- */

/* Where to go on, if that is a path of ours; in the arena, as the answer
 * outlives what was sent. */
static const char *
local_path(struct request *request, const char *next)
{
	if (next == NULL || !http_path_is_local(next))
		return NULL;
	return arena_strdup(request->arena, next);
}

int
handle_sign_in_show(struct request *request, struct response *response,
    struct err *err)
{
	const char *next;

	if (request_text(request, "next", &next, err) < 0)
		return -1;
	next = local_path(request, next);
	/* Who is signed in already has nothing to do here. */
	if (request->principal->user != NULL)
		response->location = next != NULL ? next : "/overview";
	response->model = json_pack("{s:s?}", "next", next);
	return 0;
}

static int
too_many(struct request *request, int64_t seconds, struct err *err)
{
	request->retry_s = seconds;
	if (seconds < 120)
		return request_refuse(request, 429, "user", err,
		    "too many attempts: try again in %" PRId64 " seconds",
		    seconds);
	return request_refuse(request, 429, "user", err,
	    "too many attempts: try again in %" PRId64 " minutes",
	    seconds / 60);
}

static void
log_attempt(const struct request *request, const char *user, const char *what)
{
	struct log_line line;

	log_line_init(&line, LOG_LEVEL_INFO, "sign-in");
	log_field(&line, "user", user);
	if (request->principal->client != NULL)
		log_field(&line, "client", request->principal->client);
	log_field(&line, "result", what);
	log_line_end(&line);
}

/*
 * The password of a user, counted.  0 right, -1.  No user, a disabled one
 * and a wrong password look and take the same.
 */
static int
check_password(struct request *request, const char *name, const char *password,
    struct account *account, struct err *err)
{
	struct api *api = request->api;
	const char *client = request->principal->client, *hash = NULL;
	int64_t wait =
	    sign_in_attempt(api->store, request->arena, name, client, err);
	int rc;

	if (wait > 0)
		log_attempt(request, name, "locked");
	if (wait != 0)
		return wait < 0 ? -1 : too_many(request, wait, err);
	rc = users_get(api->store, request->arena, name, account, err);
	if (rc < 0)
		return -1;
	if (rc == 1 && !account->disabled && account->role != ROLE_NONE)
		hash = account->password;
	rc = password_verify(api->passwords, hash, password, err);
	if (rc < 0)
		return -1;
	if (rc == 1)
		return sign_in_success(api->store, request->arena, name, client,
		    err);
	log_attempt(request, name, "refused");
	return request_refuse(request, 401, "password", err,
	    "the name or the password is wrong");
}

/* A session in place of the one there was. */
static int
begin_session(struct request *request, const struct account *account,
    struct response *response, struct err *err)
{
	struct store *store = request->api->store;
	const char *old = request->principal->session;
	struct session session;

	if (session_create(store, request->arena, account->name, account->stamp,
		&session, err) < 0)
		return -1;
	if (old != NULL && session_end(store, old, err) < 0)
		return -1;
	response->session = session.token;
	response->model = json_pack("{s:s, s:s, s:b, s:s}", "user",
	    account->name, "role", role_name(account->role), "must_change",
	    account->must_change, "csrf", session.csrf);
	return 0;
}

int
handle_sign_in(struct request *request, struct response *response,
    struct err *err)
{
	const char *user, *password, *next, *name;
	struct account account = { .role = ROLE_NONE };

	if (request_need_text(request, "user", &user, err) < 0 ||
	    request_need_text(request, "password", &password, err) < 0 ||
	    request_text(request, "next", &next, err) < 0)
		return -1;
	/* What is no name at all is nobody's, and costs no hash. */
	if (strlen(password) > USER_PASSWORD_MAX ||
	    user_name_normalize(request->arena, user, &name, NULL) < 0)
		return request_refuse(request, 401, "password", err,
		    "the name or the password is wrong");
	if (check_password(request, name, password, &account, err) < 0 ||
	    begin_session(request, &account, response, err) < 0)
		return -1;
	log_attempt(request, name, "signed-in");
	response->notice = "signed-in";
	next = local_path(request, next);
	response->location = next != NULL ? next : "/overview";
	if (account.must_change)
		response->location = "/password";
	return 0;
}

int
handle_sign_out(struct request *request, struct response *response,
    struct err *err)
{
	const char *token = request->principal->session;

	if (token != NULL && session_end(request->api->store, token, err) < 0)
		return -1;
	response->session = "";
	response->location = "/sign-in";
	response->notice = "signed-out";
	response->model = json_object();
	return 0;
}

/* ---- the password ---- */

static int
need_user(struct request *request, struct err *err)
{
	return request->principal->user != NULL
	    ? 0
	    : request_refuse(request, 409, NULL, err,
		  "the command line has no password of its own");
}

int
handle_password_show(struct request *request, struct response *response,
    struct err *err)
{
	if (need_user(request, err) < 0)
		return -1;
	response->model =
	    json_pack("{s:s, s:b}", "user", request->principal->user,
		"must_change", request->principal->must_change);
	return 0;
}

static int
take_new_password(struct request *request, const char *old,
    const char **password, struct err *err)
{
	const char *repeated;

	if (request_need_text(request, "new_password", password, err) < 0 ||
	    request_text(request, "repeat_password", &repeated, err) < 0)
		return -1;
	if (repeated != NULL && strcmp(repeated, *password) != 0)
		return request_refuse(request, 400, "repeat_password", err,
		    "repeat_password: is not the same");
	if (strcmp(old, *password) == 0)
		return request_refuse(request, 400, "new_password", err,
		    "new_password: is the old one");
	if (user_password_check(request->principal->user, *password, err) < 0)
		return request_refuse(request, 400, "new_password", err,
		    "new_%s", err->text);
	return 0;
}

/* Sessions of the old password are none of this one: all others end. */
int
handle_password(struct request *request, struct response *response,
    struct err *err)
{
	struct api *api = request->api;
	const char *user = request->principal->user, *old, *password;
	struct account account = { .role = ROLE_NONE }, before;
	struct edit edit;

	if (need_user(request, err) < 0 ||
	    request_need_text(request, "password", &old, err) < 0 ||
	    take_new_password(request, old, &password, err) < 0 ||
	    check_password(request, user, old, &account, err) < 0)
		return -1;
	before = account;
	account.password =
	    password_hash(api->passwords, request->arena, password, err);
	if (account.password == NULL)
		return -1;
	account.must_change = false;
	request_edit(request, &edit);
	if (request_edited(request, &edit,
		users_put(&edit, &account, &before, NULL, err)) < 0 ||
	    users_get(api->store, request->arena, user, &account, err) < 0)
		return -1;
	log_attempt(request, user, "password-changed");
	response->location = "/overview";
	response->notice = "password";
	return begin_session(request, &account, response, err);
}

/* ---- how pages look ---- */

static int
keep_language(struct request *request, const char *tag, struct err *err)
{
	struct account account = { .role = ROLE_NONE }, before;
	struct edit edit;
	int rc;

	if (request->principal->user == NULL)
		return 0;
	rc = users_get(request->api->store, request->arena,
	    request->principal->user, &account, err);
	if (rc < 1)
		return rc;
	before = account;
	account.language = tag;
	account.password = NULL;
	request_edit(request, &edit);
	return request_edited(request, &edit,
	    users_put(&edit, &account, &before, NULL, err));
}

int
handle_preferences(struct request *request, struct response *response,
    struct err *err)
{
	static const char *const themes[] = { "auto", "light", "dark" };
	const char *tag;
	int theme;

	if (request_text(request, "language", &tag, err) < 0 ||
	    request_word(request, "theme", themes, 3, -1, &theme, err) < 0)
		return -1;
	if (tag != NULL && language_parse(tag) < 0)
		return request_refuse(request, 400, "language", err,
		    "language: there is no language '%s'", tag);
	if (tag != NULL && keep_language(request, tag, err) < 0)
		return -1;
	response->language =
	    tag != NULL ? arena_strdup(request->arena, tag) : NULL;
	response->theme = theme >= 0 ? themes[theme] : NULL;
	response->notice = "preferences";
	response->model = json_pack("{s:s?, s:s?}", "language", tag, "theme",
	    response->theme);
	return 0;
}
