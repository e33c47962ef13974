"""Whatever lists, counts, sweeps or audits, with a thousand messages stored and with a million.

Two relays have the same small case, made through the API, and a mediator who has fifty others as well. All
that is around it is filled in by SQL, in the forms that the schema accepts. What is asked of both is found by
generation: every GET route as everybody who may call it, every step of a worker's sweep.
"""

from __future__ import annotations

import contextlib
import dataclasses
import statistics
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Final, TypeAlias

import aiohttp
import asyncpg

from bench.rows import Row
from bench.service import service
from relay.app import ROUTES
from relay.client.case_system import CaseSystem
from relay.client.mediator import Mediator
from relay.client.participant import Participant
from relay.client.writing import address
from relay.crypto.encoding import b64u_encode
from relay.crypto.links import parse_link_url
from relay.domain.actors import Role
from relay.domain.tokens import Scope
from relay.embedded import Access
from relay.handlers.routing import Route
from relay.queue import Queue
from relay.services import charters
from relay.services.audit.walk import audit
from relay.services.feed import Follower
from relay.settings import Settings
from relay.storage.database import Connection, Database, migrate
from relay.storage.events import latest_events
from relay.storage.objects import Objects
from relay.storage.queries import split_queries
from relay.testing.people import Case, open_case
from relay.testing.relays import RunningRelay
from workers.process import load_workers
from workers.sweep import Sweep

FEW, MANY = 1_000, 1_000_000
CASE_MESSAGES = 20
MEDIATOR_CASES = 50
LETTERS = 3
"""In the small case, each opened by its recipient."""
BATCH = 250_000
"""Messages that are filled in by one statement."""
ROUNDS, FEWEST_ROUNDS = 40, 10
LONGEST_SECONDS = 4.0
"""For what takes long there are fewer rounds."""
TRIES = 3
"""What is over the bar is measured for longer: a neighbour's work passes, a longer way does not."""
WARM_UP_ROUNDS = 6
"""From the sixth time on, Postgres may take a plan that is made for any parameter."""
PAGES, WALK_PAGES, PAGE_ITEMS = 200, 5, 50
"""Pages of the queue, and so many on before it is looked at from the beginning again."""
BAR = 1.5
LEAST_SECONDS = 0.001
"""What takes less counts as this: a busy machine varies by as much. To read a table whole takes longer."""
TEXT = "I have carried that night for eleven years. " * 20

QUERIES: Final[Mapping[str, Sequence[str]]] = {
    "/v1/cases": (
        "",
        "?reference=bench%207",
        "?state=closed",
        "?mediator={credential}",
        "?changed_since=2020-01-01T00:00:00Z",
        "?changed_since=2020-01-01T00:00:00Z&state=closed&mediator={credential}",
    ),
    "/v1/messages": ("", "?messages={message}"),
    "/v1/queue": ("", "?waits_for=you", "?state=closed", "?state=held&case={case}", "?language=fr"),
}
"""What else is asked of a route, by its query."""

PLACES: Final = frozenset({"case", "commitment", "credential", "link", "message", "receiver"})
"""What the benchmark has for the places of paths."""

COMMANDS: Final[Mapping[str, str]] = {
    "audit verify": "audit_case",
    "migrate": "migrate",
    "recovery export": "export_case",
}
"""Commands that read a database for one case, or where nothing is to be done, and how they are measured."""

