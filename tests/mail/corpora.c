/*
 * corpora.c - walks the messages of the test corpora, where they are there.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <fts.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/str.h"
#include "tests/mail/corpora.h"

#define FILE_MAX (64 * 1024 * 1024)

/* Sets that hold messages, and how the names of other files end. */
static const char *const sets[] = { "dkim/mail-dkim", "dkim/chasquid",
	"dkim/dkimpy", "mime", "mime-evasion", "spam" };
static const char *const not_messages[] = { ".xml", ".dat", ".tsv", ".txt",
	".bin", ".out", ".dns", ".result", ".error", ".readme", ".md",
	"LICENSE", "NOTICE", ".key", ".py", ".json", "README" };

struct paths {
	size_t count;
	size_t size;
	char **items;
};

static bool
is_message(const char *path)
{
	size_t i;

	for (i = 0; i < sizeof(not_messages) / sizeof(*not_messages); i++)
		if (str_ends_nocase(path, not_messages[i]))
			return false;
	return true;
}

static void
collect(const char *directory, struct paths *paths)
{
	char *argv[] = { (char *)(uintptr_t)directory, NULL };
	FTS *fts = fts_open(argv, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
	FTSENT *entry;

	while (fts != NULL && (entry = fts_read(fts)) != NULL) {
		if (entry->fts_info != FTS_F || !is_message(entry->fts_path))
			continue;
		if (paths->count == paths->size) {
			paths->size = paths->size > 0 ? paths->size * 2 : 1024;
			paths->items = xrealloc(paths->items,
			    paths->size * sizeof(*paths->items));
		}
		paths->items[paths->count++] = xstrdup(entry->fts_path);
	}
	if (fts != NULL)
		fts_close(fts);
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void
read_file(const char *path,
    void (*each)(void *context, const char *path, struct bytes raw),
    void *context)
{
	struct stat st;
	FILE *file = fopen(path, "rb");
	char *data;

	if (file == NULL)
		return;
	if (fstat(fileno(file), &st) == 0 && st.st_size < FILE_MAX) {
		data = xmalloc((size_t)st.st_size);
		if (fread(data, 1, (size_t)st.st_size, file) ==
		    (size_t)st.st_size)
			each(context, path,
			    (struct bytes){ data, (size_t)st.st_size });
		free(data);
	}
	fclose(file);
}

size_t
corpora_each_message(size_t step,
    void (*each)(void *context, const char *path, struct bytes raw),
    void *context)
{
	const char *top = getenv("CORPORA");
	struct paths paths = { 0, 0, NULL };
	size_t i, done = 0;
	char *directory;

	if (top == NULL)
		top = SRCDIR "/../shared/corpora";
	for (i = 0; i < sizeof(sets) / sizeof(*sets); i++) {
		directory = xprintf("%s/%s", top, sets[i]);
		if (access(directory, R_OK) == 0)
			collect(directory, &paths);
		else
			printf("skipped: %s is not there\n", directory);
		free(directory);
	}
	if (paths.count > 0)
		qsort(paths.items, paths.count, sizeof(*paths.items), by_name);
	for (i = 0; i < paths.count; i++) {
		if (i % step == 0) {
			read_file(paths.items[i], each, context);
			done++;
		}
		free(paths.items[i]);
	}
	free(paths.items);
	return done;
}
