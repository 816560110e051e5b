/*
 * request.c - commands that are requests to the API, made in this process.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/conf.h"

#include "cli/request.h"
#include "cli/when.h"

#define SEGMENT_MAX 1024

/* ---- a session ---- */

/* Behind sudo it is the person, not root, who did it. */
static const char *
actor(struct arena *arena)
{
	const char *sudo = getenv("SUDO_USER");
	const struct passwd *passwd;

	if (geteuid() == 0 && sudo != NULL && sudo[0] != '\0')
		return arena_printf(arena, "cli:%s", sudo);
	passwd = getpwuid(geteuid());
	if (passwd == NULL)
		return arena_printf(arena, "cli:%lu", (unsigned long)geteuid());
	return arena_printf(arena, "cli:%s", passwd->pw_name);
}

int
session_open(struct cli *cli, struct cli_session *session, struct err *err)
{
	memset(session, 0, sizeof(*session));
	session->cli = cli;
	session->principal.role = ROLE_OPERATOR;
	session->principal.actor = actor(cli->arena);
	session->conf = conf_load(cli->config, err);
	if (session->conf == NULL)
		return -1;
	session->api = api_open(session->conf, err);
	if (session->api == NULL) {
		session_close(session);
		return -1;
	}
	return 0;
}

void
session_close(struct cli_session *session)
{
	if (session->api != NULL)
		api_close(session->api);
	conf_free(session->conf);
	session->api = NULL;
	session->conf = NULL;
}

/* What the API says is wrong. */
static int
api_error(const struct response *response, struct err *err)
{
	const json_t *error = json_object_get(response->model, "error");
	const char *text = json_string_value(json_object_get(error, "text"));
	enum err_kind kind = response->status == 503 ? ERR_TEMP : ERR_INPUT;

	if (text == NULL)
		return err_set(err, kind, "refused with status %d",
		    response->status);
	return err_set(err, kind, "%s", text);
}

int
session_request(struct cli_session *session, enum method method,
    const char *path, json_t *take_parameters, struct response *response,
    struct err *err)
{
	json_t *none = json_object();
	bool reads = method == METHOD_GET;
	int rc = 0;

	memset(response, 0, sizeof(*response));
	api_dispatch(session->api, session->cli->arena, &session->principal,
	    method, path, reads ? take_parameters : none,
	    reads ? none : take_parameters, response);
	if (response->status >= 300)
		rc = api_error(response, err);
	json_decref(take_parameters);
	json_decref(none);
	return rc;
}

static json_t *
session_model(struct cli_session *session, enum method method, const char *path,
    json_t *take_parameters, struct err *err)
{
	struct response response;

	int rc = session_request(session, method, path, take_parameters,
	    &response, err);

	free(response.content);
	if (rc == 0)
		return response.model != NULL ? response.model : json_object();
	json_decref(response.model);
	return NULL;
}

json_t *
session_get(struct cli_session *session, const char *path, json_t *take_query,
    struct err *err)
{
	return session_model(session, METHOD_GET, path, take_query, err);
}

json_t *
session_post(struct cli_session *session, const char *path, json_t *take_body,
    struct err *err)
{
	return session_model(session, METHOD_POST, path, take_body, err);
}

const char *
request_path(struct cli *cli, const char *pattern, const char *value)
{
	const char *colon = strchr(pattern, ':');

	if (colon == NULL || value == NULL)
		return pattern;
	return arena_printf(cli->arena, "%.*s%s%s", (int)(colon - pattern),
	    pattern, value, colon + strcspn(colon, "/"));
}

/* ---- parameters ---- */

struct builder {
	const struct cli *cli;
	const struct cli_args *args;
	json_t *parameters;
	const char *segment;
};

static int
misuse(const struct builder *builder, const char *text, const char *what)
{
	cli_misuse(builder->cli, builder->args->command, "%s: %s", what, text);
	return -1;
}

/* Words of the command line are bytes; the API takes UTF-8. */
static int
set_text(struct builder *builder, json_t *object, const char *name,
    const char *value)
{
	json_t *text = json_string(value);

	if (text == NULL)
		return misuse(builder, "is not UTF-8", name);
	json_object_set_new(object, name, text);
	return 0;
}

