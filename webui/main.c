/*
 * main.c - sekimori-web: the sidecar.  Mail flows without it.
 *
 * It keeps the history: reads what the milter tells of every mail
 * (webui/feed.h).  The main thread waits for signals.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/conf.h"
#include "base/log.h"
#include "base/process.h"

#include "webui/feed.h"

#define NAME "sekimori-web"

static _Noreturn void
usage(int status)
{
	(void)fprintf(status == EX_OK ? stdout : stderr,
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

/* ---- signals ---- */

/* Blocked in all threads; the main thread takes them one by one. */
static void
block_signals(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGHUP);
	sigaddset(set, SIGTERM);
	sigaddset(set, SIGINT);
	pthread_sigmask(SIG_BLOCK, set, NULL);
}

/* What can change while running does; a bad file changes nothing. */
static void
reload(const char *file, struct feed *feed)
{
	struct err err;
	struct conf *conf = conf_load(file, &err);

	if (conf == NULL) {
		log_error("the config stays as it was: %s", err.text);
		return;
	}
	log_set_level((enum log_level)conf->log_level);
	feed_set_days(feed, (unsigned)conf->history_days);
	conf_free(conf);
	log_info("read the config again");
}

static void
wait_for_end(const sigset_t *set, const char *file, struct feed *feed)
{
	int signal;

	do {
		if (sigwait(set, &signal) != 0)
			abort();
		if (signal == SIGHUP)
			reload(file, feed);
	} while (signal == SIGHUP);
}

/* ---- start ---- */

static struct conf *
read_conf(const char *file)
{
	struct conf *conf;
	struct err err;

	conf = conf_load(file, &err);
	if (conf == NULL)
		die(&err);
	log_open(NAME,
	    conf->log_target == CONF_LOG_SYSLOG ? LOG_TARGET_SYSLOG
						: LOG_TARGET_STDERR,
	    (enum log_level)conf->log_level);
	if (process_become(conf->user, &err) < 0)
		die(&err);
	return conf;
}

int
main(int argc, char **argv)
{
	const char *file = read_options(argc, argv);
	struct conf *conf;
	struct feed *feed;
	struct err err;
	sigset_t signals;

	log_open(NAME, LOG_TARGET_STDERR, LOG_LEVEL_INFO);
	block_signals(&signals);
	conf = read_conf(file);
	feed = feed_start(conf, &err);
	if (feed == NULL)
		die(&err);
	conf_free(conf);
	log_info("started, version " PACKAGE_VERSION);
	process_notify("READY=1");
	wait_for_end(&signals, file, feed);
	process_notify("STOPPING=1");
	feed_stop(feed);
	log_info("stopped");
	return EX_OK;
}
