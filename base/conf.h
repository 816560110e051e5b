/*
 * conf.h - sekimori.conf: what the operator of the machine decides.
 *
 * Read by libconfuse, checked against the option table.  Policy of domains
 * and mailboxes is not here: it lives in the store (policy/settings.h).
 * A struct conf is immutable once loaded; a reload loads another one.
 * libconfuse's lexer is not reentrant: one thread reads a file at a time.
 *
 * Limits: a file of 1 MB.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BASE_CONF_H
#define BASE_CONF_H

#include "base/option.h"

enum conf_mode {
	MODE_ENFORCE,
	MODE_OBSERVE
};
enum conf_unlisted {
	UNLISTED_PASS,
	UNLISTED_CHECK
};
enum conf_upstream_trust {
	UPSTREAM_RECEIVED,
	UPSTREAM_SKIP
};
enum conf_dkim_login {
	DKIM_LOGIN_MATCH,
	DKIM_LOGIN_ANY
};
enum conf_log_target {
	CONF_LOG_STDERR,
	CONF_LOG_SYSLOG
};

struct conf {
	/* programs */
	char *user;
	char *state_dir;
	char *run_dir;
	int log_target;              /* enum conf_log_target */
	int log_level;               /* enum log_level */
	int mode;                    /* enum conf_mode */
	char *authserv_id;           /* "": macro {j}, else the host's name */
	struct option_list networks; /* ours: outbound */
	struct option_list
	    release_networks;        /* where X-Sekimori-Release counts */
	struct option_list upstream; /* gateways before us */
	int upstream_trust;          /* enum conf_upstream_trust */
	int unlisted_domains;        /* enum conf_unlisted */
	/* signing */
	char *dkim_dir;
	int dkim_login;   /* enum conf_dkim_login */
	char *arc_domain; /* "": nothing is sealed */
	/* milter */
	char *milter_listen; /* inet:8895@127.0.0.1, unix:/path */
	uint64_t milter_socket_mode;
	uint64_t connections_max;
	uint64_t waits_max;      /* ends of message waiting at once */
	uint64_t drain_timeout;  /* s */
	uint64_t message_memory; /* bytes of a message kept in memory */
	uint64_t header_max;     /* bytes of all headers */
	uint64_t header_count_max;
	uint64_t recipients_max;
	/* socketmap */
	char *socketmap_listen; /* inet:HOST:PORT, unix:/path */
	char *recipient_delimiter;
	/* DNS */
	struct option_list dns_servers;
	char *dns_zone;
	char *dns_trust_anchor; /* file; "": no DNSSEC validation */
	uint64_t dns_timeout;   /* s */
	uint64_t dns_cache_max; /* answers */
	/* store */
	char *redis; /* store_options.url; "": the private one; "none" */
	char *redis_password;
	uint64_t redis_timeout_ms;
	bool durability_required;
	/* quarantine */
	uint64_t hold_message_max;
	uint64_t hold_domain_max;
	uint64_t hold_memory_percent;
	uint64_t spool_max; /* of the event spool */
	/* release */
	char *release_listener;   /* HOST:PORT */
	uint64_t release_timeout; /* s */
	/* reports */
	bool dmarc_reports;
	bool dmarc_failure_reports;
	bool dmarc_failure_headers;      /* else Date, From, Message-ID */
	uint64_t dmarc_failure_per_hour; /* mails, to all addresses */
	uint64_t dmarc_failure_per_day;  /* mails, to all addresses */
	uint64_t dmarc_failure_to_one;   /* mails a day, to one address */
	char *report_from;               /* address; "": none can be sent */
	char *report_organization;       /* "": the domain of report_from */
	char *report_relay;              /* HOST:PORT; "": release_listener */
	uint64_t report_rate;            /* mails a minute */
	struct option_list report_skip;
	char *reports_address; /* mailbox that is read; "": none */
	/* history, web */
	uint64_t history_days;
	struct option_list web_listen; /* HOST:PORT, unix:/path */
	char *web_url;
	char *time_zone; /* of pages; "": that of the system */
	struct option_list trusted_proxies;
	struct option_list web_watchers; /* who may read /metrics, /readyz */
	char *web_tls_cert;              /* PEM files; "": plain HTTP */
	char *web_tls_key;
	uint64_t web_connections_max;
	uint64_t web_connections_per_client;
	uint64_t web_upload_max; /* bytes of a body with a file or JSON */
	uint64_t web_timeout;    /* s */
};

extern const struct option conf_options[];
extern const size_t conf_option_count;

#define CONF_DEFAULT_FILE SEKIMORI_CONFDIR "/sekimori.conf"

/*
 * file NULL: CONF_DEFAULT_FILE.  NULL with *err set: ERR_CONFIG with the
 * first error, "file:line: name: reason", and how many more there are.
 */
struct conf *conf_load(const char *file, struct err *err);
/* Appends every error of the file, a line each; returns how many. */
size_t conf_check(const char *file, struct buf *report);
/* All defaults, without a file. */
struct conf *conf_new(void);
void conf_free(struct conf *conf);

/* The commented sample: every option with help, range and default.  -1:
 * out is full. */
int conf_write_sample(struct buf *out);
/* The options of sekimori.conf(5), in mdoc. */
int conf_write_manual(struct buf *out);

#endif
