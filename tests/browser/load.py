#!/usr/bin/python3
"""Does looking at pages slow mail down?

    SEKIMORI_BUILD=build /usr/bin/python3 tests/browser/load.py

A laboratory with some held mail; a steady flow of mail through the milter,
and beside it, in turns, nothing and 64 people at their browsers, each of
whom opens one page after the other with a pause for reading.  Quiet and
busy rounds alternate, so that what else the machine does meets both.  Told
is the time from the end of a message to the reply.

SPDX-License-Identifier: BSD-2-Clause
"""

import argparse
import os
import pathlib
import random
import statistics
import sys
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.dont_write_bytecode = True
sys.path[:0] = [str(HERE), str(HERE.parent / "e2e")]

import milterclient                     # noqa: E402
from lab.mails import Mail              # noqa: E402
from lab.web import Web                 # noqa: E402
from lab.world import SENDERS, SHOP     # noqa: E402
from stage import TARO, Stage, some_history     # noqa: E402

BODY = b"".join(b"This is line %d of an ordinary mail.\r\n" % n
                for n in range(200))


class Flow(threading.Thread):
    """One SMTP session that sends a mail, waits, and sends the next."""

    def __init__(self, port, pause_s):
        super().__init__(daemon=True)
        self.port, self.pause_s = port, pause_s
        self.times = []
        self.going = True

    def run(self):
        sender = SENDERS["partner"]
        mail = Mail(f"info@{sender.domain}", TARO, "Load", BODY)
        mail.sign(sender.key)
        head, body = mail.build().split(b"\r\n\r\n", 1)
        fields = []
        for line in head.decode().split("\r\n"):
            if line[0] in " \t":
                name, value = fields.pop()
                fields.append((name, value + "\n" + line))
            else:
                name, _, value = line.partition(":")
                fields.append((name, value))
        with milterclient.Session(f"127.0.0.1:{self.port}") as session:
            session.connect(sender.host, sender.ip)
            session.helo(sender.host)
            while self.going:
                session.mail_from(f"<info@{sender.domain}>")
                session.rcpt(f"<{TARO}>")
                session.data()
                for name, value in fields:
                    session.header(name, value)
                session.end_of_header()
                session.body(body)
                begun = time.monotonic()
                session.end_of_message(headers=fields)
                self.times.append((begun, time.monotonic() - begun))
                time.sleep(self.pause_s)


class Reader(threading.Thread):
    """One at a browser.  The session is shared: it is pages that count."""

    def __init__(self, web, paths, pause_s):
        super().__init__(daemon=True)
        self.web = Web(web.port)
        self.web.cookies = dict(web.cookies)
        self.paths, self.pause_s = paths, pause_s
        self.reading = threading.Event()
        self.times, self.wrong = [], 0
        self.going = True

    def run(self):
        while self.going:
            self.reading.wait()
            time.sleep(random.uniform(0, 2 * self.pause_s))
            if not self.reading.is_set() or not self.going:
                continue
            begun = time.monotonic()
            status, _ = self.web.page(random.choice(self.paths))
            self.times.append(time.monotonic() - begun)
            self.wrong += status != 200


def quantile(values, part):
    values = sorted(values)
    return values[min(len(values) - 1, int(len(values) * part))]


def describe(name, values):
    print(f"{name:24} {len(values):6}  mean "
          f"{statistics.mean(values) * 1000:7.2f} ms  median "
          f"{statistics.median(values) * 1000:7.2f}  p95 "
          f"{quantile(values, 0.95) * 1000:7.2f}  p99 "
          f"{quantile(values, 0.99) * 1000:7.2f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--browsers", type=int, default=64)
    parser.add_argument("--pause", type=float, default=3.0,
                        help="seconds that one page is read")
    parser.add_argument("--sessions", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--round-seconds", type=float, default=8)
    options = parser.parse_args()
    with Stage() as stage:
        some_history(stage)
        entry, _ = stage.spam("to look at")
        paths = ["/overview", f"/quarantine?domain={SHOP}",
                 f"/quarantine/{entry['id']}", f"/log?domain={SHOP}",
                 f"/lists?domain={SHOP}", f"/domains/{SHOP}"]
        readers = [Reader(stage.client, paths, options.pause)
                   for _ in range(options.browsers)]
        flows = [Flow(stage.lab.sekimori.milter_port, 0.05)
                 for _ in range(options.sessions)]
        for thread in readers + flows:
            thread.start()
        time.sleep(2)       # caches fill
        spans = []
        for number in range(2 * options.rounds):
            busy = number % 2 == 1
            for reader in readers:
                (reader.reading.set if busy else reader.reading.clear)()
            time.sleep(1)   # what was begun before ends
            begun = time.monotonic()
            time.sleep(options.round_seconds)
            spans.append((busy, begun, time.monotonic()))
        for thread in flows + readers:
            thread.going = False
        for reader in readers:
            reader.reading.set()
        for thread in flows + readers:
            thread.join()
        mails = {busy: [took for flow in flows for at, took in flow.times
                        if any(b == busy and start <= at < end
                               for b, start, end in spans)]
                 for busy in (False, True)}
        pages = [took for reader in readers for took in reader.times]
        wrong = sum(reader.wrong for reader in readers)
    seconds = options.rounds * (options.round_seconds + 1)
    describe("mail, nobody looks", mails[False])
    describe(f"mail, {options.browsers} browsers", mails[True])
    describe("pages", pages)
    print(f"pages a second: {len(pages) / seconds:.1f}, not answered well: "
          f"{wrong}")
    for name, of in (("median", statistics.median), ("mean", statistics.mean)):
        ratio = of(mails[True]) / of(mails[False])
        print(f"{name} with browsers to without: {ratio:.3f}")
    return 1 if wrong else 0


if __name__ == "__main__":
    os.environ.setdefault("SEKIMORI_BUILD", os.getcwd())
    sys.exit(main())
