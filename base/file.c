/*
 * file.c - files read whole, and whose they are.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/file.h"

#define PIECE 16384

static int
read_all(int fd, const char *path, struct buf *out, struct err *err)
{
	char piece[PIECE];
	ssize_t got;

	for (;;) {
		got = read(fd, piece, sizeof(piece));
		if (got == 0)
			return 0;
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_set(err, ERR_CONFIG, "%s: %s", path,
			    strerror(errno));
		if (buf_append(out, piece, (size_t)got) < 0)
			return err_set(err, ERR_LIMIT,
			    "%s: is larger than %zu octets", path, out->max);
	}
}

int
file_read(const char *path, struct buf *out, struct err *err)
{
	int fd, rc;

	if (strcmp(path, "-") == 0)
		return read_all(STDIN_FILENO, "standard input", out, err);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return err_set(err, ERR_CONFIG, "%s: %s", path,
		    strerror(errno));
	rc = read_all(fd, path, out, err);
	close(fd);
	return rc;
}

int
file_adopt(int fd, const char *path)
{
	char *copy;
	struct stat st;
	int rc;

	if (geteuid() != 0)
		return 0;
	copy = xstrdup(path);
	rc = stat(dirname(copy), &st);
	if (rc == 0)
		rc = fchown(fd, st.st_uid, st.st_gid);
	free(copy);
	return rc;
}
