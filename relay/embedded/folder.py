"""The data folder of the embedded services: its layout, its lock, its generated credentials.

- `lock`: locked by the supervisor, its guard and every server, for as long as any of them lives
- `credentials.json`: mode 0600
- `postgres/`, `redis/`: what each server keeps
- `s3/`: a folder per bucket, a file per object
- `logs/`: one per server
- `run/`: sockets, while it runs
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import fcntl
import hashlib
import os
import re
import secrets
import shutil
import tempfile
import time
from collections.abc import AsyncIterator
from enum import StrEnum
from pathlib import Path
from typing import TypeAlias

import msgspec

from relay.decoding import NotDecodable, decode_json
from relay.embedded.errors import FolderInUse, FolderUnusable

SOCKET_PATH_BYTES = 100
"""The kernel allows 107. What is longer, or would need quoting in a URL, goes elsewhere."""
PLAIN_PATH = re.compile(r"[A-Za-z0-9/._-]+")
LONGEST_SOCKET = "postgres/.s.PGSQL.5432"
RELEASE_SECONDS = 30.0
"""How long the servers of a supervisor that was killed may take to leave."""
POLL_SECONDS = 0.02
LOG_BYTES = 16 * 1024 * 1024
"""A log larger than this is set aside at the next start."""


class Access(StrEnum):
    """As whom somebody comes to Postgres and Redis."""

    ADMINISTRATOR = "administrator"
    """Anyone who makes databases and looks into Redis: a superuser."""
    OWNER = "owner"
    """`relay migrate`."""
    WEB = "web"
    """`relay serve`, and `relay audit`."""
    WORKER = "worker"
    """`relay worker`."""
    DELIVERER = "deliverer"
    """`relay deliver`, and `relay webhooks`: in Postgres alone."""


Accesses: TypeAlias = dict[Access, dict[str, str]]
"""The settings with which each comes."""


class Credentials(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Made once per data folder, 192 random bits each."""

    postgres: dict[Access, str]
    """The password of each of its users."""
    redis: dict[Access, str]
    s3_access_key: str
    s3_secret_key: str


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class DataFolder:
    """A data folder that this process has locked."""

    root: Path
    run: Path
    """Where the sockets go."""
    lock: int
    """The locked file descriptor, for children to hold too."""
    credentials: Credentials

    def subfolder(self, name: str) -> Path:
        """A folder in it that nobody else may enter, made if need be."""
        path = self.root / name
        path.mkdir(mode=0o700, exist_ok=True)
        return path

    def log(self, name: str) -> Path:
        """The log file of one server."""
        path = self.subfolder("logs") / f"{name}.log"
        if path.exists() and path.stat().st_size > LOG_BYTES:
            path.replace(path.with_suffix(".log.1"))
        path.touch(mode=0o600)
        return path


@contextlib.asynccontextmanager
async def data_folder(root: Path) -> AsyncIterator[DataFolder]:
    """Make or take the data folder and hold its lock; FolderInUse, FolderUnusable."""
    try:
        root = _made(root)
        lock = os.open(root / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise FolderUnusable(f"{root}: {error.strerror}") from error
    try:
        await _locked(lock, root)
        run = _run_folder(root)
        yield DataFolder(root=root, run=run, lock=lock, credentials=_credentials(root))
        shutil.rmtree(run, ignore_errors=True)
    finally:
        os.close(lock)


def _made(root: Path) -> Path:
    """Make the folder if need be; refuse one that holds something else."""
    root = root.resolve()
    if not root.exists():
        root.mkdir(mode=0o711 if os.geteuid() == 0 else 0o700, parents=True)
    elif not (root / "lock").exists() and any(root.iterdir()):
        raise FolderUnusable(f"{root} holds other files")
    return root


async def _locked(lock: int, root: Path) -> None:
    """Take the lock: refuse at once if its holder lives, wait where only its servers do."""
    deadline = time.monotonic() + RELEASE_SECONDS
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except BlockingIOError:
            holder = os.pread(lock, 32, 0).decode("ascii", "replace").strip()
            if time.monotonic() > deadline or (holder.isdigit() and _alive(int(holder))):
                raise FolderInUse(f"process {holder or '?'} is using {root}") from None
            await asyncio.sleep(POLL_SECONDS)
    os.ftruncate(lock, 0)
    os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _run_folder(root: Path) -> Path:
    """An empty folder for sockets: in the data folder, or at a short path of this user's own."""
    run = root / "run"
    longest = str(run / LONGEST_SOCKET)
    if len(longest.encode()) > SOCKET_PATH_BYTES or not PLAIN_PATH.fullmatch(longest):
        name = hashlib.sha256(os.fsencode(root)).hexdigest()[:16]
        run = Path(tempfile.gettempdir()) / f"relay-{os.geteuid()}-{name}"
    with contextlib.suppress(FileNotFoundError):
        if run.lstat().st_uid != os.geteuid() or run.is_symlink():
            raise FolderUnusable(f"{run} belongs to somebody else")
        shutil.rmtree(run)
    run.mkdir(mode=0o711)
    return run


def _credentials(root: Path) -> Credentials:
    """Read the credentials, or make them if this folder is new."""
    path = root / "credentials.json"
    if path.exists():
        try:
            return decode_json(path.read_bytes(), Credentials)
        except NotDecodable as error:
            raise FolderUnusable(f"{path} is damaged") from error
    if (root / "postgres").exists():
        raise FolderUnusable(f"{path} is missing, and with it the password of the database here")
    made = Credentials(
        postgres={access: secrets.token_urlsafe(24) for access in Access},
        redis={access: secrets.token_urlsafe(24) for access in Access},
        s3_access_key=secrets.token_hex(10),
        s3_secret_key=secrets.token_urlsafe(24),
    )
    write_private(path, msgspec.json.encode(made))
    return made


def write_private(path: Path, content: bytes) -> None:
    """Put a file that only this user may read in place, whole or not at all."""
    partial = path.with_name(f".{path.name}.partial")
    partial.unlink(missing_ok=True)
    opened = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(opened, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
