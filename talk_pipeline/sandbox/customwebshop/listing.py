"""Pages of a resource in the order of its changes, and the cheap question of how much changed."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from talk_pipeline.sandbox import wire
from talk_pipeline.sandbox.customwebshop.entities import Entities
from talk_pipeline.sandbox.customwebshop.errors import malformed
from talk_pipeline.sandbox.customwebshop.fields import read_instant, show_instant
from talk_pipeline.sandbox.store import Row

MOST = 500
_USUAL = 100
_KNOWN = {"limit", "cursor", "updated_since", "include_deleted"}


@dataclass(frozen=True, slots=True)
class Wish:
    """What a caller wants to see of a resource."""

    limit: int
    after: tuple[str, str] | None
    include_deleted: bool


def read_wish(query: Mapping[str, str], *, most: int = MOST) -> Wish:
    """The parameters of a listing."""
    strange = sorted(query.keys() - _KNOWN)
    if strange:
        raise malformed(f"There is no parameter {strange[0]}.", field=strange[0])
    text = query.get("limit", str(min(_USUAL, most)))
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= most):
        raise malformed(f"limit is a number from 1 to {most}.", field="limit")
    deleted = query.get("include_deleted", "").lower()
    if deleted not in ("", "true", "false"):
        raise malformed("include_deleted is true or false.", field="include_deleted")
    include_deleted, after = deleted == "true", None
    if query.get("updated_since"):
        moment = read_instant(query["updated_since"])
        if moment is None:
            raise malformed("updated_since is an RFC 3339 time.", field="updated_since")
        after = (show_instant(moment), "")
    if query.get("cursor"):
        after, with_deleted = _read_cursor(query["cursor"])
        include_deleted = include_deleted or with_deleted
    return Wish(limit=int(text), after=after, include_deleted=include_deleted)


def page(entities: Entities, wish: Wish) -> dict[str, Any]:
    """One page."""
    rows = list(islice(_rows(entities, wish), wish.limit + 1))
    more = len(rows) > wish.limit
    rows = rows[: wish.limit]
    cursor = _cursor(rows[-1], wish) if more else None
    return {"data": [entities.show(row) for row in rows], "next_cursor": cursor}


def count(entities: Entities, wish: Wish) -> dict[str, Any]:
    """How many there are, and the time of the latest change among them."""
    number, latest = 0, None
    for row in _rows(entities, wish):
        number, latest = number + 1, row["updated_at"]
    return {"count": number, "latest": latest}


def _rows(entities: Entities, wish: Wish) -> Iterator[Row]:
    for row in entities.table.in_order(after=wish.after):
        if wish.include_deleted or row["deleted_at"] is None:
            yield row


def _cursor(last: Row, wish: Wish) -> str:
    document = wire.write([last["updated_at"], last["id"], wish.include_deleted])
    return base64.urlsafe_b64encode(document).decode().rstrip("=")


def _read_cursor(text: str) -> tuple[tuple[str, str], bool]:
    try:
        moment, key, deleted = wire.read(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (binascii.Error, wire.MalformedJson, ValueError, TypeError) as error:
        raise malformed("The cursor is malformed.", field="cursor") from error
    return (str(moment), str(key)), bool(deleted)
