"""`relay keys`: new keys for a media worker, the case system, recovery, or a mediator without a browser."""

from __future__ import annotations

import uuid
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from rich.console import Console

from relay.client.certifying import key_set, request_for, write_new
from relay.crypto.keyfiles import save_keyring_file
from relay.crypto.keyrings import generate_keyring

app = typer.Typer(no_args_is_help=True, help="New keys, and the request for the root to sign.")


class KeyRole(StrEnum):
    """Whose keys they are."""

    MEDIATOR = "mediator"
    MEDIA = "media"
    RECOVERY = "recovery"
    SERVICE = "service"


@app.callback()
def keys() -> None:
    """New keys, and the request for the root to sign."""


@app.command()
def new(
    role: Annotated[KeyRole, typer.Argument(help="What the keys are for.")],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Where the secret keys go; must not exist.")
    ],
    request: Annotated[
        Path, typer.Option("--request", help="Where the request goes; must not exist.")
    ],
    person: Annotated[
        uuid.UUID | None,
        typer.Option(help="For renewed keys: the person that the earlier credential names."),
    ] = None,
) -> None:
    """Make keys. The first file is secret and readable by its owner alone; the second goes to the root."""
    keyring = generate_keyring()
    credential_id = uuid.uuid4()
    asked = request_for(credential_id, role.value, keyring, person=person)
    write_new(request, msgspec.json.format(msgspec.json.encode(asked)) + b"\n", secret=False)
    save_keyring_file(output, keyring, credential_id)
    Console().print(
        f"{role} {credential_id} of {asked.person}: now have {request.name} signed by the root"
    )


@app.command()
def token(
    output: Annotated[
        Path,
        typer.Option("--output", "-o", help="Where the secret key (PEM) goes; must not exist."),
    ],
    public: Annotated[
        Path,
        typer.Option(
            "--key-set", help="Where the key set for RELAY_SERVICE_JWKS goes; must not exist."
        ),
    ],
    kid: Annotated[
        str, typer.Option(help="The name of the key in the set and in every token.")
    ] = "case-system",
) -> None:
    """Make the key that a case system signs its tokens with, and the key set that relay verifies them by."""
    key = Ed25519PrivateKey.generate()
    write_new(public, key_set(key, kid).encode("ascii") + b"\n", secret=False)
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    write_new(output, pem, secret=True)
    Console().print(f"key {kid}: keep {output.name}, and give {public.name} to whoever runs relay")
