/*
 * subject.h - the mark that `tag` puts before a Subject.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef MAIL_SUBJECT_H
#define MAIL_SUBJECT_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/buf.h"

/*
 * The value of a Subject field (as in header.h, with leading space and
 * folds) with mark (UTF-8) before it, one space between; no other byte is
 * touched.  false: the mark stands there already, however it is encoded;
 * *marked is then value.  An empty value gives what a message without
 * Subject gets.
 */
bool subject_mark(struct arena *arena, struct bytes value, const char *mark,
    struct bytes *marked);

#endif
