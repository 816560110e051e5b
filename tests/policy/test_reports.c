/*
 * test_reports.c - tests of policy/dmarc_report*, tls_report, report_unpack
 * and report_file: reports of others, and those we write.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <zlib.h>

#include "tests/unit.h"

#include "base/file.h"
#include "policy/report_file.h"

/* ---- aggregate reports, read ---- */

#define METADATA                                                               \
	"<report_metadata><org_name>o</org_name><email>e@o.test</email>"       \
	"<report_id>1</report_id><date_range><begin>86400</begin>"             \
	"<end>172799</end></date_range></report_metadata>"
#define POLICY                                                                 \
	"<policy_published><domain>D.test</domain><p>None</p>"                 \
	"</policy_published>"
#define ROW                                                                    \
	"<row><source_ip>192.0.2.1</source_ip><count>3</count>"                \
	"<policy_evaluated><disposition>none</disposition><dkim>Pass</dkim>"   \
	"<spf>fail</spf></policy_evaluated></row>"
#define IDENTIFIERS                                                            \
	"<identifiers><header_from>d.test</header_from></identifiers>"
#define RECORD                                                                 \
	"<record>" ROW IDENTIFIERS "<auth_results></auth_results></record>"
#define DEEP "<a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a>"

static const struct xml_case {
	const char *label, *xml;
	const char *problem; /* NULL: none */
} xml_cases[] = {
	{ "good", "<feedback>" METADATA POLICY RECORD "</feedback>", NULL },
	{ "any order", "<feedback>" RECORD POLICY METADATA "</feedback>",
	    NULL },
	{ "a namespace",
	    "<feedback xmlns='urn:ietf:params:xml:ns:dmarc-2.0'>" METADATA
		POLICY RECORD "</feedback>",
	    NULL },
	{ "a namespace for some",
	    "<d:feedback xmlns:d='x'>" METADATA POLICY RECORD "</d:feedback>",
	    NULL },
	{ "an extension is passed over",
	    "<feedback xmlns:e='urn:e'>" METADATA POLICY
	    "<extension><e:feedback/></extension><e:record><row/></e:record>"
	    "<record>" ROW IDENTIFIERS
	    "<auth_results/><e:count>9</e:count></record></feedback>",
	    NULL },
	{ "an unknown element",
	    "<feedback><x><record/></x>" METADATA POLICY RECORD "</feedback>",
	    NULL },
	{ "a comment and a section",
	    "<feedback><!-- & -->" METADATA POLICY "<record>" ROW
	    "<identifiers><header_from><![CDATA[d.test]]></header_from>"
	    "</identifiers></record></feedback>",
	    NULL },
	{ "empty", "", "it is empty" },
	{ "no XML", "hello", "line 1: syntax error" },
	{ "not closed", "<feedback>\n" METADATA, "line 2: no element found" },
	{ "another document", "<html><feedback/></html>",
	    "line 1: this is no aggregate report: it begins with <html>" },
	{ "of a namespace, another in it",
	    "<e:feedback xmlns:e='e'><feedback xmlns='f'/></e:feedback>",
	    "there is no policy domain" },
	{ "entities", "<!DOCTYPE feedback [<!ENTITY a \"b\">]>\n<feedback>&a;",
	    "line 1: a document type is not allowed" },
	{ "an entity from outside",
	    "\n<!DOCTYPE f SYSTEM \"file:///etc/passwd\"><feedback/>",
	    "line 2: a document type is not allowed" },
	{ "an unknown entity", "<feedback>&a;</feedback>",
	    "line 1: undefined entity" },
	{ "a charset we do not know",
	    "<?xml version='1.0' encoding='x-none'?><feedback/>",
	    "line 1: unknown encoding" },
	{ "no UTF-8", "<feedback>\n\xff</feedback>",
	    "line 2: not well-formed (invalid token)" },
	{ "too deep", "<feedback>\n" DEEP,
	    "line 2: elements are nested too deep" },
	{ "no address",
	    "<feedback>" METADATA POLICY
	    "\n<record><row><source_ip>x</source_ip>",
	    "line 2: source_ip: 'x' is no IP address" },
	{ "no number", "<feedback><record><row><count>-1</count>",
	    "line 1: count: '-1' is no number of messages" },
	{ "a huge number",
	    "<feedback><record><row><count>1000000000001</count>",
	    "line 1: count: '1000000000001' is no number of messages" },
	{ "no verdict",
	    "<feedback><record><row><policy_evaluated><dkim>maybe</dkim>",
	    "line 1: dkim: 'maybe' is neither pass nor fail" },
	{ "no disposition",
	    "<feedback><record><row><policy_evaluated>"
	    "<disposition>eaten</disposition>",
	    "line 1: disposition: 'eaten' is none of none, pass, quarantine, "
	    "reject" },
	{ "a record of nobody",
	    "<feedback>" METADATA POLICY "\n<record>" ROW "</record>",
	    "line 2: a record without header_from" },
	{ "a record of nothing", "<feedback><record></record>",
	    "line 1: a record without source_ip" },
	{ "no records", "<feedback>" METADATA POLICY "</feedback>",
	    "there is no record" },
	{ "no policy", "<feedback>" METADATA RECORD "</feedback>",
	    "there is no policy domain" },
	{ "no metadata", "<feedback>" POLICY RECORD "</feedback>",
	    "there is no report_id" },
	{ "no period",
	    "<feedback><report_metadata><report_id>1</report_id>"
	    "</report_metadata>" POLICY RECORD "</feedback>",
	    "there is no date_range" },
	{ "backwards",
	    "<feedback><report_metadata><report_id>1</report_id><date_range>"
	    "<begin>2</begin><end>1</end></date_range></report_metadata>" POLICY
		RECORD "</feedback>",
	    "the period ends before it begins" },
	{ "no domain", "<feedback><policy_published><domain>a b</domain>",
	    "line 1: domain: 'a b' is no domain" },
};

