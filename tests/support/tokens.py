"""Tokens of the case system, right and wrong in every way that is known, with what relay says to each."""

from __future__ import annotations

import base64
import dataclasses
import json
import time
from collections.abc import Mapping
from typing import Any, Final

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from relay.client.certifying import key_set
from relay.domain.tokens import Refusal, Scope
from relay.testing.people import ISSUER, KEY_ID

FAR: Final = 4_102_444_800
"""A time in 2100."""

PrivateKey = Ed25519PrivateKey | rsa.RSAPrivateKey

WRONG_CLAIMS: Final[Mapping[str, tuple[Mapping[str, Any], Refusal]]] = {
    "another issuer": ({"iss": "https://elsewhere.example"}, Refusal.WRONG_ISSUER),
    "no issuer": ({"iss": None}, Refusal.NO_ISSUER),
    "another audience": ({"aud": "elsewhere"}, Refusal.WRONG_AUDIENCE),
    "a list of other audiences": ({"aud": ["elsewhere", "nowhere"]}, Refusal.WRONG_AUDIENCE),
    "a list of audiences": ({"aud": ["relay", "elsewhere"]}, Refusal.SEVERAL_AUDIENCES),
    "no audience": ({"aud": None}, Refusal.NO_AUDIENCE),
    "an empty list of audiences": ({"aud": []}, Refusal.NO_AUDIENCE),
    "no subject": ({"sub": None}, Refusal.NO_SUBJECT),
    "an empty subject": ({"sub": ""}, Refusal.WRONG_SUBJECT),
    "a subject of two lines": ({"sub": "cases\ncases"}, Refusal.WRONG_SUBJECT),
    "a subject that is a number": ({"sub": 1}, Refusal.WRONG_SUBJECT),
    "a long subject": ({"sub": "x" * 101}, Refusal.WRONG_SUBJECT),
    "no end": ({"exp": None}, Refusal.NO_END),
    "ended": ({"iat": 1, "exp": 60}, Refusal.ENDED),
    "no beginning": ({"iat": None}, Refusal.NO_BEGINNING),
    "from the future": ({"iat": FAR, "exp": FAR + 60}, Refusal.NOT_YET),
    "not before a time that has not come": ({"nbf": FAR}, Refusal.NOT_YET),
    "too long a life": ({"exp": FAR}, Refusal.LIVES_TOO_LONG),
    "an end beyond all numbers": ({"exp": 10**400}, Refusal.LIVES_TOO_LONG),
    "an end in words": ({"exp": "soon"}, Refusal.MALFORMED),
    "an end without end": ({"exp": float("inf")}, Refusal.MALFORMED),
    "an end in figures of a text": ({"exp": str(FAR)}, Refusal.WRONG_TIME),
    "a beginning in words": ({"iat": "now"}, Refusal.WRONG_TIME),
    "a time that is a truth": ({"nbf": True}, Refusal.WRONG_TIME),
    "a scope that is a list": ({"scope": list(Scope)}, Refusal.WRONG_SCOPE),
}
"""By what is wrong with them: claims that are changed, None for those that are left out, and the refusal."""

