/*
 * signing.c - our own signatures on mail of our users, and seals on mail
 * that passes.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "mail/address.h"
#include "mail/from.h"
#include "mail/message.h"
#include "policy/arc_seal.h"
#include "policy/auth_dkim_sign.h"
#include "policy/scan.h"
#include "policy/signature_write.h"

#include "milter/daemon.h"
#include "milter/session.h"
#include "milter/signing.h"

/* ---- what may be signed ---- */

/* The domain of the one From, "" where there is none to sign for. */
static const char *
author_domain(const struct transaction *tx)
{
	const struct header *header = &tx->message->header;
	struct from_list *list;
	struct err err;

	if (header_count_named(header, "From") != 1)
		return "";
	list = arena_alloc(tx->arena, sizeof(*list));
	if (from_parse(tx->arena, header_find(header, "From", 0)->value, list,
		&err) < 0 ||
	    list->count == 0)
		return "";
	return list->addresses[0].domain;
}

static bool
wants_seal(const struct transaction *tx)
{
	size_t i;

	for (i = 0; i < tx->mailbox_count; i++)
		if (tx->mailboxes[i].ours &&
		    settings_policy(tx->settings, tx->mailboxes[i].mailbox)
			    ->arc_seal != ARC_SEAL_NEVER)
			return true;
	return false;
}

/*
 * May who has signed in send for this domain?  A login with a domain is one
 * of many customers' users, who must not sign for each other; one without
 * is a user of the house.
 */
static bool
login_may_sign(const struct transaction *tx, const char *domain)
{
	const char *login = tx->envelope.client.auth;
	struct address address;

	if (tx->setup->conf->dkim_login == DKIM_LOGIN_ANY ||
	    strchr(login, '@') == NULL)
		return true;
	return address_parse(tx->arena, bytes_of(login), &address, NULL) == 0 &&
	    strcmp(address.domain, domain) == 0;
}

static void
log_not_signed(const struct transaction *tx, const char *domain)
{
	struct log_line line;

	log_line_init(&line, LOG_LEVEL_INFO, tx->id.text);
	log_field(&line, "not_signed", "the login is of another domain");
	log_field(&line, "login", tx->envelope.client.auth);
	log_field(&line, "domain", domain);
	log_line_end(&line);
}

/* In whose name?  "": nothing is to be signed. */
static const char *
choose_domain(const struct transaction *tx)
{
	const char *arc_domain = tx->setup->conf->arc_domain;

	if (tx->message->limit != NULL)
		return "";
	if (tx->client_is_ours)
		return author_domain(tx);
	if (arc_domain[0] == '\0' || !tx->scan->inbound_checks ||
	    !wants_seal(tx))
		return "";
	return arc_domain;
}

void
signing_begin(struct transaction *tx)
{
	const char *domain = choose_domain(tx);
	struct keyring_set *keys;

	if (domain[0] == '\0')
		return;
	keys = keyring_get(tx->session->daemon->keyring, domain);
	if (keys == NULL)
		return;
	if (tx->client_is_ours && !login_may_sign(tx, domain)) {
		log_not_signed(tx, domain);
		keyring_set_unref(keys);
		return;
	}
	tx->signing.keys = keys;
	tx->signing.domain = domain;
	tx->signing.body = signature_want_body(body_hash_of(tx->scan));
}

void
signing_fini(struct transaction *tx)
{
	keyring_set_unref(tx->signing.keys);
	tx->signing.keys = NULL;
}

bool
signing_is_due(const struct transaction *tx, const struct plan_mailbox *m,
    bool tagged)
{
	if (tx->signing.keys == NULL)
		return false;
	if (tx->client_is_ours)
		return true;
	if (!m->ours || m->verdict->policy == NULL)
		return false;
	switch (m->verdict->policy->arc_seal) {
	case ARC_SEAL_ALWAYS:
		return true;
	case ARC_SEAL_CHANGED:
		return tagged;
	default:
		return false;
	}
}

/* ---- making them ---- */

static void
log_failure(const struct transaction *tx, const char *what, const char *reason)
{
	struct log_line line;

	log_line_init(&line, LOG_LEVEL_WARN, tx->id.text);
	log_field(&line, "error", what);
	log_field(&line, "domain", tx->signing.domain);
	log_field(&line, "reason", reason);
	log_line_end(&line);
}

static void
set_field(struct own_field *field, const char *name, const char *value)
{
	/* Theirs begins with the space, ours without. */
	*field = (struct own_field){ name, value + 1 };
}

static size_t
sign(struct transaction *tx, const struct header *header, int64_t now_s,
    struct own_field *fields)
{
	const struct keyring_set *keys = tx->signing.keys;
	struct auth_dkim_identity identity = { .domain = tx->signing.domain };
	const char *value;
	struct err err;
	size_t i, n = 0;

	for (i = 0; i < keys->count; i++) {
		identity.selector = keys->keys[i].selector;
		identity.key = keys->keys[i].key;
		value = auth_dkim_sign(tx->arena, &identity, header,
		    tx->signing.body, now_s, &err);
		if (value != NULL)
			set_field(&fields[n++], "DKIM-Signature", value);
		else
			log_failure(tx, "the message could not be signed",
			    err.text);
	}
	return n;
}

/* Few can verify Ed25519 yet, and a seal has one signature only. */
static const struct keyring_key *
sealing_key(const struct keyring_set *keys)
{
	size_t i;

	for (i = 0; i < keys->count; i++)
		if (strcmp(signing_key_algorithm(keys->keys[i].key),
			"rsa-sha256") == 0)
			return &keys->keys[i];
	return &keys->keys[0];
}

static size_t
seal(struct transaction *tx, const struct header *header, int64_t now_s,
    const char *results, struct own_field *fields)
{
	const struct keyring_key *key = sealing_key(tx->signing.keys);
	const struct arc_seal_request request = {
		.header = header,
		.body = tx->signing.body,
		.arc = &tx->scan->auth.arc,
		.results = results,
		.domain = tx->signing.domain,
		.selector = key->selector,
		.key = key->key,
		.now_s = now_s,
	};
	struct arc_sealed sealed;
	struct err err;

	switch (arc_seal(tx->arena, &request, &sealed, &err)) {
	case 1:
		set_field(&fields[0], "ARC-Seal", sealed.seal);
		set_field(&fields[1], "ARC-Message-Signature",
		    sealed.message_signature);
		set_field(&fields[2], "ARC-Authentication-Results",
		    sealed.results);
		return 3;
	case 0:
		return 0;
	default:
		log_failure(tx, "the message could not be sealed", err.text);
		return 0;
	}
}

size_t
signing_fields(struct transaction *tx, const struct edit_list *edits,
    const char *results, struct own_field fields[SIGNING_FIELDS_MAX])
{
	int64_t now_s = clock_wall_ms() / 1000;
	const struct header *header;

	if (tx->signing.keys == NULL ||
	    (!tx->client_is_ours && results == NULL))
		return 0;
	header = edits_apply(edits, &tx->message->header,
	    tx->session->leading_space);
	if (tx->client_is_ours)
		return sign(tx, header, now_s, fields);
	return seal(tx, header, now_s, results, fields);
}
