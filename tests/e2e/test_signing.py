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
