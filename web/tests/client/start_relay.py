"""Starts a relay for the client tests in TypeScript; prints its address and test data as one line of JSON."""
# ruff: noqa: INP001 - a program beside tests in TypeScript, not a package

from __future__ import annotations

import asyncio
import base64
import json
import sys
import tempfile
from pathlib import Path

from relay.client.casework import DEFAULT_POLICY
from relay.client.mediator import Mediator
from relay.crypto.encoding import b64u_encode
from relay.crypto.keyrings import seal_keyring
from relay.media.tools import MediaTools
from relay.settings import Settings
from relay.testing import recordings
from relay.testing.people import Organization, organization, register_case
from relay.testing.relays import running_relay

PASSPHRASE = "a lamp in the window"  # noqa: S105 - of test users
WORK_FACTOR_LOG2 = 1
"""As small as possible, to keep the tests fast."""
VIDEO_SECONDS = 4


async def _mediator(people: Organization) -> tuple[Mediator, dict[str, str]]:
    """Enrol a mediator, and return the sealed keyring that their browser opens."""
    credential_id, keyring = await people.enrol("mediator")
    mediator = Mediator(
        people.connection,
        keyring,
        credential_id,
        root_fingerprint=people.administrator.fingerprint,
        audience=people.audience,
    )
    sealed = await asyncio.to_thread(seal_keyring, keyring, PASSPHRASE, WORK_FACTOR_LOG2)
    return mediator, {
        "credential": str(credential_id),
        "keyring": base64.b64encode(sealed).decode(),
        "passphrase": PASSPHRASE,
    }


async def _main() -> None:
    with tempfile.TemporaryDirectory(prefix="relay-web-") as folder:
        async with (
            running_relay(Path(folder) / "stage") as running,
            organization(running.url, running.root, running.token_key) as people,
        ):
            await people.enrol("recovery")
            (one, first), (other, second) = await _mediator(people), await _mediator(people)
            case_id, harmed_id, responsible_id = await register_case(people, one, other)
            await one.open_case(case_id, colleagues=[other.credential_id], policy=DEFAULT_POLICY)
            video = Path(folder) / "phone.mov"
            await recordings.record(
                MediaTools.from_settings(Settings.from_environment(dict(running.environment))),
                video,
                VIDEO_SECONDS,
            )
            printed = {
                "url": running.url,
                "fingerprint": b64u_encode(people.administrator.fingerprint),
                "root": b64u_encode(running.root.seed),
                "mediators": [first, second],
                "case": str(case_id),
                "harmed": await one.make_link(case_id, harmed_id),
                "responsible": await one.make_link(case_id, responsible_id),
                "video": str(video),
            }
            sys.stdout.write(json.dumps(printed) + "\n")
            sys.stdout.flush()
            await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(_main())
