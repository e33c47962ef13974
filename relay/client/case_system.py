"""The case system: registers cases, makes links, sets facts, reads queue figures; a token for each call."""

from __future__ import annotations

import dataclasses
import json
import uuid
from datetime import UTC, datetime, timedelta
from typing import Final

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from relay.client.connection import Connection
from relay.client.linking import LinkPurpose, make_link
from relay.client.verifying import trust_of
from relay.crypto import chain
from relay.crypto.errors import ChainError
from relay.crypto.signing import Signer
from relay.domain.cases import CaseRegistration, CaseView, CharterView, NoContact
from relay.domain.credentials import Credentials, NewKeyring
from relay.domain.reviews import QueueFigures

TOKEN_SECONDS: Final = 300


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ServiceKeys:
    """What a case system needs to make links that people trust: a credential of the root."""

    signer: Signer
    root_fingerprint: bytes
    """16 bytes: the root that it trusts, and that its links pin."""
    public_url: str
    """Where participants reach relay."""


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
        keys: ServiceKeys | None = None,
    ) -> None:
        self._connection = connection
        self._key = key
        self._kid = kid
        self._keys = keys
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

    async def make_link(
        self, case_id: uuid.UUID, participant_id: uuid.UUID, purpose: LinkPurpose = "participate"
    ) -> str:
        """The address of a new link, signed with the case system's own credential.

        Its secret is sealed to the case of the charter that verifies up to the pinned root, so that the
        mediators of the case, and nobody else, can check who claimed it.
        """
        if self._keys is None:
            raise LookupError("links are signed: this case system was given no keys")
        found = await self._connection.call(
            "GET", "/v1/credentials", bearer=self.token(), into=Credentials
        )
        charters = await self._connection.call(
            "GET", f"/v1/cases/{case_id}/charters", bearer=self.token(), into=list[CharterView]
        )
        charter = chain.verify_charters(
            trust_of(found, self._keys.root_fingerprint),
            [charter.statement for charter in charters],
        )
        if charter.case != case_id:
            raise ChainError("a charter of another case")
        made = make_link(
            self._keys.signer,
            case_id=case_id,
            case_recipient=charter.recipient,
            participant_id=participant_id,
            purpose=purpose,
            public_url=self._keys.public_url,
            root_fingerprint=self._keys.root_fingerprint,
        )
        await self._connection.call(
            "PUT", f"/v1/links/{made.link_id}", bearer=self.token(), body=made.new
        )
        return made.url

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

    async def keyring(self, credential_id: uuid.UUID) -> bytes:
        """A mediator's keys behind their passphrase, to be handed to the console that one embeds."""
        found = await self._connection.call(
            "GET",
            f"/v1/credentials/{credential_id}/keyring",
            bearer=self.token(),
            into=NewKeyring,
        )
        return found.keyring

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
