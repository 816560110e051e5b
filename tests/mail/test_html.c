/*
 * test_html.c - tests of mail/html: what a preview carries, and what not.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit.h"

#include "base/clock.h"
#include "base/utf8.h"
#include "mail/html.h"
#include "mail/html_css.h"
#include "mail/image.h"
#include "mail/link.h"
#include "mail/mime.h"
#include "tests/mail/corpora.h"
#include "tests/mail/html_check.h"

#define PNG                                                                    \
	"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\x08\6\0\0\0\x1f\x15"    \
	"\xc4"                                                                 \
	"\x89"
#define PNG_BASE64 "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ"

static const struct html_words words = { "no image", "image", "elsewhere" };

static bool
find_image(void *context, struct bytes id, struct buf *out)
{
	(void)context;
	if (bytes_equal(id, BYTES_LIT("pic")))
		return buf_append(out, PNG, sizeof(PNG) - 1) == 0;
	if (bytes_equal(id, BYTES_LIT("svg")))
		return buf_append_str(out, "<svg onload=alert(1)>") == 0;
	return false;
}

static const struct html_source source = { &words, find_image, NULL };

/* What is written must pass the check whatever it is. */
static void
check(const char *label, const struct html *html)
{
	const char *wrong = html_check_markup(buf_bytes(&html->markup));

	if (wrong != NULL)
		case_fail(label, "%s: %.3000s", wrong, buf_str(&html->markup));
	wrong = html_check_sheet(buf_bytes(&html->sheet));
	if (wrong != NULL)
		case_fail(label, "%s: %.3000s", wrong, buf_str(&html->sheet));
}

/* ---- what becomes of what ---- */

