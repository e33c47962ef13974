"""deploy/compose.yaml keeps secrets, networks and privileges apart as the threat model needs it."""

from __future__ import annotations

import json
import re
import stat
import subprocess
from pathlib import Path
from shutil import copy
from typing import Any

import pytest
import yaml

from relay.queue import WEB_RULES, WORKER_RULES
from relay.settings import Settings, database_url

DEPLOY = Path(__file__).parents[3] / "deploy"
ROLES = {
    "web": "relay_web",
    "worker": "relay_worker",
    "deliver": "relay_deliverer",
    "migrate": "relay_owner",
}
"""As whom each process of relay comes to the database."""
NEEDED_BY_THE_JAIL = {"clone", "clone3", "unshare", "mount", "umount2", "pivot_root", "prctl"}


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    """The compose file with its anchors resolved."""
    content: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))
    return content


def secrets_of(service: dict[str, Any]) -> set[str]:
    """The secrets that a service is given."""
    return {
        given["source"] if isinstance(given, dict) else given
        for given in service.get("secrets", [])
    }


@pytest.fixture
def made_secrets(tmp_path: Path) -> Path:
    """What `make-secrets` makes, in a folder of this test's own."""
    copy(DEPLOY / "make-secrets", tmp_path)
    subprocess.run([tmp_path / "make-secrets"], check=True, capture_output=True)
    return tmp_path / "secrets"


def test_every_name_that_is_referred_to_exists(compose: dict[str, Any]) -> None:
    """Networks, volumes, secrets and services that a service uses are declared, and none is idle."""
    used: dict[str, set[str]] = {"networks": set(), "volumes": set(), "secrets": set()}
    for service in compose["services"].values():
        used["networks"] |= set(service.get("networks", []))
        used["secrets"] |= secrets_of(service)
        mounts = [mount.partition(":")[0] for mount in service.get("volumes", [])]
        used["volumes"] |= {source for source in mounts if not source.startswith(".")}
        assert set(service.get("depends_on", {})) <= set(compose["services"])
    for kind, names in used.items():
        assert names == set(compose[kind])


@pytest.mark.parametrize(
    "service",
    ["proxy", "web", "worker", "deliver", "collector", "migrate", "postgres", "redis", "s3"],
)
def test_every_service_is_confined(compose: dict[str, Any], service: str) -> None:
    """Read-only, without capabilities, without a way to gain any; only the proxy keeps a port's."""
    described = compose["services"][service]
    assert described["read_only"] is True
    assert described["cap_drop"] == ["ALL"]
    assert described.get("cap_add", []) == (["NET_BIND_SERVICE"] if service == "proxy" else [])
    assert "no-new-privileges:true" in described["security_opt"]
    assert "privileged" not in described


def test_only_the_worker_has_the_media_key_and_a_softer_profile(compose: dict[str, Any]) -> None:
    """The web tier could not open a video even if it were taken over."""
    for name, described in compose["services"].items():
        is_worker = name == "worker"
        assert ("media_key" in described.get("secrets", [])) == is_worker
        assert ("RELAY_MEDIA_KEY_FILE" in described.get("environment", {})) == is_worker
        assert (len(described["security_opt"]) > 1) == is_worker
    assert compose["services"]["worker"]["image"] == compose["services"]["web"]["image"]


def test_only_the_proxy_is_reachable_and_the_worker_reaches_nobody(compose: dict[str, Any]) -> None:
    """No other service publishes a port; the inner network leads nowhere."""
    services = compose["services"]
    assert [name for name, described in services.items() if "ports" in described] == ["proxy"]
    assert compose["networks"]["back"] == {"internal": True}
    for name in ("worker", "migrate", "postgres", "redis", "s3"):
        assert services[name]["networks"] == ["back"]
    assert services["proxy"]["networks"] == ["front"]
    leads_out = [name for name in services if "out" in services[name].get("networks", [])]
    assert leads_out == ["deliver", "collector"]


