"""What people do on the pages, each from the first click to its effect.

Every task is done three times: on a wide screen in English, on a phone in
Japanese, and without JavaScript.  Buttons and fields are found by what they
do, not by their words, so the same test serves both languages.

SPDX-License-Identifier: BSD-2-Clause
"""

import email
import re

import pytest

from browser import PHONE, WIDE
from lab.mails import Mail
from lab.world import SCHOOL, SENDERS, SHOP, domain
from stage import HANAKO, LOCKED, PASSWORD, TARO, some_history

VIEWS = {
    "wide-en": (WIDE, "en", True),
    "phone-ja": (PHONE, "ja", True),
    "no-script": (WIDE, "en", False),
}


@pytest.fixture(params=VIEWS)
def view(request):
    return request.param


@pytest.fixture
def page(browser, view):
    """A browser that is like that; it is signed in by `be`."""
    size, language, scripts = VIEWS[view]
    browser.size(*size)
    browser.language(language)
    browser.scripts(scripts)
    yield browser
    if browser.driver.current_url == "about:blank":     # skipped
        return
    # Whatever was done, the page reached is in the language asked for, no
    # wider than the screen, and nothing foreign was loaded.
    assert browser.run("return document.documentElement.lang") == language
    assert browser.run("return document.documentElement.scrollWidth - "
                       "document.documentElement.clientWidth") <= 0
    assert browser.foreign() == []


@pytest.fixture
def be(page, signed_in):
    def become(user, path):
        signed_in(user)
        return page.open(path)
    return become


def word(view, name):
    """A name of this view's own, so that tests do not meet."""
    return f"{name}-{view}"


def main_button(page, form):
    page.press(page.find(f"{form} .main-button"))


def notice(page):
    """The page says that something was done."""
    found = page.shown(".notice[role=status]")
    assert found, page.text
    return found[0].text


def refused(page):
    found = page.shown(".notice-bad[role=alert]")
    assert found, page.text
    return found[0].text


def at_fault(page, name):
    """The one field that is marked has the keyboard, and its description is
    what is wrong."""
    marked = page.all("[aria-invalid=true]")
    assert [field.get_attribute("name") for field in marked] == [name]
    described = marked[0].get_attribute("aria-describedby").split()
    assert "problem" in described
    assert page.find("#problem").text == refused(page)
    page.wait(lambda: page.run("return document.activeElement.name") == name,
              "the keyboard in the field")


def row_of(page, text):
    rows = [row for row in page.all("tbody tr") if text in row.text]
    assert rows, f"no row with {text!r}:\n{page.text}"
    return rows[0]


def confirm_row(page, text):
    row = row_of(page, text)
    page.press(row.find_element("css selector", "details.confirm > summary"))
    page.press(row.find_element("css selector", "button.danger-button"))


# ---- signing in ----

def test_sign_in_and_out(page):
    page.open("/")
    assert page.path.startswith("/sign-in")
    page.fill("#user", "shopkeeper")
    page.fill("#password", PASSWORD)
    main_button(page, "main form")
    assert page.path == "/overview"
    assert SHOP in page.main or page.has("main h1")
    page.press(page.find("form[action='/sign-out'] button"))
    assert page.path.startswith("/sign-in")
    page.open("/overview")
    assert not page.has(".who")


def test_sign_in_leads_on(page):
    """Who came from a link gets there."""
    page.open("/lists")
    if not page.path.startswith("/sign-in"):
        page.press(page.find("main a.main-button"))
    page.fill("#user", "taro")
    page.fill("#password", PASSWORD)
    main_button(page, "main form")
    assert page.path.startswith("/lists")


def test_wrong_passwords_lock(page, be, stage, view):
    name = word(view, LOCKED)
    stage.add_user(name, "releaser", [SHOP])
    page.open("/sign-in")
    for _ in range(5):
        page.fill("#user", name)
        page.fill("#password", "wrong " + PASSWORD)
        main_button(page, "main form")
        assert page.find("#user").get_attribute("value") == name
        assert not page.find("#password").get_attribute("value")
        first = refused(page)
    page.fill("#user", name)
    page.fill("#password", PASSWORD)
    main_button(page, "main form")
    assert refused(page) != first
    assert page.has("#password")
    # The operator sees it, and lets the user in again.
    be("operator", f"/users/{name}")
    page.press(page.find("input[name=unlock] ~ button"))
    page.take_cookies({})
    page.open("/sign-in")
    page.fill("#user", name)
    page.fill("#password", PASSWORD)
    main_button(page, "main form")
    assert page.path == "/overview", page.text


