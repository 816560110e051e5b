/*
 * show_pages.c - renders sample models into files, to be looked at.
 *
 * usage: show_pages SAMPLES.json DIRECTORY
 * SAMPLES is an array of objects: "file", "template", "path", and where
 * they matter "status", "language", "theme", "role", "user", "mailbox",
 * "query", "choices", "notice", "notice_values", "error", "form", "model".
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "webui/page.h"

static const char *
text(const json_t *sample, const char *name, const char *preset)
{
	const char *value = json_string_value(json_object_get(sample, name));

	return value != NULL ? value : preset;
}

static int
write_file(const char *directory, const char *name, const struct buf *page)
{
	char *path = xprintf("%s/%s", directory, name);
	FILE *file = fopen(path, "w");
	int rc = -1;

	if (file != NULL) {
		rc = fwrite(page->data, 1, page->len, file) == page->len ? 0
									 : -1;
		rc |= fclose(file);
	}
	if (rc != 0)
		perror(path);
	free(path);
	return rc;
}

static int
show(const struct pages *pages, const json_t *sample, const char *directory)
{
	int role = role_parse(text(sample, "role", "operator"));
	int language = language_parse(text(sample, "language", "en"));
	struct principal principal = {
		.role = role < 0 ? ROLE_NONE : (enum role)role,
		.actor = "user:show",
		.mailbox = text(sample, "mailbox", NULL),
	};
	const struct page_view view = {
		.language =
		    language < 0 ? LANGUAGE_EN : (enum language)language,
		.theme = text(sample, "theme", NULL),
		.principal = &principal,
		.user = text(sample, "user", NULL),
		.csrf = "0123456789abcdef",
		.path = text(sample, "path", "/"),
		.query = json_object_get(sample, "query"),
		.domains = json_object_get(sample, "choices"),
		.notice = text(sample, "notice", NULL),
		.notice_values = json_object_get(sample, "notice_values"),
		.error = json_object_get(sample, "error"),
		.form = json_object_get(sample, "form"),
	};
	const struct response response = {
		.status =
		    (int)json_integer_value(json_object_get(sample, "status")),
		.model = json_object_get(sample, "model"),
		.template = text(sample, "template", NULL),
	};
	struct buf page;
	struct err err;
	int rc;

	err_clear(&err);
	buf_init(&page, PAGE_BYTES_MAX);
	rc = page_render(pages, &view, &response, &page, &err);
	if (rc < 0)
		fprintf(stderr, "%s: %s\n", text(sample, "file", "?"),
		    err.text);
	else
		rc = write_file(directory, text(sample, "file", "page.html"),
		    &page);
	buf_free(&page);
	return rc;
}

int
main(int argc, char **argv)
{
	json_t *samples, *sample;
	struct pages *pages;
	json_error_t problem;
	struct err err;
	size_t i;
	int rc = 0;

	if (argc != 3) {
		fprintf(stderr, "usage: show_pages SAMPLES.json DIRECTORY\n");
		return 2;
	}
	samples = json_load_file(argv[1], 0, &problem);
	pages = pages_new(&err);
	if (samples == NULL || pages == NULL) {
		fprintf(stderr, "%s\n",
		    samples == NULL ? problem.text : err.text);
		json_decref(samples);
		pages_free(pages);
		return 1;
	}
	json_array_foreach(samples, i, sample) rc |=
	    show(pages, sample, argv[2]);
	pages_free(pages);
	json_decref(samples);
	return rc == 0 ? 0 : 1;
}
