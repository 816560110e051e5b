"""The world outside and the customers inside: DNS data, keys, settings.

Everything lives under sekimori-test.net and 198.18.0.0/15, which belong to
nobody (RFC 2544); libunbound answers for *.test by itself, so that would
hide our own data.

SPDX-License-Identifier: BSD-2-Clause
"""

from .mails import Key

ROOT = "sekimori-test.net"


def domain(name):
    return f"{name}.{ROOT}"


def address(local, name):
    return f"{local}@{domain(name)}"


class Sender:
    """A domain that sends: its server, SPF, DKIM and DMARC."""

    def __init__(self, name, ip, spf=None, dmarc=None, signs=False):
        self.name, self.ip = name, ip
        self.domain = domain(name)
        self.host = f"mail.{self.domain}"
        self.spf = spf if spf is not None else f"v=spf1 ip4:{ip} -all"
        self.dmarc = dmarc
        self.signs = signs
        self.key = None

    def publish(self, zone):
        zone.host(self.host, self.ip)
        zone.add(self.domain, "MX", f"10 {self.host}.")
        if self.spf:
            zone.txt(self.domain, self.spf)
        if self.dmarc:
            zone.txt(f"_dmarc.{self.domain}", self.dmarc)
        if self.signs:
            # One key for all laboratories of this process: a mail is signed
            # without asking for which of them it is.
            self.key = self.key or Key(self.domain)
            zone.txt(self.key.name, self.key.record)


# A client that belongs to nobody's mail: where forgeries come from.
STRANGER = "198.18.66.6"

SENDERS = {
    s.name: s for s in (
        Sender("partner", "198.18.1.1", dmarc="v=DMARC1; p=reject",
               signs=True),
        Sender("bank", "198.18.2.1", dmarc="v=DMARC1; p=reject", signs=True),
        Sender("news", "198.18.3.1", dmarc="v=DMARC1; p=quarantine",
               signs=True),
        Sender("strict", "198.18.4.1"),
        Sender("list", "198.18.5.1"),
        Sender("club", "198.18.6.1", dmarc="v=DMARC1; p=none", signs=True),
        Sender("spammer", "198.18.7.1"),
        Sender("friend", "198.18.8.1", spf="v=spf1 ip4:198.18.8.1 ~all",
               signs=True),
        Sender("nihon", "198.18.9.1", dmarc="v=DMARC1; p=reject",
               signs=True),
        # A relay that may send for itself, whatever it claims in From.
        Sender("bulk", "198.18.10.1"),
    )
}


def publish(zone):
    for sender in SENDERS.values():
        sender.publish(zone)


# Customers: domain, options, recipients, servers of the sink by name.
SHOP, SCHOOL, CLINIC = domain("shop"), domain("school"), domain("clinic")
OLD_SHOP = domain("old-shop")

CUSTOMERS = {
    SHOP: {
        "options": {"restrict_recipients": "yes", "block_action": "quarantine",
                    "unsure_action": "accept",
                    "size_max": "60M", "size_action": "reject"},
        "recipients": ("taro", "hanako", "jiro", "saburo"),
        "server": "shop",
    },
    SCHOOL: {
        "options": {"dmarc": "no", "block_action": "quarantine",
                    "unsure_action": "tag", "subject_mark": "[注意]",
                    "size_max": "1M", "size_action": "quarantine"},
        "recipients": (),
        "server": "school",
    },
    CLINIC: {
        "options": {"dmarc_quarantine": "reject", "block_action": "quarantine",
                    "hold_answer": "550", "spf_fail": "reject",
                    "size_max": "1M", "size_action": "reject"},
        "recipients": (),
        "server": "clinic",
    },
}

# Addresses of the sink; the spare one takes over when a route changes.
SERVERS = {"shop": "127.0.0.2", "school": "127.0.0.3",
           "clinic": "127.0.0.4", "spare": "127.0.0.5"}


def settle(sekimori, sink):
    """The customers as an operator would enter them."""
    for name, customer in CUSTOMERS.items():
        sekimori.cli("domain", "add", name)
        sekimori.cli("domain", "set", name, *(
            f"{option}={value}"
            for option, value in customer["options"].items()))
        sekimori.cli("route", "set", name, sink[customer["server"]].route)
        for local in customer["recipients"]:
            sekimori.cli("recipient", "add", f"{local}@{name}")
    sekimori.cli("domain", "add", OLD_SHOP)
    sekimori.cli("alias", "add", f"@{OLD_SHOP}", f"@{SHOP}")
    sekimori.cli("alias", "add", f"info@{SHOP}", f"taro@{SHOP}",
                 f"hanako@{SHOP}")
    for name in CUSTOMERS:
        sekimori.cli("list", "add", "sender", "block",
                     f"@{domain('spammer')}", "--domain", name)
    sekimori.cli("list", "add", "sender", "allow",
                 address("akiko", "friend"), "--domain", SHOP)
    sekimori.cli("list", "add", "client", "block", "198.18.77.0/24",
                 "--domain", SHOP, "--action", "reject")