def test_change_password(page, stage, view):
    name = word(view, "changer")
    stage.add_user(name, "releaser", [SHOP])
    page.take_cookies(stage.visitor(name).cookies)
    page.open("/password")
    page.fill("#password", PASSWORD)
    page.fill("#new_password", "another one 17")
    page.fill("#repeat_password", "another one 18")
    main_button(page, "main form")
    assert page.has("#new_password"), page.text
    page.fill("#password", PASSWORD)
    page.fill("#new_password", "another one 17")
    page.fill("#repeat_password", "another one 17")
    main_button(page, "main form")
    page.take_cookies({})
    page.open("/sign-in")
    page.fill("#user", name)
    page.fill("#password", "another one 17")
    main_button(page, "main form")
    assert page.path == "/overview"


def test_language_switch(page, be, stage, view):
    # It is kept with the user, so not one that other tests are.
    stage.add_user(word(view, "polyglot"), "releaser", [SHOP])
    be(word(view, "polyglot"), "/overview")
    before = page.title
    other = "en" if VIEWS[view][1] == "ja" else "ja"
    page.fill("form[action='/preferences'] select[name=language]", other)
    if not VIEWS[view][2]:
        page.press(page.find("form[action='/preferences'] button"))
    page.wait(lambda: page.run("return document.documentElement.lang")
              == other, "the other language")
    assert page.title != before
    page.fill("form[action='/preferences'] select[name=language]",
              VIEWS[view][1])
    if not VIEWS[view][2]:
        page.press(page.find("form[action='/preferences'] button"))
    page.wait(lambda: page.run("return document.documentElement.lang")
              == VIEWS[view][1], "the language again")


def test_menu(page, be, view):
    """Every page of the menu can be reached, on a phone behind its switch."""
    be("operator", "/overview")
    links = [a.get_attribute("href") for a in page.all("nav a")]
    assert len(links) > 8
    if view.startswith("phone"):
        assert not page.shown("nav a")
        page.press(page.find(".menu-label"))
    page.wait(lambda: page.shown("nav a"), "the menu")
    page.press(next(a for a in page.shown("nav a")
                    if a.get_attribute("href").endswith("/domains")))
    assert page.path.startswith("/domains")
    assert page.has("nav a[aria-current=page][href^='/domains']")


# ---- held mail ----

def test_overview(page, be, stage):
    some_history(stage)
    be("operator", "/overview")
    assert len(page.all(".figure")) >= 3
    figures = [f.text for f in page.all(".figure b")]
    assert all(re.match(r"[0-9,.]+$", f) for f in figures), figures
    page.press(page.find("a.figure[href*='status=quarantined']"))
    assert page.path.startswith("/log?") and page.all("tbody tr")


def test_filter(page, be, stage, view):
    mark = word(view, "needle")
    stage.spam(f"The {mark} in the haystack")
    stage.spam("Hay", HANAKO)
    be("operator", f"/quarantine?domain={SHOP}")
    page.fill("#f-subject", mark)
    main_button(page, "form.filters")
    assert len(page.all("tbody tr")) == 1 and mark in page.main
    page.fill("#f-recipient", "hanako")
    main_button(page, "form.filters")
    assert not page.all("tbody tr") and page.has(".empty")
    page.open(f"/quarantine?domain={SHOP}")
    page.fill("#f-recipient", "hanako")
    main_button(page, "form.filters")
    rows = page.all("tbody tr")
    assert rows and all(HANAKO in r.text for r in rows)
    page.open(f"/quarantine?domain={SHOP}")
    page.fill("#f-class", "phish")
    if not VIEWS[view][2]:
        main_button(page, "form.filters")
    page.wait(lambda: "class=phish" in page.path, "the filter")
    assert mark not in page.main


