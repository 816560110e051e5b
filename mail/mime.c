/*
 * mime.c - the parts of a message: what they are called, hold, and show.
 *
 * GMime is given the body of the message alone, as one part: it then does
 * not read addresses and dates, which nobody asks for.  It decodes the
 * parameters that it meets in its own way; what we show is decoded by us
 * from the raw fields.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <gmime/gmime.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "base/utf8.h"
#include "mail/charset.h"
#include "mail/mime.h"
#include "mail/mime_param.h"

#define READ_SIZE (16 * 1024)
#define CONTENT_ID_MAX 500
#define CHARSET_MAX 60

void
mime_open(void)
{
	g_mime_init();
}

/* ---- what is looked at ---- */

/* Ends raw where too many lines of it could begin a part: GMime takes its
 * time over each [100,000 parts: 0.3 s, and as much to free them]. */
static struct bytes
limit_delimiters(struct bytes raw, unsigned *cut)
{
	struct cursor c = cursor_of(raw);
	size_t count = 0;

	while (!cursor_at_end(&c)) {
		if (c.end - c.p > 2 && c.p[0] == '-' && c.p[1] == '-' &&
		    ++count > MIME_DELIMITERS_MAX) {
			*cut |= MIME_CUT_PARTS;
			raw.len = (size_t)(c.p - raw.data);
			break;
		}
		c.p = memchr(c.p, '\n', (size_t)(c.end - c.p));
		if (c.p == NULL)
			break;
		c.p++;
	}
	return raw;
}

/* array is borrowed as long as the root lives, or NULL. */
static GMimeObject *
parse_array(GByteArray *array)
{
	GMimeStream *stream = g_mime_stream_mem_new();
	GMimeParser *parser;
	GMimeObject *root;

	g_mime_stream_mem_set_byte_array(GMIME_STREAM_MEM(stream), array);
	parser = g_mime_parser_new_with_stream(stream);
	g_mime_parser_set_persist_stream(parser, TRUE);
	root = g_mime_parser_construct_part(parser, NULL);
	g_object_unref(parser);
	g_object_unref(stream); /* which the parts hold */
	return root;
}

/* Without the "From " line of a mailbox file, which GMime would not pass. */
static struct bytes
skip_mbox_line(struct bytes raw)
{
	const char *end = memchr(raw.data, '\n', raw.len);
	size_t len;

	if (raw.len < 5 || memcmp(raw.data, "From ", 5) != 0 || end == NULL)
		return raw;
	len = (size_t)(end + 1 - raw.data);
	return (struct bytes){ raw.data + len, raw.len - len };
}

static void
parse(struct mime *mime, struct bytes raw)
{
	static const guint8 empty_header = '\n';
	GByteArray *array;

	raw = limit_delimiters(raw, &mime->cut);
	if (raw.len > 0) {
		raw = skip_mbox_line(raw);
		array = g_byte_array_new_take((guint8 *)(uintptr_t)raw.data,
		    raw.len);
		mime->array = array;
		mime->root = parse_array(array);
		if (mime->root != NULL)
			return;
		g_byte_array_free(array, FALSE);
	}
	/* It begins with what is no header: all of it is body. */
	array = g_byte_array_new();
	g_byte_array_append(array, &empty_header, 1);
	g_byte_array_append(array, (const guint8 *)raw.data, (guint)raw.len);
	mime->array = array;
	mime->owns_array = true;
	mime->root = parse_array(array);
}

/* ---- a part ---- */

/* Of several fields of one name the last: the one GMime goes by. */
static struct bytes
raw_field(GMimeObject *object, const char *name)
{
	GMimeHeaderList *headers = g_mime_object_get_header_list(object);
	int i = g_mime_header_list_get_count(headers);
	GMimeHeader *header;
	const char *value;

	if (!g_mime_header_list_contains(headers, name))
		return bytes_of("");
	while (i-- > 0) {
		header = g_mime_header_list_get_header_at(headers, i);
		if (!str_equal_nocase(g_mime_header_get_name(header), name))
			continue;
		value = g_mime_header_get_raw_value(header);
		return bytes_of(value != NULL ? value : "");
	}
	return bytes_of("");
}

/* Characters that reorder the text around them, or that nobody sees, hide
 * what a name ends with: "invoice[U+202E]fdp.exe". */
