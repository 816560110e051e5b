/*
 * fuzz_report_file.c - whatever somebody sends as a report: zip, gzip, XML,
 * JSON.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>

#include "policy/report_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int
take(void *context, const struct report_file *file, struct err *err)
{
	(void)context;
	(void)err;
	if ((file->dmarc == NULL) == (file->tls == NULL))
		abort();
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err err;

	err_clear(&err);
	if (report_file_read((struct bytes){ (const char *)data, size }, take,
		NULL, &err) < 0 &&
	    (err.kind == ERR_NONE || err.text[0] == '\0'))
		abort();
	return 0;
}
