#!/usr/bin/python3
"""corpus.py - mails to measure with, their DNS, and what is right for each.

    corpus.py [--count N] [--seed N] [--small] [--big] DIRECTORY

Writes msg/NNNNN.eml; index.tsv (a line a mail: file, client address, client
name, HELO, sender, recipients, kind, expected SPF, DKIM and DMARC result);
zone, the DNS as a zone file (doc/dns-zone.md); with --big also big.eml of
50 MB and big.tsv.  The same seed gives the same mails, but for the keys:
they are new each time, and so are the signatures.

Of each 200 mails in a row half are text of 2 to 8 kB, 85 HTML of 20 to
60 kB, 14 have an attachment of 0.2 to 1 MB, and one in 400 has one of 5 MB.
--small: all mails are text, for tests.

SPDX-License-Identifier: BSD-2-Clause
"""

import argparse
import base64
import email.utils
import os
import random
import subprocess

import dkim

DOMAINS = 20
SELECTOR = b"s2026"
HERE = "mail.sekimori-bench.net"
TTL = 300

# kind: share of the mails; SPF, DKIM, DMARC
KINDS = {
    "signed": (35, "pass", "pass", "pass"),
    "unsigned": (15, "pass", "none", "pass"),
    "no-records": (20, "none", "none", "none"),
    "forged-from": (10, "pass", "none", "fail"),
    "wrong-client": (7, "fail", "none", "fail"),
    "forwarded": (5, "fail", "pass", "pass"),
    "bounce": (5, "pass", "none", "pass"),
    "broken-signature": (3, "pass", "fail", "fail"),
}

SYLLABLES = ("ka ki ku ke ko sa shi su se so ta chi tsu te to na ni nu ne no "
             "ha hi fu he ho ma mi mu me mo ya yu yo ra ri ru re ro wa").split()


class Domain:
    """One that sends: its records, its key, its servers."""

    SPF = ("v=spf1 mx -all", "v=spf1 ip4:{net}.0/24 -all",
           "v=spf1 a:mta1.{name} a:mta2.{name} a:mta3.{name} -all",
           "v=spf1 include:_spf.{name} -all")
    POLICIES = ("none", "quarantine", "reject")

    def __init__(self, number, published=True):
        word = "sender" if published else "plain"
        self.name = f"sekimori-{word}{number:02}.net"
        self.net = f"198.{18 if published else 19}.{number}"
        self.published = published
        self.policy = self.POLICIES[number % 3]
        self.spf = self.SPF[number % 4].format(name=self.name, net=self.net)
        self.private = subprocess.run(
            ["openssl", "genrsa", "2048"], check=True, capture_output=True
        ).stdout if published else None

    def hosts(self):
        return [(f"mta{n}.{self.name}", f"{self.net}.{10 + n}")
                for n in (1, 2, 3)]

    def public(self):
        der = subprocess.run(
            ["openssl", "pkey", "-pubout", "-outform", "DER"],
            input=self.private, check=True, capture_output=True).stdout
        return base64.b64encode(der).decode()

    def records(self):
        for host, address in self.hosts():
            yield host, "A", address
            reverse = ".".join(reversed(address.split(".")))
            yield f"{reverse}.in-addr.arpa", "PTR", host + "."
            yield self.name, "MX", f"10 {host}."
            if self.published:
                yield host, "TXT", '"v=spf1 a -all"'
        yield self.name, "A", f"{self.net}.10"
        if not self.published:
            return
        yield self.name, "TXT", f'"{self.spf}"'
        if "include" in self.spf:
            yield (f"_spf.{self.name}", "TXT",
                   f'"v=spf1 ip4:{self.net}.0/24 ~all"')
        yield f"_dmarc.{self.name}", "TXT", f'"v=DMARC1; p={self.policy}"'
        key = self.public()
        yield (f"{SELECTOR.decode()}._domainkey.{self.name}", "TXT",
               f'"v=DKIM1; k=rsa; p={key[:200]}" "{key[200:]}"')


