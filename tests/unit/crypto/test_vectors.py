"""The test vectors in tests/vectors: the code makes them, opens them, and refuses the bad ones."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from typing import Any, TypeAlias

import msgspec
import pytest

from relay.crypto.age import (
    NONCE_BYTES,
    RangeOpener,
    open_body,
    open_file,
    parse_identity,
    parse_recipient,
    unwrap_header,
)
from relay.crypto.audit import ChainedRow, EventRow, row_bytes, verify_chain
from relay.crypto.chain import (
    check_anchor,
    check_claim_mac,
    check_identities,
    check_link_secret,
    check_seen,
    verify_charter,
    verify_charters,
    verify_claim,
    verify_link,
    verify_message,
    verify_origin,
    verify_participant,
    verify_rendition,
)
from relay.crypto.encoding import b64u_decode
from relay.crypto.errors import NoMatchError
from relay.crypto.items import verify_item
from relay.crypto.keyrings import (
    open_identities,
    open_keyring,
    open_participant_keyring,
    stretch_passphrase,
)
from relay.crypto.links import LinkSecret, parse_link_url
from relay.crypto.padding import pad, unpad
from relay.crypto.release import SignedConsent, check_grant, item, verify_offer
from relay.crypto.signing import statement_hash
from relay.crypto.statements import Captions, Offer, Session, Statement, decode_unverified, verify
from relay.crypto.trust import establish_trust
from relay.crypto.verified import Origin, VerifiedCharter
from relay.errors import CryptoError
from tests.vectors.chains import time
from tests.vectors.generate import FOLDER, MADE, RANDOM, text_of

Vectors: TypeAlias = dict[str, Any]


def load(name: str) -> Vectors:
    """One file of vectors."""
    vectors: Vectors = json.loads((FOLDER / name).read_text("utf-8"))
    return vectors


CHAIN = load("chain.json")
TRUST = load("trust.json")
CHARTERS = load("charters.json")
ORIGINS = load("origins.json")
SEALED = load("sealed.json")
STATEMENTS = load("statements.json")
LOG = load("log.json")
KINDS: dict[str, type[Statement]] = {kind.typ: kind for kind in Statement.__subclasses__()}


def the_reason(vector: Vectors) -> str:
    """How a vector is called in the output of a test run."""
    return str(vector["why"])


@pytest.mark.parametrize("name", MADE)
def test_the_code_still_makes_them(name: str) -> None:
    """A change of any byte that others rely on shows here before it shows in somebody's browser."""
    assert (FOLDER / name).read_text("utf-8") == text_of(MADE[name]())


def test_every_file_of_vectors_has_a_maker() -> None:
    """No file lies around that nothing makes and nothing tests."""
    assert {path.name for path in FOLDER.glob("*.json")} == MADE.keys() | RANDOM.keys()


def test_padding() -> None:
    """Good paddings come off and continue; the others are refused."""
    vectors = load("padding.json")
    for good in vectors["good"]:
        plain, padded = b64u_decode(good["plain"]), b64u_decode(good["padded"])
        assert (pad(plain), unpad(padded)) == (padded, plain)
    for bad in vectors["bad"]:
        with pytest.raises(CryptoError):
            unpad(b64u_decode(bad["padded"]))


def test_link_addresses() -> None:
    """Good addresses are read to the bytes they were made from; the others are refused."""
    vectors = load("links.json")
    for good in vectors["derived"]:
        link = parse_link_url(good["url"])
        assert link.secret.secret == b64u_decode(good["secret"])
        assert link.root_fingerprint == b64u_decode(good["root_fingerprint"])
        assert link.anchor == b64u_decode(good["anchor"])
        assert statement_hash(good["charter"]).startswith(link.anchor)
        assert link.secret.auth(link.id) == b64u_decode(good["auth"])
    for bad in vectors["bad_urls"]:
        with pytest.raises(CryptoError):
            parse_link_url(bad["url"])


def test_recipients() -> None:
    """Identities and recipients are read and written the same; the other strings are refused."""
    vectors = load("recipients.json")
    for kind in ("mlkem768x25519", "x25519"):
        for good in vectors[kind]:
            assert str(parse_identity(good["identity"])) == good["identity"]
            assert str(parse_recipient(good["recipient"])) == good["recipient"]
    for bad in vectors["bad_recipients"]:
        with pytest.raises(CryptoError):
            parse_recipient(bad["recipient"])


