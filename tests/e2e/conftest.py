"""One laboratory for the tests that share it, fresh ones on demand.

Run by scripts/check, or by hand as root:
    SEKIMORI_BUILD=build /usr/bin/python3 -m pytest tests/e2e

SPDX-License-Identifier: BSD-2-Clause
"""

import re

import pytest

from lab import Lab

# What a sanitizer says, in any log, fails the test that caused it.
SANITIZER = re.compile(r"runtime error:|Sanitizer:|SUMMARY: \w+Sanitizer")


def assert_logs_clean(lab):
    for path, text in lab.sekimori.logs().items():
        assert not SANITIZER.search(text), f"{path}:\n{text}"


def laboratory(**options):
    """A laboratory whose logs are looked at when it goes down."""
    return _Checked(**options)


class _Checked(Lab):
    def __exit__(self, kind, *rest):
        if kind is None:
            self.sekimori.stop()
            try:
                assert_logs_clean(self)
            except AssertionError:
                super().__exit__(AssertionError, None, None)
                raise
        super().__exit__(kind, *rest)


@pytest.fixture(scope="session")
def lab():
    """Shared: a test leaves it as it found it."""
    with laboratory() as shared:
        yield shared


@pytest.fixture
def own_lab():
    """For tests that kill parts of it; call it with options of sekimori.conf
    for what differs."""
    labs = []

    def make(**options):
        made = laboratory(**options)
        made.__enter__()
        labs.append(made)
        return made

    yield make
    for made in labs:
        made.__exit__(None, None, None)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """The logs of the laboratories that a failed test used."""
    outcome = yield
    report = outcome.get_result()
    if report.when != "call" or not report.failed:
        return
    for name, value in item.funcargs.items():
        if isinstance(value, Lab) and value.guard:
            logs = dict(value.sekimori.logs())
            logs["sink"] = "\n".join(value.sink.errors)
            for path, text in logs.items():
                report.sections.append((f"{name} {path}", text))
