/*
 * test_explain.c - tests of webui/explain: decision records in sentences.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit.h"

#include "base/arena.h"
#include "base/str.h"
#include "policy/class.h"
#include "webui/explain.h"

/* ---- nothing is without a sentence ---- */

static void
want_sentence(const char *part, const char *word)
{
	char *name = xprintf("%s%s", part, word);

	if (!explain_has(name))
		case_fail(name, "has no sentence");
	free(name);
}

static void
test_words(void **state)
{
	int i;

	(void)state;
	for (i = 0; i < CLASS_COUNT; i++)
		want_sentence("class.", main_class_name((enum main_class)i));
	for (i = 0; i < SUB_COUNT; i++)
		if (i != SUB_NONE)
			want_sentence("sub.",
			    sub_class_name((enum sub_class)i));
	for (i = 0; i < ACTION_COUNT; i++)
		want_sentence("action.", action_name((enum action)i));
}

static char *
read_file(const char *path)
{
	FILE *file = fopen(path, "rb");
	struct buf text;
	char piece[4096];
	size_t n;

	if (file == NULL)
		fail_msg("%s is missing", path);
	buf_init(&text, SIZE_MAX);
	while ((n = fread(piece, 1, sizeof(piece), file)) > 0)
		buf_append(&text, piece, n);
	fclose(file);
	return buf_steal(&text);
}

/* Names between from and to in the text, each a reason. */
static size_t
want_reasons(const char *text, const char *from, const char *to)
{
	const char *p = text, *end;
	size_t count = 0;
	char *name;

	while ((p = strstr(p, from)) != NULL) {
		p += strlen(from);
		end = strstr(p, to);
		if (end == NULL)
			break;
		name = xmemdup(p, (size_t)(end - p));
		if (strchr(name, '.') != NULL) {
			want_sentence("", name);
			count++;
		}
		free(name);
		p = end + strlen(to);
	}
	return count;
}

/* Those that the judging notes, and those that are documented. */
static void
test_reasons(void **state)
{
	char *text = read_file(SRCDIR "/policy/verdict.c");

	(void)state;
	assert_true(want_reasons(text, "note(judge, \"", "\"") > 10);
	free(text);
	text = read_file(SRCDIR "/doc/decision-record.md");
	assert_true(want_reasons(strstr(text, "Reasons:"), "`", "`") > 10);
	free(text);
}

/* ---- records ---- */

#define RESULTS                                                                \
	"'envelope': {'client_ip': '198.18.0.9'},"                             \
	"'results': {'spf': {'result': 'fail', 'domain': 'example.jp'},"       \
	" 'dkim': {'result': 'none', 'signatures': []},"                       \
	" 'dmarc': {'result': 'fail', 'policy': 'reject',"                     \
	" 'policy_domain': 'example.jp'}}"

