"""What stays for a visitor once the story was told: a fresh case, and a way in for each of its people."""

from __future__ import annotations

import dataclasses
import os
import uuid
from pathlib import Path

from relay.client.mediator import Mediator
from relay.crypto.encoding import b64u_encode
from relay.crypto.keyrings import MEDIATOR_WORK_FACTOR_LOG2, seal_keyring
from relay.testing.people import PASSPHRASE, Organization, register_case


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """Where to click; each link can be claimed once."""

    console_url: str
    mediator: uuid.UUID
    keyring_file: Path
    passphrase: str
    harmed_url: str
    responsible_url: str
    upload_url: str
    case_id: uuid.UUID
    harmed_id: uuid.UUID
    responsible_id: uuid.UUID


async def prepare_visit(people: Organization, folder: Path) -> Visit:
    """A new case with links that nobody has claimed, and a mediator whose sealed keys are a file there."""
    credential_id, keyring = await people.enrol("mediator")
    fingerprint = people.administrator.fingerprint
    mediator = Mediator(
        people.connection,
        keyring,
        credential_id,
        root_fingerprint=fingerprint,
        audience=people.audience,
    )
    sealed = seal_keyring(keyring, PASSPHRASE, MEDIATOR_WORK_FACTOR_LOG2)
    await mediator.keep_keyring(sealed)
    colleague = await people.mediator()
    case_id, harmed_id, responsible_id = await register_case(people, mediator, colleague)
    await mediator.open_case(case_id, colleagues=[colleague.credential_id])
    return Visit(
        console_url=f"{people.audience}/console#{b64u_encode(fingerprint)}",
        mediator=credential_id,
        keyring_file=_keep(folder, sealed),
        passphrase=PASSPHRASE,
        harmed_url=await mediator.make_link(case_id, harmed_id),
        responsible_url=await mediator.make_link(case_id, responsible_id),
        upload_url=await mediator.make_link(case_id, harmed_id, "upload"),
        case_id=case_id,
        harmed_id=harmed_id,
        responsible_id=responsible_id,
    )


def _keep(folder: Path, sealed: bytes) -> Path:
    """The keyring of this run, in place of the one before; its owner's alone, though it is sealed."""
    folder.mkdir(mode=0o700, exist_ok=True)
    path, partial = folder / "mediator.keyring", folder / "mediator.keyring.partial"
    partial.unlink(missing_ok=True)
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(sealed)
    partial.replace(path)
    return path
