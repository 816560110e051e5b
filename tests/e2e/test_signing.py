"""What we sign and seal still verifies when the next server has it, behind
Postfix and behind Sendmail; python3-dkim looks at it.

SPDX-License-Identifier: BSD-2-Clause
"""

import os

import dkim
import pytest

from lab import smtp, world
from lab.mails import Mail
from lab.sendmail import NoSendmail, Sendmail
from lab.world import SCHOOL, SHOP

from conftest import laboratory

# Its two laboratories serve all of them.
pytestmark = pytest.mark.xdist_group("signing")

GATE = world.domain("gate")
TARO = f"taro@{SHOP}"
SENSEI = f"sensei@{SCHOOL}"
# Of the school, and the shop wants none of its mail.
KOCHO = f"kocho@{SCHOOL}"
OWN_NETWORK = "198.18.100.7"
# Sendmail has no XCLIENT: clients are addresses of 127.0.0.0/8.
OWN_SENDMAIL, STRANGER_SENDMAIL = "127.66.0.9", "127.66.0.2"


class Keys:
    """Made by the tool, as an operator would; records for the verifier."""

    def __init__(self, lab):
        self._lab = lab
        self.records = {}
        lab.sekimori.write_config(dkim_dir=lab.path("dkim"),
                                  arc_domain=GATE)
        self.make(SCHOOL, "rsa")
        self.make(SCHOOL, "ed", "--ed25519")
        self.make(GATE, "gate")
        lab.sekimori.stop()
        lab.sekimori.start_milter()
        lab.sekimori.start_web()

    def make(self, domain, selector, *options):
        made = self._lab.sekimori.cli("dkim", "new", domain, "--selector",
                                      selector, *options)
        key = made["keys"][0]
        self.records[key["name"] + "."] = key["record"].encode()
        shown = self._lab.sekimori.cli("dkim", "show", domain)
        with open(self._lab.path("zone"), "a", encoding="utf-8") as zone:
            for shown_key in shown["keys"]:
                if shown_key["selector"] == selector:
                    zone.write(shown_key["zone"].replace("\n", " ") + "\n")
        self._lab.sekimori.cli("dkim", "start", domain, selector,
                               "--unchecked")

    def lookup(self, name, **_):
        return self.records[name.decode()]

    def signatures(self, content):
        """{selector: does it verify?}"""
        found = {}
        message = dkim.DKIM(content)
        values = [v for n, v in message.headers
                  if n.lower() == b"dkim-signature"]
        for index, value in enumerate(values):
            tags = dkim.util.parse_tag_value(value)
            found[tags[b"s"].decode()] = dkim.DKIM(content).verify(
                index, dnsfunc=self.lookup)
        return found

    def chain(self, content):
        """(what python3-dkim says, how many sets)"""
        result, sets, _ = dkim.ARC(content).verify(dnsfunc=self.lookup)
        return result.decode(), len(sets)


@pytest.fixture(scope="module")
def postfix():
    with laboratory() as lab:
        lab.sekimori.cli("domain", "set", SHOP, "arc_seal=always")
        lab.sekimori.cli("list", "add", "sender", "block", KOCHO,
                         "--domain", SHOP)
        lab.keys = Keys(lab)
        yield lab


@pytest.fixture(scope="module")
def sendmail():
    with laboratory(networks=[OWN_SENDMAIL],
                    release_networks=["127.0.0.1"]) as lab:
        directory = lab.path("sendmail")
        os.mkdir(directory)
        mta = Sendmail(lab.guard, directory, "mx." + world.ROOT)
        try:
            mta.unpack()
        except NoSendmail as error:
            pytest.skip(f"Sendmail cannot be had: {error}")
        mta.configure(lab.sink["shop"], lab.sekimori.milter_port)
        lab.keys = Keys(lab)
        mta.start()
        lab.mta = mta
        yield lab
        mta.stop()


def odd_mail():
    """With what servers like to touch: folds, spaces, long lines."""
    mail = Mail(f'"Sensei,  of the\r\n\tschool" <{SENSEI}>', TARO,
                "A  subject\r\n  with folds",
                b"Some  text \r\n\r\n.\r\nmore\t \r\n\r\n\r\n")
    return mail.add("Cc", "a@example.org,\r\n b@example.org")


def bare_mail():
    """Neither Date nor Message-ID: somebody will add them."""
    mail = Mail(SENSEI, TARO, "Bare")
    mail.fields = [(n, v) for n, v in mail.fields
                   if n not in ("Date", "Message-ID")]
    return mail


@pytest.mark.parametrize("make", [odd_mail, bare_mail])
def test_signed_behind_postfix(postfix, make):
    mail = make()
    assert postfix.send(mail, SENSEI, [TARO],
                        client=OWN_NETWORK).accepted(TARO)
    delivery = postfix.sink.wait(TARO, mail.marker)[0]
    assert postfix.keys.signatures(delivery.content) == {
        "rsa": True, "ed": True}


def test_strangers_are_not_signed(postfix):
    mail = Mail(SENSEI, TARO, "Not me")
    postfix.send(mail, SENSEI, [TARO])
    delivery = postfix.sink.wait(TARO, mail.marker)[0]
    assert delivery.fields("DKIM-Signature") == []


