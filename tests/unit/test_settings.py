"""Each setting does something, in the processes of which that is said, and nowhere else."""

from __future__ import annotations

import ast
import dataclasses
import ipaddress
import os
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from relay.errors import ConfigurationError
from relay.media.limits import MediaLimits
from relay.settings import OF_DELIVERER, OF_WEB, OF_WORKER, Settings, read_file

ROOT = Path(__file__).parents[2]
NAMES = [field.name for field in dataclasses.fields(Settings)]
LIMITS = {field.name for field in dataclasses.fields(MediaLimits)}
HOLDERS = {"settings", "_settings", "limits"}
"""What settings are called where they are read."""


@cache
def tree(module: str) -> ast.Module | None:
    """The code of a module of relay's; None for every other."""
    if module.split(".", maxsplit=1)[0] not in {"relay", "workers"}:
        return None
    place = ROOT.joinpath(*module.split("."))
    for file in (place.with_suffix(".py"), place / "__init__.py"):
        if file.is_file():
            return ast.parse(file.read_text("utf-8"))
    return None


def imported(module: str) -> Iterator[str]:
    """The modules that a module of relay's imports from."""
    for node in ast.walk(tree(module) or ast.Module(body=[], type_ignores=[])):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def reached(command: str) -> set[str]:
    """Every module of relay's that a command imports, by whatever way."""
    found: set[str] = set()
    ahead = [command]
    while ahead:
        module = ahead.pop()
        if module not in found and tree(module) is not None:
            found.add(module)
            ahead += imported(module)
    return found - {"relay.settings"}


WEB = reached("relay.commands.serve")
WORKER = reached("relay.commands.worker")
DELIVERER = reached("relay.commands.deliver")


@cache
def reads(module: str) -> set[str]:
    """The settings that a module reads by name."""
    return {
        node.attr
        for node in ast.walk(tree(module) or ast.Module(body=[], type_ignores=[]))
        if isinstance(node, ast.Attribute)
        and isinstance(node.ctx, ast.Load)
        and (
            (isinstance(node.value, ast.Name) and node.value.id in HOLDERS)
            or (isinstance(node.value, ast.Attribute) and node.value.attr in HOLDERS)
        )
    }


def readers(name: str) -> set[str]:
    """The modules in which a setting is read."""
    return {module for module in WEB | WORKER | DELIVERER if name in reads(module)}


@pytest.mark.parametrize("name", NAMES)
def test_every_setting_is_read(name: str) -> None:
    """Whatever an operator may set changes something: code that runs in a process reads it."""
    assert readers(name)


@pytest.mark.parametrize("name", NAMES)
def test_every_setting_is_read_where_it_is_said(name: str) -> None:
    """One of the web service is read by nothing that only workers run, and the other way round."""
    found = readers(name)
    if name in OF_WEB:
        assert found & WEB
        assert not found & (WORKER - WEB)
    elif name in OF_WORKER:
        assert found & WORKER
        # The web service looks at the media key's setting in order to refuse it.
        refused = {"relay.commands.serve"} if name == "media_key_file" else set()
        assert found & (WEB - WORKER) == refused
    elif name in OF_DELIVERER:
        assert found & DELIVERER
        assert not found & (WEB | WORKER)
    else:
        assert found & WEB
        assert found & WORKER


def test_the_processes_share_no_setting_of_their_own() -> None:
    """A setting is of the web service, of the worker, of whoever sends events, or of several."""
    assert not OF_WEB & OF_WORKER
    assert not OF_DELIVERER & (OF_WEB | OF_WORKER)
    assert set(NAMES) >= OF_WEB | OF_WORKER | OF_DELIVERER
    assert LIMITS <= OF_WORKER


NOWHERE = {
    "RELAY_DATABASE_URL": "postgresql://127.0.0.1:1/nowhere",
    "RELAY_REDIS_URL": "redis://127.0.0.1:1",
    "RELAY_S3_ENDPOINT": "http://127.0.0.1:1",
    "RELAY_S3_ACCESS_KEY": "x",
    "RELAY_S3_SECRET_KEY": "x",
}


