#!/usr/bin/python3
"""test_bench.py - a small run of the measurement, without a clock: that it
still works, and that every result of the milter is right.

SPDX-License-Identifier: BSD-2-Clause
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent

sys.dont_write_bytecode = True
sys.path[:0] = [str(HERE), str(HERE.parent / "milter")]

try:
    import bench  # noqa: E402  (found by the path above)
    import corpus  # noqa: E402
except ImportError as error:
    print(f"skipped: bench, 4: {error} (python3-dkim)")
    sys.exit(77)
import nameserver  # noqa: E402
from daemon import Daemon  # noqa: E402

MAILS = 60
SESSIONS = 8
LOAD_MAILS = 1500
LOAD_SESSIONS = 32


def load(*arguments):
    program = os.path.join(os.environ.get("SEKIMORI_BUILD", "."),
                           "tests/bench/load")
    return subprocess.run([program, *arguments], check=False,
                          capture_output=True)


class Bench(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.scratch = tempfile.TemporaryDirectory(prefix="sekimori-bench-")
        cls.directory = cls.scratch.name
        corpus.make(cls.directory, MAILS, small=True)

    @classmethod
    def tearDownClass(cls):
        cls.scratch.cleanup()

    def path(self, name):
        return os.path.join(self.directory, name)

    def test_all_results_are_right(self):
        with Daemon(dns_zone=self.path("zone")) as daemon:
            done = load("-c", str(SESSIONS), "-i", self.path("index.tsv"),
                        "-o", self.path("out.tsv"), f"unix:{daemon.address}")
        self.assertEqual(done.stderr, b"")
        result = json.loads(done.stdout)
        self.assertEqual(result["messages"], MAILS)
        self.assertEqual(result["verdicts"]["accept"], MAILS)
        self.assertEqual(
            bench.compare(self.directory, self.path("out.tsv")), {})

    def test_load(self):
        """Many at once, for what the sanitizer of threads sees: its
        findings are the daemon's exit status."""
        with Daemon(dns_zone=self.path("zone")) as daemon:
            done = load("-c", str(LOAD_SESSIONS), "-n", str(LOAD_MAILS),
                        "-i", self.path("index.tsv"),
                        f"unix:{daemon.address}")
        self.assertEqual(done.stderr, b"")
        result = json.loads(done.stdout)
        self.assertEqual(result["verdicts"]["accept"], LOAD_MAILS)

    def test_a_wrong_result_is_seen(self):
        with open(self.path("index.tsv"), encoding="ascii") as index:
            names = [os.path.basename(line.split("\t")[0]) for line in index]
        with open(self.path("wrong.tsv"), "w", encoding="ascii") as out:
            for name in names[1:]:
                out.write(f"{name}\taccept\tAuthentication-Results: mx; "
                          "spf=permerror; dkim=permerror\n")
        wrong = bench.compare(self.directory, self.path("wrong.tsv"))
        self.assertEqual(wrong["not answered"], 1)
        self.assertGreaterEqual(sum(wrong.values()), 2 * len(names) - 1)

    def test_nobody_listens(self):
        done = load("-i", self.path("index.tsv"), "-n", "2",
                    "unix:" + self.path("nobody"))
        self.assertEqual(done.returncode, 1)
        self.assertEqual(json.loads(done.stdout)["errors"], 2)

    def test_nameserver(self):
        zone = nameserver.Zone(self.path("zone"))
        cases = (("sekimori-sender00.net", 15, 0, 3),
                 ("SEKIMORI-sender00.net", 1, 0, 1),
                 ("_domainkey.sekimori-sender00.net", 16, 0, 0),
                 ("nothing.sekimori-sender00.net", 16, 3, 0))
        for name, kind, rcode, count in cases:
            with self.subTest(name=name):
                question = (b"\x12\x34\1\0\0\1" + bytes(6)
                            + nameserver.wire_name(name)
                            + bytes((0, kind, 0, 1)))
                reply = zone.reply(question)
                self.assertEqual(reply[:2], b"\x12\x34")
                self.assertEqual(reply[3] & 15, rcode)
                self.assertEqual(reply[7], count)
        self.assertIsNone(zone.reply(b"short"))


if __name__ == "__main__":
    unittest.main()
