/*
 * dns_resolver.c - the thread that runs libunbound.
 *
 * Questions come over a queue and an eventfd; libunbound's sockets and
 * timers live in the same libevent loop.  All questions have the same time
 * to live, so the list of those that are out is in order of deadlines.  At
 * its deadline a question is answered DNS_TIMEOUT, but libunbound goes on:
 * ub_cancel would only mute its callback, and one would no longer know how
 * many are out.  An answer that comes late is good for those who ask next.
 *
 * With a zone file the thread answers only what that file delays.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include <event2/event.h>
#include <unbound.h>

#include <unbound-event.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/dns_impl.h"
#include "base/log.h"

#define TIMEOUT_DEFAULT_MS 5000
/* Questions out at once, late ones included; each costs libunbound some
 * 12 kB.  More are answered with a failure. */
#define OUT_MAX 4096
#define TTL_OVERLOAD_S 1
#define SOCKETS_MAX 4096
#define CLASS_IN 1
#define RCODE_NOERROR 0
#define SEC_BOGUS 1
#define SEC_SECURE 2

TAILQ_HEAD(out_list, dns_question);

struct dns_resolver {
	const struct dns_zone *zone;
	struct dns_cache *cache;
	unsigned timeout_ms;
	pthread_t thread;
	struct event_base *base;
	struct event *wake_event, *deadline_event;
	struct ub_ctx *unbound; /* NULL: zone */
	int wake_fd;
	atomic_bool stop;
	/* of the thread */
	struct out_list waiting; /* by deadline */
	struct out_list late;    /* deadline passed */
	struct dns_draft draft;
	struct buf name;
	/* of anybody */
	pthread_mutex_t mutex;
	STAILQ_HEAD(, dns_question) queue;
	atomic_uint out;
	atomic_uint_fast64_t queries, failures, timeouts;
};

/* ---- answers ---- */

/* The question is done with, here. */
static void
finish(struct dns_resolver *resolver, struct dns_question *question)
{
	TAILQ_REMOVE(question->is_late ? &resolver->late : &resolver->waiting,
	    question, out);
	atomic_fetch_sub(&resolver->out, 1);
	dns_question_unref(question);
}

static void
answer(struct dns_resolver *resolver, struct dns_question *question,
    struct dns_reply *take_reply)
{
	if (dns_status_is_failure(take_reply->answer.status))
		atomic_fetch_add(&resolver->failures, 1);
	dns_cache_answer(resolver->cache, question, take_reply);
}

static struct dns_reply *
reply_of_unbound(struct dns_resolver *resolver,
    const struct dns_question *question, int rcode, struct bytes packet,
    int security)
{
	if (security == SEC_BOGUS)
		return dns_reply_new_failure(DNS_BOGUS);
	if (rcode != RCODE_NOERROR || packet.data == NULL)
		return dns_reply_new_failure(DNS_SERVFAIL);
	return dns_reply_parse(&resolver->draft, packet, &question->name,
	    question->type, security == SEC_SECURE);
}

static void
on_unbound(void *context, int rcode, void *packet, int packet_len, int security,
    char *why_bogus, int was_ratelimited)
{
	struct dns_question *question = context;
	struct dns_resolver *resolver = question->resolver;
	struct bytes message = { packet,
		packet_len > 0 ? (size_t)packet_len : 0 };

	(void)why_bogus;
	(void)was_ratelimited;
	answer(resolver, question,
	    reply_of_unbound(resolver, question, rcode, message, security));
	finish(resolver, question);
}

/* A zone file's delay is over. */
static void
on_delay(evutil_socket_t fd, short events, void *context)
{
	struct dns_question *question = context;
	struct dns_resolver *resolver = question->resolver;

	(void)fd;
	(void)events;
	answer(resolver, question, dns_reply_ref(question->delayed));
	finish(resolver, question);
}

/* ---- deadlines ---- */

static struct timeval
timeval_of_ms(int64_t ms)
{
	struct timeval tv;

	if (ms < 0)
		ms = 0;
	tv.tv_sec = (time_t)(ms / 1000);
	tv.tv_usec = (suseconds_t)(ms % 1000 * 1000);
	return tv;
}

static void
deadline_arm(struct dns_resolver *resolver)
{
	const struct dns_question *first = TAILQ_FIRST(&resolver->waiting);
	struct timeval tv;

	if (first == NULL || evtimer_pending(resolver->deadline_event, NULL))
		return;
	tv = timeval_of_ms(
	    first->asked_ms + resolver->timeout_ms - clock_mono_ms());
	evtimer_add(resolver->deadline_event, &tv);
}

