/*
 * conf.c - reads sekimori.conf.
 *
 * libconfuse does the syntax only: every option is a string or a list of
 * strings to it, and each value comes here by a callback, at its line, and
 * is judged by the option table.  All errors of a file are collected.  An
 * unknown name ends libconfuse's parsing, so it is noted and the file is
 * read again with that name known.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <confuse.h>

#include "base/arena.h"
#include "base/conf.h"
#include "base/file.h"
#include "base/str.h"

#define FILE_MAX_BYTES (1024 * 1024)
#define UNKNOWN_MAX 20
#define PROBLEM_MAX 100

/* libconfuse hands no context to its callbacks; a hidden option whose
 * "value" is the first member of struct reader leads back to it.  Its
 * name cannot be written in a file. */
#define ANCHOR_NAME " "

struct problem {
	int line; /* 0: of the whole file, which the text names */
	char *text;
};

struct reader {
	long anchor; /* first, see ANCHOR_NAME */
	const char *file;
	struct conf *conf;
	int *lines;                /* of each option, 0: not set */
	struct option_list *lists; /* values of each OPT_LIST so far */
	struct problem problems[PROBLEM_MAX];
	size_t problem_count;
	size_t problems_ignored;
	char *unknown[UNKNOWN_MAX];
	int unknown_lines[UNKNOWN_MAX];
	size_t unknown_count;
	bool unknown_found; /* in this pass */
	bool syntax_error;  /* in this pass */
};

/* ---- problems ---- */

static void __attribute__((format(printf, 3, 4)))
problem_add(struct reader *reader, int line, const char *fmt, ...)
{
	va_list ap;
	struct buf text;

	if (reader->problem_count == PROBLEM_MAX) {
		reader->problems_ignored++;
		return;
	}
	buf_init(&text, ERR_TEXT_MAX);
	va_start(ap, fmt);
	if (buf_vprintf(&text, fmt, ap) < 0)
		buf_append_str(&text, "the line is too long to be shown");
	va_end(ap);
	reader->problems[reader->problem_count].line = line;
	reader->problems[reader->problem_count].text = buf_steal(&text);
	reader->problem_count++;
}

static void
problems_forget(struct reader *reader)
{
	while (reader->problem_count > 0)
		free(reader->problems[--reader->problem_count].text);
	reader->problems_ignored = 0;
}

static int
problem_compare(const void *a, const void *b)
{
	const struct problem *one = a, *two = b;

	return (one->line > two->line) - (one->line < two->line);
}

/* ---- what libconfuse calls ---- */

static struct reader *
reader_of(cfg_t *cfg)
{
	cfg_opt_t *opt;

	for (opt = cfg->opts; strcmp(opt->name, ANCHOR_NAME) != 0; opt++)
		;
	return (struct reader *)(void *)opt->simple_value.number;
}

static void
list_append(struct option_list *list, const char *value)
{
	list->items =
	    xrealloc(list->items, (list->count + 1) * sizeof(list->items[0]));
	list->items[list->count++] = xstrdup(value);
}

static void
list_clear(struct option_list *list)
{
	while (list->count > 0)
		free(list->items[--list->count]);
	free(list->items);
	list->items = NULL;
}

/* Called for each value, also for each of a list. */
static int
on_value(cfg_t *cfg, cfg_opt_t *opt, const char *value, void *result)
{
	struct reader *reader = reader_of(cfg);
	const struct option *option =
	    option_find(conf_options, conf_option_count, opt->name);
	size_t i = (size_t)(option - conf_options);
	struct err err;
	int rc;

	*(const char **)result = value;
	/* The first value of an assignment is the only one it has so far. */
	if (opt->nvalues == 1 && reader->lines[i] != 0) {
		problem_add(reader, cfg->line, "%s: is already set in line %d",
		    option->name, reader->lines[i]);
		return 0;
	}
	if (reader->lines[i] == 0)
		reader->lines[i] = cfg->line;
	if (option->type == OPT_LIST) {
		rc = option_check_item(option, bytes_of(value), &err);
		list_append(&reader->lists[i], value);
	} else {
		rc = option_set(option, reader->conf, bytes_of(value), &err);
	}
	if (rc < 0)
		problem_add(reader, cfg->line, "%s", err.text);
	return 0;
}

static int
on_unknown_value(cfg_t *cfg, cfg_opt_t *opt, const char *value, void *result)
{
	(void)cfg;
	(void)opt;
	*(const char **)result = value;
	return 0;
}

static void __attribute__((format(printf, 2, 0)))
on_error(cfg_t *cfg, const char *fmt, va_list ap)
{
	struct reader *reader = reader_of(cfg);
	char text[ERR_TEXT_MAX];

	/* The one message that is more than a syntax error. */
	if (strcmp(fmt, "no such option '%s'") == 0) {
		reader->unknown_found = true;
		if (reader->unknown_count == UNKNOWN_MAX)
			return;
		reader->unknown_lines[reader->unknown_count] = cfg->line;
		reader->unknown[reader->unknown_count++] =
		    xstrdup(va_arg(ap, const char *));
		return;
	}
	vsnprintf(text, sizeof(text), fmt, ap);
	reader->syntax_error = true;
	problem_add(reader, cfg->line, "%s", text);
}

