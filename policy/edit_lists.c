/*
 * edit_lists.c - adding and removing rows of lists.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <string.h>

#include "base/clock.h"
#include "base/str.h"
#include "mail/address.h"
#include "policy/edit_rows.h"

#define PATTERN_HELP                                                           \
	"must be an address (user@example.net), @example.net for a domain, "   \
	"or .example.net for a domain and all below it"

/* ---- patterns ---- */

static int
normalize_domain_pattern(struct arena *arena, char sign, struct bytes domain,
    const char **pattern, struct err *err)
{
	const char *name;

	if (domain_normalize(arena, domain, &name, err) < 0)
		return err_prefix(err, "pattern");
	*pattern = arena_printf(arena, "%c%s", sign, name);
	return 0;
}

static int
normalize_address_pattern(struct arena *arena, struct bytes text,
    const char **pattern, struct err *err)
{
	struct address address;

	if (memchr(text.data, '@', text.len) == NULL ||
	    memchr(text.data, '*', text.len) != NULL)
		return err_set(err, ERR_INPUT, "pattern: " PATTERN_HELP);
	if (address_parse(arena, text, &address, err) < 0)
		return err_prefix(err, "pattern");
	if (address_is_null(&address) || address.domain[0] == '\0')
		return err_set(err, ERR_INPUT, "pattern: " PATTERN_HELP);
	*pattern = address.key;
	return 0;
}

static int
normalize_network(struct arena *arena, struct bytes text, const char **pattern,
    struct err *err)
{
	char out[NETWORK_TEXT_SIZE];
	struct network network;

	if (network_parse(text, &network, err) < 0)
		return err_prefix(err, "pattern");
	network_format(&network, out);
	*pattern = arena_strdup(arena, out);
	return 0;
}

int
list_pattern_normalize(struct arena *arena, enum list_side side,
    const char *text, const char **pattern, struct err *err)
{
	struct bytes bytes = bytes_trim(bytes_of(text));
	const char *trimmed;

	if (bytes.len == 0)
		return err_set(err, ERR_INPUT, "pattern: must be given");
	if (side == LIST_CLIENT)
		return normalize_network(arena, bytes, pattern, err);
	if (side == LIST_SENDER && bytes_equal(bytes, BYTES_LIT("<>"))) {
		*pattern = "<>";
		return 0;
	}
	trimmed = arena_memdup(arena, bytes.data, bytes.len);
	if (list_pattern_kind(trimmed) != PATTERN_ADDRESS)
		return normalize_domain_pattern(arena, bytes.data[0],
		    (struct bytes){ bytes.data + 1, bytes.len - 1 }, pattern,
		    err);
	return normalize_address_pattern(arena, bytes, pattern, err);
}

/* A recipient row of a domain speaks of that domain; a mailbox has options
 * for what such a row would say. */
static int
check_recipient_pattern(struct edit *edit, struct edit_target target,
    const char *pattern, struct err *err)
{
	const char *at = strrchr(pattern, '@');

	if (target.mailbox != NULL)
		return edit_refuse(edit, EDIT_INVALID, "side", err,
		    "side: recipient rows belong to a domain or the system");
	if (target.domain == NULL)
		return 0;
	if (at == NULL || strcmp(at + 1, target.domain) != 0)
		return edit_refuse(edit, EDIT_INVALID, "pattern", err,
		    "pattern: a recipient row of %s must be about an address "
		    "of it, or @%s",
		    target.domain, target.domain);
	return 0;
}

/* ---- the other fields ---- */

static int
take_enum(struct edit *edit, const json_t *row, const char *field,
    const char *const *words, size_t n, int *out, struct err *err)
{
	const char *text = json_string_value(json_object_get(row, field));
	struct buf all;
	size_t i;

	for (i = 0; text != NULL && i < n; i++)
		if (str_equal_nocase(text, words[i])) {
			*out = (int)i;
			return 0;
		}
	buf_init(&all, 100);
	for (i = 0; i < n; i++)
		buf_printf(&all, "%s%s",
		    i == 0           ? ""
			: i + 1 == n ? " or "
				     : ", ",
		    words[i]);
	edit_refuse(edit, EDIT_INVALID, field, err, "%s: must be %s", field,
	    buf_str(&all));
	buf_free(&all);
	return -1;
}

