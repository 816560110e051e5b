/*
 * setup.c - the config in force, with what was made of its text.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdlib.h>

#include "base/arena.h"

#include "milter/setup.h"

static int
parse_networks(const char *name, const struct option_list *texts,
    struct network_list *list, struct err *err)
{
	size_t i;

	list->networks = xcalloc(texts->count + 1, sizeof(*list->networks));
	for (i = 0; i < texts->count; i++)
		if (network_parse(bytes_of(texts->items[i]), &list->networks[i],
			err) < 0)
			return err_prefix(err, "%s: '%s'", name,
			    texts->items[i]);
	list->count = texts->count;
	return 0;
}

struct setup *
setup_load(const char *file, struct err *err)
{
	struct setup *setup;
	struct conf *conf;

	conf = conf_load(file, err);
	if (conf == NULL)
		return NULL;
	setup = xcalloc(1, sizeof(*setup));
	setup->references = 1;
	setup->conf = setup->owned = conf;
	if (parse_networks("networks", &conf->networks, &setup->networks, err) <
		0 ||
	    parse_networks("release_networks", &conf->release_networks,
		&setup->release_networks, err) < 0 ||
	    parse_networks("upstream", &conf->upstream, &setup->upstream, err) <
		0) {
		setup_unref(setup);
		return NULL;
	}
	return setup;
}

struct setup *
setup_ref(struct setup *setup)
{
	setup->references++;
	return setup;
}

void
setup_unref(struct setup *setup)
{
	if (setup == NULL || --setup->references > 0)
		return;
	free(setup->networks.networks);
	free(setup->release_networks.networks);
	free(setup->upstream.networks);
	conf_free(setup->owned);
	free(setup);
}

bool
network_list_contains(const struct network_list *list, const struct ip *ip)
{
	size_t i;

	if (ip->family == IP_NONE)
		return false;
	for (i = 0; i < list->count; i++)
		if (network_contains(&list->networks[i], ip))
			return true;
	return false;
}
