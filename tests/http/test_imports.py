"""A case of one relay taken in by another: whole, or not at all."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import json
import random
import shutil
import sys
import uuid
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from relay.client.mediator import Mediator
from relay.crypto.encoding import b64u_encode
from relay.crypto.signing import Signer
from relay.domain.cases import CaseExists, CaseRegistration
from relay.domain.credentials import ServiceTooEarly
from relay.domain.transitions import State
from relay.embedded import Access, Services
from relay.errors import Conflict, NotFound, RelayError
from relay.services.exports.importing import ReferenceTaken
from relay.services.exports.layout import (
    MANIFEST,
    ExportAltered,
    ExportUnsound,
    ExportVersionUnknown,
    FolderNotEmpty,
    NoExport,
    OtherRoots,
)
from relay.settings import MIB, Settings
from relay.storage.objects import Objects
from relay.testing.people import Organization, open_case, organization
from tests.support.audits import findings
from tests.support.exports import (
    LETTER,
    encoded,
    environment_of,
    exported,
    findings_of,
    imported,
    listed_again,
    peak_of,
    rows_of,
    run,
    sweep_orphans_of,
    tell,
)
from tests.support.prepared_videos import FILM
from tests.support.relays import WORK_FACTOR_LOG2
from tests.support.service_users import database_as

pytestmark = pytest.mark.slow


@pytest.fixture
def owner(elsewhere: Settings, services: Services) -> Settings:
    """The settings of the owner of the second relay's database, who takes cases in."""
    url = database_as(Access.OWNER, elsewhere.database_url, services)
    return dataclasses.replace(elsewhere, database_url=url)


@pytest.fixture
async def people_elsewhere(
    elsewhere: Settings, root: Signer, token_key: Ed25519PrivateKey
) -> AsyncIterator[Organization]:
    """The organization, connected to the second relay."""
    async with organization(
        elsewhere.public_url, root, token_key, work_factor_log2=WORK_FACTOR_LOG2
    ) as connected:
        yield connected


async def test_people_go_on_at_another_relay(
    people: Organization,
    people_elsewhere: Organization,
    relay_settings: Settings,
    worker_settings: Settings,
    elsewhere: Settings,
    owner: Settings,
    tmp_path: Path,
) -> None:
    """Each row is as it was; participant and mediator read with the keys they have, and the log goes on."""
    told = await tell(people, worker_settings)
    case = told.case
    before = await rows_of(relay_settings.database_url, case.case_id)
    await exported(relay_settings, case.case_id, tmp_path / "export")
    await imported(owner, tmp_path / "export")
    assert _comparable(await rows_of(owner.database_url, case.case_id)) == _comparable(before)
    assert await findings(elsewhere) == []

    there = people_elsewhere
    url = case.responsible_url.replace(relay_settings.public_url, elsewhere.public_url)
    reader = await there.unlock(url)
    received = await reader.open(await reader.offered(told.opened))
    assert reader.read_text(received) == LETTER
    watched = await reader.open(await reader.offered(told.watched))
    await reader.save(watched, "rendition", tmp_path / "film")
    assert (tmp_path / "film").read_bytes() == FILM
    await reader.respond(await reader.offered(told.offered), "accept")
    await reader.open(await reader.offered(told.offered))

    mediator = Mediator(
        there.connection,
        case.mediator.keyring,
        case.mediator.credential_id,
        root_fingerprint=there.administrator.fingerprint,
        audience=there.audience,
    )
    assert told.queued in {item.message for item in (await mediator.queue()).items}
    leased = await mediator.lease(told.queued)
    assert await mediator.read_letter(leased) == "A third one."
    await mediator.offer(await mediator.decide(leased, "approve"))
    link = await mediator.make_link(case.case_id, case.responsible.participant_id)
    await there.claim(link)
    figures = (await there.case_system.figures()).figures
    assert {figure.state: figure.messages for figure in figures} == {
        State.PROCESSING: 1,
        State.OFFERED: 1,
        State.QUEUED: 1,
    }
    assert await findings(elsewhere) == []


