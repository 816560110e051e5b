#!/usr/bin/python3
"""nameserver.py - answers DNS questions out of corpus.py's zone, over UDP.

    nameserver.py [--delay MS] [--count FILE] ZONE ADDRESS:PORT

--delay: each answer is sent that much later.  --count: the number of
questions stands in that file, always up to date.

SPDX-License-Identifier: BSD-2-Clause
"""

import argparse
import heapq
import os
import re
import select
import socket
import struct
import time

TYPES = {"A": 1, "SOA": 6, "PTR": 12, "MX": 15, "TXT": 16}
CLASS_IN = 1
EDNS = b"\0\0\x29\x10\0\0\0\0\0\0\0"
QR_AA_RA = 0x8480
RD = 0x0100
NXDOMAIN = 3
POINTER_TO_QUESTION = b"\xc0\x0c"


def wire_name(name):
    labels = [label for label in name.encode().split(b".") if label]
    return b"".join(bytes((len(label),)) + label for label in labels) + b"\0"


def wire_data(kind, data):
    if kind == "A":
        return socket.inet_aton(data)
    if kind == "PTR":
        return wire_name(data)
    if kind == "MX":
        preference, name = data.split()
        return struct.pack(">H", int(preference)) + wire_name(name)
    return b"".join(bytes((len(text),)) + text.encode()
                    for text in re.findall(r'"([^"]*)"', data))


class Zone:
    """Of each name and type the answer section, made beforehand."""

    def __init__(self, path):
        self.answers = {}
        self.names = set()
        ttl = 0
        with open(path, encoding="ascii") as lines:
            for line in lines:
                name, kind, *data = line.rstrip("\n").split(" ", 2)
                if name == "$TTL":
                    ttl = int(kind)
                else:
                    self.add(name.lower(), kind, data[0], ttl)
        self.soa = (b"\0" + struct.pack(">HHIH", TYPES["SOA"], CLASS_IN, ttl,
                                        22) + b"\0\0"
                    + struct.pack(">IIIII", 1, 3600, 600, 86400, ttl))

    def add(self, name, kind, data, ttl):
        data = wire_data(kind, data)
        key = wire_name(name), TYPES[kind]
        count, answer = self.answers.get(key, (0, b""))
        answer += POINTER_TO_QUESTION + struct.pack(
            ">HHIH", TYPES[kind], CLASS_IN, ttl, len(data)) + data
        self.answers[key] = count + 1, answer
        labels = name.rstrip(".").split(".")
        for n in range(len(labels)):
            self.names.add(wire_name(".".join(labels[n:])))

    def reply(self, question):
        """None when it is no question."""
        end = question.find(b"\0", 12) + 5
        if len(question) < 17 or end < 17 or end > len(question):
            return None
        flags, = struct.unpack(">H", question[2:4])
        name = question[12:end - 4].lower()
        kind, = struct.unpack(">H", question[end - 4:end - 2])
        count, answer = self.answers.get((name, kind), (0, b""))
        missing = 0 if name in self.names else NXDOMAIN
        edns = EDNS if len(question) > end else b""
        head = question[:2] + struct.pack(
            ">HHHHH", QR_AA_RA | (flags & RD) | missing, 1, count,
            0 if count else 1, 1 if edns else 0)
        return (head + question[12:end] + (answer if count else self.soa)
                + edns)


class Server:
    def __init__(self, zone, address, delay_s, count_path):
        self.zone = zone
        self.delay_s = delay_s
        self.later = []
        self.count = 0
        self.count_fd = os.open(count_path, os.O_WRONLY | os.O_CREAT) \
            if count_path else -1
        host, port = address.rsplit(":", 1)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        self.socket.bind((host, int(port)))

    def serve_one(self):
        question, peer = self.socket.recvfrom(4096)
        reply = self.zone.reply(question)
        if reply is None:
            return
        self.count += 1
        if self.count_fd >= 0:
            os.pwrite(self.count_fd, b"%12d\n" % self.count, 0)
        if self.delay_s:
            heapq.heappush(self.later, (time.monotonic() + self.delay_s,
                                        self.count, reply, peer))
        else:
            self.socket.sendto(reply, peer)

    def serve(self):
        while True:
            now = time.monotonic()
            while self.later and self.later[0][0] <= now:
                _, _, reply, peer = heapq.heappop(self.later)
                self.socket.sendto(reply, peer)
            wait = self.later[0][0] - now if self.later else None
            if select.select([self.socket], [], [], wait)[0]:
                self.serve_one()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--delay", type=float, default=0)
    parser.add_argument("--count")
    parser.add_argument("zone")
    parser.add_argument("address")
    options = parser.parse_args()
    Server(Zone(options.zone), options.address, options.delay / 1000,
           options.count).serve()


if __name__ == "__main__":
    main()
