"""The administrator: holds the organization root offline and vouches for everybody else."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import Final

from relay.client.certifying import CredentialRequest
from relay.client.connection import Connection
from relay.crypto import statements
from relay.crypto.encoding import b64u_encode
from relay.crypto.signing import Signer, fingerprint
from relay.domain.sessions import SignedRequest

VALID_DAYS: Final = 2 * 365


class Administrator:
    """Signs credentials with the root key; needs no connection for that."""

    def __init__(self, root: Signer) -> None:
        self.root = root

    @property
    def public_key(self) -> bytes:
        """32 bytes: what relay is told in its settings."""
        return self.root.public_key

    @property
    def fingerprint(self) -> bytes:
        """16 bytes: what links and consoles pin."""
        return fingerprint(self.root.public_key)

    def sign_credential(
        self,
        request: CredentialRequest,
        *,
        valid_days: int = VALID_DAYS,
        begins: datetime | None = None,
    ) -> str:
        """Vouch for somebody's keys for `valid_days`, from now on or from when it `begins`."""
        now = datetime.now(UTC)
        return statements.sign(
            self.root,
            statements.Credential(
                credential=request.credential,
                person=request.person,
                role=request.role,
                recipient=request.recipient,
                signer=request.signer,
                not_before=begins or now - timedelta(minutes=1),
                not_after=(begins or now) + timedelta(days=valid_days),
                at=now,
            ),
        )

    def sign_succession(self, new_root: Signer, at: datetime | None = None) -> tuple[str, str]:
        """A new root in the place of this one: signed by this one, and by the new one."""
        statement = statements.Succession(
            old=b64u_encode(self.root.public_key),
            new=b64u_encode(new_root.public_key),
            at=at or datetime.now(UTC),
        )
        return statements.sign(self.root, statement), statements.sign(new_root, statement)

    def sign_revocation(self, credential_id: uuid.UUID) -> str:
        """End somebody's credential now."""
        return statements.sign(
            self.root, statements.Revocation(credential=credential_id, at=datetime.now(UTC))
        )


async def publish_credential(connection: Connection, statement: str) -> None:
    """Hand a signed credential to a relay."""
    await connection.call("POST", "/v1/credentials", body=SignedRequest(statement=statement))


async def publish_succession(connection: Connection, statement: str) -> None:
    """Hand a signed succession of roots to a relay."""
    await connection.call("POST", "/v1/roots/successions", body=SignedRequest(statement=statement))


async def publish_revocation(
    connection: Connection, credential_id: uuid.UUID, statement: str
) -> None:
    """Hand a signed revocation to a relay."""
    await connection.call(
        "PUT",
        f"/v1/credentials/{credential_id}/revocation",
        body=SignedRequest(statement=statement),
    )
