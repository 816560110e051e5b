#!/usr/bin/python3
"""Every case of the ARC signing suite (arc/arc-draft-sign-tests.yml).

RSA signatures are the same whoever makes them, so that ours must be theirs
to the octet.  The results that the sealer found are given by the suite.

SPDX-License-Identifier: BSD-2-Clause
"""

import yaml

import auth


def tags(value):
    """{tag: value}, white space taken out of values."""
    pairs = (part.split("=", 1) for part in value.split(";") if part.strip())
    return {name.strip(): "".join(text.split()) for name, text in pairs}


def words(value):
    return " ".join(value.split())


def main():
    suite = auth.corpora("arc") / "arc-draft-sign-tests.yml"
    runner = auth.Runner()
    count = auth.Count("ARC signing")
    for group in yaml.safe_load_all(suite.read_text()):
        records = group.get("txt-records") or {}
        runner.zone((name, text.replace("\n", ""))
                    for name, text in records.items())
        for name, test in group["tests"].items():
            runner.scan(test["message"].encode())
            _, _, results = words(test["AAR"]).partition("; ")
            fields = runner.seal(
                test["t"], group["sel"], group["domain"],
                test["sig-headers"], results or "none",
                group["privatekey"].encode())
            if not test["AS"]:
                count.case(name, fields, {})
                continue
            count.case(name + " AAR", words(fields.get("AAR", "")),
                       words(test["AAR"]))
            for field in ("AMS", "AS"):
                count.case(f"{name} {field}", tags(fields.get(field, "")),
                           tags(test[field]))
    runner.close()
    count.end(least=49)


if __name__ == "__main__":
    main()
