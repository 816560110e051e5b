/*
 * doctor_release.c - the listener of a Postfix that takes released mail.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/endpoint.h"

#include "cli/doctor_impl.h"

bool
doctor_is_release_listener(struct doctor *doctor,
    const struct postfix_service *service)
{
	const char *listener = doctor->conf->release_listener;
	const char *port = strrchr(listener, ':');

	return strcmp(service->name, listener) == 0 ||
	    (port != NULL && strcmp(service->name, port + 1) == 0);
}

/* Exactly these words, in any order. */
static bool
has_just(const char *value, const char *wanted)
{
	const char *list = wanted;
	size_t want = 0, have = 0;
	struct bytes word;
	char *copy;

	for (; postfix_next_word(&list, &word); want++) {
		bool there;

		copy = xmemdup(word.data, word.len);
		there = postfix_has_word(value, copy);
		free(copy);
		if (!there)
			return false;
	}
	while (postfix_next_word(&value, &word))
		have++;
	return have == want;
}

static bool
is_loopback(const char *value, const char *wanted)
{
	struct bytes word;
	size_t n = 0;

	(void)wanted;
	for (; postfix_next_word(&value, &word); n++)
		if ((word.len < 4 || memcmp(word.data, "127.", 4) != 0) &&
		    (word.len < 5 || memcmp(word.data, "[::1]", 5) != 0))
			return false;
	return n > 0;
}

static const struct release_rule {
	const char *name;
	bool (*is_good)(const char *value, const char *words);
	const char *wanted;
	const char *mend;
	const char *why;
} release_rules[] = {
	{ "smtpd_milters", has_just, "", "    -o smtpd_milters=",
	    "Released mail would be judged again, and held again." },
	{ "content_filter", has_just, "", "    -o content_filter=",
	    "Released mail would pass a filter that may judge it again." },
	{ "local_header_rewrite_clients", has_just, "",
	    "    -o local_header_rewrite_clients=",
	    "Postfix would rewrite headers of released mail and break its "
	    "signatures." },
	{ "smtpd_recipient_restrictions", has_just, "permit_mynetworks reject",
	    "    -o smtpd_recipient_restrictions=permit_mynetworks,reject",
	    "Whoever reaches this port could send mail past Sekimori." },
	{ "mynetworks", is_loopback, "", "    -o mynetworks=127.0.0.0/8",
	    "All of your networks could send mail past Sekimori by this "
	    "port." },
	{ "receive_override_options", has_just,
	    "no_header_body_checks no_unknown_recipient_checks",
	    "    -o receive_override_options=no_header_body_checks,"
	    "no_unknown_recipient_checks",
	    "Mail that a person has released could be refused by rules it had "
	    "already passed." },
};

static const char *
release_service_lines(struct doctor *doctor)
{
	struct buf lines;
	const char *text;
	size_t i;

	buf_init(&lines, 4096);
	buf_printf(&lines, "%s inet n - n - - smtpd",
	    doctor->conf->release_listener);
	for (i = 0; i < sizeof(release_rules) / sizeof(release_rules[0]); i++)
		buf_printf(&lines, "\n%s", release_rules[i].mend);
	text = arena_strdup(doctor->arena, buf_str(&lines));
	buf_free(&lines);
	return text;
}

static void
check_release_service(struct doctor *doctor,
    const struct postfix_service *service)
{
	const struct release_rule *rule;
	const char *value;
	size_t i;

	for (i = 0; i < sizeof(release_rules) / sizeof(release_rules[0]); i++) {
		rule = &release_rules[i];
		value =
		    postfix_service_value(doctor->postfix, service, rule->name);
		doctor->checked++;
		if (value != NULL && !rule->is_good(value, rule->wanted))
			doctor_found(doctor, FINDING_WRONG,
			    doctor_in_service(doctor, service, rule->name,
				value),
			    rule->why, doctor_below_service(doctor, service),
			    rule->mend);
	}
}

/* Only one on this machine can be looked at. */
void
doctor_check_release(struct doctor *doctor)
{
	const struct postfix_service *service;
	struct endpoint endpoint;
	size_t i;

	if (endpoint_parse(doctor->conf->release_listener, &endpoint, NULL) <
		0 ||
	    (endpoint.addr.sa.sa_family == AF_INET &&
		(ntohl(((const struct sockaddr_in *)(const void *)&endpoint.addr
			    .storage)
			   ->sin_addr.s_addr) >>
		    24) != IN_LOOPBACKNET))
		return;
	for (i = 0; i < doctor->postfix->service_count; i++) {
		service = &doctor->postfix->services[i];
		if (strcmp(service->type, "inet") == 0 &&
		    doctor_is_release_listener(doctor, service)) {
			check_release_service(doctor, service);
			return;
		}
	}
	doctor->checked++;
	doctor_found(doctor, FINDING_WRONG,
	    arena_printf(doctor->arena, "nobody listens at %s",
		doctor->conf->release_listener),
	    "Held mail that is released has nowhere to go, nor has mail to "
	    "recipients who are served apart from others.",
	    "master.cf", release_service_lines(doctor));
}
