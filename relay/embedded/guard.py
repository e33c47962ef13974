"""Starts the servers it is told to, and stops them all when the process that told it ends.

A program of its own that needs only the standard library, so that it starts at once. Orders come
in as JSON lines (`Order`); `{"name", "pid"}` and `{"name", "status"}` go out. The end of its
standard input is the order to stop: the kernel gives it even when the other side was killed.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import time
from typing import TypedDict

STOP_SECONDS = 20.0
"""After this a server that was asked to stop is killed."""
PARENT_CHECK_SECONDS = 1.0
"""Catches a dead parent even if somebody else still holds the other end of the pipe."""


class Order(TypedDict):
    """One server to start: `input` and `log` are files, `stop_signal` makes it leave in order."""

    name: str
    argv: list[str]
    environment: dict[str, str]
    input: str
    log: str
    stop_signal: int


class Guard:
    """The servers that run, and the pipe that says whether they still should."""

    def __init__(self, lock: int) -> None:
        """`lock` is the locked file of the data folder, which each server holds while it lives."""
        self.lock = lock
        self.parent = os.getppid()
        self.running: dict[str, tuple[subprocess.Popen[bytes], int]] = {}
        self.unread = b""
        self.stopping = False
        self.wake, wake_write = os.pipe()
        os.set_blocking(self.wake, False)
        os.set_blocking(wake_write, False)
        signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self.ask_to_stop)

    def ask_to_stop(self, *_: object) -> None:
        """Leave at the next turn."""
        self.stopping = True

    def run(self) -> None:
        """Obey until the input ends or the parent is gone, then stop every server."""
        while not self.stopping and os.getppid() == self.parent:
            if 0 in self.wait([0, self.wake], PARENT_CHECK_SECONDS):
                arrived = os.read(0, 65536)
                if not arrived:
                    break
                *lines, self.unread = (self.unread + arrived).split(b"\n")
                for line in lines:
                    self.start(json.loads(line))
            self.collect()
        self.stop()

    def wait(self, readable: list[int], seconds: float) -> list[int]:
        """Which of these can be read; a signal ends the wait early."""
        ready, _, _ = select.select(readable, [], [], max(seconds, 0))
        with contextlib.suppress(BlockingIOError):
            while self.wake in ready and os.read(self.wake, 512):
                pass
        return ready

    def start(self, order: Order) -> None:
        """Start one server, with nothing of this process but the lock."""
        log = os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        given = os.open(order["input"], os.O_RDONLY)
        try:
            process = subprocess.Popen(  # noqa: S603 - the supervisor alone writes orders
                order["argv"],
                env=order["environment"],
                stdin=given,
                stdout=log,
                stderr=log,
                cwd="/",
                umask=0o077,
                pass_fds=(self.lock,),
            )
        except OSError as error:
            os.write(log, f"{order['argv'][0]}: {error.strerror}\n".encode())
            self.tell(name=order["name"], status=127)
            return
        finally:
            os.close(given)
            os.close(log)
        self.running[order["name"]] = (process, order["stop_signal"])
        self.tell(name=order["name"], pid=process.pid)

    def collect(self) -> None:
        """Tell of each server that has ended."""
        for name, (process, _) in list(self.running.items()):
            status = process.poll()
            if status is not None:
                del self.running[name]
                self.tell(name=name, status=status)

    def stop(self) -> None:
        """Ask all of them to leave, wait, kill who stayed."""
        for process, stop_signal in self.running.values():
            process.send_signal(stop_signal)
        deadline = time.monotonic() + STOP_SECONDS
        self.collect()
        while self.running and time.monotonic() < deadline:
            self.wait([self.wake], min(PARENT_CHECK_SECONDS, deadline - time.monotonic()))
            self.collect()
        for process, _ in self.running.values():
            process.kill()
            process.wait()

    def tell(self, **members: str | int) -> None:
        """Write one line to the supervisor, who may be gone."""
        with contextlib.suppress(OSError):
            os.write(1, json.dumps(members).encode() + b"\n")


if __name__ == "__main__":
    Guard(int(sys.argv[1])).run()
