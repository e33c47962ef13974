"""Tokens of the case system: JSON Web Tokens signed with EdDSA or RS256, keys from a JWK set.

The only file that imports jwt. A token must carry `sub`, `exp`, `iat`, the issuer and the audience of the
settings; keys are read from a file or a URL and read again when a token names one that is not known.
"""

from __future__ import annotations

import asyncio
import logging
import re
import time
from pathlib import Path
from typing import Final

import aiohttp
import jwt

from relay.domain.actors import Service
from relay.errors import ConfigurationError, Unauthenticated, Unavailable
from relay.settings import Settings

_SUBJECT: Final = re.compile(r"[A-Za-z0-9._:@-]{1,100}")
_log = logging.getLogger(__name__)

ALGORITHMS: Final = ("EdDSA", "RS256")
RELOAD_SECONDS: Final = 10.0
"""A token with an unknown key makes relay read the set again, but not more often than this."""
FETCH_SECONDS: Final = 5.0
LEEWAY_SECONDS: Final = 30
LIFETIME_MAX_SECONDS: Final = 60 * 60


class ServiceTokens:
    """Verifies the bearer of the case system."""

    def __init__(self, settings: Settings) -> None:
        self._source = settings.service_jwks
        self._issuer = settings.service_issuer
        self._audience = settings.service_audience
        self._keys: dict[str, jwt.PyJWK] = {}
        self._loaded_at = float("-inf")
        self._lock = asyncio.Lock()
        if self._source and not self._issuer:
            raise ConfigurationError("RELAY_SERVICE_JWKS needs RELAY_SERVICE_ISSUER")

    async def verify(self, token: str) -> Service:
        """The bearer of a valid token; Unauthenticated for any other."""
        try:
            header = jwt.get_unverified_header(token)
            key = await self._key(str(header.get("kid", "")))
            claims = jwt.decode(
                token,
                key,
                algorithms=ALGORITHMS,
                issuer=self._issuer,
                audience=self._audience,
                leeway=LEEWAY_SECONDS,
                options={"require": ["exp", "iat", "sub", "iss", "aud"]},
            )
            lifetime = claims["exp"] - claims["iat"]
        except (jwt.PyJWTError, ArithmeticError, RecursionError, TypeError, ValueError) as error:
            # Whatever else a header or a payload of any shape makes of the library.
            raise Unauthenticated(f"service token: {type(error).__name__}") from None
        if lifetime > LIFETIME_MAX_SECONDS:
            raise Unauthenticated("service token lives too long")
        if not _SUBJECT.fullmatch(str(claims["sub"])):
            raise Unauthenticated("the subject of a service token")
        return Service(subject=claims["sub"])

    async def _key(self, kid: str) -> jwt.PyJWK:
        if kid not in self._keys and self._source:
            async with self._lock:
                if time.monotonic() - self._loaded_at > RELOAD_SECONDS:
                    self._keys = await self._load()
                    self._loaded_at = time.monotonic()
        if kid not in self._keys:
            raise Unauthenticated("service token with an unknown key")
        return self._keys[kid]

    async def _load(self) -> dict[str, jwt.PyJWK]:
        try:
            if self._source.startswith(("http://", "https://")):
                timeout = aiohttp.ClientTimeout(total=FETCH_SECONDS)
                async with (
                    aiohttp.ClientSession(timeout=timeout, raise_for_status=True) as client,
                    client.get(self._source) as response,
                ):
                    text = await response.text()
            else:
                text = await asyncio.to_thread(Path(self._source).read_text, "utf-8")
            keys = jwt.PyJWKSet.from_json(text).keys
        except (OSError, TimeoutError, aiohttp.ClientError, jwt.PyJWTError, ValueError) as error:
            _log.warning("the key set of the case system: %s", type(error).__name__)
            raise Unavailable("the key set of the case system cannot be read") from None
        return {key.key_id: key for key in keys if key.key_id and key.algorithm_name in ALGORITHMS}
