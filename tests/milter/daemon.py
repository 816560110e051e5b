"""daemon.py - sekimori-milter in a directory of its own, for tests.

The program is taken from SEKIMORI_BUILD, else from the working directory
(where `make check` runs tests).

SPDX-License-Identifier: BSD-2-Clause
"""

import os
import pathlib
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent

sys.dont_write_bytecode = True
sys.path.insert(0, str(HERE.parent / "e2e"))

import milterclient  # noqa: E402  (found by the path above)

# Names below sekimori-test.net, clients in 198.18.0.0/15: no resolver has
# local answers for these.
GOOD = "good.sekimori-test.net"
GOOD_IP = "198.18.0.1"
BAD_IP = "198.18.9.9"
SLOW = "slow.sekimori-test.net"
REJECTING = "reject.sekimori-test.net"
EXPLAINS = "explains.sekimori-test.net"
ZONE = f"""\
{GOOD} TXT "v=spf1 ip4:{GOOD_IP} -all"
_dmarc.{GOOD} TXT "v=DMARC1; p=none"
mx.{GOOD} A {GOOD_IP}
1.0.18.198.in-addr.arpa PTR mx.{GOOD}.
{REJECTING} TXT "v=spf1 ip4:{GOOD_IP} -all"
_dmarc.{REJECTING} TXT "v=DMARC1; p=reject"
{EXPLAINS} TXT "v=spf1 -all exp=why.{EXPLAINS}"
why.{EXPLAINS} TXT "100%% no to %{{i}}"
{SLOW} TIMEOUT
_dmarc.{SLOW} TIMEOUT
"""

DEADLINE_S = 2
START_S = 60


