"""docs/production.md, from its first command to its last, as its readers would type it.

What stands on the page runs: on a Postgres, a Redis and an S3 service of their own, with nginx in front, and
with the processes that the units of deploy/systemd start. What is otherwise than on a server is in two
tables: which words are replaced, and which commands are not run. `People` do what it leaves to the console.
"""

from __future__ import annotations

import dataclasses
import re
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final
from urllib.parse import quote

import pytest
from standardwebhooks import Webhook as StandardWebhook

from tests.support.a_server import Server, a_server
from tests.support.pages_to_type import Block, read_blocks
from tests.support.programme import WAIT_SECONDS, People, answered_all_along
from tests.support.proxies import ROOT, fetch_programs
from tests.support.receivers import ReceivingHost
from tests.support.relays import LoopThread

PAGE: Final = ROOT / "docs" / "production.md"
ROOT_PASSPHRASE: Final = "seven quiet ferries cross the harbour before dawn"


def substitutions(server: Server, receiver: str) -> dict[str, str]:
    """What is another word here than on the page, in this order; each is used."""
    ports, root = server.ports, server.root
    s3, sockets = server.provided.s3, quote(server.provided.sockets, safe="")
    return {
        # Names of hosts.
        "https://relay.example.org": f"https://localhost:{ports.https}",
        "relay.example.org": "localhost",
        'url = "https://cases.example.org/relay/events"': (
            f'url = "{receiver}"\nnetworks = ["127.0.0.0/8"]'  # it is on loopback
        ),
        "https://objects.example.org": s3["RELAY_S3_ENDPOINT"],
        "ACCESSKEY": s3["RELAY_S3_ACCESS_KEY"],
        "SECRETKEY": s3["RELAY_S3_SECRET_KEY"],
        # Ports.
        "127.0.0.1:5432": f"{sockets}:5432",
        "127.0.0.1:6379": f"127.0.0.1:{ports.redis}",
        "8080": str(ports.web[0]),
        "8081": str(ports.web[1]),
        "127.0.0.1:9465": f"127.0.0.1:{ports.worker_metrics}",
        "127.0.0.1:9466": f"127.0.0.1:{ports.deliver_metrics}",
        # Nobody waits for a sweep for a quarter of a minute.
        "RELAY_MEDIA_KEY_FILE=/etc/": f"RELAY_SWEEP_SECONDS=1\nRELAY_MEDIA_KEY_FILE={root}/etc/",
        # Every process here is of one user.
        "runuser -u postgres -- ": "",
        "runuser -u relay-web -- ": "",
        "runuser -u relay-worker -- ": "",
        "runuser -u relay-deliver -- ": "",
        # Folders.
        "/media/stick": str(server.folder / "stick"),
        "/media/auditor": str(server.folder / "auditor"),
        "/usr/local/": f"{root}/usr/local/",
        "/opt/relay": f"{root}/opt/relay",
        "/var/backups/": f"{root}/var/backups/",
        "/var/www/": f"{root}/var/www/",
        "/etc/": f"{root}/etc/",
    }


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Instead:
    """Why a command is not run, and what is typed in its place."""

    why: str
    typed: str = ":"


def packages_of(environment: str) -> str:
    """Have a virtual environment find the packages that are locked for the tests."""
    return f'echo "$PACKAGES" > "$(echo {environment}/lib/python*/site-packages)/b.pth"'


RELAY_OF_SERVER: Final = (
    f"{packages_of('~/relay')}; "
    'echo /opt/relay/lib/python*/site-packages > "$(echo ~/relay/lib/python*/site-packages)/a.pth"; '
    "ln --symbolic /opt/relay/bin/relay ~/relay/bin/relay"
)
INSTALLS: Final = (
    "it installs Debian's packages; the test has their programs, and starts their services"
)
NO_SOURCE: Final = "there is no other source than this tree, which is copied there"
BUILDS: Final = (
    "it asks a registry; the pages are built, and tests/stories/test_pages_build.py builds them"
)
ASKS: Final = "it asks a registry for what the tests have installed already, of the same versions"
NO_USERS: Final = "users of the system are made by root; here everything is of one user"
USER: Final = (
    "useradd --system --user-group --no-create-home --home-dir /nonexistent "
    "--shell /usr/sbin/nologin "
)
CLIENT: Final = "pip --python ~/relay install /media/stick/relay/relay-0.1.0-py3-none-any.whl"
LOCKED: Final = "install --require-hashes --only-binary :all: --requirement requirements/"

