"""Writes the test vectors of what age does not define; run as `python -m tests.vectors.generate`.

Everything is made from names, so a run changes a file only if the code makes something else than before; but
sealed.json, in which there is true randomness, is written only where it is missing.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import unicodedata
import uuid
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import msgspec

from relay.crypto.age import (
    X25519Identity,
    commit,
    seal_body,
    seal_file,
    wrap_header,
)
from relay.crypto.audit import GENESIS, EventRow, event_hash, row_bytes
from relay.crypto.encoding import b64u_decode, b64u_encode
from relay.crypto.keyrings import (
    PARTICIPANT_WORK_FACTOR_LOG2,
    seal_identities,
    seal_keyring,
    seal_participant_keyring,
    stretch_passphrase,
)
from relay.crypto.links import ANCHOR_BYTES, LinkSecret, auth_digest, claim_mac, link_url
from relay.crypto.padding import pad, padded_size
from relay.crypto.passphrases import find_weakness
from relay.crypto.signing import Signer, fingerprint, key_id, sign_statement
from relay.crypto.statements import Session
from relay.crypto.words import claim_words, word_list
from tests.vectors import case_chains, chains, charter_chains, people, releases, shown, walk
from tests.vectors.chains import Json

FOLDER = Path(__file__).parent
_ORDER = 2**252 + 27742317777372353535851937790883648493
"""Of the group in which signatures are made."""


def _without(fields: Mapping[str, str], name: str) -> dict[str, str]:
    return {each: value for each, value in fields.items() if each != name}


def commitments() -> Json:
    """commit(file key, case)."""
    keys = [bytes(16), bytes(range(16)), people.seed("file key")[:16]]
    cases = [uuid.UUID(int=0), people.CASE]
    return [
        {
            "file_key": b64u_encode(key),
            "case": str(case),
            "commit": b64u_encode(commit(key, case)),
        }
        for key in keys
        for case in cases
    ]


def padding() -> Json:
    """Sizes, texts, and what is no padding."""
    sizes = [0, 1, 254, 255, 256, 300, 511, 512, 1000, 4095, 4096, 65535, 65536, 10**6, 2**30 + 1]
    texts = [b"", b"yes", b"no", b"\x80\0", "déjà".encode(), b"x" * 255, b"x" * 256]
    smallest = padded_size(0)
    bad = {
        "empty": b"",
        "no mark": bytes(smallest),
        "not zeros after the mark": b"x\x80" + b"\x01" * (smallest - 2),
        "too short for pad": b"x\x80" + bytes(30),
        "longer than pad makes it": b"x\x80" + bytes(2 * smallest - 2),
    }
    return {
        "sizes": [{"plain": size, "padded": padded_size(size)} for size in sizes],
        "good": [{"plain": b64u_encode(text), "padded": b64u_encode(pad(text))} for text in texts],
        "bad": [{"why": why, "padded": b64u_encode(padded)} for why, padded in bad.items()],
    }


def links() -> Json:
    """What is derived from a link, and its address."""
    derived: list[Json] = []
    for name, charter in zip(("first", "second"), people.CHARTERS, strict=True):
        secret = LinkSecret(people.seed(f"secret of the {name} link")[:16])
        link = people.identifier(f"the {name} link")
        signer = secret.signer(link)
        root = fingerprint(people.ROOT.public_key)
        anchor = b64u_decode(people.hash_of(charter))[:ANCHOR_BYTES]
        derived.append(
            {
                "public_url": "https://relay.example.org",
                "link": str(link),
                "secret": b64u_encode(secret.secret),
                "root_fingerprint": b64u_encode(root),
                "charter": charter,
                "anchor": b64u_encode(anchor),
                "url": link_url("https://relay.example.org", link, secret, root, anchor),
                "auth": b64u_encode(secret.auth(link)),
                "auth_digest": b64u_encode(auth_digest(secret.auth(link))),
                "claim_key": b64u_encode(secret.claim_key(link)),
                "unlock": b64u_encode(secret.unlock(link)),
                "signer_seed": b64u_encode(signer.seed),
                "signer_public_key": b64u_encode(signer.public_key),
            }
        )
    url = link_url("https://a.b", uuid.UUID(int=1), LinkSecret(bytes(16)), bytes(16), bytes(16))
    bad = {
        "no fragment": url.split("#")[0],
        "a short fragment": url[:-1],
        "a long fragment": url + "A",
        "a fragment without an anchor": url[:-21],
        "a fragment of other letters": url[:-1] + "+",
        "an id without dashes": url.replace(str(uuid.UUID(int=1)), uuid.UUID(int=1).hex),
        "an id in upper case": url.replace("00000001", "0000000A"),
        "not a link": url.replace("/l/", "/x/"),
        "another scheme": url.replace("https:", "ftp:"),
        "something after it": url + " ",
    }
    return {
        "derived": derived,
        "bad_urls": [{"why": why, "url": text} for why, text in bad.items()],
    }


def passphrases() -> Json:
    """What a participant's passphrase is stretched to, and which new ones are too weak."""
    composed = "d\u00e9j\u00e0 vu \u00e0 Qu\u00e9bec"
    typed = [
        ("a river under the old bridge", PARTICIPANT_WORK_FACTOR_LOG2),
        (composed, 1),
        (unicodedata.normalize("NFD", composed), 1),
        ("\u2163 \ufb01n \uff21", 4),
        ("  a \u3000", 4),
        ("", 4),
    ]
    link = link_url(
        "https://relay.example.org",
        people.identifier("the first link"),
        LinkSecret(people.seed("secret of the first link")[:16]),
        fingerprint(people.ROOT.public_key),
        bytes(16),
    )
    fragment = link.partition("#")[2]
    new = [
        "twelve signs",
        composed,
        "abcdefabcdeg",
        "eleven sign",
        "  eleven sign   ",
        "\u2163" * 6,
        "\U0001f333" * 11,
        "aaaaaaaaaaaa",
        "Abcabcabcabca",
        "zoo zoo zoo zoo",
        "aabbccddeeaab",
        fragment,
        f"my {fragment[:12]}",
        f"my {fragment[:8]} link",
        link.partition("/l/")[2][:18].upper().replace("-", " "),
    ]
    return {
        "stretched": [
            _stretched(bytes(range(32)), words, work_factor_log2)
            for words, work_factor_log2 in typed
        ],
        "floor": {
            "link": link,
            "new": [
                {"typed": words, "weakness": None if weak is None else weak.code}
                for words in new
                for weak in [find_weakness(words, link)]
            ],
        },
    }


