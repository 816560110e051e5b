/*
 * http_form.c - query strings, forms and uploads, as JSON objects.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <string.h>

#include "base/crypto.h"
#include "base/str.h"
#include "base/utf8.h"
#include "webui/http_form.h"

/* RFC 2046 section 5.1.1 */
#define BOUNDARY_MAX 70
/* Of the header of one part. */
#define PART_HEADER_MAX 4096

enum http_media
http_media_of(const char *content_type)
{
	static const struct {
		const char *type;
		enum http_media media;
	} types[] = {
		{ "application/x-www-form-urlencoded", MEDIA_FORM },
		{ "multipart/form-data", MEDIA_MULTIPART },
		{ "application/json", MEDIA_JSON },
	};
	struct cursor c;
	struct bytes type;
	size_t i;

	if (content_type == NULL || content_type[0] == '\0')
		return MEDIA_NONE;
	c = cursor_of(bytes_of(content_type));
	type = bytes_trim(cursor_until(&c, ";"));
	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (bytes_equal_nocase(type, bytes_of(types[i].type)))
			return types[i].media;
	return MEDIA_OTHER;
}

/* ---- decoding ---- */

int
http_percent_decode(struct bytes text, bool plus, struct buf *out)
{
	int high, low;
	size_t i;
	char c;

	for (i = 0; i < text.len; i++) {
		c = text.data[i];
		if (c == '+' && plus) {
			c = ' ';
		} else if (c == '%') {
			if (text.len - i < 3)
				return -1;
			high = ascii_hex_value(text.data[i + 1]);
			low = ascii_hex_value(text.data[i + 2]);
			if (high < 0 || low < 0)
				return -1;
			c = (char)(high << 4 | low);
			i += 2;
		}
		if (buf_append_char(out, c) < 0)
			return -1;
	}
	return 0;
}

/* ---- fields ---- */

/* Adds to what is there already under this name. */
static void
put_value(json_t *object, const char *name, json_t *take_value)
{
	json_t *there = json_object_get(object, name), *array;

	if (there == NULL) {
		json_object_set_new(object, name, take_value);
		return;
	}
	if (json_is_array(there)) {
		json_array_append_new(there, take_value);
		return;
	}
	array = json_array();
	json_array_append(array, there);
	json_array_append_new(array, take_value);
	json_object_set_new(object, name, array);
}

struct form {
	json_t *object;
	size_t fields;
	struct err *err;
};

static int
add_field(struct form *form, struct bytes name, json_t *take_value)
{
	if (++form->fields > HTTP_FORM_FIELDS_MAX) {
		json_decref(take_value);
		return err_set(form->err, ERR_LIMIT,
		    "a form has at most %d fields", HTTP_FORM_FIELDS_MAX);
	}
	if (take_value == NULL)
		return err_set(form->err, ERR_INPUT,
		    "a value of the form is not text in UTF-8");
	if (name.len == 0 || name.len > HTTP_FORM_NAME_MAX ||
	    memchr(name.data, '\0', name.len) != NULL || !utf8_is_valid(name)) {
		json_decref(take_value);
		return err_set(form->err, ERR_INPUT,
		    "a name in the form is no name");
	}
	/* A NUL stands behind it: both parsers give a struct buf's. */
	put_value(form->object, name.data, take_value);
	return 0;
}

/* NULL: not UTF-8, or a NUL in it. */
static json_t *
text_value(struct bytes text)
{
	if (text.len > 0 && memchr(text.data, '\0', text.len) != NULL)
		return NULL;
	return json_stringn(text.data != NULL ? text.data : "", text.len);
}

static json_t *
finish(struct form *form, int rc)
{
	if (rc == 0)
		return form->object;
	json_decref(form->object);
	return NULL;
}

/* ---- application/x-www-form-urlencoded ---- */

static int
add_pair(struct form *form, struct bytes pair, struct buf *name,
    struct buf *value)
{
	struct cursor c = cursor_of(pair);
	struct bytes raw = cursor_until(&c, "=");

	(void)cursor_char(&c, '=');
	buf_reset(name);
	buf_reset(value);
	if (http_percent_decode(raw, true, name) < 0 ||
	    http_percent_decode((struct bytes){ c.p, (size_t)(c.end - c.p) },
		true, value) < 0)
		return err_set(form->err, ERR_INPUT,
		    "%% in a form stands before two hexadecimal digits");
	return add_field(form, (struct bytes){ buf_str(name), name->len },
	    text_value(buf_bytes(value)));
}

