"""Everything that somebody hostile can seal and sign of one part, and what its reader is to find.

Each is signed well, so relay takes it unless it can see what is wrong with it.
"""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from relay.client.records import Fault
from relay.client.sealing import Role, SealedText
from relay.crypto import age
from relay.crypto.encoding import b64_encode, b64u_encode
from relay.crypto.fields import Part
from relay.crypto.mlkem768x25519 import HybridIdentity
from relay.crypto.padding import pad
from relay.domain.messages import Audience, Grant

WORDS: Final = "Words."
TIMED: Final = "WEBVTT\n\n00:01.000 --> 00:02.000\n"
MISMATCH: Final = "statement-mismatch"
TOO_LARGE: Final = "too-large"
_LONGEST: Final = 258_047
"""Bytes of the longest text whose sealed body relay takes."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Corruption:
    """One thing done to a part."""

    plain: bytes | None = None
    """What is sealed instead of the padded text."""
    text: str | None = None
    """What is written instead of ordinary words."""
    grant: Callable[[age.FileKey, str], bytes] | None = None
    """The header for a reader (`age1pq1…`), instead of one that opens the part."""
    change: Callable[[Part], Part] | None = None
    """The part as it is signed, from how it is."""
    reseal: bool = False
    """Seal the body under another key than the one that is granted."""
    fault: Fault | None = None
    """What a reader finds; None where it reads well."""
    refused: str | None = None
    """The code with which relay refuses it at once."""


def _wrap(file_key: age.FileKey, recipient: str) -> bytes:
    return age.wrap_header(file_key, [age.parse_recipient(recipient)])


def _for_nobody(file_key: age.FileKey, _recipient: str) -> bytes:
    return _wrap(file_key, str(HybridIdentity.generate().recipient))


def _another_key(_file_key: age.FileKey, recipient: str) -> bytes:
    return _wrap(age.new_file_key(), recipient)


def _altered_mac(file_key: age.FileKey, recipient: str) -> bytes:
    start = _wrap(file_key, recipient).rpartition(b" ")[0]
    return start + b" " + b64_encode(bytes(32)).encode() + b"\n"


def _low_order(_file_key: age.FileKey, _recipient: str) -> bytes:
    share, body, mac = (b64_encode(bytes(size)) for size in (1120, 32, 32))
    return f"age-encryption.org/v1\n-> mlkem768x25519 {share}\n{body}\n--- {mac}\n".encode()


def _short_share(_file_key: age.FileKey, _recipient: str) -> bytes:
    share, body, mac = (b64_encode(bytes(size)) for size in (3, 31, 32))
    return f"age-encryption.org/v1\n-> mlkem768x25519 {share}\n{body}\n--- {mac}\n".encode()


def _committed(case_id: uuid.UUID | None = None) -> Callable[[Part], Part]:
    def change(part: Part) -> Part:
        commit = age.commit(age.new_file_key(), case_id or uuid.uuid4())
        return msgspec.structs.replace(part, commit=b64u_encode(commit))

    return change


def _typed(media_type: str) -> Callable[[Part], Part]:
    return lambda part: msgspec.structs.replace(part, type=media_type)


KEYS: Final[Mapping[str, Corruption]] = {
    "a grant for nobody": Corruption(grant=_for_nobody, fault=Fault.NO_KEY),
    "a grant of another key": Corruption(grant=_another_key, fault=Fault.WRONG_KEY),
    "a grant with another MAC": Corruption(grant=_altered_mac, fault=Fault.NO_KEY),
    "a grant with a share of low order": Corruption(grant=_low_order, fault=Fault.NO_KEY),
    "a grant with a short share": Corruption(grant=_short_share, fault=Fault.NO_KEY),
    "a commitment to another key": Corruption(change=_committed(), fault=Fault.WRONG_KEY),
}
"""Of every part."""

TEXTS: Final[Mapping[str, Corruption]] = {
    **KEYS,
    "a body under another key": Corruption(reseal=True, fault=Fault.ALTERED),
    "no mark of padding": Corruption(plain=bytes(256), fault=Fault.NOT_TEXT),
    "more padding than there is": Corruption(plain=b"x\x80" + bytes(510), fault=Fault.NOT_TEXT),
    "words after the padding": Corruption(
        plain=pad(WORDS.encode())[:-1] + b"x", fault=Fault.NOT_TEXT
    ),
    "not UTF-8": Corruption(plain=pad(b"\xff\xfe\x00"), fault=Fault.NOT_TEXT),
    "half a character": Corruption(plain=pad("é".encode()[:1]), fault=Fault.NOT_TEXT),
    "a surrogate": Corruption(plain=pad(b"\xed\xa0\x80"), fault=Fault.NOT_TEXT),
    "no bytes at all": Corruption(plain=b"", refused=MISMATCH),
    "one byte": Corruption(plain=b"x", refused=MISMATCH),
    "no padding": Corruption(plain=WORDS.encode(), refused=MISMATCH),
    "more than relay takes": Corruption(plain=pad(bytes(_LONGEST + 1)), refused=TOO_LARGE),
    "a page": Corruption(change=_typed("text/html"), refused=MISMATCH),
    "a program": Corruption(change=_typed("text/javascript"), refused=MISMATCH),
}
"""Of every text."""

LETTERS: Final[Mapping[str, Corruption]] = {
    **TEXTS,
    "ordinary words": Corruption(),
    "nothing": Corruption(text=""),
    "one letter": Corruption(text="x"),
    "as much as relay takes": Corruption(text="x" * _LONGEST),
    "characters that turn words": Corruption(text="I am \u202enot\u202c sorry\u200f."),
    "controls": Corruption(text="a\x00b\x1b[31mc\x9b"),
    "captions": Corruption(change=_typed("text/vtt"), refused=MISMATCH),
}
"""Of words: a body, a note."""

CAPTIONS: Final[Mapping[str, Corruption]] = {
    **TEXTS,
    "ordinary words": Corruption(text=f"{TIMED}Words.\n"),
    "nothing": Corruption(text="", fault=Fault.NOT_CAPTIONS),
    "no captions": Corruption(text="Words.", fault=Fault.NOT_CAPTIONS),
    "no cue": Corruption(text="WEBVTT\n", fault=Fault.NOT_CAPTIONS),
    "times that are none": Corruption(text="WEBVTT\n\n1 --> 2\nWords.\n", fault=Fault.NOT_CAPTIONS),
    "an end before the beginning": Corruption(
        text="WEBVTT\n\n00:02.000 --> 00:01.000\nWords.\n", fault=Fault.NOT_CAPTIONS
    ),
    "markup alone": Corruption(text=f"{TIMED}<c></c>\n", fault=Fault.NOT_CAPTIONS),
    "markup that never ends": Corruption(text=f"{TIMED}a{'<' * 200_000}\n"),
    "as much as relay takes": Corruption(text=f"{TIMED}{'x' * (_LONGEST - len(TIMED))}"),
    "characters that turn words": Corruption(text=f"{TIMED}a\u202eb &#x202E; &rlm;c\n"),
    "words": Corruption(change=_typed("text/plain"), refused=MISMATCH),
}
"""Of captions."""


def forge(
    case_id: uuid.UUID, role: Role, corruption: Corruption
) -> tuple[SealedText, Callable[[Audience, uuid.UUID, str], Grant]]:
    """A text part with that done to it, and what writes a grant of it."""
    ordinary = f"{TIMED}{WORDS}\n" if role == "captions" else WORDS
    text = ordinary if corruption.text is None else corruption.text
    plain = pad(text.encode()) if corruption.plain is None else corruption.plain
    file_key = age.new_file_key()
    body = age.seal_body(age.new_file_key() if corruption.reseal else file_key, plain)
    part = Part(
        role=role,
        type="text/vtt" if role == "captions" else "text/plain",
        size=len(body),
        segments=[b64u_encode(digest) for digest in age.segment_digests([body])],
        commit=b64u_encode(age.commit(file_key, case_id)),
    )
    if corruption.change is not None:
        part = corruption.change(part)

    def grant(audience: Audience, audience_id: uuid.UUID, recipient: str) -> Grant:
        header = (corruption.grant or _wrap)(file_key, recipient)
        return Grant(
            commitment=part.commit, audience=audience, audience_id=audience_id, header=header
        )

    return SealedText(part=part, file_key=file_key, body=body), grant
