/*
 * conf_options.c - the option table of sekimori.conf and what its values
 * must look like.
 *
 * The order of the rows and their sections is that of the sample file and
 * of the manual.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/conf.h"
#include "base/endpoint.h"
#include "base/netaddr.h"
#include "base/str.h"

#define ZONE_DIRECTORY "/usr/share/zoneinfo"
#define ZONE_CHARS                                                             \
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-/"   \
	":,.<>"

static const char *const log_target_words[] = { "stderr", "syslog", NULL };
static const char *const log_level_words[] = { "error", "warn", "info", "debug",
	NULL };
static const char *const mode_words[] = { "enforce", "observe", NULL };
static const char *const upstream_words[] = { "received", "skip", NULL };
static const char *const unlisted_words[] = { "pass", "check", NULL };
static const char *const dkim_login_words[] = { "match", "any", NULL };

static bool
starts_with(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

static int
check_path(const char *value, struct err *err)
{
	return value[0] == '/'
	    ? 0
	    : err_set(err, ERR_INPUT, "must be an absolute path");
}

static int
check_path_or_none(const char *value, struct err *err)
{
	return value[0] == '\0' ? 0 : check_path(value, err);
}

static int
check_user(const char *value, struct err *err)
{
	struct cursor c = cursor_of(bytes_of(value));
	struct bytes name;

	if (!cursor_span(&c,
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
		"0123456789_-.",
		&name) ||
	    !cursor_at_end(&c) || value[0] == '-')
		return err_set(err, ERR_INPUT, "must be the name of a user");
	return 0;
}

static int
check_network(const char *value, struct err *err)
{
	struct network network;

	return network_parse(bytes_of(value), &network, err);
}

/* Lower case, as names are compared as they stand. */
static int
check_domain_or_none(const char *value, struct err *err)
{
	const char *p;

	for (p = value; *p != '\0'; p++)
		if ((!ascii_is_alnum(*p) && *p != '-' && *p != '.') ||
		    (*p >= 'A' && *p <= 'Z') || (p == value && *p == '.'))
			return err_set(err, ERR_INPUT,
			    "must be a domain in lower case such as "
			    "example.net");
	return 0;
}

/* RFC 8601 section 2.2; we write it without quotes, so it is a token. */
static int
check_authserv_id(const char *value, struct err *err)
{
	static const char forbidden[] = " ()<>@,;:\\\"/[]?=";

	for (; *value != '\0'; value++)
		if (strchr(forbidden, *value) != NULL)
			return err_set(err, ERR_INPUT,
			    "must be a name such as mx.example.net");
	return 0;
}

static bool
is_host_char(char c)
{
	return ascii_is_alnum(c) || c == '.' || c == '-' || c == '_';
}

/* A host name, an IPv4 address, or an IPv6 address in brackets. */
static bool
is_host(struct bytes host)
{
	struct ip ip;
	size_t i;

	if (host.len > 2 && host.data[0] == '[' &&
	    host.data[host.len - 1] == ']')
		return ip_parse((struct bytes){ host.data + 1, host.len - 2 },
			   &ip) == 0;
	for (i = 0; i < host.len; i++)
		if (!is_host_char(host.data[i]))
			return false;
	return host.len > 0;
}

static bool
is_port(struct bytes text)
{
	uint64_t port;

	return parse_u64(text, 1, 65535, &port) == 0;
}

static bool
is_host_port(const char *value)
{
	const char *colon = strrchr(value, ':');

	return colon != NULL &&
	    is_host((struct bytes){ value, (size_t)(colon - value) }) &&
	    is_port(bytes_of(colon + 1));
}

static int
check_host_port(const char *value, struct err *err)
{
	return is_host_port(value)
	    ? 0
	    : err_set(err, ERR_INPUT,
		  "must be HOST:PORT, with an IPv6 address in brackets");
}

static int
check_host_port_or_none(const char *value, struct err *err)
{
	return value[0] == '\0' ? 0 : check_host_port(value, err);
}

