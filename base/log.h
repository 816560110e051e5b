/*
 * log.h - one line per fact, key=value, outside text escaped.
 *
 * The level and the target are the only mutable data at file scope in the
 * program.  log_open is called once before threads start; all other calls
 * are safe from any thread.  One call is one line, written with one write.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdint.h>

#include "base/buf.h"

enum log_level {
	LOG_LEVEL_ERROR,
	LOG_LEVEL_WARN,
	LOG_LEVEL_INFO,
	LOG_LEVEL_DEBUG
};
enum log_target {
	LOG_TARGET_STDERR,
	LOG_TARGET_SYSLOG
};

/* name: the program's, as syslog shows it; must stay valid. */
void log_open(const char *name, enum log_target target, enum log_level level);
void log_set_level(enum log_level level);
bool log_is_on(enum log_level level);

/* Plain text for operators; control bytes are escaped. */
void log_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/*
 * A line built from fields: log_line_init, log_field..., log_line_end,
 * which writes it and frees it.  Values are quoted when they hold
 * anything but printable ASCII without space, quote and backslash; bytes
 * outside valid UTF-8, control characters (C1 too), separators of lines and
 * marks of direction become \xNN.  A line is at most 8 kB; what does not
 * fit is left out and "cut=1" says so.
 */
struct log_line {
	enum log_level level;
	struct buf buf;
};

void log_line_init(struct log_line *line, enum log_level level, const char *id);
void log_field(struct log_line *line, const char *key, const char *value);
void log_field_bytes(struct log_line *line, const char *key,
    struct bytes value);
void log_field_int(struct log_line *line, const char *key, int64_t value);
void log_line_end(struct log_line *line);

#endif