static const struct {
	const char *label, *html, *want; /* within <main class="mail"> */
} cases[] = {
	{ "nothing", "", "" },
	{ "text", "a < b & \"c\" 'd' `e`",
	    "a &lt; b &amp; &quot;c&quot; &#39;d&#39; &#96;e&#96;" },
	{ "control characters", "a\x01\x7f", "a\xef\xbf\xbd\xef\xbf\xbd" },
	{ "NUL is seen as space", "a&#0;b",
	    "a\xef\xbf\xbd"
	    "b" },
	{ "elements", "<P>a<br>b<B>c", "<p>a<br>b<b>c</b></p>" },
	{ "unknown element", "<o:p>a</o:p>", "a" },
	{ "misnested", "<b>a<i>b</b>c</i>", "<b>a<i>b</i></b><i>c</i>" },
	{ "table", "<table><td width=50% bgcolor=red>a",
	    "<table><tbody><tr><td bgcolor=\"red\" width=\"50%\">a</td></tr>"
	    "</tbody></table>" },
	{ "attributes that are wrong",
	    "<td width=1e9 bgcolor='url(x)' align=\"a b\">"
	    "<p align=center dir=rtl lang=ja>a",
	    "<p align=\"center\" dir=\"rtl\" lang=\"ja\">a</p>" },
	{ "classes and ids", "<p class='x y\"z' id=top>a",
	    "<p class=\"m-x \" id=\"m-top\">a</p>" },
	{ "style",
	    "<p style='color : RED;position:fixed;margin:1px 2em!important'>a",
	    "<p style=\"color:RED;margin:1px 2em;\">a</p>" },
	{ "link", "<a href='https://a.example/x?y'>here</a>",
	    "<span class=\"sk-link\">here</span>"
	    "<span class=\"sk-target\">https://a.example/x?y</span>" },
	{ "link that says where",
	    "<a href=https://a.example/>https://a.example/</a>",
	    "<span class=\"sk-link\">https://a.example/</span>" },
	{ "link that says another",
	    "<a href=https://evil.example/>https://a.example/</a>",
	    "<span class=\"sk-link\">https://a.example/</span>"
	    "<span class=\"sk-target sk-deceptive\">elsewhere: "
	    "https://evil.example/</span>" },
	{ "link in Japanese", "<a href='http://例え.example/a b'>x</a>",
	    "<span class=\"sk-link\">x</span><span class=\"sk-target\">"
	    "http://xn--r8jz45g.example/a%20b (例え.example)</span>" },
	{ "link in letters that deceive",
	    "<a href='http://\xd0\xb0pple.example/'>x</a>",
	    "<span class=\"sk-link\">x</span><span class=\"sk-target\">"
	    "http://xn--pple-43d.example/</span>" },
	{ "link by base", "<base href=https://b.example/d/e><a href=f>x</a>",
	    "<span class=\"sk-link\">x</span>"
	    "<span class=\"sk-target\">https://b.example/d/f</span>" },
	{ "anchor", "<a name=x href=#y>a</a>", "<span>a</span>" },
	{ "script link", "<a href=\"java\nscript:alert('1')\">a</a>",
	    "<span class=\"sk-link\">a</span><span class=\"sk-target\">"
	    "javascript:alert(&#39;1&#39;)</span>" },
	{ "remote image", "<img src=https://a.example/x.png alt=Logo>",
	    "<span class=\"sk-image\">no image: a.example – Logo</span>" },
	{ "tracker", "a<img src=//a.example/x.png width=1 height=1>", "a" },
	{ "image of the mail", "<img src=cid:pic width=5 onload=x>",
	    "<img width=\"5\" alt=\"\" src=\"data:image/png;base64," PNG_BASE64
	    "\">" },
	{ "image in the HTML", "<img src='data:image/x;base64," PNG_BASE64 "'>",
	    "<img alt=\"\" src=\"data:image/png;base64," PNG_BASE64 "\">" },
	{ "image that is none", "<img src=cid:svg alt=x>",
	    "<span class=\"sk-image\">image – x</span>" },
	{ "image that is not there", "<img src=cid:gone>",
	    "<span class=\"sk-image\">image</span>" },
	{ "form",
	    "<form action=x>a<input value=b><input type=hidden value=c>"
	    "<input type=checkbox><input type=password value=d>"
	    "<button>e</button></form>",
	    "<div>a<span class=\"sk-field\">b&#160;</span>\xe2\x98\x90"
	    "<span class=\"sk-field\">&#160;</span>"
	    "<span class=\"sk-field\">e</span></div>" },
	{ "form fields with text",
	    "<textarea><b>x</textarea><select><option>1<option>2</select>",
	    "<span class=\"sk-field\">&lt;b&gt;x</span>"
	    "<span class=\"sk-field\"><span>1</span><span>2</span></span>" },
	{ "active content",
	    "a<script>b</script><iframe>c</iframe><svg><text>d</svg>"
	    "<object>e</object><template>f</template>g",
	    "ag" },
	{ "comments", "a<!-- b --><!--[if mso]>c<![endif]-->d", "ad" },
};

static void
test_cases(void **state)
{
	struct arena *arena = arena_new(0);
	struct html html;
	const char *want;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		html_init(&html, arena);
		html_add(&html, bytes_of(cases[i].html), &source);
		want = arena_printf(arena, "<main class=\"mail\">%s</main>\n",
		    cases[i].want);
		if (strcmp(buf_str(&html.markup), want) != 0)
			case_fail(cases[i].label, "%s", buf_str(&html.markup));
		check(cases[i].label, &html);
		assert_false(html.cut || html.complex);
		html_fini(&html);
	}
	arena_free(arena);
}

