"""A private Redis on a unix socket, as durable as the product asks for.

SPDX-License-Identifier: BSD-2-Clause
"""

import os
import socket

from .process import (PATIENCE_S, LabError, Process, can_connect,
                      wait_until)

CONFIG = """\
port 0
unixsocket {socket}
unixsocketperm 777
dir {data}
appendonly yes
appendfsync always
no-appendfsync-on-rewrite no
maxmemory 1gb
maxmemory-policy noeviction
save ""
loglevel notice
"""


class Redis:
    def __init__(self, guard, directory):
        self._guard = guard
        self.directory = directory
        self.socket = os.path.join(directory, "redis.sock")
        self.log = os.path.join(directory, "redis.log")
        self.process = None
        data = os.path.join(directory, "redis")
        os.makedirs(data)
        self._config = os.path.join(directory, "redis.conf")
        with open(self._config, "w", encoding="utf-8") as out:
            out.write(CONFIG.format(socket=self.socket, data=data))

    @property
    def url(self):
        return "unix:" + self.socket

    def start(self):
        if os.path.exists(self.socket):
            os.unlink(self.socket)
        self.process = Process(
            self._guard, "redis", ["redis-server", self._config], self.log)

        def ready():
            if not self.process.alive():
                raise LabError("redis ended: see " + self.log)
            return can_connect(self.socket) and self._loaded()

        wait_until(ready, "redis")

    def _loaded(self):
        try:
            return self.run("PING") == "PONG"
        except (LabError, OSError):
            return False

    def stop(self):
        if self.process:
            self.process.stop()
            self.process = None

    def kill(self):
        if self.process:
            self.process.kill()
            self.process = None

    def run(self, *words):
        """One command; strings come back as text, undecodable as bytes."""
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(PATIENCE_S)
            s.connect(self.socket)
            out = b"*%d\r\n" % len(words)
            for word in words:
                raw = word if isinstance(word, bytes) else str(word).encode()
                out += b"$%d\r\n%s\r\n" % (len(raw), raw)
            s.sendall(out)
            with s.makefile("rb") as replies:
                return self._reply(replies)

    def _reply(self, replies):
        line = replies.readline()
        kind, rest = line[:1], line[1:].strip()
        if kind == b"+":
            return rest.decode()
        if kind == b"-":
            raise LabError("redis: " + rest.decode())
        if kind == b":":
            return int(rest)
        if kind == b"$":
            if rest == b"-1":
                return None
            raw = replies.read(int(rest) + 2)[:-2]
            try:
                return raw.decode()
            except UnicodeDecodeError:
                return raw
        if kind == b"*":
            if rest == b"-1":
                return None
            return [self._reply(replies) for _ in range(int(rest))]
        raise LabError(f"redis: closed or nonsense: {line!r}")
