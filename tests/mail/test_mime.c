/*
 * test_mime.c - tests of mail/mime: parts, names, bodies, hostile nesting.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit.h"

#include "mail/mime.h"
#include "mail/mime_param.h"
#include "tests/mail/corpora.h"

#define TEXT_MAX ((size_t)1024 * 1024)

/* ---- parameters ---- */

static const struct {
	const char *label, *field, *name, *want;
} params[] = {
	{ "plain", "text/plain; name=a.txt", "name", "a.txt" },
	{ "quoted", "text/plain; name=\"a b;c.txt\"", "name", "a b;c.txt" },
	{ "case", "text/plain; NaMe=\"x\"", "name", "x" },
	{ "spaces, no quotes", "a/b; name=my report.pdf ; x=y", "name",
	    "my report.pdf" },
	{ "space around =", "a/b; name = \"x\"", "name", "x" },
	{ "folded", "a/b;\r\n\tname=\"x\r\n y\"", "name", "x y" },
	{ "quoted pair", "a/b; name=\"a\\\"b\\\\c\"", "name", "a\"b\\c" },
	{ "DOS path", "a/b; name=\"C:\\dir\\x.exe\"", "name",
	    "C:\\dir\\x.exe" },
	{ "open quote", "a/b; name=\"abc", "name", "abc" },
	{ "second one does not count", "a/b; name=a; name=b", "name", "a" },
	{ "RFC 2231", "a/b; filename*=utf-8'ja'%E6%97%A5%E6%9C%AC.txt",
	    "filename", "日本.txt" },
	{ "RFC 2231 goes first",
	    "a/b; filename=x.txt; filename*=utf-8''%E6%97%A5.txt", "filename",
	    "日.txt" },
	{ "RFC 2231 in pieces",
	    "a/b; n*0*=shift_jis''%93%FA; n*1*=%96%7B; n*2=.txt", "n",
	    "日本.txt" },
	{ "pieces out of order", "a/b; n*1=b; n*0=a", "n", "ab" },
	{ "a character split between pieces",
	    "a/b; n*0*=utf-8''%E6%97; n*1*=%A5", "n", "日" },
	{ "a gap ends it", "a/b; n*0=a; n*2=c", "n", "a" },
	{ "bad escapes stay", "a/b; n*=utf-8''%zz%4", "n", "%zz%4" },
	{ "no charset", "a/b; n*=%41", "n", "A" },
	{ "unknown charset", "a/b; n*=x-evil''%41", "n", "A" },
	{ "encoded word in quotes",
	    "a/b; name=\"=?ISO-2022-JP?B?GyRCRnxLXBsoQg==?=.txt\"", "name",
	    "日本.txt" },
	{ "ISO-2022-JP as it is, with a quote in it",
	    "a/b; name=\"\x1b$B\x22\x22\x1b(B.txt\"", "name", "□.txt" },
	{ "CP932 as it is", "a/b; name=\"\x93\xfa\x96\x7b.txt\"", "name",
	    "日本.txt" },
	{ "UTF-8 as it is", "a/b; name=\"日本.txt\"", "name", "日本.txt" },
	{ "not there", "a/b; x=y", "name", NULL },
	{ "empty field", "", "name", NULL },
	{ "only junk", ";;;=;*=;*0*=", "name", NULL },
	{ "number too large", "a/b; n*999999999999=x", "n", NULL },
};

static void
test_params(void **state)
{
	struct arena *arena = arena_new(0);
	const char *got;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(params); i++) {
		got = mime_param_text(arena, bytes_of(params[i].field),
		    params[i].name, 100);
		if (got == NULL ? params[i].want != NULL
				: params[i].want == NULL ||
			    strcmp(got, params[i].want) != 0)
			case_fail(params[i].label, "'%s'",
			    got != NULL ? got : "(none)");
	}
	assert_string_equal(mime_param_value(arena,
				BYTES_LIT(" Text/HTML ; a=b")),
	    "text/html");
	assert_string_equal(mime_param_value(arena, BYTES_LIT("te xt;a")), "");
	arena_free(arena);
}

/* ---- messages ---- */

/* The tree on one line: NUMBER TYPE SIZE NAME, containers without a size;
 * then which parts are shown. */
