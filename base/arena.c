/*
 * arena.c - memory that lives as long as one thing does and is freed whole.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"

#define FIRST_SIZE_DEFAULT 8192
#define BLOCK_MAX (256 * 1024)
#define ALIGN (sizeof(union align))

union align {
	void *p;
	long double d;
	long long ll;
};

struct block {
	struct block *next;
	size_t size; /* of data[] */
	size_t used;
	union align data[];
};

struct arena {
	struct block *block; /* the one that is being filled */
	size_t used;
};

static struct block *
block_new(size_t size, struct block *next)
{
	struct block *block;

	if (size > SIZE_MAX - sizeof(*block))
		abort();
	block = xmalloc(sizeof(*block) + size);
	block->next = next;
	block->size = size;
	block->used = 0;
	return block;
}

struct arena *
arena_new(size_t first_size)
{
	struct arena *arena = xmalloc(sizeof(*arena));

	arena->block =
	    block_new(first_size > 0 ? first_size : FIRST_SIZE_DEFAULT, NULL);
	arena->used = 0;
	return arena;
}

void
arena_free(struct arena *arena)
{
	struct block *block, *next;

	if (arena == NULL)
		return;
	for (block = arena->block; block != NULL; block = next) {
		next = block->next;
		free(block);
	}
	free(arena);
}

void *
arena_alloc(struct arena *arena, size_t size)
{
	struct block *block = arena->block;
	size_t grown;
	char *p;

	if (size > SIZE_MAX - ALIGN)
		abort();
	size = (size + ALIGN - 1) / ALIGN * ALIGN;
	arena->used += size;
	if (size > block->size - block->used) {
		grown = block->size < BLOCK_MAX ? block->size * 2 : BLOCK_MAX;
		if (size > grown / 2) {
			/* A large piece gets a block of its own behind the
			 * current one, whose rest stays usable. */
			block->next = block_new(size, block->next);
			block->next->used = size;
			return block->next->data;
		}
		block = arena->block = block_new(grown, block);
	}
	p = (char *)block->data + block->used;
	block->used += size;
	return p;
}

void *
arena_calloc(struct arena *arena, size_t n, size_t size)
{
	void *p;

	if (size > 0 && n > SIZE_MAX / size)
		abort();
	p = arena_alloc(arena, n * size);
	memset(p, 0, n * size);
	return p;
}

char *
arena_strdup(struct arena *arena, const char *s)
{
	return arena_memdup(arena, s, strlen(s));
}

char *
arena_memdup(struct arena *arena, const void *data, size_t len)
{
	char *p;

	if (len > SIZE_MAX - 1)
		abort();
	p = arena_alloc(arena, len + 1);
	if (len > 0)
		memcpy(p, data, len);
	p[len] = '\0';
	return p;
}

char *
arena_vprintf(struct arena *arena, const char *fmt, va_list ap)
{
	va_list again;
	char *p;
	int len;

	va_copy(again, ap);
	len = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	if (len < 0)
		abort();
	p = arena_alloc(arena, (size_t)len + 1);
	vsnprintf(p, (size_t)len + 1, fmt, ap);
	return p;
}

char *
arena_printf(struct arena *arena, const char *fmt, ...)
{
	va_list ap;
	char *p;

	va_start(ap, fmt);
	p = arena_vprintf(arena, fmt, ap);
	va_end(ap);
	return p;
}

size_t
arena_used(const struct arena *arena)
{
	return arena->used;
}

void *
xmalloc(size_t size)
{
	void *p = malloc(size > 0 ? size : 1);

	if (p == NULL)
		abort();
	return p;
}

void *
xcalloc(size_t n, size_t size)
{
	void *p = calloc(n > 0 ? n : 1, size > 0 ? size : 1);

	if (p == NULL)
		abort();
	return p;
}

void *
xrealloc(void *old, size_t size)
{
	void *p = realloc(old, size > 0 ? size : 1);

	if (p == NULL)
		abort();
	return p;
}

char *
xstrdup(const char *s)
{
	return xmemdup(s, strlen(s));
}

char *
xmemdup(const void *data, size_t len)
{
	char *p;

	if (len > SIZE_MAX - 1)
		abort();
	p = xmalloc(len + 1);
	if (len > 0)
		memcpy(p, data, len);
	p[len] = '\0';
	return p;
}

char *
xprintf(const char *fmt, ...)
{
	va_list ap;
	char *p;
	int len;

	va_start(ap, fmt);
	len = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (len < 0)
		abort();
	p = xmalloc((size_t)len + 1);
	va_start(ap, fmt);
	vsnprintf(p, (size_t)len + 1, fmt, ap);
	va_end(ap);
	return p;
}
