#!/usr/bin/python3
"""test_signing.py - what sekimori-milter signs and seals, verified by
somebody else's code (python3-dkim).

SPDX-License-Identifier: BSD-2-Clause
"""

import itertools
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from daemon import (BAD_IP, GOOD, GOOD_IP, ZONE, Daemon, Redis,
                    free_port)

try:
    import dkim
    from lab.sink import Sink
except ImportError:
    dkim = None

OURS = "ours.sekimori-test.net"
GATE = "gate.sekimori-test.net"
OWN_IP = "10.1.2.3"
RCPT = "<b@sekimori-test.org>"
HEADERS = [("Received", " from x by y; z"), ("From", f" A <a@{OURS}>"),
           ("To", " b@sekimori-test.org"), ("Subject", " hello\r\n\tworld"),
           ("Date", " Mon, 1 Jan 2024 00:00:00 +0000"),
           ("Message-ID", f" <1@{OURS}>")]
BODY = b"one  line \r\n\r\nand another\r\n\r\n"


def message(headers, body):
    """As the MTA sends it on; on the milter's wire folds are LF."""
    lines = [f"{n}:{v}".replace("\r\n", "\n").replace("\n", "\r\n")
             for n, v in headers]
    return "".join(line + "\r\n" for line in lines).encode() + \
        b"\r\n" + body


