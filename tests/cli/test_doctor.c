/*
 * test_doctor.c - tests of cli/doctor.c, cli/postfix.c and cli/run.c.
 *
 * A script plays postconf; where a real one is installed, it reads the very
 * lines that README.md tells operators to add, and nothing may be wrong.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit.h"

#include "base/file.h"

#include "cli/doctor.h"
#include "cli/run.h"

#define POSTCONF "/usr/sbin/postconf"

static const char *const files[] = { "postconf", "main", "over", "master",
	"main.cf", "master.cf" };

static void
write_file(const char *name, const char *text)
{
	FILE *file = fopen(name, "w");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static int
enter_directory(void **state)
{
	char path[] = "/tmp/sekimori-doctor.XXXXXX";

	if (mkdtemp(path) == NULL || chdir(path) < 0)
		return -1;
	*state = strdup(path);
	write_file("postconf",
	    "#!/bin/sh\n"
	    "case $1 in\n"
	    "-x) cat main ;;\n"
	    "-Px) cat over ;;\n"
	    "-M) cat master ;;\n"
	    "esac\n");
	return chmod("postconf", 0755);
}

static int
leave_directory(void **state)
{
	size_t i;

	for (i = 0; i < ARRAY_LEN(files); i++)
		unlink(files[i]);
	if (chdir("/") < 0 || rmdir(*state) < 0)
		return -1;
	free(*state);
	return 0;
}

/* A Postfix of which nothing is wrong; later lines of main are found
 * first. */
static const char good_main[] =
    "milter_default_action = tempfail\n"
    "milter_protocol = 6\n"
    "milter_content_timeout = 300s\n"
    "message_reject_characters = \\0\n"
    "smtpd_forbid_bare_newline = yes\n"
    "enable_original_recipient = yes\n"
    "disable_mime_output_conversion = yes\n"
    "message_size_limit = 67108864\n"
    "smtpd_milters = inet:127.0.0.1:8895\n"
    "receive_override_options =\n"
    "recipient_delimiter = +\n"
    "queue_directory = /var/spool/postfix\n"
    "content_filter =\n"
    "local_header_rewrite_clients = permit_inet_interfaces\n"
    "mynetworks = 192.0.2.0/24\n"
    "smtpd_recipient_restrictions =\n"
    "relay_domains = socketmap:inet:127.0.0.1:8896:relay_domains\n"
    "transport_maps = hash:/x, socketmap:inet:localhost:8896:transport\n"
    "relay_recipient_maps = socketmap:inet:127.0.0.1:8896:recipients\n"
    "virtual_alias_maps = socketmap:inet:127.0.0.1:8896:aliases\n";

#define RELEASE "127.0.0.1:10026/inet/"

static const char good_over[] =
    RELEASE "smtpd_milters =\n" RELEASE "content_filter =\n" RELEASE
	    "local_header_rewrite_clients =\n" RELEASE
	    "smtpd_recipient_restrictions = permit_mynetworks,reject\n" RELEASE
	    "mynetworks = 127.0.0.0/8\n" RELEASE "receive_override_options = "
	    "no_unknown_recipient_checks, no_header_body_checks\n";

static const char good_master[] =
    "smtp       inet  n       -       y       -       -       smtpd\n"
    "127.0.0.1:10026 inet n   -       n       -       -       smtpd -o "
    "smtpd_milters=\n"
    "cleanup    unix  n       -       y       -       0       cleanup\n";

static void
examine(struct doctor *doctor, struct arena *arena, const struct conf *conf)
{
	static const struct postfix_options options = { "./postconf", NULL };
	struct postfix *postfix = arena_calloc(arena, 1, sizeof(*postfix));
	struct err err;

	if (postfix_read(arena, &options, postfix, &err) < 0)
		case_fail("postconf", "%s", err.text);
	doctor_postfix(doctor, arena, conf, postfix);
}

static void
set(struct conf *conf, const char *name, const char *value)
{
	assert_int_equal(option_set(option_find(conf_options, conf_option_count,
					name),
			     conf, bytes_of(value), NULL),
	    0);
}

