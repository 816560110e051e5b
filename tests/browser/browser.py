"""A headless Chromium that tests drive, and what they ask of a page.

One browser is kept for all tests; each test gets clean cookies.  What a
page loads is read from the browser's own log, so a request that leaves is
seen whatever the page does to hide it.

SPDX-License-Identifier: BSD-2-Clause
"""

import base64
import json
import os
import pathlib
import shutil
import time
import urllib.parse

from selenium import webdriver
from selenium.common.exceptions import (NoSuchElementException,
                                        StaleElementReferenceException,
                                        WebDriverException)
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select

HERE = pathlib.Path(__file__).resolve().parent
CHROMIUM = shutil.which("chromium")
DRIVER = shutil.which("chromedriver")
PATIENCE_S = 60

WIDE = (1280, 900)
PHONE = (375, 812)
SMALL = (320, 640)

# Schemes that do not leave the machine.
HARMLESS = ("data:", "about:", "blob:", "chrome:", "devtools:",
            "chrome-extension:", "chrome-error:")


class Browser:
    """Addresses given to it are paths of `base`, the pages' address."""

    def __init__(self, directory, base=""):
        options = webdriver.ChromeOptions()
        options.binary_location = CHROMIUM
        arguments = ["--headless=new", "--disable-gpu", "--hide-scrollbars",
                     "--disable-dev-shm-usage", "--disable-extensions",
                     "--disable-background-networking", "--disable-sync",
                     "--disable-component-update", "--no-first-run",
                     "--no-default-browser-check", "--no-proxy-server",
                     # A name that a page asks for goes nowhere.
                     "--host-resolver-rules=MAP * ~NOTFOUND, "
                     "EXCLUDE 127.0.0.1",
                     f"--user-data-dir={directory}/profile"]
        if os.geteuid() == 0:
            arguments.append("--no-sandbox")
        for argument in arguments:
            options.add_argument(argument)
        options.set_capability("goog:loggingPrefs",
                               {"performance": "ALL", "browser": "ALL"})
        options.add_experimental_option("prefs", {
            "download.default_directory": str(directory),
            "credentials_enable_service": False,
            "profile.password_manager_enabled": False})
        self.directory = pathlib.Path(directory)
        self.base = base
        self.driver = webdriver.Chrome(service=Service(DRIVER),
                                       options=options)
        self.driver.set_page_load_timeout(60)
        self.cdp("Browser.setDownloadBehavior", behavior="allow",
                 downloadPath=str(directory))
        self.clean()

    def close(self):
        self.driver.quit()

    def cdp(self, command, **arguments):
        return self.driver.execute_cdp_cmd(command, arguments)

    # ---- how it presents itself ----

    def clean(self):
        """As if it had never been here."""
        self.cdp("Network.enable")
        self.cdp("Network.clearBrowserCookies")
        self.language("en")
        self.size(*WIDE)
        self.colours("light")
        self.scripts(True)
        self.driver.get("about:blank")
        self.forget()

    def take_cookies(self, cookies):
        """Those of a visitor who is signed in."""
        self.cdp("Network.clearBrowserCookies")
        for name, value in cookies.items():
            self.cdp("Network.setCookie", name=name, value=value,
                     url=self.base + "/", httpOnly=True, sameSite="Lax")

    def language(self, tag):
        self.cdp("Emulation.setUserAgentOverride",
                 userAgent="Mozilla/5.0 (X11; Linux x86_64) Sekimori-Test",
                 acceptLanguage=tag)

    def size(self, width, height):
        self.cdp("Emulation.setDeviceMetricsOverride", width=width,
                 height=height, deviceScaleFactor=1, mobile=width < 500)

    def colours(self, scheme):
        self.cdp("Emulation.setEmulatedMedia", features=[
            {"name": "prefers-color-scheme", "value": scheme},
            {"name": "prefers-reduced-motion", "value": "reduce"}])

    def scripts(self, on):
        """Whether pages may run any; our own questions still work."""
        self.cdp("Emulation.setScriptExecutionDisabled", value=not on)

    # ---- moving ----

    def open(self, path):
        self.driver.get(self.base + path)
        return self

    @property
    def path(self):
        parts = urllib.parse.urlsplit(self.driver.current_url)
        return parts.path + ("?" + parts.query if parts.query else "")

    @property
    def text(self):
        return self.find("body").text

    @property
    def main(self):
        return self.find("main").text

    @property
    def title(self):
        return self.driver.title

    # ---- finding ----

    def all(self, css):
        return self.driver.find_elements(By.CSS_SELECTOR, css)

    def find(self, css):
        return self.driver.find_element(By.CSS_SELECTOR, css)

    def has(self, css):
        return bool(self.all(css))

    def is_shown(self, element):
        """Selenium takes what is in a closed <details> for displayed."""
        return (self.run("return arguments[0].checkVisibility()", element)
                and element.is_displayed())

    def shown(self, css):
        return [e for e in self.all(css) if self.is_shown(e)]

    def button(self, text, within="main"):
        """The one button or link on view with this text."""
        found = [e for e in self.shown(
            f"{within} button, {within} a, {within} summary")
                 if e.text.strip() == text]
        if not found:
            raise NoSuchElementException(
                f"no button {text!r} in: " + self.find(within).text)
        return found[0]

    # ---- acting ----

    def press(self, what, within="main"):
        """Press a button by its text, or an element; wait for the page that
        it leads to, if it leads to one."""
        element = self.button(what, within) if isinstance(what, str) else what
        self._show(element)
        before = self.find("html")
        element.click()
        self._settle(before)

    def _show(self, element):
        """In the middle: the driver would click what covers the edge."""
        self.driver.execute_script(
            "arguments[0].scrollIntoView({block: 'center'})", element)

    def _settle(self, before):
        deadline = time.monotonic() + PATIENCE_S
        short = time.monotonic() + 0.3
        while time.monotonic() < deadline:
            try:
                before.is_enabled()
                if time.monotonic() > short:
                    return
            except (StaleElementReferenceException, WebDriverException):
                break
            time.sleep(0.02)
        self.wait(lambda: self.driver.execute_script(
            "return document.readyState") == "complete", "a page")

    def fill(self, css, value):
        element = self.find(css)
        if element.tag_name == "select":
            Select(element).select_by_value(value)
            return
        kind = element.get_attribute("type")
        if kind in ("checkbox", "radio"):
            if element.is_selected() != bool(value):
                self._show(element)
                element.click()
            return
        if kind == "file":
            element.send_keys(str(value))
            return
        element.send_keys(Keys.CONTROL, "a")
        element.send_keys(Keys.DELETE)
        element.send_keys(value)

    def keys(self, *words):
        """Type: names of keys in capitals, or text."""
        actions = ActionChains(self.driver)
        for word in words:
            actions.send_keys(getattr(Keys, word, word))
        actions.perform()

    def wait(self, question, what):
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                answer = question()
            except (NoSuchElementException, StaleElementReferenceException):
                answer = None
            if answer:
                return answer
            if time.monotonic() > deadline:
                raise AssertionError(f"{what}: not within {PATIENCE_S} s; "
                                     f"at {self.path}:\n{self.text}")
            time.sleep(0.05)

    def run(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def download(self, name, act):
        """What `act` downloads: a file whose name ends so."""
        for old in self.directory.glob("*" + name):
            old.unlink()
        act()
        self.wait(lambda: list(self.directory.glob("*" + name)),
                  f"the download of *{name}")
        return next(self.directory.glob("*" + name)).read_bytes()

    def picture(self, path, full=False):
        """A PNG of what is on view, or of the whole page."""
        if full:
            shot = self.cdp("Page.captureScreenshot", format="png",
                            captureBeyondViewport=True)["data"]
            pathlib.Path(path).write_bytes(base64.b64decode(shot))
        else:
            self.driver.save_screenshot(str(path))

    # ---- what the browser saw ----

    def forget(self):
        """Drop what was logged until now."""
        self.driver.get_log("performance")
        self.driver.get_log("browser")

    def requests(self):
        """URLs asked for since the last forget()."""
        urls = []
        for entry in self.driver.get_log("performance"):
            message = json.loads(entry["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                urls.append(message["params"]["request"]["url"])
            elif message["method"] == "Network.webSocketCreated":
                urls.append(message["params"]["url"])
        return urls

    def foreign(self):
        """Those of them that are neither ours nor harmless."""
        return [url for url in self.requests()
                if not url.startswith((self.base + "/", *HARMLESS))]

    def complaints(self):
        """What the console says, without what we look for elsewhere."""
        return [entry["message"] for entry in self.driver.get_log("browser")
                if entry["level"] == "SEVERE"]

    # ---- what a page is like (page_checks.js) ----

    def check_page(self):
        """Everything wrong with the accessibility of the page on view."""
        script = (HERE / "page_checks.js").read_text(encoding="utf-8")
        return self.run(script + "\nreturn checkPage();")
