"""Files and texts with keys: keyrings, key files, links, signed notes, keys of webhooks and case systems."""

from __future__ import annotations

import random
from typing import Final

from relay.client.page_releases import Release
from relay.crypto.age import seal_file
from relay.crypto.encoding import b64u_encode
from relay.crypto.errors import (
    EncodingError,
    HeaderError,
    HeaderMacError,
    KeyInvalidError,
    LinkError,
    NoMatchError,
    PayloadError,
)
from relay.crypto.identities import (
    CaseKeyClosed,
    NamedFile,
    NoIdentity,
    PassphraseNeeded,
    PassphraseWrong,
    needs_passphrase,
    passphrase_identities,
    read_identities,
)
from relay.crypto.keyfiles import KeyFileUnusable, load_keyring_file, load_signer_file
from relay.crypto.keyrings import (
    Stretched,
    open_identities,
    open_keyring,
    open_participant_keyring,
)
from relay.crypto.links import link_url, parse_link_url
from relay.crypto.notes import NoteKey, NoteUnusable, open_note, sign_note, sign_note_again
from relay.crypto.scrypt import ScryptRecipient
from relay.crypto.signing import Signer
from relay.crypto.webhooks import PrivateKey, read_key
from relay.crypto.x25519 import X25519Identity
from relay.services.token_keys import parse_key_set
from tests.support.fuzz.mutation import choose, mutate_bytes, mutate_json, mutate_lines
from tests.support.fuzz.reading import as_text, attempt, folder, listed
from tests.support.fuzz.target import Target

SIGNER: Final = Signer.from_seed(bytes(range(32)))
IDENTITY: Final = X25519Identity(bytes(range(32)))
PASSPHRASE: Final = "a passphrase"
_STRETCHED: Final = Stretched(proof=bytes(32), ring_key=bytes(range(32)))
_NAME: Final = "relay.example/releases"


def _keyrings(given: bytes) -> str | None:
    """What is inside a keyring, sealed here with a passphrase that is known."""
    sealed = seal_file(given, [ScryptRecipient(PASSPHRASE, 1)])
    found = attempt(lambda: open_keyring(sealed, PASSPHRASE), KeyInvalidError, EncodingError)
    ring = seal_file(given, [ScryptRecipient(_STRETCHED.ring_passphrase, 1)])
    same = attempt(
        lambda: open_participant_keyring(ring, _STRETCHED), KeyInvalidError, EncodingError
    )
    assert (found is None) == (same is None)
    if found is None or same is None:
        return None
    assert str(found.identity) == str(same.identity)
    return listed(str(found.identity), b64u_encode(found.signer.seed))


def _case_identities(given: bytes) -> str | None:
    """What is inside the key file of a case."""
    sealed = seal_file(given, [IDENTITY.recipient])
    found = attempt(lambda: open_identities(sealed, [IDENTITY]), KeyInvalidError, EncodingError)
    if found is None:
        return None
    assert "\n".join(map(str, found)) == given.decode().removesuffix("\n")
    return str(len(found))


def _key_files(given: bytes) -> str | None:
    path = folder() / "key"
    path.touch(0o600)
    path.write_bytes(given)
    found = attempt(lambda: load_keyring_file(path), KeyFileUnusable)
    signer = attempt(lambda: load_signer_file(path), KeyFileUnusable)
    if found is None:
        return None if signer is None else "a signer"
    assert signer is not None
    assert signer.seed == found[1].signer.seed
    return f"a keyring {found[0]}"


def _identity_files(given: bytes) -> str | None:
    """Whatever somebody names as a file with keys; none behind a passphrase, which takes seconds each."""
    if b"scrypt" in given:
        return None
    file = NamedFile(name="a file", content=given)
    refusals = (NoIdentity, PassphraseNeeded, PassphraseWrong, CaseKeyClosed, HeaderError)
    held = attempt(lambda: needs_passphrase([file]), HeaderError)
    opened = (*refusals, HeaderMacError, NoMatchError, PayloadError)
    found = attempt(lambda: read_identities([file], passphrase_identities(PASSPHRASE)), *opened)
    without = attempt(lambda: read_identities([file]), *opened)
    assert held is not True or without is None
    return None if found is None else str(len(found))


def _links(given: bytes) -> str | None:
    url = as_text(given)
    link = attempt(lambda: parse_link_url(url), LinkError)
    if link is None:
        return None
    again = link_url(link.public_url, link.id, link.secret, link.root_fingerprint, link.anchor)
    assert again == url or link.public_url.endswith("/")
    parts = (link.secret.secret, link.root_fingerprint, link.anchor)
    return listed(link.public_url, str(link.id), *map(b64u_encode, parts))


