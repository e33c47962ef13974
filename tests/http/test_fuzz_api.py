"""Sends relay what no client would, as everybody who may call it: it answers as described, and never breaks.

Schemathesis makes the requests from docs/openapi.yaml, some that fit it and some that do not, by themselves
and in sequences along its links; what is known of a living case is mixed in, so that more of them get past
the first check. `make fuzz-api` makes many more.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import zlib
from collections.abc import Iterator
from typing import Any, Final

import pytest
import requests
import schemathesis
from hypothesis import Phase, given
from hypothesis import strategies as st
from hypothesis.errors import Flaky
from schemathesis.generation.stateful.state_machine import APIStateMachine

from relay.domain.actors import Role
from relay.testing.people import Case, Organization
from tests.support.fuzzing import (
    AS_GENERATED,
    CALLERS,
    CHECKS,
    STREAMS,
    Caller,
    Operation,
    World,
    all_operations,
    do_not_wait,
    fuzz_settings,
    load_schema,
    make_likely,
    names_of,
)

EXAMPLES: Final = int(os.environ.get("FUZZ_EXAMPLES", "4"))
"""Requests for each operation that a caller may call, and sequences for each caller."""
STEPS: Final = 12
"""Requests of one sequence."""

pytestmark = pytest.mark.slow


@pytest.fixture
async def world(case: Case, people: Organization, database_url: str) -> World:
    """A case in which something has happened."""
    return await World.of(case, people, database_url)


def test_everybody_calls() -> None:
    """Of every role there is a caller."""
    assert {caller.role for caller in CALLERS.values()} == set(Role)


async def test_each_answer_is_one_that_is_described(world: World, relay_url: str) -> None:
    """No matter who sends what, and never a failure of relay's own.

    What a role may not do at all is tried by the first caller of that role.
    """
    operations = all_operations(load_schema())
    roles = set()
    for name, caller in CALLERS.items():
        is_first = caller.role not in roles
        roles.add(caller.role)
        for operation in sorted(operations, key=lambda operation: operation.method == "delete"):
            may_call = caller.may_call(operation)
            if may_call and {*names_of([operation])} & STREAMS:
                continue
            if may_call or is_first:
                bearer = await caller.sign_in(world)
                examples = EXAMPLES if may_call else 1
                with _said_by(name):
                    await asyncio.to_thread(
                        _attack, operation, world, caller, relay_url, bearer, examples
                    )


async def test_each_answer_of_a_sequence_is_one_that_is_described(
    world: World, relay_url: str
) -> None:
    """Also where one request follows from the answer to another; to somebody without a bearer none does."""
    for name, caller in CALLERS.items():
        if caller.role is not Role.PUBLIC:
            bearer = await caller.sign_in(world)
            with _said_by(name):
                await asyncio.to_thread(_walk, world, caller, relay_url, bearer)


@contextlib.contextmanager
def _said_by(name: str) -> Iterator[None]:
    try:
        yield
    except BaseException as error:
        error.add_note(f"as: {name}")
        raise


def _attack(
    operation: Operation, world: World, caller: Caller, url: str, bearer: str, examples: int
) -> None:
    """Send generated requests for one operation; FailureGroup at the first answer that should not be."""
    session = requests.Session()
    kinds = [
        operation.as_strategy(generation_mode=mode)
        for mode in (schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE)
    ]

    @fuzz_settings(examples)
    @given(data=st.data(), case=st.one_of(kinds))
    def attack(data: st.DataObject, case: schemathesis.Case[Any]) -> None:
        likely = data.draw(st.sampled_from(["nothing", "some", "all", "all"]))

        def choose(given: object, known: list[Any]) -> object:
            is_given = likely == "nothing" or (likely == "some" and data.draw(st.booleans()))
            return given if is_given else data.draw(st.sampled_from(known))

        checks = CHECKS if make_likely(case, world, caller, choose) else AS_GENERATED
        do_not_wait(case)
        answer = case.call(base_url=url, session=session, headers=_headers(bearer), timeout=30)
        case.validate_response(answer, checks=checks)
        assert not [piece for piece in world.secret if piece in answer.content]

    with session:
        attack()


def _walk(world: World, caller: Caller, url: str, bearer: str) -> None:
    """Follow links from one answer to the next request."""
    schema = load_schema()
    mine = [operation for operation in all_operations(schema) if caller.may_call(operation)]
    names = set(names_of(mine)) - STREAMS - {"endSession"}
    machine = schema.include(operation_id=sorted(names)).as_state_machine()
    session = requests.Session()
    found: list[BaseException] = []
    sequences: list[object] = []

    class Walk(machine):  # type: ignore[misc, valid-type] # made from the description
        def before_call(self, case: schemathesis.Case[Any]) -> None:
            make_likely(case, world, caller, _choose)
            do_not_wait(case)

        def get_call_kwargs(self, _case: schemathesis.Case[Any]) -> dict[str, Any]:
            return {
                "base_url": url,
                "session": session,
                "headers": _headers(bearer),
                "timeout": 30,
            }

        def validate_response(
            self, response: Any, case: schemathesis.Case[Any], *_: Any, **__: Any
        ) -> None:
            try:
                case.validate_response(response, checks=CHECKS)
                assert not [piece for piece in world.secret if piece in response.content]
            except BaseException as error:
                found.append(error)
                raise

        def teardown(self) -> None:
            sequences.append(self)

    assert issubclass(Walk, APIStateMachine)
    with session:
        while len(sequences) < EXAMPLES:
            try:
                Walk.run(
                    settings=fuzz_settings(
                        EXAMPLES - len(sequences),
                        stateful_step_count=STEPS,
                        phases=[Phase.generate],
                    )
                )
            except Flaky:
                # The case is another one after each sequence, which Hypothesis may take for a fault of ours.
                if found:
                    raise found[0] from None


def _choose(given: object, known: list[Any]) -> object:
    """As good as by chance, and yet the same in every run."""
    draw = zlib.crc32(repr(given).encode())
    return known[draw // 4 % len(known)] if draw % 4 else given


def _headers(bearer: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {bearer}"} if bearer else {}
