"""`relay doctor` on a set-up that is whole, and on settings that are wrong or weak."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path
from typing import Final

import pytest

from relay.crypto.encoding import b64u_encode
from relay.crypto.signing import Signer
from relay.doctor.checks import Level
from relay.doctor.web import check_pages
from relay.services.pages import BUILT
from tests.support.doctor import checks, command, failing

OPERATIONS: Final = Path(__file__).parents[3] / "docs/operations.md"

pytestmark = [pytest.mark.own_relay, pytest.mark.tampers]


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


async def test_a_deliverer_without_a_fault(of_deliverer: dict[str, str]) -> None:
    """The database and the receivers alone; and it is known by these."""
    found = await checks(of_deliverer, "deliverer")
    assert [check for check in found if check.level is not Level.OK] == []
    assert {check.check for check in found} == {
        *("settings", "passwords", "database", "clock", "migrations", "rights", "receivers"),
    }
    done = command(of_deliverer, "--json")
    assert done.returncode == 0, done.stdout
    assert len(json.loads(done.stdout)) == len(found)


@pytest.mark.parametrize(
    "text", [None, "", "no file at all", '[[receiver]]\nname = "x"\nurl = "http://10.0.0.1/"\n']
)
async def test_receivers_that_cannot_be_sent_to(
    of_deliverer: dict[str, str], tmp_path: Path, text: str | None
) -> None:
    """A file that is missing, empty, no TOML, or names somebody without a secret."""
    path = tmp_path / "other.toml"
    if text is not None:
        path.write_text(text, "utf-8")
    found = await failing({**of_deliverer, "RELAY_WEBHOOKS_FILE": str(path)}, "deliverer")
    assert found.keys() == {"receivers"}


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
        ({"RELAY_ADDRESS_HEADER": "X-Real-IP:"}, "settings", "RELAY_ADDRESS_HEADER"),
        ({"RELAY_LIMIT_DRAFTS": "0"}, "settings", "RELAY_LIMIT_DRAFTS"),
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
    """Short passwords, no case system, nobody counted by address; none of them fails."""
    [found] = [
        check
        for check in await checks({**of_web, "RELAY_SERVICE_JWKS": ""})
        if check.level is not Level.OK
    ]
    assert (found.level, found.check) == (Level.WARN, "key-set")
    assert "RELAY_SERVICE_JWKS" in found.says
    reached = {"RELAY_PUBLIC_URL": "https://relay.example"}
    for header, level in (("", Level.WARN), ("X-Real-IP", Level.OK)):
        environment = {**of_web, **reached, "RELAY_ADDRESS_HEADER": header}
        [addresses] = [c for c in await checks(environment) if c.check == "addresses"]
        assert (addresses.level, "RELAY_ADDRESS_HEADER" in addresses.says) == (level, not header)
    weak = {"RELAY_REDIS_URL": "redis://web:short@127.0.0.1:1/0", "RELAY_S3_SECRET_KEY": "short"}
    [passwords] = [c for c in await checks({**of_web, **weak}) if c.check == "passwords"]
    assert passwords.level is Level.WARN
    assert "RELAY_REDIS_URL, RELAY_S3_SECRET_KEY" in passwords.says


async def test_settings_of_the_other_process_are_named(of_web: dict[str, str]) -> None:
    """They do no harm: processes may share a file of settings."""
    said = [
        check
        for check in await checks({**of_web, "RELAY_WORKER_JOBS": "2"})
        if "RELAY_WORKER_JOBS" in check.says
    ]
    assert [(check.level, check.check) for check in said] == [(Level.OK, "settings")]


@pytest.mark.media
async def test_every_check_is_in_the_table(
    of_web: dict[str, str], of_worker: dict[str, str], of_deliverer: dict[str, str]
) -> None:
    """docs/operations.md lists each, of every process, and those that only failures or a collector have."""
    text = OPERATIONS.read_text("utf-8")
    table = text[text.index("## Checking a set-up") : text.index("## Health")]
    listed = {
        name
        for row in re.findall(r"^\| (`.+?) \|", table, re.MULTILINE)
        for name in re.findall(r"`([\w-]+)`", row)
    }
    found = {check.check for check in await checks(of_web)}
    found |= {check.check for check in await checks(of_worker, "worker")}
    found |= {check.check for check in await checks(of_deliverer, "deliverer")}
    assert listed == found | {"role", "embedding", "addresses", "traces"}


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
