#!/usr/bin/python3
"""All suites for DKIM and ARC; started by test_auth_suites.

Ends with 1 when a case is wrong, with 77 when no suite could be run.

SPDX-License-Identifier: BSD-2-Clause
"""

import importlib
import sys

SUITES = ("arc_validate", "arc_sign", "dkim_mail_dkim", "dkim_chasquid",
          "dkim_dkimpy")


def run(name):
    try:
        importlib.import_module(name).main()
    except SystemExit as end:
        return end.code or 0
    return 0


def main():
    codes = [run(name) for name in SUITES]
    if any(code not in (0, 77) for code in codes):
        sys.exit(1)
    if all(code == 77 for code in codes):
        sys.exit(77)


if __name__ == "__main__":
    main()
