"""DNS data of our own: the file that the option dns_zone names.

Lines are `name [ttl] TYPE data`; see doc/dns-zone.md.

SPDX-License-Identifier: BSD-2-Clause
"""


class Zone:
    def __init__(self):
        self._lines = []

    def add(self, name, kind, data):
        self._lines.append(f"{name}. {kind} {data}")

    def txt(self, name, text):
        """Long text is cut into strings of 255 octets, as DNS has it."""
        strings = [text[i:i + 255] for i in range(0, len(text), 255)] or [""]
        quoted = " ".join(
            '"' + s.replace("\\", "\\\\").replace('"', '\\"') + '"'
            for s in strings)
        self.add(name, "TXT", quoted)

    def host(self, name, address):
        """A name with its address and back."""
        self.add(name, "A", address)
        reverse = ".".join(reversed(address.split(".")))
        self.add(f"{reverse}.in-addr.arpa", "PTR", f"{name}.")

    def broken(self, name, how="SERVFAIL"):
        """SERVFAIL or TIMEOUT for every question about the name."""
        self.add(name, how, "")

    def write(self, path):
        with open(path, "w", encoding="utf-8") as out:
            out.write("; made by the laboratory\n")
            for line in self._lines:
                out.write(line.rstrip() + "\n")
