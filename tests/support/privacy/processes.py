"""Listens to every process that a test starts: what it writes to a file, and what leaves it otherwise.

A web service, worker or deliverer of its own comes up with what `inside/` installs, and writes down what
leaves it; the files that its output goes to are read by an open descriptor, also after they were deleted.
"""

from __future__ import annotations

import contextlib
import functools
import os
import stat
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from tests.support.privacy.net import Exit, Net, net
from tests.support.privacy.rewiring import put

INSIDE: Final = Path(__file__).parent / "inside"
FOLDER: Final = "WHAT_LEAVES_FOLDER"
"""The variable that says where a process writes down what leaves it."""
SERVING: Final = {"serve", "worker", "deliver"}


class Processes:
    """What the processes of this run have written, read on from where it was read last."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._output: dict[tuple[int, int], int] = {}
        self._read: dict[Path, int] = {}

    def listen(self) -> None:
        """To whatever is started from now on."""
        start, communicate = subprocess.Popen.__init__, subprocess.Popen.communicate

        @functools.wraps(start)
        def started(process: Any, args: Any, *rest: Any, **options: Any) -> None:
            if serves(args):
                options["env"] = with_inside(options.get("env"), self._folder)
                for stream in (options.get("stdout"), options.get("stderr")):
                    self._follow(stream)
            start(process, args, *rest, **options)

        @functools.wraps(communicate)
        def communicated(process: Any, *args: Any, **options: Any) -> Any:
            told = communicate(process, *args, **options)
            if is_relay(process.args) and told[1]:
                net().leaves(Exit.LOG, told[1])
            return told

        put(subprocess.Popen, "__init__", started)
        put(subprocess.Popen, "communicate", communicated)

    def hand_over(self, to: Net) -> None:
        """Give a net what was written since the last time."""
        for descriptor in self._output.values():
            with contextlib.suppress(OSError):  # a test may have taken its disk away
                while piece := os.read(descriptor, 2**20):
                    to.leaves(Exit.LOG, piece)
        for file in self._folder.glob("*.exits"):
            with file.open("rb") as content:
                content.seek(self._read.get(file, 0))
                for by, told in records(content.read()):
                    to.leaves(by, told)
                self._read[file] = content.tell()

    def close(self) -> None:
        """Let go of all files."""
        for descriptor in self._output.values():
            os.close(descriptor)
        self._output.clear()

    def _follow(self, stream: Any) -> None:
        """Read what is written to a file from here on."""
        with contextlib.suppress(AttributeError, OSError, ValueError):
            number = stream if isinstance(stream, int) else stream.fileno()
            about = os.fstat(number)
            if number >= 0 and stat.S_ISREG(about.st_mode):
                key = (about.st_dev, about.st_ino)
                if key not in self._output:
                    self._output[key] = os.open(f"/proc/self/fd/{number}", os.O_RDONLY)


def _words(args: Any) -> Sequence[str]:
    return (
        [str(args)] if isinstance(args, str | bytes | os.PathLike) else [str(arg) for arg in args]
    )


def is_relay(args: Any) -> bool:
    """Whether this is a command of relay's."""
    words = _words(args)
    return "relay" in words[:4] or any(word.endswith("/relay") for word in words[:2])


def serves(args: Any) -> bool:
    """Whether it is one that stays, and through which something leaves."""
    return is_relay(args) and bool(SERVING & set(_words(args)))


def with_inside(given: Mapping[str, str] | None, folder: Path) -> dict[str, str]:
    """An environment by which a process writes down what leaves it."""
    environment = dict(os.environ if given is None else given)
    before = environment.get("PYTHONPATH")
    places = [str(INSIDE), str(Path(__file__).parents[3]), *([before] if before else [])]
    return {**environment, "PYTHONPATH": os.pathsep.join(places), FOLDER: str(folder)}


def written(by: Exit, content: bytes) -> bytes:
    """What a process writes down of one thing that leaves."""
    return f"{by.name} {len(content)}\n".encode() + content + b"\n"


def records(content: bytes) -> Iterator[tuple[Exit, bytes]]:
    """What was written so."""
    at = 0
    while at < len(content):
        end = content.index(b"\n", at)
        name, length = content[at:end].split()
        at = end + 1 + int(length) + 1
        yield Exit[name.decode()], content[end + 1 : at - 1]
