/*
 * template.c - renders templates.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/embedded.h"
#include "base/str.h"
#include "base/template_impl.h"

#define NUMBER_SIZE 40

/* ---- sets ---- */

struct template_set *
template_set_new(const struct embedded *files,
    const struct template_filter *filters, struct err *err)
{
	struct template_set *set = xcalloc(1, sizeof(*set));
	const struct embedded *file;

	set->arena = arena_new(0);
	set->filters = filters;
	for (file = files; file->name != NULL; file++)
		if (template_parse(set, file->name,
			(struct bytes){ (const char *)file->data, file->len },
			err) < 0)
			goto fail;
	if (template_link(set, err) == 0)
		return set;
fail:
	template_set_free(set);
	return NULL;
}

void
template_set_free(struct template_set *set)
{
	if (set == NULL)
		return;
	arena_free(set->arena);
	free(set);
}

const struct template *
template_find(const struct template_set *set, const char *name)
{
	const struct template *template = set->templates;

	while (template != NULL && strcmp(template->name, name) != 0)
		template = template->next;
	return template;
}

bool
template_set_has(const struct template_set *set, const char *name)
{
	return template_find(set, name) != NULL;
}

/* ---- scopes ---- */

struct scope {
	const json_t *value;
	const struct scope *outer;
	bool in_list;
	size_t index;
};

/* What stands between {{<part}} and {{/part}}. */
struct body {
	const struct template_node *nodes;
	const struct scope *scope;
	const struct body *outer;
};

struct template_writer {
	const struct template_set *set;
	const struct template_run *run;
	struct buf *out;
	struct err *err;
	size_t steps;
	int depth;
};

static int render_nodes(struct template_writer *writer,
    const struct template_node *node, const struct scope *scope,
    const struct body *body);

/* New, as the index is nowhere kept; NULL without a list. */
static json_t *
scope_index(const struct scope *scope)
{
	for (; scope != NULL; scope = scope->outer)
		if (scope->in_list)
			return json_integer((json_int_t)scope->index);
	return NULL;
}

static const json_t *
scope_find(const struct scope *scope, const struct template_path *path)
{
	const json_t *value = NULL;
	size_t i;

	if (path->count == 0)
		return scope != NULL ? scope->value : NULL;
	for (; scope != NULL && value == NULL; scope = scope->outer)
		value = json_object_get(scope->value, path->parts[0]);
	for (i = 1; i < path->count && value != NULL; i++)
		value = json_object_get(value, path->parts[i]);
	return value;
}

/* Of "a.length", when a is a list; new, or NULL. */
static json_t *
list_length(const struct scope *scope, const struct template_path *path)
{
	struct template_path list = *path;
	const json_t *value;

	if (path->count < 2 ||
	    strcmp(path->parts[path->count - 1], "length") != 0)
		return NULL;
	list.count--;
	value = scope_find(scope, &list);
	return json_is_array(value)
	    ? json_integer((json_int_t)json_array_size(value))
	    : NULL;
}

/* A reference; null when there is nothing. */
static json_t *
expr_value(const struct template_writer *writer,
    const struct template_expr *expr, const struct scope *scope)
{
	const json_t *value;
	json_t *index;

	switch (expr->kind) {
	case EXPR_TEXT:
		return json_string(expr->text);
	case EXPR_MESSAGE:
		return json_string(
		    i18n_text(writer->run->language, expr->text));
	case EXPR_PATH:
		break;
	}
	if (expr->path.count == 1 &&
	    strcmp(expr->path.parts[0], "@index") == 0) {
		index = scope_index(scope);
		return index != NULL ? index : json_null();
	}
	index = list_length(scope, &expr->path);
	if (index != NULL)
		return index;
	value = scope_find(scope, &expr->path);
	/* Counting references changes nothing that anybody sees. */
	return value != NULL ? json_incref((json_t *)value) : json_null();
}

static bool
is_true(const json_t *value)
{
	switch (json_typeof(value)) {
	case JSON_OBJECT:
		return json_object_size(value) > 0;
	case JSON_ARRAY:
		return json_array_size(value) > 0;
	case JSON_STRING:
		return json_string_length(value) > 0;
	case JSON_INTEGER:
		return json_integer_value(value) != 0;
	case JSON_REAL:
		return json_real_value(value) != 0;
	case JSON_TRUE:
		return true;
	case JSON_FALSE:
	case JSON_NULL:
		break;
	}
	return false;
}

/* ---- writing ---- */

/* A scalar as text, in number where it has none; empty for others. */
static struct bytes
value_text(const json_t *value, struct buf *number)
{
	buf_reset(number);
	switch (json_typeof(value)) {
	case JSON_STRING:
		return (struct bytes){ json_string_value(value),
			json_string_length(value) };
	case JSON_INTEGER:
		(void)buf_printf(number, "%" JSON_INTEGER_FORMAT,
		    json_integer_value(value));
		break;
	case JSON_REAL:
		(void)buf_printf(number, "%.6g", json_real_value(value));
		break;
	case JSON_TRUE:
		return BYTES_LIT("true");
	case JSON_FALSE:
		return BYTES_LIT("false");
	case JSON_OBJECT:
	case JSON_ARRAY:
	case JSON_NULL:
		break;
	}
	return buf_bytes(number);
}