static void
on_deadline(evutil_socket_t fd, short events, void *context)
{
	struct dns_resolver *resolver = context;
	struct dns_question *question;
	int64_t due_ms = clock_mono_ms() - resolver->timeout_ms;

	(void)fd;
	(void)events;
	while ((question = TAILQ_FIRST(&resolver->waiting)) != NULL &&
	    question->asked_ms <= due_ms) {
		atomic_fetch_add(&resolver->timeouts, 1);
		answer(resolver, question, dns_reply_new_failure(DNS_TIMEOUT));
		TAILQ_REMOVE(&resolver->waiting, question, out);
		TAILQ_INSERT_TAIL(&resolver->late, question, out);
		question->is_late = true;
		if (resolver->zone != NULL && question->delayed == NULL)
			finish(resolver, question);
	}
	deadline_arm(resolver);
}

/* ---- questions ---- */

static void
start_delay(struct dns_resolver *resolver, struct dns_question *question)
{
	struct timeval tv = timeval_of_ms(
	    question->asked_ms + question->delay_ms - clock_mono_ms());

	if (question->delayed != NULL &&
	    event_base_once(resolver->base, -1, EV_TIMEOUT, on_delay, question,
		&tv) < 0)
		on_delay(-1, 0, question);
}

static void
start_unbound(struct dns_resolver *resolver, struct dns_question *question)
{
	int rc;

	buf_reset(&resolver->name);
	(void)dns_wire_to_text(question->name.data, &resolver->name);
	(void)buf_append_char(&resolver->name, '.');
	/* May call on_unbound before it returns. */
	rc = ub_resolve_event(resolver->unbound, buf_str(&resolver->name),
	    (int)question->type, CLASS_IN, question, on_unbound, NULL);
	if (rc != 0) {
		answer(resolver, question, dns_reply_new_failure(DNS_SERVFAIL));
		finish(resolver, question);
	}
}

static struct dns_question *
queue_take(struct dns_resolver *resolver)
{
	struct dns_question *question;

	pthread_mutex_lock(&resolver->mutex);
	question = STAILQ_FIRST(&resolver->queue);
	if (question != NULL)
		STAILQ_REMOVE_HEAD(&resolver->queue, queue);
	pthread_mutex_unlock(&resolver->mutex);
	return question;
}

static void
on_wake(evutil_socket_t fd, short events, void *context)
{
	struct dns_resolver *resolver = context;
	struct dns_question *question;
	uint64_t count;

	(void)events;
	if (read(fd, &count, sizeof(count)) < 0 && errno != EAGAIN)
		log_error("dns: eventfd: %s", strerror(errno));
	if (atomic_load(&resolver->stop)) {
		event_base_loopbreak(resolver->base);
		return;
	}
	while ((question = queue_take(resolver)) != NULL) {
		TAILQ_INSERT_TAIL(&resolver->waiting, question, out);
		if (resolver->zone != NULL)
			start_delay(resolver, question);
		else
			start_unbound(resolver, question);
	}
	deadline_arm(resolver);
}

static void
wake(struct dns_resolver *resolver)
{
	const uint64_t one = 1;

	/* It only fails when the counter is full, and then it is awake. */
	if (write(resolver->wake_fd, &one, sizeof(one)) < 0)
		return;
}

static void
enqueue(struct dns_resolver *resolver, struct dns_question *take_question)
{
	bool was_empty;

	atomic_fetch_add(&resolver->out, 1);
	take_question->resolver = resolver;
	pthread_mutex_lock(&resolver->mutex);
	was_empty = STAILQ_EMPTY(&resolver->queue);
	STAILQ_INSERT_TAIL(&resolver->queue, take_question, queue);
	pthread_mutex_unlock(&resolver->mutex);
	if (was_empty)
		wake(resolver);
}

static void
answer_now(struct dns_resolver *resolver, struct dns_question *take_question,
    struct dns_reply *take_reply)
{
	answer(resolver, take_question, take_reply);
	dns_question_unref(take_question);
}

void
dns_resolver_ask(struct dns_resolver *resolver,
    struct dns_question *take_question)
{
	struct dns_question *question = take_question;
	struct dns_reply *reply;

