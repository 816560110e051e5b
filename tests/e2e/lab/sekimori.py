"""Our own programs: their configuration, their processes, their command line.

SPDX-License-Identifier: BSD-2-Clause
"""

import json
import os
import pwd
import re
import socket
import subprocess

from .process import (LabError, PATIENCE_S, Process, free_port, tail,
                      wait_listening, wait_until)
from .web import Web

CONFIG = {
    "authserv_id": "mx.sekimori-test.net",
    "log_target": "stderr",
    "log_level": "info",
    # 127.0.0.1 is where the clients of others come from before XCLIENT:
    # our own users have a network of their own.
    "networks": ["198.18.100.0/24"],
    "dns_timeout": 5,
    # Redis that is killed is noticed at once; one on a busy disk may be slow.
    "redis_timeout_ms": 10000,
}


# What the programs become; root is asked to start them, as at boot.
USER = "nobody"


class Sekimori:
    """The programs of one build directory with one configuration file."""

    def __init__(self, guard, directory, build):
        self._guard = guard
        self.directory = directory
        self.build = build
        self.milter_port = free_port()
        self.socketmap_port = free_port()
        self.web_port = free_port()
        self.config = os.path.join(directory, "sekimori.conf")
        self.milter_log = os.path.join(directory, "milter.log")
        self.web_log = os.path.join(directory, "web.log")
        self.milter = self.web = None
        self.options = {}
        for program in ("sekimori-milter", "sekimori-web", "sekimori"):
            if not os.access(os.path.join(build, program), os.X_OK):
                raise LabError(f"{program} is not in {build}: build it first")

    def configure(self, redis, release_port, zone, **options):
        state = os.path.join(self.directory, "state")
        run = os.path.join(self.directory, "run")
        owner = pwd.getpwnam(USER)
        for directory in (state, run):
            os.makedirs(directory, exist_ok=True)
            os.chown(directory, owner.pw_uid, owner.pw_gid)
        self.options = {
            **CONFIG,
            "user": USER,
            "state_dir": state,
            "run_dir": run,
            "milter_listen": f"inet:{self.milter_port}@127.0.0.1",
            "socketmap_listen": f"inet:127.0.0.1:{self.socketmap_port}",
            "web_listen": f"127.0.0.1:{self.web_port}",
            "release_listener": f"127.0.0.1:{release_port}",
            "dns_zone": zone,
            "redis": redis,
            **options,
        }
        self.write_config()

    def write_config(self, path=None, **changes):
        """The file itself, or with path a variant of it beside it."""
        if path is None:
            self.options.update(changes)
            changes = {}
        lines = [f"{name} = {self._value(value)}\n" for name, value
                 in {**self.options, **changes}.items()]
        with open(path or self.config, "w", encoding="utf-8") as out:
            out.writelines(lines)

    @staticmethod
    def _value(value):
        if isinstance(value, bool):
            return "yes" if value else "no"
        if isinstance(value, (list, tuple)):
            return "{" + ", ".join(f'"{v}"' for v in value) + "}"
        return f'"{value}"'

    def program(self, name):
        return os.path.join(self.build, name)

    def start_milter(self, environment=None):
        self.milter = Process(
            self._guard, "sekimori-milter",
            [self.program("sekimori-milter"), "-c", self.config],
            self.milter_log, env=environment)
        wait_listening(self.milter, ("127.0.0.1", self.milter_port))
        wait_listening(self.milter, ("127.0.0.1", self.socketmap_port))

    def start_web(self, environment=None):
        self.web = Process(
            self._guard, "sekimori-web",
            [self.program("sekimori-web"), "-c", self.config],
            self.web_log, env=environment)
        wait_listening(self.web, ("127.0.0.1", self.web_port))

    def first_password(self):
        """Of the user `operator`, as it was told once."""
        with open(self.web_log, encoding="utf-8") as log:
            found = re.search(r"first sign-in: user operator password (\S+)",
                              log.read())
        return found and found.group(1)

    def sign_in(self, password):
        """The operator, for the first time; with this password now."""
        first = wait_until(self.first_password, "the first password")
        web = Web(self.web_port).sign_in("operator", first)
        web.change_password(first, password)
        return web.sign_in("operator", password)

    def stop(self):
        """Both, the milter first; returns their exit statuses."""
        statuses = {}
        for process in (self.milter, self.web):
            if process:
                statuses[process.name] = process.stop()
        self.milter = self.web = None
        return statuses

    def run(self, *words, config=None, stdin=None, text=True):
        """The command line as an operator would type it: (status, out,
        err); bytes unless text."""
        done = subprocess.run(
            [self.program("sekimori"), "-c", config or self.config,
             *map(str, words)], input=stdin, capture_output=True,
            text=text, timeout=120, check=False)
        return done.returncode, done.stdout, done.stderr

    def cli(self, *words, config=None, stdin=None):
        """The command with --json; its output parsed, or LabError."""
        status, out, err = self.run(*words, "--json", config=config,
                                    stdin=stdin)
        if status:
            raise LabError(f"sekimori {' '.join(map(str, words))}: status "
                           f"{status}: {err or out}")
        return json.loads(out) if out.strip() else None

    def socketmap(self, name, key):
        """What the milter answers to Postfix: "OK [192.0.2.1]:25"."""
        question = f"{name} {key}".encode()
        with socket.create_connection(("127.0.0.1", self.socketmap_port),
                                      PATIENCE_S) as asked:
            asked.sendall(b"%d:%s," % (len(question), question))
            with asked.makefile("rb") as answers:
                size = b""
                while (digit := answers.read(1)) != b":":
                    if not digit:
                        raise LabError("the socketmap server hung up")
                    size += digit
                return answers.read(int(size)).decode()

    def log_lines(self, pattern):
        """Lines of the milter's log that match a regular expression."""
        try:
            with open(self.milter_log, encoding="utf-8",
                      errors="replace") as log:
                return [line for line in log if re.search(pattern, line)]
        except FileNotFoundError:
            return []

    def logs(self):
        return {log: tail(log, 60) for log in (self.milter_log, self.web_log)
                if os.path.exists(log)}
