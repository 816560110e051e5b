/*
 * handlers_message.c - what is in a held mail: preview and parts.
 *
 * Contents leave here in two ways only: as a preview, which is sandboxed and
 * rewritten, and as a download of unknown type, which no browser shows.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "mail/mime.h"
#include "quarantine/quarantine.h"
#include "webui/handlers.h"
#include "webui/history.h"
#include "webui/message.h"
#include "webui/preview.h"
#include "webui/preview_desk.h"
#include "webui/request.h"

#define RECIPIENTS_MAX 200
/* Of what the model says of the parts. */
#define MODEL_BYTES_MAX ((size_t)4 * 1024 * 1024)
#define CUT_MARK '!'

/* ---- the message ---- */

static int
gather(void *context, struct bytes piece, struct err *err)
{
	if (buf_append_bytes(context, piece) < 0)
		return err_set(err, ERR_LIMIT,
		    "the mail is larger than hold_message_max");
	return 0;
}

static const char *
entry_id(const struct request *request)
{
	return json_string_value(json_object_get(request->entry, "id"));
}

int
message_fetch(struct request *request, struct buf *out, struct err *err)
{
	buf_init(out, request->api->conf->hold_message_max);
	if (quarantine_read(request->api->quarantine, entry_id(request), gather,
		out, err) == 0)
		return 0;
	buf_free(out);
	return -1;
}

/* ---- what takes its time ---- */

/* What make makes of a mail, or made of it before (preview_desk.h).  raw:
 * the mail, or empty when make reads it. */
static int
at_desk(struct request *request, const char *what, struct bytes raw,
    int (*make)(struct request *request, struct bytes raw, struct buf *out,
	struct err *err),
    struct buf *out, struct err *err)
{
	struct preview_desk *desk = request->api->previews;
	const char *key =
	    arena_printf(request->arena, "%s %s %s", entry_id(request), what,
		language_tag(request->principal->language));
	int rc =
	    preview_desk_take(desk, key, request->principal->actor, out, err);

	if (rc != 0)
		return rc < 0 ? -1 : 0;
	rc = make(request, raw, out, err);
	preview_desk_done(desk, key, rc == 0 ? out : NULL, err);
	return rc;
}

/* ---- the model ---- */

static const char *const disposition_words[] = {
	[MIME_UNSAID] = "none",
	[MIME_INLINE] = "inline",
	[MIME_ATTACHMENT] = "attachment",
};

static json_t *
part_model(const struct mime_part *part)
{
	return json_pack("{s:s, s:s, s:s?, s:o, s:s, s:b, s:i}", "number",
	    part->number, "type", part->type, "name", part->name, "size",
	    part->container ? json_null()
			    : json_integer((json_int_t)part->size),
	    "disposition", disposition_words[part->disposition], "container",
	    part->container, "depth", (int)part->depth);
}

static json_t *
warning_models(const struct html *html)
{
	json_t *models = json_array();
	size_t i;

	for (i = 0; i < html->warning_count && i < HTML_WARNINGS_MAX; i++)
		json_array_append_new(models,
		    json_pack("{s:s, s:s}", "text", html->warnings[i].text,
			"target", html->warnings[i].target));
	return models;
}

static json_t *
contents_model(struct request *request, struct bytes raw)
{
	struct mime *mime = mime_parse(request->arena, raw);
	json_t *model = json_object(), *parts = json_array();
	struct html html;
	size_t i;

	for (i = 0; i < mime->count; i++)
		json_array_append_new(parts, part_model(&mime->parts[i]));
	preview_html(request->arena, mime, LANGUAGE_EN, &html);
	json_object_set_new(model, "parts", parts);
	json_object_set_new(model, "parts_cut", json_boolean(mime->cut != 0));
	json_object_set_new(model, "has_html",
	    json_boolean(mime->html_count > 0));
	json_object_set_new(model, "has_text",
	    json_boolean(mime->text_count > 0));
	json_object_set_new(model, "remote_images",
	    json_integer((json_int_t)html.remote_images));
	json_object_set_new(model, "active",
	    json_integer((json_int_t)html.active));
	json_object_set_new(model, "deceptive_links", warning_models(&html));
	html_fini(&html);
	mime_free(mime);
	return model;
}

