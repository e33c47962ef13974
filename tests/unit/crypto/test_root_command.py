"""`relay root new`: the root's passphrase is held to the floor, typed or in a file."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from relay.client.certifying import open_root
from relay.commands.root import SUGGESTED_WORDS, app
from relay.crypto.passphrases import PassphraseShort
from relay.crypto.words import word_list

CHOSEN = "a river under the old bridge"


@pytest.mark.parametrize("content", ["", "\n", "eleven sign\n"])
def test_a_weak_passphrase_in_a_file_makes_no_root(tmp_path: Path, content: str) -> None:
    """It is refused with its own sentence before anything is written; an empty file is as weak as any."""
    (tmp_path / "passphrase").write_text(content)
    arguments = ["new", "-o", str(tmp_path / "root"), "--passphrase-file", tmp_path / "passphrase"]
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert isinstance(result.exception, PassphraseShort)
    assert not (tmp_path / "root").exists()


@pytest.mark.slow
def test_who_types_a_weak_passphrase_is_asked_again(tmp_path: Path) -> None:
    """Seven words are suggested; a short one is refused kindly, and the next one seals the root."""
    typed = "".join(f"{line}\n" for line in ("short", "short", CHOSEN, CHOSEN))
    result = CliRunner().invoke(app, ["new", "-o", str(tmp_path / "root")], input=typed)
    assert result.exit_code == 0, result.output
    assert PassphraseShort.sentence("en") in " ".join(result.output.split())
    suggested = result.output.splitlines()[1].split()
    assert len(suggested) == SUGGESTED_WORDS
    assert set(suggested) <= set(word_list("en"))
    assert open_root((tmp_path / "root").read_bytes(), CHOSEN).public_key
