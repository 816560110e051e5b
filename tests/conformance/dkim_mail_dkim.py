#!/usr/bin/python3
"""The messages of mail-dkim, twice: by today's rules and by those of 2007.

Today (RFC 8301) all but the Ed25519 ones use what a verifier must not
accept.  With sha1 and short keys allowed each must come out as the set
itself says, but for what RFC 6376 has changed since: a signature without
v=1 is none, g= in a key means nothing, DomainKeys are not read.

SPDX-License-Identifier: BSD-2-Clause
"""

import auth

# Refused by the set for g= alone (RFC 6376 section 3.6.1 has no g=).
G_TAG = {"badkey_8.txt", "badkey_9.txt", "badkey_12.txt", "badkey_13.txt"}


def read_zone(path):
    records, failures = [], []
    for line in path.read_text().splitlines():
        name, _, text = line.strip().partition(" ")
        text = text.strip()
        if not name or name.startswith("#") or text == "NXDOMAIN":
            continue
        if text.startswith("~~"):
            failures.append((name, "servfail"))
        else:
            records.append((name, text))
    return records, failures


def wanted(row, legacy):
    """Must the message have a signature that passes?"""
    name, upstream, _, _, kinds, algorithms, _, versions = row
    if "1" not in versions.split(","):
        return False
    if not legacy and "rsa" in algorithms:
        return False
    return upstream == "pass" or name in G_TAG


def main():
    directory = auth.corpora("dkim/mail-dkim")
    runner = auth.Runner()
    count = auth.Count("DKIM, mail-dkim")
    runner.zone(*read_zone(directory / "FAKE_DNS.dat"))
    table = (directory / "expected.tsv").read_text().splitlines()[1:]
    for row in (line.split("\t") for line in table):
        raw = (directory / "corpus" / row[0]).read_bytes()
        if "DomainKey" in row[4]:
            # RFC 4870, long obsolete: no DKIM signature at all.
            count.case(row[0], runner.scan(raw)[0], [])
            continue
        for legacy in (False, True):
            runner.rules(sha1=legacy, bits=512 if legacy else 1024)
            signatures, _ = runner.scan(raw)
            results = [signature[0] for signature in signatures]
            count.case(f"{row[0]}{' (legacy)' if legacy else ''}",
                       "pass" in results, wanted(row, legacy), signatures)
    runner.close()
    count.end(least=141)


if __name__ == "__main__":
    main()
