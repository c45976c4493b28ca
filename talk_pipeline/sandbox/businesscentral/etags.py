"""Entity tags: opaque to callers, a table number and a row version inside."""

from __future__ import annotations

import base64
import binascii
import re

from talk_pipeline.sandbox.businesscentral import errors
from talk_pipeline.sandbox.businesscentral.schema import EntitySet
from talk_pipeline.sandbox.store import Row

VERSION = "_version"
_WEAK = re.compile(r'W/"([A-Za-z0-9+/]+={0,2})"')


class Versions:
    """Row versions: each one higher than all before it."""

    def __init__(self) -> None:
        self.last = 0

    def next(self) -> int:
        """A version nothing has yet."""
        self.last += 1
        return self.last


def etag_of(entity_set: EntitySet, row: Row) -> str:
    """The tag of a record as it is now."""
    plain = f"'{entity_set.table};{row[VERSION]:020d};00;'"
    return f'W/"{base64.b64encode(plain.encode()).decode()}"'


def check(if_match: str | None, entity_set: EntitySet, row: Row) -> None:
    """Let a write pass whose tag is this record's or ``*``; raises `errors.ApiError` otherwise."""
    if if_match is None or not if_match.strip():
        raise errors.bad_token("The request needs an If-Match header with the entity tag of the record.")
    given = if_match.strip()
    if given == "*":
        return
    match = _WEAK.fullmatch(given)
    if match is None:
        raise errors.bad_token("The If-Match header does not hold an entity tag.")
    try:
        base64.b64decode(match.group(1), validate=True)
    except binascii.Error as error:
        raise errors.bad_token("The If-Match header does not hold an entity tag.") from error
    if given != etag_of(entity_set, row):
        raise errors.changed()