NOT_RUN: Final[Mapping[str, Instead]] = {
    "apt-get update": Instead(why=INSTALLS),
    "apt-get install --yes git nodejs npm python3-pip python3-venv bubblewrap postgresql redis-server nginx "
    "certbot rclone curl openssl": Instead(why=INSTALLS),
    "git clone SOURCE /usr/local/src/relay": Instead(why=NO_SOURCE),
    "git pull": Instead(why=NO_SOURCE),
    "npm ci --ignore-scripts --no-audit --no-fund": Instead(why=BUILDS),
    "npm run build": Instead(why=BUILDS),
    f"pip --python /opt/relay-build {LOCKED}build.txt": Instead(
        why=ASKS, typed=packages_of("/opt/relay-build")
    ),
    f"pip --python /opt/relay-0.1.0 {LOCKED}relay.txt": Instead(
        why=ASKS, typed=packages_of("/opt/relay-0.1.0")
    ),
    f"pip --python /opt/relay-next {LOCKED}relay.txt": Instead(
        why=ASKS, typed=packages_of("/opt/relay-next")
    ),
    "pip download --quiet --require-hashes --only-binary :all: --requirement requirements/relay.txt "
    "--dest /media/stick/relay": Instead(why=ASKS),
    "pip --python ~/relay install --no-index --find-links /media/stick/relay relay": Instead(
        why="nothing was downloaded to the stick", typed=RELAY_OF_SERVER
    ),
    CLIENT: Instead(why=ASKS, typed=RELAY_OF_SERVER),
    f"{USER}relay-web": Instead(why=NO_USERS),
    f"{USER}relay-worker": Instead(why=NO_USERS),
    f"{USER}relay-deliver": Instead(why=NO_USERS),
    "chown relay-web: web_database_url web_redis_url web_s3_access_key web_s3_secret_key": Instead(
        why=NO_USERS
    ),
    "chown relay-worker: worker_database_url worker_redis_url worker_s3_access_key worker_s3_secret_key": (
        Instead(why=NO_USERS)
    ),
    "chown relay-deliver: deliverer_database_url": Instead(why=NO_USERS),
    "chgrp redis /etc/redis/relay.acl /etc/redis/relay.conf": Instead(why=NO_USERS),
    "chown relay-worker: /etc/relay/media.key": Instead(why=NO_USERS),
    "chown relay-worker: /etc/relay/media-2.key": Instead(why=NO_USERS),
    "chown relay-deliver: /etc/relay/webhooks.toml": Instead(why=NO_USERS),
    "certbot certonly --webroot --webroot-path /var/www/acme --domain relay.example.org --deploy-hook "
    "'install --mode 0600 $RENEWED_LINEAGE/privkey.pem /etc/ssl/relay/key.pem; "
    "install --mode 0644 $RENEWED_LINEAGE/fullchain.pem /etc/ssl/relay/fullchain.pem; "
    "systemctl reload nginx'": Instead(why="nobody certifies localhost; what openssl made stays"),
}
"""Beside these, `systemctl` is tests/support/systemd.py: it starts what a unit says, but not hardened."""

PRINTED: Final[Mapping[str, tuple[str, str]]] = {
    "ROOTKEY": ("relay root new --output root.key", r"public key +(\S{43})"),
    "FINGERPRINT": ("relay root new --output root.key", r"fingerprint +(\S{22})"),
    "AUDITORKEY": ("relay audit key", r"^(\S{43})$"),
    "WEBHOOKSECRET": ("relay webhooks secret", r"^(whsec_\S+)$"),
    "FIRST": ("relay root certify /media/stick/first.request", r"mediator (\S{36}): signed"),
    "CASE": ("~/relay/bin/python first_case.py register", r"^(\S{36})$"),
    "SECOND": ("relay root certify /media/stick/second.request", r"mediator (\S{36}): signed"),
    "THIRD": ("relay root certify /media/stick/third.request", r"mediator (\S{36}): signed"),
    "PERSON": ("relay keys new mediator --output first.key", r"of (\S{36}): now"),
    "NEWROOTKEY": ("relay root new --output new-root.key", r"public key +(\S{43})"),
}
"""A word on the page, the command that prints what it is, and where in that."""


