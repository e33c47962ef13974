"""Webhooks are signed so that the public libraries of receivers verify them, and refuse what was changed."""

from __future__ import annotations

import base64
import json
import subprocess
import time
from collections.abc import Callable
from typing import Any, Final

import pytest
from nacl.exceptions import BadSignatureError
from nacl.signing import VerifyKey
from standardwebhooks import Webhook, WebhookVerificationError

from relay.crypto.errors import KeyInvalidError
from relay.crypto.webhooks import (
    PUBLIC,
    WebhookKey,
    new_key_pair,
    new_shared_secret,
    read_key,
    signed_headers,
)
from tests.support.node import Node

BODY: Final = b'{"id":17,"type":"relay.test"}'
EVENT: Final = {"id": 17, "type": "relay.test"}


def headers_of(*keys: WebhookKey, at: int | None = None, body: bytes = BODY) -> dict[str, str]:
    """The headers of a webhook that is sent now, or then."""
    return signed_headers(keys, "17-3f9a0c2e", int(time.time()) if at is None else at, body)


def by_python(secret: str, headers: dict[str, str], body: bytes, _node: Node) -> object:
    """What the library for Python finds."""
    return Webhook(secret).verify(body, headers)


def by_javascript(secret: str, headers: dict[str, str], body: bytes, node: Node) -> object:
    """What the library for JavaScript finds."""
    return json.loads(node.run("webhook.mjs", secret, json.dumps(headers), body.decode()))


Verify = Callable[[str, dict[str, str], bytes, Node], object]
REFUSED: Final = (WebhookVerificationError, subprocess.CalledProcessError)


@pytest.mark.parametrize("verify", [by_python, by_javascript])
def test_the_public_libraries_verify_what_is_sent(verify: Verify, node: Node) -> None:
    """With either of two secrets while one takes over, and beside a signature of another kind."""
    old, new = new_shared_secret(), new_shared_secret()
    private, _public = new_key_pair()
    headers = headers_of(read_key(private), read_key(new), read_key(old))
    assert verify(old, headers, BODY, node) == EVENT
    assert verify(new, headers, BODY, node) == EVENT


@pytest.mark.parametrize("verify", [by_python, by_javascript])
@pytest.mark.parametrize(
    "change",
    [
        {"secret": "whsec_" + base64.b64encode(b"x" * 32).decode()},
        {"body": BODY.replace(b"17", b"18")},
        {"webhook-id": "18-3f9a0c2e"},
        {"webhook-timestamp": "now"},
        {"at": 1_700_000_000},
    ],
    ids=["secret", "body", "id", "time", "old"],
)
def test_the_public_libraries_refuse_what_was_changed(
    verify: Verify, change: dict[str, Any], node: Node
) -> None:
    """Another secret, body, identifier or time, and what is sent again later."""
    secret = new_shared_secret()
    given = dict(change)
    headers = headers_of(read_key(secret), at=given.pop("at", None))
    if "webhook-timestamp" in given:
        given["webhook-timestamp"] = str(int(headers["webhook-timestamp"]) + 1)
    used, body = given.pop("secret", secret), given.pop("body", BODY)
    with pytest.raises(REFUSED):
        verify(used, {**headers, **given}, body, node)


def test_a_public_key_verifies_what_the_private_one_signed() -> None:
    """Ed25519 over the identifier, the time and the body, with points between."""
    private, public = new_key_pair()
    headers = headers_of(read_key(private), at=1_700_000_000)
    version, _, signature = headers["webhook-signature"].partition(",")
    key = VerifyKey(base64.b64decode(public.removeprefix(PUBLIC)))
    key.verify(b"17-3f9a0c2e.1700000000." + BODY, base64.b64decode(signature))
    with pytest.raises(BadSignatureError):
        key.verify(b"17-3f9a0c2e.1700000001." + BODY, base64.b64decode(signature))
    assert version == "v1a"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "secret",
        "whsec_",
        "whsec_" + base64.b64encode(b"x" * 23).decode(),
        "whsec_" + base64.b64encode(b"x" * 65).decode(),
        "whsec_not base64",
        "whsk_" + base64.b64encode(b"x" * 31).decode(),
        "whsk_" + base64.b64encode(b"x" * 64).decode(),
        "whpk_" + base64.b64encode(b"x" * 32).decode(),
    ],
)
def test_what_is_no_secret_is_refused(text: str) -> None:
    """Too short, too long, of another kind, or the public half."""
    with pytest.raises(KeyInvalidError):
        read_key(text)
