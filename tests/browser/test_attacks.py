"""Mails that attack whoever looks at them, looked at in a real browser.

The mails are in attacks.py.  Each is held through the real Postfix, then
every page that shows some of it is opened.  Two walls stand one behind the
other, the writer of the page and the policy in its header; a test fails
when the first one lets something through, even if the second one holds.

SPDX-License-Identifier: BSD-2-Clause
"""

import pytest

from attacks import ATTACKER, IN_TEXT, all_attacks
from lab.world import SHOP
from stage import TARO

# What no page of ours and no preview has, wherever it came from.
TRACES = """
const found = [];
const ours = arguments[0];

if (window.attacked)
	found.push("a script ran");
for (const e of document.querySelectorAll("*")) {
	for (const a of e.attributes) {
		if (/^on/i.test(a.name))
			found.push(`${e.tagName} ${a.name}`);
		if (/^(href|src|action|formaction|data|poster|srcset|xlink:href|background|style)$/i
		    .test(a.name) && /javascript:|attacker|expression\\(/i.test(
		    a.value.replace(/[\\s\\u0000-\\u001f]/g, "")))
			found.push(`${e.tagName} ${a.name}=${a.value}`);
	}
	if (ours)
		continue;
	if (/^(SCRIPT|IFRAME|FRAME|OBJECT|EMBED|FORM|INPUT|BUTTON|LINK|BASE|SVG|MATH|VIDEO|AUDIO)$/i
	    .test(e.tagName))
		found.push(`a ${e.tagName}`);
	if (/fixed|sticky/.test(getComputedStyle(e).position))
		found.push(`${e.tagName} is ${getComputedStyle(e).position}`);
	const images = ["backgroundImage", "listStyleImage", "borderImageSource",
		"cursor", "content"];
	for (const name of images)
		if (/attacker/.test(getComputedStyle(e)[name]))
			found.push(`${e.tagName} has ${name}`);
}
if (ours) {
	const scripts = Array.from(document.scripts, (s) => s.getAttribute("src"));

	if (scripts.length !== 1 || !/^\\/assets\\/page\\.js/.test(scripts[0]))
		found.push(`scripts: ${scripts}`);
	if (document.querySelectorAll("style").length)
		found.push("a style element");
	if (document.querySelectorAll("main h1").length !== 1)
		found.push("not one h1");
	for (const form of document.forms)
		if (new URL(form.getAttribute("action"), location).origin !==
		    location.origin)
			found.push(`a form to ${form.getAttribute("action")}`);
}
return found;
"""


@pytest.fixture(scope="module")
def held(stage):
    """name -> entry; all of them, of the same recipient."""
    entries = {}
    for attack in all_attacks():
        sender = attack.sender or None
        entries[attack.name] = stage.hold(attack.mail, sender=sender)
    return entries


NAMES = [attack.name for attack in all_attacks()]


def look(browser, found, where, ours=True):
    found += [f"{where}: {trace}" for trace in browser.run(TRACES, ours)]


def refusals(browser):
    """Attempts that only the policy stopped."""
    return [line for line in browser.complaints()
            if "Refused" in line or "Blocked" in line or "violates" in line]


@pytest.mark.parametrize("name", NAMES)
def test_attack(browser, signed_in, held, name):
    entry = held[name]
    found = []
    signed_in("operator")
    browser.forget()
    browser.open(f"/quarantine/{entry['id']}")
    frame = browser.find("iframe.preview")
    browser.run("arguments[0].scrollIntoView()", frame)
    browser.driver.switch_to.frame(frame)
    browser.wait(lambda: browser.has("body"), "the preview")
    look(browser, found, "preview", ours=False)
    browser.driver.switch_to.default_content()
    look(browser, found, "held")
    browser.open(f"/quarantine/{entry['id']}/preview")
    look(browser, found, "preview alone", ours=False)
    shown = browser.find("body").text
    if name.startswith("html") and "utf-7" not in name:
        assert "shown-to-people" in shown
    assert browser.path == f"/quarantine/{entry['id']}/preview"
    browser.open(f"/log?id={entry['id']}&domain={SHOP}")
    look(browser, found, "log")
    found += [f"asked for {url}" for url in browser.foreign()]
    found += refusals(browser)
    assert not found, "\n".join(found)


