"""Identifiers that somebody may not know the fate of, and requests in which they stand, for every route."""

from __future__ import annotations

import dataclasses
import io
import secrets
import uuid
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Final

from relay.client.participant import Participant
from relay.client.sealing import seal_file
from relay.client.uploading import Retry, Upload
from relay.client.writing import address
from relay.crypto.encoding import b64u_encode
from relay.domain.actors import Role
from relay.domain.cases import Closing, NewHold
from relay.domain.messages import Kind, Language, NewDraft
from relay.domain.unsent import NewUnsentText
from relay.domain.uploads import TUS_VERSION
from relay.services import disposal
from relay.settings import Settings
from relay.storage.database import Database
from relay.testing.people import Case, open_case
from tests.support.ended_cases import age
from tests.support.requests import caller_of
from tests.support.statement_walk.cases import WalkCases

RECIPIENT: Final = "the recipient"
RETRACTED: Final = "offered once, and retracted"
WITHDRAWN: Final = "offered once, and withdrawn"
TUS: Final = {"Tus-Resumable": TUS_VERSION, "Upload-Offset": "0"}
PATCH_TYPE: Final = "application/offset+octet-stream"

Fates = Mapping[str, str]
"""What became of something, and its identifier."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """Somebody who asks, and what they may not tell from what was never there."""

    name: str
    role: Role
    bearer: str
    unknown: Mapping[str, Fates]
    """By the name of a parameter of a path."""
    own: Mapping[str, str]
    """What stands in the other parameters."""


def never(name: str) -> str:
    """An identifier that nothing ever had."""
    return b64u_encode(secrets.token_bytes(32)) if name == "commitment" else str(uuid.uuid4())


async def undelivered(case: Case) -> dict[str, uuid.UUID]:
    """Letters to the person harmed that they were never to know of, by what became of each."""
    writer, to = case.responsible, case.harmed.participant_id
    found: dict[str, uuid.UUID] = {}
    for fate in (
        "queued",
        "return",
        "decline",
        "hold",
        "approve",
        "withdrawn",
        RETRACTED,
        WITHDRAWN,
    ):
        sent = await writer.send_letter(to, f"Words that were to be left: {fate}.")
        found[fate] = sent.message
        if fate == "withdrawn":
            await writer.withdraw(sent.message)
        elif fate in {RETRACTED, WITHDRAWN}:
            leased = await case.mediator.lease(sent.message)
            offered = await case.mediator.offer(await case.mediator.decide(leased, "approve"))
            if fate == WITHDRAWN:
                await writer.withdraw(sent.message)
            else:
                await case.mediator.decide(await case.mediator.read(offered.message), "retract")
        elif fate != "queued":
            leased = await case.mediator.lease(sent.message)
            await case.mediator.decide(leased, fate, reason="unclear")  # type: ignore[arg-type]  # of these
    return found


async def uploaded(person: Participant, to: uuid.UUID) -> tuple[uuid.UUID, str]:
    """The draft of a video and an upload for it."""
    sealed_file = io.BytesIO()
    sealed = seal_file(person.case_id, "original", io.BytesIO(b"a film"), "video/mp4", sealed_file)
    written = address(to)
    await person.begin_video(written)
    upload = Upload(person.session, Retry())
    await upload.create(written.message_id, written.revision, sealed.part.size)
    return written.message_id, upload.path.rpartition("/")[2]


async def disposed(
    scene: WalkCases, settings: Settings, database_url: str
) -> tuple[Case, uuid.UUID, str]:
    """A case that was disposed of, with a letter that was in it and the commitment of its part."""
    gone = await open_case(scene.people, mediators=(scene.other.mediator, scene.other.colleague))
    sent = await gone.harmed.send_letter(gone.responsible.participant_id, "Words of long ago.")
    await scene.people.case_system.set_closed(gone.case_id, closed=True)
    await age(database_url, gone.case_id)
    database = await Database.connect(scene.worker_settings.database_url, connections=2)
    try:
        assert await disposal.dispose(database, settings, scene.worker, gone.case_id)
    finally:
        await database.close()
    return gone, sent.message, sent.parts[0].commitment


def bodies(to: uuid.UUID) -> Mapping[tuple[str, str], object]:
    """What is sent where a body is needed that nobody signs."""
    draft = NewDraft(recipient=to, kind=Kind.VIDEO, language=Language.EN)
    return {
        ("PUT", "/v1/cases/{case}/closing"): Closing(closed=True),
        ("PUT", "/v1/cases/{case}/holds/{hold}"): NewHold(name="Order 17", reason="A court asked."),
        ("PUT", "/v1/messages/{message}/revisions/{revision}/draft"): draft,
        ("PUT", "/v1/unsent/{text}"): NewUnsentText(version=1, sealed=b"not sent yet " * 8),
        ("PATCH", "/v1/uploads/{upload}"): b"abc",
        ("POST", "/v1/uploads/{upload}"): b"abc",
    }


async def askers(scene: WalkCases, settings: Settings, database_url: str) -> Sequence[Asker]:
    """Everybody who may call a route with an identifier in it, with what is not theirs to know."""
    case, other = scene.case, scene.other
    gone, gone_letter, gone_part = await disposed(scene, settings, database_url)
    letters = await undelivered(case)
    parts = {
        fate: (await case.responsible.sent(message)).parts[0].commitment
        for fate, message in letters.items()
    }
    elsewhere = await other.harmed.send_letter(other.responsible.participant_id, "Words elsewhere.")
    draft, upload = await uploaded(case.responsible, case.harmed.participant_id)
    mine, my_upload = await uploaded(case.harmed, case.responsible.participant_id)
    ended = await caller_of(case.harmed).ask("DELETE", f"/v1/uploads/{my_upload}", headers=TUS)
    assert ended.status == HTTPStatus.NO_CONTENT
    await case.harmed.session.call("DELETE", f"/v1/messages/{mine}/revisions/1/draft")
    text, hold = uuid.uuid4(), uuid.uuid4()
    unsent = NewUnsentText(version=1, sealed=b"not sent yet " * 8)
    await case.responsible.session.call("PUT", f"/v1/unsent/{text}", body=unsent)
    await caller_of(other.mediator).ask(
        "PUT", f"/v1/cases/{other.case_id}/holds/{hold}", NewHold(name="Order 1", reason="Asked.")
    )

    in_case = {
        "message": {**_texts(letters), "a draft of another": str(draft)},
        "commitment": parts,
        "upload": {"of another": upload},
        "text": {"of another": str(text)},
    }
    lost = {
        "message": {"disposed of": str(gone_letter), "discarded": str(mine)},
        "commitment": {"disposed of": gone_part},
        "upload": {"ended": my_upload},
    }
    far = {
        "message": {"of another case": str(elsewhere.message)},
        "commitment": {"of another case": elsewhere.parts[0].commitment},
        "case": {"another": str(other.case_id), "disposed of": str(gone.case_id)},
        "hold": {"of another case": str(hold)},
    }
    near = {"case": {"another": str(case.case_id)}, "hold": {}}

    async def asker(name: str, role: Role, bearer: str, *unknown: Mapping[str, Fates]) -> Asker:
        of = other if "elsewhere" in name else case
        own = {"case": str(of.case_id), "revision": "1", "hold": str(uuid.uuid4())}
        return Asker(name=name, role=role, bearer=bearer, unknown=_merged(unknown), own=own)

    def shown(person: str) -> str:
        return scene.persons[person].bearer() or ""

    return [
        await asker(RECIPIENT, Role.PARTICIPANT, shown("the participant"), in_case, lost, far),
        await asker(
            "a participant elsewhere",
            Role.PARTICIPANT,
            await caller_of(other.responsible).signed.bearer(),
            in_case,
            lost,
        ),
        await asker(
            "who has an upload link", Role.UPLOADER, shown("an upload link"), in_case, lost, far
        ),
        await asker("the mediator", Role.MEDIATOR, shown("the mediator"), lost, far),
        await asker(
            "a mediator elsewhere",
            Role.MEDIATOR,
            shown("a mediator of another case"),
            in_case,
            near,
        ),
        await asker(
            "a dismissed mediator", Role.MEDIATOR, shown("a dismissed mediator"), in_case, far, near
        ),
    ]


def _texts(found: Mapping[str, uuid.UUID]) -> dict[str, str]:
    return {fate: str(value) for fate, value in found.items()}


def _merged(several: Sequence[Mapping[str, Fates]]) -> Mapping[str, Fates]:
    names = {name for one in several for name in one}
    return {
        name: {fate: value for one in several for fate, value in one.get(name, {}).items()}
        for name in names
    }
