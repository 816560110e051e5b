/*
 * domain_text.c - domain names as settings have them.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <string.h>

#include "base/str.h"
#include "policy/domain_text.h"

#define DOMAIN_TEXT_MAX 253

int
domain_text_check(const char *value, struct err *err)
{
	const char *p;

	if (strlen(value) > DOMAIN_TEXT_MAX || strchr(value, '.') == NULL ||
	    value[0] == '.' || strstr(value, "..") != NULL)
		return err_set(err, ERR_INPUT,
		    "must be a domain such as example.net");
	for (p = value; *p != '\0'; p++)
		if ((!ascii_is_alnum(*p) && *p != '-' && *p != '.' &&
			*p != '_') ||
		    (*p >= 'A' && *p <= 'Z'))
			return err_set(err, ERR_INPUT,
			    "must be a domain in lower case, in its ASCII "
			    "form (xn--...)");
	return 0;
}
