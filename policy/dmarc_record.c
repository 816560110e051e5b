/*
 * dmarc_record.c - a DMARC policy record, read (RFC 9989 section 4.7).
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <string.h>

#include "base/str.h"
#include "policy/dmarc_record.h"

/* A tag whose value is one of a few words. */
struct word {
	const char *text;
	int value;
};

static const struct word policies[] = {
	{ "none", DMARC_NONE },
	{ "quarantine", DMARC_QUARANTINE },
	{ "reject", DMARC_REJECT },
	{ NULL, 0 },
};
static const struct word modes[] = {
	{ "r", false },
	{ "s", true },
	{ NULL, 0 },
};
static const struct word switches[] = {
	{ "y", true },
	{ "n", false },
	{ NULL, 0 },
};
static const struct word psds[] = {
	{ "y", DMARC_PSD_YES },
	{ "n", DMARC_PSD_NO },
	{ "u", DMARC_PSD_UNKNOWN },
	{ NULL, 0 },
};

enum tag_id {
	TAG_P,
	TAG_SP,
	TAG_NP,
	TAG_T,
	TAG_PSD,
	TAG_ADKIM,
	TAG_ASPF,
	TAG_RUA,
	TAG_RUF,
	TAG_FO,
	TAG_COUNT
};

static const struct {
	const char *name;
	const struct word *words; /* NULL: any text */
} tags[TAG_COUNT] = {
	[TAG_P] = { "p", policies },
	[TAG_SP] = { "sp", policies },
	[TAG_NP] = { "np", policies },
	[TAG_T] = { "t", switches },
	[TAG_PSD] = { "psd", psds },
	[TAG_ADKIM] = { "adkim", modes },
	[TAG_ASPF] = { "aspf", modes },
	[TAG_RUA] = { "rua", NULL },
	[TAG_RUF] = { "ruf", NULL },
	[TAG_FO] = { "fo", NULL },
};

/* What a tag came to. */
struct found {
	bool seen; /* also when broken */
	bool valid;
	int value;
	struct bytes text;
};

static void
skip_wsp(struct cursor *c)
{
	while (cursor_char(c, ' ') || cursor_char(c, '\t'))
		;
}

static struct bytes
trim_wsp(struct bytes b)
{
	while (b.len > 0 && (*b.data == ' ' || *b.data == '\t')) {
		b.data++;
		b.len--;
	}
	while (b.len > 0 &&
	    (b.data[b.len - 1] == ' ' || b.data[b.len - 1] == '\t'))
		b.len--;
	return b;
}

/* dmarc-version, up to its semicolon or the end. */
static bool
take_version(struct cursor *c)
{
	struct bytes value;

	if (!cursor_char(c, 'v') && !cursor_char(c, 'V'))
		return false;
	skip_wsp(c);
	if (!cursor_char(c, '='))
		return false;
	value = trim_wsp(cursor_until(c, ";"));
	(void)cursor_char(c, ';');
	return bytes_equal(value, BYTES_LIT("DMARC1"));
}

static bool
is_printable(struct bytes text)
{
	size_t i;

	for (i = 0; i < text.len; i++)
		if ((unsigned char)text.data[i] < 0x20 ||
		    (unsigned char)text.data[i] > 0x7e)
			return false;
	return text.len > 0;
}

static void
read_value(struct found *found, const struct word *words, struct bytes text)
{
	found->text = text;
	found->valid = words == NULL;
	for (; words != NULL && words->text != NULL; words++)
		if (bytes_equal_nocase(text, bytes_of(words->text))) {
			found->valid = true;
			found->value = words->value;
		}
}

static void
read_tag(struct bytes tag, struct found found[TAG_COUNT])
{
	struct cursor c = cursor_of(tag);
	struct bytes name = trim_wsp(cursor_until(&c, "=")), value;
	size_t i;

	if (!cursor_char(&c, '='))
		return;
	value = trim_wsp((struct bytes){ c.p, (size_t)(c.end - c.p) });
	for (i = 0; i < TAG_COUNT; i++) {
		if (found[i].seen ||
		    !bytes_equal_nocase(name, bytes_of(tags[i].name)))
			continue;
		found[i].seen = true;
		if (is_printable(value))
			read_value(&found[i], tags[i].words, value);
	}
}

