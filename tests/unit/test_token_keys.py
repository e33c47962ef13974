"""The key set of the case system: removed keys are forgotten, new ones found, broken ones left out."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Final

import pytest
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import ec, ed448, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from jwt.algorithms import ECAlgorithm, OKPAlgorithm

from relay.domain.tokens import Refusal, TokenRefused
from relay.errors import Unavailable
from relay.services import token_keys
from relay.services.token_keys import TokenKeys, parse_key_set
from tests.support.tokens import jwk, jwks

KEY: Final = Ed25519PrivateKey.generate()
OLD, NEW, GOOD = (jwk(KEY, kid) for kid in ("old", "new", "good"))
UNREADABLE: Final = ("", "{}", "[]", "null", '{"keys": {}}', '{"keys": "', "no JSON", "[" * 9999)

BROKEN: Final[dict[str, object]] = {
    "no object": "key",
    "nothing": None,
    "no kid": jwk(KEY, "bad", kid=None),
    "an empty kid": jwk(KEY, ""),
    "a kid that is a number": jwk(KEY, "bad", kid=1),
    "no kind": jwk(KEY, "bad", kty=None),
    "a kind that is a list": jwk(KEY, "bad", kty=["OKP"]),
    "a secret": {"kty": "oct", "kid": "bad", "alg": "HS256", "k": "c2VjcmV0"},
    "no curve": jwk(KEY, "bad", crv=None),
    "the curve of another": jwk(KEY, "bad", crv="Ed448"),
    "a curve for agreeing on keys": jwk(KEY, "bad", crv="X25519"),
    "a point too short": jwk(KEY, "bad", x="AAAA"),
    "a point that is a number": jwk(KEY, "bad", x=1),
    "no point": jwk(KEY, "bad", x=None),
    "an algorithm of RSA": jwk(KEY, "bad", alg="RS256"),
    "an algorithm without a signature": jwk(KEY, "bad", alg="none"),
    "an algorithm that is a list": jwk(KEY, "bad", alg=["EdDSA"]),
    "for encryption": jwk(KEY, "bad", use="enc"),
    "for signing": jwk(KEY, "bad", key_ops=["sign"]),
    "for words": jwk(KEY, "bad", key_ops="verify"),
    "a private key": {**jwk(KEY, "bad"), "d": "AAAA"},
    "Ed448": {
        **OKPAlgorithm.to_jwk(ed448.Ed448PrivateKey.generate().public_key(), as_dict=True),
        "kid": "bad",
        "alg": "EdDSA",
    },
    "an elliptic curve": {
        **ECAlgorithm.to_jwk(ec.generate_private_key(ec.SECP256R1()).public_key(), as_dict=True),
        "kid": "bad",
    },
    "RSA of 1024 bits": jwk(rsa.generate_private_key(65537, 1024), "bad"),  # noqa: S505 - too short
    "RSA without a modulus": {"kty": "RSA", "kid": "bad", "e": "AQAB"},
    "RSA of an even modulus": {"kty": "RSA", "kid": "bad", "e": "AQAB", "n": "AAAA"},
    "RSA with an algorithm of curves": jwk(
        rsa.generate_private_key(65537, 2048), "bad", alg="EdDSA"
    ),
    "a name that another has": jwk(Ed25519PrivateKey.generate(), "good"),
}


class Source:
    """A web server that has a key set, and counts who asks for it."""

    def __init__(self) -> None:
        self.keys: list[object] = [OLD]
        self.asked = 0
        self.status = 200
        self.answers = asyncio.Event()
        self.answers.set()
        self._came = asyncio.Event()

    async def until_asked(self, times: int) -> None:
        """Wait until it was asked so often, for five seconds at most."""
        async with asyncio.timeout(5):
            while self.asked < times:
                self._came.clear()
                await self._came.wait()

    async def handle(self, _request: web.Request) -> web.Response:
        """The set as it is now, once it answers at all."""
        self.asked += 1
        self._came.set()
        await self.answers.wait()
        return web.Response(text=jwks(*self.keys), status=self.status)


@pytest.fixture
async def source() -> Source:
    """One with one key."""
    return Source()


@pytest.fixture
async def keys(source: Source, unused_tcp_port: int) -> AsyncIterator[TokenKeys]:
    """The keys of that server."""
    application = web.Application()
    application.router.add_get("/keys", source.handle)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", unused_tcp_port).start()
    keys = TokenKeys(f"http://127.0.0.1:{unused_tcp_port}/keys")
    yield keys
    source.answers.set()
    await keys.close()
    await runner.cleanup()


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, float], None]:
    """Sets one of the times of relay."""

    def change(name: str, seconds: float) -> None:
        monkeypatch.setattr(token_keys, name, seconds)

    return change


async def state_of(keys: TokenKeys, kid: str) -> str:
    """Whether a key is known."""
    try:
        await keys.find(kid)
    except TokenRefused as refused:
        return "unknown" if refused.refusal is Refusal.UNKNOWN_KEY else refused.refusal
    except Unavailable:
        return "unavailable"
    return "known"


async def test_a_removed_key_is_forgotten_while_nobody_asks(
    keys: TokenKeys, source: Source, patient: Callable[[str, float], None]
) -> None:
    """The set is read again by itself, so that the next token already meets the new one."""
    patient("REFRESH_SECONDS", 0.02)
    patient("RETRY_SECONDS", 0.0)
    keys.start()
    assert await state_of(keys, "old") == "known"
    source.keys = []
    asked = source.asked
    await source.until_asked(asked + 2)
    patient("RETRY_SECONDS", 1000.0)
    assert await state_of(keys, "old") == "unknown"


def test_a_minute_is_the_longest() -> None:
    """What the documents promise."""
    assert token_keys.REFRESH_SECONDS <= 60
    assert token_keys.RETRY_SECONDS == 10
    assert token_keys.FIRST_RETRY_SECONDS == 1
    assert token_keys.KEPT_SECONDS == 600


async def test_a_new_key_is_found_at_once_but_not_for_every_token(
    keys: TokenKeys, source: Source, patient: Callable[[str, float], None]
) -> None:
    """An unknown name makes relay read, and a thousand of them no more often than one."""
    assert await state_of(keys, "old") == "known"
    source.keys = [OLD, NEW]
    assert [await state_of(keys, "new") for _ in range(100)] == ["unknown"] * 100
    assert source.asked == 1
    patient("RETRY_SECONDS", 0.0)
    assert await state_of(keys, "new") == "known"
    assert source.asked == 2


async def test_there_is_one_read_at_a_time(
    keys: TokenKeys, source: Source, patient: Callable[[str, float], None]
) -> None:
    """Whoever comes meanwhile waits for the same one."""
    patient("RETRY_SECONDS", 0.0)
    source.answers.clear()
    many = [asyncio.create_task(state_of(keys, "old")) for _ in range(200)]
    await source.until_asked(1)
    await asyncio.sleep(0.05)
    assert source.asked == 1
    source.answers.set()
    assert set(await asyncio.gather(*many)) == {"known"}
    assert source.asked == 1


async def test_to_hang_up_does_not_keep_a_new_key_out(keys: TokenKeys, source: Source) -> None:
    """The read goes on when whoever caused it is gone, so they cannot use up everybody's turn."""
    source.answers.clear()
    stranger = asyncio.create_task(state_of(keys, "nobody's"))
    await source.until_asked(1)
    stranger.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await stranger
    source.answers.set()
    assert await state_of(keys, "old") == "known"
    assert source.asked == 1


