"""What statements say: one text each, every member checked, and rules that span members."""

from __future__ import annotations

import datetime as dt
import json

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relay.crypto.encoding import b64u_encode
from relay.crypto.errors import StatementError
from relay.crypto.fields import Part
from relay.crypto.signing import sign_statement
from relay.crypto.statements import (
    Decision,
    LinkEnding,
    Message,
    Session,
    Statement,
    Succession,
    decode_unverified,
    sign,
    verify,
)
from relay.errors import CryptoError
from tests.vectors.people import (
    ANNA,
    BORIS,
    CAPTIONS,
    CLAIRE,
    DENIS,
    EVERY,
    NOON,
    NOTE,
    RECOVERY,
    REGISTRATION,
    RENDITION,
    ROOT,
    SERVICE,
    SESSION,
    UPLOAD_LINK,
    VIDEO,
    VIDEO_COMPACT,
    approval,
    charter,
    digest,
    hash_of,
    identifier,
    offer,
    part,
    resigned,
)

SIGNER = ANNA.keyring.signer
DECISION = decode_unverified(approval(ANNA), Decision)
SUCCESSION = next(said for said in EVERY if isinstance(said, Succession))
ENDING = next(said for said in EVERY if isinstance(said, LinkEnding))


def payload_of(statement: Statement) -> bytes:
    """The JSON of a statement."""
    return msgspec.json.encode(statement)


def signed(kind: type[Statement], payload: bytes) -> str:
    """Any payload, signed well, as a statement of a type."""
    return sign_statement(SIGNER, kind.typ, payload)


@pytest.mark.parametrize("statement", EVERY, ids=lambda statement: statement.typ)
def test_statements_come_back(statement: Statement) -> None:
    """What is signed verifies to an equal statement."""
    compact = sign(SIGNER, statement)
    assert verify(compact, type(statement), SIGNER.public_key) == statement
    assert decode_unverified(compact, type(statement)) == statement


def test_types_are_distinct() -> None:
    """Every kind of statement has a type of its own, so none is taken for another."""
    kinds = {kind.typ for kind in Statement.__subclasses__()}
    assert len(kinds) == len(Statement.__subclasses__()) == 19


@pytest.mark.parametrize("statement", EVERY, ids=lambda statement: statement.typ)
def test_payloads_have_one_text(statement: Statement) -> None:
    """White space, another order, a repeated, an unknown or a missing member make it no statement."""
    kind = type(statement)
    payload = payload_of(statement)
    fields = json.loads(payload)
    first, *others = fields
    reordered = {name: fields[name] for name in (*others, first)}
    spellings = [
        json.dumps(fields).encode(),
        json.dumps(reordered, separators=(",", ":"), ensure_ascii=False).encode(),
        payload[:-1] + f',"{first}":{json.dumps(fields[first])}}}'.encode(),
        payload[:-1] + b',"unknown":1}',
        payload + b"\n",
        payload[:-1],
        json.dumps(
            {**fields, "at": fields["at"].replace("Z", "+00:00")}, separators=(",", ":")
        ).encode(),
        json.dumps(
            {**fields, "at": fields["at"].replace("Z", ".5Z")}, separators=(",", ":")
        ).encode(),
    ]
    for name in fields:
        without = {other: fields[other] for other in fields if other != name}
        spellings.append(json.dumps(without, separators=(",", ":")).encode())
    for spelling in spellings:
        with pytest.raises(StatementError):
            verify(signed(kind, spelling), kind, SIGNER.public_key)


@pytest.mark.parametrize("statement", EVERY, ids=lambda statement: statement.typ)
@given(draw=st.data())
@settings(max_examples=30)
def test_members_of_other_types_are_refused(statement: Statement, draw: st.DataObject) -> None:
    """Whatever JSON value is where a member belongs, the statement is read as it is or not at all."""
    kind = type(statement)
    fields = json.loads(payload_of(statement))
    name = draw.draw(st.sampled_from(sorted(fields)))
    value = draw.draw(
        st.recursive(
            st.none()
            | st.booleans()
            | st.integers()
            | st.text(max_size=5)
            | st.floats(allow_nan=False),
            lambda inner: (
                st.lists(inner, max_size=2)
                | st.dictionaries(st.text(max_size=3), inner, max_size=2)
            ),
            max_leaves=4,
        )
    )
    payload = json.dumps({**fields, name: value}, separators=(",", ":"), ensure_ascii=False).encode(
        "utf-8", "replace"
    )
    try:
        read = verify(signed(kind, payload), kind, SIGNER.public_key)
    except CryptoError:
        return
    assert payload_of(read) == payload


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b"\xff",
        b"[" * 100_000,
        b'{"at":' * 10_000,
        b'{"at":"0001-01-01T00:00:00+23:59"}',
    ],
    ids=lambda payload: repr(payload[:12]),
)
def test_nonsense_is_refused(payload: bytes) -> None:
    """Broken, nested and out-of-range JSON ends in an error of the crypto room and no other."""
    with pytest.raises(StatementError):
        verify(signed(Session, payload), Session, SIGNER.public_key)


