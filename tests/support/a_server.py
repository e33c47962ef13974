"""A server for docs/production.md in a folder: its files, what a distribution starts, and who types."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import pty
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final
from urllib.parse import parse_qs, unquote, urlsplit

from relay.embedded import binaries
from relay.testing.relays import free_port
from tests.support.proxies import ROOT, nginx_command, nginx_conf, on_port
from tests.support.systemd import Service, Systemd, systemctl

TREE: Final = ("relay", "workers", "deploy", "requirements")
TREE_FILES: Final = ("pyproject.toml", "README.md", "LICENSE")
PROMPT: Final = re.compile(r"(Passphrase of [\w .-]+|Repeat for confirmation): \Z")
STYLE: Final = re.compile(r"\x1b\[[0-9;]*m")
TYPED_SECONDS: Final = 120
START_SECONDS: Final = 60
_WEB_PORTS: Final = range(2000, 6000)


class TypedWrong(Exception):
    """A command that failed, with what it said."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """Ports of loopback that nobody listens at."""

    https: int = dataclasses.field(default_factory=free_port)
    http: int = dataclasses.field(default_factory=free_port)
    redis: int = dataclasses.field(default_factory=free_port)
    worker_metrics: int = dataclasses.field(default_factory=free_port)
    deliver_metrics: int = dataclasses.field(default_factory=free_port)
    web: tuple[int, int]
    """Each with another free one, which has a 1 in front of it: that of its metrics."""


def free_ports() -> Ports:
    """Ports for one server."""
    found = (port for port in _WEB_PORTS if _is_free(port) and _is_free(int(f"1{port}")))
    return Ports(web=(next(found), next(found)))


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Provided:
    """Postgres and an S3 service that somebody else runs."""

    database: str
    """The address of the database `postgres`, for a superuser."""
    s3: Mapping[str, str]
    data: Path

    @property
    def sockets(self) -> str:
        """The folder in which Postgres listens."""
        return parse_qs(urlsplit(self.database).query)["host"][0]

    def reload_postgres(self) -> None:
        """Have Postgres read its settings again."""
        number = (self.data / "postgres" / "postmaster.pid").read_text().splitlines()[0]
        os.kill(int(number), signal.SIGHUP)


@contextlib.contextmanager
def provided(folder: Path) -> Iterator[Provided]:
    """The two services, as a process of their own, without anything of relay in them."""
    data = folder / "data"
    outside = {k: v for k, v in os.environ.items() if not k.startswith("RELAY_")}
    with subprocess.Popen(
        [sys.executable, "-m", "relay.embedded", str(data)],
        env={**outside, "RELAY_REDIS_URL": "redis://127.0.0.1:1", "RELAY_S3_BUCKET": "another"},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            given: dict[str, str] = {}
            for line in process.stdout:
                name, _, value = line.strip().removeprefix("export ").partition("=")
                given.setdefault(name, value.strip("'"))
                if line.startswith("# ") and given.get("RELAY_S3_BUCKET"):
                    break
            address = urlsplit(given["RELAY_DATABASE_URL"])._replace(path="/postgres").geturl()
            yield Provided(database=address, s3=given, data=data)
        finally:
            process.terminate()
            process.communicate()


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """Everything in one folder: the server's files, the homes of those who type, the stick."""

    folder: Path
    ports: Ports
    provided: Provided
    systemd: Systemd
    passphrase: str

    @property
    def root(self) -> Path:
        """What `/` is there."""
        return self.folder / "server"

    @property
    def certificate(self) -> Path:
        """What nginx shows, which everybody here believes."""
        return self.root / "etc" / "ssl" / "relay" / "fullchain.pem"

    def home(self, where: str) -> Path:
        """Where somebody types."""
        home = self.folder / where.lower().replace(" ", "-")
        home.mkdir(exist_ok=True)
        return home

    def environment(self, where: str) -> dict[str, str]:
        """What somebody's shell has."""
        database = urlsplit(self.provided.database)
        home = self.home(where)
        programs = (
            [self.root / "usr/local/sbin", self.root / "usr/local/bin", self.folder / "stand-ins"]
            if where == "Server"
            else [home / "relay/bin"]
        )
        return {
            "PATH": os.pathsep.join(
                map(
                    str,
                    (
                        *programs,
                        binaries.postgres(),
                        sysconfig.get_path("scripts"),
                        os.environ["PATH"],
                    ),
                )
            ),
            "HOME": str(home),
            "LANG": "C.UTF-8",
            "COLUMNS": "200",
            "NO_COLOR": "1",
            "PACKAGES": sysconfig.get_path("purelib"),
            "SSL_CERT_FILE": str(self.certificate),
            # Whom Debian's Postgres knows by the user of their process.
            "PGHOST": self.provided.sockets,
            "PGUSER": unquote(database.username or ""),
            "PGPASSWORD": unquote(database.password or ""),
            "PGDATABASE": "postgres",
        }

    def type(self, where: str, text: str) -> str:
        """Have somebody type this into their shell; what was said. TypedWrong where it fails."""
        terminal, inside = pty.openpty()
        try:
            with subprocess.Popen(
                ["setsid", "--ctty", "--wait", "bash", "-eu", "-o", "pipefail", "-c", text],
                cwd=self.home(where),
                env=self.environment(where),
                stdin=inside,
                stdout=inside,
                stderr=inside,
            ) as process:
                os.close(inside)
                said = self._answer(process, terminal)
        finally:
            os.close(terminal)
        said = STYLE.sub("", said.replace("\r\n", "\n"))
        if process.returncode != 0:
            raise TypedWrong(f"{where}: ended with {process.returncode}\n{text}\n{said}")
        return said

    def _answer(self, process: subprocess.Popen[bytes], terminal: int) -> str:
        """Read a terminal to its end, and type the passphrase where one is asked for."""
        said, answered = "", 0
        deadline = time.monotonic() + TYPED_SECONDS
        while True:
            if time.monotonic() > deadline:
                process.kill()
                raise TypedWrong(f"does not end:\n{said}")
            if not select.select([terminal], [], [], 1)[0]:
                continue
            try:
                said += os.read(terminal, 65536).decode("utf-8", "replace")
            except OSError:  # whoever had it open has ended
                return said
            if PROMPT.search(said[answered:]):
                answered = len(said)
                os.write(terminal, f"{self.passphrase}\n".encode())

    def database(self, name: str) -> str:
        """The address of a database, for a superuser."""
        return urlsplit(self.provided.database)._replace(path=f"/{name}").geturl()

    def unpack_tree(self, here: Callable[[str], str]) -> None:
        """The source of relay as a clone has it; `here` gives a text as it is on this server."""
        tree = self.root / "usr" / "local" / "src" / "relay"
        for name in TREE:
            ignored = shutil.ignore_patterns("__pycache__", "example-host", "kubernetes")
            shutil.copytree(ROOT / name, tree / name, ignore=ignored)
        (tree / "web").mkdir()
        for name in TREE_FILES:
            shutil.copy(ROOT / name, tree)
        files = {path: path.read_text("utf-8") for path in (tree / "deploy" / "systemd").iterdir()}
        nginx = self.folder / "nginx"
        nginx.mkdir()
        files[tree / "deploy" / "nginx.conf"] = nginx_conf(
            nginx, self.ports.http, on_port(self.ports.https)
        )
        for path, text in files.items():
            path.write_text(here(text), "utf-8")

    def drop_database(self) -> None:
        """Take the database and its roles away; the embedded Postgres begins with roles of the same names."""
        roles = "relay_owner, relay_web, relay_worker, relay_deliverer"
        self.type(
            "Server",
            f"psql --quiet --command 'drop database relay' --command 'drop role {roles}'",
        )

    def begin(self) -> None:
        """What is there once the distribution's packages are installed."""
        self.drop_database()
        for name in ("redis", "nginx", "systemd/system"):
            (self.root / "etc" / name).mkdir(parents=True)
        for name in ("sbin", "bin", "src"):
            (self.root / "usr" / "local" / name).mkdir(parents=True)
        for name in ("opt", "var/backups", "var/www"):
            (self.root / name).mkdir(parents=True)
        for name in ("stick", "auditor", "redis"):
            (self.folder / name).mkdir()
        (self.root / "etc" / "redis" / "redis.conf").write_text(
            f'bind 127.0.0.1\nport {self.ports.redis}\ndir "{self.folder / "redis"}"\n'
        )