json_t *
http_form_parse(struct bytes text, struct err *err)
{
	struct form form = { .object = json_object(), .err = err };
	struct cursor c = cursor_of(text);
	struct buf name, value;
	struct bytes pair;
	int rc = 0;

	buf_init(&name, text.len);
	buf_init(&value, text.len);
	while (rc == 0 && !cursor_at_end(&c)) {
		pair = cursor_until(&c, "&");
		(void)cursor_char(&c, '&');
		if (pair.len > 0)
			rc = add_pair(&form, pair, &name, &value);
	}
	/* They may have held a password. */
	if (value.data != NULL)
		secret_wipe(value.data, value.size);
	buf_free(&name);
	buf_free(&value);
	return finish(&form, rc);
}

/* ---- multipart/form-data ---- */

/* name="value" or name=value behind a semicolon; false: not there.  In
 * quotes a backslash is itself but before a quote: browsers write \ as it
 * is and quotes as %22 (RFC 7578 section 2, HTML). */
static bool
find_parameter(struct bytes field, const char *name, struct buf *out)
{
	struct cursor c = cursor_of(field);
	struct bytes key;
	int ch;

	(void)cursor_until(&c, ";");
	while (cursor_char(&c, ';')) {
		buf_reset(out);
		(void)cursor_space(&c);
		key = bytes_trim(cursor_until(&c, "=;"));
		if (!cursor_char(&c, '='))
			continue;
		if (cursor_char(&c, '"')) {
			while ((ch = cursor_peek(&c)) >= 0 && ch != '"') {
				if (ch == '\\' && c.end - c.p > 1 &&
				    c.p[1] == '"')
					c.p++;
				(void)buf_append_char(out, *c.p++);
			}
			if (!cursor_char(&c, '"'))
				return false;
			(void)cursor_until(&c, ";");
		} else {
			(void)buf_append_bytes(out,
			    bytes_trim(cursor_until(&c, ";")));
		}
		if (bytes_equal_nocase(key, bytes_of(name)))
			return !out->overflow;
	}
	return false;
}

/* The value of a field of the header of a part. */
static struct bytes
part_field(struct bytes header, const char *name)
{
	struct cursor c = cursor_of(header);
	struct bytes line;
	struct cursor inner;

	while (!cursor_at_end(&c)) {
		line = cursor_until(&c, "\r\n");
		(void)cursor_space(&c);
		inner = cursor_of(line);
		if (cursor_literal(&inner, name) && cursor_char(&inner, ':'))
			return bytes_trim((struct bytes){ inner.p,
			    (size_t)(inner.end - inner.p) });
	}
	return (struct bytes){ NULL, 0 };
}

static int
add_file(struct form *form, struct buf *name, struct bytes file_name,
    struct bytes content)
{
	/* 4 octets for 3, and the last group. */
	struct buf coded;
	int rc;

	if (file_name.len == 0 && content.len == 0)
		return 0;
	buf_init(&coded, content.len / 3 * 4 + 4);
	(void)base64_encode(content, &coded);
	rc = buf_append_str(name, "_base64");
	if (rc == 0)
		rc = add_field(form, (struct bytes){ buf_str(name), name->len },
		    text_value(buf_bytes(&coded)));
	buf_free(&coded);
	if (rc < 0)
		return rc;
	name->len -= strlen("_base64");
	(void)buf_append_str(name, "_filename");
	return add_field(form, (struct bytes){ buf_str(name), name->len },
	    text_value(file_name));
}

static int
add_part(struct form *form, struct bytes header, struct bytes content)
{
	struct bytes field = part_field(header, "Content-Disposition");
	struct buf name, file_name;
	bool is_file;
	int rc;

	/* Room for what add_file puts behind it. */
	buf_init(&name, HTTP_FORM_NAME_MAX + 16);
	buf_init(&file_name, PART_HEADER_MAX);
	if (!find_parameter(field, "name", &name)) {
		rc = err_set(form->err, ERR_INPUT,
		    "a part of the form has no name");
	} else {
		is_file = find_parameter(field, "filename", &file_name);
		rc = is_file
		    ? add_file(form, &name, buf_bytes(&file_name), content)
		    : add_field(form,
			  (struct bytes){ buf_str(&name), name.len },
			  text_value(content));
	}
	buf_free(&name);
	buf_free(&file_name);
	return rc;
}