class Keys:
    """A daemon with keys that the tool has made and started."""

    KEYS = ()  # (domain, selector, options...)

    @classmethod
    def make(cls, **options):
        cls.daemon = Daemon(**options)
        cls.keys = os.path.join(cls.daemon.directory, "dkim")
        cls.daemon.write_conf(dkim_dir=cls.keys)
        cls.records = {}
        for key in cls.KEYS:
            cls.new(*key)
        cls.publish()
        for domain, selector, *_ in cls.KEYS:
            cls.tool("start", domain, selector)
        cls.daemon.__enter__()

    @classmethod
    def tearDownClass(cls):
        cls.daemon.__exit__()

    @classmethod
    def tool(cls, *words, status=0, group="dkim"):
        program = os.path.join(os.environ.get("SEKIMORI_BUILD", "."),
                               "sekimori")
        done = subprocess.run(
            [program, "-c", cls.daemon.conf_path, "--json", group, *words],
            stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if done.returncode != status:
            raise AssertionError(f"{words}: {done.returncode}\n{done.stdout}"
                                 f"{done.stderr}")
        return json.loads(done.stdout) if done.stdout else done.stderr

    @classmethod
    def new(cls, domain, selector, *options):
        made = cls.tool("new", domain, "--selector", selector, *options)
        cls.records[made["keys"][0]["name"] + "."] = made["keys"][0]["record"]

    @classmethod
    def publish(cls):
        """The zone, with strings of 200 octets; `show` does the same."""
        with open(os.path.join(cls.daemon.directory, "zone"), "w",
                  encoding="utf-8") as out:
            out.write(ZONE)
            for domain in sorted({key[0] for key in cls.KEYS}):
                for key in cls.tool("show", domain)["keys"]:
                    out.write(key["zone"].replace("\n", " ") + "\n")

    def lookup(self, name, **_):
        return self.records[name.decode()].encode()

    def verified(self, raw):
        """{"r1": what python3-dkim says of this signature, ...}"""
        found = {}
        values = [v for n, v in dkim.DKIM(raw).headers
                  if n.lower() == b"dkim-signature"]
        for index, value in enumerate(values):
            tags = dkim.util.parse_tag_value(value)
            found[tags[b"s"].decode()] = dkim.DKIM(raw).verify(
                index, dnsfunc=self.lookup)
        return found

    def chain_of(self, raw):
        """What python3-dkim says of the chain, and how many sets."""
        cv, sets, _ = dkim.ARC(raw).verify(dnsfunc=self.lookup)
        return cv.decode(), len(sets)

    @classmethod
    def reload(cls, **changes):
        count = cls.daemon.log().count("reload: done")
        cls.daemon.write_conf(**changes)
        cls.daemon.signal(1)
        cls.daemon.wait_log("reload: done", count=count + 1)


@unittest.skipUnless(dkim, "python3-dkim is not installed")
class Signing(Keys, unittest.TestCase):
    KEYS = ((OURS, "r1"), (OURS, "e1", "--ed25519"))

    @classmethod
    def setUpClass(cls):
        cls.make()

    def send(self, headers=HEADERS, body=BODY, ip=OWN_IP, **macros):
        with self.daemon.greeted(ip=ip) as mta:
            return mta.mail(f"<a@{OURS}>", [RCPT], headers, body, **macros)

    def signatures(self, result):
        return self.verified(message(result.headers, BODY))

    def test_signed_by_all_keys(self):
        for label, options in (("network", {}),
                               ("authenticated", {"ip": BAD_IP,
                                                  "auth_authen": "alice"})):
            with self.subTest(label):
                result = self.send(**options)
                self.assertEqual(result.reply, "c")
                self.assertEqual(self.signatures(result),
                                 {"r1": True, "e1": True})
                names = [n for n, _ in result.headers]
                self.assertEqual(names[:3], ["DKIM-Signature",
                                             "DKIM-Signature", "Received"])

    def test_odd_messages(self):
        for label, headers in (
                ("no space", [("From", f"a@{OURS}"), ("Subject", "x")]),
                ("nothing but From", [("From", f" a@{OURS}")]),
                ("8 bit", HEADERS + [("X-Raw", " \u3042")]),
                ("headers of ours are removed first",
                 [("X-Sekimori-Id", " forged")] + HEADERS),
                ("many fields", HEADERS + [("References", f" <{n}@x>")
                                           for n in range(300)])):
            with self.subTest(label):
                result = self.send(headers)
                self.assertEqual(self.signatures(result),
                                 {"r1": True, "e1": True})

    def test_nothing_can_be_added(self):
        result = self.send()
        for name in ("From", "To", "Cc", "Subject", "Date", "Message-ID",
                     "Reply-To", "Sender", "Content-Type"):
            forged = message([(name, " forged@evil.example")]
                             + result.headers, BODY)
            self.assertFalse(dkim.DKIM(forged).verify(0, self.lookup), name)

    def witness(self, raw):
        """{selector: what libopendkim says}, by `sekimori scan`."""
        path = os.path.join(self.daemon.directory, "mail")
        with open(path, "wb") as out:
            out.write(raw)
        found = self.tool("--defaults", "--ip", BAD_IP, "--rcpt", RCPT,
                          "--witness", path, group="scan")["mails"][0]
        ours = {s["selector"]: s["result"] for s
                in found["records"][0]["results"]["dkim"]["signatures"]}
        theirs = {w["selector"]: w["result"] for w in found["witness"]}
        return ours, theirs

    def test_the_witness_agrees(self):
        result = self.send()
        good = {"r1": "pass", "e1": "pass"}
        bad = {"r1": "fail", "e1": "fail"}
        self.assertEqual(self.witness(message(result.headers, BODY)),
                         (good, good))
        self.assertEqual(self.witness(message(result.headers, b"other\r\n")),
                         (bad, bad))

    def test_who_is_not_signed(self):
        two = [("From", f" a@{OURS}")] + HEADERS
        other = [("From", f" a@{GOOD}")]
        below = [("From", f" a@sub.{OURS}")]
        for label, headers, ip in (("a stranger", HEADERS, BAD_IP),
                                   ("two From", two, OWN_IP),
                                   ("no From", [("Subject", " x")], OWN_IP),
                                   ("other domain", other, OWN_IP),
                                   ("subdomain", below, OWN_IP)):
            with self.subTest(label):
                result = self.send(headers, ip=ip)
                self.assertEqual(result.header("DKIM-Signature"), [])

    def test_logins(self):
        """A user of one domain does not sign for another one."""
        good = {"r1": True, "e1": True}
        for login, dkim_login, want in (
                (f"bob@{OURS}", "match", good),
                (f"bob@{OURS.upper()}", "match", good),
                ("bob", "match", good),
                ("bob@other.example", "match", {}),
                (f"bob@sub.{OURS}", "match", {}),
                ("bob smith@", "match", {}),
                ("bob@other.example", "any", good)):
            with self.subTest(login, dkim_login=dkim_login):
                if self.daemon.options.get("dkim_login") != dkim_login:
                    self.reload(dkim_login=dkim_login)
                for ip in (BAD_IP, OWN_IP):
                    result = self.send(ip=ip, auth_authen=login)
                    self.assertEqual(self.signatures(result), want)
        self.assertIn("the login is of another domain", self.daemon.log())

    def test_rotation(self):
        self.new(OURS, "r2")
        said = self.tool("start", OURS, "r2", status=1)
        self.assertIn("there is no TXT record", said)
        self.publish()
        self.tool("start", OURS, "r2")
        self.assertEqual(self.signatures(self.send()),
                         {"r1": True, "e1": True, "r2": True})
        self.tool("retire", OURS, "r1")
        self.assertEqual(self.signatures(self.send()),
                         {"e1": True, "r2": True})
        self.tool("remove", OURS, "r1", status=1)
        self.tool("start", OURS, "r1")
        self.tool("retire", OURS, "r2")
        self.tool("remove", OURS, "r2", "--force")
        self.assertEqual(self.signatures(self.send()),
                         {"r1": True, "e1": True})
        states = {k["selector"]: (k["state"], k["dns"])
                  for k in self.tool("check", OURS)["keys"]}
        self.assertEqual(states, {"r1": ("signs", "right"),
                                  "e1": ("signs", "right")})

    def test_a_key_that_all_can_read(self):
        path = os.path.join(self.keys, OURS, "r1.pem")
        os.chmod(path, 0o644)
        self.reload()
        try:
            self.assertEqual(self.signatures(self.send()), {"e1": True})
            self.assertIn("a signing key cannot be used", self.daemon.log())
        finally:
            os.chmod(path, 0o640)
            self.reload()


@unittest.skipUnless(dkim and Redis.INSTALLED,
                     "python3-dkim or redis-server is not installed")
class Sealing(Keys, unittest.TestCase):
    KEYS = ((GATE, "e0", "--ed25519"), (GATE, "g1"), (OURS, "r1"))
    SETTINGS = {
        "domain:our.example": {"made": "{}"},
        "mailbox:all@our.example": {"option:arc_seal": "always"},
        "mailbox:none@our.example": {"option:arc_seal": "never",
                                     "option:unsure_points": "-1"},
        "mailbox:tag@our.example": {"option:unsure_points": "-1"},
        "mailbox:replay@our.example": {"option:replay_max": "3",
                                       "option:replay_points": "9",
                                       "option:spam_action": "reject"},
    }

    @classmethod
    def setUpClass(cls):
        directory = tempfile.mkdtemp(prefix="sekimori-redis-")
        cls.addClassCleanup(shutil.rmtree, directory, ignore_errors=True)
        redis = Redis(directory)
        redis.start()
        cls.addClassCleanup(redis.stop)
        redis.put(**cls.SETTINGS)
        cls.make(mode="enforce", redis="unix:" + redis.socket,
                 arc_domain=GATE,
                 socketmap_listen=f"inet:127.0.0.1:{free_port()}")

    def send(self, rcpt, headers=None, body=BODY):
        headers = headers or [("From", f" a@{GOOD}"), ("Subject", " oh\r\n\thi")]
        with self.daemon.greeted(ip=GOOD_IP) as mta:
            result = mta.mail(f"<a@{GOOD}>", [f"<{rcpt}@our.example>"],
                              headers, body)
        self.assertEqual(result.reply, "c")
        return result

    def chain(self, result):
        return self.chain_of(message(result.headers, BODY))

    def test_by_default_what_was_changed(self):
        self.assertEqual(self.send("plain").header("ARC-Seal"), [])
        result = self.send("tag")
        self.assertTrue(result.header("Subject")[0].endswith(" oh\n\thi"))
        self.assertNotEqual(result.header("Subject"), [" oh\r\n\thi"])
        self.assertEqual([n for n, _ in result.headers[:4]],
                         ["ARC-Seal", "ARC-Message-Signature",
                          "ARC-Authentication-Results",
                          "Authentication-Results"])
        self.assertEqual(self.chain(result), ("pass", 1))

    def test_always_and_never(self):
        self.assertEqual(self.chain(self.send("all")), ("pass", 1))
        self.assertEqual(self.send("none").header("ARC-Seal"), [])

    def test_the_rsa_key_seals(self):
        self.assertIn(" s=g1;", self.send("all").header("ARC-Seal")[0])

    def signed(self, body):
        """By OURS, as anybody's mail that comes from elsewhere."""
        with open(os.path.join(self.keys, OURS, "r1.pem"), "rb") as key:
            field = dkim.sign(message(HEADERS, body), b"r1", OURS.encode(),
                              key.read(), include_headers=[b"from"])
        name, _, value = field.decode().partition(":")
        return [(name, value.rstrip("\r\n")), *HEADERS]

    def test_replay(self):
        """The same signed mail, again and again, to somebody new."""
        def send(headers, body):
            with self.daemon.greeted(ip=BAD_IP) as mta:
                return mta.mail(f"<a@{GOOD}>", ["<replay@our.example>"],
                                headers, body).reply[:3]

        headers = self.signed(b"buy\r\n")
        self.assertEqual(send(headers, b"buy\r\n"), "c")
        self.assertEqual(send(headers, b"buy\r\n"), "c")
        # A Redis that took more than 50 ms has counted nothing.
        self.assertIn("550", [send(headers, b"buy\r\n")
                              for _ in range(50)])
        self.assertEqual(send(self.signed(b"sell\r\n"), b"sell\r\n"), "c")

    def test_a_chain_grows(self):
        """Sent through us again and again; and broken on the way."""
        result = self.send("all")
        for n in range(2, 5):
            result = self.send("all", result.headers)
            self.assertEqual(self.chain(result), ("pass", n))
        broken = [(n, v + "x" if n == "ARC-Seal" else v)
                  for n, v in result.headers]
        result = self.send("all", broken)
        seal = result.header("ARC-Seal")[0]
        self.assertIn(" cv=fail;", seal)
        # and then it is closed: nobody adds to it any more
        again = self.send("all", result.headers)
        self.assertEqual(len(again.header("ARC-Seal")),
                         len(result.header("ARC-Seal")))


@unittest.skipUnless(dkim and Redis.INSTALLED,
                     "python3-dkim or redis-server is not installed")
class Beside(Keys, unittest.TestCase):
    """What goes another way than the transaction: copies for those who
    want other bytes, and held mail that is released."""

    KEYS = ((OURS, "r1"), (OURS, "e1", "--ed25519"), (GATE, "g1"))
    HOLD = {f"list:sender:block:a@{GOOD}": '{"action":"quarantine"}',
            f"list:sender:block:held@{OURS}": '{"action":"quarantine"}'}
    SETTINGS = {
        f"domain:{OURS}": {"made": "{}", "option:size_max": "64k",
                           "option:size_action": "quarantine"},
        "domain:our.example": {"made": "{}"},
        "mailbox:all@our.example": {"option:arc_seal": "always"},
        "mailbox:tag@our.example": {"option:unsure_points": "-1"},
        "mailbox:tag2@our.example": {"option:unsure_points": "-1",
                                     "option:arc_seal": "never"},
        "mailbox:hold@our.example": {"option:arc_seal": "always", **HOLD},
        "mailbox:hold2@our.example": HOLD,
    }
    NUMBERS = itertools.count()
    HEADERS = [("From", f" a@{GOOD}"), ("Subject", " oh\r\n\thi"),
               ("X-Sekimori-Id", " forged"),
               ("Authentication-Results",
                " mx.sekimori-test.net;\r\n\tspf=pass smtp.mailfrom=x.example")]

    @classmethod
    def setUpClass(cls):
        directory = tempfile.mkdtemp(prefix="sekimori-redis-")
        cls.addClassCleanup(shutil.rmtree, directory, ignore_errors=True)
        redis = Redis(directory)
        redis.start()
        cls.addClassCleanup(redis.stop)
        redis.put(**cls.SETTINGS)
        cls.redis = redis
        cls.sink = Sink()
        cls.addClassCleanup(cls.sink.close)
        listener = cls.sink.add("listener", "127.0.0.1")
        cls.make(mode="enforce", redis="unix:" + redis.socket,
                 arc_domain=GATE, redis_timeout_ms="10000",
                 release_listener=f"127.0.0.1:{listener.port}",
                 socketmap_listen=f"inet:127.0.0.1:{free_port()}")

    def send(self, *rcpts, headers=None, body=BODY, ip=GOOD_IP,
             sender=f"a@{GOOD}"):
        # The same mail again would neither be held nor sent again.
        headers = [("X-Number", f" {next(self.NUMBERS)}"),
                   *(headers or self.HEADERS)]
        with self.daemon.greeted(ip=ip) as mta:
            result = mta.mail(f"<{sender}>", [
                f"<{r if '@' in r else r + '@our.example'}>" for r in rcpts],
                headers, body)
        self.assertIn(result.reply, ("c", "d"))
        return result

    def copy_for(self, rcpt, body=BODY):
        """What the listener got, the only one for this recipient."""
        delivery, = self.sink.wait(rcpt)
        self.assertEqual(delivery.content.partition(b"\r\n\r\n")[2], body)
        self.assertTrue(delivery.content.startswith(b"Received: "))
        self.sink.forget()
        return delivery

    def release(self, mailbox, body=BODY):
        domain = mailbox.partition("@")[2]
        held, = [e.decode() for e in self.redis.run(
            "ZRANGE", f"sk:{{d:{domain}}}:index:{mailbox.partition('@')[0]}",
            "0", "-1")]
        signatures = self.redis.run(
            "HGET", f"sk:{{d:{domain}}}:held:{held}", "signatures")
        shown = json.dumps(self.tool("show", held, group="quarantine"))
        for line in (signatures or b"").decode().split("\r\n"):
            if line.startswith(" b="):  # nobody sees it before
                self.assertNotIn(line[3:], shown)
        self.tool("release", held, group="quarantine")
        self.tool("remove", held, group="quarantine")
        return self.copy_for(mailbox, body), bool(signatures)

    def test_a_copy_with_a_mark(self):
        result = self.send("all", "tag")
        self.assertEqual(result.deleted, ["<tag@our.example>"])
        copy = self.copy_for("tag@our.example")
        self.assertNotEqual(copy.fields("Subject"), ["oh\thi"])
        self.assertEqual(self.chain_of(copy.content), ("pass", 1))
        self.assertEqual(self.chain_of(message(result.headers, BODY)),
                         ("pass", 1))
        self.assertEqual(len(copy.fields("Authentication-Results")), 1)

    def test_a_copy_without_a_mark(self):
        for rcpt, chain in (("all", ("pass", 1)), ("plain", ("none", 0))):
            with self.subTest(rcpt):
                self.send("tag", rcpt, "tag2")
                copy = self.copy_for(f"{rcpt}@our.example")
                self.assertEqual(copy.fields("Subject"), ["oh\thi"])
                self.assertEqual(self.chain_of(copy.content), chain)

    def test_never_sealed(self):
        self.send("all", "tag2")
        copy = self.copy_for("tag2@our.example")
        self.assertNotEqual(copy.fields("Subject"), ["oh\thi"])
        self.assertEqual(copy.fields("ARC-Seal"), [])

    def test_held_and_released(self):
        for rcpt, chain in (("hold", ("pass", 1)), ("hold2", ("none", 0))):
            with self.subTest(rcpt):
                self.assertEqual(self.send(rcpt).reply, "d")
                copy, _ = self.release(f"{rcpt}@our.example")
                self.assertEqual(self.chain_of(copy.content), chain)

    def test_held_with_a_chain(self):
        """One that is whole grows; one that broke on the way gets a seal
        that says so; one that says so already is closed."""
        once = self.send("all").headers
        broken = [(n, v + "x" if n == "ARC-Seal" else v) for n, v in once]
        closed = self.send("all", headers=broken).headers
        for label, headers, sets, chain in (
                ("whole", once, 2, "pass"),
                ("broken", broken, 2, "fail"),
                ("closed", closed, 2, "fail")):
            with self.subTest(label):
                self.send("hold", headers=headers)
                copy, is_signed = self.release("hold@our.example")
                self.assertEqual(is_signed, label != "closed")
                self.assertEqual(len(copy.fields("ARC-Seal")), sets)
                self.assertEqual(self.chain_of(copy.content)[0], chain)

    def test_outbound_held_and_released(self):
        """Too large for its domain: held for whom it was to."""
        body = b"x" * 70 + b" \r\n"
        body = body * 1000 + b"no line end"
        headers = [(n, v.replace("a@", "held@")) for n, v in HEADERS]
        result = self.send("b@remote.example", headers=headers, body=body,
                           ip=OWN_IP, sender=f"held@{OURS}")
        self.assertEqual(result.reply, "d")
        # The tool finds what is held for others by the history; here is none.
        self.redis.put(**{"domain:remote.example": {"made": "{}"}})
        copy, _ = self.release("b@remote.example", body + b"\r\n")
        self.assertEqual(self.verified(copy.content),
                         {"r1": True, "e1": True})

    def test_our_own_user_held_here(self):
        headers = [("Authentication-Results",
                    " mx.sekimori-test.net; dkim=pass header.d=evil.example"),
                   *((n, v.replace("a@", "held@")) for n, v in HEADERS)]
        self.send("hold2", "tag", headers=headers, ip=OWN_IP,
                  sender=f"held@{OURS}")
        copy, _ = self.release("hold2@our.example")
        self.assertEqual(copy.fields("Authentication-Results"), [])
        self.assertEqual(self.verified(copy.content),
                         {"r1": True, "e1": True})

    def test_a_copy_does_not_wait_until_it_is_due(self):
        """It is sent when our reply is out, whatever comes next."""
        with self.daemon.greeted(ip=GOOD_IP) as mta:
            mta.mail(f"<a@{GOOD}>", ["<all@our.example>",
                                     "<tag@our.example>"],
                     self.HEADERS, b"waits\r\n")
            entries = self.redis.run("ZRANGE", "sk:{d:our.example}:due",
                                     "0", "-1")
            for entry in entries:
                self.redis.run("ZADD", "sk:{d:our.example}:due", "XX",
                               "9999999999999", entry)
            self.copy_for("tag@our.example", b"waits\r\n")


if __name__ == "__main__":
    unittest.main()