@contextlib.contextmanager
def a_server(folder: Path, passphrase: str) -> Iterator[Server]:
    """A server with nothing of relay on it, and a `systemctl`; what runs at the end is stopped."""
    ports = free_ports()
    root, stand_ins, logs = folder / "server", folder / "stand-ins", folder / "units"
    stand_ins.mkdir()
    logs.mkdir()
    given = {
        "redis-server": Service(
            command=[str(binaries.redis()), str(root / "etc" / "redis" / "redis.conf")],
            environment={},
            ready=lambda: _listens(ports.redis),
        ),
        "nginx": Service(
            command=nginx_command(root / "etc" / "nginx" / "nginx.conf"),
            environment={},
            reload=_hang_up,
            ready=lambda: _listens(ports.https),
        ),
    }
    with provided(folder) as services:
        given["postgresql"] = Service(
            command=[], environment={}, reload=lambda _process: services.reload_postgres()
        )
        systemd = Systemd(logs, root / "etc" / "systemd" / "system", given)
        with systemctl(systemd, stand_ins / "systemctl"):
            yield Server(
                folder=folder,
                ports=ports,
                provided=services,
                systemd=systemd,
                passphrase=passphrase,
            )


def _hang_up(process: subprocess.Popen[bytes] | None) -> None:
    assert process is not None
    process.send_signal(signal.SIGHUP)


def _listens(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False
