/*
 * doctor.c - what is amiss in a Postfix that asks Sekimori.
 *
 * The rules are those of "Living with libmilter" in doc/DESIGN.md.  Rules
 * that look at one parameter are rows; those that look at milters, at
 * services of master.cf and at sockets are functions.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <inttypes.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/endpoint.h"
#include "base/str.h"

#include "cli/doctor.h"

#define LIST_MAX 65536

/* ---- findings ---- */

static void
found(struct doctor *doctor, enum finding_level level, const char *what,
    const char *why, const char *file, const char *mend)
{
	struct finding *finding;

	/* Services share what main.cf says: once is enough. */
	for (finding = doctor->first; finding != NULL; finding = finding->next)
		if (strcmp(finding->found, what) == 0 &&
		    strcmp(finding->mend, mend) == 0)
			return;
	finding = arena_calloc(doctor->arena, 1, sizeof(*finding));
	finding->level = level;
	finding->found = what;
	finding->why = why;
	finding->file = file;
	finding->mend = mend;
	*doctor->end = finding;
	doctor->end = &finding->next;
	if (level == FINDING_WRONG)
		doctor->wrong++;
	else
		doctor->advice++;
}

/* "name = value", or that there is none. */
static const char *
assignment(struct doctor *doctor, const char *name, const char *value)
{
	if (value == NULL)
		return arena_printf(doctor->arena,
		    "%s is not known to this Postfix", name);
	return arena_printf(doctor->arena, "%s =%s%s", name,
	    *value != '\0' ? " " : "", value);
}

/* "smtp/inet: name = value" */
static const char *
in_service(struct doctor *doctor, const struct postfix_service *service,
    const char *name, const char *value)
{
	return arena_printf(doctor->arena, "%s/%s: %s", service->name,
	    service->type, assignment(doctor, name, value));
}

static const char *
below_service(struct doctor *doctor, const struct postfix_service *service)
{
	return arena_printf(doctor->arena, "master.cf, below %s %s",
	    service->name, service->type);
}

/* ---- single parameters ---- */

static bool
is_one_of(const char *value, const char *words)
{
	return value != NULL && postfix_has_word(words, value);
}

/* Other octets beside it are fine. */
static bool
rejects_nul(const char *value, const char *words)
{
	return value != NULL && strstr(value, words) != NULL;
}

static const struct parameter_rule {
	const char *name;
	bool (*is_good)(const char *value, const char *words);
	const char *words;
	enum finding_level level;
	const char *mend;
	const char *why;
} parameter_rules[] = {
	{ "milter_default_action", is_one_of, "tempfail", FINDING_WRONG,
	    "milter_default_action = tempfail",
	    "While Sekimori cannot be reached, mail would pass unjudged or be "
	    "refused for good, instead of being tried again later." },
	{ "milter_protocol", is_one_of, "6", FINDING_WRONG,
	    "milter_protocol = 6",
	    "Sekimori needs the milter protocol in this version to keep "
	    "leading space in headers, without which signatures break." },
	{ "message_reject_characters", rejects_nul, "\\0", FINDING_WRONG,
	    "message_reject_characters = \\0",
	    "A NUL ends a header on its way to a milter: what stands behind it "
	    "would be seen by mail readers, but not by Sekimori." },
	{ "smtpd_forbid_bare_newline", is_one_of, "yes normalize reject",
	    FINDING_WRONG, "smtpd_forbid_bare_newline = yes",
	    "Lone line feeds let a sender smuggle a second mail past all "
	    "checks (SMTP smuggling)." },
	{ "enable_original_recipient", is_one_of, "yes", FINDING_WRONG,
	    "enable_original_recipient = yes",
	    "Recipients whom Sekimori serves apart are taken out of a mail by "
	    "the address that RCPT gave, which Postfix forgets otherwise." },
	{ "disable_mime_output_conversion", is_one_of, "yes", FINDING_WRONG,
	    "disable_mime_output_conversion = yes",
	    "Postfix would convert 8-bit mail for servers that do not announce "
	    "8BITMIME, and so break its signatures after they were checked." },
};

static void
check_parameters(struct doctor *doctor)
{
	const struct parameter_rule *rule;
	size_t i;

	for (i = 0; i < sizeof(parameter_rules) / sizeof(parameter_rules[0]);
	     i++) {
		const char *value;

		rule = &parameter_rules[i];
		value = postfix_value(doctor->postfix, rule->name);
		doctor->checked++;
		if (!rule->is_good(value, rule->words))
			found(doctor, rule->level,
			    assignment(doctor, rule->name, value), rule->why,
			    "main.cf", rule->mend);
	}
}

static void
check_size_limit(struct doctor *doctor)
{
	const char *value =
	    postfix_value(doctor->postfix, "message_size_limit");
	uint64_t most = doctor->conf->hold_message_max, limit;
	const char *mend =
	    arena_printf(doctor->arena, "message_size_limit = %" PRIu64, most);

	doctor->checked++;
	if (value == NULL ||
	    parse_u64(bytes_of(value), 0, UINT64_MAX, &limit) < 0)
		return;
	if (limit == 0)
		found(doctor, FINDING_WRONG,
		    assignment(doctor, "message_size_limit", value),
		    "There is no limit: one mail can fill the disk of Postfix "
		    "and of Sekimori.",
		    "main.cf", mend);
	else if (limit > most)
		found(doctor, FINDING_ADVICE,
		    assignment(doctor, "message_size_limit", value),
		    arena_printf(doctor->arena,
			"Mail of more than %" PRIu64
			" bytes (hold_message_max) cannot be held: what would "
			"be is refused with 552.",
			most),
		    "main.cf", mend);
}

