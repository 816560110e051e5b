#!/usr/bin/env python3
"""test_http.py - sekimori-web as its clients see it: sign-in, forms, JSON,
ceilings, and clients that mean no good.

SPDX-License-Identifier: BSD-2-Clause
"""

import html
import http.client
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.parse

HERE = pathlib.Path(__file__).resolve().parent
sys.dont_write_bytecode = True
sys.path.insert(0, str(HERE.parent / "milter"))

from daemon import Redis, free_port     # noqa: E402

BUILD = os.environ.get("SEKIMORI_BUILD", os.getcwd())
PATIENCE_S = 60
SLOW_S = 2          # web_timeout of the tests
NEW_PASSWORD = "correct horse battery"


class Server:
    """A Redis and a sekimori-web in a directory of their own."""

    def __init__(self, **options):
        self.directory = tempfile.mkdtemp(prefix="sekimori-web.")
        self.port = free_port()
        self.redis = Redis(self.directory)
        self.config = os.path.join(self.directory, "sekimori.conf")
        options = {
            "user": "root",
            "state_dir": self.directory,
            "run_dir": self.directory,
            "redis": f"unix:{self.redis.socket}",
            "redis_timeout_ms": 60000,
            "web_listen": f"127.0.0.1:{self.port}",
            **options}
        with open(self.config, "w", encoding="utf-8") as out:
            for name, value in options.items():
                out.write(f'{name} = "{value}"\n')
        self.process = None
        self.first = None

    def start(self):
        self.redis.start()
        with open(os.path.join(self.directory, "log"), "w",
                  encoding="utf-8") as log:
            self.process = subprocess.Popen(
                [os.path.join(BUILD, "sekimori-web"), "-c", self.config],
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log,
                text=True)
        line = self.process.stdout.readline()
        found = re.match(r"first sign-in: user operator password (\S+)", line)
        if not found:
            raise AssertionError(f"said {line!r}; log:\n{self.log()}")
        self.first = found.group(1)
        return self

    def log(self):
        with open(os.path.join(self.directory, "log"),
                  encoding="utf-8") as log:
            return log.read()

    def stop(self):
        """Ends both; what the web program ended with."""
        status = None
        if self.process:
            self.process.send_signal(signal.SIGTERM)
            status = self.process.wait(timeout=PATIENCE_S)
            self.process.stdout.close()
            log = self.log()
            if "Sanitizer" in log:
                raise AssertionError(log)
        self.redis.stop()
        shutil.rmtree(self.directory)
        return status

    def command(self, *words):
        """The tool; its JSON."""
        done = subprocess.run(
            [os.path.join(BUILD, "sekimori"), "-c", self.config, "--json",
             *words], stdin=subprocess.DEVNULL, capture_output=True,
            text=True, timeout=PATIENCE_S, check=False)
        if done.returncode != 0:
            raise AssertionError(done.stderr)
        return json.loads(done.stdout)

    def raw(self, data, family=socket.AF_INET):
        """The answer to octets, until the server closes."""
        with self.connect() as peer:
            peer.sendall(data)
            return read_all(peer)

    def connect(self):
        return socket.create_connection(("127.0.0.1", self.port),
                                        timeout=PATIENCE_S)


def read_all(peer):
    data = b""
    while True:
        try:
            more = peer.recv(65536)
        except ConnectionResetError:
            return data
        if not more:
            return data
        data += more


class Answer:
    def __init__(self, response):
        self.status = response.status
        self.headers = response.headers
        self.body = response.read()

    @property
    def text(self):
        return self.body.decode()

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def csrf(self):
        found = re.search(r'name="csrf" value="([^"]+)"', self.text)
        return html.unescape(found.group(1)) if found else None

    @property
    def alert(self):
        found = re.search(r'role="alert"[^>]*>(.*?)</div></div>', self.text, re.S)
        return html.unescape(re.sub(r"<[^>]+>", " ", found.group(1))) \
            if found else None


class Browser:
    """Cookies and a Referer, as browsers have them; no redirection is
    followed."""

    def __init__(self, server, source=None, **headers):
        self.server = server
        self.cookies = {}
        self.headers = headers
        self.source = source
        self.at = None

    def open(self):
        return http.client.HTTPConnection(
            "127.0.0.1", self.server.port, timeout=PATIENCE_S,
            source_address=(self.source, 0) if self.source else None)

    def ask(self, method, path, body=None, **headers):
        connection = self.open()
        fields = {**self.headers, **headers}
        if self.cookies:
            fields["Cookie"] = "; ".join(
                f"{name}={value}" for name, value in self.cookies.items())
        if self.at:
            fields.setdefault("Referer", self.at)
        fields = {name.replace("_", "-"): value
                  for name, value in fields.items() if value is not None}
        connection.request(method, path, body=body, headers=fields)
        answer = Answer(connection.getresponse())
        connection.close()
        for line in answer.headers.get_all("Set-Cookie", []):
            name, _, value = line.split(";")[0].partition("=")
            self.cookies[name] = value
            if "Max-Age=0" in line:
                del self.cookies[name]
        return answer

    def get(self, path, **headers):
        answer = self.ask("GET", path, **headers)
        if answer.status == 200:
            self.at = f"http://127.0.0.1:{self.server.port}{path}"
        return answer

    def post(self, path, fields, **headers):
        return self.ask("POST", path, urllib.parse.urlencode(fields, True),
                        Content_Type="application/x-www-form-urlencoded",
                        **headers)

    def sign_in(self, user, password, **more):
        token = self.get("/sign-in").csrf
        return self.post("/sign-in", {"user": user, "password": password,
                                      "csrf": token, **more})

    def token(self, path="/password"):
        return self.get(path).csrf

    def new_password(self, old, new):
        return self.post("/password", {
            "password": old, "new_password": new, "repeat_password": new,
            "csrf": self.token()})


def faulty(answer):
    """Names of the fields that are marked; the keyboard is in one of them."""
    marked = [tag for tag in re.findall(r"<(?:input|select|textarea)[^>]*>",
                                        answer.text)
              if 'aria-invalid="true"' in tag]
    for tag in marked:
        assert re.search(r'aria-describedby="problem[ "]', tag), tag
        assert " autofocus" in tag, tag
    return [re.search(r' name="([^"]*)"', tag).group(1) for tag in marked]


class Client(Browser):
    """A program that speaks JSON."""

    def __init__(self, server, **headers):
        super().__init__(server, Accept="application/json", **headers)
        self.csrf = None

    def send(self, path, model, **headers):
        return self.ask("POST", path, json.dumps(model),
                        Content_Type="application/json",
                        X_CSRF_Token=self.csrf, **headers)

    def enter(self, user, password):
        answer = self.send("/sign-in", {"user": user, "password": password})
        if answer.status == 200:
            self.csrf = answer.json["csrf"]
        return answer


