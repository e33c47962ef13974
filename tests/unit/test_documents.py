"""Holds what the documents say of files and tests against the tree: whatever they point to is there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import msgspec
import pytest

from relay.__main__ import COMMANDS
from relay.domain.notifications import Notification, NotificationType

ROOT: Final = Path(__file__).parents[2]
DOCUMENTS: Final = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
DECISIONS: Final = sorted((ROOT / "docs/decisions").glob("[0-9]*.md"))
DECISION: Final = re.compile(
    r"# (?P<number>\d{4}) (?P<title>.+)\n\n"
    r"(?P<date>\d{4}-\d\d-\d\d) · (?P<status>accepted|superseded by \d{4})\n"
)
LINK: Final = re.compile(r"\]\((?!https?:|#)([^)#]+)(#[^)]*)?\)")
BUILT: Final = "relay/pages"
"""What `make pages` makes; a document may speak of it where it is not there yet."""
PATH: Final = re.compile(r"`((?:relay|workers|tests|deploy|docs|bench|web)/[\w./-]+)`")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_what_a_document_points_to_is_there(document: Path) -> None:
    """Every link and every path in it leads to a file or a folder."""
    text = document.read_text("utf-8")
    linked = [document.parent / target for target, _anchor in LINK.findall(text)]
    named = [ROOT / path for path in PATH.findall(text) if not path.startswith(BUILT)]
    assert [str(path) for path in linked + named if not path.exists()] == []


def test_every_command_is_in_the_readme() -> None:
    """The table of commands names each command there is."""
    readme = (ROOT / "README.md").read_text("utf-8")
    assert [name for name in COMMANDS if f"`relay {name}" not in readme] == []


def test_every_event_is_described_with_an_example() -> None:
    """Each type has a section of its own in docs/events.md, whose example is an event of that type."""
    text = (ROOT / "docs/events.md").read_text("utf-8")
    found = re.findall(r"^### (\S+)\n\n.+?```json\n(.+?)```", text, re.MULTILINE | re.DOTALL)
    assert [name for name, _example in found] == list(NotificationType)
    for name, example in found:
        assert msgspec.json.decode(example, type=Notification).type == name


def test_decisions_are_numbered_dated_and_listed() -> None:
    """Numbers follow each other without a gap, each file has a date and a status, the index lists all."""
    rows = []
    for number, file in enumerate(DECISIONS, 1):
        found = DECISION.match(file.read_text("utf-8"))
        assert found is not None, f"{file.name} begins with its number, title, date and status"
        assert file.name.startswith(f"{found['number']}-")
        assert int(found["number"]) == number
        link = f"[{found['number']}]({file.name})"
        rows.append(f"| {link} | {found['title']} | {found['date']} | {found['status']} |")
    index = (ROOT / "docs/decisions/README.md").read_text("utf-8")
    assert [line for line in index.splitlines() if line.startswith("| [")] == rows
