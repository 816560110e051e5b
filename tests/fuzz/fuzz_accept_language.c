/*
 * fuzz_accept_language.c - Accept-Language fields of any octets.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/i18n.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *field = xmemdup(data, size);

	assert((unsigned)language_accept(field) < LANGUAGE_COUNT);
	free(field);
	return 0;
}
