/*
 * test_quarantine_faults.c - the quarantine while its connection is cut at
 * every step, and while Redis is killed.
 *
 * What must hold: a put that returns 0 is there whatever comes; one that
 * returns -1 is not there, or the sender's next try finds it; in no case is
 * a mail there twice.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit.h"

#include "base/clock.h"
#include "base/log.h"
#include "tests/quarantine/hold_fixture.h"

static const char *const durable[] = { "--appendonly", "yes", "--appendfsync",
	"always", NULL };
static const char *const two_domains[] = { "a@one.example", "b@two.example",
	NULL };

/* ---- a proxy that cuts ---- */

enum cut {
	CUT_BEFORE, /* the request does not arrive */
	CUT_AFTER,  /* it does, its answer does not */
	CUT_STOP,   /* it does, but the server sleeps for STOP_MS first */
};

/* Of a store whose server is stopped; nothing else waits for one. */
#define TIMEOUT_MS 700
#define STOP_MS (2 * TIMEOUT_MS)

#define PAIRS_MAX 32

struct pair {
	int client, server;
};

struct proxy {
	char *path, *url;
	const struct redis_server *server;
	int listen_fd;
	pthread_t thread;
	atomic_bool ending;
	atomic_uint requests; /* but for logins */
	atomic_uint cut_at;   /* 0: never */
	atomic_int how;
	atomic_bool stays_dead; /* after the cut */
	atomic_bool dead;
	atomic_bool stopped; /* the server, just now */
	struct pair pairs[PAIRS_MAX];
	size_t count;
};

static void
proxy_listen(struct proxy *proxy)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };

	memcpy(sun.sun_path, proxy->path, strlen(proxy->path));
	proxy->listen_fd = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(bind(proxy->listen_fd, (struct sockaddr *)&sun,
			     sizeof(sun)),
	    0);
	assert_int_equal(listen(proxy->listen_fd, 32), 0);
}

static void
proxy_accept(struct proxy *proxy)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int client = accept(proxy->listen_fd, NULL, NULL), server;

	if (client < 0)
		return;
	memcpy(sun.sun_path, proxy->server->socket,
	    strlen(proxy->server->socket));
	server = socket(AF_UNIX, SOCK_STREAM, 0);
	if (atomic_load(&proxy->dead) || proxy->count == PAIRS_MAX ||
	    connect(server, (struct sockaddr *)&sun, sizeof(sun)) < 0) {
		close(client);
		close(server);
		return;
	}
	proxy->pairs[proxy->count++] = (struct pair){ client, server };
}

static void
pair_close(struct proxy *proxy, size_t i)
{
	close(proxy->pairs[i].client);
	close(proxy->pairs[i].server);
	proxy->pairs[i] = proxy->pairs[--proxy->count];
}

static void
cut_all(struct proxy *proxy)
{
	while (proxy->count > 0)
		pair_close(proxy, proxy->count - 1);
}

static bool
forward(int from, int to, char *data, size_t size, ssize_t *n)
{
	*n = recv(from, data, size, 0);
	return *n > 0 && send(to, data, (size_t)*n, MSG_NOSIGNAL) == *n;
}

/* A request of a pair; false: the pair is gone. */
static bool
proxy_request(struct proxy *proxy, size_t i)
{
	static const char login[] = "SETNAME";
	struct pair *pair = &proxy->pairs[i];
	char data[65536];
	ssize_t n = recv(pair->client, data, sizeof(data), 0);
	struct pollfd answer = { .fd = pair->server, .events = POLLIN };
	unsigned number;

	if (n <= 0) {
		pair_close(proxy, i);
		return false;
	}
	number = memmem(data, (size_t)n, login, sizeof(login) - 1) != NULL
	    ? 0
	    : atomic_fetch_add(&proxy->requests, 1) + 1;
	if (number == 0 || number != atomic_load(&proxy->cut_at))
		return send(pair->server, data, (size_t)n, MSG_NOSIGNAL) == n;
	if (atomic_load(&proxy->how) == CUT_STOP) {
		atomic_store(&proxy->stopped, true);
		kill(proxy->server->pid, SIGSTOP);
	}
	if (atomic_load(&proxy->how) != CUT_BEFORE &&
	    send(pair->server, data, (size_t)n, MSG_NOSIGNAL) == n &&
	    atomic_load(&proxy->how) == CUT_AFTER)
		/* None comes to the first half of a large request. */
		(void)poll(&answer, 1, 1000);
	if (atomic_load(&proxy->how) == CUT_STOP) {
		nap_ms(STOP_MS);
		kill(proxy->server->pid, SIGCONT);
		atomic_store(&proxy->stopped, false);
		return true;
	}
	atomic_store(&proxy->dead, atomic_load(&proxy->stays_dead));
	cut_all(proxy);
	return false;
}

