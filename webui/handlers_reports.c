/*
 * handlers_reports.c - reports that others sent us about our domains.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdlib.h>

#include "base/crypto.h"
#include "policy/report_message.h"
#include "quarantine/reports.h"
#include "webui/handlers.h"
#include "webui/request.h"

#define LIST_DEFAULT 100
/* Records of an uploaded report that the answer shows. */
#define RECORDS_SHOWN 200

/* Under reports_lock. */
static struct reports *
open_reports(struct api *api, struct err *err)
{
	char *file;

	if (api->reports != NULL)
		return api->reports;
	file = xprintf("%s/reports.db", api->conf->state_dir);
	api->reports = reports_open(file, err);
	free(file);
	return api->reports;
}

/* ---- upload ---- */

struct upload {
	struct request *request;
	bool dry_run;
	json_t *reports;
};

static int
check_domain(const struct upload *upload, const char *domain, struct err *err)
{
	if (principal_has_domain(upload->request->principal, domain))
		return 0;
	return request_refuse(upload->request, 403, "report_base64", err,
	    "the report is about %s, which is not among what you may see",
	    domain);
}

/* All of a report must be theirs. */
static int
check_domains(const struct upload *upload, const struct report_file *file,
    struct err *err)
{
	size_t i;

	if (file->dmarc != NULL)
		return check_domain(upload, file->dmarc->domain, err);
	for (i = 0; i < file->tls->policy_count; i++)
		if (check_domain(upload, file->tls->policies[i].domain, err) <
		    0)
			return -1;
	return 0;
}

static int
keep(const struct upload *upload, const struct report_file *file,
    unsigned *added, struct err *err)
{
	struct api *api = upload->request->api;
	struct reports *reports;
	int rc = -1;

	pthread_mutex_lock(&api->reports_lock);
	reports = open_reports(api, err);
	if (reports != NULL)
		rc = reports_add(reports, file,
		    upload->request->principal->actor, added, err);
	pthread_mutex_unlock(&api->reports_lock);
	return rc;
}

static int
take_report(void *context, const struct report_file *file, struct err *err)
{
	struct upload *upload = context;
	unsigned added = 0;
	json_t *model;

	if (check_domains(upload, file, err) < 0 ||
	    (!upload->dry_run && keep(upload, file, &added, err) < 0))
		return -1;
	model = reports_model(file, RECORDS_SHOWN);
	json_object_set_new(model, "file", json_string(file->name));
	json_object_set_new(model, "new", json_boolean(added > 0));
	json_array_append_new(upload->reports, model);
	return 0;
}

/* What is wrong with the file is said of the parameter. */
static int
read_file(struct upload *upload, struct bytes data, struct err *err)
{
	if ((report_message_is(data)
		    ? report_message_read
		    : report_file_read)(data, take_report, upload, err) == 0)
		return 0;
	if (upload->request->field == NULL &&
	    (err->kind == ERR_INPUT || err->kind == ERR_LIMIT))
		upload->request->field = "report_base64";
	return -1;
}

int
handle_reports_upload(struct request *request, struct response *response,
    struct err *err)
{
	struct upload upload = { .request = request };
	const char *coded;
	struct buf data;
	int rc;

	if (request_need_text(request, "report_base64", &coded, err) < 0 ||
	    request_flag(request, "dry_run", &upload.dry_run, err) < 0)
		return -1;
	buf_init(&data, UNPACK_IN_MAX);
	if (base64_decode(bytes_of(coded), &data) == 0) {
		upload.reports = json_array();
		rc = read_file(&upload, buf_bytes(&data), err);
	} else if (data.overflow) {
		rc = err_set(err, ERR_LIMIT, "it is larger than %lu MB",
		    UNPACK_IN_MAX / (1024 * 1024));
	} else {
		rc = request_refuse(request, 400, "report_base64", err,
		    "report_base64: is not base64");
	}
	buf_free(&data);
	if (rc == 0)
		response->model = json_pack("{s:O, s:b}", "reports",
		    upload.reports, "dry_run", upload.dry_run);
	json_decref(upload.reports);
	return rc;
}

/* ---- what they say ---- */

/* Those that the model counts and does not list. */
static json_int_t
sources_left(const json_t *model)
{
	json_int_t all = json_integer_value(
	    json_object_get(json_object_get(model, "dmarc"), "sources"));

	return all -
	    (json_int_t)json_array_size(json_object_get(model, "sources"));
}

int
handle_reports(struct request *request, struct response *response,
    struct err *err)
{
	struct api *api = request->api;
	struct reports_query query = { .domain = request->domain };
	struct reports *reports;
	int64_t since_ms, until_ms;

	if (request_number(request, "since", 0, INT64_MAX, 0, &since_ms, err) <
		0 ||
	    request_number(request, "until", 0, INT64_MAX, 0, &until_ms, err) <
		0 ||
	    request_limit(request, LIST_DEFAULT, &query.limit, err) < 0)
		return -1;
	query.since_s = since_ms / 1000;
	query.until_s = until_ms / 1000;
	pthread_mutex_lock(&api->reports_lock);
	reports = open_reports(api, err);
	if (reports != NULL)
		response->model = reports_show(reports, &query, err);
	pthread_mutex_unlock(&api->reports_lock);
	if (response->model == NULL)
		return -1;
	json_object_set_new(response->model, "sources_left",
	    json_integer(sources_left(response->model)));
	json_object_set_new(response->model, "domain",
	    request->domain != NULL ? json_string(request->domain)
				    : json_null());
	return 0;
}

/* ---- ours ---- */

int
handle_reports_sent(struct request *request, struct response *response,
    struct err *err)
{
	struct api *api = request->api;
	struct reports *reports;
	json_t *rows = NULL, *left = NULL;
	size_t limit;

	if (request_limit(request, LIST_DEFAULT, &limit, err) < 0)
		return -1;
	pthread_mutex_lock(&api->reports_lock);
	reports = open_reports(api, err);
	if (reports != NULL)
		rows = reports_sent_list(reports, limit, err);
	if (rows != NULL)
		left = reports_failure_left(reports, limit, err);
	pthread_mutex_unlock(&api->reports_lock);
	if (left == NULL) {
		json_decref(rows);
		return -1;
	}
	response->model = json_pack("{s:o, s:o}", "sent", rows, "left", left);
	return 0;
}
