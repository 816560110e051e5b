/*
 * handlers_quarantine.c - held mail: lists, one of them, what is done to it.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "mail/charset.h"
#include "mail/from.h"
#include "mail/message.h"
#include "policy/settings_show.h"
#include "quarantine/quarantine.h"
#include "quarantine/release.h"
#include "webui/explain.h"
#include "webui/handlers.h"
#include "webui/history.h"
#include "webui/message.h"
#include "webui/request.h"

#define LIST_DEFAULT 50
/* Of the header as it is shown, and of one of its fields. */
#define HEADER_BYTES_MAX (256 * 1024)
#define HEADER_COUNT_MAX 1000
#define HEADER_TEXT_MAX 4000

/* ---- the model ---- */

/* Fields that have the same name in the store and here. */
static const char *const same_fields[] = { "id", "domain", "mailbox", "state",
	"hidden", "sender", "from", "subject", "message_id", "client_ip",
	"size", "class", "score", "reply", "actor" };

/* Fields in milliseconds have the unit in their name there. */
static const struct {
	const char *name, *stored;
} time_fields[] = {
	{ "received", "received_ms" },
	{ "expires", "expires_ms" },
	{ "settled", "settled_ms" },
};

static void
copy_field(json_t *model, const char *name, const json_t *entry,
    const char *stored)
{
	json_t *value = json_object_get(entry, stored);

	json_object_set_new(model, name,
	    value != NULL ? json_incref(value) : json_null());
}

static json_t *
entry_model(const json_t *entry)
{
	json_t *model = json_object();
	size_t i;

	for (i = 0; i < sizeof(same_fields) / sizeof(same_fields[0]); i++)
		copy_field(model, same_fields[i], entry, same_fields[i]);
	for (i = 0; i < sizeof(time_fields) / sizeof(time_fields[0]); i++)
		copy_field(model, time_fields[i].name, entry,
		    time_fields[i].stored);
	return model;
}

static const char *
entry_id(const struct request *request)
{
	return json_string_value(json_object_get(request->entry, "id"));
}

/* ---- lists ---- */

static int
take_state(struct request *request, int *state, struct err *err)
{
	const char *text;

	*state = -1;
	if (request_text(request, "state", &text, err) < 0)
		return -1;
	if (text == NULL)
		return 0;
	*state = held_state_parse(bytes_of(text));
	if (*state < 0)
		return request_refuse(request, 400, "state", err,
		    "state: there is no state '%s'", text);
	return 0;
}

static int
take_filter(struct request *request, struct held_filter *filter,
    struct err *err)
{
	memset(filter, 0, sizeof(*filter));
	filter->domain = request->domain;
	filter->mailbox = request->mailbox;
	if (request_text(request, "sender", &filter->sender, err) < 0 ||
	    request_text(request, "recipient", &filter->recipient, err) < 0 ||
	    request_text(request, "subject", &filter->subject, err) < 0 ||
	    request_text(request, "class", &filter->class, err) < 0 ||
	    take_state(request, &filter->state, err) < 0 ||
	    request_number(request, "since", 0, INT64_MAX, 0, &filter->since_ms,
		err) < 0 ||
	    request_number(request, "until", 0, INT64_MAX, 0, &filter->until_ms,
		err) < 0 ||
	    request_flag(request, "hidden", &filter->with_hidden, err) < 0)
		return -1;
	if (request->principal->role < ROLE_DOMAIN_ADMIN)
		filter->with_hidden = false;
	return 0;
}

int
handle_quarantine_list(struct request *request, struct response *response,
    struct err *err)
{
	struct held_filter filter;
	const char *before, *next = NULL;
	json_t *entries, *models, *entry;
	size_t limit, i;

	if (take_filter(request, &filter, err) < 0 ||
	    request_text(request, "before", &before, err) < 0 ||
	    request_limit(request, LIST_DEFAULT, &limit, err) < 0)
		return -1;
	if (quarantine_list(request->api->quarantine, request->arena, &filter,
		before, limit, &entries, &next, err) < 0)
		return -1;
	models = json_array();
	json_array_foreach(entries, i, entry)
	    json_array_append_new(models, entry_model(entry));
	json_decref(entries);
	response->model =
	    json_pack("{s:s, s:s?, s:o, s:s?}", "domain", request->domain,
		"mailbox", request->mailbox, "entries", models, "next", next);
	return 0;
}

/* ---- one ---- */