@pytest.fixture(scope="module")
def many(stage):
    """More held mails of one mailbox than a page has."""
    rcpt = f"saburo@{SHOP}"
    for number in range(60):
        mail = Mail(f"offers@{SENDERS['spammer'].domain}", rcpt,
                    f"Offer number {number:03}")
        stage.lab.send(mail, f"a@{SENDERS['spammer'].domain}", [rcpt],
                       SENDERS["spammer"].ip, SENDERS["spammer"].host)
    return rcpt


def test_paging(page, be, many):
    be("operator", f"/quarantine?mailbox={many}")
    seen = []
    for _ in range(10):
        subjects = [a.text for a in page.all("tbody a")
                    if a.text.startswith("Offer")]
        assert subjects
        seen += subjects
        following = page.all("a[rel=next]")
        if not following:
            break
        page.press(following[0])
    assert seen == [f"Offer number {n:03}" for n in reversed(range(60))]
    page.press(page.find("nav.pager a"))
    assert "Offer number 059" in page.main


def pick(page, subject):
    row = row_of(page, subject)
    box = row.find_element("css selector", "input[name=ids]")
    page.run("arguments[0].scrollIntoView({block: 'center'})", box)
    box.click()


def test_release_several(page, be, stage, view):
    mark = word(view, "several")
    held = [stage.spam(f"{mark} {n}") for n in range(3)]
    be("operator", f"/quarantine?domain={SHOP}&subject={mark}")
    pick(page, f"{mark} 0")
    pick(page, f"{mark} 2")
    page.press(page.find("button[name=action][value=release]"))
    states = [stage.state(entry["id"]) for entry, _ in held]
    assert states == ["released", "held", "released"], page.text
    for _, mail in (held[0], held[2]):
        stage.lab.sink.wait(TARO, mail.marker)


def test_select_all(page, be, stage, view):
    if not VIEWS[view][2]:
        pytest.skip("the box that ticks all others needs JavaScript")
    mark = word(view, "everything")
    held = [stage.spam(f"{mark} {n}") for n in range(3)]
    be("operator", f"/quarantine?domain={SHOP}&subject={mark}")
    buttons = page.all("button[name=action][value=release]")
    assert not buttons[0].is_enabled()
    if view.startswith("phone"):
        for number in range(3):
            pick(page, f"{mark} {number}")
    else:
        page.press(page.find("[data-every]"))
    assert "3" in page.find("[data-count]").text
    page.press(page.find("details.confirm > summary"))
    page.press(page.find("button[name=action][value=remove]"))
    for entry, _ in held:
        status, _, _ = stage.client.request(
            "GET", f"/quarantine/{entry['id']}")
        assert status == 404


def test_release_one(page, be, stage, view):
    """Held through the real Postfix, released here, arrives at the sink."""
    entry, mail = stage.spam(word(view, "let me through"))
    be("taro", "/quarantine")
    page.press(row_of(page, word(view, "let me through")).find_element(
        "css selector", "a"))
    assert page.path == f"/quarantine/{entry['id']}"
    page.press(page.find("form[action$='/release'] button"))
    assert stage.state(entry["id"]) == "released"
    notice(page)
    delivery = stage.lab.sink.wait(TARO, mail.marker)[0]
    assert delivery.content.endswith(mail.build())
    assert not page.has("form[action$='/release']")


def test_allow_and_release(page, be, stage, view):
    sender = f"{word(view, 'friend')}@{domain('spammer')}"
    mail = Mail(sender, TARO, word(view, "allow me"))
    entry = stage.hold(mail, sender=sender)
    be("operator", f"/quarantine/{entry['id']}")
    page.press(page.find("form[action$='/allow'] button"))
    assert stage.state(entry["id"]) == "released"
    stage.lab.sink.wait(TARO, mail.marker)
    rows = stage.client.get("/lists", mailbox=TARO)["rows"] + \
        stage.client.get("/lists", domain=SHOP)["rows"]
    row = next(r for r in rows if r["pattern"] == sender)
    assert row["kind"] == "allow" and row["added_from"] == entry["id"]


def test_block_and_remove(page, be, stage, view):
    sender = f"{word(view, 'foe')}@{domain('spammer')}"
    entry = stage.hold(Mail(sender, TARO, word(view, "block me")),
                       sender=sender)
    be("operator", f"/quarantine/{entry['id']}")
    page.press(page.find("details.confirm > summary"))
    page.press(page.find("form[action$='/block'] button"))
    assert stage.client.request(
        "GET", f"/quarantine/{entry['id']}")[0] == 404
    rows = stage.client.get("/lists", mailbox=TARO)["rows"] + \
        stage.client.get("/lists", domain=SHOP)["rows"]
    assert any(r["pattern"] == sender and r["kind"] == "block" for r in rows)


