/*
 * scan.c - sekimori scan: judges mails from files, and says why.
 *
 * The same checks and the same policy as in the milter, without one: the
 * envelope is given on the command line.  Nothing is written anywhere.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/conf.h"
#include "base/dns_conf.h"
#include "base/file.h"
#include "base/store.h"
#include "base/store_conf.h"
#include "base/ulid.h"
#include "mail/charset.h"
#include "mail/message.h"
#include "mail/received.h"
#include "policy/auth_dkim_witness.h"
#include "policy/verdict.h"

#include "cli/commands.h"
#include "cli/show.h"

#define FILES_MAX 100000
#define FILE_MAX_BYTES (1024UL * 1024 * 1024)
#define RESULTS_MAX 65536
#define TIMEOUT_SLACK_MS 1000
#define AUTHSERV_DEFAULT "localhost"

/* What is the same for all files. */
struct judge {
	struct cli *cli;
	const struct cli_args *args;
	struct conf *conf;
	struct charset_set *charsets;
	struct dns *dns;
	struct store *store;
	struct settings *settings;
	const char *authserv_id;
	struct envelope envelope;
	bool client_is_ours;
	json_t *mails; /* for --json */
};

/* ---- opening ---- */

static int
open_conf(struct judge *judge, struct err *err)
{
	const char *file = judge->cli->config;

	/* Where nothing is installed, the defaults will do. */
	if (file == NULL && access(CONF_DEFAULT_FILE, F_OK) < 0)
		judge->conf = conf_new();
	else
		judge->conf = conf_load(file, err);
	return judge->conf != NULL ? 0 : -1;
}

static int
open_dns(struct judge *judge, struct err *err)
{
	judge->dns = dns_conf_open(judge->conf,
	    cli_option(judge->args, "dns-zone"), err);
	return judge->dns != NULL ? 0 : -1;
}

static int
open_settings(struct judge *judge, struct err *err)
{
	const struct conf *conf = judge->conf;

	if (cli_flag(judge->args, "defaults") || store_conf_is_none(conf)) {
		judge->settings = settings_new_empty();
		return 0;
	}
	judge->store = store_conf_open(conf, err);
	if (judge->store != NULL)
		judge->settings = settings_load(judge->store, NULL, err);
	if (judge->settings != NULL)
		return 0;
	return err_prefix(err,
	    "the settings cannot be read (--defaults judges without them)");
}

static int
judge_open(struct judge *judge, struct err *err)
{
	if (open_conf(judge, err) < 0)
		return -1;
	judge->charsets = charset_open(err);
	if (judge->charsets == NULL || open_dns(judge, err) < 0 ||
	    open_settings(judge, err) < 0)
		return -1;
	judge->authserv_id = judge->conf->authserv_id[0] != '\0'
	    ? judge->conf->authserv_id
	    : AUTHSERV_DEFAULT;
	judge->mails = json_array();
	return 0;
}

static void
judge_close(struct judge *judge)
{
	json_decref(judge->mails);
	settings_unref(judge->settings);
	if (judge->store != NULL)
		store_close(judge->store);
	dns_close(judge->dns);
	charset_close(judge->charsets);
	conf_free(judge->conf);
}

/* ---- the envelope ---- */

static const char *
option_or_none(const struct judge *judge, const char *name)
{
	const char *value = cli_option(judge->args, name);

	return value != NULL ? value : "";
}

static int
read_client(struct judge *judge, struct err *err)
{
	struct envelope_client *client = &judge->envelope.client;
	const char *ip = option_or_none(judge, "ip");

	if (*ip != '\0' && ip_parse(bytes_of(ip), &client->ip) < 0)
		return err_set(err, ERR_INPUT, "--ip: '%s' is no IP address",
		    ip);
	client->helo = option_or_none(judge, "helo");
	client->hostname = option_or_none(judge, "client-name");
	client->auth = option_or_none(judge, "auth");
	client->tls = "";
	client->daemon = "";
	return 0;
}

static int
read_address(struct judge *judge, const char *option, const char *text,
    struct address *address, struct err *err)
{
	if (address_parse(judge->cli->arena, bytes_of(text), address, err) < 0)
		return err_prefix(err, "--%s", option);
	return 0;
}