static const char *
escape_of(char c)
{
	switch (c) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	case '\'':
		return "&#39;";
	/* No page needs it, and old readers end at it. */
	case '\0':
		return "\xef\xbf\xbd";
	default:
		return NULL;
	}
}

void
template_put_text(struct template_writer *writer, struct bytes text)
{
	size_t i, start = 0;
	const char *escape;

	for (i = 0; i < text.len; i++) {
		escape = escape_of(text.data[i]);
		if (escape == NULL)
			continue;
		(void)buf_append(writer->out, text.data + start, i - start);
		(void)buf_append_str(writer->out, escape);
		start = i + 1;
	}
	if (text.len > start)
		(void)buf_append(writer->out, text.data + start,
		    text.len - start);
}

void
template_put_markup(struct template_writer *writer, const char *markup)
{
	(void)buf_append_str(writer->out, markup);
}

void
template_put_value(struct template_writer *writer, const json_t *value)
{
	struct buf number;

	buf_init(&number, NUMBER_SIZE);
	template_put_text(writer, value_text(value, &number));
	buf_free(&number);
}

enum language
template_language(const struct template_writer *writer)
{
	return writer->run->language;
}

void *
template_context(const struct template_writer *writer)
{
	return writer->run->context;
}

static void
write_expr(struct template_writer *writer, const struct template_expr *expr,
    const struct scope *scope)
{
	json_t *value = expr_value(writer, expr, scope);

	if (expr->filter != NULL)
		expr->filter->write(writer, value, expr->argument);
	else
		template_put_value(writer, value);
	json_decref(value);
}

/* ---- nodes ---- */

static void
write_number(struct template_writer *writer, const struct template_expr *expr,
    const struct scope *scope)
{
	const struct template_filter *filter = writer->set->filters;
	struct template_expr number = *expr;

	for (; number.filter == NULL && filter != NULL && filter->name != NULL;
	     filter++)
		if (strcmp(filter->name, "number") == 0) {
			number.filter = filter;
			number.argument = "";
		}
	write_expr(writer, &number, scope);
}

static void
write_placeholder(struct template_writer *writer,
    const struct template_node *node, struct bytes name,
    const struct scope *scope)
{
	const struct template_arg *arg;

	if (node->plural != NULL && bytes_equal(name, BYTES_LIT("n"))) {
		write_number(writer, &node->expr, scope);
		return;
	}
	for (arg = node->args; arg != NULL; arg = arg->next)
		if (bytes_equal(name, bytes_of(arg->name))) {
			write_expr(writer, &arg->expr, scope);
			return;
		}
}

static void
render_message(struct template_writer *writer, const struct template_node *node,
    const struct scope *scope)
{
	const char *text, *start;
	struct bytes name;
	json_t *number;
	size_t len;

	if (node->plural != NULL) {
		number = expr_value(writer, &node->expr, scope);
		text = i18n_plural(writer->run->language, node->text,
		    node->plural, (unsigned long)json_integer_value(number));
		json_decref(number);
	} else {
		text = i18n_text(writer->run->language, node->text);
	}
	for (start = text; *text != '\0';) {
		len = template_placeholder(text, &name);
		if (len == 0) {
			text++;
			continue;
		}
		template_put_text(writer,
		    (struct bytes){ start, (size_t)(text - start) });
		write_placeholder(writer, node, name, scope);
		start = text += len;
	}
	template_put_text(writer, bytes_of(start));
}

/* Is a one of the words of b, between bars? */
static bool
is_one_of(struct bytes a, struct bytes b)
{
	struct cursor c = cursor_of(b);

	do {
		if (bytes_equal(a, cursor_until(&c, "|")))
			return true;
	} while (cursor_char(&c, '|'));
	return false;
}

static bool
section_compares(const struct template_writer *writer,
    const struct template_node *node, const json_t *value,
    const struct scope *scope)
{
	json_t *other = expr_value(writer, &node->other, scope);
	struct bytes text, with;
	struct buf a, b;
	bool same;

	buf_init(&a, NUMBER_SIZE);
	buf_init(&b, NUMBER_SIZE);
	text = value_text(value, &a);
	with = value_text(other, &b);
	same = node->other.kind == EXPR_TEXT ? is_one_of(text, with)
					     : bytes_equal(text, with);
	buf_free(&a);
	buf_free(&b);
	json_decref(other);
	return same;
}

static int
render_list(struct template_writer *writer, const struct template_node *node,
    const json_t *list, const struct scope *outer, const struct body *body)
{
	struct scope scope = { .outer = outer, .in_list = true };
	size_t i;

	for (i = 0; i < json_array_size(list); i++) {
		scope.value = json_array_get(list, i);
		scope.index = i;
		if (render_nodes(writer, node->children, &scope, body) < 0)
			return -1;
	}
	return 0;
}

