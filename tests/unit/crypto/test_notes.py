"""Signed notes as C2SP specifies them: its example and those of the Go library, and what is refused."""

from __future__ import annotations

import base64
import random
from typing import Final

import pytest

from relay.crypto.notes import (
    NOTE_MAX_BYTES,
    NoteKey,
    NoteUnusable,
    open_note,
    sign_note,
    sign_note_again,
)
from relay.crypto.signing import Signer

EXAMPLE_KEY: Final = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
EXAMPLE: Final = """\
This is an example message.

— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=
"""
"""Of the specification."""
POET: Final = (
    "NnugSzTjtVAewIS+Z/iJhUPeFDkO/5QQ2i5ddnGITLlC+EhfLW9oJKONrMouFSQU0xMcXxj99ihAQwaqP3ZekRwNtIc="
)
POEM: Final = f"""\
Ognuno sta solo sul cuor della terra
trafitto da un raggio di sole:

ed è subito sera.

— quasimodo.example/salvatore {POET}
"""
"""Also of the specification, which gives no key for it."""
NEUMANN_KEY: Final = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
NEUMANN: Final = """\
If you think cryptography is the answer to your problem,
then you don't know what your problem is.

— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=
"""
"""Of golang.org/x/mod/sumdb/note."""
NAME: Final = "relay.example/releases"
TEXT: Final = "one\n\ntwo\n"


def opened(note: str, *keys: str) -> str:
    """The text of a note that these keys are believed for."""
    return open_note(note.encode(), [NoteKey.parse(key) for key in keys]).text


@pytest.fixture
def signer(chance: random.Random) -> Signer:
    """A key of this test."""
    return Signer.from_seed(chance.randbytes(32))


def test_public_examples_hold() -> None:
    """Those of the specification and of the first implementation, byte for byte."""
    assert opened(EXAMPLE, EXAMPLE_KEY) == "This is an example message.\n"
    assert opened(NEUMANN, NEUMANN_KEY, EXAMPLE_KEY) == NEUMANN.partition("\n\n")[0] + "\n"
    for key in (EXAMPLE_KEY, NEUMANN_KEY):
        assert str(NoteKey.parse(key)) == key
    with pytest.raises(NoteUnusable, match="none of the keys"):
        opened(POEM, EXAMPLE_KEY)


def test_what_is_signed_opens(signer: Signer) -> None:
    """With empty lines in the text, and beside signatures of kinds and keys that nobody here knows."""
    key = NoteKey(NAME, signer.public_key)
    note = sign_note(TEXT, NAME, signer)
    strange = base64.b64encode(bytes(4 + 2420)).decode()
    others = "".join(f"— other.example/{number} {strange}\n" for number in range(20))
    same_name = f"— {NAME} {strange}\n"
    for several in (note, note + others, note + same_name + others):
        found = open_note(several.encode(), [key, NoteKey.parse(EXAMPLE_KEY)])
        assert (found.text, found.signed_by) == (TEXT, (NAME,))


def test_several_sign_one_text(signer: Signer, chance: random.Random) -> None:
    """Either key is enough, and both are told."""
    second = Signer.from_seed(chance.randbytes(32))
    note = sign_note_again(sign_note(TEXT, NAME, signer), "another.example", second)
    keys = [NoteKey(NAME, signer.public_key), NoteKey("another.example", second.public_key)]
    assert open_note(note.encode(), keys).signed_by == (NAME, "another.example")
    for key in keys:
        assert open_note(note.encode(), [key]).signed_by == (key.name,)


def test_every_changed_byte_of_the_text_is_found(signer: Signer) -> None:
    """Whatever it becomes, the note does not open to another text."""
    key = NoteKey(NAME, signer.public_key)
    note = sign_note(TEXT, NAME, signer).encode()
    for place in range(len(TEXT)):
        for bit in range(8):
            changed = bytearray(note)
            changed[place] ^= 1 << bit
            with pytest.raises(NoteUnusable):
                open_note(bytes(changed), [key])


