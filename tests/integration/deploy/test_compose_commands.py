"""The commands of deploy/compose.yaml, run as plain processes against real services.

The secrets are those that deploy/make-secrets makes: a database server and a Redis take up the roles and
users in them, and each process comes to both as its own.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from shutil import copy
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest
import redis
import yaml

from relay.embedded import Access, Services, binaries, embedded
from relay.storage.database import ROLES

COMPOSE = Path(__file__).parents[3] / "deploy" / "compose.yaml"
OPERATIONS = Path(__file__).parents[3] / "docs" / "operations.md"
RELAY = Path(sys.executable).parent / "relay"
READY_SECONDS = 60.0


def composed() -> dict[str, Any]:
    """The services of the compose file."""
    services: dict[str, Any] = yaml.safe_load(COMPOSE.read_text("utf-8"))["services"]
    return services


class Deployment:
    """The compose file, with the addresses and secrets of the services that run here."""

    def __init__(self, folder: Path, secrets: dict[str, str], environment: dict[str, str]) -> None:
        self.services: dict[str, Any] = composed()
        self.folder = folder
        self.environment = environment
        for name, value in secrets.items():
            self.secret(name).write_text(value + "\n")

    def secret(self, name: str) -> Path:
        """Where the secret of this name is."""
        return self.folder / name

    def surroundings(self, service: str) -> dict[str, str]:
        """The environment of a service."""
        given = self.services[service]["environment"].items()
        described = {k: str(v).replace("/run/secrets", str(self.folder)) for k, v in given}
        if "RELAY_S3_SYNC_FOLDER" in described:
            mounted = [mount.split(":")[1] for mount in self.services[service]["volumes"]]
            assert described["RELAY_S3_SYNC_FOLDER"] in mounted
            described["RELAY_S3_SYNC_FOLDER"] = str(self.folder)
        outside = {k: v for k, v in os.environ.items() if not k.startswith("RELAY_")}
        return {**outside, **described, **self.environment}

    def run(self, service: str) -> subprocess.CompletedProcess[str]:
        """Run the command of a service to its end."""
        return subprocess.run(
            [RELAY, *self.services[service]["command"]],
            env=self.surroundings(service),
            check=False,
            capture_output=True,
            text=True,
        )

    @contextlib.contextmanager
    def running(self, service: str) -> Iterator[subprocess.Popen[str]]:
        """Run the command of a service during the block; SIGTERM then ends it with status 0."""
        log = self.folder / f"{service}.log"
        with (
            log.open("w") as opened,
            subprocess.Popen(
                [RELAY, *self.services[service]["command"]],
                env=self.surroundings(service),
                stdout=opened,
                stderr=opened,
                text=True,
            ) as process,
        ):
            try:
                yield process
                process.send_signal(signal.SIGTERM)
                assert process.wait(READY_SECONDS) == 0, log.read_text()
            finally:
                process.kill()

    def wait_for_log(self, service: str, words: str, process: subprocess.Popen[str]) -> None:
        """Wait until the log of a service has these words."""
        log = self.folder / f"{service}.log"
        deadline = time.monotonic() + READY_SECONDS
        while words not in log.read_text():
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.05)

    def wait_until_healthy(self, service: str, process: subprocess.Popen[str], port: int) -> None:
        """Run the service's own health check until it succeeds."""
        check = self.services[service]["healthcheck"]["test"]
        assert check[:3] == ["CMD", "python", "-c"]
        deadline = time.monotonic() + READY_SECONDS
        while True:
            asked = subprocess.run(
                [sys.executable, "-c", check[3].replace(":8080", f":{port}")],
                check=False,
                capture_output=True,
            )
            if asked.returncode == 0:
                return
            assert process.poll() is None, (self.folder / f"{service}.log").read_text()
            assert time.monotonic() < deadline, asked.stderr.decode()


