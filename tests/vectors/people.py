"""The same people, keys and statements every time: the test vectors and the tests are made of them.

All keys come from names, so nothing here is secret and every run makes the same statements byte for byte.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
import uuid

import msgspec

from relay.crypto.age import HybridIdentity
from relay.crypto.chain import verify_charter
from relay.crypto.encoding import b64u_encode
from relay.crypto.fields import Part, PartRole
from relay.crypto.keyrings import Keyring
from relay.crypto.links import LinkSecret, auth_digest, claim_mac
from relay.crypto.signing import Signer, fingerprint, statement_hash
from relay.crypto.statements import (
    Captions,
    Charter,
    Claim,
    Consent,
    Credential,
    Decision,
    Disposal,
    GrantedPart,
    Link,
    LinkEnding,
    Member,
    Message,
    Offer,
    Policy,
    Registration,
    Rendition,
    Response,
    Revocation,
    Session,
    Statement,
    StatementT,
    Succession,
    Verification,
    Withdrawal,
    decode_unverified,
)
from relay.crypto.statements import sign as sign_anew
from relay.crypto.trust import Role
from relay.crypto.verified import VerifiedCharter, VerifiedParticipant

NOON = dt.datetime(2030, 1, 1, 12, tzinfo=dt.UTC)
YEAR = dt.timedelta(days=365)


def noon_and(steps: int, minutes: int = 0) -> dt.datetime:
    """So many steps of half an hour after noon, when everything began, and so many minutes."""
    return NOON + dt.timedelta(minutes=30 * steps + minutes)


def seed(name: str) -> bytes:
    """32 bytes that only look random."""
    return hashlib.sha256(f"relay test vectors: {name}".encode()).digest()


def with_nonce(statement: StatementT) -> StatementT:
    """The same statement with a nonce made of what it says: every run makes the same vectors."""
    without = msgspec.structs.replace(statement, nonce="A" * 22)
    digest = hashlib.sha256(msgspec.json.encode(without)).digest()
    return msgspec.structs.replace(without, nonce=b64u_encode(digest[:16]))


def sign(by: Signer, statement: Statement) -> str:
    """The compact JWS of the statement, the same in every run."""
    return sign_anew(by, with_nonce(statement))


def identifier(name: str) -> uuid.UUID:
    """A random-looking UUID of version 4."""
    return uuid.UUID(bytes=seed(f"id of {name}")[:16], version=4)


def keyring(name: str) -> Keyring:
    """Somebody's keys."""
    return Keyring(
        identity=HybridIdentity(seed(f"identity of {name}")),
        signer=Signer.from_seed(seed(f"signer of {name}")),
    )


def digest(name: str) -> str:
    """The hash of something that is not here."""
    return b64u_encode(seed(name))


def hash_of(compact: str) -> str:
    """How one statement names another."""
    return b64u_encode(statement_hash(compact))


