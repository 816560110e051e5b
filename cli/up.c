/*
 * up.c - `sekimori up`: everything that Sekimori needs, in one command.
 *
 * Starts a private redis-server on a unix socket in the state directory
 * (unless the config names a Redis), the milter and the web program, each
 * when the one before it is ready; starts again what dies; stops all in
 * order: the milter finishes its mail and the web program its requests
 * while Redis is still there.
 *
 * One thread: signals come through a descriptor, "ready" through a socket
 * as systemd has it (NOTIFY_SOCKET).  A lock file in the state directory,
 * inherited by the children, keeps a second start away until the last of
 * them is gone.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/conf.h"
#include "base/log.h"
#include "base/process.h"
#include "base/store.h"
#include "base/store_conf.h"
#include "base/str.h"
#include "webui/users.h"

#include "cli/child.h"
#include "cli/commands.h"

#define LOCK_PATIENCE_MS 5000
#define STEP_MS 50
#define PING_MS 100
/* Beyond what the milter takes to drain. */
#define STOP_PATIENCE_MS 10000
#define NOTIFY_TEXT_MAX 1024

/* In the order they are started; each needs the one before. */
enum {
	REDIS,
	MILTER,
	WEB,
	CHILD_COUNT
};

/* The store goes last. */
static const int stop_order[CHILD_COUNT] = { MILTER, WEB, REDIS };

struct up {
	struct cli *cli;
	struct arena *arena;
	struct conf *conf;
	struct store *store;
	struct child children[CHILD_COUNT];
	int lock_fd, signal_fd, notify_fd;
	const char *notify_path;
	int64_t ping_ms;      /* the next one, while Redis is starting */
	bool announced;       /* all were ready once */
	const char *password; /* of the first user; NULL: there are users */
	bool told_to_end;     /* by a signal */
	bool broken;          /* one of them cannot be started */
};

static bool
is_private(const struct up *up)
{
	return up->conf->redis[0] == '\0';
}

/* ---- the state directory ---- */

static int
make_directory(const struct up *up, const char *path, struct err *err)
{
	const struct passwd *pw = NULL;

	if (mkdir(path, 0750) != 0) {
		if (errno == EEXIST)
			return 0;
		return err_set(err, ERR_CONFIG, "%s: %s", path,
		    strerror(errno));
	}
	if (geteuid() == 0 && up->conf->user[0] != '\0')
		pw = getpwnam(up->conf->user);
	if (pw != NULL && chown(path, pw->pw_uid, pw->pw_gid) != 0)
		return err_set(err, ERR_CONFIG, "%s: %s", path,
		    strerror(errno));
	return 0;
}

/* Who holds the lock wrote its process id into it. */
static pid_t
lock_owner(int fd)
{
	char text[16];
	ssize_t n = pread(fd, text, sizeof(text), 0);
	struct cursor c =
	    cursor_of((struct bytes){ text, n > 0 ? (size_t)n : 0 });
	uint64_t pid;

	return cursor_u64(&c, INT32_MAX, &pid) ? (pid_t)pid : 0;
}

/*
 * The children of one that was killed hold the lock for a moment; for one
 * that is alive there is nothing to wait for.
 */
static int
take_lock(struct up *up, struct err *err)
{
	const char *path =
	    arena_printf(up->arena, "%s/up.lock", up->conf->state_dir);
	int patience_ms = LOCK_PATIENCE_MS;
	pid_t owner;

	/* Without close-on-exec: see above. */
	up->lock_fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW, 0600);
	if (up->lock_fd < 0)
		return err_set(err, ERR_CONFIG, "%s: %s", path,
		    strerror(errno));
	while (flock(up->lock_fd, LOCK_EX | LOCK_NB) != 0) {
		owner = lock_owner(up->lock_fd);
		if (owner > 0 && kill(owner, 0) == 0)
			return err_set(err, ERR_CONFIG,
			    "%s: sekimori up is running there already, "
			    "process %d",
			    up->conf->state_dir, (int)owner);
		if (patience_ms <= 0)
			return err_set(err, ERR_CONFIG,
			    "%s: programs of an earlier start are still "
			    "running",
			    up->conf->state_dir);
		usleep(STEP_MS * 1000);
		patience_ms -= STEP_MS;
	}
	if (ftruncate(up->lock_fd, 0) != 0 ||
	    dprintf(up->lock_fd, "%d\n", (int)getpid()) < 0)
		return err_set(err, ERR_TEMP, "%s: %s", path, strerror(errno));
	return 0;
}

