"""How a shop's lists go on: one small class a style, each telling the request for the page after an answer."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, field_validator

from talk_pipeline.flows.bounds import MOST
from talk_pipeline.flows.properties import Model
from talk_pipeline.redaction import redacted
from talk_pipeline.systems.customwebshop.spec import paths
from talk_pipeline.systems.customwebshop.spec.paths import MISSING, Json, JsonOrMissing
from talk_pipeline.systems.customwebshop.spec.places import Place, Said

if TYPE_CHECKING:
    from talk_pipeline.systems.http import Answer


@dataclass(frozen=True, slots=True)
class Seen:
    """What a list has shown so far.

    Attributes:
        at: tells what the last answer says at a place, or that there is none.
        pages: answers so far, the last one included.
        records: in all of them.
        last: in the last one.
    """

    answer: "Answer"
    at: Callable[[Place], Said]
    pages: int
    records: int
    last: int

    def number(self, place: Place | None) -> int | None:
        """A count the last answer gives."""
        text = self.at(place) if place else None
        return int(text) if text and text.isdigit() else None

    def leads(self, place: Place) -> str | None:
        """What leads on from the last answer: a cursor, or an address."""
        return self.at(place) or None


Following = Mapping[str, str | int] | str | None
"""Query parameters of the next page, its whole address, or nothing: the list has ended."""


class _Paging(Model):
    size_parameter: str | None = Field(None, description="query parameter with the size of a page")
    size: int = Field(100, ge=1, le=MOST)

    def sized(self) -> dict[str, str | int]:
        """The query that asks for pages of that size."""
        return {self.size_parameter: self.size} if self.size_parameter else {}

    def first(self) -> dict[str, str | int]:
        """The query of the first page."""
        return self.sized()

    def untold(self, seen: Seen) -> tuple[Place, ...]:
        """The places that are to tell whether the list goes on, and that are not in its last answer.

        Many a shop leaves them out where nothing follows; one that is called otherwise is never there.
        """
        return ()

    def is_full(self, records: int) -> bool:
        """Whether a page has as many records as one may have, as far as that is known."""
        return records >= self.size or self.model_fields_set.isdisjoint(("size", "size_parameter"))


class _Counted(_Paging):
    """Pages that say of themselves where the list ends; one without records ends it in any case."""

    total: Place | None = Field(None, description="where an answer says how many records there are")
    more: Place | None = Field(None, description="where an answer says whether there are more")

    def ended(self, seen: Seen, *, counted: bool = False) -> bool:
        """Whether an answer was the last one; `counted` where something else says that it was not."""
        if not seen.last:
            return True
        if (total := seen.number(self.total)) is not None and seen.records >= total:
            return True
        if self.more is None:
            return False
        if (more := seen.at(self.more)) is not MISSING:
            return more in _NO_MORE
        return not (counted or total is not None or self.is_full(seen.last))

    def untold(self, seen: Seen) -> tuple[Place, ...]:
        """The place that says whether there are more, unless a number does."""
        return () if seen.number(self.total) is not None else _absent(seen, self.more)


OFFSET = "{offset}"
_NO_MORE = (None, "false", "0", "no", "N")


def _absent(seen: Seen, place: Place | None) -> tuple[Place, ...]:
    return (place,) if place and seen.at(place) is MISSING else ()


class CursorPaging(_Paging):
    """The answer holds a cursor for the next page, until it is null."""

    style: Literal["cursor"]
    parameter: str = "cursor"
    next: Place
    more: Place | None = Field(None, description="where an answer says whether there are more")

    def following(self, seen: Seen) -> Following:
        """The page after an answer."""
        more = seen.at(self.more) if self.more else "true"
        if more in _NO_MORE or (more is MISSING and not seen.last):
            return None
        cursor = seen.leads(self.next)
        return {self.parameter: cursor} if cursor else None

    def untold(self, seen: Seen) -> tuple[Place, ...]:
        """The cursor, unless nothing follows, and what says so."""
        if self.more and seen.at(self.more) in _NO_MORE:
            return ()
        return (*_absent(seen, self.more), *_absent(seen, self.next))


class PagePaging(_Counted):
    """Pages by number; they end where the answer says so, else with an empty page."""

    style: Literal["page"]
    parameter: str = "page"
    start: int = Field(1, le=MOST)
    pages: Place | None = Field(None, description="where an answer says how many pages there are")

    def first(self) -> dict[str, str | int]:
        """The query of the first page."""
        return self.sized() | {self.parameter: self.start}

    def following(self, seen: Seen) -> Following:
        """The page after an answer."""
        pages = seen.number(self.pages)
        if (pages is not None and seen.pages >= pages) or self.ended(seen, counted=pages is not None):
            return None
        return {self.parameter: self.start + seen.pages}

    def untold(self, seen: Seen) -> tuple[Place, ...]:
        """The same, where the number of pages does not tell either."""
        return () if seen.number(self.pages) is not None else super().untold(seen)


class OffsetPaging(_Counted):
    """Pages by how many records come before; they end where the answer says so, else with an empty page."""

    style: Literal["offset"]
    parameter: str = "offset"
    value: str = Field(
        OFFSET, description="text around {offset}, with {size} where one parameter says both: {offset},{size}"
    )

    @field_validator("value")
    @classmethod
    def _says_where(cls, text: str) -> str:
        if OFFSET not in text:
            raise ValueError(f"says {OFFSET}, where the number of records before stands")
        return text

    def first(self) -> dict[str, str | int]:
        """The query of the first page, which need not say that nothing comes before unless it says more."""
        return self.sized() | ({} if self.value == OFFSET else self._after(0))

    def following(self, seen: Seen) -> Following:
        """The page after an answer."""
        return None if self.ended(seen) else self._after(seen.records)

    def _after(self, records: int) -> dict[str, str | int]:
        said = self.value.replace(OFFSET, str(records)).replace("{size}", str(self.size))
        return {self.parameter: records if self.value == OFFSET else said}


class LinkPaging(_Paging):
    """A Link header names the next page, until there is none."""

    style: Literal["link"]

    def following(self, seen: Seen) -> Following:
        """The page after an answer."""
        return seen.answer.links.get("next")

    def untold(self, seen: Seen) -> tuple[Place, ...]:
        """The header."""
        return () if "next" in seen.answer.links else ("header:Link",)


class NextUrlPaging(_Paging):
    """The answer holds the next page's address, until it is null."""

    style: Literal["next_url"]
    next: Place

    def following(self, seen: Seen) -> Following:
        """The page after an answer."""
        return seen.leads(self.next)

    def untold(self, seen: Seen) -> tuple[Place, ...]:
        """The address."""
        return _absent(seen, self.next)


