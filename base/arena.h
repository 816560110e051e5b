/*
 * arena.h - memory that lives as long as one thing does and is freed whole.
 *
 * Most of what a transaction needs lives as long as the transaction: it is
 * allocated here and never freed one by one.  An arena belongs to one
 * thread at a time.  A small allocation that fails ends the process (the
 * MTA then defers); memory whose size comes from outside belongs into a
 * struct buf with a ceiling, or is checked before it is asked for.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stdarg.h>
#include <stddef.h>

struct arena;

/* first_size: bytes of the first block, 0 for the default of 8 kB. */
struct arena *arena_new(size_t first_size);
void arena_free(struct arena *arena);

/* Aligned for any type, not cleared.  Never NULL. */
void *arena_alloc(struct arena *arena, size_t size);
/* The same, cleared; n * size is checked for overflow. */
void *arena_calloc(struct arena *arena, size_t n, size_t size);

char *arena_strdup(struct arena *arena, const char *s);
/* A copy of len bytes with a NUL behind them. */
char *arena_memdup(struct arena *arena, const void *data, size_t len);
char *arena_printf(struct arena *arena, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
char *arena_vprintf(struct arena *arena, const char *fmt, va_list ap)
    __attribute__((format(printf, 2, 0)));

/* Bytes handed out so far, for accounting and ceilings. */
size_t arena_used(const struct arena *arena);

/* malloc family that ends the process instead of returning NULL. */
void *xmalloc(size_t size);
void *xcalloc(size_t n, size_t size);
void *xrealloc(void *p, size_t size);
char *xstrdup(const char *s);
char *xmemdup(const void *data, size_t len); /* a NUL behind the copy */
char *xprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
