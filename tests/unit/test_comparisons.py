"""A secret is compared in constant time, or looked up by its hash: held for every comparison that there is.

What is called as a secret is and may be compared as usual stands here, with the reason; a comparison that is
neither is found, also one that somebody adds.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final

import pytest

from tests.support.privacy.comparing import in_python, in_sql, in_typescript

ROOT: Final = Path(__file__).parents[2]
SIGNED: Final = "names a signed statement, which whoever compares it may read"
BODIES: Final = "of sealed bytes, which whoever compares it has"
LOG: Final = "chains the log, which whoever compares it may read"
KEYS: Final = "a public key, or what it is called"
NAMES: Final = "a name or a word of the code"

PUBLIC: Final[Mapping[str, Mapping[str, str]]] = {
    "relay/client/participant.py": {
        "read_unverified(compact).kid == key_id(key)": KEYS,
        "part.commit in self.keys": BODIES,
    },
    "relay/client/sealing.py": {"_digests([body]) != part.segments": BODIES},
    "relay/crypto/audit.py": {"event_hash(chained.prev, row) != chained.hash": LOG},
    "relay/crypto/chain.py": {
        "hashlib.sha256(sealed).digest() != b64u_decode(link.sealed)": BODIES,
        "current.get(version) != digest": SIGNED,
    },
    "relay/crypto/verified.py": {"term.statement_hash == digest": SIGNED},
    "relay/doctor/store.py": {
        "await objects.get(key) == BODY": NAMES,
        "key in await objects.keys('doctor')": NAMES,
    },
    "relay/media/inside/attack.py": {"secret in value": "the attack itself, on a made-up one"},
    "relay/media/jail_check.py": {"list(bait.folder.iterdir()) != [bait.key]": NAMES},
    "relay/services/audit/items.py": {"said.decision in SECRET": NAMES},
    "relay/services/audit/organization.py": {
        "statement_hash(compact) == digest": SIGNED,
        "key in self.authorities": NAMES,
    },
    "relay/services/audit/walk.py": {"b64u_encode(log.hash) != kept.head": LOG},
    "relay/services/charters.py": {"charters[-1].statement_hash == charter.hash": SIGNED},
    "relay/services/consents.py": {"participant.consent_hash == consent.hash": SIGNED},
    "relay/services/correspondence.py": {"key not in named": NAMES},
    "relay/services/credentials.py": {
        "kept.statement_hash != credential.hash": SIGNED,
        "signing.key_id(key) == kid": KEYS,
    },
    "relay/services/exports/records.py": {"digest not in named": SIGNED},
    "relay/services/processing.py": {"(row.signer, row.recipient) != keys": KEYS},
    "relay/services/stored_parts.py": {"[_digest(found[0])] != part.segments": BODIES},
    "relay/services/submissions.py": {"facts.revisions[revision - 1] != statement.hash": SIGNED},
    "relay/services/token_keys.py": {
        "kid not in self._keys": KEYS,
        "keys != self._keys": KEYS,
        "kid in keys": KEYS,
    },
    "relay/settings.py": {"field.name in SECRETS": NAMES},
    "relay/storage/database.py": {"done[version] != digest": "of a migration"},
    "relay/storage/objects.py": {
        "_code(error) in {'NoSuchKey', '404', 'InvalidRange'}": NAMES,
        "_code(error) not in {'BucketAlreadyExists', 'BucketAlreadyOwnedByYou'}": NAMES,
    },
    "deploy/example-host/example_host/rendering.py": {"key in TEXTS": NAMES},
    "web/src/client/entrance.ts": {
        ".passphrase !== passphrase)": "both were typed by the person at the page"
    },
}
"""By file, the comparisons that tell nothing by how long they take, with the reason."""

PLANTED: Final[Mapping[str, tuple[Callable[[str], Iterator[str]], str]]] = {
    "a proof": (
        in_python,
        "def f(proof, row):\n    return sha256(proof).digest() == row.proof_hash",
    ),
    "a token": (in_python, "if token != self.token: raise ValueError"),
    "a token in a list": (in_python, "is_known = token in known"),
    "an attribute of an item": (in_python, "wrong = links[0].auth_hash != given"),
    "what a function makes of it": (in_python, "right = _hash(bearer) == kept"),
    "a slice": (in_python, "right = given.mac[:16] == mac[:16]"),
    "in a pair": (in_python, "right = (case, passphrase) == (row.case, row.passphrase)"),
    "bytes of the code": (in_python, "right = secret == b'swordfish'"),
    "in a comprehension": (in_python, "found = [one for one in rows if one.code_hash == wanted]"),
    "a MAC in a browser": (in_typescript, "if (claimMac(key) !== claim.mac) throw new Error();"),
    "a proof in a browser": (in_typescript, "return stretched.proof === proof;"),
    "a code by itself": (in_sql, "select 1 from messages where receipt = $1"),
    "a token among others": (in_sql, "delete from sessions where sessions.token in ($1)"),
}


@functools.cache
def everything() -> tuple[tuple[str, str], ...]:
    """Every comparison of a secret in relay, the example of a case system and the pages, by file."""
    places = [
        (in_python, "relay", "*.py"),
        (in_python, "workers", "*.py"),
        (in_python, "deploy/example-host", "*.py"),
        (in_typescript, "web/src", "*.ts"),
        (in_sql, "relay/storage/sql", "*.sql"),
        (in_sql, "relay/storage/migrations", "*.sql"),
        (in_sql, "deploy/example-host", "*.py"),
    ]
    return tuple(
        (path.relative_to(ROOT).as_posix(), comparison)
        for find, folder, files in places
        for path in sorted((ROOT / folder).rglob(files))
        for comparison in find(path.read_text("utf-8"))
    )


def test_no_secret_is_compared_byte_by_byte() -> None:
    """But for what is public, every comparison takes the same time."""
    found = [(file, one) for file, one in everything() if one not in PUBLIC.get(file, {})]
    assert found == []


def test_what_is_public_is_still_compared() -> None:
    """An exception ends with its reason."""
    found = set(everything())
    assert [
        (file, one) for file, of in PUBLIC.items() for one in of if (file, one) not in found
    ] == []


@pytest.mark.parametrize("what", PLANTED)
def test_a_comparison_that_tells_is_found(what: str) -> None:
    """Whatever it is of, and however it is written."""
    find, source = PLANTED[what]
    assert len(list(find(source))) == 1


@pytest.mark.parametrize(
    ("find", "source"),
    [
        (in_python, "right = hmac.compare_digest(_hash(proof), row.proof_hash)"),
        (in_python, "if refused.code == 'not-found': pass"),
        (in_python, "if token is None or len(secret) != 16: pass"),
        (
            in_typescript,
            "if (secret !== null && secret.length === 16) return sameBytes(mac, other);",
        ),
        (in_sql, "select 1 from sessions where token_hash = $1"),
    ],
)
def test_a_comparison_that_tells_nothing_is_not(
    find: Callable[[str], Iterator[str]], source: str
) -> None:
    """Nor is what compares no secret."""
    assert list(find(source)) == []
