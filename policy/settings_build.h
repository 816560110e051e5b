/*
 * settings_build.h - builds a snapshot out of objects as the store has them.
 *
 * An object is what lies under one key: name ("system", "domain:D",
 * "mailbox:A", with D and A in their key form) and fields with their
 * values; doc/redis-keys.md describes them.  The loader fills a build from
 * Redis, tests and tools from JSON.  A build belongs to one thread.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef POLICY_SETTINGS_BUILD_H
#define POLICY_SETTINGS_BUILD_H

#include <jansson.h>

#include "policy/settings.h"

struct settings_build;

/* Starts from old (may be NULL), of which everything is kept that is
 * neither put nor removed. */
struct settings_build *settings_build_new(struct settings *old);
void settings_build_free(struct settings_build *build);

/* fields: n pairs of name and value, copied; none: the object is gone.
 * -1 with ERR_INPUT naming object and field: the build is to be freed. */
int settings_build_put(struct settings_build *build, const char *name, size_t n,
    const struct bytes *fields, struct err *err);
void settings_build_secret(struct settings_build *build, const uint8_t *secret,
    size_t len);

/* The snapshot, with one reference; the build can be used no more, only be
 * freed. */
struct settings *settings_build_finish(struct settings_build *build,
    uint64_t generation);

/*
 * A snapshot from JSON: {"domain:example.net": {"option:spam_action":
 * "reject", "list:sender:block:@bad.example": {}}, ...}.  Values that are no
 * strings are taken as their JSON text.
 */
struct settings *settings_new_from_json(json_t *objects, struct err *err);

#endif
