/*
 * main.c - sekimori-web: the sidecar.  Mail flows without it.
 *
 * It keeps the history: reads what the milter tells of every mail
 * (webui/feed.h); and it serves the pages, which are also the API
 * (webui/http.h).  The main thread makes the first user when there is none,
 * and waits for signals.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "base/conf.h"
#include "base/log.h"
#include "base/process.h"

#include "webui/feed.h"
#include "webui/http.h"
#include "webui/report_thread.h"
#include "webui/users.h"

#define NAME "sekimori-web"

struct site {
	struct api *api;
	struct pages *pages;
	struct web *web;
	struct http *http;
};

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
	/* A client that went away is an error of its write. */
	(void)signal(SIGPIPE, SIG_IGN);
}

/* What can change while running does; a bad file changes nothing. */
static void
reload(const char *file, struct feed *feed, struct http *http)
{
	struct err err;
	struct conf *conf = conf_load(file, &err);
	int rc;

	if (conf == NULL) {
		log_error("the config stays as it was: %s", err.text);
		return;
	}
	log_set_level((enum log_level)conf->log_level);
	feed_set_days(feed, (unsigned)conf->history_days);
	conf_free(conf);
	log_info("read the config again");
	rc = http_reload(http, &err);
	if (rc == 1)
		log_info("read the certificate again: there is another");
	else if (rc < 0)
		log_error("the certificate stays as it was: %s", err.text);
}

/* The password goes to standard output, which is the journal under systemd,
 * and nowhere else: it is shown once.  false: the store is away. */
static bool
make_first_user(struct api *api)
{
	struct arena *arena = arena_new(0);
	const char *password;
	struct err err;
	int rc = users_bootstrap(api->store, arena, &password, &err);

	if (rc == 1) {
		printf("first sign-in: user operator password %s\n", password);
		(void)fflush(stdout);
		log_info("made the user operator; its first password is on "
			 "standard output");
	} else if (rc < 0) {
		log_warn("users: waiting: %s", err.text);
	}
	arena_free(arena);
	return rc >= 0;
}

static void
wait_for_end(const sigset_t *set, const char *file, struct feed *feed,
    const struct site *site)
{
	const struct timespec soon = { 2, 0 };
	bool ready = make_first_user(site->api);
	int number;

	do {
		number = ready ? sigwaitinfo(set, NULL)
			       : sigtimedwait(set, NULL, &soon);
		if (number == SIGHUP)
			reload(file, feed, site->http);
		else if (number < 0 && !ready)
			ready = make_first_user(site->api);
	} while (number == SIGHUP || number < 0);
}

/* ---- pages ---- */

static void
site_stop(struct site *site)
{
	http_stop(site->http);
	web_free(site->web);
	pages_free(site->pages);
	api_close(site->api);
}

static int
site_start(struct site *site, const struct conf *conf, struct err *err)
{
	memset(site, 0, sizeof(*site));
	site->api = api_open(conf, err);
	site->pages = site->api != NULL ? pages_new(err) : NULL;
	site->web = site->pages != NULL
	    ? web_new(conf, site->api, site->pages, err)
	    : NULL;
	site->http =
	    site->web != NULL ? http_start(conf, site->web, err) : NULL;
	if (site->http != NULL)
		return 0;
	site_stop(site);
	return -1;
}

/* ---- start ---- */

/* Before there are threads. */
static void
set_time_zone(const char *zone)
{
	if (zone[0] != '\0' && setenv("TZ", zone, 1) < 0)
		log_warn("time_zone: %s", strerror(errno));
	tzset();
}

static struct conf *
read_conf(const char *file)
{
	struct conf *conf;
	struct err err;

	conf = conf_load(file, &err);
	if (conf == NULL)
		process_die(&err);
	process_open_log(NAME, conf);
	if (process_become(conf->user, &err) < 0)
		process_die(&err);
	return conf;
}

int
main(int argc, char **argv)
{
	const char *file = process_read_options(NAME, argc, argv);
	struct conf *conf;
	struct report_thread *reports;
	struct feed *feed;
	struct site site;
	struct err err;
	sigset_t signals;

	log_open(NAME, LOG_TARGET_STDERR, LOG_LEVEL_INFO);
	block_signals(&signals);
	conf = read_conf(file);
	set_time_zone(conf->time_zone);
	if (process_raise_files(&err) < 0)
		log_warn("%s", err.text);
	feed = feed_start(conf, &err);
	if (feed == NULL || site_start(&site, conf, &err) < 0)
		process_die(&err);
	reports = report_thread_start(site.api, &err);
	if (reports == NULL)
		process_die(&err);
	log_info("started, version " PACKAGE_VERSION);
	process_notify("READY=1");
	wait_for_end(&signals, file, feed, &site);
	process_notify("STOPPING=1");
	report_thread_stop(reports);
	site_stop(&site);
	feed_stop(feed);
	conf_free(conf);
	log_info("stopped");
	return EX_OK;
}
