"""The list of what relay is made of: each package of the lock files, valid by its schema."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[2]
LOCKED: Final = re.compile(
    r"^(?P<name>[A-Za-z0-9][\w.-]*)(?:\[[^\]]*\])?==(?P<version>[^ \\]+)", re.MULTILINE
)

pytestmark = pytest.mark.builds


def written(folder: Path) -> dict[str, bytes]:
    """What `make sbom` writes; it ends with an error where the schema does not hold."""
    python = ROOT / ".venv/security/bin/python"
    subprocess.run([python, "-m", "dev.sbom", folder], check=True, cwd=ROOT)
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_it_lists_what_is_locked(tmp_path: Path) -> None:
    """Python's packages by name and version, and of npm's those that the pages ship."""
    first = written(tmp_path / "sbom")
    for name in ("relay", "embedded"):
        found = json.loads(first[f"relay-{name}-python.cdx.json"])
        assert found["specVersion"] == "1.6"
        listed = {(one["name"].lower(), one["version"]) for one in found["components"]}
        text = (ROOT / f"requirements/{name}.txt").read_text("utf-8")
        assert listed == {(match["name"], match["version"]) for match in LOCKED.finditer(text)}
    found = json.loads(first["relay-pages-npm.cdx.json"])
    lock = json.loads((ROOT / "web/package-lock.json").read_text("utf-8"))["packages"]
    assert {one["name"] for one in found["components"]} == {
        path.rpartition("node_modules/")[2]
        for path, package in lock.items()
        if path and not package.get("dev")
    }
