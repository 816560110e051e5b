"""The laboratory: real Postfix, Redis and Sendmail around the programs.

Used by scripts/quickstart and by the end-to-end tests.  Start reading at
lab.py; each other file plays one part:

    process.py, guard.py   child processes, ended whatever happens
    redis.py, postfix.py   private servers below one directory
    sendmail.py            Sendmail 8.17 unpacked from its packages
    proxy.py               accidents between the programs and Redis
    sekimori.py            our own programs and their command line
    sink.py                the customers' mail servers
    smtp.py, mails.py      an exact client, and mails to the byte
    zone.py, world.py      DNS data, senders, customers
    cases.py               the mails of the quickstart, with expectations
    text.py                tables and progress for a terminal

SPDX-License-Identifier: BSD-2-Clause
"""

from .lab import Lab
from .process import LabError

__all__ = ["Lab", "LabError"]
