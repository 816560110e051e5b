"""A proxy before Redis that makes accidents happen at the right moment.

The programs connect to its socket.  A trap watches the commands that pass:
when one contains the bytes it waits for, it does what it was set to do,
before Redis sees the command or after Redis has answered it and before the
program learns of that.

SPDX-License-Identifier: BSD-2-Clause
"""

import os
import socket
import threading

from .process import wait_until


class Trap:
    """needle: bytes in a command.  when: "before" or "after" Redis has
    carried it out.  action: called once; the reply never arrives."""

    def __init__(self, needle, when, action):
        self.needle, self.when, self.action = needle, when, action
        self.springs = threading.Lock()     # taken once, for ever
        self.sprung = threading.Event()     # the action is over

    def spring(self):
        if self.springs.acquire(blocking=False):
            self.action()
            self.sprung.set()


class RedisProxy:
    def __init__(self, directory, target):
        self.socket = os.path.join(directory, "proxy.sock")
        self._target = target
        self._trap = None
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(self.socket)
        os.chmod(self.socket, 0o777)
        self._listener.listen(100)
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self):
        return "unix:" + self.socket

    def close(self):
        self._listener.close()

    def set(self, needle, when, action):
        self._trap = Trap(needle, when, action)
        return self._trap

    def wait_sprung(self):
        trap = self._trap
        wait_until(trap.sprung.is_set, f"a command with {trap.needle!r}")
        self._trap = None

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,),
                             daemon=True).start()

    def _serve(self, client):
        server = socket.socket(socket.AF_UNIX)
        try:
            server.connect(self._target)
        except OSError:
            client.close()
            return
        # Once a trap has sprung, this connection is dead to its program.
        caught = threading.Event()
        threading.Thread(target=self._answers, args=(server, client, caught),
                         daemon=True).start()
        self._commands(client, server, caught)

    def _commands(self, client, server, caught):
        seen = b""
        try:
            while data := client.recv(1 << 16):
                trap = self._trap
                # A needle may lie across two pieces.
                seen = (seen + data)[-(len(data) + 200):]
                if trap and not trap.springs.locked() \
                        and trap.needle in seen:
                    caught.trap = trap
                    caught.set()
                    if trap.when == "before":
                        trap.spring()
                        return
                    seen = b""
                server.sendall(data)
        except OSError:
            pass
        finally:
            if not (caught.is_set() and caught.trap.when == "after"):
                self._close(client, server)

    def _answers(self, server, client, caught):
        try:
            while data := server.recv(1 << 16):
                if caught.is_set() and caught.trap.when == "after":
                    caught.trap.spring()
                    return
                client.sendall(data)
        except OSError:
            pass
        finally:
            self._close(client, server)

    @staticmethod
    def _close(*sockets):
        for s in sockets:
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            s.close()
