"""Runs one program on hostile bytes where it can reach nothing but the descriptors it is handed.

No network, no other process, no /proc, an empty environment, a root file system that is read-only
and holds the program and its libraries alone, and limits on memory, threads, output and time.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import math
import os
import secrets
import signal
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path

from relay.media.errors import JailBroken, JailUnavailable
from relay.media.seccomp import filter_program
from relay.media.tools import MediaTools
from relay.settings import KIB, MIB

SCRIPTS = "/relay/code/relay/media/inside"
"""Where `relay/media/inside` is seen in the jail, alone, under the name it has outside."""
SITE = "/relay/site"
"""Where PyAV is seen in the jail."""
FFMPEG = "/relay/ffmpeg"
ENVIRONMENT: dict[str, str] = {}
STDOUT_MAX_BYTES = 4 * MIB
STDERR_KEPT_BYTES = 16 * KIB
OPEN_FILES = 64
GRACE_SECONDS = 10
"""How long the kernel may take to clear a killed jail away."""
_OUT_OF_MEMORY = (
    *(b"Cannot allocate memory", b"MemoryError", b"bad_alloc", b"malloc of size"),
    *(b"get_buffer() failed", b"pthread_create() failed", b"failed to map segment"),
    # An encoder that did not open; its parameters are the recipe's, so that only room can be missing.
    b"Generic error in an external library",
    # Silence before a sound that begins late: without it the sound is left out.
    b"Failed to compensate for timestamp delta",
)
_NOBODY = 65534
_FIRST_FREE_UID, _FREE_UIDS = 1_900_000_000, 100_000_000


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class JailLimits:
    """What one run in the jail may use."""

    memory_bytes: int
    """Address space of its one process."""
    threads: int
    file_bytes: int
    """Largest file it may write, that is, its largest answer."""
    seconds: float
    """Wall clock."""
    stall_seconds: float = math.inf
    """How long it may go without a sign of life; FFmpeg can hang where memory runs out."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a run ended."""

    status: int
    """Exit status; 128 + signal where a signal ended it."""
    stdout: bytes
    """Empty where a descriptor was given for it."""
    stderr: bytes
    """The last 16 KiB."""
    timed_out: bool = False
    lacked_memory: bool = False
    """Whether it said anywhere that it did, as libc, FFmpeg, x264, C++ or Python put it."""

    @property
    def ran_out_of_memory(self) -> bool:
        """Whether the limit on memory ended it."""
        return self.status != 0 and self.lacked_memory

    @property
    def wrote_too_much(self) -> bool:
        """Whether the limit on the size of its answer ended it."""
        return self.status == 128 + signal.SIGXFSZ or (
            self.status != 0 and b"File too large" in self.stderr
        )


@dataclasses.dataclass(slots=True, kw_only=True)
class _Liveness:
    """When the program last showed that it moves, and whether it ever lacked memory."""

    on_line: Callable[[bytes], bool] | None
    last: float
    lacked_memory: bool = False

    def saw_line(self, line: bytes) -> None:
        self.lacked_memory |= any(mark in line for mark in _OUT_OF_MEMORY)
        if self.on_line is None or self.on_line(line):
            self.last = asyncio.get_running_loop().time()


