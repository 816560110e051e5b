/*
 * load.c - sends the mails of an index through filters, and measures.
 *
 *	load [-c SESSIONS] [-n COUNT] [-s SIZE] [-o FILE] -i INDEX FILTER...
 *
 * Each session is a thread that takes the next mail, opens a connection to
 * the filter, sends the mail and closes the connection, as an MTA does for
 * an SMTP session with one mail.  With several filters each mail goes
 * through all of them in order, until one refuses it, and the fields that
 * one adds are shown to the next.  A FILTER is unix:/PATH, inet:PORT@HOST.
 *
 * Prints one JSON object: what became of the mails, how many a second, and
 * how long one took (from connect to the last answer, in microseconds).
 * -o FILE gets a line a mail: file, verdict, added fields, by tabs.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/str.h"

#include "tests/bench/mails.h"
#include "tests/bench/mta.h"

#define FILTERS_MAX 8
#define SESSIONS_MAX 1000

struct options {
	const char *index, *out;
	uint64_t sessions, count, size_max;
	struct endpoint filters[FILTERS_MAX];
	size_t filter_count;
};

/* What all sessions share. */
struct run {
	const struct options *options;
	struct mails mails;
	FILE *out; /* or NULL */
	pthread_mutex_t out_lock;
	size_t count;
	atomic_size_t next;
	atomic_size_t errors;
	atomic_size_t verdicts[VERDICT_COUNT];
	int64_t *latency_us; /* by number of the mail; -1: an error */
};

/* ---- what filters added ---- */

/* Tabs and line ends of a value would be taken for ours. */
static void
write_field(FILE *out, const struct added_field *field)
{
	const char *p;

	fprintf(out, "\t%s:", field->name);
	for (p = field->value; *p != '\0'; p++)
		putc(ascii_is_space(*p) ? ' ' : *p, out);
}

static void
write_line(struct run *run, const struct mail *mail, enum verdict verdict,
    const struct added *added)
{
	const char *slash = strrchr(mail->file, '/');
	size_t i;

	pthread_mutex_lock(&run->out_lock);
	fprintf(run->out, "%s\t%s", slash != NULL ? slash + 1 : mail->file,
	    verdict_name(verdict));
	for (i = 0; i < added->count; i++)
		write_field(run->out, &added->fields[i]);
	putc('\n', run->out);
	pthread_mutex_unlock(&run->out_lock);
}

/* ---- a session ---- */

static int
send_mail(struct run *run, const struct mail *mail, struct added *added,
    enum verdict *verdict, struct err *err)
{
	const struct options *options = run->options;
	struct mta *mta;
	size_t i;
	int rc = 0;

	*verdict = VERDICT_ACCEPT;
	for (i = 0;
	     rc == 0 && *verdict == VERDICT_ACCEPT && i < options->filter_count;
	     i++) {
		mta = mta_open(&options->filters[i], err);
		if (mta == NULL)
			return -1;
		rc = mta_send(mta, mail, added, verdict, err);
		mta_close(mta);
	}
	return rc;
}

static void
do_mail(struct run *run, size_t n)
{
	const struct mail *mail = &run->mails.mails[n % run->mails.count];
	struct added added = { NULL, 0 };
	int64_t begun_us = clock_mono_us();
	enum verdict verdict;
	struct err err;

	if (send_mail(run, mail, &added, &verdict, &err) < 0) {
		if (atomic_fetch_add(&run->errors, 1) == 0)
			fprintf(stderr, "load: %s: %s\n", mail->file, err.text);
		run->latency_us[n] = -1;
	} else {
		run->latency_us[n] = clock_mono_us() - begun_us;
		atomic_fetch_add(&run->verdicts[verdict], 1);
		if (run->out != NULL)
			write_line(run, mail, verdict, &added);
	}
	added_clear(&added);
}

static void *
session(void *context)
{
	struct run *run = context;
	size_t n;

	while ((n = atomic_fetch_add(&run->next, 1)) < run->count)
		do_mail(run, n);
	return NULL;
}

static int
run_sessions(struct run *run)
{
	pthread_t threads[SESSIONS_MAX];
	size_t i, started;
	int rc = 0;

	for (started = 0; rc == 0 && started < run->options->sessions;)
		if ((rc = pthread_create(&threads[started], NULL, session,
			 run)) == 0)
			started++;
	if (rc != 0)
		fprintf(stderr, "load: thread: %s\n", strerror(rc));
	for (i = 0; i < started; i++)
		pthread_join(threads[i], NULL);
	return rc == 0 ? 0 : -1;
}