@pytest.fixture
def port() -> int:
    """A port that nobody uses right now."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        number: int = taken.getsockname()[1]
    return number


@pytest.fixture
def made_secrets(tmp_path: Path) -> dict[str, str]:
    """The secrets of this test's own, by name."""
    copy(COMPOSE.parent / "make-secrets", tmp_path)
    subprocess.run([tmp_path / "make-secrets"], check=True, capture_output=True)
    return {path.name: path.read_text().strip() for path in (tmp_path / "secrets").iterdir()}


def statements_of(secret: str) -> list[str]:
    """The statements of docs/operations.md for setting a server up, with the passwords of the secret.

    The secret is what Postgres says in a container: the same, but for what a superuser does not need.
    """
    block = re.search(r"```sql\n(create role relay_owner.*?)```", OPERATIONS.read_text(), re.DOTALL)
    assert block is not None
    said = [line.partition("--")[0].strip() for line in block[1].splitlines()]
    made = {re.sub("'.*'", "'…'", line): line for line in secret.splitlines()}
    assert [line for line in said if line in made] == list(made)
    return [made.get(line, line) for line in said]


@pytest.fixture
async def database(
    made_secrets: dict[str, str], services: Services
) -> AsyncIterator[Callable[[str], str]]:
    """A new Postgres that has run the file of roles at its first start; what an address is here."""
    given = {
        name: value
        for name, value in services.accesses[Access.WEB].items()
        if name != "RELAY_DATABASE_URL"
    }
    with tempfile.TemporaryDirectory(prefix="relay-tests-") as folder:
        Path(folder).chmod(0o711)
        async with embedded(Path(folder) / "data", given) as own:
            url = own.accesses[Access.ADMINISTRATOR]["RELAY_DATABASE_URL"]
            place = urlsplit(url)._replace(path="/postgres")
            connection = await asyncpg.connect(urlunsplit(place))
            # The embedded server has roles of the same names.
            await connection.execute("drop database relay")
            for role in ("relay_owner", *ROLES):
                await connection.execute(f"drop role {role}")
            await connection.execute("create role manager createrole createdb")
            # As a role that manages a server without being its superuser: that is the least that has to do.
            await connection.execute("set session authorization manager")
            for statement in statements_of(made_secrets["database_roles"]):
                await connection.execute(statement)
            await connection.close()
            yield lambda address: address.replace("@postgres:5432/relay", f"@/relay?{place.query}")


@pytest.fixture
def triggers(made_secrets: dict[str, str]) -> Iterator[Callable[[str], str]]:
    """A new Redis with the command of the compose file; what an address is here."""
    with tempfile.TemporaryDirectory(prefix="relay-tests-") as folder:
        users, socket = Path(folder) / "redis_users", Path(folder) / "redis.sock"
        users.write_text(made_secrets["redis_users"] + "\n")
        words = [
            str(users) if word == "/run/secrets/redis_users" else word
            for word in composed()["redis"]["command"][1:]
        ]
        command = [str(binaries.redis()), *words, "--port", "0", "--unixsocket", str(socket)]
        with subprocess.Popen([*command, "--dir", folder], stdout=subprocess.DEVNULL) as process:
            try:
                until(socket.exists)
                yield lambda address: re.sub(
                    r"^redis:(.*)@redis:6379/0$", rf"unix:\1@{socket}", address
                )
            finally:
                process.terminate()


@pytest.fixture
def deployment(
    tmp_path: Path,
    services: Services,
    made_secrets: dict[str, str],
    database: Callable[[str], str],
    triggers: Callable[[str], str],
    bucket: str,
    port: int,
) -> Deployment:
    """The deployment on an empty database, an empty bucket and an empty Redis."""
    given = services.accesses[Access.WEB]
    folder = tmp_path / "deployment"
    folder.mkdir()
    return Deployment(
        folder,
        {
            **{name: triggers(database(secret)) for name, secret in made_secrets.items()},
            "s3_access_key": given["RELAY_S3_ACCESS_KEY"],
            "s3_secret_key": given["RELAY_S3_SECRET_KEY"],
        },
        {
            "RELAY_S3_ENDPOINT": given["RELAY_S3_ENDPOINT"],
            "RELAY_S3_BUCKET": bucket,
            "RELAY_PUBLIC_URL": f"http://127.0.0.1:{port}",
            "RELAY_LISTEN_HOST": "127.0.0.1",
            "RELAY_LISTEN_PORT": str(port),
            "RELAY_LOG_FORMAT": "json",
        },
    )


