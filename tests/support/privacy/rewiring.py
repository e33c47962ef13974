"""Puts something in the place of a function or method, for the rest of a process."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import Any


def put(owner: Any, name: str, by: Callable[..., Any]) -> None:
    """Let an attribute of a module or a class be this from now on."""
    setattr(owner, name, by)


def rebind(original: Callable[..., Any], by: Callable[..., Any]) -> None:
    """Put one function in the place of another in every module that has imported it by its name."""
    for module in list(sys.modules.values()):
        for name, value in list(getattr(module, "__dict__", {}).items()):
            if value is original:
                put(module, name, by)


def after_making(kind: Any, tell: Callable[[Any], None]) -> None:
    """Have each object of a class told of, once it is made."""
    make = kind.__init__

    @functools.wraps(make)
    def made(one: Any, *args: Any, **options: Any) -> None:
        make(one, *args, **options)
        tell(one)

    put(kind, "__init__", made)


def after_calling(kind: Any, name: str, tell: Callable[[Any], None]) -> None:
    """Have what a method or function gives told of."""
    call = getattr(kind, name)

    @functools.wraps(call)
    def called(*args: Any, **options: Any) -> Any:
        found = call(*args, **options)
        tell(found)
        return found

    put(kind, name, called)


def before_calling(kind: Any, name: str, tell: Callable[..., None]) -> None:
    """Have what a method is given told of, without the object that it is of."""
    call = getattr(kind, name)

    @functools.wraps(call)
    def called(one: Any, *args: Any, **options: Any) -> Any:
        tell(*args, **options)
        return call(one, *args, **options)

    put(kind, name, called)