@dataclasses.dataclass(slots=True, kw_only=True)
class Reader:
    """Whoever follows the page on this server."""

    server: Server
    words: dict[str, str]
    """The substitutions."""
    printed: dict[str, str] = dataclasses.field(default_factory=dict)
    used: set[str] = dataclasses.field(default_factory=set)
    """Of all tables."""
    done: list[Block] = dataclasses.field(default_factory=list)

    def here(self, text: str) -> str:
        """A text of the page as it is on this server."""
        known = {**self.printed, **self.words}
        words = [rf"\b{word}\b" for word in self.printed] + [re.escape(word) for word in self.words]

        def replaced(found: re.Match[str]) -> str:
            self.used.add(found[0])
            return known[found[0]]

        return re.sub("|".join(words), replaced, text)

    def follow(self, block: Block, change: Mapping[str, str] | None = None) -> str:
        """Type a block, or write a file; what was said. `change`: done for somebody else than on the page."""
        text = block.text
        for old, new in (change or {}).items():
            assert old in text
            text = text.replace(old, new)
        self.done.append(block)
        if block.is_file:
            path = Path(self.here(block.where))
            path = path if path.is_absolute() else self.server.home("Case system") / path
            path.write_text(self.here(text), "utf-8")
            return ""
        lines = []
        for line in text.splitlines():
            if line in NOT_RUN:
                self.used.add(line)
                line = NOT_RUN[line].typed  # noqa: PLW2901 - this is what is typed
            lines.append(line)
        said = self.server.type(block.where, self.here("\n".join(lines)))
        for word, (command, pattern) in PRINTED.items():
            if command in text:
                found = re.search(pattern, said, re.MULTILINE)
                assert found is not None, f"{command} printed no {word}:\n{said}"
                self.printed[word] = found[1]
        return said


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """The parts of the page in its order, and what is looked at after each."""

    people: People
    reader: Reader
    blocks: list[Block]

    @property
    def server(self) -> Server:
        """Where all of it happens."""
        return self.reader.server

    def part(self, beginning: str) -> list[Block]:
        """The blocks of one section, which begins with these words."""
        found = [block for block in self.blocks if block.section.startswith(beginning)]
        assert found, beginning
        return found

    def follow(self, beginning: str, change: Mapping[str, str] | None = None) -> str:
        """Type a section to its end; what the last block said."""
        return [self.reader.follow(block, change) for block in self.part(beginning)][-1]

    def set_up(self) -> None:
        """From nothing to a relay that answers, and tells the case system of events."""
        for step in ("1.", "2.", "3.", "4.", "5.", "6."):
            self.follow(step)
        assert '"status":"ok"' in self.follow("7.").replace(" ", "")
        self.follow("8.")
        assert_event_arrives(self.people)

    def begin_to_use(self) -> None:
        """A mediator, a case with two people, a letter that goes through, and a video that is prepared."""
        self.follow("9.")
        for block in self.part("10."):
            said = self.reader.follow(block)
            if "bin/python first_case.py register" in block.text:
                self.people.open_case()
            elif "bin/python first_case.py links" in block.text:
                self.people.arrive(said)
        self.people.film(self.server.folder / "phone.mov")
        self.people.register_another()

    def upgrade(self) -> None:
        """Another version runs afterwards, and nobody was refused meanwhile."""
        unit = f"relay-web@{self.server.ports.web[0]}"
        before = self.server.systemd.process(unit)
        with answered_all_along(self.people):
            self.follow("11.")
        after = self.server.systemd.process(unit)
        assert after != before
        assert "relay-next" in Path(f"/proc/{after}/cmdline").read_text()
        self.people.exchange("first", "After the upgrade.")

    def lose_and_restore(self) -> None:
        """What came after the backup is gone; what was disposed of after it is disposed of again."""
        checkpoint, *backup = self.part("12.")
        self.reader.follow(checkpoint)
        self.people.exchange("first", "Between checkpoint and backup.")
        for block in backup:
            self.reader.follow(block)
        kept = list(self.people.letters)
        video = self.people.watch("first", self.server.folder / "before.mp4")
        self.people.exchange("first", "After the backup.")
        self.people.dispose()
        [hourly] = [block for block in backup if "copy objects:relay/disposals" in block.text]
        self.reader.follow(hourly)
        stop, *restore = self.part("13.")
        self.reader.follow(stop)
        lose_everything(self.server)
        said = "".join(self.reader.follow(block) for block in restore)
        assert f"{self.people.disposed} disposed of again" in said
        assert "nothing was cut off or rewritten since" in said
        assert self.people.is_disposed()
        assert self.people.read_again() == kept
        assert self.people.watch("first", self.server.folder / "after.mp4") == video
        self.people.exchange("first", "After the restore.")

    def change_keys(self) -> None:
        """Mediators come and go, with new keys or by the recovery key; the worker and the root change."""
        self.follow("A second mediator")
        self.people.change_mediators("first", "FIRST", "SECOND")
        self.people.exchange("second", "With a second mediator.")
        self.follow("A credential is about to end")
        self.people.renew()
        self.people.leave()
        self.follow("A mediator leaves")
        self.people.refused("second")
        self.follow("The media worker's key changes")
        for block in self.part("A second mediator"):
            self.reader.follow(block, {"second": "third"})
        self.follow("The only mediator of a case is gone")
        self.people.exchange("third", "With whoever took the case over.")
        with answered_all_along(self.people):
            self.follow("The root changes")
        self.people.exchange("third", "Under another root.")


