/*
 * users.c - who may sign in: accounts in the store.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/store.h"
#include "base/str.h"
#include "base/utf8.h"
#include "policy/edit_rows.h"
#include "policy/settings_keys.h"
#include "webui/password.h"
#include "webui/users.h"

#define OBJECT_PREFIX "user:"
#define FIRST_USER "operator"
/* 20 characters of 32: 100 bits. */
#define GENERATED_LEN 20

/* ---- names and passwords ---- */

int
user_name_normalize(struct arena *arena, const char *text, const char **name,
    struct err *err)
{
	static const char letters[] =
	    "abcdefghijklmnopqrstuvwxyz0123456789._@+-";
	char *lower = arena_strdup(arena, text);

	ascii_lowercase(lower);
	if (lower[0] == '\0' || strlen(lower) > USER_NAME_MAX ||
	    lower[strspn(lower, letters)] != '\0' || !ascii_is_alnum(lower[0]))
		return err_set(err, ERR_INPUT,
		    "name: must be 1 to %d letters, digits and . _ @ + -, the "
		    "first a letter or digit",
		    USER_NAME_MAX);
	*name = lower;
	return 0;
}

static size_t
count_characters(struct bytes text)
{
	size_t n = 0, len;

	for (; (len = utf8_char_len(text)) > 0; n++) {
		text.data += len;
		text.len -= len;
	}
	return n;
}

int
user_password_check(const char *name, const char *password, struct err *err)
{
	if (count_characters(bytes_of(password)) < USER_PASSWORD_MIN)
		return err_set(err, ERR_INPUT,
		    "password: must have at least %d characters",
		    USER_PASSWORD_MIN);
	if (strlen(password) > USER_PASSWORD_MAX)
		return err_set(err, ERR_INPUT,
		    "password: must have at most %d octets", USER_PASSWORD_MAX);
	if (str_has_nocase(name, password) || str_has_nocase(password, name))
		return err_set(err, ERR_INPUT,
		    "password: must not hold the name of the user");
	return 0;
}

const char *
user_password_generate(struct arena *arena)
{
	/* None that are taken for others; 32, so that no bit is uneven. */
	static const char letters[] = "abcdefghijkmnpqrstuvwxyz23456789";
	uint8_t random[GENERATED_LEN];
	struct buf text;
	const char *password;
	size_t i;

	random_bytes(random, sizeof(random));
	buf_init(&text, 2 * sizeof(random));
	for (i = 0; i < sizeof(random); i++) {
		if (i > 0 && i % 5 == 0)
			(void)buf_append_char(&text, '-');
		(void)buf_append_char(&text, letters[random[i] % 32]);
	}
	password = arena_strdup(arena, buf_str(&text));
	secret_wipe(text.data, text.size);
	buf_free(&text);
	return password;
}

/* ---- reading ---- */

static const char *
object_of(struct arena *arena, const char *name)
{
	return arena_printf(arena, OBJECT_PREFIX "%s", name);
}

static void
take_stamp(struct account *account)
{
	uint8_t digest[SHA256_LEN];
	struct sha256 *hash = sha256_new();

	sha256_update(hash, account->password, strlen(account->password));
	sha256_final(hash, digest);
	sha256_free(hash);
	str_hex(digest, (USER_STAMP_SIZE - 1) / 2, account->stamp);
}

static void
take_domains(struct arena *arena, const char *text, struct account *account)
{
	json_t *list = edit_split_list(text), *item;
	const char **domains =
	    arena_calloc(arena, json_array_size(list), sizeof(*domains));
	size_t i;

	json_array_foreach(list, i, item) domains[i] =
	    arena_strdup(arena, json_string_value(item));
	account->domains = domains;
	account->domain_count = json_array_size(list);
	json_decref(list);
}

