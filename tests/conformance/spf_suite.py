#!/usr/bin/env python3
"""spf_suite.py - the openspf test suites as lines that a C program can read.

usage: spf_suite.py FILE.yml

Each scenario is its zone, then its cases; every value is written in
hexadecimal, so that no octet of it can be taken for syntax:

    scenario
    zone NAME TYPE DATA      TYPE: A AAAA MX PTR TXT CNAME TIMEOUT
    case NAME CLIENT HELO MAILFROM RESULT,... EXPLANATION|-

A record of type SPF counts as TXT unless the name has TXT records of its
own, as the suites' description says.

SPDX-License-Identifier: BSD-2-Clause
"""

import sys

import yaml


def hexed(value):
    return "x" + str(value).encode("latin-1").hex()


def text_of(value):
    """Strings of one TXT record are joined without a separator."""
    if isinstance(value, list):
        return "".join(str(part) for part in value)
    return str(value)


def records(entries):
    """(type, data) pairs of one name."""
    has_txt = any(isinstance(e, dict) and "TXT" in e for e in entries)
    for entry in entries:
        if entry == "TIMEOUT":
            yield "TIMEOUT", ""
            continue
        for kind, value in entry.items():
            if kind == "SPF":
                if has_txt:
                    continue
                kind = "TXT"
            if kind == "TXT":
                if value != "NONE":
                    yield kind, text_of(value)
            elif kind == "MX":
                yield kind, "%d %s" % (value[0], value[1])
            else:
                yield kind, str(value)


def main():
    with open(sys.argv[1], encoding="latin-1") as file:
        documents = [d for d in yaml.safe_load_all(file) if d]
    for document in documents:
        print("scenario", hexed(document["description"]))
        for name, entries in (document.get("zonedata") or {}).items():
            for kind, data in records(entries or []):
                print("zone", hexed(name), kind, hexed(data))
        for name, test in document["tests"].items():
            result = test["result"]
            if not isinstance(result, list):
                result = [result]
            explanation = test.get("explanation")
            print("case", hexed(name), hexed(test["host"]),
                  hexed(test["helo"] or ""), hexed(test["mailfrom"] or ""),
                  ",".join(result),
                  "-" if explanation is None else hexed(explanation))


main()
