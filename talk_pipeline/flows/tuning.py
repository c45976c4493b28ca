"""What may be tuned without touching a mapping: who gets a counterpart, who wins, how much a run may do."""

from collections.abc import Mapping
from typing import Any, Literal, Self

from pydantic import AliasChoices, Field, model_validator

from talk_pipeline.flows.bounds import MOST, MOST_MINUTES, MOST_ROUNDS, MOST_SECONDS
from talk_pipeline.flows.properties import Model, Policy, Word
from talk_pipeline.flows.sides import Side


class Limit(Model):
    """How many records an operation may reach unapproved; in a file a number alone stands for `count`."""

    count: int | None = Field(None, ge=0, le=MOST, description="more records than this")
    share: float | None = Field(
        None, ge=0, le=1, description="more than this share, once `minimum` are reached"
    )
    minimum: int | None = Field(
        None, ge=1, le=MOST, description="for this share instead of the breaker's own"
    )

    @model_validator(mode="before")
    @classmethod
    def _counted(cls, data: Any) -> Any:
        return {"count": data} if isinstance(data, int) and not isinstance(data, bool) else data


class Breaker(Model):
    """The circuit breaker: what a run does not do until a person approves it."""

    share: float = Field(
        0.5, gt=0, le=1, description="of the linked pairs changed, first meetings not counted"
    )
    minimum: int = Field(25, ge=1, le=MOST, description="fewer records than this exceed no share")
    first_meetings: Limit = Field(
        Limit(share=0.5), description="pairs that meet for the first time and differ, of all that do"
    )
    disappeared: Limit = Field(Limit(count=10), description="of the records held, in one full scan")
    creates: Limit = Field(Limit(), description="no limit unless one is set: a first sync creates in numbers")
    updates: Limit = Field(Limit(), description="first meetings and lines counted")
    deletes: Limit = Field(
        Limit(count=10, share=0.5, minimum=3),
        description="in number by records and removed lines, in share by records that lose all their lines too",
    )


class Condition(Model):
    """What a property's value must be; in a file a list alone stands for `one_of`."""

    one_of: tuple[Word, ...] = Field((), description="it is one of these")
    none_of: tuple[Word, ...] = Field((), description="it is none of these")
    filled: bool | None = Field(None, description="true: not blank; false: blank")
    at_least: Word | None = Field(None, description="for numbers and dates")
    at_most: Word | None = Field(None, description="for numbers and dates")

    @model_validator(mode="before")
    @classmethod
    def _listed(cls, data: Any) -> Any:
        return {"one_of": data} if isinstance(data, list | tuple) else data

    @property
    def opposite(self) -> "Condition | None":
        """What holds for exactly the other records; None where no single condition says that."""
        match self.model_dump(exclude_defaults=True):
            case {"one_of": words, **more} if not more:
                return Condition(none_of=words)
            case {"none_of": words, **more} if not more:
                return Condition(one_of=words)
            case {"filled": filled, **more} if not more:
                return Condition(filled=not filled)
        return None

    def __str__(self) -> str:
        phrases = [", ".join(self.one_of)] if self.one_of else []
        phrases += [f"none of {', '.join(self.none_of)}"] if self.none_of else []
        if self.filled is not None:
            phrases.append("filled" if self.filled else "blank")
        phrases += [f"at least {self.at_least}"] if self.at_least is not None else []
        phrases += [f"at most {self.at_most}"] if self.at_most is not None else []
        return "; ".join(phrases)


Disappearance = Literal["flag", "unlink", "block", "delete"]


class Settings(Model):
    """What may be tuned without touching the mapping."""

    create: Literal["always", "both", "businesscentral", "when_referenced", "never"] = Field(
        "always",
        description="who gets a counterpart: every shop record, records of both sides, those of Business Central "
        "alone, shop records that a synchronized record refers to, or none (links only)",
    )
    create_scope: Mapping[str, Condition] = Field({}, description="what a shop record must be to be created")
    create_scope_businesscentral: Mapping[str, Condition] = Field(
        {},
        description="what a record of Business Central must be to get one in the shop, where both sides create; in"
        " the words of the shop, as values are compared",
    )
    scope: Mapping[str, Condition] = Field(
        {}, description="what a shop record must be to be synchronized at all; its link outlasts it"
    )
    shared: Literal["businesscentral"] | None = Field(
        None,
        description="side on which several records of the other may share one: one is linked with it and leads, "
        "others are attached by hand, or by `shared_by`; what refers to them goes to the one they share. The lead "
        "passes on to the only one left in scope when the one that leads is deleted or leaves it, else by hand",
    )
    shared_by: tuple[str, ...] = Field(
        (), description="match properties by which a record attaches itself to a pair that has its key"
    )
    master: Side = Field(Side.SHOP, description="wins ties, and first meetings under `fill`")
    conflict: Policy = Field(
        "last_writer",
        description="who wins where both sides edited a property; `manual` leaves it to a person",
    )
    initial: Literal["fill", "customwebshop", "businesscentral", "manual"] = Field(
        "fill",
        description="how two records that both existed meet: the master fills what differs (a blank never "
        "overwrites), one side wins, or a person decides",
    )
    disappearance: Disappearance | Mapping[Side, Disappearance] = Field(
        "flag", description="what follows when a record left: for both sides, or by the side it left from"
    )
    blocked_by: Mapping[str, Word] = Field({}, description="what takes a record out of use, for policy block")
    number: Literal["shop", "series"] = Field(
        "shop", description="who numbers a new record: the shop, or Business Central's number series"
    )
    constants: Mapping[str, Word] = Field({}, description="values of properties that have no shop path")
    tolerance: float = Field(
        0, ge=0, le=MOST, description="how far properties with `=` may differ before a warning"
    )
    hold_if_totals_differ: bool = Field(
        False,
        description="whether a record waits whose `composed_of` differs from the shop's number by more than that",
    )
    quiet_seconds: int = Field(
        0,
        ge=0,
        le=MOST_SECONDS,
        validation_alias=AliasChoices("quiet_seconds", "settle_seconds"),
        description="how long a record must rest before its edits travel; `settle_seconds` is its earlier name",
    )
    overlap_minutes: int = Field(
        5,
        ge=0,
        le=MOST_MINUTES,
        description="how far before the watermark is read again, for what was committed late",
    )
    full_scan_minutes: int = Field(
        1440,
        ge=1,
        le=MOST_MINUTES,
        description="how often both sides are read in full, for what no modified time tells",
    )
    max_rounds: int = Field(
        5,
        ge=1,
        le=MOST_ROUNDS,
        description="how often a run plans anew what turned out to be stale",
    )
    breaker: Breaker = Field(Breaker(), description="how much a run may do before a person approves it")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.shared_by and not self.shared:
            raise ValueError("shared_by needs shared: businesscentral")
        if self.create_scope_businesscentral and not self.creates(Side.SHOP):
            raise ValueError("create_scope_businesscentral needs create: both, or businesscentral")
        return self

    def creates(self, side: Side) -> bool:
        """Whether a record of the other side may get a new one on this one."""
        if side is Side.SHOP:
            return self.create in ("both", "businesscentral")
        return self.create in ("always", "both", "when_referenced")

    def created_while(self, side: Side) -> Mapping[str, Condition]:
        """What a record of a side must be to be created on the other."""
        return self.create_scope if side is Side.SHOP else self.create_scope_businesscentral

    def disappearance_from(self, side: Side) -> Disappearance:
        """What follows when a record disappears from a side."""
        if isinstance(self.disappearance, str):
            return self.disappearance
        return self.disappearance.get(side, "flag")