static void
take_made(struct arena *arena, struct bytes value, struct account *account)
{
	json_t *made = json_loadb(value.data, value.len, 0, NULL);
	const char *by = json_string_value(json_object_get(made, "added_by"));

	account->added_by = arena_strdup(arena, by != NULL ? by : "");
	account->added_s = json_integer_value(json_object_get(made, "added_s"));
	json_decref(made);
}

/* What is not known is passed over, as of all settings. */
static void
take_field(struct arena *arena, struct bytes name, struct bytes value,
    struct account *account)
{
	const char *text = arena_memdup(arena, value.data, value.len);
	int role;

	if (bytes_equal(name, BYTES_LIT("role"))) {
		role = role_parse(text);
		account->role = role < 0 ? ROLE_NONE : (enum role)role;
	} else if (bytes_equal(name, BYTES_LIT("domains"))) {
		take_domains(arena, text, account);
	} else if (bytes_equal(name, BYTES_LIT("mailbox"))) {
		account->mailbox = text;
	} else if (bytes_equal(name, BYTES_LIT("language"))) {
		account->language = text;
	} else if (bytes_equal(name, BYTES_LIT("disabled"))) {
		account->disabled = strcmp(text, "no") != 0;
	} else if (bytes_equal(name, BYTES_LIT("must_change"))) {
		account->must_change = strcmp(text, "no") != 0;
	} else if (bytes_equal(name, BYTES_LIT("password"))) {
		account->password = text;
		take_stamp(account);
	} else if (bytes_equal(name, BYTES_LIT("made"))) {
		take_made(arena, value, account);
	}
}

/* false: there is nothing. */
static bool
take_account(struct arena *arena, const char *name,
    const struct store_reply *reply, struct account *account)
{
	size_t i;

	memset(account, 0, sizeof(*account));
	if (reply->type != STORE_ARRAY || reply->count == 0)
		return false;
	account->name = name;
	account->added_by = "";
	for (i = 0; i + 1 < reply->count; i += 2)
		take_field(arena, reply->items[i].text,
		    reply->items[i + 1].text, account);
	return true;
}

int
users_get(struct store *store, struct arena *arena, const char *name,
    struct account *account, struct err *err)
{
	const char *key =
	    arena_printf(arena, SETTINGS_KEY_PREFIX OBJECT_PREFIX "%s", name);
	struct store_reply *reply;
	bool there;

	if (store_runf(store, key, &reply, err, "HGETALL %s", key) < 0)
		return -1;
	there = take_account(arena, arena_strdup(arena, name), reply, account);
	store_reply_free(reply);
	return there ? 1 : 0;
}

static int
compare_names(const void *a, const void *b)
{
	return strcmp(((const struct account *)a)->name,
	    ((const struct account *)b)->name);
}

int
users_list(struct store *store, struct arena *arena, struct account **accounts,
    size_t *n, struct err *err)
{
	struct store_reply *reply;
	const char *name;
	size_t i, count = 0;
	int rc = 0;

	if (store_runf(store, SETTINGS_KEY_USERS, &reply, err, "SMEMBERS %s",
		SETTINGS_KEY_USERS) < 0)
		return -1;
	*accounts = arena_calloc(arena, reply->count, sizeof(**accounts));
	for (i = 0; i < reply->count && rc >= 0; i++) {
		name = reply->items[i].text.data;
		if (strncmp(name, OBJECT_PREFIX, strlen(OBJECT_PREFIX)) != 0)
			continue;
		rc = users_get(store, arena, name + strlen(OBJECT_PREFIX),
		    &(*accounts)[count], err);
		count += rc > 0;
	}
	store_reply_free(reply);
	if (rc < 0)
		return -1;
	if (count > 0)
		qsort(*accounts, count, sizeof(**accounts), compare_names);
	*n = count;
	return 0;
}

/* ---- whose they are ---- */