def said(command: str, **settings: str) -> str:
    """What a process says that is started with these settings and reaches no service."""
    done = subprocess.run(
        [sys.executable, "-m", "relay", command],
        env={"PATH": os.environ["PATH"], **NOWHERE, **settings},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    return " ".join((done.stdout + done.stderr).split())


@pytest.mark.slow
def test_settings_of_the_other_process_are_named_at_the_start() -> None:
    """Anyone who sets one in the wrong place reads in the log that it does nothing there."""
    by_web = said("serve", RELAY_WORKER_JOBS="2", RELAY_FFMPEG="/bin/true", RELAY_LEASE_SECONDS="9")
    assert "settings that other processes read: RELAY_FFMPEG, RELAY_WORKER_JOBS" in by_web
    by_worker = said("worker", RELAY_LEASE_SECONDS="9", RELAY_WORKER_JOBS="2")
    assert "settings that other processes read: RELAY_LEASE_SECONDS" in by_worker


@pytest.mark.slow
def test_the_web_service_does_not_start_with_the_media_key() -> None:
    """A key that opens videos has no place there, not even one that nobody reads."""
    assert "RELAY_MEDIA_KEY_FILE is for the worker alone" in said(
        "serve", RELAY_MEDIA_KEY_FILE="/nowhere"
    )


def test_a_file_of_settings_is_read_line_by_line(tmp_path: Path) -> None:
    """Comments and blank lines are left out; a value is what stands behind the first `=`."""
    file = tmp_path / "web.env"
    file.write_text("# of the web service\n\nRELAY_A=b=c\n  RELAY_EMPTY=  \nRELAY_D=with # in it\n")
    assert read_file(file) == {"RELAY_A": "b=c", "RELAY_EMPTY": "", "RELAY_D": "with # in it"}


@pytest.mark.parametrize(
    "line",
    ["RELAY_A", "export RELAY_A=b", "RELAY_A = b", 'RELAY_A="b"', "RELAY_A='b'", "RELAY_A=b\\"],
)
def test_a_line_that_others_would_read_otherwise_is_refused(tmp_path: Path, line: str) -> None:
    """With the number of the line; systemd, a shell and relay find the same in a file, or nothing."""
    file = tmp_path / "web.env"
    file.write_text(f"RELAY_B=c\n{line}\n")
    with pytest.raises(ConfigurationError, match="line 2, must be NAME=value"):
        read_file(file)


def test_a_file_of_settings_that_is_not_there_is_named(tmp_path: Path) -> None:
    """Whoever mistypes its name reads it."""
    with pytest.raises(ConfigurationError, match=r"nowhere\.env cannot be read"):
        read_file(tmp_path / "nowhere.env")


@pytest.mark.slow
def test_the_later_of_two_files_counts_and_both_before_the_environment(tmp_path: Path) -> None:
    """A command takes its settings from there, whichever way the option is written."""
    first, second = tmp_path / "first.env", tmp_path / "second.env"
    first.write_text("RELAY_LISTEN_PORT=one\nRELAY_LEASE_SECONDS=9\n")
    second.write_text("RELAY_LISTEN_PORT=two\n")
    done = subprocess.run(
        [sys.executable, "-m", "relay", f"--settings={first}", "--settings", second, "doctor"],
        env={"PATH": os.environ["PATH"], **NOWHERE, "RELAY_LEASE_SECONDS": "no number"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "RELAY_LISTEN_PORT must be a whole number" in done.stdout
    second.write_text("RELAY_LISTEN_PORT=80\nRELAY_NOTHING=1\n")
    again = subprocess.run(
        [sys.executable, "-m", "relay", "--settings", first, "--settings", second, "doctor"],
        env={"PATH": os.environ["PATH"], **NOWHERE},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "RELAY_NOTHING is not a setting of relay" in again.stdout


def test_relay_listens_on_loopback_unless_told_otherwise() -> None:
    """Nobody on another machine reaches it without a proxy, or a setting that says so."""
    [host] = [
        field.default for field in dataclasses.fields(Settings) if field.name == "listen_host"
    ]
    assert isinstance(host, str)
    assert ipaddress.ip_address(host).is_loopback