/* RFC 3986: a scheme, a colon, and something without spaces behind it. */
static bool
is_uri(struct bytes text)
{
	struct cursor c = cursor_of(text);
	size_t i;

	if (text.len == 0 || !ascii_is_alpha(*text.data))
		return false;
	while (c.p < c.end &&
	    (ascii_is_alnum(*c.p) || *c.p == '+' || *c.p == '-' || *c.p == '.'))
		c.p++;
	if (!cursor_char(&c, ':') || cursor_at_end(&c))
		return false;
	for (i = 0; i < text.len; i++)
		if (text.data[i] == ' ')
			return false;
	return true;
}

/* Is there one URI at least that a report could go to? */
static bool
has_uri(const struct found *rua)
{
	struct cursor c = cursor_of(rua->text);

	if (!rua->valid)
		return false;
	do {
		if (is_uri(trim_wsp(cursor_until(&c, ","))))
			return true;
	} while (cursor_char(&c, ','));
	return false;
}

static const char *
text_or_null(struct arena *arena, const struct found *found)
{
	return found->valid
	    ? arena_memdup(arena, found->text.data, found->text.len)
	    : NULL;
}

/* RFC 9989 section 4.10.1: broken policies count as p=none, provided that
 * somebody asked for reports. */
static void
set_policies(const struct found found[TAG_COUNT], struct dmarc_record *record)
{
	bool broken = !found[TAG_P].valid ||
	    (found[TAG_SP].seen && !found[TAG_SP].valid) ||
	    (found[TAG_NP].seen && !found[TAG_NP].valid);

	record->applies = !broken || has_uri(&found[TAG_RUA]);
	if (broken)
		return;
	record->p = (enum dmarc_policy)found[TAG_P].value;
	record->sp = found[TAG_SP].valid
	    ? (enum dmarc_policy)found[TAG_SP].value
	    : record->p;
	record->np = found[TAG_NP].valid
	    ? (enum dmarc_policy)found[TAG_NP].value
	    : record->sp;
}

int
dmarc_record_read(struct arena *arena, struct bytes text,
    struct dmarc_record *record)
{
	struct cursor c = cursor_of(text);
	struct found found[TAG_COUNT];

	if (!take_version(&c))
		return 0;
	memset(found, 0, sizeof(found));
	while (!cursor_at_end(&c)) {
		read_tag(cursor_until(&c, ";"), found);
		(void)cursor_char(&c, ';');
	}
	memset(record, 0, sizeof(*record));
	record->testing = found[TAG_T].value;
	record->strict_dkim = found[TAG_ADKIM].value;
	record->strict_spf = found[TAG_ASPF].value;
	record->psd = (enum dmarc_psd)found[TAG_PSD].value;
	record->rua = text_or_null(arena, &found[TAG_RUA]);
	record->ruf = text_or_null(arena, &found[TAG_RUF]);
	record->fo = text_or_null(arena, &found[TAG_FO]);
	set_policies(found, record);
	return 1;
}

/* ---- for who mends records ---- */

static bool
is_obsolete(struct bytes name)
{
	static const char *const names[] = { "pct", "rf", "ri" };
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (bytes_equal_nocase(name, bytes_of(names[i])))
			return true;
	return false;
}

static enum dmarc_tag
judge_tag(struct bytes tag, struct found found[TAG_COUNT])
{
	struct cursor c = cursor_of(tag);
	struct bytes name = trim_wsp(cursor_until(&c, "="));
	size_t i = 0;

	if (is_obsolete(name))
		return DMARC_TAG_OBSOLETE;
	while (
	    i < TAG_COUNT && !bytes_equal_nocase(name, bytes_of(tags[i].name)))
		i++;
	if (i == TAG_COUNT)
		return cursor_at_end(&c) ? DMARC_TAG_INVALID
					 : DMARC_TAG_NOT_KNOWN;
	if (found[i].seen)
		return DMARC_TAG_TWICE;
	read_tag(tag, found);
	return found[i].valid ? DMARC_TAG_GOOD : DMARC_TAG_INVALID;
}

void
dmarc_record_tags(struct bytes text,
    void (*each)(void *context, struct bytes tag, enum dmarc_tag what),
    void *context)
{
	struct cursor c = cursor_of(text);
	struct found found[TAG_COUNT];
	struct bytes tag;

	if (!take_version(&c))
		return;
	memset(found, 0, sizeof(found));
	while (!cursor_at_end(&c)) {
		tag = trim_wsp(cursor_until(&c, ";"));
		(void)cursor_char(&c, ';');
		if (tag.len > 0)
			each(context, tag, judge_tag(tag, found));
	}
}
