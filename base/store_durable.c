/*
 * store_durable.c - does what Redis acknowledges survive a crash?
 *
 * The settings are read from the server itself, again after a connection
 * was lost (it may have been restarted with others) and every few seconds
 * (somebody may have changed them).
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <string.h>

#include "base/clock.h"
#include "base/store_impl.h"
#include "base/str.h"

#define ANSWER_LIFE_MS 10000
#define QUESTION_MAX 1024

static const char *const questions[] = { "CONFIG", "GET", "appendonly",
	"appendfsync", "no-appendfsync-on-rewrite", "maxmemory-policy",
	"min-replicas-to-write" };
#define QUESTION_WORDS (sizeof(questions) / sizeof(questions[0]))

/* The value of a setting in the reply to CONFIG GET; empty: not told. */
static struct bytes
setting(const struct store_reply *config, const char *name)
{
	size_t i;

	for (i = 0; i + 1 < config->count; i += 2)
		if (bytes_equal(config->items[i].text, bytes_of(name)) &&
		    config->items[i + 1].type == STORE_STRING)
			return config->items[i + 1].text;
	return (struct bytes){ NULL, 0 };
}

static int
demand(const struct store_reply *config, const char *name, const char *want,
    struct err *err)
{
	struct bytes value = setting(config, name);

	if (bytes_equal(value, bytes_of(want)))
		return 0;
	err_set(err, ERR_CONFIG, "%s is '%.*s', not '%s'", name,
	    (int)(value.len > 40 ? 40 : value.len),
	    value.len > 0 ? value.data : "", want);
	return -1;
}

static bool
has_replicas(const struct store_reply *config, struct err *err)
{
	struct bytes value = setting(config, "min-replicas-to-write");
	uint64_t n;

	if (parse_u64(value, 1, UINT32_MAX, &n) == 0)
		return true;
	err_set(err, ERR_CONFIG, "min-replicas-to-write is less than 1");
	return false;
}

static int
judge(enum store_kind kind, const struct store_reply *config,
    const struct store_reply *command_info, enum store_wait *wait,
    struct err *err)
{
	bool waitaof = command_info->type == STORE_ARRAY &&
	    command_info->count == 1 &&
	    command_info->items[0].type == STORE_ARRAY &&
	    command_info->items[0].count > 0;
	bool always;

	*wait = WAIT_NOTHING;
	if (config->type == STORE_ERROR)
		return err_set(err, ERR_CONFIG, "CONFIG GET: %.200s",
		    config->text.data);
	if (config->type != STORE_ARRAY || config->count == 0)
		return err_set(err, ERR_CONFIG, "CONFIG GET told nothing");
	if (demand(config, "appendonly", "yes", err) < 0 ||
	    demand(config, "maxmemory-policy", "noeviction", err) < 0)
		return 0;
	always = demand(config, "appendfsync", "always", err) == 0 &&
	    demand(config, "no-appendfsync-on-rewrite", "no", err) == 0;
	if (!always && !waitaof)
		return 0;
	if (kind != STORE_ONE && !has_replicas(config, err))
		return 0;
	err_clear(err);
	if (kind == STORE_ONE)
		*wait = always ? WAIT_NOTHING : WAIT_FSYNC;
	else
		*wait = always ? WAIT_REPLICA : WAIT_FSYNC_REPLICA;
	return 1;
}

/* 1, 0, -1 as store_is_durable; *durability is whole but for answer's use. */
static int
ask(struct store_node *node, const struct store_deadline *deadline,
    struct store_durability *answer, struct err *err)
{
	const struct bytes info[] = { BYTES_LIT("COMMAND"), BYTES_LIT("INFO"),
		BYTES_LIT("waitaof") };
	struct bytes argv[QUESTION_WORDS];
	struct store_reply *replies[2];
	struct store_conn *conn;
	struct buf out;
	size_t i;
	int rc;

	for (i = 0; i < QUESTION_WORDS; i++)
		argv[i] = bytes_of(questions[i]);
	conn = store_node_take(node, deadline, err);
	if (conn == NULL)
		return -1;
	buf_init(&out, QUESTION_MAX);
	(void)store_encode(&out, QUESTION_WORDS, argv);
	(void)store_encode(&out, 3, info);
	rc = store_conn_exchange(conn, buf_bytes(&out), 2, replies,
	    deadline->at_ms, err);
	buf_free(&out);
	store_node_give(node, conn, deadline, err);
	if (rc < 0)
		return -1;
	answer->answer = judge(node->store->url.kind, replies[0], replies[1],
	    &answer->wait, &answer->err);
	store_reply_free(replies[0]);
	store_reply_free(replies[1]);
	return 0;
}

int
store_node_durable(struct store_node *node,
    const struct store_deadline *deadline, enum store_wait *wait,
    struct err *err)
{
	struct store *store = node->store;
	struct store_durability answer;
	bool remembered;

	memset(&answer, 0, sizeof(answer));
	pthread_mutex_lock(&store->lock);
	remembered = node->durability.until_ms > clock_mono_ms() &&
	    node->durability.epoch == node->epoch;
	if (remembered)
		answer = node->durability;
	else
		answer.epoch = node->epoch;
	pthread_mutex_unlock(&store->lock);
	if (!remembered) {
		if (ask(node, deadline, &answer, err) < 0)
			return -1;
		answer.until_ms = clock_mono_ms() + ANSWER_LIFE_MS;
		pthread_mutex_lock(&store->lock);
		node->durability = answer;
		pthread_mutex_unlock(&store->lock);
	}
	*wait = answer.wait;
	if (answer.answer != 1)
		err_set(err, answer.err.kind, "%s: %s", node->name,
		    answer.err.text);
	return answer.answer;
}

int
store_wait_encode(enum store_wait wait, unsigned timeout_ms, struct buf *out)
{
	static const char *const local_and_replicas[][2] = {
		[WAIT_REPLICA] = { NULL, "1" },
		[WAIT_FSYNC] = { "1", "0" },
		[WAIT_FSYNC_REPLICA] = { "1", "1" },
	};
	struct bytes argv[4];
	struct buf number;
	size_t n = 0;
	int rc;

	if (wait == WAIT_NOTHING)
		return 0;
	buf_init(&number, 16);
	/* 0 would be for ever. */
	buf_printf(&number, "%u", timeout_ms > 0 ? timeout_ms : 1);
	argv[n++] =
	    wait == WAIT_REPLICA ? BYTES_LIT("WAIT") : BYTES_LIT("WAITAOF");
	if (local_and_replicas[wait][0] != NULL)
		argv[n++] = bytes_of(local_and_replicas[wait][0]);
	argv[n++] = bytes_of(local_and_replicas[wait][1]);
	argv[n++] = buf_bytes(&number);
	rc = store_encode(out, n, argv);
	buf_free(&number);
	return rc;
}

int
store_wait_check(enum store_wait wait, const struct store_reply *reply,
    struct err *err)
{
	bool synced = wait == WAIT_REPLICA, copied = wait == WAIT_FSYNC;

	if (wait == WAIT_NOTHING)
		return 0;
	if (wait == WAIT_REPLICA) {
		copied = reply->type == STORE_INTEGER && reply->integer >= 1;
	} else if (reply->type == STORE_ARRAY && reply->count == 2) {
		synced = reply->items[0].integer >= 1;
		copied = copied || reply->items[1].integer >= 1;
	}
	if (!synced)
		return err_set(err, ERR_TEMP, "not written to disk in time");
	if (!copied)
		return err_set(err, ERR_TEMP, "no replica has it in time");
	return 0;
}
