"""What a record asked for looks like on the wire: with everything that was selected and expanded.

Business Central always says what it was asked for, blanks too: answers of live services show it. A record that
lacks something is no record with a blank there: taken for one, its lines would be removed from the shop, and its
values blanked.
"""

import hashlib
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, Protocol, cast

import msgspec

from talk_pipeline.engine.model import Child, Contents
from talk_pipeline.flows.sides import Side
from talk_pipeline.flows.vocabulary import Flow
from talk_pipeline.systems.businesscentral.description import Decoder, EntitySet, Lines
from talk_pipeline.systems.businesscentral.queries import encoded
from talk_pipeline.systems.businesscentral.values import read_numbers

ETAG = "@odata.etag"


class Row(Protocol):
    """What every record has, beside what tells it from the next."""

    etag: str | None
    modified: str | None


class Asked:
    """A flow's records as they are asked for.

    Attributes:
        flow: whose records.
        set: what is described of them.
        selected: what is selected of a record.
        expanded: what is selected of each of its child collections.
    """

    def __init__(self, flow: Flow, described: EntitySet) -> None:
        self.flow = flow
        self.set = described
        listed = flow.listed(Side.BC)
        self.selected = _selected(described, flow.fields(flow.root, Side.BC))
        self._shown = described.shown(flow.fields(flow.root, Side.BC))
        below = {path: described.children[path] for path in listed}
        # a collection may be read for its children, and for one of them that the record itself is told by
        self.expanded: Mapping[str, tuple[str, ...]] = {
            path: tuple(dict.fromkeys((*_selected(lines, listed[path]), *self._shown.get(path, ()))))
            for path, lines in below.items()
        }
        self._shown_below = {path: lines.shown(listed[path]) for path, lines in below.items()}

    @property
    def query(self) -> dict[str, str]:
        """What to select and expand."""
        if not self.set.selects:
            return {}
        expand = [_expansion(path, self.of_child(path)) for path in self.expanded]
        expand += [
            _expansion(way, _asking(names)) for way, names in self._shown.items() if way not in self.expanded
        ]
        return _asking(self.selected, expand)

    def of_child(self, path: str) -> dict[str, str]:
        """What to select and expand of a child by itself."""
        return _asking(
            self.expanded[path],
            [_expansion(way, _asking(names)) for way, names in self._shown_below[path].items()],
        )

    @cached_property
    def question(self) -> str:
        """What to select and expand, as it stands in an address."""
        return encoded(self.query)

    @cached_property
    def question_of_child(self) -> Mapping[str, str]:
        """The same of a child by itself, for each collection."""
        return {path: encoded(self.of_child(path)) for path in self.expanded}

    def lacking(self, path: str, row: Mapping[str, Any]) -> list[str]:
        """What an answer about a child does not say, though it was asked for."""
        return [name for name in (*self.expanded[path], *self._shown_below[path]) if name not in row]

    @cached_property
    def reading(self) -> str:
        """Changes with what the description says."""
        return hashlib.sha256(self.set.model_dump_json().encode()).hexdigest()[:16]

    def row(self, raw: msgspec.Raw | bytes) -> Row:
        """A record with all that was asked for.

        Raises:
            msgspec.DecodeError: something of it is missing, be it children that are shown elsewhere, or no list
                where children are to be.
        """
        return cast(Row, msgspec.json.decode(raw, type=self._shape))

    def id_of(self, row: Row) -> str:
        """By what a record is known."""
        said = {name: getattr(row, f"key_{at}") for at, name in enumerate(self.set.key_parts)}
        return self.set.id_of(said)

    def contents(self, payload: str) -> Contents:
        """The values and children of a record."""
        data = read_numbers(payload)
        children = {
            path: tuple(
                Child(lines.id_of(row), row.get(ETAG), read(row))
                for row in lines.in_order(data.get(path, ()))
            )
            for path, (lines, read) in self._below.items()
        }
        return Contents(self._read(data), children)

    @cached_property
    def _read(self) -> Decoder:
        return self.set.decoder(self.flow.fields(self.flow.root, Side.BC))

    def child(self, path: str, row: Mapping[str, Any]) -> Child:
        """A child as it is answered by itself."""
        lines, read = self._below[path]
        return Child(lines.id_of(row), row.get(ETAG), read(row))

    @cached_property
    def _below(self) -> Mapping[str, tuple[Lines, Decoder]]:
        found = self.flow.listed(Side.BC)
        return {
            path: (lines := self.set.children[path], lines.decoder(fields)) for path, fields in found.items()
        }

    @cached_property
    def _shape(self) -> Any:
        """A record that lacks nothing but what Business Central may leave out."""
        shape: dict[str, Any] = {name: msgspec.Raw for name in self.selected if name not in self.set.known}
        shape |= dict.fromkeys(self._shown, msgspec.Raw)
        for path, names in self.expanded.items():
            child: Any = _struct(path, dict.fromkeys((*names, *self._shown_below[path]), msgspec.Raw))
            shape[path] = list[child]
        keys = {f"key_{at}": name for at, name in enumerate(self.set.key_parts)}
        told: list[Any] = [
            *((key, str | int | bool) for key in keys),
            *(("etag", str | None, None), ("modified", str | None, None)),
        ]
        called: dict[str, str] = {
            **keys,
            "etag": ETAG,
            "modified": self.set.modified or "modified",
        }
        # where there is more than a record was asked for, or it broke off, it is not the whole
        told += [(f"more_{at}", None, None) for at, _ in enumerate(self.expanded)]
        called |= {f"more_{at}": f"{path}@odata.nextLink" for at, path in enumerate(self.expanded)}
        if "error" not in shape:
            told.append(("error", None, None))
        return _struct("Record", shape, told=told, called=called)


def _selected(described: EntitySet | Lines, fields: Sequence[str]) -> tuple[str, ...]:
    """What is selected of a record itself."""
    return tuple(dict.fromkeys((*described.known, *(one for one in fields if one in described.own))))


def _asking(names: Sequence[str], expand: Sequence[str] = ()) -> dict[str, str]:
    return {"$select": ",".join(names)} | ({"$expand": ",".join(expand)} if expand else {})


def _expansion(path: str, asking: Mapping[str, str]) -> str:
    return f"{path}({';'.join(f'{key}={value}' for key, value in asking.items())})"


def _struct(
    name: str, shape: Mapping[str, Any], *, told: Sequence[Any] = (), called: Mapping[str, str] | None = None
) -> Any:
    """A type whose fields must all be there, by their names on the wire."""
    wire = {f"field_{at}": path for at, path in enumerate(shape)}
    fields = [*told, *((own, shape[path]) for own, path in wire.items())]
    return msgspec.defstruct(name, fields, rename={**wire, **(called or {})}, kw_only=True)