@pytest.fixture
def story() -> Iterator[Story]:
    """An empty server, somebody who reads the page, and whoever is asked to act between its blocks."""
    fetch_programs()
    thread, host = LoopThread(), ReceivingHost()
    with tempfile.TemporaryDirectory(prefix="relay-production-") as folder:
        Path(folder).chmod(0o711)
        try:
            thread.run(host.come())
            with a_server(Path(folder), ROOT_PASSPHRASE) as server:
                reader = Reader(server=server, words=substitutions(server, host.url))
                server.begin()
                server.unpack_tree(reader.here)
                yield Story(
                    people=People(
                        server=server,
                        url=reader.words["https://relay.example.org"],
                        printed=reader.printed,
                        host=host,
                    ),
                    reader=reader,
                    blocks=read_blocks(PAGE),
                )
        finally:
            thread.run(host.go())
            thread.close()


@pytest.mark.own_relay
@pytest.mark.timeout(900)
def test_a_relay_from_nothing_by_every_command_of_the_page(story: Story) -> None:
    """Set up, used, upgraded, lost and restored, and given other keys; a letter goes through each time.

    Every block was typed, every entry of the tables was needed, and the log holds at the end.
    """
    reader = story.reader
    story.set_up()
    story.begin_to_use()
    story.upgrade()
    story.lose_and_restore()
    story.change_keys()
    reader.server.type("Server", reader.here("relay --settings /etc/relay/web.env audit verify"))
    assert [block for block in story.blocks if block not in reader.done] == []
    assert sorted({*NOT_RUN, *PRINTED, *reader.words} - reader.used) == []
    assert reader.server.systemd.enabled == {
        *(f"relay-web@{port}" for port in reader.server.ports.web),
        *("relay-worker", "relay-deliver"),
    }


def assert_event_arrives(people: People) -> None:
    """The case system gets the test event, signed with the secret that it was given."""
    deadline = time.monotonic() + WAIT_SECONDS
    while not people.host.taken:
        assert time.monotonic() < deadline, people.server.systemd.log("relay-deliver")
        time.sleep(0.05)
    [webhook] = people.host.taken
    secret = people.printed["WEBHOOKSECRET"]
    StandardWebhook(secret).verify(webhook.body, dict(webhook.headers))
    assert webhook.event["type"] == "relay.test"


def lose_everything(server: Server) -> None:
    """The database with its roles, the bucket, and the settings."""
    server.drop_database()
    server.type(
        "Server",
        f"rclone --config {server.root}/etc/relay/rclone.conf purge objects:relay; "
        f"rm --recursive {server.root}/etc/relay",
    )
