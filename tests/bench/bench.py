#!/usr/bin/python3
"""bench.py - what Sekimori and others cost a message, side by side.

    bench.py [--build DIR] [--modes load,delay,big,verdicts] [PEER...]

PEERs are sekimori, null, opendkim, opendmarc, chain (opendkim, then
opendmarc) and rspamd (SPF, DKIM and DMARC only); without any: null, chain,
rspamd and sekimori, as far as they are installed.  All are started here,
with the same mails and the same DNS, in fresh namespaces where only the
loopback exists: that needs root.  See README.md beside this file.

SPDX-License-Identifier: BSD-2-Clause
"""

import argparse
import collections
import contextlib
import json
import os
import pathlib
import pwd
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent

sys.dont_write_bytecode = True
sys.path.insert(0, str(HERE))

import corpus  # noqa: E402  (found by the path above)

AUTHSERV_ID = "mx.sekimori-bench.net"
METHODS = ("spf", "dkim", "dmarc")
DEFAULT_PEERS = ("null", "chain", "rspamd", "sekimori")
MODES = ("load", "delay", "big", "verdicts")
START_S = 60
# One core for what is measured, the other for what drives it.
SERVER_CPU, CLIENT_CPU = 1, 0


def tree(pid):
    """A process and its descendants."""
    pids = [pid]
    for parent in pids:
        for task in pathlib.Path(f"/proc/{parent}/task").glob("*/children"):
            try:
                pids += map(int, task.read_text().split())
            except OSError:
                pass
    return pids


def cpu_s(pids):
    """User and system, also of threads that have ended, to the nanosecond:
    by the clock that the kernel keeps for each process."""
    total = 0.0
    for pid in pids:
        try:
            total += time.clock_gettime((~pid << 3) | 2)
        except OSError:
            pass
    return total


def memory_mb(pids, what="VmHWM"):
    total = 0
    for pid in pids:
        try:
            status = pathlib.Path(f"/proc/{pid}/status").read_text()
        except OSError:
            continue
        found = re.search(rf"^{what}:\s+(\d+) kB", status, re.M)
        total += int(found.group(1)) if found else 0
    return total / 1024


def machine_busy_s():
    with open("/proc/stat", encoding="ascii") as stat:
        fields = [int(n) for n in stat.readline().split()[1:9]]
    return (sum(fields) - fields[3] - fields[4]) / os.sysconf("SC_CLK_TCK")


def spread(values):
    middle = statistics.median(values)
    return (max(values) - min(values)) / middle if middle else 0


class Peer:
    """A filter, or several in a row: started, measured, stopped."""

    def __init__(self, lab, name, programs):
        self.lab = lab
        self.name = name
        self.programs = programs
        self.processes = []
        self.targets = []

    def __enter__(self):
        try:
            for program in self.programs:
                socket_path = self.lab.path(
                    f"sockets/{self.name}.{program}")
                start = getattr(self.lab, "start_" + program)
                self.processes.append(start(socket_path))
                self.targets.append("unix:" + socket_path)
                self.lab.wait_socket(socket_path, self.processes[-1])
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for process in self.processes:
            self.lab.stop(process)
        for target in self.targets:
            pathlib.Path(target.removeprefix("unix:")).unlink(missing_ok=True)

    def pids(self):
        return [pid for process in self.processes
                for pid in tree(process.pid)]


