/*
 * driver.c - runs a fuzz entry without libFuzzer.
 *
 * With no argument: every file under tests/fuzz/seeds/NAME (NAME from
 * fuzz_NAME), and of each some thousand cheap mutations, the same in every
 * run, so that `make check` and the sanitizers walk the odd paths each
 * time.  With arguments: just these files, to look at one that failed.
 * FUZZ_RUNS sets the number of mutations for each seed.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/str.h"

#define RUNS_DEFAULT 5000
#define INPUT_MAX (256 * 1024)
#define SEEDS_MAX 1000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
/* Called by the sanitizers before they end the process. */
void __sanitizer_set_death_callback(void (*callback)(void))
    __attribute__((weak));

struct seed {
	char *name;
	struct bytes data;
};

/* What is being run: read by the handlers of a crash only. */
static struct {
	const uint8_t *data;
	size_t len;
} running;

/* Only what a signal handler may call. */
static void
save_input(void)
{
	static const char said[] = "the input is in fuzz-crash-input\n";
	int fd = open("fuzz-crash-input",
	    O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	if (fd < 0)
		return;
	if (write(fd, running.data, running.len) >= 0)
		(void)!write(STDERR_FILENO, said, sizeof(said) - 1);
	close(fd);
}

static void
on_signal(int signal_number)
{
	save_input();
	signal(signal_number, SIG_DFL);
	raise(signal_number);
}

/* In a block of exactly its size, so that reading past the end is seen. */
static void
run(const char *data, size_t len)
{
	uint8_t *copy = (uint8_t *)malloc(len > 0 ? len : 1);

	if (copy == NULL)
		abort();
	if (len > 0)
		memcpy(copy, data, len);
	running.data = copy;
	running.len = len;
	LLVMFuzzerTestOneInput(copy, len);
	free(copy);
}

/* xorshift64: the same numbers everywhere. */
static size_t
pick(uint64_t *random, size_t below)
{
	*random ^= *random << 13;
	*random ^= *random >> 7;
	*random ^= *random << 17;
	return below > 0 ? (size_t)(*random % below) : 0;
}

static void
insert(struct buf *buf, size_t at, const char *data, size_t len)
{
	char *tail = xmemdup(buf_str(buf) + at, buf->len - at);
	size_t tail_len = buf->len - at;

	buf->len = at;
	buf_append(buf, data, len);
	buf_append(buf, tail, tail_len);
	free(tail);
}

static void
mutate(struct buf *buf, uint64_t *random, const struct seed *other)
{
	static const char odd[] =
	    "\0\n\r\t \"\\()<>[]:;,.@=?%\x1b\x7f\x80\xff-0";
	size_t at = pick(random, buf->len), len, from;
	char c;

	if (buf->len == 0) {
		buf_append_bytes(buf, other->data);
		return;
	}
	switch (pick(random, 6)) {
	case 0:
		buf->data[at] ^= (char)(1u << pick(random, 8));
		break;
	case 1:
		buf->data[at] = odd[pick(random, sizeof(odd) - 1)];
		break;
	case 2:
		c = odd[pick(random, sizeof(odd) - 1)];
		insert(buf, at, &c, 1);
		break;
	case 3: /* a piece goes */
		len = pick(random, buf->len - at < 40 ? buf->len - at : 40);
		memmove(buf->data + at, buf->data + at + len,
		    buf->len - at - len);
		buf->len -= len;
		break;
	case 4: /* a piece of another seed comes */
		from = pick(random, other->data.len);
		len = pick(random, other->data.len - from);
		insert(buf, at, other->data.data + from, len);
		break;
	default:
		buf->len = at;
	}
}

static void
run_mutations(const struct seed *seeds, size_t count, size_t which, size_t runs)
{
	uint64_t random = 88172645463325252u + which;
	struct buf buf;
	size_t i, j;

	buf_init(&buf, INPUT_MAX);
	for (i = 0; i < runs; i++) {
		buf_reset(&buf);
		buf_append_bytes(&buf, seeds[which].data);
		for (j = 1 + pick(&random, 6); j > 0; j--)
			mutate(&buf, &random, &seeds[pick(&random, count)]);
		run(buf_str(&buf), buf.len);
	}
	buf_free(&buf);
}

static int
read_seed(const char *path, struct seed *seed)
{
	FILE *file = fopen(path, "rb");
	char *data = xmalloc(INPUT_MAX);

	if (file == NULL) {
		free(data);
		return -1;
	}
	seed->data.len = fread(data, 1, INPUT_MAX, file);
	seed->data.data = data;
	seed->name = xstrdup(path);
	fclose(file);
	return 0;
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(((const struct seed *)a)->name,
	    ((const struct seed *)b)->name);
}

static size_t
read_seeds(const char *directory, struct seed *seeds)
{
	struct dirent *entry;
	size_t count = 0;
	char *path;
	DIR *dir = opendir(directory);

	while (dir != NULL && count < SEEDS_MAX &&
	    (entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		path = xprintf("%s/%s", directory, entry->d_name);
		if (read_seed(path, &seeds[count]) == 0)
			count++;
		free(path);
	}
	if (dir != NULL)
		closedir(dir);
	qsort(seeds, count, sizeof(*seeds), by_name);
	return count;
}

static size_t
wanted_runs(void)
{
	const char *text = getenv("FUZZ_RUNS");
	uint64_t runs = RUNS_DEFAULT;

	if (text != NULL)
		parse_u64(bytes_of(text), 0, UINT32_MAX, &runs);
	return (size_t)runs;
}

int
main(int argc, char **argv)
{
	struct seed *seeds = xcalloc(SEEDS_MAX, sizeof(*seeds));
	const char *name = strrchr(argv[0], '/');
	char *directory;
	size_t count = 0, i;

	signal(SIGABRT, on_signal);
	if (__sanitizer_set_death_callback != NULL)
		__sanitizer_set_death_callback(save_input);
	else
		signal(SIGSEGV, on_signal);
	for (i = 1; i < (size_t)argc && count < SEEDS_MAX; i++)
		if (read_seed(argv[i], &seeds[count]) == 0)
			count++;
	name = name != NULL ? name + 1 : argv[0];
	if (strncmp(name, "fuzz_", 5) == 0)
		name += 5;
	directory = xprintf("%s/tests/fuzz/seeds/%s", SRCDIR, name);
	if (argc == 1)
		count = read_seeds(directory, seeds);
	for (i = 0; i < count; i++)
		run(seeds[i].data.data, seeds[i].data.len);
	for (i = 0; argc == 1 && i < count; i++)
		run_mutations(seeds, count, i, wanted_runs());
	printf("%s: %zu inputs\n", name, count);
	for (i = 0; i < count; i++) {
		free(seeds[i].name);
		free((char *)seeds[i].data.data);
	}
	free(seeds);
	free(directory);
	return count > 0 ? 0 : 1;
}
