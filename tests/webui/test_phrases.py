#!/usr/bin/env python3
"""test_phrases.py - every error that a person can meet has a Japanese form.

Reads the sources: each text given to err_set, request_refuse and their like
in the floors behind the pages, with its holes filled, must be one that pages
know (webui/page_phrase_list.c), and each form that they know must be of some
text.  So whoever writes a new error is told here what it needs.

SPDX-License-Identifier: BSD-2-Clause
"""

import fnmatch
import os
import pathlib
import re
import subprocess
import unittest

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
BUILD = pathlib.Path(os.environ.get("SEKIMORI_BUILD", os.getcwd()))
SAY = BUILD / "tests/webui/say_errors"

FLOORS = ("base", "mail", "policy", "quarantine", "webui")

# Texts of these are met by operators alone: in the log, at the start, on the
# command line.
APART = {
    "base/conf*.c": "the settings of the program, read at the start",
    "base/option.c:write": "of the same",
    "base/dns*.c": "the resolver at its start",
    "base/endpoint.c": "sockets at the start",
    "base/file.c": "files at the start",
    "base/process.c": "the process at its start",
    "base/store*.c": "Redis: an operator must act",
    "base/template*.c": "mistakes of ours in templates",
    "mail/authres.c": "of fields that are not shown",
    "mail/received.c": "of hops, in the record",
    "mail/spool.c": "the disk",
    "policy/auth_dkim_sign.c": "signing, in the log of the milter",
    "policy/auth_dkim_witness.c": "the command line",
    "policy/arc_seal.c": "signing, in the log of the milter",
    "policy/dkim_sign*.c": "signing, in the log of the milter",
    "policy/key_check.c": "keys, on the command line",
    "policy/failure.c": "reports, in the log",
    "policy/keyring.c": "keys, on the command line",
    "policy/report_file.c": "the command line",
    "policy/report_uri.c": "reports, in the log",
    "policy/signature_write.c": "signing, in the log of the milter",
    "policy/signing_key.c": "keys, on the command line",
    "quarantine/event*.c": "the spool, in the log",
    "quarantine/failures.c": "reports, in the log",
    "quarantine/heartbeat.c": "of milters, in the log",
    "quarantine/history.c": "the database",
    "quarantine/history_consume.c": "the database",
    "quarantine/history_record.c": "the database",
    "quarantine/history_take.c": "events, in the log",
    "quarantine/hold_chunks.c": "Redis: an operator must act",
    "quarantine/hold_entry.c": "Redis: an operator must act",
    "quarantine/hold_put.c": "holding, in the log of the milter",
    "quarantine/hold_mend.c": "mending, in the log",
    "quarantine/outbox.c": "sending, in the log",
    "quarantine/reports.c": "the database",
    "webui/feed.c": "the process at its start",
    "webui/http.c": "the process at its start",
    "webui/http_peers.c": "the process at its start",
    "webui/http_tls.c": "certificates, in the log",
    "webui/report_*.c": "reports, in the log",
}

# Where the format stands among the arguments.
FORMATS = {"err_set": 2, "request_refuse": 4, "edit_refuse": 4,
           "http_reply_error": 3, "answer_error": 2}
# Others that are given a text: any argument that is one.
TEXTS = ("about", "broken", "conclude", "damaged", "fail", "malformed",
         "node_fail", "note", "problem", "refuse", "result", "settle", "stop",
         "wrong")
# Files that also return texts.
RETURNS = ("mail/address.c", "policy/auth_dkim.c", "policy/auth_dmarc.c",
           "policy/dmarc_authors.c", "policy/dmarc_report_read.c",
           "policy/signature.c", "policy/spf_eval.c")
# Files of APART that answer people all the same: tables of status and text.
ANSWERS = ("webui/http.c",)
# What an operator must mend is said in English, with a heading of the
# reader's language.
KINDS = ("ERR_INPUT", "ERR_LIMIT")
# Here also what may pass by itself.
TEMPORARY = ("webui/*", "policy/edit*", "quarantine/release.c", "mail/smtp*")

# What is no text of its own, or met by us alone.
PIECES = ("message signature", "new_%s", "route without a scope",
          "web_url: has no valid host")

