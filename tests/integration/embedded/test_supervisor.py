"""The embedded services as a program that is interrupted, killed and started again."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shlex
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import TypeAlias

import asyncpg
import pytest
import redis
from aiobotocore.client import AioBaseClient
from aiobotocore.config import AioConfig
from aiobotocore.session import get_session

GONE_SECONDS = 30.0
DAC_READ_SEARCH = 1 << 2
SERVERS = [{"postgres"}, {"redis-server", "valkey-server"}, {"rclone"}]


class Program:
    """`python -m relay.embedded` on a folder, and every process behind it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.process = subprocess.Popen(
            [sys.executable, "-m", "relay.embedded", str(folder)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={k: v for k, v in os.environ.items() if not k.startswith("RELAY_")},
            start_new_session=True,
        )

    def environments(self) -> dict[str, dict[str, str]]:
        """Wait until it is up; the settings it printed, for each who may come to the services."""
        assert self.process.stdout is not None
        settings: dict[str, dict[str, str]] = {}
        whose = ""
        while "RELAY_S3_BUCKET" not in settings.get("worker", {}):
            line = self.process.stdout.readline()
            assert line, self.process.communicate()[1]
            if line.startswith("# "):
                whose = line[2:].strip()
                settings[whose] = {}
                continue
            name, _, value = line.removeprefix("export ").partition("=")
            settings[whose][name] = shlex.split(value)[0]
        return settings

    def environment(self) -> dict[str, str]:
        """Wait until it is up; the settings of a superuser."""
        return self.environments()["administrator"]

    def end(self, number: signal.Signals) -> int:
        """Send a signal to the program alone and wait for its end; the exit status."""
        self.process.send_signal(number)
        self.process.communicate(timeout=GONE_SECONDS)
        return self.process.returncode

    def processes(self) -> dict[int, list[str]]:
        """The supervisor and all below it, with their commands: those that hold the lock."""
        found = {}
        for entry in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if any(fd.readlink() == self.folder / "lock" for fd in (entry / "fd").iterdir()):
                    words = (entry / "cmdline").read_bytes().decode().split("\0")
                    found[int(entry.name)] = words[:-1]
        return found

    def process_of(self, *programs: str) -> int:
        """The process id of the one that runs one of these programs or scripts."""
        return min(  # what it forked came later
            pid
            for pid, words in self.processes().items()
            if {Path(word.partition(" ")[0]).name for word in words[:4]}.intersection(programs)
        )

    def wait_until_gone(self) -> None:
        """Wait until none of its processes is left; fail with their commands if one stays."""
        deadline = time.monotonic() + GONE_SECONDS
        while left := self.processes():
            assert time.monotonic() < deadline, left
            time.sleep(0.01)

    def sweep(self) -> None:
        """Leave nothing behind, whatever the test found."""
        for process in (self.process.pid, *self.processes()):
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        self.process.communicate()


Run: TypeAlias = Callable[[Path], Program]


@pytest.fixture
def folder() -> Iterator[Path]:
    """A data folder that does not exist yet, with a short path that anybody may pass through."""
    with tempfile.TemporaryDirectory(prefix="relay-tests-") as parent:
        Path(parent).chmod(0o711)
        yield Path(parent) / "data"


@pytest.fixture
def run() -> Iterator[Run]:
    """Start the program on a folder; whatever it leaves running is killed after the test."""
    with contextlib.ExitStack() as stack:

        def start(folder: Path) -> Program:
            program = Program(folder)
            stack.callback(program.sweep)
            return program

        yield start


@contextlib.asynccontextmanager
async def object_store(environment: dict[str, str]) -> AsyncIterator[AioBaseClient]:
    """A client of the S3 server."""
    async with get_session().create_client(
        "s3",
        endpoint_url=environment["RELAY_S3_ENDPOINT"],
        aws_access_key_id=environment["RELAY_S3_ACCESS_KEY"],
        aws_secret_access_key=environment["RELAY_S3_SECRET_KEY"],
        region_name="us-east-1",
        config=AioConfig(
            s3={"addressing_style": "path"},
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        ),
    ) as client:
        yield client


async def write_everywhere(environment: dict[str, str], word: str) -> None:
    """Put a word into the database, into Redis and into the bucket."""
    connection = await asyncpg.connect(environment["RELAY_DATABASE_URL"])
    try:
        await connection.execute("create table if not exists words (word text)")
        await connection.execute("insert into words values ($1)", word)
    finally:
        await connection.close()
    with redis.Redis.from_url(environment["RELAY_REDIS_URL"]) as client:
        client.sadd("words", word)
    async with object_store(environment) as store:
        bucket = environment["RELAY_S3_BUCKET"]
        await store.put_object(Bucket=bucket, Key=f"words/{word}", Body=word.encode())


async def read_everywhere(environment: dict[str, str]) -> dict[str, set[str]]:
    """The words in the database, in Redis and in the bucket."""
    connection = await asyncpg.connect(environment["RELAY_DATABASE_URL"])
    try:
        in_database = {row["word"] for row in await connection.fetch("select word from words")}
    finally:
        await connection.close()
    with redis.Redis.from_url(environment["RELAY_REDIS_URL"], decode_responses=True) as client:
        in_redis = {str(word) for word in client.sscan_iter("words")}
    in_bucket = set()
    async with object_store(environment) as store:
        bucket = environment["RELAY_S3_BUCKET"]
        for item in (await store.list_objects_v2(Bucket=bucket))["Contents"]:
            answer = await store.get_object(Bucket=bucket, Key=item["Key"])
            async with answer["Body"] as body:
                in_bucket.add((await body.read()).decode())
    return {"database": in_database, "redis": in_redis, "bucket": in_bucket}


def everywhere(*words: str) -> dict[str, set[str]]:
    """What `read_everywhere` finds when nothing was lost."""
    return {"database": set(words), "redis": set(words), "bucket": set(words)}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_stop_leaves_no_process_and_the_data(
    folder: Path, run: Run, number: signal.Signals
) -> None:
    """Ctrl-C and SIGTERM end everything with status 0; the next start finds all data."""
    first = run(folder)
    await write_everywhere(first.environment(), "before")
    assert first.end(number) == 0
    assert first.processes() == {}
    assert not (folder / "run").exists()
    second = run(folder)
    assert await read_everywhere(second.environment()) == everywhere("before")


def test_ctrl_c_in_a_terminal_reaches_the_servers_only_through_the_supervisor(
    folder: Path, run: Run
) -> None:
    """A terminal interrupts the whole group at once; the servers are not in it, so they stop in order."""
    program = run(folder)
    program.environment()
    group = os.getpgid(program.process.pid)
    servers = set(program.processes()) - {program.process.pid}
    assert len(servers) > len(SERVERS)
    assert all(os.getpgid(pid) != group for pid in servers)
    os.killpg(group, signal.SIGINT)
    program.process.communicate(timeout=GONE_SECONDS)
    assert program.process.returncode == 0
    assert program.processes() == {}


async def test_a_killed_supervisor_leaves_no_process_and_the_data(folder: Path, run: Run) -> None:
    """After SIGKILL of the supervisor every server stops in order, and a start at once waits for that."""
    first = run(folder)
    await write_everywhere(first.environment(), "acknowledged")
    assert first.end(signal.SIGKILL) == -signal.SIGKILL
    second = run(folder)
    assert await read_everywhere(second.environment()) == everywhere("acknowledged")
    second.end(signal.SIGKILL)
    second.wait_until_gone()


async def test_a_supervisor_killed_while_it_starts_leaves_no_process(
    folder: Path, run: Run
) -> None:
    """Killed in the middle of making the database, nothing stays, and the next start makes it again."""
    for _ in range(3):
        first = run(folder)
        deadline = time.monotonic() + GONE_SECONDS
        while not (folder / "postgres.partial").exists():
            assert time.monotonic() < deadline
            await asyncio.sleep(0.005)
        first.end(signal.SIGKILL)
        first.wait_until_gone()
        assert not (folder / "postgres").exists()
    environment = run(folder).environment()
    await write_everywhere(environment, "after")
    assert await read_everywhere(environment) == everywhere("after")


async def test_a_killed_guard_takes_the_servers_with_it(folder: Path, run: Run) -> None:
    """Should the guard itself be killed, the kernel stops its servers and the supervisor says so."""
    first = run(folder)
    await write_everywhere(first.environment(), "acknowledged")
    os.kill(first.process_of("guard.py"), signal.SIGKILL)
    first.process.communicate(timeout=GONE_SECONDS)
    assert first.process.returncode == 1
    first.wait_until_gone()
    assert await read_everywhere(run(folder).environment()) == everywhere("acknowledged")


async def test_data_survive_when_every_process_is_killed_at_once(folder: Path, run: Run) -> None:
    """Nobody could tidy up: a stale lock file, stale sockets and a crashed database do not hinder."""
    first = run(folder)
    await write_everywhere(first.environment(), "acknowledged")
    at_once = list(first.processes())
    for number in (signal.SIGSTOP, signal.SIGKILL):  # stopped first: none sees another one go
        for process in at_once:
            os.kill(process, number)
    first.wait_until_gone()
    assert (folder / "postgres" / "postmaster.pid").exists()
    # The worst case: its process id now belongs to somebody else, who lives.
    stale = (folder / "postgres" / "postmaster.pid").read_text().splitlines()
    stale[0] = str(os.getpid())
    (folder / "postgres" / "postmaster.pid").write_text("\n".join(stale) + "\n")
    (folder / "s3" / "relay" / ".rclone_temp_put_unfinished").write_bytes(b"half of an upload")
    second = run(folder)
    assert await read_everywhere(second.environment()) == everywhere("acknowledged")
    assert not list((folder / "s3" / "relay").glob(".rclone_temp_*"))


@pytest.mark.parametrize("programs", SERVERS, ids=["postgres", "redis", "s3"])
def test_the_end_of_one_server_ends_the_program(folder: Path, run: Run, programs: set[str]) -> None:
    """A server that dies is named, the others stop, and the status is 1."""
    started = run(folder)
    started.environment()
    os.kill(started.process_of(*programs), signal.SIGKILL)
    _, said = started.process.communicate(timeout=GONE_SECONDS)
    assert started.process.returncode == 1
    assert "has ended" in said
    assert started.processes() == {}


async def test_a_second_supervisor_on_the_same_folder_is_refused(folder: Path, run: Run) -> None:
    """The second says who is there and leaves the first alone."""
    first = run(folder)
    await write_everywhere(environment := first.environment(), "first")
    second = run(folder).process
    _, said = await asyncio.to_thread(second.communicate)
    assert second.returncode == 1
    assert "folder-in-use" in said
    assert str(first.process.pid) in said
    assert "Traceback" not in said
    assert await read_everywhere(environment) == everywhere("first")


def test_secrets_are_in_private_files_and_in_no_command(folder: Path, run: Run) -> None:
    """Nobody else on the machine can read a password from a file, a command line or a folder."""
    program = run(folder)
    environments = program.environments()
    secrets = {
        environment[name].split(":")[2].partition("@")[0]
        for environment in environments.values()
        for name in ("RELAY_DATABASE_URL", "RELAY_REDIS_URL")
        if name in environment
    }
    assert len(secrets) == 4 + 3, "each has a password of its own"
    secrets.add(environments["web"]["RELAY_S3_SECRET_KEY"])
    assert all(len(secret) >= 32 for secret in secrets)
    commands = "\0".join(word for words in program.processes().values() for word in words)
    assert not any(secret in commands for secret in secrets)
    for name in ("credentials.json", "lock", "redis/redis.conf"):
        assert stat.S_IMODE((folder / name).stat().st_mode) == 0o600
    for name in ("postgres", "redis", "s3", "logs"):
        assert stat.S_IMODE((folder / name).stat().st_mode) == 0o700


def test_postgres_is_never_root_and_opens_no_folder(folder: Path, run: Run) -> None:
    """Below a closed folder Postgres keeps one capability at most; the folder stays closed."""
    closed = folder.parent / "closed"
    closed.mkdir(mode=0o700)
    powers = []
    for place in (folder, closed / "data"):
        program = run(place)
        program.environment()
        lines = Path(f"/proc/{program.process_of('postgres')}/status").read_text().splitlines()
        status = dict(line.split(":\t", 1) for line in lines if ":\t" in line)
        assert "0" not in status["Uid"].split()
        assert status["NoNewPrivs"] == "1"
        powers.append(int(status["CapEff"], 16))
        program.end(signal.SIGINT)
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700
    assert powers[1] in (0, DAC_READ_SEARCH)


@pytest.mark.parametrize(
    "name",
    ["long-" * 20, "with space 'and' \"quotes\"", "é à ü"],
)
async def test_any_folder_name_will_do(folder: Path, run: Run, name: str) -> None:
    """A path too long or too odd for a socket gets one elsewhere, which goes away at the end."""
    program = run(folder.parent / name)
    environment = program.environment()
    await write_everywhere(environment, "here")
    assert await read_everywhere(environment) == everywhere("here")
    sockets = Path(environment["RELAY_REDIS_URL"].partition("@")[2]).parent
    assert sockets.exists()
    program.end(signal.SIGINT)
    assert not sockets.exists()