def test_times_are_utc_and_whole_seconds() -> None:
    """A time is brought to UTC and cut to the second when it is said, and written with a Z."""
    west = dt.timezone(dt.timedelta(hours=-5))
    spoken = Session(
        challenge=SESSION.challenge,
        audience=SESSION.audience,
        nonce=SESSION.nonce,
        at=dt.datetime(2030, 1, 1, 7, 35, 0, 999_999, tzinfo=west),
    )
    assert spoken == SESSION
    assert b'"at":"2030-01-01T12:35:00Z"' in payload_of(spoken)
    with pytest.raises(ValueError, match="offset"):
        Session(challenge=SESSION.challenge, audience=SESSION.audience, at=dt.datetime(2030, 1, 1))  # noqa: DTZ001 - it is refused


@pytest.mark.parametrize(
    ("statement", "changes"),
    [
        (ANNA.credential, {"recipient": None}),
        (ANNA.credential, {"not_after": NOON}),
        (SERVICE.credential, {"recipient": ANNA.credential.recipient}),
        (RECOVERY.credential, {"recipient": None}),
        (SUCCESSION, {"new": SUCCESSION.old}),
        (REGISTRATION, {"mediators": []}),
        (REGISTRATION, {"mediators": REGISTRATION.mediators * 2}),
        (charter(1, None), {"previous": digest("something")}),
        (charter(1, None), {"registration": None}),
        (charter(1, None), {"registration": None, "previous": digest("something")}),
        (charter(2, digest("something")), {"previous": None}),
        (charter(2, digest("something")), {"registration": digest("something")}),
        (charter(1, None), {"mediators": []}),
        (charter(1, None), {"mediators": [ANNA.member, ANNA.member]}),
        (charter(1, None), {"mediators": [ANNA.member], "media": [ANNA.member]}),
        (charter(1, None), {"mediators": [ANNA.member], "recovery": [ANNA.member]}),
        (charter(1, None), {"media": [RECOVERY.member]}),
        (charter(1, None), {"recovery": [RECOVERY.member, RECOVERY.member]}),
        (CLAIRE.link, {"signer": ANNA.credential.signer}),
        (CLAIRE.link, {"sealed": None}),
        (CLAIRE.link, {"purpose": "upload"}),
        (UPLOAD_LINK, {"signer": None}),
        (UPLOAD_LINK, {"sealed": digest("a claim key")}),
        (UPLOAD_LINK, {"expires": None}),
        (VIDEO, {"revision": 2}),
        (VIDEO, {"supersedes": digest("something")}),
        (VIDEO, {"recipient": VIDEO.sender}),
        (VIDEO, {"parts": []}),
        (VIDEO, {"parts": [part("body", "words alone")]}),
        (VIDEO, {"parts": [part("original", "one"), part("original", "two")]}),
        (VIDEO, {"parts": [part("original", "one"), part("rendition", "of whom")]}),
        (VIDEO, {"parts": [part("original", "one key"), part("body", "one key")]}),
        (VIDEO, {"kind": "letter"}),
        (RENDITION, {"parts": []}),
        (RENDITION, {"parts": [part("poster", "poster")]}),
        (RENDITION, {"parts": [*RENDITION.parts, part("body", "of whom")]}),
        (RENDITION, {"parts": [part("rendition", "one key"), part("poster", "one key")]}),
        (CAPTIONS, {"part": part("body", "no captions")}),
        (CAPTIONS, {"exception": "spoken-language-unknown"}),
        (CAPTIONS, {"part": None}),
        (DECISION, {"decision": "return"}),
        (DECISION, {"decision": "hold"}),
        (DECISION, {"notes": [part("body", "no note")]}),
        (DECISION, {"notes": [NOTE, NOTE]}),
        (offer(), {"grants": []}),
        (offer(), {"grants": [*offer().grants, offer().grants[0]]}),
        (offer(), {"notes": [part("rendition", "no note")]}),
        (offer(), {"notes": [part("note", name) for name in ("one", "two", "three")]}),
        (offer(), {"consents": []}),
        (offer(), {"consents": offer().consents[:1]}),
        (offer(), {"consents": [offer().consents[0]] * 2}),
        (offer(), {"consents": [*offer().consents, digest("a third")]}),
    ],
    ids=lambda value: value.typ if isinstance(value, Statement) else " ".join(value),
)
def test_rules_that_span_members(statement: Statement, changes: dict[str, object]) -> None:
    """Members that do not go together are refused by who says them and by who reads them."""
    with pytest.raises(ValueError, match=r"\w"):
        msgspec.structs.replace(statement, **changes)
    fields = json.loads(payload_of(statement))
    for name, value in changes.items():
        on_the_wire = "to" if (type(statement), name) == (Message, "recipient") else name
        fields[on_the_wire] = json.loads(msgspec.json.encode(value))
    payload = json.dumps(fields, separators=(",", ":")).encode()
    with pytest.raises(StatementError):
        verify(signed(type(statement), payload), type(statement), SIGNER.public_key)


