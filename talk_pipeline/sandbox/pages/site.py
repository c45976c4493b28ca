"""The addresses of the pages, the same for both systems; what a system consists of is its desk's to say.

A form that was refused, or whose record changed meanwhile, comes back with what was typed. Nothing waits from the
look at a record's version to the write, so that nobody else writes in between.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import cache
from itertools import islice
from typing import Any
from urllib.parse import quote, urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from talk_pipeline.sandbox.control import Refused
from talk_pipeline.sandbox.pages.desk import Desk, Field, Record, Sheet, Texts
from talk_pipeline.sandbox.pages.texts import Sent, keep_seen, read_form
from talk_pipeline.sandbox.store import Row

ROOT = "/_sandbox/pages"
_ON_A_PAGE = 50
_OFFERED = 200
_AT_A_TIME = 200
_CHANGED = (
    "The record was changed meanwhile. Nothing is written yet and what you typed is kept: look, then go on."
)
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; img-src data:; style-src 'unsafe-inline'; form-action 'self';"
    " base-uri 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}


def page_routes(desk: Desk) -> list[Route]:
    """The pages of one system."""
    site = _Site(desk)
    return [
        Route(ROOT, site.guarded(site.show_index)),
        Route(f"{ROOT}/{{sheet}}", site.guarded(site.show_list)),
        Route(f"{ROOT}/{{sheet}}/new", site.guarded(site.new), methods=["GET", "POST"]),
        Route(f"{ROOT}/{{sheet}}/{{key}}", site.guarded(site.record), methods=["GET", "POST"]),
    ]


class _Site:
    """The handlers of the routes above."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def guarded(
        self, handler: Callable[[Request], Awaitable[Response]]
    ) -> Callable[..., Awaitable[Response]]:
        """A handler whose refusals are a page."""

        async def run(request: Request) -> Response:
            try:
                return await handler(request)
            except Refused as error:
                return self._page("message.html.j2", status=error.status, heading=str(error))
            except ValueError as error:
                return self._page("message.html.j2", status=400, heading=str(error))

        return run

    async def show_index(self, _request: Request) -> Response:
        return self._page("message.html.j2", heading=self._desk.title)

    async def show_list(self, request: Request) -> Response:
        sheet = self._sheet(request)
        wanted, page = request.query_params.get("q", ""), request.query_params.get("page", "")
        number = max(int(page), 1) if page.isdecimal() else 1
        start = (number - 1) * _ON_A_PAGE
        found = await self._found(sheet, wanted.strip().casefold(), start, start + _ON_A_PAGE + 1)
        return self._page(
            "list.html.j2",
            sheet=sheet,
            records=[self._desk.read(sheet, row) for row in found[:_ON_A_PAGE]],
            wanted=wanted,
            number=number,
            more=len(found) > _ON_A_PAGE,
            done=request.query_params.get("done"),
        )

    async def new(self, request: Request) -> Response:
        sheet, of = self._sheet(request), request.query_params.get("of", "")
        if sheet.of:
            self._desk.find(self._desk.sheets[sheet.of], of)
        empty = {field.name: field.default for field in sheet.fields if field.on_create}
        if request.method == "GET":
            return self._form(sheet, Record("", "", empty, of))
        sent = await read_form(request)
        try:
            key = _carried_out(lambda: self._desk.create(sheet, sent.typed, of=of))
        except Refused as error:
            return self._form(sheet, Record("", "", empty, of), typed=sent.typed, refused=error)
        return self._onward(sheet, Record(key, "", of=of), done="created")

    async def record(self, request: Request) -> Response:
        sheet, key = self._sheet(request), request.path_params["key"]
        if request.method == "GET":
            return self._form(sheet, self._desk.find(sheet, key), done=request.query_params.get("done"))
        sent = await read_form(request)
        try:
            record = self._desk.find(sheet, key)
        except Refused as error:  # it is gone, but not what was typed
            return self._form(sheet, Record(key, "", sent.seen), typed=sent.typed, refused=error)
        if sent.version != record.version:
            refused = Refused(_CHANGED, status=412)
            return self._form(sheet, record, typed=sent.typed, refused=refused, notes=sent.meanwhile(record))
        try:
            done = _carried_out(lambda: self._do(sheet, key, sent))
        except Refused as error:
            return self._form(sheet, record, typed=sent.typed, refused=error)
        return self._onward(sheet, record, done=done)

    # -- details ----------------------------------------------------------------------------------------------

    def _do(self, sheet: Sheet, key: str, sent: Sent) -> str:
        """What the button that was pressed stands for; returns what is to be said of it."""
        if sent.does == "delete":
            self._desk.delete(sheet, key)
            return "deleted"
        if sent.does in sheet.actions:
            if sent.typed:
                raise Refused("There are edits that are not saved yet: save them first.", status=409)
            self._desk.act(sheet, key, sent.does)
            return sent.does
        if sent.typed:
            self._desk.change(sheet, key, sent.typed)
            return "saved"
        return "unchanged"

    def _onward(self, sheet: Sheet, record: Record, *, done: str) -> Response:
        """To the record, to what it belongs to, or to the list if neither is there any more."""
        place = (sheet.of, record.of) if sheet.of else (sheet.name, record.key)
        try:
            self._desk.find(self._desk.sheets[place[0]], place[1])
            address = f"{ROOT}/{place[0]}/{quote(place[1], safe='')}"
        except Refused:
            address = f"{ROOT}/{place[0]}"
        return RedirectResponse(f"{address}?{urlencode({'done': done})}", status_code=303, headers=_HEADERS)

    def _form(
        self,
        sheet: Sheet,
        record: Record,
        *,
        typed: Texts | None = None,
        refused: Refused | None = None,
        notes: Texts | None = None,
        done: str | None = None,
    ) -> Response:
        """The page of a record, or of one to be made."""
        takes = [field for field in sheet.fields if (field.on_change if record.key else field.on_create)]
        lines = self._desk.sheets[sheet.lines] if sheet.lines and record.version else None
        rows = self._desk.rows(lines, of=record.key) if lines else ()
        return self._page(
            "record.html.j2",
            status=refused.status if refused else 200,
            sheet=sheet,
            record=record,
            fields=takes,
            shown=[field for field in sheet.fields if field not in takes and record.texts.get(field.name)],
            texts={**record.texts, **(typed or {})},
            seen=keep_seen({field.name: record.texts.get(field.name, "") for field in takes}),
            notes=notes or {},
            refused=str(refused) if refused else "",
            lines=lines,
            line_records=[self._desk.read(lines, row) for row in rows] if lines else [],
            offers=self._offers(takes),
            done=done,
        )

    def _offers(self, fields: list[Field]) -> dict[str, list[tuple[str, str]]]:
        targets = dict.fromkeys(field.refers_to for field in fields if field.refers_to)
        return {target: list(islice(self._desk.offers(target), _OFFERED)) for target in targets}

    async def _found(self, sheet: Sheet, wanted: str, start: int, end: int) -> list[Row]:
        """Some of the rows of a sheet that hold a text somewhere; callers of the API are answered in between."""
        found: list[Row] = []
        for number, row in enumerate([*self._desk.rows(sheet)]):
            if not wanted or _holds(row, wanted):
                found.append(row)
            if len(found) == end:
                break
            if number % _AT_A_TIME == 0:
                await asyncio.sleep(0)
        return found[start:]

    def _sheet(self, request: Request) -> Sheet:
        name = request.path_params["sheet"]
        if name not in self._desk.sheets:
            raise Refused(f"There is no page {name}.", status=404)
        return self._desk.sheets[name]

    def _page(self, template: str, *, status: int = 200, **values: Any) -> Response:
        html = _templates().get_template(template).render(desk=self._desk, root=ROOT, **values)
        return HTMLResponse(html, status_code=status, headers=_HEADERS)


@cache
def _templates() -> Environment:
    environment = Environment(
        loader=PackageLoader("talk_pipeline.sandbox.pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["part"] = lambda text: quote(text, safe="")
    return environment


def _carried_out(work: Callable[[], str]) -> str:
    """What a write returns; what cannot even be worked out is refused as the control API refuses it."""
    try:
        return work()
    except (ValueError, TypeError, ArithmeticError) as error:
        raise Refused(str(error) or type(error).__name__) from error


def _holds(value: Any, wanted: str) -> bool:
    """Whether the text is part of one in the value, which is a row or lies in one."""
    if isinstance(value, str):
        return wanted in value.casefold()
    if isinstance(value, dict):
        return any(_holds(part, wanted) for part in value.values())
    return isinstance(value, list) and any(_holds(part, wanted) for part in value)
