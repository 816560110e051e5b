/*
 * setup.h - the config in force, with what was made of its text.
 *
 * Immutable and counted: a reload makes a new one beside it; a transaction
 * keeps the one it began with.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef MILTER_SETUP_H
#define MILTER_SETUP_H

#include "base/conf.h"
#include "base/netaddr.h"

struct network_list {
	size_t count;
	struct network *networks;
};

struct setup {
	const struct conf *conf;
	struct network_list networks;
	struct network_list release_networks;
	struct network_list upstream;
	/* private */
	struct conf *owned;
	_Atomic unsigned references;
};

/* ERR_CONFIG "file:line: name: reason". */
struct setup *setup_load(const char *file, struct err *err);
/* Before a new one is handed out: what takes effect at start only is as it
 * was in old.  Where the file has changed that, it is logged. */
void setup_keep(struct setup *setup, const struct setup *old);
struct setup *setup_ref(struct setup *setup);
void setup_unref(struct setup *setup);

bool network_list_contains(const struct network_list *list,
    const struct ip *ip);

#endif