class Base(unittest.TestCase):
    OPTIONS = {}

    @classmethod
    def setUpClass(cls):
        if not Redis.INSTALLED:
            raise unittest.SkipTest("there is no redis-server")
        cls.server = Server(**cls.OPTIONS)
        try:
            cls.server.start()
            # The first password is there to be changed.
            browser = Browser(cls.server)
            browser.sign_in("operator", cls.server.first)
            browser.new_password(cls.server.first, NEW_PASSWORD)
        except BaseException:
            cls.server.stop()
            raise

    @classmethod
    def tearDownClass(cls):
        status = cls.server.stop()
        if status != 0:
            raise AssertionError(f"sekimori-web ended with {status}")

    def signed_in(self):
        browser = Browser(self.server)
        self.assertEqual(
            browser.sign_in("operator", NEW_PASSWORD).status, 303)
        return browser

    def entered(self):
        client = Client(self.server)
        self.assertEqual(client.enter("operator", NEW_PASSWORD).status, 200)
        return client

    def user(self, name, *words):
        """Made by the tool, with the password of the operator's."""
        made = self.server.command("user", "add", name, *words)
        browser = Browser(self.server)
        browser.sign_in(name, made["password"])
        browser.new_password(made["password"], NEW_PASSWORD)
        return browser


class SignIn(Base):
    def test_first_password_must_be_changed(self):
        made = self.server.command("user", "add", "fresh", "operator")
        browser = Browser(self.server)
        answer = browser.sign_in("fresh", made["password"])
        self.assertEqual((answer.status, answer.headers["Location"]),
                         (303, "/password"))
        answer = browser.get("/overview")
        self.assertEqual((answer.status, answer.headers["Location"]),
                         (303, "/password"))
        answer = browser.get("/overview", Accept="application/json")
        self.assertEqual(answer.status, 403)
        answer = browser.new_password(made["password"], NEW_PASSWORD)
        self.assertEqual(answer.headers["Location"], "/overview")
        self.assertEqual(browser.get("/overview").status, 200)

    def test_cookie(self):
        browser = Browser(self.server)
        answer = browser.sign_in("operator", NEW_PASSWORD)
        lines = [line for line in answer.headers.get_all("Set-Cookie")
                 if line.startswith("sekimori-session=")]
        self.assertEqual(len(lines), 1)
        self.assertIn("HttpOnly", lines[0])
        self.assertIn("SameSite=Lax", lines[0])
        self.assertNotIn("Max-Age", lines[0])

    def test_wrong_looks_like_unknown(self):
        answers = []
        for user in ("operator", "nobody-at-all", "../../etc", "O'Brien"):
            answer = Client(self.server).enter(user, "wrong password")
            self.assertEqual(answer.status, 401)
            answers.append(answer.json)
        self.assertEqual(answers[0], answers[1])
        self.assertEqual(answers[0], answers[2])
        self.assertEqual(answers[0], answers[3])
        self.assertEqual(self.entered().get("/overview").status, 200)

    def test_wrong_keeps_what_was_typed(self):
        answer = Browser(self.server).sign_in("typed-name", "typed-secret")
        self.assertEqual(answer.status, 401)
        self.assertIn("the name or the password is wrong", answer.alert)
        self.assertIn('value="typed-name"', answer.text)
        self.assertNotIn("typed-secret", answer.text)

    def test_fixation(self):
        """A session that was there before is none after it."""
        victim = Browser(self.server)
        victim.cookies["sekimori-session"] = "A" * 43
        victim.sign_in("operator", NEW_PASSWORD)
        self.assertNotEqual(victim.cookies["sekimori-session"], "A" * 43)
        old = victim.cookies["sekimori-session"]
        victim.sign_in("operator", NEW_PASSWORD)   # already signed in
        token = victim.token()
        answer = victim.post("/sign-in", {"user": "operator", "csrf": token,
                                          "password": NEW_PASSWORD})
        self.assertEqual(answer.status, 303)
        self.assertNotEqual(victim.cookies["sekimori-session"], old)
        thief = Browser(self.server)
        thief.cookies["sekimori-session"] = old
        self.assertEqual(thief.get("/overview").headers["Location"],
                         "/sign-in?next=/overview")

    def test_sign_out(self):
        browser = self.signed_in()
        stolen = dict(browser.cookies)
        answer = browser.post("/sign-out", {"csrf": browser.token()})
        self.assertEqual(answer.headers["Location"], "/sign-in")
        self.assertNotIn("sekimori-session", browser.cookies)
        browser.cookies = stolen
        self.assertEqual(browser.get("/overview").status, 303)

    def test_password_ends_other_sessions(self):
        here = self.user("changer", "postmaster")
        there = Browser(self.server)
        there.sign_in("changer", NEW_PASSWORD)
        self.assertEqual(there.get("/overview").status, 200)
        answer = here.post("/password", {
            "password": "not the old one", "new_password": "something new",
            "repeat_password": "something new", "csrf": here.token()})
        self.assertEqual(answer.status, 401)
        self.assertEqual(
            here.new_password(NEW_PASSWORD, "something new").status, 303)
        self.assertEqual(here.get("/overview").status, 200)
        self.assertEqual(there.get("/overview").status, 303)

    def test_bad_new_passwords(self):
        here = self.signed_in()
        for new in ("short", NEW_PASSWORD, "operator-operator", "x" * 1025):
            answer = here.new_password(NEW_PASSWORD, new)
            self.assertEqual(answer.status, 400, new)
        answer = here.post("/password", {
            "password": NEW_PASSWORD, "new_password": "a good new one",
            "repeat_password": "a good new two", "csrf": here.token()})
        self.assertEqual(answer.status, 400)

    def test_disabled_and_removed(self):
        here = self.user("leaver", "postmaster")
        self.assertEqual(here.get("/overview").status, 200)
        self.server.command("user", "set", "leaver", "--disabled", "yes")
        self.assertEqual(here.get("/overview").status, 303)
        self.assertEqual(
            Client(self.server).enter("leaver", NEW_PASSWORD).status, 401)
        self.server.command("user", "set", "leaver", "--disabled", "no")
        self.assertEqual(here.get("/overview").status, 200)
        self.server.command("user", "remove", "leaver")
        self.assertEqual(here.get("/overview").status, 303)

    def test_role_counts_at_once(self):
        here = self.user("mover", "operator")
        self.assertEqual(here.get("/quarantine?domain=a.example").status, 200)
        self.server.command("user", "set", "mover", "--role", "postmaster")
        self.assertEqual(here.get("/quarantine?domain=a.example").status, 403)

    def test_next(self):
        for given, wanted in (("/log?x=1", "/log?x=1"),
                              ("//evil.example", "/overview"),
                              ("https://evil.example", "/overview"),
                              ("/\\evil.example", "/overview"),
                              ("/\tx", "/overview")):
            answer = Browser(self.server).sign_in(
                "operator", NEW_PASSWORD, next=given)
            self.assertEqual(answer.headers["Location"], wanted, given)

    def test_session_ends(self):
        """After 30 minutes without use, and 12 hours in any case: by what
        the store has."""
        browser = self.signed_in()
        redis = self.server.redis
        keys = redis.run("KEYS", "sk:{c:session}:*")
        for key in keys:
            self.assertLessEqual(redis.run("PTTL", key), 1800 * 1000)
            seen = int(redis.run("HGET", key, "seen"))
            ends = int(redis.run("HGET", key, "ends"))
            self.assertLessEqual(ends - seen, 12 * 3600 * 1000)
            self.assertGreater(ends - seen, 11 * 3600 * 1000)
            redis.run("HSET", key, "seen", seen - 1800 * 1000)
        self.assertEqual(browser.get("/overview").status, 303)
        browser = self.signed_in()
        for key in redis.run("KEYS", "sk:{c:session}:*"):
            redis.run("HSET", key, "ends", int(time.time() * 1000) - 1)
        self.assertEqual(browser.get("/overview").status, 303)

    def test_store_has_no_secrets(self):
        browser = self.signed_in()
        token = browser.cookies["sekimori-session"].encode()
        redis = self.server.redis
        for key in redis.run("KEYS", "*"):
            self.assertNotIn(token, key)
        dump = b"".join(redis.run("HGET", "sk:{cfg}:user:operator", field)
                        or b"" for field in ("password",))
        self.assertTrue(dump.startswith(b"$argon2id$"))
        audit = repr(redis.run("XRANGE", "sk:{cfg}:audit", "-", "+"))
        self.assertNotIn("argon2id", audit)
        self.assertNotIn(NEW_PASSWORD, self.server.log())


