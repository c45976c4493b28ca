"""Where a record of Business Central goes when it is no longer among those of its flow; declarations alone."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from pydantic import Field

from talk_pipeline.flows.mistakes import Located
from talk_pipeline.flows.properties import Model, Property, Word
from talk_pipeline.flows.scoping import Words


class ClosedBy(Model):
    """Where a record goes when its story ends."""

    entity: str = Field(description="the described entity set in which it goes on, such as `salesInvoices`")
    record: str = Field(description="the property there that holds the record's id")
    key: str = Field(description="the property there that holds the record's create key")
    called: Mapping[str, str] = Field(
        {},
        description="what is said there of the record itself, by its own property: how others refer to a record"
        " (`told_by`) that was posted before anybody read it",
    )
    same: tuple[str, ...] = Field(
        (),
        description="what is said there of the record itself under the same name: of these, and of what it is"
        " `called`, the `scope` is asked there too, since another shop's may have the same key; where it asks for"
        " something else as well, a key alone closes nothing. Nor does it where a reference among these is to"
        " another record than the shop's",
    )
    sums: tuple[str, ...] = Field(
        (),
        description="numbers of the record that are the sum of the same ones there, once its story has ended; where"
        " the shop says something else, beyond `tolerance`, that is listed until somebody takes note of it",
    )
    without: Mapping[str, tuple[Word, ...]] = Field(
        {},
        description="what counts for nothing, by the values that it has there: neither in these sums nor as an end,"
        " so that a record of which nothing else is there was not posted",
    )

    @property
    def named(self) -> Iterator[tuple[str, str]]:
        """Properties there, each with the key that names it: by which records are looked for, and what is read."""
        yield from (("record", self.record), ("key", self.key))
        yield from (("called", name) for name in self.called.values())
        for key in ("same", "sums", "without"):
            yield from ((key, name) for name in getattr(self, key))

    def asked(self, scope: Words, references: Iterable[Property]) -> tuple[str, ...]:
        """The properties by which records of a scope are looked for there, and what is read of them."""
        return self.record, self.key, *self.asks(scope), *self.refers(references), *self.counted

    def asks(self, scope: Words) -> dict[str, tuple[str, ...]]:
        """What a scope of the record asks for there: what is not said there of the record tells nothing."""
        return {self._there[path]: words for path, words in scope.items() if path in self._there}

    def refers(self, references: Iterable[Property]) -> tuple[str, ...]:
        """Where the record refers to others, as far as it is said there: by the key alone it may be another's."""
        return tuple(prop.bc for prop in references if prop.bc in self.same)

    def leaves_open(self, scope: Iterable[str]) -> list[str]:
        """What a scope of the record asks for that is not said there: by the key alone it may be another shop's."""
        return [path for path in scope if path not in self._there]

    @property
    def _there(self) -> dict[str, str]:
        """What is said there of the record itself, by its own property."""
        return {name: name for name in self.same} | {**self.called}

    @property
    def counted(self) -> tuple[str, ...]:
        """What is read of the records there, beside that by which they are looked for."""
        return *self.called.values(), *self.sums, *self.without


class ArchivedIn(Model):
    """Where versions of a record are kept, those of deleted ones too; they have ids of their own."""

    entity: str = Field(
        description="the described entity set of what is archived, such as `salesOrderArchives`"
    )
    key: str = Field(description="the property there that holds the record's create key")

    @property
    def named(self) -> Iterator[tuple[str, str]]:
        """The property by which records are looked for there, with the key that names it."""
        yield "key", self.key

    def asked(self, scope: Words, references: Iterable[Property]) -> tuple[str, ...]:
        """The properties by which records are looked for there, whatever their scope and what they refer to."""
        return (self.key,)


def summed(closed: ClosedBy | None, properties: Sequence[Property]) -> list[Property]:
    """The properties that are compared with such sums."""
    return [prop for prop in properties if closed and prop.dir == "=" and prop.bc in closed.sums]


def ending_problems(closed: ClosedBy | None, properties: tuple[Property, ...]) -> Located:
    """Sums that no property is compared with, and names that no property has, as (key path, message)."""
    paths = [prop.bc for prop in properties if prop.bc]
    for name in closed.called if closed else ():
        if name not in paths:
            text = f"no property has bc: {name!r}; allowed: {', '.join(paths)}"
            yield ("businesscentral", "closed_by", "called"), text
    compared = {prop.bc: prop for prop in properties if prop.dir == "="}
    for name in closed.sums if closed else ():
        if name not in compared:
            text = f"no property of dir = is {name!r}; allowed: {', '.join(map(str, compared)) or 'none'}"
            yield ("businesscentral", "closed_by", "sums"), text
