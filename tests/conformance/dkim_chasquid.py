#!/usr/bin/python3
"""The DKIM cases of chasquid, signature by signature.

SPDX-License-Identifier: BSD-2-Clause
"""

import json

import auth

# Its words for what became of a signature, in those of RFC 8601.
STATES = {
    "SUCCESS": {"pass"},
    "TEMPFAIL": {"temperror"},
    "PERMFAIL": {"permerror", "fail"},
}


def read_zone(path):
    records, failures = [], []
    if not path.exists():
        return records, failures
    for line in path.read_text().replace("\\\n", "").splitlines():
        name, _, text = line.partition(": ")
        text = " ".join(text.split())
        if text == "TEMPERROR":
            failures.append((name, "servfail"))
        elif text == "PERMERROR":
            failures.append((name, "nxdomain"))
        elif text:
            records.append((name, text))
    return records, failures


def main():
    directory = auth.corpora("dkim/chasquid")
    runner = auth.Runner()
    count = auth.Count("DKIM, chasquid")
    for message in sorted(directory.glob("*.msg")):
        runner.zone(*read_zone(message.with_suffix(".dns")))
        # It looks at no more than five signatures.
        runner.rules(tries=5)
        raw = message.read_bytes().replace(b"\n", b"\r\n")
        signatures, _ = runner.scan(raw)
        result = message.with_suffix(".result")
        want = json.loads(result.read_text())["Results"] \
            if result.exists() else []
        count.case(f"{message.stem}: how many", len(signatures), len(want))
        for number, (got, expected) in enumerate(zip(signatures, want), 1):
            count.case(f"{message.stem}: signature {number}",
                       got[0] in STATES[expected["State"]], True, got)
            if expected["Domain"]:
                count.case(f"{message.stem}: domain {number}",
                           got[1:3],
                           (expected["Domain"], expected["Selector"]))
    runner.close()
    count.end(least=11)


if __name__ == "__main__":
    main()