/* The header of a raw message, or of the start of one. */
static const struct header *
parse_header(struct request *request, struct bytes raw)
{
	const struct message_limits limits = {
		.header_bytes = HEADER_BYTES_MAX,
		.header_count = HEADER_COUNT_MAX,
		.memory = HEADER_BYTES_MAX,
		.spool_dir = request->api->conf->state_dir,
	};
	struct message *message = message_new(request->arena, &limits);
	struct err err;

	if (raw.len > HEADER_BYTES_MAX)
		raw.len = HEADER_BYTES_MAX;
	/* What is no message has no header to show. */
	if (message_read(message, raw, &err) < 0)
		message->header.count = 0;
	message_fini(message);
	return &message->header;
}

static int
gather_start(void *context, struct bytes piece, struct err *err)
{
	struct buf *start = context;
	size_t room = start->max - start->len;

	(void)err;
	buf_append(start, piece.data, piece.len < room ? piece.len : room);
	/* A positive answer ends the reading. */
	return start->len == start->max ? 1 : 0;
}

/* The header of the held mail; NULL when it cannot be read.  Its bytes are
 * in start, which the caller frees. */
static const struct header *
read_header(struct request *request, struct buf *start, struct err *err)
{
	buf_init(start, HEADER_BYTES_MAX);
	if (quarantine_read(request->api->quarantine, entry_id(request),
		gather_start, start, err) < 0)
		return NULL;
	return parse_header(request, buf_bytes(start));
}

static json_t *
header_model(struct request *request, const struct header *header)
{
	json_t *fields = json_array();
	const struct header_field *field;
	struct buf name;
	size_t i;

	for (i = 0; i < header->count; i++) {
		field = &header->fields[i];
		buf_init(&name, field->name.len);
		buf_append_bytes(&name, field->name);
		json_array_append_new(fields,
		    json_pack("{s:s, s:s}", "name", buf_str(&name), "value",
			charset_header_text(request->arena,
			    header_field_text(request->arena, field),
			    HEADER_TEXT_MAX)));
		buf_free(&name);
	}
	return fields;
}

/* What only those see who may read the mail. */
static int
add_contents(struct request *request, json_t *model, struct err *err)
{
	struct buf raw;
	int rc;

	if (request->principal->role == ROLE_RELEASER) {
		json_object_set_new(model, "headers", json_null());
		message_model_none(model);
		return 0;
	}
	if (message_fetch(request, &raw, err) < 0)
		return -1;
	json_object_set_new(model, "headers",
	    header_model(request, parse_header(request, buf_bytes(&raw))));
	rc = message_model(request, buf_bytes(&raw), model, err);
	buf_free(&raw);
	return rc;
}

int
handle_quarantine_show(struct request *request, struct response *response,
    struct err *err)
{
	json_t *model = entry_model(request->entry);

	if (add_contents(request, model, err) < 0) {
		json_decref(model);
		return -1;
	}
	copy_field(model, "rcpt", request->entry, "rcpt");
	copy_field(model, "helo", request->entry, "helo");
	copy_field(model, "record", request->entry, "record");
	json_object_set_new(model, "why",
	    explain_record(json_object_get(request->entry, "record"), true));
	json_object_set_new(model, "recipients", message_recipients(request));
	json_object_set_new(model, "timeline",
	    web_history_timeline(request, entry_id(request)));
	response->model = model;
	return 0;
}

int
handle_quarantine_raw(struct request *request, struct response *response,
    struct err *err)
{
	struct buf raw;

	if (message_fetch(request, &raw, err) < 0)
		return -1;
	response->content_len = raw.len;
	response->content = buf_steal(&raw);
	response->content_type = "message/rfc822";
	response->filename =
	    arena_printf(request->arena, "%s.eml", entry_id(request));
	return 0;
}

/* ---- what is done to it ---- */

static int
release(struct request *request, bool retry_unknown, struct response *response,
    struct err *err)
{
	struct api *api = request->api;
	enum held_state state = HELD_HELD;
	struct settings *settings = request_settings(request, err);
	const char *id = entry_id(request);
	json_t *entry = NULL;
	struct err why;
	int rc;

	if (settings == NULL)
		return -1;
	rc = release_one(api->release, settings, id, request->domain,
	    request->principal->actor, retry_unknown, &state, err);
	settings_unref(settings);
	if (rc < 0)
		return -1;
	if (rc == 0)
		return request_refuse(request, 409, "id", err,
		    "%s is not released, it is %s: %s", id,
		    held_state_name(state), err->text);
	response->model = json_pack("{s:s, s:s, s:n}", "id", id, "state",
	    held_state_name(state), "reply");
	if (quarantine_get(api->quarantine, id, request->domain, &entry,
		&why) == 1)
		copy_field(response->model, "reply", entry, "reply");
	json_decref(entry);
	return 0;
}

