"""Where people look at a record in either system: an address made from a template of the settings."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from string import Formatter
from urllib.parse import quote

from talk_pipeline.flows.sides import Side

PLACES = ("id", "number", "entity", "page")


def checked_template(template: str) -> str:
    """The template, if every place of it is known.

    Raises:
        ValueError: it has another place, or none that tells one record from the next.
    """
    try:
        named = _places(template)
    except ValueError as error:
        raise ValueError(f"{error}; a place is written such as {{id}}") from None
    if unknown := sorted(named.difference(PLACES)):
        allowed = ", ".join(f"{{{name}}}" for name in PLACES)
        raise ValueError(f"{{{unknown[0]}}} is no place; allowed: {allowed}")
    if not named & {"id", "number"}:
        raise ValueError("names no record; it needs {id} or {number}")
    return template


@dataclass(frozen=True, slots=True)
class RecordPages:
    """The addresses of records, where a template is set.

    Attributes:
        templates: for either side, with places for the record's `id`, its `number`, the flow's `entity` there, and
            for Business Central the `page` that shows one.
        cards: entity of Business Central -> its page of one record, by its number in the web client.
    """

    templates: Mapping[Side, str]
    cards: Mapping[str, int] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.templates)

    def need(self, side: Side, place: str) -> bool:
        """Whether the addresses on a side are made of this place."""
        return place in _places(self.templates.get(side, ""))

    def address(self, side: Side, *, entity: str, record_id: str | None, number: str | None) -> str | None:
        """Where a record is shown; None where that cannot be told."""
        template = self.templates.get(side)
        known = {"id": record_id, "number": number, "entity": entity}
        if side is Side.BC and entity in self.cards:
            known["page"] = str(self.cards[entity])
        if template is None or record_id is None:
            return None
        wanted = _places(template)
        if not all(known.get(name) for name in wanted):
            return None
        return template.format(**{name: quote(known[name] or "", safe="") for name in wanted})


def _places(template: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(template) if name is not None}