def jail_command(
    program: list[str],
    *,
    limits: JailLimits,
    tools: MediaTools,
    uid: int | None,
    filter_descriptor: int,
    ready_descriptor: int,
) -> list[str]:
    """The whole command line. `uid` is who the program becomes where the worker is root.

    Without it the jail has a user namespace of its own, where the worker's user looks like nobody.
    """
    command = [str(tools.bubblewrap), "--die-with-parent", "--new-session", "--clearenv"]
    if uid is None:
        command += ["--unshare-user", "--uid", str(_NOBODY), "--gid", str(_NOBODY)]
        command += ["--cap-drop", "ALL"]
    else:
        # These two are gone with the change of user that launch.py makes first.
        command += ["--cap-drop", "ALL", "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]
    for namespace in ("ipc", "pid", "net", "uts"):
        command.append(f"--unshare-{namespace}")
    command += ["--unshare-cgroup-try", "--hostname", "jail", "--chdir", "/"]
    places = {str(path): str(path) for path in (*tools.system_libraries, *tools.python_parts)}
    places |= {str(path): f"{SITE}/{path.name}" for path in tools.av}
    places |= {str(tools.ffmpeg): FFMPEG, str(Path(__file__).parent / "inside"): SCRIPTS}
    parents = {str(parent) for place in places.values() for parent in Path(place).parents}
    for folder in sorted((parents | {"/dev"}) - {"/"}):
        # Named one by one, for a folder that bwrap makes on the way can be entered by root alone.
        command += ["--dir", folder]
    for source, place in places.items():
        command += ["--ro-bind", source, place]
    command += ["--dev-bind", "/dev/null", "/dev/null"]
    command += ["--remount-ro", "/", "--seccomp", str(filter_descriptor), "--"]
    command += [str(tools.python), "-I", "-S", "-B", f"{SCRIPTS}/launch.py"]
    command += [str(uid or 0), str(ready_descriptor)]
    command += [
        "core=1",  # no dump at all; at 0 the kernel would still hand one to a program that collects them
        f"memory={limits.memory_bytes}",
        f"threads={limits.threads}",
        f"file={limits.file_bytes}",
        f"files={OPEN_FILES}",
        f"cpu={math.ceil(limits.seconds) * (os.cpu_count() or 1)}",
        f"seconds={math.ceil(limits.seconds) + 1}",
    ]
    return [*command, "--", *program]


async def run_in_jail(
    program: list[str],
    *,
    limits: JailLimits,
    tools: MediaTools,
    stdin: int | None = None,
    stdout: int | None = None,
    descriptors: tuple[int, ...] = (),
    on_line: Callable[[bytes], bool] | None = None,
) -> Outcome:
    """Run `program` (paths as they are inside) and return when nothing of it is left.

    `descriptors` keep their numbers. `on_line` is given each line of stderr as it comes, and says
    whether that is a sign of life; without it every line is one.
    Cancelling ends every process of the jail first. JailUnavailable when it cannot be built,
    JailBroken when it cannot be cleared away.
    """
    with _filter_descriptor() as filter_descriptor, _pipe() as (ready, told):
        command = jail_command(
            program,
            limits=limits,
            tools=tools,
            uid=_free_uid() if os.geteuid() == 0 else None,
            filter_descriptor=filter_descriptor,
            ready_descriptor=told,
        )
        process = await _start(
            asyncio.create_subprocess_exec(
                *command,
                stdin=DEVNULL if stdin is None else stdin,
                stdout=PIPE if stdout is None else stdout,
                stderr=PIPE,
                pass_fds=(filter_descriptor, told, *descriptors),
                env=ENVIRONMENT,
                cwd="/",
                start_new_session=True,
            )
        )
        outcome = await finish(process, limits, on_line)
        if not outcome.timed_out and not _was_told(ready):
            raise JailUnavailable(_explain(outcome.stderr))
    return outcome


async def _start(starting: Coroutine[None, None, Process]) -> Process:
    """The started process; a caller that is cancelled meanwhile waits for it, and ends its whole group.

    Left to itself, asyncio would end bwrap alone. Before bwrap has told its first child to continue, that
    child is not bound to its life yet, and would wait for the word for ever.
    """
    task = asyncio.create_task(starting)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        with contextlib.suppress(OSError):
            process = await task
            _kill(process)
            await process.wait()
        raise
    except OSError as error:
        raise JailUnavailable(f"bubblewrap does not start: {error.strerror}") from None


async def finish(
    process: Process, limits: JailLimits, on_line: Callable[[bytes], bool] | None
) -> Outcome:
    """Wait for the end of both pipes: their last holder is the last process of the jail."""
    now = asyncio.get_running_loop().time
    end = now() + limits.seconds
    liveness = _Liveness(on_line=on_line, last=now())
    out = asyncio.create_task(_read_bounded(process))
    err = asyncio.create_task(_read_lines(process, liveness))
    over = asyncio.create_task(process.wait())
    tasks: set[asyncio.Task[bytes] | asyncio.Task[int]] = {out, err, over}
    pending = set(tasks)
    try:
        while pending and not any(t.done() and t.exception() for t in tasks):
            until = min(end, liveness.last + limits.stall_seconds)
            if now() >= until:
                break
            _, pending = await asyncio.wait(
                tasks, timeout=until - now(), return_when=asyncio.FIRST_EXCEPTION
            )
    finally:
        _kill(process)
        _, left = await asyncio.wait(tasks, timeout=GRACE_SECONDS)
        for task in left:
            task.cancel()
    if left:
        raise JailBroken("a killed jail was not cleared away")
    return Outcome(
        status=over.result(),
        stdout=out.result(),
        stderr=err.result(),
        timed_out=bool(pending),
        lacked_memory=liveness.lacked_memory,
    )


def _kill(process: Process) -> None:
    # With bwrap goes the first process of the jail, and the kernel takes every other with that.
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)


