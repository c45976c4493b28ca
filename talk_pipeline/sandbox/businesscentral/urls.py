"""Addresses below the API root, taken apart.

What a segment means depends on the sets there are; that is decided in `service`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote

from talk_pipeline.sandbox.businesscentral import errors

_SEGMENT = re.compile(r"([$\w.]+)(?:\((.*)\))?", re.DOTALL)
_KEYS = re.compile(r"\([^()/]*\)")
_NAMED = re.compile(r"(\w+)\s*=\s*(.*)", re.DOTALL)
ROOT = re.compile(
    r"/(?:v2\.0/(?:(?P<tenant>[^/]+)/)?(?P<environment>[^/]+)|(?P<instance>[^/]+))"
    r"/api/(?P<api>v2\.0|[^/]+/[^/]+/[^/]+)(?=/|$)"
)
"""The online form with or without the tenant, and the one of a server in one's own house, of any API."""


@dataclass(frozen=True, slots=True)
class Segment:
    """One step of an address.

    Attributes:
        name: of a set, a navigation or an action.
        key: the text of the key, without quotes; None without parentheses.
        key_name: the property of an alternate key.
        quoted: whether the key stood in quotes, which the key of a record must not.
    """

    name: str
    key: str | None = None
    key_name: str | None = None
    quoted: bool = False


def segments_of(path: str) -> list[Segment]:
    """The steps of a path relative to the root; raises `errors.ApiError` for a malformed one."""
    steps = [unquote(step) for step in path.split("/") if step]
    return [_segment(step) for step in steps]


def template_of(path: str) -> str:
    """The path below the root with its keys taken out."""
    plain = unquote(path)
    match = ROOT.match(plain)
    return _KEYS.sub("({id})", plain[match.end() :] if match else plain) or "/"


def _segment(step: str) -> Segment:
    match = _SEGMENT.fullmatch(step)
    if match is None:
        raise errors.ApiError(400, "BadRequest_InvalidRequestUrl", f"The segment '{step}' is malformed.")
    name, key = match.groups()
    if key is None:
        return Segment(name)
    named = _NAMED.fullmatch(key)
    key_name = named.group(1) if named and not key.startswith("'") else None
    text = (named.group(2) if named and key_name else key).strip()
    quoted = len(text) >= 2 and text[0] == text[-1] == "'"
    if quoted:
        text = text[1:-1].replace("''", "'")
    return Segment(name, key=text, key_name=key_name, quoted=quoted)
