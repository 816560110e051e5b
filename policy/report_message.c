/*
 * report_message.c - reports in a mail.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <string.h>

#include "base/str.h"
#include "mail/mime.h"
#include "policy/report_message.h"

/* Parts that are tried. */
#define TRIES_MAX 20

static const char *const types[] = {
	"application/gzip",
	"application/x-gzip",
	"application/zip",
	"application/x-zip",
	"application/x-zip-compressed",
	"application/xml",
	"text/xml",
	"application/tlsrpt+gzip",
	"application/tlsrpt+json",
};
/* Of parts with any type: many say application/octet-stream. */
static const char *const suffixes[] = {
	".xml",
	".xml.gz",
	".gz",
	".zip",
	".json",
};

struct reader {
	int (*take)(void *context, const struct report_file *file,
	    struct err *err);
	void *context;
	size_t tries, taken;
	bool refused; /* by take */
};

bool
report_subject_is(const char *subject)
{
	struct cursor c = cursor_of(bytes_of(subject));

	(void)cursor_space(&c);
	if (!cursor_literal(&c, "report"))
		return false;
	(void)cursor_space(&c);
	return cursor_literal(&c, "domain:") &&
	    str_has_nocase(subject, "submitter:");
}

bool
report_message_is(struct bytes data)
{
	struct cursor c = cursor_of(data);

	if (!ascii_is_alpha((char)cursor_peek(&c)))
		return false;
	while (!cursor_at_end(&c) && *c.p > 0x20 && *c.p < 0x7f && *c.p != ':')
		c.p++;
	return cursor_char(&c, ':');
}

static bool
may_be_report(const struct mime_part *part)
{
	size_t i;

	if (part->container)
		return false;
	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (strcmp(part->type, types[i]) == 0)
			return true;
	for (i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++)
		if (part->name != NULL &&
		    str_ends_nocase(part->name, suffixes[i]))
			return true;
	return false;
}

static int
take_report(void *context, const struct report_file *file, struct err *err)
{
	struct reader *reader = context;
	int rc = reader->take(reader->context, file, err);

	if (rc == 0)
		reader->taken++;
	else
		reader->refused = true;
	return rc;
}

static int
try_part(struct reader *reader, const struct mime_part *part, struct err *err)
{
	struct buf content;
	int rc;

	reader->tries++;
	buf_init(&content, UNPACK_IN_MAX);
	if (mime_part_content(part, &content) < 0)
		rc = err_set(err, ERR_LIMIT, "it is larger than %lu MB",
		    UNPACK_IN_MAX / (1024 * 1024));
	else
		rc = report_file_read(buf_bytes(&content), take_report, reader,
		    err);
	if (rc < 0 && part->name != NULL)
		err_prefix(err, "%s", part->name);
	buf_free(&content);
	return rc;
}

int
report_message_read(struct bytes raw,
    int (*take)(void *context, const struct report_file *file, struct err *err),
    void *context, struct err *err)
{
	struct reader reader = { .take = take, .context = context };
	struct arena *arena = arena_new(0);
	struct mime *mime = mime_parse(arena, raw);
	struct err first = { ERR_NONE, "" }, why;
	size_t i;

	for (i = 0;
	     i < mime->count && reader.tries < TRIES_MAX && !reader.refused;
	     i++) {
		if (!may_be_report(&mime->parts[i]) ||
		    try_part(&reader, &mime->parts[i], &why) == 0)
			continue;
		if (first.kind == ERR_NONE || reader.refused)
			first = why;
	}
	mime_free(mime);
	arena_free(arena);
	if (!reader.refused && reader.taken > 0)
		return 0;
	if (first.kind == ERR_NONE)
		return err_set(err, ERR_INPUT,
		    "there is no report in the mail");
	if (err != NULL)
		*err = first;
	return -1;
}