class LockOut(Base):
    def hold_locked(self, name, network="127.0.0.1"):
        """Longer than it is: however slow this machine is."""
        redis = self.server.redis
        key = f"sk:{{c:sign-in}}:user:{name}"
        until = int(redis.run("HGET", key, f"until {network}"))
        self.assertGreater(until, 0)
        redis.run("HSET", key, f"until {network}", until + 3600 * 1000)

    def test_user(self):
        self.server.command("user", "add", "target", "postmaster")
        for _ in range(5):
            self.assertEqual(
                Client(self.server).enter("target", "wrong one").status, 401)
        self.hold_locked("target")
        for _ in range(2):
            answer = Client(self.server).enter("target", "wrong one")
            self.assertEqual(answer.status, 429)
            self.assertIn("try again in", answer.json["error"]["text"])
        # The right one does not help, and nobody else is closed out.
        made = self.server.command("user", "passwd", "target")
        self.assertEqual(Client(self.server).enter(
            "target", made["password"]).status, 429)
        self.assertEqual(self.entered().get("/overview").status, 200)
        shown = self.server.command("user", "show", "target")
        self.assertGreater(shown["locked_for"], 0)
        self.server.command("user", "set", "target", "--unlock")
        self.assertEqual(Client(self.server).enter(
            "target", made["password"]).status, 200)

    def test_unknown_locks_alike(self):
        for _ in range(5):
            Client(self.server).enter("no-such-user", "wrong one")
        self.hold_locked("no-such-user")
        self.assertEqual(
            Client(self.server).enter("no-such-user", "wrong one").status,
            429)

    def test_ends_by_itself(self):
        self.server.command("user", "add", "waiter", "postmaster")
        made = self.server.command("user", "passwd", "waiter")
        for _ in range(5):
            Client(self.server).enter("waiter", "wrong one")
        redis = self.server.redis
        key = "sk:{c:sign-in}:user:waiter"
        until = int(redis.run("HGET", key, "until 127.0.0.1"))
        self.assertGreater(redis.run("TTL", key), 0)
        redis.run("HSET", key, "until 127.0.0.1", until - 31 * 1000)
        self.assertEqual(Client(self.server).enter(
            "waiter", made["password"]).status, 200)
        self.assertIsNone(redis.run("HGET", key, "until 127.0.0.1"))
        self.assertIsNone(redis.run("HGET", key, "n 127.0.0.1"))

    def test_only_from_there(self):
        """Who knows a name locks it for the own network, not its owner."""
        made = self.server.command("user", "add", "envied", "postmaster")
        for _ in range(5):
            Client(self.server, source="127.0.0.66").enter("envied", "wrong")
        self.hold_locked("envied", "127.0.0.66")
        self.assertEqual(Client(self.server, source="127.0.0.66").enter(
            "envied", made["password"]).status, 429)
        self.assertEqual(Client(self.server).enter(
            "envied", made["password"]).status, 200)
        # Nor did that unlock it there.
        self.assertEqual(Client(self.server, source="127.0.0.66").enter(
            "envied", made["password"]).status, 429)

    def test_from_everywhere(self):
        """Guessing from many networks meets a ceiling, but for networks from
        which the user came before."""
        redis = self.server.redis
        made = self.server.command("user", "add", "famous", "postmaster")
        key = "sk:{c:sign-in}:user:famous"
        self.assertEqual(Client(self.server, source="127.0.0.77").enter(
            "famous", made["password"]).status, 200)
        redis.run("HSET", key, "n", 28)
        for last in (2, 3):
            self.assertEqual(Client(self.server, source=f"127.0.1.{last}")
                             .enter("famous", "wrong one").status, 401)
        self.hold_locked_everywhere(key)
        self.assertEqual(Client(self.server, source="127.0.1.4").enter(
            "famous", made["password"]).status, 429)
        self.assertEqual(Client(self.server, source="127.0.0.77").enter(
            "famous", made["password"]).status, 200)
        # The owner's sign-in is no leave to guess on.
        self.assertEqual(Client(self.server, source="127.0.1.5").enter(
            "famous", "wrong one").status, 429)
        self.server.command("user", "set", "famous", "--unlock")
        self.assertEqual(Client(self.server, source="127.0.1.4").enter(
            "famous", made["password"]).status, 200)

    def hold_locked_everywhere(self, key):
        redis = self.server.redis
        until = int(redis.run("HGET", key, "until"))
        redis.run("HSET", key, "until", until + 3600 * 1000)

    def test_known_networks_are_few(self):
        redis = self.server.redis
        made = self.server.command("user", "add", "travels", "postmaster")
        key = "sk:{c:sign-in}:known:travels"
        for n in range(20):
            redis.run("HSET", key, f"192.0.2.{n}", 1000 + n)
        self.assertEqual(Client(self.server).enter(
            "travels", made["password"]).status, 200)
        self.assertEqual(redis.run("HLEN", key), 20)
        self.assertIsNone(redis.run("HGET", key, "192.0.2.0"))
        self.assertIsNotNone(redis.run("HGET", key, "127.0.0.1"))
        self.assertGreater(redis.run("TTL", key), 80 * 24 * 3600)

    def test_address(self):
        """Many names from one address."""
        redis = self.server.redis
        key = "sk:{c:sign-in}:ip:127.0.0.1"
        redis.run("HSET", key, "n", 29)
        try:
            Client(self.server).enter("somebody", "wrong one")
            self.assertEqual(
                Client(self.server).enter("another", "wrong one").status, 429)
            self.assertEqual(Client(self.server).enter(
                "operator", NEW_PASSWORD).status, 429)
        finally:
            redis.run("DEL", key)

    def test_many_at_once(self):
        """Attempts count when they are made, not when they fail."""
        connections = []
        body = json.dumps({"user": "hammered", "password": "wrong one"})
        for _ in range(12):
            connection = http.client.HTTPConnection(
                "127.0.0.1", self.server.port, timeout=PATIENCE_S)
            connection.request(
                "POST", "/sign-in", body,
                {"Content-Type": "application/json"})
            connections.append(connection)
        statuses = []
        for connection in connections:
            statuses.append(connection.getresponse().status)
            connection.close()
        self.assertEqual(statuses.count(401), 5)
        self.assertEqual(statuses.count(429), 7)


