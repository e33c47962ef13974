"""`python -m tests.fuzzing`, as far as it needs no fuzzer: one input again, and what is worth keeping."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.fuzz import corpora
from tests.support.fuzz.corpora import Entry
from tests.support.fuzz.keeping import KEPT_BYTES, keep
from tests.support.fuzz.parsers import ROOT
from tests.support.fuzz.target import targets


def command(**environment: str) -> subprocess.CompletedProcess[str]:
    """The command as make calls it, without what only make installs."""
    known = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return subprocess.run(
        [sys.executable, "-m", "tests.fuzzing"],
        cwd=ROOT,
        env={**known, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_an_input_is_shown_again(tmp_path: Path) -> None:
    """What `make fuzz` prints for a crash runs exactly that input."""
    given = tmp_path / "input"
    given.write_bytes(b"100 bytes=0-9")
    ended = command(TARGETS="ranges", INPUT=str(given))
    assert (ended.returncode, ended.stdout) == (0, "ranges: '0 10'\n")


def test_a_target_that_is_none_is_told() -> None:
    """With those that there are."""
    ended = command(TARGETS="nothing")
    assert ended.returncode == 2
    assert "no target nothing" in ended.stdout
    assert "captions" in ended.stdout


def test_without_the_fuzzer_it_says_where_to_read() -> None:
    """It is no failure of a parser, and no run that found nothing either."""
    ended = command(TARGETS="ranges", SECONDS="1")
    assert ended.returncode == 2
    assert "CONTRIBUTING.md" in ended.stdout


def test_what_takes_a_new_way_is_kept_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The smaller of two that take the same way; nothing that is long, and nothing a second time."""
    target = targets()["ranges"]
    monkeypatch.setattr(corpora, "FOLDER", tmp_path / "corpora")
    corpora.save("ranges", [Entry.of(b"x", None)])
    found = tmp_path / "found"
    found.mkdir()
    for number, given in enumerate(
        (b"9 bytes=-1", b"99 bytes=-1", b"9 bytes=-1" + b" " * KEPT_BYTES)
    ):
        (found / str(number)).write_bytes(given)
    assert keep(target, found) == 1
    assert [entry.given for entry in corpora.load("ranges")] == [b"x", b"9 bytes=-1"]
    assert keep(target, found) == 0
