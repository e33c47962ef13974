"""`relay verify-pages`: holds the pages of a running relay to a build, or to what a release says of them."""

from __future__ import annotations

import asyncio
from importlib import metadata
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from relay.client.page_releases import Release
from relay.client.verifying_pages import Verified
from relay.client.verifying_pages import verify_pages as verify
from relay.crypto.notes import NOTE_MAX_BYTES, NoteKey, NoteUnusable, open_note
from relay.services.pages import BUILT, embed_origins, hashes_of_build


def verify_pages(
    url: Annotated[str, typer.Argument(help="Where the relay is: https://relay.example")],
    note: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The signed note of a release; needs --key."),
    ] = None,
    key: Annotated[
        list[str] | None,
        typer.Option(metavar="VKEY", help="Whose signature counts: name+digits+base64."),
    ] = None,
    build: Annotated[
        Path, typer.Option(metavar="FOLDER", help="Without a note: the pages, as built here.")
    ] = BUILT,
    embed_origin: Annotated[
        list[str] | None,
        typer.Option(metavar="ORIGIN", help="Who may frame the console, if you know: all of them."),
    ] = None,
) -> None:
    """Fetch every page of a relay in every coding, and say what differs from a release.

    Ends with 1 where anything differs. It shows what you are served, and not what somebody else is.
    """
    if not url.startswith(("https://", "http://")):
        raise typer.BadParameter("the address of a relay begins with https:// or http://")
    if (note is None) != (not key):
        raise typer.BadParameter("--note and --key come together")
    release, vouched = _release(note, key or [], build)
    origins = None if embed_origin is None else embed_origins(",".join(embed_origin))
    verified = asyncio.run(verify(url, release, origins=origins))
    _print(verified, release, vouched)
    if verified.findings:
        raise typer.Exit(1)


def _release(note: Path | None, keys: list[str], build: Path) -> tuple[Release, str]:
    """What the relay is held to, and who says so."""
    if note is None:
        hashes = hashes_of_build(build)
        if not hashes:
            raise typer.BadParameter(f"there is no build in {build}: make pages, or --note")
        return Release(metadata.version("relay"), hashes), f"built in {build}"
    believed = [NoteKey.parse(one) for one in keys]
    try:
        with note.open("rb") as file:
            content = file.read(NOTE_MAX_BYTES + 1)
    except OSError as error:
        raise NoteUnusable(f"{note}: {error.strerror}") from None
    found = open_note(content, believed)
    return Release.parse(found.text), f"signed by {', '.join(found.signed_by)}"


def _print(verified: Verified, release: Release, vouched: str) -> None:
    console = Console(soft_wrap=True, highlight=False)
    for address, coding, said in verified.findings:
        console.print(f"[red]DIFFERENT[/red]  {escape(address)} ({coding}): {escape(said)}")
    framed = ", ".join(verified.origins) or "nobody"
    console.print(f"the console may be framed by {escape(framed)}")
    console.print(
        f"{verified.answers} answers of {verified.addresses} addresses against release "
        f"{release.version}, {escape(vouched)}: {len(verified.findings) or 'no'} differences"
    )
