"""A case in a folder: opened by public age tools, verified without a service, taken in by another relay."""

from __future__ import annotations

import dataclasses
import json
import re
import shutil
import uuid
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any, Final

import asyncpg
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from relay.client.mediator import Mediator
from relay.crypto.encoding import b64u_encode
from relay.crypto.padding import unpad
from relay.crypto.signing import Signer
from relay.domain.cases import CaseExists, CaseRegistration
from relay.domain.transitions import State
from relay.embedded import Access, Services
from relay.errors import NotFound, RelayError
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
from relay.services.exports.reading import open_export
from relay.settings import Settings
from relay.storage.objects import Objects
from relay.testing.people import Organization, organization
from tests.support.audits import findings
from tests.support.exports import (
    LETTER,
    ORIGINAL,
    encoded,
    exported,
    findings_of,
    imported,
    lines_of,
    listed_again,
    rows_of,
    tell,
)
from tests.support.node import Node, node_with_age
from tests.support.prepared_videos import FILM
from tests.support.relays import WORK_FACTOR_LOG2
from tests.support.service_users import database_as


@pytest.fixture
def owner(elsewhere: Settings, services: Services) -> Settings:
    """The settings of the owner of the second relay's database, who takes cases in."""
    url = database_as(Access.OWNER, elsewhere.database_url, services)
    return dataclasses.replace(elsewhere, database_url=url)


@pytest.fixture
def node() -> Node:
    """Node with other people's age package in it."""
    return node_with_age()


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


async def test_public_age_tools_open_all_of_it(
    people: Organization,
    relay_settings: Settings,
    worker_settings: Settings,
    tmp_path: Path,
    node: Node,
) -> None:
    """From a mediator's key to the keys of the case to every part; a recipient comes to what is theirs."""
    told = await tell(people, worker_settings, videos=20)
    folder = tmp_path / "export"
    await exported(relay_settings, told.case.case_id, folder)

    def opened(identity: str, *sources: Path) -> list[bytes]:
        targets = [tmp_path / f"opened-{number}" for number in range(len(sources))]
        pairs = [path for both in zip(sources, targets, strict=True) for path in both]
        node.run("age.mjs", "open", "identity", identity, *pairs)
        return [target.read_bytes() for target in targets]

    mediator = str(told.case.mediator.keyring.identity)
    [keys] = opened(mediator, folder / "charters" / "0001.age")
    [case_key] = re.findall(r"AGE-SECRET-KEY-[A-Z0-9-]+", keys.decode())
    rows = lines_of(folder / "tables" / "parts.jsonl")
    parts = [folder / "parts" / f"{_name(row)}.age" for row in rows]
    found = list(zip((row["role"] for row in rows), opened(case_key, *parts), strict=True))
    assert [body for role, body in found if role == "rendition"] == [FILM] * 20
    assert [body for role, body in found if role == "original"] == [ORIGINAL] * 21
    texts = {unpad(body).decode() for role, body in found if role == "body"}
    assert texts == {LETTER, "A second letter.", "A third one."}

    [letter] = [
        row
        for row, (_role, body) in zip(rows, found, strict=True)
        if row["role"] == "body" and unpad(body).decode() == LETTER
    ]
    [header] = (folder / "headers").glob(f"{_name(letter)}.recipient.*")
    body = (folder / "parts" / f"{_name(letter)}.age").read_bytes()[-letter["size_bytes"] :]
    (tmp_path / "whole.age").write_bytes(header.read_bytes() + body)
    [plain] = opened(str(told.case.responsible.identity), tmp_path / "whole.age")
    assert unpad(plain).decode() == LETTER


def _name(part: Mapping[str, Any]) -> str:
    """What a part is called in names of files."""
    return b64u_encode(bytes.fromhex(part["commitment"].removeprefix("\\x")))


def _comparable(rows: dict[str, list[dict[str, Any]]]) -> dict[str, list[dict[str, Any]]]:
    """But for where bodies lie, which is new."""
    return {
        table: [
            {name: value for name, value in row.items() if name != "object_prefix"} for row in found
        ]
        for table, found in rows.items()
    }