NO_TOKENS: Final[Mapping[str, str]] = {
    "dots": "..",
    "three letters": "a.b.c",
    "many dots": "." * 9,
    "a header too deep": base64.urlsafe_b64encode(b"[" * 4000).decode() + ".e30.e30",
    "an address": "https://relay.example/",
}
"""What has a dot in it, as no session and no link has, and is no token all the same."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Forge:
    """Makes tokens with the key of the case system, and with others."""

    key: Ed25519PrivateKey
    kid: str = KEY_ID

    def token(
        self,
        *,
        key: PrivateKey | None = None,
        kid: object = "",
        alg: str = "EdDSA",
        **changed: object,
    ) -> str:
        """A right one for everything, but for what is changed; None leaves a claim out, or `kid`."""
        now = int(time.time())
        right = {"iss": ISSUER, "aud": "relay", "sub": "cases", "iat": now, "exp": now + 300}
        claims = {**right, "scope": " ".join(Scope), **changed}
        kept = {name: value for name, value in claims.items() if value is not None}
        headers = {} if kid is None else {"kid": self.kid if kid == "" else kid}
        return jwt.encode(kept, key or self.key, algorithm=alg, headers=headers)

    def unsigned(self, **header: object) -> str:
        """A right one with this header, and with nothing in the place of the signature."""
        _header, claims, _signature = self.token().split(".")
        return f"{encoded(header)}.{claims}."

    def by_public_key(self, secret: bytes) -> str:
        """Signed with HMAC, with what is public in the place of the secret."""
        covered = self.unsigned(alg="HS256", kid=self.kid, typ="JWT").rpartition(".")[0]
        algorithm = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256)
        signature = base64.urlsafe_b64encode(algorithm.sign(covered.encode(), secret)).decode()
        return f"{covered}.{signature.rstrip('=')}"

    def refused(self) -> dict[str, tuple[str, Refusal]]:
        """A token for everything that can be wrong with one, and what is said to it."""
        public = self.key.public_key()
        header, claims, signature = self.token().split(".")
        return {
            **{
                what: (self.token(**changed), refusal)
                for what, (changed, refusal) in WRONG_CLAIMS.items()
            },
            **{what: (text, Refusal.MALFORMED) for what, text in NO_TOKENS.items()},
            "an empty header": ("e30.e30.", Refusal.NO_KID),
            "without a signature": (f"{header}.{claims}.", Refusal.BAD_SIGNATURE),
            "other claims than were signed": (
                f"{header}.{self.token(sub='others').split('.')[1]}.{signature}",
                Refusal.BAD_SIGNATURE,
            ),
            "another key's signature": (
                self.token(key=Ed25519PrivateKey.generate()),
                Refusal.BAD_SIGNATURE,
            ),
            "another kind of key's signature": (
                self.token(key=rsa.generate_private_key(65537, 2048), alg="RS256"),
                Refusal.WRONG_ALGORITHM,
            ),
            "no algorithm": (self.unsigned(alg="none", kid=self.kid), Refusal.WRONG_ALGORITHM),
            "an algorithm that is left out": (self.unsigned(kid=self.kid), Refusal.WRONG_ALGORITHM),
            "the public key as a secret": (
                self.by_public_key(public.public_bytes_raw()),
                Refusal.WRONG_ALGORITHM,
            ),
            "the public key's file as a secret": (
                self.by_public_key(
                    public.public_bytes(
                        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
                    )
                ),
                Refusal.WRONG_ALGORITHM,
            ),
            "no key": (self.token(kid=None), Refusal.NO_KID),
            "a key that is an object": (
                self.unsigned(alg="EdDSA", kid={"a": 1}),
                Refusal.MALFORMED,
            ),
            "what is not known and critical": (
                self.unsigned(alg="EdDSA", kid=self.kid, crit=["exp"]),
                Refusal.MALFORMED,
            ),
            "an unknown key": (self.token(kid="nobody's"), Refusal.UNKNOWN_KEY),
        }


def encoded(value: object) -> str:
    """JSON as a part of a token."""
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def jwk(key: PrivateKey, kid: str, /, **changed: object) -> dict[str, object]:
    """The public part of a key, as a member of a set; None leaves a member out."""
    if isinstance(key, Ed25519PrivateKey):
        [public] = json.loads(key_set(key, kid))["keys"]
    else:
        public = jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
        public |= {"kid": kid, "use": "sig", "alg": "RS256"}
        public.pop("key_ops", None)
    return {name: value for name, value in {**public, **changed}.items() if value is not None}


def jwks(*members: object) -> str:
    """A key set of these members."""
    return json.dumps({"keys": members})
