/*
 * daemon.c - the process: what all sessions share.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/dns.h"
#include "base/dns_conf.h"
#include "base/log.h"
#include "base/store.h"
#include "base/store_conf.h"
#include "policy/keyring.h"
#include "policy/key_record.h"
#include "policy/settings.h"
#include "quarantine/events.h"
#include "quarantine/heartbeat.h"
#include "quarantine/quarantine.h"
#include "quarantine/release.h"

#include "milter/daemon.h"
#include "milter/mender.h"
#include "milter/pulse.h"
#include "milter/socketmap.h"
#include "milter/socketmap_server.h"
#include "milter/waker.h"

#define HOSTNAME_MAX 255
#define SOCKETMAP_CONNECTIONS_MAX 2000
#define SOCKETMAP_IDLE_S 600
#define CLOSE_PATIENCE_MS 6000
#define CLOSE_STEP_MS 20

/* ---- opening ---- */

static char *
own_hostname(void)
{
	char name[HOSTNAME_MAX + 1] = "";

	if (gethostname(name, sizeof(name) - 1) != 0 || name[0] == '\0')
		return xstrdup("localhost");
	return xstrdup(name);
}

static int
open_dns(struct daemon *daemon, const struct conf *conf, struct err *err)
{
	daemon->dns = dns_conf_open(conf, NULL, err);
	return daemon->dns != NULL ? 0 : -1;
}

static struct settings *
settings_for_release(void *context)
{
	return daemon_settings(context);
}

static int
open_quarantine(struct daemon *daemon, const struct conf *conf, struct err *err)
{
	struct quarantine_options options = {
		.message_max = conf->hold_message_max,
		.domain_max = conf->hold_domain_max,
		.memory_percent = (unsigned)conf->hold_memory_percent,
		.durability_required = conf->durability_required,
	};
	struct release_options release = {
		.listener = conf->release_listener,
		.timeout_s = (unsigned)conf->release_timeout,
		.helo = daemon->hostname,
	};

	daemon->quarantine = quarantine_open(daemon->store, &options);
	daemon->release =
	    release_open(daemon->quarantine, daemon->events, &release);
	daemon->release_worker =
	    release_worker_start(daemon->release, settings_for_release, daemon);
	if (daemon->release_worker == NULL)
		return err_set(err, ERR_TEMP,
		    "the release worker did not start");
	daemon->mender = mender_start(daemon->quarantine, err);
	return daemon->mender != NULL ? 0 : -1;
}

static int
open_events(struct daemon *daemon, const struct conf *conf, struct err *err)
{
	char *file = xprintf("%s/events.spool", conf->state_dir);
	struct events_options options = {
		.spool_file = daemon->store != NULL ? file : NULL,
		.spool_max = conf->spool_max,
	};

	daemon->events = events_open(daemon->store, &options, err);
	free(file);
	return daemon->events != NULL ? 0 : -1;
}

static int
open_store(struct daemon *daemon, const struct conf *conf, struct err *err)
{
	daemon->store = store_conf_open(conf, err);
	if (daemon->store == NULL)
		return -1;
	daemon->watch = settings_watch_start(daemon->store, err);
	return daemon->watch != NULL ? 0 : -1;
}

static int
answer_socketmap(void *context, struct bytes request, struct buf *reply)
{
	struct daemon *daemon = context;
	struct settings *settings = daemon_settings(daemon);
	struct setup *setup = daemon_setup(daemon);
	int rc;

	rc = socketmap_answer(settings, setup->conf->recipient_delimiter,
	    request, reply);
	setup_unref(setup);
	settings_unref(settings);
	return rc;
}

static int
open_socketmap(struct daemon *daemon, const struct conf *conf, struct err *err)
{
	struct socketmap_server_options options = {
		.listen = conf->socketmap_listen,
		.socket_mode = (unsigned)conf->milter_socket_mode,
		.connections_max = SOCKETMAP_CONNECTIONS_MAX,
		.idle_s = SOCKETMAP_IDLE_S,
		.answer = answer_socketmap,
		.context = daemon,
	};

	daemon->socketmap = socketmap_server_start(&options, err);
	return daemon->socketmap != NULL ? 0 : -1;
}

static int
open_all(struct daemon *daemon, struct err *err)
{
	const struct conf *conf = daemon->setup->conf;

	if (endpoint_parse(conf->milter_listen, &daemon->milter, err) < 0)
		return err_prefix(err, "milter_listen");
	daemon->keyring = keyring_open(conf->dkim_dir);
	if (open_dns(daemon, conf, err) < 0)
		return -1;
	if (store_conf_is_none(conf)) {
		daemon->fixed_settings = settings_new_empty();
	} else if (open_store(daemon, conf, err) < 0) {
		return -1;
	}
	if (open_events(daemon, conf, err) < 0)
		return -1;
	if (daemon->store != NULL &&
	    (open_quarantine(daemon, conf, err) < 0 ||
		open_socketmap(daemon, conf, err) < 0))
		return -1;
	daemon->waker = waker_start(&daemon->milter, err);
	if (daemon->waker == NULL)
		return -1;
	if (daemon->store != NULL)
		daemon->pulse = pulse_start(daemon, err);
	return daemon->store == NULL || daemon->pulse != NULL ? 0 : -1;
}