class Managers(Base):
    """Nobody makes more than they are."""

    def setUp(self):
        self.client = Client(self.server)
        self.name = f"admin{time.monotonic_ns()}"
        made = self.server.command("user", "add", self.name, "domain-admin",
                                   "--domains", "a.example,b.example")
        browser = Browser(self.server)
        browser.sign_in(self.name, made["password"])
        browser.new_password(made["password"], NEW_PASSWORD)
        self.client.cookies = browser.cookies
        self.client.csrf = browser.token()

    def test_add(self):
        for fields, wanted in (
                ({"role": "operator"}, 403),
                ({"role": "postmaster"}, 403),
                ({"role": "domain-admin", "domains": ["a.example"]}, 403),
                ({"role": "releaser", "domains": ["c.example"]}, 403),
                ({"role": "releaser",
                  "domains": ["a.example", "c.example"]}, 403),
                ({"role": "releaser"}, 400),
                ({"role": "mail-user"}, 400),
                ({"role": "mail-user", "mailbox": "x@c.example"}, 403),
                ({"role": "nobody"}, 400),
                ({"role": "mail-user", "mailbox": "x@b.example"}, 200),
                ({"role": "releaser", "domains": "a.example"}, 200)):
            answer = self.client.send("/users", {
                "name": f"made{time.monotonic_ns()}", **fields})
            self.assertEqual(answer.status, wanted, fields)

    def test_raise(self):
        name = f"rel{time.monotonic_ns()}"
        self.client.send("/users", {"name": name, "role": "releaser",
                                    "domains": ["a.example"]})
        for fields in ({"role": "operator"},
                       {"role": "domain-admin"},
                       {"domains": ["a.example", "c.example"]}):
            self.assertEqual(
                self.client.send(f"/users/{name}", fields).status, 403)
        self.assertEqual(self.client.send(f"/users/{name}", {
            "disabled": True}).status, 200)

    def test_others_are_not_there(self):
        for name in ("operator", self.name, "no-such-user"):
            self.assertEqual(self.client.get(f"/users/{name}").status, 404)
            self.assertEqual(self.client.send(
                f"/users/{name}", {"generate": True}).status, 404)
        names = [user["name"] for user in self.client.get("/users").json[
            "users"]]
        self.assertNotIn("operator", names)

    def test_last_operator(self):
        boss = self.entered()
        for fields in ({"disabled": True}, {"role": "postmaster"}):
            self.assertEqual(
                boss.send("/users/operator", fields).status, 409)
        self.assertEqual(
            boss.send("/users/operator/remove", {}).status, 409)


class Forgery(Base):
    def setUp(self):
        self.browser = self.signed_in()
        self.token = self.browser.token()
        self.fields = {"domain": "forged.example", "csrf": self.token}

    def is_there(self):
        return b"forged.example" in self.browser.get(
            "/domains", Accept="application/json").body

    def test_good(self):
        answer = self.browser.post("/domains", {
            "domain": "good.example", "csrf": self.token})
        self.assertEqual(answer.status, 303)
        self.assertEqual(answer.headers["Location"], "/domains/good.example")
        answer = self.browser.get(answer.headers["Location"])
        self.assertIn('role="status"', answer.text)
        # The notice is shown once.
        answer = self.browser.get("/domains/good.example")
        self.assertNotIn('role="status"', answer.text)

    def test_refused(self):
        other = self.signed_in()
        for label, fields, headers in (
                ("no token", {"domain": "forged.example"}, {}),
                ("empty", {**self.fields, "csrf": ""}, {}),
                ("of another", {**self.fields, "csrf": other.token()}, {}),
                ("cut", {**self.fields, "csrf": self.token[:-1]}, {}),
                ("origin", self.fields, {"Origin": "https://evil.example"}),
                ("null origin", self.fields, {"Origin": "null"}),
                ("other port", self.fields, {"Origin": "http://127.0.0.1:1"}),
                ("site", self.fields, {"Sec_Fetch_Site": "cross-site"}),
                ("subdomain", self.fields, {"Sec_Fetch_Site": "same-site"})):
            answer = self.browser.post("/domains", fields, **headers)
            self.assertEqual(answer.status, 403, label)
            self.assertFalse(self.is_there(), label)

    def test_json_needs_it_too(self):
        client = Client(self.server)
        client.cookies = dict(self.browser.cookies)
        self.assertEqual(
            client.send("/domains", {"domain": "forged.example"}).status, 403)
        client.csrf = self.token
        self.assertEqual(
            client.send("/domains", {"domain": "json.example"}).status, 200)
        self.assertFalse(self.is_there())

    def test_sign_in_needs_one(self):
        stranger = Browser(self.server)
        answer = stranger.post("/sign-in", {"user": "operator",
                                            "password": NEW_PASSWORD})
        self.assertEqual(answer.status, 403)
        stranger.get("/sign-in")
        answer = stranger.post("/sign-in", {
            "user": "operator", "password": NEW_PASSWORD, "csrf": "x" * 43})
        self.assertEqual(answer.status, 403)

    def test_get_changes_nothing(self):
        for path in ("/sign-out", "/domains/a.example/remove",
                     "/users/operator/remove"):
            self.assertEqual(self.browser.get(path).status, 405, path)

    def test_redirection_stays_here(self):
        for referer in ("https://evil.example/x", "javascript:alert(1)",
                        f"http://127.0.0.1:{self.server.port}//evil.example"):
            answer = self.browser.post(
                "/preferences", {"theme": "dark", "csrf": self.token},
                Referer=referer)
            self.assertEqual(answer.status, 303)
            self.assertEqual(answer.headers["Location"], "/overview")
        answer = self.browser.post("/preferences", {
            "theme": "dark", "csrf": self.token, "back": "//evil.example"},
            Referer=None)
        self.assertNotIn("evil", answer.headers["Location"])


