/*
 * image.h - is it a picture that a preview may show?
 *
 * By what it begins with, whatever it is called: PNG, JPEG, GIF and WebP,
 * of a size in pixels that a browser can bear to unpack.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef MAIL_IMAGE_H
#define MAIL_IMAGE_H

#include "base/buf.h"

/* Pixels of a side, and in all. */
#define IMAGE_SIDE_MAX 10000
#define IMAGE_PIXELS_MAX ((size_t)25 * 1000 * 1000)

/* "image/png", ...; NULL when it may not be shown. */
const char *image_type(struct bytes data);

#endif
