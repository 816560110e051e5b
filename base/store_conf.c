/*
 * store_conf.c - the store that sekimori.conf names.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/store.h"
#include "base/store_conf.h"

bool
store_conf_is_none(const struct conf *conf)
{
	return strcmp(conf->redis, "none") == 0;
}

struct store *
store_conf_open(const struct conf *conf, struct err *err)
{
	struct store_options options = {
		.url = conf->redis,
		.password = conf->redis_password[0] != '\0'
		    ? conf->redis_password
		    : NULL,
		.timeout_ms = (unsigned)conf->redis_timeout_ms,
	};
	struct store *store;
	char *private;

	if (store_conf_is_none(conf)) {
		err_set(err, ERR_CONFIG, "redis = none: there is no store");
		return NULL;
	}
	private = xprintf("unix:%s/redis.sock", conf->state_dir);
	if (conf->redis[0] == '\0')
		options.url = private;
	store = store_open(&options, err);
	free(private);
	return store;
}
