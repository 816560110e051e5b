"""Every page, as people with other eyes, hands and screens meet it.

What is checked is in page_checks.js; the list of pages in pages.py.

SPDX-License-Identifier: BSD-2-Clause
"""

import statistics
import time

import pytest

from browser import PHONE, SMALL, WIDE
from pages import PAGES
from stage import some_history

WEIGHT_MAX = 60 * 1024
STATUSES = {"choose a domain": 400, "log, a search that cannot be": 400,
            "not there": 404, "forbidden": 403}
LOOKS = {
    "wide light en": (WIDE, "light", "en"),
    "wide dark ja": (WIDE, "dark", "ja"),
    "phone light ja": (PHONE, "light", "ja"),
    "phone dark en": (PHONE, "dark", "en"),
    "small light en": (SMALL, "light", "en"),
}


@pytest.fixture(scope="module")
def held(stage):
    some_history(stage)
    entry, _ = stage.spam("A held mail to look at")
    stage.spam("件名のとても長い迷惑メール " * 8, charset="utf-8")
    stage.spam("Averyveryverylongwordwithoutanyspace" * 8)
    return entry["id"]


@pytest.mark.parametrize("name", PAGES)
def test_access(browser, signed_in, held, name):
    user, path = PAGES[name]
    if user:
        signed_in(user)
    wrong = []
    for label, (size, colours, language) in LOOKS.items():
        browser.size(*size)
        browser.colours(colours)
        browser.language(language)
        browser.open(path.format(held=held))
        assert browser.path == path.format(held=held)
        lang = browser.run("return document.documentElement.lang")
        if lang != language:
            wrong.append(f"{label}: in {lang}")
        wrong += [f"{label}: {w}" for w in browser.check_page()]
    wrong += [f"loads {url}" for url in browser.foreign()]
    wrong += [f"console: {line}" for line in browser.complaints()
              if "responded with a status of" not in line]
    assert not wrong, "\n".join(wrong)


def test_weight_and_time(stage, held, record_property):
    """What a page weighs without pictures and with style and script, and
    (told, not judged) how long the server takes for it."""
    rows = []
    for name, (user, path) in PAGES.items():
        web = stage.visitor(user)
        path = path.format(held=held)
        weights, times = [], []
        for _ in range(7):
            begun = time.monotonic()
            status, text = web.page(path)
            assert status == STATUSES.get(name, 200), name
            times.append((time.monotonic() - begun) * 1000)
            weights.append(len(text.encode()))
        rows.append((name, max(weights), statistics.median(times)))
    assets = sum(len(stage.visitor(None).page(f"/assets/{asset}")[1].encode())
                 for asset in ("page.css", "page.js"))
    worst = max(rows, key=lambda row: row[2])
    record_property("pages", f"largest {max(r[1] for r in rows) // 1024} kB "
                    f"and {assets // 1024} kB of style and script; median "
                    f"{statistics.median(r[2] for r in rows):.1f} ms, "
                    f"slowest {worst[0]}, {worst[2]:.1f} ms")
    assert [r for r in rows if r[1] + assets > WEIGHT_MAX] == []


def test_skip_link(browser, signed_in):
    """The first stop of the keyboard leads past the navigation."""
    signed_in("operator").open("/overview")
    browser.keys("TAB")
    first = browser.run("return document.activeElement")
    assert first.get_attribute("href").endswith("#main")
    assert first.is_displayed()
    browser.keys("ENTER")
    browser.wait(lambda: browser.run(
        "return document.activeElement.id || location.hash") in
        ("main", "#main"), "the content")


def test_keyboard_alone(browser, stage):
    """Sign in and reach the quarantine without a mouse."""
    browser.open("/sign-in")
    browser.keys("operator", "TAB", stage.password, "ENTER")
    browser.wait(lambda: browser.path.startswith("/overview"), "the overview")
    for _ in range(30):
        browser.keys("TAB")
        if (browser.run("return document.activeElement.pathname")
                == "/quarantine"):
            break
    browser.keys("ENTER")
    browser.wait(lambda: browser.path.startswith("/quarantine"),
                 "the quarantine")


def test_zoom(browser, signed_in, held):
    """Twice as large text on a wide screen still needs no sideways scroll
    (1.4.4, 1.4.10)."""
    signed_in("operator")
    wrong = []
    for name in ("quarantine", "held", "domain", "log", "users"):
        browser.open(PAGES[name][1].format(held=held))
        browser.run("document.documentElement.style.fontSize = '200%'")
        wide = browser.run("return document.documentElement.scrollWidth - "
                           "document.documentElement.clientWidth")
        if wide > 0:
            wrong.append(f"{name}: {wide} too wide")
    assert not wrong, "\n".join(wrong)
