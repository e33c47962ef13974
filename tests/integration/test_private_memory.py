"""No process of relay leaves a dump of its memory, and no other process of its user reads it."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import pytest
import typer.main

from relay.__main__ import program
from relay.media.jail import JailLimits, run_in_jail
from relay.media.tools import MediaTools
from relay.private_memory import children_may_be_dumped
from relay.settings import MIB, Settings

SOON_SECONDS: Final = 60
_LOOKING: Final = "-sys_ptrace,-sys_admin,-perfmon"
SAME_USER: Final = (
    ["setpriv", "--bounding-set", _LOOKING, "--inh-caps", _LOOKING, "--"]
    if os.geteuid() == 0
    else []
)
"""A user who may not look into the processes of others; root may, unless this is taken away."""
READ = """
import ctypes, os, sys
number = int(sys.argv[1])
reached = []
for name in ("environ", "maps", "mem", "auxv"):
    try:
        with open(f"/proc/{number}/{name}", "rb") as file:
            if name == "mem":
                with open(f"/proc/{number}/maps") as maps:
                    file.seek(int(maps.readline().split("-")[0], 16))
            if file.read(1):
                reached.append(name)
    except OSError:
        pass
libc = ctypes.CDLL(None, use_errno=True)
if libc.ptrace(0x4206, number, 0, 0) == 0:  # PTRACE_SEIZE
    reached.append("ptrace")
print(*reached)
"""
REPORT = """
import atexit, ctypes, resource, runpy, sys
atexit.register(lambda: print(
    "REPORT", ctypes.CDLL(None).prctl(3, 0, 0, 0, 0), *resource.getrlimit(resource.RLIMIT_CORE)
))
runpy.run_module("relay", run_name="__main__", alter_sys=True)
"""
DUMP = """
import os, sys
if sys.argv[1] == "private":
    from relay.private_memory import keep_memory_private
    keep_memory_private()
os.abort()
"""


def commands() -> Iterator[list[str]]:
    """Every command of `relay`, each subcommand too."""

    def below(command: object, words: list[str]) -> Iterator[list[str]]:
        children: dict[str, object] | None = getattr(command, "commands", None)
        if children is None:
            yield words
        for name, child in (children or {}).items():
            yield from below(child, [*words, name])

    return below(typer.main.get_command(program()), [])


@pytest.mark.parametrize("words", [" ".join(words) for words in commands()])
def test_every_command_keeps_its_memory_private(words: str) -> None:
    """From its first step on, whatever the command is: not dumpable, and no room for a dump."""
    done = subprocess.run(
        [sys.executable, "-c", REPORT, *words.split(), "--help"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "REPORT 0 1 1" in done.stdout, done.stdout


def test_there_is_one_way_into_a_command() -> None:
    """No file of a command runs by itself, past the place where memory is made private."""
    folder = Path(__file__).parents[2] / "relay" / "commands"
    assert [path.name for path in folder.glob("*.py") if "__main__" in path.read_text()] == []


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """A process that holds secrets, and what it was started as."""

    process: subprocess.Popen[bytes]

    def reached(self) -> set[str]:
        """What another process of the same user reads of it."""
        assert self.process.poll() is None, "it has ended"
        said = subprocess.run(
            [*SAME_USER, sys.executable, "-c", READ, str(self.process.pid)],
            capture_output=True,
            text=True,
            check=True,
        )
        return set(said.stdout.split())


Start = Callable[..., Started]


def environment(settings: Settings) -> dict[str, str]:
    """Settings as a process is told them."""
    return {
        f"RELAY_{name.upper()}": str(value) for name, value in dataclasses.asdict(settings).items()
    }


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts a process as a user who has no power over others; it ends with the test."""
    with contextlib.ExitStack() as stack:

        def started(*words: str | Path, settings: Settings | None = None) -> Started:
            process = stack.enter_context(
                subprocess.Popen(
                    [*SAME_USER, sys.executable, *words],
                    env={
                        "PATH": os.environ["PATH"],
                        **({} if settings is None else environment(settings)),
                    },
                    stdin=subprocess.PIPE,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                )
            )
            stack.callback(process.kill)
            return Started(process=process)

        yield started


