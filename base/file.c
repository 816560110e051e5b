/*
 * file.c - a file read whole.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

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
