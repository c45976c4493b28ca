"""What becomes of one row of a document: a row of a flow, or one for a person, with the reason and a way out.

A row is taken only where both names are known and the flow has the two in one row of its table. Anything else is
listed: what is alike is proposed there, and never taken.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from talk_pipeline.documents.model import Row, Section, Table
from talk_pipeline.documents.types import Fit, fit
from talk_pipeline.documents.vocabulary import Known, Names
from talk_pipeline.flows.properties import Property
from talk_pipeline.flows.sides import Side


class Why(StrEnum):
    """Why a row is no row of a flow."""

    NO_FLOW = "no flow synchronizes these records"
    OTHER_RECORDS = "other records of the shop lead to the same flow"
    NO_PAIR = "it does not name a property on each side"
    NO_TABLE = "the table is neither of properties nor of merge conditions"
    TWICE = "the same pair stands in an earlier row"
    NEITHER_KNOWN = "neither name is known"
    SHOP_UNKNOWN = "the shop's description knows no such property"
    SHOP_UNCLEAR = "the shop's name means several properties"
    BC_UNKNOWN = "Business Central has no such property"
    OTHER_PAIR = "the flow keeps other properties in step"
    NO_KEY = "lines are matched by one property, then by position"
    SEVERAL_KEYS = "a flow matches by one property after the other, never by several at once"


@dataclass(frozen=True, slots=True)
class Found:
    """What a row names.

    Attributes:
        known: the records, where the row leads to any that a flow has.
        prop: the property of the flow, where both names are known and belong together.
        why: set where there is none.
        way_out: what a person can do, with a row or a line to copy.
        fit: how the type the document gives stands to Business Central's.
        kind: Business Central's type, where the property is known.
    """

    known: Known | None
    prop: Property | None
    why: Why | None = None
    way_out: str = ""
    fit: Fit = Fit.UNSAID
    kind: str = ""


def find(section: Section, row: Row, names: Names) -> Found:
    """What a row of a section names; whether it stands twice, or belongs to other records, is not asked here."""
    known = names.records(section.bc, section.shop) if section.toward else None
    if known is None:
        return Found(None, None, Why.NO_FLOW, f"there are flows for {names.synchronized}")
    if row.table is Table.UNKNOWN:
        return Found(known, None, Why.NO_TABLE, "name one property on each side, and the data type")
    if not (any(map(str.isalnum, row.shop)) and any(map(str.isalnum, row.bc))):
        return Found(known, None, Why.NO_PAIR, "name one property on each side, or drop the row")
    if (there := known.bc_name(row.bc)) and names.own.has(section, row):
        # it may name a constant, or what the flow calls a property that this shop calls otherwise
        return Found(known, known.flow_property(there), fit=Fit.FITS, kind=known.entity.kinds[there].name)
    known, shop, bc = _inner(known, row, names)
    return _pair(known, shop, bc, row, compared=section.toward is Side.BC)


def _inner(known: Known, row: Row, names: Names) -> tuple[Known, str, str]:
    """A dotted name of Business Central may begin with the lines it is of: `salesOrderLines.quantity`."""
    first, dot, rest = row.bc.partition(".")
    lines = names.records(first) if dot else None
    if lines is None or known.part.name not in (lines.part.parent, lines.part.name):
        return known, row.shop, row.bc
    inner, dot, of_line = row.shop.partition(".")
    return lines, of_line if lines.is_called(inner) else row.shop, rest


def _pair(known: Known, shop: str, bc: str, row: Row, *, compared: bool) -> Found:
    there = known.bc_name(bc)
    named = known.shop_properties(shop)
    kind = known.entity.kinds[there].name if there else ""
    fits = fit(row.type, kind) if there and compared else Fit.UNSAID
    if there is None:
        like = known.like_bc(bc)
        text = f"{known.there} has {like}: is that it?" if like else "say which property is meant"
        if len(named) == 1 and named[0].bc:
            text = f"the flow keeps {named[0].shop} in step with {named[0].bc}; {text}"
        why = Why.BC_UNKNOWN if named else Why.NEITHER_KNOWN
        return Found(known, None, why, text)
    own = known.flow_property(there)
    if own is not None and own.name in {prop.name for prop in named}:
        if len(named) == 1:
            return Found(known, own, fit=fits, kind=kind)
        return Found(known, None, Why.SHOP_UNCLEAR, _several(named), fits, kind)
    if own is not None and not named:
        return Found(known, None, Why.SHOP_UNKNOWN, _called(known, own, shop), fits, kind)
    if len(named) > 1:
        return Found(known, None, Why.SHOP_UNCLEAR, _several(named), fits, kind)
    if named:
        return Found(known, None, Why.OTHER_PAIR, _other(known, named[0], own, there), fits, kind)
    like = known.like_shop(shop)
    text = f"the shop has {like}; " if like else ""
    return Found(known, None, Why.SHOP_UNKNOWN, text + _row(known, shop, there), fits, kind)


def _several(named: list[Property]) -> str:
    return f"it is {' and '.join(prop.name for prop in named)}: say which is meant"


def _called(known: Known, own: Property, shop: str) -> str:
    """The flow has the other half of the row: is this what the shop calls it?"""
    if own.shop is None:
        return f"{own.bc} is a constant of the flow (settings.constants)"
    like = known.like_shop(shop)
    hint = f"; the shop's {like} is most alike" if like and like not in own.shop_paths else ""
    path = own.shop_paths[0]
    text = f"the flow keeps {own.bc} in step with {own.shop}{hint}"
    return f"{text}; where the shop calls it so, its description says `{path}: {_word(shop)}` under fields"


def _other(known: Known, named: Property, own: Property | None, bc: str) -> str:
    instead = f"{named.shop} goes with {named.bc or 'nothing'}"
    if own is not None and own.shop:
        instead += f", and {bc} with {own.shop}"
    return f"in the flow {instead}; {_row(known, named.shop_paths[0], bc)}"


def _row(known: Known, shop: str, bc: str) -> str:
    """A row to copy, of the type that holds what Business Central does."""
    kind = known.entity.kinds[bc]
    travels = "<-" if kind.read_only else "<->"
    of_type = TYPES[kind.name](kind.size)
    return f"a row for it is `{{shop: {_word(shop)}, dir: {travels}, bc: {bc}, type: {of_type}}}`"


def _word(text: str) -> str:
    """A text as it stands in a flow file."""
    safe = text.replace("_", "").replace(".", "").isalnum() and not text[:1].isdigit()
    return text if safe else '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


TYPES: Mapping[str, Callable[[int | None], str]] = {
    "code": lambda size: f"code({size or 20})",
    "text": lambda size: f"text({size or 100})",
    "enum": lambda _size: "text(20)",
    "guid": lambda _size: "text(36)",
    "decimal": lambda _size: "decimal(5)",
    "int": lambda _size: "decimal(0)",
    "bool": lambda _size: "bool",
    "date": lambda _size: "date",
    "datetime": lambda _size: "moment",
    "duration": lambda _size: "text(30)",
}
"""Type in a description of an entity set -> the type of a flow that holds what it does, by its length."""
