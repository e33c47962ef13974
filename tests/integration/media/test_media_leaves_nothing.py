"""No plaintext in any path, no process left: after success, refusal, cancelling and SIGKILL."""

from __future__ import annotations

import asyncio
import contextlib
import os
import select
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import uvloop

from relay.media import errors
from relay.media.jail import FFMPEG, JailLimits, run_in_jail
from relay.media.limits import MediaLimits
from relay.media.memory import MemoryFile
from relay.media.tools import MediaTools
from relay.media.transcode import Progress, transcode
from relay.settings import GIB, MIB

Make = Callable[..., Path]
MARKER = b"only-in-memory-a3f1c2"
FOLDERS = ("/tmp", "/dev/shm", "/var/tmp", "/run")  # noqa: S108 - looked into, not used


BEFORE: set[int] = set()
"""Children of this process that are not a test's own: the services of the whole session."""


@pytest.fixture(autouse=True)
def _know_who_was_there() -> Iterator[None]:
    BEFORE.update(children(os.getpid()))
    yield
    BEFORE.clear()


@pytest.fixture
def recording(make: Make) -> bytes:
    """Some seconds of work, with a marker in its metadata and in its unused space."""
    path = make(
        "marked.mp4",
        *("-f", "lavfi", "-i", "testsrc2=s=1280x720:r=30:d=8", "-c:v", "libx264"),
        *("-preset", "ultrafast", "-pix_fmt", "yuv420p", "-metadata", f"title={MARKER.decode()}"),
    )
    content = path.read_bytes()
    free = (8 + len(MARKER)).to_bytes(4, "big") + b"free" + MARKER
    assert content.count(MARKER) == 1
    return content + free