static void
on_error_ignore(cfg_t *cfg, const char *fmt, va_list ap)
{
	(void)cfg;
	(void)fmt;
	(void)ap;
}

/* ---- a pass over the file ---- */

/* Our table as libconfuse wants it; freed by the caller. */
static cfg_opt_t *
confuse_options(struct reader *reader)
{
	cfg_opt_t *opts =
	    xcalloc(conf_option_count + UNKNOWN_MAX + 2, sizeof(opts[0]));
	const cfg_opt_t anchor = CFG_SIMPLE_INT(ANCHOR_NAME, &reader->anchor);
	const cfg_opt_t end = CFG_END();
	size_t n = 0, i;

	opts[n++] = anchor;
	for (i = 0; i < conf_option_count; i++) {
		const cfg_opt_t opt = CFG_STR_CB(conf_options[i].name, NULL,
		    conf_options[i].type == OPT_LIST ? CFGF_LIST
						     : CFGF_NODEFAULT,
		    on_value);

		opts[n++] = opt;
	}
	for (i = 0; i < reader->unknown_count; i++) {
		const cfg_opt_t opt = CFG_STR_CB(reader->unknown[i], NULL,
		    CFGF_LIST, on_unknown_value);

		opts[n++] = opt;
	}
	opts[n] = end;
	return opts;
}

static int
parse_text(cfg_t *cfg, const char *name, const char *text, size_t len)
{
	FILE *in;
	int rc;

	if (len == 0)
		return CFG_SUCCESS;
	in = fmemopen((void *)(uintptr_t)text, len, "r");
	if (in == NULL)
		abort();
	cfg->filename = xstrdup(name); /* cfg_free frees it */
	rc = cfg_parse_fp(cfg, in);
	fclose(in);
	return rc;
}

/*
 * libconfuse's lexer stays in the state in which a parse ended: after an
 * unterminated string or comment, the next file would begin inside it.
 * Each of these texts leaves one such state.  Returns true when it was
 * that of a comment, which libconfuse does not report: only there is the
 * first text no error.
 */
static bool
lexer_reset(void)
{
	static const char *const texts[] = { "\"\"\n", "''\n", "*/\n" };
	bool in_comment = false;
	size_t i;

	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		cfg_opt_t none[] = { CFG_END() };
		cfg_t *cfg = cfg_init(none, CFGF_NONE);

		if (cfg == NULL)
			abort();
		cfg_set_error_function(cfg, on_error_ignore);
		if (parse_text(cfg, "", texts[i], strlen(texts[i])) ==
			CFG_SUCCESS &&
		    i == 0)
			in_comment = true;
		cfg_free(cfg);
	}
	return in_comment;
}

/* A list that was set takes effect as a whole. */
static void
take_lists(struct reader *reader, cfg_t *cfg)
{
	struct err err;
	size_t i;

	for (i = 0; i < conf_option_count; i++) {
		const struct option *option = &conf_options[i];
		cfg_opt_t *opt = cfg_getopt(cfg, option->name);

		/* An empty list reached no callback. */
		if (option->type == OPT_LIST &&
		    (opt->flags & CFGF_MODIFIED) != 0 &&
		    option_set_list(option, reader->conf,
			reader->lists[i].count,
			(const char *const *)reader->lists[i].items,
			&err) < 0 &&
		    reader->problem_count == 0)
			problem_add(reader, reader->lines[i], "%s", err.text);
	}
}

static void
reader_begin_pass(struct reader *reader)
{
	size_t i;

	problems_forget(reader);
	conf_free(reader->conf);
	reader->conf = conf_new();
	memset(reader->lines, 0, conf_option_count * sizeof(reader->lines[0]));
	for (i = 0; i < conf_option_count; i++)
		list_clear(&reader->lists[i]);
	reader->unknown_found = false;
	reader->syntax_error = false;
}

static void
reader_pass(struct reader *reader, const char *text, size_t len)
{
	cfg_opt_t *opts = confuse_options(reader);
	cfg_t *cfg = cfg_init(opts, CFGF_NONE);
	int rc;

	if (cfg == NULL)
		abort();
	reader_begin_pass(reader);
	cfg_set_error_function(cfg, on_error);
	rc = parse_text(cfg, reader->file, text, len);
	if (lexer_reset())
		problem_add(reader, cfg->line,
		    "the file ends inside a comment");
	else if (rc == CFG_SUCCESS)
		take_lists(reader, cfg);
	else if (!reader->unknown_found && !reader->syntax_error)
		problem_add(reader, cfg->line, "syntax error");
	cfg_free(cfg);
	free(opts);
}

