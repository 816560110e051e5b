/*
 * fuzz_event_spool.c - a spool file that anybody may have written.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/log.h"
#include "quarantine/event_spool.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
drain(struct event_spool *spool)
{
	struct bytes texts[8];
	struct err err;
	uint64_t end;
	size_t n;

	do {
		struct arena *arena = arena_new(0);

		if (event_spool_read(spool, arena, 8, texts, &n, &end, &err) <
			0 ||
		    event_spool_advance(spool, end, 0, NULL, &err) < 0)
			abort();
		arena_free(arena);
	} while (n > 0);
	if (event_spool_bytes(spool) != 0)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct bytes text = { "{\"event\":\"x\"}", 13 };
	struct event_spool *spool;
	struct err err;
	char name[64];
	int fd;

	log_open("fuzz", LOG_TARGET_STDERR, LOG_LEVEL_ERROR);
	(void)snprintf(name, sizeof(name), "/dev/shm/fuzz-spool-%ld",
	    (long)getpid());
	fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0600);
	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	close(fd);
	spool = event_spool_open(name, 1 << 20, &err);
	if (spool != NULL) {
		(void)event_spool_append(spool, 1, &text, &err);
		drain(spool);
		event_spool_close(spool);
	}
	(void)unlink(name);
	return 0;
}