def _stretched(unlock: bytes, typed: str, work_factor_log2: int) -> Json:
    stretched = stretch_passphrase(typed, unlock, work_factor_log2)
    return {
        "unlock": b64u_encode(unlock),
        "typed": typed,
        "work_factor_log2": work_factor_log2,
        "proof": b64u_encode(stretched.proof),
        "proof_hash": b64u_encode(stretched.proof_hash),
        "ring_key": b64u_encode(stretched.ring_key),
    }


def words() -> Json:
    """The lists by their hashes, and the words of some claims."""
    hashes = [
        bytes(32),
        bytes(range(32)),
        *(b64u_decode(people.hash_of(p.claim_compact)) for p in (people.CLAIRE, people.DENIS)),
    ]
    return {
        "lists": {
            "en": hashlib.sha256("\n".join(word_list("en")).encode()).hexdigest(),
            "fr": hashlib.sha256("\n".join(word_list("fr")).encode()).hexdigest(),
        },
        "claims": [
            {
                "hash": b64u_encode(claim),
                "en": list(claim_words(claim, "en")),
                "fr": list(claim_words(claim, "fr")),
            }
            for claim in hashes
        ],
    }


def claims() -> Json:
    """The MAC in a claim."""
    return [
        {
            "claim_key": b64u_encode(person.secret.claim_key(person.link.link)),
            "link": str(person.link.link),
            "case": str(people.CASE),
            "participant": str(person.id),
            "recipient": person.claim.recipient,
            "signer": person.claim.signer,
            "mac": b64u_encode(
                claim_mac(
                    person.secret.claim_key(person.link.link),
                    link=person.link.link,
                    case=people.CASE,
                    participant=person.id,
                    recipient=person.claim.recipient,
                    signer=person.claim.signer,
                )
            ),
        }
        for person in (people.CLAIRE, people.DENIS)
    ]


