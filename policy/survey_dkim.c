/*
 * survey_dkim.c - the DKIM keys that a domain publishes.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <string.h>

#include "policy/key_record.h"
#include "policy/keyring.h"
#include "policy/survey_impl.h"

/* Octets of a key record: RSA of 8,192 bits has 1.5 kB. */
#define RECORD_MAX 4096
#define BITS_LEAST 1024
#define BITS_GOOD 2048

static const char *
kind_of(struct survey *survey, const struct key_record *key)
{
	if (key->type == KEY_ED25519)
		return "Ed25519";
	return arena_printf(survey->arena, "RSA, %u bits", key->bits);
}

static bool
is_same_key(const struct key_record *a, const struct key_record *b)
{
	if (a->type != b->type)
		return false;
	if (a->type == KEY_ED25519)
		return bytes_equal(a->ed_point, b->ed_point);
	return a->exponent == b->exponent &&
	    bytes_equal(a->modulus, b->modulus);
}

static bool
is_ours(struct survey *survey, const struct key_record *key, const char *record)
{
	struct key_record ours;

	return record == NULL ||
	    (key_record_read(survey->arena, bytes_of(record), &ours, NULL) ==
		    0 &&
		is_same_key(key, &ours));
}

/* Is there nothing against the key? */
static bool
judge_key(struct survey *survey, const struct survey_selector *selector,
    const char *name, const struct key_record *key)
{
	const char *bits = arena_printf(survey->arena, "%u", key->bits);
	bool good = true;

	if (key->type == KEY_RSA && key->bits < BITS_LEAST) {
		survey_found(survey, FOUND_DKIM_SHORT, selector->name, bits);
		good = false;
	} else if (key->type == KEY_RSA && key->bits < BITS_GOOD) {
		survey_found(survey, FOUND_DKIM_WEAK, selector->name, bits);
	}
	if (key->testing)
		survey_found(survey, FOUND_DKIM_TESTING, selector->name, NULL);
	if (!key->sha256) {
		survey_found(survey, FOUND_DKIM_SHA1, selector->name, NULL);
		good = false;
	}
	if (!is_ours(survey, key, selector->record)) {
		survey_found(survey, FOUND_DKIM_OTHER_KEY, name, NULL);
		good = false;
	}
	if (good && !key->testing &&
	    (key->type == KEY_ED25519 || key->bits >= BITS_GOOD))
		survey_found(survey, FOUND_DKIM_OK, selector->name,
		    kind_of(survey, key));
	return good;
}

/* The key at this name; false with what is wrong found. */
static bool
fetch_key(struct survey *survey, const char *name, struct key_record *key)
{
	const struct dns_answer *answer = survey_ask(survey, name, DNS_TXT);
	struct err err;

	if (dns_status_is_failure(answer->status))
		survey_found(survey, FOUND_DKIM_DNS, name,
		    dns_status_name(answer->status));
	else if (answer->count == 0)
		survey_found(survey, FOUND_DKIM_MISSING, name, NULL);
	else if (answer->count > 1)
		survey_found(survey, FOUND_DKIM_SEVERAL, name, NULL);
	else if (key_record_read(survey->arena, answer->records[0].text, key,
		     &err) < 0)
		survey_found(survey, FOUND_DKIM_BROKEN, name, err.text);
	else
		return true;
	return false;
}

static bool
survey_key(struct survey *survey, const struct survey_selector *selector,
    json_t *keys)
{
	const char *name = arena_printf(survey->arena, "%s._domainkey.%s",
	    selector->name, survey->domain);
	json_t *model = json_pack("{s:o, s:o}", "selector",
	    survey_json_text(selector->name), "name", survey_json_text(name));
	struct key_record key;
	bool good = false;

	json_array_append_new(keys, model);
	if (fetch_key(survey, name, &key)) {
		good = judge_key(survey, selector, name, &key);
		json_object_set_new(model, "type",
		    json_string(key.type == KEY_RSA ? "rsa" : "ed25519"));
		json_object_set_new(model, "bits", json_integer(key.bits));
		json_object_set_new(model, "testing",
		    json_boolean(key.testing));
	}
	json_object_set_new(model, "usable", json_boolean(good));
	return good;
}

void
survey_dkim(struct survey *survey)
{
	const struct survey_request *request = survey->request;
	json_t *keys = json_array();
	bool usable = false;
	size_t i;

	if (request->selector_count == 0)
		survey_found(survey, FOUND_DKIM_NO_SELECTOR, survey->domain,
		    NULL);
	for (i = 0; i < request->selector_count && i < SURVEY_SELECTORS_MAX;
	     i++)
		usable |= survey_key(survey, &request->selectors[i], keys);
	json_object_set_new(survey->model, "dkim",
	    json_pack("{s:b, s:o}", "usable", usable, "keys", keys));
}

/* ---- our own keys ---- */

static void
add_own_key(struct arena *arena, const struct keyring_key *key,
    struct survey_selector *selectors, size_t *count)
{
	struct buf record;
	size_t i = 0;

	while (i < *count && strcmp(selectors[i].name, key->selector) != 0)
		i++;
	if (i == SURVEY_SELECTORS_MAX)
		return;
	buf_init(&record, RECORD_MAX);
	if (signing_key_record(key->key, &record) == 0) {
		selectors[i].name = arena_strdup(arena, key->selector);
		selectors[i].record = arena_strdup(arena, buf_str(&record));
		if (i == *count)
			(*count)++;
	}
	buf_free(&record);
}

void
survey_add_own_keys(struct arena *arena, const char *dkim_dir,
    const char *domain, struct survey_selector *selectors, size_t *count)
{
	struct keyring_set *set;
	size_t i;

	if (keyring_read(dkim_dir, domain, &set, NULL) <= 0)
		return;
	for (i = 0; i < set->count; i++)
		if (set->keys[i].state == KEY_SIGNS)
			add_own_key(arena, &set->keys[i], selectors, count);
	keyring_set_unref(set);
}
