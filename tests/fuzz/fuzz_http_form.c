/*
 * fuzz_http_form.c - bodies of requests: forms, uploads, JSON.
 *
 * The first octet says which; what is accepted must be an object of texts
 * (or arrays of them), and fit into the shape that handlers read.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdlib.h>

#include "webui/http_form.h"
#include "webui/page.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_value(const json_t *value)
{
	const json_t *item;
	size_t i;

	if (json_is_string(value))
		return;
	if (!json_is_array(value) || json_array_size(value) < 2)
		abort();
	json_array_foreach(value, i, item) if (!json_is_string(item)) abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes text;
	const char *name;
	json_t *object, *value;
	struct err err;

	if (size == 0)
		return 0;
	text = (struct bytes){ (const char *)data + 1, size - 1 };
	if (data[0] == 'j') {
		json_decref(http_json_parse(text, &err));
		return 0;
	}
	object = data[0] == 'm'
	    ? http_multipart_parse("multipart/form-data; boundary=B", text,
		  &err)
	    : http_form_parse(text, &err);
	if (object == NULL)
		return 0;
	json_object_foreach(object, name, value) check_value(value);
	page_form_fold(object);
	json_decref(object);
	return 0;
}
