"""Each mail of the quickstart, as a test.

SPDX-License-Identifier: BSD-2-Clause
"""

import pytest

from lab import cases

KEYS = [case.key for case in cases.make()]


@pytest.mark.sanitized
@pytest.mark.parametrize("key", KEYS)
def test_mail(lab, key):
    case = next(c for c in cases.make() if c.key == key)
    run = cases.Run(lab, case)
    assert run.check() == []
