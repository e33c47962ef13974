"""One record that does not hold: which one, why, and what can be done. All other records stay as they are.

A broken chain of trust (root, credentials, charter) is another matter: BrokenTrust, and nothing of the case
is to be believed.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from enum import StrEnum
from typing import Final, NamedTuple

from relay.client.sealing import WrongTypeError
from relay.crypto.errors import (
    ChainError,
    CommitmentError,
    HeaderError,
    HeaderMacError,
    KeyInvalidError,
    NoMatchError,
    PaddingError,
    PayloadError,
)
from relay.domain.captions import NotCaptions
from relay.errors import CryptoError


class Record(StrEnum):
    """What a failure is about."""

    CLAIM = "claim"
    """Somebody's keys."""
    LINK = "link"
    CONSENT = "consent"
    """What the two said about taking part."""
    MESSAGE = "message"
    BODY = "body"
    ORIGINAL = "original"
    NOTE = "note"
    """Of a message: who assisted its sender."""
    RENDITION = "rendition"
    POSTER = "poster"
    CAPTIONS = "captions"
    DECISION = "decision"
    """With the mediator's words in it."""
    APPROVALS = "approvals"
    OFFER = "offer"
    """With the mediator's notes in it."""


class Fault(StrEnum):
    """Why a record does not hold: a closed list, with a sentence for each in every place that shows it."""

    NOT_FROM_LINK = "not-from-link"
    UNUSABLE_KEY = "unusable-key"
    NOT_SIGNED = "not-signed"
    TOO_FEW = "too-few"
    NO_KEY = "no-key"
    WRONG_KEY = "wrong-key"
    ALTERED = "altered"
    NOT_TEXT = "not-text"
    NOT_CAPTIONS = "not-captions"
    WRONG_TYPE = "wrong-type"


class _Words(NamedTuple):
    en: str
    fr: str


SENTENCES: Final = {
    Fault.NOT_FROM_LINK: _Words(
        "These keys were not made by somebody who had the link. End the link and give the person a new one.",
        "Ces clés n'ont pas été créées par quelqu'un qui avait le lien. Mettez fin au lien et donnez-en un "
        "nouveau à la personne.",
    ),
    Fault.UNUSABLE_KEY: _Words(
        "Nothing can be sealed for these keys. End the link and give the person a new one.",
        "Rien ne peut être scellé pour ces clés. Mettez fin au lien et donnez-en un nouveau à la personne.",
    ),
    Fault.NOT_SIGNED: _Words(
        "This is not signed by somebody who may sign it, or it is about something else. "
        "Do not rely on it: send it back, decline it or put it on hold.",
        "Ceci n'est pas signé par une personne habilitée, ou concerne autre chose. "
        "Ne vous y fiez pas : renvoyez-le, refusez-le ou mettez-le en attente.",
    ),
    Fault.TOO_FEW: _Words(
        "Fewer mediators approved this than the case asks for. Have it approved again.",
        "Moins de médiateurs l'ont approuvé que le dossier ne l'exige. Faites-le approuver de nouveau.",
    ),
    Fault.NO_KEY: _Words(
        "This was sealed so that your key does not open it. Ask for it to be sent again.",
        "Ceci a été scellé de sorte que votre clé ne l'ouvre pas. Demandez un nouvel envoi.",
    ),
    Fault.WRONG_KEY: _Words(
        "The key that came with this is not the one that was signed. Ask for it to be sent again.",
        "La clé jointe n'est pas celle qui a été signée. Demandez un nouvel envoi.",
    ),
    Fault.ALTERED: _Words(
        "What is stored is not what was signed, or it is not there. Ask for it to be sent again.",
        "Ce qui est conservé n'est pas ce qui a été signé, ou manque. Demandez un nouvel envoi.",
    ),
    Fault.NOT_TEXT: _Words(
        "What is inside cannot be read as text. Ask for it to be written again.",
        "Le contenu ne se lit pas comme du texte. Demandez qu'il soit récrit.",
    ),
    Fault.NOT_CAPTIONS: _Words(
        "These captions cannot be read. Write captions, or record why there are none.",
        "Ces sous-titres sont illisibles. Écrivez des sous-titres ou indiquez pourquoi il n'y en a pas.",
    ),
    Fault.WRONG_TYPE: _Words(
        "This says that it is of a type that does not belong here. Ask for it to be sent again.",
        "Ceci se dit d'un type qui n'a pas sa place ici. Demandez un nouvel envoi.",
    ),
}
"""What each fault is, and what can be done about it."""

_FAULTS: Final[dict[type[Exception], Fault]] = {
    NoMatchError: Fault.NO_KEY,
    HeaderError: Fault.NO_KEY,
    HeaderMacError: Fault.NO_KEY,
    KeyInvalidError: Fault.UNUSABLE_KEY,
    CommitmentError: Fault.WRONG_KEY,
    PayloadError: Fault.ALTERED,
    WrongTypeError: Fault.WRONG_TYPE,
    PaddingError: Fault.NOT_TEXT,
    UnicodeDecodeError: Fault.NOT_TEXT,
    NotCaptions: Fault.NOT_CAPTIONS,
}


class BrokenTrust(ChainError):
    """Root, credentials or charter do not verify: nothing in this case can be trusted."""


class BrokenRecord(CryptoError):
    """One record of a case does not verify; the others are not affected."""

    code = "broken-record"

    def __init__(self, record: Record, fault: Fault, detail: str | None = None) -> None:
        """`detail` is for the log."""
        self.record = record
        self.fault = fault
        super().__init__(detail or f"{record}: {fault}", record=str(record), fault=str(fault))

    def says(self, language: str) -> str:
        """What is wrong and what can be done, in `en` or `fr`."""
        words = SENTENCES[self.fault]
        return words.fr if language == "fr" else words.en


@contextlib.contextmanager
def checking(record: Record) -> Iterator[None]:
    """Whatever in the block does not verify or open raises BrokenRecord, about `record`."""
    try:
        yield
    except BrokenRecord:
        raise
    except (CryptoError, NotCaptions, UnicodeDecodeError) as error:
        detail = f"{record}: {type(error).__name__}"
        otherwise = Fault.TOO_FEW if record is Record.APPROVALS else Fault.NOT_SIGNED
        raise BrokenRecord(record, _FAULTS.get(type(error), otherwise), detail) from None


@contextlib.contextmanager
def trusting() -> Iterator[None]:
    """Whatever in the block does not verify raises BrokenTrust: it is about more than one record."""
    try:
        yield
    except BrokenTrust:
        raise
    except CryptoError as error:
        raise BrokenTrust(f"{type(error).__name__}: {error.detail}") from None