def test_a_collector_is_there_where_it_is_asked_for(compose: dict[str, Any]) -> None:
    """By a profile of its own, with a file that is there, no secret and no port; it takes what comes."""
    described = compose["services"]["collector"]
    assert described["profiles"] == ["traces"]
    assert described["user"] == "10001:10001"
    assert not described.keys() & {"secrets", "ports", "env_file"}
    [mounted] = described["volumes"]
    source, target, mode = mounted.split(":")
    assert (f"--config={target}", mode) == (described["command"][0], "ro")
    taking = yaml.safe_load((DEPLOY / source).read_text("utf-8"))
    assert taking["receivers"] == {"otlp": {"protocols": {"http": {"endpoint": "0.0.0.0:4318"}}}}
    [pipeline] = taking["service"]["pipelines"].items()
    assert pipeline[0] == "traces"
    for part in ("receivers", "processors", "exporters"):
        assert set(pipeline[1][part]) == set(taking[part])
    example = (DEPLOY / "env.example").read_text("utf-8")
    assert "http://collector:4318" in example


def test_every_secret_is_made_or_named_in_the_instructions(
    compose: dict[str, Any], made_secrets: Path
) -> None:
    """`make-secrets` makes all but the media key and the receivers of webhooks, which the operator writes."""
    files = {Path(secret["file"]).name for secret in compose["secrets"].values()}
    assert {path.name for path in made_secrets.iterdir()} == files - {"media_key", "webhooks"}
    assert stat.S_IMODE(made_secrets.stat().st_mode) == 0o700


def test_the_secrets_fit_together_and_the_settings_accept_them(
    compose: dict[str, Any], made_secrets: Path
) -> None:
    """Each service gets the password that its clients have; relay reads them from the files."""
    secret = {path.name: path.read_text().strip() for path in made_secrets.iterdir()}
    passwords = {secret["database_password"], secret["s3_secret_key"]}
    for role in ROLES.values():
        url = secret[f"{role.removeprefix('relay_')}_database_url"]
        password = url.partition(f"{role}:")[2].partition("@")[0]
        assert url == f"postgresql://{role}:{password}@postgres:5432/relay"
        assert f"create role {role} login password '{password}';" in secret["database_roles"]
        passwords.add(password)
    users = secret["redis_users"].splitlines()
    assert users[0] == "user default reset", "without a name nobody is let in"
    for line, who, rules in zip(
        users[1:], ("web", "worker"), (WEB_RULES, WORKER_RULES), strict=True
    ):
        password = secret[f"{who}_redis_url"].partition(f"{who}:")[2].partition("@")[0]
        assert secret[f"{who}_redis_url"] == f"redis://{who}:{password}@redis:6379/0"
        assert line == f"user {who} reset on >{password} {rules}"
        passwords.add(password)
    assert secret["s3_auth_key"] == f'"{secret["s3_access_key"]},{secret["s3_secret_key"]}"'
    assert len(passwords) == 2 + 4 + 2
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{32}", password) for password in passwords)
    for who, role in ROLES.items():
        environment = {
            key: str(value).replace("/run/secrets", str(made_secrets))
            for key, value in compose["services"][who]["environment"].items()
        }
        url = secret[f"{role.removeprefix('relay_')}_database_url"]
        assert database_url(environment) == url
        if who in {"web", "worker"}:
            settings = Settings.from_environment(environment)
            assert settings.database_url == url
            assert settings.redis_url == secret[f"{who}_redis_url"]
            assert settings.s3_secret_key == secret["s3_secret_key"]


