/*
 * process.c - what a daemon does to its own process when it starts, and says
 * of it.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <grp.h>
#include <malloc.h>
#include <pthread.h>
#include <pwd.h>
#include <sched.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/conf.h"
#include "base/file.h"
#include "base/log.h"
#include "base/process.h"
#include "base/str.h"

#define STATM_MAX 4096

static _Noreturn void
usage(const char *name, int status)
{
	(void)fprintf(status == EX_OK ? stdout : stderr,
	    "usage: %s [-c FILE]\n"
	    "       %s -V\n"
	    "  -c FILE  the config (%s/sekimori.conf)\n"
	    "  -V       the version\n"
	    "It stays in the foreground.  See %s(8).\n",
	    name, name, SEKIMORI_CONFDIR, name);
	exit(status);
}

const char *
process_read_options(const char *name, int argc, char **argv)
{
	const char *file = NULL;
	int c;

	while ((c = getopt(argc, argv, "c:hV")) != -1) {
		switch (c) {
		case 'c':
			file = optarg;
			break;
		case 'h':
			usage(name, EX_OK);
		case 'V':
			printf("%s " PACKAGE_VERSION "\n", name);
			exit(EX_OK);
		default:
			usage(name, EX_USAGE);
		}
	}
	if (optind < argc)
		usage(name, EX_USAGE);
	return file;
}

void
process_open_log(const char *name, const struct conf *conf)
{
	log_open(name,
	    conf->log_target == CONF_LOG_SYSLOG ? LOG_TARGET_SYSLOG
						: LOG_TARGET_STDERR,
	    (enum log_level)conf->log_level);
}

void
process_die(const struct err *err)
{
	log_error("%s", err->text);
	exit(err->kind == ERR_CONFIG ? EX_CONFIG : EX_TEMPFAIL);
}

int
process_become(const char *user, struct err *err)
{
	const struct passwd *pw;

	if (geteuid() != 0 || user[0] == '\0')
		return 0;
	errno = 0;
	pw = getpwnam(user);
	if (pw == NULL)
		return err_set(err, ERR_CONFIG, "user %s: %s", user,
		    errno != 0 ? strerror(errno) : "there is no such user");
	if (initgroups(user, pw->pw_gid) != 0 || setgid(pw->pw_gid) != 0 ||
	    setuid(pw->pw_uid) != 0)
		return err_set(err, ERR_CONFIG, "cannot become user %s: %s",
		    user, strerror(errno));
	if (pw->pw_uid != 0 && setuid(0) == 0)
		return err_set(err, ERR_CONFIG,
		    "user %s could become root again", user);
	return 0;
}

int
process_raise_files(struct err *err)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return err_set(err, ERR_TEMP, "RLIMIT_NOFILE: %s",
		    strerror(errno));
	if (limit.rlim_cur == limit.rlim_max)
		return 0;
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
		return err_set(err, ERR_TEMP, "RLIMIT_NOFILE: %s",
		    strerror(errno));
	return 0;
}

static int
set_stacks(size_t size)
{
	pthread_attr_t attr;
	int rc = pthread_getattr_default_np(&attr);

	if (rc != 0)
		return rc;
	rc = pthread_attr_setstacksize(&attr, size);
	if (rc == 0)
		rc = pthread_setattr_default_np(&attr);
	pthread_attr_destroy(&attr);
	return rc;
}

int
process_prepare_threads(size_t stack_size, struct err *err)
{
	cpu_set_t cores;
	int rc = set_stacks(stack_size);

	if (rc != 0)
		return err_set(err, ERR_TEMP, "stacks of threads: %s",
		    strerror(rc));
	/* Fails with more than 1,024 cores, where any number will do. */
	if (sched_getaffinity(0, sizeof(cores), &cores) == 0)
		(void)mallopt(M_ARENA_MAX, CPU_COUNT(&cores));
	return 0;
}

/* The second number of /proc/self/statm: pages that are resident. */
static uint64_t
resident_bytes(void)
{
	struct err err;
	struct cursor c;
	uint64_t pages = 0;
	struct buf text;

	buf_init(&text, STATM_MAX);
	if (file_read("/proc/self/statm", &text, &err) == 0) {
		c = cursor_of(buf_bytes(&text));
		if (!cursor_u64(&c, UINT64_MAX, &pages) || !cursor_space(&c) ||
		    !cursor_u64(&c, UINT64_MAX / 65536, &pages))
			pages = 0;
	}
	buf_free(&text);
	return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

static uint64_t
open_files(void)
{
	DIR *dir = opendir("/proc/self/fd");
	const struct dirent *entry;
	uint64_t n = 0;

	if (dir == NULL)
		return 0;
	while ((entry = readdir(dir)) != NULL)
		n += entry->d_name[0] != '.';
	(void)closedir(dir);
	return n - 1; /* without the one that reads */
}

static uint64_t
timeval_ms(const struct timeval *tv)
{
	return (uint64_t)tv->tv_sec * 1000 + (uint64_t)tv->tv_usec / 1000;
}

void
process_get_usage(struct process_usage *usage)
{
	struct rusage used = { 0 };

	if (getrusage(RUSAGE_SELF, &used) != 0)
		memset(&used, 0, sizeof(used));
	usage->cpu_ms = timeval_ms(&used.ru_utime) + timeval_ms(&used.ru_stime);
	usage->resident_bytes = resident_bytes();
	usage->open_files = open_files();
}

void
process_notify(const char *state)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	socklen_t size;
	size_t len;
	int fd;

	if (path == NULL || (path[0] != '/' && path[0] != '@'))
		return;
	len = strlen(path);
	if (len >= sizeof(sun.sun_path))
		return;
	memcpy(sun.sun_path, path, len);
	if (path[0] == '@') /* the abstract namespace of Linux */
		sun.sun_path[0] = '\0';
	size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	/* When it cannot be told, systemd finds out by itself. */
	(void)!sendto(fd, state, strlen(state), MSG_NOSIGNAL,
	    (const struct sockaddr *)&sun, size);
	close(fd);
}
