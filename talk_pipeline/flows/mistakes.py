"""What a model says of data that does not fit it, in the words of whoever writes a file."""

import re
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from pydantic import BaseModel

MAY_BE_SECRET = "not_a_variable"
"""The type of a mistake whose input must not be shown."""

Location = tuple[str | int, ...]
"""Where in a file something is said: the keys and numbers that lead to it."""

Located = Iterator[tuple[Location, str]]
"""What is wrong, by the place in the file where it is said."""

_KEYS_WANTED = ("dict_type", "mapping_type", "model_type", "model_attributes_type")
_LIST_WANTED = ("tuple_type", "list_type")
_ALTERNATIVE = re.compile(r"(?:function-\w+|tuple|list|literal|dict)\[.*\]|str|int|bool|float")
"""What a model calls one of several forms that a value may have; no key of a file is called so."""


def explained(model: type[BaseModel], errors: Iterable[Any]) -> Mapping[Location, str]:
    """What is wrong and what is allowed, by place; where a value may have several forms, it is told of each."""
    told: dict[Location, dict[str, str]] = {}
    for detail in errors:
        at = tuple(step for step in detail["loc"] if not _ALTERNATIVE.fullmatch(str(step)))
        told.setdefault(at, {})[_explained(model, detail)] = _found(detail)
    return {at: f"{', or '.join(texts)}{[*texts.values()][-1]}" for at, texts in told.items()}


def _explained(model: type[BaseModel], detail: Any) -> str:
    found, at = detail.get("input"), detail["loc"]
    if detail["type"] == "extra_forbidden":
        return f"unknown key; allowed: {', '.join(_keys_at(model, at[:-1]))}"
    if detail["type"] == "missing":
        return "is required"
    if detail["type"] in _KEYS_WANTED:
        allowed = ", ".join(_keys_at(model, at))
        return f"keys belong here{f', such as {allowed}' if allowed else ''}; found {_kind(found)}"
    if detail["type"] in _LIST_WANTED:
        single = isinstance(found, str | int | Decimal)
        return f"a list belongs here{f': [{found}]' if single else f'; found {_kind(found)}'}"
    return str(detail["msg"]).removeprefix("Value error, ")


def _found(detail: Any) -> str:
    """What was found, unless it is said already, or may be the secret itself."""
    found = detail.get("input")
    told = ("extra_forbidden", "missing", MAY_BE_SECRET, *_KEYS_WANTED, *_LIST_WANTED)
    if detail["type"] in told or isinstance(found, dict | list):
        return ""
    return f" (found {found if isinstance(found, Decimal) else repr(found)})"


def _kind(found: object) -> str:
    """What was found, without its content: it may be a secret in the wrong place."""
    if found is None:
        return "nothing"
    kinds: tuple[tuple[type, str], ...] = ((str, "a text"), (list, "a list"), (dict, "keys"))
    return next((name for of, name in kinds if isinstance(found, of)), "a single value")


def _keys_at(model: Any, at: Location) -> list[str]:
    """The keys allowed at a place of a model, following the fields down."""
    for step in at:
        if isinstance(step, str) and hasattr(model, "model_fields") and step in model.model_fields:
            model = model.model_fields[step].annotation
        nested = [inner for inner in getattr(model, "__args__", ()) if hasattr(inner, "model_fields")]
        if nested:
            model = nested[0]
    return [name for name, field in getattr(model, "model_fields", {}).items() if not field.exclude]
