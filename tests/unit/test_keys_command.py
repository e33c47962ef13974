"""`relay keys token`: the case system's key, and the set that relay verifies its tokens by."""

from __future__ import annotations

import stat
from pathlib import Path

import jwt
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from typer.testing import CliRunner, Result

from relay.commands.keys import app


def made(folder: Path, *more: str) -> Result:
    """Make a key in this folder."""
    files = ("-o", str(folder / "token.pem"), "--key-set", str(folder / "set.jwks"))
    return CliRunner().invoke(app, ["token", *files, *more])


def test_what_the_key_signs_the_set_verifies(tmp_path: Path) -> None:
    """The set has the public half alone, under its name; the key is its owner's."""
    assert made(tmp_path, "--kid", "2031").exit_code == 0
    key = load_pem_private_key((tmp_path / "token.pem").read_bytes(), None)
    public = (tmp_path / "set.jwks").read_text("ascii")
    token = jwt.encode({"sub": "cases"}, key, algorithm="EdDSA", headers={"kid": "2031"})  # type: ignore[arg-type]
    found = jwt.PyJWKSet.from_json(public)["2031"]
    assert jwt.decode(token, found, algorithms=["EdDSA"]) == {"sub": "cases"}
    assert '"d"' not in public
    assert stat.S_IMODE((tmp_path / "token.pem").stat().st_mode) == 0o600


def test_a_key_is_never_written_over(tmp_path: Path) -> None:
    """A second run changes neither file."""
    assert made(tmp_path).exit_code == 0
    before = [(tmp_path / name).read_bytes() for name in ("token.pem", "set.jwks")]
    assert isinstance(made(tmp_path).exception, FileExistsError)
    assert [(tmp_path / name).read_bytes() for name in ("token.pem", "set.jwks")] == before