static bool
is_deceiving(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x061c ||
	    (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
	    (c >= 0x2060 && c <= 0x206f) || c == 0xfeff;
}

static const char *
clean_name(struct arena *arena, const char *name)
{
	struct bytes rest = bytes_of(name);
	struct buf clean;
	const char *text;
	uint32_t c;
	size_t n;

	buf_init(&clean, 3 * MIME_NAME_MAX);
	for (; rest.len > 0; rest.data += n, rest.len -= n) {
		n = utf8_decode(rest, &c);
		if (n == 0 || is_deceiving(c)) {
			n = n > 0 ? n : 1;
			buf_append_str(&clean, "\xef\xbf\xbd");
		} else {
			buf_append(&clean, rest.data, n);
		}
	}
	text = arena_strdup(arena, buf_str(&clean));
	buf_free(&clean);
	return text;
}

/* Where senders put it: RFC 2183, and before that the type's parameter. */
static const char *
declared_name(struct arena *arena, struct bytes type, struct bytes disposition)
{
	const char *name;

	name = mime_param_text(arena, disposition, "filename", MIME_NAME_MAX);
	if (name == NULL || name[0] == '\0')
		name = mime_param_text(arena, type, "name", MIME_NAME_MAX);
	if (name == NULL || name[0] == '\0')
		return NULL;
	return clean_name(arena, name);
}

static const char *
content_id(struct arena *arena, GMimeObject *object)
{
	struct bytes id = bytes_trim(raw_field(object, "Content-ID"));

	if (id.len >= 2 && id.data[0] == '<' && id.data[id.len - 1] == '>') {
		id.data++;
		id.len -= 2;
	}
	if (id.len == 0 || id.len > CONTENT_ID_MAX || !utf8_is_valid(id))
		return NULL;
	return arena_memdup(arena, id.data, id.len);
}

static enum mime_disposition
disposition_of(struct arena *arena, struct bytes field)
{
	const char *word = mime_param_value(arena, field);

	if (strcmp(word, "inline") == 0)
		return MIME_INLINE;
	/* RFC 2183 section 2.8: unknown ones are attachments. */
	return bytes_trim(field).len > 0 ? MIME_ATTACHMENT : MIME_UNSAID;
}

/* What GMime took it for, as that decides what is in it; "text/plain" for
 * what cannot be read. */
static const char *
type_of(struct arena *arena, GMimeObject *object)
{
	GMimeContentType *found = g_mime_object_get_content_type(object);
	const char *media = g_mime_content_type_get_media_type(found);
	const char *sub = g_mime_content_type_get_media_subtype(found);
	const char *type;

	if (media == NULL || sub == NULL)
		return "text/plain";
	type = mime_param_value(arena,
	    bytes_of(arena_printf(arena, "%s/%s", media, sub)));
	return type[0] != '\0' ? type : "application/octet-stream";
}

static bool
param_is(struct arena *arena, struct bytes field, const char *name,
    const char *value)
{
	const char *text = mime_param_text(arena, field, name, CHARSET_MAX);

	return text != NULL && str_equal_nocase(text, value);
}

/* ---- content ---- */

/* Gives the decoded octets to each, until it returns false. */
static void
each_octets(GMimeObject *object,
    bool (*each)(void *context, const char *data, size_t len), void *context)
{
	GMimeDataWrapper *content;
	GMimeStream *raw, *decoded;
	GMimeFilter *filter;
	char data[READ_SIZE];
	ssize_t n;

	content = g_mime_part_get_content((GMimePart *)object);
	if (content == NULL)
		return;
	raw = g_mime_data_wrapper_get_stream(content);
	g_mime_stream_reset(raw);
	decoded = g_mime_stream_filter_new(raw);
	filter =
	    g_mime_filter_basic_new(g_mime_data_wrapper_get_encoding(content),
		FALSE);
	g_mime_stream_filter_add(GMIME_STREAM_FILTER(decoded), filter);
	g_object_unref(filter);
	while ((n = g_mime_stream_read(decoded, data, sizeof(data))) > 0)
		if (!each(context, data, (size_t)n))
			break;
	g_object_unref(decoded);
	g_mime_stream_reset(raw);
}

static bool
count_octets(void *context, const char *data, size_t len)
{
	(void)data;
	*(uint64_t *)context += len;
	return true;
}

static bool
append_octets(void *context, const char *data, size_t len)
{
	struct buf *out = context;
	size_t room = out->max - out->len;

	if (len > room) {
		buf_append(out, data, room);
		out->overflow = true;
		return false;
	}
	buf_append(out, data, len);
	return true;
}

/* An embedded message, or all of a multipart, as it stands. */
static void
append_object(GMimeObject *object, struct buf *out)
{
	GMimeStream *stream = g_mime_stream_mem_new();
	GByteArray *array;

	g_mime_object_write_to_stream(object, NULL, stream);
	array = g_mime_stream_mem_get_byte_array(GMIME_STREAM_MEM(stream));
	append_octets(out, (const char *)array->data, array->len);
	g_object_unref(stream);
}

int
mime_part_content(const struct mime_part *part, struct buf *out)
{
	GMimeObject *object = part->object;
	GMimeMessage *message;

	if (part->prologue) {
		const char *text =
		    g_mime_multipart_get_prologue((GMimeMultipart *)object);

		append_octets(out, text, strlen(text));
	} else if (GMIME_IS_PART(object)) {
		each_octets(object, append_octets, out);
	} else if (GMIME_IS_MESSAGE_PART(object)) {
		message =
		    g_mime_message_part_get_message((GMimeMessagePart *)object);
		if (message != NULL)
			append_object((GMimeObject *)message, out);
	} else {
		append_object(object, out);
	}
	return out->overflow ? -1 : 0;
}

int
mime_part_text(const struct mime_part *part, struct buf *out)
{
	bool full;
	struct buf raw;

	buf_init(&raw, out->max - out->len);
	full = mime_part_content(part, &raw) < 0;
	(void)charset_to_utf8(part->charset, buf_bytes(&raw), out);
	buf_free(&raw);
	out->overflow |= full;
	return out->overflow ? -1 : 0;
}

/* ---- the tree ---- */

struct walk {
	struct arena *arena;
	struct mime *mime;
	struct mime_part *parts;
};

static struct mime_part *
add_part(struct walk *walk, GMimeObject *object, const char *number,
    unsigned depth)
{
	struct bytes type = raw_field(object, "Content-Type");
	struct bytes disposition = raw_field(object, "Content-Disposition");
	struct mime_part *part = &walk->parts[walk->mime->count++];
	struct arena *arena = walk->arena;

	memset(part, 0, sizeof(*part));
	part->object = object;
	part->number = number;
	part->depth = depth;
	part->type = type_of(arena, object);
	part->charset = mime_param_text(arena, type, "charset", CHARSET_MAX);
	part->name = declared_name(arena, type, disposition);
	part->content_id = content_id(arena, object);
	part->disposition = disposition_of(arena, disposition);
	part->flowed = param_is(arena, type, "format", "flowed");
	part->delsp = param_is(arena, type, "delsp", "yes");
	if (GMIME_IS_PART(object))
		each_octets(object, count_octets, &part->size);
	else
		part->container = true;
	return part;
}

/* A multipart in which there are no parts, as its boundary is missing or
 * wrong: what is there is shown as text. */
static void
add_prologue(struct walk *walk, GMimeObject *object, const char *number,
    unsigned depth)
{
	const char *text =
	    g_mime_multipart_get_prologue((GMimeMultipart *)object);
	struct mime_part *part;

	if (text == NULL || text[0] == '\0')
		return;
	part = add_part(walk, object, number, depth);
	part->container = false;
	part->prologue = true;
	part->type = "text/plain";
	part->size = strlen(text);
}

static const char *
child_number(struct arena *arena, const char *parent, int index)
{
	return arena_printf(arena, "%s%s%d", parent,
	    parent[0] != '\0' ? "." : "", index + 1);
}

static void walk_object(struct walk *walk, GMimeObject *object,
    const char *parent, int index, unsigned depth);

static void
walk_children(struct walk *walk, GMimeObject *object, const char *number,
    unsigned depth)
{
	GMimeMultipart *multipart = (GMimeMultipart *)object;
	int i, count = g_mime_multipart_get_count(multipart);

	for (i = 0; i < count && walk->mime->count < MIME_PARTS_MAX; i++)
		walk_object(walk, g_mime_multipart_get_part(multipart, i),
		    number, i, depth);
	if (i < count)
		walk->mime->cut |= MIME_CUT_PARTS;
	if (count == 0 && walk->mime->count < MIME_PARTS_MAX)
		add_prologue(walk, object, child_number(walk->arena, number, 0),
		    depth);
}

/* What a message holds: a multipart has no number of its own there. */
static void
walk_body(struct walk *walk, GMimeObject *body, const char *number,
    unsigned depth)
{
	if (body == NULL)
		return;
	if (GMIME_IS_MULTIPART(body))
		walk_children(walk, body, number, depth);
	else if (walk->mime->count < MIME_PARTS_MAX)
		walk_object(walk, body, number, 0, depth);
}

static void
walk_object(struct walk *walk, GMimeObject *object, const char *parent,
    int index, unsigned depth)
{
	const char *number = child_number(walk->arena, parent, index);
	struct mime_part *part = add_part(walk, object, number, depth);
	GMimeMessage *message;

	if (!part->container)
		return;
	if (depth + 1 >= MIME_DEPTH_MAX) {
		walk->mime->cut |= MIME_CUT_DEPTH;
		return;
	}
	if (GMIME_IS_MULTIPART(object)) {
		walk_children(walk, object, number, depth + 1);
		return;
	}
	message = GMIME_IS_MESSAGE_PART(object)
	    ? g_mime_message_part_get_message((GMimeMessagePart *)object)
	    : NULL;
	if (message != NULL)
		walk_body(walk, g_mime_message_get_mime_part(message), number,
		    depth + 1);
}

/* ---- what is shown ---- */

static bool
is_in(const struct mime_part *part, const struct mime_part *container)
{
	size_t len = strlen(container->number);

	return strncmp(part->number, container->number, len) == 0 &&
	    part->number[len] == '.';
}

static void
add_body(const struct mime_part **bodies, size_t *count,
    const struct mime_part *part)
{
	if (*count < MIME_BODIES_MAX)
		bodies[(*count)++] = part;
}

/* Parts from first to end; of embedded messages only when asked to look
 * into one. */
static void
choose_bodies(struct mime *mime, bool embedded)
{
	const struct mime_part *part, *skip = NULL;
	size_t i;

	for (i = 0; i < mime->count; i++) {
		part = &mime->parts[i];
		if (skip != NULL && is_in(part, skip))
			continue;
		skip = NULL;
		if (part->container) {
			if (part->disposition == MIME_ATTACHMENT ||
			    (!embedded &&
				strncmp(part->type, "message/", 8) == 0))
				skip = part;
			continue;
		}
		if (part->disposition == MIME_ATTACHMENT)
			continue;
		if (strcmp(part->type, "text/html") == 0)
			add_body(mime->html, &mime->html_count, part);
		else if (strcmp(part->type, "text/plain") == 0)
			add_body(mime->text, &mime->text_count, part);
	}
}

/* Nothing is meant to be read: then whatever text there is. */
static void
choose_any(struct mime *mime)
{
	size_t i;

	for (i = 0; i < mime->count && mime->text_count == 0; i++)
		if (!mime->parts[i].container &&
		    mime->parts[i].disposition != MIME_ATTACHMENT &&
		    strncmp(mime->parts[i].type, "text/", 5) == 0)
			add_body(mime->text, &mime->text_count,
			    &mime->parts[i]);
}

/* ---- the whole ---- */

struct mime *
mime_parse(struct arena *arena, struct bytes raw)
{
	struct mime *mime = arena_calloc(arena, 1, sizeof(*mime));
	struct walk walk = { arena, mime, NULL };

	walk.parts = arena_calloc(arena, MIME_PARTS_MAX, sizeof(*walk.parts));
	mime->parts = walk.parts;
	mime->type = "text/plain";
	parse(mime, raw);
	mime->type = type_of(arena, mime->root);
	walk_body(&walk, mime->root, "", 0);
	choose_bodies(mime, false);
	if (mime->text_count + mime->html_count == 0)
		choose_bodies(mime, true);
	if (mime->text_count + mime->html_count == 0)
		choose_any(mime);
	return mime;
}

void
mime_free(struct mime *mime)
{
	if (mime == NULL || mime->root == NULL)
		return;
	g_object_unref(mime->root);
	g_byte_array_free(mime->array, mime->owns_array);
	mime->root = NULL;
}

const struct mime_part *
mime_find(const struct mime *mime, const char *number)
{
	size_t i;

	for (i = 0; i < mime->count; i++)
		if (strcmp(mime->parts[i].number, number) == 0)
			return &mime->parts[i];
	return NULL;
}

const struct mime_part *
mime_find_id(const struct mime *mime, struct bytes id)
{
	size_t i;

	for (i = 0; i < mime->count; i++)
		if (mime->parts[i].content_id != NULL &&
		    bytes_equal(bytes_of(mime->parts[i].content_id), id))
			return &mime->parts[i];
	return NULL;
}
