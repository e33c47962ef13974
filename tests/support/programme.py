"""The people of docs/production.md: what they do in the console and through links, and how time goes by."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import http.client
import re
import ssl
import threading
import time
import uuid
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Final, TypeVar
from urllib.parse import urlsplit

import aiohttp
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from relay.client.case_system import CaseSystem
from relay.client.connection import Connection, Problem
from relay.client.mediator import Mediator
from relay.client.participant import Participant
from relay.crypto.encoding import b64u_decode
from relay.crypto.keyfiles import load_keyring_file
from relay.domain.cases import CaseRegistration, NewParticipant, ParticipantRole
from relay.domain.transitions import State
from relay.media.tools import MediaTools
from relay.testing.people import PASSPHRASE, verify_everybody
from relay.testing.recordings import record
from tests.support.a_server import Server
from tests.support.ended_cases import age
from tests.support.receivers import ReceivingHost
from tests.support.relays import WORK_FACTOR_LOG2

WAIT_SECONDS: Final = 60
_ASKED_LEAST: Final = 20

_Result = TypeVar("_Result")


@dataclasses.dataclass(slots=True, kw_only=True)
class People:
    """Who does what the page leaves to the console, to participants and to time."""

    server: Server
    url: str
    """Where relay is."""
    printed: Mapping[str, str]
    """What commands of the page have printed, by the word that stands for it there."""
    host: ReceivingHost
    """Of the case system, for events."""
    links: list[str] = dataclasses.field(default_factory=list)
    """Of the person harmed and the person responsible."""
    letters: list[str] = dataclasses.field(default_factory=list)
    """What the second one has read."""
    video: uuid.UUID = dataclasses.field(default_factory=uuid.uuid4)
    """A message that waits for review."""
    disposed: uuid.UUID = dataclasses.field(default_factory=uuid.uuid4)
    """A case in which nothing was written, and which is disposed of after the backup."""

    def printed_id(self, word: str) -> uuid.UUID:
        """An identifier that stands on the page as this word."""
        return uuid.UUID(self.printed[word])

    @property
    def root_fingerprint(self) -> bytes:
        """Of the first root."""
        return b64u_decode(self.printed["FINGERPRINT"])

    def do(self, act: Callable[[Connection], Awaitable[_Result]]) -> _Result:
        """Do it over a connection through nginx."""
        believed = ssl.create_default_context(cafile=str(self.server.certificate))

        async def connected() -> _Result:
            connector = aiohttp.TCPConnector(ssl=believed)
            async with aiohttp.ClientSession(connector=connector) as http:
                return await act(Connection(self.url, http))

        return asyncio.run(connected())

    def mediator(self, connection: Connection, name: str) -> Mediator:
        """The mediator with the key file of this name."""
        file = self.server.home("Mediator") / f"{name}.key"
        credential, keyring = load_keyring_file(file)
        return Mediator(
            connection,
            keyring,
            credential,
            root_fingerprint=self.root_fingerprint,
            audience=self.url,
        )

    def case_system(self, connection: Connection) -> CaseSystem:
        """The case system, with the files that its developer made."""
        home = self.server.home("Case system")
        key = load_pem_private_key((home / "token.key").read_bytes(), None)
        assert isinstance(key, Ed25519PrivateKey)
        return CaseSystem(connection, key, kid="case-system", issuer="https://cases.example.org")

    async def unlock(self, connection: Connection, url: str) -> Participant:
        """Somebody who comes back through their link."""
        return await Participant.unlock(
            connection, url, PASSPHRASE, work_factor_log2=WORK_FACTOR_LOG2
        )

    def open_case(self) -> None:
        """A mediator opens the case that was registered."""
        case = self.printed_id("CASE")
        self.do(lambda connection: self.mediator(connection, "first").open_case(case))

    def arrive(self, said: str) -> None:
        """Each takes their link, and a mediator hears their four words; a letter goes through."""
        self.links = re.findall(r"https://\S+", said)
        assert len(self.links) == 2

        async def arriving(connection: Connection) -> None:
            for url in self.links:
                person = await Participant.claim(
                    connection, url, PASSPHRASE, work_factor_log2=WORK_FACTOR_LOG2
                )
                await person.consent("active")
            await verify_everybody(self.mediator(connection, "first"), self.printed_id("CASE"))

        self.do(arriving)
        self.exchange("first", "Why was it our house?")

    def exchange(self, mediator: str, words: str) -> None:
        """One writes, the mediator with this key file releases it, the other reads it."""

        async def exchanged(connection: Connection) -> str:
            harmed, responsible = [await self.unlock(connection, url) for url in self.links]
            sent = await harmed.send_letter(responsible.participant_id, words)
            reviewing = self.mediator(connection, mediator)
            message = await reviewing.lease(sent.message)
            assert await reviewing.read_letter(message) == words
            approved = await reviewing.decide(message, "approve")
            await reviewing.offer(approved)
            [waiting] = [
                one
                for one in (await responsible.correspondence()).received
                if one.message == sent.message
            ]
            accepted = await responsible.respond(waiting, "accept")
            return responsible.read_text(await responsible.open(accepted))

        assert self.do(exchanged) == words
        self.letters.append(words)

    def film(self, video: Path) -> None:
        """One sends a video, and the worker prepares it in its jail; the mediator gets to see it."""

        async def sending(connection: Connection) -> uuid.UUID:
            await record(MediaTools.find(ffmpeg="", bubblewrap="bwrap"), video, 1)
            harmed, responsible = [await self.unlock(connection, url) for url in self.links]
            with video.open("rb") as source:
                sent = await harmed.send_video(
                    responsible.participant_id, source, "video/quicktime"
                )
            reviewing = self.mediator(connection, "first")
            async with asyncio.timeout(WAIT_SECONDS):
                while (await reviewing.read(sent.message)).state is not State.QUEUED:  # noqa: ASYNC110
                    await asyncio.sleep(0.1)
            return sent.message

        self.video = self.do(sending)

    def watch(self, mediator: str, target: Path) -> bytes:
        """What a mediator sees of the video, out of the bucket."""

        async def watching(connection: Connection) -> bytes:
            reviewing = self.mediator(connection, mediator)
            await reviewing.save(await reviewing.read(self.video), "rendition", target)
            return target.read_bytes()

        return self.do(watching)

    def read_again(self) -> list[str]:
        """Every letter that the second person can open."""

        async def reading(connection: Connection) -> list[str]:
            responsible = await self.unlock(connection, self.links[1])
            received = (await responsible.correspondence()).received
            return [responsible.read_text(await responsible.open(one)) for one in received]

        return self.do(reading)

    def register_another(self) -> None:
        """A case in which nothing happens."""
        registration = CaseRegistration(
            reference="2029-007",
            participants=[
                NewParticipant(participant=uuid.uuid4(), role=role)
                for role in (ParticipantRole.HARMED, ParticipantRole.RESPONSIBLE)
            ],
            mediators=[],
        )
        self.do(
            lambda connection: self.case_system(connection).register(self.disposed, registration)
        )

    def dispose(self) -> None:
        """It is closed, a month goes by, and the worker disposes of it."""
        self.do(
            lambda connection: self.case_system(connection).set_closed(self.disposed, closed=True)
        )
        asyncio.run(age(self.server.database("relay"), self.disposed, timedelta(days=31)))
        deadline = time.monotonic() + WAIT_SECONDS
        while not self.is_disposed():
            assert time.monotonic() < deadline, self.server.systemd.log("relay-worker")
            time.sleep(0.2)

    def is_disposed(self) -> bool:
        """Whether relay says so."""

        async def asked(connection: Connection) -> bool:
            found = await self.case_system(connection).case(self.disposed)
            return found.view.disposed_at is not None

        return self.do(asked)

    def change_mediators(self, by: str, *credentials: str) -> None:
        """A mediator signs the next charter, with the mediators of these words of the page."""
        case, listed = self.printed_id("CASE"), [self.printed_id(one) for one in credentials]
        self.do(
            lambda connection: self.mediator(connection, by).change_charter(case, mediators=listed)
        )

    def renew(self) -> None:
        """The first mediator goes on with new keys."""
        home = self.server.home("Mediator")
        new, _keyring = load_keyring_file(home / "renewed.key")
        case, old = self.printed_id("CASE"), self.printed_id("FIRST")
        self.do(
            lambda connection: self.mediator(connection, "first").replace_credential(case, old, new)
        )
        self.exchange("renewed", "With new keys.")

    def leave(self) -> None:
        """The first mediator, with new keys, removes the second one."""
        home = self.server.home("Mediator")
        stays, _keyring = load_keyring_file(home / "renewed.key")
        case = self.printed_id("CASE")
        self.do(
            lambda connection: self.mediator(connection, "renewed").change_charter(
                case, mediators=[stays]
            )
        )

    def refused(self, mediator: str) -> None:
        """A mediator whose credential has ended is nobody."""
        with pytest.raises(Problem) as caught:
            self.do(lambda connection: self.mediator(connection, mediator).queue())
        assert caught.value.status in {401, 403}


@contextlib.contextmanager
def answered_all_along(people: People) -> Iterator[None]:
    """During the block somebody asks again and again through nginx; nobody is refused for a moment."""
    address = urlsplit(people.url)
    believed = ssl.create_default_context(cafile=str(people.server.certificate))
    statuses: Counter[int] = Counter()
    failures: list[str] = []
    is_over = threading.Event()

    def ask() -> None:
        requests = (
            ("GET", "/readyz", None, 200),
            ("GET", "/v1/profile", None, 200),
            ("GET", "/console", None, 200),
            ("POST", "/v1/sessions", "{}", 400),
        )
        while not is_over.is_set():
            for method, path, body, expected in requests:
                headers = {} if body is None else {"Content-Type": "application/json"}
                with contextlib.closing(
                    http.client.HTTPSConnection("localhost", address.port, context=believed)
                ) as connection:
                    try:
                        connection.request(method, path, body, headers)
                        status = connection.getresponse().status
                    except OSError as error:
                        failures.append(f"{path}: {error!r}")
                        continue
                statuses[status] += 1
                if status != expected:
                    failures.append(f"{method} {path}: {status}")
            time.sleep(0.05)

    asking = threading.Thread(target=ask)
    asking.start()
    try:
        yield
    finally:
        is_over.set()
        asking.join(WAIT_SECONDS)
    assert failures == []
    assert statuses[200] > _ASKED_LEAST
