/*
 * test_strmap.c - tests of base/strmap.c.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit.h"

#include "base/strmap.h"

#define MANY 5000

static void
test_empty(void **state)
{
	struct strmap map;
	size_t pos = 0;

	(void)state;
	strmap_init(&map);
	assert_null(strmap_get(&map, BYTES_LIT("a")));
	assert_null(strmap_remove(&map, BYTES_LIT("a")));
	assert_null(strmap_next(&map, &pos));
	strmap_free(&map);
}

static void
test_keys_are_bytes(void **state)
{
	struct strmap map;
	int one, two, three;

	(void)state;
	strmap_init(&map);
	*strmap_put(&map, BYTES_LIT("a\0b")) = &one;
	*strmap_put(&map, BYTES_LIT("a")) = &two;
	*strmap_put(&map, (struct bytes){ NULL, 0 }) = &three;
	assert_int_equal(map.count, 3);
	assert_ptr_equal(strmap_get(&map, BYTES_LIT("a\0b")), &one);
	assert_ptr_equal(strmap_get(&map, BYTES_LIT("a")), &two);
	assert_ptr_equal(strmap_get(&map, BYTES_LIT("")), &three);
	assert_null(strmap_get(&map, BYTES_LIT("a\0c")));
	strmap_free(&map);
}

/* Removal moves others: whatever stays must be found, at every step. */
static void
test_put_and_remove_many(void **state)
{
	static char keys[MANY][16];
	struct strmap map;
	size_t i, pos = 0, seen = 0;

	(void)state;
	strmap_init(&map);
	for (i = 0; i < MANY; i++) {
		snprintf(keys[i], sizeof(keys[i]), "key%zu", i);
		*strmap_put(&map, bytes_of(keys[i])) = keys[i];
	}
	for (i = 0; i < MANY; i += 3)
		assert_ptr_equal(strmap_remove(&map, bytes_of(keys[i])),
		    keys[i]);
	for (i = 0; i < MANY; i++)
		assert_ptr_equal(strmap_get(&map, bytes_of(keys[i])),
		    i % 3 == 0 ? NULL : keys[i]);
	while (strmap_next(&map, &pos) != NULL)
		seen++;
	assert_int_equal(seen, map.count);
	assert_int_equal(seen, MANY - (MANY + 2) / 3);
	strmap_free(&map);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_keys_are_bytes),
		cmocka_unit_test(test_put_and_remove_many),
	};

	return cmocka_run_group_tests_name("strmap", tests, NULL, NULL);
}
