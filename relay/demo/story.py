"""The main job, told line by line: a letter and a video go from one person to the other, and nowhere else."""

from __future__ import annotations

import asyncio
import dataclasses
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from relay.client.connection import Connection, Problem
from relay.client.mediator import Mediator
from relay.client.participant import Participant
from relay.crypto.words import claim_words
from relay.demo.cutting import cutting_proxy
from relay.domain.messages import AuthorMessage, ReviewMessage
from relay.domain.transitions import State
from relay.domain.views import RecipientView
from relay.errors import RelayError
from relay.media.tools import MediaTools
from relay.services.audit.walk import audit
from relay.settings import KIB, MIB, Settings, database_url
from relay.storage.database import Database
from relay.testing import recordings, searching
from relay.testing.letters import FIRST_LETTER, GUIDANCE, LETTER, NOTE
from relay.testing.people import PASSPHRASE, Case, open_case, organization
from relay.testing.relays import RunningRelay, keys_of

VIDEO_SECONDS: Final = 20
CUT_AFTER_BYTES: Final = 600 * KIB
PREPARED_SECONDS: Final = 300
POLL_SECONDS: Final = 0.3

LATER_LETTER: Final = "There is one more thing that I would like to ask."

Say = Callable[[str], None]


class StoryBroke(RelayError):
    """A step of the demo's story failed."""

    code = "story-broke"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What is left after the story: the case that was played, and where its people come in."""

    case: Case
    seconds: float


async def tell(running: RunningRelay, say: Say, workplace: Path) -> Told:
    """Play the whole story on a stage; StoryBroke where anything is not as it must be.

    `workplace` is a folder outside relay's data, as the disks of the people in the story are.
    """
    began = time.monotonic()
    settings = Settings.from_environment(running.environment)
    of_owner = dataclasses.replace(settings, database_url=database_url(running.owner))
    async with organization(
        running.url, running.root, running.token_key, keys=keys_of(running)
    ) as people:
        say(
            "[bold]An organization[/bold] makes its root key, offline, and vouches for a media worker"
        )
        mediators = (await people.mediator(), await people.mediator())
        say("and for two mediators, whose keys were made in their own browsers.")
        case = await open_case(people, mediators=mediators)
        say("[bold]A case[/bold] is registered by the case system; a mediator signs its charter.")
        say("A person harmed and a person responsible claim their links and say yes;")
        await _the_four_words(case, say)
        letter = await _a_letter(case, say)
        video_file = workplace / "phone.mov"
        video = await _a_video(running, case, say, settings, video_file)
        await _nothing_opens_yet(case, say, of_owner)
        await _an_offer(case, say, letter, video)
        rendition_file = workplace / "received.mp4"
        await _the_recipient(case, say, rendition_file)
        await _mediators_come_and_go(case, await people.mediator(), say)
        await _the_log(say, settings)
        await _the_search(running, say, of_owner, [video_file, rendition_file])
        return Told(case=case, seconds=time.monotonic() - began)


async def _the_four_words(case: Case, say: Say) -> None:
    for person in (case.harmed, case.responsible):
        claim = await case.mediator.recipient_claim(case.case_id, person.participant_id)
        seen = claim_words(claim.claim_hash, "en")
        _expect(seen == person.spoken_words("en"), "both see the same four words")
        say(f"On the telephone they read four words from their page: «{' '.join(seen)}».")
    say("The mediator sees the same words, and signs that it was really they.")


async def _a_letter(case: Case, say: Say) -> ReviewMessage:
    sent = await case.harmed.send_letter(case.responsible.participant_id, FIRST_LETTER)
    say(
        "[bold]A letter[/bold] is sealed by the person harmed, signed and sent: it is "
        f"«{sent.view}»."
    )
    leased = await case.mediator.lease(sent.message)
    read = await case.mediator.read_letter(leased)
    _expect(read == FIRST_LETTER, "the mediator reads what was written")
    author = await case.mediator.recipient_claim(case.case_id, case.harmed.participant_id)
    await case.mediator.decide(
        leased, "return", reason="needs-a-question", words=GUIDANCE, author=author.recipient
    )
    returned = await case.harmed.sent(sent.message)
    reason, words = case.harmed.guidance(returned)
    say(f"The mediator takes it, reads it, and sends it back once: «{words}» ({reason})")
    revised = await case.harmed.send_letter(
        case.responsible.participant_id, LETTER, revises=returned
    )
    leased = await case.mediator.lease(revised.message)
    approved = await case.mediator.decide(leased, "approve")
    _expect(approved.state is State.APPROVED, "the letter is approved")
    say("She writes a second revision; the mediator reads and approves exactly that one.")
    return approved


async def _a_video(
    running: RunningRelay,
    case: Case,
    say: Say,
    settings: Settings,
    video_file: Path,
) -> ReviewMessage:
    await recordings.record(MediaTools.from_settings(settings), video_file, VIDEO_SECONDS)
    say(
        f"[bold]A video[/bold] from a phone: {await asyncio.to_thread(recordings.describe, video_file)}"
    )
    async with cutting_proxy(running.url, CUT_AFTER_BYTES) as (proxy, url):
        connection = await Connection.open(url)
        try:
            on_the_road = await Participant.unlock(connection, case.harmed_url, PASSPHRASE)
            with video_file.open("rb") as source:
                sent = await on_the_road.send_video(
                    case.responsible.participant_id, source, "video/quicktime"
                )
        finally:
            await connection.close()
        _expect(proxy.cuts == 1, "the connection broke once")
    say(
        f"It is sealed for the case and its media worker and uploaded; the line breaks after "
        f"{CUT_AFTER_BYTES // KIB} KiB and the upload goes on from there."
    )
    prepared = await _prepared(case, say, sent)
    leased = await case.mediator.lease(prepared.message)
    captioned = await case.mediator.caption(leased, text="WEBVTT\n\n00:00.000 --> 00:20.000\n♪\n")
    approved = await case.mediator.decide(captioned, "approve")
    _expect(approved.state is State.APPROVED, "the video is approved")
    say("The mediator watches it, adds captions and approves it.")
    return approved


async def _prepared(case: Case, say: Say, sent: AuthorMessage) -> ReviewMessage:
    deadline = time.monotonic() + PREPARED_SECONDS
    shown = ""
    while time.monotonic() < deadline:
        message = await case.mediator.read(sent.message)
        if message.state is State.QUEUED:
            say(
                "The media worker opened it in memory, prepared it in a jail without network, keys or "
                "disk, sealed the result under a fresh key and lost its grant."
            )
            return message
        _expect(message.state is State.PROCESSING, f"the video is prepared ({message.failure})")
        if message.processing is not None and message.processing.stage != shown:
            shown = message.processing.stage
            say(f"  … {shown}, {message.processing.fraction:.0%}")
        await asyncio.sleep(POLL_SECONDS)
    raise StoryBroke("the video was not prepared in time")


async def _nothing_opens_yet(case: Case, say: Say, settings: Settings) -> None:
    identity = case.responsible.identity
    headers, opened = await searching.grants_that_open(settings.database_url, identity)
    _expect(opened == 0, "the recipient's key opens nothing before the offer")
    say(
        f"[bold]Before the offer[/bold] the recipient's key is tried on all {headers} grants in the "
        f"database: it opens {opened}."
    )


async def _an_offer(case: Case, say: Say, letter: ReviewMessage, video: ReviewMessage) -> None:
    for message, note in ((letter, NOTE), (video, "A video of twenty seconds.")):
        offered = await case.mediator.offer(message, note=note)
        _expect(offered.state is State.OFFERED, "it is offered")
    say(
        "[bold]The mediator offers both[/bold]: her browser writes the headers that open them to the "
        "recipient's key."
    )


async def _the_recipient(case: Case, say: Say, rendition_file: Path) -> None:
    waiting = (await case.responsible.correspondence()).received
    _expect(len(waiting) == 2, "two messages wait")  # noqa: PLR2004 - the letter and the video
    for message in waiting:
        note = case.responsible.content_note(message)
        await case.responsible.respond(message, "wait")
        say(f"The person responsible is told that something waits: «{note}» He lets it wait.")
    for message in waiting:
        accepted = await case.responsible.respond(message, "accept")
        _expect(accepted.view is RecipientView.TO_OPEN, "it is his to open")
        received = await case.responsible.open(accepted)
        if received.item.message.kind == "letter":
            text = case.responsible.read_text(received)
            _expect(text == LETTER, "he reads what she wrote")
            say(f"Then he accepts, and reads: «{text}»")
        else:
            await case.responsible.save(received, "rendition", rendition_file)
            say(
                "and accepts the video, and plays it: "
                f"{await asyncio.to_thread(recordings.describe, rendition_file)}"
            )
            content = await asyncio.to_thread(rendition_file.read_bytes)
            _expect(recordings.PLACE.encode() not in content, "the place is gone")
    views = {message.view.value for message in (await case.harmed.correspondence()).sent}
    say(
        f"To the person harmed both read «{', '.join(sorted(views))}»: whether he accepted is his to tell."
    )


async def _mediators_come_and_go(case: Case, newcomer: Mediator, say: Say) -> None:
    mediator, colleague = case.mediator, case.colleague
    listed = [mediator.credential_id, colleague.credential_id, newcomer.credential_id]
    await mediator.change_charter(case.case_id, mediators=listed)
    sent = await case.harmed.send_letter(case.responsible.participant_id, LATER_LETTER)
    leased = await newcomer.lease(sent.message)
    _expect(await newcomer.read_letter(leased) == LATER_LETTER, "who joined reads the case")
    await newcomer.decide(leased, "hold", reason="readiness")
    say("[bold]A mediator joins[/bold]: the next charter names her, and she reads a new letter.")
    await mediator.change_charter(
        case.case_id, mediators=[mediator.credential_id, newcomer.credential_id]
    )
    sent = await case.harmed.send_letter(case.responsible.participant_id, LATER_LETTER)
    try:
        await colleague.lease(sent.message)
    except Problem as refused:
        _expect(refused.code == "not-found", "who left finds nothing")
    else:
        raise StoryBroke("who left was given a letter")
    _expect(
        await newcomer.read_letter(await newcomer.lease(sent.message)) == LATER_LETTER,
        "who stays reads what is sealed from now on",
    )
    say("[bold]A mediator leaves[/bold]: what is sealed from then on is kept from her.")


async def _the_log(say: Say, settings: Settings) -> None:
    database = await Database.connect(settings.database_url, connections=1)
    rows = 0
    try:
        async for audited in audit(database, settings):
            _expect(not audited.findings, "the log holds")
            rows += audited.rows
    finally:
        await database.close()
    say(f"[bold]The log[/bold]: {rows} rows; each, and every signature behind them, holds.")


async def _the_search(
    running: RunningRelay, say: Say, settings: Settings, videos: list[Path]
) -> None:
    needles = [
        *(
            needle
            for text in (FIRST_LETTER, LETTER, GUIDANCE, NOTE, recordings.PLACE)
            for needle in searching.needles_of_text(text)
        ),
        *(needle for video in videos for needle in searching.needles_of_file(video)),
    ]
    planted, hit = searching.search_bytes([LETTER.encode()], needles)
    _expect(hit and planted > 0, "the search finds what is there")
    search = await searching.search_everything(settings, [running.folder], needles)
    _expect(not search.found, f"nothing in the clear ({', '.join(search.found)})")
    say(
        f"[bold]A search[/bold] for {len(needles)} pieces of the letters and videos in the database, the "
        f"bucket, Redis and every log and file of relay: {search.places} places, "
        f"{search.searched_bytes / MIB:.0f} MiB, nothing found."
    )


def _expect(held: bool, what: str) -> None:  # noqa: FBT001 - reads as the sentence it checks
    if not held:
        raise StoryBroke(f"expected: {what}")
