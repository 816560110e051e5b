"""Child processes that are always ended by their process id.

SPDX-License-Identifier: BSD-2-Clause
"""

import os
import random
import signal
import socket
import subprocess
import sys
import time

from . import guard


# How long anything that must happen may take: only a fault reaches it.  No
# test may depend on how fast the machine is.
PATIENCE_S = 90


class LabError(Exception):
    """Something of the laboratory did not come up or did not answer."""


class Guard:
    """Our end of guard.py; see there."""

    def __init__(self):
        self._process = subprocess.Popen(
            [sys.executable, guard.__file__], stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            start_new_session=True, text=True)

    def _say(self, line):
        try:
            self._process.stdin.write(line + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            pass

    def child(self, pid):
        self._say(f"child {pid} {guard.start_time(pid)}")

    def ended(self, pid):
        self._say(f"ended {pid}")

    def directory(self, path):
        self._say(f"directory {path}")

    def done(self):
        self._say("done")
        self._process.stdin.close()
        self._process.wait(PATIENCE_S)


class Process:
    """A program in the foreground, leader of a group, log into a file."""

    def __init__(self, guard_, name, argv, log, env=None, cwd=None):
        self.name = name
        self.log = log
        self._guard = guard_
        with open(log, "ab") as out:
            self.popen = subprocess.Popen(
                argv, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                start_new_session=True, cwd=cwd,
                env=None if env is None else {**os.environ, **env})
        self.pid = self.popen.pid
        guard_.child(self.pid)

    def alive(self):
        return self.popen.poll() is None

    def signal(self, signum):
        if self.alive():
            os.kill(self.pid, signum)

    def stop(self, patience_s=30):
        """TERM, then KILL; returns the exit status."""
        self.signal(signal.SIGTERM)
        try:
            self.popen.wait(patience_s)
        except subprocess.TimeoutExpired:
            self.signal(signal.SIGKILL)
        return self._reap()

    def kill(self):
        """As a power failure would: no time for last words."""
        self.signal(signal.SIGKILL)
        return self._reap()

    def wait(self, seconds):
        """The exit status, None when it is still running."""
        try:
            self.popen.wait(seconds)
        except subprocess.TimeoutExpired:
            return None
        return self._reap()

    def _reap(self):
        status = self.popen.wait()
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            pass
        self._guard.ended(self.pid)
        return status


def free_port(address="127.0.0.1", taken=set()):
    """A port below those that the kernel gives to outgoing connections,
    so that nobody gets it before our server does."""
    for _ in range(1000):
        port = random.randrange(20000, 32000)
        if port in taken:
            continue
        with socket.socket() as probe:
            try:
                probe.bind((address, port))
            except OSError:
                continue
        taken.add(port)
        return port
    raise LabError("no free port")


def wait_until(question, what, seconds=PATIENCE_S):
    """Ask until the answer is true; returns it."""
    deadline = time.monotonic() + seconds
    while True:
        answer = question()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise LabError(f"{what}: not within {seconds:.0f} s")
        time.sleep(0.03)


def can_connect(address):
    """address: (host, port), or the path of a unix socket."""
    family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
    with socket.socket(family) as probe:
        probe.settimeout(10)
        try:
            probe.connect(address)
        except OSError:
            return False
    return True


def wait_listening(process, address):
    """Until the process answers at the address; its log when it died."""

    def answers():
        if not process.alive():
            raise LabError(f"{process.name} ended with status "
                           f"{process.popen.returncode}:\n"
                           f"{tail(process.log)}")
        return can_connect(address)

    wait_until(answers, f"{process.name} listening at {address}")


def tail(path, lines=30):
    try:
        with open(path, encoding="utf-8", errors="replace") as log:
            return "".join(log.readlines()[-lines:])
    except OSError:
        return ""
