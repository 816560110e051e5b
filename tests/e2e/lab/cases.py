"""The mails of the quickstart, and how each is to fare.

A case says what is sent by whom to whom, what SMTP is to answer, and what
is to become of it for each final mailbox.  scripts/quickstart shows them as
a table; tests/e2e/test_mails.py runs the same ones as tests.

SPDX-License-Identifier: BSD-2-Clause
"""

import dataclasses
import re
import time
import typing

from . import world
from .mails import Mail, encoded, noise
from .process import PATIENCE_S, LabError
from .world import (CLINIC, OLD_SHOP, SCHOOL, SENDERS, SHOP, STRANGER,
                    address, domain)

TARO, HANAKO = f"taro@{SHOP}", f"hanako@{SHOP}"
JIRO, SABURO = f"jiro@{SHOP}", f"saburo@{SHOP}"
TEACHER = f"sensei@{SCHOOL}"
NURSE = f"nurse@{CLINIC}"

JAPANESE = "拝啓 時下ますますご清栄のこととお慶び申し上げます。\r\n" \
           "ご注文の品 ①番 ㈱髙島 様の件、本日発送いたしました。\r\n"


@dataclasses.dataclass(frozen=True)
class Outcome:
    """For one final mailbox."""

    status: str                 # accepted, quarantined, rejected
    klass: str                  # "phish/dmarc"; "" is not looked at
    tagged: bool = False
    rcpt: str = None            # as the sink sees it, when not the mailbox


@dataclasses.dataclass
class Case:
    key: str
    what: str
    sender: str                 # envelope
    rcpts: typing.Sequence[str]
    build: typing.Callable      # () -> Mail
    outcomes: dict              # mailbox -> Outcome
    client: str = STRANGER
    helo: str = "client.invalid"
    params: str = ""
    # rcpt -> start of the reply that decides; 250 when not given
    replies: dict = dataclasses.field(default_factory=dict)
    # results that Authentication-Results must have, e.g. "dkim=pass"
    results: typing.Sequence[str] = ()
    intact: bool = True         # what arrives ends with the bytes sent
    # how the log finds it, when it was refused before it had a Message-ID
    search: dict = None


def _from(name, case, local="info", **fields):
    """The usual client, HELO and envelope sender of a sending domain."""
    sender = SENDERS[name]
    fields.setdefault("client", sender.ip)
    fields.setdefault("helo", sender.host)
    fields.setdefault("sender", f"{local}@{sender.domain}")
    return Case(**case, **fields)


def _text(name, to, subject, body=b"Hello,\r\n\r\nas agreed.\r\n", sign=False,
          local="info", **options):
    sender = SENDERS[name]
    mail = Mail(f"{local}@{sender.domain}", to, subject, body, **options)
    return mail.sign(sender.key) if sign else mail


def _signed():
    return _text("partner", TARO, "Your order", sign=True)


def _forged(name, to, subject):
    """From of a domain that the sender has nothing to do with."""
    return Mail(f"Customer care <care@{domain(name)}>", to, subject,
                b"Please confirm your password today.\r\n")


def _list_mail():
    """A mailing list appends a footer: the author's signature breaks."""
    mail = _text("club", f"members@{domain('list')}", "Meeting on Friday",
                 b"See you at six.\r\n", sign=True)
    mail.body += b"-- \r\nmembers mailing list\r\n"
    mail.add("List-Id", f"<members.{domain('list')}>")
    return mail


def _iso_2022_jp():
    text = JAPANESE.replace("①番 ㈱髙島", "一番 株式会社高島")
    mail = Mail(f"info@{domain('nihon')}", TARO,
                encoded("発送のお知らせ", "iso-2022-jp"),
                text.encode("iso-2022-jp"), charset="iso-2022-jp")
    return mail.sign(SENDERS["nihon"].key)


def _shift_jis():
    mail = Mail(f"info@{domain('nihon')}", TARO,
                encoded("ご請求書 ㈱髙島", "Shift_JIS", "cp932"),
                JAPANESE.encode("cp932"), charset="Shift_JIS")
    return mail.sign(SENDERS["nihon"].key)


def _smtputf8():
    mail = Mail(f"花子 <花子@{domain('nihon')}>", TARO, "見積書の件",
                JAPANESE.encode(), charset="utf-8")
    return mail.sign(SENDERS["nihon"].key)


