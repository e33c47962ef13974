"""What has to be true once everything was put back: for every person, in database, bucket and log."""

from __future__ import annotations

import asyncio
import collections
import itertools
import os
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import asyncpg
from standardwebhooks import Webhook as Verifier

from relay.client.downloading import download
from relay.client.participant import Everything, Participant
from relay.client.sealing import unwrap, view_of
from relay.crypto import statements
from relay.domain.messages import AuthorMessage, Kind
from relay.domain.notifications import Notification
from relay.domain.places import OF_BODIES
from relay.domain.tokens import Scope
from relay.domain.views import author_view, recipient_view
from relay.services import uploads
from relay.services.log import LogPage
from relay.settings import DAY_SECONDS, Settings
from relay.storage.database import Database
from relay.storage.objects import Objects, segment_key
from tests.support.faults.items import ENDS, Item
from tests.support.faults.world import World

LOG_ROWS: Final = 500
STUCK: Final = {
    "jobs that nobody ends": "select count(*) from jobs where state in ('waiting', 'running')",
    "events that were not told": "select count(*) from outbox",
    "events that are not delivered": "select count(*) from receiver_lines",
    "dead letters": "select count(*) from dead_letters",
    "drafts": "select count(*) from messages where state = 'draft'",
    "messages in somebody's hands": "select count(*) from messages where state = 'claimed'",
    "prepared transactions": "select count(*) from pg_prepared_xacts",
    "media grants that were to end": """
        select count(*) from grants inner join parts using (commitment)
        inner join messages using (message_id)
        where audience = 'media' and state <> 'processing'
    """,
    "locks that wait": "select count(*) from pg_locks where not granted",
    "sessions in a transaction": """
        select count(*) from pg_stat_activity
        where usename like 'relay%' and state like 'idle in transaction%'
            and state_change < now() - interval '5 seconds'
    """,
}
"""What no row may be left of."""
ONCE: Final = {
    "messages": "select count(*) from messages",
    "revisions": "select count(*) from revisions",
    "signed messages": "select count(*) from statements where typ = 'relay-message+jws'",
}
AUDIT_SECONDS: Final = 30


async def check(world: World, items: Sequence[Item]) -> list[str]:
    """Everything that is not as it should be."""
    found: list[str] = []
    for look in (_items, _rows, _bucket, _told, _audit, _answers):
        try:
            found += [line async for line in look(world, items)]
        except Exception as error:  # noqa: BLE001 - whatever it is, it should not be
            found.append(f"{look.__name__}: {type(error).__name__}: {error}")
    return found


async def _items(world: World, items: Sequence[Item]) -> AsyncIterator[str]:
    """Each item at each person, who come anew and see what relay has."""
    for case in {item.case.case_id: item.case for item in items}.values():
        people = {
            one.participant_id: await world.people.unlock(url)
            for one, url in (
                (case.harmed, case.harmed_url),
                (case.responsible, case.responsible_url),
            )
        }
        seen = {key: await person.correspondence() for key, person in people.items()}
        of_case = [item for item in items if item.case is case]
        kinds = await _log(world, case.case_id)
        async for line in _lists(of_case, seen):
            yield line
        for item in of_case:
            if item.is_over:
                author = people[item.author.participant_id]
                async for line in _item(world, item, author, seen, kinds[item.message_id]):
                    yield f"{item}: {line}"


async def _lists(items: Sequence[Item], seen: dict[uuid.UUID, Everything]) -> AsyncIterator[str]:
    """Who sees how many: each message once, and nobody any that is not theirs."""
    for person, shown in seen.items():
        expected = {item.message_id for item in items if item.author.participant_id == person}
        sent = [one.message for one in shown.sent]
        for message, count in collections.Counter(sent).items():
            if count > 1 or message not in expected:
                yield f"doubled: an author sees a message {count} times"
        for item in items:
            if item.is_acknowledged and item.message_id in expected - set(sent):
                yield f"lost: {item} is not with its author"
        offered = [one.message for one in shown.received]
        due = {
            item.message_id
            for item in items
            if item.recipient.participant_id == person
            and item.fate in {"release", "refuse", "return"}
        }
        if len(offered) != len(set(offered)) or set(offered) - due:
            yield "doubled: a recipient sees what was not offered, or twice"


