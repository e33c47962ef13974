"""Files of relay open with the public age-encryption package, and its files open with relay."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from typer.testing import CliRunner

from relay.commands.crypt import app
from relay.crypto.age import ScryptIdentity, X25519Identity, open_file, parse_identity
from relay.crypto.keyrings import seal_keyring
from tests.support.node import Node
from tests.vectors.generate import FOLDER
from tests.vectors.people import ANNA

pytestmark = pytest.mark.slow
SIZES = [0, 1, 65536, 65537, 3_000_000]
PASSPHRASE = "in two words, d\u00e9j\u00e0"


def crypt(*arguments: str | Path) -> None:
    """Run `relay crypt`, which must go well."""
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exit_code == 0, result.output


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path, Path]:
    """Where the plaintext, the sealed file and what comes out of it go."""
    return tmp_path / "plain", tmp_path / "sealed", tmp_path / "opened"


@pytest.mark.parametrize("size", SIZES)
def test_post_quantum_both_ways(
    node: Node, tmp_path: Path, files: tuple[Path, Path, Path], size: int, chance: random.Random
) -> None:
    """mlkem768x25519: sealed here opens there, sealed there opens here, with keys of either side."""
    plain, sealed, opened = files
    plain.write_bytes(chance.randbytes(size))
    crypt("keygen", "-o", tmp_path / "ours")
    _, public, secret = (tmp_path / "ours").read_text().splitlines()
    recipient = public.removeprefix("# public key: ")

    crypt("seal", "-r", recipient, "-o", sealed, plain)
    node.run("age.mjs", "open", "identity", secret, sealed, opened)
    assert opened.read_bytes() == plain.read_bytes()

    node.run("age.mjs", "seal", "recipient", recipient, plain, sealed)
    crypt("open", "-i", tmp_path / "ours", "-o", opened, sealed)
    assert opened.read_bytes() == plain.read_bytes()


@pytest.mark.parametrize("kind", ["pq", "x25519"])
def test_their_keys_are_ours(
    node: Node, tmp_path: Path, files: tuple[Path, Path, Path], kind: str
) -> None:
    """A key made there reads here to the same recipient, and serves both ways."""
    plain, sealed, opened = files
    plain.write_bytes(b"a letter")
    secret, recipient = node.run("age.mjs", "keygen", kind).split()
    theirs = tmp_path / "theirs"
    theirs.write_text(secret)
    assert str(getattr(parse_identity(secret), "recipient")) == recipient  # noqa: B009 - of two types

    crypt("seal", "-r", recipient, "-o", sealed, plain)
    node.run("age.mjs", "open", "identity", secret, sealed, opened)
    assert opened.read_bytes() == b"a letter"

    node.run("age.mjs", "seal", "recipient", recipient, plain, sealed)
    crypt("open", "-i", theirs, "-o", opened, sealed)
    assert opened.read_bytes() == b"a letter"


@pytest.mark.parametrize("size", SIZES)
def test_x25519_both_ways(
    node: Node, tmp_path: Path, files: tuple[Path, Path, Path], size: int, chance: random.Random
) -> None:
    """X25519: the same with a classic key made here."""
    plain, sealed, opened = files
    plain.write_bytes(chance.randbytes(size))
    identity = X25519Identity.generate()
    (tmp_path / "ours").write_text(f"{identity}\n")

    crypt("seal", "-r", str(identity.recipient), "-o", sealed, plain)
    node.run("age.mjs", "open", "identity", str(identity), sealed, opened)
    assert opened.read_bytes() == plain.read_bytes()

    node.run("age.mjs", "seal", "recipient", str(identity.recipient), plain, sealed)
    crypt("open", "-i", tmp_path / "ours", "-o", opened, sealed)
    assert opened.read_bytes() == plain.read_bytes()


def test_passphrases_both_ways(node: Node, tmp_path: Path, files: tuple[Path, Path, Path]) -> None:
    """scrypt: the same with a passphrase outside of ASCII."""
    plain, sealed, opened = files
    plain.write_bytes(b"a letter")
    (tmp_path / "passphrase").write_text(PASSPHRASE + "\n", encoding="utf-8")

    crypt("seal", "--passphrase-file", tmp_path / "passphrase", "-o", sealed, plain)
    node.run("age.mjs", "open", "passphrase", PASSPHRASE, sealed, opened)
    assert opened.read_bytes() == b"a letter"

    node.run("age.mjs", "seal", "passphrase", PASSPHRASE, plain, sealed)
    crypt("open", "--passphrase-file", tmp_path / "passphrase", "-o", opened, sealed)
    assert opened.read_bytes() == b"a letter"


def test_a_keyring_opens_with_another_tool(node: Node, files: tuple[Path, Path, Path]) -> None:
    """Anyone who has the passphrase can get at their keys without any program of ours."""
    _, sealed, opened = files
    sealed.write_bytes(seal_keyring(ANNA.keyring, PASSPHRASE, 4))
    node.run("age.mjs", "open", "passphrase", PASSPHRASE, sealed, opened)
    assert opened.read_bytes() == open_file(sealed.read_bytes(), [ScryptIdentity(PASSPHRASE)])
    assert str(ANNA.keyring.identity).encode() in opened.read_bytes()


def test_another_program_makes_the_same_vectors(node: Node) -> None:
    """A second implementation, in JavaScript on the platform's own crypto, comes to every byte of ours."""
    counts = json.loads(node.run("vectors.mjs", FOLDER))
    assert counts == {
        "commitments": 6,
        "padded sizes": 15,
        "padded texts": 7,
        "links": 2,
        "passphrases": 6,
        "claim words": 8,
        "claims": 2,
        "statements": 26,
        "log rows": 3,
        "sealed bodies": 6,
        "case identities": 4,
        "keyrings": 2,
        "claim keys": 1,
    }
