"""Coming through a link: claim it, or come back to it, and verify up to its fingerprint whose case it is."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Self

from relay.client.connection import Connection, LinkConnection, Problem, SignedConnection
from relay.client.records import trusting
from relay.client.seen import SeenCharters
from relay.client.verifying import verify_trust
from relay.client.writing import Hand
from relay.crypto import chain, statements
from relay.crypto.encoding import b64u_encode
from relay.crypto.errors import ChainError
from relay.crypto.keyrings import (
    PARTICIPANT_WORK_FACTOR_LOG2,
    Stretched,
    generate_keyring,
    open_participant_keyring,
    seal_participant_keyring,
    stretch_passphrase,
)
from relay.crypto.links import Link, claim_mac, parse_link_url
from relay.crypto.mlkem768x25519 import HybridIdentity
from relay.crypto.signing import Signer, statement_hash
from relay.crypto.verified import VerifiedCharter
from relay.crypto.words import WordLanguage, claim_words
from relay.domain.cases import CharterChanged
from relay.domain.links import ClaimedKeyring, KeyringRequest, LinkView, NewClaim, Trust
from relay.domain.messages import (
    AuthorMessage,
    Submission,
)


class LinkHolder:
    """Somebody who came through a link; what relay says of keys is verified up to the link's fingerprint."""

    def __init__(
        self,
        signed: SignedConnection,
        *,
        address: Link,
        link: LinkView,
        charter: VerifiedCharter,
        signer: Signer,
        identity: HybridIdentity | None,
        seen: SeenCharters,
    ) -> None:
        self._address = address
        self._seen = seen
        self.session = signed
        self._charter = charter
        self._identity = identity
        self.hand = Hand(
            case_id=link.case,
            participant_id=link.participant,
            charter=charter,
            signer=signer,
            recipient=None if identity is None else str(identity.recipient),
        )
        """Signs and seals for this participant."""
        self.claim_hash = None if link.claim is None else statement_hash(link.claim)
        self._claimed_at = None
        if link.claim is not None:
            self._claimed_at = statements.decode_unverified(link.claim, statements.Claim).at
        self.case_id = link.case
        self.participant_id = link.participant
        self.correspondents = link.correspondents

    def spoken_words(self, language: WordLanguage) -> tuple[str, ...]:
        """The four words of one's claim, for a mediator to hear; LookupError for an upload link."""
        if self.claim_hash is None:
            raise LookupError("nobody claims an upload link")
        return claim_words(self.claim_hash, language)

    @classmethod
    async def claim(
        cls,
        connection: Connection,
        url: str,
        passphrase: str,
        *,
        seen: SeenCharters | None = None,
        work_factor_log2: int = PARTICIPANT_WORK_FACTOR_LOG2,
    ) -> Self:
        """Claim a link with a passphrase; Problem `link-claimed` the second time.

        WeakPassphrase for one below the floor; then nothing is claimed. `unlock` needs the same work factor.
        `seen`: where the charters that were seen are remembered; in memory alone by default.
        """
        address = parse_link_url(url)
        seen = seen or SeenCharters()
        link, _charter = await _arrive(connection, address, seen)
        keyring = generate_keyring()
        mac = claim_mac(
            address.secret.claim_key(address.id),
            link=address.id,
            case=link.case,
            participant=link.participant,
            recipient=str(keyring.identity.recipient),
            signer=b64u_encode(keyring.signer.public_key),
        )
        statement = statements.sign(
            keyring.signer,
            statements.Claim(
                link=address.id,
                case=link.case,
                participant=link.participant,
                recipient=str(keyring.identity.recipient),
                signer=b64u_encode(keyring.signer.public_key),
                mac=b64u_encode(mac),
                at=datetime.now(UTC),
            ),
        )
        sealed, stretched = seal_participant_keyring(
            keyring,
            passphrase,
            address.secret.unlock(address.id),
            link=url,
            work_factor_log2=work_factor_log2,
        )
        await connection.call(
            "PUT",
            f"/v1/links/{address.id}/claim",
            bearer=_bearer(address),
            body=NewClaim(statement=statement, keyring=sealed, proof_hash=stretched.proof_hash),
        )
        return await cls._open(connection, address, stretched, seen)

    @classmethod
    async def unlock(
        cls,
        connection: Connection,
        url: str,
        passphrase: str,
        *,
        seen: SeenCharters | None = None,
        work_factor_log2: int = PARTICIPANT_WORK_FACTOR_LOG2,
    ) -> Self:
        """Come back through a claimed link; Problem `wrong-passphrase`, or `too-many-tries` after several."""
        address = parse_link_url(url)
        unlock = address.secret.unlock(address.id)
        stretched = stretch_passphrase(passphrase, unlock, work_factor_log2)
        return await cls._open(connection, address, stretched, seen or SeenCharters())

    @classmethod
    async def _open(
        cls, connection: Connection, address: Link, stretched: Stretched, seen: SeenCharters
    ) -> Self:
        link, charter = await _arrive(connection, address, seen)
        if link.claim is None:
            raise LookupError("this link was not claimed yet")
        found = await connection.call(
            "POST",
            f"/v1/links/{address.id}/keyring",
            bearer=_bearer(address),
            body=KeyringRequest(proof=stretched.proof),
            into=ClaimedKeyring,
        )
        keyring = open_participant_keyring(found.keyring, stretched)
        return cls(
            SignedConnection(connection, keyring.signer, link.audience),
            address=address,
            link=link,
            charter=charter,
            signer=keyring.signer,
            identity=keyring.identity,
            seen=seen,
        )

    @classmethod
    async def through_upload_link(cls, connection: Connection, url: str) -> Self:
        """Come through an upload link: one message, no passphrase."""
        address = parse_link_url(url)
        seen = SeenCharters()
        link, charter = await _arrive(connection, address, seen)
        return cls(
            LinkConnection(connection, address.id, _bearer(address)),
            address=address,
            link=link,
            charter=charter,
            signer=address.secret.signer(address.id),
            identity=None,
            seen=seen,
        )

    async def refresh(self) -> None:
        """Load and verify the charter in force; what is sealed from now on is sealed under it."""
        found = await self.session.call("GET", "/v1/trust", into=Trust)
        self._charter = _verify_charter(found, self._address, self._seen)
        self.hand = dataclasses.replace(self.hand, charter=self._charter)

    async def submit(self, path: str, submission: Callable[[], Submission]) -> AuthorMessage:
        """Send what `submission` seals and signs; once more where the charter has changed meanwhile."""
        try:
            return await self.session.call("PUT", path, body=submission(), into=AuthorMessage)
        except Problem as problem:
            if problem.code != CharterChanged.code:
                raise
        await self.refresh()
        return await self.session.call("PUT", path, body=submission(), into=AuthorMessage)

    @property
    def identity(self) -> HybridIdentity:
        """The key that opens what is for this participant; nobody reads through an upload link."""
        if self._identity is None:
            raise LookupError("nobody reads through an upload link")
        return self._identity


async def _arrive(
    connection: Connection, address: Link, seen: SeenCharters
) -> tuple[LinkView, VerifiedCharter]:
    link = await connection.call(
        "GET", f"/v1/links/{address.id}", bearer=_bearer(address), into=LinkView
    )
    charter = _verify_charter(link.trust, address, seen)
    signed = chain.verify_link(link.statement, charter)
    chain.check_link_secret(signed, address.secret)
    if (signed.link, signed.case, signed.participant) != (address.id, link.case, link.participant):
        raise ChainError("another link than the one that was signed")
    return link, charter


def _verify_charter(found: Trust, address: Link, seen: SeenCharters) -> VerifiedCharter:
    """The charter of the case that the link leads into, which extends every version seen before."""
    with trusting():
        charter = verify_trust(found, address.root_fingerprint)
        chain.check_anchor(charter, address.anchor)
        seen.require(charter)
    return charter


def _bearer(address: Link) -> str:
    return b64u_encode(address.secret.auth(address.id))
