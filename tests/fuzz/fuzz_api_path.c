/*
 * fuzz_api_path.c - paths of requests: decoded and matched, by somebody who
 * is not signed in, so that no handler runs.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "webui/api.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct principal nobody = { .role = ROLE_NONE };
	struct arena *arena = arena_new(0);
	const char *path = arena_memdup(arena, data, size);
	json_t *none = json_object();
	struct response response;
	struct api api;
	int method;

	memset(&api, 0, sizeof(api));
	for (method = METHOD_GET; method <= METHOD_POST; method++) {
		api_dispatch(&api, arena, &nobody, (enum method)method, path,
		    none, none, &response);
		if (response.status != 401 && response.status != 404 &&
		    response.status != 405)
			abort();
		json_decref(response.model);
	}
	json_decref(none);
	arena_free(arena);
	return 0;
}
