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

#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/log.h"
#include "base/process.h"
#include "mail/charset.h"

#include "milter/callbacks.h"
#include "milter/daemon.h"
#include "milter/keeper.h"

#define NAME "sekimori-milter"

static _Noreturn void
usage(int status)
{
	fprintf(status == EX_OK ? stdout : stderr,
	    "usage: " NAME " [-c FILE]\n"
	    "       " NAME " -V\n"
	    "  -c FILE  the config (%s/sekimori.conf)\n"
	    "  -V       the version\n"
	    "It stays in the foreground.  See " NAME "(8).\n",
	    SEKIMORI_CONFDIR);
	exit(status);
}

static const char *
read_options(int argc, char **argv)
{
	const char *file = NULL;
	int c;

	while ((c = getopt(argc, argv, "c:hV")) != -1) {
		switch (c) {
		case 'c':
			file = optarg;
			break;
		case 'h':
			usage(EX_OK);
		case 'V':
			puts(NAME " " PACKAGE_VERSION);
			exit(EX_OK);
		default:
			usage(EX_USAGE);
		}
	}
	if (optind < argc)
		usage(EX_USAGE);
	return file;
}

static _Noreturn void
die(const struct err *err)
{
	log_error("%s", err->text);
	exit(err->kind == ERR_CONFIG ? EX_CONFIG : EX_TEMPFAIL);
}

static struct setup *
read_setup(const char *file)
{
	struct setup *setup;
	struct err err;

	setup = setup_load(file, &err);
	if (setup == NULL)
		die(&err);
	log_open(NAME,
	    setup->conf->log_target == CONF_LOG_SYSLOG ? LOG_TARGET_SYSLOG
						       : LOG_TARGET_STDERR,
	    (enum log_level)setup->conf->log_level);
	if (process_become(setup->conf->user, &err) < 0)
		die(&err);
	if (process_raise_files(&err) < 0)
		log_warn("%s", err.text);
	return setup;
}

int
main(int argc, char **argv)
{
	const char *file = read_options(argc, argv);
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
		die(&err);
	daemon = daemon_open(file, setup, &err);
	if (daemon == NULL || callbacks_open(daemon, &err) < 0 ||
	    callbacks_start(daemon, &err) < 0)
		die(&err);
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