class Lab:
    def __init__(self, options):
        self.options = options
        self.directory = options.scratch
        self.corpus = options.corpus
        self.nameserver = None
        self.count_path = self.path("questions")
        # The filters make their sockets there, each as its own user.
        os.makedirs(self.path("sockets"), exist_ok=True)
        os.chmod(self.path("sockets"), 0o1777)

    def path(self, name):
        return os.path.join(self.directory, name)

    def write(self, name, text):
        path = self.path(name)
        with open(path, "w", encoding="ascii") as out:
            out.write(text)
        os.chmod(path, 0o644)
        return path

    # ---- processes ----

    def start(self, name, *command, cpu=SERVER_CPU, user=None):
        def before():
            os.umask(0)
            if os.cpu_count() > 1 and self.options.pin:
                os.sched_setaffinity(0, {cpu})
            if user:
                entry = pwd.getpwnam(user)
                os.initgroups(user, entry.pw_gid)
                os.setgid(entry.pw_gid)
                os.setuid(entry.pw_uid)

        with open(self.path(name + ".log"), "ab") as log:
            return subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                cwd=self.directory, preexec_fn=before)

    def stop(self, process):
        pids = tree(process.pid)
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(3)
        except subprocess.TimeoutExpired:
            pass
        for pid in pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        process.wait()

    def wait_socket(self, path, process):
        until = time.monotonic() + START_S
        while time.monotonic() < until and process.poll() is None:
            with socket.socket(socket.AF_UNIX) as peer:
                try:
                    peer.connect(path)
                    return
                except OSError:
                    time.sleep(0.05)
        raise SystemExit(f"bench: {path} was not opened; see the logs in "
                         f"{self.directory}")

    # ---- DNS ----

    def start_nameserver(self, delay_ms=0):
        if self.nameserver:
            self.stop(self.nameserver)
            os.unlink(self.count_path)
        self.nameserver = self.start(
            "nameserver", sys.executable, "-B", str(HERE / "nameserver.py"),
            "--delay", str(delay_ms), "--count", self.count_path,
            os.path.join(self.corpus, "zone"), "127.0.0.1:53",
            cpu=CLIENT_CPU)
        time.sleep(1)

    def questions(self):
        with open(self.count_path, encoding="ascii") as count:
            return int(count.read() or 0)

    # ---- the filters ----

    def start_null(self, path):
        return self.start("null", os.path.join(
            self.options.build, "tests/bench/null"), "unix:" + path)

    def start_sekimori(self, path):
        state = self.path("state")
        os.makedirs(state, exist_ok=True)
        values = {
            "mode": "observe", "unlisted_domains": "check", "redis": "none",
            "user": "root", "state_dir": state, "run_dir": state,
            "milter_listen": "unix:" + path, "milter_socket_mode": "0666",
            "authserv_id": AUTHSERV_ID}
        conf = self.write("sekimori.conf", "".join(
            f'{name} = "{value}"\n' for name, value in values.items()))
        return self.start("sekimori", os.path.join(
            self.options.build, "sekimori-milter"), "-c", conf)

    def start_opendkim(self, path):
        conf = self.write("opendkim.conf", f"""\
Mode v
Socket local:{path}
AuthservID {AUTHSERV_ID}
Nameservers 127.0.0.1
Syslog no
UMask 0000
UserID opendkim
""")
        return self.start("opendkim", "opendkim", "-f", "-x", conf)

    def start_opendmarc(self, path):
        conf = self.write("opendmarc.conf", f"""\
Socket local:{path}
AuthservID {AUTHSERV_ID}
TrustedAuthservIDs {AUTHSERV_ID}
SPFIgnoreResults yes
SPFSelfValidate yes
PublicSuffixList /usr/share/publicsuffix/public_suffix_list.dat
Syslog no
UMask 0000
UserID opendmarc
""")
        return self.start("opendmarc", "opendmarc", "-f", "-c", conf)

    def start_rspamd(self, path):
        state = self.path("rspamd")
        plugins = os.path.join(state, "plugins")
        os.makedirs(plugins, exist_ok=True)
        for module in ("spf", "dmarc", "milter_headers"):
            link = os.path.join(plugins, module + ".lua")
            if not os.path.lexists(link):
                os.symlink(f"/usr/share/rspamd/plugins/{module}.lua", link)
        shutil.chown(state, "_rspamd")
        conf = self.write("rspamd.conf", f"""\
options {{
    pidfile = "{state}/pid";
    filters = "dkim";
    cache_file = "{state}/symbols.cache";
    dns {{ nameserver = ["127.0.0.1"]; }}
}}
logging {{ type = "file"; filename = "{state}/log"; level = "error"; }}
worker "rspamd_proxy" {{
    bind_socket = "{path} mode=0666";
    milter = yes;
    timeout = 120s;
    count = 1;
    upstream "local" {{ default = yes; self_scan = yes; }}
}}
.include "$CONFDIR/metrics.conf"
.include "$CONFDIR/actions.conf"
modules {{ path = "{plugins}"; }}
.include "$CONFDIR/modules.d/spf.conf"
.include "$CONFDIR/modules.d/dkim.conf"
dmarc {{ }}
milter_headers {{ use = ["authentication-results"]; }}
""")
        process = self.start("rspamd", "rspamd", "-f", "-u", "_rspamd", "-g",
                             "_rspamd", "--var", f"DBDIR={state}",
                             "--var", f"RUNDIR={state}", "-c", conf)
        self.settle(process)
        return process

    def settle(self, process):
        """Until it has done with what it does at its start."""
        last, quiet = -1.0, 0
        while quiet < 4 and process.poll() is None:
            time.sleep(0.5)
            now = cpu_s(tree(process.pid))
            quiet = quiet + 1 if now - last < 0.03 else 0
            last = now

    # ---- one run ----

    def peer(self, name):
        return Peer(self, name, PROGRAMS[name])

    def load(self, peer, sessions, *more, index="index.tsv", count=None):
        command = [os.path.join(self.options.build, "tests/bench/load"),
                   "-c", str(sessions),
                   "-i", os.path.join(self.corpus, index), *more]
        if count:
            command += ["-n", str(count)]

        def before():
            if os.cpu_count() > 1 and self.options.pin:
                os.sched_setaffinity(0, {CLIENT_CPU})

        done = subprocess.run(command + peer.targets, stdout=subprocess.PIPE,
                              preexec_fn=before, check=False)
        result = json.loads(done.stdout) if done.stdout else None
        if result is None or result["errors"]:
            raise SystemExit(f"bench: {peer.name} did not answer all mails")
        return result

    def measured(self, peer, *args, **kwargs):
        """A run with what it cost."""
        pids = peer.pids()
        busy, begun = machine_busy_s(), time.monotonic()
        own, before = os.times(), cpu_s(pids)
        rest_pids = [self.nameserver.pid]
        rest = cpu_s(rest_pids)
        result = self.load(peer, *args, **kwargs)
        after, now = cpu_s(pids), os.times()
        used = (after - before + cpu_s(rest_pids) - rest
                + now.children_user + now.children_system
                - own.children_user - own.children_system)
        result["cpu_ms"] = (after - before) * 1000 / result["messages"]
        result["others"] = max(0.0, (machine_busy_s() - busy - used)
                               / (time.monotonic() - begun))
        return result

    def report(self, **row):
        row = {key: round(value, 3) if isinstance(value, float) else value
               for key, value in row.items()}
        if self.options.json:
            with open(self.options.json, "a", encoding="ascii") as out:
                out.write(json.dumps(row) + "\n")
        return row

    # ---- modes: each gives the rows of its table ----

    def mode_load(self, names):
        """Messages a second and CPU of each, by the number of sessions."""
        count = self.options.count
        with contextlib.ExitStack() as stack:
            peers = [stack.enter_context(self.peer(name)) for name in names]
            for peer in peers:  # not counted: fills caches
                self.load(peer, 8, count=count)
            # By turns, so that what disturbs one disturbs all.
            runs = collections.defaultdict(list)
            for _ in range(self.options.runs):
                for sessions in self.options.sessions:
                    for peer in peers:
                        runs[peer, sessions].append(
                            self.measured(peer, sessions, count=count))
            for peer in peers:
                for sessions in self.options.sessions:
                    yield self.load_row(peer, sessions,
                                        runs[peer, sessions])

    def load_row(self, peer, sessions, runs):
        def middle(key):
            return statistics.median(run[key] for run in runs)

        def latency(key):
            return statistics.median(
                run["latency_us"][key] for run in runs) / 1000

        return self.report(
            mode="load", peer=peer.name, sessions=sessions,
            rate=middle("rate"), cpu_ms=middle("cpu_ms"),
            cpu_least=min(run["cpu_ms"] for run in runs),
            cpu_spread=spread([run["cpu_ms"] for run in runs]),
            p50_ms=latency("p50"), p99_ms=latency("p99"),
            memory_mb=memory_mb(peer.pids()), others=middle("others"))

    def mode_delay(self, names):
        """One mail after the other while each DNS answer is late: fresh,
        and the same mails again."""
        for name in names:
            with self.peer(name) as peer:
                for label in ("cold", "warm"):
                    yield self.delay_row(peer, label)

    def delay_row(self, peer, label):
        before = self.questions()
        result = self.load(peer, 1, "-s", "60000", count=200)
        latency = result["latency_us"]
        return self.report(
            mode="delay", peer=peer.name, caches=label,
            mean_ms=latency["mean"] / 1000, p50_ms=latency["p50"] / 1000,
            p95_ms=latency["p95"] / 1000,
            questions=(self.questions() - before) / result["messages"])

    def mode_big(self, names):
        """A mail of 50 MB, signed."""
        for name in names:
            with self.peer(name) as peer:
                self.load(peer, 1, "-s", "60000", count=20)
                before = memory_mb(peer.pids())
                runs = [self.measured(peer, 1, index="big.tsv")
                        for _ in range(self.options.runs)]
                yield self.report(
                    mode="big", peer=name,
                    seconds=min(run["latency_us"]["max"]
                                for run in runs) / 1e6,
                    cpu_s=min(run["cpu_ms"] for run in runs) / 1000,
                    more_mb=memory_mb(peer.pids()) - before,
                    memory_mb=memory_mb(peer.pids()))

    def mode_verdicts(self, names):
        """What is said of each mail, against what is right."""
        out = self.path("verdicts.tsv")
        for name in names:
            with self.peer(name) as peer:
                self.load(peer, 4, "-o", out)
            wrong = compare(self.corpus, out)
            yield self.report(
                mode="verdicts", peer=name, wrong=sum(wrong.values()),
                of=self.mail_count(), which=", ".join(sorted(
                    f"{n} x {what}" for what, n in wrong.items())))

    def mail_count(self):
        with open(os.path.join(self.corpus, "index.tsv"),
                  encoding="ascii") as index:
            return sum(1 for _ in index)