static const char *
describe(struct arena *arena, const struct mime *mime)
{
	const char *text = "";
	size_t i;

	for (i = 0; i < mime->count; i++) {
		const struct mime_part *part = &mime->parts[i];

		text = arena_printf(arena, "%s%s %s", text, part->number,
		    part->type);
		if (!part->container)
			text =
			    arena_printf(arena, "%s %d", text, (int)part->size);
		if (part->name != NULL)
			text = arena_printf(arena, "%s '%s'", text, part->name);
		if (part->disposition == MIME_ATTACHMENT)
			text = arena_printf(arena, "%s att", text);
		text = arena_printf(arena, "%s|", text);
	}
	for (i = 0; i < mime->text_count; i++)
		text =
		    arena_printf(arena, "%s T%s", text, mime->text[i]->number);
	for (i = 0; i < mime->html_count; i++)
		text =
		    arena_printf(arena, "%s H%s", text, mime->html[i]->number);
	return text;
}

#define MIXED "Content-Type: multipart/mixed; boundary=b\n\n"

static const struct {
	const char *label, *raw, *want;
} messages[] = {
	{ "no header at all", "\nhello\n", "1 text/plain 6| T1" },
	{ "nothing", "", "1 text/plain 0| T1" },
	{ "header only", "Subject: x\n", "1 text/plain 0| T1" },
	{ "base64",
	    "Content-Type: text/html\nContent-Transfer-Encoding: base64\n\n"
	    "PGI+aGk8L2I+\n",
	    "1 text/html 9| H1" },
	{ "alternative",
	    "Content-Type: multipart/alternative; boundary=\"b b\"\n\n"
	    "--b b\nContent-Type: text/plain\n\nhi\n"
	    "--b b\nContent-Type: text/html\n\n<b>hi\n--b b--\n",
	    "1 text/plain 2|2 text/html 5| T1 H2" },
	{ "related in alternative in mixed",
	    MIXED "--b\nContent-Type: multipart/alternative; boundary=c\n\n"
		  "--c\n\ntext\n"
		  "--c\nContent-Type: multipart/related; boundary=d\n\n"
		  "--d\nContent-Type: text/html\n\n<img src=cid:x>\n"
		  "--d\nContent-Type: image/png; name=x.png\n"
		  "Content-ID: <x>\n\nP\n--d--\n--c--\n"
		  "--b\nContent-Type: application/pdf\n"
		  "Content-Disposition: attachment; filename=\"r.pdf\"\n\nPDF\n"
		  "--b--\n",
	    "1 multipart/alternative|1.1 text/plain 4|"
	    "1.2 multipart/related|1.2.1 text/html 15|"
	    "1.2.2 image/png 1 'x.png'|2 application/pdf 3 'r.pdf' att|"
	    " T1.1 H1.2.1" },
	{ "an attached text is not the body",
	    MIXED "--b\nContent-Type: text/plain\n"
		  "Content-Disposition: attachment\n\nnotes\n"
		  "--b\n\nbody\n--b--\n",
	    "1 text/plain 5 att|2 text/plain 4| T2" },
	{ "embedded message is not the body",
	    MIXED "--b\n\nsee below\n"
		  "--b\nContent-Type: message/rfc822\n\n"
		  "Subject: inner\nContent-Type: multipart/mixed;"
		  " boundary=i\n\n--i\n\ninner\n--i--\n--b--\n",
	    "1 text/plain 9|2 message/rfc822|2.1 text/plain 5| T1" },
	{ "unless there is nothing else",
	    "Content-Type: message/rfc822\n\nSubject: inner\n\ninner\n",
	    "1 message/rfc822|1.1 text/plain 6| T1.1" },
	{ "missing boundary", "Content-Type: multipart/mixed\n\n--b\n\nhi\n",
	    "1 text/plain 8| T1" },
	{ "wrong boundary",
	    "Content-Type: multipart/mixed; boundary=x\n\n"
	    "--b\n\nhi\n",
	    "1 text/plain 8| T1" },
	{ "no end", MIXED "--b\n\nhi", "1 text/plain 2| T1" },
	{ "no parts", MIXED "--b--\n", " " },
	{ "S/MIME",
	    "Content-Type: application/pkcs7-mime; name=smime.p7m\n\nx\n",
	    "1 application/pkcs7-mime 2 'smime.p7m'|" },
	{ "PGP",
	    "Content-Type: multipart/encrypted; boundary=b\n\n"
	    "--b\nContent-Type: application/pgp-encrypted\n\nVersion: 1\n"
	    "--b\nContent-Type: application/octet-stream\n\nx\n--b--\n",
	    "1 application/pgp-encrypted 10|2 application/octet-stream 1|" },
	{ "signed",
	    "Content-Type: multipart/signed; boundary=b\n\n--b\n\nhi\n"
	    "--b\nContent-Type: application/pkcs7-signature;"
	    " name=smime.p7s\n\nx\n--b--\n",
	    "1 text/plain 2|2 application/pkcs7-signature 1 'smime.p7s'|"
	    " T1" },
	{ "calendar only", "Content-Type: text/calendar\n\nBEGIN\n",
	    "1 text/calendar 6| T1" },
	{ "type without sense", "Content-Type: ????\n\nx\n",
	    "1 application/octet-stream 2|" },
	{ "name turned round",
	    "Content-Type: application/octet-stream;"
	    " name=\"invoice\xe2\x80\xae"
	    "fdp.exe\"\n\nx\n",
	    "1 application/octet-stream 2 'invoice\xef\xbf\xbd"
	    "fdp.exe'|" },
	{ "unknown disposition", "Content-Disposition: funny\n\nx\n",
	    "1 text/plain 2 att|" },
	{ "CRLF",
	    "Content-Type: multipart/mixed; boundary=b\r\n\r\n"
	    "--b\r\n\r\nhi\r\n--b--\r\n",
	    "1 text/plain 2| T1" },
};

