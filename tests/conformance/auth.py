"""What the conformance tests of DKIM and ARC share: the runner, the count.

The corpora are foreign and stay outside the tree; CORPORA says where (by
default ../shared/corpora beside the checkout).  A set that is missing is
named and counted as skipped, and the test ends with 77.

SPDX-License-Identifier: BSD-2-Clause
"""

import os
import pathlib
import subprocess
import sys

TOP = pathlib.Path(__file__).resolve().parents[2]


def corpora(name):
    """The directory of a set; ends the test when it is not there."""
    base = os.environ.get("CORPORA", TOP.parent / "shared" / "corpora")
    path = pathlib.Path(base) / name
    if not path.is_dir():
        print(f"SKIPPED: {name} (1 set): there is no {path}; set CORPORA")
        sys.exit(77)
    return path


class Runner:
    """One `test_auth_suites serve`, fed case by case."""

    def __init__(self):
        program = os.environ.get(
            "AUTH_RUNNER", "tests/conformance/test_auth_suites")
        self.process = subprocess.Popen(
            [program, "serve"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def say(self, line):
        if isinstance(line, str):
            line = line.encode()
        assert b"\n" not in line, line
        self.process.stdin.write(line + b"\n")

    def zone(self, records=(), failures=()):
        """Forget what was there; then (name, text) and (name, status)."""
        self.say("forget")
        for name, text in records:
            if isinstance(text, str):
                text = text.encode()
            self.say(b"txt " + name.encode() + b" " + text)
        for name, status in failures:
            self.say(f"fail {name} {status}")

    def rules(self, sha1=False, bits=1024, tries=10):
        self.say(f"rules {int(sha1)} {bits} {tries}")

    def scan(self, raw):
        """[(result, domain, selector, problem)...], (result, problem)"""
        self.say(f"message {len(raw)}")
        self.process.stdin.write(raw)
        self.process.stdin.flush()
        signatures = []
        arc = None
        while True:
            line = self.process.stdout.readline().decode()
            if not line:
                raise SystemExit("the runner died")
            kind, _, rest = line.rstrip("\n").partition(" ")
            if kind == "end":
                return signatures, arc
            if kind == "dkim":
                signatures.append(tuple(rest.split(" ", 3)))
            elif kind == "arc":
                arc = tuple(rest.split(" ", 1))

    def seal(self, now, selector, domain, names, results, key):
        """{"AAR": value, ...} for the message last scanned, or {}."""
        self.say(f"results {results}")
        self.say(f"seal {now} {selector} {domain} {names} {len(key)}")
        self.process.stdin.write(key)
        self.process.stdin.flush()
        fields = {}
        while True:
            line = self.process.stdout.readline().decode().rstrip("\n")
            if line in ("end", ""):
                return fields
            _, field, value = line.split(" ", 2)
            fields[field] = value

    def close(self):
        self.process.stdin.close()
        if self.process.wait() != 0:
            raise SystemExit("the runner failed")


class Count:
    """Counts cases, tells the wrong ones, decides how the test ends."""

    def __init__(self, what):
        self.what = what
        self.right = 0
        self.wrong = 0
        self.skipped = []

    def case(self, name, got, want, why=""):
        if got == want:
            self.right += 1
            return
        self.wrong += 1
        print(f"WRONG {name}: got {got}, want {want} {why}")

    def skip(self, name, why):
        self.skipped.append((name, why))

    def end(self, least):
        """least: how many cases there must be, so that none gets lost."""
        for name, why in self.skipped:
            print(f"left out {name}: {why}")
        print(f"{self.what}: {self.right} right, {self.wrong} wrong, "
              f"{len(self.skipped)} left out")
        if self.wrong or self.right < least:
            sys.exit(1)
