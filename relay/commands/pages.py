"""`relay pages`: what a release says of its pages, as a signed note; made without a network."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console

from relay.client.certifying import write_new
from relay.client.page_releases import Release
from relay.client.webcat import webcat_manifest
from relay.crypto.keyfiles import load_signer_file, save_signer_file
from relay.crypto.notes import NoteKey, NoteUnusable, open_note, sign_note, sign_note_again
from relay.crypto.signing import Signer
from relay.domain.page_rules import LIST
from relay.services.pages import BUILT, embed_origins, files_of_build, hashes_of_build

app = typer.Typer(
    no_args_is_help=True, help="What a release says of its pages, for whoever checks a relay."
)

Folder = Annotated[Path, typer.Argument(metavar="[FOLDER]", help="Where the pages were built.")]
Name = Annotated[
    str,
    typer.Option(help="What the key is called: an address without https://, such as a.example/b"),
]
Output = Annotated[
    Path, typer.Option("--output", "-o", metavar="FILE", help="New file; must not exist.")
]


@app.command(name="key")
def new_key(name: Name, output: Output) -> None:
    """Make a key that signs releases, and print the public key that others verify with. Keep it offline."""
    signer = Signer.generate()
    key = NoteKey(name, signer.public_key)
    save_signer_file(output, signer)
    typer.echo(str(key))


@app.command(name="hash")
def print_hashes(folder: Folder = BUILT) -> None:
    """Print the text that a release signs: its version, and the SHA-384 of each file of the pages."""
    typer.echo(_release(folder).text, nl=False)


@app.command()
def sign(
    key: Annotated[Path, typer.Option(metavar="FILE", help="The key, from `relay pages key`.")],
    name: Name,
    output: Output,
    folder: Folder = BUILT,
    beside: Annotated[
        Path | None,
        typer.Option(metavar="NOTE", help="A note of the same pages, to add a signature to."),
    ] = None,
) -> None:
    """Sign the hashes of the pages that are built here, as a note of C2SP (c2sp.org/signed-note)."""
    signer = load_signer_file(key)
    release = _release(folder)
    if beside is None:
        note = sign_note(release.text, name, signer)
    else:
        note = sign_note_again(beside.read_text("utf-8"), name, signer)
        opened = open_note(note.encode(), [NoteKey(name, signer.public_key)])
        if opened.text != release.text:
            raise NoteUnusable(f"{beside} is of other pages than {folder}")
    write_new(output, note.encode(), secret=False)
    Console().print(f"{len(release.hashes)} files of release {release.version}: {output.name}")


@app.command()
def webcat(
    folder: Folder = BUILT,
    embed_origin: Annotated[
        list[str] | None,
        typer.Option(metavar="ORIGIN", help="As RELAY_EMBED_ORIGINS of that relay: all of them."),
    ] = None,
) -> None:
    """Print the manifest of these pages for WEBCAT, unsigned; `webcat manifest sign` signs it."""
    files = files_of_build(folder)
    if not files:
        raise typer.BadParameter(f"there is no build in {folder}: make pages")
    files[LIST] = (folder / LIST).read_bytes()
    origins = embed_origins(",".join(embed_origin or ()))
    manifest = webcat_manifest(files, metadata.version("relay"), origins)
    typer.echo(msgspec.json.format(msgspec.json.encode(manifest)).decode())


def _release(folder: Path) -> Release:
    hashes = hashes_of_build(folder)
    if not hashes:
        raise typer.BadParameter(f"there is no build in {folder}: make pages")
    return Release(metadata.version("relay"), hashes)