OTHER_COMMANDS: Final[Mapping[str, str]] = {
    "audit checkpoint": "writes a line for every case; `audit verify` of all cases reads all of them, too",
    "audit key": "reads no database",
    "check-jail": "reads no database",
    "crypt keygen": "reads no database",
    "crypt open": "reads no database",
    "crypt seal": "reads no database",
    "deliver": "what it claims is due, and costs by that; tests/integration/test_cost.py reads its plans",
    "demo": "is `serve` and `worker` on a folder",
    "disposals repeat": "reads the certificates in the bucket, one for each case that was disposed of",
    "export": "writes one case; tests/integration/test_cost.py reads its plans",
    "doctor": "reads catalogues, and as many credentials as people work for the organization",
    "objects unreferenced": "lists the bucket once, and looks each name up by an index",
    "import": "writes one case; tests/integration/test_cost.py reads its plans",
    "keys new": "reads no database",
    "keys token": "reads no database",
    "pages hash": "reads no database",
    "pages key": "reads no database",
    "pages sign": "reads no database",
    "pages webcat": "reads no database",
    "profile": "reads no database",
    "recovery give": "reads no database",
    "recovery publish": "calls the API, for one case",
    "root certify": "reads no database",
    "root new": "reads no database",
    "root publish": "calls the API, for one credential",
    "root revoke": "reads no database",
    "root show": "reads no database",
    "root succeed": "reads no database",
    "serve": "its routes are measured",
    "verify-pages": "asks for pages, which are in memory",
    "webhooks dead-letters": "is a route, too",
    "webhooks forget": "removes what one receiver has waiting",
    "webhooks list": "is a route, too",
    "webhooks redeliver": "is a route, too",
    "webhooks secret": "reads no database",
    "webhooks test": "writes one row",
    "worker": "the steps of its sweep are measured; a job is about one message",
}
"""Why there is no row for them."""

NOT_FILLED: Final[Mapping[str, str]] = {
    "credentials": "as many as people work for the organization, however much is stored",
    "holds": "a few of the cases that are closed, each for as long as somebody needs it",
    "message_transitions": "is written by the migration",
    "migrations": "is written by the migration",
    "outbox": "what was not told yet: whoever asks for events empties it",
    "successions": "one for each root that took the place of another",
}
"""Tables that do not grow with what is stored, and why."""

FILL: Final = split_queries(Path(__file__).with_suffix(".sql").read_text("utf-8"))

Act: TypeAlias = Callable[[], Awaitable[object]]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """A relay that was filled, and everybody who asks something of it."""

    running: RunningRelay
    case: Case
    case_system: CaseSystem
    http: aiohttp.ClientSession
    bearers: Mapping[Role, str]
    places: Mapping[str, str]
    uploaded: str
    """The message of the upload link."""
    settings: Settings
    database: Database
    sweep: Sweep
    follower: Follower
    reader: Connection

    def acts(self) -> dict[str, Act]:
        """What is measured, by its name."""
        return {
            **{name: self._get(path, role) for name, path, role in requests()},
            **{f"sweep: {step.__name__}": step for step in self.sweep.steps},
            **{f"relay {name}": getattr(self, method) for name, method in COMMANDS.items()},
            "the live feed looks at the log": lambda: self.follower.look(self.reader),
            "a draft begun and discarded": self.discard,
            "a letter, from its author to its reader": lambda: exchange(self.case),
        }

    def _get(self, path: str, role: Role) -> Act:
        places = dict(self.places)
        if role is Role.UPLOADER:
            places["message"] = self.uploaded
        url = self.running.url + path.format(**places)

        async def get() -> None:
            # A token of the case system is for minutes alone.
            service = role is Role.SERVICE
            bearer = self.case_system.token(*Scope) if service else self.bearers.get(role)
            headers = {} if bearer is None else {"Authorization": f"Bearer {bearer}"}
            async with self.http.get(url, headers=headers) as answer:
                if not answer.ok:
                    raise RuntimeError(f"{url}: {answer.status} {await answer.text()}")
                if answer.content_type == "text/event-stream":
                    await answer.content.readline()
                else:
                    await answer.read()

        return get

    async def audit_case(self) -> None:
        """What `relay audit verify --case` does."""
        found = audit(self.database, self.settings, only=self.case.case_id)
        if any([audited.findings async for audited in found]):
            raise RuntimeError("the case does not hold")

    async def export_case(self) -> None:
        """What `relay recovery export` does."""
        await charters.export(self.database, self.settings, self.case.case_id)

    async def migrate(self) -> None:
        """What `relay migrate` does where everything was applied."""
        await migrate(self.running.owner["RELAY_DATABASE_URL"])

    async def discard(self) -> None:
        """Begin a video and think better of it."""
        written = address(self.case.responsible.participant_id)
        await self.case.harmed.begin_video(written)
        await self.case.harmed.session.call("DELETE", f"{written.path}/draft")


