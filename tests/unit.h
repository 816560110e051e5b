/*
 * unit.h - what every unit test includes: cmocka and its needs.
 *
 * Cases are tables; print the label of the case that failed with
 * case_fail, which ends the test.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef TESTS_UNIT_H
#define TESTS_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* How long a test waits for what must come: only a fault reaches it.  No
 * test may depend on how fast the machine is, so timeouts that matter are
 * short only where they must strike, and upper bounds of durations tell
 * "did not wait" from "waited" with seconds between the two. */
#define PATIENCE_MS 60000

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

#define case_fail(label, ...)                                                  \
	do {                                                                   \
		print_error("case '%s': ", label);                             \
		print_error(__VA_ARGS__);                                      \
		print_error("\n");                                             \
		fail();                                                        \
	} while (0)

#endif
