/*
 * cppcheck.h - what the macros of foreign headers mean, told to cppcheck.
 *
 * cppcheck reads no system headers, and takes a loop made by a macro for a
 * syntax error.  Each macro here has the shape of the real one as far as
 * flow and types go; no compiler ever sees this file.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef SCRIPTS_CPPCHECK_H
#define SCRIPTS_CPPCHECK_H

/* clang-format off */
/* <sys/queue.h> */
#define STAILQ_HEAD(name, type) struct name { struct type *first; }
#define STAILQ_ENTRY(type) struct { struct type *next; }
#define TAILQ_HEAD(name, type) struct name { struct type *first, *last; }
#define TAILQ_ENTRY(type) struct { struct type *next; }

/* It knows the older spelling only. */
#define _Noreturn __attribute__((noreturn))

/* <jansson.h> */
#define json_array_foreach(array, index, value) \
	for (index = 0; index < json_array_size(array) && \
	     (value = json_array_get(array, index)); index++)
#define json_object_foreach(object, key, value) \
	for (key = json_object_iter_key(json_object_iter(object)); \
	     key && (value = json_object_get(object, key)); \
	     key = json_object_iter_key(json_object_iter_next(object, \
		 json_object_key_to_iter(key))))
#define json_object_foreach_safe(object, n, key, value) \
	for (n = json_object_iter(object); \
	     (key = json_object_iter_key(n)) && \
	     (value = json_object_iter_value(n)); \
	     n = json_object_iter_next(object, n))
/* clang-format on */

#endif
