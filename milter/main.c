/*
 * main.c - sekimori-milter: the filter that Postfix or Sendmail asks.
 *
 * A table of contents.  setup.c reads the config, daemon.c opens all that
 * is shared, callbacks.c is libmilter's side, keeper.c hears signals.  From
 * there a message goes through session.c, transaction.c and finish.c.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <sysexits.h>
#include <unistd.h>

#include "base/log.h"
#include "base/process.h"
#include "mail/charset.h"

#include "milter/callbacks.h"
#include "milter/daemon.h"
#include "milter/keeper.h"

#define NAME "sekimori-milter"
/* libmilter ends its workers and starts new ones all the time. */
#define STACK_SIZE (1024UL * 1024)

static struct setup *
read_setup(const char *file)
{
	struct setup *setup;
	struct err err;

	setup = setup_load(file, &err);
	if (setup == NULL)
		process_die(&err);
	process_open_log(NAME, setup->conf);
	if (process_become(setup->conf->user, &err) < 0)
		process_die(&err);
	if (process_raise_files(&err) < 0)
		log_warn("%s", err.text);
	if (process_prepare_threads(STACK_SIZE, &err) < 0)
		log_warn("%s", err.text);
	return setup;
}

int
main(int argc, char **argv)
{
	const char *file = process_read_options(NAME, argc, argv);
	struct charset_set *charsets;
	struct daemon *daemon;
	struct setup *setup;
	struct err err;
	int rc;

	log_open(NAME, LOG_TARGET_STDERR, LOG_LEVEL_INFO);
	keeper_block_signals();
	setup = read_setup(file);
	charsets = charset_open(&err);
	if (charsets == NULL)
		process_die(&err);
	daemon = daemon_open(file, setup, &err);
	if (daemon == NULL || callbacks_open(daemon, &err) < 0 ||
	    callbacks_start(daemon, &err) < 0)
		process_die(&err);
	log_info("started, version " PACKAGE_VERSION);
	process_notify("READY=1");
	rc = keeper_run(daemon);
	endpoint_remove(&daemon->milter);
	daemon_log_counters(daemon);
	if (!daemon_close(daemon))
		_exit(rc == 0 ? EX_OK : EX_SOFTWARE);
	charset_close(charsets);
	return rc == 0 ? EX_OK : EX_SOFTWARE;
}
