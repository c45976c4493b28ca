"""One row of a flow's property table, and the words it is written in."""

from collections.abc import Mapping
from decimal import Decimal
from functools import cached_property
from typing import Annotated, Any, Literal, Self, cast

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema, model_validator

from talk_pipeline.flows.sides import Side
from talk_pipeline.flows.types import Amount, ValueType, parse_type, split_type
from talk_pipeline.flows.values import Context, UnmappableError, Value, tidy

Policy = Literal["last_writer", "customwebshop", "businesscentral", "manual"]


def _text(value: object) -> object:
    """YAML reads true, 5 and 1.10 as what they look like; in a flow file they are texts."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int | Decimal) else value


Word = Annotated[
    str, BeforeValidator(_text), WithJsonSchema({"type": ["string", "number", "boolean"]}, mode="validation")
]


class Model(BaseModel):
    """Strict and frozen: an unknown key is a mistake, and nothing changes a flow once it is loaded."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    def but(self, **values: Any) -> Self:
        """The same with other values; what was concluded from the old ones is not kept."""
        said = self.model_fields_set | set(values)
        changed = self.model_construct(_fields_set=said, **{**dict(self), **values})
        return cast(Self, changed)


class WhenAll(Model):
    """A value of the parent that holds when two numbers agree, above zero, on every child in scope."""

    children: str = Field(description="the child collection")
    equal: tuple[str, str] = Field(description="the two Business Central numbers of a child")
    gives: str = Field(description="the shop's value when they agree on every child")


class Composition(Model):
    """What a compared number is made of, as Business Central reckons: told before a record is there."""

    children: tuple[str, ...] = Field(
        description="the child collections that are summed, by their `comes_to`"
    )
    less: Mapping[str, tuple[str, ...]] = Field(
        {},
        description="property that is taken off -> the child collections that bear it, as far as they come to it",
    )
    rounded_in: str | None = Field(
        None, description="property with the currency to whose smallest unit is rounded; else two decimals"
    )
    known_while: Mapping[str, Word] = Field(
        {},
        description="what the record must be: otherwise the number rests on what Business Central alone knows,"
        " such as a rate of tax, and nothing is said of it before",
    )


class ComesTo(Model):
    """What a child comes to: a product, rounded, less a percentage of it, rounded."""

    multiplied: tuple[str, ...] = Field(description="the properties that are multiplied")
    less_percent: str | None = Field(None, description="property with the percentage that is taken off")


