"""The control API under ``/_sandbox``, the part both servers have. It needs no token and counts nowhere.

What a browser asks for on behalf of a page of another origin is refused; see `same_origin`. The pages for people
lie beside it, under ``/_sandbox/pages``.

========  =====================  ====================================================================
method    path                   JSON
========  =====================  ====================================================================
POST      ``/reset``             optional ``{"size": 100, "seed": 1}`` for generated records instead of
                                 those it started with, or ``{"empty": true}`` for none but reference
                                 data. Also drops faults and requests seen, and takes limits, clock and
                                 settings back to their defaults
POST      ``/faults``            a list of rules, added to those in force; ``GET`` lists them with how
                                 often each matched, ``DELETE`` drops them all
POST      ``/limits``            any of ``rate, window, concurrency, queue, queue_timeout, page_size,
                                 batch_size, latency, operation_latency, operation_timeout`` (seconds,
                                 counts; 0 = off); ``GET`` shows all
POST      ``/clock``             ``{"offset": seconds}``: how wrong the server's clock is; ``GET`` shows
POST      ``/settings``          named alternatives of this server; ``GET`` shows each with its value,
                                 default, choices and meaning
POST      ``/backup``            ``{"name": "yesterday"}``: keeps a copy of this server's records in memory, with
                                 its counters of ids, numbers and versions
POST      ``/restore``           ``{"name": "yesterday"}``: they are what they were; clock and settings stay
GET       ``/requests``          what was asked since the start, the last reset or the last ``DELETE``
GET       ``/records``           ``?set=customers&set=orders``: several sets at once, ``{"customers": [...], ...}``
GET       ``/records/{set}``     ``{"records": [...]}``: all there are, in the shop deleted ones too, as the back
                                 office sees them; ``/records/{set}/{id}`` is one of them
POST      ``/records/{set}``     a record made by the back office:
                                 ``{"values": {...}, "modified_seconds_ago": 30}``
PATCH     ``/records/{set}/{id}``  the same for a change, and for the injection of a late commit: the
                                 record shows a modified time in the past
DELETE    ``/records/{set}/{id}``  removed by the back office
========  =====================  ====================================================================

A rule is ``{"match": {"method": "PATCH", "path": "customers", "nth": 2}, "fault": {...}, "times": 1}``.
``path`` is a part of the path, a glob or a regular expression; keys may be written ``({id})`` for Business
Central and ``{id}`` for the shop. Parts of a batch match like calls of their own. ``times`` null means from
the nth matching call on for ever; beside it ``"share": 0.2`` lets chance hit a fifth of them. A call that several
rules match is hit by the first that still has hits left.
The fault is one or more of::

    {"status": 503, "when": "before" | "after", "body": ..., "content_type": "text/html"}
    {"headers": {"Location": "..."}} {"echo": true, "body": "you sent {authorization}"}
    {"retry_after": 2 | "Wed, 21 Oct 2026 07:28:00 GMT"}
    {"delay": 1.5}    {"hold": true}    {"drip": 3}    {"truncate": true}
    {"drop": "before" | "after"}     {"expired_token": true}
    {"stale_page": "previous" | "same" | true}

``GET /requests`` answers ``total``, ``by_path`` ("GET /companies({id})/customers": n), ``batch_parts`` (the
same for parts of batches), ``statuses``, ``reads``, ``writes`` (entity -> create, update, delete; parts of
batches and order lines singly, only what was really written), ``writes_total``, ``highest_concurrency`` (calls
that waited for their answer at once, as the callers see it), ``highest_running`` (of those, worked on at once),
``throttled`` (429 answers given) and ``faults`` (calls hit by one).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Protocol

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from talk_pipeline.sandbox import wire
from talk_pipeline.sandbox.faults import BadRule, read_rules
from talk_pipeline.sandbox.gateway import Gateway
from talk_pipeline.sandbox.settings import Settings

Handler = Callable[[Request], Awaitable[Response]]


class Refused(Exception):
    """A control call that cannot be carried out; the text says why."""

    def __init__(self, message: str, *, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


class System(Protocol):
    """What the control API needs to know of the system it controls."""

    settings: Settings

    def reset(self, *, size: int | None, seed: int | None, empty: bool) -> None:
        """Put the records back."""

    def backup(self) -> Any:
        """All that this system keeps, as it is now."""

    def restore(self, copy: Any) -> None:
        """Put back what `backup` gave."""

    def back_office(
        self, verb: str, collection: str, *, key: str, values: Mapping[str, Any], seconds_ago: float
    ) -> Mapping[str, Any]:
        """Create, update or delete a record as if from inside the system; raises `Refused`."""

    def records(self, collection: str) -> Sequence[Mapping[str, Any]]:
        """All records of a set; raises `Refused`."""

    def record(self, collection: str, key: str) -> Mapping[str, Any]:
        """One record; raises `Refused`."""


def control_app(gateway: Gateway, system: System, *, extra: Sequence[Route] = ()) -> Starlette:
    """The control API of one server; `extra` are the routes only that one has."""
    board = _Board(gateway, system)
    routes = [
        Route("/_sandbox/reset", guarded(board.reset), methods=["POST"]),
        Route("/_sandbox/backup", guarded(board.backup), methods=["POST"]),
        Route("/_sandbox/restore", guarded(board.restore), methods=["POST"]),
        Route("/_sandbox/faults", guarded(board.faults), methods=["GET", "POST", "DELETE"]),
        Route("/_sandbox/limits", guarded(board.limits), methods=["GET", "POST"]),
        Route("/_sandbox/clock", guarded(board.clock), methods=["GET", "POST"]),
        Route("/_sandbox/settings", guarded(board.settings), methods=["GET", "POST"]),
        Route("/_sandbox/requests", guarded(board.requests), methods=["GET", "DELETE"]),
        Route("/_sandbox/records", guarded(board.on_sets), methods=["GET"]),
        Route("/_sandbox/records/{collection}", guarded(board.on_set), methods=["GET", "POST"]),
        Route(
            "/_sandbox/records/{collection}/{key}",
            guarded(board.on_record),
            methods=["GET", "PATCH", "DELETE"],
        ),
        *extra,
    ]
    return Starlette(routes=routes)


def answer(document: Any, *, status: int = 200) -> Response:
    """A JSON answer that keeps decimals exact."""
    return Response(wire.write(document), status_code=status, media_type="application/json")


async def body_of(request: Request) -> dict[str, Any]:
    """The JSON object in the body; an empty body is an empty object."""
    text = await request.body()
    document = wire.read(text) if text.strip() else {}
    if not isinstance(document, dict):
        raise Refused("the body is a JSON object")
    return document


def guarded(handler: Handler) -> Handler:
    """Turn what goes wrong in a control call into an answer."""

    async def run(request: Request) -> Response:
        try:
            return await handler(request)
        except Refused as error:
            return answer({"error": str(error)}, status=error.status)
        except (ValueError, TypeError, ArithmeticError) as error:
            return answer({"error": str(error) or type(error).__name__}, status=400)

    return run


class _Board:
    """The handlers of the routes above."""

    def __init__(self, gateway: Gateway, system: System) -> None:
        self._gateway = gateway
        self._system = system
        self._backups: dict[str, Any] = {}

    async def backup(self, request: Request) -> Response:
        name = str((await body_of(request)).get("name", ""))
        self._backups[name] = self._system.backup()
        return answer({"backups": list(self._backups)})

    async def restore(self, request: Request) -> Response:
        name = str((await body_of(request)).get("name", ""))
        if name not in self._backups:
            raise Refused(f"there is no backup {name!r}; there are {list(self._backups)}", status=404)
        self._system.restore(self._backups[name])
        return answer({"restored": name})

    async def reset(self, request: Request) -> Response:
        wish = await body_of(request)
        self._gateway.clock.offset = 0.0
        self._system.settings.reset()
        self._system.reset(size=wish.get("size"), seed=wish.get("seed"), empty=bool(wish.get("empty")))
        self._gateway.reset()
        return answer({"reset": True})

    async def faults(self, request: Request) -> Response:
        switchboard = self._gateway.faults
        if request.method == "DELETE":
            switchboard.clear()
        elif request.method == "POST":
            try:
                switchboard.add(read_rules(wire.read(await request.body())))
            except BadRule as error:
                raise Refused(str(error)) from error
        return answer({"faults": switchboard.listing()})

    async def limits(self, request: Request) -> Response:
        budgets = self._gateway.budgets
        if request.method == "POST":
            wish = await body_of(request)
            budgets.reset(budgets.limits.changed({k: _number(v) for k, v in wish.items()}))
        limits = budgets.limits
        return answer({name: getattr(limits, name) for name in limits.__dataclass_fields__})

    async def clock(self, request: Request) -> Response:
        clock = self._gateway.clock
        if request.method == "POST":
            offset = (await body_of(request)).get("offset", 0)
            if isinstance(offset, bool) or not isinstance(_number(offset), int | float):
                raise Refused("`offset` is a number of seconds")
            clock.offset = float(offset)
        return answer({"offset": clock.offset, "now": clock.http_date()})

    async def settings(self, request: Request) -> Response:
        settings = self._system.settings
        if request.method == "POST":
            settings.change({k: _number(v) for k, v in (await body_of(request)).items()})
        return answer(settings.listing())

    async def requests(self, request: Request) -> Response:
        if request.method == "DELETE":
            self._gateway.traffic.clear()
        return answer(self._gateway.traffic.report())

    async def on_sets(self, request: Request) -> Response:
        return answer({name: self._system.records(name) for name in request.query_params.getlist("set")})

    async def on_set(self, request: Request) -> Response:
        if request.method == "GET":
            return answer({"records": self._system.records(request.path_params["collection"])})
        return await self._edit(request, verb="create", key="")

    async def on_record(self, request: Request) -> Response:
        key = request.path_params["key"]
        if request.method == "GET":
            return answer(self._system.record(request.path_params["collection"], key))
        verb = "update" if request.method == "PATCH" else "delete"
        return await self._edit(request, verb=verb, key=key)

    async def _edit(self, request: Request, *, verb: str, key: str) -> Response:
        wish = await body_of(request)
        record = self._system.back_office(
            verb,
            request.path_params["collection"],
            key=key,
            values=wish.get("values") or {},
            seconds_ago=float(wish.get("modified_seconds_ago") or 0),
        )
        return answer(record, status=201 if verb == "create" else 200)


def _number(value: Any) -> Any:
    """Fractions arrive as decimals; limits and settings are plain numbers."""
    return value if isinstance(value, bool | int | str) or value is None else float(value)
