/*
 * doctor_milters.c - what smtpd and the maps of a Postfix ask, and whether
 * that leads to us.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <netinet/in.h>
#include <string.h>

#include "base/endpoint.h"

#include "cli/doctor_impl.h"

#define LIST_MAX 65536

/* ---- sockets ---- */

static bool
is_any(const struct endpoint *endpoint)
{
	const struct sockaddr_in *in = (const void *)&endpoint->addr.storage;
	const struct sockaddr_in6 *in6 = (const void *)&endpoint->addr.storage;

	if (endpoint->addr.sa.sa_family == AF_INET)
		return in->sin_addr.s_addr == htonl(INADDR_ANY);
	return endpoint->wildcard || IN6_IS_ADDR_UNSPECIFIED(&in6->sin6_addr);
}

/* Does what Postfix asks for lead to what we listen at? */
static bool
leads_to(const struct endpoint *asked, const struct endpoint *ours)
{
	const struct sockaddr_in *in = (const void *)&asked->addr.storage;
	const struct sockaddr_in *our_in = (const void *)&ours->addr.storage;
	const struct sockaddr_in6 *in6 = (const void *)&asked->addr.storage;
	const struct sockaddr_in6 *our_in6 = (const void *)&ours->addr.storage;

	if (asked->addr.sa.sa_family == AF_UNIX)
		return ours->addr.sa.sa_family == AF_UNIX &&
		    strcmp(asked->addr.sun.sun_path, ours->addr.sun.sun_path) ==
		    0;
	if (ours->addr.sa.sa_family == AF_UNIX)
		return false;
	/* The ports stand at the same place. */
	if (in->sin_port != our_in->sin_port)
		return false;
	if (is_any(ours))
		return true;
	if (asked->addr.sa.sa_family != ours->addr.sa.sa_family)
		return false;
	return asked->addr.sa.sa_family == AF_INET
	    ? in->sin_addr.s_addr == our_in->sin_addr.s_addr
	    : memcmp(&in6->sin6_addr, &our_in6->sin6_addr,
		  sizeof(in6->sin6_addr)) == 0;
}

/* The path that a process of Postfix opens for "unix:PATH". */
static const char *
socket_path(struct doctor *doctor, const char *path, bool chroot)
{
	const char *queue = postfix_value(doctor->postfix, "queue_directory");

	if (path[0] == '/' && !chroot)
		return path;
	return arena_printf(doctor->arena, "%s%s%s", queue != NULL ? queue : "",
	    path[0] == '/' ? "" : "/", path);
}

bool
doctor_is_ours(struct doctor *doctor, struct bytes word, const char *listen,
    bool chroot)
{
	const char *text = arena_memdup(doctor->arena, word.data, word.len);
	struct endpoint asked, ours;

	if (strncmp(text, "unix:", 5) == 0)
		text = arena_printf(doctor->arena, "unix:%s",
		    socket_path(doctor, text + 5, chroot));
	if (strncmp(listen, "local:", 6) == 0)
		listen = arena_printf(doctor->arena, "unix:%s", listen + 6);
	return endpoint_parse(text, &asked, NULL) == 0 &&
	    endpoint_parse(listen, &ours, NULL) == 0 && leads_to(&asked, &ours);
}

/* What main.cf must say to reach our socket; NULL: no way. */
static const char *
milter_address(struct doctor *doctor)
{
	const char *listen = doctor->conf->milter_listen, *at, *port;

	if (strncmp(listen, "inet", 4) != 0)
		return strncmp(listen, "local:", 6) == 0
		    ? arena_printf(doctor->arena, "unix:%s", listen + 6)
		    : listen;
	port = strchr(listen, ':');
	at = strchr(listen, '@');
	if (port == NULL || at == NULL)
		return listen;
	return arena_printf(doctor->arena, "inet:%s:%.*s",
	    at[1] == '*' || strncmp(at + 1, "0.0.0.0", 7) == 0 ? "127.0.0.1"
							       : at + 1,
	    (int)(at - port - 1), port + 1);
}

