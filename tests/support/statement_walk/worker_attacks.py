"""What a hostile owner of the database does to the statements that a media worker reads, one at a time."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeAlias

import msgspec

from relay.crypto import statements
from relay.crypto.encoding import b64u_encode
from relay.crypto.signing import Signer, statement_hash
from relay.crypto.statements import (
    Charter,
    Claim,
    Credential,
    Link,
    LinkEnding,
    Message,
    Registration,
    Revocation,
    Statement,
    Succession,
    Verification,
)
from relay.storage.database import Connection
from tests.support.statement_walk.attacks import SIGNERS
from tests.support.statement_walk.cases import OTHER_STATEMENT, TO_ANOTHER_KEY, WalkCases
from tests.support.tampering.owner import Owner

LONG: Final = timedelta(minutes=30)
"""More than the clocks of two people may be apart."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A statement that is in the database, and who signed it."""

    compact: str
    by: Signer
    other: str
    """A good one of that type from another place."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Tampering:
    """A database whose owner changes what they like."""

    cases: WalkCases
    owner: Owner
    texts: Mapping[type[Statement], Text]
    message: uuid.UUID
    """A video of the person harmed that waits for the worker."""
    other_video: uuid.UUID
    """A video in the other case, for the same worker."""

    @property
    def connection(self) -> Connection:
        """Sees what was changed."""
        return self.owner.connection

    def now(self) -> datetime:
        """Whole seconds, as statements have them."""
        return datetime.now(UTC).replace(microsecond=0)

    def said(self, kind: type[Statement]) -> Any:
        """What a statement says before it is changed."""
        return statements.decode_unverified(self.texts[kind].compact, kind)

    async def put(self, kind: type[Statement], compact: str) -> None:
        """Another text in the place of a statement, whose row keeps naming the key that it named."""
        before = statement_hash(self.texts[kind].compact)
        if kind is not Message:
            await self.owner.run(
                "update statements set compact = $2 where statement_hash = $1", before, compact
            )
            return
        after = statement_hash(compact)
        await self.owner.run("delete from statements where statement_hash = $1", after)
        await self.owner.run(
            "update statements set compact = $2, statement_hash = $3 where statement_hash = $1",
            before,
            compact,
            after,
        )
        for table in ("messages", "parts"):
            await self.owner.run(
                f"update {table} set statement_hash = $2 "  # noqa: S608 - our own names
                "where statement_hash = $1 and message_id = $3",
                before,
                after,
                self.message,
            )

    async def change(
        self, kind: type[Statement], by: Signer | None = None, **members: object
    ) -> None:
        """Other members, or another signer."""
        changed = msgspec.structs.replace(self.said(kind), **members)
        await self.put(kind, statements.sign(by or self.texts[kind].by, changed))

    async def restore(self, compact: str) -> None:
        """Put back what stood there before."""
        query = "update statements set compact = $2 where statement_hash = $1"
        await self.owner.run(query, statement_hash(compact), compact)

    async def unverify(self) -> None:
        """Hold the verification of the claim back."""
        await self.owner.run("update claims set verification_hash = null")

    async def end_link(self, by: Signer, **members: object) -> None:
        """An end of the sender's link that was not there; by default after the message."""
        link = self.said(Link)
        ending = LinkEnding(
            link=link.link,
            case=link.case,
            participant=link.participant,
            reason="replaced",
            at=self.now() + LONG,
        )
        compact = statements.sign(by, msgspec.structs.replace(ending, **members))
        digest = await self.owner.put_statement(compact)
        await self.owner.run("insert into link_endings values ($1, $2)", digest, link.link)

    async def revoke(
        self, whose: uuid.UUID, by: Signer, at: datetime, *, named: uuid.UUID | None = None
    ) -> None:
        """A revocation beside a credential; `named`: the one that it is of, if not that one."""
        revocation = Revocation(credential=named or whose, at=at)
        digest = await self.owner.put_statement(statements.sign(by, revocation))
        await self.owner.run(
            "update credentials set revocation_hash = $2 where credential_id = $1", whose, digest
        )

    async def succeed(self, by: Signer, at: datetime) -> None:
        """A successor of the root, which is its signer, or somebody else where the root signs."""
        new = Signer.generate() if by is self.cases.root else by
        succession = Succession(
            old=b64u_encode(self.cases.root.public_key), new=b64u_encode(new.public_key), at=at
        )
        digest = await self.owner.put_statement(statements.sign(by, succession))
        await self.owner.run(
            "insert into successions values ($1, $2, $3)",
            digest,
            self.cases.root.public_key,
            new.public_key,
        )


