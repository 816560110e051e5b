#!/usr/bin/python3
"""Makes the pictures of doc/screens anew: what the READMEs show.

    SEKIMORI_BUILD=build /usr/bin/python3 tests/browser/screens.py

A laboratory as that of the tests, with mail that looks like mail; as root.
The pictures have few colours, so 256 of them are enough, and a PNG with a
palette is small.

SPDX-License-Identifier: BSD-2-Clause
"""

import os
import pathlib
import struct
import sys
import tempfile
import zlib

HERE = pathlib.Path(__file__).resolve().parent
sys.dont_write_bytecode = True
sys.path[:0] = [str(HERE), str(HERE.parent / "e2e")]

from browser import PHONE, Browser      # noqa: E402
from lab import world                   # noqa: E402
from lab.mails import Mail              # noqa: E402
from lab.world import SENDERS, SHOP     # noqa: E402
from stage import TARO, Stage           # noqa: E402

SCREENS = HERE.parent.parent / "doc/screens"
BYTES_MAX = 60 * 1024
WIDE = (1280, 800)


# ---- a PNG with a palette, without other libraries ----

def _rows(path):
    """Width, height, and each row as RGB bytes, of what Chromium writes."""
    data = path.read_bytes()
    at, chunks = 8, {}
    while at < len(data):
        size, = struct.unpack(">I", data[at:at + 4])
        name = data[at + 4:at + 8]
        chunks[name] = chunks.get(name, b"") + data[at + 8:at + 8 + size]
        at += 12 + size
    width, height, depth, kind = struct.unpack(">IIBB", chunks[b"IHDR"][:10])
    assert depth == 8 and kind in (2, 6)
    step = 3 if kind == 2 else 4
    raw, rows, before = zlib.decompress(chunks[b"IDAT"]), [], None
    line = width * step
    before = bytearray(line)
    for y in range(height):
        start = y * (line + 1)
        row = bytearray(raw[start + 1:start + 1 + line])
        _unfilter(raw[start], row, before, step)
        rows.append(b"".join(bytes(row[x:x + 3])
                             for x in range(0, line, step))
                    if step == 4 else bytes(row))
        before = row
    return width, height, rows


def _unfilter(kind, row, before, step):
    for i in range(len(row)):
        left = row[i - step] if i >= step else 0
        up = before[i]
        corner = before[i - step] if i >= step else 0
        if kind == 1:
            row[i] = (row[i] + left) & 255
        elif kind == 2:
            row[i] = (row[i] + up) & 255
        elif kind == 3:
            row[i] = (row[i] + (left + up) // 2) & 255
        elif kind == 4:
            guess = left + up - corner
            best = min((abs(guess - left), 0, left), (abs(guess - up), 1, up),
                       (abs(guess - corner), 2, corner))[2]
            row[i] = (row[i] + best) & 255


def _palette(rows, size):
    """The most frequent colours, no two of them alike."""
    counts = {}
    for row in rows:
        for x in range(0, len(row), 3):
            colour = row[x:x + 3]
            counts[colour] = counts.get(colour, 0) + 1
    chosen = []
    for colour in sorted(counts, key=counts.get, reverse=True):
        near = 0 if len(chosen) < 24 else 30
        if all(sum(abs(a - b) for a, b in zip(colour, other)) > near
               for other in chosen):
            chosen.append(colour)
            if len(chosen) == size:
                break
    return chosen, counts


def shrink(path, colours=56):
    """Writes the picture again with a palette."""
    width, height, rows = _rows(path)
    palette, counts = _palette(rows, colours)
    nearest = {colour: min(range(len(palette)), key=lambda i: sum(
        (a - b) ** 2 for a, b in zip(colour, palette[i])))
        for colour in counts}
    raw = b"".join(b"\0" + bytes(nearest[row[x:x + 3]]
                                 for x in range(0, len(row), 3))
                   for row in rows)

    def chunk(name, content):
        return (struct.pack(">I", len(content)) + name + content
                + struct.pack(">I", zlib.crc32(name + content)))

    path.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0))
        + chunk(b"PLTE", b"".join(palette))
        + chunk(b"IDAT", zlib.compress(raw, 9)) + chunk(b"IEND", b""))


# ---- what is shown ----

