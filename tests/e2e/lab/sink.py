"""The customers' mail servers: they keep every byte, and misbehave on order.

One Sink has several servers, each at an address of 127.0.0.0/8 and a port.
What a server accepted is a Delivery for each recipient, in order of arrival.

SPDX-License-Identifier: BSD-2-Clause
"""

import dataclasses
import socketserver
import threading
import time

from .process import PATIENCE_S, LabError, free_port, wait_until

COMMAND_MAX = 4096


@dataclasses.dataclass(frozen=True)
class Delivery:
    server: str
    sender: str            # as between the angle brackets
    sender_params: str     # "BODY=8BITMIME SIZE=..."
    rcpt: str
    rcpt_params: str
    content: bytes         # with CRLF, dots unstuffed
    transaction: int       # the same for recipients of one DATA
    when: float            # monotonic

    def header(self):
        head = self.content.partition(b"\r\n\r\n")[0]
        return head if head != self.content else self.content

    def fields(self, name):
        """The values of all fields of this name, top down, unfolded."""
        values, current = [], None
        for line in self.header().split(b"\r\n"):
            if line[:1] in b" \t" and line and current is not None:
                current += line
                continue
            if current is not None:
                values.append(current)
            field, colon, value = line.partition(b":")
            wanted = field.strip().lower() == name.lower().encode()
            current = value.strip() if colon and wanted else None
        if current is not None:
            values.append(current)
        return [v.decode("utf-8", "surrogateescape") for v in values]


class SinkServer:
    """One server.  The four hooks get text or a number and return a reply
    ("450 4.2.0 later"), None to go on as usual, or CLOSE to hang up."""

    CLOSE = "close"

    def __init__(self, sink, name, address, port):
        self.sink, self.name = sink, name
        self.address, self.port = address, port
        self.on_mail = self.on_rcpt = self.on_data = self.on_dot = None
        self.connections = 0
        self._server = None

    @property
    def route(self):
        """As an operator writes it on the command line."""
        return f"[{self.address}]:{self.port}"

    def reset(self):
        self.on_mail = self.on_rcpt = self.on_data = self.on_dot = None

    def up(self):
        if self._server:
            return
        server = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self):
                server.connections += 1
                try:
                    _Session(server, self.rfile, self.wfile).run()
                except (OSError, ValueError) as error:
                    server.sink.errors.append(f"{server.name}: {error!r}")

            timeout = 120

        class Server(socketserver.ThreadingTCPServer):
            allow_reuse_address = True
            daemon_threads = True
            request_queue_size = 200

        self._server = Server((self.address, self.port), Handler)
        threading.Thread(target=self._server.serve_forever,
                         kwargs={"poll_interval": 0.1}, daemon=True).start()

    def down(self):
        """Stop listening: connections are refused."""
        if self._server:
            self._server.shutdown()
            self._server.server_close()
            self._server = None


