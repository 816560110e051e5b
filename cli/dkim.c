/*
 * dkim.c - sekimori dkim: the keys that sign our users' mail, and seal.
 *
 * Keys are files (policy/keyring.h); neither Redis nor the milter is asked.
 * The milter sees a change at the next message.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <inttypes.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/conf.h"
#include "base/dns_conf.h"
#include "base/str.h"
#include "mail/address.h"
#include "policy/key_check.h"
#include "policy/keyring.h"

#include "cli/commands.h"

#define RECORD_MAX 4096
#define ZONE_MAX 8192
/* A string of a TXT record has 255 octets at most; shorter lines read
 * better. */
#define STRING_MAX 200
#define CHECK_MS 10000
#define RSA_BITS_DEFAULT 2048
/* Mail stays in queues for five days; then nobody asks for the record. */
/* Held mail was signed when it came: the retention that is the default. */
#define RETIRED_DAYS 30
#define SELECTORS_A_DAY 100

/* What every command here works with. */
struct work {
	struct cli *cli;
	const struct cli_args *args;
	struct conf *conf;
	const char *domain;      /* NULL: none was given */
	const char *selector;    /* the same */
	struct keyring_set *set; /* of the domain; NULL: it has no keys */
};

static int
work_open(struct work *work, struct cli *cli, const struct cli_args *args,
    struct err *err)
{
	*work = (struct work){ .cli = cli, .args = args };
	/* Where nothing is installed, the defaults will do. */
	if (cli->config == NULL && access(CONF_DEFAULT_FILE, F_OK) < 0)
		work->conf = conf_new();
	else
		work->conf = conf_load(cli->config, err);
	if (work->conf == NULL)
		return -1;
	if (domain_normalize(cli->arena, bytes_of(args->operands[0]),
		&work->domain, err) < 0)
		return err_prefix(err, "'%s' is no domain", args->operands[0]);
	if (args->operand_count > 1) {
		work->selector = args->operands[1];
		if (keyring_check_selector(work->selector, err) < 0)
			return -1;
	}
	return keyring_read(work->conf->dkim_dir, work->domain, &work->set,
		   err) < 0
	    ? -1
	    : 0;
}

static void
work_close(struct work *work)
{
	keyring_set_unref(work->set);
	conf_free(work->conf);
}

static const struct keyring_key *
find_key(const struct work *work, struct err *err)
{
	size_t i;

	for (i = 0; work->set != NULL && i < work->set->count; i++)
		if (strcmp(work->set->keys[i].selector, work->selector) == 0)
			return &work->set->keys[i];
	err_set(err, ERR_INPUT, "%s has no key '%s' in %s", work->domain,
	    work->selector, work->conf->dkim_dir);
	return NULL;
}

/* ---- what is shown of a key ---- */

static const char *
record_of(const struct work *work, const struct keyring_key *key)
{
	const char *text;
	struct buf buf;

	buf_init(&buf, RECORD_MAX);
	(void)signing_key_record(key->key, &buf);
	text = arena_strdup(work->cli->arena, buf_str(&buf));
	buf_free(&buf);
	return text;
}

/* A line for a zone file, in strings that fit. */
static const char *
zone_of(const struct work *work, const struct keyring_key *key)
{
	const char *record = record_of(work, key), *text;
	size_t len, piece;
	struct buf buf;

	buf_init(&buf, ZONE_MAX);
	buf_printf(&buf, "%s. IN TXT (",
	    key_check_owner(work->cli->arena, work->domain, key->selector));
	for (len = strlen(record); len > 0; len -= piece, record += piece) {
		piece = len < STRING_MAX ? len : STRING_MAX;
		buf_printf(&buf, "\n\t\"%.*s\"", (int)piece, record);
	}
	buf_append_str(&buf, " )");
	text = arena_strdup(work->cli->arena, buf_str(&buf));
	buf_free(&buf);
	return text;
}

static json_t *
key_model(const struct work *work, const struct keyring_key *key)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:I, s:s, s:s, s:s}", "domain",
	    work->domain, "selector", key->selector, "algorithm",
	    signing_key_algorithm(key->key), "state",
	    key_state_name(key->state), "since", (json_int_t)key->since * 1000,
	    "name",
	    key_check_owner(work->cli->arena, work->domain, key->selector),
	    "record", record_of(work, key), "zone", zone_of(work, key));
}

