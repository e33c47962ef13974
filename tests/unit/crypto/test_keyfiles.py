"""The key file of a media worker: it comes back as written, and is not used once others may touch it."""

from __future__ import annotations

import stat
import uuid
from pathlib import Path

import pytest

from relay.crypto.keyfiles import KeyFileUnusable, load_keyring_file, save_keyring_file
from relay.crypto.keyrings import generate_keyring


def test_keys_come_back_as_they_were_written(tmp_path: Path) -> None:
    """The credential, the identity and the signer are those that were saved, in a file of mode 0600."""
    keyring, credential_id, path = generate_keyring(), uuid.uuid4(), tmp_path / "media.keys"

    save_keyring_file(path, keyring, credential_id)
    loaded_id, loaded = load_keyring_file(path)

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert loaded_id == credential_id
    assert loaded.identity.seed == keyring.identity.seed
    assert loaded.signer.seed == keyring.signer.seed


def test_a_key_file_is_never_overwritten(tmp_path: Path) -> None:
    """Keys that exist stay; anyone who wants new ones names another file."""
    path = tmp_path / "media.keys"
    save_keyring_file(path, generate_keyring(), uuid.uuid4())
    before = path.read_bytes()

    with pytest.raises(KeyFileUnusable):
        save_keyring_file(path, generate_keyring(), uuid.uuid4())

    assert path.read_bytes() == before


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o601, 0o777])
def test_a_key_file_that_others_may_touch_is_refused(tmp_path: Path, mode: int) -> None:
    """Any bit for the group or for everybody is one too many, and the error names the mode."""
    path = tmp_path / "media.keys"
    save_keyring_file(path, generate_keyring(), uuid.uuid4())
    path.chmod(mode)

    with pytest.raises(KeyFileUnusable, match=f"{mode:04o}"):
        load_keyring_file(path)


def test_a_link_does_not_hide_what_it_leads_to(tmp_path: Path) -> None:
    """A symbolic link, as orchestrators mount secrets, is judged by the file behind it."""
    path, link = tmp_path / "media.keys", tmp_path / "link"
    save_keyring_file(path, generate_keyring(), uuid.uuid4())
    link.symlink_to(path)

    load_keyring_file(link)

    path.chmod(0o644)
    with pytest.raises(KeyFileUnusable):
        load_keyring_file(link)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not json",
        b'{"version":1}',
        b'{"version":1,"credential":"00000000-0000-0000-0000-000000000000","identity":"x","signer":"y"}',
    ],
)
def test_a_damaged_key_file_is_refused(tmp_path: Path, content: bytes) -> None:
    """What is no key file is refused without quoting it."""
    path = tmp_path / "media.keys"
    path.write_bytes(content)
    path.chmod(0o600)

    with pytest.raises(KeyFileUnusable, match="not a key file"):
        load_keyring_file(path)


def test_a_missing_key_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    """Nothing, or something that is no file, is the same clear error."""
    for path in (tmp_path / "nothing", tmp_path):
        with pytest.raises(KeyFileUnusable):
            load_keyring_file(path)
