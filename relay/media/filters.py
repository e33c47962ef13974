"""How filters are written for ffmpeg."""

from __future__ import annotations


def chain(*filters: str) -> str:
    """Filters one after another."""
    return ",".join(filters)


def named(name: str, *values: str | int, **options: str | float) -> str:
    """One filter as ffmpeg reads it; no value has a sign that it would take for its own."""
    arguments = [str(value) for value in values]
    arguments += [f"{key}={value}" for key, value in options.items()]
    return f"{name}={':'.join(arguments)}" if arguments else name
