"""DMARC reports: ours, from real mail to the one who asked for them; and
those of others, from the mail they come in to what they say.

SPDX-License-Identifier: BSD-2-Clause
"""

import email
import email.policy
import gzip
import os
import subprocess
from datetime import datetime, timezone
from xml.etree import ElementTree

import pytest

from lab import world
from lab.mails import Mail
from lab.process import wait_until
from lab.world import SENDERS, SHOP, STRANGER

from conftest import laboratory

ASKS = world.Sender(
    "asks", "198.18.20.1", signs=True,
    dmarc=f"v=DMARC1; p=quarantine; rua=mailto:taro@{SHOP}")
GATE = world.domain("gate")
TARO, HANAKO = f"taro@{SHOP}", f"hanako@{SHOP}"
REPORTS = f"reports@{SHOP}"
DAY_MS = 86400 * 1000
SPACE = "{urn:ietf:params:xml:ns:dmarc-2.0}"


def zone(lines):
    ASKS.publish(lines)
    # The customer takes reports for it.
    lines.txt(f"{ASKS.domain}._report._dmarc.{SHOP}", "v=DMARC1")


@pytest.fixture(scope="module")
def lab():
    with laboratory(zone=zone, report_from=f"dmarc@{GATE}",
                    report_rate=6000, reports_address=REPORTS) as made:
        yield made


def report(lab, day_ms, *words, shift_s=0):
    """`sekimori report dmarc` of the day (UTC), on a clock that is ahead:
    (status, output)."""
    day = f"{datetime.fromtimestamp(day_ms / 1000, timezone.utc):%Y-%m-%d}"
    done = subprocess.run(
        [lab.sekimori.program("sekimori"), "-c", lab.sekimori.config,
         "report", "dmarc", "--day", day, *words],
        env={**os.environ, "SEKIMORI_CLOCK_SHIFT_S": str(shift_s)},
        capture_output=True, text=True, timeout=120, check=False)
    assert not done.stderr, done.stderr
    return done.returncode, done.stdout


def rows(xml):
    """{(source, disposition, dkim, spf): messages} of a report."""
    found = {}
    for record in ElementTree.fromstring(xml).iter(f"{SPACE}record"):
        row = record.find(f"{SPACE}row")
        evaluated = row.find(f"{SPACE}policy_evaluated")
        key = (row.findtext(f"{SPACE}source_ip"),
               *(evaluated.findtext(SPACE + name)
                 for name in ("disposition", "dkim", "spf")))
        found[key] = found.get(key, 0) + int(row.findtext(f"{SPACE}count"))
    return found


def attachment(delivery):
    message = email.message_from_bytes(delivery.content,
                                       policy=email.policy.default)
    part = next(message.iter_attachments())
    assert part.get_content_type() == "application/gzip"
    return part.get_filename(), gzip.decompress(part.get_content())


def reports_of(lab):
    return [d for d in lab.sink.deliveries(TARO)
            if any(s.startswith("Report Domain:")
                   for s in d.fields("Subject"))]


def test_our_report_reaches_who_asked(lab):
    # One message to two, two of one kind, and a forged one that is held.
    good = [Mail(f"news@{ASKS.domain}", TARO, f"Good {n}").sign(ASKS.key)
            for n in range(2)]
    forged = Mail(f"news@{ASKS.domain}", TARO, "Forged")
    for mail in good:
        assert lab.send(mail, f"news@{ASKS.domain}", [TARO, HANAKO],
                        client=ASKS.ip).accepted(TARO)
    lab.send(forged, f"news@{ASKS.domain}", [TARO], client=STRANGER)
    times = [row["time"] for mail in good + [forged]
             for row in lab.wait_history(1, message_id=mail.message_id)]
    # It may be around midnight.
    days = sorted({time - time % DAY_MS for time in times})
    counted = {}
    for day in days:
        status, xml = report(lab, day, "--xml", "--domain", ASKS.domain)
        assert status == 0
        for key, n in rows(xml).items():
            counted[key] = counted.get(key, 0) + n
    assert counted == {
        (ASKS.ip, "pass", "pass", "pass"): 2,
        (STRANGER, "quarantine", "fail", "fail"): 1,
    }

    for n, day in enumerate(days):
        for _ in range(2):      # the second time there is nothing to do
            status, out = report(lab, day, "--send", shift_s=2 * 86400)
            assert status == 0, out
        wait_until(lambda: len(reports_of(lab)) > n, "our report")
    assert len(reports_of(lab)) == len(days)
    delivery = reports_of(lab)[-1]
    name, xml = attachment(delivery)
    begin = days[-1] // 1000
    assert name == f"{GATE}!{ASKS.domain}!{begin}!{begin + 86399}.xml.gz"
    assert delivery.fields("Subject")[0].split()[:5] == [
        "Report", "Domain:", ASKS.domain, "Submitter:", GATE]
    assert rows(xml)
    sent = lab.sekimori.cli("report", "sent")["sent"]
    assert [s["state"] for s in sent] == ["sent"] * len(days)


def test_mailed_report_is_read(lab):
    # In this order: who knows the recipient knows the row.
    lab.sekimori.cli("list", "add", "recipient", "block", REPORTS,
                     "--domain", SHOP, "--action", "quarantine-hidden")
    lab.sekimori.cli("recipient", "add", REPORTS)
    partner = SENDERS["partner"]
    xml = f"""<feedback><report_metadata><org_name>Partner</org_name>
<email>dmarc@{partner.domain}</email><report_id>1</report_id><date_range>
<begin>1795219200</begin><end>1795305599</end></date_range></report_metadata>
<policy_published><domain>{SHOP}</domain><p>none</p></policy_published>
<record><row><source_ip>198.18.77.7</source_ip><count>5</count>
<policy_evaluated><disposition>none</disposition><dkim>pass</dkim>
<spf>fail</spf></policy_evaluated></row><identifiers>
<header_from>{SHOP}</header_from></identifiers></record></feedback>"""
    mail = Mail(f"dmarc@{partner.domain}", REPORTS, "Report").multipart([
        ("text/plain", None, b"A report.\r\n"),
        ("application/gzip",
         f'attachment; filename="{partner.domain}!{SHOP}!1!2.xml.gz"',
         gzip.compress(xml.encode()))])
    mail.sign(partner.key)

    def is_accepted():
        return lab.send(mail, f"dmarc@{partner.domain}", [REPORTS],
                        client=partner.ip).accepted(REPORTS)

    # The milter knows it within a second.
    wait_until(is_accepted, "the new recipient")
    # The sidecar looks when it starts, and then once a minute.
    lab.sekimori.web.stop()
    lab.sekimori.start_web()
    wait_until(lambda: lab.sekimori.cli(
        "report", "show", "--domain", SHOP)["dmarc"]["messages"],
        "what the report says")
    shown = lab.sekimori.cli("report", "show", "--domain", SHOP)
    assert [(s["source"], s["messages"], s["passed"], s["reporters"])
            for s in shown["sources"]] == [
                ("198.18.77.7", 5, 5, ["Partner"])]
    wait_until(lambda: not lab.sekimori.cli(
        "quarantine", "list", SHOP, "--mailbox", REPORTS, "--state", "held",
        "--hidden")["entries"], "the removal of the mail")
    assert lab.sink.deliveries(REPORTS) == []