def test_good_statements_cover_every_type() -> None:
    """There is a good statement of every type, and it verifies to its payload."""
    public_key = b64u_decode(STATEMENTS["signer"]["public_key"])
    for good in STATEMENTS["good"]:
        statement = verify(good["compact"], KINDS[good["typ"]], public_key)
        assert msgspec.json.encode(statement).decode() == good["payload"]
        assert statement_hash(good["compact"]) == b64u_decode(good["hash"])
    assert {good["typ"] for good in STATEMENTS["good"]} == KINDS.keys()


@pytest.mark.parametrize("bad", STATEMENTS["bad"], ids=the_reason)
def test_bad_statements(bad: Vectors) -> None:
    """Each of them is refused, for the reason in its name alone."""
    with pytest.raises(CryptoError):
        verify(bad["compact"], Session, b64u_decode(bad["public_key"]))


def rows_of(vectors: list[Vectors]) -> list[ChainedRow]:
    """Rows of the log from JSON."""
    return [
        ChainedRow(
            row=EventRow(
                case=uuid.UUID(row["case"]),
                seq=row["seq"],
                at=dt.datetime.fromisoformat(row["at"]),
                kind=row["kind"],
                message=row["message"] and uuid.UUID(row["message"]),
                actor=row["actor"],
                statement=row["statement"] and b64u_decode(row["statement"]),
            ),
            prev=b64u_decode(row["prev"]),
            hash=b64u_decode(row["hash"]),
        )
        for row in vectors
    ]


def test_the_log() -> None:
    """The good rows have these bytes and hang together; in the others the bad row is found."""
    good = rows_of(LOG["good"])
    assert verify_chain(good) is None
    assert [row_bytes(row.row).decode() for row in good] == [row["bytes"] for row in LOG["good"]]
    for bad in LOG["bad"]:
        rows = rows_of(bad["rows"])
        assert verify_chain(rows) == rows[bad["first_bad"]], bad["why"]


def trust_of(given: Vectors) -> dict[str, str | None]:
    """Which credentials count for anyone who pins those roots, and when they were revoked."""
    trust = establish_trust(
        [b64u_decode(root) for root in given["pinned"]],
        given["credentials"],
        given["revocations"],
        given["successions"],
    )
    return {
        str(credential): None if authority.revoked_at is None else time(authority.revoked_at)
        for credential, authority in trust.authorities.items()
    }


@pytest.mark.parametrize("good", TRUST["good"], ids=the_reason)
def test_trust(good: Vectors) -> None:
    """These credentials count and no others, each until it was revoked."""
    assert trust_of(good) == good["revoked_at"]


@pytest.mark.parametrize("bad", TRUST["bad"], ids=the_reason)
def test_trust_is_refused_as_a_whole(bad: Vectors) -> None:
    """One statement in the name of a trusted root that does not hold spoils the set."""
    with pytest.raises(CryptoError):
        trust_of(bad)


def charter_of(given: Vectors) -> VerifiedCharter:
    """The case that a registration and its charters make."""
    trust = establish_trust(
        [b64u_decode(CHARTERS["root_public_key"])],
        [CHARTERS["credentials"][name] for name in given["credentials"]],
    )
    return verify_charters(trust, given["registration"], given["charters"])


@pytest.mark.parametrize("good", CHARTERS["good"], ids=the_reason)
def test_charters(good: Vectors) -> None:
    """From the registration to the latest version, with all recipients that the case has had."""
    charter = charter_of(good)
    assert (charter.version, [*charter.recipients]) == (good["version"], good["recipients"])


@pytest.mark.parametrize("bad", CHARTERS["bad"], ids=the_reason)
def test_other_charters(bad: Vectors) -> None:
    """One step that does not follow, and there is no case."""
    with pytest.raises(CryptoError):
        charter_of(bad)