static void
test_rules(void **state)
{
	static const struct {
		const char *label;
		const char *main, *over, *master; /* put before the good */
		const char *option, *value;       /* of our config */
		enum finding_level level;
		const char *found, *file, *mend; /* NULL: nothing */
	} cases[] = {
		{ "good", "", "", "", NULL, NULL, 0, NULL, NULL, NULL },
		{ "action", "milter_default_action = accept\n", "", "", NULL,
		    NULL, FINDING_WRONG, "milter_default_action = accept",
		    "main.cf", "milter_default_action = tempfail" },
		{ "NUL and others", "message_reject_characters = \\0\\1\n", "",
		    "", NULL, NULL, 0, NULL, NULL, NULL },
		{ "NUL", "message_reject_characters = \\200\n", "", "", NULL,
		    NULL, FINDING_WRONG, "message_reject_characters = \\200",
		    "main.cf", "message_reject_characters = \\0" },
		{ "normalize", "smtpd_forbid_bare_newline = normalize\n", "",
		    "", NULL, NULL, 0, NULL, NULL, NULL },
		{ "bare newline", "smtpd_forbid_bare_newline = no\n", "", "",
		    NULL, NULL, FINDING_WRONG, "smtpd_forbid_bare_newline = no",
		    "main.cf", "smtpd_forbid_bare_newline = yes" },
		{ "no milter", "smtpd_milters =\n", "", "", NULL, NULL,
		    FINDING_WRONG, "smtpd_milters =", "main.cf",
		    "smtpd_milters = inet:127.0.0.1:8895" },
		{ "another milter", "smtpd_milters = inet:127.0.0.1:8891\n", "",
		    "", NULL, NULL, FINDING_WRONG,
		    "smtpd_milters = inet:127.0.0.1:8891", "main.cf",
		    "smtpd_milters = inet:127.0.0.1:8891, "
		    "inet:127.0.0.1:8895" },
		{ "another before",
		    "smtpd_milters = inet:127.0.0.1:8891 { "
		    "inet:localhost:8895, "
		    "connect_timeout=10s }\n",
		    "", "", NULL, NULL, 0, NULL, NULL, NULL },
		{ "another behind",
		    "smtpd_milters = { inet:127.0.0.1:8895, x=y }, "
		    "unix:/a\n",
		    "", "", NULL, NULL, FINDING_WRONG,
		    "smtpd_milters = { inet:127.0.0.1:8895, x=y }, unix:/a",
		    "main.cf",
		    "smtpd_milters = unix:/a, { inet:127.0.0.1:8895, x=y }" },
		{ "a service without", "", "submission/inet/smtpd_milters =\n",
		    "submission inet n - y - - smtpd\n", NULL, NULL,
		    FINDING_WRONG, "submission/inet: smtpd_milters =",
		    "master.cf, below submission inet",
		    "    -o { smtpd_milters = inet:127.0.0.1:8895 }" },
		{ "no_milters", "",
		    "smtp/inet/receive_override_options = "
		    "no_address_mappings,no_milters\n",
		    "", NULL, NULL, FINDING_WRONG,
		    "smtp/inet: receive_override_options = "
		    "no_address_mappings,no_milters",
		    "master.cf, below smtp inet",
		    "    -o receive_override_options=" },
		{ "all addresses", "", "", "", "milter_listen",
		    "inet:8895@0.0.0.0", 0, NULL, NULL, NULL },
		{ "socket in the chroot", "smtpd_milters = unix:/sekimori/s\n",
		    "", "", "milter_listen",
		    "unix:/var/spool/postfix/sekimori/s", 0, NULL, NULL, NULL },
		{ "relative socket", "smtpd_milters = unix:sekimori/s\n", "",
		    "", "milter_listen", "local:/var/spool/postfix/sekimori/s",
		    0, NULL, NULL, NULL },
		{ "socket out of the chroot", "smtpd_milters = unix:/run/s\n",
		    "", "", "milter_listen", "unix:/run/s", FINDING_WRONG,
		    "smtp/inet runs in a chroot and cannot reach unix:/run/s",
		    "sekimori.conf, with smtpd_milters = inet:127.0.0.1:8895 "
		    "in main.cf",
		    "milter_listen = \"inet:8895@127.0.0.1\"" },
		{ "no size limit", "message_size_limit = 0\n", "", "", NULL,
		    NULL, FINDING_WRONG, "message_size_limit = 0", "main.cf",
		    "message_size_limit = 67108864" },
		{ "large mail cannot be held",
		    "message_size_limit = 67108865\n", "", "", NULL, NULL,
		    FINDING_ADVICE, "message_size_limit = 67108865", "main.cf",
		    "message_size_limit = 67108864" },
		{ "impatient", "milter_content_timeout = 10s\n", "", "", NULL,
		    NULL, FINDING_WRONG, "milter_content_timeout = 10s",
		    "main.cf", "milter_content_timeout = 300s" },
		{ "delimiter", "recipient_delimiter = +-\n", "", "", NULL, NULL,
		    FINDING_ADVICE, "recipient_delimiter = +-", "sekimori.conf",
		    "recipient_delimiter = \"+-\"" },
		{ "no delimiter", "recipient_delimiter =\n", "", "", NULL, NULL,
		    0, NULL, NULL, NULL },
		{ "release by milters", "",
		    RELEASE "smtpd_milters = inet:127.0.0.1:8895\n", "", NULL,
		    NULL, FINDING_WRONG,
		    "127.0.0.1:10026/inet: smtpd_milters = "
		    "inet:127.0.0.1:8895",
		    "master.cf, below 127.0.0.1:10026 inet",
		    "    -o smtpd_milters=" },
		{ "release for all", "",
		    RELEASE "mynetworks = 127.0.0.0/8 10.0.0.0/8\n", "", NULL,
		    NULL, FINDING_WRONG,
		    "127.0.0.1:10026/inet: mynetworks = 127.0.0.0/8 "
		    "10.0.0.0/8",
		    "master.cf, below 127.0.0.1:10026 inet",
		    "    -o mynetworks=127.0.0.0/8" },
		{ "no release", "",
		    RELEASE "smtpd_milters = inet:127.0.0.1:8895\n", "",
		    "release_listener", "127.0.0.1:10027", FINDING_WRONG,
		    "nobody listens at 127.0.0.1:10027", "master.cf",
		    "127.0.0.1:10027 inet n - n - - smtpd\n"
		    "    -o smtpd_milters=\n"
		    "    -o content_filter=\n"
		    "    -o local_header_rewrite_clients=\n"
		    "    -o smtpd_recipient_restrictions=permit_mynetworks,"
		    "reject\n"
		    "    -o mynetworks=127.0.0.0/8\n"
		    "    -o receive_override_options=no_header_body_checks,"
		    "no_unknown_recipient_checks" },
		{ "release elsewhere", "", "", "", "release_listener",
		    "192.0.2.1:25", FINDING_WRONG,
		    "127.0.0.1:10026/inet: smtpd_milters =",
		    "master.cf, below 127.0.0.1:10026 inet",
		    "    -o { smtpd_milters = inet:127.0.0.1:8895 }" },
		{ "map", "transport_maps = hash:/etc/postfix/transport\n", "",
		    "", NULL, NULL, FINDING_ADVICE,
		    "transport_maps = hash:/etc/postfix/transport", "main.cf",
		    "transport_maps = "
		    "socketmap:inet:127.0.0.1:8896:transport" },
	};
	struct buf text;
	size_t i;

	(void)state;
	buf_init(&text, 100000);
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		struct arena *arena = arena_new(0);
		struct conf *conf = conf_new();
		const struct finding *finding;
		struct doctor doctor;

		buf_reset(&text);
		buf_printf(&text, "%s%s", cases[i].main, good_main);
		write_file("main", buf_str(&text));
		buf_reset(&text);
		buf_printf(&text, "%s%s", cases[i].over, good_over);
		write_file("over", buf_str(&text));
		buf_reset(&text);
		buf_printf(&text, "%s%s", cases[i].master, good_master);
		write_file("master", buf_str(&text));
		if (cases[i].option != NULL)
			set(conf, cases[i].option, cases[i].value);
		examine(&doctor, arena, conf);
		finding = doctor.first;
		if (cases[i].found == NULL) {
			if (finding != NULL)
				case_fail(cases[i].label, "found %s",
				    finding->found);
		} else if (finding == NULL) {
			case_fail(cases[i].label, "found nothing");
		} else if (strcmp(finding->found, cases[i].found) != 0 ||
		    strcmp(finding->file, cases[i].file) != 0 ||
		    strcmp(finding->mend, cases[i].mend) != 0 ||
		    finding->level != cases[i].level) {
			case_fail(cases[i].label, "found %s\nin %s\nmend %s",
			    finding->found, finding->file, finding->mend);
		} else if (finding->next != NULL) {
			case_fail(cases[i].label, "found also %s",
			    finding->next->found);
		}
		conf_free(conf);
		arena_free(arena);
	}
	buf_free(&text);
}

