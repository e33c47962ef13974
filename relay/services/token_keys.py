"""The keys that verify tokens of the case system: a JSON Web Key Set in a file or at a URL, kept up to date.

The set is read again every minute, so a key that was removed from it is forgotten. While it cannot be read,
the keys that are known go on for ten minutes. A broken key is left out, and the others are used.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import json
import logging
import time
from collections.abc import Collection, Iterator, Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Final, TypeAlias

import aiohttp
import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt.algorithms import OKPAlgorithm, RSAAlgorithm

from relay.domain.tokens import Refusal, TokenRefused
from relay.errors import Unavailable

_log = logging.getLogger(__name__)

REFRESH_SECONDS: Final = 60.0
"""Between two reads: how long a removed key is still accepted."""
RETRY_SECONDS: Final = 10.0
"""Between two tries while the set cannot be read; and between two reads for keys that are not known."""
FIRST_RETRY_SECONDS: Final = 1.0
"""The same before the set was read for the first time: a case system may start after relay."""
KEPT_SECONDS: Final = 10 * 60.0
"""How long known keys go on while the set cannot be read."""
FETCH_SECONDS: Final = 5.0
RSA_LEAST_BITS: Final = 2048

ALGORITHMS: Final[Mapping[str, Collection[str]]] = {"OKP": ("EdDSA", "Ed25519"), "RSA": ("RS256",)}
"""By the kind of key. A key whose `alg` names one of them takes that one alone."""

PublicKey: TypeAlias = Ed25519PublicKey | RSAPublicKey

with contextlib.suppress(ValueError):  # a PyJWT that knows the name of RFC 9864 by itself
    jwt.register_algorithm("Ed25519", OKPAlgorithm())


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class TokenKey:
    """A public key, and the algorithms that it may be used with."""

    public: PublicKey
    algorithms: Collection[str]


class _Unusable(Exception):
    """A member of the set is not a key that can verify a token; the text says why."""


class TokenKeys:
    """The keys of one set, by `kid`."""

    def __init__(self, source: str) -> None:
        """`source`: a file or a URL; empty for no keys at all."""
        self._source = source
        self._keys: Mapping[str, TokenKey] = {}
        self._left_out: Collection[str] = ()
        self._read_at = self._tried_at = float("-inf")
        """When the set was read last, and when that was tried last; monotonic seconds."""
        self._reading: asyncio.Task[None] | None = None
        self._keeper: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Read now, and again every minute until `close`."""
        if self._source:
            self._keeper = asyncio.create_task(self._keep())

    async def close(self) -> None:
        """Stop reading."""
        tasks = [task for task in (self._keeper, self._reading) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def find(self, kid: str) -> TokenKey:
        """The key of that name.

        TokenRefused where the set has none; Unavailable where it cannot be read, and nobody knows.
        """
        if not self._source:
            raise TokenRefused(Refusal.NO_KEY_SET)
        if kid not in self._keys or self._age > KEPT_SECONDS:
            await self._read_again()
        if self._age > KEPT_SECONDS or (kid not in self._keys and self._is_away):
            raise Unavailable("the key set of the case system cannot be read")
        if kid not in self._keys:
            raise TokenRefused(Refusal.UNKNOWN_KEY)
        return self._keys[kid]

    @property
    def _age(self) -> float:
        return time.monotonic() - self._read_at

    @property
    def _retry_seconds(self) -> float:
        return FIRST_RETRY_SECONDS if self._read_at == float("-inf") else RETRY_SECONDS

    @property
    def _is_away(self) -> bool:
        """Whether the last try to read the set failed."""
        return self._read_at < self._tried_at

    async def _keep(self) -> None:
        while True:
            await self._read_again()
            pause = self._retry_seconds if self._is_away else REFRESH_SECONDS
            await asyncio.sleep(self._tried_at + pause - time.monotonic())

    async def _read_again(self) -> None:
        """Read, or wait for the read that runs; nothing where the last one has just been.

        A read goes on when whoever asked for it is gone: to hang up does not keep a new key out.
        """
        if self._reading is None or self._reading.done():
            if time.monotonic() - self._tried_at < self._retry_seconds:
                return
            self._tried_at = time.monotonic()
            self._reading = asyncio.create_task(self._read())
        await asyncio.shield(self._reading)

    async def _read(self) -> None:
        try:
            content = await fetch_key_set(self._source)
            keys, left_out = parse_key_set(content)
        except Exception as error:  # noqa: BLE001 - whatever it is, the set was not read
            _log.warning("the key set of the case system: %s", type(error).__name__)
            return
        if left_out != self._left_out:
            for why in left_out:
                _log.warning("the key set of the case system: %s", why)
        if keys != self._keys:
            _log.info("the key set of the case system: usable keys: %d", len(keys))
        self._keys, self._left_out = keys, left_out
        self._read_at = time.monotonic()


async def fetch_key_set(source: str) -> bytes:
    """What is in that file or at that URL; an error of either, where it cannot be had."""
    if not source.startswith(("http://", "https://")):
        return await asyncio.to_thread(Path(source).read_bytes)
    timeout = aiohttp.ClientTimeout(total=FETCH_SECONDS)
    async with (
        aiohttp.ClientSession(timeout=timeout, raise_for_status=True) as http,
        http.get(source, allow_redirects=False) as response,
    ):
        if (
            response.status != HTTPStatus.OK
        ):  # the operator named the address, and nobody names another
            raise OSError(f"answered {response.status}")
        return await response.read()


def parse_key_set(content: bytes) -> tuple[Mapping[str, TokenKey], list[str]]:
    """The keys of a JSON Web Key Set by `kid`, and for each that is left out a sentence with the reason.

    ValueError or RecursionError where it is no such set. A set without any key is one.
    """
    document = json.loads(content)
    members = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(members, list):
        raise ValueError("no list of keys")  # noqa: TRY004 - of what a file holds, not of an argument
    keys: dict[str, TokenKey] = {}
    left_out: list[str] = []
    for number, member in enumerate(members, start=1):
        try:
            kid, key = _parse_key(member)
        except _Unusable as why:
            left_out.append(f"key {number} is left out: {why}")
        else:
            if kid in keys:
                left_out.append(f"key {number} is left out: an earlier one has its name (kid)")
            keys.setdefault(kid, key)
    return keys, left_out


def _parse_key(member: object) -> tuple[str, TokenKey]:
    if not isinstance(member, dict):
        raise _Unusable("it is no JSON object")
    for why in _objections(member):
        raise _Unusable(why)
    algorithms = ALGORITHMS[member["kty"]]
    parse = OKPAlgorithm.from_jwk if member["kty"] == "OKP" else RSAAlgorithm.from_jwk
    try:
        public = parse(member)
    except Exception:  # noqa: BLE001 - a library made of it what it would; the key is lost, and no other
        raise _Unusable("it cannot be read as a key") from None
    if not isinstance(public, Ed25519PublicKey | RSAPublicKey):
        raise _Unusable("it is not on the curve Ed25519")
    if isinstance(public, RSAPublicKey) and public.key_size < RSA_LEAST_BITS:
        raise _Unusable(f"it has fewer than {RSA_LEAST_BITS} bits")
    own = member.get("alg")
    return member["kid"], TokenKey(public=public, algorithms=(own,) if own else algorithms)


def _objections(member: Mapping[str, object]) -> Iterator[str]:
    """What a key says of itself that keeps it from being used."""
    kid, kind, uses = member.get("kid"), member.get("kty"), member.get("key_ops", ["verify"])
    if not isinstance(kid, str) or not kid:
        yield "it has no name (kid)"
    if not isinstance(kind, str) or kind not in ALGORITHMS:
        yield f"its kind (kty) is none of {', '.join(ALGORITHMS)}"
    elif "alg" in member and member["alg"] not in ALGORITHMS[kind]:
        yield f"its algorithm (alg) is none of {', '.join(ALGORITHMS[kind])}"
    if member.get("use", "sig") != "sig" or not isinstance(uses, list) or "verify" not in uses:
        yield "it is not for verifying (use, key_ops)"
    if "d" in member:
        yield "it holds the private key"
