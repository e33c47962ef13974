"""What stays for a visitor once the story was told: a fresh case, and a way in for each of its people."""

from __future__ import annotations

import asyncio
import dataclasses
import os
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from relay.client.mediator import Mediator
from relay.crypto.encoding import b64u_encode
from relay.crypto.keyrings import MEDIATOR_WORK_FACTOR_LOG2, open_keyring, seal_keyring
from relay.testing.people import PASSPHRASE, Organization, register_case

NAMES: Final = (("marie", "Marie Gagnon"), ("david", "David Clarke"))
"""Logins and names of the two mediators; there are no such people."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class KeptMediator:
    """A mediator of the demo, the same whenever it is started on the same folder."""

    login: str
    name: str
    keyring_file: Path
    mediator: Mediator


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """Where to click; each link can be claimed once."""

    console_url: str
    keyring_file: Path
    passphrase: str
    harmed_url: str
    responsible_url: str
    upload_url: str
    case_id: uuid.UUID
    reference: str
    harmed_id: uuid.UUID
    responsible_id: uuid.UUID


async def kept_mediators(people: Organization, folder: Path) -> list[KeptMediator]:
    """The two mediators, whose sealed keys are files there."""
    await asyncio.to_thread(folder.mkdir, mode=0o700, exist_ok=True)
    return [await _kept(people, folder, login, name) for login, name in NAMES]


async def prepare_visit(people: Organization, mediators: Sequence[KeptMediator]) -> Visit:
    """A new case of these two mediators, with links that nobody has claimed."""
    first, second = (one.mediator for one in mediators)
    reference = f"R-{datetime.now(UTC):%y%m%d-%H%M%S-%f}"[:-3]
    case_id, harmed_id, responsible_id = await register_case(people, first, second, reference)
    await first.open_case(case_id, colleagues=[second.credential_id])
    fingerprint = b64u_encode(people.administrator.fingerprint)
    return Visit(
        console_url=f"{people.audience}/console#{fingerprint}",
        keyring_file=mediators[0].keyring_file,
        passphrase=PASSPHRASE,
        harmed_url=await first.make_link(case_id, harmed_id),
        responsible_url=await first.make_link(case_id, responsible_id),
        upload_url=await first.make_link(case_id, harmed_id, "upload"),
        case_id=case_id,
        reference=reference,
        harmed_id=harmed_id,
        responsible_id=responsible_id,
    )


async def _kept(people: Organization, folder: Path, login: str, name: str) -> KeptMediator:
    """Their keys, and the number of their credential beside them; made where they are not there."""
    keyring_file, number_file = folder / f"{login}.keyring", folder / f"{login}.credential"
    if not number_file.exists():
        credential_id, keyring = await people.enrol("mediator")
        keyring_file.unlink(missing_ok=True)
        _write(keyring_file, seal_keyring(keyring, PASSPHRASE, MEDIATOR_WORK_FACTOR_LOG2))
        _write(number_file, str(credential_id).encode("ascii"))
    sealed = keyring_file.read_bytes()
    mediator = Mediator(
        people.connection,
        open_keyring(sealed, PASSPHRASE),
        uuid.UUID(number_file.read_text("ascii")),
        root_fingerprint=people.administrator.fingerprint,
        audience=people.audience,
    )
    await mediator.keep_keyring(sealed)
    return KeptMediator(login=login, name=name, keyring_file=keyring_file, mediator=mediator)


def _write(path: Path, content: bytes) -> None:
    """A whole file or none, for its owner alone, though what is in it is sealed."""
    partial = path.with_suffix(".partial")
    partial.unlink(missing_ok=True)
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    partial.replace(path)
