"""Decodes JSON and TOML that somebody else wrote: one place for every error that the decoders have.

What is malformed or of another shape is one kind; bytes that are not UTF-8 are another; what is nested more
deeply than Python calls itself is a third, also in a member that nobody asked for; and a number of thousands
of digits, which Python does not read, a fourth.
"""

from __future__ import annotations

import tomllib
from typing import TypeVar

import msgspec

_Value = TypeVar("_Value")
_TOO_DEEP = "nested too deeply"


class NotDecodable(ValueError):
    """What was to be JSON or TOML of a certain shape is not; the text says where, and may name a member."""


def decode_json(content: bytes | str, kind: type[_Value]) -> _Value:
    """The value that a JSON text says, of the type `kind`; NotDecodable for anything else."""
    try:
        return msgspec.json.decode(content, type=kind)
    except msgspec.DecodeError as error:
        raise NotDecodable(str(error)) from None
    except UnicodeError:
        raise NotDecodable("not UTF-8") from None
    except RecursionError:
        raise NotDecodable(_TOO_DEEP) from None


def decode_toml(text: str, kind: type[_Value]) -> _Value:
    """The value that a TOML text says, of the type `kind`; NotDecodable for anything else."""
    try:
        return msgspec.convert(tomllib.loads(text), kind)
    except tomllib.TOMLDecodeError as error:
        raise NotDecodable(str(error)) from None
    except msgspec.ValidationError as error:
        raise NotDecodable(str(error)) from None
    except RecursionError:
        raise NotDecodable(_TOO_DEEP) from None
    except ValueError:
        raise NotDecodable("a number of too many digits") from None