/* ---- milters of a service ---- */

struct milters {
	size_t count;
	size_t ours; /* place of the last that is ours, from 1; 0: none */
	const char *reorder; /* the list with ours at its end */
};

static void
append_item(struct buf *list, struct bytes item)
{
	if (list->len > 0)
		buf_append_str(list, ", ");
	buf_append_bytes(list, item);
}

static struct milters
milters_of(struct doctor *doctor, const char *list, bool chroot)
{
	struct milters milters = { 0, 0, NULL };
	struct bytes item, word, last = { "", 0 };
	struct buf others;
	const char *inner;

	buf_init(&others, LIST_MAX);
	while (list != NULL && postfix_next_word(&list, &item)) {
		/* { inet:host:port, option=value ... } */
		word = postfix_unbrace(item);
		inner = arena_memdup(doctor->arena, word.data, word.len);
		if (!postfix_next_word(&inner, &word))
			continue;
		milters.count++;
		if (doctor_is_ours(doctor, word, doctor->conf->milter_listen,
			chroot)) {
			milters.ours = milters.count;
			last = item;
		} else {
			append_item(&others, item);
		}
	}
	append_item(&others, last);
	milters.reorder = arena_strdup(doctor->arena, buf_str(&others));
	buf_free(&others);
	return milters;
}

/* What is wrong with smtpd_milters, where that is set. */
static void
milters_finding(struct doctor *doctor, const struct postfix_service *service,
    const char *why, const char *mended)
{
	static const char name[] = "smtpd_milters";
	const char *value =
	    postfix_service_value(doctor->postfix, service, name);

	if (postfix_override(doctor->postfix, service, name) == NULL)
		doctor_found(doctor, FINDING_WRONG,
		    doctor_assignment(doctor, name, value), why, "main.cf",
		    arena_printf(doctor->arena, "%s = %s", name, mended));
	else
		doctor_found(doctor, FINDING_WRONG,
		    doctor_in_service(doctor, service, name, value), why,
		    doctor_below_service(doctor, service),
		    arena_printf(doctor->arena, "    -o { %s = %s }", name,
			mended));
}

/* Does the chroot of smtpd hide our socket?  Then it is reported. */
static bool
is_hidden(struct doctor *doctor, const struct postfix_service *service,
    const char *list)
{
	const char *queue = postfix_value(doctor->postfix, "queue_directory");

	doctor->checked++;
	if (!service->chroot ||
	    strncmp(doctor->conf->milter_listen, "inet", 4) == 0 ||
	    milters_of(doctor, list, true).ours != 0 ||
	    milters_of(doctor, list, false).ours == 0)
		return false;
	doctor_found(doctor, FINDING_WRONG,
	    arena_printf(doctor->arena,
		"%s/%s runs in a chroot and cannot reach %s", service->name,
		service->type, doctor->conf->milter_listen),
	    arena_printf(doctor->arena,
		"In a chroot only what is below %s can be seen; all mail "
		"would be deferred.",
		queue != NULL ? queue : "the queue directory"),
	    "sekimori.conf, with smtpd_milters = inet:127.0.0.1:8895 in "
	    "main.cf",
	    "milter_listen = \"inet:8895@127.0.0.1\"");
	return true;
}

static void
check_service_milters(struct doctor *doctor,
    const struct postfix_service *service)
{
	const char *list =
	    postfix_service_value(doctor->postfix, service, "smtpd_milters");
	struct milters milters;

	if (is_hidden(doctor, service, list))
		return;
	milters = milters_of(doctor, list, service->chroot);
	doctor->checked += 2;
	if (milters.ours == 0)
		milters_finding(doctor, service,
		    "Mail that comes this way does not pass Sekimori.",
		    arena_printf(doctor->arena, "%s%s%s",
			list != NULL ? list : "", milters.count > 0 ? ", " : "",
			milter_address(doctor)));
	else if (milters.ours != milters.count)
		milters_finding(doctor, service,
		    "Sekimori is not the last milter: those behind it can "
		    "change what was judged, and break signatures.",
		    milters.reorder);
}