# Forms of texts that libraries and tables say, so no call has them.
OF_OTHERS = (
    "Broken pipe", "Connection refused", "Connection reset by peer",
    "Connection timed out", "Name or service not known",
    "Network is unreachable", "No address associated with hostname",
    "No route to host", "Temporary failure in name resolution",
    "bogus", "nodata", "nxdomain", "servfail",
    # policy/auth_arc.c puts them together
    "seal {n}: {why}", "message signature {n}: {why}",
    # the history
    "the search took more than {n} s: narrow the time",
    # before a request is one
    "the header of the request is too large",
    # the store
    "redis refused: {text}", "{name}: cannot connect: {why}",
    "{name}: all {n} connections are busy",
    "more than {n} bytes for Redis at once",
    "{name} was just made and is gone",
    "settings change faster than they can be read",
    # a held mail whose pieces are gone
    "held mail {name}: the bytes are not those that were stored",
    "{name}: is missing", "not the id of a held mail")

STRING = r'"(?:\\.|[^"\\])*"'
RUN = re.compile(rf'(?:{STRING}|\bPRI[a-z]\w*)'
                 rf'(?:\s*(?:{STRING}|\bPRI[a-z]\w*))*')


def is_apart(name):
    return any(fnmatch.fnmatch(name, pattern) for pattern in APART)


def arguments(source, at):
    """Those of the call whose "(" is at `at`."""
    depth, current, found = 0, "", []
    for token in re.finditer(rf"{STRING}|'(?:\\.|[^'\\])*'|.",
                             source[at:], re.S):
        text = token.group()
        if text in "([{":
            depth += 1
            if depth == 1:
                continue
        if text in ")]}":
            depth -= 1
            if depth == 0:
                return found + [current]
        if text == "," and depth == 1:
            found.append(current)
            current = ""
        else:
            current += text
    return found


def unquoted(run):
    """What the compiler makes of strings that stand side by side."""
    parts = re.findall(rf"{STRING}|PRI\w+", run)
    text = "".join(p[1:-1] if p[0] == '"' else p[-1] for p in parts)
    return text.replace('\\"', '"').replace("\\\\", "\\")


def texts_in(argument, macros):
    for name in re.findall(r"\b[A-Z][A-Z0-9_]+\b",
                           re.sub(STRING, "", argument)):
        if name in macros:
            argument = re.sub(rf"\b{name}\b", lambda _: macros[name],
                              argument)
    return [unquoted(run) for run in RUN.findall(argument)]


def filled(text):
    """As it may come out."""
    text = re.sub(r": %s$", ": must be UTF-8", text.replace("%%", "\0"))
    text = re.sub(r"%[-+0#]*\d*(?:\.(?:\d+|\*))?(?:hh|h|ll|l|z|j)?[diuxX]",
                  "7", text)
    text = re.sub(r"%[-+0#]*\d*(?:\.(?:\d+|\*))?[sc]", "zz", text)
    return text.replace("\0", "%")


def says_something(text):
    """Not only holes, nor the name of a key."""
    return not text.startswith("sk:") and re.search(r"[A-Za-z]{2}", re.sub(r"%[-.*\d]*[a-z]+", "", text))


def stripped(source):
    """Without comments, and without characters that look like quotes."""
    return re.sub(rf"/\*.*?\*/|{STRING}|'(?:\\.|[^'\\])+'",
                  lambda m: m.group() if m.group()[0] == '"' else
                  " " if m.group()[0] == "/" else "0",
                  source, flags=re.S)


def sources():
    for floor in FLOORS:
        for path in sorted((TOP / floor).glob("*.c")):
            name = f"{floor}/{path.name}"
            if name in ANSWERS or not is_apart(name):
                yield name, stripped(path.read_text(encoding="utf-8"))


def macros_of(source):
    return dict(re.findall(
        rf'^#define\s+(\w+)\s+((?:{STRING}|\s)+)$',
        source.replace("\\\n", " "), re.M))


def shared_macros():
    """Those of headers."""
    macros = {}
    for floor in FLOORS:
        for path in (TOP / floor).glob("*.h"):
            macros.update(macros_of(stripped(
                path.read_text(encoding="utf-8"))))
    return macros


SHARED = shared_macros()


