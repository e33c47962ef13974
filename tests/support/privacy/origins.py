"""Listens wherever a secret comes into being in a process of the tests, so that nobody has to name one.

What is random is secret, unless its maker is in `PUBLIC`; so is every private key, passphrase, proof and bearer,
and whatever is sealed, typed into a page or sent with a form.
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
    _passphrases()
    _contents()
    _requests()
    _pages()


def _randomness() -> None:
    for name in ("token_bytes", "token_hex", "token_urlsafe"):
        _replace(secrets, name, functools.partial(_remembered, getattr(secrets, name)))


def _remembered(make: Callable[..., Any], *args: Any) -> Any:
    made = make(*args)
    caller = sys._getframe(1)  # noqa: SLF001 - the maker is told by who asks
    module = caller.f_globals.get("__name__", "")
    if module.startswith(_OWN) and (module, caller.f_code.co_name) not in PUBLIC:
        net().know(f"what {module} made at random", made)
    return made


def _keys() -> None:
    def of_signer(signer: signing.Signer, *_: object, **__: object) -> None:
        net().know("a private key", signer.seed)

    def of_identity(identity: Any, *_: object, **__: object) -> None:
        net().know("a private key", getattr(identity, "seed", None) or identity.secret)
        net().know("a private key", str(identity))

    def of_link(link: links.LinkSecret, *_: object, **__: object) -> None:
        net().know("the secret of a link", link.secret)

    def of_stretched(stretched: keyrings.Stretched, *_: object, **__: object) -> None:
        net().know("the proof of a passphrase", stretched.proof)
        net().know("the key of a keyring", stretched.ring_key)

    _after(signing.Signer, of_signer)
    _after(age.HybridIdentity, of_identity)
    _after(age.X25519Identity, of_identity)
    _after(links.LinkSecret, of_link)
    _after(keyrings.Stretched, of_stretched)
    for name in ("auth", "claim_key", "unlock"):
        _tell(links.LinkSecret, name, "what a link's secret gives")
    generate = Ed25519PrivateKey.generate

    def generated() -> Ed25519PrivateKey:
        key = generate()
        net().know("a key that signs tokens", key.private_bytes_raw())
        return key

    Ed25519PrivateKey.generate = generated  # type: ignore[method-assign]
    _replace(jwt, "encode", functools.partial(_minted, jwt.encode))


def _minted(encode: Callable[..., str], *args: Any, **options: Any) -> str:
    made = encode(*args, **options)
    net().know("a token of the case system", made.rpartition(".")[2])
    return made


def _passphrases() -> None:
    def of_passphrase(file: Any, *_: object, **__: object) -> None:
        net().know("a passphrase", file.passphrase)

    _after(age.ScryptRecipient, of_passphrase)
    _after(age.ScryptIdentity, of_passphrase)
    stretch = keyrings.stretch_passphrase

    @functools.wraps(stretch)
    def stretched(passphrase: str, *args: Any) -> keyrings.Stretched:
        net().know("a passphrase", passphrase)
        return stretch(passphrase, *args)

    _rebind(stretch, stretched)
    hash_receipt = submissions.hash_receipt

    @functools.wraps(hash_receipt)
    def hashed(code: str) -> bytes:
        net().know("a receipt", code)
        return hash_receipt(code)

    _rebind(hash_receipt, hashed)


def _contents() -> None:
    update, seal_file, unwrap = age.Sealer.update, sealing.seal_file, age.unwrap_header

    @functools.wraps(update)
    def updated(sealer: age.Sealer, data: Any) -> bytes:
        sample = bytes(memoryview(data).cast("B")[:_SAMPLE_BYTES])
        net().know_content("what was sealed", sample.rstrip(b"\0").removesuffix(b"\x80"))
        return update(sealer, data)

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

    age.Sealer.update = updated  # type: ignore[method-assign]
    _rebind(seal_file, sealed)
    _rebind(unwrap, unwrapped)


def _requests() -> None:
    open_session, form = aiohttp.ClientSession.__init__, aiohttp.FormData.__init__

    async def begins(
        _session: aiohttp.ClientSession,
        _context: SimpleNamespace,
        request: aiohttp.TraceRequestStartParams,
    ) -> None:
        shown = request.headers.get(hdrs.AUTHORIZATION, "")
        net().know("a bearer", shown.partition(" ")[2])
        for pair in request.headers.get("Upload-Metadata", "").split(","):
            name, _, value = pair.strip().partition(" ")
            if name not in {"message", "revision"}:
                with contextlib.suppress(binascii.Error, ValueError):
                    net().know("the name of a file", base64.b64decode(value))

    async def ends(
        _session: aiohttp.ClientSession,
        _context: SimpleNamespace,
        request: aiohttp.TraceRequestEndParams,
    ) -> None:
        for cookie in request.response.cookies.values():
            net().know("a cookie", cookie.value)

    listening = aiohttp.TraceConfig()
    listening.on_request_start.append(begins)
    listening.on_request_end.append(ends)

    @functools.wraps(open_session)
    def opened(session: aiohttp.ClientSession, *args: Any, **options: Any) -> None:
        options["trace_configs"] = [*(options.get("trace_configs") or ()), listening]
        open_session(session, *args, **options)

    @functools.wraps(form)
    def filled(data: aiohttp.FormData, fields: Any = (), **options: Any) -> None:
        form(data, fields, **options)
        for _name, value in fields.items() if hasattr(fields, "items") else fields:
            if isinstance(value, str) and not _is_identifier(value):
                net().know("what a form holds", value)

    aiohttp.ClientSession.__init__ = opened  # type: ignore[method-assign]
    aiohttp.FormData.__init__ = filled  # type: ignore[method-assign]


def _pages() -> None:
    """Where this run drives no browser, there are none."""
    playwright = sys.modules.get("playwright.async_api")
    if playwright is None:
        return
    _typed(playwright.Locator, "fill")
    _typed(playwright.Keyboard, "type")
    _typed(playwright.Keyboard, "insert_text")
    _picked(playwright.Locator, "set_input_files")
    _picked(playwright.FileChooser, "set_files")
    inputs = sys.modules.get("tests.support.browser.inputs")
    if inputs is not None:
        _typed(inputs.Keyboard, "write")


def _typed(kind: Any, name: str) -> None:
    write = getattr(kind, name)

    @functools.wraps(write)
    async def written(field: Any, *args: Any, **options: Any) -> Any:
        for text in args:
            if isinstance(text, str):
                net().know_content("what somebody typed", text)
        return await write(field, *args, **options)

    setattr(kind, name, written)


def _picked(kind: Any, name: str) -> None:
    pick = getattr(kind, name)

    @functools.wraps(pick)
    async def picked(field: Any, files: Any, *args: Any, **options: Any) -> Any:
        for file in files if isinstance(files, list) else [files]:
            called = file["name"] if isinstance(file, dict) else str(file)
            net().know("the name of a file", Path(called).name)
        return await pick(field, files, *args, **options)

    setattr(kind, name, picked)


def _is_identifier(value: str) -> bool:
    with contextlib.suppress(ValueError):
        return bool(uuid.UUID(value))
    return False


def _after(kind: Any, tell: Callable[..., None]) -> None:
    """Have each one that is made told of."""
    make = kind.__init__

    @functools.wraps(make)
    def made(one: Any, *args: Any, **options: Any) -> None:
        make(one, *args, **options)
        tell(one)

    kind.__init__ = made


def _tell(kind: Any, name: str, what: str) -> None:
    """Have what a method gives told of."""
    method = getattr(kind, name)

    @functools.wraps(method)
    def told(one: Any, *args: Any) -> bytes:
        found: bytes = method(one, *args)
        net().know(what, found)
        net().know(what, b64u_encode(found))
        return found

    setattr(kind, name, told)


def _replace(module: Any, name: str, by: Callable[..., Any]) -> None:
    setattr(module, name, by)


def _rebind(original: Callable[..., Any], by: Callable[..., Any]) -> None:
    """Put one function in the place of another in every module that has imported it by its name."""
    for module in list(sys.modules.values()):
        for name, value in list(getattr(module, "__dict__", {}).items()):
            if value is original:
                setattr(module, name, by)
