/*
 * release_impl.h - shared by release.c and release_worker.c.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef QUARANTINE_RELEASE_IMPL_H
#define QUARANTINE_RELEASE_IMPL_H

#include "quarantine/release.h"

/* Who wants it: a person, who is told at once, or the worker, whom nobody
 * watches. */
enum release_for {
	RELEASE_FOR_PERSON,
	RELEASE_FOR_WORKER,
};

/* As release_one. */
int release_entry(struct release *release, const struct settings *settings,
    enum release_for whom, const char *held_id, const char *domain,
    const char *actor, bool retry_unknown, enum held_state *state,
    struct err *err);

/* Entries whose time has come; as quarantine_due. */
int release_due(struct release *release, struct arena *arena, size_t limit,
    struct held_ref *refs, size_t *n, struct err *err);

#endif
