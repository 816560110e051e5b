/*
 * fuzz_page.c - pages of hostile models.
 *
 * The first octet chooses a template, the rest is a model of any shape, as
 * JSON: also the query and the fields of a form.  The page may show nothing
 * of it, but never a markup character of its own.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/embedded.h"
#include "webui/page.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The template that the octet names, without its ".html". */
static char *
template_of(uint8_t octet)
{
	size_t n = 0, i;
	char *name;

	while (page_templates[n].name != NULL)
		n++;
	assert(n > 0);
	i = octet % n;
	name = strdup(page_templates[i].name);
	assert(name != NULL);
	*strchr(name, '.') = '\0';
	return name;
}

static void
render(const struct pages *pages, uint8_t octet, json_t *model)
{
	const struct principal principal = { .role = ROLE_OPERATOR,
		.actor = "user:fuzz" };
	json_t *form = json_object_get(model, "form");
	const struct page_view view = {
		.language = octet & 1 ? LANGUAGE_JA : LANGUAGE_EN,
		.principal = &principal,
		.user = "fuzz",
		.csrf = "token",
		.path = "/quarantine",
		.query = json_object_get(model, "query"),
		.domains = json_object_get(model, "choices"),
		.notice = "acted",
		.notice_values = model,
		.form = form,
	};
	char *name = template_of(octet);
	const struct response response = { .status = 200,
		.model = model,
		.template = name };
	struct buf page;
	struct err err;

	if (json_is_object(form))
		page_form_fold(form);
	buf_init(&page, PAGE_BYTES_MAX);
	if (page_render(pages, &view, &response, &page, &err) == 0)
		assert(strstr(buf_str(&page), "<!--") == NULL);
	buf_free(&page);
	free(name);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* Compiled once: a run has thousands of inputs. */
	static struct pages *pages;
	json_t *model;
	struct err err;

	if (pages == NULL)
		pages = pages_new(&err);
	assert(pages != NULL);
	if (size == 0)
		return 0;
	model =
	    json_loadb((const char *)data + 1, size - 1, JSON_ALLOW_NUL, NULL);
	if (!json_is_object(model)) {
		json_decref(model);
		return 0;
	}
	render(pages, data[0], model);
	json_decref(model);
	return 0;
}