static void
test_counts(void **state)
{
	static const char mail[] =
	    "<body bgcolor=#fff background=http://a.example/b class=c>"
	    "<style>@import url(http://a.example/);p{color:red}"
	    "td{background:url(http://a.example/)}</style>"
	    "<script></script><form></form><img src=http://a.example/c>"
	    "<img src=cid:pic><img src=cid:no>"
	    "<p style='behavior:url(x)'>"
	    "<a href=http://evil.example/>www.bank.example</a>"
	    "<a href=http://www.bank.example/>bank.example</a>";
	struct arena *arena = arena_new(0);
	struct html html;

	(void)state;
	html_init(&html, arena);
	html_add(&html, bytes_of(mail), &source);
	check("counts", &html);
	assert_string_equal(buf_str(&html.sheet), ".mail p{color:red;}\n");
	assert_int_equal(html.active, 2);
	assert_int_equal(html.remote_images, 5);
	assert_int_equal(html.images, 1);
	assert_int_equal(html.other_images, 1);
	assert_int_equal(html.links, 2);
	assert_int_equal(html.styles, 3);
	assert_int_equal(html.warning_count, 1);
	assert_string_equal(html.warnings[0].text, "www.bank.example");
	assert_string_equal(html.warnings[0].target, "http://evil.example/");
	assert_non_null(strstr(buf_str(&html.markup),
	    "<main class=\"mail m-c\" style=\"background-color:#fff;\">"));
	html_fini(&html);
	arena_free(arena);
}

/* ---- attacks ---- */

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

static void
test_hostile(void **state)
{
	char *text = read_file(TESTS_DIR "/data/hostile-html.txt"), *p, *end;
	struct arena *arena = arena_new(0);
	struct html html;
	struct buf plain;
	size_t count = 0;
	char *label;

	(void)state;
	for (p = strstr(text, "\n== "); p != NULL; p = end, count++) {
		label = p + 4;
		p = strchr(label, '\n');
		end = strstr(p, "\n== ");
		*p++ = '\0';
		html_init(&html, arena);
		html_add(&html,
		    (struct bytes){ p,
			end != NULL ? (size_t)(end - p) + 1 : strlen(p) },
		    &source);
		check(label, &html);
		if (html.markup.len == 0)
			case_fail(label, "there is no wrapper");
		html_fini(&html);
		buf_init(&plain, HTML_OUTPUT_MAX);
		(void)html_to_text(bytes_of(p), &plain);
		buf_free(&plain);
	}
	printf("%zu attacks\n", count);
	assert_true(count > 120);
	free(text);
	arena_free(arena);
}

/* ---- ceilings ---- */

static void
test_ceilings(void **state)
{
	static const struct {
		const char *label, *head, *unit, *tail;
		size_t times;
		bool cut;
	} big[] = {
		{ "div in div", "", "<div>", "text", 100000, false },
		{ "span in span", "", "<span>", "text", 150000, false },
		{ "frameset over all", "", "<span>", "<frameset>", 150000,
		    false },
		{ "tables in each other", "", "<table><tr><td>", "text", 20000,
		    false },
		{ "paragraphs", "", "<p>", "text", 300000, false },
		{ "formats never closed", "", "<font size=1><p>x", "text",
		    20000, false },
		{ "svg in svg", "", "<svg>", "text", 100000, false },
		{ "lists", "", "<ul><li>", "text", 60000, false },
		{ "attributes", "<p ", "a# ", ">text", 60000, false },
		{ "classes", "<p class='", "a ", "'>text", 100000, false },
		{ "declarations", "<p style='", "color:red;", "'>text", 90000,
		    false },
		{ "rules", "<style>", "a b c{color:red}", "</style>text", 60000,
		    false },
		{ "selectors", "<style>", "a>b,", "{color:red}</style>text",
		    200000, false },
		{ "braces", "<style>", "a{", "</style>text", 300000, false },
		{ "comment in a style", "<style>", "/*", "</style>text", 300000,
		    false },
		{ "more than is read", "", "text ", "", 250000, true },
		{ "more than is written", "", "&&&&&", "", 200000, true },
		{ "links", "", "<a href=http://a.example/#>www.b.example</a> ",
		    "", 20000, false },
		{ "images", "", "<img src=cid:pic>", "", 60000, false },
		{ "entities", "", "&#x110000;", "", 100000, false },
	};
	struct arena *arena;
	struct html html;
	struct buf text;
	size_t i, j;
	const char *p;

	(void)state;
	for (i = 0; i < ARRAY_LEN(big); i++) {
		arena = arena_new(0);
		buf_init(&text, SIZE_MAX);
		buf_append_str(&text, big[i].head);
		for (j = 0; j < big[i].times; j++)
			for (p = big[i].unit; *p != '\0'; p++)
				if (*p == '#')
					buf_printf(&text, "%zu", j);
				else
					buf_append_char(&text, *p);
		buf_append_str(&text, big[i].tail);
		html_init(&html, arena);
		html_add(&html, buf_bytes(&text), &source);
		check(big[i].label, &html);
		if (big[i].cut && !html.cut)
			case_fail(big[i].label, "is not marked as cut");
		if (html.markup.len > 2 * HTML_OUTPUT_MAX + 2 * HTML_IMAGES_MAX)
			case_fail(big[i].label, "%zu bytes", html.markup.len);
		html_fini(&html);
		buf_free(&text);
		arena_free(arena);
	}
}

