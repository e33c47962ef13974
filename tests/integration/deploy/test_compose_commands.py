"""The commands of deploy/compose.yaml, run as plain processes against real services."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from relay.embedded import Services

COMPOSE = Path(__file__).parents[3] / "deploy" / "compose.yaml"
RELAY = Path(sys.executable).parent / "relay"
READY_SECONDS = 60.0


class Deployment:
    """The compose file, with the addresses and secrets of the services that run here."""

    def __init__(self, folder: Path, secrets: dict[str, str], environment: dict[str, str]) -> None:
        self.services: dict[str, Any] = yaml.safe_load(COMPOSE.read_text("utf-8"))["services"]
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
def deployment(
    tmp_path: Path,
    services: Services,
    empty_database_url: str,
    redis_url: str,
    bucket: str,
    port: int,
) -> Deployment:
    """The deployment on an empty database, an empty bucket and an empty Redis."""
    return Deployment(
        tmp_path,
        {
            "database_url": empty_database_url,
            "redis_url": redis_url,
            "s3_access_key": services.environment["RELAY_S3_ACCESS_KEY"],
            "s3_secret_key": services.environment["RELAY_S3_SECRET_KEY"],
        },
        {
            "RELAY_S3_ENDPOINT": services.environment["RELAY_S3_ENDPOINT"],
            "RELAY_S3_BUCKET": bucket,
            "RELAY_PUBLIC_URL": f"http://127.0.0.1:{port}",
            "RELAY_LISTEN_HOST": "127.0.0.1",
            "RELAY_LISTEN_PORT": str(port),
            "RELAY_LOG_FORMAT": "json",
        },
    )


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
    public_keys = re.findall(r"\b[A-Za-z0-9_-]{43}\b", shown)
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
    for name in ("database_url", "s3_secret_key", "media_key"):
        assert deployment.secret(name).read_text().strip() not in everything


def test_a_worker_without_its_key_does_not_run(deployment: Deployment) -> None:
    """The web tier's surroundings are not enough to work on videos."""
    assert deployment.run("migrate").returncode == 0
    deployment.services["worker"]["environment"] = deployment.services["web"]["environment"]
    refused = deployment.run("worker")
    assert refused.returncode == 1
    assert "RELAY_MEDIA_KEY_FILE" in refused.stdout + refused.stderr
