"""What tells one record from the next: one property, or several together, and how it is called by them."""

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import quote

from pydantic import Field

from talk_pipeline.flows.mistakes import Located, Location
from talk_pipeline.flows.properties import Model
from talk_pipeline.flows.values import Value
from talk_pipeline.systems.businesscentral.beside import Type
from talk_pipeline.systems.businesscentral.values import Kind, UnwritableError, text_of

KEYS = ("guid", "text", "code", "int")
"""Types that tell one record from the next."""

JOINED = (*KEYS, "date", "bool", "enum")
"""Types of properties that do so together."""


_FORMS = {"int": r"-?\d+", "bool": "true|false"}


class NoKeyError(Exception):
    """What is to be a key of several parts is none."""


class Keyed(Model):
    """Records with their properties, some of which tell them apart."""

    key: str = Field("id", description="the property that tells one record from the next, such as `systemId`")
    keys: tuple[str, ...] = Field(
        (),
        description="where it takes several: those of which `key` is made, a text of its own with commas between",
    )
    properties: Mapping[str, Type] = Field(
        description="property -> its type: text, code, guid, decimal, int, bool, date, datetime, duration or enum,"
        " with a length such as code(20); `read` behind it is never written"
    )

    def says(self, row: Mapping[str, Any], path: str) -> str:
        """What a record as received says of a property, be it made of several."""
        return self.id_of(row) if self.keys and path == self.key else str(row[path])

    def begun(self, record_ids: Iterable[str]) -> Iterator[str]:
        """What the first part of these keys is on the wire, as far as they are such."""
        first = self.keys[0]
        kind = self.properties[first]
        for record_id in record_ids:
            with suppress(NoKeyError):
                told = self.parts_of(record_id)[first]
                yield str(kind.write(told)) if kind.name == "enum" else told

    @property
    def kinds(self) -> Mapping[str, Kind]:
        """All that a flow may name -> its type."""
        return self.properties

    @property
    def own(self) -> tuple[str, ...]:
        """The properties that there are, without what is made of several."""
        return tuple(name for name in self.properties if not (self.keys and name == self.key))

    @property
    def key_parts(self) -> tuple[str, ...]:
        """The properties that tell one record from the next, each or together."""
        return self.keys or (self.key,)

    def id_of(self, row: Mapping[str, Any]) -> str:
        """By what a record as received is known.

        Raises:
            KeyError: it does not say so.
        """
        if not self.keys:
            return str(row[self.key])
        told = (text_of(row[name], (), self.properties[name].name == "enum") or "" for name in self.keys)
        return ",".join(one.replace("%", "%25").replace(",", "%2C") for one in told)

    def parts_of(self, record_id: str) -> dict[str, str]:
        """What the properties that tell it from the next say of a record that is known by this.

        Raises:
            NoKeyError: it is not made of them.
        """
        if not self.keys:
            return {self.key: record_id}
        said = dict(zip(self.keys, record_id.split(","), strict=False))
        if len(said) != len(self.keys) or record_id.count(",") >= len(said) or not self._are_whole(said):
            raise NoKeyError(
                f"{record_id!r} is no key: it is made of {', '.join(self.keys)}, with commas between"
            )
        return {name: one.replace("%2C", ",").replace("%25", "%") for name, one in said.items()}

    def keyed(self, record_id: str) -> str:
        """An id as it stands behind the set's name in an address."""
        told = self.parts_of(record_id).items()
        literals = [(name, quote(self.properties[name].addressed(value), safe="")) for name, value in told]
        return f"({','.join(f'{name}={value}' if len(literals) > 1 else value for name, value in literals)})"

    def encode(self, values: Mapping[str, Value]) -> dict[str, object]:
        """Text values as wire values, in the order given.

        Raises:
            UnwritableError: one is none of its property's type; the text names both.
        """
        told: dict[str, object] = {}
        for path, value in values.items():
            try:
                told[path] = self.properties[path].write(value)
            except UnwritableError as error:
                raise UnwritableError(f"{path} of Business Central: {error}") from None
        return told

    def apart(self, values: Mapping[str, Value]) -> Mapping[str, Value]:
        """Values of the properties that there are: a key that is made of several is taken apart.

        Raises:
            NoKeyError: it is no such key.
        """
        if not self.keys or self.key not in values:
            return values
        told = {name: value for name, value in values.items() if name != self.key}
        return {**self.parts_of(values[self.key] or ""), **told}

    def _are_whole(self, said: Mapping[str, str]) -> bool:
        """Whether those that are to be whole numbers, or yes or no, are."""
        kinds = {name: self.properties[name].name for name in said}
        return all(re.fullmatch(_FORMS.get(kinds[name], ".*"), one, re.DOTALL) for name, one in said.items())

    def key_problems(self) -> Located:
        """What the model alone cannot see of the key, as (key path, message)."""
        if (kind := self.properties.get(self.key)) is None:
            yield ("key",), self.lacks(self.key)
        elif kind.name not in KEYS:
            yield ("key",), f"{self.key} is no key: {kind}; allowed: {', '.join(KEYS)}"
        elif self.keys and (kind.name not in ("text", "code") or self.key in self.keys):
            yield ("key",), "is made of several: a text of its own, such as `id: text(50)`"
        yield from self._unknown(("keys",), self.keys)
        for name in (one for one in self.keys if one in self.properties):
            if (kind := self.properties[name]).name not in JOINED:
                yield ("keys",), f"{name} is no part of a key: {kind}; allowed: {', '.join(JOINED)}"

    def _unknown(self, at: Location, names: Iterable[str]) -> Located:
        yield from ((at, self.lacks(name)) for name in names if name not in self.kinds)

    def lacks(self, name: str) -> str:
        """What is said of a property that is not there."""
        return f"there is no property {name!r}; allowed: {', '.join(self.kinds)}"
