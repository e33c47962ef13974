"""First program in the jail: gives up its identity, sets the limits, becomes the real program.

Runs with `python -I -S`, so it may import the standard library alone.
Arguments: uid (0 keeps it), descriptor that is told when all is set, then name=value limits, then
`--` and the program with its arguments.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import sys

CAPABILITY_VERSION_3 = 0x20080522
LIMITS = {
    "memory": resource.RLIMIT_AS,
    "threads": resource.RLIMIT_NPROC,
    "file": resource.RLIMIT_FSIZE,
    "cpu": resource.RLIMIT_CPU,
    "files": resource.RLIMIT_NOFILE,
    "core": resource.RLIMIT_CORE,
}


def _drop_inheritable_capabilities() -> None:
    """A change of user empties the other sets by itself."""
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
    if ctypes.CDLL(None).capset(header, (ctypes.c_uint32 * 6)()) != 0:
        raise SystemExit("capabilities could not be dropped")


def main(uid: int, ready: int, rest: list[str]) -> None:
    """Replace this process by the program, or exit with a Python error on stderr."""
    end = rest.index("--")
    if uid:
        # Root's processes are not counted by RLIMIT_NPROC, and root would own what it may reach.
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
        _drop_inheritable_capabilities()
    for pair in rest[:end]:
        name, _, value = pair.partition("=")
        if name == "seconds":
            # Kept across exec: it still rings if nobody is left outside to end this.
            signal.setitimer(signal.ITIMER_REAL, int(value))
        else:
            _, held = resource.getrlimit(LIMITS[name])
            limit = int(value) if held == resource.RLIM_INFINITY else min(int(value), held)
            resource.setrlimit(LIMITS[name], (limit, limit))
    os.umask(0o077)
    os.write(ready, b"+")
    os.close(ready)
    program = rest[end + 1 :]
    os.execve(program[0], program, {})  # noqa: S606 - no shell is the point  # nosec B606


main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:])