async def exchange(case: Case) -> uuid.UUID:
    """A letter that is sent, approved, offered, accepted and opened."""
    sent = await case.harmed.send_letter(case.responsible.participant_id, TEXT)
    leased = await case.mediator.lease(sent.message)
    await case.mediator.offer(await case.mediator.decide(leased, "approve"))
    offered = await case.responsible.offered(sent.message)
    await case.responsible.respond(offered, "accept")
    await case.responsible.open(await case.responsible.offered(sent.message))
    return sent.message


def requests() -> list[tuple[str, str, Role]]:
    """Every GET route with each query and as each role: a name, the path with its places, the role."""
    return [
        (f"GET {route.path}{query}, {role}", route.path + query, role)
        for route in measured_routes()
        for query in QUERIES.get(route.path, ("",))
        for role in sorted(route.roles)
    ]


def measured_routes() -> list[Route]:
    """All that may list or count. Whatever else one calls is about one thing; a logo is in memory."""
    return [route for route in ROUTES if route.method == "GET" and "{logo}" not in route.path]


async def rows() -> AsyncIterator[Row]:
    """What three of four rounds exceed, at a million messages over that at a thousand; tables read whole.

    A busy machine disturbs the faster rounds least.
    """
    async with _side(FEW) as few, _side(MANY) as many:
        read_before = await _read_whole(many)
        acts = [side.acts() for side in (few, many)]
        for name in acts[0]:
            yield await _row(name, [of_side[name] for of_side in acts])
        walks = [_walk(side.case.mediator) for side in (few, many)]
        yield await _row(f"queue page of {PAGE_ITEMS}, p95", walks, slowest=True)
        read = await _read_whole(many) - read_before
    yield Row(
        name="rows of large tables read from one end to the other meanwhile",
        value=read,
        unit="rows",
        peer="none",
        ratio=read,
        bar=0,
        better="lower",
    )


async def _row(name: str, acts: Sequence[Act], *, slowest: bool = False) -> Row:
    """What the faster rounds take, or all but the slowest twentieth; over the bar, of more rounds."""
    taken: list[list[float]] = [[] for _ in acts]
    few = many = ratio = 0.0
    for act in [*acts] * WARM_UP_ROUNDS:
        await act()
    for _ in range(TRIES):
        await _by_turns(acts, taken, PAGES if slowest else ROUNDS)
        few, many = (statistics.quantiles(seconds, n=20)[18 if slowest else 4] for seconds in taken)
        ratio = max(many, LEAST_SECONDS) / max(few, LEAST_SECONDS)
        if ratio <= BAR:
            break
    return Row(
        name=name,
        value=many * 1000,
        unit="ms",
        peer=f"at 1 k ({few * 1000:.1f} ms)",
        ratio=ratio,
        bar=BAR,
        better="lower",
    )


async def _by_turns(acts: Sequence[Act], taken: Sequence[list[float]], rounds: int) -> None:
    """Add the seconds that each act takes in so many rounds, or fewer where that takes long."""
    ends = time.perf_counter() + LONGEST_SECONDS
    for number in range(rounds):
        if number >= FEWEST_ROUNDS and time.perf_counter() > ends:
            return
        for act, seconds in zip(acts, taken, strict=True):
            began = time.perf_counter()
            await act()
            seconds.append(time.perf_counter() - began)


def _walk(mediator: Mediator) -> Act:
    """A page of the queue after the other, and from the beginning again."""
    pages = 0
    after: str | None = None

    async def page() -> None:
        nonlocal pages, after
        filters = {} if after is None else {"after": after}
        found = await mediator.queue(limit=PAGE_ITEMS, **filters)
        pages += 1
        after = found.next if pages % WALK_PAGES else None

    return page


async def _read_whole(side: Side) -> int:
    """Rows that were read so far by scans of whole tables of more than some thousand rows."""
    await side.running.start_again()  # what connections have counted is added up when they end
    read: int = await side.reader.fetchval(
        "select coalesce(sum(seq_tup_read), 0)::bigint from pg_stat_user_tables "
        "inner join pg_class on pg_class.oid = relid where reltuples > 5000"
    )
    return read


