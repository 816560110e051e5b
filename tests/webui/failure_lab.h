/*
 * failure_lab.h - what tests of the senders of reports share: a store, a
 * config, a zone, descriptions of failures.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef TESTS_WEBUI_FAILURE_LAB_H
#define TESTS_WEBUI_FAILURE_LAB_H

#include "base/conf.h"
#include "tests/mail/fake_smtp.h"
#include "tests/quarantine/hold_fixture.h"

struct failure_lab {
	struct place place;
	char directory[64];
	struct conf *conf;
};

/* Reports come from dmarc@ours.test; nobody listens yet. */
void failure_lab_open(struct failure_lab *lab);
void failure_lab_close(struct failure_lab *lab);

/* What report_relay is from now on. */
struct fake_smtp *failure_lab_serve(struct failure_lab *lab,
    const char *const *script);

/* A mail from d.test, by this client; id: NULL, or its message id. */
void failure_lab_add(struct failure_lab *lab, const char *id, const char *ip,
    const char *ruf);

void failure_lab_set(char **option, const char *value);

#endif