async def test_known_keys_go_on_without_the_source_but_not_for_ever(
    keys: TokenKeys, source: Source, patient: Callable[[str, float], None]
) -> None:
    """Ten minutes of grace; then nothing is accepted, until the set can be read again."""
    assert await state_of(keys, "old") == "known"
    source.status = 500
    patient("RETRY_SECONDS", 0.0)
    assert await state_of(keys, "new") == "unavailable"
    assert await state_of(keys, "old") == "known"
    patient("KEPT_SECONDS", 0.0)
    assert await state_of(keys, "old") == "unavailable"
    assert await state_of(keys, "new") == "unavailable"
    patient("KEPT_SECONDS", 600.0)
    source.status = 200
    assert await state_of(keys, "new") == "unknown"
    assert await state_of(keys, "old") == "known"


async def test_a_source_that_failed_is_asked_again_sooner(
    keys: TokenKeys, source: Source, patient: Callable[[str, float], None]
) -> None:
    """A minute would double the time for which a removed key is accepted."""
    patient("FIRST_RETRY_SECONDS", 0.02)
    source.status = 500
    keys.start()
    await source.until_asked(3)
    source.status = 200
    asked = source.asked
    await source.until_asked(asked + 1)
    assert await state_of(keys, "old") == "known"
    asked = source.asked
    await asyncio.sleep(0.1)
    assert source.asked == asked


