"""Pages: templates, the language of whoever looks, and what a request has with it."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Final

import jinja2
from aiohttp import web
from markupsafe import Markup

from example_host.context import CONTEXT
from example_host.staff import Member, form_token
from example_host.texts import LANGUAGES, TEXTS, preferred, text

MEMBER: Final = web.RequestKey("member", Member)
COOKIE: Final = web.RequestKey("cookie", str)
"""What forms on this page are tied to: the session, or before it the form's own cookie."""
LANGUAGE_COOKIE: Final = "language"
_MONTHS: Final = {
    "en": "January February March April May June July August September October November December",
    "fr": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
}

_TEMPLATES: Final = jinja2.Environment(
    loader=jinja2.FileSystemLoader(Path(__file__).with_name("templates")),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def language_of(request: web.Request) -> str:
    """The language that was chosen, or that the browser asks for."""
    chosen = request.cookies.get(LANGUAGE_COOKIE, "")
    return chosen if chosen in LANGUAGES else preferred(request.headers.get("Accept-Language", ""))


def shown(when: datetime, language: str, zone: tzinfo) -> Markup:
    """A date and time of a zone, as it is written in a language."""
    when = when.astimezone(zone)
    month = _MONTHS[language].split()[when.month - 1]
    clock = f"{when:%H:%M}" if language == "en" else f"{when:%H} h {when:%M}"
    day, hour = f"{when.day} {month} {when.year},", f"{clock} {when.tzname()}"
    words = " ".join(part.replace(" ", "\u00a0") for part in (day, hour))
    return Markup('<time datetime="{}">{}</time>').format(f"{when:%Y-%m-%dT%H:%M%z}", words)


def refusal(code: str, language: str) -> str:
    """Why relay refused something, and what to do."""
    key = f"refused.{code}"
    return text(key, language) if key in TEXTS else text("refused.other", language, code=code)


def page(
    request: web.Request,
    template: str,
    values: Mapping[str, object] | None = None,
    *,
    status: int = 200,
    language: str | None = None,
) -> web.Response:
    """A page of a template, for whoever asks."""
    language = language or language_of(request)

    def translated(key: str, **words: object) -> Markup:
        """Autoescaped here: a time is markup, a name never."""
        return Markup(TEXTS[key][language]).format(**words)  # noqa: S704 - our own texts  # nosec B704

    context = request.app[CONTEXT]
    content = _TEMPLATES.get_template(template).render(
        {
            "t": translated,
            "text_in": text,
            "language": language,
            "other_language": "fr" if language == "en" else "en",
            "path": request.path,
            "member": request.get(MEMBER),
            "form_token": form_token(request.get(COOKIE, "")),
            "shown": functools.partial(shown, language=language, zone=context.settings.time_zone),
            "refusal": functools.partial(refusal, language=language),
            "texts": TEXTS,
            "settings": context.settings,
            "refresh": None,
            "saved": request.query.get("saved", ""),
            **(values or {}),
        }
    )
    return web.Response(text=content, content_type="text/html", status=status)


def sorry(request: web.Request, key: str, status: int) -> web.Response:
    """A page that says what did not work."""
    return page(request, "error.html", {"why": key}, status=status)