@pytest.mark.parametrize(
    ("statement", "changes"),
    [
        (SESSION, {"challenge": "A" * 42 + "B"}),
        (SESSION, {"challenge": "A" * 42}),
        (SESSION, {"challenge": "A" * 42 + "A\n"}),
        (SESSION, {"audience": "ftp://relay.example.org"}),
        (SESSION, {"audience": "https://" + "a" * 3000}),
        (
            ANNA.credential,
            {"recipient": "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj"},
        ),
        (ANNA.credential, {"role": "root"}),
        (ANNA.credential, {"person": None}),
        (ANNA.credential, {"signer": None}),
        (RECOVERY.credential, {"signer": None}),
        (
            charter(1, None),
            {"version": 2**31, "previous": digest("x"), "registration": None},
        ),
        (ENDING, {"reason": "lost"}),
        (SUCCESSION, {"new": digest("x")[:-1]}),
        (VIDEO, {"language": "de"}),
        (VIDEO, {"kind": "song"}),
        (DECISION, {"decision": "delete"}),
        (DECISION, {"reason": "Any words"}),
        (DECISION, {"reason": ""}),
        (RENDITION, {"duration_ms": -1}),
        (RENDITION, {"size": 2**53}),
    ],
    ids=lambda value: value.typ if isinstance(value, Statement) else str(value)[:40],
)
def test_values_of_another_form_cannot_be_signed(
    statement: Statement, changes: dict[str, object]
) -> None:
    """A value that no reader would accept is refused when it is signed."""
    with pytest.raises(StatementError):
        sign(SIGNER, msgspec.structs.replace(statement, **changes))


@pytest.mark.parametrize(
    "changes",
    [
        {"size": 31},
        {"size": 2**40},
        {"size": 16 + 65552 + 16},
        {"segments": []},
        {"segments": [digest("one"), digest("two")]},
    ],
    ids=str,
)
def test_parts_add_up(changes: dict[str, object]) -> None:
    """The size is one that a sealed body has, and there is a digest for each segment of it."""
    with pytest.raises(ValueError, match=r"\w"):
        msgspec.structs.replace(NOTE, **changes)


@pytest.mark.parametrize(
    "media_type", ["text", "Text/Plain", "text/plain; charset=utf-8", "video/", "a/" + "b" * 200]
)
def test_media_types_are_plain(media_type: str) -> None:
    """Type and subtype, in lower case, without parameters."""
    odd = msgspec.structs.replace(part("body", "odd"), type=media_type)
    with pytest.raises(StatementError):
        sign(SIGNER, msgspec.structs.replace(VIDEO, parts=[part("original", "o"), odd]))


def test_sender_and_recipient_are_called_from_and_to() -> None:
    """The words on the wire are those of a letter."""
    fields = json.loads(payload_of(VIDEO))
    assert fields["from"] == str(CLAIRE.id)
    assert fields["to"] == str(DENIS.id)
    assert next(iter(fields)) == "at"


def test_another_signer_does_not_verify() -> None:
    """A statement signed by somebody else, or changed and signed by somebody else, is not the sender's."""
    with pytest.raises(StatementError):
        verify(VIDEO_COMPACT, Message, BORIS.keyring.signer.public_key)
    forged = resigned(BORIS.keyring.signer, VIDEO, language="en")
    with pytest.raises(StatementError):
        verify(forged, Message, CLAIRE.keyring.signer.public_key)


def test_a_statement_of_another_kind_is_not_decoded() -> None:
    """The type decides what a payload may be, also before the signature is checked."""
    with pytest.raises(StatementError):
        decode_unverified(VIDEO_COMPACT, Session)


def test_a_long_video_fits() -> None:
    """A sealed video of 16 GiB has 2049 segments, and its message is still read."""
    plain = 16 * 1024**3
    size = 16 + plain + 16 * (plain // 65536)
    segments = [digest("segment")] * -(-size // (8 * 1024**2))
    original = Part(
        role="original", type="video/mp4", size=size, segments=segments, commit=digest("commitment")
    )
    message = msgspec.structs.replace(VIDEO, parts=[original])
    assert verify(sign(SIGNER, message), Message, SIGNER.public_key) == message


def test_hashes_are_of_the_text() -> None:
    """Statements name each other by the SHA-256 of the compact text, in base64url."""
    import hashlib  # noqa: PLC0415 - an independent way to the same value

    assert hash_of(VIDEO_COMPACT) == b64u_encode(hashlib.sha256(VIDEO_COMPACT.encode()).digest())
    assert identifier("video") == VIDEO.message
    assert ROOT.public_key != SIGNER.public_key
