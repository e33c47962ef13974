"""`relay doctor` on real services, whole and broken on purpose: what fails says so, and what to do."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import dataclasses
import json
import os
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from pathlib import Path
from typing import Final

import aiohttp
import asyncpg
import pytest
import redis
from aiohttp import hdrs, web

from relay.crypto.encoding import b64u_encode
from relay.crypto.keyfiles import save_keyring_file
from relay.crypto.keyrings import generate_keyring
from relay.crypto.signing import Signer
from relay.doctor.checks import Check, Level
from relay.doctor.configuration import Process
from relay.doctor.examination import examine
from relay.doctor.web import check_pages
from relay.embedded import Access, Services, binaries
from relay.services.pages import BUILT
from relay.settings import OF_WEB, OF_WORKER, Settings
from relay.storage.database import ROLES, migrate
from relay.storage.rights import granted
from relay.testing.people import Case, Organization
from tests.support.rights import CALLS, MAY
from tests.support.service_users import database_as

pytestmark = [pytest.mark.own_relay, pytest.mark.tampers]

SOON_SECONDS: Final = 15


def environment_of(settings: Settings, process: Process, **more: str) -> dict[str, str]:
    """These settings, as far as the process reads them, and those that a test changes."""
    others = OF_WORKER if process == "web" else OF_WEB
    given = {
        f"RELAY_{name.upper()}": str(value)
        for name, value in dataclasses.asdict(settings).items()
        if name not in others
    }
    return {**given, **more}


async def checks(environment: Mapping[str, str], process: Process = "web") -> list[Check]:
    """Everything that the doctor says."""
    return [check async for check in examine(environment, process)]


async def failing(environment: Mapping[str, str], process: Process = "web") -> dict[str, str]:
    """The sentences of the checks that fail."""
    return {
        check.check: check.says
        for check in await checks(environment, process)
        if check.level is Level.FAIL
    }


def command(environment: Mapping[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """`relay doctor` as a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "relay", "doctor", *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": os.environ["PATH"], **environment},
    )


@pytest.fixture
async def owner(
    database_url: str, services: Services
) -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
    """A superuser, on a server that is as durable as it should be; the other tests turn that off.

    The database is a copy, which does not have the rights to databases of the one that was copied.
    """
    await migrate(database_as(Access.OWNER, database_url, services))
    connection = await asyncpg.connect(database_url)
    await connection.execute("alter system set fsync = on")
    await connection.execute("select pg_reload_conf()")
    async with asyncio.timeout(SOON_SECONDS):
        while await connection.fetchval("show fsync") != "on":  # noqa: ASYNC110 - a server
            await asyncio.sleep(0.01)
    yield connection
    await connection.execute("alter system set fsync = off")
    await connection.execute("select pg_reload_conf()")
    await connection.close()


@pytest.fixture
def of_web(case: Case, owner: object, relay_settings: Settings) -> dict[str, str]:
    """The environment of a web service at which nothing is wrong."""
    return environment_of(relay_settings, "web")


@pytest.fixture
async def of_worker(
    case: Case, people: Organization, owner: object, worker_settings: Settings, tmp_path: Path
) -> dict[str, str]:
    """That of a worker."""
    credential_id, keyring = await people.enrol("media")
    save_keyring_file(tmp_path / "media.keys", keyring, credential_id)
    return environment_of(
        worker_settings, "worker", RELAY_MEDIA_KEY_FILE=str(tmp_path / "media.keys")
    )


async def test_the_grants_are_read_as_they_are_meant(
    owner: asyncpg.Connection[asyncpg.Record],
) -> None:
    """What is read from grants.sql is what the table of rights says, for both roles."""
    rows = await owner.fetch(
        "select table_name::text as of, array_agg(column_name::text) as columns "
        "from information_schema.columns where table_schema = 'public' group by table_name"
    )
    every = {row["of"]: row["columns"] for row in rows}
    for role in ROLES:
        expected = {(name, "execute", "") for name in CALLS[role]}
        for table, rights in MAY[role].items():
            for privilege, named in rights.items():
                columns = every[table] if named == "*" else named.split() or [""]
                expected |= {(table, privilege, column) for column in columns}
        found = {
            (place, privilege, each)
            for place, privilege, column in granted(role)
            for each in (every[place] if column == "*" else [column])
        }
        assert found == expected