static void
print_keys(const struct work *work, json_t *take_keys, const char *form)
{
	const json_t *key;
	size_t i;

	if (work->cli->json) {
		cli_print_json(json_pack("{s:o}", "keys", take_keys));
		return;
	}
	json_array_foreach(take_keys, i, key)
	{
		if (strcmp(form, "zone") == 0)
			puts(json_string_value(json_object_get(key, "zone")));
		else
			printf("%-24s %-16s %-8s %s\n",
			    json_string_value(json_object_get(key, "selector")),
			    json_string_value(
				json_object_get(key, "algorithm")),
			    json_string_value(json_object_get(key, "state")),
			    json_string_value(json_object_get(key, "name")));
	}
	json_decref(take_keys);
}

static int
print_chosen(const struct work *work, const char *form)
{
	json_t *keys = json_array();
	size_t i, n = 0;

	for (i = 0; work->set != NULL && i < work->set->count; i++) {
		if (work->selector != NULL &&
		    strcmp(work->set->keys[i].selector, work->selector) != 0)
			continue;
		json_array_append_new(keys,
		    key_model(work, &work->set->keys[i]));
		n++;
	}
	if (n == 0) {
		json_decref(keys);
		return cli_error(work->cli, "%s has no %s in %s", work->domain,
		    work->selector != NULL ? "such key" : "keys",
		    work->conf->dkim_dir);
	}
	print_keys(work, keys, form);
	return EXIT_DONE;
}

static int
list_keys(struct work *work, struct err *err)
{
	(void)err;
	return print_chosen(work, "list");
}

static int
show_keys(struct work *work, struct err *err)
{
	(void)err;
	return print_chosen(work, "zone");
}

/* ---- new ---- */

static bool
is_taken(const struct work *work, const char *selector)
{
	size_t i;

	for (i = 0; work->set != NULL && i < work->set->count; i++)
		if (strcmp(work->set->keys[i].selector, selector) == 0)
			return true;
	return false;
}

/* "20261122r", "20261122e", then "20261122r2": the day says how old it is. */
static const char *
choose_selector(const struct work *work, bool ed25519)
{
	time_t now = (time_t)(clock_wall_ms() / 1000);
	const char *selector;
	char day[16] = "";
	struct tm tm;
	unsigned n;

	if (gmtime_r(&now, &tm) != NULL)
		(void)strftime(day, sizeof(day), "%Y%m%d", &tm);
	selector =
	    arena_printf(work->cli->arena, "%s%s", day, ed25519 ? "e" : "r");
	for (n = 2; is_taken(work, selector) && n < SELECTORS_A_DAY; n++)
		selector = arena_printf(work->cli->arena, "%s%s%u", day,
		    ed25519 ? "e" : "r", n);
	return selector;
}

/* The milter runs as that user; root makes the key. */
static int
key_group(const struct conf *conf)
{
	const struct passwd *pw;

	if (geteuid() != 0 || conf->user[0] == '\0')
		return -1;
	pw = getpwnam(conf->user);
	return pw != NULL ? (int)pw->pw_gid : -1;
}

static int
read_bits(const struct work *work, uint64_t *bits, struct err *err)
{
	const char *given = cli_option(work->args, "bits");

	*bits = cli_flag(work->args, "ed25519") ? 0 : RSA_BITS_DEFAULT;
	if (given == NULL)
		return 0;
	if (cli_flag(work->args, "ed25519"))
		return err_set(err, ERR_INPUT,
		    "--bits and --ed25519 do not go together");
	if (parse_u64(bytes_of(given), 1024, 8192, bits) < 0)
		return err_set(err, ERR_INPUT, "--bits: 1024 to 8192");
	return 0;
}

static int
new_key(struct work *work, struct err *err)
{
	const struct conf *conf = work->conf;
	struct signing_key *key;
	uint64_t bits;
	int rc;

	work->selector = cli_option(work->args, "selector");
	if (read_bits(work, &bits, err) < 0)
		return -1;
	if (work->selector == NULL)
		work->selector = choose_selector(work, bits == 0);
	if (work->set != NULL && work->set->count == KEYRING_KEYS_MAX)
		return err_set(err, ERR_LIMIT,
		    "%s has %d keys already; remove one", work->domain,
		    KEYRING_KEYS_MAX);
	key = signing_key_generate((unsigned)bits, err);
	if (key == NULL)
		return -1;
	rc = keyring_add(conf->dkim_dir, work->domain, work->selector, key,
	    key_group(conf), err);
	signing_key_free(key);
	keyring_set_unref(work->set);
	work->set = NULL;
	if (rc < 0 ||
	    keyring_read(conf->dkim_dir, work->domain, &work->set, err) < 0)
		return -1;
	rc = print_chosen(work, "zone");
	if (rc == EXIT_DONE && !work->cli->json)
		printf("\nPut this into the zone of %s, then: %s dkim start %s "
		       "%s\n",
		    work->domain, work->cli->program, work->domain,
		    work->selector);
	return rc;
}

/* ---- check and start ---- */

