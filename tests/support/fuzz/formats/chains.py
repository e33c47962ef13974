"""Who may sign what: the statements of a case, some of them changed and signed again, read up to an offer."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Mapping
from typing import Final

from relay.crypto import release
from relay.crypto.chain import verify_charter, verify_ending, verify_origin, verify_participant
from relay.crypto.disposals import verify_disposal
from relay.crypto.encoding import b64u_encode
from relay.crypto.items import verify_item, verify_words
from relay.crypto.signing import (
    Signer,
    fingerprint,
    read_unverified,
    sign_statement,
    statement_hash,
)
from relay.crypto.statements import sign
from relay.crypto.trust import establish_trust
from relay.errors import CryptoError
from tests.support.fuzz.mutation import mutate_bytes, mutate_json
from tests.support.fuzz.reading import attempt, listed
from tests.support.fuzz.target import Target
from tests.vectors import chains, people


@dataclasses.dataclass(frozen=True, slots=True)
class _Said:
    """A statement of the case as it is where nobody changed anything."""

    by: Signer
    compact: str

    @property
    def payload(self) -> bytes:
        return read_unverified(self.compact).payload


_ANNA, _BORIS = people.ANNA.keyring.signer, people.BORIS.keyring.signer
_CLAIRE, _DENIS = people.CLAIRE.keyring.signer, people.DENIS.keyring.signer
_SERVICE, _WORKER = people.SERVICE.keyring.signer, people.WORKER.keyring.signer

STATEMENTS: Final[Mapping[str, _Said]] = {
    **{
        f"credential-{person.name}": _Said(people.ROOT, person.compact)
        for person in (people.ANNA, people.BORIS, people.WORKER, people.SERVICE, people.RECOVERY)
    },
    "registration": _Said(_SERVICE, people.REGISTRATION_COMPACT),
    "charter-1": _Said(_ANNA, people.CHARTER_1),
    "charter-2": _Said(_ANNA, people.CHARTER_2),
    "link-Claire": _Said(_ANNA, people.CLAIRE.link_compact),
    "claim-Claire": _Said(_CLAIRE, people.CLAIRE.claim_compact),
    "verification-Claire": _Said(_BORIS, people.CLAIRE.verification_compact),
    "link-Denis": _Said(_SERVICE, people.DENIS.link_compact),
    "claim-Denis": _Said(_DENIS, people.DENIS.claim_compact),
    "verification-Denis": _Said(_BORIS, people.DENIS.verification_compact),
    "message": _Said(_CLAIRE, people.VIDEO_COMPACT),
    "rendition": _Said(_WORKER, people.RENDITION_COMPACT),
    "captions": _Said(_ANNA, people.CAPTIONS_COMPACT),
    "approval-1": _Said(_ANNA, people.APPROVALS[0]),
    "approval-2": _Said(_BORIS, people.APPROVALS[1]),
    "consent-Claire": _Said(_CLAIRE, people.CLAIRES_CONSENT_COMPACT),
    "consent-Denis": _Said(_BORIS, people.DENIS_CONSENT_COMPACT),
    "offer": _Said(_BORIS, people.OFFER_COMPACT),
}
OPTIONAL: Final[Mapping[str, _Said]] = {
    "revocation": _Said(people.ROOT, chains.revocation(people.ROOT, people.BORIS, 300)),
    "ending": _Said(_BORIS, people.ending(people.CLAIRE.link)),
    "upload-link": _Said(_ANNA, people.UPLOAD_LINK_COMPACT),
    "disposal": _Said(_WORKER, sign(_WORKER, people.DISPOSAL)),
}
"""There only where they are given."""


def _case(given: bytes) -> dict[str, str]:
    """Every statement; those that `given` has lines of, a name and a payload each, with that payload.

    What names another by its hash names the changed one.
    """
    changed: dict[str, bytes] = {}
    for line in given.split(b"\n"):
        word, _, text = line.partition(b" ")
        changed[word.decode("latin-1")] = text
    found: dict[str, str] = {}
    renamed: dict[bytes, bytes] = {}
    for name, said in {**STATEMENTS, **OPTIONAL}.items():
        if name not in changed and name in OPTIONAL:
            continue
        payload = changed.get(name, said.payload)
        for named, after in renamed.items():
            payload = payload.replace(named, after)
        compact = sign_statement(said.by, read_unverified(said.compact).typ, payload)
        found[name] = compact
        if compact != said.compact:
            renamed[_named(said.compact)] = _named(compact)
    return found


def _named(compact: str) -> bytes:
    return b64u_encode(statement_hash(compact)).encode()


def _verified(given: bytes) -> str | None:
    """How far a reader gets, and what breaks it off is an error of theirs; nothing else is raised."""
    case = _case(given)
    steps: list[str] = []
    attempt(lambda: _read(case, steps), CryptoError)
    return listed(*steps) if steps else None


def _read(case: Mapping[str, str], steps: list[str]) -> None:
    credentials = [compact for name, compact in case.items() if name.startswith("credential-")]
    revocations = [case["revocation"]] if "revocation" in case else []
    root = people.ROOT.public_key
    trust = establish_trust([root], credentials, revocations)
    steps.append("trust")
    if "disposal" in case:
        attempt(
            lambda: steps.append(f"disposal {verify_disposal(trust, case['disposal']).rows}"),
            CryptoError,
        )
    versions = [case["charter-1"], case["charter-2"]]
    charter = verify_charter(
        fingerprint(root), root, credentials, case["registration"], versions, revocations
    )
    steps.append(f"charter {charter.case}")
    ways = {
        name: [case[f"{kind}-{name}"] for kind in ("link", "claim", "verification")]
        for name in ("Claire", "Denis")
    }
    if "ending" in case:
        ways["Claire"].append(case["ending"])
        link = verify_origin(ways["Claire"][:3], charter).link
        attempt(lambda: verify_ending(case["ending"], charter, link), CryptoError)
    if "upload-link" in case:
        attempt(lambda: _uploaded(case, charter, steps), CryptoError)
    item = verify_item(
        [case["message"], case["rendition"], case["captions"]], ways["Claire"], charter
    )
    steps.append(f"item {item.standing}")
    attempt(lambda: verify_words(case["message"], [], charter), CryptoError)
    recipient = verify_participant(ways["Denis"], charter, item.message.at)
    steps.append("recipient")
    approvals = [case["approval-1"], case["approval-2"]]
    consents = [
        release.SignedConsent(compact=case["consent-Claire"], origin=ways["Claire"]),
        release.SignedConsent(compact=case["consent-Denis"]),
    ]
    attempt(lambda: release.verify_approvals(approvals, charter, item, 2), CryptoError)
    release.verify_offer(
        case["offer"], charter, item, recipient, decisions=approvals, consents=consents
    )
    steps.append("offer")


def _uploaded(case: Mapping[str, str], charter: object, steps: list[str]) -> None:
    way = verify_origin([case["upload-link"]], charter)  # type: ignore[arg-type]
    steps.append(f"upload {way.standing_at(people.VIDEO.at)}")


def _one(given: bytes, chance: random.Random) -> bytes:
    """A further line, or a line changed: the payload of one of the statements."""
    lines = [line for line in given.split(b"\n") if line]
    if chance.random() < 0.1 and lines:
        lines.pop(chance.randrange(len(lines)))
        return b"\n".join(lines)
    name, said = chance.choice(sorted({**STATEMENTS, **OPTIONAL}.items(), key=lambda one: one[0]))
    before = {line.partition(b" ")[0]: line.partition(b" ")[2] for line in lines}
    payload = before.get(name.encode(), said.payload)
    how = mutate_bytes if chance.random() < 0.1 else mutate_json
    before[name.encode()] = (
        _dated(payload, chance) if chance.random() < 0.3 else how(payload, chance)
    )
    return b"\n".join(b" ".join(line) for line in before.items())


def _dated(payload: bytes, chance: random.Random) -> bytes:
    """Another time in place of one: the first, the last, or one near by."""
    times = (
        b"0001-01-01T00:00:00Z",
        b"9999-12-31T23:59:59Z",
        b"2030-01-01T12:10:00Z",
        b"2030-02-01T00:00:00Z",
    )
    begin = payload.find(b'Z"', 0 if chance.random() < 0.5 else payload.find(b'Z"') + 1)
    if begin < 20:
        return payload
    return payload[: begin - 19] + chance.choice(times)[:19] + payload[begin:]


_CHAIN: Final = "relay.crypto.chain."

TARGETS: Final = (
    Target(
        name="chains",
        reads=(
            *(
                f"{_CHAIN}{name}"
                for name in ("verify_charter", "verify_charters", "verify_registration")
            ),
            *(
                f"{_CHAIN}{name}"
                for name in ("verify_link", "verify_origin", "verify_ending", "verify_claim")
            ),
            *(
                f"{_CHAIN}{name}"
                for name in ("verify_participant", "verify_message", "verify_rendition")
            ),
            *(f"{_CHAIN}{name}" for name in ("verify_consent", "verify_relayed_message")),
            "relay.crypto.trust.verify_by",
            "relay.crypto.disposals.verify_disposal",
            *(f"relay.crypto.items.{name}" for name in ("verify_item", "verify_words")),
            *(f"relay.crypto.items.{name}" for name in ("verify_rendition", "verify_captions")),
            *(f"relay.crypto.release.{name}" for name in ("verify_approvals", "verify_offer")),
        ),
        check=_verified,
        mutate=_one,
        largest=16_384,
    ),
)
