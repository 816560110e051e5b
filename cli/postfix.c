/*
 * postfix.c - the settings of a Postfix, as postconf tells them.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"

#include "cli/postfix.h"
#include "cli/run.h"

#define OUTPUT_MAX (4UL * 1024 * 1024)
#define MASTER_FIELDS 8

/* ---- running postconf ---- */

static int
run_postconf(const struct postfix_options *options, const char *flags,
    struct buf *out, struct err *err)
{
	const char *argv[] = { options->postconf != NULL ? options->postconf
							 : "postconf",
		flags, NULL, NULL, NULL };

	if (options->directory != NULL) {
		argv[2] = "-c";
		argv[3] = options->directory;
	}
	return run_and_read(argv, out, err);
}

/* ---- reading ---- */

static struct bytes
next_line(struct bytes *text)
{
	struct cursor c = cursor_of(*text);
	struct bytes line = cursor_until(&c, "\n");

	(void)cursor_char(&c, '\n');
	text->data = c.p;
	text->len = (size_t)(c.end - c.p);
	return line;
}

static size_t
count_lines(struct bytes text)
{
	size_t n = 0;

	while (text.len > 0) {
		next_line(&text);
		n++;
	}
	return n;
}

static char *
copy(struct arena *arena, struct bytes text)
{
	return arena_memdup(arena, text.data, text.len);
}

/* "name = value" */
static void
add_parameter(struct arena *arena, struct postfix *postfix, struct bytes line)
{
	struct cursor c = cursor_of(line);
	struct bytes name = bytes_trim(cursor_until(&c, "="));
	struct postfix_parameter *parameter;

	if (!cursor_char(&c, '='))
		return;
	parameter = &postfix->parameters[postfix->count++];
	parameter->name = copy(arena, name);
	parameter->value = copy(arena,
	    bytes_trim((struct bytes){ c.p, (size_t)(c.end - c.p) }));
}

static void
add_parameters(struct arena *arena, struct postfix *postfix, struct bytes text)
{
	struct postfix_parameter *old = postfix->parameters;

	postfix->parameters = arena_calloc(arena,
	    postfix->count + count_lines(text) + 1, sizeof(*old));
	if (postfix->count > 0)
		memcpy(postfix->parameters, old, postfix->count * sizeof(*old));
	while (text.len > 0)
		add_parameter(arena, postfix, next_line(&text));
}

/* service type private unpriv chroot wakeup maxproc command args... */
static void
add_service(struct arena *arena, struct postfix *postfix, struct bytes line)
{
	struct bytes field[MASTER_FIELDS];
	struct cursor c = cursor_of(line);
	struct postfix_service *service;
	size_t i;

	for (i = 0; i < MASTER_FIELDS; i++) {
		(void)cursor_space(&c);
		field[i] = cursor_until(&c, " \t");
		if (field[i].len == 0)
			return;
	}
	service = &postfix->services[postfix->service_count++];
	service->name = copy(arena, field[0]);
	service->type = copy(arena, field[1]);
	service->chroot = bytes_equal(field[4], BYTES_LIT("y"));
	service->daemon = copy(arena, field[7]);
}

static void
add_services(struct arena *arena, struct postfix *postfix, struct bytes text)
{
	postfix->services = arena_calloc(arena, count_lines(text) + 1,
	    sizeof(*postfix->services));
	while (text.len > 0)
		add_service(arena, postfix, next_line(&text));
}

int
postfix_read(struct arena *arena, const struct postfix_options *options,
    struct postfix *postfix, struct err *err)
{
	struct buf out;
	int rc = -1;

	memset(postfix, 0, sizeof(*postfix));
	buf_init(&out, OUTPUT_MAX);
	if (run_postconf(options, "-x", &out, err) < 0)
		goto out;
	add_parameters(arena, postfix, buf_bytes(&out));
	buf_reset(&out);
	if (run_postconf(options, "-Px", &out, err) < 0)
		goto out;
	add_parameters(arena, postfix, buf_bytes(&out));
	buf_reset(&out);
	if (run_postconf(options, "-M", &out, err) < 0)
		goto out;
	add_services(arena, postfix, buf_bytes(&out));
	rc = 0;
out:
	buf_free(&out);
	return rc;
}

/* ---- asking ---- */

const char *
postfix_value(const struct postfix *postfix, const char *name)
{
	size_t i;

	for (i = 0; i < postfix->count; i++)
		if (strcmp(postfix->parameters[i].name, name) == 0)
			return postfix->parameters[i].value;
	return NULL;
}

const char *
postfix_override(const struct postfix *postfix,
    const struct postfix_service *service, const char *name)
{
	const char *value;
	struct buf key;

	buf_init(&key, 1024);
	value = buf_printf(&key, "%s/%s/%s", service->name, service->type,
		    name) == 0
	    ? postfix_value(postfix, buf_str(&key))
	    : NULL;
	buf_free(&key);
	return value;
}

const char *
postfix_service_value(const struct postfix *postfix,
    const struct postfix_service *service, const char *name)
{
	const char *value = postfix_override(postfix, service, name);

	return value != NULL ? value : postfix_value(postfix, name);
}

static bool
is_separator(char c)
{
	return c == ',' || ascii_is_space(c);
}

bool
postfix_next_word(const char **list, struct bytes *word)
{
	const char *p = *list;
	unsigned depth = 0;

	while (is_separator(*p))
		p++;
	if (*p == '\0')
		return false;
	word->data = p;
	for (; *p != '\0' && (depth > 0 || !is_separator(*p)); p++) {
		if (*p == '{')
			depth++;
		else if (*p == '}' && depth > 0)
			depth--;
	}
	word->len = (size_t)(p - word->data);
	*list = p;
	return true;
}

struct bytes
postfix_unbrace(struct bytes word)
{
	if (word.len >= 2 && word.data[0] == '{' &&
	    word.data[word.len - 1] == '}')
		return bytes_trim(
		    (struct bytes){ word.data + 1, word.len - 2 });
	return word;
}

bool
postfix_has_word(const char *list, const char *word)
{
	struct bytes got;

	while (postfix_next_word(&list, &got))
		if (bytes_equal(got, bytes_of(word)))
			return true;
	return false;
}
