"""What every reader does before believing anything: from a pinned root to the keys and contents of a case.

    root → credentials → registration → charter 1 → charter 2 → … → link → claim → message → rendition

Each step is signed by somebody whom an earlier one names. The relay stores and hands out all of these
statements and can change none of them; what it can do is hold some back.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
import hmac
import uuid
from collections.abc import Iterable, Mapping, Sequence

from relay.crypto.encoding import b64u_decode, b64u_encode
from relay.crypto.errors import ChainError, LinkError
from relay.crypto.links import ANCHOR_BYTES, LinkSecret, auth_digest, claim_mac
from relay.crypto.signing import check_public_key, read_unverified, statement_hash
from relay.crypto.statements import (
    Charter,
    Claim,
    Consent,
    Link,
    LinkEnding,
    Member,
    Message,
    Registration,
    Rendition,
    Verification,
    decode_unverified,
    verify,
)
from relay.crypto.trust import (
    Authority,
    Role,
    Trust,
    establish_trust,
    pin_root,
    require_order,
    verify_by,
)
from relay.crypto.verified import Origin, Standing, Term, VerifiedCharter, VerifiedParticipant


def verify_charter(
    root_fingerprint: bytes,
    root_public_key: bytes,
    credentials: Iterable[str],
    registration: str,
    charters: Sequence[str],
    revocations: Iterable[str] = (),
    successions: Iterable[str] = (),
) -> VerifiedCharter:
    """The whole way from a pinned fingerprint (16 bytes) to the latest charter of a case.

    `charters` are all its versions in order. ChainError or StatementError where a step does not hold.
    """
    root = pin_root(root_fingerprint, root_public_key)
    trust = establish_trust([root], credentials, revocations, successions)
    return verify_charters(trust, registration, charters)


def verify_charters(trust: Trust, registration: str, charters: Sequence[str]) -> VerifiedCharter:
    """The latest charter of a case, from its registration and all versions in order.

    ChainError if they are not a chain. A relay can hold back the newest versions; anyone who has seen one
    remembers its hash and asks `check_seen`.
    """
    verified: VerifiedCharter | None = None
    for compact in charters:
        if verified is None:
            verified = _first_version(trust, registration, compact)
        else:
            verified = _next_version(verified, compact)
    if verified is None:
        raise ChainError("no charter")
    return verified


def verify_registration(trust: Trust, compact: str) -> Registration:
    """Who may open the case: said by a service, or by a mediator where there was no service at the time."""
    at = decode_unverified(compact, Registration).at
    if trust.has_case_system(at):
        registration, _ = verify_by(compact, Registration, trust.of_role("service"))
        return registration
    registration, signer = verify_by(compact, Registration, trust.of_role("mediator"))
    if signer.credential not in registration.mediators:
        raise ChainError("a mediator registers a case for themselves")
    return registration


def check_anchor(charter: VerifiedCharter, anchor: bytes) -> None:
    """ChainError unless some version's hash begins with `anchor` (16 bytes, from a link's address)."""
    if len(anchor) != ANCHOR_BYTES or not any(
        hmac.compare_digest(term.statement_hash[:ANCHOR_BYTES], anchor) for term in charter.terms
    ):
        raise ChainError("another case than the one that the link leads to")


def check_seen(charter: VerifiedCharter, seen: Mapping[int, bytes]) -> None:
    """ChainError unless `charter` extends every version that was seen before (its hash by its number)."""
    current = {term.version: term.statement_hash for term in charter.terms}
    if any(current.get(version) != digest for version, digest in seen.items()):
        raise ChainError("the charter does not extend the versions that were seen before")


def check_identities(charter: VerifiedCharter, recipients: Sequence[str]) -> None:
    """ChainError unless `recipients` are those that the case has had, the latest first."""
    if tuple(recipients) != charter.recipients:
        raise ChainError("the identities of another case")


def verify_link(compact: str, charter: VerifiedCharter) -> Link:
    """A link into this case that one of its mediators or a service of the organization made."""
    link = charter.verify_by_mediator_or_service(compact, Link)
    charter.require_version(link.charter, link.at)
    return link


def verify_origin(compacts: Iterable[str], charter: VerifiedCharter) -> Origin:
    """A way in, from its statements: the link, and as far as they exist claim, verification and endings.

    ChainError or LinkError if one of them is of something else. Whether what came this way counts is
    another question: `Origin.standing_at`.
    """
    by_type: dict[str, list[str]] = {}
    for compact in compacts:
        by_type.setdefault(read_unverified(compact).typ, []).append(compact)
    known = {kind.typ for kind in (Link, Claim, Verification, LinkEnding)}
    links, claims = by_type.get(Link.typ, []), by_type.get(Claim.typ, [])
    if len(links) != 1 or len(claims) > 1 or not by_type.keys() <= known:
        raise ChainError("not the statements of one link")
    link = verify_link(links[0], charter)
    claim = verify_claim(claims[0], link) if claims else None
    claim_hash = statement_hash(claims[0]) if claims else None
    verified = [
        _verify_verification(compact, charter, claim, claim_hash)
        for compact in by_type.get(Verification.typ, [])
    ]
    endings = [verify_ending(compact, charter, link) for compact in by_type.get(LinkEnding.typ, [])]
    key = link.signer if claim is None else claim.signer
    if key is None:
        raise ChainError("a link that nobody has claimed signs nothing")
    signer = b64u_decode(key)
    check_public_key(signer)
    return Origin(
        link=link,
        signer=signer,
        claim=claim,
        claim_hash=claim_hash,
        verified_at=min(verified, default=None),
        ended_at=min((ending.at for ending in endings), default=None),
        is_misused=any(ending.reason == "misused" for ending in endings),
    )


def verify_ending(compact: str, charter: VerifiedCharter, link: Link) -> LinkEnding:
    """The end of `link`, by a mediator of the case or a service."""
    ending = charter.verify_by_mediator_or_service(compact, LinkEnding)
    if (ending.link, ending.participant) != (link.link, link.participant):
        raise ChainError("the end of another link")
    require_order(ending, link)
    return ending


def check_link_secret(link: Link, secret: LinkSecret) -> None:
    """LinkError unless the signed link is the one that `secret` belongs to: checked on opening a link."""
    digest = b64u_encode(auth_digest(secret.auth(link.link)))
    signer = None if link.signer is None else b64u_encode(secret.signer(link.link).public_key)
    if not hmac.compare_digest(digest, link.auth) or signer != link.signer:
        raise LinkError("the link's statement belongs to another secret")


def check_sealed_claim_key(link: Link, sealed: bytes) -> None:
    """LinkError unless `sealed` is the age file that the link's statement names."""
    if link.sealed is None or hashlib.sha256(sealed).digest() != b64u_decode(link.sealed):
        raise LinkError("another sealed claim key than the link's statement names")