/* The lines between "```\n# /etc/postfix/NAME\n" and "```". */
static void
readme_block(const char *readme, const char *name, struct buf *out)
{
	char start[64];
	const char *from, *to;

	snprintf(start, sizeof(start), "```\n# /etc/postfix/%s\n", name);
	from = strstr(readme, start);
	assert_non_null(from);
	from += strlen(start);
	to = strstr(from, "\n```");
	assert_non_null(to);
	buf_append(out, from, (size_t)(to - from) + 1);
}

static void
test_lines_of_the_readme(void **state)
{
	static const struct postfix_options options = { POSTCONF, "." };
	struct arena *arena = arena_new(0);
	struct conf *conf = conf_new();
	struct buf readme, text;
	struct doctor doctor;
	struct postfix postfix;
	struct err err;

	(void)state;
	if (access(POSTCONF, X_OK) < 0) {
		print_message("skipped: 1 test, %s is not installed\n",
		    POSTCONF);
		skip();
	}
	buf_init(&readme, 1000000);
	buf_init(&text, 100000);
	assert_int_equal(file_read(SRCDIR "/README.md", &readme, &err), 0);
	buf_append_str(&text, "compatibility_level = 3.6\n");
	readme_block(buf_str(&readme), "main.cf", &text);
	write_file("main.cf", buf_str(&text));
	buf_reset(&text);
	buf_append_str(&text, "smtp inet n - y - - smtpd\n");
	readme_block(buf_str(&readme), "master.cf", &text);
	write_file("master.cf", buf_str(&text));
	if (postfix_read(arena, &options, &postfix, &err) < 0)
		case_fail("postconf", "%s", err.text);
	doctor_postfix(&doctor, arena, conf, &postfix);
	if (doctor.first != NULL)
		case_fail("README.md", "%s: %s", doctor.first->found,
		    doctor.first->why);
	assert_true(doctor.checked > 15);
	buf_free(&readme);
	buf_free(&text);
	conf_free(conf);
	arena_free(arena);
}

static void
test_postconf_fails(void **state)
{
	static const struct {
		const char *argv[4];
		const char *want;
	} cases[] = {
		{ { "/nonexistent/postconf", NULL },
		    "/nonexistent/postconf: No such file or directory" },
		{ { "sh", "-c", "echo one >&2; echo 'two: bad' >&2; exit 3" },
		    "sh says: two: bad" },
		{ { "sh", "-c", "exit 3" }, "sh ended with status 3" },
		{ { "sh", "-c", "echo 12345" }, "sh says more than 4 octets" },
	};
	struct buf out;
	struct err err;
	size_t i;

	(void)state;
	buf_init(&out, 4);
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		buf_reset(&out);
		if (run_and_read(cases[i].argv, &out, &err) == 0)
			case_fail(cases[i].want, "was taken");
		if (strcmp(err.text, cases[i].want) != 0)
			case_fail(cases[i].want, "got %s", err.text);
	}
	buf_free(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rules),
		cmocka_unit_test(test_lines_of_the_readme),
		cmocka_unit_test(test_postconf_fails),
	};

	return cmocka_run_group_tests_name("doctor", tests, enter_directory,
	    leave_directory);
}
