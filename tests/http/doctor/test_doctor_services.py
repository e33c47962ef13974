"""`relay doctor` on Redis, stores and workers that are broken on purpose."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from pathlib import Path
from typing import Final

import aiohttp
import pytest
import redis
from aiohttp import hdrs, web

from relay.crypto.keyfiles import save_keyring_file
from relay.crypto.keyrings import generate_keyring
from relay.doctor.checks import Level
from relay.embedded import binaries
from relay.testing.people import Organization
from tests.support.doctor import SOON_SECONDS, checks, failing

pytestmark = [pytest.mark.own_relay, pytest.mark.tampers]


@pytest.mark.parametrize(
    ("setting", "wrong", "right", "check", "level"),
    [
        ("maxmemory-policy", "allkeys-lru", "noeviction", "redis-eviction", Level.FAIL),
        ("appendonly", "no", "yes", "redis-persistence", Level.WARN),
    ],
)
async def test_what_is_wrong_with_redis_is_said(
    of_web: dict[str, str],
    redis_url: str,
    setting: str,
    wrong: str,
    right: str,
    check: str,
    level: Level,
) -> None:
    """One that throws away what it holds fails; one that forgets it with a restart is warned of."""
    with redis.Redis.from_url(redis_url) as administrator:
        administrator.config_set(setting, wrong)
        try:
            found = await checks(of_web)
        finally:
            administrator.config_set(setting, right)
    assert [(one.check, one.level) for one in found if one.level is not Level.OK] == [
        (check, level)
    ]


async def test_a_user_of_redis_who_may_not_ask_is_told(
    of_web: dict[str, str], redis_url: str
) -> None:
    """Without the right to ask, the operator is told what to look at."""
    with redis.Redis.from_url(redis_url) as administrator:
        administrator.execute_command("ACL", "SETUSER", "web", "-info")
        try:
            found = await checks(of_web)
        finally:
            administrator.execute_command("ACL", "SETUSER", "web", "+info")
    [check] = [one for one in found if one.level is not Level.OK]
    assert (check.check, check.level) == ("redis-eviction", Level.WARN)
    assert "maxmemory-policy" in check.says


@contextlib.contextmanager
def store(folder: Path, port: int, *arguments: str) -> Iterator[str]:
    """An S3 server of a test's own; its address."""
    (folder / "relay").mkdir(parents=True)
    argv = [str(binaries.rclone()), "serve", "s3", "--addr", f"127.0.0.1:{port}", "--config", ""]
    process = subprocess.Popen(
        [*argv, "--cache-dir", str(folder / "cache"), *arguments, str(folder)],
        stderr=subprocess.DEVNULL,
    )
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


async def until_listening(address: str) -> None:
    """Wait until a server answers."""
    async with asyncio.timeout(SOON_SECONDS), aiohttp.ClientSession() as http:
        while True:
            with contextlib.suppress(aiohttp.ClientError):
                async with http.get(address):
                    return
            await asyncio.sleep(0.05)


@pytest.mark.parametrize(
    ("arguments", "check", "says"),
    [
        ([], "objects-public", "Anybody can read"),
        (["--read-only", "--auth-key", "key,secret-secret-secret"], "objects", "the key may"),
    ],
)
async def test_what_is_wrong_with_a_store_is_said(
    of_web: dict[str, str],
    tmp_path: Path,
    unused_tcp_port_factory: Callable[[], int],
    arguments: list[str],
    check: str,
    says: str,
) -> None:
    """One that asks for no key, and one that takes nothing."""
    with store(tmp_path / "s3", unused_tcp_port_factory(), *arguments) as address:
        await until_listening(address)
        given = {
            "RELAY_S3_ENDPOINT": address,
            "RELAY_S3_BUCKET": "relay",
            "RELAY_S3_ACCESS_KEY": "key",
            "RELAY_S3_SECRET_KEY": "secret-secret-secret",
        }
        found = await failing({**of_web, **given})
    assert list(found) == [check]
    assert says in found[check]
    assert not list((tmp_path / "s3/relay").rglob("*")) or check == "objects-public"
    assert [path for path in (tmp_path / "s3/relay").rglob("*") if path.is_file()] == []