static int
take_action(struct edit *edit, const json_t *json, struct list_row *row,
    struct err *err)
{
	const json_t *value = json_object_get(json, "action");
	const char *text = json_string_value(value);

	row->action = -1;
	if (value == NULL || json_is_null(value) ||
	    (text != NULL && text[0] == '\0'))
		return 0;
	if (row->kind != LIST_BLOCK)
		return edit_refuse(edit, EDIT_INVALID, "action", err,
		    "action: only block rows have one");
	if (text != NULL)
		row->action = action_parse(bytes_of(text));
	if (row->action < 0 || row->action == ACTION_ACCEPT)
		return edit_refuse(edit, EDIT_INVALID, "action", err,
		    "action: must be tag, quarantine, quarantine-hidden, "
		    "reject, defer or discard");
	return 0;
}

static int
take_flags(struct edit *edit, const json_t *json, struct list_row *row,
    struct err *err)
{
	if (edit_take_bool(edit, json, "unauthenticated", &row->unauthenticated,
		err) < 0 ||
	    edit_take_bool(edit, json, "lifts_dmarc", &row->lifts_dmarc, err) <
		0)
		return -1;
	if (row->unauthenticated &&
	    (row->kind != LIST_ALLOW || row->side != LIST_SENDER))
		return edit_refuse(edit, EDIT_INVALID, "unauthenticated", err,
		    "unauthenticated: only allow rows of senders have it");
	if (row->lifts_dmarc && row->kind != LIST_ALLOW)
		return edit_refuse(edit, EDIT_INVALID, "lifts_dmarc", err,
		    "lifts_dmarc: only allow rows have it");
	return 0;
}

static int
take_expires(struct edit *edit, const json_t *json, struct list_row *row,
    struct err *err)
{
	const json_t *value = json_object_get(json, "expires");

	row->expires_s = 0;
	if (value == NULL || json_is_null(value))
		return 0;
	if (json_is_integer(value))
		row->expires_s = json_integer_value(value) / 1000;
	else if (!json_is_string(value) ||
	    edit_parse_time(json_string_value(value), &row->expires_s) < 0)
		return edit_refuse(edit, EDIT_INVALID, "expires", err,
		    "expires: must be a time to come such as 30d, "
		    "2027-01-31 or 2027-01-31T18:00:00+09:00");
	if (row->expires_s != 0 && row->expires_s <= clock_wall_s())
		return edit_refuse(edit, EDIT_INVALID, "expires", err,
		    "expires: lies in the past");
	return 0;
}

int
edit_check_row(struct edit *edit, struct arena *arena,
    struct edit_target target, const json_t *json, struct list_row *row,
    struct err *err)
{
	const char *pattern =
	    json_string_value(json_object_get(json, "pattern"));
	int side, kind;

	memset(row, 0, sizeof(*row));
	row->pattern = "";
	if (take_enum(edit, json, "side", list_side_words, LIST_SIDE_COUNT,
		&side, err) < 0 ||
	    take_enum(edit, json, "kind", list_kind_words, LIST_KIND_COUNT,
		&kind, err) < 0)
		return -1;
	row->side = (enum list_side)side;
	row->kind = (enum list_kind)kind;
	if (list_pattern_normalize(arena, row->side,
		pattern != NULL ? pattern : "", &row->pattern, err) < 0) {
		edit->problem = EDIT_INVALID;
		edit->field = "pattern";
		return -1;
	}
	if (row->side == LIST_RECIPIENT &&
	    check_recipient_pattern(edit, target, row->pattern, err) < 0)
		return -1;
	if (take_action(edit, json, row, err) < 0 ||
	    take_flags(edit, json, row, err) < 0 ||
	    take_expires(edit, json, row, err) < 0 ||
	    edit_take_text(edit, json, "comment", arena, &row->comment, err) <
		0 ||
	    edit_take_text(edit, json, "added_from", arena, &row->added_from,
		err) < 0)
		return -1;
	return 0;
}

