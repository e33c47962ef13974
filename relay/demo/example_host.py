"""Runs deploy/example-host beside a relay: the case system that embeds it, as a process of its own.

Nothing of it is imported: it is found by its folder, which a checkout has and an installed relay has not.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import os
import secrets
import uuid
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Final
from urllib.parse import quote, urlsplit

import asyncpg
import msgspec

from relay.client.case_system import CaseSystem
from relay.client.certifying import write_new
from relay.crypto.encoding import b64u_encode
from relay.decoding import decode_json
from relay.demo.mailbox import Mailbox
from relay.demo.story import StoryBroke
from relay.demo.visiting import KeptMediator, Visit
from relay.embedded import Access
from relay.errors import ConfigurationError
from relay.services.pages import BUILT
from relay.settings import database_url
from relay.testing.people import ISSUER, KEY_ID
from relay.testing.relays import (
    DidNotStart,
    RunningRelay,
    start_module,
    stop_processes,
    until_answers,
)

FOLDER: Final = Path(__file__).parents[2] / "deploy" / "example-host"
MODULE: Final = "example_host"
DELIVERED_SECONDS: Final = 60
WEBHOOK_PATH: Final = "/relay/events"
DATABASE: Final = "example_host"
STAFF_PASSWORD: Final = "demo password"  # noqa: S105 - of invented people
CLERK: Final = "claude"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ExampleHost:
    """The running case system."""

    url: str
    running: RunningRelay
    environment: Mapping[str, str]
    processes: dict[str, asyncio.subprocess.Process]

    @property
    def log(self) -> Path:
        """What it says."""
        return self.running.folder / "example-host.log"

    async def start_again(self) -> None:
        """End it and start it on the same data, as its files and relay's pages are now; DidNotStart."""
        await stop_processes(self.processes)
        environment = {**self.environment, **_integrity()}
        self.processes["example host"] = await start_module(MODULE, [], environment, self.log)
        await until_answers(f"{self.url}/livez", self.processes["example host"], "the example host")

    async def load(self, entries: Mapping[str, object]) -> None:
        """Give it staff and cases, as its README describes them; DidNotStart where it does not take them."""
        folder = self.running.folder / "demo"
        folder.mkdir(mode=0o700, exist_ok=True)
        file = folder / "entries.json"
        file.unlink(missing_ok=True)
        write_new(file, msgspec.json.encode(entries), secret=True)
        loading = await start_module(MODULE, ["load", str(file)], self.environment, self.log)
        ended = await loading.wait()
        file.unlink()
        if ended != 0:
            raise DidNotStart(f"the example host; see {self.log}")


def is_there() -> bool:
    """Whether this relay has its folder, and pages for it to embed."""
    return (FOLDER / MODULE).is_dir() and (BUILT / "integrity.json").exists()


@contextlib.asynccontextmanager
async def example_host(
    running: RunningRelay, port: int, mails: Mailbox, more: Mapping[str, str] | None = None
) -> AsyncIterator[ExampleHost]:
    """The case system on this port, beside a relay that sends its events there, during the block.

    `more` are further settings of it.
    """
    given = running.case_system
    if given is None:
        raise ConfigurationError("this relay has no case system: it was started without a receiver")
    url = f"http://127.0.0.1:{port}"
    inherited = {
        name: os.environ[name] for name in ("COVERAGE_PROCESS_START",) if name in os.environ
    }
    environment = {
        **inherited,
        "PYTHONPATH": str(FOLDER),
        "CASES_DATABASE_URL": await _own_database(running),
        "CASES_PUBLIC_URL": url,
        "CASES_LISTEN_PORT": str(port),
        "CASES_RELAY_URL": running.url,
        "CASES_RELAY_FINGERPRINT": b64u_encode(given.keys.root_fingerprint),
        "CASES_TOKEN_KEY_FILE": str(given.token_key),
        "CASES_TOKEN_KEY_ID": KEY_ID,
        "CASES_TOKEN_ISSUER": ISSUER,
        "CASES_SIGNING_KEY_FILE": str(given.signing_key),
        "CASES_SEEN_FILE": str(running.folder / "organization" / "charters-seen.json"),
        "CASES_WEBHOOK_SECRET": given.webhook_secret,
        "CASES_SMTP_PORT": str(mails.smtp_port),
        "CASES_MAIL_FROM": "office@office.example",
        **(more or {}),
    }
    processes: dict[str, asyncio.subprocess.Process] = {}
    host = ExampleHost(url=url, running=running, environment=environment, processes=processes)
    try:
        await host.start_again()
        yield host
    finally:
        await stop_processes(processes)


