"""What of a record stands behind paths of its own, joined to it: its parts and lists.

An answer that is not as described is a fault of the reading, and never an empty list or part: what is missing from
a snapshot would be removed from the other system. That a status or a shape means "there is none" is for the
description to say (`empty`).
"""

import asyncio
from collections.abc import Coroutine, Iterable, Mapping
from functools import partial
from typing import Any, TypeVar

from talk_pipeline.systems.customwebshop.spec import paths
from talk_pipeline.systems.customwebshop.spec.addresses import item_path, lines_path, part_path
from talk_pipeline.systems.customwebshop.spec.asking import Listing
from talk_pipeline.systems.customwebshop.spec.description import Entity
from talk_pipeline.systems.customwebshop.spec.lines import Lines
from talk_pipeline.systems.customwebshop.spec.paging import (
    Following,
    OnePage,
    Seen,
    cut_short,
    further_beside,
)
from talk_pipeline.systems.customwebshop.spec.paths import Json, JsonOrMissing
from talk_pipeline.systems.customwebshop.spec.places import Said, said_of
from talk_pipeline.systems.customwebshop.spec.questions import asked_for, asked_of, filled_about
from talk_pipeline.systems.customwebshop.spec.templates import NoPlaceError
from talk_pipeline.systems.customwebshop.wire.answers import (
    UnexpectedShapeFault,
    blank_text,
    blank_word,
    is_missing,
    raw_at,
    record_in,
    says_missing,
    shows_error,
)
from talk_pipeline.systems.customwebshop.wire.faults import Faults
from talk_pipeline.systems.customwebshop.wire.lists import ALONE, Lists
from talk_pipeline.systems.customwebshop.wire.records import Reader, parse, with_part, with_rows
from talk_pipeline.systems.errors import SystemFault
from talk_pipeline.systems.http import Answer, Http

T = TypeVar("T")
_NO_HEADERS = Answer(200, {}, b"")
"""What a page of a list within a record is from: all that is said of it stands in the record."""


class Joiner:
    """Completes records of one shop.

    Args:
        http: the shop.
        lists: reads a list.
        faults: what an answer without success means.
    """

    def __init__(self, http: Http, lists: Lists, faults: Faults) -> None:
        self._http = http
        self._lists = lists
        self._faults = faults

    async def joined(self, reader: Reader, record_id: str, payload: str) -> str | None:
        """A record with its lists and parts from paths of their own; None where it has gone meanwhile.

        Raises:
            UnexpectedShapeFault: one of them is not as described.
        """
        try:
            for name, lines in reader.lists():
                if lines.paged_within:
                    payload = await self._with_further(reader, name, lines, record_id, payload)
            for name, part in reader.entity.parts.items():
                if part.path is None:
                    continue  # it came with the record
                payload = with_part(payload, name, await self._part(reader.entity, name, record_id, payload))
            rows = {
                name: await self._rows(reader.entity, name, lines, record_id, parse(payload))
                for name, lines in reader.lists()
                if lines.apart
            }
        except UnexpectedShapeFault:
            asked = asked_for(reader.entity, record_id)
            answer = await self._http.read(asked.path, content=asked.content)
            if is_missing(reader.entity, answer):
                return None
            raise
        return with_rows(payload, rows)

    async def _part(self, entity: Entity, name: str, record_id: str, payload: str) -> str | None:
        part, key = entity.parts[name], f"parts.{name}"
        record = parse(payload)
        try:
            path = part_path(entity, part.path or "", record_id, record=record)
            asked = asked_of(entity, path, part.body, record_id, record=record)
        except NoPlaceError:  # a record that names none has none
            return None
        answer = await self._http.read(path, content=asked.content, answers=part.empty)
        if answer.status in part.empty or says_missing(entity, answer):
            return None
        if not answer.ok or shows_error(entity, answer):
            raise _not_as_described(key, path, self._faults.without_success(entity, answer))
        try:
            found = raw_at(answer.body, part.at)
            data = paths.MISSING if found is None else parse(found)
        except ValueError as error:
            raise UnexpectedShapeFault(
                key, f"{path} answers with what is no JSON: {_start(answer)}"
            ) from error
        if blank := blank_word(data):
            if blank in part.empty:
                return None
            where = f" at {part.at!r}" if part.at else ""
            text = f"{path} has {blank_text(blank)}{where}: {_start(answer)}; {HOW}"
            raise UnexpectedShapeFault(key, text)
        return found

    async def _with_further(
        self, reader: Reader, name: str, lines: Lines, record_id: str, payload: str
    ) -> str:
        """A record with a list in it to its end, for which the record is asked for again.

        Raises:
            UnexpectedShapeFault: an answer has no record, or no further entries.
        """
        entity, paging, place = reader.entity, lines.paging, lines.path or ""
        assert paging is not None  # whoever asks knows
        data = page = parse(payload)
        rows: list[Json] = []
        been: list[Following] = [None]
        while True:
            listed = paths.get(page, place)
            found = listed if isinstance(listed, list) else []
            endless = bool(found) and found == rows[-len(found) :]
            rows += found
            seen = Seen(_NO_HEADERS, partial(_said, page), len(been), len(rows), len(found))
            following = paging.following(seen)
            if endless or (following and following in been):
                text = f"{entity.path}: the list at {place!r} comes to no end: check `paging` of it"
                raise UnexpectedShapeFault(f"children.{name}", text)
            if not isinstance(following, Mapping):
                if (untold := paging.untold(seen)) and (sign := further_beside(page, place)):
                    raise UnexpectedShapeFault(
                        f"children.{name}", f"{entity.path}: {cut_short(sign, untold)}"
                    )
                break
            been.append(following)
            page = await self._again(entity, record_id, {**paging.sized(), **following})
        if len(been) == 1:
            return payload
        paths.put(data, place, rows)
        return paths.encoded(data).decode()

    async def _again(self, entity: Entity, record_id: str, query: Mapping[str, Json]) -> Json:
        """A record asked for once more, with these parameters."""
        asked = asked_of(entity, item_path(entity, record_id), entity.read.body, record_id, query=query)
        answer = await self._http.read(asked.path, content=asked.content)
        if not answer.ok or shows_error(entity, answer):
            raise self._faults.without_success(entity, answer)
        found = record_in(answer, entity)
        if found is None:
            raise self._faults.unlike("record", answer, f"no record with {entity.id}")
        return parse(found)

    async def _rows(self, entity: Entity, name: str, lines: Lines, record_id: str, record: Json) -> str:
        key = f"children.{name}"
        shape = entity.but(
            list=Listing(empty=lines.empty),
            records=lines.records,
            element=lines.element,
            id=lines.id,
            paging=lines.paging or OnePage(style="none"),
            **ALONE,
        )
        rows = list[str]()
        try:
            path = lines_path(entity, lines, record_id, record=record)
            if lines.read.body is not None:  # a list of its own that is asked for by POST
                body = filled_about(entity, lines.read.body, record_id, record=record)
                shape = shape.but(path=path, list=shape.list.but(body=body))
        except NoPlaceError as error:
            raise UnexpectedShapeFault(f"{key}.url", str(error)) from error
        try:
            async for page in self._lists.pages(shape, path, {}, certain=lines.paging is not None):
                rows += page
        except UnexpectedShapeFault as fault:
            raise _not_as_described(key, path, fault) from fault
        if not all(row.startswith("{") for row in rows):
            raise UnexpectedShapeFault(key, f"{path}: entries are no records: {rows[0][:200]}")
        return f"[{','.join(rows)}]"