static int
read_recipients(struct judge *judge, struct err *err)
{
	const struct cli_args *args = judge->args;
	struct envelope *envelope = &judge->envelope;
	struct envelope_recipient *recipient;
	size_t i;

	envelope->recipients = arena_calloc(judge->cli->arena,
	    args->option_count + 1, sizeof(envelope->recipients[0]));
	for (i = 0; i < args->option_count; i++) {
		if (strcmp(args->options[i].option->name, "rcpt") != 0)
			continue;
		recipient = &envelope->recipients[envelope->recipient_count++];
		recipient->rcpt = args->options[i].value;
		recipient->params = "";
		if (read_address(judge, "rcpt", recipient->rcpt,
			&recipient->address, err) < 0)
			return -1;
	}
	if (envelope->recipient_count == 0)
		return err_set(err, ERR_INPUT,
		    "--rcpt is wanted: whose "
		    "policy is to judge?");
	return 0;
}

static bool
is_listed(const struct option_list *networks, const struct ip *ip)
{
	struct network network;
	size_t i;

	for (i = 0; i < networks->count; i++)
		if (network_parse(bytes_of(networks->items[i]), &network,
			NULL) == 0 &&
		    network_contains(&network, ip))
			return true;
	return false;
}

static bool
is_upstream(void *context, const struct ip *ip)
{
	return is_listed(context, ip);
}

/* As the milter does it; why there is no client is told. */
static void
find_true_client(struct judge *judge, const struct message *message,
    struct envelope *envelope, struct arena *arena)
{
	struct received received = { .helo = "", .name = "" };
	struct err err;

	if (judge->client_is_ours ||
	    !is_listed(&judge->conf->upstream, &envelope->client.ip))
		return;
	if (received_find_client(arena, &message->header, is_upstream,
		&judge->conf->upstream, &received, &err) < 0) {
		received = (struct received){ { IP_NONE, { 0 } }, "", "" };
		cli_error(judge->cli, "upstream tells no client: %s", err.text);
	}
	envelope->upstream = envelope->client.ip;
	envelope->client.ip = received.ip;
	envelope->client.helo = received.helo;
	envelope->client.hostname = received.name;
}

static int
read_envelope(struct judge *judge, struct err *err)
{
	struct envelope *envelope = &judge->envelope;

	envelope->queue_id = "";
	envelope->sender_params = "";
	envelope->received_ms = clock_wall_ms();
	if (read_client(judge, err) < 0 ||
	    read_address(judge, "from", option_or_none(judge, "from"),
		&envelope->sender, err) < 0 ||
	    read_recipients(judge, err) < 0)
		return -1;
	judge->client_is_ours = envelope->client.auth[0] != '\0' ||
	    is_listed(&judge->conf->networks, &envelope->client.ip);
	return 0;
}

/* ---- judging ---- */

static const struct verdict *
judge_mailbox(struct judge *judge, const struct scan *scan, const char *mailbox,
    enum direction direction)
{
	const struct verdict *verdict;

	verdict = verdict_at_rcpt(scan->arena, scan->envelope, judge->settings,
	    mailbox);
	if (verdict->action != ACTION_ACCEPT && direction == DIRECTION_INBOUND)
		return verdict;
	return verdict_make(scan->arena, scan, mailbox, direction,
	    message_size(scan->message));
}

static void
add_record(const struct scan *scan, json_t *records, const char *mailbox,
    const struct verdict *verdict, enum direction direction)
{
	json_array_append_new(records,
	    verdict_record(scan, mailbox, verdict, direction));
}

