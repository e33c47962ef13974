"""What the web service needs besides: the keys of the case system, and the pages."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

from relay.doctor.checks import Check, fail, ok, warn
from relay.doctor.configuration import is_secure
from relay.errors import ConfigurationError, RelayError
from relay.services.pages import BUILT, Pages, PagesNotBuilt
from relay.services.token_keys import fetch_key_set, parse_key_set
from relay.settings import Settings


async def check_keys(settings: Settings) -> AsyncIterator[Check]:
    """The key set of the case system."""
    name = "key-set"
    source = settings.service_jwks
    if not source:
        yield warn(
            name, "RELAY_SERVICE_JWKS is empty: no case system can register cases or make links."
        )
        return
    if not settings.service_issuer:
        yield fail(
            name,
            "RELAY_SERVICE_ISSUER is empty: every token is refused. Name the `iss` of the tokens.",
        )
    if "://" in source and not is_secure(source):
        yield fail(
            name,
            "The key set comes by http: whoever is on the way can put their own key in. Use https.",
        )
        return
    try:
        keys, left_out = parse_key_set(await fetch_key_set(source))
    except Exception as error:  # noqa: BLE001 - whatever it is, the set cannot be read
        yield fail(
            name,
            f"The key set cannot be read ({type(error).__name__}): see that RELAY_SERVICE_JWKS names a JSON "
            "Web Key Set that this process can reach.",
        )
        return
    for why in left_out:
        yield warn(name, f"{why[0].upper()}{why[1:]}.")
    if not keys:
        yield fail(name, "No key in the set can be used: every token is refused.")
        return
    algorithms = sorted({algorithm for key in keys.values() for algorithm in key.algorithms})
    yield ok(name, f"Keys that can be used: {len(keys)}, for {', '.join(algorithms)}.")


def check_pages(folder: Path = BUILT) -> Check:
    """That every page is there and is the one that was built."""
    try:
        Pages.read(folder, embed_origins=(), public_url="").find("participant.html")
    except PagesNotBuilt:
        return fail(
            "pages",
            "They are not built: `make pages`, or install a wheel or an image that has them.",
        )
    except ConfigurationError as error:
        return fail("pages", f"{error.detail}. Nobody should open what is served.")
    except RelayError:
        return fail("pages", "The participants' page is not among them: make pages.")
    return ok("pages", "All are those that were built.")