async def _item(
    world: World,
    item: Item,
    author: Participant,
    seen: dict[uuid.UUID, Everything],
    log: collections.Counter[str],
) -> AsyncIterator[str]:
    reviewed = await item.reviewer.read(item.message_id)
    state = reviewed.state
    if state is not ENDS[item.fate]:
        yield f"the mediator sees it {state.value}"
    own = await author.sent(item.message_id)
    if own.view is not author_view(state, withdrawal_asked=False, tell_author=False):
        yield f"{state.value} for the mediator, {own.view.value} for its author"
    found = [
        one
        for one in seen[item.recipient.participant_id].received
        if one.message == item.message_id
    ]
    view = found[0].view if found else None
    if view is not recipient_view(state, gates_open=True):
        yield f"{state.value} for the mediator, {view} for its recipient"
    if (own.revision, reviewed.revision) != (item.revision, item.revision):
        yield f"revision {own.revision} in place of {item.revision}"
    if await _own_content(author, own, item, world.folder) != item.content:
        yield "lost: its author opens something else"
    if item.released is not None and item.kind is Kind.LETTER and item.released != item.content:
        yield "lost: the mediator opens something else"
    if item.opened is not None and item.opened != item.released:
        yield "lost: the recipient opens something else than the mediator released"
    expected = _log_of(item)
    got = {kind: log[kind] for kind in expected}
    if got != expected:
        yield f"the log has {got} in place of {expected}"


def _log_of(item: Item) -> dict[str, int]:
    """How often each of these is in the log of an item whose story is over."""
    is_video, goes_on = item.kind is Kind.VIDEO, item.fate in {"release", "refuse", "return"}
    return {
        "submit-letter": 0 if is_video else item.revision,
        "submit-video": int(is_video),
        "finish-processing": int(is_video),
        "return": item.revision - 1,
        "approve": int(goes_on),
        "offer": int(goes_on),
        "accept": int(goes_on and item.fate != "refuse"),
        "refuse": int(item.fate == "refuse"),
        "decline": int(item.fate == "decline"),
        "withdraw": int(item.fate == "withdraw"),
    }


async def _own_content(author: Participant, own: AuthorMessage, item: Item, folder: Path) -> bytes:
    """What the author opens of what they sent: the words, or the recording as it was."""
    if item.kind is Kind.LETTER:
        return author.own_text(own).encode()
    said = statements.decode_unverified(own.statement or "", statements.Message)
    [original] = [part for part in said.parts if part.role == "original"]
    view = view_of(own.parts, original)
    key = unwrap(item.case.case_id, original, view.header, [author.identity])
    target = folder / f"{item.number}-own.mp4"
    await download(author.session, original, key, target)
    return target.read_bytes()


async def _log(
    world: World, case_id: uuid.UUID
) -> collections.defaultdict[uuid.UUID | None, collections.Counter[str]]:
    """Of each message, how often each kind of row is in the log, as the case system reads it."""
    kinds: collections.defaultdict[uuid.UUID | None, collections.Counter[str]] = (
        collections.defaultdict(collections.Counter)
    )
    after = 0
    while True:
        page = await world.people.connection.call(
            "GET",
            f"/v1/cases/{case_id}/log?after={after}&limit={LOG_ROWS}",
            bearer=world.people.case_system.token(Scope.LOG_READ),
            into=LogPage,
        )
        if not page.rows:
            return kinds
        for row in page.rows:
            kinds[row.message][row.kind] += 1
        after = page.rows[-1].seq


async def _rows(world: World, items: Sequence[Item]) -> AsyncIterator[str]:
    """Nothing is in a state that nobody moves, and nothing is there twice."""
    over = [item for item in items if item.is_acknowledged]
    expected = {
        "messages": len(over),
        "revisions": sum(item.revision for item in over),
        "signed messages": sum(item.revision for item in over),
    }
    connection = await asyncpg.connect(world.database_url())
    try:
        for what, query in STUCK.items():
            if left := await connection.fetchval(query):
                yield f"stuck: {left} {what}"
        if len(over) == len(items) and all(item.is_over for item in items):
            for what, query in ONCE.items():
                found = await connection.fetchval(query)
                if found != expected[what]:
                    yield f"doubled or lost: {found} {what} in place of {expected[what]}"
    finally:
        await connection.close()