/* A picture that takes 20 ms of the processor to find. */
static bool
find_slowly(void *context, struct bytes id, struct buf *out)
{
	const int64_t until_ms = clock_thread_cpu_ms() + 20;
	size_t *asked = context;

	(void)id;
	(void)out;
	(*asked)++;
	while (clock_thread_cpu_ms() < until_ms)
		continue;
	return false;
}

static void
test_slow_pictures(void **state)
{
	struct arena *arena = arena_new(0);
	size_t asked = 0, i;
	const struct html_source slow = { &words, find_slowly, &asked };
	struct html html;
	struct buf text;

	(void)state;
	buf_init(&text, SIZE_MAX);
	for (i = 0; i < 1000; i++)
		buf_append_str(&text, "<img src=cid:x>");
	html_init(&html, arena);
	/* Of two bodies together. */
	html_add(&html, buf_bytes(&text), &slow);
	html_add(&html, buf_bytes(&text), &slow);
	check("slow", &html);
	assert_int_equal(html.other_images, 2000);
	assert_in_range(asked, 1, HTML_IMAGES_CPU_MAX_MS / 20 + 1);
	html_fini(&html);
	buf_free(&text);
	arena_free(arena);
}

/* ---- as text ---- */

static const struct {
	const char *label, *html, *want;
} texts[] = {
	{ "nothing", "", "" },
	{ "paragraphs", "<title>t</title><p>a  b\nc<p>d<br>e<br><br>f",
	    "a b c\n\nd\ne\n\nf\n" },
	{ "list", "<ul><li>a<li><p>b</ul>c", "- a\n- b\n\nc\n" },
	{ "table", "<table><tr><td>a<td>b<tr><td>c</table>", "a b\nc\n" },
	{ "quote", "x<blockquote>a<br>b<blockquote>c</blockquote></blockquote>",
	    "x\n\n> a\n> b\n\n> > c\n" },
	{ "pre", "<pre>a  b\n c</pre>d", "a  b\n c\n\nd\n" },
	{ "links",
	    "<a href=http://a.example/x>a</a> <a href=mailto:b@c>b@c</a>"
	    " <a href=http://d.example/>http://d.example/</a>",
	    "a <http://a.example/x> b@c <mailto:b@c> http://d.example/\n" },
	{ "nothing of programs",
	    "a<style>b</style><script>c</script>"
	    "<svg>d</svg>e<img alt=f>",
	    "aef\n" },
};

static void
test_to_text(void **state)
{
	struct buf out;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(texts); i++) {
		buf_init(&out, 1000);
		assert_int_equal(html_to_text(bytes_of(texts[i].html), &out),
		    0);
		if (strcmp(buf_str(&out), texts[i].want) != 0)
			case_fail(texts[i].label, "'%s'", buf_str(&out));
		buf_free(&out);
	}
}

/* ---- CSS ---- */

