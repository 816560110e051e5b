"""The laboratory, shown to a person: see scripts/quickstart.

SPDX-License-Identifier: BSD-2-Clause
"""

import argparse
import secrets
import signal
import sys
import time

from lab import Lab, LabError, world
from lab.cases import Run, make
from lab.mails import Mail
from lab.process import PATIENCE_S
from lab.text import Terminal

STYLES = {"accepted": "good", "released": "good", "quarantined": "held",
          "rejected": "held"}


def send_all(lab, terminal):
    """Every mail of the table, sent and looked after."""
    cases, runs = make(), []
    for number, case in enumerate(cases, 1):
        terminal.progress(f"  {number:2}/{len(cases)}  {case.what}")
        runs.append(Run(lab, case))
    terminal.progress("  waiting for deliveries and for the history")
    until = time.monotonic() + PATIENCE_S
    for run in runs:
        run.check(max(1, until - time.monotonic()))
    terminal.progress_end()
    return runs


def show(runs, terminal):
    """What was sent, what became of it, and why."""

    def brief(text):
        return text.replace("." + world.ROOT, "")

    widths = [2, 36, 13, 11]
    widths.append(terminal.columns - sum(widths) - 2 * len(widths))
    rows = []
    for number, run in enumerate(runs, 1):
        first = [f"{number:2}", run.case.what]
        for fate in run.fates:
            why = ", ".join(filter(None, (fate.klass, fate.why)))
            rows.append(first + [brief(fate.mailbox),
                                 (STYLES.get(fate.status), fate.status),
                                 brief(why)])
            first = ["", ""]
        for wrong in run.wrong:
            rows.append(first + ["", ("bad", "WRONG"), brief(wrong)[:300]])
            first = ["", ""]
    terminal.table(["", "mail", "mailbox", "became",
                    f"why (all names end in .{world.ROOT})"], widths, rows)


def show_links(web, runs, terminal):
    """Where a browser finds what is held."""
    terminal.say()
    terminal.say("What is held, to be looked at, released or removed:")
    for number, run in enumerate(runs, 1):
        for fate in run.fates:
            if fate.held:
                terminal.say(f"  {number:2}  {web.url}/quarantine/{fate.held}")


def look_at_one(web, terminal, runs):
    """The page of a held mail, as a browser gets it."""
    run = next(r for r in runs if r.case.key == "forged-quarantine")
    path = f"/quarantine/{run.fates[0].held}"
    status, page = web.page(path)
    good = status == 200 and run.mail.message_id in page
    terminal.say(f"  GET {web.url}{path}")
    terminal.say(f"  {status}, {len(page.encode())} octets, "
                 + ("with the mail on it." if good
                    else "but the mail is NOT on it."))
    return good


def release_one(lab, terminal, runs):
    """A person lets one held mail through."""
    run = next(r for r in runs if r.case.key == "forged-quarantine")
    mailbox = next(iter(run.case.outcomes))
    entries = lab.held_of(run.mail, mailbox)
    if not entries:
        terminal.say(f"  {mailbox}: nothing is held.")
        return False
    entry = entries[0]
    terminal.say(f"  $ sekimori quarantine release {entry['id']}")
    lab.sekimori.cli("quarantine", "release", entry["id"])
    delivery = lab.sink.wait(mailbox, run.mail.marker)[0]
    good = delivery.content.endswith(run.content)
    terminal.say(f"  {mailbox} has it now, "
                 + ("with the bytes as they were sent."
                    if good else "but the bytes were CHANGED."))
    return good


def move_route(lab, terminal):
    """A route is edited; the next mail goes the new way."""
    spare = lab.sink["spare"]
    terminal.say(f"  $ sekimori route set {world.SCHOOL} '{spare.route}'")
    lab.set_route(world.SCHOOL, spare)
    rcpt = f"kocho@{world.SCHOOL}"
    mail = Mail(world.address("info", "partner"), rcpt, "After the move")
    sender = world.SENDERS["partner"]
    lab.send(mail.sign(sender.key), f"info@{sender.domain}", [rcpt],
             sender.ip, sender.host)
    delivery = lab.sink.wait(rcpt, mail.marker)[0]
    good = delivery.server == "spare"
    terminal.say(f"  The next mail for {world.SCHOOL} went to "
                 + ("the new server." if good else "the OLD server."))
    return good


def verdict(terminal, runs, steps, seconds):
    wrong = [r.case.what for r in runs if r.wrong] + [
        name for name, good in steps if not good]
    count = len(runs) + len(steps)
    if wrong:
        text = f"{len(wrong)} of {count} did NOT fare as expected: " \
               + "; ".join(wrong)
    else:
        text = f"All {count} fared as expected"
    terminal.say()
    terminal.say(terminal.style("bad" if wrong else "good",
                                f"{text} ({seconds:.0f} s)."))
    return not wrong


def stay(lab, terminal, password):
    terminal.title("Everything stays up until Ctrl-C. Try it:")
    terminal.say(f"  pages: http://127.0.0.1:{lab.sekimori.web_port}/  "
                 f"user operator, password {password}")
    terminal.say(f"  SMTP, as the Internet sees it: 127.0.0.1 port "
                 f"{lab.postfix.smtp_port}")
    command = f"{lab.sekimori.program('sekimori')} -c {lab.sekimori.config}"
    for words in (f"quarantine list {world.SHOP}",
                  "log search --recipient taro",
                  f"domain show {world.SHOP}"):
        terminal.say(f"  {command} {words}")
    terminal.say(f"  logs: {lab.directory}")
    while True:
        for process in (lab.sekimori.milter, lab.sekimori.web,
                        lab.redis.process, lab.postfix.process):
            if not process.alive():
                raise LabError(f"{process.name} ended by itself")
        time.sleep(1)


def run(options, terminal):
    started = time.monotonic()
    password = secrets.token_urlsafe(12)
    terminal.title("Starting")

    def progress(text):
        terminal.say("  " + text)

    with Lab(options.build, options.keep, progress) as lab:
        terminal.title("Sending real mail through Postfix and Sekimori")
        runs = send_all(lab, terminal)
        show(runs, terminal)
        web = lab.sekimori.sign_in(password)
        show_links(web, runs, terminal)
        terminal.title("Looking at a held mail on its page")
        steps = [("the page", look_at_one(web, terminal, runs))]
        terminal.title("Releasing it")
        steps.append(("the release", release_one(lab, terminal, runs)))
        terminal.title("Editing a route")
        steps.append(("the route", move_route(lab, terminal)))
        lab.postfix.wait_queue_empty()
        good = verdict(terminal, runs, steps, time.monotonic() - started)
        if not good:
            lab.dump()
        if options.keep:
            terminal.say(f"Kept: {lab.directory}")
        if not options.once:
            stay(lab, terminal, password)
        terminal.say("Stopping everything.")
    return 0 if good else 1


def main():
    parser = argparse.ArgumentParser(prog="quickstart")
    parser.add_argument("--build", required=True)
    parser.add_argument("--once", action="store_true")
    parser.add_argument("--keep", action="store_true")
    options = parser.parse_args()
    # However we are told to end, the laboratory goes down in order.
    for signum in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(signum, lambda *_: sys.exit(143))
    terminal = Terminal()
    try:
        return run(options, terminal)
    except KeyboardInterrupt:
        terminal.say()
        terminal.say("Stopped; nothing is left running.")
        return 0 if not options.once else 130
    except LabError as error:
        print(f"quickstart: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
