"""Links: making them, showing what they lead to, claiming them, verifying who claimed them."""

from __future__ import annotations

import hashlib
import hmac
import uuid

from relay.crypto import signing, statements
from relay.crypto.encoding import b64u_decode, b64u_encode
from relay.crypto.keyrings import PROOF_BYTES
from relay.domain.actors import LinkHolder, Mediator, Service
from relay.domain.cases import CaseClosed
from relay.domain.links import (
    FREE_TRIES,
    WRONG_PASSPHRASES,
    ClaimedKeyring,
    EarlierLinkOpen,
    LinkClaimed,
    LinkEnded,
    LinkExists,
    LinkRecord,
    LinkView,
    NewClaim,
    NewLink,
    NewVerification,
    Purpose,
    TooManyTries,
    Trust,
    WrongPassphrase,
    wait_after,
)
from relay.errors import Conflict, InvalidRequest, NotFound, TooLarge
from relay.services.cases import (
    require_latest_charter,
    require_mediator,
)
from relay.services.credentials import KEYRING_MAX_BYTES
from relay.services.statements import is_new, verify_by
from relay.services.trust import view as trust_view
from relay.settings import Settings
from relay.storage import cases as stored_cases
from relay.storage import links as stored
from relay.storage.database import Connection, Database
from relay.storage.events import append_event
from relay.storage.statements import find_statement, insert_statement

SEALED_MAX_BYTES = 8 * 1024


async def make(
    database: Database,
    settings: Settings,
    actor: Mediator | Service,
    link_id: uuid.UUID,
    link: NewLink,
) -> None:
    """Store a link that a mediator of the case or the case system signed.

    The signature is what keeps the relay from making a link of its own, and so a participant of its own.
    """
    if any(len(sealed or b"") > SEALED_MAX_BYTES for sealed in (link.sealed, link.again)):
        raise TooLarge("sealed secret")
    async with database.transaction() as connection:
        statement = await verify_by(connection, actor, link.statement, statements.Link)
        said = statement.said
        sealed = None if link.sealed is None else b64u_encode(hashlib.sha256(link.sealed).digest())
        if said.link != link_id or said.sealed != sealed:
            raise InvalidRequest("the statement is for another link")
        maker = actor.credential_id if isinstance(actor, Mediator) else None
        if link.again is not None and (maker is None or said.purpose == "upload"):
            raise InvalidRequest("only a mediator's own link to claim can be shown again")
        await stored_cases.lock_case(connection, said.case)
        if isinstance(actor, Mediator):
            await require_mediator(connection, said.case, actor)
        if not await is_new(connection, settings, statement):
            return
        if await stored_cases.is_closed(connection, said.case):
            raise CaseClosed
        await require_latest_charter(connection, said.case, said.charter)
        if await stored_cases.find_role(connection, said.case, said.participant) is None:
            raise NotFound("no such participant")
        upload_signer = b64u_decode(said.signer) if said.signer is not None else None
        await insert_statement(connection, statement)
        if not await stored.insert_link(
            connection,
            link_id=link_id,
            case_id=said.case,
            participant_id=said.participant,
            purpose=said.purpose,
            statement_hash=statement.hash,
            auth_hash=b64u_decode(said.auth),
            signer=upload_signer,
            kid=signing.key_id(upload_signer) if upload_signer is not None else None,
            sealed=link.sealed,
            again=link.again,
            made_by=maker,
            expires_at=said.expires,
        ):
            raise LinkExists
        await append_event(
            connection,
            case_id=said.case,
            kind=f"link-made-to-{said.purpose}",
            actor=str(actor),
            statement_hash=statement.hash,
        )


async def find_holder(database: Database, link_id: uuid.UUID, auth: bytes) -> LinkHolder:
    """Anyone who shows the bearer of this link; the same NotFound for a wrong, ended and unknown one."""
    async with database.connection() as connection:
        holder = await stored.find_holder(connection, link_id, hashlib.sha256(auth).digest())
    if holder is None:
        raise NotFound("no such link")
    return holder


