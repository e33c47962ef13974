"""Links: what is derived from the secret, and addresses that say one thing only."""

from __future__ import annotations

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.crypto.errors import LinkError
from relay.crypto.links import (
    LinkSecret,
    auth_digest,
    claim_mac,
    link_url,
    parse_link_url,
)
from relay.errors import CryptoError

SECRET = LinkSecret(bytes(range(16)))
LINK = uuid.UUID("8f14e45f-ceea-467f-a8e4-000000000001")
FINGERPRINT = bytes(range(100, 116))
ANCHOR = bytes(range(200, 216))
URL = link_url("https://relay.example.org", LINK, SECRET, FINGERPRINT, ANCHOR)


def test_everything_derived_is_different() -> None:
    """Bearer, claim key, unlock and signer tell nothing of each other, nor do those of another link."""
    derived = [
        value
        for link in (LINK, uuid.UUID(int=LINK.int + 1))
        for value in (
            SECRET.auth(link),
            SECRET.claim_key(link),
            SECRET.unlock(link),
            SECRET.signer(link).seed,
            auth_digest(SECRET.auth(link)),
        )
    ]
    assert len(set(derived)) == len(derived) == 10
    assert {len(value) for value in derived} == {32}


SIXTEEN = st.binary(min_size=16, max_size=16)


@given(SIXTEEN, st.uuids(), SIXTEEN, SIXTEEN)
def test_addresses_come_back(
    secret: bytes, link: uuid.UUID, fingerprint: bytes, anchor: bytes
) -> None:
    """What is written into an address is read from it, also under a path and with a slash at its end."""
    for public_url in ("https://relay.example.org", "http://127.0.0.1:8080/", "https://a.b/relay"):
        url = link_url(public_url, link, LinkSecret(secret), fingerprint, anchor)
        read = parse_link_url(url)
        assert read.public_url == public_url.rstrip("/")
        assert (read.id, read.secret.secret) == (link, secret)
        assert (read.root_fingerprint, read.anchor) == (fingerprint, anchor)


def test_the_secret_is_in_the_fragment_alone() -> None:
    """What a browser sends to the server is public address, path and link id."""
    sent, fragment = URL.split("#")
    assert sent == f"https://relay.example.org/l/{LINK}"
    assert len(fragment) == 64


@pytest.mark.parametrize(
    "url",
    [
        "",
        URL[:-1],
        URL + "A",
        URL + "\n",
        URL.replace("#", "?"),
        URL.replace("https", "javascript"),
        URL.replace(str(LINK), str(LINK).upper()),
        URL.replace(str(LINK), LINK.hex),
        URL.replace("/l/", "/m/"),
        URL.replace("example", "exa mple"),
        URL[:-1] + "+",
        URL[:-1] + "=",
        URL[:-21],
        URL[:-4],
        URL + "AAAA",
    ],
)
def test_other_addresses_are_refused_without_being_quoted(url: str) -> None:
    """A damaged link is an error of the crypto room, and the error does not hold the secret."""
    with pytest.raises(CryptoError) as caught:
        parse_link_url(url)
    assert URL[-20:-2] not in str(caught.value)


def test_the_mac_covers_every_member() -> None:
    """Another link, case, participant, recipient, signer or key makes another MAC."""
    link, case, participant, other = (uuid.UUID(int=number) for number in range(4))

    def mac(
        key: bytes = bytes(32), recipient: str = "age1pq1", signer: str = "A", **ids: uuid.UUID
    ) -> bytes:
        plain = {"link": link, "case": case, "participant": participant, **ids}
        return claim_mac(key, recipient=recipient, signer=signer, **plain)

    macs = {
        mac(),
        mac(key=b"k" * 32),
        mac(link=other),
        mac(case=other),
        mac(participant=other),
        mac(recipient="age1pq2"),
        mac(signer="B"),
    }
    assert len(macs) == 7


def test_secrets_have_one_size_and_do_not_show() -> None:
    """16 bytes, no more and no fewer, and no representation holds them."""
    for size in (0, 15, 17, 32):
        with pytest.raises(LinkError):
            LinkSecret(bytes(size))
    assert LinkSecret.generate() != LinkSecret.generate()
    assert repr(SECRET.secret)[2:-1] not in repr(SECRET)
    assert repr(SECRET.secret)[2:-1] not in repr(parse_link_url(URL))
    for fingerprint, anchor in ((b"short", ANCHOR), (FINGERPRINT, b"short"), (FINGERPRINT, b"")):
        with pytest.raises(LinkError):
            link_url("https://relay.example.org", LINK, SECRET, fingerprint, anchor)
