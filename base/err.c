/*
 * err.c - why something was not done.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "base/err.h"

static const char *const kind_names[] = {
	[ERR_NONE] = "none",
	[ERR_TEMP] = "temp",
	[ERR_INPUT] = "input",
	[ERR_LIMIT] = "limit",
	[ERR_CONFIG] = "config",
};

int
err_set(struct err *err, enum err_kind kind, const char *fmt, ...)
{
	va_list ap;

	if (err == NULL)
		return -1;
	err->kind = kind;
	va_start(ap, fmt);
	vsnprintf(err->text, sizeof(err->text), fmt, ap);
	va_end(ap);
	return -1;
}

int
err_prefix(struct err *err, const char *fmt, ...)
{
	char old[ERR_TEXT_MAX];
	va_list ap;
	size_t len;

	if (err == NULL)
		return -1;
	memcpy(old, err->text, sizeof(old));
	va_start(ap, fmt);
	vsnprintf(err->text, sizeof(err->text), fmt, ap);
	va_end(ap);
	len = strlen(err->text);
	snprintf(err->text + len, sizeof(err->text) - len, ": %s", old);
	return -1;
}

void
err_clear(struct err *err)
{
	if (err == NULL)
		return;
	err->kind = ERR_NONE;
	err->text[0] = '\0';
}

const char *
err_kind_name(enum err_kind kind)
{
	return kind_names[kind];
}
