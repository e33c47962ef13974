"""A living case, everybody who may call relay, and what schemathesis holds each answer to."""

from __future__ import annotations

import copy
import dataclasses
import os
import uuid
from base64 import b64encode
from collections.abc import Awaitable, Callable, Iterator, Mapping, MutableMapping
from datetime import UTC, datetime
from typing import Any, Final, TypeAlias

import schemathesis
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from schemathesis import APIOperation
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    allow_header_conformance,
    content_type_conformance,
    missing_required_header,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from relay.client.connection import LinkConnection, SignedConnection
from relay.client.mediator import Mediator
from relay.client.participant import Participant
from relay.client.writing import address
from relay.crypto import statements
from relay.crypto.encoding import b64u_encode
from relay.crypto.links import parse_link_url
from relay.domain.actors import Role
from relay.domain.notifications import WAIT_MAX_SECONDS
from relay.domain.tokens import Scope
from relay.domain.uploads import TUS_VERSION, write_metadata
from relay.testing.people import Case, Organization
from tests.support.keyrings import pieces_of, stored_keyrings
from tests.support.openapi import load_document
from tests.support.requests import caller_of

Operation: TypeAlias = APIOperation[Any, Any, Any, Any]
SignIn: TypeAlias = Callable[["World"], Awaitable[str]]

CHECKS: Final = [
    schemathesis.checks.not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    missing_required_header,
    unsupported_method,
    allow_header_conformance,
]
AS_GENERATED: Final = [*CHECKS, negative_data_rejection]
"""Of a request in which nothing was replaced by what is known."""
REFUSALS: Final = [400, 401, 403, 404, 405, 409, 410, 412, 413, 415, 416, 422, 460]
"""What a request that does not fit its description may be answered with."""
STREAMS: Final = {"watchQueue", "watchMessages"}
"""Operations whose answer does not end by itself."""
TEXT: Final = "3f6d1c5e-8a37-4d0b-9f57-0d6a1b2c3d4e"
"""An unsent text, of whoever keeps it."""
BASE64: Final = b64encode(b"age-encryption.org/v1\n" + bytes(64)).decode()
BASE64_OF_32: Final = b64encode(bytes(32)).decode()