class Pages(Base):
    def test_headers(self):
        browser = self.signed_in()
        for path in ("/overview", "/sign-in", "/nothing", "/log",
                     "/assets/page.css", "/healthz"):
            headers = browser.get(path).headers
            self.assertIn("default-src 'none'",
                          headers["Content-Security-Policy"], path)
            self.assertNotIn("unsafe", headers["Content-Security-Policy"])
            self.assertEqual(headers["X-Content-Type-Options"], "nosniff")
            self.assertEqual(headers["Referrer-Policy"], "same-origin")
            self.assertIsNone(headers["Server"])
            self.assertIsNone(headers["Strict-Transport-Security"])
        self.assertEqual(browser.get("/overview").headers["Cache-Control"],
                         "no-store")

    def test_assets(self):
        browser = Browser(self.server)
        page = browser.get("/sign-in").text
        for path in re.findall(r'(?:href|src)="(/assets/[^"]+)"', page):
            answer = browser.get(html.unescape(path))
            self.assertEqual(answer.status, 200, path)
            self.assertIn("immutable", answer.headers["Cache-Control"])
            tag = answer.headers["ETag"]
            again = browser.get(path, If_None_Match=tag)
            self.assertEqual((again.status, again.body), (304, b""))
        self.assertEqual(browser.get("/assets/../main.c").status, 404)
        self.assertEqual(browser.get("/assets/%2e%2e/x").status, 404)

    def test_head(self):
        browser = self.signed_in()
        answer = browser.ask("HEAD", "/overview")
        self.assertEqual((answer.status, answer.body), (200, b""))
        self.assertGreater(int(answer.headers["Content-Length"]), 1000)

    def test_languages(self):
        browser = Browser(self.server)
        self.assertIn('<html lang="en"', browser.get("/sign-in").text)
        self.assertIn('<html lang="ja"', browser.get(
            "/sign-in", Accept_Language="ja,en;q=0.5").text)
        token = browser.token("/sign-in")
        answer = browser.post("/preferences", {
            "language": "ja", "csrf": token, "back": "/sign-in"})
        self.assertEqual(answer.headers["Location"], "/sign-in")
        self.assertIn('<html lang="ja"', browser.get("/sign-in").text)
        # The choice of a user goes with the user.
        here = self.user("reader", "postmaster")
        here.post("/preferences", {"language": "ja", "csrf": here.token()})
        elsewhere = Browser(self.server)
        elsewhere.sign_in("reader", NEW_PASSWORD)
        self.assertIn('<html lang="ja"', elsewhere.get("/overview").text)

    def test_json(self):
        client = self.entered()
        answer = client.get("/overview")
        self.assertEqual(answer.headers["Content-Type"], "application/json")
        self.assertIn("generation", answer.json)
        answer = client.get("/nothing")
        self.assertEqual((answer.status, answer.json["error"]["kind"]),
                         (404, "not-found"))
        self.assertEqual(Client(self.server).get("/overview").status, 401)

    def test_failed_form_is_shown_again(self):
        browser = self.signed_in()
        token = browser.token("/users")
        answer = browser.post("/users", {"name": "x", "role": "releaser",
                                         "csrf": token})
        self.assertEqual(answer.status, 400)
        self.assertIn("Domains", answer.alert)
        self.assertIn('value="x"', answer.text)
        self.assertIn('<option value="releaser" selected>', answer.text)
        self.assertEqual(faulty(answer), ["domains"])

    def test_field_at_fault(self):
        """It is marked, told what is wrong, gets the keyboard, and all that
        was typed stands there again."""
        browser = self.signed_in()
        for path in ("/domains", "/recipients", "/aliases"):
            browser.post(path, {"domain": "fault.example",
                                "address": "taro@fault.example",
                                "source": "info@fault.example",
                                "targets": "taro@fault.example",
                                "csrf": browser.token("/domains")})
        domain = "?domain=fault.example"
        for path, page, fields, wrong in (
                ("/lists", "/lists" + domain,
                 {"domain": "fault.example", "side": "client",
                  "kind": "allow", "pattern": "300.1.2.3",
                  "comment": "kept-1"}, "pattern"),
                ("/lists", "/lists" + domain,
                 {"domain": "fault.example", "side": "sender",
                  "kind": "block", "pattern": "@spam.example",
                  "expires": "2001-01-01", "comment": "kept-2"}, "expires"),
                ("/domains", "/domains", {"domain": "kept-3 .example"},
                 "domain"),
                ("/recipients", "/recipients" + domain,
                 {"address": "kept-4@", "comment": "kept-4"}, "address"),
                ("/aliases", "/aliases" + domain,
                 {"source": "kept@fault.example",
                  "targets": "kept-5"}, "targets"),
                ("/domains/fault.example", "/domains/fault.example",
                 {"options.retention": "kept-6",
                  "as_shown.retention": "30d"}, "options.retention"),
                ("/routes/fault.example", "/routes/fault.example",
                 {"routes.0.host": "kept-7.example", "routes.0.port": "25",
                  "routes.1.host": "mx2.example",
                  "routes.1.port": "99999"}, "routes.1.port"),
                ("/users", "/users",
                 {"name": "kept 8", "role": "mail-user"}, "name")):
            browser.get(page)
            answer = browser.post(path, {**fields, "csrf": browser.token()},
                                  Referer=self.address(page))
            label = f"{path} {wrong}"
            self.assertEqual(answer.status, 400, label)
            self.assertEqual(faulty(answer), [wrong], label)
            for value in fields.values():
                if "kept" in value:
                    self.assertIn(html.escape(value), answer.text, label)
            self.assertIn('id="problem"', answer.text, label)

    def address(self, path):
        return f"http://127.0.0.1:{self.server.port}{path}"

    def test_filter_at_fault(self):
        """A search that cannot be: its page, with what was typed."""
        browser = self.signed_in()
        answer = browser.get("/log?client=kept&sender=also")
        self.assertEqual(answer.status, 400)
        self.assertEqual(faulty(answer), ["client"])
        for value in ("kept", "also"):
            self.assertIn(f'value="{value}"', answer.text)
        self.assertIn("<details open>", answer.text)

    def test_user_form_shows_password_once(self):
        browser = self.signed_in()
        answer = browser.post("/users", {
            "name": "shown", "role": "postmaster",
            "csrf": browser.token("/users")})
        self.assertEqual(answer.status, 200)
        password = re.search(r'class="secret">([^<]+)<', answer.text).group(1)
        self.assertNotIn(password, browser.get("/users/shown").text)
        self.assertEqual(
            Client(self.server).enter("shown", password).status, 200)

    def test_upload_and_download(self):
        browser = self.signed_in()
        table = "domain\r\nup1.example\r\nup2.example\r\n"
        body = multipart({"csrf": browser.token("/domains"),
                          "mode": "merge"}, "csv", "a.csv", table.encode())
        answer = browser.ask(
            "POST", "/domains/import", body,
            Content_Type="multipart/form-data; boundary=XyZ")
        self.assertEqual(answer.status, 303, answer.text)
        answer = browser.get("/domains/export")
        self.assertIn("attachment", answer.headers["Content-Disposition"])
        self.assertIn(b"up2.example", answer.body)
        # What is only checked is shown, and changes nothing.
        body = multipart({"csrf": browser.token("/domains"),
                          "dry_run": "yes"}, "csv", "a.csv",
                         b"domain\r\nup3.example\r\n")
        answer = browser.ask(
            "POST", "/domains/import", body,
            Content_Type="multipart/form-data; boundary=XyZ")
        self.assertEqual(answer.status, 200)
        self.assertNotIn(b"up3.example",
                         browser.get("/domains/export").body)

    def test_route_check(self):
        browser = self.signed_in()
        browser.post("/domains", {"domain": "checked.example",
                                  "csrf": browser.token("/domains")})
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            listener.listen()
            dead = free_port()
            client = Client(self.server)
            client.cookies = browser.cookies
            client.csrf = browser.token("/domains")
            pid = os.fork()
            if pid == 0:
                peer, _ = listener.accept()
                peer.sendall(b"220 mx.example here I am\r\n")
                peer.recv(1000)
                peer.sendall(b"250-mx.example\r\n250 STARTTLS\r\n")
                peer.recv(1000)
                os._exit(0)
            answer = client.send("/routes/checked.example/check", {
                "routes": [
                    {"host": "127.0.0.1", "port": listener.getsockname()[1]},
                    {"host": "127.0.0.1", "port": str(dead)}]})
            os.waitpid(pid, 0)
        self.assertEqual(answer.status, 200)
        good, bad = answer.json["checks"]
        self.assertEqual((good["ok"], good["starttls"], good["text"]),
                         (True, True, "mx.example here I am"))
        self.assertFalse(bad["ok"])
        # Not saved by the check, and not with check when nobody answers.
        self.assertEqual(
            client.get("/routes/checked.example").json["routes"], [])
        routes = [{"host": "127.0.0.1", "port": dead}]
        answer = client.send("/routes/checked.example",
                             {"routes": routes, "check": True})
        self.assertEqual(answer.status, 409)
        # Which of them does not, and why.
        self.assertEqual([(c["host"], c["port"], c["ok"])
                          for c in answer.json["checks"]],
                         [("127.0.0.1", dead, False)])
        self.assertIn("Connection refused", answer.json["checks"][0]["text"])
        answer = browser.post("/routes/checked.example", {
            "routes.0.host": "127.0.0.1", "routes.0.port": dead,
            "check": "yes", "csrf": browser.token("/routes/checked.example")},
            Accept_Language="ja")
        self.assertEqual(answer.status, 409)
        self.assertIn("接続が拒否されました", answer.text)
        self.assertIn(f"127.0.0.1:{dead}", answer.text)
        answer = client.send("/routes/checked.example", {"routes": routes})
        self.assertEqual(answer.status, 200)

    def test_metrics(self):
        browser = Browser(self.server)
        self.assertEqual(browser.get("/healthz").body, b"ok\n")
        self.assertIn(b"sekimori_web_requests", browser.get("/metrics").body)
        self.assertEqual(browser.get("/readyz").status, 503)  # no milter
        # What a proxy hands on that we do not know is not from here.
        for path in ("/metrics", "/readyz"):
            self.assertEqual(browser.get(
                path, X_Forwarded_For="192.0.2.1").status, 404)