async def test_a_case_that_does_not_fit_is_refused_by_name(
    people: Organization,
    people_elsewhere: Organization,
    relay_settings: Settings,
    worker_settings: Settings,
    owner: Settings,
    tmp_path: Path,
) -> None:
    """Twice, of another root, in another version, altered, unsound; nothing of it is left."""
    told = await tell(people, worker_settings)
    case_id = told.case.case_id
    folder = tmp_path / "export"
    await exported(relay_settings, case_id, folder)

    async def refused(error: type[RelayError], path: Path, settings: Settings = owner) -> None:
        with pytest.raises(error) as raised:
            await imported(settings, path)
        assert type(raised.value) is error

    def copy(name: str) -> Path:
        shutil.copytree(folder, tmp_path / name)
        return tmp_path / name

    stranger = b64u_encode(Signer.generate().public_key)
    await refused(OtherRoots, folder, dataclasses.replace(owner, root_public_keys=stranger))
    await refused(NoExport, tmp_path / "nothing")
    later = copy("later")
    manifest = json.loads((later / MANIFEST).read_bytes())
    (later / MANIFEST).write_bytes(encoded({**manifest, "version": 2}))
    await refused(ExportVersionUnknown, later)
    altered = copy("altered")
    part = next((altered / "parts").iterdir())
    part.write_bytes(part.read_bytes()[:-1] + b"x")
    await refused(ExportAltered, altered)
    listed_again(altered)
    await refused(ExportUnsound, altered)
    assert await _everything_of(owner) == (0, 0, [])

    registered = CaseRegistration(reference=f"case {case_id}", participants=[])
    await people_elsewhere.case_system.register(uuid.uuid4(), registered)
    await refused(ReferenceTaken, folder)
    connection = await asyncpg.connect(owner.database_url)
    await connection.execute("update cases set reference = 'another'")
    await connection.close()
    await imported(owner, folder)
    await refused(CaseExists, folder)
    with pytest.raises(FolderNotEmpty):
        await exported(relay_settings, case_id, folder)
    with pytest.raises(NotFound):
        await exported(relay_settings, uuid.uuid4(), tmp_path / "unknown")
    assert not (tmp_path / "unknown").exists()


async def test_a_case_system_that_comes_too_late_is_refused(
    people: Organization,
    people_elsewhere: Organization,
    relay_settings: Settings,
    owner: Settings,
    tmp_path: Path,
) -> None:
    """A mediator has registered a case there, which would not hold beside it any more."""
    case = await open_case(await people.with_case_system_keys())
    await exported(relay_settings, case.case_id, tmp_path / "export")
    await people_elsewhere.enrol("media")
    other = await open_case(people_elsewhere)
    with pytest.raises(ServiceTooEarly):
        await imported(owner, tmp_path / "export")
    assert (await _everything_of(owner))[0] == 1
    await other.mediator.read_case(other.case_id)


async def _everything_of(settings: Settings) -> tuple[int, int, list[str]]:
    """How many cases and statements there are, and what lies in the bucket."""
    connection = await asyncpg.connect(settings.database_url)
    objects = await Objects.connect(settings)
    try:
        return (
            await connection.fetchval("select count(*) from cases"),
            await connection.fetchval("select count(*) from statements"),
            await objects.keys("imports"),
        )
    finally:
        await objects.close()
        await connection.close()


async def test_the_commands_of_whoever_moves_a_case(
    people: Organization,
    relay_settings: Settings,
    worker_settings: Settings,
    elsewhere: Settings,
    owner: Settings,
    tmp_path: Path,
) -> None:
    """Export, verify, import; each says what was done, and what is wrong with exit code 1."""
    told = await tell(people, worker_settings)
    folder, case_id = tmp_path / "export", str(told.case.case_id)
    done = await asyncio.to_thread(run, relay_settings, "export", case_id, "-o", folder)
    assert (done.returncode, done.stderr) == (0, "")
    assert "left out: 1 jobs" in done.stdout
    again = await asyncio.to_thread(run, relay_settings, "export", case_id, "-o", folder)
    assert (again.returncode, "not empty" in again.stderr or "already" in again.stderr) == (1, True)

    # Without any service: the addresses lead nowhere.
    nowhere = dataclasses.replace(
        relay_settings, database_url="postgresql://nobody@/nothing?host=/nowhere", s3_endpoint="x:"
    )
    verify = ("audit", "verify", "--export", folder)
    whole = await asyncio.to_thread(run, nowhere, *verify)
    assert (whole.returncode, whole.stderr) == (0, "")
    assert "in the logs of 1 cases hold" in whole.stdout
    assert (await asyncio.to_thread(run, nowhere, *verify, "--case", case_id)).returncode == 2

    refused = await asyncio.to_thread(run, elsewhere, "import", folder)
    assert (refused.returncode, "(not-owner)" in refused.stderr) == (1, True)
    assert (await _everything_of(owner))[:2] == (0, 0)
    taken = await asyncio.to_thread(run, owner, "import", folder)
    assert (taken.returncode, taken.stderr) == (0, "")
    twice = await asyncio.to_thread(run, owner, "import", folder)
    assert (twice.returncode, f"case {case_id}" in twice.stderr) == (1, True)

    statements = folder / "statements.jsonl"
    statements.write_bytes(statements.read_bytes()[:-200])
    broken = await asyncio.to_thread(run, nowhere, *verify)
    assert (broken.returncode, "statements.jsonl" in broken.stderr) == (1, True)
    listed_again(folder)
    broken = await asyncio.to_thread(run, nowhere, *verify)
    assert broken.returncode == 1