static const struct {
	const char *label, *record;
	bool held;
	const char *want; /* a sentence a line */
} cases[] = {
	{ "DMARC",
	    "{'class': {'main': 'phish', 'sub': 'dmarc'},"
	    " 'action': 'quarantine', 'decided_by': 'dmarc', 'reasons':"
	    " [{'name': 'dmarc.fail', 'points': 0.0,"
	    " 'detail': 'p=reject of example.jp'}]," RESULTS "}",
	    true,
	    "This mail may pretend to come from somebody who did not send "
	    "it.\n"
	    "The sender's domain example.jp asks that mail which fails DMARC "
	    "be rejected. This mail failed.\n"
	    "SPF failed: the server 198.18.0.9 may not send for example.jp.\n"
	    "DKIM: the mail is not signed.\n"
	    "So it is held until somebody decides.\n" },
	{ "points",
	    "{'class': {'main': 'unsure', 'sub': 'spf'}, 'action': 'tag',"
	    " 'decided_by': 'score', 'score': 3.25,"
	    " 'thresholds': {'unsure': 3.0, 'spam': 5.0}, 'reasons':"
	    " [{'name': 'spf.fail', 'points': 3.0, 'detail': 'x'},"
	    " {'name': 'from.name-address', 'points': 0.25,"
	    " 'detail': 'bank.example'}]," RESULTS "}",
	    true,
	    "This mail may be spam or not.\n"
	    "SPF failed: the server 198.18.0.9 may not send for example.jp. "
	    "[3]\n"
	    "The name in From shows an address at bank.example, which is not "
	    "where the mail says it comes from. [0.25]\n"
	    "Altogether it has 3.25 points. Here, mail is unsure from 3 and "
	    "spam from 5.\n"
	    "So it may pass, with a mark in its subject.\n" },
	{ "what the domain says of its fail, once",
	    "{'reasons': [{'name': 'dmarc.fail', 'points': 1.0, 'detail': ''},"
	    " {'name': 'spf.fail', 'points': 3.0, 'detail': 'x'}],"
	    " 'envelope': {'client_ip': '198.18.0.9'},"
	    " 'results': {'spf': {'result': 'fail', 'domain': 'example.jp',"
	    " 'explanation': 'See {ip} <b>'},"
	    " 'dkim': {'result': 'pass', 'signatures': [{'result': 'pass',"
	    " 'trusted': false, 'domain': 'example.jp',"
	    " 'problem': 'more Subject fields than were signed'}]},"
	    " 'dmarc': {'result': 'fail', 'policy': 'none',"
	    " 'policy_domain': 'example.jp'}}}",
	    false,
	    "The mail fails DMARC, but example.jp asks for nothing to be done "
	    "about that. [1]\n"
	    "SPF failed: the server 198.18.0.9 may not send for example.jp.\n"
	    "The domain example.jp itself says: “See {ip} <b>”\n"
	    "DKIM: the signature of example.jp does not count here (more "
	    "Subject fields than were signed).\n"
	    "SPF failed: the server 198.18.0.9 may not send for example.jp. "
	    "[3]\n" },
	{ "the client's names",
	    "{'reasons': [{'name': 'helo.fail', 'points': 2.0,"
	    " 'detail': 'example.jp'}, {'name': 'iprev.fail', 'points': 1.0,"
	    " 'detail': ''}], 'envelope': {'client_ip': '198.18.0.9'}}",
	    false,
	    "The sending server 198.18.0.9 calls itself example.jp, which "
	    "says that it is not. [2]\n"
	    "The address of the sending server, 198.18.0.9, has no name that "
	    "leads back to it. [1]\n" },
	{ "rows, refused but held",
	    "{'class': {'main': 'blacklisted', 'sub': 'sender-list'},"
	    " 'action': 'reject', 'reasons': [{'name': 'list.block',"
	    " 'points': 0, 'detail': 'mailbox sender block @x.example'}]}",
	    true,
	    "Policy does not want this mail.\n"
	    "The sender is on a block list: the row @x.example.\n"
	    "That list is of this mailbox.\n"
	    "It should be refused. As the same mail also went to others, it "
	    "is held instead.\n" },
	{ "a row that cannot be read",
	    "{'reasons': [{'name': 'list.block', 'points': 0,"
	    " 'detail': '?'}]}",
	    false, "A row of a block list fits: ?.\n" },
	{ "size",
	    "{'class': {'main': 'blacklisted', 'sub': 'size'},"
	    " 'action': 'reject', 'reasons': [{'name': 'limits.size',"
	    " 'points': 0, 'detail': '200 bytes, limit 100'}]}",
	    false,
	    "Policy does not want this mail.\n"
	    "It has 200 bytes, and this mailbox accepts 100.\n"
	    "So it is refused.\n" },
	{ "limits",
	    "{'reasons': [{'name': 'limits.message', 'points': 0,"
	    " 'detail': 'header-count'}, {'name': 'limits.message',"
	    " 'points': 0, 'detail': 'other'}]}",
	    false,
	    "Its header has more fields than this system accepts.\n"
	    "It is over a ceiling of this system: other.\n" },
	{ "no reasons",
	    "{'class': {'main': 'unknown', 'sub': 'unknown-user'},"
	    " 'action': 'reject', 'reasons': []}",
	    false,
	    "This mail could not be judged.\n"
	    "The domain has no such recipient.\nSo it is refused.\n" },
	{ "a reason from the future",
	    "{'reasons': [{'name': 'moon.phase', 'points': 1,"
	    " 'detail': 'full {name}'}]}",
	    false, "Also: moon.phase full {name} [1]\n" },
	{ "holes come from the message only",
	    "{'class': {'main': '{x}'}, 'action': {}, 'reasons': 5,"
	    " 'results': []}",
	    false, "" },
	{ "no record", "{}", true, "" },
};