async def show(database: Database, settings: Settings, holder: LinkHolder) -> LinkView:
    """What a link leads to, with everything that its holder needs to verify it."""
    async with database.transaction() as connection:
        link = await stored.find_link(connection, holder.link_id)
        role = await stored_cases.find_role(connection, holder.case_id, holder.participant_id)
        if link is None or role is None:
            raise NotFound("no such link")
        claim = await stored.find_claim_of_link(connection, holder.link_id)
        statement = await find_statement(connection, link.statement_hash)
        if statement is None:
            raise NotFound("no such link")
        return LinkView(
            link=link.link_id,
            case=link.case_id,
            participant=link.participant_id,
            role=role,
            purpose=link.purpose,
            expires_at=link.expires_at,
            spent=link.message_id is not None,
            statement=statement,
            audience=settings.public_url,
            trust=await trust_view(connection, settings, link.case_id),
            correspondents=await stored_cases.list_correspondents(
                connection, holder.case_id, holder.participant_id
            ),
            claim=claim.compact if claim else None,
        )


async def trust(database: Database, settings: Settings, case_id: uuid.UUID) -> Trust:
    """The roots, credentials and charters of a case, for a participant of it."""
    async with database.transaction() as connection:
        return await trust_view(connection, settings, case_id)


async def claim(database: Database, settings: Settings, holder: LinkHolder, new: NewClaim) -> None:
    """Take a link into one's own hands, once: from now on it opens nothing without the passphrase.

    The MAC in the claim is for the mediators, who can open the claim key; relay cannot check it. An older
    link of the same participant works until a mediator has verified the new claim.
    """
    if len(new.keyring) > KEYRING_MAX_BYTES:
        raise TooLarge("keyring")
    if len(new.proof_hash) != hashlib.sha256().digest_size:
        raise InvalidRequest("proof_hash", problem="`proof_hash` must be a SHA-256 hash: 32 bytes.")
    signer = b64u_decode(statements.decode_unverified(new.statement, statements.Claim).signer)
    claimed = statements.verified(new.statement, statements.Claim, signer)
    said = claimed.said
    if (said.link, said.case, said.participant) != (
        holder.link_id,
        holder.case_id,
        holder.participant_id,
    ):
        raise InvalidRequest("the claim is for another link")
    second_claim = False
    async with database.transaction() as connection:
        # The case is locked before the link: anyone who claims another link of the same person waits.
        await stored_cases.lock_case(connection, holder.case_id)
        if await stored.lock_link(connection, holder.link_id) is not Purpose.PARTICIPATE:
            raise NotFound("not a link to claim")
        if not await is_new(connection, settings, claimed):
            return
        if await stored.find_claim_of_link(connection, holder.link_id) is not None:
            second_claim = True
            await append_event(
                connection,
                case_id=holder.case_id,
                kind="second-claim-refused",
                actor=f"link:{holder.link_id}",
            )
        else:
            await insert_statement(connection, claimed)
            if not await stored.insert_claim(
                connection,
                statement_hash=claimed.hash,
                link_id=holder.link_id,
                case_id=holder.case_id,
                participant_id=holder.participant_id,
                kid=claimed.kid,
                signer=signer,
                recipient=said.recipient,
                keyring=new.keyring,
                proof_hash=new.proof_hash,
            ):
                raise Conflict("this key was claimed before")
            await stored.forget_secret(connection, holder.link_id)
            await append_event(
                connection,
                case_id=holder.case_id,
                kind="link-claimed",
                actor=f"participant:{holder.participant_id}",
                statement_hash=claimed.hash,
            )
    if second_claim:
        raise LinkClaimed