static void
check_delimiter(struct doctor *doctor)
{
	const char *value =
	    postfix_value(doctor->postfix, "recipient_delimiter");
	const char *p;

	doctor->checked++;
	for (p = value != NULL ? value : ""; *p != '\0'; p++)
		if (strchr(doctor->conf->recipient_delimiter, *p) == NULL)
			break;
	if (value != NULL && *p != '\0')
		found(doctor, FINDING_ADVICE,
		    assignment(doctor, "recipient_delimiter", value),
		    arena_printf(doctor->arena,
			"Sekimori does not separate extensions at all of "
			"these, so user%ctag is an unknown user to it.",
			*p),
		    "sekimori.conf",
		    arena_printf(doctor->arena, "recipient_delimiter = \"%s\"",
			value));
}

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

static bool
is_ours(struct doctor *doctor, struct bytes word, const char *listen,
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
		if (is_ours(doctor, word, doctor->conf->milter_listen,
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

static bool
is_release_listener(struct doctor *doctor,
    const struct postfix_service *service)
{
	const char *listener = doctor->conf->release_listener;
	const char *port = strrchr(listener, ':');

	return strcmp(service->name, listener) == 0 ||
	    (port != NULL && strcmp(service->name, port + 1) == 0);
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
		found(doctor, FINDING_WRONG, assignment(doctor, name, value),
		    why, "main.cf",
		    arena_printf(doctor->arena, "%s = %s", name, mended));
	else
		found(doctor, FINDING_WRONG,
		    in_service(doctor, service, name, value), why,
		    below_service(doctor, service),
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
	found(doctor, FINDING_WRONG,
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
		found(doctor, FINDING_WRONG,
		    in_service(doctor, service, name, value),
		    "no_milters keeps mail that comes this way from Sekimori.",
		    below_service(doctor, service),
		    "    -o receive_override_options=");
}

static void
check_services(struct doctor *doctor)
{
	const struct postfix_service *service;
	size_t i, seen = 0;

	for (i = 0; i < doctor->postfix->service_count; i++) {
		service = &doctor->postfix->services[i];
		if (strcmp(service->daemon, "smtpd") != 0 ||
		    is_release_listener(doctor, service))
			continue;
		seen++;
		check_service_milters(doctor, service);
		check_service_receives(doctor, service);
	}
	doctor->checked++;
	if (seen == 0)
		found(doctor, FINDING_WRONG,
		    "no service of master.cf takes mail by SMTP",
		    "Sekimori is asked by smtpd, and there is none.",
		    "master.cf", "smtp inet n - y - - smtpd");
}

/* ---- the release listener ---- */

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
			found(doctor, FINDING_WRONG,
			    in_service(doctor, service, rule->name, value),
			    rule->why, below_service(doctor, service),
			    rule->mend);
	}
}

/* Only one on this machine can be looked at. */
static void
check_release(struct doctor *doctor)
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
		    is_release_listener(doctor, service)) {
			check_release_service(doctor, service);
			return;
		}
	}
	doctor->checked++;
	found(doctor, FINDING_WRONG,
	    arena_printf(doctor->arena, "nobody listens at %s",
		doctor->conf->release_listener),
	    "Held mail that is released has nowhere to go, nor has mail to "
	    "recipients who are served apart from others.",
	    "master.cf", release_service_lines(doctor));
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
		if (is_ours(doctor, word, doctor->conf->socketmap_listen,
			false) ||
		    is_ours(doctor, word, doctor->conf->socketmap_listen, true))
			return true;
	}
	return false;
}

static void
check_maps(struct doctor *doctor)
{
	const struct map_rule *rule;
	const char *value;
	size_t i;

	for (i = 0; i < sizeof(map_rules) / sizeof(map_rules[0]); i++) {
		rule = &map_rules[i];
		value = postfix_value(doctor->postfix, rule->name);
		doctor->checked++;
		if (!asks_socketmap(doctor, value, rule->map))
			found(doctor, FINDING_ADVICE,
			    assignment(doctor, rule->name, value), rule->why,
			    "main.cf",
			    arena_printf(doctor->arena, "%s = socketmap:%s:%s",
				rule->name, doctor->conf->socketmap_listen,
				rule->map));
	}
}

/* ---- patience ---- */

static bool
read_time(const char *value, uint64_t *seconds)
{
	return value != NULL && parse_seconds(bytes_of(value), seconds) == 0;
}

static void
check_patience(struct doctor *doctor)
{
	const char *value =
	    postfix_value(doctor->postfix, "milter_content_timeout");
	uint64_t seconds, least = doctor->conf->dns_timeout + 30;

	doctor->checked++;
	if (read_time(value, &seconds) && seconds < least)
		found(doctor, FINDING_WRONG,
		    assignment(doctor, "milter_content_timeout", value),
		    arena_printf(doctor->arena,
			"Postfix gives up before Sekimori has its DNS answers "
			"(dns_timeout is %" PRIu64 " s).",
			doctor->conf->dns_timeout),
		    "main.cf", "milter_content_timeout = 300s");
}

void
doctor_postfix(struct doctor *doctor, struct arena *arena,
    const struct conf *conf, const struct postfix *postfix)
{
	memset(doctor, 0, sizeof(*doctor));
	doctor->arena = arena;
	doctor->conf = conf;
	doctor->postfix = postfix;
	doctor->end = &doctor->first;
	check_services(doctor);
	check_parameters(doctor);
	check_patience(doctor);
	check_size_limit(doctor);
	check_release(doctor);
	check_delimiter(doctor);
	check_maps(doctor);
}