static void
test_messages(void **state)
{
	struct arena *arena = arena_new(0);
	struct mime *mime;
	const char *got;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(messages); i++) {
		mime = mime_parse(arena, bytes_of(messages[i].raw));
		got = describe(arena, mime);
		if (strcmp(got, messages[i].want) != 0 &&
		    (got[0] != '\0' || messages[i].want[0] != ' '))
			case_fail(messages[i].label, "%s", got);
		assert_int_equal(mime->cut, 0);
		mime_free(mime);
	}
	arena_free(arena);
}

/* Two Content-Type fields: one and the same decides type and boundary. */
static void
test_two_types(void **state)
{
	static const char raw[] = "Content-Type: text/html\n"
				  "Content-Type: text/plain; charset=x\n\n<b>";
	struct arena *arena = arena_new(0);
	struct mime *mime = mime_parse(arena, bytes_of(raw));
	const struct mime_part *part = mime_find(mime, "1");

	(void)state;
	assert_non_null(part);
	if (strcmp(part->type, "text/html") == 0)
		assert_null(part->charset);
	else
		assert_string_equal(part->charset, "x");
	mime_free(mime);
	arena_free(arena);
}

static void
test_content(void **state)
{
	static const struct bytes raw = BYTES_LIT(
	    "Content-Type: multipart/mixed; boundary=b\r\n\r\n"
	    "--b\r\nContent-Type: text/plain; charset=ISO-2022-JP;"
	    " format=flowed; delsp=yes\r\n"
	    "Content-Transfer-Encoding: 7bit\r\n\r\n\x1b$BF|K\\\x1b(B\0.\r\n"
	    "--b\r\nContent-Type: message/rfc822\r\n\r\n"
	    "Subject: x\r\n\r\nbody\r\n"
	    "--b\r\nContent-Type: image/png\r\nContent-ID: <a@b>\r\n"
	    "Content-Transfer-Encoding: base64\r\n\r\niVBORw==\r\n--b--\r\n");
	struct arena *arena = arena_new(0);
	struct mime *mime = mime_parse(arena, raw);
	const struct mime_part *part;
	struct buf out;

	(void)state;
	buf_init(&out, 100);
	part = mime_find(mime, "1");
	assert_true(part->flowed && part->delsp);
	assert_int_equal(mime_part_text(part, &out), 0);
	assert_int_equal(out.len, 8);
	assert_memory_equal(out.data, "日本\0.", 8);
	buf_reset(&out);
	assert_int_equal(mime_part_content(mime_find(mime, "2"), &out), 0);
	assert_string_equal(out.data, "Subject: x\n\nbody");
	buf_reset(&out);
	part = mime_find_id(mime, BYTES_LIT("a@b"));
	assert_ptr_equal(part, mime_find(mime, "3"));
	assert_int_equal(mime_part_content(part, &out), 0);
	assert_memory_equal(out.data, "\x89PNG", 4);
	assert_int_equal(out.len, part->size);
	buf_free(&out);
	buf_init(&out, 2);
	assert_int_equal(mime_part_content(part, &out), -1);
	assert_int_equal(out.len, 2);
	buf_free(&out);
	assert_null(mime_find(mime, "4"));
	assert_null(mime_find(mime, ""));
	mime_free(mime);
	arena_free(arena);
}

/* ---- ceilings ---- */