static void
test_read(void **state)
{
	struct dmarc_report report;
	struct arena *arena;
	struct err err;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(xml_cases); i++) {
		const struct xml_case *c = &xml_cases[i];
		int rc;

		arena = arena_new(0);
		err_clear(&err);
		rc = dmarc_report_read(arena, bytes_of(c->xml), &report, &err);
		if ((rc == 0) != (c->problem == NULL))
			case_fail(c->label, "%d %s", rc, err.text);
		if (rc < 0 && strcmp(err.text, c->problem) != 0)
			case_fail(c->label, "%s", err.text);
		if (rc == 0 &&
		    (report.record_count != 1 || report.records->count != 3 ||
			!report.records->dkim_pass ||
			report.records->spf_pass ||
			strcmp(report.domain, "d.test") != 0 ||
			strcmp(report.p, "none") != 0 ||
			strcmp(report.records->header_from, "d.test") != 0))
			case_fail(c->label, "read wrongly");
		arena_free(arena);
	}
}

/* Each ceiling, by what goes over it by one. */
static void
test_ceilings(void **state)
{
	struct arena *arena = arena_new(0);
	struct dmarc_report report;
	struct err err;
	struct buf xml;
	size_t i;

	(void)state;
	buf_init(&xml, REPORT_XML_MAX + 1);
	buf_append_str(&xml,
	    "<feedback>" METADATA POLICY "<record><row><source_ip>");
	for (i = 0; i <= REPORT_TEXT_MAX; i++)
		buf_append_char(&xml, '1');
	assert_int_equal(dmarc_report_read(arena, buf_bytes(&xml), &report,
			     &err),
	    -1);
	assert_int_equal(err.kind, ERR_LIMIT);
	assert_string_equal(err.text,
	    "line 1: source_ip is longer than 4096 octets");

	buf_reset(&xml);
	buf_append_str(&xml, "<feedback>" METADATA POLICY);
	for (i = 0; i <= REPORT_RECORDS_MAX; i++)
		buf_append_str(&xml, RECORD);
	assert_int_equal(dmarc_report_read(arena, buf_bytes(&xml), &report,
			     &err),
	    -1);
	assert_int_equal(err.kind, ERR_LIMIT);
	assert_string_equal(err.text, "line 1: more than 200000 records");

	/* Of signatures and reasons, what is over is left out. */
	buf_reset(&xml);
	buf_append_str(&xml,
	    "<feedback>" METADATA POLICY "<record>" ROW IDENTIFIERS
	    "<auth_results>");
	for (i = 0; i <= REPORT_SIGNATURES_MAX; i++)
		buf_append_str(&xml, "<dkim><domain>d.test</domain></dkim>");
	buf_append_str(&xml, "</auth_results></record></feedback>");
	assert_int_equal(dmarc_report_read(arena, buf_bytes(&xml), &report,
			     &err),
	    0);
	assert_int_equal(report.records->signature_count,
	    REPORT_SIGNATURES_MAX);
	buf_free(&xml);
	arena_free(arena);
}