/* ---- Redis ---- */

/* In the quotes of redis.conf. */
static const char *
quoted(struct arena *arena, const char *text)
{
	char *out = arena_alloc(arena, 2 * strlen(text) + 3), *p = out;

	*p++ = '"';
	for (; *text != '\0'; text++) {
		if (*text == '"' || *text == '\\')
			*p++ = '\\';
		*p++ = *text;
	}
	*p++ = '"';
	*p = '\0';
	return out;
}

/* What the quarantine demands of a store (base/store.h, durable). */
static const char *
redis_config(const struct up *up)
{
	const struct conf *conf = up->conf;
	const char *dir = arena_printf(up->arena, "%s/redis", conf->state_dir);
	const char *socket =
	    arena_printf(up->arena, "%s/redis.sock", conf->state_dir);
	const char *password = conf->redis_password[0] != '\0'
	    ? arena_printf(up->arena, "requirepass %s\n",
		  quoted(up->arena, conf->redis_password))
	    : "";

	return arena_printf(up->arena,
	    "# Written by sekimori up at every start.\n"
	    "port 0\n"
	    "unixsocket %s\n"
	    "unixsocketperm 700\n"
	    "dir %s\n"
	    "daemonize no\n"
	    "supervised no\n"
	    "loglevel warning\n"
	    "logfile \"\"\n"
	    "save \"\"\n"
	    "appendonly yes\n"
	    "appendfsync always\n"
	    "no-appendfsync-on-rewrite no\n"
	    "maxmemory-policy noeviction\n"
	    "%s",
	    quoted(up->arena, socket), quoted(up->arena, dir), password);
}