def multipart(fields, name, file_name, content):
    out = b""
    for key, value in fields.items():
        out += (f"--XyZ\r\nContent-Disposition: form-data; "
                f'name="{key}"\r\n\r\n{value}\r\n').encode()
    out += (f'--XyZ\r\nContent-Disposition: form-data; name="{name}"; '
            f'filename="{file_name}"\r\nContent-Type: text/csv\r\n\r\n'
            ).encode() + content + b"\r\n--XyZ--\r\n"
    return out


class Ceilings(Base):
    OPTIONS = {"web_upload_max": "1M", "web_connections_per_client": "8"}

    def status(self, data):
        answer = self.server.raw(data)
        return int(answer[9:12]) if answer.startswith(b"HTTP/1.1 ") else None

    def simple(self, line, *fields):
        return self.status("\r\n".join(
            (line, "Host: 127.0.0.1", "Connection: close", *fields, "", "")
        ).encode("latin-1"))

    def test_malformed(self):
        form = "Content-Type: application/x-www-form-urlencoded"
        for label, wanted, line, fields in (
                ("method", 405, "PUT / HTTP/1.1", ()),
                ("options", 405, "OPTIONS * HTTP/1.1", ()),
                ("trace", 405, "TRACE / HTTP/1.1", ()),
                ("absolute", 400, "GET http://evil/ HTTP/1.1", ()),
                ("no path", 400, "GET foo HTTP/1.1", ()),
                ("long", 414, "GET /" + "a" * 9000 + " HTTP/1.1", ()),
                ("escape", 400, "GET /?a=%zz HTTP/1.1", ()),
                ("UTF-8", 400, "GET /?a=%ff HTTP/1.1", ()),
                ("NUL", 400, "GET /log?a=%00 HTTP/1.1", ()),
                ("NUL in the path", 404, "GET /healthz%00 HTTP/1.1", ()),
                ("type", 415, "POST /sign-in HTTP/1.1",
                 ("Content-Type: text/plain", "Content-Length: 0")),
                ("length", 413, "POST /sign-in HTTP/1.1",
                 (form, "Content-Length: 999999999")),
                ("two hosts", 400, "GET / HTTP/1.1", ("Host: evil",)),
                ("body of GET", 400, "GET / HTTP/1.1",
                 ("Content-Length: 5",))):
            self.assertEqual(self.simple(line, *fields), wanted, label)
        self.assertEqual(self.status(b"GET / HTTP/1.1\r\n\r\n"), 400)

    def test_repeated_fields(self):
        for label, name, count, wanted in (
                ("cookies", "Cookie", 30, 200),
                ("too many cookies", "Cookie", 40, 400),
                ("proxies", "X-Forwarded-For", 30, 200),
                ("too many proxies", "X-Forwarded-For", 40, 400)):
            status = self.simple("GET /healthz HTTP/1.1",
                                 *(f"{name}: a=b" for _ in range(count)))
            self.assertEqual(status, wanted, label)

    def test_two_lengths(self):
        status = self.simple(
            "POST /sign-in HTTP/1.1",
            "Content-Type: application/x-www-form-urlencoded",
            "Content-Length: 3", "Transfer-Encoding: chunked")
        self.assertEqual(status, 400)

    def test_header_too_large(self):
        answer = self.server.raw("\r\n".join(
            ("GET /overview HTTP/1.1", "Host: 127.0.0.1",
             "Accept-Language: ja", "Connection: close",
             *(f"X-{i}: {'x' * 4000}" for i in range(20)), "", "")
        ).encode())
        self.assertEqual(answer[9:12], b"431")
        self.assertIn("リクエストのヘッダーが大きすぎます", answer.decode())
        # What is far too large the library of HTTP refuses.
        status = self.simple("GET /healthz HTTP/1.1",
                             *(f"X-{i}: {'x' * 4000}" for i in range(90)))
        self.assertIn(status, (431, 413, None))
        self.assertEqual(self.simple("GET /healthz HTTP/1.1"), 200)

    def counted(self, code):
        text = self.server.raw(b"GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                               b"Connection: close\r\n\r\n").decode()
        return int(re.search(
            rf'web_requests_total{{code="{code}"}} (\d+)', text).group(1))

    def test_refused_is_counted(self):
        """Whoever refuses, we or the library."""
        for label, data in (
                ("ours", b"PUT / HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                 b"Connection: close\r\n\r\n"),
                ("no host", b"GET / HTTP/1.1\r\n\r\n"),
                ("no length", b"POST /sign-in HTTP/1.1\r\n"
                 b"Host: 127.0.0.1\r\nContent-Length: x\r\n\r\n"),
                ("bad chunk", b"POST /sign-in HTTP/1.1\r\n"
                 b"Host: 127.0.0.1\r\nContent-Type: application/json\r\n"
                 b"Transfer-Encoding: chunked\r\n\r\nzz\r\n"),
                ("huge header", b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                 + b"X: " + b"x" * 400000 + b"\r\n\r\n")):
            before = self.counted("4xx")
            try:
                self.server.raw(data)
            except OSError:
                pass    # it closed before all was sent
            until = time.monotonic() + PATIENCE_S
            while self.counted("4xx") != before + 1:
                self.assertLess(time.monotonic(), until, label)
                time.sleep(0.05)

    def test_retry_after(self):
        self.server.redis.run("HSET", "sk:{c:sign-in}:ip:127.0.0.1",
                              "until", int(time.time() * 1000) + 600000)
        try:
            answer = Client(self.server).enter("somebody", "wrong one")
        finally:
            self.server.redis.run("DEL", "sk:{c:sign-in}:ip:127.0.0.1")
        self.assertEqual(answer.status, 429)
        self.assertIn(int(answer.headers["Retry-After"]), range(500, 601))

    def test_chunks_without_end(self):
        """No length was told: the ceiling is kept all the same."""
        with self.server.connect() as peer:
            peer.sendall(b"POST /sign-in HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                         b"Content-Type: application/json\r\n"
                         b"Connection: close\r\n"
                         b"Transfer-Encoding: chunked\r\n\r\n")
            chunk = b"10000\r\n" + b"x" * 65536 + b"\r\n"
            for _ in range(20):
                peer.sendall(chunk)
            peer.sendall(b"0\r\n\r\n")
            answer = read_all(peer)
        self.assertEqual(answer[9:12], b"413")

    def test_large_json(self):
        body = json.dumps({"user": "x" * 1000000, "password": "y"})
        client = Client(self.server)
        self.assertEqual(client.ask("POST", "/sign-in", body,
                                    Content_Type="application/json").status,
                         401)
        body = json.dumps({"user": "x" * 1100000})
        self.assertEqual(client.ask("POST", "/sign-in", body,
                                    Content_Type="application/json").status,
                         413)

    def test_strangers_send_little(self):
        """What is sent without a session is not even parsed: JSON takes
        many times its size."""
        fields = {"user": "x", "password": "y"}
        near = json.dumps({**fields, "next": "z" * 60000})
        large = json.dumps({**fields, "next": "z" * 70000})
        form = urllib.parse.urlencode({**fields, "next": "z" * 70000})
        client = Client(self.server)
        for label, body, media, text in (
                ("near", near, "application/json", "wrong"),
                ("large", large, "application/json", "sign in"),
                ("no JSON at all", "[" * 500000, "application/json",
                 "sign in"),
                ("form", form, "application/x-www-form-urlencoded",
                 "sign in")):
            answer = client.ask("POST", "/sign-in", body, Content_Type=media)
            self.assertEqual(answer.status, 401, label)
            self.assertIn(text, answer.text, label)
        client = self.signed_in()
        answer = client.ask("POST", "/preferences", json.dumps(
            {"theme": "dark", "list": [[]] * 60000}),
            Content_Type="application/json", X_CSRF_Token=client.token())
        self.assertEqual(answer.status, 413)

    def test_one_client_has_not_all(self):
        """Connections beyond the ceiling are closed; others are served."""
        peers = [self.server.connect() for _ in range(30)]
        try:
            other = Browser(self.server, source="127.0.0.2")
            self.assertEqual(other.get("/healthz").status, 200)
            alive = 0
            for peer in peers:
                try:
                    peer.sendall(b"GET /healthz HTTP/1.1\r\n"
                                 b"Host: 127.0.0.1\r\n"
                                 b"Connection: close\r\n\r\n")
                    alive += read_all(peer).startswith(b"HTTP/1.1 200")
                except OSError:
                    pass
        finally:
            for peer in peers:
                peer.close()
        self.assertLess(alive, 30)
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() < until:
            try:
                if self.simple("GET /healthz HTTP/1.1") == 200:
                    return
            except OSError:
                pass
            time.sleep(0.1)
        self.fail("the client is not let in again")

    def test_pipelined(self):
        one = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
        last = (b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                b"Connection: close\r\n\r\n")
        self.assertEqual(
            self.server.raw(one * 5 + last).count(b"HTTP/1.1 200"), 6)


class SlowClients(Base):
    """Nothing here takes less time when the machine has more to do."""

    OPTIONS = {"web_timeout": f"{SLOW_S}s"}

    @classmethod
    def setUpClass(cls):
        if not Redis.INSTALLED:
            raise unittest.SkipTest("there is no redis-server")
        cls.server = Server(**cls.OPTIONS).start()

    def slow(self, data):
        """Seconds until the server gives up on one who sends an octet now
        and then."""
        start = time.monotonic()
        with self.server.connect() as peer:
            peer.settimeout(0.2)
            peer.sendall(data)
            while time.monotonic() - start < PATIENCE_S:
                try:
                    peer.sendall(b"x")
                    if not peer.recv(65536):
                        break
                except socket.timeout:
                    continue
                except OSError:
                    break
        return time.monotonic() - start

    def test_slow_header(self):
        took = self.slow(b"GET /overview HTTP/1.1\r\nX-Slow: ")
        self.assertGreaterEqual(took, SLOW_S)
        self.assertLess(took, PATIENCE_S)

    def test_slow_body(self):
        took = self.slow(
            b"POST /sign-in HTTP/1.1\r\nHost: 127.0.0.1\r\n"
            b"Content-Type: application/x-www-form-urlencoded\r\n"
            b"Content-Length: 1000\r\n\r\n")
        self.assertGreaterEqual(took, SLOW_S)
        self.assertLess(took, PATIENCE_S)


class Proxy(Base):
    OPTIONS = {"web_url": "https://mail.example/", "trusted_proxies":
               "127.0.0.1", "web_connections_per_client": "2"}

    @classmethod
    def setUpClass(cls):
        if not Redis.INSTALLED:
            raise unittest.SkipTest("there is no redis-server")
        cls.server = Server(**cls.OPTIONS).start()

    def test_host(self):
        for host, wanted in (("mail.example", 200), ("127.0.0.1", 200),
                             ("localhost:8897", 200), ("MAIL.example", 200),
                             ("evil.example", 421), ("mail.example.evil", 421),
                             ("a b", 400), ("", 400)):
            browser = Browser(self.server, Host=host)
            self.assertEqual(browser.get("/sign-in").status, wanted, host)

    def test_secure(self):
        browser = Browser(self.server, Host="mail.example")
        answer = browser.get("/sign-in")
        cookie = answer.headers["Set-Cookie"]
        self.assertTrue(cookie.startswith("__Host-sekimori-"))
        self.assertIn("Secure", cookie)
        self.assertIn("max-age=",
                      answer.headers["Strict-Transport-Security"])
        browser.at = None
        answer = browser.post("/sign-in", {
            "user": "operator", "password": self.server.first,
            "csrf": answer.csrf}, Origin="https://mail.example")
        self.assertEqual(answer.status, 303)

    def test_client_behind_it(self):
        """Attempts count for the client, not for the proxy."""
        redis = self.server.redis
        client = Client(self.server, X_Forwarded_For="9.9.9.9, 192.0.2.7")
        client.enter("proxied", "wrong one")
        self.assertEqual(
            redis.run("HGET", "sk:{c:sign-in}:ip:192.0.2.7", "n"), b"1")
        self.assertEqual(redis.run("EXISTS", "sk:{c:sign-in}:ip:127.0.0.1"),
                         0)
        self.assertEqual(redis.run("EXISTS", "sk:{c:sign-in}:ip:9.9.9.9"), 0)
        client = Client(self.server, X_Forwarded_For="2001:db8:1:2:3:4:5:6")
        client.enter("proxied", "wrong one")
        self.assertEqual(redis.run(
            "HGET", "sk:{c:sign-in}:ip:2001:db8:1:2::", "n"), b"1")

    def test_metrics(self):
        self.assertEqual(Browser(self.server).get("/metrics").status, 200)
        self.assertEqual(Browser(
            self.server, X_Forwarded_For="192.0.2.1").get("/metrics").status,
            404)


class Tls(unittest.TestCase):
    """The certificate may change while pages are served."""

    def setUp(self):
        if not Redis.INSTALLED or shutil.which("openssl") is None:
            self.skipTest("no redis-server, or no openssl")
        self.place = tempfile.TemporaryDirectory()
        self.addCleanup(self.place.cleanup)
        self.cert = os.path.join(self.place.name, "cert.pem")
        self.key = os.path.join(self.place.name, "key.pem")
        self.make("first")
        self.server = Server(web_tls_cert=self.cert,
                             web_tls_key=self.key).start()

    def tearDown(self):
        self.assertEqual(self.server.stop(), 0)

    def make(self, name):
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
             "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
             "-subj", f"/CN={name}", "-addext",
             "subjectAltName=IP:127.0.0.1", "-keyout", self.key,
             "-out", self.cert],
            check=True, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def connect(self):
        """Believes only what is in the file now."""
        return http.client.HTTPSConnection(
            "127.0.0.1", self.server.port, timeout=PATIENCE_S,
            context=ssl.create_default_context(cafile=self.cert))

    def ask(self, connection):
        connection.request("GET", "/sign-in")
        return Answer(connection.getresponse())

    def until_logged(self, text):
        until = time.monotonic() + PATIENCE_S
        while text not in self.server.log():
            self.assertLess(time.monotonic(), until, self.server.log())
            time.sleep(0.05)

    def hang_up(self):
        self.server.process.send_signal(signal.SIGHUP)

    def test_https(self):
        connection = self.connect()
        answer = self.ask(connection)
        connection.close()
        self.assertEqual(answer.status, 200)
        self.assertIn("Secure", answer.headers["Set-Cookie"])

    def test_another_certificate(self):
        before = self.connect()
        self.assertEqual(self.ask(before).status, 200)
        self.make("second")
        self.hang_up()
        self.until_logged("read the certificate again")
        after = self.connect()
        self.assertEqual(self.ask(after).status, 200)
        # Whoever is connected goes on.
        self.assertEqual(self.ask(before).status, 200)
        before.close()
        after.close()

    def test_no_pair(self):
        with open(self.cert, encoding="ascii") as file:
            good = file.read()
        self.make("other")
        with open(self.cert, "w", encoding="ascii") as file:
            file.write(good)    # and the key of the other
        self.hang_up()
        self.until_logged("the certificate stays as it was")
        connection = self.connect()
        self.assertEqual(self.ask(connection).status, 200)
        connection.close()


class StoreAway(Base):
    def test_away(self):
        browser = self.signed_in()
        self.server.redis.stop()
        try:
            self.assertEqual(browser.get("/overview").status, 503)
            self.assertEqual(Browser(self.server).get("/sign-in").status, 200)
            self.assertEqual(Browser(self.server).get("/healthz").status, 200)
            self.assertEqual(Browser(self.server).get("/readyz").status, 503)
            self.assertEqual(
                Client(self.server).enter("operator", NEW_PASSWORD).status,
                503)
        finally:
            self.server.redis.start()
        until = time.monotonic() + PATIENCE_S
        while browser.get("/overview").status != 200:
            self.assertLess(time.monotonic(), until)
            time.sleep(0.1)


class UnixSocket(unittest.TestCase):
    def test_socket(self):
        if not Redis.INSTALLED:
            self.skipTest("there is no redis-server")
        place = tempfile.mkdtemp(prefix="sekimori-sock.")
        path = os.path.join(place, "web.sock")
        server = Server(web_listen=f"unix:{path}").start()
        try:
            with socket.socket(socket.AF_UNIX) as peer:
                peer.settimeout(PATIENCE_S)
                peer.connect(path)
                peer.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n"
                             b"Connection: close\r\n\r\n")
                answer = read_all(peer)
        finally:
            self.assertEqual(server.stop(), 0)
        self.assertTrue(answer.startswith(b"HTTP/1.1 200"))
        self.assertFalse(os.path.exists(path))
        shutil.rmtree(place)


if __name__ == "__main__":
    unittest.main()
