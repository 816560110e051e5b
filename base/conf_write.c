/*
 * conf_write.c - the sample and the manual of sekimori.conf, made from the
 * option table.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <string.h>

#include "base/conf.h"
#include "base/mdoc.h"

#define SAMPLE_COLUMNS 76
#define VALUE_MAX (OPTION_TEXT_MAX * 2)

/* Words of text on lines behind "# ". */
static void
write_comment(struct buf *out, const char *text)
{
	size_t column = 0, len;

	while (*text != '\0') {
		len = strcspn(text, " ");
		if (column > 0 && column + 1 + len > SAMPLE_COLUMNS) {
			buf_append_char(out, '\n');
			column = 0;
		}
		buf_append_str(out, column == 0 ? "# " : " ");
		column += len + (column == 0 ? 2 : 1);
		buf_append(out, text, len);
		text += len;
		text += strspn(text, " ");
	}
	if (column > 0)
		buf_append_char(out, '\n');
}

/* "Values: 1s to 30s.  Takes effect at the next start." */
static void
describe(const struct option *option, struct buf *out)
{
	struct buf range;

	buf_init(&range, VALUE_MAX);
	option_range(option, &range);
	if (range.len > 0)
		buf_printf(out, "Values: %s.  ", buf_str(&range));
	buf_append_str(out,
	    option->apply == APPLY_AT_ONCE ? "Takes effect at SIGHUP."
					   : "Takes effect at the next start.");
	buf_free(&range);
}

/* The value as it is written in the file. */
static void
write_value(const struct option *option, const struct conf *conf,
    struct buf *out)
{
	struct buf text;
	struct bytes rest;
	size_t len;

	buf_init(&text, VALUE_MAX);
	(void)option_format(option, conf, &text);
	rest = buf_bytes(&text);
	switch (option->type) {
	case OPT_LIST:
		/* option_format writes "a, b". */
		buf_append_str(out, "{ ");
		for (; rest.len > 0; rest.data += len, rest.len -= len) {
			len = strcspn(rest.data, ",");
			buf_printf(out, "\"%.*s\"%s ", (int)len, rest.data,
			    len < rest.len ? "," : "");
			len += strspn(rest.data + len, ", ");
		}
		buf_append_char(out, '}');
		break;
	case OPT_STRING:
	case OPT_SECRET:
		buf_printf(out, "\"%s\"", buf_str(&text));
		break;
	default:
		buf_append_bytes(out, rest);
		break;
	}
	buf_free(&text);
}

static void
write_sample_option(const struct option *option, const struct conf *conf,
    struct buf *out)
{
	struct buf text;

	buf_init(&text, VALUE_MAX);
	describe(option, &text);
	buf_append_char(out, '\n');
	write_comment(out, option->help);
	write_comment(out, buf_str(&text));
	buf_printf(out, "#%s = ", option->name);
	write_value(option, conf, out);
	buf_append_char(out, '\n');
	buf_free(&text);
}

int
conf_write_sample(struct buf *out)
{
	struct conf *conf = conf_new();
	const char *section = "";
	size_t i;

	buf_append_str(out,
	    "# sekimori.conf - what the operator of this machine decides.\n"
	    "#\n"
	    "# Every option stands here with its default; remove the # to "
	    "change it.\n"
	    "# sekimori.conf(5) explains the syntax; `sekimori config check` "
	    "reads this\n"
	    "# file and names what is wrong in it.  The policy of domains and "
	    "mailboxes\n"
	    "# is not here: see `sekimori domain`.\n");
	for (i = 0; i < conf_option_count; i++) {
		if (strcmp(section, conf_options[i].section) != 0) {
			section = conf_options[i].section;
			buf_printf(out, "\n# ---- %s ----\n", section);
		}
		write_sample_option(&conf_options[i], conf, out);
	}
	conf_free(conf);
	return out->overflow ? -1 : 0;
}

static void
write_manual_option(const struct option *option, const struct conf *conf,
    struct buf *out)
{
	struct buf text;

	buf_init(&text, VALUE_MAX);
	buf_printf(out, ".It Ic %s\n", option->name);
	mdoc_text(option->help, out);
	describe(option, &text);
	buf_append_str(out, ".br\n");
	mdoc_text(buf_str(&text), out);
	buf_reset(&text);
	write_value(option, conf, &text);
	buf_append_str(out, ".br\nDefault:\n.Li ");
	mdoc_argument(buf_str(&text), out);
	buf_append_char(out, '\n');
	buf_free(&text);
}

int
conf_write_manual(struct buf *out)
{
	struct conf *conf = conf_new();
	const char *section = "";
	size_t i;

	for (i = 0; i < conf_option_count; i++) {
		if (strcmp(section, conf_options[i].section) != 0) {
			if (i > 0)
				buf_append_str(out, ".El\n");
			section = conf_options[i].section;
			buf_printf(out, ".Ss %s\n.Bl -tag -width Ds\n",
			    section);
		}
		write_manual_option(&conf_options[i], conf, out);
	}
	buf_append_str(out, ".El\n");
	conf_free(conf);
	return out->overflow ? -1 : 0;
}
