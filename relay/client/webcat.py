"""What WEBCAT, which holds a browser to a signed list of an application's files, is told of relay's pages.

The form is that of its manifest (version of August 2026): addresses with SHA-256, the exact policy of each
address, and the WebAssembly that may run. Signing it and enrolling a domain is with whoever runs that domain.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable, Mapping
from typing import Final, TypedDict

from relay.domain.page_rules import (
    ADDRESSES,
    API_POLICY,
    LOGO_PATH,
    LOGO_POLICY,
    file_of,
    headers_of,
)

SOURCE: Final = "https://relay.example/source"
"""Where a manifest says the sources are, until there is a release."""
_POLICY: Final = "Content-Security-Policy"
_FALLBACK: Final = "/kiosk"
"""The participants' document, which is also at each link and wherever nothing is."""
_WASM: Final = re.compile(rb"""["'`](AGFzbQ[A-Za-z0-9+/]+={0,2})["'`]""")
_MAGIC: Final = b"\0asm"


class Manifest(TypedDict):
    """WEBCAT's own form of it."""

    app: str
    version: str
    default_csp: str
    extra_csp: dict[str, str]
    default_index: str
    default_fallback: str
    files: dict[str, str]
    wasm: list[str]


def webcat_manifest(files: Mapping[str, bytes], version: str, origins: tuple[str, ...]) -> Manifest:
    """The manifest of a build, unsigned; `origins` may frame the console. `files` has the list as well."""
    policies = {path: policy for path, policy, _content in _served(files, origins)}
    default = policies[_FALLBACK]
    extra = {
        path: policy
        for path, policy in policies.items()
        if policy != default and not path.startswith("/assets/")
    }
    extra |= {"/assets/": _policy_of_assets(policies), "/v1/": API_POLICY}
    extra[LOGO_PATH] = LOGO_POLICY
    return {
        "app": SOURCE,
        "version": version,
        "default_csp": default,
        "extra_csp": dict(sorted(extra.items())),
        "default_index": _FALLBACK.removeprefix("/"),
        "default_fallback": _FALLBACK,
        "files": {path: _sha256(content) for path, _policy, content in _served(files, origins)},
        "wasm": sorted(
            {_sha256(module) for content in files.values() for module in _wasm(content)}
        ),
    }


def _served(
    files: Mapping[str, bytes], origins: tuple[str, ...]
) -> Iterable[tuple[str, str, bytes]]:
    """Every fixed address, its policy, and what is there; links have addresses of their own kind."""
    named = [(path, name) for path, name in ADDRESSES if name and "{" not in path]
    named += [(f"/{name}", name) for name in files if name.startswith("assets/")]
    for path, name in named:
        content = files[file_of(name)]
        yield path, headers_of(name, content, origins)[_POLICY], content


def _policy_of_assets(policies: Mapping[str, str]) -> str:
    [policy] = {policy for path, policy in policies.items() if path.startswith("/assets/")}
    return policy


def _wasm(content: bytes) -> Iterable[bytes]:
    """The WebAssembly that a script has in it, as base64."""
    for text in _WASM.findall(content):
        module = base64.b64decode(text + b"=" * (-len(text) % 4))
        if module.startswith(_MAGIC):
            yield module


def _sha256(content: bytes) -> str:
    digest = hashlib.sha256(content).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")
