"""The case system: registers cases, makes links, sets facts, reads queue figures; a token for each call."""

from __future__ import annotations

import dataclasses
import uuid
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Final, Literal, NamedTuple, Self
from urllib.parse import urlencode

import jwt
import msgspec
from aiohttp import hdrs
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from relay.client import charters
from relay.client.connection import Connection
from relay.client.linking import LinkPurpose, make_link
from relay.client.records import trusting
from relay.client.seen import SeenCharters
from relay.client.verifying import trust_of
from relay.crypto import statements
from relay.crypto.encoding import b64u_decode
from relay.crypto.keyfiles import load_signer_file
from relay.crypto.signing import Signer
from relay.crypto.verified import VerifiedCharter
from relay.decoding import decode_json
from relay.domain.cases import (
    CaseHolds,
    CasePage,
    CaseRegistration,
    CaseState,
    CaseSummary,
    CaseView,
    Certificate,
    Charters,
    Closing,
    NewHold,
    NoContact,
)
from relay.domain.credentials import Credentials, NewKeyring
from relay.domain.notifications import NotificationPage
from relay.domain.reviews import QueueFigures
from relay.domain.sessions import SignedRequest
from relay.domain.tokens import Scope
from relay.domain.webhooks import Receivers

TOKEN_SECONDS: Final = 300
CASES_AT_ONCE: Final = 100


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ServiceKeys:
    """What a case system needs to make links that people trust: a credential of the root."""

    signer: Signer
    root_fingerprint: bytes
    """16 bytes: the root that it trusts, and that its links pin."""
    public_url: str
    """Where participants reach relay."""

    @classmethod
    def read(cls, key_file: Path, fingerprint: str, public_url: str) -> Self:
        """The keys of a file of `relay keys new service`, for the root of this fingerprint (22 characters).

        KeyFileUnusable for a file that others may read; EncodingError for what is no fingerprint.
        """
        return cls(
            signer=load_signer_file(key_file),
            root_fingerprint=b64u_decode(fingerprint),
            public_url=public_url,
        )


class FoundCase(NamedTuple):
    """A case as relay has it, and the ETag that stands for exactly this."""

    view: CaseView
    etag: str