async def everything_delivered(system: CaseSystem) -> None:
    """Wait until the case system has taken every event so far; StoryBroke where it does not."""
    for _ in range(DELIVERED_SECONDS * 10):
        receivers = (await system.receivers()).receivers
        if receivers and not any(one.cases_waiting for one in receivers):
            return
        await asyncio.sleep(0.1)
    raise StoryBroke("the events did not arrive at the case system")


def entries_of(mediators: Sequence[KeptMediator], visit: Visit | None) -> dict[str, object]:
    """Staff, and two cases: one that nobody has opened yet, and the one of a visit; all of it invented."""
    logins = [one.login for one in mediators]
    staff: list[dict[str, object]] = [
        {
            "login": one.login,
            "name": one.name,
            "role": "mediator",
            "language": "en",
            "email": f"{one.login}@office.example",
            "password": STAFF_PASSWORD,
            "credential": str(one.mediator.credential_id),
        }
        for one in mediators
    ]
    staff.append(
        {
            "login": CLERK,
            "name": "Claude Bergeron",
            "role": "clerk",
            "language": "fr",
            "email": f"{CLERK}@office.example",
            "password": STAFF_PASSWORD,
        }
    )
    cases = [
        case_entry(uuid.uuid4(), "R-001", uuid.uuid4(), uuid.uuid4(), logins, ("Ariane", "Sacha")),
    ]
    if visit is not None:
        people = (visit.case_id, visit.reference, visit.harmed_id, visit.responsible_id)
        cases.append(case_entry(*people, logins, ("Camille", "Robin")))
    return {"staff": staff, "cases": cases}


def case_entry(
    case_id: uuid.UUID,
    reference: str,
    harmed: uuid.UUID,
    responsible: uuid.UUID,
    mediators: list[str],
    names: tuple[str, str],
) -> dict[str, object]:
    """One case of that file, of people with these first names."""
    people = [
        {
            "person": str(person),
            "role": role,
            "name": f"{name} {family}",
            "language": language,
            "email": f"{name.lower()}@people.example",
        }
        for person, role, name, family, language in (
            (harmed, "harmed", names[0], "Exemple", "fr"),
            (responsible, "responsible", names[1], "Sample", "en"),
        )
    ]
    return {"case": str(case_id), "reference": reference, "people": people, "mediators": mediators}


def _integrity() -> dict[str, str]:
    hashes = decode_json((BUILT / "integrity.json").read_bytes(), dict[str, str])
    return {"CASES_EMBED_INTEGRITY": hashes["embed.js"]}


async def _own_database(running: RunningRelay) -> str:
    """A database that a role of its own owns, in the same Postgres; its password is a new one each time.

    Where Postgres is somebody else's, its operator names a database in EXAMPLE_HOST_DATABASE_URL.
    """
    given = os.environ.get("EXAMPLE_HOST_DATABASE_URL")
    if given is not None:
        return given
    administrator = database_url(running.services.accesses[Access.ADMINISTRATOR])
    password = secrets.token_urlsafe(24)
    connection = await asyncpg.connect(administrator)
    try:
        if not await connection.fetchval("select 1 from pg_roles where rolname = $1", DATABASE):
            await connection.execute(f"create role {DATABASE} login")
        await connection.execute(f"alter role {DATABASE} password '{password}'")
        if not await connection.fetchval("select 1 from pg_database where datname = $1", DATABASE):
            await connection.execute(f"create database {DATABASE} owner {DATABASE}")
    except asyncpg.InsufficientPrivilegeError:
        raise ConfigurationError(
            "the example host needs a database of its own: name one in EXAMPLE_HOST_DATABASE_URL"
        ) from None
    finally:
        await connection.close()
    address = urlsplit(administrator)
    place = address.netloc.rpartition("@")[2]
    return address._replace(
        netloc=f"{DATABASE}:{quote(password)}@{place}", path=f"/{DATABASE}"
    ).geturl()
