"""A message under review, examined record by record: what holds, what it says, and what does not hold."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from relay.client.charters import OpenCase
from relay.client.records import BrokenRecord, Fault, Record, checking
from relay.client.sealing import open_text, unwrap, view_of
from relay.crypto import items, release, statements
from relay.crypto.age import FileKey
from relay.crypto.encoding import b64u_encode
from relay.crypto.errors import ChainError, PayloadError
from relay.crypto.fields import Part
from relay.crypto.signing import statement_hash
from relay.crypto.verified import Standing
from relay.domain.messages import ReviewMessage


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """What a mediator finds of a message: one with a fault is returned, declined or held, never let on."""

    item: release.Item | None
    """As far as its statements hold; None where the message itself does not."""
    texts: Mapping[str, str] = dataclasses.field(repr=False)
    """What could be read, by commitment."""
    keys: Mapping[str, FileKey] = dataclasses.field(repr=False)
    """The file keys that the case can open, by commitment."""
    faults: tuple[BrokenRecord, ...]

    def require_whole(self) -> release.Item:
        """The item, if all of it holds; otherwise its first BrokenRecord."""
        if self.faults:
            raise self.faults[0]
        if self.item is None:
            raise BrokenRecord(Record.MESSAGE, Fault.NOT_SIGNED)
        return self.item

    def text(self, role: str) -> str | None:
        """The words of the part of this role, None where there is none; BrokenRecord where it is broken."""
        if self.item is None:
            self.require_whole()
            return None
        parts = (*self.item.released, *self.item.message.parts)
        part = next((part for part in parts if part.role == role), None)
        for fault in self.faults:
            if fault.record == role:
                raise fault
        return None if part is None else self.texts.get(part.commit)


def examine(message: ReviewMessage, case: OpenCase) -> Examined:
    """Verify and open everything of a message that the case can; nothing that fails hides the rest.

    Bodies of videos and posters are not fetched: of them, the file key is checked against its commitment.
    """
    examination = _Examination(message, case)
    item = examination.item()
    if item is not None:
        examination.open_parts(item)
    return Examined(
        item=item,
        texts=examination.texts,
        keys=examination.keys,
        faults=tuple(examination.faults),
    )


class _Examination:
    def __init__(self, message: ReviewMessage, case: OpenCase) -> None:
        self._message = message
        self._charter = case.charter
        self._identities = case.identities
        self.texts: dict[str, str] = {}
        self.keys: dict[str, FileKey] = {}
        self.faults: list[BrokenRecord] = []

    def item(self) -> release.Item | None:
        """The message with whatever of its rendition and captions holds."""
        message = self._message
        compact = message.statement or ""
        try:
            words, standing = self._words(compact)
            with checking(Record.MESSAGE):
                item = release.item(words, compact, standing=standing)
        except BrokenRecord as broken:
            self.faults.append(broken)
            return None
        made = kept = None
        try:
            with checking(Record.RENDITION):
                made = items.verify_rendition(message.rendition, self._charter, words, compact)
        except BrokenRecord as broken:
            self.faults.append(broken)
        try:
            with checking(Record.RENDITION):
                item = release.item(words, compact, made, standing=standing)
            with checking(Record.CAPTIONS):
                kept = items.verify_captions(message.captions, self._charter)
                item = release.item(words, compact, made, kept, standing=standing)
        except BrokenRecord as broken:
            self.faults.append(broken)
        return item

    def _words(self, compact: str) -> tuple[statements.Message, Standing]:
        with checking(Record.MESSAGE):
            words, standing = items.verify_words(compact, self._message.origin, self._charter)
            _expect_same(words, self._message)
        return words, standing

    def open_parts(self, item: release.Item) -> None:
        """Open what is text, and the key of what is not."""
        held_back = [part for part in item.message.parts if part.role in {"original", "note"}]
        for part in (*item.released, *held_back):
            try:
                with checking(Record(part.role)):
                    self._open(part)
            except BrokenRecord as broken:
                self.faults.append(broken)

    def _open(self, part: Part) -> None:
        view = view_of(self._message.parts, part)
        case, identities = self._message.case, self._identities
        self.keys[part.commit] = unwrap(case, part, view.header, identities)
        if part.role in {"body", "captions", "note"}:
            self.texts[part.commit] = open_text(case, part, view, identities)


def _expect_same(words: statements.Message, message: ReviewMessage) -> None:
    """Refuse the statement of another message than the relay says it is of."""
    said = (words.message, words.revision, words.sender, words.recipient, words.kind)
    shown = (message.message, message.revision, message.sender, message.recipient, message.kind)
    if said != shown or words.language != message.language:
        raise ChainError("the statement of another message")


def hash_of(compact: str | None) -> str | None:
    """How one statement names another."""
    return None if compact is None else b64u_encode(statement_hash(compact))


def named_by(message: ReviewMessage) -> tuple[str, str | None, str | None]:
    """What exactly is in front of a mediator, by hash: the message, its rendition and its captions."""
    source = hash_of(message.statement)
    if source is None:
        raise PayloadError("a message without words")
    return source, hash_of(message.rendition), hash_of(message.captions)
