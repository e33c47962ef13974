"""The case system: registers cases, sets no-contact facts, reads queue figures, with a token of its own."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime, timedelta
from typing import Final

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from relay.client.connection import Connection
from relay.domain.cases import CaseRegistration, CaseView, NoContact
from relay.domain.reviews import QueueFigures

TOKEN_SECONDS: Final = 300


class CaseSystem:
    """Talks to relay with short-lived tokens that it signs (EdDSA)."""

    def __init__(
        self,
        connection: Connection,
        key: Ed25519PrivateKey,
        *,
        kid: str,
        issuer: str,
        audience: str = "relay",
        subject: str = "case-system",
    ) -> None:
        self._connection = connection
        self._key = key
        self._kid = kid
        self._claims = {"iss": issuer, "aud": audience, "sub": subject}

    def token(self) -> str:
        """A bearer for the next minutes."""
        now = datetime.now(UTC)
        times = {"iat": now, "exp": now + timedelta(seconds=TOKEN_SECONDS)}
        return jwt.encode(
            {**self._claims, **times}, self._key, algorithm="EdDSA", headers={"kid": self._kid}
        )

    async def register(self, case_id: uuid.UUID, registration: CaseRegistration) -> CaseView:
        """Make a case known, with its participants and the mediators assigned to it."""
        return await self._connection.call(
            "PUT", f"/v1/cases/{case_id}", bearer=self.token(), body=registration, into=CaseView
        )

    async def set_no_contact(
        self, case_id: uuid.UUID, one: uuid.UUID, other: uuid.UUID, *, no_contact: bool
    ) -> None:
        """Set or lift a no-contact fact between two participants."""
        await self._connection.call(
            "PUT",
            f"/v1/cases/{case_id}/pairs/{one}/{other}/no-contact",
            bearer=self.token(),
            body=NoContact(no_contact=no_contact),
        )

    async def figures(self) -> QueueFigures:
        """How much waits, everywhere."""
        return await self._connection.call(
            "GET", "/v1/queue/figures", bearer=self.token(), into=QueueFigures
        )


def key_set(key: Ed25519PrivateKey, kid: str) -> str:
    """The JSON Web Key Set that relay verifies the tokens of `key` with."""
    public = jwt.algorithms.OKPAlgorithm.to_jwk(key.public_key(), as_dict=True)
    members = {**public, "kid": kid, "use": "sig", "alg": "EdDSA"}
    return json.dumps({"keys": [members]})