def test_sealed_behind_postfix_when_marked(postfix):
    """SPF fails: the school has such mail marked, which breaks what the
    sender has signed; the seal says that it was whole when it came."""
    sender = f"info@{world.domain('strict')}"
    mail = Mail(sender, SENSEI, "To be  marked\r\n\tin Japanese")
    assert postfix.send(mail, sender, [SENSEI]).accepted(SENSEI)
    delivery = postfix.sink.wait(SENSEI, mail.marker)[0]
    assert "To be  marked" not in delivery.fields("Subject")[0][:9]
    assert postfix.keys.chain(delivery.content) == ("pass", 1)


# ---- beside the transaction ----

def send_marked(lab, *rcpts):
    """SPF fails: the school has such mail marked, the shop has not."""
    sender = f"info@{world.domain('strict')}"
    mail = Mail(sender, SENSEI, "For  several\r\n\tto read")
    result = lab.send(mail, sender, rcpts)
    assert all(result.accepted(rcpt) for rcpt in rcpts)
    return {rcpt: lab.sink.wait(rcpt, mail.marker)[0] for rcpt in rcpts}


def is_marked(delivery):
    return not delivery.fields("Subject")[0].startswith("For  several")


def test_a_copy_with_a_mark_is_sealed(postfix):
    got = send_marked(postfix, SENSEI, TARO)
    assert got[SENSEI].transaction != got[TARO].transaction
    assert is_marked(got[SENSEI]) and not is_marked(got[TARO])
    assert got[SENSEI].fields("X-Sekimori-Release")
    for delivery in got.values():
        assert postfix.keys.chain(delivery.content) == ("pass", 1)


def test_a_copy_without_a_mark_is_sealed(postfix):
    other = f"other@{SCHOOL}"
    got = send_marked(postfix, SENSEI, other, TARO)
    assert is_marked(got[SENSEI]) and is_marked(got[other])
    assert not is_marked(got[TARO])
    assert got[TARO].fields("X-Sekimori-Release")
    for delivery in got.values():
        assert postfix.keys.chain(delivery.content) == ("pass", 1)


def hold_and_release(lab, mail, content, sender, **options):
    """Of a sender that the shop has blocked: what reaches it at last."""
    before = len(lab.sink.deliveries(TARO, mail.marker))
    assert lab.send(content, sender, [TARO], **options).accepted(TARO)
    entry, = lab.sekimori.cli("quarantine", "list", SHOP, "--mailbox", TARO,
                              "--state", "held")["entries"]
    lab.sekimori.cli("quarantine", "release", entry["id"])
    return lab.sink.wait(TARO, mail.marker, before + 1)[-1].content


def test_held_mail_is_sealed_when_released(postfix):
    """A chain that is whole grows, one that is broken gets a seal that says
    so, and to that nobody adds any more."""
    sender = f"info@{world.domain('bulk')}"
    spammer = f"info@{world.domain('spammer')}"
    chain = postfix.keys.chain
    mail = Mail(sender, TARO, "From  hand\r\n to hand",
                b"Some  text \r\n\r\nwithout a line end")
    assert postfix.send(mail, sender, [TARO]).accepted(TARO)
    once = postfix.sink.wait(TARO, mail.marker)[0].content
    assert chain(once) == ("pass", 1)
    twice = hold_and_release(postfix, mail, once, spammer)
    assert chain(twice) == ("pass", 2)
    broken = once.replace(b"cv=none; d=", b"cv=none; x=1; d=")
    assert broken != once
    failed = hold_and_release(postfix, mail, broken, spammer)
    assert failed.count(b"ARC-Seal:") == 2 and b" cv=fail;" in failed
    again = hold_and_release(postfix, mail, failed, spammer)
    assert again.count(b"ARC-Seal:") == 2


@pytest.mark.parametrize("make", [odd_mail, bare_mail])
def test_held_mail_of_our_own_is_signed_when_released(postfix, make):
    mail = make().set("From", KOCHO)
    content = hold_and_release(postfix, mail, mail.build(), KOCHO,
                               client=OWN_NETWORK)
    assert postfix.keys.signatures(content) == {"rsa": True, "ed": True}


@pytest.mark.parametrize("make", [odd_mail, bare_mail])
def test_signed_behind_sendmail(sendmail, make):
    mail = make()
    assert smtp.send(sendmail.mta.smtp, mail.build(), SENSEI, [TARO],
                     source=OWN_SENDMAIL).accepted(TARO)
    delivery = sendmail.sink.wait(TARO, mail.marker)[0]
    assert sendmail.keys.signatures(delivery.content) == {
        "rsa": True, "ed": True}


def test_sealed_behind_sendmail(sendmail):
    sendmail.sekimori.cli("domain", "set", SHOP, "arc_seal=always")
    sender = f"info@{world.domain('bulk')}"
    mail = Mail(sender, TARO, "To be  sealed")
    for n in range(1, 20):      # settings are seen within a second or so
        assert smtp.send(sendmail.mta.smtp, mail.build(), sender, [TARO],
                         source=STRANGER_SENDMAIL).accepted(TARO)
        delivery = sendmail.sink.wait(TARO, mail.marker, count=n)[-1]
        if delivery.fields("ARC-Seal"):
            break
    assert sendmail.keys.chain(delivery.content) == ("pass", 1)
