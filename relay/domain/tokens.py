"""What a token of the case system lets it do, and for which reasons one is refused."""

from __future__ import annotations

from enum import StrEnum

from relay.errors import Forbidden, Unauthenticated


class Scope(StrEnum):
    """What a token is for; each route that is open to the case system asks for exactly one of them."""

    CASES_READ = "cases:read"
    CASES_WRITE = "cases:write"
    CONSENTS_WRITE = "consents:write"
    CREDENTIALS_READ = "credentials:read"
    EVENTS_READ = "events:read"
    FIGURES_READ = "figures:read"
    KEYRING_READ = "keyring:read"
    LINKS_WRITE = "links:write"
    LOG_READ = "log:read"
    NO_CONTACT_WRITE = "no-contact:write"
    WEBHOOKS_READ = "webhooks:read"
    WEBHOOKS_WRITE = "webhooks:write"


class Refusal(StrEnum):
    """Why a token is refused, as the log and its bearer are told.

    Printable ASCII without `"` and backslash, as RFC 6750 asks of an `error_description`.
    """

    MALFORMED = "This is no JSON Web Token that relay can read."
    NO_KEY_SET = "This relay has no case system."
    NO_KID = "The header names no key (kid)."
    UNKNOWN_KEY = "The key set has no key of that name (kid)."
    WRONG_ALGORITHM = "The algorithm (alg) is not the one of the key."
    BAD_SIGNATURE = "The signature is not by the key that is named (kid)."
    NO_ISSUER = "There is no issuer (iss)."
    NO_AUDIENCE = "There is no audience (aud)."
    NO_SUBJECT = "There is no subject (sub)."
    NO_BEGINNING = "It does not say when it was made (iat)."
    NO_END = "It does not say when it ends (exp)."
    WRONG_ISSUER = "It is by another issuer (iss)."
    WRONG_AUDIENCE = "It is for another audience (aud)."
    SEVERAL_AUDIENCES = "It is for other audiences as well (aud)."
    WRONG_SUBJECT = "The subject (sub) is not 1 to 100 of A-Z a-z 0-9 . _ : @ -"
    WRONG_TIME = "A time (iat, nbf, exp) is not a number of seconds."
    WRONG_SCOPE = "The scope (scope) is not one text with spaces between its parts."
    NOT_YET = "It is not valid yet (iat, nbf)."
    ENDED = "It has ended (exp)."
    LIVES_TOO_LONG = "It lives for longer than an hour (from iat to exp)."


class TokenRefused(Unauthenticated):
    """A token of the case system is not accepted."""

    code = "token-refused"

    def __init__(self, refusal: Refusal) -> None:
        self.refusal = refusal
        super().__init__(refusal, problem=refusal.value)


class ScopeMissing(Forbidden):
    """A token of the case system is not for this."""

    code = "scope-missing"

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        super().__init__(f"the token lacks {scope}", scope=scope.value)
