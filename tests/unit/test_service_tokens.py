"""Tokens of the case system: one that is not exactly right is refused, and it is said why."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Final

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from relay.client.case_system import CaseSystem
from relay.client.connection import Connection
from relay.domain.tokens import Refusal, Scope, TokenRefused
from relay.errors import ConfigurationError, Unavailable
from relay.services.tokens import LEEWAY_SECONDS, LIFETIME_MAX_SECONDS, ServiceTokens
from relay.settings import Settings
from relay.testing.people import ISSUER
from tests.support.tokens import Forge, jwk, jwks

RSA: Final = rsa.generate_private_key(65537, 2048)
FORGE: Final = Forge(key=Ed25519PrivateKey.generate())
REFUSED: Final = tuple(FORGE.refused())
"""What is wrong with them; each is made when it is tried, since it would have ended by then."""


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    """The key set of the case system: its own key, one of each other form, and one of RSA."""
    file = tmp_path / "keys.json"
    keys = [
        jwk(FORGE.key, FORGE.kid),
        jwk(FORGE.key, "old name", alg="EdDSA"),
        jwk(FORGE.key, "new name", alg="Ed25519"),
        jwk(FORGE.key, "no name", alg=None),
        jwk(RSA, "rsa"),
    ]
    file.write_text(jwks(*keys), "utf-8")
    return file


@pytest.fixture
def tokens(key_file: Path) -> ServiceTokens:
    """What verifies, on that file."""
    return ServiceTokens(settings(str(key_file)))


def settings(source: str, issuer: str = ISSUER) -> Settings:
    """Those that name a key set."""
    return Settings.from_environment(
        {
            "RELAY_DATABASE_URL": "postgresql://nowhere/relay",
            "RELAY_REDIS_URL": "redis://nowhere",
            "RELAY_S3_ENDPOINT": "http://nowhere",
            "RELAY_S3_ACCESS_KEY": "access",
            "RELAY_S3_SECRET_KEY": "secret",
            "RELAY_SERVICE_JWKS": source,
            "RELAY_SERVICE_ISSUER": issuer,
        }
    )


async def refusal_of(tokens: ServiceTokens, token: str) -> Refusal:
    """Why it is refused."""
    with pytest.raises(TokenRefused) as refused:
        await tokens.verify(token)
    return refused.value.refusal


async def test_a_token_of_the_case_system_names_it(tokens: ServiceTokens) -> None:
    """By its subject; for as long as a token may live, and no clock is exact."""
    now = int(time.time())
    assert (await tokens.verify(FORGE.token())).subject == "cases"
    for times in (
        {"iat": now, "exp": now + LIFETIME_MAX_SECONDS},
        {"iat": now + 0.5, "exp": now + 60.25},
        {"exp": now - LEEWAY_SECONDS // 2},
        {"iat": now + LEEWAY_SECONDS // 2},
        {"nbf": now},
        {"aud": ["relay"]},
    ):
        assert (await tokens.verify(FORGE.token(**times))).subject == "cases"


@pytest.mark.parametrize("wrong", REFUSED)
async def test_one_that_is_not_exactly_right_is_refused(tokens: ServiceTokens, wrong: str) -> None:
    """Each for its own reason."""
    token, refusal = FORGE.refused()[wrong]
    assert await refusal_of(tokens, token) is refusal


async def test_a_life_is_not_longer_for_the_leeway(tokens: ServiceTokens) -> None:
    """An hour, counted from what the token says of itself."""
    now = int(time.time())
    token = FORGE.token(iat=now, exp=now + LIFETIME_MAX_SECONDS + 1)
    assert await refusal_of(tokens, token) is Refusal.LIVES_TOO_LONG


@pytest.mark.parametrize(
    ("kid", "taken"),
    [
        ("old name", {"EdDSA"}),
        ("new name", {"Ed25519"}),
        ("no name", {"EdDSA", "Ed25519"}),
        ("rsa", {"RS256"}),
    ],
)
async def test_the_algorithm_is_the_one_of_the_key(
    tokens: ServiceTokens, kid: str, taken: set[str]
) -> None:
    """EdDSA and Ed25519 are one algorithm by two names; what a key says of itself counts all the same."""
    for alg, key in (
        ("EdDSA", FORGE.key),
        ("Ed25519", FORGE.key),
        ("RS256", RSA),
        ("RS512", RSA),
        ("PS256", RSA),
    ):
        token = FORGE.token(key=key, kid=kid, alg=alg)
        if alg in taken:
            assert (await tokens.verify(token)).subject == "cases"
        else:
            assert await refusal_of(tokens, token) is Refusal.WRONG_ALGORITHM


@pytest.mark.parametrize(
    ("claim", "known"),
    [
        (None, set()),
        ("", set()),
        ("cases:read", {Scope.CASES_READ}),
        ("mail:read cases:read openid log:read", {Scope.CASES_READ, Scope.LOG_READ}),
        ("CASES:READ cases:reading cases: read", set()),
        ("cases:read\tlog:read", set()),
        ("cases:read,log:read", set()),
    ],
)
async def test_a_token_is_for_the_scopes_that_it_names(
    tokens: ServiceTokens, claim: str | None, known: set[Scope]
) -> None:
    """Word for word, with spaces between; what relay does not know is somebody else's."""
    assert (await tokens.verify(FORGE.token(scope=claim))).scopes == known


async def test_the_client_asks_for_what_it_needs_alone(tokens: ServiceTokens) -> None:
    """Its tokens carry the scopes that were asked for."""
    connection = await Connection.open("http://nowhere")
    client = CaseSystem(connection, FORGE.key, kid=FORGE.kid, issuer=ISSUER)
    for scopes in ((), (Scope.LOG_READ,), tuple(Scope)):
        assert (await tokens.verify(client.token(*scopes))).scopes == set(scopes)
    await connection.close()


async def test_who_has_no_key_is_told_nothing_of_claims(tokens: ServiceTokens) -> None:
    """Whatever else is wrong with it, a signature that does not verify is all that is said."""
    stranger = Ed25519PrivateKey.generate()
    for changed in ({"iss": "x"}, {"aud": "x"}, {"exp": 1}, {"sub": None}, {"scope": 1}):
        token = FORGE.token(key=stranger, **changed)
        assert await refusal_of(tokens, token) is Refusal.BAD_SIGNATURE


@pytest.mark.parametrize("refusal", Refusal)
def test_a_refusal_fits_into_a_header(refusal: Refusal) -> None:
    """RFC 6750 allows printable ASCII without quotes and backslash, and people want a short sentence."""
    assert re.fullmatch(r"[ !#-\[\]-~]{10,100}", refusal)


async def test_a_key_set_at_an_address_that_does_not_answer_is_said() -> None:
    """It is unavailable to anyone who asks, and not their token that is wrong."""
    with pytest.raises(Unavailable):
        await ServiceTokens(settings("http://127.0.0.1:1/keys")).verify(FORGE.token())


async def test_without_a_key_set_no_token_is_taken() -> None:
    """Relay runs without a case system."""
    assert await refusal_of(ServiceTokens(settings("", "")), FORGE.token()) is Refusal.NO_KEY_SET


def test_a_key_set_needs_an_issuer() -> None:
    """Any issuer at all would be too many."""
    with pytest.raises(ConfigurationError):
        ServiceTokens(settings("/keys.json", ""))