	atomic_fetch_add(&resolver->queries, 1);
	if (resolver->zone != NULL) {
		reply = dns_zone_find(resolver->zone, &question->name,
		    question->type, &question->delay_ms);
		if (reply != NULL && question->delay_ms == 0) {
			answer_now(resolver, question, reply);
			return;
		}
		question->delayed = reply;
	} else if (atomic_load(&resolver->out) >= OUT_MAX) {
		reply = dns_reply_new_failure(DNS_SERVFAIL);
		reply->ttl_s = TTL_OVERLOAD_S;
		answer_now(resolver, question, reply);
		return;
	}
	enqueue(resolver, question);
}

/* ---- start and stop ---- */

struct setting {
	const char *name, *value;
};

/* Sockets for questions: libunbound opens one each while it waits. */
static unsigned
socket_count(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return 256;
	return limit.rlim_cur / 4 < SOCKETS_MAX ? (unsigned)limit.rlim_cur / 4
						: SOCKETS_MAX;
}

static int
unbound_error(struct err *err, const char *what, int rc)
{
	return err_set(err, ERR_CONFIG, "the resolver does not take %s: %s",
	    what, ub_strerror(rc));
}

static int
unbound_settings(struct ub_ctx *ctx, bool validate, struct err *err)
{
	char sockets[16];
	const struct setting settings[] = {
		/* The operator's resolver is most often on this host. */
		{ "do-not-query-localhost:", "no" },
		/* What private and documentation networks are called is for
		 * the servers we ask to say. */
		{ "unblock-lan-zones:", "yes" },
		{ "insecure-lan-zones:", "yes" },
		/* The library's default is 16 questions at once. */
		{ "outgoing-range:", sockets },
		{ "num-queries-per-thread:", sockets },
		{ "outgoing-num-tcp:", "16" },
		/* For how long a server that does not answer is left
		 * alone, in seconds: while it is, we know nothing about who
		 * sends.  The default is a quarter of an hour. */
		{ "infra-host-ttl:", "5" },
		{ "infra-keep-probing:", "yes" },
		/* We cache; its cache serves aliases and late answers. */
		{ "msg-cache-size:", "1m" },
		{ "rrset-cache-size:", "2m" },
		/* All goes to forwarders, which do this themselves. */
		{ "qname-minimisation:", "no" },
		{ "module-config:",
		    validate ? "validator iterator" : "iterator" },
	};
	size_t i;
	int rc;

	snprintf(sockets, sizeof(sockets), "%u", socket_count());
	for (i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
		rc =
		    ub_ctx_set_option(ctx, settings[i].name, settings[i].value);
		if (rc != 0)
			return unbound_error(err, settings[i].name, rc);
	}
	return 0;
}

static int
unbound_servers(struct ub_ctx *ctx, const struct dns_options *options,
    struct err *err)
{
	size_t i;
	int rc;

	for (i = 0; i < options->server_count; i++) {
		rc = ub_ctx_set_fwd(ctx, options->servers[i]);
		if (rc != 0)
			return unbound_error(err, options->servers[i], rc);
	}
	/* As resolv.conf(5) has it: without the file, this host is asked. */
	if (i == 0 && ub_ctx_resolvconf(ctx, NULL) != 0 &&
	    (rc = ub_ctx_set_fwd(ctx, "127.0.0.1")) != 0)
		return unbound_error(err, "127.0.0.1", rc);
	return 0;
}

static int
unbound_trust_anchor(struct ub_ctx *ctx, const char *file, struct err *err)
{
	int rc;

	if (file == NULL)
		return 0;
	if (access(file, R_OK) < 0)
		return err_set(err, ERR_CONFIG, "%s: %s", file,
		    strerror(errno));
	rc = ub_ctx_add_ta_file(ctx, file);
	return rc == 0 ? 0 : unbound_error(err, file, rc);
}

static int
unbound_open(struct dns_resolver *resolver, const struct dns_options *options,
    struct err *err)
{
	struct ub_ctx *ctx = ub_ctx_create_event(resolver->base);
	int rc;

	if (ctx == NULL)
		return err_set(err, ERR_TEMP, "the resolver does not start");
	resolver->unbound = ctx;
	if (unbound_settings(ctx, options->trust_anchor != NULL, err) < 0 ||
	    unbound_servers(ctx, options, err) < 0 ||
	    unbound_trust_anchor(ctx, options->trust_anchor, err) < 0)
		return -1;
	/* The built-in zone "test" would hide an operator's own; taking it
	 * away also makes libunbound read its settings now, where an error
	 * can be reported. */
	rc = ub_ctx_zone_remove(ctx, "test.");
	if (rc == 0)
		return 0;
	return unbound_error(err,
	    options->trust_anchor != NULL ? options->trust_anchor
					  : "its settings",
	    rc);
}