def recipients() -> Json:
    """Seeds, identities and recipients of both types, and strings that are neither."""
    hybrid = [people.ANNA.keyring.identity, people.CASE_IDENTITY]
    classic = [X25519Identity(people.seed("classic")), X25519Identity(people.seed("also classic"))]
    recipient = str(hybrid[0].recipient)
    last = "q" if recipient[-1] != "q" else "p"
    bad = {
        "upper case": recipient.upper(),
        "mixed case": recipient[:7].upper() + recipient[7:],
        "a wrong checksum": recipient[:-1] + last,
        "cut": recipient[:-10],
        "the prefix of another type": recipient.replace("age1pq1", "age1"),
        "an identity": str(hybrid[0]),
    }
    return {
        "mlkem768x25519": [
            {"seed": b64u_encode(i.seed), "identity": str(i), "recipient": str(i.recipient)}
            for i in hybrid
        ],
        "x25519": [
            {"secret": b64u_encode(i.secret), "identity": str(i), "recipient": str(i.recipient)}
            for i in classic
        ],
        "bad_recipients": [{"why": why, "recipient": text} for why, text in bad.items()],
    }


def statements() -> Json:
    """A statement of every type as it must be, and texts that no reader may take for one."""
    signer = people.ANNA.keyring.signer
    return {
        "signer": {
            "seed": b64u_encode(signer.seed),
            "public_key": b64u_encode(signer.public_key),
            "kid": signer.kid,
        },
        "good": [
            {
                "typ": statement.typ,
                "payload": msgspec.json.encode(statement).decode(),
                "compact": people.sign(signer, statement),
                "hash": people.hash_of(people.sign(signer, statement)),
            }
            for statement in people.EVERY
        ],
        "bad": [
            {"why": why, "typ": Session.typ, "public_key": b64u_encode(key), "compact": compact}
            for why, key, compact in _bad_sessions(signer)
        ],
    }


def _bad_sessions(signer: Signer) -> Iterator[tuple[str, bytes, str]]:
    """Why it is bad, the key to verify it with, and the text."""
    payload = msgspec.json.encode(people.SESSION).decode()
    good = people.sign(signer, people.SESSION)
    fields = json.loads(payload)
    key = signer.public_key

    def with_payload(text: str) -> str:
        return sign_statement(signer, Session.typ, text.encode())

    def compact_json(value: Mapping[str, str | None]) -> str:
        return json.dumps(value, separators=(",", ":"))

    payloads = {
        "white space": json.dumps(fields),
        "another order": compact_json(dict(reversed(fields.items()))),
        "a member twice": payload[:-1] + f',"at":"{fields["at"]}"}}',
        "an unknown member": payload[:-1] + ',"more":null}',
        "a missing member": compact_json(_without(fields, "audience")),
        "no nonce": compact_json(_without(fields, "nonce")),
        "a nonce that is not canonical": payload.replace(
            fields["nonce"], fields["nonce"][:-1] + "B"
        ),
        "a nonce of another length": payload.replace(fields["nonce"], fields["nonce"] + "AA"),
        "an escape where none is needed": payload.replace("https", "\\u0068ttps"),
        "an escaped slash": payload.replace("://", ":\\/\\/"),
        "a fraction of a second": payload.replace(":00Z", ":00.5Z"),
        "an offset": payload.replace(":00Z", ":00+00:00"),
        "a time that is none": payload.replace("T12", "T25"),
        "a digest that is not canonical": payload.replace(
            fields["challenge"], fields["challenge"][:-1] + "B"
        ),
        "a null": compact_json({**fields, "challenge": None}),
        "not an object": "[]",
        "nothing": "",
        "bytes after it": payload + " ",
    }
    yield from ((why, key, with_payload(text)) for why, text in payloads.items())

    header = f'{{"alg":"EdDSA","kid":"{signer.kid}","typ":"{Session.typ}"}}'
    headers = {
        "alg none": header.replace("EdDSA", "none"),
        "alg HS256": header.replace("EdDSA", "HS256"),
        "white space in the header": header.replace(",", ", "),
        "a header in another order": f'{{"kid":"{signer.kid}","alg":"EdDSA","typ":"{Session.typ}"}}',
        "crit in the header": header[:-1] + ',"crit":[]}',
        "a key in the header": header[:-1] + ',"jwk":{}}',
        "no typ": f'{{"alg":"EdDSA","kid":"{signer.kid}"}}',
        "another typ": header.replace("session", "message"),
        "another kid": header.replace(signer.kid, key_id(people.ROOT.public_key)),
    }
    for why, text in headers.items():
        covered = f"{b64u_encode(text.encode())}.{b64u_encode(payload.encode())}"
        yield why, key, f"{covered}.{b64u_encode(signer.sign(covered.encode()))}"

    covered, _, signature = good.rpartition(".")
    raw = b64u_decode(signature)
    larger = (int.from_bytes(raw[32:], "little") + _ORDER).to_bytes(32, "little")
    yield "a changed signature", key, f"{covered}.{b64u_encode(bytes(64))}"
    yield "a signature with s not reduced", key, f"{covered}.{b64u_encode(raw[:32] + larger)}"
    yield "a signature cut short", key, f"{covered}.{b64u_encode(raw[:-1])}"
    yield "padding", key, good + "=="
    yield "no signature", key, covered + "."
    yield "four parts", key, good + ".AA"
    yield "another key", people.ROOT.public_key, good
    point = b"\x01" + bytes(31)
    forged = header.replace(signer.kid, key_id(point)).encode()
    covered = f"{b64u_encode(forged)}.{b64u_encode(payload.encode())}"
    yield "a key of small order", point, f"{covered}.{b64u_encode(point + bytes(32))}"