static void *
proxy_thread(void *arg)
{
	struct proxy *proxy = arg;

	while (!atomic_load(&proxy->ending)) {
		struct pollfd p[1 + 2 * PAIRS_MAX];
		size_t count = proxy->count, i;
		char data[65536];
		ssize_t n;

		p[0] =
		    (struct pollfd){ .fd = proxy->listen_fd, .events = POLLIN };
		for (i = 0; i < count; i++) {
			p[1 + 2 * i] =
			    (struct pollfd){ .fd = proxy->pairs[i].client,
				    .events = POLLIN };
			p[2 + 2 * i] =
			    (struct pollfd){ .fd = proxy->pairs[i].server,
				    .events = POLLIN };
		}
		if (poll(p, 1 + 2 * count, 20) <= 0)
			continue;
		/* One thing at a time: a pair may go and others move. */
		for (i = 0; i < count; i++) {
			if (p[2 + 2 * i].revents != 0) {
				if (!forward(proxy->pairs[i].server,
					proxy->pairs[i].client, data,
					sizeof(data), &n))
					pair_close(proxy, i);
				break;
			}
			if (p[1 + 2 * i].revents != 0) {
				(void)proxy_request(proxy, i);
				break;
			}
		}
		if (p[0].revents != 0)
			proxy_accept(proxy);
	}
	cut_all(proxy);
	return NULL;
}

static void
proxy_start(struct proxy *proxy, const struct redis_server *server)
{
	memset(proxy, 0, sizeof(*proxy));
	proxy->path = xprintf("%s/proxy", server->dir);
	proxy->url = xprintf("unix:%s", proxy->path);
	proxy->server = server;
	proxy_listen(proxy);
	pthread_create(&proxy->thread, NULL, proxy_thread, proxy);
}

static void
proxy_stop(struct proxy *proxy)
{
	atomic_store(&proxy->ending, true);
	pthread_join(proxy->thread, NULL);
	close(proxy->listen_fd);
	unlink(proxy->path);
	free(proxy->path);
	free(proxy->url);
}

static void
proxy_heal(struct proxy *proxy)
{
	atomic_store(&proxy->cut_at, 0);
	atomic_store(&proxy->dead, false);
}

/* ---- cut at every step ---- */

static const struct quarantine_options strict = { .message_max = 1 << 26,
	.domain_max = 1 << 30,
	.memory_percent = 60,
	.durability_required = true };

/* A place that looks at the same server through the proxy. */
static void
open_through(struct place *through, const struct place *place,
    const struct proxy *proxy, unsigned timeout_ms)
{
	const struct store_options options = { .url = proxy->url,
		.timeout_ms = timeout_ms };

	*through = *place;
	through->store = store_open(&options, NULL);
	through->quarantine = quarantine_open(through->store, &strict);
}

static void
close_through(struct place *through)
{
	quarantine_close(through->quarantine);
	store_close(through->store);
}

struct outcome {
	const char *label;
	unsigned step;
};

static void
put_again(struct place *through, struct mail *mail, const struct outcome *o)
{
	struct err err;
	int tries;

	mail_again(mail);
	for (tries = 0; tries < PATIENCE_MS / 10; tries++) {
		if (put(through, mail, &err) == 0)
			return;
		nap_ms(10);
	}
	case_fail(o->label, "step %u: next try: %s", o->step, err.text);
}

/* How many entries stand in both domains. */
static size_t
count_both(struct place *place)
{
	return count_listed(place, "one.example") +
	    count_listed(place, "two.example");
}

/* Every event is in the streams, under its own name. */
static void
check_events(struct place *place, const struct outcome *o)
{
	struct err err;

	/* Those that a cut left behind are old enough for a sweep. */
	(void)clock_shift(120);
	if (quarantine_mend(place->quarantine, &err) < 0)
		case_fail(o->label, "step %u: mend: %s", o->step, err.text);
	(void)clock_shift(0);
	if (!outbox_empties(place, "one.example") ||
	    !outbox_empties(place, "two.example"))
		case_fail(o->label, "step %u: outbox", o->step);
	if (stream_length(place) < 2)
		case_fail(o->label, "step %u: an event is lost", o->step);
}

