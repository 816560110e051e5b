/*
 * handlers_log.c - the history of mail, the audit of settings, the state of
 * things.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/netaddr.h"
#include "base/store.h"
#include "policy/settings_show.h"
#include "quarantine/totals.h"
#include "webui/handlers.h"
#include "webui/history.h"
#include "webui/metrics.h"
#include "webui/request.h"

#define LIST_DEFAULT 50
#define DAY_MS (86400LL * 1000)

/* ---- log ---- */

static int
check_client(struct request *request, const char *client, struct err *err)
{
	struct network network;
	struct err why;

	if (client == NULL ||
	    network_parse(bytes_of(client), &network, &why) == 0)
		return 0;
	return request_refuse(request, 400, "client", err, "client: %s",
	    why.text);
}

static int
take_query(struct request *request, struct history_query *query,
    struct err *err)
{
	memset(query, 0, sizeof(*query));
	query->domain = request->mailbox == NULL ? request->domain : NULL;
	query->mailbox = request->mailbox;
	if (request_text(request, "id", &query->id, err) < 0 ||
	    request_text(request, "sender", &query->sender, err) < 0 ||
	    request_text(request, "recipient", &query->recipient, err) < 0 ||
	    request_text(request, "subject", &query->subject, err) < 0 ||
	    request_text(request, "message_id", &query->message_id, err) < 0 ||
	    request_text(request, "class", &query->class, err) < 0 ||
	    request_text(request, "status", &query->status, err) < 0 ||
	    request_text(request, "client", &query->client, err) < 0 ||
	    request_number(request, "since", 0, INT64_MAX, 0, &query->since_ms,
		err) < 0 ||
	    request_number(request, "until", 0, INT64_MAX, 0, &query->until_ms,
		err) < 0)
		return -1;
	return check_client(request, query->client, err);
}

int
handle_log(struct request *request, struct response *response, struct err *err)
{
	struct history_query query;
	const char *before;
	char *next = NULL;
	json_t *rows;
	size_t limit;

	if (take_query(request, &query, err) < 0 ||
	    request_text(request, "before", &before, err) < 0 ||
	    request_limit(request, LIST_DEFAULT, &limit, err) < 0)
		return -1;
	if (web_history_search(request, &query, before, limit, &rows, &next,
		err) < 0)
		return -1;
	response->model = json_pack("{s:o, s:s?}", "rows", rows, "next", next);
	free(next);
	return 0;
}

/* ---- audit ---- */

int
handle_audit(struct request *request, struct response *response,
    struct err *err)
{
	const char *before;
	size_t limit;

	if (request_text(request, "before", &before, err) < 0 ||
	    request_limit(request, LIST_DEFAULT, &limit, err) < 0)
		return -1;
	response->model = show_audit(request->api->store, request->domain,
	    before, limit, err);
	return response->model != NULL ? 0 : -1;
}

/* ---- overview ---- */

static json_t *
store_model(struct request *request)
{
	struct err err;
	int durable;

	err_clear(&err);
	durable = store_is_durable(request->api->store, &err);
	return json_pack("{s:b, s:b, s:s?}", "up", durable >= 0, "durable",
	    durable == 1, "problem", durable == 1 ? NULL : err.text);
}

/* Of the last day; null while there is no history. */
static json_t *
mail_model(struct request *request)
{
	struct err err;
	json_t *counts = web_history_counts(request, request->domain,
	    clock_wall_ms() - DAY_MS, &err);

	return counts != NULL ? counts : json_null();
}

/* For those who look after the machine; null: not known. */
static json_t *
milters_model(struct request *request)
{
	json_t *model;
	struct err err;

	if (!principal_sees_all(request->principal))
		return json_null();
	model = web_milters_model(request->api, &err);
	return model != NULL ? model : json_null();
}

/* What is held; of a mailbox the list says it.  null: not known. */
static json_t *
held_model(struct request *request)
{
	struct store *store = request->api->store;
	struct quarantine_totals totals;
	struct err err;
	int rc;

	if (request->mailbox != NULL)
		return json_null();
	rc = request->domain != NULL
	    ? quarantine_domain_totals(store, request->domain, &totals, &err)
	    : quarantine_totals(store, &totals, &err);
	if (rc < 0)
		return json_null();
	return json_pack("{s:I, s:I, s:I}", "entries",
	    (json_int_t)totals.entries, "bytes", (json_int_t)totals.bytes,
	    "to_deliver", (json_int_t)totals.to_deliver);
}

static size_t
count_domains(const struct request *request, const struct settings *settings)
{
	size_t n = 0, i;

	for (i = 0; i < settings_domain_count(settings); i++)
		n += principal_has_domain(request->principal,
		    settings_domain_at(settings, i));
	return n;
}

int
handle_overview(struct request *request, struct response *response,
    struct err *err)
{
	struct settings *settings = request_settings(request, err);
	json_t *model, *milters;

	if (settings == NULL)
		return -1;
	model = json_pack("{s:I, s:I, s:s?, s:s?, s:o}", "generation",
	    (json_int_t)settings_generation(settings), "domains",
	    (json_int_t)count_domains(request, settings), "domain",
	    request->domain, "mailbox", request->mailbox, "store",
	    store_model(request));
	milters = milters_model(request);
	json_object_set_new(model, "milters", milters);
	json_object_set_new(model, "no_milter",
	    json_boolean(
		json_is_array(milters) && json_array_size(milters) == 0));
	json_object_set_new(model, "held", held_model(request));
	settings_unref(settings);
	/* Counts are of a domain; a mailbox has none of its own. */
	json_object_set_new(model, "mail",
	    request->mailbox == NULL ? mail_model(request) : json_null());
	response->model = model;
	return 0;
}
