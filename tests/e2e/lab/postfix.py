"""A private Postfix, plugged into Sekimori as the README tells an operator.

Own configuration, queue, data and log below one directory; the files of the
package are only read.  Needs root, as Postfix does.

What was found out on Debian 12 (Postfix 3.7):
- `postfix -c DIR check` makes the queue's directories with their owners.
- `master -c DIR -d` stays in the foreground, so that its process id is ours;
  the daemons are in its process group and end when it ends.
- maillog_file needs the postlog service in master.cf, and the file's path
  below maillog_file_prefixes.
- NIS is asked for the default alias_maps, with a warning at every start:
  there are no aliases here.

SPDX-License-Identifier: BSD-2-Clause
"""

import json
import os
import pwd
import re
import subprocess

from .process import (LabError, Process, free_port, tail, wait_listening,
                      wait_until)

DAEMONS = "/usr/lib/postfix/sbin"

MAIN_CF = """\
compatibility_level = 3.6
queue_directory = {directory}/queue
data_directory = {directory}/data
maillog_file = {directory}/mail.log
maillog_file_prefixes = {directory}
mail_owner = postfix
setgid_group = postdrop

myhostname = {hostname}
mydestination =
local_recipient_maps =
alias_maps =
alias_database =
local_transport = error:no local delivery here
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
message_size_limit = 67108864
smtputf8_enable = yes
notify_classes =

# clients of other addresses; no lookups in the real DNS
smtpd_authorized_xclient_hosts = 127.0.0.1
smtpd_peername_lookup = no
disable_dns_lookups = yes
smtpd_client_connection_count_limit = 0
smtpd_error_sleep_time = 0
smtpd_hard_error_limit = 1000
smtpd_relay_restrictions = permit_mynetworks, reject_unauth_destination

# what waits is tried again while somebody watches
queue_run_delay = 2s
minimal_backoff_time = 2s
maximal_backoff_time = 4s
smtp_connect_timeout = 3s
smtp_address_preference = ipv4

"""

README = os.path.join(os.path.dirname(__file__), "../../../README.md")


def plug(name, ports):
    """What README.md tells an operator to add to main.cf or master.cf, with
    the default ports replaced: {"8895": 20123, ...}."""
    with open(README, encoding="utf-8") as readme:
        block = re.search(
            rf"^```\n# /etc/postfix/{re.escape(name)}\n(.*?)^```",
            readme.read(), re.M | re.S)
    if not block:
        raise LabError(f"README.md has no lines for {name}")
    return re.sub(r"(?<=:)\d+\b", lambda port: str(
        ports.get(port.group(), port.group())), block.group(1))


MASTER_CF = """\
127.0.0.1:{smtp} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
proxywrite unix - - n - 1 proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""


class Postfix:
    def __init__(self, guard, directory, hostname):
        self._guard = guard
        self.directory = directory
        self.hostname = hostname
        self.smtp_port = free_port()
        self.release_port = free_port()
        self.log = os.path.join(directory, "mail.log")
        self.config = os.path.join(directory, "etc")
        self.process = None

    @property
    def smtp(self):
        return ("127.0.0.1", self.smtp_port)

    @property
    def release(self):
        return ("127.0.0.1", self.release_port)

    def configure(self, milter_port=None, socketmap_port=None, extra=""):
        """Without ports: a Postfix that asks nobody (extra then says
        where mail goes)."""
        os.makedirs(self.config)
        for name in ("queue", "data"):
            os.mkdir(os.path.join(self.directory, name))
        os.chown(os.path.join(self.directory, "data"),
                 pwd.getpwnam("postfix").pw_uid, -1)
        main = MAIN_CF.format(directory=self.directory,
                              hostname=self.hostname)
        ports = {"8895": milter_port, "8896": socketmap_port,
                 "10026": self.release_port}
        if milter_port:
            main += plug("main.cf", ports)
        self._write("main.cf", main + extra)
        self._write("master.cf", MASTER_CF.format(smtp=self.smtp_port)
                    + plug("master.cf", ports))

    def _write(self, name, text):
        with open(os.path.join(self.config, name), "w",
                  encoding="utf-8") as out:
            out.write(text)

    def _tool(self, *argv):
        done = subprocess.run(argv, capture_output=True, text=True,
                              timeout=60, check=False)
        if done.returncode:
            raise LabError(f"{' '.join(argv)}: {done.stderr}{done.stdout}"
                           f"{tail(self.log)}")
        return done.stdout

    def start(self):
        self._tool("postfix", "-c", self.config, "check")
        self.process = Process(
            self._guard, "postfix",
            [os.path.join(DAEMONS, "master"), "-c", self.config, "-d"],
            os.path.join(self.directory, "master.log"))
        wait_listening(self.process, self.smtp)
        wait_listening(self.process, self.release)

    def stop(self):
        if self.process:
            self.process.stop()
            self.process = None

    def flush(self):
        """Try now what waits in the queue."""
        self._tool("postqueue", "-c", self.config, "-f")

    def queue(self):
        """[(queue id, sender, [recipients])] of what has not left yet."""
        out = self._tool("postqueue", "-c", self.config, "-j")
        return [(m["queue_id"], m["sender"],
                 [r["address"] for r in m["recipients"]])
                for m in map(json.loads, out.splitlines())]

    def wait_queue_empty(self):
        wait_until(lambda: not self.queue(), "an empty queue")

    def log_text(self):
        try:
            with open(self.log, encoding="utf-8", errors="replace") as log:
                return log.read()
        except FileNotFoundError:
            return ""

    def warnings(self):
        """Lines that an operator would want explained."""
        harmless = re.compile("file system clock is|resetting file time")
        return [line for line in self.log_text().splitlines()
                if re.search(r": (warning|error|fatal|panic): ", line)
                and not harmless.search(line)]