def test_all_in_lists(browser, signed_in, held):
    found = []
    signed_in("operator")
    browser.forget()
    for path in (f"/quarantine?mailbox={TARO}&limit=100",
                 f"/log?mailbox={TARO}&limit=100"):
        browser.open(path)
        assert len(browser.all("tbody tr")) >= len(held)
        look(browser, found, path)
    found += [f"asked for {url}" for url in browser.foreign()]
    found += refusals(browser)
    assert not found, "\n".join(found)


@pytest.mark.parametrize("number", range(len(IN_TEXT)))
def test_is_shown_as_text(browser, signed_in, held, number):
    """What was written is there to be read, as it was written."""
    entry = held[f"text {number}"]
    signed_in("operator").open(f"/quarantine/{entry['id']}")
    want = "".join(c for c in IN_TEXT[number] if c.isprintable()
                   and c not in "\u202e\u2066\u200b\u202c")
    got = browser.run("return document.querySelector('h1').textContent")
    assert "".join(c for c in got if c in want) == want or want in got


@pytest.mark.parametrize("number", [0, 1, 3, 5, 10])
def test_typed_in(browser, signed_in, stage, number):
    """The same words where people type: search, comments, names."""
    text = IN_TEXT[number]
    found = []
    signed_in("operator")
    browser.forget()
    browser.open(f"/quarantine?domain={SHOP}")
    browser.fill("#f-subject", text)
    browser.press(browser.find("form.filters .main-button"))
    assert browser.find("#f-subject").get_attribute("value") == text
    look(browser, found, "search")
    pattern = f"@typed{number}.example"
    browser.open(f"/lists?domain={SHOP}")
    browser.fill("#pattern", pattern)
    browser.fill("#n-comment", text)
    browser.press(browser.find(
        "form[action='/lists'][method=post] .main-button"))
    for path in (f"/lists?domain={SHOP}", f"/audit?domain={SHOP}"):
        browser.open(path)
        assert text in browser.run(
            "return document.querySelector('main').textContent")
        look(browser, found, path)
    browser.open("/sign-in?next=" + ATTACKER)
    look(browser, found, "sign-in")
    browser.open("/nonsense/" + text.replace("/", "%2f").replace("#", "%23"))
    look(browser, found, "error")
    found += [f"asked for {url}" for url in browser.foreign()]
    found += refusals(browser)
    assert not found, "\n".join(found)
    stage.client.post("/lists/remove", domain=SHOP, side="sender",
                      kind=stage.client.get(
                          "/lists", domain=SHOP, search=pattern)["rows"][0][
                              "kind"], pattern=pattern)


@pytest.mark.parametrize("target", [
    ATTACKER, "//attacker.sekimori-test.net/", "/\\attacker.sekimori-test.net",
    "javascript:alert(1)", "/%09/attacker.sekimori-test.net", "\\\\x"])
def test_sign_in_leads_nowhere_else(browser, stage, target):
    browser.open("/sign-in?next=" + target.replace("\\", "%5c"))
    browser.fill("#user", "letgo")
    browser.fill("#password", stage.password)
    browser.forget()
    browser.press(browser.find("main form .main-button"))
    assert browser.driver.current_url.startswith(stage.url + "/")
    assert browser.foreign() == []


def test_form_of_a_stranger(browser, signed_in, stage):
    """A page elsewhere cannot let us act: cookies stay home, and there is
    no token."""
    entry, _ = stage.spam("do not release me from afar")
    signed_in("operator")
    page = stage.lab.path("evil.html")
    with open(page, "w", encoding="utf-8") as out:
        out.write(f"<form method=post action='{stage.url}/quarantine/"
                  f"{entry['id']}/release'><input name=csrf value=x>"
                  "<button>win</button></form>")
    browser.driver.get("data:text/html," + open(page).read().replace(
        "#", "%23"))
    browser.find("button").click()
    browser.wait(lambda: browser.driver.current_url.startswith(stage.url),
                 "the answer")
    assert stage.state(entry["id"]) == "held"


def test_nobody_frames_us(browser, signed_in, stage):
    signed_in("operator")
    browser.driver.get(f"data:text/html,<iframe src='{stage.url}/overview' "
                       "width=800 height=600></iframe>")
    browser.driver.switch_to.frame(browser.find("iframe"))
    try:
        assert not browser.has(".figure") and not browser.has("#user")
    finally:
        browser.driver.switch_to.default_content()
