"""`relay recovery`: gives a case that has lost its mediators to another one, with the recovery key."""

from __future__ import annotations

import asyncio
import os
import uuid
from pathlib import Path
from typing import Annotated, TypeVar

import msgspec
import typer
from rich.console import Console

from relay.client.certifying import write_new
from relay.client.connection import Connection, Problem
from relay.client.recovery import give_case, publish_recovered
from relay.crypto.encoding import b64u_decode
from relay.crypto.keyfiles import load_keyring_file
from relay.decoding import NotDecodable, decode_json
from relay.domain.cases import CharterFiling
from relay.domain.credentials import CaseFile
from relay.errors import RelayError
from relay.services import charters
from relay.settings import Settings
from relay.storage.database import Database


class BadCaseFile(RelayError):
    """A file that `relay recovery` did not write."""

    code = "bad-case-file"


_Content = TypeVar("_Content")


class Recovered(msgspec.Struct, frozen=True, kw_only=True):
    """A charter that a recovery key signed, on its way to relay."""

    case: uuid.UUID
    filing: CharterFiling


app = typer.Typer(
    no_args_is_help=True, help="Give a case to another mediator, with a recovery key."
)

Output = Annotated[Path, typer.Option("--output", "-o", help="Where to write; must not exist.")]


@app.command()
def export(
    case: Annotated[uuid.UUID, typer.Argument(help="The case.")],
    output: Output,
) -> None:
    """Write what the recovery key needs of a case into a file; nothing in it is in the clear.

    Run where relay runs: it reads the database. The next step is `relay recovery give`, offline.
    """
    settings = Settings.from_environment(os.environ)
    found = asyncio.run(_export(settings, case))
    write_new(output, msgspec.json.encode(found), secret=False)


@app.command()
def give(
    case_file: Annotated[Path, typer.Argument(help="From `relay recovery export`.")],
    to: Annotated[
        uuid.UUID, typer.Option(help="The credential of the mediator who takes it over.")
    ],
    key: Annotated[
        Path, typer.Option(help="The recovery key file, from `relay keys new recovery`.")
    ],
    root_fingerprint: Annotated[
        str, typer.Option(help="The fingerprint of the root, from `relay root show`.")
    ],
    output: Output,
) -> None:
    """Sign the charter that gives the case to another mediator. Needs no network.

    Everybody who reads the case from then on sees that a recovery key did this.
    """
    found = _read(case_file, CaseFile)
    _credential, keyring = load_keyring_file(key)
    filing = Recovered(
        case=found.case, filing=give_case(found, keyring, to, b64u_decode(root_fingerprint))
    )
    write_new(output, msgspec.json.encode(filing), secret=False)


@app.command()
def publish(
    filing: Annotated[Path, typer.Argument(help="From `relay recovery give`.")],
    url: Annotated[str, typer.Option(help="Where the relay is.")],
) -> None:
    """Hand the signed charter to relay: the new mediator has the case from then on."""
    recovered = _read(filing, Recovered)
    try:
        asyncio.run(_publish(recovered, url))
    except Problem as refused:
        Console(stderr=True).print(f"[red]{refused.title}[/red] ({refused.code})")
        raise typer.Exit(1) from None


async def _export(settings: Settings, case_id: uuid.UUID) -> CaseFile:
    database = await Database.connect(settings.database_url, connections=1)
    try:
        return await charters.export(database, settings, case_id)
    finally:
        await database.close()


async def _publish(recovered: Recovered, url: str) -> None:
    connection = await Connection.open(url)
    try:
        await publish_recovered(connection, recovered.case, recovered.filing)
    finally:
        await connection.close()


def _read(path: Path, kind: type[_Content]) -> _Content:
    try:
        return decode_json(path.read_bytes(), kind)
    except (OSError, NotDecodable):
        raise BadCaseFile(path.name) from None
