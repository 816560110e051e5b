/*
 * report_mailbox.c - reads the reports that are mailed to reports_address.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "mail/address.h"
#include "policy/report_message.h"
#include "policy/settings.h"
#include "quarantine/quarantine.h"
#include "quarantine/reports.h"
#include "webui/api.h"
#include "webui/report_mailbox.h"

#define PAGE 100
/* Mails looked at in one call; those behind wait for the next. */
#define ROUND_MAX 1000
#define ACTOR "system"
/* Of a mail, with its transfer encoding. */
#define MAIL_MAX (2 * UNPACK_IN_MAX)

struct mailbox {
	struct api *api;
	struct reports *reports;
	struct arena *arena;
	struct address address;
	struct settings *settings;
	int read;
};

/* A mail, and who sent it. */
struct letter {
	struct mailbox *mailbox;
	const char *id;
	const char *actor; /* "mail:SENDER" */
};

/* ---- whose reports we want ---- */

/* A domain of ours, or one above or below one. */
static bool
is_ours(const struct settings *settings, const char *domain)
{
	size_t i, n = settings_domain_count(settings);
	const char *ours;

	for (i = 0; i < n; i++) {
		ours = settings_domain_at(settings, i);
		if (domain_is_within(domain, ours) ||
		    domain_is_within(ours, domain))
			return true;
	}
	return false;
}

static const char *
stranger_in(const struct settings *settings, const struct report_file *file)
{
	size_t i;

	if (file->dmarc != NULL)
		return is_ours(settings, file->dmarc->domain)
		    ? NULL
		    : file->dmarc->domain;
	for (i = 0; i < file->tls->policy_count; i++)
		if (!is_ours(settings, file->tls->policies[i].domain))
			return file->tls->policies[i].domain;
	return NULL;
}

static int
take_report(void *context, const struct report_file *file, struct err *err)
{
	const struct letter *letter = context;
	const struct mailbox *mailbox = letter->mailbox;
	const char *stranger = stranger_in(mailbox->settings, file);
	unsigned added;

	if (stranger != NULL)
		return err_set(err, ERR_INPUT,
		    "it is about %s, which is not ours", stranger);
	return reports_add(mailbox->reports, file, letter->actor, &added, err);
}

/* ---- one mail ---- */

static int
append_piece(void *context, struct bytes piece, struct err *err)
{
	if (buf_append_bytes(context, piece) == 0)
		return 0;
	return err_set(err, ERR_LIMIT, "the mail is larger than %lu MB",
	    MAIL_MAX / (1024 * 1024));
}

/* Anybody can write to us; reports must pass DMARC (RFC 9990). */
static int
check_sender(const json_t *entry, struct err *err)
{
	const json_t *record = json_object_get(entry, "record");
	const json_t *dmarc =
	    json_object_get(json_object_get(record, "results"), "dmarc");
	const char *result =
	    json_string_value(json_object_get(dmarc, "result"));

	if (result != NULL && strcmp(result, "fail") == 0)
		return err_set(err, ERR_INPUT, "the mail fails DMARC");
	return 0;
}

static int
read_letter(struct letter *letter, const json_t *entry, struct err *err)
{
	struct mailbox *mailbox = letter->mailbox;
	struct buf raw;
	int rc;

	if (check_sender(entry, err) < 0)
		return -1;
	buf_init(&raw, MAIL_MAX);
	rc = quarantine_read(mailbox->api->quarantine, letter->id, append_piece,
	    &raw, err);
	if (rc == 0)
		rc = report_message_read(buf_bytes(&raw), take_report, letter,
		    err);
	buf_free(&raw);
	return rc;
}

/* What is wrong with a mail stays wrong: it is noted, and not read again.
 * -1: what is away may be back later. */
static int
refuse_or_wait(struct mailbox *mailbox, const char *id, const struct err *why,
    struct err *err)
{
	if (why->kind != ERR_INPUT && why->kind != ERR_LIMIT) {
		if (err != NULL)
			*err = *why;
		return -1;
	}
	log_warn("reports_address: %s is not read: %s", id, why->text);
	return reports_mail_refuse(mailbox->reports, id, why->text, err);
}

static int
treat_letter(struct mailbox *mailbox, const char *id, const json_t *entry,
    struct err *err)
{
	const char *sender =
	    json_string_value(json_object_get(entry, "sender"));
	struct letter letter = { .mailbox = mailbox, .id = id };
	struct err why;

	letter.actor = arena_printf(mailbox->arena, "mail:%s",
	    sender != NULL ? sender : "");
	if (read_letter(&letter, entry, &why) < 0) {
		err_prefix(&why, "from %s", letter.actor + strlen("mail:"));
		return refuse_or_wait(mailbox, id, &why, err);
	}
	mailbox->read++;
	return quarantine_remove(mailbox->api->quarantine, id,
		   mailbox->address.domain, ACTOR, err) < 0
	    ? -1
	    : 0;
}

/* The list shows an entry in short; what is told of its checks is with the
 * entry itself. */
static int
treat_entry(struct mailbox *mailbox, const json_t *row, struct err *err)
{
	const char *id = json_string_value(json_object_get(row, "id"));
	json_t *entry = NULL;
	struct err why;
	int rc = reports_mail_is_refused(mailbox->reports, id, err);

	if (rc != 0)
		return rc < 0 ? -1 : 0;
	rc = quarantine_get(mailbox->api->quarantine, id,
	    mailbox->address.domain, &entry, &why);
	if (rc > 0)
		rc = treat_letter(mailbox, id, entry, err);
	else if (rc < 0)
		rc = refuse_or_wait(mailbox, id, &why, err);
	json_decref(entry);
	return rc < 0 ? -1 : 0;
}

/* ---- all of them ---- */

static int
treat_page(struct mailbox *mailbox, const json_t *rows,
    bool (*stop)(void *context), void *context, struct err *err)
{
	const json_t *row;
	size_t i;

	json_array_foreach(rows, i, row)
	{
		if (stop != NULL && stop(context))
			break;
		if (treat_entry(mailbox, row, err) < 0)
			return -1;
	}
	return 0;
}

static int
treat_all(struct mailbox *mailbox, bool (*stop)(void *context), void *context,
    struct err *err)
{
	const struct held_filter filter = { .domain = mailbox->address.domain,
		.mailbox = mailbox->address.key,
		.state = HELD_HELD,
		.with_hidden = true };
	const char *before = NULL, *next = NULL;
	size_t seen = 0;
	json_t *rows;
	int rc;

	do {
		rows = NULL;
		if (quarantine_list(mailbox->api->quarantine, mailbox->arena,
			&filter, before, PAGE, &rows, &next, err) < 0)
			return -1;
		seen += PAGE;
		rc = treat_page(mailbox, rows, stop, context, err);
		json_decref(rows);
		before = next;
	} while (rc == 0 && next != NULL && seen < ROUND_MAX &&
	    (stop == NULL || !stop(context)));
	return rc;
}

int
report_mailbox_read(struct api *api, struct reports *reports,
    bool (*stop)(void *context), void *context, struct err *err)
{
	struct mailbox mailbox = { .api = api,
		.reports = reports,
		.arena = arena_new(0) };
	int rc = -1;

	if (address_parse(mailbox.arena, bytes_of(api->conf->reports_address),
		&mailbox.address, err) == 0)
		mailbox.settings = settings_load(api->store, NULL, err);
	if (mailbox.settings != NULL)
		rc = treat_all(&mailbox, stop, context, err);
	settings_unref(mailbox.settings);
	arena_free(mailbox.arena);
	return rc < 0 ? -1 : mailbox.read;
}
