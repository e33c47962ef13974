"""Cases with their people, links and what happened, as the case system keeps them."""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Final

import asyncpg
import msgspec

from example_host.database import Pool
from example_host.staff import Member
from relay.client.api import CaseView
from relay.client.case_system import FoundCase

ROLES: Final = ("harmed", "responsible")


class ReferenceTaken(Exception):
    """Another case has this reference."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody in a case; `person` is the participant, as relay knows them."""

    person: uuid.UUID
    role: str
    """`harmed` or `responsible`."""
    name: str
    email: str
    """Empty where nobody may write."""
    language: str


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A case, and what relay said of it last."""

    case_id: uuid.UUID
    reference: str
    people: tuple[Person, ...]
    mediators: tuple[Member, ...]
    known: FoundCase | None
    """None until it is registered."""
    seen_at: datetime | None
    refused: str
    """Why relay would not register it; empty where it did, or was not asked yet."""

    @property
    def title(self) -> str:
        """What staff call it."""
        return " · ".join(person.name for person in self.people)

    def person(self, person: uuid.UUID) -> Person | None:
        """One of its people."""
        return next((one for one in self.people if one.person == person), None)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A link of somebody; `address` is there until it was given."""

    link: uuid.UUID
    person: uuid.UUID
    way: str
    address: str | None
    made_at: datetime
    given_at: datetime | None
    claimed_at: datetime | None
    tried_again_at: datetime | None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Happened:
    """An event of a case, for its page."""

    number: int
    type: str
    at: datetime
    person: uuid.UUID | None


_CASES: Final = """
select case_id, reference, view::text as view, etag, seen_at, refused from case_file
where ($1::uuid is null or case_id = $1)
  and ($2::uuid is null or case_id in (select case_id from assignment where staff = $2))
order by reference
"""
_PEOPLE: Final = """
select case_id, person, role, name, email, language from person where case_id = any($1)
order by role
"""
_MEDIATORS: Final = """
select case_id, staff, name, role, credential, language from assignment join staff using (staff)
where case_id = any($1) order by name, staff
"""


async def cases_of(
    pool: Pool, member: Member | None, case_id: uuid.UUID | None = None
) -> list[Case]:
    """The cases that somebody may see, by reference: a clerk all, a mediator their own, the program all."""
    own = None if member is None or member.is_clerk else member.staff
    rows = await pool.fetch(_CASES, case_id, own)
    found = [row["case_id"] for row in rows]
    people = await pool.fetch(_PEOPLE, found)
    mediators = await pool.fetch(_MEDIATORS, found)
    return [_case(row, people, mediators) for row in rows]


async def case_of(pool: Pool, member: Member | None, case_id: uuid.UUID) -> Case | None:
    """One case, if it is theirs to see."""
    found = await cases_of(pool, member, case_id)
    return found[0] if found else None


def _case(
    row: asyncpg.Record, people: Sequence[asyncpg.Record], mediators: Sequence[asyncpg.Record]
) -> Case:
    view = row["view"]
    known = None
    if view is not None:
        known = FoundCase(msgspec.json.decode(view, type=CaseView), row["etag"])
    return Case(
        case_id=row["case_id"],
        reference=row["reference"],
        people=tuple(
            Person(
                person=one["person"],
                role=one["role"],
                name=one["name"],
                email=one["email"],
                language=one["language"],
            )
            for one in people
            if one["case_id"] == row["case_id"]
        ),
        mediators=tuple(
            Member(
                staff=one["staff"],
                name=one["name"],
                role=one["role"],
                credential=one["credential"],
                language=one["language"],
            )
            for one in mediators
            if one["case_id"] == row["case_id"]
        ),
        known=known,
        seen_at=row["seen_at"],
        refused=row["refused"],
    )


async def add(
    pool: Pool,
    case_id: uuid.UUID,
    reference: str,
    people: Sequence[Person],
    mediators: Sequence[uuid.UUID],
) -> None:
    """Keep a new case, which is to be registered; ReferenceTaken."""
    async with pool.acquire() as connection, connection.transaction():
        try:
            await connection.execute(
                "insert into case_file (case_id, reference) values ($1, $2)", case_id, reference
            )
        except asyncpg.UniqueViolationError:
            raise ReferenceTaken from None
        await connection.executemany(
            "insert into person (person, case_id, role, name, email, language)"
            " values ($1, $2, $3, $4, $5, $6)",
            [(one.person, case_id, one.role, one.name, one.email, one.language) for one in people],
        )
        await connection.executemany(
            "insert into assignment (case_id, staff) values ($1, $2)",
            [(case_id, staff) for staff in mediators],
        )


async def assign(pool: Pool, case_id: uuid.UUID, mediators: Sequence[uuid.UUID]) -> None:
    """Say whose case it is."""
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("delete from assignment where case_id = $1", case_id)
        await connection.executemany(
            "insert into assignment (case_id, staff) values ($1, $2)",
            [(case_id, staff) for staff in mediators],
        )


async def keep(pool: Pool, case_id: uuid.UUID, found: FoundCase) -> None:
    """Keep a case as relay has it."""
    await pool.execute(
        "update case_file set view = $2, etag = $3, seen_at = now(), stale = false, refused = ''"
        " where case_id = $1",
        *(case_id, msgspec.json.encode(found.view).decode(), found.etag),
    )


async def keep_refusal(pool: Pool, case_id: uuid.UUID, code: str) -> None:
    """Keep why relay would not have it; it is not tried again by itself."""
    await pool.execute(
        "update case_file set refused = $2, stale = false where case_id = $1", case_id, code
    )


async def to_be_seen(pool: Pool) -> list[uuid.UUID]:
    """The cases to register, or to read again since something happened in them."""
    rows = await pool.fetch("select case_id from case_file where stale order by made_at limit 50")
    return [row["case_id"] for row in rows]


async def links_of(pool: Pool, case_id: uuid.UUID) -> list[Link]:
    """The links of the people of a case, the newest first."""
    rows = await pool.fetch(
        "select link.* from link join person using (person) where case_id = $1"
        " order by made_at desc",
        case_id,
    )
    return [
        Link(
            link=row["link"],
            person=row["person"],
            way=row["way"],
            address=row["address"],
            made_at=row["made_at"],
            given_at=row["given_at"],
            claimed_at=row["claimed_at"],
            tried_again_at=row["tried_again_at"],
        )
        for row in rows
    ]


async def keep_link(pool: Pool, link: uuid.UUID, person: uuid.UUID, way: str, address: str) -> None:
    """Keep a link until it was given."""
    await pool.execute(
        "insert into link (link, person, way, address) values ($1, $2, $3, $4)",
        *(link, person, way, address),
    )


async def link_given(pool: Pool, case_id: uuid.UUID, link: uuid.UUID) -> None:
    """The person has the letter: the address is forgotten here."""
    await pool.execute(
        "update link set address = null, given_at = now() from person"
        " where link = $2 and link.person = person.person and case_id = $1 and address is not null",
        *(case_id, link),
    )


async def happened(pool: Pool, case_id: uuid.UUID) -> list[Happened]:
    """What relay told of a case, the newest first, whenever it arrived."""
    rows = await pool.fetch(
        "select number, type, at, person from event where case_id = $1"
        " order by at desc, number desc limit 100",
        case_id,
    )
    return [
        Happened(number=row["number"], type=row["type"], at=row["at"], person=row["person"])
        for row in rows
    ]