async def _read_bounded(process: Process) -> bytes:
    """Everything on stdout; a flood ends the jail."""
    kept = bytearray()
    while process.stdout and (piece := await process.stdout.read(64 * KIB)):
        if len(kept) + len(piece) > STDOUT_MAX_BYTES:
            _kill(process)
            continue
        kept += piece
    return bytes(kept)


async def _read_lines(process: Process, liveness: _Liveness) -> bytes:
    """The tail of stderr; lines are handed on as they come, and one of any length is cut."""
    tail = bytearray()
    line = bytearray()
    while process.stderr and (piece := await process.stderr.read(4 * KIB)):
        tail += piece
        del tail[:-STDERR_KEPT_BYTES]
        *whole, rest = (line + piece).split(b"\n")
        for one in whole:
            liveness.saw_line(bytes(one))
        line = rest[-4 * KIB :]
    liveness.saw_line(bytes(line))
    return bytes(tail)


def _free_uid() -> int:
    """A user that nobody else is, so that each jail has its own count of threads."""
    with Path("/proc/self/uid_map").open(encoding="ascii") as lines:
        ends = [int(start) + int(count) for start, _, count in (line.split() for line in lines)]
    end = max(ends)
    if end > _FIRST_FREE_UID + _FREE_UIDS:
        return _FIRST_FREE_UID + secrets.randbelow(_FREE_UIDS)
    if end <= _NOBODY:
        raise JailUnavailable(
            "root here has no other user ids to give to the jail: run the worker as an ordinary "
            "user, or map at least 65536 ids into the container"
        )
    return _NOBODY - 1 - secrets.randbelow(4000)


def _was_told(ready: int) -> bool:
    os.set_blocking(ready, False)
    try:
        return os.read(ready, 1) == b"+"
    except BlockingIOError:
        return False


@contextlib.contextmanager
def _pipe() -> Iterator[tuple[int, int]]:
    read_end, write_end = os.pipe2(os.O_CLOEXEC)
    try:
        yield read_end, write_end
    finally:
        os.close(read_end)
        os.close(write_end)


@contextlib.contextmanager
def _filter_descriptor() -> Iterator[int]:
    descriptor = os.memfd_create("filter")
    try:
        os.write(descriptor, filter_program())
        os.lseek(descriptor, 0, os.SEEK_SET)
        yield descriptor
    finally:
        os.close(descriptor)


def _explain(stderr: bytes) -> str:
    """What bubblewrap said, and which setting of a container is the likely reason."""
    said = stderr.decode(errors="replace").strip().splitlines()[-1:] or ["it said nothing"]
    hint = "see docs/media.md"
    if "namespace" in said[0] or "Operation not permitted" in said[0]:
        hint = (
            "namespaces are refused here; in a container, run it as an ordinary user with "
            "`--security-opt seccomp=deploy/worker-seccomp.json --security-opt "
            "apparmor=unconfined` (as root it would also need the capabilities SYS_ADMIN and "
            "NET_ADMIN); on the host, set user.max_user_namespaces above 0 and, where they exist, "
            "kernel.unprivileged_userns_clone=1 and "
            "kernel.apparmor_restrict_unprivileged_userns=0"
        )
    return f"{said[0]}: {hint}"
