"""The nginx of the tests: its program, and what deploy/nginx.conf needs to run beside others."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
PROGRAMS: Final = ROOT / ".cache" / "proxies" / "usr"
PLACES: Final = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")


def bring_proxies() -> None:
    """Nginx and Caddy, from Debian's packages."""
    subprocess.run([ROOT / ".ci" / "proxies"], check=True)


def replaced(text: str, changes: Mapping[str, str]) -> str:
    """A text in which each of these is something else; each must be in it."""
    for old, new in changes.items():
        assert old in text, old
        text = text.replace(old, new)
    return text


def nginx_conf(folder: Path, port: int, plain_port: int) -> str:
    """deploy/nginx.conf, on ports of loopback, with its own files in a folder."""
    places = "".join(f"    {kind}_temp_path {folder}/{kind};\n" for kind in PLACES)
    return replaced(
        (ROOT / "deploy" / "nginx.conf").read_text("utf-8"),
        {
            "http {\n": f"http {{\n{places}",
            "/run/nginx.pid": f"{folder}/nginx.pid",
            "listen 443 ssl http2;": f"listen 127.0.0.1:{port} ssl http2;",
            "        listen [::]:443 ssl http2;\n": "",
            "listen 80;": f"listen 127.0.0.1:{plain_port};",
            "        listen [::]:80;\n": "",
        },
    )


def nginx_command(conf: Path) -> list[str]:
    """The program in the foreground, with this configuration."""
    return [
        *(str(PROGRAMS / "sbin" / "nginx"), "-c", str(conf)),
        *("-e", "stderr", "-g", "daemon off; user root;"),
    ]