class CaseSystem:
    """Talks to relay with short-lived tokens that it signs (EdDSA), each for the one thing that it is for."""

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
        seen: SeenCharters | None = None,
    ) -> None:
        """`seen`: where the charters that were seen are remembered; in memory alone by default."""
        self._connection = connection
        self._key = key
        self._kid = kid
        self.keys = keys
        self._seen = seen or SeenCharters()
        self._claims = {"iss": issuer, "aud": audience, "sub": subject}

    def with_keys(self, keys: ServiceKeys) -> CaseSystem:
        """The same case system with a credential of the root."""
        return CaseSystem(
            self._connection,
            self._key,
            kid=self._kid,
            issuer=self._claims["iss"],
            audience=self._claims["aud"],
            subject=self._claims["sub"],
            keys=keys,
            seen=self._seen,
        )

    def token(self, *scopes: Scope) -> str:
        """A bearer for the next minutes, for these things alone."""
        now = datetime.now(UTC)
        claims = {
            **self._claims,
            "iat": now,
            "exp": now + timedelta(seconds=TOKEN_SECONDS),
            "scope": " ".join(scopes),
        }
        return jwt.encode(claims, self._key, algorithm="EdDSA", headers={"kid": self._kid})

    async def register(
        self,
        case_id: uuid.UUID,
        registration: CaseRegistration,
        *,
        known: str | None = None,
        only_new: bool = False,
    ) -> FoundCase:
        """Make a case known, with its participants and the mediators assigned to it.

        A case system with keys signs which mediators may open the case. Once the case has a charter, other
        mediators are a proposal that one of its mediators signs, or does not.

        `known`: the ETag of the case as it was read. Where somebody else changed it since, or where it is
        there although `only_new` is asked for, relay changes nothing and refuses with `not-as-expected`.
        """
        if self.keys is not None and registration.mediators and registration.statement is None:
            signed = charters.register(self.keys.signer, case_id, registration.mediators)
            registration = msgspec.structs.replace(registration, statement=signed)
        conditions: dict[str, str] = {} if known is None else {hdrs.IF_MATCH: known}
        if only_new:
            conditions[hdrs.IF_NONE_MATCH] = "*"
        answer = await self._connection.exchange(
            "PUT",
            f"/v1/cases/{case_id}",
            bearer=self.token(Scope.CASES_WRITE),
            body=registration,
            conditions=conditions,
        )
        return FoundCase(decode_json(answer.content, CaseView), answer.etag)

    async def case(self, case_id: uuid.UUID, *, known: FoundCase | None = None) -> FoundCase:
        """One case; with `known` nothing is sent again that is still as it was."""
        answer = await self._connection.exchange(
            "GET",
            f"/v1/cases/{case_id}",
            bearer=self.token(Scope.CASES_READ),
            conditions={} if known is None else {hdrs.IF_NONE_MATCH: known.etag},
        )
        if known is not None and answer.status == HTTPStatus.NOT_MODIFIED:
            return known
        return FoundCase(decode_json(answer.content, CaseView), answer.etag)

    async def every_case(self) -> list[CaseSummary]:
        """Every case, in the order of their identifiers."""
        page = await self.cases(limit=CASES_AT_ONCE)
        found = page.cases
        while page.next is not None:
            page = await self.cases(after=page.next, limit=CASES_AT_ONCE)
            found += page.cases
        return found

    async def cases(
        self,
        *,
        reference: str | None = None,
        state: CaseState | None = None,
        mediator: uuid.UUID | None = None,
        changed_since: datetime | None = None,
        after: str | None = None,
        limit: int = 50,
    ) -> CasePage:
        """A page of the cases that fit all that is named; `after` is `next` of the page before.

        With `changed_since` in the order of their last change, else of their identifiers.
        """
        asked = {
            "reference": reference,
            "state": state,
            "mediator": mediator,
            "changed_since": None if changed_since is None else changed_since.isoformat(),
            "after": after,
            "limit": limit,
        }
        named = {name: str(value) for name, value in asked.items() if value is not None}
        return await self._connection.call(
            "GET",
            f"/v1/cases?{urlencode(named)}",
            bearer=self.token(Scope.CASES_READ),
            into=CasePage,
        )

    async def events(
        self, after: int = 0, *, limit: int = 100, wait_seconds: int = 0
    ) -> NotificationPage:
        """What happened after an event, oldest first; `next` of the page asks for what follows it.

        With `wait_seconds` (at most 30) the answer comes once there is something, or then.
        """
        query = f"after={after}&limit={limit}&wait={wait_seconds}"
        return await self._connection.call(
            "GET",
            f"/v1/events?{query}",
            bearer=self.token(Scope.EVENTS_READ),
            into=NotificationPage,
        )

    async def make_link(
        self, case_id: uuid.UUID, participant_id: uuid.UUID, purpose: LinkPurpose = "participate"
    ) -> str:
        """The address of a new link, signed with the case system's own credential.

        What checks the claim is sealed to the case of the charter that verifies up to the pinned root. The
        secret is in the address alone: anyone who makes a link keeps its address until it was given.
        """
        keys = self._require_keys()
        charter = await self._charter(case_id)
        made = make_link(
            keys.signer,
            charter=charter,
            participant_id=participant_id,
            purpose=purpose,
            public_url=keys.public_url,
            root_fingerprint=keys.root_fingerprint,
        )
        await self._connection.call(
            "PUT",
            f"/v1/links/{made.link_id}",
            bearer=self.token(Scope.LINKS_WRITE),
            body=made.new,
        )
        return made.url

    async def end_link(
        self,
        case_id: uuid.UUID,
        participant_id: uuid.UUID,
        link_id: uuid.UUID,
        reason: Literal["replaced", "misused"],
    ) -> None:
        """End a link. `misused`: somebody else used it, and nothing that came through it counts."""
        statement = statements.sign(
            self._require_keys().signer,
            statements.LinkEnding(
                link=link_id,
                case=case_id,
                participant=participant_id,
                reason=reason,
                at=datetime.now(UTC),
            ),
        )
        await self._connection.call(
            "PUT",
            f"/v1/links/{link_id}/ending",
            bearer=self.token(Scope.LINKS_WRITE),
            body=SignedRequest(statement=statement),
        )

    async def _charter(self, case_id: uuid.UUID) -> VerifiedCharter:
        """The charter of a case, verified up to the pinned root; BrokenTrust otherwise."""
        found = await self._connection.call(
            "GET",
            "/v1/credentials",
            bearer=self.token(Scope.CREDENTIALS_READ),
            into=Credentials,
        )
        filed = await self._connection.call(
            "GET",
            f"/v1/cases/{case_id}/charters",
            bearer=self.token(Scope.CASES_READ),
            into=Charters,
        )
        trust = trust_of(found, self._require_keys().root_fingerprint)
        with trusting():
            charter = charters.verify_charters(trust, filed, case_id)
            self._seen.require(charter)
        return charter

    def _require_keys(self) -> ServiceKeys:
        if self.keys is None:
            raise LookupError("this is signed: this case system was given no keys")
        return self.keys

    async def receivers(self) -> Receivers:
        """How far each receiver of webhooks is."""
        return await self._connection.call(
            "GET", "/v1/webhooks", bearer=self.token(Scope.WEBHOOKS_READ), into=Receivers
        )

    async def set_no_contact(
        self, case_id: uuid.UUID, one: uuid.UUID, other: uuid.UUID, *, no_contact: bool
    ) -> None:
        """Set or lift a no-contact fact between two participants."""
        await self._connection.call(
            "PUT",
            f"/v1/cases/{case_id}/pairs/{one}/{other}/no-contact",
            bearer=self.token(Scope.NO_CONTACT_WRITE),
            body=NoContact(no_contact=no_contact),
        )

    async def set_closed(self, case_id: uuid.UUID, *, closed: bool) -> None:
        """Close a case, or open it again."""
        await self._connection.call(
            "PUT",
            f"/v1/cases/{case_id}/closing",
            bearer=self.token(Scope.CASES_WRITE),
            body=Closing(closed=closed),
        )

    async def holds(self, case_id: uuid.UUID) -> CaseHolds:
        """What keeps a case from being disposed of."""
        return await self._connection.call(
            "GET",
            f"/v1/cases/{case_id}/holds",
            bearer=self.token(Scope.CASES_READ),
            into=CaseHolds,
        )

    async def place_hold(self, case_id: uuid.UUID, hold_id: uuid.UUID, hold: NewHold) -> None:
        """Keep a case from being disposed of."""
        await self._connection.call(
            "PUT",
            f"/v1/cases/{case_id}/holds/{hold_id}",
            bearer=self.token(Scope.CASES_WRITE),
            body=hold,
        )

    async def lift_hold(self, case_id: uuid.UUID, hold_id: uuid.UUID) -> None:
        """End a hold, whoever placed it."""
        await self._connection.call(
            "DELETE",
            f"/v1/cases/{case_id}/holds/{hold_id}",
            bearer=self.token(Scope.CASES_WRITE),
        )

    async def certificate(self, case_id: uuid.UUID) -> Certificate:
        """That a case was disposed of, signed by a media worker."""
        return await self._connection.call(
            "GET",
            f"/v1/cases/{case_id}/disposal",
            bearer=self.token(Scope.CASES_READ),
            into=Certificate,
        )

    async def keyring(self, credential_id: uuid.UUID) -> bytes:
        """A mediator's keys behind their passphrase, to be handed to the console that one embeds."""
        found = await self._connection.call(
            "GET",
            f"/v1/credentials/{credential_id}/keyring",
            bearer=self.token(Scope.KEYRING_READ),
            into=NewKeyring,
        )
        return found.keyring

    async def figures(self) -> QueueFigures:
        """How much waits, everywhere."""
        return await self._connection.call(
            "GET",
            "/v1/queue/figures",
            bearer=self.token(Scope.FIGURES_READ),
            into=QueueFigures,
        )