@schemathesis.serializer("application/offset+octet-stream")
def _as_it_is(_context: schemathesis.SerializationContext, value: object) -> bytes:
    return value if isinstance(value, bytes) else repr(value).encode()


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """A living case, and what can be known of it."""

    case: Case
    people: Organization
    known: Mapping[str, list[str]]
    """Values of path parameters that lead somewhere."""
    headers: Mapping[str, list[str]]
    """And of headers."""
    members: Mapping[str, list[Any]]
    """And of members of a body: among them statements whose signature holds."""
    secret: set[bytes]
    """Pieces of the participants' keyrings, which no guess brings."""
    unclaimed_url: str
    upload_url: str
    unverified: Participant
    """Who claimed a link of the person harmed, which no mediator has verified."""

    @classmethod
    async def of(cls, case: Case, people: Organization, database_url: str) -> World:
        """A case with a letter in review, one that was read, and links of every kind."""
        to = case.responsible.participant_id
        harmed = case.harmed.participant_id
        queued = await case.harmed.send_letter(to, "One.")
        sent = await case.harmed.send_letter(to, "Two.")
        leased = await case.mediator.lease(sent.message)
        await case.mediator.offer(await case.mediator.decide(leased, "approve"))
        [offered] = (await case.responsible.correspondence()).received
        await case.responsible.open(await case.responsible.respond(offered, "accept"))
        read = await case.mediator.read(sent.message)
        unclaimed = await case.mediator.make_link(case.case_id, to)
        upload = await case.mediator.make_link(case.case_id, harmed, "upload")
        unverified = await people.claim(await case.mediator.make_link(case.case_id, harmed))
        links = await case.mediator.links(case.case_id)
        draft, upload_id = await _begin_videos(case)
        now = datetime.now(UTC)
        withdrawal = statements.Withdrawal(
            case=case.case_id, message=queued.message, participant=harmed, at=now
        )
        said = [read.statement, read.offer, *read.decisions, *(link.statement for link in links)]
        return cls(
            case=case,
            people=people,
            known={
                "case": [str(case.case_id)],
                "participant": [str(harmed)],
                "one": [str(harmed)],
                "other": [str(to)],
                "message": [str(queued.message), str(sent.message), str(draft)],
                "revision": ["1", "2"],
                "link": [str(link.link) for link in links],
                "credential": [str(case.mediator.credential_id)],
                "commitment": [part.commitment for part in read.parts],
                "text": [TEXT],
                "upload": [upload_id],
            },
            headers={
                "Tus-Resumable": [TUS_VERSION],
                "Upload-Length": ["4096"],
                "Upload-Metadata": [write_metadata(draft, 1)],
                "Upload-Offset": ["0"],
            },
            members={
                "statement": [
                    *(compact for compact in said if compact is not None),
                    statements.sign(case.harmed.hand.signer, withdrawal),
                ],
                "to": [str(to), str(harmed)],
                "kind": ["video"],
                "version": [1, 2],
                **{name: [BASE64] for name in ("sealed", "key_file", "keyring")},
                **{name: [BASE64_OF_32] for name in ("proof", "proof_hash")},
                **{name: [[]] for name in ("grants", "bodies", "pairs", "endings")},
                "mediators": [[str(case.mediator.credential_id)]],
                "participants": [
                    [
                        {"participant": str(harmed), "role": "harmed"},
                        {"participant": str(to), "role": "responsible"},
                    ]
                ],
            },
            secret=pieces_of(await stored_keyrings(database_url, case.case_id)),
            unclaimed_url=unclaimed,
            upload_url=upload,
            unverified=unverified,
        )


async def _begin_videos(case: Case) -> tuple[uuid.UUID, str]:
    """A draft of a video without an upload, and the upload of another one."""
    drafts = uuid.uuid4(), uuid.uuid4()
    for draft in drafts:
        to = address(case.responsible.participant_id, message_id=draft)
        await case.harmed.begin_video(to)
    metadata = {
        "Tus-Resumable": TUS_VERSION,
        "Upload-Length": "4096",
        "Upload-Metadata": write_metadata(drafts[1], 1),
    }
    made = await caller_of(case.harmed).ask("POST", "/v1/uploads", headers=metadata)
    assert made.status == 201
    return drafts[0], dict(made.headers)["Location"].rpartition("/")[2]


async def _nobody(_world: World) -> str:
    return ""


def _holder(url_of: Callable[[World], str]) -> SignIn:
    async def sign_in(world: World) -> str:
        address = parse_link_url(url_of(world))
        return b64u_encode(address.secret.auth(address.id))

    return sign_in


def _person(person_of: Callable[[World], Participant | Mediator]) -> SignIn:
    async def sign_in(world: World) -> str:
        signed = person_of(world).session
        return await SignedConnection(signed.connection, signed.signer, signed.audience).bearer()

    return sign_in


async def _uploader(world: World) -> str:
    address = parse_link_url(world.upload_url)
    auth = b64u_encode(address.secret.auth(address.id))
    return await LinkConnection(world.people.connection, address.id, auth).bearer()


async def _stranger(world: World) -> str:
    outsider = await world.people.mediator()
    return await _person(lambda _world: outsider)(world)


async def _service(world: World) -> str:
    return world.people.case_system.token(*Scope)


