"""The proxies of deploy/ as processes on loopback, with the least changed in their files."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from relay.testing.relays import free_port

ROOT: Final = Path(__file__).parents[2]
PROGRAMS: Final = ROOT / ".cache" / "proxies" / "usr"
END_SECONDS: Final = 20
_NGINX_BODIES: Final = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")


def fetch_programs() -> None:
    """Nginx and Caddy, from Debian's packages; once."""
    subprocess.run([ROOT / ".ci" / "proxies"], check=True)


@contextlib.contextmanager
def nginx(folder: Path, port: int, backend: str, said: Path) -> Iterator[None]:
    """Nginx as deploy/nginx.conf has it; `fullchain.pem` and `key.pem` are in the folder."""
    changes = {"/etc/ssl/relay": str(folder), **on_port(port)}
    with _nginx(folder, changes, [backend], said):
        yield


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Front:
    """Nginx in front of two web processes."""

    url: str
    ports: tuple[int, int]
    """Of the web processes."""
    statuses: Path
    """The status of every answer that nginx gave, a line for each."""


@contextlib.contextmanager
def front(folder: Path) -> Iterator[Front]:
    """Nginx as deploy/nginx.conf has it, but without TLS; what it leads to may be started later."""
    fetch_programs()
    port, ports, statuses = free_port(), (free_port(), free_port()), folder / "statuses"
    changes = {
        "access_log off;": f"log_format status '$status'; access_log {statuses} status;",
        "listen 443 ssl http2;": f"listen 127.0.0.1:{port};",
        "ssl_certificate /etc/ssl/relay/fullchain.pem;": "",
        "ssl_certificate_key /etc/ssl/relay/key.pem;": "",
        "proxy_set_header Host $host;": "proxy_set_header Host $http_host;",
        # Everybody comes from one address here.
        "limit_req zone=requests burst=400 nodelay;": "",
        "limit_conn connections 512;": "",
    }
    backends = [f"127.0.0.1:{one}" for one in ports]
    with _nginx(folder, changes, backends, folder / "nginx.log"):
        yield Front(url=f"http://127.0.0.1:{port}", ports=ports, statuses=statuses)


@contextlib.contextmanager
def _nginx(
    folder: Path, changes: Mapping[str, str], backends: Sequence[str], said: Path
) -> Iterator[None]:
    server = "server web:8080 max_fails=1 fail_timeout=2s;"
    servers = " ".join(server.replace("web:8080", backend) for backend in backends)
    conf = folder / "nginx.conf"
    conf.write_text(nginx_conf(folder, free_port(), {server: servers, **changes}), "utf-8")
    with _running(nginx_command(conf), said):
        yield


def nginx_conf(folder: Path, plain_port: int, changes: Mapping[str, str]) -> str:
    """deploy/nginx.conf with its own files in a folder, on loopback, and these changes."""
    places = "".join(f"    {kind}_temp_path {folder}/{kind};\n" for kind in _NGINX_BODIES)
    return _replaced(
        (ROOT / "deploy" / "nginx.conf").read_text("utf-8"),
        {
            "http {\n": f"http {{\n{places}",
            "/run/nginx.pid": f"{folder}/nginx.pid",
            "        listen [::]:443 ssl http2;\n": "",
            "listen 80;": f"listen 127.0.0.1:{plain_port};",
            "        listen [::]:80;\n": "",
            **changes,
        },
    )


def on_port(port: int) -> dict[str, str]:
    """What is changed to serve TLS on this port of loopback."""
    return {"listen 443 ssl http2;": f"listen 127.0.0.1:{port} ssl http2;"}


def nginx_command(conf: Path) -> list[str]:
    """The program in the foreground, with this configuration."""
    return [
        *(str(PROGRAMS / "sbin" / "nginx"), "-c", str(conf)),
        *("-e", "stderr", "-g", "daemon off; user root;"),
    ]


@contextlib.contextmanager
def caddy(folder: Path, port: int, backend: str, said: Path) -> Iterator[None]:
    """Caddy as deploy/Caddyfile has it; the certificate as for `nginx`."""
    text = _replaced(
        (ROOT / "deploy" / "Caddyfile").read_text("utf-8"),
        {
            "{\n\tadmin off\n": f"{{\n\tadmin off\n\thttps_port {port}\n\thttp_port {free_port()}\n",
            "\tpersist_config off\n": "",  # newer than Debian's Caddy
            "web:8080": backend,
            "{$PUBLIC_HOST} {\n": f"{{$PUBLIC_HOST}} {{\n\ttls {folder}/fullchain.pem {folder}/key.pem\n",
            "127.0.0.1:2080": f"127.0.0.1:{free_port()}",
        },
    )
    (folder / "Caddyfile").write_text(text, "utf-8")
    command = [str(PROGRAMS / "bin" / "caddy"), "run", "--config", str(folder / "Caddyfile")]
    with _running(
        [*command, "--adapter", "caddyfile"], said, PUBLIC_HOST="localhost", HOME=str(folder)
    ):
        yield


def _replaced(text: str, changes: Mapping[str, str]) -> str:
    for old, new in changes.items():
        assert old in text, old
        text = text.replace(old, new)
    return text


@contextlib.contextmanager
def _running(command: list[str], said: Path, **environment: str) -> Iterator[None]:
    with said.open("wb") as output:
        process = subprocess.Popen(
            command, stdout=output, stderr=output, env={"PATH": os.environ["PATH"], **environment}
        )
        try:
            yield
        finally:
            process.terminate()
            process.wait(END_SECONDS)
