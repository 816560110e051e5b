/*
 * http_tls.h - the certificate of the pages, which may change while they
 * are served.
 *
 * The library of HTTP asks for it at each hand-shake; a reload that fails
 * leaves what there was.
 *
 * All calls are safe from any thread.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef WEBUI_HTTP_TLS_H
#define WEBUI_HTTP_TLS_H

#include "base/err.h"

struct http_tls;

/* PEM files: a certificate with those that lead to its root, and its key.
 * They are borrowed names, read now and at each reload.  NULL: ERR_CONFIG,
 * cannot be read, or are no pair. */
struct http_tls *http_tls_open(const char *cert_file, const char *key_file,
    struct err *err);
/* After the last hand-shake. */
void http_tls_close(struct http_tls *tls);

/* 1: there is another certificate from now on; 0: the files are the same;
 * -1 ERR_CONFIG, and nothing is changed. */
int http_tls_reload(struct http_tls *tls, struct err *err);

/* For MHD_OPTION_HTTPS_CERT_CALLBACK; it asks http_tls_of. */
void *http_tls_callback(void);
/* By the listener: the certificate for a connection of the library. */
struct http_tls *http_tls_of(void *connection);

#endif
