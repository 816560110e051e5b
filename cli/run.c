/*
 * run.c - another program's output.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/str.h"

#include "cli/run.h"

#define STDERR_MAX 65536
#define PIECE 8192

extern char **environ;

struct stream {
	int fds[2];
	struct buf *to;
	bool full; /* what comes is read and dropped */
};

/* Once: what is there, or the end.  False at the end. */
static bool
stream_read(struct stream *stream)
{
	char piece[PIECE];
	ssize_t got = read(stream->fds[0], piece, sizeof(piece));

	if (got < 0)
		return errno == EINTR;
	if (buf_append(stream->to, piece, (size_t)got) < 0)
		stream->full = true;
	return got > 0;
}

static void
read_both(struct stream *out, struct stream *error)
{
	struct pollfd fds[] = { { out->fds[0], POLLIN, 0 },
		{ error->fds[0], POLLIN, 0 } };
	struct stream *streams[] = { out, error };
	size_t i, open = 2;

	while (open > 0) {
		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			return;
		for (i = 0; i < 2; i++)
			if (fds[i].fd >= 0 && fds[i].revents != 0 &&
			    !stream_read(streams[i])) {
				fds[i].fd = -1;
				open--;
			}
	}
}

static int
spawn(const char *const *argv, const struct stream *out,
    const struct stream *error, pid_t *pid)
{
	posix_spawn_file_actions_t actions;
	int rc;

	rc = posix_spawn_file_actions_init(&actions);
	if (rc != 0)
		return rc;
	if ((rc = posix_spawn_file_actions_adddup2(&actions, out->fds[1],
		 STDOUT_FILENO)) == 0 &&
	    (rc = posix_spawn_file_actions_adddup2(&actions, error->fds[1],
		 STDERR_FILENO)) == 0)
		rc = posix_spawnp(pid, argv[0], &actions, NULL,
		    (char *const *)(uintptr_t)argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	return rc;
}

/* The last line of what it complained about. */
static int
complaint(const char *program, const struct buf *text, int status,
    struct err *err)
{
	struct bytes line = bytes_trim(buf_bytes(text));
	size_t i;

	for (i = line.len; i > 0; i--)
		if (line.data[i - 1] == '\n')
			break;
	if (line.len == 0)
		return err_set(err, ERR_CONFIG, "%s ended with status %d",
		    program, WIFEXITED(status) ? WEXITSTATUS(status) : -1);
	return err_set(err, ERR_CONFIG, "%s says: %.*s", program,
	    (int)(line.len - i), line.data + i);
}

static void
close_pair(int fds[2])
{
	size_t i;

	for (i = 0; i < 2; i++) {
		if (fds[i] >= 0)
			close(fds[i]);
		fds[i] = -1;
	}
}

static void
close_end(int *fd)
{
	close(*fd);
	*fd = -1;
}

static int
run_with(const char *const *argv, struct stream *out, struct stream *error,
    struct err *err)
{
	pid_t pid;
	int status, rc;

	if (pipe2(out->fds, O_CLOEXEC) < 0 || pipe2(error->fds, O_CLOEXEC) < 0)
		return err_set(err, ERR_TEMP, "pipe: %s", strerror(errno));
	rc = spawn(argv, out, error, &pid);
	if (rc != 0)
		return err_set(err, ERR_CONFIG, "%s: %s", argv[0],
		    strerror(rc));
	close_end(&out->fds[1]);
	close_end(&error->fds[1]);
	read_both(out, error);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return err_set(err, ERR_TEMP, "waitpid: %s",
			    strerror(errno));
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		return complaint(argv[0], error->to, status, err);
	if (out->full)
		return err_set(err, ERR_LIMIT, "%s says more than %zu octets",
		    argv[0], out->to->max);
	return 0;
}

int
run_and_read(const char *const *argv, struct buf *out, struct err *err)
{
	struct buf complaints;
	struct stream output = { { -1, -1 }, out, false };
	struct stream error = { { -1, -1 }, &complaints, false };
	int rc;

	buf_init(&complaints, STDERR_MAX);
	rc = run_with(argv, &output, &error, err);
	close_pair(output.fds);
	close_pair(error.fds);
	buf_free(&complaints);
	return rc;
}