/* As the milter does at RCPT: policy is that of each final mailbox. */
static void
judge_recipient(struct judge *judge, const struct scan *scan,
    const struct address *address, json_t *records)
{
	enum direction direction = DIRECTION_INBOUND;
	struct directory_result found;
	size_t i;

	switch (directory_resolve(judge->settings, scan->arena, address,
	    judge->conf->recipient_delimiter, &found)) {
	case DIRECTORY_FOUND:
		for (i = 0; i < found.count; i++)
			add_record(scan, records, found.mailboxes[i],
			    judge_mailbox(judge, scan, found.mailboxes[i],
				direction),
			    direction);
		return;
	case DIRECTORY_UNKNOWN:
		add_record(scan, records, address->key,
		    verdict_plain(scan->arena, CLASS_UNKNOWN, SUB_UNKNOWN_USER,
			address->key, ACTION_REJECT),
		    direction);
		return;
	case DIRECTORY_BROKEN:
		add_record(scan, records, address->key,
		    verdict_plain(scan->arena, CLASS_ERROR, SUB_INTERNAL,
			"the alias is a circle or too deep", ACTION_DEFER),
		    direction);
		return;
	case DIRECTORY_NOT_OURS:
		break;
	}
	if (judge->client_is_ours)
		direction = DIRECTION_OUTBOUND;
	add_record(scan, records, address->key,
	    judge_mailbox(judge, scan, address->key, direction), direction);
}

static int
give_piece(void *context, struct bytes piece, struct err *err)
{
	(void)err;
	scan_body(context, piece);
	scan_poll(context);
	return 0;
}

/* All checks over one message. */
static int
run_checks(struct judge *judge, struct scan *scan, struct message *message,
    struct err *err)
{
	scan->inbound_checks = !judge->client_is_ours &&
	    (scan->envelope->upstream.family == IP_NONE ||
		judge->conf->upstream_trust != UPSTREAM_SKIP);
	scan_reach(scan, SCAN_MAIL);
	scan->message = message;
	scan_reach(scan, SCAN_HEADERS);
	if (spool_each(message->body, give_piece, scan, err) < 0)
		return -1;
	scan_finish(scan,
	    clock_mono_ms() + (int64_t)judge->conf->dns_timeout * 1000 +
		TIMEOUT_SLACK_MS);
	return 0;
}

/* What libopendkim says of the signatures, from the top; null when it was
 * not asked. */
static json_t *
ask_witness(const struct judge *judge, struct scan *scan)
{
	struct auth_dkim_opinions opinions;
	const struct auth_dkim_opinion *o;
	struct err err;
	json_t *list;
	size_t i;

	if (!cli_flag(judge->args, "witness"))
		return json_null();
	if (auth_dkim_witness(scan, &opinions, &err) < 0)
		return json_pack("[{s:s, s:s, s:s, s:s}]", "domain", "",
		    "selector", "", "result", "none", "problem", err.text);
	list = json_array();
	for (i = 0; i < opinions.count; i++) {
		o = &opinions.opinions[i];
		json_array_append_new(list,
		    json_pack("{s:s, s:s, s:s, s:s?}", "domain", o->domain,
			"selector", o->selector, "result",
			o->pass ? "pass" : "fail", "problem", o->problem));
	}
	return list;
}

static void
show_witness(struct cli *cli, const json_t *opinions)
{
	static const struct show_column columns[] = {
		{ "libopendkim", "result", SHOW_TEXT, false },
		{ "domain", "domain", SHOW_TEXT, true },
		{ "selector", "selector", SHOW_TEXT, true },
		{ "problem", "problem", SHOW_TEXT, true },
	};

	if (json_is_null(opinions))
		return;
	putchar('\n');
	show_table(cli, opinions, sizeof(columns) / sizeof(columns[0]), columns,
	    "libopendkim found no signature");
}

static void
report(struct judge *judge, const char *file, struct scan *scan,
    json_t *take_records)
{
	json_t *witness = ask_witness(judge, scan);
	struct buf results;
	const json_t *record;
	size_t i;

	buf_init(&results, RESULTS_MAX);
	scan_authres(scan, &results);
	if (judge->cli->json) {
		json_array_append_new(judge->mails,
		    json_pack("{s:s, s:s, s:O, s:O}", "file", file,
			"authentication_results", buf_str(&results), "records",
			take_records, "witness", witness));
	} else {
		printf("%s\n", file);
		json_array_foreach(take_records, i, record)
		{
			putchar('\n');
			show_record(judge->cli, record);
		}
		show_witness(judge->cli, witness);
		putchar('\n');
	}
	buf_free(&results);
	json_decref(witness);
	json_decref(take_records);
}