async def _service_for_nothing(world: World) -> str:
    return world.people.case_system.token()


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Somebody who calls relay: in which role, and with which bearer."""

    role: Role
    sign_in: SignIn
    url_of: Callable[[World], str] | None = None
    """The link that they hold."""

    def known(self, world: World) -> Mapping[str, list[str]]:
        """Values of path parameters that lead somewhere for them."""
        if self.url_of is None:
            return world.known
        return {**world.known, "link": [str(parse_link_url(self.url_of(world)).id)]}

    def may_call(self, operation: Operation) -> bool:
        """Whether the description lets their role do this."""
        security = operation.definition.raw["security"]
        if self.role is Role.PUBLIC:
            return not security
        return any(
            self.role.value in alternative or [self.role.value] in alternative.values()
            for alternative in security
        )


def _link(url_of: Callable[[World], str]) -> Caller:
    return Caller(role=Role.LINK, sign_in=_holder(url_of), url_of=url_of)


# In this order they call: an author may take back what a mediator would review.
CALLERS: Final[Mapping[str, Caller]] = {
    "nobody": Caller(role=Role.PUBLIC, sign_in=_nobody),
    "mediator": Caller(role=Role.MEDIATOR, sign_in=_person(lambda world: world.case.mediator)),
    "holder of a claimed link": _link(lambda world: world.case.harmed_url),
    "holder of a new link": _link(lambda world: world.unclaimed_url),
    "holder of an upload link": _link(lambda world: world.upload_url),
    "participant": Caller(
        role=Role.PARTICIPANT, sign_in=_person(lambda world: world.case.responsible)
    ),
    "author": Caller(role=Role.PARTICIPANT, sign_in=_person(lambda world: world.case.harmed)),
    "participant whom nobody verified": Caller(
        role=Role.PARTICIPANT, sign_in=_person(lambda world: world.unverified)
    ),
    "uploader": Caller(role=Role.UPLOADER, sign_in=_uploader),
    "mediator of no case": Caller(role=Role.MEDIATOR, sign_in=_stranger),
    "case system": Caller(role=Role.SERVICE, sign_in=_service),
    "case system for nothing": Caller(role=Role.SERVICE, sign_in=_service_for_nothing),
}


def all_operations(schema: schemathesis.BaseSchema) -> list[Operation]:
    """Every operation of the description; none is left out because it could not be read."""
    results = [*schema.get_all_operations()]
    found = [result.ok() for result in results if isinstance(result, Ok)]
    assert len(found) == len(results)
    return found


def load_schema() -> Any:
    """The description, as schemathesis reads it; who calls is not for it to make up."""
    schema = schemathesis.openapi.from_dict(copy.deepcopy(load_document()))
    schema.config.generation.update(with_security_parameters=False)
    schema.config.checks.negative_data_rejection.expected_statuses = [*map(str, REFUSALS)]
    return schema


def make_likely(
    case: schemathesis.Case[Any],
    world: World,
    caller: Caller,
    choose: Callable[[object, list[Any]], Any],
) -> bool:
    """Put what is known into a request; whether anything was.

    `choose` is given what is there and what is known in its place, and says which of them it shall be.
    """
    given: list[tuple[object, Mapping[str, list[Any]]]] = [
        (case.path_parameters, caller.known(world)),
        (case.headers, world.headers),
        (case.body, world.members),
    ]
    is_changed = False
    for found, known in given:
        if isinstance(found, MutableMapping):
            for name in sorted(set(found) & set(known)):
                before = found[name]
                found[name] = choose(before, known[name])
                is_changed |= found[name] is not before
    return is_changed


def do_not_wait(case: schemathesis.Case[Any]) -> None:
    """Have a request that waits for an event wait for a second at most."""
    seconds = (case.query or {}).get("wait")
    if isinstance(seconds, int) and 0 < seconds <= WAIT_MAX_SECONDS:
        case.query["wait"] = 1


def fuzz_settings(examples: int, **more: Any) -> hypothesis_settings:
    """Always the same requests, unless FUZZ_EXAMPLES asks for a number of them."""
    return hypothesis_settings(
        max_examples=examples,
        deadline=None,
        derandomize="FUZZ_EXAMPLES" not in os.environ,
        database=None,
        suppress_health_check=list(HealthCheck),
        **more,
    )


def names_of(operations: list[Operation]) -> Iterator[str]:
    """What operations are called in the description."""
    for operation in operations:
        yield operation.definition.raw["operationId"]