static void *
run(void *context)
{
	struct dns_resolver *resolver = context;

	event_base_loop(resolver->base, EVLOOP_NO_EXIT_ON_EMPTY);
	return NULL;
}

static int
open_loop(struct dns_resolver *resolver, struct err *err)
{
	resolver->base = event_base_new();
	if (resolver->base == NULL)
		return err_set(err, ERR_TEMP, "libevent does not start");
	resolver->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (resolver->wake_fd < 0)
		return err_set(err, ERR_TEMP, "eventfd: %s", strerror(errno));
	resolver->wake_event = event_new(resolver->base, resolver->wake_fd,
	    EV_READ | EV_PERSIST, on_wake, resolver);
	resolver->deadline_event =
	    evtimer_new(resolver->base, on_deadline, resolver);
	if (resolver->wake_event == NULL || resolver->deadline_event == NULL ||
	    event_add(resolver->wake_event, NULL) < 0)
		return err_set(err, ERR_TEMP, "libevent takes no event");
	return 0;
}

/* Signals are for other threads. */
static int
start_thread(struct dns_resolver *resolver, struct err *err)
{
	sigset_t all, old;
	int rc;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	rc = pthread_create(&resolver->thread, NULL, run, resolver);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (rc != 0)
		return err_set(err, ERR_TEMP, "no thread for the DNS: %s",
		    strerror(rc));
	return 0;
}

static void
drop_list(struct dns_resolver *resolver, struct out_list *list)
{
	struct dns_question *question;

	while ((question = TAILQ_FIRST(list)) != NULL)
		finish(resolver, question);
}

/* Everything but the thread. */
static void
resolver_free(struct dns_resolver *resolver)
{
	struct dns_question *question;

	/* Calls on_unbound for what is out. */
	if (resolver->unbound != NULL)
		ub_ctx_delete(resolver->unbound);
	while ((question = queue_take(resolver)) != NULL)
		dns_question_unref(question);
	drop_list(resolver, &resolver->waiting);
	drop_list(resolver, &resolver->late);
	if (resolver->wake_event != NULL)
		event_free(resolver->wake_event);
	if (resolver->deadline_event != NULL)
		event_free(resolver->deadline_event);
	if (resolver->base != NULL)
		event_base_free(resolver->base);
	if (resolver->wake_fd >= 0)
		close(resolver->wake_fd);
	pthread_mutex_destroy(&resolver->mutex);
	dns_draft_fini(&resolver->draft);
	buf_free(&resolver->name);
	free(resolver);
}

struct dns_resolver *
dns_resolver_start(const struct dns_options *options,
    const struct dns_zone *zone, struct dns_cache *cache, struct err *err)
{
	struct dns_resolver *resolver = xcalloc(1, sizeof(*resolver));

	resolver->zone = zone;
	resolver->cache = cache;
	resolver->timeout_ms =
	    options->timeout_ms > 0 ? options->timeout_ms : TIMEOUT_DEFAULT_MS;
	resolver->wake_fd = -1;
	TAILQ_INIT(&resolver->waiting);
	TAILQ_INIT(&resolver->late);
	STAILQ_INIT(&resolver->queue);
	dns_draft_init(&resolver->draft);
	buf_init(&resolver->name, (size_t)DNS_WIRE_MAX * 4 + 1);
	pthread_mutex_init(&resolver->mutex, NULL);
	if (open_loop(resolver, err) < 0 ||
	    (zone == NULL && unbound_open(resolver, options, err) < 0) ||
	    start_thread(resolver, err) < 0) {
		resolver_free(resolver);
		return NULL;
	}
	return resolver;
}

void
dns_resolver_stop(struct dns_resolver *resolver)
{
	atomic_store(&resolver->stop, true);
	wake(resolver);
	pthread_join(resolver->thread, NULL);
	resolver_free(resolver);
}

void
dns_resolver_stats(struct dns_resolver *resolver, struct dns_stats *stats)
{
	stats->queries = atomic_load(&resolver->queries);
	stats->failures = atomic_load(&resolver->failures);
	stats->timeouts = atomic_load(&resolver->timeouts);
}