def part(role: PartRole, name: str) -> Part:
    """A sealed part of 34 bytes."""
    media_type = {"body": "text/plain", "note": "text/plain", "captions": "text/vtt"}
    return Part(
        role=role,
        type=media_type.get(role, "image/jpeg" if role == "poster" else "video/mp4"),
        size=34,
        segments=[digest(f"body of {name}")],
        commit=digest(f"commitment of {name}"),
    )


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody with a credential."""

    name: str
    role: Role
    keyring: Keyring
    credential: Credential
    compact: str

    @property
    def member(self) -> Member:
        """As a charter lists them."""
        return Member(credential=self.credential.credential, statement=hash_of(self.compact))


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Participant:
    """Somebody who came in by a link."""

    id: uuid.UUID
    keyring: Keyring
    secret: LinkSecret
    link: Link
    link_compact: str
    claim: Claim
    claim_compact: str
    verification_compact: str

    @property
    def origin(self) -> tuple[str, ...]:
        """The statements of their way in."""
        return (self.link_compact, self.claim_compact, self.verification_compact)

    @property
    def verified(self) -> VerifiedParticipant:
        """What a reader knows of them in the end."""
        return VerifiedParticipant(
            case=self.claim.case,
            participant=self.id,
            recipient=self.claim.recipient,
            signer=self.keyring.signer.public_key,
            claim_hash=statement_hash(self.claim_compact),
            claimed_at=self.claim.at,
        )


ROOT = Signer.from_seed(seed("root"))
NEW_ROOT = Signer.from_seed(seed("the root after it"))
CASE = identifier("case")
CASE_IDENTITY = HybridIdentity(seed("identity of the case"))
NEW_CASE_IDENTITY = HybridIdentity(seed("identity of the case after somebody left"))


def person(
    name: str, role: Role, root: Signer = ROOT, *, of: str | None = None, begins: int = 0
) -> Person:
    """Keys and a credential until a year after noon, for the person called `of`, or of the same name.

    `begins`: steps after noon.
    """
    keys = keyring(name)
    credential = with_nonce(
        Credential(
            credential=identifier(name),
            person=identifier(f"{of or name} in person"),
            role=role,
            recipient=None if role == "service" else str(keys.identity.recipient),
            signer=b64u_encode(keys.signer.public_key),
            not_before=noon_and(begins),
            not_after=NOON + YEAR,
            at=noon_and(begins),
        )
    )
    return Person(
        name=name, role=role, keyring=keys, credential=credential, compact=sign(root, credential)
    )


ANNA = person("Anna", "mediator")
BORIS = person("Boris", "mediator")
WORKER = person("the media worker", "media")
SERVICE = person("the case system", "service")
RECOVERY = person("recovery", "recovery")
CREDENTIALS = tuple(p.compact for p in (ANNA, BORIS, WORKER, SERVICE, RECOVERY))
ANNA_RENEWED = person("Anna again", "mediator", of="Anna", begins=150)
"""The second credential of one person."""

REGISTRATION = with_nonce(Registration(case=CASE, mediators=[ANNA.credential.credential], at=NOON))
REGISTRATION_COMPACT = sign(SERVICE.keyring.signer, REGISTRATION)


def charter(version: int, previous: str | None, **changes: object) -> Charter:
    """Anna alone first, then Boris and the worker with her, and two approvals."""
    later = version > 1
    plain = with_nonce(
        Charter(
            case=CASE,
            version=version,
            registration=None if later else hash_of(REGISTRATION_COMPACT),
            previous=previous,
            recipient=str(CASE_IDENTITY.recipient),
            mediators=[ANNA.member, BORIS.member] if later else [ANNA.member],
            media=[WORKER.member] if later else [],
            recovery=[RECOVERY.member],
            policy=Policy(
                approvals=2 if later else 1,
                captions="required",
                server_processing=later,
                retention_days=365,
            ),
            at=noon_and(version),
        )
    )
    return msgspec.structs.replace(plain, **changes)


CHARTER_1 = sign(ANNA.keyring.signer, charter(1, None))
CHARTER_2 = sign(ANNA.keyring.signer, charter(2, hash_of(CHARTER_1)))
CHARTERS = (CHARTER_1, CHARTER_2)


CHARTER_3 = sign(
    RECOVERY.keyring.signer,
    charter(
        3,
        hash_of(CHARTER_2),
        recipient=str(NEW_CASE_IDENTITY.recipient),
        mediators=[ANNA_RENEWED.member, BORIS.member],
        at=noon_and(200),
    ),
)
"""Anna lost her keys: with the recovery key she is listed again under her second credential."""


def verified_charter(*later: str, credentials: tuple[str, ...] = CREDENTIALS) -> VerifiedCharter:
    """What every reader starts from; with the versions in `later` after the second."""
    return verify_charter(
        fingerprint(ROOT.public_key),
        ROOT.public_key,
        credentials,
        REGISTRATION_COMPACT,
        (*CHARTERS, *later),
    )


def participant(name: str, maker: Person) -> Participant:
    """A link made by `maker`, claimed by `name`, verified by Boris."""
    keys = keyring(name)
    secret = LinkSecret(seed(f"link secret of {name}")[:16])
    link_id, own_id = identifier(f"link of {name}"), identifier(name)
    link = with_nonce(
        Link(
            link=link_id,
            case=CASE,
            charter=hash_of(CHARTER_2),
            participant=own_id,
            purpose="participate",
            auth=b64u_encode(auth_digest(secret.auth(link_id))),
            signer=None,
            sealed=digest(f"sealed claim key of {name}"),
            expires=None,
            at=noon_and(10),
        )
    )
    recipient = str(keys.identity.recipient)
    signer = b64u_encode(keys.signer.public_key)
    mac = claim_mac(
        secret.claim_key(link_id),
        link=link_id,
        case=CASE,
        participant=own_id,
        recipient=recipient,
        signer=signer,
    )
    claim = with_nonce(
        Claim(
            link=link_id,
            case=CASE,
            participant=own_id,
            recipient=recipient,
            signer=signer,
            mac=b64u_encode(mac),
            at=noon_and(20),
        )
    )
    claim_compact = sign(keys.signer, claim)
    verification = with_nonce(
        Verification(
            case=CASE,
            claim=hash_of(claim_compact),
            participant=own_id,
            recipient=recipient,
            at=noon_and(30),
        )
    )
    return Participant(
        id=own_id,
        keyring=keys,
        secret=secret,
        link=link,
        link_compact=sign(maker.keyring.signer, link),
        claim=claim,
        claim_compact=claim_compact,
        verification_compact=sign(BORIS.keyring.signer, verification),
    )


CLAIRE = participant("Claire", ANNA)
DENIS = participant("Denis", SERVICE)

UPLOAD_SECRET = LinkSecret(seed("link secret of the upload")[:16])
UPLOAD_ID = identifier("upload link")
UPLOAD_LINK = with_nonce(
    Link(
        link=UPLOAD_ID,
        case=CASE,
        charter=hash_of(CHARTER_2),
        participant=DENIS.id,
        purpose="upload",
        auth=b64u_encode(auth_digest(UPLOAD_SECRET.auth(UPLOAD_ID))),
        signer=b64u_encode(UPLOAD_SECRET.signer(UPLOAD_ID).public_key),
        sealed=None,
        expires=NOON + dt.timedelta(days=7),
        at=noon_and(15),
    )
)

UPLOAD_LINK_COMPACT = sign(ANNA.keyring.signer, UPLOAD_LINK)


def ending(of: Link, by: Person = BORIS, /, **changes: object) -> str:
    """The end of a link, at step 100."""
    plain = with_nonce(
        LinkEnding(
            link=of.link,
            case=CASE,
            participant=of.participant,
            reason="replaced",
            at=noon_and(100),
        )
    )
    return sign(by.keyring.signer, msgspec.structs.replace(plain, **changes))


VIDEO = with_nonce(
    Message(
        case=CASE,
        charter=hash_of(CHARTER_2),
        message=identifier("video"),
        revision=1,
        supersedes=None,
        sender=CLAIRE.id,
        recipient=DENIS.id,
        kind="video",
        language="fr",
        parts=[part("original", "original"), part("body", "words with the video")],
        at=noon_and(40),
    )
)
VIDEO_COMPACT = sign(CLAIRE.keyring.signer, VIDEO)

RENDITION = with_nonce(
    Rendition(
        case=CASE,
        charter=hash_of(CHARTER_2),
        message=VIDEO.message,
        revision=1,
        source=hash_of(VIDEO_COMPACT),
        parts=[part("rendition", "rendition"), part("poster", "poster")],
        size=2,
        duration_ms=20_000,
        width=720,
        height=1280,
        profile="h264-720p",
        at=noon_and(50),
    )
)
RENDITION_COMPACT = sign(WORKER.keyring.signer, RENDITION)

CAPTIONS = with_nonce(
    Captions(
        case=CASE,
        message=VIDEO.message,
        revision=1,
        source=hash_of(VIDEO_COMPACT),
        rendition=hash_of(RENDITION_COMPACT),
        language="fr",
        part=part("captions", "captions"),
        exception=None,
        at=noon_and(55),
    )
)
CAPTIONS_COMPACT = sign(ANNA.keyring.signer, CAPTIONS)


def approval(by: Person, **changes: object) -> str:
    """An approval of the video."""
    decision = with_nonce(
        Decision(
            case=CASE,
            message=VIDEO.message,
            revision=1,
            source=hash_of(VIDEO_COMPACT),
            rendition=hash_of(RENDITION_COMPACT),
            captions=hash_of(CAPTIONS_COMPACT),
            decision="approve",
            reason=None,
            notes=[],
            at=noon_and(60),
        )
    )
    return sign(by.keyring.signer, msgspec.structs.replace(decision, **changes))


APPROVALS = (approval(ANNA), approval(BORIS))
GRANT_HEADER = b"the header written for Denis"
NOTE = part("note", "a word of the mediator")


CLAIRES_CONSENT = with_nonce(
    Consent(case=CASE, participant=CLAIRE.id, status="active", at=noon_and(32))
)
CLAIRES_CONSENT_COMPACT = sign(CLAIRE.keyring.signer, CLAIRES_CONSENT)
DENIS_CONSENT = with_nonce(
    Consent(case=CASE, participant=DENIS.id, status="active", at=noon_and(33))
)
DENIS_CONSENT_COMPACT = sign(BORIS.keyring.signer, DENIS_CONSENT)
"""Boris recorded what Denis said."""


def offer(**changes: object) -> Offer:
    """An offer of the video to Denis."""
    plain = with_nonce(
        Offer(
            case=CASE,
            charter=hash_of(CHARTER_2),
            message=VIDEO.message,
            revision=1,
            source=hash_of(VIDEO_COMPACT),
            rendition=hash_of(RENDITION_COMPACT),
            captions=hash_of(CAPTIONS_COMPACT),
            recipient=DENIS.claim.recipient,
            claim=hash_of(DENIS.claim_compact),
            consents=[hash_of(CLAIRES_CONSENT_COMPACT), hash_of(DENIS_CONSENT_COMPACT)],
            grants=[
                GrantedPart(
                    commit=granted.commit, header=b64u_encode(hashlib.sha256(GRANT_HEADER).digest())
                )
                for granted in (*RENDITION.parts, part("captions", "captions"), NOTE)
            ],
            notes=[NOTE],
            not_before=None,
            at=noon_and(70),
        )
    )
    return msgspec.structs.replace(plain, **changes)


OFFER_COMPACT = sign(BORIS.keyring.signer, offer())


SESSION = with_nonce(
    Session(challenge=digest("challenge"), audience="https://relay.example.org", at=noon_and(1, 5))
)
DISPOSAL = with_nonce(
    Disposal(
        case=CASE,
        charter=hash_of(CHARTER_1),
        closed=noon_and(100),
        rows=17,
        head=digest("the last row of the log"),
        messages=2,
        parts=5,
        size=9_000_000_000,
        at=noon_and(200),
    )
)
RESPONSE = with_nonce(
    Response(
        case=CASE,
        message=VIDEO.message,
        offer=hash_of(OFFER_COMPACT),
        answer="wait",
        tell_author=False,
        at=noon_and(80),
    )
)

EVERY: tuple[Statement, ...] = tuple(
    with_nonce(statement)
    for statement in (
        ANNA.credential,
        SERVICE.credential,
        RECOVERY.credential,
        Revocation(credential=ANNA.credential.credential, at=noon_and(1)),
        Succession(
            old=b64u_encode(ROOT.public_key), new=b64u_encode(NEW_ROOT.public_key), at=noon_and(500)
        ),
        REGISTRATION,
        charter(1, None),
        charter(2, hash_of(CHARTER_1)),
        CLAIRE.link,
        UPLOAD_LINK,
        decode_unverified(ending(CLAIRE.link), LinkEnding),
        CLAIRE.claim,
        decode_unverified(CLAIRE.verification_compact, Verification),
        SESSION,
        VIDEO,
        RENDITION,
        CAPTIONS,
        msgspec.structs.replace(CAPTIONS, part=None, exception="no-speech"),
        decode_unverified(APPROVALS[0], Decision),
        offer(),
        RESPONSE,
        Withdrawal(case=CASE, message=VIDEO.message, participant=CLAIRE.id, at=noon_and(90)),
        CLAIRES_CONSENT,
        Consent(case=CASE, participant=CLAIRE.id, status="paused", at=noon_and(90)),
        DISPOSAL,
        msgspec.structs.replace(DISPOSAL, charter=None),
    )
)
"""At least one statement of every type."""


def resigned(by: Signer, statement: Statement, **changes: object) -> str:
    """The same statement with changes, signed well."""
    return sign(by, msgspec.structs.replace(statement, **changes))
