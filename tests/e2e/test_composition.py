"""Attacks on the composition of SPF, DKIM, DMARC and mail readers, over the
wire and through a real Postfix.

The cases are those of "Composition Kills" (Chen, Paxson, Jiang 2020) and its
tool, of "Weak Links in Authentication Chains" (Shen and others 2021), and
what else is known.  The attacker has a domain of his own, with SPF, a DKIM
key and a server; he wants mail that readers take for the bank's.  What gets
through is read as readers do, too: the bank must be nowhere.

SPDX-License-Identifier: BSD-2-Clause
"""

import base64
import email
import re

import pytest

from lab import world
from lab.mails import Mail
from lab.world import SENDERS, SHOP

from conftest import laboratory

TARO = f"taro@{SHOP}"
EVIL = world.Sender("evil", "198.18.66.10", dmarc="v=DMARC1; p=none",
                    signs=True)
BANK = world.domain("bank")
CEO = f"ceo@{BANK}"
OWN = f"a@{EVIL.domain}"

REFUSED, HELD, MARKED, HARMLESS = "refused", "held", "marked", "harmless"


@pytest.fixture(scope="module")
def lab():
    # To Postfix, whose address is faked (XCLIENT) is still a neighbour, for
    # whom it mends headers.
    with laboratory(zone=EVIL.publish,
                    postfix="local_header_rewrite_clients =\n") as made:
        yield made


def encoded(text):
    return f"=?utf-8?b?{base64.b64encode(text.encode()).decode()}?="


def case(key, fate, header, sender=OWN, helo=EVIL.host, signature=None):
    """header: all that says who wrote it.  signature: d= and s= of one that
    cannot be right, but may be looked up where the attacker is."""
    return pytest.param(fate, header, sender, helo, signature, id=key)


FROM_BANK = f"From: {CEO}"

CASES = [
    # The envelope, under a From of the bank.
    case("a1-subdomain-that-does-not-exist", HELD, FROM_BANK,
         sender=f"x@none.{BANK}"),
    case("a2-sender-with-parenthesis", REFUSED, FROM_BANK,
         sender=f"(any@{BANK}", helo=EVIL.domain),
    case("a2-null-sender-odd-helo", HELD, FROM_BANK, sender="",
         helo=f"none.{BANK}"),
    case("a5-parenthesis-in-the-domain", REFUSED, FROM_BANK,
         sender=f"any@{BANK}(a.{EVIL.domain}"),
    case("a6-two-at-signs", REFUSED, FROM_BANK,
         sender=f"any@{BANK}'@any.{EVIL.domain}"),
    case("a7-route-in-the-sender", HELD, FROM_BANK,
         sender=f"@{BANK},@any.com:'any@{EVIL.domain}"),
    case("quoted-bank-in-the-sender", HELD, FROM_BANK,
         sender=f'"{CEO}"@{EVIL.domain}'),
    # Signatures whose names mean different things to different programs.
    case("a4-quote-in-d", HELD, FROM_BANK, signature=(f"{BANK}'a", "lab")),
    case("parenthesis-in-d", HELD, FROM_BANK,
         signature=(f"{BANK}(.{EVIL.domain}", "lab")),
    case("a3-dots-in-the-selector", HELD, FROM_BANK,
         signature=(BANK, f"lab._domainkey.{EVIL.domain}.")),
    # Several From, and their names.
    case("a8-two-from-own-first", REFUSED, f"From: {OWN}\r\nFrom: {CEO}"),
    case("a8-two-from-own-last", REFUSED, f"From: {CEO}\r\nFrom: {OWN}"),
    case("a9-space-before-the-first", REFUSED,
         f" From: {OWN}\r\nFrom: {CEO}"),
    case("a9-space-before-the-second", REFUSED,
         f"From: {OWN}\r\n From: {CEO}"),
    case("a10-space-before-the-colon", REFUSED,
         f"From: {OWN}\r\nFrom : {CEO}"),
    case("a11-folded-name-first", REFUSED,
         f"From\r\n : {OWN}\r\nFrom: {CEO}"),
    case("a11-folded-name-last", HARMLESS,
         f"From: {OWN}\r\nFrom\r\n : {CEO}"),
    case("a12-folded-name-and-sender", REFUSED,
         f"From\r\n : {OWN}\r\nSender: {CEO}"),
    case("a12-sender", MARKED, f"From: {OWN}\r\nSender: {CEO}"),
    case("a13-resent-from", MARKED, f"From: {OWN}\r\nResent-From: {CEO}"),
    case("a13-resent-from-alone", REFUSED, f"Resent-From: {CEO}"),
    case("no-from", REFUSED, "X-None: 1"),
    case("vertical-tab-in-the-name", HARMLESS,
         f"From: {OWN}\r\nFrom\v: {CEO}"),
    # One From that readers do not agree about.
    case("a14-list-own-first", HELD, f"From: {OWN}, {CEO}"),
    case("a14-list-own-last", HELD, f"From: {CEO}, {OWN}"),
    case("a15-encoded-with-angles", REFUSED,
         f"From: {encoded(f'<{CEO}>')},<{OWN}>"),
    case("a15-encoded-address", REFUSED, f"From: {encoded(CEO)}"),
    case("a16-route", HELD, f"From: <@{EVIL.domain},@any.com:{CEO}>"),
    case("a17-quoted-pair", REFUSED, f"From: <{CEO}>\\,<{OWN}>"),
    case("a18-bare-address-then-comma", HELD, f"From: {CEO},<{OWN}>"),
    case("a19-behind-the-angles", REFUSED, f"From: <{OWN}>{CEO}"),
    case("address-for-a-name", HELD, f"From: {CEO} <{OWN}>"),
    case("group", HELD, f"From: Bank: {CEO};"),
    case("nobody-behind-the-name", REFUSED, f'From: "{CEO}" <>'),
    case("quotes-that-end-early", REFUSED,
         f'From: "a\\" <{CEO}>"@{EVIL.domain}'),
    case("lone-cr", REFUSED, f"From: {OWN}\rFrom: {CEO}"),
    # The bank in what is shown.
    case("quoted-name", MARKED, f'From: "{CEO}" <{OWN}>'),
    case("encoded-name", MARKED, f"From: {encoded(CEO)} <{OWN}>"),
    case("encoded-name-with-nul", MARKED,
         f"From: {encoded(f'{CEO}' + chr(0))} <{OWN}>"),
    case("full-width-name", MARKED,
         f"From: {encoded(CEO.replace('@', '＠').replace('.', '．'))}"
         f" <{OWN}>"),
    case("right-to-left-name", MARKED,
         f"From: {encoded(chr(0x202e) + CEO[::-1])} <{OWN}>"),
    case("local-part", MARKED, f'From: "{CEO}"@{EVIL.domain}'),
]


