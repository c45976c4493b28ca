"""A shop that speaks XML: what it says is read as JSON would be, and what it is told is written as XML.

Entities that a document declares are neither expanded nor fetched: one that declares any is not read at all.
"""

import json
from typing import Any
from xml.parsers.expat import ExpatError

import xmltodict

from talk_pipeline.systems.customwebshop.spec.xml import Xml
from talk_pipeline.systems.errors import ConfigurationFault

_NIL = "@nil"


class XmlWire:
    """The way of a body over the line."""

    def __init__(self, said: Xml) -> None:
        self._said = said
        self._order = {name: {one: at for at, one in enumerate(names)} for name, names in said.order.items()}
        self.content_type = said.content_type

    def understood(self, body: bytes) -> bytes:
        """What was said as JSON; what is no XML, or a page for people, as it is."""
        try:
            found = xmltodict.parse(
                body,
                force_list=self._is_list,
                xml_attribs=self._said.attributes,
                postprocessor=_named,
            )
            return body if "html" in map(str.lower, found) else json.dumps(found).encode()
        except (ExpatError, ValueError, RecursionError):  # be it nested deeper than anyone can read
            return body

    def told(self, content: bytes) -> bytes:
        """A body as it is sent.

        Raises:
            ConfigurationFault: it has several roots, or names that are none of an element.
        """
        data = json.loads(content, parse_float=str, parse_int=str)
        try:
            return xmltodict.unparse(self._ordered(data)).encode()
        except ValueError as error:
            names = ", ".join(data) if isinstance(data, dict) else "a list"
            text = (
                f"what is sent is no XML ({error}): it has {names}; say `envelope` or `body`, with one root"
            )
            raise ConfigurationFault(f"CUSTOMWEBSHOP_CONNECTOR: {text}") from None

    def _is_list(self, path: Any, name: str, value: Any) -> bool:
        way = "." + ".".join([*(one.rpartition(":")[2] for one, _ in path), name])
        return any(way.endswith(f".{named}") for named in self._said.lists)

    def _ordered(self, data: Any, within: str = "") -> Any:
        """The same with the elements in each in the order that is declared, and others after them."""
        if isinstance(data, list):
            return [self._ordered(one, within) for one in data]
        if not isinstance(data, dict):
            return data
        order = self._order.get(within.rpartition(":")[2], {})
        names = sorted(data, key=lambda name: order.get(name.rpartition(":")[2], len(order)))
        return {name: self._ordered(data[name], name) for name in names}


def _named(path: Any, name: str, value: Any) -> Any:
    """An element by its own name; one that says that it is nil is nothing."""
    if name.startswith("@xmlns"):
        return None
    mark = "@" if name.startswith("@") else ""
    if isinstance(value, dict) and value.get(_NIL) in ("true", "1"):
        value = None
    return mark + name.removeprefix("@").rpartition(":")[2], value
