"""What the browser tests look at: the laboratory with held mail, and one
user of each role.

SPDX-License-Identifier: BSD-2-Clause
"""

from lab import Lab
from lab.mails import Mail, encoded
from lab.process import wait_until
from lab.web import Web
from lab.world import CLINIC, SCHOOL, SENDERS, SHOP, STRANGER, domain

PASSWORD = "correct horse battery"
TARO = f"taro@{SHOP}"
HANAKO = f"hanako@{SHOP}"
SPAMMER = SENDERS["spammer"]

# name: role, domains, mailbox
USERS = {
    "operator": ("operator", (), None),
    "post": ("postmaster", (), None),
    "shopkeeper": ("domain-admin", (SHOP,), None),
    "letgo": ("releaser", (SHOP,), None),
    "taro": ("mail-user", (), TARO),
}

# Of those who sign in wrongly, so that no other test is locked out.
LOCKED = "unlucky"


class Stage:
    """The laboratory, up, with users; mails are sent by the tests."""

    def __init__(self, **options):
        options.setdefault("web_connections_per_client", 500)
        self.lab = Lab(**options)
        self.client = None
        self._visitors = {}

    def __enter__(self):
        self.lab.__enter__()
        try:
            self._settle()
        except BaseException as error:
            self.lab.__exit__(type(error))
            raise
        return self

    def __exit__(self, kind, *_):
        self.lab.__exit__(kind)

    @property
    def port(self):
        return self.lab.sekimori.web_port

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def _settle(self):
        self.client = self.lab.sekimori.sign_in(PASSWORD)
        for name, (role, domains, mailbox) in USERS.items():
            if name != "operator":
                self.add_user(name, role, domains, mailbox)

    def add_user(self, name, role, domains=(), mailbox=None):
        """One who has chosen a password already."""
        body = {"name": name, "role": role, "password": "given " + PASSWORD,
                "domains": list(domains)}
        if mailbox:
            body["mailbox"] = mailbox
        self.client.post("/users", **body)
        web = Web(self.port).sign_in(name, "given " + PASSWORD)
        web.change_password("given " + PASSWORD, PASSWORD)

    password = PASSWORD

    def visitor(self, user):
        """A program that is signed in as this user; None: as nobody.  Kept,
        as each sign-in takes a costly hash."""
        if user not in self._visitors:
            web = Web(self.port)
            self._visitors[user] = (web.sign_in(user, PASSWORD)
                                    if user else web)
        return self._visitors[user]

    # ---- mail ----

    def hold(self, mail, rcpt=TARO, sender=None):
        """Send a mail of somebody blocked; its entry in the quarantine."""
        result = self.lab.send(
            mail, sender or f"a@{SPAMMER.domain}", [rcpt],
            client=SPAMMER.ip, helo=SPAMMER.host)
        return wait_until(lambda: self.find(mail, rcpt),
                          f"a held mail ({result})")

    def find(self, mail, rcpt=TARO):
        entries = self.client.get(
            "/quarantine", domain=rcpt.partition("@")[2], limit=30)["entries"]
        for entry in entries:
            shown = self.client.get(f"/quarantine/{entry['id']}")
            if mail.marker in (shown.get("message_id") or ""):
                return shown
        return None

    def spam(self, subject, rcpt=TARO, **options):
        mail = Mail(f"Great Offers <offers@{SPAMMER.domain}>", rcpt, subject,
                    **options)
        return self.hold(mail, rcpt), mail

    def state(self, held_id):
        return self.client.get(f"/quarantine/{held_id}")["state"]


def some_history(stage):
    """Mails of several kinds, so that no page is empty."""
    partner, bank = SENDERS["partner"], SENDERS["bank"]
    for number, (subject, rcpt) in enumerate((
            ("Your order 4711", TARO), ("Minutes of Monday", HANAKO),
            ("=?utf-8?B?44GK6KaL56mN44KK44Gu5Lu2?=", TARO),
            ("Invoice for October", f"jiro@{SHOP}"))):
        mail = Mail(f"info@{partner.domain}", rcpt, subject)
        stage.lab.send(mail.sign(partner.key), f"info@{partner.domain}",
                       [rcpt], partner.ip, partner.host)
    for subject, rcpt in (
            ("Please confirm your account", TARO),
            (encoded("【重要】お客様の口座が停止されました", "utf-8"), HANAKO),
            (encoded("至急ご確認ください", "utf-8"), TARO)):
        mail = Mail(f"Customer care <care@{bank.domain}>", rcpt, subject,
                    charset="utf-8")
        stage.lab.send(mail, f"x@{domain('bulk')}", [rcpt],
                       SENDERS["bulk"].ip, SENDERS["bulk"].host)
    for subject, rcpt in (
            ("Last chance: replica watches", TARO),
            (encoded("当選おめでとうございます！", "utf-8"), HANAKO),
            ("You have won 1,000,000 EUR", f"sensei@{SCHOOL}"),
            ("Cheap pills", f"nurse@{CLINIC}")):
        mail = Mail(f"Great Offers <offers@{SPAMMER.domain}>", rcpt, subject,
                    charset="utf-8")
        stage.lab.send(mail, f"a@{SPAMMER.domain}", [rcpt], SPAMMER.ip,
                       SPAMMER.host)
    stage.lab.send(Mail(f"a@{domain('x')}", TARO, "x"), f"a@{domain('x')}",
                   [f"nobody@{SHOP}"], STRANGER)
    stage.lab.wait_history(11, since="1h")
