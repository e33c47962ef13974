"""WEBCAT's rules for an application, as its browser extension and its documents have them in August 2026.

They are written down here again, in Python, to hold relay's manifest and answers to them.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping
from typing import Any, Final

FORBIDDEN_HEADERS: Final = frozenset({"location", "refresh", "link"})
"""Location is allowed for relative redirects of documents; relay has none."""
_HASH: Final = re.compile(r"'sha(256|384|512)-[A-Za-z0-9+/]+={0,2}'")
_SCRIPTS: Final = frozenset({"'none'", "'self'", "'wasm-unsafe-eval'"})
_STYLES: Final = frozenset({"'none'", "'self'", "'unsafe-inline'", "'unsafe-hashes'"})


def parsed(policy: str) -> dict[str, list[str]]:
    """The directives of a policy; the first of a name counts."""
    found: dict[str, list[str]] = {}
    for token in policy.split(";"):
        name, *values = token.split() or [""]
        if name:
            found.setdefault(name.lower(), values)
    return found


def faults_of_policy(policy: str) -> list[str]:
    """What WEBCAT would refuse in a policy; no other domain counts as enrolled."""
    if "," in policy:
        return ["a comma"]
    directives = parsed(policy)
    default = directives.get("default-src", [])
    faults = [f"default-src {value}" for value in default if value not in {"'none'", "'self'"}]
    if default != ["'none'"]:
        needed = ("object-src", "script-src", "style-src", "worker-src")
        faults += [f"without {name}" for name in needed if not directives.get(name)]
        if not (directives.get("frame-src") or directives.get("child-src")):
            faults.append("without frame-src or child-src")
    allowed = {
        "object-src": ({"'none'"}, False),
        "script-src": (_SCRIPTS, True),
        "script-src-elem": (_SCRIPTS, True),
        "style-src": (_STYLES, True),
        "style-src-elem": (_STYLES, True),
        "frame-src": ({"'none'", "'self'", "blob:", "data:"}, False),
        "child-src": ({"'none'", "'self'", "blob:", "data:"}, False),
        "worker-src": ({"'none'", "'self'"}, False),
    }
    for name, (words, hashes) in allowed.items():
        for value in directives.get(name, []):
            if value not in words and not (hashes and _HASH.fullmatch(value)):
                faults.append(f"{name} {value}")
    return faults


def faults_of_manifest(manifest: Mapping[str, Any]) -> list[str]:
    """What WEBCAT would refuse in a manifest, before it looks at signatures."""
    files = manifest.get("files") or {}
    faults = [
        f"without {name}"
        for name in ("files", "default_csp", "default_index", "default_fallback")
        if not manifest.get(name)
    ]
    if "wasm" not in manifest:
        faults.append("without wasm")
    if f"/{manifest.get('default_index')}" not in files:
        faults.append("no file at default_index")
    if manifest.get("default_fallback") not in files:
        faults.append("no file at default_fallback")
    extra = manifest.get("extra_csp") or {}
    faults += [f"extra_csp {path}" for path in extra if not path.startswith("/")]
    for policy in (manifest.get("default_csp", ""), *extra.values()):
        faults += faults_of_policy(policy)
    return faults


def policy_at(manifest: Mapping[str, Any], path: str) -> str:
    """The policy that an answer at a path has to have, letter by letter."""
    effective = manifest["default_index"] if path == "/" else path
    extra = manifest["extra_csp"]
    if effective in extra:
        return str(extra[effective])
    prefixes = [prefix for prefix in extra if effective.startswith(prefix)]
    return str(extra[max(prefixes, key=len)] if prefixes else manifest["default_csp"])


def is_content_at(manifest: Mapping[str, Any], path: str, content: bytes) -> bool:
    """Whether a document, script or style at a path is the one that was signed."""
    files = manifest["files"]
    if path in files:
        expected = files[path]
    elif path.endswith("/"):
        expected = files.get(path + manifest["default_index"])
    else:
        expected = files[manifest["default_fallback"]]
    digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).decode().rstrip("=")
    return bool(expected == digest)
