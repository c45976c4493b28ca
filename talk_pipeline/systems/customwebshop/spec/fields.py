"""One property of a shop record: where it is on the wire, what it looks like there, and the way back.

The flow's side of a value is always text or nothing (see `flows.values`); what cannot be understood passes as
it is, so that the flow can name it.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from functools import cached_property
from typing import Literal, Self

from pydantic import Field as Described
from pydantic import model_validator

from talk_pipeline.flows.bounds import MOST
from talk_pipeline.flows.properties import Model, Word
from talk_pipeline.flows.texts import minor_digits
from talk_pipeline.flows.values import Value
from talk_pipeline.systems.customwebshop.spec import entities, paths
from talk_pipeline.systems.customwebshop.spec.paths import Json, JsonOrMissing
from talk_pipeline.systems.customwebshop.spec.places import Path
from talk_pipeline.systems.customwebshop.spec.templates import SHOP, within
from talk_pipeline.systems.customwebshop.spec.times import Times

MOST_DECIMALS = 8
MOST_DIGITS = 100
"""What has more before or behind its point is told in a few signs and fills the memory when it is written out."""
OTHER = "*"
MINOR = ("minor", "minor_text")


class Field(Model):
    """Where a property is and what it looks like; a text alone is its path, nothing says there is none."""

    path: Path | None = Described(None, description="where it is in the record; by default its own name")
    write: Path | tuple[Path, ...] | Literal[False] | None = Described(
        None,
        description="where it is written when elsewhere, or at several places; false: it cannot be written",
    )
    emptied: Path | None = Described(
        None,
        description="what is null as a whole where the value is blank: path leads through it, as through a"
        " reference that is told by type and id",
    )
    type: Literal["text", "html", "number", "bool", "minor", "minor_text", "time", "date"] = Described(
        "text",
        description="how the value is written on the wire; html: a text in which &amp; may stand for &;"
        " minor: a whole number of minor units, minor_text: one told as text",
    )
    format: str | None = Described(None, description="of times and dates where it differs from `times`")
    currency: str | None = Described(
        None, description="property with the currency whose minor units are meant; two decimals without"
    )
    decimal: Literal[",", "."] | None = Described(
        None, description="sign before the decimals of a number told as text, such as 1.234,50"
    )
    values: Mapping[Word, Word] = Described(
        {}, description="value on the wire -> the flow's value; *: any other filled one"
    )
    factor: Decimal | None = Described(
        None,
        ge=-MOST,
        le=MOST,
        description="the value is what is on the wire times this: 100 for a share of 0.1 that is 10 %,"
        " -1 for what is taken off and told below zero",
    )
    case: Literal["lower", "upper"] | None = Described(None, description="case the shop wants")
    join: tuple[Path, ...] = Described((), description="paths that make one value, such as a name")
    separator: str = " "
    const: Word | None = Described(None, description="this value, whatever the record says; never written")
    template: str | None = Described(
        None, description="text around the value, with {} for it, and {shop} for the shop's address"
    )
    prefix: str | None = Described(
        None, description="what stands before the value, not in the shop: shops that number alike stay apart"
    )
    per: str | None = Described(None, description="the wire has the amount for this many: value times that")
    percent_off: tuple[str, ...] = Described(
        (), description="the wire has the amount left of the product of these properties"
    )

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.template is not None and self.template.count("{}") != 1:
            raise ValueError("template has one {} where the value stands")
        if self.join and self.path:
            raise ValueError("join names the paths itself: leave path out")
        if self.emptied and self.emptied not in paths.ways(self.path or ""):
            raise ValueError("emptied is on the way of path: a.b of a.b.id")
        if self.format and self.type not in ("time", "date"):
            raise ValueError("format is for type time or date")
        if self.factor == 0:
            raise ValueError("factor is not 0: every value would be")
        if self.factor and (self.type not in ("text", "number") or self.inputs):
            raise ValueError("factor is for a number by itself: leave minor, per and percent_off out")
        if self.prefix and (
            self.type != "text" or self.template or self.decimal or self.factor or self.inputs
        ):
            raise ValueError("prefix is for a text by itself: leave type, template, decimal and sums out")
        if self.decimal and self.type != "text":
            raise ValueError("decimal is for a number told as text: leave type out")
        return self

    def at_home(self, address: str) -> Self:
        """The same with the shop's address where its template names it."""
        if self.template is None or SHOP not in self.template:
            return self
        return self.but(template=self.template.replace(SHOP, address))

    @property
    def writable(self) -> bool:
        """Whether the shop takes it."""
        return self.write is not False and self.const is None

    @property
    def is_text(self) -> bool:
        """Whether it is text that people write, and no number told as one."""
        return self.type in ("text", "html") and not (self.decimal or self.factor or self.inputs)

    @cached_property
    def as_it_is(self) -> bool:
        """Whether what is on the wire is the value itself."""
        told_otherwise = (
            self.template or self.prefix or self.decimal or self.factor or self.inputs or self.values
        )
        return self.type in ("text", "number", "bool") and not told_otherwise

    @cached_property
    def by_itself(self) -> bool:
        """Whether the value is what is at one place, as it is; so are nearly all."""
        return self.as_it_is and self.const is None and not self.join

    @cached_property
    def inputs(self) -> tuple[str, ...]:
        """The properties its place on the wire depends on as well."""
        return (*((self.per,) if self.per else ()), *self.percent_off)

    def sources(self, name: str) -> tuple[str, ...]:
        """Where it is read from."""
        if self.const is not None:
            return ()
        return self.join or (self.path or name,)

    def targets(self, name: str) -> tuple[str, ...]:
        """Where it is written."""
        if isinstance(self.write, tuple):
            return self.write
        return (self.write or self.path or name,)

    def read(
        self, data: Json, name: str, *, known: Mapping[str, Value], times: Times, nothing: Json = None
    ) -> Value:
        """The value in a record.

        Args:
            data: the record.
            name: the property.
            known: properties read already, for those it depends on.
            times: the shop's moments.
            nothing: what stands where nothing is, but of what is true or false itself.
        """
        if self.const is not None:
            return self.const
        if self.join:
            texts = (self._text(data, source, nothing) for source in self.join)
            value = self.separator.join(text for text in texts if text is not None) or None
        else:
            value = self._text(data, self.path or name, nothing)
        if self.values and (value or "") in self.values:
            return self.values[value or ""]
        if value is None or self.as_it_is:
            return value
        try:
            return self.values.get(OTHER) or self._understood(value, known, times)
        except ArithmeticError:  # a number larger or finer than any that can be reckoned with
            return value

    def encode(self, value: Value, *, known: Mapping[str, Value], times: Times) -> Json:
        """The value as JSON takes it; `known` are the record's properties as they are to be."""
        if value is None:
            return None
        value = next((wire for wire, ours in self.values.items() if ours == value and wire != OTHER), value)
        if self.case:
            value = value.lower() if self.case == "lower" else value.upper()
        return self._wire(value, known, times)

    def parts(self, value: Value) -> dict[str, Value]:
        """A composed value taken apart: the last word is the last part's, the rest the first's."""
        words = value.rsplit(self.separator, len(self.join) - 1) if value else []
        wire = [entities.encoded(word) for word in words] if self.type == "html" else words
        return {path: wire[at] if at < len(wire) else None for at, path in enumerate(self.join)}

    def is_nothing(self, found: JsonOrMissing, nothing: Json) -> bool:
        """Whether that is what stands where nothing is; what is true or false itself says something by it."""
        return found is nothing and self.type != "bool"

    def _text(self, data: Json, place: str, nothing: Json) -> Value:
        found = paths.get(data, place)
        return None if self.is_nothing(found, nothing) else paths.text_of(found)

    def _understood(self, value: str, known: Mapping[str, Value], times: Times) -> Value:
        if self.type == "html":
            value = entities.decoded(value)
        if self.template:
            inner = within(self.template, value)
            if inner is None:
                return value
            value = inner
        if self.prefix:
            return self.prefix + value
        if self.decimal:
            value = _pointed(value, self.decimal)
        if self.type == "time":
            moment = self._times(times).read(value)
            return value if moment is None else Times("rfc3339", UTC).write(moment)  # type: ignore[return-value]
        if self.type == "date":
            return _date(value, self.format, "%Y-%m-%d")
        if self.factor is not None:
            number = _number(value)
            return value if number is None else format(_plain(number * self.factor), "f")
        if self.type in MINOR:
            value = self._major(value, known)
        return self._divided(value, known) if self.inputs else value

    def _wire(self, value: str, known: Mapping[str, Value], times: Times) -> Json:
        if self.type == "html":
            value = entities.encoded(value)
        if self.type == "bool":
            return {"true": True, "false": False}.get(value, value)
        if self.type == "time":
            moment = Times("rfc3339", UTC).read(value)
            return value if moment is None else self._times(times).write(moment)
        if self.type == "date":
            return _date(value, "%Y-%m-%d", self.format)
        if self.template:
            return self.template.replace("{}", value)
        if self.prefix:
            return value.removeprefix(self.prefix)
        number = _number(value)
        if number is None:
            return value
        if self.factor is not None:
            number = _plain(number / self.factor)
        if self.inputs:
            number = self._multiplied(number, known)
        if self.type in MINOR:
            units = int(number.scaleb(self._digits(known)).to_integral_value(ROUND_HALF_UP))
            return units if self.type == "minor" else str(units)
        if self.decimal:
            return format(number, "f").replace(".", self.decimal)
        if self.type == "number":
            return number
        return format(number, "f") if self.inputs or self.factor else value

    def _times(self, times: Times) -> Times:
        return Times(self.format, times.zone) if self.format else times

    def _digits(self, known: Mapping[str, Value]) -> int:
        currency = (known.get(self.currency) or "") if self.currency else ""
        return minor_digits(currency.upper())

    def _major(self, value: str, known: Mapping[str, Value]) -> str:
        number = _number(value)
        if number is None or number != number.to_integral_value():
            return f"{value} (no whole number of minor units)"
        return format(number.scaleb(-self._digits(known)), "f")

    def _multiplied(self, number: Decimal, known: Mapping[str, Value]) -> Decimal:
        """The amount the wire has for a value."""
        if self.per:
            return _plain(number * (_number(known.get(self.per)) or 0))
        return _plain(self._gross(known) * (100 - number) / 100)

    def _divided(self, value: str, known: Mapping[str, Value]) -> str:
        """The value with the fewest decimals that gives the amount on the wire, as far as that shows decimals."""
        amount = _number(value)
        base = _number(known.get(self.per)) if self.per else self._gross(known)
        if amount is None or not base:
            return value if amount is None else ("0" if self.percent_off else format(amount, "f"))
        exact = amount / base if self.per else (1 - amount / base) * 100
        unit = Decimal(1).scaleb(int(amount.as_tuple().exponent))
        for decimals in range(MOST_DECIMALS + 1):
            short = exact.quantize(Decimal(1).scaleb(-decimals))
            if self._multiplied(short, known).quantize(unit) == amount:
                return format(_plain(short), "f")
        return format(_plain(exact.quantize(Decimal(1).scaleb(-MOST_DECIMALS))), "f")

    def _gross(self, known: Mapping[str, Value]) -> Decimal:
        product = Decimal(1)
        for name in self.percent_off:
            product *= _number(known.get(name)) or 0
        return product