struct look {
	struct dns *dns;
	struct dns_set *set;
	int64_t until_ms;
};

static int
look_open(const struct work *work, struct look *look, struct err *err)
{
	look->dns =
	    dns_conf_open(work->conf, cli_option(work->args, "dns-zone"), err);
	if (look->dns == NULL)
		return -1;
	look->set = dns_set_new(look->dns);
	look->until_ms = clock_mono_ms() + CHECK_MS;
	return 0;
}

static void
look_close(struct look *look)
{
	dns_set_free(look->set);
	dns_close(look->dns);
}

static enum key_check
look_at(const struct work *work, const struct look *look,
    const struct keyring_key *key, const char **problem)
{
	return key_check_dns(work->cli->arena, look->set,
	    key_check_owner(work->cli->arena, work->domain, key->selector),
	    key->key, look->until_ms, problem);
}

/* What the DNS must say of it depends on what the key does. */
static bool
is_fine(enum key_state state, enum key_check check)
{
	return check == KEY_CHECK_RIGHT || state == KEY_NEW;
}

static int
check_keys(struct work *work, struct err *err)
{
	const struct keyring_key *key;
	json_t *keys = json_array(), *model;
	enum key_check check;
	const char *problem;
	struct look look;
	bool fine = true;
	size_t i;

	if (look_open(work, &look, err) < 0) {
		json_decref(keys);
		return -1;
	}
	for (i = 0; work->set != NULL && i < work->set->count; i++) {
		key = &work->set->keys[i];
		check = look_at(work, &look, key, &problem);
		fine = fine && is_fine(key->state, check);
		model = key_model(work, key);
		json_object_set_new(model, "dns",
		    json_string(key_check_name(check)));
		json_object_set_new(model, "problem",
		    problem != NULL ? json_string(problem) : json_null());
		json_array_append_new(keys, model);
		if (!work->cli->json)
			printf("%-24s %-8s %-8s %s\n", key->selector,
			    key_state_name(key->state), key_check_name(check),
			    problem != NULL ? problem : "");
	}
	look_close(&look);
	if (work->cli->json)
		cli_print_json(json_pack("{s:O}", "keys", keys));
	json_decref(keys);
	return fine ? EXIT_DONE : EXIT_NOT_DONE;
}

static int
must_be_published(const struct work *work, const struct keyring_key *key,
    struct err *err)
{
	enum key_check check;
	const char *problem;
	struct look look;

	if (look_open(work, &look, err) < 0)
		return -1;
	check = look_at(work, &look, key, &problem);
	look_close(&look);
	if (check == KEY_CHECK_RIGHT)
		return 0;
	return err_set(err, ERR_INPUT,
	    "%s: %s; nothing was started (--unchecked starts all the same)",
	    key_check_owner(work->cli->arena, work->domain, key->selector),
	    problem);
}

static int
change_state(struct work *work, const struct keyring_key *key,
    enum key_state to, const char *said, struct err *err)
{
	if (keyring_set_state(work->conf->dkim_dir, work->domain,
		work->selector, key->state, to, err) < 0)
		return -1;
	if (work->cli->json)
		cli_print_json(json_pack("{s:s, s:s, s:s}", "domain",
		    work->domain, "selector", work->selector, "state",
		    key_state_name(to)));
	else
		printf("%s of %s %s\n", work->selector, work->domain, said);
	return EXIT_DONE;
}

static int
start_key(struct work *work, struct err *err)
{
	const struct keyring_key *key = find_key(work, err);

	if (key == NULL)
		return -1;
	if (key->state == KEY_SIGNS)
		return err_set(err, ERR_INPUT, "it signs already");
	if (!cli_flag(work->args, "unchecked") &&
	    must_be_published(work, key, err) < 0)
		return -1;
	return change_state(work, key, KEY_SIGNS, "signs from now on", err);
}

/* ---- retire and remove ---- */

static int
retire_key(struct work *work, struct err *err)
{
	const struct keyring_key *key = find_key(work, err);

	if (key == NULL)
		return -1;
	if (key->state != KEY_SIGNS)
		return err_set(err, ERR_INPUT, "it does not sign");
	return change_state(work, key, KEY_RETIRED,
	    "signs no more; leave its record in the DNS for as long as mail "
	    "is held, a month as a rule",
	    err);
}

static int
may_be_removed(const struct work *work, const struct keyring_key *key,
    struct err *err)
{
	time_t now = (time_t)(clock_wall_ms() / 1000);

	if (cli_flag(work->args, "force") || key->state == KEY_NEW)
		return 0;
	if (key->state == KEY_SIGNS)
		return err_set(err, ERR_INPUT, "it signs: retire it first");
	if (now - key->since < RETIRED_DAYS * 86400)
		return err_set(err, ERR_INPUT,
		    "it was retired less than %d days ago, mail that it "
		    "signed may still be held or under way (--force removes "
		    "it all the same)",
		    RETIRED_DAYS);
	return 0;
}