HOW = "if that is how the shop says that there is none, say so under `empty`"
APART = "if they are read at `url` alone, leave `path` out"


def _not_as_described(key: str, path: str, fault: SystemFault) -> SystemFault:
    """Where it was asked; what may be tried again stays what it is."""
    if not isinstance(fault, UnexpectedShapeFault):
        return fault
    hint = f"; {HOW}" if fault.key == "path" else ""
    return UnexpectedShapeFault(key, f"{path}: {fault}{hint}")


def check_lists(reader: Reader, data: Json, *, payload: str) -> None:
    """Whether the lists within a record are lists.

    Args:
        reader: of its flow.
        data: the record.
        payload: the same as received, for people.

    Raises:
        UnexpectedShapeFault: one is missing, or something else, and the description does not call that empty.
    """
    for name, lines in reader.lists():
        if lines.path is None:
            continue
        entries = paths.get(data, lines.path)
        blank = blank_word(entries)
        sign = None if lines.paging else further_beside(data, lines.path)
        if sign:
            text = f"{reader.entity.path}: the {name} of a record go on, since {sign}: say `paging` of them"
            raise UnexpectedShapeFault(f"children.{name}", f"{text}: {payload[:300]}")
        if blank in lines.empty or entries == []:
            continue
        if blank or not _are_entries(entries, key=lines.id.path, element=lines.element):
            excerpt = blank_text(blank) if blank else str(entries)[:200]
            where = (
                f"{reader.entity.path}: a record has {excerpt} at {lines.path!r}, where its {name} are to be"
            )
            how = f"{APART}; {HOW}" if lines.url else HOW
            if isinstance(entries, dict):
                keyed = f"an object is a list where each entry says its id too, here at {lines.id.path!r}"
                how = f"{keyed}; {how}"
            raise UnexpectedShapeFault(f"children.{name}", f"{where}: {payload[:300]}; {how}")


async def together(work: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """What comes of questions asked side by side; where one fails the others are given up before it is told.

    Left to themselves they would go on asking, over connections that nobody closes any more.
    """
    tasks = [asyncio.ensure_future(one) for one in work]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _are_entries(value: JsonOrMissing, *, key: str, element: str | None) -> bool:
    """A list of records, or an object of them keyed by their ids, which they tell themselves too."""
    if element is not None:
        return isinstance(value, list) and all(isinstance(paths.get(row, element), dict) for row in value)
    if isinstance(value, dict):
        return all(paths.get(row, key) is not paths.MISSING for row in value.values())
    return isinstance(value, list) and all(isinstance(row, dict) for row in value)


def _said(data: Json, place: str) -> Said:
    return said_of(paths.get(data, place))


def _start(answer: Answer) -> str:
    return answer.body[:200].decode(errors="replace")
