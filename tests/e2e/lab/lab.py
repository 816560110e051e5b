"""The laboratory: everything up, in a directory of its own, and down again.

    with Lab(build="build") as lab:
        result = lab.send(mail, sender, rcpts, client="198.18.1.1")
        lab.sink.wait("taro@shop.sekimori-test.net", mail.marker)

SPDX-License-Identifier: BSD-2-Clause
"""

import os
import shutil
import sys
import tempfile

from . import smtp, world
from .postfix import Postfix
from .process import PATIENCE_S, Guard, LabError, tail, wait_until
from .proxy import RedisProxy
from .redis import Redis
from .sekimori import Sekimori
from .sink import Sink
from .zone import Zone

HOSTNAME = "mx." + world.ROOT


def build_directory():
    """Where the programs are: $SEKIMORI_BUILD, else the checkout's build/,
    else the checkout."""
    top = os.path.abspath(os.path.join(os.path.dirname(__file__), "../../.."))
    chosen = os.environ.get("SEKIMORI_BUILD")
    if chosen:
        return os.path.abspath(chosen)
    below = os.path.join(top, "build")
    return below if os.path.exists(os.path.join(below, "Makefile")) else top


class Lab:
    """progress: called with a line of text before each longer step.
    zone: called with the Zone, to add records.  proxy: our programs reach
    Redis through lab.proxy.  Other options are those of sekimori.conf."""

    def __init__(self, build=None, keep=False, progress=None, zone=None,
                 proxy=False, postfix="", **options):
        self.keep = keep
        self._say = progress or (lambda line: None)
        self._build = build or build_directory()
        self._options = options
        self._zone_lines = zone
        self._wants_proxy = proxy
        self._postfix_extra = postfix
        self.directory = None
        self.postfix = self.redis = self.sekimori = self.proxy = None
        self.guard = None
        self.sink = Sink()

    def __enter__(self):
        if os.geteuid() != 0:
            raise LabError("a private Postfix needs root")
        self.guard = Guard()
        self.directory = tempfile.mkdtemp(prefix="sekimori.")
        os.chmod(self.directory, 0o711)     # Postfix's daemons are not root
        if not self.keep:
            self.guard.directory(self.directory)
        try:
            self._start()
        except BaseException as error:
            self.__exit__(type(error))
            raise
        return self

    def __exit__(self, kind, *_):
        if kind and issubclass(kind, Exception):
            self.dump()
        self.close()

    def _start(self):
        zone = Zone()
        world.publish(zone)
        if self._zone_lines:
            self._zone_lines(zone)
        zone_file = self.path("zone")
        zone.write(zone_file)
        for name, address in world.SERVERS.items():
            self.sink.add(name, address)
        os.mkdir(self.path("postfix"), 0o755)
        self.postfix = Postfix(self.guard, self.path("postfix"), HOSTNAME)
        self.redis = Redis(self.guard, self.directory)
        self._say("starting Redis")
        self.redis.start()
        url = self.redis.url
        if self._wants_proxy:
            self.proxy = RedisProxy(self.directory, self.redis.socket)
            url = self.proxy.url
        self.sekimori = Sekimori(self.guard, self.directory, self._build)
        self.sekimori.configure(url, self.postfix.release_port, zone_file,
                                **self._options)
        self._say("starting sekimori-milter and sekimori-web")
        self.sekimori.start_milter()
        self.sekimori.start_web()
        self._say("entering the customers' domains, routes and lists")
        world.settle(self.sekimori, self.sink)
        self._say("starting Postfix")
        self.postfix.configure(self.sekimori.milter_port,
                               self.sekimori.socketmap_port,
                               self._postfix_extra)
        self.postfix.start()

    def path(self, name):
        return os.path.join(self.directory, name)

    def close(self):
        """Everything down; safe to call at any point, and twice."""
        if not self.guard:
            return
        for part in (self.postfix, self.sekimori, self.redis):
            if part:
                part.stop()
        if self.proxy:
            self.proxy.close()
        self.sink.close()
        if not self.keep:
            shutil.rmtree(self.directory, ignore_errors=True)
        self.guard.done()
        self.guard = None

    def dump(self, out=sys.stderr):
        """The ends of all logs, for the one who has to find the reason."""
        logs = {}
        if self.sekimori:
            logs.update(self.sekimori.logs())
        if self.postfix:
            logs[self.postfix.log] = tail(self.postfix.log, 60)
        if self.redis:
            logs[self.redis.log] = tail(self.redis.log, 20)
        for path, text in logs.items():
            print(f"==== {path} ====\n{text}", file=out)
        for error in self.sink.errors:
            print("sink:", error, file=out)

    # ---- mail ----

    def send(self, mail, sender, rcpts, client=world.STRANGER,
             helo="client.invalid", sender_params="", timeout=PATIENCE_S):
        content = mail if isinstance(mail, bytes) else mail.build()
        return smtp.send(self.postfix.smtp, content, sender, rcpts, client,
                         helo, sender_params, timeout)

    def held_of(self, mail, mailbox, **filters):
        """The entries of this mail in the quarantine; with state=... those
        in that state, else those held."""
        filters = {"state": "held", "mailbox": mailbox, "limit": 1000,
                   **filters}
        words = [w for name, value in filters.items() if value is not None
                 for w in (f"--{name}", value)]
        entries = self.sekimori.cli(
            "quarantine", "list", mailbox.partition("@")[2],
            *words)["entries"]
        # The list does not show Message-IDs: look at each.
        shown = [self.sekimori.cli("quarantine", "show", e["id"])
                 for e in entries]
        return [e for e in shown if mail.marker in (e["message_id"] or "")]

    def set_route(self, domain, *servers):
        """Change a route, and wait until the milter knows: the design page
        promises that within a second."""
        self.sekimori.cli("route", "set", domain,
                          *(server.route for server in servers))
        first = servers[0].route
        wait_until(lambda: first in self.sekimori.socketmap(
            "transport", f"somebody@{domain}"), f"the route {first}")

    def history(self, **filters):
        words = [w for name, value in filters.items()
                 for w in (f"--{name.replace('_', '-')}", value)]
        return self.sekimori.cli("log", "search", *words)["rows"]

    def wait_history(self, count=1, seconds=PATIENCE_S, **filters):
        """Rows of the history, once there are that many."""
        wait_until(lambda: len(self.history(**filters)) >= count,
                   f"{count} rows in the history for {filters}", seconds)
        return self.history(**filters)
