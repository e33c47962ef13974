"""Staff and cases from a file: what a programme begins with, or brings from where its cases were before."""

from __future__ import annotations

import uuid
from typing import Literal

import msgspec

from example_host import cases
from example_host.cases import Person, ReferenceTaken
from example_host.database import Pool
from example_host.staff import hashed


class StaffEntry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Somebody who works here. `password` is what they log in with first."""

    login: str
    name: str
    role: Literal["clerk", "mediator"]
    password: str
    email: str
    language: Literal["en", "fr"]
    credential: uuid.UUID | None = None


class PersonEntry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Somebody in a case; `person` is what relay will know them by."""

    person: uuid.UUID
    role: Literal["harmed", "responsible"]
    name: str
    language: Literal["en", "fr"]
    email: str = ""


class CaseEntry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A case; `mediators` are logins."""

    case: uuid.UUID
    reference: str
    people: list[PersonEntry]
    mediators: list[str]


class Entries(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The file."""

    staff: list[StaffEntry] = []
    cases: list[CaseEntry] = []


async def load(pool: Pool, entries: Entries) -> None:
    """Add whoever and whatever is not there; what is there stays, but for what staff are and log in with."""
    for one in entries.staff:
        await pool.execute(
            "insert into staff (staff, login, name, role, password, email, language, credential)"
            " values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict (login) do update set"
            " name = excluded.name, password = excluded.password, email = excluded.email,"
            " credential = excluded.credential",
            *(uuid.uuid4(), one.login, one.name, one.role, hashed(one.password)),
            *(one.email, one.language, one.credential),
        )
    for case in entries.cases:
        found = await pool.fetch("select staff from staff where login = any($1)", case.mediators)
        people = [
            Person(
                person=one.person,
                role=one.role,
                name=one.name,
                email=one.email,
                language=one.language,
            )
            for one in case.people
        ]
        try:
            mediators = [row["staff"] for row in found]
            await cases.add(pool, case.case, case.reference, people, mediators)
        except ReferenceTaken:
            continue
