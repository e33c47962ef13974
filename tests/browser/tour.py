"""A walk past every page and state, for whoever wants to look at each: the accessibility tests and the pictures."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final, TypeAlias

from playwright.async_api import Browser, Page, expect

from relay.client.participant import Participant
from relay.demo.cast import PASSPHRASE
from relay.demo.story import GUIDANCE, LETTER, NOTE
from relay.domain.messages import Language as Written
from relay.domain.messages import ReviewMessage
from relay.domain.moves import State
from tests.browser import forging
from tests.browser.films import film
from tests.browser.mediators import MediatorPage
from tests.browser.participants import ParticipantPage
from tests.browser.scene import Scene, Waiting
from tests.browser.visitors import Language, visitor

Look: TypeAlias = Callable[[str, Page], Awaitable[None]]

CAPTIONS: Final = "WEBVTT\n\n00:00.000 --> 00:02.000\nI have thought about this for a long time.\n"
SUMMARY: Final = "They tell you how the years since then were for them."


async def approved_letter(waiting: Waiting, sender: Participant, to: uuid.UUID) -> ReviewMessage:
    """A letter that a mediator has approved."""
    sent = await sender.send_letter(to, LETTER)
    leased = await waiting.mediator.lease(sent.message)
    return await waiting.mediator.decide(leased, "approve")


async def approved_video(
    waiting: Waiting, sender: Participant, to: Participant, file: Path
) -> ReviewMessage:
    """A video that the worker has prepared, with captions, approved."""
    with file.open("rb") as source:
        sent = await sender.send_video(to.participant_id, source, "video/mp4")
    while (await waiting.mediator.read(sent.message)).state is State.PROCESSING:
        await asyncio.sleep(0.2)
    leased = await waiting.mediator.lease(sent.message)
    captioned = await waiting.mediator.caption(leased, text=CAPTIONS)
    return await waiting.mediator.decide(captioned, "approve")


async def returned_letter(waiting: Waiting, sender: Participant, to: Participant) -> None:
    """A letter that came back with guidance."""
    sent = await sender.send_letter(to.participant_id, LETTER)
    leased = await waiting.mediator.lease(sent.message)
    author, _ = await waiting.mediator.recipient_claim(waiting.case_id, sender.participant_id)
    await waiting.mediator.decide(
        leased, "return", reason="needs-a-question", words=GUIDANCE, author=author.recipient
    )
