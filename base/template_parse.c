/*
 * template_parse.c - reads templates, and sees to it that nothing in them
 * can show a value where escaping does not help.
 *
 * The literal parts are followed as a browser would: text, tag, attribute.
 * Where a hole stands decides what it may be.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "base/template_impl.h"

#define NAME_MAX_OCTETS 40
#define NAME_CHARS                                                             \
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"

/* ---- where in the page we are ---- */

enum place {
	PLACE_TEXT,
	PLACE_RAW,      /* within script, style */
	PLACE_COMMENT,  /* to > */
	PLACE_TAG_NAME, /* after < */
	PLACE_TAG,
	PLACE_ATTRIBUTE,   /* in its name, or between it and its value */
	PLACE_VALUE_START, /* after the opening quote */
	PLACE_VALUE,       /* behind something in it */
	PLACE_VALUE_NAKED, /* not in double quotes: no holes */
};

struct page {
	enum place place;
	char tag[NAME_MAX_OCTETS];
	char attribute[NAME_MAX_OCTETS];
};

/* A longer name is none that matters here. */
static void
add_char(char name[NAME_MAX_OCTETS], char c)
{
	size_t len = strlen(name);

	if (len + 1 < NAME_MAX_OCTETS) {
		name[len] = ascii_lower(c);
		name[len + 1] = '\0';
	}
}

static enum place
place_after_tag(const struct page *page)
{
	if (strcmp(page->tag, "script") == 0 || strcmp(page->tag, "style") == 0)
		return PLACE_RAW;
	return PLACE_TEXT;
}

static void
page_in_tag(struct page *page, char c)
{
	if (c == '>') {
		page->place = place_after_tag(page);
	} else if (!ascii_is_space(c) && c != '/') {
		page->place = PLACE_ATTRIBUTE;
		page->attribute[0] = '\0';
		add_char(page->attribute, c);
	} else {
		page->place = PLACE_TAG;
	}
}

static void
page_in_attribute(struct page *page, char c)
{
	size_t len = strlen(page->attribute);

	if (c == '"' && len > 0 && page->attribute[len - 1] == '=') {
		page->attribute[len - 1] = '\0';
		page->place = PLACE_VALUE_START;
	} else if (len > 0 && page->attribute[len - 1] == '=') {
		page->place = PLACE_VALUE_NAKED;
	} else if (c == '>' || ascii_is_space(c)) {
		page_in_tag(page, c);
	} else {
		add_char(page->attribute, c);
	}
}

static void
page_feed_char(struct page *page, char c)
{
	switch (page->place) {
	case PLACE_TEXT:
	case PLACE_RAW:
		if (c == '<') {
			page->place = PLACE_TAG_NAME;
			page->tag[0] = '\0';
		}
		break;
	case PLACE_COMMENT:
		if (c == '>')
			page->place = PLACE_TEXT;
		break;
	case PLACE_TAG_NAME:
		if (c == '!')
			page->place = PLACE_COMMENT;
		else if (c == '>' || ascii_is_space(c))
			page_in_tag(page, c);
		else
			add_char(page->tag, c);
		break;
	case PLACE_TAG:
		page_in_tag(page, c);
		break;
	case PLACE_ATTRIBUTE:
		page_in_attribute(page, c);
		break;
	case PLACE_VALUE_START:
	case PLACE_VALUE:
		page->place = c == '"' ? PLACE_TAG : PLACE_VALUE;
		break;
	case PLACE_VALUE_NAKED:
		if (c == '>' || ascii_is_space(c))
			page_in_tag(page, c);
		break;
	}
}

static void
page_feed(struct page *page, struct bytes text)
{
	size_t i;

	for (i = 0; i < text.len; i++)
		page_feed_char(page, text.data[i]);
}

static bool
page_in_value(const struct page *page)
{
	return page->place == PLACE_VALUE_START || page->place == PLACE_VALUE;
}

/* After a section the page must stand where it stood before it. */
static bool
page_same(const struct page *a, const struct page *b)
{
	if (page_in_value(a) && page_in_value(b))
		return strcmp(a->attribute, b->attribute) == 0;
	/* A whole attribute within a section: " checked". */
	if (a->place == PLACE_TAG || a->place == PLACE_ATTRIBUTE ||
	    a->place == PLACE_TAG_NAME)
		return b->place == PLACE_TAG || b->place == PLACE_ATTRIBUTE;
	return a->place == b->place;
}