static int
remove_key(struct work *work, struct err *err)
{
	const struct keyring_key *key = find_key(work, err);

	if (key == NULL || may_be_removed(work, key, err) < 0 ||
	    keyring_remove(work->conf->dkim_dir, work->domain, work->selector,
		key->state, err) < 0)
		return -1;
	if (work->cli->json)
		cli_print_json(json_pack("{s:s, s:s}", "domain", work->domain,
		    "selector", work->selector));
	else
		printf("%s of %s is gone; its record may go, too\n",
		    work->selector, work->domain);
	return EXIT_DONE;
}

/* ---- the commands ---- */

struct deed {
	/* an exit status, or -1 with *err */
	int (*run)(struct work *work, struct err *err);
};

static int
dkim_run(struct cli *cli, const struct cli_args *args)
{
	const struct deed *deed = args->command->context;
	struct work work;
	struct err err;
	int rc;

	rc = work_open(&work, cli, args, &err);
	if (rc == 0)
		rc = deed->run(&work, &err);
	if (rc < 0)
		rc = cli_fail(cli, &err);
	work_close(&work);
	return rc;
}

#define ZONE_OPTION                                                            \
	{                                                                      \
		"dns-zone", "FILE", "Ask this file instead of the DNS.", false \
	}

static const struct cli_command commands[] = {
	{ .group = "dkim",
	    .name = "new",
	    .operands = "DOMAIN",
	    .least = 1,
	    .most = 1,
	    .help = "Makes a key and shows the record for the zone of the "
		    "domain.  It does not sign before it is started.",
	    .options = { { "selector", "NAME",
			     "Its name; the default is made of the date.",
			     false },
		{ "bits", "NUMBER", "RSA of that length, 2048 if not given.",
		    false },
		{ "ed25519", NULL,
		    "Ed25519 instead of RSA: short, but not yet verified "
		    "everywhere; use it beside an RSA key.",
		    false } },
	    .run = dkim_run,
	    .context = &(const struct deed){ new_key } },
	{ .group = "dkim",
	    .name = "list",
	    .operands = "DOMAIN",
	    .least = 1,
	    .most = 1,
	    .help = "Lists the keys of a domain and what they do.",
	    .run = dkim_run,
	    .context = &(const struct deed){ list_keys } },
	{ .group = "dkim",
	    .name = "show",
	    .operands = "DOMAIN [SELECTOR]",
	    .least = 1,
	    .most = 2,
	    .help = "Shows the records for the zone of the domain.",
	    .run = dkim_run,
	    .context = &(const struct deed){ show_keys } },
	{ .group = "dkim",
	    .name = "check",
	    .operands = "DOMAIN",
	    .least = 1,
	    .most = 1,
	    .help = "Compares the records in the DNS with the keys.  The "
		    "status is 1 when one that signs, or has signed, is not "
		    "right.",
	    .options = { ZONE_OPTION },
	    .run = dkim_run,
	    .context = &(const struct deed){ check_keys } },
	{ .group = "dkim",
	    .name = "start",
	    .operands = "DOMAIN SELECTOR",
	    .least = 2,
	    .most = 2,
	    .help = "Lets a key sign, once its record is in the DNS.  All "
		    "keys that are started sign; retire the old one "
		    "afterwards.",
	    .options = { { "unchecked", NULL, "Do not look into the DNS.",
			     false },
		ZONE_OPTION },
	    .run = dkim_run,
	    .context = &(const struct deed){ start_key } },
	{ .group = "dkim",
	    .name = "retire",
	    .operands = "DOMAIN SELECTOR",
	    .least = 2,
	    .most = 2,
	    .help = "Lets a key sign no more.  Its record must stay in the "
		    "DNS until the mail it signed has arrived, held mail "
		    "too: that is signed when it comes, not when it is "
		    "released.",
	    .run = dkim_run,
	    .context = &(const struct deed){ retire_key } },
	{ .group = "dkim",
	    .name = "remove",
	    .operands = "DOMAIN SELECTOR",
	    .least = 2,
	    .most = 2,
	    .help = "Deletes a key that was never started, or retired 30 "
		    "days ago.",
	    .options = { { "force", NULL, "Whatever its state and age.",
		false } },
	    .run = dkim_run,
	    .context = &(const struct deed){ remove_key } },
};

const struct cli_group group_dkim = {
	.name = "dkim",
	.help = "keys that sign outbound mail, and their DNS records",
	.commands = commands,
	.count = sizeof(commands) / sizeof(commands[0]),
};
