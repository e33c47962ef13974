"""Whatever in relay reads what somebody else wrote is fuzzed: a new parser without a target is found here."""

from __future__ import annotations

import functools
import pkgutil
import sys
from collections.abc import Mapping
from types import CodeType, FrameType
from typing import Any, Final

import pytest

from tests.support.fuzz import corpora
from tests.support.fuzz.parsers import ROOT, parsers
from tests.support.fuzz.target import Target, targets

BROWSER: Final = ROOT / "web" / "tests" / "corpora" / "readers.ts"

OWN: Final = "reads what relay itself wrote, or was built or installed with"
COMMAND: Final = "a command, whose parser is called by what it calls"
WITHIN: Final = "called by a parser that has a target, and by no other"
OPENS: Final = (
    "reads a key of fixed length out of an age file, which age-headers-opened and age-streams are"
)
JAIL: Final = "hands the file to FFmpeg, inside the jail: `make hostile` does that"
PARTS: Final = "put together of parsers that have targets, or a part of them"

NOT_FUZZED: Final[Mapping[str, str]] = {
    "relay.client.case_system.ServiceKeys.read": OWN,
    "relay.client.casework.verify_recipient": PARTS,
    "relay.client.certifying.open_root": OPENS,
    "relay.client.linking.open_claim_key": OPENS,
    "relay.client.participant.Participant.read_text": OPENS,
    "relay.client.sealing.unwrap": PARTS,
    "relay.client.verifying.verify_trust": PARTS,
    "relay.commands.audit.verify": COMMAND,
    "relay.commands.crypt.open_file": COMMAND,
    "relay.commands.verify_pages.verify_pages": COMMAND,
    "relay.crypto.signing.Signer.from_seed": WITHIN,
    "relay.crypto.stanzas.unwrap_under": WITHIN,
    "relay.crypto.trust.verify_by_root": PARTS,
    "relay.crypto.verified.VerifiedCharter.verify_by_media": WITHIN,
    "relay.crypto.verified.VerifiedCharter.verify_by_mediator": WITHIN,
    "relay.crypto.verified.VerifiedCharter.verify_by_mediator_or_service": WITHIN,
    "relay.decoding.decode_json": PARTS,
    "relay.decoding.decode_toml": PARTS,
    "relay.doctor.configuration.read": PARTS,
    "relay.media.inside.facts.may_decode": JAIL,
    "relay.media.inside.facts.open_container": JAIL,
    "relay.media.inside.facts.read": JAIL,
    "relay.media.inside.facts.read_facts": JAIL,
    "relay.services.audit.keys.CaseKeys.verify": PARTS,
    "relay.services.audit.keys.CaseKeys.verify_charter": PARTS,
    "relay.services.audit.keys.CaseKeys.verify_registration": PARTS,
    "relay.services.exports.reading.open_export": PARTS,
    "relay.services.exports.records.FolderRecords.open_part": PARTS,
    "relay.services.exports.records.FolderRecords.read": PARTS,
    "relay.services.pages.Pages.read": OWN,
    "relay.services.profile.Programme.read": PARTS,
    "relay.storage.durable.Disk.opened": OWN,
}
"""What is called as a parser is, and needs no target, with the reason."""


@functools.cache
def read() -> frozenset[str]:
    """Every parser that some target reads with."""
    return frozenset(name for target in targets().values() for name in target.reads)


def test_every_parser_has_a_target() -> None:
    """Or stands above, with why it needs none."""
    assert {name for name in parsers("relay") if name not in read()} == set(NOT_FUZZED)


def test_a_new_parser_is_found() -> None:
    """What the test above rests on: these are found by their names and what they are given."""
    found = set(parsers("relay.crypto.header")) | set(parsers("relay.domain.captions"))
    assert {"relay.crypto.header.parse_header", "relay.domain.captions.read_captions"} <= found
    assert not any(
        "write" in name or "wrap_header" in name.removeprefix("un") for name in found - read()
    )


@pytest.mark.parametrize("target", targets().values(), ids=lambda target: target.name)
def test_a_corpus_reaches_what_its_target_names(target: Target) -> None:
    """A parser that no input comes to is not fuzzed, whatever a target says."""
    wanted = {code_of(name): name for name in target.reads}

    def enter(frame: FrameType, event: str, _value: Any) -> None:
        if event == "call":
            wanted.pop(frame.f_code, None)

    for entry in corpora.load(target.name):
        sys.setprofile(enter)
        try:
            target.run(entry.given)
        finally:
            sys.setprofile(None)
    assert not wanted


def code_of(name: str) -> CodeType:
    """The code of a function or a method, by its module and name."""
    found: Any = pkgutil.resolve_name(name)
    code = getattr(found, "__func__", found).__code__
    assert isinstance(code, CodeType)
    return code


def test_the_pages_read_the_same_corpora() -> None:
    """Each format that both parse, and no corpus that is not read as one here."""
    said = BROWSER.read_text("utf-8")
    shared = {target.name for target in targets().values() if target.in_browser}
    assert shared == {
        name for name in targets() if f"\n  '{name}': " in said or f"\n  {name}: " in said
    }
