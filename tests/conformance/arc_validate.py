#!/usr/bin/python3
"""Every case of the ARC validation suite (arc/arc-validation-dev.yml).

SPDX-License-Identifier: BSD-2-Clause
"""

import yaml

import auth


def main():
    suite = auth.corpora("arc") / "arc-validation-dev.yml"
    runner = auth.Runner()
    count = auth.Count("ARC validation")
    for group in yaml.safe_load_all(suite.read_text()):
        runner.zone((group.get("txt-records") or {}).items())
        for name, test in group["tests"].items():
            _, (result, problem) = runner.scan(test["message"].encode())
            if not test["cv"]:
                count.skip(name, f"no expectation, got {result}")
                continue
            count.case(name, result, test["cv"].lower(), problem)
    runner.close()
    count.end(least=106)


if __name__ == "__main__":
    main()
