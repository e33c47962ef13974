"""Runs Postgres as an unprivileged user when relay itself runs as root, which Postgres refuses.

That user must be able to enter every folder above the data and above the program. Where one is
closed (a clone in /root, say) no folder is opened up: Postgres keeps the one capability that lets
it pass, and nothing else of root.
"""

from __future__ import annotations

import dataclasses
import os
import pwd
import shutil
import stat
from pathlib import Path

from relay.embedded.errors import FolderUnusable

USER = "nobody"
OTHERS_ENTER = stat.S_IXOTH
OTHERS_RUN = stat.S_IROTH | stat.S_IXOTH
CAPABILITIES = {"dac_read_search": 2, "dac_override": 1}
"""Bit numbers. Either lets a process into closed folders; the second lets it write, too."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Unprivileged:
    """Whom Postgres runs as; `capability` is empty unless a closed folder is in the way."""

    uid: int
    gid: int
    capability: str = ""


def unprivileged(data: Path, program: Path) -> Unprivileged | None:
    """Whom to run as on this data, None where relay is not root; FolderUnusable if nobody can."""
    if os.geteuid() != 0:
        return None
    owner = data.stat() if data.exists() else None
    if owner is not None and owner.st_uid != 0:
        uid, gid = owner.st_uid, owner.st_gid
    else:
        try:
            entry = pwd.getpwnam(USER)
        except KeyError:
            raise FolderUnusable(
                f"Postgres does not run as root and there is no user {USER!r} to run it as"
            ) from None
        uid, gid = entry.pw_uid, entry.pw_gid
    return Unprivileged(uid=uid, gid=gid, capability=capability(data, program))


def command(argv: list[str], *, user: Unprivileged | None, parent_death_signal: str) -> list[str]:
    """The command that runs `argv` as that user and receives this signal when its parent dies.

    `setpriv` is part of every Linux distribution; elsewhere the guard alone stops the servers.
    """
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        if user is not None:
            raise FolderUnusable("`setpriv` (package util-linux) is needed to run Postgres as root")
        return argv
    words = [setpriv, "--no-new-privs", "--pdeathsig", parent_death_signal]
    if user is not None:
        kept = f"+{user.capability}" if user.capability else ""
        words += ["--reuid", str(user.uid), "--regid", str(user.gid), "--clear-groups"]
        words += ["--inh-caps", f"-all{',' + kept if kept else ''}", "--bounding-set"]
        words += [f"-all{',' + kept if kept else ''}"]
        if kept:  # access(2), which Postgres asks, counts capabilities only under this bit
            words += ["--ambient-caps", kept, "--securebits", "+no_setuid_fixup"]
    return [*words, "--", *argv]


def capability(data: Path, program: Path) -> str:
    """The least capability that leads to the data and the program, empty if none is needed."""
    runs = program.stat().st_mode & OTHERS_RUN == OTHERS_RUN
    closed = [f for f in (*data.parents, *program.parents) if not f.stat().st_mode & OTHERS_ENTER]
    if runs and not closed:
        return ""
    held = _held()
    for name, bit in CAPABILITIES.items():
        if held >> bit & 1 and (runs or name == "dac_override"):
            return name
    blocked = closed[0] if closed else program
    raise FolderUnusable(
        f"Postgres does not run as root, and the user {USER!r} cannot reach it through {blocked}; "
        f"choose a data folder that others may pass through, or allow it: chmod o+x {blocked}"
    )


def _held() -> int:
    """The capabilities this process may hand on, as the kernel's bit mask."""
    for line in Path("/proc/self/status").read_text("ascii").splitlines():
        if line.startswith("CapEff:"):
            return int(line.split()[1], 16)
    return 0