/* ---- and written ---- */

static struct report_signature signatures[] = {
	{ "d.test", "s1", "pass", NULL, &signatures[1] },
	{ "e.test", "s<2>", "fail", "body & hash \xef\xbf\xbf", NULL },
};
static struct report_reason reason = { "local_policy", "an allow list", NULL };
static struct report_record records[] = {
	{ .count = 2,
	    .disposition = DISPOSITION_PASS,
	    .dkim_pass = true,
	    .header_from = "d.test",
	    .envelope_from = "",
	    .envelope_to = "ours.test",
	    .signatures = &signatures[0],
	    .next = &records[1] },
	{ .count = 1000000,
	    .disposition = DISPOSITION_QUARANTINE,
	    .reasons = &reason,
	    .header_from = "x.d.test",
	    .envelope_from = "f.test",
	    .spf_domain = "f.test",
	    .spf_scope = "mfrom",
	    .spf_result = "softfail",
	    .next = NULL },
};

static void
make_report(struct dmarc_report *report)
{
	memset(report, 0, sizeof(*report));
	ip_parse(BYTES_LIT("192.0.2.7"), &records[0].source);
	ip_parse(BYTES_LIT("2001:db8::7"), &records[1].source);
	report->organization = "Ours & theirs";
	report->email = "dmarc@ours.test";
	report->id = "20261121-d.test@ours.test";
	report->begin_s = 86400;
	report->end_s = 172799;
	report->generator = "Sekimori 0.1.0";
	report->domain = "d.test";
	report->discovery = "treewalk";
	report->p = "reject";
	report->sp = report->np = "quarantine";
	report->adkim = "r";
	report->aspf = "s";
	report->testing = "n";
	report->fo = "1";
	report->records = records;
}

static void
write_report(struct buf *xml)
{
	struct dmarc_report report;

	make_report(&report);
	buf_init(xml, REPORT_XML_MAX);
	assert_int_equal(dmarc_report_write(&report, xml), 0);
}