Attack: TypeAlias = Callable[[Tampering], Awaitable[object]]


@contextlib.asynccontextmanager
async def tampering(
    cases: WalkCases,
    database_url: str,
    message: uuid.UUID,
    other_video: uuid.UUID,
    *,
    keeps: bool = False,
) -> AsyncIterator[Tampering]:
    """The database before anything was changed; what is changed stays only if its owner `keeps` it."""
    async with Owner.of(database_url, keeps=keeps) as owner:
        texts = await _texts(cases, owner, message, other_video)
        yield Tampering(
            cases=cases, owner=owner, texts=texts, message=message, other_video=other_video
        )


async def _texts(
    cases: WalkCases, owner: Owner, message: uuid.UUID, other_video: uuid.UUID
) -> Mapping[type[Statement], Text]:
    async def found(named: str, *arguments: object) -> str:
        return str(
            await owner.value(
                f"select compact from statements where statement_hash = ({named})",  # noqa: S608
                *arguments,
            )
        )

    participant, anna = (
        cases.persons["the participant"].signer,
        cases.persons["the mediator"].signer,
    )
    credentials = "select statement_hash from credentials where credential_id = $1"
    registrations = "select registration_hash from cases where case_id = $1"
    charters = (
        "select statement_hash from charters where case_id = $1 order by version desc limit 1"
    )
    links = (
        "select links.statement_hash from links inner join claims using (link_id) "
        "where claims.signer = $1"
    )
    claims = "select statement_hash from claims where signer = $1"
    verifications = "select verification_hash from claims where signer = $1"
    messages = "select statement_hash from messages where message_id = $1"
    own, other = participant.public_key, cases.persons["the other participant"].signer.public_key
    case, other_case = cases.case.case_id, cases.other.case_id
    places: Mapping[type[Statement], tuple[str, Signer, object, object]] = {
        Credential: (
            credentials,
            cases.root,
            cases.mediator.credential_id,
            cases.case.colleague.credential_id,
        ),
        Registration: (registrations, cases.persons["a service"].signer, case, other_case),
        Charter: (charters, anna, case, other_case),
        Link: (links, anna, own, other),
        Claim: (claims, participant, own, other),
        Verification: (verifications, anna, own, other),
        Message: (messages, participant, message, other_video),
    }
    return {
        kind: Text(compact=await found(query, here), by=by, other=await found(query, elsewhere))
        for kind, (query, by, here, elsewhere) in places.items()
    }


# The attacks.


def _changed(kind: type[Statement], **members: Any) -> Attack:
    return lambda database: database.change(kind, **members)


def _moved(kind: type[Statement], by: timedelta) -> Attack:
    return lambda database: database.change(kind, at=database.said(kind).at + by)


def _replayed(kind: type[Statement]) -> Attack:
    return lambda database: database.put(kind, database.texts[kind].other)


def _other_case(kind: type[Statement]) -> Attack:
    return lambda database: database.change(kind, case=database.cases.other.case_id)


def _other_participant(kind: type[Statement]) -> Attack:
    def attack(database: Tampering) -> Awaitable[None]:
        other = database.cases.case.responsible.participant_id
        if kind is Message:
            own = database.cases.harmed.participant_id
            return database.change(kind, sender=other, recipient=own)
        return database.change(kind, participant=other)

    return attack


def _older_charter(kind: type[Statement], later: timedelta = timedelta(0)) -> Attack:
    return lambda database: database.change(
        kind, charter=database.cases.older_charter, at=database.said(kind).at + later
    )


def _by(database: Tampering, who: str) -> tuple[Signer, Mapping[str, Any]]:
    """Somebody's key, and the time that they write where it is not that of the statement."""
    name, _, when = who.partition(", ")
    revoked = database.cases.revoked_at
    # The second of a revocation still counts; one before it might be older than what is named.
    times = {"dated before": revoked, "dated after": revoked + LONG}
    return database.cases.persons[name].signer, {"at": times[when]} if when else {}