def log() -> Json:
    """The rows of a case, their bytes and hashes, and logs with something wrong."""
    events = [
        (
            "case.opened",
            None,
            "mediator:" + str(people.ANNA.credential.credential),
            people.CHARTER_1,
        ),
        ("message.queued", people.VIDEO.message, "participant:" + str(people.CLAIRE.id), None),
        ("message.offered", people.VIDEO.message, "mediator:é", people.OFFER_COMPACT),
    ]
    rows: list[dict[str, Json]] = []
    prev = GENESIS
    for seq, (kind, message, actor, statement) in enumerate(events, start=1):
        at = people.NOON + dt.timedelta(seconds=seq, microseconds=50 * (seq - 1))
        row = EventRow(
            case=people.CASE,
            seq=seq,
            at=at,
            kind=kind,
            message=message,
            actor=actor,
            statement=None if statement is None else b64u_decode(people.hash_of(statement)),
        )
        own = event_hash(prev, row)
        rows.append(
            {
                "case": str(row.case),
                "seq": seq,
                "at": at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
                "kind": kind,
                "message": None if message is None else str(message),
                "actor": actor,
                "statement": None if statement is None else people.hash_of(statement),
                "bytes": row_bytes(row).decode(),
                "prev": b64u_encode(prev),
                "hash": b64u_encode(own),
            }
        )
        prev = own
    first, second, third = rows
    altered: dict[str, Json] = {**second, "actor": "somebody else"}
    bad: dict[str, tuple[list[Json], int]] = {
        "an altered row": ([first, altered, third], 1),
        "a missing row": ([first, third], 1),
        "the first row missing": ([second, third], 0),
        "moved rows": ([second, first, third], 0),
        "a row twice": ([first, first, second, third], 1),
    }
    return {
        "good": [*rows],
        "bad": [{"why": why, "rows": log, "first_bad": place} for why, (log, place) in bad.items()],
    }


