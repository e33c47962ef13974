"""Runs first in a process that a test starts, where PYTHONPATH leads here: what leaves it is written down."""

from __future__ import annotations

import os
from pathlib import Path

from tests.support.privacy import leaving
from tests.support.privacy.net import Exit
from tests.support.privacy.processes import FOLDER, written


def _install(folder: str) -> None:
    path = Path(folder) / f"{os.getpid()}.exits"

    def leaves(by: Exit, content: bytes) -> None:
        # One write to the end of the file, whichever thread it comes from.
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(descriptor, written(by, content))
        finally:
            os.close(descriptor)

    leaving.hear_spans(leaving.HearingRecorder(leaves))
    leaving.hear_servers(leaves)


if FOLDER in os.environ:
    _install(os.environ[FOLDER])