static void
test_round_trip(void **state)
{
	struct arena *arena = arena_new(0);
	struct dmarc_report report;
	struct buf xml, again;
	struct err err;

	(void)state;
	write_report(&xml);
	if (dmarc_report_read(arena, buf_bytes(&xml), &report, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(report.record_count, 2);
	assert_string_equal(report.records->signatures->next->selector, "s<2>");
	assert_string_equal(report.records->signatures->next->human_result,
	    "body & hash ?");
	buf_init(&again, REPORT_XML_MAX);
	assert_int_equal(dmarc_report_write(&report, &again), 0);
	assert_string_equal(buf_str(&again), buf_str(&xml));
	buf_free(&again);
	/* A ceiling is not passed in silence. */
	buf_init(&again, xml.len - 1);
	assert_int_equal(dmarc_report_write(&report, &again), -1);
	buf_free(&again);
	buf_free(&xml);
	arena_free(arena);
}

/* ---- the corpora ---- */

static char *
corpus_path(const char *rest)
{
	const char *corpora = getenv("CORPORA");

	if (corpora == NULL || corpora[0] == '\0')
		corpora = SRCDIR "/../shared/corpora";
	return xprintf("%s/dmarc/%s", corpora, rest);
}

/* xmllint and the schema, where both are there. */
static void
test_schema(void **state)
{
	char *schema = corpus_path("schema/dmarc-xml-0.2.xsd");
	char file[] = "/tmp/sekimori-report.XXXXXX";
	struct buf xml;
	int fd, status;
	pid_t pid;

	(void)state;
	if (access(schema, R_OK) < 0) {
		print_message("skipped: schema of RFC 9990 (%s)\n", schema);
		free(schema);
		skip();
		return;
	}
	write_report(&xml);
	fd = mkstemp(file);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, xml.data, xml.len), (ssize_t)xml.len);
	close(fd);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		execlp("xmllint", "xmllint", "--nonet", "--noout", "--schema",
		    schema, file, (char *)NULL);
		_exit(127);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	unlink(file);
	buf_free(&xml);
	free(schema);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 127) {
		print_message("skipped: schema of RFC 9990 (no xmllint)\n");
		skip();
	}
	assert_int_equal(status, 0);
}

struct sample {
	const char *file;
	const char *problem; /* NULL: read */
	size_t records;      /* or policies of a TLS report */
};

static const struct sample samples[] = {
	{ "aggregate/!example.com!1538204542!1538463818.xml", NULL, 1 },
	{ "aggregate/!large-example.com!1711897200!1711983600.xml", NULL,
	    2286 },
	{ "aggregate/addisonfoods.com!example.com!1536105600!1536191999.xml",
	    NULL, 1 },
	{ "aggregate/empty_reason.xml", NULL, 1 },
	{ "aggregate/estadocuenta1.infonacot.gob.mx!example.com!1536853302!"
	  "1536939702!2940.xml.zip",
	    NULL, 1 },
	{ "aggregate/example.net!example.com!1529366400!1529452799.xml", NULL,
	    1 },
	{ "aggregate/fastmail.com!example.com!1516060800!1516147199!102675056."
	  "xml.gz",
	    NULL, 1 },
	{ "aggregate/ikea.com!example.de!1538690400!1538776800.xml",
	    "line 1: this is no aggregate report: it begins with <schema>", 0 },
	{ "aggregate/invalid_utf_8.xml",
	    "line 31: not well-formed (invalid token)", 0 },
	{ "aggregate/invalid_xml.xml",
	    "line 5: not well-formed (invalid token)", 0 },
	{ "aggregate/old_draft_from_wiki.xml", NULL, 1 },
	{ "aggregate/protection.outlook.com!example.com!1711756800!1711843200."
	  "xml",
	    NULL, 1 },
	{ "aggregate/rfc9990-example.net!example.com!1700000000!1700086399.xml",
	    NULL, 2 },
	{ "aggregate/rfc9990-sample.xml", NULL, 1 },
	{ "aggregate/usssa.com!example.com!1538784000!1538870399.xml", NULL,
	    2 },
	{ "aggregate/veeam.com!example.com!1530133200!1530219600.xml", NULL,
	    1 },
	{ "aggregate_invalid/empty.xml", "it is empty", 0 },
	{ "aggregate_invalid/report_with_upper_cased_pass.xml", NULL, 1 },
	{ "extract_report/changed-input.xml", NULL, 20 },
	{ "extract_report/nice-input.xml", NULL, 20 },
	{ "extract_report/nice-input.xml.gz", NULL, 20 },
	{ "extract_report/nice-input.xml.zip", NULL, 20 },
	{ "schema/dmarc-xml-0.2.xml", NULL, 1 },
	{ "schema/dmarc-xmlalt-0.2.xml", NULL, 1 },
	{ "smtp_tls/mail.ru.json", NULL, 1 },
	{ "smtp_tls/rfc8460.json", NULL, 1 },
	{ "smtp_tls/smtp_tls.json", NULL, 1 },
};

