"""An SMTP client that says exactly what it is told, and XCLIENT.

smtplib mends line ends and hides replies; tests of a mail filter must not.

SPDX-License-Identifier: BSD-2-Clause
"""

import dataclasses
import socket

from .process import PATIENCE_S


@dataclasses.dataclass(frozen=True)
class Reply:
    code: int
    text: str     # the lines joined by " / ", without code

    @property
    def ok(self):
        return 200 <= self.code < 400

    @property
    def temporary(self):
        return 400 <= self.code < 500

    @property
    def permanent(self):
        return 500 <= self.code < 600

    def __str__(self):
        return f"{self.code} {self.text}"


class Client:
    """A session.  Addresses may be any text; UTF-8 goes out as it is."""

    def __init__(self, address, timeout=PATIENCE_S, source=None):
        self._socket = socket.create_connection(
            address, timeout, (source, 0) if source else None)
        self._replies = self._socket.makefile("rb")
        self.greeting = self.read()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def read(self):
        lines = []
        while True:
            line = self._replies.readline()
            if not line:
                raise ConnectionError("server hung up" + (
                    " after: " + " / ".join(lines) if lines else ""))
            lines.append(line[4:].decode("utf-8", "replace").rstrip())
            if line[3:4] != b"-":
                return Reply(int(line[:3]), " / ".join(lines))

    def write(self, raw):
        self._socket.sendall(raw)

    def command(self, line):
        self.write(line.encode("utf-8", "surrogateescape") + b"\r\n")
        return self.read()

    def ehlo(self, name):
        return self.command(f"EHLO {name}")

    def xclient(self, address, helo, name="[UNAVAILABLE]"):
        """From here on the session is this client's; the greeting again."""
        if ":" in address:
            address = "IPV6:" + address
        return self.command(f"XCLIENT NAME={name} ADDR={address} "
                            f"PORT=12345 HELO={helo} PROTO=ESMTP")

    def mail(self, sender, params=""):
        return self.command(f"MAIL FROM:<{sender}> {params}".rstrip())

    def rcpt(self, rcpt, params=""):
        return self.command(f"RCPT TO:<{rcpt}> {params}".rstrip())

    def data(self, content):
        """DATA and the content; the reply to the final dot, or to DATA."""
        go = self.command("DATA")
        if go.code != 354:
            return go
        self.send_content(content)
        return self.read()

    def send_content(self, content):
        stuffed = content.replace(b"\r\n.", b"\r\n..")
        if stuffed.startswith(b"."):
            stuffed = b"." + stuffed
        if not stuffed.endswith(b"\r\n"):
            stuffed += b"\r\n"
        self.write(stuffed + b".\r\n")

    def close(self):
        """QUIT if the server still listens, and hang up."""
        try:
            self._socket.settimeout(5)
            self.write(b"QUIT\r\n")
            self.read()
        except (OSError, ValueError):
            pass
        self.abort()

    def abort(self):
        """Hang up without a word."""
        try:
            self._replies.close()
        finally:
            self._socket.close()


@dataclasses.dataclass
class Result:
    """What became of one mail in SMTP."""

    mail: Reply = None
    rcpts: dict = dataclasses.field(default_factory=dict)
    data: Reply = None       # None: never got that far

    def reply_for(self, rcpt):
        """The reply that decided for this recipient."""
        if self.mail and not self.mail.ok:
            return self.mail
        own = self.rcpts.get(rcpt)
        return own if own and not own.ok else self.data

    def accepted(self, rcpt):
        reply = self.reply_for(rcpt)
        return bool(reply and reply.ok)


def send(address, content, sender, rcpts, client=None, helo="client.invalid",
         sender_params="", timeout=PATIENCE_S, source=None):
    """One mail in a session of its own.  client: address for XCLIENT;
    source: address to connect from."""
    result = Result()
    with Client(address, timeout, source) as session:
        session.ehlo(helo)
        if client:
            session.xclient(client, helo)
            session.ehlo(helo)
        result.mail = session.mail(sender, sender_params)
        if not result.mail.ok:
            return result
        for rcpt in rcpts:
            result.rcpts[rcpt] = session.rcpt(rcpt)
        if any(reply.ok for reply in result.rcpts.values()):
            result.data = session.data(content)
    return result
