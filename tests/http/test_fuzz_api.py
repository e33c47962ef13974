"""Sends relay what no client would, as every kind of caller: it never breaks, nor leaves its description.

Schemathesis makes the requests from docs/openapi.yaml, some that fit it and some that do not; what is known
of a living case is mixed in, so that more of them get past the first check.
"""

from __future__ import annotations

import asyncio
import dataclasses
import os
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from schemathesis import APIOperation
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from relay.client.connection import LinkConnection, SignedConnection
from relay.client.mediator import Mediator
from relay.client.participant import Participant
from relay.crypto import statements
from relay.crypto.encoding import b64u_encode
from relay.crypto.links import parse_link_url
from relay.domain.actors import Role
from relay.domain.tokens import Scope
from relay.testing.people import Case, Organization
from tests.support.keyrings import pieces_of, stored_keyrings
from tests.support.openapi import load_document

EXAMPLES: Final = int(os.environ.get("FUZZ_EXAMPLES", "6"))
"""Requests for each operation that a caller may call; one for each of the others.

Always the same ones, unless the environment asks for a number of them.
"""
CHECKS: Final = [
    schemathesis.checks.not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
STREAMS: Final = {"watchQueue", "watchMessages"}
"""Operations whose answer does not end by itself."""


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
    signed: list[str]
    """Statements whose signature holds."""
    secret: set[bytes]
    """Pieces of the participants' keyrings, which no guess brings."""


@pytest.fixture
async def world(case: Case, people: Organization, database_url: str) -> World:
    """A case with a letter in review, one that was read, and a video on its way."""
    to = case.responsible.participant_id
    queued = await case.harmed.send_letter(to, "One.")
    sent = await case.harmed.send_letter(to, "Two.")
    leased = await case.mediator.lease(sent.message)
    await case.mediator.offer(await case.mediator.decide(leased, "approve"))
    [offered] = (await case.responsible.correspondence()).received
    await case.responsible.open(await case.responsible.respond(offered, "accept"))
    read = await case.mediator.read(sent.message)
    links = await case.mediator.links(case.case_id)
    now = datetime.now(UTC)
    withdrawal = statements.Withdrawal(
        case=case.case_id, message=queued.message, participant=case.harmed.participant_id, at=now
    )
    said = [read.statement, read.offer, *read.decisions, *(link.statement for link in links)]
    return World(
        case=case,
        people=people,
        known={
            "case": [str(case.case_id)],
            "participant": [str(case.harmed.participant_id)],
            "one": [str(case.harmed.participant_id)],
            "other": [str(to)],
            "message": [str(queued.message), str(sent.message)],
            "revision": ["1", "2"],
            "link": [str(link.link) for link in links],
            "credential": [str(case.mediator.credential_id)],
            "commitment": [part.commitment for part in read.parts],
        },
        signed=[
            *(compact for compact in said if compact is not None),
            statements.sign(case.harmed.hand.signer, withdrawal),
        ],
        secret=pieces_of(await stored_keyrings(database_url, case.case_id)),
    )


async def _public(_world: World) -> str:
    return ""


async def _link(world: World) -> str:
    address = parse_link_url(world.case.harmed_url)
    return b64u_encode(address.secret.auth(address.id))


async def _participant(world: World) -> str:
    return await _new_session(world.case.responsible)


async def _mediator(world: World) -> str:
    return await _new_session(world.case.mediator)


async def _uploader(world: World) -> str:
    url = await world.case.mediator.make_link(
        world.case.case_id, world.case.harmed.participant_id, "upload"
    )
    address = parse_link_url(url)
    auth = b64u_encode(address.secret.auth(address.id))
    return await LinkConnection(world.people.connection, address.id, auth).bearer()


async def _service(world: World) -> str:
    return world.people.case_system.token(*Scope)


async def _new_session(person: Participant | Mediator) -> str:
    signed = person.session
    return await SignedConnection(signed.connection, signed.signer, signed.audience).bearer()


CALLERS: Final[Mapping[Role, Callable[[World], Awaitable[str]]]] = {
    Role.PUBLIC: _public,
    Role.LINK: _link,
    Role.PARTICIPANT: _participant,
    Role.UPLOADER: _uploader,
    Role.MEDIATOR: _mediator,
    Role.SERVICE: _service,
}


@pytest.mark.slow
async def test_relay_neither_breaks_nor_leaves_its_description(
    world: World, relay_url: str
) -> None:
    """No matter who sends what, each answer is one that is described, and never a failure of relay's own."""
    schema = schemathesis.openapi.from_dict(load_document())
    results = [*schema.get_all_operations()]
    found = [result.ok() for result in results if isinstance(result, Ok)]
    assert len(found) == len(results)
    for role, sign_in in CALLERS.items():
        for operation in sorted(found, key=lambda operation: operation.method == "delete"):
            is_admitted = _admits(operation.definition.raw["security"], role)
            if operation.definition.raw["operationId"] in STREAMS and is_admitted:
                continue
            bearer = await sign_in(world)
            examples = EXAMPLES if is_admitted else 1
            await asyncio.to_thread(_attack, operation, world, relay_url, bearer, examples)


def _attack(
    operation: APIOperation[Any, Any, Any, Any], world: World, url: str, bearer: str, examples: int
) -> None:
    """Send generated requests for one operation; FailureGroup at the first answer that should not be."""
    session = requests.Session()
    kinds = [
        operation.as_strategy(generation_mode=mode)
        for mode in (schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE)
    ]

    @hypothesis_settings(
        max_examples=examples,
        deadline=None,
        derandomize="FUZZ_EXAMPLES" not in os.environ,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(data=st.data(), case=st.one_of(kinds))
    def attack(data: st.DataObject, case: schemathesis.Case[Any]) -> None:
        for name in set(case.path_parameters or {}) & set(world.known):
            if data.draw(st.booleans()):
                case.path_parameters[name] = data.draw(st.sampled_from(world.known[name]))
        if isinstance(case.body, dict) and "statement" in case.body and data.draw(st.booleans()):
            case.body["statement"] = data.draw(st.sampled_from(world.signed))
        headers = {"Authorization": f"Bearer {bearer}"} if bearer else {}
        answer = case.call(base_url=url, session=session, headers=headers, timeout=30)
        case.validate_response(answer, checks=CHECKS)
        assert not [piece for piece in world.secret if piece in answer.content]

    with session:
        attack()


def _admits(security: list[dict[str, list[str]]], role: Role) -> bool:
    if role is Role.PUBLIC:
        return not security
    return any(
        role.value in alternative or [role.value] in alternative.values()
        for alternative in security
    )