async def _bucket(world: World, _items: Sequence[Item]) -> AsyncIterator[str]:
    """After a sweep that comes late enough every object has its row, and every row its objects."""
    settings = Settings.from_environment(world.of_worker)
    database = await Database.connect(settings.database_url, connections=2)
    objects = await Objects.connect(settings)
    owner = await asyncpg.connect(world.database_url())
    try:
        now = datetime.now(UTC)
        await uploads.sweep_uploads(database, objects, now + timedelta(seconds=30 * DAY_SECONDS))
        later = now + timedelta(seconds=uploads.ORPHAN_GRACE_SECONDS + 60)
        await uploads.sweep_pieces(database, objects, later)
        await uploads.sweep_orphans(database, objects, later)
        rows = await owner.fetch(
            "select object_prefix, segments from parts where object_prefix is not null"
        )
        needed = {
            segment_key(row["object_prefix"], number)
            for row in rows
            for number in range(len(row["segments"]))
        }
        there = {key for place in OF_BODIES for key in await objects.keys(place)}
        if there - needed:
            yield f"orphaned: {len(there - needed)} objects without a row: {min(there - needed)}"
        if needed - there:
            yield f"lost: {len(needed - there)} objects of parts are not there"
        if left := await owner.fetchval("select count(*) from orphans"):
            yield f"orphaned: {left} notes that the sweep left"
    finally:
        await objects.close()
        await database.close()
        await owner.close()
    said = await _relay(world.of_worker, "objects", "unreferenced")
    if "0 of them" not in said:
        yield f"orphaned: relay objects unreferenced says {said.splitlines()[-1:]}"


async def _told(world: World, items: Sequence[Item]) -> AsyncIterator[str]:
    """The case system was told of everything, in the order of each case, by webhook as by asking."""
    listed = await _listed(world)
    verifier = Verifier(world.webhook_secret)
    first: dict[str, dict[str, Any]] = {}
    for webhook in world.host.taken:
        verifier.verify(webhook.body, dict(webhook.headers))
        event = webhook.event
        if webhook.id in first and first[webhook.id] != event:
            yield "an event came again as another"
        first.setdefault(webhook.id, event)
    by_id = collections.Counter(event["id"] for event in first.values())
    if any(count > 1 for count in by_id.values()):
        yield "an event came under two identifiers"
    missing = [one.id for one in listed if one.id not in by_id]
    if missing:
        yield f"lost: {len(missing)} events were not delivered"
    cases = collections.defaultdict(list)
    for event in first.values():
        cases[event["case"]].append(event["id"])
    if any(came != sorted(came) for came in cases.values()):
        yield "events of a case came out of order"
    types = collections.Counter((one.message, one.type.value) for one in listed)
    for item in (item for item in items if item.is_over):
        expected = {
            "mediator.review-waiting": item.revision,
            "participant.message-waiting": int(item.fate in {"release", "refuse", "return"}),
            "participant.message-returned": item.revision - 1,
        }
        got = {kind: types[item.message_id, kind] for kind in expected}
        if got != expected:
            yield f"{item}: the case system was told {got} in place of {expected}"


async def _listed(world: World) -> list[Notification]:
    found: list[Notification] = []
    while True:
        page = await world.people.case_system.events(found[-1].id if found else 0)
        if not page.events:
            return found
        found += page.events


async def _audit(world: World, _items: Sequence[Item]) -> AsyncIterator[str]:
    said = await _relay(dict(world.running.environment), "audit", "verify", "--quiet")
    for line in said.splitlines():
        yield f"audit: {line}"


async def _relay(environment: dict[str, str], *arguments: str) -> str:
    """What `relay ARGUMENTS` prints, and where it ends with an error, that too."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "relay", *arguments),
        env={"PATH": os.environ["PATH"], "COLUMNS": "200", **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    async with asyncio.timeout(AUDIT_SECONDS):
        said, _ = await process.communicate()
    return said.decode() + (f"exit code {process.returncode}" if process.returncode else "")


async def _answers(world: World, _items: Sequence[Item]) -> AsyncIterator[str]:
    """No request ended with an error that relay did not foresee, and no process with one."""
    statuses = collections.Counter(world.front.statuses.read_text("ascii").split())
    if statuses["500"]:
        yield f"{statuses['500']} requests were answered 500"
    for name, member in world.members.items():
        said = member.log.read_text("utf-8", "replace").splitlines()
        errors = [
            line
            for line, following in itertools.pairwise([*said, ""])
            if _is_unforeseen(line) and _OF_AIOHTTP not in following
        ]
        for error in sorted(set(errors))[:3]:
            yield f"{name} logs {errors.count(error)} times: {error}"


_OF_AIOHTTP: Final = "coro=<ClientRequest.write_bytes()"
"""aiohttp does not look at what became of a body whose connection was reset; its caller is told otherwise."""


def _is_unforeseen(line: str) -> bool:
    return "Traceback" in line or " error " in line.lower().partition(": ")[0]