def test_every_cut_is_found(signer: Signer) -> None:
    """A note that ends too early is no note, wherever it ends."""
    note = sign_note(TEXT, NAME, signer).encode()
    for end in range(len(note)):
        with pytest.raises(NoteUnusable):
            open_note(note[:end], [NoteKey(NAME, signer.public_key)])


def test_a_bad_signature_of_a_believed_key_refuses_the_note(signer: Signer) -> None:
    """Also where another believed key has signed."""
    note = sign_note(TEXT, NAME, signer)
    key = NoteKey.parse(EXAMPLE_KEY)
    forged = f"— {key.name} {base64.b64encode(key.id + bytes(64)).decode()}\n"
    assert open_note((note + forged).encode(), [NoteKey(NAME, signer.public_key)]).text == TEXT
    with pytest.raises(NoteUnusable, match=r"example.com/foo does not hold"):
        open_note((note + forged).encode(), [NoteKey(NAME, signer.public_key), key])


@pytest.mark.parametrize(
    ("note", "said"),
    [
        ("", "a text, an empty line"),
        ("\n\n— a AAAAAAA=\n", "a text, an empty line"),
        ("text\n— a AAAAAAA=\n", "a text, an empty line"),
        ("text\n\n", "cut short"),
        ("text\n\n— a AAAAAAA=", "cut short"),
        ("text\n\n- a AAAAAAA=\n", "— name signature"),
        ("text\n\n—  AAAAAAA=\n", "— name signature"),
        ("text\n\n— a  AAAAAAA=\n", "— name signature"),
        ("text\n\n— a AAAAAAA= \n", "— name signature"),
        ("text\n\n— a\u00a0b AAAAAAA=\n", "— name signature"),
        ("text\n\n— a+b AAAAAAA=\n", "— name signature"),
        ("text\n\n— a A\n", "not base64"),
        ("text\n\n— a AAAAAAB=\n", "not base64"),
        ("text\n\n— a AAAAAA==\n", "is too short"),
        ("te\rxt\n\n— a AAAAAAA=\n", "control characters"),
        ("te\txt\n\n— a AAAAAAA=\n", "control characters"),
        ("text\n\n" + "— a AAAAAAA=\n" * 65, "64 signatures"),
        ("x" * (NOTE_MAX_BYTES + 1), "bytes at most"),
    ],
)
def test_of_a_note_that_is_none_it_says_why(note: str, said: str) -> None:
    """Each fault has a sentence of its own."""
    with pytest.raises(NoteUnusable) as refused:
        opened(note, EXAMPLE_KEY)
    assert said in str(refused.value.detail)


def test_other_bytes_are_no_note() -> None:
    """A note is UTF-8."""
    with pytest.raises(NoteUnusable, match="UTF-8"):
        open_note(b"te\xffxt\n\n", [])


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("", "name+8 hexadecimal"),
        ("example.com/foo", "name+8 hexadecimal"),
        (EXAMPLE_KEY.replace("530d903a", "530D903A"), "name+8 hexadecimal"),
        (EXAMPLE_KEY.replace("530d903a", "530d903b"), "not those of its name"),
        (EXAMPLE_KEY.replace("/foo", "/fob"), "not those of its name"),
        (EXAMPLE_KEY.replace("/foo", " foo"), "neither spaces"),
        (EXAMPLE_KEY + "=", "not base64"),
        (EXAMPLE_KEY.replace("+Ae", "+Be"), "another kind"),
        (EXAMPLE_KEY[:-4], "another kind"),
        (f"a+00000000+{base64.b64encode(bytes([1, *bytes(32)])).decode()}", "no public key"),
    ],
)
def test_of_a_key_that_is_none_it_says_why(key: str, said: str) -> None:
    """Another spelling, another kind, digits of another key, and a key that signs for everything."""
    with pytest.raises(NoteUnusable) as refused:
        NoteKey.parse(key)
    assert said in str(refused.value.detail)


@pytest.mark.parametrize("text", ["", "\n", "no end", "tab\there\n"])
def test_no_other_text_is_signed(signer: Signer, text: str) -> None:
    """What a reader would refuse is not written."""
    with pytest.raises(NoteUnusable):
        sign_note(text, NAME, signer)
