"""Tokens of the case system: one that is not exactly right is refused, and a lost key set is said."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any, Final

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from relay.client.case_system import key_set
from relay.errors import ConfigurationError, Unauthenticated, Unavailable
from relay.services.tokens import LEEWAY_SECONDS, LIFETIME_MAX_SECONDS, ServiceTokens
from relay.settings import Settings

KEY: Final = Ed25519PrivateKey.generate()
KID: Final = "the key"
ISSUER: Final = "the case system"
FAR: Final = 4_102_444_800
"""A time in 2100."""
WRONG: Final[dict[str, dict[str, Any]]] = {
    "another issuer": {"iss": "somebody"},
    "no issuer": {"iss": None},
    "another audience": {"aud": "another service"},
    "no audience": {"aud": None},
    "no subject": {"sub": None},
    "an empty subject": {"sub": ""},
    "a subject of two lines": {"sub": "cases\ncases"},
    "a long subject": {"sub": "x" * 101},
    "no end": {"exp": None},
    "ended": {"iat": 1, "exp": 60},
    "no beginning": {"iat": None},
    "not yet": {"iat": FAR, "exp": FAR + 60},
    "not before a time that has not come": {"nbf": FAR},
    "too long a life": {"exp": FAR},
    "an end in words": {"exp": "soon"},
    "an end beyond all numbers": {"exp": 10**400},
    "another key": {"key": Ed25519PrivateKey.generate()},
    "a key that is not known": {"kid": "another key"},
    "no key": {"kid": None},
}


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    """The key set of the case system."""
    file = tmp_path / "keys.json"
    file.write_text(key_set(KEY, KID), "utf-8")
    return file


@pytest.fixture
def tokens(key_file: Path) -> ServiceTokens:
    """What verifies, on that file."""
    return ServiceTokens(settings(str(key_file)))


def settings(jwks: str, issuer: str = ISSUER) -> Settings:
    """Those that name a key set."""
    return Settings.from_environment(
        {
            "RELAY_DATABASE_URL": "postgresql://nowhere/relay",
            "RELAY_REDIS_URL": "redis://nowhere",
            "RELAY_S3_ENDPOINT": "http://nowhere",
            "RELAY_S3_ACCESS_KEY": "access",
            "RELAY_S3_SECRET_KEY": "secret",
            "RELAY_SERVICE_JWKS": jwks,
            "RELAY_SERVICE_ISSUER": issuer,
        }
    )


def token(*, key: Ed25519PrivateKey = KEY, kid: str | None = KID, **changed: object) -> str:
    """A good one, but for what is changed; None takes a member away."""
    now = int(time.time())
    claims = {"iss": ISSUER, "aud": "relay", "sub": "cases", "iat": now, "exp": now + 60, **changed}
    kept = {name: value for name, value in claims.items() if value is not None}
    return jwt.encode(kept, key, algorithm="EdDSA", headers={"kid": kid} if kid else {})


async def test_a_token_of_the_case_system_names_it(tokens: ServiceTokens) -> None:
    """By its subject; for as long as a token may live, and no clock is exact."""
    now = int(time.time())
    assert (await tokens.verify(token())).subject == "cases"
    assert (await tokens.verify(token(exp=now + LIFETIME_MAX_SECONDS, iat=now))).subject == "cases"
    assert (await tokens.verify(token(exp=now - LEEWAY_SECONDS // 2))).subject == "cases"


@pytest.mark.parametrize("wrong", WRONG)
async def test_one_that_is_not_exactly_right_is_refused(tokens: ServiceTokens, wrong: str) -> None:
    """Another issuer, audience or key; no subject; too old, too early, or of too long a life."""
    with pytest.raises(Unauthenticated):
        await tokens.verify(token(**WRONG[wrong]))


@pytest.mark.parametrize("algorithm", ["none", "HS256"])
async def test_the_algorithm_is_not_for_the_token_to_choose(
    tokens: ServiceTokens, key_file: Path, algorithm: str
) -> None:
    """Neither unsigned, nor with what is public taken for a secret."""
    public = json.loads(key_file.read_text("utf-8"))["keys"][0]["x"]
    claims = jwt.decode(token(), options={"verify_signature": False})
    secret = "" if algorithm == "none" else str(public)
    with pytest.raises(Unauthenticated):
        await tokens.verify(jwt.encode(claims, secret, algorithm=algorithm, headers={"kid": KID}))


@pytest.mark.parametrize("text", ["", "a", "a.b.c", "." * 9, "e30.e30.", "é.é.é"])
async def test_what_is_no_token_is_refused(tokens: ServiceTokens, text: str) -> None:
    """Whatever the library makes of it."""
    with pytest.raises(Unauthenticated):
        await tokens.verify(text)


async def test_a_key_that_comes_later_is_found(
    tokens: ServiceTokens, key_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The set is read again for a key that is not known, but not for every such token."""
    later = Ed25519PrivateKey.generate()
    await tokens.verify(token())
    key_file.write_text(key_set(later, "later"), "utf-8")
    with pytest.raises(Unauthenticated):
        await tokens.verify(token(key=later, kid="later"))
    monkeypatch.setattr("relay.services.tokens.RELOAD_SECONDS", -1.0)
    assert (await tokens.verify(token(key=later, kid="later"))).subject == "cases"
    with pytest.raises(Unauthenticated):
        await tokens.verify(token())


@pytest.mark.parametrize("content", [None, "", "{}", '{"keys": []}', "no JSON"])
async def test_a_key_set_that_cannot_be_read_is_said(key_file: Path, content: str | None) -> None:
    """To anyone who asks it is unavailable, and not their token that is wrong."""
    key_file.unlink()
    if content is not None:
        key_file.write_text(content, "utf-8")
    with pytest.raises(Unavailable):
        await ServiceTokens(settings(str(key_file))).verify(token())


async def test_a_key_set_at_an_address_that_does_not_answer_is_said() -> None:
    """The same."""
    with pytest.raises(Unavailable):
        await ServiceTokens(settings("http://127.0.0.1:1/keys")).verify(token())


async def test_without_a_key_set_no_token_is_taken() -> None:
    """Relay runs without a case system."""
    with pytest.raises(Unauthenticated):
        await ServiceTokens(settings("", "")).verify(token())


def test_a_key_set_needs_an_issuer() -> None:
    """Any issuer at all would be too many."""
    with pytest.raises(ConfigurationError):
        ServiceTokens(settings("/keys.json", ""))
