"""What Postgres may do when relay runs as root."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from relay.embedded import privilege
from relay.embedded.errors import FolderUnusable

ASK = """
import os, sys
print(os.getuid(), os.access(sys.argv[1], os.R_OK), os.access(sys.argv[2], os.W_OK))
"""


def test_the_unprivileged_user_reaches_data_below_a_closed_folder_and_writes_nowhere_else(
    tmp_path: Path,
) -> None:
    """access(2), which Postgres relies on, agrees; a file of another user stays out of reach."""
    closed = tmp_path / "closed"
    data = closed / "data"
    data.mkdir(parents=True)
    closed.chmod(0o700)
    mine = tmp_path / "mine"
    mine.touch(mode=0o600)
    mine.chmod(0o400)
    user = privilege.unprivileged(data, Path("/bin/true"))
    command = privilege.command(
        [sys.executable, "-c", ASK, str(data), str(mine)], user=user, parent_death_signal="KILL"
    )
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    assert int(said[0]) == (user.uid if user else os.getuid()) != 0
    assert said[1:] == ["True", "False"]


def test_no_capability_is_kept_where_none_is_needed(tmp_path: Path) -> None:
    """With open folders alone above data and program, nothing of root remains."""
    assert privilege.capability(Path("/usr/data"), Path("/bin/true")) == ""


@pytest.mark.parametrize(
    ("held", "mode", "kept"),
    [
        (0b110, 0o755, "dac_read_search"),
        (0b010, 0o755, "dac_override"),
        (0b110, 0o700, "dac_override"),
    ],
)
def test_the_least_capability_that_suffices_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, held: int, mode: int, kept: str
) -> None:
    """Reading suffices for a program that anybody may run; a container may not have that one."""
    program = tmp_path / "postgres"
    program.touch()
    program.chmod(mode)
    tmp_path.chmod(0o700)
    monkeypatch.setattr(privilege, "_held", lambda: held)
    assert privilege.capability(tmp_path / "data", program) == kept


def test_a_closed_folder_without_capabilities_is_refused_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error names the folder and the command that would let Postgres through."""
    tmp_path.chmod(0o700)
    monkeypatch.setattr(privilege, "_held", lambda: 0)
    with pytest.raises(FolderUnusable, match=f"chmod o.x {tmp_path}"):
        privilege.capability(tmp_path / "data", Path("/bin/true"))