def _attachment(size):
    def build():
        mail = _text("partner", TARO, "The plans")
        mail.multipart([
            ("text/plain; charset=utf-8", None, b"As promised.\n"),
            ("application/pdf", 'attachment; filename="plans.pdf"',
             noise(size)),
        ])
        return mail.sign(SENDERS["partner"].key)
    return build


def _two_from():
    mail = _text("partner", TARO, "Two authors", sign=True)
    mail.top = b"From: boss@" + SHOP.encode() + b"\r\n" + mail.top
    return mail


def _forged_results():
    """A stranger's word for our own."""
    mail = _text("bulk", SABURO, "Trust me")
    mail.fields.insert(0, (
        "Authentication-Results",
        f"mx.{world.ROOT}; dkim=pass header.d={domain('bank')}"))
    return mail


ACCEPTED = Outcome("accepted", "not-spam")


def make():
    """All cases, in the order of the table.  Keys must exist by now."""
    return [
        _from("partner", dict(
            key="signed", what="signed mail of a partner",
            rcpts=[TARO], build=_signed, outcomes={TARO: ACCEPTED},
            results=("spf=pass", "dkim=pass", "dmarc=pass"))),
        _from("strict", dict(
            key="spf-fail", what="SPF says no to this client",
            rcpts=[TARO],
            build=lambda: _text("strict", TARO, "From elsewhere"),
            outcomes={TARO: Outcome("accepted", "unsure/spf")},
            results=("spf=fail",)), client=STRANGER),
        _from("strict", dict(
            key="spf-reject", what="the same, where SPF fail is refused",
            rcpts=[NURSE],
            build=lambda: _text("strict", NURSE, "From elsewhere"),
            outcomes={NURSE: Outcome("rejected", "phish/spf")},
            replies={NURSE: "550 5.7.23"}), client=STRANGER),
        _from("bulk", dict(
            key="forged-reject", what="forged From of a bank, p=reject",
            rcpts=[TARO],
            build=lambda: _forged("bank", TARO, "Your account"),
            outcomes={TARO: Outcome("quarantined", "phish/dmarc")})),
        Case(
            key="forged-evidence",
            what="the same, and its SPF fails too",
            sender=address("care", "bank"), rcpts=[TARO],
            build=lambda: _forged("bank", TARO, "Your account!"),
            outcomes={TARO: Outcome("rejected", "phish/dmarc")},
            replies={TARO: "550 5.7.1"}),
        _from("bulk", dict(
            key="forged-quarantine",
            what="forged newsletter, p=quarantine", rcpts=[HANAKO],
            build=lambda: _forged("news", HANAKO, "This week"),
            outcomes={HANAKO: Outcome("quarantined", "phish/dmarc")})),
        _from("spammer", dict(
            key="blocked", what="blocked sender domain", rcpts=[TARO],
            build=lambda: _text("spammer", TARO, "Cheap watches"),
            outcomes={TARO: Outcome("quarantined",
                                    "blacklisted/sender-list")})),
        _from("spammer", dict(
            key="blocked-550", what="the same, held with answer 550",
            rcpts=[NURSE],
            build=lambda: _text("spammer", NURSE, "Cheap watches"),
            outcomes={NURSE: Outcome("quarantined",
                                     "blacklisted/sender-list")},
            replies={NURSE: "550 5.7.1"})),
        _from("friend", dict(
            key="allowed", what="allowed sender, signed", rcpts=[TARO],
            build=lambda: _text("friend", TARO, "Lunch?", sign=True,
                                local="akiko"),
            outcomes={TARO: Outcome("accepted",
                                    "whitelisted/sender-list")},
            results=("dkim=pass",)), local="akiko"),
        _from("friend", dict(
            key="allowed-forged", what="that sender forged", rcpts=[TARO],
            build=lambda: _text("friend", TARO, "Lunch!", local="akiko"),
            # the allow row must not count; softfail alone earns 1 point
            outcomes={TARO: ACCEPTED}, results=("spf=softfail",)),
              local="akiko", client=STRANGER),
        _from("partner", dict(
            key="blocked-client", what="blocked client network",
            rcpts=[TARO],
            build=lambda: _text("partner", TARO, "From a bad network"),
            outcomes={TARO: Outcome("rejected",
                                    "blacklisted/client-list")},
            replies={TARO: "550 5.7.1"},
            search={"client": "198.18.77.7"}), client="198.18.77.7"),
        _from("partner", dict(
            key="size-reject", what="over the size limit: refused",
            rcpts=[NURSE], build=_attachment(1 << 20),
            outcomes={NURSE: Outcome("rejected", "blacklisted/size")},
            replies={NURSE: "552 5.3.4"})),
        _from("partner", dict(
            key="size-hold", what="over the size limit: held",
            rcpts=[TEACHER], build=_attachment((1 << 20) + 1),
            outcomes={TEACHER: Outcome("quarantined",
                                       "blacklisted/size")})),
        _from("bulk", dict(
            key="disagree", what="three recipients who disagree",
            rcpts=[TEACHER, TARO, NURSE],
            build=lambda: _forged("news", TEACHER, "To all of you"),
            outcomes={
                TEACHER: Outcome("accepted", "not-spam"),
                TARO: Outcome("quarantined", "phish/dmarc"),
                NURSE: Outcome("quarantined", "phish/dmarc"),
            })),
        _from("strict", dict(
            key="tag", what="one wants a marked subject, one none",
            rcpts=[TEACHER, TARO],
            build=lambda: _text("strict", TEACHER, "For two"),
            outcomes={
                TEACHER: Outcome("accepted", "unsure/spf", tagged=True),
                TARO: Outcome("accepted", "unsure/spf"),
            }), client=STRANGER),
        _from("partner", dict(
            key="alias", what="mailbox alias for two", rcpts=[f"info@{SHOP}"],
            build=lambda: _text("partner", f"info@{SHOP}", "To the shop",
                                sign=True),
            outcomes={TARO: ACCEPTED, HANAKO: ACCEPTED})),
        _from("partner", dict(
            key="domain-alias", what="alias of a whole domain",
            rcpts=[f"jiro@{OLD_SHOP}"],
            build=lambda: _text("partner", f"jiro@{OLD_SHOP}",
                                "To the old name", sign=True),
            outcomes={JIRO: ACCEPTED})),
        _from("partner", dict(
            key="unknown", what="unknown user", rcpts=[f"nobody@{SHOP}"],
            build=lambda: _text("partner", f"nobody@{SHOP}", "Anyone?"),
            outcomes={}, replies={f"nobody@{SHOP}": "550 5.1.1"})),
        _from("nihon", dict(
            key="iso-2022-jp", what="Japanese, ISO-2022-JP", rcpts=[TARO],
            build=_iso_2022_jp, outcomes={TARO: ACCEPTED},
            results=("dkim=pass", "dmarc=pass"))),
        _from("nihon", dict(
            key="shift-jis", what="Japanese, Shift_JIS with ①㈱髙",
            rcpts=[TARO], build=_shift_jis, outcomes={TARO: ACCEPTED},
            params="BODY=8BITMIME",
            results=("dkim=pass", "dmarc=pass"))),
        _from("nihon", dict(
            key="smtputf8", what="SMTPUTF8: 花子@…", rcpts=[TARO],
            build=_smtputf8, outcomes={TARO: ACCEPTED},
            params="SMTPUTF8 BODY=8BITMIME",
            results=("dkim=pass", "dmarc=pass")), local="花子"),
        _from("list", dict(
            key="list", what="mailing list broke the signature",
            rcpts=[TARO], build=_list_mail, outcomes={TARO: ACCEPTED},
            results=("spf=pass", "dkim=fail", "dmarc=fail")),
              local="members-bounces"),
        _from("partner", dict(
            key="attachment", what="30 MB attachment", rcpts=[TARO],
            build=_attachment(30 << 20), outcomes={TARO: ACCEPTED},
            results=("dkim=pass",))),
        _from("partner", dict(
            key="two-from", what="two From headers", rcpts=[TARO],
            build=_two_from,
            outcomes={TARO: Outcome("rejected", "blacklisted/malformed")},
            replies={TARO: "550 5.6.0"})),
        _from("bulk", dict(
            key="forged-results",
            what="forged Authentication-Results", rcpts=[SABURO],
            build=_forged_results,
            outcomes={SABURO: ACCEPTED}, results=("spf=pass",),
            intact=False)),
    ]


