"""Tries to break out of the jail, one way per run, and says what it reached.

Arguments: name of the attack, JSON of what to aim at. Prints a JSON list of what was reached; an
empty one is what relay wants. Reaching for something that is not there must never look like holding,
so an attack that stops by itself prints nothing at all, and that counts as broken.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import mmap
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

MIB = 1024 * 1024
Target = dict[str, object]
_PR_GET_SECCOMP, _PR_GET_NO_NEW_PRIVS, _PR_CAPBSET_READ = 21, 39, 23
_CLONE_NEWUSER = 0x10000000
_SYS_CAPGET = {"x86_64": 125, "aarch64": 90}
_IPC_PRIVATE, _IPC_CREAT = 0, 0o1000


def network(target: Target) -> list[str]:
    """Connect to a service of the host, by address and by abstract name."""
    reached = []
    addresses: list[tuple[int, object]] = [
        (socket.AF_INET, ("127.0.0.1", target["port"])),
        (socket.AF_UNIX, f"\0{target['abstract']}"),
    ]
    for family, address in addresses:
        with contextlib.suppress(OSError), socket.socket(family) as client:
            client.settimeout(2)
            client.connect(address)  # type: ignore[arg-type] # either kind of address
            reached.append(str(address).strip("\0"))
    return reached


def files(target: Target) -> list[str]:
    """Read a file of the host, or see what the kernel shows of it."""
    reached = [path for path in _strings(target["paths"]) if _reads(path)]
    return reached + [path for path in ("/proc", "/sys") if Path(path).exists()]


def environment(target: Target) -> list[str]:
    """Find a word of the worker's environment in any environment there is."""
    secret = str(target["secret"])
    reached = [f"own {name}" for name, value in os.environ.items() if secret in value]
    for who in ("1", "self", str(os.getppid()), str(target["worker"])):
        with contextlib.suppress(OSError), Path(f"/proc/{who}/environ").open("rb") as environ:
            if secret.encode() in environ.read():
                reached.append(f"/proc/{who}/environ")
    return reached


def descriptors(_target: Target) -> list[str]:
    """Look for open descriptors that nobody meant to hand over."""
    expected = {0, 1, 2}
    reached = []
    for number in range(4096):
        with contextlib.suppress(OSError):
            os.fstat(number)
            if number not in expected:
                reached.append(f"descriptor {number}")
    return reached


def write(target: Target) -> list[str]:
    """Leave a file anywhere."""
    reached = []
    for folder in _strings(target["folders"]):
        path = Path(folder, "relay-was-here")
        with contextlib.suppress(OSError):
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600))
            path.unlink()
            reached.append(folder)
    return reached


def signals(target: Target) -> list[str]:
    """End a process of the host."""
    with contextlib.suppress(OSError):
        os.kill(int(str(target["victim"])), signal.SIGTERM)
    return []


def memory(target: Target) -> list[str]:
    """Fill more memory than was granted."""
    held: list[mmap.mmap] = []
    granted = int(str(target["bytes"])) // MIB
    with contextlib.suppress(MemoryError, OSError):
        while len(held) <= granted:
            block = mmap.mmap(-1, MIB)
            for page in range(0, MIB, mmap.PAGESIZE):
                block[page] = 1
            held.append(block)
    return [f"{len(held)} MiB of {granted} MiB"] if len(held) > granted else []


def hidden_memory(_target: Target) -> list[str]:
    """Take memory that no limit of a process counts."""
    reached = []
    with contextlib.suppress(OSError):
        os.close(os.memfd_create("hidden"))
        reached.append("memfd")
    libc = ctypes.CDLL(None, use_errno=True)
    segment = libc.shmget(_IPC_PRIVATE, MIB, _IPC_CREAT | 0o600)
    if segment >= 0:
        libc.shmctl(segment, 0, None)
        reached.append("System V segment")
    return reached


def forks(target: Target) -> list[str]:
    """Multiply: every process that starts would start more."""
    started: list[int] = []
    limit = int(str(target["threads"]))
    with contextlib.suppress(OSError):
        while len(started) <= limit:
            child = os.fork()
            if child == 0:
                time.sleep(60)
                os._exit(0)
            started.append(child)
    for child in started:
        os.kill(child, signal.SIGKILL)
    return [f"{len(started)} processes"] if started else []


def threads(target: Target) -> list[str]:
    """Start more threads than were granted."""
    limit = int(str(target["threads"]))
    end = threading.Event()
    started = 0
    with contextlib.suppress(RuntimeError, MemoryError):
        while started <= limit:
            threading.Thread(target=end.wait, daemon=True).start()
            started += 1
    end.set()
    return [f"{started} threads of {limit}"] if started > limit else []


def namespaces(_target: Target) -> list[str]:
    """Become root in a namespace of its own, the first step of many kernel exploits."""
    libc = ctypes.CDLL(None, use_errno=True)
    return ["a user namespace"] if libc.unshare(_CLONE_NEWUSER) == 0 else []


def privileges(_target: Target) -> list[str]:
    """Look for any power left: capabilities, root, new privileges through exec, no filter."""
    libc = ctypes.CDLL(None, use_errno=True)
    reached = []
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    data = (ctypes.c_uint32 * 6)()
    libc.syscall(_SYS_CAPGET[os.uname().machine], header, data)
    if any(data):
        reached.append("capabilities")
    if os.getuid() == 0 or os.geteuid() == 0 or os.getgid() == 0:
        reached.append("root")
    if libc.prctl(_PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1:
        reached.append("new privileges")
    if libc.prctl(_PR_GET_SECCOMP, 0, 0, 0, 0) != 2:  # noqa: PLR2004 - SECCOMP_MODE_FILTER
        reached.append("unfiltered calls")
    return reached


def flood(target: Target) -> list[str]:
    """Write an answer without end."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    limit = int(str(target["bytes"]))
    written = 0
    with contextlib.suppress(OSError):
        while written <= limit:
            written += os.write(int(str(target["descriptor"])), bytes(MIB))
    return [f"{written} bytes of {limit}"] if written > limit else []


def endless(_target: Target) -> list[str]:
    """Never come to an end."""
    while True:
        time.sleep(1)


def _strings(value: object) -> list[str]:
    return [str(item) for item in value] if isinstance(value, list) else []


def _reads(path: str) -> bool:
    try:
        with Path(path).open("rb") as file:
            return bool(file.read(1))
    except OSError:
        return False


ATTACKS: dict[str, Callable[[Target], list[str]]] = {
    attack.__name__: attack
    for attack in (
        *(network, files, environment, descriptors, write, signals, memory, hidden_memory),
        *(forks, threads, namespaces, privileges, flood, endless),
    )
}

print(json.dumps(ATTACKS[sys.argv[1]](json.loads(sys.argv[2]))))  # noqa: T201 - the answer