static int
count_records(void *context, const struct report_file *file, struct err *err)
{
	size_t *n = context;

	(void)err;
	*n += file->dmarc != NULL ? file->dmarc->record_count
				  : file->tls->policy_count;
	return 0;
}

static void
try_sample(const struct sample *sample, struct bytes data)
{
	struct err err;
	size_t n = 0;
	int rc;

	err_clear(&err);
	rc = report_file_read(data, count_records, &n, &err);
	if ((rc == 0) != (sample->problem == NULL) || n != sample->records)
		case_fail(sample->file, "%d, %zu: %s", rc, n, err.text);
	if (rc < 0 && strcmp(err.text, sample->problem) != 0)
		case_fail(sample->file, "%s", err.text);
}

static void
test_corpora(void **state)
{
	struct buf data;
	size_t i;
	char *path;

	(void)state;
	for (i = 0; i < ARRAY_LEN(samples); i++) {
		path = corpus_path(samples[i].file);
		buf_init(&data, UNPACK_IN_MAX);
		if (file_read(path, &data, NULL) < 0)
			print_message("skipped: %s\n", path);
		else
			try_sample(&samples[i], buf_bytes(&data));
		buf_free(&data);
		free(path);
	}
}

/* ---- packed ---- */

static void
put16(struct buf *out, unsigned n)
{
	buf_append_char(out, (char)(n & 0xff));
	buf_append_char(out, (char)(n >> 8 & 0xff));
}

static void
put32(struct buf *out, size_t n)
{
	put16(out, (unsigned)(n & 0xffff));
	put16(out, (unsigned)(n >> 16 & 0xffff));
}

/* What a case changes of an archive that is in order. */
struct zip_options {
	unsigned flags, method, disk;
	size_t entries; /* 0: 1 */
	bool shared;    /* all entries lead to the same octets */
	bool bad_crc, bad_size, cut_directory, zip64;
	const char *name;
};

/* window: as for deflateInit2. */
static void
pack_at(int level, struct bytes data, int window, struct buf *out)
{
	z_stream stream;
	unsigned char piece[65536];
	int rc;

	memset(&stream, 0, sizeof(stream));
	assert_int_equal(deflateInit2(&stream, level, Z_DEFLATED, window, 8,
			     Z_DEFAULT_STRATEGY),
	    Z_OK);
	stream.next_in = (Bytef *)(uintptr_t)data.data;
	stream.avail_in = (uInt)data.len;
	do {
		stream.next_out = piece;
		stream.avail_out = sizeof(piece);
		rc = deflate(&stream, Z_FINISH);
		buf_append(out, piece, sizeof(piece) - stream.avail_out);
	} while (rc == Z_OK);
	deflateEnd(&stream);
}

static void
pack(struct bytes data, int window, struct buf *out)
{
	pack_at(9, data, window, out);
}

static void
put_common(const struct zip_options *options, struct bytes packed,
    struct bytes data, struct buf *out)
{
	uLong crc = crc32(0, (const Bytef *)data.data, (uInt)data.len);

	put16(out, 20);
	put16(out, options->flags);
	put16(out, options->method);
	put32(out, 0); /* time */
	put32(out, options->bad_crc ? 1 : crc);
	put32(out, options->zip64 ? UINT32_MAX : packed.len);
	put32(out, data.len + options->bad_size);
	put16(out, (unsigned)strlen(options->name));
	put16(out, 0);
}

