"""One laboratory and one browser for all tests.

Run by scripts/check, or by hand as root:
    SEKIMORI_BUILD=build /usr/bin/python3 -m pytest tests/browser

SPDX-License-Identifier: BSD-2-Clause
"""

import pathlib
import sys

import pytest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "e2e"))
sys.path.insert(0, str(HERE))

from browser import CHROMIUM, DRIVER, Browser     # noqa: E402
from stage import Stage                           # noqa: E402


@pytest.fixture(scope="session")
def stage():
    with Stage() as made:
        yield made


@pytest.fixture(scope="session")
def the_browser(stage, tmp_path_factory):
    if not CHROMIUM or not DRIVER:
        pytest.skip("chromium or chromium-driver is not installed")
    browser = Browser(tmp_path_factory.mktemp("browser"), stage.url)
    yield browser
    browser.close()


@pytest.fixture
def browser(the_browser):
    the_browser.clean()
    return the_browser


@pytest.fixture
def signed_in(browser, stage):
    """Call it with the name of a user: the browser is then that user."""

    def sign_in(user="operator"):
        browser.take_cookies(stage.visitor(user).cookies)
        return browser

    return sign_in


def pytest_terminal_summary(terminalreporter):
    """What tests measured."""
    for report in terminalreporter.stats.get("passed", ()):
        for name, value in report.user_properties:
            terminalreporter.write_line(f"{name}: {value}")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """What the browser showed and the programs logged when a test failed."""
    outcome = yield
    report = outcome.get_result()
    if report.when != "call" or not report.failed:
        return
    browser = item.funcargs.get("browser")
    if browser:
        try:
            report.sections.append(("page " + browser.path, browser.text))
        except Exception as error:      # pylint: disable=broad-except
            report.sections.append(("page", repr(error)))
    stage = item.funcargs.get("stage")
    if stage and stage.lab.guard:
        for path, text in stage.lab.sekimori.logs().items():
            report.sections.append((path, text[-3000:]))