static int
render_section(struct template_writer *writer, const struct template_node *node,
    const struct scope *outer, const struct body *body)
{
	json_t *value = expr_value(writer, &node->expr, outer);
	struct scope scope = { .value = value, .outer = outer };
	int rc = 0;

	if (node->compares) {
		if (section_compares(writer, node, value, outer) !=
		    node->inverted)
			rc = render_nodes(writer, node->children, outer, body);
	} else if (node->inverted) {
		if (!is_true(value))
			rc = render_nodes(writer, node->children, outer, body);
	} else if (json_is_array(value)) {
		rc = render_list(writer, node, value, outer, body);
	} else if (is_true(value)) {
		rc = render_nodes(writer, node->children, &scope, body);
	}
	json_decref(value);
	return rc;
}

static int
render_part(struct template_writer *writer, const struct template_node *node,
    const struct scope *outer, const struct body *outer_body)
{
	json_t *given = json_object();
	struct scope scope = { .value = given, .outer = outer };
	struct body body = { node->children, outer, outer_body };
	const struct template_arg *arg;
	int rc;

	for (arg = node->args; arg != NULL; arg = arg->next)
		json_object_set_new(given, arg->name,
		    expr_value(writer, &arg->expr, outer));
	rc = render_nodes(writer, node->part->nodes, &scope, &body);
	json_decref(given);
	return rc;
}

static int
render_node(struct template_writer *writer, const struct template_node *node,
    const struct scope *scope, const struct body *body)
{
	switch (node->kind) {
	case NODE_LITERAL:
		(void)buf_append_bytes(writer->out, node->literal);
		break;
	case NODE_VALUE:
		write_expr(writer, &node->expr, scope);
		break;
	case NODE_MESSAGE:
		render_message(writer, node, scope);
		break;
	case NODE_SECTION:
		return render_section(writer, node, scope, body);
	case NODE_PART:
		return render_part(writer, node, scope, body);
	case NODE_BODY:
		if (body != NULL)
			return render_nodes(writer, body->nodes, body->scope,
			    body->outer);
		break;
	}
	return 0;
}

static int
render_nodes(struct template_writer *writer, const struct template_node *node,
    const struct scope *scope, const struct body *body)
{
	if (writer->depth == TEMPLATE_DEPTH_MAX)
		return err_set(writer->err, ERR_LIMIT,
		    "a page has more than %d templates within each other",
		    TEMPLATE_DEPTH_MAX);
	writer->depth++;
	for (; node != NULL; node = node->next) {
		if (++writer->steps > TEMPLATE_STEPS_MAX)
			return err_set(writer->err, ERR_LIMIT,
			    "a page has more than %d pieces",
			    TEMPLATE_STEPS_MAX);
		if (render_node(writer, node, scope, body) < 0)
			return -1;
		if (writer->out->overflow)
			return err_set(writer->err, ERR_LIMIT,
			    "a page is larger than %zu octets",
			    writer->out->max);
	}
	writer->depth--;
	return 0;
}

int
template_render(const struct template_set *set, const char *name,
    const struct template_run *run, struct buf *out, struct err *err)
{
	struct template_writer writer = { .set = set,
		.run = run,
		.out = out,
		.err = err };
	const struct scope globals = { .value = run->globals };
	const struct scope model = { .value = run->model, .outer = &globals };
	const struct template *template = template_find(set, name);

	if (template == NULL)
		return err_set(err, ERR_CONFIG, "there is no template '%s'",
		    name);
	return render_nodes(&writer, template->nodes, &model, NULL);
}

/* ---- messages, for tests and catalogues ---- */

struct seeing {
	void (*see)(void *context, const char *where, const char *msgid,
	    const char *plural);
	void *context;
	const char *name;
};

static void
see_expr(const struct seeing *seeing, const struct template_expr *expr)
{
	if (expr->kind == EXPR_MESSAGE)
		seeing->see(seeing->context, seeing->name, expr->text, NULL);
}

static void
see_nodes(const struct seeing *seeing, const struct template_node *node)
{
	const struct template_arg *arg;

	for (; node != NULL; node = node->next) {
		if (node->kind == NODE_MESSAGE)
			seeing->see(seeing->context, seeing->name, node->text,
			    node->plural);
		see_expr(seeing, &node->expr);
		see_expr(seeing, &node->other);
		for (arg = node->args; arg != NULL; arg = arg->next)
			see_expr(seeing, &arg->expr);
		see_nodes(seeing, node->children);
	}
}

void
template_each_message(const struct template_set *set,
    void (*see)(void *context, const char *where, const char *msgid,
	const char *plural),
    void *context)
{
	struct seeing seeing = { see, context, NULL };
	const struct template *template;

	for (template = set->templates; template != NULL;
	     template = template->next) {
		seeing.name = template->name;
		see_nodes(&seeing, template->nodes);
	}
}