static const struct {
	const char *label, *css, *want;
} styles[] = {
	{ "plain", "color:red", "color:red;" },
	{ "white space", " COLOR :\n #FFF ;; ", "color:#FFF;" },
	{ "functions", "color:rgb(1, 2,3);background:rgba(0,0,0,.5)",
	    "color:rgb(1, 2,3);background:rgba(0,0,0,.5);" },
	{ "lengths", "margin:0 auto 1.5em .5px;width:100%",
	    "margin:0 auto 1.5em .5px;width:100%;" },
	{ "negative", "margin:-1px;text-indent:-9999px;margin-top:- 1px", "" },
	{ "out of sight", "width:99999px;padding:1e5px", "" },
	{ "fonts",
	    "font:bold 12px/1.5 \"MS PGothic\",'メイリオ',sans-serif;"
	    "font-family:ＭＳ Ｐゴシック",
	    "font:bold 12px/1.5 'MS PGothic','メイリオ',sans-serif;"
	    "font-family:'ＭＳ Ｐゴシック';" },
	{ "font that breaks out", "font-family:'a\\';b';color:red",
	    "color:red;" },
	{ "url", "background:url(x);background:#fff url(data:a;b)", "" },
	{ "escapes", "background:\\75rl(x);\\63olor:red;color:r\\65 d", "" },
	{ "comments", "co/**/lor:red;color:/*;*/blue/*x", "color:blue;" },
	{ "important", "color:red !important;color:blue!ie",
	    "color:red;"
	    "color:blue;" },
	{ "not in the list", "position:fixed;content:'x';z-index:9;--a:b", "" },
	{ "variables", "color:var(--a);width:calc(1px + 2px);color:--a", "" },
	{ "display",
	    "display:none;display:block;display:flex;"
	    "display:-webkit-box",
	    "display:none;display:block;" },
	{ "brackets", "color:[red];width:{1px};color:<red>", "" },
};

static const struct {
	const char *label, *css, *want;
} sheets[] = {
	{ "plain", "p{color:red}", ".mail p{color:red;}\n" },
	{ "selectors", "td.a, #b > p , * + i ~ u{color:red}",
	    ".mail td.m-a,.mail #m-b > p,.mail * + i ~ u{color:red;}\n" },
	{ "the scope", "body{color:red}html p{color:red}body.x{color:red}",
	    ".mail{color:red;}\n.mail p{color:red;}\n"
	    ".mail.m-x{color:red;}\n" },
	{ "beside the scope", "body~p,body + p,p body{color:red}", "" },
	{ "pseudo and attributes",
	    "a:hover,p::before,[x],p[y=z],a\\:b,p{color:red}",
	    ".mail p{color:red;}\n" },
	{ "at rules",
	    "@import 'x';@media print{p{color:red}}@font-face{src:url(x)}"
	    "p{color:red}",
	    ".mail p{color:red;}\n" },
	{ "comment of HTML", "<!-- p{color:red} -->", ".mail p{color:red;}\n" },
	{ "nothing left", "p{position:fixed}", "" },
	{ "nested", "p{color:red;q{color:blue}}i{color:red}",
	    ".mail i{color:red;}\n" },
	{ "without end", "p{color:red", ".mail p{color:red;}\n" },
	{ "stray braces", "}}p{color:red}}", ".mail p{color:red;}\n" },
	{ "no selector", "{color:red}", "" },
};

static void
test_css(void **state)
{
	struct html_css_count count = { 0, 0 };
	struct buf out;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(styles); i++) {
		buf_init(&out, 1000);
		html_css_declarations(bytes_of(styles[i].css), &out, &count);
		if (strcmp(buf_str(&out), styles[i].want) != 0)
			case_fail(styles[i].label, "'%s'", buf_str(&out));
		buf_free(&out);
	}
	for (i = 0; i < ARRAY_LEN(sheets); i++) {
		buf_init(&out, 1000);
		html_css_sheet(bytes_of(sheets[i].css), ".mail", &out, &count);
		if (strcmp(buf_str(&out), sheets[i].want) != 0)
			case_fail(sheets[i].label, "'%s'", buf_str(&out));
		assert_null(html_check_sheet(buf_bytes(&out)));
		buf_free(&out);
	}
}

