/*
 * setup.c - the config in force, with what was made of its text.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/log.h"

#include "milter/setup.h"

#define TEXT_MAX 65536 /* of an option */

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

/* As the file would have it.  What is too long to be shown is no news. */
static bool
is_same(const struct option *option, const struct conf *a, const struct conf *b)
{
	struct buf texts[2];
	bool same;

	buf_init(&texts[0], TEXT_MAX);
	buf_init(&texts[1], TEXT_MAX);
	(void)option_format(option, a, &texts[0]);
	(void)option_format(option, b, &texts[1]);
	same = bytes_equal(buf_bytes(&texts[0]), buf_bytes(&texts[1]));
	buf_free(&texts[0]);
	buf_free(&texts[1]);
	return same;
}

void
setup_keep(struct setup *setup, const struct setup *old)
{
	const struct option *option = conf_options;

	for (; option < conf_options + conf_option_count; option++) {
		if (option->apply != APPLY_AT_START)
			continue;
		if (!is_same(option, old->conf, setup->conf))
			log_warn("reload: %s takes effect after a restart",
			    option->name);
		option_free_all(option, 1, setup->owned);
		option_copy_all(option, 1, old->conf, setup->owned);
	}
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