@dataclasses.dataclass
class Fate:
    """What was seen for one mailbox of a case."""

    mailbox: str
    status: str
    klass: str
    why: str
    held: str = None            # id in the quarantine


class Run:
    """One case, sent; check() says what is wrong, [] if nothing."""

    def __init__(self, lab, case):
        self.lab, self.case = lab, case
        self.mail = case.build()
        self.content = self.mail.build()
        self.result = lab.send(self.content, case.sender, case.rcpts,
                               case.client, case.helo, case.params)
        self.fates = []
        self.wrong = []

    @property
    def fared_well(self):
        return not self.wrong

    def check(self, seconds=PATIENCE_S):
        """seconds: for all that has to be waited for together."""
        self._until = time.monotonic() + seconds
        for part in (self._check_replies, self._check_history,
                     self._check_sink, self._check_held):
            try:
                part()
            except LabError as error:
                self.wrong.append(str(error))
        return self.wrong

    def _seconds(self):
        return max(1, self._until - time.monotonic())

    def _expect(self, good, text):
        if not good:
            self.wrong.append(text)

    def _check_replies(self):
        for rcpt in self.case.rcpts:
            wanted = self.case.replies.get(rcpt, "250")
            reply = self.result.reply_for(rcpt)
            self._expect(str(reply).startswith(wanted),
                         f"{rcpt}: the reply is '{reply}', not {wanted}")

    def _check_history(self):
        outcomes = self.case.outcomes
        if not outcomes:
            reply = self.result.reply_for(self.case.rcpts[0])
            self.fates = [Fate(self.case.rcpts[0], "rejected", "",
                               str(reply))]
            return
        rows = self.lab.wait_history(len(outcomes), self._seconds(), **(
            self.case.search or {"message_id": self.mail.message_id}))
        self._expect(len(rows) == len(outcomes),
                     f"{len(rows)} rows in the history")
        order = list(outcomes)
        for row in sorted(rows, key=lambda row: order.index(row["mailbox"])
                          if row["mailbox"] in order else -1):
            klass = row["class"]
            fate = Fate(row["mailbox"], row["status"], "/".join(filter(
                None, (klass["main"], klass["sub"]))), klass["extra"],
                row["id"] if row["status"] == "quarantined" else None)
            self.fates.append(fate)
            outcome = outcomes.get(fate.mailbox)
            if not outcome:
                self.wrong.append(f"{fate.mailbox}: not expected")
                continue
            self._expect(fate.status == outcome.status,
                         f"{fate.mailbox}: {fate.status}, not "
                         f"{outcome.status}")
            self._expect(fate.klass == outcome.klass,
                         f"{fate.mailbox}: {fate.klass}, not "
                         f"{outcome.klass}")

    def _check_sink(self):
        expected = {m: o for m, o in self.case.outcomes.items()
                    if o.status == "accepted"}
        for mailbox in expected:
            self.lab.sink.wait(mailbox, self.mail.marker,
                               seconds=self._seconds())
        deliveries = self.lab.sink.deliveries(marker=self.mail.marker)
        self._expect(len(deliveries) == len(expected),
                     "delivered: " + ", ".join(d.rcpt for d in deliveries))
        for delivery in deliveries:
            outcome = expected.get(delivery.rcpt)
            if outcome:
                self._check_delivery(delivery, outcome)

    def _check_delivery(self, delivery, outcome):
        rcpt = delivery.rcpt
        results = " ".join(r for r in delivery.fields(
            "Authentication-Results"))
        for result in self.case.results:
            self._expect(re.search(rf"\b{re.escape(result)}\b", results),
                         f"{rcpt}: no {result} in '{results}'")
        own = [r for r in delivery.fields("Authentication-Results")
               if r.startswith(f"mx.{world.ROOT};")]
        self._expect(len(own) == 1,
                     f"{rcpt}: {len(own)} Authentication-Results of ours")
        if outcome.tagged:
            subject = "".join(delivery.fields("Subject"))
            self._expect(subject.startswith("=?"),
                         f"{rcpt}: Subject '{subject}' is not marked")
        elif self.case.intact:
            self._expect(delivery.content.endswith(self.content),
                         f"{rcpt}: the bytes were changed")

    def _check_held(self):
        for mailbox, outcome in self.case.outcomes.items():
            entries = self.lab.held_of(self.mail, mailbox)
            wanted = 1 if outcome.status == "quarantined" else 0
            self._expect(len(entries) == wanted,
                         f"{mailbox}: held {len(entries)} times")
