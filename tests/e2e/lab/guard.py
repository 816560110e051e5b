"""Ends what a laboratory left behind when it died without cleaning up.

Started by process.Guard as a program of its own, in a session of its own.
It reads lines from standard input, which only the laboratory holds open:

    child PID START    a process (and the group that it leads) to end
    ended PID          that one was ended in the normal way
    directory PATH     a directory to remove at the end
    done               everything was cleaned up, go away

When the input ends without "done", the laboratory is dead: by kill -9, a
crash, a closed terminal.  START is the process's start time from /proc, so
that a process id used again by a stranger is never touched.

SPDX-License-Identifier: BSD-2-Clause
"""

import os
import shutil
import signal
import sys
import time


def start_time(pid):
    """The start time of a process in clock ticks, None when it is gone."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as stat:
            return stat.read().rpartition(b")")[2].split()[19].decode()
    except (OSError, IndexError):
        return None


def end_all(children):
    """TERM, two seconds of patience, KILL; children is {pid: start}."""
    for signum, patience in ((signal.SIGTERM, 2.0), (signal.SIGKILL, 0.5)):
        groups = [p for p, start in children.items()
                  if start_time(p) == start]
        if not groups and signum == signal.SIGTERM:
            continue
        for pid in children if signum == signal.SIGKILL else groups:
            # A group outlives its leader; its number is not given to
            # anyone else while a member lives.
            if signum == signal.SIGKILL and start_time(pid) not in (
                    None, children[pid]):
                continue
            try:
                os.killpg(pid, signum)
            except (ProcessLookupError, PermissionError):
                pass
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline and any(
                start_time(p) == s for p, s in children.items()):
            time.sleep(0.05)


def main():
    for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(signum, signal.SIG_IGN)
    children, directories = {}, []
    for line in sys.stdin:
        word, *rest = line.rstrip("\n").split(" ", 2)
        if word == "child":
            children[int(rest[0])] = rest[1]
        elif word == "ended":
            children.pop(int(rest[0]), None)
        elif word == "directory":
            directories.append(" ".join(rest))
        elif word == "done":
            return
    end_all(children)
    for directory in directories:
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    main()
