/*
 * handlers_users.c - accounts: who may sign in, and as what.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <string.h>

#include "base/i18n.h"
#include "mail/address.h"
#include "policy/settings_show.h"
#include "webui/handlers.h"
#include "webui/password.h"
#include "webui/request.h"
#include "webui/sign_in.h"
#include "webui/users.h"

#define LIST_DEFAULT 500

/* ---- models ---- */

static json_t *
account_model(struct request *request, const struct account *account)
{
	json_t *domains = json_array();
	size_t i;

	for (i = 0; i < account->domain_count; i++)
		json_array_append_new(domains,
		    json_string(account->domains[i]));
	return json_pack("{s:s, s:s, s:o, s:s?, s:s?, s:b, s:b, s:s, s:I, s:b}",
	    "name", account->name, "role", role_name(account->role), "domains",
	    domains, "mailbox",
	    account->mailbox != NULL
		? show_address(request->arena, account->mailbox)
		: NULL,
	    "language", account->language, "disabled", account->disabled,
	    "must_change", account->must_change, "added_by", account->added_by,
	    "added", (json_int_t)account->added_s * 1000, "self",
	    request->principal->user != NULL &&
		strcmp(request->principal->user, account->name) == 0);
}

int
handle_users(struct request *request, struct response *response,
    struct err *err)
{
	struct account *accounts;
	const char *after, *next = NULL;
	json_t *users;
	size_t n, limit, i;

	if (request_text(request, "after", &after, err) < 0 ||
	    request_limit(request, LIST_DEFAULT, &limit, err) < 0 ||
	    users_list(request->api->store, request->arena, &accounts, &n,
		err) < 0)
		return -1;
	users = json_array();
	for (i = 0; i < n; i++) {
		if (!users_may_manage(request->principal, &accounts[i]) ||
		    (after != NULL && strcmp(accounts[i].name, after) <= 0))
			continue;
		if (json_array_size(users) == limit) {
			next = json_string_value(
			    json_object_get(json_array_get(users, limit - 1),
				"name"));
			break;
		}
		json_array_append_new(users,
		    account_model(request, &accounts[i]));
	}
	response->model =
	    json_pack("{s:o, s:s?}", "users", users, "next", next);
	return 0;
}

/* As it is stored now, with what was generated, or NULL. */
static int
answer_user(struct request *request, const char *name, const char *password,
    struct response *response, struct err *err)
{
	struct store *store = request->api->store;
	struct account account;
	int64_t locked;
	int rc = users_get(store, request->arena, name, &account, err);

	if (rc == 0)
		return request_refuse(request, 404, "name", err,
		    "name: there is no user %s", name);
	locked = rc < 0 ? -1 : sign_in_locked(store, request->arena, name, err);
	if (locked < 0)
		return -1;
	response->model = account_model(request, &account);
	json_object_set_new(response->model, "locked_for",
	    json_integer((json_int_t)locked));
	if (password == NULL)
		return 0;
	json_object_set_new(response->model, "password", json_string(password));
	/* It is shown this once. */
	response->show = true;
	return 0;
}

int
handle_user_show(struct request *request, struct response *response,
    struct err *err)
{
	return answer_user(request, request->account->name, NULL, response,
	    err);
}

/* ---- changes ---- */

static int
take_role(struct request *request, struct account *account, struct err *err)
{
	const char *word;
	int role;

	if (request_text(request, "role", &word, err) < 0)
		return -1;
	if (word == NULL)
		return 0;
	role = role_parse(word);
	if (role < 0)
		return request_refuse(request, 400, "role", err,
		    "role: must be operator, postmaster, domain-admin, "
		    "releaser or mail-user");
	account->role = (enum role)role;
	return 0;
}

static int
take_domains(struct request *request, struct account *account, struct err *err)
{
	json_t *list, *item;
	const char **domains;
	struct err why;
	size_t i, n = 0;

	if (request_value(request, "domains") == NULL)
		return 0;
	list = request_list(request, "domains", err);
	if (list == NULL)
		return -1;
	domains = arena_calloc(request->arena, json_array_size(list),
	    sizeof(*domains));
	json_array_foreach(list, i, item)
	{
		if (n == USER_DOMAINS_MAX || !json_is_string(item) ||
		    domain_normalize(request->arena,
			bytes_trim(bytes_of(json_string_value(item))),
			&domains[n++], &why) < 0) {
			json_decref(list);
			return request_refuse(request, 400, "domains", err,
			    "domains: must be at most %d names of domains",
			    USER_DOMAINS_MAX);
		}
	}
	json_decref(list);
	account->domains = domains;
	account->domain_count = n;
	return 0;
}