static void
make_zip(const struct zip_options *options, struct bytes data, struct buf *out)
{
	size_t n = options->entries > 0 ? options->entries : 1, i, directory;
	size_t local[64] = { 0 };
	struct buf packed;

	buf_init(&packed, 1UL << 30);
	if (options->method == 8)
		pack(data, -15, &packed);
	else
		buf_append_bytes(&packed, data);
	for (i = 0; i < n; i++) {
		if (options->shared && i > 0)
			continue;
		local[i] = out->len;
		buf_append_str(out, "PK\3\4");
		put_common(options, buf_bytes(&packed), data, out);
		buf_append_str(out, options->name);
		buf_append_bytes(out, buf_bytes(&packed));
	}
	directory = out->len;
	for (i = 0; i < n; i++) {
		buf_append_str(out, "PK\1\2");
		put16(out, 20);
		put_common(options, buf_bytes(&packed), data, out);
		put16(out, 0); /* comment */
		put16(out, 0); /* disk */
		put16(out, 0);
		put32(out, 0);
		put32(out, local[i]);
		buf_append_str(out, options->name);
	}
	i = out->len - directory;
	buf_append_str(out, "PK\5\6");
	put16(out, options->disk);
	put16(out, options->disk);
	put16(out, (unsigned)n);
	put16(out, (unsigned)n);
	put32(out, options->cut_directory ? i - 1 : i);
	put32(out, directory);
	put16(out, 0);
	buf_free(&packed);
}

#define GOOD_XML "<feedback>" METADATA POLICY RECORD "</feedback>"

static const struct {
	const char *label;
	struct zip_options options;
	const char *problem;
} zip_cases[] = {
	{ "stored", { .name = "a.xml" }, NULL },
	{ "deflated", { .name = "a.xml", .method = 8 }, NULL },
	{ "two", { .name = "a.xml", .method = 8, .entries = 2 }, NULL },
	{ "encrypted", { .name = "a.xml", .flags = 1 },
	    "the zip archive is encrypted" },
	{ "another method", { .name = "a.xml", .method = 14 },
	    "a.xml: a file is packed in a way (14) that is not read" },
	{ "another disk", { .name = "a.xml", .disk = 1 },
	    "the zip archive has several parts" },
	{ "many", { .name = "a.xml", .entries = 21 },
	    "the zip archive holds 21 files; at most 20 are read" },
	{ "over each other", { .name = "a.xml", .entries = 20, .shared = true },
	    "the zip archive is damaged: files lie over each other" },
	{ "another checksum", { .name = "a.xml", .bad_crc = true },
	    "a.xml: the zip archive is damaged: a file has another checksum" },
	{ "another size", { .name = "a.xml", .method = 8, .bad_size = true },
	    "a.xml: the zip archive is damaged: a file is not as long as it "
	    "should be" },
	{ "a short directory", { .name = "a.xml", .cut_directory = true },
	    "the zip archive is damaged: its directory ends early" },
	{ "ZIP64", { .name = "a.xml", .zip64 = true },
	    "the zip archive is of the large kind (ZIP64)" },
	{ "folders only", { .name = "a/" }, "the zip archive is empty" },
};

static void
test_zip(void **state)
{
	struct buf zip;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(zip_cases); i++) {
		const struct sample sample = { zip_cases[i].label,
			zip_cases[i].problem,
			zip_cases[i].problem != NULL       ? 0
			    : zip_cases[i].options.entries ? 2
							   : 1 };

		buf_init(&zip, 1UL << 20);
		make_zip(&zip_cases[i].options, BYTES_LIT(GOOD_XML), &zip);
		/* Files that lie over each other are found at the second,
		 * when the first has been read. */
		if (zip_cases[i].options.shared) {
			size_t n = 0;
			struct err err;

			assert_int_equal(report_file_read(buf_bytes(&zip),
					     count_records, &n, &err),
			    -1);
			assert_string_equal(err.text, zip_cases[i].problem);
		} else {
			try_sample(&sample, buf_bytes(&zip));
		}
		buf_free(&zip);
	}
}