class _Session:
    """One SMTP session of a server."""

    def __init__(self, server, rfile, wfile):
        self.server, self.rfile, self.wfile = server, rfile, wfile
        self.sender = None
        self.rcpts = []

    def say(self, *lines):
        for line in lines[:-1]:
            self.wfile.write(f"{line[:3]}-{line[4:]}\r\n".encode())
        self.wfile.write(f"{lines[-1]}\r\n".encode())
        self.wfile.flush()

    def ask(self, hook, value):
        """What the test wants here: True when it took over."""
        answer = hook(value) if hook else None
        if answer is None:
            return False
        if answer == SinkServer.CLOSE:
            raise ConnectionError
        self.say(answer)
        return True

    def run(self):
        self.say(f"220 {self.server.name} ESMTP sink")
        commands = {
            b"EHLO": self.ehlo, b"HELO": self.helo, b"MAIL": self.mail,
            b"RCPT": self.rcpt, b"DATA": self.data, b"RSET": self.rset,
            b"NOOP": lambda _: self.say("250 2.0.0 ok"),
        }
        while True:
            line = self.rfile.readline(COMMAND_MAX)
            if not line.endswith(b"\n"):
                raise ValueError(f"not a line: {line!r}")
            verb, _, rest = line.rstrip(b"\r\n").partition(b" ")
            if verb.upper() == b"QUIT":
                self.say("221 2.0.0 bye")
                return
            command = commands.get(verb.upper())
            if command:
                command(rest.decode("utf-8", "surrogateescape"))
            else:
                self.say("502 5.5.1 unknown command")

    def ehlo(self, _):
        self.rset_envelope()
        self.say(f"250 {self.server.name}", "250 PIPELINING",
                 "250 SIZE 209715200", "250 8BITMIME", "250 SMTPUTF8",
                 "250 DSN", "250 ENHANCEDSTATUSCODES")

    def helo(self, _):
        self.rset_envelope()
        self.say(f"250 {self.server.name}")

    def rset_envelope(self):
        self.sender, self.rcpts = None, []

    def rset(self, _):
        self.rset_envelope()
        self.say("250 2.0.0 ok")

    @staticmethod
    def path(rest):
        """'FROM:<a@b> X=Y' -> ('a@b', 'X=Y')"""
        _, _, rest = rest.partition("<")
        address, _, params = rest.rpartition(">")
        return address, params.strip()

    def mail(self, rest):
        self.rset_envelope()
        if not self.ask(self.server.on_mail, self.path(rest)[0]):
            self.sender = self.path(rest)
            self.say("250 2.1.0 ok")

    def rcpt(self, rest):
        if self.sender is None:
            self.say("503 5.5.1 MAIL first")
        elif not self.ask(self.server.on_rcpt, self.path(rest)[0]):
            self.rcpts.append(self.path(rest))
            self.say("250 2.1.5 ok")

    def data(self, _):
        if not self.rcpts:
            self.say("554 5.5.1 no valid recipients")
            return
        if self.ask(self.server.on_data, len(self.rcpts)):
            return
        self.say("354 go ahead")
        pieces = []
        while True:
            line = self.rfile.readline()
            if not line:
                raise ConnectionError("closed within DATA")
            if line == b".\r\n":
                break
            pieces.append(line[1:] if line[:1] == b"." else line)
        content = b"".join(pieces)
        if not self.ask(self.server.on_dot, len(content)):
            self.server.sink.keep(self.server, self.sender, self.rcpts,
                                  content)
            self.say("250 2.0.0 kept")
        self.rset_envelope()


class Sink:
    def __init__(self):
        self.servers = {}
        self.errors = []        # how sessions ended before their QUIT
        self._deliveries = []
        self._transactions = 0
        self._lock = threading.Lock()

    def add(self, name, address, up=True):
        server = SinkServer(self, name, address, free_port(address))
        self.servers[name] = server
        if up:
            server.up()
        return server

    def __getitem__(self, name):
        return self.servers[name]

    def close(self):
        for server in self.servers.values():
            server.down()

    def keep(self, server, sender, rcpts, content):
        with self._lock:
            self._transactions += 1
            for rcpt, params in rcpts:
                self._deliveries.append(Delivery(
                    server.name, sender[0], sender[1], rcpt, params, content,
                    self._transactions, time.monotonic()))

    def deliveries(self, rcpt=None, marker=None):
        """Those to a recipient, whose content has a marker; all by
        default."""
        with self._lock:
            found = list(self._deliveries)
        if rcpt is not None:
            found = [d for d in found if d.rcpt.lower() == rcpt.lower()]
        if marker is not None:
            raw = marker if isinstance(marker, bytes) else marker.encode()
            found = [d for d in found if raw in d.content]
        return found

    def forget(self):
        with self._lock:
            self._deliveries.clear()

    def wait(self, rcpt, marker=None, count=1, seconds=PATIENCE_S):
        """Until count deliveries are there; returns them."""
        try:
            wait_until(lambda: len(self.deliveries(rcpt, marker)) >= count,
                       f"{count} deliveries to {rcpt}", seconds)
        except LabError as error:
            raise LabError(f"{error}; there are "
                           f"{len(self.deliveries(rcpt, marker))}") from None
        return self.deliveries(rcpt, marker)