static int
take_operand(struct builder *builder, const struct request_field *field)
{
	const char *value;

	if (field->operand >= builder->args->operand_count)
		return 0;
	value = builder->args->operands[field->operand];
	if (strcmp(field->name, ":") != 0)
		return set_text(builder, builder->parameters, field->name,
		    value);
	/* One segment of a path, and nothing else. */
	if (value[0] == '\0' || strlen(value) > SEGMENT_MAX ||
	    value[strcspn(value, "/?#%")] != '\0')
		return misuse(builder, "cannot be the name of anything", value);
	builder->segment = value;
	return 0;
}

static int
take_operands(struct builder *builder, const struct request_field *field)
{
	json_t *array = json_array(), *text;
	size_t i;

	json_object_set_new(builder->parameters, field->name, array);
	for (i = field->operand; i < builder->args->operand_count; i++) {
		text = json_string(builder->args->operands[i]);
		if (text == NULL)
			return misuse(builder, "is not UTF-8", field->name);
		json_array_append_new(array, text);
	}
	return 0;
}

static int
take_assignment(struct builder *builder, json_t *object, const char *word)
{
	size_t len = strcspn(word, "=");
	const char *name;

	if (word[len] != '=' || len == 0)
		return misuse(builder, "wants the form name=value", word);
	name = arena_memdup(builder->cli->arena, word, len);
	return set_text(builder, object, name, word + len + 1);
}

static int
take_assignments(struct builder *builder, const struct request_field *field)
{
	json_t *object = json_object();
	const struct cli_args *args = builder->args;
	size_t i;

	json_object_set_new(builder->parameters, field->name, object);
	for (i = field->operand; i < args->operand_count; i++)
		if (take_assignment(builder, object, args->operands[i]) < 0)
			return -1;
	for (i = 0; i < args->option_count; i++)
		if (strcmp(args->options[i].option->name, "unset") == 0)
			json_object_set_new(object, args->options[i].value,
			    json_null());
	return 0;
}

static int
take_time(struct builder *builder, const struct request_field *field,
    const char *value)
{
	struct err err;
	int64_t ms;

	if ((field->from == FIELD_TIME
		    ? when_parse_past(value, &ms, &err)
		    : when_parse_future(value, &ms, &err)) < 0)
		return misuse(builder, err.text, field->name);
	json_object_set_new(builder->parameters, field->name, json_integer(ms));
	return 0;
}

static int
take_field(struct builder *builder, const struct request_field *field)
{
	const char *option =
	    field->option != NULL ? field->option : field->name;
	const char *value;

	switch (field->from) {
	case FIELD_OPERAND:
		return take_operand(builder, field);
	case FIELD_OPERANDS:
		return take_operands(builder, field);
	case FIELD_ASSIGNMENTS:
		return take_assignments(builder, field);
	case FIELD_TRUE:
		json_object_set_new(builder->parameters, field->name,
		    json_true());
		return 0;
	case FIELD_END:
	case FIELD_OPTION:
	case FIELD_FLAG:
	case FIELD_TIME:
	case FIELD_EXPIRY:
		break;
	}
	value = cli_option(builder->args, option);
	if (value == NULL)
		return 0;
	if (field->from == FIELD_OPTION)
		return set_text(builder, builder->parameters, field->name,
		    value);
	if (field->from != FIELD_FLAG)
		return take_time(builder, field, value);
	json_object_set_new(builder->parameters, field->name, json_true());
	return 0;
}

json_t *
request_parameters(const struct cli *cli, const struct cli_args *args,
    const struct cli_request *request, const char **segment)
{
	struct builder builder = { .cli = cli,
		.args = args,
		.parameters = json_object() };
	const struct request_field *field;

	for (field = request->fields; field->from != FIELD_END; field++)
		if (take_field(&builder, field) < 0) {
			json_decref(builder.parameters);
			return NULL;
		}
	*segment = builder.segment;
	return builder.parameters;
}

int
request_run(struct cli *cli, const struct cli_args *args)
{
	const struct cli_request *request = args->command->context;
	struct cli_session session;
	const char *segment;
	json_t *parameters, *model;
	struct err err;

	parameters = request_parameters(cli, args, request, &segment);
	if (parameters == NULL)
		return EXIT_WRONG_USE;
	if (session_open(cli, &session, &err) < 0) {
		json_decref(parameters);
		return cli_fail(cli, &err);
	}
	model = session_model(&session, request->method,
	    request_path(cli, request->path, segment), parameters, &err);
	session_close(&session);
	if (model == NULL)
		return cli_fail(cli, &err);
	if (cli->json)
		cli_print_json(json_incref(model));
	else
		request->show(cli, model);
	json_decref(model);
	return EXIT_DONE;
}
