"""Whatever somebody hostile signs is a state of that message: all others go their way as before."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Final, Literal

import pytest

from relay.client.records import BrokenRecord, Record
from relay.crypto import statements
from relay.domain.messages import ReviewRequest, StatementMismatch
from relay.domain.transitions import State
from relay.testing.people import Case
from tests.support.corruptions import CAPTIONS, KEYS, LETTERS, TIMED, forge
from tests.support.hostile import (
    HostileCase,
    HostileSender,
    TextRole,
    require_broken,
    require_guided,
    require_untouched,
    shown,
)
from tests.support.requests import caller_of, digest_of

TABLES: Final = {"body": LETTERS, "note": LETTERS, "captions": CAPTIONS}


@pytest.mark.parametrize("role", ["body", "note"])
async def test_a_letter_that_does_not_hold_is_a_state_of_that_letter(
    case: Case, role: TextRole
) -> None:
    """Words and the note on who assisted, sealed and signed in every wrong way."""
    sender = await HostileSender.of(case)
    states: dict[uuid.UUID, State] = {}
    for name, corruption in LETTERS.items():
        message, answer = await sender.letter(role, corruption)
        assert answer.code == (corruption.refused or ""), name
        if corruption.refused is not None:
            continue
        leased = await case.mediator.lease(message)
        if corruption.fault is None:
            found = await case.mediator.examine(leased)
            assert not found.faults, name
            assert found.text(role) == shown(role, corruption), name
            assert (await case.mediator.decide(leased, "approve")).state is State.APPROVED
            states[message] = State.APPROVED
            continue
        states[message] = await require_broken(case, leased, Record(role), corruption.fault)
        if states[message] is State.RETURNED:
            await require_guided(case, message)
    await require_untouched(case, states)


@pytest.mark.parametrize("role", ["body", "note", "captions"])
async def test_a_video_of_which_a_text_does_not_hold_is_a_state_of_that_video(
    hostile_case: HostileCase, role: TextRole
) -> None:
    """Words, captions and a note that came with a video, sealed and signed in every wrong way."""
    case, states = hostile_case.case, dict[uuid.UUID, State]()
    for name, corruption in TABLES[role].items():
        forged, grant = forge(case.case_id, role, corruption)
        message, answer = await hostile_case.video(
            forged, grants=[grant(*hostile_case.sender.to_case)]
        )
        assert answer.code == (corruption.refused or ""), name
        if corruption.refused is not None:
            continue
        leased = await case.mediator.lease(message)
        if corruption.fault is None:
            found = await case.mediator.examine(leased)
            assert not found.faults, name
            assert found.text(role) == shown(role, corruption), name
            assert (await case.mediator.decide(leased, "approve")).state is State.APPROVED
            states[message] = State.APPROVED
            continue
        states[message] = await require_broken(case, leased, Record(role), corruption.fault)
    await require_untouched(case, states)


async def test_captions_of_the_authors_that_cannot_be_read_are_replaced_by_a_mediators(
    hostile_case: HostileCase,
) -> None:
    """A mediator's captions, or their reason for none, take the place of whatever came with the video."""
    case = hostile_case.case
    for corruption in (CAPTIONS["no captions"], CAPTIONS["a grant for nobody"]):
        forged, grant = forge(case.case_id, "captions", corruption)
        message, _answer = await hostile_case.video(
            forged, grants=[grant(*hostile_case.sender.to_case)]
        )
        leased = await case.mediator.lease(message)
        with pytest.raises(BrokenRecord):
            await case.mediator.decide(leased, "approve")
        captioned = await case.mediator.caption(leased, text=f"{TIMED}Ours.\n")
        approved = await case.mediator.decide(captioned, "approve")
        assert (await case.mediator.offer(approved)).state is State.OFFERED


async def test_an_original_that_the_case_cannot_open_is_a_state_of_that_video(
    hostile_case: HostileCase,
) -> None:
    """The worker opens it, and the mediators, who are to compare, do not."""
    states: dict[uuid.UUID, State] = {}
    for name, corruption in KEYS.items():
        if corruption.grant is None:
            continue  # the worker refuses what it is not committed to
        message, answer = await hostile_case.video(original=corruption)
        assert answer.status == 200, name
        leased = await hostile_case.case.mediator.lease(message)
        assert corruption.fault is not None
        states[message] = await require_broken(
            hostile_case.case, leased, Record.ORIGINAL, corruption.fault
        )
    await require_untouched(hostile_case.case, states)


@pytest.mark.parametrize("role", ["rendition", "poster"])
async def test_what_a_worker_made_and_does_not_hold_is_a_state_of_that_video(
    hostile_case: HostileCase, role: Literal["rendition", "poster"]
) -> None:
    """Rendition and poster, sealed in every wrong way by the worker that the charter names."""
    states: dict[uuid.UUID, State] = {}
    for name, corruption in KEYS.items():
        message, answer = await hostile_case.video(made={role: corruption})
        assert answer.status == 200, name
        leased = await hostile_case.case.mediator.lease(message)
        assert corruption.fault is not None
        states[message] = await require_broken(
            hostile_case.case, leased, Record(role), corruption.fault
        )
    await require_untouched(hostile_case.case, states)
    with pytest.raises(StatementMismatch, match="media type"):
        await hostile_case.video(made={role: LETTERS["a page"]})


async def test_a_mediators_captions_that_do_not_hold_are_a_state_of_that_video(
    hostile_case: HostileCase,
) -> None:
    """Captions of a colleague's, sealed and signed in every wrong way; and others may take their place."""
    case, states = hostile_case.case, dict[uuid.UUID, State]()
    for name, corruption in CAPTIONS.items():
        message, _answer = await hostile_case.video()
        leased = await case.mediator.lease(message)
        forged, grant = forge(case.case_id, "captions", corruption)
        said = statements.Captions(
            case=case.case_id,
            message=message,
            revision=1,
            source=digest_of(leased.statement) or "",
            rendition=digest_of(leased.rendition),
            language="en",
            part=forged.part,
            exception=None,
            at=datetime.now(UTC),
        )
        caller = caller_of(case.mediator)
        act = ReviewRequest(
            statement=statements.sign(caller.signer, said),
            grants=[grant(*hostile_case.sender.to_case)],
            bodies=[forged.as_body()],
        )
        answer = await caller.ask("PUT", f"/v1/messages/{message}/captions", act)
        assert answer.code == (corruption.refused or ""), name
        captioned = await case.mediator.read(message)
        if corruption.fault is None:
            expected = None if corruption.refused else shown("captions", corruption)
            assert (await case.mediator.examine(captioned)).text("captions") == expected, name
            await case.mediator.decide(captioned, "decline", reason="unclear")
            states[message] = State.DECLINED
            continue
        states[message] = await require_broken(case, captioned, Record.CAPTIONS, corruption.fault)
    states = {message: state for message, state in states.items() if state is not State.DECLINED}
    await require_untouched(case, states)
