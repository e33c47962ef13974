"""`relay audit`: verifies the log and all that was signed, without content.

It asks the database alone and needs no more than the right to read; of an export it reads the files alone.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Iterator
from pathlib import Path
from typing import IO, Annotated

import typer
from prometheus_client import CollectorRegistry, Metric, write_to_textfile
from prometheus_client.registry import Collector
from rich.console import Console
from rich.markup import escape
from rich.progress import Progress

from relay.crypto.checkpoints import Checkpoint, VerifiedCheckpoint, verify_checkpoint
from relay.crypto.encoding import b64u_decode, b64u_encode
from relay.crypto.errors import EncodingError
from relay.crypto.keyfiles import load_signer_file, save_signer_file
from relay.crypto.signing import PUBLIC_KEY_BYTES, Signer
from relay.metrics import AUDIT_FINDINGS, AUDIT_FINISHED
from relay.services.audit.checkpoints import write_checkpoint
from relay.services.audit.findings import Code
from relay.services.audit.walk import Audited
from relay.services.audit.walk import audit as audit_all
from relay.services.exports.reading import audit_export, open_export
from relay.settings import Settings
from relay.storage.database import Database

app = typer.Typer(
    no_args_is_help=True, help="Verify the log, what was signed, and what follows from it."
)


@app.callback()
def audit() -> None:
    """Verify the log, what was signed, and what follows from it."""


@app.command()
def verify(
    *,
    against: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="A checkpoint: finds what was cut off or rewritten since."
        ),
    ] = None,
    auditor: Annotated[
        str | None,
        typer.Option(metavar="PUBLICKEY", help="The key that signed it, from `relay audit key`."),
    ] = None,
    case: Annotated[
        uuid.UUID | None,
        typer.Option(help="Verify one case alone: what belongs to no case is left out."),
    ] = None,
    export: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Verify what `relay export` wrote, from its files alone: no database is asked.",
        ),
    ] = None,
    metrics: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Write what was found as metrics, for the textfile collector of Prometheus' node exporter.",
        ),
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print findings only.")] = False,
) -> None:
    """Walk the log of every case with each statement behind it; exit code 1 where something does not hold."""
    if (against is None) != (auditor is None):
        raise typer.BadParameter("--against and --auditor go together")
    if sum(given is not None for given in (against, case, export)) > 1:
        raise typer.BadParameter(
            "--against is for all cases, --case for one, --export for a folder"
        )
    if metrics is not None and (case is not None or export is not None):
        raise typer.BadParameter("--metrics is for all cases")
    with _checkpoint(against, auditor) as checkpoint:
        verifying = (
            _verify(checkpoint, case, quiet=quiet)
            if export is None
            else _verify_export(export, quiet=quiet)
        )
        cases, rows, found = asyncio.run(verifying)
    if metrics is not None:
        _tell(metrics, found)
    if case is not None and not cases and not found:
        raise typer.BadParameter("--case: there is no such case")
    if found:
        raise typer.Exit(1)
    if not quiet:
        console = Console()
        console.print(f"{rows} rows in the logs of {cases} cases hold, with all that was signed")
        if checkpoint is not None:
            console.print(
                f"nothing was cut off or rewritten since {checkpoint.said.at.isoformat()}"
            )


@app.command()
def checkpoint(
    key: Annotated[Path, typer.Option(metavar="FILE", help="The auditor's key file.")],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="New file; must not exist.")
    ],
) -> None:
    """Write where the log of every case ends, signed. Keep it where nobody who runs the relay can write."""
    settings = Settings.from_environment(os.environ, database_alone=True)
    signer = load_signer_file(key)
    with _new_file(output) as file:
        written = asyncio.run(_write(settings, signer, file))
    Console().print(
        f"{written.cases} cases as of {written.at.isoformat()}: keep {output.name} elsewhere"
    )


@app.command(name="key")
def new_key(
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="New file; must not exist.")
    ],
) -> None:
    """Make an auditor's key, which signs checkpoints, and print the public key to verify them with."""
    signer = Signer.generate()
    save_signer_file(output, signer)
    typer.echo(b64u_encode(signer.public_key))


async def _verify(
    against: VerifiedCheckpoint | None, only: uuid.UUID | None, *, quiet: bool
) -> tuple[int, int, Counter[Code]]:
    """Verify a database; the figures of `_print`."""
    settings = Settings.from_environment(os.environ, database_alone=True)
    database = await Database.connect(settings.database_url, connections=1)
    try:
        return await _print(audit_all(database, settings, against, only=only), quiet=quiet)
    finally:
        await database.close()


async def _verify_export(path: Path, *, quiet: bool) -> tuple[int, int, Counter[Code]]:
    """Verify a folder; no service is asked, so that its address may be missing."""
    settings = Settings.from_environment(
        {"RELAY_DATABASE_URL": "", **os.environ}, database_alone=True
    )
    return await _print(audit_export(open_export(path), settings), quiet=quiet)


async def _print(audit: AsyncIterator[Audited], *, quiet: bool) -> tuple[int, int, Counter[Code]]:
    """Print what is found as it is found; how many cases and rows there were, and findings of each code."""
    console = Console(soft_wrap=True)
    cases = rows = 0
    found: Counter[Code] = Counter()
    with Progress(transient=True, disable=quiet, console=console) as progress:
        task = progress.add_task("verifying", total=None)
        async for audited in audit:
            cases += audited.case is not None and audited.rows > 0
            rows += audited.rows
            found.update(finding.code for finding in audited.findings)
            progress.update(task, advance=1, description=f"{cases} cases, {rows} rows")
            for finding in audited.findings:
                progress.console.print(f"[red]{escape(str(finding))}[/red]")
    return cases, rows, found


def _tell(path: Path, found: Counter[Code]) -> None:
    """Write a file with the number of findings of each code, also where there is none; in one step."""
    findings, finished = AUDIT_FINDINGS.family(), AUDIT_FINISHED.family()
    for code in Code:
        findings.add_metric([code.value], found[code])
    finished.add_metric([], time.time())
    registry = CollectorRegistry()
    registry.register(_Written((findings, finished)))
    try:
        write_to_textfile(str(path), registry)
    except OSError as error:
        raise typer.BadParameter(f"--metrics: {path} cannot be written: {error.strerror}") from None


class _Written(Collector):
    """Metrics as they are."""

    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        """All of them."""
        return self._families


async def _write(settings: Settings, signer: Signer, file: IO[bytes]) -> Checkpoint:
    database = await Database.connect(settings.database_url, connections=1)
    try:
        return await write_checkpoint(database, settings, signer, file)
    finally:
        await database.close()


@contextlib.contextmanager
def _new_file(path: Path) -> Iterator[IO[bytes]]:
    """A file that is there only if the block ends well; BadParameter where one is there already."""
    try:
        with path.open("xb") as file:
            try:
                yield file
            except BaseException:
                path.unlink()
                raise
    except FileExistsError:
        raise typer.BadParameter(f"{path.name} is there already") from None


@contextlib.contextmanager
def _checkpoint(path: Path | None, auditor: str | None) -> Iterator[VerifiedCheckpoint | None]:
    """The checkpoint in a file, once its signature was verified."""
    if path is None or auditor is None:
        yield None
        return
    try:
        public_key = b64u_decode(auditor)
    except EncodingError:
        public_key = b""
    if len(public_key) != PUBLIC_KEY_BYTES:
        raise typer.BadParameter("--auditor is the key that `relay audit key` printed")
    with path.open("rb") as file:
        yield verify_checkpoint(file, public_key)
