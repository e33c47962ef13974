"""Keeps what is in this process's memory, keys and words, from everybody else on the machine but root."""

from __future__ import annotations

import ctypes
import os
import resource
import sys
from pathlib import Path
from typing import Final

_PR_SET_DUMPABLE: Final = 4
_CORE_BYTES: Final = 1
"""The kernel hands a dump to a program that collects them whatever the limit is, except where it is one byte;
and no file is so short. Processes that this one starts inherit it."""


def keep_memory_private() -> None:
    """No core dump of this process, and no other process of its user reads its memory; OSError otherwise.

    The second holds until another program is started in its place: each `relay` command calls this first.
    """
    _, hard = resource.getrlimit(resource.RLIMIT_CORE)
    limit = _CORE_BYTES if hard == resource.RLIM_INFINITY else min(hard, _CORE_BYTES)
    resource.setrlimit(resource.RLIMIT_CORE, (limit, limit))
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0) != 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))


def children_may_be_dumped(core_pattern: Path = Path("/proc/sys/kernel/core_pattern")) -> bool:
    """Whether a crash of a program that this process starts would be handed to one that collects dumps.

    So it is where the limit was lowered to nothing before, which cannot be raised to the one byte that helps.
    """
    try:
        is_piped = core_pattern.read_bytes().startswith(b"|")
    except OSError:
        return False
    return is_piped and resource.getrlimit(resource.RLIMIT_CORE)[0] != _CORE_BYTES