async def test_every_change_of_a_file_is_found(
    people: Organization, relay_settings: Settings, worker_settings: Settings, tmp_path: Path
) -> None:
    """Each file with a byte changed, missing, cut, or in the place of another; added files, and links."""
    told = await tell(people, worker_settings)
    folder, whole = tmp_path / "export", tmp_path / "whole"
    await exported(relay_settings, told.case.case_id, folder)
    shutil.copytree(folder, whole)
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    assert len(files) > 40

    def refused() -> bool:
        try:
            open_export(folder)
        except (ExportAltered, NoExport, ExportVersionUnknown):
            return True
        return False

    survived = []
    for file in files:
        content = file.read_bytes()
        other = next(path for path in files if path.read_bytes() != content)
        changes = {"missing": None, "swapped": other.read_bytes(), "longer": content + b" "}
        if content:
            at = len(content) // 2
            changed = bytes([content[at] ^ 1])
            changes["changed"] = content[:at] + changed + content[at + 1 :]
            changes["cut"] = content[:-1]
            changes["emptied"] = b""
        for name, change in changes.items():
            if change is None:
                file.unlink()
            else:
                file.write_bytes(change)
            if not refused():
                survived.append((file.name, name))
            file.write_bytes(content)
    assert survived == []

    assert not refused()
    (folder / "parts" / "added.age").write_bytes(b"")
    assert refused()
    (folder / "parts" / "added.age").unlink()
    (folder / "elsewhere").symlink_to(whole)
    assert refused()
    (folder / "elsewhere").unlink()
    part = next((folder / "parts").iterdir())
    part.unlink()
    part.symlink_to(whole / "parts" / part.name)
    assert refused()


async def test_what_is_changed_with_its_list_is_found_by_the_audit(
    people: Organization,
    relay_settings: Settings,
    worker_settings: Settings,
    tmp_path: Path,
    subtests: pytest.Subtests,
) -> None:
    """Whoever makes the list fit what they changed does not get past what was signed, nor past the chain."""
    told = await tell(people, worker_settings)
    whole = tmp_path / "whole"
    await exported(relay_settings, told.case.case_id, whole)
    names = sorted(str(path.relative_to(whole)) for path in whole.rglob("*") if path.is_file())
    rows = [name for name in names if name.endswith(".jsonl") and (whole / name).read_bytes()]
    bodies = [name for name in names if name.startswith("parts/")]
    headers = [name for name in names if ".recipient." in name]
    assert (len(rows) > 12, len(bodies) > 8, len(headers) > 2) == (True, True, True)

    async def found(name: str, change: bytes | None) -> bool:
        copy = tmp_path / "copy"
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(whole, copy)
        if change is None:
            (copy / name).unlink()
        else:
            (copy / name).write_bytes(change)
        listed_again(copy)
        try:
            return await findings_of(copy, relay_settings) != []
        except RelayError:
            return True

    for name in rows:
        lines = (whole / name).read_bytes().splitlines(keepends=True)
        if name not in UNVOUCHED:
            with subtests.test("a line is missing", file=name):
                assert await found(name, b"".join(lines[1:]))
            with subtests.test("a line is missing at the end", file=name):
                assert await found(name, b"".join(lines[:-1]))
            with subtests.test("a line comes twice", file=name):
                assert await found(name, b"".join([*lines, lines[0]]))
            with subtests.test("the file is missing", file=name):
                assert await found(name, None)
    for name in [*bodies, *headers]:
        content = (whole / name).read_bytes()
        with subtests.test("the last byte is another", file=name):
            assert await found(name, content[:-1] + bytes([content[-1] ^ 1]))
        with subtests.test("the end is cut off", file=name):
            assert await found(name, content[:-1])
        with subtests.test("it is missing", file=name):
            assert await found(name, None)
        other = next(one for one in [*bodies, *headers] if (whole / one).read_bytes() != content)
        with subtests.test("it is another", file=name):
            assert await found(name, (whole / other).read_bytes())


UNVOUCHED: Final = {
    "tables/pairs.jsonl": "who may write to whom is said by the case system, and signed by nobody",
    "tables/participants.jsonl": "who takes part is said by the case system; a row that is gone is found",
    "tables/unsent_texts.jsonl": "belongs to its writer alone",
}
"""Tables of an export whose rows nothing that was signed leads to."""


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
