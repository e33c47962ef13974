"""Tokens of the case system: JSON Web Tokens (RFC 7519, 8725) by a key of its set, each for some scopes.

A token names its key by `kid` and carries `iss`, `aud`, `sub`, `iat` and `exp`; `scope` says what it is for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import jwt
from jwt.exceptions import InvalidSubjectError

from relay.domain.actors import Service
from relay.domain.tokens import Refusal, Scope, TokenRefused
from relay.errors import ConfigurationError
from relay.services.token_keys import TokenKeys
from relay.settings import Settings

_SUBJECT: Final = re.compile(r"[A-Za-z0-9._:@-]{1,100}")

LEEWAY_SECONDS: Final = 30
LIFETIME_MAX_SECONDS: Final = 60 * 60

MISSING: Final[Mapping[str, Refusal]] = {
    "iss": Refusal.NO_ISSUER,
    "aud": Refusal.NO_AUDIENCE,
    "sub": Refusal.NO_SUBJECT,
    "iat": Refusal.NO_BEGINNING,
    "exp": Refusal.NO_END,
}
"""By the claim that is required."""
_REFUSALS: Final[Mapping[type[Exception], Refusal]] = {
    jwt.InvalidSignatureError: Refusal.BAD_SIGNATURE,
    jwt.InvalidAlgorithmError: Refusal.WRONG_ALGORITHM,
    jwt.InvalidIssuerError: Refusal.WRONG_ISSUER,
    jwt.InvalidAudienceError: Refusal.WRONG_AUDIENCE,
    InvalidSubjectError: Refusal.WRONG_SUBJECT,
    jwt.InvalidIssuedAtError: Refusal.WRONG_TIME,
    jwt.ImmatureSignatureError: Refusal.NOT_YET,
    jwt.ExpiredSignatureError: Refusal.ENDED,
}


class ServiceTokens:
    """Verifies the bearer of the case system."""

    def __init__(self, settings: Settings) -> None:
        self._issuer = settings.service_issuer
        self._audience = settings.service_audience
        self._keys = TokenKeys(settings.service_jwks)
        if settings.service_jwks and not self._issuer:
            raise ConfigurationError("RELAY_SERVICE_JWKS needs RELAY_SERVICE_ISSUER")

    def start(self) -> None:
        """Keep the key set up to date, until `close`."""
        self._keys.start()

    async def close(self) -> None:
        """Stop doing so."""
        await self._keys.close()

    async def verify(self, token: str) -> Service:
        """The bearer of a valid token; TokenRefused for any other, Unavailable without the key set.

        The signature comes first: nobody without a key is told anything about claims.
        """
        try:
            key = await self._keys.find(_kid(token))
            claims = jwt.decode(
                token,
                key.public,
                algorithms=list(key.algorithms),
                issuer=self._issuer,
                audience=self._audience,
                leeway=LEEWAY_SECONDS,
                options={"require": list(MISSING)},
            )
        except jwt.MissingRequiredClaimError as error:
            raise TokenRefused(MISSING[error.claim]) from None
        except jwt.PyJWTError as error:
            raise TokenRefused(_REFUSALS.get(type(error), Refusal.MALFORMED)) from None
        except (ArithmeticError, RecursionError, TypeError, ValueError):
            # Whatever else a header or a payload of any shape makes of the library.
            raise TokenRefused(Refusal.MALFORMED) from None
        for refusal in _objections(claims):
            raise TokenRefused(refusal)
        return Service(subject=claims["sub"], scopes=_scopes(claims))


def _kid(token: str) -> str:
    kid = jwt.get_unverified_header(token).get("kid")
    if not kid:
        raise TokenRefused(Refusal.NO_KID)
    return str(kid)


def _objections(claims: Mapping[str, Any]) -> Iterator[Refusal]:
    """What the library lets through, and relay does not."""
    times = [claims[name] for name in ("iat", "exp", "nbf") if name in claims]
    if any(type(time) not in {int, float} for time in times):
        yield Refusal.WRONG_TIME
    elif claims["exp"] > claims["iat"] + LIFETIME_MAX_SECONDS:
        yield Refusal.LIVES_TOO_LONG
    if isinstance(claims["aud"], list) and len(claims["aud"]) > 1:
        # Each of the others could show it here.
        yield Refusal.SEVERAL_AUDIENCES
    if not _SUBJECT.fullmatch(claims["sub"]):
        yield Refusal.WRONG_SUBJECT
    if not isinstance(claims.get("scope", ""), str):
        yield Refusal.WRONG_SCOPE


def _scopes(claims: Mapping[str, Any]) -> frozenset[Scope]:
    """Those of the token that relay knows; others are for other services."""
    named = claims.get("scope", "").split(" ")
    return frozenset(scope for scope in Scope if scope in named)
