"""DMARC failure reports: from a mail that failed to the one who asked, and
not a word more than they may read.

SPDX-License-Identifier: BSD-2-Clause
"""

import email
import email.policy

import pytest

from lab import world
from lab.mails import Mail
from lab.process import wait_until
from lab.world import SHOP, STRANGER

from conftest import laboratory

GATE = world.domain("gate")
TARO, HANAKO = f"taro@{SHOP}", f"hanako@{SHOP}"
# Its reports go to hanako: another organization, which has agreed.
ASKS = world.Sender(
    "asks", "198.18.20.1", signs=True,
    dmarc=f"v=DMARC1; p=none; ruf=mailto:hanako@{SHOP}")
# Wants to hear of signatures, whatever else passes.
SIGNS = world.Sender(
    "signs", "198.18.22.1", signs=True,
    dmarc=f"v=DMARC1; p=none; fo=d; ruf=mailto:hanako@{SHOP}")
SHY = world.Sender("shy", "198.18.21.1", dmarc="v=DMARC1; p=none; "
                   "ruf=mailto:nobody@elsewhere.sekimori-test.net")
QUEUE = "sk:{fr}:failures"
ON = {"report_from": f"dmarc@{GATE}", "report_rate": 6000,
      "dmarc_failure_reports": "yes"}


def zone(lines):
    ASKS.publish(lines)
    SIGNS.publish(lines)
    SHY.publish(lines)
    lines.txt(f"{ASKS.domain}._report._dmarc.{SHOP}", "v=DMARC1")
    lines.txt(f"{SIGNS.domain}._report._dmarc.{SHOP}", "v=DMARC1")
    # What must pass DMARC: our reports.
    lines.txt(GATE, "v=spf1 ip4:127.0.0.0/8 -all")


@pytest.fixture(scope="module")
def lab():
    with laboratory(zone=zone, **ON) as made:
        yield made


def forged(sender=ASKS, to=TARO, subject="Forged", **fields):
    mail = Mail(f"boss@{sender.domain}", to, subject)
    for name, value in fields.items():
        mail.set(name.replace("_", "-"), value)
    return mail


def send(lab, mail, sender=f"boss@{ASKS.domain}", to=TARO, client=STRANGER):
    assert lab.send(mail, sender, [to], client=client).accepted(to)


def reports_of(lab):
    """What hanako got, as Python reads it, the newest last."""
    return [email.message_from_bytes(d.content, policy=email.policy.default)
            for d in lab.sink.deliveries(HANAKO)
            if "feedback-report" in "".join(d.fields("Content-Type"))]


def parts_of(report):
    """(text, fields of the feedback, fields of the header)."""
    assert report.get_content_type() == "multipart/report"
    assert report.get_param("report-type") == "feedback-report"
    text, feedback, header = report.iter_parts()
    assert text.get_content_type() == "text/plain"
    assert feedback.get_content_type() == "message/feedback-report"
    assert header.get_content_type() == "text/rfc822-headers"
    # Python holds any message/... to be a message.
    raw = feedback.get_payload(0).as_string() if feedback.is_multipart() \
        else feedback.get_payload()
    return (text.get_content(), email.message_from_string(raw),
            email.message_from_string(header.get_payload()))


def left(lab):
    return {row["why"]: row["count"]
            for row in lab.sekimori.cli("report", "sent")["left"]}


def test_report_reaches_who_asked(lab):
    mail = forged(subject="Taro and https://evil.example/x",
                  Cc=f'"Yamada Taro" <{TARO}>', X_Secret="of taro",
                  Reply_To="someone@private.example",
                  Delivered_To=TARO)
    before = len(reports_of(lab))
    send(lab, mail)
    wait_until(lambda: len(reports_of(lab)) > before, "the report")
    report = reports_of(lab)[-1]
    assert report["From"] == f"dmarc@{GATE}"
    assert report["To"] == HANAKO
    assert report["Auto-Submitted"] == "auto-generated"
    text, feedback, header = parts_of(report)
    assert ASKS.domain in text and STRANGER in text

    assert feedback["Feedback-Type"] == "auth-failure"
    assert feedback["Version"] == "1"
    assert feedback["User-Agent"].startswith("Sekimori/")
    assert feedback["Auth-Failure"] == "dmarc"
    assert feedback["Identity-Alignment"] == "dkim, spf"
    assert "dmarc=fail" in feedback["Authentication-Results"]
    assert feedback["Delivery-Result"] == "delivered"
    assert feedback["Source-IP"] == STRANGER
    assert feedback["Reported-Domain"] == ASKS.domain
    assert feedback["Original-Mail-From"] == f"<boss@{ASKS.domain}>"
    assert feedback["SPF-DNS"] == f'txt : {ASKS.domain} : "{ASKS.spf}"'
    assert feedback["Original-Envelope-Id"] and feedback["Arrival-Date"]
    assert feedback["Incidents"] is None
    rcpt = feedback["Original-Rcpt-To"].strip("<>")
    assert rcpt.endswith(f"@{SHOP}") and "taro" not in rcpt.lower()

    # Whom it was for is hashed, the same everywhere; theirs stays.
    assert header["To"] == rcpt
    assert header["Cc"] == rcpt
    assert header["Delivered-To"] == rcpt
    assert header["From"] == f"boss@{ASKS.domain}"
    assert header["Message-ID"]
    local = rcpt.partition("@")[0]
    assert header["Subject"] == f"{local} and hxxps://evil.example/x"
    assert header["Reply-To"].endswith("@private.example")
    assert "someone" not in header["Reply-To"]
    assert header["X-Secret"] is None and header["X-Lab-Marker"] is None
    raw = report.as_string()
    assert "taro" not in raw.lower().replace(HANAKO, "")
    assert "Hello." not in raw                  # the body

    sent = [row for row in lab.sekimori.cli("report", "sent")["sent"]
            if row["kind"] == "failure"]
    assert [(row["domain"], row["address"], row["state"])
            for row in sent] == [(ASKS.domain, HANAKO, "sent")]