/* Every file that is cut or changed in one octet is read or refused. */
static void
test_damaged(void **state)
{
	const struct zip_options options = { .name = "a.xml", .method = 8 };
	struct buf packed[2], part;
	size_t i, k, n;

	(void)state;
	buf_init(&packed[0], 1UL << 20);
	buf_init(&packed[1], 1UL << 20);
	make_zip(&options, BYTES_LIT(GOOD_XML), &packed[0]);
	pack(BYTES_LIT(GOOD_XML), 15 + 16, &packed[1]);
	for (k = 0; k < 2; k++)
		for (i = 0; i < packed[k].len; i++) {
			n = 0;
			assert_int_equal(
			    report_file_read((struct bytes){ packed[k].data,
						 i },
				count_records, &n, NULL),
			    -1);
			buf_init(&part, 1UL << 20);
			buf_append_bytes(&part, buf_bytes(&packed[k]));
			part.data[i] ^= 0x5a;
			(void)report_file_read(buf_bytes(&part), count_records,
			    &n, NULL);
			buf_free(&part);
		}
	buf_free(&packed[0]);
	buf_free(&packed[1]);
}

static void
test_gzip(void **state)
{
	const struct sample good = { "good", NULL, 1 };
	const struct sample cut = { "cut", "the packed data end early", 0 };
	struct buf gz;

	(void)state;
	buf_init(&gz, 1UL << 20);
	pack(BYTES_LIT("<feedback>" METADATA), 15 + 16, &gz);
	pack(BYTES_LIT(POLICY RECORD "</feedback>"), 15 + 16, &gz);
	buf_append(&gz, "\0\0\0", 3);
	try_sample(&good, buf_bytes(&gz));
	gz.len -= 10;
	try_sample(&cut, buf_bytes(&gz));
	buf_free(&gz);
}

static void
test_bombs(void **state)
{
	const struct sample ratio = { "ratio",
		"unpacked it is more than 200 times as large: a bomb", 0 };
	const struct sample large = { "large", "it is larger than 25 MB", 0 };
	const struct sample wide = { "wide", "unpacked it is larger than 64 MB",
		0 };
	struct buf zeros, gz;
	size_t i;

	(void)state;
	buf_init(&zeros, 1UL << 30);
	buf_init(&gz, 1UL << 30);
	for (i = 0; i < 100; i++) {
		char piece[65536] = { 0 };

		buf_append(&zeros, piece, sizeof(piece));
	}
	pack(buf_bytes(&zeros), 15 + 16, &gz);
	try_sample(&ratio, buf_bytes(&gz));
	/* 100 MB is not even looked at. */
	buf_reset(&zeros);
	for (i = 0; i < 100UL * 1024; i++)
		buf_append(&zeros, (const char[1024]){ 0 }, 1024);
	try_sample(&large, buf_bytes(&zeros));
	/* Not very packed, but large. */
	buf_reset(&zeros);
	buf_reset(&gz);
	for (i = 0; i < REPORT_XML_MAX / 4 + 1; i++) {
		const uint32_t n = (uint32_t)i / 16;

		buf_append(&zeros, &n, 4);
	}
	pack_at(1, buf_bytes(&zeros), 15 + 16, &gz);
	assert_true(gz.len < UNPACK_IN_MAX);
	assert_true(gz.len > REPORT_XML_MAX / UNPACK_RATIO_MAX);
	try_sample(&wide, buf_bytes(&gz));
	buf_free(&gz);
	buf_free(&zeros);
}

/* ---- TLS ---- */

#define TLS_HEAD                                                               \
	"{\"report-id\": \"1\", \"date-range\": {\"start-datetime\": "         \
	"\"2026-11-21T00:00:00Z\", \"end-datetime\": "                         \
	"\"2026-11-21T23:59:59Z\"}, "
#define TLS_POLICY                                                             \
	"{\"policy\": {\"policy-type\": \"sts\", \"policy-domain\": "          \
	"\"D.test\"}, \"summary\": {\"total-successful-session-count\": 5, "   \
	"\"total-failure-session-count\": 1}"