static int
write_whole(int fd, const char *text)
{
	size_t len = strlen(text);
	ssize_t n;

	while (len > 0) {
		n = write(fd, text, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		text += n;
		len -= (size_t)n;
	}
	return 0;
}

/* Its password is nobody's to read. */
static int
write_redis_config(const struct up *up, const char *path, struct err *err)
{
	int fd, rc;

	(void)unlink(path);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_set(err, ERR_CONFIG, "%s: %s", path,
		    strerror(errno));
	rc = write_whole(fd, redis_config(up));
	if (close(fd) != 0)
		rc = -1;
	if (rc < 0)
		return err_set(err, ERR_TEMP, "%s: %s", path, strerror(errno));
	return 0;
}

static int
prepare_redis(struct up *up, struct err *err)
{
	const char *state = up->conf->state_dir;
	const char *path = arena_printf(up->arena, "%s/redis.conf", state);
	static const struct sockaddr_un sun;
	const char **argv;

	if (strlen(state) + sizeof("/redis.sock") > sizeof(sun.sun_path))
		return err_set(err, ERR_CONFIG,
		    "state_dir is too long for a socket in it: %s", state);
	if (make_directory(up, arena_printf(up->arena, "%s/redis", state),
		err) < 0 ||
	    write_redis_config(up, path, err) < 0)
		return -1;
	argv = arena_calloc(up->arena, 3, sizeof(*argv));
	argv[0] = "redis-server";
	argv[1] = path;
	up->children[REDIS].name = "redis";
	up->children[REDIS].argv = argv;
	return 0;
}

/* While it loads what it keeps, it answers that it does. */
static void
ask_redis(struct up *up)
{
	struct store_reply *reply;
	struct err err;

	up->ping_ms = clock_mono_ms() + PING_MS;
	if (store_runf(up->store, NULL, &reply, &err, "PING") < 0)
		return;
	store_reply_free(reply);
	child_set_ready(&up->children[REDIS]);
}

/* Before the web program does it, which could only tell the log. */
static void
make_first_user(struct up *up)
{
	const char *password;
	struct err err;

	if (users_bootstrap(up->store, up->arena, &password, &err) == 1)
		up->password = password;
}

/* ---- our programs ---- */

/* Beside us in a build tree; installed, in sbin beside our bin. */
static const char *
program_path(struct arena *arena, const char *name)
{
	char self[4096];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	const char *path;
	char *slash;

	if (n > 0) {
		self[n] = '\0';
		slash = strrchr(self, '/');
		*slash = '\0';
		path = arena_printf(arena, "%s/%s", self, name);
		if (access(path, X_OK) == 0)
			return path;
		path = arena_printf(arena, "%s/../sbin/%s", self, name);
		if (access(path, X_OK) == 0)
			return path;
	}
	return arena_printf(arena, "%s/%s", SEKIMORI_SBINDIR, name);
}

static void
prepare_program(struct up *up, int which, const char *name)
{
	const char **argv = arena_calloc(up->arena, 4, sizeof(*argv));

	argv[0] = program_path(up->arena, name);
	if (up->cli->config != NULL) {
		argv[1] = "-c";
		argv[2] = up->cli->config;
	}
	up->children[which].name = name;
	up->children[which].argv = argv;
	up->children[which].notify = up->notify_path;
}

/* ---- what we hear by ---- */

static int
open_signals(struct up *up, struct err *err)
{
	static const int signals[] = { SIGCHLD, SIGTERM, SIGINT, SIGHUP };
	sigset_t set;
	size_t i;

	sigemptyset(&set);
	for (i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		sigaddset(&set, signals[i]);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	up->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return up->signal_fd >= 0
	    ? 0
	    : err_set(err, ERR_TEMP, "signalfd: %s", strerror(errno));
}

static int
open_notify(struct up *up, struct err *err)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	const int on = 1;

	up->notify_path =
	    arena_printf(up->arena, "%s/up.notify", up->conf->state_dir);
	if (strlen(up->notify_path) >= sizeof(sun.sun_path))
		return err_set(err, ERR_CONFIG,
		    "state_dir is too long for a socket in it: %s",
		    up->conf->state_dir);
	memcpy(sun.sun_path, up->notify_path, strlen(up->notify_path));
	(void)unlink(up->notify_path);
	up->notify_fd =
	    socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (up->notify_fd < 0 ||
	    bind(up->notify_fd, (const struct sockaddr *)&sun, sizeof(sun)) !=
		0 ||
	    setsockopt(up->notify_fd, SOL_SOCKET, SO_PASSCRED, &on,
		sizeof(on)) != 0)
		return err_set(err, ERR_CONFIG, "%s: %s", up->notify_path,
		    strerror(errno));
	return 0;
}

static struct child *
child_of(struct up *up, pid_t pid)
{
	size_t i;

	for (i = 0; i < CHILD_COUNT; i++)
		if (pid != 0 && up->children[i].pid == pid)
			return &up->children[i];
	return NULL;
}

/* One message; who sent it is what the kernel says.  false: there is none. */
static bool
hear_notice(struct up *up)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(struct ucred))];
	} control;
	char text[NOTIFY_TEXT_MAX];
	struct iovec iov = { text, sizeof(text) };
	struct msghdr message = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control) };
	ssize_t n = recvmsg(up->notify_fd, &message, MSG_CMSG_CLOEXEC);
	const struct cmsghdr *header;
	struct child *child;
	struct ucred who;

	if (n < 0)
		return false;
	header = CMSG_FIRSTHDR(&message);
	if (header == NULL || header->cmsg_type != SCM_CREDENTIALS)
		return true;
	memcpy(&who, CMSG_DATA(header), sizeof(who));
	child = child_of(up, who.pid);
	if (child != NULL &&
	    bytes_equal(bytes_trim((struct bytes){ text, (size_t)n }),
		BYTES_LIT("READY=1")))
		child_set_ready(child);
	return true;
}

