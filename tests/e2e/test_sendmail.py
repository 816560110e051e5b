"""The same milter under Sendmail 8.17.

SPDX-License-Identifier: BSD-2-Clause
"""

import os

import dkim
import pytest

from lab import smtp, world
from lab.mails import Key, Mail
from lab.sendmail import NoSendmail, Sendmail
from lab.world import SHOP

# One Sendmail for all of them.
pytestmark = pytest.mark.xdist_group("sendmail")

TARO = f"taro@{SHOP}"
NEAR = world.domain("near")
# Clients are addresses of 127.0.0.0/8: Sendmail has no XCLIENT.
OWN, STRANGER = "127.66.0.1", "127.66.0.2"


@pytest.fixture(scope="module")
def sendmail(request):
    from conftest import laboratory
    keys = []

    def records(zone):
        zone.txt(NEAR, f"v=spf1 ip4:{OWN} -all")
        zone.txt(f"_dmarc.{NEAR}", "v=DMARC1; p=reject")
        key = Key(NEAR)
        zone.txt(key.name, key.record)
        keys.append(key)

    # As if these clients were far away: what comes from 127.0.0.0/8 may
    # release, and is exempt from much.
    with laboratory(zone=records, release_networks=["127.0.0.1"]) as lab:
        directory = lab.path("sendmail")
        os.mkdir(directory)
        mta = Sendmail(lab.guard, directory, "mx." + world.ROOT)
        try:
            mta.unpack()
        except NoSendmail as error:
            pytest.skip(f"Sendmail cannot be had: {error}")
        mta.configure(lab.sink["shop"], lab.sekimori.milter_port)
        lab.sekimori.write_config(
            release_listener=f"127.0.0.1:{mta.release_port}")
        lab.sekimori.stop()
        lab.sekimori.start_milter()
        lab.sekimori.start_web()
        mta.start()
        mta.lab, mta.key = lab, keys[0]
        yield mta
        mta.stop()


def send(mta, mail, client, sender=f"info@{NEAR}", rcpts=(TARO,)):
    return smtp.send(mta.smtp, mail.build(), sender, rcpts,
                     source=client, helo=f"mail.{NEAR}")


def test_signed_mail_arrives_with_results(sendmail):
    mail = Mail(f"info@{NEAR}", TARO, "By Sendmail").sign(sendmail.key)
    assert send(sendmail, mail, OWN).accepted(TARO)
    delivery = sendmail.lab.sink.wait(TARO, mail.marker)[0]
    results = " ".join(delivery.fields("Authentication-Results"))
    for result in ("spf=pass", "dkim=pass", "dmarc=pass"):
        assert result in results
    # What the sink has still verifies.
    records = {sendmail.key.name + ".": sendmail.key.record}
    assert dkim.verify(delivery.content, dnsfunc=lambda name, **_: records[
        name.decode()].encode())


def test_forged_mail_is_refused(sendmail):
    mail = Mail(f"info@{NEAR}", TARO, "Forged")
    reply = send(sendmail, mail, STRANGER).reply_for(TARO)
    assert str(reply).startswith("550 5.7.1")


def test_held_and_released(sendmail):
    lab = sendmail.lab
    sender = world.SENDERS["spammer"]
    mail = Mail(f"info@{sender.domain}", TARO, "Watches")
    assert send(sendmail, mail, STRANGER,
                f"info@{sender.domain}").accepted(TARO)
    entries = lab.held_of(mail, TARO)
    assert len(entries) == 1
    assert lab.sink.deliveries(marker=mail.marker) == []
    lab.sekimori.cli("quarantine", "release", entries[0]["id"])
    delivery = lab.sink.wait(TARO, mail.marker)
    assert len(delivery) == 1
    assert delivery[0].content.endswith(mail.build())


def test_unknown_user_is_refused(sendmail):
    mail = Mail(f"info@{NEAR}", f"nobody@{SHOP}", "Anyone?")
    reply = send(sendmail, mail, OWN,
                 rcpts=(f"nobody@{SHOP}",)).reply_for(f"nobody@{SHOP}")
    assert str(reply).startswith("550 5.1.1")
