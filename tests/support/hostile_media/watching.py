"""Sees what an escape would leave: a file opened, a connection, a process, memory beyond its bound."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import struct
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Final, Self

_ACCESS, _OPEN, _CREATE, _MODIFY, _MOVED_TO, _DELETE = 0x1, 0x20, 0x100, 0x2, 0x80, 0x200
_EVENT: Final = struct.Struct("iIII")
SAMPLE_SECONDS: Final = 0.02


class Touches:
    """Notes every use of the files in some folders, by whatever process and in whatever namespace."""

    def __init__(self, *folders: Path) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._descriptor = self._libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        if self._descriptor < 0:
            raise OSError(ctypes.get_errno(), "inotify_init1")
        mask = _ACCESS | _OPEN | _CREATE | _MODIFY | _MOVED_TO | _DELETE
        for folder in folders:
            if self._libc.inotify_add_watch(self._descriptor, os.fsencode(folder), mask) < 0:
                raise OSError(ctypes.get_errno(), "inotify_add_watch")

    def seen(self) -> list[str]:
        """The names that were used since this was last asked."""
        names: list[str] = []
        with contextlib.suppress(BlockingIOError):
            while events := os.read(self._descriptor, 64 * 1024):
                at = 0
                while at < len(events):
                    length = _EVENT.unpack_from(events, at)[3]
                    at += _EVENT.size + length
                    names.append(events[at - length : at].rstrip(b"\0").decode())
        return names

    def close(self) -> None:
        """Stop looking."""
        os.close(self._descriptor)


@contextlib.contextmanager
def touches(*folders: Path) -> Iterator[Touches]:
    """Watch these folders; not those in them."""
    watch = Touches(*folders)
    try:
        yield watch
    finally:
        watch.close()


class Listener:
    """A server on 127.0.0.1 that counts who comes."""

    def __init__(self) -> None:
        self.connections = 0
        self.url = ""

    def came(self, _reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One more."""
        self.connections += 1
        writer.close()


@contextlib.asynccontextmanager
async def listening() -> AsyncIterator[Listener]:
    """A listener at a port of its own."""
    listener = Listener()
    server = await asyncio.start_server(listener.came, "127.0.0.1", 0)
    listener.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hostile.mp4"
    async with server:
        yield listener


def below(process: int) -> list[int]:
    """Every process that a process has started, and those that they have."""
    found: list[int] = []
    for task in Path(f"/proc/{process}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            for child in map(int, task.read_text(encoding="ascii").split()):
                found += [child, *below(child)]
    return found


def memory_of(process: int) -> int:
    """Bytes in memory of a process, of all below it, and of the memory files that it has open."""
    pages = 0
    for one in (process, *below(process)):
        with contextlib.suppress(OSError, IndexError):
            pages += int(Path(f"/proc/{one}/statm").read_text(encoding="ascii").split()[1])
    files: dict[int, int] = {}
    with contextlib.suppress(OSError):
        for link in Path(f"/proc/{process}/fd").iterdir():
            with contextlib.suppress(OSError):
                if str(link.readlink()).startswith("/memfd:"):
                    found = link.stat()
                    files[found.st_ino] = found.st_blocks * 512
    return pages * os.sysconf("SC_PAGE_SIZE") + sum(files.values())


class Memory:
    """The most that a process and all below it had in memory; sampled, so that a moment may be missed."""

    def __init__(self, process: int) -> None:
        self._process = process
        self._ended = threading.Event()
        self._lock = threading.Lock()
        self._most = 0
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def _watch(self) -> None:
        while not self._ended.wait(SAMPLE_SECONDS):
            found = memory_of(self._process)
            with self._lock:
                self._most = max(self._most, found)

    def most(self) -> int:
        """Bytes, since this was last asked."""
        with self._lock:
            most, self._most = self._most, 0
        return most

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._ended.set()
        self._thread.join()