/* Plain ASCII, as it stands in headers; nothing that would need quotes. */
static int
check_mail_address_or_none(const char *value, struct err *err)
{
	const char *at = strchr(value, '@'), *p;

	for (p = value; *p != '\0'; p++)
		if (*p <= ' ' || *p >= 0x7f || strchr("()<>,;:\\\"[]", *p))
			at = NULL;
	if (value[0] == '\0' ||
	    (at != NULL && at != value && strchr(at + 1, '@') == NULL &&
		is_host(bytes_of(at + 1))))
		return 0;
	return err_set(err, ERR_INPUT,
	    "must be an address such as dmarc@example.net");
}

static int
check_domain(const char *value, struct err *err)
{
	const char *p;

	for (p = value; is_host_char(*p) && (*p < 'A' || *p > 'Z'); p++)
		continue;
	if (*p == '\0' && p != value && value[0] != '.')
		return 0;
	return err_set(err, ERR_INPUT,
	    "must be a domain in lower case such as example.net");
}

/* Hosts are addresses: see endpoint.h. */
static int
check_endpoint(const char *value, struct err *err)
{
	struct endpoint endpoint;

	return endpoint_parse(value, &endpoint, err);
}

/* As libmilter writes it: the port comes first. */
static int
check_milter_listen(const char *value, struct err *err)
{
	if (starts_with(value, "unix:/") || starts_with(value, "local:/") ||
	    (starts_with(value, "inet") && strchr(value, '@') != NULL))
		return check_endpoint(value, err);
	return err_set(err, ERR_INPUT,
	    "must be inet:PORT@HOST, inet6:PORT@HOST or unix:/PATH");
}

static int
check_socketmap_listen(const char *value, struct err *err)
{
	if (starts_with(value, "unix:/") ||
	    (starts_with(value, "inet:") && is_host_port(value + 5)))
		return check_endpoint(value, err);
	return err_set(err, ERR_INPUT, "must be inet:HOST:PORT or unix:/PATH");
}

/* As of Postfix: each character may stand between user and extension. */
static int
check_delimiter(const char *value, struct err *err)
{
	for (; *value != '\0'; value++)
		if (ascii_is_alnum(*value) || *value == '@' || *value == '.' ||
		    *value <= ' ' || *value >= 0x7f)
			return err_set(err, ERR_INPUT,
			    "must be characters such as + or -");
	return 0;
}

static int
check_dns_server(const char *value, struct err *err)
{
	const char *at = strchr(value, '@');
	size_t len = at != NULL ? (size_t)(at - value) : strlen(value);
	struct ip ip;

	if (ip_parse((struct bytes){ value, len }, &ip) < 0 ||
	    (at != NULL && !is_port(bytes_of(at + 1))))
		return err_set(err, ERR_INPUT,
		    "must be ADDRESS or ADDRESS@PORT");
	return 0;
}

