"""The units of deploy/systemd: each process has its own user and settings, and little else of the machine."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Final

import pytest

from tests.support.systemd import read_unit

UNITS: Final = Path(__file__).parents[3] / "deploy" / "systemd"
FILES: Final = sorted(UNITS.glob("*.service"))
TAKEN: Final = {
    "NoNewPrivileges": "yes",
    "CapabilityBoundingSet": "",
    "AmbientCapabilities": "",
    "ProtectSystem": "strict",
    "ProtectHome": "yes",
    "PrivateTmp": "yes",
    "PrivateDevices": "yes",
    "ProtectKernelTunables": "yes",
    "ProtectKernelModules": "yes",
    "ProtectKernelLogs": "yes",
    "ProtectControlGroups": "yes",
    "ProtectClock": "yes",
    "ProtectProc": "invisible",
    "RestrictSUIDSGID": "yes",
    "RestrictRealtime": "yes",
    "LockPersonality": "yes",
    "SystemCallArchitectures": "native",
    "UMask": "0077",
}
"""What every process does without."""
OF_THE_JAIL: Final = {"cgroup", "ipc", "mnt", "net", "pid", "user", "uts"}


@pytest.fixture(params=FILES, ids=lambda path: path.stem)
def unit(request: pytest.FixtureRequest) -> dict[str, list[str]]:
    """Each unit."""
    return read_unit(request.param.read_text("utf-8"))


def test_there_is_a_unit_for_each_process() -> None:
    """The web service, the worker, and whoever sends events."""
    assert [path.name for path in FILES] == [
        "relay-deliver.service",
        "relay-web@.service",
        "relay-worker.service",
    ]


def test_each_process_has_a_user_and_settings_of_its_own(unit: dict[str, list[str]]) -> None:
    """They go by the same name; it runs what is installed, and says when it is ready."""
    [user] = unit["User"]
    assert unit["Group"] == [user]
    assert unit["EnvironmentFile"] == [f"/etc/relay/{user.removeprefix('relay-')}.env"]
    [command] = unit["ExecStart"]
    commands = {"relay-web": "serve", "relay-worker": "worker", "relay-deliver": "deliver"}
    assert command == f"/opt/relay/bin/relay {commands[user]}"
    assert unit["Type"] == ["notify"]


def test_no_process_has_more_of_the_machine_than_it_needs(unit: dict[str, list[str]]) -> None:
    """Everything that systemd can take away from a process without privilege."""
    assert {name: unit[name] for name in TAKEN} == {name: [value] for name, value in TAKEN.items()}
    # At 0 the kernel hands the dump of a program in a jail to whatever collects dumps (docs/operations.md).
    assert "LimitCORE" not in unit


def test_the_worker_alone_makes_namespaces() -> None:
    """Its jail needs these, and the calls that make them; the others are refused all of it."""
    worker = read_unit((UNITS / "relay-worker.service").read_text("utf-8"))
    assert set(worker["RestrictNamespaces"][0].split()) == OF_THE_JAIL
    [calls] = worker["SystemCallFilter"]
    assert {"@mount", "seccomp", "sethostname"} < set(calls.split())
    assert "ProtectHostname" not in worker
    assert "AF_NETLINK" in worker["RestrictAddressFamilies"][0]
    for name in ("relay-web@", "relay-deliver"):
        other = read_unit((UNITS / f"{name}.service").read_text("utf-8"))
        assert other["RestrictNamespaces"] == ["yes"]
        assert other["SystemCallFilter"] == ["@system-service", "~@privileged"]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_systemd_understands_every_line(path: Path, tmp_path: Path) -> None:
    """Where `systemd-analyze` is installed, it finds no fault, and no more exposed than this."""
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("systemd-analyze is not installed here")
    executable = tmp_path / "relay"
    executable.touch(0o755)
    here = tmp_path / path.name.replace("@", "@8080")
    here.write_text(path.read_text("utf-8").replace("/opt/relay/bin/relay", str(executable)))
    verified = subprocess.run(
        [program, "verify", here], check=False, capture_output=True, text=True
    )
    said = [line for line in verified.stderr.splitlines() if path.stem.split("@")[0] in line]
    assert (verified.returncode, said) == (0, [])
    rated = subprocess.run(
        [program, "security", "--offline=true", "--no-pager", here],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, "SYSTEMD_COLORS": "0"},
    )
    exposure = re.search(r"exposure level for \S+: ([0-9.]+)", rated.stdout)
    assert exposure is not None, rated.stderr
    assert float(exposure[1]) < 3


def test_a_roll_that_failed_can_be_run_again(tmp_path: Path) -> None:
    """A process that does not get ready stays out of nginx, and comes back with the next run that works."""
    conf, programs = tmp_path / "nginx.conf", tmp_path / "programs"
    before = "server 127.0.0.1:8080 max_fails=1;\nserver 127.0.0.1:8081 max_fails=1;\n"
    conf.write_text(before)
    programs.mkdir()
    script = (UNITS / "relay-roll").read_text("utf-8").replace("/etc/nginx/nginx.conf", str(conf))
    path = {"PATH": f"{programs}:{os.environ['PATH']}"}

    def roll(*, is_ready: bool) -> int:
        for name, code in (("systemctl", 0), ("sleep", 0), ("curl", 0 if is_ready else 22)):
            (programs / name).write_text(f"#!/bin/sh\nexit {code}\n")
            (programs / name).chmod(0o755)
        command = ["sh", "-c", script, "roll", "8080", "8081"]
        return subprocess.run(command, env=path, check=False).returncode

    for _ in range(2):
        assert roll(is_ready=False) != 0
        assert conf.read_text() == before.replace("8080 ", "8080 down ")
    assert roll(is_ready=True) == 0
    assert conf.read_text() == before
