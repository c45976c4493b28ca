"""How a list of the shop is read to its end: page by page, each record as it was received."""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any
from urllib.parse import urljoin, urlsplit

import msgspec

from talk_pipeline.engine.model import Record
from talk_pipeline.systems.customwebshop.spec.asking import DeletionList
from talk_pipeline.systems.customwebshop.spec.description import Entity
from talk_pipeline.systems.customwebshop.spec.paging import (
    Seen,
    counts,
    cut_short,
    further_page,
    named,
    tells,
)
from talk_pipeline.systems.customwebshop.spec.paths import Json
from talk_pipeline.systems.customwebshop.spec.questions import Question, question, since_query
from talk_pipeline.systems.customwebshop.wire.answers import (
    UnexpectedShapeFault,
    entries,
    raw_at,
    said_at,
    shows_error,
)
from talk_pipeline.systems.customwebshop.wire.faults import Faults
from talk_pipeline.systems.customwebshop.wire.included import with_included
from talk_pipeline.systems.customwebshop.wire.records import parse
from talk_pipeline.systems.errors import ConfigurationFault, UnavailableFault
from talk_pipeline.systems.http import Answer, Http
from talk_pipeline.systems.http.located import located
from talk_pipeline.systems.http.trail import Trail

ALONE: Mapping[str, Any] = {"parts": {}, "included": None}
"""What a list of something else than the records does not have: they alone refer to what comes beside them."""

_NOT_THERE = (404, 410)


class Lists:
    """The lists of one shop."""

    def __init__(self, http: Http, faults: Faults) -> None:
        self._http = http
        self._faults = faults

    async def one_page(
        self, entity: Entity, path: str, query: Mapping[str, Json]
    ) -> tuple[list[str], Answer]:
        """The raw records that one question brings, and the answer they are from."""
        return await self._page(entity, question(entity, path, query))

    async def pages(
        self, entity: Entity, path: str, query: Mapping[str, Json], *, certain: bool = True
    ) -> AsyncIterator[list[str]]:
        """The raw records of a list, page by page; one of uncertain paging must not look as if it went on."""
        paging = entity.paging
        base = {**query, **paging.first()}
        request = question(entity, path, base)
        trail = Trail(self._faults.shop, _place(request))
        pages = records = 0
        before: list[str] = []
        seen: Seen | None = None
        while True:
            answer = await self._answer(entity, request)
            if seen is not None and answer.status in _NOT_THERE and self._may_have_ended(entity, seen):
                yield []
                return
            elements = self._elements(entity, answer)
            if elements and elements == before:  # maybe of a cache that took one address for another
                elements, answer = await self._page(entity, request)
            if elements and elements == before:
                raise ConfigurationFault(
                    f"{self._faults.shop}: {path} answers every page alike: "
                    f"check `paging` (style {paging.style}) in CUSTOMWEBSHOP_CONNECTOR"
                )
            pages, records, before = pages + 1, records + len(elements), elements
            yield elements
            if not elements or not certain:  # what has records was read whole to find them
                data = self._faults.json(answer)
                if not certain and (sign := further_page(answer, data, entity.records)):
                    raise UnexpectedShapeFault(
                        "paging", f"the list goes on, since {sign}: say `paging` of it"
                    )
            seen = Seen(answer, partial(said_at, answer), pages, records, len(elements))
            following = paging.following(seen)
            if following is None:
                self._check_end(entity, seen)
                return
            if isinstance(following, str):
                request = request.at(on_this_server(self._http.base_url, request.path, following))
            else:
                request = question(entity, path, {**base, **following})
            trail.goes_on(_place(request), records=len(elements))

    async def deletions(self, entity: Entity, since: datetime) -> AsyncIterator[Sequence[Record]]:
        """What was deleted, where the shop has a list of it."""
        listed = entity.deleted.listed if entity.deleted else None
        if listed is None:
            return
        shape = entity.but(records=listed.records, element=None, id=listed.id, **ALONE)
        updated_since = listed.updated_since
        query = since_query(entity, updated_since, since) if updated_since else {}
        async for elements in self.pages(shape, listed.path, query):
            yield [_deletion(listed, one) for one in elements]

    def _check_end(self, entity: Entity, seen: Seen) -> None:
        """Whether a list has ended that no place says so of: one that is called otherwise is never there.

        Raises:
            UnexpectedShapeFault: something else in the answer says that it goes on.
        """
        untold = entity.paging.untold(seen)
        if seen.last and untold and (sign := self._sign(entity, seen)):
            raise UnexpectedShapeFault("paging", cut_short(sign, untold))

    def _may_have_ended(self, entity: Entity, seen: Seen) -> bool:
        """Whether a page is asked for only because the one before does not tell: a shop may have none there."""
        paging = entity.paging
        untold = paging.untold(seen) or (counts(paging) and not tells(paging))
        return bool(seen.last and untold and not self._sign(entity, seen))

    def _sign(self, entity: Entity, seen: Seen) -> str | None:
        data = self._faults.json(seen.answer)
        return further_page(seen.answer, data, entity.records, surely=True, but=named(entity.paging))

    async def _page(self, entity: Entity, request: Question) -> tuple[list[str], Answer]:
        answer = await self._answer(entity, request)
        return self._elements(entity, answer), answer

    async def _answer(self, entity: Entity, request: Question) -> Answer:
        return await self._http.read(request.path, content=request.content, answers=entity.list.empty)

    def _elements(self, entity: Entity, answer: Answer) -> list[str]:
        if answer.status in (204, *entity.list.empty):
            return []
        if not answer.ok or shows_error(entity, answer):
            raise self._faults.without_success(entity, answer)
        listed = raw_at(answer.body, entity.records)
        if ("missing" if listed is None else listed) in entity.list.empty:
            return []
        try:
            rows = entries(listed or "", entity.id.path if entity.element is None else None)
        except msgspec.DecodeError as error:
            where = f"no list at {entity.records!r}" if entity.records else "no list"
            raise self._faults.unlike("records", answer, where) from error
        texts = [bytes(row).decode() for row in rows]
        if entity.element is not None:
            inner = [raw_at(text.encode(), entity.element) for text in texts]
            if None in inner:
                where = f"entries without a record at {entity.element!r}"
                raise self._faults.unlike("element", answer, where)
            texts = [text for text in inner if text is not None]
        return with_included(entity, answer.body, texts)


def _deletion(listed: DeletionList, payload: str) -> Record:
    record_id = listed.id.read(parse(payload))
    if record_id is None:
        raise UnavailableFault(f"{listed.path}: a deletion has no {listed.id}: {payload[:200]}")
    return Record(record_id, None, None, deleted=True, payload="")


def _place(request: Question) -> str:
    """What tells one page of a list from another."""
    return f"{request.path} {request.content.decode()}" if request.content else request.path


def on_this_server(base_url: str, where: str, following: str) -> str:
    """A next address as a place on this server: tokens go nowhere else, whatever a proxy calls itself."""
    base = urlsplit(base_url)
    target = urlsplit(urljoin(located(base_url, where), following))
    return f"{base.scheme}://{base.netloc}{target.path}{'?' if target.query else ''}{target.query}"