def _signed(kind: type[Statement], who: str) -> Attack:
    def attack(database: Tampering) -> Awaitable[None]:
        by, time = _by(database, who)
        return database.change(kind, by, **time)

    return attack


def _ended_by(who: str) -> Attack:
    def attack(database: Tampering) -> Awaitable[None]:
        by, time = _by(database, who)
        return database.end_link(by, **time)

    return attack


def _revoked_by(who: str) -> Attack:
    return lambda database: database.revoke(
        database.cases.mediator.credential_id, _by(database, who)[0], database.now() - LONG
    )


def _succeeded_by(who: str) -> Attack:
    return lambda database: database.succeed(_by(database, who)[0], database.now() - LONG)


async def _brought_by(database: Tampering, *, who: str) -> None:
    """The message by another key of its sender's, whose way in is shown with it."""
    by = database.cases.persons[who].signer
    await database.change(Message, by)
    digest = await database.owner.value(
        "select statement_hash from messages where message_id = $1", database.message
    )
    await database.owner.run(
        "update statements set kid = $2 where statement_hash = $1", digest, by.kid
    )


async def _claim_and_message(database: Tampering) -> None:
    """A claim of keys that the relay made, and a message by them."""
    by = database.cases.persons["a stranger"].signer
    await database.unverify()
    await database.change(Claim, by, signer=b64u_encode(by.public_key), recipient=TO_ANOTHER_KEY)
    await database.change(Message, by)


async def _without_verification(attack: Attack, database: Tampering) -> None:
    """Of a claim the hash is named by its verification, which is held back."""
    await database.unverify()
    await attack(database)


async def _older_version(database: Tampering) -> None:
    case = database.cases.case.case_id
    await database.owner.run("delete from charters where case_id = $1 and version = 2", case)
    await database.owner.run("update cases set charter_version = 1 where case_id = $1", case)


async def _other_grant(database: Tampering) -> None:
    await database.owner.run(
        "update grants set header = (select other.header from grants as other "
        "inner join parts on parts.commitment = other.commitment and parts.role = 'original' "
        "where parts.message_id = $2 and other.audience = 'media') from parts "
        "where parts.commitment = grants.commitment and parts.role = 'original' "
        "and parts.message_id = $1 and grants.audience = 'media'",
        database.message,
        database.other_video,
    )


def _ending(by: str = "the mediator", **members: object) -> Attack:
    return lambda database: database.end_link(database.cases.persons[by].signer, **members)


def _root_revokes(whose: str, since: timedelta, *, other: bool = False) -> Attack:
    def attack(database: Tampering) -> Awaitable[None]:
        cases = database.cases
        credential = (
            cases.worker.credential_id if whose == "worker" else cases.mediator.credential_id
        )
        named = cases.case.colleague.credential_id if other else None
        return database.revoke(credential, cases.root, database.now() + since, named=named)

    return attack


_CLAIMED: Final = functools.partial(functools.partial, _without_verification)