static int
make_model(struct request *request, struct bytes raw, struct buf *out,
    struct err *err)
{
	json_t *model = contents_model(request, raw);
	char *text = json_dumps(model, JSON_COMPACT);
	int rc = 0;

	if (text == NULL || buf_append_str(out, text) < 0)
		rc = err_set(err, ERR_LIMIT, "the parts of it are too many");
	free(text);
	json_decref(model);
	return rc;
}

int
message_model(struct request *request, struct bytes raw, json_t *model,
    struct err *err)
{
	json_t *contents;
	struct buf text;
	int rc;

	buf_init(&text, MODEL_BYTES_MAX);
	rc = at_desk(request, "model", raw, make_model, &text, err);
	if (rc == 0) {
		contents = json_loadb(buf_str(&text), text.len, 0, NULL);
		json_object_update(model, contents);
		json_decref(contents);
	} else if (err->kind == ERR_LIMIT) {
		/* Names of parts can be endless; the mail is shown without. */
		message_model_none(model);
		json_object_set_new(model, "parts_cut", json_true());
		rc = 0;
	}
	buf_free(&text);
	return rc;
}

void
message_model_none(json_t *model)
{
	static const char *const names[] = { "parts", "parts_cut", "has_html",
		"has_text", "remote_images", "active", "deceptive_links" };
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		json_object_set_new(model, names[i], json_null());
}

/* ---- the others who were to get it ---- */

static json_t *
recipient_model(const json_t *row)
{
	static const char *const fields[] = { "id", "mailbox", "status",
		"class" };
	json_t *model = json_object(), *value;
	size_t i;

	for (i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		value = json_object_get(row, fields[i]);
		json_object_set_new(model, fields[i],
		    value != NULL ? json_incref(value) : json_null());
	}
	return model;
}

json_t *
message_recipients(struct request *request)
{
	const char *id = entry_id(request), *mailbox;
	struct history_query query = { .id = arena_memdup(request->arena, id,
					   strcspn(id, ".")) };
	json_t *models = json_array(), *rows, *row;
	char *next = NULL;
	struct err err;
	size_t i;

	if (web_history_search(request, &query, NULL, RECIPIENTS_MAX, &rows,
		&next, &err) < 0)
		return models;
	json_array_foreach(rows, i, row)
	{
		mailbox = json_string_value(json_object_get(row, "mailbox"));
		if (mailbox != NULL &&
		    principal_has_mailbox(request->principal, mailbox))
			json_array_append_new(models, recipient_model(row));
	}
	json_decref(rows);
	free(next);
	return models;
}

/* ---- preview ---- */

static int
choose_part(struct request *request, const struct mime *mime,
    enum preview_part *part, struct err *err)
{
	static const char *const words[] = { "html", "text" };
	int word;

	*part = preview_has(mime, PREVIEW_HTML) ? PREVIEW_HTML : PREVIEW_TEXT;
	if (request_word(request, "part", words, 2, *part, &word, err) < 0)
		return -1;
	*part = (enum preview_part)word;
	if (*part == PREVIEW_HTML && !preview_has(mime, PREVIEW_HTML))
		return request_refuse(request, 404, "part", err,
		    "this mail has no HTML");
	return 0;
}

static int
make_preview(struct request *request, struct bytes none, struct buf *out,
    struct err *err)
{
	enum preview_part part;
	struct mime *mime;
	struct buf raw;
	int rc;