static void
report_unknown(struct reader *reader)
{
	const struct option *guess;
	size_t i;

	for (i = 0; i < reader->unknown_count; i++) {
		guess = option_guess(conf_options, conf_option_count,
		    reader->unknown[i]);
		if (guess != NULL)
			problem_add(reader, reader->unknown_lines[i],
			    "%s: no such option; did you mean %s?",
			    reader->unknown[i], guess->name);
		else
			problem_add(reader, reader->unknown_lines[i],
			    "%s: no such option", reader->unknown[i]);
	}
}

static int
line_of(const struct reader *reader, const char *name)
{
	return reader
	    ->lines[option_find(conf_options, conf_option_count, name) -
		conf_options];
}

/* What no single option can know. */
static void
check_together(struct reader *reader)
{
	const struct conf *conf = reader->conf;

	if (strcmp(conf->redis, "none") == 0 && conf->mode != MODE_OBSERVE)
		problem_add(reader, line_of(reader, "redis"),
		    "redis: none is possible only with mode = observe");
}

/* ---- the file ---- */

/* libconfuse's lexer ends the process on a read error, hence by us. */
static int
read_text(struct reader *reader, struct buf *text)
{
	struct err err;

	if (file_read(reader->file, text, &err) < 0) {
		problem_add(reader, 0, "%s", err.text);
		return -1;
	}
	if (memchr(buf_str(text), '\0', text->len) != NULL) {
		problem_add(reader, 0, "%s: is no text: it holds a NUL",
		    reader->file);
		return -1;
	}
	return 0;
}

static void
reader_run(struct reader *reader)
{
	struct buf text;

	buf_init(&text, FILE_MAX_BYTES);
	if (read_text(reader, &text) == 0) {
		do
			reader_pass(reader, buf_str(&text), text.len);
		while (reader->unknown_found &&
		    reader->unknown_count < UNKNOWN_MAX);
		report_unknown(reader);
		if (!reader->syntax_error)
			check_together(reader);
	}
	buf_free(&text);
	qsort(reader->problems, reader->problem_count,
	    sizeof(reader->problems[0]), problem_compare);
}

static struct reader *
reader_new(const char *file)
{
	struct reader *reader = xcalloc(1, sizeof(*reader));

	reader->file = file != NULL ? file : CONF_DEFAULT_FILE;
	reader->lines = xcalloc(conf_option_count, sizeof(reader->lines[0]));
	reader->lists = xcalloc(conf_option_count, sizeof(reader->lists[0]));
	return reader;
}

static void
reader_free(struct reader *reader)
{
	size_t i;

	problems_forget(reader);
	for (i = 0; i < conf_option_count; i++)
		list_clear(&reader->lists[i]);
	for (i = 0; i < reader->unknown_count; i++)
		free(reader->unknown[i]);
	conf_free(reader->conf);
	free(reader->lines);
	free(reader->lists);
	free(reader);
}

static int
problem_write(const struct reader *reader, size_t i, struct buf *out)
{
	const struct problem *problem = &reader->problems[i];

	if (problem->line == 0)
		return buf_append_str(out, problem->text);
	return buf_printf(out, "%s:%d: %s", reader->file, problem->line,
	    problem->text);
}

struct conf *
conf_load(const char *file, struct err *err)
{
	struct reader *reader = reader_new(file);
	struct conf *conf = NULL;
	struct buf text;
	size_t count;

	reader_run(reader);
	count = reader->problem_count + reader->problems_ignored;
	if (count == 0) {
		conf = reader->conf;
		reader->conf = NULL;
	} else {
		buf_init(&text, ERR_TEXT_MAX * 4);
		(void)problem_write(reader, 0, &text);
		if (count > 1)
			buf_printf(&text, " (and %zu more)", count - 1);
		err_set(err, ERR_CONFIG, "%s", buf_str(&text));
		buf_free(&text);
	}
	reader_free(reader);
	return conf;
}

size_t
conf_check(const char *file, struct buf *report)
{
	struct reader *reader = reader_new(file);
	size_t i, count;

	reader_run(reader);
	count = reader->problem_count + reader->problems_ignored;
	for (i = 0; i < reader->problem_count; i++) {
		(void)problem_write(reader, i, report);
		(void)buf_append_char(report, '\n');
	}
	if (reader->problems_ignored > 0)
		(void)buf_printf(report, "%s: %zu more errors\n", reader->file,
		    reader->problems_ignored);
	reader_free(reader);
	return count;
}

struct conf *
conf_new(void)
{
	struct conf *conf = xcalloc(1, sizeof(*conf));

	option_defaults(conf_options, conf_option_count, conf);
	return conf;
}

void
conf_free(struct conf *conf)
{
	if (conf == NULL)
		return;
	option_free_all(conf_options, conf_option_count, conf);
	free(conf);
}
