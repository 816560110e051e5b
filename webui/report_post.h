/*
 * report_post.h - how reports leave: who sends them, by which server, to
 * whom not, and how fast.  What they say is of no concern here.
 *
 * A struct report_post belongs to one thread.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef WEBUI_REPORT_POST_H
#define WEBUI_REPORT_POST_H

#include <stdbool.h>
#include <stdint.h>

#include "base/conf.h"
#include "policy/auth_dkim_sign.h"
#include "policy/keyring.h"
#include "policy/report_uri.h"
#include "quarantine/reports.h"

struct report_post {
	const struct conf *conf;
	const char *from;      /* report_from */
	const char *submitter; /* its domain */
	/* that sign; none: not signed */
	size_t identity_count;
	struct auth_dkim_identity identities[KEYRING_KEYS_MAX];
	/* private */
	char *host, *port;
	struct arena *arena;
	struct dns *dns;
	struct keyring_set *keys;
	struct smtp *smtp; /* kept over mails that went well */
	int64_t next_ms;   /* not before this time, by report_rate */
};

/* ERR_CONFIG when report_from is not set, or keys cannot be read.  conf:
 * borrowed. */
struct report_post *report_post_open(const struct conf *conf, struct err *err);
void report_post_close(struct report_post *post);

/* By report_skip: the domain of a policy or of an address. */
bool report_post_skips(const struct report_post *post, const char *domain);

/* How long the addresses of one report may keep it waiting for the DNS: slow
 * name servers of one domain are not to hold up the reports of others. */
#define REPORT_CONSENT_MS 20000

/* Waits for the DNS until then (monotonic); CONSENT_UNKNOWN also when it did
 * not answer.  What is found lives in the arena. */
enum report_consent report_post_consent(struct report_post *post,
    struct arena *arena, const char *policy_domain, enum report_tag tag,
    int64_t until_ms, struct report_uri *uri);

/* By report_rate: how long until the next mail may go. */
int64_t report_post_delay_ms(const struct report_post *post);

/* Is there a server that would take a mail?  Leaves the connection open. */
int report_post_connect(struct report_post *post, struct err *err);
void report_post_hang_up(struct report_post *post);

/* What became of a mail for one address. */
struct report_delivery {
	const char *address;
	/* out; REPORT_SENDING: whether it was taken is not known */
	enum report_state state;
	struct buf detail; /* initialized; the answer, or why there is none */
};

/* One mail for all of them, now. */
void report_post_send(struct report_post *post, size_t n,
    struct report_delivery *deliveries, struct buf *mail);

/* Those that are not go in a mail of their own: it needs SMTPUTF8, which
 * the server may not offer. */
bool report_post_is_ascii(const char *address);

#endif
