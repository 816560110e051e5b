#!/usr/bin/env python3
"""test_up.py - `sekimori up`: starts, watches, and leaves nothing running.

SPDX-License-Identifier: BSD-2-Clause
"""

import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "milter"))

from daemon import Redis, free_port     # noqa: E402

BUILD = os.environ.get("SEKIMORI_BUILD", os.getcwd())
PATIENCE_S = 60
CHILDREN = ("redis", "sekimori-milter", "sekimori-web")


def is_there(pid):
    """Running; one that is dead and waits for its parent is not."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def wait_until(question, what):
    until = time.monotonic() + PATIENCE_S
    while not question():
        if time.monotonic() > until:
            raise AssertionError(f"{what}: not within {PATIENCE_S} s")
        time.sleep(0.05)


class Place:
    """A directory with a config; what was started there is ended."""

    def __init__(self, **options):
        self.directory = tempfile.mkdtemp(prefix="sekimori-up.")
        os.chmod(self.directory, 0o711)
        self.state = os.path.join(self.directory, "state")
        self.web_port = free_port()
        self.milter_port = free_port()
        self.options = {
            "user": "nobody",
            "redis_timeout_ms": 20000,
            "state_dir": self.state,
            "run_dir": os.path.join(self.directory, "run"),
            "milter_listen": f"inet:{self.milter_port}@127.0.0.1",
            "socketmap_listen": f"inet:127.0.0.1:{free_port()}",
            "web_listen": f"127.0.0.1:{self.web_port}",
            **options}
        self.config = os.path.join(self.directory, "sekimori.conf")
        with open(self.config, "w", encoding="utf-8") as out:
            for name, value in self.options.items():
                out.write(f'{name} = "{value}"\n')
        self.redis = Redis(self.state)
        self.ups = []

    def command(self, *words):
        return [os.path.join(BUILD, "sekimori"), "-c", self.config, *words]

    def start(self):
        self.ups.append(Up(self, len(self.ups)))
        return self.ups[-1]

    def close(self):
        for up in self.ups:
            up.kill()
        shutil.rmtree(self.directory, ignore_errors=True)


class Up:
    def __init__(self, place, number):
        self.place = place
        self.log = os.path.join(place.directory, f"log.{number}")
        self.out = os.path.join(place.directory, f"out.{number}")
        with open(self.log, "wb") as log, open(self.out, "wb") as out:
            self.process = subprocess.Popen(
                place.command("up", "--json"), stdin=subprocess.DEVNULL,
                stdout=out, stderr=log, start_new_session=True)

    def read(self):
        with open(self.log, encoding="utf-8", errors="replace") as log:
            return log.read()

    def lines(self, pattern):
        return re.findall(pattern, self.read(), re.MULTILINE)

    def pids(self, name):
        """Every process that was this child, in order."""
        return [int(p) for p in
                self.lines(rf"info: {name}: started, process (\d+)$")]

    def ready(self):
        """Until all are up; what was told on standard output."""
        wait_until(lambda: os.path.getsize(self.out) > 0
                   or self.process.poll() is not None, "up")
        if self.process.poll() is not None:
            raise AssertionError(self.read())
        with open(self.out, encoding="utf-8") as out:
            return json.load(out)

    def wait(self):
        return self.process.wait(PATIENCE_S)

    def stop(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        return self.wait()

    def kill(self):
        """What is left of it, whatever went wrong."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def all_pids(self):
        return [pid for name in CHILDREN for pid in self.pids(name)]