def until(holds: Callable[[], bool]) -> None:
    """Wait until it holds."""
    deadline = time.monotonic() + READY_SECONDS
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def relay(*words: str | Path) -> str:
    """Run another command of relay, which must succeed; what it printed."""
    outside = {k: v for k, v in os.environ.items() if not k.startswith("RELAY_")}
    done = subprocess.run([RELAY, *words], check=False, capture_output=True, text=True, env=outside)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_deployment_comes_up_from_nothing_and_goes_down_in_order(
    deployment: Deployment, port: int
) -> None:
    """Migrate, serve, publish the worker's credential, work: each by the command that compose runs."""
    folder = deployment.folder
    passphrase, root, media = folder / "passphrase", folder / "root", folder / "media"
    passphrase.write_text("correct horse battery staple\n")
    relay("root", "new", "--output", root, "--passphrase-file", passphrase)
    shown = relay("root", "show", "--root", root, "--passphrase-file", passphrase)
    public_keys = re.findall(r"(?<!\S)[A-Za-z0-9_-]{43}(?!\S)", shown)
    deployment.environment["RELAY_ROOT_PUBLIC_KEYS"] = public_keys[0]
    relay("keys", "new", "media", "--output", deployment.secret("media_key"), "--request", media)
    credential = folder / "credential"
    words = ("--root", root, "--output", credential, "--passphrase-file", passphrase)
    relay("root", "certify", *words, media)

    migrated = deployment.run("migrate")
    assert migrated.returncode == 0, migrated.stdout + migrated.stderr
    assert deployment.run("migrate").returncode == 0
    with deployment.running("web") as web:
        deployment.wait_until_healthy("web", web, port)
        relay("root", "publish", "--url", f"http://127.0.0.1:{port}", credential)
        with deployment.running("worker") as worker:
            deployment.wait_for_log("worker", "is ready", worker)
    everything = "".join(path.read_text() for path in folder.glob("*.log"))
    for name in ("owner_database_url", "worker_redis_url", "s3_secret_key", "media_key"):
        assert deployment.secret(name).read_text().strip() not in everything
    assert "Redis is away" not in everything


def test_no_process_has_the_rights_of_another(deployment: Deployment) -> None:
    """The web service cannot migrate, nor take from Redis; with the worker's addresses it does not serve."""
    owner = dict(deployment.services["migrate"]["environment"])
    for other in ("web", "worker"):
        address = deployment.services[other]["environment"]["RELAY_DATABASE_URL_FILE"]
        deployment.services["migrate"]["environment"]["RELAY_DATABASE_URL_FILE"] = address
        refused = deployment.run("migrate")
        assert refused.returncode == 1
        assert "not-owner" in refused.stdout + refused.stderr
    deployment.services["migrate"]["environment"] = owner
    assert deployment.run("migrate").returncode == 0
    url = deployment.secret("web_redis_url").read_text().strip()
    with redis.Redis.from_url(url) as client:
        with pytest.raises(redis.exceptions.NoPermissionError):
            client.zrange("relay:jobs", 0, -1)
        with pytest.raises(redis.exceptions.NoPermissionError):
            client.get("arq:job:x")
    place = url.rpartition("@")[2]
    with (
        redis.Redis.from_url(f"unix://{place}") as client,
        pytest.raises(redis.exceptions.AuthenticationError),
    ):
        client.ping()


def test_a_worker_without_its_key_does_not_run(deployment: Deployment) -> None:
    """The web tier's surroundings are not enough to work on videos."""
    assert deployment.run("migrate").returncode == 0
    del deployment.services["worker"]["environment"]["RELAY_MEDIA_KEY_FILE"]
    refused = deployment.run("worker")
    assert refused.returncode == 1
    assert "RELAY_MEDIA_KEY_FILE" in refused.stdout + refused.stderr
