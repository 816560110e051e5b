/*
 * fuzz_settings.c - objects as the store may have them, damaged or not, and
 * look-ups in what comes of them.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "mail/address.h"
#include "policy/settings_build.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
look_up(const struct settings *settings, struct arena *arena, const char *text)
{
	struct directory_result result;
	struct address address;
	struct ip ip;

	if (address_parse(arena, bytes_of(text), &address, NULL) < 0 ||
	    ip_parse(BYTES_LIT("192.0.2.77"), &ip) < 0)
		abort();
	if (settings_policy(settings, address.key) == NULL)
		abort();
	settings_list_sender(settings, address.key, &address, LIST_MASK_ALL);
	settings_list_recipient(settings, address.key, LIST_MASK_ALL);
	settings_list_client(settings, address.key, &ip, LIST_MASK_ALL);
	if (directory_resolve(settings, arena, &address, "+", &result) ==
		DIRECTORY_FOUND &&
	    (result.count == 0 || result.count > DIRECTORY_FANOUT_MAX))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	json_t *objects = json_loadb((const char *)data, size, 0, NULL);
	struct settings *settings = NULL;
	struct arena *arena;
	struct err err;

	if (json_is_object(objects))
		settings = settings_new_from_json(objects, &err);
	json_decref(objects);
	if (settings == NULL)
		return 0;
	arena = arena_new(0);
	look_up(settings, arena, "x@a.example");
	look_up(settings, arena, "y+tag@a.example");
	look_up(settings, arena, "z@sub.b.example");
	arena_free(arena);
	settings_unref(settings);
	return 0;
}
