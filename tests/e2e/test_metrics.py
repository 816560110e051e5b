"""What those who watch the machine ask: /healthz, /readyz, /metrics.

SPDX-License-Identifier: BSD-2-Clause
"""

import re

from lab.mails import Mail
from lab.process import wait_until
from lab.web import Web
from lab.world import SENDERS, SHOP

TARO = f"taro@{SHOP}"


def figures(web):
    """{name with labels: value}, once they are well formed."""
    status, text = web.page("/metrics")
    assert status == 200, text
    values = {}
    for line in text.splitlines():
        if line.startswith("#"):
            assert re.match(r"# (HELP|TYPE) sekimori_[a-z_]+ ", line), line
            continue
        name, value = line.rsplit(" ", 1)
        assert re.fullmatch(r'[a-z_]+(\{([a-z]+="[^"\\]*",?)+\})?', name), line
        assert name not in values, line
        values[name] = float(value)
    return values


def total(values, name, *labels):
    return sum(value for key, value in values.items()
               if re.match(rf"sekimori_{name}(\{{|$)", key)
               and all(label in key for label in labels))


def test_a_mail_is_counted(lab):
    """By class and status, with the time it took, within some seconds."""
    web = Web(lab.sekimori.web_port)
    before = figures(web)
    spammer = SENDERS["spammer"]
    mail = Mail(f"x@{spammer.domain}", TARO, "to be counted")
    lab.send(mail, f"x@{spammer.domain}", [TARO], spammer.ip, spammer.host)

    def counted():
        values = figures(web)
        return total(values, "milter_verdicts_total",
                     'class="blacklisted"', 'status="quarantined"') > total(
            before, "milter_verdicts_total",
            'class="blacklisted"', 'status="quarantined"') and values

    after = wait_until(counted, "the count of a mail")
    for name, labels in (
            ("milter_end_of_message_seconds_count", ()),
            ("milter_part_seconds_count", ('part="spf"',)),
            ("milter_part_seconds_count", ('part="hold"',)),
            ("milter_holds_total", ()), ("milter_messages_total", ()),
            ("milter_dns_questions_total", ()),
            ("milter_redis_calls_total", ()),
            ("quarantine_entries", ())):
        assert total(after, name, *labels) > total(before, name, *labels), name
    assert total(after, "milters") == 1
    assert total(after, "milter_redis_up") == 1
    assert total(after, "web_requests_total") > 0


def test_ready(own_lab):
    lab = own_lab()
    web = Web(lab.sekimori.web_port)
    wait_until(lambda: web.page("/readyz")[0] == 200, "readiness")
    assert web.page("/healthz")[0] == 200
    # A milter that ends says so at once.
    lab.sekimori.milter.stop()
    status, why = web.page("/readyz")
    assert status == 503 and "milter" in why
    lab.sekimori.start_milter()
    wait_until(lambda: web.page("/readyz")[0] == 200, "readiness again")
    lab.redis.kill()
    status, why = web.page("/readyz")
    assert status == 503 and "redis" in why
    assert web.page("/healthz")[0] == 200
    assert total(figures(web), "web_redis_up") == 0
    lab.redis.start()
    wait_until(lambda: web.page("/readyz")[0] == 200, "readiness at last")
