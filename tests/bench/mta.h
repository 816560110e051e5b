/*
 * mta.h - the MTA's side of the milter protocol, as Postfix plays it.
 *
 * An mta is one connection to one filter.  What needs no answer is
 * collected and written together with what does.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef TESTS_BENCH_MTA_H
#define TESTS_BENCH_MTA_H

#include <stdbool.h>
#include <stddef.h>

#include "base/endpoint.h"
#include "base/err.h"

struct mail;
struct mta;

enum verdict {
	VERDICT_ACCEPT,
	VERDICT_REJECT,
	VERDICT_DEFER,
	VERDICT_DISCARD,
	VERDICT_COUNT
};

/* "accept", ... */
const char *verdict_name(enum verdict verdict);

/* Fields that filters have put on top or at the end, in that order. */
struct added {
	struct added_field {
		bool on_top;
		char *name, *value;
	} * fields;
	size_t count;
};

void added_clear(struct added *added);

/* Connects and negotiates; NULL with *err. */
struct mta *mta_open(const struct endpoint *filter, struct err *err);
/* Says goodbye. */
void mta_close(struct mta *mta);

/*
 * One mail, from connect to the final answer.  What filters before this one
 * have added is shown to it; what it adds is added.
 */
int mta_send(struct mta *mta, const struct mail *mail, struct added *added,
    enum verdict *verdict, struct err *err);

#endif