def until_private(started: Started) -> None:
    """Wait until nothing of a process can be read; fail if that does not come, or it ends before."""
    deadline = time.monotonic() + SOON_SECONDS
    while reached := started.reached():
        assert time.monotonic() < deadline, reached
        time.sleep(0.1)


def test_the_same_user_reads_an_ordinary_process(start: Start) -> None:
    """What is refused of relay below is possible on this machine otherwise."""
    ordinary = start("-c", "import time; time.sleep(600)")
    assert {"environ", "maps", "auxv"} <= ordinary.reached()


@pytest.mark.parametrize("who", ["serve", "root", "crypt"])
def test_the_same_user_reads_nothing_of_relay(
    who: str, start: Start, settings: Settings, tmp_path: Path
) -> None:
    """Environment, memory, its map: nothing of a process that holds keys, passwords or words."""
    if who == "serve":
        started = start("-m", "relay", "serve", settings=settings)
    elif who == "root":
        started = start("-m", "relay", "root", "new", "--output", tmp_path / "root")
    else:
        identity = tmp_path / "identity"
        making = [sys.executable, "-m", "relay", "crypt", "keygen", "--output", str(identity)]
        subprocess.run(making, check=True, capture_output=True)
        opening = ("crypt", "open", "--identity", identity, "--output", tmp_path / "opened")
        started = start("-m", "relay", *opening)
    until_private(started)
    time.sleep(1)
    assert started.reached() == set()


def test_a_worker_keeps_its_memory_private_to_its_end(
    worker_settings: Settings, tmp_path: Path
) -> None:
    """With its key in memory, past its jails and to the moment where its credential is not found."""
    key = tmp_path / "media.keys"
    making = ["keys", "new", "media", "--output", str(key), "--request", str(tmp_path / "asked")]
    subprocess.run([sys.executable, "-m", "relay", *making], check=True, capture_output=True)
    of_worker = dataclasses.replace(worker_settings, media_key_file=str(key))
    done = subprocess.run(
        [sys.executable, "-c", REPORT, "worker"],
        env={"PATH": os.environ["PATH"], **environment(of_worker)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "no media credential" in done.stderr
    assert "REPORT 0 1 1" in done.stdout


def test_a_crash_leaves_no_dump(tmp_path: Path) -> None:
    """The kernel says itself whether it has dumped a process; of one with private memory it has not."""
    dumped = {}
    for how in ("plain", "private"):
        process = subprocess.Popen(
            [
                "/bin/sh",
                "-c",
                f"ulimit -c unlimited; exec '{sys.executable}' -c \"$0\" {how}",
                DUMP,
            ],
            cwd=tmp_path,
            stderr=subprocess.DEVNULL,
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(Path(__file__).parents[2])},
        )
        _, status = os.waitpid(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        assert os.WIFSIGNALED(status)
        dumped[how] = os.WCOREDUMP(status)
        for left in tmp_path.iterdir():
            assert how == "plain"
            left.unlink()
    assert not dumped["private"]
    if not dumped["plain"]:
        pytest.skip("this machine dumps no process at all, so that nothing was shown")


async def test_a_crash_in_the_jail_leaves_no_dump() -> None:
    """A program on a stranger's bytes crashes easily; its memory is a video in the clear."""
    tools = MediaTools.find(ffmpeg="", bubblewrap="bwrap")
    outcome = await run_in_jail(
        [
            str(tools.python),
            *("-I", "-S", "-c"),
            "import resource; print(*resource.getrlimit(resource.RLIMIT_CORE))",
        ],
        limits=JailLimits(memory_bytes=512 * MIB, threads=8, file_bytes=MIB, seconds=20),
        tools=tools,
    )
    assert outcome.stdout.split() == [b"1", b"1"]


@pytest.mark.parametrize(
    ("pattern", "limit", "may"),
    [
        (b"|/usr/lib/collect %p\n", 0, True),
        (b"|/usr/lib/collect %p\n", 1, False),
        (b"core\n", 0, False),
    ],
)
def test_a_limit_that_does_not_stop_collectors_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pattern: bytes, limit: int, *, may: bool
) -> None:
    """At nothing, the kernel still hands dumps to a program that collects them."""
    (tmp_path / "core_pattern").write_bytes(pattern)
    monkeypatch.setattr(resource, "getrlimit", lambda _which: (limit, limit))
    assert children_may_be_dumped(tmp_path / "core_pattern") == may