static bool
attribute_is_address(const char *name)
{
	static const char *const names[] = { "href", "src", "action",
		"formaction", "poster", "cite", "data", "srcset" };
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

/* ---- the parser ---- */

struct parser {
	struct template_set *set;
	const char *file;
	struct bytes source;
	struct cursor c;
	struct page page;
	int nesting;
	bool whole_line; /* the tag stands alone at the start of its line */
	struct err *err;
};

/* A list that grows at its end. */
struct nodes {
	struct template_node *first;
	struct template_node **end;
};

static unsigned
line_of(const struct parser *parser, const char *at)
{
	const char *p;
	unsigned line = 1;

	for (p = parser->source.data; p < at; p++)
		line += *p == '\n';
	return line;
}

static int __attribute__((format(printf, 2, 3)))
mistake(struct parser *parser, const char *fmt, ...)
{
	struct buf text;
	va_list ap;

	buf_init(&text, ERR_TEXT_MAX);
	va_start(ap, fmt);
	(void)buf_vprintf(&text, fmt, ap);
	va_end(ap);
	err_set(parser->err, ERR_INPUT, "%s:%u: %s", parser->file,
	    line_of(parser, parser->c.p), buf_str(&text));
	buf_free(&text);
	return -1;
}

static struct template_node *
add_node(struct parser *parser, struct nodes *nodes, enum node_kind kind)
{
	struct template_node *node =
	    arena_calloc(parser->set->arena, 1, sizeof(*node));

	node->kind = kind;
	node->line = line_of(parser, parser->c.p);
	*nodes->end = node;
	nodes->end = &node->next;
	return node;
}

/* ---- literals ---- */

/* Without what stands before the first letter of each line. */
static void
add_literal(struct parser *parser, struct nodes *nodes, struct bytes text,
    bool at_line_start)
{
	char *copy, *out;
	size_t i;

	if (text.len == 0)
		return;
	page_feed(&parser->page, text);
	out = copy = arena_alloc(parser->set->arena, text.len);
	for (i = 0; i < text.len; i++) {
		if (at_line_start && ascii_is_space(text.data[i]))
			continue;
		*out++ = text.data[i];
		at_line_start = text.data[i] == '\n';
	}
	if (out > copy)
		add_node(parser, nodes, NODE_LITERAL)->literal =
		    (struct bytes){ copy, (size_t)(out - copy) };
}

static const char *
find_tag(const struct cursor *c)
{
	const char *p;

	for (p = c->p; c->end - p >= 2; p++)
		if (p[0] == '{' && p[1] == '{')
			return p;
	return c->end;
}

/* Does nothing but white space stand before at, on its line? */
static bool
begins_line(const struct parser *parser, const char *at)
{
	while (at > parser->source.data && (at[-1] == ' ' || at[-1] == '\t'))
		at--;
	return at == parser->source.data || at[-1] == '\n';
}

/* ---- within tags ---- */

static int
parse_name(struct parser *parser, const char **name)
{
	struct bytes span;

	if (!cursor_span(&parser->c, NAME_CHARS, &span) ||
	    span.len >= NAME_MAX_OCTETS)
		return mistake(parser, "a name is wanted here");
	*name = arena_memdup(parser->set->arena, span.data, span.len);
	return 0;
}

/* Behind the opening quote. */
static int
parse_quoted(struct parser *parser, const char **text)
{
	struct buf buf;
	int c;

	buf_init(&buf, TEMPLATE_SIZE_MAX);
	while ((c = cursor_peek(&parser->c)) != '"') {
		if (c == '\\') {
			parser->c.p++;
			c = cursor_peek(&parser->c);
		}
		if (c < 0 || c == '\n') {
			buf_free(&buf);
			return mistake(parser, "a quote is missing");
		}
		(void)buf_append_char(&buf, (char)c);
		parser->c.p++;
	}
	parser->c.p++;
	*text = arena_strdup(parser->set->arena, buf_str(&buf));
	buf_free(&buf);
	return 0;
}

static int
parse_path(struct parser *parser, struct template_path *path)
{
	if (cursor_char(&parser->c, '.'))
		return 0;
	if (cursor_literal(&parser->c, "@index")) {
		path->parts[path->count++] = "@index";
		return 0;
	}
	do {
		if (path->count == PATH_MAX_PARTS)
			return mistake(parser, "a path has at most %d parts",
			    PATH_MAX_PARTS);
		if (parse_name(parser, &path->parts[path->count]) < 0)
			return -1;
		path->count++;
	} while (cursor_char(&parser->c, '.'));
	return 0;
}

static int
parse_filter(struct parser *parser, struct template_expr *expr)
{
	const struct template_filter *filter = parser->set->filters;
	const char *name = "";

	if (parse_name(parser, &name) < 0)
		return -1;
	while (filter != NULL && filter->name != NULL &&
	    strcmp(filter->name, name) != 0)
		filter++;
	if (filter == NULL || filter->name == NULL)
		return mistake(parser, "there is no filter '%s'", name);
	expr->filter = filter;
	expr->argument = "";
	if (cursor_char(&parser->c, ':'))
		return parse_name(parser, &expr->argument);
	return 0;
}

static int
parse_expr(struct parser *parser, struct template_expr *expr)
{
	memset(expr, 0, sizeof(*expr));
	if (cursor_literal(&parser->c, "t\"")) {
		expr->kind = EXPR_MESSAGE;
		return parse_quoted(parser, &expr->text);
	}
	if (cursor_char(&parser->c, '"')) {
		expr->kind = EXPR_TEXT;
		return parse_quoted(parser, &expr->text);
	}
	expr->kind = EXPR_PATH;
	if (parse_path(parser, &expr->path) < 0)
		return -1;
	return cursor_char(&parser->c, '|') ? parse_filter(parser, expr) : 0;
}

/* Is this hole safe where it stands? */
static int
check_place(struct parser *parser, const struct template_expr *expr)
{
	const struct page *page = &parser->page;
	const char *filter = expr->filter != NULL ? expr->filter->name : "";
	bool url = strcmp(filter, "url") == 0;
	bool path = strcmp(filter, "path") == 0;

	if (page->place == PLACE_TEXT)
		return 0;
	if (!page_in_value(page))
		return mistake(parser,
		    "a value may stand in text or in an attribute in double "
		    "quotes");
	if (expr->filter != NULL && expr->filter->markup)
		return mistake(parser, "'%s' writes elements: not here",
		    filter);
	if (strncmp(page->attribute, "on", 2) == 0 ||
	    strcmp(page->attribute, "style") == 0)
		return mistake(parser, "no value may stand in '%s'",
		    page->attribute);
	if (!attribute_is_address(page->attribute))
		return 0;
	if (page->place == PLACE_VALUE_START ? !path : !url)
		return mistake(parser, "an address needs the filter '%s' here",
		    page->place == PLACE_VALUE_START ? "path" : "url");
	return 0;
}

/* A hole has been where the page stands. */
static void
pass_hole(struct parser *parser)
{
	if (parser->page.place == PLACE_VALUE_START)
		parser->page.place = PLACE_VALUE;
}

static int
parse_args(struct parser *parser, struct template_arg **args, bool filters)
{
	struct template_arg *arg;
	int n;

	for (n = 0;; n++) {
		(void)cursor_space(&parser->c);
		if (cursor_at_end(&parser->c) || cursor_peek(&parser->c) == '}')
			return 0;
		if (n == ARGS_MAX)
			return mistake(parser, "at most %d names", ARGS_MAX);
		arg = arena_calloc(parser->set->arena, 1, sizeof(*arg));
		if (parse_name(parser, &arg->name) < 0)
			return -1;
		if (!cursor_char(&parser->c, '='))
			return mistake(parser, "'=' is missing");
		if (parse_expr(parser, &arg->expr) < 0)
			return -1;
		if (!filters && arg->expr.filter != NULL)
			return mistake(parser, "no filter may stand here");
		*args = arg;
		args = &arg->next;
	}
}

static int
end_tag(struct parser *parser)
{
	(void)cursor_space(&parser->c);
	if (!cursor_literal(&parser->c, "}}"))
		return mistake(parser, "'}}' is missing");
	/* The line of a tag that shows nothing itself. */
	if (parser->whole_line)
		(void)cursor_char(&parser->c, '\n');
	return 0;
}

/* ---- messages ---- */

size_t
template_placeholder(const char *text, struct bytes *name)
{
	size_t len;

	if (text[0] != '{')
		return 0;
	len = strspn(text + 1, NAME_CHARS);
	if (len == 0 || text[len + 1] != '}')
		return 0;
	*name = (struct bytes){ text + 1, len };
	return len + 2;
}

/* Each {name} of the message must be given. */
static int
check_placeholders(struct parser *parser, const struct template_node *node,
    const char *text)
{
	const struct template_arg *arg;
	struct bytes name;

	for (; *text != '\0'; text++) {
		if (template_placeholder(text, &name) == 0)
			continue;
		if (node->plural != NULL && bytes_equal(name, BYTES_LIT("n")))
			continue;
		for (arg = node->args; arg != NULL; arg = arg->next)
			if (bytes_equal(name, bytes_of(arg->name)))
				break;
		if (arg == NULL)
			return mistake(parser, "'%s': %.*s is not given", text,
			    (int)name.len, name.data);
		if (check_place(parser, &arg->expr) < 0)
			return -1;
	}
	return 0;
}

static int
parse_message(struct parser *parser, struct nodes *nodes, bool plural)
{
	struct template_node *node = add_node(parser, nodes, NODE_MESSAGE);
	static const struct template_expr plain;

	(void)cursor_space(&parser->c);
	if (!cursor_char(&parser->c, '"'))
		return mistake(parser, "a message in quotes is wanted here");
	if (parse_quoted(parser, &node->text) < 0)
		return -1;
	(void)cursor_space(&parser->c);
	if (plural) {
		if (!cursor_char(&parser->c, '"'))
			return mistake(parser, "the plural is missing");
		if (parse_quoted(parser, &node->plural) < 0)
			return -1;
		(void)cursor_space(&parser->c);
		if (parse_expr(parser, &node->expr) < 0)
			return -1;
	}
	if (parse_args(parser, &node->args, true) < 0 ||
	    check_place(parser, &plain) < 0 ||
	    check_placeholders(parser, node, node->text) < 0)
		return -1;
	pass_hole(parser);
	return end_tag(parser);
}

/* ---- sections and parts ---- */

static int parse_nodes(struct parser *parser, const char *closes,
    struct template_node **first);

static int
parse_children(struct parser *parser, struct template_node *node,
    const char *closes)
{
	struct page before = parser->page;

	if (++parser->nesting > TEMPLATE_NESTING_MAX)
		return mistake(parser, "more than %d tags within each other",
		    TEMPLATE_NESTING_MAX);
	if (parse_nodes(parser, closes, &node->children) < 0)
		return -1;
	if (!page_same(&before, &parser->page))
		return mistake(parser,
		    "the page must stand at the end of '%s' where it stood at "
		    "its start",
		    closes);
	parser->nesting--;
	return 0;
}

static int
parse_section(struct parser *parser, struct nodes *nodes, bool inverted)
{
	struct template_node *node = add_node(parser, nodes, NODE_SECTION);
	const char *closes;

	node->inverted = inverted;
	if (parse_expr(parser, &node->expr) < 0)
		return -1;
	if (node->expr.kind != EXPR_PATH || node->expr.filter != NULL)
		return mistake(parser, "a section is of a name");
	if (cursor_char(&parser->c, '=')) {
		node->compares = true;
		if (parse_expr(parser, &node->other) < 0)
			return -1;
	}
	closes = node->expr.path.count > 0
	    ? node->expr.path.parts[node->expr.path.count - 1]
	    : ".";
	if (end_tag(parser) < 0)
		return -1;
	return parse_children(parser, node, closes);
}

static int
parse_part(struct parser *parser, struct nodes *nodes, bool with_body)
{
	struct template_node *node = add_node(parser, nodes, NODE_PART);

	if (parser->page.place != PLACE_TEXT)
		return mistake(parser, "a template may stand in text only");
	if (parse_name(parser, &node->name) < 0 ||
	    parse_args(parser, &node->args, false) < 0 || end_tag(parser) < 0)
		return -1;
	if (!with_body && strcmp(node->name, "body") == 0)
		node->kind = NODE_BODY;
	return with_body ? parse_children(parser, node, node->name) : 0;
}

static int
parse_value(struct parser *parser, struct nodes *nodes)
{
	struct template_node *node = add_node(parser, nodes, NODE_VALUE);

	if (parse_expr(parser, &node->expr) < 0 ||
	    check_place(parser, &node->expr) < 0)
		return -1;
	pass_hole(parser);
	return end_tag(parser);
}

static int
parse_comment(struct parser *parser)
{
	while (!cursor_at_end(&parser->c) &&
	    !(parser->c.end - parser->c.p >= 2 && parser->c.p[0] == '}' &&
		parser->c.p[1] == '}'))
		parser->c.p++;
	return end_tag(parser);
}

/* {{/name}}: 1 when it is the one that is waited for. */
static int
parse_close(struct parser *parser, const char *closes)
{
	const char *name = ".";

	if (!cursor_char(&parser->c, '.'))
		do {
			if (parse_name(parser, &name) < 0)
				return -1;
		} while (cursor_char(&parser->c, '.'));
	if (closes == NULL || strcmp(name, closes) != 0)
		return mistake(parser, "'%s' ends here, but '%s' is open", name,
		    closes != NULL ? closes : "nothing");
	return end_tag(parser) < 0 ? -1 : 1;
}

/* One tag, behind its braces.  1: it ends the section. */
static int
parse_tag(struct parser *parser, const char *closes, struct nodes *nodes)
{
	struct cursor *c = &parser->c;

	if (cursor_char(c, '!'))
		return parse_comment(parser);
	if (cursor_char(c, '#'))
		return parse_section(parser, nodes, false);
	if (cursor_char(c, '^'))
		return parse_section(parser, nodes, true);
	if (cursor_char(c, '/'))
		return parse_close(parser, closes);
	if (cursor_char(c, '>'))
		return parse_part(parser, nodes, false);
	if (cursor_char(c, '<'))
		return parse_part(parser, nodes, true);
	if (cursor_literal(c, "t \""))
		return c->p--, parse_message(parser, nodes, false);
	if (cursor_literal(c, "n \""))
		return c->p--, parse_message(parser, nodes, true);
	return parse_value(parser, nodes);
}

/* Up to the tag that closes, or (NULL) the end. */
static int
parse_nodes(struct parser *parser, const char *closes,
    struct template_node **first)
{
	struct nodes nodes = { NULL, &nodes.first };
	bool at_line_start;
	const char *tag;
	int rc = 0;

	while (rc == 0) {
		at_line_start = begins_line(parser, parser->c.p);
		tag = find_tag(&parser->c);
		add_literal(parser, &nodes,
		    (struct bytes){ parser->c.p, (size_t)(tag - parser->c.p) },
		    at_line_start);
		parser->c.p = tag;
		if (tag == parser->c.end)
			break;
		parser->c.p += 2;
		parser->whole_line = begins_line(parser, tag) &&
		    strchr("#^/><!", cursor_peek(&parser->c)) != NULL;
		rc = parse_tag(parser, closes, &nodes);
	}
	if (rc == 0 && closes != NULL)
		return mistake(parser, "'%s' is not ended", closes);
	*first = nodes.first;
	return rc < 0 ? -1 : 0;
}

int
template_parse(struct template_set *set, const char *file, struct bytes source,
    struct err *err)
{
	struct parser parser = { .set = set,
		.file = file,
		.source = source,
		.c = cursor_of(source),
		.err = err };
	struct template *template =
	    arena_calloc(set->arena, 1, sizeof(*template));
	const char *dot = strchr(file, '.');

	if (source.len > TEMPLATE_SIZE_MAX)
		return err_set(err, ERR_LIMIT, "%s: too long", file);
	template->name = arena_memdup(set->arena, file,
	    dot != NULL ? (size_t)(dot - file) : strlen(file));
	if (parse_nodes(&parser, NULL, &template->nodes) < 0)
		return -1;
	if (parser.page.place != PLACE_TEXT)
		return mistake(&parser, "a tag or attribute is not ended");
	template->next = set->templates;
	set->templates = template;
	return 0;
}

/* ---- after all are read ---- */

static int
link_nodes(const struct template_set *set, const char *name,
    struct template_node *node, struct err *err)
{
	for (; node != NULL; node = node->next) {
		if (node->kind == NODE_PART) {
			node->part = template_find(set, node->name);
			if (node->part == NULL)
				return err_set(err, ERR_INPUT,
				    "%s.html:%u: there is no template '%s'",
				    name, node->line, node->name);
		}
		if (link_nodes(set, name, node->children, err) < 0)
			return -1;
	}
	return 0;
}

int
template_link(struct template_set *set, struct err *err)
{
	const struct template *template;

	for (template = set->templates; template != NULL;
	     template = template->next)
		if (link_nodes(set, template->name, template->nodes, err) < 0)
			return -1;
	return 0;
}
