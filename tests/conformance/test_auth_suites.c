/*
 * test_auth_suites.c - foreign suites for DKIM and ARC.
 *
 * The suites are read in place through CORPORA, by Python, which knows
 * their formats: auth_suites.py.  It is started here and in turn starts
 * this program with the argument "serve", to have its cases scanned.
 *
 * As a server: lines in
 *	txt NAME DATA            a TXT record for the cases that follow
 *	fail NAME STATUS         its questions fail: servfail, nxdomain...
 *	forget                   the records
 *	rules SHA1 BITS TRIES    what DKIM accepts: 0 1024 10
 *	message LENGTH           and then so many octets: scan them
 *	seal NOW SELECTOR DOMAIN NAME:NAME... LENGTH
 *	                         the message last scanned; the octets are
 *	                         the key in PEM
 *	results TEXT             for ARC-Authentication-Results
 * and out "dkim RESULT d= s= PROBLEM" for each signature, "arc RESULT
 * PROBLEM", "end"; for a seal "set FIELD VALUE" three times or never, "end".
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "mail/message.h"
#include "policy/arc_seal.h"
#include "tests/policy/mail_lab.h"

static const char *
or_dash(const char *text)
{
	return text != NULL && *text != '\0' ? text : "-";
}

static struct bytes
read_octets(struct lab *lab, size_t len)
{
	char *octets = arena_alloc(lab->arena, len + 1);

	if (fread(octets, 1, len, stdin) != len)
		exit(2);
	return (struct bytes){ octets, len };
}

static void
scan_message(struct lab *lab, size_t len)
{
	const struct auth *auth = lab_scan(lab, read_octets(lab, len), 4096);
	size_t i;

	for (i = 0; i < auth->dkim.count; i++) {
		const struct auth_dkim_signature *signature =
		    &auth->dkim.signatures[i];

		printf("dkim %s %s %s %s\n",
		    auth_result_name(signature->result),
		    or_dash(signature->domain), or_dash(signature->selector),
		    or_dash(signature->problem));
	}
	printf("arc %s %s\nend\n", auth_result_name(auth->arc.result),
	    or_dash(auth->arc.problem));
	fflush(stdout);
}

static enum dns_status
status_of(struct bytes word)
{
	enum dns_status status;

	for (status = DNS_OK; status <= DNS_BOGUS; status++)
		if (bytes_equal(word, bytes_of(dns_status_name(status))))
			return status;
	exit(2);
}

static uint64_t
number(struct cursor *c)
{
	uint64_t n = 0;

	(void)cursor_space(c);
	if (!cursor_u64(c, UINT32_MAX, &n))
		exit(2);
	return n;
}

static const char *
word(struct lab *lab, struct cursor *c, const char *stops)
{
	struct bytes text = cursor_until(c, stops);

	return arena_memdup(lab->arena, text.data, text.len);
}

static void
print_unfolded(const char *field, const char *value)
{
	printf("set %s", field);
	for (; *value != '\0'; value++)
		if (*value != '\r' && *value != '\n')
			putchar(*value);
	putchar('\n');
}

static void
seal(struct lab *lab, struct cursor *c, const char *results)
{
	struct arc_seal_request request = { .results = results };
	const char *names[16] = { NULL };
	struct signing_key *key;
	struct arc_sealed sealed;
	size_t n = 0;

	request.now_s = (int64_t)number(c);
	(void)cursor_space(c);
	request.selector = word(lab, c, " ");
	(void)cursor_space(c);
	request.domain = word(lab, c, " ");
	(void)cursor_space(c);
	do
		names[n++] = word(lab, c, " :");
	while (cursor_char(c, ':') && n < 15);
	key = signing_key_read(read_octets(lab, number(c)), NULL);
	request.header = &lab->message->header;
	request.body = lab->body;
	request.arc = &lab->scan->auth.arc;
	request.names = names;
	request.key = key;
	/* The suite's seals cover signatures that are not folded. */
	request.line_max = 1000;
	if (key == NULL)
		exit(2);
	if (arc_seal(lab->arena, &request, &sealed, NULL) == 1) {
		print_unfolded("AAR", sealed.results);
		print_unfolded("AMS", sealed.message_signature);
		print_unfolded("AS", sealed.seal);
	}
	puts("end");
	fflush(stdout);
	signing_key_free(key);
}

/* results is kept from its line to that of the seal. */
static void
run_line(struct lab *lab, struct bytes line, const char **results)
{
	struct cursor c = cursor_of(line);
	struct bytes name, rest;

	if (cursor_literal(&c, "message ")) {
		scan_message(lab, number(&c));
	} else if (cursor_literal(&c, "seal ")) {
		seal(lab, &c, *results);
	} else if (cursor_literal(&c, "results ")) {
		*results = word(lab, &c, "");
	} else if (cursor_literal(&c, "rules ")) {
		lab->dkim.rules.sha1 = number(&c) != 0;
		lab->dkim.rules.rsa_bits_min = (unsigned)number(&c);
		lab->dkim.tries_max = number(&c);
	} else if (cursor_literal(&c, "forget")) {
		lab_forget_zone(lab);
	} else if (cursor_literal(&c, "txt ")) {
		name = cursor_until(&c, " ");
		(void)cursor_char(&c, ' ');
		rest = (struct bytes){ c.p, (size_t)(c.end - c.p) };
		fake_dns_add(lab->dns,
		    arena_memdup(lab->arena, name.data, name.len), DNS_TXT,
		    rest);
	} else if (cursor_literal(&c, "fail ")) {
		name = cursor_until(&c, " ");
		(void)cursor_char(&c, ' ');
		rest = (struct bytes){ c.p, (size_t)(c.end - c.p) };
		fake_dns_fail(lab->dns,
		    arena_memdup(lab->arena, name.data, name.len),
		    status_of(rest));
	} else {
		exit(2);
	}
}

static int
serve(void)
{
	struct lab *lab = lab_new();
	const char *results = "";
	char *line = NULL;
	size_t size = 0;
	ssize_t len;

	while ((len = getline(&line, &size, stdin)) > 0) {
		if (line[len - 1] == '\n')
			len--;
		run_line(lab, (struct bytes){ line, (size_t)len }, &results);
	}
	free(line);
	lab_free(lab);
	return 0;
}

int
main(int argc, char **argv)
{
	/* Debian's own, which has the packages that are needed. */
	const char *python = "/usr/bin/python3";

	if (argc > 1 && strcmp(argv[1], "serve") == 0)
		return serve();
	setenv("AUTH_RUNNER", argv[0], 1);
	execl(python, python, SRCDIR "/tests/conformance/auth_suites.py",
	    (char *)NULL);
	printf("SKIPPED: dkim, arc: there is no %s\n", python);
	return 77;
}