static void
reap(struct up *up)
{
	struct child *child;
	pid_t pid;
	int status;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		child = child_of(up, pid);
		if (child == NULL)
			continue;
		if (up->told_to_end || up->broken) {
			child->pid = 0;
			log_info("%s: stopped", child->name);
		} else if (!child_ended(child, status)) {
			up->broken = true;
		}
	}
}

static void
hear_signals(struct up *up)
{
	struct signalfd_siginfo info;

	while (
	    read(up->signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		if (info.ssi_signo == SIGCHLD)
			continue;
		if (info.ssi_signo == SIGHUP) {
			child_signal(&up->children[MILTER], SIGHUP);
			child_signal(&up->children[WEB], SIGHUP);
			continue;
		}
		/* Told twice: nothing is waited for. */
		if (up->told_to_end)
			child_signal(&up->children[MILTER], SIGTERM);
		up->told_to_end = true;
	}
	reap(up);
}

static void
hear(struct up *up, int64_t timeout_ms)
{
	struct pollfd fds[] = { { up->signal_fd, POLLIN, 0 },
		{ up->notify_fd, POLLIN, 0 } };

	(void)poll(fds, 2, (int)timeout_ms);
	while (hear_notice(up))
		continue;
	hear_signals(up);
}

/* ---- running ---- */

static bool
is_needed(const struct up *up, int which)
{
	return up->children[which].argv != NULL;
}

/* For the first start each waits for those before it; later on all can do
 * without the others for a while. */
static bool
may_start(const struct up *up, int which)
{
	int i;

	if (!is_needed(up, which) || !child_is_due(&up->children[which]))
		return false;
	for (i = 0; i < which; i++)
		if (is_needed(up, i) && !up->children[i].was_ready)
			return false;
	return true;
}

static void
start_due(struct up *up)
{
	struct err err;
	int i;

	for (i = 0; i < CHILD_COUNT; i++) {
		if (!may_start(up, i))
			continue;
		if (i == WEB && !up->children[i].was_ready)
			make_first_user(up);
		if (child_start(&up->children[i], &err) == 0)
			continue;
		log_error("%s", err.text);
		up->children[i].start_at_ms = clock_mono_ms() + STEP_MS;
	}
}

static bool
all_ready(const struct up *up)
{
	int i;

	for (i = 0; i < CHILD_COUNT; i++)
		if (is_needed(up, i) && !up->children[i].ready)
			return false;
	return true;
}

static const char *
pages_url(const struct up *up)
{
	const struct conf *conf = up->conf;

	if (conf->web_url[0] != '\0')
		return conf->web_url;
	return arena_printf(up->arena, "%s://%s",
	    conf->web_tls_cert[0] != '\0' ? "https" : "http",
	    conf->web_listen.count > 0 ? conf->web_listen.items[0] : "");
}

/* url: NULL when not all came up; the password is told all the same, as it
 * cannot be told again. */
static void
announce(const struct up *up, const char *url)
{
	const char *user = up->password != NULL ? "operator" : NULL;

	if (up->cli->json)
		cli_print_json(json_pack("{s:s?, s:s?, s:s?}", "url", url,
		    "user", user, "password", up->password));
	else if (url != NULL)
		(void)printf("Sekimori is up: %s\n", url);
	if (!up->cli->json && user != NULL)
		(void)printf("Sign in as %s with the password %s\n"
			     "It is shown this once, and to be changed then.\n",
		    user, up->password);
	(void)fflush(stdout);
}

/* Until something is to be done; SIGCHLD and notices come before it. */
static int64_t
pause_ms(const struct up *up)
{
	const struct child *redis = &up->children[REDIS];
	int64_t pause = 60000, due;
	int i;

	for (i = 0; i < CHILD_COUNT; i++) {
		due = is_needed(up, i) ? child_due_ms(&up->children[i]) : -1;
		if (due > 0 && due < pause)
			pause = due;
	}
	if (child_is_running(redis) && !redis->ready && pause > STEP_MS)
		pause = STEP_MS;
	return pause;
}

static void
watch(struct up *up)
{
	const struct child *redis = &up->children[REDIS];

	while (!up->told_to_end && !up->broken) {
		start_due(up);
		hear(up, pause_ms(up));
		if (child_is_running(redis) && !redis->ready &&
		    clock_mono_ms() >= up->ping_ms)
			ask_redis(up);
		if (up->announced || !all_ready(up))
			continue;
		up->announced = true;
		process_notify("READY=1");
		announce(up, pages_url(up));
	}
}

static void
stop(struct up *up, struct child *child, int64_t patience_ms)
{
	int64_t until_ms = clock_mono_ms() + patience_ms;

	if (!child_is_running(child))
		return;
	child_signal(child, SIGTERM);
	while (child_is_running(child) && clock_mono_ms() < until_ms)
		hear(up, STEP_MS);
	if (!child_is_running(child))
		return;
	log_error("%s: does not stop, and is killed", child->name);
	child_signal(child, SIGKILL);
	while (child_is_running(child))
		hear(up, STEP_MS);
}

static void
stop_all(struct up *up)
{
	int64_t drain_ms = (int64_t)up->conf->drain_timeout * 1000;
	int i;

	process_notify("STOPPING=1");
	for (i = 0; i < CHILD_COUNT; i++)
		stop(up, &up->children[stop_order[i]],
		    STOP_PATIENCE_MS +
			(stop_order[i] == MILTER ? drain_ms : 0));
}

/* ---- start and end ---- */

static int
up_open(struct up *up, struct err *err)
{
	up->conf = conf_load(up->cli->config, err);
	if (up->conf == NULL)
		return -1;
	if (store_conf_is_none(up->conf))
		return err_set(err, ERR_CONFIG,
		    "redis = none: sekimori up is for those who hold mail");
	if (make_directory(up, up->conf->state_dir, err) < 0 ||
	    make_directory(up, up->conf->run_dir, err) < 0 ||
	    process_become(up->conf->user, err) < 0 || take_lock(up, err) < 0 ||
	    open_signals(up, err) < 0 || open_notify(up, err) < 0 ||
	    (is_private(up) && prepare_redis(up, err) < 0))
		return -1;
	prepare_program(up, MILTER, "sekimori-milter");
	prepare_program(up, WEB, "sekimori-web");
	up->store = store_conf_open(up->conf, err);
	return up->store != NULL ? 0 : -1;
}

static void
close_fd(int fd)
{
	if (fd >= 0)
		(void)close(fd);
}

static void
up_close(struct up *up)
{
	if (up->store != NULL)
		store_close(up->store);
	if (up->notify_fd >= 0)
		(void)unlink(up->notify_path);
	close_fd(up->notify_fd);
	close_fd(up->signal_fd);
	close_fd(up->lock_fd);
	conf_free(up->conf);
}

static int
up_run(struct cli *cli, const struct cli_args *args)
{
	struct up up = { .cli = cli,
		.arena = cli->arena,
		.lock_fd = -1,
		.signal_fd = -1,
		.notify_fd = -1 };
	int rc = EXIT_DONE;
	struct err err;

	(void)args;
	log_open("sekimori-up", LOG_TARGET_STDERR, LOG_LEVEL_INFO);
	if (up_open(&up, &err) < 0) {
		rc = cli_fail(cli, &err);
	} else {
		watch(&up);
		stop_all(&up);
		if (!up.announced && up.password != NULL)
			announce(&up, NULL);
		if (up.broken)
			rc = cli_error(cli, "not everything could be started");
	}
	up_close(&up);
	return rc;
}

static const struct cli_command commands[] = {
	{ .group = "up",
	    .name = "",
	    .operands = "",
	    .help = "Starts everything in the foreground: a private "
		    "redis-server on a socket in state_dir (unless the config "
		    "names a Redis), the milter and the web program.  What "
		    "dies is started again; Ctrl-C or SIGTERM stops all of "
		    "them in order, SIGHUP makes them read the config again.",
	    .run = up_run },
};

const struct cli_group group_up = {
	.name = "up",
	.help = "start everything: Redis, milter and web program",
	.commands = commands,
	.count = 1,
};
