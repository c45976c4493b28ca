"""What a record asked for looks like on the wire: with everything that was selected and expanded.

Business Central always says what it was asked for, blanks too: answers of live services show it. A record that
lacks something is no record with a blank there: taken for one, its lines would be removed from the shop, and its
values blanked.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any

import msgspec

from talk_pipeline.flows.properties import Side
from talk_pipeline.flows.vocabulary import Flow

KNOWN = ("id", "lastModifiedDateTime")


class Row(msgspec.Struct, kw_only=True):
    """What every record has."""

    id: str
    etag: str | None = msgspec.field(name="@odata.etag", default=None)
    modified: str | None = msgspec.field(name="lastModifiedDateTime", default=None)


def selected(flow: Flow) -> tuple[str, ...]:
    """What is selected of a flow's record."""
    return tuple(dict.fromkeys((*KNOWN, *flow.fields(flow.root, Side.BC))))


def expanded(flow: Flow) -> Mapping[str, tuple[str, ...]]:
    """What is selected of each of its child collections."""
    return {path: ("id", "sequence", *fields) for path, fields in flow.listed(Side.BC).items()}


def read_row(raw: msgspec.Raw | bytes, flow: Flow) -> Row:
    """A record with all that was asked for.

    Raises:
        msgspec.DecodeError: something of it is missing, or no list where children are to be.
    """
    return msgspec.json.decode(raw, type=_row(selected(flow), tuple(expanded(flow).items())))


@cache
def _row(fields: tuple[str, ...], children: tuple[tuple[str, tuple[str, ...]], ...]) -> type[Row]:
    shape: dict[str, Any] = {name: msgspec.Raw for name in fields if name not in KNOWN}
    for path, names in children:
        child: Any = _struct(path, dict.fromkeys(names, msgspec.Raw))
        shape[path] = list[child]
    record: type[Row] = _struct("Record", shape, base=Row)
    return record


def _struct(name: str, shape: Mapping[str, Any], *, base: type[Any] = msgspec.Struct) -> Any:
    """A type whose fields must all be there, by their names on the wire."""
    names = {f"field_{at}": path for at, path in enumerate(shape)}
    fields = [(own, shape[path]) for own, path in names.items()]
    return msgspec.defstruct(name, fields, bases=(base,), rename=names, kw_only=True)