def free_port():
    """A port below those that the kernel gives to outgoing connections."""
    while True:
        port = random.randrange(20000, 32000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


class Redis:
    """A private one, as durable as holds ask for; below directory."""

    INSTALLED = shutil.which("redis-server") is not None

    def __init__(self, directory):
        self.directory = directory
        self.socket = os.path.join(directory, "redis.sock")
        self.process = None
        self.generation = 0

    def start(self):
        self.process = subprocess.Popen(
            ["redis-server", "--port", "0", "--unixsocket", self.socket,
             "--dir", self.directory, "--appendonly", "yes",
             "--appendfsync", "always", "--no-appendfsync-on-rewrite", "no",
             "--maxmemory", "256mb", "--maxmemory-policy", "noeviction",
             "--save", ""],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        until = time.monotonic() + START_S
        while True:
            try:
                if self.run("PING") == b"PONG":
                    return
            except (OSError, AssertionError):  # AssertionError: loading
                pass
            if time.monotonic() > until:
                raise AssertionError("redis does not answer")
            time.sleep(0.02)

    def stop(self, number=signal.SIGTERM):
        if self.process and self.process.poll() is None:
            self.process.send_signal(number)
            self.process.wait()

    def run(self, *words):
        """One command; bytes, int, None or a list comes back."""
        with socket.socket(socket.AF_UNIX) as peer:
            peer.settimeout(60)
            peer.connect(self.socket)
            out = b"*%d\r\n" % len(words)
            for word in words:
                word = word if isinstance(word, bytes) else str(word).encode()
                out += b"$%d\r\n%s\r\n" % (len(word), word)
            peer.sendall(out)
            with peer.makefile("rb") as replies:
                return self._read(replies)

    def _read(self, replies):
        line = replies.readline()
        if not line.endswith(b"\r\n"):
            raise ConnectionResetError("redis went away")
        kind, rest = line[:1], line[1:-2]
        if kind == b"-":
            raise AssertionError(rest.decode())
        if kind == b":":
            return int(rest)
        if kind == b"$":
            return replies.read(int(rest) + 2)[:-2] if rest != b"-1" else None
        if kind == b"*":
            return [self._read(replies) for _ in range(int(rest))]
        return rest

    def put(self, **objects):
        """Settings: {"domain:a.example": {"made": "{}", ...}}, as
        doc/redis-keys.md has them, in one generation."""
        self.generation += 1
        for name, fields in objects.items():
            pairs = [x for pair in fields.items() for x in pair]
            self.run("HSET", "sk:{cfg}:" + name, *pairs)
            self.run("ZADD", "sk:{cfg}:changed", self.generation, name)
        self.run("SET", "sk:{cfg}:secret", b"0123456789abcdef" * 2)
        self.run("SET", "sk:{cfg}:gen", self.generation)
        self.run("PUBLISH", "sk:notice", self.generation)


class Daemon:
    def __init__(self, inet=None, **options):
        """options: of sekimori.conf; inet: a port instead of a socket."""
        self.directory = tempfile.mkdtemp(prefix="sekimori-milter-")
        self.log_path = os.path.join(self.directory, "log")
        self.conf_path = os.path.join(self.directory, "sekimori.conf")
        zone = os.path.join(self.directory, "zone")
        with open(zone, "w", encoding="utf-8") as out:
            out.write(ZONE)
        if inet:
            self.address = f"127.0.0.1:{inet}"
            listen = f"inet:{inet}@127.0.0.1"
        else:
            self.address = os.path.join(self.directory, "milter")
            listen = f"unix:{self.address}"
        self.options = {
            "mode": "observe", "redis": "none", "user": "root",
            "unlisted_domains": "check", "networks": "10.0.0.0/8",
            "authserv_id": "mx.sekimori-test.net",
            "state_dir": self.directory, "run_dir": self.directory,
            "milter_listen": listen, "dns_zone": zone,
            "dns_timeout": f"{DEADLINE_S}s", **options}
        self.write_conf()
        self.process = None

    def write_conf(self, **changes):
        self.options.update(changes)
        with open(self.conf_path, "w", encoding="utf-8") as out:
            for name, value in self.options.items():
                out.write(f'{name} = "{value}"\n')

    def __enter__(self):
        program = os.path.join(os.environ.get("SEKIMORI_BUILD", "."),
                               "sekimori-milter")
        # only a build with -fsanitize=thread reads this
        env = {"TSAN_OPTIONS": f"suppressions={HERE / 'tsan.supp'}",
               **os.environ}
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                [program, "-c", self.conf_path], stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, env=env)
        self.wait_log("started, version", START_S)
        return self

    def __exit__(self, *_):
        try:
            if self.process.poll() is None:
                self.stop()
        finally:
            if self.process.poll() is None:
                self.process.kill()
                self.process.wait()
            shutil.rmtree(self.directory, ignore_errors=True)

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as log:
            return log.read()

    def wait_log(self, text, seconds=60, count=1):
        """Until the log has text that many times."""
        until = time.monotonic() + seconds
        while self.log().count(text) < count:
            if self.process.poll() is not None:
                raise AssertionError(
                    f"ended with {self.process.returncode}:\n{self.log()}")
            if time.monotonic() > until:
                raise AssertionError(f"no '{text}':\n{self.log()}")
            time.sleep(0.02)

    def signal(self, number):
        self.process.send_signal(number)

    def stop(self, seconds=60):
        """TERM; the exit status must be 0."""
        self.signal(signal.SIGTERM)
        status = self.process.wait(seconds)
        if status != 0:
            raise AssertionError(f"ended with {status}:\n{self.log()}")

    def session(self, **options):
        return milterclient.Session(self.address, **options)

    def greeted(self, ip=GOOD_IP, answered=False, **options):
        """A session behind HELO; answered: also in observe mode RCPT is
        answered, so that one knows when it was seen."""
        if answered:
            options["protocol"] = (milterclient.PROTOCOL_ALL
                                   & ~milterclient.NR_RCPT)
        session = self.session(**options)
        session.connect(f"mx.{GOOD}", ip)
        session.helo(f"mx.{GOOD}")
        return session