static void
cut_once(struct place *place, struct proxy *proxy, enum cut how, bool dead,
    unsigned step, bool *reached)
{
	const struct outcome o = { how == CUT_BEFORE ? "before" : "after",
		step };
	struct place through;
	struct mail mail;
	struct err err;
	size_t there;
	int rc;

	assert_int_equal(store_runf(place->store, NULL, NULL, &err, "FLUSHALL"),
	    0);
	open_through(&through, place, proxy, PATIENCE_MS);
	mail_make(&mail, step, 300000, two_domains);
	atomic_store(&proxy->how, (int)how);
	atomic_store(&proxy->stays_dead, dead);
	atomic_store(&proxy->requests, 0);
	atomic_store(&proxy->cut_at, step);
	rc = put(&through, &mail, &err);
	*reached = atomic_load(&proxy->requests) >= step;
	there = count_both(place);
	if (rc == 0 && there != 2)
		case_fail(o.label, "step %u: lost", step);
	if (rc < 0 && err.kind != ERR_TEMP)
		case_fail(o.label, "step %u: %s", step, err.text);
	/* Only an answer that was lost together with the server leaves
	 * anything to be seen. */
	if (rc < 0 && there > 0 && !(dead && how == CUT_AFTER) &&
	    !(dead && there == 1))
		case_fail(o.label, "step %u: %zu entries", step, there);
	if (rc < 0 && !dead && redis_keys(place, "sk:{m:*") != 0)
		case_fail(o.label, "step %u: chunks stay", step);
	proxy_heal(proxy);
	if (rc < 0) {
		put_again(&through, &mail, &o);
		if (count_both(place) != 2)
			case_fail(o.label, "step %u: %zu entries at last", step,
			    count_both(place));
	}
	check_bytes(place, &mail, mail.entries[0].id);
	check_bytes(place, &mail, mail.entries[1].id);
	close_through(&through);
	check_events(place, &o);
	mail_free(&mail);
}

static void
cut_everywhere(struct place *place, enum cut how, bool dead)
{
	struct proxy proxy;
	bool reached = true;
	unsigned step;

	proxy_start(&proxy, &place->server);
	for (step = 1; reached && step < 60; step++)
		cut_once(place, &proxy, how, dead, step, &reached);
	/* Questions, notes, chunks, two scripts at the least. */
	assert_in_range(step, 9, 40);
	proxy_stop(&proxy);
}

static void
test_cut_before(void **state)
{
	cut_everywhere(*state, CUT_BEFORE, false);
}

static void
test_cut_after(void **state)
{
	cut_everywhere(*state, CUT_AFTER, false);
}

static void
test_cut_before_for_good(void **state)
{
	cut_everywhere(*state, CUT_BEFORE, true);
}

static void
test_cut_after_for_good(void **state)
{
	cut_everywhere(*state, CUT_AFTER, true);
}

/* ---- a server that is stopped ---- */

/* 1; 0 when there is no such step any more; -1 when the machine was too slow
 * to come so far within the timeout, which says nothing. */
static int
stop_once(struct place *place, struct proxy *proxy, unsigned step)
{
	static const char *const one_domain[] = { "a@one.example",
		"b@one.example", NULL };
	struct place through;
	struct mail mail;
	struct err err;
	bool reached;
	int rc;

	assert_int_equal(store_runf(place->store, NULL, NULL, &err, "FLUSHALL"),
	    0);
	open_through(&through, place, proxy, TIMEOUT_MS);
	mail_make(&mail, step, 2000, one_domain);
	atomic_store(&proxy->how, CUT_STOP);
	atomic_store(&proxy->requests, 0);
	atomic_store(&proxy->cut_at, step);
	rc = put(&through, &mail, &err);
	reached = atomic_load(&proxy->requests) >= step;
	proxy_heal(proxy);
	while (atomic_load(&proxy->stopped))
		nap_ms(5);
	if (reached && count_both(place) != (rc == 0 ? 2 : 0))
		case_fail("stopped", "step %u: put %d, %zu entries", step, rc,
		    count_both(place));
	close_through(&through);
	mail_free(&mail);
	return reached ? 1 : rc == 0 ? 0 : -1;
}

/*
 * Stopped at a step for longer than anybody waits, then it goes on: what it
 * finds in its socket must not be carried out any more.
 */
static void
test_stopped(void **state)
{
	struct place *place = *state;
	struct proxy proxy;
	unsigned step, tries = 0;
	int reached;

	proxy_start(&proxy, &place->server);
	for (step = 6; (reached = stop_once(place, &proxy, step)) != 0;) {
		assert_true(reached > 0 || tries++ < 20);
		step += reached > 0 ? 1 : 0;
	}
	assert_in_range(step, 8, 30);
	proxy_stop(&proxy);
}

/* ---- a server that is killed ---- */

#define WRITERS 4

