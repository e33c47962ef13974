"""Asks the doctor about settings that a test has changed, and about those that are whole."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
from collections.abc import Mapping
from typing import Final

from relay.doctor.checks import Check, Level
from relay.doctor.configuration import OTHERS, Process
from relay.doctor.examination import examine
from relay.settings import Settings

SOON_SECONDS: Final = 15


def environment_of(settings: Settings, process: Process, **more: str) -> dict[str, str]:
    """These settings, as far as the process reads them, and those that a test changes."""
    others = OTHERS[process]
    given = {
        f"RELAY_{name.upper()}": str(value)
        for name, value in dataclasses.asdict(settings).items()
        if name not in others
    }
    return {**given, **more}


async def checks(environment: Mapping[str, str], process: Process = "web") -> list[Check]:
    """Everything that the doctor says."""
    return [check async for check in examine(environment, process)]


async def failing(environment: Mapping[str, str], process: Process = "web") -> dict[str, str]:
    """The sentences of the checks that fail."""
    return {
        check.check: check.says
        for check in await checks(environment, process)
        if check.level is Level.FAIL
    }


def command(environment: Mapping[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """`relay doctor` as a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "relay", "doctor", *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": os.environ["PATH"], **environment},
    )