def results_of(line):
    """{method: result} of the fields that a filter added."""
    found = {}
    for field in line.rstrip("\n").split("\t")[2:]:
        name, _, value = field.partition(":")
        if name.lower() == "authentication-results":
            for method in METHODS:
                match = re.search(rf"\b{method}=(\w+)", value)
                if match:
                    found[method] = match.group(1)
    return found


def compare(directory, out):
    """Counter of "kind: method expected X, not Y"; a mail that was refused
    tells nothing, a result that is not there counts as none."""
    wrong = collections.Counter()
    expected = {}
    with open(os.path.join(directory, "index.tsv"), encoding="ascii") as index:
        for line in index:
            fields = line.rstrip("\n").split("\t")
            expected[os.path.basename(fields[0])] = fields[6:10]
    seen = set()
    with open(out, encoding="utf-8", errors="replace") as lines:
        for line in lines:
            name, verdict = line.split("\t", 2)[:2]
            seen.add(name)
            if verdict.strip() != "accept":
                continue
            kind, *right = expected[name]
            found = results_of(line)
            for method, result in zip(METHODS, right):
                got = found.get(method, "none")
                if got != result:
                    wrong[f"{kind}: {method}={got}, not {result}"] += 1
    wrong["not answered"] = len(expected) - len(seen)
    return +wrong


