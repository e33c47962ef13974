"""Clients that other people's generators make from docs/openapi.yaml, each with a program that uses it."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

from tests.support.node import CLIENTS, ROOT, SECONDS, Node
from tests.support.openapi import DOCUMENT

_VENV: Final = ROOT / ".venv" / "clients"


def in_python(folder: Path) -> list[str | Path]:
    """The command of a Python program on a generated client that mypy finds nothing in.

    CalledProcessError where the generator or mypy has anything to say.
    """
    with (CLIENTS / "package.json").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two test runs may share one working tree
        _run(["make", "--no-print-directory", "clients"])
    _run(
        [
            *(_VENV / "bin" / "openapi-python-client", "generate", "--fail-on-warning"),
            *("--path", DOCUMENT, "--config", CLIENTS / "openapi-python-client.yaml"),
            *("--meta", "none", "--output-path", folder / "relay_api"),
        ]
    )
    host = shutil.copy(CLIENTS / "host.py", folder)
    python = _VENV / "bin" / "python"
    checked: list[str | Path] = [
        "--python-executable",
        python,
        "--config-file",
        CLIENTS / "mypy.ini",
    ]
    _run([sys.executable, "-m", "mypy", *checked, "relay_api", "host.py"], folder)
    return [python, host]


def in_typescript(folder: Path) -> list[str | Path]:
    """The command of a TypeScript program on generated types that strict tsc finds nothing in."""
    node = Node.installed(CLIENTS)
    for file in ("host.ts", "tsconfig.json", "package.json"):
        shutil.copy(CLIENTS / file, folder)
    (folder / "node_modules").symlink_to(CLIENTS / "node_modules")
    packages = CLIENTS / "node_modules"
    types = [packages / "openapi-typescript" / "bin" / "cli.js", DOCUMENT]
    _run([node.node, *types, "--output", folder / "schema.d.ts"])
    _run([node.node, packages / "typescript" / "bin" / "tsc"], folder)
    return [node.node, folder / "host.js"]


def _run(command: list[str | Path], folder: Path = ROOT) -> None:
    path = f"{_VENV / 'bin'}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, "PATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=SECONDS,
    )
    assert done.returncode == 0, f"{command}:\n{done.stdout}"
