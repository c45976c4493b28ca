"""The addresses of one record, of its lists and of what else it has elsewhere."""

from collections.abc import Mapping
from urllib.parse import unquote, urlencode, urlsplit

from talk_pipeline.systems.customwebshop.spec.calls import Call
from talk_pipeline.systems.customwebshop.spec.description import Description, Entity
from talk_pipeline.systems.customwebshop.spec.lines import Lines
from talk_pipeline.systems.customwebshop.spec.paths import Json
from talk_pipeline.systems.customwebshop.spec.templates import filled, filled_query


def with_query(path: str, query: Mapping[str, Json]) -> str:
    """A path with a query."""
    if not query:
        return path
    return f"{path}{'&' if '?' in path else '?'}{urlencode(query)}"


def base_url(url: str, description: Description) -> str:
    """The shop's address with the description's base path, however the setting was written."""
    plain = url.rstrip("/")
    return plain if plain.endswith(description.base_path) else plain + description.base_path


def list_path(entity: Entity) -> str:
    """Where the list of all records is."""
    return filled(entity.list.path, path=entity.path)


def item_path(entity: Entity, record_id: str) -> str:
    """Where one record is."""
    return filled(entity.item, path=entity.path, id=record_id)


def part_path(entity: Entity, template: str, record_id: str, *, record: Json) -> str:
    """Where something else of a record is."""
    item = item_path(entity, record_id)
    return filled(template, record=record, path=entity.path, item=item, id=record_id)


def lines_path(entity: Entity, lines: Lines, record_id: str, *, record: Json) -> str:
    """Where a record's list with a path of its own is."""
    return part_path(entity, lines.url or "", record_id, record=record)


def id_at(entity: Entity, address: str) -> str:
    """The id of a record that is said to be at an address."""
    if entity.item.startswith(("{id}", "{+id}")):
        return address
    last = unquote(urlsplit(address).path.rstrip("/").rpartition("/")[2])
    return entity.id.told(address) or last if entity.id.template else last


def call_path(entity: Entity, call: Call, ids: Mapping[str, str], *, default: str, record: Json) -> str:
    """Where a call goes; `ids` are the names it may use, with `id` where the record has one."""
    known = {"id": "", **ids, "path": entity.path}
    known["item"] = item_path(entity, known["id"]) if known["id"] else ""
    query = filled_query(call.query, record=record, **known)
    return with_query(filled(call.path or default, record=record, **known), query)


def line_path(
    entity: Entity, lines: Lines, call: Call, ids: Mapping[str, str], *, record: Json, begun: Json = None
) -> str:
    """Where a call about one entry of a list goes, or about the list; `begun` is the answer that began it."""
    where = lines_path(entity, lines, ids["id"], record=record)
    default = "{lines}/{line}" if "line" in ids and call.body is None else "{lines}"
    known = {"line": "", **ids, "lines": where, "item": item_path(entity, ids["id"])}
    query = filled_query(call.query, begun=begun, **known)
    return with_query(filled(call.path or default, begun=begun, **known), query)


def call_headers(
    call: Call, ids: Mapping[str, str], *, record: Json = None, begun: Json = None
) -> dict[str, str]:
    """What a call says in headers of its own."""
    told = filled_query(call.headers, record=record, begun=begun, **ids)
    return {name: str(value) for name, value in told.items()}