PROGRAMS = {
    "sekimori": ("sekimori",), "null": ("null",), "opendkim": ("opendkim",),
    "opendmarc": ("opendmarc",), "chain": ("opendkim", "opendmarc"),
    "rspamd": ("rspamd",)}


def installed(peer):
    return all(program in ("sekimori", "null") or shutil.which(program)
               for program in PROGRAMS[peer])


def print_table(rows):
    columns = [key for key in rows[0] if key != "mode"]
    print("| " + " | ".join(columns) + " |")
    print("|" + "---|" * len(columns))
    for row in rows:
        print("| " + " | ".join(str(row[key]) for key in columns) + " |")
    print(flush=True)


def inside(options):
    """In namespaces of our own."""
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    lab = Lab(options)
    resolv = lab.write("resolv.conf", "nameserver 127.0.0.1\n")
    subprocess.run(["mount", "--bind", resolv,
                    os.path.realpath("/etc/resolv.conf")], check=True)
    for mode in options.modes:
        lab.start_nameserver(options.delay if mode == "delay" else 0)
        names = [name for name in options.peers
                 if name != "null" or mode in ("load", "big")]
        rows = list(getattr(lab, "mode_" + mode)(names))
        doc = getattr(Lab, "mode_" + mode).__doc__
        print(f"{mode}: {' '.join(doc.split())}\n")
        print_table(rows)
    lab.stop(lab.nameserver)


