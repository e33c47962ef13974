"""Attacks the jail from inside before anything real is put in it; a worker starts only if all holds.

Each attack is a program in the jail (`inside/attack.py`) that aims at something real outside: a
listening socket, a file, a process, a word in the environment, all made for this and removed after.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import json
import os
import secrets
import signal
import socket
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

from relay.decoding import NotDecodable, decode_json
from relay.media.errors import JailBroken
from relay.media.jail import SCRIPTS, JailLimits, Outcome, run_in_jail
from relay.media.memory import MemoryFile
from relay.media.tools import MediaTools
from relay.settings import MIB

MEMORY_BYTES = 256 * MIB
THREADS = 16
FILE_BYTES = 4 * MIB
SECONDS = 20.0
ENDLESS_SECONDS = 0.5
SECRET_NAME = "RELAY_JAIL_CHECK_SECRET"  # noqa: S105 - a name
WORTH_WRITING = ("/", "/tmp", "/dev", "/dev/shm", "/etc", "/usr/lib", "/root")  # noqa: S108 - aims  # nosec B108
Target = dict[str, object]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One attack and how it went."""

    name: str
    holds: bool
    found: str
    """What was reached, or why the attack could not tell; empty where the jail holds."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Bait:
    """What the attacks aim at."""

    tools: MediaTools
    folder: Path
    key: Path
    secret: str
    listener: socket.socket
    abstract: socket.socket
    victim: asyncio.subprocess.Process


async def check_jail(tools: MediaTools) -> tuple[Check, ...]:
    """Run every attack; the order is that of the table. JailUnavailable when there is no jail."""
    async with prepared(tools) as bait:
        return tuple([await run(bait) for run in ATTACKS.values()])


async def require_jail(tools: MediaTools) -> None:
    """For a worker that is about to start: JailBroken names the checks that do not hold."""
    broken = [check.name for check in await check_jail(tools) if not check.holds]
    if broken:
        raise JailBroken(", ".join(broken))


async def _network(bait: Bait) -> Check:
    port = bait.listener.getsockname()[1]
    name = bait.abstract.getsockname()[1:].decode()
    check = await attack(bait, "network", {"port": port, "abstract": name})
    for listener in (bait.listener, bait.abstract):
        with contextlib.suppress(BlockingIOError):
            listener.accept()[0].close()
            return dataclasses.replace(check, holds=False, found="a connection came out")
    return check


async def _files(bait: Bait) -> Check:
    paths = ["/etc/passwd", "/etc/hostname", str(Path.home() / ".profile"), "/proc/1/cmdline"]
    return await attack(bait, "files", {"paths": paths})


async def _keys(bait: Bait) -> Check:
    check = await attack(bait, "files", {"paths": [str(bait.key)]})
    return dataclasses.replace(check, name="keys")


async def _environment(bait: Bait) -> Check:
    return await attack(bait, "environment", {"secret": bait.secret, "worker": os.getpid()})


async def _descriptors(bait: Bait) -> Check:
    descriptor = os.open(bait.key, os.O_RDONLY)
    os.set_inheritable(descriptor, True)  # noqa: FBT003 - the argument's name is reserved
    try:
        return await attack(bait, "descriptors", {})
    finally:
        os.close(descriptor)


async def _write(bait: Bait) -> Check:
    folders = [*WORTH_WRITING, SCRIPTS, str(bait.folder)]
    check = await attack(bait, "write", {"folders": folders})
    if list(bait.folder.iterdir()) != [bait.key]:
        return dataclasses.replace(check, holds=False, found="a file was left outside")
    return check


async def _signals(bait: Bait) -> Check:
    check = await attack(bait, "signals", {"victim": bait.victim.pid})
    # A signal that was delivered ends the victim at once, long before this gives up waiting.
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(bait.victim.wait(), 0.2)
    if bait.victim.returncode is not None:
        return dataclasses.replace(check, holds=False, found="a process outside was ended")
    return check


async def _memory(bait: Bait) -> Check:
    return await attack(bait, "memory", {"bytes": MEMORY_BYTES})


async def _hidden_memory(bait: Bait) -> Check:
    return await attack(bait, "hidden_memory", {})


async def _forks(bait: Bait) -> Check:
    return await attack(bait, "forks", {"threads": THREADS})


async def _threads(bait: Bait) -> Check:
    # Memory to spare, or that limit would be met first and this one never be tried.
    return await attack(bait, "threads", {"threads": THREADS}, memory_bytes=16 * MEMORY_BYTES)


async def _namespaces(bait: Bait) -> Check:
    return await attack(bait, "namespaces", {})


async def _privileges(bait: Bait) -> Check:
    return await attack(bait, "privileges", {})


async def _flood(bait: Bait) -> Check:
    with MemoryFile() as answer, answer.writer() as descriptor:
        target: Target = {"bytes": FILE_BYTES, "descriptor": descriptor}
        check = await attack(bait, "flood", target, descriptors=(descriptor,))
        if answer.size > FILE_BYTES:
            return dataclasses.replace(check, holds=False, found=f"{answer.size} bytes came out")
        return check


async def _endless(bait: Bait) -> Check:
    outcome = await _run(bait, "endless", {}, seconds=ENDLESS_SECONDS)
    found = "" if outcome.timed_out else "it was not ended from outside"
    return Check(name="endless", holds=outcome.timed_out, found=found)


ATTACKS: dict[str, Callable[[Bait], Awaitable[Check]]] = {
    "network": _network,
    "files": _files,
    "keys": _keys,
    "environment": _environment,
    "descriptors": _descriptors,
    "write": _write,
    "signals": _signals,
    "memory": _memory,
    "hidden_memory": _hidden_memory,
    "forks": _forks,
    "threads": _threads,
    "namespaces": _namespaces,
    "privileges": _privileges,
    "flood": _flood,
    "endless": _endless,
}


async def attack(
    bait: Bait,
    name: str,
    target: Target,
    *,
    memory_bytes: int = MEMORY_BYTES,
    descriptors: tuple[int, ...] = (),
) -> Check:
    """Run one attack in the jail, and see what it reached."""
    outcome = await _run(bait, name, target, memory_bytes=memory_bytes, descriptors=descriptors)
    try:
        reached = decode_json(outcome.stdout, list[str])
    except NotDecodable:
        # Silence proves nothing: an attack that could not run has not been withstood.
        last = outcome.stderr.decode(errors="replace").strip().splitlines()[-1:]
        return Check(name=name, holds=False, found=f"no answer ({outcome.status}) {''.join(last)}")
    return Check(name=name, holds=not reached, found=", ".join(reached))


async def _run(
    bait: Bait,
    name: str,
    target: Target,
    *,
    seconds: float = SECONDS,
    memory_bytes: int = MEMORY_BYTES,
    descriptors: tuple[int, ...] = (),
) -> Outcome:
    python = [str(bait.tools.python), "-I", "-S", "-B", f"{SCRIPTS}/attack.py"]
    limits = JailLimits(
        memory_bytes=memory_bytes, threads=THREADS, file_bytes=FILE_BYTES, seconds=seconds
    )
    return await run_in_jail(
        [*python, name, json.dumps(target)],
        limits=limits,
        tools=bait.tools,
        descriptors=descriptors,
    )


@contextlib.asynccontextmanager
async def prepared(tools: MediaTools) -> AsyncIterator[Bait]:
    """What the attacks aim at, as long as they run."""
    secret = secrets.token_hex(16)
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(_folder_with_key(secret))
        listener = stack.enter_context(_listener(socket.AF_INET, ("127.0.0.1", 0)))
        abstract = stack.enter_context(_listener(socket.AF_UNIX, f"\0relay-{secret}"))
        os.environ[SECRET_NAME] = secret
        stack.callback(os.environ.pop, SECRET_NAME, None)
        # It ends with its input, so it does not outlive a worker that is killed meanwhile.
        victim = await asyncio.create_subprocess_exec(
            *(str(tools.python), "-I", "-S", "-c", "import sys; sys.stdin.read()"),
            stdin=asyncio.subprocess.PIPE,
            env={},
            cwd="/",
        )
        try:
            yield Bait(
                tools=tools,
                folder=folder,
                key=folder / "key",
                secret=secret,
                listener=listener,
                abstract=abstract,
                victim=victim,
            )
        finally:
            with contextlib.suppress(ProcessLookupError):
                victim.send_signal(signal.SIGKILL)
            await victim.wait()


@contextlib.contextmanager
def _folder_with_key(secret: str) -> Iterator[Path]:
    """Open to everybody, so that only the jail can be what keeps it away."""
    with tempfile.TemporaryDirectory(prefix="relay-check-") as name:
        folder = Path(name)
        folder.chmod(0o777)
        (folder / "key").write_text(secret, encoding="ascii")
        (folder / "key").chmod(0o644)
        yield folder


def _listener(family: socket.AddressFamily, address: tuple[str, int] | str) -> socket.socket:
    listener = socket.socket(family)
    listener.bind(address)
    listener.listen()
    listener.setblocking(False)  # noqa: FBT003 - the argument has no name
    return listener
