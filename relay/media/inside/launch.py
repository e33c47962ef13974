"""First program in the jail: gives up its identity, sets the limits, becomes the real program.

Runs with `python -I -S`, so it may import the standard library alone.
Arguments: uid (0 keeps it), then name=value limits, then `--` and the program with its arguments.
"""

from __future__ import annotations

import os
import resource
import signal
import sys

LIMITS = {
    "memory": resource.RLIMIT_AS,
    "processes": resource.RLIMIT_NPROC,
    "file": resource.RLIMIT_FSIZE,
    "cpu": resource.RLIMIT_CPU,
    "files": resource.RLIMIT_NOFILE,
}


def main(arguments: list[str]) -> None:
    """Replace this process by the program, or exit with a Python error that bwrap passes on."""
    uid = int(arguments[0])
    end = arguments.index("--")
    if uid:
        # Root's processes are not counted by RLIMIT_NPROC, and root would own what it may reach.
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for pair in arguments[1:end]:
        name, _, value = pair.partition("=")
        if name == "seconds":
            # Kept across exec: the last to notice if nobody outside is left to end this.
            signal.setitimer(signal.ITIMER_REAL, int(value))
        else:
            resource.setrlimit(LIMITS[name], (int(value), int(value)))
    os.umask(0o077)
    program = arguments[end + 1 :]
    os.execve(program[0], program, {})


main(sys.argv[1:])