static void
test_meta_charset(void **state)
{
	static const struct {
		const char *html, *want;
	} declared[] = {
		{ "<meta charset=Shift_JIS>", "Shift_JIS" },
		{ "<META http-equiv=x content='text/html; charset = koi8-r'>",
		    "koi8-r" },
		{ "<meta charset=\"\">", NULL },
		{ "<p>charset=x", NULL },
		{ "<meta name=x><p charset=y>", NULL },
		{ "<meta charset", NULL },
		{ "", NULL },
	};
	struct arena *arena = arena_new(0);
	const char *got;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(declared); i++) {
		got = html_meta_charset(arena, bytes_of(declared[i].html));
		if (got == NULL ? declared[i].want != NULL
				: declared[i].want == NULL ||
			    strcmp(got, declared[i].want) != 0)
			case_fail(declared[i].html, "'%s'",
			    got != NULL ? got : "(none)");
	}
	arena_free(arena);
}

/* ---- links ---- */

static const struct {
	const char *href, *words, *text;
	bool deceives;
} links[] = {
	{ "https://a.example", "a.example", "https://a.example", false },
	{ "https://www.a.example/", "a.example", "https://www.a.example/",
	    false },
	{ "https://login.a.example/", "Sign in at a.example",
	    "https://login.a.example/", false },
	{ "https://evil.example/", "www.bank.example", "https://evil.example/",
	    true },
	{ "https://evil.example/", "Go to https://bank.example/login!",
	    "https://evil.example/", true },
	{ "https://evil.example/", "(BANK.EXAMPLE)", "https://evil.example/",
	    true },
	{ "https://evil.example/", "report.pdf", "https://evil.example/",
	    false },
	{ "https://evil.example/", "version 1.2.3", "https://evil.example/",
	    false },
	{ "https://evil.example/", "Dr.No said", "https://evil.example/",
	    true },
	{ "https://evil.example/", "jo@bank.example", "https://evil.example/",
	    false },
	{ "mailto:a@b.example", "c.example", "mailto:a@b.example", false },
	{ "HTTPS:\\\\u:p@Evil.Example:8080\\x", "x",
	    "https://evil.example:8080\\x", false },
	{ "https:evil.example", "x", "https://evil.example", false },
	{ "//evil.example/x", "x", "https://evil.example/x", false },
	{ " java\tscript:alert(1)", "x", "javascript:alert(1)", false },
	{ "https://ex ample/", "x", "https://ex%20ample/", false },
	{ "https://a.example/\xe6\x97\xa5<>", "x",
	    "https://a.example/%E6%97%A5<>", false },
	{ "https://[2001:db8::1]:80/", "x", "https://[2001:db8::1]:80/",
	    false },
	{ "https://a.example@b.example@evil.example", "a.example",
	    "https://evil.example", true },
	{ "https://a.example/"
	  "0123456789012345678901234567890123456789012345678901234567890123456"
	  "78901234567890123456789012345678901234567890",
	    "x",
	    "https://a.example/"
	    "01234567890123456789012345678901234567890123456789012345678901234"
	    "5678901234567890123456789012345678...",
	    false },
	{ "https://www.bank.example."
	  "0123456789012345678901234567890123456789012345678901234567890.aaaa."
	  "0123456789012345678901234567890123456789012345678901234567890.evil."
	  "example",
	    "x",
	    "https://www.bank.example."
	    "0123456789012345678901234567890123456789012345678901234567890."
	    "aaaa."
	    "0123456789012345678901234567890123456789012345678901234567890."
	    "evil.example",
	    false },
	{ "", "x", "", false },
	{ "relative/path", "x", "relative/path", false },
};

static void
test_links(void **state)
{
	struct arena *arena = arena_new(0);
	struct link link;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(links); i++) {
		link_read(arena, bytes_of(links[i].href), NULL, &link);
		if (strcmp(link.text, links[i].text) != 0)
			case_fail(links[i].href, "'%s'", link.text);
		if (link_deceives(arena, bytes_of(links[i].words), &link) !=
		    links[i].deceives)
			case_fail(links[i].href, "'%s': host %s",
			    links[i].words, link.host);
	}
	arena_free(arena);
}