def sealed() -> Json:
    """Files that must open: headers, bodies, a keyring, a case's identities. Other bytes on every run."""
    file_key = people.seed("file key of the sealed vector")[:16]
    readers = [people.ANNA.keyring.identity, people.BORIS.keyring.identity]
    plain = {"empty": b"", "short": b"a letter", "a chunk and more": bytes(range(256)) * 257}
    claim_key = people.CLAIRE.secret.claim_key(people.CLAIRE.link.link)
    participant, stretched = seal_participant_keyring(
        people.CLAIRE.keyring,
        "a river under the old bridge",
        bytes(range(32)),
        link="",
        work_factor_log2=4,
    )
    return {
        "file_key": b64u_encode(file_key),
        "header": b64u_encode(wrap_header(file_key, [i.recipient for i in readers])),
        "identities": [str(identity) for identity in readers],
        "stranger": str(people.CASE_IDENTITY),
        "bodies": [
            {
                "what": what,
                "plain": b64u_encode(text),
                "body": b64u_encode(seal_body(file_key, text)),
            }
            for what, text in plain.items()
        ],
        "keyring": {
            "passphrase": "a lamp in the window",
            "file": b64u_encode(seal_keyring(people.ANNA.keyring, "a lamp in the window", 10)),
            "identity": str(people.ANNA.keyring.identity),
            "signer_seed": b64u_encode(people.ANNA.keyring.signer.seed),
        },
        "participant_keyring": {
            "typed": "a river under the old bridge",
            "unlock": b64u_encode(bytes(range(32))),
            "work_factor_log2": 4,
            "ring_key": b64u_encode(stretched.ring_key),
            "file": b64u_encode(participant),
            "identity": str(people.CLAIRE.keyring.identity),
            "signer_seed": b64u_encode(people.CLAIRE.keyring.signer.seed),
        },
        "case_identities": [
            {
                "file": b64u_encode(seal_identities(held, [i.recipient for i in readers])),
                "identities": [str(identity) for identity in held],
            }
            for held in ([people.CASE_IDENTITY], [people.NEW_CASE_IDENTITY, people.CASE_IDENTITY])
        ],
        "bad_case_identities": [
            {"why": why, "file": b64u_encode(seal_file(text, [i.recipient for i in readers]))}
            for why, text in _bad_identity_files()
        ],
        "claim_key": {
            "file": b64u_encode(seal_file(claim_key, [people.CASE_IDENTITY.recipient])),
            "claim_key": b64u_encode(claim_key),
            "identity": str(people.CASE_IDENTITY),
        },
    }


def _bad_identity_files() -> Iterator[tuple[str, bytes]]:
    line = f"{people.CASE_IDENTITY}\n".encode()
    yield "empty", b""
    yield "a line feed alone", b"\n"
    yield "an empty line between", line + b"\n" + line
    yield "an empty line after them", line + b"\n"
    yield "a carriage return", line.replace(b"\n", b"\r\n")
    yield "a comment", b"# the identity of the case\n" + line
    yield "an identity of another type", f"{X25519Identity(people.seed('classic'))}\n".encode()
    yield "a recipient", f"{people.CASE_IDENTITY.recipient}\n".encode()
    yield "no text", b"\xff\xfe"


MADE: Mapping[str, Callable[[], Json]] = {
    "commitments.json": commitments,
    "padding.json": padding,
    "links.json": links,
    "passphrases.json": passphrases,
    "words.json": words,
    "claims.json": claims,
    "recipients.json": recipients,
    "statements.json": statements,
    "log.json": log,
    "trust.json": chains.trust,
    "charters.json": charter_chains.charters,
    "origins.json": charter_chains.origins,
    "chain.json": case_chains.chain,
    "walk.json": walk.walk,
    "releases.json": releases.releases,
    "texts.json": shown.texts,
}
RANDOM: Mapping[str, Callable[[], Json]] = {"sealed.json": sealed}


def text_of(vectors: Json) -> str:
    """The text of a vector file."""
    return json.dumps(vectors, indent=1, ensure_ascii=False) + "\n"


def main() -> None:
    """Write what the code makes today."""
    for name, make in MADE.items():
        (FOLDER / name).write_text(text_of(make()), encoding="utf-8")
    for name, make in RANDOM.items():
        if not (FOLDER / name).exists():
            (FOLDER / name).write_text(text_of(make()), encoding="utf-8")


if __name__ == "__main__":
    main()