/* ---- the report ---- */

static int
by_value(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static void
print_latency(int64_t *latency_us, size_t count)
{
	static const struct {
		const char *name;
		size_t percent;
	} rows[] = { { "p50", 50 }, { "p95", 95 }, { "p99", 99 },
		{ "max", 100 } };
	double sum = 0;
	size_t i, n, first = 0;

	qsort(latency_us, count, sizeof(*latency_us), by_value);
	while (first < count && latency_us[first] < 0)
		first++;
	for (i = first; i < count; i++)
		sum += (double)latency_us[i];
	n = count - first;
	printf("\"latency_us\": {\"mean\": %.1f", n > 0 ? sum / (double)n : 0);
	for (i = 0; n > 0 && i < sizeof(rows) / sizeof(rows[0]); i++)
		printf(", \"%s\": %lld", rows[i].name,
		    (long long)
			latency_us[first + (n - 1) * rows[i].percent / 100]);
	printf("}");
}

static void
report(struct run *run, int64_t took_us)
{
	size_t errors = atomic_load(&run->errors);
	enum verdict verdict;

	printf("{\"messages\": %zu, \"errors\": %zu, \"seconds\": %.4f, "
	       "\"rate\": %.1f, \"verdicts\": {",
	    run->count - errors, errors, (double)took_us / 1e6,
	    (double)(run->count - errors) * 1e6 / (double)took_us);
	for (verdict = 0; verdict < VERDICT_COUNT; verdict++)
		printf("%s\"%s\": %zu", verdict > 0 ? ", " : "",
		    verdict_name(verdict),
		    atomic_load(&run->verdicts[verdict]));
	printf("}, ");
	print_latency(run->latency_us, run->count);
	printf("}\n");
}

/* ---- main ---- */

static _Noreturn void
usage(void)
{
	fputs("usage: load [-c SESSIONS] [-n COUNT] [-s SIZE] [-o FILE]"
	      " -i INDEX FILTER...\n",
	    stderr);
	exit(2);
}

static uint64_t
read_number(const char *text, uint64_t most)
{
	uint64_t n;

	if (parse_u64(bytes_of(text), 1, most, &n) < 0)
		usage();
	return n;
}

static void
read_options(int argc, char **argv, struct options *options)
{
	struct err err;
	int c;

	while ((c = getopt(argc, argv, "c:i:n:o:s:")) != -1) {
		switch (c) {
		case 'c':
			options->sessions = read_number(optarg, SESSIONS_MAX);
			break;
		case 'i':
			options->index = optarg;
			break;
		case 'n':
			options->count = read_number(optarg, SIZE_MAX / 16);
			break;
		case 'o':
			options->out = optarg;
			break;
		case 's':
			options->size_max = read_number(optarg, SIZE_MAX);
			break;
		default:
			usage();
		}
	}
	if (options->index == NULL || optind == argc ||
	    argc - optind > FILTERS_MAX)
		usage();
	for (; optind < argc; optind++)
		if (endpoint_parse(argv[optind],
			&options->filters[options->filter_count++], &err) < 0) {
			fprintf(stderr, "load: %s: %s\n", argv[optind],
			    err.text);
			exit(2);
		}
}

int
main(int argc, char **argv)
{
	struct options options = { .sessions = 1, .size_max = SIZE_MAX };
	struct run run = { .options = &options };
	int64_t begun_us;
	struct err err;
	int rc;

	read_options(argc, argv, &options);
	if (mails_read(&run.mails, options.index, options.size_max, &err) < 0) {
		fprintf(stderr, "load: %s\n", err.text);
		return 1;
	}
	if (options.out != NULL &&
	    (run.out = fopen(options.out, "w")) == NULL) {
		fprintf(stderr, "load: %s: %s\n", options.out, strerror(errno));
		return 1;
	}
	run.count = options.count > 0 ? options.count : run.mails.count;
	run.latency_us = xcalloc(run.count, sizeof(*run.latency_us));
	pthread_mutex_init(&run.out_lock, NULL);
	begun_us = clock_mono_us();
	rc = run_sessions(&run);
	report(&run, clock_mono_us() - begun_us);
	if (run.out != NULL && fclose(run.out) != 0)
		rc = -1;
	pthread_mutex_destroy(&run.out_lock);
	free(run.latency_us);
	mails_free(&run.mails);
	return rc == 0 && atomic_load(&run.errors) == 0 ? 0 : 1;
}