def test_remove(page, be, stage, view):
    entry, _ = stage.spam(word(view, "remove me"))
    be("operator", f"/quarantine/{entry['id']}")
    # Nothing is removed without the question being answered.
    assert not page.shown("form[action$='/remove'] button")
    page.press(page.find("details.confirm > summary"))
    page.press(page.find("form[action$='/remove'] button"))
    assert stage.client.request(
        "GET", f"/quarantine/{entry['id']}")[0] == 404
    notice(page)


def test_download(page, be, stage, view):
    entry, mail = stage.spam(word(view, "keep me"))
    be("operator", f"/quarantine/{entry['id']}")
    raw = page.download(".eml", lambda: page.press(
        page.find("a[href$='/raw']")))
    assert raw.endswith(mail.build())
    assert email.message_from_bytes(raw)["Subject"] == word(view, "keep me")


def test_one_held_mail(page, be, stage, view):
    """Why, by whom, and what it says, as far as it is safe to show."""
    mail = Mail(f"花子 <hana@{domain('spammer')}>", TARO,
                word(view, "読んでください"), charset="utf-8")
    mail.multipart([
        ("text/html; charset=utf-8", None,
         "<h1>見出し</h1><p>the body of the mail</p>".encode()),
        ("application/pdf", 'attachment; filename="請求書.pdf"', b"%PDF-1")])
    entry = stage.hold(mail)
    stage.lab.wait_history(1, id=entry["id"])   # the timeline is made of it
    be("operator", f"/quarantine/{entry['id']}")
    assert word(view, "読んでください") in page.find("h1").text
    assert page.all(".reasons li"), "no reason is given"
    assert f"@{domain('spammer')}" in page.main
    assert page.all(".timeline li")
    assert "請求書.pdf" in page.main
    frame = page.find("iframe.preview")
    page.run("arguments[0].scrollIntoView()", frame)
    page.driver.switch_to.frame(frame)
    try:
        page.wait(lambda: "the body of the mail" in page.find("body").text,
                  "the preview")
        assert "見出し" in page.find("body").text
    finally:
        page.driver.switch_to.default_content()


def test_releaser_does_not_read(page, be, stage, view):
    entry, _ = stage.spam(word(view, "not for you"))
    be("letgo", f"/quarantine/{entry['id']}")
    assert not page.has("iframe") and not page.has("a[href$='/raw']")
    page.press(page.find("form[action$='/release'] button"))
    assert stage.state(entry["id"]) == "released"


# ---- the directory ----

def test_route(page, be, stage, view):
    """A route is checked, then saved; the next mail goes that way."""
    name = domain(word(view, "routed"))
    stage.client.post("/domains", domain=name)
    spare = stage.lab.sink["spare"]
    host, _, port = spare.route.rpartition(":")
    host = host.strip("[]")
    be("post", f"/routes/{name}")
    page.fill("[name='routes.0.host']", f"[{host}]")
    page.fill("[name='routes.0.port']", port)
    page.fill("[name='routes.0.priority']", "10")
    page.fill("[name='routes.1.host']", f"[{host}]")
    page.fill("[name='routes.1.port']", "9")
    page.fill("[name='routes.1.priority']", "20")
    page.press(page.find("button[formaction$='/check']"))
    # Nothing is saved yet, and what was typed is still there.
    assert stage.client.get(f"/routes/{name}")["routes"] == []
    assert page.find("[name='routes.0.port']").get_attribute("value") == port
    assert len(page.all("main .badge-good")) == 1, page.text
    assert len(page.all("main .badge-bad")) == 1, page.text
    main_button(page, "form[data-keep]")
    notice(page)
    routes = stage.client.get(f"/routes/{name}")["routes"]
    assert [(r["port"], r["priority"]) for r in routes] == [
        (int(port), 10), (9, 20)]
    partner = SENDERS["partner"]
    rcpt = f"kyoto@{name}"
    mail = Mail(f"info@{partner.domain}", rcpt, "by the new route")
    stage.lab.send(mail.sign(partner.key), f"info@{partner.domain}", [rcpt],
                   partner.ip, partner.host)
    assert stage.lab.sink.wait(rcpt, mail.marker)[0].server == "spare"