bool
users_may_manage(const struct principal *principal,
    const struct account *account)
{
	size_t i;

	if (principal->role == ROLE_OPERATOR)
		return true;
	if (principal->role != ROLE_DOMAIN_ADMIN)
		return false;
	if (account->role == ROLE_MAIL_USER)
		return account->mailbox != NULL &&
		    principal_has_mailbox(principal, account->mailbox);
	if (account->role != ROLE_RELEASER || account->domain_count == 0)
		return false;
	for (i = 0; i < account->domain_count; i++)
		if (!principal_has_domain(principal, account->domains[i]))
			return false;
	return true;
}

/* ---- changing ---- */

static bool
is_working_operator(const struct account *account)
{
	return account->role == ROLE_OPERATOR && !account->disabled;
}

/* Would an operator be left beside this account? */
static int
require_operator(struct edit_work *work, const char *name, struct err *err)
{
	struct account *accounts;
	size_t n, i;

	if (users_list(work->edit->store, work->arena, &accounts, &n, err) < 0)
		return -1;
	for (i = 0; i < n; i++)
		if (strcmp(accounts[i].name, name) != 0 &&
		    is_working_operator(&accounts[i]))
			return 0;
	return edit_refuse(work->edit, EDIT_IN_USE, "name", err,
	    "name: %s is the last operator who can sign in", name);
}

struct put {
	const struct account *account;
	const struct account *before; /* NULL: it is made */
};

static bool
same_text(const char *a, const char *b)
{
	return strcmp(a != NULL ? a : "", b != NULL ? b : "") == 0;
}

static bool
same_account(const struct account *a, const struct account *b)
{
	size_t i;

	if (a->role != b->role || a->disabled != b->disabled ||
	    a->must_change != b->must_change ||
	    !same_text(a->mailbox, b->mailbox) ||
	    !same_text(a->language, b->language) ||
	    strcmp(a->stamp, b->stamp) != 0 ||
	    a->domain_count != b->domain_count)
		return false;
	for (i = 0; i < a->domain_count; i++)
		if (strcmp(a->domains[i], b->domains[i]) != 0)
			return false;
	return true;
}

static const char *
join_domains(struct arena *arena, const struct account *account)
{
	const char *text;
	struct buf joined;
	size_t i;

	buf_init(&joined, SIZE_MAX);
	for (i = 0; i < account->domain_count; i++)
		(void)buf_printf(&joined, "%s%s", i > 0 ? " " : "",
		    account->domains[i]);
	text = arena_strdup(arena, buf_str(&joined));
	buf_free(&joined);
	return text;
}

/* An empty value is that of nothing. */
static int
put_text(struct edit_work *work, const char *object, const char *field,
    const char *value, struct err *err)
{
	struct bytes before = { NULL, 0 };

	if (edit_read(work, object, field, &before, err) < 0)
		return -1;
	if (value != NULL && value[0] != '\0')
		edit_set(work, object, field, before,
		    bytes_of(arena_strdup(work->arena, value)));
	else
		edit_unset(work, object, field, before);
	return 0;
}

static int
put_password(struct edit_work *work, const char *object, const char *password,
    struct err *err)
{
	struct bytes before = { NULL, 0 };

	if (password == NULL)
		return 0;
	if (edit_read(work, object, "password", &before, err) < 0)
		return -1;
	edit_set_secret(work, object, "password", before, bytes_of(password));
	return 0;
}

static int
check_there(struct edit_work *work, const struct put *put, struct err *err)
{
	const char *name = put->account->name;
	struct account now;
	int rc = users_get(work->edit->store, work->arena, name, &now, err);

	if (rc < 0)
		return -1;
	if (rc == 1 && put->before == NULL)
		return edit_refuse(work->edit, EDIT_EXISTS, "name", err,
		    "name: there is a user %s already", name);
	if (rc == 0 && put->before != NULL)
		return edit_refuse(work->edit, EDIT_NOT_FOUND, "name", err,
		    "name: there is no user %s", name);
	if (rc == 1 && !same_account(put->before, &now))
		return edit_refuse(work->edit, EDIT_IN_USE, NULL, err,
		    "the settings were changed meanwhile");
	if (rc == 1 && is_working_operator(&now) &&
	    !is_working_operator(put->account))
		return require_operator(work, name, err);
	return 0;
}