async def test_a_web_service_without_a_fault(of_web: dict[str, str]) -> None:
    """Nothing fails and nothing is warned of; every part is looked at; and the command ends with 0."""
    found = await checks(of_web)
    assert [check for check in found if check.level is not Level.OK] == []
    assert {check.check for check in found} == {
        *(
            "settings",
            "passwords",
            "roots",
            "public-url",
            "database",
            "clock",
            "migrations",
            "rights",
        ),
        *("trust", "objects", "objects-public", "objects-versions", "objects-lifecycle"),
        *("redis", "redis-eviction", "redis-persistence", "key-set", "pages"),
    }
    done = command(of_web)
    assert done.returncode == 0, done.stdout
    lines = done.stdout.splitlines()
    assert len(lines) == len(found)
    assert all(re.fullmatch(r"ok {3}[a-z-]+ +\S.*", line) for line in lines)


@pytest.mark.media
async def test_a_worker_without_a_fault(of_worker: dict[str, str]) -> None:
    """Its keys, ffmpeg and the jail instead of keys and pages; and it is known by its keys."""
    found = await checks(of_worker, "worker")
    assert [check for check in found if check.level is not Level.OK] == []
    names = {check.check for check in found}
    assert {"media-key", "ffmpeg", "jail", "rights"} <= names
    assert not {"key-set", "pages", "public-url"} & names
    done = command(of_worker, "--json")
    assert done.returncode == 0, done.stdout
    assert {entry["check"] for entry in json.loads(done.stdout)} == names


async def test_no_secret_is_printed(of_web: dict[str, str]) -> None:
    """Whole or broken, as lines or as JSON: no password, no key, no address with one."""
    secrets = [
        re.search(r":([^:@/]+)@", of_web[name])[1]  # type: ignore[index]
        for name in ("RELAY_DATABASE_URL", "RELAY_REDIS_URL")
    ]
    secrets += [of_web["RELAY_S3_SECRET_KEY"], of_web["RELAY_S3_ACCESS_KEY"]]
    broken = {
        **of_web,
        "RELAY_DATABASE_URL": of_web["RELAY_DATABASE_URL"].replace("relay_web", "nobody"),
        "RELAY_REDIS_URL": of_web["RELAY_REDIS_URL"].replace("web", "nobody"),
        "RELAY_S3_BUCKET": "elsewhere",
    }
    for environment in (of_web, broken):
        for arguments in ([], ["--json"]):
            done = command(environment, *arguments)
            assert done.returncode == (environment is broken)
            assert not [secret for secret in secrets if secret in done.stdout + done.stderr]