class Property(Model):
    """One row of a flow's property table."""

    shop: str | None = Field(None, description="path in the shop's record; `a | b` takes the first filled")
    name: str = Field("", description="what the property is called; by default its shop path")
    dir: Literal["<->", "->", "<-", "=", "-"] = Field(
        description="both ways, to Business Central, to the shop, compared and never written, or read for scopes"
    )
    bc: str = Field("", description="path in Business Central's record; there may be none where dir is -")
    type: str = Field(description="canonical type: how values are compared, checked and carried over")
    only: Literal["create"] | None = Field(None, description="`create`: sent with a new record, never after")
    required: bool = Field(False, description="a blank stops the record instead of being sent")
    values: Mapping[Word, Word] = Field({}, description="shop value -> Business Central value")
    reads: Mapping[Word, Word] = Field({}, description="further Business Central values -> shop value")
    blank: Word | None = Field(
        None, description="what a blank shop value means, and Business Central is told: a default"
    )
    blank_keeps: bool = Field(
        False,
        description="a blank of the shop never empties Business Central: what it holds stays, and is in step",
    )
    split: tuple[str, ...] = Field(
        (),
        description="properties over which a text goes on that is too long for this one: itself, then the next;"
        " split between words, and one text again where the shop has one place for them",
    )
    country: str | None = Field(None, description="property with the country the value is read in")
    in_currency: str | None = Field(None, description="shop path of the currency; must be the local one")
    otherwise: str | None = Field(
        None,
        description="flow whose record of the same shop record is meant where a reference is blank: such as the"
        " guest who placed an order without an account",
    )
    of: str | None = Field(
        None,
        description="property with the shop's id of the record that is meant with `otherwise`, where that is"
        " another one: such as the order of a refund",
    )
    told_by: str | None = Field(
        None,
        description="property of the other flow by which Business Central tells the record, instead of its id; with"
        " only: create. What is written so waits until there is a word",
    )
    told_as: str | None = Field(
        None, description="what the shop is told instead, with {} for the value: an address made of an id"
    )
    usable_while: Mapping[str, Word] = Field({}, description="what a referenced record must be, else wait")
    recreates: tuple[str, ...] = Field(
        (), description="children Business Central makes anew on a change; unless said here, as described"
    )
    send_with: tuple[str, ...] = Field(
        (),
        description="properties that go along in the same body; unless said here, those that Business Central would"
        " set anew, as described",
    )
    written: Literal["last"] | None = Field(
        None, description="`last`: in a request after the children; unless said here, as described"
    )
    conflict: Policy | None = Field(None, description="a policy of its own, beside `settings.conflict`")
    keep: tuple[Word, ...] = Field((), description="shop values that are never overwritten")
    when_all: WhenAll | None = Field(None, description="a value concluded from all children")
    when_closed: Word | None = Field(None, description="the shop's value once the record's story ended")
    composed_of: Composition | None = Field(
        None, description="for dir =: what Business Central will make of a record that is not there yet"
    )

    @model_validator(mode="before")
    @classmethod
    def _named(cls, data: Any) -> Any:
        if isinstance(data, dict) and not data.get("name"):
            paths = str(data.get("shop") or data.get("bc") or "").split("|")
            return {**data, "name": paths[0].strip()}
        return data

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        _ = self.value_type, self._writing
        if self.mapped and not self.bc:
            raise ValueError("a property says where it lives in Business Central: bc; without it, dir is -")
        sent_once = self.dir == "->" and self.only == "create"
        if self.shop is None and self.mapped and not (self.two_way or sent_once):
            raise ValueError(
                "a property without a shop path is a constant: dir -> and only: create, or <-> where the shop has"
                " no place for another value"
            )
        if self.blank is not None:
            try:
                self.canonical(Side.SHOP, value=self.blank, context=Context())
            except UnmappableError as error:
                raise ValueError(f"what a blank means, {error}") from error
        if self.otherwise and (not self.refers_to or self.blank is not None):
            raise ValueError("otherwise is for a reference, and instead of what a blank means")
        if self.of and not self.otherwise:
            raise ValueError("of is for what is meant otherwise")
        if self.told_by and not (self.refers_to and self.only):
            raise ValueError("told_by is for a reference that is only: create")
        if self.told_as and (self.dir != "<-" or "{}" not in self.told_as or self.values or self.reads):
            raise ValueError("told_as holds {}, and is for what goes to the shop alone, by no values")
        if self.composed_of and (self.dir != "=" or not self.is_number):
            raise ValueError("composed_of is for numbers that are compared alone: dir =")
        if self.blank_keeps and (not self.goes_to(Side.BC) or self.required or self.blank is not None):
            raise ValueError(
                "blank_keeps is for what goes to Business Central on an edit and may be blank: dir <-> or ->,"
                " without only, required and blank"
            )
        return self

    @cached_property
    def value_type(self) -> ValueType:
        """The canonical type."""
        return parse_type(self.type, country=self.country)

    @cached_property
    def refers_to(self) -> str | None:
        """The flow a reference points into."""
        name, argument = split_type(self.type)
        return argument if name == "reference" else None

    def unsaid(self, shop_id: Value) -> Value:
        """What a reference is to that the shop leaves blank: the default, or what stands in for it."""
        return f"{self.otherwise}:{shop_id}" if self.otherwise and shop_id else self.blank

    def told(self, value: Value) -> Value:
        """A reference as Business Central says it: the record's id, or what it is told by, which says so."""
        return f"{self.told_by}:{value}" if self.told_by and value is not None else value

    def stands_in(self, value: Value) -> bool:
        """Whether that is what stands in for a blank."""
        return bool(value and self.otherwise and value.startswith(f"{self.otherwise}:"))

    def referred(self, value: str) -> tuple[str, str]:
        """The flow and the shop's id of what a reference is to."""
        if self.stands_in(value):
            return self.otherwise or "", value.partition(":")[2]
        return self.refers_to or "", value

    @cached_property
    def shop_paths(self) -> tuple[str, ...]:
        """Paths in the shop's record, the first filled one counts."""
        return tuple(path.strip() for path in self.shop.split("|")) if self.shop else ()

    def paths(self, side: Side) -> tuple[str, ...]:
        """Where the property lives on a side."""
        return self.shop_paths if side is Side.SHOP else ((self.bc,) if self.bc else ())

    def goes_to(self, side: Side) -> bool:
        """Whether an edit of the other side is ever written to this one."""
        return self.only is None and self._leads_to(side)

    def comes_with_new(self, side: Side) -> bool:
        """Whether a new record of this side is told it."""
        return self._leads_to(side) and bool(self.paths(side))

    def _leads_to(self, side: Side) -> bool:
        return self.dir in (("<->", "->") if side is Side.BC else ("<->", "<-"))

    @property
    def is_number(self) -> bool:
        """Whether the canonical type is a decimal."""
        return isinstance(self.value_type, Amount)

    @property
    def is_words(self) -> bool:
        """Whether it holds free words, such as a name, a street or a number to call; none that are mapped."""
        free = split_type(self.type)[0] in ("text", "code", "email", "phone", "registration")
        return free and self.shop is not None and not (self.values or self.reads)

    @property
    def derived(self) -> bool:
        """Whether Business Central's value is concluded from more than its own property."""
        return self.when_all is not None or self.when_closed is not None

    @property
    def mapped(self) -> bool:
        """Whether it is the two sides' to agree on; else it is read alone, to tell records apart."""
        return self.dir != "-"

    @property
    def two_way(self) -> bool:
        """Whether edits travel in both directions."""
        return self.dir == "<->"

    @cached_property
    def _reading(self) -> dict[str, str]:
        return {bc: shop for shop, bc in self.values.items()} | dict(self.reads)

    @cached_property
    def _writing(self) -> dict[Value, str]:
        """By the form in which the shop's words are compared."""
        return {self.value_type.canonical(shop, Context()): bc for shop, bc in self.values.items()}

    def wordless(self, toward: Side) -> bool:
        """Whether a blank of the other side is not said to this one: it is to keep what it holds, or has no word.

        Blank still compares as blank. A new record keeps what it is given there; an edit to blank is not sent,
        since it would leave a record that cannot be used, such as an item without a unit.
        """
        return self._wordless[toward]

    @cached_property
    def _wordless(self) -> dict[Side, bool]:
        shop_blank, bc_blank = (self.value_type.canonical(blank, Context()) for blank in (None, self.blank))
        no_blank = "" not in self._reading if self._reading else self.blank is not None
        return {
            Side.SHOP: no_blank and shop_blank is None,
            Side.BC: self.blank_keeps or (bool(self.values) and bc_blank not in self._writing),
        }

    def _read(self, value: Value) -> Value:
        if self.told_as and value is not None:
            return self.told_as.replace("{}", value)
        if not self._reading or (value is None and self.wordless(Side.SHOP)):
            return value
        if (value or "") not in self._reading:
            allowed = ", ".join(repr(known) for known in self._reading)
            text = "blank" if value is None else repr(value)
            raise UnmappableError(f"{text} is not among the values the flow maps: {allowed}")
        return self._reading[value or ""]

    def canonical(self, side: Side, *, value: Value, context: Context) -> Value:
        """The form in which the two sides are compared: the shop's vocabulary, the type's canonical form.

        Raises:
            UnmappableError: the other side could not represent the value.
        """
        value = tidy(value)
        if value is None and side is Side.SHOP:
            value = self.blank
        if side is Side.BC:
            value = self._read(value)
        if value is None and self.required:
            raise UnmappableError("is blank, but must not be")
        canonical = self.value_type.canonical(value, context)
        if self.values and canonical is not None and canonical not in self._writing:
            raise UnmappableError(
                f"{value!r} is not among the values the flow maps: {', '.join(self.values)}"
            )
        return canonical

    def recanonical(self, side: Side, *, value: Value, context: Context) -> Value:
        """The canonical form of a value kept as a base; derived ones were kept in that form."""
        if self.derived and side is Side.BC:
            return value
        return self.canonical(side, value=value, context=context)

    def convert(self, toward: Side, *, value: Value, context: Context) -> Value:
        """The value to send to a side, from what the other side holds.

        Raises:
            UnmappableError: that side cannot represent it.
        """
        canonical = self.recanonical(toward.other, value=value, context=context)
        if canonical is None and self.wordless(toward) and not self.blank_keeps:
            words = ", ".join(repr(word) for word in (self.values or self._reading.values()))
            told = (
                f"the values the flow maps have no blank: {words}"
                if words
                else f"a blank in the shop means {self.blank!r}"
            )
            raise UnmappableError(f"is blank, and {told}")
        if toward is Side.BC and self.values:
            return self._writing[canonical]
        if toward is Side.SHOP and (self._reading or self.told_as):
            return canonical
        if toward is Side.BC and tidy(value) is None:
            value = self.blank
        return self.value_type.convert(value, context)

    def equal(self, shop: Value, bc: Value, before: Value = None) -> bool:
        """Whether two canonical forms say the same, by what the shop said when they last did."""
        return self.value_type.equal(shop, bc, before)