def test_domain_settings(page, be, stage, view):
    name = domain(word(view, "settled"))
    be("operator", "/domains")
    page.fill("#new-domain", name)
    main_button(page, "form[action='/domains']")
    page.open(f"/domains/{name}")
    page.fill("[name='options.subject_mark']", "[怪しい]")
    page.fill("[name='options.size_max']", "7M")
    main_button(page, "form[data-keep]")
    notice(page)
    shown = stage.client.get(f"/domains/{name}")
    assert shown["options"] == {"subject_mark": "[怪しい]", "size_max": "7M"}
    # What cannot be is refused where it stands, and is kept to be mended.
    page.open(f"/domains/{name}")
    page.fill("[name='options.size_max']", "7 elephants")
    main_button(page, "form[data-keep]")
    refused(page)
    assert page.find("[name='options.size_max']").get_attribute(
        "value") == "7 elephants"
    page.open(f"/domains/{name}")
    page.fill("[name='inherit.size_max']", True)
    main_button(page, "form[data-keep]")
    assert stage.client.get(f"/domains/{name}")["options"] == {
        "subject_mark": "[怪しい]"}


def test_aliases(page, be, stage, view):
    source = f"{word(view, 'all')}@{SHOP}"
    be("shopkeeper", f"/aliases?domain={SHOP}")
    page.fill("#source", source)
    page.fill("#targets", f"{TARO}, {HANAKO}")
    page.fill("#comment", "<b>everybody</b>")
    main_button(page, "form[action='/aliases']")
    notice(page)
    page.open(f"/aliases?domain={SHOP}")
    assert "<b>everybody</b>" in row_of(page, source).text
    page.fill("#resolve", source)
    page.press(page.find("form[action='/resolve'] button"))
    assert TARO in page.main and HANAKO in page.main
    page.open(f"/aliases?domain={SHOP}")
    confirm_row(page, source)
    page.open(f"/aliases?domain={SHOP}")
    assert source not in page.main


def test_recipients(page, be, view):
    address = f"{word(view, 'newcomer')}@{SHOP}"
    be("shopkeeper", f"/recipients?domain={SHOP}")
    page.fill("#address", address)
    page.fill("#comment", "starts in January")
    main_button(page, "form[action='/recipients']")
    notice(page)
    page.open(f"/recipients?domain={SHOP}")
    assert "starts in January" in row_of(page, address).text
    page.press(row_of(page, address).find_element("css selector", "a"))
    page.fill("[name='options.size_max']", "3M")
    main_button(page, "form[data-keep]")
    notice(page)
    page.open(f"/recipients?domain={SHOP}")
    confirm_row(page, address)
    page.open(f"/recipients?domain={SHOP}")
    assert address not in page.main


def test_lists(page, be, stage, view):
    pattern = f"@{word(view, 'junk')}.example"
    be("shopkeeper", f"/lists?domain={SHOP}")
    page.fill("#n-side", "sender")
    page.fill("#n-kind", "block")
    page.fill("#pattern", pattern)
    page.run("document.getElementById('n-expires').value = '2030-01-31'")
    page.fill("#n-comment", "複数の苦情")
    main_button(page, "form[action='/lists'][method=post]")
    notice(page)
    page.open(f"/lists?domain={SHOP}")
    page.fill("#f-search", word(view, "junk"))
    main_button(page, "form.filters")
    assert len(page.all("tbody tr")) == 1
    row = row_of(page, pattern).text
    assert "2030" in row and "複数の苦情" in row and "shopkeeper" in row
    confirm_row(page, pattern)
    page.open(f"/lists?domain={SHOP}")
    assert pattern not in page.main
    # What is no pattern is refused, and what was typed is kept.
    page.fill("#pattern", "not a pattern @@")
    page.fill("#n-comment", "typed already")
    main_button(page, "form[action='/lists'][method=post]")
    refused(page)
    assert page.find("#n-comment").get_attribute("value") == "typed already"
    at_fault(page, "pattern")