async def test_nothing_is_left_of_an_import_that_failed(
    people: Organization,
    relay_settings: Settings,
    worker_settings: Settings,
    owner: Settings,
    as_worker: Callable[[Settings], Settings],
    elsewhere: Settings,
    tmp_path: Path,
) -> None:
    """An identifier that another case has: no row stays, and the sweep removes what was copied."""
    told = await tell(people, worker_settings)
    folder = tmp_path / "export"
    await exported(relay_settings, told.case.case_id, folder)
    connection = await asyncpg.connect(owner.database_url)
    try:
        other = uuid.uuid4()
        await connection.execute(
            "insert into cases (case_id, reference) values ($1, 'other')", other
        )
        await connection.execute(
            "insert into participants (participant_id, case_id, role) values ($1, $2, 'harmed')",
            told.case.harmed.participant_id,
            other,
        )
        with pytest.raises(Conflict):
            await imported(owner, folder)
        cases, statements, keys = await _everything_of(owner)
        assert (cases, statements, len(keys) > 3) == (1, 0, True)
        await sweep_orphans_of(as_worker(elsewhere), datetime.now(UTC) + timedelta(hours=1))
        assert await _everything_of(owner) == (1, 0, [])
        await connection.execute("delete from participants")
        await connection.execute("delete from cases")
    finally:
        await connection.close()
    await imported(owner, folder)
    # What is in use is no orphan.
    before = (await _everything_of(owner))[2]
    await sweep_orphans_of(as_worker(elsewhere), datetime.now(UTC) + timedelta(hours=1))
    assert (await _everything_of(owner))[2] == before != []


@pytest.mark.parametrize("command", ["export", "import"])
async def test_a_command_that_is_killed_leaves_nothing_to_be_mistaken(
    people: Organization,
    relay_settings: Settings,
    worker_settings: Settings,
    owner: Settings,
    tmp_path: Path,
    command: str,
    chance: random.Random,
) -> None:
    """Killed at any moment, there is a whole export or none, a whole case or none; again, it is there."""
    told = await tell(people, worker_settings)
    folder, case_id = tmp_path / "there" / "export", told.case.case_id
    folder.parent.mkdir()
    settings = relay_settings if command == "export" else owner
    arguments = (
        ("export", str(case_id), "-o", folder) if command == "export" else ("import", folder)
    )
    if command == "import":
        await exported(relay_settings, case_id, folder)
    for _ in range(4):
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "relay", *arguments, env=environment_of(settings)
        )
        await asyncio.sleep(chance.uniform(0.6, 1.6))
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        if command == "export" and folder.exists():
            assert await findings_of(folder, relay_settings) == []
            shutil.rmtree(folder)
        if command == "import" and (await _everything_of(owner))[0]:
            break
    if command == "export":
        await exported(relay_settings, case_id, folder)
        assert await findings_of(folder, relay_settings) == []
    elif not (await _everything_of(owner))[0]:
        await imported(owner, folder)
    # The second relay is audited when it ends.


def _comparable(rows: dict[str, list[dict[str, Any]]]) -> dict[str, list[dict[str, Any]]]:
    """But for where bodies lie, which is new."""
    return {
        table: [
            {name: value for name, value in row.items() if name != "object_prefix"} for row in found
        ]
        for table, found in rows.items()
    }


async def test_memory_does_not_grow_with_a_video(
    people: Organization, relay_settings: Settings, owner: Settings, tmp_path: Path
) -> None:
    """With 128 MiB a command needs what it needs with one, but for what is on its way at once."""
    small, large = await open_case(people), await open_case(people)
    for case, size in ((small, 1), (large, 128)):
        with (tmp_path / "video").open("wb") as file:
            file.truncate(size * MIB)
        with (tmp_path / "video").open("rb") as file:
            await case.harmed.send_video(case.responsible.participant_id, file, "video/mp4")
    for command in ("export", "import"):
        peaks = []
        for case in (small, large):
            folder = tmp_path / str(case.case_id)
            peaks.append(
                await asyncio.to_thread(
                    peak_of, relay_settings, "export", str(case.case_id), "-o", folder
                )
                if command == "export"
                else await asyncio.to_thread(peak_of, owner, "import", folder)
            )
        assert peaks[1] - peaks[0] < 32 * MIB, command