class OnePage(_Paging):
    """Everything comes at once."""

    style: Literal["none"]

    def following(self, seen: Seen) -> Following:
        """There is none."""
        return None


Paging = Annotated[
    CursorPaging | PagePaging | OffsetPaging | LinkPaging | NextUrlPaging | OnePage,
    Field(discriminator="style"),
]


_PLACES = ("next", "more", "total", "pages")
"""What a style may have of places that tell how a list goes on."""


def counts(paging: Paging) -> bool:
    """Whether its next page is a parameter of the same question, and no address."""
    return isinstance(paging, CursorPaging | PagePaging | OffsetPaging)


def named(paging: Paging) -> frozenset[Place]:
    """The places in which a description looks for how a list goes on: what stands there was heeded already."""
    told = (getattr(paging, name, None) for name in _PLACES)
    return frozenset(place for place in told if place)


def tells(paging: Paging) -> bool:
    """Whether an answer itself says that nothing follows, so that it need not be asked for."""
    return bool(named(paging))


def told_to_end(paging: Paging, seen: Seen) -> bool:
    """Whether an answer says, where the description names a place for that, that nothing follows."""
    more = getattr(paging, "more", None)
    return more is not None and seen.at(more) in _NO_MORE


def cut_short(sign: str, untold: Sequence[Place]) -> str:
    """What is said of a list that would end too early."""
    where = " or ".join(untold)
    return f"the list goes on, since {sign}, and there is no {where}: say in `paging` where it is told"


_GOES_ON = ("hasnextpage", "hasnext", "hasmore", "more")
_LEADS_ON = ("next", "nexturl", "nextlink", "nextpage", "nextpageurl")
_CURSORS = ("nextcursor", "nextpagetoken", "nexttoken")
"""Words beside a list that say that it goes on, those of an address where it does, and those of a cursor."""


def further_beside(data: Json, path: str) -> str | None:
    """What beside a list within a record says that it goes on, where the list has an object of its own.

    A cursor says nothing there: many a list tells that of its last entry, too. What is beside a list may be values
    of the record as well, so that only a word that says nothing else counts, and an address.
    """
    around = paths.ways(path)[:1]
    beside = paths.get(data, around[0]) if around else paths.MISSING
    pending: list[tuple[str, JsonOrMissing]] = [(around[0], beside)] if around else []
    while pending:
        where, inner = pending.pop()
        for key, value in inner.items() if isinstance(inner, dict) else ():
            if isinstance(value, dict) and where == around[0]:
                pending.append((f"{where}.{key}", value))
            elif value is True and _bare(key) in _GOES_ON:
                return f"{where}.{key} is true"
            elif isinstance(value, str) and _bare(key) in _LEADS_ON and value.startswith(("/", "http")):
                return f"{where}.{key} is {redacted(value)[:80]!r}"
    return None


def _bare(key: str) -> str:
    return "".join(sign for sign in key.lower() if sign.isalpha())


def further_page(
    answer: "Answer",
    data: Json,
    records: str | None,
    *,
    surely: bool = False,
    but: frozenset[Place] = frozenset(),
) -> str | None:
    """What in an answer looks like a next page, beside its records.

    Args:
        answer: the last one of a list.
        data: what it says.
        records: where its records are.
        surely: whether only what says nothing else counts; a cursor may be that of the page itself.
        but: places that are no sign, whatever they say.
    """
    if "next" in answer.links:
        return "its Link header has a next"
    pending = [("", data)] if isinstance(data, dict) else []
    while pending:
        prefix, inner = pending.pop()
        for key, value in inner.items():
            place = f"{prefix}{key}"
            if place in but:
                continue
            if isinstance(value, dict) and place != records:
                pending.append((f"{place}.", value))
            elif value is True and _bare(key) in _GOES_ON:
                return f"{place} is true"
            elif isinstance(value, str) and value and _leads_on(key, surely=surely):
                return f"it has {place} {redacted(value)[:80]!r}"
    return None


def _leads_on(key: str, *, surely: bool) -> bool:
    if surely:
        return _bare(key) in (*_LEADS_ON, *_CURSORS)
    return "next" in key.lower() or "cursor" in key.lower()
