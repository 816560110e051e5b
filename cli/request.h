/*
 * request.h - commands that are requests to the API (doc/api.md), made in
 * this process.
 *
 * A row says which route, where its parameters come from on the command
 * line, and how the answer is shown to people.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef CLI_REQUEST_H
#define CLI_REQUEST_H

#include "webui/api.h"

#include "cli/cli.h"

/* ---- a session: the API opened as whoever runs us ---- */

struct cli_session {
	struct cli *cli;
	struct conf *conf;
	struct api *api;
	struct principal principal;
};

/* -1 with *err: bad configuration, or the store is away. */
int session_open(struct cli *cli, struct cli_session *session, struct err *err);
void session_close(struct cli_session *session);

/*
 * One request; the parameters are its query or its body.  0, or -1 with
 * what the API says is wrong; model (may be NULL) and content of the answer
 * are the caller's either way.
 */
int session_request(struct cli_session *session, enum method method,
    const char *path, json_t *take_parameters, struct response *response,
    struct err *err);
/* The same for a model; NULL with *err. */
json_t *session_get(struct cli_session *session, const char *path,
    json_t *take_query, struct err *err);
json_t *session_post(struct cli_session *session, const char *path,
    json_t *take_body, struct err *err);

/* "/quarantine/:id" with the operand in it. */
const char *request_path(struct cli *cli, const char *pattern,
    const char *value);

/* ---- requests by table ---- */

enum field_from {
	FIELD_END,
	FIELD_OPERAND,     /* the nth operand; left out when not given */
	FIELD_OPERANDS,    /* all operands from the nth on: an array */
	FIELD_ASSIGNMENTS, /* the same, "name=value": an object; with
			    * --unset NAME, null */
	FIELD_OPTION,      /* --name VALUE */
	FIELD_FLAG,        /* --name: true */
	FIELD_TIME,        /* --name: a past time, as milliseconds */
	FIELD_EXPIRY,      /* --name: a time to come */
	FIELD_TRUE,        /* always */
};

struct request_field {
	const char *name; /* of the parameter; ":" as a name: of the path */
	enum field_from from;
	size_t operand;
	const char *option; /* NULL: as name */
};

#define REQUEST_FIELDS_MAX 16

struct cli_request {
	enum method method;
	const char *path; /* ":x" stands for the parameter ":" */
	struct request_field fields[REQUEST_FIELDS_MAX];
	/* Not called for --json. */
	void (*show)(struct cli *cli, json_t *model);
};

/* `run` of a command whose context is a struct cli_request. */
int request_run(struct cli *cli, const struct cli_args *args);
/* The parameters alone; NULL with the misuse reported.  *segment: the value
 * for the path, or NULL. */
json_t *request_parameters(const struct cli *cli, const struct cli_args *args,
    const struct cli_request *request, const char **segment);

#endif