def charter_in(chain: Vectors) -> VerifiedCharter:
    """The case of chain.json."""
    return verify_charter(
        b64u_decode(chain["root_fingerprint"]),
        b64u_decode(chain["root_public_key"]),
        chain["credentials"],
        chain["registration"],
        chain["charters"],
        chain["revocations"],
        chain["successions"],
    )


def standing(origin: Origin, at: str) -> str:
    """How far something signed at that time counts, or that it is refused."""
    try:
        return origin.standing_at(dt.datetime.fromisoformat(at)).value
    except CryptoError:
        return "refused"


@pytest.mark.parametrize("good", ORIGINS["good"], ids=the_reason)
def test_origins(good: Vectors) -> None:
    """Whose key it is, and from when until when what it signs counts."""
    origin = verify_origin(good["statements"], charter_in(CHAIN["good"]))
    assert origin.signer == b64u_decode(good["signer"])
    for expected in good["standings"]:
        assert standing(origin, expected["at"]) == expected["standing"], expected["at"]


@pytest.mark.parametrize("bad", ORIGINS["bad"], ids=the_reason)
def test_other_origins(bad: Vectors) -> None:
    """Statements that are not of one way in are refused together."""
    with pytest.raises(CryptoError):
        verify_origin(bad["statements"], charter_in(CHAIN["good"]))


def way_in(chain: Vectors, role: str) -> list[str]:
    """The statements of the author's or the recipient's way in."""
    named = [chain[f"{role}_{what}"] for what in ("link", "claim", "verification")]
    return [*named, *chain[f"{role}_endings"]]


def follow(chain: Vectors) -> None:
    """All that a recipient's reader verifies, from the root's fingerprint to the grant."""
    charter = charter_in(chain)
    assert (charter.version, charter.recipient) == (CHAIN["version"], CHAIN["recipient"])
    check_anchor(charter, b64u_decode(chain["anchor"]))
    check_seen(charter, {int(seen): b64u_decode(own) for seen, own in chain["seen"].items()})
    check_identities(charter, chain["identities"])
    for name, role in (("Claire", "author"), ("Denis", "recipient")):
        link = verify_link(chain[f"{role}_link"], charter)
        check_link_secret(link, LinkSecret(b64u_decode(CHAIN["link_secrets"][name])))
        claim = verify_claim(chain[f"{role}_claim"], link)
        check_claim_mac(claim, b64u_decode(CHAIN["claim_keys"][name]))
    recipient = verify_participant(
        way_in(chain, "recipient"), charter, dt.datetime.fromisoformat(CHAIN["now"])
    )
    author = verify_origin(way_in(chain, "author"), charter)
    message = verify_message(chain["message"], charter, author)
    rendition = verify_rendition(
        chain["rendition"],
        charter,
        message=message,
        message_hash=statement_hash(chain["message"]),
    )
    captions, _ = charter.verify_by_mediator(chain["captions"], Captions)
    video = item(
        message,
        chain["message"],
        (rendition, chain["rendition"]),
        (captions, chain["captions"]),
        standing=author.standing_at(message.at),
    )
    offer = verify_offer(
        chain["offer"],
        charter,
        video,
        recipient,
        decisions=chain["decisions"],
        consents=[
            SignedConsent(
                compact=consent["compact"],
                origin=() if consent["by"] is None else way_in(chain, consent["by"]),
            )
            for consent in chain["consents"]
        ],
    )
    check_grant(offer, rendition.parts[0], b64u_decode(chain["grant_header"]))


def test_the_chain_holds() -> None:
    """A released video is believed, step by step."""
    follow(CHAIN["good"])


@pytest.mark.parametrize("good", CHAIN["also_good"], ids=the_reason)
def test_a_chain_with_another_good_member(good: Vectors) -> None:
    """What is not about this video and its people is no reason to refuse it."""
    follow({**CHAIN["good"], good["exchange"]: good["for"]})


@pytest.mark.parametrize("bad", CHAIN["bad"], ids=the_reason)
def test_a_chain_with_one_bad_member(bad: Vectors) -> None:
    """With any one member exchanged, nothing is opened."""
    with pytest.raises(CryptoError):
        follow({**CHAIN["good"], bad["exchange"]: bad["for"]})