struct writer {
	struct place *place;
	atomic_bool *ending;
	unsigned number;
	struct mail mails[400];
	bool held[400];
	size_t count;
	atomic_uint good, bad;
	pthread_t thread;
};

static void *
write_all_the_time(void *arg)
{
	static const char *const mailbox[] = { "a@one.example", NULL };
	struct writer *writer = arg;

	while (!atomic_load(writer->ending) && writer->count < 400) {
		size_t i = writer->count++;
		struct err err;

		mail_make(&writer->mails[i],
		    writer->number * 1000 + (unsigned)i, 3000, mailbox);
		writer->held[i] =
		    put(writer->place, &writer->mails[i], &err) == 0;
		atomic_fetch_add(writer->held[i] ? &writer->good : &writer->bad,
		    1);
		if (!writer->held[i])
			nap_ms(20);
	}
	return NULL;
}

/* Until so many more mails were held, or deferred. */
static void
await_writers(struct writer *writers, bool good, unsigned more)
{
	int tries;

	for (tries = 0; tries < PATIENCE_MS / 2; tries++) {
		unsigned sum = 0, i;

		for (i = 0; i < WRITERS; i++)
			sum += atomic_load(
			    good ? &writers[i].good : &writers[i].bad);
		if (sum >= more)
			return;
		nap_ms(2);
	}
	case_fail("writers", "%u %s: not so many", more,
	    good ? "held" : "deferred");
}

static void
test_killed(void **state)
{
	struct place *place = *state;
	struct writer *writers = xcalloc(WRITERS, sizeof(*writers));
	const struct store_options options = { .url = place->server.url,
		.timeout_ms = PATIENCE_MS };
	struct place strictly = *place;
	atomic_bool ending = false;
	size_t i, k, held = 0, deferred = 0;
	struct err err;
	unsigned round;

	strictly.store = store_open(&options, NULL);
	strictly.quarantine = quarantine_open(strictly.store, &strict);
	assert_int_equal(store_runf(place->store, NULL, NULL, &err, "FLUSHALL"),
	    0);
	for (i = 0; i < WRITERS; i++) {
		writers[i].place = &strictly;
		writers[i].ending = &ending;
		writers[i].number = (unsigned)i;
		pthread_create(&writers[i].thread, NULL, write_all_the_time,
		    &writers[i]);
	}
	for (round = 1; round <= 4; round++) {
		await_writers(writers, true, round * 25);
		redis_server_kill(&place->server);
		await_writers(writers, false, round);
		redis_server_restart(&place->server);
	}
	await_writers(writers, true, round * 25);
	atomic_store(&ending, true);
	for (i = 0; i < WRITERS; i++)
		pthread_join(writers[i].thread, NULL);
	while (store_runf(strictly.store, NULL, NULL, &err, "PING") < 0)
		nap_ms(10);
	for (i = 0; i < WRITERS; i++) {
		for (k = 0; k < writers[i].count; k++) {
			struct mail *mail = &writers[i].mails[k];
			const struct outcome o = { "killed", (unsigned)k };

			/* The sender tries again, whatever we said. */
			held += writers[i].held[k];
			deferred += !writers[i].held[k];
			if (writers[i].held[k])
				check_bytes(&strictly, mail,
				    mail->entries[0].id);
			put_again(&strictly, mail, &o);
			if (writers[i].held[k] && !mail->entries[0].already)
				case_fail("killed", "mail %zu was lost", k);
			check_bytes(&strictly, mail, mail->entries[0].id);
			mail_free(mail);
		}
	}
	assert_int_equal(count_listed(&strictly, "one.example"),
	    held + deferred);
	quarantine_close(strictly.quarantine);
	store_close(strictly.store);
	free(writers);
}

static int
open_place(void **state)
{
	struct place *place = xcalloc(1, sizeof(*place));

	log_open("test", LOG_TARGET_STDERR, LOG_LEVEL_ERROR);
	place_open(place, durable);
	*state = place;
	return 0;
}

static int
close_place(void **state)
{
	place_close(*state);
	free(*state);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cut_before),
		cmocka_unit_test(test_cut_after),
		cmocka_unit_test(test_cut_before_for_good),
		cmocka_unit_test(test_cut_after_for_good),
		cmocka_unit_test(test_stopped),
		cmocka_unit_test(test_killed),
	};

	if (!redis_server_is_installed() || !clock_shift(1)) {
		printf("skipped: no redis-server, or no --enable-test-hooks\n");
		return 77;
	}
	clock_shift(0);
	return cmocka_run_group_tests_name("quarantine, faults", tests,
	    open_place, close_place);
}