def test_alike_is_counted_and_not_sent(lab):
    """Needs the one before: the same failure within the hour."""
    before = len(reports_of(lab))
    if not before:
        send(lab, forged())
        wait_until(lambda: reports_of(lab), "the first report")
        before = len(reports_of(lab))
    send(lab, forged())
    wait_until(lambda: left(lab).get("alike"), "the like one to be counted")
    assert len(reports_of(lab)) == before


def test_no_report_about_an_answer(lab):
    mails = [
        (forged(Auto_Submitted="auto-replied"), f"boss@{ASKS.domain}"),
        (forged(Content_Type="multipart/report; report-type=delivery-status;"
                ' boundary="x"'), f"boss@{ASKS.domain}"),
        (forged(Content_Type="message/feedback-report"),
         f"boss@{ASKS.domain}"),
        (forged(subject=f"Report Domain: {SHOP} Submitter: x"),
         f"boss@{ASKS.domain}"),
        (forged(), ""),
    ]
    before = len(reports_of(lab))
    for n, (mail, sender) in enumerate(mails):
        # Each of another client, so that none is like another.
        send(lab, mail, sender, client=f"198.18.67.{n + 1}")
    send(lab, forged(), client="198.18.67.100")
    wait_until(lambda: len(reports_of(lab)) > before, "the one that is none")
    wait_until(lambda: lab.redis.run("XLEN", QUEUE) == 0, "the queue's end")
    new = reports_of(lab)[before:]
    assert [parts_of(r)[1]["Source-IP"] for r in new] == ["198.18.67.100"]


def test_signature_that_failed(lab):
    """SPF passes, and so does DMARC: the signature is told of by itself."""
    mail = forged(SIGNS).sign(SIGNS.key)
    mail.body += b"Added on the way.\r\n"
    before = len(reports_of(lab))
    send(lab, mail, f"boss@{SIGNS.domain}", client=SIGNS.ip)
    wait_until(lambda: len(reports_of(lab)) > before, "the report")
    _, feedback, header = parts_of(reports_of(lab)[-1])
    assert feedback["Auth-Failure"] == "bodyhash"
    assert feedback["Identity-Alignment"] == "dkim"
    assert feedback["DKIM-Domain"] == SIGNS.domain
    assert feedback["DKIM-Identity"] == f"@{SIGNS.domain}"
    assert feedback["DKIM-Selector"] == SIGNS.key.selector
    assert feedback["SPF-DNS"] is None
    assert feedback["DKIM-Canonicalized-Body"] is None
    assert "dmarc=pass" in feedback["Authentication-Results"]
    # As it came, but for white space.
    came = email.message_from_bytes(mail.build())["DKIM-Signature"]
    assert "".join(header["DKIM-Signature"].split()) == "".join(came.split())


def test_no_report_without_consent(lab):
    send(lab, forged(SHY), f"boss@{SHY.domain}")
    wait_until(lambda: left(lab).get("consent"), "the refusal")


def test_no_report_of_a_pass(lab):
    mail = forged()
    mail.sign(ASKS.key)
    before = len(reports_of(lab))
    send(lab, mail, client=ASKS.ip)
    send(lab, forged(), client="198.18.67.101")
    wait_until(lambda: len(reports_of(lab)) > before, "the next report")
    new = reports_of(lab)[before:]
    assert [parts_of(r)[1]["Source-IP"] for r in new] == ["198.18.67.101"]


def test_ceiling_holds():
    with laboratory(zone=zone, dmarc_failure_per_hour=2,
                    dmarc_failure_headers="no", **ON) as lab:
        for n in range(4):
            send(lab, forged(), client=f"198.18.67.{n + 1}")
        wait_until(lambda: left(lab).get("ceiling") == 2, "the ceiling")
        wait_until(lambda: len(reports_of(lab)) == 2, "the reports")
        _, _, header = parts_of(reports_of(lab)[0])
        assert sorted(header.keys()) == ["Date", "From", "Message-ID"]
        assert lab.redis.run("XLEN", QUEUE) == 0


def test_off_by_default():
    with laboratory(zone=zone, report_from=f"dmarc@{GATE}") as lab:
        mail = forged()
        send(lab, mail)
        lab.wait_history(1, message_id=mail.message_id)
        assert lab.redis.run("EXISTS", QUEUE) == 0
        assert "failure" not in {
            row["kind"] for row in lab.sekimori.cli("report", "sent")["sent"]}
        assert not reports_of(lab)
