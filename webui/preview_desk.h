/*
 * preview_desk.h - who makes a preview now, and those that took long.
 *
 * A mail made to be slow costs a second of processor time whenever its
 * preview is made.  So at most a few are made at once, of one person fewer,
 * some wait, and the others are asked to come again; one that is being made
 * is not made a second time beside it; and what took long is kept for some
 * minutes, so that looking again costs nothing.  Kept are finished answers,
 * by the id of a held mail, which never changes, and what was wanted of it;
 * whether somebody may see them is asked before, each time.
 *
 * All calls are safe from any thread.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef WEBUI_PREVIEW_DESK_H
#define WEBUI_PREVIEW_DESK_H

#include "base/buf.h"
#include "base/err.h"

/* Made at once, and waiting, of all people and of one. */
#define PREVIEW_AT_ONCE_MAX 3u
#define PREVIEW_WAITING_MAX 5u
#define PREVIEW_PERSON_MAX 3u
/* Kept: what took this much processor time, all together this much. */
#define PREVIEW_SLOW_MS 20
#define PREVIEW_KEPT_BYTES_MAX ((size_t)32 * 1024 * 1024)
#define PREVIEW_KEPT_MAX 256
#define PREVIEW_KEPT_MS (10 * 60 * 1000)

struct preview_desk;
struct preview_desk *preview_desk_new(void);
void preview_desk_free(struct preview_desk *desk);

/*
 * Begin, for a person (NULL: the command line).  1: *out has what was made
 * before.  0: make it, then preview_desk_done.  -1: ERR_TEMP, too many at
 * once; or it was made before and failed, with the same error.
 */
int preview_desk_take(struct preview_desk *desk, const char *key,
    const char *person, struct buf *out, struct err *err);

/* It is made: made is what it became, or NULL and why says why not (what is
 * over a ceiling stays so). */
void preview_desk_done(struct preview_desk *desk, const char *key,
    const struct buf *made, const struct err *why);

#endif
