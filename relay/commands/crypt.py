"""`relay crypt`: makes keys, seals and opens ordinary age files; constant memory, nothing left on failure.

A file is written beside its place, readable by its owner alone, and moved there once all is well. On
standard output, `seal` streams, for a sealed file that was cut short never opens; `open` reads everything
once to verify it before it writes the first byte, and what cannot be read twice it keeps, sealed as it is,
in a temporary file.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import shutil
import signal
import stat
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import FrameType
from typing import IO, Annotated, NoReturn

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from relay.crypto.age import (
    FileKey,
    HybridIdentity,
    Identity,
    Opener,
    Recipient,
    ScryptRecipient,
    Sealer,
    new_file_key,
    parse_recipient,
    read_header,
    unwrap_header,
    wrap_header,
)
from relay.crypto.errors import KeyInvalidError
from relay.crypto.identities import (
    IDENTITY_FILE_MAX_BYTES,
    NamedFile,
    needs_passphrase,
    passphrase_identities,
    read_identities,
)
from relay.crypto.links import parse_link_url
from relay.errors import CryptoError, RelayError

PIECE_BYTES = 1024 * 1024
WORK_FACTOR_LOG2 = 18
"""For `--passphrase-file`; what the age command uses too."""

STANDARD = Path("-")

app = typer.Typer(no_args_is_help=True, help="Make keys, seal and open ordinary age files.")

Source = Annotated[
    Path, typer.Argument(metavar="IN", help="File to read, or - for standard input.")
]
Target = Annotated[
    Path,
    typer.Option("-o", "--output", metavar="OUT", help="File to write, or - for standard output."),
]
PassphraseFile = Annotated[
    Path | None,
    typer.Option(
        "--passphrase-file", metavar="FILE", help="File whose first line is a passphrase."
    ),
]


@app.command()
def keygen(
    output: Annotated[
        Path,
        typer.Option("-o", "--output", metavar="FILE", help="New file; never overwrites one."),
    ],
) -> None:
    """Make a post-quantum identity and show the recipient that belongs to it."""
    identity = HybridIdentity.generate()
    now = dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    with _failures():
        descriptor = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(descriptor, "w", encoding="ascii") as file:  # noqa: PTH123 - a descriptor, not a path
            file.write(f"# created: {now}\n# public key: {identity.recipient}\n{identity}\n")
    typer.echo(f"{identity.recipient}")


@app.command()
def seal(
    output: Target,
    source: Source = STANDARD,
    recipient: Annotated[
        list[str] | None,
        typer.Option(
            "-r", "--recipient", metavar="RECIPIENT", help="age1pq1… or age1…; repeatable."
        ),
    ] = None,
    passphrase_file: PassphraseFile = None,
) -> None:
    """Seal IN for every RECIPIENT, or for anyone who knows the passphrase."""
    recipients = _recipients(recipient or [], passphrase_file)
    with _failures(), _reading(source) as reader, _writing(output, sealed=True) as writer:
        file_key = new_file_key()
        writer.write(wrap_header(file_key, recipients))
        sealer = Sealer(file_key)
        for piece in _pieces(reader, "Sealing"):
            writer.write(sealer.update(piece))
        writer.write(sealer.finish())


@app.command("open")
def open_file(
    output: Target,
    source: Source = STANDARD,
    identity_file: Annotated[
        list[Path] | None,
        typer.Option(
            "-i",
            "--identity",
            metavar="FILE",
            help="Identity file, key file, keyring, or a case's key file; repeatable.",
        ),
    ] = None,
    passphrase_file: PassphraseFile = None,
    link_file: Annotated[
        Path | None,
        typer.Option(
            "--link-file",
            metavar="FILE",
            help="File with the address of a participant's link: half of their keyring's passphrase.",
        ),
    ] = None,
) -> None:
    """Open IN with any identity in the FILEs, or with the passphrase.

    FILE is whatever relay writes keys to. The passphrase opens a keyring among the FILEs; without -i, it
    opens IN. A case's key file is opened by the key file of a mediator or of recovery, named beside it.
    """
    if not identity_file and not passphrase_file:
        raise typer.BadParameter("give -i, --passphrase-file or both")
    with _failures(), _reading(source) as reader:
        identities = _identities(identity_file or [], passphrase_file, link_file)
        if output == STANDARD:
            with _rereadable(reader) as sealed:
                file_key = unwrap_header(read_header(sealed.readline), identities)
                body = sealed.tell()
                for _ in _opened(sealed, file_key, "Verifying"):
                    pass
                sealed.seek(body)
                with _writing(output) as writer:
                    for plain in _opened(sealed, file_key, "Opening"):
                        writer.write(plain)
        else:
            file_key = unwrap_header(read_header(reader.readline), identities)
            with _writing(output) as writer:
                for plain in _opened(reader, file_key, "Opening"):
                    writer.write(plain)


def _opened(reader: IO[bytes], file_key: FileKey, what: str) -> Iterator[bytes]:
    opener = Opener(file_key)
    for piece in _pieces(reader, what):
        yield opener.update(piece)
    yield opener.finish()


def _recipients(texts: Sequence[str], passphrase_file: Path | None) -> list[Recipient]:
    if bool(texts) == bool(passphrase_file):
        raise typer.BadParameter("give either -r or --passphrase-file")
    if passphrase_file is not None:
        with _failures():
            return [ScryptRecipient(_passphrase(passphrase_file), WORK_FACTOR_LOG2)]
    try:
        recipients = [parse_recipient(text) for text in texts]
    except CryptoError as error:
        raise typer.BadParameter(f"not a recipient: {error.detail}") from None
    if len({recipient.family for recipient in recipients}) > 1:
        raise typer.BadParameter(
            "a file for age1… recipients would be no safer than these, so it cannot also be for age1pq1…"
        )
    return recipients


def _identities(
    paths: Sequence[Path], passphrase_file: Path | None, link_file: Path | None
) -> list[Identity]:
    files = [NamedFile(name=path.name, content=_content(path)) for path in paths]
    if passphrase_file is None:
        return read_identities(files)
    if files and not needs_passphrase(files):
        raise typer.BadParameter("none of the files given with -i is behind a passphrase")
    link = None if link_file is None else parse_link_url(_first_line(link_file))
    asked = passphrase_identities(_passphrase(passphrase_file), link)
    return read_identities(files, asked) if files else asked


def _content(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(IDENTITY_FILE_MAX_BYTES + 1)


def _first_line(file: Path) -> str:
    return file.read_text("utf-8").split("\n", 1)[0].removesuffix("\r")


def _passphrase(file: Path) -> str:
    passphrase = _first_line(file)
    if not passphrase:
        raise KeyInvalidError("the passphrase file is empty")
    return passphrase


def _pieces(reader: IO[bytes], what: str) -> Iterator[bytes]:
    """What remains of a file, piece by piece, with a progress bar if somebody is watching."""
    console = Console(stderr=True)
    columns = (BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    with Progress(what, *columns, console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task(what, total=_remaining(reader))
        while piece := reader.read(PIECE_BYTES):
            yield piece
            progress.advance(task, len(piece))


def _remaining(reader: IO[bytes]) -> int | None:
    """Bytes that a regular file still has; None for pipes and terminals."""
    with contextlib.suppress(OSError):
        status = os.fstat(reader.fileno())
        if stat.S_ISREG(status.st_mode):
            return status.st_size - reader.tell()
    return None


@contextlib.contextmanager
def _reading(source: Path) -> Iterator[IO[bytes]]:
    if source == STANDARD:
        yield sys.stdin.buffer
    else:
        with source.open("rb", buffering=PIECE_BYTES) as reader:
            yield reader


@contextlib.contextmanager
def _rereadable(reader: IO[bytes]) -> Iterator[IO[bytes]]:
    """The same bytes where one can go back; a temporary file holds them, sealed as they are, if need be."""
    if reader.seekable():
        yield reader
        return
    with tempfile.TemporaryFile() as kept:
        shutil.copyfileobj(reader, kept, PIECE_BYTES)
        kept.seek(0)
        yield kept


@contextlib.contextmanager
def _writing(target: Path, *, sealed: bool = False) -> Iterator[IO[bytes]]:
    """Standard output, or a file that appears in its place only if the block ends well."""
    if target == STANDARD:
        stdout = sys.stdout.buffer
        if sealed and stdout.isatty():
            raise typer.BadParameter("a sealed file is not text; write it to a file or a pipe")
        yield stdout
        stdout.flush()
        return
    place = target.resolve()
    if place.exists() and not place.is_file():
        raise typer.BadParameter(f"{target} is there and not a file")
    before = signal.signal(signal.SIGTERM, _terminated)
    descriptor, name = tempfile.mkstemp(prefix=f".{place.name}.", dir=place.parent)
    try:
        with open(descriptor, "wb") as writer:  # noqa: PTH123 - a descriptor, not a path
            yield writer
            writer.flush()
            os.fsync(descriptor)
        Path(name).replace(place)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    finally:
        signal.signal(signal.SIGTERM, before)


def _terminated(number: int, _frame: FrameType | None) -> NoReturn:
    raise SystemExit(128 + number)


@contextlib.contextmanager
def _failures() -> Iterator[None]:
    """Says what went wrong and ends with 1."""
    try:
        yield
    except RelayError as error:
        typer.echo(f"{error.sentence('en')} ({error.detail})", err=True)
        raise typer.Exit(1) from None
    except OSError as error:
        typer.echo(f"{error.strerror or error}: {error.filename or ''}".rstrip(": "), err=True)
        raise typer.Exit(1) from None
    except UnicodeDecodeError:
        typer.echo("An identity or passphrase file is not text in UTF-8.", err=True)
        raise typer.Exit(1) from None