int
handle_quarantine_release(struct request *request, struct response *response,
    struct err *err)
{
	bool retry_unknown;

	if (request_flag(request, "retry_unknown", &retry_unknown, err) < 0)
		return -1;
	return release(request, retry_unknown, response, err);
}

static int
remove_held(struct request *request, struct response *response, struct err *err)
{
	const char *id = entry_id(request);
	int rc = quarantine_remove(request->api->quarantine, id,
	    request->domain, request->principal->actor, err);

	if (rc < 0)
		return -1;
	response->location = request->principal->role == ROLE_MAIL_USER
	    ? "/quarantine"
	    : arena_printf(request->arena, "/quarantine?domain=%s",
		  request->domain);
	response->model = json_pack("{s:s, s:b}", "id", id, "changed", rc == 1);
	return 0;
}

int
handle_quarantine_remove(struct request *request, struct response *response,
    struct err *err)
{
	return remove_held(request, response, err);
}

/* ---- with a row for the sender ---- */

/* Who the mail is from, as people see it: the one author, else the envelope
 * sender; NULL when there is nobody. */
static const struct address *
find_sender(struct request *request, struct err *err)
{
	struct buf start;
	const struct header_field *field = NULL;
	const struct header *header;
	struct address *sender =
	    arena_calloc(request->arena, 1, sizeof(*sender));
	struct from_list list;
	const char *text;

	header = read_header(request, &start, err);
	if (header != NULL && header_count_named(header, "From") == 1)
		field = header_find(header, "From", 0);
	if (field != NULL &&
	    from_parse(request->arena, header_field_text(request->arena, field),
		&list, err) == 0 &&
	    list.count == 1)
		*sender = list.addresses[0];
	buf_free(&start);
	if (sender->key != NULL)
		return sender;
	text = json_string_value(json_object_get(request->entry, "sender"));
	if (text != NULL &&
	    address_parse(request->arena, bytes_of(text), sender, err) == 0 &&
	    !address_is_null(sender) && sender->domain[0] != '\0')
		return sender;
	return NULL;
}

static const char *
sender_pattern(struct request *request, struct err *err)
{
	static const char *const words[] = { "address", "domain" };
	const struct address *sender;
	int word;

	if (request_word(request, "match", words, 2, 0, &word, err) < 0)
		return NULL;
	sender = find_sender(request, err);
	if (sender == NULL) {
		request_refuse(request, 409, "id", err,
		    "this mail has no sender that a row could be made for");
		return NULL;
	}
	if (word == 1)
		return arena_printf(request->arena, "@%s", sender->domain);
	return sender->key;
}

/* The row of the mailbox is made first: if the rest fails, it says why mail
 * comes through or does not, and can be taken back. */
static int
add_sender_row(struct request *request, enum list_kind kind, json_t **row,
    struct err *err)
{
	const char *pattern = sender_pattern(request, err), *comment;
	struct edit_target target = request_target(request);
	struct edit edit;
	int rc;

	if (pattern == NULL ||
	    request_text(request, "comment", &comment, err) < 0)
		return -1;
	*row = json_pack("{s:s, s:s, s:s, s:s, s:s}", "side", "sender", "kind",
	    list_kind_words[kind], "pattern", pattern, "comment",
	    comment != NULL ? comment : "", "added_from", entry_id(request));
	request_edit(request, &edit);
	rc = edit_list_add(&edit, target, *row, NULL, err);
	/* A row that is there with other values does what is asked, too. */
	if (rc < 0 && edit.problem == EDIT_EXISTS)
		rc = 0;
	if (request_edited(request, &edit, rc) < 0) {
		json_decref(*row);
		return -1;
	}
	json_object_set_new(*row, "mailbox", json_string(request->mailbox));
	return 0;
}

int
handle_quarantine_allow(struct request *request, struct response *response,
    struct err *err)
{
	json_t *row;

	if (add_sender_row(request, LIST_ALLOW, &row, err) < 0)
		return -1;
	if (release(request, false, response, err) < 0) {
		json_decref(row);
		return -1;
	}
	json_object_set_new(response->model, "row", row);
	return 0;
}

int
handle_quarantine_block(struct request *request, struct response *response,
    struct err *err)
{
	json_t *row;

	if (add_sender_row(request, LIST_BLOCK, &row, err) < 0)
		return -1;
	if (remove_held(request, response, err) < 0) {
		json_decref(row);
		return -1;
	}
	json_object_set_new(response->model, "row", row);
	return 0;
}