async def test_a_set_that_was_never_read_is_asked_for_sooner_still(
    keys: TokenKeys, source: Source, patient: Callable[[str, float], None]
) -> None:
    """A case system that starts after relay waits for no ten seconds; one that was there and went, does."""
    patient("FIRST_RETRY_SECONDS", 0.0)
    patient("RETRY_SECONDS", 1000.0)
    source.status = 500
    assert await state_of(keys, "old") == "unavailable"
    source.status = 200
    assert await state_of(keys, "old") == "known"
    asked = source.asked
    source.status = 500
    assert await state_of(keys, "new") == "unknown"
    assert source.asked == asked


async def test_a_source_that_does_not_answer_is_not_waited_for_with_a_known_key(
    keys: TokenKeys, source: Source, patient: Callable[[str, float], None]
) -> None:
    """A read that hangs makes those wait whose key is new, and nobody else."""
    patient("REFRESH_SECONDS", 0.02)
    patient("RETRY_SECONDS", 0.0)
    patient("FETCH_SECONDS", 0.3)
    keys.start()
    assert await state_of(keys, "old") == "known"
    source.answers.clear()
    asked = source.asked
    await source.until_asked(asked + 1)
    async with asyncio.timeout(0.1):
        assert await state_of(keys, "old") == "known"
    assert await state_of(keys, "new") == "unavailable"


@pytest.mark.parametrize("content", [None, *UNREADABLE, b"\xff\xfe"])
async def test_a_set_that_cannot_be_read_is_no_set(
    tmp_path: Path, content: str | bytes | None, patient: Callable[[str, float], None]
) -> None:
    """Half of a file, or none, says nothing about its keys: those that are known stay for a while."""
    file = tmp_path / "keys.json"
    keys = TokenKeys(str(file))
    assert await state_of(keys, "old") == "unavailable"
    for name in ("FIRST_RETRY_SECONDS", "RETRY_SECONDS"):
        patient(name, 0.0)
    file.write_text(jwks(OLD), "utf-8")
    assert await state_of(keys, "old") == "known"
    file.unlink()
    if content is not None:
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
    assert await state_of(keys, "new") == "unavailable"
    assert await state_of(keys, "old") == "known"


async def test_a_set_without_keys_ends_them_all(
    tmp_path: Path, patient: Callable[[str, float], None]
) -> None:
    """It is whole, and says that no key counts."""
    file = tmp_path / "keys.json"
    file.write_text(jwks(OLD), "utf-8")
    keys = TokenKeys(str(file))
    assert await state_of(keys, "old") == "known"
    file.write_text(jwks(), "utf-8")
    patient("RETRY_SECONDS", 0.0)
    assert await state_of(keys, "new") == "unknown"
    assert await state_of(keys, "old") == "unknown"


@pytest.mark.parametrize("what", BROKEN)
def test_a_broken_key_is_lost_alone(what: str) -> None:
    """The others count, and it is said which one does not and why."""
    keys, left_out = parse_key_set(jwks(GOOD, BROKEN[what], NEW).encode())
    assert keys.keys() == {"good", "new"}
    assert keys["good"].public == KEY.public_key()
    [sentence] = left_out
    assert sentence.startswith("key 2 is left out: ")
    assert len(sentence) > 30


async def test_what_is_left_out_is_logged_once(
    tmp_path: Path,
    patient: Callable[[str, float], None],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Not at every read; the private key that somebody put there is not quoted."""
    caplog.set_level(logging.INFO)
    patient("RETRY_SECONDS", 0.0)
    file = tmp_path / "keys.json"
    file.write_text(jwks(OLD, {**NEW, "d": "c2VjcmV0"}), "utf-8")
    keys = TokenKeys(str(file))
    for _ in range(3):
        assert await state_of(keys, "new") == "unknown"
    said = [record.getMessage() for record in caplog.records]
    assert [line for line in said if "left out" in line] == [
        "the key set of the case system: key 2 is left out: it holds the private key"
    ]
    assert [line for line in said if line.endswith("usable keys: 1")] != []
    assert not [line for line in said if "c2VjcmV0" in line or str(OLD["x"]) in line]
    file.write_text(json.dumps("gone"), "utf-8")
    assert await state_of(keys, "new") == "unavailable"
    assert caplog.records[-1].levelname == "WARNING"


async def test_nothing_reads_after_the_end(
    keys: TokenKeys, source: Source, patient: Callable[[str, float], None]
) -> None:
    """Also when the end comes in the middle of a read."""
    patient("REFRESH_SECONDS", 0.01)
    patient("RETRY_SECONDS", 0.0)
    source.answers.clear()
    keys.start()
    await source.until_asked(1)
    await keys.close()
    asked = source.asked
    source.answers.set()
    await asyncio.sleep(0.05)
    assert source.asked == asked
