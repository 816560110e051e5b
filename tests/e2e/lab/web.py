"""The pages, as a program asks for them.

SPDX-License-Identifier: BSD-2-Clause
"""

import http.client
import json
import urllib.parse

from .process import PATIENCE_S, LabError


class Web:
    """One visitor: cookies and the anti-forgery token are kept."""

    def __init__(self, port):
        self.port = port
        self.cookies = {}
        self.csrf = ""

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def request(self, method, path, body=None, **headers):
        """(status, header, body as bytes); body: what becomes JSON."""
        link = http.client.HTTPConnection("127.0.0.1", self.port,
                                          timeout=PATIENCE_S)
        try:
            headers.setdefault("Accept", "application/json")
            if self.cookies:
                headers["Cookie"] = "; ".join(
                    f"{k}={v}" for k, v in self.cookies.items())
            if body is not None:
                body = json.dumps(body)
                headers["Content-Type"] = "application/json"
                headers["X-CSRF-Token"] = self.csrf
            link.request(method, path, body, headers)
            answer = link.getresponse()
            for value in answer.headers.get_all("Set-Cookie") or ():
                name, _, rest = value.partition("=")
                self.cookies[name] = rest.partition(";")[0]
            return answer.status, answer.headers, answer.read()
        finally:
            link.close()

    def page(self, path):
        """What a browser gets: (status, text)."""
        status, _, content = self.request("GET", path, Accept="text/html")
        return status, content.decode()

    def _json(self, method, path, body=None):
        status, _, content = self.request(method, path, body)
        if status >= 300:
            raise LabError(f"{method} {path}: {status} {content[:300]!r}")
        return json.loads(content) if content else None

    def get(self, path, **query):
        if query:
            path += "?" + urllib.parse.urlencode(query)
        return self._json("GET", path)

    def post(self, path, **body):
        return self._json("POST", path, body)

    def sign_in(self, user, password):
        answer = self.post("/sign-in", user=user, password=password)
        self.csrf = answer["csrf"]
        return self

    def change_password(self, old, new):
        """Ends the session: the next one signs in with the new one."""
        self.post("/password", password=old, new_password=new,
                  repeat_password=new)
        self.cookies, self.csrf = {}, ""
        return self