@contextlib.asynccontextmanager
async def _side(messages: int) -> AsyncIterator[Side]:
    """A relay with so many messages of other cases, then a small case of its own."""
    async with contextlib.AsyncExitStack() as stack:
        running, people = await stack.enter_async_context(service())
        mediators = (await people.mediator(), await people.mediator())
        await _fill(running, messages, mediators[0].credential_id)
        await running.start_again()
        case = await open_case(people, mediators=mediators)
        letters = [await exchange(case) for _ in range(LETTERS)]
        uploader = await Participant.through_upload_link(
            people.connection,
            await case.mediator.make_link(
                case.case_id, case.harmed.participant_id, purpose="upload"
            ),
        )
        uploaded = await uploader.send_letter(case.responsible.participant_id, TEXT)
        await case.mediator.keep_keyring(TEXT.encode())
        link = parse_link_url(case.harmed_url)
        settings = Settings.from_environment(
            {
                **running.environment,
                **running.services.accesses[Access.WORKER],
                "RELAY_MEDIA_KEY_FILE": str(running.folder / "organization" / "media.keys"),
            }
        )
        swept = await Database.connect(settings.database_url, connections=2)
        stack.push_async_callback(swept.close)
        database = await Database.connect(running.environment["RELAY_DATABASE_URL"], connections=1)
        stack.push_async_callback(database.close)
        objects = await Objects.connect(settings)
        stack.push_async_callback(objects.close)
        queue = await Queue.connect(settings.redis_url)
        stack.push_async_callback(queue.close)
        reader = await asyncpg.connect(running.environment["RELAY_DATABASE_URL"])
        stack.push_async_callback(reader.close)
        http = await stack.enter_async_context(aiohttp.ClientSession())
        yield Side(
            running=running,
            case=case,
            case_system=people.case_system,
            http=http,
            bearers={
                Role.LINK: b64u_encode(link.secret.auth(link.id)),
                Role.PARTICIPANT: await case.harmed.session.bearer(),
                Role.UPLOADER: await uploader.session.bearer(),
                Role.MEDIATOR: await case.mediator.session.bearer(),
            },
            places={
                "case": str(case.case_id),
                "commitment": (await case.harmed.sent(letters[0])).parts[0].commitment,
                "credential": str(case.mediator.credential_id),
                "link": str(link.id),
                "message": str(letters[0]),
                "receiver": "bench",
            },
            uploaded=str(uploaded.message),
            settings=settings,
            database=database,
            sweep=Sweep(
                settings=settings,
                database=swept,
                objects=objects,
                queue=queue,
                workers=load_workers(settings),
            ),
            follower=Follower(await latest_events(reader, 1000)),
            reader=reader,
        )


async def _fill(running: RunningRelay, messages: int, mediator_id: uuid.UUID) -> None:
    """Stop relay, and fill its database."""
    for process in running.processes.values():
        process.terminate()
        await process.wait()
    connection = await asyncpg.connect(
        running.services.accesses[Access.ADMINISTRATOR]["RELAY_DATABASE_URL"]
    )
    try:
        await connection.execute("alter system set max_wal_size = '256MB'")
        await connection.execute("select pg_reload_conf()")
        await fill(connection, messages, mediator_id)
        await connection.execute("checkpoint")
    finally:
        await connection.close()


async def fill(connection: Connection, messages: int, mediator_id: uuid.UUID) -> None:
    """Put so many messages past the triggers that real ones go through; some are this mediator's.

    Postgres writes no log of what is put into a table that the same transaction emptied, and makes an index
    by sorting where the rows were there before it.
    """
    await connection.execute("set session_replication_role = replica")
    async with connection.transaction():
        await connection.execute(FILL["prepare"])
        indexes = await connection.fetch(FILL["indexes"])
        for index in indexes:
            await connection.execute(f"drop index {index['name']}")
        last_case = messages // CASE_MESSAGES - 1
        each = max(1, messages // CASE_MESSAGES // MEDIATOR_CASES)
        await connection.execute(FILL["cases"], 0, last_case, mediator_id, each)
        for first in range(0, messages, BATCH):
            last = min(first + BATCH, messages) - 1
            await connection.execute(FILL["messages"], first, last, mediator_id, each)
        for index in indexes:
            await connection.execute(index["definition"])
        await connection.execute(FILL["queue"], mediator_id)
        await connection.execute(FILL["figures"])
    await connection.execute("vacuum analyze")
