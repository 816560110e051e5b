/*
 * history_record.c - decision records as the history stores them.
 *
 * One record is short and much like any other, so zstd gets a dictionary: a
 * record, and the words that occur in them.  The first octet says which
 * dictionary it was; an old one stays here as long as files may hold
 * records packed with it.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include <zstd.h>

#include "base/arena.h"
#include "quarantine/history_impl.h"

#define LEVEL 3
#define DICTIONARY_NOW 1

/* What is most common comes last: there a match is cheapest. */
static const char dictionary_1[] =
    "dmarc.lifted-by-arc\",\"dmarc.lifted-by-list\",\"dmarc.temperror\","
    "\"spf.temperror\",\"dkim.temperror\",\"list.allow-not-counted\","
    "\"limits.message\",\"limits.size\",\"filter.off\",\"from.malformed\","
    "\"list.allow\",\"list.block\",\"dmarc.fail\",\"spf.softfail\","
    "\"spf.permerror\",\"whitelisted\",\"blacklisted\",\"phish\",\"spam\","
    "\"unsure\",\"sender-list\",\"client-list\",\"recipient-list\",\"size\","
    "\"quarantine-hidden\",\"quarantine\",\"reject\",\"defer\",\"discard\","
    "\"tag\",\"outbound\",\"list\",\"dmarc\",\"spf\",\"dkim\",\"locked\","
    "\"system\",\"temperror\",\"permerror\",\"neutral\",\"softfail\","
    "\"policy\",\"none\",\"fail\",\"ed25519-sha256\",\"no SPF record\","
    "\"a\",\"mx\",\"include:_spf.\",\"ip4:\",\"-all\",\"~all\",\"?all\","
    "{\"version\":1,\"id\":\"01\",\"mailbox\":\"info@example.com\","
    "\"direction\":\"inbound\",\"generation\":1,\"class\":{\"main\":"
    "\"not-spam\",\"sub\":\"\",\"extra\":\"\"},\"score\":0.0,"
    "\"thresholds\":{\"unsure\":3.0,\"spam\":5.0},\"action\":\"accept\","
    "\"decided_by\":\"score\",\"reply\":null,\"reasons\":[{\"name\":"
    "\"spf.fail\",\"points\":3.0,\"detail\":\"\"},{\"name\":\"dkim.fail\","
    "\"points\":0.5,\"detail\":\"\"}],\"envelope\":{\"client_ip\":"
    "\"192.0.2.1\",\"client_name\":\"mail.example.com\",\"helo\":"
    "\"mail.example.com\",\"auth\":\"\",\"sender\":\"\"},\"results\":null,"
    "\"results\":{\"iprev\":{\"result\":\"pass\",\"name\":"
    "\"mail.example.com\"},\"spf\":{\"result\":\"pass\",\"domain\":"
    "\"example.com\",\"mechanism\":\"ip4:192.0.2.0/24\",\"problem\":null,"
    "\"explanation\":null},\"spf_helo\":{\"result\":\"none\",\"domain\":"
    "\"mail.example.com\",\"mechanism\":null,\"problem\":null,"
    "\"explanation\":null},\"dkim\":{\"result\":\"pass\",\"ignored\":0,"
    "\"signatures\":[{\"result\":\"pass\",\"domain\":\"example.com\","
    "\"selector\":\"s1\",\"identity\":\"@example.com\",\"algorithm\":"
    "\"rsa-sha256\",\"key_bits\":2048,\"trusted\":true,\"testing\":false,"
    "\"problem\":null}]},\"arc\":{\"result\":\"none\",\"sets\":0,"
    "\"sealer\":null,\"problem\":null},\"dmarc\":{\"result\":\"pass\","
    "\"from_domain\":\"example.com\",\"policy_domain\":\"example.com\","
    "\"organizational_domain\":\"example.com\",\"policy\":\"reject\","
    "\"published\":\"reject\",\"testing\":false,\"dkim_aligned\":true,"
    "\"spf_aligned\":true,\"malformed\":false,\"problem\":null}}}";

struct history_packer {
	ZSTD_CCtx *packing;
	ZSTD_CDict *packing_dictionary;
	ZSTD_DCtx *unpacking;
	ZSTD_DDict *unpacking_dictionary;
};

struct history_packer *
history_packer_new(void)
{
	struct history_packer *packer = xcalloc(1, sizeof(*packer));
	size_t size = sizeof(dictionary_1) - 1;

	packer->packing = ZSTD_createCCtx();
	packer->packing_dictionary =
	    ZSTD_createCDict(dictionary_1, size, LEVEL);
	packer->unpacking = ZSTD_createDCtx();
	packer->unpacking_dictionary = ZSTD_createDDict(dictionary_1, size);
	if (packer->packing == NULL || packer->packing_dictionary == NULL ||
	    packer->unpacking == NULL || packer->unpacking_dictionary == NULL)
		abort();
	return packer;
}

void
history_packer_free(struct history_packer *packer)
{
	if (packer == NULL)
		return;
	ZSTD_freeCCtx(packer->packing);
	ZSTD_freeCDict(packer->packing_dictionary);
	ZSTD_freeDCtx(packer->unpacking);
	ZSTD_freeDDict(packer->unpacking_dictionary);
	free(packer);
}

static int
pack(struct history_packer *packer, struct bytes text, struct bytes *out,
    struct err *err)
{
	size_t size = ZSTD_compressBound(text.len);
	char *packed = xmalloc(size + 1);

	packed[0] = DICTIONARY_NOW;
	size = ZSTD_compress_usingCDict(packer->packing, packed + 1, size,
	    text.data, text.len, packer->packing_dictionary);
	if (ZSTD_isError(size)) {
		free(packed);
		return err_set(err, ERR_INPUT, "zstd: %s",
		    ZSTD_getErrorName(size));
	}
	*out = (struct bytes){ packed, size + 1 };
	return 0;
}

int
history_pack_record(struct history_packer *packer, const json_t *record,
    struct bytes *out, struct err *err)
{
	char *text = json_dumps(record, JSON_COMPACT);
	int rc;

	*out = (struct bytes){ NULL, 0 };
	if (text == NULL)
		return 0; /* the event has none */
	if (strlen(text) > HISTORY_RECORD_MAX)
		rc = err_set(err, ERR_INPUT, "the record is too large");
	else
		rc = pack(packer, bytes_of(text), out, err);
	free(text);
	return rc;
}

json_t *
history_unpack_record(struct history_packer *packer, struct bytes packed)
{
	json_t *record = NULL;
	size_t size;
	char *text;

	if (packed.len < 1 || packed.data[0] != DICTIONARY_NOW)
		return json_null();
	text = xmalloc(HISTORY_RECORD_MAX);
	size = ZSTD_decompress_usingDDict(packer->unpacking, text,
	    HISTORY_RECORD_MAX, packed.data + 1, packed.len - 1,
	    packer->unpacking_dictionary);
	if (!ZSTD_isError(size))
		record = json_loadb(text, size, 0, NULL);
	free(text);
	return record != NULL ? record : json_null();
}
