"""Random changes of single rows, by somebody who owns the database; and what an audit does not vouch for."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Mapping, Sequence
from typing import Any, Final

import asyncpg

from tests.support.tampering.owner import Owner

NOBODY_SIGNS: Final = "the case system says so, and nobody signs it"
WHEN: Final = "the log has a time of its own, and the statement the one that counts"
IN_PASSING: Final = "changes while people work, and means nothing afterwards"
ITS_OWNER: Final = "is sealed or kept for somebody who notices by themselves"

UNVOUCHED: Final[Mapping[str, Mapping[str, str]]] = {
    "events": {"event_id": "counts the rows of all cases, in the order in which they came"},
    "statements": {"received_at": WHEN},
    "credentials": {"keyring": ITS_OWNER},
    "cases": {
        "reference": NOBODY_SIGNS,
        "created_at": WHEN,
        "closed_at": "whether it is closed is vouched for, and the log says when",
        "state": "Postgres computes it",
        "disposal_due_at": "Postgres computes it",
        "disposed_at": "whether it was disposed of is vouched for, and the log says when",
        "certificate_stored_at": IN_PASSING,
    },
    "participants": {"role": NOBODY_SIGNS, "number": NOBODY_SIGNS},
    "charters": {"key_file": "is sealed; whoever opens it holds it to the charter"},
    "case_mediators": {},
    "links": {
        "again": ITS_OWNER,
        "created_at": WHEN,
        "ended_at": "whether it has ended is vouched for, and the statement says when",
    },
    "link_endings": {},
    "claims": {
        "keyring": ITS_OWNER,
        "proof_hash": ITS_OWNER,
        "wrong_proofs": IN_PASSING,
        "closed_until": IN_PASSING,
        "claimed_at": WHEN,
    },
    "messages": {
        "failure": IN_PASSING,
        "lease_expires_at": IN_PASSING,
        "waiting_since": WHEN,
        "author_view_since": WHEN,
        "state_since": WHEN,
        "created_at": WHEN,
        "writer_kid": "says who may see a draft; who signed it is vouched for",
    },
    "revisions": {"created_at": WHEN},
    "parts": {"object_prefix": "where a body lies; whoever reads it holds it to what was signed"},
    "grants": {"granted_at": WHEN},
    "decisions": {"decided_at": WHEN},
    "captions": {},
    "offers": {"offered_at": WHEN},
    "responses": {"answered_at": WHEN},
}
"""The tables that an audit vouches for, and their columns that it does not, with why."""

NOT_AUDITED: Final[Mapping[str, str]] = {
    "pairs": NOBODY_SIGNS,
    "holds": "how many there are is vouched for, as the log says when one was placed and lifted",
    "successions": "tests/http/test_life_of_keys.py changes them: there is one in years",
    "receipts": ITS_OWNER,
    "unsent_texts": ITS_OWNER,
    **dict.fromkeys(("challenges", "sessions"), IN_PASSING),
    **dict.fromkeys(("uploads", "upload_segments", "upload_pieces", "jobs", "orphans"), IN_PASSING),
    **dict.fromkeys(("queue_entries", "queue_counts"), "follow from the rest by triggers"),
    **dict.fromkeys(("outbox", "notifications", "due_notifications"), IN_PASSING),
    **dict.fromkeys(("receivers", "receiver_lines", "dead_letters"), IN_PASSING),
    **dict.fromkeys(("migrations", "message_transitions"), "of the schema"),
}
"""Tables of which it says nothing, and why."""

_ONLY: Final[Mapping[tuple[str, str | None], str]] = {
    ("grants", None): "audience in ('case', 'recipient')",
    ("grants", "header"): "audience = 'recipient'",
    # A draft names no link: which one it was begun through is known once it is sent.
    ("links", "message_id"): "kid in (select kid from statements)",
}
"""Rows of which alone it vouches for a column, or (None) that they are there: nobody signs other grants."""

_OTHERWISE: Final[Mapping[str, str]] = {
    "uuid": "gen_random_uuid()",
    "bytea": "sha256(gen_random_uuid()::text::bytea)",
    "text": "coalesce({column}, '') || 'x'",
    "timestamp with time zone": "coalesce({column}, now()) + interval '1 second'",
    "boolean": "not {column}",
    "bigint": "{column} + 1",
    "integer": "{column} + 1",
    "smallint": "3 - {column}",
    "uuid[]": "array_append({column}, gen_random_uuid())",
    "bytea[]": "array_append({column}, sha256('x'))",
}
"""Another value of each type; of an enum one of its other labels."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column that an audit vouches for."""

    table: str
    name: str
    type: str
    labels: Sequence[str]
    """Of an enum."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What was done."""

    way: str
    table: str
    column: str | None
    rows: Sequence[str]

    def __str__(self) -> str:
        """For whoever looks why it was not found."""
        return f"{self.way} {self.table}.{self.column or '*'}: {', '.join(self.rows)}"


