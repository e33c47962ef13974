"""A relay on this machine beside somebody else's case system: what `relay demo --case-system` starts."""

from __future__ import annotations

import contextlib
import dataclasses
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from relay.crypto.encoding import b64u_encode
from relay.decoding import decode_json
from relay.demo.visiting import KeptMediator, kept_mediators
from relay.errors import ConfigurationError
from relay.services.pages import BUILT
from relay.testing.people import Organization, organization
from relay.testing.relays import RunningRelay, running_relay

KEY_SET_PATH: Final = "/jwks.json"
WEBHOOK_PATH: Final = "/relay/events"
INTEGRITY: Final = BUILT / "integrity.json"
_ORIGIN: Final = re.compile(r"http://127\.0\.0\.1:[1-9][0-9]{0,4}")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """A running relay that takes the tokens of one case system, may be embedded by it and sends it events."""

    running: RunningRelay
    people: Organization
    """Without a token: the key is the case system's own."""
    mediators: Sequence[KeptMediator]
    settings: Mapping[str, str]
    """What the case system needs to know, as docs/start.md names it."""


@contextlib.asynccontextmanager
async def relay_beside(data: Path, origin: str, port: int = 0) -> AsyncIterator[Beside]:
    """A whole relay for the case system at `origin`, with two mediators; it ends with the block.

    ConfigurationError for an address that is not on loopback, and without pages. The case system may
    start later.
    """
    if _ORIGIN.fullmatch(origin) is None:
        raise ConfigurationError(f"--case-system {origin}: it is to be http://127.0.0.1:PORT")
    if not INTEGRITY.exists():
        raise ConfigurationError("there are no pages to embed: `make pages` builds them")
    settings = {
        "RELAY_EMBED_ORIGINS": origin,
        "RELAY_SERVICE_ISSUER": origin,
        "RELAY_SERVICE_JWKS": f"{origin}{KEY_SET_PATH}",
    }
    receiver = f"{origin}{WEBHOOK_PATH}"
    async with (
        running_relay(data, port=port, settings=settings, receiver=receiver) as running,
        organization(running.url, running.root, running.token_key) as people,
    ):
        mediators = await kept_mediators(people, running.folder / "demo")
        yield Beside(
            running=running,
            people=people,
            mediators=mediators,
            settings=_settings_of(origin, running, mediators),
        )


def _settings_of(
    origin: str, running: RunningRelay, mediators: Sequence[KeptMediator]
) -> dict[str, str]:
    given = running.case_system
    if given is None:
        raise ConfigurationError("this relay was started without a receiver")
    integrity = decode_json(INTEGRITY.read_bytes(), dict[str, str])
    return {
        "HOST_URL": origin,
        "HOST_RELAY_URL": running.url,
        "HOST_FINGERPRINT": b64u_encode(given.keys.root_fingerprint),
        "HOST_INTEGRITY": integrity["embed.js"],
        "HOST_SIGNING_KEY_FILE": str(given.signing_key),
        "HOST_WEBHOOK_SECRET": given.webhook_secret,
        "HOST_MEDIATORS": ",".join(f"{one.name}={one.mediator.credential_id}" for one in mediators),
    }