static void
check_service_receives(struct doctor *doctor,
    const struct postfix_service *service)
{
	static const char name[] = "receive_override_options";
	const char *value =
	    postfix_service_value(doctor->postfix, service, name);

	doctor->checked++;
	if (value != NULL && postfix_has_word(value, "no_milters"))
		doctor_found(doctor, FINDING_WRONG,
		    doctor_in_service(doctor, service, name, value),
		    "no_milters keeps mail that comes this way from Sekimori.",
		    doctor_below_service(doctor, service),
		    "    -o receive_override_options=");
}

void
doctor_check_services(struct doctor *doctor)
{
	const struct postfix_service *service;
	size_t i, seen = 0;

	for (i = 0; i < doctor->postfix->service_count; i++) {
		service = &doctor->postfix->services[i];
		if (strcmp(service->daemon, "smtpd") != 0 ||
		    doctor_is_release_listener(doctor, service))
			continue;
		seen++;
		check_service_milters(doctor, service);
		check_service_receives(doctor, service);
	}
	doctor->checked++;
	if (seen == 0)
		doctor_found(doctor, FINDING_WRONG,
		    "no service of master.cf takes mail by SMTP",
		    "Sekimori is asked by smtpd, and there is none.",
		    "master.cf", "smtp inet n - y - - smtpd");
}

/* ---- the directory ---- */

static const struct map_rule {
	const char *name, *map;
	const char *why;
} map_rules[] = {
	{ "relay_domains", "relay_domains",
	    "Domains that are added to Sekimori's directory are not accepted "
	    "by Postfix." },
	{ "transport_maps", "transport",
	    "Routes that are edited in Sekimori do not take effect." },
	{ "relay_recipient_maps", "recipients",
	    "Postfix does not know the recipients of Sekimori's directory." },
	{ "virtual_alias_maps", "aliases",
	    "Aliases that are edited in Sekimori do not take effect." },
};

/* "socketmap:inet:host:port:name" or "socketmap:unix:path:name" */
static bool
asks_socketmap(struct doctor *doctor, const char *value, const char *map)
{
	static const char prefix[] = "socketmap:";
	struct bytes word;
	const char *colon;

	while (value != NULL && postfix_next_word(&value, &word)) {
		if (word.len < sizeof(prefix) ||
		    memcmp(word.data, prefix, sizeof(prefix) - 1) != 0)
			continue;
		word.data += sizeof(prefix) - 1;
		word.len -= sizeof(prefix) - 1;
		colon = memrchr(word.data, ':', word.len);
		if (colon == NULL ||
		    !bytes_equal((struct bytes){ colon + 1,
				     (size_t)(word.data + word.len - colon) -
					 1 },
			bytes_of(map)))
			continue;
		word.len = (size_t)(colon - word.data);
		/* proxymap and trivial-rewrite run in the chroot or out of
		 * it, as smtpd does; the path counts both ways. */
		if (doctor_is_ours(doctor, word, doctor->conf->socketmap_listen,
			false) ||
		    doctor_is_ours(doctor, word, doctor->conf->socketmap_listen,
			true))
			return true;
	}
	return false;
}

void
doctor_check_maps(struct doctor *doctor)
{
	const struct map_rule *rule;
	const char *value;
	size_t i;

	for (i = 0; i < sizeof(map_rules) / sizeof(map_rules[0]); i++) {
		rule = &map_rules[i];
		value = postfix_value(doctor->postfix, rule->name);
		doctor->checked++;
		if (!asks_socketmap(doctor, value, rule->map))
			doctor_found(doctor, FINDING_ADVICE,
			    doctor_assignment(doctor, rule->name, value),
			    rule->why, "main.cf",
			    arena_printf(doctor->arena, "%s = socketmap:%s:%s",
				rule->name, doctor->conf->socketmap_listen,
				rule->map));
	}
}
