"""Starts and stops services as systemd would, as far as the units of deploy/systemd go; and its `systemctl`.

A unit's own ExecStart runs with nothing in its environment but what the unit says. What it asks of the kernel
(users, namespaces, filters) is left out: that needs a systemd that runs as the first process.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import shlex
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final

from relay.settings import read_file

READY_SECONDS: Final = 60
STOP_SECONDS: Final = 30
SYSTEMCTL: Final = """#!{python} -ISs
import socket, sys
with socket.socket(socket.AF_UNIX) as to:
    to.connect({place!r})
    to.sendall("\\0".join(sys.argv[1:]).encode())
    to.shutdown(socket.SHUT_WR)
    said = b""
    while some := to.recv(65536):
        said += some
sys.exit(said.decode() or 0)
"""


class UnitFailed(Exception):
    """A unit that did not start, or a command that systemctl does not have."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """What one unit runs."""

    command: list[str]
    environment: Mapping[str, str]
    reload: Callable[[subprocess.Popen[bytes] | None], None] | None = None
    tells: bool = False
    """Whether it says when it is ready (`Type=notify`)."""
    ready: Callable[[], bool] = lambda: True
    """Asked of one that does not tell."""


def read_unit(text: str) -> dict[str, list[str]]:
    """The values of each name in a unit, in their order."""
    found: dict[str, list[str]] = {}
    for line in text.splitlines():
        name, equals, value = line.partition("=")
        if equals and not line.startswith(("#", "[")):
            found.setdefault(name, []).append(value)
    return found


def service_of(unit: str, folder: Path) -> Service:
    """The service in a unit of this folder; `name@instance` is one of a template."""
    name, at, instance = unit.partition("@")
    text = (folder / f"{name}{at}.service").read_text("utf-8").replace("%i", instance)
    found = read_unit(text)
    environment: dict[str, str] = {}
    for line in found.get("Environment", []):
        environment |= dict(word.split("=", 1) for word in shlex.split(line))
    for path in found.get("EnvironmentFile", []):
        environment |= read_file(Path(path))
    [command], [kind] = found["ExecStart"], found["Type"]
    return Service(command=shlex.split(command), environment=environment, tells=kind == "notify")


class Systemd:
    """Services by the names of their units: those that it is given, and those of a folder."""

    def __init__(self, folder: Path, units: Path, given: Mapping[str, Service]) -> None:
        """`folder`: for logs and sockets; `units`: where unit files are installed."""
        self._folder = folder
        self._units = units
        self._given = given
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self.enabled: set[str] = set()

    def log(self, unit: str) -> str:
        """What a unit has said."""
        return (self._folder / f"{unit}.log").read_text("utf-8")

    def process(self, unit: str) -> int:
        """The number of the process of a unit that runs."""
        return self._running[unit].pid

    def run(self, words: list[str]) -> None:
        """One call of systemctl; UnitFailed."""
        options = {word for word in words if word.startswith("-")}
        command, *names = [word for word in words if word not in options]
        if command == "daemon-reload" and not names and not options:
            return
        for unit in names:
            if command == "enable" and options == {"--now"}:
                self.enabled.add(unit)
                self._start(unit)
            elif command in {"start", "stop", "restart"} and not options:
                if command != "start":
                    self._stop(unit)
                if command != "stop":
                    self._start(unit)
            elif command == "reload" and not options:
                self._reload(unit)
            else:
                raise UnitFailed(f"systemctl {' '.join(words)}")

    def stop_all(self) -> None:
        """Stop whatever runs, the last that was started first."""
        for unit in reversed(list(self._running)):
            self._stop(unit)

    def _service(self, unit: str) -> Service:
        return self._given[unit] if unit in self._given else service_of(unit, self._units)

    def _start(self, unit: str) -> None:
        running = self._running.get(unit)
        if running is not None and running.poll() is None:
            return
        service = self._service(unit)
        place = self._folder / f"{unit}.notify"
        with contextlib.ExitStack() as stack:
            told = stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))
            place.unlink(missing_ok=True)
            told.bind(str(place))
            told.settimeout(0)
            log = stack.enter_context((self._folder / f"{unit}.log").open("ab"))
            process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "TERM", *service.command],
                env={
                    "PATH": os.defpath,
                    "LANG": "C.UTF-8",
                    **service.environment,
                    **({"NOTIFY_SOCKET": str(place)} if service.tells else {}),
                },
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
            self._running[unit] = process
            deadline = time.monotonic() + READY_SECONDS
            while not (_was_told(told) if service.tells else service.ready()):
                if process.poll() is not None or time.monotonic() > deadline:
                    raise UnitFailed(f"{unit} did not start:\n{self.log(unit)}")
                time.sleep(0.02)

    def _stop(self, unit: str) -> None:
        process = self._running.pop(unit, None)
        if process is None:
            return
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise UnitFailed(f"{unit} did not stop:\n{self.log(unit)}") from None

    def _reload(self, unit: str) -> None:
        reload = self._service(unit).reload
        if reload is None:
            raise UnitFailed(f"{unit} cannot be reloaded")
        reload(self._running.get(unit))


def _was_told(told: socket.socket) -> bool:
    with contextlib.suppress(BlockingIOError):
        return b"READY=1" in told.recv(4096)
    return False


@contextlib.contextmanager
def systemctl(systemd: Systemd, program: Path) -> Iterator[None]:
    """A program `systemctl` that asks this systemd, during the block; what runs then is stopped."""
    place = program.with_suffix(".socket")
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(place))
    listener.listen()
    program.write_text(SYSTEMCTL.format(python=sys.executable, place=str(place)), "utf-8")
    program.chmod(0o755)

    def serve() -> None:
        while True:
            with contextlib.suppress(OSError):
                asking, _address = listener.accept()
                with asking:
                    asking.sendall(_answer(systemd, asking).encode())
                continue
            return

    thread = threading.Thread(target=serve, name="systemctl", daemon=True)
    thread.start()
    try:
        yield
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(STOP_SECONDS)
        systemd.stop_all()


def _answer(systemd: Systemd, asking: socket.socket) -> str:
    """Nothing, or what is wrong."""
    said = b""
    while some := asking.recv(65536):
        said += some
    try:
        systemd.run(said.decode().split("\0"))
    except (UnitFailed, OSError, KeyError) as error:
        return f"systemctl: {error}\n"
    return ""
