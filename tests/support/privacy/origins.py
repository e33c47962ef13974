"""Listens wherever a secret comes into being in a process of the tests, so that nobody has to name one.

What is random is secret, unless its maker is in `PUBLIC`; so is every private key, passphrase, proof
and bearer, and whatever is sealed, typed into a page or sent with a form.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import functools
import secrets
import sys
import uuid
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

import aiohttp
import jwt
from aiohttp import hdrs
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from relay.client import sealing
from relay.crypto import age, keyrings, links, signing
from relay.crypto.encoding import b64u_encode
from relay.services import submissions
from tests.support.privacy.net import net
from tests.support.privacy.rewiring import after_calling, after_making, before_calling, put, rebind

PUBLIC: Final = {
    ("relay.crypto.signed", "new_nonce"): "stands in a statement, which its readers are given",
    ("relay.crypto.stream", "__init__"): "the nonce in front of a body",
    ("relay.crypto.scrypt", "wrap"): "the salt in the header of a file",
    ("relay.doctor.store", "check_store"): "the name of an object that is written and deleted",
}
"""Makers of random bytes that are no secret, by module and function, with the reason."""

_OWN: Final = ("relay.", "workers.", "example_host.")
_SAMPLE_BYTES: Final = 4096


def listen() -> None:
    """From now on, for the rest of the run; once every module of the tests is there."""
    _randomness()
    _keys()
    _links()
    _passphrases()
    _contents()
    _requests()
    _pages()


def _randomness() -> None:
    for name in ("token_bytes", "token_hex", "token_urlsafe"):
        put(secrets, name, functools.partial(_remembered, getattr(secrets, name)))


def _remembered(make: Callable[..., Any], *args: Any) -> Any:
    made = make(*args)
    caller = sys._getframe(1)  # noqa: SLF001 - the maker is told by who asks
    module = caller.f_globals.get("__name__", "")
    if module.startswith(_OWN) and (module, caller.f_code.co_name) not in PUBLIC:
        net().know(f"what {module} made at random", made)
    return made


def _keys() -> None:
    def of_identity(identity: age.HybridIdentity | age.X25519Identity) -> None:
        net().know(
            "a private key",
            identity.seed if isinstance(identity, age.HybridIdentity) else identity.secret,
        )
        net().know("a private key", str(identity))

    after_making(signing.Signer, lambda signer: net().know("a private key", signer.seed))
    after_making(age.HybridIdentity, of_identity)
    after_making(age.X25519Identity, of_identity)
    after_calling(
        Ed25519PrivateKey,
        "generate",
        lambda key: net().know("a key that signs tokens", key.private_bytes_raw()),
    )
    after_calling(
        jwt,
        "encode",
        lambda made: net().know("a token of the case system", made.rpartition(".")[2]),
    )


def _links() -> None:
    def of_link(given: bytes) -> None:
        net().know("what a link's secret gives", given)
        net().know("what a link's secret gives", b64u_encode(given))

    after_making(links.LinkSecret, lambda link: net().know("the secret of a link", link.secret))
    for name in ("auth", "claim_key", "unlock"):
        after_calling(links.LinkSecret, name, of_link)


def _passphrases() -> None:
    def of_stretched(stretched: keyrings.Stretched) -> None:
        net().know("the proof of a passphrase", stretched.proof)
        net().know("the key of a keyring", stretched.ring_key)

    for kind in (age.ScryptRecipient, age.ScryptIdentity):
        after_making(kind, lambda file: net().know("a passphrase", file.passphrase))
    after_making(keyrings.Stretched, of_stretched)
    _told_first(keyrings.stretch_passphrase, "a passphrase")
    _told_first(submissions.hash_receipt, "a receipt")


def _told_first(function: Callable[..., Any], kind: str) -> None:
    """Have the first argument of a function told of, whoever calls it."""

    @functools.wraps(function)
    def called(first: str, *args: Any, **options: Any) -> Any:
        net().know(kind, first)
        return function(first, *args, **options)

    rebind(function, called)


def _contents() -> None:
    def of_plaintext(data: Any) -> None:
        sample = bytes(memoryview(data).cast("B")[:_SAMPLE_BYTES])
        net().know_content("what was sealed", sample.rstrip(b"\0").removesuffix(b"\x80"))

    before_calling(age.Sealer, "update", of_plaintext)
    seal_file, unwrap = sealing.seal_file, age.unwrap_header

    @functools.wraps(seal_file)
    def sealed(case_id: uuid.UUID, role: Any, source: Any, *args: Any) -> Any:
        name = getattr(source, "name", None)
        if isinstance(name, str):
            net().know("the name of a file", Path(name).name)
        return seal_file(case_id, role, source, *args)

    @functools.wraps(unwrap)
    def unwrapped(*args: Any, **options: Any) -> bytes:
        key = unwrap(*args, **options)
        net().know("a file key", key)
        return key

    rebind(seal_file, sealed)
    rebind(unwrap, unwrapped)


async def _begins(
    _session: aiohttp.ClientSession,
    _context: SimpleNamespace,
    request: aiohttp.TraceRequestStartParams,
) -> None:
    """A request is about to go out: its bearer, and whatever an upload is called."""
    shown = request.headers.get(hdrs.AUTHORIZATION, "")
    net().know("a bearer", shown.partition(" ")[2])
    for pair in request.headers.get("Upload-Metadata", "").split(","):
        name, _, value = pair.strip().partition(" ")
        if name not in {"message", "revision"}:
            with contextlib.suppress(binascii.Error, ValueError):
                net().know("the name of a file", base64.b64decode(value))


async def _ends(
    _session: aiohttp.ClientSession,
    _context: SimpleNamespace,
    request: aiohttp.TraceRequestEndParams,
) -> None:
    for cookie in request.response.cookies.values():
        net().know("a cookie", cookie.value)


def _requests() -> None:
    open_session, listening = aiohttp.ClientSession.__init__, aiohttp.TraceConfig()
    listening.on_request_start.append(_begins)
    listening.on_request_end.append(_ends)

    @functools.wraps(open_session)
    def opened(session: aiohttp.ClientSession, *args: Any, **options: Any) -> None:
        options["trace_configs"] = [*(options.get("trace_configs") or ()), listening]
        open_session(session, *args, **options)

    def of_form(fields: Any = (), *_: Any, **__: Any) -> None:
        for _name, value in fields.items() if hasattr(fields, "items") else fields:
            if isinstance(value, str) and not _is_identifier(value):
                net().know("what a form holds", value)

    put(aiohttp.ClientSession, "__init__", opened)
    before_calling(aiohttp.FormData, "__init__", of_form)


def _is_identifier(value: str) -> bool:
    with contextlib.suppress(ValueError):
        return bool(uuid.UUID(value))
    return False


def _pages() -> None:
    """Where this run drives no browser, there are none."""
    playwright = sys.modules.get("playwright.async_api")
    if playwright is None:
        return

    def of_text(*texts: Any, **_: Any) -> None:
        for text in texts:
            if isinstance(text, str):
                net().know_content("what somebody typed", text)

    def of_files(files: Any, *_: Any, **__: Any) -> None:
        for file in files if isinstance(files, list) else [files]:
            called = file["name"] if isinstance(file, dict) else str(file)
            net().know("the name of a file", Path(called).name)

    before_calling(playwright.Locator, "fill", of_text)
    before_calling(playwright.Keyboard, "type", of_text)
    before_calling(playwright.Keyboard, "insert_text", of_text)
    before_calling(playwright.Locator, "set_input_files", of_files)
    before_calling(playwright.FileChooser, "set_files", of_files)
    inputs = sys.modules.get("tests.support.browser.inputs")
    if inputs is not None:
        before_calling(inputs.Keyboard, "write", of_text)