def children(parent: int) -> list[int]:
    """The processes right below `parent`."""
    found = []
    for task in Path(f"/proc/{parent}/task").glob("*/children"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            found += [int(word) for word in task.read_text(encoding="ascii").split()]
    return found


def descendants(root: int) -> list[int]:
    """Every process below `root`, but for those that ran before this test and what they start."""
    found = []
    for child in children(root):
        if child not in BEFORE:
            found += [child, *descendants(child)]
    return found


def command(process: int) -> str:
    """First word of its command line."""
    try:
        return Path(f"/proc/{process}/cmdline").read_bytes().split(b"\0")[0].decode()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def files_with(
    needles: list[bytes], since: float, places: list[Path], own: Path | None = None
) -> list[Path]:
    """Regular files changed since then that hold any of these bytes.

    `own` is where the tests keep the recordings that they made.
    """
    found = []
    ahead = [str(place) for place in places]
    while ahead:
        with contextlib.suppress(OSError), os.scandir(ahead.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    ahead += [entry.path] if entry.path != str(own) else []
                elif entry.is_file(follow_symlinks=False) and _changed_since(entry, since):
                    content = _content(entry.path)
                    found += [Path(entry.path)] if any(one in content for one in needles) else []
    return found


def _changed_since(entry: os.DirEntry[str], since: float) -> bool:
    try:
        return entry.stat(follow_symlinks=False).st_mtime >= since
    except OSError:  # it is gone
        return False


def _content(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError:
        return b""


def open_paths(process: int) -> list[str]:
    """Regular files on a disk that a process has open for writing."""
    found = []
    for link in Path(f"/proc/{process}/fd").glob("*"):
        try:
            target = str(link.readlink())
            flags = Path(f"/proc/{process}/fdinfo/{link.name}").read_text(encoding="ascii")
        except OSError:
            continue
        writable = int(flags.split("flags:")[1].split()[0], 8) & os.O_ACCMODE != os.O_RDONLY
        if writable and target.startswith("/") and not target.startswith(("/memfd:", "/dev/")):
            found.append(target)
    return found


async def test_no_path_ever_holds_plaintext(
    recording: bytes,
    tools: MediaTools,
    limits: MediaLimits,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """While it works and afterwards: not in temporary folders, shared memory or where it runs."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    since = tmp_path.stat().st_mtime
    places = [tmp_path, *(Path(folder) for folder in FOLDERS)]
    seen: list[Path] = []
    opened: list[str] = []
    before = set(open_paths(os.getpid()))
    needles = [MARKER, *await first_pictures(recording, limits, tools)]

    # Tests that run at the same time, of this run or another, have their folders side by side.
    above = tmp_path_factory.getbasetemp().parents
    kept = next((path for path in above if str(path.parent) in FOLDERS), above[0])

    def look(_: Progress) -> None:
        seen.extend(files_with(needles, since, places, kept))
        for process in [os.getpid(), *descendants(os.getpid())]:
            opened.extend(open_paths(process))

    with MemoryFile() as source:
        source.write(recording)
        done = await transcode(source, limits=limits, tools=tools, progress=look)
        with done.rendition, done.poster:
            look(Progress(stage="checking", fraction=1))
            content = done.rendition.read_at(0, done.size)
    assert MARKER not in content
    assert all(needle in content for needle in needles[1:])
    assert seen == []
    assert set(opened) - before == set()
    assert list(tmp_path.iterdir()) == []


async def first_pictures(recording: bytes, limits: MediaLimits, tools: MediaTools) -> list[bytes]:
    """Bytes that every rendition of this recording holds, by making it once before."""
    with MemoryFile() as source:
        source.write(recording)
        done = await transcode(source, limits=limits, tools=tools, progress=lambda _: None)
        with done.rendition, done.poster:
            content = done.rendition.read_at(0, done.size)
    start = content.find(b"mdat") + 1000
    return [content[start : start + 64]]


def test_the_watch_would_see_plaintext(recording: bytes, tmp_path: Path) -> None:
    """The search above is able to find what it looks for."""
    left = tmp_path / "deep" / "left.tmp"
    left.parent.mkdir()
    left.write_bytes(recording)
    assert files_with([MARKER], left.stat().st_mtime, [tmp_path]) == [left]
    assert files_with([MARKER], left.stat().st_mtime + 1, [tmp_path]) == []
    with left.open("ab"):
        assert str(left) in open_paths(os.getpid())


@pytest.mark.parametrize("stage", ["probing", "encoding", "checking"])
async def test_cancelling_ends_the_jail_before_it_returns(
    recording: bytes, tools: MediaTools, limits: MediaLimits, stage: str
) -> None:
    """Anyone who cancels finds no process and no open memory left, at any stage."""
    reached = asyncio.Event()

    def tell(progress: Progress) -> None:
        if progress.stage == stage:
            reached.set()

    descriptors = len(list(Path("/proc/self/fd").iterdir()))
    with MemoryFile() as source:
        source.write(recording)
        work = asyncio.create_task(transcode(source, limits=limits, tools=tools, progress=tell))
        await reached.wait()
        # Nobody is told when a process has started, so it is looked for until it is there.
        while not descendants(os.getpid()):  # noqa: ASYNC110
            await asyncio.sleep(0)
        work.cancel()
        with pytest.raises(asyncio.CancelledError):
            await work
        assert descendants(os.getpid()) == []
    assert len(list(Path("/proc/self/fd").iterdir())) <= descriptors


async def test_a_callback_that_fails_ends_the_jail(
    recording: bytes, tools: MediaTools, limits: MediaLimits
) -> None:
    """An error of the caller's own comes back to it, and nothing runs on."""

    def tell(progress: Progress) -> None:
        if progress.stage == "encoding" and progress.fraction > 0.1:
            raise LookupError

    with MemoryFile() as source:
        source.write(recording)
        with pytest.raises(LookupError):
            await transcode(source, limits=limits, tools=tools, progress=tell)
    assert descendants(os.getpid()) == []


async def test_a_refusal_leaves_no_process(tools: MediaTools, limits: MediaLimits) -> None:
    """The jail of a probe is gone when its refusal is told."""
    with MemoryFile() as source:
        source.write(b"nothing to see")
        with pytest.raises(errors.NotARecording):
            await transcode(source, limits=limits, tools=tools, progress=lambda _: None)
    assert descendants(os.getpid()) == []


def test_it_works_on_uvloop(plain: Path, tools: MediaTools, limits: MediaLimits) -> None:
    """The loop that the workers run on hands descriptors to processes in its own way."""

    async def main() -> str:
        with MemoryFile() as source:
            source.write(plain.read_bytes())
            done = await transcode(source, limits=limits, tools=tools, progress=lambda _: None)
            with done.rendition, done.poster:
                return done.kind

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        assert runner.run(main()) == "video"


WORKER = """
import asyncio, sys
from relay.media.jail import FFMPEG, JailLimits, run_in_jail
from relay.media.limits import MediaLimits
from relay.media.memory import MemoryFile
from relay.media.tools import MediaTools
from relay.media.transcode import transcode

async def main():
    limits = MediaLimits(video_max_seconds=3600, video_max_pixels=8192 * 4320, video_max_streams=8,
                         jail_memory_bytes=4 << 30, jail_processes=128, transcode_seconds=7200)
    with MemoryFile() as source:
        source.write(sys.stdin.buffer.read())
        tell = lambda p: print(p.stage, p.fraction, flush=True)
        await transcode(source, limits=limits, tools=MediaTools.find(ffmpeg="", bubblewrap="bwrap"),
                        progress=tell)

asyncio.run(main())
"""


@pytest.mark.parametrize("stage", ["probing", "encoding"])
def test_a_killed_worker_leaves_no_process(recording: bytes, stage: str) -> None:
    """SIGKILL gives it no chance to clean up; the kernel does, at once."""
    with subprocess.Popen(
        [sys.executable, "-c", WORKER], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as worker:
        assert worker.stdin is not None
        assert worker.stdout is not None
        worker.stdin.write(recording)
        worker.stdin.close()
        for line in worker.stdout:
            if line.startswith(stage.encode()):
                break
        below: list[int] = []
        while not any(command(process).endswith("bwrap") for process in below):
            below = descendants(worker.pid)
        watched = {process: _watch(process) for process in below}
        worker.kill()
        worker.wait()
        for process, descriptor in watched.items():
            if descriptor is not None:
                ended, _, _ = select.select([descriptor], [], [], 10)
                os.close(descriptor)
                assert ended, f"{command(process)} outlived its worker"


def _watch(process: int) -> int | None:
    try:
        return os.pidfd_open(process)
    except ProcessLookupError:
        return None


def test_a_jail_ends_by_itself_when_nobody_is_left_to_end_it(tools: MediaTools) -> None:
    """The alarm that the first program sets is kept by the one that follows."""
    code = (
        "import resource, signal, subprocess, sys\n"
        "sys.argv[1:1] = ['0', '2', 'core=1', 'seconds=1', '--']\n"
        f"exec(open({str(Path(errors.__file__).parent / 'inside' / 'launch.py')!r}).read())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tools.python), "-c", "import signal; signal.pause()"],
        check=False,
        timeout=20,
        stderr=subprocess.DEVNULL,
    )
    assert done.returncode == -signal.SIGALRM


async def test_cancelling_at_any_moment_leaves_no_process(tools: MediaTools) -> None:
    """From before bwrap has started to after: the holder of the jail's pipe has let it go.

    The moments are spread over the start of a jail, where its first process does not yet die with bwrap.
    """
    reader, writer = os.pipe()
    limits = JailLimits(memory_bytes=GIB, threads=16, file_bytes=MIB, seconds=20)
    for moment in range(500):
        jail = run_in_jail([FFMPEG, "-version"], limits=limits, tools=tools, descriptors=(writer,))
        work = asyncio.create_task(jail)
        for _ in range(moment % 10):
            await asyncio.sleep(0)
        # On a busy machine it may have ended before it was seen.
        while not work.done() and not descendants(os.getpid()):  # noqa: ASYNC110 - nobody tells when it has started
            await asyncio.sleep(0)
        work.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            async with asyncio.timeout(10):
                await work
    os.close(writer)
    try:
        # Where nobody has the other end any more, it can be read at once, and is at its end.
        assert select.select([reader], [], [], 10)[0] == [reader]
        assert os.read(reader, 1) == b""
    finally:
        os.close(reader)