class Corpus:
    def __init__(self, directory, count, seed, small):
        self.directory = directory
        self.count = count
        self.rng = random.Random(seed)
        self.small = small
        self.senders = [Domain(n) for n in range(DOMAINS)]
        self.plain = [Domain(n, published=False) for n in range(DOMAINS)]

    # ---- words ----

    def word(self):
        return "".join(self.rng.choices(SYLLABLES, k=self.rng.randint(1, 4)))

    def line(self, length=70):
        words = []
        while sum(map(len, words)) + len(words) < length:
            words.append(self.word())
        return " ".join(words)

    def text(self, size):
        lines = []
        while size > 0:
            line = self.line()
            lines.append(line.capitalize() + "." if self.rng.random() < .3
                         else line)
            if self.rng.random() < .1:
                lines.append("")
            size -= len(line) + 2
        return "\r\n".join(lines) + "\r\n"

    def name(self):
        return f"{self.word().capitalize()} {self.word().capitalize()}"

    # ---- bodies: (fields, text) ----

    def plain_body(self, size):
        return [("Content-Type", "text/plain; charset=us-ascii")], \
            self.text(size)

    def html(self, size):
        rows = []
        while size > 0:
            row = (f'<tr><td style="padding:4px 8px;\tcolor:#334">'
                   f"{self.line(40)}</td>\r\n"
                   f'  <td><a href="https://www.{self.word()}.example/'
                   f'{self.word()}">{self.line(30)}</a></td></tr>\r\n')
            rows.append(row)
            size -= len(row)
        return ("<html><body><table>\r\n" + "".join(rows)
                + "</table></body></html>\r\n")

    def multipart(self, parts, subtype):
        boundary = f"=_{self.rng.getrandbits(64):016x}"
        body = "".join(
            f"--{boundary}\r\n{fields}\r\n{text}\r\n"
            for fields, text in parts)
        return [("Content-Type",
                 f'multipart/{subtype};\r\n boundary="{boundary}"')], \
            f"This is MIME.\r\n{body}--{boundary}--\r\n"

    def html_body(self, size):
        return self.multipart([
            ("Content-Type: text/plain\r\n", self.text(size // 6)),
            ("Content-Type: text/html; charset=us-ascii\r\n",
             self.html(size * 5 // 6))], "alternative")

    def attachment(self, size):
        raw = base64.encodebytes(self.rng.randbytes(size * 3 // 4))
        return self.multipart([
            ("Content-Type: text/plain\r\n", self.text(2000)),
            ("Content-Type: application/octet-stream; name=data.bin\r\n"
             "Content-Transfer-Encoding: base64\r\n",
             raw.decode().replace("\n", "\r\n"))], "mixed")

    def body(self, number):
        if self.small:
            return self.plain_body(self.rng.randint(500, 4000))
        if number % 400 == 399:
            return self.attachment(5_000_000)
        place = number * 77 % 200
        if place < 100:
            return self.plain_body(self.rng.randint(2000, 8000))
        if place < 185:
            return self.html_body(self.rng.randint(20_000, 60_000))
        return self.attachment(self.rng.randint(200_000, 1_000_000))

    # ---- mails ----

    def kind(self):
        return self.rng.choices(
            list(KINDS), [share for share, *_ in KINDS.values()])[0]

    def header(self, author, host, body_fields):
        date = email.utils.formatdate(1_780_000_000
                                      + self.rng.randrange(86_400))
        return [
            ("Received", f"from {self.word()}.{host} by {host};\r\n"
             f"\t{date}"),
            ("Date", date),
            ("From", f"{self.name()} <{author}>"),
            ("To", f"{self.name()} <{self.word()}@{HERE}>"),
            ("Subject", self.line(30)),
            ("Message-ID", f"<{self.rng.getrandbits(64):x}@{host}>"),
            ("MIME-Version", "1.0"),
            ("X-Mailer", f"{self.word().capitalize()} 3.1"),
            *body_fields,
        ]

    def sign(self, raw, domain):
        return dkim.sign(
            raw, SELECTOR, domain.name.encode(), domain.private,
            canonicalize=(b"relaxed", b"relaxed"),
            include_headers=[b"from", b"to", b"subject", b"date",
                             b"message-id", b"content-type"]) + raw

    def envelope(self, kind):
        """Domain, address of the author, client and sender."""
        domain = self.rng.choice(
            self.plain if kind == "no-records" else self.senders)
        author = f"{self.word()}@{domain.name}"
        host, address = self.rng.choice(domain.hosts())
        sender = author
        if kind == "forged-from":
            other = self.senders[(self.senders.index(domain) + 1) % DOMAINS]
            author = f"{self.word()}@{other.name}"
        elif kind in ("wrong-client", "forwarded"):
            host, address = self.rng.choice(
                self.rng.choice(self.plain).hosts())
        elif kind == "broken-signature":
            other = self.senders[(self.senders.index(domain) + 1) % DOMAINS]
            host, address = self.rng.choice(other.hosts())
            sender = f"list-bounces@{other.name}"
        elif kind == "bounce":
            sender = ""
        return domain, author, host, address, sender

    def mail(self, number, kind, body=None):
        domain, author, host, address, sender = self.envelope(kind)
        body_fields, body = body or self.body(number)
        raw = ("".join(f"{name}: {value}\r\n" for name, value
                       in self.header(author, host, body_fields))
               + "\r\n" + body).encode()
        if kind in ("signed", "forwarded", "broken-signature"):
            raw = self.sign(raw, domain)
        if kind == "broken-signature":
            raw += b"-- \r\nTo leave this list, say so.\r\n"
        recipients = ",".join(f"{self.word()}@{HERE}" for _ in
                              range(self.rng.choice((1, 1, 1, 2, 3))))
        return raw, (address, host, host, sender, recipients, kind,
                     *KINDS[kind][1:])

    def write(self, path, raw):
        with open(os.path.join(self.directory, path), "wb") as out:
            out.write(raw)

    def write_row(self, out, path, row):
        out.write("\t".join((path, *row)) + "\n")

    def write_zone(self):
        with open(os.path.join(self.directory, "zone"), "w",
                  encoding="ascii") as out:
            out.write(f"$TTL {TTL}\n")
            for domain in self.senders + self.plain:
                for name, kind, value in domain.records():
                    out.write(f"{name}. {kind} {value}\n")

    def make(self):
        os.makedirs(os.path.join(self.directory, "msg"), exist_ok=True)
        self.write_zone()
        with open(os.path.join(self.directory, "index.tsv"), "w",
                  encoding="ascii") as out:
            for number in range(self.count):
                raw, row = self.mail(number, self.kind())
                path = f"msg/{number:05}.eml"
                self.write(path, raw)
                self.write_row(out, path, row)

    def make_big(self):
        raw, row = self.mail(0, "signed", self.attachment(50_000_000))
        self.write("big.eml", raw)
        with open(os.path.join(self.directory, "big.tsv"), "w",
                  encoding="ascii") as out:
            self.write_row(out, "big.eml", row)


def make(directory, count, seed=1, small=False, big=False):
    corpus = Corpus(directory, count, seed, small)
    corpus.make()
    if big:
        corpus.make_big()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--small", action="store_true")
    parser.add_argument("--big", action="store_true")
    parser.add_argument("directory")
    options = parser.parse_args()
    make(options.directory, options.count, options.seed, options.small,
         options.big)


if __name__ == "__main__":
    main()