static int
check_redis(const char *value, struct err *err)
{
	static const char *const prefixes[] = { "unix:/", "redis://",
		"rediss://", "sentinel:", "cluster:" };
	size_t i;

	if (value[0] == '\0' || strcmp(value, "none") == 0)
		return 0;
	for (i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
		if (starts_with(value, prefixes[i]) &&
		    value[strlen(prefixes[i])] != '\0')
			return 0;
	if (is_host_port(value))
		return 0;
	return err_set(err, ERR_INPUT,
	    "must be none, unix:/PATH, HOST:PORT, redis://HOST:PORT/, "
	    "sentinel:NAME@HOST:PORT,... or cluster:HOST:PORT,...");
}

static int
check_web_url(const char *value, struct err *err)
{
	if (value[0] == '\0' ||
	    (starts_with(value, "http://") && is_host_char(value[7])) ||
	    (starts_with(value, "https://") && is_host_char(value[8])))
		return 0;
	return err_set(err, ERR_INPUT,
	    "must start with http:// or https:// and a host");
}

/* A name of the database, or a rule of POSIX ("JST-9").  The C library takes
 * UTC for what it does not know, and says nothing. */
static int
check_time_zone(const char *value, struct err *err)
{
	char *path;
	bool known;

	if (value[0] == '\0')
		return 0;
	if (value[strspn(value, ZONE_CHARS)] != '\0' || value[0] == '/' ||
	    strstr(value, "..") != NULL)
		return err_set(err, ERR_INPUT,
		    "must be a name such as Asia/Tokyo");
	path = xprintf(ZONE_DIRECTORY "/%s", value);
	known = access(path, R_OK) == 0;
	free(path);
	/* A rule has its dates behind commas, and times of them behind '/'. */
	if (known ||
	    (strpbrk(value, "0123456789") != NULL &&
		(strchr(value, '/') == NULL || strchr(value, ',') != NULL)))
		return 0;
	return err_set(err, ERR_INPUT,
	    "is not in " ZONE_DIRECTORY " (package tzdata); a rule such as "
	    "JST-9 needs no file");
}

/* Rows by the kind of bounds they have. */
#define PLAIN(field, kind, preset_, apply_, section_, help_)                   \
	{                                                                      \
		.name = #field, .type = (kind),                                \
		.offset = offsetof(struct conf, field), .preset = (preset_),   \
		.apply = (apply_), .section = (section_), .help = (help_),     \
	}
#define RANGE(field, kind, preset_, least_, most_, apply_, section_, help_)    \
	{                                                                      \
		.name = #field, .type = (kind),                                \
		.offset = offsetof(struct conf, field), .preset = (preset_),   \
		.least = (least_), .most = (most_), .apply = (apply_),         \
		.section = (section_), .help = (help_),                        \
	}
#define WORDS(field, words_, preset_, apply_, section_, help_)                 \
	{                                                                      \
		.name = #field, .type = OPT_WORD,                              \
		.offset = offsetof(struct conf, field), .preset = (preset_),   \
		.words = (words_), .apply = (apply_), .section = (section_),   \
		.help = (help_),                                               \
	}
#define CHECKED(field, kind, preset_, check_, apply_, section_, help_)         \
	{                                                                      \
		.name = #field, .type = (kind),                                \
		.offset = offsetof(struct conf, field), .preset = (preset_),   \
		.check = (check_), .apply = (apply_), .section = (section_),   \
		.help = (help_),                                               \
	}

#define SECTION_GENERAL "General"
#define SECTION_SIGNING "Signing"
#define SECTION_MILTER "The milter"
#define SECTION_SOCKETMAP "Answers for Postfix"
#define SECTION_DNS "DNS"
#define SECTION_STORE "The store"
#define SECTION_QUARANTINE "Quarantine and events"
#define SECTION_RELEASE "Release"
#define SECTION_REPORTS "Reports"
#define SECTION_WEB "The web program"

/* clang-format off */
const struct option conf_options[] = {
	WORDS(mode, mode_words, "enforce", APPLY_AT_ONCE, SECTION_GENERAL,
	    "Whether verdicts are carried out.  In observe mode mail is "
	    "judged, marked in its headers and recorded, but none is held, "
	    "refused or changed otherwise: for trying Sekimori out."),
	CHECKED(authserv_id, OPT_STRING, "", check_authserv_id, APPLY_AT_ONCE,
	    SECTION_GENERAL,
	    "The name under which results are written into "
	    "Authentication-Results; incoming headers that bear it are "
	    "removed.  Empty: the name the MTA gives as macro {j}, else the "
	    "name of this host."),
	CHECKED(networks, OPT_LIST, "127.0.0.0/8, ::1", check_network,
	    APPLY_AT_ONCE, SECTION_GENERAL,
	    "Clients of ours: mail from these addresses is outbound, and its "
	    "sender is not authenticated."),
	CHECKED(upstream, OPT_LIST, "", check_network, APPLY_AT_ONCE,
	    SECTION_GENERAL,
	    "Gateways that stand before us, such as a cloud filter: all "
	    "addresses that mail passes there, those inside of it included.  "
	    "The true client is then the first one outside that their "
	    "Received headers name."),
	WORDS(upstream_trust, upstream_words, "received", APPLY_AT_ONCE,
	    SECTION_GENERAL,
	    "received: authenticate the sender by the true client, as "
	    "Received names it; where it cannot be read, no client is known "
	    "and SPF says nothing.  skip: leave it to the upstream, whose "
	    "mail is not authenticated again."),
	WORDS(unlisted_domains, unlisted_words, "pass", APPLY_AT_ONCE,
	    SECTION_GENERAL,
	    "Mail from strangers to domains that the directory does not "
	    "list: pass leaves it to the MTA untouched, check judges it under "
	    "the system's policy."),
	CHECKED(user, OPT_STRING, "sekimori", check_user, APPLY_AT_START,
	    SECTION_GENERAL,
	    "The user that the programs become when they are started as "
	    "root."),
	CHECKED(state_dir, OPT_STRING, SEKIMORI_STATEDIR, check_path,
	    APPLY_AT_START, SECTION_GENERAL,
	    "Where the history, spooled events and the private Redis keep "
	    "their files."),
	CHECKED(run_dir, OPT_STRING, SEKIMORI_RUNDIR, check_path,
	    APPLY_AT_START, SECTION_GENERAL,
	    "Where sockets and process ids are kept; may be emptied at every "
	    "start of the machine."),
	WORDS(log_target, log_target_words, "stderr", APPLY_AT_START,
	    SECTION_GENERAL,
	    "Where log lines go.  Under systemd the journal takes what is "
	    "written to stderr."),
	WORDS(log_level, log_level_words, "info", APPLY_AT_ONCE,
	    SECTION_GENERAL,
	    "How much is logged; each level includes those before it."),

	CHECKED(dkim_dir, OPT_STRING, SEKIMORI_CONFDIR "/dkim", check_path,
	    APPLY_AT_START, SECTION_SIGNING,
	    "Where the private keys for DKIM and ARC lie, a directory for "
	    "each domain; see sekimori dkim.  Mail from our networks and our "
	    "authenticated users is signed when the domain of its From has "
	    "a key."),
	WORDS(dkim_login, dkim_login_words, "match", APPLY_AT_ONCE,
	    SECTION_SIGNING,
	    "For which From a user who has signed in gets a signature.  "
	    "match: one who is known as ann@example.net for From addresses "
	    "of example.net only; a name without a domain, and clients of "
	    "our networks that do not sign in, for every domain with a key.  "
	    "any: everybody for every domain with a key."),
	CHECKED(arc_domain, OPT_STRING, "", check_domain_or_none,
	    APPLY_AT_ONCE, SECTION_SIGNING,
	    "The domain in whose name mail that passes is sealed (ARC), where "
	    "the policy arc_seal wants it; its key lies in dkim_dir.  Empty: "
	    "nothing is sealed."),

	CHECKED(milter_listen, OPT_STRING, "inet:8895@127.0.0.1",
	    check_milter_listen, APPLY_AT_START, SECTION_MILTER,
	    "Where the MTA reaches the milter.  Debian's Postfix runs in a "
	    "chroot and cannot see a socket under /run; use TCP there, or a "
	    "socket inside its queue directory."),
	RANGE(milter_socket_mode, OPT_MODE, "0660", "0600", "0666",
	    APPLY_AT_START, SECTION_MILTER,
	    "Permissions of the milter's unix socket."),
	RANGE(connections_max, OPT_NUMBER, "1000", "1", "20000",
	    APPLY_AT_ONCE, SECTION_MILTER,
	    "SMTP sessions served at once.  Recipients of sessions beyond "
	    "it are deferred with 451."),
	RANGE(waits_max, OPT_NUMBER, "500", "1", "5000", APPLY_AT_ONCE,
	    SECTION_MILTER,
	    "Messages that may wait for DNS at their end at once.  Beyond "
	    "it, what is missing counts as a temporary error."),
	RANGE(drain_timeout, OPT_SECONDS, "60s", "1s", "1h", APPLY_AT_ONCE,
	    SECTION_MILTER,
	    "When told to stop, how long to go on with messages that already "
	    "have an accepted recipient."),
	RANGE(message_memory, OPT_SIZE, "256k", "16k", "64M", APPLY_AT_ONCE,
	    SECTION_MILTER,
	    "How much of a message's body is kept in memory; what is longer "
	    "goes to an unlinked file in state_dir."),
	RANGE(header_max, OPT_SIZE, "1M", "64k", "16M", APPLY_AT_ONCE,
	    SECTION_MILTER,
	    "All header fields of a message together; mail with more is "
	    "refused."),
	RANGE(header_count_max, OPT_NUMBER, "2000", "100", "10000",
	    APPLY_AT_ONCE, SECTION_MILTER,
	    "Header fields of a message; mail with more is refused."),
	RANGE(recipients_max, OPT_NUMBER, "1000", "100", "50000",
	    APPLY_AT_ONCE, SECTION_MILTER,
	    "Recipients of a message; those beyond it are deferred with 452, "
	    "and the sender tries them again in another transaction."),

	CHECKED(socketmap_listen, OPT_STRING, "inet:127.0.0.1:8896",
	    check_socketmap_listen, APPLY_AT_START, SECTION_SOCKETMAP,
	    "Where Postfix asks for relay domains, transports, recipients "
	    "and aliases."),
	CHECKED(recipient_delimiter, OPT_STRING, "+", check_delimiter,
	    APPLY_AT_ONCE, SECTION_SOCKETMAP,
	    "Characters that separate a user from an address extension: "
	    "with +, user+tag is user.  Give what Postfix has; empty: none."),

	CHECKED(dns_servers, OPT_LIST, "", check_dns_server, APPLY_AT_START,
	    SECTION_DNS,
	    "Name servers to ask, as ADDRESS or ADDRESS@PORT.  Empty: those "
	    "of /etc/resolv.conf.  Block lists refuse public resolvers, so a "
	    "resolver of your own is advised."),
	CHECKED(dns_zone, OPT_STRING, "", check_path_or_none, APPLY_AT_START,
	    SECTION_DNS,
	    "A zone file that answers everything instead of the DNS, for "
	    "tests only."),
	CHECKED(dns_trust_anchor, OPT_STRING, "", check_path_or_none,
	    APPLY_AT_START, SECTION_DNS,
	    "File with the DNSSEC root key, such as /usr/share/dns/root.key.  "
	    "When given, answers are validated; empty: they are not."),
	RANGE(dns_timeout, OPT_SECONDS, "5s", "1s", "30s", APPLY_AT_START,
	    SECTION_DNS,
	    "How long to wait for one DNS answer, which is also how long the "
	    "end of a message waits for all of them."),
	RANGE(dns_cache_max, OPT_NUMBER, "100000", "1000", "10000000",
	    APPLY_AT_START, SECTION_DNS,
	    "DNS answers kept in memory for as long as they are valid."),

	CHECKED(redis, OPT_STRING, "", check_redis, APPLY_AT_START,
	    SECTION_STORE,
	    "The Redis that keeps settings and held mail: unix:/PATH, "
	    "HOST:PORT, redis://HOST:PORT/, sentinel:NAME@HOST:PORT,... or "
	    "cluster:HOST:PORT,...  Empty: the private one that sekimori up "
	    "starts.  none: no store at all, in observe mode only."),
	PLAIN(redis_password, OPT_SECRET, "", APPLY_AT_START, SECTION_STORE,
	    "The password of Redis; empty: none is given.  The file should "
	    "then be readable by root and the user only."),
	RANGE(redis_timeout_ms, OPT_NUMBER, "2000", "50", "60000",
	    APPLY_AT_START, SECTION_STORE,
	    "Milliseconds to wait for Redis, for each connection and each "
	    "command."),
	PLAIN(durability_required, OPT_BOOL, "yes", APPLY_AT_START,
	    SECTION_STORE,
	    "Hold mail only when Redis keeps what it has acknowledged even "
	    "when it crashes (appendonly, appendfsync always, noeviction); "
	    "otherwise such mail is deferred.  no: hold it all the same and "
	    "accept that it may be lost."),

	RANGE(hold_message_max, OPT_SIZE, "64M", "1M", "512M", APPLY_AT_START,
	    SECTION_QUARANTINE,
	    "The largest message that is held.  One that is larger and would "
	    "be held is refused with 552."),
	RANGE(hold_domain_max, OPT_SIZE, "2G", "1M", "1024G", APPLY_AT_START,
	    SECTION_QUARANTINE,
	    "How much may be held for one domain; beyond it, mail that would "
	    "be held is deferred, or refused if the domain's policy says so."),
	RANGE(hold_memory_percent, OPT_PERCENT, "60", "5", "90",
	    APPLY_AT_START, SECTION_QUARANTINE,
	    "How much of Redis's maxmemory all held mail may take, in "
	    "percent."),
	RANGE(spool_max, OPT_SIZE, "1G", "1M", "1024G", APPLY_AT_START,
	    SECTION_QUARANTINE,
	    "How many events are kept in state_dir while Redis is away.  "
	    "When it is full, mail is still judged, but its events are lost "
	    "and counted."),

	CHECKED(release_listener, OPT_STRING, "127.0.0.1:10026",
	    check_host_port, APPLY_AT_START, SECTION_RELEASE,
	    "The SMTP server that takes released mail: a Postfix smtpd of its "
	    "own, without milters."),
	RANGE(release_timeout, OPT_SECONDS, "30s", "5s", "10m", APPLY_AT_START,
	    SECTION_RELEASE,
	    "How long to wait for each answer of that server; for the one "
	    "that accepts the message, ten times as long."),
	CHECKED(release_networks, OPT_LIST, "127.0.0.0/8, ::1",
	    check_network, APPLY_AT_ONCE, SECTION_RELEASE,
	    "Clients from which released mail may come back through the "
	    "milter, known by its signed header."),

	PLAIN(dmarc_reports, OPT_BOOL, "no", APPLY_AT_START, SECTION_REPORTS,
	    "Send a DMARC aggregate report (RFC 9990) of each day to the "
	    "domains that ask for one: how mail in their name fared here.  "
	    "They see which servers sent it, and nothing of contents or "
	    "recipients.  report_from must be set, and its domain must pass "
	    "DMARC here: have a DKIM key, or an SPF record that names the "
	    "server that sends."),
	PLAIN(dmarc_failure_reports, OPT_BOOL, "no", APPLY_AT_START,
	    SECTION_REPORTS,
	    "Send DMARC failure reports (RFC 9991) to the domains that ask for "
	    "them (ruf=): for single mails in their name that failed, who "
	    "sent them and parts of their header.  That is other people's "
	    "mail, and may be personal data: know what your law and your "
	    "users say before you turn it on.  Local parts of addresses are "
	    "replaced by keyed hashes, but for those of the domain that gets "
	    "the report; nothing of a body is sent.  The milter and "
	    "sekimori-web both read this; needs report_from."),
	PLAIN(dmarc_failure_headers, OPT_BOOL, "yes", APPLY_AT_START,
	    SECTION_REPORTS,
	    "Send the redacted header with a failure report; no: of it only "
	    "Date, From and Message-ID."),
	RANGE(dmarc_failure_per_hour, OPT_NUMBER, "30", "1", "10000",
	    APPLY_AT_START, SECTION_REPORTS,
	    "At most so many failure reports an hour, to all together.  "
	    "Further ones are counted and not sent."),
	RANGE(dmarc_failure_per_day, OPT_NUMBER, "200", "1", "100000",
	    APPLY_AT_START, SECTION_REPORTS,
	    "The same within 24 hours."),
	RANGE(dmarc_failure_to_one, OPT_NUMBER, "20", "1", "100000",
	    APPLY_AT_START, SECTION_REPORTS,
	    "At most so many failure reports to one address within 24 hours."),
	CHECKED(report_from, OPT_STRING, "", check_mail_address_or_none,
	    APPLY_AT_START, SECTION_REPORTS,
	    "The address that reports come from, and that their readers may "
	    "write to.  Failures come back to it, too."),
	PLAIN(report_organization, OPT_STRING, "", APPLY_AT_START,
	    SECTION_REPORTS,
	    "The name of this organization in reports.  Empty: the domain of "
	    "report_from."),
	CHECKED(report_relay, OPT_STRING, "", check_host_port_or_none,
	    APPLY_AT_START, SECTION_REPORTS,
	    "The SMTP server that takes our reports.  Empty: "
	    "release_listener."),
	RANGE(report_rate, OPT_NUMBER, "30", "1", "6000", APPLY_AT_START,
	    SECTION_REPORTS, "At most so many reports a minute."),
	CHECKED(report_skip, OPT_LIST, "", check_domain, APPLY_AT_START,
	    SECTION_REPORTS,
	    "Domains, with all below them, that get no reports."),
	CHECKED(reports_address, OPT_STRING, "", check_mail_address_or_none,
	    APPLY_AT_START, SECTION_REPORTS,
	    "The mailbox of ours that others send their reports to, as our "
	    "DMARC and TLS records say.  Its mail must be held: sekimori-web "
	    "reads it there and keeps what the reports say.  See sekimori "
	    "report."),

	RANGE(history_days, OPT_NUMBER, "365", "1", "3650", APPLY_AT_ONCE,
	    SECTION_WEB,
	    "Days for which it can be looked up what became of a mail."),
	CHECKED(web_listen, OPT_LIST, "127.0.0.1:8897", check_endpoint,
	    APPLY_AT_START, SECTION_WEB,
	    "Where the web program listens: ADDRESS:PORT or unix:/PATH, one "
	    "or several.  Whoever reaches a unix socket counts as a proxy "
	    "that is trusted."),
	CHECKED(web_url, OPT_STRING, "", check_web_url, APPLY_AT_START,
	    SECTION_WEB,
	    "The address under which people reach the web program, as "
	    "written into links.  When given, requests for another name are "
	    "refused, and with https:// cookies are for https alone.  "
	    "Empty: http:// and web_listen."),
	CHECKED(time_zone, OPT_STRING, "", check_time_zone, APPLY_AT_START,
	    SECTION_WEB,
	    "The time zone of pages, such as Asia/Tokyo.  Empty: that of "
	    "the system."),
	CHECKED(trusted_proxies, OPT_LIST, "", check_network, APPLY_AT_START,
	    SECTION_WEB,
	    "Reverse proxies before the web program: from them the client "
	    "is the last address in X-Forwarded-For that is none of them."),
	CHECKED(web_watchers, OPT_LIST, "127.0.0.0/8, ::1", check_network,
	    APPLY_AT_START, SECTION_WEB,
	    "Clients that may read /metrics and /readyz, which need no "
	    "sign-in; to others they are not there."),
	CHECKED(web_tls_cert, OPT_STRING, "", check_path_or_none,
	    APPLY_AT_START, SECTION_WEB,
	    "File with the certificate and its chain, in PEM: the web "
	    "program then speaks HTTPS.  Empty: plain HTTP, for loopback and "
	    "behind a proxy.  A renewed file is read on SIGHUP."),
	CHECKED(web_tls_key, OPT_STRING, "", check_path_or_none,
	    APPLY_AT_START, SECTION_WEB,
	    "File with the key of that certificate, in PEM.  The user of the "
	    "programs must be able to read both files."),
	RANGE(web_connections_max, OPT_NUMBER, "1000", "10", "10000",
	    APPLY_AT_START, SECTION_WEB,
	    "Connections to each address of web_listen at once."),
	RANGE(web_connections_per_client, OPT_NUMBER, "50", "2", "10000",
	    APPLY_AT_START, SECTION_WEB,
	    "Connections, and requests through a proxy, of one client at "
	    "once (of one /64 with IPv6).  Others are turned away."),
	RANGE(web_upload_max, OPT_SIZE, "36M", "1M", "128M", APPLY_AT_START,
	    SECTION_WEB,
	    "The largest request with a file or JSON in it; other forms have "
	    "at most 1M."),
	RANGE(web_timeout, OPT_SECONDS, "30s", "2s", "10m", APPLY_AT_START,
	    SECTION_WEB,
	    "How long a client may take for the header of a request, for its "
	    "body, and for taking the answer; for large ones longer by the "
	    "time that 64 kB/s take."),
};
/* clang-format on */

const size_t conf_option_count = sizeof(conf_options) / sizeof(conf_options[0]);
