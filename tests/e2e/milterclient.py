"""The MTA's side of the milter protocol, version 6, to the byte.

A Session plays one SMTP connection: it negotiates as Postfix does (or as
told), sends each step, waits for an answer only where one is due, and keeps
what the filter changed.  raw() and packet() send anything at any time.

    with Session("127.0.0.1:8895") as mta:
        mta.connect("mx.example.net", "192.0.2.1")
        mta.helo("mx.example.net")
        result = mta.mail("<a@example.net>", ["<b@example.org>"],
                          [("Subject", " x")], b"text\\r\\n")
        print(result.reply, result.headers)

SPDX-License-Identifier: BSD-2-Clause
"""

import socket
import struct

# Actions that a filter may take, all up to SMFIF_SETSYMLIST.
ACTIONS_ALL = 0x1FF

# Protocol bits.
NOEOH = 0x40
NR_HDR = 0x80
NOUNKNOWN = 0x100
NODATA = 0x200
SKIP = 0x400
NR_CONN = 0x1000
NR_HELO = 0x2000
NR_MAIL = 0x4000
NR_RCPT = 0x8000
NR_DATA = 0x10000
NR_UNKN = 0x20000
NR_EOH = 0x40000
NR_BODY = 0x80000
HDR_LEADSPC = 0x100000
PROTOCOL_ALL = 0x1FFFFF

NO_REPLY_BIT = {
    "C": NR_CONN, "H": NR_HELO, "M": NR_MAIL, "R": NR_RCPT, "T": NR_DATA,
    "U": NR_UNKN, "L": NR_HDR, "N": NR_EOH, "B": NR_BODY,
}

# Steps that a filter may do without.
NOT_SENT_BIT = {"T": NODATA, "U": NOUNKNOWN, "N": NOEOH}

CHUNK = 65535


class MilterError(Exception):
    """The filter broke the protocol, or the connection."""


class Result:
    """What came of one message."""

    def __init__(self):
        self.rcpt_replies = []  # one a recipient: "c", or "451 4.3.2 text"
        self.reply = None       # to the end: "c", "a", "d", or "550 ..."
        self.edits = []         # (command letter, fields...)
        self.headers = []       # [name, value] after the edits
        self.deleted = []       # recipients
        self.progress = 0

    def header(self, name):
        """Values of the fields of that name, top first."""
        return [value for key, value in self.headers
                if key.lower() == name.lower()]


def nul(*texts):
    return b"".join((text if isinstance(text, bytes) else text.encode())
                    + b"\0" for text in texts)


