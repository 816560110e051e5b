"""Sendmail 8.17, unpacked from its Debian packages below a directory.

It conflicts with the postfix package, so it is never installed: the
packages are downloaded by apt-get, unpacked, and the program is run with a
configuration, a queue and ports of its own.  Without XCLIENT, clients of
other addresses are played by binding to other addresses of 127.0.0.0/8.

SPDX-License-Identifier: BSD-2-Clause
"""

import glob
import os
import re
import shutil
import subprocess

from .process import LabError, Process, free_port, tail, wait_listening

PACKAGES = ("sendmail-bin", "sendmail-cf")
# What the program is linked with, when the machine does not have it.
LIBRARIES = ("libdb5.3", "libldap-2.5-0", "liblockfile1", "libnsl2",
             "libsasl2-2", "libtirpc3", "libwrap0")

MC = """\
divert(-1)
include(`{cf}/m4/cf.m4')
divert(0)dnl
VERSIONID(`sekimori laboratory')
OSTYPE(`linux')dnl
define(`confDOMAIN_NAME', `{hostname}')dnl
define(`ALIAS_FILE', `')dnl
define(`STATUS_FILE', `{directory}/statistics')dnl
define(`HELP_FILE', `')dnl
define(`QUEUE_DIR', `{directory}/queue')dnl
define(`confPID_FILE', `{directory}/sendmail.pid')dnl
define(`confSERVICE_SWITCH_FILE', `{directory}/service.switch')dnl
define(`confHOSTS_FILE', `/etc/hosts')dnl
define(`confCONTROL_SOCKET_NAME', `')dnl
define(`confHOST_STATUS_DIRECTORY', `')dnl
define(`confDONT_PROBE_INTERFACES', `True')dnl
define(`confDONT_BLAME_SENDMAIL', `GroupWritableDirPathSafe,WorldWritableForwardFile')dnl
define(`confTO_IDENT', `0')dnl
define(`confMAX_MESSAGE_SIZE', `67108864')dnl
define(`confQUEUE_LA', `100')dnl
define(`confREFUSE_LA', `100')dnl
define(`confLOG_LEVEL', `14')dnl
define(`confDELIVERY_MODE', `background')dnl
define(`confBAD_RCPT_THROTTLE', `0')dnl
define(`RELAY_MAILER_ARGS', `TCP $h {sink_port}')dnl
define(`SMART_HOST', `relay:[{sink_address}]')dnl
define(`MAIL_HUB', `relay:[{sink_address}]')dnl
FEATURE(`promiscuous_relay')dnl
FEATURE(`accept_unresolvable_domains')dnl
FEATURE(`accept_unqualified_senders')dnl
FEATURE(`nocanonify')dnl
FEATURE(`no_default_msa')dnl
DAEMON_OPTIONS(`Name=MTA, Family=inet, Addr=127.0.0.1, Port={smtp}')dnl
DAEMON_OPTIONS(`Name=release, Family=inet, Addr=127.0.0.1, Port={release}, InputMailFilters=')dnl
INPUT_MAIL_FILTER(`sekimori', `S=inet:{milter}@127.0.0.1, F=T, T=C:30s;S:30s;R:30s;E:5m')dnl
MAILER(`smtp')dnl
"""


# Sendmail sleeps a minute at start when the host's name has no dot; so it
# gets a name of its own where the machine allows that.
NAMED = """\
if unshare --uts true 2>/dev/null; then
    exec unshare --uts sh -c \
        'echo "$0" >/proc/sys/kernel/hostname; exec "$@"' "$0" "$@"
fi
exec "$@"
"""


class NoSendmail(LabError):
    """Its packages cannot be had."""


class Sendmail:
    def __init__(self, guard, directory, hostname):
        self._guard = guard
        self.directory = directory
        self.hostname = hostname
        self.smtp_port = free_port()
        self.release_port = free_port()
        self.log = os.path.join(directory, "sendmail.log")
        self.process = None
        self._root = os.path.join(directory, "root")

    @property
    def smtp(self):
        return ("127.0.0.1", self.smtp_port)

    @property
    def program(self):
        return os.path.join(self._root, "usr/libexec/sendmail/sendmail")

    @property
    def _environment(self):
        library = os.path.join(self._root, "usr/lib")
        below = glob.glob(os.path.join(library, "*-linux-*"))
        return {"LD_LIBRARY_PATH": ":".join(below + [library])}

    def unpack(self):
        """Download and unpack; nothing is installed."""
        os.makedirs(self._root)
        wanted = PACKAGES + tuple(
            p for p in LIBRARIES if not self._installed(p))
        done = self._download(wanted)
        if done.returncode:
            self._run("apt-get", "update", "-q")
            done = self._download(wanted)
        if done.returncode:
            raise NoSendmail(f"apt-get download: {done.stderr.strip()}")
        for package in glob.glob(os.path.join(self.directory, "*.deb")):
            self._run("dpkg", "-x", package, self._root)
            os.unlink(package)
        # A set-gid program does not look at LD_LIBRARY_PATH.
        os.chmod(self.program, 0o755)

    def _download(self, packages):
        return subprocess.run(
            ["apt-get", "download", "-q", "-o", "APT::Sandbox::User=root",
             *packages], cwd=self.directory, capture_output=True, text=True,
            timeout=300, check=False)

    @staticmethod
    def _installed(package):
        done = subprocess.run(
            ["dpkg-query", "-W", "-f", "${db:Status-Status}", package],
            capture_output=True, text=True, check=False)
        return done.stdout == "installed"

    @staticmethod
    def _run(*argv, **options):
        done = subprocess.run(argv, capture_output=True, text=True,
                              timeout=300, check=False, **options)
        if done.returncode:
            raise LabError(f"{' '.join(argv)}: {done.stderr}{done.stdout}")
        return done.stdout

    def configure(self, sink, milter_port=None):
        """All mail goes to one sink; no milter when no port is given."""
        queue = os.path.join(self.directory, "queue")
        os.mkdir(queue, 0o700)
        mc = MC.format(
            cf=os.path.join(self._root, "usr/share/sendmail/cf"),
            directory=self.directory, hostname=self.hostname,
            smtp=self.smtp_port, release=self.release_port,
            sink_address=sink.address, sink_port=sink.port,
            milter=milter_port or 0)
        if not milter_port:
            mc = re.sub(r"^INPUT_MAIL_FILTER.*\n", "", mc, flags=re.M)
        with open(os.path.join(self.directory, "service.switch"), "w",
                  encoding="ascii") as out:
            out.write("hosts files\naliases files\n")
        source = os.path.join(self.directory, "sendmail.mc")
        with open(source, "w", encoding="ascii") as out:
            out.write(mc)
        made = self._run(
            "m4", "-D_CF_DIR_=" + os.path.join(
                self._root, "usr/share/sendmail/cf") + "/", source)
        with open(os.path.join(self.directory, "sendmail.cf"), "w",
                  encoding="ascii") as out:
            out.write(made)

    def start(self):
        self.process = Process(
            self._guard, "sendmail",
            ["sh", "-c", NAMED, self.hostname,
             self.program, "-C", os.path.join(self.directory, "sendmail.cf"),
             "-bD", "-q5s", "-X", os.path.join(self.directory, "traffic")],
            self.log, env=self._environment)
        wait_listening(self.process, self.smtp)

    def stop(self):
        if self.process:
            self.process.stop()
            self.process = None

    def traffic(self):
        return tail(os.path.join(self.directory, "traffic"), 200)

    def remove(self):
        shutil.rmtree(self._root, ignore_errors=True)
