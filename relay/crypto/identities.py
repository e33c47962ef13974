"""Reads the identities in a file: every file that relay writes a key to, and age's own identity files.

| file | written by | opened by |
|---|---|---|
| lines `AGE-SECRET-KEY-…` | `relay crypt keygen`, `age-keygen` | nothing |
| key file, JSON | `relay keys new`, for a mediator, a media worker, recovery | nothing |
| keyring, age | the console's download, a mediator's and a participant's in relay | a passphrase |
| key file of a case, age | those who open or change a case | a mediator's or a recovery identity |
| a case, JSON with its key file | `relay recovery export`, `relay recovery give` | the same |

What holds no identity is refused by its name: a request, a signed statement, a root's key.
"""

from __future__ import annotations

import contextlib
import dataclasses
import io
from collections.abc import Iterable, Sequence
from typing import Annotated, Final

import msgspec

from relay.crypto.age import Identity, ScryptIdentity, open_file, parse_identity, read_header
from relay.crypto.errors import NoMatchError, StatementError
from relay.crypto.keyrings import PARTICIPANT_WORK_FACTOR_LOG2, stretch_passphrase
from relay.crypto.links import Link
from relay.crypto.passphrases import normal
from relay.crypto.signing import SEED_BYTES, read_unverified
from relay.decoding import NotDecodable, decode_json
from relay.errors import CryptoError, RelayError

IDENTITY_FILE_MAX_BYTES: Final = 1024 * 1024
"""No file with keys in it is longer; what is, was named by mistake."""

_AGE: Final = b"age-encryption.org/"
_SCRYPT: Final = "scrypt"


class NoIdentity(RelayError):
    """None of the files given holds an identity."""

    code = "no-identity"


class PassphraseNeeded(RelayError):
    """The key file is sealed with a passphrase, and none was given."""

    code = "passphrase-needed"


class PassphraseWrong(RelayError):
    """The passphrase does not open the key file."""

    code = "passphrase-wrong"


class CaseKeyClosed(RelayError):
    """The file is sealed for a case whose key is itself sealed."""

    code = "case-key-closed"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class NamedFile:
    """A file as it was read, with the name by which its errors call it."""

    name: str
    content: bytes = dataclasses.field(repr=False)


class _KeyFile(msgspec.Struct, frozen=True, kw_only=True):
    """What of a charter and its filing is read here."""

    key_file: bytes


class _Charters(msgspec.Struct, frozen=True, kw_only=True):
    charters: Annotated[list[_KeyFile], msgspec.Meta(min_length=1)]


class _Exported(msgspec.Struct, frozen=True, kw_only=True):
    """What of the file of `relay recovery export` is read here: the charter in force is the last."""

    charters: _Charters


class _Given(msgspec.Struct, frozen=True, kw_only=True):
    """What of the file of `relay recovery give` is read here."""

    filing: _KeyFile


def passphrase_identities(passphrase: str, link: Link | None = None) -> list[Identity]:
    """A passphrase in every way in which relay and age seal with it, the likeliest first.

    age takes it as it is typed, a mediator's keyring as `normal` makes it. A participant's keyring is sealed
    with what is derived from it and their `link`.
    """
    spellings = [] if link is None else [_with_link(passphrase, link)]
    spellings += [passphrase, normal(passphrase)]
    return [ScryptIdentity(spelling) for spelling in dict.fromkeys(spellings)]


def read_identities(
    files: Sequence[NamedFile], passphrase: Sequence[Identity] = ()
) -> list[Identity]:
    """The identities in `files`, whatever their order; `passphrase` opens the keyrings among them.

    NoIdentity for a file without one, PassphraseNeeded and PassphraseWrong for a keyring, CaseKeyClosed for
    a case's key file that none of the other files opens.
    """
    found: list[Identity] = []
    sealed_to_people: list[NamedFile] = []
    for given in files:
        if len(given.content) > IDENTITY_FILE_MAX_BYTES:
            raise NoIdentity(f"{given.name}: longer than any key file")
        file = _key_file_in(given)
        if not file.content.startswith(_AGE):
            found += _parse(file)
        elif _is_behind_passphrase(file):
            if not passphrase:
                raise PassphraseNeeded(file.name)
            found += _parse(_opened(file, passphrase, PassphraseWrong))
        else:
            sealed_to_people.append(file)
    held = tuple(found)
    for file in sealed_to_people:
        found += _parse(_opened(file, held, CaseKeyClosed))
    return found


def needs_passphrase(files: Iterable[NamedFile]) -> bool:
    """Whether one of them is a keyring."""
    return any(file.content.startswith(_AGE) and _is_behind_passphrase(file) for file in files)


def _with_link(passphrase: str, link: Link) -> str:
    unlock = link.secret.unlock(link.id)
    return stretch_passphrase(passphrase, unlock, PARTICIPANT_WORK_FACTOR_LOG2).ring_passphrase


def _is_behind_passphrase(file: NamedFile) -> bool:
    header = read_header(io.BytesIO(file.content).readline)
    return any(stanza.type == _SCRYPT for stanza in header.stanzas)


def _key_file_in(file: NamedFile) -> NamedFile:
    """The key file of a case out of what `relay recovery` writes; any other file as it is."""
    with contextlib.suppress(NotDecodable):
        exported = decode_json(file.content, _Exported)
        return NamedFile(name=file.name, content=exported.charters.charters[-1].key_file)
    with contextlib.suppress(NotDecodable):
        given = decode_json(file.content, _Given)
        return NamedFile(name=file.name, content=given.filing.key_file)
    return file


def _opened(
    file: NamedFile, identities: Iterable[Identity], refusal: type[RelayError]
) -> NamedFile:
    try:
        return NamedFile(name=file.name, content=open_file(file.content, identities))
    except NoMatchError:
        raise refusal(file.name) from None


def _parse(file: NamedFile) -> list[Identity]:
    """The identities of a file that is open; NoIdentity, which says what it is instead, where it has none."""
    if len(file.content) == SEED_BYTES:
        raise NoIdentity(f"{file.name}: the key of an organization root, which signs")
    content = file.content.strip()
    if content.startswith(b"{"):
        return [_parse_line(file, _identity_in_json(file, content))]
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        raise NoIdentity(f"{file.name}: neither text nor an age file") from None
    if _is_statement(text):
        raise NoIdentity(f"{file.name}: a signed statement, which is public")
    lines = [line.strip() for line in text.splitlines()]
    secrets = [line for line in lines if line and not line.startswith("#")]
    if not secrets:
        raise NoIdentity(f"{file.name}: empty")
    return [_parse_line(file, line) for line in secrets]


def _identity_in_json(file: NamedFile, content: bytes) -> str:
    try:
        members = decode_json(content, dict[str, object])
    except NotDecodable:
        raise NoIdentity(f"{file.name}: JSON that is no key file") from None
    identity = members.get("identity")
    if isinstance(identity, str):
        return identity
    if "role" in members and "credential" in members:
        raise NoIdentity(f"{file.name}: a request for a credential, which is public")
    if "signer" in members:
        raise NoIdentity(f"{file.name}: a key that only signs")
    raise NoIdentity(f"{file.name}: JSON that is no key file")


def _parse_line(file: NamedFile, text: str) -> Identity:
    try:
        return parse_identity(text)
    except CryptoError as error:
        raise NoIdentity(f"{file.name}: {error.detail}") from None


def _is_statement(text: str) -> bool:
    try:
        read_unverified(text)
    except StatementError:
        return False
    return True
