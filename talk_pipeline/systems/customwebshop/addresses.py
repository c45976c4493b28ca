"""The addresses of one record and of its lists."""

from collections.abc import Mapping
from urllib.parse import quote, urlencode

from talk_pipeline.systems.customwebshop.description import Call, Entity, Lines


def with_query(path: str, query: Mapping[str, str | int]) -> str:
    """A path with a query."""
    if not query:
        return path
    return f"{path}{'&' if '?' in path else '?'}{urlencode(query)}"


def list_path(entity: Entity) -> str:
    """Where the list of all records is."""
    return entity.list.path.format(path=entity.path)


def item_path(entity: Entity, record_id: str) -> str:
    """Where one record is."""
    return entity.item.format(path=entity.path, id=quote(record_id, safe=""))


def lines_path(entity: Entity, lines: Lines, record_id: str) -> str:
    """Where a record's list with a path of its own is."""
    item = item_path(entity, record_id)
    return (lines.url or "").format(path=entity.path, item=item, id=quote(record_id, safe=""))


def call_path(entity: Entity, call: Call, record_id: str | None, *, default: str) -> str:
    """Where a call goes."""
    item = item_path(entity, record_id) if record_id else ""
    where = (call.path or default).format(path=entity.path, item=item, id=quote(record_id or "", safe=""))
    return with_query(where, call.query)


def line_path(entity: Entity, lines: Lines, call: Call, *, record_id: str, line_id: str | None) -> str:
    """Where a call about one entry of a list goes."""
    where = lines_path(entity, lines, record_id)
    item = item_path(entity, record_id)
    default = "{lines}/{line}" if line_id else "{lines}"
    path = (call.path or default).format(
        lines=where, item=item, id=quote(record_id, safe=""), line=quote(line_id or "", safe="")
    )
    return with_query(path, call.query)