async def open_keyring(database: Database, holder: LinkHolder, proof: bytes) -> ClaimedKeyring:
    """The keyring of a claimed link, for anyone who shows that they know its passphrase.

    WrongPassphrase for another proof. TooManyTries while the link is closed after several of them: then not
    even the right one is looked at. Tries wait for each other; each is counted before its answer goes out.
    """
    if len(proof) != PROOF_BYTES:
        raise InvalidRequest("proof", problem=f"`proof` must be {PROOF_BYTES} bytes.")
    async with database.connection() as connection:
        # Without a lock: somebody who asks all the time while the link is closed holds nobody up.
        wait = await stored.find_wait(connection, holder.link_id)
    if wait is None:
        raise NotFound("no such link")
    if wait > 0:
        raise TooManyTries(WRONG_PASSPHRASES, wait_seconds=wait)
    async with database.transaction() as connection:
        # The case is locked before the claim, as everywhere: its log may be written below.
        await stored_cases.lock_case(connection, holder.case_id)
        found = await stored.lock_keyring(connection, holder.link_id)
        if found is None:
            raise NotFound("no such link")
        if found.wait_seconds > 0:
            raise TooManyTries(WRONG_PASSPHRASES, wait_seconds=found.wait_seconds)
        if hmac.compare_digest(hashlib.sha256(proof).digest(), found.proof_hash):
            await stored.forget_wrong_proofs(connection, holder.link_id)
            return ClaimedKeyring(keyring=found.keyring)
        wrong = found.wrong_proofs + 1
        await stored.count_wrong_proof(connection, holder.link_id, wait_after(wrong))
        if wrong == FREE_TRIES:
            await append_event(
                connection,
                case_id=holder.case_id,
                kind="passphrase-tries-limited",
                actor=f"link:{holder.link_id}",
            )
    raise WrongPassphrase


async def verify(
    database: Database, settings: Settings, mediator: Mediator, new: NewVerification
) -> None:
    """Record that a mediator checked a claim and heard from the person that it is theirs.

    From now on this key is the participant's. The other links that they claimed end in the same step, each
    with a statement of the mediator's: EarlierLinkOpen where one is missing.
    """
    verification = statements.verified(new.statement, statements.Verification, mediator.signer)
    said = verification.said
    async with database.transaction() as connection:
        await stored_cases.lock_case(connection, said.case)
        await require_mediator(connection, said.case, mediator)
        known = await stored.find_claim(connection, b64u_decode(said.claim))
        if known is None or (known.case_id, known.participant_id) != (said.case, said.participant):
            raise NotFound("no such claim")
        if known.recipient != said.recipient:
            raise InvalidRequest("the claim is for another key")
        is_known = known.verification_hash is not None
        if is_known or not await is_new(connection, settings, verification):
            return
        link = await stored.lock_claim(connection, known.statement_hash)
        if link is None or link[1]:
            raise LinkEnded
        for compact in new.endings:
            ending = statements.verified(compact, statements.LinkEnding, mediator.signer)
            await _end(connection, settings, mediator, ending)
        if await stored.list_earlier_links(connection, said.participant, link[0]):
            raise EarlierLinkOpen
        await insert_statement(connection, verification)
        await stored.verify_claim(connection, known.statement_hash, verification.hash)
        await append_event(
            connection,
            case_id=said.case,
            kind="claim-verified",
            actor=str(mediator),
            statement_hash=verification.hash,
        )


async def list_links(
    database: Database, mediator: Mediator, case_id: uuid.UUID
) -> list[LinkRecord]:
    """The links of a case, with what their claims are checked with."""
    async with database.transaction() as connection:
        await require_mediator(connection, case_id, mediator)
        return await stored.list_links(connection, case_id, mediator.credential_id)


async def end(
    database: Database,
    settings: Settings,
    actor: Mediator | Service,
    link_id: uuid.UUID,
    compact: str,
) -> None:
    """End a link, and every session that came through it: signed by a mediator or the case system."""
    async with database.transaction() as connection:
        ending = await verify_by(connection, actor, compact, statements.LinkEnding)
        said = ending.said
        if said.link != link_id:
            raise InvalidRequest("the statement ends another link")
        await stored_cases.lock_case(connection, said.case)
        if isinstance(actor, Mediator):
            await require_mediator(connection, said.case, actor)
        await _end(connection, settings, actor, ending)


async def _end(
    connection: Connection,
    settings: Settings,
    actor: Mediator | Service,
    ending: statements.Verified[statements.LinkEnding],
) -> None:
    said = ending.said
    if not await is_new(connection, settings, ending):
        return
    link = await stored.find_link(connection, said.link)
    if link is None or (link.case_id, link.participant_id) != (said.case, said.participant):
        raise NotFound("no such link")
    if await stored.end_link(connection, said.link, is_misused=said.reason == "misused"):
        await insert_statement(connection, ending)
        await stored.insert_link_ending(connection, ending.hash, said.link)
        await append_event(
            connection,
            case_id=said.case,
            kind=f"link-{said.reason}",
            actor=str(actor),
            statement_hash=ending.hash,
        )
