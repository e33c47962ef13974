"""`relay profile`: looks through the file of a profile before relay starts with it."""

from __future__ import annotations

import hashlib
from typing import Annotated

import typer

from relay.services.profile import Programme


def profile(
    file: Annotated[
        str, typer.Argument(metavar="[FILE]", help="Without one: what relay says of itself.")
    ] = "",
) -> None:
    """Check a file for RELAY_PROFILE_FILE, and print its name, its numbers to call, and its hash.

    The hash is the SHA-256 of what GET /v1/profile answers on a relay that was started with this file.
    """
    programme = Programme.read(file)
    found = programme.profile
    typer.echo(f"{found.name.en} · {found.name.fr}")
    for line in found.crisis_lines:
        typer.echo(f"{line.telephone.shown} (tel:{line.telephone.dial})")
        typer.echo(f"  en  {line.name.en}")
        typer.echo(f"  fr  {line.name.fr}")
    if programme.logo is not None:
        typer.echo(f"logo {programme.logo.name}, {len(programme.logo.content):,} bytes")
    typer.echo(f"sha256 {hashlib.sha256(programme.served).hexdigest()}")