def _note_keys(given: bytes) -> str | None:
    text = as_text(given)
    key = attempt(lambda: NoteKey.parse(text), NoteUnusable)
    if key is None:
        return None
    assert str(key) == text
    return listed(key.name, key.public_key.hex())


def _notes(given: bytes) -> str | None:
    """A note as it is, or a text, signed here where it can be; and the release that it may be of."""
    key = NoteKey(_NAME, SIGNER.public_key)
    text = as_text(given)
    attempt(lambda: sign_note_again(text, "another", SIGNER), NoteUnusable)
    made = attempt(
        lambda: sign_note(given.decode(), _NAME, SIGNER), NoteUnusable, UnicodeDecodeError
    )
    content = given if made is None else made.encode()
    opened = attempt(lambda: open_note(content, [key]), NoteUnusable)
    assert made is None or (opened is not None and opened.text == given.decode())
    release = attempt(lambda: Release.parse(text), NoteUnusable)
    assert release is None or release.text == text
    if opened is None:
        return None
    again = attempt(lambda: sign_note_again(content.decode(), _NAME, SIGNER), NoteUnusable)
    assert again is not None
    assert attempt(lambda: open_note(again.encode(), [key]), NoteUnusable) in {opened, None}
    return listed(opened.text, release is not None)


def _webhook_keys(given: bytes) -> str | None:
    text = as_text(given)
    key = attempt(lambda: read_key(text), KeyInvalidError)
    if key is None:
        return None
    return "private" if isinstance(key, PrivateKey) else "shared"


def _key_sets(given: bytes) -> str | None:
    found = attempt(lambda: parse_key_set(given), ValueError, RecursionError)
    if found is None:
        return None
    keys, left_out = found
    return listed(sorted(keys), len(left_out))


def _url(given: bytes, chance: random.Random) -> bytes:
    """An address with another address, identifier or fragment."""
    base, _, rest = given.partition(b"/l/")
    identifier, _, fragment = rest.partition(b"#")
    match chance.randrange(4):
        case 0:
            base += chance.choice(
                (b"/", b"/l/", "é".encode(), b"\x1c", "\ufeff".encode(), b"\\", b"@")
            )
        case 1:
            identifier = mutate_bytes(identifier, chance)
        case 2:
            fragment = b64u_encode(chance.randbytes(chance.choice((47, 48, 48, 49)))).encode()
        case _:
            return mutate_bytes(given, chance)
    return base + b"/l/" + identifier + b"#" + fragment


_CRYPTO: Final = "relay.crypto."

TARGETS: Final = (
    Target(
        name="keyrings",
        reads=(
            f"{_CRYPTO}keyrings.open_keyring",
            f"{_CRYPTO}keyrings.open_participant_keyring",
        ),
        check=_keyrings,
        mutate=mutate_json,
    ),
    Target(
        name="case-identities",
        reads=(f"{_CRYPTO}keyrings.open_identities",),
        check=_case_identities,
        mutate=mutate_lines(mutate_bytes),
    ),
    Target(
        name="key-files",
        reads=(
            f"{_CRYPTO}keyfiles.load_keyring_file",
            f"{_CRYPTO}keyfiles.load_signer_file",
        ),
        check=_key_files,
        mutate=mutate_json,
    ),
    Target(
        name="identity-files",
        reads=(f"{_CRYPTO}identities.read_identities",),
        check=_identity_files,
        mutate=choose([mutate_json, mutate_lines(mutate_bytes)]),
    ),
    Target(
        name="links",
        reads=(f"{_CRYPTO}links.parse_link_url",),
        check=_links,
        mutate=_url,
        in_browser=True,
    ),
    Target(name="note-keys", reads=(f"{_CRYPTO}notes.NoteKey.parse",), check=_note_keys),
    Target(
        name="notes",
        reads=(f"{_CRYPTO}notes.open_note", "relay.client.page_releases.Release.parse"),
        check=_notes,
        mutate=mutate_lines(mutate_bytes),
    ),
    Target(name="webhook-keys", reads=(f"{_CRYPTO}webhooks.read_key",), check=_webhook_keys),
    Target(
        name="key-sets",
        reads=("relay.services.token_keys.parse_key_set",),
        check=_key_sets,
        mutate=mutate_json,
    ),
)