def enter_namespaces(arguments):
    command = ["unshare", "--mount", "--net", "--pid", "--fork",
               "--mount-proc", "--kill-child", sys.executable, "-B",
               os.path.abspath(__file__), "--inside", *arguments]
    return subprocess.run(command, check=False).returncode


def read_options(arguments):
    parser = argparse.ArgumentParser(
        description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--build", default=".", help="built tree (.)")
    parser.add_argument("--corpus", help="directory of the mails; made when "
                        "it is not there (a temporary one)")
    parser.add_argument("--mails", type=int, default=2000,
                        help="mails of a corpus that is made (2000)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--modes", default=",".join(MODES))
    parser.add_argument("--sessions", default="1,8,64")
    parser.add_argument("--count", type=int, default=500,
                        help="mails of a run in mode load (500)")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--delay", type=float, default=30,
                        help="ms that a DNS answer takes in mode delay")
    parser.add_argument("--no-pin", dest="pin", action="store_false",
                        help="let filter and client use all cores")
    parser.add_argument("--json", help="also append the rows to this file")
    parser.add_argument("--scratch", help=argparse.SUPPRESS)
    parser.add_argument("--inside", action="store_true",
                        help=argparse.SUPPRESS)
    parser.add_argument("peers", nargs="*", metavar="PEER")
    options = parser.parse_args(arguments)
    options.build = os.path.abspath(options.build)
    options.modes = options.modes.split(",")
    options.sessions = [int(n) for n in options.sessions.split(",")]
    for word, known in ((options.modes, MODES), (options.peers, PROGRAMS)):
        unknown = set(word) - set(known)
        if unknown:
            parser.error("unknown: " + ", ".join(sorted(unknown)))
    missing = [peer for peer in options.peers or DEFAULT_PEERS
               if not installed(peer)]
    if missing:
        print("not installed:", ", ".join(missing), file=sys.stderr)
    options.peers = [peer for peer in options.peers or DEFAULT_PEERS
                     if peer not in missing]
    return options


def main():
    options = read_options(sys.argv[1:])
    if options.inside:
        inside(options)
        return 0
    if os.geteuid() != 0:
        print("bench: needs root, for namespaces of its own",
              file=sys.stderr)
        return 77
    with tempfile.TemporaryDirectory(prefix="sekimori-bench-") as scratch:
        os.chmod(scratch, 0o755)
        directory = options.corpus or os.path.join(scratch, "corpus")
        if not os.path.exists(os.path.join(directory, "big.tsv")):
            corpus.make(directory, options.mails, options.seed, big=True)
        return enter_namespaces([*sys.argv[1:], "--scratch", scratch,
                                 "--corpus", os.path.abspath(directory)])


if __name__ == "__main__":
    sys.exit(main())
