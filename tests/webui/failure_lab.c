/*
 * failure_lab.c - what tests of the senders of reports share.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit.h"

#include "base/clock.h"
#include "base/ulid.h"
#include "policy/failure.h"
#include "quarantine/failures.h"
#include "tests/webui/failure_lab.h"

void
failure_lab_set(char **option, const char *value)
{
	free(*option);
	*option = xstrdup(value);
}

static void
write_zone(const struct failure_lab *lab)
{
	char *name = xprintf("%s/zone", lab->directory);
	FILE *file = fopen(name, "w");

	assert_non_null(file);
	fputs("_dmarc.d.test. TXT \"v=DMARC1; p=none\"\n"
	      "d.test._report._dmarc.yes.test. TXT \"v=DMARC1\"\n"
	      "d.test._report._dmarc.other.test. TXT \"v=DMARC1; "
	      "rua=mailto:rua@other.test; ruf=mailto:ruf@other.test\"\n"
	      "d.test._report._dmarc.away.test. SERVFAIL\n",
	    file);
	fclose(file);
	failure_lab_set(&lab->conf->dns_zone, name);
	free(name);
}

void
failure_lab_open(struct failure_lab *lab)
{
	place_open(&lab->place, NULL);
	(void)snprintf(lab->directory, sizeof(lab->directory),
	    "/tmp/sekimori-failure.XXXXXX");
	assert_non_null(mkdtemp(lab->directory));
	lab->conf = conf_new();
	lab->conf->redis_timeout_ms = PATIENCE_MS;
	lab->conf->report_rate = 6000;
	lab->conf->release_timeout = 20;
	failure_lab_set(&lab->conf->redis, lab->place.server.url);
	failure_lab_set(&lab->conf->state_dir, lab->directory);
	failure_lab_set(&lab->conf->report_from, "dmarc@ours.test");
	failure_lab_set(&lab->conf->report_relay, "127.0.0.1:1");
	write_zone(lab);
}

void
failure_lab_close(struct failure_lab *lab)
{
	remove_dir(lab->directory);
	conf_free(lab->conf);
	place_close(&lab->place);
}

struct fake_smtp *
failure_lab_serve(struct failure_lab *lab, const char *const *script)
{
	struct fake_smtp *fake = fake_smtp_start(script, "8BITMIME,DSN");
	char *relay = xprintf("127.0.0.1:%s", fake_smtp_port(fake));

	failure_lab_set(&lab->conf->report_relay, relay);
	free(relay);
	return fake;
}

void
failure_lab_add(struct failure_lab *lab, const char *id, const char *ip,
    const char *ruf)
{
	struct ulid fresh = ulid_new();
	struct failure failure = { .id = id != NULL ? id : fresh.text,
		.arrival_ms = clock_wall_ms(),
		.what = "dmarc",
		.policy_domain = "d.test",
		.from_domain = "d.test",
		.ruf = ruf,
		.authserv_id = "mx.ours.test",
		.results = "mx.ours.test; dmarc=fail header.from=d.test",
		.alignment = "dkim, spf",
		.delivery = "delivered",
		.source_ip = ip,
		.mail_from = "x@d.test",
		.dkim_domain = "",
		.dkim_identity = "",
		.dkim_selector = "",
		.spf_domain = "",
		.spf_record = "" };
	json_t *json = failure_to_json(&failure);
	char *text = json_dumps(json, JSON_COMPACT);
	struct bytes bytes = bytes_of(text);
	struct err err;

	assert_int_equal(failures_append(lab->place.store, 1, &bytes, &err), 1);
	free(text);
	json_decref(json);
}