def _mail(stage, name, sender, rcpt, subject, body=b"", html=None,
          envelope=None, sign=False):
    source = SENDERS[name]
    mail = Mail(sender, rcpt, subject, body or b"Hello.\r\n", charset="utf-8")
    if html:
        mail.multipart([("text/html; charset=utf-8", None, html.encode()),
                        ("application/pdf",
                         'attachment; filename="請求書_11月分.pdf"',
                         b"%PDF-1.7" * 900)])
    if sign:
        mail.sign(source.key)
    stage.lab.send(mail, envelope or f"info@{source.domain}", [rcpt],
                   source.ip, source.host)
    return mail


PHISH = """<div style="font-family:sans-serif">
<h2 style="color:#b00020">【重要】お支払い方法の確認</h2>
<p>お客様の口座で不審な取引が確認されました。24 時間以内に確認されない場合、
口座のご利用を停止いたします。</p>
<p><a href="http://bank-secure.example/login">こちらから本人確認を行う</a></p>
<img src="http://bank-secure.example/pixel.png">
<p style="color:#666">青空銀行 お客様相談室</p></div>"""


def fill(stage):
    """A day of mail; what the picture of one held mail shows."""
    shop = SHOP
    for number in range(24):
        _mail(stage, "partner", f"info@{world.domain('partner')}",
              f"{('taro', 'hanako', 'jiro')[number % 3]}@{shop}",
              f"Your order {4711 + number}", sign=True)
    for subject, sender, rcpt in (
            ("Your parcel could not be delivered", "Parcels", "hanako"),
            ("当選おめでとうございます！", "懸賞事務局", "jiro"),
            ("Last chance: 80 % off", "Great Offers", "taro"),
            ("副業で月収 100 万円", "成功者クラブ", "saburo"),
            ("Re: your invoice", "Accounts Dept.", "hanako")):
        _mail(stage, "spammer",
              f"{sender} <offers@{world.domain('spammer')}>",
              f"{rcpt}@{shop}", subject)
    for subject, rcpt in (("【重要】お支払い方法の確認をお願いします", "hanako"),
                          ("Please confirm your account", "jiro")):
        _mail(stage, "bulk", f"青空銀行 <care@{world.domain('bank')}>",
              f"{rcpt}@{shop}", subject)
    mail = _mail(stage, "bulk", f"青空銀行 <care@{world.domain('bank')}>",
                 TARO, "【重要】お支払い方法の確認をお願いします", html=PHISH)
    stage.lab.wait_history(32, since="1h", limit=100)
    return stage.lab.held_of(mail, TARO)[0]["id"]


PICTURES = (
    # file, user, language, size, colours, address
    ("overview.png", "operator", "en", WIDE, "light", "/overview"),
    ("quarantine.png", "operator", "en", WIDE, "light",
     f"/quarantine?domain={SHOP}"),
    ("held.png", "operator", "en", (1280, 1040), "light",
     "/quarantine/{held}"),
    ("held.ja.png", "operator", "ja", (1280, 1040), "light",
     "/quarantine/{held}"),
    ("overview.ja.png", "operator", "ja", WIDE, "light", "/overview"),
    ("quarantine.ja.png", "operator", "ja", WIDE, "light",
     f"/quarantine?domain={SHOP}"),
    ("phone.png", "taro", "en", PHONE, "dark", "/quarantine/{held}"),
    ("phone.ja.png", "taro", "ja", PHONE, "dark", "/quarantine/{held}"),
)


def main():
    SCREENS.mkdir(exist_ok=True)
    with Stage() as stage, tempfile.TemporaryDirectory() as directory:
        held = fill(stage)
        browser = Browser(directory, stage.url)
        try:
            for name, user, language, size, colours, path in PICTURES:
                browser.clean()
                browser.take_cookies(stage.visitor(user).cookies)
                browser.language(language)
                browser.size(*size)
                browser.colours(colours)
                browser.open(path.format(held=held))
                if browser.has("iframe"):
                    frame = browser.find("iframe")
                    browser.run("arguments[0].loading = 'eager'", frame)
                    browser.driver.switch_to.frame(frame)
                    browser.wait(lambda: browser.find("body").text, "preview")
                    browser.driver.switch_to.default_content()
                browser.run("scrollTo(0, 0)")
                browser.picture(SCREENS / name)
                shrink(SCREENS / name)
                size = (SCREENS / name).stat().st_size
                print(f"{name}: {size} bytes")
                assert size < BYTES_MAX, name
        finally:
            browser.close()
    return 0


if __name__ == "__main__":
    os.environ.setdefault("SEKIMORI_BUILD", os.getcwd())
    sys.exit(main())