static const char *
find_bytes(struct cursor *c, struct bytes what)
{
	return c->p == c->end
	    ? NULL
	    : memmem(c->p, (size_t)(c->end - c->p), what.data, what.len);
}

static int
malformed(struct form *form)
{
	return err_set(form->err, ERR_INPUT,
	    "the form is no well-formed multipart/form-data");
}

/* delimiter: CRLF, "--", boundary; the first one may lack the CRLF. */
static int
read_parts(struct form *form, struct bytes body, struct bytes delimiter)
{
	const struct bytes blank = BYTES_LIT("\r\n\r\n");
	struct cursor c = cursor_of(body);
	struct bytes header;
	const char *end;

	if (body.len < delimiter.len - 2 ||
	    memcmp(c.p, delimiter.data + 2, delimiter.len - 2) != 0)
		return malformed(form);
	c.p += delimiter.len - 2;
	while (!cursor_literal(&c, "--")) {
		if (!cursor_literal(&c, "\r\n"))
			return malformed(form);
		end = find_bytes(&c, blank);
		if (end == NULL || end - c.p > PART_HEADER_MAX)
			return malformed(form);
		header = (struct bytes){ c.p, (size_t)(end - c.p) };
		c.p = end + blank.len;
		end = find_bytes(&c, delimiter);
		if (end == NULL)
			return malformed(form);
		if (add_part(form, header,
			(struct bytes){ c.p, (size_t)(end - c.p) }) < 0)
			return -1;
		c.p = end + delimiter.len;
	}
	return 0;
}

json_t *
http_multipart_parse(const char *content_type, struct bytes body,
    struct err *err)
{
	struct form form = { .object = json_object(), .err = err };
	struct buf boundary, delimiter;
	int rc;

	buf_init(&boundary, BOUNDARY_MAX);
	buf_init(&delimiter, BOUNDARY_MAX + 4);
	if (find_parameter(bytes_of(content_type), "boundary", &boundary) &&
	    boundary.len > 0) {
		(void)buf_append_str(&delimiter, "\r\n--");
		(void)buf_append_bytes(&delimiter, buf_bytes(&boundary));
		rc = read_parts(&form, body, buf_bytes(&delimiter));
	} else {
		rc = malformed(&form);
	}
	buf_free(&boundary);
	buf_free(&delimiter);
	return finish(&form, rc);
}

/* ---- application/json ---- */

/* Three octets ("[],") become a hundred and more [36 MB: 1.7 GB, 4 s], so
 * they are counted before: whatever begins a value, outside of text. */
static bool
has_too_many_values(struct bytes body)
{
	bool in_text = false;
	size_t values = 0, i;

	for (i = 0; i < body.len && values <= HTTP_JSON_VALUES_MAX; i++) {
		switch (body.data[i]) {
		case '"':
			in_text = !in_text;
			break;
		case '\\':
			i += in_text;
			break;
		case '[':
		case '{':
		case ',':
			values += !in_text;
			break;
		default:
			break;
		}
	}
	return values > HTTP_JSON_VALUES_MAX;
}

json_t *
http_json_parse(struct bytes body, struct err *err)
{
	json_error_t why;
	json_t *json;

	if (has_too_many_values(body)) {
		err_set(err, ERR_LIMIT, "the JSON has more than %d values",
		    HTTP_JSON_VALUES_MAX);
		return NULL;
	}
	json = json_loadb(body.data != NULL ? body.data : "", body.len,
	    JSON_REJECT_DUPLICATES, &why);
	if (json == NULL) {
		/* Its text may quote what stands there, which is cleaned
		 * where it is shown. */
		err_set(err, ERR_INPUT, "the body is not JSON: line %d: %s",
		    why.line, why.text);
		return NULL;
	}
	if (!json_is_object(json)) {
		json_decref(json);
		err_set(err, ERR_INPUT, "the body must be a JSON object");
		return NULL;
	}
	return json;
}
