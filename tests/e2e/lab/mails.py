"""Building mails to the byte, and signing them.

SPDX-License-Identifier: BSD-2-Clause
"""

import base64
import email.utils
import itertools
import os
import random
import subprocess

import dkim

_serial = itertools.count(1)


def marker():
    """A word that no other mail of this run carries."""
    return f"mark{os.getpid()}x{next(_serial)}x{random.randrange(10**6)}"


def encoded(text, charset, codec=None):
    """A header value as one encoded word of RFC 2047; codec: Python's
    name of the charset, when it differs."""
    word = base64.b64encode(text.encode(codec or charset)).decode()
    return f"=?{charset}?B?{word}?="


class Mail:
    """A header as a list of (name, value) and a body, both bytes in the
    end; build() joins them.  The marker is in a field of its own, so it
    survives in whatever was kept, held or delivered."""

    def __init__(self, sender, to, subject="Hello", body=b"Hello.\r\n",
                 charset=None, more=()):
        self.marker = marker()
        self.message_id = f"{self.marker}@lab.sekimori-test.net"
        self.fields = [
            ("From", sender),
            ("To", to),
            ("Subject", subject),
            ("Date", email.utils.formatdate(localtime=False)),
            ("Message-ID", f"<{self.message_id}>"),
            ("MIME-Version", "1.0"),
            ("Content-Type", f"text/plain; charset={charset or 'us-ascii'}"),
            ("Content-Transfer-Encoding",
             "7bit" if charset in (None, "iso-2022-jp") else "8bit"),
            ("X-Lab-Marker", self.marker),
            *more,
        ]
        self.body = body
        self.top = b""      # signatures, put above all

    def set(self, name, value):
        """Change the first field of this name, or add it."""
        for i, (field, _) in enumerate(self.fields):
            if field.lower() == name.lower():
                self.fields[i] = (field, value)
                return self
        self.fields.append((name, value))
        return self

    def add(self, name, value):
        self.fields.append((name, value))
        return self

    def build(self):
        head = b"".join(
            name.encode() + b": " + (
                value if isinstance(value, bytes)
                else value.encode("utf-8", "surrogateescape")) + b"\r\n"
            for name, value in self.fields)
        return self.top + head + b"\r\n" + self.body

    def sign(self, key, domain=None, **options):
        """DKIM-sign what is there now (python3-dkim)."""
        names = [b"from", b"to", b"subject", b"date", b"message-id",
                 b"mime-version", b"content-type",
                 b"content-transfer-encoding"]
        options.setdefault("include_headers", names)
        options.setdefault("canonicalize", (b"relaxed", b"relaxed"))
        signature = dkim.sign(
            self.build(), key.selector.encode(),
            (domain or key.domain).encode(), key.private, **options)
        self.top = signature + self.top
        return self

    def multipart(self, parts):
        """parts: [(content type, disposition or None, bytes)] in base64."""
        boundary = "=_" + self.marker
        pieces = [b"This is a message with several parts.\r\n"]
        for kind, disposition, content in parts:
            head = f"--{boundary}\r\nContent-Type: {kind}\r\n"
            if disposition:
                head += f"Content-Disposition: {disposition}\r\n"
            head += "Content-Transfer-Encoding: base64\r\n\r\n"
            pieces.append(head.encode())
            pieces.append(
                base64.encodebytes(content).replace(b"\n", b"\r\n"))
        pieces.append(f"--{boundary}--\r\n".encode())
        self.body = b"".join(pieces)
        self.set("Content-Type", f'multipart/mixed; boundary="{boundary}"')
        self.set("Content-Transfer-Encoding", "7bit")
        return self


class Key:
    """An RSA key made at run time, with its DNS record."""

    def __init__(self, domain, selector="lab", bits=2048):
        self.domain, self.selector = domain, selector
        self.private = self._openssl("genrsa", str(bits))
        der = self._openssl("rsa", "-pubout", "-outform", "DER",
                            stdin=self.private)
        self.record = ("v=DKIM1; k=rsa; p="
                       + base64.b64encode(der).decode())

    @property
    def name(self):
        return f"{self.selector}._domainkey.{self.domain}"

    @staticmethod
    def _openssl(*argv, stdin=b""):
        return subprocess.run(["openssl", *argv], input=stdin, check=True,
                              capture_output=True, timeout=60).stdout


def noise(size, seed=1):
    """Bytes that no compression makes smaller, the same every time."""
    return random.Random(seed).randbytes(size)
