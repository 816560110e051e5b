/*
 * log.c - one line per fact, key=value, outside text escaped.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/utf8.h"

#define LINE_MAX_BYTES 8192
#define CUT_RESERVE 8 /* room for " cut=1" */

static _Atomic enum log_level log_level = LOG_LEVEL_INFO;
static enum log_target log_target = LOG_TARGET_STDERR;
static const char *log_name = "sekimori";

static const char *const level_names[] = { "error", "warn", "info", "debug" };
static const int level_syslog[] = { LOG_ERR, LOG_WARNING, LOG_INFO, LOG_DEBUG };

void
log_open(const char *name, enum log_target target, enum log_level level)
{
	log_name = name;
	log_target = target;
	log_level = level;
	if (target == LOG_TARGET_SYSLOG)
		openlog(name, LOG_PID | LOG_NDELAY, LOG_MAIL);
}

void
log_set_level(enum log_level level)
{
	log_level = level;
}

bool
log_is_on(enum log_level level)
{
	return level <= log_level;
}

static void
log_emit(enum log_level level, const char *text)
{
	char when[CLOCK_RFC3339_SIZE];
	char line[LINE_MAX_BYTES + 128];
	int len;

	if (log_target == LOG_TARGET_SYSLOG) {
		syslog(level_syslog[level], "%s", text);
		return;
	}
	clock_rfc3339(clock_wall_ms(), when);
	len = snprintf(line, sizeof(line), "%s %s[%ld] %s: %s\n", when,
	    log_name, (long)getpid(), level_names[level], text);
	if (len >= (int)sizeof(line)) {
		len = (int)sizeof(line);
		line[len - 1] = '\n';
	}
	/* A log that cannot be written has nobody to tell. */
	if (write(STDERR_FILENO, line, (size_t)len) < 0)
		return;
}

/* How many bytes from the start can be written as they are. */
static size_t
plain_run(struct bytes value, bool quoted)
{
	size_t n;

	for (n = 0; n < value.len; n++) {
		unsigned char c = (unsigned char)value.data[n];

		if (c < 0x20 || c >= 0x7f ||
		    (quoted && (c == '"' || c == '\\')))
			break;
	}
	return n;
}

/* What a terminal or a reader of lines may take for more than text: C0, C1
 * (U+009B begins a command, as ESC [ does), separators of lines, and marks
 * that turn the direction of writing. */
static bool
is_control(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) ||
	    (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

/* Appends bytes with everything that could break a line as \xNN. */
static int
append_escaped(struct buf *buf, struct bytes value, bool quoted)
{
	struct bytes rest = value;
	const char *p;
	uint32_t c;
	size_t n;

	for (;;) {
		n = plain_run(rest, quoted);
		if (buf_append(buf, rest.data, n) < 0)
			return -1;
		if (n == rest.len)
			return 0;
		p = rest.data + n;
		rest = (struct bytes){ p, rest.len - n };
		n = utf8_decode(rest, &c);
		if (*p == '"' || *p == '\\') {
			n = 1;
			if (buf_printf(buf, "\\%c", *p) < 0)
				return -1;
		} else if (n > 1 && !is_control(c)) {
			if (buf_append(buf, p, n) < 0)
				return -1;
		} else {
			n = 1;
			if (buf_printf(buf, "\\x%02x", (unsigned char)*p) < 0)
				return -1;
		}
		rest = (struct bytes){ p + n, rest.len - n };
	}
}

static void __attribute__((format(printf, 2, 0)))
log_text(enum log_level level, const char *fmt, va_list ap)
{
	char text[LINE_MAX_BYTES];
	struct buf buf;

	if (!log_is_on(level))
		return;
	vsnprintf(text, sizeof(text), fmt, ap);
	buf_init(&buf, LINE_MAX_BYTES);
	/* An over-long line ends where the ceiling is. */
	(void)append_escaped(&buf, bytes_of(text), false);
	log_emit(level, buf_str(&buf));
	buf_free(&buf);
}

void
log_error(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_text(LOG_LEVEL_ERROR, fmt, ap);
	va_end(ap);
}

void
log_warn(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_text(LOG_LEVEL_WARN, fmt, ap);
	va_end(ap);
}

void
log_info(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_text(LOG_LEVEL_INFO, fmt, ap);
	va_end(ap);
}

void
log_debug(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_text(LOG_LEVEL_DEBUG, fmt, ap);
	va_end(ap);
}

void
log_line_init(struct log_line *line, enum log_level level, const char *id)
{
	line->level = level;
	buf_init(&line->buf, LINE_MAX_BYTES - CUT_RESERVE);
	buf_append_str(&line->buf, id);
}

static bool
needs_quotes(struct bytes value)
{
	size_t i;

	if (value.len == 0)
		return true;
	for (i = 0; i < value.len; i++) {
		unsigned char c = (unsigned char)value.data[i];

		if (c <= 0x20 || c >= 0x7f || c == '"' || c == '\\')
			return true;
	}
	return false;
}

void
log_field_bytes(struct log_line *line, const char *key, struct bytes value)
{
	size_t before = line->buf.len;
	bool quoted = needs_quotes(value);

	if (buf_append_char(&line->buf, ' ') < 0 ||
	    buf_append_str(&line->buf, key) < 0 ||
	    buf_append_str(&line->buf, quoted ? "=\"" : "=") < 0 ||
	    append_escaped(&line->buf, value, quoted) < 0 ||
	    (quoted && buf_append_char(&line->buf, '"') < 0)) {
		/* A field is whole or absent. */
		line->buf.len = before;
		line->buf.data[before] = '\0';
	}
}

void
log_field(struct log_line *line, const char *key, const char *value)
{
	log_field_bytes(line, key, bytes_of(value != NULL ? value : ""));
}

void
log_field_int(struct log_line *line, const char *key, int64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%lld", (long long)value);
	log_field(line, key, text);
}

void
log_line_end(struct log_line *line)
{
	if (log_is_on(line->level)) {
		if (line->buf.overflow) {
			line->buf.max += CUT_RESERVE;
			buf_append_str(&line->buf, " cut=1");
		}
		log_emit(line->level, buf_str(&line->buf));
	}
	buf_free(&line->buf);
}