static int
prepare_put(struct edit_work *work, void *context, struct err *err)
{
	const struct put *put = context;
	const struct account *account = put->account;
	const char *object = object_of(work->arena, account->name);
	json_t *made;

	if (check_there(work, put, err) < 0)
		return -1;
	if (put->before == NULL) {
		made = json_pack("{s:s, s:I}", "added_by", work->edit->actor,
		    "added_s", (json_int_t)clock_wall_s());
		edit_set(work, object, "made", (struct bytes){ NULL, 0 },
		    edit_json_bytes(work->arena, made));
		json_decref(made);
	}
	if (put_text(work, object, "role", role_name(account->role), err) < 0 ||
	    put_text(work, object, "domains",
		join_domains(work->arena, account), err) < 0 ||
	    put_text(work, object, "mailbox", account->mailbox, err) < 0 ||
	    put_text(work, object, "language", account->language, err) < 0 ||
	    put_text(work, object, "disabled", account->disabled ? "yes" : NULL,
		err) < 0 ||
	    put_text(work, object, "must_change",
		account->must_change ? "yes" : NULL, err) < 0)
		return -1;
	return put_password(work, object, account->password, err);
}

int
users_put(struct edit *edit, const struct account *account,
    const struct account *before, bool *changed, struct err *err)
{
	struct put put = { account, before };
	const struct edit_subject subject = {
		.action = before == NULL ? "user.add" : "user.set",
	};

	return edit_run(edit, &subject, prepare_put, &put, changed, err);
}

static int
prepare_remove(struct edit_work *work, void *context, struct err *err)
{
	const char *name = context;
	const char *object = object_of(work->arena, name);
	struct edit_fields fields;
	struct account now;
	size_t i;
	int rc = users_get(work->edit->store, work->arena, name, &now, err);

	if (rc < 1)
		return rc;
	if (is_working_operator(&now) && require_operator(work, name, err) < 0)
		return -1;
	if (edit_read_all(work, object, &fields, err) < 0)
		return -1;
	for (i = 0; i < fields.count; i++)
		if (bytes_equal(fields.names[i], BYTES_LIT("password")))
			fields.values[i] = BYTES_LIT("***");
	edit_drop(work, object, &fields);
	return 0;
}

int
users_remove(struct edit *edit, const char *name, bool *changed,
    struct err *err)
{
	const struct edit_subject subject = { .action = "user.remove" };

	return edit_run(edit, &subject, prepare_remove, (void *)(uintptr_t)name,
	    changed, err);
}

/* ---- the first ---- */

static int
prepare_first(struct edit_work *work, void *context, struct err *err)
{
	struct edit_fields names;
	struct put put = { context, NULL };

	if (edit_read_users(work, &names, err) < 0)
		return -1;
	return names.count > 0 ? 0 : prepare_put(work, &put, err);
}

int
users_bootstrap(struct store *store, struct arena *arena, const char **password,
    struct err *err)
{
	const struct edit_subject subject = { .action = "user.add" };
	struct edit edit = { .store = store, .actor = "sekimori-web" };
	struct account first = { .name = FIRST_USER,
		.role = ROLE_OPERATOR,
		.must_change = true };
	struct password_gate *gate;
	struct account *accounts;
	bool changed = false;
	size_t n;

	/* Most starts need no hash. */
	if (users_list(store, arena, &accounts, &n, err) < 0)
		return -1;
	if (n > 0)
		return 0;
	gate = password_gate_new();
	*password = user_password_generate(arena);
	first.password = password_hash(gate, arena, *password, err);
	password_gate_free(gate);
	if (first.password == NULL ||
	    edit_run(&edit, &subject, prepare_first, &first, &changed, err) < 0)
		return -1;
	return changed ? 1 : 0;
}