ATTACKS: Final[Mapping[type[Statement], Mapping[str, Attack]]] = {
    Credential: {
        "of another role": _changed(Credential, role="media"),
        "of another key": _changed(Credential, recipient=TO_ANOTHER_KEY),
        "dated back": _moved(Credential, -LONG),
        "replayed in another place": _replayed(Credential),
        **{f"signed by {who}": _signed(Credential, who) for who in SIGNERS if who != "the root"},
    },
    Revocation: {
        "of the mediator, from before the charter": _root_revokes("mediator", -LONG),
        "of the mediator, from later on": _root_revokes("mediator", LONG),
        "of the worker, from before": _root_revokes("worker", -LONG),
        "of the worker, from later on": _root_revokes("worker", LONG),
        "replayed in another place": _root_revokes("mediator", -LONG, other=True),
        **{f"signed by {who}": _revoked_by(who) for who in SIGNERS},
    },
    Succession: {
        "from later on": lambda database: database.succeed(
            database.cases.root, database.now() + LONG
        ),
        **{f"signed by {who}": _succeeded_by(who) for who in SIGNERS},
    },
    Registration: {
        "of another case": _other_case(Registration),
        "dated back": _moved(Registration, -LONG),
        "replayed in another place": _replayed(Registration),
        **{f"signed by {who}": _signed(Registration, who) for who in SIGNERS if who != "a service"},
    },
    Charter: {
        "of another case": _other_case(Charter),
        "of another version before it": _changed(Charter, previous=OTHER_STATEMENT),
        "held back": _older_version,
        "dated back": _moved(Charter, -LONG),
        "replayed in another place": _replayed(Charter),
        **{f"signed by {who}": _signed(Charter, who) for who in SIGNERS},
    },
    Link: {
        "of another case": _other_case(Link),
        "of another participant": _other_participant(Link),
        "under an older charter": _older_charter(Link),
        "under an older charter, later": _older_charter(Link, LONG),
        "dated back": _moved(Link, -LONG),
        "dated ahead": _moved(Link, LONG),
        "replayed in another place": _replayed(Link),
        **{f"signed by {who}": _signed(Link, who) for who in SIGNERS},
    },
    LinkEnding: {
        "replaced, after the message": _ending(),
        "replaced, before the message": lambda database: database.end_link(
            database.cases.persons["the mediator"].signer,
            at=database.said(Message).at - timedelta(seconds=1),
        ),
        "misused": _ending(reason="misused"),
        "of another case": lambda database: database.end_link(
            database.cases.persons["the mediator"].signer, case=database.cases.other.case_id
        ),
        "of another participant": lambda database: database.end_link(
            database.cases.persons["the mediator"].signer,
            participant=database.cases.case.responsible.participant_id,
        ),
        "of another link": _ending(link=uuid.uuid5(uuid.NAMESPACE_URL, "another link")),
        "dated back": lambda database: database.end_link(
            database.cases.persons["the mediator"].signer, at=database.said(Link).at - LONG
        ),
        **{f"signed by {who}": _ended_by(who) for who in SIGNERS},
    },
    Claim: {
        "of another case": _CLAIMED(_other_case(Claim)),
        "of another participant": _CLAIMED(_other_participant(Claim)),
        "of another link": _CLAIMED(
            _changed(Claim, link=uuid.uuid5(uuid.NAMESPACE_URL, "another link"))
        ),
        "of another key than was verified": _changed(Claim, recipient=TO_ANOTHER_KEY),
        "of other keys, with a message": _claim_and_message,
        "dated back": _CLAIMED(_moved(Claim, -LONG)),
        "dated ahead": _CLAIMED(_moved(Claim, LONG)),
        "replayed in another place": _CLAIMED(_replayed(Claim)),
        **{
            f"signed by {who}": _CLAIMED(_signed(Claim, who))
            for who in SIGNERS
            if who != "the participant"
        },
    },
    Verification: {
        "of another case": _other_case(Verification),
        "of another participant": _other_participant(Verification),
        "of another claim": _changed(Verification, claim=OTHER_STATEMENT),
        "of another key": _changed(Verification, recipient=TO_ANOTHER_KEY),
        "held back": lambda database: database.unverify(),
        "dated back": _moved(Verification, -LONG),
        "dated ahead": _moved(Verification, LONG),
        "replayed in another place": _replayed(Verification),
        **{f"signed by {who}": _signed(Verification, who) for who in SIGNERS},
    },
    Message: {
        "of another case": _other_case(Message),
        "of another message": lambda database: database.change(
            Message, message=database.cases.letter
        ),
        "of another participant": _other_participant(Message),
        "of another revision": _changed(Message, revision=2, supersedes=OTHER_STATEMENT),
        "under an older charter": _older_charter(Message),
        "under an older charter, later": _older_charter(Message, LONG),
        "dated back": _moved(Message, -LONG),
        "dated ahead": _moved(Message, LONG),
        "replayed in another place": _replayed(Message),
        "with the grant of another video": _other_grant,
        "with the way in of an unverified claim": functools.partial(
            _brought_by, who="an unverified claim"
        ),
        "with the way in of an upload link": functools.partial(_brought_by, who="an upload link"),
        "with the way in of an ended link": functools.partial(_brought_by, who="an ended link"),
        "with the way in of the other participant": functools.partial(
            _brought_by, who="the other participant"
        ),
        **{
            f"signed by {who}": _signed(Message, who) for who in SIGNERS if who != "the participant"
        },
    },
}
"""By the type of the statement that is changed, or added."""
