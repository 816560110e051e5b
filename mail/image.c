/*
 * image.c - is it a picture that a preview may show?
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdint.h>
#include <string.h>

#include "mail/image.h"

static uint32_t
octet(struct bytes data, size_t at)
{
	return at < data.len ? (unsigned char)data.data[at] : 0;
}

static uint32_t
big16(struct bytes data, size_t at)
{
	return octet(data, at) << 8 | octet(data, at + 1);
}

static uint32_t
little16(struct bytes data, size_t at)
{
	return octet(data, at + 1) << 8 | octet(data, at);
}

static uint32_t
little24(struct bytes data, size_t at)
{
	return octet(data, at + 2) << 16 | little16(data, at);
}

static bool
has_at(struct bytes data, size_t at, const char *what, size_t len)
{
	return data.len >= at + len && memcmp(data.data + at, what, len) == 0;
}

/* ---- sizes in pixels; 0 when it does not say ---- */

/* Width and height of the IHDR chunk, which comes first. */
static void
png_size(struct bytes data, uint32_t *width, uint32_t *height)
{
	if (!has_at(data, 12, "IHDR", 4))
		return;
	*width = big16(data, 16) << 16 | big16(data, 18);
	*height = big16(data, 20) << 16 | big16(data, 22);
}

static void
gif_size(struct bytes data, uint32_t *width, uint32_t *height)
{
	*width = little16(data, 6);
	*height = little16(data, 8);
}

/* The first frame header: SOF0 to SOF15 but DHT, JPG and DAC. */
static void
jpeg_size(struct bytes data, uint32_t *width, uint32_t *height)
{
	size_t at = 2;
	uint32_t marker;

	while (at + 9 < data.len && octet(data, at) == 0xff) {
		marker = octet(data, at + 1);
		if (marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 &&
		    marker != 0xc8 && marker != 0xcc) {
			*height = big16(data, at + 5);
			*width = big16(data, at + 7);
			return;
		}
		at += marker == 0xff ? 1 : 2 + (size_t)big16(data, at + 2);
	}
}

static void
webp_size(struct bytes data, uint32_t *width, uint32_t *height)
{
	uint32_t bits;

	if (has_at(data, 12, "VP8 ", 4)) {
		*width = little16(data, 26) & 0x3fff;
		*height = little16(data, 28) & 0x3fff;
	} else if (has_at(data, 12, "VP8L", 4)) {
		bits = little16(data, 21) | little16(data, 23) << 16;
		*width = (bits & 0x3fff) + 1;
		*height = ((bits >> 14) & 0x3fff) + 1;
	} else if (has_at(data, 12, "VP8X", 4)) {
		*width = little24(data, 24) + 1;
		*height = little24(data, 27) + 1;
	}
}

static const struct {
	const char *type;
	struct bytes magic;
	size_t at2; /* where a second mark must be */
	struct bytes magic2;
	void (*size)(struct bytes data, uint32_t *width, uint32_t *height);
} formats[] = {
	{ "image/png", { "\x89PNG\r\n\x1a\n", 8 }, 0, { "", 0 }, png_size },
	{ "image/jpeg", { "\xff\xd8\xff", 3 }, 0, { "", 0 }, jpeg_size },
	{ "image/gif", { "GIF87a", 6 }, 0, { "", 0 }, gif_size },
	{ "image/gif", { "GIF89a", 6 }, 0, { "", 0 }, gif_size },
	{ "image/webp", { "RIFF", 4 }, 8, { "WEBP", 4 }, webp_size },
};

const char *
image_type(struct bytes data)
{
	uint32_t width = 0, height = 0;
	size_t i;

	for (i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		if (!has_at(data, 0, formats[i].magic.data,
			formats[i].magic.len) ||
		    !has_at(data, formats[i].at2, formats[i].magic2.data,
			formats[i].magic2.len))
			continue;
		formats[i].size(data, &width, &height);
		if (width == 0 || height == 0 || width > IMAGE_SIDE_MAX ||
		    height > IMAGE_SIDE_MAX ||
		    (size_t)width * height > IMAGE_PIXELS_MAX)
			return NULL;
		return formats[i].type;
	}
	return NULL;
}
