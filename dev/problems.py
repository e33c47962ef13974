"""Writes docs/problems.md: every code that relay answers or ends with, from relay/problems.toml."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from http import HTTPStatus
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages
from typing import Final

import relay
from relay.errors import RelayError, sentences
from relay.handlers.problems import CHECKSUM_MISMATCH, status_of

DOCUMENT: Final = Path(__file__).parents[1] / "docs" / "problems.md"

HTTP_PACKAGES: Final = {"errors", "crypto", "domain", "storage", "services", "handlers"}
"""Where errors are defined that may reach a caller; what media and the commands raise does not."""

INTRODUCTION: Final = """# Problems

Every code of a refusal, by the status that it is answered with. Made from `relay/problems.toml` by
`python -m dev.problems`; a test holds it to that.

A refusal is a problem document (RFC 9457): `type`, `title` (the sentence below, in French where
`Accept-Language` prefers it), `status`, `code`, `instance` (the identifier of the request, for the operator)
and, where this occurrence has more to say, `detail` (in italics below, with the members that it names).
Decide by `code`, and by the status where the code is new to you. What to do is in each sentence; whether to
send the same request again stands last. Which route answers what: `openapi.yaml`.
"""

WHAT_TO_DO: Final = {
    HTTPStatus.BAD_REQUEST: (
        "no",
        "Correct the request; `detail` says what is wrong where that is known.",
    ),
    HTTPStatus.UNAUTHORIZED: (
        "after signing in",
        "Open a session, and send the request again with it.",
    ),
    HTTPStatus.FORBIDDEN: ("not as it is", "The caller is known, and may not do this."),
    HTTPStatus.NOT_FOUND: (
        "no",
        "It is not there, or it is not the caller's to see; the two look the same.",
    ),
    HTTPStatus.METHOD_NOT_ALLOWED: ("no", "Use a method that `Allow` names."),
    HTTPStatus.CONFLICT: (
        "not as it is",
        "Load what it is about again and look: something changed, or was done already.",
    ),
    HTTPStatus.GONE: ("no", "It was there, and has ended; begin anew."),
    HTTPStatus.PRECONDITION_FAILED: (
        "not as it is",
        "What the request relies on is not so. Read again what it changes, or speak tus as is named.",
    ),
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: ("no", "Send less at once."),
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: ("no", "Send the media type that the route describes."),
    HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE: (
        "no",
        "Ask for a range within what `Content-Range` names.",
    ),
    HTTPStatus.UNPROCESSABLE_ENTITY: (
        "no",
        "Look at keys, signature and content; relay does not say which it was.",
    ),
    HTTPStatus.TOO_MANY_REQUESTS: (
        "after `Retry-After` seconds",
        "Wait; trying earlier changes nothing.",
    ),
    CHECKSUM_MISMATCH: (
        "yes, from the same offset",
        "Send the same bytes again; nothing of them was kept.",
    ),
    HTTPStatus.INTERNAL_SERVER_ERROR: (
        "once",
        "A mistake in relay. Tell the operator, with `instance`; it is in the log.",
    ),
    HTTPStatus.SERVICE_UNAVAILABLE: (
        "after `Retry-After` seconds",
        "Send the same request again, and wait longer each time.",
    ),
}
"""By status: whether to try again, and what to do."""

AGAIN: Final = {
    "case-closed": "once the case is open again",
    "claim-unverified": "once a mediator has verified the claim",
    "gate-closed": "once the gates are settled",
    "lease-taken": "later, if it is still in the queue",
    "not-available-now": "later; why, and until when, is not said",
    "object-missing": "no",
    "offset-mismatch": "yes, from the offset that is named",
    "pages-not-built": "no",
    "stored-too-much": "once there is room again",
    "token-refused": "with another token",
    "too-many-drafts": "once one of them was sent or deleted",
    "too-many-uploads": "once one of them was finished or ended",
    "tus-version": "no",
    "unsent-full": "once one of them was sent or deleted",
    "upload-taken-over": "after asking where the upload stands",
    "upload-unfinished": "once the upload is whole",
    "wrong-passphrase": "with another passphrase; each is counted",
}
"""By code: whether to try again, where the status alone says something else."""


def errors() -> list[type[RelayError]]:
    """Every error of the package that has a code of its own."""
    for module in walk_packages(relay.__path__, "relay."):
        if not module.name.endswith("__main__") and ".inside." not in module.name:
            import_module(module.name)
    ours = [kind for kind in _tree(RelayError) if kind.__module__.startswith("relay.")]
    return [kind for kind in ours if "code" in vars(kind)]


def status_over_http(kind: type[RelayError]) -> int | None:
    """The status that it is answered with; None where it never reaches a caller."""
    if kind.__module__.split(".")[1] not in HTTP_PACKAGES:
        return None
    status = int(status_of(kind))
    is_answered = kind is RelayError or status != HTTPStatus.INTERNAL_SERVER_ERROR
    return status if is_answered else None


def written() -> str:
    """The whole document."""
    statuses = {kind.code: status_over_http(kind) for kind in errors()}
    lines = [INTRODUCTION]
    for status, (again, what) in sorted(WHAT_TO_DO.items()):
        codes = [code for code, found in statuses.items() if found == status]
        lines += [f"## {int(status)} {_phrase(status)}\n", f"**Try again:** {again}. {what}\n"]
        lines += [*_table({code: AGAIN.get(code, again) for code in codes}), ""]
    lines += [
        "## Not over HTTP\n",
        "What commands end with, and why a video could not be prepared (`failure` of a message).\n",
    ]
    lines += _table(dict.fromkeys(code for code, status in statuses.items() if status is None))
    return "\n".join(lines) + "\n"


def _table(codes: Mapping[str, str | None]) -> Iterator[str]:
    """A row for each code; whether to try again, where that is said of any."""
    is_told = any(codes.values())
    yield "| code | English | French |" + " try again |" * is_told
    yield "|---|---|---|" + "---|" * is_told
    for code, again in sorted(codes.items()):
        entry = sentences()[code]
        cells = [
            " ".join(filter(None, (entry[language], _more(entry, language))))
            for language in ("en", "fr")
        ]
        yield f"| `{code}` | {cells[0]} | {cells[1]} |" + f" {again} |" * is_told


def _more(entry: Mapping[str, str], language: str) -> str:
    """What an occurrence says as `detail`."""
    template = entry.get(f"occurrence-{language}")
    return f"*{template}*" if template else ""


def _phrase(status: int) -> str:
    return "Checksum Mismatch" if status == CHECKSUM_MISMATCH else HTTPStatus(status).phrase


def _tree(branch: type[RelayError]) -> Iterator[type[RelayError]]:
    yield branch
    for twig in branch.__subclasses__():
        yield from _tree(twig)


if __name__ == "__main__":
    DOCUMENT.write_text(written(), "utf-8")
