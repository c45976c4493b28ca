"""A shop that replaces an object by the part of it that it is told, though its description says that it merges.

What it emptied beside would be taken for an edit of the shop, and be emptied in Business Central as well.
"""

from collections.abc import Awaitable, Callable, Iterable, Iterator

from talk_pipeline.engine.model import Outcome, Record
from talk_pipeline.systems.customwebshop.spec import paths
from talk_pipeline.systems.customwebshop.spec.calls import Call
from talk_pipeline.systems.customwebshop.spec.paths import Json
from talk_pipeline.systems.customwebshop.wire.answers import UnexpectedShapeFault
from talk_pipeline.systems.customwebshop.wire.records import Reader, parse

Making = Callable[[Call, Call], Awaitable[Outcome | None]]
"""Makes a call that says what another one carries; an outcome where it was not carried out."""


async def refuse_replaced(
    calls: Iterable[tuple[Call, Iterable[str]]], make: Making, reader: Reader, *, before: Json, after: Record
) -> None:
    """Puts back what was emptied beside what an update said.

    Args:
        calls: what was called, each with the properties that it carried.
        make: makes such a call again.
        reader: the shop's records.
        before: the record as it was.
        after: the record as it is.

    Raises:
        UnexpectedShapeFault: something was emptied.
    """
    fields = reader.fields()
    for call, names in calls:
        if call.whole or call.when or call.objects == "whole":
            continue
        told = {path for name in names for path in fields[name].targets(name)}
        places = {way for path in told if not paths.lists_on(path) for way in paths.ways(path)}
        # what is told at the top of a record, as most is, leaves nothing beside it out
        emptied = sorted(set(_emptied(places, told, before, parse(after.payload)))) if places else []
        if not emptied:
            continue
        whole = call.but(
            objects="whole", method=call.method or ("POST" if call.body is not None else "PATCH")
        )
        missed = await make(whole, call)
        put_back = f"it was not put back ({missed.reason})" if missed else "it was put back"
        text = (
            f"the shop empties {', '.join(emptied)} where it is told what is beside that: say objects: whole"
        )
        raise UnexpectedShapeFault("update.objects", f"{reader.entity.path}: update: {text}; {put_back}")


def _emptied(places: set[str], told: set[str], before: Json, now: Json) -> Iterator[str]:
    """What was filled in an object of which a part was told, where nothing else of it is left.

    One alone may be the shop's own doing, such as a region that goes with its country.
    """
    for place in places:
        was, left = paths.get(before, place), paths.get(now, place)
        if not (isinstance(was, dict) and isinstance(left, dict)):
            continue
        spoken = {step for path in told for step in _below(path, place)}
        beside = [key for key, value in was.items() if key not in spoken and paths.text_of(value)]
        if len(beside) > 1 and all(paths.text_of(left.get(key)) is None for key in beside):
            yield from (f"{place}.{key}" for key in beside)


def _below(path: str, place: str) -> Iterator[str]:
    """The step that a path makes from a place."""
    to, way = paths.steps(path), paths.steps(place)
    if to[: len(way)] == way and isinstance(step := to[len(way)], str):
        yield step