VERSIONED: Final = "<VersioningConfiguration><Status>{}</Status></VersioningConfiguration>"
RULE: Final = (
    "<LifecycleConfiguration><Rule><ID>old</ID><Prefix></Prefix><Status>{}</Status>"
    "<Expiration><Days>30</Days></Expiration></Rule></LifecycleConfiguration>"
)


@contextlib.asynccontextmanager
async def in_front_of(endpoint: str, port: int, answers: Mapping[str, str]) -> AsyncIterator[str]:
    """The store by another way, on which some questions about the bucket are answered as S3 itself would."""

    async def passed(request: web.Request) -> web.Response:
        for question, answer in answers.items():
            if question in request.query:
                return web.Response(text=answer, content_type="application/xml")
        async with http.request(
            request.method,
            f"{endpoint}{request.raw_path}",
            headers={**request.headers, hdrs.HOST: request.host},
            data=await request.read(),
            skip_auto_headers=(hdrs.CONTENT_TYPE, hdrs.USER_AGENT),
        ) as given:
            kept = {
                k: v
                for k, v in given.headers.items()
                if k not in {"Content-Length", "Transfer-Encoding"}
            }
            return web.Response(status=given.status, body=await given.read(), headers=kept)

    app = web.Application(client_max_size=2**25)
    app.router.add_route("*", "/{path:.*}", passed)
    runner = web.AppRunner(app, access_log=None)
    async with aiohttp.ClientSession(auto_decompress=False) as http:
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            await runner.cleanup()


@pytest.mark.parametrize(
    ("answers", "found"),
    [
        ({"versioning": VERSIONED.format("Enabled")}, [("objects-versions", Level.WARN)]),
        ({"versioning": VERSIONED.format("Suspended")}, [("objects-versions", Level.WARN)]),
        ({"versioning": "<VersioningConfiguration/>"}, []),
        ({"lifecycle": RULE.format("Enabled")}, [("objects-lifecycle", Level.FAIL)]),
        ({"lifecycle": RULE.format("Disabled")}, []),
    ],
)
async def test_what_a_bucket_keeps_and_removes_by_itself_is_said(
    of_web: dict[str, str],
    unused_tcp_port_factory: Callable[[], int],
    answers: dict[str, str],
    found: list[tuple[str, Level]],
) -> None:
    """Versions that stay are warned of; a rule that removes what messages need fails."""
    endpoint = of_web["RELAY_S3_ENDPOINT"]
    async with in_front_of(endpoint, unused_tcp_port_factory(), answers) as address:
        said = await checks({**of_web, "RELAY_S3_ENDPOINT": address})
    assert [(one.check, one.level) for one in said if one.level is not Level.OK] == found


@pytest.mark.media
@pytest.mark.parametrize(
    ("change", "check", "says"),
    [
        ({"RELAY_FFMPEG": "/nowhere/ffmpeg"}, "ffmpeg", "RELAY_FFMPEG"),
        ({"RELAY_FFMPEG": "/bin/true"}, "ffmpeg", "does not run"),
        ({"RELAY_BUBBLEWRAP": "/nowhere/bwrap"}, "ffmpeg", "RELAY_BUBBLEWRAP"),
        ({"RELAY_BUBBLEWRAP": "/bin/false"}, "jail", "relay check-jail"),
        ({"RELAY_MEDIA_KEY_FILE": "/nowhere/media.keys"}, "media-key", "missing"),
    ],
    ids=str,
)
async def test_what_is_wrong_with_a_worker_is_said(
    of_worker: dict[str, str], change: dict[str, str], check: str, says: str
) -> None:
    """Programs that are missing or others, a jail that is none, keys that are not there."""
    found = await failing({**of_worker, **change}, "worker")
    assert check in found
    assert set(found) <= {check, "jail"}
    assert says in found[check]


@pytest.mark.media
async def test_keys_that_nobody_vouched_for_are_said(
    of_worker: dict[str, str], people: Organization, tmp_path: Path
) -> None:
    """Other keys than the credential's."""
    credential_id, _keyring = await people.enrol("media")
    save_keyring_file(tmp_path / "other.keys", generate_keyring(), credential_id)
    found = await failing(
        {**of_worker, "RELAY_MEDIA_KEY_FILE": str(tmp_path / "other.keys")}, "worker"
    )
    assert list(found) == ["media-key"]
    assert "other keys" in found["media-key"]
