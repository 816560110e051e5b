#!/usr/bin/python3
"""The messages and keys of dkimpy: those that are signed are verified, the
others are signed by dkimpy in every form and then verified, whole and
changed; and every key record of the set is tried.

Needs the python3-dkim package: another implementation's opinion of what
is signed.

SPDX-License-Identifier: BSD-2-Clause
"""

import sys

import auth

try:
    import dkim
except ImportError:
    print("SKIPPED: dkim/dkimpy (1 set): there is no python3-dkim")
    sys.exit(77)

CANONS = [(b"simple", b"simple"), (b"simple", b"relaxed"),
          (b"relaxed", b"simple"), (b"relaxed", b"relaxed")]
FOOTBALL = "football.example.com"


def crlf(raw):
    return raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def results(runner, raw):
    return [signature[0] for signature in runner.scan(raw)[0]]


def result(runner, raw):
    """Of the uppermost signature; test2.message brings one of its own."""
    return results(runner, raw)[0]


def published(runner, directory):
    """The signatures that come with the set."""
    rsa = (directory / "test.txt").read_text().strip()
    records = [
        (f"test._domainkey.{FOOTBALL}", rsa),
        (f"brisbane._domainkey.{FOOTBALL}",
         "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="),
        ("sed._domainkey.test.ex",
         (directory / "eximtest.dns").read_text().strip()),
    ]
    runner.zone(records)
    runner.rules()


def signed_by_dkimpy(runner, count, directory):
    keys = {
        "rsa": ((directory / "test.private").read_bytes(), b"rsa-sha256",
                (directory / "test.txt").read_text().strip()),
        "ed25519": ((directory / "ed25519test.key").read_bytes().strip(),
                    b"ed25519-sha256",
                    (directory / "ed25519test.dns").read_text().strip()),
    }
    for name in ("test.message", "test2.message", "test_extra.message",
                 "rfc6376.msg", "ed25519test.msg"):
        raw = crlf((directory / name).read_bytes())
        for kind, (key, algorithm, record) in keys.items():
            runner.zone([(f"{kind}._domainkey.example.com", record)])
            for canon in CANONS:
                for length in (False, True):
                    label = (f"{name} {kind} "
                             f"{canon[0].decode()}/{canon[1].decode()}"
                             f"{' l=' if length else ''}")
                    signature = dkim.sign(
                        raw, kind.encode(), b"example.com", key,
                        canonicalize=canon, signature_algorithm=algorithm,
                        length=length)
                    whole = signature + raw
                    count.case(label, result(runner, whole), "pass")
                    changed = whole.replace(b"From: ", b"From: x", 1)
                    count.case(label + ", header changed",
                               result(runner, changed), "fail")
                    head, body = whole.split(b"\r\n\r\n", 1)
                    count.case(label + ", body changed",
                               result(runner, head + b"\r\n\r\nx" + body),
                               "fail")


def key_records(runner, count, directory):
    raw = crlf((directory / "test.message").read_bytes())
    signature = dkim.sign(raw, b"test", b"example.com",
                          (directory / "test.private").read_bytes())
    # test_bad.txt has an even exponent: no RSA key.
    for name, want in (
            ("test.txt", "pass"), ("test2.txt", "pass"),
            ("test_bad.txt", "permerror"), ("badversion.txt", "permerror"),
            ("badk.txt", "permerror"), ("test_tlsrpt.txt", "permerror")):
        runner.zone([("test._domainkey.example.com",
                      (directory / name).read_text().strip())])
        count.case(f"key record {name}",
                   result(runner, signature + raw), want)


def main():
    directory = auth.corpora("dkim/dkimpy")
    runner = auth.Runner()
    count = auth.Count("DKIM, dkimpy")
    published(runner, directory)
    count.case("rfc6376.signed.msg", results(
        runner, crlf((directory / "rfc6376.signed.msg").read_bytes())),
        ["pass", "pass"])
    count.case("ed25519test2.msg", results(
        runner, crlf((directory / "ed25519test2.msg").read_bytes())),
        ["pass"])
    signed_by_dkimpy(runner, count, directory)
    key_records(runner, count, directory)
    runner.close()
    count.end(least=248)


if __name__ == "__main__":
    main()