	(void)none;
	if (message_fetch(request, &raw, err) < 0)
		return -1;
	mime = mime_parse(request->arena, buf_bytes(&raw));
	rc = choose_part(request, mime, &part, err);
	if (rc == 0 &&
	    preview_write(request->arena, mime, part,
		request->principal->language, out) < 0)
		rc = err_set(err, ERR_LIMIT, "the preview is too large");
	mime_free(mime);
	buf_free(&raw);
	return rc;
}

int
handle_message_preview(struct request *request, struct response *response,
    struct err *err)
{
	const char *part;
	struct buf page;

	if (request_text(request, "part", &part, err) < 0)
		return -1;
	if (part == NULL)
		part = "preview";
	buf_init(&page, PREVIEW_BYTES_MAX);
	if (at_desk(request, part, bytes_of(""), make_preview, &page, err) <
	    0) {
		buf_free(&page);
		return -1;
	}
	response->sandboxed = true;
	response->content_type = "text/html; charset=utf-8";
	response->content_len = page.len;
	response->content = buf_steal(&page);
	return 0;
}

/* The text, and before it whether it was cut. */
static int
make_text(struct request *request, struct bytes none, struct buf *out,
    struct err *err)
{
	struct buf raw, text;
	struct mime *mime;
	bool whole;

	(void)none;
	if (message_fetch(request, &raw, err) < 0)
		return -1;
	buf_init(&text, HTML_OUTPUT_MAX);
	mime = mime_parse(request->arena, buf_bytes(&raw));
	whole = preview_plain(request->arena, mime, &text) == 0;
	(void)buf_append_char(out, whole ? ' ' : CUT_MARK);
	(void)buf_append_bytes(out, buf_bytes(&text));
	mime_free(mime);
	buf_free(&raw);
	buf_free(&text);
	return 0;
}

int
handle_message_text(struct request *request, struct response *response,
    struct err *err)
{
	struct buf text;
	int rc;

	buf_init(&text, HTML_OUTPUT_MAX + 1);
	rc = at_desk(request, "plain", bytes_of(""), make_text, &text, err);
	if (rc == 0)
		response->model =
		    json_pack("{s:s, s:o, s:b}", "id", entry_id(request),
			"text", json_stringn(buf_str(&text) + 1, text.len - 1),
			"cut", text.data[0] == CUT_MARK);
	buf_free(&text);
	return rc;
}

/* ---- parts ---- */

/* The declared name without any folder, else one of ours. */
static const char *
download_name(struct request *request, const struct mime_part *part)
{
	const char *name = part->name, *p;

	for (p = name; p != NULL && *p != '\0'; p++)
		if (*p == '/' || *p == '\\')
			name = p + 1;
	if (name == NULL || name[0] == '\0' || name[0] == '.')
		name =
		    arena_printf(request->arena, "%s-%s.%s", entry_id(request),
			part->number, part->container ? "eml" : "bin");
	return arena_strdup(request->arena, name);
}

int
handle_message_part(struct request *request, struct response *response,
    struct err *err)
{
	const struct mime_part *part;
	const char *number;
	struct buf raw, content;
	struct mime *mime;
	int rc = -1;

	if (request_need_text(request, "number", &number, err) < 0 ||
	    message_fetch(request, &raw, err) < 0)
		return -1;
	mime = mime_parse(request->arena, buf_bytes(&raw));
	part = mime_find(mime, number);
	/* Decoded it is smaller, but for what writing a container adds. */
	buf_init(&content, 2 * request->api->conf->hold_message_max);
	if (part == NULL) {
		request_refuse(request, 404, "number", err,
		    "this mail has no part %s", number);
	} else if (mime_part_content(part, &content) < 0) {
		err_set(err, ERR_LIMIT, "part %s is too large", number);
	} else {
		response->content_type = "application/octet-stream";
		response->filename = download_name(request, part);
		response->content_len = content.len;
		response->content = buf_steal(&content);
		rc = 0;
	}
	buf_free(&content);
	mime_free(mime);
	buf_free(&raw);
	return rc;
}