static struct bytes
repeated(struct buf *out, const char *head, const char *fmt, size_t times)
{
	size_t i;

	buf_init(out, SIZE_MAX);
	buf_append_str(out, head);
	for (i = 0; i < times; i++) {
		const char *p;

		/* # stands for the number. */
		for (p = fmt; *p != '\0'; p++)
			if (*p == '#')
				buf_printf(out, "%zu", i);
			else
				buf_append_char(out, *p);
	}
	return buf_bytes(out);
}

static void
test_ceilings(void **state)
{
	static const struct {
		const char *label, *head, *unit;
		size_t times;
		unsigned cut;
		size_t least, most;
	} cases[] = {
		{ "as many parts as may be", MIXED, "--b\n\nx\n",
		    MIME_PARTS_MAX, 0, MIME_PARTS_MAX, MIME_PARTS_MAX },
		{ "one part more", MIXED, "--b\n\nx\n", MIME_PARTS_MAX + 1,
		    MIME_CUT_PARTS, MIME_PARTS_MAX, MIME_PARTS_MAX },
		{ "parts without end", MIXED, "--b\n\n", 500000, MIME_CUT_PARTS,
		    MIME_PARTS_MAX, MIME_PARTS_MAX },
		{ "multiparts in each other", "",
		    "Content-Type: multipart/mixed; boundary=b#\n\n--b#\n",
		    20000, MIME_CUT_PARTS | MIME_CUT_DEPTH, 1, MIME_DEPTH_MAX },
		{ "messages in each other", "",
		    "Content-Type: message/rfc822\n\n", 100000, MIME_CUT_DEPTH,
		    1, MIME_DEPTH_MAX },
		{ "many hyphens in a text", "\n", "-- \n", 20000,
		    MIME_CUT_PARTS, 1, 1 },
		{ "parameters", "Content-Type: text/plain", "; a#=#", 50000, 0,
		    1, 1 },
		{ "pieces", "Content-Type: text/plain", "; name*#*=%41", 50000,
		    0, 1, 1 },
		{ "fields", "", "X-#: y\n", 100000, 0, 1, 1 },
	};
	struct arena *arena;
	struct mime *mime;
	struct buf raw;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		arena = arena_new(0);
		mime = mime_parse(arena,
		    repeated(&raw, cases[i].head, cases[i].unit,
			cases[i].times));
		if (mime->cut != cases[i].cut || mime->count < cases[i].least ||
		    mime->count > cases[i].most)
			case_fail(cases[i].label, "%zu parts, cut %u",
			    mime->count, mime->cut);
		mime_free(mime);
		buf_free(&raw);
		arena_free(arena);
	}
}

/* ---- other people's messages ---- */

struct counts {
	size_t messages, parts, named, text, html;
};

static void
check_message(void *context, const char *path, struct bytes raw)
{
	struct counts *counts = context;
	struct arena *arena = arena_new(0);
	struct mime *mime = mime_parse(arena, raw);
	struct buf out;
	size_t i;

	counts->messages++;
	counts->parts += mime->count;
	counts->text += mime->text_count > 0;
	counts->html += mime->html_count > 0;
	for (i = 0; i < mime->count; i++) {
		const struct mime_part *part = &mime->parts[i];

		counts->named += part->name != NULL;
		if (mime_find(mime, part->number) != part)
			case_fail(path, "two parts %s", part->number);
		buf_init(&out, 4 * TEXT_MAX);
		if (mime_part_content(part, &out) == 0 && !part->container &&
		    out.len != part->size)
			case_fail(path, "part %s: %zu bytes", part->number,
			    out.len);
		buf_reset(&out);
		(void)mime_part_text(part, &out);
		buf_free(&out);
	}
	mime_free(mime);
	arena_free(arena);
}

static void
test_corpora(void **state)
{
	struct counts counts = { 0, 0, 0, 0, 0 };

	(void)state;
	if (corpora_each_message(1, check_message, &counts) == 0)
		skip();
	printf("%zu messages, %zu parts, %zu with a name; %zu show text, "
	       "%zu HTML\n",
	    counts.messages, counts.parts, counts.named, counts.text,
	    counts.html);
	assert_true(counts.text + counts.html > counts.messages * 9 / 10);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_params),
		cmocka_unit_test(test_messages),
		cmocka_unit_test(test_two_types),
		cmocka_unit_test(test_content),
		cmocka_unit_test(test_ceilings),
		cmocka_unit_test(test_corpora),
	};

	mime_open();
	return cmocka_run_group_tests_name("mime", tests, NULL, NULL);
}
