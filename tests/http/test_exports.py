"""A case in a folder: opened by public age tools, and verified without a service."""

from __future__ import annotations

import base64
import dataclasses
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import asyncpg
import pytest

from relay.crypto.encoding import b64u_encode
from relay.crypto.keyrings import seal_keyring
from relay.crypto.padding import unpad
from relay.errors import RelayError
from relay.services.exports.layout import (
    CaseIncomplete,
    ExportAltered,
    ExportVersionUnknown,
    NoExport,
)
from relay.services.exports.reading import open_export
from relay.settings import Settings
from relay.storage.exports import ROWS
from relay.storage.objects import ObjectMissing, Objects
from relay.testing.people import PASSPHRASE, Organization
from tests.support.audits import reading_role
from tests.support.exports import (
    LETTER,
    ORIGINAL,
    exported,
    findings_of,
    lines_of,
    listed_again,
    rows_of,
    tell,
)
from tests.support.node import INTEROP, Node
from tests.support.prepared_videos import FILM
from tests.support.requests import caller_of

pytestmark = pytest.mark.slow


@pytest.fixture
def node() -> Node:
    """Node with other people's age package in it."""
    return Node.installed(INTEROP)


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


async def test_no_keyring_of_a_mediator_is_in_an_export(
    people: Organization, relay_settings: Settings, worker_settings: Settings, tmp_path: Path
) -> None:
    """Nor of a colleague: whoever has the folder cannot guess their passphrase."""
    told = await tell(people, worker_settings)
    sealed = {}
    for mediator in (told.case.mediator, told.case.colleague):
        sealed[mediator.credential_id] = seal_keyring(mediator.keyring, PASSPHRASE, 1)
        body = {"keyring": base64.b64encode(sealed[mediator.credential_id]).decode()}
        assert (await caller_of(mediator).ask("PUT", "/v1/keyring", body)).status == 204
    folder = tmp_path / "export"
    await exported(relay_settings, told.case.case_id, folder)
    for credential_id, keyring in sealed.items():
        assert await people.case_system.keyring(credential_id) == keyring
        needles = [keyring, keyring.hex().encode(), base64.b64encode(keyring)]
        found = [
            path
            for path in folder.rglob("*")
            if path.is_file() and any(needle in path.read_bytes() for needle in needles)
        ]
        assert found == []


def _name(part: Mapping[str, Any]) -> str:
    """What a part is called in names of files."""
    return b64u_encode(bytes.fromhex(part["commitment"].removeprefix("\\x")))


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


async def test_the_right_to_read_is_enough_to_export(
    people: Organization,
    relay_settings: Settings,
    worker_settings: Settings,
    database_url: str,
    tmp_path: Path,
) -> None:
    """A role that may do nothing else writes the same rows."""
    told = await tell(people, worker_settings)
    async with reading_role(database_url) as url:
        settings = dataclasses.replace(relay_settings, database_url=url)
        await exported(settings, told.case.case_id, tmp_path / "export")
    assert await findings_of(tmp_path / "export", relay_settings) == []


async def test_what_is_altered_in_the_store_is_not_exported(
    people: Organization, relay_settings: Settings, worker_settings: Settings, tmp_path: Path
) -> None:
    """A body that is not what was signed, or is gone: refused, and no folder is left."""
    told = await tell(people, worker_settings)
    objects = await Objects.connect(worker_settings)
    try:
        rows = await rows_of(relay_settings.database_url, told.case.case_id)
        prefix = next(row["object_prefix"] for row in rows["parts"] if row["role"] == "rendition")
        [key] = await objects.keys(prefix)
        body = await objects.get(key)
        await objects.put(key, body[:-1] + bytes([body[-1] ^ 1]))
        with pytest.raises(CaseIncomplete):
            await exported(relay_settings, told.case.case_id, tmp_path / "export")
        await objects.delete([key])
        with pytest.raises(ObjectMissing):
            await exported(relay_settings, told.case.case_id, tmp_path / "export")
    finally:
        await objects.close()
    assert list(tmp_path.iterdir()) == []


LEFT_OUT: Final = {
    **dict.fromkeys(("sessions", "challenges"), "people sign in again"),
    **dict.fromkeys(("uploads", "upload_segments", "upload_pieces"), "they are sent again"),
    "jobs": "are begun again",
    "orphans": "are of one object store",
    **dict.fromkeys(("queue_entries", "queue_counts"), "follow from the rest"),
    **dict.fromkeys(("outbox", "notifications", "due_notifications"), "were told, or are not"),
    **dict.fromkeys(("receivers", "receiver_lines", "dead_letters"), "are of one relay"),
    **dict.fromkeys(("migrations", "message_transitions"), "are of the schema"),
}
"""Tables that are not exported, and why."""


async def test_every_table_is_exported_or_says_why_not(database_url: str) -> None:
    """A new one is one or the other."""
    connection = await asyncpg.connect(database_url)
    try:
        tables = await connection.fetch(
            "select tablename from pg_tables where schemaname = 'public'"
        )
    finally:
        await connection.close()
    exported_tables = {*ROWS, "statements", "events"}
    assert {row["tablename"] for row in tables} == exported_tables | LEFT_OUT.keys()
    assert exported_tables & LEFT_OUT.keys() == set()
