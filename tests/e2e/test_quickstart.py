"""The quickstart itself: it says the truth, and leaves nothing running.

SPDX-License-Identifier: BSD-2-Clause
"""

import glob
import os
import re
import signal
import subprocess
import sys
import time

import pytest

from lab.lab import build_directory
from lab.process import PATIENCE_S, wait_until

HERE = os.path.dirname(os.path.abspath(__file__))
QUICKSTART = os.path.join(HERE, "../../scripts/quickstart")
LAB = """
import sys, time
sys.path.insert(0, sys.argv[1])
from lab import Lab
with Lab() as lab:
    print(lab.directory, flush=True)
    time.sleep(600)
"""


def as_from_a_terminal():
    """In the child: signals as a person's shell leaves them, whatever
    nohup or a background job made of them for us."""
    for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(signum, signal.SIG_DFL)


def processes_of(directory):
    """Command lines and working directories that name the directory."""
    found = []
    for entry in glob.glob("/proc/[0-9]*"):
        try:
            with open(entry + "/cmdline", "rb") as cmdline:
                words = cmdline.read().replace(b"\0", b" ").decode()
            where = os.readlink(entry + "/cwd")
        except OSError:
            continue
        if directory in words or where.startswith(directory):
            found.append(words)
    return found


def test_once_says_that_all_fared_well():
    done = subprocess.run(
        [QUICKSTART, "--once", "--build", build_directory()],
        capture_output=True, text=True, timeout=900, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"All [0-9]+ fared as expected", done.stdout)
    assert "\033" not in done.stdout


@pytest.mark.parametrize("signum", [
    signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_nothing_is_left_running(signum):
    with subprocess.Popen(
            [sys.executable, "-B", "-c", LAB, HERE], stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, text=True,
            preexec_fn=as_from_a_terminal) as lab:
        directory = lab.stdout.readline().strip()
        assert len(processes_of(directory)) > 5
        lab.send_signal(signum)
        lab.wait(PATIENCE_S)
    wait_until(lambda: not processes_of(directory), "the end of " + directory)
    wait_until(lambda: not os.path.exists(directory),
               "the removal of " + directory)


def test_ctrl_c_ends_the_quickstart():
    with subprocess.Popen(
            [QUICKSTART, "--build", build_directory()],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True, preexec_fn=as_from_a_terminal) as shown:
        directory = None
        for line in shown.stdout:
            if line.startswith("  logs: "):
                directory = line.split()[1]
                break
        assert directory, shown.stderr.read()
        time.sleep(1)
        shown.send_signal(signal.SIGINT)
        rest = shown.stdout.read()
        assert shown.wait(PATIENCE_S) == 0
    assert "nothing is left running" in rest
    assert processes_of(directory) == []
    assert not os.path.exists(directory)