@pytest.mark.parametrize(
    ("change", "check", "says"),
    [
        ({"RELAY_LISTEN_PROT": "1"}, "settings", "RELAY_LISTEN_PROT is not a setting"),
        ({"RELAY_LISTEN_PORT": "x"}, "settings", "RELAY_LISTEN_PORT must be a whole number"),
        ({"RELAY_METRICS_LISTEN": "9464"}, "settings", "RELAY_METRICS_LISTEN"),
        ({"RELAY_LOG_FORMAT": "xml"}, "settings", "text or json"),
        ({"RELAY_PUBLIC_URL": "http://relay.example"}, "public-url", "https"),
        ({"RELAY_PUBLIC_URL": "https://relay.example/"}, "public-url", "slash"),
        ({"RELAY_PUBLIC_URL": "relay.example"}, "public-url", "no address"),
        ({"RELAY_EMBED_ORIGINS": "cases.example"}, "embedding", "no origin"),
        ({"RELAY_ROOT_PUBLIC_KEYS": ""}, "roots", "nobody can be a mediator"),
        ({"RELAY_ROOT_PUBLIC_KEYS": "AAAA"}, "roots", "Key 1"),
        (
            {"RELAY_ROOT_PUBLIC_KEYS": b64u_encode(Signer.generate().public_key)},
            "trust",
            "another root",
        ),
        ({"RELAY_SERVICE_ISSUER": ""}, "key-set", "RELAY_SERVICE_ISSUER"),
        ({"RELAY_SERVICE_JWKS": "/nowhere.json"}, "key-set", "FileNotFoundError"),
        ({"RELAY_SERVICE_JWKS": "http://cases.example/jwks.json"}, "key-set", "https"),
        (
            {"RELAY_DATABASE_URL": "postgresql://relay_web:x@127.0.0.1:1/relay"},
            "database",
            "PostgreSQL runs",
        ),
        ({"RELAY_REDIS_URL": "redis://web:x@127.0.0.1:1/0"}, "redis", "Redis runs"),
        ({"RELAY_S3_ENDPOINT": "http://127.0.0.1:1"}, "objects", "RELAY_S3_ENDPOINT"),
        ({"RELAY_S3_BUCKET": "elsewhere"}, "objects", "RELAY_S3_BUCKET"),
        ({"RELAY_S3_SECRET_KEY": "another-secret-key"}, "objects", "the key may"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else None,
)
async def test_what_is_wrong_with_a_setting_is_said(
    of_web: dict[str, str], change: dict[str, str], check: str, says: str
) -> None:
    """The one check that it concerns fails, and its sentence says which setting to correct."""
    found = await failing({**of_web, **change})
    assert list(found) == [check]
    assert says in found[check]


async def test_a_setting_that_is_missing_is_named(of_web: dict[str, str]) -> None:
    """Nothing else can be looked at then; the command ends with 1."""
    del of_web["RELAY_S3_ENDPOINT"]
    [check] = await checks(of_web)
    assert (check.level, check.check) == (Level.FAIL, "settings")
    assert "RELAY_S3_ENDPOINT is not set" in check.says
    assert command(of_web).returncode == 1


async def test_what_is_weak_is_warned_of(of_web: dict[str, str]) -> None:
    """Short passwords, settings of the other process, no case system; none of it fails."""
    found = [
        check.says
        for check in await checks({**of_web, "RELAY_WORKER_JOBS": "2", "RELAY_SERVICE_JWKS": ""})
        if check.level is Level.WARN
    ]
    assert [bool(re.search("RELAY_WORKER_JOBS|RELAY_SERVICE_JWKS", says)) for says in found] == [
        True,
        True,
    ]
    weak = {"RELAY_REDIS_URL": "redis://web:short@127.0.0.1:1/0", "RELAY_S3_SECRET_KEY": "short"}
    [passwords] = [c for c in await checks({**of_web, **weak}) if c.check == "passwords"]
    assert passwords.level is Level.WARN
    assert "RELAY_REDIS_URL, RELAY_S3_SECRET_KEY" in passwords.says


@pytest.mark.parametrize(
    ("statement", "undo", "check", "says"),
    [
        ("grant update (hash) on events to relay_web", None, "rights", "update on events (hash)"),
        ("grant delete on statements to relay_web", None, "rights", "delete on statements"),
        (
            "grant execute on function monitoring_figures() to public",
            None,
            "rights",
            "monitoring_figures",
        ),
        ("revoke select on claims from relay_web", None, "rights", "lacks select on claims"),
        (
            "revoke execute on function lock_case(uuid) from relay_web",
            None,
            "rights",
            "lacks execute on lock_case",
        ),
        (
            "alter role relay_web createrole",
            "alter role relay_web nocreaterole",
            "rights",
            "may create roles",
        ),
        (
            "grant relay_owner to relay_web",
            "revoke relay_owner from relay_web",
            "rights",
            "relay_owner",
        ),
        (
            "delete from migrations where version = (select max(version) from migrations)",
            None,
            "migrations",
            "relay migrate",
        ),
        ("revoke select on migrations from relay_web", None, "migrations", "relay migrate"),
        ("alter table migrations rename to mislaid", None, "migrations", "relay migrate"),
    ],
)
async def test_what_is_wrong_with_the_database_is_said(
    of_web: dict[str, str],
    owner: asyncpg.Connection[asyncpg.Record],
    statement: str,
    undo: str | None,
    check: str,
    says: str,
) -> None:
    """Rights too many and too few are named one by one, and migrations that are missing."""
    await owner.execute(statement)
    try:
        found = await failing(of_web)
    finally:
        if undo is not None:
            await owner.execute(undo)
    assert list(found) == [check]
    assert says in found[check]


@pytest.mark.parametrize("access", [Access.ADMINISTRATOR, Access.OWNER, Access.WORKER])
async def test_a_process_that_comes_as_somebody_else_is_told(
    of_web: dict[str, str], services: Services, access: Access
) -> None:
    """The superuser, the owner or the other process's role: the right one is named."""
    url = database_as(access, of_web["RELAY_DATABASE_URL"], services)
    found = await failing({**of_web, "RELAY_DATABASE_URL": url})
    assert list(found) == ["role"]
    assert "give it the address of relay_web" in found["role"]


async def test_a_database_that_may_lose_what_it_acknowledged_fails(
    of_web: dict[str, str], owner: asyncpg.Connection[asyncpg.Record]
) -> None:
    """Without fsync."""
    await owner.execute("alter system set fsync = off")
    await owner.execute("select pg_reload_conf()")
    async with asyncio.timeout(SOON_SECONDS):
        while "database" not in (found := await failing(of_web)):  # noqa: ASYNC110 - a server
            await asyncio.sleep(0.05)
    assert "fsync" in found["database"]


@pytest.mark.parametrize(("seconds", "level"), [(5, Level.WARN), (-90, Level.FAIL)])
async def test_a_clock_that_is_wrong_is_said(
    of_web: dict[str, str], owner: asyncpg.Connection[asyncpg.Record], seconds: int, level: Level
) -> None:
    """The database's clock, seen from here."""
    await owner.execute(
        "create function clock_timestamp() returns timestamptz language sql "
        f"as 'select pg_catalog.clock_timestamp() + make_interval(secs => {seconds})'"
    )
    name = await owner.fetchval("select current_database()")
    await owner.execute(f"alter database {name} set search_path = public, pg_catalog")
    [clock] = [check for check in await checks(of_web) if check.check == "clock"]
    assert clock.level is level
    assert (
        f"differ by {abs(seconds)}.0 s" in clock.says
        or f"differ by {abs(seconds) - 1}.9 s" in clock.says
    )


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


@pytest.mark.parametrize(
    ("content", "level", "says"),
    [
        ("{}", Level.FAIL, "cannot be read"),
        ('{"keys": []}', Level.FAIL, "every token is refused"),
        ('{"keys": [{"kty": "EC", "kid": "a"}]}', Level.FAIL, "every token is refused"),
        ('{"keys": [{"kty": "EC", "kid": "a"}, %s]}', Level.WARN, "Key 1 is left out"),
    ],
)
async def test_what_is_wrong_with_a_key_set_is_said(
    of_web: dict[str, str], tmp_path: Path, content: str, level: Level, says: str
) -> None:
    """No set, none that can be used, and one that is left out beside one that can."""
    whole = json.loads(Path(of_web["RELAY_SERVICE_JWKS"]).read_text("utf-8"))["keys"][0]
    file = tmp_path / "keys.json"
    file.write_text(content.replace("%s", json.dumps(whole)))
    found = [
        one
        for one in await checks({**of_web, "RELAY_SERVICE_JWKS": str(file)})
        if one.check == "key-set"
    ]
    assert any(one.level is level and says in one.says for one in found)
    assert any(one.level is Level.OK for one in found) == (level is Level.WARN)


def test_what_is_wrong_with_the_pages_is_said(tmp_path: Path) -> None:
    """Not built, changed, and missing."""
    assert "not built" in check_pages(tmp_path).says
    name = "participant.html"
    digest = json.loads((BUILT / "integrity.json").read_text("utf-8"))[name]
    (tmp_path / "integrity.json").write_text(json.dumps({name: digest}))
    missing = check_pages(tmp_path)
    assert (missing.level, name in missing.says) == (Level.FAIL, True)
    (tmp_path / name).write_bytes((BUILT / name).read_bytes() + b" ")
    changed = check_pages(tmp_path)
    assert (changed.level, "not the one that was built" in changed.says) == (Level.FAIL, True)
    (tmp_path / name).write_bytes((BUILT / name).read_bytes())
    assert check_pages(tmp_path).level is Level.OK
    assert base64.b64decode(digest.removeprefix("sha384-"))


@pytest.mark.media
@pytest.mark.parametrize(
    ("change", "check", "says"),
    [
        ({"RELAY_FFMPEG": "/nowhere/ffmpeg"}, "ffmpeg", "RELAY_FFMPEG"),
        ({"RELAY_FFMPEG": "/bin/true"}, "ffmpeg", "does not run"),
        ({"RELAY_BUBBLEWRAP": "/nowhere/bwrap"}, "ffmpeg", "RELAY_BUBBLEWRAP"),
        ({"RELAY_BUBBLEWRAP": "/bin/false"}, "jail", "relay check-jail"),
        ({"RELAY_MEDIA_KEY_FILE": "/nowhere/media.keys"}, "media-key", "media.keys"),
    ],
    ids=lambda value: str(value),
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