static int
judge_message(struct judge *judge, const char *file, struct arena *arena,
    struct message *message, struct err *err)
{
	struct envelope *envelope = arena_alloc(arena, sizeof(*envelope));
	const struct ulid id = ulid_new();
	struct scan *scan = scan_new(arena, judge->dns, envelope,
	    judge->settings, judge->authserv_id);
	json_t *records = json_array();
	size_t i;
	int rc;

	*envelope = judge->envelope;
	envelope->id = arena_strdup(arena, id.text);
	find_true_client(judge, message, envelope, arena);
	rc = run_checks(judge, scan, message, err);
	for (i = 0; rc == 0 && i < envelope->recipient_count; i++)
		judge_recipient(judge, scan, &envelope->recipients[i].address,
		    records);
	if (rc == 0)
		report(judge, file, scan, json_incref(records));
	json_decref(records);
	scan_fini(scan);
	return rc;
}

static int
judge_file(struct judge *judge, const char *file, struct err *err)
{
	struct message_limits limits = {
		.header_bytes = judge->conf->header_max,
		.header_count = judge->conf->header_count_max,
		.memory = FILE_MAX_BYTES,
		.spool_dir = "/tmp",
	};
	struct arena *arena = arena_new(0);
	struct message *message = message_new(arena, &limits);
	struct buf raw;
	int rc;

	buf_init(&raw, FILE_MAX_BYTES);
	rc = file_read(file, &raw, err);
	if (rc == 0 && message_read(message, buf_bytes(&raw), err) < 0)
		rc = err_prefix(err, "%s", file);
	buf_free(&raw);
	if (rc == 0)
		rc = judge_message(judge, file, arena, message, err);
	message_fini(message);
	arena_free(arena);
	return rc;
}

static int
judge_all(struct judge *judge)
{
	const struct cli_args *args = judge->args;
	struct err err;
	size_t i, failed = 0;

	for (i = 0; i < args->operand_count; i++)
		if (judge_file(judge, args->operands[i], &err) < 0) {
			cli_fail(judge->cli, &err);
			failed++;
		}
	if (judge->cli->json)
		cli_print_json(json_pack("{s:O}", "mails", judge->mails));
	return failed == 0 ? EXIT_DONE : EXIT_NOT_DONE;
}

static int
scan_run(struct cli *cli, const struct cli_args *args)
{
	struct judge judge = { .cli = cli, .args = args };
	struct err err;
	int rc;

	if (judge_open(&judge, &err) < 0 || read_envelope(&judge, &err) < 0)
		rc = cli_fail(cli, &err);
	else
		rc = judge_all(&judge);
	judge_close(&judge);
	return rc;
}

static const struct cli_command commands[] = {
	{ .group = "scan",
	    .name = "",
	    .operands = "FILE...",
	    .least = 1,
	    .most = FILES_MAX,
	    .help = "Judges mails from files as the milter would, and shows "
		    "the decision record: what each check found, what "
		    "counted, and what would be done.  Nothing is held, sent "
		    "or recorded.",
	    .options = { { "ip", "IP", "Address of the client.", false },
		{ "helo", "NAME", "What it said at HELO.", false },
		{ "from", "ADDRESS",
		    "The envelope sender; none is the null sender.", false },
		{ "rcpt", "ADDRESS",
		    "A recipient, whose policy judges; more than one may be "
		    "given.",
		    true },
		{ "client-name", "NAME",
		    "The client's name as the MTA has verified it.", false },
		{ "auth", "USER",
		    "The client has authenticated as this user of ours.",
		    false },
		{ "dns-zone", "FILE", "Answer the DNS from this zone file.",
		    false },
		{ "witness", NULL,
		    "Show what libopendkim says of the DKIM signatures, too: "
		    "a second opinion, which counts nothing.",
		    false },
		{ "defaults", NULL,
		    "Judge by the built-in settings; do not ask Redis for "
		    "those of domains.",
		    false } },
	    .run = scan_run },
};

const struct cli_group group_scan = {
	.name = "scan",
	.help = "judge mails from files, and say why",
	.commands = commands,
	.count = 1,
};