static json_t *
quoted(const char *text)
{
	char *copy = xstrdup(text), *p;
	json_error_t why;
	json_t *json;

	/* The one apostrophe that is meant stands in a sentence, not here. */
	for (p = copy; *p != '\0'; p++)
		if (*p == '\'')
			*p = '"';
	json = json_loads(copy, 0, &why);
	if (json == NULL)
		fail_msg("%s: %s", text, why.text);
	free(copy);
	return json;
}

/* What a check says of its failure is said in the language of the page. */
static void
test_problem_in_sentence(void **state)
{
	json_t *sentence = json_pack("{s:s, s:{s:s, s:s}}", "template",
	    "DKIM: the signature of {domain} does not fit the mail "
	    "({problem}).",
	    "values", "domain", "a.example", "problem",
	    "body hash did not verify");
	struct buf text;

	(void)state;
	buf_init(&text, 1000);
	assert_int_equal(explain_text(LANGUAGE_JA, sentence, &text), 0);
	assert_non_null(
	    strstr(buf_str(&text), "(本文のハッシュが一致しません)"));
	assert_non_null(strstr(buf_str(&text), "a.example"));
	buf_reset(&text);
	assert_int_equal(explain_text(LANGUAGE_EN, sentence, &text), 0);
	assert_non_null(strstr(buf_str(&text), "(body hash did not verify)"));
	buf_free(&text);
	json_decref(sentence);
}

static void
test_records(void **state)
{
	json_t *record, *list, *sentence, *points;
	struct buf text, again;
	size_t i, j;

	(void)state;
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		record = quoted(cases[i].record);
		list = explain_record(record, cases[i].held);
		buf_init(&text, 10000);
		json_array_foreach(list, j, sentence)
		{
			points = json_object_get(sentence, "points");
			buf_printf(&text, "%s",
			    json_string_value(
				json_object_get(sentence, "text")));
			if (json_is_number(points))
				buf_printf(&text, " [%g]",
				    json_number_value(points));
			buf_append_char(&text, '\n');
			buf_init(&again, 1000);
			assert_int_equal(explain_text(LANGUAGE_EN, sentence,
					     &again),
			    0);
			assert_string_equal(buf_str(&again),
			    json_string_value(
				json_object_get(sentence, "text")));
			buf_reset(&again);
			assert_int_equal(explain_text(LANGUAGE_JA, sentence,
					     &again),
			    0);
			assert_true(again.len > 0);
			buf_free(&again);
		}
		if (strcmp(buf_str(&text), cases[i].want) != 0)
			case_fail(cases[i].label, "%s", buf_str(&text));
		buf_free(&text);
		json_decref(list);
		json_decref(record);
	}
	list = explain_record(NULL, true);
	assert_int_equal(json_array_size(list), 0);
	json_decref(list);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_reasons),
		cmocka_unit_test(test_problem_in_sentence),
		cmocka_unit_test(test_records),
	};

	return cmocka_run_group_tests_name("explain", tests, NULL, NULL);
}
