/*
 * postfix.h - the settings of a Postfix, as postconf tells them.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef CLI_POSTFIX_H
#define CLI_POSTFIX_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"

struct postfix_parameter {
	const char *name; /* of main.cf, or "SERVICE/TYPE/name" of master.cf */
	const char *value;
};

/* A line of master.cf that runs a daemon. */
struct postfix_service {
	const char *name; /* "smtp", "127.0.0.1:10026" */
	const char *type; /* "inet", "pass", "unix" */
	bool chroot;
	const char *daemon; /* "smtpd" */
};

struct postfix {
	size_t count;
	struct postfix_parameter *parameters;
	size_t service_count;
	struct postfix_service *services;
};

struct postfix_options {
	const char *postconf;  /* command; NULL: found by PATH */
	const char *directory; /* of main.cf; NULL: Postfix's own */
};

/* All in the arena.  -1: postconf cannot be run, or complains. */
int postfix_read(struct arena *arena, const struct postfix_options *options,
    struct postfix *postfix, struct err *err);

/* NULL: this version of Postfix knows no such parameter. */
const char *postfix_value(const struct postfix *postfix, const char *name);
/* As it is in force in a service. */
const char *postfix_service_value(const struct postfix *postfix,
    const struct postfix_service *service, const char *name);
/* NULL unless master.cf sets it. */
const char *postfix_override(const struct postfix *postfix,
    const struct postfix_service *service, const char *name);

/* The next word of a list: separated by commas and space, { ... } is one
 * word.  False at the end. */
bool postfix_next_word(const char **list, struct bytes *word);
/* "{ a, b }" without its braces. */
struct bytes postfix_unbrace(struct bytes word);
bool postfix_has_word(const char *list, const char *word);

#endif
