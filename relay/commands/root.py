"""`relay root`: the organization root, on a machine that is not on the network."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console

from relay.client import certifying
from relay.client.administrator import (
    VALID_DAYS,
    Administrator,
    publish_credential,
    publish_revocation,
    publish_succession,
)
from relay.client.connection import Connection, Problem
from relay.crypto import statements
from relay.crypto.encoding import b64u_encode
from relay.crypto.passphrases import find_weakness
from relay.crypto.signing import Signer, read_unverified
from relay.crypto.words import suggest_passphrase

app = typer.Typer(
    no_args_is_help=True, help="The organization root: make it, vouch, revoke, replace it."
)

RootFile = Annotated[Path, typer.Option("--root", help="The root key, from `relay root new`.")]
PassphraseFile = Annotated[
    Path | None, typer.Option(help="A file whose first line is the passphrase of the root key.")
]
SUGGESTED_WORDS: Final = 7
"""70 bits: anyone who gets hold of the file can guess offline."""

Output = Annotated[Path, typer.Option("--output", "-o", help="Where to write; must not exist.")]


@app.command()
def new(output: Output, passphrase_file: PassphraseFile = None) -> None:
    """Make an organization root, protected by a passphrase. Keep the file offline, in two places."""
    root = Signer.generate()
    sealed = certifying.seal_root(root, _new_passphrase(passphrase_file))
    certifying.write_new(output, sealed, secret=True)
    _show(root)


@app.command()
def show(root: RootFile, passphrase_file: PassphraseFile = None) -> None:
    """Print the public key (for RELAY_ROOT_PUBLIC_KEYS) and the fingerprint (for consoles)."""
    _show(_open(root, passphrase_file))


@app.command()
def certify(
    request: Annotated[Path, typer.Argument(help="A request, from `relay keys new`.")],
    root: RootFile,
    output: Output,
    passphrase_file: PassphraseFile = None,
    valid_days: Annotated[int, typer.Option(min=1, max=3650)] = VALID_DAYS,
    begins: Annotated[
        datetime | None, typer.Option(help="From when it counts, in UTC; now, if not given.")
    ] = None,
) -> None:
    """Vouch for the keys in a request; compare them with their owner over another channel first."""
    asked = certifying.read_request(request)
    administrator = Administrator(_open(root, passphrase_file))
    credential = administrator.sign_credential(
        asked,
        valid_days=valid_days,
        begins=None if begins is None else begins.replace(tzinfo=UTC),
    )
    certifying.write_new(output, credential.encode("ascii"), secret=False)
    Console().print(f"{asked.role} {asked.credential}: signed for {valid_days} days")


@app.command()
def revoke(
    credential: Annotated[uuid.UUID, typer.Argument(help="The credential to end.")],
    root: RootFile,
    output: Output,
    passphrase_file: PassphraseFile = None,
) -> None:
    """Sign the end of a credential; it counts once it is published."""
    administrator = Administrator(_open(root, passphrase_file))
    certifying.write_new(
        output, administrator.sign_revocation(credential).encode("ascii"), secret=False
    )


@app.command()
def succeed(
    new_root: Annotated[Path, typer.Argument(help="The new root key, from `relay root new`.")],
    root: RootFile,
    output: Output,
    passphrase_file: PassphraseFile = None,
    new_passphrase_file: Annotated[
        Path | None, typer.Option(help="The same for the new root key.")
    ] = None,
) -> None:
    """Let a new root take the place of the old one. Links that name either fingerprint keep working.

    What the old root signs from now on does not count. Both keys are needed, once.
    """
    old = Administrator(_open(root, passphrase_file))
    signed = old.sign_succession(_open(new_root, new_passphrase_file))
    certifying.write_new(output, "\n".join(signed).encode("ascii") + b"\n", secret=False)
    Console().print("Publish this, and then have the new root sign all that follows.")


@app.command()
def publish(
    statement: Annotated[
        Path, typer.Argument(help="A signed credential, revocation or succession.")
    ],
    url: Annotated[str, typer.Option(help="Where the relay is.")],
) -> None:
    """Hand what a root signed to a relay."""
    compacts = statement.read_text("ascii").split()
    try:
        asyncio.run(_publish(url, compacts))
    except Problem as refused:
        Console(stderr=True).print(f"[red]{refused.title}[/red] ({refused.code})")
        raise typer.Exit(1) from None


async def _publish(url: str, compacts: Sequence[str]) -> None:
    connection = await Connection.open(url)
    try:
        for compact in compacts:
            typ = read_unverified(compact).typ
            if typ == statements.Revocation.typ:
                said = statements.decode_unverified(compact, statements.Revocation)
                await publish_revocation(connection, said.credential, compact)
            elif typ == statements.Succession.typ:
                await publish_succession(connection, compact)
            else:
                await publish_credential(connection, compact)
    finally:
        await connection.close()


def _open(path: Path, passphrase_file: Path | None) -> Signer:
    return certifying.open_root(path.read_bytes(), _passphrase(passphrase_file, path.name))


def _passphrase(file: Path | None, of: str) -> str:
    if file is not None:
        return _first_line(file)
    answer: str = typer.prompt(f"Passphrase of {of}", hide_input=True)
    return answer


def _first_line(file: Path) -> str:
    return next(iter(file.read_text("utf-8").splitlines()), "")


def _new_passphrase(file: Path | None) -> str:
    """One that is above the floor; anyone who types it is asked again until it is."""
    if file is not None:
        return _first_line(file)
    console = Console()
    console.print("Choose a passphrase and write it down. For example, drawn just now:")
    console.print(f"  {suggest_passphrase('en', SUGGESTED_WORDS)}", highlight=False)
    while True:
        chosen: str = typer.prompt(
            "Passphrase of the root", hide_input=True, confirmation_prompt=True
        )
        weakness = find_weakness(chosen)
        if weakness is None:
            return chosen
        console.print(f"[red]{weakness.sentence('en')}[/red]")


def _show(root: Signer) -> None:
    administrator = Administrator(root)
    console = Console(highlight=False)
    console.print(f"public key   {b64u_encode(root.public_key)}")
    console.print(f"fingerprint  {b64u_encode(administrator.fingerprint)}")