/* ---- images ---- */

static const struct {
	const char *label;
	struct bytes data;
	const char *type;
} images[] = {
	{ "PNG", { PNG, sizeof(PNG) - 1 }, "image/png" },
	{ "PNG cut", { PNG, 20 }, NULL },
	{ "PNG of 65537 columns",
	    { "\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\1\0\1\0\0\0\1", 24 }, NULL },
	{ "GIF", { "GIF89a\2\0\3\0", 10 }, "image/gif" },
	{ "GIF of no size", { "GIF89a\0\0\3\0", 10 }, NULL },
	{ "GIF of too many pixels", { "GIF89a\x10\x27\x10\x27", 10 }, NULL },
	{ "JPEG",
	    { "\xff\xd8\xff\xe0\0\4ab\xff\xc0\0\x0b\x08\0\1\0\2\1\1\x11\0",
		21 },
	    "image/jpeg" },
	{ "JPEG without a frame", { "\xff\xd8\xff\xe0\0\4ab\xff\xd9\0", 11 },
	    NULL },
	{ "WebP", { "RIFF\0\0\0\0WEBPVP8X\0\0\0\0\0\0\0\0\1\0\0\1\0\0", 30 },
	    "image/webp" },
	{ "RIFF of another kind", { "RIFF\0\0\0\0WAVE", 12 }, NULL },
	{ "SVG", { "<svg>", 5 }, NULL },
	{ "nothing", { "", 0 }, NULL },
};

static void
test_images(void **state)
{
	const char *type;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(images); i++) {
		type = image_type(images[i].data);
		if (type == NULL ? images[i].type != NULL
				 : images[i].type == NULL ||
			    strcmp(type, images[i].type) != 0)
			case_fail(images[i].label, "%s",
			    type != NULL ? type : "(none)");
	}
}

/* ---- other people's mails ---- */

struct corpus {
	size_t bodies, links, warnings, remote, cut;
};

static void
check_mail(void *context, const char *path, struct bytes raw)
{
	struct corpus *corpus = context;
	struct arena *arena = arena_new(0);
	struct mime *mime = mime_parse(arena, raw);
	struct html html;
	struct buf text, plain;
	size_t i;

	for (i = 0; i < mime->html_count; i++) {
		buf_init(&text, HTML_INPUT_MAX);
		(void)mime_part_text(mime->html[i], &text);
		html_init(&html, arena);
		html_add(&html, buf_bytes(&text), &source);
		check(path, &html);
		buf_init(&plain, HTML_OUTPUT_MAX);
		(void)html_to_text(buf_bytes(&text), &plain);
		corpus->bodies++;
		corpus->links += html.links;
		corpus->warnings += html.warning_count;
		corpus->remote += html.remote_images;
		corpus->cut += html.cut || html.complex;
		buf_free(&plain);
		html_fini(&html);
		buf_free(&text);
	}
	mime_free(mime);
	arena_free(arena);
}

static void
test_corpora(void **state)
{
	struct corpus corpus = { 0, 0, 0, 0, 0 };

	(void)state;
	if (corpora_each_message(1, check_mail, &corpus) == 0)
		skip();
	printf("%zu bodies: %zu links, %zu deceive; %zu remote images; "
	       "%zu cut\n",
	    corpus.bodies, corpus.links, corpus.warnings, corpus.remote,
	    corpus.cut);
	assert_int_equal(corpus.cut, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_counts),
		cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_slow_pictures),
		cmocka_unit_test(test_to_text),
		cmocka_unit_test(test_css),
		cmocka_unit_test(test_meta_charset),
		cmocka_unit_test(test_links),
		cmocka_unit_test(test_images),
		cmocka_unit_test(test_ceilings),
		cmocka_unit_test(test_corpora),
	};

	mime_open();
	return cmocka_run_group_tests_name("html", tests, NULL, NULL);
}