def verify_claim(compact: str, link: Link) -> Claim:
    """A claim of `link`, signed with the key it brings; only the MAC tells whether its maker held it."""
    signer = b64u_decode(decode_unverified(compact, Claim).signer)
    claim = verify(compact, Claim, signer)
    if link.purpose != "participate":
        raise LinkError("an upload link is not claimed")
    if (claim.link, claim.case, claim.participant) != (link.link, link.case, link.participant):
        raise LinkError("a claim of another link")
    require_order(claim, link)
    return claim


def check_claim_mac(claim: Claim, claim_key: bytes) -> None:
    """LinkError unless the claim was made with the link: what a mediator checks before verifying one."""
    mac = claim_mac(
        claim_key,
        link=claim.link,
        case=claim.case,
        participant=claim.participant,
        recipient=claim.recipient,
        signer=claim.signer,
    )
    if not hmac.compare_digest(mac, b64u_decode(claim.mac)):
        raise LinkError("the MAC of the claim does not match")


def verify_participant(
    compacts: Iterable[str], charter: VerifiedCharter, at: dt.datetime
) -> VerifiedParticipant:
    """A participant's keys to seal for at that time, from the statements of their way in.

    ChainError unless a mediator verified the claim and the link has not ended.
    """
    origin = verify_origin(compacts, charter)
    if origin.claim is None or origin.claim_hash is None:
        raise ChainError("a link without a claim has no recipient")
    if origin.standing_at(at) is not Standing.VERIFIED:
        raise ChainError(f"the claim is {origin.standing_at(at).value}")
    return VerifiedParticipant(
        case=origin.claim.case,
        participant=origin.claim.participant,
        recipient=origin.claim.recipient,
        signer=origin.signer,
        claim_hash=origin.claim_hash,
        claimed_at=origin.claim.at,
    )


def verify_message(compact: str, charter: VerifiedCharter, origin: Origin) -> Message:
    """A message signed with the key of `origin`, in the name of the participant whose way in that is."""
    message = verify(compact, Message, origin.signer)
    if (message.case, message.sender) != (charter.case, origin.participant):
        raise ChainError("a message of another case or sender")
    charter.require_version(message.charter, message.at)
    return message


def verify_relayed_message(
    compact: str, charter: VerifiedCharter, *, sender: uuid.UUID
) -> tuple[Message, Authority]:
    """A letter that a mediator wrote down for `sender`, and which mediator did."""
    message, mediator = charter.verify_by_mediator(compact, Message)
    if (message.case, message.sender) != (charter.case, sender):
        raise ChainError("a message of another case or sender")
    charter.require_version(message.charter, message.at)
    if message.kind != "letter":
        raise ChainError("nobody records a video for somebody else")
    return message, mediator


