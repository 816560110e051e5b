/*
 * body_hash.c - digests of the body, each made once for all who want it.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include "policy/body_hash.h"
#include "policy/scan.h"

/* A digest with its place among those of its run, shorter limits first. */
struct want {
	struct body_digest digest;
	struct want *next;
};

/* One hash over one canonical form. */
struct run {
	enum digest_algorithm algorithm;
	struct digest *digest;
	uint64_t count;
	struct want *wants;
	struct want *open; /* the first whose limit is not reached */
	struct run *next;
};

/* One canonical form. */
struct form {
	struct canon_body body;
	struct run *runs; /* NULL: nobody wants it */
};

struct body_hash {
	struct arena *arena;
	struct form forms[CANON_RELAXED + 1];
};

static void
run_add(struct run *run, const char *data, size_t len)
{
	struct want *want;
	uint64_t left;

	while ((want = run->open) != NULL) {
		left = want->digest.limit - run->count;
		if (left > len)
			break;
		digest_add(run->digest, data, (size_t)left);
		run->count += left;
		data += left;
		len -= (size_t)left;
		want->digest.reached = true;
		digest_value(run->digest, want->digest.value);
		run->open = want->next;
	}
	/* Behind the last limit octets are counted only. */
	if (run->open != NULL)
		digest_add(run->digest, data, len);
	run->count += len;
}

static void
form_write(void *context, const char *data, size_t len)
{
	struct form *form = context;
	struct run *run;

	for (run = form->runs; run != NULL; run = run->next)
		run_add(run, data, len);
}

struct body_hash *
body_hash_new(struct arena *arena)
{
	struct body_hash *hash = arena_calloc(arena, 1, sizeof(*hash));
	enum canon canon;

	hash->arena = arena;
	for (canon = CANON_SIMPLE; canon <= CANON_RELAXED; canon++)
		canon_body_init(&hash->forms[canon].body, canon, form_write,
		    &hash->forms[canon]);
	return hash;
}

void
body_hash_free(struct body_hash *hash)
{
	enum canon canon;
	struct run *run;

	if (hash == NULL)
		return;
	for (canon = CANON_SIMPLE; canon <= CANON_RELAXED; canon++)
		for (run = hash->forms[canon].runs; run != NULL;
		     run = run->next) {
			digest_free(run->digest);
			run->digest = NULL;
		}
}

static struct run *
form_run(struct body_hash *hash, struct form *form,
    enum digest_algorithm algorithm)
{
	struct run *run;

	for (run = form->runs; run != NULL; run = run->next)
		if (run->algorithm == algorithm)
			return run;
	run = arena_calloc(hash->arena, 1, sizeof(*run));
	run->algorithm = algorithm;
	run->digest = digest_new(algorithm);
	run->next = form->runs;
	form->runs = run;
	return run;
}

const struct body_digest *
body_hash_want(struct body_hash *hash, enum canon canon,
    enum digest_algorithm algorithm, uint64_t limit)
{
	struct run *run = form_run(hash, &hash->forms[canon], algorithm);
	struct want **place = &run->wants, *want;

	while (*place != NULL && (*place)->digest.limit < limit)
		place = &(*place)->next;
	if (*place != NULL && (*place)->digest.limit == limit)
		return &(*place)->digest;
	want = arena_calloc(hash->arena, 1, sizeof(*want));
	want->digest.limit = limit;
	want->next = *place;
	*place = want;
	run->open = run->wants;
	return &want->digest;
}

void
body_hash_add(struct body_hash *hash, struct bytes piece)
{
	enum canon canon;

	for (canon = CANON_SIMPLE; canon <= CANON_RELAXED; canon++)
		if (hash->forms[canon].runs != NULL)
			canon_body_add(&hash->forms[canon].body, piece);
}

static void
run_end(struct run *run)
{
	struct want *want;

	if (run->open != NULL && run->open->digest.limit == 0)
		run_add(run, "", 0);
	for (want = run->wants; want != NULL; want = want->next) {
		want->digest.total = run->count;
		if (want->digest.limit == BODY_WHOLE) {
			want->digest.reached = true;
			digest_value(run->digest, want->digest.value);
		}
	}
}

void
body_hash_end(struct body_hash *hash)
{
	enum canon canon;
	struct run *run;

	for (canon = CANON_SIMPLE; canon <= CANON_RELAXED; canon++) {
		if (hash->forms[canon].runs == NULL)
			continue;
		canon_body_end(&hash->forms[canon].body);
		for (run = hash->forms[canon].runs; run != NULL;
		     run = run->next)
			run_end(run);
	}
}

/* ---- as a check ---- */

struct body_hash *
body_hash_of(struct scan *scan)
{
	if (scan->state[CHECK_BODY] == NULL)
		scan->state[CHECK_BODY] = body_hash_new(scan->arena);
	return scan->state[CHECK_BODY];
}

static enum check_state
body_step(struct scan *scan)
{
	if (scan->stage != SCAN_END)
		return CHECK_WAIT;
	if (scan->state[CHECK_BODY] != NULL)
		body_hash_end(scan->state[CHECK_BODY]);
	return CHECK_DONE;
}

static void
body_piece(struct scan *scan, struct bytes piece)
{
	if (scan->state[CHECK_BODY] != NULL)
		body_hash_add(scan->state[CHECK_BODY], piece);
}

static void
body_fini(struct scan *scan)
{
	body_hash_free(scan->state[CHECK_BODY]);
}

/* Stands above those who want digests: at SCAN_END it is done first. */
const struct check check_body = {
	.id = CHECK_BODY,
	.name = "body",
	.step = body_step,
	.body = body_piece,
	.fini = body_fini,
};