@unittest.skipUnless(Redis.INSTALLED, "redis-server is not installed")
class UpTest(unittest.TestCase):
    def place(self, **options):
        place = Place(**options)
        self.addCleanup(place.close)
        return place

    def assert_gone(self, up):
        for pid in up.all_pids():
            wait_until(lambda p=pid: not is_there(p), f"the end of {pid}")

    def connects(self, port):
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    def test_start_and_stop(self):
        place = self.place()
        up = place.start()
        told = up.ready()
        self.assertIn(str(place.web_port), told["url"])
        self.assertEqual(told["user"], "operator")
        self.assertGreater(len(told["password"]), 9)
        self.assertNotIn(told["password"], up.read())
        self.assertTrue(self.connects(place.milter_port))
        self.assertTrue(self.connects(place.web_port))
        for name, value in (("port", b"0"), ("appendonly", b"yes"),
                            ("appendfsync", b"always"),
                            ("maxmemory-policy", b"noeviction")):
            self.assertEqual(place.redis.run("CONFIG", "GET", name)[1], value)
        mode = os.stat(os.path.join(place.state, "redis.sock")).st_mode
        self.assertEqual(mode & 0o077, 0)
        # The tool finds this Redis by the same config.
        done = subprocess.run(
            place.command("domain", "add", "up.example"), check=False,
            capture_output=True, timeout=PATIENCE_S)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(up.stop(), 0)
        self.assert_gone(up)
        ended = up.lines(r"sekimori-up\S* info: (\S+): stopped$")
        self.assertEqual(ended, ["sekimori-milter", "sekimori-web", "redis"])
        self.assertFalse(os.path.exists(os.path.join(place.state,
                                                     "up.notify")))

    def test_interrupt(self):
        up = self.place().start()
        up.ready()
        self.assertEqual(up.stop(signal.SIGINT), 0)
        self.assert_gone(up)

    def test_told_before_ready(self):
        up = self.place().start()
        wait_until(lambda: up.pids("redis") or up.process.poll() is not None,
                   "a start")
        self.assertEqual(up.stop(), 0)
        self.assert_gone(up)

    def test_what_dies_is_started_again(self):
        place = self.place()
        up = place.start()
        up.ready()
        for name in CHILDREN:
            old = up.pids(name)
            ready = len(up.lines(rf"info: {name}: ready$"))
            os.kill(old[-1], signal.SIGKILL)
            wait_until(lambda n=name, r=ready:
                       len(up.lines(rf"info: {n}: ready$")) > r,
                       f"{name} back")
            self.assertNotEqual(up.pids(name), old)
        self.assertTrue(self.connects(place.milter_port))
        self.assertEqual(place.redis.run("PING"), b"PONG")
        self.assertEqual(up.stop(), 0)
        self.assert_gone(up)

    def test_killed_itself(self):
        place = self.place()
        first = place.start()
        first.ready()
        place.redis.run("SET", "kept", "yes")
        first.process.kill()
        first.process.wait()
        self.assert_gone(first)
        # Sockets and the lock file are still there; the data too.
        self.assertTrue(os.path.exists(os.path.join(place.state,
                                                    "redis.sock")))
        second = place.start()
        # The password was told once.
        self.assertIsNone(second.ready()["password"])
        self.assertEqual(place.redis.run("GET", "kept"), b"yes")
        self.assertEqual(second.stop(), 0)
        self.assert_gone(second)

    def test_killed_and_started_at_once(self):
        """The next one waits until the last child of this one is gone."""
        place = self.place()
        first = place.start()
        first.ready()
        first.process.kill()
        second = place.start()
        first.process.wait()
        second.ready()
        self.assertEqual(second.stop(), 0)

    def test_second_start(self):
        place = self.place()
        first = place.start()
        first.ready()
        second = place.start()
        self.assertEqual(second.wait(), 1)
        self.assertRegex(second.read(), "is running there already")
        self.assertEqual(second.all_pids(), [])
        self.assertEqual(place.redis.run("PING"), b"PONG")
        self.assertEqual(first.stop(), 0)

    def test_cannot_start(self):
        """A milter that never comes up is not tried for ever."""
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            up = self.place(milter_listen=f"inet:{port}@127.0.0.1").start()
            self.assertEqual(up.wait(), 1)
        self.assertEqual(len(up.pids("sekimori-milter")), 1)
        self.assert_gone(up)

    def test_bad_config(self):
        place = self.place(web_listen="nonsense")
        up = place.start()
        self.assertEqual(up.wait(), 1)
        self.assertRegex(up.read(), "sekimori.conf:[0-9]+: web_listen")
        self.assertEqual(up.all_pids(), [])

    def test_no_store(self):
        up = self.place(redis="none", mode="observe").start()
        self.assertEqual(up.wait(), 1)
        self.assertRegex(up.read(), "redis = none")

    def test_long_path(self):
        place = self.place()
        deep = os.path.join(place.directory, "x" * 100)
        up_place = self.place(state_dir=deep)
        up = up_place.start()
        self.assertEqual(up.wait(), 1)
        self.assertRegex(up.read(), "too long for a socket")

    def test_other_redis(self):
        """One that the config names is used, and is not ours to stop."""
        place = self.place()
        directory = os.path.join(place.directory, "other")
        os.mkdir(directory)
        os.chmod(directory, 0o777)
        other = Redis(directory)
        other.start()
        self.addCleanup(other.stop)
        os.chmod(other.socket, 0o777)
        with open(place.config, "a", encoding="utf-8") as out:
            out.write(f'redis = "unix:{other.socket}"\n')
        up = place.start()
        up.ready()
        self.assertEqual(up.pids("redis"), [])
        self.assertEqual(up.stop(), 0)
        self.assert_gone(up)
        self.assertEqual(other.run("PING"), b"PONG")


if __name__ == "__main__":
    unittest.main()
