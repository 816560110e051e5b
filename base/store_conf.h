/*
 * store_conf.h - the store that sekimori.conf names.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BASE_STORE_CONF_H
#define BASE_STORE_CONF_H

#include <stdbool.h>

#include "base/conf.h"
#include "base/err.h"

struct store;

/* redis = none: there is no store. */
bool store_conf_is_none(const struct conf *conf);

/* Without a redis option: the private server of `sekimori up`.  As
 * store_open; ERR_CONFIG when there is none. */
struct store *store_conf_open(const struct conf *conf, struct err *err);

#endif