def samples_of(name, source):
    """(text as in the source, a sample of what comes out)"""
    if name in ANSWERS:
        for text in re.findall(rf"\{{ \d+, ({STRING}) \}}", source):
            yield unquoted(text), unquoted(text)
        return
    macros = {**SHARED, **macros_of(source)}
    for call in re.finditer(r"\b(\w+)\s*\(", source):
        function, given = call.group(1), None
        if function not in FORMATS and function not in TEXTS + (
                "err_prefix",):
            continue
        given = arguments(source, call.end() - 1)
        if function == "err_prefix":
            for text in filter(says_something, texts_in(
                    given[1] if len(given) > 1 else "", macros)):
                yield text, filled(text) + ": must be UTF-8"
            continue
        kinds = [a.strip() for a in given
                 if re.fullmatch(r"\s*ERR_\w+\s*", a)]
        if kinds and kinds[0] not in KINDS and not any(
                fnmatch.fnmatch(name, temporary) for temporary in TEMPORARY):
            continue
        if function in FORMATS:
            given = given[FORMATS[function]:FORMATS[function] + 1]
        for argument in given:
            for text in texts_in(argument, macros):
                if says_something(text) and (
                        function in FORMATS or " " in text):
                    yield text, filled(text)
    if name in RETURNS:
        for run in RUN.finditer(source):
            text = unquoted(run.group())
            if " " in text and says_something(text) and re.search(
                    r"(return|[=?:]|\d,|printf\([^;]*,)\s*$",
                    source[:run.start()]):
                yield text, filled(text)


def said(samples):
    done = subprocess.run([SAY], input="\n".join(samples) + "\n", text=True,
                          capture_output=True, timeout=60, check=True,
                          encoding="utf-8")
    return done.stdout.splitlines()


def forms():
    source = (TOP / "webui/page_phrase_list.c").read_text(encoding="utf-8")
    body = source[source.index("page_phrases[]"):
                  source.index("page_phrase_contexts[]")]
    return [unquoted(run) for run in RUN.findall(body)]


def pattern_of(form):
    parts = re.split(r"(\{\w+\})", form)
    return re.compile("".join(
        (r"[^ ]+" if part == "{field}" else ".+")
        if re.fullmatch(r"\{\w+\}", part) else re.escape(part)
        for part in parts))


class Phrases(unittest.TestCase):
    maxDiff = None

    def test_all_are_known(self):
        found = [(name, text, sample) for name, source in sources()
                 for text, sample in samples_of(name, source)
                 if text not in PIECES]
        self.assertGreater(len(found), 300)
        answers = said([sample for _, _, sample in found])
        missing = sorted({f"{name}: {text!r}"
                          for (name, text, _), answer in zip(found, answers)
                          if answer.startswith("! ")})
        self.assertEqual(
            missing, [], "no form of them in webui/page_phrase_list.c")

    def test_all_are_used(self):
        texts = {sample for name, source in sources()
                 for _, sample in samples_of(name, source)}
        unused = [form for form in forms()
                  if form not in OF_OTHERS and
                  not any(pattern_of(form).fullmatch(t) for t in texts)]
        self.assertEqual(unused, [], "in webui/page_phrase_list.c")

    def test_nothing_english_is_left(self):
        """Of what is known, only names and signs stay as they are."""
        known = [s for s in ("domain: must be given",
                             "retention: must be a time such as 30s, 15m, "
                             "12h or 30d, not \"soon\"",
                             "port: must be 1 to 65535",
                             "kind: must be allow or block",
                             "targets: mail for a@b.example would not "
                             "arrive: a@b.example leads back to itself",
                             "x.1 is not released, it is releasing: it is "
                             "being released right now")]
        self.assertEqual(said(known), [
            "ドメインを入力してください。",
            "隔離メールの保存期間は次のように指定してください: "
            "30s、15m、12h、30d のような時間 (入力値: \"soon\")。",
            "ポート: 1 から 65535 までで指定してください。",
            "種類: allow、block のいずれかで指定してください。",
            "a@b.example 宛のメールが届かなくなります (転送先): "
            "a@b.example が自分自身に戻っています",
            "x.1 はリリースされませんでした (状態: リリース中): "
            "いまリリース中です"])


if __name__ == "__main__":
    unittest.main()
