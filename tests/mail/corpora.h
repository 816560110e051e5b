/*
 * corpora.h - walks the messages of the test corpora, where they are there.
 *
 * The corpora are foreign data that lie beside the checkout (environment
 * CORPORA, default ../shared/corpora from its top); they are read in place.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef TESTS_MAIL_CORPORA_H
#define TESTS_MAIL_CORPORA_H

#include "base/buf.h"

/*
 * Calls each for every step-th message file of all sets, in the order of
 * their names.  Returns how many; prints what is missing by name.
 */
size_t corpora_each_message(size_t step,
    void (*each)(void *context, const char *path, struct bytes raw),
    void *context);

#endif
