/*
 * http_tls.c - the certificate of the pages.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/crypto.h"
#include "base/file.h"
#include "webui/http_tls.h"

#define PEM_MAX ((size_t)1 << 20)
/* Of one certificate. */
#define CHAIN_MAX 16

struct pair {
	struct pair *before;
	struct buf cert, key; /* as in the files */
	gnutls_pcert_st chain[CHAIN_MAX];
	unsigned chain_length;
	gnutls_privkey_t secret;
};

struct http_tls {
	const char *cert_file, *key_file;
	pthread_mutex_t lock;
	/* Under lock.  Those before it stay until the end: a hand-shake may
	 * be using them, and there are few. */
	struct pair *now;
};

static void
pair_free(struct pair *pair)
{
	unsigned i;

	for (i = 0; i < pair->chain_length; i++)
		gnutls_pcert_deinit(&pair->chain[i]);
	if (pair->secret != NULL)
		gnutls_privkey_deinit(pair->secret);
	if (pair->key.data != NULL)
		secret_wipe(pair->key.data, pair->key.size);
	buf_free(&pair->cert);
	buf_free(&pair->key);
	free(pair);
}

static gnutls_datum_t
datum_of(const struct buf *text)
{
	return (gnutls_datum_t){ (unsigned char *)(uintptr_t)buf_str(text),
		(unsigned)text->len };
}

static int
read_pem(const char *option, const char *file, struct buf *text,
    struct err *err)
{
	return file_read(file, text, err) == 0 ? 0
					       : err_prefix(err, "%s", option);
}

static int
tls_fail(struct err *err, const char *option, const char *file, int rc)
{
	return err_set(err, ERR_CONFIG, "%s: %s: %s", option, file,
	    gnutls_strerror(rc));
}

/* The library that makes connections would only find out at each of them. */
static int
check_pair(const struct pair *pair, struct err *err)
{
	const gnutls_datum_t cert = datum_of(&pair->cert);
	const gnutls_datum_t key = datum_of(&pair->key);
	gnutls_certificate_credentials_t credentials;
	int rc = gnutls_certificate_allocate_credentials(&credentials);

	if (rc < 0)
		return err_set(err, ERR_TEMP, "%s", gnutls_strerror(rc));
	rc = gnutls_certificate_set_x509_key_mem2(credentials, &cert, &key,
	    GNUTLS_X509_FMT_PEM, NULL, 0);
	gnutls_certificate_free_credentials(credentials);
	if (rc < 0)
		return err_set(err, ERR_CONFIG,
		    "web_tls_cert and web_tls_key are no pair: %s",
		    gnutls_strerror(rc));
	return 0;
}

static int
pair_read(const struct http_tls *tls, struct pair *pair, struct err *err)
{
	gnutls_datum_t cert, key;
	unsigned length = CHAIN_MAX;
	int rc;

	buf_init(&pair->cert, PEM_MAX);
	buf_init(&pair->key, PEM_MAX);
	if (read_pem("web_tls_cert", tls->cert_file, &pair->cert, err) < 0 ||
	    read_pem("web_tls_key", tls->key_file, &pair->key, err) < 0)
		return -1;
	cert = datum_of(&pair->cert);
	key = datum_of(&pair->key);
	rc = gnutls_pcert_list_import_x509_raw(pair->chain, &length, &cert,
	    GNUTLS_X509_FMT_PEM, GNUTLS_X509_CRT_LIST_SORT);
	if (rc < 0)
		return tls_fail(err, "web_tls_cert", tls->cert_file, rc);
	pair->chain_length = length;
	rc = gnutls_privkey_init(&pair->secret);
	if (rc == 0)
		rc = gnutls_privkey_import_x509_raw(pair->secret, &key,
		    GNUTLS_X509_FMT_PEM, NULL, 0);
	if (rc < 0)
		return tls_fail(err, "web_tls_key", tls->key_file, rc);
	return check_pair(pair, err);
}

static bool
is_same(const struct pair *a, const struct pair *b)
{
	return bytes_equal(buf_bytes(&a->cert), buf_bytes(&b->cert)) &&
	    bytes_equal(buf_bytes(&a->key), buf_bytes(&b->key));
}

int
http_tls_reload(struct http_tls *tls, struct err *err)
{
	struct pair *fresh = xcalloc(1, sizeof(*fresh));
	bool same;

	if (pair_read(tls, fresh, err) < 0) {
		pair_free(fresh);
		return -1;
	}
	pthread_mutex_lock(&tls->lock);
	same = tls->now != NULL && is_same(tls->now, fresh);
	if (!same) {
		fresh->before = tls->now;
		tls->now = fresh;
	}
	pthread_mutex_unlock(&tls->lock);
	if (same)
		pair_free(fresh);
	return same ? 0 : 1;
}

struct http_tls *
http_tls_open(const char *cert_file, const char *key_file, struct err *err)
{
	struct http_tls *tls = xcalloc(1, sizeof(*tls));

	tls->cert_file = cert_file;
	tls->key_file = key_file;
	pthread_mutex_init(&tls->lock, NULL);
	if (http_tls_reload(tls, err) == 1)
		return tls;
	http_tls_close(tls);
	return NULL;
}

void
http_tls_close(struct http_tls *tls)
{
	struct pair *pair;

	if (tls == NULL)
		return;
	while ((pair = tls->now) != NULL) {
		tls->now = pair->before;
		pair_free(pair);
	}
	pthread_mutex_destroy(&tls->lock);
	free(tls);
}

/* gnutls_certificate_retrieve_function2 */
static int
retrieve(gnutls_session_t session, const gnutls_datum_t *ca_names,
    int ca_name_count, const gnutls_pk_algorithm_t *algorithms,
    int algorithm_count, gnutls_pcert_st **chain, unsigned *chain_length,
    gnutls_privkey_t *secret)
{
	struct http_tls *tls = http_tls_of(gnutls_session_get_ptr(session));

	(void)ca_names;
	(void)ca_name_count;
	(void)algorithms;
	(void)algorithm_count;
	if (tls == NULL)
		return -1;
	pthread_mutex_lock(&tls->lock);
	*chain = tls->now->chain;
	*chain_length = tls->now->chain_length;
	*secret = tls->now->secret;
	pthread_mutex_unlock(&tls->lock);
	return 0;
}

void *
http_tls_callback(void)
{
	gnutls_certificate_retrieve_function2 *function = retrieve;
	void *callback;

	/* The library takes it among pointers to data, as dlsym gives them. */
	memcpy(&callback, &function, sizeof(callback));
	return callback;
}