static void
close_all(struct daemon *daemon)
{
	pulse_stop(daemon->pulse);
	waker_stop(daemon->waker);
	socketmap_server_stop(daemon->socketmap);
	mender_stop(daemon->mender);
	if (daemon->release_worker != NULL)
		release_worker_stop(daemon->release_worker);
	if (daemon->events != NULL)
		events_close(daemon->events);
	if (daemon->release != NULL)
		release_close(daemon->release);
	if (daemon->quarantine != NULL)
		quarantine_close(daemon->quarantine);
	if (daemon->watch != NULL)
		settings_watch_stop(daemon->watch);
	if (daemon->store != NULL)
		store_close(daemon->store);
	/* libmilter never gives back a session that is open when it stops;
	 * what its transaction uses stays until the process ends. */
	if (daemon->transactions == 0) {
		if (daemon->dns != NULL)
			dns_close(daemon->dns);
		key_cache_free(daemon->keys);
	}
	keyring_close(daemon->keyring);
	settings_unref(daemon->fixed_settings);
	setup_unref(daemon->setup);
	metrics_free(daemon->metrics);
	pthread_mutex_destroy(&daemon->lock);
	free(daemon->hostname);
}

struct daemon *
daemon_open(const char *conf_file, struct setup *take_setup, struct err *err)
{
	struct daemon *daemon = xcalloc(1, sizeof(*daemon));

	daemon->conf_file = conf_file;
	daemon->setup = take_setup;
	daemon->hostname = own_hostname();
	daemon->keys = key_cache_new();
	daemon->metrics = metrics_new(&milter_metrics);
	pthread_mutex_init(&daemon->lock, NULL);
	if (open_all(daemon, err) == 0)
		return daemon;
	close_all(daemon);
	free(daemon);
	return NULL;
}

bool
daemon_close(struct daemon *daemon)
{
	int patience;

	daemon->closing = true;
	for (patience = CLOSE_PATIENCE_MS; daemon->calls > 0 && patience > 0;
	     patience -= CLOSE_STEP_MS)
		usleep(CLOSE_STEP_MS * 1000);
	if (daemon->calls > 0)
		return false;
	close_all(daemon);
	return daemon->transactions == 0;
}

void
daemon_log_counters(const struct daemon *daemon)
{
	const struct counters *counters = &daemon->counters;
	const struct {
		const char *name;
		uint64_t value;
	} rows[] = {
		{ "sessions", counters->sessions },
		{ "turned_away", counters->turned_away },
		{ "messages", counters->messages },
		{ "recipients", counters->recipients },
		{ "refused", counters->refused },
		{ "unlisted", counters->unlisted },
		{ "released", counters->released },
		{ "waits", counters->waits },
		{ "waits_refused", counters->waits_refused },
		{ "holds", counters->holds },
		{ "hold_failures", counters->hold_failures },
	};
	struct log_line line;
	size_t i;

	log_line_init(&line, LOG_LEVEL_INFO, "stopped:");
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		log_field_int(&line, rows[i].name, (int64_t)rows[i].value);
	log_line_end(&line);
}

/* ---- reload ---- */

void
daemon_reload(struct daemon *daemon)
{
	struct setup *setup, *old;
	struct err err;

	setup = setup_load(daemon->conf_file, &err);
	if (setup == NULL) {
		log_error("reload: %s; the old settings stay in force",
		    err.text);
		return;
	}
	if (daemon->store == NULL && setup->conf->mode != MODE_OBSERVE) {
		log_error("reload: mode = enforce needs a store; the old "
			  "settings stay in force");
		setup_unref(setup);
		return;
	}
	/* Only this thread changes it. */
	old = daemon->setup;
	setup_keep(setup, old);
	pthread_mutex_lock(&daemon->lock);
	daemon->setup = setup;
	pthread_mutex_unlock(&daemon->lock);
	log_set_level((enum log_level)setup->conf->log_level);
	setup_unref(old);
	keyring_forget(daemon->keyring);
	log_info("reload: done");
}

/* ---- what is in force ---- */

struct setup *
daemon_setup(struct daemon *daemon)
{
	struct setup *setup;

	pthread_mutex_lock(&daemon->lock);
	setup = setup_ref(daemon->setup);
	pthread_mutex_unlock(&daemon->lock);
	return setup;
}

struct settings *
daemon_settings(struct daemon *daemon)
{
	if (daemon->watch != NULL)
		return settings_watch_get(daemon->watch);
	return settings_ref(daemon->fixed_settings);
}

/* ---- counting ---- */

bool
daemon_enter(struct daemon *daemon)
{
	daemon->calls++;
	if (!daemon->closing)
		return true;
	daemon->calls--;
	return false;
}

void
daemon_leave(struct daemon *daemon)
{
	daemon->calls--;
}

bool
daemon_add_session(struct daemon *daemon)
{
	struct setup *setup = daemon_setup(daemon);
	bool room = daemon->sessions_open++ < setup->conf->connections_max;

	setup_unref(setup);
	daemon->counters.sessions++;
	if (!room)
		daemon->counters.turned_away++;
	return room;
}

void
daemon_remove_session(struct daemon *daemon)
{
	daemon->sessions_open--;
}

void
daemon_add_transaction(struct daemon *daemon)
{
	daemon->transactions++;
}

void
daemon_remove_transaction(struct daemon *daemon)
{
	daemon->transactions--;
}

void
daemon_add_accepted(struct daemon *daemon)
{
	daemon->accepted++;
}

void
daemon_remove_accepted(struct daemon *daemon)
{
	daemon->accepted--;
}

bool
daemon_begin_wait(struct daemon *daemon, const struct conf *conf)
{
	daemon->counters.waits++;
	if (daemon->waiting++ < conf->waits_max) {
		waker_wake(daemon->waker);
		return true;
	}
	daemon->waiting--;
	daemon->counters.waits_refused++;
	return false;
}

void
daemon_end_wait(struct daemon *daemon)
{
	daemon->waiting--;
}