def test_each_process_is_given_its_own_secrets_alone(compose: dict[str, Any]) -> None:
    """None has the address of another, and the superuser's password is Postgres's alone."""
    of_store = {"s3_access_key", "s3_secret_key"}
    expected = {
        "web": {"web_database_url", "web_redis_url", *of_store},
        "worker": {"worker_database_url", "worker_redis_url", "media_key", *of_store},
        "deliver": {"deliverer_database_url", "webhooks"},
        "migrate": {"owner_database_url"},
        "collector": set(),
        "postgres": {"database_password", "database_roles"},
        "redis": {"redis_users"},
        "s3": {"s3_auth_key"},
        "proxy": set(),
    }
    given = {name: secrets_of(described) for name, described in compose["services"].items()}
    assert given == expected
    for name, described in compose["services"].items():
        files = {
            str(value)
            for value in described.get("environment", {}).values()
            if "/run/secrets/" in str(value)
        }
        assert {Path(file).name for file in files} <= expected[name]


def test_secrets_are_never_overwritten(made_secrets: Path) -> None:
    """A second run changes nothing: the volumes were made with the first passwords."""
    before = {path.name: path.read_bytes() for path in made_secrets.iterdir()}
    again = subprocess.run(
        [made_secrets.parent / "make-secrets"], check=False, capture_output=True, text=True
    )
    assert again.returncode == 1
    assert "exists already" in again.stderr
    assert {path.name: path.read_bytes() for path in made_secrets.iterdir()} == before


def test_a_server_gets_the_same_secrets_with_its_own_addresses(
    made_secrets: Path, tmp_path: Path
) -> None:
    """Closed, each in a folder that may be passed through; nothing of services that it has by itself."""
    folder = tmp_path / "server"
    program = str(made_secrets.parent / "make-secrets")
    command = [program, str(folder), "127.0.0.1:5432", "127.0.0.1:6379"]
    subprocess.run(command, check=True, capture_output=True)
    of_compose = {"database_password", "s3_access_key", "s3_secret_key", "s3_auth_key"}
    names = {path.name for path in folder.iterdir()}
    assert names == {path.name for path in made_secrets.iterdir()} - of_compose
    assert stat.S_IMODE(folder.stat().st_mode) == 0o711
    for path in folder.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        if path.name.endswith("_database_url"):
            assert path.read_text().endswith("@127.0.0.1:5432/relay\n")
        elif path.name.endswith("_redis_url"):
            assert path.read_text().endswith("@127.0.0.1:6379/0\n")
    assert subprocess.run(command, check=False, capture_output=True).returncode == 1
    assert subprocess.run(command[:2], check=False, capture_output=True).returncode == 2


def test_the_workers_filter_refuses_calls_but_not_those_of_the_jail() -> None:
    """It refuses what the default profile does, apart from what makes namespaces and mounts."""
    profile = json.loads((DEPLOY / "worker-seccomp.json").read_text())
    refused = {
        name
        for rule in profile["syscalls"]
        if rule["action"] == "SCMP_ACT_ERRNO" and not rule.get("args")
        for name in rule["names"]
    }
    assert not refused & NEEDED_BY_THE_JAIL
    assert refused > {
        "bpf",
        "kexec_load",
        "init_module",
        "keyctl",
        "ptrace",
        "setns",
        "userfaultfd",
    }


def test_the_image_is_built_from_locked_wheels_and_does_not_run_as_root() -> None:
    """Each pip that reaches out checks hashes and compiles nothing; each final stage has a user."""
    dockerfile = (DEPLOY / "Dockerfile").read_text("utf-8").replace("\\\n", " ")
    reaching_out = [
        line
        for line in re.findall(r"\S+/pip install [^&\n]*", dockerfile)
        if "--no-index" not in line
    ]
    assert len(reaching_out) == 2
    for line in reaching_out:
        assert "--require-hashes --only-binary :all:" in line
    stages = re.split(r"^FROM ", dockerfile, flags=re.MULTILINE)[1:]
    named = {re.search(r" AS (\w+)", stage)[1]: stage for stage in stages if " AS " in stage}  # type: ignore[index]
    for name in ("relay", "s3"):
        assert "USER 10001:10001" in named[name]
