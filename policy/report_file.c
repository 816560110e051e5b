/*
 * report_file.c - whichever report a file holds.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include "policy/report_file.h"

struct taker {
	int (*take)(void *context, const struct report_file *file,
	    struct err *err);
	void *context;
};

static bool
is_json(struct bytes content)
{
	content = bytes_trim(content);
	return content.len > 0 && *content.data == '{';
}

static int
read_content(void *context, const char *name, struct bytes content,
    struct err *err)
{
	const struct taker *taker = context;
	struct arena *arena = arena_new(0);
	struct report_file file = { .name = name };
	struct dmarc_report dmarc;
	struct tls_report tls;
	int rc;

	if (is_json(content)) {
		file.tls = &tls;
		rc = tls_report_read(arena, content, &tls, err);
	} else {
		file.dmarc = &dmarc;
		rc = dmarc_report_read(arena, content, &dmarc, err);
	}
	if (rc == 0)
		rc = taker->take(taker->context, &file, err);
	else if (name[0] != '\0')
		err_prefix(err, "%s", name);
	arena_free(arena);
	return rc;
}

int
report_file_read(struct bytes data,
    int (*take)(void *context, const struct report_file *file, struct err *err),
    void *context, struct err *err)
{
	struct taker taker = { take, context };

	return report_unpack(data, read_content, &taker, err);
}