class Session:
    def __init__(self, address, actions=ACTIONS_ALL, protocol=PROTOCOL_ALL,
                 timeout=60, negotiate=True):
        """address: "host:port" or the path of a unix socket."""
        self.pending = b""
        self.timeout = timeout
        if address.startswith("/"):
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.settimeout(timeout)
            try:
                self.socket.connect(address)
            except OSError:
                self.socket.close()
                raise
        else:
            host, port = address.rsplit(":", 1)
            self.socket = socket.create_connection((host, int(port)), timeout)
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.protocol = 0
        self.actions = 0
        self.macros = {}
        if negotiate:
            self.negotiate(actions, protocol)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    # ---- packets ----

    def raw(self, data):
        self.socket.sendall(data)

    def packet(self, command, data=b""):
        self.raw(struct.pack(">I", len(data) + 1) + command.encode() + data)

    def read(self):
        """One packet: letter and data."""
        while True:
            if len(self.pending) >= 4:
                size = struct.unpack(">I", self.pending[:4])[0]
                if len(self.pending) >= 4 + size:
                    body = self.pending[4:4 + size]
                    self.pending = self.pending[4 + size:]
                    return chr(body[0]), body[1:]
            more = self.socket.recv(65536)
            if not more:
                raise MilterError("the filter closed the connection")
            self.pending += more

    def silent(self, seconds=0.2):
        """True when nothing comes within that time."""
        if self.pending:
            return False
        self.socket.settimeout(seconds)
        try:
            more = self.socket.recv(65536)
        except (socket.timeout, TimeoutError):
            return True
        finally:
            self.socket.settimeout(self.timeout)
        self.pending += more
        return False

    # ---- steps ----

    def negotiate(self, actions, protocol, version=6):
        self.packet("O", struct.pack(">III", version, actions, protocol))
        command, data = self.read()
        if command != "O" or len(data) < 12:
            raise MilterError(f"negotiation answered with {command!r}")
        self.version, self.actions, self.protocol = struct.unpack(
            ">III", data[:12])
        if self.actions & ~actions or self.protocol & ~protocol:
            raise MilterError("the filter wants what was not offered")
        rest = data[12:]
        while rest:
            stage = struct.unpack(">I", rest[:4])[0]
            names, _, rest = rest[4:].partition(b"\0")
            self.macros[stage] = names.decode()

    def answers(self, command):
        return not self.protocol & NO_REPLY_BIT.get(command, 0)

    def wants(self, command):
        return not self.protocol & NOT_SENT_BIT.get(command, 0)

    def macro(self, command, **names):
        """Macros for a step; name j is {j}, longer ones get braces."""
        if not self.wants(command):
            return
        fields = []
        for name, value in names.items():
            fields += [name if len(name) == 1 else "{%s}" % name, value]
        self.packet("D", command.encode() + nul(*fields))

    def step(self, command, data=b""):
        """Send; the reply as text, or None when none is due.  A step that
        the filter does without is not sent."""
        if not self.wants(command):
            return None
        self.packet(command, data)
        return self.reply() if self.answers(command) else None

    def reply(self, result=None):
        while True:
            command, data = self.read()
            if command == "p":
                if result:
                    result.progress += 1
                continue
            if command == "y":
                return data.rstrip(b"\0").decode()
            if command in "cadrts":
                return command
            if result is None:
                raise MilterError(f"unexpected {command!r}")
            self._edit(result, command, data)

    def connect(self, name="mx.example.net", address="192.0.2.1", port=25,
                **macros):
        macros = {"j": "mta.example.org", "daemon_name": "mta", **macros}
        self.macro("C", **macros)
        if address is None:
            return self.step("C", nul(name) + b"U")
        family = b"6" if ":" in address else b"4"
        return self.step("C", nul(name) + family + struct.pack(">H", port)
                         + nul(address))

    def helo(self, name, **macros):
        self.macro("H", **macros)
        return self.step("H", nul(name))

    def mail_from(self, sender, *params, **macros):
        self.macro("M", **macros)
        return self.step("M", nul(sender, *params))

    def rcpt(self, recipient, *params, **macros):
        self.macro("R", **macros)
        return self.step("R", nul(recipient, *params))

    def data(self, **macros):
        self.macro("T", **macros)
        return self.step("T")

    def header(self, name, value):
        if isinstance(value, str):
            value = value.encode()
        if not self.protocol & HDR_LEADSPC and value[:1] == b" ":
            value = value[1:]
        return self.step("L", nul(name, value.replace(b"\r\n", b"\n")))

    def end_of_header(self):
        return self.step("N")

    def body(self, data):
        for start in range(0, len(data), CHUNK):
            self.step("B", data[start:start + CHUNK])

    def abort(self):
        self.packet("A")

    def quit(self):
        self.packet("Q")

    def leave(self):
        """Quit; when this returns, the filter has let go of the session and
        of a transaction that was aborted."""
        self.quit()
        while self.socket.recv(65536):
            pass

    def end_of_message(self, headers=(), data=b"", **macros):
        result = Result()
        result.headers = [[name, value.decode("latin-1")
                           if isinstance(value, bytes) else value]
                          for name, value in headers]
        self.macro("E", **macros)
        self.packet("E", data)
        result.reply = self.reply(result)
        return result

    def mail(self, sender, recipients, headers, body=b"", params=(),
             queue_id="4QZ1", **macros):
        """A whole message; recipients are addresses or (address, params).

        Those that are refused are left out, as an MTA does; when none is
        left the transaction is aborted and the reply is None."""
        self.mail_from(sender, *params, **macros)
        replies = []
        for recipient in recipients:
            if isinstance(recipient, str):
                recipient = (recipient, ())
            replies.append(self.rcpt(recipient[0], *recipient[1]))
        if not any(reply in ("c", "a", None) for reply in replies):
            self.abort()
            result = Result()
            result.rcpt_replies = replies
            return result
        self.data(i=queue_id)
        for name, value in headers:
            self.header(name, value)
        self.end_of_header()
        self.body(body)
        result = self.end_of_message(headers, i=queue_id)
        result.rcpt_replies = replies
        return result

    # ---- edits ----

    def _edit(self, result, command, data):
        if command == "m":
            index = struct.unpack(">I", data[:4])[0]
            name, value = data[4:].split(b"\0")[:2]
            self._change(result, name.decode(), index, value.decode("latin-1"))
            result.edits.append((command, index, name, value))
        elif command == "i":
            index = struct.unpack(">I", data[:4])[0]
            name, value = data[4:].split(b"\0")[:2]
            result.headers.insert(index, [name.decode(),
                                          value.decode("latin-1")])
            result.edits.append((command, index, name, value))
        elif command == "-":
            result.deleted.append(data.rstrip(b"\0").decode())
            result.edits.append((command, data.rstrip(b"\0")))
        elif command in "+2bhqe":
            result.edits.append((command, data))
        else:
            raise MilterError(f"unknown answer {command!r}")

    @staticmethod
    def _change(result, name, index, value):
        seen = 0
        for i, (key, _) in enumerate(result.headers):
            if key.lower() != name.lower():
                continue
            seen += 1
            if seen != index:
                continue
            if value:
                result.headers[i][1] = value
            else:
                del result.headers[i]
            return
        raise MilterError(f"no field {name} number {index}")
