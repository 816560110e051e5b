#!/usr/bin/env python3
"""test_from_peer.py - From values made by the grammar of RFC 5322.

Each value is built from the grammar, so the addresses in it are known; our
parser must find exactly these.  The same values are given to the parser of
Python's email package: where it finds what was built in, it agrees with
us; the count is printed and must not fall, as that would say that the
values no longer are what they claim to be.

SPDX-License-Identifier: BSD-2-Clause
"""
import os
import random
import subprocess
import sys
from email import policy
from email._header_value_parser import get_address_list

VALUES = 20000
ATEXT = "abcXYZ019!#$%&'*+-/=?^_`{|}~"
WORDS = ["a", "John", "Doe", "x-y", "O'Neill", "q"]
DOMAINS = ["example.net", "Mail.Example.ORG", "a.b.c.example", "x_y.example"]


class Maker:
    """Makes one value and remembers the addresses it put in."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.keys = []

    def pick(self, *choices):
        return self.random.choice(choices)

    def chance(self, percent):
        return self.random.randrange(100) < percent

    def comment(self, depth=0):
        parts = []
        for _ in range(self.random.randrange(3)):
            parts.append(self.pick("word", "a@b.example", "<c@d>", ",", ";",
                                   ":", '"', "\\)", "\\(", "\\\\", " "))
        if depth < 3 and self.chance(20):
            parts.append(self.comment(depth + 1))
        return "(" + "".join(parts) + ")"

    def cfws(self, needed=False):
        out = " " if needed else ""
        while self.chance(15):
            out += self.pick(" ", "\t", "\r\n ", " \r\n\t", self.comment())
        return out

    def atom(self):
        if self.chance(60):
            return self.pick(*WORDS)
        return "".join(self.random.choice(ATEXT)
                       for _ in range(self.random.randrange(1, 9)))

    def quoted(self):
        """A quoted string and the text it stands for; never empty."""
        text = self.pick("a", "x y", "Doe, J.", "c@d.example", "<e@f>",
                         'q"q', "b\\b", "(g)", "h;i:")
        shown = text.replace("\\", "\\\\").replace('"', '\\"')
        return '"' + shown + '"', text

    def local(self):
        shown, text = "", ""
        for i in range(self.random.randrange(1, 4)):
            if i > 0:
                shown += self.cfws() + "." + self.cfws()
                text += "."
            if self.chance(20):
                one, plain = self.quoted()
            else:
                one = plain = self.atom()
            shown += one
            text += plain
        return shown, text

    def domain(self):
        if self.chance(10):
            return "[192.0.2.1]", "[192.0.2.1]"
        name = self.pick(*DOMAINS)
        shown = name
        if self.chance(20):
            shown = ".".join(self.cfws() + label + self.cfws()
                             for label in name.split("."))
        return shown, name.lower()

    def addr_spec(self):
        local, text = self.local()
        domain, name = self.domain()
        self.keys.append(text.lower() + "@" + name)
        return (self.cfws() + local + self.cfws() + "@" + self.cfws() +
                domain + self.cfws())

    def route(self):
        hops = [self.pick(*DOMAINS) for _ in range(self.random.randrange(1, 3))]
        return ",".join("@" + hop for hop in hops) + ":"

    def phrase(self):
        out = []
        for _ in range(self.random.randrange(1, 4)):
            out.append(self.pick(self.atom(), self.quoted()[0], "J.",
                                 "=?utf-8?Q?J=C3=B6rg?=",
                                 "=?iso-2022-jp?B?GyRCRnxLXBsoQg==?="))
        return self.cfws(True).join(out)

    def mailbox(self):
        if self.chance(40):
            return self.addr_spec()
        out = self.cfws()
        if self.chance(70):
            out += self.phrase() + self.cfws(True)
        out += "<"
        if self.chance(10):
            out += self.route()
        return out + self.addr_spec() + ">" + self.cfws()

    def address(self):
        if not self.chance(15):
            return self.mailbox()
        out = self.cfws() + self.phrase() + self.cfws() + ":"
        out += ",".join(self.mailbox()
                        for _ in range(self.random.randrange(1, 3)))
        return out + ";" + self.cfws()

    def value(self):
        out = " " + ",".join(self.address()
                             for _ in range(self.random.randrange(1, 4)))
        return out


def peer_keys(value):
    """What Python's parser finds, or None when it gives up."""
    try:
        unfolded = value.replace("\r\n", "")
        found = get_address_list(unfolded)[0]
        return [(box.local_part + "@" + box.domain).lower()
                for box in found.all_mailboxes]
    except Exception:  # pylint: disable=broad-except
        return None


def main():
    program = os.path.join(os.environ.get("BUILDDIR", "."),
                           "tests/mail/from_keys")
    made = []
    for seed in range(VALUES):
        maker = Maker(seed)
        made.append((maker.value(), maker.keys))
    stdin = b"".join(b"%d\n%s" % (len(value.encode()), value.encode())
                     for value, _ in made)
    answer = subprocess.run([program], input=stdin, check=True,
                            stdout=subprocess.PIPE).stdout.decode()
    wrong = agrees = asked = 0
    for (value, keys), line in zip(made, answer.split("\n")):
        if line.split("\t") != ["ok"] + keys:
            wrong += 1
            if wrong <= 10:
                print("value %r\n  built %r\n  found %r" % (value, keys, line))
        if asked < 3000:
            asked += 1
            agrees += peer_keys(value) == keys
    print("%d values, %d wrong; Python agrees on %d of the first %d" %
          (len(made), wrong, agrees, asked))
    return 1 if wrong > 0 or agrees * 10 < asked * 8 else 0


if __name__ == "__main__":
    sys.exit(main())
