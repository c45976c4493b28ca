"""Query options, taken apart: what to select, expand, filter, sort and skip.

Whether the names in them exist is checked where they are used, in `filters` and `reading`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, quote

from talk_pipeline.sandbox.businesscentral import errors

_UNSUPPORTED = ("$search", "$apply", "$compute", "$deltatoken")


@dataclass(frozen=True, slots=True)
class Options:
    """The options of one collection or record; those of an expansion are options again."""

    filter: str | None = None
    select: tuple[str, ...] | None = None
    expand: Mapping[str, Options] = field(default_factory=dict)
    orderby: tuple[tuple[str, bool], ...] = ()
    top: int | None = None
    skip: int = 0
    count: bool = False
    skiptoken: str | None = None
    nested_functions: bool = False


def read_options(query: str) -> Options:
    """The options of a query string; names without a dollar sign are not ours."""
    pairs = dict(parse_qsl(query, keep_blank_values=True))
    for name in _UNSUPPORTED:
        if name in pairs:
            raise errors.not_implemented(f"The query option '{name}' is not supported.")
    return _options(pairs)


def with_options(query: str, *, drop: tuple[str, ...], add: Mapping[str, str]) -> str:
    """A query string with some options taken out and others added; the rest stays as it was sent."""
    remaining = [part for part in query.split("&") if part and not part.replace("%24", "$").startswith(drop)]
    return "&".join([*remaining, *(f"{name}={quote(value, safe='')}" for name, value in add.items())])


def _options(pairs: Mapping[str, str]) -> Options:
    select = pairs.get("$select")
    names = tuple(name.strip() for name in select.split(",") if name.strip()) if select else None
    return Options(
        filter=(pairs.get("$filter") or "").strip() or None,
        select=None if names is None or "*" in names else names,
        expand=_expand(pairs.get("$expand", "")),
        orderby=_orderby(pairs.get("$orderby", "")),
        top=_number(pairs, "$top"),
        skip=_number(pairs, "$skip") or 0,
        count=_flag(pairs, "$count"),
        skiptoken=pairs.get("$skiptoken"),
        nested_functions=pairs.get("$schemaversion") == "2.1",
    )


def _expand(text: str) -> dict[str, Options]:
    result = {}
    for part in _split(text, ","):
        name, opening, rest = part.partition("(")
        if opening and not rest.endswith(")"):
            raise errors.bad_query(f"The expression '{part}' in $expand is malformed.")
        inner = dict(_option(option) for option in _split(rest[:-1], ";")) if opening else {}
        result[name.strip()] = _options(inner)
    return result


def _option(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise errors.bad_query(f"The option '{text}' in $expand has no value.")
    return name.strip(), value.strip()


def _split(text: str, separator: str) -> list[str]:
    """Parts between separators that are in no parentheses and no quotes."""
    parts, depth, quoted, start = [], 0, False, 0
    for position, char in enumerate(text):
        if char == "'":
            quoted = not quoted
        elif quoted:
            continue
        elif char in "()":
            depth += 1 if char == "(" else -1
        elif char == separator and depth == 0:
            parts.append(text[start:position])
            start = position + 1
    if depth or quoted:
        raise errors.bad_query(f"The expression '{text}' has an open parenthesis or quote.")
    parts.append(text[start:])
    return [part.strip() for part in parts if part.strip()]


def _orderby(text: str) -> tuple[tuple[str, bool], ...]:
    result = []
    for part in _split(text, ","):
        name, _, direction = part.partition(" ")
        if direction.strip().lower() not in ("", "asc", "desc"):
            raise errors.bad_query(f"The expression '{part}' in $orderby is malformed.")
        result.append((name, direction.strip().lower() == "desc"))
    return tuple(result)


def _number(pairs: Mapping[str, str], name: str) -> int | None:
    text = pairs.get(name)
    if text is None:
        return None
    if not text.isascii() or not text.isdigit():
        raise errors.bad_query(f"The value '{text}' of {name} is not a number from 0 on.")
    return int(text)


def _flag(pairs: Mapping[str, str], name: str) -> bool:
    text = pairs.get(name, "false").lower()
    if text not in ("true", "false"):
        raise errors.bad_query(f"The value '{text}' of {name} is neither true nor false.")
    return text == "true"