def test_lists_as_csv(page, be, stage, view, tmp_path):
    one, two = (f"@{word(view, n)}.example" for n in ("csv1", "csv2"))
    be("operator", f"/lists?domain={SCHOOL}")
    text = page.download(".csv", lambda: page.press(
        page.find("a[href^='/lists/export']"))).decode("utf-8-sig")
    assert f"@{domain('spammer')}" in text
    head = text.splitlines()[0].split(",")
    cells = {"side": "sender", "kind": "block", "comment": "表から",
             "domain": SCHOOL}
    table = [",".join(head)] + [
        ",".join({**cells, "pattern": pattern}.get(name, "")
                 for name in head) for pattern in (one, two)]
    file = tmp_path / "rows.csv"
    file.write_text("\r\n".join(table) + "\r\n", encoding="cp932")
    for press, there in (("button[name=dry_run]", False),
                         (".main-button", True)):
        page.open(f"/lists?domain={SCHOOL}")
        page.fill("#csv", file)
        page.press(page.find(f"form[action='/lists/import'] {press}"))
        rows = stage.client.get("/lists", domain=SCHOOL)["rows"]
        assert (two in [r["pattern"] for r in rows]) == there, page.text
    page.open(f"/lists?domain={SCHOOL}")
    assert "表から" in row_of(page, one).text
    file.write_text("side,kind,pattern\r\nsender,block,@@\r\n")
    page.fill("#csv", file)
    page.press(page.find("form[action='/lists/import'] .main-button"))
    assert "2" in refused(page)       # the line


# ---- logs, users ----

def test_log(page, be, stage, view):
    mark = word(view, "find me")
    partner = SENDERS["partner"]
    mail = Mail(f"info@{partner.domain}", TARO, mark)
    stage.lab.send(mail.sign(partner.key), f"info@{partner.domain}", [TARO],
                   partner.ip, partner.host)
    stage.lab.wait_history(1, subject=mark)
    be("shopkeeper", f"/log?domain={SHOP}")
    page.fill("#f-subject", "find me")
    page.fill("#f-sender", partner.domain)
    main_button(page, "form.filters")
    row = row_of(page, mark)
    assert TARO in row.text
    page.press(row.find_element("css selector", "a"))
    assert partner.ip in page.main and page.has(".timeline")


def test_users(page, be, stage, view):
    name = word(view, "ichiro")
    be("operator", "/users")
    page.fill("#name", name)
    page.fill("#u-role", "mail-user")
    page.fill("#u-mailbox", HANAKO)
    main_button(page, "form[action='/users']")
    password = page.find("code.secret").text
    page.take_cookies({})
    page.open("/sign-in")
    page.fill("#user", name)
    page.fill("#password", password)
    main_button(page, "main form")
    assert page.path == "/password"
    page.fill("#password", password)
    page.fill("#new_password", PASSWORD)
    page.fill("#repeat_password", PASSWORD)
    main_button(page, "main form")
    page.open("/quarantine")
    assert page.path == "/quarantine" and TARO not in page.main
    # The password was shown once, and a user who is shut out is out at once.
    held = {c["name"]: c["value"] for c in page.driver.get_cookies()}
    be("operator", f"/users/{name}")
    assert not page.has("code.secret")
    page.fill("#u-disabled", "yes")
    main_button(page, "form[data-keep]")
    page.take_cookies(held)
    page.open("/quarantine")
    assert not page.has("form.filters"), page.text


def test_audit(page, be, stage, view):
    """Who changed what, before and after."""
    name = domain(word(view, "audited"))
    stage.client.post("/domains", domain=name)
    stage.client.post(f"/domains/{name}", options={"size_max": "5M"})
    stage.client.post(f"/domains/{name}", options={"size_max": "6M"})
    be("operator", f"/audit?domain={name}")
    text = row_of(page, "6M").text
    assert "5M" in text and "operator" in text
    assert page.has("tbody del") and page.has("tbody ins")


def test_mail_user_sees_only_his(page, be, stage, view):
    entry, _ = stage.spam(word(view, "for hanako"), HANAKO)
    be("taro", "/quarantine")
    assert word(view, "for hanako") not in page.main
    page.open(f"/quarantine/{entry['id']}")
    assert word(view, "for hanako") not in page.text
    for path in ("/users", "/domains", "/routes", "/system", "/audit"):
        page.open(path)
        assert not page.has("main table"), path