static int
take_mailbox(struct request *request, struct account *account, struct err *err)
{
	struct address address;
	const char *text;
	struct err why;

	if (request_text(request, "mailbox", &text, err) < 0)
		return -1;
	if (text == NULL)
		return 0;
	if (address_parse(request->arena, bytes_trim(bytes_of(text)), &address,
		&why) < 0 ||
	    address.local[0] == '\0' || address.domain[0] == '\0')
		return request_refuse(request, 400, "mailbox", err,
		    "mailbox: '%s' is no address", text);
	account->mailbox = address.key;
	return 0;
}

static int
take_rest(struct request *request, struct account *account, struct err *err)
{
	const char *tag;

	if (request_text(request, "language", &tag, err) < 0)
		return -1;
	if (tag != NULL && strcmp(tag, "auto") == 0)
		account->language = NULL;
	else if (tag != NULL && language_parse(tag) < 0)
		return request_refuse(request, 400, "language", err,
		    "language: there is no language '%s'", tag);
	else if (tag != NULL)
		account->language = tag;
	if (request_value(request, "disabled") != NULL &&
	    request_flag(request, "disabled", &account->disabled, err) < 0)
		return -1;
	return 0;
}

/* What a role needs is there, what it does not is not, and the one who asks
 * may give all of it. */
static int
check_account(struct request *request, struct account *account, struct err *err)
{
	bool of_domains = account->role == ROLE_DOMAIN_ADMIN ||
	    account->role == ROLE_RELEASER;

	if (account->role == ROLE_NONE)
		return request_refuse(request, 400, "role", err,
		    "role: must be given");
	if (of_domains && account->domain_count == 0)
		return request_refuse(request, 400, "domains", err,
		    "domains: a %s has at least one", role_name(account->role));
	if (account->role == ROLE_MAIL_USER && account->mailbox == NULL)
		return request_refuse(request, 400, "mailbox", err,
		    "mailbox: a mail user has one");
	if (!of_domains)
		account->domain_count = 0;
	if (account->role != ROLE_MAIL_USER)
		account->mailbox = NULL;
	if (!users_may_manage(request->principal, account))
		return request_refuse(request, 403, "role", err,
		    "role: you may only make releasers and mail users of your "
		    "own domains");
	return 0;
}

/*
 * "password" sets one, "generate" makes one; *shown: what was made, or NULL.
 * Whoever gets a password from another must change it.
 */
static int
take_password(struct request *request, struct account *account, bool needed,
    const char **shown, struct err *err)
{
	const char *password;
	bool generate;

	*shown = NULL;
	account->password = NULL;
	if (request_text(request, "password", &password, err) < 0 ||
	    request_flag(request, "generate", &generate, err) < 0)
		return -1;
	if (password != NULL &&
	    user_password_check(account->name, password, err) < 0)
		return request_refuse(request, 400, "password", err, "%s",
		    err->text);
	if (password == NULL && (needed || generate))
		password = *shown = user_password_generate(request->arena);
	if (password == NULL)
		return 0;
	account->must_change = true;
	account->password = password_hash(request->api->passwords,
	    request->arena, password, err);
	return account->password != NULL ? 0 : -1;
}

/* before: as it was read, NULL for a new one. */
static int
put_account(struct request *request, struct account *account,
    const struct account *before, struct response *response, struct err *err)
{
	const char *shown;
	struct edit edit;

	if (take_role(request, account, err) < 0 ||
	    take_domains(request, account, err) < 0 ||
	    take_mailbox(request, account, err) < 0 ||
	    take_rest(request, account, err) < 0 ||
	    check_account(request, account, err) < 0 ||
	    take_password(request, account, before == NULL, &shown, err) < 0)
		return -1;
	request_edit(request, &edit);
	if (request_edited(request, &edit,
		users_put(&edit, account, before, NULL, err)) < 0)
		return -1;
	return answer_user(request, account->name, shown, response, err);
}

int
handle_user_add(struct request *request, struct response *response,
    struct err *err)
{
	struct account account = { .role = ROLE_NONE };
	const char *text;

	if (request_need_text(request, "name", &text, err) < 0)
		return -1;
	if (user_name_normalize(request->arena, text, &account.name, err) < 0)
		return request_refuse(request, 400, "name", err, "%s",
		    err->text);
	response->location = "/users";
	return put_account(request, &account, NULL, response, err);
}

int
handle_user_set(struct request *request, struct response *response,
    struct err *err)
{
	struct account account = *request->account;
	bool unlock;

	if (request_flag(request, "unlock", &unlock, err) < 0)
		return -1;
	if (unlock &&
	    sign_in_unlock(request->api->store, request->arena, account.name,
		err) < 0)
		return -1;
	return put_account(request, &account, request->account, response, err);
}

int
handle_user_remove(struct request *request, struct response *response,
    struct err *err)
{
	const char *name = request->account->name;
	struct edit edit;
	bool changed;

	request_edit(request, &edit);
	if (request_edited(request, &edit,
		users_remove(&edit, name, &changed, err)) < 0)
		return -1;
	response->location = "/users";
	response->model =
	    json_pack("{s:s, s:b}", "name", name, "changed", changed);
	return 0;
}