def _pointed(text: str, decimal: str) -> str:
    """A number as text with a decimal point and nothing between its thousands; what is none stays as it is."""
    bare = text.replace("." if decimal == "," else ",", "")
    pointed = "".join(bare.split()).replace("'", "").replace("’", "").replace(decimal, ".")
    return text if _number(pointed) is None else pointed


def field_for(fields: Mapping[str, Field | None], name: str) -> Field | None:
    """How a property is told; None when the shop has none, be it by itself or as one of a group."""
    if name in fields:
        return fields[name]
    group = name
    while group := group.rpartition(".")[0]:
        if group in fields:
            return fields[group]
    return AS_NAMED


AS_NAMED = Field()


def _number(text: Value) -> Decimal | None:
    try:
        number = Decimal(text) if text is not None else None
    except InvalidOperation:
        return None
    known = number is not None and number.is_finite() and abs(number.adjusted()) < MOST_DIGITS
    return number if known else None


def _plain(number: Decimal) -> Decimal:
    """Without trailing zeros, and without an exponent; nothing is no less than nothing."""
    short = number.normalize() + 0
    return short if int(short.as_tuple().exponent) <= 0 else short.quantize(Decimal(1))


def _date(value: str, given: str | None, wanted: str | None) -> str:
    try:
        moment = datetime.strptime(value, given) if given else datetime.fromisoformat(value)  # noqa: DTZ007
    except ValueError:
        return value
    return moment.strftime(wanted) if wanted else moment.date().isoformat()
