"""A file that exists only in memory: plaintext media lives here and nowhere else.

The kernel frees it with its last descriptor, so even a worker killed with SIGKILL leaves nothing.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
from collections.abc import Iterator
from types import TracebackType
from typing import Self

MFD_NOEXEC_SEAL = 0x0008
"""Linux 6.3 and later: the contents can never be executed. Older kernels answer EINVAL."""

_READ_ONLY = fcntl.F_SEAL_WRITE | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_SEAL


class MemoryFile:
    """An anonymous file in memory, written as a stream and then sealed against any change."""

    __slots__ = ("_descriptor", "_sealed")

    def __init__(self) -> None:
        """An empty file; OSError when the machine has no descriptors or memory left."""
        flags = os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING
        try:
            self._descriptor = os.memfd_create("relay", flags | MFD_NOEXEC_SEAL)
        except OSError as error:
            if error.errno != errno.EINVAL:
                raise
            self._descriptor = os.memfd_create("relay", flags)
        self._sealed = False

    def write(self, data: bytes | bytearray | memoryview) -> int:
        """Append all of `data`; bytes written. PermissionError once sealed."""
        rest = memoryview(data).cast("B")
        count = len(rest)
        while rest:
            rest = rest[os.write(self._descriptor, rest) :]
        return count

    def seal(self) -> None:
        """Make it read-only for every holder, for good; a second call changes nothing."""
        if not self._sealed:
            fcntl.fcntl(self._descriptor, fcntl.F_ADD_SEALS, _READ_ONLY)
            self._sealed = True

    @property
    def sealed(self) -> bool:
        """Whether nobody can change it any more."""
        return self._sealed

    @property
    def size(self) -> int:
        """Its length in bytes."""
        return os.fstat(self._descriptor).st_size

    def read_at(self, offset: int, count: int) -> bytes:
        """Up to `count` bytes from `offset`; fewer only at the end."""
        pieces = []
        while count > 0 and (piece := os.pread(self._descriptor, count, offset)):
            pieces.append(piece)
            offset += len(piece)
            count -= len(piece)
        return b"".join(pieces)

    def chunks(self, count: int) -> Iterator[bytes]:
        """All of it from the start, `count` bytes at a time."""
        offset = 0
        while piece := self.read_at(offset, count):
            yield piece
            offset += len(piece)

    @contextlib.contextmanager
    def reader(self) -> Iterator[int]:
        """A read-only descriptor with a position of its own, for another process."""
        with self._opened(os.O_RDONLY) as descriptor:
            yield descriptor

    @contextlib.contextmanager
    def writer(self) -> Iterator[int]:
        """A write-only descriptor at position 0, for another process."""
        with self._opened(os.O_WRONLY) as descriptor:
            yield descriptor

    @contextlib.contextmanager
    def _opened(self, mode: int) -> Iterator[int]:
        descriptor = os.open(f"/proc/self/fd/{self._descriptor}", mode | os.O_CLOEXEC)
        try:
            yield descriptor
        finally:
            os.close(descriptor)

    def close(self) -> None:
        """Let go of the contents; closing twice changes nothing."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __del__(self) -> None:
        # Plaintext must not outlive its last user, even one that forgot to close it.
        if getattr(self, "_descriptor", -1) >= 0:
            self.close()

    def __repr__(self) -> str:
        return f"<MemoryFile {'closed' if self._descriptor < 0 else f'{self.size} bytes'}>"