async def list_columns(owner: Owner) -> list[Column]:
    """The columns of the tables above that an audit vouches for."""
    rows = await owner.connection.fetch(
        "select c.relname as table, a.attname as name, format_type(a.atttypid, null) as type, "
        "array(select enumlabel::text from pg_enum where enumtypid = a.atttypid) as labels "
        "from pg_attribute as a inner join pg_class as c on a.attrelid = c.oid "
        "where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' "
        "and a.attnum > 0 and not a.attisdropped and c.relname = any($1) "
        "order by c.relname, a.attnum",
        list(UNVOUCHED),
    )
    return [Column(**row) for row in rows if row["name"] not in UNVOUCHED[row["table"]]]


async def change(owner: Owner, columns: Sequence[Column], chance: random.Random) -> Change | None:
    """Edit, delete or swap what stands in a random row, or cut off the end of a log.

    None where the schema refuses it by itself, or nothing would be otherwise.
    """
    way = chance.choice(("edit", "edit", "delete", "swap", "cut"))
    table = chance.choice(sorted(UNVOUCHED))
    column = chance.choice([column for column in columns if column.table == table])
    try:
        async with owner.connection.transaction():
            match way:
                case "edit":
                    return await _edit(owner, column, chance)
                case "swap":
                    return await _swap(owner, column, chance)
                case "delete":
                    return await _delete(owner, table, chance)
                case _:
                    return await _cut(owner, chance)
    except asyncpg.IntegrityConstraintViolationError:
        return None


async def _rows(owner: Owner, table: str, column: str | None) -> list[Any]:
    where = _ONLY.get((table, column)) or _ONLY.get((table, None)) or "true"
    query = (
        f"select ctid::text as at, {table} as row from {table} where {where} order by {table}::text"  # noqa: S608
    )
    return list(await owner.connection.fetch(query))


async def _edit(owner: Owner, column: Column, chance: random.Random) -> Change | None:
    found = await _rows(owner, column.table, column.name)
    if not found:
        return None
    row = chance.choice(found)
    before = await owner.value(
        f"select {column.name}::text from {column.table} where ctid = $1::text::tid",  # noqa: S608
        row["at"],
    )
    if column.labels:
        value = f"'{chance.choice([one for one in column.labels if one != before])}'"
    elif before is not None and chance.random() < 0.2:
        value = "null"
    else:
        value = _OTHERWISE[column.type].format(column=column.name)
        if column.type == "text":
            value = chance.choice((value, f"coalesce({column.name}, '') || 'é'", "''"))
    changed = await owner.value(
        f"update {column.table} set {column.name} = {value} where ctid = $1::text::tid "  # noqa: S608
        f"returning {column.name}::text is distinct from $2",
        row["at"],
        before,
    )
    if not changed:
        return None
    return Change(way="edit", table=column.table, column=column.name, rows=[f"{before} -> {value}"])


async def _swap(owner: Owner, column: Column, chance: random.Random) -> Change | None:
    """Two rows exchange what stands in a column."""
    found = await _rows(owner, column.table, column.name)
    if len(found) < 2:
        return None
    one, other = chance.sample(found, 2)
    values = [row["row"][column.name] for row in (one, other)]
    if values[0] == values[1]:
        return None
    # In one statement, so that what is unique stays so where the database looks at the end of it.
    await owner.run(
        f"update {column.table} as changed set {column.name} = other.{column.name} "  # noqa: S608
        f"from {column.table} as other where (changed.ctid, other.ctid) in "
        "(($1::text::tid, $2::text::tid), ($2::text::tid, $1::text::tid))",
        one["at"],
        other["at"],
    )
    return Change(way="swap", table=column.table, column=column.name, rows=[f"{v}" for v in values])


async def _delete(owner: Owner, table: str, chance: random.Random) -> Change | None:
    found = await _rows(owner, table, None)
    if not found:
        return None
    row = chance.choice(found)
    await owner.run(f"delete from {table} where ctid = $1::text::tid", row["at"])  # noqa: S608
    return Change(way="delete", table=table, column=None, rows=[str(row["row"])])


async def _cut(owner: Owner, chance: random.Random) -> Change | None:
    """The end of a log is gone, with or without its case knowing."""
    case_id, length = chance.choice(
        [
            tuple(row)
            for row in await owner.connection.fetch(
                "select case_id, event_seq from cases where event_seq > 0 order by case_id"
            )
        ]
    )
    kept = chance.randrange(length)
    await owner.run("delete from events where case_id = $1 and seq > $2", case_id, kept)
    if chance.random() < 0.5:
        await owner.run(
            "update cases set event_seq = $2, event_hash = coalesce("
            "(select hash from events where case_id = $1 and seq = $2), decode(repeat('00', 32), 'hex')) "
            "where case_id = $1",
            case_id,
            kept,
        )
    return Change(
        way="cut", table="events", column=None, rows=[f"{case_id} after {kept} of {length}"]
    )