def verify_rendition(
    compact: str, charter: VerifiedCharter, *, message: Message, message_hash: bytes
) -> Rendition:
    """What a media worker of the case made of exactly this revision of `message`."""
    rendition, _ = charter.verify_by_media(compact, Rendition)
    same = (rendition.case, rendition.message, rendition.revision) == (
        message.case,
        message.message,
        message.revision,
    )
    if not same or b64u_decode(rendition.source) != message_hash:
        raise ChainError("a rendition of something else")
    require_order(rendition, message)
    made_under = charter.require_version(rendition.charter, rendition.at)
    if made_under.version < charter.require_version(message.charter, message.at).version:
        raise ChainError("a rendition under an older charter than its message")
    return rendition


def verify_consent(compact: str, charter: VerifiedCharter, origin: Iterable[str] = ()) -> Consent:
    """What a participant said about taking part: signed by them, by a mediator, or by a service.

    `origin`: the statements of the way in whose key signed it, where a participant did. ChainError unless
    a mediator verified that claim.
    """
    compacts = tuple(origin)
    if compacts:
        way = verify_origin(compacts, charter)
        consent = verify(compact, Consent, way.signer)
        if way.claim is None or consent.participant != way.participant:
            raise ChainError("a consent of somebody else")
        if way.standing_at(consent.at) is not Standing.VERIFIED:
            raise ChainError("a consent by a key that nobody verified")
    else:
        consent = charter.verify_by_mediator_or_service(compact, Consent)
    if consent.case != charter.case:
        raise ChainError("a consent in another case")
    return consent


def _first_version(trust: Trust, registration: str, compact: str) -> VerifiedCharter:
    registered = verify_registration(trust, registration)
    claimed = decode_unverified(compact, Charter)
    mediators = _members(trust, claimed.mediators, "mediator")
    charter, signer = verify_by(compact, Charter, mediators)
    follows = (
        charter.version == 1
        and charter.case == registered.case
        and charter.registration == b64u_encode(statement_hash(registration))
        and signer.credential in registered.mediators
    )
    if not follows:
        raise ChainError("the first charter does not follow from the registration of the case")
    require_order(charter, registered)
    term = _term(trust, charter, compact, signer)
    return VerifiedCharter(case=charter.case, at=charter.at, terms=(term,), trust=trust)


def _next_version(before: VerifiedCharter, compact: str) -> VerifiedCharter:
    latest = before.terms[-1]
    charter, signer = verify_by(compact, Charter, (*latest.mediators, *latest.recovery))
    follows = (
        charter.version == before.version + 1
        and charter.case == before.case
        and charter.previous == b64u_encode(before.statement_hash)
        and charter.at >= before.at
        # Otherwise one of two mediators could do without the other's approval.
        and charter.policy.approvals >= before.policy.approvals
    )
    if not follows:
        raise ChainError("a charter does not follow from the one before")
    term = _term(before.trust, charter, compact, signer)
    could_read = {a.credential for a in (*latest.mediators, *latest.recovery)}
    can_read = {a.credential for a in (*term.mediators, *term.recovery)}
    is_former = term.recipient in before.recipients
    if (could_read - can_read and is_former) or (is_former and term.recipient != latest.recipient):
        raise ChainError("a charter without somebody keeps an identity that they have")
    ended = dataclasses.replace(latest, until=charter.at)
    return VerifiedCharter(
        case=charter.case,
        at=charter.at,
        terms=(*before.terms[:-1], ended, term),
        trust=before.trust,
    )


def _term(trust: Trust, charter: Charter, compact: str, signer: Authority) -> Term:
    mediators = _members(trust, charter.mediators, "mediator")
    if len({mediator.person for mediator in mediators}) != len(mediators):
        raise ChainError("a charter lists one person as two mediators")
    return Term(
        version=charter.version,
        statement_hash=statement_hash(compact),
        signed_by=signer,
        since=charter.at,
        until=None,
        recipient=charter.recipient,
        policy=charter.policy,
        mediators=mediators,
        media=_members(trust, charter.media, "media"),
        recovery=_members(trust, charter.recovery, "recovery"),
    )


def _verify_verification(
    compact: str, charter: VerifiedCharter, claim: Claim | None, claim_hash: bytes | None
) -> dt.datetime:
    verification, _ = charter.verify_by_mediator(compact, Verification)
    if claim is None or b64u_decode(verification.claim) != claim_hash:
        raise ChainError("the verification is of another claim")
    vouched = (verification.participant, verification.recipient)
    if vouched != (claim.participant, claim.recipient):
        raise ChainError("the verification says something else than the claim")
    require_order(verification, claim)
    return verification.at


def _members(trust: Trust, members: Sequence[Member], role: Role) -> tuple[Authority, ...]:
    """The holders of the listed credentials.

    Whether they are valid is asked when they sign or are sealed for, not here: otherwise a credential that
    is revoked with effect from last week would make all of a case unreadable.
    """
    found = []
    for member in members:
        authority = trust.authorities.get(member.credential)
        if authority is None or authority.role != role:
            raise ChainError("a charter lists somebody without that role")
        if b64u_encode(authority.statement_hash) != member.statement:
            raise ChainError("a charter lists another credential of the same id")
        found.append(authority)
    return tuple(found)