def test_sealed_files_open() -> None:
    """What was sealed for the vectors opens today, whole and by ranges, and only for its readers."""
    file_key, header = b64u_decode(SEALED["file_key"]), b64u_decode(SEALED["header"])
    for identity in SEALED["identities"]:
        assert unwrap_header(header, [parse_identity(identity)]) == file_key
    with pytest.raises(NoMatchError):
        unwrap_header(header, [parse_identity(SEALED["stranger"])])
    for sealed in SEALED["bodies"]:
        plain, body = b64u_decode(sealed["plain"]), b64u_decode(sealed["body"])
        assert open_body(file_key, body) == plain
        opener = RangeOpener(file_key, body[:NONCE_BYTES], len(body))
        span = opener.needed(0, len(plain))
        assert opener.open(0, len(plain), body[span.start : span.stop]) == plain


def test_sealed_keys_open() -> None:
    """Keyring, case identities and claim key come out as they were put in."""
    ring = SEALED["keyring"]
    keyring = open_keyring(b64u_decode(ring["file"]), ring["passphrase"])
    assert str(keyring.identity) == ring["identity"]
    assert keyring.signer.seed == b64u_decode(ring["signer_seed"])
    own = SEALED["participant_keyring"]
    stretched = stretch_passphrase(
        own["typed"], b64u_decode(own["unlock"]), own["work_factor_log2"]
    )
    assert stretched.ring_key == b64u_decode(own["ring_key"])
    keyring = open_participant_keyring(b64u_decode(own["file"]), stretched)
    assert str(keyring.identity) == own["identity"]
    assert keyring.signer.seed == b64u_decode(own["signer_seed"])
    for mediator in SEALED["identities"]:
        for case in SEALED["case_identities"]:
            opened = open_identities(b64u_decode(case["file"]), [parse_identity(mediator)])
            assert [str(identity) for identity in opened] == case["identities"]
    claim = SEALED["claim_key"]
    opened_key = open_file(b64u_decode(claim["file"]), [parse_identity(claim["identity"])])
    assert opened_key == b64u_decode(claim["claim_key"])


@pytest.mark.parametrize("bad", SEALED["bad_case_identities"], ids=the_reason)
def test_other_case_identities(bad: Vectors) -> None:
    """A file for the right mediator with something else in it is refused."""
    with pytest.raises(CryptoError):
        open_identities(b64u_decode(bad["file"]), [parse_identity(SEALED["identities"][0])])


def test_the_participants_of_the_chain_are_those_named() -> None:
    """The ids beside the chain are those inside it."""
    for name, member in (("Claire", "author_link"), ("Denis", "recipient_link")):
        link = decode_unverified(CHAIN["good"][member], KINDS["relay-link+jws"])
        assert str(getattr(link, "participant")) == CHAIN["participants"][name]  # noqa: B009 - of Statement


RELEASES = load("releases.json")


@pytest.mark.parametrize(
    "offered", RELEASES["offers"], ids=lambda offered: f"{offered['what']}, {offered['policy']}"
)
def test_an_offer_is_believed_exactly_where_its_captions_are_settled(offered: Vectors) -> None:
    """Every combination of kind, captions and policy: what is released, or that nothing is."""
    chain = {**CHAIN["good"], "charters": RELEASES["charters"][offered["policy"]]}
    charter = charter_in(chain)
    of = verify_item(offered["statements"], way_in(chain, "author"), charter)
    recipient = verify_participant(
        way_in(chain, "recipient"), charter, dt.datetime.fromisoformat(CHAIN["now"])
    )

    def verified() -> Offer:
        return verify_offer(
            offered["offer"],
            charter,
            of,
            recipient,
            decisions=offered["approvals"],
            consents=[
                SignedConsent(
                    compact=consent["compact"],
                    origin=() if consent["by"] is None else way_in(chain, consent["by"]),
                )
                for consent in chain["consents"]
            ],
        )

    if offered["released"] is None:
        with pytest.raises(CryptoError, match="captions"):
            verified()
        return
    offer = verified()
    assert [part.commit for part in of.released] == offered["released"]
    assert {grant.commit for grant in offer.grants} == set(offered["released"])
    roles = [part.role for part in of.released]
    assert len(set(roles)) == len(roles)