def build(header, signature):
    mail = Mail(OWN, TARO, "Bill", b"Please pay.\r\n")
    mail.fields = [(n, v) for n, v in mail.fields if n != "From"]
    mail.top = header.encode() + b"\r\n"
    if signature:
        mail.top = (
            f"DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; "
            f"d={signature[0]}; s={signature[1]}; h=from:to; "
            f"bh={'A' * 43}=; b={'A' * 342}==\r\n").encode() + mail.top
    return mail


def authors_shown(content):
    """What readers of several kinds may take for the sender."""
    head = re.split(rb"\r?\n\r?\n", content, 1)[0].decode("utf-8", "replace")
    shown = [str(v) for n, v in email.message_from_bytes(content).items()
             if n.strip().lower() in ("from", "sender", "resent-from")]
    shown += re.findall(r"(?im)^[\s>]*(?:resent-)?(?:from|sender)\s*:.*", head)
    return " ".join(shown)


def check_fate(lab, fate, mail, reply):
    if fate == REFUSED:
        assert reply.permanent, reply
        assert not lab.sink.deliveries(marker=mail.marker)
        return
    assert reply.ok, reply
    if fate == HELD:
        assert lab.held_of(mail, TARO)
        assert not lab.sink.deliveries(marker=mail.marker)
        return
    delivery, = lab.sink.wait(TARO, mail.marker)
    assert f"header.from={BANK}" not in " ".join(
        delivery.fields("Authentication-Results"))
    if fate == MARKED:
        assert delivery.fields("X-Sekimori-Class") == ["unsure/content"]
    else:
        assert BANK not in authors_shown(delivery.content)


@pytest.mark.parametrize("fate, header, sender, helo, signature", CASES)
def test_attack(lab, fate, header, sender, helo, signature):
    mail = build(header, signature)
    result = lab.send(mail, sender, [TARO], client=EVIL.ip, helo=helo)
    check_fate(lab, fate, mail, result.reply_for(TARO))


def genuine(**options):
    return Mail(CEO, TARO, "Your statement", b"All is well.\r\n").sign(
        SENDERS["bank"].key, **options)


@pytest.mark.parametrize("change", [
    pytest.param(lambda c: c + b"Pay to 42.\r\n", id="body-behind-l"),
    pytest.param(lambda c: b"Subject: Urgent\r\n" + c, id="second-subject"),
    pytest.param(lambda c: b"Content-Type: text/html\r\n" + c,
                 id="second-content-type"),
    pytest.param(lambda c: c.replace(b"statement", b"debts"), id="subject"),
])
def test_genuine_signature_with_more(lab, change):
    mail = genuine(length=True)
    result = lab.send(change(mail.build()), OWN, [TARO], client=EVIL.ip)
    check_fate(lab, HELD, mail, result.reply_for(TARO))


def test_genuine_signature(lab):
    """The same mail as it was: it is not the attack alone that is held."""
    mail = genuine(length=True)
    assert lab.send(mail, OWN, [TARO], client=EVIL.ip).accepted(TARO)
    delivery, = lab.sink.wait(TARO, mail.marker)
    assert "dmarc=pass" in " ".join(delivery.fields("Authentication-Results"))


def test_nul(lab):
    mail = build(FROM_BANK, (BANK, f"lab._domainkey.{EVIL.domain}.\0x"))
    result = lab.send(mail, OWN, [TARO], client=EVIL.ip)
    assert result.reply_for(TARO).permanent
    assert not lab.sink.deliveries(marker=mail.marker)


def test_smuggling(lab):
    """Line ends that are none: there is no second mail behind them."""
    for end in (b"\n.\n", b"\n.\r\n", b"\r\n.\n", b"\r.\r", b"\r\n.\r"):
        outer, inner = Mail(OWN, TARO, "Outer"), genuine()
        content = outer.build() + end + (
            f"MAIL FROM:<{CEO}>\r\nRCPT TO:<{TARO}>\r\nDATA\r\n"
        ).encode() + inner.build()
        if lab.send(content, OWN, [TARO], client=EVIL.ip).accepted(TARO):
            lab.sink.wait(TARO, outer.marker)
        for delivery in lab.sink.deliveries(marker=inner.marker):
            assert outer.marker.encode() in delivery.content
            assert BANK not in authors_shown(delivery.content)