static const struct xml_case tls_cases[] = {
	{ "good", TLS_HEAD "\"policies\": [" TLS_POLICY "}]}", NULL },
	{ "no details",
	    TLS_HEAD "\"policies\": [" TLS_POLICY
		     ", \"failure-details\": null}]}",
	    NULL },
	{ "no JSON", "{\n\"a\": }", "line 2: unexpected token near '}'" },
	{ "no report", "{\"a\": 1}",
	    "this is no TLS report: it has no policies" },
	{ "no policy", TLS_HEAD "\"policies\": []}",
	    "policies: there must be 1 to 1000" },
	{ "not a policy", TLS_HEAD "\"policies\": [3]}",
	    "policies[0].policy-type: is missing" },
	{ "details that are none",
	    TLS_HEAD "\"policies\": [" TLS_POLICY ", \"failure-details\": 3}]}",
	    "policies[0].failure-details: is no list" },
	{ "a detail that is none",
	    TLS_HEAD "\"policies\": [" TLS_POLICY
		     ", \"failure-details\": [{\"result-type\": \"x\", "
		     "\"failed-session-count\": -1}]}]}",
	    "policies[0].failure-details[0].failed-session-count: is no "
	    "number of sessions" },
	{ "no time",
	    "{\"report-id\": \"1\", \"date-range\": {\"start-datetime\": "
	    "\"yesterday\"}, \"policies\": [1]}",
	    "date-range.start-datetime: is no time" },
};

static void
test_tls(void **state)
{
	struct tls_report report;
	struct arena *arena;
	struct err err;
	size_t i;
	int rc;

	(void)state;
	for (i = 0; i < ARRAY_LEN(tls_cases); i++) {
		const struct xml_case *c = &tls_cases[i];

		arena = arena_new(0);
		err_clear(&err);
		rc = tls_report_read(arena, bytes_of(c->xml), &report, &err);
		if ((rc == 0) != (c->problem == NULL) ||
		    (rc < 0 && strcmp(err.text, c->problem) != 0))
			case_fail(c->label, "%d %s", rc, err.text);
		if (rc == 0 &&
		    (report.policies[0].good != 5 ||
			strcmp(report.policies[0].domain, "d.test") != 0 ||
			report.begin_s != 1795219200))
			case_fail(c->label, "read wrongly");
		arena_free(arena);
	}
}

static void
test_times(void **state)
{
	static const struct {
		const char *text;
		int64_t seconds; /* -1: none */
	} times[] = {
		{ "1970-01-01T00:00:00Z", 0 },
		{ "2000-02-29T12:34:56Z", 951827696 },
		{ "2026-11-22T09:00:00+09:00", 1795305600 },
		{ "2026-11-21T23:00:00.123-01:00", 1795305600 },
		{ "2026-11-22 00:00:00z", 1795305600 },
		{ "2026-13-01T00:00:00Z", -1 },
		{ "2026-00-01T00:00:00Z", -1 },
		{ "2026-01-32T00:00:00Z", -1 },
		{ "2026-01-01T24:00:00Z", -1 },
		{ "2026-01-01T00:00:00", -1 },
		{ "2026-01-01T00:00:00Zx", -1 },
		{ "2026-01-01", -1 },
		{ "", -1 },
	};
	int64_t seconds;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(times); i++) {
		if (rfc3339_parse(bytes_of(times[i].text), &seconds) < 0)
			seconds = -1;
		if (seconds != times[i].seconds)
			case_fail(times[i].text, "%lld", (long long)seconds);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_ceilings),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_schema),
		cmocka_unit_test(test_corpora),
		cmocka_unit_test(test_zip),
		cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_gzip),
		cmocka_unit_test(test_bombs),
		cmocka_unit_test(test_tls),
		cmocka_unit_test(test_times),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