/* ---- storing ---- */

const char *
edit_row_field(struct arena *arena, enum list_side side, enum list_kind kind,
    const char *pattern)
{
	return arena_printf(arena, "list:%s:%s:%s", list_side_words[side],
	    list_kind_words[kind], pattern);
}

json_t *
edit_row_json(const struct list_row *row)
{
	json_t *json = json_object();

	if (row->action >= 0)
		json_object_set_new(json, "action",
		    json_string(action_name((enum action)row->action)));
	if (row->unauthenticated)
		json_object_set_new(json, "unauthenticated", json_true());
	if (row->lifts_dmarc)
		json_object_set_new(json, "lifts_dmarc", json_true());
	if (row->expires_s != 0)
		json_object_set_new(json, "expires_s",
		    json_integer(row->expires_s));
	if (row->comment[0] != '\0')
		json_object_set_new(json, "comment", json_string(row->comment));
	if (row->added_from[0] != '\0')
		json_object_set_new(json, "added_from",
		    json_string(row->added_from));
	return json;
}

enum edit_outcome
edit_put_row(struct edit_work *work, const char *object,
    const struct list_row *row, struct bytes before)
{
	json_t *json = edit_row_json(row);
	enum edit_outcome outcome = edit_put_json(work, object,
	    edit_row_field(work->arena, row->side, row->kind, row->pattern),
	    json, before);

	json_decref(json);
	return outcome;
}

struct list_edit {
	struct edit_target target;
	json_t *json;               /* add */
	const struct list_row *row; /* remove */
};

static int
prepare_add(struct edit_work *work, void *context, struct err *err)
{
	const struct list_edit *list_edit = context;
	struct edit_target target = list_edit->target;
	const char *object = edit_object_of(work->arena, target);
	struct list_row row;
	struct bytes before;

	if (edit_check_row(work->edit, work->arena, target, list_edit->json,
		&row, err) < 0 ||
	    edit_require_target(work, target, err) < 0 ||
	    edit_require_room(work, object, err) < 0 ||
	    edit_read(work, object,
		edit_row_field(work->arena, row.side, row.kind, row.pattern),
		&before, err) < 0)
		return -1;
	if (edit_put_row(work, object, &row, before) == EDIT_DIFFERS)
		return edit_refuse(work->edit, EDIT_EXISTS, "pattern", err,
		    "pattern: %s is listed already, with other values",
		    row.pattern);
	return 0;
}

int
edit_list_add(struct edit *edit, struct edit_target target, json_t *row,
    bool *changed, struct err *err)
{
	const struct edit_subject subject = { "list.add", target.domain,
		target.mailbox };
	struct list_edit list_edit = { .target = target, .json = row };

	return edit_run(edit, &subject, prepare_add, &list_edit, changed, err);
}

static int
prepare_remove(struct edit_work *work, void *context, struct err *err)
{
	const struct list_edit *list_edit = context;
	const struct list_row *row = list_edit->row;
	const char *object = edit_object_of(work->arena, list_edit->target);
	const char *pattern = NULL, *field;
	struct bytes before;

	if (list_pattern_normalize(work->arena, row->side, row->pattern,
		&pattern, err) < 0) {
		work->edit->problem = EDIT_INVALID;
		work->edit->field = "pattern";
		return -1;
	}
	field = edit_row_field(work->arena, row->side, row->kind, pattern);
	if (edit_read(work, object, field, &before, err) < 0)
		return -1;
	edit_unset(work, object, field, before);
	return 0;
}

int
edit_list_remove(struct edit *edit, struct edit_target target,
    enum list_side side, enum list_kind kind, const char *pattern,
    bool *changed, struct err *err)
{
	const struct edit_subject subject = { "list.remove", target.domain,
		target.mailbox };
	const struct list_row row = { .side = side,
		.kind = kind,
		.pattern = pattern };
	struct list_edit list_edit = { .target = target, .row = &row };

	return edit_run(edit, &subject, prepare_remove, &list_edit, changed,
	    err);
}
